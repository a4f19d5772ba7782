"""Histories in which one policy permits what another holds: what no proof denies, and what comparisons assume away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scalegate.core.actions import MITIGATION, NEW_SCALE, TRAIN, covered
from scalegate.core.decision import Request
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.duties import Duties, EventName, MandatedRole, Obligation, Provenance
from scalegate.core.events import Event, ExceptionInvoked, StopLifted, StopOrdered, SubjectDeclared, matter_topic
from scalegate.core.kernel import (
    Commitment,
    Compare,
    Condition,
    Constant,
    Context,
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
from scalegate.core.terms import Attested, Compute, Elapsed, Measure, Overdue, Revenue, Shown, Term
from tests.gate.random_worlds import (
    DIGESTS,
    LAB,
    NOW,
    ROLES,
    SPAN,
    Timed,
    plain_kernel,
    registered,
    reported,
    stated,
)

NEVER, ALWAYS = Constant(proven=False, span=SPAN), Constant(proven=True, span=SPAN)


@dataclass(frozen=True)
class Counter:
    """A history in which one policy permits what the other holds, on top of one model with a clean result."""

    permits: Kernel
    holds: Kernel
    events: tuple[Timed, ...] = ()
    request: Request = field(default_factory=lambda: Request("deploy.internal", "m0"))
    beside: tuple[Kernel, ...] = ()


def cap(**changes: object) -> Kernel:
    """Return a policy that holds everything unless `cap` is at most 20%, its evaluation changed."""
    kernel = plain_kernel()
    return replace(kernel, evaluations={"cap": replace(kernel.evaluations["cap"], **changes)})  # type: ignore[arg-type]


def asking(term: Term, condition: Condition | None = None, **changes: object) -> Kernel:
    """Return a policy that holds everything unless something else is shown."""
    shown = condition or Compare(0, True, True, 1, 1, "so", SPAN)
    promise = Commitment("c", ("everything",), covered("everything"), Not(shown, SPAN), NEVER, False, SPAN)
    return plain_kernel(terms=(term,), commitments=(promise,), **changes)


def ago(days: int, event: Event, seconds: int = 0) -> Timed:
    return NOW - days * DAY - seconds, event


def model(name: str, spent: int, *edges: Edge) -> Timed:
    made = Subject(name, f"sha256:{name}", LAB, "model", edges, True, ComputeRange(spent, spent), NOW - 50 * DAY)
    return ago(39, SubjectDeclared(made, LAB, "developer"))


def result(name: str, subject: str, good: int, bad: int, *, days: int = 20) -> tuple[Timed, ...]:
    return (
        ago(days, registered(name, "cap", subject, good + bad, report_by=NOW - (days - 1) * DAY)),
        ago(days - 1, reported(name, good, bad)),
    )


# ---------------------------------------------------------------- evidence


def another_lineage() -> Counter:
    events = (model("x0", 10**20), *result("bad", "x0", 90, 10))
    return Counter(cap(), cap(reach_issuer=True), events)


def a_wider_allowance() -> Counter:
    events = (model("m1", 3 * 10**23, Edge("m0", "fine-tune")), *result("bad", "m1", 90, 10))
    narrow, wide = cap(), replace(cap(), elicitation_allowance=Fraction(1, 20))
    # What lies beyond the model in compute bars it anyway, so that what is asked about is a safety evaluation.
    return Counter(*(_of_safety(kernel) for kernel in (narrow, wide)), events=events)


def _of_safety(kernel: Kernel) -> Kernel:
    return replace(kernel, evaluations={"cap": replace(kernel.evaluations["cap"], kind="safety")})


def an_error_of_a_wrong_stop() -> Counter:
    events = (model("x0", 1, Edge("m0", "fine-tune")), *result("bad", "x0", 28, 72))
    few, many = (_of_safety(cap(wrongly_stopped=Fraction(1, parts))) for parts in (10**5, 3))
    return Counter(few, many, events)


def a_run_that_may_be_waited_for_longer() -> Counter:
    silent = ago(25, registered("silent", "cap", "m0", 100, report_by=NOW + 100 * DAY))
    waits = cap(validity=Validity(Fraction(4), 80 * DAY, Fraction(6), 120 * DAY, exact=False, training=True))
    hurries = cap(validity=Validity(Fraction(4), 90 * DAY, Fraction(6), 20 * DAY, exact=False, training=True))
    return Counter(waits, hurries, (silent,))


def a_measurement_that_nobody_is_named_for() -> Counter:
    asked = (Count("spike", 19, 20, None, SPAN),)
    events = (ago(3, stated("measurement", f"{DIGESTS['cap']}:spike", "m0", count=(20, 20))),)
    return Counter(cap(hidden_capability=asked), cap(hidden_capability=asked, by=None), events)


def a_bound_beyond_which_no_rate_lies() -> Counter:
    late, early = (
        asking(Measure("cap", position), Compare(0, False, False, 1, 1, "cap <= 100%", SPAN))
        for position in ("until", "when")
    )
    events = (model("m1", 1, Edge("m0", "fine-tune")), ago(9, stated("treat-as-crossed", DIGESTS["cap"], "m1")))
    return Counter(late, early, events)


def a_scaffold_that_is_not_admitted() -> Counter:
    term = Measure("cap", "when", every_scaffold=True)
    low = Compare(0, False, False, 1, 5, "cap <= 20%", SPAN)
    wide, narrow = (
        asking(term, low, contexts={"room": Context("room", "deploy.internal", names, withdraws=True, span=SPAN)})
        for names in (("agent", "bare"), ("bare",))
    )
    system = Subject("s0", "sha256:s0", LAB, "system", (), True, None, NOW, "m0", (), "agent")
    events = [ago(39, SubjectDeclared(system, LAB, "developer"))]
    for name in ("agent", "bare"):
        plan = registered(name, "cap", "m0", 400, scaffold=name, report_by=NOW - 8 * DAY)
        events += [ago(9, plan), ago(8, reported(name, 0, 400))]
    return Counter(wide, narrow, tuple(events), Request("deploy.internal", "s0", None, "room"))


# ---------------------------------------------------------------- voices


def a_quorum_that_bears_a_denial() -> Counter:
    two, one = (
        asking(Attested("fine", "auditor"), roles={**ROLES, "auditor": role})
        for role in (Role("auditor", 2, 3, (), ("developer",)), Role("auditor", 1, None, (), ("developer",)))
    )
    said = [ago(9, stated("predicate", "fine", "m0", by=by, holds=by != "lens")) for by in ("metra", "probe", "lens")]
    return Counter(two, one, tuple(said))


def an_age_that_another_rule_met() -> Counter:
    def kernel(age: int, role: Role) -> Kernel:
        return asking(Attested("fine", "auditor", age), roles={**ROLES, "auditor": role})

    probe, metra = Role("auditor", members=("probe",)), Role("auditor", members=("metra",))
    said = (ago(50, stated("predicate", "fine", "m0")), ago(5, stated("predicate", "fine", "m0", by="probe")))
    return Counter(kernel(30 * DAY, probe), kernel(30 * DAY, metra), said, beside=(kernel(60 * DAY, metra),))


GUARD = Safeguard("guard", "sha256:means", "thieves", "sha256:because", (), "auditor", None, None, SPAN)


def a_safeguard_that_failed_and_was_not_denied() -> Counter:
    absent = Not(Compare(0, True, True, 1, 1, "guard", SPAN), SPAN)
    plain = asking(Shown("guard"), absent, safeguards={"guard": GUARD})
    tried = replace(GUARD, fails_if=(Count("thefts", 0, 3, None, SPAN),))
    said = ago(9, stated("safeguard", matter_topic("plain", "guard"), "m0", holds=False, means="sha256:means"))
    return Counter(plain, replace(plain, safeguards={"guard": tried}), (said,))


def time_since_anybody_said_it() -> Counter:
    short = Compare(0, False, True, 30 * DAY, 1, "elapsed < 30 days", SPAN)
    long = Compare(0, True, True, 9 * DAY, 1, "elapsed >= 9 days", SPAN)
    said = (ago(90, stated("predicate", "it", by="ann", role="board")), ago(10, stated("predicate", "it")))
    return Counter(asking(Elapsed("it", "auditor"), long), asking(Elapsed("it", "auditor"), short), said)


def a_developer_described_in_another_role() -> Counter:
    scope = Compare(1, True, False, 5 * 10**8, 1, "revenue > 5e8 USD", SPAN)
    stop = Commitment("c", ("everything",), covered("everything"), ALWAYS, NEVER, True, SPAN)
    many, few = (
        plain_kernel(scope=scope, terms=(Measure("cap", "when"), Revenue()), commitments=(stop,), roles=roles)
        for roles in (ROLES, {"regulator": ROLES["regulator"]})
    )
    return Counter(many, few, (ago(9, DeveloperDescribed(0, 10**6, (), (), NOW + DAY, "metra", "auditor")),))


# ---------------------------------------------------------------- duties, exceptions, orders


def _duty(within: int | None, every: int | None, start: str = "auditor") -> Duties:
    starts = (EventName("incident", start),) if within else ()
    met = EventName("told", "auditor")
    duty = Obligation("tell", "tell", within, every, starts, met, "must", (), Provenance(), SPAN)
    return Duties(obligations={"tell": duty})


def a_period_of_another_phase() -> Counter:
    late = Compare(0, True, True, 1, 1, "overdue", SPAN)
    begin = NOW - 450 * DAY
    short, long = (
        asking(Overdue("tell"), Not(late, SPAN), duties=_duty(None, every * DAY), effective=begin)
        for every in (180, 200)
    )
    return Counter(short, long, (ago(251, stated("predicate", "told")),))


def a_deadline_at_its_last_second() -> Counter:
    late = Compare(0, True, True, 1, 1, "overdue", SPAN)
    punctual = asking(Overdue("tell"), Not(late, SPAN), duties=_duty(3 * DAY, None))
    past = asking(Elapsed("incident", "auditor"), Compare(0, True, False, 3 * DAY, 1, "elapsed > 3 days", SPAN))
    return Counter(punctual, past, (ago(3, stated("predicate", "incident")),))


def a_start_that_was_not_for_them_to_state() -> Counter:
    late = Compare(0, True, True, 1, 1, "overdue", SPAN)
    mine, theirs = (
        asking(Overdue("tell"), late, duties=_duty(3 * DAY, None, start)) for start in ("auditor", "regulator")
    )
    return Counter(mine, theirs, (ago(9, stated("predicate", "incident")),))


def a_longer_use_is_used_up_sooner() -> Counter:
    def kernel(each: int) -> Kernel:
        stop = Commitment("c", ("everything",), covered("everything"), ALWAYS, NEVER, True, SPAN)
        escape = Exception_("e", "c", ALWAYS, ALWAYS, (), each * DAY, 60 * DAY, 365 * DAY, SPAN)
        return plain_kernel(commitments=(stop,), exceptions=(escape,))

    used = tuple(ago(days, ExceptionInvoked("plain", "e", LAB, "developer")) for days in (100, 25))
    return Counter(kernel(30), kernel(40), used)


def a_stop_order_that_one_rule_lifts() -> Counter:
    anybody, office = (
        plain_kernel(roles={**ROLES, "regulator": Role("regulator", members=members)}) for members in ((), ("office",))
    )
    events = (
        ago(9, StopOrdered("halt", (), "", "office", "regulator")),
        ago(8, StopLifted("halt", "agency", "regulator")),
    )
    return Counter(anybody, office, events)


def an_order_on_new_scale() -> Counter:
    known, new = (plain_kernel(existing_scale=scale) for scale in (10**26, 0))
    order = ago(9, StopOrdered("halt", (NEW_SCALE,), "", "office", "regulator"))
    return Counter(known, new, (order,), Request(TRAIN, "m0", 2 * 10**25))


def a_cap_below_the_scope() -> Counter:
    def kernel(parts: int) -> Kernel:
        scope = Compare(1, True, False, 10**26, 1, "compute > 1e26", SPAN)
        stop = Commitment("c", (MITIGATION,), frozenset({MITIGATION}), ALWAYS, NEVER, True, SPAN)
        return plain_kernel(
            scope=scope,
            terms=(Measure("cap", "when"), Compute()),
            commitments=(stop,),
            mitigation_cap=Fraction(1, parts),
        )

    return Counter(kernel(20), kernel(100), (), Request(MITIGATION, "m0", 103 * 10**23))


def a_role_that_a_regime_mandates() -> Counter:
    lab = cap()
    regime = replace(
        lab, id="act", kind="regime", duties=Duties(mandates=(MandatedRole("inspector", ("developer",), 1, SPAN),))
    )
    return Counter(lab, regime, beside=())


COUNTERS: tuple[Callable[[], Counter], ...] = (
    another_lineage,
    a_wider_allowance,
    an_error_of_a_wrong_stop,
    a_run_that_may_be_waited_for_longer,
    a_measurement_that_nobody_is_named_for,
    a_bound_beyond_which_no_rate_lies,
    a_scaffold_that_is_not_admitted,
    a_quorum_that_bears_a_denial,
    an_age_that_another_rule_met,
    a_safeguard_that_failed_and_was_not_denied,
    time_since_anybody_said_it,
    a_developer_described_in_another_role,
    a_period_of_another_phase,
    a_deadline_at_its_last_second,
    a_start_that_was_not_for_them_to_state,
    a_longer_use_is_used_up_sooner,
    a_stop_order_that_one_rule_lifts,
    an_order_on_new_scale,
    a_cap_below_the_scope,
    a_role_that_a_regime_mandates,
)


# ---------------------------------------------------------------- what is assumed


def _runs(*given: tuple[str, int, int, tuple[str, ...]]) -> tuple[Timed, ...]:
    """Return runs, one a day: how each is elicited, its counts, and its flaws."""
    events: list[Timed] = []
    for place, (way, good, bad, flaws) in enumerate(given):
        day, name = 20 - place, f"r{place}"
        plan = registered(name, "cap", "m0", good + bad, elicitation=way, report_by=NOW - (day - 1) * DAY)
        events += [ago(day, plan), ago(day - 1, reported(name, good, bad, provenance=flaws), -1)]
    return tuple(events)


def the_division_of_an_error() -> Counter:
    more, fewer = (cap(elicited_by=ways) for ways in (("prompting", "fine-tuning"), ("prompting",)))
    return Counter(
        more, fewer, _runs(("prompting", 11, 19, ()), ("prompting", 0, 4000, ()), ("fine-tuning", 0, 900, ()))
    )


def a_result_that_one_side_refuses() -> Counter:
    refuses, accepts = (cap(refuse_provenance=words) for words in (("dirty revision",), ()))
    dirty, picked = ("dirty revision",), ("scorer not registered",)
    return Counter(refuses, accepts, _runs(("", 0, 900, ()), ("", 340, 560, dirty), ("", 0, 9000, picked)))


def somebody_whom_one_side_hears() -> Counter:
    events = (
        ago(9, registered("r", "cap", "m0", 500, by="mallory", role="developer", report_by=NOW - DAY)),
        ago(8, reported("r", 130, 370, by="mallory", role="developer")),
    )
    return Counter(cap(), cap(by=None), (*_runs(("", 0, 100, ())), *events))


def the_day_on_which_periods_begin() -> Counter:
    late = Compare(0, True, True, 1, 1, "overdue", SPAN)
    new, old = (
        asking(Overdue("tell"), Not(late, SPAN), duties=_duty(None, 90 * DAY), effective=NOW - days * DAY)
        for days in (10, 100)
    )
    return Counter(new, old)


ASSUMPTIONS: tuple[tuple[int, Callable[[], Counter]], ...] = (
    (3, the_division_of_an_error),
    (2, a_result_that_one_side_refuses),
    (2, somebody_whom_one_side_hears),
    (1, the_day_on_which_periods_begin),
)
