"""Small policies for tests of lint, out of the base that the rules' pages share."""

from scalegate.lint.registry import BY_ID
from scalegate.lint.run import Judged, Report, lint, subject_of
from tests.lint.pages import completed


def report(fragment: str, *rules: str, file: str = "policy.yaml") -> Report:
    """What rules find in a fragment that the base completes."""
    return lint(subject_of(completed(fragment), file), [BY_ID[name] for name in rules])


def judged(fragment: str, *rules: str) -> tuple[Judged, ...]:
    """The findings of rules on such a fragment."""
    return report(fragment, *rules).judged


def messages(fragment: str, *rules: str) -> list[str]:
    """What those findings say."""
    return [item.diagnostic.message for item in judged(fragment, *rules)]


def line(shown: str, resume: str = "deception < 10%") -> str:
    """One commitment, by its two conditions."""
    return (
        "commitments:\n  line:\n    hold: [train, deploy]\n"
        f"    unless shown: {shown}\n    once crossed, resume only if shown: {resume}\n"
    )
