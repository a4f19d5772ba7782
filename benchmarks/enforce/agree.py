"""One of the two processes whose agreement `measure.py` times; the first one prints microseconds."""

from __future__ import annotations

import statistics
from time import perf_counter_ns

import torch
import torch.distributed as dist

from scalegate.integrations.ranks import Ranks

ROUNDS = 2_000


def main() -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    ranks, times = Ranks(), []
    for turn in range(ROUNDS):
        begun = perf_counter_ns()
        ranks.agree(0, turn, 1_800_000_000, turn, 1_000)
        times.append((perf_counter_ns() - begun) / 1_000)
    if ranks.rank == 0:
        print(statistics.median(times[ROUNDS // 10 :]))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
