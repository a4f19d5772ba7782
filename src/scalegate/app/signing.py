"""Statements signed and not recorded: for whoever has a key, and a copy of the log instead of the log.

The commands are the same as ever, over a copy of the store or over an export. What they would have recorded is signed
with the keys at hand and written to a file, and documents that belong to it to a folder beside. It counts once
`scalegate ledger include` took it into the log, and not before: the signer hands both over and keeps a copy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NoReturn, cast

from scalegate.app.places import open_store
from scalegate.app.refusal import RefusalError
from scalegate.app.signed import SignedElsewhereError
from scalegate.core.events import Entry, Event, History
from scalegate.ledger import blobs
from scalegate.ledger.checkpoint import CheckpointError, parse_checkpoint
from scalegate.ledger.dsse import DsseError, verify_envelope
from scalegate.ledger.errors import StoreDamagedError, StoreError
from scalegate.ledger.files import sync_folder
from scalegate.ledger.holders import NotAdmittedError
from scalegate.ledger.leaf import MAX_LEAF, Leaf, LeafError, read_leaf, sign_leaf, write_statement
from scalegate.ledger.log import Ask, Keys, Log, Rows
from scalegate.ledger.log_folder import LogFolder, MirrorError
from scalegate.ledger.mirror import CHECKPOINT, entries
from scalegate.ledger.note import NoteError, parse_note
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.standing import Standing
from scalegate.ledger.store import DATABASE, LocalStore

# Of a folder with statements that were signed before.
MAX_FILES = 10_000
BESIDE = ".blobs"


class SigningStore:
    """A copy of a log that signs what is to be recorded, and records nothing. Used in place of a `LocalStore`."""

    def __init__(self, folder: Path, keys: Keys, out: Path) -> None:
        """Open a copy of a store, or an export, to read it.

        Args:
            folder: the copy.
            keys: the private keys at hand.
            out: where the signed statement goes.

        Raises:
            RefusalError: if there is something at `out` already, or no log in the folder.
        """
        if os.path.lexists(out):
            raise RefusalError(
                "refused",
                "file-exists",
                f"there is something at `{out}` already",
                "name another file",
            )
        self.folder = folder
        self._keys = keys
        self._out = out
        self._beside = beside(out)
        exported = not (folder / DATABASE).exists() and (folder / CHECKPOINT).is_file()
        opened = Log(_ExportTable(folder), keys) if exported else open_store(folder, keys)
        self._copy = cast("LocalStore | Log", opened)

    def close(self) -> None:
        """Let go of the copy."""
        if isinstance(self._copy, LocalStore):
            self._copy.close()

    def history(self) -> History:
        """Return every entry of the copy."""
        return self._copy.history()

    def standing(self) -> Standing:
        """Return the log as the copy has it."""
        return self._copy.standing()

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return a signed checkpoint of the copy."""
        return self._copy.checkpoint(size)

    def head(self) -> bytes:
        """Return the signed checkpoint over everything in the copy."""
        return self._copy.head()

    def leaves(self) -> list[bytes]:
        """Return the bytes of every leaf of the copy."""
        if isinstance(self._copy, LocalStore):
            return self._copy.leaves()
        return [leaf for _, leaf in _ExportTable(self.folder).read(0).leaves]

    def append(self, event: Event, at: int, *, after: str | None = None) -> NoReturn:
        """Sign an event, and write it to the file.

        Raises:
            SignedElsewhereError: once that is done.
            RefusalError: if it cannot be signed here, or not outside the log.
        """
        del after
        if not getattr(event, "by", ""):
            raise RefusalError(
                "refused",
                "sign-only-gate",
                "what the gate says is recorded where it is said: an answer in a file grants nothing",
                "leave out --sign-only",
            )
        standing = self.standing()
        try:
            ((name, keys),) = standing.signers_of(event)
            origin = standing.trust.origin if standing.trust is not None else ""
            number = max(standing.number_of(name), self._number_after(keys, origin))
            subjects = standing.subjects_of(event)
            statement = write_statement(event, origin, number, max(at, standing.at, standing.witnessed), subjects)
            signers = [signer for signer in map(self._keys.signer, keys) if signer is not None]
            if len(signers) != len(keys):
                raise RefusalError("refused", "key-missing", f"the private key of `{name:.80}` is not here")
            _, data = sign_leaf(statement, signers)
            leaf = read_leaf(data)
        except (NotAdmittedError, LeafError) as error:
            raise RefusalError("refused", "not-admitted", f"no log would admit this: {error}") from error
        _write_new(self._out, data)
        raise SignedElsewhereError(self._out, leaf.digest, name, number, origin)

    def commit(self, asks: Sequence[Ask]) -> list[Entry | StoreError]:
        """Refuse: groups are of whoever writes to the log.

        Raises:
            RefusalError: always.
        """
        raise RefusalError("refused", "sign-only", f"{len(asks)} entries are recorded where the log is, and not here")

    def put_blob(self, data: bytes) -> str:
        """Keep some bytes in the folder beside the file."""
        try:
            self._beside.mkdir(exist_ok=True)
            return blobs.put(self._beside, data)
        except OSError as error:
            raise StoreError(f"cannot write in `{self._beside}`: {error.strerror}") from error

    def put_file(self, source: Path) -> str:
        """Keep a copy of a file in the folder beside the file."""
        self._beside.mkdir(exist_ok=True)
        return blobs.put_file(self._beside, source)

    def locate_blob(self, digest: str) -> Path:
        """Return the path of the bytes of a digest: beside the file, or in the copy."""
        try:
            return blobs.locate(self._beside, digest)
        except KeyError:
            return blobs.locate(self.folder, digest)

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a digest: from beside the file, or from the copy."""
        try:
            return blobs.get(self._beside, digest)
        except KeyError:
            return blobs.get(self.folder, digest)

    def _number_after(self, keys: Sequence[PublicKey], origin: str) -> int:
        """Return the number after the last statement that its author signed into the folder of the file."""
        number = 0
        try:
            paths = [item for item in self._out.absolute().parent.iterdir() if not item.is_symlink() and item.is_file()]
        except OSError as error:
            raise RefusalError("usage", "file-unwritable", f"cannot write `{self._out}`: {error.strerror}") from error
        if len(paths) > MAX_FILES:
            raise RefusalError("usage", "files-many", f"the folder of `{self._out}` has more than {MAX_FILES} files")
        for path in paths:
            leaf = leaf_in(path)
            if leaf is not None and leaf.log == origin and is_signed(leaf, keys):
                number = max(number, leaf.number)
        return number + 1


def beside(path: Path) -> Path:
    """Return the folder of the documents that belong to a signed statement."""
    return path.with_name(path.name + BESIDE)


def leaf_in(path: Path) -> Leaf | None:
    """Return the leaf in a file; None for a file with anything else, or one that cannot be read."""
    try:
        with path.open("rb") as file:
            return read_leaf(file.read(MAX_LEAF + 1))
    except (OSError, LeafError):
        return None


def is_signed(leaf: Leaf, keys: Sequence[PublicKey]) -> bool:
    """Return whether all of these keys signed a leaf."""
    try:
        return set(verify_envelope(leaf.envelope, keys)) == set(keys)
    except (DsseError, SignatureError):
        return False


def _write_new(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write `{path}`: {error.strerror}") from error


class _ExportTable:
    """The leaves of an export, as a `Table` of `ledger.log` that is only read."""

    def __init__(self, folder: Path) -> None:
        self._folder = LogFolder(folder)

    def read(self, start: int) -> Rows:
        try:
            note = self._folder.read(CHECKPOINT) or b""
            size = parse_checkpoint(parse_note(note).text).size
            found = list(enumerate(entries(self._folder.read, size, min(start, size)), min(start, size)))
        except (MirrorError, NoteError, CheckpointError, OSError) as error:
            raise StoreDamagedError(f"the export cannot be read: {error}") from error
        return Rows(start, found, note, note)

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def write(self, start: int, leaves: Sequence[bytes], note: bytes) -> None:  # noqa: ARG002 - the protocol's
        raise StoreError("nothing is recorded in an export")

    def publish(self, note: bytes) -> None:  # noqa: ARG002 - the protocol's argument
        raise StoreError("nothing is recorded in an export")
