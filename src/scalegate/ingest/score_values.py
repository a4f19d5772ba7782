"""What a score value means: exactly, and in Inspect's own conversion.

The two differ on purpose. Inspect turns what it cannot convert, and `N` (no answer, refusal), into 0.0; a
dangerous capability would then look absent. Here both are missing. Inspect's conversion is only emulated to
recompute what a header reports (inspect_ai 0.3.285, `scorer/_metric.py`).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction

from scalegate.ingest.limits import MAX_DIGITS, MAX_EXPONENT

_ONE, _ZERO, _HALF = Fraction(1), Fraction(0), Fraction(1, 2)
_WORDS: dict[str, Fraction] = {"C": _ONE, "I": _ZERO, "P": _HALF}
_WORD_FLOATS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_YES, _NO = frozenset({"yes", "true"}), frozenset({"no", "false"})
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?\s*", re.ASCII)

MISSING_REASONS = frozenset({"invalid_response_format", "refusal", "no_response", "grader_failed", "scoring_failed"})
"""Values of `Score.reason` under which a score says nothing about the capability."""

UNSCORED, REFUSED, UNCONVERTIBLE = "unscored", "refused", "unconvertible"

Exact = tuple[Fraction | None, str]


def exact(value: object) -> Exact:
    """Return the exact value of a scalar score, or None and why it is missing."""
    if isinstance(value, str):
        return _exact_text(value)
    if isinstance(value, bool | int):
        return (_ONE if value == 1 else _ZERO if value == 0 else Fraction(value)), ""
    if isinstance(value, Decimal):
        return (_ONE if value == 1 else _ZERO if value == 0 else Fraction(value)), ""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None, UNSCORED
    return None, UNCONVERTIBLE


def _exact_text(value: str) -> Exact:
    if value in _WORDS:
        return _WORDS[value], ""
    if value == "N":
        return None, REFUSED
    word = value.lower()
    if word in _YES or word in _NO:
        return (_ONE if word in _YES else _ZERO), ""
    if len(value) <= MAX_DIGITS and _NUMBER.fullmatch(value):
        number = Decimal(value.strip())
        if not number or abs(number.adjusted()) <= MAX_EXPONENT:
            return Fraction(number), ""
    return None, UNCONVERTIBLE


def missing_reason(score: dict[str, object]) -> str:
    """Return why a score says nothing although it has a value, or an empty text.

    Logs before 0.3.245 keep the reason in `metadata.unscored_reason`.
    """
    reason = score.get("reason")
    if reason is None:
        metadata = score.get("metadata")
        reason = metadata.get("unscored_reason") if isinstance(metadata, dict) else None
    if not isinstance(reason, str) or reason not in MISSING_REASONS:
        return ""
    return REFUSED if reason == "refusal" else reason


def as_inspect_float(value: object) -> float:
    """Return what Inspect's default conversion makes of a value; 0.0 for what it cannot convert."""
    if isinstance(value, str):
        if value in _WORD_FLOATS:
            return _WORD_FLOATS[value]
        word = value.lower()
        if word in _YES or word in _NO:
            return 1.0 if word in _YES else 0.0
        try:
            number = float(value)
        except ValueError:
            return 0.0
        return number if math.isfinite(number) else 0.0
    if isinstance(value, bool | int | Decimal | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return 0.0


def is_unscored(value: object) -> bool:
    """Tell whether Inspect leaves this value out of reducers and metrics."""
    return isinstance(value, float) and math.isnan(value)


def has_fixed_meaning(value: object) -> bool:
    """Tell whether every sensible conversion agrees on this value with Inspect's default one."""
    return is_unscored(value) or value == "N" or exact(value)[0] is not None
