"""The table that compares policies, as one page of HTML: what each holds, on what, until when, and with which way out.

Every cell is computed from a kernel, and names the source that its row rests on and whether that was read. A policy
without a row about an aspect is named below the rows, so that silence shows. The page loads nothing and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from scalegate.core.duties import Declared, EventName, Modality, Obligation, Provenance, Unsettled
from scalegate.core.kernel import AnyOf, Commitment, Compare, Condition, Constant, Exception_, Kernel, Not, Validity
from scalegate.core.quantities import show_duration, show_number
from scalegate.core.terms import Approved, Attested, Measure, Published
from scalegate.ingest.sanitize import html
from scalegate.policy.phrases import actions_words, condition_words, date_words, listed, terms_of

# A multiple that stands for "no limit is stated": no evidence reaches so far.
_BEYOND: Final = Fraction(1_000_000)
_BINDS: Final[dict[Modality, str]] = {
    "must": "promised",
    "aim": "aimed at",
    "may": "may be done",
    "recommend": "recommended",
}
_UNSETTLED: Final[dict[Unsettled, str]] = {
    "hold": "",
    "discretion": "where nothing is settled, the developer decides",
    "permit": "where nothing is settled, nothing is held",
}
_READ: Final = {"seen": "read", "memory": "from memory", "unread": "not read"}
_NONE: Final = "none besides"
_HOLDS: Final = (
    "Text",
    "Holds",
    "Unless it is shown that",
    "Until it is shown that",
    "Ways out by word",
    "How strongly",
    "Source",
)

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; text-wrap: balance; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
thead th { border-bottom: 2px solid currentColor; }
tbody th[scope=rowgroup] { padding-top: 1.2rem; font-size: 1.05rem; border-bottom: 1px solid currentColor; }
th[scope=row] { font-weight: 600; min-width: 11rem; }
td { font-variant-numeric: tabular-nums; }
.note { font-style: italic; }
.unread, .memory { border-left: 4px solid #b34700; }
@media print {
  body { font-size: 9pt; max-width: none; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
"""


class Column(NamedTuple):
    """A policy that is compared: its title, who published it, and its kernel."""

    title: str
    issuer: str
    kernel: Kernel


class _Group(NamedTuple):
    """The rows about one aspect, and which policies say nothing about it."""

    name: str
    rows: Sequence[str]
    notes: Sequence[str]


def comparison_table(columns: Sequence[Column]) -> str:
    """Return the page that compares policies."""
    body = "\n".join((*_opening(columns), *_tables(columns), *_sources(columns), *_footer(columns)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Published frameworks, compared</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _opening(columns: Sequence[Column]) -> Iterator[str]:
    yield "<h1>Published frameworks, compared</h1>"
    yield (
        "<p>What others published, in our own words. They bind nobody here. Each row says what is held "
        "unless something is shown, what ends the hold, and which ways out rest on somebody saying so. A score of "
        "100% means that the threshold which the text itself describes is reached. What nobody read is marked, and no "
        "comparison rests on it.</p>"
    )
    yield (
        "<p>Each row is a reading of a text, and not the text. Where a text can be read in two ways the weaker one is "
        "written here, and the file says which passages differ: <code>scalegate policy library ID</code> prints it. "
        "Two names are two things: that one safeguard is called otherwise than another does not say which asks for "
        "more. Nothing here says what a company does.</p>"
    )
    rows = [_row(item, _overview(item.kernel)) for item in columns]
    yield _table(
        "Which texts, whom they bind, and how much of them was read",
        ("Text", "Issuer", "Binds from", "Binds", "Parts read", "Parts not read"),
        [_Group("", rows, ())],
    )


def _overview(kernel: Kernel) -> tuple[str, ...]:
    count = dict.fromkeys(_READ, 0)
    for origin in kernel.duties.provenance.values():
        count[origin.read] += 1
    match kernel.scope:
        case Constant(proven=True):
            binds = "always"
        case scope:
            binds = f"where {condition_words(kernel, scope)}"
    parts = ", ".join(f"{number} {_READ[read]}" for read, number in count.items() if number)
    return (
        kernel.issuer,
        date_words(kernel.effective),
        f"every developer, {binds}" if kernel.binds_every_developer else binds,
        parts or "nothing says where it comes from",
        listed(kernel.duties.unread) or "none",
    )


# ---------------------------------------------------------------- the three tables


def _tables(columns: Sequence[Column]) -> Iterator[str]:
    yield _table(
        "What each holds, on what, until when, and with which way out",
        _HOLDS,
        list(_commitment_groups(columns)),
    )
    yield _table(
        "What each has to do in time",
        ("Text", "What has to be done", "By when", "The clock starts with", "It ends with", "How strongly", "Source"),
        list(_obligation_groups(columns)),
    )
    yield _table(
        "What each declares, which nothing enforces",
        ("Text", "What it says", "Number", "How strongly", "Source"),
        list(_declared_groups(columns)),
    )


def _commitment_groups(columns: Sequence[Column]) -> Iterator[_Group]:
    for aspect in _aspects(item.about for column in columns for item in column.kernel.commitments):
        rows, having = [], set()
        for column in columns:
            for item in column.kernel.commitments:
                if aspect in (item.about or ("",)):
                    having.add(column.kernel.id)
                    rows.append(
                        _row(column, _commitment(column.kernel, item), _origin(column.kernel, "commitments", item))
                    )
        yield _Group(aspect, rows, tuple(_silent(columns, having, aspect)))


def _obligation_groups(columns: Sequence[Column]) -> Iterator[_Group]:
    obligations = [item for column in columns for item in column.kernel.duties.obligations.values()]
    for aspect in _aspects(item.about for item in obligations):
        rows, having = [], set()
        for column in columns:
            for item in column.kernel.duties.obligations.values():
                if aspect in (item.about or ("",)):
                    having.add(column.kernel.id)
                    rows.append(_row(column, _obligation(item), item.provenance))
        yield _Group(aspect, rows, tuple(_silent(columns, having, aspect)))


def _declared_groups(columns: Sequence[Column]) -> Iterator[_Group]:
    for key in sorted({key for column in columns for key in column.kernel.duties.declares}):
        rows = [
            _row(column, _practice(column.kernel.duties.declares[key]), column.kernel.duties.declares[key].provenance)
            for column in columns
            if key in column.kernel.duties.declares
        ]
        having = {column.kernel.id for column in columns if key in column.kernel.duties.declares}
        yield _Group(key, rows, tuple(_silent(columns, having, f"declares.{key}")))


def _aspects(abouts: Iterable[tuple[str, ...]]) -> list[str]:
    """Return all aspects, sorted; the empty one stands for what is about none."""
    return sorted({aspect for about in abouts for aspect in (about or ("",))})


def _silent(columns: Sequence[Column], having: set[str], path: str) -> Iterator[str]:
    """Yield who says nothing, apart from those of whom nobody knows: that part of their text was not read."""
    missing = [column for column in columns if column.kernel.id not in having]
    unread = [column.title for column in missing if path in column.kernel.duties.unread]
    silent = [column.title for column in missing if path not in column.kernel.duties.unread]
    if silent:
        yield f"Nothing about it in: {listed(silent)}."
    if unread:
        yield f"Not read in: {listed(unread)}."


# ---------------------------------------------------------------- cells


def _commitment(kernel: Kernel, item: Commitment) -> tuple[str, ...]:
    # The trigger is written as `unless shown`: the kernel keeps its negation.
    unless = item.when.part if isinstance(item.when, Not) else Not(item.when, item.span)
    shown, said = _parted(kernel, unless)
    until, promised = _parted(kernel, item.until)
    words = [*(condition_words(kernel, part) for part in (*said, *promised))]
    words += [_exception(kernel, other) for other in kernel.exceptions if other.instead_of == item.id]
    ways = list(dict.fromkeys(words))
    if _UNSETTLED[item.unsettled]:
        ways.append(_UNSETTLED[item.unsettled])
    return (
        actions_words(item.hold, item.actions),
        _trigger(kernel, shown),
        _resumption(kernel, item, until, promised=bool(promised)),
        "; or ".join(ways) or _NONE,
        _BINDS[item.modality],
    )


def _parted(kernel: Kernel, condition: Condition) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Return the alternatives of a condition: those that measure or demonstrate, and those that are somebody's word."""
    parts = condition.parts if isinstance(condition, AnyOf) else (condition,)
    word = [part for part in parts if _by_word(kernel, part)]
    if len(word) == len(parts) == 1:
        return parts, ()
    return tuple(part for part in parts if part not in word), tuple(word)


def _by_word(kernel: Kernel, condition: Condition) -> bool:
    terms = terms_of(kernel, condition)
    return bool(terms) and all(isinstance(term, Attested | Approved | Published) for term in terms)


def _trigger(kernel: Kernel, parts: Sequence[Condition]) -> str:
    if not parts:
        return "nothing but what somebody says (see the ways out)"
    words = "; or ".join(_measured(kernel, part) for part in parts)
    ages: list[str] = []
    for term in terms_of(kernel, *parts):
        if isinstance(term, Measure):
            evaluation = kernel.evaluations[term.evaluation]
            age = _validity(evaluation.validity)
            if age:
                ages.append(f"a result of {evaluation.id} counts {age}")
    return "; ".join((words, *dict.fromkeys(ages)))


def _measured(kernel: Kernel, part: Condition) -> str:
    """Return a condition in words; one that every result meets is about there being one in time."""
    match part:
        case Compare(term=index, above=False, edge=False, num=num, den=den) if num >= den:
            term = kernel.terms[index]
            if isinstance(term, Measure):
                return f"there is a result of {term.evaluation} in time"
    return condition_words(kernel, part)


def _validity(validity: Validity) -> str:
    if validity.exact:
        return ""
    due = _limits(validity.due_compute, validity.due_time)
    stop = _limits(validity.stop_compute, validity.stop_time)
    return f"up to {due}" if stop == due else f"up to {due}, and with a run pending up to {stop}"


def _limits(compute: Fraction | None, time: int | None) -> str:
    parts = []
    if compute is not None and compute < _BEYOND:
        parts.append(f"{show_number(compute)}x effective compute")
    if time is not None:
        parts.append(show_duration(time))
    return " or ".join(parts) or "any compute and any age"


def _resumption(kernel: Kernel, item: Commitment, parts: Sequence[Condition], *, promised: bool) -> str:
    match item.until:
        case Constant(proven=False):
            return "nothing ends it" if item.declared_stop else "nothing is written"
        case _ if not parts and promised:
            return "nothing but what somebody says (see the ways out)"
        case _:
            return "; or ".join(condition_words(kernel, part) for part in parts)


def _exception(kernel: Kernel, item: Exception_) -> str:
    return (
        f"the exception {item.id}: if {condition_words(kernel, item.when)}, and {condition_words(kernel, item.until)}"
    )


def _obligation(item: Obligation) -> tuple[str, ...]:
    if item.every is not None:
        clock, starts = f"every {show_duration(item.every)}", "the day it binds from"
    else:
        clock = f"within {show_duration(item.within or 0)}"
        starts = listed(map(_event, item.starts), "or")
    return (item.does, clock, starts, _event(item.met), _BINDS[item.modality])


def _event(event: EventName) -> str:
    return f"{event.predicate}, stated by the {event.role}"


def _practice(item: Declared) -> tuple[str, ...]:
    return (item.says, item.number or "none", _BINDS[item.modality])


def _origin(kernel: Kernel, section: str, item: Commitment) -> Provenance:
    return kernel.duties.provenance.get(f"{section}.{item.id}", Provenance())


# ---------------------------------------------------------------- markup


def _table(caption: str, heads: Sequence[str], groups: Sequence[_Group]) -> str:
    lines = ['<div class="scroll" tabindex="0" role="region" aria-label="' + html(caption) + '">', "<table>"]
    lines.append(f"<caption>{html(caption)}</caption>")
    cells = "".join(f'<th scope="col">{html(head)}</th>' for head in heads)
    lines.append(f"<thead><tr>{cells}</tr></thead>")
    for group in groups:
        lines.append("<tbody>")
        if len(groups) > 1:
            name = group.name or "about nothing in particular"
            lines.append(f'<tr><th scope="rowgroup" colspan="{len(heads)}">{html(name)}</th></tr>')
        lines += group.rows
        lines += [f'<tr><td class="note" colspan="{len(heads)}">{html(note)}</td></tr>' for note in group.notes]
        lines.append("</tbody>")
    return "\n".join((*lines, "</table>", "</div>"))


def _row(column: Column, cells: Iterable[str], origin: Provenance | None = None) -> str:
    found = "".join(f"<td>{html(cell)}</td>" for cell in cells)
    if origin is not None:
        source = f"{origin.source or 'no source'}, {_READ[origin.read]}"
        found += f'<td class="{origin.read}">{html(source)}</td>'
    return f'<tr><th scope="row">{html(column.title)}</th>{found}</tr>'


def _sources(columns: Sequence[Column]) -> Iterator[str]:
    rows = [
        _row(column, (item.key, item.title, item.date or "no date", item.document, item.pages or "not stated"))
        for column in columns
        for item in column.kernel.duties.sources.values()
    ]
    heads = ("Text", "Key", "Document", "Date", "Where it is found", "What of it was read")
    yield _table("What the encodings rest on", heads, [_Group("", rows, ())])


def _footer(columns: Sequence[Column]) -> Iterator[str]:
    yield "<h2>What was compared</h2>"
    yield "<ul>"
    for column in columns:
        kernel = column.kernel
        yield f"<li>{html(f'{kernel.id}, version {kernel.version}')}: <code>{html(kernel.digest)}</code></li>"
    yield "</ul>"
