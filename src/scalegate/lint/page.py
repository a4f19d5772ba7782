"""Pages of rules: the part that the rule itself says, and the index. Tests compare both with what is in docs/rules."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from scalegate.lint.rule import FAMILIES, Rule

_WHOM = {
    "any": "every policy",
    "own": "policies that the gate enforces",
    "reference": "encodings of published texts; in a policy of your own the gate settles it",
    "developer": "policies and encodings of developers, and no law",
}


def head(rule: Rule) -> str:
    """Return the beginning of a rule's page."""
    asks = _WHOM[rule.whom] + (", beside an older version (`--since`)" if rule.compares else "")
    return (
        f"# {rule.id}: {rule.name}\n\n{_wrapped(rule.summary)}\n\n"
        f"Family: {rule.family}. Severity: {rule.severity}. Asks: {asks}.\n\n"
        f"## Why\n\n{_wrapped(rule.why)}\n\n"
        f"## How to fix\n\n{_wrapped(rule.fix)}\n"
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def index(rules: Iterable[Rule]) -> str:
    """Return the index of all pages."""
    found = list(rules)
    lines = [
        "# Rules of `policy lint`",
        "",
        f"{len(found)} rules, by family. A page says what its rule finds, why that matters and how to mend it;",
        "its examples are the rule's tests. `scalegate policy lint --explain RULE` says the same at a terminal.",
        "",
        "An *error* makes the command answer 1, a *warning* only with `--strict`, a *note* never. A practice that",
        "the gate does not enforce is a note in a policy of your own, whatever the table says: leaving it out",
        "changes no decision. In an encoding of a published text, what is missing where nobody read the text is a",
        "note, never a flag.",
        "",
        "A finding is silenced by `# lint: ignore RULE: REASON` on its line. It is counted and shown all the same.",
        "",
        "Examples are fragments, completed by [base-policy.yaml](base-policy.yaml), or where they say",
        "`kind: reference` by [base-reference.yaml](base-reference.yaml): entries of `roles`, `evaluations` and",
        "`safeguards` stand beside those of the base, every other block in the place of the base's. `# <-` marks",
        "the line that is flagged.",
    ]
    for prefix, family in FAMILIES.items():
        lines += ["", f"## {family.capitalize()}", "", "| rule | severity | what it finds |", "|---|---|---|"]
        lines += [
            f"| [{rule.id}]({rule.id}.md) {rule.name} | {rule.severity} | {rule.summary} |"
            for rule in found
            if rule.id.startswith(prefix)
        ]
    return "\n".join(lines) + "\n"
