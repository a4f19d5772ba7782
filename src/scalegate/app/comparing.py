"""Questions about policies as such: compare two, tell an amendment from its old text, find what one still permits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scalegate.app.library import policy_text
from scalegate.app.policies import parse
from scalegate.app.refusal import RefusalError
from scalegate.app.solvers import solvers
from scalegate.core.actions import HARDER
from scalegate.core.kernel import Kernel
from scalegate.prove.allows import Worst, worst
from scalegate.prove.compare import QUESTIONS, UNBOUND, Comparison, Finding, Witness, compare
from scalegate.prove.deep import Deep, examine
from scalegate.prove.diff import Change, Diff, diff
from scalegate.prove.enact.confirm import Confirmation, confirm
from scalegate.prove.over_time import OverTime, over_time
from scalegate.prove.permits import Reading
from scalegate.prove.unread import unread
from scalegate.prove.variables import Variables


def named_policy(name: str) -> Kernel:
    """Return the policy of a file, or of the library where no such file exists.

    Raises:
        RefusalError: if there is neither, or the text is no policy.
    """
    return parse(policy_text(name), name)


def found_from(file: Path, name: str) -> str:
    """Return a policy that a file names: one beside it, else a file or an id of the library."""
    beside = file.parent / name
    return str(beside) if beside.exists() else name


def check_read(kernels: Sequence[Kernel], reading: Reading, questions: Sequence[str], code: str, remedy: str) -> None:
    """Check that an answer would not rest on a part of an encoding that nobody read.

    Args:
        kernels: the policies that are asked about.
        reading: which part of them counts.
        questions: what is asked.
        code: that of the refusal.
        remedy: what to do about it.

    Raises:
        RefusalError: if it would.
    """
    needed = [part for kernel in kernels for part in unread(kernel, reading, questions)]
    if needed:
        message = f"the answer would rest on what nobody here read: {'; '.join(needed)}"
        raise RefusalError("inconclusive", code, message, remedy)


def compared(
    first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading, actions: Sequence[str] = ()
) -> Comparison:
    """Return how two sides stand to each other.

    Raises:
        RefusalError: if the answer would rest on a part of an encoding that nobody read, or no solver is installed.
    """
    questions = tuple(actions) or (*QUESTIONS, UNBOUND)
    remedy = "`--about ASPECT` or `--action ACTION` asks about a part; `policy library ID` says what was read"
    check_read((*first, *second), reading, questions, "comparison-unread", remedy)
    _check_about(first, second, reading)
    return played(compare(first, second, solvers(), reading, questions), first, second, reading)


def played(found: Comparison, first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading) -> Comparison:
    """Return a comparison whose situations were enacted as histories, and put to the whole gate.

    Where the gate says otherwise than its interpreter did, nothing is known, and it is a fault to report.
    """

    def asked(item: Finding, permitting: Sequence[Kernel], holding: Sequence[Kernel]) -> Finding:
        if item.witness is None:
            return item
        gate = put_to_the_gate(found.variables, item.witness, permitting, holding, reading)
        if gate.agrees is False:
            return replace(item, strict=None, witness=None, why=f"the whole gate disagrees: {gate.why}")
        return replace(item, witness=replace(item.witness, gate=gate_words(gate)))

    return replace(
        found,
        forward=tuple(asked(item, first, second) for item in found.forward),
        backward=tuple(asked(item, second, first) for item in found.backward),
    )


def put_to_the_gate(
    variables: Variables,
    witness: Witness,
    permitting: Sequence[Kernel],
    holding: Sequence[Kernel],
    reading: Reading,
) -> Confirmation:
    """Return what the whole gate says of a situation that was made into a history."""
    sides = ((permitting, witness.permitted), (holding, witness.held))
    judged = [pair for kernels, said in sides for pair in zip(kernels, said, strict=True)]
    return confirm(variables, judged, witness.values, witness.question, reading)


def gate_words(gate: Confirmation) -> str:
    """Return what the whole gate said, in words."""
    if gate.agrees:
        return "the whole gate decides so, on a history made for it"
    some = f"; of {', '.join(gate.confirmed)} the whole gate decides so" if gate.confirmed else ""
    return f"by the gate's interpreter alone ({gate.why}){some}"


def proved_over_time(
    first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading, found: Comparison
) -> tuple[OverTime, ...]:
    """Return whether what was proved of situations holds of all histories, once for each group of actions.

    Raises:
        RefusalError: if no solver is installed.
    """
    asked = solvers()
    proved = [item.questions[0] for item in found.forward if item.strict and item.questions[0] in HARDER]
    return tuple(over_time(first, second, question, asked, reading) for question in proved)


def _check_about(first: Sequence[Kernel], second: Sequence[Kernel], reading: Reading) -> None:
    """Check that at least one side says something about the aspect that is asked about."""
    if not reading.about:
        return
    marked = [item.about for kernel in (*first, *second) for item in kernel.commitments]
    marked += [item.about for kernel in (*first, *second) for item in kernel.duties.obligations.values()]
    known = sorted({aspect for about in marked for aspect in about})
    if reading.about not in known:
        words = f"they are about {', '.join(known)}" if known else "nothing in them is marked with an aspect"
        raise RefusalError("usage", "aspect-unknown", f"neither side says anything about `{reading.about:.80}`", words)


def changes(old: Kernel, new: Kernel, reading: Reading) -> Diff:
    """Return what an amendment changes.

    Raises:
        RefusalError: if no solver is installed.
    """
    found = diff(old, new, solvers(), reading)

    def asked(change: Change) -> Change:
        if change.witness is None or change.variables is None:
            return change
        sides = ([new], [old]) if change.kind == "weakened" else ([old], [new])
        gate = put_to_the_gate(change.variables, change.witness, *sides, reading)
        if gate.agrees is False:
            message = f"the whole gate disagrees with the situation that was found: {gate.why}"
            return replace(change, kind="undecided", message=message, witness=None)
        return replace(change, witness=replace(change.witness, gate=gate_words(gate)))

    return replace(found, changes=tuple(map(asked, found.changes)))


def allowed(kernel: Kernel) -> tuple[Worst, ...]:
    """Return the most dangerous situation that each commitment of a policy still permits.

    Raises:
        RefusalError: if no solver is installed.
    """
    return worst(kernel, solvers(second=False))


def examined(kernel: Kernel) -> Deep:
    """Return what can be proved about a policy: its defects, and what could ever lift each hold.

    Raises:
        RefusalError: if no solver is installed.
    """
    return examine(kernel, solvers())


def known_actions() -> tuple[str, ...]:
    """Return the actions that can be asked about."""
    return tuple(HARDER)
