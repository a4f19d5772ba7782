"""One log is one result, and what may have been picked by its scores only speaks against a permit."""

from __future__ import annotations

import pytest

from tests.gate.test_evidence import laboratory
from tests.gate.world import held, kinds, permitted, words


@pytest.mark.parametrize("mark", ["log", "content"])
def test_a_log_is_the_result_of_one_run_whoever_recorded_it_for_more(mark):
    world = laboratory()
    for _ in range(30):
        world.measure("base", "autonomy", 0, 20, **{mark: "sha256:1"})
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "inconclusive", "missing")
    assert "repeats the log of" in words(answer)


def test_results_without_content_and_several_tasks_of_one_log_are_no_copies():
    world = laboratory()
    for number in range(30):
        world.measure("base", "autonomy", 0, 20, log="sha256:1", content="sha256:2", task=f"part-{number}")
    assert permitted(world.ask("train", "base", 2e25))


def test_a_second_result_of_the_same_run_is_no_copy():
    world = laboratory()
    run = world.measure("base", "autonomy", 0, 1000, log="sha256:1")
    world.report(run, 0, 1000, log="sha256:1")
    assert permitted(world.ask("train", "base", 2e25))


@pytest.mark.parametrize("shortfall", ["scorer not registered", "items not registered"])
@pytest.mark.parametrize(("successes", "kind"), [(0, "untrusted"), (900, "crossed")])
def test_what_may_be_picked_by_its_scores_only_speaks_against_a_permit(shortfall, successes, kind):
    world = laboratory()
    world.measure("base", "autonomy", successes, 1000 - successes, provenance=(shortfall,))
    assert kind in kinds(world.ask("train", "base", 2e25))
