"""What the input of an exported policy is, as a JSON Schema: which facts, in which units, rounded how."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import ACTIONS
from scalegate.core.canonical import Plain
from scalegate.core.quantities import show_number
from scalegate.core.terms import Compute, Elapsed, Measure, Revenue, Term
from scalegate.policy.export.fields import Interval
from scalegate.policy.export.grid import LARGEST
from scalegate.policy.export.plan import LACKING, STOPPED, Plan
from scalegate.policy.schema_parts import Schema
from scalegate.policy.show import term_text


def input_schema(plan: Plan) -> Schema:
    """Return the JSON Schema of the input of an exported policy."""
    properties: dict[str, Plain] = dict(_properties(plan))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"input of {plan.kernel.id} {plan.kernel.version}",
        "description": "One question to one policy at one time, as the gate would judge it. Fixed-point numbers stand "
        "in the unit named beside them, chosen so that every constant of the policy is a whole number of it.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _properties(plan: Plan) -> Iterator[tuple[str, Schema]]:
    actions: list[Plain] = [*sorted(ACTIONS)]
    yield "policy", {"const": plan.kernel.digest, "description": "The text of the policy that the input is made for."}
    words = "What is asked for; training beyond every scale that exists is train.new-scale."
    yield "action", {"enum": actions, "description": words}
    words = "The name of the model or system; in Cedar it is the entity that the request is about."
    yield "subject", {"type": "string", "description": words}
    yield "now", _number("The time of the question, in seconds since 1970.")
    words = "Effective compute of what the action would produce, its upper end: {}. From 1e36 FLOP on, rounded up."
    yield "to_e18", _number(words.format("whole units of 1e18 FLOP"))
    yield "to_rest", _number(words.format("the FLOP beyond them"))
    cap = plan.kernel.mitigation_cap
    words = f"How much mitigation training adds, in units of 1/{cap.denominator} of the effective compute it started "
    yield "growth", _number(words + "from, rounded up; 0 for other actions.")
    for role, field in plan.countersigned.items():
        words = (
            f"Until when {role} has countersigned the request with its quorum, in seconds since 1970; 0: it has not."
        )
        yield field, _number(words)
    for name, field in plan.exceptions.items():
        words = f"When the use of exception {name} ends, in seconds since 1970; 0: it is not in use."
        yield field, _number(words)
    yes_no = {
        STOPPED: "Whether a stop order stands against the request, by whichever policy names its role.",
        LACKING: "Whether a policy beside this one lacks a role that it mandates.",
    }
    for field in plan.answers:
        yield field, {"type": "boolean", "description": yes_no[field]}
    for interval in plan.intervals:
        yield interval.name, _interval(interval)


def _number(words: str) -> Schema:
    return {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST, "description": words}


def _interval(interval: Interval) -> Schema:
    unit = _unit(interval)
    constants: list[Plain] = [*interval.grid.constants]
    meet = "Rounded {}, and past a constant of the policy that it is not, {}: it compares with each as the exact value."
    members: dict[str, Plain] = {
        "gaps": _number("How many things bar the use of the evidence in favor of a permit; 1 where there is none."),
        "until": _number("Until when the evidence may be used in favor, in seconds since 1970."),
        "reach_e18": _number("Up to which effective compute it may be: whole units of 1e18 FLOP."),
        "reach_rest": _number("The FLOP beyond them. From 1e36 FLOP on, rounded down unless there is no end."),
    }
    ends = {
        "low": ("The lowest value that the evidence leaves open, in any stratum", "down", "up"),
        "high": ("The highest value that the evidence leaves open, in any stratum", "up", "down"),
    }
    for end in interval.ends:
        words, outward, inward = ends[end]
        words += ", latched, or measured elsewhere at or below the effective compute asked for"
        number = _number(f"{words}; in units of {unit}. {meet.format(outward, inward)}")
        members[end] = {**number, "unit": show_number(interval.grid.unit), "constants": constants}
    return {
        "type": "object",
        "description": f"{term_text(interval.term)}: the worst of its strata.",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def _unit(interval: Interval) -> str:
    """Return the unit of an interval, in words."""
    return f"{show_number(interval.grid.unit)}{_measured_in(interval.term)}"


def _measured_in(term: Term) -> str:
    match term:
        case Measure():
            return " of the score"
        case Compute():
            return " FLOP"
        case Revenue():
            return " USD a year"
        case Elapsed():
            return " second"
        case _:
            return " (1 is yes, 0 is no)"
