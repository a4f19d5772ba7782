"""A proof is about the gate: what is proved at least as strict holds, in every history, whatever the other side holds.

The counter-histories are what a reviewer found: nearly each was once said to be impossible by a proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.actions import MITIGATION, TRAIN
from scalegate.core.kernel import (
    Kernel,
)
from scalegate.prove.assumed import ASSUMED
from scalegate.prove.compare import Solvers, compare
from tests.gate.random_worlds import (
    World,
    plain_world,
)
from tests.prove.counter_histories import ASSUMPTIONS, COUNTERS, Counter
from tests.prove.generators import pair
from tests.prove.histories import story
from tests.prove.near_pairs import near_pair
from tests.prove.one_sided import shared

ASKED = Solvers(Z3())


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda item: item.__name__)
def test_what_a_history_refutes_is_not_proved(counter: Callable[[], Counter]):
    found = counter()
    events = tuple(sorted((*plain_world().events, *found.events), key=lambda item: item[0]))
    left = (found.permits, *found.beside)
    world = World(left, events, found.request)
    assert world.ask().answer == "permit", [reason.message for reason in world.ask().reasons]
    assert replace(world, kernels=(found.holds,)).ask().answer == "hold"
    answer = compare(left, [found.holds], ASKED, questions=(found.request.action,))
    assert [item.strict for item in answer.forward] == [False]


@pytest.mark.parametrize(("place", "counter"), ASSUMPTIONS, ids=lambda item: getattr(item, "__name__", ""))
def test_what_is_assumed_makes_a_difference_and_is_stated(place: int, counter: Callable[[], Counter]):
    found = counter()
    events = tuple(sorted((plain_world().events[0], *found.events), key=lambda item: item[0]))
    world = World((found.permits,), events, found.request)
    assert world.ask().answer == "permit", [reason.message for reason in world.ask().reasons]
    assert replace(world, kernels=(found.holds,)).ask().answer == "hold"
    answer = compare([found.permits], [found.holds], ASKED, questions=(found.request.action,))
    assert all(item.strict for item in answer.forward), "no longer assumed: say so in `prove.assumed`"
    assert ASSUMED[place].endswith(".")


# ---------------------------------------------------------------- at random

BATCH = 20


def _proved(first: Kernel, second: Kernel, action: str) -> list[tuple[Kernel, Kernel]]:
    """Return the directions in which one policy is proved to be at least as strict as the other."""
    relation = compare([first], [second], ASKED, questions=(action,)).of(action)
    found = [(first, second)] if relation in ("stricter", "equivalent") else []
    return [*found, (second, first)] if relation in ("weaker", "equivalent") else found


def _action(random: Random, *kernels: Kernel) -> str:
    held = sorted({action for kernel in kernels for item in kernel.commitments for action in item.actions})
    liked = [name for name in (TRAIN, TRAIN, "deploy.internal", "deploy.api", MITIGATION) if name in held]
    return random.choice(liked or held)


def _survives(first: Kernel, second: Kernel, seed: int, histories: int) -> tuple[int, int]:
    """Check every proof about two policies against random histories; return how many permits and holds were met."""
    action = _action(Random(seed), first, second)
    permits = holds = 0
    for strict, loose in _proved(first, second, action):
        for number in range(histories):
            told = story(seed * 1_000_003 + number, (strict, loose), action)
            if not told.permits(strict):
                holds += 1
                continue
            permits += 1
            if told.permits(loose):
                continue
            told = shared(told, (strict, loose))
            assert told.permits(loose) or not told.permits(strict), (seed, number, action)
    return permits, holds


@pytest.mark.parametrize("batch", range(4))
def test_what_is_proved_of_policies_that_differ_in_one_thing_survives_histories(batch: int):
    met = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        first, second, _ = near_pair(seed)
        met.append(_survives(first, second, seed, 25))
    assert sum(permits for permits, _ in met) > 100, "histories lie near a permit"
    assert sum(holds for _, holds in met) > 100, "and near a hold"


@pytest.mark.parametrize("batch", range(2))
def test_what_is_proved_of_random_policies_survives_histories(batch: int):
    met = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        both = (replace(kernel, id="plan", kind="policy") for kernel in (pair(seed).first, pair(seed).second))
        met.append(_survives(*both, seed, 15))
    assert sum(permits for permits, _ in met) > 50, "histories lie near a permit"
    assert sum(holds for _, holds in met) > 50, "and near a hold"
