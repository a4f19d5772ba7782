"""One policy applied to one request: whether it binds, what it holds, and which exceptions release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scalegate.core.actions import IRREVERSIBLE, NEW_SCALE, TRAIN
from scalegate.core.decision import Request
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Condition, Exception_, Kernel, Not
from scalegate.core.quantities import FOREVER, ComputeRange
from scalegate.gate.interpret import FOR, Facts, Held, judge, needed, stand
from scalegate.gate.lineage import Lineage
from scalegate.gate.records import Records
from scalegate.gate.situate import Situation, situate
from scalegate.gate.voices import about, hear, latest


@dataclass(frozen=True, slots=True)
class Escape:
    """An exception in use: the commitment it stands in for, and when it ends."""

    exception: Exception_
    until: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A countersignature: of which role, until when it is given (0: it is not), and what was said.

    No role: the policy is an encoding for reference, which never permits.
    """

    role: str
    until: int
    evidence: tuple[str, ...]


def countersignatures(records: Records, application: Application) -> list[Bar]:
    """Return the countersignatures that a policy asks for, given or not."""
    roles = application.kernel.countersigned_by if application.binds else ()
    return [Bar(role, *_countersigned(records, application, role)) for role in roles]


def _countersigned(records: Records, application: Application, role: str) -> tuple[int, tuple[str, ...]]:
    """Return until when a permit for the request is countersigned by a role with its quorum; 0 when it is not."""
    request = application.situation.request
    said = [item for item in about(records, "countersignature", request.action, request.subject) if item[1].subject]
    # The last word of each speaker decides, also where an earlier one went farther.
    last, _ = latest(records, application.kernel, role, said)
    enough = [item for item in last if not item[1].holds or item[1].compute >= (request.to or 0)]
    voice = hear(records, application.kernel, role, enough, None)
    return (voice.until if voice.state == "affirmed" else 0), voice.evidence


@dataclass(slots=True)
class Application:
    """What one policy says to a request.

    `held` are the commitments that hold and no exception released; `escapes` the exceptions that released one; `until`
    is when the first thing ends that its release rests on, or that it does not bind.
    """

    kernel: Kernel
    situation: Situation
    facts: Facts
    binds: bool
    actions: frozenset[str]
    held: list[Held]
    escapes: list[Escape]
    until: int

    def barred(self, records: Records) -> list[Bar]:
        """Return what bars a permit under this policy besides its commitments."""
        if not self.binds:
            return []
        bars = countersignatures(records, self)
        if self.kernel.kind == "reference":
            bars.append(Bar("", 0, ()))
        return [bar for bar in bars if bar.until <= records.now]


def apply_policy(records: Records, lineage: Lineage, request: Request, kernel: Kernel) -> Application:
    """Apply a policy to a request about a declared subject."""
    subject = lineage.subjects[request.subject]
    spent = lineage.compute(subject, teachers=kernel.teachers_count)
    compute = spent
    if request.to is not None:
        # What training produces embodies at least what its start does, known or not.
        compute = ComputeRange(max(request.to, spent.low), max(request.to, spent.high))
    situation = Situation(records, lineage, request, subject, compute, training=request.to is not None)
    facts = situate(situation, kernel)
    actions = implied(request, reached(records, kernel))
    now, to = records.now, situation.to
    if stand(kernel.scope, facts, now, to, False, []) == FOR:
        until = horizon(kernel.scope, facts, now, to, permissive=False)
        return Application(kernel, situation, facts, False, actions, [], [], until)
    held, escapes = [], []
    for item in judge(kernel.commitments, facts, actions, now, to):
        escape = _escape(records, kernel, facts, item, actions, to)
        if escape is None:
            held.append(item)
        else:
            escapes.append(escape)
    until = _until(kernel, facts, actions, now, to, escapes)
    return Application(kernel, situation, facts, True, actions, held, escapes, until)


def implied(request: Request, largest: int) -> frozenset[str]:
    """Return the action asked for with those it implies: training beyond every scale reached is new scale."""
    if request.action == NEW_SCALE or (request.action == TRAIN and (request.to or 0) > largest):
        return frozenset({TRAIN, NEW_SCALE})
    return frozenset({request.action})


def reached(records: Records, kernel: Kernel) -> int:
    """Return the scale that exists under a policy: what its text says exists, or what was permitted since.

    What is merely declared is the developer's word, and would unlock its own scale.
    """
    return max(kernel.existing_scale, records.scaled)


def _escape(
    records: Records, kernel: Kernel, facts: Facts, held: Held, actions: frozenset[str], to: int
) -> Escape | None:
    """Return the exception in use that releases a held commitment; none ever covers an irreversible action."""
    if actions & IRREVERSIBLE:
        return None
    for exception in kernel.exceptions:
        if exception.instead_of != held.commitment.id:
            continue
        until = sunset(records, kernel, exception)
        parts = (exception.when, exception.until, *exception.needs)
        if until > records.now and all(stand(part, facts, records.now, to, True, []) == FOR for part in parts):
            ends = [horizon(part, facts, records.now, to, permissive=True) for part in parts]
            return Escape(exception, min(until, *ends))
    return None


def sunset(records: Records, kernel: Kernel, exception: Exception_) -> int:
    """Return when the exception's current use ends; 0 when it is not invoked or its total time is used up."""
    starts = [
        entry.at for entry, event in records.invoked if event.policy == kernel.id and event.exception == exception.id
    ]
    now = records.now
    active = [start for start in starts if start <= now < start + exception.each]
    if not active:
        return 0
    return min(max(active) + exception.each, now + exception.total - _used(starts, exception, now))


def _used(starts: Sequence[int], exception: Exception_, now: int) -> int:
    """Return the seconds of use within the window that ends now, overlapping uses counted once."""
    used, reached = 0, now - exception.window
    for start in sorted(starts):
        begin, end = max(start, reached), min(start + exception.each, now)
        if end > begin:
            used += end - begin
            reached = end
    return used


def _until(kernel: Kernel, facts: Facts, actions: frozenset[str], now: int, to: int, escapes: list[Escape]) -> int:
    """Return when the first thing that the release rests on ends."""
    ends = [escape.until for escape in escapes]
    released = {escape.exception.instead_of for escape in escapes}
    for commitment in kernel.commitments:
        if actions.isdisjoint(commitment.actions) or commitment.id in released:
            continue
        sides = ((commitment.when, False), (commitment.until, True))
        ends.append(
            max(
                (
                    horizon(side, facts, now, to, permissive=permissive)
                    for side, permissive in sides
                    if stand(side, facts, now, to, permissive, []) == FOR
                ),
                default=now,
            )
        )
    return min(ends, default=FOREVER)


def horizon(condition: Condition, facts: Facts, now: int, to: int, *, permissive: bool) -> int:
    """Return until when a condition that stands for the permit rests on evidence that is still in time."""
    if isinstance(condition, Compare):
        first = facts[condition.term][0]
        if first.grows and first.high_den:
            # Time only moves up: a date that has come stays, one that has not come yet is when the reason ends.
            left = condition.num // condition.den - first.high_num // first.high_den
            return FOREVER if condition.above is permissive else now + left
        return min((fact.until for fact in facts[condition.term]), default=now)
    if isinstance(condition, Not):
        return horizon(condition.part, facts, now, to, permissive=not permissive)
    if not isinstance(condition, All | AnyOf | AtLeast):
        return FOREVER
    ends = sorted(
        (
            horizon(part, facts, now, to, permissive=permissive)
            for part in condition.parts
            if stand(part, facts, now, to, permissive, []) == FOR
        ),
        reverse=True,
    )
    need = needed(condition, permissive)
    return ends[need - 1] if len(ends) >= need else now
