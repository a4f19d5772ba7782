"""From the log of a run to its result: recorded when the log is added, and derived again by whoever audits it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scalegate.audit.recount import EARLY, Blob, Counted, count
from scalegate.core.events import ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import SHORTFALLS, Finding, Reading, worst
from scalegate.ingest.admissibility import untimely
from scalegate.ingest.objections import objection
from scalegate.ingest.proofbundle import MAX_RECEIPT, ReceiptError, is_receipt, read_receipt
from scalegate.ingest.read import read_lm_eval_run, read_log
from scalegate.ingest.registration import shortfalls, strangers
from scalegate.ledger.signatures import PublicKey

# A file that is no log at all is a slip of the hand, and not recorded as an attempt.
NO_LOG = frozenset({"E101", "E102", "E103"})
_NO_HARNESS = "E103"


@dataclass(frozen=True, slots=True)
class Registered:
    """What a log is held against.

    Attributes:
        plan: the registration.
        at: when it was made.
        evaluation: what it is of.
        issuers: keys whose receipts are read in place of a log: those in force where the result stands in the log.
    """

    plan: RunRegistered
    at: int
    evaluation: Evaluation
    issuers: frozenset[PublicKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a log came to under its registration.

    Attributes:
        reading: the log, with every objection to it.
        counted: the counts; None where the log is refused.
        findings: why it is refused; empty where it is not.
    """

    reading: Reading
    counted: Counted | None
    findings: tuple[Finding, ...] = ()

    @property
    def refusal(self) -> Finding | None:
        """The worst reason for which the log is refused; None where it is not."""
        return worst(self.findings) if self.counted is None else None


def examine(
    log: Path, results: Path | None = None, *, edited: bool = False, issuers: Collection[PublicKey] = ()
) -> Reading:
    """Read a log, or a receipt in place of one.

    Args:
        log: an Inspect log, a samples or results file of lm-eval, or an evaluation receipt of proofbundle.
        results: the results file that belongs to a samples file of lm-eval.
        edited: whether edited scores are accepted.
        issuers: whose receipts are read.
    """
    if results is not None:
        return read_lm_eval_run(results, [log])[0]
    reading = read_log(log, allow_edited=edited)
    if reading.refusal is None or reading.refusal.code != _NO_HARNESS:
        return reading
    with log.open("rb") as file:
        data = file.read(MAX_RECEIPT + 1)
    if not is_receipt(data):
        return reading
    try:
        return read_receipt(data, issuers).reading
    except ReceiptError as error:
        return replace(reading, findings=(objection("E421", str(error)),))


def judge(reading: Reading, registered: Registered, other: str, now: int, blob: Blob, scorer: str) -> Judged:
    """Hold a log against the registration of its run.

    Args:
        reading: the log.
        registered: the run.
        other: another run that the log was offered for before; empty for none.
        now: when it is added, in seconds since 1970.
        blob: returns the bytes of a digest: the registered items, and their order.
        scorer: which of several scores is recorded, where none was registered.

    Raises:
        RecountError: if the log has no such score, or the registered items are not kept.
    """
    reading = replace(reading, findings=(*reading.findings, *strangers(registered.plan, reading, other)))
    stop = reading.refusal
    if stop is not None and stop.severity != "inconclusive":
        return Judged(reading, None, reading.findings)
    counted = count(blob, registered.plan, registered.evaluation, reading, scorer)
    if counted.refusal is not None and counted.refusal.severity != "inconclusive":
        return Judged(reading, None, counted.tally.findings)
    late = untimely(reading, registered.at, now)
    more = (*late, *shortfalls(registered.plan, reading, late=counted.chosen.late))
    return Judged(reading, counted.with_findings(more))


def result_of(
    judged: Judged, counted: Counted, registered: Registered, kept: Sequence[str], by: str, role: str
) -> ResultReported:
    """Return the result that is recorded of a log.

    Args:
        judged: the log.
        counted: its counts.
        registered: the run.
        kept: digests of the files: the log first.
        by: who reports it.
        role: in which role.
    """
    reading, counts, plan = judged.reading, counted.tally, registered.plan
    codes = tuple(sorted({finding.code for finding in counts.findings}))
    early = bool(EARLY.intersection(codes))
    taken = len(counted.path.split()) if registered.evaluation.of_means else len(counted.path)
    return ResultReported(
        run=plan.run,
        log=kept[0],
        successes=counts.successes,
        failures=counts.failures,
        missing=plan.items - counts.successes - counts.failures,
        adaptive=early or (plan.sampling is not None and taken < plan.sampling.units),
        # Whatever else makes a log inconclusive bars the exact bound, too.
        binary=counts.binary and (counted.refusal is None or early),
        evidence_class=reading.evidence_class,
        derived=counted.derived,
        provenance=tuple(SHORTFALLS[code] for code in codes if code in SHORTFALLS),
        findings=codes,
        harness=f"{reading.harness} {reading.harness_version}".strip(),
        by=by,
        role=role,
        beside=tuple(kept[1:]),
        task=reading.task,
        model=reading.model,
        scorer=counted.chosen.word,
        content=reading.content,
        outcomes=counted.path,
    )
