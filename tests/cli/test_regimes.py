"""Regimes at the terminal: whom they bind, what is overdue, which roles are missing."""

import pytest

from scalegate.core.developer_events import DeveloperDescribed
from tests.cli.lab import ADA, DAY, ITO, LEA

ACT = f"""\
scalegate: policy/v1
kind: regime
id: act
version: "1"
issuer: office
effective: 2026-09-01
binds: every developer above 1e24 FLOP with revenue above 5e8 USD in us-ca
legal text: {{title: Frontier Act, version: "2026", in force: 2026-09-01, jurisdiction: us-ca, \
text: act@sha256:{"f" * 64}}}
roles:
  developer: {{}}
  auditor: {{independent of: [developer]}}
  regulator: {{independent of: [developer]}}
mandates:
  roles:
    auditor: {{independent of: [developer]}}
obligations:
  incident-report:
    does: report a critical incident
    within: 72 hours
    from: incident-believed by developer
    met when: incident-reported by regulator
  risk-report:
    does: publish a risk report
    every: 3 months
    met when: risk-report-published by auditor
commitments:
  on-time:
    hold: deploy.api
    unless shown: not overdue incident-report
    once crossed: never
amendments: {{approved by: [regulator], notice: 30 days, weakening: forbidden while holding}}
"""
WATCHED = ACT.replace("    auditor: {independent of", "    watchdog: {independent of").replace(
    "roles:\n  developer", "roles:\n  watchdog: {independent of: [developer]}\n  developer", 1
)
YEAR = ("--expires", "12 months")


@pytest.fixture
def bound(bare):
    """A lab under a regime."""
    bare.do("policy", "adopt", bare.file("act.yaml", ACT), *ITO)
    return bare


def flowing(text):
    """Return a text without its line breaks."""
    return " ".join(text.split())


def attest(lab, predicate, who, *more):
    return lab.do("evidence", "attest", "predicate", predicate, *YEAR, *who, *more)


def test_without_a_regime_nothing_is_wrong(bare):
    said = bare.do("regime", "status")
    assert "no regime is in force" in said.out
    assert "no regime is adopted" in bare.do("regime", "list").out


def test_the_list_names_the_law_and_its_text(bound):
    said = bound.do("regime", "list")
    assert "Frontier Act 2026 (us-ca)" in said.out
    assert "sha256:ffffffffffff" in said.out
    found = bound.do("regime", "list", "--format", "json").json["regimes"]
    assert [item["id"] for item in found] == ["act"]
    assert found[0]["law"]["text"].startswith("act@sha256:")
    assert found[0]["mandates"] == [{"role": "auditor", "independent_of": ["developer"], "quorum": 1}]
    assert "incident-report, risk-report" in bound.do("regime", "list", "--format", "plain").out


def test_a_text_that_is_not_pinned_is_said_to_be_a_hole(bare):
    bare.do("policy", "adopt", bare.file("act.yaml", ACT.replace(f", text: act@sha256:{'f' * 64}", "")), *ITO)
    assert "a hole: which text is not pinned" in bare.do("regime", "list").out


def test_the_status_says_why_a_regime_binds(bound):
    said = bound.do("regime", "status")
    assert "regime act 1 (Frontier Act, 2026) binds: orion" in said.out
    assert "nobody has said" in said.out
    assert "mandated and declared: auditor" in said.out
    found = bound.do("regime", "status", "act", "--format", "json").json
    assert (found["schema"], found["fine"]) == ("scalegate/regimes/v1", True)
    assert found["policies"][0]["subjects"] == ["orion"]
    assert bound.run("regime", "status", "art").code == 2


def test_a_description_frees_until_it_ends(bound):
    bound.do("regime", "describe", "--absent", "us-ca", *YEAR, *LEA)
    event = bound.history().entries[-1].event
    assert isinstance(event, DeveloperDescribed)
    assert (event.revenue_low, event.revenue_high, event.absent) == (0, None, ("us-ca",))
    said = bound.do("regime", "status")
    assert "does not bind" in said.out
    assert "no, by Lea Roth (auditor)" in flowing(said.out)
    assert "until 2027-09-16" in flowing(said.out)
    bound.now += 365 * DAY
    assert "act 1 (Frontier Act, 2026) binds: orion" in bound.run("regime", "status").out


def test_the_developer_frees_himself_by_nothing(bound):
    said = bound.do("regime", "describe", "--revenue-high", "1e6", "--absent", "us-ca", *YEAR, *ADA)
    assert "never one for not being bound" in said.err
    assert "binds: orion" in bound.do("regime", "status").out


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ((), "description-empty"),
        (("--operates", "us-ca", "--absent", "us-ca"), "place-contradicted"),
        (("--revenue-low", "5", "--revenue-high", "4"), "revenue-range"),
        (("--operates", "two words"), "name-unfit"),
        (("--revenue-low", "0.5"), "usage"),
    ],
)
def test_a_description_that_says_nothing_sound_is_refused(bound, line, code):
    said = bound.run("regime", "describe", *line, *YEAR, *LEA)
    assert said.code == 2
    assert f"error[{code}]" in said.err


def test_a_description_has_to_end(bound):
    said = bound.run("regime", "describe", "--operates", "us-ca", "--expires", "2020-01-01", *LEA)
    assert "error[expiry-missing]" in said.err


def test_a_place_that_no_policy_asks_about_is_pointed_out(bound):
    assert "asks about us-az" in bound.do("regime", "describe", "--operates", "us-az", *YEAR, *LEA).err


def test_what_is_overdue_is_an_exit_code_and_stands_first(bound):
    attest(bound, "incident-believed", ADA)
    assert "due until" in bound.do("regime", "status").out
    bound.now += 4 * DAY
    said = bound.run("regime", "status")
    assert said.code == 1
    lines = said.out.splitlines()
    overdue = next(place for place, line in enumerate(lines) if "OVERDUE" in line)
    assert overdue < next(place for place, line in enumerate(lines) if "risk-report" in line)
    assert "act/incident-report" in bound.do("status").out
    assert bound.do("status", "--format", "json").json["overdue_obligations"] == ["act/incident-report"]
    assert bound.run("regime", "status", "--format", "plain").out.rstrip().endswith("fine: no")


def test_a_late_report_ends_it_and_stays_visible(bound):
    attest(bound, "incident-believed", ADA)
    bound.now += 4 * DAY
    attest(bound, "incident-reported", ITO)
    said = bound.do("regime", "status")
    assert "was late before" in flowing(said.out)
    found = bound.do("regime", "status", "--format", "json").json["policies"][0]["obligations"]
    state = next(item for item in found if item["id"] == "incident-report")
    assert (state["state"], state["ever_late"]) == ("met", True)
    assert len(state["clocks"][0]["evidence"]) == 2


def test_why_notes_what_is_overdue(bound):
    attest(bound, "incident-believed", ADA)
    bound.now += 4 * DAY
    said = bound.run("why", "deploy.api", "--subject", "orion")
    assert "obligation incident-report of act is overdue since" in said.out
    assert "regulator states incident-reported" in said.out


def test_what_no_policy_asks_for_cannot_be_stated(bound):
    said = bound.run("evidence", "attest", "predicate", "incident-belived", *YEAR, *ADA)
    assert said.code == 2
    assert "incident-believed" in said.err


def test_a_mandated_role_that_is_missing_holds_and_is_shown(bare):
    bare.do("policy", "adopt", bare.file("act.yaml", WATCHED), *ITO)
    said = bare.run("regime", "status")
    assert said.code == 1
    assert "MISSING" in said.out
    assert "act mandates role watchdog (independent of developer), and acme-rsp does not declare it" in flowing(
        said.out
    )
    found = bare.run("regime", "status", "--format", "json").json["policies"][0]
    assert found["roles"] == [{"role": "watchdog", "declared": False}]
    assert "watchdog" in bare.run("gate", "deploy.api", "--subject", "orion").out


def test_a_regime_that_does_not_bind_asks_for_nothing(bare):
    bare.do("policy", "adopt", bare.file("act.yaml", WATCHED), *ITO)
    bare.do("regime", "describe", "--absent", "us-ca", *YEAR, *LEA)
    attest(bare, "incident-believed", ADA)
    bare.now += 4 * DAY
    assert bare.run("regime", "status").code == 0
