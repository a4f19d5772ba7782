"""Policies that have a fault in other words than the example of its page, and innocent ones in guilty words."""

import pytest

from scalegate.lint.registry import BY_ID
from scalegate.lint.run import lint, subject_of
from scalegate.policy import load
from tests.lint.pages import completed
from tests.lint.policies import line, messages

DUE = "    by: auditor\n    due: at 4x or 3 months\n    no result, stop: at 6x or 4 months\n"
SAME = "capabilities:\n  self-replication: {tested by: autonomy}\n"
SECOND = "roles:\n  second: {independent of: [regulator]}\n"
RIVAL = (
    "exceptions:\n  rival:\n    instead of: autonomy-line\n    when: {when}\n    resume only if shown: {floor}\n"
    "    needs: {needs}\n    sunset: {{each: 30 days, in any 12 months: 60 days}}\n"
)


def probe(name: str, **words: str) -> str:
    """An evaluation of the base with some keys written anew."""
    keys = {
        "kind": "capability",
        "test": f"bank@sha256:{'9f1c7d' * 10}a3e5",
        "score": "success rate",
        "elicited by": "[prompting, fine-tuning]",
        "hidden capability": "{spike-in recovered: at least 80%}",
        "shown to work by": "{known positives flagged: at least 19 of 20}",
        "by": "auditor",
        "due": "at 4x or 3 months",
        "no result, stop": "at 6x or 4 months",
    } | {key.replace("_", " "): value for key, value in words.items()}
    return f"evaluations:\n  {name}:\n" + "".join(f"    {key}: {value}\n" for key, value in keys.items() if value)


def exception(when: str = "attested rival-ahead by auditor", floor: str = "deception < 15%", needs: str = "") -> str:
    return RIVAL.format(when=when, floor=floor, needs=needs or "[approved by board, published]")


CLAIMED = "attested good-enough by developer"
EVASIONS = {
    "a bound that every result meets, beside a judgment": ("THR-001", line(f"autonomy <= 100% and {CLAIMED}")),
    "a digest that repeats itself": ("THR-003", probe("autonomy", test=f"bank@sha256:{'deadbeef' * 8}")),
    "a digest of one digit": ("THR-003", probe("autonomy", test=f"bank@sha256:{'1' * 64}")),
    "a number to be announced": ("THR-003", "declares:\n  notice: {says: days of notice are TBA}\n"),
    "a floor that nearly everything reaches": ("THR-006", line("deception >= 5%", "weight-security")),
    "a ceiling that is a floor denied": ("THR-006", line("not deception > 60%", "weight-security")),
    "a floor that falls": ("THR-007", line("deception >= 80%", "deception >= 70% and weight-security")),
    "a ceiling that is denied twice": ("THR-007", line("not autonomy > 20%", "not autonomy > 25% and weight-security")),
    "a clock of a million": ("EVA-002", probe("autonomy", due="at 90000x or 3 months", **{"no result, stop": ""})),
    "a clock of ten years": (
        "EVA-002",
        probe("autonomy", **{"due": "at 4x or 120 months", "no result, stop": "at 6x or 121 months"}),
    ),
    "a buffer that is only declared": (
        "EVA-004",
        probe("autonomy", **{"due": "at 4x or 3 months", "no result, stop": ""})
        + "declares:\n  safety buffer: a large one\n",
    ),
    "fine-tuning, denied": ("EVA-005", probe("autonomy", elicited_by="[prompting, no-fine-tuning]")),
    "hidden things that are hardly ever found": (
        "EVA-007",
        probe("autonomy", hidden_capability="{spike-in recovered: at least 1%}"),
    ),
    "known positives that are hardly ever flagged": (
        "EVA-017",
        probe("autonomy", shown_to_work_by="{known positives flagged: at least 1 of 20}"),
    ),
    "two words in the place of one": (
        "RSP-005",
        line("autonomy <= 20%", f"weight-security or ({CLAIMED} and attested fine by developer)"),
    ),
    "silence in the place of a measure": (
        "RSP-005",
        line("autonomy <= 20% or not attested trouble by developer", "weight-security"),
    ),
    "rivals in the place of a measure": (
        "RSP-005",
        line("autonomy <= 20%", "weight-security or attested rivals-are-close by developer"),
    ),
    "two words of one person": (
        "RSP-010",
        line("autonomy <= 20%", "weight-security or (attested fine by auditor and attested safe by auditor)"),
    ),
    "the same test, and the developer's word": ("RSP-011", line("autonomy <= 20%", f"autonomy <= 10% and {CLAIMED}")),
    "a clause about rivals inside a commitment": (
        "RAC-001",
        line("autonomy <= 20%", "weight-security or attested rivals-are-close by auditor"),
    ),
    "a rival by another word": ("RAC-001", exception("attested another-lab-is-ahead by auditor")),
    "independent evidence, or none": (
        "RAC-002",
        exception("attested rival-ahead by auditor or attested rival-close by developer"),
    ),
    "evidence by silence": ("RAC-002", exception("not attested rival-is-safe by auditor")),
    "a floor, or none": ("RAC-003", exception(floor=f"deception < 15% or {CLAIMED}")),
    "published, or not": ("RAC-004", exception(needs="[approved by board, published or approved by developer]")),
    "approved by the board, or by oneself": (
        "RAC-005",
        exception(needs="[approved by board or approved by developer, published]"),
    ),
    "independent of somebody else": (
        "GOV-009",
        "roles:\n  second: {independent of: [regulator]}\nstop orders: {by: second}\n",
    ),
    "measured by whoever is independent of somebody else": ("EXT-001", SECOND + probe("autonomy", by="second")),
    "understanding for what nobody fears": (
        "UND-001",
        (
            "commitments:\n  line: {hold: [train, deploy], unless shown: autonomy <= 20%, "
            '"once crossed, resume only if shown": deception < 10%}\n'
            "  motives: {hold: delete.weights, unless shown: autonomy <= 50%, "
            '"once crossed, resume only if shown": motives}\n'
        ),
    ),
    "a date that nobody lives to see": (
        "UND-002",
        (
            "evaluations:\n  motives:\n    kind: understanding\n    hole: nobody knows\n    owner: team\n"
            "    filled only by: [board, auditor]\n    review by: 2126-01-01\n"
        ),
    ),
    "a red team that fails by succeeding": (
        "SAF-002",
        (
            "safeguards:\n  weight-security:\n"
            f"    means: controls@sha256:{'fa8eab5c93e0e294' * 3}830521dfacf9056e\n    stops: thieves\n"
            f"    because: case@sha256:{'b37bf8350fdab688' * 3}0640ed803a85ae54\n"
            "    fails if: red-team-theft > 2 of 3\n    by: auditor\n    valid for: {time: 12 months}\n"
        ),
    ),
    "weights as easy as the strictest line of the API": (
        "DEP-003",
        (
            "commitments:\n  low: {hold: deploy.api, unless shown: autonomy <= 5%, "
            '"once crossed, resume only if shown": weight-security}\n'
            "  high: {hold: deploy.api, unless shown: autonomy <= 50%, "
            '"once crossed, resume only if shown": weight-security}\n'
            "  weights: {hold: release.weights, unless shown: autonomy <= 5%, "
            '"once crossed, resume only if shown": weight-security}\n'
        ),
    ),
    "an incident by another name": (
        "DIS-002",
        (
            "obligations:\n  mishaps:\n    does: tell the regulator about a breach\n    within: 90 days\n"
            "    from: breach-found by developer\n    met when: told by regulator\n"
        ),
    ),
}


@pytest.mark.parametrize(("rule", "fragment"), EVASIONS.values(), ids=EVASIONS)
def test_other_words_do_not_hide_a_fault(rule: str, fragment: str) -> None:
    assert messages(fragment, rule)


INNOCENT = {
    "a hold on a floor": ("THR-007", line("deception >= 80%", "deception >= 90% and weight-security")),
    "a high floor": ("THR-006", line("deception >= 80%", "weight-security")),
    "a digest that begins alike": ("THR-003", probe("autonomy", test=f"bank@sha256:{'ab' * 20}{'0c9d7e51f3a2' * 2}")),
    "fine-tuning, and no refusals": (
        "EVA-005",
        probe("autonomy", elicited_by="[prompting, fine-tuning-to-no-refusals]"),
    ),
    "both must speak, one from outside": (
        "RSP-005",
        line("autonomy <= 20%", "weight-security or (attested fine by regulator and attested fine by developer)"),
    ),
    "two people": (
        "RSP-010",
        line("autonomy <= 20%", "weight-security or (attested fine by auditor and attested fine by regulator)"),
    ),
    "evidence of both": ("RAC-002", exception("attested rival-ahead by auditor and attested rival-close by developer")),
    "a floor on either way": ("RAC-003", exception(floor="deception < 15% or weight-security")),
    "a floor that is denied twice": ("RAC-003", exception(floor="not deception > 15%")),
    "a go-ahead": ("RAC-001", line("autonomy <= 20%", "weight-security or attested go-ahead by board")),
    "harm to others": ("RAC-006", line("autonomy <= 20% and attested no-harm-to-others by auditor")),
    "the lead auditor": (
        "RAC-001",
        line("autonomy <= 20%", "weight-security or attested lead-auditor-agrees by board"),
    ),
    "a standard of the industry": ("RAC-006", line("autonomy <= 20% and attested industry-standard-met by auditor")),
    "a month called May": ("LEX-001", "declares:\n  notice: {says: published since May 2026, number: 30 days}\n"),
    "what nobody may do": ("LEX-001", "declares:\n  threshold rewrite: {says: nobody may redraw a line}\n"),
    "what may only be done so": ("LEX-001", "declares:\n  threshold rewrite: {says: it may only be tightened}\n"),
    "results, and no incident": (
        "DIS-002",
        (
            "obligations:\n  results:\n    does: publish dangerous capabilities\n    within: 30 days\n"
            "    from: result-found by developer\n    met when: told by regulator\n"
        ),
    ),
    "one of two independent approvals": (
        "RAC-005",
        exception("attested rival-ahead by regulator", needs="[approved by board or approved by auditor, published]"),
    ),
}


@pytest.mark.parametrize(("rule", "fragment"), INNOCENT.values(), ids=INNOCENT)
def test_guilty_words_are_no_fault(rule: str, fragment: str) -> None:
    assert messages(fragment, rule) == []


def since(fragment: str, older: str, rule: str) -> list[str]:
    subject = subject_of(completed(fragment), "new.yaml", load(completed(older), "old.yaml"))
    return [item.diagnostic.message for item in lint(subject, [BY_ID[rule]]).judged]


def test_a_way_out_that_asks_another_is_wider() -> None:
    found = since(exception(needs="[approved by developer, published]"), exception(), "RAC-007")
    assert any("no longer needs" in message for message in found)
    found = since(exception("attested rival-ahead by developer"), exception(), "RAC-007")
    assert any("opens on" in message for message in found)
    narrower = exception("attested rival-ahead by auditor and attested emergency by regulator")
    assert since(narrower, exception(), "RAC-007") == []


@pytest.mark.parametrize(
    ("fragment", "older"),
    [
        ("roles:\n  board: {quorum: 1 of 3, independent of: [developer]}\n", SAME),
        ("amendments: {approved by: board, notice: 1 days, weakening: forbidden while holding}\n", SAME),
        ("scope: effective compute > 1e27 FLOP\n", SAME),
        (probe("autonomy", hidden_capability="{spike-in recovered: at least 60%}"), probe("autonomy")),
        (probe("autonomy", **{"wrongly cleared at most": "1 in 5"}), probe("autonomy")),
        (
            (
                "obligations:\n  incident-report: {does: tell, within: 9 days, "
                "from: a by developer, met when: b by regulator}\n"
            ),
            SAME,
        ),
    ],
    ids=["quorum", "notice", "scope", "recovery", "error", "clock"],
)
def test_no_part_of_a_policy_changes_in_silence(fragment: str, older: str) -> None:
    assert since(fragment, older, "GOV-004")
