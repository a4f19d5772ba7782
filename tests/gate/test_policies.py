"""Stories about policies: which bind, how they change, their holes, their exceptions, and stops."""

from __future__ import annotations

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import SubjectDeclared
from scalegate.core.quantities import DAY, FOREVER, ComputeRange, instant
from scalegate.core.subject import Subject
from scalegate.policy import load
from tests.gate.policies import AUTONOMY, BIO, DECEPTION, LIMIT, POLICY, ROLES, policy
from tests.gate.world import AUDITOR, LAB, REGULATOR, World, held, kinds, permitted, steps, words

BOARD = (("ann", "board"), ("bob", "board"))


def laboratory(*texts: str, successes: int = 100) -> World:
    world = World(None)
    for text in texts or (POLICY,):
        world.adopt(text)
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", successes, 1000 - successes)
    return world


def limit(rate: str, **other: str) -> str:
    return policy(LIMIT.replace("20%", rate), **other)


# ---------------------------------------------------------------- which bind


def test_no_policy_holds():
    answer = World(None).ask("train", "seed", 1e20)
    assert held(answer, "missing")
    world = World(None)
    world.declare("seed", compute=0)
    answer = world.ask("train", "seed", 1e20)
    assert held(answer, "error")
    assert "no policy is in force" in words(answer)


def test_a_policy_that_is_not_yet_in_effect_binds_nothing_and_is_noted():
    world = laboratory(policy(effective="2026-03-01"))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "error")
    assert any("binds only from 2026-03-01" in note for note in answer.notes)
    assert permitted(world.tick(days=28).ask("train", "base", 2e25))


@pytest.mark.parametrize("text", ["", "commitments: [", "scalegate: policy/v1\nid: lab\n", "\x00"])
def test_an_adopted_text_that_cannot_be_read_holds(text: str):
    world = laboratory()
    world.adopt(text, name="other")
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "error")
    assert "the adopted text of other cannot be read" in words(answer)
    assert "repair first" in steps(answer)


def test_a_text_that_cannot_be_read_holds_however_often_one_asks():
    world = laboratory()
    world.adopt("no policy", name="other")
    answers = [world.ask("train", "base", 2e25) for _ in range(3)]
    assert {answer.answer for answer in answers} == {"hold"}
    assert all("the adopted text of other cannot be read" in words(answer) for answer in answers)


def test_a_text_that_is_not_the_one_its_entry_names_holds():
    world = World(None)
    world.adopt(POLICY, name="other")
    world.declare("base")
    assert "error" in kinds(world.ask("deploy.api", "base"))


def test_the_strictest_of_two_policies_wins():
    strict = limit("5%", name="regime", kind="regime", issuer="office")
    world = laboratory(POLICY, strict)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert {reason.policy for reason in answer.reasons} == {"regime"}
    assert [item.id for item in answer.policies] == ["lab", "regime"]


def test_a_policy_of_the_question_only_tightens():
    world = laboratory()
    assert not permitted(world.ask("train", "base", 2e25, extra=[limit("5%", name="imagined")]))
    world = laboratory(limit("5%"))
    assert not permitted(world.ask("train", "base", 2e25, extra=[limit("90%", name="imagined")]))


def test_a_reference_encoding_never_permits():
    world = laboratory(POLICY, policy(name="theirs", kind="reference", issuer="other-lab"))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "error")
    assert "for reference" in words(answer)


def test_another_bank_is_another_variable():
    world = laboratory(
        POLICY, policy(LIMIT, name="other", evaluations=AUTONOMY.replace("a" * 64, "c" * 64) + DECEPTION)
    )
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "missing")
    assert {reason.policy for reason in answer.reasons} == {"other"}


# ---------------------------------------------------------------- holes


def test_an_unpinned_test_is_a_hole():
    world = laboratory(policy(evaluations=AUTONOMY.replace("@sha256:" + "a" * 64, "") + DECEPTION))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "hole", "missing")
    assert "not pinned" in words(answer)


@pytest.mark.parametrize("stated", ["{hole: no test exists, owner: us, review by: 2027-01-01}", "{}"])
def test_an_uncovered_capability_is_a_hole(stated: str):
    world = laboratory(policy(capabilities=f"capabilities:\n  cyber: {stated}\n"))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "hole")
    assert answer.reasons[0].commitment == "capability.cyber"
    assert not any(remedy.attainable for remedy in answer.remedies)


def test_an_uncovered_capability_may_name_what_it_holds():
    world = laboratory(
        policy(capabilities="capabilities:\n  cyber: {hole: no test, owner: us, holds: [release.weights]}\n")
    )
    assert permitted(world.ask("deploy.finetuning", "base"))
    assert held(world.ask("release.weights", "base"), "hole")


def test_a_reasonless_safeguard_is_a_hole():
    text = policy(
        LIMIT.replace("deception < 10%", "vault"),
        more=f"safeguards:\n  vault: {{means: controls@sha256:{'1' * 64}, stops: thieves, by: auditor}}\n",
    )
    world = laboratory(text, successes=400)
    world.safeguard("vault", "base")
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "hole")
    assert "safeguard vault is a hole" in words(answer)


def test_a_belief_that_nobody_is_named_to_attest_is_a_hole():
    text = policy(evaluations=AUTONOMY + "  believable only if: {it did not sandbag: }\n" + DECEPTION)
    world = laboratory(text)
    world.believe("it did not sandbag", "base")
    assert held(world.ask("train", "base", 2e25), "hole", "missing")


HOLE = """\
insight:
  kind: understanding
  hole: nobody knows the measurement
  owner: us
  filled only by: [board, auditor, regulator]
  review by: 2027-01-01
"""
HOLED = policy(LIMIT.replace("deception < 10%", "insight"), evaluations=AUTONOMY + DECEPTION + HOLE)
FILLERS = (*BOARD, (AUDITOR, "auditor"), (REGULATOR, "regulator"))
FILL = "deception < 10%"


@pytest.mark.parametrize(
    "around", ["insight or deception < 10%", "not insight", "at least 1 of (insight, deception < 10%)"]
)
def test_a_hole_inside_or_is_an_error(around: str):
    with pytest.raises(DiagnosticError):
        load(policy(LIMIT.replace("deception < 10%", around), evaluations=AUTONOMY + DECEPTION + HOLE))


def holed() -> World:
    world = laboratory(HOLED, successes=400)
    world.measure("base", "deception", 10, 990)
    return world


def test_a_hole_holds_and_says_that_nobody_knows():
    answer = holed().ask("train", "base", 2e25)
    assert held(answer, "crossed", "hole")
    assert "nobody knows what would fill it, possibly nothing" in steps(answer)
    assert "board, auditor, regulator" in steps(answer)
    assert not any(remedy.attainable for remedy in answer.remedies)


def test_a_hole_is_filled_while_it_holds_until_the_fill_expires():
    world = holed()
    world.fill("insight", FILL, approved_by=FILLERS, expires=world.now + 20 * DAY)
    answer = world.ask("train", "base", 2e25)
    assert permitted(answer)
    assert held(world.tick(days=20).ask("train", "base", 2e25), "crossed", "hole")


def test_a_permit_that_rests_on_a_fill_ends_with_it():
    world = holed()
    world.fill("insight", FILL, approved_by=FILLERS, expires=world.now + 20 * DAY)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 20 * DAY


@pytest.mark.parametrize("missing", range(len(FILLERS)))
def test_filling_a_hole_needs_every_approver(missing: int):
    world = holed()
    world.fill("insight", FILL, approved_by=[*FILLERS[:missing], *FILLERS[missing + 1 :]])
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "hole")
    assert any("changes nothing: not approved by" in note for note in answer.notes)


def test_the_developer_alone_cannot_fill_a_hole():
    world = holed()
    everybody = [(LAB, role) for role in ("board", "auditor", "regulator")]
    world.fill("insight", "always", approved_by=everybody)
    assert held(world.ask("train", "base", 2e25), "crossed", "hole")


def test_approvals_of_one_condition_fill_with_no_other():
    world = holed()
    world.fill("insight", FILL, approved_by=FILLERS)
    world.fill("insight", "deception < 99%")
    assert permitted(world.ask("train", "base", 2e25))
    world = holed()
    world.measure("base", "deception", 500, 500)
    world.fill("insight", "deception < 10%", approved_by=FILLERS)
    world.fill("insight", "deception < 99%")
    assert not permitted(world.ask("train", "base", 2e25))


def test_a_filled_hole_still_asks_for_what_fills_it():
    world = laboratory(HOLED, successes=400)
    world.fill("insight", FILL, approved_by=FILLERS)
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


def test_an_approver_who_turns_empties_the_hole():
    world = holed()
    world.fill("insight", FILL, approved_by=FILLERS)
    mark = next(entry.event.topic for entry in world.entries if "/fill:" in getattr(entry.event, "topic", ""))
    world.state("approval", mark, holds=False, by=REGULATOR, role="regulator")
    assert held(world.tick(days=1).ask("train", "base", 2e25), "crossed", "hole")


def test_the_developer_cannot_make_a_fill_outlast_its_approvals():
    world = holed()
    world.fill("insight", FILL, approved_by=FILLERS, approvals_expire=world.now + 20 * DAY, expires=FOREVER)
    assert not permitted(world.tick(days=30).ask("train", "base", 2e25))


# ---------------------------------------------------------------- amendments


def test_an_amendment_takes_effect_after_its_notice():
    world = laboratory(limit("20%"))
    world.amend(limit("30%", version="2"))
    answer = world.ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["2", "1"]
    assert any("binds besides the text it replaces on" in note for note in answer.notes)
    answer = world.tick(days=30).ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["2"]


def test_an_amendment_that_would_free_a_held_subject_is_refused_whatever_its_approvals():
    world = laboratory(successes=300)
    world.amend(limit("50%", version="2"))
    answer = world.tick(days=40).ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert any("it would free a held subject" in note for note in answer.notes)


def test_an_amendment_that_weakens_frees_nobody_who_is_not_held():
    world = laboratory(successes=100)
    world.amend(limit("50%", version="2"))
    assert permitted(world.tick(days=40).ask("train", "base", 2e25))


def test_a_tightening_amendment_works():
    world = laboratory(successes=100)
    world.amend(limit("5%", version="2"))
    assert held(world.tick(days=30).ask("train", "base", 2e25), "crossed", "missing")


def test_a_tightening_amendment_needs_no_notice():
    world = laboratory(successes=100)
    world.amend(limit("5%", version="2"), notice=0)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_an_amendment_with_less_notice_than_asked_waits_for_the_whole_notice():
    world = World(limit("5%"))
    world.amend(limit("20%", version="2"), notice=0)
    world.tick(days=29).declare("base")
    world.measure("base", "autonomy", 100, 900)
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")
    assert [item.version for item in world.ask("train", "base", 2e25).policies] == ["2", "1"]


@pytest.mark.parametrize(
    "approved_by", [(), BOARD, (("ann", "board"), (AUDITOR, "auditor")), ((LAB, "auditor"), *BOARD)]
)
def test_an_amendment_without_every_approval_changes_nothing(approved_by: tuple[tuple[str, str], ...]):
    world = laboratory(limit("20%"))
    world.amend(limit("30%", version="2"), approved_by=approved_by)
    answer = world.tick(days=40).ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["1"]
    assert any("changes nothing: not approved by" in note for note in answer.notes)


def test_an_amendment_of_another_text_changes_nothing():
    world = laboratory()
    world.amend(limit("30%", version="2"))
    world.amend(limit("90%", version="3"))
    answer = world.tick(days=40).ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["2"]


def test_a_policy_without_approvers_cannot_be_changed():
    world = laboratory(policy(amendments=""))
    world.amend(limit("30%", version="2"))
    answer = world.tick(days=40).ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["1"]


def test_an_amended_threshold_meets_the_latches_that_were_there():
    world = laboratory(limit("50%"), successes=400)
    assert permitted(world.ask("train", "base", 2e25))
    world.amend(limit("20%", version="2"))
    assert "crossed" in kinds(world.tick(days=30).ask("train", "base", 2e25))


def test_an_amendment_cannot_drop_a_countersignature_that_holds():
    world = laboratory(policy(more="permits: {countersigned by: auditor}\n"))
    assert held(world.ask("train", "base", 2e25), "not_attested")
    world.amend(policy(version="2"))
    assert not permitted(world.tick(days=31).ask("train", "base", 2e25))


def test_an_amendment_whose_text_binds_only_later_leaves_no_gap():
    world = laboratory(POLICY, limit("90%", name="lax"), successes=400)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))
    world.amend(policy(version="2", effective="2099-01-01"))
    assert not permitted(world.tick(days=31).ask("train", "base", 2e25))


def test_an_amendment_cannot_turn_a_reference_into_a_policy():
    world = laboratory(policy(kind="reference"))
    world.amend(policy(version="2"))
    assert not permitted(world.tick(days=31).ask("train", "base", 2e25))


def test_an_amendment_cannot_free_training_that_is_held_farther_up():
    ceiling = "ceiling:\n  hold: train\n  unless shown: effective compute <= 3e25 FLOP\n"
    world = laboratory(policy(LIMIT + ceiling))
    assert held(world.ask("train", "base", 3.5e25), "crossed", "never")
    world.amend(policy(version="2"))
    assert not permitted(world.tick(days=31).ask("train", "base", 3.5e25))


def test_nobody_keeps_a_regime_out_by_taking_its_name():
    world = laboratory(limit("90%", name="regime"))
    world.adopt(limit("5%", name="regime", kind="regime", issuer="office"), by=REGULATOR, role="regulator")
    assert not permitted(world.ask("train", "base", 2e25))


# ---------------------------------------------------------------- withdrawal


REGIME = limit("20%", name="regime", kind="regime", issuer="office")


def test_the_withdrawal_of_the_labs_policy_leaves_the_regime():
    world = laboratory(POLICY, REGIME)
    world.withdraw(approved_by=[*BOARD, (AUDITOR, "auditor")])
    answer = world.tick(days=30).ask("train", "base", 2e25)
    assert permitted(answer)
    assert [item.id for item in answer.policies] == ["regime"]
    world.measure("base", "autonomy", 400, 600)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_the_withdrawal_of_the_only_policy_leaves_a_hold():
    world = laboratory()
    world.withdraw(approved_by=[*BOARD, (AUDITOR, "auditor")])
    assert held(world.tick(days=30).ask("train", "base", 2e25), "error")


def test_a_withdrawal_that_would_free_a_held_subject_is_refused():
    world = laboratory(POLICY, limit("90%", name="regime", kind="regime"), successes=400)
    world.withdraw(approved_by=[*BOARD, (AUDITOR, "auditor")])
    answer = world.tick(days=30).ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert any("withdrawal of lab changes nothing: it would free" in note for note in answer.notes)


def test_the_developer_alone_withdraws_nothing():
    world = laboratory(POLICY, limit("90%", name="regime", kind="regime"))
    world.withdraw()
    world.withdraw("regime", approved_by=[(LAB, "auditor"), (LAB, "board")])
    assert [item.id for item in world.ask("train", "base", 2e25).policies] == ["lab", "regime"]


def test_a_withdrawal_needs_the_notice_of_an_amendment():
    world = World(limit("5%"))
    world.adopt(limit("90%", name="regime", kind="regime"))
    world.withdraw(approved_by=[*BOARD, (AUDITOR, "auditor")])
    world.tick(days=1).declare("base")
    world.measure("base", "autonomy", 100, 900)
    assert not permitted(world.ask("train", "base", 2e25))


# ---------------------------------------------------------------- exceptions


EXCEPTION = """
exceptions:
  rival:
    instead of: limit
    when: attested rival-is-ahead by auditor
    resume only if shown: autonomy <= 35%
    needs: [approved by board, published]
    sunset: {each: 30 days, in any 12 months: 60 days}
"""
EXCUSED = policy(LIMIT.replace("[train, deploy]", "everything"), more=EXCEPTION)


def excused(*more: str, invoked: bool = True) -> World:
    """A world whose `base` crossed 20% but not 35%, and where the exception has all it needs."""
    world = laboratory(EXCUSED, *more, successes=270)
    world.attest("rival-is-ahead")
    for name, role in BOARD:
        world.approve("exception:rival", by=name, role=role)
    world.publish("exception:rival")
    if invoked:
        world.invoke("rival")
    return world


def test_an_exception_in_use_is_said_first():
    answer = excused().ask("train", "base", 2e25)
    assert permitted(answer)
    note = answer.exceptions[0]
    assert note.used
    assert note.exception == "rival"
    assert "used: it stands in for limit until" in note.message


def test_a_permit_by_exception_ends_at_its_sunset():
    world = excused()
    assert world.tick(days=10).ask("train", "base", 2e25).limits.expires == world.now + 20 * DAY
    assert held(world.tick(days=20).ask("train", "base", 2e25), "crossed", "missing")


def test_an_exception_that_nobody_invoked_changes_nothing():
    world = excused(invoked=False)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert not answer.exceptions[0].used
    plain = laboratory(policy(LIMIT.replace("[train, deploy]", "everything")), successes=270)
    assert kinds(plain.ask("train", "base", 2e25)) == kinds(answer)


def test_the_total_of_an_exception_in_its_window_is_used_up():
    world = excused()
    assert permitted(world.tick(days=29).ask("train", "base", 2e25))
    world.tick(days=1).invoke("rival")
    assert permitted(world.tick(days=29).ask("train", "base", 2e25))
    world.tick(days=1).invoke("rival")
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


def test_overlapping_invocations_do_not_prolong_an_exception():
    world = excused()
    for _ in range(6):
        world.tick(days=10).invoke("rival")
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


@pytest.mark.parametrize("action", ["release.weights", "delete.weights"])
def test_an_exception_never_covers_what_cannot_be_undone(action: str):
    assert held(excused().ask(action, "base"), "crossed", "missing")


def test_an_exception_cannot_touch_another_policy():
    world = excused(POLICY.replace("id: lab", "id: regime"))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert {reason.policy for reason in answer.reasons} == {"regime"}


def test_an_exception_stands_in_for_no_other_commitment():
    world = laboratory(policy(LIMIT + LIMIT.replace("limit:", "second:"), more=EXCEPTION), successes=270)
    world.attest("rival-is-ahead")
    for name, role in BOARD:
        world.approve("exception:rival", by=name, role=role)
    world.publish("exception:rival")
    world.invoke("rival")
    answer = world.ask("train", "base", 2e25)
    assert {reason.commitment for reason in answer.reasons} == {"second"}


def test_the_floor_of_an_exception_holds():
    world = excused()
    world.measure("base", "autonomy", 600, 400)
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


@pytest.mark.parametrize("lack", ["predicate", "approval", "publication"])
def test_an_exception_needs_all_that_it_names(lack: str):
    world = excused()
    world.forget(*(entry for entry in world.entries if getattr(entry.event, "kind", "") == lack))
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


def test_the_developer_cannot_attest_the_rival_itself():
    world = laboratory(EXCUSED, successes=270)
    world.attest("rival-is-ahead", by=LAB, role="developer")
    world.attest("rival-is-ahead", by=LAB, role="auditor")
    for name, role in BOARD:
        world.approve("exception:rival", by=name, role=role)
    world.publish("exception:rival")
    world.invoke("rival")
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


def test_an_amendment_refuses_to_free_what_an_exception_frees_for_a_while():
    world = excused()
    world.amend(limit("50%", version="2"))
    answer = world.tick(days=31).ask("train", "base", 2e25)
    assert [item.version for item in answer.policies] == ["1"]


# ---------------------------------------------------------------- calendars and stops


def test_a_calendar_pause_opens_by_time_alone():
    world = laboratory(policy("pause:\n  hold: train\n  unless shown: after 2026-03-01\n"))
    answer = world.ask("train", "base", 2e25)
    assert not permitted(answer)
    assert "wait until 2026-03-01" in steps(answer)
    world.now = instant("2026-03-01") + 1
    assert permitted(world.ask("train", "base", 2e25))


def test_a_permit_that_holds_before_a_date_ends_there():
    world = laboratory(policy("window:\n  hold: train\n  unless shown: before 2026-02-10\n"))
    assert world.ask("train", "base", 2e25).limits.expires == instant("2026-02-10")
    world.now = instant("2026-02-10")
    answer = world.ask("train", "base", 2e25)
    assert not permitted(answer)
    assert "wait until" not in steps(answer)


MORATORIUM = policy(
    "moratorium:\n  hold: train.new-scale\n  unless shown: attested control-was-demonstrated by regulator\n",
    name="moratorium",
    kind="regime",
    issuer="parliament",
)


def test_a_moratorium_is_lifted_only_by_demonstration_to_the_outside_body():
    world = laboratory(MORATORIUM, POLICY)
    assert held(world.ask("train", "base", 2e25), "not_attested")
    world.attest("control-was-demonstrated", by=LAB, role="developer")
    world.attest("control-was-demonstrated", by=AUDITOR, role="auditor")
    assert held(world.ask("train", "base", 2e25), "not_attested")
    world.attest("control-was-demonstrated", by=REGULATOR, role="regulator", expires=world.now + 9 * DAY)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 9 * DAY
    assert held(world.tick(days=9).ask("train", "base", 2e25), "stale")


def test_the_issuer_of_a_regime_speaks_in_it():
    world = laboratory(MORATORIUM.replace("issuer: parliament", f"issuer: {REGULATOR}"), POLICY)
    world.attest("control-was-demonstrated", by=REGULATOR, role="regulator")
    assert permitted(world.ask("train", "base", 2e25))


def test_the_issuer_of_the_subject_is_the_developer_under_a_regime_too():
    world = World(None)
    world.adopt(MORATORIUM, by=REGULATOR, role="regulator")
    subject = Subject("base", "sha256:" + "1" * 64, LAB, "model", (), True, ComputeRange(10**25, 10**25), world.now)
    world.record(SubjectDeclared(subject, LAB, ""))
    world.attest("control-was-demonstrated", by=LAB, role="regulator")
    assert not permitted(world.ask("train", "base", 2e25))


@pytest.mark.parametrize(
    "commitment",
    [
        "stop:\n  hold: train.new-scale\n  unless shown: never\n",
        "stop:\n  hold: train\n  unless shown: never\n  once crossed: never\n",
    ],
)
def test_a_stop_policy_never_releases_and_says_so(commitment: str):
    world = laboratory(policy(commitment, scope="scope: everything\n"))
    world.measure("base", "autonomy", 0, 10_000)
    world.measure("base", "deception", 0, 10_000)
    answer = world.tick(days=3).ask("train", "base", 2e25)
    assert held(answer, "never")
    assert steps(answer) == "nobody knows what would release this; possibly nothing"
    assert not answer.remedies[0].attainable
    assert "any evidence at all, where the policy says never" in answer.would_not_release


# ---------------------------------------------------------------- remedies


def test_remedies_are_minimal():
    text = policy(LIMIT + "second:\n  hold: train\n  unless shown: autonomy <= 40% and bio <= 5%\n"
                  "  once crossed: never\n", evaluations=AUTONOMY + DECEPTION + BIO)  # fmt: skip
    world = laboratory(text, successes=300)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert len(answer.remedies) == 1
    first, second = answer.remedies[0].steps
    assert "auditor measures bio" in first
    assert "auditor measures deception" in second
    world.measure("base", "bio", 0, 1000)
    world.measure("base", "deception", 10, 990)
    assert permitted(world.ask("train", "base", 2e25))


def test_either_way_out_is_a_remedy_of_its_own():
    world = World()
    world.declare("base")
    answer = world.ask("train", "base", 2e25)
    assert [len(remedy.steps) for remedy in answer.remedies] == [1, 1]
    assert all(remedy.attainable for remedy in answer.remedies)


def test_roles_that_nobody_declared_are_an_error_of_the_policy():
    with pytest.raises(DiagnosticError):
        load(policy(roles=ROLES.replace("auditor: ", "inspector: ")))
