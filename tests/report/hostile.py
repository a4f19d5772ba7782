"""A policy whose names and words are written to break out of whatever shows them."""

from scalegate.core.diagnostic import Diagnostic, Span
from scalegate.lint.registry import BY_ID
from scalegate.lint.run import Judged, Outcome, Report, lint, refused, subject_of
from tests.lint.pages import completed

RULE = BY_ID["GOV-009"]
WORDS = '100%\r\n::error::owned##[group]<b>&"quoted" a,b:c \x1b[31m\u202e'


def of_words(words: str = WORDS, severity: str = "error", suppressed: str = "") -> Report:
    """A report with one finding that says these words everywhere."""
    found = Diagnostic(RULE.id, severity, words, Span("a,b:c%.yaml", 3, 5, 3, 9), words, words, words)
    judged = Judged(found, suppressed)
    return Report("a,b:c%.yaml", (judged,), (Outcome(RULE, "found", "", (judged,)),))


def real() -> Report:
    """A report on a policy with an error, a suppressed one, a note, and rules that cannot be asked."""
    text = completed(
        "stop orders: {by: developer}\npermits: {countersigned by: developer}  # lint: ignore GOV-009: no office yet\n"
        "declares:\n  approver: the board\n"
    )
    rules = [BY_ID[name] for name in ("GOV-009", "GOV-007", "RSP-009", "THR-001")]
    return lint(subject_of(text, "policies/acme rsp.yaml"), rules)


def broken() -> Report:
    """A report on a file that is no policy."""
    found = Diagnostic("P208", "error", "the first key is missing", Span("broken.yaml", 1, 1, 1, 2))
    return refused("broken.yaml", (found,))
