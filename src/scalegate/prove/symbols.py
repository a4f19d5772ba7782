"""What situations are made of: variables told apart by keys, and who may speak in a role as one policy has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.kernel import Role

Unit: TypeAlias = Literal["rate", "seconds", "flop", "usd", "count", "instant", "flag"]
# What a variable is: its kind first, then what tells it from others of that kind.
Key: TypeAlias = tuple[object, ...]
Value: TypeAlias = Fraction | bool


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: its symbol, an SMT-LIB simple symbol.
        key: what it is.
        unit: what it is measured in; `flag` for true and false.
        nominal: the value it has in an uneventful situation, in which nothing speaks against anything.
        low, high: bounds of its domain; None where it has none.
    """

    name: str
    key: Key
    unit: Unit
    nominal: Value
    low: Fraction | None = None
    high: Fraction | None = None


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Who may speak in a role, as one policy has it: `spare` of them may deny what its quorum affirms."""

    name: str
    quorum: int
    members: frozenset[str]
    independent_of: frozenset[str]
    spare: int = 0

    def stricter(self, other: RoleRule) -> bool:
        """Whether everybody who may speak here, and in such numbers, may in the other."""
        denials = min(self.spare, max(0, len(self.members) - self.quorum)) if self.members else self.spare
        return (
            self.name == other.name
            and self.quorum >= other.quorum
            and denials <= other.spare
            and self.independent_of >= other.independent_of
            and (not other.members or (bool(self.members) and self.members <= other.members))
        )

    @property
    def alone(self) -> RoleRule:
        """Who may speak where one is enough: runs have no quorum, nor has the end of a stop order."""
        return replace(self, quorum=min(self.quorum, 1), spare=0)


ANYBODY = RoleRule("", 0, frozenset(), frozenset())


def rule_of(roles: dict[str, Role] | object, name: str | None) -> RoleRule:
    """Return who may speak in a role of a policy; a role that nobody names is anybody."""
    role = roles.get(name) if isinstance(roles, dict) and name else None
    if role is None:
        return replace(ANYBODY, name=name or "", quorum=0 if name is None else 1)
    spare = max(0, (role.of or role.quorum) - role.quorum)
    return RoleRule(role.name, role.quorum, frozenset(role.members), frozenset(role.independent_of), spare)
