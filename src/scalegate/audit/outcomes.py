"""Every result of a log, counted again from the evaluation log it was read from; and the runs that have none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import lru_cache

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.chosen import RecountError
from scalegate.audit.entries import Audited
from scalegate.audit.redacted import as_registered, find_table, is_blinded, lost, stray
from scalegate.audit.report import Report
from scalegate.audit.results import Registered, examine, judge, result_of
from scalegate.audit.unsealed import SealedError
from scalegate.core.canonical import Plain, canonical_bytes, digest_bytes
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import Entry, PolicyAdopted, ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.core.log_events import OrderDrawn
from scalegate.core.order import shuffled
from scalegate.core.quantities import show_instant
from scalegate.core.reading import Reading
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.records import Records, Run
from scalegate.gate.voices import is_independent
from scalegate.ingest.redact import RedactedTable, RedactionError, reading_of
from scalegate.ledger.leaf import MAX_TIME
from scalegate.ledger.signatures import PublicKey
from scalegate.policy import load


class _OpenError(Exception):
    """A result that cannot be counted again from what is there; the message says why."""


def audit_results(bundle: Bundle, audited: Audited, now: int, report: Report) -> None:
    """Count every result again, draw every order again, and name the registered runs that have no result."""
    chronicle = Chronicle()
    evaluations: dict[str, Evaluation] = {}
    issuers: frozenset[PublicKey] = frozenset()
    kernels: list[Kernel] = []
    counted = same = 0
    for entry in audited.entries:
        event = entry.event
        if isinstance(event, PolicyAdopted):
            evaluations |= evaluations_of(event)
            kernels += kernels_of(event)
        if isinstance(event, ResultReported):
            found = _recount(bundle, chronicle, evaluations, issuers, entry, event, report)
            counted += found is not None
            same += bool(found)
        if isinstance(event, OrderDrawn):
            _redraw(bundle, chronicle, entry, event, report)
        chronicle.add(entry)
        issuers = audited.speakers.get(entry.index, issuers)
    if counted:
        message = f"{same} of {counted} results follow from the logs of their runs"
        report.add("results", "passed" if same == counted else "failed", message)
    for name in stray(bundle, audited):
        report.add("redacted", "untrusted", f"{name!a:.120} is the table of no result of the log")
    _complete(chronicle, kernels, now, report)


def evaluations_of(event: PolicyAdopted) -> dict[str, Evaluation]:
    """Return the evaluations of an adopted policy by digest; none of a text that cannot be read."""
    return {item.digest: item for kernel in kernels_of(event) for item in kernel.evaluations.values() if item.digest}


@lru_cache(maxsize=64)
def kernels_of(event: PolicyAdopted) -> tuple[Kernel, ...]:
    """Return the policy that was adopted, if its text can be read: several checks ask, and reading it is slow."""
    try:
        return (load(event.text, f"{event.policy}.yaml"),)
    except DiagnosticError:
        return ()  # the gate holds everything under such a policy


def _recount(
    bundle: Bundle,
    chronicle: Chronicle,
    evaluations: dict[str, Evaluation],
    issuers: frozenset[PublicKey],
    entry: Entry,
    event: ResultReported,
    report: Report,
) -> bool | None:
    """Return whether a result follows from its log; None where that cannot be said."""
    run = chronicle.run(event.run)
    if run is None:
        report.add(
            "results",
            "failed",
            f"entry {entry.index} reports run `{event.run}`, which was never registered",
            entry.index,
        )
        return False
    evaluation = evaluations.get(run.plan.evaluation)
    if evaluation is None:
        report.add("results", "impossible", f"run `{event.run}`: no policy of the log has its evaluation", entry.index)
        return None
    registered = Registered(run.plan, run.entry.at, evaluation, issuers)
    try:
        derived, table = _derive(bundle, chronicle, registered, entry, event)
    except _OpenError as error:
        report.add("results", "impossible", f"run `{event.run}`: {error}", entry.index)
        return None
    except (BundleError, RecountError, RedactionError, OSError) as error:
        report.add("results", "untrusted", f"run `{event.run}`: {error}", entry.index)
        return False
    if isinstance(derived, str):
        report.add("results", "untrusted", f"run `{event.run}`: its log is refused: {derived}", entry.index)
        return False
    wrong = [item.name for item in fields(event) if getattr(derived, item.name) != getattr(event, item.name)]
    if wrong:
        told = ", ".join(
            f"{name} {getattr(event, name)!r:.40} for {getattr(derived, name)!r:.40}" for name in wrong[:4]
        )
        source = "log" if table is None else "redacted table"
        report.add(
            "results",
            "untrusted",
            f"run `{event.run}` was recorded otherwise than its {source} says: {told}",
            entry.index,
        )
    elif table is not None:
        _tell_table(table, entry, event, report)
        return None
    return not wrong


def _tell_table(table: RedactedTable, entry: Entry, event: ResultReported, report: Report) -> None:
    """Say what a redacted table shows of a result, and what it does not."""
    words = f"run `{event.run}`: its counts follow from a redacted table of {len(table.records)} samples"
    report.add("redacted", "passed", words, entry.index)
    for sentence in lost(table):
        report.add("redacted", "impossible", f"run `{event.run}`: {sentence}", entry.index)


def _derive(
    bundle: Bundle, chronicle: Chronicle, registered: Registered, entry: Entry, event: ResultReported
) -> tuple[ResultReported | str, RedactedTable | None]:
    """Return the result that the log comes to, or why it is refused, and the table that stood for a missing log."""
    table = find_table(bundle, entry, event)
    plan = registered.plan
    try:
        reading = _reading(bundle, registered, event)
        content, table = reading.content, None
    except KeyError as error:
        if table is None:
            raise _OpenError(_absent(error)) from error
        reading, content = reading_of(table), event.content
        plan = _plan_for(table, plan)
    other = chronicle.offered(event.run, (event.log, content))
    held = replace(registered, plan=plan)
    try:
        judged = judge(reading, held, other, entry.at, bundle.blob, "" if plan.scorer else event.scorer)
    except RecountError as error:
        if error.code == "items-missing":
            raise _OpenError("its registered items are not in the bundle") from error
        raise
    if judged.counted is None:
        return judged.refusal.message if judged.refusal else "it cannot be counted", table
    derived = result_of(judged, judged.counted, held, (event.log, *event.beside), event.by, event.role)
    # Salts are secret: that the roots are those of the log is seen where a table or a sample is shown.
    derived = replace(derived, commitments=event.commitments)
    return derived if table is None else as_registered(derived, event, registered.plan), table


def _plan_for(table: RedactedTable, plan: RunRegistered) -> RunRegistered:
    """Return the registration that a table can be held against: blinded items by their number only."""
    if not is_blinded(table):
        return plan
    if plan.sampling is not None:
        raise _OpenError("the items of its redacted table are blinded, and cannot be put in their registered order")
    return replace(plan, item_ids="")


def _absent(error: KeyError) -> str:
    where = "" if isinstance(error, SealedError) else " is not in the bundle"
    return f"{error.args[0]}{where}, and its scores were not counted again"


def _reading(bundle: Bundle, registered: Registered, event: ResultReported) -> Reading:
    paths = [bundle.locate(mark) for mark in (event.log, *event.beside)]
    edited, issuers = registered.evaluation.accept_edited, registered.issuers
    return examine(paths[0], paths[1] if len(paths) > 1 else None, edited=edited, issuers=issuers)


def _redraw(bundle: Bundle, chronicle: Chronicle, entry: Entry, event: OrderDrawn, report: Report) -> None:
    """Check that the order of a run is the one that its seed draws."""
    run = chronicle.run(event.run)
    sampling = run.plan.sampling if run is not None else None
    if sampling is None or sampling.seed:
        report.add(
            "orders",
            "failed",
            f"entry {entry.index} draws an order for run `{event.run}`, which has none to draw",
            entry.index,
        )
        return
    try:
        bank = _lists(bundle.blob(sampling.order))
    except KeyError:
        report.add(
            "orders",
            "impossible",
            f"whether the order of run `{event.run}` was drawn: its bank is not in the bundle",
            entry.index,
        )
        return
    except (BundleError, ValueError) as error:
        report.add("orders", "untrusted", f"the bank of run `{event.run}`: {error}", entry.index)
        return
    units = {unit[0]: unit for unit in bank}
    if len(sampling.reported) not in (0, len(units)):
        words = f"the registration of run `{event.run}` has not one outcome for each item of its bank"
        report.add("orders", "untrusted", words, entry.index)
        return
    chosen = [list(units[name]) for name in shuffled(units, event.seed)[: sampling.units]]
    told = dict(zip(units, sampling.reported, strict=False))
    reported = "".join(told[unit[0]] for unit in chosen) if told else ""
    order: list[Plain] = [[*unit] for unit in chosen]
    items = sum(map(len, chosen))
    drawn = replace(event, order=digest_bytes(canonical_bytes(order)), items=items, reported=reported)
    if drawn != event:
        report.add(
            "orders", "untrusted", f"the order of run `{event.run}` is not the one that its seed draws", entry.index
        )


def _lists(data: bytes) -> list[list[str]]:
    try:
        found = json.loads(data)
    except RecursionError as error:
        raise BundleError("it is no JSON") from error
    if not isinstance(found, list) or not all(isinstance(unit, list) and unit for unit in found):
        raise BundleError("it is no list of samples")
    # Encoded once: half of a surrogate pair is no name of an item.
    return [[str(item).encode().decode() for item in unit] for unit in found]


def _voided(records: Records, run: Run, kernels: Iterable[Kernel]) -> bool:
    """Whether somebody voided a run whom every policy that asks for its evaluation calls independent of the developer.

    A policy that asks for none of it has no say: it could have been adopted for the sake of the void.
    """
    asking = [
        kernel for kernel in kernels if any(item.digest == run.plan.evaluation for item in kernel.evaluations.values())
    ]
    return bool(asking) and any(
        all(is_independent(records, kernel, void.role, void.by) for kernel in asking) for _, void in run.voids
    )


def _complete(chronicle: Chronicle, kernels: Sequence[Kernel], now: int, report: Report) -> None:
    """Name the registered runs that have no result."""
    records, _ = chronicle.at(MAX_TIME)
    open_runs = [run for run in records.runs.values() if run.result is None and not _voided(records, run, kernels)]
    overdue = [run for run in open_runs if run.plan.report_by < now]
    for run in overdue:
        when = show_instant(run.plan.report_by)
        report.add(
            "completeness", "failed", f"run `{run.plan.run}` has no result, which was due on {when}", run.entry.index
        )
    if not overdue:
        message = f"{len(records.runs)} registered runs have a result, are void, or have time left"
        report.add("completeness", "passed", message)
