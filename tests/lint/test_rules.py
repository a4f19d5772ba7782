"""Rules beyond the examples of their pages: where they have to speak, and where they have to be silent."""

from fractions import Fraction
from pathlib import Path

import pytest

from scalegate.lint.conditions import always, never, shown
from scalegate.lint.eva_014_buffer_rule import growth
from scalegate.lint.registry import RULES
from scalegate.lint.run import lint, subject_of
from scalegate.lint.thr_013_noise import clean_items
from scalegate.policy import load
from scalegate.stats.binomial import tail_at_least
from tests.conftest import ROOT
from tests.lint.pages import completed
from tests.lint.policies import judged, line, messages, report

DUE = "    by: auditor\n    due: at 4x or 3 months\n    no result, stop: at 6x or 4 months\n"
PROBE = f"    kind: capability\n    test: bank@sha256:{'a' * 64}\n    score: success rate\n"
BANK = f"evaluations:\n  autonomy:\n{PROBE}    estimand: bank of 300 items\n{DUE}"
EXAMPLES = sorted((ROOT / "examples" / "policies").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_no_error(path: Path) -> None:
    found = lint(subject_of(path.read_text("utf-8"), path.name), RULES).open("error")
    assert [item.message for item in found] == []


@pytest.mark.parametrize("name", ["stop", "calendar-pause"])
def test_a_declared_stop_and_a_pause_by_the_calendar_are_clean(name: str) -> None:
    text = (ROOT / "examples" / "policies" / f"{name}.yaml").read_text("utf-8")
    found = lint(subject_of(text, name), RULES).open("error", "warning")
    assert [item.message for item in found] == []


def test_a_declared_hole_is_clean_and_a_missing_resumption_is_not() -> None:
    assert messages(line("autonomy <= 20%", "motives"), "RSP-003", "UND-001", "UND-002") == []
    missing = "commitments:\n  line: {hold: [train, deploy], unless shown: autonomy <= 20%}\n"
    assert len(messages(missing, "RSP-003")) == 1


@pytest.mark.parametrize(
    ("resume", "severities"),
    [
        ("approved by developer", ["error"]),
        ("approved by regulator", ["warning"]),  # a license; still no measure
        ("approved by regulator and after 2030-01-01", ["warning"]),
        ("approved by regulator and deception < 10%", []),
        ("after 2030-01-01", []),
        ("weight-security", []),
        ("not overdue incident-report", []),
        ("published", ["error"]),
    ],
)
def test_what_a_resumption_has_to_have(resume: str, severities: list[str]) -> None:
    assert [item.diagnostic.severity for item in judged(line("autonomy <= 20%", resume), "RSP-003")] == severities


# ---------------------------------------------------------------- conditions that always or never hold


@pytest.mark.parametrize(
    ("condition", "is_always", "is_never"),
    [
        ("autonomy <= 100%", True, False),
        ("autonomy < 100%", False, False),
        ("autonomy >= 0%", True, False),
        ("autonomy > 0%", False, False),
        ("autonomy <= 0%", False, True),
        ("autonomy < 0%", False, True),
        ("autonomy >= 100%", False, True),
        ("autonomy > 100%", False, True),
        ("not autonomy > 100%", True, False),
        ("always", True, False),
        ("never", False, True),
        ("autonomy <= 20% and never", False, True),
        ("autonomy <= 20% or always", True, False),
        ("autonomy <= 20% or autonomy > 10%", True, False),
        ("autonomy <= 10% or autonomy > 20%", False, False),
        ("autonomy > 20% and autonomy <= 10%", False, True),
        ("autonomy > 10% and autonomy <= 20%", False, False),
        ("at least 2 of (autonomy <= 20%, never, never)", False, True),
        ("at least 1 of (autonomy <= 20%, always)", True, False),
    ],
)
def test_what_no_evidence_could_change(condition: str, *, is_always: bool, is_never: bool) -> None:
    kernel = load(completed(line(condition)))
    said = shown(kernel.commitments[0])
    assert always(kernel, said) is is_always
    assert never(kernel, said) is is_never


def test_a_bank_can_show_a_rate_of_nothing_and_a_population_cannot() -> None:
    assert messages(line("autonomy <= 0%"), "THR-011") != []
    assert messages(BANK + line("autonomy <= 0%"), "THR-011") == []


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize(
    ("rate", "error"),
    [(Fraction(1, 1000), Fraction(1, 1000)), (Fraction(1, 20), Fraction(1, 1000)), (Fraction(1, 3), Fraction(1, 20))],
)
def test_so_many_clean_items_are_needed_and_no_fewer(rate: Fraction, error: Fraction) -> None:
    needed = clean_items(rate, error)
    assert (1 - rate) ** needed <= error < (1 - rate) ** (needed - 1)
    assert tail_at_least(needed, needed, 1 - rate) <= error


def test_the_noise_of_a_threshold_is_told_in_items() -> None:
    (found,) = judged(line("autonomy <= 0.1%"), "THR-013")
    assert "6,905 items" in found.diagnostic.cause
    assert "1 time in 1,000" in found.diagnostic.cause


@pytest.mark.parametrize(
    ("planned", "flagged"), [("134 items", True), ("135 items", False), ("1,000 questions", False)]
)
def test_a_threshold_is_compared_with_the_planned_items(planned: str, *, flagged: bool) -> None:
    said = f'declares:\n  sample size: {{says: planned, number: "{planned}"}}\n'
    found = messages(line("autonomy <= 5%") + said, "THR-013")
    assert bool(found) is flagged


def test_a_threshold_that_no_run_decides_is_called_so() -> None:
    (message,) = messages(line("autonomy <= 0.001%"), "THR-013")
    assert "can never be shown" in message


def test_a_threshold_below_one_item_of_its_bank_is_seen() -> None:
    assert "one of the 300 items" in messages(BANK + line("autonomy <= 0.1%"), "THR-013")[0]
    assert messages(BANK + line("autonomy <= 1%"), "THR-013") == []


@pytest.mark.parametrize(("resume", "flagged"), [("19.5%", True), ("19%", True), ("15%", False), ("10%", False)])
def test_the_gap_between_the_lines_is_compared_with_the_noise(resume: str, *, flagged: bool) -> None:
    found = messages(line("autonomy <= 20%", f"autonomy <= {resume} and weight-security"), "THR-014")
    assert bool(found) is flagged


# ---------------------------------------------------------------- the buffer


@pytest.mark.parametrize(
    ("declared", "recovered", "expected"),
    [("", "80%", Fraction(5, 4)), ("", "50%", Fraction(2)), ("3x", "80%", Fraction(3)), ("", "", Fraction(1))],
)
def test_under_elicitation_is_declared_or_recovered_or_favorable(
    declared: str, recovered: str, expected: Fraction
) -> None:
    hidden = f"    hidden capability: {{spike-in recovered: at least {recovered}}}\n" if recovered else ""
    said = f"declares:\n  elicitation: {{says: fine-tuning, number: {declared}}}\n" if declared else ""
    text = completed(f"evaluations:\n  autonomy:\n{PROBE}{hidden}{DUE}{said}")
    subject = subject_of(text, "policy.yaml")
    assert growth(subject, subject.kernel.evaluations["autonomy"])[0] == expected


def test_the_buffer_rule_shows_its_arithmetic() -> None:
    found = judged(
        "kind: reference\ndeclares:\n"
        "  cadence: {says: tests, number: 4x and 3 months, source: T}\n"
        "  elicitation: {says: fine-tuning misses a factor, number: 2x, source: T}\n"
        "  safety buffer: {says: a margin, number: 6x, source: T}\n",
        "EVA-014",
    )
    assert found
    assert all("6 / (4 x 2) = 0.75" in item.diagnostic.cause for item in found)


# ---------------------------------------------------------------- exceptions, powers, beliefs


def exception(when: str, floor: str, needs: str, sunset: str = "{each: 30 days, in any 12 months: 60 days}") -> str:
    return (
        "exceptions:\n  rival:\n    instead of: autonomy-line\n"
        f"    when: {when}\n    resume only if shown: {floor}\n    needs: [{needs}]\n    sunset: {sunset}\n"
    )


def test_an_exception_with_evidence_floor_approver_and_publication_is_only_shown() -> None:
    text = exception("attested rival-ahead by auditor", "weight-security", "approved by board, published")
    found = report(text, *(rule.id for rule in RULES if rule.family == "race"))
    assert {item.diagnostic.code for item in found.judged} == {"RAC-001"}


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("published", ["error"]),
        ("approved by developer, published", ["error"]),
        ("approved by auditor, published", ["warning"]),  # who attests the need
        ("approved by board, published", []),
    ],
)
def test_who_approves_an_exception(needs: str, expected: list[str]) -> None:
    text = exception("attested rival-ahead by auditor", "weight-security", needs)
    assert [item.diagnostic.severity for item in judged(text, "RAC-005")] == expected


def test_a_floor_of_time_alone_is_none() -> None:
    text = exception("attested rival-ahead by auditor", "after 2027-01-01", "approved by board, published")
    assert messages(text, "RAC-003") == ["the floor of `rival` is made of time alone"]


@pytest.mark.parametrize(
    ("claim", "kind", "supported"),
    [
        ("evaluation gaming is excluded", "safety", True),
        ("gradient hacking is excluded", "capability", True),
        ("the model is aligned", "capability", False),
        ("deceptive alignment is excluded", "safety", False),
        ("sandbagging is excluded", "safety", False),
        ("sandbagging is excluded", "capability", True),
    ],
)
def test_what_a_kind_of_evaluation_can_bear(claim: str, kind: str, *, supported: bool) -> None:
    believed = f"    believable only if: {{{claim}: attested by auditor, expires: 6 months}}\n"
    due = DUE if kind == "capability" else "    by: auditor\n    valid for: {time: 6 months}\n"
    text = f"evaluations:\n  probe:\n{PROBE.replace('capability', kind)}{believed}{due}"
    assert (messages(text, "EVA-015") == []) is supported


# ---------------------------------------------------------------- what nobody read


def test_what_is_missing_where_nobody_read_is_a_note() -> None:
    missing = "kind: reference\ndeclares:\n  approver: {says: the board, source: T}\n"
    assert [item.diagnostic.severity for item in judged(missing, "EVA-007")] == ["error"]
    (found,) = judged(f"unread: [declares.anti-sandbagging]\n{missing}", "EVA-007")
    assert found.unread
    assert (found.diagnostic.severity, found.diagnostic.message) == ("note", "not read here: anti-sandbagging")
    unread = missing + "  anti-sandbagging: {says: not read, source: T, read: unread}\n"
    assert [item.unread for item in judged(unread, "EVA-007")] == [True]


@pytest.mark.parametrize("path", ["commitments", "train"])
def test_a_hold_that_nobody_looked_for_is_not_missing(path: str) -> None:
    text = "commitments:\n  line: {hold: deploy, unless shown: autonomy < 50%, once crossed: never, source: T}\n"
    assert [item.diagnostic.severity for item in judged(f"kind: reference\n{text}", "RSP-002")] == ["error"]
    (found,) = judged(f"kind: reference\nunread: [{path}]\n{text}", "RSP-002")
    assert found.unread


def test_an_adjective_decides_also_beside_the_number_of_another_threshold() -> None:
    said = "kind: reference\ndeclares:\n  thresholds: {says: %s, number: 2x, source: T}\n"
    assert len(messages(said % "novices are significantly helped", "THR-004")) == 1
    assert messages(said % "novices are helped at twice the rate", "THR-004") == []


def test_a_declaration_that_there_is_nothing_is_no_declaration() -> None:
    text = "kind: reference\ndeclares:\n  changelog: {says: none is kept, source: T}\n"
    assert messages(text, "GOV-003") == ["no record of changes is kept"]


def test_a_practice_that_the_gate_does_not_enforce_is_a_note_in_a_policy_of_ones_own() -> None:
    (found,) = judged("declares:\n  approver: the board\n", "GOV-007")
    assert (found.diagnostic.severity, found.unread) == ("note", False)
