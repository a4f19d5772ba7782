"""The entry point: one boundary through which no exception, and no accidental 0, gets out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final, NoReturn

import click

from scalegate import __version__
from scalegate.app.refusal import RefusalError
from scalegate.app.signed import SignedElsewhereError
from scalegate.cli import exits
from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import SIGN_ONLY, examples, sign_only_option
from scalegate.cli.output import Output, show_refusal

PROGRAM: Final = "scalegate"
COMPLETION: Final = "_SCALEGATE_COMPLETE"

VERBS: Final = {
    "gate": ("scalegate.cli.gate:gate", "may this action go ahead?"),
    "why": ("scalegate.cli.why:why", "why is it held, or permitted, and what would change that?"),
    "plan": ("scalegate.cli.plan:plan", "what will the next scale demand? Binds nothing."),
    "status": ("scalegate.cli.status:status", "how does every subject stand?"),
    "verify": ("scalegate.cli.verify:verify", "check an exported log offline, trusting nobody"),
    "ledger": ("scalegate.cli.ledger:ledger", "what the log has, who saw it, and how others read it"),
    "keys": ("scalegate.cli.keys:keys", "make, list, rotate and revoke the keys that sign"),
    "init": ("scalegate.cli.init:init", "make a store here"),
    "policy": ("scalegate.cli.policy:policy", "write, check and adopt policies"),
    "regime": ("scalegate.cli.regime:regime", "what binds from outside: regimes, their clocks and roles"),
    "subject": ("scalegate.cli.subject:subject", "declare models and systems"),
    "evidence": ("scalegate.cli.evidence:evidence", "register runs, add results, attest"),
    "run": ("scalegate.cli.run:run", "run an evaluation until it is decided"),
    "stop": ("scalegate.cli.stop:stop", "stop orders"),
    "exception": ("scalegate.cli.exception:exception", "invoke an exception of a policy"),
    "permit": ("scalegate.cli.permit:permit", "list and revoke permits"),
    "guard": ("scalegate.cli.guard:guard", "serve a model only while its permit stands"),
}

_TEXT = """Evaluation-gated scaling: hold, unless it is shown.

Every command is a question, and the exit code is the answer.
"""


def _epilog() -> str:
    codes = "\n".join(f"  {code:<4} {words}" for code, words in exits.MEANINGS.items())
    return f"\b\nExit codes:\n{codes}\n\n" + examples(
        "scalegate init --trust acme.trust --policy acme.yaml --by 'Ada Osei' --role developer",
        "scalegate gate train --subject orion --to 4e25 && torchrun train.py",
    )


def command() -> click.Group:
    """Return the whole command line."""
    group = LazyGroup(PROGRAM, lazy=VERBS, text=_TEXT, epilog=_epilog())
    return click.version_option(__version__, prog_name=PROGRAM)(sign_only_option(group))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises, and prints no traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:
        # Started with stdout closed: there is nowhere to put an answer.
        return exits.INTERNAL
    try:
        code = _answer(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except (OSError, ValueError) as error:
        # The answer did not get through: closed pipe, full disk. Nobody may act on it.
        _silence()
        with suppress(OSError, ValueError):
            click.echo(f"error[unwritten]: the answer could not be written: {error}", err=True)
        return exits.INTERNAL
    return code


def _answer(given: list[str]) -> int:
    as_json = _wants_json(given)
    if given:
        # Completion answers 0 whatever is asked; it is only for calls without arguments.
        os.environ.pop(COMPLETION, None)
    try:
        code = command().main(given, prog_name=PROGRAM, standalone_mode=False)
    except RefusalError as error:
        return _refuse(error, given, as_json=as_json)
    except SignedElsewhereError as signed:
        return _signed(signed, as_json=as_json)
    except click.ClickException as error:
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"`{error.ctx.command_path} --help` explains"
        refusal = RefusalError("usage", "usage", error.format_message(), hint)
        return _refuse(refusal, given, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except SystemExit as error:
        # Only completion leaves this way with 0, and it is asked without arguments.
        return exits.YES if error.code == 0 and not given else exits.INTERNAL
    except Exception as error:  # noqa: BLE001 - the boundary: whatever went wrong, it is no yes
        refusal = RefusalError(
            "internal",
            "internal",
            f"scalegate failed: {type(error).__name__}: {error}"[:500],
            "this is a fault of the program; nothing may go on because of it",
        )
        return _refuse(refusal, given, as_json=as_json)
    # A command that forgets its answer has none.
    return code if type(code) is int else exits.INTERNAL


def _refuse(error: RefusalError, given: list[str], *, as_json: bool) -> int:
    if not as_json and _verb(given) == "gate":
        click.echo("HOLD    no answer was given, and no answer is a hold")
    show_refusal(error, as_json=as_json)
    return exits.OF_REFUSAL[error.kind]


def _signed(signed: SignedElsewhereError, *, as_json: bool) -> int:
    output = Output("json" if as_json else "human")
    output.facts(
        {
            "signed": str(signed.path),
            "digest": signed.digest,
            "by": signed.author,
            "number": signed.number,
            "log": signed.log,
        },
        str(signed),
    )
    output.hint(f"it counts only once `scalegate ledger include {signed.path}` was done where the log is")
    return exits.YES


def _verb(given: Sequence[str]) -> str:
    """Return the verb that was asked for, behind the one option that may stand before it."""
    if given[:1] == [SIGN_ONLY]:
        return "".join(given[2:3])
    return "".join(given[1:2] if "".join(given[:1]).startswith(f"{SIGN_ONLY}=") else given[:1])


def _wants_json(given: Sequence[str]) -> bool:
    """Whether JSON was asked for; also known where the arguments do not parse."""
    return "--format=json" in given or ("--format", "json") in pairwise(given)


def _silence() -> None:
    """Keep the interpreter from complaining about a stdout that is gone, on its way out."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None


def run() -> NoReturn:
    """Run the command of this process, and end it.

    The gate answers one question. A history is many small objects without cycles: looking for some while it is read,
    and taking ten thousand entries apart at the end, costs half as much as reading them. What it answered is written
    and synced by then. The other commands end in the usual way.
    """
    asks = sys.argv[1:2] == ["gate"]
    if asks:
        gc.disable()
    code = main()
    if asks and sys.stdout is not None:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
