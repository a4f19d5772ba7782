"""Strict JSON, fast where it can be: no duplicate keys, no broken UTF-8, no depth, no endless numbers.

Two paths give one meaning:

* `parse` reads a whole document with the standard library. Every object is checked for duplicate keys, floats
  become `Decimal` (exact, and never expanded), `NaN` and infinities become floats. Depth is measured before the
  recursive parser runs.
* `read_fields` reads a few fields of a large object. msgspec checks the grammar of the whole document but skips
  what nobody asked for, and keeps the last of two equal keys. So the document is rebuilt from the distinct keys
  and the stretches of bytes behind them; only if the rebuilt bytes *are* the document did it contain each key
  once. Fields asked for are then parsed strictly. msgspec also refuses two things that Inspect writes, `NaN` and
  lone surrogates: it is shown a copy in which those are masked byte for byte. Whatever still fails (unusual
  spacing, escaped keys, a key twice) is read by `parse`. What is not decided by all this: duplicate keys inside
  fields that nobody reads.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, NoReturn, TypeVar

import msgspec

from scalegate.ingest.limits import DEFAULT_LIMITS, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.sanitize import quoted

_RAW_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(code for code in range(256) if code not in b'[]{}"')
_STRING = re.compile(rb'"[^"]*"')
_JOINT = re.compile(rb"\}\s*,\s*\{")
_BLANK = re.compile(rb"[ \t\n\r]*")
_BLANK_OR_COMMA = re.compile(rb"[ \t\n\r,]*")
_STRING_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|NaN|Infinity', re.DOTALL)
_SURROGATE = re.compile(rb"\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_Raws = TypeVar("_Raws", dict[str, msgspec.Raw], list[msgspec.Raw])
# Objects nested in an element give false cuts; each costs a decoding.
_FAILURES_PER_OBJECT = 32
# The objects of one array share their keys and their spacing; a log has a handful of shapes.
_SHAPES: dict[tuple[str, ...], tuple[bytes, ...]] = {}
_MAX_SHAPES, _MAX_SHAPE_BYTES = 64, 4096
# A host program may have raised Python's limit so far that C parsers overflow their stack.
_TRUSTED_RECURSION = 20_000


class _NumberError(ValueError):
    pass


class _DuplicateKeyError(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return found


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise _NumberError(f"{len(text)} characters")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise _NumberError(text) from error
    if value and abs(value.adjusted()) > MAX_EXPONENT:
        raise _NumberError(text)
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _NumberError(f"{len(text)} characters")
    return int(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_decimal, parse_int=_integer, parse_constant=float)


# The C scanner behind `decode`, without the two searches for blanks around a document that has none.
_SCAN: Callable[[str, int], tuple[Any, int]] = vars(_DECODER)["scan_once"]


def _too_deep(where: str) -> NoReturn:
    raise ObjectionError("E203", f"more than {MAX_DEPTH} levels", where)


def check_depth(document: bytes, where: str) -> None:
    """Refuse a document nested deeper than `MAX_DEPTH`, in a handful of passes over its bytes.

    Strings are removed, then innermost pairs of brackets level by level; nothing recurses. Brackets that do not
    match are left for the parser to report.

    Raises:
        ObjectionError: E203.
    """
    if document.count(b"[") + document.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in document:
        document = document.replace(b"\\\\", b"").replace(b'\\"', b"")
    rest = document.translate(_ONE_BRACKET, _NOT_STRUCTURE).replace(b'""', b"")
    if b'"' in rest:
        rest = _STRING.sub(b"", rest)
    run = b"[" * (MAX_DEPTH + 1)
    for _ in range(MAX_DEPTH + 1):
        if run in rest:
            _too_deep(where)
        inner = rest.replace(b"[]", b"")
        if len(inner) == len(rest):
            return
        rest = inner
    if rest:
        _too_deep(where)


def _decode(text: str, where: str) -> Any:  # noqa: ANN401 - JSON is any of six types
    try:
        if text.startswith("{") and text.endswith("}"):
            value, end = _SCAN(text, 0)
            if end == len(text):
                return value
        return _DECODER.decode(text)
    except _DuplicateKeyError as error:
        raise ObjectionError("E204", quoted(str(error)), where) from error
    except _NumberError as error:
        raise ObjectionError("E205", quoted(str(error)), where) from error
    except json.JSONDecodeError as error:
        raise ObjectionError("E202", f"{error.msg} at character {error.pos}", where) from error
    except StopIteration as error:
        raise ObjectionError("E202", f"no value at character {error.value}", where) from error
    except RecursionError:
        _too_deep(where)


def _utf8(document: bytes, where: str) -> str:
    try:
        return document.decode()
    except UnicodeDecodeError as error:
        raise ObjectionError("E201", f"byte {error.start}", where) from error


def parse(document: bytes, where: str, limit: int = DEFAULT_LIMITS.document_bytes) -> Any:  # noqa: ANN401 - JSON is any of six types
    """Return the value of a JSON document.

    Numbers with a point or exponent become `Decimal`; `NaN`, `Infinity` and `-Infinity`, which Inspect writes,
    become floats; everything else as in the standard library.

    Raises:
        ObjectionError: E201 to E205, E207.
    """
    if len(document) > limit:
        raise ObjectionError("E207", f"{len(document)} bytes", where)
    check_depth(document, where)
    return _decode(_utf8(document, where), where)


def _mask_surrogate(match: re.Match[bytes]) -> bytes:
    return match[0] if match[0] == b"\\\\" else b"\\u0020"


def _mask_token(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token.startswith(b'"'):
        return _SURROGATE.sub(_mask_surrogate, token) if b"\\u" in token else token
    return b"1" * len(token)


def _masked(document: bytes) -> bytes:
    """Return a document of the same length and shape without NaN, infinities and surrogates."""
    return _STRING_OR_CONSTANT.sub(_mask_token, document)


def _decode_raw(decoder: msgspec.json.Decoder[_Raws], document: bytes) -> tuple[_Raws, bytes] | None:
    """Return the stretches of bytes, and the document that they lie in: the given one or its mask."""
    if sys.getrecursionlimit() > _TRUSTED_RECURSION:
        return None
    try:
        return decoder.decode(document), document
    except (RecursionError, UnicodeDecodeError):
        return None
    except msgspec.MsgspecError:
        shadow = _masked(document)
    try:
        return decoder.decode(shadow), shadow
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _skeleton(document: bytes, raws: dict[str, msgspec.Raw], start: int) -> tuple[bytes, ...]:
    """Return what should stand before each value, in the spacing that the first two members show."""
    first = next(iter(raws))
    colon = start + len(first.encode()) + 2
    value = _BLANK.match(document, document.find(b":", colon) + 1).end()  # type: ignore[union-attr]
    end = value + len(raws[first])
    comma = document[end : document.find(b'"', end)] if len(raws) > 1 else b""
    between = document[colon:value]
    heads = [b'%b"%b"%b' % (comma, key.encode(), between) for key in raws]
    heads[0] = heads[0][len(comma) :]
    return tuple(heads)


def _heads(document: bytes, raws: dict[str, msgspec.Raw]) -> tuple[int, tuple[bytes, ...]] | None:
    """Return where the first key starts, and the bytes before each value, if each key provably occurs once.

    The proof is that the distinct keys and their values, put together again, are the document: then the document
    has no room for another key. A wrong guess at the spacing only fails to prove it.
    """
    start = document.find(b'"')
    keys = tuple(raws)
    guess = _SHAPES.get(keys)
    if guess is None or not _is_rebuilt(document, raws, start, guess):
        if any('"' in key or "\\" in key for key in keys):
            return None
        guess = _skeleton(document, raws, start)
        if not _is_rebuilt(document, raws, start, guess):
            return None
        if len(_SHAPES) >= _MAX_SHAPES:
            _SHAPES.clear()
        if sum(map(len, guess)) <= _MAX_SHAPE_BYTES:
            _SHAPES[keys] = guess
    return start, guess


def _is_rebuilt(document: bytes, raws: dict[str, msgspec.Raw], start: int, heads: tuple[bytes, ...]) -> bool:
    rebuilt = b"".join(chain.from_iterable(zip(heads, raws.values(), strict=True)))
    return document.startswith(rebuilt, start) and document[start + len(rebuilt) :].strip() == b"}"


def _spans(raws: dict[str, msgspec.Raw], shadow: bytes) -> dict[str, slice] | None:
    """Return where the value of each key stands if the document provably has every key once, else None."""
    if not raws:
        return {}
    found = _heads(shadow, raws)
    if found is None:
        return None
    end, heads = found
    spans = {}
    for head, (key, raw) in zip(heads, raws.items(), strict=True):
        begin = end + len(head)
        end = begin + len(raw)
        spans[key] = slice(begin, end)
    return spans


def read_fields(document: bytes, wanted: frozenset[str], where: str) -> dict[str, Any]:
    """Return the values of the wanted keys of a JSON object; keys that are absent are left out.

    The whole document is checked for grammar, UTF-8, and duplicate keys at its top and inside the wanted values.

    Raises:
        ObjectionError: E201 to E206.
    """
    return _select(document, _decode_raw(_RAW_OBJECT, document), wanted, where)


def _select(
    document: bytes,
    decoded: tuple[dict[str, msgspec.Raw], bytes] | None,
    wanted: frozenset[str],
    where: str,
) -> dict[str, Any]:
    if not document.isascii():
        _utf8(document, where)
    if decoded is not None:
        raws, shadow = decoded
        keys = wanted & raws.keys()
        if shadow is document and raws and _heads(document, raws):
            return _small(raws, wanted, where)
        spans = _spans(raws, shadow)
        if spans is not None:
            return {key: _parse_checked(document[spans[key]], where) for key in keys}
    value = parse(document, where)
    if not isinstance(value, dict):
        raise ObjectionError("E206", "not an object", where)
    return {key: value[key] for key in wanted if key in value}


def _small(raws: dict[str, msgspec.Raw], wanted: frozenset[str], where: str) -> dict[str, Any]:
    """Put the wanted fields into one small object, so that one call parses them all."""
    fields = [b'"%b":%b' % (key.encode(), raws[key]) for key in wanted if key in raws]
    found: dict[str, Any] = _parse_checked(b"{%b}" % b",".join(fields), where)
    return found


def _parse_checked(document: bytes, where: str) -> Any:  # noqa: ANN401 - JSON is any of six types
    check_depth(document, where)
    return _decode(document.decode(), where)


def top_keys(document: bytes) -> frozenset[str] | None:
    """Return the keys of a JSON object, or None if the document is none, or none that can be read."""
    decoded = _decode_raw(_RAW_OBJECT, document)
    return None if decoded is None else frozenset(decoded[0])


def cut_field(document: bytes, key: str, where: str) -> tuple[bytes, bytes] | None:
    """Split an object into itself with the value of `key` replaced by `null`, and the bytes of that value.

    Returns None when the document has no such key, or cannot be split for certain.

    Raises:
        ObjectionError: E201.
    """
    if not document.isascii():
        _utf8(document, where)
    decoded = _decode_raw(_RAW_OBJECT, document)
    spans = None if decoded is None else _spans(*decoded)
    if spans is None or key not in spans:
        return None
    span = spans[key]
    return document[: span.start] + b"null" + document[span.stop :], document[span]


def elements(document: bytes, where: str) -> Iterator[bytes]:
    """Return the elements of a JSON array as documents of their own.

    Raises:
        ObjectionError: E201 to E206.
    """
    decoded = _decode_raw(_RAW_ARRAY, document)
    if decoded is None:
        check_depth(document, where)
        value = parse(document, where)
        detail = "not an array" if not isinstance(value, list) else "an array that cannot be split"
        raise ObjectionError("E206", detail, where)
    raws, _ = decoded
    position = document.find(b"[") + 1
    for raw in raws:
        position = _BLANK_OR_COMMA.match(document, position).end()  # type: ignore[union-attr]
        yield document[position : position + len(raw)]
        position += len(raw)


def stream_fields(
    pieces: Iterable[bytes],
    wanted: frozenset[str],
    where: str,
    limit: int = DEFAULT_LIMITS.document_bytes,
) -> Iterator[dict[str, Any]]:
    """Return the wanted fields of each object of a JSON array that arrives in pieces.

    The text is cut where one object seems to end and the next to begin. A cut counts only if what stands before
    it is one complete JSON object; then the objects and the commas between them are the array. Where that does
    not succeed soon (objects nested in the elements look alike), more is read first. About one piece and one
    element are held at a time.

    Raises:
        ObjectionError: E201 to E207.
    """
    held = b""
    arrived: list[bytes] = []
    waiting = 0
    opened = False
    wait_for = 1
    for piece in pieces:
        arrived.append(piece)
        waiting += len(piece)
        if len(held) + waiting > limit:
            raise ObjectionError("E207", f"an element of more than {limit} bytes", where)
        if waiting < wait_for:
            continue
        held, arrived, waiting = held + b"".join(arrived), [], 0
        if not opened:
            held = held.lstrip()
            if held and not held.startswith(b"["):
                raise ObjectionError("E206", "not an array", where)
            opened, held = bool(held), held[1:]
        rows, used = _packed_objects(held)
        for raws in rows:
            yield _small(raws, wanted, where)
        if not rows:
            for candidate, decoded, end in _complete_objects(held):
                used = end
                yield _select(candidate, decoded, wanted, where)
        held = held[used:]
        # Twice as much before the next look keeps the work linear, whatever the element looks like.
        wait_for = len(held)
    rest = held + b"".join(arrived)
    for element in elements(b"[" + rest if opened else rest, where):
        yield read_fields(element, wanted, where)


def _packed_objects(text: bytes) -> tuple[list[dict[str, msgspec.Raw]], int]:
    """Return the objects that `text` begins with and how far they reach, if all are in the densest spacing.

    Inspect writes its summaries so. The proof that no key occurs twice is that of `_heads`, for all at once; text
    that is not ASCII, another spacing, or keys never seen before give nothing, and `_complete_objects` has to look.
    """
    end = text.rfind(b'},{"id":') + 1
    if not end or not text.startswith(b"{") or sys.getrecursionlimit() > _TRUSTED_RECURSION:
        return [], 0
    part = text[:end]
    try:
        rows = _RAW_OBJECTS.decode(b"[%b]" % part) if part.isascii() else []
    except (msgspec.MsgspecError, RecursionError):
        return [], 0
    rebuilt: list[bytes] = []
    for raws in rows:
        heads = _SHAPES.get(tuple(raws))
        if heads is None:
            return [], 0
        rebuilt.append(b"".join(chain.from_iterable(zip(heads, raws.values(), strict=True))))
    if part != b"{%b}" % b"},{".join(rebuilt):
        return [], 0
    return rows, end + 1


def _complete_objects(
    text: bytes,
) -> Iterator[tuple[bytes, tuple[dict[str, msgspec.Raw], bytes], int]]:
    """Return the complete objects that `text` begins with, and where the next one starts."""
    start = _BLANK.match(text).end()  # type: ignore[union-attr]
    failures = 0
    for joint in _JOINT.finditer(text):
        candidate = text[start : joint.start() + 1]
        decoded = _decode_raw(_RAW_OBJECT, candidate)
        if decoded is not None:
            start = joint.end() - 1
            failures = 0
            yield candidate, decoded, start
        elif (failures := failures + 1) > _FAILURES_PER_OBJECT:
            return
