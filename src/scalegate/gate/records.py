"""A history, indexed for the questions the gate asks of it. Entries later than the question are left out."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

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
from scalegate.core.kernel import MITIGATION, TRAIN
from scalegate.core.subject import Subject


def person(name: str) -> str:
    """Return who a name stands for: names that look the same but for case, width and spaces are one person."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


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
    `logs` says which run first had a log or its content, by its digest and task.
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

    def mitigated(self) -> frozenset[str]:
        """Return the models made while their parent had a permit for mitigation training, and none for training."""
        found = set()
        for name, entry in self.declared.items():
            parents = {edge.parent for edge in self.subjects[name].parents}
            given = {
                (event.subject, event.action)
                for made, event in self.decisions
                if event.answer == "permit" and event.subject in parents and made.index < entry.index
            }
            if any((parent, MITIGATION) in given and (parent, TRAIN) not in given for parent in parents):
                found.add(name)
        return frozenset(found)

    def runs_of(self, evaluation: str) -> list[Run]:
        """Return the registered runs of an evaluation (by digest), oldest first."""
        return [run for run in self.runs.values() if run.plan.evaluation == evaluation]


def index(entries: tuple[Entry, ...], now: int) -> Records:
    """Index the entries made until `now`."""
    records = Records(now)
    lists: dict[type, list[tuple[Entry, object]]] = {
        DefectRetracted: records.retractions,  # type: ignore[dict-item]
        MethodPublished: records.methods,  # type: ignore[dict-item]
        PolicyAdopted: records.adopted,  # type: ignore[dict-item]
        PolicyWithdrawn: records.withdrawn,  # type: ignore[dict-item]
        HoleFilled: records.fills,  # type: ignore[dict-item]
        StopOrdered: records.stops,  # type: ignore[dict-item]
        StopLifted: records.lifts,  # type: ignore[dict-item]
        ExceptionInvoked: records.invoked,  # type: ignore[dict-item]
        DecisionMade: records.decisions,  # type: ignore[dict-item]
    }
    for entry in entries:
        if entry.at > now:
            continue
        event = entry.event
        role = getattr(event, "role", "")
        if role:
            records.acted.setdefault((role, person(event.by)), entry.index)  # type: ignore[union-attr]
        kept = lists.get(type(event))
        if kept is not None:
            kept.append((entry, event))
        else:
            _index_one(records, entry)
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
            records.runs.setdefault(plan.run, Run(entry, plan))
        case Statement() as statement:
            records.statements[statement.kind, statement.topic].append((entry, statement))
        case ResultReported() | ResultRefused() | RunVoided():
            run = records.runs.get(event.run)
            if run is not None:
                _index_run(run, entry, event)
                if isinstance(event, ResultReported):
                    _index_log(records, run, event)
            elif isinstance(event, ResultReported):
                records.unregistered.append((entry, event))
        case _:
            pass


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
