"""Permits in the hands of jobs: what each was given, how far each went, and checkpoints that no permit covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.decisions import record_in
from scalegate.audit.entries import Audited
from scalegate.audit.report import Report
from scalegate.core.canonical import digest
from scalegate.core.decision import Request
from scalegate.core.events import DecisionMade, Entry, SubjectDeclared
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.kernel import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.quantities import show_count, show_flop
from scalegate.core.subject import WEIGHT_EDGES, Subject
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.claims import known_of
from scalegate.gate.decide import decide_next
from scalegate.gate.lineage import Lineage
from scalegate.ledger.log import MAX_SKEW

_MAKES_WEIGHTS = frozenset({TRAIN, NEW_SCALE, MITIGATION})


@dataclass(slots=True)
class _Seen:
    """What was claimed and reported so far.

    Attributes:
        claims: by digest of the permit.
        checkpoints: the last report of each checkpoint, by digest of its files.
        limits: permits to make weights from a subject: its name, and how far.
    """

    permits: dict[str, DecisionMade] = field(default_factory=dict)
    claims: dict[str, PermitClaimed] = field(default_factory=dict)
    checkpoints: dict[str, JobReported] = field(default_factory=dict)
    limits: list[tuple[str, int]] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        match entry.event:
            case DecisionMade(answer="permit") as event:
                self.permits[event.decision] = event
                if event.action in _MAKES_WEIGHTS:
                    self.limits.append((event.subject, event.limit))
            case PermitClaimed() as event:
                self.claims[event.decision] = event
            case JobReported(digest=mark) as event if mark and event.kind != "started":
                self.checkpoints[mark] = event
            case _:
                pass


def audit_jobs(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Derive every claim again, and look for jobs and checkpoints beyond their permits."""
    chronicle, seen = Chronicle(), _Seen()
    counts = {"claims": 0, "reports": 0, "checkpoints": 0}
    wrong = dict.fromkeys(counts, 0)
    for entry in audited.entries:
        room, found = _look(bundle, chronicle, seen, entry, report)
        if room:
            counts[room] += 1
            wrong[room] += bool(found)
        if found:
            report.add(room, "failed", found, entry.index)
        chronicle.add(entry)
        chronicle.terms = audited.terms.get(entry.index, chronicle.terms)
        seen.add(entry)
    words: Mapping[str, tuple[str, str]] = {
        "claims": ("claim", "says what the log knows of its subject"),
        "reports": ("report", "stays within its permit"),
        "checkpoints": ("trained model", "is covered by a permit, or lies where nothing binds"),
    }
    for room, count in counts.items():
        if count and not wrong[room]:
            noun, claim = words[room]
            report.add(room, "passed", f"{show_count(count, noun)}: each {claim}")


def _look(bundle: Bundle, chronicle: Chronicle, seen: _Seen, entry: Entry, report: Report) -> tuple[str, str]:
    """Return what an entry is to this audit, and what is wrong with it."""
    match entry.event:
        case PermitClaimed() as event:
            return "claims", _claim(bundle, chronicle, seen, event, entry, report)
        case JobReported() as event:
            return "reports", _report(seen, event)
        case SubjectDeclared(subject=subject) if any(edge.kind in WEIGHT_EDGES for edge in subject.parents):
            known, _ = chronicle.at(entry.at)
            if subject.name in known.subjects:
                return "", ""
            return "checkpoints", _trained(chronicle, seen, subject, entry)
        case _:
            return "", ""


def _claim(
    bundle: Bundle, chronicle: Chronicle, seen: _Seen, claim: PermitClaimed, entry: Entry, report: Report
) -> str:
    records, force = chronicle.at(entry.at)
    permit = seen.permits[claim.decision]
    try:
        known = known_of(records, force.kernels, permit)
    except KeyError:
        return f"the claim of {claim.job} is about a subject that was not declared"
    for name in ("digest", "listing", "spent", "factor", "scaffolds"):
        derived, said = getattr(known, name), getattr(claim, name)
        if derived != said:
            return f"the claim of {claim.job} says that the {name} of {claim.subject} is {said}, and it is {derived}"
    try:
        cited = _evidence(record_in(bundle.blob(claim.decision)).get("tree"))
    except KeyError:
        report.add("claims", "impossible", f"what evidence the claim of {claim.job} rests on", entry.index)
        return ""
    except BundleError as error:
        return f"the record behind the claim of {claim.job} is not to be trusted: {error}"
    return "" if digest(cited) == claim.evidence else f"the claim of {claim.job} names other evidence than its permit"


def _evidence(tree: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return the digests that a recorded argument cites, sorted."""
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if not isinstance(node, dict):
            raise BundleError("its argument is none")
        found.update(map(str, node.get("evidence", ())))
        todo += node.get("children", ())
    return sorted(found)


def _report(seen: _Seen, event: JobReported) -> str:
    claim = seen.claims[event.decision]
    if event.reached > claim.limit:
        reached, limit = show_flop(event.reached), show_flop(claim.limit)
        return f"job {event.job} reached {reached} FLOP of effective compute, and was permitted {limit}"
    if event.kind in ("started", "checkpoint") and event.at > claim.expires + MAX_SKEW:
        return f"job {event.job} trained on after its permit had ended"
    return ""


def _trained(chronicle: Chronicle, seen: _Seen, subject: Subject, entry: Entry) -> str:
    """Return why no permit covers a model that was made from another one; empty where one does, or none is needed."""
    records, _ = chronicle.at(entry.at)
    lineage = Lineage({**records.subjects, subject.name: subject}, records.mitigated())
    span = lineage.compute(subject)
    told = seen.checkpoints.get(subject.digest)
    if told is not None and span.high < told.reached:
        return (
            f"{subject.name} was declared with at most {show_flop(span.high)} FLOP of effective compute, and the job "
            f"that made it counted {show_flop(told.reached)}"
        )
    ancestors = lineage.ancestors(subject, WEIGHT_EDGES)
    if any(name in ancestors and limit >= span.low for name, limit in seen.limits):
        return ""
    parents = [edge.parent for edge in subject.parents if edge.kind in WEIGHT_EDGES]
    for parent in parents:
        known = records.subjects.get(parent)
        least = lineage.spent(known) if known is not None else 0
        asked = Request(TRAIN, parent, max(span.low, least), "")
        if decide_next(chronicle, asked, entry.at).answer != "permit":
            reached = show_flop(span.low)
            return f"{subject.name} was trained to {reached} FLOP from {parent}, and no permit covers that"
    return ""
