"""THR-004: what crosses a line is not left to an adjective."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.diagnostic import Span
from scalegate.core.terms import Attested
from scalegate.lint.conditions import measured, terms
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import VAGUE, spelled
from scalegate.policy.diagnose import quote


def _worded(subject: Subject) -> Iterator[tuple[Span, str]]:
    """Yield every wording that decides whether a line is crossed."""
    kernel = subject.kernel
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for leaf, term in terms(kernel, commitment.when):
            if isinstance(term, Attested):
                yield leaf.span, spelled(term.predicate)
        for _, evaluation in measured(kernel, commitment.when):
            if evaluation.id not in seen:
                seen.add(evaluation.id)
                key = "concept" if evaluation.concept else "score"
                words = spelled(evaluation.concept) or evaluation.score.text
                yield subject.value("evaluations", evaluation.id, key), words
    declared = subject.practice("thresholds")
    # In an encoding the number may be that of one threshold among several.
    if declared is not None and (subject.reference or not declared.number):
        yield subject.practice_span("thresholds"), declared.says


def check(subject: Subject) -> Iterator[Finding]:
    """Find adjectives that decide."""
    for span, words in _worded(subject):
        found = list(dict.fromkeys(hit.lower() for hit in re.findall(VAGUE, words)))
        if found:
            yield Finding(
                span, f"what crosses this line depends on what {quote(found[0])} means", cause=f"it says {quote(words)}"
            )


RULE = Rule(
    id="THR-004",
    name="vague-qualifier",
    severity="error",
    summary=(
        "An adjective such as significant, substantial or meaningful decides whether a line is crossed, undefined."
    ),
    why="Such a word sounds like a limit, and its meaning is settled by the same people who would have to stop.",
    fix="Say by how much, on which test, compared with what; or name the evaluation and put the number there.",
    check=check,
)
