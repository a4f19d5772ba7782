"""Stories about who says what: beliefs, measurements, safeguards, quorums, countersignatures, stop orders."""

from __future__ import annotations

import pytest

from scalegate.core.quantities import DAY, MONTH
from tests.gate.policies import AUTONOMY, COUNTERSIGNED, DECEPTION, POLICY, ROLES, STOPPABLE, policy
from tests.gate.world import AUDITOR, LAB, REGULATOR, World, held, kinds, permitted, steps, words

GAMING = "evaluation gaming is excluded"
BELIEVABLE = policy(
    evaluations=AUTONOMY + f"  believable only if: {{{GAMING}: attested by auditor, expires: 2 months}}\n" + DECEPTION
)
SPIKED = policy(evaluations=AUTONOMY + "  hidden capability: {spike-in recovered: at least 80%}\n" + DECEPTION)
PROVEN = policy(evaluations=AUTONOMY + "  shown to work by: {known positives flagged: at least 19 of 20}\n" + DECEPTION)

SAFEGUARD = """
safeguards:
  vault:
    means: controls@sha256:{means}
    stops: thieves
    because: case@sha256:{because}
    fails if: red-team-theft > 0 of 3
    by: auditor
    valid for: {{time: 12 months}}
""".format(means="1" * 64, because="2" * 64)
GUARDED = policy(
    "limit:\n  hold: deploy\n  unless shown: autonomy <= 20%\n  once crossed, resume only if shown: vault\n",
    more=SAFEGUARD,
)
BOARD = policy(
    "limit:\n  hold: deploy\n  unless shown: autonomy <= 20%\n"
    "  once crossed, resume only if shown: attested calm by board\n"
)


def laboratory(text: str = POLICY, successes: int = 100) -> World:
    world = World(text)
    world.declare("base", compute=1e25)
    world.measure("base", "autonomy", successes, 1000 - successes)
    return world


# ---------------------------------------------------------------- believable only if


def test_a_result_is_believable_only_if_attested():
    world = laboratory(BELIEVABLE)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "not_attested", "missing")
    assert GAMING in words(answer)
    world.believe(GAMING, "base")
    assert permitted(world.ask("train", "base", 2e25))


@pytest.mark.parametrize(("by", "role"), [(LAB, "developer"), (LAB, "auditor"), (AUDITOR, "somebody")])
def test_a_belief_by_anybody_else_does_not_count(by: str, role: str):
    world = laboratory(BELIEVABLE)
    world.believe(GAMING, "base", by=by, role=role)
    assert held(world.ask("train", "base", 2e25), "not_attested", "missing")


def test_an_expired_belief_is_stale():
    world = laboratory(BELIEVABLE)
    world.believe(GAMING, "base")
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 30 * DAY
    world.tick(2 * MONTH - DAY)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + DAY
    world.tick(DAY)
    assert held(world.ask("train", "base", 2e25), "stale", "missing")


def test_a_belief_without_expiry_is_no_evidence():
    world = laboratory(
        policy(evaluations=AUTONOMY + f"  believable only if: {{{GAMING}: attested by auditor}}\n" + DECEPTION)
    )
    world.believe(GAMING, "base", expires=0)
    assert "not_attested" in kinds(world.ask("train", "base", 2e25))


def test_a_belief_about_another_subject_does_not_count():
    world = laboratory(BELIEVABLE)
    world.declare("other")
    world.believe(GAMING, "other")
    assert "not_attested" in kinds(world.ask("train", "base", 2e25))


def test_a_belief_can_be_taken_back():
    world = laboratory(BELIEVABLE)
    world.believe(GAMING, "base")
    world.believe(GAMING, "base", holds=False)
    assert "not_attested" in kinds(world.ask("train", "base", 2e25))


def test_a_crossing_needs_no_belief():
    world = laboratory(BELIEVABLE, successes=400)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


# ---------------------------------------------------------------- spike-ins and known positives


def test_without_a_spike_in_a_clear_result_is_unresolved():
    answer = laboratory(SPIKED).ask("train", "base", 2e25)
    assert held(answer, "unresolved", "missing")
    assert "spike-in recovered" in words(answer)


def test_a_spike_in_that_was_not_recovered_is_unresolved_and_does_not_latch():
    world = laboratory(SPIKED)
    world.count("spike-in recovered", "base", 15, 20)
    assert held(world.ask("train", "base", 2e25), "unresolved", "missing")
    world.count("spike-in recovered", "base", 16, 20)
    assert permitted(world.ask("train", "base", 2e25))
    world.count("spike-in recovered", "base", 15, 20)
    assert held(world.ask("train", "base", 2e25), "unresolved", "missing")


def test_a_spike_in_recovered_by_the_developer_resolves_nothing():
    world = laboratory(SPIKED)
    world.count("spike-in recovered", "base", 20, 20, by=LAB, role="developer")
    assert "unresolved" in kinds(world.ask("train", "base", 2e25))


def test_an_unrecovered_spike_in_takes_no_crossing_back():
    world = laboratory(SPIKED, successes=400)
    world.count("spike-in recovered", "base", 0, 20)
    assert "crossed" in kinds(world.ask("train", "base", 2e25))


@pytest.mark.parametrize(("flagged", "of", "clear"), [(19, 20, True), (38, 40, True), (18, 20, False), (9, 9, False)])
def test_known_positives_must_be_flagged(flagged: int, of: int, *, clear: bool):
    world = laboratory(PROVEN)
    assert held(world.ask("train", "base", 2e25), "not_attested", "missing")
    world.count("known positives flagged", "base", flagged, of)
    assert permitted(world.ask("train", "base", 2e25)) is clear


# ---------------------------------------------------------------- safeguards


def guarded() -> World:
    world = laboratory(GUARDED, successes=400)
    world.safeguard("vault", "base")
    world.attack("vault", "red-team-theft", "base", 0, 3)
    return world


def test_a_safeguard_shown_releases():
    world = laboratory(GUARDED, successes=400)
    assert held(world.ask("deploy.api", "base"), "crossed", "not_attested")
    world.safeguard("vault", "base")
    assert held(world.ask("deploy.api", "base"), "crossed", "not_attested")
    world.attack("vault", "red-team-theft", "base", 0, 3)
    assert permitted(world.ask("deploy.api", "base"))


def test_a_safeguard_that_failed_once_latches():
    world = guarded()
    world.attack("vault", "red-team-theft", "base", 1, 3)
    world.attack("vault", "red-team-theft", "base", 0, 50)
    answer = world.ask("deploy.api", "base")
    assert held(answer, "crossed")
    assert not answer.remedies[0].attainable


def test_too_few_attacks_show_nothing():
    world = laboratory(GUARDED, successes=400)
    world.safeguard("vault", "base")
    world.attack("vault", "red-team-theft", "base", 0, 2)
    assert held(world.ask("deploy.api", "base"), "crossed", "not_attested")


def test_a_safeguard_by_other_means_or_for_another_reason_shows_nothing():
    for other in ({"means": "sha256:" + "3" * 64}, {"because": "sha256:" + "3" * 64}):
        world = laboratory(GUARDED, successes=400)
        world.attack("vault", "red-team-theft", "base", 0, 3)
        world.safeguard("vault", "base", **other)
        assert "not_attested" in kinds(world.ask("deploy.api", "base"))


def test_a_safeguard_stated_by_the_developer_shows_nothing():
    world = laboratory(GUARDED, successes=400)
    world.attack("vault", "red-team-theft", "base", 0, 3)
    world.safeguard("vault", "base", by=LAB, role="developer")
    assert held(world.ask("deploy.api", "base"), "crossed", "not_attested")


def test_a_safeguard_grows_old():
    world = guarded()
    world.safeguard("vault", "base", expires=world.now + 800 * DAY)
    world.attack("vault", "red-team-theft", "base", 0, 3, expires=world.now + 800 * DAY)
    assert permitted(world.tick(days=359).ask("deploy.api", "base"))
    assert held(world.tick(days=1).ask("deploy.api", "base"), "crossed", "stale")


def test_a_theft_that_the_developer_reports_counts():
    world = guarded()
    world.attack("vault", "red-team-theft", "base", 1, 3, by=LAB, role="developer")
    assert not permitted(world.ask("deploy.api", "base"))


# ---------------------------------------------------------------- quorums and independence


def board_world() -> World:
    return laboratory(BOARD, successes=400)


def test_a_quorum_of_two_of_three():
    world = board_world()
    world.attest("calm", by="ann", role="board")
    answer = world.ask("deploy.api", "base")
    assert held(answer, "crossed", "not_attested")
    assert "1 of 2 needed statements of board" in words(answer)
    world.attest("calm", by="bob", role="board")
    assert permitted(world.ask("deploy.api", "base"))


def test_one_person_speaking_twice_is_one_voice():
    world = board_world()
    world.attest("calm", by="ann", role="board")
    world.attest("calm", by="ann", role="board")
    assert held(world.ask("deploy.api", "base"), "crossed", "not_attested")


def test_one_dissenting_member_is_outvoted():
    world = board_world()
    for name in ("ann", "bob"):
        world.attest("calm", by=name, role="board")
    world.deny("calm", by="cyd", role="board")
    assert permitted(world.ask("deploy.api", "base"))


def test_a_member_who_turns_breaks_the_quorum():
    world = board_world()
    for name in ("ann", "bob"):
        world.attest("calm", by=name, role="board")
    world.deny("calm", by="bob", role="board")
    assert not permitted(world.ask("deploy.api", "base"))


def test_a_quorum_lasts_until_its_first_needed_voice_ends():
    world = board_world()
    world.attest("calm", by="ann", role="board", expires=world.now + 5 * DAY)
    world.attest("calm", by="bob", role="board", expires=world.now + 9 * DAY)
    assert world.ask("deploy.api", "base").limits.expires == world.now + 5 * DAY


def test_members_are_named():
    roles = ROLES.replace("board: {quorum: 2 of 3}", "board: {members: [ann]}")
    world = laboratory(policy(BOARD_COMMITMENT, roles=roles), successes=400)
    world.attest("calm", by="eve", role="board")
    assert held(world.ask("deploy.api", "base"), "crossed", "untrusted")
    world.attest("calm", by="ann", role="board")
    assert permitted(world.ask("deploy.api", "base"))


BOARD_COMMITMENT = (
    "limit:\n  hold: deploy\n  unless shown: autonomy <= 20%\n"
    "  once crossed, resume only if shown: attested calm by board\n"
)


def test_a_person_who_acts_as_developer_cannot_speak_as_auditor():
    world = laboratory(BELIEVABLE)
    world.believe(GAMING, "base", by="kim")
    assert permitted(world.ask("train", "base", 2e25))
    world.void("run-1", by="kim", role="developer")
    assert held(world.ask("train", "base", 2e25), "not_attested", "missing")


def test_a_person_who_acts_as_auditor_cannot_speak_as_regulator():
    text = policy(
        "limit:\n  hold: deploy\n  unless shown: autonomy <= 20%\n"
        "  once crossed, resume only if shown: attested calm by regulator\n"
    )
    world = laboratory(text, successes=400)
    world.attest("calm", by=AUDITOR, role="regulator")
    assert held(world.ask("deploy.api", "base"), "crossed", "untrusted")


# ---------------------------------------------------------------- countersignatures


def test_a_permit_needs_its_countersignature():
    world = laboratory(COUNTERSIGNED)
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "not_attested")
    assert "auditor countersigns train of base up to 2e25 FLOP" in steps(answer)
    world.countersign("train", "base", 2e25)
    assert permitted(world.ask("train", "base", 2e25))


def test_a_countersignature_covers_only_up_to_its_compute():
    world = laboratory(COUNTERSIGNED)
    world.countersign("train", "base", 2e25)
    assert held(world.ask("train", "base", 2.1e25), "not_attested")


def test_a_countersignature_covers_only_its_action_and_subject():
    world = laboratory(COUNTERSIGNED)
    world.declare("other", [("base", "continue")], 1e24)
    world.countersign("train", "base", 4e25)
    assert held(world.ask("deploy.internal", "base"), "not_attested")
    assert held(world.ask("train", "other", 2e25), "not_attested")


def test_a_countersignature_expires():
    world = laboratory(COUNTERSIGNED)
    world.countersign("train", "base", 2e25, expires=world.now + 3 * DAY)
    assert world.ask("train", "base", 2e25).limits.expires == world.now + 3 * DAY
    assert held(world.tick(days=3).ask("train", "base", 2e25), "not_attested")


def test_a_countersignature_of_the_developer_is_none():
    world = laboratory(COUNTERSIGNED)
    world.countersign("train", "base", 2e25, by=LAB, role="developer")
    world.countersign("train", "base", 2e25, by=LAB, role="auditor")
    assert held(world.ask("train", "base", 2e25), "not_attested")


def test_a_countersignature_can_be_taken_back():
    world = laboratory(COUNTERSIGNED)
    world.countersign("train", "base", 2e25)
    world.countersign("train", "base", 2e25, holds=False)
    assert held(world.ask("train", "base", 2e25), "not_attested")


def test_a_countersignature_that_another_auditor_denies_is_none():
    world = laboratory(COUNTERSIGNED)
    world.countersign("train", "base", 2e25)
    world.countersign("train", "base", 2e25, holds=False, by="second-auditor")
    assert held(world.ask("train", "base", 2e25), "not_attested")


def test_a_countersignature_does_not_replace_evidence():
    world = laboratory(COUNTERSIGNED, successes=400)
    world.countersign("train", "base", 2e25)
    assert held(world.ask("train", "base", 2e25), "crossed", "missing")


# ---------------------------------------------------------------- stop orders


def test_a_stop_order_holds_at_once_and_only_its_role_lifts_it():
    world = laboratory(STOPPABLE)
    assert permitted(world.ask("train", "base", 2e25))
    world.stop()
    answer = world.ask("train", "base", 2e25)
    assert held(answer, "never")
    assert "regulator lifts stop order halt" in steps(answer)
    for by, role in ((LAB, "developer"), (LAB, "regulator"), (AUDITOR, "regulator"), (REGULATOR, "auditor")):
        world.lift(by=by, role=role)
        assert held(world.ask("train", "base", 2e25), "never")


def test_the_regulator_lifts_its_stop_order():
    world = laboratory(STOPPABLE)
    world.stop()
    world.lift()
    assert permitted(world.ask("train", "base", 2e25))


def test_a_stop_order_lifted_before_it_was_given_holds():
    world = laboratory(STOPPABLE)
    world.lift()
    world.stop()
    assert held(world.ask("train", "base", 2e25), "never")


def test_a_stop_order_of_an_unnamed_role_has_no_effect_but_is_noted():
    world = laboratory(STOPPABLE)
    world.stop(by=AUDITOR, role="auditor")
    answer = world.ask("train", "base", 2e25)
    assert permitted(answer)
    assert any("halt by auditor has no effect" in note for note in answer.notes)


def test_a_stop_order_may_name_actions_and_a_subject():
    world = laboratory(STOPPABLE)
    world.declare("other", compute=1e25)
    world.measure("other", "autonomy", 100, 900)
    world.stop("halt", "deploy.api", subject="base")
    assert held(world.ask("release.weights", "base"), "never")
    assert permitted(world.ask("deploy.internal", "base"))
    assert permitted(world.ask("release.weights", "other"))


def test_a_stop_order_survives_the_amendment_that_no_longer_names_its_role():
    world = laboratory(STOPPABLE)
    world.stop()
    world.amend(policy(version="2"))
    answer = world.tick(days=31).ask("train", "base", 2e25)
    assert [policy.version for policy in answer.policies] == ["2"]
    assert held(answer, "never")


def test_a_developer_cannot_lift_a_stop_order_through_a_policy_of_its_own():
    world = laboratory(STOPPABLE)
    world.stop()
    loose = policy(
        "",
        evaluations="",
        capabilities="",
        name="side",
        roles="roles:\n  regulator: {}\n",
        amendments="",
        more="stop orders: {by: regulator}\n",
    )
    world.adopt(loose)
    world.lift(by=LAB, role="regulator")
    assert not permitted(world.ask("train", "base", 2e25))
