"""What stands behind the servers: a witness with its key and its memory, and a store read as the files of its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scalegate.app.keyring import Keyring
from scalegate.app.places import refusal_of
from scalegate.app.proving import LogFiles
from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.app.trusting import read_trust
from scalegate.ledger.errors import StoreError
from scalegate.ledger.note import NoteError, NoteKey, SignatureType, parse_vkey
from scalegate.ledger.store import LocalStore
from scalegate.ledger.witness import Witness, WitnessState, WitnessStateDamagedError


@contextmanager
def open_witness(keyring: Keyring, name: str, logs: Sequence[str], folder: Path, *, new: bool) -> Iterator[Witness]:
    """Open the memory of a witness, and give what decides for it.

    Args:
        keyring: where its key is.
        name: name of the key.
        logs: verifier keys of logs, or paths of trust files that name them.
        folder: the memory.
        new: whether to make it.

    Raises:
        RefusalError: if there is no such key, log or memory, or they do not belong together.
    """
    keys = [entry.note for entry in keyring.find(name) if entry.note and entry.note.kind is not SignatureType.NOTE]
    if len(keys) != 1:
        raise RefusalError(
            "usage", "key-unknown", f"there is no one key of a witness `{name:.80}` here", "`scalegate keys list` shows"
        )
    signer = keyring.note_signer(keys[0])
    if signer is None:
        raise RefusalError("refused", "key-missing", f"the private key of the witness `{name:.80}` is not here")
    known = _logs(logs)
    try:
        state = WitnessState.create(folder, keys[0]) if new else WitnessState(folder, keys[0])
    except StoreError as error:
        kind: RefusalKind = "untrusted" if isinstance(error, WitnessStateDamagedError) else "usage"
        raise RefusalError(kind, "witness-state", str(error), "--new makes the memory of a new witness") from error
    with state:
        try:
            yield Witness(state, signer, known)
        except NoteError as error:
            raise RefusalError("usage", "witness-unfit", str(error)) from error


def files_of(place: Path | str) -> LogFiles:
    """Return the files of the log in a store.

    Raises:
        RefusalError: if there is none, it is not what its log signed, or it is in a database.
    """
    if isinstance(place, str):
        raise RefusalError(
            "usage",
            "serve-database",
            "a log in a database is not served from there",
            "`scalegate ledger export` writes it into a directory, which any file server can host",
        )
    try:
        return LogFiles(lambda: LocalStore(place))
    except StoreError as error:
        raise refusal_of(error) from error


def _logs(given: Sequence[str]) -> dict[str, tuple[NoteKey, ...]]:
    found: dict[str, tuple[NoteKey, ...]] = {}
    for text in given:
        try:
            keys: tuple[NoteKey, ...] = (parse_vkey(text),)
        except NoteError:
            # Verifier keys have a `+` where a path of that name is not expected: what is none is a file.
            keys = read_trust(Path(text)).logs
        if not keys:
            raise RefusalError("usage", "trust-logless", f"`{text:.80}` names no log")
        for key in keys:
            if key.kind is not SignatureType.NOTE:
                raise RefusalError("usage", "key-unfit", f"`{key.name:.80}` is the key of a witness, and not of a log")
            found[key.name] = (*found.get(key.name, ()), *(() if key in found.get(key.name, ()) else (key,)))
    return found
