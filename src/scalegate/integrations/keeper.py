"""The keeper of a permit inside a job: what may still be computed, what came out, and why it ended.

It knows no framework. Each integration tells it where weights come from, asks it before every optimizer step, and
hands over what was saved. Whoever changes the process it lives in can leave it out; what then comes out of the job has
no report that the log takes, and `verify` shows a checkpoint without a permit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scalegate.core.job_events import JobReported, ReportKind
from scalegate.core.quantities import show_flop, show_instant
from scalegate.enforce.boundary import Plan, last_step, save_by
from scalegate.enforce.journal import Start, starts
from scalegate.enforce.lease import Lease, lease_of, warning
from scalegate.enforce.permit import Permit, PermitError
from scalegate.integrations.around import Around, record_reports
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.pulses import Pulses

# Looking at the clock of the wall, the pulse and a renewal costs more than a step may.
CHECK_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 3_600.0


class HeldError(Exception):
    """Training is held: the next optimizer step must not happen.

    Attributes:
        code: why, for programs, such as `compute-spent`.
        message: why, for people.
        hint: what would release it, or where to ask.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Keep all three."""
        super().__init__(f"HOLD {message} [{code}]" + (f"; {hint}" if hint else ""))
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[HeldError], tuple[str, str, str]]:
        return type(self), (self.code, self.message, self.hint)


@dataclass(frozen=True, slots=True)
class Files:
    """Digests of the files of a checkpoint: the root of its contents, and the listing with their names."""

    digest: str
    listing: str


class Keeper:
    """One job on its permit.

    Attributes:
        folder: its files.
        lease: what it may still do.
        start: the checkpoint that it began with; None before `begin`.
        step: optimizer steps behind, over the whole job.
        flop: computed for the weights as they are, by the largest counter, in FLOP.
        last: the last optimizer step that the permit allows; `step` before there is a plan.
        slowest: seconds that the slowest step took, with its checkpoint.
    """

    def __init__(self, folder: JobFolder, around: Around | None = None, *, rank: int = 0, ranks: int = 1) -> None:
        """Check a permit for this very job, on this very host, and take it.

        Args:
            folder: permit, key and journal of the job.
            around: what else there is.
            rank: which process this is; the first one has the host, the lock, the journal and the pulse.
            ranks: how many train together.

        Raises:
            PermitError: if it is none for this job now.
        """
        self.folder, self.around, self.rank, self.ranks = folder, around or Around(), rank, ranks
        self.lease = lease_of(folder.permit.claim)
        if rank == 0:
            folder.take(self.around.host)
        try:
            self._begin()
        except BaseException:
            folder.unlock()
            raise

    def _begin(self) -> None:
        folder = self.folder
        self._clock = self.around.clock(max([folder.permit.seen, *(item.at for item in folder.reports[-1:])]))
        self.begun = self._clock.now()
        if self.begun >= self.lease.expires:
            words = f"the permit ended at {show_instant(self.lease.expires)}, and it is {show_instant(self.begun)}"
            raise PermitError("permit-expired", words, "ask the gate again")
        self.start: Start | None = None
        self.plan: Plan | None = None
        self.step = self.flop = self.last = self._most = self._operations = 0
        self._path: set[str] = {folder.permit.claim.digest}
        self._dearest, self._over = 1, False
        self._none = ("not-begun", "no permit was checked for these weights", "begin with a permit")
        self.slowest = self._checked = self._steady0 = 0.0
        self._found = ("", "")
        self._warned = ""
        self._deadline = self._clock.at_steady(self.lease.expires)
        place = self.around.pulse if self.rank == 0 else ""
        self.pulses = Pulses(place, folder.permit, self._clock) if place else None

    # ------------------------------------------------------------ starting

    @property
    def known(self) -> tuple[Start, ...]:
        """The checkpoints that this job may go on with under its permit."""
        return starts(self.folder.reports, self.folder.permit.claim)

    def begin(self, files: Files, plan: Plan) -> Start:
        """Begin with a checkpoint whose files were read, and are the weights in memory.

        Args:
            files: digests of them.
            plan: what an optimizer step costs.

        Raises:
            PermitError: if the permit is not one for that checkpoint.
        """
        found = next((item for item in self.known if item.digest == files.digest), None)
        if found is None:
            raise PermitError(
                "checkpoint-unknown",
                f"the permit is for {self.lease.subject}, and what this job made of it: these files are neither",
                "declare the checkpoint (`scalegate subject add`), and ask the gate for a permit for it",
            )
        if found.listing and found.listing != files.listing:
            raise PermitError("checkpoint-names", "the files of the checkpoint have other names than they had")
        self.begin_at(found, plan)
        self._write("started", files, words=f"from step {found.step}")
        return found

    def begin_at(self, start: Start, plan: Plan) -> None:
        """Begin where the first rank has begun."""
        self.start, self.plan = start, plan
        self.step, self.flop, self._operations = start.step, start.flop, start.flop
        self._path.add(start.digest)
        self._steady0 = self._checked = time.monotonic()
        self._bound()
        if self.last == self.step:
            raise HeldError(
                "compute-spent",
                f"not one step of {show_flop(plan.flop)} FLOP is left: {self.lease.subject} may reach "
                f"{show_flop(self.lease.limit)} FLOP of effective compute, and embodies {show_flop(self.reached)}",
                "`scalegate gate` asks for more, and `scalegate why` says what that needs",
            )

    def _bound(self) -> None:
        """Say anew how far the job may go."""
        if self.plan is None or self.start is None:
            return
        left = self.lease.left(self.reached)
        self._most = self.flop + left
        self.last = last_step(left, Plan(max(self._dearest, self.plan.flop)), self.step)

    @property
    def reached(self) -> int:
        """Effective compute that the weights embody at most."""
        if self.start is None:
            return self.lease.spent
        return self.start.reached + self.lease.worth(self.flop - self.start.flop)

    # ------------------------------------------------------------ every step

    def before_step(self, flop: int = 0) -> None:
        """Count an optimizer step that is about to happen.

        Args:
            flop: what it cost, where that was measured; the plan counts where it is more.

        Raises:
            HeldError: if it must not happen. Nothing was counted then.
        """
        plan = self.plan
        if plan is None:
            raise HeldError(*self._none)
        cost = plan.flop
        if flop > cost:
            if self._dearest == 1:
                self.around.tell(f"scalegate: a step costs {show_flop(flop)} FLOP, and {show_flop(cost)} were planned")
            cost, self._over = flop, True
            self._dearest = max(self._dearest, cost)
        if self.flop + cost > self._most:
            self._refuse(
                "compute-spent",
                f"step {self.step + 1} would take {self.lease.subject} beyond the "
                f"{show_flop(self.lease.limit)} FLOP of effective compute that its permit allows",
            )
        if time.monotonic() >= self._deadline:
            self._refuse("permit-expired", f"the permit ended at {show_instant(self.lease.expires)}")
        self.flop += cost
        self.step += 1
        self._operations += cost

    def _refuse(self, code: str, message: str) -> None:
        raise HeldError(code, message, "`scalegate why` says what would release it")

    def check(self, steady: float | None = None) -> tuple[str, str]:
        """Look at what only this process knows: hardware, clock, pulse, renewals. Call it once for each step.

        Args:
            steady: what the monotonic clock says, where that was just asked.

        Returns:
            Code and words of why the job has to stop at this boundary; empty ones while it may go on. All ranks have
            to agree on it before they stop.
        """
        if self._over:
            # A step that took more than was planned leaves fewer of them.
            self._over = False
            self._bound()
        if steady is None:
            steady = time.monotonic()
        if steady - self._checked < CHECK_SECONDS:
            # What was found holds until a renewal, however often somebody asks.
            return self._found
        self._checked = steady
        if self.around.machines is not None and self.start is not None:
            self.flop = max(self.flop, self.start.flop + self.around.machines.flop(steady - self._steady0))
            self._bound()
        now = self._clock.exact()
        self._deadline = min(self._deadline, self._clock.at_steady(self.lease.expires))
        if self.rank == 0:
            self._renew_if_there()
        if not self._found[0]:
            self._found = self._look(now)
        return self._found

    def _look(self, now: float) -> tuple[str, str]:
        if now >= save_by(self.lease.expires, self.slowest):
            return "permit-ending", f"the permit ends at {show_instant(self.lease.expires)}, and the rest is for saving"
        stopped = self.pulses.stopped(now) if self.pulses is not None else ""
        if stopped:
            return "permit-lapsed", stopped
        if self.flop >= self._most:
            return "compute-spent", "the machines may have computed all that the permit allows"
        told = warning(self.lease, self.reached, int(now), self.begun)
        if told and not self._warned:
            self._warned = told
            self.around.tell(f"scalegate: {told}; `scalegate gate ... --follows {self.folder.file}` renews it")
        return "", ""

    def said(self) -> tuple[int, int, int, int]:
        """Return steps granted, when they end, steps used, and the dearest in thousandths of a planned one.

        Ranks go by the largest of each. The first rank alone hears of renewals: the others say 0 of the first two.
        """
        if self.plan is None or self.start is None:
            return 0, 0, 0, 0
        cost, begun = self.plan.flop, self.start.flop
        own = -(-(self.flop - begun) // cost), max(1_000, -(-1_000 * self._dearest // cost))
        return (min((self._most - begun) // cost, 1 << 62), self.lease.expires, *own) if not self.rank else (0, 0, *own)

    def follow(self, granted: int, expires: int, used: int, dearest: int) -> None:
        """Go as far, and as long, as all ranks together say."""
        if self.plan is None or self.start is None:
            return
        left, cost, begun = max(0, granted - used), self.plan.flop, self.start.flop
        self.last = self.step + left * 1_000 // dearest
        if self.rank != 0:
            self._most, self._deadline = self.flop + left * cost, self._clock.at_steady(expires)
        elif self.flop <= begun + (used - 1) * cost:
            self.flop = begun + used * cost

    def stop(self, code: str, words: str) -> None:
        """Allow no further step: a hold stays one, whoever withdraws it."""
        self.plan = None
        self._none = (code, words, "`scalegate why` says what would release it")

    def took(self, seconds: float) -> None:
        """Say how long a step with its checkpoint took, so that the next one begins early enough to end in time."""
        # What took longer than that was a pause, and no reason to reserve as much again.
        if seconds > self.slowest:
            self.slowest = min(seconds, PAUSE_SECONDS)

    # ------------------------------------------------------------ what came out

    def saved(self, files: Files, state: str = "") -> JobReported:
        """Report a checkpoint: from now on this job may go on with it."""
        self._path.add(files.digest)
        return self._write("checkpoint", files, state=state)

    def held(self, code: str, words: str, files: Files | None = None, state: str = "") -> JobReported:
        """Report a hold, with the checkpoint that was saved for it, before the process ends."""
        if files is not None:
            self._path.add(files.digest)
        report = self._write("held", files, code, words, state)
        self.around.tell(f"scalegate: HOLD {words} [{code}]")
        self.record()
        return report

    def ended(self, files: Files | None = None, state: str = "") -> JobReported:
        """Report that training ended as planned, with the checkpoint it ended with."""
        report = self._write("ended", files, state=state)
        self.record()
        return report

    def compared(self, code: str, words: str, files: Files) -> JobReported:
        """Report how a resumption compared with an uninterrupted run."""
        return self._write("resumption", files, code, words)

    def record(self) -> str:
        """Have the reports recorded in the log, as `record_reports` does; only the first rank has any."""
        return record_reports(self.folder, self.around) if self.rank == 0 else ""

    def close(self) -> None:
        """Let go of the permit, so that another process of the same job may go on."""
        if self.pulses is not None:
            self.pulses.close()
        self.folder.unlock()

    def _write(
        self, kind: ReportKind, files: Files | None, cause: str = "", words: str = "", state: str = ""
    ) -> JobReported:
        readings, plan = [("operations", self._operations)], self.plan
        if plan is not None and plan.analytic:
            readings.append(("analytic", self._operations * plan.analytic // plan.flop))
        if self.around.machines is not None and self.start is not None:
            seconds = time.monotonic() - self._steady0
            readings.append(("hardware", self.start.flop + self.around.machines.flop(seconds)))
        report = JobReported(
            decision=self.lease.decision,
            job=self.lease.job,
            number=0,
            before="",
            kind=kind,
            at=self._clock.now(),
            step=self.step,
            flop=self.flop,
            readings=tuple(readings),
            reached=self.reached,
            cause=cause,
            words=words[:1_000],
            digest=files.digest if files else "",
            listing=files.listing if files else "",
            state=state,
            ranks=self.ranks,
            signature="",
        )
        return self.folder.write(report, durably=self.rank == 0)

    # ------------------------------------------------------------ renewal

    def renew(self, file: Path) -> None:
        """Go on under another permit of the same job, whose subject these weights came from.

        Raises:
            PermitError: if it is none; the old one stays in force.
        """
        permit, mine = self.folder.read(file), self.folder.permit.claim
        lease = lease_of(permit.claim)
        if (permit.claim.key, permit.claim.host) != (mine.key, mine.host):
            raise PermitError("permit-job", "the permit is that of another job")
        if permit.claim.digest not in self._path:
            raise PermitError("checkpoint-unknown", f"these weights did not come from {lease.subject}")
        if lease.expires <= self._clock.now():
            raise PermitError("permit-expired", f"the permit ended at {show_instant(lease.expires)}")
        self._adopt(file, permit, lease)

    def _adopt(self, file: Path, permit: Permit, lease: Lease) -> None:
        own = next((item for item in self.known if item.digest == permit.claim.digest), None)
        if self.start is not None and own is not None and lease.spent > own.reached:
            # The log knows of more compute behind these weights than the job counted.
            self.start = replace(self.start, reached=self.start.reached + lease.spent - own.reached)
        self.folder.file, self.folder.permit, self.lease = file, permit, lease
        self._deadline = self._clock.at_steady(lease.expires)
        self._warned, self._found = "", ("", "")
        if self.pulses is not None:
            self.pulses.follow(permit)
        self._bound()

    def _renew_if_there(self) -> None:
        file = self.folder.renewal
        if file is None:
            return
        try:
            self.renew(file)
        except PermitError as error:
            if self._warned != error.code:
                self._warned = error.code
                self.around.tell(f"scalegate: {file} renews nothing: {error}")
        else:
            self.around.tell(f"scalegate: renewed, up to {show_flop(self.lease.limit)} FLOP")
