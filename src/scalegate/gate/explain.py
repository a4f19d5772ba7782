"""Why: the reason tree of an application, and its reasons as a flat list. Words only; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from scalegate.core.decision import Node, Reason, Truth
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import All, AnyOf, AtLeast, Commitment, Compare, Condition, Constant, Kernel, Not
from scalegate.core.quantities import FOREVER, UNBOUNDED, show_flop, show_instant
from scalegate.core.terms import Operates, Overdue, Revenue
from scalegate.gate.apply import Application
from scalegate.gate.interpret import AGAINST, FOR, Held, Leaf, compare, overtaken, stand
from scalegate.policy.phrases import terms_of


def reasons(application: Application) -> Iterator[Reason]:
    """Yield every reason why a policy holds, the trigger's before the resumption's."""
    for held in application.held:
        for side, leaves in (("when", held.when), ("until", held.until)):
            for leaf in leaves:
                for gap in causes(application, leaf):
                    if side == "until" and gap.kind == "never" and not _triggered(application, held):
                        continue
                    message = gap.message if side == "when" else f"to resume: {gap.message}"
                    yield Reason(
                        application.kernel.id,
                        held.commitment.id,
                        gap.kind,
                        message,
                        leaf[0].span,
                        gap.evidence,
                    )


def _triggered(application: Application, held: Held) -> bool:
    now, to = application.situation.records.now, application.situation.to
    return stand(held.commitment.when, application.facts, now, to, False, []) == AGAINST


def causes(application: Application, leaf: Leaf) -> list[Gap]:
    """Return why a leaf does not stand for the permit: at least one cause, each with its kind."""
    condition, permissive, stands = leaf
    if isinstance(condition, Constant):
        words = "always" if condition.proven else "never"
        return [Gap("never", f"the policy says `{words}` here, and no evidence changes that")]
    strata = application.facts[condition.term]
    found: list[Gap] = []
    for fact in strata:
        found += _of_fact(application, condition, fact, permissive=permissive)
    if stands == AGAINST:
        crossed = [gap for gap in found if gap.kind == "crossed"]
        found = crossed or found
    unique = {(gap.kind, gap.message): gap for gap in found}
    return list(unique.values()) or [Gap("missing", f"nothing bears on `{condition.text}`")]


def _of_fact(application: Application, condition: Compare, fact: Fact, *, permissive: bool) -> Iterator[Gap]:
    now, to = application.situation.records.now, application.situation.to
    result = compare(condition, (fact,), now, to, permissive)
    above = condition.above is permissive
    if result == AGAINST and isinstance(application.kernel.terms[condition.term], Overdue):
        # Nothing was measured, and nothing latches: what is late can still be done.
        yield Gap("missing", f"{fact.label} is {fact.detail}", fact.evidence)
    elif result == AGAINST:
        yield _adverse(condition, fact, permissive=permissive)
    elif result == FOR or (fact.adverse_only and _open(application, condition, fact, above=above)):
        return
    elif fact.gaps:
        yield from fact.gaps
    elif fact.adverse_only:
        words = f"{fact.label}: {fact.detail}, and what is missing could have crossed `{condition.text}`"
        repair = f"an independent role retracts what was lost for its defect ({fact.label})"
        yield Gap("missing", words, fact.evidence, repair)
    elif fact.reach == 0:
        yield Gap("stale", f"{fact.label} holds for its exact digest, never for training", fact.evidence)
    elif now >= fact.until:
        words = f"{fact.label}: {fact.detail or 'the evidence'} holds only until {show_instant(fact.until)}"
        yield Gap("stale", words, fact.evidence)
    elif to > fact.reach:
        yield Gap("stale", _out_of_reach(fact, to), fact.evidence)
    elif overtaken(condition, fact.elsewhere, to, above=above):
        who = next(item for item in fact.elsewhere if overtaken(condition, (item,), to, above=above))
        words = f"{fact.label} is overtaken: {who.subject} crossed `{condition.text}` at {show_flop(who.at)} FLOP"
        yield Gap("stale", words, fact.evidence)
    else:
        words = f"{fact.label}: {fact.detail or _interval(fact)} does not decide `{condition.text}`"
        yield Gap("inconclusive", words, fact.evidence)


def _open(application: Application, condition: Compare, fact: Fact, *, above: bool) -> bool:
    """Whether a fact that never speaks for a permit leaves the comparison to the others."""
    now, to = application.situation.records.now, application.situation.to
    witness = Fact("", Fraction(-UNBOUNDED), Fraction(-UNBOUNDED), rising=(Fraction(UNBOUNDED), Fraction(UNBOUNDED)))
    return compare(condition, (fact, witness), now, to, permissive=condition.above is above) == FOR


def _adverse(condition: Compare, fact: Fact, *, permissive: bool) -> Gap:
    came_out = "refuted" if permissive else "proven"
    words = f"{fact.label}: {fact.detail or _interval(fact)}; `{condition.text}` is {came_out}"
    return Gap("crossed", words, fact.evidence)


def _out_of_reach(fact: Fact, to: int) -> str:
    asked = "an unknown effective compute" if to >= UNBOUNDED else f"{show_flop(to)} FLOP"
    return f"{fact.label} reaches {show_flop(fact.reach)} FLOP of effective compute, not {asked}"


def _interval(fact: Fact) -> str:
    low, high = fact.low, fact.high
    return f"[{low if low is not None else 'unknown'}, {high if high is not None else 'unknown'}]"


# ---------------------------------------------------------------- the tree

_TRUTH: dict[int, Truth] = {1: "proven", 0: "unknown", -1: "refuted"}


def as_truth(stands: int, *, permissive: bool) -> Truth:
    """Return how a condition came out as a plain statement, from how it stands to the permit in its position."""
    return _TRUTH[stands if permissive else -stands]


def tree(application: Application) -> Node:
    """Return the reason tree of a policy: a node for each commitment that covers the action, down to the facts."""
    kernel = application.kernel
    words = f"{kernel.id} {kernel.version}"
    if not application.binds:
        scope = _node_of(application, kernel.scope, permissive=False)
        why = (
            "product or developer lie outside its scope"
            if of_developers(kernel)
            else "the product lies below its scope"
        )
        return Node(f"{words} does not bind: {why}", "proven", "", kernel.span, (), "", (scope,))
    released = {escape.exception.instead_of: escape for escape in application.escapes}
    holding = {held.commitment.id for held in application.held}
    children = []
    for commitment in kernel.commitments:
        if application.actions.isdisjoint(commitment.actions):
            continue
        node = _commitment(application, commitment, holds=commitment.id in holding)
        escape = released.get(commitment.id)
        if escape is not None:
            text = f"exception {escape.exception.id} stands in for {commitment.id} until {show_instant(escape.until)}"
            floor = _node_of(application, escape.exception.until, permissive=True)
            node = Node(text, "proven", "", escape.exception.span, (), "", (floor, node))
        children.append(node)
    truth: Truth = "refuted" if application.held else "proven"
    return Node(
        f"{words} {'holds' if application.held else 'permits'}", truth, "", kernel.span, (), "", tuple(children)
    )


def of_developers(kernel: Kernel) -> bool:
    """Whether a policy binds by what is known of the developer, too."""
    return any(isinstance(term, Revenue | Operates) for term in terms_of(kernel, kernel.scope))


def _commitment(application: Application, commitment: Commitment, *, holds: bool) -> Node:
    """Return the node of a commitment, in the policy's words: unless shown what, resume only if shown what."""
    trigger = commitment.when
    if isinstance(trigger, Not):
        shown = _node_of(application, trigger.part, permissive=True)
        first = Node("unless shown", shown.truth, "", None, (), "", (shown,))
    else:
        crossed = _node_of(application, trigger, permissive=False)
        first = Node("held when", crossed.truth, "", None, (), "", (crossed,))
    target = _node_of(application, commitment.until, permissive=True)
    second = Node("resume only if shown", target.truth, "", None, (), "", (target,))
    words = f"{commitment.id} {'holds' if holds else 'permits'}"
    return Node(words, "refuted" if holds else "proven", "", commitment.span, (), "", (first, second))


def _node_of(application: Application, condition: Condition, *, permissive: bool) -> Node:
    """Return the node of a condition; its truth is what the interpreter says, seen as a plain statement."""
    now, to = application.situation.records.now, application.situation.to
    result = stand(condition, application.facts, now, to, permissive, [])
    truth = as_truth(result, permissive=permissive)
    match condition:
        case Compare():
            return _leaf(application, condition, result, truth, permissive=permissive)
        case Constant(proven=proven):
            kind: Literal["never", ""] = "" if result == FOR else "never"
            return Node("always" if proven else "never", truth, kind, condition.span)
        case Not(part=part):
            child = _node_of(application, part, permissive=not permissive)
            return Node("not", truth, "", condition.span, (), "", (child,))
        case All() | AnyOf() | AtLeast():
            children = tuple(_node_of(application, part, permissive=permissive) for part in condition.parts)
            return Node(_connective(condition), truth, "", condition.span, (), "", children)


def _connective(condition: All | AnyOf | AtLeast) -> str:
    if isinstance(condition, AtLeast):
        return f"at least {condition.count} of"
    return "all of" if isinstance(condition, All) else "at least one of"


def _leaf(application: Application, condition: Compare, result: int, truth: Truth, *, permissive: bool) -> Node:
    found = causes(application, (condition, permissive, result)) if result != FOR else []
    children = tuple(
        Node(
            fact.label,
            _came_out(application, condition, fact, permissive=permissive),
            "",
            None,
            fact.evidence,
            "; ".join(filter(None, (fact.detail, *_limits(fact)))),
        )
        for fact in application.facts[condition.term]
    )
    kind = found[0].kind if found else ""
    return Node(condition.text, truth, kind, condition.span, (), "; ".join(gap.message for gap in found), children)


def _came_out(application: Application, condition: Compare, fact: Fact, *, permissive: bool) -> Truth:
    now, to = application.situation.records.now, application.situation.to
    return as_truth(compare(condition, (fact,), now, to, permissive), permissive=permissive)


def _limits(fact: Fact) -> Iterator[str]:
    """Yield until when and how far a fact may be used in favor of a permit."""
    if 0 < fact.until < FOREVER:
        yield f"usable until {show_instant(fact.until)}"
    if 0 < fact.reach < UNBOUNDED:
        yield f"reaches {show_flop(fact.reach)} FLOP"
