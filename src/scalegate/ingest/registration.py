"""A log beside the registration of its run: what it is another one by, and what nobody registered."""

from __future__ import annotations

from scalegate.core.events import RunRegistered
from scalegate.core.reading import Finding, Reading
from scalegate.ingest.objections import objection
from scalegate.ingest.sanitize import quoted


def strangers(plan: RunRegistered, reading: Reading, other: str = "") -> tuple[Finding, ...]:
    """Return what makes a log another one than was registered: its task, model or scorer, or an earlier use of it.

    Args:
        plan: the registration; empty fields ask for nothing.
        reading: the log.
        other: another run that the log was offered for; empty for none.
    """
    found = []
    for code, planned, said in (("E420", plan.task, reading.task), ("E417", plan.model, reading.model)):
        if planned and planned != said:
            is_of = quoted(said, 200) if said else "none that it names"
            found.append(objection(code, f"{quoted(planned, 200)} was registered, that of the log is {is_of}"))
    names = scores(reading)
    if plan.scorer and names and plan.scorer not in names:
        shown = ", ".join(quoted(name, 60) for name in names[:12])
        found.append(objection("E418", f"{quoted(plan.scorer, 200)} was registered, the log has {shown}"))
    if other:
        found.append(objection("E419", quoted(other, 200)))
    return tuple(found)


def shortfalls(plan: RunRegistered, reading: Reading, *, late: bool) -> tuple[Finding, ...]:
    """Return what was open when the run began, so that the result may have been picked by it.

    Args:
        plan: the registration.
        reading: the log.
        late: one of several scores was chosen after the run.
    """
    found = []
    if late:
        found.append(objection("E611", f"the log has {len(scores(reading))}"))
    partial = any(finding.code == "E607" for finding in reading.findings)
    whole = reading.evidence_class == "aggregate" or reading.planned_count is not None
    if not plan.item_ids and (partial or not whole):
        found.append(objection("E612", "the log does not show that it holds all of its data set"))
    if not plan.task:
        found.append(objection("E613"))
    if not plan.model:
        found.append(objection("E614"))
    return tuple(found)


def scores(reading: Reading) -> list[str]:
    """Return the names of the scores of a log: of its columns, or of its totals."""
    if reading.evidence_class == "samples":
        return [column.scorer for column in reading.columns]
    return list(dict.fromkeys(item.metric for item in reading.aggregates if item.value is not None))
