"""Small policies, regimes and encodings with duties, and what tests ask of them."""

from fractions import Fraction

from scalegate.core import terms
from scalegate.core.kernel import Compare, Kernel, Not
from scalegate.policy import load

HEX = "ab" * 32
HEAD = """scalegate: policy/v1
id: acme-rsp
version: "1"
issuer: acme
effective: 2026-01-01
"""
ROLES = "roles: {developer: {}, auditor: {independent of: [developer]}, regulator: {}}\n"
BIO = f"  bio: {{kind: capability, test: bank@sha256:{HEX}, score: success rate}}\n"
REPORT = """obligations:
  report:
    does: report a critical   incident
    within: 72 hours
    from: [incident-believed by developer, incident-found by auditor]
    met when: incident-reported by regulator
    about: [incident-clock]
  review:
    does: publish a review
    every: 3 months
    met when: review-published by auditor
"""
SOURCES = "kind: reference\nsources: {text: {title: A Framework, date: 2025-10, document: f.pdf, pages: 1-9}}\n"
INSIGHT = "  insight: {kind: understanding, hole: not said, filled only by: [auditor, regulator]}\n"


REGIME = f"""kind: regime
binds: every developer
legal text: {{title: An Act, version: 2026, in force: 2026-07-01, jurisdiction: us-ca, text: act@sha256:{HEX}}}
mandates:
  roles:
    auditor: {{independent of: [developer, sponsor], quorum: 2}}
    board: {{}}
"""


def policy(
    unless: str = "bio <= 20%", *, extra: str = "", evaluations: str = BIO, entry: str = "", end: str = ""
) -> str:
    """A policy of one commitment that nothing resumes."""
    return (
        f"{HEAD}{extra}{ROLES}evaluations:\n{evaluations}"
        f"commitments:\n  stop:\n    hold: train\n    unless shown: {unless}\n    once crossed: never\n{entry}{end}"
    )


def encoding(
    unless: str = "bio <= 20%", *, bio: str = "concept: novice-uplift", extra: str = "", entry: str = "", end: str = ""
) -> str:
    evaluations = f"  bio: {{kind: capability, {bio}}}\n{INSIGHT}"
    return policy(unless, extra=SOURCES + extra, evaluations=evaluations, entry=entry, end=end)


def shown(text: str) -> tuple[Kernel, object]:
    """The kernel of a policy, and what its commitment wants shown."""
    kernel = load(text)
    when = kernel.commitments[0].when
    assert isinstance(when, Not)
    return kernel, when.part


def leaf(text: str) -> tuple[terms.Term, bool, bool, Fraction]:
    """The one comparison that a policy wants shown."""
    kernel, found = shown(text)
    assert isinstance(found, Compare)
    return kernel.terms[found.term], found.above, found.edge, Fraction(found.num, found.den)


def section(text: str, heading: str) -> str:
    return " ".join(text.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0].split())
