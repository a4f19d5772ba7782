"""A service on its permit: whether it may answer now, read anew whenever the permit, its key or the pulse changes.

It knows no framework and no network but that of pulses. What stands in the permit file is in force: to renew, a permit
for the same deployment is moved over it; to stop, it is removed. Whatever goes wrong is a hold.
"""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from scalegate.core.canonical import Plain
from scalegate.core.canonical import digest as digest_of
from scalegate.core.job_events import JobReported, PermitClaimed, ReportKind
from scalegate.core.quantities import show_instant
from scalegate.enforce.permit import MAX_PERMIT, PermitError
from scalegate.enforce.service import ServiceLease, service_of
from scalegate.integrations.around import Around, record_reports
from scalegate.integrations.job_folder import JobFolder, trust_in
from scalegate.integrations.job_key import KEY_SUFFIX
from scalegate.integrations.keeper import Files
from scalegate.integrations.pulses import Pulses
from scalegate.ledger.model_files import ModelFilesError, read_files
from scalegate.ledger.model_signing import listing_digest, root_digest
from scalegate.ledger.trust import Trust

# Somebody has to look this often; a service whose looks have stopped is held.
STALE_SECONDS: Final = 10.0
_RECORD_SECONDS: Final = 90.0
Marks = tuple[tuple[int, int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """What the files are that a service says it serves.

    Attributes:
        files: their digests.
        system: digest of the system that they and what stands around them make.
    """

    files: Files
    system: str

    def is_of(self, claim: PermitClaimed) -> bool:
        """Whether a claim is about these: as a model, names included where the claim has them, or as a system."""
        if claim.digest == self.files.digest:
            return claim.listing in ("", self.files.listing)
        return claim.digest == self.system


def read_served(folder: Path, safeguards: tuple[str, ...] = (), scaffold: str = "") -> Served:
    """Return what the files of some weights are; every byte is read.

    Args:
        folder: a directory, or a single file.
        safeguards: digests of the safeguards in front of them, where they are served as a system.
        scaffold: the scaffold around them there; empty for none.

    Raises:
        PermitError: if files cannot be read, or are no plain files.
    """
    try:
        found = read_files(folder)
    except ModelFilesError as error:
        raise PermitError("weights-unfit", error.message, error.hint) from error
    root = root_digest(found)
    around: list[Plain] = [*sorted(safeguards)]
    system = digest_of({"safeguards": around, "scaffold": scaffold, "weights": root})
    return Served(Files(root, listing_digest(found)), system)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a service may answer, as of some instant.

    Attributes:
        lease: what it may answer; None while it is held.
        code, words, hint: why it is held, and what would help.
    """

    lease: ServiceLease | None
    code: str = ""
    words: str = ""
    hint: str = ""


class Service:
    """One service on the permit in a file.

    Use `look` from one thread that may wait, often; and `stands` from anywhere, before every answer.
    """

    def __init__(
        self,
        file: Path,
        trust: Path | str | Trust | None = None,
        around: Around | None = None,
        *,
        context: str | None = None,
        served: Served | None = None,
    ) -> None:
        """Keep all of it; held until `look`.

        Args:
            file: the permit, with the key of the job beside it.
            trust: trust file, or its path; by default that of SCALEGATE_TRUST. It is read once.
            around: what else there is.
            context: the deployment context that its callers are in; None for that of the first permit.
            served: what the files are, where somebody read them; each permit has to be about these.

        Raises:
            PermitError: if nobody says whom to trust.
        """
        self._file, self._trust, self._around = file, trust_in(trust), around or Around()
        self._context, self.served = context, served
        self._alone = threading.Lock()
        self._standing = Standing(None, "not-begun", "nobody looked at a permit yet")
        self._folder: JobFolder | None = None
        self._lease: ServiceLease | None = None
        self._marks: Marks = ()
        self._content = b""
        self._clock = self._around.clock(0)
        self._pulses: Pulses | None = None
        self._followed = ""
        self._lapsed: dict[str, str] = {}
        self._looked = time.monotonic()
        self._begun = self._started = self._over = False
        self._recorder: threading.Thread | None = None

    # ------------------------------------------------------------ asking

    def tell(self, text: str) -> None:
        """Tell the operator something."""
        self._around.tell(f"scalegate: {text}")

    @property
    def changed(self) -> bool:
        """Whether the permit or its key is not the file any more that was last looked at."""
        return self._marks != self._marks_now()

    @property
    def now(self) -> float:
        """Seconds since 1970, by a clock that only goes forward."""
        return self._clock.exact()

    def stands(self) -> Standing:
        """Return whether it may answer at this very instant; neither a disk is read nor a network asked."""
        standing, pulses = self._standing, self._pulses
        if standing.lease is None:
            return standing
        if self.changed:
            return Standing(None, "permit-changed", "the permit was changed, and is being checked again")
        if time.monotonic() - self._looked > STALE_SECONDS:
            return Standing(None, "guard-stalled", "nobody has looked at the permit and its pulse any more")
        return self._bounds(standing.lease, pulses) or standing

    def facts(self) -> dict[str, object]:
        """Return how it stands, for whoever asks; no secrets are in it."""
        standing = self.stands()
        lease = standing.lease
        return {
            "serves": lease is not None,
            "code": standing.code,
            "reason": standing.words,
            "hint": standing.hint,
            "permit": None if lease is None else {**asdict(lease), "expires": show_instant(lease.expires)},
            "pulse": "read" if self._around.pulse else "none: only the bounds of the permit end it",
            "not_checked": list(self._not_checked(lease)),
        }

    def _not_checked(self, lease: ServiceLease | None) -> tuple[str, ...]:
        weights = (
            "whether the upstream still serves the files that were compared with the permit once, at the start"
            if self.served
            else "which weights the upstream serves: nothing of them can be seen through a URL"
        )
        tuned = ("what jobs of fine-tuning make upstream, and whether they end with this permit",)
        return (
            weights,
            "whether the safeguards of the system stand in front of the weights",
            "whether a caller really has the scaffold that it names, or tools that it asks for bring another one",
            "whether callers belong into the context: the file of callers is the word of the operator",
            "what callers do with the answers",
            *(tuned if lease is not None and lease.action == "deploy.finetuning" else ()),
        )

    # ------------------------------------------------------------ looking

    def begin(self) -> None:
        """Report from now on when the service begins, is held, goes on and ends."""
        with self._alone:
            self._begun = True
            if not self._over:
                self._settle(self._standing)

    def look(self) -> Standing:
        """Read what has changed, and return how it stands. Waits for disks and networks; never raises."""
        with self._alone:
            if self._over:
                return self._standing
            try:
                self._settle(self._found())
            except Exception as error:  # noqa: BLE001 - whatever went wrong, it is a hold
                words = f"the permit cannot be checked: {type(error).__name__}"
                self._standing = Standing(None, "guard-failed", words)
            self._looked = time.monotonic()
            return self._standing

    def close(self) -> None:
        """Stop answering for good, report the end, and let go of the permit."""
        with self._alone:
            if self._over:
                return
            served, self._over = self._standing.lease, True
            self._standing = Standing(None, "over", "the service has ended")
            ended = served is not None and self._started and self._report("ended")
            if self._pulses is not None:
                self._pulses.close()
            self._let_go()
        if self._recorder is not None:
            self._recorder.join(_RECORD_SECONDS)
        if self._folder is not None and (ended or self._recorder is not None):
            record_reports(self._folder, self._around)

    def _found(self) -> Standing:
        try:
            lease = self._load()
        except PermitError as error:
            return Standing(None, error.code, error.message, error.hint)
        return self._bounds(lease, self._pulses) or Standing(lease)

    def _marks_now(self) -> Marks:
        files = (self._file, self._file.with_name(self._file.name + KEY_SUFFIX))
        return tuple(map(_mark, files))

    def _load(self) -> ServiceLease:
        """Return what the permit in the file allows; read again where file or key are not what they were.

        Raises:
            PermitError: if they are no permit for this service.
        """
        # Before the files are read: what changes in between is seen as a change the next time.
        marks, content = self._marks_now(), _content(self._file)
        if self._folder is None or self._lease is None or (marks, content) != (self._marks, self._content):
            try:
                folder = JobFolder(self._file, self._trust)
                lease = self._fits(folder.permit.claim)
                if self._folder is not None:
                    self._folder.unlock()
                folder.take(self._around.host)
            except BaseException:
                self._let_go()
                raise
            self._folder, self._lease, self._marks, self._content = folder, lease, marks, content
            past = max([folder.permit.seen, *(item.at for item in folder.reports[-1:])])
            if past > self._clock.exact():
                self._clock = self._around.clock(past)
        self._follow(self._folder)
        return self._lease

    def _fits(self, claim: PermitClaimed) -> ServiceLease:
        lease = service_of(claim)
        if self._context is not None and lease.context != self._context:
            raise PermitError(
                "permit-context", f"the permit is one for `{lease.context}`, and the callers are of `{self._context}`"
            )
        if self._lease is not None and not lease.renews(self._lease):
            raise PermitError(
                "permit-other",
                f"the permit is one for {lease.action} of {lease.subject} in `{lease.context}`, and this service is "
                f"one for {self._lease.action} of {self._lease.subject} in `{self._lease.context}`",
                "another deployment needs a guard of its own: start one",
            )
        if self.served is not None and not self.served.is_of(claim):
            raise PermitError(
                "weights-other",
                f"the files are not {claim.subject}: their root digest is {self.served.files.digest}",
                "of a system, name its safeguards and its scaffold, too",
            )
        return lease

    def _follow(self, folder: JobFolder) -> None:
        """Look at the pulses of the permit in force. What the gate once held stays held, whatever file comes back."""
        if not self._around.pulse:
            return
        decision = folder.permit.claim.decision
        if self._pulses is None:
            self._pulses = Pulses(self._around.pulse, folder.permit, self._clock, wait=True)
        elif self._followed != decision:
            self._keep_held(self._pulses)
            self._pulses.follow(folder.permit)
        self._followed = decision
        self._keep_held(self._pulses)

    def _keep_held(self, pulses: Pulses) -> None:
        held = pulses.held
        if held:
            self._lapsed[self._followed] = held

    def _bounds(self, lease: ServiceLease, pulses: Pulses | None) -> Standing | None:
        """Return what ends a permit that is one; None while nothing does."""
        now = self._clock.exact()
        if now >= lease.expires:
            words = f"the permit ended at {show_instant(lease.expires)}, and it is {show_instant(int(now))}"
            return Standing(None, "permit-expired", words, "ask the gate again")
        stopped = self._lapsed.get(lease.decision, "")
        if not stopped and self._around.pulse:
            stopped = pulses.stopped(now) if pulses is not None else "no pulse of the permit was read yet"
        if stopped:
            return Standing(None, "permit-lapsed", stopped, "`scalegate permit pulse` writes pulses")
        return None

    # ------------------------------------------------------------ reporting

    def _settle(self, found: Standing) -> None:
        """Take over how it stands. A hold comes before its report, and an answer only after it."""
        if found.lease is None:
            held, self._standing = self._started, found
            self._started = False
            if held:
                self._around.tell(f"scalegate: HOLD {found.words} [{found.code}]")
                if self._report("held", found.code, found.words):
                    self._record()
            return
        if self._begun and not self._started:
            where = f" in {found.lease.context}" if found.lease.context else ""
            if not self._report("started", words=f"{found.lease.action} of {found.lease.subject}{where}"):
                self._standing = Standing(None, "journal-unwritten", "the beginning could not be written down")
                return
            self._started = True
        self._standing = found

    def _report(self, kind: ReportKind, code: str = "", words: str = "") -> bool:
        """Add a report to the journal; whether it is there."""
        folder = self._folder
        if folder is None:
            return False
        claim = folder.permit.claim
        read = self.served.files if self.served is not None and self.served.files.digest == claim.digest else None
        # A service computes no weights: it has no steps, no FLOP, and reaches nothing.
        report = JobReported(
            decision=claim.decision,
            job=claim.job,
            number=0,
            before="",
            kind=kind,
            at=self._clock.now(),
            step=0,
            flop=0,
            readings=(),
            reached=0,
            cause=code,
            words=words[:1_000],
            digest=read.digest if read is not None and kind == "started" else "",
            listing=read.listing if read is not None and kind == "started" else "",
            state="",
            ranks=1,
            signature="",
        )
        try:
            # What ends a permit may have let go of it already, and its last report is still to be written.
            folder.lock()
            folder.write(report)
        except (OSError, PermitError) as error:
            self._around.tell(f"scalegate: nothing can be written to {folder.journal}: {error}")
            return False
        if not self._marks:
            folder.unlock()
        return True

    def _record(self) -> None:
        """Have the journal recorded in a thread of its own, for which a hold does not wait."""
        if self._around.store and (self._recorder is None or not self._recorder.is_alive()):
            self._recorder = threading.Thread(
                target=record_reports, args=(self._folder, self._around), name="scalegate-reports", daemon=True
            )
            self._recorder.start()

    def _let_go(self) -> None:
        if self._folder is not None:
            self._folder.unlock()
        self._marks = ()


def _mark(path: Path) -> tuple[int, int, int, int] | None:
    """Return what tells one state of a file from another; None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _content(path: Path) -> bytes:
    """Return the first bytes of a file, more than a permit has; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_PERMIT + 1)
    except OSError:
        return b""
