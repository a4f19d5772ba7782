"""Laws of the gate, over random worlds: what may never turn a hold into a permit, and what every answer keeps."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from fractions import Fraction
from importlib import import_module
from typing import get_args

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scalegate.core.actions import ACTIONS, HARDER, UNHOLDABLE, covered
from scalegate.core.decision import Decision, Request
from scalegate.core.events import (
    DefectRetracted,
    ExceptionInvoked,
    MethodPublished,
    ResultRefused,
    ResultReported,
    RunRegistered,
    RunVoided,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
    matter_topic,
)
from scalegate.core.evidence import Crossing, Fact, Gap, ReasonKind
from scalegate.core.kernel import All, AnyOf, AtLeast, Commitment, Compare, Condition, Constant, Not
from scalegate.core.quantities import DAY, FOREVER, UNBOUNDED, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.core.terms import Hole
from scalegate.gate.apply import apply_policy
from scalegate.gate.interpret import AGAINST, FOR, judge, stand
from scalegate.gate.lineage import Lineage
from scalegate.gate.records import index
from tests.gate.law_registry import law
from tests.gate.random_worlds import (
    ANYTHING,
    BAD,
    DIGESTS,
    GUARD,
    KINDS,
    LAB,
    LOW,
    NOW,
    SPAN,
    SPEAKERS,
    Taste,
    Terms,
    World,
    commitments,
    kernels,
    plain_world,
    registered,
    reported,
    stated,
    wish,
    worlds,
)

REASONS = frozenset(get_args(ReasonKind))
KEPT = Taste(calendar=False)
# Broad worlds are slow to draw; `test_focused_laws` has the many examples.
FEW = Fraction(1, 10)


def permits(decision: Decision) -> bool:
    return decision.answer == "permit"


def why(decision: Decision) -> list[tuple[str, str]]:
    return [(reason.kind, reason.message) for reason in decision.reasons]


def assert_never_freed(before: Decision, after: Decision) -> None:
    """A hold before is a hold after."""
    assert permits(before) or not permits(after), why(before)


# ---------------------------------------------------------------- 1: more promises


@law(worlds(), st.data(), share=FEW)
def test_another_commitment_never_permits(world, data):
    kernel = world.kernels[0]
    terms = Terms(kernel.terms)
    more = data.draw(commitments(terms, ANYTHING, "another"))
    grown = replace(kernel, terms=tuple(terms), commitments=(*kernel.commitments, more))
    assert_never_freed(world.ask(), world.ask(kernels=(grown, *world.kernels[1:])))


@law(worlds(), kernels(name="another"), st.sampled_from(("policy", "regime")), share=FEW)
def test_another_policy_or_regime_never_permits(world, more, kind):
    more = replace(more, kind=kind, binds_every_developer=kind == "regime")
    assert_never_freed(world.ask(), world.ask(kernels=(*world.kernels, more)))


@law(worlds(), share=FEW)
def test_a_reference_encoding_never_permits(world):
    reference = replace(world.kernels[0], kind="reference", scope=Constant(True, SPAN))
    if world.request.action not in UNHOLDABLE:
        assert not permits(world.ask(kernels=(reference,)))


# ---------------------------------------------------------------- 2 and 6: facts and conditions


@st.composite
def facts(draw):
    """Return a random fact with ends on a coarse grid, so that ends meet constants often."""
    rate = st.sampled_from([Fraction(part, 20) for part in range(21)])
    ends = sorted(draw(st.lists(rate, min_size=2, max_size=2)))
    low, high = (None if draw(st.integers(0, 9)) == 0 else end for end in ends)
    rising = None
    if draw(st.booleans()):
        rising = tuple(sorted(draw(st.lists(rate, min_size=2, max_size=2))))
    crossing = st.builds(Crossing, st.none() | rate, st.none() | rate, st.sampled_from((5, 10, 20)), st.just("m"))
    return Fact(
        "fact",
        low,
        high,
        rising=rising,
        until=draw(st.sampled_from((FOREVER, FOREVER, 90, 100, 101))),
        reach=draw(st.sampled_from((UNBOUNDED, UNBOUNDED, 9, 10, 11))),
        gaps=(Gap("missing", "gone"),) if draw(st.integers(0, 9)) == 0 else (),
        elsewhere=tuple(draw(st.lists(crossing, max_size=1))),
        adverse_only=draw(st.integers(0, 4)) == 0,
    )


strata = st.lists(facts(), min_size=1, max_size=3).map(tuple)


@st.composite
def conditions(draw, terms: int = 3, depth: int = 3) -> Condition:
    kind = draw(st.sampled_from(("compare",) * 4 + ("constant", "not", "all", "any", "least"))) if depth else "compare"
    if kind == "compare":
        part = draw(st.sampled_from([Fraction(part, 20) for part in range(21)]))
        term, above, edge = draw(st.integers(0, terms - 1)), draw(st.booleans()), draw(st.booleans())
        return Compare(term, above, edge, part.numerator, part.denominator, "c", SPAN)
    if kind == "constant":
        return Constant(draw(st.booleans()), SPAN)
    if kind == "not":
        return Not(draw(conditions(terms, depth - 1)), SPAN)
    parts = tuple(draw(st.lists(conditions(terms, depth - 1), min_size=1, max_size=4)))
    if kind == "least":
        return AtLeast(draw(st.integers(1, len(parts))), parts, SPAN)
    return (All if kind == "all" else AnyOf)(parts, SPAN)


class Truth(IntEnum):
    """Kleene's three values."""

    REFUTED, UNKNOWN, PROVEN = -1, 0, 1


def truth(condition: Condition, given_facts, now: int, to: int, *, restrictive: bool) -> Truth:
    """Evaluate a condition as the design words it: truth values, no side of a permit."""
    again = lambda part, side: truth(part, given_facts, now, to, restrictive=side)  # noqa: E731
    match condition:
        case Constant(proven=proven):
            return Truth.PROVEN if proven else Truth.REFUTED
        case Not(part=part):
            return Truth(-again(part, not restrictive))
        case All(parts=parts):
            return min(again(part, restrictive) for part in parts)
        case AnyOf(parts=parts):
            return max(again(part, restrictive) for part in parts)
        case AtLeast(count=count, parts=parts):
            values = [again(part, restrictive) for part in parts]
            if values.count(Truth.PROVEN) >= count:
                return Truth.PROVEN
            refuted = values.count(Truth.REFUTED)
            return Truth.REFUTED if len(values) - refuted < count else Truth.UNKNOWN
        case Compare():
            return strata_truth(condition, given_facts[condition.term], now, to, restrictive=restrictive)


def strata_truth(condition: Compare, strata_facts, now: int, to: int, *, restrictive: bool) -> Truth:
    """Combine strata by "or" in restrictive positions and by "and" in permissive ones."""
    wants_high = condition.above is not restrictive
    proven, refuted = zip(*(ends(condition, fact, wants_high=wants_high) for fact in strata_facts), strict=True)
    helps, hurts = (refuted, proven) if restrictive else (proven, refuted)
    if any(hurts):
        return Truth.PROVEN if restrictive else Truth.REFUTED
    speaks = [not fact.adverse_only for fact in strata_facts]
    usable = [
        shown and (fact.adverse_only or counts_for(condition, fact, now, to, wants_high=wants_high))
        for shown, fact in zip(helps, strata_facts, strict=True)
    ]
    if all(usable) and any(speaks):
        return Truth.REFUTED if restrictive else Truth.PROVEN
    return Truth.UNKNOWN


def ends(condition: Compare, fact: Fact, *, wants_high: bool) -> tuple[bool, bool]:
    """Whether the interval proves a comparison, and whether it refutes it."""
    if wants_high:
        low = Fraction(fact.rise_low_num, fact.rise_low_den) if fact.rise_low_den else None
        high = Fraction(fact.rise_high_num, fact.rise_high_den) if fact.rise_high_den else None
    else:
        low, high = fact.low, fact.high
    bound = Fraction(condition.num, condition.den)
    all_above = low is not None and (low > bound or (low == bound and condition.edge))
    all_below = high is not None and (high < bound or (high == bound and not condition.edge))
    return (all_above, all_below) if condition.above else (all_below, all_above)


def counts_for(condition: Compare, fact: Fact, now: int, to: int, *, wants_high: bool) -> bool:
    """Whether a fact may speak for a permit: no gap, in time, within reach, not overtaken."""
    if fact.gaps or now >= fact.until or to > fact.reach:
        return False
    bound = Fraction(condition.num, condition.den)
    for crossing in fact.elsewhere:
        end = crossing.high if wants_high else crossing.low
        if to < crossing.at or end is None:
            continue
        crossed = (end > bound or (end == bound and condition.edge)) is not wants_high
        if crossed:
            return False
    return True


@given(conditions(), st.tuples(strata, strata, strata), st.booleans())
def test_the_interpreter_agrees_with_plain_truth_values(condition, given_facts, restrictive):
    seen = stand(condition, given_facts, 100, 10, not restrictive, [])
    value = truth(condition, given_facts, 100, 10, restrictive=restrictive)
    assert seen == (-value if restrictive else value)


@given(conditions(), st.tuples(strata, strata, strata), st.booleans())
def test_double_negation_and_de_morgan(condition, given_facts, permissive):
    def stands(other):
        return stand(other, given_facts, 100, 10, permissive, [])

    assert stands(Not(Not(condition, SPAN), SPAN)) == stands(condition)
    if isinstance(condition, All | AnyOf):
        other = AnyOf if isinstance(condition, All) else All
        mirrored = Not(other(tuple(Not(part, SPAN) for part in condition.parts), SPAN), SPAN)
        assert stands(mirrored) == stands(condition)
    if isinstance(condition, AtLeast):
        count = len(condition.parts) - condition.count + 1
        mirrored = Not(AtLeast(count, tuple(Not(part, SPAN) for part in condition.parts), SPAN), SPAN)
        assert stands(mirrored) == stands(condition)
        if condition.count == 1:
            assert stands(AnyOf(condition.parts, SPAN)) == stands(condition)
        if condition.count == len(condition.parts):
            assert stands(All(condition.parts, SPAN)) == stands(condition)


@given(conditions(), st.tuples(strata, strata, strata), st.booleans())
def test_blame_is_empty_exactly_for_what_stands(condition, given_facts, permissive):
    blame = []
    result = stand(condition, given_facts, 100, 10, permissive, blame)
    assert bool(blame) is (result != FOR)
    if result == AGAINST:
        assert any(stands == AGAINST for _, _, stands in blame)


def copy_fact(fact: Fact, **changes) -> Fact:
    low, high = changes.pop("low", fact.low), changes.pop("high", fact.high)
    rise_low = Fraction(fact.rise_low_num, fact.rise_low_den) if fact.rise_low_den else None
    rise_high = Fraction(fact.rise_high_num, fact.rise_high_den) if fact.rise_high_den else None
    rising = changes.pop("rising", (rise_low, rise_high))
    kept = {name: getattr(fact, name) for name in ("until", "reach", "gaps", "elsewhere", "adverse_only")}
    return Fact(fact.label, low, high, rising=rising, **{**kept, **changes})


@st.composite
def worse(draw, fact: Fact) -> Fact:
    """Return a fact that shows less: a wider interval, a gap, a shorter reach, a crossing, or nothing at all."""
    step = Fraction(draw(st.integers(0, 20)), 20)
    match draw(st.sampled_from(("wide", "open", "gap", "until", "reach", "crossing", "mute", "lost"))):
        case "wide":
            low, high = fact.low, fact.high
            rise_low, rise_high = copy_fact(fact).rise_low_num, None
            rise_low = Fraction(fact.rise_low_num, fact.rise_low_den) - step if fact.rise_low_den else None
            rise_high = Fraction(fact.rise_high_num, fact.rise_high_den) + step if fact.rise_high_den else None
            low = None if low is None else low - step
            high = None if high is None else high + step
            return copy_fact(fact, low=low, high=high, rising=(rise_low, rise_high))
        case "open":
            return copy_fact(fact, low=None, high=None, rising=(None, None))
        case "gap":
            return copy_fact(fact, gaps=(*fact.gaps, Gap("stale", "old")))
        case "until":
            return copy_fact(fact, until=min(fact.until, draw(st.integers(90, 110))))
        case "reach":
            return copy_fact(fact, reach=min(fact.reach, draw(st.integers(5, 15))))
        case "crossing":
            crossing = Crossing(step, step, draw(st.integers(5, 15)), "other")
            return copy_fact(fact, elsewhere=(*fact.elsewhere, crossing))
        case "mute":
            return copy_fact(fact, adverse_only=True)
        case _:
            return Fact("lost", gaps=(Gap("missing", "lost"),))


@given(conditions(), conditions(), st.tuples(strata, strata, strata), st.data())
def test_facts_that_show_less_never_permit(when, until, given_facts, data):
    commitment = Commitment("c", ("train",), frozenset({"train"}), when, until, False, SPAN)
    term = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, len(given_facts[term]) - 1))
    changed = list(given_facts[term])
    changed[place] = data.draw(worse(changed[place]))
    if data.draw(st.booleans()):
        changed.append(copy_fact(data.draw(facts()), adverse_only=True))
    less = [tuple(changed) if number == term else known for number, known in enumerate(given_facts)]
    train = frozenset({"train"})
    before = judge((commitment,), given_facts, train, 100, 10)
    after = judge((commitment,), less, train, 100, 10)
    assert not before or after


@given(conditions(), conditions(), st.tuples(strata, strata, strata), st.integers(0, 5), st.integers(0, 5))
def test_the_same_facts_later_and_further_never_permit(when, until, given_facts, later, further):
    commitment = Commitment("c", ("train",), frozenset({"train"}), when, until, False, SPAN)
    train = frozenset({"train"})
    before = judge((commitment,), given_facts, train, 100, 10)
    assert not before or judge((commitment,), given_facts, train, 100 + later, 10 + further)


# ---------------------------------------------------------------- 3: lost content


def without_content(data, world: World) -> World:
    """Return the world with the content of one result lost: all samples missing, log refused, or never reported."""
    results = world.all_of(ResultReported)
    assume(results)
    place, _, result = data.draw(st.sampled_from(results))
    if data.draw(st.integers(0, 2)):
        missing = result.successes + result.failures + result.missing
        part = data.draw(st.sampled_from((missing, result.successes, result.failures)))
        lost_successes = min(result.successes, part) if part != result.failures else 0
        lost_failures = result.failures if part in (missing, result.failures) else 0
        fewer = replace(
            result,
            successes=result.successes - (result.successes if part == missing else lost_successes),
            failures=result.failures - lost_failures,
            missing=missing
            - (result.successes - (result.successes if part == missing else lost_successes))
            - (result.failures - lost_failures),
        )
        return world.swap(place, fewer)
    if data.draw(st.booleans()):
        refusal = ResultRefused(result.run, result.log, "E101", "unreadable", result.by, result.role)
        return world.swap(place, refusal)
    events = tuple(
        (at, replace(event, report_by=min(event.report_by, world.now)))
        if isinstance(event, RunRegistered) and event.run == result.run
        else (at, event)
        for at, event in world.events
        if not (isinstance(event, RunVoided) and event.run == result.run)
    )
    lost = [(at, event) for at, event in events if not (isinstance(event, ResultReported) and event.run == result.run)]
    return replace(world, events=tuple(lost))


@law(worlds(), st.data(), share=FEW)
def test_losing_the_content_of_a_result_never_permits(world, data):
    assert_never_freed(world.ask(), without_content(data, world).ask())


@law(worlds(), share=FEW)
def test_an_incomplete_history_holds(world):
    decision = world.ask(fault="entry 3 is gone")
    assert not permits(decision)
    assert decision.untrusted


# ---------------------------------------------------------------- 4: later entries


def triggers(world: World) -> list[int]:
    """Return how the trigger of every commitment stands."""
    records = index(world.history().entries, world.now)
    lineage = Lineage(records.subjects)
    found = []
    for kernel in world.kernels:
        applied = apply_policy(records, lineage, world.request, kernel)
        to = applied.situation.to
        found += [stand(item.when, applied.facts, world.now, to, False, []) for item in kernel.commitments]
    return found


@law(worlds(replace(LOW, chancy=False), scores=BAD), st.data(), share=FEW)
def test_a_later_favorable_result_removes_no_latch(world, data):
    runs = [event for _, _, event in world.all_of(RunRegistered)]
    reported_runs = {event.run for _, _, event in world.all_of(ResultReported)}
    waiting = [run for run in runs if run.run not in reported_runs]
    before = triggers(world)
    assume(AGAINST in before)
    if waiting and data.draw(st.booleans()):
        run = data.draw(st.sampled_from(waiting))
        after = world.then(reported(run.run, 0, run.items, by=run.by, role=run.role))
    else:
        like = data.draw(st.sampled_from(runs))
        run = replace(like, run="later", items=5_000, report_by=world.now + DAY)
        after = world.then(run, reported("later", 0, 5_000, by=run.by, role=run.role))
    for stood, stands in zip(before, triggers(after), strict=True):
        assert stood != AGAINST or stands == AGAINST


@law(worlds(LOW), st.data(), share=FEW)
def test_a_favorable_result_of_an_unrelated_subject_never_permits(world, data):
    """A subject outside the favorable chain, and free of runs that could have crossed."""
    lineage = Lineage(world.subjects)
    model = lineage.model_of(world.asked) or world.asked
    related = {link.subject.name for link in lineage.favorable_chain(model)} | {world.request.subject}
    busy = {event.subject for _, _, event in world.all_of(RunRegistered)}
    others = sorted(set(world.subjects) - related - busy)
    assume(others)
    name = data.draw(st.sampled_from(others))
    evaluation = data.draw(st.sampled_from(tuple(KINDS)))
    elicitation = data.draw(st.sampled_from(("", "prompting", "fine-tunes")))
    run = registered("later", evaluation, name, 5_000, elicitation=elicitation)
    assert_never_freed(world.ask(), world.then(run, reported("later", 0, 5_000)).ask())


@law(worlds(KEPT), st.data(), share=FEW)
def test_an_adverse_entry_never_permits(world, data):
    kernel = world.kernels[0]
    subject = data.draw(st.sampled_from(("", world.request.subject)))
    by, role = data.draw(st.sampled_from((*SPEAKERS, ("metra", "developer"), ("probe", "regulator"))))
    voice = {"by": by, "role": role}
    evaluation = DIGESTS[data.draw(st.sampled_from(tuple(KINDS)))]
    adverse = [
        StopOrdered("late", data.draw(st.sampled_from(((), ("deploy",), ("train",)))), subject, by, role),
        MethodPublished("card-3", data.draw(st.sampled_from(("", "prompting"))), by, role),
        MethodPublished("card", "", by, role),
        stated("treat-as-crossed", evaluation, subject, **voice),
        registered(
            "late", data.draw(st.sampled_from(tuple(KINDS))), world.request.subject, 100, report_by=NOW, **voice
        ),
        stated("countersignature", world.request.action, world.request.subject, holds=False, **voice),
        stated("belief", claim_topic(evaluation, "nothing is gamed"), subject, holds=False, **voice),
    ]
    if not any(isinstance(node, Not) for item in kernel.commitments for node in below(item)):
        adverse += [
            stated("predicate", "rival-unsafe", subject, holds=False, **voice),
            stated("approval", matter_topic(kernel.id, "plan"), subject, holds=False, **voice),
            stated("safeguard", matter_topic(kernel.id, GUARD), subject, holds=False, means="sha256:means", **voice),
        ]
    assert_never_freed(world.ask(), world.then(data.draw(st.sampled_from(adverse))).ask())


def below(commitment: Commitment) -> list[Condition]:
    """Return every condition below the outermost `not` of a trigger, and in the resumption."""
    found, todo = [], [commitment.until]
    todo.append(commitment.when.part if isinstance(commitment.when, Not) else commitment.when)
    while todo:
        condition = todo.pop()
        found.append(condition)
        todo += [condition.part] if isinstance(condition, Not) else list(getattr(condition, "parts", ()))
    return found


@law(worlds(), st.data(), share=FEW)
def test_a_dependent_voice_retracts_voids_and_lifts_nothing(world, data):
    runs = [event.run for _, _, event in world.all_of(RunRegistered)]
    orders = [event.order for _, _, event in world.all_of(StopOrdered)] or ["none"]
    developer = {"by": LAB, "role": data.draw(st.sampled_from(("developer", "auditor", "board", "nobody")))}
    listed = tuple(data.draw(st.lists(st.sampled_from(runs), max_size=2))) if runs else ()
    events = [
        DefectRetracted("shifted key", listed, data.draw(st.sampled_from(("", DIGESTS["cap"]))), **developer),
        StopLifted(data.draw(st.sampled_from(orders)), **developer),
    ]
    if listed:
        events.append(RunVoided(listed[0], "crashed", **developer))
    assert_never_freed(world.ask(), world.then(data.draw(st.sampled_from(events))).ask())


# ---------------------------------------------------------------- 5: exceptions


@law(worlds(), share=FEW)
def test_exceptions_that_nobody_invoked_change_nothing(world):
    quiet = tuple(item for item in world.events if not isinstance(item[1], ExceptionInvoked))
    without = tuple(replace(kernel, exceptions=()) for kernel in world.kernels)
    kept, dropped = world.ask(events=quiet), world.ask(events=quiet, kernels=without)
    assert (kept.answer, kept.reasons, kept.limits) == (dropped.answer, dropped.reasons, dropped.limits)
    assert not any(note.used for note in kept.exceptions)


@law(worlds(), share=FEW)
def test_an_exception_that_was_used_is_said_first_and_never_covers_the_irreversible(world):
    decision = world.ask()
    used = [note.used for note in decision.exceptions]
    assert used == sorted(used, reverse=True)
    if world.request.action in ("release.weights", "delete.weights"):
        assert not any(used)


# ---------------------------------------------------------------- 7: time and compute


@law(
    worlds(KEPT),
    st.sampled_from((1, DAY, 2 * DAY, 11 * DAY, 21 * DAY, 45 * DAY, 95 * DAY, 130 * DAY, 400 * DAY)),
    share=FEW,
)
def test_time_alone_never_permits(world, later):
    assert_never_freed(world.ask(), world.ask(now=world.now + later))


@law(
    worlds(replace(LOW, calendar=True), training=True),
    st.sampled_from((Fraction(3, 2), Fraction(3), Fraction(6))),
    share=FEW,
)
def test_more_compute_never_permits(world, factor):
    before = world.ask()
    assume("error" not in {reason.kind for reason in before.reasons})
    further = replace(world.request, to=int((world.request.to or 0) * factor) + 1)
    assert_never_freed(before, world.ask(request=further))


# ---------------------------------------------------------------- 8: what every answer keeps


@law(worlds(policies=2), share=FEW)
def test_every_answer_is_whole(world):
    decision = world.ask()
    assert {reason.kind for reason in decision.reasons} <= REASONS
    assert decision.request == world.request
    assert all(reason.message for reason in decision.reasons)
    if permits(decision):
        assert not decision.reasons
        assert not decision.remedies
        assert decision.limits is not None
        assert decision.limits.expires > world.now
        assert decision.limits.effective_compute == world.request.to
    else:
        assert decision.reasons
        assert decision.remedies
        assert decision.limits is None
        assert all(remedy.steps for remedy in decision.remedies)


@law(worlds(KEPT), st.integers(0, 10**6), share=FEW)
def test_a_permit_lasts_until_it_expires(world, when):
    decision = world.ask()
    assume(permits(decision))
    left = decision.limits.expires - world.now
    for later in (left - 1, left * when // 10**6 - 1, left // 2):
        assert permits(world.ask(now=world.now + max(0, later)))


@law(worlds(), st.sampled_from(sorted(UNHOLDABLE)), share=FEW)
def test_what_a_release_needs_is_never_held(world, action):
    assert permits(world.ask(request=Request(action, world.request.subject)))


@law(worlds(), st.data(), share=FEW)
def test_a_hole_is_never_proven_nor_refuted(world, data):
    kernel = world.kernels[0]
    terms = Terms(kernel.terms)
    hole = Compare(terms.place(Hole("gap")), True, True, 1, 1, "gap", SPAN)
    condition = data.draw(st.sampled_from((hole, Not(hole, SPAN), Not(Not(hole, SPAN), SPAN))))
    never = Constant(False, SPAN)
    stuck = [
        Commitment("hole", ("everything",), covered("everything"), condition, never, False, SPAN),
        Commitment("hole", ("everything",), covered("everything"), Constant(True, SPAN), condition, False, SPAN),
    ]
    for commitment in stuck:
        grown = replace(kernel, terms=tuple(terms), scope=Constant(True, SPAN), commitments=(commitment,))
        decision = world.ask(kernels=(grown,))
        if world.request.action != "train.mitigation":
            assert "hole" in {reason.kind for reason in decision.reasons} or "error" in {
                reason.kind for reason in decision.reasons
            }


@law(worlds(replace(KEPT, exceptions=False)), st.data(), share=FEW)
def test_shown_in_the_trigger_is_shown_in_the_resumption(world, data):
    """`unless shown: C` and `resume only if shown: C` agree wherever no latch of a relative tells them apart."""
    kernel = world.kernels[0]
    terms = Terms()
    condition = wish(data.draw, terms, KEPT, "until")
    never = Constant(False, SPAN)
    everything = ("everything",), covered("everything")
    first = Commitment("c", *everything, Not(condition, SPAN), never, False, SPAN)
    second = Commitment("c", *everything, Constant(True, SPAN), condition, False, SPAN)
    changed = [replace(kernel, terms=tuple(terms), commitments=(item,), exceptions=()) for item in (first, second)]
    answers = [world.ask(kernels=(item,)) for item in changed]
    assert answers[0].answer == answers[1].answer
    assert answers[0].limits == answers[1].limits


# ---------------------------------------------------------------- 9: the order of actions


@law(worlds(training=False), st.sampled_from(sorted(HARDER)), share=FEW)
def test_what_is_harder_to_undo_is_held_as_well(world, easier):
    assume(not easier.startswith("train"))
    kernels_ = tuple(replace(kernel, countersigned_by=(), exceptions=(), stop_orders_by=()) for kernel in world.kernels)
    held = replace(world, kernels=kernels_)
    if permits(held.ask(request=Request(easier, world.request.subject))):
        return
    for harder in covered(easier):
        assert not permits(held.ask(request=Request(harder, world.request.subject)))


# ---------------------------------------------------------------- 10: only what bears on it


@law(worlds(policies=2), share=FEW)
def test_the_same_question_has_the_same_answer(world):
    assert world.ask() == world.ask()


@law(worlds(), st.sampled_from(("continue", "distill", "merge")), st.data(), share=FEW)
def test_the_names_and_order_of_strangers_do_not_matter(world, kind, data):
    """Subjects of another developer change nothing, whatever they are called; a crossing of theirs frees nothing.

    It may hold: the issuer that a declaration names is its own word, and an undeclared lineage inherits every latch.
    """
    base = world.ask()

    def strangers(names):
        parent, child = names
        old = Subject(parent, "sha256:p", "stranger", "model", (), True, ComputeRange(1, 1), 0)
        new = Subject(child, "sha256:c", "stranger", "model", (Edge(parent, kind),), True, ComputeRange(1, 1), 0)
        return [SubjectDeclared(item, "stranger", "stranger") for item in (old, new)]

    names = data.draw(st.permutations(("aa", "zz")))
    events = [*strangers(names)]
    if data.draw(st.booleans()):
        events.reverse()
    crossed = data.draw(st.booleans())
    if crossed:
        bad = registered("stranger-run", "cap", names[0], 10, by="someone", role="stranger")
        events += [bad, reported("stranger-run", 10, 0, by="someone", role="stranger")]
    early = replace(world, events=(*((0, event) for event in events), *world.events))
    decision = early.ask()
    if crossed:
        assert base.answer == "permit" or decision.answer == "hold"
        return
    assert (decision.answer, decision.limits) == (base.answer, base.limits)
    assert [(item.kind, item.message) for item in decision.reasons] == why(base)


# ---------------------------------------------------------------- 11: every error is a hold

INNER = [
    ("records", "_index_one"),
    ("chronicle", "in_force"),
    ("decide", "apply_policy"),
    ("decide", "reasons"),
    ("decide", "tree"),
    ("decide", "_sized"),
    ("decide", "_policy"),
    ("decide", "_stop_orders"),
    ("decide", "remedies"),
    ("decide", "would_not_release"),
    ("apply", "situate"),
    ("apply", "judge"),
    ("apply", "horizon"),
    ("situate", "measure"),
    ("situate", "_credibility"),
    ("standing", "may_speak"),
    ("streams", "pooled"),
    ("Lineage", "latch_sources"),
    ("Lineage", "compute"),
]


@pytest.mark.parametrize(("owner", "name"), INNER, ids=[name for _, name in INNER])
@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError, ZeroDivisionError])
def test_an_error_anywhere_inside_is_a_hold(monkeypatch, owner, name, error):
    reached = []
    # By name, because `scalegate.gate.decide` is the function and not its module.
    place = Lineage if owner == "Lineage" else import_module(f"scalegate.gate.{owner}")
    sound = getattr(place, name)

    def broken(*args, **kwargs):
        reached.append(name)
        if len(reached) == 1:
            raise error(name)
        return sound(*args, **kwargs)

    world = plain_world(200, 200) if name in ("remedies", "would_not_release") else plain_world()
    assert permits(world.ask()) is not (name in ("remedies", "would_not_release"))
    monkeypatch.setattr(place, name, broken)
    decision = world.ask()
    assert reached
    assert {reason.kind for reason in decision.reasons} == {"error"}
    assert decision.remedies


junk = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.integers(),
    st.sampled_from(sorted(ACTIONS)),
    st.floats(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.builds(object),
)


@given(junk, junk, junk, junk)
@example("train", "m0", -(10**5000), "")
@example("train", "m0", 10**5000, "")
def test_garbage_never_raises_and_never_permits(action, subject, to, context):
    world = plain_world()
    for request in (
        Request(action, subject, to, context),
        Request("train", "m0", to, context),
        Request("deploy.internal", subject, None, context),
        Request(action, "m0", None, ""),
    ):
        decision = world.ask(request=request)
        assert decision.answer in ("permit", "hold")
        if permits(decision):
            assert request.action in ACTIONS
            assert request.subject == "m0" or request.action in UNHOLDABLE


@law(worlds(), st.integers(-(10**20), 10**20), share=FEW)
def test_no_time_is_an_error(world, now):
    decision = world.ask(now=now)
    assert decision.answer in ("permit", "hold")


# ---------------------------------------------------------------- 12: more adverse samples


@law(worlds(LOW), st.data(), share=FEW)
def test_more_successes_never_permit_where_few_are_wanted(world, data):
    results = [item for item in world.all_of(ResultReported) if item[2].failures or item[2].missing]
    assume(results)
    place, _, result = data.draw(st.sampled_from(results))
    turned = data.draw(st.integers(0, result.failures))
    found = data.draw(st.integers(0, result.missing))
    more = replace(
        result,
        successes=result.successes + turned + found,
        failures=result.failures - turned,
        missing=result.missing - found,
    )
    assert_never_freed(world.ask(), world.swap(place, more).ask())


# ---------------------------------------------------------------- 13: what a subject is


@law(worlds(LOW), st.data(), share=FEW)
def test_an_uncertain_declaration_never_permits(world, data):
    """Less said of a subject: its compute or its lineage unknown."""
    declared = world.all_of(SubjectDeclared)
    place, _, event = data.draw(st.sampled_from(declared))
    subject = event.subject
    vague = data.draw(st.sampled_from((replace(subject, compute=None), replace(subject, lineage_declared=False))))
    before = world.ask()
    assume("error" not in {reason.kind for reason in before.reasons})
    assert_never_freed(before, world.swap(place, replace(event, subject=vague)).ask())
