"""The events of a history: everything the gate may know, in the order it was recorded.

Each event names who spoke (`by`, a person or organization) and in which role; what names nobody is said by the log
itself, and signed by its gate. A ledger admits an event only with the signature of whom it names. A history from
elsewhere has no `terms`, and every answer that rests on it says that nothing in it is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.canonical import digest
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.job_events import JobReported, MultiplierStated, PermitClaimed
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, OrderDrawn, TrustAdopted
from scalegate.core.policy_events import PolicyCompared
from scalegate.core.subject import Subject


@dataclass(frozen=True, slots=True)
class PolicyAdopted:
    """A policy starts to bind, or (`replaces`) an amendment takes the place of an earlier text from `effective`."""

    policy: str
    digest: str
    text: str
    replaces: str
    effective: int
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class PolicyWithdrawn:
    """The withdrawal of a policy. A regime ends only by a role it names, never by the developer."""

    policy: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class HoleFilled:
    """A condition takes the place of a hole until `expires`; approvals are statements of their own."""

    policy: str
    hole: str
    condition: str
    expires: int
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class SubjectDeclared:
    """A model or system is declared, with its lineage."""

    subject: Subject
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class Question:
    """One threshold that a run may answer before it has used all its samples: two claims, an error each.

    The boundaries say, sample by sample, how many successes (or failures) show a claim; they are committed here, so
    that whoever checks a verdict needs no search. Empty where scores are not 0 or 1, and bets decide instead.

    Attributes:
        above, above_error, above_steps: the rate is above this, at this error, as packed by `stats.boundary`.
        below, below_error, below_steps: the rate is below this.
    """

    above: Fraction
    above_error: Fraction
    above_steps: str
    below: Fraction
    below_error: Fraction
    below_steps: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a run is looked at while it goes on, fixed before it begins.

    Attributes:
        estimand: whether the claim is about the distribution that the items come from, or about this bank of them.
        bank: number of items that the order was drawn from.
        order: digest of the ids of the planned items, in the order in which they are run; of the whole bank, sorted,
            until the order is drawn.
        seed: what the order was drawn with; empty until then.
        clustered_by: what says which items belong together; empty for none.
        units: planned number of samples: of items, or of clusters of them.
        questions: what may be answered early.
        audits: the run whose items a random part of is run again; empty for none.
        reported: what that run came to, in the order of this one: `1`, `0` or `-` for every item of the bank.
    """

    estimand: Literal["population", "bank"]
    bank: int
    order: str
    seed: str
    clustered_by: str
    units: int
    questions: tuple[Question, ...]
    audits: str = ""
    reported: str = ""


@dataclass(frozen=True, slots=True)
class RunRegistered:
    """An evaluation run is registered before it happens.

    Attributes:
        run: its id.
        evaluation: digest of the evaluation (the variable measured).
        subject: the subject's name.
        elicitation: how the capability is drawn out, such as `prompting`; empty for none.
        scaffold: the scaffold around the model; empty for none.
        items: planned items; `item_ids` is the digest of their sorted ids, empty if only the count is planned.
        report_by: after this instant a run without a result is missing.
        methods: method cards (elicitation state of the art) the run follows.
        order: who chose the item order.
        task, scorer, model: what the log must name, in the words of its harness; empty where nobody said.
        sampling: how the run is looked at while it goes on; None when it is looked at once, at its end.
        claims: digests of documents that fix criteria beforehand, such as PRML manifests; they contradict nothing here.
    """

    run: str
    evaluation: str
    subject: str
    elicitation: str
    scaffold: str
    items: int
    item_ids: str
    report_by: int
    methods: tuple[str, ...]
    order: str
    by: str
    role: str
    task: str = ""
    scorer: str = ""
    model: str = ""
    sampling: Sampling | None = None
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultReported:
    """The result of a registered run, counted in items; missing items are planned but neither.

    Attributes:
        log: digest of the log it was read from.
        successes, failures, missing: items, summing to the planned number.
        adaptive: True when the run stopped early or chose its items by earlier results.
        binary: False when scores are not 0/1, or tries of one item were counted as items.
        evidence_class: `samples`, or `aggregate` where only totals were published.
        derived: True when the counts were derived from a reported standard error.
        provenance: shortfalls such as `dirty revision`, in the words of `scalegate.core.reading.SHORTFALLS`.
        findings: admissibility codes that were noted.
        beside: digests of files that were read with the log, such as the results file of lm-eval.
        task, model, scorer: what the log says was run, on what, and which of its scores was counted.
        content: digest over the samples, whatever bytes surround them; empty where the log has none.
        outcomes: of a run with a sampling plan, what its samples came to in registered order, up to the first that
            was not run: `1`, `0`, or `-` for one without a score. Where samples are means, each as a fraction, with
            spaces between; `low..high` where something of it has no score.
        commitments: `SIZE:ROOT:ROOT`, the number of samples and RFC 6962 roots over salted commitments to each, in
            hexadecimal digits: with the ids of items shown, and blinded (`scalegate.ledger.commitments`). Empty where
            the log has no scores of samples. Scores can be shown by it without the log; it counts for nothing itself.
    """

    run: str
    log: str
    successes: int
    failures: int
    missing: int
    adaptive: bool
    binary: bool
    evidence_class: Literal["samples", "aggregate"]
    derived: bool
    provenance: tuple[str, ...]
    findings: tuple[str, ...]
    harness: str
    by: str
    role: str
    beside: tuple[str, ...] = ()
    task: str = ""
    model: str = ""
    scorer: str = ""
    content: str = ""
    outcomes: str = ""
    commitments: str = ""


@dataclass(frozen=True, slots=True)
class ResultRefused:
    """A log was offered for a run and refused; it stays visible, and bars favorable use of any other log of the run.

    `content` is the digest over its samples, as in `ResultReported`.
    """

    run: str
    log: str
    code: str
    message: str
    by: str
    role: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class RunVoided:
    """A crashed run without a result is voided, under a role independent of the developer."""

    run: str
    why: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class DefectRetracted:
    """A defect that is reproducible without looking at scores voids every run that shares it, passes included.

    The runs are those listed, and every run of `evaluation` (a digest) when that is not empty.
    """

    defect: str
    runs: tuple[str, ...]
    evaluation: str
    by: str
    role: str


StatementKind = Literal[
    "safeguard",
    "predicate",
    "belief",
    "measurement",
    "approval",
    "publication",
    "countersignature",
    "treat-as-crossed",
]


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody attests, or denies (`holds` False), something; nothing is true by default.

    Attributes:
        kind: what kind of thing is stated.
        topic: the safeguard, predicate, matter or `evaluation-digest:claim` it is about.
        subject: the subject it is about; empty for every subject of the issuer.
        expires: when it ends, seconds since 1970; 0 when the speaker set none.
        count: (successes, trials) of a measurement.
        means, because: digests that a safeguard statement is about.
        action, compute: what a countersignature covers, and up to which effective compute.
        evidence: digests of supporting documents.
    """

    kind: StatementKind
    topic: str
    subject: str
    holds: bool
    expires: int
    count: tuple[int, int] | None
    means: str
    because: str
    action: str
    compute: int
    evidence: tuple[str, ...]
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class MethodPublished:
    """A new elicitation method card: earlier evidence by that elicitation is behind the state of the art."""

    card: str
    elicitation: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class StopOrdered:
    """A stop order on `actions` (empty: everything) of a subject (empty: all)."""

    order: str
    actions: tuple[str, ...]
    subject: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class StopLifted:
    """A stop order is lifted; it counts only in the role that issued it."""

    order: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class ExceptionInvoked:
    """An exception of a policy is invoked, from now for at most its `each`."""

    policy: str
    exception: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class PermitRevoked:
    """A permit (the digest of a decision) ends at once."""

    decision: str
    by: str
    role: str


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A live answer of the gate; `limit` and `expires` are 0 unless it is a permit.

    `head` is what it was made on; `trust` the digest of the trust file in force, empty where there was none.
    """

    decision: str
    answer: Literal["permit", "hold"]
    action: str
    subject: str
    context: str
    limit: int
    expires: int
    policies: tuple[str, ...]
    head: str
    number: int
    trust: str = ""


Event: TypeAlias = (
    PolicyAdopted
    | PolicyWithdrawn
    | HoleFilled
    | SubjectDeclared
    | RunRegistered
    | ResultReported
    | ResultRefused
    | RunVoided
    | DefectRetracted
    | Statement
    | MethodPublished
    | StopOrdered
    | StopLifted
    | ExceptionInvoked
    | PermitRevoked
    | DecisionMade
    | TrustAdopted
    | HeadWitnessed
    | OrderDrawn
    | KeyRotated
    | KeyRevoked
    | PermitClaimed
    | JobReported
    | MultiplierStated
    | DeveloperDescribed
    | PolicyCompared
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event with its place in the history: consecutive `index` from 0, time, and digest of what was signed."""

    index: int
    at: int
    digest: str
    event: Event


@dataclass(frozen=True, slots=True)
class Terms:
    """What the trust file in force asks of a permit.

    Attributes:
        trust: digest of the trust file.
        witnessed: whether permits need a head of the log that witnesses cosigned.
        fresh: how old that may be, in seconds.
    """

    trust: str
    witnessed: bool
    fresh: int


@dataclass(frozen=True, slots=True)
class History:
    """The entries a question is answered from, and whether the store vouches for their completeness.

    Attributes:
        entries: all of them, in order.
        fault: what is wrong with the history, and makes everything hold; empty for a complete one.
        terms: what the trust file asks; None for a history that nobody signed.
    """

    entries: tuple[Entry, ...]
    fault: str = ""
    terms: Terms | None = None

    @property
    def head(self) -> str:
        """Digest of the last entry; empty for an empty history."""
        return self.entries[-1].digest if self.entries else ""


def claim_topic(evaluation: str, claim: str) -> str:
    """Return the topic of a belief or measurement about an evaluation (its digest)."""
    return f"{evaluation}:{claim}"


def matter_topic(policy: str, matter: str) -> str:
    """Return the topic of a statement on a matter of one policy.

    Matters are `exception:ID`, `amendment:DIGEST`, `withdrawal`, that of a fill (see `fill_matter`), a safeguard's id,
    or `SAFEGUARD:COUNT` for a measurement that a safeguard names.
    """
    return f"{policy}/{matter}"


def specified_topic(hole: str) -> str:
    """Return the topic of the attestation that a hole is specified."""
    return f"specified:{hole}"


def fill_matter(hole: str, condition: str, expires: int) -> str:
    """Return the matter that the approvers of a fill approve: these very words, until this very day."""
    return f"fill:{hole}:{digest({'condition': condition, 'expires': expires})}"


def ratio(count: tuple[int, int]) -> Fraction:
    """Return successes over trials; 0 for no trials."""
    return Fraction(count[0], count[1]) if count[1] else Fraction(0)
