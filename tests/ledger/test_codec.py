import json
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import (
    Event,
    ResultReported,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
)
from scalegate.core.subject import Subject
from scalegate.ledger import codec
from scalegate.ledger.codec import TAGS, CodecError, decode_event, encode_event, tag_of
from tests.ledger.events import EVERY_EVENT, values

LIFTED = {"order": "halt", "by": "M. Ito", "role": "regulator"}


def test_every_event_has_a_tag():
    assert set(TAGS.values()) == set(get_args(Event))
    assert len(set(TAGS.values())) == len(TAGS)


@given(EVERY_EVENT)
def test_an_event_comes_back_as_it_was(event):
    written = encode_event(event)
    assert decode_event(tag_of(event), written) == event
    assert decode_event(tag_of(event), json.loads(canonical_bytes(written))) == event


@given(EVERY_EVENT)
def test_integers_in_json_survive_readers_that_use_doubles(event):
    def numbers(value):
        if isinstance(value, dict):
            return [found for item in value.values() for found in numbers(item)]
        if isinstance(value, list):
            return [found for item in value for found in numbers(item)]
        return [value] if type(value) is int else []

    assert all(int(float(number)) == number for number in numbers(encode_event(event)))


@given(st.fractions())
def test_rationals_come_back_exactly(value):
    shape = codec._shape(Fraction)
    assert shape.read(shape.write(value), "rate") == value


@pytest.mark.parametrize("text", ["1/0", "2/4", "1/-2", "0.5", "1", "1/2 ", "٣/٤", "/2", "--1/2"])
def test_rationals_have_one_spelling(text):
    with pytest.raises(CodecError, match="rational"):
        codec._shape(Fraction).read(text, "rate")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown field 'extra'"),
        ({"order": None}, "order: expected a text, got nothing"),
        ({"order": 7}, "order: expected a text, got int"),
        ({"by": ["M. Ito"]}, "by: expected a text, got list"),
    ],
)
def test_an_event_that_is_none_is_refused(change, message):
    with pytest.raises(CodecError) as caught:
        decode_event("stop-lifted", {**LIFTED, **change})
    assert message in str(caught.value)


def test_an_event_of_an_unknown_type_is_refused():
    with pytest.raises(CodecError, match="unknown type of event: 'stop-lifter'"):
        decode_event("stop-lifter", LIFTED)


@pytest.mark.parametrize("field", ["order", "by", "role"])
def test_a_missing_field_is_refused(field):
    rest = {name: value for name, value in LIFTED.items() if name != field}
    with pytest.raises(CodecError, match="missing field"):
        decode_event("stop-lifted", rest)


@pytest.mark.parametrize("value", [None, [], "stop-lifted", 1])
def test_an_event_is_an_object(value):
    with pytest.raises(CodecError, match="an event is an object"):
        decode_event("stop-lifted", value)


RESULT = encode_event(
    ResultReported(
        "r1", "sha256:0", 1, 2, 3, False, True, "samples", False, (), (), "inspect", "Lea", "auditor", ("sha256:1",)
    )
)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("beside", None, "expected a list, got nothing"),
        ("successes", True, "expected an integer, got bool"),
        ("successes", 1.0, "expected an integer, got float"),
        ("successes", "1", "not written as text"),
        ("successes", "-0", "no leading zeros"),
        ("successes", "009007199254740993", "no leading zeros"),
        ("successes", "1e30", "expected an integer, got text"),
        ("successes", "9" * 401, "expected an integer, got text"),
        ("successes", 1 << 53, "written as text"),
        ("adaptive", 0, "expected true or false, got int"),
        ("adaptive", None, "expected true or false, got nothing"),
        ("evidence_class", "rumor", "expected one of samples, aggregate"),
        ("provenance", "dirty", "expected a list, got str"),
        ("provenance", ["dirty", 1], r"provenance\[1\]: expected a text"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(field, value, message):
    with pytest.raises(CodecError, match=message):
        decode_event("result-reported", {**RESULT, field: value})


def test_a_count_has_two_numbers():
    statement = Statement("measurement", "t", "", True, 9, (1, 2), "", "", "", 0, (), "Lea", "auditor")
    written = {**encode_event(statement), "count": [1, 2, 3]}
    with pytest.raises(CodecError, match="expected 2 values, got 3"):
        decode_event("statement", written)


def test_a_compute_range_that_is_turned_around_is_refused():
    subject = Subject("m", "sha256:0", "acme", "model", (), True, None, 0)
    written = encode_event(SubjectDeclared(subject, "Ada", "developer"))
    written["subject"] = {**written["subject"], "compute": {"low": 2, "high": 1}}
    with pytest.raises(CodecError, match="low <= high"):
        decode_event("subject-declared", written)


@pytest.mark.parametrize(
    "wrong",
    [
        StopOrdered("halt", ["train"], "", "M. Ito", "regulator"),
        StopLifted(7, "M. Ito", "regulator"),
        "no event",
    ],
)
def test_what_is_not_of_its_type_is_never_written(wrong):
    with pytest.raises(CodecError):
        encode_event(wrong)


@given(values(str))
def test_hostile_text_survives_unchanged(text):
    kept = decode_event("stop-lifted", encode_event(StopLifted(text, text, text)))
    assert (kept.order, kept.by, kept.role) == (text, text, text)
