"""Comparison audits of many banks at once: the package's recursion in floating point, held against the package's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from scalegate.stats.betting import BITS, STAKES, WEIGHTS
from scalegate.stats.comparison import ComparisonAudit

ITEMS = 1_000
THRESHOLD = Fraction(1, 5)
ALPHA = Fraction(1, 20)
AUDITS = 4_000
CHUNK = 400
CHECKED = 20

# Halves of trust in the report, and the share of wealth that goes there, as the package documents them.
TRUST = ((0, 0.5), (1, 0.25), (2, 0.25))
_STAKES = np.array([stake / 2**BITS for stake in STAKES])
_SHARES = np.array(WEIGHTS) / sum(WEIGHTS)


class DisagreementError(AssertionError):
    """The copy in floating point and the package end an audit after different numbers of items."""


@dataclass(frozen=True, slots=True)
class Audited:
    """Mean items until "above" is shown, with the report and without one.

    Attributes:
        deviation: standard error of the ratio.
    """

    with_report: float
    without: float
    deviation: float

    @property
    def ratio(self) -> float:
        """Items with the report for each item without it."""
        return self.with_report / self.without


def ends(scores: Any, reported: Any) -> Any:
    """Return after how many items the claim is shown, for banks (rows) whose items come in the order of the columns.

    Scores are 0 or 1. What the null allows the items left is kept in integers: halves of a fifth.
    """
    banks, items = scores.shape
    found = np.zeros(banks, dtype=np.int64)
    place = np.arange(banks)
    lacking = reported.max(axis=1, keepdims=True) - reported
    whole, part = THRESHOLD.denominator, THRESHOLD.numerator
    trust = np.array([halves for halves, _ in TRUST])
    rest = 2 * items * part + np.outer(lacking.sum(axis=1), trust) * whole
    wealth = np.multiply.outer(np.ones(banks), np.multiply.outer([share for _, share in TRUST], _SHARES))
    for drawn in range(items):
        value = (2 * scores[place, drawn][:, None] + trust * lacking[place, drawn][:, None]) * whole
        ratio = np.where(rest > 0, value * (items - drawn) / np.maximum(rest, 1), 1.0)
        wealth *= 1 + _STAKES * (ratio[:, :, None] - 1)
        rest = rest - value
        done = (rest < 0).any(axis=1) | (wealth.sum(axis=(1, 2)) >= float(1 / ALPHA))
        if done.any():
            found[place[done]] = drawn + 1
            place, rest, wealth = place[~done], rest[~done], wealth[~done]
            if not place.size:
                break
    return found


def end_exactly(scores: Sequence[int], reported: Sequence[int]) -> int:
    """Return the same for one bank, by the package; 0 for never."""
    audit = ComparisonAudit(THRESHOLD, [Fraction(int(score)) for score in reported])
    for position, score in enumerate(scores):
        audit.update(position, Fraction(int(score)))
        if audit.shown(ALPHA):
            return position + 1
    return 0


def banks(generator: Any, number: int, rate: Fraction, agreement: Fraction) -> tuple[Any, Any]:
    """Return scores in random order, and reports that are wrong about this share of the items, whichever they are."""
    scores = np.zeros((number, ITEMS), dtype=np.int64)
    scores[:, : int(rate * ITEMS)] = 1
    wrong = np.zeros((number, ITEMS), dtype=np.int64)
    wrong[:, : int((1 - agreement) * ITEMS)] = 1
    scores, wrong = generator.permuted(scores, axis=1), generator.permuted(wrong, axis=1)
    return scores, scores ^ wrong


def audit(rate: Fraction, agreement: Fraction, number: int = AUDITS, seed: int = 1) -> Audited:
    """Audit the same banks in the same order, with their reports and with one that says the same of all items.

    Raises:
        DisagreementError: when the package ends one of the first audits elsewhere.
    """
    generator = np.random.default_rng(seed)
    both: list[tuple[Any, Any]] = []
    for start in range(0, number, CHUNK):
        scores, reported = banks(generator, min(CHUNK, number - start), rate, agreement)
        nothing = np.zeros_like(reported)
        both.append((ends(scores, reported), ends(scores, nothing)))
        if not start:
            for row, found in enumerate(zip(*both[0], strict=True)):
                if row == CHECKED:
                    break
                exactly = end_exactly(scores[row], reported[row]), end_exactly(scores[row], nothing[row])
                if found != exactly:
                    raise DisagreementError(f"an audit ends after {found} items, by the package after {exactly}")
    compared, plain = (np.concatenate(part).astype(float) for part in zip(*both, strict=True))
    ratio = compared.mean() / plain.mean()
    deviation = float((compared - ratio * plain).std() / plain.mean() / number**0.5)
    return Audited(float(compared.mean()), float(plain.mean()), deviation)
