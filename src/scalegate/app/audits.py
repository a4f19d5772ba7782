"""What a recorded run came to, item by item: what an auditor compares with who runs a part of it again."""

from __future__ import annotations

from scalegate.app.bindings import find_evaluation
from scalegate.app.book import Book
from scalegate.app.refusal import RefusalError
from scalegate.app.runs import find_run
from scalegate.audit.recount import rule
from scalegate.audit.results import examine
from scalegate.ingest.outcomes import item_outcomes


def reported_of(book: Book, run: str) -> dict[str, str]:
    """Return the outcome of every item of a recorded run's log by its id: `1`, `0`, or `-` for one without a score.

    Args:
        book: where the run was recorded, and its log is kept.
        run: its id.

    Raises:
        RefusalError: if the run has no result from samples, or its log is not kept.
    """
    page = book.page()
    found = find_run(page, run)
    if found.result is None or found.result.evidence_class != "samples":
        raise RefusalError(
            "refused",
            "audit-nothing",
            f"run `{run}` has no result from samples",
            "an audit compares with what was reported",
        )
    evaluation = find_evaluation(page, found.plan.evaluation)
    if evaluation.of_means:
        raise RefusalError("usage", "audit-means", f"`{evaluation.id}` is a mean, and audits compare successes")
    try:
        paths = [book.store.locate_blob(mark) for mark in (found.result.log, *found.result.beside)]
    except KeyError as error:
        raise RefusalError("untrusted", "log-missing", f"the log of run `{run}` is not kept") from error
    reading = examine(paths[0], paths[1] if len(paths) > 1 else None, edited=evaluation.accept_edited)
    outcomes = item_outcomes(reading, found.result.scorer, rule(evaluation))
    if not outcomes:
        raise RefusalError("refused", "audit-nothing", f"the log of run `{run}` has no samples")
    return outcomes
