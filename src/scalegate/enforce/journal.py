"""A job's journal: its own reports, one line each, signed with its key, every one naming the one before.

The journal says which checkpoints came out of a permit, and what they cost. A line that was changed, or is missing
between two others, makes the whole journal worthless. A journal that was cut off at its end has forgotten its last
checkpoints, which then cannot be gone on with: forgetting grants nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scalegate.core.canonical import canonical_bytes
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.enforce.permit import PermitError
from scalegate.ledger.codec import CodecError, decode_event, encode_event
from scalegate.ledger.dsse import DsseError, read_json
from scalegate.ledger.jobs import JobError, check_signature, mark_of

MAX_LINE = 1 << 16
TAG = "job-reported"
SAVED = ("checkpoint", "held", "ended")


@dataclass(frozen=True, slots=True)
class Start:
    """A checkpoint that a job may go on with.

    Attributes:
        digest, listing: of its files; the listing may be empty.
        step: optimizer steps behind it, over the whole job.
        flop: what the job computed for it, in FLOP.
        reached: effective compute that it embodies at most.
        state: digest over generators of randomness and position in the data; empty where nobody took it.
    """

    digest: str
    listing: str
    step: int
    flop: int
    reached: int
    state: str = ""


def write_line(report: JobReported) -> bytes:
    """Return the line of a report."""
    return canonical_bytes(encode_event(report)) + b"\n"


def read_journal(data: bytes, job: str, key: str) -> tuple[JobReported, ...]:
    """Return the reports of a journal. A last line without its end was being written, and is left out.

    Args:
        data: the file.
        job: whose journal it has to be.
        key: the job's key, `algorithm:base64`.

    Raises:
        PermitError: for any other line than the next report of that job.
    """
    found: list[JobReported] = []
    before = ""
    for place, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            report = _read(line)
            wrong = (report.job, report.number, report.before) != (job, place, before)
            check_signature(report, key)
        except (DsseError, CodecError, JobError) as error:
            raise _broken(place, f"it is no report of this job: {error}") from error
        if wrong:
            raise _broken(place, "it does not follow the line before it")
        found.append(report)
        before = mark_of(report)
    return tuple(found)


def _read(line: bytes) -> JobReported:
    report = decode_event(TAG, read_json(line, MAX_LINE))
    if not isinstance(report, JobReported) or write_line(report) != line + b"\n":
        raise JobError("it is not in canonical form")
    return report


def _broken(place: int, why: str) -> PermitError:
    return PermitError(
        "journal-edited",
        f"line {place} of the journal is broken: {why}",
        "a job without its journal begins again: with a subject of the log, and a permit of its own",
    )


def starts(reports: Sequence[JobReported], claim: PermitClaimed) -> tuple[Start, ...]:
    """Return the checkpoints that a job may go on with under a permit: its subject, and what came out of that.

    A checkpoint counts that was saved by a process that began with the subject, or with another one that counts.
    """
    found = {claim.digest: Start(claim.digest, claim.listing, 0, 0, claim.spent)}
    follows = False
    for item in reports:
        if item.kind == "started":
            follows = item.digest in found
        elif item.kind in SAVED and item.digest:
            known = found.get(item.digest)
            follows = follows or known is not None
            if follows:
                # Declared with less than its job counted, a checkpoint has not become smaller.
                reached = max(item.reached, known.reached if known else 0)
                found[item.digest] = Start(item.digest, item.listing, item.step, item.flop, reached, item.state)
    return tuple(found.values())
