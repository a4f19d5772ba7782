"""Whether models that were made from others are covered by permits, or lie where no policy binds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from scalegate.audit.report import Report, Verdict
from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.decision import Request
from scalegate.core.events import DecisionMade, Entry, PermitRevoked, PolicyAdopted, SubjectDeclared
from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Condition, Kernel, Not
from scalegate.core.person import person
from scalegate.core.quantities import DAY, show_count, show_flop
from scalegate.core.subject import FAVORABLE_EDGES, WEIGHT_EDGES, Edge, Subject
from scalegate.core.terms import Clock
from scalegate.enforce.journal import SAVED
from scalegate.gate.apply import apply_policy
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.decide import decide_next
from scalegate.gate.force import Force
from scalegate.gate.lineage import Lineage
from scalegate.gate.origin import comes_from, is_start, with_teachers
from scalegate.gate.records import Records

MAKES_WEIGHTS = frozenset({TRAIN, NEW_SCALE, MITIGATION})
_ROOM = "checkpoints"
# Of these models nobody can say from the log alone whether they needed a permit; they are counted.
_EARLY = "whether permits were needed for {}: made before a policy was in force, as was declared"
_STRANGE = "whether permits were needed for {}: no adopted policy names whose they are"
_UNASKED = "whether permits would have been given in time for {}: nobody asked until they were declared"
_UNSEEN = "whether permits were needed for {}: no job reported them, and no weights are named that they come from"


@dataclass(slots=True)
class Coverage:
    """What was permitted, claimed, reported and declared so far.

    Attributes:
        permits: those to make weights, with when they were given, by subject.
        revoked: when each permit was revoked, by its digest.
        claims: by digest of the permit.
        made: by digest of a checkpoint, the report under each permit that counted the most for it.
        begun: when a policy was first adopted; None before.
        covered: how many trained models a permit covers, or none needed to.
    """

    report: Report
    permits: dict[str, list[tuple[int, DecisionMade]]] = field(default_factory=dict)
    revoked: dict[str, int] = field(default_factory=dict)
    claims: dict[str, PermitClaimed] = field(default_factory=dict)
    made: dict[str, dict[str, JobReported]] = field(default_factory=dict)
    begun: int | None = None
    covered: int = 0
    _counts: dict[str, list[str]] = field(default_factory=dict)
    _wrong: set[str] = field(default_factory=set)
    _scopes: dict[str, Kernel] = field(default_factory=dict)

    def add(self, chronicle: Chronicle, entry: Entry) -> None:
        """Take over the next entry, which the chronicle does not have yet, and look at the models it is about."""
        match entry.event:
            case DecisionMade(answer="permit") as event if event.action in MAKES_WEIGHTS:
                self.permits.setdefault(event.subject, []).append((entry.at, event))
            case PermitRevoked() as event:
                self.revoked.setdefault(event.decision, entry.at)
            case PolicyAdopted() if self.begun is None:
                self.begun = entry.at
            case PermitClaimed() as event:
                self.claims[event.decision] = event
            case JobReported() as event if event.kind in SAVED and event.digest:
                self._reported(chronicle, event, entry)
            case SubjectDeclared(subject=subject) if subject.kind == "model":
                records, force = chronicle.at(entry.at)
                if subject.name not in records.subjects:
                    self._declared(chronicle, records, force, subject, entry)
            case _:
                pass

    def close(self) -> None:
        """Say how many models are covered, and of how many nobody can say."""
        for words, names in self._counts.items():
            shown = ", ".join(names[:3]) + ", ..." * (len(names) > 3)
            self.report.add(_ROOM, "impossible", words.format(f"{show_count(len(names), 'model')} ({shown})"))
        if self.covered and not self._wrong:
            claim = "each is covered by a permit, or lies where nothing binds"
            self.report.add(_ROOM, "passed", f"{show_count(self.covered, 'trained model')}: {claim}")

    def say(self, verdict: Verdict, name: str, message: str, entry: Entry) -> None:
        """Add what came of a model; what is wrong with it is said once."""
        if name in self._wrong:
            return
        if verdict == "failed":
            self._wrong.add(name)
        self.report.add(_ROOM, verdict, message, entry.index)

    def count(self, why: str, name: str) -> None:
        """Count a model of which nobody can say."""
        self._counts.setdefault(why, []).append(name)

    def _reported(self, chronicle: Chronicle, event: JobReported, entry: Entry) -> None:
        """Look again at the models that were declared with the files of a checkpoint before it was reported."""
        under = self.made.setdefault(event.digest, {})
        known = under.get(event.decision)
        if known is not None and known.reached >= event.reached:
            return
        under[event.decision] = event
        records, _ = chronicle.at(entry.at)
        declared = [subject for subject in records.subjects.values() if subject.digest == event.digest]
        lineage = Lineage(records.subjects) if declared else None
        for subject in declared:
            wrong = self._misstated(lineage, subject) if lineage else ""
            if wrong:
                self.say("failed", subject.name, wrong, entry)

    def _misstated(self, lineage: Lineage, subject: Subject) -> str:
        """Return what a declaration says otherwise than the jobs that made the files."""
        for claim in self._claims_of(lineage, subject):
            event = self.made[subject.digest][claim.decision]
            if not comes_from(lineage, subject, claim):
                return f"job {event.job} made {subject.name} from {claim.subject}, and that is not how it was declared"
            high = lineage.compute(subject, teachers=with_teachers(lineage, claim)).high
            if high < event.reached:
                return (
                    f"{subject.name} was declared with at most {show_flop(high)} FLOP of effective compute, and the "
                    f"job that made it counted {show_flop(event.reached)}"
                )
        return ""

    def _claims_of(self, lineage: Lineage, subject: Subject) -> list[PermitClaimed]:
        """Return under which permits jobs saved the files of a model, other than as what they began with."""
        claims = [self.claims[decision] for decision in self.made.get(subject.digest, ())]
        return [claim for claim in claims if not is_start(lineage, subject, claim)]

    def _declared(self, chronicle: Chronicle, records: Records, force: Force, subject: Subject, entry: Entry) -> None:
        lineage = Lineage({**records.subjects, subject.name: subject}, records.mitigated())
        wrong = self._misstated(lineage, subject)
        for name in sorted(lineage.twins[subject.digest]):
            if _past(lineage.subjects[name]) != _past(subject):
                wrong = wrong or f"{subject.name} and {name} are the same files, and were declared with other pasts"
        if wrong:
            self.say("failed", subject.name, wrong, entry)
            return
        edges = [edge for edge in subject.parents if edge.kind in WEIGHT_EDGES]
        question = _Question(self, chronicle, records, force, lineage, subject, entry)
        if any(claim.action in MAKES_WEIGHTS for claim in self._claims_of(lineage, subject)):
            # How far its job went, and until when, is for its reports to say.
            self.covered += 1
        elif not edges:
            unsaid = bool(subject.parents) or not subject.lineage_declared
            if unsaid and question.bound(subject.name, None) and not self._exempt(force, subject, entry):
                self.count(_UNSEEN, subject.name)
        elif not self._exempt(force, subject, entry):
            question.ask(edges)

    def _exempt(self, force: Force, subject: Subject, entry: Entry) -> bool:
        """Count a model that was made before any policy was in force, or whose issuer none of them names."""
        begun = self.begun
        if begun is None or made_of(subject, entry)[0] < begun or not (force.kernels or force.faults):
            self.count(_EARLY, subject.name)
            return True
        issuers = {person(kernel.issuer) for _, kernel in force.every if kernel.kind == "policy"}
        if person(subject.issuer) not in issuers:
            self.count(_STRANGE, subject.name)
            return True
        return False

    def scope_of(self, kernel: Kernel) -> Kernel:
        """Return a policy with nothing but its scope, which is all that says whether it binds."""
        if kernel.digest not in self._scopes:
            used = set(_terms(kernel.scope))
            terms = tuple(term if place in used else Clock() for place, term in enumerate(kernel.terms))
            self._scopes[kernel.digest] = replace(kernel, terms=terms, commitments=(), exceptions=())
        return self._scopes[kernel.digest]


@dataclass(slots=True)
class _Question:
    """Whether the making of one model needed a permit, and had it."""

    coverage: Coverage
    chronicle: Chronicle
    records: Records
    force: Force
    lineage: Lineage
    subject: Subject
    entry: Entry

    def ask(self, edges: Sequence[Edge]) -> None:
        """Look at each of the models that the weights come from, and say what is wrong, or open."""
        name = self.subject.name
        found = dict(self._one(edge) for edge in edges)
        for verdict in ("failed", "impossible"):
            if verdict in found:
                self.coverage.say(verdict, name, found[verdict], self.entry)
                return
        if "unasked" in found:
            self.coverage.count(_UNASKED, name)
        else:
            self.coverage.covered += 1

    def _one(self, edge: Edge) -> tuple[str, str]:
        """Return what came out for one parent, in a word and for people."""
        name, parent = self.subject.name, edge.parent
        missing = f"{name} was made from {parent}, which was not declared, and no permit covers that"
        if parent not in self.records.subjects:
            return "failed", missing
        low, high = self._span(parent)
        limit = self._limit(edge, high)
        if limit >= high:
            return "covered", ""
        span = f"it was declared with {show_flop(low)} to {show_flop(high)} FLOP"
        if limit >= low:
            return "impossible", f"whether {name} stayed within its permit: {span}"
        binds = self.bound(parent, low)
        if (binds or self.records.stops or self.force.faults) and not self._permitted(parent, low):
            return "failed", f"{name} was trained to {show_flop(low)} FLOP from {parent}, and no permit covers that"
        if binds:
            return "unasked", ""
        if high > low and self.bound(parent, high):
            return "impossible", f"whether {name} needed a permit: {span}"
        return "free", ""

    def _span(self, parent: str) -> tuple[int, int]:
        """Return the least and the most that a permit has to allow; teachers count where a binding policy says so."""
        low, high = self.lineage.spent(self.subject), self.lineage.compute(self.subject, teachers=False).high
        taught = self.lineage.compute(self.subject)
        if (taught.low > low or taught.high > high) and self.bound(parent, low, teachers=True):
            return max(low, taught.low), max(high, taught.high)
        return low, max(low, high)

    def bound(self, name: str, to: int | None, *, teachers: bool = False) -> bool:
        """Whether a policy in force binds training from a model; only those that count teachers, if asked so."""
        request = Request(TRAIN, name, to, "")
        kernels = [kernel for kernel in self.force.kernels if kernel.teachers_count or not teachers]
        scopes = map(self.coverage.scope_of, kernels)
        return any(apply_policy(self.records, self.lineage, request, scope).binds for scope in scopes)

    def _permitted(self, parent: str, to: int) -> bool:
        """Whether the gate had nothing against it when the model was declared; late witnesses aside."""
        decision = decide_next(self.chronicle, Request(TRAIN, parent, to, ""), self.entry.at)
        return all(reason.kind == "stale" and not reason.commitment for reason in decision.reasons)

    def _limit(self, edge: Edge, enough: int) -> int:
        """Return how far a permit reaches that the model was made under; -1 where none was in time.

        A permit on an ancestor covers, too, what was trained on step by step, each within its time. A stop order on one
        between asks for a permit that was given on that one.
        """
        best, name = -1, edge.parent
        first, last = made_of(self.subject, self.entry)
        straight = edge.kind in FAVORABLE_EDGES and len(self.subject.parents) == 1
        stopped = {order.subject for _, order in self.records.stops}
        seen: set[str] = set()
        while name in self.records.subjects and name not in seen and best < enough:
            seen.add(name)
            known = self.records.subjects[name]
            for twin in self.lineage.twins[known.digest]:
                for given, permit in self.coverage.permits.get(twin, ()):
                    end = self.coverage.revoked.get(permit.decision, first + 1)
                    if given <= last and first <= permit.expires and first < end:
                        best = max(best, permit.limit)
            straight = straight and len(known.parents) == 1 and known.parents[0].kind in FAVORABLE_EDGES
            if not straight or name in stopped:
                break
            begun, done = made_of(known, self.records.declared[name])
            first, last = max(first, begun), min(last, done)
            name = known.parents[0].parent
        return best


def made_of(subject: Subject, entry: Entry) -> tuple[int, int]:
    """Return when a model was made, at the earliest and the latest; a date alone stands for its whole day."""
    first = min(subject.made_at or entry.at, entry.at)
    return first, min(first + DAY - 1, entry.at) if first % DAY == 0 else first


def _past(subject: Subject) -> tuple[object, ...]:
    return subject.kind, subject.compute, subject.lineage_declared, frozenset(subject.parents)


def _terms(condition: Condition) -> Iterator[int]:
    """Yield the terms that a condition looks at."""
    if isinstance(condition, Compare):
        yield condition.term
    elif isinstance(condition, Not):
        yield from _terms(condition.part)
    elif isinstance(condition, All | AnyOf | AtLeast):
        for part in condition.parts:
            yield from _terms(part)
