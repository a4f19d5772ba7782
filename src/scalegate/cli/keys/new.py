"""`scalegate keys new`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalegate.app.refusal import RefusalError
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.keys import keys_option
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output

if TYPE_CHECKING:
    from scalegate.app.keyring import KeyEntry, Keyring
    from scalegate.core.ports import SignatureAlgorithm

_ALGORITHMS = ("ed25519", "ecdsa-p256", "ml-dsa-44")
_MAX_PUBLIC = 8_192


@click.command(
    epilog=examples(
        "scalegate keys new 'Ada Osei' --role developer >> acme.trust",
        "scalegate keys new --log acme.example/log --unprotected",
    )
)
@click.argument("name", required=False)
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role of NAME; can be given several times.")
@click.option("--log", metavar="ORIGIN", help="Make the key of a log instead.")
@click.option("--witness", metavar="NAME", help="Make the key of a witness instead.")
@click.option("--algorithm", type=click.Choice(_ALGORITHMS), help="What the key is for; ed25519 by default.")
@click.option(
    "--ssh-agent",
    "public",
    type=click.Path(path_type=Path),
    help="Make no key: the ssh-agent has that of this .pub file.",
)
@click.option("--pkcs11", "uri", metavar="URI", help="Make no key: a token has it, under this RFC 7512 URI.")
@click.option("--module", type=click.Path(), help="The library of the token, by its whole path.")
@click.option("--unprotected", is_flag=True, help="Keep the private key without a passphrase.")
@keys_option
@format_option
def new(  # noqa: PLR0913 - one argument for each option
    *,
    name: str | None,
    roles: tuple[str, ...],
    log: str | None,
    witness: str | None,
    algorithm: SignatureAlgorithm | None,
    public: Path | None,
    uri: str | None,
    module: str | None,
    unprotected: bool,
    folder: Path | None,
    output: Output,
) -> int:
    """Make a private key, and print the line of a trust file that names it.

    The passphrase is taken from SCALEGATE_PASSPHRASE, from the file that SCALEGATE_PASSPHRASE_FILE names, or typed;
    the PIN of a token from SCALEGATE_PIN or SCALEGATE_PIN_FILE.
    """
    # Deferred: help does without it.
    from scalegate.app.key_facts import describe  # noqa: PLC0415

    if sum(item is not None for item in (name, log, witness)) != 1:
        raise click.UsageError("give one of NAME, --log and --witness")
    if (name is None) is bool(roles):
        raise click.UsageError("--role goes with NAME: keys of logs and witnesses have none")
    kept = public is not None or uri is not None
    if (kept and (name is None or algorithm is not None or unprotected)) or (public is not None and uri is not None):
        raise click.UsageError("--ssh-agent and --pkcs11 go with NAME and --role only: the key is made already")
    if (uri is None) is not (module is None):
        raise click.UsageError("--pkcs11 and --module go together")
    keyring, protected = open_keyring(folder), not unprotected
    if log is not None:
        entry = _log(keyring, log, algorithm, protected=protected)
    elif witness is not None:
        entry = _witness(keyring, witness, algorithm, protected=protected)
    elif public is not None:
        entry = keyring.adopt_agent(str(name), roles, _read(public))
    elif uri is not None:
        entry = keyring.adopt_token(str(name), roles, uri, str(module))
    else:
        entry = keyring.create(str(name), roles, algorithm or "ed25519", protected=protected)
    output.facts(describe(entry), entry.line)
    output.hint(f"the key is in {entry.file}; hand the line over in person, or over two channels")
    return exits.YES


def _log(keyring: Keyring, origin: str, algorithm: SignatureAlgorithm | None, *, protected: bool) -> KeyEntry:
    from scalegate.ledger.note import SignatureType  # noqa: PLC0415

    if algorithm not in {None, "ed25519"}:
        raise click.UsageError("the key of a log is an ed25519 key")
    return keyring.create_note(origin, SignatureType.NOTE, protected=protected)


def _witness(keyring: Keyring, name: str, algorithm: SignatureAlgorithm | None, *, protected: bool) -> KeyEntry:
    from scalegate.ledger.note import SignatureType  # noqa: PLC0415

    if algorithm == "ecdsa-p256":
        raise click.UsageError("the key of a witness is an ed25519 or an ml-dsa-44 key")
    kind = SignatureType.ML_DSA_COSIGNATURE if algorithm == "ml-dsa-44" else SignatureType.COSIGNATURE
    return keyring.create_note(name, kind, protected=protected)


def _read(path: Path) -> str:
    """Return the text of a public key; anything else than a short text is not read further."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PUBLIC + 1)
        return data.decode() if len(data) <= _MAX_PUBLIC else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise RefusalError("usage", "file-unreadable", f"`{path}` is not read: {reason}") from None
