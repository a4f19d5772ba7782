"""`scalegate keys rotate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalegate.app.refusal import RefusalError
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.options import examples, format_option, open_book, speaker, store_option
from scalegate.cli.output import Output

if TYPE_CHECKING:
    from scalegate.app.book import Book
    from scalegate.app.keyring import Keyring


@click.command(
    epilog=examples(
        "scalegate keys rotate 'Ada Osei' --role developer",
        "scalegate keys rotate 'acme gate' --role gate --unprotected",
    )
)
@click.argument("name")
@click.option("--role", required=True, metavar="ROLE", help="One of the roles that the trust file gives NAME.")
@click.option("--unprotected", is_flag=True, help="Keep the new private key without a passphrase.")
@store_option
@format_option
@click.pass_context
def rotate(ctx: click.Context, *, name: str, role: str, unprotected: bool, store: Path | None, output: Output) -> int:
    """Make the next key of NAME, and record that it takes the place of the one in force, signed with both.

    From then on the old key signs nothing, and what it signed before stays good.
    """
    # Deferred: help does without it.
    from scalegate.app.trusting import rotate as record  # noqa: PLC0415

    book, keyring = open_book(ctx, store), open_keyring()
    made = keyring.create(name, _roles(book, keyring, name, role), protected=not unprotected, replaces=True)
    try:
        entry = record(book, speaker(name, role), made.public)
    except RefusalError as error:
        hint = f"the new key is in {made.file}; remove it if `scalegate ledger trust show` does not have it in force"
        raise RefusalError(error.kind, error.code, error.message, hint) from error
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "key": made.public.digest, "file": str(made.file)},
        f"entry {entry.index}: the key of {name} is now {made.public.digest}, in {made.file}",
    )
    output.hint("keep the old key file until everybody has the newer log: it signs nothing any longer")
    return exits.YES


def _roles(book: Book, keyring: Keyring, name: str, role: str) -> tuple[str, ...]:
    """Return the roles of a speaker whose key is here and can be rotated: a new key must not be made for nothing."""
    from scalegate.app.showing import speaker_of  # noqa: PLC0415

    key, roles = speaker_of(book, name)
    if role not in roles:
        raise RefusalError("refused", "role-other", f"the trust file does not let `{name:.80}` speak as `{role:.80}`")
    if keyring.signer(key) is None:
        raise RefusalError(
            "refused",
            "key-missing",
            f"the private key of `{name:.80}` is not here, and signs the one that follows it",
            "a key that is lost is revoked, and its holder gets a line in a new trust file",
        )
    return roles
