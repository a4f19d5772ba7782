"""Obligations: what starts a clock, what stops it, and what is late, to the second."""

from __future__ import annotations

import pytest

from scalegate.core.quantities import DAY, HOUR, MONTH, instant
from tests.gate.duties import INCIDENT, RISK, lab, regime, stands
from tests.gate.world import AUDITOR, LAB, REGULATOR, held, kinds, permitted, steps, words

AS_LAB = {"by": LAB, "role": "developer"}
AS_OFFICE = {"by": REGULATOR, "role": "regulator"}
LONG = 72 * HOUR
BEGIN = instant("2026-01-01")


@pytest.fixture
def world():
    return lab(regime())


def believed(world, **other):
    world.attest("incident-believed", **{**AS_LAB, **other})


def reported(world, **other):
    world.attest("incident-reported", **{**AS_OFFICE, **other})


# ---------------------------------------------------------------- a clock from an event


def test_nothing_is_due_before_an_event(world):
    found = stands(world)
    assert (found.state, found.at, found.ever_late) == ("not started", None, False)
    assert permitted(world.ask("deploy.api", "base"))


def test_an_event_starts_the_clock_at_the_time_of_its_entry(world):
    start = world.now
    believed(world)
    found = stands(world)
    assert (found.state, found.at) == ("running", start + LONG)
    assert permitted(world.ask("deploy.api", "base"))


def test_the_last_second_is_in_time_and_the_next_one_late(world):
    believed(world)
    world.tick(LONG)
    assert stands(world).state == "running"
    assert permitted(world.ask("deploy.api", "base"))
    world.tick(1)
    assert stands(world).state == "overdue"
    assert held(world.ask("deploy.api", "base"), "missing", "never")


def test_a_permit_ends_when_a_clock_runs_out(world):
    believed(world)
    decision = world.ask("deploy.api", "base")
    assert decision.limits is not None
    assert decision.limits.expires == world.now + LONG + 1
    assert not permitted(world.ask("deploy.api", "base", at=decision.limits.expires))
    assert permitted(world.ask("deploy.api", "base", at=decision.limits.expires - 1))


def test_a_report_in_the_last_second_is_in_time(world):
    believed(world)
    world.tick(LONG)
    reported(world)
    world.tick(days=400)
    found = stands(world)
    assert (found.state, found.ever_late) == ("met", False)
    assert permitted(world.ask("deploy.api", "base"))


def test_a_late_report_ends_the_delay_and_stays_visible(world):
    believed(world)
    world.tick(LONG + 1)
    reported(world)
    found = stands(world)
    assert (found.state, found.at, found.ever_late) == ("met", world.now, True)
    assert permitted(world.ask("deploy.api", "base"))


def test_a_hold_for_what_is_overdue_says_what_to_do(world):
    believed(world)
    world.tick(days=4)
    decision = world.ask("deploy.api", "base")
    assert "regulator has not stated incident-reported" in words(decision)
    assert "report a critical incident: regulator states incident-reported" in steps(decision)
    assert any("incident-report of act is overdue" in note for note in decision.notes)
    assert not any("crossing" in text for text in decision.would_not_release)


# ---------------------------------------------------------------- attacks on a clock


def test_anybody_starts_a_clock_in_any_role():
    for by, role in (("nobody", "passer-by"), (AUDITOR, "auditor"), ("x", "developer")):
        other = lab(regime())
        believed(other, by=by, role=role)
        other.tick(days=4)
        assert stands(other).state == "overdue", role


def test_taking_the_event_back_does_not_stop_its_clock(world):
    believed(world)
    world.deny("incident-believed", **AS_LAB)
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_an_event_that_expired_goes_on_running(world):
    believed(world, expires=world.now + HOUR)
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_a_report_before_the_event_discharges_nothing(world):
    reported(world)
    believed(world)
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_a_report_of_the_same_second_counts_only_behind_the_event(world):
    reported(world)
    believed(world)
    assert stands(world).state == "running"
    reported(world)
    assert stands(world).state == "met"


@pytest.mark.parametrize(
    ("by", "role"),
    [(AUDITOR, "auditor"), (LAB, "developer"), (LAB, "regulator"), (AUDITOR, "regulator"), ("x", "passer-by")],
)
def test_nobody_but_the_role_discharges(world, by, role):
    world.attest("incident-seen", by=AUDITOR, role="auditor")  # whoever audits is no regulator
    believed(world)
    reported(world, by=by, role=role)
    world.tick(days=4)
    assert stands(world).state == "overdue"
    assert "missing" in kinds(world.ask("deploy.api", "base"))


def test_a_report_that_is_denied_discharges_no_longer(world):
    believed(world)
    reported(world)
    world.deny("incident-reported", **AS_OFFICE)
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_a_report_loses_its_weight_with_its_speaker(world):
    believed(world)
    reported(world)
    world.attest("anything", by=REGULATOR, role="developer")
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_renewing_a_late_report_makes_nothing_late(world):
    believed(world)
    reported(world)
    world.tick(days=300)
    reported(world)
    assert not stands(world).ever_late


def test_each_event_has_its_own_clock(world):
    first = world.now
    believed(world)
    world.tick(days=1)
    reported(world)
    second = world.now
    believed(world)
    found = stands(world)
    assert (found.state, found.at) == ("running", second + LONG)
    assert [(item.start, item.met) for item in found.deadlines] == [(first, second), (second, None)]
    world.tick(days=4)
    assert stands(world).state == "overdue"


def test_one_report_meets_every_clock_that_runs(world):
    believed(world)
    world.tick(days=1)
    believed(world, by="x", role="auditor")
    world.tick(days=1)
    reported(world)
    assert stands(world).state == "met"


def test_a_report_about_one_model_says_nothing_of_another(world):
    world.declare("other", compute=1e24)
    believed(world, subject="base")
    reported(world, subject="other")
    assert stands(world).state == "running"
    reported(world, subject="base")
    assert stands(world).state == "met"


def test_a_report_about_one_model_does_not_meet_what_is_about_all(world):
    believed(world)
    reported(world, subject="base")
    assert stands(world).state == "running"


def test_a_body_discharges_with_its_quorum():
    body = INCIDENT.replace("by regulator", "by panel")
    world = lab(regime(obligations=body))
    believed(world)
    reported(world, by="ann", role="panel")
    assert stands(world).state == "running"
    reported(world, by="ann", role="panel")
    assert stands(world).state == "running", "the same one twice is no quorum"
    world.tick(days=4)
    reported(world, by="bob", role="panel")
    found = stands(world)
    assert (found.state, found.at, found.ever_late) == ("met", world.now, True)


def test_several_events_may_start_it():
    body = INCIDENT.replace(
        "from: incident-believed by developer", "from: [incident-believed by developer, theft-found by auditor]"
    )
    world = lab(regime(obligations=body))
    world.attest("theft-found", by=AUDITOR, role="auditor")
    assert stands(world).state == "running"


# ---------------------------------------------------------------- what recurs


def test_periods_count_from_the_day_the_regime_is_effective():
    world = lab(regime("", obligations=RISK))
    found = stands(world, "risk-report")
    assert (found.state, found.at) == ("running", BEGIN + 3 * MONTH)


def publish(world):
    world.attest("risk-report-published", by=AUDITOR, role="auditor")


def test_a_period_that_was_missed_stays_visible_when_it_is_made_up_for():
    world = lab(regime("", obligations=RISK))
    world.now = BEGIN + 3 * MONTH + 1
    assert stands(world, "risk-report").state == "overdue"
    publish(world)
    found = stands(world, "risk-report")
    assert (found.state, found.at, found.ever_late) == ("running", BEGIN + 9 * MONTH, True)
    world.now = BEGIN + 9 * MONTH + 1
    assert stands(world, "risk-report").state == "overdue"


def test_a_report_at_the_boundary_belongs_to_the_period_that_ends():
    world = lab(regime("", obligations=RISK))
    world.now = BEGIN + 3 * MONTH
    publish(world)
    found = stands(world, "risk-report")
    assert (found.state, found.at, found.ever_late) == ("running", BEGIN + 6 * MONTH, False)


def test_reports_in_every_period_are_never_late():
    world = lab(regime("", obligations=RISK))
    for period in range(12):
        world.now = BEGIN + period * 3 * MONTH + 80 * DAY
        publish(world)
        found = stands(world, "risk-report")
        assert (found.state, found.at, found.ever_late) == ("running", BEGIN + (period + 2) * 3 * MONTH, False)


def test_many_reports_in_one_period_do_not_pay_for_the_next():
    world = lab(regime("", obligations=RISK))
    for _ in range(20):
        world.tick(days=1)
        publish(world)
    world.now = BEGIN + 6 * MONTH + 1
    assert stands(world, "risk-report").state == "overdue"


# ---------------------------------------------------------------- where being late would help


WAIVER = """\
waiver:
  hold: deploy.api
  unless shown: overdue answer
  once crossed: never
"""
ANSWER = """\
answer:
  does: answer a request for approval
  within: 30 days
  from: asked by regulator
  met when: answered by regulator
"""


def test_whoever_gains_from_a_delay_does_not_start_its_clock():
    world = lab(regime(WAIVER, obligations=ANSWER))
    world.attest("asked", by=LAB, role="developer")
    world.tick(days=31)
    assert stands(world, "answer").state == "overdue"
    assert not permitted(world.ask("deploy.api", "base"))


def test_a_delay_that_those_named_started_may_count_in_favor():
    world = lab(regime(WAIVER, obligations=ANSWER))
    world.attest("asked", **AS_OFFICE)
    world.tick(days=30)
    assert not permitted(world.ask("deploy.api", "base"))
    world.tick(1)
    assert permitted(world.ask("deploy.api", "base"))
    world.attest("answered", by="x", role="passer-by")
    assert not permitted(world.ask("deploy.api", "base"))


# ---------------------------------------------------------------- elapsed


PAUSE = """\
pause:
  hold: deploy.api
  unless shown: elapsed 6 months since announced by auditor
  once crossed: never
"""


def test_time_passes_only_since_the_role_said_so():
    world = lab(regime(PAUSE, obligations=""))
    world.attest("announced", by=LAB, role="developer")
    world.tick(days=200)
    assert held(world.ask("deploy.api", "base"), "not_attested")
    world.attest("announced", by=AUDITOR, role="auditor")
    world.tick(days=180, seconds=-1)
    decision = world.ask("deploy.api", "base")
    assert not permitted(decision)
    assert "wait until" in steps(decision)
    world.tick(1)
    assert permitted(world.ask("deploy.api", "base"))


def test_repeating_the_event_does_not_begin_again():
    world = lab(regime(PAUSE, obligations=""))
    world.attest("announced", by=AUDITOR, role="auditor")
    world.tick(days=100)
    world.attest("announced", by=AUDITOR, role="auditor")
    world.tick(days=80)
    assert permitted(world.ask("deploy.api", "base"))


def test_time_does_not_pass_when_the_event_is_denied():
    world = lab(regime(PAUSE, obligations=""))
    world.attest("announced", by=AUDITOR, role="auditor")
    world.deny("announced", by=AUDITOR, role="auditor")
    world.tick(days=400)
    assert not permitted(world.ask("deploy.api", "base"))


WINDOW = PAUSE.replace("elapsed 6 months", "not elapsed 6 months")


def test_a_window_ends_by_itself_and_so_does_its_permit():
    world = lab(regime(WINDOW, obligations=""))
    assert not permitted(world.ask("deploy.api", "base"))
    world.attest("announced", by=AUDITOR, role="auditor")
    begin = world.now
    world.tick(days=170)
    decision = world.ask("deploy.api", "base")
    assert decision.limits is not None
    assert decision.limits.expires == begin + 180 * DAY
    assert not permitted(world.ask("deploy.api", "base", at=begin + 180 * DAY))


def test_a_window_that_somebody_saw_opened_earlier_closes_earlier():
    world = lab(regime(WINDOW, obligations=""))
    world.attest("announced", by="x", role="passer-by")
    world.tick(days=100)
    world.attest("announced", by=AUDITOR, role="auditor")
    world.tick(days=100)
    assert not permitted(world.ask("deploy.api", "base"))
