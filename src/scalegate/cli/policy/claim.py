"""`scalegate policy claim`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.public_claims import Claimed, Claims, check_claims
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output, bold
from scalegate.cli.policy.situations import UNEVENTFUL, UNSAID, counted_words, encoding_notes
from scalegate.cli.text import safe, wrap
from scalegate.core.actions import MITIGATION, TRAIN
from scalegate.core.duties import Modality
from scalegate.policy.phrases import listed
from scalegate.prove.certificate import value_text
from scalegate.prove.claims.claim import ABOUT, Checked
from scalegate.prove.permits import STRENGTH, Reading
from scalegate.prove.wording.vocabulary import describe

_GATE = {True: "agrees", False: "disagrees", None: "not asked"}
_SCORED = ("is shown", "may be")
_SAID = {True: "TRUE", False: "FALSE", None: "CANNOT TELL"}


@click.command(
    epilog=examples(
        'scalegate policy claim acme.yaml --claim "no weights are ever released"',
        "scalegate policy claim --claims acme.claims.yaml",
    )
)
@click.argument("policies", nargs=-1, metavar="[POLICY]...")
@click.option("--claims", type=click.Path(path_type=Path), help="A file of sentences, each expected true or false.")
@click.option("--claim", "sentences", multiple=True, metavar="SENTENCE", help="A sentence, expected to be true.")
@click.option("--weakest", type=click.Choice(STRENGTH), default="must", show_default=True, help="What still counts.")
@format_option
def claim(
    policies: tuple[str, ...], *, claims: Path | None, sentences: tuple[str, ...], weakest: Modality, output: Output
) -> int:
    """Are public sentences about a policy true?

    Each is proved for every situation, or refuted by one that the gate's interpreter confirmed. A sentence that could
    mean several things is refused, with those that it could mean. Several policies bind together. Exit code 0: all as
    expected, 1: one is not, 3: nobody can say.
    """
    if claims is None and not sentences:
        raise click.UsageError("give --claims FILE or --claim SENTENCE")
    reading = Reading(weakest=weakest)
    found = check_claims(policies, claims, sentences, reading)
    if output.form == "json":
        output.json(
            {
                "policies": [kernel.id for kernel in found.kernels],
                "claims": [*_records(found)],
                "notes": [*_notes(found, weakest)],
            }
        )
    else:
        output.lines(_plain(found, weakest) if output.form == "plain" else _human(found, weakest))
    if any(item.wrong for item in found.claimed):
        return exits.NO
    return exits.UNKNOWN if any(item.checked.true is None for item in found.claimed) else exits.YES


def _human(found: Claims, weakest: Modality) -> Iterator[str]:
    for item in found.claimed:
        checked = item.checked
        unexpected = f", and expected {str(item.expected.true).lower()}" if item.wrong else ""
        yield wrap(f"{bold(_SAID[checked.true])}{unexpected}: {safe(checked.text)}", "", "  ")
        if checked.true is not None:
            yield wrap(safe(f"{'proved' if checked.shown is None else 'asked'}: {checked.means}"), "  ", "    ")
        rests = [part for part in checked.core if part != ABOUT]
        if rests and checked.shown is None:
            yield wrap(safe(f"by {listed(rests)}"), "  ", "    ")
        if checked.hollow:
            yield wrap(safe(f"because {checked.hollow}"), "  ", "    ")
        if checked.shown is not None:
            yield from _situation(found, checked)
        elif checked.why:
            yield wrap(safe(checked.why), "  ", "    ")
        elif checked.ways:
            yield from (wrap(safe(way), "  ", "    ") for way in checked.ways)
    for note in _notes(found, weakest):
        yield wrap(safe(note), "note: ", "  ")


def _notes(found: Claims, weakest: Modality) -> Iterator[str]:
    """Yield what every answer supposes, so that it can be quoted with it."""
    which = listed([f"{kernel.id} {kernel.version} ({kernel.digest[:19]})" for kernel in found.kernels])
    yield (
        f"said of {which}, and of what that permits at any one moment: not of what is done without asking it, nor "
        "after an amendment or the filling of a hole"
    )
    yield from _limits(found)
    if any(item.checked.shown is not None for item in found.claimed):
        yield UNSAID
    counted = counted_words(found.kernels, weakest)
    if counted:
        yield f"only {counted} counts"
    yield from encoding_notes(found.kernels)


def _limits(found: Claims) -> Iterator[str]:
    """Yield what a proved sentence does not speak of, although its words could be heard so."""
    proved = [item.checked for item in found.claimed if item.checked.true and item.checked.shown is None]
    words = " ".join(item.means for item in proved)
    if f"{TRAIN} is permitted" in words or f"{TRAIN} or" in words:
        yield f"training for mitigation is another action ({MITIGATION}), and tests and study are never held"
    scored = {name for kernel in found.kernels for name in kernel.evaluations}
    if any(f"{name} {how} " in item.checked.means for item in found.claimed for name in scored for how in _SCORED):
        yield "a score is the one that the policy reads: crossings of relatives count wherever it looks at them"
    if any("counts for it" in item.means for item in proved):
        yield "a result counts for a model that it was measured on, and for what the policy lets go on from there"


def _situation(found: Claims, checked: Checked) -> Iterator[str]:
    """Yield the situation of a sentence, one clause a line, so that it can be put into a file of cases."""
    shown = checked.shown
    if shown is None:
        return
    for place, clause in enumerate(_clauses(found, checked) or [f"already {UNEVENTFUL}"]):
        yield f"  {'and ' if place else 'when'} {safe(clause)}"
    bound = any(item.binds for item in shown.judged)
    escapes = [name for item in shown.judged for name in item.escapes]
    why = f", under the exception {', '.join(escapes)}" if escapes else ""
    yield f"  then {shown.action} is permitted{safe(why) if bound else ', because nothing binds'}"
    match shown.gate.agrees:
        case True:
            yield "  gate: the whole gate says so too, on a history in which this comes about"
        case False:
            yield wrap(safe(f"but {shown.gate.why}, on a history in which this comes about"), "  ", "  ")
        case None:
            yield wrap(safe(f"gate: judged by its interpreter alone ({shown.gate.why})"), "  ", "    ")


def _clauses(found: Claims, checked: Checked) -> list[str]:
    if checked.shown is None or checked.variables is None:
        return []
    return describe(checked.variables, found.kernels, checked.shown.values)


def _plain(found: Claims, weakest: Modality) -> Iterator[str]:
    for item in found.claimed:
        yield f"claim: {safe(item.checked.text)}"
        yield f"means: {safe(item.checked.means)}"
        yield f"true: {'unknown' if item.checked.true is None else str(item.checked.true).lower()}"
        yield f"expected: {str(item.expected.true).lower()}"
        if item.checked.shown is not None:
            yield from (f"when: {safe(clause)}" for clause in _clauses(found, item.checked) or [UNEVENTFUL])
            yield f"permitted: {item.checked.shown.action}"
            yield f"gate: {_GATE[item.checked.shown.gate.agrees]}{safe(_more(item.checked.shown.gate.why))}"
        if item.checked.empty:
            yield "empty: true"
        if item.checked.hollow:
            yield f"because: {safe(item.checked.hollow)}"
        yield from (f"way: {safe(way)}" for way in item.checked.ways)
        if item.checked.why:
            yield f"why: {safe(item.checked.why)}"
    yield from (f"note: {safe(note)}" for note in _notes(found, weakest))


def _more(why: str) -> str:
    return f": {why}" if why else ""


def _records(found: Claims) -> Iterator[dict[str, object]]:
    for item in found.claimed:
        yield _record(found, item)


def _record(found: Claims, item: Claimed) -> dict[str, object]:
    checked, shown = item.checked, item.checked.shown
    return {
        "says": checked.text,
        "means": checked.means,
        "true": checked.true,
        "expected": item.expected.true,
        "empty": checked.empty,
        "because": checked.hollow,
        "ways": list(checked.ways),
        "situation": None
        if shown is None
        else {
            "action": shown.action,
            "clauses": _clauses(found, checked),
            "values": {name: value_text(value) for name, value in shown.values.items()},
            "gate": {"agrees": shown.gate.agrees, "why": shown.gate.why},
            "exceptions": [name for judged in shown.judged for name in judged.escapes],
        },
        "rests_on": list(checked.core),
        "solvers": [{"name": one.solver, "version": one.version, "said": one.status} for one in checked.opinions],
        "queries": list(checked.queries),
        "why": checked.why,
    }
