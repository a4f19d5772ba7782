"""A job's clock: it only goes forward, and never starts before what is known to be past."""

from __future__ import annotations

import time
from collections.abc import Callable

# Whole seconds beyond it are no floats.
_LATEST = 1 << 53


class ForwardClock:
    """Tells the time to a job.

    It runs with the machine's monotonic clock from where it was started, and follows the wall clock where that is
    ahead. Setting the wall clock back changes nothing.
    """

    def __init__(
        self,
        floor: int = 0,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - an adapter behind the Clock port
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start.

        Args:
            floor: an instant that is past, of a claim or a report, in seconds since 1970.
            wall: the machine's clock, in seconds since 1970.
            steady: one that only goes forward, in seconds since whenever.
        """
        self._wall, self._steady, self._floor = wall, steady, 0.0
        # Told and steady time of the latest instant that was seen, as one value: threads share a clock.
        self._latest = (max(float(floor), wall()), steady())

    def now(self) -> int:
        """Return seconds since 1970 UTC."""
        return int(self.exact())

    def exact(self) -> float:
        """Return seconds since 1970 UTC, with their fraction."""
        told, at = self._latest
        steady = self._steady()
        now = max(told + steady - at, self._wall(), self._floor)
        self._latest = (now, steady)
        return now

    def at_least(self, instant: int) -> None:
        """Take an instant as past, in seconds since 1970."""
        # Beside the latest one, so that a thread that is just telling the time does not undo it.
        self._floor = max(self._floor, float(min(instant, _LATEST)))

    def at_steady(self, instant: float) -> float:
        """Return what the monotonic clock says at an instant, at the latest."""
        return self._steady() + instant - self.exact()
