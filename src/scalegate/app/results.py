"""Results: a log is kept, read, weighed against its registration, and recorded for what it is.

A log is first copied into the store and then read from there, so that what was judged is what is
kept. A log that is refused stays visible as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scalegate.app.bindings import adopted, check_speaker
from scalegate.app.book import Book, Page, Speaker
from scalegate.app.places import refusal_of
from scalegate.app.redacting import commit
from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.app.runs import find_run, refusals
from scalegate.audit.entries import speakers_of
from scalegate.audit.recount import Counted
from scalegate.audit.results import NO_LOG, Judged, Registered, examine, judge, result_of
from scalegate.core.events import Entry, ResultRefused, ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import (
    Finding,
    Reading,
    Severity,
    SingleTry,
    Tally,
)
from scalegate.gate.provenance import flaws
from scalegate.gate.records import Run
from scalegate.gate.sampling import looked_at
from scalegate.ingest.admissibility import tally
from scalegate.ledger.errors import StoreError
from scalegate.ledger.signatures import PublicKey
from scalegate.stats.binomial import BoundError, Interval, interval
from scalegate.stats.pooling import pooled

_KINDS: dict[Severity, RefusalKind] = {
    "untrusted": "untrusted",
    "malformed": "malformed",
    "refused": "refused",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a log.

    Attributes:
        entry: the result, or the refusal, as recorded.
        counts: what was counted; None where the log was refused.
        bounds: interval at the errors of the policy; None where there is nothing to bound.
        refusal: the worst objection; None when there is none.
        findings: all objections and notes.
        warnings: why the result would not count in favor of a permit.
    """

    entry: Entry
    counts: Tally | None
    bounds: Interval | None
    refusal: Finding | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()


def weigh(reading: Reading) -> dict[str, Tally]:
    """Return the counts of every score of a log, by its own plan and one try of each item."""
    if reading.evidence_class != "samples":
        return {}
    return {item.scorer: tally(reading, item.scorer, SingleTry()) for item in reading.columns}


def add_result(
    book: Book,
    run: str,
    log: Path,
    speaker: Speaker,
    *,
    scorer: str = "",
    results: Path | None = None,
) -> Added:
    """Record the result of a registered run from its log; a run has one result, and a log is one result.

    Args:
        book: where to.
        run: its id.
        log: an Inspect log, a samples or results file of lm-eval, or a receipt that a speaker of the trust file signed.
        speaker: who reports it.
        scorer: the registered scorer again; where none was registered, which of several scores is recorded.
        results: the results file that belongs to a samples file of lm-eval.

    Raises:
        RefusalError: if the run was never registered or has a result, the file is no log, or the
            scorer is not the registered one, or not in the log.
    """
    page = book.page()
    check_speaker(page, speaker)
    found = _open_run(page, run)
    evaluation = _evaluation(page, found.plan)
    _check_scorer(found.plan, scorer)
    paths = [_keep(book, path) for path in (log, results) if path is not None]
    reading = examine(
        book.store.locate_blob(paths[0]),
        book.store.locate_blob(paths[1]) if results else None,
        edited=evaluation.accept_edited,
        issuers=_issuers(book),
    )
    stop = reading.refusal
    if stop is not None and stop.code in NO_LOG:
        raise RefusalError("malformed", stop.code, f"`{log}`: {stop.message}")
    other = page.records.offered(run, (paths[0], reading.content))
    registered = Registered(found.plan, found.entry.at, evaluation)
    with refusals():
        judged = judge(reading, registered, other, page.now, book.store.get_blob, scorer)
    if judged.counted is None:
        return _refuse(book, run, paths[0], speaker, judged)
    commitments = commit(book, book.store.locate_blob(paths[0]), reading)
    return _report(book, paths, speaker, judged, judged.counted, registered, commitments)


def _issuers(book: Book) -> frozenset[PublicKey]:
    """Return whose receipts are read: everybody who may speak here now."""
    try:
        return speakers_of(book.store.standing())
    except StoreError as error:
        raise refusal_of(error) from error


def _open_run(page: Page, run: str) -> Run:
    found = find_run(page, run)
    if found.result is not None:
        raise RefusalError(
            "refused",
            "run-reported",
            f"run `{run}` has its result already",
            "another try is another run, registered before it happens",
        )
    return found


def _check_scorer(plan: RunRegistered, scorer: str) -> None:
    if plan.scorer and scorer not in ("", plan.scorer):
        raise RefusalError(
            "usage",
            "scorer-other",
            f"run `{plan.run}` was registered with the scorer `{plan.scorer}`",
            "leave --scorer out: which score counts is said before the run, not after it",
        )


def _check_first(page: Page, run: str, log: str, reading: Reading) -> None:
    """Refuse a log that somebody else recorded for another run while it was read here."""
    other = page.records.offered(run, (log, reading.content))
    if other:
        raise RefusalError("untrusted", "E419", f"the log was offered for run `{other}` meanwhile")


def _evaluation(page: Page, plan: RunRegistered) -> Evaluation:
    """Return an evaluation of the registered digest from any adopted policy.

    Raises:
        RefusalError: if no adopted policy has it any longer.
    """
    for kernel in adopted(page).values():
        for evaluation in kernel.evaluations.values():
            if evaluation.digest == plan.evaluation:
                return evaluation
    raise RefusalError(
        "refused",
        "evaluation-gone",
        f"no adopted policy has the evaluation that run `{plan.run}` was registered for",
    )


def _keep(book: Book, path: Path) -> str:
    try:
        return book.store.put_file(path)
    except OSError as error:
        ours = error.filename is not None and Path(error.filename) != path
        raise RefusalError(
            "store" if ours else "usage",
            "store-unavailable" if ours else "file-unreadable",
            f"cannot keep `{path}`: {error.strerror}",
        ) from error


def _refuse(book: Book, run: str, log: str, speaker: Speaker, judged: Judged) -> Added:
    stop = judged.refusal
    if stop is None:
        raise RefusalError("internal", "refusal-empty", "a log was refused without a reason")

    def prepare(page: Page) -> ResultRefused:
        _open_run(page, run)
        content = judged.reading.content
        return ResultRefused(run, log, stop.code, stop.message, speaker.name, speaker.role, content)

    return Added(book.record(prepare), None, None, stop, judged.findings)


def _report(
    book: Book,
    kept: Sequence[str],
    speaker: Speaker,
    judged: Judged,
    counted: Counted,
    registered: Registered,
    commitments: str,
) -> Added:
    run, evaluation = registered.plan.run, registered.evaluation
    counts, stop = counted.tally, counted.refusal

    def prepare(page: Page) -> ResultReported:
        plan = _open_run(page, run).plan
        _check_first(page, run, kept[0], judged.reading)
        result = result_of(judged, counted, replace(registered, plan=plan), kept, speaker.name, speaker.role)
        return replace(result, commitments=commitments)

    entry = book.record(prepare)
    return Added(
        entry,
        counts,
        _bounds(entry, find_run(book.page(), run).plan, evaluation) if stop is None else None,
        stop,
        counts.findings,
        _warnings(entry, evaluation),
    )


def _bounds(entry: Entry, plan: RunRegistered, evaluation: Evaluation) -> Interval | None:
    """Return what one result shows by itself, at the errors of the policy."""
    event = entry.event
    if not isinstance(event, ResultReported):
        return None
    errors = evaluation.wrongly_stopped, evaluation.wrongly_cleared
    try:
        if plan.sampling is None:
            return interval(event.successes, event.failures, event.missing, *errors)
        counts = looked_at(evaluation, plan, event)
        if counts is None:
            return None
        shown = pooled([counts], *errors)
        return Interval(shown.lower, shown.upper)
    except BoundError:
        return None


def _warnings(entry: Entry, evaluation: Evaluation) -> tuple[str, ...]:
    event = entry.event
    if not isinstance(event, ResultReported):
        return ()
    found = []
    if evaluation.by is not None and event.role != evaluation.by:
        found.append(f"the policy counts `{evaluation.id}` only by role `{evaluation.by}`")
    if event.evidence_class == "samples" and not event.commitments:
        found.append("its samples cannot be told apart byte by byte: the log can be shown as a whole only")
    return (*found, *(f"run `{event.run}` {words}" for words in flaws(event, evaluation)))


def kind_of(finding: Finding) -> RefusalKind:
    """Return which kind of refusal a refusing finding is."""
    return _KINDS[finding.severity]
