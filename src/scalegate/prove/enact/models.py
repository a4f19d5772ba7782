"""The models of a situation: the one that is asked about, those it was made from, and the runs that measured them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scalegate.core.actions import MITIGATION
from scalegate.core.canonical import digest_bytes
from scalegate.core.events import ResultRefused, ResultReported, RunRegistered, SubjectDeclared
from scalegate.core.kernel import Evaluation
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, EdgeKind, Subject
from scalegate.core.terms import Measure
from scalegate.prove.enact.scores import Fit, Mark, fit
from scalegate.prove.enact.speakers import CannotEnactError, Ear
from scalegate.prove.enact.stage import LONG, Stage
from scalegate.prove.symbols import rule_of
from scalegate.prove.views import TRAINING, longest_wait
from scalegate.stats.pooling import Counts

SUBJECT = "asked"
EDITED, EARLY, AGGREGATE = "edited scores", "began before it was registered", "only an aggregate"


@dataclass(slots=True)
class Measured:
    """One evaluation, by its digest, as the policies have it; and where and when it was measured."""

    digest: str
    specs: list[tuple[int, Evaluation]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    base: int = 0
    age: int = 0
    pending: int | None = None
    missing: int | None = None
    speakers: list[tuple[str, str]] = field(default_factory=list)
    strata: list[tuple[str, str]] = field(default_factory=list)

    @property
    def capability(self) -> bool:
        """Whether what was measured on an ancestor counts."""
        return self.specs[0][1].kind == "capability"


@dataclass(slots=True)
class Lineage:
    """The sizes of the models: those that were measured, the one asked about, and how far it is to be trained."""

    low: int
    high: int
    to: int | None


def measured(stage: Stage) -> list[Measured]:
    """Return every evaluation that may decide, with the sides on which its intervals have to end."""
    found: dict[str, Measured] = {}
    for read in stage.reads():
        if not isinstance(read.term, Measure):
            continue
        spec = read.kernel.evaluations[read.term.evaluation]
        if spec.digest is None or spec.hole is not None:
            continue
        item = found.setdefault(spec.digest, Measured(spec.digest))
        place = stage.kernels.index(read.kernel)
        if (place, spec) not in item.specs:
            item.specs.append((place, spec))
        relatives = read.term.position == "when"
        reach = (spec.reach_issuer, read.kernel.elicitation_allowance) if relatives else (False, Fraction(0))
        if stage.so("open", spec.digest, read.term.position, reach):
            raise CannotEnactError(f"something leaves {spec.id} open whatever its bound is")
        end = (
            *("low" if read.above else "high", spec.digest, read.term.position, spec.wrongly_cleared),
            *(reach, spec.wrongly_stopped, read.kernel.teachers_count or spec.kind != "capability"),
        )
        if stage.known(*end):
            bound, value = Fraction(read.leaf.num, read.leaf.den), stage.number(*end)
            below = value < bound if read.leaf.edge else value <= bound
            item.marks.append(Mark(spec, read.above, bound, read.leaf.edge, below, relatives))
    for item in found.values():
        _when(stage, item)
        _who(stage, item)
        _how(stage, item)
    return [*found.values()]


def _when(stage: Stage, item: Measured) -> None:
    item.age = stage.whole("age", item.digest)
    longest = [longest_wait(spec.validity) for _, spec in item.specs]
    if stage.so("pending", item.digest):
        item.pending = stage.whole("pending-ago", item.digest)
        if item.pending >= min(longest):
            raise CannotEnactError("a run is pending by one policy, and missing by another")
    waiting = stage.whole("waiting", item.digest)
    if waiting >= min(longest):
        if waiting < max(longest):
            raise CannotEnactError("a run is pending by one policy, and missing by another")
        item.missing = waiting


def _who(stage: Stage, item: Measured) -> None:
    """Let somebody report in each role whose results there are."""
    ears: dict[str, list[Ear]] = {}
    anybody = False
    for place, spec in item.specs:
        rule = rule_of(dict(stage.kernels[place].roles), spec.by)
        there = stage.so("reported", item.digest, rule.alone)
        if rule.name:
            ears.setdefault(rule.name, []).append(Ear(rule, 1, there))
        else:
            anybody = anybody or there
    for role, heard in ears.items():
        item.speakers += [(name, role) for name in stage.cast.speakers(role, heard, item.digest)[:1]]
    if anybody and not item.speakers:
        item.speakers.append((stage.cast.anybody(), "witness"))


def _how(stage: Stage, item: Measured) -> None:
    """Find the elicitations and scaffolds of its runs."""
    ways = dict.fromkeys(way for _, spec in item.specs for way in spec.elicited_by)
    used = [way for way in ways if stage.so("elicited", item.digest, way)] or [""]
    item.strata = [(way, "") for way in used]
    if any(key[0] == "unadmitted" and stage.so(*key) for key in stage.variables.by_key):
        raise CannotEnactError("the subject is a system with a scaffold that its context does not admit")
    scaffolds = dict.fromkeys(
        name for kernel in stage.kernels for context in kernel.contexts.values() for name in context.scaffolds or ()
    )
    item.strata += [(used[0], name) for name in scaffolds if stage.so("scaffold", item.digest, name)]


# ---------------------------------------------------------------- sizes


def sizes(stage: Stage, items: Sequence[Measured]) -> Lineage:
    """Return how large the models are.

    Raises:
        CannotEnactError: if no lineage has these sizes.
    """
    usual = int(stage.number("to", otherwise=10**25)) or 10**25
    high = _agreed(stage, "compute-high", otherwise=usual)
    if stage.action not in TRAINING:
        return Lineage(min(high, _agreed(stage, "compute-low", otherwise=high)), high, None)
    to = stage.whole("to", otherwise=high)
    if to == 0 and not all(spec.validity.training for item in items for _, spec in item.specs):
        raise CannotEnactError("nothing would be trained, and evidence on nothing reaches that far")
    teachers = any(kernel.teachers_count for kernel in stage.kernels)
    if teachers and stage.whole("compute-low", True, otherwise=to) != to:
        raise CannotEnactError("what training reaches is at least what it was asked to reach, and no more is known")
    fixed = _fixed(stage, items, to, high)
    waiting = (item for item in items if item.pending is not None)
    least = max(
        [
            *(item.base for item in items if item.capability),
            *(_agreed(stage, "pending-compute", item.digest, otherwise=item.base) for item in waiting),
        ],
        default=0,
    )
    if stage.action == MITIGATION:
        begin = stage.whole("mitigated-from", otherwise=fixed or least or to)
        start = max(begin, least) if fixed is None else fixed
    else:
        start = (least or min(to, high)) if fixed is None else fixed
        begin = min(start, to)
    if not least <= begin <= min(start, to) or start > max(to, high):
        raise CannotEnactError("no model that training starts from has the sizes that the situation gives it")
    return Lineage(begin, start, to)


def _fixed(stage: Stage, items: Sequence[Measured], to: int, high: int) -> int | None:
    """Return how large the model is that training starts from, where the situation says so."""
    found = {high} if high > to else set()
    for item in items:
        item.base = _agreed(stage, "base", item.digest, otherwise=to)
        # What is no capability is measured on the very model that is trained.
        if not item.capability and any(spec.validity.training for _, spec in item.specs):
            found.add(item.base)
    if len(found) > 1:
        raise CannotEnactError("results on the very model that is trained were measured at two sizes")
    return found.pop() if found else None


def _agreed(stage: Stage, *key: object, otherwise: int) -> int:
    """Return a size that is the same with teachers counted and without."""
    found = {stage.whole(*key, teachers) for teachers in (False, True) if stage.known(*key, teachers)}
    if len(found) > 1:
        raise CannotEnactError("sizes differ by what teachers count for")
    return found.pop() if found else otherwise


# ---------------------------------------------------------------- declarations and runs


def declare(stage: Stage, items: Sequence[Measured], sizes_of: Lineage) -> None:
    """Record the models and what was measured on them."""
    training = sizes_of.to is not None
    born = max([item.age for item in items], default=0) + DAY
    nodes: list[tuple[int, int, str, int]] = []
    names: dict[str, str] = {}
    for place, item in enumerate(items):
        names[item.digest] = SUBJECT
        if training and item.capability and item.base < sizes_of.high:
            names[item.digest] = f"at-{item.base}"
            nodes.append((item.base, 0, f"at-{item.base}", born))
        if training and item.capability and item.pending is not None and names[item.digest] == SUBJECT:
            # What waits is on a model made after the one that was measured: here only that one itself is left.
            if _late(stage, [item], born) != born:
                raise CannotEnactError("the model that was measured would have to be declared after it was")
        elif training and item.capability and item.pending is not None:
            made = item.age - stage.whole("pending-made", item.digest)
            size = _agreed(stage, "pending-compute", item.digest, otherwise=item.base)
            nodes.append((size, 1, f"waiting-{place}", made))
    chain = sorted(dict.fromkeys(nodes))
    before = 0
    edges: tuple[Edge, ...] = ()
    for size, _, name, ago in chain:
        _declare(stage, ago, name, edges, ComputeRange(size - before, size - before))
        edges, before = (Edge(name, "continue"),), size
    latest = _late(stage, items, born) if not training else born
    _declare(stage, latest, SUBJECT, edges, ComputeRange(sizes_of.low - before, sizes_of.high - before))
    for place, item in enumerate(items):
        if not item.speakers:
            continue
        own = names[item.digest]
        runs = len(item.speakers)
        found = fit(item.marks, runs, item.specs[0][1].id)
        _measure(stage, item, own, found, sizes_of)
        if item.pending is not None:
            apart = training and item.capability and own != SUBJECT
            _wait(stage, item, f"waiting-{place}" if apart else own, item.pending)
        if item.missing is not None:
            _wait(stage, item, own, item.missing)


def _late(stage: Stage, items: Sequence[Measured], born: int) -> int:
    """Return how long ago the subject was declared: a run that waits may be on one that was declared late."""
    late = {
        item.age - stage.whole("pending-made", item.digest)
        for item in items
        if item.pending is not None
        for _, spec in item.specs
        if spec.validity.due_time is not None and stage.whole("pending-made", item.digest) > spec.validity.due_time
    }
    if len(late) > 1:
        raise CannotEnactError("one model would have to be declared at two times")
    return late.pop() if late else born


def _declare(
    stage: Stage, ago: int, name: str, edges: tuple[Edge, ...], compute: ComputeRange, kind: EdgeKind | None = None
) -> None:
    if compute.low < 0:
        raise CannotEnactError("a model would have to be smaller than what it was made from")
    made_from = tuple(replace(edge, kind=kind) for edge in edges) if kind else edges
    issuer = next((kernel.issuer for kernel in stage.kernels if kernel.kind == "policy"), "the-developer")
    at = stage.now - ago
    subject = Subject(name, digest_bytes(name.encode()), issuer, "model", made_from, True, compute, at)
    stage.record(ago, SubjectDeclared(subject, issuer, "developer"))


def _measure(stage: Stage, item: Measured, own: str, found: Fit, sizes_of: Lineage) -> None:
    for stratum in item.strata:
        for speaker in item.speakers:
            _run(stage, item, own, stratum, speaker, found.own)
    if found.relative is not None:
        if sizes_of.low != sizes_of.high and own == SUBJECT:
            raise CannotEnactError("a relative as large as the subject cannot be told from a larger one")
        name = f"relative-{own}-{len(stage.cast.pasts)}"
        _declare(stage, item.age, name, (Edge(own, "fine-tune"),), ComputeRange(0, 0))
        _run(stage, item, name, item.strata[0], item.speakers[0], found.relative)


def _run(
    stage: Stage, item: Measured, subject: str, stratum: tuple[str, str], speaker: tuple[str, str], counts: Counts
) -> None:
    """Record a run, and its result."""
    run = _register(stage, item, subject, stratum, speaker, counts.trials, item.age)
    flaws = [*_flaws(stage, item)]
    log = digest_bytes(run.encode())
    if EDITED in flaws:
        if any(spec.accept_edited for _, spec in item.specs):
            raise CannotEnactError("whether edited scores count is settled when a log is read, and not by the gate")
        stage.record(item.age, ResultRefused(run, log, "E403", "its scores were edited", *speaker))
        return
    provenance = tuple("began before registration" if flaw == EARLY else flaw for flaw in flaws if flaw != AGGREGATE)
    stage.record(
        item.age,
        ResultReported(
            run=run,
            log=log,
            successes=counts.successes,
            failures=counts.failures,
            missing=counts.missing,
            adaptive=False,
            binary=True,
            evidence_class="aggregate" if AGGREGATE in flaws else "samples",
            derived=False,
            provenance=provenance,
            findings=(),
            harness="a situation",
            by=speaker[0],
            role=speaker[1],
        ),
    )


def _flaws(stage: Stage, item: Measured) -> Iterator[str]:
    words = {EDITED, EARLY, AGGREGATE}.union(*(spec.refuse_provenance for _, spec in item.specs))
    yield from (flaw for flaw in sorted(words) if stage.so("flawed", item.digest, flaw))


def _register(
    stage: Stage,
    item: Measured,
    subject: str,
    stratum: tuple[str, str],
    speaker: tuple[str, str],
    planned: int,
    ago: int,
) -> str:
    words = (item.digest, subject, *stratum, *speaker, str(ago), str(planned))
    run = f"run-{digest_bytes(' '.join(words).encode())[7:23]}"
    stage.record(
        ago,
        RunRegistered(run, item.digest, subject, *stratum, planned, "", stage.now + LONG, (), "developer", *speaker),
    )
    return run


def _wait(stage: Stage, item: Measured, subject: str, ago: int) -> None:
    """Register runs that have not reported."""
    for stratum in item.strata:
        _register(stage, item, subject, stratum, item.speakers[0], 100, ago)
