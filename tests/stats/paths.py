"""Many betting paths at once: wealth in floating point and numpy, for tests alone. The package itself has neither."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from scalegate.stats.betting import BITS, STAKES, WEIGHTS

PATHS = 100_000
# As many paths at a time as stay in the cache.
CHUNK = 4_000


class Wealths:
    """The same recursion as `Wealth`, for many paths side by side."""

    def __init__(self, np: ModuleType, paths: int) -> None:
        self.stakes = np.array([stake / 2**BITS for stake in STAKES])
        self.rests = 1 - self.stakes
        self.parts = np.tile(np.array(WEIGHTS) / sum(WEIGHTS), (paths, 1))

    def grow(self, ratios: Any) -> None:
        growth = ratios[:, None] * self.stakes
        growth += self.rests
        self.parts *= growth

    def total(self) -> Any:
        return self.parts.sum(axis=1)


def crossing(
    np: ModuleType, streams: Callable[[Any, int], Iterator[Any]], error: float, *, seed: int, paths: int = PATHS
) -> float:
    """Share of paths that ever reach 1 / error.

    `streams(generator, paths)` yields, step by step, the ratio of score and null mean on every path.
    """
    generator = np.random.default_rng(seed)
    wrong = 0
    for _ in range(paths // CHUNK):
        wealths = Wealths(np, CHUNK)
        crossed = np.zeros(CHUNK, dtype=bool)
        for ratios in streams(generator, CHUNK):
            wealths.grow(ratios)
            crossed |= wealths.total() >= 1 / error
        wrong += int(crossed.sum())
    return wrong / (paths // CHUNK * CHUNK)


def at_most(error: float, paths: int = PATHS) -> float:
    """Largest share of paths that three standard deviations allow at this error."""
    return float(error + 3 * (error * (1 - error) / paths) ** 0.5)
