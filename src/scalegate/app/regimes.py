"""What binds the developer from outside: regimes, their clocks, the roles they mandate; and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from scalegate.app.bindings import adopted, check_speaker, find_policy
from scalegate.app.book import Book, Page, Speaker, check_name
from scalegate.app.refusal import RefusalError
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import Entry
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import UNBOUNDED
from scalegate.core.terms import Operates
from scalegate.gate.regimes import Bearing, bearings


@dataclass(frozen=True, slots=True)
class Regimes:
    """How the developer stands to what binds it.

    Attributes:
        at: the time of the look.
        bearings: each regime in force, and each other policy in force that has obligations; those first of which
            something is overdue, then those that bind.
        faults: adopted texts that cannot be read; everything is held while there are any.
    """

    at: int
    bearings: tuple[Bearing, ...]
    faults: tuple[str, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing is overdue, no mandated role is missing, and every text can be read."""
        return not self.faults and not any(item.late or item.lacks for item in self.bearings)


@dataclass(frozen=True, slots=True)
class Description:
    """What somebody says of the developer; see `DeveloperDescribed`."""

    revenue_low: int = 0
    revenue_high: int | None = None
    places: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    expires: int = 0


def regime_status(book: Book, policy: str = "") -> Regimes:
    """Return how the developer stands to every regime in force, or to one policy.

    Raises:
        RefusalError: if the history cannot be read or has a fault, or no such policy is adopted.
    """
    page = book.page()
    found = bearings(page.records, page.force.kernels)
    if policy:
        name = find_policy(page, policy).id
        found = [item for item in found if item.kernel.id == name]
    else:
        found = [item for item in found if item.kernel.kind == "regime" or item.obligations]
    ordered = sorted(found, key=lambda item: (not item.late, not item.lacks, not item.binds))
    return Regimes(page.now, tuple(ordered), tuple(page.force.faults))


def regimes(book: Book) -> list[tuple[Kernel, bool]]:
    """Return every adopted regime, and whether it is in force.

    Raises:
        RefusalError: if the history cannot be read or has a fault.
    """
    page = book.page()
    binding = {kernel.digest for kernel in page.force.kernels}
    kernels = {kernel.digest: kernel for kernel in (*page.force.kernels, *adopted(page).values())}
    return [(kernel, mark in binding) for mark, kernel in kernels.items() if kernel.kind == "regime"]


def overdue_words(page: Page) -> tuple[str, ...]:
    """Return what is overdue, as `policy/obligation`."""
    found = bearings(page.records, page.force.kernels)
    return tuple(f"{item.kernel.id}/{state.obligation.id}" for item in found for state in item.late)


def describe_developer(book: Book, draft: Description, speaker: Speaker) -> tuple[Entry, tuple[str, ...]]:
    """Record what somebody says of the developer, and return with it what to know about how it will be read.

    Raises:
        RefusalError: if nothing is said, the range is turned around, a place is said to be both, or it never expires.
    """
    _check(draft)

    def prepare(page: Page) -> DeveloperDescribed:
        check_speaker(page, speaker)
        if draft.expires <= page.now:
            raise RefusalError(
                "usage",
                "expiry-missing",
                "a description must expire, in the future",
                "`--expires 12 months` or `--expires 2027-01-01`",
            )
        return DeveloperDescribed(
            draft.revenue_low,
            draft.revenue_high,
            draft.places,
            draft.absent,
            draft.expires,
            speaker.name,
            speaker.role,
        )

    entry = book.record(prepare)
    return entry, tuple(_hints(book.page(), draft, speaker))


def _check(draft: Description) -> None:
    for place in (*draft.places, *draft.absent):
        check_name("jurisdiction", place)
    if not (draft.revenue_low or draft.revenue_high is not None or draft.places or draft.absent):
        raise RefusalError("usage", "description-empty", "nothing is said", "give revenue or places")
    top = UNBOUNDED if draft.revenue_high is None else draft.revenue_high
    if not 0 <= draft.revenue_low <= top <= UNBOUNDED:
        raise RefusalError("usage", "revenue-range", "revenue goes from low to high, and is not negative")
    both = sorted({*draft.places} & {*draft.absent})
    if both:
        words = f"the developer cannot operate in {both[0]:.80} and not operate there"
        raise RefusalError("usage", "place-contradicted", words)


def _hints(page: Page, draft: Description, speaker: Speaker) -> list[str]:
    """Return what a speaker may not expect."""
    kernels = page.force.kernels
    found = []
    entitled = [kernel for kernel in kernels if _independent(kernel, speaker.role)]
    if not entitled:
        found.append(
            f"no policy in force keeps role {speaker.role} independent of the developer: this is a reason for being "
            "bound, and never one for not being bound"
        )
    known = {term.place for kernel in kernels for term in kernel.terms if isinstance(term, Operates)}
    strange = [place for place in (*draft.places, *draft.absent) if place not in known]
    if strange:
        found.append(f"no policy in force asks about {', '.join(strange)}")
    return found


def _independent(kernel: Kernel, role: str) -> bool:
    return role in kernel.roles and kernel.roles[role].is_outside
