"""A history in the making: what a situation says, the policies as a gate can apply them, and the entries so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scalegate.core.canonical import digest_bytes
from scalegate.core.events import Entry, Event, History, Statement, StatementKind
from scalegate.core.kernel import Compare, Condition, Kernel
from scalegate.core.quantities import YEAR
from scalegate.core.terms import Term
from scalegate.prove.enact.speakers import CannotEnactError, Cast
from scalegate.prove.permits import Reading, may_come_to
from scalegate.prove.symbols import Value
from scalegate.prove.variables import Variables
from scalegate.prove.views import directed

# Longer than anything that a policy counts: for what has to end only after the question.
LONG = 100 * YEAR
# Stands for the argument that an encoding does not name.
NO_REASON = digest_bytes(b"no reason is named")


@dataclass(frozen=True, slots=True)
class Read:
    """A comparison that a policy reads, and whether its term being high stands for the permit."""

    kernel: Kernel
    leaf: Compare
    above: bool

    @property
    def term(self) -> Term:
        """What is compared."""
        return self.kernel.terms[self.leaf.term]


def applicable(kernel: Kernel, reading: Reading, action: str, *, duties: bool = False) -> Kernel:
    """Return a policy as the gate can apply it to an action.

    The gate applies every commitment, and permits under no encoding for reference. What is not asked about is left out,
    an encoding is taken for a policy, and concepts are taken for pins.

    Raises:
        CannotEnactError: if holes are imagined filled, or the policy leaves open what happens where nothing is settled.
    """
    if reading.filled:
        raise CannotEnactError("holes are imagined filled, and a history would need what fills them")
    actions = may_come_to(action)
    kept = [item for item in kernel.commitments if reading.counts(item.about, item.modality)]
    for item in kept:
        if not duties and item.unsettled != "hold" and not item.actions.isdisjoint(actions):
            raise CannotEnactError(f"{item.id} of {kernel.id} permits what is not settled, which no gate does")
    pinned = {
        name: replace(item, means=digest_bytes(item.concept.encode()), because=item.because or NO_REASON)
        if item.concept and item.hole is None
        else item
        for name, item in kernel.safeguards.items()
    }
    return replace(
        kernel,
        kind="policy" if kernel.kind == "reference" else kernel.kind,
        commitments=tuple(kept),
        safeguards=pinned,
        duties=replace(
            kernel.duties,
            mandates=() if reading.about else kernel.duties.mandates,
            obligations={
                name: item
                for name, item in kernel.duties.obligations.items()
                if not duties or reading.counts(item.about, item.modality)
            },
        ),
        countersigned_by=() if reading.about else kernel.countersigned_by,
        stop_orders_by=() if reading.about else kernel.stop_orders_by,
    )


@dataclass(slots=True)
class Stage:
    """Where a situation is enacted.

    Attributes:
        variables: what situations are made of.
        values: the value of each variable.
        kernels: the policies, as the gate can apply them.
        action: what is asked.
        duties: what is asked is not the action, but whether anything that has to be done is overdue.
        now: when it is asked.
    """

    variables: Variables
    values: Mapping[str, Value]
    kernels: Sequence[Kernel]
    action: str
    duties: bool = False
    now: int = 0
    cast: Cast = field(default_factory=Cast)
    _said: list[tuple[int, int, Event]] = field(default_factory=list)

    # ------------------------------------------------------------ what the situation says

    def known(self, *key: object) -> bool:
        """Whether the situation says anything on a matter."""
        return key in self.variables.by_key

    def so(self, *key: object, otherwise: bool = False) -> bool:
        """Return a flag."""
        variable = self.variables.by_key.get(key)
        return otherwise if variable is None else self.values[variable.name] is True

    def number(self, *key: object, otherwise: int = 0) -> Fraction:
        """Return a number."""
        variable = self.variables.by_key.get(key)
        return Fraction(otherwise) if variable is None else Fraction(self.values[variable.name])

    def whole(self, *key: object, otherwise: int = 0) -> int:
        """Return a number that a history has only whole.

        Raises:
            CannotEnactError: if it is not.
        """
        value = self.number(*key, otherwise=otherwise)
        if value.denominator != 1:
            raise CannotEnactError(f"{key[0]} is {value}, and an entry has whole numbers")
        return value.numerator

    # ------------------------------------------------------------ what the policies read

    def reads(self) -> Iterator[Read]:
        """Yield every comparison that may decide about the action."""
        actions = may_come_to(self.action)
        for kernel in self.kernels:
            todo: list[tuple[Condition, bool]] = [(kernel.scope, False)]
            for item in kernel.commitments:
                if not self.duties and not item.actions.isdisjoint(actions):
                    todo += [(item.when, False), (item.until, True)]
                    for exception in kernel.exceptions:
                        if exception.instead_of == item.id:
                            parts = (exception.when, exception.until, *exception.needs)
                            todo += [(part, True) for part in parts]
            yield from (Read(kernel, leaf, above) for leaf, above in directed(todo))

    # ------------------------------------------------------------ what is recorded

    def record(self, ago: int, event: Event) -> None:
        """Record an event so many seconds before the question."""
        if ago < 0 or ago > self.now:
            raise CannotEnactError("something would have to be recorded outside the calendar")
        self._said.append((self.now - ago, len(self._said), event))

    def state(  # noqa: PLR0913 - a statement has that many parts
        self,
        ago: int,
        kind: StatementKind,
        topic: str,
        by: str,
        role: str,
        *,
        subject: str = "",
        holds: bool = True,
        expired: bool = False,
        count: tuple[int, int] | None = None,
        means: str = "",
        because: str = "",
        action: str = "",
        compute: int = 0,
    ) -> None:
        """Record a statement, which is in time unless it has `expired`."""
        end = self.now - ago + 1 if expired else self.now + LONG
        if expired and ago < 1:
            raise CannotEnactError("a statement cannot have expired the second it was made")
        said = Statement(kind, topic, subject, holds, end, count, means, because, action, compute, (), by, role)
        self.record(ago, said)

    def history(self) -> History:
        """Return the entries in the order of their time; people have had their past before anything happens."""
        begin = min((at for at, _, _ in self._said), default=self.now)
        past: list[tuple[int, int, Event]] = []
        for name, roles in self.cast.pasts.items():
            for role in sorted(roles):
                said = Statement("predicate", "a-past", "", False, 0, None, "", "", "", 0, (), name, role)
                past.append((begin, len(past) - 1_000_000, said))
        ordered = sorted([*past, *self._said], key=lambda item: item[:2])
        return History(
            tuple(
                Entry(place, at, digest_bytes(f"{place} {at} {event!r}".encode()), event)
                for place, (at, _, event) in enumerate(ordered)
            )
        )
