"""The decision: every policy that binds, joined so that the strictest wins. Every error path ends in a hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scalegate.core.actions import ACTIONS, MITIGATION, NEW_SCALE, TRAIN, UNHOLDABLE, covered
from scalegate.core.decision import (
    Decision,
    ExceptionNote,
    Limits,
    Node,
    PolicyRef,
    Reason,
    Remedy,
    Request,
)
from scalegate.core.diagnostic import Span
from scalegate.core.events import History
from scalegate.core.evidence import ReasonKind
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import DAY, UNBOUNDED, QuantityError, show_flop, show_instant
from scalegate.core.subject import WEIGHT_EDGES, Subject
from scalegate.gate.apply import Application, apply_policy, countersignatures
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.explain import of_developers, reasons, tree
from scalegate.gate.force import Force
from scalegate.gate.lineage import Lineage
from scalegate.gate.mandates import missing_roles
from scalegate.gate.obligations import in_words, obligation_states
from scalegate.gate.records import Records
from scalegate.gate.remedies import remedies, would_not_release
from scalegate.gate.voices import may_speak
from scalegate.gate.vouched import assumptions

# A permit is a lease: it ends after this time even when nothing it rests on ends earlier.
LEASE = 30 * DAY

NOT_CHECKED = (
    "whether the thresholds are the right ones",
    "runs outside the register: no log can exclude a dry run that was never registered",
    "whether the files in use are those whose digest the subject declares",
    "whether the items and the model of a log are those of the pinned test and of the subject",
    "whether the runs of one stream used different items: repeated items count as independent ones",
)


@dataclass(slots=True)
class _Case:
    """A decision in the making."""

    request: Request
    now: int
    head: str
    counterfactual: bool
    applications: list[Application] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    policies: list[PolicyRef] = field(default_factory=list)
    assumptions: tuple[str, ...] = ()
    untrusted: bool = False

    def hold(
        self,
        kind: ReasonKind,
        message: str,
        policy: str = "",
        evidence: tuple[str, ...] = (),
        span: Span | None = None,
    ) -> None:
        """Add a reason that belongs to no commitment."""
        self.reasons.append(Reason(policy, "", kind, message, span, evidence))


def decide(
    history: History, request: Request, now: int, extra: Sequence[Kernel] = (), *, counterfactual: bool = False
) -> Decision:
    """Answer whether an action may go on.

    Args:
        history: every entry of the store, with its fault if it is not complete.
        request: what is asked.
        now: seconds since 1970; entries made later are not known yet.
        extra: policies that bind besides those in the history; they can only tighten.
        counterfactual: label the answer as one about a past or imagined time.

    Returns:
        A permit, or a hold with its reasons. Never raises: an internal failure is a hold of kind `error`.
    """
    try:
        chronicle = Chronicle(history.terms, history.fault)
        for entry in history.entries:
            chronicle.add(entry)
        return _decide(chronicle, request, now, extra, counterfactual=counterfactual)
    except Exception as error:  # noqa: BLE001 - fail closed: whatever goes wrong in the gate is a hold
        return _failed(request, now, error, counterfactual=counterfactual)


def decide_next(chronicle: Chronicle, request: Request, now: int, extra: Sequence[Kernel] = ()) -> Decision:
    """Answer as `decide` does, from a history that is read entry by entry: for whoever checks many answers in order.

    Every entry of the chronicle has to be known at `now`.
    """
    try:
        return _decide(chronicle, request, now, extra, counterfactual=False)
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(request, now, error, counterfactual=False)


def _decide(
    chronicle: Chronicle, request: Request, now: int, extra: Sequence[Kernel], *, counterfactual: bool
) -> Decision:
    taken = assumptions(chronicle.terms, signed=chronicle.terms is not None)
    case = _Case(request, now, chronicle.head, counterfactual, assumptions=taken)
    _fill(case, chronicle, extra)
    return _close(case)


def _failed(request: Request, now: int, error: Exception, *, counterfactual: bool) -> Decision:
    """Return the hold of an internal failure; it reads nothing that could fail again."""
    words = f"the gate failed internally ({type(error).__name__}: {error}); an error is a hold"
    return Decision(
        as_of=now,
        answer="hold",
        request=request,
        policies=(),
        reasons=(Reason("", "", "error", words, None),),
        remedies=(Remedy((f"repair first: {words}",)),),
        would_not_release=(),
        not_checked=NOT_CHECKED,
        assumptions=assumptions(None, signed=False),
        exceptions=(),
        limits=None,
        tree=Node(words, "unknown", "error"),
        head="",
        counterfactual=counterfactual,
    )


def _fill(case: _Case, chronicle: Chronicle, extra: Sequence[Kernel]) -> None:
    """Collect everything that speaks against the request."""
    if chronicle.fault:
        case.untrusted = True
        case.hold("untrusted", f"the history cannot be trusted: {chronicle.fault}")
        return
    if not _known_action(case):
        return
    records, force = chronicle.at(case.now)
    stale = records.sight.stale(chronicle.terms, case.now)
    if stale:
        case.hold("stale", stale)
        case.needed.append("enough witnesses cosign the log as it is now: `scalegate ledger witness`")
    case.notes += force.notes
    for fault in force.faults:
        case.hold("error", fault)
    for _, stray in records.unregistered:
        case.notes.append(f"a result for run {stray.run} counts for nothing: the run was never registered")
    subject = records.subjects.get(case.request.subject)
    if subject is None:
        case.hold("missing", f"subject {case.request.subject} is not declared")
        return
    kernels = [*force.kernels, *extra]
    case.policies = [PolicyRef(kernel.id, kernel.version, kernel.digest) for kernel in kernels]
    if not force.kernels and not (extra and case.counterfactual):
        # What is only brought along tightens what was promised; by itself it promises nothing, but to imagine it.
        case.hold("error", "no policy is in force: where nothing is promised, everything is held")
        return
    lineage = Lineage(records.subjects, records.mitigated())
    case.ends += force.ends
    if not _sized(case, lineage, subject):
        return
    case.applications = [apply_policy(records, lineage, case.request, kernel) for kernel in kernels]
    for application in case.applications:
        _policy(case, records, application)
    _duties(case, records, brought=len(extra))
    if case.request.action == MITIGATION:
        _mitigation(case, records, lineage, subject, kernels)
    _stop_orders(case, records, lineage, force, extra)


def _known_action(case: _Case) -> bool:
    """Check that the gate knows the action, and may hold it."""
    action, to = case.request.action, case.request.to
    if to is not None and not 0 <= to <= UNBOUNDED:
        msg = "effective compute must be whole FLOP, not negative and not beyond every computation"
        raise QuantityError(msg)
    if action not in ACTIONS:
        case.hold("error", f"`{action}` is no action that this gate knows; an unknown action is held")
        return False
    if action in UNHOLDABLE:
        case.notes.append(f"{action} in quarantine can never be held: a hold must not forbid its own release")
        return False
    return True


def _sized(case: _Case, lineage: Lineage, subject: Subject) -> bool:
    """Check that a training request says how far, and that it leads onward."""
    action, to = case.request.action, case.request.to
    training = action in (TRAIN, NEW_SCALE, MITIGATION)
    if training and subject.kind != "model":
        case.hold("error", f"{subject.name} is a system; training starts from a model")
        return False
    if training and to is None:
        case.hold("error", f"`{action}` needs the effective compute it would reach")
        return False
    if not training and to is not None:
        case.hold("error", f"`{action}` makes no new model and takes no effective compute")
        return False
    spent = lineage.spent(subject)
    if to is not None and to < spent:
        reached = show_flop(spent)
        case.hold("error", f"{subject.name} already embodies {reached} FLOP, more than the {show_flop(to)} asked for")
        return False
    return True


def _policy(case: _Case, records: Records, application: Application) -> None:
    """Add what one policy says."""
    kernel = application.kernel
    if not application.binds:
        case.ends.append(application.until)
        return
    if kernel.kind == "reference":
        case.hold("error", f"{kernel.id} is an encoding for reference, and never permits anything", kernel.id)
    case.reasons += reasons(application)
    case.ends.append(application.until)
    for bar in countersignatures(records, application):
        if bar.until <= records.now:
            what = f"{bar.role} countersigns {case.request.action} of {case.request.subject}"
            if case.request.to is not None:
                what += f" up to {show_flop(case.request.to)} FLOP"
            words = f"permits of {kernel.id} need a countersignature: {what}"
            case.hold("not_attested", words, kernel.id, bar.evidence)
            case.needed.append(what)
        case.ends.append(bar.until)


def _duties(case: _Case, records: Records, *, brought: int) -> None:
    """Hold where a regime that binds mandates a role that a policy beside it lacks, and note what is overdue."""
    binding = [application.kernel for application in case.applications if application.binds]
    # A policy that is only brought along may lack a role, and makes up for no policy in force, unless none is.
    adopted = case.applications[: len(case.applications) - brought]
    in_force = [application.kernel for application in adopted if application.binds]
    own = not adopted or any(kernel.kind == "policy" for kernel in in_force)
    beside = binding if own else in_force
    for kernel in binding:
        for lack in missing_roles(kernel, beside):
            case.hold("missing", lack.message, lack.regime, span=lack.span)
            case.needed.append(lack.remedy)
        for state in obligation_states(records, kernel):
            if state.state == "overdue":
                case.notes.append(f"obligation {state.obligation.id} of {kernel.id} is {in_words(state)}")


def _mitigation(case: _Case, records: Records, lineage: Lineage, subject: Subject, kernels: Sequence[Kernel]) -> None:
    """Hold mitigation training beyond its cap, counted from the first model of the lineage that was mitigated."""
    permitted = {name for name, made in records.permits.items() if any(action == MITIGATION for _, action in made)}
    started = (lineage.ancestors(subject, WEIGHT_EDGES) & permitted & set(records.subjects)) | {subject.name}
    base = min(lineage.compute(records.subjects[name]).low for name in started)
    cap = min(kernel.mitigation_cap for kernel in kernels)
    limit = base + base * cap.numerator // cap.denominator
    if (case.request.to or 0) > limit:
        words = f"mitigation training is capped at {show_flop(limit)} FLOP of effective compute"
        case.hold("never", words)
        case.needed.append(f"ask for at most {show_flop(limit)} FLOP")
    case.notes.append("the product of mitigation training carries every crossing and is held until it is evaluated")


def _stop_orders(case: _Case, records: Records, lineage: Lineage, force: Force, extra: Sequence[Kernel]) -> None:
    """Hold under every stop order by a role that a policy ever named; only that role lifts it.

    An order on a model stops the systems around it and everything made from it.

    Who may speak for the role is for the policies to say that named it when the order was given, all of them: a policy
    adopted later cannot hand the role to somebody else.
    """
    concerned = lineage.model_names(records.subjects[case.request.subject])
    actions = frozenset({case.request.action}).union(*(item.actions for item in case.applications))
    named = [*force.every, *((-1, kernel) for kernel in extra)]
    for entry, order in records.stops:
        namers = [(place, kernel) for place, kernel in named if order.role in kernel.stop_orders_by]
        if not namers:
            case.notes.append(f"stop order {order.order} by {order.role} has no effect: no policy names that role")
            continue
        if order.subject and order.subject not in concerned:
            continue
        # An action that nobody knows is read as every action: a slip of the pen must not unsay an order.
        ordered = [covered(action) for action in order.actions]
        if ordered and all(ordered) and not any(actions & one for one in ordered):
            continue
        adopted = [(place, kernel) for place, kernel in namers if place >= 0]
        earlier = [kernel for place, kernel in adopted if place < entry.index] or [kernel for _, kernel in adopted]
        judges = [*earlier, *(kernel for place, kernel in namers if place < 0)]
        lifted = any(
            lift.order == order.order
            and lift.role == order.role
            and later.index > entry.index
            and all(may_speak(records, kernel, order.role, lift.by) for kernel in judges)
            for later, lift in records.lifts
        )
        if not lifted:
            message = f"stop order {order.order} by {order.by} ({order.role}) since {show_instant(entry.at)}"
            case.hold("never", f"{message}; only {order.role} lifts it", judges[0].id, (entry.digest,))
            case.needed.append(f"{order.role} lifts stop order {order.order}")


# ---------------------------------------------------------------- closing


def _close(case: _Case) -> Decision:
    """Return the decision of a case."""
    held = bool(case.reasons)
    limits = None if held else Limits(case.request.to, min([case.now + LEASE, *case.ends]))
    if limits is not None and limits.expires <= case.now:
        case.hold("stale", "what the permit would rest on ends now")
        held, limits = True, None
    applied = case.applications
    return Decision(
        as_of=case.now,
        answer="hold" if held else "permit",
        request=case.request,
        policies=tuple(case.policies),
        reasons=tuple(case.reasons),
        remedies=_remedies(case) if held else (),
        would_not_release=tuple(would_not_release(applied)) if held else (),
        not_checked=(*NOT_CHECKED, *_not_asked(applied)),
        assumptions=case.assumptions,
        exceptions=tuple(_exceptions(applied)),
        limits=limits,
        tree=_tree(case, held=held),
        head=case.head,
        untrusted=case.untrusted,
        counterfactual=case.counterfactual,
        notes=tuple(case.notes),
    )


def _remedies(case: _Case) -> tuple[Remedy, ...]:
    if case.untrusted or any(reason.kind == "error" for reason in case.reasons):
        steps = tuple(reason.message for reason in case.reasons if reason.kind in ("error", "untrusted"))
        return (Remedy(tuple(f"repair first: {step}" for step in steps)),)
    found = remedies(case.applications, case.needed)
    return found or (Remedy(("nobody knows what would release this; possibly nothing",), attainable=False),)


def _not_asked(applications: Sequence[Application]) -> Iterator[str]:
    """Yield what the policies did not ask of the evaluations that bear on the request."""
    for application in applications:
        if not application.binds:
            of_both = of_developers(application.kernel)
            scope = (
                "its product, or the developer, lies outside the scope"
                if of_both
                else "its product lies below the scope"
            )
            yield f"anything in {application.kernel.id}: {scope}"
            continue
        for evaluation in application.kernel.evaluations.values():
            if evaluation.kind == "capability" and evaluation.hole is None and not evaluation.hidden_capability:
                yield f"whether a capability is hidden from {evaluation.id}: the policy asks for no spike-in"


def _exceptions(applications: Sequence[Application]) -> Iterator[ExceptionNote]:
    """Yield every exception of every policy, the used ones first."""
    notes = []
    for application in applications:
        used = {escape.exception.id: escape.until for escape in application.escapes}
        for item in application.kernel.exceptions:
            until = used.get(item.id)
            words = (
                f"used: it stands in for {item.instead_of} until {show_instant(until)}"
                if until is not None
                else f"exists, unused: it could stand in for {item.instead_of}"
            )
            kernel = application.kernel.id
            notes.append(ExceptionNote(kernel, item.id, item.instead_of, until is not None, words, item.span))
    yield from sorted(notes, key=lambda note: not note.used)


def _tree(case: _Case, *, held: bool) -> Node:
    request = case.request
    words = f"{request.action} of {request.subject}"
    if request.to is not None:
        words += f" up to {show_flop(request.to)} FLOP of effective compute"
    loose = tuple(
        Node(reason.message, "unknown", reason.kind, reason.policy_span, reason.evidence)
        for reason in case.reasons
        if not reason.commitment
    )
    policies = tuple(tree(application) for application in case.applications)
    answer = "held" if held else "permitted"
    return Node(f"{words} is {answer}", "refuted" if held else "proven", "", None, (), "", (*loose, *policies))
