"""Histories that once broke a law of the gate, as small as they come. Each is named after its defect."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from scalegate.core.actions import covered
from scalegate.core.decision import Request
from scalegate.core.events import (
    DefectRetracted,
    Event,
    MethodPublished,
    ResultRefused,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
)
from scalegate.core.kernel import All, AnyOf, Commitment, Compare, Condition, Constant, Count, Kernel, Not, Role
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.core.terms import Attested
from tests.gate.random_worlds import DIGESTS, LAB, NOW, ROLES, SPAN, World, plain_kernel, registered, reported, stated

KERNEL = plain_kernel()
NEVER = Constant(False, SPAN)
BASE = Subject("m0", "sha256:m0", LAB, "model", (), True, ComputeRange(10**25, 10**25), NOW - 200 * DAY)
DEPLOY = Request("deploy.internal", "m0")
# Something adverse that has nothing to do with the question, said by an auditor in the developer's role.
SWITCH = StopOrdered("elsewhere", (), "another", "probe", "developer")


Timed = tuple[int, Event]


def train(to: int, subject: str = "m0") -> Request:
    return Request("train", subject, to)


def days_ago(days: float, *events: Event) -> list[Timed]:
    return [(NOW - int(days * DAY), event) for event in events]


def run(name: str, age: float, successes: int, failures: int, subject: str = "m0", **other: object) -> list[Timed]:
    """Return a run that was registered `age` days ago and reported at noon of that day."""
    by = other.pop("by", "metra")
    plan = registered(name, "cap", subject, successes + failures, by=by, report_by=NOW - int(age * DAY) + DAY, **other)
    return [*days_ago(age, plan), *days_ago(age - 0.5, reported(name, successes, failures, by=by))]


def world(
    *events: list[Timed], request: Request = DEPLOY, kernel: Kernel = KERNEL, subjects: tuple[Subject, ...] = ()
) -> World:
    declared = days_ago(200, *(SubjectDeclared(item, item.issuer, "developer") for item in (BASE, *subjects)))
    timed = sorted([*declared, *(item for group in events for item in group)], key=lambda item: item[0])
    return World((kernel,), tuple(timed), request)


def asking(*leaves: Attested, condition: Condition) -> Kernel:
    """Return a policy that holds everything unless the condition is shown."""
    promise = Commitment("c", ("everything",), covered("everything"), Not(condition, SPAN), NEVER, True, SPAN)
    return plain_kernel(terms=leaves, commitments=(promise,))


def shown(term: int) -> Compare:
    return Compare(term, True, True, 1, 1, "attested", SPAN)


def answers(before: World, *after: World) -> tuple[str, ...]:
    return tuple(item.ask().answer for item in (before, *after))


OLD_BAD_NEW_GOOD = (run("old", 80, 40, 160), run("new", 5, 0, 100, methods=("card",)))


def test_old_adverse_samples_leave_the_pool_by_age():
    before = world(*OLD_BAD_NEW_GOOD)
    assert answers(before, replace(before, now=NOW + 20 * DAY)) == ("hold", "hold")


def test_old_adverse_samples_leave_the_pool_by_a_method_card():
    before = world(*OLD_BAD_NEW_GOOD)
    assert answers(before, before.then(MethodPublished("card", "", "metra", "auditor"))) == ("hold", "hold")


def test_adverse_samples_leave_the_pool_when_their_speaker_loses_the_role():
    before = world(run("old", 20, 40, 160, by="probe"), run("new", 5, 0, 100))
    assert answers(before, before.then(SWITCH)) == ("hold", "hold")


def test_a_pending_run_brings_aged_samples_back():
    """The hard end pools older runs than the due point: what was too old at 3e25 counts again at 5e25."""
    pending = days_ago(1, registered("pending", "cap", "m0", 100, report_by=NOW + 20 * DAY))
    before = world(run("old", 100, 0, 400), run("new", 5, 0, 12), pending, request=train(3 * 10**25))
    assert answers(before, replace(before, request=train(5 * 10**25))) == ("hold", "hold")


def test_a_pending_run_brings_aged_samples_back_with_time():
    pending = days_ago(1, registered("pending", "cap", "m0", 100, report_by=NOW + 60 * DAY))
    before = world(run("old", 85, 0, 400), run("new", 70, 0, 12), pending, request=train(3 * 10**25))
    before = replace(before, now=NOW + 19 * DAY)
    assert answers(before, replace(before, now=NOW + 21 * DAY)) == ("hold", "hold")


def test_an_affirmation_that_expires_becomes_a_denial():
    kernel = asking(Attested("danger", "board"), condition=Not(shown(0), SPAN))
    said = days_ago(
        3,
        stated("predicate", "danger", by="ann", role="board", expires=NOW + 5 * DAY),
        stated("predicate", "danger", by="bob", role="board"),
        stated("predicate", "danger", by="cyd", role="board", holds=False),
    )
    before = world(said, kernel=kernel)
    assert answers(before, replace(before, now=NOW + 6 * DAY)) == ("hold", "hold")


def spiked(*measurements: list[Timed]) -> World:
    spec = replace(KERNEL.evaluations["cap"], hidden_capability=(Count("spike", 0, 1, Fraction(4, 5), SPAN),))
    return world(run("run", 20, 0, 400), *measurements, kernel=replace(KERNEL, evaluations={"cap": spec}))


SPIKE = claim_topic(DIGESTS["cap"], "spike")


def test_a_failed_spike_in_expires_and_an_older_one_counts_again():
    before = spiked(
        days_ago(10, stated("measurement", SPIKE, "m0", count=(20, 20))),
        days_ago(5, stated("measurement", SPIKE, "m0", count=(3, 20), by="probe", expires=NOW + 2 * DAY)),
    )
    assert answers(before, replace(before, now=NOW + 3 * DAY)) == ("hold", "hold")


def test_a_lease_outlives_the_measurement_it_rests_on():
    before = spiked(
        days_ago(10, stated("measurement", SPIKE, "m0", count=(3, 20))),
        days_ago(5, stated("measurement", SPIKE, "m0", count=(20, 20), by="probe", expires=NOW + 2 * DAY)),
    )
    decision = before.ask()
    assert decision.answer == "hold" or decision.limits.expires <= NOW + 2 * DAY


def test_a_quorum_of_measurements_that_contradict_each_other():
    """Two of three must speak; one measured well, one badly: that is no quorum for either."""
    spec = KERNEL.evaluations["cap"]
    spec = replace(spec, hidden_capability=(Count("spike", 0, 1, Fraction(4, 5), SPAN),))
    roles = {**ROLES, "auditor": Role("auditor", quorum=2, of=3, independent_of=("developer",))}
    kernel = replace(KERNEL, evaluations={"cap": spec}, roles=roles)
    said = [
        *days_ago(10, stated("measurement", SPIKE, "m0", count=(3, 20), by="probe")),
        *days_ago(5, stated("measurement", SPIKE, "m0", count=(20, 20))),
    ]
    assert world(run("run", 20, 0, 400), said, kernel=kernel).ask().answer == "hold"


def test_a_retraction_of_a_pass_vanishes_with_the_independence_of_its_speaker():
    retraction = days_ago(10, DefectRetracted("shifted key", ("run",), "", "probe", "auditor"))
    before = world(run("run", 20, 0, 400), retraction)
    assert answers(before, before.then(SWITCH)) == ("hold", "hold")


def test_a_denial_vanishes_with_the_independence_of_its_speaker():
    kernel = asking(Attested("safe", "auditor"), condition=shown(0))
    said = days_ago(3, stated("predicate", "safe"), stated("predicate", "safe", by="probe", holds=False))
    before = world(said, kernel=kernel)
    assert answers(before, before.then(SWITCH)) == ("hold", "hold")


def test_a_smaller_countersignature_that_expired_hides_a_larger_one():
    """Asked for less the gate holds, asked for more it permits."""
    kernel = replace(KERNEL, countersigned_by=("auditor",))
    sign = [
        *days_ago(5, stated("countersignature", "train", "m0", action="train", compute=10**27)),
        *days_ago(4, stated("countersignature", "train", "m0", action="train", compute=2 * 10**25, expires=NOW - DAY)),
    ]
    before = world(run("run", 20, 0, 400), sign, request=train(2 * 10**25), kernel=kernel)
    smaller, larger = answers(before, replace(before, request=train(3 * 10**25)))
    assert (smaller, larger) != ("hold", "permit")


def test_another_policy_lets_somebody_else_lift_a_stop_order():
    strict = replace(KERNEL, roles={**ROLES, "regulator": Role("regulator", members=("office",))})
    orders = [
        *days_ago(2, StopOrdered("halt", (), "", "office", "regulator")),
        *days_ago(1, StopLifted("halt", "mallory", "regulator")),
    ]
    before = world(run("run", 20, 0, 400), orders, kernel=strict)
    assert answers(before, replace(before, kernels=(strict, plain_kernel(id="second")))) == ("hold", "hold")


def test_a_stop_order_on_new_scale_misses_training_beyond_every_scale():
    stop = days_ago(2, StopOrdered("halt", ("train.new-scale",), "", "office", "regulator"))
    assert world(run("run", 20, 0, 400), stop, request=train(3 * 10**25)).ask().answer == "hold"


def test_a_stop_order_on_an_unknown_action_holds_nothing():
    stop = days_ago(2, StopOrdered("halt", ("deplyo",), "", "office", "regulator"))
    assert world(run("run", 20, 0, 400), stop).ask().answer == "hold"


def test_a_stop_order_on_weights_misses_the_system_around_them():
    system = Subject("s0", "sha256:s0", LAB, "system", (), True, None, NOW, "m0")
    stop = days_ago(2, StopOrdered("halt", (), "m0", "office", "regulator"))
    request = Request("deploy.internal", "s0")
    assert world(run("run", 20, 0, 400), stop, request=request, subjects=(system,)).ask().answer == "hold"


def test_mitigation_training_of_a_model_of_unknown_compute_has_no_cap():
    vague = Subject("vague", "sha256:vague", LAB, "model", (), False, None, NOW)
    request = Request("train.mitigation", "vague", 10**40)
    assert world(request=request, subjects=(vague,)).ask().answer == "hold"


def test_a_run_that_may_report_in_thirty_years_is_pending_for_ever():
    """`report_by` is never later than the hard end; until then the child's run changes nothing."""
    child = Subject("m1", "sha256:m1", LAB, "model", (Edge("m0", "continue"),), True, ComputeRange(1, 1), NOW)
    silent = days_ago(190, registered("silent", "cap", "m1", 100, report_by=NOW + 10_000 * DAY))
    before = world(run("run", 20, 0, 400), silent, request=train(2 * 10**25, "m1"), subjects=(child,))
    assert before.ask().answer == "hold"


def test_a_crossing_of_unknown_compute_stops_nobody():
    """Known to lie at 2e25 it ends the evidence of others beyond 2e25; unknown, it may lie there."""
    other = replace(BASE, name="x", digest="sha256:x", compute=ComputeRange(2 * 10**25, 2 * 10**25))
    bad = run("bad", 10, 390, 10, subject="x")
    good = run("run", 20, 0, 400)
    known = world(good, bad, request=train(3 * 10**25), subjects=(other,))
    unknown = world(good, bad, request=train(3 * 10**25), subjects=(replace(other, compute=None),))
    assert answers(known, unknown) == ("hold", "hold")


def test_declaring_a_giant_makes_no_scale_new():
    promise = Commitment("c", ("train.new-scale",), covered("train.new-scale"), Constant(True, SPAN), NEVER, True, SPAN)
    before = world(request=train(3 * 10**25), kernel=plain_kernel(commitments=(promise,)))
    giant = replace(BASE, name="giant", digest="sha256:giant", compute=ComputeRange(10**30, 10**30))
    assert answers(before, before.then(SubjectDeclared(giant, LAB, "developer"))) == ("hold", "hold")


def test_an_undeclared_lineage_under_another_issuer_carries_no_latch():
    vague = Subject("vague", "sha256:vague", LAB, "model", (), False, ComputeRange(10**25, 10**25), NOW)
    evidence = (run("bad", 20, 390, 10), run("good", 10, 0, 400, subject="vague"))
    request = Request("deploy.internal", "vague")
    own = world(*evidence, request=request, subjects=(vague,))
    foreign = world(*evidence, request=request, subjects=(replace(vague, issuer="shell"),))
    assert answers(own, foreign) == ("hold", "hold")


def test_a_larger_twin_leaves_a_crossing_elsewhere_behind():
    """`x` crossed at 2e25, so `m0` (1e25) stops there; its weights named again as 3e25 must not move it beyond."""
    other = replace(BASE, name="x", digest="sha256:x", compute=ComputeRange(2 * 10**25, 2 * 10**25))
    evidence = (run("bad", 10, 390, 10, subject="x"), run("run", 20, 0, 400))
    before = world(*evidence, request=train(3 * 10**25), subjects=(other,))
    twin = replace(BASE, name="twin", compute=ComputeRange(3 * 10**25, 3 * 10**25))
    assert answers(before, before.then(SubjectDeclared(twin, LAB, "developer"))) == ("hold", "hold")


def test_a_larger_twin_lengthens_the_reach_of_evidence():
    """Evidence on 1e25 reaches 4e25; the same weights under another name and 3e25 must not make that 12e25."""
    before = world(run("run", 20, 0, 400), request=train(5 * 10**25))
    twin = replace(BASE, name="twin", compute=ComputeRange(3 * 10**25, 3 * 10**25))
    assert answers(before, before.then(SubjectDeclared(twin, LAB, "developer"))) == ("hold", "hold")


def test_a_smaller_twin_makes_room_for_a_permit_below_what_is_spent():
    """Declaring the weights again, with an unknown compute, must not permit training to less than they embody."""
    child = replace(BASE, name="x0", digest="sha256:x0", parents=(Edge("m0", "continue"),))
    twin = replace(BASE, name="m0-again", compute=None)
    asked = Request("train.mitigation", "x0", 101 * 10**23)
    before = world(request=asked, subjects=(child,))
    assert answers(before, before.then(SubjectDeclared(twin, LAB, "developer"))) == ("hold", "hold")


def test_an_older_denial_comes_back_when_the_speaker_of_a_later_affirmation_loses_the_role():
    """`not danger`: first denied, then affirmed by the same auditor, who then acts as the developer."""
    kernel = asking(Attested("danger", "auditor"), condition=Not(shown(0), SPAN))
    said = [
        *days_ago(3, stated("predicate", "danger", by="probe", holds=False)),
        *days_ago(2, stated("predicate", "danger", by="probe")),
    ]
    before = world(said, kernel=kernel)
    assert answers(before, before.then(SWITCH)) == ("hold", "hold")


def test_a_run_of_the_developer_takes_the_place_of_a_retracted_result():
    """The gap that a retraction leaves is closed by one item that counts for nothing."""
    retraction = days_ago(2, DefectRetracted("shifted key", ("new",), "", "metra", "auditor"))
    before = world(run("old", 20, 0, 400), run("new", 3, 0, 12), retraction)
    own = {"by": LAB, "role": "developer"}
    after = before.then(registered("late", "cap", "m0", 1, **own), reported("late", 0, 1, **own))
    assert answers(before, after) == ("hold", "hold")


def test_a_refused_log_vanishes_with_the_retraction_of_its_run():
    """A sibling's run that lost its content to a refusal, and was retracted, left no trace; its result had left one."""
    sibling = replace(BASE, name="m1", digest="sha256:m1")
    plan, result = run("r1", 5, 0, 100, "m1")
    retraction = days_ago(4, DefectRetracted("shifted key", ("r1",), "", "metra", "auditor"))
    refused = [(result[0], ResultRefused("r1", "sha256:log-r1", "E101", "unreadable", "metra", "auditor"))]
    mine, larger = run("r0", 1, 0, 400), (replace(sibling, compute=ComputeRange(2 * 10**25, 2 * 10**25)),)
    for content in ([result], refused, []):
        after = world([plan, *content], retraction, mine, subjects=larger, request=train(3 * 10**25))
        assert after.ask().answer == "hold"
    assert world([plan, result], mine, subjects=larger, request=train(3 * 10**25)).ask().answer == "permit"


@pytest.mark.parametrize("width", [12, 40])
def test_the_remedies_of_a_wide_resumption_are_found_in_time(width):
    """Each of `width` things in one of three ways: the ways must not be multiplied out before they are cut."""
    leaves = tuple(Attested(f"p{number}", "auditor") for number in range(3 * width))
    choices = tuple(AnyOf(tuple(shown(3 * number + way) for way in range(3)), SPAN) for number in range(width))
    kernel = asking(*leaves, condition=All(choices, SPAN))
    assert world(kernel=kernel).ask().remedies
