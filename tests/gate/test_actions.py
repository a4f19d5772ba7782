"""Stories about actions: which is harder to undo, what can never be held, and under which scaffolds."""

from __future__ import annotations

import pytest

from scalegate.core.actions import ACTIONS, UNHOLDABLE
from tests.gate.policies import policy
from tests.gate.world import World, held, kinds, permitted, words

DEPLOYMENTS = ["deploy.internal", "deploy.internal.autonomous-research", "deploy.partners", "deploy.api",
               "deploy.finetuning", "release.weights"]  # fmt: skip
EVERYTHING = policy("stop:\n  hold: everything\n  unless shown: never\n")
CONTEXTS = """
contexts:
  workshop: {action: deploy.internal, scaffolds: [bare, swe]}
  open-workshop: {action: deploy.internal}
  shop: {action: deploy.api}
"""
SCAFFOLDED = policy(
    "limit:\n  hold: deploy\n  unless shown: autonomy <= 20% under every scaffold of the context\n", more=CONTEXTS
)


def model(text: str) -> World:
    world = World(text)
    world.declare("base", compute=1e25)
    return world


def test_holding_the_api_holds_what_is_harder_to_undo_and_nothing_else():
    world = model(policy("shop:\n  hold: deploy.api\n  unless shown: never\n"))
    answers = {action: permitted(world.ask(action, "base")) for action in DEPLOYMENTS}
    assert [action for action, free in answers.items() if not free] == DEPLOYMENTS[3:]


def test_holding_partners_leaves_autonomous_research_free():
    world = model(policy("partners:\n  hold: deploy.partners\n  unless shown: never\n"))
    assert permitted(world.ask("deploy.internal.autonomous-research", "base"))
    assert held(world.ask("deploy.api", "base"), "never")


def test_holding_deployment_leaves_training_free():
    world = model(policy("all:\n  hold: deploy\n  unless shown: never\n"))
    assert not any(permitted(world.ask(action, "base")) for action in DEPLOYMENTS)
    assert permitted(world.ask("train", "base", 2e25))
    assert permitted(world.ask("store.weights", "base"))


@pytest.mark.parametrize("action", sorted(UNHOLDABLE))
def test_evaluation_elicitation_and_study_go_on_when_everything_is_held(action: str):
    world = model(EVERYTHING)
    answer = world.ask(action, "base")
    assert permitted(answer)
    assert any("can never be held" in note for note in answer.notes)


@pytest.mark.parametrize("action", sorted(UNHOLDABLE))
def test_evaluation_elicitation_and_study_need_no_policy_and_obey_no_stop_order(action: str):
    assert permitted(World(None).ask(action, "whatever"))
    world = model(policy(more="stop orders: {by: regulator}\n"))
    world.stop()
    assert permitted(world.ask(action, "base"))


@pytest.mark.parametrize("action", sorted(ACTIONS - UNHOLDABLE - {"train.mitigation"}))
def test_everything_holds_every_other_action(action: str):
    world = model(EVERYTHING)
    to = 2e25 if action.startswith("train") else None
    answer = world.ask(action, "base", to)
    assert held(answer, "never")
    assert not any(remedy.attainable for remedy in answer.remedies)


@pytest.mark.parametrize("action", ["deploy", "everything", "train.more", "", "Deploy.api", "deploy.api "])
def test_an_unknown_action_holds(action: str):
    answer = model(policy()).ask(action, "base")
    assert held(answer, "error")
    assert "no action that this gate knows" in words(answer)


def test_an_undeclared_subject_holds():
    assert held(World().ask("deploy.api", "nobody"), "missing")


# ---------------------------------------------------------------- scaffolds and contexts


def test_every_scaffold_that_the_context_admits_must_be_clear():
    world = model(SCAFFOLDED)
    world.measure("base", "autonomy", 0, 1000, scaffold="bare")
    answer = world.ask("deploy.internal", "base", context="workshop")
    assert held(answer, "missing")
    assert "scaffold swe" in words(answer)
    world.measure("base", "autonomy", 0, 1000, scaffold="swe")
    assert permitted(world.ask("deploy.internal", "base", context="workshop"))


def test_an_omitted_scaffold_is_the_worst():
    """Evidence with no scaffold named is not evidence under every scaffold that the context admits."""
    world = model(SCAFFOLDED)
    world.measure("base", "autonomy", 0, 5000)
    answer = world.ask("deploy.internal", "base", context="workshop")
    assert held(answer, "missing")
    assert {"scaffold bare", "scaffold swe"} <= {
        name for name in ("scaffold bare", "scaffold swe") if name in words(answer)
    }


def test_an_omitted_context_is_the_worst():
    world = model(SCAFFOLDED)
    for name in ("bare", "swe"):
        world.measure("base", "autonomy", 0, 1000, scaffold=name)
    answer = world.ask("deploy.internal", "base")
    assert held(answer, "missing")
    assert "no context named: the worst" in words(answer)


@pytest.mark.parametrize(
    ("action", "context"),
    [
        ("deploy.api", "shop"),
        ("deploy.api", "workshop"),
        ("deploy.internal", "open-workshop"),
        ("deploy.internal", "nowhere"),
    ],
)
def test_a_context_that_admits_unknown_scaffolds_is_never_clear(action: str, context: str):
    world = model(SCAFFOLDED)
    for name in ("", "bare", "swe"):
        world.measure("base", "autonomy", 0, 1000, scaffold=name)
    assert held(world.ask(action, "base", context=context), "missing")


def test_a_scaffold_of_another_context_that_crosses_decides():
    world = model(SCAFFOLDED)
    for name in ("bare", "swe"):
        world.measure("base", "autonomy", 0, 1000, scaffold=name)
    world.measure("base", "autonomy", 400, 600, scaffold="swarm")
    assert "crossed" in kinds(world.ask("deploy.internal", "base", context="workshop"))


def test_a_system_whose_scaffold_the_context_does_not_admit_is_held():
    world = model(SCAFFOLDED)
    for name in ("bare", "swe"):
        world.measure("base", "autonomy", 0, 1000, scaffold=name)
    world.system("helper", "base", scaffold="swarm")
    world.system("plain", "base", scaffold="bare")
    assert held(world.ask("deploy.internal", "helper", context="workshop"), "missing")
    assert permitted(world.ask("deploy.internal", "plain", context="workshop"))
