"""What an export says, before it is put into somebody's language: the input's fields, and the rules over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from scalegate.core.actions import ACTIONS, IRREVERSIBLE, MITIGATION, NEW_SCALE, TRAIN, UNHOLDABLE
from scalegate.core.kernel import Commitment, Exception_, Kernel
from scalegate.policy.export.clauses import (
    NOWHERE,
    Clause,
    Denied,
    Never,
    OtherAction,
    Reading,
    Small,
    Unended,
    every,
    some,
)
from scalegate.policy.export.fields import FieldNames, Interval, constants, ends_read, intervals
from scalegate.policy.show import condition_text

HOLDABLE = ACTIONS - UNHOLDABLE
TEXTS = ("policy", "action", "subject")
NUMBERS = ("now", "to_e18", "to_rest", "growth")
STOPPED = "stopped"
LACKING = "mandated_role_lacking"


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold `actions` unless a clause stands. `says` is where it comes from, line by line."""

    id: str
    actions: frozenset[str]
    unless: Clause
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An export in no language yet.

    Attributes:
        kernel: the policy.
        intervals: the fields that hold evidence.
        countersigned: for each role that countersigns, the field that says until when it has.
        exceptions: for each exception, the field that says until when it is in use.
        answers: the fields that are yes or no.
        rules: what holds; an action of the gate that no rule holds is permitted.
    """

    kernel: Kernel
    intervals: tuple[Interval, ...]
    countersigned: Mapping[str, str]
    exceptions: Mapping[str, str]
    answers: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The fields that are whole numbers."""
        return (*NUMBERS, *self.countersigned.values(), *self.exceptions.values())

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field, in order."""
        return (*TEXTS, *self.numbers, *self.answers, *(item.name for item in self.intervals))

    @property
    def whole_numbers(self) -> tuple[str, ...]:
        """The path of every whole number."""
        inner = (f"{item.name}.{member}" for item in self.intervals for member in item.members)
        return (*self.numbers, *inner)


def plan_of(kernel: Kernel) -> Plan:
    """Return the plan of an export.

    Raises:
        DiagnosticError: if the constants of a term do not fit into 64 bits together.
    """
    names = FieldNames((*TEXTS, *NUMBERS, STOPPED, LACKING))
    countersigned = {role: names.new(f"countersigned by {role}") for role in kernel.countersigned_by}
    exceptions = {item.id: names.new(f"exception {item.id}") for item in kernel.exceptions}
    found = intervals(kernel, names)
    compared = constants(kernel)
    points: dict[tuple[int, Fraction], int] = {
        (item.index, value): item.grid.point(value) for item in found for value in compared[item.index]
    }
    reading = Reading(kernel.terms, {item.index: item.name for item in found}, points)
    rules = _rules(kernel, reading, countersigned, exceptions)
    read = ends_read(rule.unless for rule in rules)
    kept = [replace(item, ends=tuple(end for end in item.ends if (item.name, end) in read)) for item in found]
    fields = tuple(item for item in kept if item.ends)
    answers = ((STOPPED, kernel.stop_orders_by), (LACKING, kernel.duties.mandates))
    asked = tuple(name for name, wanted in answers if wanted)
    return Plan(kernel, fields, countersigned, exceptions, asked, rules)


def _rules(
    kernel: Kernel, reading: Reading, countersigned: Mapping[str, str], exceptions: Mapping[str, str]
) -> tuple[Rule, ...]:
    stands, outside = (ask(kernel.scope, permissive=False) for ask in (reading.stands, reading.lasts))
    rules = []
    if stands != outside:
        words = "who is out of scope now, and will not be a moment later, is held now"
        rules.append(Rule("scope", HOLDABLE, some(outside, Never(stands)), (words,)))
    rules += [_commitment(kernel, item, reading, outside, exceptions) for item in kernel.commitments]
    for role, field in countersigned.items():
        words = f"permits: countersigned by {role}"
        rules.append(Rule(f"countersigned.{role}", HOLDABLE, some(outside, Unended(field)), (words,)))
    if kernel.kind == "reference":
        words = "an encoding for reference never permits anything"
        rules.append(Rule("reference", HOLDABLE, outside, (words,)))
    if kernel.duties.mandates:
        roles = ", ".join(item.name for item in kernel.duties.mandates)
        words = f"mandated roles, declared by every policy beside it: {roles}"
        rules.append(Rule("mandated-roles", HOLDABLE, some(outside, Denied(LACKING)), (words,)))
    if kernel.stop_orders_by:
        words = f"stop orders: by {', '.join(kernel.stop_orders_by)}"
        rules.append(Rule("stop-order", HOLDABLE, Denied(STOPPED), (words,)))
    cap = kernel.mitigation_cap
    words = f"mitigation: growth at most {cap.numerator}, in units of 1/{cap.denominator} of what it started from"
    rules.append(Rule("mitigation", frozenset({MITIGATION}), Small("growth", cap.numerator), (words,)))
    return tuple(rules)


def _commitment(
    kernel: Kernel, commitment: Commitment, reading: Reading, outside: Clause, exceptions: Mapping[str, str]
) -> Rule:
    sides = ((commitment.when, False), (commitment.until, True))
    lasts = some(*(reading.lasts(side, permissive=permissive) for side, permissive in sides))
    stands = some(*(reading.stands(side, permissive=permissive) for side, permissive in sides))
    escape = _escapes(kernel, commitment, reading, exceptions)
    if stands != lasts and escape != NOWHERE:
        # An exception stands in where the commitment itself holds, and nowhere else.
        escape = every(Never(stands), escape)
    actions = commitment.actions
    if TRAIN in actions:
        actions |= {NEW_SCALE}  # who asks for new scale asks to train
    return Rule(f"commitment.{commitment.id}", actions, some(outside, lasts, escape), tuple(_words(kernel, commitment)))


def _words(kernel: Kernel, commitment: Commitment) -> Iterator[str]:
    """Yield a commitment in the words of `policy show --expanded`, holes included."""
    yield f"hold   {', '.join(commitment.hold)}"
    yield f"when   {condition_text(kernel, commitment.when)}"
    yield f"until  {condition_text(kernel, commitment.until)}"
    for item in kernel.exceptions:
        if item.instead_of == commitment.id:
            parts = (item.when, item.until, *item.needs)
            yield f"but for exception {item.id}: {' and '.join(condition_text(kernel, part) for part in parts)}"


def _escapes(kernel: Kernel, commitment: Commitment, reading: Reading, exceptions: Mapping[str, str]) -> Clause:
    """Return the clause that an exception releases a commitment: the first in use that stands decides."""
    found: Clause = NOWHERE
    for item in reversed([item for item in kernel.exceptions if item.instead_of == commitment.id]):
        lasts = _escape(item, reading, exceptions, lasting=True)
        stands = _escape(item, reading, exceptions, lasting=False)
        if lasts != stands and found != NOWHERE:
            found = every(Never(stands), found)
        found = some(lasts, found)
    if found == NOWHERE:
        return NOWHERE
    return every(OtherAction(tuple(sorted(IRREVERSIBLE))), found)


def _escape(item: Exception_, reading: Reading, exceptions: Mapping[str, str], *, lasting: bool) -> Clause:
    ask = reading.lasts if lasting else reading.stands
    parts = (item.when, item.until, *item.needs)
    return every(Unended(exceptions[item.id]), *(ask(part, permissive=True) for part in parts))
