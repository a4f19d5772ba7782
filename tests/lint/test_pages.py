"""Every rule has a page, and its examples are the rule's tests."""

import pytest

from scalegate.lint.page import head, index
from scalegate.lint.registry import RULES
from scalegate.lint.rule import FAMILIES, Rule
from scalegate.lint.run import lint, subject_of
from scalegate.policy.load import check
from tests.lint.pages import EXAMPLES, FOLDER, marked, outcome, page_of, unmarked

BY_ID = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@BY_ID
def test_the_bad_example_is_flagged_on_its_marked_line(rule: Rule) -> None:
    page = page_of(rule)
    found = outcome(rule, page.bad, page.since)
    assert found.status == "found"
    lines = {item.diagnostic.span.line for item in found.judged if item.diagnostic.span}
    assert lines == {marked(page.bad)}


@BY_ID
def test_the_good_example_is_not_flagged(rule: Rule) -> None:
    page = page_of(rule)
    found = outcome(rule, page.good, page.since)
    assert (found.status, found.judged) == ("clean", ())


@BY_ID
def test_a_finding_names_what_it_points_at(rule: Rule) -> None:
    """The span is a stretch of one line, with something in it, and the excerpt is that line."""
    page = page_of(rule)
    text = unmarked(page.bad).splitlines()
    for item in outcome(rule, page.bad, page.since).judged:
        span = item.diagnostic.span
        assert span is not None
        assert span.line == span.end_line
        assert text[span.line - 1][span.column - 1 : span.end_column - 1].strip()
        assert item.diagnostic.excerpt == text[span.line - 1]


@BY_ID
def test_messages_are_sentences_of_the_house(rule: Rule) -> None:
    page = page_of(rule)
    for item in outcome(rule, page.bad, page.since).judged:
        found = item.diagnostic
        for words in (found.message, found.cause, found.help):
            assert not words.endswith(".")
            assert words.count("`") % 2 == 0
        assert found.message[0] == found.message[0].lower()


@BY_ID
def test_the_page_begins_with_what_the_rule_says(rule: Rule) -> None:
    text = (FOLDER / f"{rule.id}.md").read_text("utf-8")
    assert text.startswith(f"{head(rule)}\n{EXAMPLES}\n")
    field = text.partition(EXAMPLES)[2].partition("##")[0].strip()
    assert field.endswith(".")


@BY_ID
def test_what_a_rule_says_is_in_sentences(rule: Rule) -> None:
    for words in (rule.summary, rule.why, rule.fix):
        assert words.endswith((".", "?"))
    assert rule.id[:3] in FAMILIES
    assert rule.name == rule.name.lower()


def test_the_index_is_that_of_the_rules() -> None:
    assert (FOLDER / "README.md").read_text("utf-8") == index(RULES)


def test_there_is_a_page_for_every_rule_and_no_other() -> None:
    pages = {path.stem for path in FOLDER.glob("*-*.md")}
    assert pages == {rule.id for rule in RULES}
    assert len(RULES) == len({rule.name for rule in RULES}) >= 72


@pytest.mark.parametrize("name", ["base-policy", "base-reference"])
def test_no_rule_finds_anything_in_the_bases(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    assert check(text) == ()
    report = lint(subject_of(text, name), RULES)
    assert [item.diagnostic.message for item in report.judged] == []
    assert sum(item.status == "clean" for item in report.outcomes) > 60
