"""The command reference of docs/cli.md, made from the commands themselves.

`PYTHONPATH=src:. python -m tests.cli.reference` writes it; a test compares.
"""

import inspect
import json
from collections.abc import Iterator

import click

from scalegate.app.decision_schema import decision_schema
from scalegate.cli import exits
from scalegate.cli.lazy import LazyGroup
from scalegate.cli.main import command
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "cli.md"
SCHEMA = ROOT / "docs" / "decision.schema.json"
MARK = "<!-- From here on: made by tests/cli/reference.py -->"


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its path, groups before their members."""
    if path:
        yield path, group
    if isinstance(group, LazyGroup):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


def examples_of(found: click.Command) -> list[str]:
    """The examples at the end of a help text."""
    _, _, shown = (found.epilog or "").partition("Examples:\n")
    return [line.strip() for line in shown.splitlines() if line.strip()]


def reference() -> str:
    """The generated part of the page."""
    lines = ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {words} |" for code, words in exits.MEANINGS.items()]
    lines += ["", "## Commands"]
    for path, found in commands(command()):
        lines += ["", f"{'#' * (2 + len(path))} scalegate {' '.join(path)}", ""]
        lines += [inspect.cleandoc(found.help or "")]
        if not isinstance(found, LazyGroup):
            lines += ["", *parameters(found), "", "```console"]
            lines += [f"$ {line}" for line in examples_of(found)]
            lines += ["```"]
    return "\n".join(lines) + "\n"


def parameters(found: click.Command) -> Iterator[str]:
    """One line for each argument and option."""
    for item in found.params:
        if isinstance(item, click.Argument):
            optional = "" if item.required else ", optional"
            yield f"- `{str(item.name).upper()}`{optional}"
        elif isinstance(item, click.Option):
            value = "" if item.is_flag else f" {shape(item)}"
            needed = " Required." if item.required else ""
            yield f"- `{item.opts[0]}{value}`: {item.help}{needed}"


def shape(option: click.Option) -> str:
    """What value an option takes."""
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.type.name.upper().replace(" RANGE", "")


def page() -> str:
    """The whole page as it should be: its own words, and the generated part."""
    words, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return f"{words}{MARK}\n\n{reference()}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(json.dumps(decision_schema(), indent=2) + "\n", encoding="utf-8")
