"""Canonical bytes of plain data, and digests over them.

The encoding is RFC 8785 (JSON Canonicalization Scheme) restricted to what scalegate stores: objects, arrays,
strings, booleans, null and integers. Floats have no place here; exact rationals are stored as text. Integers
beyond 2**53 are written in full, where RFC 8785 would round them: such values are stored as text by every caller
that needs interoperability.
"""

from __future__ import annotations

import hashlib
import json
from typing import TypeAlias

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"


def canonical_bytes(value: Plain) -> bytes:
    """Return the canonical UTF-8 bytes of plain data.

    Raises:
        TypeError: for a float or any type outside `Plain`.
        UnicodeEncodeError: for text with lone surrogates.
    """
    encode = _plainly if _check(value) else _encode
    return encode(value).encode("utf-8")


def digest_bytes(data: bytes) -> str:
    """Return `sha256:` and the hex SHA-256 of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: Plain) -> str:
    """Return the digest of the canonical bytes of plain data."""
    return digest_bytes(canonical_bytes(value))


def _check(value: object) -> bool:
    """Check that a value is plain data, and return whether all its keys are ASCII."""
    if value is None or isinstance(value, str | bool | int):
        return True
    plain = True
    if isinstance(value, list):
        for item in value:
            plain &= _check(item)
        return plain
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        for key, item in value.items():
            plain &= key.isascii() & _check(item)
        return plain
    msg = f"a {type(value).__name__} has no canonical form here"
    raise TypeError(msg)


# Where all keys are ASCII, code points sort as UTF-16 code units do, and the encoder in C does the rest.
_plainly = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def _encode(value: Plain) -> str:
    if isinstance(value, dict):
        # RFC 8785 section 3.2.3: keys sort by their UTF-16 code units.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_encode(key)}:{_encode(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
