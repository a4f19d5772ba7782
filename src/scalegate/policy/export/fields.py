"""The fields of an input that hold evidence: one for each term that a policy compares with something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.diagnostic import Diagnostic, DiagnosticError
from scalegate.core.kernel import Compare, Kernel
from scalegate.core.quantities import show_number
from scalegate.core.terms import (
    Approved,
    Attested,
    Clock,
    Compute,
    Elapsed,
    Hole,
    Measure,
    Operates,
    Overdue,
    Published,
    Revenue,
    Shown,
    Specified,
    Term,
)
from scalegate.policy.export.clauses import Bound, Clause, Count, End, Never
from scalegate.policy.export.grid import LIMIT, Grid, grid_of
from scalegate.policy.phrases import leaves

LIMITS = ("gaps", "until", "reach_e18", "reach_rest")


@dataclass(frozen=True, slots=True)
class Interval:
    """A field of the input that holds what the evidence shows about one term.

    Attributes:
        name: the field.
        index: place of the term in the kernel.
        term: the term.
        grid: the unit its ends are counted in.
        ends: which ends the policy reads.
    """

    name: str
    index: int
    term: Term
    grid: Grid
    ends: tuple[End, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the field, all whole numbers."""
        return (*LIMITS, *self.ends)


class FieldNames:
    """Names that every engine reads as plain words, each given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        """Begin with names that are taken."""
        self._taken = set(taken)

    def new(self, words: str) -> str:
        """Return a name made of some words."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", words)
        name, number = plain, 2
        while name in self._taken:
            name, number = f"{plain}_{number}", number + 1
        self._taken.add(name)
        return name


def constants(kernel: Kernel) -> list[list[Fraction]]:
    """Return the constants that each term of a kernel is compared with, in order; of a time also the second begun."""
    found: list[set[Fraction]] = [set() for _ in kernel.terms]
    for leaf in _leaves(kernel):
        found[leaf.term].add(Fraction(leaf.num, leaf.den))
        if isinstance(kernel.terms[leaf.term], Elapsed):
            found[leaf.term].add(Fraction(leaf.num // leaf.den))
    return [sorted(values) for values in found]


def intervals(kernel: Kernel, names: FieldNames) -> tuple[Interval, ...]:
    """Return a field for each term that holds evidence and is compared with something, both ends read.

    Raises:
        DiagnosticError: if the constants of a term do not fit into 64 bits together.
    """
    found = []
    for index, values in enumerate(constants(kernel)):
        term = kernel.terms[index]
        if not values or isinstance(term, Hole | Clock):
            continue
        grid = grid_of(term, values)
        if grid is None:
            raise _unfit(kernel, index, values)
        found.append(Interval(names.new(words_of(term)), index, term, grid, ("low", "high")))
    return tuple(found)


def ends_read(clauses: Iterable[Clause]) -> set[tuple[str, End]]:
    """Return which ends of which fields some clauses read."""
    found: set[tuple[str, End]] = set()
    todo = list(clauses)
    while todo:
        clause = todo.pop()
        match clause:
            case Bound():
                found.add((clause.field, clause.end))
            case Count():
                todo += clause.parts
            case Never():
                todo.append(clause.part)
            case _:
                pass
    return found


def _leaves(kernel: Kernel) -> Iterator[Compare]:
    """Yield every comparison of a policy, left to right."""
    conditions = [kernel.scope]
    for commitment in kernel.commitments:
        conditions += [commitment.when, commitment.until]
    for item in kernel.exceptions:
        conditions += [item.when, item.until, *item.needs]
    for condition in conditions:
        yield from (leaf for leaf in leaves(condition) if isinstance(leaf, Compare))


def _unfit(kernel: Kernel, index: int, values: Sequence[Fraction]) -> DiagnosticError:
    words = words_of(kernel.terms[index])
    listed = ", ".join(show_number(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")
    span = [leaf.span for leaf in _leaves(kernel) if leaf.term == index][-1]
    return DiagnosticError(
        (
            Diagnostic(
                "P901",
                "error",
                f"the constants that `{words}` is compared with do not fit into 64 bits in one unit: {listed}",
                span,
                f"Cedar has whole numbers only, and an export must not round a threshold; below {LIMIT} each has to be "
                "a whole number of the unit",
                "write the constants with fewer digits, or closer to one another",
            ),
        )
    )


def words_of(term: Term) -> str:  # noqa: C901, PLR0911, PLR0912 - one for each kind of term
    """Return the words that a field is named by."""
    match term:
        case Measure(evaluation=name, position=position, every_scaffold=every):
            return f"{position} {name}{' every scaffold' if every else ''}"
        case Shown(safeguard=name):
            return f"safeguard {name}"
        case Attested(predicate=name, role=role):
            return f"attested {name} by {role}"
        case Approved(matter=matter, role=role):
            return f"approved {matter} by {role}"
        case Published(matter=matter):
            return f"published {matter}"
        case Hole(name=name):
            return f"hole {name}"
        case Compute():
            return "effective compute"
        case Clock():
            return "clock"
        case Revenue():
            return "revenue"
        case Operates(place=place):
            return f"operates in {place}"
        case Overdue(obligation=name):
            return f"overdue {name}"
        case Specified(hole=name):
            return f"specified {name}"
        case Elapsed(predicate=name, role=role):
            return f"elapsed since {name} by {role}"
