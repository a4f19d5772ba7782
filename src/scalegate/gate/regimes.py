"""How a developer stands to a policy: whether it binds, and why, apart from any one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scalegate.core.decision import Request
from scalegate.core.kernel import Compare, Condition, Constant, Kernel, Not
from scalegate.core.quantities import FOREVER, UNBOUNDED, ComputeRange
from scalegate.core.subject import Subject
from scalegate.core.terms import Compute
from scalegate.gate.apply import Application, horizon
from scalegate.gate.explain import as_truth
from scalegate.gate.interpret import FOR, Facts, compare, stand
from scalegate.gate.lineage import Lineage
from scalegate.gate.mandates import Lack, missing_roles
from scalegate.gate.obligations import ObligationState, obligation_states
from scalegate.gate.records import Records
from scalegate.gate.situate import Situation, facts_of
from scalegate.policy.phrases import terms_of

# What is asked about a subject as it is; scopes look at what an action would produce, and this one produces nothing.
_AS_IT_IS = "deploy.internal"


@dataclass(frozen=True, slots=True)
class Bearing:
    """How one policy bears on the developer.

    Attributes:
        kernel: the policy.
        binds: whether its scope is not refuted, for some declared subject; where none is declared, for an unknown one.
        subjects: the declared subjects that it binds.
        because: the conditions of its scope, each with how it came out and what that rests on.
        until: when the first thing ends that its not binding rests on; `FOREVER` for none.
        obligations: how its obligations stand, overdue ones first.
        lacks: mandated roles that the developer's own policies lack; none where it does not bind.
    """

    kernel: Kernel
    binds: bool
    subjects: tuple[str, ...]
    because: tuple[str, ...]
    until: int
    obligations: tuple[ObligationState, ...]
    lacks: tuple[Lack, ...]

    @property
    def late(self) -> tuple[ObligationState, ...]:
        """What is overdue, where the policy binds."""
        return tuple(item for item in self.obligations if item.state == "overdue") if self.binds else ()


def bearings(records: Records, kernels: Sequence[Kernel]) -> list[Bearing]:
    """Return how each of the policies in force bears on the developer."""
    lineage = Lineage(records.subjects, records.mitigated())
    scopes = [_scope(records, lineage, kernel) for kernel in kernels]
    binding = [kernel for kernel, scope in zip(kernels, scopes, strict=True) if scope[0]]
    return [
        Bearing(
            kernel,
            bool(bound),
            tuple(item.situation.subject.name for item in bound if item.situation.subject.name),
            tuple(_because((bound or every)[-1])),
            FOREVER if bound else min(item.until for item in every),
            tuple(obligation_states(records, kernel)),
            tuple(missing_roles(kernel, binding)) if bound else (),
        )
        for kernel, (bound, every) in zip(kernels, scopes, strict=True)
    ]


def _scope(records: Records, lineage: Lineage, kernel: Kernel) -> tuple[list[Application], list[Application]]:
    """Return the scope applied to every declared subject, smallest first: where it binds, and all."""
    subjects = [
        (subject, lineage.compute(subject, teachers=kernel.teachers_count)) for subject in lineage.subjects.values()
    ]
    known = subjects or [(Subject("", "", "", "model", (), False, None, records.now), ComputeRange(0, UNBOUNDED))]
    every = [
        _applied(records, lineage, kernel, subject, compute)
        for subject, compute in sorted(known, key=lambda item: (item[1].high, item[1].low, item[0].name))
    ]
    return [item for item in every if item.binds], every


def _applied(
    records: Records, lineage: Lineage, kernel: Kernel, subject: Subject, compute: ComputeRange
) -> Application:
    request = Request(_AS_IT_IS, subject.name)
    situation = Situation(records, lineage, request, subject, compute, training=False)
    asked = terms_of(kernel, kernel.scope)
    facts: Facts = [facts_of(situation, kernel, term) if term in asked else () for term in kernel.terms]
    free = stand(kernel.scope, facts, records.now, situation.to, False, []) == FOR
    until = horizon(kernel.scope, facts, records.now, situation.to, permissive=False) if free else FOREVER
    return Application(kernel, situation, facts, not free, frozenset(), [], [], until)


def _because(application: Application) -> Iterator[str]:
    """Yield each comparison of a scope, how it came out, and what that rests on."""
    now, to, subject = application.situation.records.now, application.situation.to, application.situation.subject.name
    for leaf, permissive in _leaves(application.kernel.scope):
        if isinstance(leaf, Constant):
            yield "it binds always" if leaf.proven else "it never binds"
            continue
        strata = application.facts[leaf.term]
        stands = compare(leaf, strata, now, to, permissive)
        found = [gap.message for fact in strata for gap in fact.gaps] + [fact.detail for fact in strata]
        name = f"{subject}: " if subject and isinstance(application.kernel.terms[leaf.term], Compute) else ""
        rests = "; ".join(dict.fromkeys(filter(None, found)))
        yield f"`{leaf.text}` is {as_truth(stands, permissive=permissive)}: {name}{rests}"


def _leaves(condition: Condition, *, permissive: bool = False) -> Iterator[tuple[Compare | Constant, bool]]:
    """Yield the leaves of a condition, each with whether it stands in a permissive position."""
    if isinstance(condition, Compare | Constant):
        yield condition, permissive
    elif isinstance(condition, Not):
        yield from _leaves(condition.part, permissive=not permissive)
    else:
        for part in condition.parts:
            yield from _leaves(part, permissive=permissive)
