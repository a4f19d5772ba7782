"""`scalegate ledger export`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.exporting import Handing
from scalegate.app.exporting import export as write
from scalegate.app.redacting import read_recipients
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output


@click.command(
    epilog=examples(
        "scalegate ledger export audit-2026",
        "scalegate ledger export public --without bio-3 --seal-for auditor.pem",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--without", multiple=True, metavar="RUN", help="A run whose scores are handed over, and not its log.")
@click.option(
    "--withhold",
    multiple=True,
    metavar="RUN",
    help="A run of which neither log, scores nor items are handed over, but for what the log of entries says.",
)
@click.option("--blind", is_flag=True, help="Hide ids and order of items in the scores of runs without their logs.")
@click.option(
    "--seal-for",
    "seal_for",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="A public X25519 key: add what is left out of these runs, readable for its owner only.",
)
@click.option("--attest", is_flag=True, help="Add what the log says as Sigstore bundles, signed by the gate.")
@store_option
@format_option
@click.pass_context
def export(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    folder: Path,
    without: tuple[str, ...],
    withhold: tuple[str, ...],
    blind: bool,
    seal_for: tuple[Path, ...],
    attest: bool,
    store: Path | None,
    output: Output,
) -> int:
    """Write everything into a directory that `scalegate verify` checks offline, and any file server can host.

    What is left out is named in the log by its digest, and `verify` says that it could not look at it. Scores of runs
    without their logs are counted again from redacted tables, where the result committed to them.

    Entries are handed over in any case. They have the counts of each result and, of a sampled run and of audits of it,
    what each item came to in the drawn order: whoever has the items from elsewhere can tell which came to what.
    """
    handing = Handing(frozenset(without), frozenset(withhold), blind, read_recipients(seal_for))
    found = write(open_book(ctx, store), folder, handing, open_keyring() if attest else None)
    output.facts(
        {
            "folder": str(folder),
            "entries": found.entries,
            "documents": found.blobs,
            "left_out": list(found.left),
            "tables": found.tables,
            "sealed": found.sealed,
            "without_tables": list(found.tableless),
        },
        f"wrote {found.entries} entries and {found.blobs} documents into {folder}",
    )
    for run in found.tableless:
        output.warn(f"run `{run}`: its result commits to no samples, so that there is no table of its scores in it")
    if found.left:
        output.hint(f"{len(found.left)} documents are not in it; README there names them")
    return exits.YES
