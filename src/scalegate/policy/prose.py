"""A policy as English that a safety lead can read aloud: what it does not cover first.

Generated from the kernel alone, so that it cannot promise more than the gate enforces. The result is Markdown
of headings, paragraphs and lists; an author's text can begin no line of it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.kernel import Commitment, Constant, Evaluation, Kernel, Not, Role, Safeguard, Validity
from scalegate.core.quantities import show_duration, show_number
from scalegate.policy.expand_declarations import WRONGLY_CLEARED, WRONGLY_STOPPED
from scalegate.policy.gaps import not_covered, ways_out
from scalegate.policy.phrases import (
    ACTION_WORDS,
    actions_words,
    bank_words,
    condition_words,
    count_words,
    date_words,
    failure_words,
    frequency,
    listed,
    plain,
    quoted,
    shape,
    spoken_id,
    that_clause,
    the,
)
from scalegate.policy.prose_duties import commitment_notes, duty_sections, evaluation_concept, safeguard_concept

WIDTH = 88

# Words that would begin a heading, list, quotation or rule if a line happened to break before them.
_STARTS_A_BLOCK = re.compile(r" (?=[#>+*=|~`-]|\d+[.)](?:\s|$))")
_GLUE = "\0"

_KIND_QUESTION = {
    "capability": "could the model do it, if it tried",
    "safety": "would the model do it",
    "understanding": "do we know why the model does what it does",
}


def prose(kernel: Kernel) -> str:
    """Return the policy as English, in Markdown, holes and ways out first."""
    blocks = [f"# The policy {plain(kernel.id)}, version {plain(kernel.version)}"]
    blocks += _paragraph(_opening(kernel))
    for heading, entries in (
        ("What this policy does not cover", not_covered(kernel)),
        ("How it may be left", ways_out(kernel)),
        ("What it commits to", [_commitment(kernel, item) for item in kernel.commitments]),
        *duty_sections(kernel),
        ("What is feared", list(_capabilities(kernel))),
        ("How it is measured", [_evaluation(kernel, item) for item in kernel.evaluations.values()]),
        ("Safeguards", [_safeguard(item) for item in kernel.safeguards.values()]),
        ("Where models are used", list(_contexts(kernel))),
        ("Who speaks", [_role(item) for item in kernel.roles.values()]),
        ("Who can stop it at once", list(_powers(kernel))),
    ):
        if entries:
            blocks.append(f"## {heading}")
            blocks.append("\n".join(map(_bullet, entries)))
        if heading == "How it may be left":
            blocks += _paragraph(_READING + (_EXCEPT if _discretion(kernel) else ""))
    return "\n\n".join(blocks) + "\n"


_READING = (
    "Below, the burden of proof is on whoever wants to go on. A result that is missing, pending, "
    "out of date, disputed, inconclusive, or not trusted shows nothing, and then the action is "
    "held. Where several commitments or policies speak, the strictest decides. A bound that is "
    "shown is a statement about the test and the elicitation behind it, and no more."
)


_EXCEPT = " Where a commitment says otherwise below, what shows nothing holds nothing."


def _discretion(kernel: Kernel) -> bool:
    return any(item.unsettled != "hold" for item in kernel.commitments)


def _opening(kernel: Kernel) -> str:
    issuer = plain(kernel.issuer)
    what = {
        "regime": f"A regime of {issuer}. It binds beside a developer's own policy.",
        "reference": f"A reference encoding of the words of {issuer}.",
        "policy": f"A policy that {issuer} binds itself to.",
    }[kernel.kind]
    who = " It binds every developer within its scope." if kernel.binds_every_developer else ""
    match kernel.scope:
        case Constant(proven=True):
            scope = " It applies to every model, of whatever size."
        case Constant():
            scope = ""
        case condition:
            scope = f" It applies where {condition_words(kernel, condition)}."
    return f"{what} In force from {date_words(kernel.effective)}.{who}{scope}"


def _commitment(kernel: Kernel, item: Commitment) -> str:
    held = actions_words(item.hold, item.actions)
    return f"**{spoken_id(item.id)}.** Hold {held}{_burden(kernel, item)}{commitment_notes(kernel, item)}"


def _burden(kernel: Kernel, item: Commitment) -> str:
    """Say what has to be shown; an identical resumption condition is said once."""
    rest = _resumption(kernel, item)
    end = f"Once crossed, {rest}"
    match item.when:
        case Not(part=Constant(proven=False)) | Constant(proven=True):
            return f", from the start: {rest}"
        case Not(part=Constant(proven=True)) | Constant(proven=False):
            return f" in no case: nothing can cross this. {end}"
        case Not(part=shown) if shape(kernel, shown) == shape(kernel, item.until):
            return f" unless and until it is shown {that_clause(kernel, shown)}."
        case Not(part=shown):
            return f" unless it is shown {that_clause(kernel, shown)}. {end}"
        case trigger:
            words = condition_words(kernel, trigger)
            return f" unless it is shown not to be the case that {words}. {end}"


def _resumption(kernel: Kernel, item: Commitment) -> str:
    match item.until:
        case Constant(proven=False) if item.declared_stop:
            return "nothing resumes it; that is a declared stop."
        case Constant(proven=False):
            return "nothing resumes it, and the policy does not say why."
        case Constant(proven=True):
            return "it resumes with nothing shown."
        case until:
            return f"resume only if it is shown {that_clause(kernel, until)}."


def _capabilities(kernel: Kernel) -> Iterator[str]:
    for name, test in kernel.capabilities.items():
        evaluation = kernel.evaluations.get(test)
        if evaluation is None or evaluation.hole is not None:
            yield f"{plain(name)}: no test covers it (a hole)."
        else:
            yield f"{plain(name)}: tested by {plain(test)}."


def _evaluation(kernel: Kernel, item: Evaluation) -> str:
    parts = [f"**{plain(item.id)}**, a test of {_article_kind(item)}: {_KIND_QUESTION[item.kind]}?"]
    if item.hole is not None:
        filled = "" if item.id in kernel.holes else " It is filled for now, with what the commitments say."
        parts.append(f"A hole: {quoted(item.hole)}. Nothing measures it today.{filled}")
        return " ".join(parts)
    scored = f"It scores {plain(item.score.text)} on {_test_words(item)}."
    parts.append(evaluation_concept(item) if item.concept else scored)
    if item.by is not None:
        parts.append(f"It is carried out by {the(item.by)}.")
    parts += [] if item.concept else _claim(item)
    parts += _errors(item)
    parts += _validity(item.validity)
    if item.elicited_by:
        parts.append(f"The capability is elicited by {listed(map(plain, item.elicited_by))}.")
    for count in item.hidden_capability:
        parts.append(f"Against a hidden capability, {count_words(count)}.")
    for count in item.shown_to_work:
        parts.append(f"It is shown to work by {count_words(count)}.")
    for belief in item.beliefs:
        who = f"attested by {the(belief.role)}" if belief.role else "which nobody attests"
        age = f", for {show_duration(belief.expires)} at a time" if belief.expires else ""
        parts.append(f"It is believable only if {plain(belief.claim)}, {who}{age}.")
    if item.accept_aggregate:
        parts.append("A published total is accepted without its samples.")
    if item.accept_edited:
        parts.append("Edited scores are accepted.")
    if item.accept_earlier:
        parts.append("Runs are accepted that began before they were registered, or that do not say when.")
    if item.refuse_provenance:
        parts.append(f"It refuses results with {listed(map(plain, item.refuse_provenance), 'or')}.")
    if item.reach_issuer:
        parts.append("A crossing holds every line of models of the same developer.")
    return " ".join(parts)


def _errors(item: Evaluation) -> Iterator[str]:
    """Say how often it errs; a text that names no test is not credited with errors that it does not state."""
    if item.concept and (item.wrongly_cleared, item.wrongly_stopped) == (WRONGLY_CLEARED, WRONGLY_STOPPED):
        return
    yield (
        f"A model is wrongly cleared at most {frequency(item.wrongly_cleared)}, "
        f"and wrongly stopped at most {frequency(item.wrongly_stopped)}."
    )


def _claim(item: Evaluation) -> Iterator[str]:
    """Say what a mean is of, what counts as one piece of evidence, and what the claim is about."""
    if item.score.mean:
        yield "Every score is a number from 0 to 1, and what counts is their mean."
    if item.clustered_by:
        tries = ", with all of their tries," if item.score.tries > 1 else ""
        yield f"Items with the same {quoted(item.clustered_by)}{tries} are together one piece of evidence."
    elif item.score.mean and item.score.tries > 1:
        yield f"The {item.score.tries} tries of one item are together one piece of evidence."
    if item.estimand == "bank":
        yield f"The claim is about this {bank_words(item.bank)}, not about the tasks they stand for."
    else:
        yield "The claim is about the tasks that these items were drawn from."


def _article_kind(item: Evaluation) -> str:
    return {"capability": "capability", "safety": "conduct", "understanding": "understanding"}[item.kind]


def _test_words(item: Evaluation) -> str:
    name = plain(item.test).partition("@")[0] or "a test"
    return f"{name} (its items are pinned)" if item.digest is not None else f"{name} (not pinned: a hole)"


def _validity(validity: Validity) -> Iterator[str]:
    due = _moment(validity.due_compute, validity.due_time)
    stop = _moment(validity.stop_compute, validity.stop_time)
    if validity.exact:
        until = f" until {stop}" if stop else ""
        never = "" if validity.training else ", and never for training"
        yield f"A result counts only for exactly what was measured{until}{never}."
    elif not stop:
        yield "A result never expires."
    elif due == stop:
        yield f"A result counts until {stop}; then what rests on it stops."
    else:
        yield f"A new result is due once {due}." if due else "No result is ever due."
        yield (f"Without it, training goes on only while a registered run is pending; once {stop}, it stops.")


def _moment(compute: Fraction | None, time: int | None) -> str:
    """Return `effective compute is 4 times what it was or 3 months have passed, whichever is first`."""
    parts = []
    if compute is not None:
        parts.append(f"effective compute is {show_number(compute)} times what it was")
    if time is not None:
        words = show_duration(time)
        parts.append(f"{words} {'has' if words.startswith('1 ') else 'have'} passed")
    return " or ".join(parts) + (", whichever is first" if len(parts) > 1 else "")


def _safeguard(item: Safeguard) -> str:
    parts = [f"**{plain(item.id)}** is to stop {plain(item.stops) or 'something unnamed'}."]
    if item.hole is not None:
        parts.append(f"A hole: {quoted(item.hole)}.")
    if item.concept:
        parts.append(safeguard_concept(item))
        return " ".join([*parts, *_checked(item)])
    parts.append(f"Its means are {plain(item.means).partition('@')[0]}." if item.means else "Its means are not stated.")
    parts.append(
        f"It is believed to work because of {plain(item.because).partition('@')[0]}."
        if item.because
        else "No reason is given why it would work."
    )
    return " ".join([*parts, *_checked(item)])


def _checked(item: Safeguard) -> list[str]:
    """Say what shows that a safeguard fails, who checks it, and for how long that counts."""
    parts = [f"It counts as failed if {failure_words(count)}." for count in item.fails_if]
    if item.by is not None:
        parts.append(f"It is checked by {the(item.by)}.")
    if item.valid_time is not None:
        parts.append(f"That it works counts as shown for {show_duration(item.valid_time)}.")
    return parts


def _contexts(kernel: Kernel) -> Iterator[str]:
    for item in kernel.contexts.values():
        action = ACTION_WORDS.get(item.action, plain(item.action))
        if item.scaffolds is None:
            tools = "with any scaffold, unknown ones too"
        elif item.scaffolds:
            tools = f"with the scaffolds {listed(map(plain, item.scaffolds))} and no other"
        else:
            tools = "with no scaffold"
        hold = "ends" if item.withdraws else "does not end"
        yield f"**{plain(item.name)}**: {action}, {tools}. A hold {hold} a running service."


def _role(role: Role) -> str:
    if role.of is not None:
        size = f"any {role.quorum} of its {role.of} members together"
    elif role.quorum > 1:
        size = f"any {role.quorum} of its members together"
    else:
        size = "one person is enough"
    members = f"; members: {listed(map(plain, role.members))}" if role.members else ""
    apart = f"; nobody in it acts as {listed(map(the, role.independent_of), 'or')}" if role.independent_of else ""
    return f"**{plain(role.name)}**: {size}{members}{apart}."


def _powers(kernel: Kernel) -> Iterator[str]:
    for role in kernel.stop_orders_by:
        yield f"A stop order of {the(role)} holds at once, and only {the(role)} lifts it."
    for role in kernel.countersigned_by:
        yield f"No permit is valid without the countersignature of {the(role)}."
    if not kernel.stop_orders_by:
        yield "Nobody is named who could order a stop."
    if not kernel.countersigned_by:
        yield "Permits need nobody's countersignature."


def _bullet(text: str) -> str:
    return _wrapped(text, "- ")


def _paragraph(text: str) -> list[str]:
    return [_wrapped(text, "")]


def _wrapped(text: str, lead: str) -> str:
    glued = _STARTS_A_BLOCK.sub(_GLUE, text)
    return textwrap.fill(
        glued,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_GLUE, " ")
