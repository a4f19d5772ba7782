"""Fingerprints of parsed samples: equal for equal content, whatever its white space, key order or number format."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import MAX_PREC, Context, Decimal
from typing import Any

STARTED = "started_at"
"""Field that says when a sample of Inspect began; no part of what tells two samples apart."""

OWN_ID = "uuid"
"""Field that tells one sample of Inspect from every other, since the samples of one run."""

_EXACT = Context(prec=MAX_PREC)
_TEXT_OR_BLANK = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\n\r]+', re.DOTALL)


def fingerprint(value: object) -> bytes:
    """Return 32 bytes of SHA-256 over parsed JSON."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def sample_fingerprint(document: bytes, fields: Mapping[str, Any]) -> bytes:
    """Return 32 bytes of SHA-256 over a sample of Inspect.

    A sample with an id of its own is known by that and its scores; one without, by all that it holds but white space.

    Args:
        document: the sample as stored.
        fields: the fields parsed of it.
    """
    if isinstance(fields.get(OWN_ID), str):
        return fingerprint({name: value for name, value in fields.items() if name != STARTED})
    return hashlib.sha256(_TEXT_OR_BLANK.sub(rb"\1", document)).digest()


def _plain(value: object) -> object:
    """Return a value in which equal numbers are one text, apart from every text that was there."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return f"s{value}"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"n{Decimal(value).normalize(_EXACT)}"
    return str(value) if isinstance(value, float) else value
