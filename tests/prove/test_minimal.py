"""Situations that refute: nothing in them could be as usual, and their numbers are round."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from scalegate.adapters.solvers.z3 import Z3
from scalegate.prove.compare import Comparison, Finding, Solvers, Table, compare
from scalegate.prove.formula import holds
from scalegate.prove.permits import WHOLE
from tests.prove.generators import Pair, pair

PAIRS = 60


def _refuted(made: Pair) -> list[tuple[Comparison, Finding, bool]]:
    found = compare([made.first], [made.second], Solvers(Z3()))
    return [
        (found, item, backward)
        for backward, findings in ((False, found.forward), (True, found.backward))
        for item in findings
        if item.strict is False
    ]


@pytest.fixture(scope="module")
def refuted() -> list[tuple[Pair, Comparison, Finding, bool]]:
    return [(made, *item) for made in map(pair, range(PAIRS)) for item in _refuted(made)]


def _shows(table: Table, question: str, values: dict[str, object], *, backward: bool) -> bool:
    known = {**table.variables.nominal, **values}
    permitting, holding = reversed(table.sides) if backward else table.sides
    return (
        all(holds(law, known) for law in table.laws)
        and permitting.judged(question, known)[0].permits
        and not holding.judged(question, known)[0].permits
    )


def test_no_listed_value_could_be_nominal(refuted: list[tuple[Pair, Comparison, Finding, bool]]):
    listed = 0
    for made, comparison, item, backward in refuted:
        assert item.witness is not None
        values, question = dict(item.witness.values), item.witness.question
        table = Table([made.first], [made.second], WHOLE, [*comparison_questions(comparison)])
        known = {variable.key: variable.name for variable in table.variables}
        keys = {variable.name: variable.key for variable in comparison.variables}
        renamed = {known[keys[name]]: value for name, value in values.items()}
        assert _shows(table, question, renamed, backward=backward)
        for name in renamed:
            listed += 1
            fewer = {other: value for other, value in renamed.items() if other != name}
            assert not _shows(table, question, fewer, backward=backward), (made.how, keys)
    assert listed > PAIRS


def comparison_questions(comparison: Comparison) -> list[str]:
    return [question for item in comparison.forward for question in item.questions]


def test_values_are_round(refuted: list[tuple[Pair, Comparison, Finding, bool]]):
    seen: Counter[str] = Counter()
    for _, comparison, item, _ in refuted:
        assert item.witness is not None
        units = {variable.name: variable.unit for variable in comparison.variables}
        for name, value in item.witness.values.items():
            seen[units[name]] += 1
            if units[name] == "rate":
                assert 1_000 % Fraction(value).denominator == 0
            elif units[name] != "flag":
                assert Fraction(value).denominator == 1, "an entry has whole numbers"
    assert min(seen["rate"], seen["flop"], seen["seconds"], seen["flag"]) > 5


def test_most_situations_tell_few_things(refuted: list[tuple[Pair, Comparison, Finding, bool]]):
    sizes = sorted(len(item.witness.values) for _, _, item, _ in refuted if item.witness is not None)
    assert len(sizes) > PAIRS
    assert sizes[len(sizes) // 2] <= 2
    assert sizes[len(sizes) * 9 // 10] <= 6
