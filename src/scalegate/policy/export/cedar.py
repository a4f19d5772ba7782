"""A policy in Cedar.

Cedar skips a policy whose condition fails with an error, so that a `forbid` over a missing attribute forbids nothing.
Two things stand against that. Every `forbid ... unless` asks first whether all it reads is there, and forbids if not,
whoever else permits. And the one `permit` reads every attribute with an operator of its type and names them all, so
that one that is missing, mistyped or too many leaves it without effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scalegate.core.actions import ACTIONS
from scalegate.core.canonical import Plain
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
from scalegate.policy.export.document import Asked, document
from scalegate.policy.export.fields import LIMITS
from scalegate.policy.export.grid import LARGEST
from scalegate.policy.export.heading import comments, heading
from scalegate.policy.export.plan import Plan, Rule

_STEP = "  "


def policy_text(plan: Plan) -> str:
    """Return the policy."""
    parts = [
        "\n".join(comments(heading(plan.kernel, "Cedar"), "//")),
        _permit(plan),
        _binding(plan),
        *(_forbid(rule) for rule in plan.rules),
    ]
    return "\n\n".join(parts) + "\n"


def schema_text(plan: Plan) -> str:
    """Return the schema of its requests. Attributes that it does not list are refused by whoever validates requests."""
    intervals = [
        f"  {item.name}: {{ {', '.join(f'{member}: Long' for member in item.members)} }}," for item in plan.intervals
    ]
    lines = [
        "entity Developer;",
        "entity Subject;",
        "",
        "type Situation = {",
        "  policy: String,",
        "  action: String,",
        "  subject: Subject,",
        *(f"  {name}: Long," for name in plan.numbers),
        *(f"  {name}: Bool," for name in plan.answers),
        *intervals,
        "};",
        "",
        f"action {', '.join(map(_quoted, sorted(ACTIONS)))} appliesTo {{",
        "  principal: [Developer],",
        "  resource: [Subject],",
        "  context: Situation,",
        "};",
    ]
    return "\n".join(lines) + "\n"


def request(plan: Plan, asked: Asked) -> dict[str, Plain]:
    """Return the Cedar request of a situation: principal, action, resource and context.

    Raises:
        SituationError: if the gate would not come to judge the situation.
    """
    context = document(plan, asked)
    subject: dict[str, Plain] = {"type": "Subject", "id": asked.subject}
    return {
        "principal": {"type": "Developer", "id": plan.kernel.issuer},
        "action": {"type": "Action", "id": context["action"]},
        "resource": subject,
        "context": {**context, "subject": {"__entity": subject}},
    }


def _permit(plan: Plan) -> str:
    """Return the one permit: for inputs that are whole, each attribute of its type, and no other."""
    members = {item.name: item.members for item in plan.intervals}
    typed = [f'context.{name} like "*"' for name in ("policy", "action")]
    typed += [f"-{LARGEST} <= context.{name} && context.{name} <= {LARGEST}" for name in plan.whole_numbers]
    typed += [f"(context.{name} || !context.{name})" for name in plan.answers]
    whole = ["context == {", *(f"{_STEP}{line}," for line in _listed(plan, members)), "}"]
    body = [*(f"{line} &&" for line in typed), *whole]
    words = "What no rule below forbids is permitted, if the input is what it should be: whole, and nothing else."
    head = f'@id("scalegate.input")\npermit(principal, action in {_actions(ACTIONS)}, resource)'
    return "\n".join([*comments([words], "//"), head, *_braced("when", body)])


def _listed(plan: Plan, members: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name in plan.fields:
        if name in members:
            inner = ", ".join(f"{member}: context.{name}.{member}" for member in members[name])
            yield f"{name}: {{{inner}}}"
        else:
            yield f"{name}: context.{name}"


def _binding(plan: Plan) -> str:
    """Return the rule that an input is about this policy, this subject and this action."""
    each = [f"(action == {_action(name)} && context.action == {_quoted(name)})" for name in sorted(ACTIONS)]
    body = [
        "context has policy && context has subject && context has action &&",
        f"context.policy == {_quoted(plan.kernel.digest)} &&",
        "context.subject == resource &&",
        "(",
        *(f"{_STEP}{line}{' ||' if line != each[-1] else ''}" for line in each),
        ")",
    ]
    words = "An input is about one policy, one subject and one action."
    head = f'@id("scalegate.binding")\nforbid(principal, action in {_actions(ACTIONS)}, resource)'
    return "\n".join([*comments([words], "//"), head, *_braced("unless", body)])


def _forbid(rule: Rule) -> str:
    guards = [f"context has {path} &&" for path in sorted(set(_read(rule.unless)))]
    head = f"@id({_quoted(rule.id)})\nforbid(principal, action in {_actions(rule.actions)}, resource)"
    return "\n".join([*comments(rule.says, "//"), head, *_braced("unless", [*guards, *_lines(rule.unless)])])


def _braced(word: str, body: list[str]) -> list[str]:
    return [f"{word} {{", *(f"{_STEP}{line}" for line in body), "};"]


def _read(clause: Clause) -> Iterator[str]:
    """Yield every attribute that a clause reads."""
    match clause:
        case Bound(field=field, end=end):
            yield from ("now", "to_e18", "to_rest", *(f"{field}.{member}" for member in (*LIMITS, end)))
        case Date():
            yield "now"
        case Unended(field=field):
            yield from ("now", field)
        case Small(field=field) | Denied(field=field):
            yield field
        case Count(parts=parts):
            for part in parts:
                yield from _read(part)
        case Never(part=part):
            yield from _read(part)
        case Fixed() | OtherAction():
            return


def _lines(clause: Clause) -> list[str]:
    """Return a clause as lines of one expression, in parentheses where it needs them."""
    match clause:
        case Bound():
            return _bound(clause)
        case Date(sign=sign, value=value, words=words):
            return [f"( // {words}", f"{_STEP}context.now {sign} {value}", ")"]
        case Never(part=part):
            return ["!(", *_inside(_lines(part)), ")"]
        case Count():
            return _count(clause)
        case _:
            return [_line(clause)]


def _line(clause: Fixed | Unended | Small | Denied | OtherAction) -> str:
    match clause:
        case Fixed(stands=stands):
            return "true" if stands else "false"
        case Unended(field=field):
            return f"context.now < context.{field}"
        case Small(field=field, value=value):
            return f"context.{field} <= {value}"
        case Denied(field=field):
            return f"context.{field} == false"
        case OtherAction(actions=actions):
            return f"!(action in {_actions(actions)})"


def _bound(clause: Bound) -> list[str]:
    name = f"context.{clause.field}"
    reached = f"context.to_e18 == {name}.reach_e18 && context.to_rest <= {name}.reach_rest"
    return [
        "(",
        f"{_STEP}{name}.{clause.end} {clause.sign} {clause.value} && // {clause.words}",
        f"{_STEP}{name}.gaps == 0 && context.now < {name}.until &&",
        f"{_STEP}(context.to_e18 < {name}.reach_e18 || ({reached}))",
        ")",
    ]


def _count(clause: Count) -> list[str]:
    parts = [_lines(part) for part in clause.parts]
    if clause.need not in (1, len(parts)):
        counted = [["(if (", *_inside(lines), ") then 1 else 0)"] for lines in parts]
        return ["(", *_inside(_joined(counted, " +")), f") >= {clause.need}"]
    sign = " ||" if clause.need == 1 else " &&"
    return ["(", *_inside(_joined(parts, sign)), ")"]


def _joined(parts: list[list[str]], sign: str) -> list[str]:
    ended = [[*lines[:-1], f"{lines[-1]}{sign}"] for lines in parts[:-1]]
    return [line for lines in (*ended, parts[-1]) for line in lines]


def _inside(lines: list[str]) -> list[str]:
    return [f"{_STEP}{line}" for line in lines]


def _actions(names: frozenset[str] | tuple[str, ...]) -> str:
    return f"[{', '.join(map(_action, sorted(names)))}]"


def _action(name: str) -> str:
    return f"Action::{_quoted(name)}"


def _quoted(text: str) -> str:
    """Return text as a string of Cedar: everything unusual by its number."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else f"\\u{{{ord(letter):x}}}"
        for letter in text
    )
    return f'"{plain}"'
