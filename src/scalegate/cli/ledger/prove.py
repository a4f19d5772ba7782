"""`scalegate ledger prove`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.proving import Checked, check, find_entry
from scalegate.app.proving import prove as prove_it
from scalegate.app.saving import save
from scalegate.app.trusting import read_trust
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.core.quantities import show_instant
from scalegate.ledger.tlog_proof import SUFFIX

LEAF = ".leaf"


@click.command(
    epilog=examples(
        "scalegate ledger prove --decision 7 --out permit-7.tlog-proof",
        "scalegate ledger prove --check permit-7.tlog-proof --leaf permit-7.tlog-proof.leaf --trust acme.trust",
    )
)
@click.argument("entry", default="", metavar="[N|DIGEST]")
@click.option("--decision", default="", metavar="K", help="The entry of a live answer, by its number or digest.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; by default entry-N.tlog-proof here.")
@click.option("--check", "proof", type=click.Path(path_type=Path), help="Check this proof instead; no store is used.")
@click.option("--leaf", type=click.Path(path_type=Path), help="With --check: the entry that it is about.")
@click.option("--trust", type=click.Path(path_type=Path), help="With --check: whom you trust.")
@store_option
@format_option
@click.pass_context
def prove(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    entry: str,
    decision: str,
    out: Path | None,
    proof: Path | None,
    leaf: Path | None,
    trust: Path | None,
    store: Path | None,
    output: Output,
) -> int:
    """Prove that the log has an entry, or check such a proof offline.

    The proof is a C2SP tlog-proof; the entry is written beside it, with the suffix .leaf. With --check: 0 it holds;
    3 it holds, and too few witnesses cosigned the checkpoint for this trust file; 4 it is false.
    """
    if proof is not None:
        if leaf is None or trust is None or entry or decision or out is not None:
            raise click.UsageError("--check goes with --leaf and --trust, and with nothing else")
        return _tell(check(proof, leaf, read_trust(trust)), output)
    if bool(entry) is bool(decision) or leaf is not None or trust is not None:
        raise click.UsageError("name one entry, or one answer with --decision; --leaf and --trust go with --check")
    book = open_book(ctx, store)
    found = prove_it(book, find_entry(book.read(), entry, decision).index)
    place = out if out is not None else Path(f"entry-{found.entry.index}{SUFFIX}")
    beside = place.with_name(place.name + LEAF)
    save(beside, found.leaf)
    save(place, found.proof)
    by = f"cosigned by {', '.join(found.by)}" if found.at is not None else "signed by the log alone"
    output.facts(
        {
            "proof": str(place),
            "leaf": str(beside),
            "entry": found.entry.index,
            "digest": found.entry.digest,
            "size": found.size,
            "cosigned": _moment(found.at),
            "witnesses": list(found.by),
        },
        f"{place}: entry {found.entry.index} is under a checkpoint of {found.size} entries, {by}",
    )
    return exits.YES


def _tell(found: Checked, output: Output) -> int:
    if found.at is not None:
        seen = f"cosigned by {', '.join(found.by)} on {show_instant(found.at)}"
    elif found.enough:
        seen = "signed by the log alone, which is all that the trust file asks for"
    else:
        seen = "and too few witnesses cosigned that: the log may show others another history"
    output.facts(
        {
            "holds": True,
            "log": found.origin,
            "entry": found.index,
            "size": found.size,
            "cosigned": _moment(found.at),
            "witnesses": list(found.by),
            "enough": found.enough,
        },
        f"the proof holds: entry {found.index} of {found.origin} is under a checkpoint of {found.size} entries, {seen}",
    )
    output.hint("not checked: whether the log was right to admit the entry; `scalegate verify` checks the whole log")
    return exits.YES if found.enough else exits.UNKNOWN


def _moment(at: int | None) -> str | None:
    return None if at is None else show_instant(at)
