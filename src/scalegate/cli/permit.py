"""`scalegate permit`: the permits that were given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from scalegate.app.orders import revoke as revoke_permit
from scalegate.cli import exits
from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import (
    examples,
    format_option,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe
from scalegate.core.events import DecisionMade, Entry, History, PermitRevoked
from scalegate.core.job_events import PermitClaimed
from scalegate.core.quantities import show_flop
from scalegate.gate.record import flop, moment

_REVOKE = "scalegate permit revoke 12 --by 'M. Ito' --role regulator"

permit = LazyGroup(
    "permit",
    lazy={
        "list": ("scalegate.cli.permit:list_permits", "list permits and how they ended"),
        "revoke": ("scalegate.cli.permit:revoke", "end a permit at once"),
        "write": ("scalegate.cli.permit_file:write", "write the file of a claimed permit again"),
        "check": ("scalegate.cli.permit_file:check", "check a permit offline"),
        "report": ("scalegate.cli.permit_file:report", "record what the job of a permit reported"),
        "pulse": ("scalegate.cli.permit_file:pulse", "say, signed, whether a permit still stands"),
    },
    text="Permits: leases with bounds, in the history and in the hands of jobs.",
    epilog=examples("scalegate permit check orion.permit --trust acme.trust", _REVOKE),
)


@click.command("list", epilog=examples("scalegate permit list", "scalegate permit list --format json"))
@store_option
@format_option
@click.pass_context
def list_permits(ctx: click.Context, store: Path | None, output: Output) -> int:
    """List every permit that was given."""
    book = open_book(ctx, store)
    page = book.page()
    given = [entry for entry in page.history.entries if _is_permit(entry)]
    gone = _revoked(page.history)
    claims = {event.decision: event for _, event in page.records.claims}
    rows = [_row(entry, page.now, gone, claims) for entry in given]
    if output.form == "json":
        output.json({"permits": rows})
    elif output.form == "plain":
        output.lines(safe(", ".join(f"{name} {value}" for name, value in row.items())) for row in rows)
    else:
        keys = ("number", "state", "action", "subject", "limit", "expires", "job", "host")
        table = [keys, *(tuple(_cell(row, key) for key in keys) for row in rows)]
        output.lines(columns(table) if rows else ["no permit was given"])
    return exits.YES


def _cell(row: dict[str, object], key: str) -> str:
    value = row[key]
    return show_flop(int(str(value))) if key == "limit" and value else str(value or "-")


def _is_permit(entry: Entry) -> bool:
    return isinstance(entry.event, DecisionMade) and entry.event.answer == "permit"


def _revoked(history: History) -> set[str]:
    return {entry.event.decision for entry in history.entries if isinstance(entry.event, PermitRevoked)}


def _row(entry: Entry, now: int, gone: set[str], claims: Mapping[str, PermitClaimed]) -> dict[str, object]:
    event = entry.event
    if not isinstance(event, DecisionMade):
        raise TypeError("a permit is a DecisionMade")
    claim = claims.get(event.decision)
    state = "expired" if event.expires <= now else "given"
    return {
        "number": event.number,
        "state": "revoked" if event.decision in gone else state,
        "action": event.action,
        "subject": event.subject,
        "context": event.context,
        "limit": flop(event.limit) if event.limit else None,
        "expires": moment(event.expires),
        "decision": event.decision,
        "job": claim.job if claim else None,
        "host": claim.host if claim else None,
    }


@click.command(epilog=examples(_REVOKE, f"{_REVOKE} --format json"))
@click.argument("which")
@speaker_options
@store_option
@format_option
@click.pass_context
def revoke(ctx: click.Context, which: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Revoke the permit of a number or digest; it ends at once."""
    entry = revoke_permit(open_book(ctx, store), which, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "permit": which},
        f"entry {entry.index}: permit {which} is revoked",
    )
    return exits.YES
