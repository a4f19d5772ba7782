"""What jobs report, on its way into the log; and pulses, which say that a permit still stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scalegate.app.book import ATTEMPTS, Book
from scalegate.app.claiming import find_permit, lapsed, read_file, trust_of
from scalegate.app.places import refusal_of
from scalegate.app.refusal import RefusalError
from scalegate.app.saving import save
from scalegate.core.job_events import JobReported
from scalegate.core.ports import Signer
from scalegate.enforce.permit import PermitError
from scalegate.enforce.pulse import Pulse, write_pulse
from scalegate.integrations.job_folder import last_renewal, read_reports
from scalegate.ledger.errors import StoreError
from scalegate.ledger.jobs import mark_of
from scalegate.ledger.log import Keys
from scalegate.ledger.signatures import PublicKey

# A pulse that nobody renewed is late after this many of its intervals.
PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a journal.

    Attributes:
        reports: all of them.
        new: how many were not in the log before.
    """

    reports: tuple[JobReported, ...]
    new: int


def record_reports(book: Book, file: Path) -> Recorded:
    """Record what the job of a permit reported, and the log does not have yet.

    Its private key is not needed, and need not be where the log is.

    Raises:
        RefusalError: if the permit is none of this log, its journal is broken, or is not the one that the log knows.
    """
    permit = read_file(file, trust_of(book))
    try:
        reports = read_reports(file, permit)
    except PermitError as error:
        raise RefusalError("untrusted", error.code, error.message, error.hint) from error
    new = 0
    for report in reports:
        new += _record(book, report)
    return Recorded(reports, new)


def _record(book: Book, report: JobReported) -> bool:
    """Record a report where the log has it not; whether it was new."""
    for _ in range(ATTEMPTS):
        history = book.read()
        known = [
            entry.event
            for entry in history.entries
            if isinstance(entry.event, JobReported)
            and (entry.event.job, entry.event.number) == (report.job, report.number)
            and entry.event.decision == report.decision
        ]
        if known:
            if mark_of(known[0]) != mark_of(report):
                message = f"report {report.number} of job `{report.job}` is another one in the log"
                raise RefusalError("untrusted", "journal-forked", message)
            return False
        try:
            book.store.append(report, book.now(history))
        except StoreError as error:
            raise refusal_of(error) from error
        return True
    raise RefusalError("store", "store-busy", "other writers were faster many times in a row")


# ---------------------------------------------------------------- pulses


def pulse(book: Book, keys: Keys, file: Path, out: Path, seconds: int) -> Pulse:
    """Ask whether a permit would still be given, and write a pulse that says so.

    Args:
        book: the log.
        keys: has the gate's key.
        file: the permit; where another one took over from it, the pulse is one of that.
        out: where the pulse is written.
        seconds: how often pulses come; one is good for several times that long.

    Raises:
        RefusalError: if the permit is none of this log, no key of its gate is here, or the file cannot be written.
    """
    standing, trust = book.store.standing(), trust_of(book)
    claim = read_file(last_renewal(file, trust), trust).claim
    history = book.read()
    now = book.now(history)
    words = lapsed(book, history, find_permit(history, claim.decision)[1], now)
    made = Pulse(
        log=trust.origin,
        decision=claim.decision,
        number=(len(history.entries) << 32) + (now & 0xFFFFFFFF),
        at=now,
        until=min(now + PATIENCE * seconds, claim.expires),
        stands=not words,
        words=words[:500],
        head=history.head,
    )
    signer = _gate(keys, tuple(key for _, key in standing.holders.gates()))
    save(out, write_pulse(made, signer))
    return made


def _gate(keys: Keys, gates: tuple[PublicKey, ...]) -> Signer:
    for key in gates:
        signer = keys.signer(key)
        if signer is not None:
            return signer
    raise RefusalError("refused", "key-missing", "no key of the gate is here, and pulses are signed with it")
