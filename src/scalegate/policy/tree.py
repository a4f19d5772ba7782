"""The policy as it was written: checked for shape and units, names not yet looked up.

Every part keeps its span. `None` stands for what was not written, or could not be read; the latter
has a finding, so that no kernel is ever made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from scalegate.core.diagnostic import Span
from scalegate.core.kernel import (
    AmendmentRule,
    Count,
    EvaluationKind,
    PolicyKind,
    ScoreRule,
    Validity,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name, where it stands."""

    text: str
    span: Span


# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Comparison:
    """`NAME <= 20%`, perhaps `under every scaffold of the context`."""

    name: Name
    above: bool
    edge: bool
    value: Fraction
    every_scaffold: bool
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ComputeComparison:
    """`effective compute > 4e25 FLOP`, in whole FLOP."""

    above: bool
    edge: bool
    value: int
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Calendar:
    """`after` an instant (it does not count itself), or `before` it."""

    after: bool
    instant: int
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Bare:
    """A name alone: a safeguard that is shown, or a hole."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class AttestedBy:
    """`attested NAME by ROLE`."""

    predicate: Name
    role: Name
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ApprovedBy:
    """`approved by ROLE`."""

    role: Name
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class PublishedWord:
    """`published`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fixed:
    """`always` or `never`."""

    proven: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Both:
    """Parts joined by `and`."""

    parts: tuple[Phrase, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Either:
    """Parts joined by `or`."""

    parts: tuple[Phrase, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Negated:
    """`not` a part."""

    part: Phrase
    span: Span


@dataclass(frozen=True, slots=True)
class SomeOf:
    """`at least COUNT of (a, b, c)`."""

    count: int
    parts: tuple[Phrase, ...]
    span: Span


Phrase: TypeAlias = (
    Comparison
    | ComputeComparison
    | Calendar
    | Bare
    | AttestedBy
    | ApprovedBy
    | PublishedWord
    | Fixed
    | Both
    | Either
    | Negated
    | SomeOf
)

# ---------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True)
class RoleText:
    """An entry of `roles`."""

    name: Name
    quorum: int = 1
    of: int | None = None
    members: tuple[Name, ...] = ()
    independent_of: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class HoleText:
    """What is written about a hole, be it an evaluation or a capability."""

    words: str
    owner: str | None
    filled_only_by: tuple[Name, ...]
    review_by: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class CapabilityText:
    """An entry of `capabilities`."""

    name: Name
    tested_by: Name | None
    hole: HoleText | None
    holds: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Pin:
    """`name@sha256:...`; `digest` is None when it is missing or elided."""

    text: str
    digest: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class BeliefText:
    """An entry of `believable only if`."""

    claim: str
    role: Name | None
    expires: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class EvaluationText:
    """An entry of `evaluations`. A hole has no test; anything else has one, unless it is broken."""

    name: Name
    kind: EvaluationKind | None = None
    hole: HoleText | None = None
    test: Pin | None = None
    score: ScoreRule | None = None
    elicited_by: tuple[str, ...] = ()
    by: Name | None = None
    wrongly_cleared: Fraction | None = None
    wrongly_stopped: Fraction | None = None
    validity: Validity | None = None
    beliefs: tuple[BeliefText, ...] = ()
    hidden_capability: tuple[Count, ...] = ()
    shown_to_work: tuple[Count, ...] = ()
    accept_aggregate: bool = False
    accept_edited: bool = False
    refuse_provenance: tuple[str, ...] = ()
    reach_issuer: bool = False
    span: Span = Span("", 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class SafeguardText:
    """An entry of `safeguards`."""

    name: Name
    means: Pin | None
    stops: str
    because: Pin | None
    fails_if: tuple[Count, ...]
    by: Name | None
    valid_time: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class ContextText:
    """An entry of `contexts`."""

    name: Name
    action: Name | None
    scaffolds: tuple[str, ...] | None
    withdraws: bool
    span: Span


@dataclass(frozen=True, slots=True)
class CommitmentText:
    """An entry of `commitments`; `resume` is None where nothing, or `never`, is written.

    `broken`: something is written about the resumption that could not be read.
    """

    name: Name
    hold: tuple[Name, ...]
    unless_shown: Phrase | None
    resume: Phrase | None
    declared_never: bool
    broken: bool
    span: Span


@dataclass(frozen=True, slots=True)
class ExceptionText:
    """An entry of `exceptions`; durations in seconds."""

    name: Name
    instead_of: Name | None
    when: Phrase | None
    floor: Phrase | None
    needs: tuple[Phrase, ...]
    each: int
    total: int
    window: int
    span: Span


@dataclass(frozen=True, slots=True)
class ScopeText:
    """From which scale on the policy binds; `condition` None binds everything."""

    condition: Phrase | None
    every_developer: bool
    span: Span


@dataclass(frozen=True, slots=True)
class AmendmentText:
    """`amendments`, with the roles where they stand."""

    rule: AmendmentRule = field(default_factory=AmendmentRule)
    approved_by: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy text, read. Mappings go by name, in the order of the text."""

    id: str
    version: str
    issuer: str
    kind: PolicyKind
    effective: int
    scope: ScopeText | None
    roles: Mapping[str, RoleText] = field(default_factory=dict)
    capabilities: Mapping[str, CapabilityText] = field(default_factory=dict)
    evaluations: Mapping[str, EvaluationText] = field(default_factory=dict)
    contexts: Mapping[str, ContextText] = field(default_factory=dict)
    safeguards: Mapping[str, SafeguardText] = field(default_factory=dict)
    commitments: Mapping[str, CommitmentText] = field(default_factory=dict)
    exceptions: Mapping[str, ExceptionText] = field(default_factory=dict)
    amendments: AmendmentText = field(default_factory=AmendmentText)
    countersigned_by: tuple[Name, ...] = ()
    stop_orders_by: tuple[Name, ...] = ()
    elicitation_allowance: Fraction = Fraction(1, 100)
    mitigation_cap: Fraction = Fraction(1, 100)
    teachers_count: bool = True
    span: Span = Span("", 1, 1, 1, 1)
