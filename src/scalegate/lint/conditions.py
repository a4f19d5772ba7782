"""Conditions as rules look at them: what they ask for, and the values that they allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from scalegate.core.kernel import All, AnyOf, AtLeast, Commitment, Compare, Condition, Constant, Evaluation, Kernel, Not
from scalegate.core.terms import Approved, Attested, Measure, Shown, Term
from scalegate.policy.phrases import leaves

# The role that independence is measured from, in every policy.


def shown(commitment: Commitment) -> Condition:
    """Return what has to be shown so that the commitment does not hold: the opposite of its trigger."""
    when = commitment.when
    return when.part if isinstance(when, Not) else Not(when, when.span)


def terms(kernel: Kernel, *conditions: Condition) -> Iterator[tuple[Compare, Term]]:
    """Yield each comparison of the conditions with its term."""
    for condition in conditions:
        for leaf in leaves(condition):
            if isinstance(leaf, Compare):
                yield leaf, kernel.terms[leaf.term]


def measured(kernel: Kernel, *conditions: Condition) -> Iterator[tuple[Compare, Evaluation]]:
    """Yield each comparison of a score with its evaluation."""
    for leaf, term in terms(kernel, *conditions):
        if isinstance(term, Measure):
            yield leaf, kernel.evaluations[term.evaluation]


def worded(kernel: Kernel, *conditions: Condition) -> Iterator[tuple[Compare, Attested | Approved]]:
    """Yield each leaf that rests on somebody's word."""
    for leaf, term in terms(kernel, *conditions):
        if isinstance(term, Attested | Approved):
            yield leaf, term


def safeguards(kernel: Kernel, *conditions: Condition) -> frozenset[str]:
    """Return the safeguards that the conditions ask for."""
    return frozenset(term.safeguard for _, term in terms(kernel, *conditions) if isinstance(term, Shown))


def limit(leaf: Compare) -> Fraction:
    """Return the constant that a term is compared with."""
    return Fraction(leaf.num, leaf.den)


def ceilings(kernel: Kernel, condition: Condition) -> dict[str, Compare]:
    """Return, by evaluation, the lowest ceiling (`<=` or `<`) that a condition asks for conjunctively."""
    return _bounds(kernel, condition, above=False)


def floors(kernel: Kernel, condition: Condition) -> dict[str, Compare]:
    """Return, by evaluation, the highest floor (`>=` or `>`) that a condition asks for conjunctively."""
    return _bounds(kernel, condition, above=True)


def _bounds(kernel: Kernel, condition: Condition, *, above: bool) -> dict[str, Compare]:
    found: dict[str, Compare] = {}
    for leaf in conjuncts(condition):
        if not isinstance(leaf, Compare) or leaf.above is not above:
            continue
        term = kernel.terms[leaf.term]
        if isinstance(term, Measure):
            best = found.get(term.evaluation)
            if best is None or (limit(leaf) > limit(best) if above else limit(leaf) < limit(best)):
                found[term.evaluation] = leaf
    return found


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """Yield the parts that all have to hold; what is negated is turned around."""
    match condition:
        case All(parts=parts):
            for part in parts:
                yield from conjuncts(part)
        case Not(part=Not(part=part)):
            yield from conjuncts(part)
        case Not(part=AnyOf(parts=parts)):
            for part in parts:
                yield from conjuncts(Not(part, condition.span))
        case Not(part=Compare() as leaf):
            yield replace(leaf, above=not leaf.above)
        case _:
            yield condition


def inevitable(condition: Condition, good: Callable[[Compare], bool]) -> bool:  # noqa: PLR0911 - one for each kind
    """Tell whether every way of showing a condition includes a comparison of some kind.

    Args:
        condition: the condition.
        good: whether a comparison is of that kind. A negated one is turned around first: of words, that is silence.
    """
    match condition:
        case Compare():
            return good(condition)
        case Constant(proven=proven):
            return not proven
        case All(parts=parts):
            return any(inevitable(part, good) for part in parts)
        case AnyOf(parts=parts):
            return all(inevitable(part, good) for part in parts)
        case AtLeast(count=count, parts=parts):
            return sum(not inevitable(part, good) for part in parts) < count
        case Not(part=Compare() as leaf):
            return good(replace(leaf, above=not leaf.above))
        case Not(part=Not(part=part)):
            return inevitable(part, good)
        case Not(part=All(parts=parts)):
            return all(inevitable(Not(part, condition.span), good) for part in parts)
        case Not(part=AnyOf(parts=parts)):
            return any(inevitable(Not(part, condition.span), good) for part in parts)
        case Not(part=Constant(proven=proven)):
            return proven
        case Not():
            return False


def alternatives(condition: Condition) -> Iterator[Condition]:
    """Yield the parts of every `or` and `at least k of`, wherever they stand."""
    match condition:
        case AnyOf(parts=parts) | AtLeast(parts=parts):
            for part in parts:
                yield part
                yield from alternatives(part)
        case All(parts=parts):
            for part in parts:
                yield from alternatives(part)
        case Not(part=part):
            yield from alternatives(part)
        case Compare() | Constant():
            return


def by_words_alone(kernel: Kernel, part: Condition) -> tuple[Attested | Approved, ...]:
    """Return whose words alone can show a condition, silence included; empty where anything else is needed."""
    found = [term for _, term in worded(kernel, part)]

    def said(leaf: Compare) -> bool:
        return isinstance(kernel.terms[leaf.term], Attested | Approved)

    return () if inevitable(part, lambda leaf: not said(leaf)) else tuple(found)


def used_evaluations(kernel: Kernel) -> frozenset[str]:
    """Return every evaluation that some commitment or exception depends on."""
    conditions = [side for item in kernel.commitments for side in (item.when, item.until)]
    conditions += [side for item in kernel.exceptions for side in (item.when, item.until, *item.needs)]
    return frozenset(evaluation.id for _, evaluation in measured(kernel, *conditions)) | _as_holes(kernel, conditions)


def _as_holes(kernel: Kernel, conditions: list[Condition]) -> frozenset[str]:
    """Return the evaluations that stand in conditions as holes."""
    names = {getattr(term, "name", getattr(term, "hole", "")) for _, term in terms(kernel, *conditions)}
    return frozenset(names & kernel.evaluations.keys())


def independent(kernel: Kernel, role: str | None) -> bool:
    """Tell whether nobody of a role acts for the developer, by the policy's own words."""
    found = kernel.roles.get(role) if role is not None else None
    return found is not None and found.is_outside


def one_person(kernel: Kernel, role: str | None) -> bool:
    """Tell whether one person is enough to speak for a role."""
    found = kernel.roles.get(role) if role is not None else None
    return found is None or found.quorum == 1


def always(kernel: Kernel, condition: Condition) -> bool:
    """Tell whether a condition holds whatever the evidence: by constants and by rates that cannot be otherwise."""
    match condition:
        case Constant(proven=proven):
            return proven
        case Compare():
            return _sure(kernel, condition)
        case All(parts=parts):
            return all(always(kernel, part) for part in parts)
        case AnyOf(parts=parts):
            return any(always(kernel, part) for part in parts) or _covers(kernel, parts)
        case AtLeast(count=count, parts=parts):
            return sum(always(kernel, part) for part in parts) >= count
        case Not(part=part):
            return never(kernel, part)


def never(kernel: Kernel, condition: Condition) -> bool:
    """Tell whether no evidence can ever show a condition: constants, impossible rates and contradictions."""
    match condition:
        case Constant(proven=proven):
            return not proven
        case Compare():
            return _impossible(kernel, condition)
        case All(parts=parts):
            return any(never(kernel, part) for part in parts) or _contradicts(kernel, condition)
        case AnyOf(parts=parts):
            return all(never(kernel, part) for part in parts)
        case AtLeast(count=count, parts=parts):
            return len(parts) - sum(never(kernel, part) for part in parts) < count
        case Not(part=part):
            return always(kernel, part)


def _sure(kernel: Kernel, leaf: Compare) -> bool:
    if not isinstance(kernel.terms[leaf.term], Measure) or in_words(kernel, leaf):
        return False
    value = limit(leaf)
    if leaf.above:
        return value < 0 or (value == 0 and leaf.edge)
    return value > 1 or (value == 1 and not leaf.edge)


def _impossible(kernel: Kernel, leaf: Compare) -> bool:
    """Tell whether a comparison of a score can never be shown.

    Beyond 0 and 1 nothing lies; and of a population, no sample however large shows that a rate is exactly 0 or 1.
    """
    term = kernel.terms[leaf.term]
    if not isinstance(term, Measure):
        return False
    exact = kernel.evaluations[term.evaluation].estimand == "bank"
    value = limit(leaf)
    if leaf.above:
        return value > 1 or (value == 1 and not (leaf.edge and exact))
    return value < 0 or (value == 0 and (leaf.edge or not exact))


def _contradicts(kernel: Kernel, condition: Condition) -> bool:
    """Tell whether a conjunction asks one score to lie above one value and below a smaller one."""
    floors: dict[int, Fraction] = {}
    tops: dict[int, Fraction] = {}
    for leaf in conjuncts(condition):
        if isinstance(leaf, Compare) and isinstance(kernel.terms[leaf.term], Measure):
            value = limit(leaf)
            if leaf.above:
                floors[leaf.term] = max(floors.get(leaf.term, value), value)
            else:
                tops[leaf.term] = min(tops.get(leaf.term, value), value)
    return any(term in tops and tops[term] < floor for term, floor in floors.items())


def _covers(kernel: Kernel, parts: tuple[Condition, ...]) -> bool:
    """Tell whether two alternatives about one score leave nothing between them."""
    flat = [part for part in parts if isinstance(part, Compare) and isinstance(kernel.terms[part.term], Measure)]
    return any(
        low.term == high.term and not low.above and high.above and limit(high) < limit(low)
        for low in flat
        for high in flat
    )


def shape(kernel: Kernel, condition: Condition) -> tuple[object, ...]:
    """Return what a condition says, without the places it stands in and without its wording."""
    match condition:
        case Compare():
            return ("is", kernel.terms[condition.term], condition.above, condition.edge, condition.num, condition.den)
        case Constant(proven=proven):
            return ("constant", proven)
        case Not(part=part):
            return ("not", shape(kernel, part))
        case All(parts=parts):
            return ("all", *(shape(kernel, part) for part in parts))
        case AnyOf(parts=parts):
            return ("any", *(shape(kernel, part) for part in parts))
        case AtLeast(count=count, parts=parts):
            return ("at least", count, *(shape(kernel, part) for part in parts))


def in_words(kernel: Kernel, leaf: Compare) -> bool:
    """Tell whether a comparison only repeats that a published text's own threshold is reached, which has no number.

    Encodings write a concept at 100% for that.
    """
    term = kernel.terms[leaf.term]
    return isinstance(term, Measure) and bool(kernel.evaluations[term.evaluation].concept) and limit(leaf) == 1


def about_age(kernel: Kernel, condition: Condition) -> bool:
    """Tell whether any result at all would satisfy a condition, so that it asks for a recent one and for no value."""
    found = [leaf for leaf, _ in measured(kernel, condition)]
    return bool(found) and all(in_words(kernel, leaf) and not leaf.above and not leaf.edge for leaf in found)
