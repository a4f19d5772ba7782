"""Declarations of the policy tree to those of the kernel: roles, evaluations, safeguards, holes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fractions import Fraction

from scalegate.core import actions, kernel
from scalegate.core.canonical import Plain, digest
from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.names import CAPABILITY, Names, role
from scalegate.policy.tree import Name

WRONGLY_CLEARED = Fraction(1, 1000)
WRONGLY_STOPPED = Fraction(1, 20)
NO_TEST = "no test covers this capability"

# Here users bring their own scaffolds, so that no list of them is ever complete.
_OPEN = frozenset({"deploy.api", "deploy.finetuning", "release.weights"})


class Declarations:
    """Converts what a policy declares, and warns of what it leaves blank."""

    def __init__(self, policy: written.Policy, names: Names, findings: Findings) -> None:
        """Keep what all conversions share."""
        self.policy = policy
        self.names = names
        self.findings = findings

    def roles_of(self, names: Iterable[Name]) -> tuple[str, ...]:
        """Return declared roles; unknown ones are reported."""
        found = [role(name, self.names, self.findings) for name in names]
        return tuple(name for name in found if name is not None)

    def _optional_role(self, name: Name | None) -> str | None:
        return None if name is None else role(name, self.names, self.findings)

    def role(self, item: written.RoleText) -> kernel.Role:
        """Return a role; it is not independent of itself."""
        for other in item.independent_of:
            if other.text == item.name.text:
                message = f"{quote(other.text)} is independent of itself"
                self.findings.error("P509", message, other.span, help="name the others")
        return kernel.Role(
            name=item.name.text,
            quorum=item.quorum,
            of=item.of,
            members=tuple(member.text for member in item.members),
            independent_of=self.roles_of(item.independent_of),
        )

    def evaluation(self, item: written.EvaluationText) -> kernel.Evaluation:
        """Return an evaluation."""
        kind = item.kind or "capability"
        score = item.score or kernel.ScoreRule("")
        validity = item.validity or kernel.Validity()
        self._warn_evaluation(item)
        return kernel.Evaluation(
            id=item.name.text,
            kind=kind,
            digest=_variable(item, kind, score),
            test=item.test.text if item.test else "",
            score=score,
            elicited_by=item.elicited_by,
            by=self._optional_role(item.by),
            wrongly_cleared=item.wrongly_cleared or WRONGLY_CLEARED,
            wrongly_stopped=item.wrongly_stopped or WRONGLY_STOPPED,
            validity=validity,
            beliefs=tuple(
                kernel.Belief(belief.claim, self._optional_role(belief.role), belief.expires, belief.span)
                for belief in item.beliefs
            ),
            hidden_capability=item.hidden_capability,
            shown_to_work=item.shown_to_work,
            accept_aggregate=item.accept_aggregate,
            accept_edited=item.accept_edited,
            refuse_provenance=item.refuse_provenance,
            hole=item.hole.words if item.hole else None,
            reach_issuer=item.reach_issuer,
            span=item.span,
            accept_earlier=item.accept_earlier,
            estimand=item.estimand,
            clustered_by=item.clustered_by,
            bank=item.bank,
            concept=item.concept.text if item.concept else "",
        )

    def _warn_evaluation(self, item: written.EvaluationText) -> None:
        name = quote(item.name.text)
        if item.test is not None and item.test.digest is None:
            self.findings.warn(
                "W504",
                f"the test of {name} is not pinned: it counts as a hole",
                item.test.span,
                cause="a name can be given to other items later",
                help="write `name@sha256:` and the 64 digits of its digest",
            )
        if item.test is not None and item.kind == "capability" and item.validity == kernel.Validity():
            self.findings.warn(
                "W508",
                f"the evaluation {name} does not say when it is due again",
                item.name.span,
                cause="its evidence holds for its exact digest, and never for training",
                help="write `due:` and `no result, stop:`, or `valid for:`",
            )
        for belief in item.beliefs:
            if belief.role is None:
                self.findings.warn(
                    "W506",
                    f"nobody attests that {quote(belief.claim)}",
                    belief.span,
                    cause=f"no favorable result of {name} is believed until somebody does",
                    help="write `attested by` and a role",
                )

    def safeguard(self, item: written.SafeguardText) -> kernel.Safeguard:
        """Return a safeguard; what it leaves open makes it a hole."""
        open_points: list[str] = []
        pins = (("means", item.means), ("because", item.because)) if item.concept is None else ()
        for word, pin in pins:
            if pin is None:
                open_points.append(f"no `{word}` is given")
            elif pin.digest is None:
                open_points.append(f"`{word}` is not pinned")
        hole = " and ".join(open_points) or None
        if hole is not None:
            self.findings.warn(
                "W505",
                f"the safeguard {quote(item.name.text)} counts as a hole: {hole}",
                item.name.span,
                cause="a safeguard is a pinned set of controls and a pinned reason why they work",
                help="write `means:` and `because:`, each as `name@sha256:` and 64 digits",
            )
        return kernel.Safeguard(
            id=item.name.text,
            means=item.means.text if item.means else None,
            stops=item.stops,
            because=item.because.text if item.because else None,
            fails_if=item.fails_if,
            by=self._optional_role(item.by),
            valid_time=item.valid_time,
            hole=hole,
            span=item.span,
            concept=item.concept.text if item.concept else "",
        )

    def holes(self, filled: Collection[str]) -> dict[str, kernel.HoleSpec]:
        """Return the open holes; one that is filled is none."""
        found: dict[str, kernel.HoleSpec] = {}
        declared = [(name, item.hole) for name, item in self.policy.evaluations.items()]
        declared += [
            (CAPABILITY + name, item.hole) for name, item in self.policy.capabilities.items() if item.tested_by is None
        ]
        for name, hole in declared:
            if hole is None:
                continue
            spec = kernel.HoleSpec(
                name=name,
                words=hole.words or NO_TEST,
                owner=hole.owner,
                filled_only_by=self.roles_of(hole.filled_only_by),
                review_by=hole.review_by,
                span=hole.span,
            )
            if hole.words and not hole.filled_only_by:
                self.findings.warn(
                    "W507",
                    f"nobody may fill the hole {quote(name)}",
                    hole.span,
                    cause="it does not say who would have to approve",
                    help="write `filled only by:` and the roles",
                )
            if name not in filled:
                found[name] = spec
        return found

    def context(self, item: written.ContextText) -> kernel.Context:
        """Return a deployment context."""
        action = item.action.text if item.action else ""
        possible = {name for name in actions.HARDER if name.startswith(("deploy.", "release."))}
        if item.action is not None and action not in possible:
            self.findings.error(
                "P403",
                f"no context has the action {quote(action)}",
                item.action.span,
                help=suggestion(action, possible),
            )
        if item.scaffolds is not None and action in _OPEN:
            self.findings.error(
                "P507",
                f"the scaffolds of {quote(action)} cannot be listed",
                item.span,
                cause="its users bring their own",
                help="remove the list: unknown scaffolds are then assumed",
            )
        return kernel.Context(item.name.text, action, item.scaffolds, item.withdraws, item.name.span)


def _variable(item: written.EvaluationText, kind: kernel.EvaluationKind, score: kernel.ScoreRule) -> str | None:
    """Return the identity of what an evaluation measures; None unless its test is pinned, or a concept stands for it.

    What stands at its default is left out, so that evaluations keep the digest they had before the language knew it.
    """
    if item.concept is not None:
        return digest({"concept": item.concept.text, "kind": kind})
    if item.test is None or item.test.digest is None:
        return None
    rule: dict[str, Plain] = {"least": score.least, "tries": score.tries, "text": score.text}
    if score.mean:
        rule["mean"] = True
    measured: dict[str, Plain] = {"kind": kind, "test": item.test.text, "score": rule}
    if item.estimand != "population":
        measured["estimand"] = item.estimand
        measured["bank"] = item.bank
    if item.clustered_by:
        measured["clustered by"] = item.clustered_by
    return digest(measured)
