"""Statements: what somebody attests or denies, worded so that the gate finds it.

Topics are derived from the policy, never typed: a statement on a misspelled topic counts for
nothing, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scalegate.app.bindings import adopted, check_speaker, find_evaluation, find_policy
from scalegate.app.book import Book, Page, Speaker, check_name, check_words
from scalegate.app.refusal import RefusalError, nearest
from scalegate.app.subjects import check_digest
from scalegate.core.actions import ACTIONS
from scalegate.core.events import (
    Entry,
    MethodPublished,
    Statement,
    StatementKind,
    claim_topic,
    matter_topic,
    specified_topic,
)
from scalegate.core.kernel import Kernel, Safeguard
from scalegate.core.terms import Attested, Elapsed, Specified

# A denial and a crossing are adverse: they never expire by the speaker's wish.
ADVERSE_WITHOUT_END = frozenset({"treat-as-crossed"})


@dataclass(frozen=True, slots=True)
class Draft:
    """What a speaker wants to state, before it is worded for the gate.

    Attributes:
        kind: what kind of statement.
        topic: the safeguard, predicate, claim, measurement or matter; empty where `evaluation` or
            `action` says it all.
        policy: the policy meant, empty for the only one.
        evaluation: the evaluation that a belief, measurement or crossing is about.
        safeguard: the safeguard that a measurement is about.
        subject: empty for every subject of the issuer.
        holds: False for a denial.
        expires: seconds since 1970, 0 for none.
        count: (successes, trials) of a measurement.
        action, compute: what a countersignature covers, and up to which effective compute.
        evidence: digests of supporting documents.
    """

    kind: StatementKind
    topic: str = ""
    policy: str = ""
    evaluation: str = ""
    safeguard: str = ""
    subject: str = ""
    holds: bool = True
    expires: int = 0
    count: tuple[int, int] | None = None
    action: str = ""
    compute: int = 0
    evidence: tuple[str, ...] = ()


def attest(book: Book, draft: Draft, speaker: Speaker) -> Entry:
    """Record a statement.

    Raises:
        RefusalError: if what it is about is unknown, or it lacks an expiry, a count or an action.
    """
    for item in draft.evidence:
        check_digest("evidence", item)

    def prepare(page: Page) -> Statement:
        check_speaker(page, speaker)
        _check_bounds(page, draft)
        topic, means, because = _worded(page, draft)
        return Statement(
            draft.kind,
            topic,
            draft.subject,
            draft.holds,
            draft.expires,
            draft.count,
            means,
            because,
            draft.action,
            draft.compute,
            draft.evidence,
            speaker.name,
            speaker.role,
        )

    return book.record(prepare)


def _check_bounds(page: Page, draft: Draft) -> None:
    if draft.subject and draft.subject not in page.records.subjects:
        raise RefusalError(
            "usage",
            "subject-unknown",
            f"no subject `{draft.subject:.80}` is declared",
            nearest(draft.subject, page.records.subjects),
        )
    if draft.holds and draft.kind not in ADVERSE_WITHOUT_END and draft.expires <= page.now:
        raise RefusalError(
            "usage",
            "expiry-missing",
            "a statement must expire, in the future",
            "`--expires 6 months` or `--expires 2027-01-01`",
        )
    if (draft.count is not None) != (draft.kind == "measurement"):
        raise RefusalError("usage", "count-misplaced", "a measurement, and nothing else, has --count")
    if draft.count is not None and not 0 <= draft.count[0] <= draft.count[1] > 0:
        raise RefusalError("usage", "count-impossible", "--count is SUCCESSES/TRIALS, of at least one")
    if (draft.kind == "countersignature") != bool(draft.action):
        raise RefusalError("usage", "action-misplaced", "a countersignature, and nothing else, has --action")
    if draft.action and draft.action not in ACTIONS:
        raise RefusalError(
            "usage",
            "action-unknown",
            f"`{draft.action:.80}` is no action",
            nearest(draft.action, ACTIONS),
        )


def _worded(page: Page, draft: Draft) -> tuple[str, str, str]:
    """Return topic, means and because as the gate looks them up."""
    match draft.kind:
        case "safeguard":
            kernel, spec = _safeguard(page, draft, draft.topic)
            return matter_topic(kernel.id, spec.id), spec.means or "", spec.because or ""
        case "measurement" if draft.safeguard:
            kernel, spec = _safeguard(page, draft, draft.safeguard)
            _one_of("measurement", draft.topic, [count.name for count in spec.fails_if])
            topic = matter_topic(kernel.id, f"{spec.id}:{draft.topic}")
            return topic, spec.means or "", spec.because or ""
        case "measurement":
            evaluation = find_evaluation(page, draft.evaluation)
            counts = (*evaluation.hidden_capability, *evaluation.shown_to_work)
            _one_of("measurement", draft.topic, [count.name for count in counts])
            return claim_topic(evaluation.digest or "", draft.topic), "", ""
        case "belief":
            evaluation = find_evaluation(page, draft.evaluation)
            _one_of("claim", draft.topic, [belief.claim for belief in evaluation.beliefs])
            return claim_topic(evaluation.digest or "", draft.topic), "", ""
        case "predicate":
            _one_of("predicate", draft.topic, _predicates(page))
            return draft.topic, "", ""
        case "approval" | "publication":
            # As printed by the commands that ask for approval: `POLICY/MATTER`.
            named = draft.topic.partition("/")[0]
            kernel = find_policy(page, draft.policy or (named if named in adopted(page) else ""))
            check_words("matter", draft.topic)
            return matter_topic(kernel.id, draft.topic.removeprefix(f"{kernel.id}/")), "", ""
        case "countersignature":
            return draft.action, "", ""
        case "treat-as-crossed":
            return find_evaluation(page, draft.evaluation or draft.topic).digest or "", "", ""


def _safeguard(page: Page, draft: Draft, name: str) -> tuple[Kernel, Safeguard]:
    policy, _, rest = name.rpartition("/")
    kernel = find_policy(page, draft.policy or policy)
    word = rest if policy == kernel.id else name
    _one_of("safeguard", word, kernel.safeguards)
    spec = kernel.safeguards[word]
    if spec.hole is not None:
        raise RefusalError(
            "refused",
            "safeguard-hole",
            f"safeguard `{spec.id}` is a hole: {spec.hole}",
            "a statement about it would show nothing",
        )
    return kernel, spec


def _predicates(page: Page) -> set[str]:
    found: set[str] = set()
    for kernel in adopted(page).values():
        found |= {term.predicate for term in kernel.terms if isinstance(term, Attested | Elapsed)}
        found |= {specified_topic(term.hole) for term in kernel.terms if isinstance(term, Specified)}
        for duty in kernel.duties.obligations.values():
            found |= {item.predicate for item in (*duty.starts, duty.met)}
    return found


def _one_of(what: str, word: str, known: Iterable[str]) -> None:
    words = list(known)
    if word not in words:
        raise RefusalError(
            "usage",
            f"{what}-unknown",
            f"no adopted policy asks for a {what} `{word:.200}` here",
            nearest(word, words),
        )


def publish_method(book: Book, card: str, elicitation: str, speaker: Speaker) -> Entry:
    """Publish an elicitation method card: earlier runs of that elicitation (empty: any) fall behind.

    Raises:
        RefusalError: if the card is known already.
    """
    check_name("method card", card)
    if elicitation:
        check_name("elicitation", elicitation)

    def prepare(page: Page) -> MethodPublished:
        check_speaker(page, speaker)
        if any(event.card == card for _, event in page.records.methods):
            raise RefusalError("refused", "method-exists", f"method card `{card}` is published already")
        return MethodPublished(card, elicitation, speaker.name, speaker.role)

    return book.record(prepare)
