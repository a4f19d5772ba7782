"""What is known of the developer: revenue, and where it operates. Unknown binds.

Not being bound needs the word of a role that the policy keeps independent of the developer, unexpired and with its
quorum, and every other such word must agree, also one that has expired. Being bound follows from anybody's last word,
which does not age.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import Entry
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Kernel
from scalegate.core.person import person
from scalegate.core.quantities import UNBOUNDED, show_instant
from scalegate.core.terms import Operates, Revenue
from scalegate.gate.records import Records
from scalegate.gate.voices import is_independent

_OUT_OF_THE_WAY = Fraction(UNBOUNDED)


@dataclass(frozen=True, slots=True)
class _Word:
    """What somebody last said on a term.

    Attributes:
        entry, event: where and what.
        low, high: the interval; None for an open end.
        words: the same in words, with who it was.
        weighed: whether its speaker was independent of the developer then.
        counts: whether, besides, he still is.
    """

    entry: Entry
    event: DeveloperDescribed
    low: Fraction | None
    high: Fraction | None
    words: str
    weighed: bool
    counts: bool


def described(records: Records, kernel: Kernel, term: Revenue | Operates) -> tuple[Fact, ...]:
    """Return the facts of a term about the developer: what counts in favor, and everybody's last word against it."""
    label = "revenue of the developer" if isinstance(term, Revenue) else f"the developer operates in {term.place}"
    last = {person(item.event.by): item for item in _said(records, kernel, term)}
    said = sorted(last.values(), key=lambda item: item.entry.index)
    lacking = _lacking(records.now, kernel, said, label)
    favorable = [Fact(label, gaps=(lacking,))] if lacking else [*_favorable(records.now, said, label)]
    return (*favorable, *(_adverse(item, label) for item in said))


def _said(records: Records, kernel: Kernel, term: Revenue | Operates) -> Iterator[_Word]:
    """Yield what was ever said on a term, oldest first; a description may leave it out."""
    for entry, event in records.described:
        ends = _revenue(event) if isinstance(term, Revenue) else _presence(event, term.place)
        if ends == (None, None):
            continue
        words = f"{_in_words(ends, term)}, by {event.by} ({event.role})"
        then = is_independent(records, kernel, event.role, event.by, entry.index)
        now = then and is_independent(records, kernel, event.role, event.by)
        yield _Word(entry, event, *ends, words, then, now)


def _revenue(event: DeveloperDescribed) -> tuple[Fraction | None, Fraction | None]:
    low = Fraction(event.revenue_low) if event.revenue_low > 0 else None
    high = None if event.revenue_high is None else Fraction(event.revenue_high)
    return low, high


def _presence(event: DeveloperDescribed, place: str) -> tuple[Fraction | None, Fraction | None]:
    """Return [1, 1] for a place where the developer operates, [0, 0] where not; who says both has said nothing."""
    there, away = place in event.places, place in event.absent
    if there is away:
        return None, None
    return Fraction(there), Fraction(there)


def _in_words(ends: tuple[Fraction | None, Fraction | None], term: Revenue | Operates) -> str:
    low, high = ends
    if isinstance(term, Operates):
        return "yes" if low else "no"
    parts = ["" if low is None else f"at least {int(low):,} USD", "" if high is None else f"at most {int(high):,} USD"]
    return " and ".join(filter(None, parts))


def _lacking(now: int, kernel: Kernel, said: Sequence[_Word], label: str) -> Gap | None:
    """Return why nothing said is a reason for not being bound; None where some role says enough."""
    marks = tuple(item.entry.digest for item in said)
    counting = [item for item in said if item.counts]
    roles = [item.event.role for item in counting if item.event.expires > now]
    if any(roles.count(role) >= kernel.roles[role].quorum for role in roles):
        return None
    if roles:
        return Gap("not_attested", f"{label}: fewer said so than the quorum of {', '.join(sorted({*roles}))}", marks)
    if counting:
        ended = show_instant(max(item.event.expires for item in counting))
        return Gap("stale", f"{label}: the last independent word on it ended on {ended}", marks)
    if said:
        return Gap("untrusted", f"{label}: nobody said so in a role independent of the developer", marks)
    return Gap("missing", f"{label}: nobody has said")


def _favorable(now: int, said: Sequence[_Word], label: str) -> Iterator[Fact]:
    """Yield what each independent speaker says that is still in time: all of them have to agree."""
    for item in said:
        end = item.event.expires
        if item.counts and end > now:
            yield Fact(label, item.low, item.high, until=end, evidence=(item.entry.digest,), detail=item.words)


def _adverse(item: _Word, label: str) -> Fact:
    """Return what somebody says as a reason for being bound; it never is one for not being bound.

    What somebody independent left open bars the word of another one; elsewhere it bars nothing.
    """
    return Fact(
        label,
        item.low,
        item.high if item.weighed else -_OUT_OF_THE_WAY,
        rising=(item.low if item.weighed else _OUT_OF_THE_WAY, item.high),
        adverse_only=True,
        evidence=(item.entry.digest,),
        detail=item.words,
    )
