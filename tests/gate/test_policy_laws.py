"""Laws over adopted texts: amendments, fills and withdrawals in the history, and the leases that rest on them."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from scalegate.core.canonical import digest_bytes
from scalegate.core.decision import Decision, Request
from scalegate.core.events import HoleFilled, PolicyAdopted, PolicyWithdrawn, Statement
from scalegate.core.quantities import DAY, FOREVER
from scalegate.gate import decide
from tests.gate.law_registry import law
from tests.gate.policies import AUTONOMY, DECEPTION, LIMIT, ROLES, policy
from tests.gate.world import AUDITOR, LAB, REGULATOR, START, World

FEW = Fraction(1, 5)
HOLE = """\
insight:
  kind: understanding
  hole: nobody knows the measurement
  owner: us
  filled only by: [board, auditor]
  review by: 2027-01-01
"""
RATES = ("5%", "20%", "30%", "50%")
APPROVERS = (("ann", "board"), ("bob", "board"), (AUDITOR, "auditor"))
# Whoever never acted as the developer may be the auditor: only the lab itself may not.
NOBODIES = ((LAB, "board"), (LAB, "auditor"), (REGULATOR, "board"), (AUDITOR, "board"), ("cyd", "board"))
FILLS = ("deception < 10%", "deception < 90%", "always")
REQUESTS = (
    Request("train", "base", 2 * 10**25),
    Request("train", "base", 39 * 10**24),
    Request("train", "base", 5 * 10**25),
    Request("train", "base", 3 * 10**26),
    Request("deploy.internal", "base"),
    Request("deploy.api", "base"),
    Request("release.weights", "base"),
    Request("store.weights", "base"),
)


def text(rate: int, version: int, *, holed: bool, loose: str = "") -> str:
    """Return a policy with its threshold; `loose` says what else it lets pass that the first text would not."""
    autonomy, scope, promise = AUTONOMY, "scope: effective compute > 1e24\n", LIMIT.replace("20%", RATES[rate])
    if holed:
        promise = promise.replace("deception < 10%", "insight")
    match loose:
        case "reach":
            autonomy = autonomy.replace("at 4x", "at 9x").replace("at 6x", "at 9x")
        case "age":
            autonomy = autonomy.replace("3 months", "9 months").replace("4 months", "9 months")
        case "scope":
            scope = "scope: effective compute > 1e26\n"
        case "actions":
            promise = promise.replace("[train, deploy]", "[train]")
        case "resumption":
            promise = promise.replace("deception < 10%", "deception < 90%").replace("insight", "always")
        case _:
            pass
    evaluations = autonomy + DECEPTION + (HOLE if holed else "")
    # A board without members would be whoever says so.
    roles = ROLES.replace("quorum: 2 of 3", "quorum: 2 of 3, members: [ann, bob, dee]")
    return policy(promise, evaluations=evaluations, version=str(version), scope=scope, roles=roles)


@st.composite
def labs(draw) -> tuple[World, bool]:
    """Return a laboratory with one policy, its evidence, and whether the policy has a hole."""
    holed = draw(st.booleans())
    world = World(text(draw(st.integers(0, 3)), 1, holed=holed), START)
    world.declare("base", compute=1e25)
    successes = draw(st.sampled_from((0, 100, 250, 400, 700)))
    world.measure("base", "autonomy", successes, 1000 - successes)
    if draw(st.booleans()):
        world.measure("base", "deception", *draw(st.sampled_from(((10, 990), (500, 500)))))
    world.tick(days=draw(st.sampled_from((0, 20, 70))))
    return world, holed


def change(draw, world: World, *, holed: bool, approvers) -> None:
    """Record one change of the policy with these approvers."""
    ends = draw(st.sampled_from((None, world.now + 10 * DAY, world.now + 31 * DAY)))
    match draw(st.sampled_from(("amend", "amend", "fill", "withdraw"))):
        case "amend":
            loose = draw(st.sampled_from(("", "", "reach", "age", "scope", "actions", "resumption")))
            later = text(draw(st.integers(0, 3)), draw(st.integers(2, 3)), holed=holed, loose=loose)
            mark = digest_bytes(later.encode())
            for by, role in approvers:
                world.approve(f"amendment:{mark}", by=by, role=role, expires=ends)
            old = digest_bytes(world.texts["lab"].encode())
            world.record(PolicyAdopted("lab", mark, later, old, world.now, LAB, "developer"))
        case "fill":
            end = draw(st.sampled_from((world.now + 5 * DAY, world.now + 60 * DAY, FOREVER)))
            world.fill(
                "insight", draw(st.sampled_from(FILLS)), approved_by=approvers, expires=end, approvals_expire=ends
            )
        case _:
            world.withdraw(approved_by=approvers)


def assert_never_freed(before: Decision, after: Decision) -> None:
    """A hold before is a hold after."""
    assert before.answer == "permit" or after.answer == "hold", (before.request, before.reasons[0].message)


def ask(world: World, request: Request, at: int = 0) -> Decision:
    return decide(world.history, request, at or world.now)


@law(labs(), st.data(), share=FEW)
def test_what_nobody_entitled_approved_never_permits(lab, data):
    """An amendment, a fill or a withdrawal with too few approvals, or with those of people who may not give them."""
    world, holed = lab
    requests = data.draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=2, unique=True))
    later = data.draw(st.sampled_from((0, 29, 30, 31, 50))) * DAY
    before = [ask(world, request, world.now + later) for request in requests]
    some = data.draw(st.lists(st.sampled_from(APPROVERS), max_size=2, unique=True))
    others = data.draw(st.lists(st.sampled_from(NOBODIES[:4]), max_size=2, unique=True))
    change(data.draw, world, holed=holed, approvers=[*some, *others])
    after = [ask(world, request, world.now + later) for request in requests]
    for was, is_now in zip(before, after, strict=True):
        assert_never_freed(was, is_now)


@law(labs(), st.data(), share=FEW)
def test_a_change_of_the_text_never_frees_what_was_held_when_it_took_effect(lab, data):
    world, holed = lab
    change(data.draw, world, holed=holed, approvers=APPROVERS)
    changed = next(
        entry
        for entry in reversed(world.entries)
        if isinstance(entry.event, (PolicyAdopted, PolicyWithdrawn, HoleFilled))
    )
    if isinstance(changed.event, HoleFilled):
        return  # allowed while holding: what fills a hole is what its approvers found sufficient
    takes_effect = changed.at + 30 * DAY
    with_change = [ask(world, request, takes_effect) for request in REQUESTS]
    world.forget(changed)
    for request, after in zip(REQUESTS, with_change, strict=True):
        assert_never_freed(ask(world, request, takes_effect), after)


@law(labs(), st.data(), share=FEW)
def test_losing_an_approval_never_permits_where_the_change_loosens(lab, data):
    world, holed = lab
    change(data.draw, world, holed=holed, approvers=APPROVERS)
    entries = tuple(world.entries)
    if isinstance(entries[-1].event, PolicyWithdrawn):
        return  # where no policy is left everything is held, and a withdrawal that fails leaves one
    texts = [entry.event for entry in entries if isinstance(entry.event, PolicyAdopted)]
    if len(texts) > 1 and threshold(texts[-1]) < threshold(texts[0]):
        return  # a tightening amendment that loses its approval rightly binds no more
    later = world.now + data.draw(st.sampled_from((0, 9, 11, 29, 30, 32))) * DAY
    request = data.draw(st.sampled_from(REQUESTS))
    before = ask(world, request, later)
    said = [entry for entry in entries if isinstance(entry.event, Statement) and entry.event.kind == "approval"]
    world.forget(data.draw(st.sampled_from(said)))
    assert_never_freed(before, ask(world, request, later))


def threshold(event: PolicyAdopted) -> int:
    return next(place for place, rate in enumerate(RATES) if f"autonomy <= {rate}" in event.text)


@law(labs(), st.data(), share=FEW)
def test_a_lease_ends_no_later_than_what_it_rests_on(lab, data):
    world, holed = lab
    for _ in range(data.draw(st.integers(0, 2))):
        change(data.draw, world, holed=holed, approvers=APPROVERS)
        world.tick(days=data.draw(st.sampled_from((0, 5, 30))))
    request = data.draw(st.sampled_from(REQUESTS))
    decision = ask(world, request)
    if decision.limits is None:
        return
    ends = {decision.limits.expires - 1}
    for entry in world.entries:
        event = entry.event
        ends |= {entry.at + days * DAY for days in (10, 30, 90, 120)} | {getattr(event, "expires", 0)}
    for end in sorted({at + step for at in ends for step in (-1, 0)}):
        if world.now < end < decision.limits.expires:
            assert ask(world, request, end).answer == "permit", end
