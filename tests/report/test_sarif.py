"""SARIF 2.1.0, by the structure that the standard gives to what we write."""

import json

import pytest
from jsonschema import Draft7Validator

from scalegate.lint.registry import BY_ID, RULES
from scalegate.lint.rule import Rule
from scalegate.report.sarif import plain, sarif, uri
from tests.lint.policies import report
from tests.report.hostile import RULE, broken, of_words, real

TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
POSITIVE = {"type": "integer", "minimum": 1}
DESCRIPTOR = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
        "properties": {
            "type": "object",
            "properties": {"tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}},
        },
    },
    "additionalProperties": False,
}
REGION = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), POSITIVE),
        "snippet": TEXT,
    },
    "additionalProperties": False,
}
LOCATION = {
    "type": "object",
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                    "additionalProperties": False,
                },
                "region": REGION,
            },
            "additionalProperties": False,
        }
    },
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
# What the standard says of the parts that we write (OASIS, SARIF 2.1.0, sections 3.13, 3.14, 3.19, 3.27 and 3.49).
SCHEMA = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": DESCRIPTOR},
                                },
                                "additionalProperties": False,
                            }
                        },
                        "additionalProperties": False,
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def run_of(*reports, rules: tuple[Rule, ...] = RULES):
    log = json.loads(json.dumps(sarif(reports, rules, "1.2.3")))
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(log)] == []
    return log["runs"][0]


def test_a_log_has_the_structure_of_the_standard():
    run = run_of(real(), broken(), of_words())
    assert len(run["results"]) == 5
    assert run["tool"]["driver"]["semanticVersion"] == "1.2.3"


def test_every_result_points_at_its_rule():
    run = run_of(real(), broken())
    rules = run["tool"]["driver"]["rules"]
    assert [rules[item["ruleIndex"]]["id"] for item in run["results"]] == [item["ruleId"] for item in run["results"]]
    assert "P208" in {item["ruleId"] for item in run["results"]}


def test_a_suppressed_finding_is_there_with_its_reason():
    found = [item for item in run_of(real())["results"] if "suppressions" in item]
    assert [item["suppressions"] for item in found] == [[{"kind": "inSource", "justification": "no office yet"}]]


def test_places_are_those_of_the_text():
    first = next(item for item in run_of(real())["results"] if item["ruleId"] == "GOV-009")
    where = first["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "policies/acme%20rsp.yaml"
    region = where["region"]
    line = region["snippet"]["text"]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "developer"


def test_fingerprints_outlast_moved_lines_and_tell_findings_apart():
    one, other = of_words("one"), of_words("other")
    prints = [item["partialFingerprints"]["scalegate/v1"] for item in run_of(one, one, other)["results"]]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.yaml", "a.yaml"),
        ("a b/c%.yaml", "a%20b/c%25.yaml"),
        ("/srv/a.yaml", "file:///srv/a.yaml"),
        ("a:b#c?.yaml", "a%3Ab%23c%3F.yaml"),
    ],
)
def test_a_path_is_a_uri(path, expected):
    assert uri(path) == expected


def test_nothing_in_a_log_is_invisible_or_turned_around():
    text = json.dumps(sarif([of_words()], [RULE], "1"), ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_no_text_of_a_policy_is_a_link_or_an_argument() -> None:
    """Viewers make a link of `[words](target)`, and put arguments in the place of `{0}`."""
    hostile = "declares:\n  competitor clause: {says: 'see [here](https://evil.example) {0}'}\n"
    found = sarif([report(hostile, "RAC-001")], [BY_ID["RAC-001"]], "1.0")
    (run,) = found["runs"]
    assert [item["message"]["text"] for item in run["results"]] == [
        r"a clause about competitors: `see \[here\](https://evil.example) {{0}}`"
    ]
    text = "see [here](https://evil.example), {0} and [prompting]"
    assert plain(text) == r"see \[here\](https://evil.example), {{0}} and \[prompting\]"
    assert plain("write `elicited by: [prompting]`") == "write `elicited by: [prompting]`"
