"""Situations in words: what is printed means what it was printed from, and nothing else is understood."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalegate.core.kernel import Kernel
from scalegate.policy import load
from scalegate.prove.cases.case import variables_of
from scalegate.prove.formula import holds
from scalegate.prove.symbols import RoleRule, Unit, Value, Variable
from scalegate.prove.variables import Variables
from scalegate.prove.wording.parts import named
from scalegate.prove.wording.phrases import mark
from scalegate.prove.wording.settle import settle
from scalegate.prove.wording.values import read, show
from scalegate.prove.wording.vocabulary import ClauseError, Vocabulary, describe, situation

POLICIES = Path(__file__).resolve().parents[2] / "examples" / "policies"
UNITS: tuple[Unit, ...] = ("rate", "seconds", "flop", "usd", "count", "instant")
NONE: frozenset[str] = frozenset()


def policy(name: str) -> Kernel:
    return load((POLICIES / f"{name}.yaml").read_text("utf-8"), name)


RSP, REGIME, PAUSE, MORATORIUM = (policy(name) for name in ("rsp", "regime", "calendar-pause", "moratorium"))
SETS = {"rsp": (RSP,), "rsp and regime": (RSP, REGIME), "all": (RSP, REGIME, PAUSE, MORATORIUM)}
VOCABULARIES = {name: (variables_of(kernels), kernels) for name, kernels in SETS.items()}


def values_of(variable: Variable) -> st.SearchStrategy[Value]:
    """Any value of a variable; often its nominal one, or one that others have too."""
    if variable.unit == "flag":
        return st.booleans()
    if variable.unit == "rate":
        return st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 3), Fraction(1)]) | st.fractions(0, 1)
    whole = st.sampled_from([0, 1, 86_400, 10**24, 5 * 10**25]) | st.integers(0, 10**27)
    return whole.map(Fraction) | st.fractions(0, 10**6)


@pytest.mark.parametrize("name", SETS)
@given(data=st.data())
def test_what_is_printed_means_what_it_was_printed_from(name: str, data: st.DataObject) -> None:
    variables, kernels = VOCABULARIES[name]
    chosen = data.draw(st.lists(st.sampled_from(list(variables)), max_size=12, unique_by=lambda item: item.name))
    said = {item.name: data.draw(values_of(item)) for item in chosen}
    laws = tuple(variables.laws())
    known = settle(variables.nominal, said, laws)
    assume(all(holds(law, known) for law in laws))

    clauses = describe(variables, kernels, known)

    assert {**variables.nominal, **situation(variables, kernels, clauses)} == known


@given(st.sampled_from(UNITS), st.fractions(0) | st.integers(0, 10**90).map(Fraction))
def test_every_value_is_read_as_it_is_shown(unit: Unit, value: Fraction) -> None:
    if unit == "rate":
        value = value / (value + 1)
    assert read(show(value, unit), unit) == value


@given(st.text(max_size=40))
def test_no_text_is_more_than_a_clause_or_an_error(text: str) -> None:
    variables, kernels = VOCABULARIES["rsp"]
    with pytest.raises(ClauseError) as caught:
        situation(variables, kernels, [text])
    assert caught.value.place == 0


@pytest.mark.parametrize(
    ("text", "unit"),
    [("20", "rate"), ("120%", "rate"), ("1e999 FLOP", "flop"), ("4e25", "flop"), ("3 moons", "seconds"), ("", "count"),
     ("1/0", "count"), ("2027-13-01", "instant"), ("1" * 900, "count"), ("-1", "count"), ("1969-01-01", "instant")],
)  # fmt: skip
def test_no_value_is_guessed(text: str, unit: Unit) -> None:
    assert read(text, unit) is None


CLAUSES = [
    ("replication may be as high as 25%, relatives included", ("high", "when"), Fraction(1, 4)),
    ("deception may be as high as 12%", ("high", "until"), Fraction(12, 100)),
    ("no result on replication counts", ("reported",), False),
    ("weight-security is not shown", ("affirmed",), False),
    ("the last result on replication is 4 months old", ("age",), Fraction(120 * 86_400)),
    ("replication was measured at 1e24 FLOP", ("base",), Fraction(10**24)),
    ("auditor attests rival-without-safeguards", ("affirmed",), True),
    ("the exception rival is invoked", ("invoked",), True),
    ("the exception rival was invoked 12 days ago", ("invoked-ago",), Fraction(12 * 86_400)),
    ("a stop order by regulator stands", ("stopped",), True),
    ("it is 2027-02-03", ("now",), Fraction(1_801_612_800)),
    ("the context is partner-desk", ("context",), True),
]


@pytest.mark.parametrize(("clause", "kind", "value"), CLAUSES, ids=[clause for clause, _, _ in CLAUSES])
def test_a_clause_means_one_thing(clause: str, kind: tuple[str, ...], value: Value) -> None:
    variables, kernels = VOCABULARIES["rsp" if kind != ("now",) else "all"]
    keys = {item.name: item.key for item in variables}
    found = situation(variables, kernels, [clause])
    said = [name for name in found if keys[name][0] == kind[0] and (len(kind) < 2 or kind[1] in keys[name])]
    assert [found[name] for name in said] == [value]


@pytest.mark.parametrize(
    ("clauses", "message", "place"),
    [
        (["replication may be as high as 20"], "is no rate", 0),
        (["replication is fine"], "says nothing", 0),
        (["weight-security is shown", "weight-security is not shown"], "contradicts", 1),
        (["the action would reach 1e24 FLOP", "replication was measured at 2e24 FLOP"], "no situation is like", 1),
        (["autonomy may be as high as 20%"], "says nothing", 0),
    ],
)
def test_clauses_that_are_none_are_refused(clauses: list[str], message: str, place: int) -> None:
    variables, kernels = VOCABULARIES["rsp"]
    with pytest.raises(ClauseError, match=message) as caught:
        situation(variables, kernels, clauses)
    assert caught.value.place == place


def test_a_slip_gets_the_clause_that_was_meant() -> None:
    variables, kernels = VOCABULARIES["rsp"]
    with pytest.raises(ClauseError) as caught:
        situation(variables, kernels, ["weight-securty is not shown"])
    assert caught.value.help == "did you mean `weight-security is not shown`?"


def test_what_is_unsaid_gives_way() -> None:
    """Nobody measured at a larger scale than the action would reach, though nominal results are at a larger one."""
    variables, kernels = VOCABULARIES["rsp"]
    found = situation(variables, kernels, ["the action would reach 5e23 FLOP"])
    bases = [found[item.name] for item in variables if item.key[0] == "base"]
    assert bases
    assert set(bases) == {Fraction(5 * 10**23)}


def test_what_only_follows_is_not_told() -> None:
    variables, kernels = VOCABULARIES["rsp"]
    clauses = ["the action would reach 5e23 FLOP"]
    assert describe(variables, kernels, situation(variables, kernels, clauses)) == clauses


def test_growth_is_told_with_the_scale_it_starts_from() -> None:
    variables, kernels = VOCABULARIES["rsp"]
    clauses = describe(variables, kernels, situation(variables, kernels, ["the action would reach 5e25 FLOP"]))
    assert clauses == ["the action would reach 5e25 FLOP", "every evaluation was measured at 1e25 FLOP"]


def test_roles_of_one_name_are_told_apart_where_they_differ() -> None:
    variables, kernels = VOCABULARIES["rsp and regime"]
    vocabulary = Vocabulary(variables, kernels).vocabulary()
    assert "no result on replication counts" in vocabulary
    assert "no result on replication counts, by auditor" in vocabulary
    assert "no result on replication counts, by institute" in vocabulary


def test_what_two_versions_pin_differently_has_two_names() -> None:
    text = (POLICIES / "rsp.yaml").read_text("utf-8")
    for pin in ("fa8eab5c93e0e294830521dfacf9056e8bd0cac2f9e51d2561c2ef50ee29774d", "fbbe90f0838fe676840a9c877e40141e"):
        text = text.replace(pin, "0" * len(pin))
    newer = load(text.replace('version: "1.0"', 'version: "1.1"'), "newer")
    vocabulary = Vocabulary(variables_of([RSP, newer]), [RSP, newer]).vocabulary()
    for clause in ("replication may be as high as ...", "weight-security is not shown"):
        name, rest = clause.split(" ", 1)
        assert {clause, f"{name} of lighthouse-rsp {rest}"} <= set(vocabulary)


def test_free_words_are_quoted_and_harmless() -> None:
    assert named("gradient hacking") == '"gradient hacking"'
    assert named("a\x1b[31m\u202eb") == '"a\ufffd[31m\ufffdb"'
    assert named('say "so"') == '"say \\"so\\""'


def test_words_that_two_things_answer_to_are_marked() -> None:
    """Free words that look alike once they are harmless."""
    variables = Variables()
    variables.flag("elicited", "d", "a\x01", nominal=True)
    variables.flag("elicited", "d", "a\x02", nominal=True)
    one, two = variables
    clauses = describe(variables, [], {one.name: False})
    assert clauses == [f'd was not elicited by "a\ufffd" {mark(one.key)}']
    assert situation(variables, [], clauses) == {one.name: False}
    assert mark(one.key) != mark(two.key)


def test_a_mark_does_not_depend_on_the_order_of_a_set() -> None:
    roles = [RoleRule("board", 2, frozenset(names), NONE) for names in (("ada", "bea", "cleo"), ("cleo", "bea", "ada"))]
    assert mark(("affirmed", "x", roles[0])) == mark(("affirmed", "x", roles[1]))
