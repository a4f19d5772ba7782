"""Sentences about given policies: every name looked up, and everything that could still mean two things refused.

What a sentence says of a model becomes conditions of the policy's own language, beside those that the policy has, so
that the same formulas are asked and the same interpreter of the gate replays them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from scalegate.core.diagnostic import Span
from scalegate.core.kernel import All, Commitment, Compare, Constant, Evaluation, Kernel
from scalegate.core.quantities import show_duration, show_rate
from scalegate.core.terms import Approved, Attested, Compute, Hole, Measure, Position, Shown, Term
from scalegate.policy.diagnose import quote, suggestion
from scalegate.prove.claims.grammar import doing, read_sentence
from scalegate.prove.claims.same import evaluation_identity, identity
from scalegate.prove.claims.tree import (
    AmbiguousError,
    Approval,
    At,
    AttestedBy,
    Beyond,
    Countersigned,
    Group,
    Measured,
    Named,
    Order,
    Part,
    Place,
    Scored,
    Sentence,
    UnclearError,
    Without,
)
from scalegate.prove.formula import Formula, at_most, every
from scalegate.prove.nominal import leaves
from scalegate.prove.symbols import rule_of
from scalegate.prove.variables import Variables
from scalegate.prove.views import directions
from scalegate.prove.wording.values import show

_NOWHERE: Final = Span("", 1, 1, 1, 1)
_OPPOSITE: Final[dict[Order, Order]] = {
    "above": "at most",
    "at least": "below",
    "below": "at least",
    "at most": "above",
}
_UPWARD: Final = ("above", "at least")


@dataclass(frozen=True, slots=True)
class Judge:
    """A condition that the gate's interpreter judges: that it is proven (1) or refuted (-1), or, unless `so`, not."""

    policy: int
    condition: Compare | Constant
    comes: Literal[1, -1]
    so: bool
    words: str


@dataclass(frozen=True, slots=True)
class Stated:
    """Something that no condition of the language says, as a formula over the variables of a situation."""

    policy: int
    formula: Callable[[Variables], Formula]
    words: str


@dataclass(frozen=True, slots=True)
class Join:
    """Parts of which all are so (`and`), or one (`or`)."""

    word: Literal["and", "or"]
    parts: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """A part that is not so."""

    part: Claim


Claim: TypeAlias = Judge | Stated | Join | Lacking


@dataclass(frozen=True, slots=True)
class Bound:
    """A sentence about given policies.

    Attributes:
        sentence: what was read; of a crossing, the sentence that it stands for.
        kernels: the policies, with the conditions of the sentence beside their own.
        given: what it is about; None for every model.
        need: what it asks for; None where it asks for nothing.
    """

    sentence: Sentence
    kernels: tuple[Kernel, ...]
    given: Claim | None
    need: Claim | None


@dataclass(slots=True)
class _Added:
    """What a sentence adds to one policy."""

    kernel: Kernel
    terms: list[Term] = field(default_factory=list)
    conditions: list[Compare] = field(default_factory=list)

    def compare(self, term: Term, order: Order, bound: Fraction) -> Compare:
        """Return a comparison of the policy's language, kept with it."""
        known = [*self.kernel.terms, *self.terms]
        if term not in known:
            self.terms.append(term)
            known.append(term)
        above, edge = order in _UPWARD, order in ("at least", "below")
        found = Compare(known.index(term), above, edge, bound.numerator, bound.denominator, "", _NOWHERE)
        self.conditions.append(found)
        return found

    def whole(self, actions: Collection[str]) -> Kernel:
        """Return the policy, in which a commitment of no name reads the conditions of the sentence."""
        when, until = Constant(proven=True, span=_NOWHERE), All(tuple(self.conditions), _NOWHERE)
        reads = Commitment("", (), frozenset(actions), when, until, declared_stop=True, span=_NOWHERE)
        terms = (*self.kernel.terms, *self.terms)
        return replace(self.kernel, terms=terms, commitments=(*self.kernel.commitments, reads))


def bind(text: str, kernels: Sequence[Kernel]) -> Bound:
    """Return what a sentence says about some policies that bind together.

    Raises:
        UnclearError: if it says nothing about them.
        AmbiguousError: if it could mean several things.
    """
    return _Binder(read_sentence(text), kernels).bound()


def readings(text: str, kernels: Sequence[Kernel], limit: int = 12) -> tuple[str, ...]:
    """Return the sentences that an ambiguous one could stand for, each of which means one thing."""
    found: dict[str, None] = {}
    todo, seen = [text], 0
    while todo and seen < 4 * limit and len(found) < limit:
        sentence = todo.pop(0)
        seen += 1
        try:
            bind(sentence, kernels)
        except AmbiguousError as error:
            plain = " ".join(sentence.split()).removesuffix(".")
            todo += [f"{plain[: error.at.start]}{words}{plain[error.at.end :]}" for words in error.instead]
        except UnclearError:
            continue
        else:
            found[sentence] = None
    return tuple(found)


class _Binder:
    """Looks up the names of one sentence."""

    def __init__(self, sentence: Sentence, kernels: Sequence[Kernel]) -> None:
        self.sentence = sentence
        self.kernels = kernels
        self.added = [_Added(kernel) for kernel in kernels]

    def bound(self) -> Bound:
        sentence = self.sentence
        if sentence.mode == "crossing":
            return self._crossing()
        if sentence.mode == "lift":
            self._check_hold(sentence.name)
        if sentence.context:
            self._check_context(sentence.context)
        place: Place = "predicate" if sentence.mode == "every" else "need"
        given = None if sentence.given is None else self._part(sentence.given, "given")
        need = None if sentence.need is None else self._part(sentence.need, place)
        return Bound(sentence, tuple(item.whole(sentence.actions) for item in self.added), given, need)

    def _check_hold(self, name: str) -> None:
        """Check that a hold is one, of a policy that says who may amend it."""
        known = [item.id for kernel in self.kernels for item in kernel.commitments]
        if name not in known:
            raise _unknown("commitment", name, known, self.sentence.at)
        if any(kernel.kind == "reference" for kernel in self.kernels):
            # Nobody may amend an encoding: its silence is not that of the text.
            message = "an encoding does not say who may amend the text that it is about, or leave it"
            raise UnclearError(message, self.sentence.at, "ask about a policy of your own")

    def _check_context(self, name: str) -> None:
        """Check that a context is one thing, and one of what the sentence is about."""
        at, whole = At(0, len(self.sentence.text)), self.sentence.actions
        contexts = [kernel.contexts[name] for kernel in self.kernels if name in kernel.contexts]
        if not contexts:
            raise _unknown("context", name, [item for kernel in self.kernels for item in kernel.contexts], at)
        if len({(item.action, item.scaffolds) for item in contexts}) > 1:
            raise _twofold(name, at)
        if whole != (contexts[0].action,):
            message = f"the context {quote(name)} is one of what is {doing((contexts[0].action,))}"
            raise UnclearError(message, at, "ask about that alone")

    def _part(self, part: Part, place: Place) -> Claim:  # noqa: PLR0911 - one for each kind
        match part:
            case Group(word=word, parts=parts):
                return Join(word, tuple(self._part(item, place) for item in parts))
            case Without(part=inner):
                return Lacking(self._part(inner, "need"))
            case Scored():
                return self._scored(part, place)
            case Beyond(flop=flop):
                condition = self.added[0].compare(Compute(), "at most", flop)
                return Judge(0, condition, 1, False, f"it may go beyond {show(flop, 'flop')}")
            case Measured():
                return self._measured(part)
            case Named():
                return self._named(part)
            case AttestedBy(predicate=predicate, role=role):
                index = self._attesting(predicate, role, part.at)
                condition = self.added[index].compare(Attested(predicate, role), "at least", Fraction(1))
                return Judge(index, condition, 1, True, f"{role} attests {predicate}")
            case Approval():
                return self._approval(part)
            case Countersigned(role=role):
                return self._countersigned(role, part.at)

    # ------------------------------------------------------------ scores

    def _scored(self, part: Scored, place: Place) -> Claim:
        index, spec = self._evaluation(part.evaluation, part.at)
        name, rate = part.evaluation, show(part.rate, "rate")
        if spec.hole is not None:
            raise UnclearError(f"{quote(name)} is a hole, which has no score", part.at, f"write {quote(name)} alone")
        ways = {way for kernel in self.kernels for way in _ways(kernel, name)}
        upward_is_worse = ways != {True}
        dangerous = (part.order in _UPWARD) is upward_is_worse
        sense = part.sense
        if sense == "bare":
            # The stronger of both readings counts, where the burden of proof says which of them it is.
            strong = len(ways) == 1 and self.sentence.mode != "some" and dangerous is (place == "given")
            if not strong:
                raise AmbiguousError(
                    f"{quote(f'{part.order} {rate}')} could mean that it is shown, or that the opposite is not",
                    part.at,
                    tuple(_again(part, place, shown) for shown in (False, True)),
                )
            sense = "may" if dangerous else "shown"
        order = _OPPOSITE[part.order] if dangerous else part.order
        term = Measure(name, _position(self.kernels[index], name), part.every_scaffold)
        condition = self.added[index].compare(term, order, part.rate)
        tail = " under every scaffold of the context" if part.every_scaffold else ""
        words = f"{name} {'is shown' if sense == 'shown' else 'may be'} {part.order} {rate}{tail}"
        if dangerous:
            # Shown: the opposite is refuted. Possible: the opposite is not proven.
            return Judge(index, condition, -1 if sense == "shown" else 1, sense == "shown", words)
        return Judge(index, condition, 1 if sense == "shown" else -1, sense == "shown", words)

    def _measured(self, part: Measured) -> Claim:
        index, spec = self._evaluation(part.evaluation, part.at)
        name, within = part.evaluation, part.within
        if part.tested:
            due = spec.validity.due_time
            instead = (f"was measured on {name}", f"was measured on {name} within {show_duration(due)}" if due else "")
            message = "`tested` does not say when, nor what came of it"
            raise AmbiguousError(message, part.at, tuple(words for words in instead if words))
        roles = dict(self.kernels[index].roles)

        def formula(variables: Variables) -> Formula:
            if spec.digest is None or spec.hole is not None:
                return False
            said = variables.flag("reported", spec.digest, rule_of(roles, spec.by))
            if within is None:
                return said
            return every((said, at_most(variables.amount("age", spec.digest, unit="seconds"), within)))

        ago = "" if within is None else f" that is at most {show_duration(within)} old"
        return Stated(index, formula, f"a result on {name}{ago} counts for it")

    def _evaluation(self, name: str, at: At) -> tuple[int, Evaluation]:
        found = [
            (place, kernel.evaluations[name]) for place, kernel in enumerate(self.kernels) if name in kernel.evaluations
        ]
        if not found:
            known = [item for kernel in self.kernels for item in kernel.evaluations]
            raise _unknown("evaluation", name, known, at)
        if len({evaluation_identity(kernel, name) for kernel in self.kernels if name in kernel.evaluations}) > 1:
            raise _twofold(name, at)
        return found[0]

    # ------------------------------------------------------------ what is asked for

    def _named(self, part: Named) -> Claim:
        name = part.name
        if len({same for kernel in self.kernels if (same := identity(kernel, name)) is not None}) > 1:
            raise _twofold(name, part.at)
        for place, kernel in enumerate(self.kernels):
            term: Term | None = (
                Shown(name) if name in kernel.safeguards else Hole(name) if name in kernel.holes else None
            )
            if term is not None:
                condition = self.added[place].compare(term, "at least", Fraction(1))
                return Judge(place, condition, 1, True, f"{name} is shown")
            if name in kernel.evaluations:
                remedy = f"write something like {quote(f'being shown at most 5% on {name}')}"
                raise UnclearError(f"{quote(name)} is an evaluation, and no result is named", part.at, remedy)
        known = [item for kernel in self.kernels for item in (*kernel.safeguards, *kernel.holes)]
        raise _unknown("safeguard or hole", name, known, part.at)

    def _approval(self, part: Approval) -> Claim:
        index = self._role(part.role, part.at)
        matters = list(self._asked(Approved, part.role))
        signs = any(part.role in kernel.countersigned_by for kernel in self.kernels)
        if part.matter:
            if part.matter not in matters:
                raise _unknown(f"approval by {part.role} for", part.matter, matters, part.at)
            return self._approved(index, part.matter, part.role)
        ways = [f"the approval of {part.role} for {matter}" for matter in dict.fromkeys(matters)]
        ways += [f"the countersignature of {part.role}"] if signs else []
        if len(ways) > 1:
            raise AmbiguousError(f"{quote(part.role)} approves more than one thing", part.at, tuple(ways))
        if signs:
            return self._countersigned(part.role, part.at)
        if matters:
            return self._approved(index, matters[0], part.role)
        return Stated(index, lambda _: False, f"{part.role}, whom nothing of the policy asks, approves")

    def _approved(self, index: int, matter: str, role: str) -> Claim:
        condition = self.added[index].compare(Approved(matter, role), "at least", Fraction(1))
        return Judge(index, condition, 1, True, f"{role} approves {matter}")

    def _countersigned(self, role: str, at: At) -> Claim:
        index = self._role(role, at)
        rule = rule_of(dict(self.kernels[index].roles), role)
        return Stated(
            index, lambda variables: variables.flag("affirmed", "countersignature", rule), f"{role} countersigns"
        )

    def _role(self, name: str, at: At) -> int:
        found = [place for place, kernel in enumerate(self.kernels) if name in kernel.roles]
        if not found:
            raise _unknown("role", name, [item for kernel in self.kernels for item in kernel.roles], at)
        if len({rule_of(dict(self.kernels[place].roles), name) for place in found}) > 1:
            raise _twofold(name, at)
        return found[0]

    def _attesting(self, predicate: str, role: str, at: At) -> int:
        """Return which policy asks a role for a statement: of another one no situation says anything."""
        index = self._role(role, at)
        known = list(self._asked(Attested, role))
        if predicate not in known:
            raise _unknown(f"statement by {role} called", predicate, known, at)
        return index

    def _asked(self, kind: type[Attested | Approved], role: str) -> Iterator[str]:
        """Yield what the policies ask a role to attest, or to approve."""
        for term in dict.fromkeys(term for kernel in self.kernels for term in kernel.terms):
            if isinstance(term, kind) and term.role == role:
                yield term.matter if isinstance(term, Approved) else term.predicate

    # ------------------------------------------------------------ crossings

    def _crossing(self) -> Bound:
        """Return the sentence that a crossing stands for, where the policy draws one line."""
        sentence = self.sentence
        self._evaluation(sentence.name, sentence.at)
        lines = list(dict.fromkeys(self._lines()))
        done = doing(sentence.actions)
        scope = "where the policy binds, " if sentence.bound else ""
        ways = tuple(f"{scope}no model shown {line} on {sentence.name} is ever {done}" for line in lines)
        if not ways:
            help_ = "name a line: " + quote(f"no model shown above 20% on {sentence.name} is ever {done}")
            raise UnclearError(f"no commitment draws a line on {quote(sentence.name)} there", sentence.at, help_)
        if len(ways) > 1:
            message = f"the policy draws more than one line on {quote(sentence.name)}"
            raise AmbiguousError(message, At(0, len(sentence.text)), ways)
        found = bind(ways[0], self.kernels)
        return replace(found, sentence=replace(found.sentence, text=sentence.text))

    def _lines(self) -> Iterator[str]:
        for kernel in self.kernels:
            for commitment in kernel.commitments:
                if commitment.actions.isdisjoint(self.sentence.actions):
                    continue
                for leaf in leaves(commitment.when):
                    term = kernel.terms[leaf.term]
                    if isinstance(term, Measure) and term.evaluation == self.sentence.name:
                        yield f"{_crossed(leaf)} {show_rate(Fraction(leaf.num, leaf.den))}"


def _crossed(leaf: Compare) -> Order:
    """Return on which side of a line it is crossed."""
    if leaf.above:
        return "below" if leaf.edge else "at most"
    return "at least" if leaf.edge else "above"


def _again(part: Scored, place: Place, shown: bool) -> str:  # noqa: FBT001 - one of two ways
    """Return a score in words that say which of both it is."""
    lead = {
        ("given", False): "that may be",
        ("given", True): "shown",
        ("predicate", False): "may be",
        ("predicate", True): "is shown",
    }.get((place, shown), "being shown")
    tail = " under every scaffold of the context" if part.every_scaffold else ""
    return f"{lead} {part.order} {show(part.rate, 'rate')} on {part.evaluation}{tail}"


def _ways(kernel: Kernel, evaluation: str) -> set[bool]:
    """Return in which directions a policy reads an evaluation: whether being high is favorable."""
    return {above for term, above in directions(kernel) if isinstance(term, Measure) and term.evaluation == evaluation}


def _position(kernel: Kernel, evaluation: str) -> Position:
    """Return which results count: those of relatives too, wherever the policy looks at them for this evaluation."""
    positions = {term.position for term in kernel.terms if isinstance(term, Measure) and term.evaluation == evaluation}
    return "when" if "when" in positions else "until"


def _twofold(name: str, at: At) -> UnclearError:
    return UnclearError(f"{quote(name)} is not the same in every policy", at, "ask about one policy at a time")


def _unknown(what: str, name: str, known: Collection[str], at: At) -> UnclearError:
    return UnclearError(f"the policy has no {what} {quote(name)}", at, suggestion(name, list(known)))
