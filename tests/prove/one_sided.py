"""What only some policies count, and what shows something worse than the rest: comparisons assume there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.events import (
    DefectRetracted,
    Event,
    ResultReported,
    RunRegistered,
    RunVoided,
    Statement,
    claim_topic,
    matter_topic,
)
from scalegate.core.kernel import Count, Evaluation, Kernel
from scalegate.gate.provenance import flaws
from scalegate.gate.records import Records, index
from scalegate.gate.voices import may_speak
from tests.prove.histories import Story


def shared(told: Story, kernels: Sequence[Kernel]) -> Story:
    """Return a history without what only some policies count and what shows something worse than the rest.

    Comparisons assume that there is none of it.
    """
    records = index(told.entries, told.now)
    odd = {name for name, item in records.runs.items() if _run_is_odd(records, item.plan, item.result, kernels)}
    kept = [
        item
        for place, item in enumerate(told.timed)
        if not (isinstance(item[1], RunRegistered | ResultReported | RunVoided) and item[1].run in odd)
        and not _is_odd(records, item[1], place, kernels)
    ]
    return replace(told, timed=tuple(kept))


def _differs(records: Records, role: str, by: str, place: int, kernels: Sequence[Kernel]) -> bool:
    """Whether only some policies let somebody speak in a role, then or now."""
    return any(len({may_speak(records, kernel, role, by, at) for kernel in kernels}) > 1 for at in (place, None))


def _run_is_odd(
    records: Records, plan: RunRegistered, result: ResultReported | None, kernels: Sequence[Kernel]
) -> bool:
    def counted(kernel: Kernel, spec: Evaluation) -> tuple[bool, ...]:
        at = records.runs[plan.run].entry.index
        spoken = spec.by is None or (
            plan.role == spec.by and all(may_speak(records, kernel, spec.by, plan.by, when) for when in (at, None))
        )
        return spoken, result is None or not flaws(result, spec)

    found = {
        counted(kernel, spec)
        for kernel in kernels
        for spec in kernel.evaluations.values()
        if spec.digest == plan.evaluation
    }
    return len(found) > 1


def _is_odd(records: Records, event: Event, place: int, kernels: Sequence[Kernel]) -> bool:
    """Whether only some policies count something adverse."""
    match event:
        case DefectRetracted() | RunVoided() | DeveloperDescribed():
            # These count in roles that a policy keeps independent of the developer.
            independent = {
                (known := kernel.roles.get(event.role)) is not None and "developer" in known.independent_of
                for kernel in kernels
            }
            return len(independent) > 1 or _differs(records, event.role, event.by, place, kernels)
        case Statement(holds=False):
            return _differs(records, event.role, event.by, place, kernels)
        case Statement(kind="measurement", count=(_, trials)):
            counts = [count.trials for kernel in kernels for count in _counts(kernel, event.topic)]
            return len({trials >= needed for needed in counts}) > 1
        case _:
            return False


def _counts(kernel: Kernel, topic: str) -> Iterator[Count]:
    for spec in kernel.evaluations.values():
        for count in (*spec.hidden_capability, *spec.shown_to_work):
            if claim_topic(spec.digest or "", count.name) == topic:
                yield count
    for guard in kernel.safeguards.values():
        for count in guard.fails_if:
            if matter_topic(kernel.id, f"{guard.id}:{count.name}") == topic:
                yield count
