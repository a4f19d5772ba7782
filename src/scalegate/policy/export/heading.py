"""What stands at the top of every exported policy, and comments that end where they should."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from scalegate.core.kernel import Kernel
from scalegate.policy.gaps import not_covered, ways_out
from scalegate.policy.phrases import plain

_WIDTH = 110


def heading(kernel: Kernel, language: str) -> Iterator[str]:
    """Yield the lines above an exported policy: which one it is, what it leaves open first, and how it is used."""
    yield f"{kernel.kind} {plain(kernel.id)}, version {plain(kernel.version)}, of {plain(kernel.issuer)}, in {language}"
    yield f"made by `scalegate policy export` from {kernel.digest}; change that policy, not this file"
    yield ""
    yield "Permitted is what this file permits and every other policy that binds permits, too. The input is made from"
    yield "the log by scalegate, for one question at one time: one that is not as described, or was made for another"
    yield "action, another subject or another version of the policy, permits nothing."
    for title, items in (("Not covered", not_covered(kernel)), ("Ways out", ways_out(kernel))):
        if items:
            yield ""
            yield f"{title}:"
            yield from (f"- {item}" for item in items)


def comments(lines: Iterable[str], mark: str) -> list[str]:
    """Return lines as comments; none of them can hold the end of a comment, or pass for something else."""
    found = []
    for line in lines:
        words = "".join(letter if letter.isprintable() else " " for letter in line)
        indent = " " * (2 if words.startswith("- ") else 4)
        wrapped = textwrap.wrap(words, _WIDTH, subsequent_indent=indent, break_long_words=False) or [""]
        found += [f"{mark} {part}".rstrip() for part in wrapped]
    return found
