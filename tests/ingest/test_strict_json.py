"""Strict JSON: the fast path means the same as the slow one, and neither accepts what two readers read differently."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest import strict_json
from scalegate.ingest.limits import MAX_DEPTH, MIB
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.strict_json import cut_field, elements, parse, read_fields, stream_fields, top_keys

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, width=32)
    | st.text()
    | st.sampled_from([math.nan, math.inf, -math.inf, '"', "\\", "},{", '"id":', "\ud800", "NaN"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "scores", "x", "é", 'q"', "b\\", "", "NaN"]) | st.text(), VALUES)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {},
        {"indent": 2},
        {"indent": 4, "ensure_ascii": False},
        {"separators": (" , ", " : ")},
        {"separators": (",", ":"), "ensure_ascii": False},
    ]
)


def dump(value, style) -> bytes:
    return json.dumps(value, **style).encode("utf-8", "surrogatepass")


def readable(document: bytes) -> bool:
    try:
        document.decode()
    except UnicodeDecodeError:
        return False
    return True


def same(ours, theirs) -> bool:
    """Equality that knows NaN, and decimals beside the floats they were printed from."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float):
        return float(ours) == theirs or (math.isnan(ours) and math.isnan(theirs))
    return type(ours) is type(theirs) and ours == theirs


def code_of(call, *arguments) -> str:
    with pytest.raises(ObjectionError) as caught:
        call(*arguments)
    return caught.value.finding.code


@given(OBJECTS, STYLES, st.booleans())
def test_fields_are_those_of_the_document(value, style, padded: bool):  # noqa: FBT001
    document = dump(value, style)
    if padded:
        document = b" \n" + document + b"\r\n"
    wanted = frozenset(list(value)[::2]) | {"nowhere"}
    if not readable(document):
        assert code_of(read_fields, document, wanted, "t") == "E201"
        return
    expected = {key: value[key] for key in wanted if key in value}
    assert same(read_fields(document, wanted, "t"), expected)
    assert same(parse(document, "t"), value)


@given(OBJECTS, STYLES, st.data())
def test_a_second_key_is_never_overlooked(value, style, data: st.DataObject):
    """Wherever it stands, whatever it holds, in any spacing, escaped or not."""
    document = dump(value, style)
    if not value or not readable(document):
        return
    key = data.draw(st.sampled_from(sorted(value)))
    name = json.dumps(key)
    if data.draw(st.booleans()):
        name = '"' + "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000) + '"'
        if json.loads(name) != key:
            return
    blank = data.draw(st.sampled_from(["", " ", "\n  "]))
    again = f"{blank}{name}{blank}:{blank}{data.draw(st.sampled_from(['1', 'null', '{}', '[1]', 'NaN']))}"
    if data.draw(st.booleans()):
        changed = document[:1] + again.encode() + b"," + document[1:]
    else:
        changed = document.rstrip()[:-1] + b"," + again.encode() + b"}"
    assert code_of(read_fields, changed, frozenset({key}), "t") == "E204"
    assert code_of(read_fields, changed, frozenset({"nowhere"}), "t") == "E204"
    assert code_of(parse, changed, "t") == "E204"


def test_a_second_key_that_pays_with_saved_blanks():
    """As many bytes as the regular layout would have, so that no sum of lengths betrays it."""
    honest = b'{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}'
    forged = b'{\n  "a": 1,\n  "b":2,"a":9,"c":3\n}'
    assert read_fields(honest, frozenset({"a"}), "t") == {"a": 1}
    assert code_of(read_fields, forged, frozenset({"a"}), "t") == "E204"


@pytest.mark.parametrize(
    "document",
    [b'{"a":11,"b":2,"a":1}', b'{"a":1,"a":1}', b'{"a":{"a":1},"b":1,"a":{"a":1}}', b'{"\\u0061":1,"a":2}'],
)
def test_second_keys_that_look_like_the_first(document: bytes):
    for _ in range(2):
        assert code_of(read_fields, document, frozenset({"b"}), "t") == "E204"


def test_second_key_inside_a_wanted_field_is_refused_and_inside_an_unread_one_is_not():
    document = b'{"scores":{"m":{"value":1,"value":0}},"events":[1]}'
    assert code_of(read_fields, document, frozenset({"scores"}), "t") == "E204"
    document = b'{"scores":{"m":1},"events":[{"a":1,"a":2}]}'
    assert read_fields(document, frozenset({"scores"}), "t") == {"scores": {"m": 1}}


@given(st.lists(OBJECTS, max_size=5), STYLES, st.integers(1, 40))
def test_arrays_come_apart_whatever_the_pieces(values, style, size: int):
    document = dump(values, style)
    if not readable(document):
        return
    pieces = [document[start : start + size] for start in range(0, len(document), size)]
    wanted = frozenset({"id", "x"})
    expected = [{key: value[key] for key in wanted if key in value} for value in values]
    assert same(list(stream_fields(pieces, wanted, "t")), expected)
    assert same([json.loads(part) for part in elements(document, "t")], values)


@given(st.lists(VALUES, min_size=2, max_size=12), st.integers(1, 400), st.data())
def test_many_objects_of_one_shape_are_certified_together(values, size: int, data: st.DataObject):
    """The dense path of summaries: the same answer, and the same refusal of a second key."""
    rows = [{"id": number, "x": value, "y": 0} for number, value in enumerate(values)]
    document = dump(rows, {"separators": (",", ":")})
    wanted = frozenset({"id", "x"})

    def stream(text: bytes):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        return list(stream_fields(pieces, wanted, "t"))

    expected = [{"id": row["id"], "x": row["x"]} for row in rows]
    assert same(stream(document), expected)
    number = data.draw(st.integers(0, len(rows) - 1))
    head = f'{{"id":{number},'.encode()
    place = document.index(head) + len(head)
    again = data.draw(st.sampled_from([b'"id":7,', b'"y":1,', b'"x":null,', b'"\\u0078":1,']))
    assert code_of(stream, document[:place] + again + document[place:]) == "E204"


@given(st.lists(OBJECTS, min_size=1, max_size=3), st.sampled_from([b"]", b",", b"[", b"}", b"x", b'"']))
def test_arrays_with_junk_behind_them_are_refused(values, junk: bytes):
    document = dump(values, {}) + junk
    if readable(document):
        assert code_of(lambda: list(stream_fields([document], frozenset(), "t"))) in ("E202", "E206")
        assert code_of(lambda: list(elements(document, "t"))) in ("E202", "E206")


def test_elements_that_are_no_objects_are_refused():
    for document in (b"[1]", b"[{}, 2]", b"[[]]", b"{}", b"1", b""):
        assert code_of(lambda text=document: list(stream_fields([text], frozenset({"id"}), "t"))) in ("E202", "E206")


def test_one_endless_element_does_not_cost_its_square():
    inner = b'{"id":1},' * 40_000
    document = b'[{"id":1,"x":[' + inner + b'{"id":2}]},{"id":3}]'
    pieces = [document[start : start + 4096] for start in range(0, len(document), 4096)]
    assert [row["id"] for row in stream_fields(pieces, frozenset({"id"}), "t")] == [1, 3]


def test_an_element_larger_than_the_limit():
    pieces = [b'[{"x":"', *[b"x" * 1000] * 50]
    assert code_of(lambda: list(stream_fields(pieces, frozenset(), "t", 10_000))) == "E207"
    assert code_of(parse, b"[]" + b" " * 20, "t", 10) == "E207"


@given(OBJECTS, STYLES)
def test_a_cut_field_leaves_everything_else(value, style):
    document = dump(value, style)
    if not readable(document):
        return
    for key in value:
        parts = cut_field(document, key, "t")
        if parts is None:
            assert '"' in "".join(value) or "\\" in "".join(value) or "\\" in document.decode()
            continue
        assert same(parse(parts[0], "t"), {**value, key: None})
        assert same(parse(parts[1], "t"), value[key])


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return b'{"a":' + opening * levels + b"1" + closing * levels + b"}"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"b":', b"}"), (b'[{"b":', b"}]")])
def test_fifty_megabytes_of_nesting(opening: bytes, closing: bytes):
    document = nested(25 * MIB // len(opening), opening, closing)
    assert code_of(parse, document, "t") == "E203"
    assert code_of(read_fields, document, frozenset({"a"}), "t") == "E203"
    assert code_of(lambda: list(elements(b"[" + document + b"]", "t"))) == "E203"


def test_nesting_that_never_closes():
    assert code_of(parse, b"[" * MIB, "t") == "E203"
    assert code_of(parse, b'{"a":' * MIB, "t") == "E203"


def test_nesting_in_steps_is_measured():
    comb = b"[" * 50 + b"[[]]," * 10_000 + b"[]" + b"]" * 50
    assert isinstance(parse(comb, "t"), list)
    steps = b"[" * 2
    for _ in range(MAX_DEPTH):
        steps = b"[[],[" + steps + b"[]"
    assert code_of(parse, steps, "t") == "E203"


@given(st.integers(0, 2 * MAX_DEPTH), st.text('[]{}"\\x'))
def test_depth_is_counted_exactly_and_brackets_in_strings_are_not(levels: int, text: str):
    document = b"[" * levels + json.dumps([text] * 3).encode() + b"]" * levels
    if levels + 1 > MAX_DEPTH:
        assert code_of(parse, document, "t") == "E203"
    else:
        parse(document, "t")


def test_a_raised_recursion_limit_does_not_reach_c_parsers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strict_json.sys, "getrecursionlimit", lambda: 10**6)
    assert code_of(read_fields, nested(10**6), frozenset({"a"}), "t") == "E203"
    assert read_fields(b'{"a":1}', frozenset({"a"}), "t") == {"a": 1}


@pytest.mark.parametrize(
    "text",
    ["1e999999999", "-1E+99999999999999999999", "0.1e-999999999", "1" * 5000, "0." + "1" * 5000, "1e401"],
)
def test_numbers_that_would_never_end(text: str):
    assert code_of(parse, b'{"a":' + text.encode() + b"}", "t") == "E205"
    assert code_of(read_fields, b'{"a":' + text.encode() + b"}", frozenset({"a"}), "t") == "E205"


def test_numbers_are_exact():
    assert parse(b"[0.1, 1e2, 12345678901234567890123]", "t") == [
        Decimal("0.1"),
        Decimal("1e2"),
        12345678901234567890123,
    ]


@pytest.mark.parametrize("document", [b'"\xff"', b'{"a":"\xc3"}', b'{"\xed\xa0\x80":1}', b"\xff\xfe{}"])
def test_invalid_utf8(document: bytes):
    assert code_of(parse, document, "t") == "E201"
    assert code_of(read_fields, document, frozenset({"b"}), "t") == "E201"


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[1,]", b'{"a":1,}', b"01", b"nul", b"{'a':1}", b'"\n"', b"{}{}", b"\xef\xbb\xbf{}", b"+1", b"[1 2]"],
)
def test_what_is_no_json(document: bytes):
    assert code_of(parse, document, "t") == "E202"
    assert code_of(read_fields, document, frozenset({"a"}), "t") in ("E202", "E206")


def test_keys_of_a_document():
    assert top_keys(b'{"a": NaN, "b": 1}') == {"a", "b"}
    assert top_keys(b"[1]") is None
    assert top_keys(b"<html>") is None
