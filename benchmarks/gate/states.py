"""Random situations of one policy, as data that every engine can be given: exact integers, nothing derived.

A situation holds, for each of ten evaluations, an interval in millionths or nothing, how long and up to which
compute it may be used, and for each of ten safeguards whether it was shown, failed or never spoken of. Every
comparison is hit exactly on its boundary in many situations, and every kind of evidence is missing in many.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

EVALUATIONS = 10
SAFEGUARDS = 10
ENOUGH = 2
ACTIONS = ("train", "deploy.internal", "deploy.api", "release.weights")

MILLION = 1_000_000
# Thresholds in millionths: 5%, 10%, ..., 50%.
THRESHOLDS = tuple(50_000 * (place + 1) for place in range(EVALUATIONS))

NOW = 1_767_225_600  # 2026-01-01
TO = 40_000  # effective compute asked for, in units of 1e21 FLOP: Cedar's integers end at 2**63
UNIT = 10**21


@dataclass(frozen=True, slots=True)
class Measured:
    """An interval in millionths that may be used before `until` and up to `reach` (units of 1e21 FLOP)."""

    low: int
    high: int
    until: int
    reach: int


@dataclass(frozen=True, slots=True)
class Voiced:
    """What was said of a safeguard: shown until then, or that it failed."""

    shown: bool
    until: int


@dataclass(frozen=True, slots=True)
class State:
    """One situation: what is asked, and the evidence, None where nobody has any."""

    action: str
    measured: tuple[Measured | None, ...]
    voiced: tuple[Voiced | None, ...]


def _measured(rng: random.Random, threshold: int, trouble: float) -> Measured | None:
    """Draw the evidence on one evaluation, in trouble of some kind with the given probability."""
    until, reach = NOW + rng.randrange(1, 10**7), TO + rng.randrange(10**5)
    high = threshold if rng.random() < 0.2 else rng.randrange(threshold + 1)
    low = max(0, high - rng.randrange(50_000))
    if rng.random() >= trouble:
        # One second and one unit to spare, or none at all, are still enough.
        return Measured(low, high, NOW + 1 if rng.random() < 0.2 else until, TO if rng.random() < 0.2 else reach)
    match rng.randrange(5):
        case 0:
            return None
        case 1:
            return Measured(low, high, NOW - rng.choice((0, 1, 10**6)), reach)
        case 2:
            return Measured(low, high, until, TO - rng.choice((1, 10**4)))
        case 3:
            return Measured(low, threshold + rng.choice((1, 10**4)), until, reach)
        case _:
            return Measured(threshold + rng.choice((0, 1, 10**4)), threshold + 20_000, until, reach)


def _voiced(rng: random.Random, shown: float) -> Voiced | None:
    """Draw what was said of one safeguard; with the given probability it counts."""
    if rng.random() < shown:
        return Voiced(shown=True, until=NOW + rng.choice((1, 10**6)))
    match rng.randrange(3):
        case 0:
            return None
        case 1:
            return Voiced(shown=False, until=NOW + 10**6)
        case _:
            return Voiced(shown=True, until=NOW - rng.choice((0, 1, 10**6)))


def draw(seed: int) -> State:
    """Return the situation of a seed."""
    rng = random.Random(seed)
    trouble = rng.choice((0.0, 0.05, 0.1, 0.2, 0.3, 1.0))
    shown = rng.choice((0.0, 0.0, 0.05, 0.1))
    return State(
        action=ACTIONS[seed % len(ACTIONS)],
        measured=tuple(_measured(rng, threshold, trouble) for threshold in THRESHOLDS),
        voiced=tuple(_voiced(rng, shown) for _ in range(SAFEGUARDS)),
    )
