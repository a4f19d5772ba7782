"""`scalegate subject add`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

import click

from scalegate.app.book import Book
from scalegate.app.digests import check_signed, name_model
from scalegate.app.refusal import RefusalError
from scalegate.app.subjects import declaration_warnings, declare
from scalegate.cli import exits
from scalegate.cli.options import (
    MOMENT,
    Flop,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.core.events import Entry, SubjectDeclared
from scalegate.core.quantities import ComputeRange
from scalegate.core.subject import EDGES, Edge, EdgeKind, Subject
from scalegate.ledger.model_signing import listing_digest, root_digest

_WHO = "--issuer acme --by 'Ada Osei' --role developer"


class FlopRange(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """FLOP, or a range such as `1e25..2e25`."""

    name = "flop"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ComputeRange:
        """Return both ends."""
        low, dots, high = str(value).partition("..")
        ends = [Flop().convert(item, param, ctx) for item in ((low, high) if dots else (low, low))]
        if ends[0] > ends[1]:
            self.fail(f"`{value}` is turned around", param, ctx)
        return ComputeRange(*ends)


class Lineage(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """An edge such as `continue:orion-1`."""

    name = "edge"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Edge:
        """Return kind and parent."""
        kind, colon, parent = str(value).partition(":")
        if not colon or not parent or kind not in EDGES:
            kinds = ", ".join(sorted(EDGES))
            self.fail(f"`{value}` is not KIND:PARENT, KIND one of {kinds}", param, ctx)
        return Edge(parent, cast("EdgeKind", kind))


@click.command(
    epilog=examples(
        f"scalegate subject add orion ./ckpt --from-scratch --compute 1e25 {_WHO}",
        f"scalegate subject add orion-2 ./ckpt2 --parent continue:orion --compute 1e25..2e25 {_WHO}",
    )
)
@click.argument("name")
@click.argument("files", required=False, type=click.Path(path_type=Path))
@click.option("--digest", default="", help="Of a model: digest of the files, where they are elsewhere.")
@click.option(
    "--signature", type=click.Path(path_type=Path), help="An OpenSSF model signature, verified over the files first."
)
@click.option("--signer-key", type=click.Path(path_type=Path), help="PEM of the public key that has to have signed it.")
@click.option("--issuer", required=True, help="Whose it is.")
@click.option(
    "--kind", type=click.Choice(["model", "system"]), default="model", show_default=True,
    help="Weights, or weights with safeguards and a scaffold.",
)  # fmt: skip
@click.option("--parent", "parents", multiple=True, type=Lineage(), help="KIND:PARENT, repeatable.")
@click.option("--from-scratch", is_flag=True, help="Declare that there are no parents.")
@click.option(
    "--compute",
    type=FlopRange(),
    help="FLOP spent beyond the parents; a range if unsure. By default what its job reported.",
)
@click.option("--made-at", type=MOMENT, help="When the checkpoint was taken; by default now.")
@click.option("--weights", default="", metavar="MODEL", help="For a system: its model.")
@click.option("--safeguard", "safeguards", multiple=True, help="For a system: a digest, repeatable.")
@click.option("--scaffold", default="", help="For a system: the scaffold around it.")
@speaker_options
@store_option
@format_option
@click.pass_context
def add(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    name: str,
    files: Path | None,
    digest: str,
    signature: Path | None,
    signer_key: Path | None,
    issuer: str,
    kind: str,
    parents: tuple[Edge, ...],
    compute: ComputeRange | None,
    made_at: int | None,
    weights: str,
    safeguards: tuple[str, ...],
    scaffold: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
    from_scratch: bool,
) -> int:
    """Declare a model, by the digest of its FILES (a directory or one file), or a system over one.

    A declaration stands for good. Lineage that nobody declared inherits every crossing of the issuer,
    and nothing favorable.
    """
    if files is not None and digest:
        raise RefusalError("usage", "digest-twice", "give the files or --digest, not both")
    if parents and from_scratch:
        raise RefusalError("usage", "lineage-twice", "--from-scratch contradicts --parent")
    book = open_book(ctx, store)
    now = book.now(book.read())
    # A duration means so long ago here: a checkpoint is never taken in the future.
    made = 0 if made_at is None else made_at if made_at >= 0 else now - (moment(made_at, now) - now)
    root, listing = _digests(files, signature, signer_key)
    entry = declare(
        book,
        Subject(
            name=name,
            digest=root or digest,
            issuer=issuer,
            kind=cast("Literal['model', 'system']", kind),
            parents=parents,
            lineage_declared=bool(parents) or from_scratch or kind == "system",
            compute=compute,
            made_at=made,
            weights=weights,
            safeguards=safeguards,
            scaffold=scaffold,
            listing=listing,
        ),
        speaker(by, role),
    )
    _say(book, entry, output)
    return exits.YES


def _say(book: Book, entry: Entry, output: Output) -> None:
    if not isinstance(entry.event, SubjectDeclared):
        return
    found = entry.event.subject
    for warning in declaration_warnings(book, found):
        output.warn(warning)
    output.facts(
        {
            "entry": entry.index,
            "digest": entry.digest,
            "subject": found.name,
            "files": found.digest,
            "listing": found.listing,
        },
        f"entry {entry.index}: {found.kind} {found.name} is {found.digest}",
    )


def _digests(files: Path | None, signature: Path | None, signer_key: Path | None) -> tuple[str, str]:
    """Return root and listing of a model's files, empty for none, once their signature holds where there is one."""
    if (signature is None) != (signer_key is None) or (signature is not None and files is None):
        raise RefusalError("usage", "signature-partial", "--signature and --signer-key are for FILES, and go together")
    if files is None:
        return "", ""
    found = name_model(files, _progress())
    if signature is not None and signer_key is not None:
        check_signed(found, signature, signer_key)
    return root_digest(found), listing_digest(found)


def _progress() -> Callable[[int], object]:
    """Return a callback that counts bytes on a terminal, and does nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _: None
    done = [0]

    def count(size: int) -> None:
        before, done[0] = done[0], done[0] + size
        if before >> 30 != done[0] >> 30:
            click.echo(f"read {done[0] >> 30} GiB", err=True)

    return count
