"""Files of cases: read like policies, with every error at its place.

Every value is plain text; anchors, aliases, tags, repeated and unknown keys are refused, as in policies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scalegate.core.actions import HARDER
from scalegate.core.diagnostic import Span
from scalegate.core.evidence import ReasonKind
from scalegate.policy.diagnose import Findings, quote, spoken, suggestion
from scalegate.policy.fields import Fields, as_items, as_table, as_text, shape
from scalegate.policy.source import Node, Scalar, Table, read_source
from scalegate.prove.cases.case import BELOW, EXCEPTION, RESUMPTION, SHOWN, Because, Bench, Case, question_clauses
from scalegate.prove.symbols import Value
from scalegate.prove.wording.values import read
from scalegate.prove.wording.vocabulary import ClauseError

LANGUAGE = "cases/v1"
MAX_CASES = 2_000

# What a hold may be expected for, and how a permit may be expected to come about.
KINDS: tuple[ReasonKind, ...] = (
    "crossed",
    "missing",
    "pending",
    "stale",
    "inconclusive",
    "untrusted",
    "unresolved",
    "hole",
    "never",
    "not_attested",
)
_POWERS = ("countersignature by ", "stop order by ")
_ASK = re.compile(r"(?P<action>\S+)(?: to (?P<to>\S+ FLOP))?(?: in (?P<context>\S+))?")


@dataclass(frozen=True, slots=True)
class CaseText:
    """A case before it is known which policy it is about."""

    name: str
    situation: tuple[Scalar, ...]
    ask: Scalar
    expect: str
    because: tuple[tuple[Scalar, Scalar | None], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CasesText:
    """A file of cases. `policy` is the file that it is about, as it is written; None where it names none."""

    policy: Scalar | None
    cases: tuple[CaseText, ...]


def read_cases(text: str, file: str) -> CasesText:
    """Return the cases of a text.

    Raises:
        DiagnosticError: with everything that is wrong with it.
    """
    findings = Findings()
    fields = opened(text, file, LANGUAGE, ("scalegate", "policy", "cases"), findings)
    found: list[CaseText] = []
    if fields is not None and fields.need("cases", fields.span):
        table = fields.table("cases")
        for entry in () if table is None else table.entries[:MAX_CASES]:
            case = _case(entry.key, entry.value, findings)
            if case is not None:
                found.append(case)
        if table is not None and not table.entries:
            # Nothing would ever fail.
            findings.error("P204", "there is no case", table.span, help="write one, or remove the file")
        if table is not None and len(table.entries) > MAX_CASES:
            findings.error("P209", f"more than {MAX_CASES} cases", table.span, help="write several files")
    if fields is None or findings.failed:
        raise findings.refuse()
    return CasesText(fields.text("policy"), tuple(found))


def opened(text: str, file: str, language: str, known: Sequence[str], findings: Findings) -> Fields | None:
    """Return the keys of a file that begins with its language; None, with a finding, where it is none."""
    node = read_source(text, file, findings)
    if node is None:
        return None
    first = f"write `scalegate: {language}` first"
    if not isinstance(node, Table):
        findings.error("P203", f"this is {shape(node)}, where a mapping is meant", node.span, help=first)
        return None
    fields = Fields(node, "the file", known, findings)
    if not fields.need("scalegate", node.span, first):
        return None
    word = fields.text("scalegate")
    if word is None or word.text != language:
        span = node.span if word is None else word.span
        findings.error("P208", f"the file is no {quote(language)}", span, help=first)
        return None
    return fields


def _case(key: Scalar, node: Node, findings: Findings) -> CaseText | None:
    what = f"the case {quote(key.text)}"
    table = as_table(node, what, findings)
    if table is None:
        return None
    fields = Fields(table, what, ("situation", "ask", "expect", "because"), findings)
    complete = fields.need("ask", key.span, "write something like `ask: train`") & fields.need("expect", key.span)
    ask, expect = fields.text("ask"), fields.choice("expect", ("hold", "permit"))
    if expect == "hold":
        complete &= fields.need("because", key.span, "name every commitment that holds")
    said, reasons = fields.node("situation"), fields.node("because")
    clauses = [as_text(item, "a clause", findings) for item in (() if said is None else as_items(said, what, findings))]
    because = () if reasons is None else _because(reasons, findings)
    if not complete or ask is None or expect is None or None in clauses:
        return None
    return CaseText(key.text, tuple(item for item in clauses if item), ask, expect, because, key.span)


def _because(node: Node, findings: Findings) -> tuple[tuple[Scalar, Scalar | None], ...]:
    """Return reasons, from `{a: crossed, b: hole}`, `[a, b]` or `[a: crossed, b]`."""
    found: list[tuple[Scalar, Scalar | None]] = []
    for item in [node] if isinstance(node, Table) else as_items(node, "`because`", findings):
        if isinstance(item, Table):
            for entry in item.entries:
                value = as_text(entry.value, quote(entry.key.text), findings)
                if value is not None:
                    found.append((entry.key, value))
        else:
            scalar = as_text(item, "a reason", findings)
            if scalar is not None:
                found.append((scalar, None))
    seen: set[str] = set()
    for part, _ in found:
        if part.text in seen:
            findings.error("P209", f"{quote(part.text)} stands twice in `because`", part.span)
        seen.add(part.text)
    return tuple(found)


# ---------------------------------------------------------------- of one policy


def bind(text: str, file: str, cases: CasesText, bench: Bench) -> tuple[tuple[Case, dict[str, Value]], ...]:
    """Return cases about a policy, each with its situation.

    Args:
        text: the text of the file, for excerpts.
        file: its name.
        cases: what was read of it.
        bench: the policy.

    Raises:
        DiagnosticError: for cases that name what the policy does not have.
    """
    findings = Findings()
    findings.open_text(file, text.replace("\r\n", "\n").split("\n"))
    found = [_bound(item, bench, findings) for item in cases.cases]
    if findings.failed:
        raise findings.refuse()
    return tuple(item for item in found if item is not None)


def _bound(text: CaseText, bench: Bench, findings: Findings) -> tuple[Case, dict[str, Value]] | None:
    asked = _asked(text.ask, bench, findings)
    because = [_reason(part, how, text.expect, bench, findings) for part, how in text.because]
    if asked is None:
        return None
    action, from_question = asked
    clauses = (*(item.text for item in text.situation), *from_question)
    try:
        values = bench.situation(clauses)
    except ClauseError as error:
        place = error.place
        span = text.ask.span if place is None or place >= len(text.situation) else text.situation[place].span
        findings.error("C101", str(error), span, help=error.help)
        return None
    reasons = tuple(item for item in because if item is not None)
    return Case(text.name, clauses, action, text.expect == "permit", reasons, text.span), values


def _asked(ask: Scalar, bench: Bench, findings: Findings) -> tuple[str, tuple[str, ...]] | None:
    """Return the action of `train to 4e25 FLOP` or `deploy.partners in partner-desk`, with what that says."""
    match = _ASK.fullmatch(" ".join(ask.text.split()))
    if match is None:
        remedy = "write something like `train to 4e25 FLOP` or `deploy.partners in partner-desk`"
        findings.error("P301", f"{quote(ask.text)} asks for no action", ask.span, help=remedy)
        return None
    action, to, context = match["action"], match["to"] or "", match["context"] or ""
    if action not in HARDER:
        findings.error(
            "P403", f"{quote(action)} is no action that can be held", ask.span, help=suggestion(action, HARDER)
        )
        return None
    if to and read(to, "flop") is None:
        findings.error("P308", f"{quote(to)} is no compute", ask.span, help="write something like `4e25 FLOP`")
        return None
    contexts = bench.kernel.contexts
    if context and context not in contexts:
        message = f"the policy has no context {quote(context)}"
        findings.error("P401", message, ask.span, help=suggestion(context, contexts))
        return None
    if context and contexts[context].action != action:
        message = f"the context {quote(context)} is one of {quote(contexts[context].action)}"
        findings.error("P401", message, ask.span)
        return None
    return action, question_clauses(action, to, context, bench.vocabulary)


def _reason(part: Scalar, how: Scalar | None, expect: str, bench: Bench, findings: Findings) -> Because | None:
    name = " ".join(part.text.split())
    commitments = [item.id for item in bench.kernel.commitments]
    powers = [
        *(f"{_POWERS[0]}{role}" for role in bench.kernel.countersigned_by),
        *(f"{_POWERS[1]}{role}" for role in bench.kernel.stop_orders_by),
        "mitigation cap",
    ]
    known = commitments if expect == "permit" else [*commitments, *powers]
    if name not in known:
        findings.error("P401", f"the policy has no {quote(name)}", part.span, help=suggestion(name, known))
        return None
    if how is None:
        if expect == "permit":
            remedy = f"write something like `{name}: {SHOWN}`"
            findings.error("P202", f"how {quote(name)} is released is not said", part.span, help=remedy)
        return Because(name, "", part.span)
    word = " ".join(how.text.split())
    escapes = [f"{EXCEPTION} {item.id}" for item in bench.kernel.exceptions if item.instead_of == name]
    words = KINDS if expect == "hold" else (SHOWN, RESUMPTION, BELOW, *escapes)
    if word not in words or (expect == "hold" and name not in commitments):
        message = f"{quote(name)} cannot be expected for {quote(word)}"
        findings.error("P205", message, how.span, help=f"write {spoken(map(quote, words))}")
        return None
    return Because(name, word, part.span)
