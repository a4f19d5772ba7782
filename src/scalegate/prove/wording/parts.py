"""Small words of clauses: names, verbs of what people say, and what tells one role or number from another."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.kernel import Kernel
from scalegate.policy.diagnose import visible
from scalegate.prove.symbols import RoleRule
from scalegate.prove.wording.values import show

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9.:-]*")


def named(words: str) -> str:
    """Return a name as it is, and free words in quotes, on one line and harmless to a terminal."""
    return words if _PLAIN.fullmatch(words) else json.dumps(visible(" ".join(words.split())), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Verb:
    """How a kind of statement is said, denied and dated; `{who}` and `{what}` are put in."""

    yes: str
    no: str
    dated: str
    against: str = "{who} denies {what}"
    not_against: str = "{who} does not deny {what}"

    def so(self, who: str, what: str) -> str:
        """Return that somebody says it."""
        return _put(self.yes, who, what)

    def not_so(self, who: str, what: str) -> str:
        """Return that nobody says it."""
        return _put(self.no, who, what)

    def ago(self, who: str, what: str) -> str:
        """Return that somebody said it, before how long ago that was."""
        return _put(self.dated, who, what)

    def denied(self, who: str, what: str) -> str:
        """Return that somebody says the opposite."""
        return _put(self.against, who, what)

    def undenied(self, who: str, what: str) -> str:
        """Return that nobody says the opposite."""
        return _put(self.not_against, who, what)


def _put(words: str, who: str, what: str) -> str:
    """Put two texts in; neither is looked into, whatever it contains."""
    parts = words.split("{what}")
    return what.join(part.replace("{who}", who) for part in parts)


VERBS = {
    "predicate": Verb("{who} attests {what}", "{who} does not attest {what}", "{who} attested {what}"),
    "belief": Verb("{who} attests {what}", "{who} does not attest {what}", "{who} attested {what}"),
    "approval": Verb("{who} approves {what}", "{who} does not approve {what}", "{who} approved {what}"),
    "measurement": Verb("{who} measured {what}", "{who} did not measure {what}", "{who} measured {what}"),
    "attempts": Verb("{who} tried {what}", "{who} did not try {what}", "{who} tried {what}"),
    "countersignature": Verb("{who} countersigns", "{who} does not countersign", "{who} countersigned"),
    "safeguard": Verb(
        "{what} is shown",
        "{what} is not shown",
        "{what} was shown",
        "{what} is said to fail",
        "{what} is not said to fail",
    ),
}
NOBODY: frozenset[str] = frozenset()


def told_apart(name: str, kernel: Kernel, taken: set[str]) -> str:
    """Return a name that nothing else has, after the policy and its version where others have it."""
    tries = (name, f"{name} of {kernel.id}", f"{name} of {kernel.id} {named(kernel.version)}")
    found = next((words for words in tries if words not in taken), tries[-1])
    taken.add(found)
    return found


def rule_in(role: object) -> RoleRule:
    """Return who may speak, from a rule or the mere name of a role."""
    return role if isinstance(role, RoleRule) else RoleRule(str(role), 1, NOBODY, NOBODY)


def details_of(rule: RoleRule) -> tuple[str, ...]:
    """Return what tells a role of one policy from one of the same name in another."""
    others = " and ".join(sorted(rule.independent_of)) or "nobody"
    found = [f"independent of {others}"]
    if rule.quorum > 1:
        found.insert(0, f"{rule.quorum} of {rule.quorum + rule.spare}")
    elif rule.spare:
        found.append(f"where {rule.spare} may deny it")
    if rule.members:
        found.append(f"out of {' and '.join(sorted(map(named, rule.members)))}")
    return tuple(found)


def teachers_words(counted: object) -> str:
    """Return whether the compute of teachers counts, in words."""
    return "teachers counted" if counted else "teachers not counted"


def position_words(position: object) -> str:
    """Return whether crossings of relatives count, in words."""
    return "relatives included" if position == "when" else "on its own"


def reach_words(reach: object) -> tuple[str, ...]:
    """Return whose crossings an end carries, in words."""
    if not isinstance(reach, tuple):
        return ()
    allowance = f"after elicitation of up to {show(Fraction(reach[1]), 'rate')}"
    return (allowance, "across the issuer") if reach[0] else (allowance,)


def parts_of(part: object) -> tuple[object, ...]:
    """Return a part of a key that has parts itself; of any other, none."""
    return part if isinstance(part, tuple) else ()


def sizes_of(sizes: Sequence[object]) -> list[tuple[str, object]]:
    """Return the window and the longest use of an exception, each with the words before it."""
    window, each = (*sizes, 0)[:2]
    return [("within", window), ("in uses of", each)]


def odds(error: object) -> str:
    """Return an error as `1 in 1000`."""
    value = Fraction(str(error))
    return f"{value.numerator} in {value.denominator}"
