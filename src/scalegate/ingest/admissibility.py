"""From a reading to counts: which items are successes, failures or missing under a rule, and whether that may be used.

Missing never becomes a failure or a success. An item is counted only if its missing tries could not change it; the
rest widens both ends of every bound.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction

from scalegate.core.quantities import show_count, show_instant
from scalegate.core.reading import (
    AtLeast,
    Column,
    Finding,
    ItemId,
    Reading,
    SingleTry,
    Tally,
    TallyRule,
)
from scalegate.ingest.objections import objection
from scalegate.ingest.sanitize import quoted

_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


def tally(
    reading: Reading,
    scorer: str,
    rule: TallyRule,
    registered: int | Collection[ItemId] | None = None,
) -> Tally:
    """Count the items of a log under a rule.

    Args:
        reading: the log.
        scorer: name of a column.
        rule: `SingleTry()`, or `AtLeast(k, n)`.
        registered: the items that were registered before the run, or their number; None takes the log's own plan.
            Registered items without a sample are missing; items outside a registered set are untrusted.

    Returns:
        The counts. Where anything refuses, every planned item counts as missing.
    """
    column = reading.column(scorer)
    planned, findings = _planned(reading, column, registered)
    findings = [*reading.findings, *findings]
    if reading.evidence_class == "aggregate":
        findings.append(objection("E505"))
    elif column is None:
        findings.append(objection("E310", quoted(scorer)))
    if planned == 1:
        findings.append(objection("E504", "a rate needs at least two"))
    if column is None:
        return Tally(planned, 0, 0, planned, binary=False, findings=tuple(findings))
    tries = rule.tries if isinstance(rule, AtLeast) else 1
    needed = rule.successes if isinstance(rule, AtLeast) else 1
    partial = sum(value is not None and value not in (0, 1) for value in column.values)
    if partial:
        findings.append(objection("E502", f"{partial} of {len(column)} scores", scorer))
    if reading.epochs > tries:
        several = f"{reading.epochs} tries per item"
        code = "E503" if isinstance(rule, SingleTry) else "E506"
        findings.append(objection(code, several))
    successes, failures = _count(column, needed, tries)
    counted = Tally(
        planned,
        successes,
        failures,
        planned - successes - failures,
        binary=partial == 0 and reading.epochs <= tries,
        partial=partial,
        findings=tuple(findings),
    )
    if counted.refusal is None:
        return counted
    return Tally(planned, 0, 0, planned, counted.binary, partial, counted.findings)


def untimely(reading: Reading, registered: int, now: int) -> tuple[Finding, ...]:
    """Return what is wrong with when a run began: who registers afterwards has seen what came out.

    A date that no run can have is none.

    Args:
        reading: the log; its start is in whole seconds, rounded down, as the other times are.
        registered: when the run was registered, in seconds UTC.
        now: when its result is reported.
    """
    began = reading.created
    if began is None:
        return (objection("E610"),)
    if not 0 <= began <= now:
        return (objection("E610", "its date lies in the future, or before 1970"),)
    if began < registered:
        return (objection("E609", f"it began {show_instant(began)}, and was registered {show_instant(registered)}"),)
    return ()


def _count(column: Column, needed: int, tries: int) -> tuple[int, int]:
    """Return how many items are successes, and how many failures, whatever the missing tries would have been."""
    hits: dict[str, int] = defaultdict(int)
    misses: dict[str, int] = defaultdict(int)
    for item, value in zip(column.items, column.values, strict=True):
        if value == 1:
            hits[str(item)] += 1
        elif value is not None:
            misses[str(item)] += 1
    successes = sum(count >= needed for count in hits.values())
    failures = sum(count > tries - needed for count in misses.values())
    return successes, failures


def _planned(
    reading: Reading, column: Column | None, registered: int | Collection[ItemId] | None
) -> tuple[int, list[Finding]]:
    """Return the number of items that count, and objections to items that were not registered."""
    seen = {str(item) for item in (column.items if column is not None else ())}
    seen |= {str(item) for item in reading.planned}
    if registered is None:
        if reading.planned_count is None:
            return len(seen), [objection("E507")]
        return max(reading.planned_count, len(seen)), []
    if isinstance(registered, int):
        found = []
        if len(seen) > registered:
            found.append(objection("E415", f"{show_count(len(seen), 'item')}, {registered} registered"))
        return max(registered, len(seen)), found
    known = {str(item) for item in registered}
    strangers = sorted(seen - known)
    if not strangers:
        return len(known), []
    shown = ", ".join(quoted(item, 60) for item in strangers[:3])
    detail = f"{show_count(len(strangers), 'item')}, such as {shown}"
    return len(known | seen), [objection("E415", detail)]


def version_objection(reading: Reading, lowest: str, highest: str) -> Finding | None:
    """Return an objection unless the harness version lies in the range that a policy accepts, both ends included.

    Only the numbers before any suffix are compared: `0.3.154.dev44` counts as 0.3.154. A version that is unknown
    lies in no range.
    """
    found, low, high = map(_numbers, (reading.harness_version, lowest, highest))
    if found is not None and low is not None and high is not None:
        width = max(map(len, (found, low, high)))
        padded = [numbers + (0,) * (width - len(numbers)) for numbers in (low, found, high)]
        if padded == sorted(padded):
            return None
    shown = quoted(reading.harness_version or "unknown")
    return objection("E508", f"{shown} is not within {lowest} to {highest}")


def _numbers(version: str) -> tuple[int, ...] | None:
    match = _VERSION.match(version[:100])
    return tuple(map(int, match[0].split("."))) if match else None


def observed_rate(counts: Tally) -> Fraction | None:
    """Return the rate among items that are not missing, for display only; None when all are."""
    seen = counts.successes + counts.failures
    return Fraction(counts.successes, seen) if seen else None
