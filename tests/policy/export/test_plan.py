"""Exports without any engine: the grid, the input and its description, the texts, and the gate's answers."""

from __future__ import annotations

import re
from fractions import Fraction

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.actions import UNHOLDABLE
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.evidence import Crossing, Fact
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import UNBOUNDED
from scalegate.core.terms import Compute, Measure, Shown
from scalegate.policy import load
from scalegate.policy.export import cedar, rego
from scalegate.policy.export.document import Asked, SituationError, document
from scalegate.policy.export.grid import LIMB, LIMIT, Grid, grid_of, limbs
from scalegate.policy.export.plan import plan_of
from scalegate.policy.export.schema import input_schema
from tests.policy.export.reading import permits
from tests.policy.export.situations import NOW, asked_again, cases, examples, policies, shown
from tests.policy.kernels import kernels

FRACTIONS = st.fractions(min_value=-3, max_value=3, max_denominator=200)
VALUES = st.fractions(min_value=-4, max_value=4, max_denominator=10**9)
SIZES = st.integers(min_value=0, max_value=10**40).map(Fraction)
TERMS = st.sampled_from([Measure("cap", "when"), Shown("guard"), Compute()])
HEADER = 'scalegate: policy/v1\nid: {id}\nversion: "1"\nissuer: lab\neffective: 2026-01-01\n'
BODY = """scope: everything
roles: {{developer: {{}}, auditor: {{independent of: [developer]}}}}
evaluations:
  cap: {{kind: capability, test: "bank@sha256:{digest}", score: success rate, by: auditor}}
commitments:
  line: {{hold: [train, deploy], unless shown: "{unless}", "once crossed": never}}
"""


def policy_of(unless: str, name: str = "small") -> Kernel:
    return load((HEADER + BODY).format(id=name, digest="0" * 64, unless=unless))


# ---------------------------------------------------------------- numbers


@given(TERMS, st.lists(FRACTIONS, min_size=1, max_size=5), VALUES | FRACTIONS | SIZES, st.booleans())
def test_a_number_compares_with_every_constant_as_the_value_it_stands_for(
    term: Measure,
    known: list[Fraction],
    value: Fraction,
    up: bool,  # noqa: FBT001 - hypothesis hands it over by name
) -> None:
    grid = grid_of(term, known)
    assert grid is not None
    for offset in (Fraction(0), Fraction(1, 10**30), Fraction(-1, 10**30)):
        for tried in (value, *known):
            exact = tried + offset
            number = grid.encode(exact.numerator, exact.denominator, up=up)
            for constant in known:
                point = grid.point(constant)
                assert (number < point, number == point) == (exact < constant, exact == constant)


@given(st.lists(FRACTIONS, min_size=1, max_size=5), VALUES | FRACTIONS, st.booleans())
def test_numbers_are_rounded_outward_but_never_onto_a_constant(
    known: list[Fraction],
    value: Fraction,
    up: bool,  # noqa: FBT001 - hypothesis hands it over by name
) -> None:
    grid = grid_of(Measure("cap", "when"), known)
    assert grid is not None
    number = grid.encode(value.numerator, value.denominator, up=up) * grid.unit
    outward = number >= value if up else number <= value
    aside = Fraction(number) + (grid.unit if up else -grid.unit)
    assert outward or aside in set(known)
    assert abs(number - value) < grid.unit


def test_open_ends_lie_beyond_every_constant() -> None:
    grid = Grid(Fraction(1, 10), (-30, 30))
    assert grid.encode(1, 0, up=True) == LIMIT > 30
    assert grid.encode(-1, 0, up=False) == -LIMIT < -30
    assert grid.encode(UNBOUNDED, 1, up=True) == LIMIT


def test_units_read_well() -> None:
    twenty = grid_of(Measure("cap", "when"), [Fraction(1, 5)])
    size = grid_of(Compute(), [Fraction(10**24), Fraction(4 * 10**25)])
    yes = grid_of(Shown("guard"), [Fraction(1)])
    third = grid_of(Measure("cap", "when"), [Fraction(1, 3), Fraction(1, 7)])
    assert twenty == Grid(Fraction(1, 10**6), (200_000,))
    assert size == Grid(Fraction(10**20), (10_000, 400_000))
    assert yes == Grid(Fraction(1), (1,))
    assert third is not None
    assert third.unit * third.constants[1] == Fraction(1, 3)


def test_constants_that_do_not_fit_are_refused_with_a_remedy() -> None:
    text = policy_of(
        "cap <= 20% or effective compute < 10000000000000000000000001 FLOP or effective compute < 4e26 FLOP"
    )
    with pytest.raises(DiagnosticError) as caught:
        plan_of(text)
    (found,) = caught.value.diagnostics
    assert found.code == "P901"
    assert found.span is not None
    assert "fewer digits" in found.help


@given(st.integers(0, LIMB**2 - 1) | st.sampled_from([UNBOUNDED]), st.integers(0, LIMB**2 - 1) | st.just(UNBOUNDED))
def test_compute_in_two_parts_is_in_order(to: int, reach: int) -> None:
    assert (limbs(to, up=True) <= limbs(reach, up=False)) == (to <= reach)


@given(st.integers(0, 10**45), st.integers(0, 10**45))
def test_compute_beyond_the_parts_is_never_within_reach_by_rounding(to: int, reach: int) -> None:
    inside = limbs(to, up=True) <= limbs(reach, up=False)
    assert to <= reach or not inside


# ---------------------------------------------------------------- the gate's answers


def test_exports_answer_as_the_gate_does() -> None:
    wrong, permitted, count = [], 0, 0
    for number, kernel in enumerate((*examples(), *policies(11, 60))):
        plan = plan_of(kernel)
        for case in cases(kernel, number, 30):
            count += 1
            permitted += case.permits
            if permits(plan, document(plan, case.asked)) is not case.permits:
                wrong.append((kernel.id, case))
    assert wrong == []
    assert count // 5 < permitted < count * 4 // 5


@given(kernels())
def test_any_kernel_has_texts_and_a_description(kernel: Kernel) -> None:
    plan = plan_of(kernel)
    texts = (cedar.policy_text(plan), cedar.schema_text(plan), rego.policy_text(plan))
    comments = {"//": texts[0], "#": texts[2]}
    for mark, text in comments.items():
        # Whatever a policy says stays in its comment, and steers no terminal.
        rules = "".join(line for line in text.splitlines() if not line.startswith(mark))
        assert re.fullmatch(r"[\t\x20-\x7e]*", rules)
        assert all(letter.isprintable() or letter in "\n\t" for letter in text)
    jsonschema.Draft202012Validator.check_schema(input_schema(plan))
    assert len(set(plan.fields)) == len(plan.fields)


def test_an_action_that_cannot_be_held_is_permitted_whatever_is_shown() -> None:
    for kernel in examples():
        plan = plan_of(kernel)
        for action in UNHOLDABLE:
            nothing = asked_again_nothing(shown(kernel, action))
            assert permits(plan, document(plan, nothing))


def asked_again_nothing(asked: Asked) -> Asked:
    return asked_again(asked, facts=[() for _ in asked.facts], stopped=True)


# ---------------------------------------------------------------- the input


def test_every_input_is_as_described() -> None:
    for number, kernel in enumerate((*examples(), *policies(12, 25))):
        plan = plan_of(kernel)
        check = jsonschema.Draft202012Validator(input_schema(plan))
        for case in cases(kernel, number, 8):
            assert list(check.iter_errors(document(plan, case.asked))) == []


def test_a_description_names_units_and_constants() -> None:
    (interval,) = (item for item in plan_of(policy_of("cap <= 20%")).intervals if item.name == "when_cap")
    schema = input_schema(plan_of(policy_of("cap <= 20%")))
    high = schema["properties"]["when_cap"]["properties"]["high"]  # type: ignore[index, call-overload]
    assert interval.ends == ("high",)
    assert high["unit"] == "0.000001"
    assert high["constants"] == [200_000]
    assert "rounded up" in high["description"].lower()


def test_a_crossing_elsewhere_counts_from_its_compute_on() -> None:
    kernel = policy_of("cap <= 20%")
    plan = plan_of(kernel)
    for at, expected in ((2 * 10**25 + 1, True), (2 * 10**25, False), (0, False)):
        crossing = Crossing(Fraction(21, 100), None, at, "vega")
        fact = Fact("low", Fraction(0), Fraction(1, 1000), elsewhere=(crossing,))
        asked = asked_again(shown(kernel, "deploy.api"), facts=[(fact,)])
        assert permits(plan, document(plan, asked)) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "fly", "actions": frozenset({"fly"})},
        {"action": "train", "actions": frozenset({"train"})},
        {"target": 5},
        {"to": -1},
        {"to": UNBOUNDED + 1},
        {"now": -1},
        {"now": 1 << 62},
        {"facts": []},
        {"actions": frozenset()},
    ],
    ids=str,
)
def test_what_the_gate_would_not_judge_has_no_input(changes: dict[str, object]) -> None:
    kernel = policy_of("cap <= 20%")
    with pytest.raises(SituationError):
        document(plan_of(kernel), asked_again(shown(kernel, "deploy.api"), **changes))


def test_adverse_evidence_that_has_aged_has_no_input() -> None:
    kernel = policy_of("cap <= 20%")
    latch = Fact("latch", Fraction(1, 2), Fraction(1), adverse_only=True, until=NOW)
    with pytest.raises(SituationError, match="never ages"):
        document(plan_of(kernel), asked_again(shown(kernel, "deploy.api"), facts=[(latch,)]))


def test_an_unanswered_countersignature_or_exception_has_no_input() -> None:
    (kernel,) = (item for item in examples() if item.id == "lighthouse-rsp")
    asked = shown(kernel, "deploy.api")
    for changes in ({"countersigned": {}}, {"in_use": {}}):
        with pytest.raises(SituationError, match="answered for"):
            document(plan_of(kernel), asked_again(asked, **changes))


# ---------------------------------------------------------------- the texts


def test_thresholds_stand_in_the_text_with_the_words_of_the_policy() -> None:
    plan = plan_of(policy_of("cap <= 20%"))
    assert "context.when_cap.high <= 200000 && // <= 20%" in cedar.policy_text(plan)
    assert "input.when_cap.high <= 200000 # <= 20%" in rego.policy_text(plan)


def test_holes_and_exceptions_are_never_dropped() -> None:
    (kernel,) = (item for item in examples() if item.id == "lighthouse-rsp")
    plan = plan_of(kernel)
    for text in (cedar.policy_text(plan), rego.policy_text(plan)):
        flat = re.sub(r"\s+(//|#)?\s*", " ", text)
        for hole in kernel.holes.values():
            assert hole.words.lower() in flat.lower()
        for item in kernel.exceptions:
            assert f"but for exception {item.id}" in flat


def test_every_forbid_of_cedar_asks_first_whether_what_it_reads_is_there() -> None:
    for kernel in (*examples(), *policies(13, 25)):
        text = cedar.policy_text(plan_of(kernel))
        for block in text.split("@id(")[2:]:
            read = set(re.findall(r"context\.([a-z0-9_A-Z]+(?:\.[a-z0-9_]+)?)", block.split("unless {")[1]))
            asked = set(re.findall(r"context has ([a-z0-9_A-Z.]+)", block))
            assert read <= asked
