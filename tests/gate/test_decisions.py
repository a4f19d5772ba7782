"""Stories about the answer itself: broken histories, failures of the gate, the past, and what a hold carries."""

from __future__ import annotations

import pytest

from scalegate.core.decision import Node, Request
from scalegate.core.events import RunRegistered
from scalegate.gate import apply, chronicle, decide, interpret, situate
from tests.gate.policies import POLICY
from tests.gate.world import World, held, kinds, permitted, steps, words


def laboratory(successes: int = 100) -> World:
    world = World()
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", successes, 1000 - successes)
    return world


# ---------------------------------------------------------------- histories


def test_an_incomplete_history_holds_and_is_untrusted():
    world = laboratory()
    world.fault = "entry 2 is missing"
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "untrusted")
    assert answer.untrusted
    assert "entry 2 is missing" in words(answer)
    assert "repair first" in steps(answer)


def test_an_incomplete_history_holds_even_under_scope():
    world = World()
    world.declare("seed", compute=0)
    assert permitted(world.ask("train", "seed", 1e20))
    world.fault = "entry 2 is missing"
    assert held(world.ask("train", "seed", 1e20), "untrusted")


def test_a_deleted_registration_holds():
    world = laboratory()
    world.register("base", days=14)
    world.declare("other")
    world.tick(days=15)
    held_before = held(world.ask("train", "base", 2e25), "missing")
    assert held_before
    world.entries = [entry for entry in world.entries if getattr(entry.event, "run", "") != "run-2"]
    assert not permitted(world.ask("train", "base", 2e25))


def test_a_result_of_a_run_that_nobody_registered_gives_nothing_favorable():
    world = World()
    world.declare("base")
    world.report("run-1", 0, 1000)
    assert held(world.ask("train", "base", 2e25), "missing")


def test_a_registration_after_the_result_gives_nothing_favorable():
    world = World()
    world.declare("base")
    world.report("run-1", 0, 1000)
    world.register("base", run="run-1")
    assert held(world.ask("train", "base", 2e25), "pending", "missing")


def test_a_registration_cannot_be_replaced():
    world = laboratory(successes=400)
    world.register("base", "deception", run="run-1")
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_entries_of_the_future_are_not_known_yet():
    world = laboratory()
    before = world.now
    world.tick(days=5).measure("base", "autonomy", 400, 600)
    assert permitted(world.ask("train", "base", 2e25, at=before))
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


def test_a_negative_count_holds():
    world = World()
    world.declare("base")
    run = world.register("base")
    world.report(run, -1, 1001)
    assert held(world.ask("train", "base", 2e25), "error")


def test_more_items_than_were_planned_are_no_evidence():
    world = World()
    world.declare("base")
    run = world.register("base", items=1000)
    world.report(run, 0, 10_000)
    assert held(world.ask("train", "base", 2e25), "inconclusive", "missing")


def test_a_lineage_in_a_circle_holds():
    world = World()
    world.declare("one", [("two", "continue")])
    world.declare("two", [("one", "continue")])
    assert not permitted(world.ask("train", "one", 1e26))


# ---------------------------------------------------------------- failures of the gate


class BrokenGateError(Exception):
    """A defect that somebody will write into the gate one day."""


@pytest.mark.parametrize(
    ("room", "name"),
    [
        (chronicle, "in_force"),
        (apply, "situate"),
        (apply, "judge"),
        (apply, "implied"),
        (situate, "measure"),
        (situate, "limits_of"),
        (interpret, "compare"),
    ],
)
def test_a_failure_inside_the_gate_is_a_hold(monkeypatch: pytest.MonkeyPatch, room: object, name: str):
    world = laboratory()
    assert permitted(world.ask("train", "base", 2e25))

    def fail(*_: object, **__: object) -> object:
        raise BrokenGateError("out of cheese")

    monkeypatch.setattr(room, name, fail)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "error")
    assert "BrokenGateError: out of cheese" in words(answer)


def test_a_failure_while_explaining_is_a_hold(monkeypatch: pytest.MonkeyPatch):
    world = laboratory()

    def fail(*_: object, **__: object) -> object:
        raise BrokenGateError("out of words")

    monkeypatch.setitem(decide.__globals__, "tree", fail)
    assert held(world.ask("train", "base", 2e25), "error")


def test_endless_recursion_inside_the_gate_is_a_hold(monkeypatch: pytest.MonkeyPatch):
    def again(*arguments: object, **named: object) -> object:
        return again(*arguments, **named)

    monkeypatch.setattr(apply, "judge", again)
    assert held(laboratory().ask("train", "base", 2e25), "error")


# ---------------------------------------------------------------- the answer


def test_a_past_question_is_labeled_counterfactual():
    world = laboratory()
    assert not world.ask("train", "base", 2e25).counterfactual
    answer = world.tick(days=400).ask("train", "base", 2e25, at=world.entries[-1].at, counterfactual=True)
    assert permitted(answer)
    assert answer.counterfactual
    assert answer.as_of == world.entries[-1].at


def test_a_permit_is_a_lease():
    answer = laboratory().ask("train", "base", 2e25)
    assert answer.limits.effective_compute == 2 * 10**25
    assert answer.limits.expires - answer.as_of == 30 * 86_400
    assert answer.head


def test_every_leaf_cites_the_policy_and_its_evidence():
    world = laboratory(successes=400)
    answer = world.ask("train", "base", 2e25)
    crossed = next(reason for reason in answer.reasons if reason.kind == "crossed")
    line = POLICY.splitlines()[crossed.policy_span.line - 1]
    assert line[crossed.policy_span.column - 1 : crossed.policy_span.end_column - 1] == "autonomy <= 20%"
    registration = next(entry for entry in world.entries if isinstance(entry.event, RunRegistered))
    assert registration.digest in crossed.evidence

    def leaves(node: Node) -> list[Node]:
        return [leaf for child in node.children for leaf in leaves(child)] if node.children else [node]

    assert any(registration.digest in leaf.evidence for leaf in leaves(answer.tree))


def test_the_tree_says_what_the_answer_says():
    assert laboratory().ask("train", "base", 2e25).tree.truth == "proven"
    assert laboratory(successes=400).ask("train", "base", 2e25).tree.truth == "refuted"


def test_an_answer_says_what_it_takes_on_faith():
    answer = laboratory().ask("train", "base", 2e25)
    assert any("unsigned" in item for item in answer.assumptions)
    assert any("outside the register" in item for item in answer.not_checked)
    assert any("no spike-in" in item for item in answer.not_checked)


def test_a_question_does_not_change_the_history():
    world = laboratory()
    first = world.ask("train", "base", 2e25)
    assert world.ask("train", "base", 2e25) == first
    assert decide(world.history, Request("train", "base", 2 * 10**25), world.now) == first
