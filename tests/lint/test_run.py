"""Running rules: suppressions, what cannot be asked, the scorecard."""

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.lint.registry import BY_ID, RULES
from scalegate.lint.rule import FAMILIES
from scalegate.lint.run import lint, subject_of
from scalegate.lint.scorecard import scorecard
from scalegate.policy import load
from tests.lint.pages import completed
from tests.lint.policies import report

BAD = "stop orders: {by: developer}"


def test_a_reason_suppresses_and_is_shown() -> None:
    found = report(f"{BAD}  # lint: ignore GOV-009: the regulator does not exist yet\n", "GOV-009")
    assert found.open("error", "warning", "note") == ()
    assert [item.suppressed for item in found.suppressed] == ["the regulator does not exist yet"]
    assert [item.status for item in found.outcomes] == ["found"]


@pytest.mark.parametrize(
    "comment",
    [
        "# lint: ignore GOV-009",
        "# lint: ignore GOV-009:",
        "# lint: ignore GOV-008: another rule",
        "# lint: ignored GOV-009: another word",
        "# GOV-009: no order",
    ],
)
def test_nothing_else_suppresses(comment: str) -> None:
    found = report(f"{BAD}  {comment}\n", "GOV-009")
    assert len(found.open("error")) == 1
    assert found.suppressed == ()


def test_several_rules_share_a_reason() -> None:
    found = report(f"{BAD}  # lint: ignore GOV-001, GOV-009: for now\n", "GOV-009")
    assert [item.suppressed for item in found.judged] == ["for now"]


def test_a_comment_on_another_line_suppresses_nothing() -> None:
    found = report(f"# lint: ignore GOV-009: too early\n{BAD}\n", "GOV-009")
    assert len(found.open("error")) == 1


def test_a_value_that_looks_like_a_comment_is_a_value() -> None:
    said = "as an internal document says # lint: ignore LEX-003: quoted"
    found = report(f'declares:\n  retention: {{says: "{said}", number: 90 days}}\n', "LEX-003", "LEX-004")
    assert [item.code for item in found.open("error")] == ["LEX-003"]


def test_the_rule_about_suppressions_cannot_be_suppressed() -> None:
    found = report(f"{BAD}  # lint: ignore LEX-004, GOV-009:\n", "LEX-004")
    assert [item.code for item in found.open("error")] == ["LEX-004"]


@pytest.mark.parametrize(
    ("rule", "kind", "reason"),
    [
        ("RSP-009", "policy", "it compares with an older version, and none was given"),
        ("EVA-009", "policy", "it asks encodings of published texts; here the gate settles it"),
        ("EVA-015", "reference", "it asks what the gate enforces, and this is an encoding for reference"),
        ("GOV-007", "regime", "it asks what a developer promises, and this is a regime or a law"),
    ],
)
def test_what_cannot_be_asked_says_why(rule: str, kind: str, reason: str) -> None:
    text = completed("kind: reference\n" if kind == "reference" else "version: '1'\n")
    if kind == "regime":
        text = text.replace("kind: policy", "kind: regime").replace(
            "scope: effective compute > 1e24 FLOP", "binds: every developer above 1e25 FLOP"
        )
    (found,) = lint(subject_of(text, "policy.yaml"), [BY_ID[rule]]).outcomes
    assert (found.status, found.reason) == ("unchecked", reason)


def test_the_scorecard_has_every_rule_with_a_reason_and_no_mark() -> None:
    cards = scorecard(lint(subject_of(completed(f"{BAD}\n"), "policy.yaml"), RULES))
    assert [card.family for card in cards] == list(FAMILIES.values())
    rows = [row for card in cards for row in card.rows]
    assert [row.rule for row in rows] == [rule.id for rule in RULES]
    assert all(row.reasons and all(row.reasons) for row in rows)
    assert {row.standing for row in rows} == {"found", "clean", "not checkable"}
    (found,) = (row for row in rows if row.rule == "GOV-009")
    assert found.standing == "found"
    assert found.reasons[0].startswith("line ")


def test_a_text_that_is_no_policy_is_refused() -> None:
    with pytest.raises(DiagnosticError):
        subject_of("scalegate: policy/v1\n", "broken.yaml")


def test_an_older_version_is_compared_with() -> None:
    older = load(completed("version: '1'\n"))
    (found,) = lint(subject_of(completed("version: '2'\n"), "new.yaml", older), [BY_ID["RSP-009"]]).outcomes
    assert found.status == "clean"


def test_the_line_ends_of_other_systems_move_nothing() -> None:
    text = completed(f"{BAD}\n")
    (plain,) = lint(subject_of(text, "policy.yaml"), [BY_ID["GOV-009"]]).judged
    (other,) = lint(subject_of(text.replace("\n", "\r\n"), "policy.yaml"), [BY_ID["GOV-009"]]).judged
    assert plain == other
    assert plain.diagnostic.excerpt == other.diagnostic.excerpt
