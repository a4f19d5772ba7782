"""`scalegate permit write`, `check`, `report` and `pulse`: permits in the hands of a job."""

from __future__ import annotations

import time
from pathlib import Path

import click

from scalegate.app.book import Book
from scalegate.app.claiming import check_file
from scalegate.app.claiming import write as write_file
from scalegate.app.clock import SystemClock
from scalegate.app.reporting import pulse as make_pulse
from scalegate.app.reporting import record_reports
from scalegate.app.trusting import read_trust
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.options import MOMENT, examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.core.job_events import PermitClaimed
from scalegate.core.quantities import show_flop
from scalegate.enforce.pulse import Pulse
from scalegate.gate.record import flop, moment

_FILE = click.Path(path_type=Path)


@click.command(
    epilog=examples("scalegate permit write 12 orion.permit", "scalegate permit write sha256:9f1c... orion.permit")
)
@click.argument("which")
@click.argument("file", type=_FILE)
@store_option
@format_option
@click.pass_context
def write(ctx: click.Context, which: str, file: Path, store: Path | None, output: Output) -> int:
    """Write the file of a claimed permit again, under the newest head that witnesses cosigned."""
    found = write_file(open_book(ctx, store), which, file)
    output.facts({"permit": found.decision, "file": str(file)}, f"{file}: permit {found.number}")
    return exits.YES


@click.command(
    epilog=examples(
        "scalegate permit check orion.permit --trust acme.trust",
        "scalegate permit check orion.permit --trust acme.trust --format json",
    )
)
@click.argument("file", type=_FILE)
@click.option("--trust", type=_FILE, required=True, help="Whom you trust.")
@format_option
def check(file: Path, trust: Path, output: Output) -> int:
    """Check a permit offline, and say what it allows.

    0 it is a permit, and has not ended; 1 it has ended, or leaves nothing; 4 it is not to be trusted. Whether its
    subject crossed a line since, no file can say: `permit pulse` and the log do.
    """
    claim, left = check_file(file, read_trust(trust), SystemClock().now())
    facts = _facts(claim) | ({} if left is None else {"left": flop(left)})
    output.facts(facts, _sentence(claim))
    return exits.YES


def _sentence(claim: PermitClaimed) -> str:
    what = f"{claim.action} of {claim.subject}"
    if claim.context:
        what += f" in {claim.context}"
    if claim.limit:
        what += f" up to {show_flop(claim.limit)} FLOP"
    return f"a permit for {what}, of job {claim.job} on {claim.host}, until {moment(claim.expires)}"


def _facts(claim: PermitClaimed) -> dict[str, object]:
    return {
        "decision": claim.decision,
        "action": claim.action,
        "subject": claim.subject,
        "digest": claim.digest,
        "context": claim.context,
        "limit": flop(claim.limit) if claim.limit else None,
        "spent": flop(claim.spent),
        "factor": str(claim.factor),
        "scaffolds": list(claim.scaffolds),
        "expires": moment(claim.expires),
        "job": claim.job,
        "host": claim.host,
        "key": claim.key,
        "evidence": claim.evidence,
    }


@click.command(
    epilog=examples("scalegate permit report orion.permit", "scalegate permit report orion.permit --format json")
)
@click.argument("file", type=_FILE)
@store_option
@format_option
@click.pass_context
def report(ctx: click.Context, file: Path, store: Path | None, output: Output) -> int:
    """Record what the job of a permit has reported: its checkpoints, holds and how it ended.

    The job's key has signed every report; the gate passes them on. What the log has already is left alone.
    """
    found = record_reports(open_book(ctx, store), file)
    rows = [
        {
            "number": item.number,
            "kind": item.kind,
            "step": item.step,
            "flop": flop(item.flop),
            "reached": flop(item.reached),
            "cause": item.cause,
            "words": item.words,
            "digest": item.digest,
        }
        for item in found.reports
    ]
    last = found.reports[-1] if found.reports else None
    ending = f"; last: {last.kind} at step {last.step} {last.cause}".rstrip() if last else ""
    sentence = f"{found.new} of {len(found.reports)} reports are new in the log{ending}"
    output.facts({"new": found.new, "reports": rows} if output.form == "json" else {"new": found.new}, sentence)
    return exits.YES


@click.command(
    epilog=examples(
        "scalegate permit pulse orion.permit --out orion.pulse",
        "scalegate permit pulse orion.permit --out orion.pulse --every '30 seconds' --for '7 days'",
    )
)
@click.argument("file", type=_FILE)
@click.option("--out", type=_FILE, required=True, help="Where the job, or a web server, finds the pulse.")
@click.option("--every", type=MOMENT, default="30 seconds", help="How often; a pulse is good for four times as long.")
@click.option("--for", "lasting", type=MOMENT, help="Go on for so long; without it, one pulse.")
@store_option
@format_option
@click.pass_context
def pulse(
    ctx: click.Context, *, file: Path, out: Path, every: int, lasting: int | None, store: Path | None, output: Output
) -> int:
    """Say, signed and for a short time, whether a permit would still be given.

    It is asked again on everything that was recorded since: crossings, retractions, stop orders, revocations. The
    answer is 0 while it stands, and 1 once it does not; the pulse that says so is written first. Once FILE.next is
    there, which takes over in the job, the pulses are those of that permit.
    """
    if every >= 0 or (lasting is not None and lasting >= 0):
        raise click.UsageError("--every and --for take durations, such as '30 seconds'")
    book = open_book(ctx, store)
    end = time.monotonic() - (lasting or 0)
    made = _pulse(book, file, out, -every, output)
    while made.stands and lasting is not None and time.monotonic() < end:
        time.sleep(-every)
        made = _pulse(book, file, out, -every, output)
    return exits.YES if made.stands else exits.NO


def _pulse(book: Book, file: Path, out: Path, every: int, output: Output) -> Pulse:
    made = make_pulse(book, open_keyring(), file, out, every)
    state = "stands" if made.stands else f"is held: {made.words}"
    output.facts(
        {"decision": made.decision, "stands": made.stands, "until": moment(made.until), "words": made.words},
        f"until {moment(made.until)}, the permit {state}",
    )
    return made
