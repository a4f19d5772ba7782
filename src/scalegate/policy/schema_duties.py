"""JSON Schema of what a policy promises besides holding, and of what only encodings write."""

from __future__ import annotations

from scalegate.policy.parse_duties import MODALITIES, READ, UNSETTLED
from scalegate.policy.practices import PRACTICES
from scalegate.policy.schema_parts import Schema, choice, map_of, none_of, pattern, record, ref, words

_ONLY_IN_ENCODINGS = "In encodings (`kind: reference`) only."


def top_keys() -> Schema:
    """Return the keys at the top of a policy."""
    return {
        "legal text": ref("law"),
        "mandates": record(
            "What a regime asks of every developer's own policy.",
            {"roles": map_of("Roles that it has to declare.", ref("mandate"))},
            required=("roles",),
        ),
        "obligations": map_of("What has to be done in time.", ref("obligation")),
        "declares": _declares(),
        "assumes": ref("words", f"Claims that the text rests on. {_ONLY_IN_ENCODINGS}"),
        "sources": map_of(f"The documents behind it. {_ONLY_IN_ENCODINGS}", ref("source")),
        "unread": ref("words", f"Parts that nobody read. {_ONLY_IN_ENCODINGS}"),
    }


def belongings() -> Schema:
    """Return which keys at the top belong to which kinds of text."""
    kind: Schema = {"required": ["kind"]}
    return {
        "allOf": [
            {
                "if": {**kind, "properties": {"kind": {"const": "reference"}}},
                "else": none_of("assumes", "sources", "unread"),
            },
            {
                "if": {**kind, "properties": {"kind": {"enum": ["regime", "reference"]}}},
                "else": none_of("legal text", "mandates", "binds"),
            },
        ]
    }


def definitions() -> Schema:
    """Return the definitions that these keys refer to."""
    return {"law": _law(), "mandate": _mandate(), "obligation": _obligation(), "source": _source(), **_events()}


def about() -> Schema:
    """Return the key that says what an entry is about."""
    return {"about": ref("names", "Aspects it belongs to, for comparisons; it changes no decision.")}


def origin() -> Schema:
    """Return the keys that say where an entry of an encoding is from."""
    return {
        "source": ref("name", f"The key of a source. {_ONLY_IN_ENCODINGS}"),
        "read": choice(f"Whether it was seen, remembered, or not read. {_ONLY_IN_ENCODINGS}", *READ),
    }


def modality() -> Schema:
    """Return the key that says how strongly an entry binds."""
    return {"modality": choice("How strongly the text binds.", *MODALITIES)}


def unsettled() -> Schema:
    """Return the key that says what happens where nothing is known."""
    return {"unknown": choice(f"What happens where neither condition is settled. {_ONLY_IN_ENCODINGS}", *UNSETTLED)}


def _events() -> Schema:
    event = pattern("A statement by a role: `incident-reported by regulator`.", r"^\s*[A-Za-z][A-Za-z0-9.-]* +by +")
    several: Schema = {"type": "array", "items": ref("event"), "minItems": 1, "uniqueItems": True}
    return {"event": event, "events": {"anyOf": [ref("event"), several]}}


def _law() -> Schema:
    return record(
        "The law that a regime states.",
        {
            "title": words("What it is called."),
            "version": words("Which version of it.", also=["number"]),
            "in force": ref("date", "From when on."),
            "jurisdiction": ref("name", "Where: `us-ca`."),
            "text": ref("pin", "The text itself, pinned."),
        },
        required=("title", "version"),
    )


def _mandate() -> Schema:
    return record(
        "A role, at least so independent and with at least this quorum.",
        {
            "independent of": ref("names", "Roles that nobody in this one may also act in."),
            "quorum": pattern("How many have to agree.", r"^[0-9]+$", also=["integer"]),
        },
    )


def _obligation() -> Schema:
    duty = record(
        "Something that has to be done in time, and the statement that shows it was.",
        {
            "does": words("What is to be done."),
            "within": ref("duration", "How long after each start."),
            "from": ref("events", "What starts a clock."),
            "every": ref("duration", "How often, from the day the policy is effective."),
            "met when": ref("event", "What stops it."),
            **about(),
            **modality(),
            **origin(),
        },
        required=("does", "met when"),
    )
    recurring: Schema = {"required": ["every"], **none_of("within", "from")}
    return {**duty, "oneOf": [recurring, {"required": ["within", "from"], **none_of("every")}]}


def _declares() -> Schema:
    entry: Schema = {
        "anyOf": [
            {"type": ["string", "number"], "minLength": 1},
            record(
                "A practice in words.",
                {
                    "says": words("What is declared."),
                    **modality(),
                    "number": words("The number in it.", also=["number"]),
                    **origin(),
                },
                required=("says",),
            ),
        ]
    }
    practices: Schema = {key: {**entry, "description": meaning} for key, meaning in PRACTICES.items()}
    return record("Practices that are declared, and that the gate does not enforce.", practices)


def _source() -> Schema:
    return record(
        "A document behind an encoding.",
        {
            "title": words("What it is called."),
            "date": pattern("`2025-10-15`, `2025-10` or `2025`.", r"^[0-9]{4}(-[0-9]{2}){0,2}$", also=["integer"]),
            "document": words("Where it is found."),
            "pages": words("What of it was read.", also=["number"]),
        },
        required=("title",),
    )
