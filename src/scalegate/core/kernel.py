"""The kernel: the one small intermediate form that every policy expands to and every reader agrees on.

Every term of a condition denotes exact intervals (facts), also where policy authors think of yes and no: a
safeguard that was shown is [1, 1], one that failed [0, 0], one nobody spoke of [0, 1]. A condition therefore has
one kind of leaf, a comparison of a term with a constant, and Kleene's connectives above it.

A commitment holds its actions unless `when` is refuted or `until` is proven (policy design, kernel meaning 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias, final

from scalegate.core.diagnostic import Span
from scalegate.core.duties import Duties, Modality, Unsettled
from scalegate.core.terms import Term

# ---------------------------------------------------------------- conditions


@final
@dataclass(frozen=True, slots=True)
class Compare:
    """A term compared with the exact constant `num / den`.

    Attributes:
        term: index into `Kernel.terms`.
        above: True for `>` and `>=`, False for `<` and `<=`.
        edge: True when the constant itself counts as above: for `>=` and for `<`.
        num: numerator of the constant.
        den: positive denominator of the constant.
        text: the comparison as the policy words it.
        span: where it stands.
    """

    term: int
    above: bool
    edge: bool
    num: int
    den: int
    text: str
    span: Span


@final
@dataclass(frozen=True, slots=True)
class Constant:
    """`always` (proven) or `never` (refuted)."""

    proven: bool
    span: Span


@final
@dataclass(frozen=True, slots=True)
class All:
    """Kleene conjunction."""

    parts: tuple[Condition, ...]
    span: Span


@final
@dataclass(frozen=True, slots=True)
class AnyOf:
    """Kleene disjunction."""

    parts: tuple[Condition, ...]
    span: Span


@final
@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation; it swaps restrictive and permissive positions below it."""

    part: Condition
    span: Span


@final
@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` of the parts; proven, refuted or unknown as in Kleene's logic."""

    count: int
    parts: tuple[Condition, ...]
    span: Span


Condition: TypeAlias = Compare | Constant | All | AnyOf | Not | AtLeast

# ---------------------------------------------------------------- what a policy declares

EvaluationKind = Literal["capability", "safety", "understanding"]
Estimand = Literal["population", "bank"]
PolicyKind = Literal["policy", "regime", "reference"]


@dataclass(frozen=True, slots=True)
class Role:
    """Who may say something: `quorum` distinct people, none of whom acts in a role of `independent_of`."""

    name: str
    quorum: int = 1
    of: int | None = None
    members: tuple[str, ...] = ()
    independent_of: tuple[str, ...] = ()

    @property
    def is_outside(self) -> bool:
        """Whether nobody who acts as the developer may act in it."""
        return "developer" in self.independent_of


@dataclass(frozen=True, slots=True)
class Belief:
    """A condition without which a favorable result is not believed. No role: nobody is named, a hole."""

    claim: str
    role: str | None
    expires: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Count:
    """A measured requirement such as `known positives flagged: at least 19 of 20`.

    `least` successes out of at least `trials`; `rate` instead where the policy states a percentage.
    """

    name: str
    least: int
    trials: int
    rate: Fraction | None
    span: Span


@dataclass(frozen=True, slots=True)
class Validity:
    """How long favorable evidence holds, from the checkpoint and the day it was measured on.

    `due_*` is when the evaluation is due, `stop_*` the hard end that only a pending run reaches. `None` in both
    computes and `training` False: it holds for its exact digest and never for training.
    """

    due_compute: Fraction | None = None
    due_time: int | None = None
    stop_compute: Fraction | None = None
    stop_time: int | None = None
    exact: bool = True
    training: bool = False


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How the tries of one item count.

    Attributes:
        text: the score as the policy words it.
        least: an item is a success with at least `least` successes in `tries`; (1, 1) is a plain success rate.
        tries: how often one item is tried.
        mean: scores are numbers in [0, 1] and the value is their mean; `least` is 1 and means nothing, and the
            `tries` of one item are one cluster.
    """

    text: str
    least: int = 1
    tries: int = 1
    mean: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of a policy.

    Attributes:
        digest: identity of the variable it measures (kind, pinned test, score, estimand, size of the bank, clusters);
            None when the test is not pinned.
        hole: the words of the hole, when the evaluation is one.
        wrongly_cleared: error of a false "not above" (missed danger), `wrongly_stopped` of a false "above".
        accept_aggregate: whether a published aggregate may count.
        refuse_provenance: shortfalls the policy does not accept, in the words of `scalegate.core.reading.SHORTFALLS`.
        accept_earlier: whether a run may count that began before it was registered, or does not say when.
        estimand: what the claim is about: the distribution that the items were drawn from, or the pinned bank itself.
        clustered_by: the field of an item's metadata that says which items belong together, and are then one unit of
            evidence; empty when every item is one of its own.
        bank: how many items the bank holds that the claim is about; 0 where it is about a population. It is the word of
            the policy, so that whoever registers a run cannot choose it.
        concept: what an encoding of a published text measures where that names no pinned test; empty elsewhere.
    """

    id: str
    kind: EvaluationKind
    digest: str | None
    test: str
    score: ScoreRule
    elicited_by: tuple[str, ...]
    by: str | None
    wrongly_cleared: Fraction
    wrongly_stopped: Fraction
    validity: Validity
    beliefs: tuple[Belief, ...]
    hidden_capability: tuple[Count, ...]
    shown_to_work: tuple[Count, ...]
    accept_aggregate: bool
    accept_edited: bool
    refuse_provenance: tuple[str, ...]
    hole: str | None
    reach_issuer: bool
    span: Span
    accept_earlier: bool = False
    estimand: Estimand = "population"
    clustered_by: str = ""
    bank: int = 0
    concept: str = ""

    @property
    def of_means(self) -> bool:
        """Whether one sample is a mean: of scores between 0 and 1, or of items that belong together."""
        return self.score.mean or bool(self.clustered_by)


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A required safeguard: pinned means, a reason, and what would show that it fails. `hole` says what is open.

    `concept` is what an encoding of a published text asks for where that names no means; empty elsewhere.
    """

    id: str
    means: str | None
    stops: str
    because: str | None
    fails_if: tuple[Count, ...]
    by: str | None
    valid_time: int | None
    hole: str | None
    span: Span
    concept: str = ""


@dataclass(frozen=True, slots=True)
class HoleSpec:
    """A declared hole: who owns it, who may fill it (all of them must approve), and by when it is reviewed."""

    name: str
    words: str
    owner: str | None
    filled_only_by: tuple[str, ...]
    review_by: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Context:
    """A deployment context: its action and the scaffolds it admits (None: unknown ones too)."""

    name: str
    action: str
    scaffolds: tuple[str, ...] | None
    withdraws: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Exception_:  # noqa: N801 - `Exception` is taken; the field's word is kept
    """An exception clause of this policy: a weaker stated `until` in place of one commitment's."""

    id: str
    instead_of: str
    when: Condition
    until: Condition
    needs: tuple[Condition, ...]
    each: int
    total: int
    window: int
    span: Span


@dataclass(frozen=True, slots=True)
class Commitment:
    """Hold `actions` unless `when` is refuted or `until` is proven.

    `about` are the aspects it belongs to. In an encoding for reference `modality` says how strongly the text binds, and
    `unsettled` what it does where neither condition is settled.
    """

    id: str
    hold: tuple[str, ...]
    actions: frozenset[str]
    when: Condition
    until: Condition
    declared_stop: bool
    span: Span
    about: tuple[str, ...] = ()
    modality: Modality = "must"
    unsettled: Unsettled = "hold"


@dataclass(frozen=True, slots=True)
class AmendmentRule:
    """Who approves amendments, with how much notice; weakening while holding is always refused."""

    approved_by: tuple[str, ...] = ()
    notice: int = 0


@dataclass(frozen=True, slots=True)
class Kernel:
    """A policy, expanded. `digest` is that of the policy's source text; `scope` binds unless refuted.

    `duties` are what it promises besides holding.
    """

    id: str
    version: str
    issuer: str
    kind: PolicyKind
    digest: str
    effective: int
    scope: Condition
    binds_every_developer: bool
    terms: tuple[Term, ...]
    commitments: tuple[Commitment, ...]
    exceptions: tuple[Exception_, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    safeguards: Mapping[str, Safeguard] = field(default_factory=dict)
    holes: Mapping[str, HoleSpec] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)
    stop_orders_by: tuple[str, ...] = ()
    countersigned_by: tuple[str, ...] = ()
    amendments: AmendmentRule = AmendmentRule()
    elicitation_allowance: Fraction = Fraction(1, 100)
    mitigation_cap: Fraction = Fraction(1, 100)
    teachers_count: bool = True
    existing_scale: int = 0
    span: Span = Span("", 1, 1, 1, 1)
    duties: Duties = field(default_factory=Duties)
