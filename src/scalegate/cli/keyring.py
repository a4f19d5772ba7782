"""The private keys that a command signs with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scalegate.app.keyring import Keyring


def open_keyring(folder: Path | None = None) -> Keyring:
    """Return the keyring that a command means: that of a folder, or of the environment."""
    # Deferred: help does without it.
    from scalegate.adapters.signers.secret import Secrets  # noqa: PLC0415
    from scalegate.app.keyring import Keyring, keys_folder  # noqa: PLC0415

    return Keyring(keys_folder(folder, os.environ), Secrets(os.environ, _asker()))


def _asker() -> Callable[[str, bool], str] | None:
    """Return what asks at the terminal, or None where nobody sits at one."""
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


def _ask(what: str, new: bool) -> str:  # noqa: FBT001 - the shape of `Ask`
    given: str = click.prompt(what, hide_input=True, confirmation_prompt=new, err=True)
    return given
