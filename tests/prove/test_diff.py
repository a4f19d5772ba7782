"""What an amendment changes: weakening first, each with a situation, whatever its author calls it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalegate.core.kernel import AmendmentRule, Kernel
from scalegate.prove.diff import Change, diff
from tests.prove.policies import BOTH, example, line, policy

TEXT = "unless shown: autonomy <= {} | once crossed, resume only if shown: weight-security"


def _changes(old: Kernel, new: Kernel) -> list[Change]:
    return list(diff(old, new, BOTH).changes)


def test_a_higher_threshold_is_weakening_and_says_where():
    found = diff(policy(line(TEXT.format("20%"))), policy(line(TEXT.format("25%"))), BOTH)
    assert found.weakens is True
    first = found.changes[0]
    assert (first.kind, first.part) == ("weakened", "commitment autonomy-line")
    assert "train" in first.questions
    assert first.witness is not None
    assert first.witness.held[0].held_by == ("commitment autonomy-line",)


def test_tightening_is_no_weakening():
    found = diff(policy(line(TEXT.format("25%"))), policy(line(TEXT.format("20%"))), BOTH)
    assert found.weakens is False
    assert [change.kind for change in found.changes] == ["strengthened"]


def test_weakening_comes_first_beside_any_tightening():
    second = "unless shown: deception <= {} | once crossed: never"
    old, new = (
        policy(
            line(TEXT.format(one))
            + line(second.format(two), name="second", hold="deploy").removeprefix("commitments:\n")
        )
        for one, two in (("20%", "20%"), ("10%", "30%"))
    )
    assert [(change.kind, change.part) for change in _changes(old, new)] == [
        ("weakened", "commitment second"),
        ("strengthened", "commitment autonomy-line"),
    ]


def test_what_another_commitment_still_holds_is_not_weakened():
    second = line(TEXT.format("{}"), name="second").removeprefix("commitments:\n")
    old = policy(line(TEXT.format("10%")) + second.format("20%"))
    new = policy(line(TEXT.format("10%")) + second.format("30%"))
    found = diff(old, new, BOTH)
    assert found.weakens is False
    assert [change.kind for change in found.changes] == ["reworded"]


def test_other_words_for_the_same_are_reworded():
    old = policy(line("unless shown: autonomy <= 20% and deception <= 10% | once crossed: never"))
    new = policy(line("unless shown: deception <= 10% and autonomy <= 1 in 5 | once crossed: never"))
    found = diff(old, new, BOTH)
    assert found.weakens is False
    assert [change.kind for change in found.changes] == ["reworded"]


def test_the_same_text_changed_nothing():
    assert _changes(example("rsp"), example("rsp")) == []


def test_a_commitment_that_is_gone_is_weakening_and_a_new_one_strengthening():
    one = policy(line(TEXT.format("20%")))
    none = replace(one, commitments=())
    gone, new = diff(one, none, BOTH), diff(none, one, BOTH)
    assert gone.weakens is True
    assert "gone" in gone.changes[0].message
    assert new.weakens is False
    assert "new" in new.changes[0].message


def test_a_commitment_in_two_halves_is_neither():
    """What counts is what is held: a split that holds the same is told part by part, and as a whole weakens nothing."""
    one = policy(line(TEXT.format("20%"), hold="[train, deploy]", name="both"))
    two = policy(
        line(TEXT.format("20%"), hold="train", name="training")
        + line(TEXT.format("20%"), hold="deploy", name="use").removeprefix("commitments:\n")
    )
    found = diff(one, two, BOTH)
    assert found.whole.relation == "equivalent"
    assert found.weakens is False


def test_a_wider_exception_is_weakening():
    body = line(TEXT.format("20%"), hold="train") + (
        "exceptions:\n  rival:\n    instead of: autonomy-line\n    when: attested rival by auditor\n"
        "    resume only if shown: autonomy <= 50%\n    needs: [approved by board]\n"
        "    sunset: {{each: {} days, in any 12 months: 90 days}}\n"
    )
    found = diff(policy(body.format(30)), policy(body.format(60)), BOTH)
    assert found.weakens is True
    assert found.changes[0].witness is not None
    assert found.changes[0].witness.permitted[0].escapes == ("rival",)


@pytest.mark.parametrize(
    ("old", "new", "weakens"),
    [
        (AmendmentRule(("auditor", "board"), 30), AmendmentRule(("board",), 30), True),
        (AmendmentRule(("board",), 30 * 86_400), AmendmentRule(("board",), 10 * 86_400), True),
        (AmendmentRule((), 0), AmendmentRule(("board",), 0), True),
        (AmendmentRule(("board",), 0), AmendmentRule((), 0), False),
        (AmendmentRule(("board",), 0), AmendmentRule(("board", "auditor"), 0), False),
    ],
)
def test_how_it_may_be_changed_is_part_of_it(old: AmendmentRule, new: AmendmentRule, *, weakens: bool):
    base = policy(line(TEXT.format("20%")))
    found = diff(replace(base, amendments=old), replace(base, amendments=new), BOTH)
    assert found.weakens is weakens
    assert all(change.part == "amendments" for change in found.changes)


def test_who_may_fill_a_hole_is_part_of_it():
    text = line("unless shown: autonomy <= 20% | once crossed, resume only if shown: motives")
    found = diff(policy(text, fillers="[board, auditor]"), policy(text, fillers="[board]"), BOTH)
    assert found.weakens is True
    assert found.changes[0].part == "hole motives"


def test_a_role_that_others_may_hold_is_part_of_it():
    base = policy(line(TEXT.format("20%")))
    loose = replace(base.roles["board"], members=("ada", "bea", "cleo", "dan"))
    found = diff(base, replace(base, roles={**base.roles, "board": loose}), BOTH)
    assert any(change.kind == "weakened" and change.part == "role board" for change in found.changes)


def test_a_narrower_scope_is_weakening():
    base = policy(line(TEXT.format("20%")))
    narrow = replace(base, scope=replace(base.scope, num=10**25))  # type: ignore[type-var]  # a comparison
    found = diff(base, narrow, BOTH)
    assert found.weakens is True
    assert any(change.part == "scope" and change.witness for change in found.changes)
