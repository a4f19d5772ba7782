"""`scalegate policy test` and `scalegate policy claim` at the terminal."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from scalegate.policy.templates import template

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "policies"
BINDS = "where the policy binds, "
CASES = """\
scalegate: cases/v1
policy: rsp.yaml
cases:
  it goes on:
    ask: train
    expect: permit
  silence <holds>:
    situation: [no result on replication counts]
    ask: train
    expect: hold
    because: [takeover-line]
"""
CLAIMS = """\
scalegate: claims/v1
policy: rsp.yaml
claims:
  nothing is ever trained: false
  where the policy binds, no weights are ever released: true
"""


@pytest.fixture
def desk(empty):
    """A folder with a policy, and no store."""
    empty.file("rsp.yaml", template("rsp"))
    return empty


# ---------------------------------------------------------------- test


def test_the_examples_are_as_expected(empty):
    for path in (EXAMPLES / "cases").glob("*.yaml"):
        assert empty.do("policy", "test", path, "--require-coverage").out.splitlines()[0].endswith("none wrong")


def test_cases_are_tried_and_what_no_case_shows_is_said(desk):
    said = desk.do("policy", "test", desk.file("c.yaml", CASES))
    assert said.out.splitlines()[:2] == [
        "2 cases of lighthouse-rsp, none wrong",
        "no case shows replication-line: held, exception, below scope",
    ]
    assert desk.run("policy", "test", "c.yaml", "--require-coverage").code == 1


def test_a_case_that_is_wrong_says_why_and_where(desk):
    desk.file("c.yaml", CASES.replace("takeover-line", "replication-line"))
    said = desk.run("policy", "test", "c.yaml")
    assert said.code == 1
    assert said.out.splitlines()[:3] == [
        "WRONG  silence <holds> (c.yaml:7:3)",
        "       expected `replication-line` to hold as well",
        "       `takeover-line` holds too",
    ]


def test_an_amendment_fails_the_cases_of_the_old_text(desk):
    desk.file("c.yaml", CASES)
    desk.file("new.yaml", template("rsp").replace("shown: takeover-understanding", "shown: deception < 10%"))
    assert desk.run("policy", "test", "c.yaml", "--policy", "new.yaml").code == 1
    assert desk.run("policy", "test", "c.yaml", "--policy", "none.yaml").code == 2


def test_cases_as_json(desk):
    desk.file("c.yaml", CASES)
    found = desk.do("policy", "test", "c.yaml", "--format", "json").json
    assert [item["answer"] for item in found["cases"]] == ["permit", "hold"]
    assert found["cases"][1]["held_by"] == ["takeover-line"]
    assert found["cases"][1]["outcomes"] == {"replication-line": "resumption", "takeover-line": "held"}
    assert found["coverage"][0] == {
        "commitment": "replication-line",
        "seen": ["shown", "resumption"],
        "unseen": ["held", "exception", "below scope"],
    }


def test_cases_as_junit(desk):
    desk.file("c.yaml", CASES.replace("takeover-line", "replication-line"))
    said = desk.run("policy", "test", "c.yaml", "--format", "junit")
    assert said.code == 1
    suite = ET.fromstring(said.out)[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite if len(case)] == ["silence <holds>"]
    covered = ET.fromstring(desk.run("policy", "test", "c.yaml", "--format", "junit", "--require-coverage").out)  # noqa: S314
    assert int(covered[0].get("failures", "0")) > 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CASES.replace("cases/v1", "policy/v1"), "P208"),
        (CASES.replace("no result on", "no results on"), "did you mean `no result on replication counts`?"),
        (CASES.replace("ask: train", "ask: trian"), "did you mean `train`?"),
        (CASES.replace("policy: rsp.yaml\n", ""), "policy-unnamed"),
    ],
)
def test_a_file_that_is_none_is_refused(desk, text, words):
    said = desk.run("policy", "test", desk.file("c.yaml", text))
    assert said.code == 2
    assert words in said.err


# ---------------------------------------------------------------- claim


def test_a_true_sentence_is_proved(desk):
    said = desk.do("policy", "claim", "rsp.yaml", "--claim", f"{BINDS}no weights are ever released")
    assert said.out.startswith(f"TRUE: {BINDS}no weights are ever released\n  proved: there is no situation in which ")


def test_an_answer_can_be_quoted_with_what_it_rests_on(desk):
    sentence = f"{BINDS}no model above 50% on replication is ever trained"
    said = " ".join(desk.do("policy", "claim", "rsp.yaml", "--claim", sentence).out.split())
    assert "lighthouse-rsp binds and replication may be above 50%" in said
    assert "note: said of lighthouse-rsp 1.0 (sha256:" in said
    assert "not of what is done without asking it, nor after an amendment or the filling of a hole" in said
    assert "training for mitigation is another action (train.mitigation)" in said


def test_what_is_true_of_nothing_is_said_to_be(desk):
    sentence = "no model shown above 100% on replication is ever trained"
    said = desk.do("policy", "claim", "rsp.yaml", "--claim", sentence)
    assert "because there is no such model" in said.out
    sentence = f"{BINDS}every model that is trained may be at least 0% on replication"
    assert "because it is so in every situation" in desk.do("policy", "claim", "rsp.yaml", "--claim", sentence).out
    sentence = f"{BINDS}no model above 90% on bio-assistance is ever released"
    said = desk.do("policy", "claim", "rsp.yaml", "--claim", sentence)
    assert "because nothing is ever released where the policy binds, whatever the model" in said.out


def test_who_lifts_a_hold_is_named(desk):
    said = desk.do(
        "policy", "claim", "rsp.yaml", "--claim", "nothing but an outside body can lift the hold takeover-line"
    )
    assert "outside is a role that the policy keeps the developer out of" in " ".join(said.out.split())
    assert "fill: takeover-understanding may be filled by board and auditor and regulator" in said.out


def test_an_answer_about_an_encoding_says_that_it_is_one(empty):
    sentence = "no model shown at least 100% on critical-capability is ever trained without adequate-mitigation"
    said = " ".join(empty.do("policy", "claim", "meta-faf-1.1", "--claim", sentence).out.split())
    assert "meta-faf-1.1 is an encoding in the words of scalegate, and not the text" in said
    assert "only what a text says by must counts" in said
    compared = " ".join(
        empty.run("policy", "compare", "meta-aasf-2", "meta-faf-1.1", "--about", "critical").out.split()
    )
    assert compared.startswith("about critical, meta-aasf-2 is weaker than meta-faf-1.1")
    assert "are encodings in the words of scalegate, and not the texts" in compared


def test_a_false_sentence_is_refuted_by_a_situation_that_the_cases_take(desk):
    sentence = f"{BINDS}no model above 20% on replication is ever trained without being shown below 10% on deception"
    said = desk.run("policy", "claim", "rsp.yaml", "--claim", sentence)
    assert said.code == 1
    assert said.out.startswith("FALSE, and expected true: ")
    clauses = [line.strip().split(" ", 1)[1] for line in said.out.splitlines() if line.startswith(("  when", "  and "))]
    assert len(clauses) == 6
    lines = "".join(f"      - {clause.strip()}\n" for clause in clauses)
    case = f"  it:\n    situation:\n{lines}    ask: train\n    expect: permit\n"
    case += "    because: {replication-line: exception rival}\n"
    desk.do("policy", "test", desk.file("c.yaml", f"scalegate: cases/v1\npolicy: rsp.yaml\ncases:\n{case}"))


def test_an_ambiguous_sentence_is_refused_with_its_readings(desk):
    said = desk.run("policy", "claim", "rsp.yaml", "--claim", "nothing is ever deployed", "--format", "json")
    assert said.code == 2
    assert said.json["error"]["code"] == "claim-ambiguous"
    assert "nothing is ever deployed to partners; " in said.json["error"]["hint"]


def test_a_file_of_claims_fails_once_an_amendment_breaks_one(desk):
    desk.file("c.yaml", CLAIMS)
    desk.do("policy", "claim", "--claims", "c.yaml")
    opened = template("rsp").replace("    holds: [release.weights]", "    holds: [delete.weights]")
    desk.file("rsp.yaml", opened)
    said = desk.run("policy", "claim", "--claims", "c.yaml", "--format", "plain")
    assert said.code == 1
    assert "permitted: release.weights" in said.out


def test_claims_as_json_tell_who_was_asked(desk):
    desk.file("c.yaml", CLAIMS)
    first, second = desk.do("policy", "claim", "--claims", "c.yaml", "--format", "json").json["claims"]
    assert (first["true"], first["situation"]["action"]) == (False, "train")
    assert (second["true"], second["situation"]) == (True, None)
    assert {item["name"]: item["said"] for item in second["solvers"]} == {"z3": "unsat", "cvc5": "unsat"}
    assert second["rests_on"]
    assert second["means"] == "there is no situation in which release.weights is permitted and lighthouse-rsp binds"


def test_a_policy_of_the_library_is_asked_by_its_id(empty):
    sentence = "no model shown at least 100% on critical-capability is ever trained without adequate-mitigation"
    assert empty.do("policy", "claim", "meta-faf-1.1", "--claim", sentence).out.startswith("TRUE")


def test_what_nobody_read_of_an_encoding_is_not_asked_about(empty):
    said = empty.run("policy", "claim", "eu-gpai-code-safety", "--claim", "no weights are ever released")
    assert said.code == 3
    assert "claim-unread" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rsp.yaml",), "give --claims FILE or --claim SENTENCE"),
        (("--claim", "nothing is ever trained"), "no policy is named"),
        (("rsp.yaml", "--claim", "models are safe"), "`models` is not expected here"),
        (("rsp.yaml", "--claim", "nothing is ever \u202etrained"), "invisible character"),
        (("rsp.yaml", "--claims", "rsp.yaml"), "P208"),
        (("none.yaml", "--claim", "nothing is ever trained"), "cannot read"),
    ],
)
def test_what_is_no_question_is_refused(desk, arguments, words):
    said = desk.run("policy", "claim", *arguments)
    assert said.code == 2
    assert words in said.err
