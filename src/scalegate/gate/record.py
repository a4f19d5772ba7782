"""A decision as plain data, schema `scalegate/decision/v1`: what is published, digested and kept.

FLOP are decimal text: they go beyond the integers that JSON numbers carry safely. Instants are
ISO 8601 in UTC, and null where something never ends.
"""

from __future__ import annotations

from datetime import UTC, datetime

from scalegate.core.canonical import Plain, digest
from scalegate.core.decision import Decision, ExceptionNote, Limits, Node, Reason
from scalegate.core.diagnostic import Span
from scalegate.core.quantities import UNBOUNDED

SCHEMA = "scalegate/decision/v1"
_CALENDAR_END = 253_402_300_800  # the year 10000, where datetime ends


def decision_record(decision: Decision) -> dict[str, Plain]:
    """Return a decision as plain data; its canonical bytes are what a decision's digest covers."""
    request = decision.request
    return {
        "schema": SCHEMA,
        "as_of": moment(decision.as_of),
        "answer": decision.answer,
        "action": request.action,
        "subject": request.subject,
        "to": flop(request.to),
        "context": request.context,
        "counterfactual": decision.counterfactual,
        "untrusted": decision.untrusted,
        "policies": [{"id": item.id, "version": item.version, "digest": item.digest} for item in decision.policies],
        "reasons": [_reason(item) for item in decision.reasons],
        "remedies": [{"steps": list(item.steps), "attainable": item.attainable} for item in decision.remedies],
        "would_not_release": list(decision.would_not_release),
        "not_checked": list(decision.not_checked),
        "assumptions": list(decision.assumptions),
        "exceptions": [_exception(item) for item in decision.exceptions],
        "limits": _limits(decision.limits),
        "notes": list(decision.notes),
        "head": decision.head,
        "tree": _node(decision.tree),
    }


def decision_digest(decision: Decision) -> str:
    """Return the digest of a decision."""
    return digest(decision_record(decision))


def moment(seconds: int) -> str | None:
    """Return an instant as `2026-11-23T08:14:00Z`; None for one beyond the calendar, or before it."""
    if not 0 <= seconds < _CALENDAR_END:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flop(value: int | None) -> str | None:
    """Return FLOP as decimal text; None for none, or for no limit."""
    return None if value is None or value >= UNBOUNDED else str(value)


def _reason(reason: Reason) -> Plain:
    return {
        "commitment": reason.commitment,
        "policy": reason.policy,
        "kind": reason.kind,
        "message": reason.message,
        "policy_span": _span(reason.policy_span),
        "evidence": list(reason.evidence),
    }


def _exception(note: ExceptionNote) -> Plain:
    return {
        "policy": note.policy,
        "exception": note.exception,
        "commitment": note.commitment,
        "used": note.used,
        "message": note.message,
        "policy_span": _span(note.span),
    }


def _limits(limits: Limits | None) -> Plain:
    if limits is None:
        return None
    return {
        "effective_compute": flop(limits.effective_compute),
        "expires": moment(limits.expires),
    }


def _node(node: Node) -> Plain:
    return {
        "text": node.text,
        "truth": node.truth,
        "kind": node.kind,
        "policy_span": _span(node.span),
        "evidence": list(node.evidence),
        "detail": node.detail,
        "children": [_node(child) for child in node.children],
    }


def _span(span: Span | None) -> Plain:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
