"""`scalegate verify`: an audit that needs a directory and a trust file, and nothing of ours but this program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from scalegate.app.auditing import Brought, audit
from scalegate.app.clock import SystemClock
from scalegate.audit.report import Report, Verdict
from scalegate.cli import exits
from scalegate.cli.options import MOMENT, examples, format_option, moment
from scalegate.cli.output import Output
from scalegate.cli.text import safe

_EXITS: dict[Verdict, int] = {
    "passed": exits.YES,
    "impossible": exits.UNKNOWN,
    "failed": exits.NO,
    "untrusted": exits.UNTRUSTED,
}
_HEADS: dict[Verdict, str] = {
    "untrusted": "NOT TO BE TRUSTED",
    "failed": "DOES NOT HOLD",
    "impossible": "NOT POSSIBLE TO CHECK",
    "passed": "CHECKED",
}


@click.command(
    epilog=examples(
        "scalegate verify audit-2026 --trust mine.trust",
        "scalegate verify audit-2026 --trust mine.trust --own my-statements --permit sha256:...",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--trust", required=True, type=click.Path(path_type=Path), help="Your trust file, not the one in FOLDER.")
@click.option("--own", type=click.Path(path_type=Path), help="A folder of statements that you signed for this log.")
@click.option(
    "--kept",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint of this log that you kept, or have from another reader.",
)
@click.option("--permit", "permits", multiple=True, metavar="DIGEST", help="A permit that somebody acts on.")
@click.option(
    "--opening-key",
    "opening",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="Your private X25519 key, for logs sealed for you.",
)
@click.option("--at", type=MOMENT, help="What time it is; by default the clock's.")
@format_option
def verify(  # noqa: PLR0913 - one argument for each option
    *,
    folder: Path,
    trust: Path,
    own: Path | None,
    kept: tuple[Path, ...],
    permits: tuple[str, ...],
    opening: tuple[Path, ...],
    at: int | None,
    output: Output,
) -> int:
    """Check an exported log offline: signatures, tree and witnesses, then scores, bounds and decisions again.

    Exit code 0: everything that can be checked was, and holds. 3: what was checked holds, and some of it could not be
    checked. 1: something does not hold. 4: something is not to be trusted.
    """
    now = SystemClock().now()
    with _ending_in_order():
        report = audit(folder, Brought(trust, own, kept, permits, opening), now if at is None else moment(at, now))
    if output.form == "json":
        output.json(_json(report))
    else:
        output.lines(_lines(report, output))
    return _EXITS[report.verdict]


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Have signals that end the program go through it: logs that were opened are in a folder that has to go first."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only that one has a say in signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is signal.SIG_DFL:
                signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    # Once: another one must not end the removal of what the first one has removed.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _json(report: Report) -> dict[str, object]:
    return {
        "verdict": report.verdict,
        "checks": [
            {"room": item.room, "verdict": item.verdict, "message": item.message, "entry": item.entry}
            for item in report.checks
        ],
        "beyond": list(report.beyond),
    }


def _lines(report: Report, output: Output) -> list[str]:
    if output.form == "plain":
        lines = [f"{item.verdict} {item.room} {safe(item.message)}" for item in report.checks]
        return [*lines, *(f"beyond {safe(item)}" for item in report.beyond), f"verdict {report.verdict}"]
    lines = []
    for verdict, head in _HEADS.items():
        found = report.of(verdict)
        if found:
            lines += [head, *(f"  {item.room}: {safe(item.message)}" for item in found), ""]
    lines += ["BEYOND ANY SUCH AUDIT", *(f"  {safe(item)}" for item in report.beyond), ""]
    return [*lines, f"verdict: {report.verdict}"]
