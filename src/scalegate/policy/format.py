"""The formatter: one layout for every policy text, with every comment and the order of keys kept.

It works on lines and tokens, never by writing a tree anew: a line keeps its words and changes its indentation
and spacing. Every top-level block is compared with what it was, in meaning and comments, and left alone where
that could change (block scalars, explicit keys).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.tokens import (
    BlockEndToken,
    BlockEntryToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    DocumentEndToken,
    DocumentStartToken,
    FlowEntryToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
    Token,
    ValueToken,
)

from scalegate.policy.diagnose import Findings
from scalegate.policy.source import Listing, Node, Scalar, Table, read_source

STEP = 2
COMMENT_GAP = "  "

_BLOCK_STARTS = (BlockMappingStartToken, BlockSequenceStartToken)
_FLOW_STARTS = (FlowMappingStartToken, FlowSequenceStartToken)
_FLOW_ENDS = (FlowMappingEndToken, FlowSequenceEndToken)
_COMMENT = re.compile(r"#[^\n]*")


def format_text(text: str, file: str = "<policy>") -> str:
    """Return a policy text in the one layout: the same meaning, keys in the same order, every comment.

    Two spaces per level, one space after `:`, `,` and `-`, two before a comment at the end of a line, an empty
    line around every top-level block of more than one line, none twice, none at the end. Formatting twice is
    formatting once.

    Raises:
        DiagnosticError: if the text is not the YAML that a policy is written in.
    """
    root = _read(text, file)
    text = text.replace("\r\n", "\n")
    result = _formatted(text)
    return result if _same(text, result, root) else text


@dataclass(slots=True)
class _Block:
    """A top-level key with its value, and the blank and comment lines up to the next key."""

    lines: list[str]
    gap: list[str]
    many: bool


def _formatted(text: str) -> str:
    lines = text.split("\n")
    starts = _top_level_lines(text)
    if not starts:
        return text
    result = _tidy_gap(lines[: starts[0]])
    while result and not result[0]:
        result.pop(0)
    gap: list[str] | None = None
    many = False
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        block = _format_block(lines[start:end])
        if gap is not None:
            result += _spaced(gap, apart=many or block.many)
        result += block.lines
        gap, many = block.gap, block.many
    result += gap or []
    while result and not result[-1]:
        result.pop()
    return "\n".join(result) + "\n"


def _spaced(gap: list[str], *, apart: bool) -> list[str]:
    """Put an empty line before a block and the comments that lead it."""
    leading = len(gap)
    while leading and gap[leading - 1]:
        leading -= 1
    return gap if leading or not apart else ["", *gap]


def _tidy_gap(lines: list[str]) -> list[str]:
    result: list[str] = []
    for line in lines:
        words = line.strip()
        if words or not result or result[-1]:
            result.append(words)
    return result


def _top_level_lines(text: str) -> list[int]:
    """Return the lines on which the keys of a top-level block mapping start; none for other texts."""
    depth = flow = 0
    starts = []
    for token in _tokens(text):
        if isinstance(token, DocumentStartToken | DocumentEndToken):
            return []
        depth += isinstance(token, _BLOCK_STARTS) - isinstance(token, BlockEndToken)
        flow += isinstance(token, _FLOW_STARTS) - isinstance(token, _FLOW_ENDS)
        if isinstance(token, KeyToken) and depth == 1 and not flow:
            starts.append(token.start_mark.line)
    return starts


def _format_block(lines: list[str]) -> _Block:
    """Lay out one top-level block, or leave it as it was where that might change it."""
    text = "\n".join(lines)
    tokens = _tokens(text)
    used = max(token.end_mark.line for token in tokens if _width(token)) + 1
    # Indented comments below the last value still belong to the block.
    while used < len(lines) and not lines[used].startswith("#"):
        used += 1
    while used > 1 and not lines[used - 1].strip():
        used -= 1
    gap = _tidy_gap(lines[used:])
    before = "\n".join(lines[:used]) + "\n"
    try:
        laid_out = _Layout(before).lines()
    except _UnfitError:
        return _Block(lines[:used], gap, many=used > 1)
    if not _same(before, "\n".join(laid_out) + "\n", _read(before, "")):
        return _Block(lines[:used], gap, many=used > 1)
    while laid_out[-1].startswith("#") or not laid_out[-1]:
        gap.insert(0, laid_out.pop())
    return _Block(laid_out, _tidy_gap(gap), many=len(laid_out) > 1)


# ---------------------------------------------------------------- sameness


def _read(text: str, file: str) -> Node:
    findings = Findings()
    root = read_source(text, file, findings)
    if root is None or findings.failed:
        raise findings.refuse()
    return root


def _same(before: str, after: str, root: Node) -> bool:
    """Whether two texts mean the same and carry the same comments."""
    findings = Findings()
    other = read_source(after, "", findings)
    if other is None or findings.failed:
        return False
    return _meaning(root) == _meaning(other) and _comments(before) == _comments(after)


def _meaning(node: Node) -> object:
    match node:
        case Scalar(text=text):
            return text
        case Listing(items=items):
            return [_meaning(item) for item in items]
        case Table(entries=entries):
            return [(entry.key.text, _meaning(entry.value)) for entry in entries]


def _comments(text: str) -> list[str]:
    found = []
    end = 0
    for token in [*_tokens(text), None]:
        start = len(text) if token is None else token.start_mark.index
        found += [comment.rstrip() for comment in _COMMENT.findall(text[end:start])]
        if token is not None:
            end = max(end, token.end_mark.index)
    return found


def _tokens(text: str) -> list[Token]:
    return list(YAML(typ="safe", pure=True).scan(text))


def _width(token: Token) -> int:
    return int(token.end_mark.index - token.start_mark.index)


# ---------------------------------------------------------------- layout


class _UnfitError(Exception):
    """A construct that cannot be laid out anew without risk to its meaning."""


@dataclass(slots=True)
class _Line:
    """A line of content: where it stood, where it goes, and the block levels open at its end."""

    column: int
    indent: int
    words: str = ""
    levels: list[tuple[int, int]] = field(default_factory=list)
    flow: bool = False
    last: int | None = None


class _Layout:
    """Lays out one top-level block.

    `levels` are the open block collections as (column in the text, indentation they get). A sequence may stand
    in the column of the key above it; it is a level all the same, and ends with the next key.
    """

    def __init__(self, text: str) -> None:
        self.source = text.split("\n")[:-1]
        self.levels: list[tuple[int, int]] = []
        self.kinds: list[type] = []
        self.flow = 0
        self.left = False
        self.content: dict[int, _Line] = {}
        for token in _tokens(text):
            self._take(token)

    def lines(self) -> list[str]:
        """Return the lines in their new layout."""
        result: list[str] = []
        previous: _Line | None = None
        for number, text in enumerate(self.source):
            line = self.content.get(number)
            if line is not None:
                comment = text[line.last :].strip() if line.last is not None else ""
                if comment and not comment.startswith("#"):
                    raise _UnfitError
                tail = f"{COMMENT_GAP}{comment}" if comment else ""
                result.append((" " * line.indent + line.words + tail).rstrip())
                previous = line
            elif text.strip():
                if not text.lstrip().startswith("#"):
                    raise _UnfitError
                column = len(text) - len(text.lstrip())
                result.append(" " * self._beside(number, column, previous) + text.strip())
            elif result and result[-1]:
                result.append("")
        return result

    def _beside(self, number: int, column: int, previous: _Line | None) -> int:
        """Return the indentation of a comment line: that of the next content, or of a level above."""
        after = next((self.content[key] for key in sorted(self.content) if key > number), None)
        next_column, next_indent = (after.column, after.indent) if after else (0, 0)
        if previous is not None and not previous.flow and not self.left:
            for level, indent in reversed(previous.levels):
                if next_column < level <= column:
                    return indent
        # Below the block a comment at the margin leads what follows, and so do those after it.
        self.left = after is None
        return next_indent

    def _take(self, token: Token) -> None:
        if isinstance(token, _BLOCK_STARTS):
            self._open(token.start_mark.column, type(token))
        elif isinstance(token, BlockEndToken):
            if self.kinds[-1] is BlockEntryToken:
                self._close()
            self._close()
        elif isinstance(token, KeyToken):
            if _width(token):
                raise _UnfitError
            if not self.flow and self.kinds[-1] is BlockEntryToken:
                self._close()
        elif _width(token):
            if isinstance(token, BlockEntryToken) and self.kinds[-1] is BlockMappingStartToken:
                self._open(token.start_mark.column, BlockEntryToken)
            self._place(token)

    def _open(self, column: int, kind: type) -> None:
        self.levels.append((column, STEP * len(self.levels)))
        self.kinds.append(kind)

    def _close(self) -> None:
        self.levels.pop()
        self.kinds.pop()

    def _place(self, token: Token) -> None:
        if isinstance(token, ScalarToken) and token.style in {"|", ">"}:
            raise _UnfitError
        number, column = token.start_mark.line, token.start_mark.column
        self.flow -= isinstance(token, _FLOW_ENDS)
        line = self.content.get(number)
        if line is None:
            line = _Line(column, self._indent(token))
            self.content[number] = line
        elif line.last is None:
            raise _UnfitError
        elif not _tight(line.words[-1:], token):
            line.words += " "
        self._write(token, line)
        self.flow += isinstance(token, _FLOW_STARTS)
        line = self.content[token.end_mark.line]
        line.levels, line.flow = list(self.levels), bool(self.flow)

    def _indent(self, token: Token) -> int:
        own = self.levels[-1][1]
        if self.flow or isinstance(token, _FLOW_ENDS):
            return own + STEP * self.flow
        if isinstance(token, ValueToken):
            raise _UnfitError
        starts_level = token.start_mark.column == self.levels[-1][0]
        return own if starts_level else own + STEP

    def _write(self, token: Token, line: _Line) -> None:
        """Write a token on its line; the further lines of a scalar are indented below it."""
        first, last = token.start_mark, token.end_mark
        if first.line == last.line:
            line.words += self.source[first.line][first.column : last.column]
            line.last = last.column
            return
        line.words += self.source[first.line][first.column :].rstrip()
        line.last = None
        indent = self.levels[-1][1] + STEP * (self.flow + 1)
        for number in range(first.line + 1, last.line + 1):
            text = self.source[number]
            stop = last.column if number == last.line else len(text)
            words = text[:stop].strip()
            column = len(text) - len(text.lstrip())
            ends = last.column if number == last.line else None
            self.content[number] = _Line(column, indent, words, list(self.levels), last=ends)


def _tight(before: str, token: Token) -> bool:
    """Whether nothing stands between the end of a line so far and the next token."""
    if isinstance(token, ValueToken | FlowEntryToken | FlowMappingEndToken | FlowSequenceEndToken):
        return True
    return before in {"{", "["}
