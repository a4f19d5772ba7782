"""Permits in the hands of jobs: what each was given, how far each went, and checkpoints that no permit covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.coverage import MAKES_WEIGHTS, Coverage
from scalegate.audit.decisions import added_policies, record_in
from scalegate.audit.entries import Audited
from scalegate.audit.report import Report
from scalegate.core.canonical import digest
from scalegate.core.events import DecisionMade, Entry, PermitRevoked
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.quantities import show_count, show_flop
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.claims import known_of
from scalegate.ledger.log import MAX_SKEW


@dataclass(slots=True)
class _Seen:
    """What was claimed and reported so far.

    Attributes:
        permits: by their digests.
        claims: by digest of the permit.
        last: the last report of each job, by the job's key.
        revoked: when each permit was revoked, by its digest.
    """

    permits: dict[str, DecisionMade] = field(default_factory=dict)
    claims: dict[str, PermitClaimed] = field(default_factory=dict)
    last: dict[str, JobReported] = field(default_factory=dict)
    revoked: dict[str, int] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        match entry.event:
            case DecisionMade(answer="permit") as event:
                self.permits[event.decision] = event
            case PermitClaimed() as event:
                self.claims[event.decision] = event
            case JobReported() as event:
                self.last[self.claims[event.decision].key] = event
            case PermitRevoked() as event:
                self.revoked.setdefault(event.decision, entry.at)
            case _:
                pass

    def first(self, claim: PermitClaimed) -> PermitClaimed:
        """Return the claim that a job began with, before every renewal."""
        seen: set[str] = set()
        while claim.follows in self.claims and claim.follows not in seen:
            seen.add(claim.follows)
            claim = self.claims[claim.follows]
        return claim


def audit_jobs(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Derive every claim again, and look for jobs and checkpoints beyond their permits."""
    chronicle, seen, coverage = Chronicle(), _Seen(), Coverage(report)
    counts = {"claims": 0, "reports": 0}
    wrong = dict.fromkeys(counts, 0)
    for entry in audited.entries:
        room, found = "", ""
        if isinstance(entry.event, PermitClaimed):
            room, found = "claims", _claim(bundle, chronicle, seen, entry.event, entry, report)
        elif isinstance(entry.event, JobReported):
            room, found = "reports", _report(seen, entry, entry.event, report)
        if room:
            counts[room] += 1
            wrong[room] += bool(found)
        if found:
            report.add(room, "failed", found, entry.index)
        coverage.add(chronicle, entry)
        chronicle.add(entry)
        chronicle.terms = audited.terms.get(entry.index, chronicle.terms)
        seen.add(entry)
    words: Mapping[str, tuple[str, str]] = {
        "claims": ("claim", "says what the log knows of its subject"),
        "reports": ("report", "stays within its permit"),
    }
    for room, count in counts.items():
        if count and not wrong[room]:
            noun, claim = words[room]
            report.add(room, "passed", f"{show_count(count, noun)}: each {claim}")
    coverage.close()


def _claim(
    bundle: Bundle, chronicle: Chronicle, seen: _Seen, claim: PermitClaimed, entry: Entry, report: Report
) -> str:
    records, force = chronicle.at(entry.at)
    permit = seen.permits[claim.decision]
    if claim.subject not in records.subjects:
        return f"the claim of {claim.job} is about a subject that was not declared"
    try:
        extra = added_policies(bundle, chronicle, permit)
    except KeyError:
        report.add("claims", "impossible", f"what the claim of {claim.job} rests on: a policy is missing", entry.index)
        return ""
    except (BundleError, ValueError) as error:
        return f"a policy behind the claim of {claim.job} is not to be trusted: {error}"
    known = known_of(records, [*force.kernels, *extra], permit)
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
        cited, children = node.get("evidence", []), node.get("children", [])
        if not isinstance(cited, list) or not isinstance(children, list):
            raise BundleError("its argument has other parts than evidence and children")
        if not all(isinstance(item, str) for item in cited):
            raise BundleError("its argument cites what is no digest")
        found.update(cited)
        todo += children
    return sorted(found)


def _report(seen: _Seen, entry: Entry, event: JobReported, report: Report) -> str:
    """Return what is wrong with a report: how far its job went, until when, and whether it counted that."""
    claim = seen.claims[event.decision]
    before = seen.last.get(claim.key)
    if claim.action not in MAKES_WEIGHTS:
        worked = event.step or event.flop
        return f"job {event.job} trained on a permit for {claim.action}, which makes no weights" if worked else ""
    if event.reached > claim.limit:
        reached, limit = show_flop(event.reached), show_flop(claim.limit)
        return f"job {event.job} reached {reached} FLOP of effective compute, and was permitted {limit}"
    first = seen.first(claim)
    least = min(first.spent, claim.spent) + event.flop if first.subject == claim.subject else claim.spent
    if event.reached < least:
        reached, computed = show_flop(event.reached), show_flop(least)
        return f"job {event.job} counts less than it computed: {reached} FLOP instead of {computed}"
    if event.flop <= (before.flop if before is not None else 0):
        return ""
    if event.at > claim.expires + MAX_SKEW:
        return f"job {event.job} trained on after its permit had ended"
    end = seen.revoked.get(claim.decision)
    if end is None or event.at <= end + MAX_SKEW:
        return ""
    if before is not None and before.at > end + MAX_SKEW:
        return f"job {event.job} trained on after its permit was revoked"
    report.add("reports", "impossible", f"whether job {event.job} trained on after its permit was revoked", entry.index)
    return ""
