"""Asking the gate: live answers that are recorded, and questions that grant nothing.

Every way in which this can fail ends in a hold: an error of the gate is one, an answer that cannot
be recorded is one, and so is a permit that contradicts itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scalegate.app.book import ATTEMPTS, INBOX, Book
from scalegate.app.policies import parse
from scalegate.app.refusal import RefusalError
from scalegate.app.trusting import history_of
from scalegate.core.canonical import canonical_bytes, digest_bytes
from scalegate.core.decision import Decision, Node, Reason, Request
from scalegate.core.events import DecisionMade, History
from scalegate.core.kernel import Kernel
from scalegate.gate import decide
from scalegate.gate.record import decision_digest, decision_record
from scalegate.gate.vouched import assumptions
from scalegate.ledger.errors import StoreDamagedError, StoreError, StoreMovedError

# How long a question waits for each witness, all at the same time.
WITNESS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate said, and whether the history remembers it.

    Attributes:
        decision: the answer.
        digest: digest of its canonical bytes.
        number: its place in the count of live answers, from 1; 0 when it is not recorded.
        failure: why there is no trustworthy answer, for an internal failure; empty otherwise.
    """

    decision: Decision
    digest: str
    number: int = 0
    failure: str = ""

    @property
    def live(self) -> bool:
        """Whether this is a recorded permit: the only thing to act on."""
        return (
            self.number > 0
            and not self.failure
            and self.decision.answer == "permit"
            and not self.decision.counterfactual
        )


@dataclass(frozen=True, slots=True)
class Added:
    """A policy that a question adds to those in force: its kernel and its text."""

    kernel: Kernel
    text: str


def added_policy(text: str, file: str) -> Added:
    """Return a policy that a question adds, as recorded: its spans name it by its id, like adopted ones.

    Raises:
        RefusalError: if the text is no policy; the message names `file`.
    """
    kernel = parse(text, file)
    return Added(parse(text, f"{kernel.id}.yaml"), text)


def ask_live(book: Book, request: Request, added: Sequence[Added] = ()) -> Answer:
    """Ask the gate, and record its answer with the question's place in the history.

    A permit exists only once it is recorded: whatever prevents that turns it into a hold.
    """
    history = History(())
    try:
        fault = distrusted(book)
        for _ in range(ATTEMPTS):
            history = book.read()
            history = replace(history, fault=history.fault or fault)
            now = book.now(history)
            decision = judge(history, request, now, added)
            if history.fault:
                return _unrecorded(decision)
            for item in added:
                book.keep(item.text.encode())
            answer = _record(book, history, decision, now)
            if answer is not None:
                return answer
        return _held(book, history, request, "other writers were faster many times in a row")
    except RefusalError as error:
        return _held(book, history, request, error.message, untrusted=error.kind == "untrusted")


def distrusted(book: Book) -> str:
    """Return why the log here is not to be believed, whatever it says itself; empty where nothing speaks against it.

    Witnesses are asked to cosign it as it is: one that knows more of it, or something else, has seen what was taken
    away here. One that cannot be reached is no reason yet: the trust file says how old the last cosigned head may be.

    Raises:
        RefusalError: if the log cannot be read.
    """
    history = book.read()
    if history.fault:
        return history.fault
    late = _overdue(book, history)
    if late or history.terms is None or not history.terms.witnessed:
        return late
    # Deferred: a log without witnesses does without the network.
    from scalegate.app.witnessing import ask_witnesses  # noqa: PLC0415

    try:
        ahead = ask_witnesses(book, WITNESS_SECONDS).ahead
    except RefusalError as error:
        return error.message if error.kind == "untrusted" else ""
    if ahead:
        names = " and ".join(sorted(ahead))
        return (
            f"{names} cosigned a longer or another history of this log: this store was rolled back, or the log forked"
        )
    return ""


def _overdue(book: Book, history: History) -> str:
    """Return which statement in the inbox has waited too long; empty for none."""
    if not os.path.lexists(book.store.folder / INBOX):
        return ""
    # Deferred: most stores have no inbox, and the gate has to start quickly.
    from scalegate.app.including import overdue  # noqa: PLC0415

    return overdue(book, history, book.now(history))


def ask_only(book: Book, request: Request, added: Sequence[Added] = (), at: int | None = None) -> Answer:
    """Ask the gate and record nothing: a dry run, or with `at` a question about another time.

    The history is taken as it was at `at`. The answer is marked counterfactual, and grants nothing.

    Raises:
        RefusalError: if the history cannot be read.
    """
    history = book.read()
    now = book.now(history)
    if at is not None:
        history = until(history, at)
        now = at
    return _unrecorded(judge(history, request, now, added, counterfactual=True))


def until(history: History, at: int) -> History:
    """Return the history as it was at an instant, with the fault it has now."""
    kept = tuple(entry for entry in history.entries if entry.at <= at)
    return history_of(kept, history.fault)


def judge(
    history: History,
    request: Request,
    now: int,
    added: Sequence[Added] = (),
    *,
    counterfactual: bool = False,
) -> Decision:
    """Return the gate's decision; whatever goes wrong in it is a hold."""
    extra = [item.kernel for item in added]
    try:
        decision = decide(history, request, now, extra, counterfactual=counterfactual)
    except Exception as error:  # noqa: BLE001 - an exception in the gate is a hold
        why = f"the gate failed: {type(error).__name__}"
        return error_hold(history, request, now, why, counterfactual=counterfactual)
    wrong = _contradiction(decision, history, request, now)
    if wrong:
        return error_hold(history, request, now, wrong, counterfactual=counterfactual)
    return replace(decision, counterfactual=counterfactual)


def _contradiction(decision: Decision, history: History, request: Request, now: int) -> str:
    """Return what makes a permit unbelievable; empty for a hold and for a sound permit."""
    if decision.answer == "hold":
        return ""
    limits = decision.limits
    if decision.request != request or decision.as_of != now or decision.head != history.head:
        return "the gate answered another question"
    if decision.reasons or decision.untrusted or history.fault:
        return "the gate permitted in spite of reasons against it"
    if limits is None or limits.expires <= now:
        return "the gate permitted without bounds"
    if request.to is not None and (limits.effective_compute or 0) < request.to:
        return "the gate permitted beyond its own bound"
    return ""


def error_hold(
    history: History,
    request: Request,
    now: int,
    why: str,
    *,
    untrusted: bool = False,
    counterfactual: bool = False,
) -> Decision:
    """Return a hold whose only reason is that something failed."""
    return Decision(
        as_of=now,
        answer="hold",
        request=request,
        policies=(),
        reasons=(Reason("", "", "error", why, None),),
        remedies=(),
        would_not_release=(),
        not_checked=("everything: the question was not answered",),
        assumptions=assumptions(history.terms, signed=history.terms is not None),
        exceptions=(),
        limits=None,
        tree=Node("the question was answered", "unknown", "error", detail=why),
        head=history.head,
        untrusted=untrusted or bool(history.fault),
        counterfactual=counterfactual,
    )


def _record(book: Book, history: History, decision: Decision, now: int) -> Answer | None:
    """Record a live answer; None when the history moved and the question has to be asked again."""
    body = canonical_bytes(decision_record(decision))
    digest = digest_bytes(body)
    number = 1 + sum(isinstance(entry.event, DecisionMade) for entry in history.entries)
    limits = decision.limits
    event = DecisionMade(
        decision=digest,
        answer=decision.answer,
        action=decision.request.action,
        subject=decision.request.subject,
        context=decision.request.context,
        limit=(limits.effective_compute or 0) if limits else 0,
        expires=limits.expires if limits else 0,
        policies=tuple(item.digest for item in decision.policies),
        head=history.head,
        number=number,
        trust=history.terms.trust if history.terms else "",
    )
    book.keep(body)
    try:
        # Other answers may have come in between: they take nothing from this one, and it is numbered behind them.
        entry = book.store.append(event, now, after=history.head)
    except StoreMovedError:
        return None
    except StoreError as error:
        raise RefusalError(
            "untrusted" if isinstance(error, StoreDamagedError) else "store",
            "answer-unrecorded",
            f"the answer could not be recorded: {error}",
        ) from error
    number = entry.event.number if isinstance(entry.event, DecisionMade) else 0
    return Answer(decision, digest, number, _failure(decision))


def _unrecorded(decision: Decision) -> Answer:
    return Answer(decision, decision_digest(decision), 0, _failure(decision))


def _held(book: Book, history: History, request: Request, why: str, *, untrusted: bool = False) -> Answer:
    decision = error_hold(history, request, book.now(history), why, untrusted=untrusted)
    return replace(_unrecorded(decision), failure=why)


def _failure(decision: Decision) -> str:
    """Return why the machinery, not the policy, holds; empty when the gate did its work."""
    return decision.tree.detail if decision.tree.kind == "error" else ""
