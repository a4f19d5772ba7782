"""What a witness remembers: for each log the last checkpoint it cosigned, and all before it.

A folder belongs to one witness key, and to one process at a time. It holds

* `key`, the verifier key line of the witness;
* `lock`, held by the process that answers;
* `logs/HEX/head` for each log, where HEX is the SHA-256 of its origin: the last cosigned checkpoint;
* `logs/HEX/history`: every checkpoint that was cosigned, one JSON line each, for monitors to read.

A new head replaces the old one in one step, is on the disk before anybody hears of it, and goes into the history
after that; what a crash kept from the history is put there before the next answer. Each checkpoint is kept as a
signed note, and read only with a good signature of the witness in it.

Whoever may write the folder can put an old copy of it back, and make the witness cosign a second history from there.
A copy of a head alone, or of a history alone, is noticed. So an empty folder is never taken for a new witness:
`WitnessState.create` makes one, once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from scalegate.ledger.errors import StoreError
from scalegate.ledger.files import sync_folder, write_durably
from scalegate.ledger.note import (
    Note,
    NoteError,
    NoteKey,
    SignatureType,
    format_note,
    format_vkey,
    parse_note,
    verify_note,
)

KEY: Final = "key"
LOCK: Final = "lock"
LOGS: Final = "logs"
HEAD: Final = "head"
HISTORY: Final = "history"
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW


class WitnessStateError(StoreError):
    """The memory of a witness cannot be used now; the message says why."""


class WitnessStateMissingError(WitnessStateError):
    """There is no memory of a witness where one was looked for."""


class WitnessStateDamagedError(WitnessStateError):
    """The memory of a witness is not what was written: no answer can be given from it."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that the witness cosigned.

    Attributes:
        checkpoint: The checkpoint.
        time: When, in seconds since 1970 UTC.
        note: Its text, the signatures of the log, and the cosignature as the last line.
    """

    checkpoint: Checkpoint
    time: int
    note: Note

    @property
    def line(self) -> bytes:
        """The signature line of the witness, with its newline."""
        data = format_note(Note(self.note.text, self.note.signatures[-1:]))
        return data[len(self.note.text.encode()) + 1 :]


class WitnessState:
    """The memory of one witness, held by this process until `close`. Use as a context manager.

    `exclusive` is the lock under which to look at a head and record the next.
    """

    def __init__(self, folder: Path, key: NoteKey) -> None:
        """Open the memory in `folder`.

        Args:
            folder: the directory that `create` made.
            key: the key of the witness.

        Raises:
            WitnessStateMissingError: if there is none.
            WitnessStateError: if it is another key's, another process holds it, or it cannot be read.
        """
        self.folder = folder
        self.key = key
        self.exclusive = threading.Lock()
        try:
            found = (folder / KEY).read_bytes()
        except FileNotFoundError as error:
            raise WitnessStateMissingError(
                f"there is no memory of a witness in `{folder}`: look whether the disk is mounted; "
                "create one only for a key that never signed anything"
            ) from error
        except OSError as error:
            raise _unusable(folder, error) from error
        if found != _key_line(key):
            raise WitnessStateError(
                f"`{folder}` is the memory of another witness key than {key.name}: use a new folder"
            )
        try:
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | _OPEN, 0o600)
        except OSError as error:
            raise _unusable(folder, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # What a process left that was killed while it wrote.
            for draft in folder.glob(f"{LOGS}/*/.{HEAD}.*"):
                draft.unlink()
        except BlockingIOError as error:
            os.close(self._lock)
            raise WitnessStateError(f"another process answers from `{folder}`: stop that one first") from error
        except OSError as error:
            os.close(self._lock)
            raise _unusable(folder, error) from error

    @classmethod
    def create(cls, folder: Path, key: NoteKey) -> WitnessState:
        """Make the memory of a witness that never signed anything, and open it.

        Raises:
            WitnessStateError: if the key is not one for cosignatures, the folder is not empty, or not to be written.
        """
        if key.kind is SignatureType.NOTE:
            raise WitnessStateError(f"the key {key.name} is not one for cosignatures: make one of type 0x04 or 0x06")
        try:
            _make_folder(folder)
            if any(folder.iterdir()):
                raise WitnessStateError(f"`{folder}` is not empty: a witness starts in a new folder")
            _make_folder(folder / LOGS)
            # The last step: before it there is nothing that could be opened.
            write_durably(folder / KEY, _key_line(key))
        except OSError as error:
            raise _unusable(folder, error) from error
        return cls(folder, key)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def head(self, origin: str) -> Cosigned | None:
        """Return the last checkpoint of a log that was cosigned, or None for a log that never was.

        Call it with `exclusive` held.

        Raises:
            WitnessStateDamagedError: if it is not what was written.
            WitnessStateError: if it cannot be read, or was closed.
        """
        found = self._load(origin)
        return None if found is None else found[0]

    def record(self, origin: str, note: Note) -> Cosigned:
        """Remember a checkpoint durably as the last one of its log, and return it.

        Call it with `exclusive` held. After an error it may have been remembered or not: look at the head again.

        Args:
            origin: which log.
            note: the checkpoint with its cosignature as the last line.

        Raises:
            WitnessStateDamagedError: if the note is no checkpoint of this log that the witness signed.
            WitnessStateError: if it cannot be written.
        """
        before = self._load(origin)
        start = 0 if before is None else before[1] + len(_history_line(before[0].note))
        cosigned = _read(format_note(note), origin, self.key)
        place = _place(self.folder, origin)
        data = canonical_bytes({"note": format_note(note).decode(), "start": start})
        try:
            _make_folder(place)
            if before is None:
                # Also where an earlier process made the folder and was killed then.
                sync_folder(place.parent)
            write_durably(place / HEAD, data)
            self._complete(place / HISTORY, start, _history_line(note))
        except OSError as error:
            raise _unusable(self.folder, error) from error
        return cosigned

    def _load(self, origin: str) -> tuple[Cosigned, int] | None:
        """Return the head of a log, and where it stands in the history, which is complete after this."""
        if self._lock < 0:
            raise WitnessStateError(f"`{self.folder}` was closed")
        place = _place(self.folder, origin)
        try:
            try:
                data = (place / HEAD).read_bytes()
            except FileNotFoundError:
                if (place / HISTORY).exists():
                    raise _damaged(place, "it has a history and no head") from None
                return None
            note, start = _decode_head(data, place)
            cosigned = _read(note, origin, self.key)
            self._complete(place / HISTORY, start, _history_line(cosigned.note))
        except OSError as error:
            raise _unusable(self.folder, error) from error
        return cosigned, start

    def _complete(self, history: Path, start: int, line: bytes) -> None:
        """Let the history end with a line that starts at a place: all of it, or a part after a crash, may be there."""
        descriptor = os.open(history, os.O_RDWR | os.O_CREAT | _OPEN, 0o644)
        with os.fdopen(descriptor, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(start)
            tail = file.read(len(line) + 1)
            if size < start or not line.startswith(tail):
                raise _damaged(history.parent, "its head and its history do not belong together")
            if tail == line:
                return
            file.seek(start)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if start == 0:
            sync_folder(history.parent)


def read_history(folder: Path, key: NoteKey, origin: str) -> Iterator[Cosigned]:
    """Yield every checkpoint of a log that a witness cosigned, oldest first; also while it answers.

    Args:
        folder: the memory of the witness.
        key: its key, as the reader knows it.
        origin: which log.

    Raises:
        WitnessStateDamagedError: if a line was not signed by the witness, or a size does not follow the one before.
        WitnessStateError: if it cannot be read.
    """
    place = _place(folder, origin)
    size = -1
    try:
        with (place / HISTORY).open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    # Being written: nobody was answered yet.
                    return
                cosigned = _read(_decode_line(line, place), origin, key)
                if cosigned.checkpoint.size <= size:
                    raise _damaged(place, "the sizes in its history do not grow")
                size = cosigned.checkpoint.size
                yield cosigned
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(folder, error) from error


def _read(data: bytes, origin: str, key: NoteKey) -> Cosigned:
    """Return what a kept note says, once the signature of the witness in it is found to be good."""
    try:
        note = parse_note(data)
        # Raises as well where the last line is by somebody else.
        (signed,) = verify_note(Note(note.text, note.signatures[-1:]), [key])
        checkpoint = parse_checkpoint(note.text)
    except (NoteError, CheckpointError) as error:
        raise WitnessStateDamagedError(f"a checkpoint kept by {key.name} is not what was written: {error}") from error
    if checkpoint.origin != origin or signed.timestamp is None:
        raise WitnessStateDamagedError(f"a checkpoint kept by {key.name} is one of another log, or has no time")
    return Cosigned(checkpoint, signed.timestamp, note)


def _decode_head(data: bytes, place: Path) -> tuple[bytes, int]:
    value = _decode(data)
    match value:
        case {"note": str(note), "start": int(start), **rest} if not rest and type(start) is int and start >= 0:
            return note.encode(), start
    raise _damaged(place, "its head is not what was written")


def _decode_line(line: bytes, place: Path) -> bytes:
    value = _decode(line[:-1])
    if not isinstance(value, str):
        raise _damaged(place, "a line of its history is not what was written")
    return value.encode()


def _decode(data: bytes) -> object:
    """Return what canonical JSON stands for, or None for anything else."""
    try:
        value: object = json.loads(data)
        return value if canonical_bytes(cast("Plain", value)) == data else None
    except (ValueError, TypeError):
        return None


def _history_line(note: Note) -> bytes:
    return canonical_bytes(format_note(note).decode()) + b"\n"


def _key_line(key: NoteKey) -> bytes:
    return format_vkey(key).encode() + b"\n"


def _place(folder: Path, origin: str) -> Path:
    return folder / LOGS / hashlib.sha256(origin.encode()).hexdigest()


def _make_folder(folder: Path) -> None:
    """Make a folder whose name survives a crash: without it, all that it holds would be forgotten."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _damaged(place: Path, why: str) -> WitnessStateDamagedError:
    return WitnessStateDamagedError(f"`{place}` was changed or put back: {why}; no checkpoint of this log is cosigned")


def _unusable(folder: Path, error: OSError) -> WitnessStateError:
    return WitnessStateError(f"the memory of the witness in `{folder}` cannot be used: {error.strerror or error}")
