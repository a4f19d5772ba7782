"""Every policy that the project shows to readers is one: the examples, and the blocks of the documentation."""

import re
from pathlib import Path

import pytest

from scalegate.policy import check, load
from scalegate.policy.schema import json_schema
from scalegate.policy.templates import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
POLICIES = sorted((ROOT / "examples").rglob("*.yaml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = ROOT / "docs" / "policy-language.md"
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

# Written to show what the language says about policies that leave things open.
WARNS = {"design-example": {"W504", "W505", "W507", "W510"}}


def blocks(page: Path, info: str) -> list[str]:
    text = page.read_text("utf-8")
    return [match["body"] for match in FENCE.finditer(text) if match["info"].strip() == info]


def is_policy(path: Path) -> bool:
    return bool(re.search(r"^scalegate: policy/", path.read_text("utf-8"), re.MULTILINE))


def errors(text: str, name: str) -> list[str]:
    return [f"{item.span}: {item.code} {item.message}" for item in check(text, name) if item.severity == "error"]


def reference_policy() -> str:
    return "\n".join(blocks(REFERENCE, "yaml part"))


def with_condition(condition: str) -> str:
    """The policy of the reference page with another condition in its first commitment."""
    return reference_policy().replace("    unless shown: autonomy <= 20%\n", f"    unless shown: {condition}\n", 1)


@pytest.mark.parametrize("path", [*filter(is_policy, POLICIES)], ids=lambda path: path.stem)
def test_examples_pass_the_check(path: Path) -> None:
    found = check(path.read_text("utf-8"), path.name)
    assert [str(item.span) for item in found if item.severity == "error"] == []
    assert {item.code for item in found} == WARNS.get(path.stem, set())


def test_every_kind_of_example_is_there() -> None:
    names = {path.stem for path in POLICIES}
    assert names >= {*TEMPLATES, "design-example"}


def test_the_example_of_the_design_keeps_its_elided_digests_as_holes() -> None:
    kernel = load((ROOT / "examples" / "policies" / "design-example.yaml").read_text("utf-8"))
    assert [item.id for item in kernel.evaluations.values() if item.digest is not None] == []
    assert kernel.safeguards["weight-security-3"].hole is not None
    assert set(kernel.holes) == {"takeover-understanding", "capability.cyber-offense"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_policies_in_pages_pass_the_check(page: Path) -> None:
    for number, text in enumerate(blocks(page, "yaml policy")):
        assert errors(text, f"{page.name}, block {number}") == []


def test_unmarked_blocks_of_a_page_are_no_policies() -> None:
    """A policy whose fence lacks the mark `policy` would be checked by nobody."""
    found = [page.name for page in PAGES for text in blocks(page, "yaml") if text.lstrip().startswith("scalegate:")]
    assert found == []


def test_the_blocks_of_the_reference_are_one_policy() -> None:
    found = check(reference_policy(), REFERENCE.name)
    assert [(item.code, item.message) for item in found if item.code != "W510"] == []
    assert load(reference_policy()).exceptions


def lines(info: str) -> list[str]:
    return [line for body in blocks(REFERENCE, info) for line in body.splitlines() if line.strip()]


@pytest.mark.parametrize("condition", lines("text conditions"))
def test_conditions_of_the_reference_are_conditions(condition: str) -> None:
    assert with_condition(condition) != reference_policy() or condition == "autonomy <= 20%"
    assert errors(with_condition(condition), "reference") == []


@pytest.mark.parametrize("condition", lines("text refused"))
def test_conditions_that_the_reference_refuses_are_refused_with_a_reason(condition: str) -> None:
    found = [item for item in check(with_condition(condition)) if item.severity == "error"]
    assert len(found) == 1
    assert found[0].help or found[0].cause
    assert found[0].span is not None
    assert condition in found[0].excerpt


def keys_of(schema: object) -> set[str]:
    if isinstance(schema, list):
        return {key for item in schema for key in keys_of(item)}
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {})
    return {*own, *(key for value in schema.values() for key in keys_of(value))}


def test_every_key_of_the_language_is_in_the_reference() -> None:
    text = REFERENCE.read_text("utf-8")
    assert [key for key in sorted(keys_of(json_schema())) if f"{key}:" not in text and f"`{key}`" not in text] == []
