"""Random kernels, lineages, histories and requests. Most evidence is favorable, so that many worlds are near a permit.

A world keeps its events as (time, event) pairs: a test changes, drops or adds one and asks again. Policies are passed
as kernels, beside the history; nothing has to be parsed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from hypothesis import strategies as st

from scalegate.core.actions import HARDER, covered
from scalegate.core.decision import Decision, Request
from scalegate.core.diagnostic import Span
from scalegate.core.events import (
    DefectRetracted,
    Entry,
    Event,
    ExceptionInvoked,
    History,
    MethodPublished,
    ResultRefused,
    ResultReported,
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
    Role,
    Safeguard,
    ScoreRule,
    Validity,
)
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.core.terms import Approved, Attested, Clock, Compute, Hole, Measure, Published, Shown, Term
from scalegate.gate import decide
from scalegate.gate.lineage import Lineage

NOW = 1_800_000_000
SPAN = Span("random.yaml", 1, 1, 1, 2)
LAB, OTHER = "lab", "rival"
AUDITORS = ("metra", "probe")
SPEAKERS = (
    (LAB, "developer"),
    ("metra", "auditor"),
    ("probe", "auditor"),
    ("office", "regulator"),
    ("ann", "board"),
    ("bob", "board"),
    ("cyd", "board"),
)
ROLES = {
    "developer": Role("developer"),
    "auditor": Role("auditor", independent_of=("developer",)),
    "regulator": Role("regulator", independent_of=("developer", "auditor")),
    "board": Role("board", quorum=2, of=3),
}
KINDS = {"cap": "capability", "skill": "capability", "safe": "safety", "why": "understanding"}
DIGESTS = {name: f"sha256:evaluation-{name}" for name in KINDS}
PREDICATES = ("rival-unsafe", "site-inspected")
GUARD = "guard"
RATES = tuple(Fraction(part, 100) for part in (5, 20, 50))
# (successes, failures): far below 5%, near it, near 20%, undecided, far above 50%.
GOOD = ((0, 400), (0, 900), (2, 998))
FAIR = ((0, 100), (5, 195), (8, 52), (12, 88), (1, 9))
BAD = ((30, 70), (60, 40), (95, 5), (200, 0), (18, 42))


@dataclass(frozen=True)
class Taste:
    """What a random kernel may contain.

    `calendar`: conditions on the date. `rising`: conditions met by a high score or by much compute. `chancy`: other
    things than evaluations, so that a hold may rest on many things at once.
    """

    calendar: bool = True
    rising: bool = True
    holes: bool = True
    chancy: bool = True
    exceptions: bool = True


ANYTHING = Taste()
# Low scores, little compute and no date speak for a permit: the taste for laws about growth and time.
LOW = Taste(calendar=False, rising=False)


class Terms(list[Term]):
    """The terms of a kernel in the making."""

    def place(self, term: Term) -> int:
        if term not in self:
            self.append(term)
        return self.index(term)


# ---------------------------------------------------------------- conditions


def often(draw, percent: int) -> bool:
    return draw(st.integers(0, 99)) < percent


def compare(terms: Terms, term: Term, value: Fraction, *, above: bool, edge: bool) -> Compare:
    sign = {(True, True): ">=", (True, False): ">", (False, True): "<", (False, False): "<="}[above, edge]
    return Compare(terms.place(term), above, edge, value.numerator, value.denominator, f"x {sign} {value}", SPAN)


def yes(terms: Terms, term: Term, *, wanted: bool) -> Condition:
    found = compare(terms, term, Fraction(1), above=True, edge=True)
    return found if wanted else Not(found, SPAN)


def leaf(draw, terms: Terms, taste: Taste, position: str, *, wanted: bool) -> Condition:
    """Return a leaf that a permit would like to see shown (`wanted`) or refuted."""
    kinds = ["measure"] * 6
    if taste.chancy:
        kinds += ["shown", "attested", "approved", "published", "compute", "constant"]
    if taste.calendar:
        kinds.append("clock")
    kind = draw(st.sampled_from(kinds))
    high = taste.rising and often(draw, 30)
    edge = draw(st.booleans())
    match kind:
        case "measure":
            name = draw(st.sampled_from(tuple(KINDS)))
            term = Measure(name, position, every_scaffold=often(draw, 15))
            return compare(terms, term, draw(st.sampled_from(RATES)), above=wanted is high, edge=edge)
        case "shown":
            return yes(terms, Shown(GUARD), wanted=wanted)
        case "attested":
            age = draw(st.sampled_from((None, None, 30 * DAY)))
            role = draw(st.sampled_from(tuple(ROLES)))
            return yes(terms, Attested(draw(st.sampled_from(PREDICATES)), role, age), wanted=wanted)
        case "approved":
            return yes(terms, Approved("plan", draw(st.sampled_from(tuple(ROLES)))), wanted=wanted)
        case "published":
            return yes(terms, Published("plan"), wanted=wanted)
        case "compute":
            size = Fraction(draw(st.sampled_from((10**24, 10**25, 10**26, 10**27))))
            return compare(terms, Compute(), size, above=wanted is high, edge=edge)
        case "clock":
            date = Fraction(NOW + draw(st.sampled_from((-100, -1, 0, 1, 10, 100))) * DAY)
            return compare(terms, Clock(), date, above=draw(st.booleans()), edge=edge)
        case _:
            return Constant(wanted is not often(draw, 30), SPAN)


def wish(draw, terms: Terms, taste: Taste, position: str, *, wanted: bool = True, depth: int = 2) -> Condition:
    """Return a condition that a permit would like to see shown, or refuted where it is not `wanted`."""
    shape = draw(st.sampled_from(("leaf", "leaf", "all", "any", "not", "least"))) if depth else "leaf"
    again = partial(wish, draw, terms, taste, position, depth=depth - 1)
    match shape:
        case "leaf":
            return leaf(draw, terms, taste, position, wanted=wanted)
        case "not":
            return Not(again(wanted=not wanted), SPAN)
        case _:
            parts = tuple(again(wanted=wanted) for _ in range(draw(st.integers(2, 3))))
            if shape == "least":
                return AtLeast(draw(st.integers(1, len(parts))), parts, SPAN)
            return (All if shape == "all" else AnyOf)(parts, SPAN)


# ---------------------------------------------------------------- kernels

VALIDITIES = (
    Validity(),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(Fraction(4), 90 * DAY, Fraction(6), 120 * DAY, exact=False, training=True),
    Validity(None, 60 * DAY, None, 60 * DAY, exact=True, training=True),
    Validity(Fraction(2), None, Fraction(2), None, exact=False, training=True),
)


@st.composite
def evaluations(draw, name: str, taste: Taste) -> Evaluation:
    beliefs = hidden = shown = ()
    if often(draw, 20):
        beliefs = (Belief("nothing is gamed", "auditor", draw(st.sampled_from((None, 60 * DAY))), SPAN),)
    if often(draw, 15):
        hidden = (Count("spike-in recovered", 0, 1, Fraction(4, 5), SPAN),)
    if often(draw, 15):
        shown = (Count("positives flagged", 19, 20, None, SPAN),)
    return Evaluation(
        id=name,
        kind=KINDS[name],
        digest=None if taste.holes and often(draw, 3) else DIGESTS[name],
        test="bank",
        score=ScoreRule("success rate"),
        elicited_by=draw(st.sampled_from(((), (), ("prompting",), ("prompting", "fine-tunes")))),
        by=draw(st.sampled_from(("auditor", "auditor", None))),
        wrongly_cleared=draw(st.sampled_from((Fraction(1, 1000), Fraction(1, 20)))),
        wrongly_stopped=Fraction(1, 20),
        validity=draw(st.sampled_from(VALIDITIES)),
        beliefs=beliefs,
        hidden_capability=hidden,
        shown_to_work=shown,
        accept_aggregate=draw(st.booleans()),
        accept_edited=False,
        refuse_provenance=("dirty revision",) if often(draw, 20) else (),
        hole="nobody knows" if taste.holes and name == "why" and often(draw, 20) else None,
        reach_issuer=often(draw, 10),
        span=SPAN,
        accept_earlier=draw(st.booleans()),
    )


@st.composite
def commitments(draw, terms: Terms, taste: Taste, name: str) -> Commitment:
    hold = draw(st.sampled_from(("everything", "everything", "train", "deploy", "deploy.api", *HARDER)))
    when: Condition = Not(wish(draw, terms, taste, "when"), SPAN)
    until: Condition = Constant(False, SPAN)
    if often(draw, 50):
        until = wish(draw, terms, taste, "until")
    if taste.holes and often(draw, 8):
        hole = compare(terms, Hole("gap"), Fraction(1), above=True, edge=True)
        until = All((until, hole), SPAN)
    return Commitment(name, (hold,), covered(hold), when, until, False, SPAN)


def exception(draw, terms: Terms, taste: Taste, instead_of: str) -> Exception_:
    predicate = Attested(draw(st.sampled_from(PREDICATES)), "auditor", None)
    return Exception_(
        id=f"escape-{instead_of}",
        instead_of=instead_of,
        when=yes(terms, predicate, wanted=True),
        until=wish(draw, terms, taste, "until", depth=1),
        needs=(yes(terms, Approved(f"exception:escape-{instead_of}", "board"), wanted=True),),
        each=30 * DAY,
        total=60 * DAY,
        window=365 * DAY,
        span=SPAN,
    )


@st.composite
def kernels(draw, taste: Taste = ANYTHING, name: str = "plan", most: int = 3) -> Kernel:
    """Return a random policy; two kernels of one world differ by `name` and share evaluations by digest."""
    terms = Terms()
    promised = tuple(draw(commitments(terms, taste, f"c{number}")) for number in range(draw(st.integers(1, most))))
    escapes: tuple[Exception_, ...] = ()
    if taste.exceptions and often(draw, 40):
        escapes = (exception(draw, terms, taste, draw(st.sampled_from(promised)).id),)
    scope: Condition = Constant(True, SPAN)
    if often(draw, 30):
        scope = compare(terms, Compute(), Fraction(10**24), above=True, edge=False)
    fails_if = (Count("thefts", 0, 3, None, SPAN),) if often(draw, 30) else ()
    open_guard = "no reason is given" if taste.holes and often(draw, 5) else None
    guard = Safeguard(
        GUARD, "sha256:means", "thieves", "sha256:because", fails_if, "auditor", 365 * DAY, open_guard, SPAN
    )
    contexts = {
        "room": Context(
            "room", "deploy.internal", draw(st.sampled_from((("bare",), ("bare", "agent"), None))), True, SPAN
        )
    }
    return Kernel(
        id=name,
        version="1",
        issuer=LAB,
        kind="policy",
        digest=f"sha256:{name}",
        effective=0,
        scope=scope,
        binds_every_developer=False,
        terms=tuple(terms),
        commitments=promised,
        exceptions=escapes,
        roles=ROLES,
        evaluations={key: draw(evaluations(key, taste)) for key in KINDS},
        safeguards={GUARD: guard},
        holes={"gap": HoleSpec("gap", "nobody knows", LAB, ("board",), None, SPAN)},
        contexts=contexts,
        stop_orders_by=("regulator",),
        countersigned_by=("auditor",) if often(draw, 15) else (),
        teachers_count=not often(draw, 20),
    )


# ---------------------------------------------------------------- lineages


@st.composite
def lineages(draw, most: int = 5) -> tuple[Subject, ...]:
    """Return models `m0`, `m1`, ... with random edges to earlier ones, and perhaps a system around one of them."""
    found: list[Subject] = []
    for number in range(draw(st.integers(1, most))):
        edges: list[Edge] = []
        if found:
            kind = draw(
                st.sampled_from(("root", "continue", "continue", "fine-tune", "merge", "prune", "unlearn", "distill"))
            )
            names = [item.name for item in found]
            if kind == "merge":
                edges = [
                    Edge(name, "merge")
                    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
                ]
            elif kind != "root":
                edges = [Edge(draw(st.sampled_from(names)), kind)]
            if often(draw, 10):
                edges.append(Edge(draw(st.sampled_from(names)), "synthetic-data"))
        low = draw(st.sampled_from((10**22, 10**24, 10**25, 2 * 10**25)))
        high = low * draw(st.sampled_from((1, 1, 1, 2)))
        found.append(
            Subject(
                name=f"m{number}",
                digest=f"sha256:m{number}",
                issuer=LAB if not often(draw, 5) else OTHER,
                kind="model",
                parents=tuple(edges),
                lineage_declared=not often(draw, 5),
                compute=None if often(draw, 5) else ComputeRange(low, high),
                made_at=NOW - draw(st.sampled_from((200, 100, 50, 5))) * DAY,
            )
        )
    if often(draw, 40):
        inner = draw(st.sampled_from(found))
        scaffold = draw(st.sampled_from(("", "bare", "agent")))
        found.append(
            Subject(
                "s0", "sha256:s0", LAB, "system", (), True, None, NOW - 5 * DAY, inner.name, ("sha256:means",), scaffold
            )
        )
    return tuple(found)


@st.composite
def requests(draw, subjects: tuple[Subject, ...], *, training: bool | None = None) -> Request:
    """Return a request that makes sense of its own: training starts from a model and says how far."""
    models = [item for item in subjects if item.kind == "model"]
    trains = draw(st.booleans()) if training is None else training
    if trains:
        subject = draw(st.sampled_from(models[-2:]))
        spent = Lineage({item.name: item for item in subjects}).compute(subject).low
        factor = draw(
            st.sampled_from((Fraction(1), Fraction(11, 10), Fraction(2), Fraction(3), Fraction(5), Fraction(7)))
        )
        action = draw(st.sampled_from(("train", "train", "train", "train.new-scale", "train.mitigation")))
        return Request(action, subject.name, int(spent * factor) + 1)
    deploy = [action for action in HARDER if not action.startswith("train")]
    action = draw(st.sampled_from(deploy))
    context = draw(st.sampled_from(("", "room"))) if action == "deploy.internal" else ""
    return Request(action, draw(st.sampled_from(subjects[-2:])).name, None, context)


# ---------------------------------------------------------------- events


def registered(run: str, evaluation: str, subject: str, items: int, **other) -> RunRegistered:
    """Return the registration of a run by an auditor; `evaluation` is one of `KINDS`."""
    plan = RunRegistered(
        run, DIGESTS[evaluation], subject, "", "", items, "", NOW + 10 * DAY, (), "developer", "metra", "auditor"
    )
    return replace(plan, **other)


def reported(run: str, successes: int, failures: int, missing: int = 0, **other) -> ResultReported:
    result = ResultReported(
        run,
        f"sha256:log-{run}",
        successes,
        failures,
        missing,
        False,
        True,
        "samples",
        False,
        (),
        (),
        "h 1",
        "metra",
        "auditor",
    )
    return replace(result, **other)


def stated(kind: str, topic: str, subject: str = "", **other) -> Statement:
    statement = Statement(kind, topic, subject, True, NOW + 200 * DAY, None, "", "", "", 0, (), "metra", "auditor")
    return replace(statement, **other)


@dataclass(frozen=True)
class World:
    """A history as (time, event) pairs in order, the policies beside it, and one question."""

    kernels: tuple[Kernel, ...]
    events: tuple[tuple[int, Event], ...]
    request: Request
    now: int = NOW
    fault: str = ""

    def history(self) -> History:
        entries = [Entry(index, at, f"sha256:entry-{index}", event) for index, (at, event) in enumerate(self.events)]
        return History(tuple(entries), self.fault)

    def ask(self, **changes) -> Decision:
        """Ask, with some fields of the world changed."""
        world = replace(self, **changes)
        return decide(world.history(), world.request, world.now, world.kernels, counterfactual=True)

    def then(self, *events: Event) -> World:
        """Return the world with further events, recorded now."""
        return replace(self, events=(*self.events, *((self.now, event) for event in events)))

    @property
    def subjects(self) -> dict[str, Subject]:
        return {event.subject.name: event.subject for _, event in self.events if isinstance(event, SubjectDeclared)}

    @property
    def asked(self) -> Subject:
        return self.subjects[self.request.subject]

    def all_of(self, kind: type) -> list[tuple[int, int, Event]]:
        """Return (place, time, event) of every event of a type."""
        return [(place, at, event) for place, (at, event) in enumerate(self.events) if isinstance(event, kind)]

    def swap(self, place: int, event: Event | None) -> World:
        """Return the world with another event in a place, or none."""
        kept = () if event is None else ((self.events[place][0], event),)
        return replace(self, events=(*self.events[:place], *kept, *self.events[place + 1 :]))


Timed = tuple[int, Event]
AGES = (1, 10, 40, 80, 100, 130, 300)


def run_events(draw, run: str, evaluation: str, subject: str, stratum: tuple[str, str], scores, **other) -> list[Timed]:
    """Return a run's registration and, mostly, its result."""
    age = draw(st.sampled_from(AGES))
    successes, failures = draw(st.sampled_from(scores))
    missing = draw(st.sampled_from((0, 0, 0, 0, 1, 30)))
    items = successes + failures + missing
    report_by = NOW + (min(20 - age, -1) if often(draw, 60) else draw(st.sampled_from((-1, 3, 20, 200)))) * DAY
    by = draw(st.sampled_from(AUDITORS))
    who = (by, "auditor") if often(draw, 90) else draw(st.sampled_from(SPEAKERS))
    methods = draw(st.sampled_from(((), (), ("card",))))
    speaker = {"by": who[0], "role": who[1]}
    plan = registered(
        run,
        evaluation,
        subject,
        items,
        elicitation=stratum[0],
        scaffold=stratum[1],
        report_by=report_by,
        methods=methods,
    )
    start = NOW - age * DAY
    found: list[Timed] = [(start, replace(plan, **speaker))]
    fate = draw(st.sampled_from(("reported",) * 12 + ("silent", "refused", "voided")))
    if fate == "refused":
        found.append((start + DAY // 2, ResultRefused(run, "sha256:bad", "E403", "copies disagree", *who)))
    elif fate == "voided":
        found.append((start + DAY // 2, RunVoided(run, "crashed", *draw(st.sampled_from(SPEAKERS)))))
    elif fate == "reported":
        odd = draw(
            st.sampled_from(
                ({},) * 9
                + (
                    {"adaptive": True},
                    {"evidence_class": "aggregate"},
                    {"provenance": ("dirty revision",)},
                    {"provenance": ("start not dated",)},
                )
            )
        )
        result = reported(run, successes, failures, missing, **speaker, **{**odd, **other})
        found.append((start + draw(st.sampled_from((DAY // 2, DAY // 2, age * DAY))), result))
    return found


def statement_events(draw, kernel: Kernel, subject: str) -> list[Timed]:
    """Return, mostly, every statement that a policy may ask about a subject."""
    wanted: list[Statement] = [
        stated("safeguard", matter_topic(kernel.id, GUARD), subject, means="sha256:means", because="sha256:because"),
        stated("measurement", matter_topic(kernel.id, f"{GUARD}:thefts"), subject, count=(0, 3), means="sha256:means"),
        stated("publication", matter_topic(kernel.id, "plan")),
    ]
    wanted += [
        stated("approval", matter_topic(kernel.id, matter), by=by, role=role)
        for matter in ("plan", *(f"exception:{item.id}" for item in kernel.exceptions))
        for by, role in SPEAKERS
        if role != "regulator" or matter == "plan"
    ]
    wanted += [
        stated("predicate", predicate, subject, by=by, role=role)
        for predicate in PREDICATES
        for by, role in SPEAKERS
        if by != "probe"
    ]
    for evaluation in kernel.evaluations.values():
        digest = evaluation.digest or ""
        wanted += [stated("belief", claim_topic(digest, item.claim), subject) for item in evaluation.beliefs]
        wanted += [
            stated("measurement", claim_topic(digest, item.name), subject, count=(20, 20))
            for item in (*evaluation.hidden_capability, *evaluation.shown_to_work)
        ]
    lost = draw(st.integers(0, 3))
    kept = [item for number, item in enumerate(wanted) if lost == 0 or (number * 7 + lost) % 11 != 0]
    return [(NOW - draw(st.sampled_from((2, 25, 90))) * DAY, item) for item in kept]


@st.composite
def noise(draw, kernel: Kernel, subjects: tuple[Subject, ...], runs: tuple[str, ...], tag: str) -> list[Timed]:  # noqa: PLR0911 - one for each kind of thing
    """Return one random thing that happened, favorable or not."""
    by, role = draw(st.sampled_from(SPEAKERS))
    subject = draw(st.sampled_from(subjects)).name
    about = draw(st.sampled_from((subject, subject, "")))
    at = NOW - draw(st.sampled_from((0, 1, 20, 110))) * DAY
    expires = NOW + draw(st.sampled_from((-3, 1, 15, 100, 400))) * DAY
    voice = {"by": by, "role": role, "holds": draw(st.booleans()), "expires": expires}
    evaluation = draw(st.sampled_from(tuple(KINDS)))
    kind = draw(
        st.sampled_from(
            (
                "run",
                "run",
                "run",
                "retract",
                "void",
                "state",
                "state",
                "measured",
                "method",
                "stop",
                "invoke",
                "sign",
                "crossed",
            )
        )
    )
    match kind:
        case "run":
            stratum = draw(st.sampled_from((("", ""), ("prompting", ""), ("", "bare"), ("fine-tunes", "agent"))))
            return run_events(draw, f"noise-{tag}", evaluation, subject, stratum, (*GOOD, *FAIR, *BAD))
        case "retract" if runs:
            listed = (draw(st.sampled_from(runs)),)
            return [
                (at, DefectRetracted("shifted key", listed, "" if often(draw, 80) else DIGESTS[evaluation], by, role))
            ]
        case "void" if runs:
            return [(at, RunVoided(draw(st.sampled_from(runs)), "crashed", by, role))]
        case "measured":
            spec = kernel.evaluations[evaluation]
            counts = (*spec.hidden_capability, *spec.shown_to_work)
            name = counts[0].name if counts else "spike-in recovered"
            count = draw(st.sampled_from(((20, 20), (3, 20), (1, 1), (0, 5))))
            return [(at, stated("measurement", claim_topic(DIGESTS[evaluation], name), about, count=count, **voice))]
        case "method":
            return [
                (
                    at,
                    MethodPublished(
                        draw(st.sampled_from(("card", "card-2"))), draw(st.sampled_from(("", "prompting"))), by, role
                    ),
                )
            ]
        case "stop":
            order = StopOrdered(f"halt-{tag}", draw(st.sampled_from(((), ("deploy",), ("train",)))), about, by, role)
            lift = StopLifted(f"halt-{tag}", *draw(st.sampled_from(((by, role), (LAB, "developer")))))
            return [(at, order), (at, lift)] if often(draw, 60) else [(at, order)]
        case "invoke" if kernel.exceptions:
            return [(at, ExceptionInvoked(kernel.id, kernel.exceptions[0].id, by, role))]
        case "sign":
            compute = draw(st.sampled_from((0, 10**25, 10**26, 10**28)))
            action = draw(st.sampled_from(tuple(HARDER)))
            return [(at, stated("countersignature", action, subject, action=action, compute=compute, **voice))]
        case "crossed" if often(draw, 30):
            return [(at, stated("treat-as-crossed", DIGESTS[evaluation], about, **voice))]
        case _:
            topics = [("predicate", PREDICATES[0]), ("predicate", PREDICATES[1])]
            topics += [
                ("approval", matter_topic(kernel.id, "plan")),
                ("belief", claim_topic(DIGESTS[evaluation], "nothing is gamed")),
            ]
            means = {"means": "sha256:means", "because": "sha256:because"}
            if often(draw, 30):
                return [(at, stated("safeguard", matter_topic(kernel.id, GUARD), about, **means, **voice))]
            kind, topic = draw(st.sampled_from(topics))
            return [(at, stated(kind, topic, about, **voice))]


@st.composite
def worlds(
    draw, taste: Taste = ANYTHING, *, policies: int = 1, training: bool | None = None, most: int = 4, scores=None
) -> World:
    """Return a world in which most of what the policies ask was shown for the subject of the request."""
    bound = tuple(draw(kernels(taste, name=f"plan-{number}")) for number in range(draw(st.integers(1, policies))))
    subjects = draw(lineages())
    request = draw(requests(subjects, training=training))
    lineage = Lineage({item.name: item for item in subjects})
    asked = lineage.subjects[request.subject]
    timed: list[Timed] = [(NOW - 400 * DAY, SubjectDeclared(item, item.issuer, "developer")) for item in subjects]
    model = lineage.model_of(asked) or asked
    near = {asked.name, model.name, *(link.subject.name for link in lineage.favorable_chain(model)[1:2])}
    scores = scores or draw(st.sampled_from((GOOD, GOOD, (*GOOD, *FAIR), (*GOOD, *FAIR, *BAD))))
    used = sorted({term.evaluation for kernel in bound for term in kernel.terms if isinstance(term, Measure)})
    runs: list[str] = []
    for evaluation in used:
        strata = {(item, "") for kernel in bound for item in kernel.evaluations[evaluation].elicited_by} or {("", "")}
        if any(
            term == Measure(evaluation, term.position, every_scaffold=True)
            for kernel in bound
            for term in kernel.terms
            if isinstance(term, Measure)
        ):
            strata |= {(next(iter(sorted(strata)))[0], name) for name in ("bare", "agent")}
        for subject in sorted(near):
            if subject != asked.name and often(draw, 40):
                continue
            for stratum in sorted(strata):
                name = f"run-{evaluation}-{subject}-{'-'.join(stratum)}"
                runs.append(name)
                timed += run_events(draw, name, evaluation, subject, stratum, scores)
                if often(draw, 40):
                    timed += run_events(draw, f"{name}-again", evaluation, subject, stratum, (*GOOD, *FAIR, *BAD))
    for kernel in bound:
        for subject in sorted(near):
            timed += statement_events(draw, kernel, subject)
        if kernel.exceptions and often(draw, 60):
            timed.append(
                (
                    NOW - draw(st.sampled_from((1, 20, 40))) * DAY,
                    ExceptionInvoked(kernel.id, kernel.exceptions[0].id, LAB, "developer"),
                )
            )
        if kernel.countersigned_by:
            timed.append(
                (
                    NOW - DAY,
                    stated("countersignature", request.action, request.subject, action=request.action, compute=10**28),
                )
            )
    for number in range(draw(st.integers(0, most))):
        timed += draw(noise(bound[0], subjects, tuple(runs), str(number)))
    timed.sort(key=lambda item: item[0])
    return World(bound, tuple(timed), request)


def plain_kernel(**changes) -> Kernel:
    """Return a policy with one commitment: everything is held unless `cap` is shown to be at most 20%."""
    span = SPAN
    trigger = Compare(0, True, False, 1, 5, "cap > 20%", span)
    spec = Evaluation(
        "cap",
        "capability",
        DIGESTS["cap"],
        "bank",
        ScoreRule("success rate"),
        (),
        "auditor",
        Fraction(1, 1000),
        Fraction(1, 20),
        VALIDITIES[1],
        (),
        (),
        (),
        False,
        False,
        (),
        None,
        False,
        span,
    )
    promised = Commitment("c", ("everything",), covered("everything"), trigger, Constant(False, span), True, span)
    kernel = Kernel(
        "plain",
        "1",
        LAB,
        "policy",
        "sha256:plain",
        0,
        Constant(True, span),
        False,
        (Measure("cap", "when"),),
        (promised,),
        roles=ROLES,
        evaluations={"cap": spec},
        stop_orders_by=("regulator",),
    )
    return replace(kernel, **changes)


def plain_world(successes: int = 0, failures: int = 400, **changes) -> World:
    """Return a world with one model, one run, and the question whether it may be deployed inside."""
    model = Subject("m0", "sha256:m0", LAB, "model", (), True, ComputeRange(10**25, 10**25), NOW - 50 * DAY)
    run = registered("run", "cap", "m0", successes + failures)
    events = (
        (NOW - 40 * DAY, SubjectDeclared(model, LAB, "developer")),
        (NOW - 30 * DAY, run),
        (NOW - 29 * DAY, reported("run", successes, failures)),
    )
    world = World((plain_kernel(),), events, Request("deploy.internal", "m0"))
    return replace(world, **changes)
