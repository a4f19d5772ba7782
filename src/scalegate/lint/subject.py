"""The subject of a lint: a policy as kernel and as text, with places for whatever a rule points at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scalegate.core.diagnostic import Span
from scalegate.core.duties import Declared
from scalegate.core.kernel import Kernel
from scalegate.policy.source import Entry, Listing, Node, Scalar, Table, Text

# A declaration that says that there is nothing to declare: `none is required`, `no rule is stated`.
_DENIED = re.compile(
    r"\s*(?:(?:none|nothing|nobody|not|never)\b|no (?:longer|standard|rule|clause|number|\w+ (?:is|are|was))\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy that is read critically.

    Attributes:
        kernel: what it means.
        source: its text.
        root: its text as nodes, each of which knows where it stands.
        older: the version before it, where one is given.
    """

    kernel: Kernel
    source: Text
    root: Node
    older: Kernel | None = None

    @property
    def reference(self) -> bool:
        """Whether it encodes somebody else's words, and nothing of it is enforced."""
        return self.kernel.kind == "reference"

    @property
    def by_developer(self) -> bool:
        """Whether it is a developer's own promise, and neither a regime nor an encoded law."""
        kernel = self.kernel
        lawful = kernel.kind == "regime" or kernel.duties.law is not None or kernel.binds_every_developer
        return not lawful

    # ------------------------------------------------------------ places

    def entry(self, *path: str) -> Entry | None:
        """Return the entry at a path of keys; None where it is not written."""
        node: Node = self.root
        found: Entry | None = None
        for name in path:
            if not isinstance(node, Table):
                return None
            found = next((item for item in node.entries if item.key.text == name), None)
            if found is None:
                return None
            node = found.value
        return found

    def key(self, *path: str) -> Span:
        """Return where the key at a path stands, or the nearest key above it that is written; else the policy's id."""
        for end in range(len(path), 0, -1):
            found = self.entry(*path[:end])
            if found is not None:
                return found.key.span
        found = self.entry("id")
        return found.key.span if found is not None else self.kernel.span

    def value(self, *path: str) -> Span:
        """Return where the value at a path stands, if it is written on one line; else its key, as `key` does."""
        found = self.entry(*path)
        if found is None:
            return self.key(*path)
        span = found.value.span
        return span if span.line == span.end_line else found.key.span

    def scalars(self, *path: str) -> Iterator[Scalar]:
        """Yield every plain value below a path, without the keys."""
        if path:
            found = self.entry(*path)
            nodes: list[Node] = [] if found is None else [found.value]
        else:
            nodes = [self.root]
        while nodes:
            node = nodes.pop()
            match node:
                case Scalar():
                    yield node
                case Table(entries=entries):
                    nodes.extend(entry.value for entry in reversed(entries))
                case Listing(items=items):
                    nodes.extend(reversed(items))

    # ------------------------------------------------------------ what is declared, and what nobody read

    def practice(self, key: str) -> Declared | None:
        """Return the practice of this key, where it is declared, was read, and is not merely said to be absent."""
        found = self.kernel.duties.declares.get(key)
        if found is None or found.provenance.read == "unread" or _DENIED.match(found.says):
            return None
        return found

    def practice_span(self, key: str) -> Span:
        """Return where a declared practice stands."""
        return self.key("declares", key)

    def unread(self, *paths: str) -> bool:
        """Tell whether nobody read a part that any of these paths lies in.

        A path is `commitments`, the name of an action or an aspect, or `declares.KEY`, for which a bare key does too.
        """
        if not self.reference:
            return False
        duties = self.kernel.duties
        known = {_folded(item) for item in duties.unread}
        known |= {
            _folded(f"declares.{key}") for key, item in duties.declares.items() if item.provenance.read == "unread"
        }
        return any(spelling in known for path in paths for spelling in _spellings(path))


def _folded(path: str) -> str:
    return path.casefold().replace("-", " ").strip()


def _spellings(path: str) -> Iterator[str]:
    """Yield everything that would cover a path: itself, its key alone, and what it is part of."""
    folded = _folded(path)
    yield folded
    head, _, tail = folded.partition(".")
    if head in {"declares", "commitments", "obligations", "evaluations", "safeguards"}:
        yield head
        if tail:
            yield tail
