"""Suppressions: `# lint: ignore RULE: reason`, on the line of the finding and never without a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scalegate.core.diagnostic import Span
from scalegate.lint.subject import Subject
from scalegate.policy.source import Listing, Node, Scalar, Table

_COMMENT = re.compile(r"#\s*lint:\s*ignore\b\s*([^:#\n]*)(?::\s*(.*))?$")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that silences rules on its line.

    Attributes:
        rules: ids of rules.
        reason: why; empty where none is given, and then nothing is silenced.
        span: where the comment stands.
    """

    rules: tuple[str, ...]
    reason: str
    span: Span


def comments(subject: Subject) -> Iterator[Suppression]:
    """Yield every such comment of a policy; what stands inside a value is no comment."""
    source = subject.source
    inside = sorted(_stretches(subject.root))
    offset = 0
    for line in source.lines:
        hit = _COMMENT.search(line)
        if hit is not None and not any(start <= offset + hit.start() < end for start, end in inside):
            names = tuple(name.strip().upper() for name in hit.group(1).split(",") if name.strip())
            reason = (hit.group(2) or "").strip()
            yield Suppression(names, reason, source.span(offset + hit.start(), offset + hit.end()))
        offset += len(line) + 1


def _stretches(root: Node) -> Iterator[tuple[int, int]]:
    """Yield where keys and values stand that could hold a `#` of their own."""
    nodes: list[Node] = [root]
    while nodes:
        node = nodes.pop()
        match node:
            case Scalar():
                if "#" in node.text:
                    yield node.start, node.end
            case Table(entries=entries):
                for entry in entries:
                    nodes.append(entry.key)
                    nodes.append(entry.value)
            case Listing(items=items):
                nodes.extend(items)
