"""Laws of what stands beside commitments: scopes by revenue and place, obligations, mandated roles, elapsed time.

Adding any commitment, policy, regime, obligation or mandate never turns a hold into a permit. There is one thing that
only a promise can show: where a regime asks for a policy of the developer's own, its absence is the hold. All worlds
here have one such policy; `test_mandates` has the others.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume
from hypothesis import strategies as st

from scalegate.core.actions import covered
from scalegate.core.decision import Request
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.duties import Duties, EventName, MandatedRole, Obligation, Provenance
from scalegate.core.events import SubjectDeclared, specified_topic
from scalegate.core.kernel import All, AnyOf, Commitment, Compare, Condition, Constant, HoleSpec, Kernel, Not, Role
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Subject
from scalegate.core.terms import Attested, Elapsed, Operates, Overdue, Revenue, Specified, Term
from tests.gate.law_registry import law
from tests.gate.random_worlds import LAB, NOW, SPAN, World, plain_kernel, stated

HALF = Fraction(1, 2)
LINE = 100
TERMS: tuple[Term, ...] = (
    Overdue("incident"),
    Overdue("report"),
    Elapsed("announced", "auditor"),
    Specified("gap"),
    Attested("fine", "auditor"),
    Revenue(),
    Operates("here"),
)
LATE, LATE_REPORT, SINCE, GIVEN, FINE, RICH, HERE = range(7)
ROLES = {
    "developer": Role("developer"),
    "auditor": Role("auditor", independent_of=("developer",)),
    "panel": Role("panel", quorum=2, of=3, independent_of=("developer",)),
    "board": Role("board", quorum=2, of=3),
}
WHO = (
    (LAB, "developer"),
    ("metra", "auditor"),
    ("metra", "auditor"),
    ("veri", "auditor"),
    ("ann", "panel"),
    ("bob", "panel"),
    ("cyd", "board"),
    (LAB, "auditor"),
    ("x", "passer-by"),
)
NOBODIES = (("nobody", "passer-by"), ("nobody", "developer"), (LAB, "developer"), (LAB, "auditor"), (LAB, "panel"))
WORDS = ("believed", "believed", "reported", "published", "announced", "fine", specified_topic("gap"))
AGES = (0, 1, 2, 3, 4, 10, 29, 30, 31, 60, 200)
MODEL = Subject("m0", "sha256:m0", LAB, "model", (), True, ComputeRange(10**25, 10**25), NOW - 250 * DAY)


# ---------------------------------------------------------------- kernels


def compare(term: int, bound: int, *, above: bool = True, edge: bool = True) -> Compare:
    return Compare(term, above, edge, bound, 1, f"term {term} against {bound}", SPAN)


LEAVES: tuple[Condition, ...] = (
    Not(compare(LATE, 1), SPAN),
    Not(compare(LATE_REPORT, 1), SPAN),
    compare(LATE, 1),
    compare(SINCE, 30 * DAY),
    Not(compare(SINCE, 30 * DAY), SPAN),
    compare(GIVEN, 1),
    compare(FINE, 1),
    Constant(True, SPAN),
)
# Nothing in these is better for being later.
TIMELESS = (*LEAVES[:2], *LEAVES[5:])
SCOPES: tuple[Condition, ...] = (
    Constant(True, SPAN),
    compare(RICH, LINE, edge=False),
    compare(HERE, 1),
    All((compare(RICH, LINE, edge=False), compare(HERE, 1)), SPAN),
    AnyOf((compare(RICH, LINE), compare(HERE, 1)), SPAN),
    Not(compare(HERE, 1), SPAN),
    compare(RICH, LINE, above=False),
)


@st.composite
def conditions(draw, leaves: tuple[Condition, ...] = LEAVES) -> Condition:
    parts = tuple(draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=2)))
    if len(parts) == 1:
        return parts[0]
    return All(parts, SPAN) if draw(st.booleans()) else AnyOf(parts, SPAN)


@st.composite
def commitments(draw, name: str, leaves: tuple[Condition, ...] = LEAVES) -> Commitment:
    until = draw(conditions(leaves)) if draw(st.booleans()) else Constant(False, SPAN)
    what = draw(st.sampled_from(("everything", "deploy", "train")))
    return Commitment(name, (what,), covered(what), Not(draw(conditions(leaves)), SPAN), until, False, SPAN)


def obligation(name: str, within: int | None, every: int | None, met: EventName) -> Obligation:
    starts = (EventName("believed", "developer"),) if within else ()
    return Obligation(name, "do it", within, every, starts, met, "must", (), Provenance(), SPAN)


@st.composite
def duties(draw, *, mandates: bool) -> Duties:
    role = draw(st.sampled_from(("auditor", "panel")))
    found = {
        "incident": obligation("incident", draw(st.sampled_from((DAY, 3 * DAY))), None, EventName("reported", role)),
        "report": obligation("report", None, 30 * DAY, EventName("published", "auditor")),
    }
    asked = draw(st.lists(st.sampled_from(MANDATES), max_size=2, unique=True)) if mandates else []
    return Duties(obligations=found, mandates=tuple(asked))


MANDATES = (
    MandatedRole("auditor", ("developer",), 1, SPAN),
    MandatedRole("panel", ("developer",), 2, SPAN),
    MandatedRole("board", ("developer",), 1, SPAN),
    MandatedRole("watch", (), 1, SPAN),
)


@st.composite
def kernels(draw, name: str, kind: str, leaves: tuple[Condition, ...] = LEAVES) -> Kernel:
    """Return a policy or a regime; an own policy may lack a role that a regime mandates."""
    roles = ROLES if draw(st.integers(0, 3)) else {key: role for key, role in ROLES.items() if key != "panel"}
    promised = tuple(draw(commitments(f"c{place}", leaves)) for place in range(draw(st.integers(0, 2))))
    return plain_kernel(
        id=name,
        kind=kind,
        digest=f"sha256:{name}",
        effective=NOW - draw(st.sampled_from((10, 30, 31, 60, 100))) * DAY,
        scope=draw(st.sampled_from(SCOPES)) if kind == "regime" else Constant(True, SPAN),
        binds_every_developer=kind == "regime",
        terms=TERMS,
        commitments=promised,
        roles=roles,
        evaluations={},
        holes={"gap": HoleSpec("gap", "nobody knows", LAB, ("auditor",), None, SPAN)},
        duties=draw(duties(mandates=kind == "regime")),
    )


# ---------------------------------------------------------------- worlds


@st.composite
def said(draw, speakers=WHO) -> list[tuple[int, object]]:
    """Return one thing that somebody says, at some time."""
    by, role = draw(st.sampled_from(speakers))
    at = NOW - draw(st.sampled_from(AGES)) * DAY
    expires = NOW + draw(st.sampled_from((-1, 1, 10, 100))) * DAY
    if draw(st.integers(0, 2)) == 0:
        low, high = draw(st.sampled_from(((0, LINE), (0, LINE - 1), (LINE, LINE), (LINE + 1, None), (0, None))))
        there, away = draw(st.sampled_from(((("here",), ()), ((), ("here",)), ((), ()), (("here",), ("here",)))))
        return at, DeveloperDescribed(low, high, there, away, expires, by, role)
    holds = draw(st.integers(0, 5)) > 0
    about = draw(st.sampled_from(("", "", "m0", "other")))
    word = draw(st.sampled_from(WORDS))
    return at, stated("predicate", word, about, holds=holds, expires=expires, by=by, role=role)


@st.composite
def worlds(draw, leaves: tuple[Condition, ...] = LEAVES) -> World:
    own = draw(kernels("own", "policy", leaves))
    acts = tuple(draw(kernels(f"act-{place}", "regime", leaves)) for place in range(draw(st.integers(0, 2))))
    told = sorted(draw(st.lists(said(), max_size=8)), key=lambda item: item[0])
    events = ((NOW - 250 * DAY, SubjectDeclared(MODEL, LAB, "developer")), *told)
    return World((own, *acts), events, Request("deploy.internal", "m0"))


def permits(world: World, **changes) -> bool:
    return world.ask(**changes).answer == "permit"


# ---------------------------------------------------------------- laws


@law(worlds(), commitments("another"), st.integers(0, 2), share=HALF)
def test_another_commitment_never_permits(world, more, place):
    assume(not permits(world))
    grown = list(world.kernels)
    place = min(place, len(grown) - 1)
    grown[place] = replace(grown[place], commitments=(*grown[place].commitments, more))
    assert not permits(world, kernels=tuple(grown))


@law(worlds(), kernels("more", "regime") | kernels("more", "policy"), share=HALF)
def test_another_policy_or_regime_never_permits(world, more):
    assume(not permits(world))
    assert not permits(world, kernels=(*world.kernels, more))


@law(worlds(), st.sampled_from(MANDATES), share=HALF)
def test_another_mandate_never_permits(world, role):
    assume(len(world.kernels) > 1 and not permits(world))
    act = world.kernels[-1]
    act = replace(act, duties=replace(act.duties, mandates=(*act.duties.mandates, role)))
    assert not permits(world, kernels=(*world.kernels[:-1], act))


@law(worlds(), st.integers(1, 40), share=HALF)
def test_an_obligation_that_no_condition_names_changes_nothing(world, days):
    met = EventName("never-said", "auditor")
    more = obligation("more", days * DAY, None, met), obligation("more-2", None, days * DAY, met)
    own = world.kernels[0]
    duty = replace(own.duties, obligations={**own.duties.obligations, **{item.id: item for item in more}})
    grown = (replace(own, duties=duty), *world.kernels[1:])
    assert permits(world) == permits(world, kernels=grown)


@law(worlds(), said(NOBODIES), share=HALF)
def test_nothing_that_nobody_entitled_says_permits(world, word):
    assume(not permits(world))
    assert not permits(world.then(word[1]))


@law(worlds(TIMELESS), st.sampled_from(AGES), share=HALF)
def test_time_alone_never_permits(world, days):
    assume(not permits(world))
    assert not permits(world, now=NOW + days * DAY)
    assert not permits(world, now=NOW + days * DAY + 1)


@law(worlds(), share=HALF)
def test_a_permit_stands_until_it_ends(world):
    decision = world.ask()
    assume(decision.limits is not None)
    end = decision.limits.expires
    ends = {at + step for at, _ in world.events for step in (DAY, DAY + 1, 3 * DAY + 1, 30 * DAY)}
    ends |= {kernel.effective + period * 30 * DAY + 1 for kernel in world.kernels for period in range(10)}
    ends |= {getattr(event, "expires", 0) for _, event in world.events} | {end}
    for at in sorted(moment + step for moment in ends for step in (-1, 0)):
        if NOW <= at < end:
            assert permits(world, now=at), at - NOW


@law(worlds(), share=HALF)
def test_where_more_is_mandated_more_is_held(world):
    """A regime that lacks nothing decides as it would without its mandates."""
    bare = tuple(replace(item, duties=replace(item.duties, mandates=())) for item in world.kernels)
    assert permits(world) <= permits(world, kernels=bare)
