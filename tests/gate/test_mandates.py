"""Roles that a regime mandates: what a developer's own policy has to declare beside it."""

from __future__ import annotations

import pytest

from scalegate.core.actions import UNHOLDABLE
from scalegate.core.canonical import digest_bytes
from scalegate.gate.mandates import missing_roles
from scalegate.policy import load
from tests.gate.duties import FREE, lab, regime
from tests.gate.world import held, permitted, steps, words

MANDATE = "roles:\n  auditor: {independent of: [developer]}\n"
TWO = "roles:\n  auditor: {independent of: [developer]}\n  board: {quorum: 2}\n"
ACT = regime("", obligations="", mandates=MANDATE)
AUDITOR_ROLE = "  auditor: {independent of: [developer]}\n"
BARE = FREE.replace(AUDITOR_ROLE, "").replace("independent of: [developer, auditor]", "independent of: [developer]")
BARE = BARE.replace("approved by: [board, auditor]", "approved by: [board]")


def test_a_policy_that_declares_the_role_passes():
    assert permitted(lab(ACT).ask("deploy.api", "base"))


def test_a_policy_without_the_role_is_held_by_the_regime():
    decision = lab(ACT, own=BARE).ask("deploy.api", "base")
    assert held(decision, "missing")
    assert [(reason.policy, reason.commitment) for reason in decision.reasons] == [("act", "")]
    assert "act mandates role auditor (independent of developer), and lab does not declare it" in words(decision)
    assert "amend lab: declare role auditor" in steps(decision)
    assert decision.reasons[0].policy_span is not None


def test_no_policy_of_its_own_is_held_too():
    decision = lab(ACT, own=None).ask("deploy.api", "base")
    assert held(decision, "missing")
    assert "no policy of the developer binds" in words(decision)


def test_a_role_that_is_not_independent_is_not_the_role():
    near = FREE.replace("auditor: {independent of: [developer]}", "auditor: {}")
    decision = lab(ACT, own=near).ask("deploy.api", "base")
    assert held(decision, "missing")
    assert "does not keep it independent of developer" in words(decision)


@pytest.mark.parametrize(("declared", "answer"), [("2 of 3", True), ("3 of 4", True), ("1 of 3", False)])
def test_a_quorum_is_as_large_as_the_regime_asks(declared, answer):
    own = FREE.replace("quorum: 2 of 3", f"quorum: {declared}")
    world = lab(regime("", obligations="", mandates=TWO), own=own)
    assert permitted(world.ask("deploy.api", "base")) is answer


def test_one_good_policy_does_not_make_up_for_another():
    world = lab(ACT)
    assert permitted(world.ask("deploy.api", "base"))
    world.adopt(BARE.replace("id: lab", "id: second"))
    assert held(world.ask("deploy.api", "base"), "missing")


def test_a_regime_or_a_reference_is_no_policy_of_the_developer():
    other = regime("", obligations="", name="other")
    assert [lack.policy for lack in missing_roles(load(ACT), [load(ACT), load(other)])] == [""]


def test_a_regime_mandates_only_where_it_binds():
    act = regime("", obligations="", mandates=MANDATE, binds="every developer above 1e26 FLOP")
    world = lab(act, own=BARE)
    assert permitted(world.ask("deploy.api", "base"))
    world.declare("large", compute=2e26)
    assert held(world.ask("deploy.api", "large"), "missing")


def test_a_policy_that_does_not_bind_declares_nothing():
    own = FREE.replace("effective compute > 0 FLOP", "effective compute > 1e26 FLOP")
    assert held(lab(ACT, own=own).ask("deploy.api", "base"), "missing")


def test_what_can_never_be_held_is_not_held_by_a_missing_role():
    world = lab(ACT, own=None)
    assert all(permitted(world.ask(action, "base")) for action in UNHOLDABLE)


def test_an_amendment_that_drops_a_mandate_frees_nobody():
    """The regime holds for a role that is missing: it cannot be amended out of that."""
    world = lab(ACT, own=BARE)
    without = regime("", obligations="", name="act").replace('version: "1"', 'version: "2"')
    world.approve(f"amendment:{digest_bytes(without.encode())}", by="office", role="regulator", policy="act")
    world.amend(without, approved_by=())
    world.tick(days=31)
    decision = world.ask("deploy.api", "base")
    assert held(decision, "missing")
    assert any("it would free a held subject" in note for note in decision.notes), decision.notes


def test_withdrawing_the_only_policy_does_not_hide_behind_the_mandate():
    """What the developer's own policy holds is not let go because a regime would miss that policy."""
    own = FREE.replace("hold: delete.weights", "hold: deploy.api")
    world = lab(ACT, own=own)
    world.withdraw(approved_by=(("ann", "board"), ("bob", "board"), ("metra", "auditor")))
    world.tick(days=31)
    decision = world.ask("deploy.api", "base")
    assert any("withdrawal of lab changes nothing" in note for note in decision.notes), decision.notes
    assert held(decision, "never")
