"""A history, indexed for the questions the gate asks of it. Entries later than the question are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import (
    DecisionMade,
    DefectRetracted,
    Entry,
    ExceptionInvoked,
    HoleFilled,
    MethodPublished,
    PolicyAdopted,
    PolicyWithdrawn,
    ResultRefused,
    ResultReported,
    RunRegistered,
    RunVoided,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
)
from scalegate.core.job_events import JobReported, MultiplierStated, PermitClaimed
from scalegate.core.log_events import OrderDrawn
from scalegate.core.order import seed_of
from scalegate.core.person import person
from scalegate.core.subject import Subject
from scalegate.gate.sight import Sight

SCALING = frozenset({TRAIN, NEW_SCALE})


@dataclass(slots=True)
class Run:
    """A registered run with everything that was later said of it.

    `copied_from` is the run whose result its own repeats: the same log, or other bytes around the same samples.
    """

    entry: Entry
    plan: RunRegistered
    result: ResultReported | None = None
    result_entry: Entry | None = None
    disputes: list[tuple[Entry, ResultReported]] = field(default_factory=list)
    refused: list[tuple[Entry, ResultRefused]] = field(default_factory=list)
    voids: list[tuple[Entry, RunVoided]] = field(default_factory=list)
    copied_from: str = ""


@dataclass(slots=True)
class Records:
    """The index. Lists keep the order of the history.

    `issuers` and `acted` (by role and name) say at which entry somebody first declared a subject, or acted in a role;
    `logs` says which run first had a log or its content, by its digest and task; `offers` which runs either was offered
    for; `measuring` has the runs of each evaluation; `permits` entry and action of those given, by subject; `scaled` is
    the largest compute that was ever permitted; `sight` what witnesses have seen.
    """

    now: int
    subjects: dict[str, Subject] = field(default_factory=dict)
    declared: dict[str, Entry] = field(default_factory=dict)
    issuers: dict[str, int] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    unregistered: list[tuple[Entry, ResultReported]] = field(default_factory=list)
    retractions: list[tuple[Entry, DefectRetracted]] = field(default_factory=list)
    statements: dict[tuple[str, str], list[tuple[Entry, Statement]]] = field(default_factory=lambda: defaultdict(list))
    methods: list[tuple[Entry, MethodPublished]] = field(default_factory=list)
    adopted: list[tuple[Entry, PolicyAdopted]] = field(default_factory=list)
    withdrawn: list[tuple[Entry, PolicyWithdrawn]] = field(default_factory=list)
    fills: list[tuple[Entry, HoleFilled]] = field(default_factory=list)
    stops: list[tuple[Entry, StopOrdered]] = field(default_factory=list)
    lifts: list[tuple[Entry, StopLifted]] = field(default_factory=list)
    invoked: list[tuple[Entry, ExceptionInvoked]] = field(default_factory=list)
    decisions: list[tuple[Entry, DecisionMade]] = field(default_factory=list)
    acted: dict[tuple[str, str], int] = field(default_factory=dict)
    logs: dict[tuple[str, str], str] = field(default_factory=dict)
    claims: list[tuple[Entry, PermitClaimed]] = field(default_factory=list)
    reports: list[tuple[Entry, JobReported]] = field(default_factory=list)
    multipliers: list[tuple[Entry, MultiplierStated]] = field(default_factory=list)
    described: list[tuple[Entry, DeveloperDescribed]] = field(default_factory=list)
    sight: Sight = field(default_factory=Sight)
    permits: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    scaled: int = 0
    offers: dict[str, list[str]] = field(default_factory=dict)
    measuring: dict[str, list[Run]] = field(default_factory=dict)

    def mitigated(self) -> frozenset[str]:
        """Return the models made while their parent had a permit for mitigation training, and none for training."""
        found = set()
        for name, entry in self.declared.items():
            for edge in self.subjects[name].parents:
                given = {action for made, action in self.permits.get(edge.parent, ()) if made < entry.index}
                if MITIGATION in given and TRAIN not in given:
                    found.add(name)
        return frozenset(found)

    def offered(self, run: str, marks: Iterable[str]) -> str:
        """Return the other run that a log, or other bytes around its samples, was offered for; empty for none.

        Args:
            run: the run that it is not about.
            marks: digest of the log, and of its samples; empty ones stand for nothing.
        """
        return next((name for mark in marks if mark for name in self.offers.get(mark, ()) if name != run), "")

    def runs_of(self, evaluation: str) -> list[Run]:
        """Return the registered runs of an evaluation (by digest), oldest first."""
        return self.measuring.get(evaluation, [])

    def add(self, entry: Entry) -> None:
        """Index one more entry, the next of the history."""
        event = entry.event
        self.sight.add(entry)
        role = getattr(event, "role", "")
        if role:
            self.acted.setdefault((role, person(event.by)), entry.index)  # type: ignore[union-attr]
        name = _LISTS.get(type(event))
        if name is not None:
            getattr(self, name).append((entry, event))
        if isinstance(event, DecisionMade):
            self._permit(entry, event)
        elif name is None:
            _index_one(self, entry)

    def _permit(self, entry: Entry, event: DecisionMade) -> None:
        if event.answer != "permit":
            return
        self.permits.setdefault(event.subject, []).append((entry.index, event.action))
        if event.action in SCALING:
            self.scaled = max(self.scaled, event.limit)


_LISTS: dict[type, str] = {
    DefectRetracted: "retractions",
    MethodPublished: "methods",
    PolicyAdopted: "adopted",
    PolicyWithdrawn: "withdrawn",
    HoleFilled: "fills",
    StopOrdered: "stops",
    StopLifted: "lifts",
    ExceptionInvoked: "invoked",
    DecisionMade: "decisions",
    PermitClaimed: "claims",
    JobReported: "reports",
    MultiplierStated: "multipliers",
    DeveloperDescribed: "described",
}


def index(entries: Iterable[Entry], now: int) -> Records:
    """Index the entries made until `now`."""
    records = Records(now)
    for entry in entries:
        if entry.at <= now:
            records.add(entry)
    return records


def _index_one(records: Records, entry: Entry) -> None:
    event = entry.event
    match event:
        case SubjectDeclared(subject=subject):
            # The first declaration stands: nobody may redeclare a lineage after the fact.
            records.issuers.setdefault(person(subject.issuer), entry.index)
            if subject.name not in records.subjects:
                records.subjects[subject.name] = subject
                records.declared[subject.name] = entry
        case RunRegistered() as plan:
            if plan.run not in records.runs:
                records.runs[plan.run] = Run(entry, plan)
                records.measuring.setdefault(plan.evaluation, []).append(records.runs[plan.run])
        case OrderDrawn():
            _index_order(records, event)
        case Statement() as statement:
            records.statements[statement.kind, statement.topic].append((entry, statement))
        case ResultReported() | ResultRefused() | RunVoided():
            _index_end(records, entry, event)
        case _:
            pass


def _index_end(records: Records, entry: Entry, event: ResultReported | ResultRefused | RunVoided) -> None:
    """Index what became of a run."""
    run = records.runs.get(event.run)
    if run is None:
        if isinstance(event, ResultReported):
            records.unregistered.append((entry, event))
        return
    _index_run(run, entry, event)
    if isinstance(event, RunVoided):
        return
    for mark in (event.log, event.content):
        names = records.offers.setdefault(mark, []) if mark else [event.run]
        if event.run not in names:
            names.append(event.run)
    if isinstance(event, ResultReported):
        _index_log(records, run, event)


def _index_order(records: Records, event: OrderDrawn) -> None:
    """Complete the plan of a run; an order that was not drawn from the cosignature behind its registration is none."""
    run = records.runs.get(event.run)
    mark = records.sight.mark_of(run.entry) if run is not None else ""
    if run is None or not mark or event.seed != seed_of(run.entry.digest, mark):
        return
    sampling = run.plan.sampling
    if sampling is not None and not sampling.seed:
        drawn = replace(sampling, seed=event.seed, order=event.order, reported=event.reported)
        run.plan = replace(run.plan, items=event.items, order="witness", sampling=drawn)


def _index_run(run: Run, entry: Entry, event: ResultReported | ResultRefused | RunVoided) -> None:
    match event:
        case ResultReported() if run.result is None:
            run.result, run.result_entry = event, entry
        case ResultReported():
            run.disputes.append((entry, event))
        case ResultRefused():
            run.refused.append((entry, event))
        case RunVoided():
            run.voids.append((entry, event))


def _index_log(records: Records, run: Run, event: ResultReported) -> None:
    """One log is one result: whichever run has it next only repeats it. Several tasks of one log are several."""
    for mark in filter(None, (event.log, event.content)):
        first = records.logs.setdefault((mark, event.task), run.plan.run)
        if first != run.plan.run and event is run.result and not run.copied_from:
            run.copied_from = first


def evidence_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the digests of the registrations, results and logs behind some runs."""
    found: list[str] = []
    for run in runs:
        found.append(run.entry.digest)
        if run.result is not None and run.result_entry is not None:
            found += [run.result_entry.digest, run.result.log, *run.result.beside]
    return tuple(found)
