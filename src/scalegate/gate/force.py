"""Which policies bind at a time: adopted, in effect, amended with approval and notice, holes filled, withdrawn.

An amendment, a fill or a withdrawal that lacks what the policy asks for changes nothing, and a note says so. One that
would free a subject held at that time is refused whatever its approvals: a policy is not loosened while it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from scalegate.core.actions import HARDER, MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.canonical import digest_bytes
from scalegate.core.decision import Request
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import (
    Entry,
    HoleFilled,
    PolicyAdopted,
    PolicyWithdrawn,
    fill_matter,
    matter_topic,
)
from scalegate.core.kernel import Compare, Constant, Kernel, Not
from scalegate.core.quantities import UNBOUNDED, show_instant
from scalegate.core.subject import Subject
from scalegate.core.terms import Compute
from scalegate.gate.apply import apply_policy
from scalegate.gate.lineage import Lineage
from scalegate.gate.mandates import missing_roles
from scalegate.gate.reach import UNSTATED_GROWTH
from scalegate.gate.records import Records, index
from scalegate.gate.voices import about, hear
from scalegate.policy import load


@lru_cache(maxsize=32)
def _kernel(text: str, file: str, fills: tuple[tuple[str, str], ...] = ()) -> Kernel:
    """Return the kernel of a text with its fills in order; it is read once, however often one asks.

    Raises:
        DiagnosticError: for a text that cannot be read; no refusal is kept.
    """
    return load(text, file, dict(fills))


@dataclass(slots=True)
class Force:
    """What binds at a time.

    Attributes:
        kernels: the policies in force; an approved amendment binds beside the text it replaces until its notice ends.
        notes: what was tried without effect.
        faults: adopted texts that cannot be read, which hold everything.
        every: every policy that was ever adopted, with the index of its entry.
        ends: when what binds may change next: fills that expire, notices that end, policies that begin.
    """

    kernels: list[Kernel] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    every: list[tuple[int, Kernel]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Binding:
    event: PolicyAdopted
    kernel: Kernel


class _Reader:
    """Derives what binds by going through the entries once."""

    def __init__(self, entries: Sequence[Entry], now: int, of_policies: Sequence[Entry]) -> None:
        self.entries, self.now, self.of_policies = entries, now, of_policies
        self.force = Force()
        self.bindings: dict[str, _Binding] = {}

    def adopt(self, entry: Entry, event: PolicyAdopted) -> None:
        """Let a policy bind, or an amendment take the place of the text it names."""
        kernel = self._read(entry, event)
        if kernel is None:
            return
        if not event.replaces:
            # A second text under the same id binds besides the first: nobody keeps a policy out by taking its name.
            self.bindings[event.digest] = _Binding(event, kernel)
            return
        old = self.bindings.get(event.replaces)
        if old is None or old.event.policy != event.policy:
            self._refuse(event.policy, "an amendment", "the text it replaces is not in force")
            return
        # The notice always runs in full, whatever day the amendment names.
        effective = max(event.effective, kernel.effective, entry.at + old.kernel.amendments.notice)
        if effective > self.now:
            self._announce(event, kernel, old, effective)
        elif self._allowed(event.policy, "an amendment", f"amendment:{event.digest}", effective, old.kernel, kernel):
            del self.bindings[event.replaces]
            self.bindings[event.digest] = _Binding(event, kernel)

    def _announce(self, event: PolicyAdopted, kernel: Kernel, old: _Binding, effective: int) -> None:
        """Let an approved amendment bind beside the old text during its notice, so that tightening needs none."""
        self.force.ends.append(effective)
        when = show_instant(effective)
        if _unapproved(index(self.entries, self.now), old.kernel, f"amendment:{event.digest}"):
            self.force.notes.append(f"an amendment of {event.policy} is announced for {when} and not approved yet")
        elif kernel.effective <= self.now:
            self.force.kernels.append(kernel)
            self.force.notes.append(f"an amendment of {event.policy} binds besides the text it replaces on {when}")

    def withdraw(self, entry: Entry, event: PolicyWithdrawn) -> None:
        """End every text of a policy that its own approvers withdraw, after the notice of an amendment."""
        for digest, old in tuple(self.bindings.items()):
            if old.event.policy != event.policy:
                continue
            effective = entry.at + old.kernel.amendments.notice
            if effective > self.now:
                self.force.ends.append(effective)
                self.force.notes.append(f"the withdrawal of {event.policy} is announced for {show_instant(effective)}")
            elif self._allowed(event.policy, "the withdrawal", "withdrawal", effective, old.kernel, None):
                del self.bindings[digest]

    def close(self) -> Force:
        """Return what binds, with the holes that are filled now."""
        for binding in self.bindings.values():
            kernel = self._filled(binding)
            if kernel.effective > self.now:
                self.force.ends.append(kernel.effective)
                begin = show_instant(kernel.effective)
                self.force.notes.append(f"{kernel.id} {kernel.version} binds only from {begin}")
            else:
                self.force.kernels.append(kernel)
        return self.force

    def _read(self, entry: Entry, event: PolicyAdopted) -> Kernel | None:
        """Return the kernel of an adopted text; a text that cannot be read is a fault."""
        try:
            kernel = _kernel(event.text, f"{event.policy}.yaml")
        except DiagnosticError as error:
            self.force.faults.append(f"the adopted text of {event.policy} cannot be read: {error}")
            return None
        if kernel.id != event.policy or digest_bytes(event.text.encode()) != event.digest:
            self.force.faults.append(f"the adopted text of {event.policy} is not the text its entry names")
            return None
        self.force.every.append((entry.index, kernel))
        return kernel

    def _refuse(self, policy: str, what: str, why: str) -> None:
        self.force.notes.append(f"{what} of {policy} changes nothing: {why}")

    def _allowed(self, policy: str, what: str, matter: str, at: int, old: Kernel, new: Kernel | None) -> bool:
        """Whether a change was approved when it takes effect, and frees no subject held at that time."""
        then = index(self.entries, at)
        lack = _unapproved(then, old, matter)
        left = [item.kernel for item in self.bindings.values() if item.kernel is not old]
        freed = "" if lack else next(_frees(then, old, [*left, new] if new else left), "")
        if lack or freed:
            self._refuse(policy, what, lack or f"it would free a held subject ({freed})")
        return not lack and not freed

    def _filled(self, binding: _Binding) -> Kernel:
        """Return the kernel of a binding with every approved, unexpired fill in place of its hole."""
        fills: dict[str, HoleFilled] = {}
        ends: list[int] = []
        for entry in self.of_policies:
            event = entry.event
            if not isinstance(event, HoleFilled) or event.policy != binding.event.policy or entry.at > self.now:
                continue
            if event.expires <= self.now:
                gone = show_instant(event.expires)
                self.force.notes.append(f"the fill of hole {event.hole} expired on {gone}")
                continue
            lack, until = self._fillable(event, binding.kernel)
            if lack:
                self._refuse(event.policy, f"the fill of hole {event.hole}", lack)
            else:
                fills[event.hole] = event
                ends.append(min(event.expires, until))
        if not fills:
            return binding.kernel
        words = tuple((hole, event.condition) for hole, event in fills.items())
        try:
            kernel = _kernel(binding.event.text, f"{binding.event.policy}.yaml", words)
        except DiagnosticError as error:
            self._refuse(binding.event.policy, "a fill", str(error))
            return binding.kernel
        self.force.ends += ends
        return kernel

    def _fillable(self, event: HoleFilled, kernel: Kernel) -> tuple[str, int]:
        """Return what a fill lacks, and until when it is approved.

        All the roles that the hole names must approve these very words until this very day, and go on doing so.
        """
        hole = kernel.holes.get(event.hole)
        if hole is None:
            return "the policy has no such hole", 0
        if not hole.filled_only_by:
            return "the policy names nobody who may fill it", 0
        records = index(self.entries, self.now)
        topic = matter_topic(kernel.id, fill_matter(event.hole, event.condition, event.expires))
        until = event.expires
        for role in hole.filled_only_by:
            voice = hear(records, kernel, role, about(records, "approval", topic, ""), None)
            if voice.state != "affirmed":
                return f"not approved by {role} ({voice.message})", 0
            until = min(until, voice.until)
        return "", until


def in_force(entries: Sequence[Entry], now: int, of_policies: Sequence[Entry] | None = None) -> Force:
    """Return what binds at `now`, derived from the entries alone.

    Args:
        entries: the history.
        now: seconds since 1970.
        of_policies: those of them that adopt, withdraw or fill, for whoever knows them already.
    """
    marked = entries if of_policies is None else of_policies
    reader = _Reader(entries, now, marked)
    for entry in marked:
        if entry.at > now:
            continue
        if isinstance(entry.event, PolicyAdopted):
            reader.adopt(entry, entry.event)
        elif isinstance(entry.event, PolicyWithdrawn):
            reader.withdraw(entry, entry.event)
    return reader.close()


def _unapproved(records: Records, kernel: Kernel, matter: str) -> str:
    """Return which approval of a matter is missing; a policy that names no approvers cannot be changed."""
    if not kernel.amendments.approved_by:
        return "the policy names nobody who may approve it"
    for role in kernel.amendments.approved_by:
        said = about(records, "approval", matter_topic(kernel.id, matter), "")
        voice = hear(records, kernel, role, said, None)
        if voice.state != "affirmed":
            return f"not approved by {role} ({voice.message})"
    return ""


def _frees(records: Records, old: Kernel, left: Sequence[Kernel]) -> Iterator[str]:
    """Yield each action on a declared subject that the old text holds and what is left would permit.

    Where nothing is left, everything is held. That a regime misses the very policy that goes is no hold to go by: the
    next one that the developer adopts ends it.
    """
    others = left if old.kind == "regime" else ()
    lineage = Lineage(records.subjects, records.mitigated())
    for subject in records.subjects.values():
        for request in _probes(lineage, subject, [old, *left]) if left else ():
            if _holds(records, lineage, request, old, left) and not any(
                _holds(records, lineage, request, kernel, others) for kernel in left
            ):
                yield f"{request.action} of {subject.name}"


def _probes(lineage: Lineage, subject: Subject, kernels: Sequence[Kernel]) -> Iterator[Request]:
    """Yield the requests in which texts may differ for a subject."""
    sizes = _sizes(lineage, subject, kernels)
    for action in HARDER:
        if action in (TRAIN, NEW_SCALE):
            yield from (Request(action, subject.name, to) for to in sizes if subject.kind == "model")
        elif action != MITIGATION:
            contexts = ("", *(context for kernel in kernels for context in kernel.contexts))
            yield from (Request(action, subject.name, None, context) for context in contexts)


def _sizes(lineage: Lineage, subject: Subject, kernels: Sequence[Kernel]) -> list[int]:
    """Return the effective computes at which a text may change its mind about training a subject."""
    least = lineage.compute(subject, teachers=False).low
    sizes = {least + 1, lineage.compute(subject).high + 1, UNBOUNDED}
    computes = [lineage.compute(item) for item in lineage.subjects.values()]
    for kernel in kernels:
        sizes |= {bound + step for bound in _bounds(kernel) for step in (0, 1)}
        for evaluation in kernel.evaluations.values():
            validity = evaluation.validity
            for factor in (validity.due_compute, validity.stop_compute, UNSTATED_GROWTH):
                reaches = [int(end * factor) for span in computes for end in (span.low, span.high) if factor]
                sizes |= {reach + step for reach in reaches for step in (0, 1)}
    sizes |= {end + step for span in computes for end in (span.low, span.high) for step in (0, 1)}
    return sorted(size for size in sizes if least < size <= UNBOUNDED)


def _bounds(kernel: Kernel) -> Iterator[int]:
    """Yield the constants that a kernel compares effective compute with."""
    conditions = [kernel.scope]
    for commitment in kernel.commitments:
        conditions += [commitment.when, commitment.until]
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, Compare):
            if isinstance(kernel.terms[condition.term], Compute):
                yield condition.num // condition.den
        elif isinstance(condition, Not):
            conditions.append(condition.part)
        elif not isinstance(condition, Constant):
            conditions += condition.parts


def _holds(records: Records, lineage: Lineage, request: Request, kernel: Kernel, beside: Sequence[Kernel]) -> bool:
    """Whether a text would hold a request: countersignatures and mandated roles included, exceptions aside."""
    applied = apply_policy(records, lineage, request, kernel)
    if applied.held or applied.escapes or applied.barred(records):
        return True
    if not applied.binds or not kernel.duties.mandates or not beside:
        return False
    binding = [item for item in beside if apply_policy(records, lineage, request, item).binds]
    return any(missing_roles(kernel, binding))
