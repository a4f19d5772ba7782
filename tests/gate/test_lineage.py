"""Stories about where models come from: latches that follow the weights, and evidence that does not."""

from __future__ import annotations

import pytest

from scalegate.core.events import SubjectDeclared
from scalegate.core.quantities import ComputeRange
from scalegate.core.subject import Subject
from tests.gate.policies import AUTONOMY, DECEPTION, policy
from tests.gate.world import World, held, kinds, permitted, words

REACHING = policy(evaluations=AUTONOMY + "  reach: issuer\n" + DECEPTION)


def crossed(text: str | None = None) -> World:
    """A world whose `base` (1e25 FLOP) crossed."""
    world = World() if text is None else World(text)
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", 400, 600)
    return world


def clear() -> World:
    """A world whose `base` (1e25 FLOP) is clear."""
    world = World()
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", 50, 950)
    return world


# ---------------------------------------------------------------- downward


@pytest.mark.parametrize("edge", ["continue", "fine-tune", "prune", "unlearn"])
def test_a_child_along_a_weight_edge_carries_the_latch(edge: str):
    world = crossed()
    world.declare("child", [("base", edge)], 3e24)
    world.measure("child", "autonomy", 0, 5000)
    answer = world.ask("deploy.internal", "child")
    assert held(answer, "crossed", "missing")
    assert "carried to child" in words(answer)


def test_an_unlearned_child_is_held_however_clean_it_measures():
    """The capability was in the weights; unlearning that hides it from a test has not shown that it is gone."""
    world = crossed()
    world.declare("unlearned", [("base", "unlearn")], 1e23)
    world.measure("unlearned", "autonomy", 0, 10_000)
    answer = world.ask("train", "unlearned", 2e25)
    assert held(answer, "crossed", "missing")
    assert any("it carries the crossing along its weight edges" in line for line in answer.would_not_release)


def test_the_latch_goes_through_generations():
    world = crossed()
    world.declare("child", [("base", "continue")], 3e25)
    world.declare("grandchild", [("child", "prune")], 1e23)
    world.measure("grandchild", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "grandchild"))


def test_a_merge_carries_the_latch_of_either_side():
    world = crossed()
    world.declare("other", compute=1e25)
    world.declare("merged", [("other", "merge"), ("base", "merge")], 0)
    world.measure("merged", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "merged"))


def test_a_merge_with_an_unevaluated_model_has_no_favorable_evidence():
    world = clear()
    world.declare("unknown", compute=1e25)
    world.declare("merged", [("base", "merge"), ("unknown", "merge")], 0)
    assert held(world.ask("train", "merged", 3e25), "missing")
    world.measure("merged", "autonomy", 50, 950)
    assert permitted(world.ask("train", "merged", 3e25))


@pytest.mark.parametrize("edge", ["prune", "unlearn", "distill", "synthetic-data"])
def test_only_continuation_and_fine_tuning_hand_favorable_evidence_on(edge: str):
    world = clear()
    world.declare("child", [("base", edge)], 1e24)
    assert held(world.ask("train", "child", 2e25), "missing")


@pytest.mark.parametrize("edge", ["continue", "fine-tune"])
def test_a_single_parent_hands_favorable_evidence_on_for_training(edge: str):
    world = clear()
    world.declare("child", [("base", edge)], 1e24)
    assert permitted(world.ask("train", "child", 2e25))


def test_favorable_evidence_of_the_parent_deploys_no_child():
    world = clear()
    world.declare("child", [("base", "continue")], 1e24)
    assert permitted(world.ask("deploy.internal", "base"))
    assert held(world.ask("deploy.internal", "child"), "missing")


def test_a_distilled_student_carries_no_latch_and_no_favorable_evidence():
    world = crossed()
    world.declare("student", [("base", "distill")], 2e24)
    assert held(world.ask("deploy.internal", "student"), "missing")
    world.measure("student", "autonomy", 50, 950)
    assert permitted(world.ask("deploy.internal", "student"))


def test_a_second_parent_ends_favorable_evidence():
    world = clear()
    world.declare("side", compute=1e24)
    world.measure("side", "autonomy", 50, 950)
    world.declare("child", [("base", "continue"), ("side", "synthetic-data")], 1e24)
    assert held(world.ask("train", "child", 2e25), "missing")


# ---------------------------------------------------------------- undeclared


def test_an_undeclared_lineage_inherits_every_latch():
    world = crossed()
    world.declare("foundling", compute=2e24, declared=False)
    world.measure("foundling", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "foundling"))


def test_an_undeclared_lineage_inherits_nothing_favorable():
    world = clear()
    world.declare("foundling", [("base", "continue")], 2e24, declared=False)
    assert held(world.ask("train", "foundling", 2e25), "missing")


def test_an_undeclared_ancestor_is_an_undeclared_lineage():
    world = crossed()
    world.declare("orphan", [("somebody", "fine-tune")], 2e24)
    world.measure("orphan", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "orphan"))


def test_the_first_declaration_stands():
    world = crossed()
    world.declare("child", [("base", "prune")], 0)
    world.declare("child", [], 2e24)
    world.measure("child", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "child"))


def test_the_same_weights_under_another_name_carry_the_latch():
    world = World()
    world.declare("base", compute=1e25, mark="sha256:" + "1" * 64)
    world.measure("base", "autonomy", 400, 600)
    world.declare("renamed", compute=1e25, mark="sha256:" + "1" * 64)
    world.measure("renamed", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "renamed"))


# ---------------------------------------------------------------- upward


def test_a_crossing_found_by_fine_tuning_within_one_percent_passes_to_the_parent():
    world = clear()
    world.declare("tuned", [("base", "fine-tune")], 1e23)
    world.measure("tuned", "autonomy", 400, 600)
    assert "crossed" in kinds(world.ask("deploy.internal", "base"))
    assert "crossed" in kinds(world.ask("train", "base", 1.1e25))


def test_a_crossing_found_beyond_one_percent_does_not_pass_to_the_parent():
    world = clear()
    world.declare("tuned", [("base", "fine-tune")], 1.1e23)
    world.measure("tuned", "autonomy", 400, 600)
    assert permitted(world.ask("deploy.internal", "base"))


def test_the_elicitation_allowance_is_the_policys():
    world = World(policy(more="elicitation allowance: 5%\n"))
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", 50, 950)
    world.declare("tuned", [("base", "fine-tune")], 5e23)
    world.measure("tuned", "autonomy", 400, 600)
    assert "crossed" in kinds(world.ask("deploy.internal", "base"))


def test_a_sibling_carries_what_fine_tuning_brought_out_of_their_parent():
    world = clear()
    world.declare("tuned", [("base", "fine-tune")], 1e23)
    world.measure("tuned", "autonomy", 400, 600)
    world.declare("sibling", [("base", "continue")], 1e25)
    world.measure("sibling", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "sibling"))


# ---------------------------------------------------------------- sideways


def branched() -> World:
    """`base` (1e25) is clear and good to 4e25; its child `main` crossed at 2e25."""
    world = clear()
    world.declare("main", [("base", "continue")], 1e25)
    world.declare("branch", [("base", "continue")], 2e24)
    world.measure("main", "autonomy", 400, 600)
    return world


def test_a_branch_taken_before_the_crossing_goes_on_below_its_compute():
    assert permitted(branched().ask("train", "branch", 1.9e25))


def test_a_branch_taken_before_the_crossing_is_held_from_its_compute_on():
    answer = branched().ask("train", "branch", 2.1e25)
    assert held(answer, "stale", "missing")
    assert "overtaken: main crossed" in words(answer)


def test_a_branch_may_not_reach_the_crossings_compute_itself():
    assert held(branched().ask("train", "branch", 2e25), "stale", "missing")


def test_the_ancestor_itself_is_held_from_the_crossings_compute_on():
    world = branched()
    assert permitted(world.ask("train", "base", 1.9e25))
    assert held(world.ask("train", "base", 2.1e25), "stale", "missing")


def test_another_lineage_of_the_issuer_stops_at_the_crossings_compute():
    world = branched()
    world.declare("rival", compute=1e25)
    world.measure("rival", "autonomy", 50, 950)
    assert permitted(world.ask("train", "rival", 1.9e25))
    assert held(world.ask("train", "rival", 2.1e25), "stale", "missing")


def test_another_lineage_goes_on_once_it_is_evaluated_there():
    world = branched()
    world.declare("rival", compute=1e25)
    world.measure("rival", "autonomy", 50, 950)
    world.declare("rival-2", [("rival", "continue")], 1e25)
    world.measure("rival-2", "autonomy", 50, 950)
    assert permitted(world.ask("train", "rival-2", 4e25))


def test_another_name_for_the_issuer_opens_no_other_lineage():
    world = branched()
    world.declare("theirs", compute=1e25, issuer="other-lab")
    world.measure("theirs", "autonomy", 50, 950)
    assert "stale" in kinds(world.ask("train", "theirs", 4e25))


def test_a_run_elsewhere_that_never_reported_could_have_crossed():
    world = clear()
    world.declare("main", [("base", "continue")], 1e25)
    world.register("main", days=14)
    assert permitted(world.ask("train", "base", 2.1e25))
    world.tick(days=14)
    assert permitted(world.ask("train", "base", 1.9e25))
    assert "stale" in kinds(world.ask("train", "base", 2.1e25))


def test_reach_issuer_holds_every_lineage_regardless():
    world = crossed(REACHING)
    world.declare("rival", compute=2e24)
    world.measure("rival", "autonomy", 0, 5000)
    assert held(world.ask("deploy.internal", "rival"), "crossed", "missing")


def test_without_reach_another_lineage_is_free_below():
    world = crossed()
    world.declare("rival", compute=2e24)
    world.measure("rival", "autonomy", 0, 5000)
    assert permitted(world.ask("deploy.internal", "rival"))


def test_reach_issuer_does_not_end_at_another_name():
    world = crossed(REACHING)
    world.declare("theirs", compute=2e24, issuer="other-lab")
    world.measure("theirs", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "theirs"))


# ---------------------------------------------------------------- treated as crossed


def test_a_signed_treat_as_crossed_latches():
    world = clear()
    world.treat_as_crossed("base")
    world.measure("base", "autonomy", 0, 5000)
    answer = world.tick(days=1).ask("train", "base", 2e25)
    assert held(answer, "crossed", "missing")
    assert "treated as crossed" in words(answer)


def test_treat_as_crossed_never_expires_and_follows_the_weights():
    world = clear()
    world.treat_as_crossed("base", expires=world.now + 1)
    world.declare("child", [("base", "unlearn")], 1e23)
    world.tick(days=800)
    world.measure("child", "autonomy", 0, 5000)
    assert "crossed" in kinds(world.ask("deploy.internal", "child"))


def test_treat_as_crossed_stops_other_lineages_at_its_compute():
    world = clear()
    world.declare("main", [("base", "continue")], 1e25)
    world.treat_as_crossed("main")
    assert "stale" in kinds(world.ask("train", "base", 2.1e25))


# ---------------------------------------------------------------- systems


def test_capability_is_measured_on_the_weights_and_safety_on_the_system():
    world = crossed()
    world.system("guarded", "base", safeguards=("sha256:" + "5" * 64,))
    world.measure("base", "deception", 0, 1000)
    answer = world.ask("deploy.internal", "guarded")
    assert held(answer, "crossed", "missing")
    assert "deception on guarded" in words(answer)
    world.measure("guarded", "deception", 0, 1000)
    assert permitted(world.ask("deploy.internal", "guarded"))


def test_a_safe_system_does_not_release_its_bare_weights():
    world = crossed()
    world.measure("base", "autonomy", 0, 100)
    world.system("guarded", "base")
    world.measure("guarded", "deception", 0, 1000)
    assert held(world.ask("deploy.internal", "base"), "crossed", "missing")


def test_a_capability_result_on_a_guarded_system_says_nothing_favorable():
    world = World()
    world.declare("base")
    world.system("guarded", "base")
    world.measure("guarded", "autonomy", 0, 1000)
    assert held(world.ask("deploy.internal", "guarded"), "missing")


def test_a_capability_that_even_the_guarded_system_shows_is_one_of_the_weights():
    world = clear()
    world.system("guarded", "base")
    world.measure("guarded", "autonomy", 400, 600)
    assert "crossed" in kinds(world.ask("deploy.internal", "base"))


def test_training_does_not_start_from_a_system():
    world = clear()
    world.system("guarded", "base")
    assert held(world.ask("train", "guarded", 2e25), "error")


def test_a_system_of_undeclared_weights_is_held():
    world = clear()
    world.system("guarded", "nowhere")
    assert "missing" in kinds(world.ask("deploy.internal", "guarded"))


def test_an_ancestor_declared_twice_does_not_lengthen_the_reach():
    """The larger of two declarations must not become the compute that evidence on a child was made at."""
    world = clear()
    world.declare("next", [("base", "continue")], 1e24)
    world.measure("next", "autonomy", 0, 1000)
    assert not permitted(world.ask("train", "next", 5e25))
    digest = next(
        e.event.subject.digest
        for e in world.entries
        if getattr(e.event, "subject", None) and getattr(e.event.subject, "name", "") == "base"
    )
    twin = Subject("twin", digest, "lab", "model", (), True, ComputeRange(10**30, 10**30), world.now)
    world.record(SubjectDeclared(twin, "lab", "developer"))
    assert not permitted(world.ask("train", "next", 5e25))
