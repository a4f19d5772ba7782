"""A policy in Rego.

Rego leaves undefined what reads a missing value, and orders values of different types. So everything that speaks for
a permit is a rule that has to be defined, what holds asks that such a rule is *not*, and `allow` looks first whether
the input is whole: every value of its type, and no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from scalegate.core.actions import ACTIONS
from scalegate.policy.export.clauses import (
    Bound,
    Clause,
    Count,
    Date,
    Denied,
    Fixed,
    Never,
    OtherAction,
    Small,
    Unended,
)
from scalegate.policy.export.fields import FieldNames
from scalegate.policy.export.grid import LARGEST
from scalegate.policy.export.heading import comments, heading
from scalegate.policy.export.plan import Plan, Rule

PACKAGE = "scalegate"


def package_of(plan: Plan) -> str:
    """Return the package of an exported policy; `allow` in it is the answer, `held` are the rules that hold."""
    return f"{PACKAGE}.{FieldNames(()).new(f'policy {plan.kernel.id}')}"


def policy_text(plan: Plan) -> str:
    """Return the policy."""
    parts = [
        "\n".join(comments(heading(plan.kernel, "Rego"), "#")),
        f"package {package_of(plan)}",
        "import rego.v1",
        _ALLOW,
        _whole(plan),
        _LIVE,
    ]
    parts += [_Writer(f"rule_{number}").rule(rule) for number, rule in enumerate(plan.rules, start=1)]
    return "\n\n".join(parts) + "\n"


_ALLOW = """default allow := false

allow if {
	whole
	count(held) == 0
}"""

_LIVE = """# Evidence that may be used in favor: nothing bars it, it is in time, and within its reach of compute.
live(fact) if {
	fact.gaps == 0
	input.now < fact.until
	reaches(fact)
}

reaches(fact) if input.to_e18 < fact.reach_e18

reaches(fact) if {
	input.to_e18 == fact.reach_e18
	input.to_rest <= fact.reach_rest
}"""


def _whole(plan: Plan) -> str:
    """Return the rule that the input is what it should be, for this policy and an action of the gate."""
    lines = [
        f"object.keys(input) == {_set(plan.fields)}",
        *(f"object.keys(input.{item.name}) == {_set(item.members)}" for item in plan.intervals),
        f"input.policy == {_quoted(plan.kernel.digest)}",
        f"input.action in {_set(sorted(ACTIONS))}",
        "is_string(input.subject)",
        *(f"is_boolean(input.{name})" for name in plan.answers),
        *(f"number(input.{name})" for name in plan.whole_numbers),
    ]
    number = [
        "number(value) if {",
        "\tis_number(value)",
        "\tvalue == floor(value)",
        f"\tvalue >= -{LARGEST}",
        f"\tvalue <= {LARGEST}",
        "}",
    ]
    words = "The input is whole: every value of its type, for this policy, and nothing else."
    return "\n".join([*comments([words], "#"), *_rule("whole", lines), "", *number])


@dataclass
class _Writer:
    """Writes one rule of a plan, with a rule of its own for each part that Rego cannot put into a line."""

    name: str
    parts: list[str] = field(default_factory=list)
    made: int = 0

    def rule(self, rule: Rule) -> str:
        """Return a rule of the plan."""
        actions = f"input.action in {_set(sorted(rule.actions))}"
        head = _rule(f"held contains {_quoted(rule.id)}", [actions, f"not {self.name}"])
        self._define(self.name, rule.unless)
        return "\n".join([*comments(rule.says, "#"), *head, *self.parts])

    def _define(self, name: str, clause: Clause) -> None:
        """Add a rule that is defined where the clause stands."""
        if isinstance(clause, Count) and clause.need == 1:
            bodies = [list(self._lines(part)) for part in clause.parts]
        else:
            bodies = [list(self._lines(clause))]
        for body in bodies:
            self.parts += ["", *_rule(name, body)]

    def _lines(self, clause: Clause) -> Iterator[str]:
        """Yield the expressions that are all defined and true where a clause stands."""
        match clause:
            case Fixed(stands=stands):
                yield "true" if stands else "false"
            case Bound(field=name, end=end, sign=sign, value=value, words=words):
                yield f"input.{name}.{end} {sign} {value} # {words}"
                yield f"live(input.{name})"
            case Date(sign=sign, value=value, words=words):
                yield f"input.now {sign} {value} # {words}"
            case Unended(field=name):
                yield f"input.now < input.{name}"
            case Small(field=name, value=value):
                yield f"input.{name} <= {value}"
            case Denied(field=name):
                yield f"input.{name} == false"
            case OtherAction(actions=actions):
                yield f"not input.action in {_set(actions)}"
            case Never(part=part):
                yield f"not {self._part(part)}"
            case Count():
                yield from self._count(clause)

    def _count(self, clause: Count) -> Iterator[str]:
        if clause.need == len(clause.parts):
            for part in clause.parts:
                yield from self._lines(part)
        elif clause.need == 1:
            yield self._part(clause)
        else:
            name = self._new()
            for number, part in enumerate(clause.parts, start=1):
                self.parts += ["", *_rule(f"{name} contains {number}", list(self._lines(part)))]
            yield f"count({name}) >= {clause.need}"

    def _part(self, clause: Clause) -> str:
        name = self._new()
        self._define(name, clause)
        return name

    def _new(self) -> str:
        self.made += 1
        return f"{self.name}_{self.made}"


def _rule(head: str, body: list[str]) -> list[str]:
    return [f"{head} if {{", *(f"\t{line}" for line in body), "}"]


def _set(names: tuple[str, ...] | list[str]) -> str:
    return f"{{{', '.join(map(_quoted, names))}}}"


def _quoted(text: str) -> str:
    return json.dumps(text)
