"""`scalegate ledger serve`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.cli import exits
from scalegate.cli.options import examples, store_option


@click.command(epilog=examples("scalegate ledger serve --port 8800", "scalegate ledger serve --store /srv/acme"))
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; by default any that is free.")
@store_option
def serve(*, host: str, port: int, store: Path | str | None) -> int:
    """Let others read the log over HTTP, as C2SP tlog-tiles: the newest checkpoint, tiles and entries.

    Prints its URL, and answers until it is interrupted. There is no TLS here: put a server that has it in front. What
    entries say is for everybody then; documents that they name are not served. A log in a database is exported instead.
    """
    # Deferred: help does without them.
    from scalegate.adapters.log_server import serve as listen  # noqa: PLC0415
    from scalegate.app.hosting import files_of  # noqa: PLC0415
    from scalegate.app.places import find_store  # noqa: PLC0415
    from scalegate.cli.ledger.witness import answer, tell  # noqa: PLC0415

    files = files_of(store if store is not None else find_store(Path.cwd()))
    answer(lambda: listen(files.read, host, port, report=tell))
    return exits.YES
