"""Output: the answer goes to stdout, hints to stderr, and with `--format json` stdout is one object."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Literal

import click

from scalegate.app.refusal import RefusalError
from scalegate.cli.text import safe, unheard, unheard_json

Format = Literal["human", "plain", "json"]


class Output:
    """How one command speaks.

    Attributes:
        form: `human`; `plain`, one line per fact; or `json`.
    """

    def __init__(self, form: Format) -> None:
        """Keep the format."""
        self.form = form

    def json(self, value: object) -> None:
        """Write one object to stdout; ASCII only, so that no text in it can steer a terminal."""
        click.echo(unheard_json(json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False)))

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines to stdout; their text is safe already."""
        for line in lines:
            click.echo(unheard(line))

    def facts(self, facts: Mapping[str, object], sentence: str) -> None:
        """Write what was done: a sentence, one line per fact, or one object."""
        if self.form == "json":
            self.json(dict(facts))
        elif self.form == "plain":
            for name, value in facts.items():
                click.echo(unheard(f"{name}: {safe(_shown(value))}"))
        else:
            click.echo(unheard(safe(sentence)))

    def hint(self, text: str) -> None:
        """Write a hint to stderr; none in JSON mode, where nothing but the object is expected."""
        if self.form != "json":
            click.echo(unheard(f"hint: {safe(text)}"), err=True)

    def warn(self, text: str) -> None:
        """Write a warning to stderr."""
        click.echo(unheard(f"warning: {safe(text)}"), err=True)


def bold(text: str) -> str:
    """Return text in bold on a terminal that may show it; meaning never depends on it."""
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain or not sys.stdout.isatty() else click.style(text, bold=True)


def show_refusal(error: RefusalError, *, as_json: bool) -> None:
    """Write why something was not done: one object on stdout, or words on stderr."""
    if as_json:
        body = {
            "kind": error.kind,
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
        }
        click.echo(unheard_json(json.dumps({"error": body}, ensure_ascii=True, indent=2)))
        return
    if error.diagnostics:
        # Deferred: only a malformed policy needs it.
        from scalegate.policy.diagnose import render  # noqa: PLC0415

        for diagnostic in error.diagnostics:
            click.echo(unheard(render(diagnostic)), err=True)
    click.echo(unheard(f"error[{error.code}]: {safe(error.message)}"), err=True)
    if error.hint:
        click.echo(unheard(f"hint: {safe(error.hint)}"), err=True)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "none"
    return str(value)
