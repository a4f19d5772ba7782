"""Positioned nodes to policy tree: laws, mandates, obligations, declared practices, and where encodings come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from scalegate.core.duties import Modality, Read, Source, Unsettled
from scalegate.core.kernel import PolicyKind
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.fields import Fields, as_items, as_table, as_text, as_words, is_name, unique
from scalegate.policy.grammar import read_phrase, token_span
from scalegate.policy.practices import PRACTICES
from scalegate.policy.source import Entry, Node, Scalar, Table
from scalegate.policy.tree import (
    DeclaredText,
    DutiesText,
    EventText,
    LawText,
    MandateText,
    Name,
    ObligationText,
    OriginText,
)
from scalegate.policy.values import read_duration, read_instant, read_pin, read_quorum

MODALITIES: Final[dict[str, Modality]] = {"must": "must", "aim": "aim", "may": "may", "recommend": "recommend"}
UNSETTLED: Final[dict[str, Unsettled]] = {"hold": "hold", "discretion": "discretion", "permit": "permit"}
READ: Final[dict[str, Read]] = {"seen": "seen", "memory": "memory", "unread": "unread"}
ORIGIN = ("source", "read")
# Keys that only an encoding of somebody else's words may write: at the top, and in the entries of sections. All of
# these entries say where they come from.
_AT_THE_TOP = ("assumes", "sources", "unread")
_IN_ENTRIES = {
    "commitments": ("modality", "unknown", *ORIGIN),
    "evaluations": ("concept", *ORIGIN),
    "safeguards": ("concept", *ORIGIN),
    "obligations": ("modality", *ORIGIN),
    "exceptions": ORIGIN,
    "declares": ORIGIN,
}
DUTIES = ("legal text", "mandates", "obligations", "declares", "assumes", "sources", "unread")
_OBLIGATION = ("does", "within", "from", "every", "met when", "about", "modality", *ORIGIN)
_DECLARED = ("says", "modality", "number", *ORIGIN)
_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def read_duties(fields: Fields, kind: PolicyKind) -> DutiesText:
    """Return what a policy promises besides holding.

    Args:
        fields: the keys of the whole policy.
        kind: its kind; what belongs to another kind is reported.
    """
    _only_where_it_belongs(fields, kind)
    return DutiesText(
        law=_law(fields),
        mandates=tuple(_mandates(fields)),
        obligations={item.name.text: item for item in _obligations(fields)},
        declares={item.name.text: item for item in _declares(fields)},
        assumes=fields.listed("assumes"),
        sources={item.key: item for item in _sources(fields)},
        unread=_unread(fields),
        origins=_origins(fields) if kind == "reference" else {},
    )


def modality(fields: Fields) -> Modality:
    """Return how strongly an entry binds; `must` unless written."""
    return MODALITIES.get(fields.choice("modality", tuple(MODALITIES)) or "", "must")


def unsettled(fields: Fields) -> Unsettled:
    """Return what happens where neither condition is settled; `hold` unless written."""
    return UNSETTLED.get(fields.choice("unknown", tuple(UNSETTLED)) or "", "hold")


def aspects(fields: Fields) -> tuple[str, ...]:
    """Return the aspects that an entry is about."""
    return tuple(name.text for name in fields.names("about"))


# ---------------------------------------------------------------- what belongs where


def _only_where_it_belongs(fields: Fields, kind: PolicyKind) -> None:
    if kind == "policy":
        for key in ("legal text", "mandates"):
            if key in fields:
                fields.findings.error(
                    "P518",
                    f"a policy of a developer has no {quote(key)}",
                    fields.key_span(key),
                    cause="a regime states a law and asks for roles; a policy binds its own issuer",
                    help="write `kind: regime`, or remove it",
                )
    if kind == "reference":
        return
    for key in _AT_THE_TOP:
        if key in fields:
            _foreign(fields.findings, key, Name(key, fields.key_span(key)))
    for section, keys in _IN_ENTRIES.items():
        for entry in _entries(fields.node(section)):
            for inner in _entries(entry.value):
                if inner.key.text in keys:
                    _foreign(fields.findings, inner.key.text, Name(inner.key.text, inner.key.span))


def _foreign(findings: Findings, key: str, place: Name) -> None:
    findings.error(
        "P516",
        f"only an encoding of somebody else's words has {quote(key)}",
        place.span,
        cause="in a text of one's own it would soften what is promised, or lend it a source",
        help="write `kind: reference`, or remove it",
    )


def _entries(node: Node | None) -> tuple[Entry, ...]:
    return tuple(node.entries) if isinstance(node, Table) else ()


# ---------------------------------------------------------------- laws and mandates


def _law(fields: Fields) -> LawText | None:
    table = fields.table("legal text")
    if table is None:
        return None
    found = Fields(table, "`legal text`", ("title", "version", "in force", "jurisdiction", "text"), fields.findings)
    place = fields.key_span("legal text")
    found.need("title", place, "write what the law is called")
    found.need("version", place, "write which version of it is meant")
    jurisdiction = found.name("jurisdiction", "a jurisdiction")
    return LawText(
        title=found.words("title") or "",
        version=found.words("version") or "",
        in_force=found.read("in force", read_instant),
        jurisdiction=jurisdiction.text if jurisdiction else "",
        text=found.read("text", read_pin),
        span=place,
    )


def _mandates(fields: Fields) -> Iterator[MandateText]:
    table = fields.table("mandates")
    if table is None:
        return
    found = Fields(table, "`mandates`", ("roles",), fields.findings)
    found.need("roles", fields.key_span("mandates"), "write `{roles: {auditor: {independent of: [developer]}}}`")
    for entry in _entries(found.table("roles")):
        if not is_name(entry.key, "the name of a role", fields.findings):
            continue
        what = f"the mandated role {quote(entry.key.text)}"
        body = as_table(entry.value, what, fields.findings)
        if body is not None:
            yield _mandate(entry, Fields(body, what, ("independent of", "quorum"), fields.findings))


def _mandate(entry: Entry, fields: Fields) -> MandateText:
    needed, available = fields.read("quorum", read_quorum) or (1, None)
    if available is not None:
        fields.findings.error(
            "P503",
            f"{fields.what} says of how many people its quorum is",
            fields.key_span("quorum"),
            cause="how many people a role has is for the developer's policy to say",
            help=f"write `quorum: {needed}`",
        )
    others = fields.names("independent of")
    for other in others:
        if other.text == entry.key.text:
            message = f"{quote(other.text)} is independent of itself"
            fields.findings.error("P509", message, other.span, help="name the others")
    return MandateText(Name(entry.key.text, entry.key.span), tuple(other.text for other in others), needed)


# ---------------------------------------------------------------- obligations


def read_event(scalar: Scalar, findings: Findings) -> EventText | None:
    """Return the event of `incident-reported by regulator`."""
    tree = read_phrase("event", scalar, findings)
    if tree is None:
        return None
    predicate, role = (Name(str(token), token_span(token, scalar)) for token in tree.scan_values(lambda _: True))
    return EventText(predicate, role)


def _obligations(fields: Fields) -> Iterator[ObligationText]:
    table = fields.table("obligations")
    for entry in table.entries if table is not None else ():
        if not is_name(entry.key, "the name of an obligation", fields.findings):
            continue
        what = f"the obligation {quote(entry.key.text)}"
        body = as_table(entry.value, what, fields.findings)
        name = Name(entry.key.text, entry.key.span)
        if body is None:
            yield ObligationText(name)
        else:
            yield _obligation(name, Fields(body, what, _OBLIGATION, fields.findings))


def _obligation(name: Name, fields: Fields) -> ObligationText:
    fields.need("does", name.span, "say what has to be done")
    fields.need("met when", name.span, "write something like `incident-reported by regulator`")
    _one_clock(fields, name)
    starts = _starts(fields)
    met = fields.read("met when", read_event)
    for start in starts:
        if met is not None and start.predicate.text == met.predicate.text:
            fields.findings.error(
                "P517",
                f"{quote(met.predicate.text)} starts the clock of {fields.what} and stops it",
                met.predicate.span,
                cause="whoever states it would start the next clock with the same words",
                help="give what is stated at the end another name",
            )
    return ObligationText(
        name=name,
        does=fields.words("does") or "",
        within=fields.read("within", read_duration),
        every=fields.read("every", read_duration),
        starts=starts,
        met=met,
        modality=modality(fields),
        about=aspects(fields),
    )


def _one_clock(fields: Fields, name: Name) -> None:
    """Report an obligation that has no clock, two of them, or half of one."""
    why = "a clock runs from an event, or recurs"
    if not fields.exclusive("every", ("within", "from"), why) or "every" in fields:
        return
    like = {
        "within": "write something like `72 hours`",
        "from": "write something like `incident-believed by developer`",
    }
    missing = [key for key in like if key not in fields]
    if len(missing) == 1:
        fields.need(missing[0], name.span, like[missing[0]])
    elif missing:
        fields.findings.error(
            "P517",
            f"{fields.what} has no clock",
            name.span,
            cause="what may be done at any time is never late",
            help="write `within: 72 hours` and `from:` with an event, or `every: 3 months`",
        )


def _starts(fields: Fields) -> tuple[EventText, ...]:
    node = fields.node("from")
    if node is None:
        return ()
    scalars = [
        as_text(item, "an item of `from`", fields.findings) for item in as_items(node, "`from`", fields.findings)
    ]
    found = [read_event(scalar, fields.findings) for scalar in scalars if scalar is not None]
    starts = tuple(event for event in found if event is not None)
    unique(
        [Name(f"{event.predicate.text} by {event.role.text}", event.predicate.span) for event in starts],
        "`from`",
        fields.findings,
    )
    return starts


# ---------------------------------------------------------------- declared practices


def _declares(fields: Fields) -> Iterator[DeclaredText]:
    table = fields.table("declares")
    seen: set[str] = set()
    for entry in table.entries if table is not None else ():
        key = " ".join(entry.key.text.split())
        if key in seen:  # the same words with other blanks between them: as YAML they are two keys
            fields.findings.error("P108", f"{quote(key)} is declared twice", entry.key.span, help="keep one of them")
        seen.add(key)
        if key not in PRACTICES:
            fields.findings.error(
                "P211",
                f"there is no practice {quote(key)} to declare",
                entry.key.span,
                cause="declarations are compared, so that each has one name",
                help=suggestion(key, PRACTICES.keys()),
            )
            continue
        yield _declared(Name(key, entry.key.span), entry.value, fields.findings)


def _declared(name: Name, node: Node, findings: Findings) -> DeclaredText:
    what = f"the declaration {quote(name.text)}"
    if not isinstance(node, Table):
        scalar = as_text(node, what, findings)
        return DeclaredText(name, " ".join(scalar.text.split()) if scalar else "")
    fields = Fields(node, what, _DECLARED, findings)
    fields.need("says", name.span, "say in words what is declared")
    return DeclaredText(name, fields.words("says") or "", modality(fields), fields.words("number") or "")


# ---------------------------------------------------------------- where an encoding comes from


def _sources(fields: Fields) -> Iterator[Source]:
    table = fields.table("sources")
    for entry in table.entries if table is not None else ():
        if not is_name(entry.key, "the key of a source", fields.findings):
            continue
        what = f"the source {quote(entry.key.text)}"
        body = as_table(entry.value, what, fields.findings)
        if body is None:
            continue
        found = Fields(body, what, ("title", "date", "document", "pages"), fields.findings)
        found.need("title", entry.key.span, "write what the document is called")
        yield Source(
            key=entry.key.text,
            title=found.words("title") or "",
            date=found.read("date", _day) or "",
            document=found.words("document") or "",
            pages=found.words("pages") or "",
        )


def _day(scalar: Scalar, findings: Findings) -> str:
    text = scalar.text.strip()
    if _DAY.fullmatch(text):
        return text
    findings.error("P310", f"{quote(text)} is no date", scalar.span, help="write `2025-10-15`, `2025-10` or `2025`")
    return ""


def _unread(fields: Fields) -> tuple[Name, ...]:
    node = fields.node("unread")
    words = () if node is None else as_words(node, "`unread`", fields.findings)
    return tuple(Name(" ".join(word.text.split()), word.span) for word in words)


def _origins(fields: Fields) -> dict[str, OriginText]:
    """Return where every entry of an encoding comes from; those that say nothing have no source and count as seen."""
    found: dict[str, OriginText] = {}
    for section in _IN_ENTRIES:
        for entry in _entries(fields.node(section)):
            path = f"{section}.{' '.join(entry.key.text.split())}"
            if not isinstance(entry.value, Table):
                found[path] = OriginText(None, "seen", entry.key.span)
                continue
            # Its own keys are checked where the entry is read; here only these two matter.
            known = [inner.key.text for inner in entry.value.entries]
            body = Fields(entry.value, f"the entry {quote(entry.key.text)}", known, fields.findings)
            read = READ.get(body.choice("read", tuple(READ)) or "", "seen")
            found[path] = OriginText(body.name("source", "the key of a source"), read, entry.key.span)
    return found
