"""Logs that others serve, followed from one verified checkpoint to the next.

Whoever serves a log can show it shorter, or another one, to somebody who kept nothing. So the newest verified
checkpoint is kept in a file, and what is shown later has to continue it. A log that does not is kept as evidence: two
checkpoints that the log signed, and that no one log can have.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scalegate.adapters.log_http import LogClient, LogUnreachableError
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import digest_bytes
from scalegate.core.log_events import HeadWitnessed
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError
from scalegate.ledger.files import write_durably
from scalegate.ledger.leaf import LeafError, read_leaf
from scalegate.ledger.log_folder import LogFolder, MirrorError
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.mirror import CHECKPOINT, HistoryRewrittenError, RolledBackError, entries, verify_log
from scalegate.ledger.note import MAX_NOTE, NoteError, format_note, open_checkpoint
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.trust import Head, Trust, open_head

_ENTRIES = "tile/entries/"


@dataclass(frozen=True, slots=True)
class Followed:
    """What a log came to.

    Attributes:
        origin: which log.
        size: number of entries.
        before: number of entries when it was read before; None for the first time.
        by: names of the witnesses that cosigned the newest head that the quorum cosigned, or else the checkpoint.
        at: when the quorum had cosigned that head; None where there is none.
        unseen: number of entries that the quorum has not seen, cosigned heads aside; 0 where the trust file asks for
            no witnesses.
    """

    origin: str
    size: int
    before: int | None
    by: tuple[str, ...]
    at: int | None
    unseen: int


def follow(source: str, trust: Trust, state: Path) -> Followed:
    """Verify a log from a URL or a folder, and keep its checkpoint durably.

    Raises:
        RefusalError: `untrusted` if the log is not what it signed, or does not continue what it was before; `store` if
            it cannot be read, or the checkpoint not kept.
    """
    if not trust.logs:
        raise RefusalError("usage", "trust-logless", "the trust file names no log")
    read = _reader(source)
    with _alone(state):
        return _follow(read, trust, state)


def _follow(read: Callable[[str], bytes | None], trust: Trust, state: Path) -> Followed:
    # One reading of the checkpoint: the next one may be of a larger log. And of entries: what is verified is looked at.
    seen: dict[str, bytes | None] = {}

    def reading(path: str) -> bytes | None:
        if path != CHECKPOINT and not path.startswith(_ENTRIES):
            return read(path)
        if path not in seen:
            seen[path] = read(path)
        return seen[path]

    since = _kept(state, trust)
    try:
        verify_log(reading, trust.origin, trust.logs, [item.key for item in trust.witnesses], since=since)
        head = open_head(seen[CHECKPOINT] or b"", trust)
        sighted, unseen = _sighting(list(entries(reading, head.checkpoint.size)), head, trust)
    except (RolledBackError, HistoryRewrittenError) as error:
        raise _forked(error, state, seen[CHECKPOINT] or b"") from error
    except MirrorError as error:
        raise RefusalError("untrusted", "log-false", f"the log is not what it signed: {error}") from error
    except (LogUnreachableError, OSError) as error:
        reason = str(error) if isinstance(error, LogUnreachableError) else error.strerror
        raise RefusalError("store", "log-unreadable", f"the log cannot be read: {reason}") from error
    _keep(state, format_note(head.note))
    before = since.size if since else None
    return Followed(trust.origin, head.checkpoint.size, before, tuple(sighted.times), sighted.at, unseen)


def _sighting(leaves: list[bytes], head: Head, trust: Trust) -> tuple[Head, int]:
    """Return the newest head that the quorum cosigned, and how many entries it has not seen.

    Cosigned heads are entries behind what they are of. They are no part of what has to be seen: each would ask for the
    next.

    Raises:
        RefusalError: if such a head is of another history than the log.
    """
    if head.at is not None or not trust.needs_witnesses:
        return head, 0
    unseen = 0
    for index in reversed(range(len(leaves))):
        event = _event(leaves[index])
        found = _cosigned(event, trust) if isinstance(event, HeadWitnessed) else None
        if found is None:
            unseen += not isinstance(event, HeadWitnessed)
            continue
        size = found.checkpoint.size
        if size > index or Tree(map(leaf_hash, leaves[:size])).root() != found.checkpoint.root:
            words = f"its entry {index} is a head that witnesses cosigned for another history"
            raise RefusalError("untrusted", "log-false", f"the log is not what it was shown as: {words}")
        return found, unseen + sum(not isinstance(_event(data), HeadWitnessed) for data in leaves[size:index])
    return head, unseen


def _event(data: bytes) -> object:
    try:
        return read_leaf(data).event
    except LeafError:
        return None  # no entry that a quorum could have been asked about; `verify` says what it is


def _cosigned(event: HeadWitnessed, trust: Trust) -> Head | None:
    """Return the head in an entry, if the quorum of a trust file cosigned it."""
    try:
        found = open_head(event.note.encode(), trust)
    except (NoteError, CheckpointError, SignatureError):
        return None  # under an older trust file
    return found if found.at is not None else None


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Keep other watchers waiting from the reading of the kept checkpoint until it is replaced.

    Otherwise one that has read an older log could set it back behind one that has read a newer.
    """
    try:
        descriptor = os.open(state.with_name(f".{state.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RefusalError("store", "state-unwritten", f"cannot write beside `{state}`: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _reader(source: str) -> Callable[[str], bytes | None]:
    if "://" in source:
        try:
            return LogClient(source).read
        except LogUnreachableError as error:
            raise RefusalError("usage", "log-url", str(error)) from error
    if not Path(source).is_dir():
        raise RefusalError("usage", "log-missing", f"`{source:.200}` is no folder, and no https:// address of a log")
    return LogFolder(Path(source)).read


def _kept(state: Path, trust: Trust) -> Checkpoint | None:
    """Return the checkpoint that was kept; None for the first time."""
    try:
        with state.open("rb") as file:
            data = file.read(MAX_NOTE + 1)
        return open_checkpoint(data, trust.origin, trust.logs).checkpoint
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{state}`: {error.strerror}") from error
    except (NoteError, CheckpointError, SignatureError) as error:
        raise RefusalError(
            "untrusted",
            "state-false",
            f"`{state}` is not the checkpoint of this log that was kept: {error}",
            "without it nobody can say whether the log was rewritten: look for a copy, and do not start anew",
        ) from error


def _forked(error: MirrorError, state: Path, other: bytes) -> RefusalError:
    place = state.with_name(f"{state.name}.{digest_bytes(other).removeprefix('sha256:')[:16]}")
    _keep(place, other)
    return RefusalError(
        "untrusted",
        "log-forked",
        f"the log does not continue what it was: {error}",
        f"keep both checkpoints, `{state}` and `{place}`, and show them to the other auditors and the witnesses",
    )


def _keep(path: Path, data: bytes) -> None:
    try:
        write_durably(path, data)
    except OSError as error:
        raise RefusalError("store", "state-unwritten", f"cannot write `{path}`: {error.strerror}") from error
