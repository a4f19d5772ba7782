"""DEP-003: what cannot be taken back needs more."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Commitment, Compare, Constant, Kernel
from scalegate.core.quantities import show_rate
from scalegate.core.terms import Hole
from scalegate.lint.conditions import ceilings, in_words, limit, safeguards, shown, terms
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_API, _WEIGHTS = "deploy.api", "release.weights"


def _laxer(subject: Subject, weights: list[Commitment], api: list[Commitment]) -> Iterator[Finding]:
    """Find values for weights that lie above those for the API."""
    kernel = subject.kernel
    lines: dict[str, Compare] = {}
    for item in api:
        for name, leaf in ceilings(kernel, shown(item)).items():
            if name not in lines or limit(leaf) < limit(lines[name]):
                lines[name] = leaf
    for item in weights:
        for name, leaf in ceilings(kernel, shown(item)).items():
            if name in lines and limit(leaf) > limit(lines[name]):
                yield Finding(
                    leaf.span,
                    f"{quote(item.id)} lets weights out at {show_rate(limit(leaf))} on {quote(name)}, "
                    f"where the API needs {show_rate(limit(lines[name]))}",
                    severity="error",
                )


def _stricter(kernel: Kernel, item: Commitment, api: list[Commitment]) -> bool:
    """Tell whether a commitment about weights asks for something that none about the API asks for."""
    if isinstance(shown(item), Constant) or isinstance(item.until, Constant):
        return True
    if any(isinstance(term, Hole) for _, term in terms(kernel, item.when, item.until)):
        return True
    asked: frozenset[str] = frozenset()
    lines: dict[str, Compare] = {}
    for other in api:
        asked |= safeguards(kernel, other.until)
        for name, leaf in ceilings(kernel, shown(other)).items():
            if name not in lines or limit(leaf) < limit(lines[name]):
                lines[name] = leaf
    if safeguards(kernel, item.until) - asked:
        return True
    own = {name: leaf for name, leaf in ceilings(kernel, shown(item)).items() if not in_words(kernel, leaf)}
    return any(name not in lines or limit(leaf) < limit(lines[name]) for name, leaf in own.items())


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies in which releasing weights takes no more than an API does."""
    kernel = subject.kernel
    api = [item for item in kernel.commitments if _API in item.actions]
    weights = [item for item in kernel.commitments if _WEIGHTS in item.actions and _API not in item.actions]
    yield from _laxer(subject, weights, api)
    if any(item.modality == "must" and _stricter(kernel, item, api) for item in weights):
        return
    if any(isinstance(shown(item), Constant) for item in api):
        return
    if subject.reference:
        declared = subject.practice("open weights")
        if declared is None and subject.unread("declares.open weights", _WEIGHTS, "commitments"):
            yield not_read(subject.key("commitments"), "release of weights")
            return
        span = subject.practice_span("open weights") if declared else subject.key("commitments")
        yield Finding(span, "releasing weights takes no more than an API does")
    elif api:
        yield Finding(
            api[0].span,
            "releasing weights takes no more than an API does",
            help="add a commitment that holds `release.weights` at a lower value, or `once crossed: never`",
            severity="warning",
        )


RULE = Rule(
    id="DEP-003",
    name="weights-not-stricter",
    severity="error",
    summary="The line for releasing weights is not stricter than the line for an API.",
    why=(
        "An API can be closed on the day something is found. Weights are out for good, with every safeguard removable."
    ),
    fix="Hold `release.weights` on its own, at a lower value or by `never`.",
    check=check,
)
