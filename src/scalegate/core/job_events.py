"""What jobs and permits say to each other: who may run on a permit, what it counts, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

ReportKind: TypeAlias = Literal["started", "checkpoint", "held", "resumption", "ended"]


@dataclass(frozen=True, slots=True)
class PermitClaimed:
    """A permit becomes the lease of one job, whose key it names. A permit is claimed once.

    Attributes:
        decision: digest of the permit.
        action, subject, context, limit, expires: as the permit has them.
        digest, listing: digests of the subject's files, or of the system's parts; the listing covers names, too, and
            is empty where nobody gave it.
        spent: effective compute that the subject embodies at most, over its whole lineage, in FLOP.
        factor: effective FLOP for each FLOP that the job computes, at most: the largest that anybody stated, and 1.
        scaffolds: what the context admits around the system; `*` alone stands for any.
        evidence: digest over those of all evidence that the permit rests on.
        job: name of the training run or the service.
        host: name of the machine that it runs on, or of the first one.
        key: `algorithm:base64`; whoever cannot sign with it does not have the permit.
        follows: digest of the permit that this one takes over from in the same job; empty for none.
    """

    decision: str
    action: str
    subject: str
    context: str
    limit: int
    expires: int
    digest: str
    listing: str
    spent: int
    factor: Fraction
    scaffolds: tuple[str, ...]
    evidence: str
    job: str
    host: str
    key: str
    follows: str


@dataclass(frozen=True, slots=True)
class JobReported:
    """What a job says about itself, signed with the key that claimed its permit.

    Attributes:
        decision: digest of the permit it runs on.
        job: its name.
        number: 1 for its first report; without gaps.
        before: digest of the report before this one; empty for the first.
        kind: the job began or went on, saved a checkpoint, was held, checked a resumption, or ended.
        at: when, in seconds since 1970.
        step: optimizer steps behind it, over the whole job.
        flop: what it has computed for its weights, over the whole job, in FLOP, by the largest of all counters.
        readings: every counter by name, each in FLOP.
        reached: effective compute that its weights embody at most.
        cause: why it was held, or how a resumption compared; a code.
        words: the same for people.
        digest, listing: digests of the files of its checkpoint; empty where there is none.
        state: digest over generators of randomness and the position in the data; empty where nobody took it.
        ranks: number of processes that trained together.
        signature: of everything above, in base64.
    """

    decision: str
    job: str
    number: int
    before: str
    kind: ReportKind
    at: int
    step: int
    flop: int
    readings: tuple[tuple[str, int], ...]
    reached: int
    cause: str
    words: str
    digest: str
    listing: str
    state: str
    ranks: int
    signature: str


@dataclass(frozen=True, slots=True)
class MultiplierStated:
    """How much effective compute a FLOP is worth in what is trained from a subject: between `low` and `high`.

    The largest `high` that anybody stated counts, whoever it was; nobody can state that a FLOP is worth less than one.
    """

    subject: str
    low: Fraction
    high: Fraction
    why: str
    by: str
    role: str
