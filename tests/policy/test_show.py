"""The kernel as text and as data: nothing is left out, nothing is rounded."""

import json
from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from scalegate.core.canonical import canonical_bytes
from scalegate.core.kernel import Compare, Constant, Kernel
from scalegate.policy import load
from scalegate.policy.phrases import plain
from scalegate.policy.show import condition_text, expanded, kernel_plain
from scalegate.policy.templates import TEMPLATES, template
from tests.policy.kernels import SPAN, kernels


@settings(max_examples=40)
@given(kernels())
def test_the_text_drops_no_declaration(kernel: Kernel) -> None:
    text = expanded(kernel)
    for names in (kernel.roles, kernel.evaluations, kernel.safeguards, kernel.contexts, kernel.capabilities):
        assert all(name in text for name in names)
    for spec in kernel.holes.values():
        assert f"  {spec.name}: {plain(spec.words)}" in text
    for item in kernel.exceptions:
        assert f"exception {item.id} instead of {item.instead_of}" in text
    for index in range(len(kernel.terms)):
        assert f"\n  t{index}  " in text
    for item in kernel.commitments:
        assert f"\n  when   {condition_text(kernel, item.when)}\n  until  {condition_text(kernel, item.until)}" in text
    for spec in kernel.evaluations.values():
        (line,) = (line for line in text.split("\n") if line.startswith(f"  {spec.id}: {spec.kind}"))
        assert f"; score {plain(spec.score.text)} ({'mean' if spec.score.mean else 1} of {spec.score.tries}); " in line
        about = f"bank of {spec.bank} items" if spec.estimand == "bank" else "population"
        assert f"; estimand {about}; " in line
        assert not spec.clustered_by or f"; clustered by {plain(spec.clustered_by)}; " in line
    assert "never held: evaluate, elicit, study" in text


@settings(max_examples=40)
@given(kernels())
def test_the_data_is_canonical_and_complete(kernel: Kernel) -> None:
    data = kernel_plain(kernel)
    assert set(data) == {field.name for field in fields(Kernel)}
    assert json.loads(json.dumps(data)) == data
    assert canonical_bytes(data)


@settings(max_examples=40)
@given(kernels())
def test_different_kernels_are_different_data(kernel: Kernel) -> None:
    other = replace(kernel, mitigation_cap=kernel.mitigation_cap + Fraction(1, 10**9))
    assert kernel_plain(other) != kernel_plain(kernel)
    assert expanded(other) != expanded(kernel)


@pytest.mark.parametrize(
    ("above", "edge", "sign"), [(True, True, ">="), (True, False, ">"), (False, True, "<"), (False, False, "<=")]
)
def test_the_four_comparisons(above: bool, edge: bool, sign: str) -> None:  # noqa: FBT001 - parameters of the table
    kernel = load(template("minimal"))
    found = kernel.commitments[0].when.part
    changed = replace(found, above=above, edge=edge, num=1, den=3)
    assert condition_text(kernel, changed) == f"t1:autonomy {sign} 100/3%"


def test_compute_beyond_the_integers_of_json_is_text() -> None:
    scope = kernel_plain(load(template("minimal")))["scope"]
    assert scope["is"] == "Compare"
    assert scope["value"] == str(10**25)


def test_rationals_are_text() -> None:
    evaluation = kernel_plain(load(template("rsp")))["evaluations"]["replication"]
    assert evaluation["wrongly_cleared"] == "1/1000"
    assert evaluation["hidden_capability"][0]["rate"] == "4/5"


def test_a_union_says_which_of_it_it_is() -> None:
    data = kernel_plain(load(template("rsp")))
    assert {term["is"] for term in data["terms"]} == {
        "Compute",
        "Measure",
        "Shown",
        "Hole",
        "Attested",
        "Approved",
        "Published",
    }


def test_constants_and_dates_are_readable() -> None:
    kernel = load(template("calendar-pause"))
    assert condition_text(kernel, kernel.commitments[0].until) == "t1:clock > 2026-07-01"
    assert condition_text(kernel, Constant(proven=False, span=SPAN)) == "never"


@pytest.mark.parametrize("name", TEMPLATES)
def test_one_line_per_condition(name: str) -> None:
    kernel = load(template(name))
    leaves = [item for item in kernel.commitments if isinstance(item.until, Compare)]
    assert all("\n" not in condition_text(kernel, item.when) for item in kernel.commitments)
    assert expanded(kernel).count("\n  until  t") >= len(leaves)
