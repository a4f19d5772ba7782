"""The kernel of a policy, as text for people who check it and as plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import get_args

from scalegate.core.canonical import Plain
from scalegate.core.kernel import (
    All,
    AnyOf,
    AtLeast,
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
    Validity,
)
from scalegate.core.quantities import (
    show_duration,
    show_flop,
    show_instant,
    show_number,
    show_rate,
)
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
from scalegate.policy.phrases import plain
from scalegate.policy.show_duties import duty_lines

# Beyond it JSON readers of other languages round integers: larger ones are written as text.
_EXACT_IN_JSON = 1 << 53


def expanded(kernel: Kernel) -> str:
    """Return the kernel as text: one line per term, condition and declaration, nothing left out."""
    binds = "every developer" if kernel.binds_every_developer else plain(kernel.issuer)
    lines = [
        f"{kernel.kind} {plain(kernel.id)} version {plain(kernel.version)} {kernel.digest}",
        f"issuer {plain(kernel.issuer)}; effective {show_instant(kernel.effective)}; binds {binds}",
        f"scope  {condition_text(kernel, kernel.scope)}",
        "",
        "terms",
        *(f"  t{index}  {term_text(term)}" for index, term in enumerate(kernel.terms)),
    ]
    for item in kernel.commitments:
        stop = "  (declared stop)" if item.declared_stop else ""
        lines += [
            "",
            f"commitment {plain(item.id)}  {item.span}{stop}",
            f"  hold   {', '.join(item.hold)} = {' '.join(sorted(item.actions)) or 'nothing'}",
            f"  when   {condition_text(kernel, item.when)}",
            f"  until  {condition_text(kernel, item.until)}",
            *_how(item),
        ]
    for exception in kernel.exceptions:
        lines += ["", *_exception_lines(kernel, exception)]
    for heading, entries in (*_declarations(kernel), *duty_lines(kernel)):
        if entries:
            lines += ["", heading, *(f"  {entry}" for entry in entries)]
    return "\n".join(lines) + "\n"


def _how(item: Commitment) -> Iterator[str]:
    """Say how a commitment binds and what it is about, where that is not as always."""
    if item.modality != "must":
        yield f"  binds  {item.modality}"
    if item.unsettled != "hold":
        yield f"  unknown {item.unsettled}"
    if item.about:
        yield f"  about  {', '.join(map(plain, item.about))}"


def condition_text(kernel: Kernel, condition: Condition) -> str:
    """Return a condition in one canonical line, with all of its parentheses and exact numbers."""
    match condition:
        case Compare(term=index, above=above, edge=edge, num=num, den=den):
            sign = {
                (True, True): ">=",
                (True, False): ">",
                (False, True): "<",
                (False, False): "<=",
            }
            term = kernel.terms[index]
            value = Fraction(num, den)
            constant = show_rate(value) if isinstance(term, Measure) else show_number(value)
            if isinstance(term, Clock) and value.denominator == 1:
                constant = show_instant(value.numerator)
            return f"t{index}:{_short(term)} {sign[above, edge]} {constant}"
        case Constant(proven=proven):
            return "always" if proven else "never"
        case Not(part=part):
            return f"not ({condition_text(kernel, part)})"
        case All(parts=parts):
            return _row(kernel, parts, " and ", "always")
        case AnyOf(parts=parts):
            return _row(kernel, parts, " or ", "never")
        case AtLeast(count=count, parts=parts):
            inner = ", ".join(condition_text(kernel, part) for part in parts)
            return f"at least {count} of ({inner})"


def _row(kernel: Kernel, parts: tuple[Condition, ...], word: str, empty: str) -> str:
    inner = [f"({condition_text(kernel, part)})" for part in parts]
    return word.join(inner) or empty


def term_text(term: Term) -> str:
    """Return a term with everything that tells it from other terms."""
    match term:
        case Measure(evaluation=evaluation, position=position, every_scaffold=every):
            under = ", under every scaffold" if every else ""
            return f"measure {plain(evaluation)} in {position}{under}"
        case Shown(safeguard=safeguard):
            return f"shown {plain(safeguard)}"
        case Attested(predicate=predicate, role=role, expires=expires):
            age = "" if expires is None else f", expires {show_duration(expires)}"
            return f"attested {plain(predicate)} by {plain(role)}{age}"
        case Approved(matter=matter, role=role):
            return f"approved {plain(matter)} by {plain(role)}"
        case Published(matter=matter):
            return f"published {plain(matter)}"
        case Hole(name=name):
            return f"hole {plain(name)}"
        case _:
            return _other_text(term)


def _other_text(term: Operates | Overdue | Specified | Elapsed | Compute | Clock | Revenue) -> str:
    match term:
        case Operates(place=place):
            return f"operates in {plain(place)}"
        case Overdue(obligation=obligation):
            return f"overdue {plain(obligation)}"
        case Specified(hole=name):
            return f"specified {plain(name)}"
        case Elapsed(predicate=predicate, role=role):
            return f"seconds since {plain(predicate)} by {plain(role)}"
        case Compute():
            return "effective compute"
        case Clock():
            return "clock"
        case Revenue():
            return "revenue in USD"


def _short(term: Term) -> str:
    match term:
        case Measure(evaluation=name) | Shown(safeguard=name) | Hole(name=name):
            return plain(name)
        case Attested(predicate=name) | Approved(matter=name) | Published(matter=name):
            return plain(name)
        case Compute():
            return "compute"
        case Clock():
            return "clock"
        case Revenue():
            return "revenue"
        case Operates(place=name) | Overdue(obligation=name) | Specified(hole=name) | Elapsed(predicate=name):
            return plain(name)


# ---------------------------------------------------------------- declarations


def _exception_lines(kernel: Kernel, item: Exception_) -> Iterator[str]:
    yield f"exception {plain(item.id)} instead of {plain(item.instead_of)}  {item.span}"
    yield f"  when   {condition_text(kernel, item.when)}"
    yield f"  until  {condition_text(kernel, item.until)}"
    needs = "; ".join(condition_text(kernel, need) for need in item.needs)
    yield f"  needs  {needs or 'nothing'}"
    yield (f"  sunset each {show_duration(item.each)}, {show_duration(item.total)} in any {show_duration(item.window)}")


def _declarations(kernel: Kernel) -> Iterator[tuple[str, list[str]]]:
    yield "holes", [_hole(item) for item in kernel.holes.values()]
    yield "roles", [_role(item) for item in kernel.roles.values()]
    yield (
        "capabilities",
        [f"{plain(name)} <- {plain(test)}" for name, test in kernel.capabilities.items()],
    )
    yield "evaluations", [_evaluation(item) for item in kernel.evaluations.values()]
    yield "safeguards", [_safeguard(item) for item in kernel.safeguards.values()]
    yield "contexts", [_context(item) for item in kernel.contexts.values()]
    rule = kernel.amendments
    approvers = ", ".join(rule.approved_by) or "nobody named"
    yield (
        "rules",
        [
            f"stop orders by {', '.join(kernel.stop_orders_by) or 'nobody'}",
            f"countersigned by {', '.join(kernel.countersigned_by) or 'nobody'}",
            f"amendments approved by {approvers}, notice {show_duration(rule.notice)}",
            "weakening forbidden while holding",
            f"elicitation allowance {show_rate(kernel.elicitation_allowance)}",
            f"mitigation at most {show_rate(kernel.mitigation_cap)}",
            f"teachers {'count' if kernel.teachers_count else 'do not count'}",
            f"existing scale {show_flop(kernel.existing_scale)} FLOP",
            "never held: evaluate, elicit, study",
        ],
    )


def _hole(item: HoleSpec) -> str:
    review = "no review" if item.review_by is None else f"review by {show_instant(item.review_by)}"
    fillers = ", ".join(item.filled_only_by) or "nobody"
    return (
        f"{plain(item.name)}: {plain(item.words)}; owner {plain(item.owner or 'nobody')}; "
        f"filled only by {fillers}; {review}"
    )


def _role(item: Role) -> str:
    size = f"{item.quorum} of {item.of if item.of is not None else 'any'}"
    members = f"; members {', '.join(item.members)}" if item.members else ""
    apart = f"; independent of {', '.join(item.independent_of)}" if item.independent_of else ""
    return f"{plain(item.name)}: quorum {size}{members}{apart}"


def _evaluation(item: Evaluation) -> str:
    parts = [f"{plain(item.id)}: {item.kind}"]
    rule = "mean" if item.score.mean else item.score.least
    about = f"bank of {item.bank} items" if item.estimand == "bank" else item.estimand
    if item.hole is not None:
        parts.append(f"hole {plain(item.hole)}")
    parts += [f"concept {plain(item.concept)}"] if item.concept else []
    parts += [
        f"test {plain(item.test) or 'none'}",
        f"digest {item.digest or 'none (a hole)'}",
        f"score {plain(item.score.text) or 'none'} ({rule} of {item.score.tries})",
        f"estimand {about}",
        *([f"clustered by {plain(item.clustered_by)}"] if item.clustered_by else []),
        f"by {item.by or 'nobody'}",
        f"wrongly cleared {item.wrongly_cleared}",
        f"wrongly stopped {item.wrongly_stopped}",
        _validity(item.validity),
    ]
    if item.elicited_by:
        parts.append(f"elicited by {', '.join(item.elicited_by)}")
    parts += [f"hidden capability {_count(count)}" for count in item.hidden_capability]
    parts += [f"shown to work by {_count(count)}" for count in item.shown_to_work]
    for belief in item.beliefs:
        age = "" if belief.expires is None else f", expires {show_duration(belief.expires)}"
        who = belief.role or "nobody (a hole)"
        parts.append(f"believable only if {plain(belief.claim)}, attested by {who}{age}")
    parts += ["accepts aggregates"] if item.accept_aggregate else []
    parts += ["accepts edited scores"] if item.accept_edited else []
    parts += ["accepts earlier runs"] if item.accept_earlier else []
    if item.refuse_provenance:
        parts.append(f"refuses {', '.join(map(plain, item.refuse_provenance))}")
    parts += ["reaches the issuer"] if item.reach_issuer else []
    return "; ".join(parts)


def _validity(item: Validity) -> str:
    def limit(compute: Fraction | None, time: int | None) -> str:
        size = "any compute" if compute is None else f"{show_number(compute)}x"
        return f"{size}, {'any time' if time is None else show_duration(time)}"

    subject = "exact subject only" if item.exact else "descendants too"
    training = "training" if item.training else "never training"
    due = limit(item.due_compute, item.due_time)
    return f"valid {subject}, {training}, due {due}, stop {limit(item.stop_compute, item.stop_time)}"


def _count(item: Count) -> str:
    wanted = f"{item.least} of {item.trials}" if item.rate is None else show_rate(item.rate)
    return f"{plain(item.name)} {wanted}"


def _safeguard(item: Safeguard) -> str:
    parts = [f"{plain(item.id)}: stops {plain(item.stops) or 'nothing named'}"]
    parts += [f"hole {plain(item.hole)}"] if item.hole is not None else []
    parts += [f"concept {plain(item.concept)}"] if item.concept else []
    parts += [f"means {item.means or 'none'}", f"because {item.because or 'none'}"]
    parts += [f"fails if more than {_count(count)}" for count in item.fails_if]
    parts.append(f"by {item.by or 'nobody'}")
    age = "its exact means" if item.valid_time is None else show_duration(item.valid_time)
    return "; ".join([*parts, f"valid for {age}"])


def _context(item: Context) -> str:
    tools = "any scaffold" if item.scaffolds is None else ", ".join(item.scaffolds) or "no scaffold"
    verb = "ends" if item.withdraws else "does not end"
    return f"{plain(item.name)}: {item.action}; {tools}; a hold {verb} a running service"


# ---------------------------------------------------------------- plain data


def kernel_plain(kernel: Kernel) -> dict[str, Plain]:
    """Return the kernel as data that JSON can hold: every field, under its own name.

    Values of a union (terms, conditions) carry their type under `is`; rationals are text such as `1/1000`; integers
    that JSON readers would round are text; sets are sorted lists.

    Raises:
        TypeError: if a field holds what has no such form, which no kernel of the policy language does.
    """
    return _record(kernel)


_UNIONS = (*get_args(Term), *get_args(Condition))


def _record(value: object) -> dict[str, Plain]:
    if not is_dataclass(value) or isinstance(value, type):
        msg = f"a {type(value).__name__} is no record"
        raise TypeError(msg)
    record: dict[str, Plain] = {}
    if isinstance(value, _UNIONS):
        record["is"] = type(value).__name__
    if isinstance(value, Compare):
        record["value"] = str(Fraction(value.num, value.den))
    for field in fields(value):
        if isinstance(value, Compare) and field.name in {"num", "den"}:
            continue
        record[field.name] = _plain(getattr(value, field.name))
    return record


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_IN_JSON else str(value)
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return [_plain(inner) for inner in sorted(value)]
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return _record(value)
