"""Latches over time: does what is proved of every situation hold of every history?

Evidence arrives step by step; each crossing is latched, and no later result takes it away. Two policies may latch the
same measurement differently (another error, a wider reach), so that their latches drift apart. What relates them is a
simulation relation: an order between latches that every history begins with and every step keeps. With it a proof about
single situations is one about all times. Where no such order is enough, histories are searched step by step to a stated
depth, and nothing is claimed beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scalegate.core.kernel import Kernel
from scalegate.prove.ask import Opinion, Script
from scalegate.prove.compare import Side, Solvers, in_force
from scalegate.prove.formula import AtMost, Formula, at_most_times, every, neg, some
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import WHOLE, Reading
from scalegate.prove.symbols import Key, Value, Variable
from scalegate.prove.variables import Variables

DEPTH = 12


@dataclass(frozen=True, slots=True)
class OverTime:
    """What is known about two sides over all histories, for one question.

    Attributes:
        question: the action.
        strict: True for every history, False refuted by `history`, None unknown.
        depth: up to how many steps it is known; None for all.
        relation: the orders between latches that a proof for all times rests on.
        history: values step by step, of the latches and of what was measured; empty unless refuted.
        opinions: who was asked.
    """

    question: str
    strict: bool | None
    depth: int | None
    relation: tuple[tuple[str, str], ...]
    history: tuple[Mapping[str, Value], ...]
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True)
class Latch:
    """One latch: the worst adverse end that a policy has seen of a measurement, and the favorable end that it bars.

    `sign` is 1 where high scores are adverse, and -1 where low ones are.
    """

    key: Key
    end: Variable
    sign: int
    error: Fraction
    reach: tuple[bool, Fraction]

    @property
    def about(self) -> tuple[object, int]:
        """What is measured, and which side of it is adverse."""
        return self.key[1], self.sign


@dataclass(slots=True)
class _Model:
    """Both sides over one set of variables, with a latch for every measurement that each reads in `when`."""

    variables: Variables
    sides: tuple[Side, Side]
    latches: list[Latch] = field(default_factory=list)


def over_time(
    first: Sequence[Kernel],
    second: Sequence[Kernel],
    question: str,
    solvers: Solvers,
    reading: Reading = WHOLE,
    depth: int = DEPTH,
) -> OverTime:
    """Return whether the first side is at least as strict as the second in every history of evidence.

    Args:
        first: policies of the first side.
        second: policies of the second.
        question: the action asked about.
        solvers: who is asked.
        reading: which part of both is asked about.
        depth: how many steps of a history are searched where no proof for all times is found.
    """
    model = _model(first, second, reading)
    permitted, wanted = (every(side.permission(question).values()) for side in model.sides)
    model.latches = list(_latches(model.variables))
    uneventful(model.variables, (*first, *second))
    times = tuple(in_force(model.variables, (*first, *second)))
    relation = _inductive(model, solvers)
    # The laws between variables assert the orders between favorable ends, which follow from those between latches.
    script = Script(model.variables, {"first": permitted}, (*times, *_bars(model), *_orders(relation), neg(wanted)))
    answer = solvers.ask(script)
    shown = tuple((one.end.name, two.end.name) for one, two in relation)
    if answer.status == "unsat":
        return OverTime(question, True, None, shown, (), answer.opinions)
    if answer.status == "unknown":
        return OverTime(question, None, 0, shown, (), answer.opinions)
    return _search(model, question, (permitted, wanted, *times), solvers, depth)


def _model(first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading) -> _Model:
    variables = Variables()
    return _Model(variables, (Side(variables, first, reading), Side(variables, second, reading)))


def _latches(variables: Variables) -> Iterator[Latch]:
    """Yield a latch for each way in which some policy sees adverse evidence of a measurement in `when`."""
    ends = [item for item in variables if item.key[0] in ("high", "low") and item.key[2] == "when"]
    for end in ends:
        sign, (_, digest, _, _, reach, stopped, *_) = 1 if end.key[0] == "high" else -1, end.key
        # Of a kind of its own: what orders latches keep is proved below, and not taken for a law.
        key = ("latch", digest, "when", sign, stopped, reach)
        if key not in variables.by_key and isinstance(reach, tuple):
            variables.rate(*key, nominal=0 if sign > 0 else 1)
            yield Latch(key, variables.by_key[key], sign, Fraction(str(stopped)), reach)


def _bars(model: _Model) -> Iterator[Formula]:
    """Yield that a favorable end is never better than the latch behind it, of the same error and reach."""
    for latch in model.latches:
        for end in model.variables:
            kind = "high" if latch.sign > 0 else "low"
            if end.key[0] == kind and end.key[1:3] == latch.key[1:3] and end.key[4:6] == (latch.reach, latch.error):
                yield _worse(end.name, latch.end.name, latch.sign)


def _worse(one: str, two: str, sign: int) -> Formula:
    """Return that one end is at least as bad as another."""
    return at_most_times(two, 1, one) if sign > 0 else at_most_times(one, 1, two)


def _orders(relation: Sequence[tuple[Latch, Latch]]) -> Iterator[Formula]:
    for one, two in relation:
        yield _worse(one.end.name, two.end.name, one.sign)


# ---------------------------------------------------------------- the simulation relation


def _inductive(model: _Model, solvers: Solvers) -> list[tuple[Latch, Latch]]:
    """Return the largest set of orders between latches of one measurement that every step keeps.

    A step is any new result, of the model itself or of a relative. A latch with a larger error of a wrong stop, or a
    wider reach, sees at least as bad an end of it; nothing is assumed between others. Candidates that a step can break
    are dropped until none is left that can (the largest inductive subset).
    """
    kept = [(one, two) for one in model.latches for two in model.latches if one is not two and one.about == two.about]
    while True:
        broken = [pair for pair in kept if not _kept(pair, kept, solvers)]
        if not broken:
            return kept
        kept = [pair for pair in kept if pair not in broken]


def _kept(pair: tuple[Latch, Latch], assumed: Sequence[tuple[Latch, Latch]], solvers: Solvers) -> bool:
    """Whether one step from related latches leaves a pair related: new = max(old, what the new result shows)."""
    variables = Variables()
    names: dict[Latch, tuple[str, str, str]] = {}
    for one, two in (*assumed, pair):
        for latch in (one, two):
            if latch not in names:
                names[latch] = tuple(  # type: ignore[assignment]  # three names each
                    variables.rate(word, latch.key, nominal=0) for word in ("old", "seen", "new")
                )
    given: list[Formula] = [_worse(names[one][0], names[two][0], one.sign) for one, two in assumed]
    for latch, (old, seen, new) in names.items():
        given += _latched(old, seen, new, latch.sign)
        given += [
            _worse(seen, names[other][1], latch.sign)
            for other in names
            if other is not latch and other.about == latch.about and _sees_more(latch, other)
        ]
    one, two = pair
    broken = neg(_worse(names[one][2], names[two][2], one.sign))
    script = Script(variables, {}, (*given, broken))
    return solvers.ask(script).status == "unsat"


def _sees_more(one: Latch, two: Latch) -> bool:
    """Whether a latch sees at least as bad an end of every result as another does."""
    return one.error >= two.error and one.reach[0] >= two.reach[0] and one.reach[1] >= two.reach[1]


def _latched(old: str, seen: str, new: str, sign: int) -> tuple[Formula, ...]:
    """Return that a new latch is the worse of the old one and of what was seen."""
    worst = some((_worse(old, new, sign), _worse(seen, new, sign)))
    return _worse(new, old, sign), _worse(new, seen, sign), worst


# ---------------------------------------------------------------- histories, step by step


def _search(model: _Model, question: str, asked: tuple[Formula, ...], solvers: Solvers, depth: int) -> OverTime:
    """Search histories for one that the first side permits at its end and the second does not."""
    permitted, wanted, *times = asked
    opinions: tuple[Opinion, ...] = ()
    for steps in range(1, depth + 1):
        history = Variables()
        history.by_key, history.nominal = dict(model.variables.by_key), dict(model.variables.nominal)
        names = {
            latch: [
                (history.rate("seen", step, latch.key, nominal=0), history.rate("after", step, latch.key, nominal=0))
                for step in range(steps)
            ]
            for latch in model.latches
        }
        given = [*times, *_bars(model), *_steps(names)]
        answer = solvers.ask(Script(history, {"first": permitted}, (*given, neg(wanted))))
        opinions = answer.opinions
        if answer.status == "sat":
            told = tuple(
                {name: answer.values[name] for pairs in names.values() for name in pairs[step]} for step in range(steps)
            )
            return OverTime(question, False, steps, (), told, opinions)
        if answer.status == "unknown":
            return OverTime(question, None, steps - 1, (), (), opinions)
    return OverTime(question, None, depth, (), (), opinions)


def _steps(names: Mapping[Latch, list[tuple[str, str]]]) -> Iterator[Formula]:
    """Yield how latches come about: nothing before the first step, then the worse of what was and what is seen."""
    for latch, pairs in names.items():
        for step, (seen, after) in enumerate(pairs):
            if step:
                yield from _latched(pairs[step - 1][1], seen, after, latch.sign)
            else:
                yield AtMost(((Fraction(1), seen), (Fraction(-1), after)), Fraction(0))
                yield AtMost(((Fraction(1), after), (Fraction(-1), seen)), Fraction(0))
            for other, others in names.items():
                if other is not latch and other.about == latch.about and _sees_more(latch, other):
                    yield _worse(seen, others[step][0], latch.sign)
        last = pairs[-1][1]
        yield at_most_times(latch.end.name, 1, last)
        yield at_most_times(last, 1, latch.end.name)
