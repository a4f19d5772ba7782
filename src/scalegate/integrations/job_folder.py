"""Where a job has what it is: its permit, its key beside it, its journal, and a lock that only one process has."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from scalegate.core.job_events import JobReported
from scalegate.enforce.journal import read_journal, write_line
from scalegate.enforce.permit import Permit, PermitError, read_permit
from scalegate.integrations.job_key import KEY_SUFFIX, JobKey, JobKeyError
from scalegate.ledger.holders import NotAdmittedError, read_trust
from scalegate.ledger.jobs import mark_of, sign_report
from scalegate.ledger.trust import Trust
from scalegate.ledger.trust_words import write_key

TRUST: Final = "SCALEGATE_TRUST"
NEXT: Final = ".next"
_ASK: Final = "`scalegate gate train ... --permit FILE --job NAME` writes one"


class JobFolder:
    """The files of one job around its permit.

    Attributes:
        file: the permit in force.
        permit: what is in it.
        key: the job's key, which signs its reports.
        journal: the file with them; all permits of a job in one folder have one.
        reports: what is in it.
    """

    def __init__(self, file: Path, trust: Trust) -> None:
        """Read permit, key and journal.

        Raises:
            PermitError: if there is no permit, it is not one of this key, or the journal is broken.
        """
        self.file, self._trust = file, trust
        self.permit = self.read(file)
        self.key = _key_of(file, self.permit)
        self._name = f"job-{self.key.key.digest.removeprefix('sha256:')[:16]}"
        self.journal = file.with_name(f"{self._name}.journal")
        self.reports = read_journal(_bytes(self.journal), self.permit.claim.job, write_key(self.key.key))
        self._lock = -1

    def read(self, file: Path) -> Permit:
        """Return the permit in a file, checked offline.

        Raises:
            PermitError: if there is none.
        """
        try:
            return read_permit(file.read_bytes(), self._trust)
        except OSError as error:
            raise PermitError("permit-missing", f"there is no permit `{file}`: {error.strerror}", _ASK) from error

    def take(self, host: str) -> None:
        """Take the permit for this process, on the host that it was claimed for.

        Args:
            host: name of this machine.

        Raises:
            PermitError: if it is another host's, or another process has it.
        """
        claim = self.permit.claim
        if claim.host != host:
            raise PermitError(
                "permit-host",
                f"the permit was claimed for the host `{claim.host}`, and this is `{host}`",
                "ask the gate for one here: `scalegate gate ... --permit FILE --job NAME`",
            )
        self.lock()

    def lock(self) -> None:
        """Keep every other process of this machine from using this permit, until this one ends.

        Raises:
            PermitError: if another one does.
        """
        if self._lock >= 0:
            return
        place = self.file.with_name(f"{self._name}.lock")
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise PermitError("permit-in-use", "another process of this machine uses this permit") from error
        self._lock = descriptor

    def unlock(self) -> None:
        """Let another process have the permit."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def write(self, report: JobReported, *, durably: bool = True) -> JobReported:
        """Return a report as the next one of the job: numbered, tied to the one before, and signed.

        Args:
            report: what it says; number, the one before and signature are put in here.
            durably: whether it is added to the journal, and not only to `reports`.
        """
        before = mark_of(self.reports[-1]) if self.reports else ""
        made = sign_report(replace(report, number=len(self.reports) + 1, before=before), self.key)
        if durably:
            self.append(made)
        self.reports = (*self.reports, made)
        return made

    def append(self, report: JobReported) -> None:
        """Add a report durably, behind what is whole: a line that a crash cut off is written over.

        Raises:
            PermitError: if this process let go of the permit: another one may write the journal now.
        """
        if self._lock < 0:
            raise PermitError("permit-let-go", "this process has let go of the permit, and reports nothing more")
        with self.journal.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(write_line(report))
            file.flush()
            os.fsync(file.fileno())

    @property
    def renewal(self) -> Path | None:
        """The permit that is to take over from the one in force; None for none."""
        file = self.file.with_name(self.file.name + NEXT)
        return file if file.exists() else None


def open_folder(file: Path | str | None, trust: Path | str | Trust | None = None) -> JobFolder:
    """Return what a job has around a permit.

    Args:
        file: the permit.
        trust: trust file, or its path; by default that of SCALEGATE_TRUST.

    Raises:
        PermitError: if there is no permit, or nobody says whom to trust.
    """
    if file is None:
        raise PermitError("permit-missing", "no permit is named, and without one nothing is trained", _ASK)
    return JobFolder(Path(file), trust_in(trust))


def trust_in(trust: Path | str | Trust | None) -> Trust:
    """Return a trust file, by default that of SCALEGATE_TRUST.

    Raises:
        PermitError: if there is none.
    """
    if isinstance(trust, Trust):
        return trust
    place = trust or os.environ.get(TRUST, "")
    if not place:
        hint = f"name a trust file, or set {TRUST}: a permit does not say itself whom to trust"
        raise PermitError("trust-missing", "nobody says whom to trust", hint)
    try:
        return read_trust(Path(place).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotAdmittedError) as error:
        raise PermitError("trust-malformed", f"`{place}` is no trust file: {error}") from error


def _key_of(file: Path, permit: Permit) -> JobKey:
    try:
        key = JobKey.read(file.with_name(file.name + KEY_SUFFIX))
    except JobKeyError as error:
        raise PermitError("job-key", str(error), "a permit without the key that claimed it is a copy") from error
    if write_key(key.key) != permit.claim.key:
        raise PermitError("job-key", f"the permit was claimed with another key, by job {permit.claim.job}")
    return key


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PermitError("journal-unread", f"the journal `{path}` cannot be read: {error.strerror}") from error
