"""Positioned nodes to policy tree: capabilities, evaluations, safeguards and their holes."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

from scalegate.core.diagnostic import Span
from scalegate.core.kernel import Count, Estimand, EvaluationKind, Validity
from scalegate.core.reading import SHORTFALLS
from scalegate.policy.diagnose import Findings, closest, quote
from scalegate.policy.fields import Fields, as_items, as_table, as_text
from scalegate.policy.parse_duties import ORIGIN
from scalegate.policy.scores import read_score
from scalegate.policy.source import Entry, Node, Scalar, Table
from scalegate.policy.tree import (
    BeliefText,
    CapabilityText,
    EvaluationText,
    HoleText,
    Name,
    Pin,
    SafeguardText,
)
from scalegate.policy.values import (
    read_belief_role,
    read_duration,
    read_error_rate,
    read_factor,
    read_failure,
    read_instant,
    read_limits,
    read_pin,
    read_tally,
)

STOP = "no result, stop"
_Limits: TypeAlias = tuple[Fraction | None, int | None]
_HOLE = ("hole", "owner", "filled only by", "review by")
_CAPABILITY = ("tested by", "holds", *_HOLE)
_MEASURED = (
    "test",
    "score",
    "estimand",
    "clustered by",
    "elicited by",
    "hidden capability",
    "wrongly cleared at most",
    "wrongly stopped at most",
    "due",
    STOP,
    "believable only if",
    "shown to work by",
    "valid for",
    "accept",
    "refuse provenance",
    "reach",
)
_EVALUATION = ("kind", "by", "concept", *_MEASURED, *_HOLE, *ORIGIN)
_SAFEGUARD = ("means", "stops", "because", "fails if", "by", "valid for", "concept", *ORIGIN)
_KINDS: dict[str, EvaluationKind] = {
    "capability": "capability",
    "safety": "safety",
    "understanding": "understanding",
}
_FEWEST_IN_BANK, _MOST_IN_BANK = 2, 10_000_000
_BELIEVABLE = "`believable only if`"
ACCEPT = ("aggregate", "edited scores", "earlier runs")


def _body(entry: Entry, kind: str, keys: Iterable[str], findings: Findings) -> Fields | None:
    """Return the fields of a declared thing; None when it is no mapping."""
    what = f"the {kind} {quote(entry.key.text)}"
    table = as_table(entry.value, what, findings)
    return None if table is None else Fields(table, what, tuple(keys), findings)


def _hole(fields: Fields, place: Span) -> HoleText:
    """Return what is written about a hole; no words where nobody declared one."""
    return HoleText(
        words=fields.words("hole") or "",
        owner=fields.words("owner"),
        filled_only_by=fields.names("filled only by"),
        review_by=fields.read("review by", read_instant),
        span=fields.key_span("hole") if "hole" in fields else place,
    )


def _only_for_holes(fields: Fields) -> None:
    for key in _HOLE[1:]:
        if key in fields:
            fields.findings.error(
                "P207",
                f"{fields.what} has {quote(key)}, though it is no hole",
                fields.key_span(key),
                help=f"add `hole:` with what is open, or remove {quote(key)}",
            )


def read_capability(entry: Entry, findings: Findings) -> CapabilityText:
    """Return an entry of `capabilities`."""
    name = Name(entry.key.text, entry.key.span)
    fields = _body(entry, "capability", _CAPABILITY, findings)
    if fields is None:
        return CapabilityText(name, None, None, (), entry.key.span)
    why = "a capability that is tested is no hole"
    fields.exclusive("hole", ("tested by",), why)
    untested = "tested by" not in fields
    if not untested and "hole" not in fields:
        _only_for_holes(fields)
    if "tested by" in fields and "holds" in fields:
        findings.error(
            "P207",
            f"{fields.what} has {quote('holds')}, though a test covers it",
            fields.key_span("holds"),
            help="say under `commitments` what is held",
        )
    return CapabilityText(
        name=name,
        tested_by=fields.name("tested by", "the name of an evaluation"),
        hole=_hole(fields, name.span) if untested or "hole" in fields else None,
        holds=fields.actions("holds"),
        span=entry.key.span,
    )


def read_evaluation(entry: Entry, findings: Findings) -> EvaluationText:
    """Return an entry of `evaluations`."""
    name = Name(entry.key.text, entry.key.span)
    fields = _body(entry, "evaluation", _EVALUATION, findings)
    if fields is None:
        return EvaluationText(name, span=entry.key.span)
    fields.need("kind", entry.key.span, "write `capability`, `safety` or `understanding`")
    kind = _KINDS.get(fields.choice("kind", tuple(_KINDS)) or "")
    by = fields.name("by", "a role")
    if "hole" in fields:
        fields.exclusive("hole", ("concept", *_MEASURED), "a hole has nothing that could be measured")
        return EvaluationText(name, kind=kind, hole=_hole(fields, name.span), by=by, span=entry.key.span)
    _only_for_holes(fields)
    unnamed = ("test", "score", "estimand", "clustered by")
    fields.exclusive("concept", unnamed, "a concept stands where a text names no test")
    if "concept" not in fields:
        remedy = "name the pinned test, or declare what is open with `hole:`"
        fields.need("test", entry.key.span, remedy)
        fields.need("score", entry.key.span, "write something like `success rate`")
    accept = fields.chosen("accept", ACCEPT, "P205")
    estimand, bank = fields.read("estimand", _read_estimand) or ("population", 0)
    return EvaluationText(
        name=name,
        kind=kind,
        test=fields.read("test", read_pin),
        score=fields.read("score", read_score),
        elicited_by=fields.listed("elicited by"),
        by=by,
        wrongly_cleared=fields.read("wrongly cleared at most", read_error_rate),
        wrongly_stopped=fields.read("wrongly stopped at most", read_error_rate),
        validity=_validity(fields),
        beliefs=_beliefs(fields),
        hidden_capability=_tallies(fields, "hidden capability"),
        shown_to_work=_tallies(fields, "shown to work by"),
        accept_aggregate="aggregate" in accept,
        accept_edited="edited scores" in accept,
        accept_earlier="earlier runs" in accept,
        refuse_provenance=fields.chosen("refuse provenance", tuple(SHORTFALLS.values()), "P210"),
        reach_issuer=fields.choice("reach", ("issuer",)) is not None,
        span=entry.key.span,
        estimand=estimand,
        clustered_by=fields.words("clustered by") or "",
        bank=bank,
        concept=fields.name("concept", "a concept"),
    )


def _read_estimand(scalar: Scalar, findings: Findings) -> tuple[Estimand, int] | None:
    """Return what a claim is about, with the size of the bank: `population`, or `bank of 300 items`."""
    words = scalar.text.split()
    match words:
        case ["population"]:
            return "population", 0
        case ["bank", "of", size, "item" | "items"]:
            items = _read_size(size, scalar, findings)
            return None if items is None else ("bank", items)
        case ["bank", *_]:
            message = f"{quote(scalar.text)} does not say how many items the bank holds"
            remedy = "write `bank of N items`: how many items the bank holds is for the policy to say"
            findings.error("P317", message, scalar.span, help=remedy)
        case _:
            match closest(words[0], ("population", "bank")):
                case "population":
                    remedy = "did you mean `population`?"
                case "bank":
                    remedy = f"did you mean {quote(_bank(words[2] if words[2:] and _is_size(words[2]) else 'N'))}?"
                case _:
                    remedy = "write `population` or `bank of N items`"
            findings.error("P205", f"`estimand` cannot be {quote(scalar.text)}", scalar.span, help=remedy)
    return None


def _read_size(word: str, scalar: Scalar, findings: Findings) -> int | None:
    """Return how many items a bank holds; digits alone, so that nobody reads another number than the gate."""
    if _is_size(word):
        return int(word)
    start = scalar.text.index(word, scalar.text.index("of") + len("of"))
    joined = word.replace(",", "").replace("_", "").lstrip("0")
    cause, remedy = "", "write how many items the bank holds, as in `bank of 300 items`"
    if _is_size(joined):
        cause = "its size is written in digits, with nothing between or before them"
        remedy = f"write {quote(_bank(joined))}"
    elif _is_number(word):
        cause = f"a bank holds from {_FEWEST_IN_BANK} to {_MOST_IN_BANK:,} items"
    place = scalar.at(start, start + len(word))
    findings.error("P317", f"no bank holds {quote(word)} items", place, cause=cause, help=remedy)
    return None


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal()


def _is_size(word: str) -> bool:
    short = len(word) <= len(str(_MOST_IN_BANK)) and not word.startswith("0")
    return short and _is_number(word) and _FEWEST_IN_BANK <= int(word) <= _MOST_IN_BANK


def _bank(size: str) -> str:
    return f"bank of {size} items"


def _tallies(fields: Fields, key: str) -> tuple[Count, ...]:
    table = fields.table(key)
    if table is None:
        return ()
    found: list[Count] = []
    if not table.entries:
        fields.findings.error("P204", f"{quote(key)} names nothing", table.span)
    for entry in table.entries:
        value = as_text(entry.value, quote(entry.key.text), fields.findings)
        name = Name(" ".join(entry.key.text.split()), entry.key.span)
        count = read_tally(name, value, fields.findings) if value else None
        if count is not None:
            found.append(count)
    return tuple(found)


def _beliefs(fields: Fields) -> tuple[BeliefText, ...]:
    node = fields.node("believable only if")
    if node is None:
        return ()
    items = (node,) if isinstance(node, Table) else as_items(node, _BELIEVABLE, fields.findings)
    return tuple(belief for item in items for belief in _claims(item, fields.findings))


def _claims(node: Node, findings: Findings) -> list[BeliefText]:
    table = as_table(node, _BELIEVABLE, findings)
    if table is None:
        return []
    expires: int | None = None
    claims: list[tuple[Name, Name | None]] = []
    for entry in table.entries:
        blank = isinstance(entry.value, Scalar) and not entry.value.text.strip()
        if entry.key.text == "expires":
            value = as_text(entry.value, "`expires`", findings)
            expires = read_duration(value, findings) if value else None
            continue
        claim = Name(" ".join(entry.key.text.split()), entry.key.span)
        value = None if blank else as_text(entry.value, quote(entry.key.text), findings)
        claims.append((claim, read_belief_role(value, findings) if value else None))
    if not claims:
        remedy = "write something like `gradient hacking is excluded: attested by external-auditor`"
        findings.error("P204", "`believable only if` makes no claim", table.span, help=remedy)
    return [BeliefText(claim.text, role, expires, claim.span) for claim, role in claims]


# ---------------------------------------------------------------- how long evidence holds


def _validity(fields: Fields) -> Validity | None:
    why = "they are two answers to how long evidence holds"
    if not fields.exclusive("valid for", ("due", STOP), why):
        return None
    if "valid for" in fields:
        return _valid_for(fields)
    if "due" not in fields:
        if STOP in fields:
            message = f"{fields.what} has a hard end and no due point before it"
            remedy = "write `due: at 4x effective compute or 3 months`"
            fields.findings.error("P512", message, fields.key_span(STOP), help=remedy)
            return None
        return Validity()
    due = fields.read("due", read_limits)
    if due is None:
        fields.read(STOP, read_limits)
        return None
    if STOP not in fields:
        fields.findings.warn(
            "W509",
            f"{fields.what} has a due point and no hard end",
            fields.key_span("due"),
            cause="the due point is then the end: no pending run carries training beyond it",
            help=f"write `{STOP}: at 6x or 4 months` if there is a buffer",
        )
        return Validity(*due, *due, exact=False, training=True)
    stop = fields.read(STOP, read_limits)
    return None if stop is None else _ordered(fields, due, stop)


def _ordered(fields: Fields, due: _Limits, stop: _Limits) -> Validity | None:
    """Return the validity of a due point and a hard end; no limit of the end comes first."""
    clean = True
    for unit, first, last in (("compute", due[0], stop[0]), ("time", due[1], stop[1])):
        if first is not None and last is not None and last < first:
            fields.findings.error(
                "P502",
                f"{fields.what} stops in {unit} before it is due",
                fields.key_span(STOP),
                cause="the hard end is the safety buffer behind the due point",
                help="write a later end, or an earlier due point",
            )
            clean = False
        if first is not None and last is None:
            fields.findings.warn(
                "W509",
                f"{fields.what} is due in {unit} and has no hard end in {unit}",
                fields.key_span(STOP),
                cause="the due point is then the end: no pending run carries training beyond it",
            )
    if not clean:
        return None
    return Validity(
        due_compute=due[0] if due[0] is not None else stop[0],
        due_time=due[1] if due[1] is not None else stop[1],
        stop_compute=stop[0] if stop[0] is not None else due[0],
        stop_time=stop[1] if stop[1] is not None else due[1],
        exact=False,
        training=True,
    )


def _valid_for(fields: Fields) -> Validity | None:
    table = fields.table("valid for")
    if table is None:
        return None
    inner = Fields(table, "`valid for`", ("system", "compute", "time"), fields.findings)
    if not table.entries:
        remedy = "write `{system: this exact one, time: 6 months}`"
        fields.findings.error("P204", "`valid for` says nothing", table.span, help=remedy)
        return None
    inner.choice("system", ("this exact one",))
    compute = inner.read("compute", read_factor)
    time = inner.read("time", read_duration)
    why = "one exact system has one exact compute"
    if not inner.exclusive("system", ("compute",), why):
        return None
    exact = "compute" not in inner
    return Validity(compute, time, compute, time, exact=exact, training=True)


# ---------------------------------------------------------------- safeguards


def read_safeguard(entry: Entry, findings: Findings) -> SafeguardText:
    """Return an entry of `safeguards`."""
    name = Name(entry.key.text, entry.key.span)
    fields = _body(entry, "safeguard", _SAFEGUARD, findings)
    if fields is None:
        return SafeguardText(name, None, "", None, (), None, None, entry.key.span)
    fields.exclusive("concept", ("means", "because"), "a concept stands where a text names no means")
    return SafeguardText(
        name=name,
        means=_pin(fields, "means"),
        stops=fields.words("stops") or "",
        because=_pin(fields, "because"),
        fails_if=_failures(fields),
        by=fields.name("by", "a role"),
        valid_time=_valid_time(fields),
        span=entry.key.span,
        concept=fields.name("concept", "a concept"),
    )


def _pin(fields: Fields, key: str) -> Pin | None:
    return fields.read(key, read_pin)


def _failures(fields: Fields) -> tuple[Count, ...]:
    node = fields.node("fails if")
    if node is None:
        return ()
    found: list[Count] = []
    for item in as_items(node, "`fails if`", fields.findings):
        scalar = as_text(item, "`fails if`", fields.findings)
        count = read_failure(scalar, fields.findings) if scalar else None
        if count is not None:
            found.append(count)
    return tuple(found)


def _valid_time(fields: Fields) -> int | None:
    table = fields.table("valid for")
    if table is None:
        return None
    inner = Fields(table, "`valid for` of a safeguard", ("time",), fields.findings)
    inner.need("time", fields.key_span("valid for"), "write `{time: 12 months}`")
    return inner.read("time", read_duration)
