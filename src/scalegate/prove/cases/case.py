"""Cases: situations with the answer that is expected of a policy, and which of its outcomes they ever show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scalegate.core.actions import HARDER, IRREVERSIBLE, TRAIN
from scalegate.core.decision import Decision
from scalegate.core.diagnostic import Span
from scalegate.core.kernel import Kernel
from scalegate.prove.enact.enact import enact
from scalegate.prove.enact.speakers import CannotEnactError
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import Permits, stands
from scalegate.prove.situation import Replay
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables
from scalegate.prove.views import Sight
from scalegate.prove.wording.vocabulary import Vocabulary

HELD, SHOWN, RESUMPTION, EXCEPTION, BELOW = "held", "shown", "resumption", "exception", "below scope"
OUTCOMES = (HELD, SHOWN, RESUMPTION, EXCEPTION, BELOW)


@dataclass(frozen=True, slots=True)
class Because:
    """One expected reason.

    Attributes:
        part: a commitment, `countersignature by ROLE`, `stop order by ROLE` or `mitigation cap`.
        how: of a hold, the kind of reason that the gate gives; of a permit, how the commitment was released. Empty:
            any.
        span: where it stands.
    """

    part: str
    how: str
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    """A situation, a question, and the answer that is expected.

    Attributes:
        name: what it is called.
        clauses: the situation in words, with what the question itself says.
        action: what is asked.
        permit: whether a permit is expected.
        because: the expected reasons; of a hold all of them, of a permit those that matter.
        span: where it stands.
    """

    name: str
    clauses: tuple[str, ...]
    action: str
    permit: bool
    because: tuple[Because, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a case.

    Attributes:
        case: the case.
        permits: what the gate's interpreter says.
        held_by: the parts that hold.
        outcomes: how every commitment that covers the action came out.
        wrong: what is not as expected, in sentences; empty where everything is.
        unasked: why the whole gate was not asked as well: no history is known in which this comes about. Empty where
            it was, and agrees.
    """

    case: Case
    permits: bool
    held_by: tuple[str, ...]
    outcomes: Mapping[str, str]
    wrong: tuple[str, ...]
    unasked: str = ""


@dataclass(frozen=True, slots=True)
class Covered:
    """Which outcomes of a commitment some case shows, and which of those that it can have none does."""

    commitment: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...]


def variables_of(kernels: Sequence[Kernel]) -> Variables:
    """Return everything that situations of some policies are made of, whatever is asked."""
    variables = Variables()
    for kernel in kernels:
        permits = Permits(variables, kernel)
        for action in HARDER:
            permits.action(action)
        permits.silence()
        permits.unbound()
    uneventful(variables, kernels)
    for kernel in kernels:
        # Ends that only the gate reads, and no formula needs.
        replay = Replay(variables, kernel)
        for action in HARDER:
            replay.action(action, {})
    uneventful(variables, kernels)
    return variables


class Bench:
    """Tries cases on one policy."""

    def __init__(self, kernel: Kernel) -> None:
        """Read a policy."""
        self.kernel = kernel
        self.variables = variables_of([kernel])
        self.vocabulary = Vocabulary(self.variables, [kernel])
        self.replay = Replay(self.variables, kernel)

    def situation(self, clauses: Sequence[str]) -> dict[str, Value]:
        """Return the situation that clauses describe.

        Raises:
            ClauseError: for clauses that describe none.
        """
        return self.vocabulary.situation(clauses)

    def try_(self, case: Case, values: Mapping[str, Value]) -> Tried:
        """Return what the interpreter says of a case, and whether the whole gate agrees on a history of it."""
        judged = self.replay.action(case.action, values)
        outcomes = self.replay.outcomes(case.action, values)
        held = tuple(part.removeprefix("commitment ") for part in judged.held_by)
        kinds: Mapping[str, Collection[str]] | None = None
        wrong, unasked = list(_wrong(case, judged.permits, held, outcomes)), ""
        try:
            (decision,) = enact(self.variables, [self.kernel], values, case.action).decisions()
        except CannotEnactError as error:
            unasked = f"{error}"
        else:
            kinds = _kinds(decision)
            if (decision.answer == "permit") is not judged.permits:
                said = "; ".join(dict.fromkeys(item.message for item in decision.reasons)) or decision.answer
                wrong.append(f"the gate, on a history in which this comes about, disagrees: {said}")
        wrong += _wrong_kinds(case, held, kinds)
        return Tried(case, judged.permits, held, outcomes, tuple(wrong), unasked)

    # ------------------------------------------------------------ coverage

    def coverage(self, tried: Sequence[Tried]) -> tuple[Covered, ...]:
        """Return which outcomes the cases show of every commitment."""
        found = []
        for commitment in self.kernel.commitments:
            seen = {_way(item.outcomes[commitment.id]) for item in tried if commitment.id in item.outcomes}
            possible = set(self._possible(commitment.id))
            found.append(
                Covered(
                    commitment.id,
                    tuple(kind for kind in OUTCOMES if kind in seen),
                    tuple(kind for kind in OUTCOMES if kind in possible - seen),
                )
            )
        return tuple(found)

    def _possible(self, name: str) -> Iterator[str]:
        """Yield the outcomes of a commitment that its words do not exclude."""
        commitment = next(item for item in self.kernel.commitments if item.id == name)
        sights = [Sight(self.variables, self.kernel, action) for action in sorted(commitment.actions & set(HARDER))]
        shown = [stands(sight, commitment.when, permissive=False) for sight in sights]
        resumed = [stands(sight, commitment.until, permissive=True) for sight in sights]
        free = [stands(sight, self.kernel.scope, permissive=False) for sight in sights]
        if not any(one is True or two is True for one, two in zip(shown, resumed, strict=True)):
            yield HELD
        for kind, ways in ((SHOWN, shown), (RESUMPTION, resumed), (BELOW, free)):
            if any(way is not False for way in ways):
                yield kind
        covered = commitment.actions - IRREVERSIBLE
        if covered and any(item.instead_of == name for item in self.kernel.exceptions):
            yield EXCEPTION


def _way(outcome: str) -> str:
    return EXCEPTION if outcome.startswith(f"{EXCEPTION} ") else outcome


def _wrong(case: Case, permits: bool, held: Sequence[str], outcomes: Mapping[str, str]) -> Iterator[str]:  # noqa: FBT001 - the answer
    """Yield what is not as a case expects it."""
    if permits is not case.permit:
        found = "a permit" if permits else f"a hold by {_listed(held)}"
        yield f"expected {'a permit' if case.permit else 'a hold'}, and it is {found}"
        return
    if case.permit:
        for item in case.because:
            came = outcomes.get(item.part, "not asked")
            if came != item.how and _way(came) != item.how:
                yield f"expected {item.part} to be released by `{item.how}`, and it is `{came}`"
        yield from _unexpected(case, outcomes)
        return
    expected = [item.part for item in case.because]
    missing = [part for part in expected if part not in held]
    others = [part for part in held if part not in expected]
    if missing:
        yield f"expected {_listed(missing)} to hold as well"
    if others:
        yield f"{_listed(others)} {'holds' if len(others) == 1 else 'hold'} too"


def _unexpected(case: Case, outcomes: Mapping[str, str]) -> Iterator[str]:
    """Yield by which ways out a permit is given that the case does not name: an exception, or not being bound at all.

    Nobody who expects a permit of the policy means either without saying so.
    """
    named = {item.part for item in case.because}
    for part, came in outcomes.items():
        if part not in named and _way(came) == EXCEPTION:
            yield f"`{part}` is released by `{came}`, and `because` does not say so"
    free = [part for part, came in outcomes.items() if came == BELOW]
    if free and not any(item.how == BELOW for item in case.because):
        yield f"nothing binds there (`{free[0]}: {BELOW}`), and `because` does not say so"


def _kinds(decision: Decision) -> dict[str, set[str]]:
    """Return the kinds of reasons that the gate gives, by commitment."""
    found: dict[str, set[str]] = {}
    for item in decision.reasons:
        found.setdefault(item.commitment, set()).add(item.kind)
    return found


def _wrong_kinds(case: Case, held: Sequence[str], kinds: Mapping[str, Collection[str]] | None) -> Iterator[str]:
    """Yield which expected kinds of reasons the gate does not give."""
    for item in case.because:
        if case.permit or not item.how or item.part not in held:
            continue
        if kinds is None:
            yield f"whether {item.part} holds for `{item.how}` is not known: there is no history to ask the gate about"
        elif item.how not in kinds.get(item.part, ()):
            given = " and ".join(f"`{kind}`" for kind in sorted(kinds.get(item.part, ()))) or "nothing"
            yield f"expected {item.part} to hold for `{item.how}`, and the gate says {given}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(f"`{part}`" for part in parts) or "nothing"


def question_clauses(action: str, to: str, context: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return what a question itself says of the situation; nothing that the policy never looks at."""
    known = set(vocabulary.vocabulary())
    found = []
    if to and "the action would reach ..." in known:
        found.append(f"the action would reach {to}")
    elif to and action.startswith(TRAIN) and "what is asked for ends at ..." in known:
        found.append(f"what is asked for ends at {to}")
    if context and f"the context is {context}" in known:
        found.append(f"the context is {context}")
    return tuple(found)
