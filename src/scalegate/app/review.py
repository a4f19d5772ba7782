"""Looking back and ahead: why an answer came out, what the next scale demands, how things stand.

Nothing here is recorded, and nothing here grants anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from scalegate.app.answers import last_live
from scalegate.app.ask import Added, Answer, added_policy, ask_only, judge
from scalegate.app.book import Book, Page
from scalegate.app.refusal import RefusalError
from scalegate.app.regimes import overdue_words
from scalegate.app.trusting import history_of
from scalegate.core.actions import NEW_SCALE, TRAIN
from scalegate.core.decision import Decision, Request
from scalegate.core.events import DecisionMade, Entry, History, PolicyAdopted
from scalegate.core.kernel import Compare, Condition, Constant, Kernel, Not
from scalegate.core.quantities import instant
from scalegate.core.terms import Compute
from scalegate.gate.lineage import Lineage
from scalegate.gate.record import decision_digest
from scalegate.ledger.errors import StoreDamagedError

FAMILIES = (TRAIN, "deploy.internal", "deploy.partners", "deploy.api", "release.weights")
MAX_PROBES = 24


# ---------------------------------------------------------------- why


def recall(book: Book, which: str = "") -> tuple[Answer, bool]:
    """Return a recorded answer, derived again from the history as it was, and whether it is the same.

    Args:
        book: the store.
        which: number or digest of the answer; the latest when empty.

    Raises:
        RefusalError: if there is none, its question is not kept, or the history has a fault.
    """
    page = book.page()
    entry = last_live(page.history, which)
    if entry is None or not isinstance(entry.event, DecisionMade):
        what = f"answer `{which:.80}`" if which else "answer"
        raise RefusalError(
            "usage",
            "answer-unknown",
            f"the history has no {what}",
            "`scalegate gate` asks; `scalegate why ACTION --subject NAME` asks without recording",
        )
    past = _behind(page.history, entry)
    request, asked, added = _question(book, past, entry)
    decision = judge(past, request, asked, added)
    return _as_recorded(decision, entry)


def _behind(history: History, entry: Entry) -> History:
    """Return the history that an answer was made on: it ends with its head, and other answers may follow that."""
    head = getattr(entry.event, "head", "")
    for last in reversed(history.entries[: entry.index]):
        if last.digest == head:
            return history_of(history.entries[: last.index + 1])
        if not isinstance(last.event, DecisionMade):
            break
    raise RefusalError(
        "untrusted",
        "answer-elsewhere",
        f"the answer in entry {entry.index} was not made on the history that it follows",
        "the record was not made by this gate on this history",
    )


def _as_recorded(decision: Decision, entry: Entry) -> tuple[Answer, bool]:
    event = entry.event
    if not isinstance(event, DecisionMade):
        raise TypeError("an answer is a DecisionMade")
    if decision.answer != event.answer:
        raise RefusalError(
            "untrusted",
            "answer-differs",
            f"answer {event.number} was recorded as {event.answer}, and the history says {decision.answer}",
            "the record was not made by this gate on this history",
        )
    answer = Answer(decision, event.decision, event.number)
    return answer, decision_digest(decision) == event.decision


def _question(book: Book, past: History, entry: Entry) -> tuple[Request, int, list[Added]]:
    """Return the question behind a recorded answer, and when it was asked, from the bytes kept under its digest."""
    event = entry.event
    if not isinstance(event, DecisionMade):
        raise TypeError("an answer is a DecisionMade")
    try:
        kept = json.loads(book.store.get_blob(event.decision))
        request = Request(
            event.action,
            event.subject,
            None if kept["to"] is None else int(kept["to"]),
            event.context,
        )
        # Answers that were recorded at once can have a later time than the one that each was made at.
        asked = min(instant(kept["as_of"]), entry.at)
        known = {item.event.digest for item in past.entries if isinstance(item.event, PolicyAdopted)}
        texts = [book.store.get_blob(digest).decode() for digest in event.policies if digest not in known]
    except StoreDamagedError as error:
        raise RefusalError("untrusted", "blob-damaged", str(error)) from error
    except (KeyError, ValueError, TypeError) as error:
        raise RefusalError(
            "untrusted",
            "question-missing",
            f"what answer {event.number} was given to is not kept beside the history",
        ) from error
    return request, asked, [added_policy(text, "<added policy>") for text in texts]


# ---------------------------------------------------------------- plan


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scale will demand.

    Attributes:
        answer: the hypothetical answer at that scale.
        reach: the largest effective compute among those tried that would be permitted now; None for
            none.
        next_hold: the smallest one beyond it that would be held; None when all would be permitted.
    """

    answer: Answer
    reach: int | None
    next_hold: int | None


def plan(book: Book, request: Request) -> Plan:
    """Ask what an action would demand, and how far it would be permitted now.

    The computes tried are those where an answer can change: thresholds that policies name, and due
    points and hard ends counted from the computes of declared subjects.

    Raises:
        RefusalError: if the history cannot be read or has a fault.
    """
    page = book.page()
    answer = ask_only(book, request)
    if request.to is None:
        return Plan(answer, None, None)
    reach = next_hold = None
    for to in _computes(page, request):
        probe = Request(request.action, request.subject, to, request.context)
        if judge(page.history, probe, page.now, counterfactual=True).answer == "permit":
            reach = to
        else:
            next_hold = to
            break
    return Plan(answer, reach, next_hold)


def _computes(page: Page, request: Request) -> list[int]:
    """Return the effective computes at which the answer can change, from the next step to the one asked."""
    to = request.to or 0
    found = {to}
    kernels = page.force.kernels
    lineage = Lineage(page.records.subjects, page.records.mitigated())
    subject = page.records.subjects.get(request.subject)
    least = lineage.compute(subject).low + 1 if subject else 1
    found.add(least)
    spent = {lineage.compute(item).low for item in page.records.subjects.values()}
    for kernel in kernels:
        for constant in _thresholds(kernel):
            found |= {constant, constant + 1}
        for evaluation in kernel.evaluations.values():
            limits = (evaluation.validity.due_compute, evaluation.validity.stop_compute)
            for factor in limits:
                if factor is not None:
                    ends = {int(factor * base) for base in spent}
                    found |= ends | {end + 1 for end in ends}
    fitting = sorted(item for item in found if least <= item <= to)
    return [*fitting[: MAX_PROBES - 1], to]


def _thresholds(kernel: Kernel) -> Iterator[int]:
    conditions = [kernel.scope]
    for commitment in kernel.commitments:
        conditions += [commitment.when, commitment.until]
    while conditions:
        condition: Condition = conditions.pop()
        match condition:
            case Compare(term=term, num=num, den=den):
                if isinstance(kernel.terms[term], Compute):
                    yield int(Fraction(num, den))
            case Not(part=part):
                conditions.append(part)
            case Constant():
                continue
            case _:
                conditions += condition.parts


# ---------------------------------------------------------------- status


@dataclass(frozen=True, slots=True)
class Standing:
    """How one subject stands to one action.

    Attributes:
        now: what the gate would say now.
        reasons: how many reasons there are against it.
        last: the last recorded answer to the same action and subject, if any.
    """

    subject: str
    action: str
    now: str
    reasons: int
    last: Entry | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one glance.

    Attributes:
        at: the time of the look.
        entries: number of entries.
        policies: the policies in force, as `id version`.
        standings: one for each subject and family of actions.
        pending, missing: registered runs without a result, before and after their `report_by`.
        refused: runs for which a log was refused and no result stands.
        stops: open stop orders.
        holes: holes of the policies in force, as `policy/hole`.
        overdue: obligations that are overdue where they bind, as `policy/obligation`.
        exceptions: exceptions of the policies in force, as `policy/exception`.
        notes: what was tried on policies without effect.
    """

    at: int
    entries: int
    policies: tuple[str, ...]
    standings: tuple[Standing, ...]
    pending: tuple[str, ...]
    missing: tuple[str, ...]
    refused: tuple[str, ...]
    stops: tuple[str, ...]
    holes: tuple[str, ...]
    overdue: tuple[str, ...]
    exceptions: tuple[str, ...]
    notes: tuple[str, ...]


def status(book: Book) -> Status:
    """Return how everything stands.

    Raises:
        RefusalError: if the history cannot be read or has a fault.
    """
    page = book.page()
    records, force = page.records, page.force
    silent = [run for run in records.runs.values() if run.result is None and not run.voids]
    lifted = {(lift.order, lift.role) for _, lift in records.lifts}
    return Status(
        at=page.now,
        entries=len(page.history.entries),
        policies=tuple(f"{kernel.id} {kernel.version}" for kernel in force.kernels),
        standings=tuple(_standings(page)),
        pending=tuple(run.plan.run for run in silent if run.plan.report_by > page.now),
        missing=tuple(run.plan.run for run in silent if run.plan.report_by <= page.now),
        refused=tuple(
            f"{run.plan.run} ({', '.join(dict.fromkeys(refusal.code for _, refusal in run.refused))})"
            for run in records.runs.values()
            if run.refused
        ),
        stops=tuple(stop.order for _, stop in records.stops if (stop.order, stop.role) not in lifted),
        holes=tuple(f"{kernel.id}/{hole}" for kernel in force.kernels for hole in kernel.holes),
        overdue=overdue_words(page),
        exceptions=tuple(f"{kernel.id}/{item.id}" for kernel in force.kernels for item in kernel.exceptions),
        notes=(*force.notes, *force.faults),
    )


def _standings(page: Page) -> Iterator[Standing]:
    lineage = Lineage(page.records.subjects, page.records.mitigated())
    for name, subject in page.records.subjects.items():
        for action in FAMILIES:
            training = action == TRAIN
            if training and subject.kind != "model":
                continue
            # The next step of training is the smallest one: one FLOP more than was surely spent.
            to = lineage.compute(subject).low + 1 if training else None
            decision = judge(page.history, Request(action, name, to), page.now, counterfactual=True)
            yield Standing(name, action, decision.answer, len(decision.reasons), _last(page, name, action))


def _last(page: Page, subject: str, action: str) -> Entry | None:
    family = {action, NEW_SCALE} if action == TRAIN else {action}
    for entry, event in reversed(page.records.decisions):
        if event.subject == subject and event.action in family:
            return entry
    return None
