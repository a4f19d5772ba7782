"""`scalegate policy lint`: exit codes, formats, and what stands on stdout."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scalegate.cli.main import main
from scalegate.lint.registry import RULES
from scalegate.lint.rule import FAMILIES
from tests.conftest import ROOT
from tests.lint.pages import completed

MINIMAL = str(ROOT / "examples" / "policies" / "minimal.yaml")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with policies: one that nothing is wrong with, one with an error, one that is no policy."""
    monkeypatch.chdir(tmp_path)
    Path("clean.yaml").write_text(completed("version: '1'\n"), "utf-8")
    Path("bad.yaml").write_text(completed("stop orders: {by: developer}\n"), "utf-8")
    silenced = "stop orders: {by: developer}  # lint: ignore GOV-009: no office yet\n"
    Path("silenced.yaml").write_text(completed(silenced), "utf-8")
    Path("broken.yaml").write_text("scalegate: policy/v1\n", "utf-8")
    return tmp_path


def lint(capsys, *arguments):
    code = main(["policy", "lint", *arguments])
    return code, capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.yaml"], 0),
        (["clean.yaml", "--strict"], 0),
        (["bad.yaml"], 1),
        (["silenced.yaml", "--strict"], 0),
        (["bad.yaml", "--ignore", "GOV-009"], 0),
        (["bad.yaml", "--ignore", "GOV"], 0),
        (["bad.yaml", "--select", "THR,EVA"], 0),
        (["bad.yaml", "--select", "gov-009"], 1),
        (["clean.yaml", "bad.yaml"], 1),
        (["broken.yaml"], 2),
        (["bad.yaml", "broken.yaml"], 2),
        ([], 2),
        (["absent.yaml"], 2),
        (["clean.yaml", "--since", "broken.yaml"], 2),
        (["clean.yaml", "--since", "clean.yaml"], 0),
        (["clean.yaml", "--select", "GOV-999"], 2),
        (["clean.yaml", "--select", "GOV-009", "--ignore", "GOV"], 2),
        (["--explain", "GOV-009"], 0),
        (["--explain", "nonsense"], 2),
        ([MINIMAL], 0),
        ([MINIMAL, "--strict"], 1),
    ],
)
@pytest.mark.usefixtures("place")
def test_the_exit_code_is_the_answer(capsys, arguments, code):
    found, _ = lint(capsys, *arguments)
    assert found == code


@pytest.mark.usefixtures("place")
def test_findings_are_shown_with_their_line(capsys):
    _, said = lint(capsys, "bad.yaml")
    assert "error GOV-009: `developer` gives stop orders" in said.out
    assert "^^^^^^^^^" in said.out
    assert "bad.yaml: 1 error; " in said.out


@pytest.mark.usefixtures("place")
def test_what_is_suppressed_is_shown_and_counted(capsys):
    _, said = lint(capsys, "silenced.yaml")
    assert "suppressed: no office yet" in said.out
    assert "1 suppressed" in said.out


@pytest.mark.usefixtures("place")
def test_json_is_one_object(capsys):
    _, said = lint(capsys, "bad.yaml", "silenced.yaml", "broken.yaml", "--format", "json")
    bad, silenced, broken = json.loads(said.out)["files"]
    assert [item["rule"] for item in bad["findings"]] == ["GOV-009"]
    assert [item["suppressed"] for item in silenced["findings"]] == ["no office yet"]
    assert broken["malformed"]
    assert "RSP-009" in bad["not checkable"]


@pytest.mark.usefixtures("place")
def test_sarif_and_junit_own_stdout(capsys):
    code, said = lint(capsys, "bad.yaml", "broken.yaml", "--format", "sarif")
    assert code == 2
    assert json.loads(said.out)["version"] == "2.1.0"
    code, said = lint(capsys, "bad.yaml", "--format", "junit")
    assert code == 1
    assert ET.fromstring(said.out).get("failures") == "1"  # noqa: S314 - our own document


@pytest.mark.usefixtures("place")
def test_github_gets_commands(capsys):
    _, said = lint(capsys, "bad.yaml", "--format", "github")
    assert said.out.startswith("::error file=bad.yaml,line=")


@pytest.mark.usefixtures("place")
def test_no_word_of_a_policy_becomes_a_command(capsys):
    text = completed('declares:\n  retention: {says: "as feasible ::error::owned ##[group]x", number: 90 days}\n')
    Path("hostile.yaml").write_text(text, "utf-8")
    for form in ("human", "plain", "json", "sarif", "junit", "github"):
        _, said = lint(capsys, "hostile.yaml", "--format", form, "--select", "LEX-002")
        lines = [line for line in said.out.splitlines() if line.lstrip().startswith("::")]
        assert all(line.startswith("::warning file=") for line in lines)
        assert "##[" not in said.out


@pytest.mark.usefixtures("place")
def test_the_scorecard_gives_reasons_and_no_mark(capsys):
    code, said = lint(capsys, "bad.yaml", "--scorecard", "--format", "json")
    assert code == 1
    (card,) = json.loads(said.out)["files"]
    assert [family["family"] for family in card["families"]] == list(FAMILIES.values())
    rows = [row for family in card["families"] for row in family["rules"]]
    assert len(rows) == len(RULES)
    assert all(row["reasons"] for row in rows)
    assert not any(isinstance(value, int | float) for row in rows for value in row.values())
    _, said = lint(capsys, "bad.yaml", "--scorecard")
    for words in ("found         GOV-009", "clean         THR-001", "not checkable RSP-009"):
        assert words in said.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_explained_by_what_its_page_says(capsys, rule):
    _, said = lint(capsys, "--explain", rule.id)
    flat = " ".join(said.out.split())
    page = " ".join((ROOT / "docs" / "rules" / f"{rule.id}.md").read_text("utf-8").split())
    for words in (rule.summary, rule.why, rule.fix):
        assert words in flat
        assert words in page


@pytest.mark.usefixtures("place")
def test_an_older_version_is_compared_with(capsys):
    older = Path("clean.yaml").read_text("utf-8").replace("autonomy <= 50%", "autonomy <= 40%")
    Path("older.yaml").write_text(older, "utf-8")
    code, said = lint(capsys, "clean.yaml", "--since", "older.yaml", "--select", "RSP-009,GOV-004")
    assert code == 1
    assert "`takeover-line` stops at 50% on `autonomy`, and not at 40%" in said.out
    assert "the changelog does not say so" in said.out


@pytest.mark.parametrize("more", [("--scorecard",), ("--explain", "THR-001")])
@pytest.mark.parametrize("form", ["sarif", "junit", "github"])
def test_what_is_no_list_of_findings_has_no_form_of_one(more, form):
    assert main(["policy", "lint", MINIMAL, *more, "--format", form]) == 2
