"""GOV-002: a change is announced before it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_SAME_DAY = re.compile(
    r"\b(?:on (?:or before )?(?:the|that|its) (?:day|date|effective)|same day|or on that day|0 days"
    r"|afterwards?|no notice)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find changes that apply on the day they are seen."""
    if subject.reference:
        declared = subject.practice("notice")
        if declared is None or declared.modality != "must":
            yield from binding(subject, "notice", "nothing says that a change is announced before it counts")
        elif _SAME_DAY.search(text_of(declared)):
            yield Finding(
                subject.practice_span("notice"), f"a change may count on the day it is seen: {quote(declared.says)}"
            )
    elif subject.kernel.amendments.notice <= 0:
        yield Finding(
            subject.key("amendments", "notice"),
            "a change that weakens this policy needs no notice",
            help="write `notice: 30 days`",
            severity="warning",
        )


RULE = Rule(
    id="GOV-002",
    name="no-notice",
    severity="error",
    summary="A change can take effect without having been announced before.",
    why="A change that is published on the day it applies can be criticized and not stopped.",
    fix="Write `amendments: {notice: 30 days}`.",
    check=check,
    whom="developer",
)
