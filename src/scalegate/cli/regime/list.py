"""`scalegate regime list`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.regimes import regimes
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe, wrap
from scalegate.core.duties import LegalText
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import show_instant
from scalegate.policy.phrases import condition_words

_HEAD = ("id", "version", "state", "issuer", "law", "text", "obligations", "roles")


@click.command("list", epilog=examples("scalegate regime list", "scalegate regime list --format json"))
@store_option
@format_option
@click.pass_context
def list_regimes(ctx: click.Context, store: Path | None, output: Output) -> int:
    """List the regimes of the store, with the law that each states, whom they bind, and what they ask."""
    found = regimes(open_book(ctx, store))
    if output.form == "json":
        output.json({"regimes": [_record(kernel, in_force=state) for kernel, state in found]})
        return exits.YES
    rows = [_row(kernel, in_force=state) for kernel, state in found]
    if output.form == "plain":
        output.lines(safe(", ".join(f"{key} {cell}" for key, cell in zip(_HEAD, row, strict=True))) for row in rows)
        return exits.YES
    output.lines(columns([_HEAD, *rows]) if rows else ["no regime is adopted"])
    for kernel, _ in found:
        output.lines([wrap(f"{kernel.id} binds where {condition_words(kernel, kernel.scope)}", "  ", "    ")])
    return exits.YES


def _row(kernel: Kernel, *, in_force: bool) -> tuple[str, ...]:
    law = kernel.duties.law
    return (
        kernel.id,
        kernel.version,
        "in force" if in_force else "not in force",
        kernel.issuer,
        _title(law) if law else "not stated",
        _pin(law),
        ", ".join(kernel.duties.obligations) or "-",
        ", ".join(role.name for role in kernel.duties.mandates) or "-",
    )


def _title(law: LegalText) -> str:
    return f"{law.title} {law.version} ({law.jurisdiction})"


def _pin(law: LegalText | None) -> str:
    if law is None or law.text is None:
        return "a hole: which text is not pinned"
    name, _, mark = law.text.partition("@")
    return f"{name} {mark[:19]}"


def _record(kernel: Kernel, *, in_force: bool) -> dict[str, object]:
    law = kernel.duties.law
    return {
        "id": kernel.id,
        "version": kernel.version,
        "digest": kernel.digest,
        "issuer": kernel.issuer,
        "in_force": in_force,
        "effective": show_instant(kernel.effective),
        "binds": condition_words(kernel, kernel.scope),
        "law": None
        if law is None
        else {
            "title": law.title,
            "version": law.version,
            "in_force": None if law.in_force is None else show_instant(law.in_force),
            "jurisdiction": law.jurisdiction,
            "text": law.text,
        },
        "obligations": [
            {"id": item.id, "does": item.does, "met_by": item.met.role} for item in kernel.duties.obligations.values()
        ],
        "mandates": [
            {"role": role.name, "independent_of": list(role.independent_of), "quorum": role.quorum}
            for role in kernel.duties.mandates
        ],
    }
