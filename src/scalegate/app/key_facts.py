"""What is to be said of keys: whose they are, and how their private parts are kept."""

from __future__ import annotations

from scalegate.app.keyring import KeyEntry
from scalegate.ledger.trust_words import write_key


def describe(entry: KeyEntry) -> dict[str, object]:
    """Return what is to be said of a key, by name; nothing of it is secret."""
    return {
        "name": entry.name,
        "roles": list(entry.roles),
        "kind": entry.kind,
        "algorithm": entry.public.algorithm,
        "state": _state(entry),
        "digest": entry.public.digest,
        "public": write_key(entry.public),
        "file": str(entry.file),
        "line": entry.line,
    }


def _state(entry: KeyEntry) -> str:
    if entry.fault:
        return f"not used: {entry.fault}"
    if entry.kind in {"file", "note"}:
        return "passphrase" if entry.is_encrypted else "unprotected"
    return "in the agent" if entry.kind == "ssh-agent" else "in a token"
