"""Pairs of small policies that differ in one attribute of something that both read, so that it decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

from scalegate.core.actions import covered
from scalegate.core.duties import Duties
from scalegate.core.kernel import (
    All,
    AnyOf,
    Belief,
    Commitment,
    Condition,
    Constant,
    Context,
    Count,
    Evaluation,
    Exception_,
    Kernel,
    Not,
    Role,
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
    Measure,
    Operates,
    Overdue,
    Position,
    Revenue,
    Shown,
    Term,
)
from tests.gate.random_worlds import DIGESTS, KINDS, ROLES, SPAN
from tests.prove.generators import BEGIN, Terms, compare, duties, often, yes
from tests.prove.histories import NOW

VALIDITIES = (
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(4), 90 * DAY, Fraction(4), 90 * DAY, exact=False, training=True),
    Validity(Fraction(2), 30 * DAY, Fraction(6), 60 * DAY, exact=False, training=True),
    Validity(None, 120 * DAY, None, 120 * DAY, exact=True, training=True),
    Validity(None, 60 * DAY, None, 60 * DAY, exact=True, training=True),
    Validity(Fraction(2), None, Fraction(4), None, exact=False, training=True),
    Validity(),
)
COUNTS = (
    (),
    (Count("positives flagged", 19, 20, None, SPAN),),
    (Count("positives flagged", 9, 10, None, SPAN),),
    (Count("positives flagged", 0, 1, Fraction(9, 10), SPAN),),
)
THEFTS = (
    (),
    (Count("thefts", 0, 3, None, SPAN),),
    (Count("thefts", 0, 9, None, SPAN),),
    (Count("thefts", 1, 3, None, SPAN),),
)
AUDITORS = (
    Role("auditor", independent_of=("developer",)),
    Role("auditor"),
    Role("auditor", quorum=2, independent_of=("developer",)),
    Role("auditor", quorum=2, of=3, independent_of=("developer",)),
    Role("auditor", independent_of=("developer", "board")),
    Role("auditor", members=("metra", "probe"), independent_of=("developer",)),
)
BOARDS = (
    Role("board", 2, 3),
    Role("board", 2, 2),
    Role("board"),
    Role("board", 1, 2),
    Role("board", 2, members=("ann", "bob")),
)


def evaluation(random: Random, name: str) -> Evaluation:
    """Return an evaluation with one thing or two that others lack."""

    def rarely(value: object, usual: object) -> object:
        return value if often(random, 15) else usual

    plain = Evaluation(
        id=name,
        kind=KINDS[name],  # type: ignore[arg-type]
        digest=DIGESTS[name],
        test="bank",
        score=ScoreRule("success rate"),
        elicited_by=random.choice(((), (), ("prompting",), ("prompting", "fine-tuning"))),
        by="auditor",
        wrongly_cleared=Fraction(1, 1000),
        wrongly_stopped=Fraction(1, 20),
        validity=random.choice(VALIDITIES[:2]),
        beliefs=(),
        hidden_capability=(),
        shown_to_work=(),
        accept_aggregate=True,
        accept_edited=True,
        refuse_provenance=(),
        hole=None,
        reach_issuer=False,
        span=SPAN,
        accept_earlier=True,
    )
    return replace(
        plain,
        by=rarely(None, "auditor"),
        beliefs=rarely((Belief("fair", "auditor", 60 * DAY, SPAN),), ()),
        shown_to_work=rarely(COUNTS[1], ()),
        wrongly_cleared=rarely(Fraction(1, 20), Fraction(1, 1000)),
        validity=rarely(random.choice(VALIDITIES), plain.validity),
    )  # type: ignore[arg-type]


def leaf(random: Random, terms: Terms, position: Position) -> Condition:
    """Return something that a permit would like to see shown."""
    edge = often(random, 50)
    kinds = (
        "cap",
        "cap",
        "cap",
        "cap",
        "safe",
        "guard",
        "attested",
        "approved",
        "overdue",
        "elapsed",
        "clock",
        "compute",
    )
    kind = random.choice(kinds)
    if kind in ("cap", "safe"):
        term, rising = Measure(kind, position, every_scaffold=often(random, 12)), often(random, 10)
        rate = Fraction(1, 2) if rising else random.choice((Fraction(1, 5), Fraction(1, 5), Fraction(1, 10)))
        return compare(terms, term, rate, above=rising, edge=edge)
    match kind:
        case "elapsed":
            age = Fraction(random.choice((30, 60)) * DAY)
            return compare(terms, Elapsed("site-inspected", "auditor"), age, above=often(random, 60), edge=edge)
        case "clock":
            date = Fraction(NOW + random.choice((-DAY, 0, DAY)))
            return compare(terms, Clock(), date, above=often(random, 50), edge=edge)
        case "compute":
            return compare(
                terms, Compute(), Fraction(random.choice((2, 4)) * 10**25), above=often(random, 20), edge=edge
            )
        case _:
            return yes(terms, _matter(random, kind), wanted=often(random, 15) is (kind == "overdue"))


def _matter(random: Random, kind: str) -> Term:
    match kind:
        case "guard":
            return Shown("guard")
        case "attested":
            return Attested("site-inspected", random.choice(("auditor", "board")), random.choice((None, 30 * DAY)))
        case "approved":
            return Approved("plan", random.choice(("board", "auditor")))
        case _:
            return Overdue(random.choice(("report", "review")))


def policy(random: Random) -> Kernel:
    """Return a policy with one promise about everything, or two."""
    terms = Terms()
    promised = []
    for name in ("c0", "c1")[: random.choice((1, 1, 2))]:
        shown = leaf(random, terms, "when")
        if often(random, 35):
            shown = random.choice((All, AnyOf))((shown, leaf(random, terms, "when")), SPAN)
        until: Condition = leaf(random, terms, "until") if often(random, 30) else Constant(proven=False, span=SPAN)
        hold = random.choice(("everything", "everything", "train.new-scale", "train.mitigation"))
        promised.append(Commitment(name, (hold,), covered(hold), Not(shown, SPAN), until, False, SPAN))
    escapes: tuple[Exception_, ...] = ()
    if often(random, 25):
        needs = (yes(terms, Approved("exception:e", "board")),)
        always = Constant(proven=True, span=SPAN)
        escapes = (Exception_("e", "c0", always, always, needs, 30 * DAY, 60 * DAY, 365 * DAY, SPAN),)
    scope: Condition = Constant(proven=True, span=SPAN)
    if often(random, 35):
        parts = [compare(terms, Compute(), Fraction(15 * 10**24), above=True, edge=False)]
        if often(random, 60):
            parts = [compare(terms, Revenue(), Fraction(5 * 10**8), above=True, edge=False)]
        if often(random, 30):
            parts.append(yes(terms, Operates("us-ca"), wanted=not often(random, 20)))
        scope = parts[0] if len(parts) == 1 else All(tuple(parts), SPAN)
    fails = random.choice(THEFTS[:2])
    guard = Safeguard(
        "guard",
        "sha256:means",
        "thieves",
        "sha256:because",
        fails,
        "auditor",
        random.choice((None, 60 * DAY)),
        None,
        SPAN,
    )
    return Kernel(
        id="plan",
        version="1",
        issuer="lab",
        kind="policy",
        digest="sha256:plan",
        effective=BEGIN,
        scope=scope,
        binds_every_developer=False,
        terms=tuple(terms),
        commitments=tuple(promised),
        exceptions=escapes,
        roles=dict(ROLES),
        evaluations={key: evaluation(random, key) for key in KINDS},
        safeguards={"guard": guard},
        contexts={
            "room": Context("room", "deploy.internal", random.choice((("bare",), ("agent", "bare"))), True, SPAN)
        },
        stop_orders_by=("regulator",) if often(random, 30) else (),
        countersigned_by=("auditor",) if often(random, 20) else (),
        duties=duties(),
    )


# ---------------------------------------------------------------- one attribute

Change = Callable[[Random, Kernel], Kernel]


def _each(name: str, *values: object) -> Change:
    """Return a change of an attribute of every evaluation."""

    def changed(random: Random, kernel: Kernel) -> Kernel:
        value = random.choice(values)
        return replace(
            kernel, evaluations={key: replace(spec, **{name: value}) for key, spec in kernel.evaluations.items()}
        )  # type: ignore[arg-type]

    return changed


def _of(name: str, *values: object) -> Change:
    return lambda random, kernel: replace(kernel, **{name: random.choice(values)})  # type: ignore[arg-type]


def _role(name: str, *values: Role | None) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        role = random.choice(values)
        left = {key: item for key, item in kernel.roles.items() if key != name}
        return replace(kernel, roles=left if role is None else {**left, name: role})

    return changed


def _guard(name: str, *values: object) -> Change:
    def changed(random: Random, kernel: Kernel) -> Kernel:
        guard = replace(kernel.safeguards["guard"], **{name: random.choice(values)})  # type: ignore[arg-type]
        return replace(kernel, safeguards={"guard": guard})

    return changed


def _exception(random: Random, kernel: Kernel) -> Kernel:
    change = {
        "each": random.choice((10, 30, 60)) * DAY,
        "total": random.choice((40, 60, 90)) * DAY,
        "window": random.choice((90, 180, 365)) * DAY,
    }
    name = random.choice([*change])
    return replace(kernel, exceptions=tuple(replace(item, **{name: change[name]}) for item in kernel.exceptions))


def _duty(random: Random, kernel: Kernel) -> Kernel:
    found = dict(kernel.duties.obligations)
    report, review = found["report"], found["review"]
    found["report"] = replace(report, within=random.choice((2, 3, 4, 5, 6)) * DAY)
    found["review"] = replace(review, every=random.choice((90, 180, 200, 360, 400)) * DAY)
    if often(random, 30):
        found["review"] = replace(review, met=replace(review.met, role=random.choice(("board", "auditor"))))
    return replace(kernel, duties=Duties(obligations=found))


def _terms(random: Random, kernel: Kernel) -> Kernel:
    """Give attestations another age, or measurements another position or no scaffolds."""
    changed = []
    for term in kernel.terms:
        match term:
            case Attested():
                changed.append(replace(term, expires=random.choice((None, 10 * DAY, 60 * DAY))))
            case Measure():
                new = replace(term, position=random.choice(("when", "until")), every_scaffold=often(random, 50))
                changed.append(new)
            case _:
                changed.append(term)
    # Terms that have become equal stay two: places are what conditions go by.
    return replace(kernel, terms=tuple(changed))


def _threshold(random: Random, kernel: Kernel) -> Kernel:
    def moved(condition: Condition) -> Condition:
        match condition:
            case Not(part=part):
                return Not(moved(part), SPAN)
            case All() | AnyOf():
                return replace(condition, parts=tuple(map(moved, condition.parts)))
            case Constant():
                return condition
            case _:
                if condition.num in (0, 1) and condition.den == 1:
                    return condition
                value = Fraction(condition.num, condition.den) * random.choice((1, Fraction(1, 2), Fraction(3, 2)))
                return replace(condition, num=value.numerator, den=value.denominator, edge=often(random, 50))

    return replace(
        kernel,
        commitments=tuple(replace(item, when=moved(item.when), until=moved(item.until)) for item in kernel.commitments),
    )


CHANGES: dict[str, Change] = {
    "threshold": _threshold,
    "terms": _terms,
    "validity": _each("validity", *VALIDITIES),
    "elicitation": _each("elicited_by", (), ("prompting",), ("fine-tuning",), ("prompting", "fine-tuning")),
    "wrongly cleared": _each("wrongly_cleared", Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20), Fraction(1, 5)),
    "wrongly stopped": _each("wrongly_stopped", Fraction(1, 1000), Fraction(1, 20), Fraction(1, 10), Fraction(1, 3)),
    "who evaluates": _each("by", "auditor", "board", None),
    "beliefs": _each("beliefs", (), *((Belief("fair", "auditor", age, SPAN),) for age in (None, 30 * DAY, 60 * DAY))),
    "hidden": _each("hidden_capability", *COUNTS),
    "shown to work": _each("shown_to_work", *COUNTS),
    "aggregates": _each("accept_aggregate", True, False),
    "earlier runs": _each("accept_earlier", True, False),
    "provenance": _each("refuse_provenance", (), ("dirty revision",), ("dirty revision", "start not dated")),
    "issuer": _each("reach_issuer", True, False),
    "allowance": _of("elicitation_allowance", Fraction(1, 100), Fraction(1, 20)),
    "teachers": _of("teachers_count", True, False),
    "existing scale": _of("existing_scale", 0, 10**25, 4 * 10**25),
    "stop orders": _of("stop_orders_by", (), ("regulator",), ("auditor", "regulator")),
    "countersignature": _of("countersigned_by", (), ("auditor",), ("auditor", "board")),
    "mitigation cap": _of("mitigation_cap", Fraction(1, 100), Fraction(2, 100), Fraction(5, 100)),
    "auditor": _role("auditor", *AUDITORS),
    "board": _role("board", *BOARDS),
    "regulator": _role("regulator", Role("regulator"), Role("regulator", members=("office",)), ROLES["regulator"]),
    "watchdog": _role("watchdog", Role("watchdog", independent_of=("developer",)), Role("watchdog"), None),
    "contexts": _of(
        "contexts",
        *(
            {"room": Context("room", "deploy.internal", names, True, SPAN)}
            for names in (("bare",), ("agent", "bare"), ())
        ),
    ),
    "exception": _exception,
    "duty": _duty,
    "safeguard's age": _guard("valid_time", None, 30 * DAY, 60 * DAY, 90 * DAY),
    "safeguard's failures": _guard("fails_if", *THEFTS),
    "safeguard's reason": _guard("because", "sha256:because", "sha256:other"),
    "scope": lambda _, kernel: replace(kernel, scope=Constant(proven=True, span=SPAN)),
}


def near_pair(seed: int) -> tuple[Kernel, Kernel, tuple[str, ...]]:
    """Return a policy, another that differs from it in an attribute or two, and which those are."""
    random = Random(seed)
    first = second = policy(random)
    how = tuple(random.choice([*CHANGES]) for _ in range(random.choice((1, 1, 2))))
    for name in how:
        second = CHANGES[name](random, second)
    return first, second, how
