"""`scalegate policy list`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.bindings import adopted
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe, wrap
from scalegate.core.quantities import show_instant


@click.command("list", epilog=examples("scalegate policy list", "scalegate policy list --format json"))
@store_option
@format_option
@click.pass_context
def list_policies(ctx: click.Context, store: Path | None, output: Output) -> int:
    """List the policies of the store: in force or not yet, and what was tried without effect."""
    page = open_book(ctx, store).page()
    force = page.force
    binding = {kernel.id for kernel in force.kernels}
    rows = [
        {
            "id": kernel.id,
            "version": kernel.version,
            "state": "in force" if name in binding else "not in force",
            "kind": kernel.kind,
            "issuer": kernel.issuer,
            "effective": show_instant(kernel.effective),
            "holes": sorted(kernel.holes),
            "exceptions": [item.id for item in kernel.exceptions],
            "digest": kernel.digest,
        }
        for name, kernel in adopted(page).items()
    ]
    notes = [*force.faults, *force.notes]
    if output.form == "json":
        output.json({"policies": rows, "notes": notes})
    elif output.form == "plain":
        output.lines(safe(", ".join(f"{key} {row[key]}" for key in row)) for row in rows)
        output.lines(safe(f"note: {text}") for text in notes)
    else:
        keys = ("id", "version", "state", "kind", "issuer", "effective")
        table = [keys, *(tuple(str(row[key]) for key in keys) for row in rows)]
        output.lines(columns(table) if rows else ["no policy is adopted: everything is held"])
        for row in rows:
            for what in ("holes", "exceptions"):
                items = row[what]
                if isinstance(items, list) and items:
                    output.lines([wrap(f"{what} of {row['id']}: {', '.join(items)}", "  ", "    ")])
        output.lines(wrap(text, "  note: ", "    ") for text in notes)
    return exits.YES
