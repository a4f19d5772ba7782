"""A decision in words: the answer, and in `why` the whole argument, in three registers.

Every register has the same facts; none leaves out a hole or an exception.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from scalegate.app.ask import Answer
from scalegate.cli.output import bold
from scalegate.cli.text import safe, wrap
from scalegate.core.decision import Decision, ExceptionNote, Node, Reason
from scalegate.core.diagnostic import Span
from scalegate.core.quantities import show_flop, show_instant
from scalegate.gate.record import flop, moment

Audience = Literal["engineer", "auditor", "public"]

_TRUTHS = {"proven": "shown", "refuted": "refuted", "unknown": "unknown"}
# Ends of claims that say themselves how they came out.
_SAID = (" held", " permitted", " holds", " permits", " refuted", " shown", " scope")


def question(decision: Decision) -> str:
    """Return what was asked, such as `train orion to 4e25 FLOP`."""
    request = decision.request
    words = f"{request.action} {request.subject}"
    if request.to is not None:
        words += f" to {show_flop(request.to)} FLOP"
    if request.context:
        words += f" in context {request.context}"
    return words


def verdict(answer: Answer) -> str:
    """Return the answer as a word that cannot be taken for a permit when it is none."""
    word = "PERMIT" if answer.decision.answer == "permit" else "HOLD"
    return word if answer.live or word == "HOLD" else "WOULD PERMIT (this is no permit)"


def label(answer: Answer) -> str:
    """Return number and time of an answer, and what kind of answer it is."""
    when = show_instant(answer.decision.as_of)
    if answer.decision.counterfactual:
        return f"hypothetical, as of {when}, not recorded"
    return f"answer {answer.number}, {when}" if answer.number else f"not recorded, {when}"


def human(answer: Answer) -> Iterator[str]:
    """Yield an answer for a person at a terminal."""
    decision = answer.decision
    head = safe(f"{question(decision)}    {label(answer)}")
    yield f"{bold(verdict(answer))}    {head}"
    for note in decision.exceptions:
        if note.used:
            yield wrap(_exception(note), "  ! an exception is used: ", "    ")
    yield ""
    for place, (reason, where) in enumerate(_grouped(decision), start=1):
        lead = f"  {place:<3} {reason.kind:<13} "
        yield wrap(reason.message, lead, " " * len(lead))
        for line in where:
            yield wrap(line, " " * len(lead), " " * len(lead))
    if decision.answer == "permit":
        yield from (f"  {line}" for line in bounds(decision))
    for note in decision.exceptions:
        if not note.used:
            yield wrap(_exception(note), "  exception unused: ", "    ")
    for text in decision.notes:
        yield wrap(text, "  note: ", "    ")
    yield ""
    for text in decision.assumptions:
        yield wrap(text, "  on their word: ", "    ")


def plain(answer: Answer) -> Iterator[str]:
    """Yield an answer as one line per fact."""
    decision = answer.decision
    yield f"answer: {verdict(answer)}"
    yield f"question: {safe(question(decision))}"
    yield f"record: {label(answer)}"
    for reason in decision.reasons:
        where = _where(reason)
        tail = f"; {where}" if where else ""
        yield safe(f"reason: {reason.kind}: {reason.message}{tail}")
    if decision.answer == "permit":
        for line in bounds(decision):
            yield f"bound: {line}"
    for note in decision.exceptions:
        yield safe(f"exception {'used' if note.used else 'unused'}: {_exception(note)}")
    for policy in decision.policies:
        yield safe(f"policy: {policy.id} {policy.version} {policy.digest}")
    for text in decision.notes:
        yield safe(f"note: {text}")
    for text in decision.assumptions:
        yield safe(f"assumption: {text}")


def bounds(decision: Decision) -> Iterator[str]:
    """Yield what bounds a permit."""
    limits = decision.limits
    if limits is None:
        return
    if limits.effective_compute is not None:
        yield f"up to {show_flop(limits.effective_compute)} FLOP of effective compute"
    yield f"until {show_instant(limits.expires)}"


def why(answer: Answer, audience: Audience) -> Iterator[str]:
    """Yield the whole argument for an answer."""
    decision = answer.decision
    yield f"{bold(verdict(answer))}    {safe(f'{question(decision)}    {label(answer)}')}"
    yield ""
    yield from _section("In one sentence", [_sentence(decision)])
    if audience == "public":
        yield from _section("Reasons", [reason.message for reason, _ in _grouped(decision)])
    else:
        yield bold("Chain")
        yield from _chain(decision.tree, "  ", digests=audience == "auditor")
        yield ""
    yield from _remedies(decision)
    yield from _section("What would not release it", decision.would_not_release)
    yield from _section("Not checked by this decision", decision.not_checked)
    yield from _section("Exceptions", [_exception(note) for note in decision.exceptions] or ["none"])
    yield from _section("Notes", decision.notes)
    yield from _section("Taken on their word", decision.assumptions)
    if audience == "auditor":
        yield from _section("To reproduce", _reproduce(answer))


def _sentence(decision: Decision) -> str:
    if decision.answer == "permit":
        return f"Nothing in force holds it: {', '.join(bounds(decision))}."
    first = decision.reasons[0].message if decision.reasons else "no reason was given"
    more = len(decision.reasons) - 1
    rest = f" (and {more} more reason{'s' if more != 1 else ''})" if more else ""
    return f"It is held because {first}{rest}."


def _grouped(decision: Decision) -> list[tuple[Reason, list[str]]]:
    """Return the reasons in order, equal ones of several commitments once, with all their places."""
    found: dict[tuple[str, str], tuple[Reason, list[str]]] = {}
    for reason in decision.reasons:
        _, places = found.setdefault((reason.kind, reason.message), (reason, []))
        where = _where(reason)
        if where and where not in places:
            places.append(where)
    return list(found.values())


def _chain(node: Node, lead: str, *, digests: bool) -> Iterator[str]:
    kind = f" [{node.kind}]" if node.kind else ""
    truth = "" if node.text.endswith(_SAID) else f": {_TRUTHS[node.truth]}"
    yield wrap(f"{node.text}{truth}{kind}", f"{lead}- ", f"{lead}    ")
    extra = [item for item in (node.detail, _span(node.span)) if item]
    if extra:
        yield wrap("; ".join(extra), f"{lead}    ", f"{lead}    ")
    if digests:
        for item in node.evidence:
            yield f"{lead}    evidence {safe(item)}"
    for child in node.children:
        yield from _chain(child, f"{lead}  ", digests=digests)


def _remedies(decision: Decision) -> Iterator[str]:
    if decision.answer == "permit":
        return
    yield bold("What would release it (each set is enough, none can be made smaller)")
    if not decision.remedies:
        yield "  nothing is known that would"
    for place, remedy in enumerate(decision.remedies, start=1):
        if not remedy.attainable:
            yield f"  {place}) nobody knows how to do all of this:"
        else:
            yield f"  {place})"
        for step in remedy.steps:
            yield wrap(step, "     - ", "       ")
    yield ""


def _reproduce(answer: Answer) -> list[str]:
    decision = answer.decision
    lines = [f"decision {answer.digest}", f"head {decision.head or 'of an empty history'}"]
    lines += [f"policy {item.id} {item.version} {item.digest}" for item in decision.policies]
    parts = ["scalegate gate", decision.request.action, "--subject", decision.request.subject]
    if decision.request.to is not None:
        parts += ["--to", str(flop(decision.request.to))]
    if decision.request.context:
        parts += ["--context", decision.request.context]
    lines.append(" ".join([*parts, "--at", str(moment(decision.as_of)), "--format json"]))
    return lines


def _section(title: str, texts: tuple[str, ...] | list[str]) -> Iterator[str]:
    if not texts:
        return
    yield bold(title)
    for text in texts:
        yield wrap(text, "  - ", "    ")
    yield ""


def _where(reason: Reason) -> str:
    parts = [reason.policy, reason.commitment, _span(reason.policy_span)]
    return ", ".join(part for part in parts if part)


def _exception(note: ExceptionNote) -> str:
    where = _span(note.span)
    return f"{note.policy}/{note.exception}: {note.message}" + (f" ({where})" if where else "")


def _span(span: Span | None) -> str:
    return str(span) if span is not None and span.file else ""
