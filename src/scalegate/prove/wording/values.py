"""Values of a situation as words, and words as values: exact both ways."""

from __future__ import annotations

import re
from fractions import Fraction

from scalegate.core.quantities import DAY, HOUR, MINUTE, MONTH, YEAR, QuantityError, instant, show_count, show_instant
from scalegate.prove.symbols import Unit

# The year 10000, where the calendar of dates ends.
_CALENDAR = 253_402_300_800
# Longer than anything that is printed, and short enough for exact arithmetic on it.
_LONGEST = 800
_MAX_EXPONENT = 400

_SIZES = ((YEAR, "year"), (MONTH, "month"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))
_UNITS = {
    **{name: size for size, name in _SIZES},
    **{f"{name}s": size for size, name in _SIZES},
    "week": 7 * DAY,
    "weeks": 7 * DAY,
}
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?:[eE](\d{1,3}))?", re.ASCII)
_AND = " and "


def show(value: Fraction, unit: Unit) -> str:
    """Return a value in words that `read` takes back to that very value."""
    match unit:
        case "rate":
            return _rate(value)
        case "seconds":
            return _duration(value)
        case "instant":
            whole = value.denominator == 1 and 0 <= value < _CALENDAR
            return show_instant(value.numerator) if whole else f"{_number(value)} seconds after 1970"
        case "flop":
            return f"{_number(value)} FLOP"
        case "usd":
            return f"{_number(value)} USD"
        case _:
            return _number(value)


def read(text: str, unit: Unit) -> Fraction | None:
    """Return the value of some words; None where they are no value of that unit."""
    if len(text) > _LONGEST:
        return None
    match unit:
        case "rate":
            return _read_rate(text)
        case "seconds":
            return _read_duration(text)
        case "instant":
            return _read_instant(text)
        case "flop":
            return _read_number(text.removesuffix(" FLOP")) if text.endswith(" FLOP") else None
        case "usd":
            return _read_number(text.removesuffix(" USD")) if text.endswith(" USD") else None
        case _:
            return _read_number(text)


def _number(value: Fraction) -> str:
    """Return a number as digits, a power of ten where it is round and large, or a fraction."""
    if value.denominator != 1:
        decimal = _decimal(value)
        return decimal or f"{value.numerator}/{value.denominator}"
    digits = str(value.numerator)
    round_to = digits.rstrip("0")
    if len(digits) < 7 or len(digits) - len(round_to) < 3:
        return digits
    tail = f".{round_to[1:]}" if len(round_to) > 1 else ""
    return f"{round_to[0]}{tail}e{len(digits) - 1}"


def _decimal(value: Fraction) -> str:
    """Return a number as a decimal where it ends within twelve places; empty otherwise."""
    for places in range(1, 13):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = f"{scaled.numerator:0{places + 1}d}"
            return f"{digits[:-places]}.{digits[-places:]}"
    return ""


def _rate(value: Fraction) -> str:
    scaled = value * 100
    if scaled.denominator == 1:
        return f"{scaled.numerator}%"
    decimal = _decimal(scaled)
    return f"{decimal}%" if decimal else f"{value.numerator} in {value.denominator}"


def _duration(value: Fraction) -> str:
    if value.denominator != 1:
        return f"{_number(value)} seconds"
    parts, left = [], value.numerator
    for size, name in _SIZES:
        count, left = divmod(left, size)
        if count:
            parts.append(show_count(count, name))
    return _AND.join(parts) or "0 seconds"


def _read_number(text: str) -> Fraction | None:
    above, slash, below = text.partition("/")
    if slash:
        whole, parts = _read_number(above), _read_number(below)
        return whole / parts if whole is not None and parts else None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole_digits, decimals, power = match.group(1), match.group(2) or "", int(match.group(3) or 0)
    if power > _MAX_EXPONENT:
        return None
    return Fraction(int(whole_digits + decimals)) * Fraction(10) ** (power - len(decimals))


def _read_rate(text: str) -> Fraction | None:
    if text.endswith("%"):
        found = _read_number(text.removesuffix("%"))
        value = None if found is None else found / 100
    else:
        above, odds, below = text.partition(" in ")
        if odds:
            one, two = _read_number(above), _read_number(below)
            value = one / two if one is not None and two else None
        else:
            # A bare 20 could be a percentage or a share, as in policies.
            value = _read_number(text) if set(text) & set("./") else None
    return value if value is not None and value <= 1 else None


def _read_duration(text: str) -> Fraction | None:
    total = Fraction(0)
    for part in text.split(_AND):
        count, _, unit = part.partition(" ")
        number = _read_number(count)
        if number is None or unit not in _UNITS:
            return None
        total += number * _UNITS[unit]
    return total


def _read_instant(text: str) -> Fraction | None:
    if text.endswith(" seconds after 1970"):
        return _read_number(text.removesuffix(" seconds after 1970"))
    try:
        found = instant(text)
    except (QuantityError, OverflowError):
        return None
    return Fraction(found) if found >= 0 else None
