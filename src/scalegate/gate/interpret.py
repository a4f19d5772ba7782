"""The interpreter that decides. Everything else in this room prepares its input or explains its output.

It works in one three-valued scale seen from the permit's side: 1 stands for it, -1 against it, 0 unknown. A
condition in a permissive position (`until`, exceptions) stands for a permit when proven; in a restrictive one
(`when`, scope) when refuted. In that scale `not` only swaps the position of what is below it, strata of evidence
always combine by the worst, and a commitment permits when either of its conditions stands for the permit.

Adverse evidence needs only its interval. Favorable evidence must also be free of gaps, in time, within its reach,
and not overtaken by a crossing elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from scalegate.core.evidence import Crossing, Fact
from scalegate.core.kernel import All, AnyOf, AtLeast, Commitment, Compare, Condition, Constant, Not

# One tuple of facts for each term of the kernel.
Facts: TypeAlias = Sequence[tuple[Fact, ...]]

FOR, UNKNOWN, AGAINST = 1, 0, -1


class Leaf(NamedTuple):
    """A leaf that does not stand for the permit: which one, where it stands, and how it came out."""

    condition: Compare | Constant
    permissive: bool
    stand: int


class Held(NamedTuple):
    """A commitment that holds, with the leaves of both its conditions that keep it holding."""

    commitment: Commitment
    when: tuple[Leaf, ...]
    until: tuple[Leaf, ...]


def judge(commitments: Sequence[Commitment], facts: Facts, actions: frozenset[str], now: int, to: int) -> list[Held]:
    """Return every commitment that holds one of `actions`; an empty list permits.

    Args:
        commitments: all commitments of a policy.
        facts: facts for each term of that policy.
        actions: the action asked for and those it implies.
        now: seconds since 1970.
        to: effective compute of what the action would produce.
    """
    held = []
    for commitment in commitments:
        if actions.isdisjoint(commitment.actions):
            continue
        when: list[Leaf] = []
        if stand(commitment.when, facts, now, to, False, when) == FOR:
            continue
        until: list[Leaf] = []
        if stand(commitment.until, facts, now, to, True, until) != FOR:
            held.append(Held(commitment, tuple(when), tuple(until)))
    return held


def stand(
    condition: Condition,
    facts: Facts,
    now: int,
    to: int,
    permissive: bool,  # noqa: FBT001 - positional: this runs for every node of every decision
    blame: list[Leaf],
) -> int:
    """Return how a condition stands to a permit; leaves that do not stand for it are added to `blame`."""
    kind = type(condition)
    if kind is Compare:
        stands = compare(condition, facts[condition.term], now, to, permissive)  # type: ignore[arg-type, union-attr]
        if stands != FOR:
            blame.append(Leaf(condition, permissive, stands))  # type: ignore[arg-type]
        return stands
    if isinstance(condition, Not):
        return stand(condition.part, facts, now, to, not permissive, blame)
    if isinstance(condition, Constant):
        if condition.proven is permissive:
            return FOR
        blame.append(Leaf(condition, permissive, AGAINST))
        return AGAINST
    assert isinstance(condition, All | AnyOf | AtLeast)  # noqa: S101 - the kernel has no other condition
    mark = len(blame)
    parts = [stand(part, facts, now, to, permissive, blame) for part in condition.parts]
    if isinstance(condition, AtLeast):
        # Proven by the count-th best part; refuted when so many parts are that the rest cannot reach the count.
        parts.sort(reverse=True)
        result = parts[condition.count - 1 if permissive else len(parts) - condition.count]
    else:
        result = min(parts) if isinstance(condition, All) is permissive else max(parts)
    if result == FOR:
        del blame[mark:]
    return result


def compare(
    condition: Compare,
    strata: tuple[Fact, ...],
    now: int,
    to: int,
    permissive: bool,  # noqa: FBT001 - see stand
) -> int:
    """Return how a comparison stands: the worst over its strata; unknown when no stratum bears on it."""
    above, num, den, edge = condition.above is permissive, condition.num, condition.den, condition.edge
    worst, bearing = FOR, False
    for fact in strata:
        if above:
            against = _below(fact.rise_high_num * den, num * fact.rise_high_den, edge)
            shown = not _below(fact.rise_low_num * den, num * fact.rise_low_den, edge)
        else:
            against = not _below(fact.low_num * den, num * fact.low_den, edge)
            shown = _below(fact.high_num * den, num * fact.high_den, edge)
        if against:
            return AGAINST
        if fact.adverse_only:
            usable = shown
        else:
            bearing = True
            usable = shown and not fact.gaps and now < fact.until and to <= fact.reach
            if usable and fact.elsewhere:
                usable = not overtaken(condition, fact.elsewhere, to, above=above)
        if not usable:
            worst = UNKNOWN
    return worst if bearing else UNKNOWN


def _below(value: int, bound: int, edge: bool) -> bool:  # noqa: FBT001 - see stand
    """Whether value lies on the lower side of the bound, which itself counts as above when `edge`."""
    return value < bound or (value == bound and not edge)


def overtaken(condition: Compare, elsewhere: Sequence[Crossing], to: int, *, above: bool) -> bool:
    """Whether a crossing of this very bound, measured elsewhere, lies at or below the compute asked for."""
    for crossing in elsewhere:
        if to < crossing.at:
            continue
        end = crossing.high if above else crossing.low
        if end is None:
            continue
        if _below(end.numerator * condition.den, condition.num * end.denominator, condition.edge) is above:
            return True
    return False
