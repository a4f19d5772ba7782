"""`scalegate policy compare`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from scalegate.app.comparing import compared, known_actions, named_policy, proved_over_time
from scalegate.app.saving import save
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.policy.situations import UNSAID, assumed_notes, counted_words, encoding_notes, situation_lines
from scalegate.cli.text import safe, wrap
from scalegate.core.canonical import canonical_bytes
from scalegate.core.duties import Modality
from scalegate.core.kernel import Kernel
from scalegate.prove.certificate import plain
from scalegate.prove.compare import UNBOUND, Comparison, Finding
from scalegate.prove.over_time import OverTime
from scalegate.prove.permits import STRENGTH, WHOLE, Reading

_WORDS: Final = {
    "equivalent": "permits exactly what {second} does",
    "stricter": "is at least as strict as {second}, and somewhere stricter",
    "weaker": "is weaker than {second}: it permits what {second} holds, and never the reverse",
    "incomparable": "and {second} are incomparable: each permits something that the other holds",
    "undecided": "could not be compared with {second}",
}


@click.command(
    "compare",
    epilog=examples(
        "scalegate policy compare acme.yaml regime.yaml",
        "scalegate policy compare anthropic-rsp-1.0 deepmind-fsf-1.0 --about cadence",
    ),
)
@click.argument("first")
@click.argument("second")
@click.option("--and", "besides", multiple=True, metavar="POLICY", help="A policy that binds besides the first.")
@click.option("--about", default="", metavar="ASPECT", help="Compare only what is about this aspect.")
@click.option("--action", "actions", multiple=True, type=click.Choice(known_actions()), help="Ask about this action.")
@click.option("--weakest", type=click.Choice(STRENGTH), default="must", show_default=True, help="What still counts.")
@click.option("--where-both-bind", is_flag=True, help="Leave out situations in which one of them does not bind.")
@click.option("--over-time", is_flag=True, help="Prove it of all histories of evidence, latches included.")
@click.option("--certificate", type=click.Path(path_type=Path), help="Write what was proved to a file, as JSON.")
@format_option
def compare_policies(  # noqa: PLR0913 - one argument for each option
    *,
    first: str,
    second: str,
    besides: tuple[str, ...],
    about: str,
    actions: tuple[str, ...],
    weakest: Modality,
    where_both_bind: bool,
    over_time: bool,
    certificate: Path | None,
    output: Output,
) -> int:
    """Compare two policies: is the first at least as strict as the second?

    Each is a file, or an id of the library. 0: proved, for every situation. 1: no, with a situation that the gate's
    interpreter confirmed. 3: nobody can say.
    """
    sides = [named_policy(name) for name in (first, *besides)], [named_policy(second)]
    reading = Reading(about, weakest, bound=where_both_bind)
    found = compared(*sides, reading, actions)
    document = plain(found, *sides, reading)
    histories = proved_over_time(*sides, reading, found) if over_time else ()
    if certificate is not None:
        save(certificate, canonical_bytes(document) + b"\n")
    if output.form == "json":
        output.json(document)
    else:
        output.lines(comparison_lines(found, *sides, reading))
        output.lines(_limits((*sides[0], *sides[1]), about, actions))
        output.lines(_history(item) for item in histories)
    if any(item.strict is False for item in found.forward):
        return exits.NO
    answers = [item.strict for item in found.forward] + [item.strict for item in histories]
    return exits.YES if all(answers) else exits.UNKNOWN


def _limits(kernels: Sequence[Kernel], about: str, actions: Sequence[str]) -> Iterator[str]:
    """Yield what the answer leaves out: a part of two policies is not the whole of them."""
    if actions:
        yield wrap(f"note: only {', '.join(actions)} was asked about", "  ", "    ")
    for kernel in kernels if about else ():
        marked = {aspect for item in kernel.commitments for aspect in item.about}
        marked |= {aspect for item in kernel.duties.obligations.values() for aspect in item.about}
        if about not in marked:
            words = f"note: nothing in {safe(kernel.id)} is marked as about {safe(about)}: it holds nothing here"
            yield wrap(words, "  ", "    ")


def _history(item: OverTime) -> str:
    """Return what is known of all histories, in words."""
    if item.strict and item.depth is None:
        orders = len(item.relation)
        by = (
            f", by {orders} {'order' if orders == 1 else 'orders'} between latches that every step keeps"
            if orders
            else ""
        )
        return wrap(f"for all time: {item.question}{by}", "  ", "    ")
    return wrap(
        f"over time: {item.question}: nothing against it in {item.depth} steps, and nothing proved", "  ", "    "
    )


def comparison_lines(
    found: Comparison, first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading = WHOLE
) -> Iterator[str]:
    """Yield how two sides stand to each other: proofs by what they rest on, refutations by their situations."""
    names = _names(first, second)
    about = f"about {reading.about}, " if reading.about else ""
    yield wrap(f"{safe(about)}{names[0]} {_WORDS[found.relation].format(second=names[1])}", "", "  ")
    kernels = (*first, *second)
    for item in found.forward:
        yield from _finding(found, item, kernels, names[0], names[1])
    for item in found.backward:
        yield from _finding(found, item, kernels, names[1], names[0])
    for note in _notes(found, kernels, reading):
        yield wrap(safe(note), "  note: ", "    ")


def _notes(found: Comparison, kernels: Sequence[Kernel], reading: Reading) -> Iterator[str]:
    """Yield what the answer supposes, so that it can be quoted with it."""
    # A proof rests on these; a situation was judged by the gate, and rests on nothing.
    if any(item.strict and item.query for item in (*found.forward, *found.backward)):
        yield from assumed_notes()
    bound = "situations in which both bind" if reading.bound else ""
    counted = [words for words in (counted_words(kernels, reading.weakest), bound) if words]
    if counted:
        yield f"only {' and '.join(counted)} {'count' if reading.bound else 'counts'}"
    if any(item.witness is not None for item in (*found.forward, *found.backward)):
        yield UNSAID
    yield from encoding_notes(kernels)


def _names(first: Sequence[Kernel], second: Sequence[Kernel]) -> list[str]:
    """Return what the two sides are called: by their versions too where they share a name."""
    names = [" with ".join(kernel.id for kernel in side) for side in (first, second)]
    if names[0] == names[1]:
        names = [" with ".join(f"{kernel.id} {kernel.version}" for kernel in side) for side in (first, second)]
    if names[0] == names[1]:
        names = [f"the {place} {name}" for place, name in zip(("first", "second"), names, strict=True)]
    return [safe(name) for name in names]


def _finding(
    found: Comparison, item: Finding, kernels: Sequence[Kernel], permitting: str, holding: str
) -> Iterator[str]:
    asked = ", ".join(item.questions)
    free = item.questions == (UNBOUND,)
    if item.strict is None:
        yield wrap(f"undecided on {asked}: {item.why}", "  ", "    ")
    elif item.strict and item.query:
        core = f", by {', '.join(item.core)}" if item.core else ""
        whole = (
            f"wherever {permitting} does not bind, {holding} does not bind either"
            if free
            else f"whatever {permitting} permits of {asked}, {holding} permits too"
        )
        yield wrap(f"proved: {whole}{safe(core)}", "  ", "    ")
    elif item.witness is not None:
        yield ""
        heading = (
            f"{permitting} does not bind, and {holding} does"
            if free
            else f"{permitting} permits, and {holding} holds: {asked}"
        )
        yield wrap(heading, "  ", "    ")
        yield from situation_lines(found.variables, kernels, item.witness, "    ", "bound" if free else "held")
