"""Small random worlds near an edge: one promise, one model or few, and counts, ages and voices that nearly suffice.

Broad worlds (`random_worlds`) combine everything and are rarely near a permit in any one respect. Here a world is about
one or two `PARTS`, everything else is as it should be, and numbers lie on both sides of what decides.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from scalegate.core.actions import HARDER, MITIGATION, covered
from scalegate.core.decision import Request
from scalegate.core.events import (
    DefectRetracted,
    Event,
    ExceptionInvoked,
    HoleFilled,
    MethodPublished,
    PolicyAdopted,
    PolicyWithdrawn,
    ResultRefused,
    RunRegistered,
    RunVoided,
    Statement,
    StopLifted,
    StopOrdered,
    SubjectDeclared,
    claim_topic,
    matter_topic,
)
from scalegate.core.kernel import (
    All,
    AnyOf,
    Belief,
    Commitment,
    Compare,
    Condition,
    Constant,
    Count,
    Exception_,
    Kernel,
    Not,
    Role,
    Safeguard,
    Validity,
)
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.core.terms import Approved, Attested, Measure, Shown, Term
from tests.gate.random_worlds import (
    DIGESTS,
    GUARD,
    LAB,
    NOW,
    ROLES,
    SPAN,
    Timed,
    World,
    often,
    plain_kernel,
    registered,
    reported,
    stated,
)

PARTS = ("runs", "voices", "spikes", "beliefs", "orders", "signs", "family", "exceptions")
# Successes and failures around 20%: enough alone, too few alone, barring without crossing, and crossing.
ENOUGH = ((0, 100), (0, 400), (0, 40), (2, 98), (5, 195))
THIN = ((0, 12), (0, 20), (1, 20), (0, 5), (3, 40), (0, 32))
BARRING = ((40, 160), (8, 32), (20, 80), (15, 60), (5, 15), (12, 38), (30, 120))
CROSSING = ((60, 40), (390, 10), (12, 12), (45, 105))
SCORES = {"enough": ENOUGH, "thin": THIN, "barring": BARRING, "crossing": CROSSING}
AGES = (0, 1, 5, 20, 60, 70, 85, 95, 100, 115, 125, 190)
VALIDITIES = (
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(2), 60 * DAY, Fraction(2), 60 * DAY, exact=False, training=True),
    Validity(None, 90 * DAY, None, 90 * DAY, exact=True, training=True),
    Validity(),
)
LENDERS = (("metra", "auditor"), ("probe", "auditor"), ("lens", "auditor"))
BOARD = (("ann", "board"), ("bob", "board"), ("cyd", "board"))
STRANGERS = ((LAB, "developer"), (LAB, "auditor"), ("office", "regulator"), ("mallory", "regulator"))
DANGER = "danger"
SPIKE = "spike"
UNKNOWN_ACTIONS = ("deplyo", "Train", "")
ROOT = Subject("m0", "sha256:m0", LAB, "model", (), True, ComputeRange(10**25, 10**25), NOW - 200 * DAY)


# ---------------------------------------------------------------- policies


def focused_kernel(draw, parts: set[str], name: str = "plain") -> Kernel:
    """Return a policy with one promise about `cap`, and one more thing for each part that asks for one."""
    terms: list[Term] = []
    rising = often(draw, 12)
    until = often(draw, 30)
    terms.append(Measure("cap", "until" if until else "when"))
    rate = Fraction(4 if rising else 1, 5)
    shown: Condition = Compare(0, rising, rising, rate.numerator, rate.denominator, "cap", SPAN)
    if "voices" in parts:
        role = draw(st.sampled_from(("board", "auditor")))
        leaf = voice_leaf(draw, terms, role)
        shown = draw(st.sampled_from((leaf, All((shown, leaf), SPAN), AnyOf((shown, leaf), SPAN))))
    never, always = Constant(False, SPAN), Constant(True, SPAN)
    everything = ("everything",), covered("everything")
    held = draw(st.sampled_from((everything,) * 5 + ((("train.new-scale",), covered("train.new-scale")),)))
    when, resume = (always, shown) if until else (Not(shown, SPAN), never)
    if held is not everything and often(draw, 50):
        when, resume = always, never
    promise = Commitment("c", *held, when, resume, True, SPAN)
    exceptions: tuple[Exception_, ...] = ()
    if "exceptions" in parts:
        terms += [Attested("rival", "auditor"), Approved("exception:e", "board")]
        yes = [Compare(len(terms) - 2 + place, True, True, 1, 1, "yes", SPAN) for place in (0, 1)]
        exceptions = (Exception_("e", "c", yes[0], always, (yes[1],), 30 * DAY, 60 * DAY, 365 * DAY, SPAN),)
    return plain_kernel(
        id=name,
        digest=f"sha256:{name}",
        terms=tuple(terms),
        commitments=(promise,),
        exceptions=exceptions,
        evaluations={"cap": evaluation(draw, parts)},
        safeguards={GUARD: safeguard()},
        roles=roles(draw, parts),
        countersigned_by=("auditor",) if "signs" in parts else (),
    )


def voice_leaf(draw, terms: list[Term], role: str) -> Condition:
    """Return a condition on what somebody says: that it is so, or that it is not."""
    age = draw(st.sampled_from((None, None, 30 * DAY)))
    term = draw(st.sampled_from((Attested(DANGER, role, age), Approved("plan", role), Shown(GUARD))))
    terms.append(term)
    yes = Compare(len(terms) - 1, True, True, 1, 1, "yes", SPAN)
    return Not(yes, SPAN) if often(draw, 40) else yes


def safeguard() -> Safeguard:
    fails_if = (Count("thefts", 0, 3, None, SPAN),)
    return Safeguard(GUARD, "sha256:means", "thieves", "sha256:because", fails_if, "auditor", 365 * DAY, None, SPAN)


def evaluation(draw, parts: set[str]):
    """Return the evaluation `cap`; with `spikes` it asks for measured counts, with `beliefs` for an attestation."""
    hidden = (Count(SPIKE, 0, 1, Fraction(4, 5), SPAN),) if "spikes" in parts else ()
    return replace(
        plain_kernel().evaluations["cap"],
        validity=draw(st.sampled_from(VALIDITIES)),
        elicited_by=draw(st.sampled_from(((), (), ("prompting",)))),
        by=draw(st.sampled_from(("auditor", "auditor", "auditor", None))) if not hidden else "auditor",
        wrongly_cleared=draw(st.sampled_from((Fraction(1, 1000), Fraction(1, 20)))),
        hidden_capability=hidden,
        beliefs=(Belief("fair", "auditor", 60 * DAY, SPAN),) if "beliefs" in parts else (),
        reach_issuer="family" in parts and often(draw, 10),
    )


def roles(draw, parts: set[str]) -> dict[str, Role]:
    """Return who may speak: sometimes auditors decide by quorum, sometimes only one office regulates."""
    found = dict(ROLES)
    if parts & {"spikes", "voices", "signs", "beliefs"} and often(draw, 40):
        found["auditor"] = Role("auditor", quorum=2, of=3, independent_of=("developer",))
    if "orders" in parts and often(draw, 60):
        found["regulator"] = Role("regulator", members=("office",))
    return found


# ---------------------------------------------------------------- subjects


def family(draw) -> tuple[Subject, ...]:
    """Return relatives, a twin, a stranger's model, a system: one or two of them beside `m0`."""
    found = [ROOT]
    for number in range(draw(st.integers(1, 2))):
        kind = draw(
            st.sampled_from(
                ("continue", "fine-tune", "merge", "prune", "distill", "other", "other", "twin", "vague", "vague")
            )
        )
        parent = draw(st.sampled_from(found))
        spent = draw(st.sampled_from((1, 10**23, 10**25, 2 * 10**25)))
        high = spent * draw(st.sampled_from((1, 1, 3)))
        edges = (Edge(parent.name, kind),) if kind not in ("other", "twin", "vague") else ()
        child = Subject(
            f"x{number}",
            parent.digest if kind == "twin" else f"sha256:x{number}",
            "shell" if often(draw, 15) else LAB,
            "model",
            edges,
            kind != "vague",
            None if often(draw, 12) else ComputeRange(spent, high),
            NOW - draw(st.sampled_from((200, 100, 5))) * DAY,
        )
        found.append(child)
    if often(draw, 25):
        inner = draw(st.sampled_from(found)).name
        found.append(Subject("s0", "sha256:s0", LAB, "system", (), True, None, NOW, inner))
    return tuple(found)


# ---------------------------------------------------------------- events


def clean_story(draw, run: str, subject: str, elicitation: str, *, rising: bool) -> list[Timed]:
    """Return a run as it should be, in time and by an auditor who follows every method."""
    start = NOW - draw(st.sampled_from((1, 5, 20))) * DAY
    successes, failures = (400, 0) if rising else (0, 400)
    plan = registered(
        run, "cap", subject, 400, elicitation=elicitation, report_by=start + DAY, methods=("card", "card-2")
    )
    return [(start, plan), (start + DAY // 2, reported(run, successes, failures))]


def drop_out_story(draw, tag: str, subject: str, elicitation: str, *, rising: bool) -> list[Timed]:
    """Return an older run that may drop out of the pool and a newer one that would then decide, perhaps one pending."""
    bars = often(draw, 60)
    old, new = (BARRING, ENOUGH) if bars else (ENOUGH, THIN)
    found: list[Timed] = []
    for run, scores, ages in ((f"{tag}-old", old, (20, 60, 85, 95, 100, 115)), (f"{tag}-new", new, (1, 5, 20, 70))):
        start = NOW - draw(st.sampled_from(ages)) * DAY
        score = draw(st.sampled_from(scores))
        successes, failures = reversed(score) if rising else score
        by = draw(st.sampled_from(("metra", "probe")))
        methods = draw(st.sampled_from(((), ("card",)))) if scores is old else ("card", "card-2")
        plan = registered(
            run,
            "cap",
            subject,
            successes + failures,
            elicitation=elicitation,
            methods=methods,
            report_by=start + DAY,
            by=by,
        )
        found += [(start, plan), (start + DAY // 2, reported(run, successes, failures, by=by))]
    if often(draw, 20 if bars else 70):
        until = NOW + draw(st.sampled_from((20, 60))) * DAY
        found.append(
            (NOW - DAY, registered(f"{tag}-due", "cap", subject, 100, elicitation=elicitation, report_by=until))
        )
    return found


FATES = ("reported",) * 24 + ("silent", "silent", "silent", "refused", "voided", "disputed", "retracted")


KINDS = ("enough", "enough", "enough", "barring", "barring", "thin", "crossing")


def run_story(
    draw, run: str, subject: str, elicitation: str, *, rising: bool, kinds: tuple[str, ...] = KINDS
) -> list[Timed]:
    """Return one run with what became of it."""
    age = draw(st.sampled_from(AGES))
    start = NOW - age * DAY
    score = draw(st.sampled_from(SCORES[draw(st.sampled_from(kinds))]))
    successes, failures = reversed(score) if rising else score
    missing = draw(st.sampled_from((0,) * 8 + (1, 20)))
    who = draw(st.sampled_from((*LENDERS[:1] * 9, *LENDERS[1:2] * 6, (LAB, "developer"))))
    by = dict(zip(("by", "role"), who, strict=True))
    methods = draw(st.sampled_from(((), ("card",), ("card", "card-2"))))
    fate = draw(st.sampled_from(FATES))
    due = start + DAY
    if fate in ("silent", "refused", "voided"):
        due = draw(st.sampled_from((start + DAY, NOW + 3 * DAY, NOW + 20 * DAY, NOW + 60 * DAY, NOW + 10_000 * DAY)))
    plan = registered(
        run,
        "cap",
        subject,
        successes + failures + missing,
        elicitation=elicitation,
        report_by=due,
        methods=methods,
        **by,
    )
    later = start + min(age, 1) * DAY // 2
    result = reported(run, successes, failures, missing, **by)
    judge = draw(st.sampled_from((*LENDERS[:2], (LAB, "developer")))) if fate in ("voided", "retracted") else ("", "")
    after: dict[str, list[Event]] = {
        "reported": [result],
        "silent": [],
        "refused": [ResultRefused(run, "sha256:bad", "E403", "copies disagree", **by)],
        "voided": [RunVoided(run, "crashed", *judge)],
        "disputed": [result, replace(result, successes=0, failures=successes + failures)],
        "retracted": [result, DefectRetracted("shifted key", (run,), "", *judge)],
    }
    return [(start, plan), *((later, event) for event in after[fate])]


def voice_story(draw, kind: str, topic: str, speakers, subject: str, **other) -> list[Timed]:
    """Return what some speakers say: for and against, some of it expired or about to, some twice."""
    found = []
    for by, role in draw(st.lists(st.sampled_from(speakers), min_size=1, max_size=4)):
        holds = often(draw, 70)
        expires = NOW + draw(st.sampled_from((-1, 2, 5, 40, 200, 200))) * DAY
        at = NOW - draw(st.sampled_from((0, 3, 10, 25, 29, 50))) * DAY
        found.append((at, stated(kind, topic, subject, by=by, role=role, holds=holds, expires=expires, **other)))
    return found


def spike_story(draw, topic: str, subject: str) -> list[Timed]:
    """Return measurements of a spike-in, by several auditors, recovered or not, with different ends."""
    found = []
    for by, role in draw(st.lists(st.sampled_from(LENDERS), min_size=1, max_size=3)):
        count = draw(st.sampled_from(((20, 20), (20, 20), (16, 20), (3, 20))))
        expires = NOW + draw(st.sampled_from((-1, 2, 5, 40, 200))) * DAY
        at = NOW - draw(st.sampled_from((0, 2, 5, 10))) * DAY
        found.append((at, stated("measurement", topic, subject, count=count, by=by, role=role, expires=expires)))
    return found


def sign_story(draw, request: Request) -> list[Timed]:
    """Return countersignatures of several sizes."""
    found = []
    for by, role in draw(
        st.lists(st.sampled_from((*LENDERS[:1] * 3, *LENDERS, *STRANGERS[:2])), min_size=1, max_size=4)
    ):
        compute = draw(st.sampled_from((0, 25 * 10**24, 25 * 10**24, 4 * 10**25, 10**27, 10**27)))
        expires = NOW + draw(st.sampled_from((-1, -1, 2, 200, 200))) * DAY
        at = NOW - draw(st.sampled_from((0, 2, 5))) * DAY
        said = stated(
            "countersignature",
            request.action,
            draw(st.sampled_from((request.subject,) * 7 + ("",))),
            action=request.action,
            compute=compute,
            by=by,
            role=role,
            expires=expires,
            holds=often(draw, 85),
        )
        found.append((at, said))
    return found


def order_story(draw, subjects: tuple[Subject, ...]) -> list[Timed]:
    """Return a stop order, mostly with somebody who lifts it."""
    actions = draw(st.lists(st.sampled_from(("deploy", "train", "everything", *HARDER, *UNKNOWN_ACTIONS)), max_size=2))
    about = draw(st.sampled_from(("", "", *(item.name for item in subjects))))
    order = StopOrdered("halt", tuple(actions), about, *draw(st.sampled_from((*STRANGERS, *STRANGERS[2:] * 2))))
    lift = StopLifted("halt", *draw(st.sampled_from((*STRANGERS, *STRANGERS[2:] * 2))))
    return [(NOW - 2 * DAY, order), *([(NOW - DAY, lift)] if often(draw, 75) else [])]


def exception_story(draw, subject: str) -> list[Timed]:
    """Return uses of the exception, approvals and the attestation it needs."""
    found: list[Timed] = [
        (
            NOW - draw(st.sampled_from((0, 5, 29, 31, 60, 100, 340))) * DAY,
            ExceptionInvoked("plain", "e", LAB, "developer"),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    found += voice_story(draw, "predicate", "rival", LENDERS[:1] * 2 + LENDERS[1:], subject)
    topic = matter_topic("plain", "exception:e")
    expires = NOW + draw(st.sampled_from((2, 20, 200))) * DAY
    return found + [(NOW - DAY, stated("approval", topic, by=by, role=role, expires=expires)) for by, role in BOARD[:2]]


def switch(by: str, role: str) -> Event:
    """Return something with no bearing on any declared subject, said in a role: `by` acted in it from then on."""
    return StopOrdered("elsewhere", (), "another", by, role)


@st.composite
def focused(draw, *parts: str, training: bool | None = None) -> World:
    """Return a small world about one or two of the parts (all of `PARTS` where none is named)."""
    among = parts or PARTS
    chosen = {draw(st.sampled_from(among))}
    if often(draw, 20):
        chosen.add(draw(st.sampled_from(PARTS)))
    kernel = focused_kernel(draw, chosen)
    subjects = family(draw) if "family" in chosen else (ROOT,)
    if "family" not in chosen and often(draw, 20):
        child = Subject("m1", "sha256:m1", LAB, "model", (Edge("m0", "continue"),), True, ComputeRange(1, 1), NOW)
        subjects = (ROOT, child)
    asked = draw(st.sampled_from(subjects))
    request = question(draw, asked, training=training)
    timed: list[Timed] = [(NOW - 200 * DAY, SubjectDeclared(item, item.issuer, "developer")) for item in subjects]
    rising = any(part.above for item in kernel.commitments for part in measured(item, kernel.terms))
    spec = kernel.evaluations["cap"]
    stratum = (*spec.elicited_by, "")[0]
    runs: list[str] = []
    for subject in subjects:
        near = subject.name in (asked.name, asked.weights)
        if "runs" in chosen and near and often(draw, 50):
            timed += drop_out_story(draw, f"run-{subject.name}", subject.name, stratum, rising=rising)
            runs += [f"run-{subject.name}-{age}" for age in ("old", "new")]
        elif "runs" in chosen and (near or often(draw, 50)):
            for number in range(draw(st.integers(1, 3))):
                runs.append(f"run-{subject.name}-{number}")
                where = "fine-tunes" if often(draw, 5) else stratum
                timed += run_story(draw, runs[-1], subject.name, where, rising=rising)
        elif near or "family" not in chosen:
            timed += clean_story(draw, f"run-{subject.name}", subject.name, stratum, rising=rising)
        elif often(draw, 60):
            # What a relative shows matters most where it is adverse.
            kinds = ("enough", "barring", "crossing", "crossing")
            timed += run_story(draw, f"run-{subject.name}", subject.name, stratum, rising=rising, kinds=kinds)
    timed += stories(draw, chosen, kernel, subjects, request, runs)
    timed.sort(key=lambda item: item[0])
    return World((kernel,), tuple(timed), request)


def measured(commitment: Commitment, terms: tuple[Term, ...]) -> list[Compare]:
    """Return the comparisons of a score in a commitment."""
    found, todo = [], [commitment.when, commitment.until]
    while todo:
        condition = todo.pop()
        if isinstance(condition, Compare):
            found += [condition] if isinstance(terms[condition.term], Measure) else []
        else:
            todo += [condition.part] if isinstance(condition, Not) else list(getattr(condition, "parts", ()))
    return found


def question(draw, asked: Subject, *, training: bool | None) -> Request:
    """Return what is asked of a subject, at sizes on both sides of what its evidence reaches."""
    trains = often(draw, 55) if training is None else training
    if not trains or asked.kind == "system":
        action = draw(st.sampled_from(("deploy.internal", "deploy.internal", "deploy.api", "release.weights")))
        return Request(action, asked.name)
    action = draw(st.sampled_from(("train",) * 8 + ("train.new-scale", MITIGATION)))
    size = draw(st.sampled_from((21, 30, 30, 30, 39, 40, 41, 50, 60, 61, 10**16))) * 10**24
    if action == MITIGATION and often(draw, 50):
        size = 101 * 10**23
    return Request(action, asked.name, size)


def stories(draw, chosen, kernel, subjects, request, runs) -> list[Timed]:  # noqa: C901, PLR0912 - a part each
    """Return what happens besides the runs, for each part of the world."""
    found: list[Timed] = []
    name = request.subject
    digest = DIGESTS["cap"]
    for part in sorted(chosen):
        match part:
            case "voices":
                found += voices_asked(draw, kernel, name)
            case "spikes":
                for item in subjects:
                    found += spike_story(draw, claim_topic(digest, SPIKE), item.name)
            case "beliefs":
                found += voice_story(
                    draw, "belief", claim_topic(digest, "fair"), LENDERS, draw(st.sampled_from(("", name)))
                )
            case "orders":
                found += order_story(draw, subjects)
            case "signs":
                found += sign_story(draw, request)
            case "exceptions":
                found += exception_story(draw, name)
            case "family" if often(draw, 15):
                about = draw(st.sampled_from(subjects)).name
                found.append((NOW - 3 * DAY, stated("treat-as-crossed", digest, about)))
            case "runs":
                if often(draw, 20):
                    card = draw(st.sampled_from(("card", "card-2")))
                    about = draw(st.sampled_from(("", "prompting")))
                    found.append((NOW - 15 * DAY, MethodPublished(card, about, "metra", "auditor")))
                if runs and often(draw, 25):
                    listed = (draw(st.sampled_from(runs)),)
                    found.append(
                        (NOW - DAY, DefectRetracted("shifted key", listed, "", *draw(st.sampled_from(LENDERS))))
                    )
            case _:
                pass
    if often(draw, 6):
        who = draw(st.sampled_from(("metra", "probe", "ann", "office")))
        found.append((NOW - 7 * DAY, switch(who, draw(st.sampled_from(("developer", "auditor"))))))
    return found


def voices_asked(draw, kernel: Kernel, subject: str) -> list[Timed]:
    """Return statements on whatever the policy asks somebody to say."""
    found: list[Timed] = []
    about = draw(st.sampled_from(("", subject)))
    for term in kernel.terms:
        match term:
            case Attested(predicate=topic, role=role) if topic == DANGER:
                found += voice_story(draw, "predicate", topic, BOARD if role == "board" else LENDERS, about)
            case Approved(matter="plan", role=role):
                speakers = BOARD if role == "board" else LENDERS
                found += voice_story(draw, "approval", matter_topic(kernel.id, "plan"), speakers, about)
            case Shown():
                means = {"means": "sha256:means", "because": "sha256:because"}
                found += voice_story(draw, "safeguard", matter_topic(kernel.id, GUARD), LENDERS, about, **means)
                count = draw(st.sampled_from(((0, 3), (0, 3), (1, 3), (0, 2))))
                topic = matter_topic(kernel.id, f"{GUARD}:thefts")
                found += voice_story(draw, "measurement", topic, LENDERS, about, count=count, means="sha256:means")
            case _:
                pass
    return found


# ---------------------------------------------------------------- when something may change


def moments(world: World) -> list[int]:
    """Return the instants, from the question on, at which a world may change its mind, with a second on either side."""
    found = {world.now + DAY}
    for at, event in world.events:
        match event:
            case RunRegistered():
                spec = world.kernels[0].evaluations["cap"].validity
                ends = [at + end for end in (spec.due_time, spec.stop_time) if end is not None]
                found |= {event.report_by, *ends}
            case Statement():
                found |= {event.expires, at + 30 * DAY, at + 60 * DAY, at + 365 * DAY}
            case ExceptionInvoked():
                found |= {at + 30 * DAY, at + 60 * DAY, at + 365 * DAY, at + 395 * DAY}
            case PolicyAdopted() | PolicyWithdrawn():
                found |= {at + 30 * DAY}
            case HoleFilled(expires=end):
                found.add(end)
            case _:
                pass
    return sorted({end + step for end in found for step in (-1, 0, 1) if end + step >= world.now})
