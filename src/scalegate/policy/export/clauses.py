"""Conditions as other engines can state them: what stands for a permit, in two values.

The gate's conditions have three values, yet whether a permit is given hangs on one question alone: does a condition
*stand for* it? A connective does where enough of its parts do, and `not` turns around which end of an interval is
read. So nothing is lost by asking that of every leaf, and what is unknown simply does not stand.

Two questions are asked. A condition *stands* when it speaks for the permit now, and *lasts* when it will also do so a
moment later: a permit whose reason ends as it is given is none. They differ for what grows with time alone: dates, and
the time since something was stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Condition, Constant, Not
from scalegate.core.quantities import show_duration, show_flop, show_instant, show_number, show_rate
from scalegate.core.terms import Clock, Compute, Elapsed, Hole, Measure, Term

Sign = Literal["<", "<=", ">", ">="]
End = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What always or never stands, with the words it comes from."""

    stands: bool
    words: str


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a term's interval on one side of a constant, by evidence that may be used in favor."""

    field: str
    end: End
    sign: Sign
    value: int
    words: str


@dataclass(frozen=True, slots=True)
class Date:
    """The time of the question on one side of an instant."""

    sign: Sign
    value: int
    words: str


@dataclass(frozen=True, slots=True)
class Unended:
    """The time of the question lies before an instant that the input states."""

    field: str


@dataclass(frozen=True, slots=True)
class Small:
    """A number of the input is at most this."""

    field: str
    value: int


@dataclass(frozen=True, slots=True)
class Denied:
    """A yes-or-no of the input is no."""

    field: str


@dataclass(frozen=True, slots=True)
class OtherAction:
    """The action asked for is none of these."""

    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """At least `need` of the parts."""

    need: int
    parts: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Never:
    """What must not stand."""

    part: Clause


Clause: TypeAlias = Fixed | Bound | Date | Unended | Small | Denied | OtherAction | Count | Never

ALWAYS, NOWHERE = Fixed(stands=True, words="always"), Fixed(stands=False, words="never")


def every(*parts: Clause) -> Clause:
    """Return the clause that all parts stand."""
    return _count(len(parts), parts)


def some(*parts: Clause) -> Clause:
    """Return the clause that a part stands."""
    return _count(1, parts)


def _count(need: int, parts: tuple[Clause, ...]) -> Clause:
    """Return a clause that is no more than it has to be."""
    if need < 1 or need > len(parts):  # as in the gate: what asks for nothing, or for too much, shows nothing
        return NOWHERE
    if need not in (1, len(parts)):
        return Count(need, parts)
    joined = need == len(parts)
    decisive = next((part for part in parts if isinstance(part, Fixed) and part.stands is not joined), None)
    if decisive is not None and len(parts) > 1:
        return decisive
    kept: list[Clause] = []
    for part in parts:
        if isinstance(part, Count) and part.need == (len(part.parts) if joined else 1):
            kept += part.parts
        elif not isinstance(part, Fixed):
            kept.append(part)
    kept = list(dict.fromkeys(kept))
    if not kept:
        return parts[0]
    return kept[0] if len(kept) == 1 else Count(len(kept) if joined else 1, tuple(kept))


@dataclass(frozen=True, slots=True)
class Reading:
    """How the conditions of one policy become clauses.

    Attributes:
        terms: the terms of its kernel.
        fields: the field of the input for each term that has one.
        points: each constant of a term in the unit of its field.
    """

    terms: tuple[Term, ...]
    fields: Mapping[int, str]
    points: Mapping[tuple[int, Fraction], int]

    def stands(self, condition: Condition, *, permissive: bool) -> Clause:
        """Return the clause that a condition stands for the permit."""
        return self._read(condition, permissive, lasting=False)

    def lasts(self, condition: Condition, *, permissive: bool) -> Clause:
        """Return the clause that a condition stands for the permit, and will a moment later."""
        return self._read(condition, permissive, lasting=True)

    def _read(self, condition: Condition, permissive: bool, *, lasting: bool) -> Clause:  # noqa: FBT001
        match condition:
            case Not():
                return self._read(condition.part, not permissive, lasting=lasting)
            case Constant():
                return Fixed(condition.proven is permissive, "always" if condition.proven else "never")
            case Compare():
                return self._leaf(condition, permissive, lasting=lasting)
            case _:
                parts = tuple(self._read(part, permissive, lasting=lasting) for part in condition.parts)
                return _count(needed(condition, permissive=permissive), parts)

    def _leaf(self, leaf: Compare, permissive: bool, *, lasting: bool) -> Clause:  # noqa: FBT001
        above, term = leaf.above is permissive, self.terms[leaf.term]
        constant = Fraction(leaf.num, leaf.den)
        if isinstance(term, Hole):
            return Fixed(stands=False, words=f"hole {term.name}")
        if isinstance(term, Clock):
            return _date(constant, above=above, edge=leaf.edge, lasting=lasting)
        sign: Sign = (">=" if leaf.edge else ">") if above else ("<" if leaf.edge else "<=")
        if isinstance(term, Elapsed) and lasting and not above:
            sign, constant = "<", Fraction(constant.numerator // constant.denominator)
        point, words = self.points[leaf.term, constant], f"{sign} {_shown(term, constant)}"
        return Bound(self.fields[leaf.term], "low" if above else "high", sign, point, words)


def _shown(term: Term, constant: Fraction) -> str:
    """Return a constant as people write it."""
    if isinstance(term, Measure):
        return show_rate(constant)
    whole = constant.denominator == 1
    if isinstance(term, Compute) and whole and constant >= 0:
        return f"{show_flop(constant.numerator)} FLOP"
    if isinstance(term, Elapsed) and whole and constant >= 0:
        return show_duration(constant.numerator)
    return show_number(constant)


def _date(constant: Fraction, *, above: bool, edge: bool, lasting: bool) -> Clause:
    """Return a date in whole seconds: one that has come stays, one that has not come yet ends what rests on it."""
    floor, whole = constant.numerator // constant.denominator, constant.denominator == 1
    sign: Sign
    if above:
        sign = ">=" if edge and whole else ">"
    elif lasting or (edge and whole):
        sign = "<"
    else:
        sign = "<="
    return Date(sign, floor, f"{sign} {show_instant(floor)}")


def needed(condition: All | AnyOf | AtLeast, *, permissive: bool) -> int:
    """Return how many parts of a connective have to stand for the permit."""
    count = len(condition.parts)
    if isinstance(condition, AtLeast):
        return condition.count if permissive else count - condition.count + 1
    return count if isinstance(condition, All) is permissive else 1
