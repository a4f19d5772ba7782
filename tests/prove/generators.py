"""Random policies and pairs of them, from a seed: what a policy may say, and what an amendment may change in it.

Policies share evaluations, roles and safeguards by digest and name, so that two of them speak of the same things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from scalegate.core.actions import HARDER, covered
from scalegate.core.duties import Duties, EventName, Obligation, Provenance
from scalegate.core.kernel import (
    All,
    AnyOf,
    AtLeast,
    Belief,
    Commitment,
    Compare,
    Condition,
    Constant,
    Context,
    Count,
    Evaluation,
    Exception_,
    HoleSpec,
    Kernel,
    Not,
    Safeguard,
    ScoreRule,
    Validity,
)
from scalegate.core.quantities import DAY
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
    Position,
    Published,
    Revenue,
    Shown,
    Specified,
    Term,
)
from tests.gate.random_worlds import DIGESTS, KINDS, PREDICATES, ROLES, SPAN

BEGIN = 1_800_000_000
RATES = tuple(Fraction(part, 100) for part in (1, 5, 10, 20, 21, 50))
SIZES = tuple(Fraction(10**power) for power in (24, 25, 26, 27))
AGES = (30 * DAY, 60 * DAY, 90 * DAY, 120 * DAY, 365 * DAY)
VALIDITIES = (
    Validity(),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(None, 60 * DAY, None, 60 * DAY, exact=True, training=True),
    Validity(None, 60 * DAY, exact=True),
    Validity(Fraction(2), None, Fraction(2), None, exact=False, training=True),
)
WAYS = ((), (), ("prompting",), ("prompting", "fine-tuning"))


@dataclass(frozen=True)
class Taste:
    """How large a random policy is, and whether it says what only encodings of other people's words may say."""

    most: int = 3
    depth: int = 2
    reference: bool = False


SMALL = Taste(most=2, depth=1)


class Terms(list[Term]):
    """The terms of a kernel in the making."""

    def place(self, term: Term) -> int:
        if term not in self:
            self.append(term)
        return self.index(term)


def often(random: Random, percent: int) -> bool:
    return random.randrange(100) < percent


# ---------------------------------------------------------------- conditions


def compare(terms: Terms, term: Term, value: Fraction, *, above: bool, edge: bool) -> Compare:
    sign = {(True, True): ">=", (True, False): ">", (False, True): "<", (False, False): "<="}[above, edge]
    return Compare(terms.place(term), above, edge, value.numerator, value.denominator, f"x {sign} {value}", SPAN)


def yes(terms: Terms, term: Term, *, wanted: bool = True) -> Condition:
    found = compare(terms, term, Fraction(1), above=True, edge=True)
    return found if wanted else Not(found, SPAN)


def leaf(random: Random, terms: Terms, taste: Taste, position: Position, *, wanted: bool) -> Condition:
    """Return a leaf that a permit would like to see shown (`wanted`) or refuted."""
    kinds = ["measure"] * 8 + ["shown", "shown", "attested", "approved", "published", "compute", "clock", "constant"]
    kinds += ["overdue", "specified", "elapsed"] if taste.reference else ["overdue"]
    kind, edge = random.choice(kinds), often(random, 50)
    match kind:
        case "measure":
            term = Measure(random.choice([*KINDS]), position, every_scaffold=often(random, 10))
            return compare(terms, term, random.choice(RATES), above=wanted is often(random, 15), edge=edge)
        case "compute":
            return compare(terms, Compute(), random.choice(SIZES), above=wanted is often(random, 15), edge=edge)
        case "clock":
            date = Fraction(BEGIN + random.choice((-100, 0, 1, 100)) * DAY)
            return compare(terms, Clock(), date, above=often(random, 50), edge=edge)
        case "elapsed":
            term = Elapsed(random.choice(PREDICATES), "auditor")
            return compare(terms, term, Fraction(random.choice(AGES)), above=often(random, 60), edge=edge)
        case "constant":
            return Constant(wanted is not often(random, 30), SPAN)
        case _:
            return yes(terms, _matter(random, kind), wanted=wanted is (kind != "overdue"))


def _matter(random: Random, kind: str) -> Term:
    match kind:
        case "shown":
            return Shown("guard")
        case "attested":
            return Attested(random.choice(PREDICATES), random.choice([*ROLES]), random.choice((None, None, AGES[0])))
        case "approved":
            return Approved("plan", random.choice([*ROLES]))
        case "overdue":
            return Overdue(random.choice(("report", "review")))
        case "specified":
            return Specified("gap")
        case _:
            return Published("plan")


def wish(
    random: Random, terms: Terms, taste: Taste, position: Position, *, wanted: bool = True, depth: int | None = None
) -> Condition:
    """Return a condition that a permit would like to see shown, or refuted where it is not `wanted`."""
    deep = taste.depth if depth is None else depth
    shape = random.choice(("leaf", "leaf", "all", "any", "not", "least")) if deep else "leaf"
    if shape == "leaf":
        return leaf(random, terms, taste, position, wanted=wanted)
    if shape == "not":
        return Not(wish(random, terms, taste, position, wanted=not wanted, depth=deep - 1), SPAN)
    parts = tuple(
        wish(random, terms, taste, position, wanted=wanted, depth=deep - 1) for _ in range(random.choice((2, 2, 3)))
    )
    if shape == "least":
        return AtLeast(random.randint(1, len(parts)), parts, SPAN)
    return (All if shape == "all" else AnyOf)(parts, SPAN)


# ---------------------------------------------------------------- policies


def evaluation(random: Random, name: str) -> Evaluation:
    beliefs = (Belief("nothing is gamed", "auditor", random.choice((None, 60 * DAY)), SPAN),)
    counts = (Count("spike-in recovered", 0, 1, Fraction(4, 5), SPAN), Count("positives flagged", 19, 20, None, SPAN))
    return Evaluation(
        id=name,
        kind=KINDS[name],
        digest=None if often(random, 2) else DIGESTS[name],
        test="bank",
        score=ScoreRule("success rate"),
        elicited_by=random.choice(WAYS),
        by=random.choice(("auditor", "auditor", None)),
        wrongly_cleared=random.choice((Fraction(1, 1000), Fraction(1, 1000), Fraction(1, 20))),
        wrongly_stopped=random.choice((Fraction(1, 20), Fraction(1, 10))),
        validity=random.choice(VALIDITIES),
        beliefs=beliefs if often(random, 20) else (),
        hidden_capability=counts[:1] if often(random, 15) else (),
        shown_to_work=counts[1:] if often(random, 15) else (),
        accept_aggregate=often(random, 70),
        accept_edited=often(random, 70),
        refuse_provenance=("dirty revision",) if often(random, 15) else (),
        hole="nobody knows" if name == "why" and often(random, 20) else None,
        reach_issuer=often(random, 10),
        span=SPAN,
        accept_earlier=often(random, 70),
    )


def commitment(random: Random, terms: Terms, taste: Taste, name: str) -> Commitment:
    hold = random.choice(("everything", "everything", "train", "deploy", "deploy.api", *HARDER))
    when: Condition = Not(wish(random, terms, taste, "when"), SPAN)
    until: Condition = Constant(proven=False, span=SPAN)
    if often(random, 50):
        until = wish(random, terms, taste, "until")
    if often(random, 8):
        until = All((until, yes(terms, Hole("gap"))), SPAN)
    unsettled = random.choice(("hold", "permit", "discretion")) if taste.reference else "hold"
    modality = random.choice(("must", "must", "aim")) if taste.reference else "must"
    about = random.choice(((), ("security",), ("deployment",)))
    return Commitment(name, (hold,), covered(hold), when, until, False, SPAN, about, modality, unsettled)


def escape(random: Random, terms: Terms, taste: Taste, instead_of: str) -> Exception_:
    name = f"escape-{instead_of}"
    when = yes(terms, Attested(random.choice(PREDICATES), "auditor"))
    until = wish(random, terms, taste, "until", depth=min(1, taste.depth))
    needs = (yes(terms, Approved(f"exception:{name}", "board")),)
    return Exception_(name, instead_of, when, until, needs, 30 * DAY, 60 * DAY, 365 * DAY, SPAN)


def duties() -> Duties:
    """Return two obligations: one that a start event begins, one that recurs."""
    rest = ("must", (), Provenance(), SPAN)
    met = EventName("reported-it", "developer")
    starts = (EventName("incident", "auditor"),)
    found = (
        Obligation("report", "tell", 3 * DAY, None, starts, met, *rest),
        Obligation("review", "look again", None, 180 * DAY, (), EventName("reviewed", "auditor"), *rest),
    )
    return Duties(obligations={item.id: item for item in found})


def policy(random: Random, taste: Taste = SMALL, name: str = "plan") -> Kernel:
    """Return a random policy."""
    terms = Terms()
    promised = tuple(commitment(random, terms, taste, f"c{place}") for place in range(random.randint(1, taste.most)))
    escapes = ()
    if often(random, 30):
        escapes = (escape(random, terms, taste, random.choice(promised).id),)
    scope = _scope(random, terms)
    fails_if = (Count("thefts", 0, 3, None, SPAN),) if often(random, 30) else ()
    because = None if often(random, 3) else "sha256:because"
    hole = "it gives no reason" if because is None else None
    age = random.choice((None, 180 * DAY, 365 * DAY))
    guard = Safeguard("guard", "sha256:means", "thieves", because, fails_if, "auditor", age, hole, SPAN)
    room = Context("room", "deploy.internal", random.choice((("bare",), ("bare", "agent"), None)), True, SPAN)
    return Kernel(
        id=name,
        version="1",
        issuer="lab",
        kind="reference" if taste.reference else "policy",
        digest=f"sha256:{name}",
        effective=BEGIN,
        scope=scope,
        binds_every_developer=False,
        terms=tuple(terms),
        commitments=promised,
        exceptions=escapes,
        roles=dict(ROLES),
        evaluations={key: evaluation(random, key) for key in KINDS},
        safeguards={"guard": guard},
        holes={"gap": HoleSpec("gap", "nobody knows", "lab", ("board",), None, SPAN)},
        contexts={"room": room},
        stop_orders_by=random.choice(((), (), ("regulator",))),
        countersigned_by=random.choice(((), (), (), ("auditor",))),
        mitigation_cap=random.choice((Fraction(1, 100), Fraction(1, 50))),
        teachers_count=not often(random, 20),
        existing_scale=random.choice((0, 10**25)),
        duties=duties(),
    )


def _scope(random: Random, terms: Terms) -> Condition:
    if often(random, 60):
        return Constant(proven=True, span=SPAN)
    parts = [compare(terms, Compute(), random.choice(SIZES[:3]), above=True, edge=often(random, 50))]
    if often(random, 30):
        parts.append(compare(terms, Revenue(), Fraction(5 * 10**8), above=True, edge=False))
    if often(random, 20):
        parts.append(yes(terms, Operates("us-ca")))
    return parts[0] if len(parts) == 1 else All(tuple(parts), SPAN)


# ---------------------------------------------------------------- what an amendment changes

Change = Callable[[Random, Kernel], Kernel]


def _edited(
    random: Random, kernel: Kernel, part: str, change: Callable[[Random, Terms, Condition], Condition]
) -> Kernel:
    """Return a policy with a condition of one commitment changed."""
    place, terms = random.randrange(len(kernel.commitments)), Terms(kernel.terms)
    old = kernel.commitments[place]
    new = replace(old, **{part: change(random, terms, getattr(old, part))})
    return replace(
        kernel,
        terms=tuple(terms),
        commitments=(*kernel.commitments[:place], new, *kernel.commitments[place + 1 :]),
    )


def _inside(random: Random, condition: Condition, change: Callable[[Condition], Condition | None]) -> Condition:
    """Return a condition with one part below it changed, where some part can be."""
    parts = condition.parts if isinstance(condition, All | AnyOf | AtLeast) else ()
    if parts and often(random, 60):
        place = random.randrange(len(parts))
        inner = _inside(random, parts[place], change)
        return replace(condition, parts=(*parts[:place], inner, *parts[place + 1 :]))
    if isinstance(condition, Not):
        return Not(_inside(random, condition.part, change), SPAN)
    return change(condition) or condition


def _in_conditions(change: Callable[[Random, Kernel, Condition], Condition | None]) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        part = random.choice(("when", "when", "until"))
        return _edited(
            random, kernel, part, lambda _, __, old: _inside(random, old, lambda item: change(random, kernel, item))
        )

    return changed


def _threshold(random: Random, _: Kernel, item: Condition) -> Condition | None:
    if not isinstance(item, Compare):
        return None
    value = Fraction(item.num, item.den)
    new = random.choice((value * 2, value / 2, value + Fraction(1, 100), value + DAY)) if value > 1 else value
    if value <= 1 and item.den > 1:
        new = random.choice([rate for rate in RATES if rate != value])
    return replace(item, num=new.numerator, den=new.denominator)


def _strictness(_: Random, __: Kernel, item: Condition) -> Condition | None:
    return replace(item, edge=not item.edge) if isinstance(item, Compare) and (item.num, item.den) != (1, 1) else None


def _negation(_: Random, kernel: Kernel, item: Condition) -> Condition | None:
    # A hole stands under no `not`: the language has no words for that.
    holes = isinstance(item, Compare) and isinstance(kernel.terms[item.term], Hole)
    return None if holes or isinstance(item, All | AnyOf | AtLeast) else Not(item, SPAN)


def _connective(random: Random, _: Kernel, item: Condition) -> Condition | None:
    match item:
        case All(parts=parts) | AnyOf(parts=parts):
            if any(isinstance(part, Compare) and part.den == 1 and part.num == 1 for part in parts):
                return AnyOf(parts, SPAN) if isinstance(item, All) and often(random, 50) else All(parts, SPAN)
            return AtLeast(random.randint(1, len(parts)), parts, SPAN)
        case AtLeast(parts=parts):
            return AtLeast(random.randint(1, len(parts)), parts, SPAN)
        case _:
            return None


def _widened(random: Random, kernel: Kernel) -> Kernel:
    """Join a further condition to one of a commitment, by `and` or `or`."""
    part = random.choice(("when", "until"))
    join = random.choice((All, AnyOf))
    return _edited(
        random,
        kernel,
        part,
        lambda _, terms, old: join((old, leaf(random, terms, SMALL, part, wanted=part == "until")), SPAN),
    )


def _commitment(change: Callable[[Random, Commitment], Commitment]) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        place = random.randrange(len(kernel.commitments))
        new = change(random, kernel.commitments[place])
        return replace(kernel, commitments=(*kernel.commitments[:place], new, *kernel.commitments[place + 1 :]))

    return changed


def _holds(random: Random, item: Commitment) -> Commitment:
    hold = random.choice(("everything", "train", "deploy", "deploy.api", "release.weights", "store.weights"))
    return replace(item, hold=(hold,), actions=covered(hold))


def _added(random: Random, kernel: Kernel) -> Kernel:
    terms, names = Terms(kernel.terms), {item.id for item in kernel.commitments}
    name = next(f"c{place}" for place in range(100) if f"c{place}" not in names)
    new = commitment(random, terms, SMALL, name)
    return replace(kernel, terms=tuple(terms), commitments=(*kernel.commitments, new))


def _removed(random: Random, kernel: Kernel) -> Kernel:
    if len(kernel.commitments) < 2:
        return _added(random, kernel)
    gone = random.choice(kernel.commitments)
    left = tuple(item for item in kernel.commitments if item is not gone)
    return replace(
        kernel, commitments=left, exceptions=tuple(item for item in kernel.exceptions if item.instead_of != gone.id)
    )


def _evaluation(**choices: Sequence[object]) -> Change:
    """Return a change of one field of all evaluations that are used."""

    def changed(random: Random, kernel: Kernel) -> Kernel:
        (field, values), *_ = choices.items()
        found = {
            name: replace(item, **{field: random.choice([value for value in values if value != getattr(item, field)])})
            for name, item in kernel.evaluations.items()
        }
        return replace(kernel, evaluations=found)

    return changed


def _safeguard(**choices: Sequence[object]) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        (field, values), *_ = choices.items()
        old = kernel.safeguards["guard"]
        value = random.choice([value for value in values if value != getattr(old, field)])
        return replace(kernel, safeguards={"guard": replace(old, **{field: value})})

    return changed


def _role(random: Random, kernel: Kernel) -> Kernel:
    name = random.choice(("auditor", "board", "regulator"))
    old = kernel.roles[name]
    new = random.choice(
        (
            replace(old, quorum=old.quorum + 1, of=None),
            replace(old, quorum=1, of=None),
            replace(old, independent_of=()),
            replace(old, independent_of=("developer", "regulator" if name != "regulator" else "board")),
            replace(old, members=("ann", "bob", "cyd", "dee")),
        )
    )
    return replace(kernel, roles={**kernel.roles, name: new})


def _exception(random: Random, kernel: Kernel) -> Kernel:
    terms = Terms(kernel.terms)
    if not kernel.exceptions:
        new = escape(random, terms, SMALL, random.choice(kernel.commitments).id)
        return replace(kernel, terms=tuple(terms), exceptions=(new,))
    old = kernel.exceptions[0]
    new = random.choice(
        (
            None,
            replace(old, each=random.choice((10, 31, 60)) * DAY),
            replace(old, total=random.choice((30, 61, 90)) * DAY),
            replace(old, window=180 * DAY),
            replace(old, needs=()),
            replace(old, until=wish(random, terms, SMALL, "until", depth=0)),
        )
    )
    return replace(kernel, terms=tuple(terms), exceptions=() if new is None else (new,))


def _wider_scope(random: Random, kernel: Kernel) -> Kernel:
    terms = Terms(kernel.terms)
    return replace(kernel, scope=_scope(random, terms), terms=tuple(terms))


def _obligation(random: Random, kernel: Kernel) -> Kernel:
    found = dict(kernel.duties.obligations)
    name = random.choice([*found])
    old = found[name]
    longer = {"within": old.within and old.within * 2, "every": old.every and old.every * 2}
    met = EventName(old.met.predicate, random.choice(("auditor", "regulator", "board")))
    found[name] = random.choice((replace(old, **longer), replace(old, met=met)))
    return replace(kernel, duties=Duties(obligations=found))


def _field(**choices: Sequence[object]) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        (field, values), *_ = choices.items()
        return replace(kernel, **{field: random.choice([item for item in values if item != getattr(kernel, field)])})

    return changed


BELIEFS = (
    (),
    (Belief("nothing is gamed", "auditor", None, SPAN),),
    (Belief("nothing is gamed", "auditor", 60 * DAY, SPAN),),
    (Belief("nothing is gamed", None, None, SPAN),),
)
SHOWN = ((), (Count("positives flagged", 19, 20, None, SPAN),), (Count("positives flagged", 9, 10, None, SPAN),))
CHANGES: dict[str, Change] = {
    "threshold": _in_conditions(_threshold),
    "strictness": _in_conditions(_strictness),
    "negation": _in_conditions(_negation),
    "connective": _in_conditions(_connective),
    "joined condition": _widened,
    "holds": _commitment(_holds),
    "never": _commitment(lambda _, item: replace(item, until=Constant(proven=False, span=SPAN))),
    "commitment added": _added,
    "commitment removed": _removed,
    "due and stop": _evaluation(validity=VALIDITIES),
    "elicitation": _evaluation(elicited_by=WAYS[1:]),
    "beliefs": _evaluation(beliefs=BELIEFS),
    "wrongly cleared": _evaluation(wrongly_cleared=(Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20))),
    "who evaluates": _evaluation(by=("auditor", "regulator", None)),
    "shown to work": _evaluation(shown_to_work=SHOWN),
    "provenance": _evaluation(refuse_provenance=((), ("dirty revision",))),
    "aggregates": _evaluation(accept_aggregate=(True, False)),
    "safeguard's age": _safeguard(valid_time=(None, 30 * DAY, 180 * DAY, 365 * DAY)),
    "safeguard's failures": _safeguard(
        fails_if=((), (Count("thefts", 0, 3, None, SPAN),), (Count("thefts", 1, 9, None, SPAN),))
    ),
    "roles": _role,
    "exception": _exception,
    "scope": _wider_scope,
    "countersignature": _field(countersigned_by=((), ("auditor",), ("regulator",))),
    "stop orders": _field(stop_orders_by=((), ("regulator",), ("auditor", "regulator"))),
    "teachers": _field(teachers_count=(True, False)),
    "existing scale": _field(existing_scale=(0, 10**25, 10**26)),
    "mitigation cap": _field(mitigation_cap=(Fraction(1, 100), Fraction(1, 20))),
    "obligation": _obligation,
}


@dataclass(frozen=True)
class Pair:
    """Two policies, and how the second came about."""

    first: Kernel
    second: Kernel
    how: tuple[str, ...]


def pair(seed: int, taste: Taste | None = None) -> Pair:
    """Return a pair from a seed: mostly a policy and an amendment of it, otherwise two that were made apart."""
    random = Random(seed)
    chosen = taste or random.choice((SMALL, SMALL, SMALL, Taste(), replace(SMALL, reference=True)))
    first = policy(random, chosen, "first")
    if often(random, 15):
        return Pair(first, policy(random, chosen, "second"), ("unrelated",))
    second, how = replace(first, id="second"), []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        name = random.choice([*CHANGES])
        second = CHANGES[name](random, second)
        how.append(name)
    if often(random, 50):
        first, second = second, first
    return Pair(first, second, tuple(how))
