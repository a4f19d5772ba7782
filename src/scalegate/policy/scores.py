"""Scores: what the tries of one item come to."""

from __future__ import annotations

from itertools import pairwise

from lark import Token

from scalegate.core.kernel import ScoreRule
from scalegate.policy.diagnose import Findings, quote
from scalegate.policy.grammar import read_phrase, token_span
from scalegate.policy.source import Scalar
from scalegate.policy.values import whole

_TRIES = frozenset({"tries", "try", "attempts"})


def read_score(scalar: Scalar, findings: Findings) -> ScoreRule | None:
    """Return the score rule `tasks solved in at least 1 of 10 tries`, `mean reward in 4 tries`, or plain words."""
    tree = read_phrase("score", scalar, findings)
    if tree is None:
        return None
    text = " ".join(scalar.text.split())
    tokens = [child for child in tree.children if isinstance(child, Token)]
    if tree.data == "mean":
        return _mean(text, tokens, scalar, findings)
    numbers = [token for token in tokens if token.type == "NUMBER"]
    if not numbers:
        return ScoreRule(text)
    least, tries = (whole(token, scalar, findings) for token in numbers)
    if least is None or tries is None:
        return None
    if not 0 < least <= tries:
        start, end = numbers[0].start_pos or 0, numbers[1].end_pos or 0
        message = f"{quote(scalar.text[start:end])} asks for nothing, or for more than there is"
        findings.error("P313", message, scalar.at(start, end))
        return None
    return ScoreRule(text, least, tries)


def _mean(text: str, tokens: list[Token], scalar: Scalar, findings: Findings) -> ScoreRule | None:
    """Return the rule of `mean reward in 4 tries`; the tries are 1 where none are written."""
    if tokens[0] != "mean":
        # Any other reading of a capital letter would count successes where an author speaks of a mean.
        message = f"{quote(str(tokens[0]))} is not expected here"
        remedy = "words of the language are lower-case: write `mean`"
        findings.error("P301", message, token_span(tokens[0], scalar), help=remedy)
        return None
    if tokens[-1].type == "NUMBER":
        tries = whole(tokens[-1], scalar, findings)
        if tries == 0:
            message = f"a mean of {quote(str(tokens[-1]))} tries asks for nothing"
            findings.error("P313", message, token_span(tokens[-1], scalar), help="write at least 1")
        return ScoreRule(text, tries=tries, mean=True) if tries else None
    for count, word in pairwise(tokens):
        if count.isdecimal() and word in _TRIES:
            # Read as mere words, they would ask for one try of every item.
            written = f"{count} {word}"
            findings.error(
                "P301",
                f"{quote(written)} is not expected here",
                scalar.at(count.start_pos or 0, word.end_pos or 0),
                cause="the tries of one item are written behind what is averaged",
                help=f"write something like {quote(f'mean reward in {written}')}",
            )
            return None
    return ScoreRule(text, mean=True)
