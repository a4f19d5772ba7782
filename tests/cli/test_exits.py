"""Exit codes: one meaning each."""

import re

import pytest

from scalegate.cli import exits
from scalegate.cli.main import VERBS
from tests.cli.lab import ADA, LEA, POLICY
from tests.conftest import ROOT

CODES = {
    "gate train --subject orion --to 4e24": 0,
    "gate train --subject orion --to 4e26": 1,
    "gate deploy.api --subject orion": 0,
    "gate deploy.api --subject vega": 1,
    "gate trian --subject orion --to 4e24": 2,
    "gate train --subject orion --to 4e24.5": 2,
    "gate train --subject orion --to 4e999": 2,
    "gate train --subject orion --to -1": 2,
    "gate train --to 4e24": 2,
    "gate": 2,
    "gate train --subject orion --to 4e24 --store nowhere": 2,
    "gate train --subject orion --to 4e24 --dry-run": 3,
    "gate train --subject orion --to 4e26 --dry-run": 1,
    "gate train --subject orion --to 4e24 --at 2026-09-25": 3,
    "gate evaluate --subject orion": 0,
    "why": 2,
    "why 7": 2,
    "why train --subject orion --to 4e24": 3,
    "why train --subject orion --to 4e26": 1,
    "plan --subject orion --to 4e24": 3,
    "plan --subject orion --to 4e26": 1,
    "status": 0,
    "permit list": 0,
    "policy": 2,
    "policy check acme.yaml": 0,
    "policy check broken.yaml": 2,
    "policy check absent.yaml": 2,
    "policy show acme.yaml": 0,
    "policy show broken.yaml": 2,
    "policy list": 0,
    "policy schema": 0,
    "policy schema --decision": 0,
    "policy new": 0,
    "policy new --template nothing": 2,
    "policy format --check acme.yaml": 0,
    "policy format --check untidy.yaml": 1,
    "subject list": 0,
    "evidence list": 0,
    "evidence check r1.jsonl": 0,
    "evidence check absent.jsonl": 2,
    "evidence check acme.yaml": 2,
    "evidence check cancelled.json": 1,
    "evidence check aggregate.json": 3,
    "": 2,
    "nonsense": 2,
    "--help": 0,
    "--version": 0,
    "--nonsense": 2,
}


@pytest.fixture
def desk(lab):
    """A lab with files of every kind."""
    lab.file("broken.yaml", "scalegate: policy/v1\n")
    lab.file("untidy.yaml", POLICY.replace("id: acme-rsp", "id:    acme-rsp"))
    lab.file("cancelled.json", '{"version":2,"status":"cancelled","eval":{},"samples":[]}')
    lab.file(
        "aggregate.json",
        '{"results":{"t":{"acc,none":0.5,"acc_stderr,none":0.05}},"versions":{"t":1},"configs":{},'
        '"n-samples":{"t":{"original":100,"effective":100}},"lm_eval_version":"0.4.8"}',
    )
    return lab


@pytest.mark.parametrize("line", CODES)
def test_each_command_exits_with_its_one_meaning(desk, line):
    said = desk.run(*line.split())
    assert said.code == CODES[line], said
    assert "Traceback" not in said.out + said.err


def test_every_code_is_reached_by_some_command():
    reached = set(CODES.values()) | {exits.UNTRUSTED, exits.INTERNAL, exits.INTERRUPTED}
    assert reached == set(exits.MEANINGS)


def test_help_and_page_list_every_code(empty):
    page = (ROOT / "docs" / "cli.md").read_text()
    shown = empty.run("--help").out
    for code, words in exits.MEANINGS.items():
        assert re.search(rf"^\| {code} \| {re.escape(words)} \|$", page, re.MULTILINE)
        assert f"{code:<4} {words}" in shown


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("error", [RuntimeError("boom"), RecursionError(), OSError(28, "full")], ids=repr)
def test_an_exception_in_any_verb_is_70_and_no_traceback(lab, monkeypatch, verb, error):
    def fail(*_given, **_more):
        raise error

    monkeypatch.setattr("scalegate.cli.lazy.LazyGroup.get_command", fail)
    for form in ([], ["--format", "json"]):
        said = lab.run(verb, *form)
        assert said.code == 70
        assert "Traceback" not in said.out + said.err
        assert ('"kind": "internal"' in said.out) == bool(form)


def test_a_command_that_forgets_its_answer_has_none(lab, monkeypatch):
    for nothing in (None, True, "yes", 0.0):
        monkeypatch.setattr("click.Group.main", lambda *_, answer=nothing, **__: answer)
        assert lab.gate().code == 70


def test_json_errors_are_one_object(lab):
    for line, kind, code in (
        ("gate train --subject orion --to 4x --format json", "usage", "usage"),
        ("gate trian --subject orion --format=json", "usage", "action-unknown"),
        ("policy check absent.yaml --format json", "usage", "file-unreadable"),
        ("policy show broken.yaml --format json", "malformed", "policy-malformed"),
    ):
        lab.file("broken.yaml", "scalegate: policy/v1\n")
        said = lab.run(*line.split())
        assert said.json["error"]["kind"] == kind
        assert said.json["error"]["code"] == code
        assert set(said.json["error"]) == {"kind", "code", "message", "hint"}


def test_refusals_have_their_codes(lab):
    add = ("evidence", "add", "r1", lab.log("again.jsonl", [0.0] * 100), *LEA)
    assert lab.run(*add).code == exits.NO
    assert lab.run("evidence", "add", "r9", "again.jsonl", *LEA).code == exits.NO
    assert lab.run("stop", "issue", "halt", *ADA).code == exits.NO
    assert lab.run("policy", "adopt", "acme.yaml", *ADA).code == exits.NO
