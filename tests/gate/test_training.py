"""Stories about training: scope, the due point, the hard end, pending runs, mitigation."""

from __future__ import annotations

from scalegate.core.quantities import DAY
from tests.gate.policies import AUTONOMY, DECEPTION, policy
from tests.gate.world import AUDITOR, World, held, kinds, permitted, steps, words

UNDER_NO_CLOCK = policy(
    evaluations=AUTONOMY.replace(", whichever is first", "").replace("4x effective compute or 3 months", "4x")
    + DECEPTION
)


def evaluated(**other: object) -> World:
    world = World(**other)  # type: ignore[arg-type]
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", 100, 900)
    return world


# ---------------------------------------------------------------- scope


def test_the_first_tiny_model_under_scope_trains_freely():
    world = World()
    world.declare("seed", compute=0)
    answer = world.ask("train", "seed", 1e24)
    assert permitted(answer)
    assert answer.limits.effective_compute == 10**24
    assert any("below the scope" in item for item in answer.not_checked)


def test_the_permit_under_scope_is_limited_at_what_was_asked():
    world = World()
    world.declare("seed", compute=0)
    assert world.ask("train", "seed", 3e23).limits.effective_compute == 3 * 10**23


def test_asking_beyond_scope_holds():
    world = World()
    world.declare("seed", compute=0)
    answer = world.ask("train", "seed", 1.000001e24)
    assert held(answer, "missing")
    assert "auditor measures autonomy" in steps(answer)


def test_unknown_compute_is_within_scope():
    world = World()
    world.declare("seed", compute=None)
    assert held(world.ask("deploy.internal", "seed"), "missing")


def test_the_upper_end_of_uncertain_compute_decides_scope():
    world = World()
    world.declare("seed", compute=(9e23, 1.1e24))
    assert held(world.ask("deploy.internal", "seed"), "missing")


def test_training_needs_to_say_how_far():
    answer = evaluated().ask("train", "base")
    assert held(answer, "error")
    assert "needs the effective compute" in words(answer)


def test_deployment_takes_no_compute():
    assert held(evaluated().ask("deploy.api", "base", 2e25), "error")


def test_training_to_less_than_the_model_embodies_is_refused():
    assert held(evaluated().ask("train", "base", 9e24), "error")


# ---------------------------------------------------------------- due, and the hard end


def test_a_clear_evaluation_permits_until_it_is_due():
    answer = evaluated().ask("train", "base", 4e25)
    assert permitted(answer)
    assert answer.limits.effective_compute == 4 * 10**25


def test_beyond_4x_without_a_pending_run_the_evidence_is_stale():
    answer = evaluated().ask("train", "base", 4.1e25)
    assert held(answer, "stale", "missing")
    assert "4e25" in words(answer)


def test_between_due_and_hard_end_training_goes_on_while_a_run_is_pending():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 3e25)
    world.register("mid", days=10)
    answer = world.ask("train", "mid", 6e25)
    assert permitted(answer)
    assert answer.limits.expires == world.now + 10 * DAY


def test_the_hard_end_holds_although_a_run_is_pending():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 3e25)
    world.register("mid", days=10)
    assert "stale" in kinds(world.ask("train", "mid", 6.1e25))


def test_a_run_on_a_checkpoint_taken_after_the_due_point_buys_nothing():
    world = evaluated()
    world.declare("late", [("base", "continue")], 3.1e25)
    world.register("late", days=10)
    assert held(world.ask("train", "late", 5e25), "stale", "missing")


def test_a_run_on_a_checkpoint_taken_after_the_due_date_buys_nothing():
    world = evaluated().tick(days=91)
    world.declare("late", [("base", "continue")], 1e25)
    world.register("late", days=10)
    assert "stale" in kinds(world.ask("train", "late", 3e25))


def test_a_backdated_checkpoint_buys_nothing():
    world = evaluated().tick(days=91)
    world.declare("late", [("base", "continue")], 1e25, made_at=world.now - 90 * DAY)
    world.register("late", days=10)
    assert "stale" in kinds(world.ask("train", "late", 3e25))


def test_a_pending_run_bridges_the_due_date_up_to_the_hard_end_in_time():
    world = evaluated().tick(days=85)
    world.declare("mid", [("base", "continue")], 1e25)
    world.register("mid", days=60)
    world.tick(days=10)
    answer = world.ask("train", "mid", 3e25)
    assert permitted(answer)
    assert answer.limits.expires <= world.entries[2].at + 120 * DAY
    assert "stale" in kinds(world.tick(days=26).ask("train", "mid", 3e25))


def test_a_pending_run_lapses_at_its_report_by():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 3e25)
    run = world.register("mid", days=10)
    world.tick(days=10)
    answer = world.ask("train", "mid", 5e25)
    assert held(answer, "missing")
    assert run in words(answer)


def test_a_pending_run_takes_nothing_away_before_its_report_by():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 1e25)
    world.register("mid", days=10)
    assert permitted(world.ask("train", "mid", 4e25))


def test_a_clear_result_moves_the_due_point():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 3e25)
    world.measure("mid", "autonomy", 100, 900)
    assert permitted(world.ask("train", "mid", 1.6e26))
    assert "stale" in kinds(world.ask("train", "mid", 1.7e26))


def test_a_crossing_reported_by_the_pending_run_holds_at_once():
    world = evaluated()
    world.declare("mid", [("base", "continue")], 3e25)
    run = world.register("mid", days=10)
    assert permitted(world.ask("train", "mid", 5e25))
    world.report(run, 400, 600)
    assert held(world.ask("train", "mid", 5e25), "crossed", "missing")


def test_evidence_is_stale_after_three_months():
    world = evaluated()
    assert permitted(world.ask("train", "base", 2e25))
    assert permitted(world.tick(days=89).ask("train", "base", 2e25))
    assert held(world.tick(days=1).ask("train", "base", 2e25), "stale", "missing")


def test_the_permit_ends_when_its_evidence_does():
    world = evaluated().tick(days=80)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 10 * DAY


def test_evidence_is_stale_after_a_new_method_card():
    world = evaluated()
    world.method("card-2")
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "stale", "missing")
    assert "newer elicitation method" in words(answer)
    world.measure("base", "autonomy", 100, 900, methods=("card-2",))
    assert permitted(world.ask("train", "base", 2e25))


def test_a_method_card_of_another_elicitation_ages_nothing():
    world = evaluated()
    world.method("card-2", "fine-tuning")
    assert permitted(world.ask("train", "base", 2e25))


def test_adverse_evidence_never_ages():
    world = World()
    world.declare("base")
    world.measure("base", "autonomy", 400, 600)
    world.method("card-2")
    world.tick(days=4000)
    world.measure("base", "autonomy", 0, 3000, methods=("card-2",))
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_evidence_of_an_exact_digest_is_never_evidence_for_training():
    exact = AUTONOMY.split("  due:")[0]
    world = World(policy(evaluations=exact + DECEPTION))
    world.declare("base")
    world.measure("base", "autonomy", 100, 900)
    assert permitted(world.ask("deploy.api", "base"))
    assert held(world.ask("train", "base", 1.1e25), "stale", "missing")


def test_evidence_that_is_not_for_training_is_named_so():
    world = World(policy(evaluations=AUTONOMY.split("  due:")[0] + DECEPTION))
    world.declare("base")
    world.measure("base", "autonomy", 100, 900)
    assert "never for training" in words(world.ask("train", "base", 1.1e25))


def test_a_fine_tuned_child_counts_from_the_lower_end_of_its_parent():
    world = World()
    world.declare("base", compute=(1e25, 2e25))
    world.measure("base", "autonomy", 100, 900)
    world.declare("continued", [("base", "continue")], 0)
    world.declare("tuned", [("base", "fine-tune")], 0)
    assert permitted(world.ask("train", "continued", 8e25))
    assert permitted(world.ask("train", "tuned", 4e25))
    assert "stale" in kinds(world.ask("train", "tuned", 4.1e25))


# ---------------------------------------------------------------- new scale


NO_NEW_SCALE = "existing scale: 5e25 FLOP\n" + policy("scale:\n  hold: train.new-scale\n  unless shown: never\n")


def test_training_beyond_every_scale_reached_is_new_scale():
    world = World(None)
    world.declare("ghost", compute=1e30)
    world.adopt(NO_NEW_SCALE)
    world.declare("small", compute=1e25)
    assert permitted(world.ask("train", "small", 5e25))
    assert held(world.ask("train", "small", 5.1e25), "never")
    assert held(world.ask("train.new-scale", "small", 2e25), "never")


# ---------------------------------------------------------------- mitigation


def crossed_world() -> World:
    world = World(
        policy(
            "limit:\n  hold: everything\n  unless shown: autonomy <= 20%\n"
            "  once crossed, resume only if shown: deception < 10%\n"
        )
    )
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", 400, 600)
    return world


def test_mitigation_trains_under_its_cap_although_everything_is_held():
    world = crossed_world()
    assert "crossed" in kinds(world.ask("train", "base", 1.01e25))
    answer = world.ask("train.mitigation", "base", 1.01e25)
    assert permitted(answer)
    assert answer.limits.effective_compute == 1_010 * 10**22
    assert any("held until it is evaluated" in note for note in answer.notes)


def test_mitigation_is_held_beyond_its_cap():
    answer = crossed_world().ask("train.mitigation", "base", 1.02e25)
    assert held(answer, "never")
    assert "ask for at most 1.01e25 FLOP" in steps(answer)


def test_mitigation_in_many_steps_stays_under_one_cap():
    world = crossed_world()
    world.decided(world.ask("train.mitigation", "base", 1.01e25))
    world.declare("milder", [("base", "fine-tune")], 1e23)
    assert held(world.ask("train.mitigation", "milder", 1.02e25), "never")


def test_the_product_of_mitigation_is_held_until_it_is_evaluated():
    world = crossed_world()
    world.declare("milder", [("base", "fine-tune")], 1e23)
    assert held(world.ask("deploy.internal", "milder"), "crossed", "missing")
    world.measure("milder", "deception", 10, 990)
    assert permitted(world.ask("deploy.internal", "milder"))
    assert "crossed" in kinds(world.ask("deploy.internal", "base"))


def test_mitigation_of_a_model_of_unknown_compute_has_no_unbounded_cap():
    world = World()
    world.declare("murky", compute=None)
    assert not permitted(world.ask("train.mitigation", "murky", 1e28))


# ---------------------------------------------------------------- teachers


def test_a_teachers_compute_counts_for_scope():
    world = World()
    world.declare("teacher", compute=1e25)
    world.declare("student", [("teacher", "distill")], 1e22)
    assert held(world.ask("deploy.internal", "student"), "missing")


def test_teachers_do_not_count_where_the_policy_says_so():
    world = World(policy(more="teachers: do not count\n"))
    world.declare("teacher", compute=1e25)
    world.declare("student", [("teacher", "distill")], 1e22)
    assert permitted(world.ask("deploy.internal", "student"))


def test_teachers_do_not_count_for_training_either():
    world = World(policy(more="teachers: do not count\n"))
    world.declare("teacher", compute=1e25)
    world.declare("student", [("teacher", "distill")], 1e22)
    assert permitted(world.ask("train", "student", 2e22))


# ---------------------------------------------------------------- strata that nobody asked for


def test_registering_a_further_elicitation_takes_nothing_away_before_its_report_by():
    world = evaluated()
    assert permitted(world.ask("train", "base", 2e25))
    world.register("base", elicitation="fine-tuning", by=AUDITOR)
    assert permitted(world.ask("train", "base", 2e25))
