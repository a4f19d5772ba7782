"""A comparison as a document that anybody can check again without a solver.

A refutation carries its situation, by names that do not depend on who wrote it down: it is replayed by the gate's
interpreter. A proof carries the digest of its question, which is derived again from the two texts; that the question
has the answer it was given takes a solver, and a check without one says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.canonical import Plain
from scalegate.core.duties import Modality
from scalegate.core.kernel import Kernel
from scalegate.prove.assumed import ASSUMED
from scalegate.prove.compare import (
    ENCODING,
    QUESTIONS,
    UNBOUND,
    Comparison,
    Finding,
    Table,
    Witness,
    all_strict,
    relation,
)
from scalegate.prove.formula import holds
from scalegate.prove.permits import STRENGTH, WHOLE, Reading
from scalegate.prove.symbols import Key, RoleRule, Value, Variable
from scalegate.prove.tried import refuting
from scalegate.prove.variables import Variables

SCHEMA = "scalegate/comparison/v1"
# What reading a document that somebody else wrote may end in, all of which mean that it is none.
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
_NUMBER = re.compile(r"-?[0-9]{1,999}(?:/[0-9]{1,999})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of checking a certificate: what is wrong with it, and what could not be checked.

    `derived` is whether its questions were derived again; nothing is known of those that another version wrote.
    """

    wrong: tuple[str, ...]
    unchecked: tuple[str, ...]
    replayed: int
    derived: bool = True


@dataclass(frozen=True, slots=True)
class _Told:
    """One finding, as a document tells it."""

    questions: tuple[str, ...]
    backward: bool
    strict: bool | None
    query: str
    witness: object


# ---------------------------------------------------------------- writing


def plain(comparison: Comparison, first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading) -> Plain:
    """Return a comparison as plain data, for JSON."""
    findings: list[Plain] = []
    for direction, found in (("forward", comparison.forward), ("backward", comparison.backward)):
        findings += [finding_plain(comparison.variables, item, direction) for item in found]
    return {
        "schema": SCHEMA,
        "encoding": ENCODING,
        "first": [_policy(kernel) for kernel in first],
        "second": [_policy(kernel) for kernel in second],
        "about": reading.about,
        "weakest": reading.weakest,
        "bound": reading.bound,
        "filled": reading.filled,
        "relation": comparison.relation,
        "assumes": [*ASSUMED],
        "findings": findings,
    }


def _policy(kernel: Kernel) -> Plain:
    return {"id": kernel.id, "version": kernel.version, "digest": kernel.digest}


def finding_plain(variables: Variables, item: Finding, direction: str) -> Plain:
    """Return one finding as plain data."""
    return {
        "direction": direction,
        "questions": [*item.questions],
        "strict": item.strict,
        "core": [*item.core],
        "query": item.query,
        "solvers": [f"{one.solver} {one.version}: {one.status}" for one in item.opinions],
        "why": item.why,
        "witness": None if item.witness is None else witness_plain(variables, item.witness),
    }


def witness_plain(variables: Variables, witness: Witness) -> Plain:
    """Return a situation as plain data: what is not nominal in it, and what both sides say."""
    keys = {variable.name: key_text(variable.key) for variable in variables}
    situation: dict[str, Plain] = {keys[name]: value_text(value) for name, value in witness.values.items()}
    return {
        "question": witness.question,
        "situation": dict(sorted(situation.items())),
        "held by": [part for judged in witness.held for part in judged.held_by],
    }


def key_text(key: Key) -> str:
    """Return what a variable is as text, the same whoever met it first."""
    return " | ".join(_part(part) for part in key)


def _part(part: object) -> str:
    match part:
        case RoleRule():
            apart = ",".join(sorted(part.independent_of))
            members = ",".join(sorted(part.members))
            who = f"role {part.name or 'anybody'} quorum {part.quorum} apart from [{apart}] members [{members}]"
            return f"{who} denials {part.spare}" if part.spare else who
        case tuple():
            return ",".join(_part(item) for item in part)
        case bool():
            return "yes" if part else "no"
        case _:
            return str(part)


def value_text(value: Value) -> str:
    """Return an exact value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


# ---------------------------------------------------------------- checking


def replay(document: Mapping[str, object], first: Sequence[Kernel], second: Sequence[Kernel]) -> Replayed:
    """Check a certificate against the policies it names.

    Args:
        document: what `plain` returned, read back from JSON.
        first: the policies of its first side.
        second: those of its second side.
    """
    try:
        return _replay(document, first, second)
    except MALFORMED as error:
        return Replayed((f"it is no certificate of a comparison ({type(error).__name__})",), (), 0)


def _replay(document: Mapping[str, object], first: Sequence[Kernel], second: Sequence[Kernel]) -> Replayed:
    wrong: list[str] = []
    unchecked: list[str] = []
    replayed = 0
    if document["schema"] != SCHEMA:
        return Replayed((f"its schema is not {SCHEMA}",), (), 0)
    for side, kernels in (("first", first), ("second", second)):
        if document[side] != [_policy(kernel) for kernel in kernels]:
            wrong.append(f"its {side} side is not the one it is checked against")
    told = _told(document)
    wrong += _sum(document, told)
    derived = _encoding(document) == ENCODING
    if not derived:
        unchecked.append("whether its questions are those of these policies: another version of scalegate wrote it")
    table = Table(first, second, _reading(document), tuple(name for item in told for name in item.questions))
    asked = {
        (name, backward): table.queries(key, backward=backward)
        for key, names in table.groups.items()
        for name in names
        for backward in (False, True)
    }
    for item in told:
        names = ", ".join(item.questions)
        if derived and any(item.query not in asked[name, item.backward] for name in item.questions):
            wrong.append(f"the question about {names} is not the one that these policies raise")
        if item.strict and not item.backward and any(refuting(table, name) for name in _apart(table, item)):
            wrong.append(f"a simple situation answers the question about {names}: what was permitted is held")
        elif item.strict and (item.query or not derived):
            unchecked.append(f"that no situation answers the question about {names}: that takes a solver")
        elif item.strict is None:
            unchecked.append(f"the question about {names}: nobody could answer it")
        elif item.strict is False:
            replayed += 1
            wrong += _rerun(table, mapped(item.witness), item.questions, backward=item.backward)
    return Replayed(tuple(wrong), tuple(unchecked), replayed, derived)


def _apart(table: Table, item: _Told) -> list[str]:
    """Return one question of each kind that a finding is about: those of one kind come to the same."""
    return [
        asked[0] for names in table.groups.values() if (asked := [name for name in item.questions if name in names])
    ]


def _told(document: Mapping[str, object]) -> list[_Told]:
    """Return the findings of a document; each question is answered once in each direction."""
    found: list[_Told] = []
    seen: set[tuple[str, object]] = set()
    for item in map(mapped, listed(document["findings"])):
        questions, strict, query = listed(item["questions"]), item["strict"], item["query"]
        known = [name for name in (*QUESTIONS, UNBOUND) if name in questions]
        backward = {"forward": False, "backward": True}[str(item["direction"])]
        if not known or len(known) != len(questions) or not (strict is None or isinstance(strict, bool)):
            raise ValueError("no finding")
        if not isinstance(query, str) or any((name, backward) in seen for name in known):
            raise ValueError("a question that is answered twice, or was none")
        seen |= {(name, backward) for name in known}
        found.append(_Told(tuple(known), backward, strict, query, item["witness"]))
    return found


def _reading(document: Mapping[str, object]) -> Reading:
    """Return which part of the policies a document is about."""
    about, bound, filled = document["about"], document["bound"], document["filled"]
    if not isinstance(about, str) or not isinstance(bound, bool) or not isinstance(filled, bool):
        raise TypeError("no reading")
    return Reading(about, _weakest(document["weakest"]), filled=filled, bound=bound)


def _encoding(document: Mapping[str, object]) -> int:
    """Return with which version of the questions a document was written."""
    number = document["encoding"]
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise TypeError("no encoding")
    return number


def narrowed(document: Mapping[str, object], reading: Reading = WHOLE) -> list[str]:
    """Return what a document leaves out of what two sides promise: aspects, situations, or questions.

    Args:
        document: what `plain` returned, read back from JSON.
        reading: what it has to be about.
    """
    try:
        asked = {(name, item.backward) for item in _told(document) for name in item.questions}
        partial = _reading(document) != reading
    except MALFORMED as error:
        return [f"it is no certificate of a comparison ({type(error).__name__})"]
    found = ["it is about a part of what the texts promise, and not about all of it"] if partial else []
    left_out = [name for name in (*QUESTIONS, UNBOUND) if not {(name, False), (name, True)} <= asked]
    return found + ([f"it does not ask about {', '.join(left_out)}"] if left_out else [])


def at_least_as_strict(document: Mapping[str, object]) -> bool | None:
    """Return whether a certificate says that its first side is at least as strict; None where nobody can tell."""
    answers = [item.strict for item in _told(document) if not item.backward]
    return all_strict(answers) if answers else None


def _sum(document: Mapping[str, object], told: Sequence[_Told]) -> list[str]:
    """Return what is wrong with what a document says of its findings as a whole."""
    asked = [{name for item in told if item.backward is way for name in item.questions} for way in (False, True)]
    if asked[0] != asked[1] or not asked[0]:
        return ["it does not ask the same of both sides"]
    answers = [[item.strict for item in told if item.backward is way] for way in (False, True)]
    one, two = map(all_strict, answers)
    said = document["relation"]
    return [] if relation(one, two) == said else [f"its findings do not make the first side {said!s:.40}"]


def _rerun(table: Table, witness: Mapping[str, object], names: Sequence[str], *, backward: bool) -> list[str]:
    """Return what is wrong with a situation that is said to tell the sides apart."""
    question = str(witness["question"])
    if question not in names:
        return [f"the situation about {question:.80} is not about {names[0]}"]
    held, wrong = restaged(table, witness, backward=backward)
    if not wrong and not held:
        return [f"the situation about {question} is permitted by the side that is said to hold it"]
    return wrong


def restaged(table: Table, witness: Mapping[str, object], *, backward: bool) -> tuple[tuple[str, ...], list[str]]:
    """Return what holds in a situation that one side is said to permit, and what is wrong with the situation.

    Args:
        table: both sides.
        witness: the situation, as `witness_plain` wrote it.
        backward: whether the second side is the one that is said to permit.
    """
    question = str(witness["question"])
    if not any(question in names for names in table.groups.values()):
        return (), [f"the situation about {question:.80} is about something that nobody asked"]
    known = {key_text(variable.key): variable for variable in table.variables}
    values: dict[str, Value] = {}
    for words, value in mapped(witness["situation"]).items():
        variable = known.get(words)
        if variable is None:
            return (), [f"the situation about {question} speaks of something that neither side reads"]
        values[variable.name] = _value(variable, value)
    complete = {**table.variables.nominal, **values}
    if not all(holds(law, complete) for law in (*table.variables.laws(), *table.begins)):
        return (), [f"the situation about {question} contradicts itself"]
    permitting, holding = reversed(table.sides) if backward else table.sides
    if not permitting.permits(question, complete):
        return (), [f"the situation about {question} is held by the side that is said to permit it"]
    held = tuple(part for item in holding.judged(question, complete) for part in item.held_by)
    told = list(held) == listed(witness["held by"])
    return held, [] if told else [f"in the situation about {question} something else holds than it says"]


def _value(variable: Variable, value: object) -> Value:
    """Return a value as `value_text` wrote it, and in no other way: an exponent would be a number without end."""
    if variable.unit == "flag":
        return {"yes": True, "no": False}[str(value)]
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError("no value")
    return Fraction(value)


def listed(value: object) -> Sequence[object]:
    """Return a list of a document.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, list | tuple):
        raise TypeError("no list")
    return value


def mapped(value: object) -> Mapping[str, object]:
    """Return a mapping of a document.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, Mapping):
        raise TypeError("no mapping")
    return value


def _weakest(value: object) -> Modality:
    for item in STRENGTH:
        if item == value:
            return item
    raise ValueError("no modality")
