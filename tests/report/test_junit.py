"""JUnit XML: well-formed whatever a policy says, with a case for every rule."""

from xml.etree import ElementTree as ET

from scalegate.report.junit import junit
from tests.report.hostile import WORDS, broken, of_words, real


def parsed(*reports, failing=("error",)):
    return ET.fromstring("\n".join(junit(reports, failing)))  # noqa: S314 - our own document


def test_every_rule_is_a_case():
    root = parsed(real())
    names = [case.get("name").partition(" ")[0] for case in root.iter("testcase")]
    assert names == ["GOV-009", "GOV-007", "RSP-009", "THR-001"]
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }


def test_an_error_fails_and_the_rest_is_told():
    cases = {case.get("name").partition(" ")[0]: case for case in parsed(real()).iter("testcase")}
    assert len(cases["GOV-009"].findall("failure")) == 1
    assert "suppressed: no office yet" in cases["GOV-009"].findtext("system-out")
    assert "note GOV-007" in cases["GOV-007"].findtext("system-out")
    assert cases["RSP-009"].find("skipped").get("message").startswith("it compares")
    assert list(cases["THR-001"]) == []


def test_warnings_fail_when_they_count():
    warned = of_words("careful", "warning")
    assert parsed(warned).get("failures") == "0"
    assert parsed(warned, failing=("error", "warning")).get("failures") == "1"


def test_a_file_that_is_no_policy_is_one_failed_case():
    (case,) = parsed(broken()).iter("testcase")
    assert case.find("failure").get("type") == "error P208"


def test_hostile_words_stay_words():
    (case,) = parsed(of_words()).iter("testcase")
    assert [part.tag for part in case] == ["failure"]
    said = case.find("failure").get("message")
    assert '::error::owned##[group]<b>&"quoted" a,b:c' in said
    assert "\x1b" in WORDS
    assert "\x1b" not in said
