"""`scalegate ledger witness` and `scalegate ledger witness-serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.core.quantities import show_count, show_instant

if TYPE_CHECKING:
    from scalegate.adapters.listening import Listener
    from scalegate.app.witnessing import Witnessed


@click.command(epilog=examples("scalegate ledger witness", "scalegate ledger witness --timeout 30 --format json"))
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds for each.")
@store_option
@format_option
@click.pass_context
def witness(ctx: click.Context, *, timeout: float, store: Path | None, output: Output) -> int:
    """Have the log cosigned by the witnesses of the trust file, and draw the orders of runs that wait for that.

    0 enough of them cosigned; 3 too few did; 4 a witness knows a longer history of this log, or another one.
    """
    # Deferred: help does without it.
    from scalegate.app.witnessing import ask_witnesses  # noqa: PLC0415

    found = ask_witnesses(open_book(ctx, store), timeout)
    output.facts(
        {
            "size": found.size or None,
            "time": show_instant(found.time) if found.time else None,
            "cosigned": list(found.by),
            "refused": found.reasons if output.form == "json" else [*found.reasons.values()],
            "drawn": list(found.drawn),
            "waiting": list(found.waiting),
            "ahead": sorted(found.ahead),
        },
        _sentence(found),
    )
    for reason in found.reasons.values():
        output.warn(reason)
    if found.ahead:
        output.hint(
            "the log here was cut short or rewritten, or is an old copy: record nothing on it, and compare it with "
            "what the witnesses and auditors have"
        )
        return exits.UNTRUSTED
    if found.waiting:
        output.hint(f"{', '.join(found.waiting)}: the order is drawn once the first witness cosigned the registration")
    return exits.YES if found.size else exits.UNKNOWN


def _sentence(found: Witnessed) -> str:
    if found.size:
        words = f"{', '.join(found.by)} cosigned the log of {show_count(found.size, 'entry', 'entries')}"
        words += f", as of {show_instant(found.time)}"
    else:
        words = "too few witnesses cosigned the log" + (f": only {', '.join(found.by)}" if found.by else "")
    return words + (f"; drew the order of {', '.join(found.drawn)}" if found.drawn else "")


@click.command(
    "witness-serve",
    epilog=examples(
        "scalegate ledger witness-serve --key-name auditor.example/w1 --log acme.trust --state witness --new",
        "scalegate ledger witness-serve --key-name auditor.example/w1 --log acme.trust --state witness --port 8801",
    ),
)
@click.option("--key-name", required=True, metavar="NAME", help="The key that cosigns, of `keys new --witness`.")
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    metavar="KEY|FILE",
    help="A log to cosign: its verifier key, or a trust file that names it; repeatable.",
)
@click.option(
    "--state",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of what was cosigned; a lost or older one makes a second history possible.",
)
@click.option("--new", is_flag=True, help="Make that folder, for a key that never signed anything.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; by default any that is free.")
def witness_serve(*, key_name: str, logs: tuple[str, ...], state: Path, new: bool, host: str, port: int) -> int:
    """Cosign the checkpoints of logs over HTTP, each only if it continues the one before (C2SP tlog-witness).

    Prints its URL, and answers until it is interrupted. There is no TLS here: put a server that has it in front.
    """
    # Deferred: help does without them.
    from scalegate.adapters.witness_server import serve  # noqa: PLC0415
    from scalegate.app.clock import SystemClock  # noqa: PLC0415
    from scalegate.app.hosting import open_witness  # noqa: PLC0415

    with open_witness(open_keyring(), key_name, logs, state, new=new) as found:
        answer(lambda: serve(found, SystemClock(), host, port, report=tell))
    return exits.YES


def tell(line: str) -> None:
    """Write what a listener reports to stderr."""
    click.echo(line, err=True)


def answer(make: Callable[[], Listener]) -> None:
    """Say where a listener listens, and answer until it is interrupted.

    Raises:
        RefusalError: if its port cannot be taken.
    """
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415

    try:
        listener = make()
    except OSError as error:
        raise RefusalError("usage", "port-taken", f"the port cannot be taken: {error.strerror}") from error
    with listener:
        click.echo(listener.url)
        listener.serve_forever()
