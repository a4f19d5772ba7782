"""`scalegate policy diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from scalegate.app.comparing import changes, named_policy
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.policy.situations import UNSAID, assumed_notes, encoding_notes, situation_lines
from scalegate.cli.text import safe, wrap
from scalegate.core.duties import Modality
from scalegate.core.kernel import Kernel
from scalegate.prove.certificate import witness_plain
from scalegate.prove.diff import Change, Diff
from scalegate.prove.permits import STRENGTH, Reading
from scalegate.prove.wording.vocabulary import describe

_END = {True: exits.NO, None: exits.UNKNOWN, False: exits.YES}


@click.command(
    "diff",
    epilog=examples(
        "scalegate policy diff acme-1.yaml acme-2.yaml",
        "scalegate policy diff anthropic-rsp-1.0 anthropic-rsp-2.2 --format json",
    ),
)
@click.argument("old")
@click.argument("new")
@click.option("--weakest", type=click.Choice(STRENGTH), default="must", show_default=True, help="What still counts.")
@format_option
def diff_policies(*, old: str, new: str, weakest: Modality, output: Output) -> int:
    """Tell what changed from OLD to NEW: what was weakened first, each with a situation that is newly permitted.

    Each is a file, or an id of the library. 0: nothing was weakened, proved for every situation. 1: something was. 3:
    nobody can say.
    """
    kernels = [named_policy(name) for name in (old, new)]
    found = changes(kernels[0], kernels[1], Reading(weakest=weakest))
    if output.form == "json":
        output.json(
            {
                "old": _policy(kernels[0]),
                "new": _policy(kernels[1]),
                "weakens": found.weakens,
                "relation": found.whole.relation,
                "changes": [change_plain(change, kernels) for change in found.changes],
            }
        )
    else:
        output.lines(diff_lines(found, kernels))
    return _END[found.weakens]


def _policy(kernel: Kernel) -> dict[str, str]:
    return {"id": kernel.id, "version": kernel.version, "digest": kernel.digest}


def change_plain(change: Change, kernels: Sequence[Kernel]) -> dict[str, object]:
    """Return one change as plain data."""
    variables, witness = change.variables, change.witness
    return {
        "kind": change.kind,
        "part": change.part,
        "actions": list(change.questions),
        "message": change.message,
        "filled": change.filled,
        "witness": None if variables is None or witness is None else witness_plain(variables, witness),
        "situation": [] if variables is None or witness is None else describe(variables, kernels, witness.values),
    }


def diff_lines(found: Diff, kernels: Sequence[Kernel]) -> Iterator[str]:
    """Yield the changes, weakening first."""
    if not found.changes:
        yield "nothing changed that means anything"
    for change in found.changes:
        actions = f" ({', '.join(change.questions)})" if change.questions else ""
        yield wrap(safe(f"{change.kind}: {change.part}{actions}: {change.message}"), "", "  ")
        if change.witness is not None and change.variables is not None:
            yield from situation_lines(change.variables, kernels, change.witness, "    ")
    if found.weakens is False:
        yield wrap("proved: whatever the new text permits, the old one permitted too", "", "  ")
    unsaid = (UNSAID,) if any(change.witness is not None for change in found.changes) else ()
    assumed = assumed_notes() if found.weakens is False else ()
    for note in (*assumed, *unsaid, *encoding_notes(kernels)):
        yield wrap(safe(note), "note: ", "  ")
