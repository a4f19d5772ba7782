"""Formulas over the variables of a situation: written as SMT-LIB text, or evaluated at one situation.

Numbers are exact rationals and every comparison is linear, so that a solver always decides (QF_LRA).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, final

# Numbers of reals, truth of flags.
Values: TypeAlias = Mapping[str, Fraction | bool]


@final
@dataclass(frozen=True, slots=True)
class Flag:
    """A variable that is true or false."""

    name: str


@final
@dataclass(frozen=True, slots=True)
class AtMost:
    """A weighted sum of real variables is at most a bound; with `strict`, less than it."""

    parts: tuple[tuple[Fraction, str], ...]
    bound: Fraction
    strict: bool = False


@final
@dataclass(frozen=True, slots=True)
class Neg:
    """The negation of a formula."""

    part: Formula


@final
@dataclass(frozen=True, slots=True)
class Many:
    """At least `least` of the parts are true: all of them for a conjunction, one for a disjunction."""

    least: int
    parts: tuple[Formula, ...]


Formula: TypeAlias = bool | Flag | AtMost | Neg | Many

_ONE = Fraction(1)


def every(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction, without parts that say nothing."""
    kept = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    if not kept:
        return True
    return kept[0] if len(kept) == 1 else Many(len(kept), tuple(kept))


def some(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, without parts that say nothing."""
    kept = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    if not kept:
        return False
    return kept[0] if len(kept) == 1 else Many(1, tuple(kept))


def at_least(least: int, parts: Iterable[Formula]) -> Formula:
    """Return that so many of the parts are true."""
    given = tuple(parts)
    least -= sum(part is True for part in given)
    kept = tuple(part for part in given if not isinstance(part, bool))
    if least <= 0:
        return True
    if least > len(kept):
        return False
    if least == len(kept):
        return every(kept)
    return some(kept) if least == 1 else Many(least, kept)


def neg(part: Formula) -> Formula:
    """Return the negation."""
    if isinstance(part, bool):
        return not part
    return part.part if isinstance(part, Neg) else Neg(part)


def at_most(name: str, bound: Fraction | int, *, strict: bool = False) -> Formula:
    """Return that a variable is at most a bound; with `strict`, less."""
    return AtMost(((_ONE, name),), Fraction(bound), strict)


def at_most_times(name: str, factor: Fraction | int, other: str) -> Formula:
    """Return that a variable is at most `factor` times another."""
    return AtMost(((_ONE, name), (-Fraction(factor), other)), Fraction(0))


# ---------------------------------------------------------------- as text


def rational(value: Fraction) -> str:
    """Return an exact number as SMT-LIB text."""
    if value < 0:
        return f"(- {rational(-value)})"
    whole = f"{value.numerator}.0"
    return whole if value.denominator == 1 else f"(/ {whole} {value.denominator}.0)"


def text(formula: Formula) -> str:
    """Return a formula as SMT-LIB text."""
    match formula:
        case bool():
            return "true" if formula else "false"
        case Flag(name=name):
            return name
        case AtMost():
            return _linear(formula)
        case Neg(part=part):
            return f"(not {text(part)})"
        case Many(least=least, parts=parts):
            words = [text(part) for part in parts]
            if least in (1, len(parts)):
                return f"({'or' if least == 1 else 'and'} {' '.join(words)})"
            return f"(>= (+ {' '.join(f'(ite {word} 1.0 0.0)' for word in words)}) {least}.0)"


def _linear(formula: AtMost) -> str:
    words = [name if factor == 1 else f"(* {rational(factor)} {name})" for factor, name in formula.parts]
    total = words[0] if len(words) == 1 else f"(+ {' '.join(words)})"
    return f"({'<' if formula.strict else '<='} {total} {rational(formula.bound)})"


# ---------------------------------------------------------------- at one situation


def holds(formula: Formula, values: Values) -> bool:
    """Whether a formula is true of some values.

    Raises:
        KeyError: if a variable of it has no value.
    """
    match formula:
        case bool():
            return formula
        case Flag(name=name):
            return values[name] is True
        case AtMost(parts=parts, bound=bound, strict=strict):
            total = _total(parts, values)
            return total < bound if strict else total <= bound
        case Neg(part=part):
            return not holds(part, values)
        case Many(least=least, parts=parts):
            left, found = len(parts), 0
            for part in parts:
                found += holds(part, values)
                left -= 1
                if found >= least:
                    return True
                if found + left < least:
                    return False
            return False


def _total(parts: tuple[tuple[Fraction, str], ...], values: Values) -> Fraction:
    """Return a weighted sum; nearly all of them are of one variable, or say that one is at most another."""
    if len(parts) == 1 and parts[0][0] == 1:
        return Fraction(values[parts[0][1]])
    return sum((factor * values[name] for factor, name in parts), Fraction(0))


def names(formula: Formula) -> set[str]:
    """Return the variables of a formula."""
    match formula:
        case bool():
            return set()
        case Flag(name=name):
            return {name}
        case AtMost(parts=parts):
            return {name for _, name in parts}
        case Neg(part=part):
            return names(part)
        case Many(parts=parts):
            return set().union(*map(names, parts))
