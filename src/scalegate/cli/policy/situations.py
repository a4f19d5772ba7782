"""Situations that tell policies apart, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scalegate.cli.text import safe, wrap
from scalegate.core.duties import Modality
from scalegate.core.kernel import Kernel
from scalegate.policy.phrases import listed
from scalegate.prove.assumed import ASSUMED
from scalegate.prove.compare import Witness
from scalegate.prove.permits import STRENGTH
from scalegate.prove.variables import Variables
from scalegate.prove.wording.vocabulary import describe

# What a situation without a clause is, and what clauses leave unsaid.
UNEVENTFUL = "everything is as it was asked for, and nothing has crossed a line"
UNSAID = (
    "what a situation does not mention is as it was asked for: measured, reported, believed and countersigned in time, "
    "safeguards shown, nothing beyond a line, within the scope; nobody attested, approved or ordered anything else; "
    "and what has another name is another thing"
)


def assumed_notes() -> Iterator[str]:
    """Yield what every proof assumes."""
    for text in ASSUMED:
        yield f"assumed: {text[0].lower()}{text[1:].removesuffix('.')}"


def counted_words(kernels: Sequence[Kernel], weakest: Modality) -> str:
    """Return which promises of encodings count, where one of the policies is an encoding."""
    if not any(kernel.kind == "reference" for kernel in kernels):
        return ""
    return f"what a text says by {', '.join(STRENGTH[: STRENGTH.index(weakest) + 1])}"


def encoding_notes(kernels: Sequence[Kernel]) -> Iterator[str]:
    """Yield what an answer about encodings of published texts rests on, whoever quotes it."""
    names = list(dict.fromkeys(kernel.id for kernel in kernels if kernel.kind == "reference"))
    if not names:
        return
    one = len(names) == 1
    which = f"{names[0]} is an encoding" if one else f"{listed(names)} are encodings"
    yield (
        f"{which} in the words of scalegate, and not the text{'' if one else 's'}: a verdict can rest on how a passage "
        "was read, on what was marked as about an aspect, and on two names being two things; `policy library ID` shows "
        "the choices"
    )


def situation_lines(
    variables: Variables, kernels: Sequence[Kernel], witness: Witness, indent: str, end: str = "held"
) -> Iterator[str]:
    """Yield a situation, clause by clause, and what holds in it; the gate's interpreter confirmed it."""
    clauses = describe(variables, kernels, witness.values)
    if not clauses:
        yield wrap(f"already where {UNEVENTFUL}", f"{indent}when  ", f"{indent}      ")
    for place, clause in enumerate(clauses):
        yield wrap(safe(clause), f"{indent}{'and' if place else 'when'}{' ' * (3 if place else 2)}", f"{indent}      ")
    held = list(dict.fromkeys(part for judged in witness.held for part in judged.held_by))
    yield wrap(safe(f"{end} by {', '.join(held)}"), f"{indent}then  ", f"{indent}      ")
    if witness.gate:
        yield wrap(safe(witness.gate), f"{indent}gate  ", f"{indent}      ")
    used = list(dict.fromkeys(name for judged in witness.permitted for name in judged.escapes))
    if used:
        yield wrap(safe(f"permitted under the exception {', '.join(used)}"), f"{indent}      ", f"{indent}      ")
