"""Stop orders and exceptions: what somebody with the standing to do so declares."""

from __future__ import annotations

from scalegate.app.bindings import adopted, check_speaker, find_policy
from scalegate.app.book import Book, Page, Speaker, check_name
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.actions import covered
from scalegate.core.events import Entry, ExceptionInvoked, PermitRevoked, StopLifted, StopOrdered


def order_stop(book: Book, order: str, actions: tuple[str, ...], subject: str, speaker: Speaker) -> Entry:
    """Issue a stop order on some actions (none: everything) of a subject (empty: all).

    Raises:
        RefusalError: if no adopted policy gives this role the power, the order exists, or an action
            or the subject is unknown: an order that stops nothing must not look like one.
    """
    check_name("stop order", order)

    def prepare(page: Page) -> StopOrdered:
        check_speaker(page, speaker)
        roles = {role for kernel in adopted(page).values() for role in kernel.stop_orders_by}
        if speaker.role not in roles:
            raise RefusalError(
                "refused",
                "stop-without-power",
                f"no adopted policy lets role `{speaker.role}` issue stop orders",
                nearest(speaker.role, roles),
            )
        if any(event.order == order for _, event in page.records.stops):
            raise RefusalError("refused", "stop-exists", f"stop order `{order}` exists already")
        for action in actions:
            if not covered(action):
                raise RefusalError("usage", "action-unknown", f"`{action:.80}` is no action that can be held")
        if subject and subject not in page.records.subjects:
            raise RefusalError(
                "usage",
                "subject-unknown",
                f"no subject `{subject:.80}` is declared",
                nearest(subject, page.records.subjects),
            )
        return StopOrdered(order, actions, subject, speaker.name, speaker.role)

    return book.record(prepare)


def lift_stop(book: Book, order: str, speaker: Speaker) -> Entry:
    """Lift a stop order.

    Raises:
        RefusalError: if there is no such open order, or another role issued it.
    """

    def prepare(page: Page) -> StopLifted:
        check_speaker(page, speaker)
        issued = {event.order: event for _, event in page.records.stops}
        lifted = {
            event.order
            for _, event in page.records.lifts
            if event.order in issued and issued[event.order].role == event.role
        }
        if order not in issued or order in lifted:
            open_orders = set(issued) - lifted
            raise RefusalError(
                "usage",
                "stop-unknown",
                f"there is no open stop order `{order:.80}`",
                nearest(order, open_orders),
            )
        if issued[order].role != speaker.role:
            raise RefusalError(
                "refused",
                "stop-without-power",
                f"stop order `{order}` was issued by role `{issued[order].role}`, and only that role lifts it",
            )
        return StopLifted(order, speaker.name, speaker.role)

    return book.record(prepare)


def invoke_exception(book: Book, policy: str, exception: str, speaker: Speaker) -> Entry:
    """Invoke an exception of a policy; the gate decides whether its conditions are met.

    Raises:
        RefusalError: if the policy has no such exception.
    """

    def prepare(page: Page) -> ExceptionInvoked:
        check_speaker(page, speaker)
        kernel = find_policy(page, policy)
        known = [item.id for item in kernel.exceptions]
        if exception not in known:
            raise RefusalError(
                "usage",
                "exception-unknown",
                f"policy `{kernel.id}` has no exception `{exception:.80}`",
                nearest(exception, known),
            )
        return ExceptionInvoked(kernel.id, exception, speaker.name, speaker.role)

    return book.record(prepare)


def revoke(book: Book, decision: str, speaker: Speaker) -> Entry:
    """Revoke a permit by its decision's digest or number.

    Raises:
        RefusalError: if no such permit was given.
    """

    def prepare(page: Page) -> PermitRevoked:
        check_speaker(page, speaker)
        for _, made in page.records.decisions:
            if decision in (made.decision, str(made.number)) and made.answer == "permit":
                return PermitRevoked(made.decision, speaker.name, speaker.role)
        raise RefusalError("usage", "permit-unknown", f"no permit `{decision:.80}` was given")

    return book.record(prepare)
