"""Laws of the front end: what holds for every text, good, spoiled or hostile."""

import dataclasses
import typing
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalegate.core import kernel
from scalegate.core.diagnostic import Diagnostic, DiagnosticError, Span
from scalegate.core.kernel import Kernel
from scalegate.policy import check, check_bytes, load
from scalegate.policy.diagnose import CODES, render
from tests.policy.strategies import drafts, emit, encodings, policy_texts, reordered, spoiled_texts

# A policy takes a few hundredths of a second to read, so that a law about policies sees fewer of them.
FEW = settings(max_examples=max(12, settings().max_examples // 4))

YAMLISH = st.text(alphabet=st.sampled_from("ab:-[]{}#&*!|>'\"%,?\n .~\\ux0\r\t"), max_size=60)


def spans_of(value: object) -> Iterator[Span]:
    """Every span inside a kernel."""
    if isinstance(value, Span):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from spans_of(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from spans_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from spans_of(item)


def assert_inside(span: Span, text: str) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)


def meaning(policy: Kernel, value: object) -> object:
    """A part of a kernel without spans and wording, its terms looked up: equal for equal meanings."""
    if isinstance(value, kernel.Compare):
        return policy.terms[value.term], value.above, value.edge, value.num, value.den
    if isinstance(value, Span):
        return None
    if dataclasses.is_dataclass(value):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return type(value).__name__, *(meaning(policy, field) for field in fields)
    if isinstance(value, dict):
        return {key: meaning(policy, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(meaning(policy, item) for item in value)
    return value


def answered(text: str) -> tuple[Diagnostic, ...]:
    """What check says; load agrees, and neither raises anything else."""
    found = check(text, "f")
    errors = tuple(item for item in found if item.severity == "error")
    if errors:
        with pytest.raises(DiagnosticError) as refused:
            load(text, "f")
        assert refused.value.diagnostics == errors
    else:
        load(text, "f")
    return found


def assert_readable(found: tuple[Diagnostic, ...], text: str) -> None:
    for item in found:
        assert item.code in CODES
        assert item.span is not None
        assert_inside(item.span, text)
        assert item.message[-1] != "."
        assert all(char.isprintable() or char == "\n" for char in render(item))
    assert list(found) == sorted(found, key=lambda item: (item.span, item.code, item.message))


@FEW
@given(policy_texts())
def test_valid_policies_load_and_place_everything_inside_the_text(text: str) -> None:
    found = answered(text)
    assert [item for item in found if item.severity == "error"] == []
    policy = load(text, "f")
    assert policy.commitments
    for span in spans_of(policy):
        assert span.file == "f"
        assert_inside(span, text)


@FEW
@given(policy_texts())
def test_the_kernel_is_a_function_of_the_text(text: str) -> None:
    assert load(text, "f") == load(text, "f")
    assert load(text, "f").digest == load(text, "g").digest


@FEW
@given(st.data(), drafts() | encodings())
def test_the_order_of_keys_means_nothing(data: st.DataObject, draft: dict) -> None:  # type: ignore[type-arg]
    one = load(emit(draft))
    other = load(emit(typing.cast("dict[str, typing.Any]", data.draw(reordered(draft)))))
    for section in ("commitments", "exceptions"):
        ours = {item.id: meaning(one, item) for item in getattr(one, section)}
        theirs = {item.id: meaning(other, item) for item in getattr(other, section)}
        assert ours == theirs
    for section in ("scope", "roles", "safeguards", "holes", "contexts", "capabilities", "amendments"):
        assert meaning(one, getattr(one, section)) == meaning(other, getattr(other, section))
    for section in ("law", "obligations", "declares", "assumes", "sources", "unread", "provenance"):
        assert meaning(one, getattr(one.duties, section)) == meaning(other, getattr(other.duties, section))
    assert sorted(item.name for item in one.duties.mandates) == sorted(item.name for item in other.duties.mandates)
    digests = {name: item.digest for name, item in one.evaluations.items()}
    assert digests == {name: item.digest for name, item in other.evaluations.items()}


@given(st.text(max_size=80) | YAMLISH)
def test_no_text_raises_anything_but_findings(text: str) -> None:
    assert_readable(answered(text), text)


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_findings(data: bytes) -> None:
    assert any(item.severity == "error" for item in check_bytes(data))


@FEW
@given(spoiled_texts())
def test_no_spoiled_policy_raises_anything_but_findings(text: str) -> None:
    assert_readable(answered(text), text)


@FEW
@given(policy_texts(), st.text(max_size=40))
def test_no_condition_raises_anything_but_findings(text: str, words: str) -> None:
    try:
        load(text, fills={"open-": words, "nothing": words})
    except DiagnosticError as refused:
        assert all(item.span for item in refused.diagnostics)  # noqa: PT017 - a refusal is only likely
