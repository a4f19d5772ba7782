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


# A leaf that does not stand for the permit: which one, whether in a permissive position, and how it came out.
# A plain tuple: one is made for every blamed leaf of every hold.
Leaf: TypeAlias = tuple[Compare | Constant, bool, int]


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
    """Return how a condition stands to a permit; leaves that keep it from standing for it are added to `blame`."""
    while type(condition) is Not:
        condition, permissive = condition.part, not permissive
    if type(condition) is Compare:
        result = compare(condition, facts[condition.term], now, to, permissive)
        if result != FOR:
            blame.append((condition, permissive, result))
        return result
    if type(condition) is Constant:
        if condition.proven is permissive:
            return FOR
        blame.append((condition, permissive, AGAINST))
        return AGAINST
    need, mark, standing, unknown = needed(condition, permissive), len(blame), 0, 0
    for part in condition.parts:
        if type(part) is Compare:  # as `stand` does, without the call: most parts are leaves
            result = compare(part, facts[part.term], now, to, permissive)
            if result != FOR:
                blame.append((part, permissive, result))
        else:
            result = stand(part, facts, now, to, permissive, blame)
        if result == FOR:
            standing += 1
            if standing == need:  # no other part can change that
                del blame[mark:]
                return FOR
        elif result == UNKNOWN:
            unknown += 1
    return UNKNOWN if standing + unknown >= need else AGAINST


def needed(condition: All | AnyOf | AtLeast, permissive: bool) -> int:  # noqa: FBT001 - see stand
    """Return how many parts have to stand for the permit: every connective stands where its n-th best part does."""
    count = len(condition.parts)
    if isinstance(condition, AtLeast):
        return condition.count if permissive else count - condition.count + 1
    return count if isinstance(condition, All) is permissive else 1


def compare(
    condition: Compare,
    strata: tuple[Fact, ...],
    now: int,
    to: int,
    permissive: bool,  # noqa: FBT001 - see stand
) -> int:
    """Return how a comparison stands: the worst over its strata; unknown when no stratum bears on it."""
    num, den, above = condition.num, condition.den, condition.above is permissive
    # A whole number lies on the lower side of the bound when it is less than bound + slack: see `_below`.
    slack = 0 if condition.edge else 1
    worst, bearing = FOR, False
    for fact in strata:
        if above:
            if fact.rise_high_num * den < num * fact.rise_high_den + slack:
                return AGAINST
        elif fact.low_num * den >= num * fact.low_den + slack:
            return AGAINST
        if not fact.adverse_only:
            bearing = True
            if fact.gaps or now >= fact.until or to > fact.reach:
                worst = UNKNOWN
                continue
        if above:
            if fact.rise_low_num * den < num * fact.rise_low_den + slack:
                worst = UNKNOWN
        elif fact.high_num * den >= num * fact.high_den + slack:
            worst = UNKNOWN
        if fact.elsewhere and not fact.adverse_only and overtaken(condition, fact.elsewhere, to, above=above):
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
