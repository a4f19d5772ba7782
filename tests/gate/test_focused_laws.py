"""Laws of the gate over small worlds near an edge: what makes a question worse never turns a hold into a permit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume
from hypothesis import strategies as st

from scalegate.core.actions import HARDER, MITIGATION, NEW_SCALE, TRAIN, covered
from scalegate.core.decision import Decision, Request
from scalegate.core.events import (
    DefectRetracted,
    Event,
    ExceptionInvoked,
    MethodPublished,
    ResultRefused,
    ResultReported,
    RunRegistered,
    RunVoided,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
)
from scalegate.core.kernel import Compare, Not, Role
from scalegate.core.quantities import DAY, UNBOUNDED, ComputeRange
from scalegate.core.subject import Subject
from scalegate.gate.lineage import Lineage
from tests.gate.focused_worlds import (
    BOARD,
    GUARD,
    LENDERS,
    SPIKE,
    UNKNOWN_ACTIONS,
    focused,
    moments,
    switch,
)
from tests.gate.law_registry import law
from tests.gate.random_worlds import DIGESTS, LAB, NOW, World, plain_kernel, registered, reported, stated

CAP = DIGESTS["cap"]
HALF, MANY = Fraction(1, 2), Fraction(3, 2)


def assert_never_freed(before: Decision, after: Decision) -> None:
    """A hold before is a hold after."""
    assert before.answer == "permit" or after.answer == "hold", [reason.message for reason in before.reasons]


def fears(world: World) -> bool:
    """Whether a policy wants to see something refuted that somebody states, so that an affirmation is adverse."""
    todo = [part for kernel in world.kernels for item in kernel.commitments for part in (item.when, item.until)]
    while todo:
        condition = todo.pop()
        if isinstance(condition, Not) and isinstance(condition.part, Compare) and condition.part.text == "yes":
            return True
        todo += [condition.part] if isinstance(condition, Not) else list(getattr(condition, "parts", ()))
    return False


# ---------------------------------------------------------------- time and compute


@law(focused("runs", "runs", "voices", "voices", "spikes", "beliefs", "signs", "exceptions"), share=MANY)
def test_time_alone_never_permits(world):
    before = world.ask()
    for at in moments(world):
        after = world.ask(now=at)
        assert_never_freed(before, after)
        before = after


@law(focused("runs", "voices", "spikes", "spikes", "beliefs", "signs", "exceptions"), share=MANY)
def test_a_permit_lasts_until_it_expires(world):
    decision = world.ask()
    if decision.answer == "permit":
        end = decision.limits.expires
        for at in (end - 1, *(at for at in moments(world) if at < end)):
            assert world.ask(now=at).answer == "permit", at


SIZES = tuple(part * 10**24 for part in (21, 30, 40, 41, 50, 60, 61, 10**16))


@law(focused("runs", "signs", "family", training=True), share=MANY)
def test_more_compute_never_permits(world):
    answers = [world.ask(request=replace(world.request, to=size)) for size in SIZES if world.request.to is not None]
    for before, after in pairwise(answers):
        # To ask for less than the subject embodies is an error, and no order of sizes.
        if "error" not in {reason.kind for reason in before.reasons}:
            assert_never_freed(before, after)


# ---------------------------------------------------------------- adverse entries


def adverse_entries(world: World, by: str, role: str) -> list[list[Event]]:
    """Return adverse things that somebody might add, also in a role that takes another one from them."""
    name = world.request.subject
    voice = {"by": by, "role": role}
    stratum = world.kernels[0].evaluations["cap"].elicited_by or ("",)
    mirrored = any(part.above for part in scores_wanted(world))
    found: list[list[Event]] = [[switch(who, "developer")] for who in ("metra", "probe", "lens", "office")]
    found += [[switch("ann", "auditor")], [switch("office", "auditor")]]
    found += [[MethodPublished(card, "", **voice)] for card in ("card", "card-2", "card-3")]
    defective = {run for _, _, defect in world.all_of(DefectRetracted) for run in defect.runs}
    sizes = [plan.items for _, _, plan in world.all_of(RunRegistered) if plan.run in defective]
    for score in ((60, 40), (40, 160), (8, 32)):
        successes, failures = reversed(score) if mirrored else score
        if sizes and successes + failures >= min(sizes):
            continue  # as large as a retracted run, it takes that run's place: not adverse
        plan = registered("late", "cap", name, successes + failures, elicitation=stratum[0], **voice)
        found.append([plan, reported("late", successes, failures, **voice)])
    return [
        *found,
        [stated("treat-as-crossed", CAP, name, **voice)],
        [registered("late", "cap", name, 100, elicitation=stratum[0], report_by=world.now, **voice)],
        [stated("measurement", claim_topic(CAP, SPIKE), name, count=(1, 20), **voice)],
        [stated("countersignature", world.request.action, name, holds=False, **voice)],
    ]


@law(focused(), st.sampled_from((*LENDERS, *BOARD, ("office", "regulator"), (LAB, "developer"))), share=MANY)
def test_an_adverse_entry_never_permits(world, speaker):
    before = world.ask()
    if before.answer == "hold":
        for events in adverse_entries(world, *speaker):
            assert_never_freed(before, world.then(*events).ask())
        # Also where it was said before everything that speaks for a permit.
        low = stated("measurement", claim_topic(CAP, SPIKE), world.request.subject, count=(1, 20), by="lens")
        said = sorted((*world.events, (world.now - 30 * DAY, low)), key=lambda item: item[0])
        assert_never_freed(before, world.ask(events=tuple(said)))


def scores_wanted(world: World) -> list[Compare]:
    return [
        part
        for kernel in world.kernels
        for item in kernel.commitments
        for part in leaves(item.when, item.until)
        if part.text == "cap"
    ]


def leaves(*conditions) -> list[Compare]:
    found, todo = [], list(conditions)
    while todo:
        condition = todo.pop()
        if isinstance(condition, Compare):
            found.append(condition)
        todo += [condition.part] if isinstance(condition, Not) else list(getattr(condition, "parts", ()))
    return found


@law(focused("voices", "spikes", "beliefs", "signs"))
def test_a_statement_that_says_less_never_permits(world):
    """A denial in place of an affirmation, an earlier end, a smaller count or compute."""
    before = world.ask()
    if before.answer == "permit":
        return
    for place, _, statement in world.all_of(Statement):
        ways = [replace(statement, expires=min(statement.expires, world.now + later)) for later in (-1, 0, DAY)]
        if not fears(world) and statement.kind != "treat-as-crossed":
            ways.append(replace(statement, holds=False))
        if statement.kind == "measurement" and statement.count and GUARD not in statement.topic:
            ways.append(replace(statement, count=(0, statement.count[1])))
        if statement.kind == "countersignature" and statement.holds:
            ways.append(replace(statement, compute=statement.compute // 2))
        for less in ways:
            assert_never_freed(before, world.swap(place, less).ask())


@law(focused("runs", "family"), st.data())
def test_losing_the_content_of_a_result_never_permits(world, data):
    results = world.all_of(ResultReported)
    assume(results)
    place, _, result = data.draw(st.sampled_from(results))
    lost = replace(result, successes=0, failures=0, missing=result.successes + result.failures + result.missing)
    refused = ResultRefused(result.run, result.log, "E101", "unreadable", result.by, result.role)
    part = replace(result, successes=0, missing=result.successes + result.missing)
    other = replace(result, failures=0, missing=result.failures + result.missing)
    adaptive = replace(result, adaptive=True)
    after = world.swap(place, data.draw(st.sampled_from((lost, refused, part, other, adaptive))))
    assert_never_freed(world.ask(), after.ask())


@law(focused("runs", "family"), st.data())
def test_more_adverse_items_never_permit(world, data):
    results = world.all_of(ResultReported)
    assume(results)
    place, _, result = data.draw(st.sampled_from(results))
    items = result.successes + result.failures + result.missing
    rising = any(part.above for part in scores_wanted(world))
    kept = result.failures if rising else result.successes
    adverse = data.draw(st.integers(kept, items))
    rest = min(items - adverse, result.successes if rising else result.failures)
    found = (rest, adverse) if rising else (adverse, rest)
    more = replace(result, successes=found[0], failures=found[1], missing=items - adverse - rest)
    assert_never_freed(world.ask(), world.swap(place, more).ask())


@law(focused("runs", "family"), st.data())
def test_a_run_that_stays_silent_beyond_its_time_holds(world, data):
    """No `report_by` reaches beyond the hard end, counted from the registration."""
    kernel = world.kernels[0]
    spec = kernel.evaluations["cap"]
    assume(spec.validity.stop_time is not None)
    assume(not any(part.text == "yes" for item in kernel.commitments for part in leaves(item.when, item.until)))
    assume(kernel.commitments[0].hold == ("everything",))
    assume(not kernel.exceptions)
    lineage = Lineage(world.subjects)
    model = lineage.model_of(world.asked)
    chain = {link.subject.name for link in lineage.favorable_chain(model)}
    latch = kernel.terms[0].position == "when"
    names = {model.name} | (lineage.latch_sources(model, kernel.elicitation_allowance) if latch else set())
    name = data.draw(st.sampled_from(sorted(names & set(world.subjects))))
    assume(latch or name in chain)
    silent = registered(
        "silent", "cap", name, 100, report_by=world.now + data.draw(st.sampled_from((0, 9, 9000))) * DAY
    )
    at = world.now - data.draw(st.sampled_from((0, 1, 20))) * DAY - (spec.validity.stop_time or 0)
    events = sorted((*world.events, (at, silent)), key=lambda item: item[0])
    if world.request.action != MITIGATION:
        assert replace(world, events=tuple(events)).ask().answer == "hold"


# ---------------------------------------------------------------- what a subject is said to be


@law(focused("family"), share=MANY)
def test_an_uncertain_declaration_never_permits(world):
    before = world.ask()
    if before.answer == "permit" or "error" in {reason.kind for reason in before.reasons}:
        return
    lineage = Lineage(world.subjects)
    near = lineage.model_names(world.asked) | lineage.ancestors(lineage.model_of(world.asked))
    chain = {world.subjects[name].digest for name in near}
    for place, _, event in world.all_of(SubjectDeclared):
        subject = event.subject
        ways = [replace(subject, compute=None), replace(subject, lineage_declared=False)]
        if subject.compute is not None:
            if subject.digest not in chain:  # within one run growth is counted from the upper end: ADR 8
                ways.append(replace(subject, compute=ComputeRange(subject.compute.low, 10 * subject.compute.high)))
            ways.append(replace(subject, compute=ComputeRange(subject.compute.low // 2, subject.compute.high)))
        if not subject.lineage_declared and subject.name == world.request.subject:
            ways.append(replace(subject, issuer="foreign"))
        for vague in ways:
            assert_never_freed(before, world.swap(place, replace(event, subject=vague)).ask())


@law(focused("family", "runs"), st.data())
def test_declaring_another_subject_never_permits(world, data):
    digest = data.draw(st.sampled_from(("sha256:new", *(item.digest for item in world.subjects.values()))))
    sizes = (None, ComputeRange(1, 1), ComputeRange(10**30, 10**30))
    compute = data.draw(st.sampled_from((*sizes, ComputeRange(3 * 10**25, 3 * 10**25))))
    declared = data.draw(st.booleans())
    issuer = data.draw(st.sampled_from((LAB, "shell")))
    new = Subject("new", digest, issuer, "model", (), declared, compute, NOW)
    assert_never_freed(world.ask(), world.then(SubjectDeclared(new, issuer, "developer")).ask())


# ---------------------------------------------------------------- policies and orders


@law(focused(), st.data())
def test_another_policy_never_permits(world, data):
    """Whatever else it promises, and whoever else it names for a role."""
    roles = dict(world.kernels[0].roles)
    roles["regulator"] = data.draw(st.sampled_from((Role("regulator"), Role("regulator", members=("mallory",)))))
    roles["auditor"] = data.draw(st.sampled_from((Role("auditor"), Role("auditor", quorum=2, of=2))))
    named = data.draw(st.sampled_from((("regulator",), ("auditor",), ())))
    kernel = data.draw(st.sampled_from((plain_kernel(), world.kernels[0])))
    kind = data.draw(st.sampled_from(("policy", "regime")))
    promises = data.draw(st.sampled_from((kernel.commitments, ())))
    second = replace(kernel, id="second", kind=kind, roles=roles, stop_orders_by=named, commitments=promises)
    assert_never_freed(world.ask(), world.ask(kernels=(*world.kernels, second)))


@law(focused(), st.data())
def test_a_stricter_policy_never_permits(world, data):
    kernel = world.kernels[0]
    spec = kernel.evaluations["cap"]
    validity = spec.validity
    shorter = {
        name: None if (end := getattr(validity, name)) is None else type(end)(end * Fraction(3, 4))
        for name in data.draw(st.lists(st.sampled_from(("due_time", "due_compute", "stop_compute"))))
    }
    ways = [
        replace(spec, wrongly_cleared=spec.wrongly_cleared / 10),
        replace(spec, validity=replace(validity, **shorter)),
        replace(spec, reach_issuer=True),
        replace(spec, digest=None),
    ]
    stricter = replace(kernel, evaluations={"cap": data.draw(st.sampled_from(ways))})
    assert_never_freed(world.ask(), world.ask(kernels=(stricter,)))


@law(focused(), st.data())
def test_a_stop_order_that_nobody_lifted_holds(world, data):
    lineage = Lineage(world.subjects)
    asked = world.asked
    model = lineage.model_of(asked)
    made_from = {asked.name, model.name} | lineage.ancestors(
        model, frozenset({"continue", "fine-tune", "merge", "prune"})
    )
    about = data.draw(st.sampled_from(("", *sorted(made_from))))
    action = world.request.action
    covering = [name for name in (*HARDER, "deploy", "release", "everything") if action in covered(name)]
    if action == TRAIN and (world.request.to or 0) > max(
        (lineage.compute(item).low for item in world.subjects.values()), default=0
    ):
        covering.append(NEW_SCALE)
    harmless = data.draw(st.lists(st.sampled_from(("store.weights", "delete.weights")), max_size=1))
    named = data.draw(st.sampled_from((*covering, *UNKNOWN_ACTIONS, "")))
    actions = (*harmless, named) if named or harmless else ()
    order = StopOrdered("final", actions, about, "office", "regulator")
    lifts = [
        StopLifted("final", by, role) for by, role in ((LAB, "developer"), (LAB, "regulator"), ("probe", "auditor"))
    ]
    after = world.then(order, *data.draw(st.lists(st.sampled_from(lifts), max_size=2)))
    assert after.ask().answer == "hold"


@law(focused("exceptions"), st.data())
def test_fewer_things_in_favor_never_permit(world, data):
    """Without an invocation, a lift, or the void of a run that stays silent."""
    kinds = (ExceptionInvoked, StopLifted, RunVoided)
    found = [item for kind in kinds for item in world.all_of(kind)]
    assume(found)
    place, _, event = data.draw(st.sampled_from(found))
    if isinstance(event, ExceptionInvoked):
        # An invocation uses up the total, so that only the last one may be taken back.
        place = world.all_of(ExceptionInvoked)[-1][0]
        assume(len(world.all_of(ExceptionInvoked)) == 1)
    assert_never_freed(world.ask(), world.swap(place, None).ask())


@law(focused("runs"), st.data())
def test_what_a_dependent_voice_retracts_or_voids_changes_nothing(world, data):
    runs = [event.run for _, _, event in world.all_of(RunRegistered)]
    assume(runs)
    run = data.draw(st.sampled_from(runs))
    role = data.draw(st.sampled_from(("developer", "auditor", "regulator", "board")))
    said = data.draw(
        st.sampled_from((DefectRetracted("key", (run,), "", LAB, role), DefectRetracted("key", (), CAP, LAB, role)))
    )
    assert_never_freed(
        world.ask(), world.then(data.draw(st.sampled_from((said, RunVoided(run, "crashed", LAB, role))))).ask()
    )


@law(focused(), st.data(), share=HALF)
def test_harder_actions_are_held_with_easier_ones(world, data):
    easier = data.draw(st.sampled_from(sorted(set(HARDER) - {TRAIN, NEW_SCALE, MITIGATION})))
    kernels = tuple(replace(item, exceptions=(), countersigned_by=()) for item in world.kernels)
    harder = data.draw(st.sampled_from(sorted(covered(easier))))
    before = world.ask(kernels=kernels, request=Request(easier, world.request.subject))
    assert_never_freed(before, world.ask(kernels=kernels, request=Request(harder, world.request.subject)))


@law(focused(), share=HALF)
def test_mitigation_is_never_permitted_beyond_its_cap(world):
    spent = Lineage(world.subjects).compute(world.asked)
    decision = world.ask(request=Request(MITIGATION, world.request.subject, UNBOUNDED))
    assert decision.answer == "hold"
    if spent.low:
        larger = world.ask(request=Request(MITIGATION, world.request.subject, spent.low + spent.low // 50 + 1))
        assert larger.answer == "hold"
