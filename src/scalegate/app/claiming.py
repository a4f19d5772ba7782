"""Permits on their way to a job: claimed in the log, and written into a file that the job checks offline."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.ask import WITNESS_SECONDS, Added, Answer, added_policy, judge
from scalegate.app.book import Book, Page, check_name, check_words
from scalegate.app.proving import prove, save
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import digest
from scalegate.core.decision import Node, Request
from scalegate.core.events import DecisionMade, Entry, History, PermitRevoked, PolicyAdopted
from scalegate.core.job_events import PermitClaimed
from scalegate.enforce.lease import TRAINING, lease_of
from scalegate.enforce.permit import PermitError, Proved, read_permit, write_permit
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
    found = followed(book, claimant.follows)
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
        entry = find_permit(page.history, answer.digest)
        permit = entry.event
        if not isinstance(permit, DecisionMade):
            raise TypeError("a permit is a DecisionMade")
        _check_free(book, page, entry)
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
        _check_lease(made)
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


def _check_free(book: Book, page: Page, permit: Entry) -> None:
    """Refuse a permit that another job has, or that would not be given any more."""
    mark = permit.event.decision if isinstance(permit.event, DecisionMade) else ""
    other = next((item.event for item in page.history.entries if _is_claim(item, mark)), None)
    if isinstance(other, PermitClaimed):
        raise RefusalError(
            "refused",
            "permit-claimed",
            f"job {other.job} on {other.host} has claimed the permit",
            "ask again: another job asked the same in the same second, and a permit is one job's",
        )
    why = lapsed(book, page.history, mark, page.now) if page.history.head != permit.digest else ""
    if why:
        raise RefusalError("refused", "permit-lapsed", f"the permit does not stand any longer: {why}")


def _check_lease(claim: PermitClaimed) -> None:
    """Refuse a claim that leaves its job nothing, before a permit is used up for it."""
    if claim.action not in TRAINING:
        return
    try:
        lease_of(claim)
    except PermitError as error:
        raise RefusalError("refused", error.code, error.message, error.hint) from error


def _tree(answer: Answer) -> Node:
    if not answer.live:
        raise RefusalError("refused", "permit-none", "the answer is no permit, and nothing can be claimed")
    return answer.decision.tree


def write(book: Book, decision: str, file: Path) -> None:
    """Write the file of a permit that was claimed, under the newest head that enough witnesses cosigned.

    Raises:
        RefusalError: if it was not claimed, or the file would not be taken by its own check.
    """
    history = book.read()
    permit = find_permit(history, decision)
    claimed = next((item for item in history.entries if _is_claim(item, decision)), None)
    trust = book.store.standing().trust
    if claimed is None or trust is None:
        raise RefusalError("usage", "permit-unclaimed", "nobody has claimed that permit")
    have_seen(book, trust)
    parts = [prove(book, entry.index) for entry in (permit, claimed)]
    data = write_permit(trust, *(Proved(item.leaf, item.proof) for item in parts))
    try:
        found = read_permit(data, trust)
    except PermitError as error:
        raise RefusalError("refused", error.code, error.message, error.hint) from error
    _check_lease(found.claim)
    save(file, data)


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


def _is_claim(entry: Entry, decision: str) -> bool:
    return isinstance(entry.event, PermitClaimed) and entry.event.decision == decision


def find_permit(history: History, which: str) -> Entry:
    """Return the entry of a permit by its number or digest.

    Raises:
        RefusalError: if there is none, or the answer is a hold.
    """
    for entry in history.entries:
        event = entry.event
        if isinstance(event, DecisionMade) and which in (str(event.number), event.decision):
            if event.answer == "permit":
                return entry
            raise RefusalError("refused", "permit-hold", f"answer {event.number} is a hold")
    raise RefusalError("usage", "permit-unknown", f"the log has no permit `{which:.80}`", "`scalegate permit list`")


def lapsed(book: Book, history: History, which: str, now: int) -> str:
    """Return why a permit would not be given any more; empty while it stands.

    It is asked again as it was asked, with the policies that were added to it, on everything that was recorded since.
    Where every policy says of the context
    that a hold does not withdraw what runs in it, only what is no commitment's ends it: a revocation, a stop order.

    Raises:
        RefusalError: if the log has no such permit.
    """
    if history.fault:
        return f"the log is not to be trusted: {history.fault}"
    event = find_permit(history, which).event
    if not isinstance(event, DecisionMade):
        raise TypeError("a permit is a DecisionMade")
    revoked = (item.event.decision for item in history.entries if isinstance(item.event, PermitRevoked))
    if event.decision in revoked:
        return "it was revoked"
    if event.expires <= now:
        return "it has ended"
    try:
        added = added_to(book, history, event)
    except RefusalError as error:
        return error.message
    decision = judge(history, Request(event.action, event.subject, event.limit or None, event.context), now, added)
    if decision.answer == "permit":
        return ""
    stays = not decision.untrusted and _stays(history, event, now, added)
    return "; ".join(reason.message for reason in decision.reasons if not (stays and reason.commitment))


def _stays(history: History, permit: DecisionMade, now: int, added: Sequence[Added]) -> bool:
    """Whether a service goes on under a hold: every policy that describes its context says so, and one does."""
    kernels = [*in_force(history.entries, now).kernels, *(item.kernel for item in added)]
    described = [kernel.contexts[permit.context] for kernel in kernels if permit.context in kernel.contexts]
    return bool(described) and all(item.action == permit.action and not item.withdraws for item in described)


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


def followed(book: Book, file: Path) -> PermitClaimed:
    """Return the claim in an older permit file of a job.

    Raises:
        RefusalError: if the file is none of this log.
    """
    trust = book.store.standing().trust
    if trust is None:
        raise RefusalError("usage", "log-empty", "a log without entries has no permits")
    return read_file(file, trust)


def read_file(file: Path, trust: Trust) -> PermitClaimed:
    """Return the claim in a permit file.

    Raises:
        RefusalError: if it cannot be read, or is none under this trust file.
    """
    try:
        return read_permit(file.read_bytes(), trust).claim
    except OSError as error:
        raise RefusalError("usage", "permit-unreadable", f"cannot read `{file}`: {error.strerror}") from error
    except PermitError as error:
        raise RefusalError("untrusted", error.code, error.message, error.hint) from error


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
