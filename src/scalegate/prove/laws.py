"""What holds between the variables of every situation: domains, and orders between those about the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations

from scalegate.core.kernel import Role
from scalegate.prove.formula import AtMost, Formula, at_most, at_most_times, neg, some
from scalegate.prove.formula import Flag as IsSo
from scalegate.prove.symbols import Key, RoleRule, Variable


def laws(by_key: Mapping[Key, Variable], own: Sequence[Mapping[str, Role]] = ()) -> Iterator[Formula]:
    """Yield what holds in every situation.

    Args:
        by_key: the variables.
        own: the roles of each developer's own policy that is asked about.
    """
    groups: dict[object, list[Variable]] = {}
    for variable in by_key.values():
        if variable.low is not None:
            yield AtMost(((Fraction(-1), variable.name),), -variable.low)
        if variable.high is not None:
            yield at_most(variable.name, variable.high)
        groups.setdefault(variable.key[0], []).append(variable)
    yield from _intervals(groups)
    for kind in ("affirmed", "reported", "discharged", "began", "specified"):
        yield from _voices(groups.get(kind, []))
    for kind, sign in (("affirmed-ago", -1), ("attempts-ago", -1), ("elapsed", 1)):
        yield from _times(groups.get(kind, []), sign)
    yield from _bars(groups)
    yield from _mandates(groups.get("mandated", []), own)
    yield from _periods(groups.get("discharged-ago", []))
    yield from _opposites(by_key)
    yield from _computes(by_key)
    for one, two in combinations(groups.get("context", []), 2):
        yield neg(_both(one.name, two.name))


def _at_most(lesser: Variable, greater: Variable) -> Formula:
    return at_most_times(lesser.name, 1, greater.name)


@dataclass(frozen=True, slots=True)
class _End:
    """What an end of an interval depends on besides what is measured.

    Attributes:
        relatives: whether crossings of relatives count, as in `when`.
        cleared, stopped: the errors of both sides; None where the end does not depend on one.
        reach: whose crossings are carried: of every lineage, or of relatives up to an allowance of elicitation.
        teachers: whether the compute of teachers counts, which says what lies beyond the model asked about.
    """

    relatives: bool
    cleared: Fraction | None
    stopped: Fraction | None
    reach: tuple[bool, Fraction]
    teachers: object = True

    def no_worse(self, other: _End) -> bool:
        """Whether an end like this can only be as good as one like the other, or better."""
        return (
            (other.relatives or not self.relatives)
            and (self.cleared is None or other.cleared is None or self.cleared >= other.cleared)
            and (self.stopped is None or other.stopped is None or self.stopped <= other.stopped)
            and (other.reach[0] or (not self.reach[0] and self.reach[1] <= other.reach[1]))
            and self.teachers == other.teachers
        )


def _end(key: Key) -> _End:
    """Read a key: (end, measured, position, error, reach, other error, teachers); all but the first may be missing.

    Of favorable ends the error is that of a wrong clearance, and the other one that of a wrong stop.
    """
    relatives, error = key[2] == "when", Fraction(str(key[3]))
    given = key[4] if len(key) > 4 else None
    reach = given if isinstance(given, tuple) else (False, Fraction(0))
    if key[0] in ("latched-low", "latched-high"):
        return _End(relatives, None, error, reach)
    stopped = Fraction(str(key[5])) if len(key) > 5 else None
    return _End(relatives, error, stopped, reach, key[6] if len(key) > 6 else True)


def _intervals(groups: dict[object, list[Variable]]) -> Iterator[Formula]:
    """Yield the orders between the ends of intervals, `high` and `low` the favorable ones.

    A favorable end is the worst of what the subject's own results leave open and of every crossing that it carries. It
    is worse with a smaller error of a wrong clearance, a larger one of a wrong stop, in `when`, and with a wider reach.
    """
    for favorable, adverse, sign in (("high", "latched-low", 1), ("low", "latched-high", -1)):
        outside, inside = _alike(groups.get(favorable, []), 2), _alike(groups.get(adverse, []), 2)
        for found in (*outside.values(), *inside.values()):
            yield from _ordered(permutations(found, 2), sign)
        for what, found in inside.items():
            yield from _latched(found, outside.get(what, ()), sign)
        yield from _opened(groups.get("open", []), outside, sign)
    above = {high.key[1:]: high for high in groups.get("high", [])}
    for low in groups.get("low", []):
        if low.key[1:] in above:
            yield _at_most(low, above[low.key[1:]])


def _ordered(pairs: Iterable[tuple[Variable, Variable]], sign: int) -> Iterator[Formula]:
    for one, two in pairs:
        if _end(one.key).no_worse(_end(two.key)):
            yield _at_most(one, two) if sign > 0 else _at_most(two, one)


def _latched(inner: Iterable[Variable], outer: Iterable[Variable], sign: int) -> Iterator[Formula]:
    """Yield that no favorable end is better than a latch that it carries."""
    for latch in inner:
        for end in outer:
            like = replace(_end(latch.key), teachers=_end(end.key).teachers)
            if like.no_worse(_end(end.key)):
                yield _at_most(latch, end) if sign > 0 else _at_most(end, latch)


def _opened(found: Iterable[Variable], ends: Mapping[Key, list[Variable]], sign: int) -> Iterator[Formula]:
    """Yield that an end lies beyond every rate where relatives leave it open: (kind, measured, position, reach)."""
    for one in found:
        reach = one.key[3] if isinstance(one.key[3], tuple) else (False, Fraction(0))
        mine = _End(one.key[2] == "when", None, None, reach)
        for end in ends.get(one.key[1:2], ()):
            like = replace(mine, teachers=_end(end.key).teachers)
            if like.no_worse(_end(end.key)):
                worst = neg(at_most(end.name, 1, strict=True)) if sign > 0 else at_most(end.name, 0)
                yield some((neg(IsSo(one.name)), worst))


def _alike(found: list[Variable], length: int) -> dict[Key, list[Variable]]:
    """Return variables of one kind by the next parts of their keys, up to a length; without the last for -1."""
    groups: dict[Key, list[Variable]] = {}
    for variable in found:
        groups.setdefault(variable.key[1:length], []).append(variable)
    return groups


def _rules(found: list[Variable]) -> Iterator[tuple[Variable, Variable]]:
    """Yield pairs about one thing where whoever is heard in the role of the first is heard in that of the second."""
    for same in _alike(found, -1).values():
        for one, two in permutations(same, 2):
            rule, other = one.key[-1], two.key[-1]
            if isinstance(rule, RoleRule) and isinstance(other, RoleRule) and (not other.name or rule.stricter(other)):
                yield one, two


def _voices(found: list[Variable]) -> Iterator[Formula]:
    """Yield that what a stricter role says, a weaker one of the same name says too; the role ends the key."""
    for one, two in _rules(found):
        yield some((neg(IsSo(one.name)), IsSo(two.name)))


def _times(found: list[Variable], sign: int) -> Iterator[Formula]:
    """Yield that a weaker role was heard as early as a stricter one, and as late: `sign` 1 for since it first was."""
    for one, two in _rules(found):
        yield _at_most(one, two) if sign > 0 else _at_most(two, one)


def _bars(groups: dict[object, list[Variable]]) -> Iterator[Formula]:
    """Yield the orders between flags that speak against a permit, or for it where several roles may say so."""
    for kind in ("stopped", "scale-stopped"):
        # Whoever ends an order by a stricter rule ends it by a weaker one.
        for one, two in _rules(groups.get(kind, [])):
            yield some((IsSo(one.name), neg(IsSo(two.name))))
    for one, two in permutations(groups.get("unadmitted", []), 2):
        if set(_items(two.key[1])) <= set(_items(one.key[1])):
            yield some((neg(IsSo(one.name)), IsSo(two.name)))
    for one, two in permutations(groups.get("described", []), 2):
        others = [rule for rule in _items(two.key[1]) if isinstance(rule, RoleRule)]
        mine = [rule for rule in _items(one.key[1]) if isinstance(rule, RoleRule)]
        if all(any(rule.stricter(other) for other in others) for rule in mine):
            yield some((neg(IsSo(one.name)), IsSo(two.name)))


def _items(part: object) -> tuple[object, ...]:
    return part if isinstance(part, tuple) else ()


def _mandates(found: list[Variable], own: Sequence[Mapping[str, Role]]) -> Iterator[Formula]:
    """Yield which mandated roles the developer's own policies declare; where none is asked about, what implies what.

    Keys: (kind, role, independent of, quorum).
    """
    for one in found:
        _, name, apart, quorum = one.key
        if own:
            roles = [roles.get(str(name)) for roles in own]
            met = all(
                role is not None and {*_items(apart)} <= {*role.independent_of} and role.quorum >= int(str(quorum))
                for role in roles
            )
            yield IsSo(one.name) if met else neg(IsSo(one.name))
    for one, two in () if own else permutations(found, 2):
        apart = one.key[1] == two.key[1] and {*_items(one.key[2])} >= {*_items(two.key[2])}
        if apart and int(str(one.key[3])) >= int(str(two.key[3])):
            yield some((neg(IsSo(one.name)), IsSo(two.name)))


def _periods(found: list[Variable]) -> Iterator[Formula]:
    """Yield that what is not late in short periods is not late in long ones, where no phase of theirs can differ.

    Keys: (kind, predicate, seconds of the period, role). Periods begin on the same day on both sides: a multiple of a
    period ends with one of them, and one at least twice as long ends behind it wherever they stand to each other.
    """
    for one, two in permutations(found, 2):
        short, long = int(str(one.key[2])), int(str(two.key[2]))
        rule, other = one.key[3], two.key[3]
        if not (isinstance(rule, RoleRule) and isinstance(other, RoleRule)) or one.key[1] != two.key[1]:
            continue
        if (rule == other or rule.stricter(other)) and (long >= 2 * short or long % short == 0):
            yield some((neg(at_most(one.name, short)), at_most(two.name, long)))


def _opposites(by_key: Mapping[Key, Variable]) -> Iterator[Formula]:
    """Yield that nobody both affirms and denies one thing, or is in a place and away from it."""
    for key, variable in by_key.items():
        if key[0] == "affirmed":
            denied = by_key.get(("denied", *key[1:]))
            if denied is not None:
                yield neg(_both(variable.name, denied.name))
        elif key[0] == "absent":
            present = by_key.get(("present", key[1]))
            if present is not None:
                yield neg(_both(variable.name, present.name))


def _both(one: str, two: str) -> Formula:
    return neg(some((neg(IsSo(one)), neg(IsSo(two)))))


def _computes(by_key: Mapping[Key, Variable]) -> Iterator[Formula]:
    """Yield the orders of amounts: low below high, compute without teachers below that with, measured below both."""
    asked = by_key.get(("to",))
    for teachers in (False, True):
        low, high = by_key.get(("compute-low", teachers)), by_key.get(("compute-high", teachers))
        if low and high:
            yield _at_most(low, high)
        yield from (_at_most(asked, end) for end in (low, high) if asked and end)
        for key, variable in by_key.items():
            if key[0] in ("base", "pending-compute") and key[2] == teachers and high:
                yield _at_most(variable, high)
    # Training starts from what it goes on from, and evidence is extended by what comes after it.
    pairs: list[tuple[Key, Key]] = [(("revenue-low",), ("revenue-high",)), (("mitigated-from",), ("to",))]
    pairs += [(("base", *key[1:]), key) for key in by_key if key[0] == "pending-compute"]
    pairs += [(key, ("age", key[1])) for key in by_key if key[0] == "pending-ago"]
    pairs += [((end, False), (end, True)) for end in ("compute-low", "compute-high")]
    for lesser, greater in pairs:
        if lesser in by_key and greater in by_key:
            yield _at_most(by_key[lesser], by_key[greater])
    yield from _uses(by_key)


def _uses(by_key: Mapping[Key, Variable]) -> Iterator[Formula]:
    """Yield the orders between how long an exception was in use; keys: (kind, exception, window, longest use)."""
    totals = [variable for key, variable in by_key.items() if key[0] == "used"]
    for one, two in permutations(totals, 2):
        if one.key[1] == two.key[1] and all(int(str(one.key[at])) <= int(str(two.key[at])) for at in (2, 3)):
            yield _at_most(one, two)
    for total in totals:
        since = by_key.get(("invoked-ago", total.key[1]))
        if since:
            # A use counts for as long as it lasts, up to the window that is looked at.
            most = Fraction(min(int(str(total.key[2])), int(str(total.key[3]))))
            yield some((_at_most(since, total), AtMost(((Fraction(-1), total.name),), -most)))
