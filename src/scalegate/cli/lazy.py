"""Groups that import a command only when it is asked for: `gate` pays for nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from scalegate.app.refusal import nearest


class LazyGroup(click.Group):
    """A group of commands given as `name: ("module:attribute", "one line of help")`."""

    def __init__(self, name: str, *, lazy: Mapping[str, tuple[str, str]], text: str, epilog: str) -> None:
        """Keep the table; nothing is imported yet."""
        super().__init__(name=name, help=text, epilog=epilog, no_args_is_help=False)
        self.invoke_without_command = False
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it; None for an unknown name."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"`{module}:{attribute}` is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name.

        Raises:
            click.UsageError: for an unknown name, with the nearest known one.
        """
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            near = nearest(args[0], self.lazy)
            hint = f"; {near}" if near.startswith("did") else ""
            raise click.UsageError(f"no command `{ascii(args[0])[1:-1]:.80}`{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in self.lazy.items()])
