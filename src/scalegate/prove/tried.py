"""Simple situations, tried against a proof that somebody claims: no solver needed, and half the lies do not survive.

A proof is about every situation, and only a solver tells. What refutes a false one is often simple, though: scores
just beyond a line, one thing that nobody said, one size beyond its bound, and all else either as it should be or as bad
as it gets. So many are tried; that none of them speaks against a claim proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice

from scalegate.prove.compare import Table
from scalegate.prove.formula import AtMost, Formula, Many, Neg, holds
from scalegate.prove.symbols import Value, Variable

MOST = 400
# Just beyond a line: of a rate, and of what is counted in whole numbers.
_STEPS = {"rate": Fraction(1, 1000)}


def refuting(table: Table, question: str) -> Mapping[str, Value] | None:
    """Return a simple situation in which the first side permits what the second holds; None where none was found."""
    permitting, holding = table.sides
    laws = (*table.variables.laws(), *table.begins)
    for values in islice(_simple(table, question), MOST):
        if permitting.permits(question, values) and not holding.permits(question, values):
            complete = {**table.variables.nominal, **values}
            if all(holds(law, complete) for law in laws):
                return values
    return None


def _simple(table: Table, question: str) -> Iterator[dict[str, Value]]:
    """Yield situations: scores good or bad wherever they are read, and one thing besides that is otherwise."""
    formulas = [part for side in table.sides for part in side.permission(question).values()]
    lines = _lines(formulas, table.variables.nominal)
    variables = [item for item in table.variables if item.name in lines]
    bases = [*_bases(variables)]
    yield from bases
    for variable in variables:
        for value in _values(variable, lines[variable.name]):
            yield from ({**base, variable.name: value} for base in bases)


def _bases(variables: Sequence[Variable]) -> Iterator[dict[str, Value]]:
    """Yield situations in which what starts a hold, and what ends it, is as good or as bad as it gets."""
    for bad in ((), ("when",), ("until",), ("when", "until")):
        yield {
            item.name: Fraction(item.key[0] == "high")
            for item in variables
            if item.key[0] in ("high", "low") and item.key[2] in bad
        }


def _values(variable: Variable, lines: Sequence[Fraction]) -> Iterator[Value]:
    if variable.unit == "flag":
        yield not variable.nominal
        return
    step = _STEPS.get(variable.unit, Fraction(1))
    for line in sorted({*lines, Fraction(0), variable.high if variable.high is not None else Fraction(0)}):
        for value in (line, line + step, line - step):
            if value >= 0 and (variable.high is None or value <= variable.high):
                yield value


def _lines(formulas: Sequence[Formula], nominal: Mapping[str, Value]) -> dict[str, list[Fraction]]:
    """Return the numbers that each variable is compared with, all others as in an uneventful situation."""
    found: dict[str, list[Fraction]] = {}
    todo = [*formulas]
    while todo:
        match todo.pop():
            case AtMost(parts=parts, bound=bound):
                for factor, name in parts:
                    others = sum(other * Fraction(nominal[known]) for other, known in parts if known != name)
                    found.setdefault(name, []).append((bound - others) / factor)
            case Neg(part=part):
                todo.append(part)
            case Many(parts=parts):
                todo.extend(parts)
            case bool():
                pass
            case flag:
                found.setdefault(flag.name, [])
    return found
