"""Public sentences about a policy, proved for every situation or refuted by one that the gate's interpreter replays.

A sentence says of some actions: in every situation in which one of them is permitted, and in which what the sentence is
about is so, what it asks for is so as well. `some model can be ...` says that there is a situation of the other kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scalegate.core.kernel import Kernel
from scalegate.prove.ask import Answer, Opinion, Script
from scalegate.prove.cases.case import variables_of
from scalegate.prove.claims.bind import Bound, Claim, Join, Judge, Lacking, Stated
from scalegate.prove.claims.grammar import doing
from scalegate.prove.compare import Side, Solvers, in_force
from scalegate.prove.enact.confirm import Confirmation, confirm
from scalegate.prove.formula import Formula, every, holds, neg, some
from scalegate.prove.minimal import smallest
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import WHOLE, Reading, opposed, stands
from scalegate.prove.situation import Judged, Replay
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables
from scalegate.prove.verdict import Way, verdicts
from scalegate.prove.views import Sight

# How the core of a proof names what the sentence itself is about.
ABOUT = "what the sentence is about"


@dataclass(frozen=True, slots=True)
class Shown:
    """A situation that the gate's interpreter confirmed.

    Attributes:
        action: what is permitted in it.
        values: what is not nominal in it, by variable.
        judged: what the interpreter says of each policy.
        gate: whether the whole gate says the same, on a history in which the situation comes about.
    """

    action: str
    values: Mapping[str, Value]
    judged: tuple[Judged, ...]
    gate: Confirmation


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a sentence is true of some policies.

    Attributes:
        text: the sentence.
        means: what it says, at length.
        true: proved, refuted, or None where nobody can say.
        shown: the situation that refutes it, or that shows what it says there is.
        empty: whether it is true only because nothing that it is about is ever permitted, or ever comes about.
        hollow: why it is true for another reason than it seems to give; may be empty.
        ways: of a hold, every path by which it could be lifted, and who is needed.
        core: the parts of the policies that a proof rests on.
        opinions: who was asked.
        queries: digests of the scripts.
        why: why nothing is known, or by which way a hold can be lifted.
        variables: what its situation is made of.
    """

    text: str
    means: str
    true: bool | None
    shown: Shown | None = None
    empty: bool = False
    hollow: str = ""
    ways: tuple[str, ...] = ()
    core: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    queries: tuple[str, ...] = ()
    why: str = ""
    variables: Variables | None = None


def check(bound: Bound, kernels: Sequence[Kernel], solvers: Solvers, reading: Reading = WHOLE) -> Checked:
    """Return whether a sentence is true of policies that bind together.

    Args:
        bound: the sentence, as it was read about these policies.
        kernels: the policies.
        solvers: who is asked.
        reading: which part of the policies counts.
    """
    if bound.sentence.mode == "lift":
        return _lifted(bound, kernels, solvers)
    return _Question(bound, kernels, solvers, reading).answer()


def refutes(bound: Bound, kernels: Sequence[Kernel], values: Mapping[str, Value], variables: Variables) -> bool:
    """Whether a situation refutes a sentence, or shows what it says there is, as the gate's interpreter judges it.

    Args:
        bound: the sentence.
        kernels: the policies.
        values: the situation.
        variables: what it is made of; what the sentence asks besides is nominal.
    """
    judging = _Judging(
        bound, Side(variables, kernels), variables, [Replay(variables, kernel) for kernel in bound.kernels]
    )
    return any(judging.stands(action, values) for action in bound.sentence.actions)


def meaning(bound: Bound, kernels: Sequence[Kernel]) -> str:
    """Return what a sentence says, at length."""
    sentence = bound.sentence
    if sentence.mode == "lift":
        return (
            f"nothing that the developer alone can sign lifts the hold {sentence.name}; outside is a role that the "
            "policy keeps the developer out of, whoever fills it"
        )
    ids = " and ".join(kernel.id for kernel in kernels)
    where = [f"{' or '.join(sentence.actions)} is permitted"]
    if sentence.context:
        where.append(f"the context is {sentence.context}")
    if sentence.bound:
        where.append(f"{ids} binds")
    if bound.given is not None:
        where.append(words(bound.given))
    about = " and ".join(where)
    if sentence.mode == "some":
        lacking = f", and it is not so that {words(bound.need)}" if bound.need is not None else ""
        return f"there is a situation in which {about}{lacking}"
    if bound.need is None:
        return f"there is no situation in which {about}"
    return f"in every situation in which {about}: {words(bound.need)}"


def words(claim: Claim) -> str:
    """Return what a part of a sentence says."""
    match claim:
        case Join(word=word, parts=parts):
            each = (f"({words(part)})" if isinstance(part, Lacking) else words(part) for part in parts)
            return f"({f' {word} '.join(each)})"
        case Lacking(part=part):
            return f"it is not so that {words(part)}"
        case _:
            return claim.words


class _Judging:
    """Judges by the gate's interpreter whether a situation shows what a sentence is asked about by."""

    def __init__(self, bound: Bound, side: Side, variables: Variables, replays: Sequence[Replay]) -> None:
        self.bound, self.side, self.variables, self.replays = bound, side, variables, replays

    def stands(self, action: str, values: Mapping[str, Value]) -> bool:
        """Whether an action is permitted there, what the sentence is about is so, and what it asks for is not."""
        sentence, given, need = self.bound.sentence, self.bound.given, self.bound.need
        judged = self.side.judged(action, values)
        if not all(item.permits for item in judged) or (sentence.bound and not all(item.binds for item in judged)):
            return False
        if sentence.context:
            flag = self.variables.flag("context", sentence.context, nominal=False)
            if not self._so(flag, values):
                return False
        if given is not None and not self._judged(given, action, values):
            return False
        return need is None or not self._judged(need, action, values)

    def _judged(self, claim: Claim, action: str, values: Mapping[str, Value]) -> bool:
        match claim:
            case Judge(policy=policy, condition=condition, comes=comes, so=so):
                return (self.replays[policy].condition(action, condition, values) == comes) is so
            case Stated(formula=formula):
                return self._so(formula(self.variables), values)
            case Lacking(part=part):
                return not self._judged(part, action, values)
            case Join(word=word, parts=parts):
                each = (self._judged(part, action, values) for part in parts)
                return all(each) if word == "and" else any(each)

    def _so(self, formula: Formula, values: Mapping[str, Value]) -> bool:
        return holds(formula, {**self.variables.nominal, **values})


class _Question:
    """One sentence, asked about action by action."""

    def __init__(self, bound: Bound, kernels: Sequence[Kernel], solvers: Solvers, reading: Reading) -> None:
        self.bound, self.kernels, self.solvers = bound, tuple(kernels), solvers
        # All of them, so that a situation in words means the same in a file of cases.
        self.variables = variables_of(kernels)
        self.side = Side(self.variables, kernels, reading)
        self.reading = reading
        replays = [Replay(self.variables, kernel, reading) for kernel in bound.kernels]
        self.judging = _Judging(bound, self.side, self.variables, replays)
        self.asked = {action: self._written(action) for action in bound.sentence.actions}
        uneventful(self.variables, self.kernels)
        for action in self.asked:
            # Ends that the gate alone reads become variables, too.
            self.judging.stands(action, {})
        uneventful(self.variables, self.kernels)
        self.laws = (*self.variables.laws(), *in_force(self.variables, self.kernels))

    def answer(self) -> Checked:
        """Ask about every action: the first situation settles it."""
        sentence = self.bound.sentence
        found: list[Answer] = []
        for action, (permission, where, given, lacking) in self.asked.items():
            answer = self._ask({**permission, ABOUT: every((where, given))}, lacking)
            found.append(answer)
            if answer.status == "sat":
                return self._shown(action, answer, found)
        undecided = next((item.why for item in found if item.status == "unknown"), "")
        core = dict.fromkeys(part for item in found for part in item.core)
        true = None if undecided else sentence.mode != "some"
        checked = self._checked(true, found, core=tuple(core), why=undecided)
        if true is not True:
            return checked
        empty, hollow = self._hollow()
        return replace(checked, empty=empty, hollow=hollow)

    def _checked(
        self,
        true: bool | None,  # noqa: FBT001 - the answer
        found: Sequence[Answer],
        *,
        shown: Shown | None = None,
        core: tuple[str, ...] = (),
        why: str = "",
    ) -> Checked:
        opinions = tuple(dict.fromkeys(item for answer in found for item in answer.opinions))
        queries = tuple(answer.query for answer in found)
        text, means = self.bound.sentence.text, meaning(self.bound, self.kernels)
        return Checked(
            text,
            means,
            true,
            shown,
            core=core,
            opinions=opinions,
            queries=queries,
            why=why,
            variables=self.variables,
        )

    def _written(self, action: str) -> tuple[dict[str, Formula], Formula, Formula, Formula]:
        """Return that the action is permitted, where, of which model, and that what is asked for is lacking."""
        sentence = self.bound.sentence
        sights = [
            Sight(self.variables, kernel, action, adverse=True, filled=self.reading.filled)
            for kernel in self.bound.kernels
        ]
        permission = self.side.permission(action)
        given: Formula = True if self.bound.given is None else self._formula(self.bound.given, sights)
        where: list[Formula] = []
        if sentence.bound:
            where += [neg(stands(sight, sight.kernel.scope, permissive=False)) for sight in sights]
        if sentence.context:
            where.append(self.variables.flag("context", sentence.context, nominal=False))
        need = self.bound.need
        return permission, every(where), given, True if need is None else neg(self._formula(need, sights))

    def _formula(self, claim: Claim, sights: Sequence[Sight]) -> Formula:
        match claim:
            case Judge(policy=policy, condition=condition, comes=comes, so=so):
                way = stands if comes > 0 else opposed
                found = way(sights[policy], condition, permissive=True)
                return found if so else neg(found)
            case Stated(formula=formula):
                return formula(self.variables)
            case Lacking(part=part):
                return neg(self._formula(part, sights))
            case Join(word=word, parts=parts):
                together = every if word == "and" else some
                return together(self._formula(part, sights) for part in parts)

    # ------------------------------------------------------------ asking

    def _ask(self, named: dict[str, Formula], *others: Formula) -> Answer:
        script = Script(self.variables, named, (*in_force(self.variables, self.kernels), *others))
        return self.solvers.ask(script)

    def _hollow(self) -> tuple[bool, str]:
        """Return whether a true sentence is about nothing, and in words why it is true of more, or of nothing."""
        given, need, done = self.bound.given, self.bound.need, doing(self.bound.sentence.actions)
        asked = [({"where": where, **permit}, model, lack) for permit, where, model, lack in self.asked.values()]
        if given is not None and self._never({"model": model} for _, model, _ in asked):
            return True, f"there is no such model: in no situation {words(given)}"
        if need is not None and self._never({"lacking": lack} for _, _, lack in asked):
            return False, "it is so in every situation, whatever is permitted"
        if not (given is None and need is None) and self._never(permission for permission, _, _ in asked):
            there = " where the policy binds" if self.bound.sentence.bound else ""
            return need is not None, f"nothing is ever {done}{there}, whatever the model"
        if need is not None and self._never({**permission, "model": model} for permission, model, _ in asked):
            return True, "nothing that it is about is ever permitted"
        return False, ""

    def _never(self, cases: Iterable[dict[str, Formula]]) -> bool:
        """Whether none of these ever comes about."""
        return all(self._ask(case).status == "unsat" for case in cases)

    def _shown(self, action: str, answer: Answer, found: Sequence[Answer]) -> Checked:
        """Return what a situation shows: as small as it gets, and replayed."""
        values = smallest(self.variables, answer.values, self.laws, lambda known: self.judging.stands(action, known))
        if values is None:
            why = "a situation was found that the gate's interpreter does not confirm"
            return self._checked(None, found, why=why)
        # Once more from there: a number is rounder where others have been made round.
        values = smallest(self.variables, values, self.laws, lambda known: self.judging.stands(action, known)) or values
        judged = self.side.judged(action, values)
        gate = confirm(self.variables, tuple(zip(self.kernels, judged, strict=True)), values, action, self.reading)
        shown = Shown(action, values, judged, gate)
        return self._checked(self.bound.sentence.mode == "some", found, shown=shown)


# ---------------------------------------------------------------- who lifts a hold


def _lifted(bound: Bound, kernels: Sequence[Kernel], solvers: Solvers) -> Checked:
    """Return whether the developer alone can lift a hold, over every path."""
    name = bound.sentence.name
    found = [item for kernel in kernels for item in verdicts(kernel, solvers) if item.commitment == name]
    alone = [way for verdict in found for way in verdict.ways if way.alone]
    unsure = [way for verdict in found for way in verdict.ways if way.alone is None]
    text, means = bound.sentence.text, meaning(bound, kernels)
    ways = tuple(_told(way for verdict in found for way in verdict.ways))
    if alone:
        return Checked(text, means, true=False, why="; ".join(_told(alone)), ways=ways)
    if unsure:
        return Checked(text, means, true=None, why="; ".join(_told(unsure)), ways=ways)
    core = tuple(f"commitment {item.commitment}" for item in found)
    stopped = bool(found) and all(item.before == item.crossed == "stop" for item in found)
    hollow = "nobody at all can lift it by evidence, short of another policy" if stopped else ""
    return Checked(text, means, true=bool(found), empty=stopped, hollow=hollow, ways=ways, core=core)


def _told(ways: Iterable[Way]) -> Iterator[str]:
    yield from (f"{way.path}: {way.words}" for way in ways)
