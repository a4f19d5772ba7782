"""A question as an SMT-LIB script, asked of one solver and then of a second; read back from what they print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Literal, TypeAlias

from scalegate.core.canonical import digest_bytes
from scalegate.core.ports import Solver
from scalegate.prove.formula import Formula, names, text
from scalegate.prove.symbols import Value, Variable
from scalegate.prove.variables import Ties, Variables

Status: TypeAlias = Literal["sat", "unsat", "unknown"]

# Linear arithmetic over truth values is decidable: the limit is for the machine, not for the question.
LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one solver said."""

    solver: str
    version: str
    status: Status


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a question.

    Attributes:
        status: `sat`, `unsat`, or `unknown` where a solver gave up, or two of them disagree.
        values: values of all variables, where the status is `sat`.
        core: names of the assertions that an `unsat` rests on.
        opinions: who was asked, and said what.
        query: digest of the script.
        why: why nothing is known; empty otherwise.
    """

    status: Status
    values: Mapping[str, Value]
    core: tuple[str, ...]
    opinions: tuple[Opinion, ...]
    query: str
    why: str = ""


@dataclass(frozen=True)
class Script:
    """A question: is there a situation in which all assertions are true?

    It is written over what it speaks of and what laws tie to that, and nothing else.

    Attributes:
        variables: what situations are made of; their laws are asserted first.
        named: assertions that an answer may name, by their names.
        others: assertions without a name.
        words: what is written above it.
        texts: the texts of named assertions, for whoever wrote them already.
        marks: flags of its own, which are no part of a situation.
        frame: what was tied together when the question arose; whatever is tied now, where it is None.
    """

    variables: Variables
    named: Mapping[str, Formula]
    others: tuple[Formula, ...] = ()
    words: Sequence[str] = field(default_factory=tuple)
    texts: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    frame: Ties | None = None

    def body(self) -> str:
        """Return the declarations and assertions."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"; {word}" for word in self.words)
        yield "(set-option :produce-models true)"
        yield "(set-option :produce-unsat-cores true)"
        yield "(set-logic QF_LRA)"
        for variable in self.concerned:
            yield f"(declare-const {variable.name} {'Bool' if variable.unit == 'flag' else 'Real'})"
        yield from (f"(declare-const {mark} Bool)" for mark in self.marks)
        for words in (*self._ties.texts(self._groups), *map(text, self.others)):
            yield f"(assert {words})"
        for number, (name, formula) in enumerate(self.named.items()):
            yield f"(assert (! {self.texts.get(name) or text(formula)} :named a{number}))"

    @cached_property
    def _ties(self) -> Ties:
        return self.frame or self.variables.ties

    @cached_property
    def _groups(self) -> set[str]:
        """Return the groups of variables that the question is about."""
        ties = self._ties
        asked = {ties.group(name) for formula in (*self.named.values(), *self.others) for name in names(formula)}
        return asked | ties.unsettled

    @cached_property
    def concerned(self) -> list[Variable]:
        """The variables that the question is about, or that laws tie to those."""
        ties, groups = self._ties, self._groups
        known = islice(self.variables, ties.count)
        return [variable for variable in known if ties.group(variable.name) in groups]

    def full(self) -> str:
        """Return the whole script; its digest is what a certificate names."""
        return f"{self.body()}\n(check-sat)\n"

    def digest(self) -> str:
        """Return the digest of the script."""
        return digest_bytes(self.full().encode())

    def after(self) -> dict[str, str]:
        """Return what is asked next, by the answer."""
        found = " ".join(variable.name for variable in self.concerned)
        return {"sat": f"(get-value ({found}))" if found else "", "unsat": "(get-unsat-core)"}


def ask(script: Script, solver: Solver, second: Solver | None = None, limit: int = LIMIT) -> Answer:
    """Return what solvers say to a question; where two are asked and disagree, nothing is known."""
    words, after = script.full(), script.after()
    query = digest_bytes(words.encode())
    answer = _read(script, solver.run(words, after, limit))
    opinions = [Opinion(solver.name, solver.version, answer[0])]
    if second is not None:
        other = _read(script, second.run(words, after, limit))
        opinions.append(Opinion(second.name, second.version, other[0]))
        if {answer[0], other[0]} == {"sat", "unsat"}:
            why = f"{solver.name} and {second.name} disagree: {answer[0]} and {other[0]}"
            return Answer("unknown", {}, (), tuple(opinions), query, why)
        # Either proof will do: the one that names fewer assertions, where the first solver had any.
        if answer[0] == "unknown" or (other[0] == "unsat" and 0 < len(other[2]) < len(answer[2])):
            answer = other
    status, values, core = answer
    why = "no solver decided it in time" if status == "unknown" else ""
    return Answer(status, values, core, tuple(opinions), query, why)


# ---------------------------------------------------------------- what solvers print

_Tree: TypeAlias = "str | list[_Tree]"


def _read(script: Script, printed: str) -> tuple[Status, dict[str, Value], tuple[str, ...]]:
    """Return status, values and core of a solver's output; anything unexpected is `unknown`."""
    try:
        trees = _trees(printed)
    except ValueError:
        return "unknown", {}, ()
    if not trees or trees[0] not in ("sat", "unsat"):
        return "unknown", {}, ()
    if trees[0] == "unsat":
        named = list(script.named)
        listed = trees[-1] if isinstance(trees[-1], list) else []
        core = [named[int(item[1:])] for item in listed if isinstance(item, str) and item[1:].isdigit()]
        return "unsat", {}, tuple(core)
    try:
        values = _values(script, trees[1] if len(trees) > 1 else [])
    except (ValueError, ZeroDivisionError):
        return "unknown", {}, ()
    return "sat", values, ()


def _values(script: Script, tree: _Tree) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for pair in tree:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError("no value")
        found[pair[0]] = pair[1] == "true" if pair[1] in ("true", "false") else _number(pair[1])
    if any(variable.name not in found for variable in script.concerned):
        raise ValueError("a variable without a value")
    # What the question does not concern is as in an uneventful situation.
    return {**script.variables.nominal, **found}


def _number(tree: _Tree) -> Fraction:
    if isinstance(tree, str):
        return Fraction(tree)
    match tree:
        case ["-", part]:
            return -_number(part)
        case ["/", above, below]:
            return _number(above) / _number(below)
        case _:
            raise ValueError("no number")


def _trees(printed: str) -> list[_Tree]:
    """Return the s-expressions of a text; strings and quoted symbols are single atoms."""
    root: list[_Tree] = []
    stack = [root]
    at, end = 0, len(printed)
    while at < end:
        sign = printed[at]
        if sign in '|"':
            stop = printed.find(sign, at + 1)
            if stop < 0:
                raise ValueError("a string without an end")
            stack[-1].append(printed[at + 1 : stop])
            at = stop + 1
        elif sign == "(":
            inner: list[_Tree] = []
            stack[-1].append(inner)
            stack.append(inner)
            at += 1
        elif sign == ")":
            if len(stack) == 1:
                raise ValueError("a closing parenthesis too many")
            stack.pop()
            at += 1
        elif sign.isspace():
            at += 1
        else:
            start = at
            while at < end and printed[at] not in '()|"' and not printed[at].isspace():
                at += 1
            stack[-1].append(printed[start:at])
    if len(stack) != 1:
        raise ValueError("a parenthesis is missing")
    return root
