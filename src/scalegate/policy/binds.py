"""Whom a regime binds, as a condition: by compute, by revenue, by place."""

from __future__ import annotations

from lark import Token, Tree

from scalegate.core.diagnostic import Span
from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings
from scalegate.policy.grammar import extent, read_phrase, span_of, token_span
from scalegate.policy.source import Scalar
from scalegate.policy.values import Quantity, as_flop, as_usd, quantity


def read_binds(scalar: Scalar, findings: Findings) -> written.Phrase | None:
    """Return whom `every developer above 1e26 FLOP with revenue above 5e8 USD in us-ca` binds, as a condition."""
    tree = read_phrase("binds", scalar, findings)
    if tree is None:
        return None
    found = [part for part in tree.children if isinstance(part, Tree)]
    spans = [scalar.span] if len(found) == 1 else [span_of(part, scalar) for part in found]
    parts = [_bound(part, scalar, span, findings) for part, span in zip(found, spans, strict=True)]
    read = tuple(part for part in parts if part is not None)
    if len(read) < len(parts):
        return None
    if not read:
        return written.Fixed(proven=True, span=scalar.span)
    return read[0] if len(read) == 1 else written.Both(read, scalar.span)


def _bound(tree: Tree[Token], scalar: Scalar, span: Span, findings: Findings) -> written.Phrase | None:
    """Return one of the things that a regime binds by: compute, revenue, or places."""
    if tree.data == "places":
        return _places(tree, scalar, span)
    part = tree.children[0]
    found: Quantity | None = quantity(part, scalar, findings) if isinstance(part, Tree) else None
    if found is None:
        return None
    start, end = extent(tree)
    words = " ".join(scalar.text[start:end].split())
    if tree.data == "reach":
        flop = as_flop(found, findings)
        text = f"effective compute {words}"
        return (
            None
            if flop is None
            else written.ComputeComparison(above=True, edge=False, value=flop, text=text, span=span)
        )
    money = as_usd(found, findings)
    text = words.removeprefix("with ")
    return None if money is None else written.MoneyComparison(above=True, edge=False, value=money, text=text, span=span)


def _places(tree: Tree[Token], scalar: Scalar, span: Span) -> written.Phrase:
    tokens = [token for token in tree.children if isinstance(token, Token)]
    parts: list[written.Phrase] = [
        written.OperatesIn(
            written.Name(str(token), token_span(token, scalar)),
            f"operates in {token}",
            span if len(tokens) == 1 else token_span(token, scalar),
        )
        for token in tokens
    ]
    return parts[0] if len(parts) == 1 else written.Either(tuple(parts), span)
