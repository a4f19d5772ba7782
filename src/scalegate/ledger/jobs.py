"""Jobs in the log: a permit is claimed once, and a job's reports are signed with its key and follow each other.

The gate vouches for a claim, and passes reports on. What a report says is the job's own word: whoever has the key of
the job can say anything, but cannot unsay it, nor leave a report out between two.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import Final

from scalegate.core.canonical import canonical_bytes, digest_bytes
from scalegate.core.events import DecisionMade, PermitRevoked
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.ports import Signer
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.codec import encode_event
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.trust_words import parse_key

# What a claim repeats of its permit.
GRANTED: Final = ("decision", "action", "subject", "context", "limit", "expires")
_FIRST = b"scalegate/job-report/v1\n"


class JobError(ValueError):
    """A claim or a report that does not follow from what is there; the message says why."""


def message_of(report: JobReported) -> bytes:
    """Return what a job signs: a line that names the format, and the canonical bytes of its report, unsigned."""
    return _FIRST + canonical_bytes(encode_event(replace(report, signature="")))


def mark_of(report: JobReported) -> str:
    """Return the digest by which the next report names this one."""
    return digest_bytes(message_of(report))


def check_signature(report: JobReported, key: str) -> None:
    """Check that a report is signed with a key, written `algorithm:base64`.

    Raises:
        JobError: if it is not.
    """
    try:
        parse_key(key).verify(decode_base64(report.signature), message_of(report))
    except (SignatureError, ValueError) as error:
        raise JobError(f"report {report.number} of job `{report.job:.80}` is not signed with the job's key") from error


def sign_report(report: JobReported, signer: Signer) -> JobReported:
    """Return a report, signed."""
    return replace(report, signature=b64encode(signer.sign(message_of(report))).decode())


@dataclass(slots=True)
class _Job:
    name: str
    host: str
    number: int = 0
    last: str = ""


@dataclass(slots=True)
class Jobs:
    """The claims and reports so far.

    Attributes:
        permits: the permits that were given, by digest.
        claims: the claim of each permit that was claimed.
        revoked: digests of permits that were revoked.
    """

    permits: dict[str, DecisionMade] = field(default_factory=dict)
    claims: dict[str, PermitClaimed] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    _by_key: dict[str, _Job] = field(default_factory=dict)

    def check_claim(self, claim: PermitClaimed, at: int) -> None:
        """Check that a claim may come next, at an instant.

        Raises:
            JobError: if there is no such permit, it has ended, was claimed, or says otherwise than the claim.
        """
        permit = self.permits.get(claim.decision)
        if permit is None:
            raise JobError("there is no such permit to claim")
        known = self.claims.get(claim.decision)
        if known is not None:
            raise JobError(f"the permit was claimed by job `{known.job:.80}` on `{known.host:.80}` already")
        for name in GRANTED:
            if getattr(claim, name) != getattr(permit, name):
                raise JobError(f"the claim has another {name} than the permit")
        if permit.expires <= at or claim.decision in self.revoked:
            raise JobError("the permit has ended, or was revoked, and cannot be claimed")
        if claim.factor < 1 or claim.spent < 0:
            raise JobError("a claim counts no compute as less than it is")
        try:
            parse_key(claim.key)
        except ValueError as error:
            raise JobError(str(error)) from error
        job = self._by_key.get(claim.key)
        if job is not None and (job.name, job.host) != (claim.job, claim.host):
            raise JobError(f"the key is that of job `{job.name:.80}` on `{job.host:.80}`")
        before = self.claims.get(claim.follows)
        if claim.follows and (before is None or before.key != claim.key):
            raise JobError("it follows a permit that this job does not have")

    def check_report(self, report: JobReported) -> None:
        """Check that a report may come next.

        Raises:
            JobError: if its permit was not claimed by that job, it is not the next one, or is not signed by the job.
        """
        claim = self.claims.get(report.decision)
        if claim is None or claim.job != report.job:
            raise JobError(f"job `{report.job:.80}` has not claimed that permit")
        job = self._by_key[claim.key]
        if (report.number, report.before) != (job.number + 1, job.last):
            raise JobError(f"it is not report {job.number + 1} of job `{report.job:.80}`, or follows another one")
        check_signature(report, claim.key)

    def add(self, event: DecisionMade | PermitClaimed | JobReported | PermitRevoked) -> None:
        """Take over an event that was admitted."""
        match event:
            case DecisionMade(answer="permit"):
                self.permits.setdefault(event.decision, event)
            case PermitRevoked():
                self.revoked.add(event.decision)
            case PermitClaimed():
                self.claims[event.decision] = event
                self._by_key.setdefault(event.key, _Job(event.job, event.host))
            case JobReported():
                job = self._by_key[self.claims[event.decision].key]
                job.number, job.last = event.number, mark_of(event)
            case _:
                pass
