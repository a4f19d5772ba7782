"""Random policies and situations, and what the gate's own functions answer in them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

from scalegate.core.actions import ACTIONS, HARDER, MITIGATION, NEW_SCALE, TRAIN, UNHOLDABLE, covered
from scalegate.core.diagnostic import Span
from scalegate.core.duties import Duties, MandatedRole
from scalegate.core.evidence import Crossing, Fact, Gap
from scalegate.core.kernel import (
    All,
    AnyOf,
    AtLeast,
    Commitment,
    Compare,
    Condition,
    Constant,
    Exception_,
    Kernel,
    Not,
    Role,
)
from scalegate.core.quantities import DAY, FOREVER, UNBOUNDED
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
from scalegate.gate import apply
from scalegate.gate.interpret import FOR, judge, stand
from scalegate.policy import load
from scalegate.policy.export.document import Asked
from scalegate.policy.export.fields import constants

ROOT = Path(__file__).parents[3]
SPAN = Span("random.yaml", 1, 1, 1, 2)
NOW = 1_800_000_000
ONE, ZERO = Fraction(1), Fraction(0)
TINY = Fraction(1, 10**12 + 39)
GAP = Gap("missing", "nothing was measured")
YES_NO = (
    Shown("guard"),
    Attested("rival-unsafe", "auditor"),
    Attested("rival-unsafe", "auditor", 30 * DAY),
    Approved("commitment:c-1", "board"),
    Published("commitment:c-1"),
    Operates("eu"),
    Overdue("report"),
    Specified("gap"),
)
RATES = (Fraction(1, 20), Fraction(1, 5), Fraction(1, 3), Fraction(1, 2), Fraction(999_999, 1_000_000))


@dataclass(frozen=True)
class Case:
    """A question, and what the gate answers."""

    asked: Asked
    permits: bool


# ---------------------------------------------------------------- policies


def examples() -> list[Kernel]:
    """Return the policies of `examples/policies`."""
    return [load(path.read_text(), path.name) for path in sorted((ROOT / "examples" / "policies").glob("*.yaml"))]


def leaf(rng: random.Random, terms: list[Term]) -> Condition:
    """Return a comparison of some term with some constant, or `always`, or `never`."""
    kind = rng.choice(("measure", "measure", "measure", "yes", "yes", "compute", "clock", "odd", "fixed"))
    if kind == "fixed":
        return Constant(rng.random() < 0.5, SPAN)
    term: Term
    if kind == "measure":
        term = Measure(rng.choice(("cap", "skill")), rng.choice(("when", "until")), every_scaffold=rng.random() < 0.2)
        value = rng.choice(RATES)
    elif kind == "yes":
        term, value = rng.choice(YES_NO), rng.choice((ONE, ONE, ONE, ZERO, Fraction(1, 2)))
    elif kind == "compute":
        term, value = Compute(), Fraction(rng.choice((10**24, 10**25, 10**25 + 10**12, 4 * 10**26)))
    elif kind == "clock":
        term, value = Clock(), NOW + Fraction(rng.choice((-2, 0, 0, 3, 9)), rng.choice((1, 1, 2)))
    else:
        term, value = rng.choice(
            (
                (Revenue(), Fraction(rng.choice((10**7, 5 * 10**8)))),
                (Elapsed("started", "developer"), Fraction(rng.choice((72 * 3600, 15 * DAY, 15 * DAY + 1)))),
                (Hole("gap"), ONE),
            )
        )
    if term not in terms:
        terms.append(term)
    above = rng.random() < 0.5
    return Compare(terms.index(term), above, rng.random() < 0.5, value.numerator, value.denominator, "x", SPAN)


def condition(rng: random.Random, terms: list[Term], depth: int = 2) -> Condition:
    """Return a condition with connectives of every kind."""
    kind = rng.choice(("leaf", "leaf", "not", "all", "any", "least")) if depth else "leaf"
    if kind == "leaf":
        return leaf(rng, terms)
    if kind == "not":
        return Not(condition(rng, terms, depth - 1), SPAN)
    parts = tuple(condition(rng, terms, depth - 1) for _ in range(rng.randint(2, 3)))
    if kind == "least":
        return AtLeast(rng.randint(1, len(parts)), parts, SPAN)
    return (All if kind == "all" else AnyOf)(parts, SPAN)


def policy(rng: random.Random, number: int) -> Kernel:
    """Return a random policy over every kind of term."""
    terms: list[Term] = []
    commitments = []
    for place in range(rng.randint(1, 3)):
        hold = rng.choice(("everything", "train", "train", "deploy", "deploy.api", *HARDER))
        when, until = condition(rng, terms), condition(rng, terms)
        commitments.append(Commitment(f"c-{place}", (hold,), covered(hold), when, until, False, SPAN))
    exceptions = tuple(
        Exception_(
            f"exit-{place}",
            f"c-{rng.randrange(len(commitments))}",
            condition(rng, terms, 1),
            condition(rng, terms, 1),
            tuple(condition(rng, terms, 0) for _ in range(rng.randint(0, 2))),
            30 * DAY,
            60 * DAY,
            365 * DAY,
            SPAN,
        )
        for place in range(rng.choice((0, 1, 2, 2)))
    )
    scope: Condition = Constant(True, SPAN) if rng.random() < 0.6 else condition(rng, terms, 1)
    mandates = (MandatedRole("board", (), 2, SPAN),) if rng.random() < 0.15 else ()
    return Kernel(
        id=f"random-{number}",
        version="1",
        issuer="lab",
        kind="reference" if rng.random() < 0.05 else "policy",
        digest=f"sha256:{number:064x}",
        effective=0,
        scope=scope,
        binds_every_developer=False,
        terms=tuple(terms),
        commitments=tuple(commitments),
        exceptions=exceptions,
        roles={"auditor": Role("auditor")},
        stop_orders_by=("auditor",) if rng.random() < 0.3 else (),
        countersigned_by=("auditor", "board") if rng.random() < 0.2 else (),
        mitigation_cap=rng.choice((Fraction(1, 100), Fraction(3, 200))),
        existing_scale=0,
        span=SPAN,
        duties=Duties(mandates=mandates),
    )


# ---------------------------------------------------------------- situations


def values(rng: random.Random, known: Sequence[Fraction], unit: Fraction) -> Fraction | None:
    """Return an end of an interval: at a constant, just beside it, beyond everything, open, or anywhere."""
    constant = rng.choice(known)
    step = rng.choice(
        (ZERO, ZERO, TINY, -TINY, unit, -unit, unit / 3, -unit / 3, unit / 2, constant / 2, -constant / 2)
    )
    kind = rng.random()
    if kind < 0.03:
        return None
    if kind < 0.06:
        return Fraction(rng.choice((UNBOUNDED, -UNBOUNDED)))
    if kind < 0.12:
        return Fraction(rng.randint(0, 10**9), 10**9 + 7) * 2 * (max(known) or ONE)
    return constant + step


def fact(rng: random.Random, known: Sequence[Fraction], now: int, to: int, *, calm: bool) -> Fact:
    """Return a fact about a term; a `calm` one is bounded on both sides, free of gaps, in time and in reach."""
    unit = rng.choice((Fraction(1, 10**6), Fraction(1, 2 * 10**6), Fraction(1)))
    ends = [values(rng, known, unit) for _ in range(4)]
    if rng.random() < 0.9:
        ends = [*_ordered(ends[:2]), *_ordered(ends[2:])]
    rising = None if rng.random() < 0.5 else (ends[2], ends[3])
    adverse = rng.random() < 0.15
    far = (FOREVER, FOREVER, now + 5) if calm or adverse else (FOREVER, now - 1, now, now + 1)
    wide = (UNBOUNDED, UNBOUNDED, to) if calm else (UNBOUNDED, to - 1, to, to + 1, 0)
    elsewhere = tuple(
        Crossing(
            values(rng, known, unit), values(rng, known, unit), rng.choice((0, to - 1, to, to + 1, UNBOUNDED)), "m"
        )
        for _ in range(rng.choice((0, 0, 0, 1, 2)))
    )
    return Fact(
        "fact",
        ends[0],
        ends[1],
        rising=rising,
        until=rng.choice(far),
        reach=max(0, min(UNBOUNDED, rng.choice(wide))),
        gaps=() if calm or rng.random() < 0.7 else (GAP,) * rng.randint(1, 2),
        elsewhere=elsewhere,
        adverse_only=adverse,
    )


def _ordered(ends: list[Fraction | None]) -> list[Fraction | None]:
    low, high = ends
    return [high, low] if low is not None and high is not None and low > high else ends


def facts_of(rng: random.Random, kernel: Kernel, now: int, to: int) -> list[tuple[Fact, ...]]:
    """Return facts for every term of a policy, of the shape that the gate gives each kind."""
    calm = rng.random() < 0.6
    found = []
    for term, known in zip(kernel.terms, constants(kernel), strict=True):
        match term:
            case Clock():
                strata = (Fact("the date", Fraction(now), Fraction(now), grows=True),)
            case Hole():
                strata = (Fact("hole", ZERO, ONE, gaps=(Gap("hole", "nobody knows"),)),)
            case Compute():
                high = None if to >= UNBOUNDED else Fraction(to)
                strata = (Fact("compute", Fraction(max(0, to - rng.choice((0, 0, 1, 10**24)))), high),)
            case Elapsed():
                strata = (_elapsed(rng, known),)
            case _:
                count = rng.choice((0, 1, 1, 1, 1, 1, 2, 3)) if known else 1
                strata = tuple(fact(rng, known or [ONE], now, to, calm=calm) for _ in range(count))
        found.append(strata)
    return found


def _elapsed(rng: random.Random, known: Sequence[Fraction]) -> Fact:
    if not known or rng.random() < 0.2:
        return Fact("elapsed", ZERO, None, gaps=(GAP,), grows=True)
    surely = max(ZERO, Fraction(int(rng.choice(known)) + rng.choice((-1, 0, 0, 1, 100))))
    longest = surely + rng.choice((0, 0, 1, 1000))
    return Fact("elapsed", longest, longest, rising=(surely, surely), grows=True)


def situation(rng: random.Random, kernel: Kernel) -> Case:
    """Return a random question to a policy, with the gate's answer."""
    compared = constants(kernel)
    dates = [
        int(value) for term, known in zip(kernel.terms, compared, strict=True) if term == Clock() for value in known
    ]
    sizes = [
        int(value) for term, known in zip(kernel.terms, compared, strict=True) if term == Compute() for value in known
    ]
    now = rng.choice(dates or [NOW]) + rng.choice((-1, 0, 0, 1, 2, 40 * DAY))
    to = rng.choice((*sizes, 10**25, 10**27 + 7, 3 * 10**35 + 1)) + rng.choice((-1, 0, 0, 1, 10**18, -(10**23)))
    actions = sorted(ACTIONS)
    action = rng.choice((*actions, TRAIN, TRAIN, "deploy.api"))
    target = None
    if action in (TRAIN, NEW_SCALE, MITIGATION):
        target = to - rng.choice((0, 0, 1, 10**20))
    elif rng.random() < 0.15:
        to = UNBOUNDED
    implied = (
        {action, TRAIN, NEW_SCALE} if action == NEW_SCALE or (action == TRAIN and rng.random() < 0.4) else {action}
    )
    started = 0
    if action == MITIGATION and target is not None:
        cap = kernel.mitigation_cap
        started = rng.choice((0, target, int(target / (1 + cap)) + rng.choice((-1, 0, 1, 2)), target // 2))
    starts = [now - rng.choice((0, 1, 29 * DAY, 30 * DAY, 30 * DAY - 1, 50 * DAY)) for _ in range(rng.randint(0, 2))]
    invoked = [
        (SimpleNamespace(at=at), SimpleNamespace(policy=kernel.id, exception=item.id))
        for item in kernel.exceptions
        for at in sorted(starts)
    ]
    records = SimpleNamespace(now=now, invoked=invoked)
    asked = Asked(
        action=action,
        actions=frozenset(implied),
        subject=rng.choice(("orion", 'a "strange" \\ name', "näme")),
        target=target,
        to=to,
        now=now,
        facts=facts_of(rng, kernel, now, to),
        in_use={item.id: apply.sunset(records, kernel, item) for item in kernel.exceptions},
        countersigned={role: rng.choice((0, now, now + 1, FOREVER, FOREVER)) for role in kernel.countersigned_by},
        stopped=rng.random() < 0.1,
        lacking=rng.random() < 0.1,
        started=started,
    )
    return Case(asked, gate_permits(kernel, asked, records))


def gate_permits(kernel: Kernel, asked: Asked, records: SimpleNamespace) -> bool:
    """Return what the gate answers under one policy: `apply_policy` and what `decide` adds, over given facts."""
    if asked.action in UNHOLDABLE:
        return True
    cap = kernel.mitigation_cap
    limit = asked.started + asked.started * cap.numerator // cap.denominator
    if asked.action == MITIGATION and (asked.target or 0) > limit:
        return False
    if kernel.stop_orders_by and asked.stopped:
        return False
    facts, now, to, actions = asked.facts, asked.now, asked.to, asked.actions
    if stand(kernel.scope, facts, now, to, False, []) == FOR:
        return apply.horizon(kernel.scope, facts, now, to, permissive=False) > now
    held, escapes = [], []
    for item in judge(kernel.commitments, facts, actions, now, to):
        escape = apply._escape(records, kernel, facts, item, actions, to)
        if escape is None:
            held.append(item)
        else:
            escapes.append(escape)
    if held or kernel.kind == "reference" or (kernel.duties.mandates and asked.lacking):
        return False
    ends = [asked.countersigned[role] for role in kernel.countersigned_by]
    return min([apply._until(kernel, facts, actions, now, to, escapes), *ends]) > now


def cases(kernel: Kernel, seed: int, count: int) -> list[Case]:
    """Return questions to a policy."""
    rng = random.Random(seed)
    return [situation(rng, kernel) for _ in range(count)]


def policies(seed: int, count: int) -> list[Kernel]:
    """Return random policies."""
    rng = random.Random(seed)
    return [policy(rng, number) for number in range(count)]


def asked_again(asked: Asked, **changes: object) -> Asked:
    """Return a question with some fields changed."""
    return replace(asked, **changes)  # type: ignore[arg-type]


def shown(kernel: Kernel, action: str, to: int = 2 * 10**25) -> Asked:
    """Return a question about which everything is shown that a policy could ask: low scores, and yes to the rest."""
    strata: list[tuple[Fact, ...]] = []
    for term in kernel.terms:
        match term:
            case Measure():
                strata.append((Fact("low", ZERO, Fraction(1, 1000)),))
            case Compute():
                strata.append((Fact("compute", Fraction(to), Fraction(to)),))
            case Clock():
                strata.append((Fact("the date", Fraction(NOW), Fraction(NOW), grows=True),))
            case Hole():
                strata.append((Fact("hole", ZERO, ONE, gaps=(GAP,)),))
            case _:
                strata.append((Fact("yes", ONE, ONE),))
    target = to if action in (TRAIN, NEW_SCALE, MITIGATION) else None
    return Asked(
        action=action,
        actions=frozenset({action}),
        subject="orion",
        target=target,
        to=to,
        now=NOW,
        facts=strata,
        in_use={item.id: 0 for item in kernel.exceptions},
        countersigned=dict.fromkeys(kernel.countersigned_by, FOREVER),
        stopped=False,
        lacking=False,
        started=0,
    )
