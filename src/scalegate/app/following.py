"""Logs that others serve, followed from one verified checkpoint to the next.

Whoever serves a log can show it shorter, or another one, to somebody who kept nothing. So the newest verified
checkpoint is kept in a file, and what is shown later has to continue it. A log that does not is kept as evidence: two
checkpoints that the log signed, and that no one log can have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scalegate.adapters.log_http import LogClient, LogUnreachableError
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import digest_bytes
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError
from scalegate.ledger.files import write_durably
from scalegate.ledger.log_folder import LogFolder, MirrorError
from scalegate.ledger.mirror import CHECKPOINT, HistoryRewrittenError, RolledBackError, verify_log
from scalegate.ledger.note import MAX_NOTE, NoteError, format_note, open_checkpoint
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.trust import Trust, open_head


@dataclass(frozen=True, slots=True)
class Followed:
    """What a log came to.

    Attributes:
        origin: which log.
        size: number of entries.
        before: number of entries when it was read before; None for the first time.
        by: names of the witnesses that cosigned the checkpoint.
        at: when the quorum had cosigned it; None where it did not.
    """

    origin: str
    size: int
    before: int | None
    by: tuple[str, ...]
    at: int | None


def follow(source: str, trust: Trust, state: Path) -> Followed:
    """Verify a log from a URL or a folder, and keep its checkpoint durably.

    Raises:
        RefusalError: `untrusted` if the log is not what it signed, or does not continue what it was before; `store` if
            it cannot be read, or the checkpoint not kept.
    """
    if not trust.logs:
        raise RefusalError("usage", "trust-logless", "the trust file names no log")
    read = _reader(source)
    seen: list[bytes] = []

    def reading(path: str) -> bytes | None:
        # One reading of the checkpoint: the next one may be of a larger log.
        data = read(path)
        if path == CHECKPOINT and data is not None:
            seen.append(data)
        return data

    since = _kept(state, trust)
    try:
        verify_log(reading, trust.origin, trust.logs, [item.key for item in trust.witnesses], since=since)
        head = open_head(seen[0], trust)
    except (RolledBackError, HistoryRewrittenError) as error:
        raise _forked(error, state, seen[0]) from error
    except MirrorError as error:
        raise RefusalError("untrusted", "log-false", f"the log is not what it signed: {error}") from error
    except (LogUnreachableError, OSError) as error:
        reason = str(error) if isinstance(error, LogUnreachableError) else error.strerror
        raise RefusalError("store", "log-unreadable", f"the log cannot be read: {reason}") from error
    _keep(state, format_note(head.note))
    return Followed(trust.origin, head.checkpoint.size, since.size if since else None, tuple(head.times), head.at)


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
