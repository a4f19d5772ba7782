"""A situation in short English clauses, and clauses as the situation that they describe.

What is nominal goes without saying. What is printed of a counterexample, put into a file of cases, means the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from scalegate.core.kernel import Kernel
from scalegate.policy.diagnose import quote, suggestion
from scalegate.prove.formula import AtMost, Formula, Neg, holds, names
from scalegate.prove.symbols import Unit, Value, Variable
from scalegate.prove.variables import Variables
from scalegate.prove.wording.phrases import SLOT, Phrases, mark
from scalegate.prove.wording.settle import settle
from scalegate.prove.wording.values import read, show


class ClauseError(ValueError):
    """A clause that says nothing about a situation, or situations that cannot be.

    Attributes:
        place: which clause is at fault, from 0; None where they cannot all be true.
        help: what would repair it; may be empty.
    """

    def __init__(self, message: str, place: int | None, help: str = "") -> None:  # noqa: A002 - the word of the diagnostic
        """Keep what is wrong."""
        super().__init__(message)
        self.place = place
        self.help = help


# What a clause says: its text, and for a flag which of both it says.
_Text: TypeAlias = tuple[str, bool]


@dataclass(slots=True)
class _Clause:
    """One thing that can be said, and everything that it says it of."""

    sense: bool
    unit: Unit
    about: set[object] = field(default_factory=set)
    members: list[Variable] = field(default_factory=list)


class Vocabulary:
    """All clauses about the situations of some policies."""

    def __init__(self, variables: Variables, kernels: Sequence[Kernel]) -> None:
        """Read how everything is called."""
        self.variables = variables
        self._clauses: dict[_Text, _Clause] = {}
        self._ladders: dict[str, dict[bool, list[_Text]]] = {}
        phrases = Phrases(kernels)
        for variable in variables:
            phrasing = phrases.of(variable)
            senses = (True, False) if variable.unit == "flag" else (True,)
            ladders = self._ladders[variable.name] = {}
            for sense in senses:
                rungs = phrasing.rungs(sense)
                rungs.append(((variable.key,), f"{rungs[-1][1]} {mark(variable.key)}"))
                ladders[sense] = [(text, sense) for _, text in rungs]
                for about, text in rungs:
                    clause = self._clauses.setdefault((text, sense), _Clause(sense, variable.unit))
                    clause.about.add(about)
                    clause.members.append(variable)
        # Words that two things answer to say neither; each has a clause of its own further down.
        self._clauses = {text: item for text, item in self._clauses.items() if len(item.about) == 1}
        self._by_text = self._read_back()

    def _read_back(self) -> dict[str, list[tuple[str, _Clause]]]:
        """Return the clauses by the words before their value; those after it are kept beside them."""
        found: dict[str, list[tuple[str, _Clause]]] = {}
        for (text, _), clause in self._clauses.items():
            before, _, after = text.partition(SLOT)
            found.setdefault(before, []).append((after, clause))
        return found

    # ------------------------------------------------------------ values to words

    def describe(self, values: Mapping[str, Value]) -> list[str]:
        """Return what is not nominal in a situation, as clauses; what follows from the others goes without saying."""
        known = {**self.variables.nominal, **values}
        left = [
            variable for variable in self.variables if known[variable.name] != self.variables.nominal[variable.name]
        ]
        told = self._needed(self._tell(left, known), known)
        return list(dict.fromkeys((*told, *self._tell(self._beside(known), known))))

    def _tell(self, left: Iterable[Variable], known: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
        """Return clauses about some variables, each with all that it says."""
        found: dict[str, dict[str, Value]] = {}
        done: set[str] = set()
        for variable in left:
            if variable.name not in done:
                text, clause = self._broadest(variable, known)
                done.update(item.name for item in clause.members)
                value = known[variable.name]
                found[_said(text, value, variable.unit)] = {item.name: value for item in clause.members}
        return found

    def _needed(self, told: Mapping[str, Mapping[str, Value]], known: Mapping[str, Value]) -> list[str]:
        """Return the clauses without those that follow from the others."""
        kept = dict(told)
        laws = tuple(self.variables.laws())
        for words in reversed(list(told)):
            said = {name: value for other, given in kept.items() if other != words for name, value in given.items()}
            if settle(self.variables.nominal, said, laws) == known:
                del kept[words]
        return list(kept)

    def _broadest(self, variable: Variable, known: Mapping[str, Value]) -> tuple[str, _Clause]:
        """Return the most general clause that is true of everything that it speaks of."""
        value = known[variable.name]
        ladder = self._ladders[variable.name][value is not False]
        for text in ladder[:-1]:
            clause = self._clauses.get(text)
            if clause is not None and all(known[item.name] == value for item in clause.members):
                return text[0], clause
        return ladder[-1][0], self._clauses[ladder[-1]]

    def _beside(self, known: Mapping[str, Value]) -> Iterator[Variable]:
        """Yield what is nominal and told all the same: where something was measured, once training goes beyond it."""
        nominal = self.variables.nominal
        for teachers in (False, True):
            high = self.variables.by_key.get(("compute-high", teachers))
            for variable in self.variables:
                if high and variable.key[0] == "base" and variable.key[2] is teachers:
                    moved = known[high.name] != nominal[high.name]
                    if moved and known[variable.name] < known[high.name]:
                        yield variable

    # ------------------------------------------------------------ words to values

    def situation(self, clauses: Sequence[str]) -> dict[str, Value]:
        """Return the values that clauses give; what none speaks of is nominal, or as near to it as the laws allow.

        Raises:
            ClauseError: for a clause that says nothing, two that contradict each other, or a situation that cannot be.
        """
        values: dict[str, Value] = {}
        by: dict[str, int] = {}
        for place, words in enumerate(clauses):
            clause, value = self._read(" ".join(words.split()), place)
            for variable in clause.members:
                if values.get(variable.name, value) != value:
                    other = quote(clauses[by[variable.name]])
                    raise ClauseError(f"{quote(words)} contradicts {other}", place)
                values[variable.name], by[variable.name] = value, place
        laws = tuple(self.variables.laws())
        known = settle(self.variables.nominal, values, laws)
        self._check(known, laws, clauses, by)
        return {name: value for name, value in known.items() if name in values or value != self.variables.nominal[name]}

    def _read(self, words: str, place: int) -> tuple[_Clause, Value]:
        """Return what a clause says, and of what."""
        wrong = ""
        for end in range(len(words), 0, -1):
            for after, clause in self._by_text.get(words[:end], ()):
                if clause.unit == "flag":
                    if end == len(words) and not after:
                        return clause, clause.sense
                    continue
                inner = words[end:].removesuffix(after)
                if not words[end:].endswith(after):
                    continue
                value = read(inner, clause.unit)
                if value is not None:
                    return clause, value
                wrong = wrong or f"{quote(inner)} is no {_UNITS[clause.unit]}"
        near = suggestion(words, [_example(text, clause) for (text, _), clause in self._clauses.items()], limit=0)
        message = f"{quote(words)} says nothing about a situation of this policy"
        raise ClauseError(f"{message}: {wrong}" if wrong else message, place, near if near.startswith("did") else "")

    def _check(
        self, known: Mapping[str, Value], laws: Sequence[Formula], clauses: Sequence[str], by: Mapping[str, int]
    ) -> None:
        """Refuse a situation that no law allows, even with all that is unsaid moved out of the way."""
        for law in laws:
            if not holds(law, known):
                places = sorted({by[name] for name in names(law) if name in by})
                said = quote(clauses[places[-1]]) if places else "this"
                told = self._law(law, known)
                raise ClauseError(f"no situation is like that: {said}, but {told}", places[-1] if places else None)

    def _law(self, law: Formula, known: Mapping[str, Value]) -> str:
        """Return what a broken law compares, with the values that break it."""
        found = [
            _said(self._ladders[item.name][known[item.name] is not False][-2][0], known[item.name], item.unit)
            for item in self.variables
            if item.name in names(law)
        ]
        wrong = "cannot both be" if isinstance(law, (AtMost, Neg)) or len(found) > 1 else "cannot be"
        return f"{' and '.join(f'`{words}`' for words in found)} {wrong}"

    def vocabulary(self) -> list[str]:
        """Return every clause, with `...` for its value."""
        return sorted(_example(text, clause) for (text, _), clause in self._clauses.items() if " #" not in text)


_UNITS: Mapping[str, str] = {
    "rate": "rate such as `20%`",
    "seconds": "duration such as `4 months`",
    "flop": "compute such as `4e25 FLOP`",
    "usd": "amount such as `5e8 USD`",
    "count": "number",
    "instant": "date such as `2027-01-01`",
}


def _example(text: str, clause: _Clause) -> str:
    return text if clause.unit == "flag" else text.replace(SLOT, "...")


def _said(text: str, value: Value, unit: Unit) -> str:
    return text if isinstance(value, bool) else text.replace(SLOT, show(Fraction(value), unit))


def describe(variables: Variables, kernels: Sequence[Kernel], values: Mapping[str, Value]) -> list[str]:
    """Return what is not nominal in a situation, as short English clauses."""
    return Vocabulary(variables, kernels).describe(values)


def situation(variables: Variables, kernels: Sequence[Kernel], clauses: Sequence[str]) -> dict[str, Value]:
    """Return the situation that clauses describe; what none speaks of is nominal, or as near to it as the laws allow.

    Raises:
        ClauseError: for a clause that says nothing, two that contradict each other, or a situation that cannot be.
    """
    return Vocabulary(variables, kernels).situation(clauses)
