"""Laws: property tests that run twice, with few examples in every run and with twenty times as many when slow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

SLOW_FACTOR = 20


@dataclass(frozen=True)
class Law:
    """What must hold of every drawn example. `share` is the part of the profile's examples that it takes."""

    check: Callable[..., None]
    strategies: tuple[st.SearchStrategy[Any], ...]
    share: Fraction

    def test(self, factor: int = 1) -> Callable[..., None]:
        """Return the property test, with a multiple of its usual number of examples."""
        examples = max(1, int(settings().max_examples * self.share * factor))
        return settings(max_examples=examples)(given(*self.strategies)(self.check))


LAWS: dict[str, Law] = {}


def law(*strategies: st.SearchStrategy[Any], share: Fraction = Fraction(1)) -> Callable[..., Callable[..., None]]:
    """Make a property test of a check, and keep it for the slow variant."""

    def keep(check: Callable[..., None]) -> Callable[..., None]:
        room = check.__module__.rpartition(".")[2]
        found = LAWS[f"{room}.{check.__name__}"] = Law(check, strategies, share)
        return found.test()

    return keep
