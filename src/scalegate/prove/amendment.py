"""The difference that an amendment makes, as a document that is attached to it and checked again without a solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scalegate.core.canonical import Plain
from scalegate.core.kernel import Kernel
from scalegate.prove.certificate import (
    MALFORMED,
    Replayed,
    at_least_as_strict,
    listed,
    mapped,
    narrowed,
    plain,
    replay,
    restaged,
    witness_plain,
)
from scalegate.prove.compare import QUESTIONS, UNBOUND, Table
from scalegate.prove.diff import FILLED, Change, Diff, rules
from scalegate.prove.permits import WHOLE

SCHEMA = "scalegate/amendment/v1"


def document(found: Diff, old: Kernel, new: Kernel) -> dict[str, Plain]:
    """Return what changed from one text to another as plain data, for JSON."""
    return {
        "schema": SCHEMA,
        "weakens": found.weakens,
        "comparison": plain(found.whole, [new], [old], WHOLE),
        "imagined": None if found.imagined is None else plain(found.imagined, [new], [old], FILLED),
        "changes": [_change(change) for change in found.changes],
    }


def _change(change: Change) -> dict[str, Plain]:
    shown = change.witness is not None and change.variables is not None
    return {
        "kind": change.kind,
        "part": change.part,
        "questions": [*change.questions],
        "message": change.message,
        "filled": change.filled,
        "witness": witness_plain(change.variables, change.witness)
        if shown and change.variables is not None and change.witness is not None
        else None,
    }


def check(attached: Mapping[str, object], old: Kernel, new: Kernel) -> Replayed:
    """Check the document that is attached to an amendment.

    Every situation is replayed, and what no situation shows (who may change the policy, fill its holes, hold its roles)
    is derived again. That nothing else was weakened is what a proof says, and listed as not checked.

    Args:
        attached: what `document` returned, read back from JSON.
        old: the text that is replaced.
        new: the text that replaces it.
    """
    try:
        return _check(attached, old, new)
    except MALFORMED as error:
        return Replayed((f"it is no difference of two texts ({type(error).__name__})",), (), 0)


def _check(attached: Mapping[str, object], old: Kernel, new: Kernel) -> Replayed:
    if attached["schema"] != SCHEMA:
        return Replayed((f"its schema is not {SCHEMA}",), (), 0)
    changes = [mapped(item) for item in listed(attached["changes"])]
    kinds = {change["kind"] for change in changes}
    weakens = True if "weakened" in kinds else None if "undecided" in kinds else False
    wrong = [] if attached["weakens"] is weakens else ["what it says of the whole is not what its changes say"]
    unchecked: list[str] = []
    replayed, derived = 0, True
    if (attached["imagined"] is not None) is not bool(new.holes):
        wrong.append("it says nothing of what becomes possible once holes are filled")
    for part, reading in (("comparison", WHOLE), ("imagined", FILLED)):
        if part == "comparison" or attached[part] is not None:
            compared = mapped(attached[part])
            found = replay(compared, [new], [old])
            wrong += [*found.wrong, *narrowed(compared, reading)]
            unchecked += found.unchecked
            replayed, derived = replayed + found.replayed, derived and found.derived
            wrong += _unlike(at_least_as_strict(compared), weakens)
    tables = {reading.filled: Table([new], [old], reading, (*QUESTIONS, UNBOUND)) for reading in (WHOLE, FILLED)}
    for change in changes:
        if change["witness"] is not None:
            replayed += 1
            wrong += _again(tables[change["filled"] is True], change)
        elif change["kind"] == "undecided":
            unchecked.append(f"whether {change['part']!s:.80} was weakened: nobody could say")
    wrong += _missing(changes, old, new)
    return Replayed(tuple(wrong), tuple(unchecked), replayed, derived)


def _unlike(strict: bool | None, weakens: bool | None) -> list[str]:  # noqa: FBT001 - two answers, in order
    """Return what is wrong with a sum that calls an amendment better than its own comparison does."""
    if strict is False and weakens is not True:
        return ["it weakens nothing, it says, and its own comparison says otherwise"]
    if strict is None and weakens is False:
        return ["it weakens nothing, it says, and its own comparison cannot tell"]
    return []


def _again(table: Table, change: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the situation of one change."""
    kind, part = change["kind"], str(change["part"])
    if kind not in ("weakened", "strengthened"):
        return [f"a situation stands beside {part}, of which it says nothing"]
    held, wrong = restaged(table, mapped(change["witness"]), backward=kind == "strengthened")
    if wrong:
        return wrong
    named = part == "the policy as a whole" or part in held
    return [] if held and named else [f"in the situation that is to show it, {part} holds nothing"]


def _missing(changes: Sequence[Mapping[str, object]], old: Kernel, new: Kernel) -> list[str]:
    """Return the changes of who may decide that the document leaves out, or makes up."""
    told = {(str(item["kind"]), str(item["part"]), str(item["message"])) for item in changes if item["witness"] is None}
    derived = {(change.kind, change.part, change.message) for change in rules(old, new)}
    decided = {item for item in told if item[0] in ("weakened", "strengthened")}
    left_out = sorted(derived - told)
    made_up = sorted(decided - derived)
    return [f"it leaves out that {part}: {message}" for _, part, message in left_out] + [
        f"it says what is not so, that {part}: {message}" for _, part, message in made_up
    ]
