"""Running rules over a policy: which found something, which found nothing, and which could not be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from scalegate.core.diagnostic import Diagnostic
from scalegate.core.kernel import Kernel
from scalegate.lint.rule import Finding, Rule, beyond
from scalegate.lint.subject import Subject
from scalegate.lint.suppress import Suppression, comments
from scalegate.policy.diagnose import Findings
from scalegate.policy.load import load
from scalegate.policy.source import Text, read_source

Status = Literal["found", "clean", "unchecked"]
_LONGEST_EXCERPT = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding of a rule as a diagnostic.

    Attributes:
        diagnostic: what was found; its code is the rule's id.
        suppressed: the reason with which a comment silences it; empty where none does.
        unread: it says that nobody read the part that would answer.
    """

    diagnostic: Diagnostic
    suppressed: str = ""
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule came to.

    Attributes:
        rule: the rule.
        status: `found`, `clean`, or `unchecked`.
        reason: why it could not be checked; empty otherwise.
        judged: its findings, by position.
    """

    rule: Rule
    status: Status
    reason: str
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What lint came to on one file.

    Attributes:
        file: its name.
        judged: every finding, by position; of a file that is no policy, what is wrong with it.
        outcomes: what each rule came to; none for a file that is no policy.
        malformed: whether it is no policy.
    """

    file: str
    judged: tuple[Judged, ...]
    outcomes: tuple[Outcome, ...]
    malformed: bool = False

    def open(self, *severities: str) -> tuple[Diagnostic, ...]:
        """Return the findings of these severities that no comment silences."""
        return tuple(
            item.diagnostic for item in self.judged if not item.suppressed and item.diagnostic.severity in severities
        )

    @property
    def suppressed(self) -> tuple[Judged, ...]:
        """The findings that a comment silences."""
        return tuple(item for item in self.judged if item.suppressed)


def _place(item: Judged) -> tuple[object, ...]:
    found = item.diagnostic
    return (found.span, found.code, found.message)


def subject_of(text: str, file: str, older: Kernel | None = None) -> Subject:
    """Return a policy text as a subject of lint.

    Raises:
        DiagnosticError: if the text is no policy, with every error found.
    """
    kernel = load(text, file)
    findings = Findings()
    root = read_source(text, file, findings)
    if root is None:
        raise findings.refuse()
    return Subject(kernel, Text(text.replace("\r\n", "\n"), file), root, older)


def lint(subject: Subject, rules: Iterable[Rule]) -> Report:
    """Return what the rules find in a policy."""
    silenced = list(comments(subject))
    outcomes = tuple(_ask(rule, subject, silenced) for rule in rules)
    judged = sorted((item for outcome in outcomes for item in outcome.judged), key=_place)
    return Report(subject.source.file, tuple(judged), outcomes)


def refused(file: str, diagnostics: Iterable[Diagnostic]) -> Report:
    """Return the report on a file that is no policy."""
    return Report(file, tuple(map(Judged, diagnostics)), (), malformed=True)


def _ask(rule: Rule, subject: Subject, silenced: Sequence[Suppression]) -> Outcome:
    reason = beyond(rule, subject)
    if reason:
        return Outcome(rule, "unchecked", reason, ())
    seen: set[tuple[object, str]] = set()
    judged: list[Judged] = []
    for finding in rule.check(subject):
        if (finding.span, finding.message) not in seen:
            seen.add((finding.span, finding.message))
            judged.append(_judge(rule, subject, finding, silenced))
    judged.sort(key=_place)
    if not judged:
        return Outcome(rule, "clean", "", ())
    if all(item.unread for item in judged):
        return Outcome(rule, "unchecked", "the part that would answer it was not read", tuple(judged))
    return Outcome(rule, "found", "", tuple(judged))


def _judge(rule: Rule, subject: Subject, finding: Finding, silenced: Sequence[Suppression]) -> Judged:
    span = finding.span
    lines = subject.source.lines
    excerpt = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    diagnostic = Diagnostic(
        rule.id,
        finding.severity or rule.severity,
        finding.message,
        span,
        finding.cause,
        finding.help,
        excerpt if len(excerpt) <= _LONGEST_EXCERPT else "",
    )
    reasons = [
        item.reason
        for item in silenced
        if item.span.line == span.line and rule.id in item.rules and rule.id != "LEX-004"
    ]
    return Judged(diagnostic, next((reason for reason in reasons if reason), ""), finding.unread)
