"""Thousands of random situations at once, exactly: each value of a variable is the set of situations that have it.

A set is a whole number, one bit for each situation. A formula is then true in a set of situations, and what is asked of
ten thousand of them costs some hundred operations on numbers of ten thousand bits.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from random import Random

from scalegate.prove.formula import AtMost, Flag, Formula, Many, Neg
from scalegate.prove.symbols import Value, Variable
from scalegate.prove.variables import Variables

# The values that are tried for each variable.
Marks = Mapping[str, set[Fraction]]
# A situation for each bit.
Bits = int
MOST = 14
"""Values that one variable takes in one sample."""
PASSES = 12
"""How often orders between variables are restored before the situations that still break one are left out."""


class Situations:
    """Random situations over some variables, at and around the constants of some formulas; most values are nominal."""

    def __init__(self, random: Random, variables: Variables, marks: Marks, laws: Sequence[Formula], count: int) -> None:
        """Draw `count` situations, with values among the marks; `lawful` are those that satisfy the laws."""
        self.variables, self.count, self.full = variables, count, (1 << count) - 1
        self.values: dict[str, dict[Fraction, Bits]] = {}
        self.flags: dict[str, Bits] = {}
        self._order: dict[str, tuple[list[Fraction], list[Bits]]] = {}
        for variable in variables:
            odd = self._odd(random)
            nominal = variables.nominal[variable.name]
            if variable.unit == "flag":
                self.flags[variable.name] = self.full ^ odd if nominal else odd
            else:
                near = marks.get(variable.name, set())
                self.values[variable.name] = self._spread(random, variable, Fraction(nominal), near, odd)
        for _ in range(PASSES):
            if not [law for law in laws if self._mend(law)]:
                break
        self.lawful = self.full
        for law in laws:
            self.lawful &= self.truth(law)

    def _odd(self, random: Random) -> Bits:
        """Return the situations in which one variable is not nominal: ever more of them from third to third."""
        third = self.count // 3
        few = random.getrandbits(third) & random.getrandbits(third) & random.getrandbits(third)
        few &= random.getrandbits(third) | random.getrandbits(third)
        some = random.getrandbits(third) & random.getrandbits(third)
        rest = self.count - 2 * third
        return few | some << third | random.getrandbits(rest) << 2 * third

    def _spread(
        self, random: Random, variable: Variable, nominal: Fraction, near: set[Fraction], odd: Bits
    ) -> dict[Fraction, Bits]:
        """Return which value a variable has in which situations."""
        found = {nominal: self.full ^ odd}
        values = [value for value in near if value != nominal and _within(variable, value)]
        values = sorted(random.sample(sorted(values), MOST) if len(values) > MOST else values)
        left = odd
        for place, value in enumerate(values):
            others = len(values) - place - 1
            # Halves of what is left, and all of it in the end: the order is drawn, so that no value is preferred.
            taken = left & (random.getrandbits(self.count) if others else self.full)
            found[value] = taken
            left ^= taken
        found[nominal] |= left
        return {value: bits for value, bits in found.items() if bits}

    # ------------------------------------------------------------ what is true where

    def truth(self, formula: Formula) -> Bits:
        """Return the situations in which a formula is true."""
        match formula:
            case bool():
                return self.full if formula else 0
            case Flag(name=name):
                return self.flags[name]
            case Neg(part=part):
                return self.full ^ self.truth(part)
            case AtMost():
                return self._at_most(formula)
            case Many(least=least, parts=parts):
                return _at_least(least, [self.truth(part) for part in parts], self.full)

    def _at_most(self, formula: AtMost) -> Bits:
        (left, lesser), *rest = formula.parts
        assert abs(left) == 1
        if not rest:
            if left < 0:
                return self.full ^ self._below(lesser, -formula.bound, strict=not formula.strict)
            return self._below(lesser, formula.bound, strict=formula.strict)
        ((right, greater),) = rest
        found, factor = 0, -right
        for value, bits in self.values[greater].items():
            bound = value if factor == 1 else value * factor
            if formula.bound:
                bound += formula.bound
            found |= bits & self._below(lesser, bound, strict=formula.strict)
        return found

    def _below(self, name: str, bound: Fraction, *, strict: bool) -> Bits:
        """Return the situations in which a variable lies below a bound."""
        values, below = self._sorted(name)
        place = bisect_left(values, bound) if strict else bisect_right(values, bound)
        return below[place]

    def _sorted(self, name: str) -> tuple[list[Fraction], list[Bits]]:
        """Return the values of a variable in order, and for each place where it lies before it."""
        known = self._order.get(name)
        if known is None:
            values = sorted(self.values[name])
            below = [0]
            for value in values:
                below.append(below[-1] | self.values[name][value])
            known = self._order[name] = values, below
        return known

    def _mend(self, law: Formula) -> Bits:
        """Make a law true where a change of one variable does it; return where it was not."""
        match law:
            case AtMost(parts=((_, lesser), (_, greater)), bound=bound) if bound == 0:
                wrong = self.full ^ self._at_most(law)
                for value, bits in tuple(self.values[greater].items()) if wrong else ():
                    self._set(lesser, value, bits & wrong)
                return wrong
            case Many(least=1, parts=parts):
                wrong = self.full ^ self.truth(law)
                for part in parts:
                    if isinstance(part, Flag):
                        self.flags[part.name] |= wrong
                        return wrong
                name = parts[0].part.name if isinstance(parts[0], Neg) and isinstance(parts[0].part, Flag) else ""
                if name:
                    self.flags[name] &= self.full ^ wrong
                return wrong
            case _:
                return 0

    def _set(self, name: str, value: Fraction, where: Bits) -> None:
        if where:
            self._order.pop(name, None)
            held = self.values[name]
            for other in tuple(held):
                held[other] &= self.full ^ where
            held[value] = held.get(value, 0) | where

    # ------------------------------------------------------------ one by one

    def at(self, place: int) -> dict[str, Value]:
        """Return one situation."""
        bit = 1 << place
        found: dict[str, Value] = {name: bool(bits & bit) for name, bits in self.flags.items()}
        for name, values in self.values.items():
            found[name] = next(value for value, bits in values.items() if bits & bit)
        return found

    def places(self, among: Bits | None = None) -> Iterator[int]:
        """Yield the places of the lawful situations among some."""
        left = self.lawful if among is None else among & self.lawful
        while left:
            last = left & -left
            yield last.bit_length() - 1
            left ^= last


def _within(variable: Variable, value: Fraction) -> bool:
    return (variable.low is None or value >= variable.low) and (variable.high is None or value <= variable.high)


def _at_least(least: int, sets: Sequence[Bits], full: Bits) -> Bits:
    """Return the situations that lie in at least so many of some sets."""
    # levels[n]: in at least n of the sets so far.
    levels = [full, *([0] * least)]
    for bits in sets:
        for level in range(least, 0, -1):
            levels[level] |= levels[level - 1] & bits
    return levels[least]


def marks_of(variables: Variables, formulas: Iterable[Formula]) -> dict[str, set[Fraction]]:
    """Return for each variable the values at and around everything that it is compared with."""
    units = {variable.name: variable.unit for variable in variables}
    found: dict[str, set[Fraction]] = {}
    pairs: dict[tuple[str, Fraction, str], None] = {}
    for atom in _atoms(formulas):
        names = [name for _, name in atom.parts]
        if len(names) == 1:
            found.setdefault(names[0], set()).update(_around(units[names[0]], atom.bound / atom.parts[0][0]))
        else:
            (left, lesser), (right, greater) = atom.parts
            pairs[lesser, -right / left, greater] = None
    for name, unit in units.items():
        if unit != "flag":
            found.setdefault(name, set()).add(Fraction(variables.nominal[name]))
    for lesser, factor, greater in pairs:
        for name, other, times in ((lesser, greater, factor), (greater, lesser, 1 / factor)):
            if len(found[name]) < 2 * MOST:
                for value in sorted(found[other])[:MOST]:
                    found[name].update(_around(units[name], value if times == 1 else value * times))
    return found


def _around(unit: str, value: Fraction) -> Iterator[Fraction]:
    if unit == "rate":
        yield from (value, value - Fraction(1, 1000), value + Fraction(1, 1000))
    else:  # whole numbers, as entries have them
        yield from {Fraction(part) for part in (floor(value) - 1, floor(value), ceil(value), ceil(value) + 1)}


def _atoms(formulas: Iterable[Formula]) -> Iterator[AtMost]:
    todo, seen = list(formulas), set()
    while todo:
        formula = todo.pop()
        match formula:
            case AtMost():
                if formula not in seen:
                    seen.add(formula)
                    yield formula
            case Neg(part=part):
                todo.append(part)
            case Many(parts=parts):
                todo.extend(parts)
            case _:
                pass
