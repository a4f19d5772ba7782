"""`scalegate keys`: private keys, and the lines of a trust file that name them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

F = TypeVar("F", bound=Callable[..., object])

_ROOM = "scalegate.cli.keys"

keys = LazyGroup(
    "keys",
    lazy={
        "new": (f"{_ROOM}.new:new", "make a key, or adopt one of an ssh-agent or a token"),
        "list": (f"{_ROOM}.list:list_keys", "list the keys of this machine, without opening any"),
        "rotate": (f"{_ROOM}.rotate:rotate", "put another key in the place of one in force"),
        "revoke": (f"{_ROOM}.revoke:revoke", "let a key sign nothing any longer"),
    },
    text="Keys: who signs here, and what others have to write into their trust file.",
    epilog=examples(
        "scalegate keys new 'Ada Osei' --role developer >> acme.trust",
        "scalegate keys list",
    ),
)


def keys_option(function: F) -> F:
    """Add `--keys`; the command gets a folder, or None for that of the environment."""
    return click.option(
        "--keys",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="The folder of keys; by default SCALEGATE_KEYS, or `scalegate/keys` in your configuration.",
    )(function)
