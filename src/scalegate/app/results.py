"""Results: a log is kept, read, weighed against its registration, and recorded for what it is.

A log is first copied into the store and then read from there, so that what was judged is what is
kept. A log that is refused stays visible as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from pathlib import Path

from scalegate.app.bindings import adopted, check_speaker
from scalegate.app.book import Book, Page, Speaker
from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.app.registered import column, metric, offered_before
from scalegate.app.runs import find_run, planned_items
from scalegate.core.events import Entry, ResultRefused, ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import (
    SHORTFALLS,
    AtLeast,
    Finding,
    Reading,
    Severity,
    SingleTry,
    Tally,
    TallyRule,
    worst,
)
from scalegate.gate.provenance import flaws
from scalegate.gate.records import Run
from scalegate.ingest.admissibility import tally, untimely
from scalegate.ingest.read import read_lm_eval_run, read_log
from scalegate.ingest.registration import shortfalls, strangers
from scalegate.stats.binomial import BoundError, Interval, interval

# A file that is no log at all is a slip of the hand, and not recorded as an attempt.
NO_LOG = frozenset({"E101", "E102", "E103"})
# A run that chose what to stop at by what it saw.
EARLY = frozenset({"E501"})

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
    if reading.evidence_class == "aggregate" and evaluation.accept_aggregate and stop is None:
        chosen = metric(reading, found.plan, scorer)
        counts, derived = _aggregate(reading, chosen.word, found.plan)
    else:
        items = planned_items(book, found.plan)
        chosen = column(reading, found.plan, scorer, lambda word: tally(reading, word, rule(evaluation), items))
        counts, derived = tally(reading, chosen.word, rule(evaluation), items), False
    if counts.refusal is not None and counts.refusal.severity != "inconclusive":
        return _refuse(book, run, paths[0], speaker, reading, counts.findings)
    late = untimely(reading, found.entry.at, page.now)
    counts = replace(counts, findings=(*counts.findings, *late, *shortfalls(found.plan, reading, late=chosen.late)))
    return _report(book, run, paths, speaker, reading, counts, evaluation, scorer=chosen.word, derived=derived)


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


def _aggregate(reading: Reading, word: str, plan: RunRegistered) -> tuple[Tally, bool]:
    """Return the counts that a published share stands for, and whether their number was derived.

    A count that the share leaves open, for rounding, is missing: it widens both ends.
    """
    chosen = next(item for item in reading.aggregates if item.metric == word and item.value is not None)
    value, n = chosen.value, chosen.n
    if value is None or n is None or not 0 <= value <= 1:
        return Tally(plan.items, 0, 0, plan.items, binary=False, findings=reading.findings), False
    if n > plan.items:
        raise RefusalError(
            "untrusted",
            "items-more",
            f"the report counts {n} items, and {plan.items} were registered",
        )
    exact = value * n
    fewest, most = floor(exact), ceil(exact)
    missing = plan.items - fewest - (n - most)
    counts = Tally(plan.items, fewest, n - most, missing, binary=True, findings=reading.findings)
    return counts, chosen.n_derived


def rule(evaluation: Evaluation) -> TallyRule:
    """Return how the tries of one item make it a success."""
    score = evaluation.score
    return SingleTry() if (score.least, score.tries) == (1, 1) else AtLeast(score.least, score.tries)


def _refuse(book: Book, run: str, log: str, speaker: Speaker, reading: Reading, findings: tuple[Finding, ...]) -> Added:
    stop = worst(findings)
    if stop is None:
        raise RefusalError("internal", "refusal-empty", "a log was refused without a reason")

    def prepare(page: Page) -> ResultRefused:
        _open_run(page, run)
        return ResultRefused(run, log, stop.code, stop.message, speaker.name, speaker.role, reading.content)

    return Added(book.record(prepare), None, None, stop, findings)


def _report(  # noqa: PLR0913 - everything that a result is made of
    book: Book,
    run: str,
    kept: Sequence[str],
    speaker: Speaker,
    reading: Reading,
    counts: Tally,
    evaluation: Evaluation,
    *,
    scorer: str,
    derived: bool,
) -> Added:
    stop = counts.refusal
    codes = tuple(sorted({finding.code for finding in counts.findings}))
    adaptive = bool(EARLY.intersection(codes))

    def prepare(page: Page) -> ResultReported:
        plan = _open_run(page, run).plan
        _check_first(page, run, kept[0], reading)
        return ResultReported(
            run=run,
            log=kept[0],
            successes=counts.successes,
            failures=counts.failures,
            missing=plan.items - counts.successes - counts.failures,
            adaptive=adaptive,
            # Whatever else makes a log inconclusive bars the exact bound, too.
            binary=counts.binary and (stop is None or adaptive),
            evidence_class=reading.evidence_class,
            derived=derived,
            provenance=tuple(SHORTFALLS[code] for code in codes if code in SHORTFALLS),
            findings=codes,
            harness=f"{reading.harness} {reading.harness_version}".strip(),
            by=speaker.name,
            role=speaker.role,
            beside=tuple(kept[1:]),
            task=reading.task,
            model=reading.model,
            scorer=scorer,
            content=reading.content,
        )

    entry = book.record(prepare)
    return Added(
        entry,
        counts,
        _bounds(entry, evaluation) if stop is None else None,
        stop,
        counts.findings,
        _warnings(entry, evaluation),
    )


def _bounds(entry: Entry, evaluation: Evaluation) -> Interval | None:
    event = entry.event
    if not isinstance(event, ResultReported):
        return None
    try:
        return interval(
            event.successes,
            event.failures,
            event.missing,
            evaluation.wrongly_stopped,
            evaluation.wrongly_cleared,
        )
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
