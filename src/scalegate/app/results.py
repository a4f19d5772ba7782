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
from scalegate.app.counting import EARLY, Counted, count
from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.app.registered import offered_before
from scalegate.app.runs import find_run
from scalegate.core.events import Entry, ResultRefused, ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import (
    SHORTFALLS,
    Finding,
    Reading,
    Severity,
    SingleTry,
    Tally,
    worst,
)
from scalegate.gate.provenance import flaws
from scalegate.gate.records import Run
from scalegate.gate.sampling import looked_at
from scalegate.ingest.admissibility import tally, untimely
from scalegate.ingest.read import read_lm_eval_run, read_log
from scalegate.ingest.registration import shortfalls, strangers
from scalegate.stats.binomial import BoundError, Interval, interval
from scalegate.stats.pooling import pooled

# A file that is no log at all is a slip of the hand, and not recorded as an attempt.
NO_LOG = frozenset({"E101", "E102", "E103"})

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


def examine(log: Path, results: Path | None = None, *, edited: bool = False) -> Reading:
    """Read a log without recording anything.

    Args:
        log: an Inspect log, or a samples or results file of lm-eval.
        results: the results file that belongs to a samples file of lm-eval.
        edited: whether edited scores are accepted.
    """
    if results is None:
        return read_log(log, allow_edited=edited)
    return read_lm_eval_run(results, [log])[0]


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
        log: an Inspect log, or a samples or results file of lm-eval.
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
    )
    stop = reading.refusal
    if stop is not None and stop.code in NO_LOG:
        raise RefusalError("malformed", stop.code, f"`{log}`: {stop.message}")
    other = offered_before(page, run, paths[0], reading.content)
    reading = replace(reading, findings=(*reading.findings, *strangers(found.plan, reading, other)))
    stop = reading.refusal
    if stop is not None and stop.severity != "inconclusive":
        return _refuse(book, run, paths[0], speaker, reading, reading.findings)
    counted = count(book, found.plan, evaluation, reading, scorer)
    if counted.refusal is not None and counted.refusal.severity != "inconclusive":
        return _refuse(book, run, paths[0], speaker, reading, counted.tally.findings)
    late = untimely(reading, found.entry.at, page.now)
    more = (*late, *shortfalls(found.plan, reading, late=counted.chosen.late))
    return _report(book, run, paths, speaker, reading, counted.with_findings(more), evaluation)


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
    other = offered_before(page, run, log, reading.content)
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


def _refuse(book: Book, run: str, log: str, speaker: Speaker, reading: Reading, findings: tuple[Finding, ...]) -> Added:
    stop = worst(findings)
    if stop is None:
        raise RefusalError("internal", "refusal-empty", "a log was refused without a reason")

    def prepare(page: Page) -> ResultRefused:
        _open_run(page, run)
        return ResultRefused(run, log, stop.code, stop.message, speaker.name, speaker.role, reading.content)

    return Added(book.record(prepare), None, None, stop, findings)


def _report(
    book: Book,
    run: str,
    kept: Sequence[str],
    speaker: Speaker,
    reading: Reading,
    counted: Counted,
    evaluation: Evaluation,
) -> Added:
    counts, stop = counted.tally, counted.refusal
    codes = tuple(sorted({finding.code for finding in counts.findings}))

    def prepare(page: Page) -> ResultReported:
        plan = _open_run(page, run).plan
        _check_first(page, run, kept[0], reading)
        early = bool(EARLY.intersection(codes))
        taken = len(counted.path.split()) if evaluation.of_means else len(counted.path)
        return ResultReported(
            run=run,
            log=kept[0],
            successes=counts.successes,
            failures=counts.failures,
            missing=plan.items - counts.successes - counts.failures,
            adaptive=early or (plan.sampling is not None and taken < plan.sampling.units),
            # Whatever else makes a log inconclusive bars the exact bound, too.
            binary=counts.binary and (stop is None or early),
            evidence_class=reading.evidence_class,
            derived=counted.derived,
            provenance=tuple(SHORTFALLS[code] for code in codes if code in SHORTFALLS),
            findings=codes,
            harness=f"{reading.harness} {reading.harness_version}".strip(),
            by=speaker.name,
            role=speaker.role,
            beside=tuple(kept[1:]),
            task=reading.task,
            model=reading.model,
            scorer=counted.chosen.word,
            content=reading.content,
            outcomes=counted.path,
        )

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
    return (*found, *(f"run `{event.run}` {words}" for words in flaws(event, evaluation)))


def kind_of(finding: Finding) -> RefusalKind:
    """Return which kind of refusal a refusing finding is."""
    return _KINDS[finding.severity]
