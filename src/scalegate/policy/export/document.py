"""The input of an exported policy: the situation that the gate would judge, in whole numbers.

Cedar can look at named fields and cannot go through a list, so the strata of a term are put together here, by the
worst. That loses nothing: a comparison stands for a permit only where it does in every stratum, and for one constant
that is a question about the worst end of them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scalegate.core.actions import ACTIONS, MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.canonical import Plain
from scalegate.core.evidence import Fact
from scalegate.core.quantities import FOREVER, UNBOUNDED
from scalegate.policy.export.fields import Interval
from scalegate.policy.export.grid import LIMIT, limbs
from scalegate.policy.export.plan import LACKING, STOPPED, Plan


class SituationError(ValueError):
    """A situation that the gate would never judge, or only by holding; there is no input for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question under one policy, with everything that the gate reads to answer it.

    Attributes:
        action: what is asked for.
        actions: the action with those that it implies.
        subject: on whom.
        target: effective compute that training would reach; None for actions that make no new model.
        to: upper end of the effective compute of what the action would produce.
        now: seconds since 1970.
        facts: the facts of every term of the policy.
        in_use: until when each exception is in use; 0 where it is not.
        countersigned: until when each role has countersigned; 0 where it has not.
        stopped: whether a stop order stands against the request.
        lacking: whether a policy beside this one lacks a role that it mandates.
        started: effective compute that mitigation training started from, the lower end; 0 for other actions.
    """

    action: str
    actions: frozenset[str]
    subject: str
    target: int | None
    to: int
    now: int
    facts: Sequence[tuple[Fact, ...]]
    in_use: Mapping[str, int]
    countersigned: Mapping[str, int]
    stopped: bool
    lacking: bool
    started: int


def document(plan: Plan, asked: Asked) -> dict[str, Plain]:
    """Return the input that a situation is for an exported policy.

    Raises:
        SituationError: if the gate would not come to judge the situation.
    """
    _check(plan, asked)
    to_e18, to_rest = limbs(asked.to, up=True)
    found: dict[str, Plain] = {
        "policy": plan.kernel.digest,
        "action": NEW_SCALE if NEW_SCALE in asked.actions else asked.action,
        "subject": asked.subject,
        "now": asked.now,
        "to_e18": to_e18,
        "to_rest": to_rest,
        "growth": _growth(plan, asked),
    }
    found |= {field: _instant(asked.countersigned[role]) for role, field in plan.countersigned.items()}
    found |= {field: _instant(asked.in_use[name]) for name, field in plan.exceptions.items()}
    found |= {field: {STOPPED: asked.stopped, LACKING: asked.lacking}[field] for field in plan.answers}
    found |= {item.name: _interval(item, asked) for item in plan.intervals}
    return found


def _check(plan: Plan, asked: Asked) -> None:
    """Check that the gate would judge the situation."""
    training = asked.action in (TRAIN, NEW_SCALE, MITIGATION)
    if asked.action not in ACTIONS or asked.action not in asked.actions:
        msg = f"`{asked.action:.80}` is no action that the gate knows"
    elif training is (asked.target is None):
        msg = f"`{asked.action}` {'needs' if training else 'takes no'} effective compute to be reached"
    elif not 0 <= (asked.target or 0) <= asked.to <= UNBOUNDED:
        msg = "effective compute must not be negative, nor beyond every computation, nor less than is asked for"
    elif not 0 <= asked.now < FOREVER:
        msg = "the time of the question is no time"
    elif len(asked.facts) != len(plan.kernel.terms):
        msg = "there must be facts for each term of the policy"
    elif plan.countersigned.keys() - asked.countersigned.keys() or plan.exceptions.keys() - asked.in_use.keys():
        msg = "every countersignature and every exception of the policy must be answered for"
    else:
        return
    raise SituationError(msg)


def _growth(plan: Plan, asked: Asked) -> int:
    """Return by how much mitigation training would grow what it started from, in units of the policy's cap."""
    if asked.action != MITIGATION:
        return 0
    more, unit = (asked.target or 0) - asked.started, plan.kernel.mitigation_cap.denominator
    if more <= 0:
        return 0
    if asked.started <= 0:
        return LIMIT
    return min(LIMIT, -(-more * unit // asked.started))


def _interval(interval: Interval, asked: Asked) -> dict[str, Plain]:
    """Return the facts of a term, worst over its strata."""
    strata = asked.facts[interval.index]
    bearing = [fact for fact in strata if not fact.adverse_only]
    if any(fact.until <= asked.now for fact in strata if fact.adverse_only):
        msg = f"what speaks against a permit never ages, and something about `{interval.name}` has"
        raise SituationError(msg)
    reach_e18, reach_rest = limbs(min((fact.reach for fact in bearing), default=0), up=False)
    found: dict[str, Plain] = {
        # Where nothing bears on the term, that is the gap.
        "gaps": sum(len(fact.gaps) for fact in bearing) if bearing else 1,
        "until": _instant(min((fact.until for fact in strata), default=0)),
        "reach_e18": reach_e18,
        "reach_rest": reach_rest,
    }
    if "low" in interval.ends:
        found["low"] = _lowest(interval, strata, asked.to)
    if "high" in interval.ends:
        found["high"] = _highest(interval, strata, asked.to)
    return found


def _highest(interval: Interval, strata: Sequence[Fact], to: int) -> int:
    """Return the highest value that is left open: for conditions that the term meets by being low."""
    ends = [(fact.high_num, fact.high_den) for fact in strata]
    ends += [(fact.low_num, fact.low_den) for fact in strata]  # above the upper end where a latch is turned around
    ends += [
        (crossing.low.numerator, crossing.low.denominator)
        for fact in strata
        for crossing in fact.elsewhere
        if not fact.adverse_only and crossing.at <= to and crossing.low is not None
    ]
    return max((interval.grid.encode(num, den, up=True) for num, den in ends), default=LIMIT)


def _lowest(interval: Interval, strata: Sequence[Fact], to: int) -> int:
    """Return the lowest value that is left open: for conditions that the term meets by being high."""
    ends = [(fact.rise_low_num, fact.rise_low_den) for fact in strata]
    ends += [(fact.rise_high_num, fact.rise_high_den) for fact in strata]
    ends += [
        (crossing.high.numerator, crossing.high.denominator)
        for fact in strata
        for crossing in fact.elsewhere
        if not fact.adverse_only and crossing.at <= to and crossing.high is not None
    ]
    return min((interval.grid.encode(num, den, up=False) for num, den in ends), default=-LIMIT)


def _instant(seconds: int) -> int:
    return max(0, min(FOREVER, seconds))
