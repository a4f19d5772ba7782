"""Is one policy at least as strict as another? Answered for every situation, action by action.

A is at least as strict as B where B permits everything that A permits. The solver looks for a situation in which A
permits and B does not. None: proved, and the answer names the parts of A that the proof rests on. One: it is made as
small as it gets, and replayed by the gate's interpreter before anybody sees it; one that does not replay is no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.actions import HARDER
from scalegate.core.kernel import Kernel
from scalegate.core.ports import Solver
from scalegate.prove.ask import LIMIT, Answer, Opinion, Script, ask
from scalegate.prove.formula import AtMost, Flag, Formula, every, holds, neg, some, text
from scalegate.prove.minimal import Test, detailed, smallest, without_details
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import WHOLE, Permission, Permits, Reading
from scalegate.prove.situation import Judged, Replay
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables

# What is asked about besides actions: going on with something overdue, and not being bound at all.
SILENCE, UNBOUND = "going on with nothing reported", "not being bound"
QUESTIONS: tuple[str, ...] = (*HARDER, SILENCE)
# Counted up whenever the same policies raise another script than before.
ENCODING = 2

Relation: TypeAlias = Literal["equivalent", "stricter", "weaker", "incomparable", "undecided"]


@dataclass(frozen=True, slots=True)
class Witness:
    """A situation in which one side permits what the other holds, replayed by the gate's interpreter.

    Attributes:
        question: the action, or one of the other questions.
        values: what is not nominal in it, by variable.
        permitted, held: what the two sides say.
        gate: what the whole gate said of a history in which this is so; empty where it was not asked.
    """

    question: str
    values: Mapping[str, Value]
    permitted: tuple[Judged, ...]
    held: tuple[Judged, ...]
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one side permits at most what the other does, for questions that come to the same.

    Attributes:
        questions: what is asked about.
        strict: True proved, False refuted by `witness`, None undecided.
        core: the parts of the stricter side that a proof rests on.
        opinions: who was asked.
        query: digest of the script; empty where both sides say the same word for word.
        why: why nothing is decided.
    """

    questions: tuple[str, ...]
    strict: bool | None
    witness: Witness | None = None
    core: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    query: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides compared both ways: `forward` says whether the first is at least as strict, `backward` the second."""

    variables: Variables
    forward: tuple[Finding, ...]
    backward: tuple[Finding, ...]

    @property
    def relation(self) -> Relation:
        """How the first side stands to the second: `stricter` where it is at least as strict and not the reverse."""
        return relation(*(all_strict([item.strict for item in way]) for way in (self.forward, self.backward)))

    def of(self, question: str) -> Relation:
        """How the first side stands to the second on one question."""
        one = next((item.strict for item in self.forward if question in item.questions), True)
        two = next((item.strict for item in self.backward if question in item.questions), True)
        return relation(one, two)


def relation(forward: bool | None, backward: bool | None) -> Relation:  # noqa: FBT001 - two answers, in order
    """Return the relation of two sides from the two answers."""
    if forward is False and backward is False:
        return "incomparable"
    if forward is None or backward is None:
        return "undecided"
    if forward and backward:
        return "equivalent"
    return "stricter" if forward else "weaker"


def all_strict(answers: Collection[bool | None]) -> bool | None:
    """Return whether one side is at least as strict on every question; one refutation outweighs what is undecided."""
    if False in answers:
        return False
    return None if None in answers else True


class Side:
    """Policies that bind together: the strictest wins."""

    def __init__(self, variables: Variables, kernels: Sequence[Kernel], reading: Reading = WHOLE) -> None:
        """Read some policies over variables that the other side shares."""
        self.kernels = tuple(kernels)
        self._permits = [Permits(variables, kernel, reading) for kernel in kernels]
        self._replays = [Replay(variables, kernel, reading) for kernel in kernels]
        self._labels = _labels(self.kernels)

    def permission(self, question: str) -> dict[str, Formula]:
        """Return what has to be true for the side to permit, by name."""
        found: dict[str, Formula] = {}
        for permits, label in zip(self._permits, self._labels, strict=True):
            one = permission(permits, question)
            found.update({f"{label}{name}": part for name, part in one.needs.items()})
        return found

    def unbound(self) -> Formula:
        """Return that some policy of the side does not bind."""
        return some(permits.unbound().unbound for permits in self._permits)

    def judged(self, question: str, values: Mapping[str, Value]) -> tuple[Judged, ...]:
        """Return what the gate's interpreter says of each policy of the side."""
        return tuple(_judged(replay, question, values) for replay in self._replays)

    def permits(self, question: str, values: Mapping[str, Value]) -> bool:
        """Return whether the gate's interpreter says that every policy of the side permits."""
        return all(item.permits for item in self.judged(question, values))


def _labels(kernels: Sequence[Kernel]) -> list[str]:
    """Return what the parts of each policy are told apart by: an amendment has the name of the text it amends."""
    if len(kernels) < 2:
        return [""] * len(kernels)
    names = [kernel.id for kernel in kernels]
    return [
        f"{name}: " if names.count(name) == 1 else f"{name} ({place}): " for place, name in enumerate(names, start=1)
    ]


def permission(permits: Permits, question: str) -> Permission:
    """Return what one policy permits of a question."""
    if question == SILENCE:
        return permits.silence()
    return permits.unbound() if question == UNBOUND else permits.action(question)


def _judged(replay: Replay, question: str, values: Mapping[str, Value]) -> Judged:
    if question == SILENCE:
        return replay.silence(values)
    return replay.unbound(values) if question == UNBOUND else replay.action(question, values)


@dataclass(frozen=True, slots=True)
class Solvers:
    """Who is asked: one solver, and a second for its opinion where there is one."""

    first: Solver
    second: Solver | None = None
    limit: int = LIMIT

    def ask(self, script: Script) -> Answer:
        """Return what they say to a question."""
        return ask(script, self.first, self.second, self.limit)


def compare(
    first: Sequence[Kernel],
    second: Sequence[Kernel],
    solvers: Solvers,
    reading: Reading = WHOLE,
    questions: Sequence[str] = QUESTIONS,
) -> Comparison:
    """Compare two sides, each of policies that bind together.

    Args:
        first: policies of the first side.
        second: policies of the second.
        solvers: who is asked.
        reading: which part of both is asked about.
        questions: actions, `SILENCE` and `UNBOUND`.
    """
    table = Table(first, second, reading, questions)
    return Comparison(
        table.variables,
        tuple(table.ways(solvers, backward=False)),
        tuple(table.ways(solvers, backward=True)),
    )


class _Written:
    """What has to be true for a side to permit, by name, and each part of it as text."""

    def __init__(self, parts: dict[str, Formula]) -> None:
        self.parts, self.texts = parts, {name: text(part) for name, part in parts.items()}


class Table:
    """Two sides over the same variables, with the questions that come to the same taken together."""

    def __init__(
        self, first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading, questions: Sequence[str]
    ) -> None:
        """Write down what both sides permit; the order of the questions is always the same."""
        self.variables = Variables()
        self.sides = (Side(self.variables, first, reading), Side(self.variables, second, reading))
        self.kernels = (*first, *second)
        self.groups: dict[object, list[str]] = {}
        self._written: dict[object, tuple[_Written, _Written]] = {}
        for question in (name for name in (*QUESTIONS, UNBOUND) if name in questions):
            one, two = (_Written(side.permission(question)) for side in self.sides)
            key = (tuple(one.texts.items()), tuple(two.texts.items()))
            self.groups.setdefault(key, []).append(question)
            self._written.setdefault(key, (one, two))
        bound = tuple(neg(side.unbound()) for side in self.sides) if reading.bound else ()
        uneventful(self.variables, self.kernels)
        self.begins = (*in_force(self.variables, self.kernels), *bound)
        # Replays may look at more than the questions do; what is asked stays what it is.
        self.frame = self.variables.ties
        self.laws = (*self.frame.laws, *self.begins)

    def ways(self, solvers: Solvers, *, backward: bool) -> Iterator[Finding]:
        """Yield the findings of one direction: is the first side (`backward`: the second) at least as strict?"""
        asked = dict(self._asked(backward=backward))
        answers = self._together(asked, solvers)
        for key, names in self.groups.items():
            questions = tuple(names)
            if key not in asked:
                strict, loose = self._ordered(key, backward=backward)
                yield Finding(questions, strict=True, core=tuple(_same(strict, loose)))
                continue
            answer = answers.get(key)
            if answer is None:
                answer = solvers.ask(asked[key].script(self))
            if answer.status == "unsat":
                yield Finding(questions, True, None, answer.core, answer.opinions, answer.query)
            elif answer.status == "unknown":
                yield Finding(questions, None, None, (), answer.opinions, answer.query, answer.why)
            else:
                yield self._refuted(questions, answer, asked[key].script(self), solvers, backward=backward)

    def queries(self, key: object, *, backward: bool) -> tuple[str, ...]:
        """Return the digests that the question of a group may have: of it alone, and of all together; or of none."""
        asked = dict(self._asked(backward=backward))
        if key not in asked:
            return ("",)
        alone = asked[key].script(self).digest()
        return (alone,) if len(asked) < 2 else (alone, together(self, [*asked.values()]).digest())

    def _ordered(self, key: object, *, backward: bool) -> tuple[_Written, _Written]:
        one, two = self._written[key]
        return (two, one) if backward else (one, two)

    def _asked(self, *, backward: bool) -> Iterator[tuple[object, Asked]]:
        """Yield what solvers have to be asked: groups where one side does not plainly ask for all of the other."""
        for key in self.groups:
            strict, loose = self._ordered(key, backward=backward)
            shared = {*strict.texts.values(), text(True)}
            broken = [neg(part) for name, part in loose.parts.items() if loose.texts[name] not in shared]
            if broken:
                yield key, Asked(strict.parts, strict.texts, some(broken))

    def _together(self, asked: Mapping[object, Asked], solvers: Solvers) -> dict[object, Answer]:
        """Return the answers that one question about all groups gives: a proof for all of them, or some situation."""
        if len(asked) < 2:
            return {}
        groups = [*asked.values()]
        answer = solvers.ask(together(self, groups))
        if answer.status == "unsat":
            return {key: replace(answer, core=item.core(groups, answer.core)) for key, item in asked.items()}
        if answer.status == "sat":
            return {key: answer for key, item in asked.items() if item.shown_by(answer.values)}
        return {}

    def _refuted(
        self, questions: tuple[str, ...], answer: Answer, script: Script, solvers: Solvers, *, backward: bool
    ) -> Finding:
        """Return the finding of a situation that a solver found: replayed, and made as small as it gets."""
        permitting, holding = reversed(self.sides) if backward else self.sides
        question, laws = questions[0], self.laws

        def stands(values: Mapping[str, Value]) -> bool:
            return permitting.permits(question, values) and not holding.permits(question, values)

        values = plainest(script, answer, laws, stands, solvers)
        if values is None:
            why = "a situation was found that the gate's interpreter does not confirm"
            return Finding(questions, None, None, (), answer.opinions, answer.query, why)
        witness = Witness(question, values, permitting.judged(question, values), holding.judged(question, values))
        return Finding(questions, False, witness, (), answer.opinions, answer.query)


def plainest(
    script: Script, answer: Answer, laws: Sequence[Formula], stands: Test, solvers: Solvers
) -> dict[str, Value] | None:
    """Return what is not nominal in a situation that reads well; None where no situation that was found replays.

    One that is told by a detail of how something was shown gives way to one without such details, if there is any.
    """
    variables = script.variables
    values = smallest(variables, answer.values, laws, stands)
    if values is None or not detailed(variables, values):
        return values
    plain = tuple(without_details(variables, script.concerned))
    again = solvers.ask(replace(script, others=(*script.others, *plain)))
    better = smallest(variables, again.values, laws, stands) if again.status == "sat" else None
    return values if better is None else better


@dataclass(frozen=True, slots=True)
class Asked:
    """What a group of questions asks: can all parts of one side be true, and `broken`, too?"""

    parts: dict[str, Formula]
    texts: dict[str, str]
    broken: Formula

    def script(self, table: Table) -> Script:
        """Return the question of this group alone."""
        others = (*table.begins, self.broken)
        return Script(table.variables, self.parts, others, texts=self.texts, frame=table.frame)

    def shown_by(self, values: Mapping[str, Value]) -> bool:
        """Whether a situation answers the question."""
        return holds(self.broken, values) and all(holds(part, values) for part in self.parts.values())

    def core(self, groups: Sequence[Asked], found: Sequence[str]) -> tuple[str, ...]:
        """Return the parts of this group that a proof about several groups rests on."""
        mine = {label: name for (name, words), label in labels(groups).items() if self.texts.get(name) == words}
        return tuple(mine[label] for label in found if label in mine)


def labels(groups: Sequence[Asked]) -> dict[tuple[str, str], str]:
    """Return a label for each different part of some groups, by its name and text."""
    found = dict.fromkeys((name, words) for item in groups for name, words in item.texts.items())
    return {part: f"{place} {part[0]}" for place, part in enumerate(found)}


def together(table: Table, groups: Sequence[Asked]) -> Script:
    """Return the question whether some group has an answer; a mark says which. What groups share is written once."""
    marks = tuple(f"group~{place}" for place in range(len(groups)))
    named: dict[str, Formula] = {}
    texts: dict[str, str] = {}
    for (name, words), label in labels(groups).items():
        having = [item.texts.get(name) == words for item in groups]
        part = next(item.parts[name] for item, has in zip(groups, having, strict=True) if has)
        named[label] = part
        texts[label] = words
        if not all(having):
            without = [neg(Flag(mark)) for mark, has in zip(marks, having, strict=True) if has]
            named[label] = some((every(without), part))
            texts[label] = f"(or {text(every(without))} {words})"
    asked = some(every((Flag(mark), item.broken)) for mark, item in zip(marks, groups, strict=True))
    others = (*table.begins, asked)
    return Script(table.variables, named, others, texts=texts, marks=marks, frame=table.frame)


def _same(strict: _Written, loose: _Written) -> Iterator[str]:
    shared = set(loose.texts.values())
    yield from (name for name, words in strict.texts.items() if words in shared)


def in_force(variables: Variables, kernels: Sequence[Kernel]) -> Iterator[Formula]:
    """Yield that it is a time at which all policies are in force."""
    now = variables.by_key.get(("now",))
    if now is not None:
        begin = max((kernel.effective for kernel in kernels), default=0)
        yield AtMost(((Fraction(-1), now.name),), Fraction(-begin))
