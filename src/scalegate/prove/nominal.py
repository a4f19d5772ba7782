"""The uneventful situation that others are told apart from: in scope, evidence fresh, nothing crossed, nothing said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from scalegate.core.kernel import Compare, Condition, Constant, Kernel, Not
from scalegate.core.quantities import DAY
from scalegate.core.terms import Compute, Measure, Revenue
from scalegate.prove.symbols import Key, Value
from scalegate.prove.variables import Variables
from scalegate.prove.views import directions

SCALES = ("to", "compute-low", "compute-high", "base", "pending-compute", "scaled", "mitigated-from")


def uneventful(variables: Variables, kernels: Sequence[Kernel]) -> None:
    """Let everything that has a size be in the scope of every policy, and let it be the day after they all began."""
    scale = max(_beyond(_constants(kernels, Compute)), Fraction(10**25))
    revenue = max(_beyond(_constants(kernels, Revenue)), Fraction(10**9))
    begin = max((kernel.effective for kernel in kernels), default=0)
    usual: dict[Key, Value] = {(kind,): scale for kind in SCALES}
    usual.update({("revenue-low",): revenue, ("revenue-high",): revenue, ("now",): Fraction(begin + DAY)})
    # A score that is to be low somewhere is low, also where it is to be high: what it measures is feared.
    usual.update({("low", what): Fraction(0) for what in _read_both_ways(kernels)})
    variables.expect(usual)


def _read_both_ways(kernels: Sequence[Kernel]) -> set[str]:
    """Return the evaluations, by digest, that some condition wants low and another wants high."""
    found: dict[bool, set[str]] = {False: set(), True: set()}
    for kernel in kernels:
        for term, above in directions(kernel):
            if isinstance(term, Measure):
                found[above].add(kernel.evaluations[term.evaluation].digest or "")
    return found[False] & found[True]


def _beyond(values: Sequence[Fraction]) -> Fraction:
    """Return the next power of ten above some values."""
    power = Fraction(1)
    while any(power <= value for value in values):
        power *= 10
    return power


def _constants(kernels: Sequence[Kernel], term: type) -> list[Fraction]:
    return [
        Fraction(leaf.num, leaf.den)
        for kernel in kernels
        for leaf in leaves(kernel.scope)
        if isinstance(kernel.terms[leaf.term], term)
    ]


def leaves(condition: Condition) -> Iterator[Compare]:
    """Yield the comparisons of a condition."""
    match condition:
        case Compare():
            yield condition
        case Constant():
            return
        case Not(part=part):
            yield from leaves(part)
        case _:
            for part in condition.parts:
                yield from leaves(part)
