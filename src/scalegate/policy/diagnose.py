"""Findings about a policy text: how they are collected, worded and shown.

Messages are lower-case sentences without a final period, with the author's own words in backticks
and one fact each; `help` is computed from the text. User text is hostile until it is quoted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from scalegate.core.diagnostic import Diagnostic, DiagnosticError, Severity, Span

MAX_FINDINGS = 100
QUOTED_LENGTH = 60
WINDOW = 100
LONGEST_EXCERPT = 1_000

# Every code this room can report, each with the rule it stands for.
CODES = {
    "P100": "the list of findings was cut",
    "P101": "a policy is UTF-8 text",
    "P102": "a policy has at most 1 MiB and 20,000 lines",
    "P103": "a policy shows every character it has: none is invisible or turns text around",
    "P104": "a policy is YAML",
    "P105": "a policy says everything where it applies: no anchors, no aliases, no merge keys",
    "P106": "a policy has no YAML tags: every value is plain text",
    "P108": "a key is written once",
    "P109": "a policy is one YAML document without directives",
    "P110": "a policy is nested at most 32 levels deep",
    "P111": "a value is at most 4096 characters long",
    "P112": "a key is plain text",
    "P113": "a policy has at most 20,000 values",
    "P201": "only keys of the language are written",
    "P202": "what a thing cannot be without is written",
    "P203": "a value has the shape its key asks for",
    "P204": "a key has a value",
    "P205": "a choice is one of the words on offer",
    "P206": "names are letters, digits, hyphens and dots, and no word of the language",
    "P207": "keys that exclude each other are not written together",
    "P208": "the first key says which language the file is written in",
    "P209": "a list names each item once, and at least one",
    "P210": "a shortfall of provenance is one that a result can be recorded with",
    "P211": "a declared practice is called by its standard key",
    "P301": "a phrase follows its grammar",
    "P302": "`and` and `or` are not mixed without parentheses",
    "P303": "a comparison has one name, one operator and one value, in this order",
    "P304": "a rate says that it is one",
    "P305": "a rate lies between 0% and 100%",
    "P306": "a value has the unit of what it is compared with",
    "P307": "an operator is one of `<=`, `>=`, `<` and `>`",
    "P308": "a number is readable and no larger than any real quantity",
    "P309": "a duration is a whole number of seconds, minutes, hours, days, weeks, months or years",
    "P310": "a date is a day of the calendar from 1970 on",
    "P311": "a condition is nested at most 32 parentheses deep",
    "P313": "a count asks for at least one, and for at most all there is",
    "P314": "`under every scaffold of the context` follows the comparison of an evaluation",
    "P315": "a pin is a name and its full SHA-256 digest",
    "P316": "a multiple of compute is more than 1x",
    "P317": "a bank has a size: a whole number of items, from 2 to 10,000,000",
    "P401": "a condition names evaluations and safeguards of this policy",
    "P402": "a role is declared under `roles`",
    "P403": "an action is one that exists",
    "P404": "an exception stands in for a commitment of this policy",
    "P405": "an evaluation is compared with a rate",
    "P406": "a hole or a safeguard stands alone, without a threshold",
    "P407": "only a hole of this policy can be filled",
    "P408": "a name means one thing",
    "P409": "`overdue` names an obligation of the same text",
    "P410": "`specified` names a hole of the same text",
    "P411": "the source of an entry is listed under `sources`",
    "P412": "what was not read is a part of the encoding",
    "P501": "there is no way around a hole",
    "P502": "the hard end comes no earlier than the due point",
    "P503": "a quorum can be met",
    "P504": "an exception has a floor",
    "P505": "an exception ends",
    "P506": "scope speaks of compute, revenue and places only",
    "P507": "a context names its scaffolds only where its users cannot bring their own",
    "P508": "evaluating, eliciting and studying are never held",
    "P509": "a role is independent of others, not of itself",
    "P510": "an error rate lies above 0 and below one half",
    "P511": "a hole is not filled by itself",
    "P512": "evidence has one rule for how long it holds",
    "P513": "a safeguard can be shown to fail",
    "P514": "only a regime binds other developers",
    "P515": "revenue and places stand in the scope, and nowhere else",
    "P516": "only an encoding of somebody else's words softens, cites or leaves a test unnamed",
    "P517": "an obligation has one clock, and something else that stops it",
    "P518": "laws and mandated roles stand in regimes, or in encodings of them",
    "W501": "a policy says from which scale on it binds",
    "W502": "a commitment that holds says what would end the hold, or that nothing does",
    "W503": "a feared capability has a test or a declared hole",
    "W504": "a test is pinned",
    "W505": "a safeguard is pinned, with the reason why it works",
    "W506": "somebody attests what makes a result believable",
    "W507": "a hole says who may fill it",
    "W508": "a capability evaluation says when it is due again",
    "W509": "a due date has a hard end behind it",
    "W510": "an exception never covers what cannot be undone",
    "W511": "a law is pinned, text and all",
    "W512": "every entry of an encoding has a source",
}


def visible(text: str) -> str:
    """Return `text` with U+FFFD for every character that is invisible or moves others."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def quote(text: str) -> str:
    """Return user text in backticks, on one line, shortened and harmless to a terminal."""
    flat = visible(" ".join(text.split(maxsplit=QUOTED_LENGTH)))
    if len(flat) > QUOTED_LENGTH:
        flat = flat[: QUOTED_LENGTH - 3] + "..."
    return "`" + flat.replace("`", "'") + "`"


def spoken(words: Iterable[str], last: str = "or") -> str:
    """Return already quoted words as `a, b or c`."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {last} {listed[-1]}"


def closest(word: str, among: Collection[str]) -> str | None:
    """Return the one of `among` that `word` was probably meant to be, or None."""
    if len(word) > QUOTED_LENGTH:
        return None
    # Imported only once something is wrong: every start of the gate would pay for it.
    import difflib  # noqa: PLC0415

    plain = word.lower().replace("_", "-")
    folded = {name.lower(): name for name in sorted(among, reverse=True)}
    found = difflib.get_close_matches(plain, sorted(folded), n=1, cutoff=0.7)
    return folded[found[0]] if found else None


def suggestion(word: str, among: Collection[str], *, limit: int = 12) -> str:
    """Return a help sentence: the closest of `among`, else the whole choice; empty without choice."""
    near = closest(word, among)
    if near is not None:
        return f"did you mean {quote(near)}?"
    if not among:
        return ""
    names = sorted(among)
    shown = [quote(name) for name in names[:limit]]
    if len(names) > limit:
        shown.append(f"{len(names) - limit} more")
    return f"there {'is' if len(names) == 1 else 'are'} {spoken(shown, 'and')}"


class Findings:
    """Collects findings about one or more texts, so that a reader sees all of them at once."""

    def __init__(self) -> None:
        """Start without any."""
        self._lines: dict[str, Sequence[str]] = {}
        self._found: list[Diagnostic] = []
        self._seen: set[tuple[str, Span]] = set()
        self._cut = 0
        self.failed = False

    def open_text(self, file: str, lines: Sequence[str]) -> None:
        """Make the lines of a text known, for excerpts."""
        self._lines[file] = lines

    def error(self, code: str, message: str, span: Span, *, cause: str = "", help: str = "") -> None:  # noqa: A002 - the word of the diagnostic
        """Record what refuses the text."""
        self.failed = True
        self._add(code, "error", message, span, cause, help)

    def warn(self, code: str, message: str, span: Span, *, cause: str = "", help: str = "") -> None:  # noqa: A002 - the word of the diagnostic
        """Record what the reader should know though the text is accepted."""
        self._add(code, "warning", message, span, cause, help)

    def _add(self, code: str, severity: Severity, message: str, span: Span, cause: str, remedy: str) -> None:
        if (code, span) in self._seen:
            return
        self._seen.add((code, span))
        if len(self._found) >= MAX_FINDINGS:
            self._cut += 1
            return
        lines = self._lines.get(span.file, ())
        excerpt = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
        if len(excerpt) > LONGEST_EXCERPT:  # a megabyte on one line helps nobody
            excerpt = ""
        self._found.append(Diagnostic(code, severity, message, span, cause, remedy, excerpt))

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return the findings by position."""
        found = sorted(self._found, key=lambda item: (item.span or Span("", 0, 0, 0, 0), item.code, item.message))
        if self._cut:
            severity: Severity = "error" if self.failed else "warning"
            message = f"{self._cut} more findings are not shown"
            found.append(Diagnostic("P100", severity, message, found[-1].span))
        return tuple(found)

    def refuse(self) -> DiagnosticError:
        """Return the error that carries all error findings."""
        return DiagnosticError(tuple(item for item in self.sorted() if item.severity == "error"))


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _frame(span: Span, excerpt: str) -> list[str]:
    """Return the excerpt with a caret under the span, windowed when the line is long."""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(excerpt)
    left = 0 if len(excerpt) <= WINDOW else max(0, min(start - WINDOW // 4, len(excerpt) - WINDOW))
    right = min(len(excerpt), left + WINDOW)
    line = visible(excerpt[left:right])
    before = "..." if left else ""
    after = "..." if right < len(excerpt) else ""
    pad = len(before) + sum(map(_width, line[: max(start - left, 0)]))
    carets = max(1, sum(map(_width, line[max(start - left, 0) : max(end - left, 0)])))
    gutter = " " * len(str(span.line))
    return [
        f"{gutter} |",
        f"{span.line} | {before}{line}{after}",
        f"{gutter} | {' ' * pad}{'^' * carets}",
    ]


def render(diagnostic: Diagnostic) -> str:
    """Return a diagnostic as plain text: one line that stands alone, the excerpt, cause and help."""
    place = f"{visible(str(diagnostic.span))}: " if diagnostic.span else ""
    lines = [f"{place}{diagnostic.severity} {diagnostic.code}: {diagnostic.message}"]
    gutter = "  "
    if diagnostic.span and diagnostic.excerpt:
        lines += _frame(diagnostic.span, diagnostic.excerpt)
        gutter = " " * (len(str(diagnostic.span.line)) + 1)
    if diagnostic.cause:
        lines.append(f"{gutter}= cause: {diagnostic.cause}")
    if diagnostic.help:
        lines.append(f"{gutter}= help: {diagnostic.help}")
    return "\n".join(lines) + "\n"
