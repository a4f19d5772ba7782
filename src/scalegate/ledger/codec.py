"""Events as plain data, and back.

An event is a JSON object with its fields, and a tag that says which. Decoding is strict: exactly one value stands
for one event, and everything else is refused. Integers beyond 2**53 - 1 are written as text, where JSON numbers
would not survive other readers; rationals, too, as `n/d`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from scalegate.core import developer_events, events, job_events, log_events, policy_events
from scalegate.core.canonical import Plain
from scalegate.core.events import Event

MAX_DIGITS = 400
_SAFE = (1 << 53) - 1

TAGS: dict[str, type[Event]] = {
    "policy-adopted": events.PolicyAdopted,
    "policy-withdrawn": events.PolicyWithdrawn,
    "hole-filled": events.HoleFilled,
    "subject-declared": events.SubjectDeclared,
    "run-registered": events.RunRegistered,
    "result-reported": events.ResultReported,
    "result-refused": events.ResultRefused,
    "run-voided": events.RunVoided,
    "defect-retracted": events.DefectRetracted,
    "statement": events.Statement,
    "method-published": events.MethodPublished,
    "stop-ordered": events.StopOrdered,
    "stop-lifted": events.StopLifted,
    "exception-invoked": events.ExceptionInvoked,
    "permit-revoked": events.PermitRevoked,
    "decision-made": events.DecisionMade,
    "trust-adopted": log_events.TrustAdopted,
    "head-witnessed": log_events.HeadWitnessed,
    "order-drawn": log_events.OrderDrawn,
    "key-rotated": log_events.KeyRotated,
    "key-revoked": log_events.KeyRevoked,
    "permit-claimed": job_events.PermitClaimed,
    "job-reported": job_events.JobReported,
    "multiplier-stated": job_events.MultiplierStated,
    "developer-described": developer_events.DeveloperDescribed,
    "policy-compared": policy_events.PolicyCompared,
}
_TAG_OF = {kind: tag for tag, kind in TAGS.items()}


class CodecError(ValueError):
    """Data that is no event of ours, or an event that cannot be one; the message says why."""


class _Shape(NamedTuple):
    """How values of one type are written and read; `read` gets the path for its errors."""

    write: Callable[[object], Plain]
    read: Callable[[object, str], object]


def tag_of(event: Event) -> str:
    """Return which event it is, as written.

    Raises:
        CodecError: if it is none.
    """
    tag = _TAG_OF.get(type(event))
    if tag is None:
        raise CodecError(f"a {type(event).__name__} is no event")
    return tag


def encode_event(event: Event) -> dict[str, Plain]:
    """Return the fields of an event as plain data.

    Raises:
        CodecError: if a field holds a value of another type than its own.
    """
    tag_of(event)
    return cast("dict[str, Plain]", _record(type(event)).write(event))


def decode_event(tag: str, value: object) -> Event:
    """Return the event that a tag and plain data stand for.

    Raises:
        CodecError: for an unknown type, an unknown or missing field, or a value of a wrong type.
    """
    if tag not in TAGS:
        raise CodecError(f"unknown type of event: {tag!r:.80}")
    if not isinstance(value, dict):
        raise CodecError("an event is an object")
    return cast("Event", _record(TAGS[tag]).read(value, tag))


# ---------------------------------------------------------------- shapes


def _read_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise CodecError(f"{path}: expected a text, got {_kind(value)}")
    return value


def _read_flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise CodecError(f"{path}: expected true or false, got {_kind(value)}")
    return value


def _read_integer(value: object, path: str) -> int:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
            raise CodecError(f"{path}: expected an integer, got text")
        number = int(value)
        if str(number) != value:
            raise CodecError(f"{path}: an integer has no leading zeros")
        if abs(number) <= _SAFE:
            raise CodecError(f"{path}: an integer of this size is not written as text")
        return number
    if type(value) is not int:
        raise CodecError(f"{path}: expected an integer, got {_kind(value)}")
    if abs(value) > _SAFE:
        raise CodecError(f"{path}: an integer of this size is written as text")
    return value


def _write_integer(value: object) -> Plain:
    if type(value) is not int:
        raise CodecError(f"expected an integer, got {_kind(value)}")
    if abs(value) <= _SAFE:
        return value
    text = str(value)
    if len(text) > MAX_DIGITS:
        raise CodecError(f"an integer of {len(text)} digits is larger than any real quantity")
    return text


def _read_rational(value: object, path: str) -> Fraction:
    text = _read_text(value, path)
    above, _, below = text.partition("/")
    plain = above.removeprefix("-") + below
    if not (plain.isascii() and plain.isdigit() and above and below and len(plain) <= MAX_DIGITS):
        raise CodecError(f"{path}: expected a rational `n/d`")
    if int(below) == 0 or f"{Fraction(text).numerator}/{Fraction(text).denominator}" != text:
        raise CodecError(f"{path}: expected a rational in lowest terms")
    return Fraction(text)


def _write_rational(value: object) -> Plain:
    if not isinstance(value, Fraction):
        raise CodecError(f"expected a rational, got {_kind(value)}")
    return f"{value.numerator}/{value.denominator}"


def _write_text(value: object) -> Plain:
    return _read_text(value, "text")


def _write_flag(value: object) -> Plain:
    return _read_flag(value, "flag")


_PLAIN_SHAPES: dict[object, _Shape] = {
    str: _Shape(_write_text, _read_text),
    bool: _Shape(_write_flag, _read_flag),
    int: _Shape(_write_integer, _read_integer),
    Fraction: _Shape(_write_rational, _read_rational),
}


def _shape(hint: object) -> _Shape:
    if hint in _PLAIN_SHAPES:
        return _PLAIN_SHAPES[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _record(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _choice(arguments)
    if origin is tuple:
        return _sequence(arguments)
    if origin in (Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        return _optional(_shape(next(item for item in arguments if item is not type(None))))
    raise TypeError(f"events cannot hold {hint!r}")


def _choice(options: tuple[object, ...]) -> _Shape:
    def read(value: object, path: str) -> object:
        text = _read_text(value, path)
        if text not in options:
            raise CodecError(f"{path}: expected one of {', '.join(map(str, options))}")
        return text

    return _Shape(lambda value: cast("Plain", read(value, "choice")), read)


def _sequence(arguments: tuple[object, ...]) -> _Shape:
    """Shape of `tuple[X, ...]`, or of a tuple with a fixed number of values."""
    homogeneous = len(arguments) == 2 and arguments[1] is Ellipsis
    shapes = [_shape(item) for item in arguments if item is not Ellipsis]

    def each(count: int, path: str) -> list[_Shape]:
        if homogeneous:
            return shapes * count
        if count != len(shapes):
            raise CodecError(f"{path}: expected {len(shapes)} values, got {count}")
        return shapes

    def write(value: object) -> Plain:
        if not isinstance(value, tuple):
            raise CodecError(f"expected a tuple, got {_kind(value)}")
        pairs = zip(value, each(len(value), "tuple"), strict=True)
        return [shape.write(item) for item, shape in pairs]

    def read(value: object, path: str) -> object:
        if not isinstance(value, list):
            raise CodecError(f"{path}: expected a list, got {_kind(value)}")
        pairs = zip(value, each(len(value), path), strict=True)
        return tuple(shape.read(item, f"{path}[{place}]") for place, (item, shape) in enumerate(pairs))

    return _Shape(write, read)


def _optional(inner: _Shape) -> _Shape:
    def write(value: object) -> Plain:
        return None if value is None else inner.write(value)

    def read(value: object, path: str) -> object:
        return None if value is None else inner.read(value, path)

    return _Shape(write, read)


_RECORDS: dict[type, _Shape] = {}


def _record(kind: type) -> _Shape:
    """Shape of a dataclass: an object with exactly its fields."""
    if kind not in _RECORDS:
        _RECORDS[kind] = _shape_of_record(kind)
    return _RECORDS[kind]


def _shape_of_record(kind: type) -> _Shape:
    if not is_dataclass(kind):
        raise TypeError(f"{kind!r} is no record")
    hints = get_type_hints(kind)
    shapes = {item.name: _shape(hints[item.name]) for item in fields(kind)}

    def write(value: object) -> Plain:
        if type(value) is not kind:
            raise CodecError(f"expected a {kind.__name__}, got {_kind(value)}")
        return {name: shape.write(getattr(value, name)) for name, shape in shapes.items()}

    def read(value: object, path: str) -> object:
        if not isinstance(value, dict):
            raise CodecError(f"{path}: expected an object, got {_kind(value)}")
        for name in value:
            if name not in shapes:
                raise CodecError(f"{path}: unknown field {name!r:.80}")
        for name in shapes:
            if name not in value:
                raise CodecError(f"{path}: missing field `{name}`")
        try:
            return kind(**{name: shape.read(value[name], f"{path}.{name}") for name, shape in shapes.items()})
        except CodecError:
            raise
        except ValueError as error:
            raise CodecError(f"{path}: {error}") from error

    return _Shape(write, read)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
