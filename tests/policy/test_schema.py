"""The schema for editors accepts what the language accepts, and refuses the coarse mistakes."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from scalegate.policy import check
from scalegate.policy.diagnose import Findings
from scalegate.policy.parse import KEYS
from scalegate.policy.schema import json_schema
from scalegate.policy.source import Listing, Node, Scalar, Table, read_source
from scalegate.policy.templates import template
from tests.policy.texts import HEX, REGIME, REPORT, encoding, policy

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "policies").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def plain(node: Node, *, typed: bool) -> object:
    """What an editor sees: all text, or with numbers and nulls as YAML 1.2 reads them."""
    match node:
        case Scalar(text=text, style=style):
            if typed and not style and NUMBER.fullmatch(text):
                return float(text) if "." in text else int(text)
            return None if typed and not style and not text else text
        case Listing(items=items):
            return [plain(item, typed=typed) for item in items]
        case Table(entries=entries):
            return {entry.key.text: plain(entry.value, typed=typed) for entry in entries}


def data(text: str, *, typed: bool) -> object:
    findings = Findings()
    node = read_source(text, "x", findings)
    assert node is not None, findings.sorted()
    return plain(node, typed=typed)


def accepts(text: str) -> bool:
    return all(VALIDATOR.is_valid(data(text, typed=typed)) for typed in (True, False))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path) -> None:
    for typed in (True, False):
        errors = list(VALIDATOR.iter_errors(data(path.read_text("utf-8"), typed=typed)))
        assert not errors, errors[0]


def test_the_keys_are_those_of_the_language() -> None:
    assert set(json_schema()["properties"]) == set(KEYS)


def test_every_key_of_a_policy_is_described() -> None:
    schema = json_schema()
    for key, value in schema["properties"].items():
        known = schema["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else {}
        assert {**known, **value}.get("description"), key


HOLE = "    hole: nobody can say yet which measurement would be enough\n"

BROKEN = {
    "unknown key": ("scope:", "scoop:"),
    "another language": ("policy/v1", "policy/v2"),
    "no id": ("id: starter\n", ""),
    "unknown key of an evaluation": ("score:", "scores:"),
    "unknown kind": ("kind: capability", "kind: ability"),
    "no kind": ("    kind: capability\n", ""),
    "a test without a score": ("    score: tasks solved in at least 1 of 10 tries\n", ""),
    "a hole with a score": ("    test: my-tasks@sha256:", "    hole: my-tasks@sha256:"),
    "a hold of what cannot be held": ("[train, deploy]", "[train, study]"),
    "an unknown action": ("[train, deploy]", "[train, deployment]"),
    "an empty hold": ("[train, deploy]", "[]"),
    "another word for never": ("once crossed: never", "once crossed: no"),
    "a name with a blank": ("by: auditor", "by: the auditor"),
    "a duration without a unit": ("time: 3 months", "time: 3"),
    "a factor without x": ("compute: 4x", "compute: 4"),
    "an empty validity": ("{compute: 4x, time: 3 months}", "{}"),
    "two answers to whom it binds": ("scope:", "binds: every developer\nscope:"),
    "a commitment without a condition": ("unless shown: autonomy <= 20%, ", ""),
    "a commitment without a hold": ("hold: [train, deploy], ", ""),
    "roles as a list": ("{developer: {}, auditor: {independent of: [developer]}}", "[developer, auditor]"),
}


@pytest.mark.parametrize(("old", "new"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_policies_are_refused(old: str, new: str) -> None:
    text = template("minimal")
    assert accepts(text)
    assert old in text
    broken = text.replace(old, new, 1)
    assert not accepts(broken)
    assert any(item.severity == "error" for item in check(broken)), "the language accepts it"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (HOLE, HOLE + "    score: success rate\n"),
        ("tested by: replication", "tested by: replication, owner: evaluations-team"),
        ("{spike-in recovered: at least 80%}", "{spike-in recovered: 80%}"),
        ("attested by auditor, expires: 6 months", "promised by auditor"),
        ("{countersigned by: auditor}", "{signed by: auditor}"),
        ("each: 30 days, in any 12 months: 60 days", "each: 30 days"),
        ("forbidden while holding", "allowed"),
        ("by: auditor\n    wrongly", "by: auditor\n    refuse provenance: dirty revisions\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    accept: later runs\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank of 1 item\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank of 09 items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank of 1_000 items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank of 10000001 items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: population of 300 items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    clustered by: [document, template]\n    wrongly"),
        (HOLE, HOLE + "    estimand: bank of 300 items\n"),
        (HOLE, HOLE + "    clustered by: document\n"),
        ("instead of: replication-line", "in place of: replication-line"),
        ("withdraw: yes", "withdraw: later"),
    ],
)
def test_broken_details_are_refused(old: str, new: str) -> None:
    text = template("rsp")
    assert old in text
    broken = text.replace(old, new, 1)
    assert not accepts(broken)
    assert any(item.severity == "error" for item in check(broken)), "the language accepts it"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hold: train\n", "hold: [train, store.weights]\n"),
        ("by: auditor\n    wrongly", "by: auditor\n    accept: [aggregate, edited scores, earlier runs]\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    refuse provenance: [start not dated]\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: population\n    wrongly"),
        (
            "by: auditor\n    wrongly",
            "by: auditor\n    estimand: bank of 300 items\n    clustered by: document\n    wrongly",
        ),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank of 2 items\n    wrongly"),
        ("by: auditor\n    wrongly", "by: auditor\n    estimand: bank  of 10000000 item\n    wrongly"),
        ("score: tasks solved in at least 1 of 10 tries", "score: mean reward in 4 tries"),
        ("wrongly cleared at most: 1 in 1000", "wrongly cleared at most: 0.1%"),
        ("wrongly stopped at most: 1 in 20", "wrongly stopped at most: 0.05"),
        ("red-team-theft > 0 of 3", "[red-team-theft > 0 of 3, insider-theft > 1 of 9]"),
        ("permits:", "mitigation: {at most: 2%}\nelicitation allowance: 1 in 200\nteachers: do not count\npermits:"),
        ("board: {quorum: 2 of 3,", "board: {quorum: 2 of 3, members: [ada, bea, cleo],"),
        ("attested by auditor, expires: 6 months}", "attested by auditor}"),
        ("scaffolds: [bare, tool-loop], withdraw: yes", "scaffolds: any"),
    ],
)
def test_variants_of_the_language_are_accepted_by_both(old: str, new: str) -> None:
    text = template("rsp")
    assert old in text
    changed = text.replace(old, new, 1)
    assert [item for item in check(changed) if item.severity == "error"] == []
    assert accepts(changed)


DUTIES = {
    "obligations": policy(end=REPORT),
    "practices": policy(end="declares: {drills: rehearsed, notice: {says: told before, modality: may, number: 30}}\n"),
    "aspects": policy(entry="    about: [cadence, deployment]\n"),
    "a regime": policy(extra=REGIME, end=REPORT),
    "an encoding": encoding(
        extra="unread: [cadence, declares.drills]\nassumes: tests tell all\n",
        entry="    unknown: permit\n    modality: recommend\n    source: text\n    read: memory\n",
        end="safeguards: {vault: {concept: level-3, source: text}}\ndeclares: {drills: {says: so, source: text}}\n"
        + REPORT,
    ),
}
SPOILED = {
    "obligations": [
        ("    every: 3 months\n", ""),
        ("    every: 3 months\n", "    every: 3 months\n    within: 3 days\n"),
        ("    within: 72 hours\n", ""),
        ("    within: 72 hours\n", "    within: 72\n"),
        ("    does: publish a review\n", ""),
        ("met when: review-published by auditor", "met when: review-published"),
        ("about:", "abuot:"),
    ],
    "practices": [("drills:", "drill:"), ("modality: may", "modality: might"), ("says:", "words:")],
    "aspects": [("[cadence, deployment]", "[safety buffer]"), ("about:", "regards:")],
    "a regime": [
        ("title: An Act, ", ""),
        ("version: 2026, ", ""),
        ("quorum: 2", "quorum: 2 of 3"),
        ("  roles:\n    auditor: {independent", "  rolls:\n    auditor: {independent"),
        ("kind: regime", "kind: policy"),
        ("jurisdiction: us-ca", "jurisdiction: the state"),
    ],
    "an encoding": [
        ("kind: reference\n", ""),
        ("unknown: permit", "unknown: yes"),
        ("concept: novice-uplift", f"concept: novice-uplift, test: bank@sha256:{HEX}"),
        ("concept: level-3", f"concept: level-3, means: bank@sha256:{HEX}"),
        ("read: memory", "read: guessed"),
        ("date: 2025-10", "date: last year"),
        ("title: A Framework, ", ""),
    ],
}


@pytest.mark.parametrize("name", DUTIES)
def test_duties_are_accepted_by_both(name: str) -> None:
    assert [item for item in check(DUTIES[name]) if item.severity == "error"] == []
    assert accepts(DUTIES[name])


@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, *change) for name, changes in SPOILED.items() for change in changes]
)
def test_broken_duties_are_refused(name: str, old: str, new: str) -> None:
    text = DUTIES[name]
    assert old in text
    broken = text.replace(old, new, 1)
    assert not accepts(broken)
    assert any(item.severity == "error" for item in check(broken)), "the language accepts it"
