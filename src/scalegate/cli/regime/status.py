"""`scalegate regime status`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.regimes import Regimes, regime_status
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe, wrap
from scalegate.core.quantities import FOREVER, show_instant
from scalegate.gate.obligations import Deadline, ObligationState, in_words
from scalegate.gate.record import moment
from scalegate.gate.regimes import Bearing

_SHOWN = 8
_MARKS = {"overdue": "OVERDUE", "running": "due", "met": "met", "not started": "waiting"}


@click.command(epilog=examples("scalegate regime status", "scalegate regime status ca-frontier --format json"))
@click.argument("policy", default="")
@store_option
@format_option
@click.pass_context
def status(ctx: click.Context, policy: str, store: Path | None, output: Output) -> int:
    """Show which regimes bind and why, what is overdue and what is due, and which mandated roles are missing.

    With POLICY, that one alone. Grants nothing: 0 says that nothing that binds is overdue and no mandated role is
    missing, 1 that something is.
    """
    found = regime_status(open_book(ctx, store), policy)
    if output.form == "json":
        output.json(_record(found))
    elif output.form == "plain":
        output.lines(safe(line) for line in _plain(found))
    else:
        output.lines(_human(found))
    return exits.YES if found.fine else exits.NO


def _human(found: Regimes) -> Iterator[str]:
    yield f"as of {show_instant(found.at)}; this grants nothing"
    if not found.bearings:
        yield "no regime is in force, and no policy in force has obligations"
    for item in found.bearings:
        yield ""
        yield safe(_title(item))
        for text in item.because:
            yield wrap(text, "  because   ", " " * 12)
        if not item.binds and item.until < FOREVER:
            yield f"  until     {show_instant(item.until)}, when the first of these words ends"
        for state in item.obligations:
            yield from _clocks(state, binds=item.binds)
        yield from _roles(item)
    for text in found.faults:
        yield wrap(text, "  fault     ", " " * 12)


def _title(item: Bearing) -> str:
    kernel, law = item.kernel, item.kernel.duties.law
    words = f"{kernel.kind} {kernel.id} {kernel.version}"
    if law is not None:
        words += f" ({law.title}, {law.version})"
    if not item.binds:
        return f"{words} does not bind"
    whom = f": {', '.join(item.subjects)}" if item.subjects else ", whatever is declared"
    return f"{words} binds{whom}"


def _clocks(state: ObligationState, *, binds: bool) -> Iterator[str]:
    mark = _MARKS[state.state]
    if state.state == "overdue" and not binds:
        mark = "late"
    duty = state.obligation
    yield wrap(f"{duty.id}: {duty.does}; {in_words(state)}", f"  {mark:<10}", " " * 12)
    for item in state.deadlines[-_SHOWN:]:
        yield f"              {_deadline(item)}"
    if len(state.deadlines) > _SHOWN:
        yield f"              and {len(state.deadlines) - _SHOWN} earlier ones, all in the JSON"


def _deadline(item: Deadline) -> str:
    end = "not met" if item.met is None else f"met {show_instant(item.met)}"
    late = ", late" if item.met is not None and item.met > item.due else ""
    return f"from {show_instant(item.start)}, due {show_instant(item.due)}, {end}{late}"


def _roles(item: Bearing) -> Iterator[str]:
    missing = {lack.role for lack in item.lacks}
    for lack in item.lacks:
        yield wrap(f"{lack.message}: {lack.remedy}", "  MISSING   ", " " * 12)
    met = [role.name for role in item.kernel.duties.mandates if role.name not in missing]
    if met and item.binds:
        yield wrap(f"mandated and declared: {', '.join(met)}", "  roles     ", " " * 12)


def _plain(found: Regimes) -> Iterator[str]:
    yield f"as of: {show_instant(found.at)}"
    for item in found.bearings:
        name = item.kernel.id
        yield f"policy: {_title(item)}"
        yield from (f"because: {name}: {text}" for text in item.because)
        for state in item.obligations:
            late = "yes" if state.ever_late else "no"
            yield f"obligation: {name}/{state.obligation.id}: {in_words(state)}; ever late: {late}"
        yield from (f"missing role: {lack.message}" for lack in item.lacks)
    yield from (f"fault: {text}" for text in found.faults)
    yield f"fine: {'yes' if found.fine else 'no'}"


def _record(found: Regimes) -> dict[str, object]:
    return {
        "schema": "scalegate/regimes/v1",
        "as_of": moment(found.at),
        "fine": found.fine,
        "policies": [_bearing(item) for item in found.bearings],
        "faults": list(found.faults),
    }


def _bearing(item: Bearing) -> dict[str, object]:
    kernel = item.kernel
    missing = {lack.role for lack in item.lacks}
    return {
        "id": kernel.id,
        "version": kernel.version,
        "kind": kernel.kind,
        "digest": kernel.digest,
        "law": kernel.duties.law.title if kernel.duties.law is not None else None,
        "binds": item.binds,
        "subjects": list(item.subjects),
        "because": list(item.because),
        "until": None if item.until >= FOREVER else moment(item.until),
        "obligations": [_obligation(state) for state in item.obligations],
        "roles": [
            {"role": role.name, "declared": role.name not in missing if item.binds else None}
            for role in kernel.duties.mandates
        ],
        "missing_roles": [
            {"role": lack.role, "policy": lack.policy, "message": lack.message, "remedy": lack.remedy}
            for lack in item.lacks
        ],
    }


def _obligation(state: ObligationState) -> dict[str, object]:
    duty = state.obligation
    return {
        "id": duty.id,
        "does": duty.does,
        "modality": duty.modality,
        "state": state.state,
        "at": None if state.at is None else moment(state.at),
        "ever_late": state.ever_late,
        "met_by": {"predicate": duty.met.predicate, "role": duty.met.role},
        "clocks": [
            {
                "start": moment(item.start),
                "due": moment(item.due),
                "met": None if item.met is None else moment(item.met),
                "evidence": list(item.evidence),
            }
            for item in state.deadlines
        ],
    }
