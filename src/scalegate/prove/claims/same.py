"""What makes a name of one policy the same thing in another one, for sentences about policies that bind together."""

from __future__ import annotations

from scalegate.core.kernel import Count, Kernel
from scalegate.prove.symbols import rule_of


def identity(kernel: Kernel, name: str) -> object:
    """Return what a safeguard or a hole of a policy is, whatever it is called; None where the policy has neither."""
    if name in kernel.safeguards:
        spec = kernel.safeguards[name]
        return (spec.means, spec.because, spec.concept, _by(kernel, spec.by), spec.valid_time, _counts(spec.fails_if))
    return (kernel.holes[name].words, kernel.holes[name].filled_only_by) if name in kernel.holes else None


def evaluation_identity(kernel: Kernel, name: str) -> object:
    """Return what an evaluation measures, and what has to stand behind a result that counts."""
    spec = kernel.evaluations[name]
    return (
        *(spec.digest, spec.hole, _by(kernel, spec.by), spec.validity, spec.elicited_by, spec.reach_issuer),
        *(spec.wrongly_cleared, spec.wrongly_stopped, _counts(spec.hidden_capability), _counts(spec.shown_to_work)),
        *(spec.accept_aggregate, spec.accept_edited, spec.accept_earlier, spec.refuse_provenance),
        tuple((belief.claim, belief.role and _by(kernel, belief.role), belief.expires) for belief in spec.beliefs),
    )


def _by(kernel: Kernel, role: str | None) -> object:
    return rule_of(dict(kernel.roles), role)


def _counts(counts: tuple[Count, ...]) -> tuple[object, ...]:
    return tuple((item.name, item.least, item.trials, item.rate) for item in counts)
