"""`scalegate status`: one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.review import Standing, Status
from scalegate.app.review import status as look
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe, wrap
from scalegate.core.events import DecisionMade
from scalegate.core.quantities import DAY, HOUR, MINUTE, show_count, show_instant
from scalegate.gate.record import moment


@click.command(epilog=examples("scalegate status", "scalegate status --format json"))
@store_option
@format_option
@click.pass_context
def status(ctx: click.Context, store: Path | None, output: Output) -> int:
    """Show how every subject stands: what would be held, why it may change, what is open.

    Grants nothing; 0 says that the history is whole.
    """
    found = look(open_book(ctx, store))
    if output.form == "json":
        output.json(_record(found))
    elif output.form == "plain":
        output.lines(_plain(found))
    else:
        output.lines(_human(found))
    return exits.YES


def _lists(found: Status) -> dict[str, tuple[str, ...]]:
    return {
        "policies in force": found.policies,
        "open stop orders": found.stops,
        "pending runs": found.pending,
        "missing runs": found.missing,
        "runs with a refused log": found.refused,
        "overdue obligations": found.overdue,
        "holes": found.holes,
        "exceptions": found.exceptions,
        "without effect": found.notes,
    }


def _human(found: Status) -> Iterator[str]:
    yield f"as of {show_instant(found.at)}, {show_count(found.entries, 'entry', 'entries')}; this grants nothing"
    yield ""
    rows: list[tuple[str, ...]] = [("subject", "action", "now", "reasons", "last answer")]
    rows += [
        (item.subject, item.action, item.now, str(item.reasons or "-"), _last(found, item)) for item in found.standings
    ]
    yield from columns(rows) if found.standings else ["no subject is declared"]
    yield ""
    for name, items in _lists(found).items():
        yield wrap(f"{len(items)}" + (f": {', '.join(items)}" if items else ""), f"{name:<24}", " " * 24)


def _plain(found: Status) -> Iterator[str]:
    yield f"as of: {show_instant(found.at)}"
    yield f"entries: {found.entries}"
    for item in found.standings:
        yield safe(
            f"standing: {item.action} of {item.subject}: {item.now}, {item.reasons} reasons, "
            f"last answer {_last(found, item)}"
        )
    for name, items in _lists(found).items():
        yield safe(f"{name}: {len(items)}" + (f": {', '.join(items)}" if items else ""))


def _record(found: Status) -> dict[str, object]:
    return {
        "schema": "scalegate/status/v1",
        "as_of": moment(found.at),
        "entries": found.entries,
        "policies": found.policies,
        "standings": [
            {
                "subject": item.subject,
                "action": item.action,
                "now": item.now,
                "reasons": item.reasons,
                "last": _last_record(item),
            }
            for item in found.standings
        ],
        "stop_orders": found.stops,
        "pending_runs": found.pending,
        "missing_runs": found.missing,
        "refused_runs": found.refused,
        "overdue_obligations": found.overdue,
        "holes": found.holes,
        "exceptions": found.exceptions,
        "without_effect": found.notes,
    }


def _last(found: Status, item: Standing) -> str:
    entry = item.last
    if entry is None or not isinstance(entry.event, DecisionMade):
        return "never asked"
    event = entry.event
    ended = event.answer == "permit" and event.expires <= found.at
    return f"{event.answer} {event.number}, {_age(found.at - entry.at)}" + (", expired" * ended)


def _last_record(item: Standing) -> dict[str, object] | None:
    entry = item.last
    if entry is None or not isinstance(entry.event, DecisionMade):
        return None
    return {
        "answer": entry.event.answer,
        "number": entry.event.number,
        "at": moment(entry.at),
        "expires": moment(entry.event.expires) if entry.event.expires else None,
    }


def _age(seconds: int) -> str:
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"
