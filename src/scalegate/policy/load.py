"""A policy text to its kernel, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from scalegate.core.diagnostic import Diagnostic
from scalegate.core.kernel import Kernel
from scalegate.policy import tree as written
from scalegate.policy.conditions import read_condition
from scalegate.policy.diagnose import Findings
from scalegate.policy.expand import expand, fill_file
from scalegate.policy.parse import parse
from scalegate.policy.source import Scalar, Text, clean, decode, read_source


def load(text: str, file: str = "<policy>", fills: Mapping[str, str] | None = None) -> Kernel:
    """Return the kernel of a policy text.

    Args:
        text: the policy; its digest is that of this text in UTF-8, whatever fills its holes.
        file: its name, for spans.
        fills: the condition that fills a hole, by the hole's name; the hole of a capability is
            called `capability.NAME`. Spans of a fill name the file `<fill of NAME>`.

    Raises:
        DiagnosticError: with every error found, by position.
    """
    findings = Findings()
    found = _load(text, file, fills or {}, findings)
    if found is None or findings.failed:
        raise findings.refuse()
    return found


def load_bytes(data: bytes, file: str = "<policy>", fills: Mapping[str, str] | None = None) -> Kernel:
    """Return the kernel of the bytes of a policy file.

    Raises:
        DiagnosticError: with every error found, by position; also for bytes that are not UTF-8.
    """
    findings = Findings()
    text = decode(data, file, findings)
    if text is None:
        raise findings.refuse()
    return load(text, file, fills)


def check(text: str, file: str = "<policy>") -> tuple[Diagnostic, ...]:
    """Return errors and warnings about a policy text, by position; empty when there are none."""
    findings = Findings()
    _load(text, file, {}, findings)
    return findings.sorted()


def check_bytes(data: bytes, file: str = "<policy>") -> tuple[Diagnostic, ...]:
    """Return errors and warnings about the bytes of a policy file, by position."""
    findings = Findings()
    text = decode(data, file, findings)
    return findings.sorted() if text is None else check(text, file)


def read_tree(text: str, file: str, findings: Findings) -> written.Policy | None:
    """Return the policy tree of a text, before names are looked up.

    It is complete only as long as `findings` has no error.
    """
    node = read_source(text, file, findings)
    return None if node is None else parse(node, findings)


def _load(text: str, file: str, fills: Mapping[str, str], findings: Findings) -> Kernel | None:
    policy = read_tree(text, file, findings)
    if policy is None:
        return None
    phrases = {name: _fill(name, words, findings) for name, words in fills.items()}
    return expand(policy, text, phrases, findings)


def _fill(name: str, words: str, findings: Findings) -> written.Phrase | None:
    source = Text(words, fill_file(name))
    findings.open_text(source.file, source.lines)
    if not clean(source, findings):
        return None
    return read_condition(Scalar(words, source, 0, len(words), ""), findings)
