"""The rules over the library of published texts: they find what the notes say is there."""

import functools
import re

import pytest

from scalegate.lint.registry import BY_ID, RULES
from scalegate.lint.run import Outcome, lint, subject_of
from scalegate.policy import load
from tests.conftest import ROOT
from tests.lint.published import A1, EXPLAINED, PAIRS, TABLE

FOLDER = ROOT / "src" / "scalegate" / "policy" / "library"
EXPECTED = [
    (rule, name, found)
    for rule, flagged, passing in TABLE
    for found, names in ((True, flagged), (False, passing))
    for name in names
]


@functools.cache
def text_of(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text("utf-8")


@functools.cache
def outcomes(name: str) -> dict[str, Outcome]:
    report = lint(subject_of(text_of(name), f"{name}.yaml"), RULES)
    return {item.rule.id: item for item in report.outcomes}


@pytest.mark.parametrize(("rule", "name", "flagged"), EXPECTED, ids=[f"{rule}-{name}" for rule, name, _ in EXPECTED])
def test_a_rule_finds_what_the_notes_say(rule: str, name: str, *, flagged: bool) -> None:
    found = outcomes(name)[rule].status == "found"
    if (rule, name) in EXPLAINED:
        assert found != flagged, "this agrees by now: take it out of EXPLAINED"
    else:
        assert found == flagged


def test_what_is_explained_is_expected() -> None:
    assert EXPLAINED.keys() <= {(rule, name) for rule, name, _ in EXPECTED}
    assert len(EXPLAINED) / len(EXPECTED) < 0.1


def test_the_number_of_the_first_text_is_not_flagged() -> None:
    """The notes pass the share of autonomy tasks, and so do we: what is flagged beside it has no number."""
    found = [item.diagnostic.message for item in outcomes(A1)["THR-001"].judged]
    assert found
    assert not any("autonomous-replication-tasks" in message for message in found)


@pytest.mark.parametrize(("old", "new", "rule"), PAIRS)
def test_weakenings_between_versions_are_found(old: str, new: str, rule: str) -> None:
    older = load(text_of(old), f"{old}.yaml")
    (found,) = lint(subject_of(text_of(new), f"{new}.yaml", older), [BY_ID[rule]]).outcomes
    assert found.status == "found"
    assert all(item.diagnostic.message for item in found.judged)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_that_was_not_read_is_called_missing(path) -> None:
    """A finding about a declaration that nobody read is a note that says so."""
    subject = subject_of(path.read_text("utf-8"), path.name)
    declares = subject.kernel.duties.declares
    unread = {key for key, item in declares.items() if item.provenance.read == "unread"}
    lines = {subject.key("declares", key).line for key in unread}
    for item in lint(subject, RULES).judged:
        span = item.diagnostic.span
        if span is not None and span.line in lines and span.column == 3:
            assert item.unread, item.diagnostic
            assert item.diagnostic.severity == "note"


def test_every_text_is_linted_without_failing() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert len(names) >= 16
    for name in names:
        assert len(outcomes(name)) == len(RULES)


def test_no_rule_knows_a_framework() -> None:
    ids = [path.stem for path in FOLDER.glob("*.yaml")]
    issuers = {re.split(r"[-.]", name)[0] for name in ids} - {"us", "eu"}
    found = [
        f"{path.name}: {name}"
        for path in (ROOT / "src" / "scalegate" / "lint").glob("*.py")
        for name in (*ids, *issuers)
        if re.search(rf"\b{re.escape(name)}\b", path.read_text("utf-8"), re.IGNORECASE)
    ]
    assert found == []
