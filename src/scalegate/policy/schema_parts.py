"""What the JSON Schema of a policy file is built of."""

from __future__ import annotations

from typing import TypeAlias

from scalegate.core.canonical import Plain

Schema: TypeAlias = dict[str, Plain]


def ref(name: str, description: str = "") -> Schema:
    """Return a reference to one of the definitions, with what it means here."""
    note: Schema = {"description": description} if description else {}
    return {"$ref": f"#/$defs/{name}", **note}


def record(description: str, keys: Schema, required: tuple[str, ...] = ()) -> Schema:
    """Return a mapping with these keys and no others."""
    needed: Schema = {"required": [*required]} if required else {}
    return {
        "type": "object",
        "description": description,
        "properties": keys,
        "additionalProperties": False,
        **needed,
    }


def keys_of(schema: Schema) -> list[str]:
    """Return the keys of a record."""
    keys = schema["properties"]
    return list(keys) if isinstance(keys, dict) else []


def none_of(*keys: str) -> Schema:
    """Refuse the keys, which exclude others."""
    return {"properties": dict.fromkeys(keys, False)}


def map_of(description: str, values: Schema) -> Schema:
    """Return a mapping of names that the author chooses."""
    return {"type": "object", "description": description, "additionalProperties": values}


def words(description: str, also: list[Plain] | None = None) -> Schema:
    """Return a free text; `also` are other types that a YAML reader may take it for."""
    return {"type": ["string", *(also or [])], "minLength": 1, "description": description}


def pattern(description: str, regex: str, also: list[Plain] | None = None) -> Schema:
    """Return a text of a form."""
    return {"type": ["string", *(also or [])], "pattern": regex, "description": description}


def choice(description: str, *options: str) -> Schema:
    """Return one of these words."""
    return {"enum": [*options], "description": description}


def some_of(description: str, *options: str) -> Schema:
    """Return one or several of these words."""
    one: Schema = {"enum": [*options]}
    several: Schema = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
    return {"description": description, "anyOf": [one, several]}
