"""Making a situation small: as much of it nominal as can be, and round numbers where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from scalegate.core.quantities import DAY, HOUR, MONTH, WEEK, YEAR
from scalegate.prove.formula import AtMost, Flag, Formula, Many, Neg, at_most, holds, neg
from scalegate.prove.formula import names as mentioned
from scalegate.prove.nominal import SCALES
from scalegate.prove.symbols import Unit, Value, Variable
from scalegate.prove.variables import Variables

Test: TypeAlias = Callable[[Mapping[str, Value]], bool]


def smallest(
    variables: Variables, found: Mapping[str, Value], laws: Sequence[Formula], stands: Test
) -> dict[str, Value] | None:
    """Return what is not nominal in a situation, after making as much of it nominal as it allows.

    No value that is listed could be nominal with the others as they are: the situation is minimal by inclusion.

    Args:
        variables: all variables; their nominal values are where to go.
        found: values of all variables.
        laws: what holds in every situation.
        stands: whether the situation still shows what it is to show.

    Returns:
        The values that are not nominal; None where the situation does not show it to begin with.
    """
    nominal, touching = variables.nominal, _touching(laws)
    # With everything nominal, nearly all laws hold; a change can break only those that it touches.
    broken = [law for law in laws if not holds(law, nominal)]

    def good(values: Mapping[str, Value]) -> bool:
        known = {**nominal, **values}
        touched = {id(law): law for name in values for law in touching.get(name, ())}
        return all(holds(law, known) for law in (*touched.values(), *broken)) and stands(known)

    values = {name: value for name, value in found.items() if value != nominal.get(name, value)}
    if not good(values):
        return None
    # What people look at first shall be left in the end: scores, safeguards, what is attested.
    values = _worsened(variables, values, good)
    rank = _plainness(variables)
    order = {name: place for place, name in enumerate(sorted(variables.nominal, key=rank))}
    details = [name for name in values if rank(name) < 2]
    values = _without(values, details, good) if details else values
    values = _rescaled(variables, values, good)
    # What is bound together goes together: sizes with sizes, and all that is about one measurement.
    for names in _families(variables):
        values = _tried(values, names, good)
    while True:
        before = len(values)
        values = _without(values, sorted(values, key=order.__getitem__), good)
        if len(values) == before:
            break
    values = _whole(variables, values, good)
    for variable in variables:
        if variable.name in values and variable.unit != "flag":
            values = _rounded(variables, variable, values, laws, good)
    return _scaled(variables, values, good)


# Kinds of variables that a situation is told by last: each is a detail of how something was shown.
_DETAILS = (
    "flawed",
    "trials",
    "share",
    "attempts",
    "failures",
    "attempts-ago",
    "affirmed-ago",
    "pending",
    "pending-ago",
    "waiting",
    "open",
    "unadmitted",
)
_DETAILS_OF = ("attempts:", "measurement:", "belief:")


def detailed(variables: Variables, values: Mapping[str, Value]) -> bool:
    """Whether a situation is told by a detail of how something was shown."""
    rank = _plainness(variables)
    return any(rank(name) < 2 for name in values)


def without_details(variables: Variables, among: Sequence[Variable]) -> Iterator[Formula]:
    """Yield that every detail among some variables is nominal: what else tells a situation reads better."""
    rank = _plainness(variables)
    for variable in among:
        if rank(variable.name) < 2:
            value = variables.nominal[variable.name]
            if isinstance(value, bool):
                yield Flag(variable.name) if value else neg(Flag(variable.name))
            else:
                yield at_most(variable.name, value)
                yield neg(at_most(variable.name, value, strict=True))


def _plainness(variables: Variables) -> Callable[[str], int]:
    """Return how plain a variable is to a reader, details first."""
    keys = {item.name: item.key for item in variables}

    def rank(name: str) -> int:
        key = keys[name]
        if key[0] in _DETAILS:
            return 0
        if key[0] in ("affirmed", "denied"):
            return 1 if str(key[1]).startswith(_DETAILS_OF) else 3
        return 4 if key[0] in ("high", "low") else 2

    return rank


def _worsened(variables: Variables, values: dict[str, Value], good: Test) -> dict[str, Value]:
    """Return the values with every score as bad as can be, where the situation allows that."""
    for variable in variables:
        worst = Fraction(variable.key[0] == "high")
        if variable.key[0] in ("high", "low") and values.get(variable.name) != worst:
            trial = {**values, variable.name: worst}
            if good(trial):
                values = trial
    return values


def _rescaled(variables: Variables, values: dict[str, Value], good: Test) -> dict[str, Value]:
    """Return the values with all sizes multiplied alike, so that what was measured has its nominal size."""
    sizes = [item.name for item in variables if item.key[0] in SCALES]
    known = {**variables.nominal, **values}
    for base in (item.name for item in variables if item.key[0] == "base"):
        nominal, now = Fraction(variables.nominal[base]), Fraction(known[base])
        if now in (0, nominal):
            continue
        scaled: dict[str, Value] = {name: Fraction(known[name]) * nominal / now for name in sizes}
        trial = {**values, **scaled}
        trial = {name: value for name, value in trial.items() if value != variables.nominal[name]}
        if good(trial):
            return trial
    return values


def _touching(laws: Sequence[Formula]) -> dict[str, list[Formula]]:
    """Return the laws that speak of each variable."""
    found: dict[str, list[Formula]] = {}
    for law in laws:
        for name in mentioned(law):
            found.setdefault(name, []).append(law)
    return found


def _families(variables: Variables) -> Iterator[set[str]]:
    """Yield the variables that laws bind together, the largest groups first."""
    groups: dict[object, set[str]] = {}
    for variable in variables:
        family = "sizes" if variable.key[0] in SCALES else variable.key[1] if len(variable.key) > 1 else variable.key
        groups.setdefault(family, set()).add(variable.name)
    yield from sorted(groups.values(), key=len, reverse=True)


def _tried(values: dict[str, Value], names: set[str], good: Test) -> dict[str, Value]:
    left = {name: value for name, value in values.items() if name not in names}
    return left if len(left) < len(values) and good(left) else values


def _without(values: dict[str, Value], names: list[str], good: Test) -> dict[str, Value]:
    """Return the values without as many of the names as can go: all at once, else half by half."""
    left = {name: value for name, value in values.items() if name not in set(names)}
    if good(left):
        return left
    if len(names) == 1:
        return values
    middle = len(names) // 2
    for part in (names[:middle], names[middle:]):
        values = _without(values, part, good)
    return values


def _whole(variables: Variables, values: dict[str, Value], good: Test) -> dict[str, Value]:
    """Return the values with all sizes and times whole at once, where that does: tied ones only move together."""
    counted = {variable.name for variable in variables if variable.unit not in ("flag", "rate")}
    for way in (ceil, floor):
        trial = {name: Fraction(way(value)) if name in counted else value for name, value in values.items()}
        if trial != values and good(trial):
            return trial
    return values


def _scaled(variables: Variables, values: dict[str, Value], good: Test) -> dict[str, Value]:
    """Return the values with all sizes so many times as large as makes them whole, where some cannot be otherwise."""
    sizes = {variable.name for variable in variables if variable.unit == "flop"} & values.keys()
    for power in range(1, 31) if any(Fraction(values[name]).denominator > 1 for name in sizes) else ():
        trial = {name: Fraction(value) * 10**power if name in sizes else value for name, value in values.items()}
        if all(Fraction(trial[name]).denominator == 1 for name in sizes) and good(trial):
            return trial
    return values


def _rounded(
    variables: Variables, variable: Variable, values: dict[str, Value], laws: Sequence[Formula], good: Test
) -> dict[str, Value]:
    """Return the values with one of them replaced by the roundest number that will do."""
    known = {**variables.nominal, **values}
    ties = sorted({Fraction(known[name]) for law in laws for name in _tied(law, variable.name) if name in known})
    for candidate in _candidates(variable, Fraction(values[variable.name]), ties):
        trial = {**values, variable.name: candidate}
        if good(trial):
            return trial
    return values


def _tied(law: Formula, name: str) -> Iterator[str]:
    """Yield the variables that a law compares with one."""
    match law:
        case AtMost(parts=parts):
            names = [other for _, other in parts]
            if name in names:
                yield from (other for other in names if other != name)
        case Neg(part=part):
            yield from _tied(part, name)
        case Many(parts=parts):
            for part in parts:
                yield from _tied(part, name)
        case _:
            return


def _candidates(variable: Variable, value: Fraction, ties: Sequence[Fraction]) -> Iterator[Fraction]:
    """Yield numbers near a value, the roundest first."""
    for step in _steps(variable.unit, value):
        below = value // step * step
        seen = [item * step + below for item in (0, 1, -1, 2, -2, 3, -3)]
        yield from (item for item in seen if item >= 0 and (variable.high is None or item <= variable.high))
    yield from (item for item in ties if item >= 0)


def _steps(unit: Unit, value: Fraction) -> Iterator[Fraction]:
    match unit:
        case "rate":
            yield from (Fraction(1, parts) for parts in (10, 20, 100, 200, 1_000, 10_000, 100_000, 1_000_000))
        case "seconds" | "instant":
            yield from (Fraction(size) for size in (YEAR, MONTH, WEEK, DAY, HOUR, 1))
        case _:
            power = Fraction(1)
            while power * 10 <= value:
                power *= 10
            for part in (1, 2, 10, 100, 1_000, 10_000):
                if power / part >= 1:
                    yield power / part
            yield Fraction(1)
