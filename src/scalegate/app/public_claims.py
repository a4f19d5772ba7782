"""Public sentences about policies: proved, refuted by a situation, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scalegate.app.comparing import check_read, found_from, named_policy
from scalegate.app.policies import read_policy
from scalegate.app.refusal import RefusalError
from scalegate.app.solvers import solvers
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import Kernel
from scalegate.prove.claims.claim import Checked, check
from scalegate.prove.claims.file import Expected, bound_claims, read_claims, spoken_claim
from scalegate.prove.permits import WHOLE, Reading


@dataclass(frozen=True, slots=True)
class Claimed:
    """A sentence, what is expected of it, and what came of it."""

    expected: Expected
    checked: Checked

    @property
    def wrong(self) -> bool:
        """Whether it is not as expected."""
        return self.checked.true is not None and self.checked.true is not self.expected.true


@dataclass(frozen=True, slots=True)
class Claims:
    """What came of some sentences about policies that bind together."""

    kernels: tuple[Kernel, ...]
    claimed: tuple[Claimed, ...]


def check_claims(
    policies: Sequence[str], file: Path | None, sentences: Sequence[str] = (), reading: Reading = WHOLE
) -> Claims:
    """Return which sentences are true of some policies.

    Args:
        policies: files, or ids of the library; none: those that the file of claims names, looked for from its folder.
        file: a file of claims; None for sentences alone.
        sentences: more of them, each expected to be true.
        reading: which part of the policies counts.

    Raises:
        RefusalError: if a file is not what it should be, a sentence says nothing or could mean several things, the
            answer would rest on what nobody read, or no solver is installed.
    """
    name = str(file) if file is not None else "<claim>"
    text = read_policy(file) if file is not None else ""
    try:
        found = read_claims(text, name) if file is not None else None
        named = list(policies)
        if not named and found is not None and file is not None:
            named = [found_from(file, item.text) for item in found.policies]
        if not named:
            raise RefusalError("usage", "policy-unnamed", "no policy is named", "give one, or write it into the file")
        kernels = tuple(named_policy(item) for item in named)
        claims = (*(found.claims if found is not None else ()), *map(spoken_claim, sentences))
        bound = bound_claims(claims, kernels, text, name)
    except DiagnosticError as error:
        raise _refusal(error) from error
    actions = tuple(dict.fromkeys(action for item in bound for action in item.sentence.actions))
    check_read(kernels, reading, actions, "claim-unread", "`policy library ID` says what was read")
    asked = solvers()
    return Claims(
        kernels,
        tuple(Claimed(claim, check(item, kernels, asked, reading)) for claim, item in zip(claims, bound, strict=True)),
    )


def _refusal(error: DiagnosticError) -> RefusalError:
    found = error.diagnostics
    ambiguous = all(item.code == "C202" for item in found)
    hint = ""
    if len(found) == 1:
        # One line for those who read no findings; several are told apart by their places.
        ways = [line.strip() for line in found[0].help.splitlines()]
        hint = f"it could mean: {'; '.join(ways[1:])}" if len(ways) > 1 else found[0].help
        found = (replace(found[0], help=""),)
    return RefusalError(
        "malformed",
        "claim-ambiguous" if ambiguous else "claim-malformed",
        f"a claim could mean several things: {error}" if ambiguous else f"this is no claim: {error}",
        hint,
        found,
    )
