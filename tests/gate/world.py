"""A laboratory in memory: a hand-moved clock and a chained history, so that an attack is a two-line edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from scalegate.core.canonical import digest, digest_bytes
from scalegate.core.decision import Decision, Request
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import (
    DecisionMade,
    DefectRetracted,
    Entry,
    Event,
    ExceptionInvoked,
    History,
    HoleFilled,
    MethodPublished,
    PolicyAdopted,
    PolicyWithdrawn,
    ResultRefused,
    ResultReported,
    RunRegistered,
    RunVoided,
    Sampling,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
    fill_matter,
    matter_topic,
)
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import DAY, YEAR, ComputeRange, instant
from scalegate.core.subject import Edge, Subject
from scalegate.gate import decide
from scalegate.gate.records import index
from scalegate.gate.sampling import asked, commit
from scalegate.gate.streams import Streams
from scalegate.policy import load
from tests.gate.policies import POLICY

START = instant("2026-02-01")
LAB, AUDITOR, REGULATOR = "acme", "metra", "office"

Parent = tuple[str, str]


def flop(amount: float) -> int:
    """Return a float as the exact number of FLOP that it is written as."""
    return int(Decimal(str(amount)))


class World:
    """One laboratory. Every act is an event of its history at the current `now`; `tick` moves the clock.

    Speakers are given as `by` and `role`; the default speaker of an act is whoever may rightly do it.
    """

    def __init__(self, policy: str | None = POLICY, now: int = START) -> None:
        self.now = now
        self.entries: list[Entry] = []
        self.kernels: dict[str, Kernel] = {}
        self.texts: dict[str, str] = {}
        self.fault = ""
        self.runs = 0
        if policy is not None:
            self.adopt(policy)

    # ------------------------------------------------------------ the history

    def tick(self, seconds: int = 0, *, days: int = 0) -> World:
        self.now += seconds + days * DAY
        return self

    def record(self, event: Event) -> Entry:
        index, previous = len(self.entries), self.entries[-1].digest if self.entries else ""
        entry = Entry(index, self.now, digest([index, self.now, previous, repr(event)]), event)
        self.entries.append(entry)
        return entry

    def forget(self, *unwanted: Entry) -> None:
        """Chain the history anew without some entries, as if they had never been made."""
        kept = [entry for entry in self.entries if entry not in unwanted]
        self.entries, now = [], self.now
        for entry in kept:
            self.now = entry.at
            self.record(entry.event)
        self.now = now

    @property
    def history(self) -> History:
        return History(tuple(self.entries), self.fault)

    def ask(
        self,
        action: str,
        subject: str,
        to: float | None = None,
        context: str = "",
        *,
        at: int | None = None,
        counterfactual: bool = False,
        extra: Sequence[str] = (),
    ) -> Decision:
        request = Request(action, subject, None if to is None else flop(to), context)
        kernels = [load(text) for text in extra]
        now = self.now if at is None else at
        return decide(self.history, request, now, kernels, counterfactual=counterfactual)

    # ------------------------------------------------------------ policies

    def adopt(self, text: str, *, by: str = LAB, role: str = "developer", name: str = "") -> str:
        """Adopt a policy text; `name` is needed only for a text that cannot be read."""
        identity = name
        if not name:
            kernel = load(text)
            identity = kernel.id
            self.kernels.setdefault(identity, kernel)
            self.texts.setdefault(identity, text)
        mark = digest_bytes(text.encode())
        self.record(PolicyAdopted(identity, mark, text, "", self.now, by, role))
        return mark

    def amend(
        self,
        text: str,
        *,
        notice: int = 30 * DAY,
        approved_by: Sequence[tuple[str, str]] = (("ann", "board"), ("bob", "board"), (AUDITOR, "auditor")),
    ) -> None:
        """Approve and adopt a text in place of the one it amends, effective after `notice`."""
        kernel = load(text)
        mark = digest_bytes(text.encode())
        for by, role in approved_by:
            self.approve(f"amendment:{mark}", by=by, role=role, policy=kernel.id)
        old = digest_bytes(self.texts[kernel.id].encode())
        effective = self.now + notice
        self.record(PolicyAdopted(kernel.id, mark, text, old, effective, LAB, "developer"))

    def withdraw(
        self,
        policy: str = "lab",
        *,
        by: str = LAB,
        role: str = "developer",
        approved_by: Sequence[tuple[str, str]] = (),
    ) -> None:
        for name, voice in approved_by:
            self.approve("withdrawal", by=name, role=voice, policy=policy)
        self.record(PolicyWithdrawn(policy, by, role))

    def fill(
        self,
        hole: str,
        condition: str,
        *,
        approved_by: Sequence[tuple[str, str]] = (),
        expires: int | None = None,
        approvals_expire: int | None = None,
        policy: str = "lab",
        by: str = LAB,
        role: str = "developer",
    ) -> None:
        end = self.now + YEAR if expires is None else expires
        matter = fill_matter(hole, condition, end)
        for name, voice in approved_by:
            self.approve(matter, by=name, role=voice, policy=policy, expires=approvals_expire)
        self.record(HoleFilled(policy, hole, condition, end, by, role))

    def evaluation(self, name: str) -> str:
        """Return the digest of an evaluation of any adopted policy."""
        for kernel in self.kernels.values():
            if name in kernel.evaluations:
                return kernel.evaluations[name].digest or ""
        return name

    # ------------------------------------------------------------ subjects

    def declare(
        self,
        name: str,
        parents: Sequence[Parent] = (),
        compute: float | tuple[float, float] | None = 1e25,
        *,
        kind: Literal["model", "system"] = "model",
        weights: str = "",
        scaffold: str = "",
        safeguards: tuple[str, ...] = (),
        declared: bool = True,
        issuer: str = LAB,
        mark: str = "",
        made_at: int | None = None,
    ) -> str:
        """Declare a subject; `compute` is what was spent on it beyond its parents."""
        if isinstance(compute, tuple):
            spent = ComputeRange(flop(compute[0]), flop(compute[1]))
        else:
            spent = None if compute is None else ComputeRange(flop(compute), flop(compute))
        edges = tuple(Edge(parent, edge) for parent, edge in parents)  # type: ignore[arg-type]
        own = mark or digest_bytes(name.encode())
        taken = self.now if made_at is None else made_at
        subject = Subject(name, own, issuer, kind, edges, declared, spent, taken, weights, safeguards, scaffold)
        self.record(SubjectDeclared(subject, issuer, "developer"))
        return name

    def system(self, name: str, weights: str, scaffold: str = "", safeguards: tuple[str, ...] = ()) -> str:
        return self.declare(
            name, compute=None, kind="system", weights=weights, scaffold=scaffold, safeguards=safeguards
        )

    # ------------------------------------------------------------ evidence

    def register(
        self,
        subject: str,
        evaluation: str = "autonomy",
        *,
        items: int = 1000,
        elicitation: str = "",
        scaffold: str = "",
        days: int = 14,
        methods: tuple[str, ...] = (),
        run: str = "",
        by: str = AUDITOR,
        role: str = "auditor",
    ) -> str:
        """Register a run that must report within `days`; return its id."""
        self.runs += 1
        run = run or f"run-{self.runs}"
        self.record(
            RunRegistered(
                run,
                self.evaluation(evaluation),
                subject,
                elicitation,
                scaffold,
                items,
                "",
                self.now + days * DAY,
                methods,
                "developer",
                by,
                role,
            )
        )
        return run

    def report(
        self,
        run: str,
        successes: int,
        failures: int,
        missing: int = 0,
        *,
        by: str = AUDITOR,
        role: str = "auditor",
        **other: Any,
    ) -> None:
        result = ResultReported(
            run=run,
            log=digest_bytes(f"{run} {successes} {failures} {missing}".encode()),
            successes=successes,
            failures=failures,
            missing=missing,
            adaptive=False,
            binary=True,
            evidence_class="samples",
            derived=False,
            provenance=(),
            findings=(),
            harness="inspect 0.3",
            by=by,
            role=role,
        )
        self.record(replace(result, **other))

    def measure(
        self,
        subject: str,
        evaluation: str = "autonomy",
        successes: int = 0,
        failures: int = 1000,
        missing: int = 0,
        *,
        elicitation: str = "",
        scaffold: str = "",
        methods: tuple[str, ...] = (),
        by: str = AUDITOR,
        role: str = "auditor",
        **other: Any,
    ) -> str:
        """Register a run and report it at once."""
        run = self.register(
            subject,
            evaluation,
            items=successes + failures + missing,
            elicitation=elicitation,
            scaffold=scaffold,
            methods=methods,
            by=by,
            role=role,
        )
        self.report(run, successes, failures, missing, by=by, role=role, **other)
        return run

    def look(
        self,
        subject: str,
        outcomes: str,
        *,
        items: int = 1000,
        evaluation: str = "autonomy",
        elicitation: str = "",
        by: str = AUDITOR,
        role: str = "auditor",
        estimand: Literal["population", "bank"] = "population",
        **other: Any,
    ) -> str:
        """Register a run that may end early, with boundaries for every threshold, and report what it came to."""
        run = self.plan(subject, items, evaluation, elicitation, by, role, estimand=estimand)
        counts = outcomes.count("1"), outcomes.count("0")
        left = items - sum(counts)
        said = {"outcomes": outcomes, "adaptive": len(outcomes) < items} | other
        self.report(run, *counts, left, by=by, role=role, **said)
        return run

    def plan(
        self,
        subject: str,
        items: int = 1000,
        evaluation: str = "autonomy",
        elicitation: str = "",
        by: str = AUDITOR,
        role: str = "auditor",
        *,
        estimand: Literal["population", "bank"] = "population",
    ) -> str:
        """Register a run that may end early, with boundaries for every threshold of the policies."""
        run = self.register(subject, evaluation, items=items, elicitation=elicitation, by=by, role=role)
        bare = self.entries.pop().event
        kernels = list(self.kernels.values())
        mark = self.evaluation(evaluation)
        streams = [
            Streams(index(tuple(self.entries), self.now), kernel, spec)
            for kernel in kernels
            for spec in kernel.evaluations.values()
            if spec.digest == mark
        ]
        share = min(stream.share_of(bare) for stream in streams)
        bank = items if estimand == "bank" else 0
        questions = tuple(commit(item, items, bank) for item in asked(kernels, mark, share))
        self.record(replace(bare, sampling=Sampling(estimand, items, "sha256:order", "seed", "", items, questions)))
        return run

    def refuse(self, run: str, code: str = "E403", *, by: str = AUDITOR, role: str = "auditor") -> None:
        self.record(ResultRefused(run, digest_bytes(run.encode()), code, "copies disagree", by, role))

    def void(self, run: str, *, by: str = AUDITOR, role: str = "auditor") -> None:
        self.record(RunVoided(run, "the machine crashed", by, role))

    def retract(self, *runs: str, evaluation: str = "", by: str = AUDITOR, role: str = "auditor") -> None:
        mark = self.evaluation(evaluation) if evaluation else ""
        self.record(DefectRetracted("the answer key is shifted by one", runs, mark, by, role))

    def method(self, card: str, elicitation: str = "", *, by: str = AUDITOR, role: str = "auditor") -> None:
        self.record(MethodPublished(card, elicitation, by, role))

    # ------------------------------------------------------------ statements

    def state(
        self,
        kind: str,
        topic: str,
        subject: str = "",
        *,
        holds: bool = True,
        expires: int | None = None,
        count: tuple[int, int] | None = None,
        means: str = "",
        because: str = "",
        action: str = "",
        compute: float = 0,
        by: str = AUDITOR,
        role: str = "auditor",
    ) -> None:
        """Record a statement that expires after a year unless told otherwise."""
        end = self.now + YEAR if expires is None else expires
        self.record(
            Statement(
                kind,  # type: ignore[arg-type]
                topic,
                subject,
                holds,
                end,
                count,
                means,
                because,
                action,
                flop(compute),
                (),
                by,
                role,
            )
        )

    def attest(self, predicate: str, subject: str = "", **other: Any) -> None:
        self.state("predicate", predicate, subject, **other)

    def deny(self, predicate: str, subject: str = "", **other: Any) -> None:
        self.state("predicate", predicate, subject, holds=False, **other)

    def believe(self, claim: str, subject: str, evaluation: str = "autonomy", **other: Any) -> None:
        self.state("belief", claim_topic(self.evaluation(evaluation), claim), subject, **other)

    def count(
        self, name: str, subject: str, reached: int, trials: int, evaluation: str = "autonomy", **other: Any
    ) -> None:
        """State a measurement that an evaluation asks for, such as `spike-in recovered`."""
        topic = claim_topic(self.evaluation(evaluation), name)
        self.state("measurement", topic, subject, count=(reached, trials), **other)

    def approve(self, matter: str, subject: str = "", *, policy: str = "lab", **other: Any) -> None:
        self.state("approval", matter_topic(policy, matter), subject, **other)

    def publish(self, matter: str, *, policy: str = "lab", **other: Any) -> None:
        self.state("publication", matter_topic(policy, matter), **{"by": LAB, "role": "developer", **other})

    def safeguard(self, name: str, subject: str, *, policy: str = "lab", **other: Any) -> None:
        """State that a safeguard, by its pinned means and for its pinned reason, stands in front of a subject."""
        spec = self.kernels[policy].safeguards[name]
        pinned = {"means": spec.means or "", "because": spec.because or ""}
        self.state("safeguard", matter_topic(policy, name), subject, **{**pinned, **other})

    def attack(
        self, name: str, what: str, subject: str, thefts: int, trials: int, *, policy: str = "lab", **other: Any
    ) -> None:
        """State how often a safeguard failed under a measured attack."""
        means = self.kernels[policy].safeguards[name].means or ""
        topic = matter_topic(policy, f"{name}:{what}")
        self.state("measurement", topic, subject, count=(thefts, trials), means=means, **other)

    def countersign(self, action: str, subject: str, compute: float = 0, **other: Any) -> None:
        self.state("countersignature", action, subject, action=action, compute=compute, **other)

    def treat_as_crossed(self, subject: str, evaluation: str = "autonomy", **other: Any) -> None:
        self.state("treat-as-crossed", self.evaluation(evaluation), subject, **other)

    def describe(
        self,
        low: int = 0,
        high: int | None = None,
        *,
        places: Sequence[str] = (),
        absent: Sequence[str] = (),
        expires: int | None = None,
        by: str = AUDITOR,
        role: str = "auditor",
    ) -> None:
        """Say how large the developer's business is, and where it operates; it expires after a year."""
        end = self.now + YEAR if expires is None else expires
        self.record(DeveloperDescribed(low, high, tuple(places), tuple(absent), end, by, role))

    # ------------------------------------------------------------ orders

    def stop(
        self, order: str = "halt", *actions: str, subject: str = "", by: str = REGULATOR, role: str = "regulator"
    ) -> None:
        self.record(StopOrdered(order, actions, subject, by, role))

    def lift(self, order: str = "halt", *, by: str = REGULATOR, role: str = "regulator") -> None:
        self.record(StopLifted(order, by, role))

    def invoke(self, exception: str, *, policy: str = "lab", by: str = LAB, role: str = "developer") -> None:
        self.record(ExceptionInvoked(policy, exception, by, role))

    def decided(self, decision: Decision) -> None:
        """Record a decision, as the store does with every live one."""
        request, limits = decision.request, decision.limits
        self.record(
            DecisionMade(
                digest_bytes(repr(decision).encode()),
                decision.answer,
                request.action,
                request.subject,
                request.context,
                (limits.effective_compute or 0) if limits else 0,
                limits.expires if limits else 0,
                tuple(policy.digest for policy in decision.policies),
                decision.head,
                len(self.entries),
            )
        )


# ---------------------------------------------------------------- what a test says about an answer


def kinds(decision: Decision) -> set[str]:
    return {reason.kind for reason in decision.reasons}


def permitted(decision: Decision) -> bool:
    """Whether it is a permit, which has bounds and no reasons against it."""
    if decision.answer == "permit":
        assert decision.limits is not None
        assert decision.limits.expires > decision.as_of
        assert not decision.reasons
        assert not decision.remedies
        return True
    assert decision.limits is None
    assert decision.reasons
    assert decision.remedies, "a hold says what would release it, or that nobody knows"
    return False


def held(decision: Decision, *expected: str) -> bool:
    """Whether it is a hold for exactly these kinds of reasons."""
    assert not permitted(decision)
    assert kinds(decision) == set(expected), [(reason.kind, reason.message) for reason in decision.reasons]
    return True


def words(decision: Decision) -> str:
    return "\n".join(reason.message for reason in decision.reasons)


def steps(decision: Decision) -> str:
    return "\n".join(step for remedy in decision.remedies for step in remedy.steps)
