"""Logs that were refused, refused again: whoever calls a bad result unreadable has it out of the way."""

from __future__ import annotations

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.chosen import RecountError
from scalegate.audit.entries import Audited
from scalegate.audit.outcomes import evaluations_of
from scalegate.audit.report import Report
from scalegate.audit.results import Judged, Registered, examine, judge
from scalegate.core.events import Entry, PolicyAdopted, ResultRefused
from scalegate.core.kernel import Evaluation
from scalegate.gate.chronicle import Chronicle
from scalegate.ledger.signatures import PublicKey


def audit_refusals(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Judge every refused log again, as it was offered: for its run, at its time, after all others."""
    chronicle = Chronicle()
    evaluations: dict[str, Evaluation] = {}
    issuers: frozenset[PublicKey] = frozenset()
    made = same = 0
    for entry in audited.entries:
        if isinstance(entry.event, PolicyAdopted):
            evaluations |= evaluations_of(entry.event)
        if isinstance(entry.event, ResultRefused):
            made += 1
            same += _judged_again(bundle, chronicle, evaluations, issuers, entry, report)
        chronicle.add(entry)
        issuers = audited.speakers.get(entry.index, issuers)
    if same:
        report.add("refusals", "passed", f"{same} of {made} refused logs are refused again")


def _judged_again(
    bundle: Bundle,
    chronicle: Chronicle,
    evaluations: dict[str, Evaluation],
    issuers: frozenset[PublicKey],
    entry: Entry,
    report: Report,
) -> bool:
    event = entry.event
    run = chronicle.run(event.run) if isinstance(event, ResultRefused) else None
    evaluation = evaluations.get(run.plan.evaluation) if run is not None else None
    if not isinstance(event, ResultRefused) or run is None or evaluation is None:
        return False  # no run, or none that a policy asks for: the refusal stands in nobody's way
    try:
        judged = _judge(bundle, chronicle, Registered(run.plan, run.entry.at, evaluation, issuers), entry, event)
    except KeyError:
        words = f"whether the log offered for run `{event.run}` had to be refused: it is not in the bundle"
        report.add("refusals", "impossible", words, entry.index)
        return False
    except RecountError as error:
        if error.code not in {"items-missing", "order-undrawn"}:
            return True  # it cannot be counted at all
        words = f"whether the log offered for run `{event.run}` had to be refused: {error}"
        report.add("refusals", "impossible", words, entry.index)
        return False
    except (BundleError, OSError) as error:
        report.add("refusals", "untrusted", f"the log that was refused for run `{event.run}`: {error}", entry.index)
        return False
    if judged.refusal is not None:
        return True
    # A file of results that was offered with the samples is not kept, and may have been what was wrong.
    alone = judged.reading.harness != "lm-eval"
    words = f"the log offered for run `{event.run}` is not refused by itself, and was for {event.code}"
    report.add("refusals", "untrusted" if alone else "impossible", words, entry.index)
    return False


def _judge(bundle: Bundle, chronicle: Chronicle, registered: Registered, entry: Entry, event: ResultRefused) -> Judged:
    reading = examine(
        bundle.locate(event.log), None, edited=registered.evaluation.accept_edited, issuers=registered.issuers
    )
    other = chronicle.offered(event.run, (event.log, reading.content))
    return judge(reading, registered, other, entry.at, bundle.blob, "")
