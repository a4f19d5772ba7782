"""Reading pulses while a job runs: a thread of its own looks, so that no step waits for a disk or a network."""

from __future__ import annotations

import threading
import urllib.request
from http.client import HTTPException
from pathlib import Path

from scalegate.core.quantities import show_duration
from scalegate.enforce.permit import Permit, PermitError
from scalegate.enforce.pulse import MAX_PULSE, Pulse, read_pulse
from scalegate.integrations.moments import ForwardClock

LOOK_SECONDS = 2.0
_TIMEOUT = 5.0


class Pulses:
    """The latest pulse of a permit: what was held once stays held, and no older pulse replaces a newer one."""

    def __init__(
        self, place: str, permit: Permit, clock: ForwardClock, every: float = LOOK_SECONDS, *, wait: bool = False
    ) -> None:
        """Begin to look.

        Args:
            place: path of a file, or an `http://` or `https://` URL.
            permit: what the pulses are about.
            clock: the job's clock.
            every: seconds between two looks.
            wait: whether to begin also where no pulse stands there yet; `stopped` says so then.

        Raises:
            PermitError: if there is no pulse that stands there now, and nobody waits for one.
        """
        self._place, self._permit, self._clock, self._every = place, permit, clock, every
        self._alone = threading.Lock()
        self._latest: Pulse | None = None
        self._held = ""
        # What the pulses of the permit before this one said; it counts until there is one of this permit.
        self._grace, self._held_before = 0, ""
        self._wrong = ""
        self._over = threading.Event()
        self.look()
        stopped = self.stopped(clock.exact())
        if stopped and not wait:
            raise PermitError("permit-lapsed", stopped, "`scalegate permit pulse` writes pulses")
        self._thread = threading.Thread(target=self._run, name="scalegate-pulses", daemon=True)
        self._thread.start()

    def stopped(self, now: float) -> str:
        """Return why the permit does not stand any longer, as far as is known; empty while it does."""
        with self._alone:
            if self._held:
                return self._held
            if self._latest is None:
                if self._held_before or now <= self._grace:
                    return self._held_before
                return f"there is no pulse of the permit: {self._wrong}"
            if now > self._latest.until:
                late = show_duration(int(now - self._latest.until))
                return f"the pulse of the permit is {late} late: {self._wrong or 'nothing new was written'}"
            return ""

    @property
    def held(self) -> str:
        """Why the gate would not give the permit any more, as a pulse said; empty where none did."""
        with self._alone:
            return self._held

    def follow(self, permit: Permit) -> None:
        """Look for pulses of the permit that took over.

        Until the first of them comes, the last one of the permit before it counts as long as it was good, and what
        that permit was held for holds.
        """
        with self._alone:
            if self._latest is not None:
                self._grace, self._held_before = self._latest.until, self._held
            self._permit, self._latest, self._held = permit, None, ""
        self.look()

    def look(self) -> None:
        """Look once."""
        with self._alone:
            permit = self._permit
        try:
            pulse = read_pulse(self._read(), permit)
        except (PermitError, OSError, ValueError, HTTPException) as error:
            with self._alone:
                self._wrong = str(error)[:500]
            return
        with self._alone:
            if permit is not self._permit or (self._latest is not None and pulse.number < self._latest.number):
                return
            self._latest, self._wrong = pulse, ""
            self._clock.at_least(pulse.at)
            if not pulse.stands:
                self._held = f"the gate would not give the permit any more: {pulse.words}"

    def close(self) -> None:
        """Stop looking."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self.look()

    def _read(self) -> bytes:
        if self._place.startswith(("http://", "https://")):
            with urllib.request.urlopen(self._place, timeout=_TIMEOUT) as answer:  # noqa: S310 - those two schemes only
                return bytes(answer.read(MAX_PULSE + 1))
        with Path(self._place).open("rb") as file:
            return file.read(MAX_PULSE + 1)
