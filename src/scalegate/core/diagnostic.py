"""Diagnostics: the one currency in which every part of scalegate reports what is wrong with an input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a source text; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """Return `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about an input: what, where, why, and what would repair it.

    Attributes:
        code: stable identifier such as `P104`.
        severity: `error` refuses the input.
        message: one sentence, lower-case, no final period, user text in backticks; stands alone.
        span: where, or None for an input without positions.
        cause: why it is wrong (may be empty).
        help: what would repair it, computed from the input (may be empty).
        excerpt: the source line the span starts on (may be empty).
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    cause: str = ""
    help: str = ""
    excerpt: str = field(default="", compare=False)


class DiagnosticError(Exception):
    """An input that was refused, with every finding about it."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Keep the findings; the message is the first of them."""
        super().__init__(diagnostics[0].message if diagnostics else "refused")
        self.diagnostics = diagnostics
