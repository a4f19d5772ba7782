"""Permits on their way to a job: claimed in the log, and written into a file that the job checks offline."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.ask import WITNESS_SECONDS, Added, Answer, added_policy, judge
from scalegate.app.book import Book, Page, check_name, check_words
from scalegate.app.proving import prove
from scalegate.app.refusal import RefusalError
from scalegate.app.saving import save
from scalegate.core.canonical import digest
from scalegate.core.decision import Node, Request
from scalegate.core.events import DecisionMade, Entry, History, PermitRevoked, PolicyAdopted
from scalegate.core.job_events import PermitClaimed
from scalegate.core.kernel import Context
from scalegate.core.quantities import show_instant
from scalegate.enforce.lease import TRAINING, lease_of
from scalegate.enforce.permit import Permit, PermitError, Proved, read_permit, write_permit
from scalegate.gate import in_force
from scalegate.gate.claims import evidence_in, known_of
from scalegate.integrations.job_key import KEY_SUFFIX, JobKey, JobKeyError
from scalegate.ledger.errors import StoreError
from scalegate.ledger.trust import Trust
from scalegate.ledger.trust_words import write_key


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who gets a permit.

    Attributes:
        job: name of the training run or the service.
        host: machine that it runs on.
        file: where the permit is written; the private key of the job stands beside it, and is made where it is not.
        follows: permit file that this one takes over from, in the same job; None for none.
    """

    job: str
    host: str
    file: Path
    follows: Path | None = None


def this_host() -> str:
    """Return the name of this machine, as it says itself."""
    return socket.gethostname()


def check_claimant(book: Book, claimant: Claimant) -> None:
    """Refuse, before the gate is asked, what could not be claimed afterwards.

    Raises:
        RefusalError: if a name is unfit, the file exists, or the permit that is followed is none of this job.
    """
    check_name("job", claimant.job)
    check_words("host", claimant.host, 200)
    if claimant.file.exists():
        raise RefusalError(
            "usage",
            "permit-exists",
            f"`{claimant.file}` exists, and a permit is not written over another one",
            "name a new file, or --follows for a running job",
        )
    _before(book, claimant)


def _before(book: Book, claimant: Claimant) -> str:
    """Return the digest of the permit that is followed, which is one of the same job; empty for none."""
    if claimant.follows is None:
        return ""
    found = read_file(claimant.follows, trust_of(book)).claim
    if (found.job, found.host) != (claimant.job, claimant.host):
        raise RefusalError(
            "usage",
            "permit-job",
            f"`{claimant.follows}` is a permit of job {found.job} on {found.host}, and another job does not follow it",
            "name the same --job and --host, or ask without --follows",
        )
    return found.decision


def claim(book: Book, answer: Answer, claimant: Claimant) -> PermitClaimed:
    """Claim a live permit for a job, and write its file.

    Raises:
        RefusalError: if the answer is no permit, the log does not admit the claim, or the file cannot be written.
    """
    follows = _before(book, claimant)
    place = claimant.file.with_name(claimant.file.name + KEY_SUFFIX)
    copied = claimant.follows is not None and not place.exists()
    key = job_key(claimant)
    evidence = digest([*evidence_in(_tree(answer))])

    def prepare(page: Page) -> PermitClaimed:
        entry, permit = find_permit(page.history, answer.digest)
        _check_free(book, page, entry, permit)
        extra = [item.kernel for item in added_to(book, page.history, permit)]
        known = known_of(page.records, [*page.force.kernels, *extra], permit)
        made = PermitClaimed(
            decision=permit.decision,
            action=permit.action,
            subject=permit.subject,
            context=permit.context,
            limit=permit.limit,
            expires=permit.expires,
            digest=known.digest,
            listing=known.listing,
            spent=known.spent,
            factor=known.factor,
            scaffolds=known.scaffolds,
            evidence=evidence,
            job=claimant.job,
            host=claimant.host,
            key=write_key(key.key),
            follows=follows,
        )
        # Before a permit is used up for it.
        _left(made)
        return made

    try:
        made = book.record(prepare).event
    except RefusalError as error:
        if copied and error.kind == "refused":
            place.unlink(missing_ok=True)
        raise
    if not isinstance(made, PermitClaimed):
        raise TypeError("a claim is a PermitClaimed")
    write(book, made.decision, claimant.file)
    return made


def _check_free(book: Book, page: Page, entry: Entry, permit: DecisionMade) -> None:
    """Refuse a permit that another job has, or that would not be given any more."""
    claimed = _claim_of(page.history, permit.decision)
    if claimed is not None:
        _, other = claimed
        raise RefusalError(
            "refused",
            "permit-claimed",
            f"job {other.job} on {other.host} has claimed the permit",
            "ask again: another job asked the same in the same second, and a permit is one job's",
        )
    why = lapsed(book, page.history, permit, page.now) if page.history.head != entry.digest else ""
    if why:
        raise RefusalError("refused", "permit-lapsed", f"the permit does not stand any longer: {why}")


def _left(claim: PermitClaimed) -> int | None:
    """Return the FLOP that a claim leaves to training; None for another permit, and refused where that is nothing."""
    if claim.action not in TRAINING:
        return None
    try:
        return lease_of(claim).left(claim.spent)
    except PermitError as error:
        raise RefusalError("refused", error.code, error.message, error.hint) from error


def _tree(answer: Answer) -> Node:
    if not answer.live:
        raise RefusalError("refused", "permit-none", "the answer is no permit, and nothing can be claimed")
    return answer.decision.tree


def write(book: Book, which: str, file: Path) -> DecisionMade:
    """Write the file of a permit that was claimed, under the newest head that enough witnesses cosigned.

    Args:
        book: the log.
        which: number or digest of the permit.
        file: where it goes.

    Raises:
        RefusalError: if it was not claimed, or the file would not be taken by its own check.
    """
    history = book.read()
    entry, permit = find_permit(history, which)
    claimed = _claim_of(history, permit.decision)
    if claimed is None:
        raise RefusalError("usage", "permit-unclaimed", "nobody has claimed that permit")
    trust = trust_of(book)
    have_seen(book, trust)
    parts = [prove(book, item.index) for item in (entry, claimed[0])]
    data = write_permit(trust, *(Proved(item.leaf, item.proof) for item in parts))
    try:
        found = read_permit(data, trust)
    except PermitError as error:
        raise RefusalError("refused", error.code, error.message, error.hint) from error
    _left(found.claim)
    save(file, data)
    return permit


def trust_of(book: Book) -> Trust:
    """Return the trust file in force.

    Raises:
        RefusalError: if the log has none yet, and so no permits.
    """
    trust = book.store.standing().trust
    if trust is None:
        raise RefusalError("usage", "log-empty", "a log without entries has no permits")
    return trust


def have_seen(book: Book, trust: Trust) -> None:
    """Have witnesses cosign the log as it is now, where the trust file asks for them.

    Raises:
        RefusalError: if one of them knows more of this log than the store.
    """
    if not trust.needs_witnesses:
        return
    # Deferred: a log without witnesses does without the network.
    from scalegate.app.witnessing import ask_witnesses  # noqa: PLC0415

    ahead = ask_witnesses(book, WITNESS_SECONDS).ahead
    if ahead:
        raise RefusalError(
            "untrusted", "log-forked", f"{', '.join(sorted(ahead))} cosigned another history of this log"
        )


def _claim_of(history: History, decision: str) -> tuple[Entry, PermitClaimed] | None:
    for entry in history.entries:
        if isinstance(entry.event, PermitClaimed) and entry.event.decision == decision:
            return entry, entry.event
    return None


def find_permit(history: History, which: str) -> tuple[Entry, DecisionMade]:
    """Return a permit by its number or digest, with its entry.

    Raises:
        RefusalError: if there is none, or the answer is a hold.
    """
    for entry in history.entries:
        event = entry.event
        if isinstance(event, DecisionMade) and which in (str(event.number), event.decision):
            if event.answer == "permit":
                return entry, event
            raise RefusalError("refused", "permit-hold", f"answer {event.number} is a hold")
    raise RefusalError("usage", "permit-unknown", f"the log has no permit `{which:.80}`", "`scalegate permit list`")


def lapsed(book: Book, history: History, permit: DecisionMade, now: int) -> str:
    """Return why a permit of the log would not be given any more; empty while it stands.

    It is asked again as it was asked, with the policies that were added to it, on everything that was recorded since.
    Where every policy says of the context that a hold does not withdraw what runs in it, only what is no commitment's
    ends it: a revocation, a stop order.
    """
    if history.fault:
        return f"the log is not to be trusted: {history.fault}"
    revoked = (item.event.decision for item in history.entries if isinstance(item.event, PermitRevoked))
    if permit.decision in revoked:
        return "it was revoked"
    if permit.expires <= now:
        return "it has ended"
    try:
        added = added_to(book, history, permit)
    except RefusalError as error:
        return error.message
    decision = judge(history, Request(permit.action, permit.subject, permit.limit or None, permit.context), now, added)
    if decision.answer == "permit":
        return ""
    staying = frozenset() if decision.untrusted else _staying(history, permit, now, added)
    return "; ".join(
        reason.message for reason in decision.reasons if not (reason.commitment and reason.policy in staying)
    )


def _staying(history: History, permit: DecisionMade, now: int, added: Sequence[Added]) -> frozenset[str]:
    """Return the policies under whose holds a service goes on: all texts of that name say so of its context.

    Each speaks for its own holds alone: another policy, or one that is only brought along, does not soften them.
    """
    kernels = [*in_force(history.entries, now).kernels, *(item.kernel for item in added)]
    contexts: dict[str, list[Context | None]] = {kernel.id: [] for kernel in kernels}
    for kernel in kernels:
        contexts[kernel.id].append(kernel.contexts.get(permit.context))
    return frozenset(
        name
        for name, found in contexts.items()
        if all(item is not None and item.action == permit.action and not item.withdraws for item in found)
    )


def added_to(book: Book, history: History, permit: DecisionMade) -> tuple[Added, ...]:
    """Return the policies that a question added to those in force, from their texts beside the log.

    Raises:
        RefusalError: if one of them is not there, or is none.
    """
    adopted = {item.event.digest for item in history.entries if isinstance(item.event, PolicyAdopted)}
    found = []
    for mark in permit.policies:
        if mark in adopted:
            continue
        try:
            text = book.store.get_blob(mark).decode()
        except (KeyError, ValueError, StoreError) as error:
            words = f"the policy {mark} that was added to the question of answer {permit.number} is not kept here"
            raise RefusalError("untrusted", "policy-missing", words) from error
        found.append(added_policy(text, "<added policy>"))
    return tuple(found)


def read_file(file: Path, trust: Trust) -> Permit:
    """Return the permit in a file.

    Raises:
        RefusalError: if it cannot be read, or is none under this trust file.
    """
    try:
        return read_permit(file.read_bytes(), trust)
    except OSError as error:
        raise RefusalError("usage", "permit-unreadable", f"cannot read `{file}`: {error.strerror}") from error
    except PermitError as error:
        raise RefusalError("untrusted", error.code, error.message, error.hint) from error


def check_file(file: Path, trust: Trust, now: int) -> tuple[PermitClaimed, int | None]:
    """Return what a permit in a file grants now, and the FLOP that it leaves to training; None for other permits.

    Raises:
        RefusalError: as `read_file` does, and if it has ended, or leaves nothing.
    """
    claim = read_file(file, trust).claim
    left = _left(claim)
    if claim.expires <= now:
        ended = f"the permit ended on {show_instant(claim.expires)}"
        raise RefusalError("refused", "permit-expired", ended, "ask again")
    return claim, left


def job_key(claimant: Claimant) -> JobKey:
    """Return the key of a job: the one beside the permit that is followed, or beside the new one, or a new one.

    Raises:
        RefusalError: if it cannot be read or made.
    """
    place = claimant.follows if claimant.follows is not None else claimant.file
    path = place.with_name(place.name + KEY_SUFFIX)
    try:
        if claimant.follows is None and not path.exists():
            return JobKey.create(path)
        key = JobKey.read(path)
        if claimant.follows is not None:
            key.copy_to(claimant.file.with_name(claimant.file.name + KEY_SUFFIX))
    except JobKeyError as error:
        raise RefusalError("usage", "job-key", str(error)) from error
    return key
