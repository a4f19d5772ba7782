"""JSON Schema of the gate's JSON answers, the published form `scalegate/decision/v1`."""

from __future__ import annotations

from typing import get_args

from scalegate.core.actions import ACTIONS
from scalegate.core.canonical import Plain
from scalegate.core.evidence import ReasonKind
from scalegate.gate.record import SCHEMA

_Schema = dict[str, Plain]

_TEXT: _Schema = {"type": "string"}
_FLAG: _Schema = {"type": "boolean"}
_TEXTS: _Schema = {"type": "array", "items": {"type": "string"}}
_DIGEST: _Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_MOMENT: _Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"}
_FLOP: _Schema = {"type": "string", "pattern": "^[0-9]+$"}


def decision_schema() -> _Schema:
    """Return the schema, JSON Schema draft 2020-12."""
    kinds: list[Plain] = sorted(get_args(ReasonKind))
    schema = _record(
        "The gate's answer to one question. Only `live: true` with exit code 0 lets anything happen.",
        {
            "schema": {"const": SCHEMA},
            "as_of": {**_MOMENT, "description": "The time of the question."},
            "answer": {"enum": ["permit", "hold"]},
            "action": {"enum": list[Plain](sorted(ACTIONS))},
            "subject": _TEXT,
            "to": _or_null(_FLOP, "Effective compute that training would reach, FLOP."),
            "context": {**_TEXT, "description": "Deployment context; empty is the worst one."},
            "counterfactual": {**_FLAG, "description": "A question about another time, or a dry run."},
            "untrusted": {**_FLAG, "description": "The store itself is not to be trusted."},
            "policies": _list(_ref("policy"), "The policies in force."),
            "reasons": _list(_ref("reason"), "Everything against a permit; empty for a permit."),
            "remedies": _list(_ref("remedy"), "Smallest sets of things that would release it."),
            "would_not_release": _TEXTS,
            "not_checked": _TEXTS,
            "assumptions": {**_TEXTS, "description": "What is taken on somebody's word."},
            "exceptions": _list(_ref("exception"), "Every exception that exists, used or not."),
            "limits": _or_null(_ref("limits"), "Bounds of a permit; null for a hold."),
            "notes": _TEXTS,
            "head": {**_TEXT, "description": "Digest of the last entry the answer rests on."},
            "tree": _ref("node"),
            "decision": {**_DIGEST, "description": "Digest of all of the above, as canonical JSON."},
            "number": _or_null({"type": "integer", "minimum": 1}, "Its number where recorded."),
            "live": {**_FLAG, "description": "Whether this is a permit to act on."},
        },
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scalegate decision",
        **schema,
        "$defs": _definitions(kinds),
    }


def _definitions(kinds: list[Plain]) -> _Schema:
    span = _or_null(_ref("span"), "The policy's words behind it.")
    return {
        "policy": _record("A policy.", {"id": _TEXT, "version": _TEXT, "digest": _DIGEST}),
        "reason": _record(
            "One reason against a permit.",
            {
                "commitment": _TEXT,
                "policy": _TEXT,
                "kind": {"enum": kinds},
                "message": _TEXT,
                "policy_span": span,
                "evidence": _TEXTS,
            },
        ),
        "remedy": _record(
            "Things that together would be enough.",
            {
                "steps": _TEXTS,
                "attainable": {**_FLAG, "description": "False: nobody knows how."},
            },
        ),
        "exception": _record(
            "An exception of a policy.",
            {
                "policy": _TEXT,
                "exception": _TEXT,
                "commitment": _TEXT,
                "used": _FLAG,
                "message": _TEXT,
                "policy_span": span,
            },
        ),
        "limits": _record(
            "How far and how long a permit goes.",
            {
                "effective_compute": _or_null(_FLOP, "FLOP; null where nothing is trained."),
                "expires": _or_null(_MOMENT, "Null: never."),
            },
        ),
        "node": _record(
            "A claim, how it came out, and what it rests on.",
            {
                "text": _TEXT,
                "truth": {"enum": ["proven", "refuted", "unknown"]},
                "kind": {"enum": ["", *kinds]},
                "policy_span": span,
                "evidence": _TEXTS,
                "detail": _TEXT,
                "children": _list(_ref("node"), "What it rests on."),
            },
        ),
        "span": _record(
            "A stretch of a policy's text; lines and columns count from 1, the end is exclusive.",
            {
                "file": _TEXT,
                **{name: {"type": "integer", "minimum": 1} for name in ("line", "column", "end_line", "end_column")},
            },
        ),
    }


def _record(description: str, properties: _Schema) -> _Schema:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: _Schema, description: str) -> _Schema:
    return {"type": "array", "items": items, "description": description}


def _or_null(schema: _Schema, description: str) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/$defs/{name}"}
