"""Attacks on runs that are looked at while they go on: each was a way to a permit, or to a gate that fails."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from fractions import Fraction

import pytest

from scalegate.core.events import Question, Sampling
from scalegate.gate.sampling import asked, bet
from scalegate.stats.pooling import Counts, pooled_upper
from tests.gate.policies import AUTONOMY, DECEPTION, LIMIT, policy
from tests.gate.test_sampling import BANK, bank_of, laboratory
from tests.gate.world import LAB, World, held, kinds, permitted, words

CLUSTERED = policy(evaluations=AUTONOMY.replace("  by:", "  clustered by: document\n  by:") + DECEPTION)
ANYBODY = policy(evaluations=AUTONOMY.replace("  by: auditor\n", "") + DECEPTION)
CLEARED = Fraction(1, 1000)


def ask(world: World, subject: str = "base"):
    return world.ask("train", subject, 2e25)


def child_of(world: World, **other) -> None:
    """Declare a child of `base` with clean samples of its own."""
    world.declare("child", [("base", "continue")], compute=1e24)
    world.look("child", "0" * 300, items=300, **other)


def plan_means(world: World, units: int, **other) -> str:
    """Register a run of clusters, with bets for answers."""
    run = world.register("base", items=max(units, 1))
    bare, mark = world.entries.pop().event, world.evaluation("autonomy")
    questions = tuple(map(bet, asked(list(world.kernels.values()), mark, Fraction(81, 100))))
    sampling = Sampling("population", units, "sha256:order", "seed", "document", units, questions)
    world.record(replace(bare, sampling=replace(sampling, **other)))
    return run


def means(world: World, said: str, units: int = 80, **other) -> str:
    run = plan_means(world, units, **other)
    world.report(run, 0, 0, 80, outcomes=said)
    return run


# ---------------------------------------------------------------- open


@pytest.mark.parametrize("further", [1, 2])
def test_runs_of_which_every_sample_is_a_success_are_cut_to_their_first_few(further):
    """Looked at once they cross; sample by sample, each is taken for four successes beside the clean first run."""
    once = laboratory()
    once.look("base", "0" * 60)
    once.measure("base", "autonomy", 1000, 0)
    assert "crossed" in kinds(ask(once))
    world = laboratory()
    world.look("base", "0" * 60)
    for _ in range(further):
        world.look("base", "1" * 1000)
    assert not permitted(ask(world))


@pytest.mark.parametrize("first", [(0, 58, 2), (2, 58, 0)], ids=["lost", "worse"])
def test_two_clean_samples_that_are_lost_or_worse_make_an_earlier_bound_stand(first):
    before, after = laboratory(), laboratory()
    before.measure("base", "autonomy", 0, 60)
    after.measure("base", "autonomy", *first)
    for world in (before, after):
        world.measure("base", "autonomy", 30, 110)
    assert not (permitted(ask(after)) and not permitted(ask(before)))


def test_the_favorable_bound_never_falls_when_content_is_lost():
    whole, lost = [Counts(0, 60), Counts(30, 110)], [Counts(0, 58, 2), Counts(30, 110)]
    assert pooled_upper(lost, CLEARED) >= pooled_upper(whole, CLEARED)


def test_two_items_are_no_bank():
    """Of a bank of two, both without success, everything is known: how many it holds is the policy's word."""
    world = laboratory(BANK)
    world.look("base", "00", items=2, estimand="bank")
    assert not permitted(ask(world))


def test_the_best_of_many_runs_that_are_all_registered_is_not_reported_alone():
    """Sixty runs at 20%: one of them is clean by chance in a hundred tries, and the others are pending."""
    world = laboratory()
    runs = [world.plan("base", 40) for _ in range(60)]
    world.report(runs[37], 0, 40, outcomes="0" * 40)
    assert not permitted(ask(world))


def test_the_best_of_many_runs_is_not_the_first_look_for_being_reported_first():
    rng = random.Random(1)
    outcomes = ["".join(rng.sample("1" * 8 + "0" * 32, 40)) for _ in range(60)]
    answers = []
    for order in ([*range(60)], [37, *(number for number in range(60) if number != 37)]):
        world = laboratory()
        runs = [world.plan("base", 40) for _ in range(60)]
        for number in order:
            found = "0" * 40 if number == 37 else outcomes[number]
            world.report(runs[number], found.count("1"), found.count("0"), outcomes=found)
        answers.append(permitted(ask(world)))
    assert answers[0] or not answers[1]


def test_nobody_takes_the_share_of_a_registered_run_by_reporting_first():
    """Two samples of the developer, and the boundaries that the auditor committed to are too generous: no latch."""
    answers = []
    for early in (False, True):
        world = laboratory(ANYBODY)
        run = world.plan("base", 1000)
        if early:
            world.report(world.register("base", items=2, by=LAB, role="developer"), 0, 2, by=LAB, role="developer")
        world.report(run, 5, 995, outcomes="1" * 5 + "0" * 995)
        child_of(world)
        answers.append(permitted(ask(world, "child")))
    assert answers == [False, False]


def test_losing_the_scores_that_crossed_a_line_nobody_asked_about_does_not_clear_it():
    """Asked about 20%, and now the line lies at 22%: five successes hold, and five samples without a score permit."""
    answers = []
    for said in ("1" * 5 + "0" * 95, "-" * 5 + "0" * 95):
        old, world = laboratory(), laboratory(policy(LIMIT.replace("20%", "22%")))
        old.plan("base", 100)
        plan = old.entries.pop().event
        world.record(replace(plan, evaluation=world.evaluation("autonomy")))
        ones, zeros = said.count("1"), said.count("0")
        world.report(plan.run, ones, zeros, 100 - ones - zeros, outcomes=said)
        answers.append(permitted(ask(world)))
    assert answers[0] or not answers[1]


def test_a_boundary_that_shows_nothing_does_not_end_a_run():
    """Who commits to `above` at the first success, which the gate does not use, hides the other 999 of a look."""
    world = laboratory()
    world.look("base", "0" * 60)
    run = world.plan("base", 1000)
    plan = world.entries.pop().event
    (question,) = plan.sampling.questions
    generous = replace(question, above_steps="0" * 250, below_steps="0" * 250)
    world.record(replace(plan, sampling=replace(plan.sampling, questions=(generous,))))
    world.report(run, 1000, 0, outcomes="1" * 1000)
    assert not permitted(ask(world))


def test_a_clean_first_run_of_means_does_not_stand_against_a_mean_beyond_the_line():
    world = laboratory(CLUSTERED)
    means(world, " ".join(["0"] * 80))
    means(world, " ".join(["1", "0", "0", "0", "1/8"] * 400), 2000)
    assert not permitted(ask(world))


def test_many_old_runs_cost_no_more_than_their_number():
    """150 registrations and results, 150 kB, took ten seconds; twice as many take eight times as long."""
    world = laboratory()
    for number in range(150):
        world.measure("base", "autonomy", number * 7 % 60, 200 + number * 13 % 100)
    world.tick(days=95)
    world.measure("base", "autonomy", 0, 400)
    start = time.process_time()
    ask(world)
    assert time.process_time() - start < 2


# ---------------------------------------------------------------- repaired


def test_a_second_result_with_the_same_counts_in_another_order_is_a_dispute():
    world = laboratory()
    run = world.plan("base", 200)
    world.report(run, 30, 170, outcomes="0" * 170 + "1" * 30)
    assert permitted(ask(world))
    world.report(run, 30, 170, outcomes="1" * 30 + "0" * 170, by="probe")
    assert "untrusted" in kinds(ask(world))


def test_a_second_result_with_other_means_is_a_dispute():
    """Means have no counts: all of their samples were taken for the same."""
    world = laboratory(CLUSTERED)
    run = means(world, " ".join(["0"] * 80))
    assert permitted(ask(world))
    world.report(run, 0, 0, 80, outcomes=" ".join(["1/4", "0"] * 40), by="probe")
    assert held(ask(world), "untrusted", "missing")


def test_a_further_look_at_a_bank_that_crosses_holds():
    """Nothing is left to spend on it, and it counted for nothing, neither here nor for what inherits it."""
    world = laboratory(BANK)
    world.look("base", "0" * 100, items=300, estimand="bank")
    assert permitted(ask(world))
    world.look("base", "1" * 300, items=300, estimand="bank")
    assert not permitted(ask(world))
    child_of(world, estimand="bank")
    assert not permitted(ask(world, "child"))


def test_a_bank_that_was_looked_at_whole_is_known_whatever_an_earlier_look_has_shown():
    world = laboratory(BANK)
    world.look("base", "0" * 100, items=300, estimand="bank")
    world.look("base", "00001" * 59 + "00011", items=300, estimand="bank")
    assert "crossed" in kinds(ask(world))


def test_losing_the_outcomes_of_a_run_does_not_make_a_population_of_a_bank():
    """Whether looks may be pooled as those of a population is the policy's word, not that of what is left of a run."""
    world = laboratory(bank_of(40))
    for counts in ((1, 39), (3, 297), (11, 489)):
        world.measure("base", "autonomy", *counts)
    run = world.plan("base", 40, estimand="bank")
    world.report(run, 0, 0, 40, outcomes="")
    assert held(ask(world), "inconclusive", "missing")


def test_a_plan_of_one_sample_takes_no_place_of_a_retracted_run():
    world = laboratory()
    world.measure("base", "autonomy", 0, 400)
    bad = world.measure("base", "autonomy", 390, 10)
    world.retract(bad)
    run = world.plan("base", 400)
    plan = world.entries.pop().event
    world.record(replace(plan, sampling=replace(plan.sampling, units=1)))
    world.report(run, 0, 0, 400, outcomes="")
    answer = ask(world)
    assert held(answer, "missing")
    assert "retracted for a defect" in words(answer)


def test_items_that_were_not_clustered_as_the_policy_asks_show_nothing():
    world = laboratory(CLUSTERED)
    means(world, " ".join(["0"] * 80), clustered_by="")
    assert held(ask(world), "inconclusive", "missing")


@pytest.mark.parametrize("units", [-5, 0, 10**6, 10**12])
def test_a_plan_of_impossibly_many_means_holds_at_once_and_for_its_reason(units):
    world = laboratory(CLUSTERED)
    start = time.process_time()
    means(world, "0 0 0", units)
    assert held(ask(world), "inconclusive", "missing")
    assert time.process_time() - start < 2


def test_a_run_of_many_items_beside_means_holds_at_once():
    """Registered to be looked at once, of a hundred thousand items, it was bet on for half a minute."""
    world = laboratory(CLUSTERED)
    means(world, " ".join(["0"] * 80))
    world.report(world.register("base", items=100_000), 0, 100_000)
    start = time.process_time()
    assert held(ask(world), "inconclusive", "missing")
    assert time.process_time() - start < 2


def test_a_crossing_by_means_stays_beside_a_run_of_too_many():
    world = laboratory(CLUSTERED)
    means(world, " ".join(["1"] * 80))
    world.report(world.register("base", items=100_000), 0, 100_000)
    assert "crossed" in kinds(ask(world))


@pytest.mark.parametrize(
    ("threshold", "error"), [("0", "1/20"), ("1", "1/20"), ("-1/5", "1/20"), ("1/5", "0"), ("1/5", "1"), ("1/5", "-1")]
)
def test_questions_that_no_bet_answers_show_nothing(threshold, error):
    world = laboratory(CLUSTERED)
    broken = Question(Fraction(threshold), Fraction(error), "", Fraction(1, 5), CLEARED, "")
    means(world, " ".join(["0"] * 80), questions=(broken,))
    assert held(ask(world), "inconclusive", "missing")


@pytest.mark.parametrize("units", [-5, 0])
def test_a_plan_of_no_samples_is_no_failure_of_the_gate(units):
    world = laboratory()
    run = world.plan("base", 100)
    plan = world.entries.pop().event
    world.record(replace(plan, sampling=replace(plan.sampling, units=units)))
    world.report(run, 0, 60, 40, outcomes="0" * 60, adaptive=True)
    assert held(ask(world), "inconclusive", "missing")


@pytest.mark.parametrize(
    "word",
    [
        "1/0",
        "1..0",
        "0..1..0",
        "..1",
        "",
        "-1",
        "1/2/3",
        "1_0/20",
        "٣",
        "½",
        "0.5",
        "1e-9",
        "9" * 41,
        "2",
        "0..2",
        "nan",
    ],
)
def test_means_that_are_none_show_nothing(word):
    world = laboratory(CLUSTERED)
    means(world, f"{word} " + " ".join(["0"] * 79))
    assert held(ask(world), "inconclusive", "missing")
