"""`scalegate policy allows`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from scalegate.app.comparing import allowed, named_policy
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.policy.situations import UNEVENTFUL, UNSAID, encoding_notes
from scalegate.cli.text import safe, wrap
from scalegate.core.kernel import Kernel
from scalegate.core.terms import Shown
from scalegate.policy.phrases import ACTION_WORDS, listed
from scalegate.prove.allows import Worst
from scalegate.prove.nominal import leaves
from scalegate.prove.wording.vocabulary import describe


@click.command(
    "allows",
    epilog=examples("scalegate policy allows acme.yaml", "scalegate policy allows openai-preparedness-2 --format json"),
)
@click.argument("policy")
@format_option
def allows(*, policy: str, output: Output) -> int:
    """Say of each commitment the most dangerous situation that the whole policy still permits, in one sentence.

    POLICY is a file, or an id of the library. Every situation was confirmed by the gate's interpreter. 3 if for some
    commitment nobody can say.
    """
    kernel = named_policy(policy)
    found = allowed(kernel)
    if output.form == "json":
        output.json(
            [
                {
                    "commitment": item.commitment,
                    "stage": item.stage,
                    "crossed": item.crossed,
                    "action": item.action,
                    "situation": describe(item.variables, (kernel,), item.values),
                    "exceptions": list(item.judged.escapes) if item.judged else [],
                    "sentence": sentence(item, kernel),
                    "why": item.why,
                }
                for item in found
            ]
        )
    else:
        output.lines(_lines(found, kernel))
    return exits.UNKNOWN if any(item.judged is None and item.action for item in found) else exits.YES


def _lines(found: tuple[Worst, ...], kernel: Kernel) -> Iterator[str]:
    before = ""
    for item in found:
        if item.commitment != before:
            yield wrap(safe(item.commitment), "", "  ")
            before = item.commitment
        yield wrap(safe(sentence(item, kernel)), "  ", "    ")
    for note in (UNSAID, *encoding_notes((kernel,))):
        yield wrap(safe(note), "note: ", "  ")


def sentence(item: Worst, kernel: Kernel) -> str:
    """Return the worst that a commitment permits, as one sentence."""
    lead = _lead(item, kernel)
    if not item.action:
        # What holds once something is crossed says so itself.
        return f"{item.why[0].upper()}{item.why[1:]}." if item.crossed else f"{lead}: {item.why}."
    if item.judged is None:
        return f"{lead}: nobody can say ({item.why})."
    clauses = describe(item.variables, (kernel,), item.values)
    when = f" although {listed(clauses)}" if clauses else f" where {UNEVENTFUL}"
    needed = _needed(item, kernel, clauses)
    while_ = f", while {listed(needed)} {'is' if len(needed) == 1 else 'are'} shown" if needed else ""
    used = f", under the exception {listed(item.judged.escapes)}" if item.judged.escapes else ""
    return f"{lead}: {ACTION_WORDS.get(item.action, item.action)} is permitted{when}{while_}{used}."


def _lead(item: Worst, kernel: Kernel) -> str:
    if item.stage != "unsettled":
        return "Once crossed" if item.crossed else "Uncrossed"
    (unsettled,) = {found.unsettled for found in kernel.commitments if found.id == item.commitment}
    whose = "the developer decides" if unsettled == "discretion" else "nothing is held"
    return f"Neither shown to be crossed nor uncrossed, where {whose}"


def _needed(item: Worst, kernel: Kernel, clauses: Sequence[str]) -> list[str]:
    """Return the safeguards of its commitment that the permit still needs: whatever could be lacking is lacking."""
    known = {found.id: found for found in kernel.commitments}
    asked = (kernel.terms[leaf.term] for leaf in leaves(known[item.commitment].until))
    names = dict.fromkeys(term.safeguard for term in asked if isinstance(term, Shown))
    return [name for name in names if f"{name} is not shown" not in clauses]
