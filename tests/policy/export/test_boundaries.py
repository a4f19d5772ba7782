"""Where answers turn: each at its very edge, with the gate's own functions as the judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.actions import covered
from scalegate.core.evidence import Crossing, Fact, Gap
from scalegate.core.kernel import Commitment, Compare, Condition, Constant, Exception_, Kernel
from scalegate.core.quantities import DAY, FOREVER, UNBOUNDED
from scalegate.core.terms import Clock, Elapsed, Measure, Shown, Term
from scalegate.gate.apply import sunset
from scalegate.policy.export.document import Asked, document
from scalegate.policy.export.grid import LIMB, grid_of, limbs
from scalegate.policy.export.plan import plan_of
from tests.policy.export.reading import permits
from tests.policy.export.situations import NOW, ONE, SPAN, ZERO, cases, gate_permits, policies, policy, shown

NEVER, ALWAYS = Constant(proven=False, span=SPAN), Constant(proven=True, span=SPAN)
FIFTH = Fraction(1, 5)
TERMS: tuple[Term, ...] = (Measure("cap", "when"), Clock(), Elapsed("started", "developer"), Shown("guard"))
CAP, DATE, SINCE, GUARD = range(4)
TO = 2 * 10**25


def over(term: int, value: Fraction, *, above: bool = True, edge: bool = False) -> Compare:
    return Compare(term, above, edge, value.numerator, value.denominator, "x", SPAN)


def kernel_of(
    when: Condition, until: Condition = NEVER, exits: Sequence[Condition] = (), scope: Condition = ALWAYS
) -> Kernel:
    """Return a policy with one commitment, and exceptions whose floors are given."""
    plain = policy(random.Random(1), 7)
    return replace(
        plain,
        kind="policy",
        scope=scope,
        terms=TERMS,
        commitments=(Commitment("line", ("everything",), covered("everything"), when, until, False, SPAN),),
        exceptions=tuple(
            Exception_(f"exit-{place}", "line", ALWAYS, floor, (), 30 * DAY, 60 * DAY, 365 * DAY, SPAN)
            for place, floor in enumerate(exits)
        ),
        stop_orders_by=(),
        countersigned_by=(),
    )


def answer(kernel: Kernel, action: str = "deploy.api", now: int = NOW, to: int = TO, **facts: tuple[Fact, ...]) -> bool:
    """Return what an export answers, after checking that the gate answers the same. Exceptions are all in use."""
    invoked = [
        (SimpleNamespace(at=now - 1), SimpleNamespace(policy=kernel.id, exception=item.id))
        for item in kernel.exceptions
    ]
    records = SimpleNamespace(now=now, invoked=invoked)
    strata = {
        "cap": (Fact("low", ZERO, Fraction(1, 1000)),),
        "date": (Fact("the date", Fraction(now), Fraction(now), grows=True),),
        "since": (Fact("since", ZERO, None, gaps=(Gap("missing", "never"),), grows=True),),
        "guard": (Fact("yes", ONE, ONE),),
        **facts,
    }
    asked: Asked = replace(
        shown(kernel, action, to),
        now=now,
        facts=[strata[name] for name in ("cap", "date", "since", "guard")],
        in_use={item.id: sunset(records, kernel, item) for item in kernel.exceptions},
    )
    plan = plan_of(kernel)
    found = permits(plan, document(plan, asked))
    assert found is gate_permits(kernel, asked, records)
    return found


# ---------------------------------------------------------------- thresholds


@pytest.mark.parametrize("edge", [True, False])
@pytest.mark.parametrize(
    "offset", [Fraction(0), Fraction(1, 10**30), Fraction(-1, 10**30), Fraction(1, 10**6)], ids=str
)
def test_a_score_at_and_beside_its_threshold(*, edge: bool, offset: Fraction) -> None:
    score = FIFTH + offset
    low = answer(kernel_of(over(CAP, FIFTH, edge=edge)), cap=(Fact("x", ZERO, score),))
    high = answer(kernel_of(NEVER, over(CAP, FIFTH, edge=edge)), cap=(Fact("x", score, ONE),))
    assert low is (score < FIFTH or (score == FIFTH and not edge))
    assert high is True  # `when: never` never holds
    risen = answer(kernel_of(ALWAYS, over(CAP, FIFTH, edge=edge)), cap=(Fact("x", score, ONE),))
    assert risen is (score > FIFTH or (score == FIFTH and edge))


def test_every_stratum_has_to_speak_for_the_permit() -> None:
    kernel = kernel_of(over(CAP, FIFTH))
    good = Fact("x", ZERO, Fraction(1, 10))
    assert answer(kernel, cap=(good, good))
    bad = (
        Fact("x", ZERO, Fraction(3, 10)),
        Fact("x", ZERO, Fraction(1, 10), gaps=(Gap("missing", "nothing"),)),
        Fact("x", ZERO, Fraction(1, 10), until=NOW),
        Fact("x", ZERO, Fraction(1, 10), reach=TO - 1),
        Fact("x", ZERO, None),
        Fact("x", ONE, ZERO, adverse_only=True),
        Fact("x", Fraction(UNBOUNDED), Fraction(-UNBOUNDED), adverse_only=True),
    )
    for other in bad:
        assert not answer(kernel, cap=(good, other))
        assert not answer(kernel, cap=(other, good))


def test_what_only_speaks_against_a_permit_never_speaks_for_one() -> None:
    latch = Fact("x", ZERO, Fraction(1, 10), adverse_only=True)
    for to in (TO, 0):
        assert not answer(kernel_of(over(CAP, FIFTH)), to=to, cap=(latch,))
        assert not answer(kernel_of(over(CAP, FIFTH)), to=to, cap=())


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_time_and_reach_at_their_ends(step: int) -> None:
    kernel = kernel_of(over(CAP, FIFTH))
    assert answer(kernel, cap=(Fact("x", ZERO, ZERO, until=NOW + step),)) is (step > 0)
    for size in (TO, 10**18, 3 * 10**35):
        assert answer(kernel, to=size, cap=(Fact("x", ZERO, ZERO, reach=size + step),)) is (step >= 0)
    assert answer(kernel, to=UNBOUNDED, cap=(Fact("x", ZERO, ZERO, reach=UNBOUNDED),))


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_crossing_elsewhere_counts_up_to_its_compute(step: int) -> None:
    fallen = Crossing(None, Fraction(1, 10), TO + step, "vega")
    risen = Crossing(Fraction(3, 10), None, TO + step, "vega")
    low = Fact("x", ZERO, Fraction(1, 10), elsewhere=(risen,))
    high = Fact("x", Fraction(3, 10), ONE, elsewhere=(fallen,))
    assert answer(kernel_of(over(CAP, FIFTH)), cap=(low,)) is (step > 0)
    assert answer(kernel_of(ALWAYS, over(CAP, FIFTH)), cap=(high,)) is (step > 0)
    # What only speaks against a permit is read by its interval alone.
    latch = Fact("x", ZERO, Fraction(1, 10), elsewhere=(risen,), adverse_only=True)
    assert answer(kernel_of(over(CAP, FIFTH)), cap=(Fact("x", ZERO, ZERO), latch))


# ---------------------------------------------------------------- what grows with time


@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("edge", [True, False])
def test_a_permit_that_would_end_as_it_is_given_is_none(*, step: int, edge: bool) -> None:
    before = kernel_of(over(DATE, Fraction(NOW), edge=edge))
    assert answer(before, now=NOW + step) is (step < 0)
    after = kernel_of(ALWAYS, over(DATE, Fraction(NOW), edge=edge))
    assert answer(after, now=NOW + step) is (step > 0 or (edge and step == 0))
    since = (Fact("since", Fraction(DAY + step), Fraction(DAY + step), grows=True),)
    assert answer(kernel_of(over(SINCE, Fraction(DAY), edge=edge)), since=since) is (step < 0)
    assert answer(kernel_of(ALWAYS, over(SINCE, Fraction(DAY), edge=edge)), since=since) is (
        step > 0 or (edge and step == 0)
    )


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_threshold_of_time_within_a_second_ends_at_its_beginning(step: int) -> None:
    half = DAY + Fraction(1, 2)
    since = (Fact("since", Fraction(DAY + step), Fraction(DAY + step), grows=True),)
    assert answer(kernel_of(over(SINCE, half)), since=since) is (step < 0)
    assert answer(kernel_of(ALWAYS, over(SINCE, half)), since=since) is (step > 0)
    assert answer(kernel_of(over(DATE, NOW + Fraction(1, 2))), now=NOW + step) is (step < 0)


def test_no_exception_helps_a_reason_that_ends_now() -> None:
    kernel = kernel_of(over(DATE, Fraction(NOW)), exits=(over(GUARD, ONE, edge=True),))
    assert answer(kernel, now=NOW - 1)
    assert not answer(kernel, now=NOW)  # the commitment still releases, and ends: the exception is not asked
    assert answer(kernel, now=NOW + 1)


def test_the_first_exception_that_stands_decides() -> None:
    ends = over(DATE, Fraction(NOW), above=False)
    kernel = kernel_of(ALWAYS, exits=(ends, over(GUARD, ONE, edge=True)))
    assert answer(kernel, now=NOW - 1)
    assert not answer(kernel, now=NOW)
    assert answer(kernel, now=NOW + 1)
    assert not answer(kernel, "release.weights", now=NOW + 1)
    assert not answer(kernel, "delete.weights", now=NOW - 1)


def test_who_leaves_the_scope_only_now_is_held() -> None:
    kernel = kernel_of(ALWAYS, scope=over(DATE, Fraction(NOW)))
    assert answer(kernel, now=NOW - 1)
    assert not answer(kernel, now=NOW)
    assert not answer(kernel, now=NOW + 1)


# ---------------------------------------------------------------- numbers


def test_constants_side_by_side_get_a_finer_unit() -> None:
    close = [FIFTH, FIFTH + Fraction(1, 10**6)]
    grid = grid_of(TERMS[CAP], close)
    assert grid is not None
    assert grid.unit == Fraction(1, 10**7)
    between = FIFTH + Fraction(1, 2 * 10**6)
    number = grid.encode(between.numerator, between.denominator, up=True)
    assert grid.constants[0] < number < grid.constants[1]


@given(*[st.integers(LIMB**2 - 5, LIMB**2 + 5) | st.integers(LIMB**2, LIMB**3)] * 2)
def test_compute_beyond_the_parts_is_rounded_against_the_permit(to: int, reach: int) -> None:
    inside = limbs(to, up=True) <= limbs(reach, up=False)
    assert to <= reach or not inside
    assert limbs(to, up=True) <= limbs(UNBOUNDED, up=False)


def test_random_situations_stand_on_the_edges() -> None:
    """The ten thousand situations of the engines are made by the same generator."""
    seen: dict[str, int] = dict.fromkeys(("constant", "now", "to", "gaps", "nothing", "latch", "elsewhere", "open"), 0)
    for number, kernel in enumerate(policies(41, 30)):
        plan = plan_of(kernel)
        for case in cases(kernel, number, 20):
            given_now = document(plan, case.asked)
            for interval in plan.intervals:
                strata = case.asked.facts[interval.index]
                ends = {given_now[interval.name][end] for end in interval.ends}  # type: ignore[index, call-overload]
                seen["constant"] += bool(ends & set(interval.grid.constants))
                seen["now"] += any(fact.until == case.asked.now for fact in strata)
                seen["to"] += any(fact.reach == case.asked.to for fact in strata)
                seen["gaps"] += any(fact.gaps for fact in strata)
                seen["nothing"] += not strata
                seen["latch"] += any(fact.adverse_only for fact in strata)
                seen["elsewhere"] += any(item.at == case.asked.to for fact in strata for item in fact.elsewhere)
                seen["open"] += any(fact.high is None or fact.low is None for fact in strata)
    assert min(seen.values()) > 10, seen
    assert seen["constant"] > 300


def test_a_countersignature_ends_when_it_ends() -> None:
    kernel = replace(kernel_of(NEVER), countersigned_by=("auditor",))
    plan = plan_of(kernel)
    for until, expected in ((0, False), (NOW, False), (NOW + 1, True), (FOREVER, True)):
        asked = replace(shown(kernel, "deploy.api"), countersigned={"auditor": until})
        assert permits(plan, document(plan, asked)) is expected
