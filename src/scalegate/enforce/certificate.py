"""A resume certificate: whether training that was held and went on is the training that would have gone on anyway.

A few steps are computed once more from an earlier checkpoint, and compared with a later one, weight by weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Label = Literal["exact", "close", "different", "unchecked"]
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One tensor that is not bit by bit what it should be.

    Attributes:
        name: of the tensor.
        largest: largest absolute difference of two numbers in it; None where it is missing on one side, or has another
            shape or type, so that nothing can be subtracted.
    """

    name: str
    largest: float | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """How a replay compared with what was saved.

    Attributes:
        label: `exact` bit by bit, `close` within a tolerance, `different`, or `unchecked`.
        steps: optimizer steps that were computed once more.
        largest: largest absolute difference of two weights; 0 where they are the same or nothing was compared, and
            infinite where tensors could not be subtracted.
        words: the same for people.
    """

    label: Label
    steps: int
    largest: float
    words: str

    @property
    def code(self) -> str:
        """The code that a report has, such as `resumption-exact`."""
        return f"resumption-{self.label}"


def judge(differences: Sequence[Difference], steps: int, tolerance: float = 0.0) -> Certificate:
    """Return the certificate of a replay.

    Args:
        differences: every tensor that is not the same bit by bit.
        steps: optimizer steps that were computed once more.
        tolerance: largest absolute difference that still counts as close.
    """
    after = f"after {steps} step{'' if steps == 1 else 's'} from the earlier checkpoint"
    if not differences:
        return Certificate("exact", steps, 0.0, f"every weight is the same bit by bit {after}")
    sizes = [float("inf") if item.largest is None else item.largest for item in differences]
    # What is no number is not within any tolerance: neither comparison holds for it.
    far = [item.name for item, size in zip(differences, sizes, strict=True) if not size <= tolerance]
    largest = max((size if size == size else float("inf") for size in sizes), default=0.0)  # noqa: PLR0124 - NaN
    if not far:
        words = f"{len(differences)} tensors differ by at most {largest:.3g} {after}"
        return Certificate("close", steps, largest, words)
    named = ", ".join(f"`{name:.80}`" for name in far[:_NAMED])
    words = f"{len(far)} tensors differ by up to {largest:.3g} {after}, such as {named}"
    return Certificate("different", steps, largest, words)


def unchecked(why: str, steps: int = 0) -> Certificate:
    """Return the certificate of a replay that could not be made, or not be compared."""
    return Certificate("unchecked", steps, 0.0, f"nothing was compared: {why}")
