"""What would release a hold: the smallest sets of steps, or "nobody knows; possibly nothing". And what would not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from scalegate.core.decision import Remedy
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Compare, Condition, Constant, Kernel, Not
from scalegate.core.quantities import show_instant
from scalegate.core.terms import Approved, Attested, Clock, Elapsed, Hole, Measure, Overdue, Published, Shown, Specified
from scalegate.gate.apply import Application
from scalegate.gate.explain import causes
from scalegate.gate.interpret import AGAINST, FOR, compare, needed


class Step(NamedTuple):
    """One thing to do; `goal` is the condition it has to show, empty for none; `known` False when nobody knows how."""

    words: str
    goal: str = ""
    known: bool = True


# A way is a set of steps that together suffice.
Way = frozenset[Step]
MOST_WAYS = 12


def remedies(applications: Sequence[Application], extra: Sequence[str]) -> tuple[Remedy, ...]:
    """Return the smallest sets of steps that would release everything that holds.

    Args:
        applications: the policies applied to the request.
        extra: further steps that are needed in any case, such as a countersignature.
    """
    ways: list[Way] = [frozenset(Step(words) for words in extra)]
    holding = False
    for application in applications:
        for held in application.held:
            holding = True
            sides = (held.commitment.when, False), (held.commitment.until, True)
            options = [way for side, permissive in sides for way in _ways(application, side, permissive=permissive)]
            ways = _smallest([a | b for a, b in product(ways, options)])
    if not holding and not extra:
        return ()
    return tuple(Remedy(_in_words(way), all(step.known for step in way)) for way in ways)


def _in_words(way: Way) -> tuple[str, ...]:
    """Return the steps of a way in words: one line for each thing to do, with everything it has to show."""
    goals: dict[str, list[str]] = {}
    for step in sorted(way):
        goals.setdefault(step.words, []).append(f"`{step.goal}`")
    return tuple(
        words if shown == ["``"] else f"{words}, and the bound must show {' and '.join(shown)}"
        for words, shown in goals.items()
    )


def _smallest(ways: list[Way]) -> list[Way]:
    """Return the ways of which no other is a part, attainable and short ones first."""
    unique = sorted(set(ways), key=lambda way: (not all(step.known for step in way), len(way), sorted(way)))
    kept: list[Way] = []
    for way in unique:
        if not any(other <= way for other in kept):
            kept.append(way)
    return kept[:MOST_WAYS]


def _ways(application: Application, condition: Condition, *, permissive: bool) -> list[Way]:
    """Return the ways to make a condition stand for the permit; none when nothing can."""
    if isinstance(condition, Compare):
        return _compare_ways(application, condition, permissive=permissive)
    if isinstance(condition, Constant):
        return [frozenset()] if condition.proven is permissive else []
    if isinstance(condition, Not):
        return _ways(application, condition.part, permissive=not permissive)
    parts = [_ways(application, part, permissive=permissive) for part in condition.parts]
    need = needed(condition, permissive)
    # Ways to satisfy `count` of the parts seen so far, cut to the smallest at each part: never exponential.
    counted: list[list[Way]] = [[frozenset()], *([] for _ in range(need))]
    for options in parts:
        for count in range(need, 0, -1):
            joined = [a | b for a, b in product(counted[count - 1], options)]
            counted[count] = _smallest([*counted[count], *joined])
    return counted[need]


def _compare_ways(application: Application, condition: Compare, *, permissive: bool) -> list[Way]:
    now, to = application.situation.records.now, application.situation.to
    result = compare(condition, application.facts[condition.term], now, to, permissive)
    if result == FOR:
        return [frozenset()]
    term, wanted = application.kernel.terms[condition.term], condition.above is permissive
    if isinstance(term, Clock):
        day = show_instant(condition.num // condition.den)
        return [frozenset({Step(f"wait until {day}")})] if wanted else []
    if isinstance(term, Overdue) and not wanted:
        return [frozenset({_discharge(application.kernel, term.obligation)})]
    if isinstance(term, Elapsed) and wanted and result == AGAINST:
        left = condition.num // condition.den + (0 if condition.edge else 1) - _age(application.facts[condition.term])
        return [frozenset({Step(f"wait until {show_instant(now + left)}")})]
    if result == AGAINST:
        return []  # latched: nothing measured later takes it back
    leaf = (condition, permissive, result)
    steps = {_step(application, condition, term, gap) for gap in causes(application, leaf)}
    return [frozenset(steps)]


def _age(strata: tuple[Fact, ...]) -> int:
    """Return the seconds that have surely passed."""
    return max(fact.rise_low_num // fact.rise_low_den for fact in strata)


def _discharge(kernel: Kernel, name: str) -> Step:
    duty = kernel.duties.obligations[name]
    return Step(f"{duty.does}: {duty.met.role} states {duty.met.predicate}")


def _step(  # noqa: PLR0911 - one return for each kind of term
    application: Application, condition: Compare, term: object, gap: Gap
) -> Step:
    kernel, name = application.kernel, application.situation.subject.name
    if gap.remedy:
        return Step(gap.remedy)
    match term:
        case Hole(name=hole):
            return _fill(kernel, hole)
        case Shown(safeguard=safeguard):
            spec = kernel.safeguards[safeguard]
            if gap.kind == "hole":
                return Step(f"amend {kernel.id}: {gap.message}", known=False)
            return Step(f"{spec.by} shows safeguard {safeguard} for {name}")
        case Attested(predicate=predicate, role=role):
            return Step(f"{role} attests {predicate}")
        case Elapsed(predicate=predicate, role=role):
            return Step(f"{role} states {predicate}, and then the time passes")
        case Specified(hole=hole):
            who = ", ".join(kernel.holes[hole].filled_only_by) if hole in kernel.holes else ""
            return Step(f"{who} attest that {hole} is specified", known=bool(who))
        case Approved(matter=matter, role=role):
            return Step(f"{role} approves {matter}")
        case Published(matter=matter):
            return Step(f"publish {matter}")
        case Measure(evaluation=evaluation):
            return _measure_step(application, condition, evaluation, gap)
        case _:
            return Step(f"ask for less effective compute: {gap.message}")


def _measure_step(application: Application, condition: Compare, evaluation: str, gap: Gap) -> Step:
    kernel = application.kernel
    spec = kernel.evaluations[evaluation]
    who = f"{spec.by} measures" if spec.by else "measure"
    match gap.kind:
        case "hole":
            unstated = Step(f"amend {kernel.id}: {gap.message}", known=False)
            return unstated if spec.hole is None else _fill(kernel, evaluation)
        case "pending":
            return Step(f"the pending result arrives ({gap.message})", condition.text)
        case "untrusted":
            return Step(f"repair trust: {gap.message}")
        case "not_attested" | "unresolved":
            return Step(f"show it: {gap.message}")
        case "inconclusive":
            return Step(f"{who} {evaluation} with more samples ({gap.message})", condition.text)
        case "stale":
            return Step(f"{who} {evaluation} again ({gap.message})", condition.text)
        case _:
            return Step(f"{who} {evaluation} ({gap.message})", condition.text)


def _fill(kernel: Kernel, hole: str) -> Step:
    spec = kernel.holes.get(hole)
    who = ", ".join(spec.filled_only_by) if spec else ""
    by = f"with the approval of {who}" if who else "though the policy names nobody who may"
    return Step(f"fill hole {hole} {by}; nobody knows what would fill it, possibly nothing", known=False)


def _ends(application: Application, condition: Compare) -> bool:
    """Whether what speaks against a comparison may end: time passes, and what is late can be done."""
    return isinstance(application.kernel.terms[condition.term], Clock | Elapsed | Overdue)


def would_not_release(applications: Sequence[Application]) -> Iterator[str]:
    """Yield what looks like a remedy and is none."""
    kinds: set[str] = set()
    for application in applications:
        for held in application.held:
            for leaf in (*held.when, *held.until):
                kinds |= {gap.kind for gap in causes(application, leaf)}
                condition, _, stands = leaf
                if stands == AGAINST and isinstance(condition, Compare) and not _ends(application, condition):
                    kinds.add("latched")
    if "latched" in kinds:
        yield "a later favorable result of the same subject: a crossing or a failed target stays"
        yield "a pruned, merged, unlearned or further trained child: it carries the crossing along its weight edges"
    if "crossed" in kinds:
        yield "a resumption target met by another checkpoint: it counts only on the exact subject that would go on"
    if kinds & {"missing", "pending", "stale", "inconclusive"}:
        yield "waiting: silence and age never release"
    if kinds & {"not_attested", "untrusted", "unresolved"}:
        yield "a statement by somebody else than the role the policy names, or by one who is not independent"
    if "hole" in kinds:
        yield "any evidence on the hole: only an approved fill gives it a meaning"
    if "never" in kinds:
        yield "any evidence at all, where the policy says never"
