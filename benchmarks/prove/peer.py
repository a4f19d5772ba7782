"""The same question built and solved by the Python interface of z3, term by term."""

from __future__ import annotations

from collections.abc import Sequence

import z3

from scalegate.prove.ask import Script
from scalegate.prove.formula import AtMost, Flag, Formula, Many, Neg, names


def solve(script: Script) -> str:
    """Return what z3 says, with every named assertion tracked; the texts that we write are not used."""
    context = z3.Context()
    solver = z3.SolverFor("QF_LRA", ctx=context)
    known = {
        variable.name: z3.Bool(variable.name, context) if variable.unit == "flag" else z3.Real(variable.name, context)
        for variable in script.concerned
    }
    known |= {mark: z3.Bool(mark, context) for mark in script.marks}
    laws = [law for law in script.variables.laws() if names(law) <= known.keys()]
    for formula in (*laws, *script.others):
        solver.add(_term(formula, known, context))
    for place, formula in enumerate(script.named.values()):
        solver.assert_and_track(_term(formula, known, context), z3.Bool(f"a{place}", context))
    status = str(solver.check())
    if status == "unsat":
        solver.unsat_core()
    elif status == "sat":
        solver.model()
    return status


def _term(formula: Formula, known: dict[str, z3.ExprRef], context: z3.Context) -> z3.BoolRef:
    match formula:
        case bool():
            return z3.BoolVal(formula, context)
        case Flag(name=name):
            return known[name]
        case AtMost(parts=parts, bound=bound, strict=strict):
            total = z3.Sum([_number(factor, context) * known[name] for factor, name in parts])
            return total < _number(bound, context) if strict else total <= _number(bound, context)
        case Neg(part=part):
            return z3.Not(_term(part, known, context))
        case Many(least=least, parts=parts):
            return _many(least, [_term(part, known, context) for part in parts])


def _many(least: int, parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    if least == len(parts):
        return z3.And(*parts)
    return z3.Or(*parts) if least == 1 else z3.AtLeast(*parts, least)


def _number(value: object, context: z3.Context) -> z3.RatNumRef:
    return z3.RealVal(str(value), context)
