"""Whole histories: the gate decides, and an export answers the same in the situation that the gate saw."""

from __future__ import annotations

import pytest
from hypothesis import assume, event, given, settings

from scalegate.policy.export.document import document
from scalegate.policy.export.plan import plan_of
from tests.gate.random_worlds import World, worlds
from tests.policy.export.engines import CedarEngine, RegoEngine
from tests.policy.export.histories import question
from tests.policy.export.reading import permits


@given(worlds())
@settings(max_examples=60)
def test_an_export_answers_as_decide_does(world: World) -> None:
    found = question(world)
    assume(found is not None)
    assert found is not None
    asked, decision = found
    event(decision.answer)
    plan = plan_of(world.kernels[0])
    assert permits(plan, document(plan, asked)) is (decision.answer == "permit")


@pytest.mark.extra
@pytest.mark.slow
@given(worlds())
@settings(max_examples=400)
def test_engines_answer_as_decide_does(world: World) -> None:
    found = question(world)
    assume(found is not None)
    assert found is not None
    asked, decision = found
    event(decision.answer)
    plan = plan_of(world.kernels[0])
    for engine in (CedarEngine(plan), RegoEngine(plan)):
        assert engine.permits(asked) is (decision.answer == "permit")
