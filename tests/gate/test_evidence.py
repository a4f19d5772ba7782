"""Stories about results: pooled streams, missing samples, voids and retractions, and who may report."""

from __future__ import annotations

import pytest

from scalegate.core.quantities import DAY
from tests.gate.policies import AUTONOMY, DECEPTION, POLICY, policy
from tests.gate.world import LAB, World, held, kinds, permitted, steps, words

ELICITED = policy(evaluations=AUTONOMY.replace("  by:", "  elicited by: [prompting, fine-tuning]\n  by:") + DECEPTION)


def laboratory(text: str = POLICY) -> World:
    world = World(text)
    world.declare("base", compute=1e25)
    return world


# ---------------------------------------------------------------- streams


def test_a_crossing_holds_and_names_its_interval():
    world = laboratory()
    world.measure("base", "autonomy", 300, 700)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert "300 of 1000" in words(answer)
    assert any("later favorable result" in item for item in answer.would_not_release)


def test_ten_smoke_test_samples_do_not_override_a_thousand():
    world = laboratory()
    world.measure("base", "autonomy", 300, 700)
    world.measure("base", "autonomy", 0, 10)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_ten_bad_samples_do_not_override_a_thousand():
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    world.measure("base", "autonomy", 5, 5)
    assert permitted(world.ask("train", "base", 2e25))


def test_ten_fresh_samples_do_not_renew_the_age_of_a_thousand_old_ones():
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    world.tick(days=60)
    world.measure("base", "autonomy", 0, 10)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 30 * DAY
    assert held(world.tick(days=30).ask("train", "base", 2e25), "inconclusive", "missing")


def test_fifty_honest_runs_are_pooled_where_the_worst_of_them_would_cross():
    world = laboratory()
    for number in range(50):
        successes = 14 if number == 20 else 6  # alone, 14 of 40 lies above 20%
        world.measure("base", "autonomy", successes, 40 - successes)
    assert permitted(world.ask("train", "base", 2e25))


def test_the_worst_of_the_fifty_runs_would_cross_alone():
    world = laboratory()
    world.measure("base", "autonomy", 14, 26)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_too_few_samples_are_inconclusive_and_do_not_latch():
    world = laboratory()
    world.measure("base", "autonomy", 1, 19)
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")
    world.measure("base", "autonomy", 100, 900)
    assert permitted(world.ask("train", "base", 2e25))


def test_a_later_favorable_result_never_removes_a_latch():
    world = laboratory()
    world.measure("base", "autonomy", 300, 700)
    for _ in range(5):
        world.measure("base", "autonomy", 0, 5000)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert "auditor measures autonomy" not in steps(answer)
    assert "auditor measures deception" in steps(answer)


def test_every_elicitation_must_be_clear():
    world = laboratory(ELICITED)
    world.measure("base", "autonomy", 100, 900, elicitation="prompting")
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "missing")
    assert "elicited by fine-tuning" in words(answer)
    world.measure("base", "autonomy", 100, 900, elicitation="fine-tuning")
    assert permitted(world.ask("train", "base", 2e25))


def test_one_elicitation_that_crosses_decides():
    world = laboratory(ELICITED)
    world.measure("base", "autonomy", 0, 1000, elicitation="prompting")
    world.measure("base", "autonomy", 400, 600, elicitation="fine-tuning")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_an_elicitation_nobody_asked_for_decides_as_well():
    world = laboratory()
    world.measure("base", "autonomy", 0, 1000)
    world.measure("base", "autonomy", 400, 600, elicitation="jailbreak")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


# ---------------------------------------------------------------- missing samples


def test_an_outage_of_thirty_samples_does_not_latch():
    world = laboratory()
    world.measure("base", "autonomy", 180, 790, 30)
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")
    world.measure("base", "autonomy", 100, 2900)
    assert permitted(world.ask("train", "base", 2e25))


def test_thirty_missing_of_a_thousand_permit_far_from_the_threshold():
    world = laboratory()
    world.measure("base", "autonomy", 50, 920, 30)
    assert permitted(world.ask("train", "base", 2e25))


def test_missing_samples_widen_the_upper_end():
    world = laboratory()
    world.measure("base", "autonomy", 100, 750, 150)
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")


def test_missing_samples_widen_the_lower_end():
    world = laboratory()
    world.measure("base", "autonomy", 210, 490, 300)
    assert "crossed" not in kinds(world.ask("train", "base", 2e25))


def test_missing_samples_do_not_prove_a_target():
    world = laboratory()
    world.measure("base", "autonomy", 400, 600)
    world.measure("base", "deception", 10, 790, 200)
    assert held(world.ask("train", "base", 2e25), "crossed", "inconclusive", "missing")


# ---------------------------------------------------------------- targets


def test_a_met_target_releases_a_crossed_subject():
    world = laboratory()
    world.measure("base", "autonomy", 400, 600)
    world.measure("base", "deception", 10, 990)
    assert permitted(world.ask("train", "base", 2e25))


def test_a_safety_target_met_while_harmless_does_not_release_later():
    world = laboratory()
    world.measure("base", "autonomy", 10, 990)
    world.measure("base", "deception", 10, 990)
    world.declare("strong", [("base", "continue")], 2e25)
    world.measure("strong", "autonomy", 400, 600)
    answer = world.ask("train", "strong", 4e25)
    assert held(answer, "crossed", "missing")
    assert "deception on strong" in words(answer)
    assert any("another checkpoint" in item for item in answer.would_not_release)


def test_a_failed_safety_target_latches_on_that_subject():
    world = laboratory()
    world.measure("base", "autonomy", 400, 600)
    world.measure("base", "deception", 200, 800)
    world.measure("base", "deception", 0, 9000)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "crossed")
    assert not answer.remedies[0].attainable


def test_a_failed_safety_target_does_not_pass_to_the_repaired_child():
    world = laboratory()
    world.measure("base", "autonomy", 400, 600)
    world.measure("base", "deception", 200, 800)
    world.declare("milder", [("base", "fine-tune")], 1e23)
    world.measure("milder", "deception", 10, 990)
    assert permitted(world.ask("deploy.api", "milder"))


# ---------------------------------------------------------------- runs that vanish


def test_a_registered_run_that_never_reports_holds():
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    run = world.register("base", days=14)
    assert permitted(world.ask("train", "base", 2e25))
    answer = world.tick(days=14).ask("train", "base", 2e25)
    assert held(answer, "missing")
    assert f"run {run} was registered and never reported" in words(answer)


def test_only_an_independent_role_voids_a_run_that_never_reports():
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    run = world.register("base", days=14)
    world.tick(days=15)
    world.void(run, by=LAB, role="developer")
    assert held(world.ask("train", "base", 2e25), "missing")
    world.void(run, by=LAB, role="auditor")
    assert held(world.ask("train", "base", 2e25), "missing")
    world.void(run)
    assert permitted(world.ask("train", "base", 2e25))


def test_a_reported_run_cannot_be_voided():
    world = laboratory()
    run = world.measure("base", "autonomy", 400, 600)
    world.void(run)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_a_refused_log_is_not_forgotten_when_another_stands():
    """Whoever may offer logs until one pleases would spoil the adverse ones on purpose."""
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    run = world.register("base")
    world.refuse(run)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "untrusted", "missing")
    assert "E403" in words(answer)
    world.report(run, 100, 900)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "untrusted", "missing")
    world.retract(run)
    world.measure("base", "autonomy", 100, 900)
    assert permitted(world.ask("train", "base", 2e25))


def test_the_first_result_of_a_run_stands():
    world = laboratory()
    run = world.measure("base", "autonomy", 400, 600)
    world.report(run, 0, 1000)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_a_crossing_reported_after_a_clean_result_of_the_same_run_is_heard():
    world = laboratory()
    run = world.register("base")
    world.report(run, 0, 1000)
    world.report(run, 400, 600)
    assert not permitted(world.ask("train", "base", 2e25))


def test_items_that_a_result_leaves_out_are_missing():
    world = laboratory()
    run = world.register("base", items=1000)
    world.report(run, 0, 100)
    assert not permitted(world.ask("train", "base", 2e25))


# ---------------------------------------------------------------- retraction


def test_a_retraction_voids_passes_too():
    world = laboratory()
    run = world.measure("base", "autonomy", 100, 900)
    world.retract(run)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "missing")
    assert "retracted" in words(answer)
    world.measure("base", "autonomy", 100, 900)
    assert permitted(world.ask("train", "base", 2e25))


def test_a_retraction_by_the_developer_does_nothing():
    world = laboratory()
    run = world.measure("base", "autonomy", 400, 600)
    world.retract(run, by=LAB, role="developer")
    world.retract(run, by=LAB, role="auditor")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_a_retraction_by_the_auditor_takes_a_crossing_back_to_missing():
    world = laboratory()
    run = world.measure("base", "autonomy", 400, 600)
    world.retract(run)
    assert held(world.ask("train", "base", 2e25), "missing")


def test_a_retraction_of_a_test_voids_every_earlier_run_of_it():
    world = laboratory()
    world.measure("base", "autonomy", 100, 900)
    world.declare("child", [("base", "continue")], 1e25)
    world.measure("child", "autonomy", 100, 900)
    world.retract(evaluation="autonomy")
    assert held(world.ask("train", "base", 2e25), "missing")
    assert held(world.ask("train", "child", 3e25), "missing")


# ---------------------------------------------------------------- what no exact bound covers


def test_an_early_stopped_run_is_inconclusive():
    world = laboratory()
    world.measure("base", "autonomy", 0, 1000, adaptive=True)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "inconclusive", "missing")


def test_an_early_stopped_run_does_not_cross():
    world = laboratory()
    world.measure("base", "autonomy", 900, 100, adaptive=True)
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")


def test_the_remedy_for_a_run_that_lost_its_content_works():
    world = laboratory()
    run = world.measure("base", "autonomy", 0, 1000, adaptive=True)
    assert "an independent role retracts what was lost" in steps(world.ask("train", "base", 2e25))
    world.measure("base", "autonomy", 0, 100_000)
    assert held(world.ask("train", "base", 2e25), "missing")
    world.retract(run)
    assert permitted(world.ask("train", "base", 2e25))


def test_aggregate_evidence_counts_only_where_the_policy_accepts_it():
    world = laboratory()
    world.measure("base", "autonomy", 0, 1000, evidence_class="aggregate")
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")
    accepting = AUTONOMY.replace("  by:", "  accept: [aggregate]\n  by:")
    world = laboratory(policy(evaluations=accepting + DECEPTION))
    world.measure("base", "autonomy", 0, 1000, evidence_class="aggregate")
    assert permitted(world.ask("train", "base", 2e25))


def test_provenance_that_the_policy_refuses_is_untrusted():
    refusing = AUTONOMY.replace("  by:", "  refuse provenance: [dirty revision]\n  by:")
    world = laboratory(policy(evaluations=refusing + DECEPTION))
    world.measure("base", "autonomy", 0, 1000, provenance=("dirty revision",))
    assert held(world.ask("train", "base", 2e25), "untrusted", "missing")
    world = laboratory()
    world.measure("base", "autonomy", 0, 1000, provenance=("dirty revision",))
    assert permitted(world.ask("train", "base", 2e25))


def test_refused_provenance_still_crosses():
    refusing = AUTONOMY.replace("  by:", "  refuse provenance: [dirty revision]\n  by:")
    world = laboratory(policy(evaluations=refusing + DECEPTION))
    world.measure("base", "autonomy", 400, 600, provenance=("dirty revision",))
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


UNTIMELY = [
    ("began before registration", "began before it was registered"),
    ("start not dated", "not say when it began"),
]
LATE = AUTONOMY.replace("  by:", "  accept: earlier runs\n  by:")


@pytest.mark.parametrize(("shortfall", "told"), UNTIMELY)
def test_the_best_of_twenty_runs_registered_afterwards_shows_nothing(shortfall, told):
    world = laboratory()
    run = world.measure("base", "autonomy", 0, 1000, provenance=("no weights digest", shortfall))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "untrusted", "missing")
    assert f"run {run}" in words(answer)
    assert told in words(answer)
    assert "the policy does not accept earlier runs" in words(answer)
    assert "auditor registers a run of autonomy before it begins" in steps(answer)
    world.measure("base", "autonomy", 0, 1000)
    assert permitted(world.ask("train", "base", 2e25))


@pytest.mark.parametrize("shortfall", [shortfall for shortfall, _ in UNTIMELY])
def test_an_earlier_run_counts_where_the_policy_accepts_it(shortfall):
    world = laboratory(policy(evaluations=LATE + DECEPTION))
    world.measure("base", "autonomy", 0, 1000, provenance=(shortfall,))
    assert permitted(world.ask("train", "base", 2e25))


def test_a_policy_may_accept_earlier_runs_and_still_ask_for_their_dates():
    world = laboratory(
        policy(evaluations=LATE.replace("  by:", "  refuse provenance: start not dated\n  by:") + DECEPTION)
    )
    world.measure("base", "autonomy", 0, 1000, provenance=("start not dated",))
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "untrusted", "missing")
    assert "recorded with `start not dated`, which the policy refuses" in words(answer)


@pytest.mark.parametrize("shortfall", [shortfall for shortfall, _ in UNTIMELY])
def test_an_earlier_run_still_crosses(shortfall):
    world = laboratory()
    world.measure("base", "autonomy", 400, 600, provenance=(shortfall,))
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


@pytest.mark.parametrize("shortfall", ["began before registration", "start not dated", "dirty revision"])
def test_a_bad_result_is_not_dropped_by_spoiling_its_provenance(shortfall):
    refusing = AUTONOMY.replace("  by:", "  refuse provenance: [dirty revision]\n  by:")
    world = laboratory(policy(evaluations=refusing + DECEPTION))
    world.measure("base", "autonomy", 50, 150, provenance=(shortfall,))  # suspicious, and no crossing
    world.measure("base", "autonomy", 15, 185)
    assert not permitted(world.ask("train", "base", 2e25))
    clean = laboratory()
    clean.measure("base", "autonomy", 15, 185)
    assert permitted(clean.ask("train", "base", 2e25))


# ---------------------------------------------------------------- who measured


def test_a_favorable_result_of_the_developer_is_untrusted_where_the_auditor_is_asked():
    world = laboratory()
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="developer")
    assert held(world.ask("train", "base", 2e25), "untrusted", "missing")


def test_a_developer_who_calls_itself_auditor_is_untrusted():
    world = laboratory()
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="auditor")
    assert held(world.ask("train", "base", 2e25), "untrusted", "missing")


def test_an_adverse_result_of_the_developer_counts():
    world = laboratory()
    world.measure("base", "autonomy", 0, 1000)
    world.measure("base", "autonomy", 400, 600, by=LAB, role="developer")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_ten_thousand_clean_developer_samples_cannot_dilute_an_auditors_crossing():
    world = laboratory()
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="developer")
    world.measure("base", "autonomy", 300, 700)
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="developer")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))
    world.declare("pruned", [("base", "prune")], 0)
    assert "crossed" in kinds(world.ask("deploy.api", "pruned"))


def test_a_developer_who_calls_itself_auditor_cannot_dilute_a_crossing_of_an_ancestor():
    world = laboratory()
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="auditor")
    world.measure("base", "autonomy", 300, 700)
    world.declare("pruned", [("base", "prune")], 0)
    assert "crossed" in kinds(world.ask("deploy.api", "pruned"))


def test_results_of_the_developer_for_runs_of_the_auditor_cannot_dilute_a_crossing():
    world = laboratory()
    run = world.register("base", items=10_000)
    world.report(run, 0, 10_000, by=LAB, role="developer")
    world.measure("base", "autonomy", 300, 700)
    world.declare("pruned", [("base", "prune")], 0)
    assert "crossed" in kinds(world.ask("deploy.api", "pruned"))


def test_results_of_others_never_help_although_they_are_pooled_apart():
    world = laboratory()
    world.measure("base", "autonomy", 30, 170)
    world.measure("base", "autonomy", 0, 10_000, by=LAB, role="developer")
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")
