"""GOV-008: a pause was paid for and rehearsed before it is needed."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing, own_severity
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_KEYS = ("pause financing", "drills")


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts whose pause nobody prepared for."""
    found = {key: subject.practice(key) for key in _KEYS}
    if any(item is not None and item.modality == "must" for item in found.values()):
        return
    weak = next((key for key, item in found.items() if item is not None), None)
    if weak is None:
        yield from missing(
            subject, "pause financing", "neither money nor a drill prepares for a pause", "declares.drills"
        )
    else:
        yield Finding(
            subject.practice_span(weak),
            f"{quote(weak)} is no duty, so that nothing has to prepare for a pause",
            severity=own_severity(subject),
        )


RULE = Rule(
    id="GOV-008",
    name="pause-unprepared",
    severity="warning",
    summary="Neither financing nor drills prepare for a pause.",
    why=(
        "A company that cannot afford to stop does not stop. One published text planned its finances for it; "
        "later ones dropped their drills."
    ),
    fix="Declare `pause financing` or `drills` as something that must happen.",
    check=check,
    whom="developer",
)
