"""What a bundle holds for readers with another program: each answer from kernel and facts, each score by item.

    derived/kernels/HEX.json        a policy as it was applied, by the SHA-256 of the file: conditions, no words
    derived/decisions/NUMBER.json   what each policy was shown for an answer: the facts of its terms, time, compute
    derived/scores/ENTRY.json       what each item of a result came to, by the index of its entry

Everything in it follows from the log and its documents, and nothing rests on it here: whoever changes a file changes
what another program checks, and is seen by anybody who derives it again. Rationals are `n/d`; FLOP are decimal text,
`unbounded` where nobody can say; instants are seconds since 1970, `never` for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction

from scalegate.audit.answers import resting
from scalegate.audit.bundle import MAX_DOCUMENT, Bundle, BundleError
from scalegate.audit.chosen import RecountError
from scalegate.audit.decisions import added_policies, asked, record_in
from scalegate.audit.entries import Audited
from scalegate.audit.outcomes import evaluations_of
from scalegate.audit.recount import planned_items, rule
from scalegate.audit.redacted import read_name
from scalegate.audit.report import Report
from scalegate.audit.results import Registered, examine, judge
from scalegate.core.canonical import Plain, canonical_bytes, digest_bytes
from scalegate.core.events import DecisionMade, Entry, PolicyAdopted, ResultReported, Terms
from scalegate.core.evidence import Crossing, Fact
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Condition, Constant, Evaluation, Kernel, Not
from scalegate.core.log_events import TrustAdopted
from scalegate.core.quantities import FOREVER, UNBOUNDED
from scalegate.core.terms import Measure
from scalegate.gate.apply import Application, apply_policy, countersignatures, sunset
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.decide import decide_next
from scalegate.gate.lineage import Lineage
from scalegate.gate.records import Records, Run, evidence_of
from scalegate.gate.streams import Bounds, Streams
from scalegate.ingest.outcomes import item_outcomes
from scalegate.ledger.trust import parse_trust
from scalegate.stats.pooling import FIRST, Counts

FOLDER = "derived/"
SCHEMA = "scalegate/derived/v1"
_KERNELS = f"{FOLDER}kernels/"


def write_derived(bundle: Bundle, entries: Sequence[Entry], write: Callable[[str, bytes], None]) -> None:
    """Write what follows from some entries and the documents of a bundle.

    Args:
        bundle: the documents.
        entries: all entries of the log.
        write: takes a path in the bundle, and its bytes.
    """
    for path, data in derive(bundle, entries):
        if data is not None:
            write(path, data)


def audit_derived(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Derive everything again where a bundle has such files, and compare: each is what follows, and none is missing."""
    there = set(bundle.named(FOLDER))
    if not there:
        return  # nothing rests on them
    known = dict(derive(bundle, audited.entries))
    due = {path: data for path, data in known.items() if data is not None}
    same = {path for path, data in due.items() if path in there and _read(bundle, path, len(data)) == data}
    # Kernels of an answer that cannot be derived are not known; none that has its digest as name is taken for another.
    strange = {path for path in there - known.keys() if len(due) == len(known) or not _is_named_kernel(bundle, path)}
    wrong = due.keys() - same
    for path in (*sorted(wrong), *sorted(strange)):
        report.add("derived", "untrusted", f"{path!a:.120} is not what follows from the log")
    rest = there - due.keys() - strange
    if rest:
        message = f"{len(rest)} files in {FOLDER}: the documents they follow from are not in the bundle"
        report.add("derived", "impossible", message)
    if same and not wrong and not strange:
        report.add("derived", "passed", f"{len(same)} files in {FOLDER} follow from the log and its documents")


def derive(bundle: Bundle, entries: Sequence[Entry]) -> Iterator[tuple[str, bytes | None]]:
    """Yield path and bytes of every derived file; None for one whose documents are not in the bundle."""
    chronicle = Chronicle()
    evaluations: dict[str, Evaluation] = {}
    kernels: set[str] = set()
    due = resting(entries)
    for place, entry in enumerate(entries):
        event = entry.event
        for item in due.get(place, ()):
            for path, data in _of_answer(bundle, chronicle, item):
                if path not in kernels:
                    yield path, data
                if path.startswith(_KERNELS):
                    kernels.add(path)
        if isinstance(event, PolicyAdopted):
            evaluations |= evaluations_of(event)
        if isinstance(event, ResultReported):
            yield from _of_result(bundle, chronicle, evaluations, entry, event)
        chronicle.add(entry)
        if isinstance(event, TrustAdopted):
            trust = parse_trust(event.text)
            chronicle.terms = Terms(trust.digest, trust.needs_witnesses, trust.fresh)


def _read(bundle: Bundle, path: str, limit: int) -> bytes | None:
    try:
        return read_name(bundle, path, limit)
    except BundleError:
        return None  # what cannot be read is not what follows from the log


def _is_named_kernel(bundle: Bundle, path: str) -> bool:
    data = _read(bundle, path, MAX_DOCUMENT) if path.startswith(_KERNELS) else None
    return data is not None and path == _kernel_path(digest_bytes(data))


def _kernel_path(mark: str) -> str:
    return f"{_KERNELS}{mark.removeprefix('sha256:')}.json"


# ---------------------------------------------------------------- answers


def _of_answer(bundle: Bundle, chronicle: Chronicle, entry: Entry) -> Iterator[tuple[str, bytes | None]]:
    event = entry.event
    if not isinstance(event, DecisionMade):
        return
    path = f"{FOLDER}decisions/{event.number}.json"
    try:
        request, now = asked(record_in(bundle.blob(event.decision)), event)
        extra = added_policies(bundle, chronicle, event)
    except (KeyError, ValueError):
        yield path, None
        return
    decision = decide_next(chronicle, request, now, extra)
    loose = [reason for reason in decision.reasons if not reason.commitment]
    ends: list[int] = []
    policies: list[Plain] = []
    # The tree has a branch for each policy that was applied; a question that fails before that has none.
    if len(decision.tree.children) > len(loose):
        records, force = chronicle.at(now)
        lineage = Lineage(records.subjects, records.mitigated())
        ends += force.ends
        for kernel in (*force.kernels, *extra):
            application = apply_policy(records, lineage, request, kernel)
            ends += [bar.until for bar in countersignatures(records, application)]
            data = canonical_bytes(_kernel(kernel))
            mark = digest_bytes(data)
            yield _kernel_path(mark), data
            policies.append(_application(records, application, mark))
    found: dict[str, Plain] = {
        "schema": SCHEMA,
        "number": event.number,
        "entry": entry.index,
        "now": now,
        "action": request.action,
        "subject": request.subject,
        "context": request.context,
        "to": None if request.to is None else _flop(request.to),
        "policies": policies,
        "loose": [{"policy": reason.policy, "kind": reason.kind} for reason in loose],
        "ends": [_instant(end) for end in ends],
    }
    yield path, canonical_bytes(found)


def _application(records: Records, application: Application, mark: str) -> Plain:
    """Return what one policy was shown: what its conditions are asked about, and which exceptions are in use."""
    kernel = application.kernel
    facts: list[Plain] = []
    for term, strata in zip(kernel.terms, application.facts, strict=True):
        plain = _plain_runs(records, kernel, term.evaluation) if isinstance(term, Measure) else {}
        facts.append([_fact(fact, plain.get(fact.evidence)) for fact in strata])
    return {
        "kernel": mark,
        "to": _flop(application.situation.to),
        "actions": [*sorted(application.actions)],
        "facts": facts,
        "uses": {item.id: _instant(sunset(records, kernel, item)) for item in kernel.exceptions},
    }


class _Shared(Streams):
    """Streams that remember which share of the error the last pool has spent."""

    share = Fraction(0)

    def pool(self, looks: Sequence[Counts], share: Fraction) -> Bounds:
        self.share = share
        return super().pool(looks, share)


def _plain_runs(records: Records, kernel: Kernel, name: str) -> dict[tuple[str, ...], tuple[str, Fraction, Fraction]]:
    """Return the runs whose counts alone are an exact bound, by the evidence of their facts.

    With each, the error of its favorable end (0 where other runs have a part in it) and of its adverse ends.
    """
    spec = kernel.evaluations[name]
    if spec.digest is None or spec.hole is not None:
        return {}
    streams = _Shared(records, kernel, spec)
    found = {}
    for (subject, stratum), runs in streams.runs.items():
        for _, group in streams.measured(subject, stratum):
            run = group[0]
            if len(group) > 1 or not _is_plain(streams, run):
                continue
            cleared = spec.wrongly_cleared * FIRST if runs == group else Fraction(0)
            found[evidence_of(group)] = run.plan.run, cleared, spec.wrongly_stopped * streams.share * FIRST
    return found


def _is_plain(streams: Streams, run: Run) -> bool:
    """Whether a run was looked at once, at its end, and its counts are those of its only result."""
    result = run.result
    if result is None or run.disputes or run.plan.sampling is not None:
        return False
    counts = streams.counts(run, result)
    recorded = result.successes, result.failures, result.missing
    return (counts.successes, counts.failures, counts.missing) == recorded


def _fact(fact: Fact, plain: tuple[str, Fraction, Fraction] | None) -> Plain:
    exact: Plain = None
    if plain is not None:
        run, cleared, stopped = plain
        error = stopped if fact.adverse_only else cleared
        # A fact of nothing but open ends says nothing that could be computed again.
        if error and (fact.adverse_only or fact.high_den):
            exact = {"run": run, "error": _ratio(error)}
    return {
        "low": _end(fact.low_num, fact.low_den),
        "high": _end(fact.high_num, fact.high_den),
        "rise_low": _end(fact.rise_low_num, fact.rise_low_den),
        "rise_high": _end(fact.rise_high_num, fact.rise_high_den),
        "until": _instant(fact.until),
        "reach": _flop(fact.reach),
        "gaps": [gap.kind for gap in fact.gaps],
        "elsewhere": [_crossing(item) for item in fact.elsewhere],
        "adverse_only": fact.adverse_only,
        "evidence": [*fact.evidence],
        "exact": exact,
    }


def _crossing(item: Crossing) -> Plain:
    return {
        "low": None if item.low is None else _ratio(item.low),
        "high": None if item.high is None else _ratio(item.high),
        "at": _flop(item.at),
    }


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _end(num: int, den: int) -> Plain:
    return f"{num}/{den}" if den else None


def _instant(seconds: int) -> Plain:
    return "never" if seconds >= FOREVER else seconds


def _flop(value: int) -> str:
    return "unbounded" if value == UNBOUNDED else str(value)


# ---------------------------------------------------------------- kernels


def _kernel(kernel: Kernel) -> Plain:
    return {
        "schema": SCHEMA,
        "id": kernel.id,
        "version": kernel.version,
        "kind": kernel.kind,
        "digest": kernel.digest,
        "scope": _condition(kernel.scope),
        "terms": [{"kind": type(term).__name__.lower(), **asdict(term)} for term in kernel.terms],
        "commitments": [
            {
                "id": item.id,
                "actions": [*sorted(item.actions)],
                "when": _condition(item.when),
                "until": _condition(item.until),
            }
            for item in kernel.commitments
        ],
        "exceptions": [
            {
                "id": item.id,
                "instead_of": item.instead_of,
                "parts": [_condition(part) for part in (item.when, item.until, *item.needs)],
            }
            for item in kernel.exceptions
        ],
        "evaluations": {
            item.id: {
                "digest": item.digest,
                "wrongly_cleared": _ratio(item.wrongly_cleared),
                "wrongly_stopped": _ratio(item.wrongly_stopped),
            }
            for item in kernel.evaluations.values()
        },
    }


def _condition(condition: Condition) -> Plain:
    match condition:
        case Compare():
            return {
                "term": condition.term,
                "above": condition.above,
                "edge": condition.edge,
                "bound": f"{condition.num}/{condition.den}",
                "text": condition.text,
            }
        case Constant(proven=proven):
            return {"constant": proven}
        case Not(part=part):
            return {"not": _condition(part)}
        case All(parts=parts):
            return {"all": [_condition(part) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [_condition(part) for part in parts]}
        case AtLeast(count=count, parts=parts):
            return {"at_least": count, "of": [_condition(part) for part in parts]}


# ---------------------------------------------------------------- scores


def _of_result(
    bundle: Bundle, chronicle: Chronicle, evaluations: dict[str, Evaluation], entry: Entry, event: ResultReported
) -> Iterator[tuple[str, bytes | None]]:
    run = chronicle.run(event.run)
    evaluation = evaluations.get(run.plan.evaluation) if run is not None else None
    if run is None or evaluation is None or evaluation.of_means or event.evidence_class == "aggregate":
        return
    path = f"{FOLDER}scores/{entry.index}.json"
    try:
        items = _items(bundle, chronicle, run, evaluation, entry, event)
    except (KeyError, BundleError, RecountError, OSError):
        yield path, None
        return
    counted = [outcome for _, outcome in items]
    planned = event.successes + event.failures + event.missing
    found: dict[str, Plain] = {
        "schema": SCHEMA,
        "entry": entry.index,
        "run": event.run,
        "log": event.log,
        "items": [[item, outcome] for item, outcome in items],
        "successes": counted.count("1"),
        "failures": counted.count("0"),
        "missing": planned - counted.count("1") - counted.count("0"),
    }
    yield path, canonical_bytes(found)


def _items(
    bundle: Bundle, chronicle: Chronicle, run: Run, evaluation: Evaluation, entry: Entry, event: ResultReported
) -> list[tuple[str, str]]:
    """Return each item with `1`, `0`, or `-`: of a run with a sampling plan in its order, else sorted."""
    paths = [bundle.locate(mark) for mark in (event.log, *event.beside)]
    reading = examine(paths[0], paths[1] if len(paths) > 1 else None, edited=evaluation.accept_edited)
    registered = Registered(run.plan, run.entry.at, evaluation)
    other = chronicle.offered(event.run, (event.log, reading.content))
    judged = judge(reading, registered, other, entry.at, bundle.blob, "" if run.plan.scorer else event.scorer)
    planned = planned_items(bundle.blob, run.plan)
    counted = judged.counted
    seen: dict[str, str] = {}
    if counted is not None and counted.tally.successes + counted.tally.failures:
        seen = item_outcomes(judged.reading, counted.chosen.word, rule(evaluation))
    if isinstance(planned, int):
        return sorted(seen.items())
    names = [str(item) for item in planned]
    if run.plan.sampling is None:
        return [(name, seen.get(name, "-")) for name in sorted(set(names))]
    # Behind the first item that was not run to its end nothing counts.
    path = counted.path if counted is not None else ""
    return list(zip(names, path.ljust(len(names), "-"), strict=False))
