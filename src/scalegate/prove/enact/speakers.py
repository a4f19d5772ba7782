"""Who has to speak so that some roles hear it and others do not: people with a past, or without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from scalegate.core.person import person
from scalegate.prove.symbols import RoleRule


class CannotEnactError(Exception):
    """A situation has no history here; the words say why. The replay by the interpreter stands alone then."""


@dataclass(frozen=True, slots=True)
class Ear:
    """One role as one policy has it: how many accepted speakers it takes, and whether it is to hear so many."""

    rule: RoleRule
    needed: int
    heard: bool


@dataclass(frozen=True, slots=True)
class _Past:
    """What people may have been before: the roles they acted in, and the members they are taken from."""

    roles: frozenset[str]
    members: frozenset[str]

    def accepted(self, rule: RoleRule) -> bool:
        """Whether somebody with this past may speak in a role."""
        named = not rule.members or (bool(self.members) and self.members <= rule.members)
        return named and not self.roles & rule.independent_of


@dataclass(slots=True)
class Cast:
    """The people of a history, and the roles that each acted in before anything else happened."""

    pasts: dict[str, frozenset[str]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def speakers(self, role: str, ears: Sequence[Ear], what: str) -> list[str]:
        """Return who speaks in a role, so that exactly those hear it who are to; nobody where nobody is to.

        Raises:
            CannotEnactError: if no group of people is heard by these ears alone.
        """
        if not any(ear.heard for ear in ears):
            return []
        most = max(ear.needed for ear in ears if ear.heard)
        for past in _pasts([ear.rule for ear in ears]):
            for count in range(1, most + 1):
                if all((past.accepted(ear.rule) and count >= ear.needed) is ear.heard for ear in ears):
                    return self._called(past, count, role, what)
        raise CannotEnactError(f"nobody could speak as {role} on {what} to be heard by one policy and not by the other")

    def anybody(self) -> str:
        """Return somebody new."""
        name = f"somebody-{len(self.pasts) + 1}"
        self.pasts[name] = frozenset()
        return name

    def _called(self, past: _Past, count: int, role: str, what: str) -> list[str]:
        if not past.members:
            names = [self.anybody() for _ in range(count)]
        else:
            free = [name for name in sorted(past.members) if (person(name), role) in self._known(past, role)]
            names = free[:count]
        if len(names) < count:
            raise CannotEnactError(f"fewer than {count} members are free to speak as {role} on {what}")
        for name in names:
            self.pasts[name] = past.roles
            self._used.add(f"{person(name)} {role}")
        return names

    def _known(self, past: _Past, role: str) -> set[tuple[str, str]]:
        """Return the members who have no other past, and speak in no other role."""
        return {
            (person(name), role)
            for name in past.members
            if self.pasts.get(name, past.roles) == past.roles
            and not any(word.startswith(f"{person(name)} ") and word != f"{person(name)} {role}" for word in self._used)
        }


def _pasts(rules: Sequence[RoleRule]) -> Iterator[_Past]:
    """Yield pasts, the plainest first."""
    members = [frozenset(), *dict.fromkeys(rule.members for rule in rules if rule.members)]
    members += [one & two for one, two in combinations(members[1:], 2) if one & two]
    members += [one - two for one in members[1:] for two in members[1:] if one - two]
    apart = sorted(frozenset().union(*(rule.independent_of for rule in rules)))
    for size in range(len(apart) + 1):
        for roles in combinations(apart, size):
            for group in members:
                yield _Past(frozenset(roles), group)
