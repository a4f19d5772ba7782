"""The policy as it was written: checked for shape and units, names not yet looked up.

Every part keeps its span. `None` stands for what was not written, or could not be read; the latter
has a finding, so that no kernel is ever made of it. Named tuples, because a gate that starts often
should not spend its time on generating classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, Never, TypeAlias

from scalegate.core.diagnostic import Span
from scalegate.core.duties import Modality, Read, Source, Unsettled
from scalegate.core.kernel import AmendmentRule, Count, Estimand, EvaluationKind, PolicyKind, ScoreRule, Validity

_NONE: Mapping[str, Never] = MappingProxyType({})


class Name(NamedTuple):
    """A name, where it stands."""

    text: str
    span: Span


# ---------------------------------------------------------------- conditions


class Comparison(NamedTuple):
    """`NAME <= 20%`, perhaps `under every scaffold of the context`."""

    name: Name
    above: bool
    edge: bool
    value: Fraction
    every_scaffold: bool
    text: str
    span: Span


class ComputeComparison(NamedTuple):
    """`effective compute > 4e25 FLOP`, in whole FLOP."""

    above: bool
    edge: bool
    value: int
    text: str
    span: Span


class Calendar(NamedTuple):
    """`after` an instant (it does not count itself), or `before` it."""

    after: bool
    instant: int
    text: str
    span: Span


class Bare(NamedTuple):
    """A name alone: a safeguard that is shown, or a hole."""

    name: Name
    span: Span


class AttestedBy(NamedTuple):
    """`attested NAME by ROLE`."""

    predicate: Name
    role: Name
    text: str
    span: Span


class ApprovedBy(NamedTuple):
    """`approved by ROLE`."""

    role: Name
    text: str
    span: Span


class PublishedWord(NamedTuple):
    """`published`."""

    text: str
    span: Span


class MoneyComparison(NamedTuple):
    """`revenue > 5e8 USD`, in whole USD."""

    above: bool
    edge: bool
    value: int
    text: str
    span: Span


class OperatesIn(NamedTuple):
    """`operates in us-ca`."""

    place: Name
    text: str
    span: Span


class OverdueDuty(NamedTuple):
    """`overdue OBLIGATION`."""

    obligation: Name
    text: str
    span: Span


class SpecifiedHole(NamedTuple):
    """`specified HOLE`."""

    hole: Name
    text: str
    span: Span


class ElapsedSince(NamedTuple):
    """`elapsed 6 months since EVENT by ROLE`; in seconds."""

    seconds: int
    event: EventText
    text: str
    span: Span


class Fixed(NamedTuple):
    """`always` or `never`."""

    proven: bool
    span: Span


class Both(NamedTuple):
    """Parts joined by `and`."""

    parts: tuple[Phrase, ...]
    span: Span


class Either(NamedTuple):
    """Parts joined by `or`."""

    parts: tuple[Phrase, ...]
    span: Span


class Negated(NamedTuple):
    """`not` a part."""

    part: Phrase
    span: Span


class SomeOf(NamedTuple):
    """`at least LEAST of (a, b, c)`."""

    least: int
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
    | MoneyComparison
    | OperatesIn
    | OverdueDuty
    | SpecifiedHole
    | ElapsedSince
    | Fixed
    | Both
    | Either
    | Negated
    | SomeOf
)

# ---------------------------------------------------------------- declarations


class RoleText(NamedTuple):
    """An entry of `roles`."""

    name: Name
    quorum: int = 1
    of: int | None = None
    members: tuple[Name, ...] = ()
    independent_of: tuple[Name, ...] = ()


class HoleText(NamedTuple):
    """What is written about a hole, be it an evaluation or a capability."""

    words: str
    owner: str | None
    filled_only_by: tuple[Name, ...]
    review_by: int | None
    span: Span


class CapabilityText(NamedTuple):
    """An entry of `capabilities`."""

    name: Name
    tested_by: Name | None
    hole: HoleText | None
    holds: tuple[Name, ...]
    span: Span


class Pin(NamedTuple):
    """`name@sha256:...`; `digest` is None when it is missing or elided."""

    text: str
    digest: str | None
    span: Span


class BeliefText(NamedTuple):
    """An entry of `believable only if`."""

    claim: str
    role: Name | None
    expires: int | None
    span: Span


class EvaluationText(NamedTuple):
    """An entry of `evaluations`. A hole has no test; anything else has one, unless it is broken.

    `bank` is how many items the bank holds that the claim is about; 0 for a population.
    """

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
    accept_earlier: bool = False
    refuse_provenance: tuple[str, ...] = ()
    reach_issuer: bool = False
    span: Span = Span("", 1, 1, 1, 1)
    estimand: Estimand = "population"
    clustered_by: str = ""
    bank: int = 0
    concept: Name | None = None


class SafeguardText(NamedTuple):
    """An entry of `safeguards`."""

    name: Name
    means: Pin | None
    stops: str
    because: Pin | None
    fails_if: tuple[Count, ...]
    by: Name | None
    valid_time: int | None
    span: Span
    concept: Name | None = None


class ContextText(NamedTuple):
    """An entry of `contexts`."""

    name: Name
    action: Name | None
    scaffolds: tuple[str, ...] | None
    withdraws: bool
    span: Span


class CommitmentText(NamedTuple):
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
    about: tuple[str, ...] = ()
    modality: Modality = "must"
    unsettled: Unsettled = "hold"


class ExceptionText(NamedTuple):
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


class ScopeText(NamedTuple):
    """From which scale on the policy binds; `condition` None binds everything."""

    condition: Phrase | None
    every_developer: bool
    span: Span


class AmendmentText(NamedTuple):
    """`amendments`, with the roles where they stand."""

    rule: AmendmentRule = AmendmentRule()
    approved_by: tuple[Name, ...] = ()


# ---------------------------------------------------------------- what the gate does not decide on


class EventText(NamedTuple):
    """`incident-reported by regulator`: a statement that starts or ends a clock."""

    predicate: Name
    role: Name


class ObligationText(NamedTuple):
    """An entry of `obligations`; durations in seconds, `met` None where it could not be read."""

    name: Name
    does: str = ""
    within: int | None = None
    every: int | None = None
    starts: tuple[EventText, ...] = ()
    met: EventText | None = None
    modality: Modality = "must"
    about: tuple[str, ...] = ()


class LawText(NamedTuple):
    """`legal text`."""

    title: str
    version: str
    in_force: int | None
    jurisdiction: str
    text: Pin | None
    span: Span


class MandateText(NamedTuple):
    """An entry of `roles` under `mandates`."""

    name: Name
    independent_of: tuple[str, ...] = ()
    quorum: int = 1


class DeclaredText(NamedTuple):
    """An entry of `declares`."""

    name: Name
    says: str
    modality: Modality = "must"
    number: str = ""


class OriginText(NamedTuple):
    """Where an entry of an encoding comes from, as `source` and `read` say."""

    source: Name | None
    read: Read
    span: Span


class DutiesText(NamedTuple):
    """What a policy promises besides holding. Origins go by path, such as `commitments.autonomy`."""

    law: LawText | None = None
    mandates: tuple[MandateText, ...] = ()
    obligations: Mapping[str, ObligationText] = _NONE
    declares: Mapping[str, DeclaredText] = _NONE
    assumes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = _NONE
    unread: tuple[Name, ...] = ()
    origins: Mapping[str, OriginText] = _NONE


class Policy(NamedTuple):
    """A policy text, read. Mappings go by name, in the order of the text."""

    id: str
    version: str
    issuer: str
    kind: PolicyKind
    effective: int
    scope: ScopeText | None
    roles: Mapping[str, RoleText] = _NONE
    capabilities: Mapping[str, CapabilityText] = _NONE
    evaluations: Mapping[str, EvaluationText] = _NONE
    contexts: Mapping[str, ContextText] = _NONE
    safeguards: Mapping[str, SafeguardText] = _NONE
    commitments: Mapping[str, CommitmentText] = _NONE
    exceptions: Mapping[str, ExceptionText] = _NONE
    amendments: AmendmentText = AmendmentText()
    countersigned_by: tuple[Name, ...] = ()
    stop_orders_by: tuple[Name, ...] = ()
    elicitation_allowance: Fraction = Fraction(1, 100)
    mitigation_cap: Fraction = Fraction(1, 100)
    teachers_count: bool = True
    existing_scale: int = 0
    span: Span = Span("", 1, 1, 1, 1)
    duties: DutiesText = DutiesText()
