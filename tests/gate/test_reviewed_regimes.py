"""Ways to a permit through what stands around the gate, found by review: each of them is a hold."""

from __future__ import annotations

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.policy import load
from tests.gate.duties import FREE, HEAD, ROLES, lab, regime, stands
from tests.gate.world import AUDITOR, LAB, REGULATOR, World, held, permitted

MANDATE = "roles:\n  auditor: {independent of: [developer]}\n"
ACT = regime("", obligations="", mandates=MANDATE)
OTHER = "second regulator"
AS_OFFICE = {"by": REGULATOR, "role": "regulator"}
SINCE = """\
paused:
  hold: deploy.api
  unless shown: never
  once crossed, resume only if shown: elapsed 6 months since announced by auditor
"""
LATE = """\
when-late:
  hold: deploy.api
  unless shown: never
  once crossed, resume only if shown: overdue incident-report
"""
ACT_LATE = regime(LATE)


def test_a_policy_that_is_only_brought_along_is_no_policy_of_the_developers_own():
    """`--policy` can only add: it must not fulfill what a regime asks of the policies in force."""
    world = lab(ACT, own=None)
    assert held(world.ask("deploy.api", "base"), "missing")
    assert held(world.ask("deploy.api", "base", extra=[FREE]), "missing")


def test_a_policy_that_is_brought_along_may_lack_a_role():
    bare = FREE.replace("id: lab", "id: bare").replace("  auditor: {independent of: [developer]}\n", "  auditor: {}\n")
    assert permitted(lab(ACT).ask("deploy.api", "base"))
    assert held(lab(ACT).ask("deploy.api", "base", extra=[bare]), "missing")


def test_a_policy_that_is_brought_along_hands_no_stop_order_to_somebody_else():
    """The order came before any policy named its role; those that do now are asked, and the one brought along too."""
    named = FREE + "stop orders: {by: regulator}\n"
    loose = named.replace("id: lab", "id: loose")
    loose = loose.replace("  regulator: {independent of: [developer, auditor]}", "  regulator: {}")
    world = World(None)
    world.declare("base", compute=1e25)
    world.stop(subject="")
    world.adopt(named)
    world.lift(by=LAB)
    assert held(world.ask("deploy.api", "base"), "never")
    assert held(world.ask("deploy.api", "base", extra=[loose]), "never")


# ---------------------------------------------------------------- what a role says against itself


@pytest.fixture
def reported():
    world = lab(regime())
    world.attest("incident-believed", by=LAB, role="developer")
    world.tick(days=1)
    world.attest("incident-reported", **AS_OFFICE)
    return world


def test_a_report_that_another_of_the_role_denies_is_none(reported):
    reported.tick(days=1)
    reported.deny("incident-reported", by=OTHER, role="regulator")
    reported.tick(days=4)
    assert stands(reported).state == "overdue"
    reported.attest("incident-reported", **AS_OFFICE)
    assert stands(reported).state == "met"


def test_what_was_denied_before_it_was_done_is_done(reported):
    world = lab(regime())
    world.attest("incident-believed", by=LAB, role="developer")
    world.deny("incident-reported", by=OTHER, role="regulator")
    world.tick(days=1)
    world.attest("incident-reported", **AS_OFFICE)
    assert stands(world).state == stands(reported).state == "met"


def test_no_time_passes_since_what_another_of_the_role_denies():
    world = lab(regime(SINCE, obligations=""))
    world.attest("announced", by=AUDITOR, role="auditor")
    world.tick(days=200)
    assert permitted(world.ask("deploy.api", "base"))
    world.deny("announced", by=OTHER, role="auditor")
    assert not permitted(world.ask("deploy.api", "base"))


@pytest.mark.parametrize("spoil", ["taken back", "an auditor himself"])
def test_a_start_that_does_not_stand_makes_nothing_late_for_who_wants_it(spoil):
    starts = ACT_LATE.replace("from: incident-believed by developer", "from: incident-believed by auditor")
    world = lab(starts)
    world.attest("incident-believed", by=AUDITOR, role="auditor")
    world.tick(days=5)
    assert permitted(world.ask("deploy.api", "base"))
    if spoil == "taken back":
        world.deny("incident-believed", by=AUDITOR, role="auditor")
    else:
        world.attest("anything", by=AUDITOR, role="developer")
    assert stands(world).state == "overdue"
    assert not permitted(world.ask("deploy.api", "base"))


# ---------------------------------------------------------------- words of encodings in texts that bind


@pytest.mark.parametrize("kind", ["policy", "regime"])
@pytest.mark.parametrize(
    "words",
    [
        "modality: may",
        "unknown: permit",
        "unknown: discretion",
        "source: act",
        "read: memory",
    ],
)
def test_nothing_softens_a_text_that_binds(kind, words):
    text = HEAD.replace("kind: regime", f"kind: {kind}") + "scope: everything\n" + ROLES
    text += f"commitments:\n  line:\n    hold: train\n    unless shown: never\n    once crossed: never\n    {words}\n"
    with pytest.raises(DiagnosticError, match="encoding"):
        load(text, "act.yaml")


@pytest.mark.parametrize("words", ["specified gap", "gap", "not gap", "overdue nothing", "revenue > 5e8 USD"])
def test_what_fills_a_hole_is_in_the_language_of_the_text_that_it_fills(words):
    text = HEAD.replace("kind: regime", "kind: policy") + "scope: everything\n" + ROLES
    text += "evaluations:\n  gap: {kind: understanding, hole: open, owner: a, filled only by: auditor}\n"
    text += "commitments:\n  line: {hold: train, unless shown: never, 'once crossed, resume only if shown': gap}\n"
    assert load(text, "act.yaml", {"gap": "always"}).commitments
    with pytest.raises(DiagnosticError):
        load(text, "act.yaml", {"gap": words})


def test_where_no_policy_is_in_force_none_that_is_brought_along_permits():
    """Withdrawn, or not yet begun: whoever asks brings a policy that lets everything pass."""
    world = World(None)
    world.declare("base", compute=1e25)
    assert held(world.ask("deploy.api", "base"), "error")
    assert held(world.ask("deploy.api", "base", extra=[FREE]), "error")
    assert permitted(world.ask("deploy.api", "base", extra=[FREE], counterfactual=True))
