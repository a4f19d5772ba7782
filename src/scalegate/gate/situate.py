"""From a history and a request to one tuple of facts for each term of a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.decision import Request
from scalegate.core.events import claim_topic, matter_topic, ratio, specified_topic
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Count, Evaluation, Kernel, Safeguard
from scalegate.core.quantities import FOREVER, UNBOUNDED, ComputeRange, show_flop
from scalegate.core.subject import Subject
from scalegate.core.terms import (
    Approved,
    Attested,
    Clock,
    Compute,
    Elapsed,
    Hole,
    Measure,
    Operates,
    Overdue,
    Published,
    Revenue,
    Shown,
    Specified,
    Term,
)
from scalegate.gate.budget import Stratum
from scalegate.gate.developer import described
from scalegate.gate.lineage import Lineage, Link
from scalegate.gate.obligations import elapsed, overdue
from scalegate.gate.reach import Reach, hard_limits_of, limits_of
from scalegate.gate.records import Records
from scalegate.gate.streams import Streams
from scalegate.gate.voices import Voice, about, hear, latest, may_speak

ONE, ZERO = Fraction(1), Fraction(0)
CLOCK = "the date"


@dataclass(frozen=True, slots=True)
class Situation:
    """One request, with what its subject is and how large the product would be."""

    records: Records
    lineage: Lineage
    request: Request
    subject: Subject
    compute: ComputeRange
    training: bool

    @property
    def to(self) -> int:
        """The upper end of the effective compute of what the action would produce."""
        return self.compute.high


def situate(situation: Situation, kernel: Kernel) -> list[tuple[Fact, ...]]:
    """Return the facts of every term of a kernel in a situation."""
    return [facts_of(situation, kernel, term) for term in kernel.terms]


def facts_of(situation: Situation, kernel: Kernel, term: Term) -> tuple[Fact, ...]:
    """Return the facts of one term of a kernel in a situation."""
    match term:
        case Revenue() | Operates():
            return described(situation.records, kernel, term)
        case Overdue() | Elapsed() | Specified():
            return _of_duty(situation, kernel, term)
        case Measure():
            return measure(situation, kernel, term)
        case Shown(safeguard=name):
            return safeguard(situation, kernel, kernel.safeguards[name])
        case Attested() | Approved() | Published():
            return (_said(situation, kernel, term),)
        case Hole(name=name):
            return (_hole(kernel, name),)
        case Compute():
            return (_compute(situation.compute),)
        case Clock():
            return (Fact(CLOCK, Fraction(situation.records.now), Fraction(situation.records.now), grows=True),)


def _said(situation: Situation, kernel: Kernel, term: Attested | Approved | Published) -> Fact:
    records, subject = situation.records, situation.subject.name
    match term:
        case Attested(predicate=predicate, role=role, expires=age):
            said = about(records, "predicate", predicate, subject)
            return _voiced(f"{predicate}, attested by {role}", hear(records, kernel, role, said, age))
        case Approved(matter=matter, role=role):
            said = about(records, "approval", matter_topic(kernel.id, matter), subject)
            return _voiced(f"{matter} approved by {role}", hear(records, kernel, role, said, None))
        case Published(matter=matter):
            return published(situation, kernel, matter)


def _of_duty(situation: Situation, kernel: Kernel, term: Overdue | Elapsed | Specified) -> tuple[Fact, ...]:
    match term:
        case Overdue(obligation=name):
            return (overdue(situation.records, kernel, name),)
        case Elapsed():
            return (elapsed(situation.records, kernel, term, situation.subject.name),)
        case Specified(hole=name):
            return _specified(situation, kernel, name)


def _specified(situation: Situation, kernel: Kernel, name: str) -> tuple[Fact, ...]:
    """Return whether all who may fill a hole attest that it is specified: one fact for each of these roles."""
    roles = kernel.holes[name].filled_only_by if name in kernel.holes else ()
    said = about(situation.records, "predicate", specified_topic(name), situation.subject.name)
    facts = [
        _voiced(f"{name} is specified, attested by {role}", hear(situation.records, kernel, role, said, None))
        for role in roles
    ]
    return tuple(facts) or (_hole(kernel, name),)


def _hole(kernel: Kernel, name: str) -> Fact:
    words = kernel.holes[name].words if name in kernel.holes else name
    return Fact(name, ZERO, ONE, gaps=(Gap("hole", f"{name} is a hole: {words}"),))


def _compute(compute: ComputeRange) -> Fact:
    low, high = compute.low, compute.high
    span = show_flop(high) if low == high else f"{show_flop(low)} to {show_flop(high)}"
    end = Fraction(high) if high < UNBOUNDED else None
    return Fact("effective compute", Fraction(low), end, detail=f"{span} FLOP")


def _voiced(label: str, voice: Voice, extra: tuple[Gap, ...] = ()) -> Fact:
    """Return a yes-or-no fact from what a role says."""
    match voice.state:
        case "affirmed":
            return Fact(label, ZERO if extra else ONE, ONE, until=voice.until, gaps=extra, evidence=voice.evidence)
        case "denied":
            return Fact(label, ZERO, ZERO, evidence=voice.evidence, detail=voice.message)
        case "expired":
            gap = Gap("stale", f"{label}: {voice.message}", voice.evidence)
        case "rejected":
            gap = Gap("untrusted", f"{label}: {voice.message}", voice.evidence)
        case _:
            gap = Gap("not_attested", f"{label}: {voice.message}", voice.evidence)
    return Fact(label, ZERO, ONE, gaps=(gap, *extra), evidence=voice.evidence)


def published(situation: Situation, kernel: Kernel, matter: str) -> Fact:
    """Return whether a matter was published: anybody may state where, and the statement must expire."""
    said = about(situation.records, "publication", matter_topic(kernel.id, matter), "")
    live = [(e.digest, s.expires) for e, s in said if s.holds and s.expires > situation.records.now]
    if live:
        return Fact(f"{matter} published", ONE, ONE, until=max(end for _, end in live), evidence=(live[-1][0],))
    return Fact(f"{matter} published", ZERO, ONE, gaps=(Gap("not_attested", f"{matter} is not published"),))


# ---------------------------------------------------------------- safeguards and measured requirements


def safeguard(situation: Situation, kernel: Kernel, spec: Safeguard) -> tuple[Fact, ...]:
    """Return whether a safeguard is shown for the subject; a failed measurement of the same means latches."""
    if spec.hole is not None or spec.means is None or spec.because is None or spec.by is None:
        words = spec.hole or "its means, its reason or its auditor is not stated"
        return (Fact(spec.id, ZERO, ONE, gaps=(Gap("hole", f"safeguard {spec.id} is a hole: {words}"),)),)
    records, subject, topic = situation.records, situation.subject.name, matter_topic(kernel.id, spec.id)
    said = [
        item
        for item in about(records, "safeguard", topic, subject)
        if item[1].means == spec.means and (item[1].because == spec.because or not item[1].holds)
    ]
    facts = [_voiced(f"safeguard {spec.id}", hear(records, kernel, spec.by, said, spec.valid_time))]
    facts += [_failing(situation, kernel, spec, count) for count in spec.fails_if]
    return tuple(facts)


def _failing(situation: Situation, kernel: Kernel, spec: Safeguard, count: Count) -> Fact:
    """Return whether a safeguard withstood one measured attempt to make it fail."""
    label = f"safeguard {spec.id} withstood {count.name}"
    topic = matter_topic(kernel.id, f"{spec.id}:{count.name}")
    said = [
        item
        for item in about(situation.records, "measurement", topic, situation.subject.name)
        if item[1].means == spec.means and item[1].count is not None
    ]
    # A failed attempt counts whoever reports it; withstanding counts only by the role that the policy names.
    for entry, statement in said:
        if statement.count is not None and statement.count[0] > count.least:
            detail = f"failed: {statement.count[0]} of {statement.count[1]}"
            return Fact(label, ZERO, ZERO, evidence=(entry.digest,), detail=detail)
    enough = [item for item in said if item[1].count is not None and item[1].count[1] >= count.trials]
    voice = hear(situation.records, kernel, spec.by or "", enough, spec.valid_time)
    return _voiced(f"{label} in {count.trials} attempts", voice)


def measured(
    situation: Situation, kernel: Kernel, evaluation: Evaluation, count: Count, subject: str
) -> tuple[str, tuple[str, ...], int]:
    """Return why a measured requirement on an evaluation is not met (empty when it is), the evidence, until when.

    The latest measurement decides: a requirement that was not met is unresolved, and does not latch.
    """
    topic = claim_topic(evaluation.digest or "", count.name)
    role = evaluation.by or ""
    said = [
        (entry, item)
        for entry, item in about(situation.records, "measurement", topic, subject)
        if item.count is not None and item.count[1] >= max(1, count.trials)
    ]
    made = [item for item in said if may_speak(situation.records, kernel, role, item[1].by, item[0].index)]
    made = [item for item in made if item[1].role == role]
    if made and not _meets(made[-1][1].count or (0, 0), count):
        return f"{count.name}: measured below what the policy asks", (made[-1][0].digest,), FOREVER
    last, _ = latest(situation.records, kernel, role, said)
    good = [item for item in last if _meets(item[1].count or (0, 0), count)]
    voice = hear(situation.records, kernel, role, good or said, None)
    if voice.state != "affirmed":
        return f"{count.name}: {voice.message or 'not shown'}", voice.evidence, FOREVER
    if not good:
        return f"{count.name}: measured below what the policy asks", voice.evidence, FOREVER
    return "", voice.evidence, voice.until


def _meets(measured: tuple[int, int], count: Count) -> bool:
    """Whether a measurement of enough trials meets a requirement."""
    if count.rate is not None:
        return ratio(measured) >= count.rate
    return measured[0] * count.trials >= count.least * measured[1]


# ---------------------------------------------------------------- evaluations


def measure(situation: Situation, kernel: Kernel, term: Measure) -> tuple[Fact, ...]:
    """Return the facts of an evaluation on the subject, one for each stratum, with the latches it carries."""
    spec = kernel.evaluations[term.evaluation]
    if spec.hole is not None:
        return (Fact(spec.id, gaps=(Gap("hole", f"{spec.id} is a hole: {spec.hole}"),)),)
    if spec.digest is None:
        words = f"{spec.id} is a hole: its test `{spec.test}` is not pinned by a digest"
        return (Fact(spec.id, gaps=(Gap("hole", words),)),)
    streams = Streams(situation.records, kernel, spec)
    weights = situation.lineage.model_of(situation.subject)
    if weights is None:
        words = f"the weights of system {situation.subject.name} are not declared"
        return (Fact(spec.id, gaps=(Gap("missing", words),)),)
    target = weights if spec.kind == "capability" else situation.subject
    facts = list(_bearing(situation, kernel, spec, streams, target))
    if term.every_scaffold:
        facts += _scaffold_gaps(situation, kernel, spec, streams, target)
    sources = {target.name, situation.subject.name}
    if term.position == "when":
        allowance = kernel.elicitation_allowance
        sources |= situation.lineage.latch_sources(weights, allowance)
        if spec.reach_issuer:
            sources |= set(situation.records.subjects)
        # A system may show what its weights can do, whatever was put in front of them.
        sources |= {item.name for item in situation.records.subjects.values() if item.weights in sources}
        facts += _treated_as_crossed(situation, spec, sources)
    return (*facts, *streams.adverse(sources, target.name))


def _bearing(situation: Situation, kernel: Kernel, spec: Evaluation, streams: Streams, target: Subject) -> list[Fact]:
    """Return one fact for each stratum that has to be refuted: those the policy asks and those ever registered."""
    links = [Link(target, same_run=situation.lineage.known_once(target))]
    if spec.kind == "capability" and situation.training:
        links = situation.lineage.favorable_chain(target)
    order: dict[Stratum, list[Link]] = {}
    for link in links:
        for stratum in streams.strata(link.subject.name):
            order.setdefault(stratum, []).append(link)
    waiting = _waiting(order, streams, spec.elicited_by)
    facts = [
        _of_stratum(situation, kernel, spec, streams, stratum, found)
        for stratum, found in order.items()
        if stratum not in waiting
    ]
    done = {elicitation for elicitation, _ in order}
    for elicitation in spec.elicited_by:
        if elicitation not in done:
            words = f"{spec.id} of {target.name} elicited by {elicitation}"
            facts.append(Fact(words, gaps=(Gap("missing", f"no registered run of {words}"),)))
    if not facts:
        gap = Gap("missing", f"no registered run of {spec.id} on {target.name}")
        facts.append(Fact(f"{spec.id} of {target.name}", gaps=(gap,)))
    return facts


def _of_stratum(
    situation: Situation, kernel: Kernel, spec: Evaluation, streams: Streams, stratum: Stratum, links: list[Link]
) -> Fact:
    """Return the fact of one stratum: from the nearest model with more than a pending run, else the nearest."""
    chosen = next((link for link in links if not _only_pending(streams, link, stratum)), links[0])
    span = situation.lineage.compute(chosen.subject, teachers=kernel.teachers_count)
    near = limits_of(spec, chosen, span.low, span.high, training=situation.training)
    far = _extended(situation, kernel, spec, streams, chosen, stratum, near)
    # A store is one developer's: the issuer that a declaration names is its own word, and opens no other lineage.
    computes = {
        name: situation.lineage.compute(item, teachers=kernel.teachers_count)
        for name, item in situation.records.subjects.items()
    }
    elsewhere = streams.crossings(computes, span.low) if spec.kind == "capability" else ()
    fact = streams.bearing(chosen, stratum, near, far, situation.to, elsewhere)
    extra, until = _credibility(situation, kernel, spec, chosen.subject.name)
    fact.gaps += extra
    fact.until = min(fact.until, until, streams.next_due(name for name, at in computes.items() if at.high > span.low))
    return fact


def _waiting(order: dict[Stratum, list[Link]], streams: Streams, elicited_by: tuple[str, ...]) -> set[Stratum]:
    """Return the strata with nothing but pending runs that others make dispensable until they are due.

    A pending run changes nothing: a stratum that the policy asks for stays needed, any further one is not yet.
    """
    waiting = {item for item, links in order.items() if all(_only_pending(streams, link, item) for link in links)}
    reported = [elicitation for elicitation, _ in order.keys() - waiting]
    return {item for item in waiting if (item[0] in reported if item[0] in elicited_by else reported)}


def _only_pending(streams: Streams, link: Link, stratum: Stratum) -> bool:
    """Whether nothing but pending runs exist: a pending run changes nothing until it is due."""
    return all(streams.is_pending(run) for run in streams.runs[link.subject.name, stratum])


def _extended(
    situation: Situation,
    kernel: Kernel,
    spec: Evaluation,
    streams: Streams,
    chosen: Link,
    stratum: Stratum,
    near: Reach,
) -> Reach | None:
    """Return the hard end, when a run on a checkpoint taken at or before the due point is pending; None otherwise."""
    measured = min((run.entry.at for run in streams.runs[chosen.subject.name, stratum]), default=0)
    made_by = FOREVER if spec.validity.due_time is None else measured + spec.validity.due_time
    target = situation.lineage.model_of(situation.subject) or situation.subject
    ends = []
    for link in situation.lineage.favorable_chain(target):
        spent = situation.lineage.compute(link.subject, teachers=kernel.teachers_count)
        if spent.high <= near.compute:
            ends.append(streams.pending(link.subject.name, stratum, made_by))
        if link.subject.name == chosen.subject.name:
            break
    until = max(ends, default=0)
    if until == 0:
        return None
    span = situation.lineage.compute(chosen.subject, teachers=kernel.teachers_count)
    hard = hard_limits_of(spec, chosen, span.low, span.high) if situation.training else near
    return Reach(until, hard.compute)


def _credibility(situation: Situation, kernel: Kernel, spec: Evaluation, subject: str) -> tuple[tuple[Gap, ...], int]:
    """Return why favorable results of an evaluation are not believed yet, and until when they are."""
    gaps, until = [], FOREVER
    for belief in spec.beliefs:
        if belief.role is None:
            words = f"{spec.id} is believable only if {belief.claim}, and nobody is named to attest it"
            gaps.append(Gap("hole", words))
            continue
        said = about(situation.records, "belief", claim_topic(spec.digest or "", belief.claim), subject)
        voice = hear(situation.records, kernel, belief.role, said, belief.expires)
        until = min(until, voice.until)
        if voice.state != "affirmed":
            words = f"{spec.id} is believable only if {belief.claim}: {voice.message}"
            gaps.append(Gap("stale" if voice.state == "expired" else "not_attested", words, voice.evidence))
    for count in (*spec.hidden_capability, *spec.shown_to_work):
        lack, evidence, end = measured(situation, kernel, spec, count, subject)
        until = min(until, end)
        if lack and count in spec.hidden_capability:
            gaps.append(Gap("unresolved", f"{spec.id} of {subject} is unresolved: {lack}", evidence))
        elif lack:
            gaps.append(Gap("not_attested", f"{spec.id} is not shown to work: {lack}", evidence))
    return tuple(gaps), until


def _scaffold_gaps(
    situation: Situation,
    kernel: Kernel,
    spec: Evaluation,
    streams: Streams,
    target: Subject,
) -> list[Fact]:
    """Return a fact for each scaffold the context admits and nobody evaluated; unknown ones cannot be evaluated."""
    context = kernel.contexts.get(situation.request.context)
    if context is None or context.scaffolds is None or context.action != situation.request.action:
        where = f"context {situation.request.context}" if situation.request.context else "no context named: the worst"
        words = f"{spec.id} under every scaffold: {where} admits scaffolds that nobody evaluated"
        return [Fact(words, gaps=(Gap("missing", words),))]
    wanted = set(context.scaffolds)
    if situation.subject.scaffold and situation.subject.scaffold not in wanted:
        words = f"scaffold {situation.subject.scaffold} of {situation.subject.name} is not admitted by {context.name}"
        return [Fact(words, gaps=(Gap("missing", words),))]
    have = {scaffold for _, scaffold in streams.strata(target.name)}
    missing = [Fact(f"{spec.id} under scaffold {name}") for name in sorted(wanted - have)]
    for fact in missing:
        fact.gaps = (Gap("missing", f"no registered run of {fact.label} on {target.name}"),)
    return missing


def _treated_as_crossed(situation: Situation, spec: Evaluation, sources: set[str]) -> list[Fact]:
    """Return a latched crossing for each signed `treat as crossed` on the subject or whoever it inherits from.

    The statement is adverse, so that whoever made it need not be entitled to anything else, and it never expires.
    """
    said = situation.records.statements.get(("treat-as-crossed", spec.digest or ""), [])
    return [
        Fact(
            f"{spec.id} of {statement.subject or 'every subject'}, treated as crossed by {statement.by}",
            Fraction(UNBOUNDED),
            Fraction(-UNBOUNDED),
            adverse_only=True,
            evidence=(entry.digest,),
            detail="treated as crossed on a signed statement",
        )
        for entry, statement in said
        if statement.holds and (not statement.subject or statement.subject in sources)
    ]
