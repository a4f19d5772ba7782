"""The text of a trust file, as words that know where they stand, and findings about it.

A trust file is UTF-8, its lines end with a line feed, and its words are separated by spaces and tabs, as in a C2SP
tlog-policy file. On the lines that tlog-policy has not, a word may stand in quotation marks and a comment may follow
the words. On those that it has, neither is allowed: another tool would read them as parts of names.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scalegate.core.diagnostic import Diagnostic, DiagnosticError, Span

MAX_TRUST = 1 << 16
MAX_FINDINGS = 100
_QUOTED_LENGTH = 60
_LONGEST_EXCERPT = 1_000
_MAX_SUGGESTED = 64
TLOG_KEYWORDS = ("log", "witness", "group", "quorum")
OUR_KEYWORDS = ("fresh", "include", "replaces", "key")

# Every code of a finding about a trust file, each with the rule that it stands for.
CODES = {
    "T100": "the list of findings was cut",
    "T101": "a trust file is UTF-8 text",
    "T102": "a trust file has at most 64 KiB",
    "T103": "a trust file shows every character it has: none is invisible or turns text around",
    "T104": "every line ends with a line feed",
    "T105": "quotation marks enclose a whole word",
    "T106": "a comment on a line of tlog-policy would be read as a name",
    "T201": "a line starts with a keyword",
    "T202": "a line has as many words as its keyword asks for",
    "T203": "a duration is a whole number and a unit, from one second to 366 days",
    "T204": "what a file says once is said once",
    "T205": "a log or a witness has a verifier key",
    "T206": "the key of a log or a witness is of a type for its function",
    "T207": "a role is letters, digits, hyphens and dots, and named once",
    "T208": "the key of a speaker is written as its algorithm, a colon and base64",
    "T209": "a name of a speaker is written in one way only",
    "T210": "a URL starts with https:// or http://",
    "T211": "a group asks for at least one of its members, and for at most all",
    "T212": "evidence of custody says something",
    "T213": "an older trust file is named by its digest, once",
    "T301": "a name stands for one thing, and no other name looks like it",
    "T302": "a name is defined on a line before it is used",
    "T303": "a name is a member of one group, once",
    "T304": "a public key stands on one line",
    "T305": "all keys of logs are of one log",
    "T306": "a trust file has a quorum",
    "T307": "a cosigner with several keys counts once",
    "T308": "a trust file has at most 64 log keys, 64 witnesses and 64 groups",
    "T309": "the key of the gate speaks for nobody else",
}

# A fixed list, so that every version of Python draws the same line: controls, spaces that are none of ours, joiners,
# fillers, variation selectors, what turns text around, tags, and halves of surrogate pairs. Tabs are separators.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line, without its quotation marks, and where it stands with them."""

    text: str
    span: Span
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line that says something: its keyword, and the words behind it."""

    keyword: Word
    words: tuple[Word, ...]

    @property
    def after(self) -> Span:
        """Where the next word would stand."""
        last = self.words[-1] if self.words else self.keyword
        end = last.span.end_column
        return Span(last.span.file, last.span.line, end, last.span.line, end + 1)


class Findings:
    """Collects what is wrong with a trust file, so that its author sees all of it at once."""

    def __init__(self, file: str) -> None:
        """Start without any."""
        self.file = file
        self.lines: list[str] = []
        self._found: list[Diagnostic] = []

    def error(self, code: str, message: str, span: Span, *, cause: str = "", help: str = "") -> None:  # noqa: A002 - the word of the diagnostic
        """Record what refuses the file."""
        excerpt = self.lines[span.line - 1] if span.line <= len(self.lines) else ""
        if len(excerpt) > _LONGEST_EXCERPT:
            excerpt = ""
        self._found.append(Diagnostic(code, "error", message, span, cause, help, excerpt))

    def at(self, line: int, column: int, length: int = 1) -> Span:
        """Return the span of some characters."""
        return Span(self.file, line, column, line, column + length)

    @property
    def full(self) -> bool:
        """Whether as many findings were recorded as are shown."""
        return len(self._found) >= MAX_FINDINGS

    def check(self) -> None:
        """Return if nothing was found.

        Raises:
            DiagnosticError: with all findings by position, the first hundred of them.
        """
        if not self._found:
            return
        found = sorted(self._found, key=lambda item: (item.span or self.at(1, 1), item.code, item.message))
        if self.full:
            last = Diagnostic("T100", "error", f"only the first {MAX_FINDINGS} findings are shown", found[-1].span)
            found[MAX_FINDINGS:] = [last]
        raise DiagnosticError(tuple(found))


def quote(text: str) -> str:
    """Return words of the author in backticks, shortened."""
    if len(text) > _QUOTED_LENGTH:
        text = text[: _QUOTED_LENGTH - 3] + "..."
    return "`" + text.replace("`", "'") + "`"


def suggestion(word: str, among: Iterable[str]) -> str:
    """Return a help sentence with the closest of some names, or with all of them, or an empty one if there are none."""
    # Imported only once something is wrong: every start of the gate would pay for it.
    import difflib  # noqa: PLC0415

    names = list(itertools.islice(among, _MAX_SUGGESTED))
    near = difflib.get_close_matches(word[:_QUOTED_LENGTH], names, n=1, cutoff=0.7)
    if near:
        return f"did you mean {quote(near[0])}?"
    return f"write one of {', '.join(map(quote, names[:8]))}" if names else ""


def read_text(data: str | bytes, findings: Findings) -> str:
    """Return the text of a trust file whose size and characters are right.

    Raises:
        DiagnosticError: for too many bytes, another encoding, hidden characters, or a line without its line feed.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > MAX_TRUST:
        findings.error("T102", f"a trust file has at most {MAX_TRUST} bytes, and this has {size}", findings.at(1, 1))
        findings.check()
    text = data if isinstance(data, str) else _decode(data, findings)
    findings.lines = text.split("\n")
    for number, line in enumerate(findings.lines, 1):
        for match in itertools.islice(_HIDDEN.finditer(line), MAX_FINDINGS):
            _hidden(match[0], findings, findings.at(number, match.start() + 1))
        if findings.full:
            break
    findings.check()
    if findings.lines[-1]:
        span = findings.at(len(findings.lines), len(findings.lines[-1]) + 1)
        cause = "a file that was cut off looks like this"
        findings.error("T104", "the last line does not end with a line feed", span, cause=cause, help="add one")
        findings.check()
    return text


def read_lines(text: str, findings: Findings) -> Iterator[Line]:
    """Yield the lines that say something; those that cannot be split into words are left out, and found."""
    for number, line in enumerate(text.split("\n"), 1):
        start = line.strip(_BLANKS)
        if not start or start.startswith("#"):
            continue
        is_tlog = re.split(r"[ \t]", start, maxsplit=1)[0] in TLOG_KEYWORDS
        words = (_plain_words if is_tlog else _our_words)(line, number, findings)
        if words:
            yield Line(words[0], tuple(words[1:]))


def _decode(data: bytes, findings: Findings) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        span = findings.at(before.count(b"\n") + 1, column)
        findings.error("T101", "the trust file is not UTF-8", span, help="save the file as UTF-8")
        findings.check()
        raise


def _hidden(char: str, findings: Findings, span: Span) -> None:
    if char == "\r":
        help_text = "end lines with a line feed alone, so that the file has one digest everywhere"
        findings.error("T104", "a carriage return stands in the line", span, help=help_text)
        return
    cause = "a reader cannot see it, or sees the text in another order than it is read in"
    findings.error("T103", f"the character U+{ord(char):04X} is hidden", span, cause=cause, help="remove it")


def _plain_words(line: str, number: int, findings: Findings) -> list[Word] | None:
    """Split a line of tlog-policy, whose words are whatever stands between blanks."""
    words = []
    for match in re.finditer(r"[^ \t]+", line):
        text, span = match[0], findings.at(number, match.start() + 1, len(match[0]))
        if text.startswith("#"):
            cause = "other tools that read tlog-policy take it for a name"
            findings.error("T106", "a comment follows the words", span, cause=cause, help="give it a line of its own")
            return None
        if '"' in text:
            cause = "other tools that read tlog-policy take it for a part of the name"
            remedy = "write a name without spaces and quotation marks"
            findings.error("T105", f"a quotation mark stands in {quote(text)}", span, cause=cause, help=remedy)
            return None
        words.append(Word(text, span))
    return words


def _our_words(line: str, number: int, findings: Findings) -> list[Word] | None:
    """Split another line, whose words may stand in quotation marks, up to a comment."""
    words: list[Word] = []
    for match in re.finditer(r'"([^"]*)"(?![^ \t])|[^ \t]+', line):
        text, span = match[0], findings.at(number, match.start() + 1, len(match[0]))
        if text.startswith("#"):
            break
        if match[1] is not None:
            words.append(Word(match[1], span, quoted=True))
        elif '"' in text:
            remedy = 'write "like this", with blanks around; there are no escapes'
            findings.error("T105", f"the quotation marks do not enclose the word {quote(text)}", span, help=remedy)
            return None
        else:
            words.append(Word(text, span))
    return words
