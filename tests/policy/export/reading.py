"""A third reader of exports: it evaluates a plan on an input, so that both are tested without any engine."""

from __future__ import annotations

import operator
from typing import Any

from scalegate.policy.export.clauses import (
    Bound,
    Clause,
    Count,
    Date,
    Denied,
    Fixed,
    Never,
    OtherAction,
    Small,
    Unended,
)
from scalegate.policy.export.plan import Plan

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def permits(plan: Plan, given: dict[str, Any]) -> bool:
    """Return what an export answers on an input."""
    return not any(given["action"] in rule.actions and not stands(rule.unless, given) for rule in plan.rules)


def stands(clause: Clause, given: dict[str, Any]) -> bool:  # noqa: PLR0911 - one for each kind of clause
    """Return whether a clause stands."""
    match clause:
        case Fixed():
            return clause.stands
        case Bound():
            found = given[clause.field]
            reached = (given["to_e18"], given["to_rest"]) <= (found["reach_e18"], found["reach_rest"])
            live = found["gaps"] == 0 and given["now"] < found["until"] and reached
            return live and SIGNS[clause.sign](found[clause.end], clause.value)
        case Date():
            return SIGNS[clause.sign](given["now"], clause.value)
        case Unended():
            return given["now"] < given[clause.field]
        case Small():
            return given[clause.field] <= clause.value
        case Denied():
            return given[clause.field] is False
        case OtherAction():
            return given["action"] not in clause.actions
        case Never():
            return not stands(clause.part, given)
        case Count():
            return sum(stands(part, given) for part in clause.parts) >= clause.need
