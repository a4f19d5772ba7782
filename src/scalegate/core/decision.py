"""A decision: a proof object, never a bool.

Every leaf cites the policy span it applies and the digests of the evidence it read. The JSON form (schema
`scalegate/decision/v1`) has the same fields under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from scalegate.core.diagnostic import Span
from scalegate.core.evidence import ReasonKind

Truth = Literal["proven", "refuted", "unknown"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a subject.

    Attributes:
        action: one of `actions.ACTIONS`.
        subject: the subject's name.
        to: effective compute (its upper end, FLOP, cumulative over the lineage) that training would reach; None for
            actions that make no new model.
        context: deployment context; empty is the worst one.
    """

    action: str
    subject: str
    to: int | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the reason tree.

    Attributes:
        text: what is claimed, in words.
        truth: how it came out.
        kind: reason kind of a leaf that blocks; empty elsewhere.
        span: the policy's words behind it.
        evidence: digests behind it.
        detail: interval, sample counts, age, elicitation.
        children: what it rests on.
    """

    text: str
    truth: Truth
    kind: ReasonKind | Literal[""] = ""
    span: Span | None = None
    evidence: tuple[str, ...] = ()
    detail: str = ""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a permit."""

    policy: str
    commitment: str
    kind: ReasonKind
    message: str
    policy_span: Span | None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """A smallest set of things that together would release the action; `attainable` False says nobody knows how."""

    steps: tuple[str, ...]
    attainable: bool = True


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """A policy that was in force: id, version, digest."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class ExceptionNote:
    """An exception that exists, whether it was used, and what it would do."""

    policy: str
    exception: str
    commitment: str
    used: bool
    message: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a permit: effective compute (None where the action makes no new model) and expiry."""

    effective_compute: int | None
    expires: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request.

    Attributes:
        answer: `permit` or `hold`.
        untrusted: True when the hold rests on distrust of the store itself (exit code 4).
        counterfactual: True when a past question was asked again; never a live permit.
        tree: the whole argument.
        would_not_release: things that look like remedies and are none.
        not_checked: what this decision did not look at.
        assumptions: what it takes on somebody's word.
    """

    as_of: int
    answer: Literal["permit", "hold"]
    request: Request
    policies: tuple[PolicyRef, ...]
    reasons: tuple[Reason, ...]
    remedies: tuple[Remedy, ...]
    would_not_release: tuple[str, ...]
    not_checked: tuple[str, ...]
    assumptions: tuple[str, ...]
    exceptions: tuple[ExceptionNote, ...]
    limits: Limits | None
    tree: Node
    head: str
    untrusted: bool = False
    counterfactual: bool = False
    notes: tuple[str, ...] = field(default=())
