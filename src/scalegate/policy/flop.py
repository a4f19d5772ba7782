"""Computes in a policy: a plain one, and whom a regime binds."""

from __future__ import annotations

from lark import Tree

from scalegate.core.diagnostic import Span
from scalegate.policy.diagnose import Findings
from scalegate.policy.grammar import read_phrase
from scalegate.policy.source import Scalar
from scalegate.policy.values import as_flop, quantity


def read_flop(scalar: Scalar, findings: Findings) -> int | None:
    """Return a compute such as `4e25 FLOP`, in whole FLOP."""
    tree = read_phrase("quantity", scalar, findings)
    found = quantity(tree, scalar, findings) if tree else None
    return as_flop(found, findings) if found else None


def read_binds(scalar: Scalar, findings: Findings) -> tuple[int | None, Span] | None:
    """Return the FLOP above which `every developer above 1e25 FLOP` is bound; None for all."""
    tree = read_phrase("binds", scalar, findings)
    if tree is None:
        return None
    if not tree.children:
        return None, scalar.span
    part = tree.children[0]
    found = quantity(part, scalar, findings) if isinstance(part, Tree) else None
    flop = as_flop(found, findings) if found else None
    return None if flop is None else (flop, scalar.span)
