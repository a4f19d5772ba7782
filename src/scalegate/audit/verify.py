"""The whole audit of a bundle: signatures, tree and witnesses; scores from samples; answers from scores.

Every question is answered by code below this floor, the same that answered it first. What is here decides the order,
and that nothing is believed before what it rests on was checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scalegate.audit.attestations import audit_attestations, gates_of
from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.claims import audit_claims
from scalegate.audit.comparisons import audit_comparisons
from scalegate.audit.decisions import audit_decisions
from scalegate.audit.derived import audit_derived
from scalegate.audit.entries import Audited, audit_log, audit_time
from scalegate.audit.jobs import audit_jobs
from scalegate.audit.kept import audit_kept
from scalegate.audit.openings import audit_openings
from scalegate.audit.orders import audit_orders
from scalegate.audit.outcomes import audit_results
from scalegate.audit.refusals import audit_refusals
from scalegate.audit.report import Report
from scalegate.audit.unsealed import Unsealed
from scalegate.core.events import DecisionMade, PermitRevoked
from scalegate.core.quantities import show_duration, show_instant
from scalegate.gate.decide import NOT_CHECKED
from scalegate.ledger.leaf import LeafError, read_leaf
from scalegate.ledger.sealed import OpeningKey
from scalegate.ledger.trust import Trust

BEYOND = (
    *NOT_CHECKED,
    "whether code that never asked the gate trained or served a model",
    "whether a model that is said to have no parent was trained under a permit: only its developer knows when",
    "whether witnesses and developer work together",
)


def verify(
    folder: Path,
    trust: Trust,
    now: int,
    own: Iterable[bytes] = (),
    permits: Iterable[str] = (),
    kept: Iterable[bytes] = (),
    keys: Sequence[OpeningKey] = (),
) -> Report:
    """Audit a bundle with nothing but a trust file.

    Args:
        folder: the bundle.
        trust: the trust file of whoever verifies.
        now: seconds since 1970.
        own: statements that whoever verifies has signed, or has receipts of: they have to be in the log.
        permits: digests of answers that somebody acts on: they have to be permits of the log.
        kept: checkpoints of the log that he kept, or has from others: the log has to continue them.
        keys: his private keys, for logs that were sealed for him.
    """
    report = Report(beyond=BEYOND)
    try:
        bundle = Bundle(folder)
    except BundleError as error:
        report.add("bundle", "untrusted", str(error))
        return report
    audited = audit_log(bundle, trust, report)
    if not audited.complete:
        report.add("entries", "impossible", "everything that rests on the entries: results, answers, completeness")
        return report
    audit_time(audited, trust, now, report)
    audit_kept(audited, trust, kept, report)
    now = max(now, audited.standing.at)
    _own(audited, trust, now, own, report)
    _permits(audited, permits, now, report)
    audit_claims(bundle, audited, report)
    with TemporaryDirectory(prefix="scalegate-") as scratch:
        opened = Unsealed(bundle, keys, Path(scratch))
        audit_orders(opened, audited, report)
        audit_results(opened, audited, now, report)
        audit_refusals(opened, audited, report)
    audit_openings(bundle, audited, report)
    audit_decisions(bundle, audited, report)
    audit_jobs(bundle, audited, report)
    audit_comparisons(bundle, audited, report)
    _documents(bundle, report)
    audit_derived(bundle, audited, report)
    audit_attestations(bundle, audited, gates_of(audited.standing), report)
    return report


def _own(audited: Audited, trust: Trust, now: int, own: Iterable[bytes], report: Report) -> None:
    """Check that the log has what somebody signed for it: a developer could leave out what he does not like."""
    there = {entry.digest for entry in audited.entries}
    count = 0
    for data in own:
        try:
            leaf = read_leaf(data)
        except LeafError as error:
            report.add("inclusion", "failed", f"one of your own statements is none: {error}")
            continue
        if leaf.log != trust.origin:
            continue
        count += 1
        if leaf.digest in there:
            continue
        waits = now - leaf.at
        if waits > trust.include:
            message = f"your statement {leaf.digest} has waited {show_duration(waits)} and is not in the log"
            report.add("inclusion", "untrusted", message)
        else:
            report.add("inclusion", "impossible", f"your statement {leaf.digest} is not in the log, and has time left")
    if count:
        report.add("inclusion", "passed", f"{count} statements of your own were looked for")
    else:
        report.add(
            "inclusion", "impossible", "whether statements were kept out of the log: none of your own were given"
        )


def _documents(bundle: Bundle, report: Report) -> None:
    """Check the digests of documents that no check has read: somebody else may read them."""
    for mark in bundle.unread():
        try:
            bundle.locate(mark)
        except (BundleError, KeyError, OSError) as error:
            report.add("documents", "untrusted", f"{mark!a:.120} is not the document of its name: {error!s:.200}")


def _permits(audited: Audited, permits: Iterable[str], now: int, report: Report) -> None:
    given = {item.event.decision: item for item in audited.entries if isinstance(item.event, DecisionMade)}
    revoked = {item.event.decision: item for item in audited.entries if isinstance(item.event, PermitRevoked)}
    for mark in permits:
        entry = given.get(mark)
        if entry is None:
            report.add("permits", "untrusted", f"the log has no answer {mark}: the permit was made outside of it")
        elif not isinstance(entry.event, DecisionMade) or entry.event.answer != "permit":
            report.add("permits", "untrusted", f"answer {mark} is a hold", entry.index)
        elif mark in revoked:
            words = f"whether permit {mark} was acted on in time: it was revoked on {show_instant(revoked[mark].at)}"
            report.add("permits", "impossible", words, revoked[mark].index)
        elif entry.event.expires <= now:
            words = f"whether permit {mark} was acted on in time: it ended on {show_instant(entry.event.expires)}"
            report.add("permits", "impossible", words, entry.index)
        else:
            report.add("permits", "passed", f"permit {mark} is answer {entry.event.number} of the log", entry.index)
