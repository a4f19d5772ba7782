"""A lease: what a permit leaves to one job, in FLOP and in seconds.

The permit bounds *effective* compute over the whole lineage of its subject. A job counts FLOP. Between them stand what
the subject embodies already, at most, and what a FLOP is worth, at most; both are in the claim, signed by the gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.job_events import PermitClaimed
from scalegate.core.quantities import HOUR, UNBOUNDED, show_duration, show_flop, show_instant
from scalegate.enforce.compute import Multiplier
from scalegate.enforce.permit import PermitError

TRAINING: Final = frozenset({TRAIN, NEW_SCALE, MITIGATION})
# A lease that is nearly used up is told in time for somebody to renew it.
NEARLY: Final = Fraction(1, 10)
SOON: Final = HOUR


@dataclass(frozen=True, slots=True)
class Lease:
    """What one job may still do.

    Attributes:
        decision: digest of the permit.
        job: name of the job.
        subject: what it starts from.
        spent: effective compute of the subject, at most, in FLOP.
        factor: effective FLOP for each FLOP, at most.
        limit: effective compute that its weights may embody.
        expires: when it ends, in seconds since 1970.
    """

    decision: str
    job: str
    subject: str
    spent: int
    factor: Fraction
    limit: int
    expires: int

    def left(self, reached: int) -> int:
        """Return how many FLOP may be computed from weights that embody so much effective compute; 0 for none."""
        return self._worth.most(max(0, self.limit - reached))

    def worth(self, flop: int) -> int:
        """Return the effective compute of so many FLOP, at most."""
        return self._worth.effective(flop).high

    @property
    def _worth(self) -> Multiplier:
        return Multiplier(Fraction(1), self.factor)


def lease_of(claim: PermitClaimed) -> Lease:
    """Return what a claim leaves to its job.

    Raises:
        PermitError: if it is no permit for training, or leaves nothing.
    """
    if claim.action not in TRAINING:
        raise PermitError("permit-action", f"the permit is one for {claim.action}, and trains nothing")
    if claim.spent >= UNBOUNDED:
        raise PermitError(
            "permit-unbounded",
            f"nobody said how much compute {claim.subject} embodies, so that nothing is left below any limit",
            "declare its whole lineage, with the compute of each model",
        )
    lease = Lease(
        decision=claim.decision,
        job=claim.job,
        subject=claim.subject,
        spent=claim.spent,
        factor=claim.factor,
        limit=claim.limit,
        expires=claim.expires,
    )
    if not lease.left(claim.spent):
        words = f"{claim.subject} embodies up to {show_flop(claim.spent)} FLOP, and the permit ends at "
        raise PermitError("permit-used", f"{words}{show_flop(claim.limit)} FLOP: nothing is left of it")
    return lease


def warning(lease: Lease, reached: int, now: int, begun: int) -> str:
    """Return why somebody should renew a lease now; empty while there is time.

    Args:
        lease: the lease.
        reached: effective compute that the weights embody.
        now: seconds since 1970.
        begun: when the job began on it.
    """
    said = []
    left = lease.left(reached)
    if left < lease.left(lease.spent) * NEARLY:
        said.append(f"{show_flop(left)} FLOP are left of the permit, which ends at {show_flop(lease.limit)} FLOP")
    if lease.expires - now < min(Fraction(SOON), (lease.expires - begun) * NEARLY):
        said.append(
            f"the permit ends in {show_duration(max(0, lease.expires - now))}, at {show_instant(lease.expires)}"
        )
    return "; ".join(said)
