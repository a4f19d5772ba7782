"""YAML text to plain nodes that know where they stand.

ruamel.yaml contributes its event stream and nothing else: no constructor, no resolver, no composer.
Events come one at a time, so that depth, number and kind of nodes are checked before anything is
built, without recursion. Every scalar is plain text: `version: 1.20` stays `1.20`, `no` stays `no`.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from scalegate.core.diagnostic import Span
from scalegate.policy.diagnose import Findings, quote

MAX_SIZE = 1 << 20
MAX_DEPTH = 32
MAX_SCALAR = 4096
MAX_NODES = 20_000
MAX_LINES = 20_000
MAX_HIDDEN = 20

# Characters a reader cannot see, or that show text in another order than it is read in: controls,
# separators of lines that editors disagree about, joiners, bidirectional controls, tags, and what
# is no character at all.
_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_NAMED = {
    "\t": ("a tab", "write spaces"),
    "\r": ("a carriage return without a line feed", "end lines with a line feed"),
    "\x00": ("a NUL character", "remove it"),
    "\ufeff": ("a byte order mark", "save the file as UTF-8 without byte order mark"),
}
_BEYOND = re.compile(r"\\U(?!0010)(?!000)[0-9A-Fa-f]{8}")
_ESCAPES = {"x": 2, "u": 4, "U": 8}


class Text:
    """A source text with its lines, for turning offsets into places."""

    def __init__(self, text: str, file: str) -> None:
        """Index the lines."""
        self.text = text
        self.file = file
        self.lines = text.split("\n")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1."""
        line = min(bisect.bisect_right(self._starts, offset), len(self.lines))
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets, the end exclusive."""
        start, end = (min(offset, len(self.text)) for offset in (start, end))
        return Span(self.file, *self.place(start), *self.place(max(start, end)))


class Scalar(NamedTuple):
    """A plain text value. `start` and `end` are offsets of what was written, quotes included."""

    text: str
    source: Text
    start: int
    end: int
    style: str

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.source.span(self.start, self.end)

    def at(self, start: int, end: int) -> Span:
        """Return the span of `text[start:end]`, exact in the file for every way of writing a scalar.

        An empty stretch is one column wide and stands behind the last character before it.
        """
        places = _places(self)
        if start >= end:
            after = places[start - 1] + 1 if start else (places[0] if places else self.start)
            return self.source.span(after, after + 1)
        return self.source.span(places[start], places[end - 1] + 1)


class Entry(NamedTuple):
    """A key with its value."""

    key: Scalar
    value: Node


class Table(NamedTuple):
    """A mapping, in the order it is written in, without repeated keys."""

    entries: tuple[Entry, ...]
    source: Text
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.source.span(self.start, self.end)


class Listing(NamedTuple):
    """A sequence."""

    items: tuple[Node, ...]
    source: Text
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.source.span(self.start, self.end)


Node: TypeAlias = Scalar | Table | Listing
_Opening: TypeAlias = ScalarEvent | MappingStartEvent | SequenceStartEvent


def _units(scalar: Scalar) -> Iterator[tuple[str, int]]:
    """Yield the characters that were written in a scalar, unescaped, each with its offset."""
    text, index, end = scalar.source.text, scalar.start, scalar.end
    if scalar.style in {"'", '"'}:
        index, end = index + 1, end - 1
    elif scalar.style in {"|", ">"}:  # the header and its comment are not content
        index = text.find("\n", index, end) + 1 or end
    while index < end:
        char, width = text[index], 1
        if scalar.style == "'" and text.startswith("''", index):
            width = 2
        elif scalar.style == '"' and char == "\\" and index + 1 < end:
            letter = text[index + 1]
            digits = _ESCAPES.get(letter, 0)
            width = 2 + digits
            # A placeholder will do: only the number of visible characters matters to `_places`.
            char = " " if letter in "\n\t ntrvfbae0NLP" else letter
            if digits:
                char = chr(int(text[index + 2 : index + width], 16))
            elif letter == "_":
                char = "\u00a0"
        yield char, index
        index += width


def _places(scalar: Scalar) -> list[int]:
    """Return the offset in the file of every character of the scalar's text.

    Folding and indentation change white space only: the n-th visible character of the text is the
    n-th visible character of what was written.
    """
    text = scalar.text
    if scalar.end - scalar.start == len(text) and not scalar.style:
        return list(range(scalar.start, scalar.end))
    written = [offset for char, offset in _units(scalar) if not char.isspace()]
    places: list[int] = []
    count = 0
    last = scalar.start
    for char in text:
        if not char.isspace() and count < len(written):
            last = written[count]
            count += 1
            places.append(last)
        else:
            places.append(places[-1] + 1 if places and places[-1] == last else last)
    return places


def decode(data: bytes, file: str, findings: Findings) -> str | None:
    """Return the text of UTF-8 bytes; None, with a finding, for bytes that are none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        wide = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
        findings.error(
            "P101",
            "this is not UTF-8 text",
            Span(file, line, column, line, column + 1),
            cause=f"byte 0x{data[error.start]:02x} at offset {error.start} starts no character",
            help="save the file as UTF-8, not UTF-16" if wide else "save the file as UTF-8",
        )
        return None


def read_source(text: str, file: str, findings: Findings) -> Node | None:
    """Return the one node of a YAML text; None, with findings, when it cannot be read.

    Args:
        text: the policy text; CRLF line ends are read as LF.
        file: its name, for spans.
        findings: receives what is wrong.
    """
    long = text.count("\n") > MAX_LINES
    if long or len(text) > MAX_SIZE or len(text.encode("utf-8", "surrogatepass")) > MAX_SIZE:
        findings.error(
            "P102",
            f"the text has more than {MAX_LINES} lines" if long else "the text is larger than 1 MiB",
            Span(file, 1, 1, 1, 1),
            help="a policy that people can read is a few hundred lines long",
        )
        return None
    source = Text(text.replace("\r\n", "\n"), file)
    findings.open_text(file, source.lines)
    if not clean(source, findings):
        return None
    builder = _Builder(source, findings)
    try:
        builder.read()
    except MarkedYAMLError as error:
        _not_yaml(error, source, findings)
        return None
    except (YAMLError, ValueError, OverflowError):  # such as the escape "\UFFFFFFFF"
        escape = _BEYOND.search(source.text)
        start, end = escape.span() if escape else (0, 0)
        message = "this is not YAML: an escape names no character"
        findings.error("P104", message, source.span(start, end))
        return None
    if builder.stopped:
        return None
    if builder.root is None:
        findings.error("P202", "the file is empty", source.span(0, 0), help=_FIRST_KEY)
    return builder.root


_FIRST_KEY = "a policy starts with `scalegate: policy/v1`"


def clean(source: Text, findings: Findings) -> bool:
    """Tell whether a text shows every character it has, with a finding for each it hides."""
    found = True
    for match in itertools.islice(_FORBIDDEN.finditer(source.text), MAX_HIDDEN):
        char = match.group()
        name, remedy = _NAMED.get(char, ("an invisible character", "remove it"))
        findings.error(
            "P103",
            f"{name} (U+{ord(char):04X})",
            source.span(match.start(), match.end()),
            cause="what readers see has to be what the gate reads",
            help=remedy,
        )
        found = False
    return found


def _not_yaml(error: MarkedYAMLError, source: Text, findings: Findings) -> None:
    # An unclosed quote is noticed at the end of the file, and belongs to where it was opened.
    unclosed = "end of stream" in str(error.problem) and error.context_mark is not None
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    offset = min(mark.index, len(source.text)) if mark else 0
    problem = " ".join(str(error.problem or error.context or "it cannot be read").split())
    problem = problem.replace("('", "'").replace("',)", "'")
    if "expected '<document start>'" in problem:
        problem = "something follows the end of the policy"
    context = ""
    if error.problem and error.context:
        where = error.context_mark
        line = f" that starts on line {where.line + 1}" if where is not None else ""
        context = " ".join(str(error.context).split()) + line
    remedy = ""
    if "mapping values are not allowed" in problem:
        remedy = "put a text that contains `: ` in quotes, and check the indentation"
    elif "expected" in problem or "block" in problem:
        remedy = "check the indentation, and that every bracket and quote is closed"
    elif "cannot start any token" in problem:
        remedy = "put the text in quotes"
    findings.error(
        "P104",
        f"this is not YAML: {problem.replace(chr(39), '`')}",
        source.span(offset, offset + 1),
        cause=context,
        help=remedy,
    )


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


class _Frame:
    """A mapping or sequence whose end has not come yet."""

    __slots__ = ("flow", "items", "start", "table")

    def __init__(self, start: int, *, table: bool, flow: bool) -> None:
        self.start = start
        self.table = table
        self.flow = flow
        self.items: list[Node] = []


class _Builder:
    """Builds nodes from events, without recursion."""

    def __init__(self, source: Text, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.root: Node | None = None
        self.stopped = False
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def read(self) -> None:
        """Consume the events until the end or until something stops the reading."""
        # ruamel.yaml's events carry marks and untyped attributes.
        for event in YAML(typ="safe", pure=True).parse(self.source.text):
            self._take(event)
            if self.stopped:
                return

    def _stop(self, code: str, message: str, start: int, end: int, remedy: str) -> None:
        self.findings.error(code, message, self.source.span(start, end), help=remedy)
        self.stopped = True

    def _take(self, event: Event) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop("P109", "a second document starts", start, end, "one file, one policy")
            elif event.version or event.tags:
                remedy = "remove the lines that start with `%`"
                self._stop("P109", "a policy takes no YAML directives", 0, 1, remedy)
        elif isinstance(event, AliasEvent):
            message = f"a policy has no aliases such as {quote('*' + str(event.anchor))}"
            self._stop("P105", message, start, end, "write the text out where it applies")
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close(end)
        elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
            self._admit(event, start, end)
            if not self.stopped:
                self._open(event, start, end)

    def _admit(self, event: _Opening, start: int, end: int) -> None:
        self.nodes += 1
        if event.anchor is not None:
            message = f"a policy has no anchors such as {quote('&' + str(event.anchor))}"
            self._stop("P105", message, start, end, "write the text out where it applies")
        elif event.tag is not None:
            remedy = "remove it: every value of a policy is plain text"
            message = f"a policy has no tags such as {quote(_tag(str(event.tag)))}"
            self._stop("P106", message, start, end, remedy)
        elif len(self.stack) >= MAX_DEPTH and not isinstance(event, ScalarEvent):
            remedy = "no policy needs more than six"
            self._stop("P110", f"nested deeper than {MAX_DEPTH} levels", start, start + 1, remedy)
        elif self.nodes > MAX_NODES:
            remedy = "a policy that people can read has a few hundred"
            self._stop("P113", f"more than {MAX_NODES} values", start, end, remedy)

    def _open(self, event: _Opening, start: int, end: int) -> None:
        if not isinstance(event, ScalarEvent):
            table = isinstance(event, MappingStartEvent)
            self.stack.append(_Frame(start, table=table, flow=bool(event.flow_style)))
            return
        text = str(event.value)
        if not text and not event.style and self.stack and len(self.stack[-1].items) % 2:
            # Nothing after a colon: ruamel.yaml places it where the next token stands.
            start = end = self._after_colon(start)
        scalar = Scalar(text, self.source, start, end, str(event.style or ""))
        hidden = _FORBIDDEN.search(text.replace("\n", " "))
        if hidden is not None:
            name = f"an invisible character (U+{ord(hidden.group()):04X}), written as an escape"
            self._stop("P103", name, start, end, "remove it")
        elif len(text) > MAX_SCALAR:
            message = f"a value of {len(text)} characters"
            self._stop("P111", message, start, end, f"shorten it to {MAX_SCALAR} characters")
        else:
            self._put(scalar)

    def _after_colon(self, limit: int) -> int:
        key = self.stack[-1].items[-1]
        colon = self.source.text.find(":", key.end, limit)
        return limit if colon < 0 or not self.stack[-1].table else colon + 1

    def _close(self, end: int) -> None:
        frame = self.stack.pop()
        if not frame.flow:  # a block ends where the next token starts, which may be lines below
            end = frame.items[-1].end if frame.items else frame.start
        if frame.table:
            self._put(Table(self._entries(frame), self.source, frame.start, end))
        else:
            self._put(Listing(tuple(frame.items), self.source, frame.start, end))

    def _entries(self, frame: _Frame) -> tuple[Entry, ...]:
        entries: dict[str, Entry] = {}
        pairs = zip(frame.items[::2], frame.items[1::2], strict=True)
        for key, value in pairs:
            if not isinstance(key, Scalar) or not key.text.strip():
                remedy = "write a word before the colon"
                self.findings.error("P112", "a key has to be a text", key.span, help=remedy)
            elif key.text == "<<" and not key.style:
                remedy = "write the text out where it applies"
                self.findings.error("P105", "a policy has no merge keys `<<`", key.span, help=remedy)
            elif key.text in entries:
                first = entries[key.text].key.span.line
                self.findings.error(
                    "P108",
                    f"the key {quote(key.text)} is written twice",
                    key.span,
                    cause=f"it was first written on line {first}; only one of them could count",
                    help="keep one of them",
                )
            else:
                entries[key.text] = Entry(key, value)
        return tuple(entries.values())

    def _put(self, node: Node) -> None:
        if self.stack:
            self.stack[-1].items.append(node)
        else:
            self.root = node
