"""What is around a job: its host, its machines, where its permit's pulse and its log are, and whom it tells."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import click

from scalegate.enforce.compute import Hardware
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.moments import ForwardClock

STORE: Final = "SCALEGATE_STORE"
_REPORT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Machines:
    """What a job trains on: a bound on FLOP that no counter of operations can miss.

    Attributes:
        chips: accelerators.
        peak: FLOP per second of one chip at most.
        utilization: the share of that which is ever reached; only 1 bounds without an assumption.
    """

    chips: int
    peak: int
    utilization: Fraction = Fraction(1)

    def flop(self, seconds: float) -> int:
        """Return how much they compute at most in so many seconds."""
        return Hardware(self.chips, math.ceil(seconds), self.peak, self.utilization).flop


def _tell(text: str) -> None:
    click.echo(text, err=True)


@dataclass(frozen=True, slots=True)
class Around:
    """What is around a job.

    Attributes:
        host: name of this machine; by default what it says itself.
        pulse: path or URL that says whether the permit still stands; without one, only its bounds end it.
        machines: what it trains on; without them nothing but operations is counted.
        store: where reports are recorded as soon as the job ends; by default SCALEGATE_STORE, and nowhere without it.
        tell: is told warnings.
        clock: makes the job's clock from an instant that is past.
    """

    host: str = field(default_factory=socket.gethostname)
    pulse: str = ""
    machines: Machines | None = None
    store: str = field(default_factory=lambda: os.environ.get(STORE, ""))
    tell: Callable[[str], object] = _tell
    clock: Callable[[int], ForwardClock] = ForwardClock


def record_reports(folder: JobFolder, around: Around) -> str:
    """Have the reports of a job recorded in the log, by a process of its own: this one has no key of the gate.

    Returns:
        What went wrong; the journal keeps the reports then, and `scalegate permit report` records them later.
    """
    if not around.store:
        return ""
    command = [sys.executable, "-m", "scalegate.cli.main", "permit", "report", str(folder.file)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, on our own file
            [*command, "--store", around.store],
            capture_output=True,
            check=False,
            timeout=_REPORT_SECONDS,
            text=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        wrong = str(error)
    else:
        wrong = done.stderr.strip() if done.returncode else ""
    if wrong:
        around.tell(f"scalegate: the reports wait in {folder.journal}: {wrong[:500]}")
    return wrong
