"""Files of claims: sentences about a policy, with what is expected of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scalegate.core.kernel import Kernel
from scalegate.policy.diagnose import Findings, quote
from scalegate.policy.fields import as_items, as_text
from scalegate.policy.source import Scalar, Text, clean
from scalegate.prove.cases.file import opened
from scalegate.prove.claims.bind import Bound, bind, readings
from scalegate.prove.claims.tree import AmbiguousError, UnclearError

LANGUAGE = "claims/v1"
MAX_CLAIMS = 500

# Every code of a claim, each with the rule that it stands for.
CODES = {
    "C201": "a claim is a sentence of the language, about what the policy has",
    "C202": "a claim can be read in one way",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A sentence, and whether it is expected to be true."""

    says: Scalar
    true: bool


@dataclass(frozen=True, slots=True)
class ClaimsText:
    """A file of claims. `policies` are those that it is about, as they are written; they bind together."""

    policies: tuple[Scalar, ...]
    claims: tuple[Expected, ...]


def read_claims(text: str, file: str) -> ClaimsText:
    """Return the claims of a text.

    Raises:
        DiagnosticError: with everything that is wrong with it.
    """
    findings = Findings()
    fields = opened(text, file, LANGUAGE, ("scalegate", "policy", "claims"), findings)
    if fields is None:
        raise findings.refuse()
    found: list[Expected] = []
    table = fields.table("claims") if fields.need("claims", fields.span) else None
    for entry in () if table is None else table.entries:
        value = as_text(entry.value, "a claim", findings)
        if value is not None and value.text not in ("true", "false"):
            message = f"{quote(value.text)} is neither true nor false"
            findings.error("P205", message, value.span, help="write `true` or `false`")
        elif value is not None:
            found.append(Expected(entry.key, value.text == "true"))
    if table is not None and not table.entries:
        # Nothing would ever fail.
        findings.error("P204", "no sentence is claimed", table.span, help="write one, or remove the file")
    if len(found) > MAX_CLAIMS:
        findings.error("P209", f"more than {MAX_CLAIMS} claims", fields.span, help="write several files")
    node = fields.node("policy")
    named = () if node is None else as_items(node, "`policy`", findings)
    policies = [as_text(item, "`policy`", findings) for item in named]
    if findings.failed:
        raise findings.refuse()
    return ClaimsText(tuple(item for item in policies if item is not None), tuple(found))


def spoken_claim(sentence: str) -> Expected:
    """Return a sentence that stands in no file, expected to be true."""
    return Expected(Scalar(sentence, Text(sentence, "<claim>"), 0, len(sentence), ""), true=True)


def bound_claims(claims: Sequence[Expected], kernels: Sequence[Kernel], text: str, file: str) -> tuple[Bound, ...]:
    """Return what sentences say about some policies that bind together.

    Args:
        claims: the sentences.
        kernels: the policies.
        text: the text that they stand in, for excerpts; empty where each stands alone.
        file: its name.

    Raises:
        DiagnosticError: for sentences that say nothing, or could mean several things, each at its place.
    """
    findings = Findings()
    if text:
        findings.open_text(file, text.replace("\r\n", "\n").split("\n"))
    found = [_bound(item.says, kernels, findings) for item in claims]
    if findings.failed:
        raise findings.refuse()
    return tuple(item for item in found if item is not None)


def _bound(says: Scalar, kernels: Sequence[Kernel], findings: Findings) -> Bound | None:
    alone = says.source.file == "<claim>"
    if alone:
        findings.open_text(says.source.file, says.source.lines)
        if not clean(says.source, findings):
            return None
    try:
        return bind(says.text, kernels)
    except UnclearError as error:
        start, end = _stretch(says.text, error.at.start, error.at.end)
        findings.error("C201", str(error), says.at(start, end), help=error.help)
    except AmbiguousError as error:
        start, end = _stretch(says.text, error.at.start, error.at.end)
        ways = readings(says.text, kernels)
        help_ = "\n  ".join(("write one of these:", *ways)) if ways else "say it in other words"
        findings.error("C202", str(error), says.at(start, end), help=help_)
    return None


def _stretch(written: str, start: int, end: int) -> tuple[int, int]:
    """Return offsets in a text from those in the same text with its white space folded."""
    places = [place for place, char in enumerate(written) if not char.isspace()]
    folded = " ".join(written.split())
    first = sum(not char.isspace() for char in folded[:start])
    last = sum(not char.isspace() for char in folded[:end])
    if first >= len(places) or last <= first:
        return len(written), len(written)
    return places[first], places[last - 1] + 1
