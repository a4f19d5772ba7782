"""CPU time of one decision with all blocking reasons, beside Cedar and Rego on the same situations."""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from time import process_time_ns

from engines import Engine, cedar, rego, scalegate
from states import State, draw

STATES = 2_000
COPIES = 8


class DisagreementError(AssertionError):
    """Two engines that read the same policy answered differently: none of their timings means anything."""


@dataclass(frozen=True, slots=True)
class GateTimes:
    """Microseconds of CPU a decision, over all situations.

    Attributes:
        p50, p99: of ours.
        permit, hold: medians of ours where every commitment permits, and where at least one holds.
        cedar, rego: medians of the peers.
        permitted: share of the situations that are permitted.
        states: number of situations.
    """

    p50: float
    p99: float
    permit: float
    hold: float
    cedar: float
    rego: float
    permitted: float
    states: int


def _timed(engine: Engine, states: list[State]) -> tuple[list[float], list[frozenset[str]]]:
    """Return microseconds and answers.

    Process time is a system call, which costs as much as a decision and empties its caches: the clock is read around
    several decisions on the same situation, each on an input of its own, built outside the clock.
    """
    prepare, call, read = engine
    for state in states[:50]:
        call(prepare(state))
    times, outputs = [], []
    gc.collect()
    gc.disable()
    for state in states:
        ready = [prepare(state) for _ in range(COPIES)]
        start = process_time_ns()
        for one in ready:
            output = call(one)
        times.append((process_time_ns() - start) / 1_000 / COPIES)
        outputs.append(output)
    gc.enable()
    return times, [read(output) for output in outputs]


def measure() -> GateTimes:
    """Time all engines.

    Raises:
        DisagreementError: when they do not name the same commitments for every situation.
    """
    states = [draw(seed) for seed in range(STATES)]
    times, answers = _timed(scalegate(), states)
    medians = {}
    for name, engine in (("cedar", cedar()), ("rego", rego())):
        peer_times, peer_answers = _timed(engine, states)
        medians[name] = statistics.median(peer_times)
        for state, ours, theirs in zip(states, answers, peer_answers, strict=True):
            if ours != theirs:
                raise DisagreementError(f"{name} holds {sorted(theirs)}, scalegate {sorted(ours)}: {state}")
    return GateTimes(
        p50=statistics.median(times),
        p99=statistics.quantiles(times, n=100)[-1],
        permit=statistics.median(time for time, held in zip(times, answers, strict=True) if not held),
        hold=statistics.median(time for time, held in zip(times, answers, strict=True) if held),
        cedar=medians["cedar"],
        rego=medians["rego"],
        permitted=sum(not held for held in answers) / len(answers),
        states=len(states),
    )


if __name__ == "__main__":
    print(measure())
