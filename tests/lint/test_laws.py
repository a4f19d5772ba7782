"""Laws of lint over random policies: it never fails, points into the text, and its outputs stay well-formed."""

import json
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from scalegate.lint.registry import RULES
from scalegate.lint.run import lint, subject_of
from scalegate.lint.scorecard import scorecard
from scalegate.policy import load
from scalegate.report.github import github
from scalegate.report.junit import junit
from scalegate.report.sarif import sarif
from tests.policy.strategies import policy_texts


def pointed(report, text):
    """Whether every finding points at a stretch of the text that has something in it."""
    lines = text.split("\n")
    for item in report.judged:
        span = item.diagnostic.span
        assert span is not None
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= span.end_column or span.line < span.end_line
        assert lines[span.line - 1][span.column - 1 :].strip()
    return True


@settings(max_examples=60, deadline=None)
@given(policy_texts())
def test_every_rule_answers_about_every_policy(text):
    report = lint(subject_of(text, "random.yaml"), RULES)
    assert [item.rule.id for item in report.outcomes] == [rule.id for rule in RULES]
    assert pointed(report, text)
    assert all(item.reason for item in report.outcomes if item.status == "unchecked")
    assert len(scorecard(report)) == 11


@settings(max_examples=30, deadline=None)
@given(policy_texts(), policy_texts())
def test_any_two_policies_can_be_compared(text, other):
    older = load(other, "older.yaml")
    report = lint(subject_of(text, "random.yaml", older), [rule for rule in RULES if rule.compares])
    assert all(item.status != "unchecked" for item in report.outcomes)
    assert pointed(report, text)


@settings(max_examples=30, deadline=None)
@given(policy_texts())
def test_nothing_weakens_from_a_policy_to_itself(text):
    older = load(text, "older.yaml")
    rules = [rule for rule in RULES if rule.compares and not rule.told_by]
    report = lint(subject_of(text, "random.yaml", older), rules)
    assert [item.diagnostic.message for item in report.judged] == []


@settings(max_examples=30, deadline=None)
@given(policy_texts())
def test_every_output_is_well_formed(text):
    report = lint(subject_of(text, "random.yaml"), RULES)
    log = sarif([report], RULES, "1")
    assert json.loads(json.dumps(log, allow_nan=False)) == log
    root = ET.fromstring("\n".join(junit([report], ("error", "warning"))))  # noqa: S314 - our own document
    assert root.get("tests") == str(len(RULES))
    assert all(line.startswith("::") and "\n" not in line for line in github([report]))
