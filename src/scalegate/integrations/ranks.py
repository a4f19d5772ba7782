"""Processes that train together, and how they agree: by an all-reduce, never by a barrier or by one rank alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

import torch
import torch.distributed as dist

from scalegate.enforce.permit import PermitError

_SECONDS: Final = 300
_T = TypeVar("_T")


class Ranks:
    """The processes of one job.

    Attributes:
        rank: which one this is.
        count: how many there are.
    """

    def __init__(self) -> None:
        """Look who is there.

        Raises:
            PermitError: if the environment says that there are several, and nobody connected them.
        """
        self._group: dist.ProcessGroup | None = None
        if dist.is_available() and dist.is_initialized():
            self.rank, self.count = dist.get_rank(), dist.get_world_size()
            if self.count > 1:
                # On the CPU, and of our own: what training sends does not delay it, nor the other way round.
                self._group = dist.new_group(backend="gloo", timeout=timedelta(seconds=_SECONDS))
            return
        self.rank, self.count = 0, 1
        told = os.environ.get("WORLD_SIZE", "1")
        if told not in ("", "1"):
            raise PermitError(
                "ranks-apart",
                f"WORLD_SIZE is {told}, and the processes are not connected: each would train on the permit alone",
                "initialize torch.distributed before training begins",
            )

    def agree(self, *numbers: int) -> tuple[int, ...]:
        """Return the largest of each number of any rank: the same on all of them."""
        if self._group is None:
            return numbers
        flags = torch.tensor(numbers, dtype=torch.int64)
        dist.all_reduce(flags, op=dist.ReduceOp.MAX, group=self._group)
        return tuple(flags.tolist())

    def from_first(self, value: _T) -> _T:
        """Return the value of the first rank."""
        if self._group is None:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self._group)
        return box[0]

    def gathered(self, value: _T) -> list[_T]:
        """Return the values of all ranks, in their order."""
        if self._group is None:
            return [value]
        box: list[_T | None] = [None] * self.count
        dist.all_gather_object(box, value, group=self._group)
        return box  # type: ignore[return-value]

    def on_all(self, act: Callable[[], _T]) -> _T:
        """Do something on every rank, and fail on all of them where it fails on one: nobody waits for one that left.

        Raises:
            PermitError: if it failed on another rank.
            Exception: what it raised on this one.
        """
        if self.count == 1:
            return act()
        done: list[_T] = []
        wrong: Exception | None = None
        try:
            done.append(act())
        except Exception as error:  # noqa: BLE001 - raised below, once the others know
            wrong = error
        told = [f"rank {rank}: {item}" for rank, item in enumerate(self.gathered(str(wrong or ""))) if item]
        if wrong is not None:
            raise wrong
        if told:
            raise PermitError("ranks-apart", "; ".join(told)[:500])
        return done[0]
