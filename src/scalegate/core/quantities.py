"""Exact quantities: rates, effective compute, durations and instants.

Rates are `fractions.Fraction`; compute is whole FLOP (an interval where it is uncertain); durations and instants
are whole seconds, instants counted from 1970-01-01 UTC. A month is 30 days and a year 365 days, everywhere, so
that no deadline depends on the calendar month it starts in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

MINUTE = 60
HOUR = 3_600
DAY = 86_400
WEEK = 7 * DAY
MONTH = 30 * DAY
YEAR = 365 * DAY

# Later than every instant and larger than every computation: "no limit" as an exact integer.
FOREVER = 1 << 62
UNBOUNDED = 1 << 400

MAX_NUMBER_LENGTH = 40
MAX_EXPONENT = 60

_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)


class QuantityError(ValueError):
    """A text that is not the quantity it should be; the message says what is wrong."""


def number(text: str) -> Fraction:
    """Return the exact value of a decimal such as `0.2`, `-3` or `4e25`.

    Length and exponent are capped before any arithmetic: `Fraction("1e999999999")` would never return.

    Raises:
        QuantityError: if the text is no decimal, or is longer or larger than any real quantity.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        msg = f"a number of {len(text)} characters is longer than any real quantity"
        raise QuantityError(msg)
    match = _NUMBER.fullmatch(text)
    if match is None:
        msg = f"`{text}` is not a number"
        raise QuantityError(msg)
    sign, whole, decimals, exponent = match.groups()
    power = int(exponent or 0)
    if abs(power) > MAX_EXPONENT:
        msg = f"the exponent of `{text}` is beyond {MAX_EXPONENT}"
        raise QuantityError(msg)
    digits = decimals or ""
    value = Fraction(int(whole + digits)) * Fraction(10) ** (power - len(digits))
    return -value if sign == "-" else value


@dataclass(frozen=True, slots=True)
class ComputeRange:
    """Effective compute in whole FLOP, between `low` and `high` (`UNBOUNDED` when nobody can say)."""

    low: int
    high: int

    def __post_init__(self) -> None:
        """Refuse an interval that is negative or turned around."""
        if not 0 <= self.low <= self.high:
            msg = "effective compute must satisfy 0 <= low <= high"
            raise QuantityError(msg)

    def __add__(self, other: ComputeRange) -> ComputeRange:
        """Return the sum of two computations."""
        return ComputeRange(self.low + other.low, min(self.high + other.high, UNBOUNDED))


def instant(text: str) -> int:
    """Return seconds since 1970 for an ISO date (midnight UTC) or an ISO date-time; no zone means UTC.

    Raises:
        QuantityError: if the text is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"`{text}` is not a date such as 2026-01-01 or 2026-01-01T12:00:00Z"
        raise QuantityError(msg) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def show_instant(seconds: int) -> str:
    """Return an instant as `2026-01-01` or `2026-01-01T12:00:00Z`; `never` beyond the calendar."""
    if seconds >= 253_402_300_800:  # the year 10000, where datetime ends
        return "never"
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%d}" if seconds % DAY == 0 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def show_duration(seconds: int) -> str:
    """Return a duration in its largest whole unit, such as `3 months` or `36 hours`."""
    for size, unit in (
        (YEAR, "year"),
        (MONTH, "month"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
    ):
        if seconds and seconds % size == 0:
            return show_count(seconds // size, unit)
    return show_count(seconds, "second")


def show_count(count: int, one: str, many: str = "") -> str:
    """Return a number of things with its noun, such as `1 item`; `many` where it is not `one` and an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def show_number(value: Fraction) -> str:
    """Return an exact number as a decimal where it ends, else as a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    remainder = value.denominator
    for prime in (2, 5):
        while remainder % prime == 0:
            remainder //= prime
    if remainder != 1:
        return f"{value.numerator}/{value.denominator}"
    places = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        places += 1
    digits = f"{abs(scaled.numerator):0{places + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def show_rate(value: Fraction) -> str:
    """Return a rate as a percentage, such as `20%` or `12.5%`."""
    return f"{show_number(value * 100)}%"


def show_bound(value: Fraction, *, up: bool) -> str:
    """Return a bound as a percentage with at most two decimals, rounded outward (`up` or down)."""
    scaled = value * 10_000
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return show_rate(Fraction(whole, 10_000))


def show_flop(value: int) -> str:
    """Return whole FLOP in scientific notation with as few digits as are exact, or six, such as `4e25`."""
    if value >= UNBOUNDED:
        return "unbounded"
    if value == 0:
        return "0"
    digits = str(value)
    exponent = len(digits) - 1
    mantissa = digits.rstrip("0")
    cut = len(mantissa) > 6
    mantissa = mantissa[:6]
    tail = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'~' if cut else ''}{mantissa[0]}{tail}e{exponent}"
