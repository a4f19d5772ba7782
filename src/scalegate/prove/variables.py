"""The variables that make up a situation, shared by every policy that is asked about it.

What two policies call by the same name, or pin by the same digest, is one variable in both. Where they treat it
differently (another error, another role, another age) each has its own, and the order between them is asserted: a
smaller error never makes an interval narrower, a stricter role never speaks where a weaker one does not. Between
policies of which each counts what the other does not, such an order holds only if that shows nothing worse: an
assumption, which every comparison states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from scalegate.core.kernel import Role
from scalegate.prove.formula import Flag as IsSo
from scalegate.prove.formula import Formula, holds, names, text
from scalegate.prove.laws import laws
from scalegate.prove.symbols import Key, Unit, Value, Variable


class Ties:
    """What holds between some variables, and which of them it ties together, over however many steps.

    What is not tied to a question, neither directly nor through others, cannot change its answer: by itself it can
    always be as in an uneventful situation.
    """

    def __init__(self, laws: tuple[Formula, ...], nominal: Mapping[str, Value]) -> None:
        """Tie together what the laws speak of; every variable known so far has a nominal value."""
        self.laws, self.count = laws, len(nominal)
        self._parents: dict[str, str] = {}
        found = [(sorted(names(law)), text(law)) for law in laws]
        for tied, _ in found:
            for name in tied[1:]:
                self._parents[self.group(name)] = self.group(tied[0])
        # Where the uneventful situation breaks a law, nothing can be left as it is.
        self.unsettled = {self.group(next(iter(names(law)))) for law in laws if not holds(law, nominal)}
        self._texts: dict[str, list[str]] = {}
        for tied, words in found:
            self._texts.setdefault(self.group(tied[0]), []).append(words)

    def group(self, name: str) -> str:
        """Return the variable that stands for all that are tied to one."""
        while (parent := self._parents.get(name, name)) != name:
            name = parent
        return name

    def texts(self, groups: set[str]) -> Iterator[str]:
        """Yield the laws of some groups as SMT-LIB text."""
        for group, words in self._texts.items():
            if group in groups:
                yield from words


@dataclass(slots=True)
class Variables:
    """The variables met so far, by key and in order."""

    by_key: dict[Key, Variable] = field(default_factory=dict)
    nominal: dict[str, Value] = field(default_factory=dict)
    # The roles of each developer's own policy that is asked about: what regimes mandate, these have or lack.
    own: list[Mapping[str, Role]] = field(default_factory=list)
    _usual: dict[Key, Value] = field(default_factory=dict)
    _ties: Ties | None = None

    def declare(self, roles: Mapping[str, Role]) -> None:
        """Take note of the roles of a developer's own policy, which regimes may mandate."""
        if roles not in self.own:
            self.own.append(roles)
            self._ties = None

    def flag(self, *key: object, nominal: bool = True) -> Formula:
        """Return the formula of a flag, made when it is met first."""
        return IsSo(self._make(key, "flag", nominal).name)

    def rate(self, *key: object, nominal: int) -> str:
        """Return the name of a rate between 0 and 1."""
        return self._make(key, "rate", Fraction(nominal), Fraction(0), Fraction(1)).name

    def amount(self, *key: object, unit: Unit, nominal: Fraction | int = 0) -> str:
        """Return the name of an amount that is not negative."""
        return self._make(key, unit, Fraction(nominal), Fraction(0)).name

    def _make(
        self, key: Key, unit: Unit, nominal: Value, low: Fraction | None = None, high: Fraction | None = None
    ) -> Variable:
        known = self.by_key.get(key)
        if known is None:
            words = "-".join(str(part) for part in key[:2] if isinstance(part, str) and part)
            name = (
                f"{''.join(sign if sign.isalnum() or sign in '-.' else '-' for sign in words)[:40]}~{len(self.by_key)}"
            )
            known = self.by_key[key] = Variable(name, key, unit, nominal, low, high)
            self.nominal[name] = self._expected(known)
        return known

    def expect(self, usual: Mapping[Key, Value]) -> None:
        """Let variables have other nominal values, also those that are met later; by the first parts of their keys."""
        self._usual.update(usual)
        self._ties = None
        for variable in self:
            self.nominal[variable.name] = self._expected(variable)

    def _expected(self, variable: Variable) -> Value:
        key = variable.key
        return self._usual.get(key[:2], self._usual.get(key[:1], variable.nominal))

    def __iter__(self) -> Iterator[Variable]:
        """Iterate in the order in which they were met."""
        return iter(self.by_key.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.by_key)

    # ------------------------------------------------------------ what holds between them

    @property
    def ties(self) -> Ties:
        """What holds between the variables met so far, and which of them that ties together."""
        if self._ties is None or self._ties.count != len(self.by_key):
            self._ties = Ties(tuple(laws(self.by_key, self.own)), self.nominal)
        return self._ties

    def laws(self) -> tuple[Formula, ...]:
        """Return what holds in every situation: domains, and orders between variables about the same thing."""
        return self.ties.laws
