"""Reading the keys of a table: which are known, which are missing, and what shape each value has."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from scalegate.core.diagnostic import Span
from scalegate.policy.diagnose import Findings, quote, spoken, suggestion
from scalegate.policy.grammar import RESERVED
from scalegate.policy.source import Entry, Listing, Node, Scalar, Table
from scalegate.policy.tree import Name

Value = TypeVar("Value")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_MAX_NAME = 128


def shape(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Listing):
        return "a list"
    return "a text" if node.text else "nothing"


def as_text(node: Node, what: str, findings: Findings) -> Scalar | None:
    """Return a node that is text, and not blank."""
    if not isinstance(node, Scalar):
        message = f"{what} is {shape(node)}, where a text is meant"
        findings.error("P203", message, node.span)
        return None
    if not node.text.strip():
        findings.error("P204", f"{what} has no value", node.span)
        return None
    return node


def as_name(node: Node, what: str, findings: Findings) -> Name | None:
    """Return a node that is a name."""
    scalar = as_text(node, what, findings)
    if scalar is None or not is_name(scalar, what, findings):
        return None
    return Name(scalar.text, scalar.span)


def is_name(scalar: Scalar, what: str, findings: Findings) -> bool:
    """Tell whether a text is a name, with a finding when it is not."""
    text = scalar.text
    if text in RESERVED:
        message = f"{quote(text)} is a word of the language, and cannot be {what}"
        findings.error("P206", message, scalar.span, help=f"write something like `{text}-1`")
        return False
    if _NAME.fullmatch(text) and len(text) <= _MAX_NAME:
        return True
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", text).lstrip("-.0123456789").rstrip("-.")
    remedy = f"write something like {quote(plain)}" if 0 < len(plain) <= _MAX_NAME else ""
    if not text.isascii():
        cause, remedy = "letters that look alike are not alike", "write ASCII letters"
    elif len(text) > _MAX_NAME:
        cause = f"it is longer than {_MAX_NAME} characters"
    elif " " in text or "_" in text:
        cause = "names have no blanks and no underscores"
    else:
        cause = "names start with a letter"
    findings.error(
        "P206",
        f"{quote(text)} cannot be {what}: names are letters, digits, hyphens and dots",
        scalar.span,
        cause=cause,
        help=remedy,
    )
    return False


def as_items(node: Node, what: str, findings: Findings) -> Sequence[Node]:
    """Return the items of a list; a text alone stands for a list of one."""
    if isinstance(node, Listing):
        if not node.items:
            findings.error("P209", f"{what} is an empty list", node.span, help="name one, or remove it")
        return node.items
    if isinstance(node, Table):
        message = f"{what} is a mapping, where a list is meant"
        findings.error("P203", message, node.span, help="write `[a, b]`")
        return ()
    return (node,)


def unique(names: Sequence[Name], what: str, findings: Findings) -> None:
    """Report every name that a list repeats."""
    seen: set[str] = set()
    for name in names:
        if name.text in seen:
            findings.error("P209", f"{quote(name.text)} stands twice in {what}", name.span)
        seen.add(name.text)


def as_names(node: Node, what: str, findings: Findings) -> tuple[Name, ...]:
    """Return a list of different names; a name alone stands for a list of one."""
    items = [as_name(item, f"an item of {what}", findings) for item in as_items(node, what, findings)]
    names = tuple(item for item in items if item is not None)
    unique(names, what, findings)
    return names


def as_words(node: Node, what: str, findings: Findings) -> tuple[Name, ...]:
    """Return a list of different free texts; a text alone stands for a list of one."""
    items = [as_text(item, f"an item of {what}", findings) for item in as_items(node, what, findings)]
    words = tuple(Name(item.text, item.span) for item in items if item is not None)
    unique(words, what, findings)
    return words


def as_table(node: Node, what: str, findings: Findings) -> Table | None:
    """Return a node that is a mapping."""
    if isinstance(node, Table):
        return node
    if isinstance(node, Scalar) and not node.text.strip():
        findings.error("P204", f"{what} has no value", node.span, help="write its keys, or `{}`")
    else:
        findings.error("P203", f"{what} is {shape(node)}, where a mapping is meant", node.span)
    return None


class Fields:
    """The keys of one table, each read once; what nobody read is unknown."""

    def __init__(self, table: Table, what: str, known: Collection[str], findings: Findings) -> None:
        """Report the unknown keys.

        Args:
            table: the mapping.
            what: what it declares, as in "the evaluation `autonomy`".
            known: the keys it may have.
            findings: receives what is wrong.
        """
        self.what = what
        self.span = table.span
        self.findings = findings
        self._entries = {entry.key.text: entry for entry in table.entries}
        for key, entry in self._entries.items():
            if key not in known:
                findings.error(
                    "P201",
                    f"{what} has no key {quote(key)}",
                    entry.key.span,
                    help=suggestion(key, known, limit=30),
                )

    def __contains__(self, key: object) -> bool:
        """Tell whether a key is written."""
        return key in self._entries

    def entry(self, key: str) -> Entry | None:
        """Return a key with its value."""
        return self._entries.get(key)

    def node(self, key: str) -> Node | None:
        """Return the value of a key."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def key_span(self, key: str) -> Span:
        """Return where a key stands; where the table stands when the key is missing."""
        entry = self._entries.get(key)
        return self.span if entry is None else entry.key.span

    def need(self, key: str, place: Span, remedy: str = "") -> bool:
        """Tell whether a key is written; report it as missing at `place` when it is not."""
        if key in self._entries:
            return True
        self.findings.error("P202", f"{self.what} has no {quote(key)}", place, help=remedy)
        return False

    def text(self, key: str) -> Scalar | None:
        """Return the text of a key; None when it is not written or no text."""
        node = self.node(key)
        return None if node is None else as_text(node, quote(key), self.findings)

    def words(self, key: str) -> str | None:
        """Return the free text of a key on one line."""
        scalar = self.text(key)
        return None if scalar is None else " ".join(scalar.text.split())

    def name(self, key: str, what: str) -> Name | None:
        """Return the name a key holds."""
        node = self.node(key)
        if node is None or as_text(node, quote(key), self.findings) is None:
            return None
        return as_name(node, what, self.findings)

    def names(self, key: str) -> tuple[Name, ...]:
        """Return the names a key lists."""
        node = self.node(key)
        return () if node is None else as_names(node, quote(key), self.findings)

    def listed(self, key: str) -> tuple[str, ...]:
        """Return the free texts a key lists."""
        node = self.node(key)
        return () if node is None else tuple(word.text for word in as_words(node, quote(key), self.findings))

    def chosen(self, key: str, options: Sequence[str], code: str) -> tuple[str, ...]:
        """Return those of `options` that a key lists; another word is reported under `code`."""
        node = self.node(key)
        words = () if node is None else as_words(node, quote(key), self.findings)
        for word in words:
            if word.text not in options:
                self._refuse_choice(key, word.text, options, code, word.span)
        return tuple(word.text for word in words if word.text in options)

    def actions(self, key: str) -> tuple[Name, ...]:
        """Return the actions a key lists; `everything` is a word of the language, and one of them."""
        node = self.node(key)
        if node is None:
            return ()
        found: list[Name] = []
        for item in as_items(node, quote(key), self.findings):
            scalar = as_text(item, quote(key), self.findings)
            if scalar is None:
                continue
            if scalar.text == "everything" or is_name(scalar, "an action", self.findings):
                found.append(Name(scalar.text, scalar.span))
        unique(found, quote(key), self.findings)
        return tuple(found)

    def table(self, key: str) -> Table | None:
        """Return the mapping of a key."""
        node = self.node(key)
        return None if node is None else as_table(node, quote(key), self.findings)

    def read(self, key: str, reader: Callable[[Scalar, Findings], Value | None]) -> Value | None:
        """Return the value of a key as `reader` reads its text."""
        scalar = self.text(key)
        return None if scalar is None else reader(scalar, self.findings)

    def choice(self, key: str, options: Sequence[str]) -> str | None:
        """Return the one of `options` that a key holds."""
        scalar = self.text(key)
        if scalar is None:
            return None
        word = " ".join(scalar.text.split())
        if word in options:
            return word
        self._refuse_choice(key, word, options, "P205", scalar.span)
        return None

    def _refuse_choice(self, key: str, word: str, options: Sequence[str], code: str, span: Span) -> None:
        remedy = suggestion(word, options)
        if not remedy.startswith("did"):
            remedy = f"write {spoken(map(quote, options))}"
        self.findings.error(code, f"{quote(key)} cannot be {quote(word)}", span, help=remedy)

    def exclusive(self, key: str, others: Sequence[str], why: str) -> bool:
        """Report the first of `others` that is written beside `key`; tell whether there is none."""
        other = next((other for other in others if other in self._entries), None)
        if key not in self._entries or other is None:
            return True
        self.findings.error(
            "P207",
            f"{self.what} has both {quote(key)} and {quote(other)}",
            self.key_span(other),
            cause=why,
            help="keep one of them",
        )
        return False
