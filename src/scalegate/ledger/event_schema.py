"""JSON Schemas (draft 2020-12) of our predicates, derived from the types of the events themselves.

A leaf of the log is an in-toto Statement whose predicate has the type `urn:scalegate:EVENT:v1`. Its schema lets through
what the codec writes, and refuses most of what the codec refuses. What a schema cannot state (that a range is not
turned around, that a rational is in lowest terms) stays with the codec.
"""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Literal, Union, get_args, get_origin, get_type_hints

from scalegate.core.canonical import Plain
from scalegate.core.events import Event
from scalegate.ledger.codec import MAX_DIGITS, TAGS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SAFE = (1 << 53) - 1
_TAG_OF = {kind: tag for tag, kind in TAGS.items()}
_ATTRIBUTE = re.compile(r" {4}(\w+(?:, \w+)*): (.+)")
_PLAIN: dict[object, dict[str, Plain]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"$ref": "#/$defs/Integer"},
    Fraction: {"$ref": "#/$defs/Rational"},
}
_INTEGER: dict[str, Plain] = {
    "description": "A whole number; as text where it is beyond 2**53 - 1, which readers of JSON numbers lose.",
    "oneOf": [
        {"type": "integer", "minimum": -_SAFE, "maximum": _SAFE},
        {"type": "string", "pattern": f"^-?[1-9][0-9]{{15,{MAX_DIGITS - 1}}}$"},
    ],
}
_RATIONAL: dict[str, Plain] = {
    "description": "An exact rational in lowest terms, numerator and denominator in decimal.",
    "type": "string",
    "maxLength": MAX_DIGITS + 2,
    "pattern": "^(0/1|-?[1-9][0-9]*/[1-9][0-9]*)$",
}


def predicate_type(kind: type[Event]) -> str:
    """Return the URI of the predicate that carries an event, such as `urn:scalegate:run-registered:v1`.

    Raises:
        KeyError: if the type is no event.
    """
    return f"urn:scalegate:{_TAG_OF[kind]}:v1"


def schema_of(kind: type[Event]) -> dict[str, Plain]:
    """Return the JSON Schema of the predicate that carries an event: `{at, event, log, number}`.

    Raises:
        KeyError: if the type is no event.
        TypeError: if one of its fields has a type that events cannot hold.
    """
    definitions: dict[str, Plain] = {"Integer": _INTEGER, "Rational": _RATIONAL}
    tag = _TAG_OF[kind]
    event = _object(kind, definitions)
    used = _names(event)
    while (wider := used.union(*(_names(definitions[name]) for name in used))) != used:
        used = wider
    return {
        "$schema": DRAFT,
        "$id": predicate_type(kind),
        "title": f"scalegate {tag}",
        "description": _summary(kind),
        "type": "object",
        "properties": {
            "at": {
                "description": "When its author says that it was made, seconds since 1970 UTC.",
                "type": "integer",
                "minimum": 0,
                "maximum": _SAFE,
            },
            "event": event,
            "log": {
                "description": "Origin of the log that it was made for, as in its checkpoints.",
                "type": "string",
            },
            "number": {
                "description": "How many statements its author has made for that log, with this one.",
                "type": "integer",
                "minimum": 1,
                "maximum": _SAFE,
            },
        },
        "required": ["at", "event", "log", "number"],
        "additionalProperties": False,
        "$defs": {name: definitions[name] for name in sorted(used)},
    }


def _object(kind: type, definitions: dict[str, Plain]) -> dict[str, Plain]:
    """Schema of a dataclass: an object with exactly its fields."""
    if not is_dataclass(kind):
        raise TypeError(f"{kind!r} is no record")
    hints = get_type_hints(kind)
    names = [item.name for item in fields(kind)]
    said = _attributes(kind)
    properties: dict[str, Plain] = {name: said.get(name, {}) | _value(hints[name], definitions) for name in names}
    required: list[Plain] = list(names)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _value(hint: object, definitions: dict[str, Plain]) -> dict[str, Plain]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in definitions:
            found = _object(hint, definitions)
            definitions[hint.__name__] = {"description": _summary(hint), **found}
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        options: list[Plain] = [str(item) for item in arguments]
        return {"enum": options}
    if origin is tuple:
        return _list(arguments, definitions)
    if origin in (Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        inner = next(item for item in arguments if item is not type(None))
        return {"oneOf": [{"type": "null"}, _value(inner, definitions)]}
    raise TypeError(f"events cannot hold {hint!r}")


def _list(arguments: tuple[object, ...], definitions: dict[str, Plain]) -> dict[str, Plain]:
    """Schema of `tuple[X, ...]`, or of a tuple with a fixed number of values."""
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _value(arguments[0], definitions)}
    items: list[Plain] = [_value(item, definitions) for item in arguments]
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}


def _names(schema: Plain) -> set[str]:
    """Names of the definitions that a schema refers to."""
    if isinstance(schema, list):
        return set().union(*map(_names, schema))
    if not isinstance(schema, dict):
        return set()
    found = set().union(*map(_names, schema.values()))
    target = schema.get("$ref")
    return found | {target.removeprefix("#/$defs/")} if isinstance(target, str) else found


def _attributes(kind: type) -> dict[str, dict[str, Plain]]:
    """What a docstring says of each attribute, by its name; several that are explained together share the words."""
    _, _, section = (inspect.getdoc(kind) or "").partition("\nAttributes:\n")
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for line in section.partition("\n\n")[0].splitlines():
        named = _ATTRIBUTE.fullmatch(line)
        if named is not None:
            words = [named[2]]
            found |= dict.fromkeys(named[1].split(", "), words)
        else:
            words.append(line.strip())
    return {name: {"description": " ".join(lines)} for name, lines in found.items()}


def _summary(kind: type) -> str:
    """First paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
