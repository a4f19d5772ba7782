"""Refusals: every way in which a use case can decline, as one type that any mouth can render."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from scalegate.core.diagnostic import Diagnostic

RefusalKind = Literal["usage", "malformed", "refused", "inconclusive", "untrusted", "store", "internal"]


class RefusalError(Exception):
    """Something was not done, or not answered.

    Attributes:
        kind: `usage` and `malformed` blame the question or a file; `refused` says no; `inconclusive`
            cannot tell; `untrusted` distrusts what it was given; `store` and `internal` are failures.
        code: stable identifier such as `run-unregistered`.
        message: one sentence, lower-case, no final period, user text in backticks.
        hint: what to do next (may be empty).
        diagnostics: all findings, where a file is at fault.
    """

    def __init__(
        self,
        kind: RefusalKind,
        code: str,
        message: str,
        hint: str = "",
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        """Keep what there is to say."""
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
        self.diagnostics = diagnostics


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word closest to `word`, or all of a few known words."""
    # Imported only once something is wrong: every start of the gate would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    words = sorted(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not words:
        return ""
    shown = ", ".join(f"`{item}`" for item in words[:12])
    more = f", and {len(words) - 12} more" if len(words) > 12 else ""
    return f"known: {shown}{more}"
