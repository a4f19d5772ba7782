"""Random histories near a permit under one or both of two policies, from a seed, with everything that either reads.

Most of what the policies ask for is there; a few things are late, missing, denied or worse than they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random

from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.decision import Request
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import (
    DefectRetracted,
    Entry,
    Event,
    ExceptionInvoked,
    History,
    MethodPublished,
    ResultReported,
    RunRegistered,
    RunVoided,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
    matter_topic,
)
from scalegate.core.kernel import Evaluation, Kernel, Safeguard
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.core.terms import Approved, Attested, Elapsed, Measure, Overdue, Published, Shown, Term
from scalegate.gate import decide
from scalegate.prove.nominal import leaves
from tests.prove.generators import BEGIN

NOW = BEGIN + 1000 * DAY
TRAINING = (TRAIN, NEW_SCALE, MITIGATION)
SPEAKERS = {
    "auditor": ("metra", "probe", "lens"),
    "regulator": ("office", "agency"),
    "board": ("ann", "bob", "cyd"),
    "developer": ("lab",),
    "watchdog": ("dog",),
}
# (successes, failures): clear, near a bound, and bad.
CLEAR = ((0, 900), (0, 2000), (0, 400))
NEAR = ((0, 100), (2, 98), (5, 195), (12, 188), (16, 184), (24, 176), (26, 174), (28, 172), (30, 170), (8, 32))
BAD = ((40, 160), (60, 40), (95, 5), (30, 70), (12, 28))
AGES = (0, 1, 5, 20, 29, 30, 31, 50, 59, 61, 75, 89, 91, 100, 119, 121, 200)
SIZES = (10**24, 2 * 10**24, 10**25)

Timed = tuple[int, Event]


@dataclass
class Lab:
    """A history in the making."""

    random: Random
    kernels: Sequence[Kernel]
    action: str
    timed: list[Timed] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)
    runs: int = 0

    def often(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def one(self, items: Sequence[object]) -> object:
        return self.random.choice(items)

    def add(self, days: int, event: Event, seconds: int = 0) -> None:
        self.timed.append((NOW - days * DAY - seconds, event))


# ---------------------------------------------------------------- what policies read


def read(kernel: Kernel) -> list[Term]:
    """Return the terms that a policy reads, each once."""
    conditions = [kernel.scope]
    for item in kernel.commitments:
        conditions += [item.when, item.until]
    for escape in kernel.exceptions:
        conditions += [escape.when, escape.until, *escape.needs]
    return list(dict.fromkeys(kernel.terms[leaf.term] for condition in conditions for leaf in leaves(condition)))


# ---------------------------------------------------------------- subjects


def family(lab: Lab) -> str:
    """Declare a model, perhaps with relatives, strangers and a system around it; return whom the request is about."""

    def model(name: str, spent: int, *edges: Edge, issuer: str = "lab", age: int = 500) -> Subject:
        low, high = spent, spent * (2 if lab.often(8) else 1)
        return Subject(name, f"sha256:{name}", issuer, "model", edges, True, ComputeRange(low, high), NOW - age * DAY)

    found = [model("m0", 10**25)]
    if lab.often(15):
        found.insert(0, model("t0", lab.random.choice(SIZES)))
        found[1] = replace(found[1], parents=(Edge("t0", lab.random.choice(("synthetic-data", "distill"))),))
    if lab.often(35):
        kind = lab.random.choice(("continue", "fine-tune", "fine-tune", "merge"))
        found.append(model("m1", lab.random.choice((1, 10**23, 4 * 10**23, 10**25)), Edge("m0", kind)))
    if lab.often(35):
        found.append(model("x0", lab.random.choice((*SIZES, 5 * 10**25)), issuer=lab.random.choice(("lab", "rival"))))
    if lab.often(20) and lab.action not in TRAINING:
        scaffold = lab.random.choice(("", "bare", "agent"))
        system = Subject("s0", "sha256:s0", "lab", "system", (), True, None, NOW, "m0", ("sha256:means",), scaffold)
        found.append(system)
    for item in found:
        lab.add(500, SubjectDeclared(item, item.issuer, "developer"))
    lab.subjects = found
    names = [item.name for item in found if item.name in ("m0", "m1", "s0")]
    return lab.random.choice(names)


# ---------------------------------------------------------------- evidence


def runs(lab: Lab, subject: str) -> None:
    """Measure what the policies read, mostly well, on the subject and sometimes on others."""
    names = [item.name for item in lab.subjects]
    for digest, specs in measured(lab.kernels).items():
        ways = {way for spec in specs for way in spec.elicited_by} or {""}
        scaffolds = {""}
        if any(term.every_scaffold for kernel in lab.kernels for term in read(kernel) if isinstance(term, Measure)):
            scaffolds = {"bare", "agent"} if lab.often(70) else {"bare"}
        for way in sorted(ways):
            for scaffold in sorted(scaffolds):
                if not lab.often(92):
                    continue
                kind = CLEAR if lab.often(55) else (*CLEAR, *NEAR)
                for about in {subject, "m0"} if lab.often(70) else {subject}:
                    run(lab, digest, specs, about, (way, scaffold), kind)
                if lab.often(25):
                    run(lab, digest, specs, subject, (way, scaffold), (*CLEAR, *NEAR, *NEAR, *BAD))
        for _ in range(lab.random.choice((0, 0, 1, 2))):
            stratum = (lab.random.choice((*sorted(ways), "", "fine-tuning")), lab.random.choice(("", "", "bare")))
            about = lab.random.choice((*names, "x0" if "x0" in names else subject))
            run(lab, digest, specs, about, stratum, (*CLEAR, *NEAR, *BAD, *BAD))


def measured(kernels: Sequence[Kernel]) -> dict[str, list[Evaluation]]:
    """Return the evaluations that the policies read, by digest."""
    found: dict[str, list[Evaluation]] = {}
    for kernel in kernels:
        for term in read(kernel):
            if isinstance(term, Measure):
                spec = kernel.evaluations[term.evaluation]
                found.setdefault(spec.digest or "", []).append(spec)
    return found


def run(
    lab: Lab,
    digest: str,
    specs: Sequence[Evaluation],
    subject: str,
    stratum: tuple[str, str],
    scores: Sequence[tuple[int, int]],
) -> None:
    """Register a run, and mostly report it."""
    lab.runs += 1
    name, age = f"run-{lab.runs}", lab.random.choice((1, 5, 20, *AGES)) if lab.often(60) else lab.random.choice((1, 5))
    good, bad = lab.random.choice(list(scores))
    role = lab.random.choice([spec.by for spec in specs]) or "auditor"
    by = lab.random.choice(SPEAKERS[role][:1] * 4 + SPEAKERS[role])
    if lab.often(6):
        by, role = "mallory", lab.random.choice((role, "developer"))
    methods = ("card",) if lab.often(85) else ()
    due = NOW + lab.random.choice((-1, 5, 30, 100, 300)) * DAY if lab.often(20) else NOW - age * DAY + DAY
    plan = RunRegistered(name, digest, subject, *stratum, good + bad, "", due, methods, "developer", by, role)
    lab.add(age, plan)
    if lab.often(9):
        if lab.often(30):
            lab.add(0, RunVoided(name, "crashed", "dog", lab.random.choice(("watchdog", "auditor"))))
        return
    missing = lab.random.choice((0, 0, 0, 0, 3))
    result = ResultReported(
        name,
        f"sha256:log-{name}",
        good,
        bad - missing,
        missing,
        adaptive=False,
        binary=True,
        evidence_class="aggregate" if lab.often(6) else "samples",
        derived=False,
        provenance=(lab.random.choice(("dirty revision", "start not dated", "scorer not registered")),)
        if lab.often(12)
        else (),
        findings=(),
        harness="h 1",
        by=by,
        role=role,
    )
    lab.add(age, result, -min(age, 1) * DAY // 2)
    if lab.often(4):
        lab.add(
            0, DefectRetracted("shifted", (name,), "", *lab.random.choice((("probe", "auditor"), ("dog", "watchdog"))))
        )


# ---------------------------------------------------------------- statements


def said(kind: str, topic: str, subject: str, by: str, role: str, **other: object) -> Statement:
    statement = Statement(kind, topic, subject, True, NOW + 400 * DAY, None, "", "", "", 0, (), by, role)
    return replace(statement, **other)


def voices(lab: Lab, kind: str, topic: str, role: str, subject: str, **other: object) -> None:
    """Let people of a role state something: mostly all of them, mostly for it."""
    speakers = list(SPEAKERS.get(role, ("lab",)))
    for by in speakers[: lab.random.choice((1, 2, 3, 3))]:
        for _ in range(lab.random.choice((1, 1, 1, 2))):
            changes: dict[str, object] = {
                "holds": lab.often(93),
                "expires": NOW + lab.random.choice((400, 400, 400, -1, 2)) * DAY,
            }
            if not lab.often(25):
                changes = {"holds": True}
            age = lab.random.choice(AGES) if lab.often(50) else 1
            lab.add(age, said(kind, topic, subject, by, role, **{**other, **changes}))


def statements(lab: Lab, subject: str, request: Request) -> None:
    """Say what the policies ask somebody to say."""
    done: set[object] = set()
    for kernel in lab.kernels:
        for term in read(kernel):
            key = (kernel.id, term, kernel.roles.get(getattr(term, "role", "") or ""))
            if key in done or lab.often(6):
                continue
            done.add(key)
            match term:
                case Attested(predicate=topic, role=role) | Elapsed(predicate=topic, role=role):
                    voices(lab, "predicate", topic, role, lab.random.choice(("", subject)))
                case Approved(matter=matter, role=role):
                    voices(lab, "approval", matter_topic(kernel.id, matter), role, "")
                case Published(matter=matter):
                    lab.add(3, said("publication", matter_topic(kernel.id, matter), "", "lab", "developer"))
                case Shown(safeguard=name):
                    guarded(lab, kernel, kernel.safeguards[name], subject)
                case Measure(evaluation=name):
                    believed(lab, kernel.evaluations[name])
                case _:
                    pass
        for role in kernel.countersigned_by:
            compute = lab.random.choice((10**28, 10**28, 10**25))
            voices(lab, "countersignature", request.action, role, subject, action=request.action, compute=compute)


def guarded(lab: Lab, kernel: Kernel, spec: Safeguard, subject: str) -> None:
    means = {"means": spec.means or "", "because": spec.because or ""}
    voices(lab, "safeguard", matter_topic(kernel.id, spec.id), spec.by or "auditor", subject, **means)
    for count in spec.fails_if:
        topic = matter_topic(kernel.id, f"{spec.id}:{count.name}")
        counted = (lab.random.choice((0, 0, 0, 0, 1)), lab.random.choice((3, 9, 20)))
        voices(lab, "measurement", topic, spec.by or "auditor", subject, means=spec.means or "", count=counted)


def believed(lab: Lab, spec: Evaluation) -> None:
    about = [item.name for item in lab.subjects if item.name in ("m0", "m1", "s0")]
    for belief in spec.beliefs:
        if belief.role is not None:
            voices(lab, "belief", claim_topic(spec.digest or "", belief.claim), belief.role, "")
    for count in (*spec.hidden_capability, *spec.shown_to_work):
        for name in about:
            counted = lab.random.choice(((20, 20), (40, 40), (19, 20), (18, 20), (10, 10), (9, 10)))
            topic = claim_topic(spec.digest or "", count.name)
            voices(lab, "measurement", topic, spec.by or "auditor", name, count=counted)


# ---------------------------------------------------------------- everything else


def clocks(lab: Lab) -> None:
    """Start and stop the clocks of obligations, and invoke exceptions."""
    for kernel in lab.kernels[: lab.random.choice((1, 2))]:
        for item in kernel.duties.obligations.values():
            if not any(isinstance(term, Overdue) for term in read(kernel)):
                continue
            for start in item.starts[: lab.random.choice((0, 1, 1))]:
                age = lab.random.choice((0, 1, 2, 3, 4, 5, 6, 7, 10))
                exact = lab.random.choice((0, 0, 1, -1))
                lab.add(age, said("predicate", start.predicate, "", "metra", start.role), exact if age else 0)
            for age in lab.random.sample((0, 1, 2, 10, 100, 179, 181, 300, 359, 361, 500, 700), 2):
                by = lab.random.choice(SPEAKERS.get(item.met.role, ("lab",)))
                lab.add(age, said("predicate", item.met.predicate, "", by, item.met.role))
        for escape in kernel.exceptions:
            for age in lab.random.sample(
                (0, 5, 9, 11, 25, 29, 35, 45, 59, 100, 200, 350), lab.random.choice((0, 1, 2, 3))
            ):
                lab.add(age, ExceptionInvoked(kernel.id, escape.id, "lab", "developer"))


def orders(lab: Lab, subject: str) -> None:
    if lab.often(12):
        actions = lab.random.choice(((), ("deploy",), ("train",), ("train.new-scale",)))
        about = lab.random.choice(("", subject))
        lab.add(5, StopOrdered("halt", actions, about, "office", lab.random.choice(("regulator", "auditor"))))
        if lab.often(70):
            role = lab.random.choice(("regulator", "auditor"))
            lab.add(3, StopLifted("halt", lab.random.choice(SPEAKERS[role]), role))
    if lab.often(10):
        lab.add(40, MethodPublished("card", "", "metra", "auditor"))
    if lab.often(5):
        digest = lab.random.choice([*measured(lab.kernels)] or [""])
        about = lab.random.choice([item.name for item in lab.subjects])
        lab.add(30, said("treat-as-crossed", digest, about, "mallory", "developer"))


def described(lab: Lab) -> None:
    for by, role in (("metra", "auditor"), ("office", "regulator")):
        if lab.often(30):
            high = lab.random.choice((10**8, 10**9))
            places = lab.random.choice(((("us-ca",), ()), ((), ("us-ca",))))
            lab.add(10, DeveloperDescribed(0, high, *places, NOW + lab.random.choice((100, -1)) * DAY, by, role))


def request_of(lab: Lab, subject: str) -> Request:
    if lab.action not in TRAINING:
        context = lab.random.choice(("", "room", "room")) if lab.action.startswith("deploy.internal") else ""
        return Request(lab.action, subject, None, context)
    spent = 10**25 if subject == "m0" else 2 * 10**25
    factor = Fraction(lab.random.choice((11, 15, 20, 21, 25, 39, 41, 55, 61)), 10)
    if lab.action == MITIGATION:
        factor = Fraction(lab.random.choice((1005, 1015, 1030, 1100)), 1000)
    return Request(lab.action, subject, int(spent * factor) + 1)


@dataclass(frozen=True)
class Story:
    """A history with a question."""

    timed: tuple[Timed, ...]
    request: Request
    now: int = NOW

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(Entry(place, at, f"sha256:entry-{place}", event) for place, (at, event) in enumerate(self.timed))

    def permits(self, *kernels: Kernel) -> bool:
        answer = decide(History(self.entries), self.request, self.now, kernels, counterfactual=True)
        assert not any("internally" in reason.message for reason in answer.reasons), answer.reasons
        return answer.answer == "permit"


def story(seed: int, kernels: Sequence[Kernel], action: str) -> Story:
    """Return a random history near a permit, and a question about it."""
    lab = Lab(Random(seed), kernels, action)
    subject = family(lab)
    request = request_of(lab, subject)
    runs(lab, subject)
    statements(lab, subject, request)
    clocks(lab)
    orders(lab, subject)
    described(lab)
    return Story(tuple(sorted(lab.timed, key=lambda item: item[0])), request)
