"""Where a job has what it is: its permit, its key beside it, its journal, and a lock that only one process has."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from scalegate.core.job_events import JobReported
from scalegate.enforce.journal import read_journal, write_line
from scalegate.enforce.permit import Permit, PermitError, read_permit
from scalegate.integrations.job_key import KEY_SUFFIX, JobKey, JobKeyError
from scalegate.ledger.holders import NotAdmittedError, read_trust
from scalegate.ledger.jobs import mark_of, sign_report
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust import Trust
from scalegate.ledger.trust_words import parse_key, write_key

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
        self.journal = journal_beside(file, self.key.key)
        self.reports = read_reports(file, self.permit)
        self._locks: tuple[int, ...] = ()

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
            PermitError: if another one does, or nobody can tell.
        """
        if self._locks:
            return
        # One where every copy of the key on this machine finds it; and one beside the journal, as runtime folders are
        # cleared while jobs run, and folders are shared between machines.
        name = _name_of(self.key.key)
        places = (_runtime() / f"{name}.lock", self.file.with_name(f"{name}.lock"))
        try:
            for place in places:
                self._locks = (*self._locks, _locked(place))
        except PermitError:
            self.unlock()
            raise

    def unlock(self) -> None:
        """Let another process have the permit."""
        for descriptor in self._locks:
            # Processes that were forked from this one have the lock as well, until it is taken back.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
        self._locks = ()

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
        if not self._locks:
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
    """Return what a job has around a permit, or around the last one that took over from it.

    Args:
        file: the permit.
        trust: trust file, or its path; by default that of SCALEGATE_TRUST.

    Raises:
        PermitError: if there is no permit, or nobody says whom to trust.
    """
    if file is None:
        raise PermitError("permit-missing", "no permit is named, and without one nothing is trained", _ASK)
    found = trust_in(trust)
    return JobFolder(last_renewal(Path(file), found), found)


def last_renewal(file: Path, trust: Trust) -> Path:
    """Return the last permit that took over from one: each is the `.next` of the one before, of the same job."""
    try:
        claim = read_permit(file.read_bytes(), trust).claim
        while True:
            further = file.with_name(file.name + NEXT)
            other = read_permit(further.read_bytes(), trust).claim
            if (other.key, other.host) != (claim.key, claim.host):
                return file
            file = further
    except (OSError, PermitError):
        return file


def journal_beside(file: Path, key: PublicKey) -> Path:
    """Return where the journal of a job is: beside its permit, named by its key."""
    return file.with_name(f"{_name_of(key)}.journal")


def read_reports(file: Path, permit: Permit) -> tuple[JobReported, ...]:
    """Return what is in the journal beside a permit; nothing where there is none.

    Raises:
        PermitError: if it cannot be read, or is broken.
    """
    claim = permit.claim
    return read_journal(_bytes(journal_beside(file, parse_key(claim.key))), claim.job, claim.key)


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


def _name_of(key: PublicKey) -> str:
    return f"job-{key.digest.removeprefix('sha256:')[:16]}"


def _runtime() -> Path:
    """Return a folder of this user alone that has the same path for every process of this machine."""
    user = os.getuid()
    place = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"scalegate-{user}"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = place.lstat()
    except OSError as error:
        raise PermitError("permit-lock", f"there is no folder `{place}` for locks: {error.strerror}") from error
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != user or stat.S_IMODE(facts.st_mode) & 0o022:
        raise PermitError("permit-lock", f"`{place}` is not a folder that this user alone writes into")
    return place


def _locked(place: Path) -> int:
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise PermitError("permit-lock", f"the lock `{place}` cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        words = "another process of this machine, or an earlier job in this one, uses this permit"
        raise PermitError("permit-in-use", words) from error
    except OSError as error:
        os.close(descriptor)
        raise PermitError("permit-lock", f"`{place}` cannot be locked: {error.strerror}") from error
    return descriptor


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PermitError("journal-unread", f"the journal `{path}` cannot be read: {error.strerror}") from error
