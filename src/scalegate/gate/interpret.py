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
from scalegate.core.kernel import All, AtLeast, Commitment, Compare, Condition, Constant, Not

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
    """Return how a condition stands to a permit; leaves that keep it from standing for it are added to `blame`."""
    while isinstance(condition, Not):
        condition, permissive = condition.part, not permissive
    if isinstance(condition, Compare):
        result = compare(condition, facts[condition.term], now, to, permissive)
        if result != FOR:
            blame.append(Leaf(condition, permissive, result))
        return result
    if isinstance(condition, Constant):
        if condition.proven is permissive:
            return FOR
        blame.append(Leaf(condition, permissive, AGAINST))
        return AGAINST
    # Every connective stands where its `need`-th best part does.
    count = len(condition.parts)
    if isinstance(condition, AtLeast):
        need = condition.count if permissive else count - condition.count + 1
    else:
        need = count if isinstance(condition, All) is permissive else 1
    mark, stands = len(blame), []
    for part in condition.parts:
        stands.append(stand(part, facts, now, to, permissive, blame))
        if stands.count(FOR) == need:  # no other part can change that
            del blame[mark:]
            return FOR
    stands.sort(reverse=True)
    return stands[need - 1]


def compare(
    condition: Compare,
    strata: tuple[Fact, ...],
    now: int,
    to: int,
    permissive: bool,  # noqa: FBT001 - see stand
) -> int:
    """Return how a comparison stands: the worst over its strata; unknown when no stratum bears on it."""
    above, num, den = condition.above is permissive, condition.num, condition.den
    # A whole number lies on the lower side of the bound when it is less than bound + slack: see `_below`.
    slack = 0 if condition.edge else 1
    worst, bearing = FOR, False
    for fact in strata:
        if above:
            against = fact.rise_high_num * den < num * fact.rise_high_den + slack
            shown = fact.rise_low_num * den >= num * fact.rise_low_den + slack
        else:
            against = fact.low_num * den >= num * fact.low_den + slack
            shown = fact.high_num * den < num * fact.high_den + slack
        if against:
            return AGAINST
        if not fact.adverse_only:
            bearing = True
            shown = shown and now < fact.until and to <= fact.reach and not fact.gaps
            if shown and fact.elsewhere:
                shown = not overtaken(condition, fact.elsewhere, to, above=above)
        if not shown:
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
