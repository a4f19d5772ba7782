"""What an amendment changes: weakened first, then strengthened, reworded, and structural changes.

Weakened is what permits a situation that was held before, whatever its author calls it. Each such change carries a
situation that the gate's interpreter holds under the old text and permits under the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scalegate.core.kernel import Commitment, Compare, Condition, Constant, Kernel, Not
from scalegate.prove.ask import Script
from scalegate.prove.compare import (
    QUESTIONS,
    UNBOUND,
    Comparison,
    Finding,
    Side,
    Solvers,
    Witness,
    compare,
    in_force,
    permission,
    plainest,
)
from scalegate.prove.formula import Formula, every, neg, text
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import WHOLE, Permission, Permits, Reading
from scalegate.prove.rules import ORDER, Change, Kind, rules
from scalegate.prove.symbols import Value
from scalegate.prove.unread import unread
from scalegate.prove.variables import Variables

__all__ = ["FILLED", "Change", "Diff", "Kind", "diff", "rules"]

# Every hole is imagined filled by something that can be shown: what stands beside one counts only then.
FILLED = replace(WHOLE, filled=True)


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes, weakening first, and the two texts compared as a whole.

    `imagined` compares them with every hole filled, where the new text has any: what a hole hides today it will not
    hide then.
    """

    whole: Comparison
    changes: tuple[Change, ...]
    imagined: Comparison | None = None

    @property
    def weakens(self) -> bool | None:
        """Whether anything was weakened; None where that is undecided."""
        kinds = {change.kind for change in self.changes}
        if "weakened" in kinds:
            return True
        return None if "undecided" in kinds else False


def diff(old: Kernel, new: Kernel, solvers: Solvers, reading: Reading = WHOLE) -> Diff:
    """Return what changed from one text of a policy to another."""
    whole = compare([new], [old], solvers, reading, (*QUESTIONS, UNBOUND))
    pair = _Pair(old, new, solvers, reading)
    lost, gained = pair.changes("weakened"), pair.changes("strengthened")
    shown = [*lost, *gained, *_scope(whole)]
    shown += _unexplained(whole, shown)
    imagined = None
    if new.holes:
        filled = replace(reading, filled=True)
        imagined = compare([new], [old], solvers, filled, (*QUESTIONS, UNBOUND))
        shown += _once_filled(_Pair(old, new, solvers, filled), imagined, shown)
    changes = [*shown, *rules(old, new, reading.weakest), *_not_read(old, new, reading)]
    changes += _reworded(old, new, {change.part for change in shown})
    return Diff(whole, tuple(sorted(changes, key=lambda item: ORDER.index(item.kind))), imagined)


def _not_read(old: Kernel, new: Kernel, reading: Reading) -> Iterator[Change]:
    """Yield what nobody read of two encodings: whether that was weakened nobody can say."""
    for part in dict.fromkeys(part for kernel in (old, new) for part in unread(kernel, reading, QUESTIONS)):
        yield Change("undecided", part, (), "nobody read it")


# ---------------------------------------------------------------- what situations show


class _Pair:
    """Two texts of one policy over the same variables, and each part of one held against the whole of the other.

    A part of the old text is weakened where the new text, as a whole, permits something that the part held. A part
    that is gone and that others make up for is none.
    """

    def __init__(self, old: Kernel, new: Kernel, solvers: Solvers, reading: Reading) -> None:
        self.variables, self.solvers = Variables(), solvers
        self.sides = tuple(Side(self.variables, (kernel,), reading) for kernel in (old, new))
        self.written: dict[str, tuple[Permission, Permission]] = {}
        permits = [Permits(self.variables, kernel, reading) for kernel in (old, new)]
        for question in QUESTIONS:
            before, after = (permission(item, question) for item in permits)
            self.written[question] = before, after
        uneventful(self.variables, (old, new))
        self.begins = tuple(in_force(self.variables, (old, new)))

    def changes(self, kind: Literal["weakened", "strengthened"]) -> list[Change]:
        """Return each part of the old text that the new one weakens, or of the new one that strengthens the old."""
        found: dict[tuple[Kind, str], Change] = {}
        known: dict[tuple[str, str], Change | None] = {}
        for question, (before, after) in self.written.items():
            part_of, whole = (before, after) if kind == "weakened" else (after, before)
            for name, part in part_of.parts.items():
                if part is True or part in whole.parts.values():
                    continue
                asked = (text(part), text(every(whole.parts.values())))
                if asked not in known:
                    known[asked] = self._change(kind, name, part, question)
                change = known[asked]
                if change is not None:
                    first = found.setdefault((change.kind, name), replace(change, part=name, questions=()))
                    found[change.kind, name] = replace(first, questions=(*first.questions, question))
        return list(found.values())

    def _change(self, kind: Kind, name: str, part: Formula, question: str) -> Change | None:
        """Return the change that a part of one text amounts to, held against the whole of the other."""
        before, after = self.written[question]
        whole, other = (after, before) if kind == "weakened" else (before, after)
        binding = (*self.begins, neg(before.unbound), neg(after.unbound))
        script = Script(self.variables, dict(whole.parts), (*binding, neg(part)))
        answer = self.solvers.ask(script)
        if answer.status == "unsat":
            return None
        permitting, holding = reversed(self.sides) if kind == "weakened" else self.sides

        def stands(values: Mapping[str, Value]) -> bool:
            (free,), (held,) = permitting.judged(question, values), holding.judged(question, values)
            return free.binds and free.permits and name in held.held_by

        laws = (*self.variables.laws(), *binding)
        values = plainest(script, answer, laws, stands, self.solvers) if answer.status == "sat" else None
        if values is None:
            why = answer.why or "a situation was found that the gate's interpreter does not confirm"
            return Change("undecided", name, (question,), why)
        gone = name not in whole.parts
        words = ("it is gone: " if kind == "weakened" else "it is new: ") if gone and other is not whole else ""
        words += "it permits what it held" if kind == "weakened" else "it holds what it permitted"
        witness = Witness(question, values, permitting.judged(question, values), holding.judged(question, values))
        return Change(kind, name, (question,), words, witness, self.variables)


def _scope(whole: Comparison) -> Iterator[Change]:
    """Yield where the scope itself became narrower or wider."""
    kinds: tuple[tuple[Kind, Sequence[Finding], str], ...] = (
        ("weakened", whole.forward, "it no longer binds where it did"),
        ("strengthened", whole.backward, "it binds where it did not"),
    )
    for kind, findings, words in kinds:
        for item in findings:
            if UNBOUND in item.questions and item.strict is False:
                yield Change(kind, "scope", (UNBOUND,), words, item.witness, whole.variables)


def _unexplained(whole: Comparison, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield what is decided, or open, about the whole and shows in no part of it."""
    weakened = [item for item in whole.forward if item.strict is False]
    if weakened and not any(change.kind == "weakened" for change in changes):
        questions = tuple(question for item in weakened for question in item.questions)
        words = "it permits what it held"
        yield Change("weakened", "the policy as a whole", questions, words, weakened[0].witness, whole.variables)
    open_ = [item for item in whole.forward if item.strict is None]
    if open_ and not any(change.kind == "undecided" for change in changes):
        yield Change("undecided", "the policy as a whole", open_[0].questions, open_[0].why)


def _once_filled(pair: _Pair, imagined: Comparison, told: Sequence[Change]) -> list[Change]:
    """Return what is weakened besides what was told, once every hole is filled."""
    known = {change.part for change in told if change.kind == "weakened"}
    found = [change for change in pair.changes("weakened") if change.part not in known]
    if not known:
        found += _unexplained(imagined, found)
    return [
        replace(change, message=f"once holes are filled, {change.message}", filled=change.witness is not None)
        for change in found
    ]


def _reworded(old: Kernel, new: Kernel, told: Collection[str]) -> Iterator[Change]:
    """Yield parts whose words changed and nothing else, and parts that are gone or new and make no difference."""
    before, after = ({item.id: item for item in kernel.commitments} for kernel in (old, new))
    for name in dict.fromkeys((*before, *after)):
        part = f"commitment {name}"
        if part in told:
            continue
        if name not in after:
            yield Change("structural", part, (), "it is gone, and what it held the others hold")
        elif name not in before:
            yield Change("structural", part, (), "it is new, and holds nothing that was not held")
        elif _plain(old, before[name]) != _plain(new, after[name]):
            yield Change("reworded", part, (), "its words changed, and what is held did not")
    duties = [kernel.duties.obligations for kernel in (old, new)]
    for name in dict.fromkeys((*duties[0], *duties[1])):
        part = f"obligation {name}"
        if part in told:
            continue
        if name not in duties[0] or name not in duties[1]:
            gone = name not in duties[1]
            yield Change("structural", part, (), "it is gone" if gone else "it is new")
        elif duties[0][name].does != duties[1][name].does:
            yield Change("reworded", part, (), f"it says `{duties[1][name].does}` now")


def _plain(kernel: Kernel, commitment: Commitment) -> object:
    """Return the words of a commitment, for telling whether it was reworded."""
    exceptions = tuple(
        (item.id, _words(item.when), _words(item.until), item.each, item.total)
        for item in kernel.exceptions
        if item.instead_of == commitment.id
    )
    return commitment.hold, _words(commitment.when), _words(commitment.until), exceptions


def _words(condition: Condition) -> object:
    match condition:
        case Compare(text=text):
            return text
        case Constant(proven=proven):
            return proven
        case Not(part=part):
            return "not", _words(part)
        case _:
            parts: list[object] = [type(condition).__name__, getattr(condition, "count", None)]
            return (*parts, *map(_words, condition.parts))
