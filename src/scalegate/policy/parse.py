"""Positioned nodes to policy tree: shapes, keys, words and units; names are looked up later."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

from scalegate.core.diagnostic import Span
from scalegate.core.kernel import AmendmentRule, PolicyKind
from scalegate.policy import tree as written
from scalegate.policy.binds import read_binds
from scalegate.policy.conditions import read_condition
from scalegate.policy.diagnose import Findings, quote
from scalegate.policy.fields import Fields, as_items, as_table, as_text, is_name
from scalegate.policy.parse_duties import DUTIES, ORIGIN, aspects, modality, read_duties, unsettled
from scalegate.policy.parse_evaluations import read_capability, read_evaluation, read_safeguard
from scalegate.policy.source import Entry, Node, Scalar, Table
from scalegate.policy.tree import Name
from scalegate.policy.values import (
    read_duration,
    read_flop,
    read_instant,
    read_quorum,
    read_rate,
    read_window,
)

LANGUAGE = "policy/v1"
RESUME = "once crossed, resume only if shown"
FLOOR = "resume only if shown"

KEYS = (
    "scalegate",
    "id",
    "version",
    "issuer",
    "effective",
    "kind",
    "scope",
    "binds",
    "roles",
    "permits",
    "stop orders",
    "capabilities",
    "evaluations",
    "contexts",
    "safeguards",
    "commitments",
    "exceptions",
    "amendments",
    "mitigation",
    "elicitation allowance",
    "teachers",
    "existing scale",
    *DUTIES,
)
_KINDS: dict[str, PolicyKind] = {"policy": "policy", "regime": "regime", "reference": "reference"}

Declared = TypeVar("Declared")


def parse(node: Node, findings: Findings) -> written.Policy | None:
    """Return the policy tree of a policy text; None when it is not even a mapping.

    The tree is complete only as long as `findings` has no error.
    """
    table = as_table(node, "a policy", findings)
    if table is None or not _speaks(table, findings):
        return None
    fields = Fields(table, "a policy", KEYS, findings)
    top = fields.span
    first = Span(top.file, top.line, top.column, top.line, top.column + 1)
    for key in ("id", "version", "issuer", "effective"):
        fields.need(key, first)
    name = fields.name("id", "the id of a policy")
    issuer = fields.name("issuer", "an issuer")
    kind = _KINDS.get(fields.choice("kind", tuple(_KINDS)) or "", "policy")
    allowance = fields.read("elicitation allowance", read_rate)
    return written.Policy(
        id=name.text if name else "",
        version=fields.words("version") or "",
        issuer=issuer.text if issuer else "",
        kind=kind,
        effective=fields.read("effective", read_instant) or 0,
        scope=_scope(fields, kind),
        roles=_section(fields, "roles", "a role", _role),
        capabilities=_section(fields, "capabilities", "a capability", read_capability),
        evaluations=_section(fields, "evaluations", "an evaluation", read_evaluation),
        contexts=_section(fields, "contexts", "a context", _context),
        safeguards=_section(fields, "safeguards", "a safeguard", read_safeguard),
        commitments=_section(fields, "commitments", "a commitment", _commitment),
        exceptions=_section(fields, "exceptions", "an exception", _exception),
        amendments=_amendments(fields),
        countersigned_by=_roles_under(fields, "permits", "countersigned by"),
        stop_orders_by=_roles_under(fields, "stop orders", "by"),
        elicitation_allowance=Fraction(1, 100) if allowance is None else allowance,
        mitigation_cap=_mitigation(fields),
        teachers_count=fields.choice("teachers", ("count", "do not count")) != "do not count",
        existing_scale=fields.read("existing scale", read_flop) or 0,
        duties=read_duties(fields, kind),
        span=fields.span,
    )


def _speaks(table: Table, findings: Findings) -> bool:
    """Tell whether a file says that it is written in this language."""
    entry = next((entry for entry in table.entries if entry.key.text == "scalegate"), None)
    remedy = f"a policy starts with `scalegate: {LANGUAGE}`"
    if entry is None:
        span = table.entries[0].key.span if table.entries else table.span
        findings.error("P208", "this is no policy of scalegate", span, help=remedy)
        return False
    if not isinstance(entry.value, Scalar) or entry.value.text != LANGUAGE:
        text = entry.value.text if isinstance(entry.value, Scalar) else "that"
        message = f"{quote(text)} is no language that this version reads"
        findings.error("P208", message, entry.value.span, help=f"write `{LANGUAGE}`")
        return False
    return True


def _section(fields: Fields, key: str, what: str, reader: Callable[[Entry, Findings], Declared]) -> dict[str, Declared]:
    """Return what a section declares, by name."""
    table = fields.table(key)
    if table is None:
        return {}
    return {
        entry.key.text: reader(entry, fields.findings)
        for entry in table.entries
        if is_name(entry.key, f"the name of {what}", fields.findings)
    }


def _body(entry: Entry, what: str, keys: tuple[str, ...], findings: Findings) -> Fields | None:
    words = f"the {what} {quote(entry.key.text)}"
    table = as_table(entry.value, words, findings)
    return None if table is None else Fields(table, words, keys, findings)


# ---------------------------------------------------------------- the head of a policy


def _scope(fields: Fields, kind: PolicyKind) -> written.ScopeText | None:
    fields.exclusive("scope", ("binds",), "they are two answers to whom the policy binds")
    if "binds" in fields:
        if kind == "policy":
            fields.findings.error(
                "P514",
                "a policy binds its issuer, not every developer",
                fields.key_span("binds"),
                help="write `scope:`, or `kind: regime`",
            )
        words = fields.text("binds")
        bound = None if words is None else read_binds(words, fields.findings)
        return None if bound is None else written.ScopeText(bound, every_developer=True, span=bound.span)
    scalar = fields.text("scope")
    if scalar is None:
        return None
    if scalar.text.strip() == "everything":
        return written.ScopeText(None, every_developer=False, span=scalar.span)
    phrase = read_condition(scalar, fields.findings)
    if phrase is None:
        return None
    return written.ScopeText(phrase, every_developer=False, span=scalar.span)


def _roles_under(fields: Fields, key: str, inner: str) -> tuple[Name, ...]:
    table = fields.table(key)
    if table is None:
        return ()
    found = Fields(table, quote(key), (inner,), fields.findings)
    found.need(inner, fields.key_span(key), f"write `{{{inner}: regulator}}`")
    return found.names(inner)


def _mitigation(fields: Fields) -> Fraction:
    table = fields.table("mitigation")
    if table is None:
        return Fraction(1, 100)
    found = Fields(table, "`mitigation`", ("at most",), fields.findings)
    found.need("at most", fields.key_span("mitigation"), "write `{at most: 1%}`")
    cap = found.read("at most", read_rate)
    return Fraction(1, 100) if cap is None else cap


def _amendments(fields: Fields) -> written.AmendmentText:
    table = fields.table("amendments")
    if table is None:
        return written.AmendmentText()
    known = ("approved by", "notice", "weakening")
    found = Fields(table, "`amendments`", known, fields.findings)
    found.choice("weakening", ("forbidden while holding",))
    roles = found.names("approved by")
    notice = found.read("notice", read_duration) or 0
    rule = AmendmentRule(tuple(role.text for role in roles), notice)
    return written.AmendmentText(rule, roles)


# ---------------------------------------------------------------- entries


def _role(entry: Entry, findings: Findings) -> written.RoleText:
    name = Name(entry.key.text, entry.key.span)
    fields = _body(entry, "role", ("independent of", "quorum", "members"), findings)
    if fields is None:
        return written.RoleText(name)
    needed, available = fields.read("quorum", read_quorum) or (1, None)
    members = _members(fields)
    people = len(members) if members else None
    if people is not None and "members" in fields:
        if available is not None and available != people:
            message = f"the quorum speaks of {available} people, and {people} are named"
            findings.error("P503", message, fields.key_span("members"))
        elif needed > people:
            message = f"a quorum of {needed} can never be met by {people}"
            findings.error("P503", message, fields.key_span("members"))
    return written.RoleText(name, needed, available, members, fields.names("independent of"))


def _members(fields: Fields) -> tuple[Name, ...]:
    node = fields.node("members")
    if node is None:
        return ()
    words = fields.listed("members")
    items = as_items(node, "`members`", Findings())
    spans = [item.span for item in items if isinstance(item, Scalar) and item.text.strip()]
    return tuple(Name(word, span) for word, span in zip(words, spans, strict=True))


def _context(entry: Entry, findings: Findings) -> written.ContextText:
    name = Name(entry.key.text, entry.key.span)
    fields = _body(entry, "context", ("action", "scaffolds", "withdraw"), findings)
    if fields is None:
        return written.ContextText(name, None, None, withdraws=True, span=entry.key.span)
    fields.need("action", entry.key.span, "write something like `deploy.partners`")
    action = fields.name("action", "an action")
    node = fields.node("scaffolds")
    unknown = node is None or (isinstance(node, Scalar) and node.text.strip() == "any")
    return written.ContextText(
        name=name,
        action=action,
        scaffolds=None if unknown else fields.listed("scaffolds"),
        withdraws=fields.choice("withdraw", ("yes", "no")) != "no",
        span=fields.key_span("scaffolds") if "scaffolds" in fields else entry.key.span,
    )


def _commitment(entry: Entry, findings: Findings) -> written.CommitmentText:
    name = Name(entry.key.text, entry.key.span)
    keys = ("hold", "unless shown", RESUME, "once crossed", "about", "modality", "unknown", *ORIGIN)
    fields = _body(entry, "commitment", keys, findings)
    if fields is None:
        return written.CommitmentText(name, (), None, None, declared_never=False, broken=True, span=name.span)
    fields.need("hold", entry.key.span, "write an action such as `train`, or `everything`")
    fields.need("unless shown", entry.key.span, "write a condition, or `never`")
    fields.exclusive(RESUME, ("once crossed",), "they are two answers to what ends the hold")
    never = fields.choice("once crossed", ("never",)) is not None
    return written.CommitmentText(
        name=name,
        hold=fields.actions("hold"),
        unless_shown=_condition(fields, "unless shown"),
        resume=_condition(fields, RESUME),
        declared_never=never,
        broken="unless shown" not in fields or RESUME in fields or "once crossed" in fields,
        span=name.span,
        about=aspects(fields),
        modality=modality(fields),
        unsettled=unsettled(fields),
    )


def _exception(entry: Entry, findings: Findings) -> written.ExceptionText:
    name = Name(entry.key.text, entry.key.span)
    keys = ("instead of", "when", FLOOR, "needs", "sunset", *ORIGIN)
    fields = _body(entry, "exception", keys, findings)
    if fields is None:
        return written.ExceptionText(name, None, None, None, (), 0, 0, 0, name.span)
    fields.need("instead of", name.span, "name the one commitment that it stands in for")
    fields.need("when", name.span, "say what has to be shown before it may be used")
    if FLOOR not in fields:
        findings.error(
            "P504",
            f"{fields.what} has no floor",
            name.span,
            cause="an exception weakens a commitment, and never ends it",
            help=f"write `{FLOOR}:` with a weaker condition than the commitment's",
        )
    each, total, window = _sunset(fields, name.span)
    return written.ExceptionText(
        name=name,
        instead_of=fields.name("instead of", "the name of a commitment"),
        when=_condition(fields, "when"),
        floor=_condition(fields, FLOOR),
        needs=_needs(fields),
        each=each,
        total=total,
        window=window,
        span=name.span,
    )


def _condition(fields: Fields, key: str) -> written.Phrase | None:
    scalar = fields.text(key)
    return None if scalar is None else read_condition(scalar, fields.findings)


def _needs(fields: Fields) -> tuple[written.Phrase, ...]:
    node = fields.node("needs")
    if node is None:
        return ()
    found: list[written.Phrase] = []
    for item in as_items(node, "`needs`", fields.findings):
        scalar = as_text(item, "an item of `needs`", fields.findings)
        phrase = read_condition(scalar, fields.findings) if scalar else None
        if phrase is not None:
            found.append(phrase)
    return tuple(found)


def _sunset(fields: Fields, place: Span) -> tuple[int, int, int]:
    """Return how long an exception lasts each time, in sum, and within which window, in seconds."""
    like = "write `{each: 30 days, in any 12 months: 60 days}`"
    if "sunset" not in fields:
        cause = "an exception that never ends is an amendment"
        message = f"{fields.what} has no sunset"
        fields.findings.error("P505", message, place, cause=cause, help=like)
        return 0, 0, 0
    table = fields.table("sunset")
    if table is None:
        return 0, 0, 0
    windows = [entry.key.text for entry in table.entries if entry.key.text.startswith("in any")]
    found = Fields(table, "`sunset`", ("each", *windows), fields.findings)
    found.need("each", fields.key_span("sunset"), like)
    each = found.read("each", read_duration)
    if len(windows) != 1:
        message = "`sunset` has no total" if not windows else "`sunset` has more than one total"
        fields.findings.error("P505", message, fields.key_span("sunset"), help=like)
        return 0, 0, 0
    key = next(entry.key for entry in table.entries if entry.key.text == windows[0])
    window = read_window(key, fields.findings)
    total = found.read(windows[0], read_duration)
    if each is None or total is None or window is None:
        return 0, 0, 0
    if not each <= total <= window:
        first = each > total
        fields.findings.error(
            "P505",
            f"one use of {fields.what} is longer than all of them together"
            if first
            else f"{fields.what} may last longer than its window",
            found.key_span("each" if first else windows[0]),
            help=like,
        )
    return each, total, window
