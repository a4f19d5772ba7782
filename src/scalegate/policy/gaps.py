"""What a policy does not cover and how it may be left, as sentences; the part of the prose that comes first.

No hole, exception, exemption or missing name may be lost here: tests compare every list with the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import HARDER, IRREVERSIBLE, MITIGATION, NEW_SCALE, UNHOLDABLE
from scalegate.core.kernel import AnyOf, Commitment, Condition, Constant, Evaluation, Exception_, HoleSpec, Kernel, Not
from scalegate.core.quantities import show_duration, show_flop, show_rate
from scalegate.core.terms import Approved, Attested, Clock, Elapsed, Hole
from scalegate.policy.phrases import (
    ACTION_WORDS,
    bank_words,
    condition_words,
    date_words,
    listed,
    plain,
    quoted,
    spoken_id,
    terms_of,
    that_clause,
    the,
    yes_words,
)
from scalegate.policy.prose_duties import by_statement, open_duties, speakers


def not_covered(kernel: Kernel) -> list[str]:
    """Return what the policy does not cover, one sentence group each: edges, holes, exemptions."""
    return [
        *_edges(kernel),
        *open_duties(kernel),
        *_holes(kernel),
        *_uncertain_evidence(kernel),
        *_resumptions(kernel),
        *_exemptions(kernel),
    ]


def ways_out(kernel: Kernel) -> list[str]:
    """Return how the policy may be left: exceptions, fills, amendments, time, words, withdrawal."""
    return [
        *(_exception(kernel, item) for item in kernel.exceptions),
        *(_fill(spec) for spec in kernel.holes.values()),
        _amendments(kernel),
        _withdrawal(kernel),
        *_by_time(kernel),
        *_by_word(kernel),
        *_allowances(kernel),
    ]


# ---------------------------------------------------------------- not covered


def _edges(kernel: Kernel) -> Iterator[str]:
    if kernel.kind == "reference":
        yield (
            "This is a reference encoding of somebody's words. It is compared and studied; it never permits anything."
        )
    yield f"Before {date_words(kernel.effective)} nothing in it binds."
    match kernel.scope:
        case Constant(proven=True):
            pass
        case Constant(proven=False):
            yield "Its scope is never met: it binds nothing."
        case scope:
            yield (
                f"It binds only where {condition_words(kernel, scope)}. Outside that scope it holds "
                "nothing, and permits end at that edge. Where nobody can say, it binds."
            )
    if not kernel.binds_every_developer:
        yield f"It binds {plain(kernel.issuer)} and no other developer."
    loose = set(HARDER) - {MITIGATION}
    for commitment in kernel.commitments:
        loose -= commitment.actions
    words = {**ACTION_WORDS, "train": "training at a scale that was reached before"}
    if "train.new-scale" in loose:
        words = ACTION_WORDS
        loose.discard("train.new-scale")
    if loose:
        yield f"No commitment holds {listed((words[item] for item in HARDER if item in loose), 'or')}."


def _holes(kernel: Kernel) -> Iterator[str]:
    for spec in kernel.holes.values():
        yield _hole(kernel, spec)
    for term in kernel.terms:
        if isinstance(term, Hole) and term.name not in kernel.holes:
            yield f"Hole: {spoken_id(term.name)}. {_HELD} No owner is named, and nobody may fill it."
    named = {item.id: item.hole for item in kernel.evaluations.values() if item.hole is not None}
    named |= {
        test: f"no test covers the feared capability {plain(name)}"
        for name, test in kernel.capabilities.items()
        if test not in kernel.evaluations
    }
    waiting = {term.name for term in kernel.terms if isinstance(term, Hole)}
    for name, words in named.items():
        if name not in kernel.holes and name not in waiting:
            yield (
                f"Hole, filled for now: {spoken_id(name)}. {_sentence(words)} What stands in its place is said "
                "with the commitments; it expires, and then the hole is back."
            )


_HELD = "Nobody can show this today, so whatever waits for it stays held."


def _hole(kernel: Kernel, spec: HoleSpec) -> str:
    waiting = [
        spoken_id(item.id)
        for item in kernel.commitments
        if any(isinstance(term, Hole) and term.name == spec.name for term in terms_of(kernel, item.when, item.until))
    ]
    parts = [f"Hole: {spoken_id(spec.name)}. {_sentence(spec.words)} {_HELD}"]
    if waiting:
        noun = "commitment" if len(waiting) == 1 else "commitments"
        parts.append(f"It stands in the {noun} {listed(waiting)}.")
    parts.append(f"Owner: {plain(spec.owner)}." if spec.owner else "Nobody is named as its owner.")
    parts.append(
        f"Review by {date_words(spec.review_by)}." if spec.review_by is not None else "No date is set for its review."
    )
    return " ".join(parts)


def _uncertain_evidence(kernel: Kernel) -> Iterator[str]:
    measured = [item for item in kernel.evaluations.values() if item.hole is None]
    for item in measured:
        name = plain(item.id)
        if item.digest is None and not item.concept:
            yield (
                f"Hole: the test of {name} ({quoted(item.test)}) is not pinned, "
                "so nobody knows what a result would mean, and none counts."
            )
        for belief in item.beliefs:
            if belief.role is None:
                yield (f"Hole: {name} is believable only if {plain(belief.claim)}, and nobody is named to attest that.")
    for safeguard in kernel.safeguards.values():
        if safeguard.hole is not None:
            yield f"Hole: the safeguard {plain(safeguard.id)}. {_sentence(safeguard.hole)}"
    yield from _missing_checks(kernel, measured)
    yield (
        "Trial runs that were never registered cannot be ruled out by any log; "
        "only test items that an outsider holds deter them."
    )


def _missing_checks(kernel: Kernel, measured: list[Evaluation]) -> Iterator[str]:
    capability = [item for item in measured if item.kind == "capability"]
    for what, names in (
        ("Nobody is named to carry out", [item.id for item in measured if item.by is None]),
        (
            "Nothing shows that a hidden capability would be found by",
            [item.id for item in capability if not item.hidden_capability],
        ),
        (
            "No elicitation is asked of",
            [item.id for item in capability if not item.elicited_by],
        ),
        (
            "No known positives are asked of",
            [item.id for item in measured if not item.shown_to_work],
        ),
        (
            "Nobody outside checks the safeguard",
            [item.id for item in kernel.safeguards.values() if item.by is None],
        ),
        (
            "Nothing is named that would show the failure of the safeguard",
            [item.id for item in kernel.safeguards.values() if not item.fails_if],
        ),
    ):
        if names:
            yield f"{what} {listed(map(plain, names))}."
    for item in measured:
        if item.estimand == "bank":
            yield f"Nothing is claimed beyond this {bank_words(item.bank)} by {plain(item.id)}."


def _resumptions(kernel: Kernel) -> Iterator[str]:
    for item in kernel.commitments:
        name = spoken_id(item.id)
        match item.until:
            case Constant(proven=False) if item.declared_stop:
                yield f"The commitment {name} claims no condition for going on. That is declared."
            case Constant(proven=False):
                yield f"The commitment {name} does not say what would let anyone go on."
            case Constant(proven=True):
                yield f"The commitment {name} never holds: it lets anyone go on unconditionally."
            case _:
                pass
        if _refuted(item):
            yield f"The commitment {name} never holds: nothing can cross it."
    if not kernel.commitments:
        yield "It contains no commitment, and holds nothing."


def _refuted(commitment: Commitment) -> bool:
    match commitment.when:
        case Constant(proven=False) | Not(part=Constant(proven=True)):
            return True
        case AnyOf(parts=()):
            return True
        case _:
            return False


def _exemptions(kernel: Kernel) -> Iterator[str]:
    words = listed(ACTION_WORDS[item] for item in ("evaluate", "elicit", "study"))
    if len(UNHOLDABLE) == 3:
        yield f"{words.capitalize()} a model in quarantine can never be held."
    yield (
        "Mitigation training has a permit of its own, up to "
        f"{show_rate(kernel.mitigation_cap)} of the model's compute; "
        "what it produces is held until it is evaluated."
    )
    for context in kernel.contexts.values():
        if context.scaffolds is None:
            yield (
                f"In the context {plain(context.name)} users may bring scaffolds that nobody "
                "evaluated, so nothing can be shown there for every scaffold."
            )


# ---------------------------------------------------------------- ways out


def _exception(kernel: Kernel, item: Exception_) -> str:
    undoable = listed((ACTION_WORDS[name] for name in HARDER if name in IRREVERSIBLE), "or")
    lead = f"Exception {plain(item.id)}, in place of the commitment {plain(item.instead_of)}"
    parts = [
        f"{lead}: when it is shown {that_clause(kernel, item.when)}, going on takes less.",
        f"It is then enough to show {that_clause(kernel, item.until)}.",
    ]
    if item.needs:
        needs = listed(condition_words(kernel, need) for need in item.needs)
        parts.append(f"It also needs that {needs}.")
    else:
        parts.append("It needs nobody's approval and no publication.")
    parts.append(
        f"Each use ends after {show_duration(item.each)}; all uses together end after "
        f"{show_duration(item.total)} in any {show_duration(item.window)}. "
        f"It never covers {undoable}, which cannot be undone."
    )
    return " ".join(parts)


def _fill(spec: HoleSpec) -> str:
    name = spoken_id(spec.name)
    if not spec.filled_only_by:
        return f"The hole {name}: nobody is named who may fill it, so nobody may."
    roles = listed(map(the, spec.filled_only_by))
    every = " all agree" if len(spec.filled_only_by) > 1 else " agrees"
    return (
        f"The hole {name} may be filled, also while it holds, with a condition and nothing else, "
        f"if {roles}{every}. A filling expires."
    )


def _amendments(kernel: Kernel) -> str:
    rule = kernel.amendments
    refused = "A change that would free what is held now is refused; one that only tightens needs no notice."
    if not rule.approved_by:
        return f"No role is named that must approve a change of this policy. {refused}"
    notice = show_duration(rule.notice) if rule.notice else "no"
    return (
        f"It may be weakened with the approval of {listed(map(the, rule.approved_by))} "
        f"and {notice}{' of' if rule.notice else ''} notice. {refused}"
    )


def _withdrawal(kernel: Kernel) -> str:
    if kernel.kind == "regime" or kernel.duties.law is not None:
        return (
            f"A developer cannot leave it by withdrawing a policy of its own: only {plain(kernel.issuer)} can end it."
        )
    return f"{plain(kernel.issuer)} made this promise itself and can withdraw it. Only a regime outlasts that."


def _by_time(kernel: Kernel) -> Iterator[str]:
    def timed(*conditions: Condition) -> bool:
        return any(isinstance(term, Clock | Elapsed) for term in terms_of(kernel, *conditions))

    names = [spoken_id(item.id) for item in kernel.commitments if timed(item.when, item.until)]
    if names:
        yield f"Time passing counts as showing something in {listed(names)}."


def _by_word(kernel: Kernel) -> Iterator[str]:
    used = terms_of(
        kernel,
        *(side for item in kernel.commitments for side in (item.when, item.until)),
        *(side for item in kernel.exceptions for side in (item.when, item.until, *item.needs)),
    )
    words = [yes_words(kernel, term) for term in used if isinstance(term, Attested | Approved)]
    words += by_statement(kernel, used)
    for item in kernel.evaluations.values():
        for belief in item.beliefs:
            if belief.role is not None:
                age = f" (counted for {show_duration(belief.expires)})" if belief.expires else ""
                words.append(f"{the(belief.role)} attests, for {plain(item.id)}, that {plain(belief.claim)}{age}")
    if words:
        yield f"These rest on somebody's word: {'; '.join(words)}."
    deciders = _deciders(kernel)
    alone = [name for name in deciders if not _role_is_independent(kernel, name)]
    if alone:
        verb = "decides" if len(alone) == 1 else "decide"
        yield f"{_sentence(listed(map(the, alone)))[:-1]} {verb} here without being independent of anyone."


def _deciders(kernel: Kernel) -> list[str]:
    used = terms_of(
        kernel,
        *(side for item in kernel.commitments for side in (item.when, item.until)),
        *(side for item in kernel.exceptions for side in (item.when, item.until, *item.needs)),
    )
    names = [term.role for term in used if isinstance(term, Attested | Approved)]
    names += speakers(kernel, used)
    names += [name for spec in kernel.holes.values() for name in spec.filled_only_by]
    names += kernel.amendments.approved_by
    for item in kernel.evaluations.values():
        names += [item.by] if item.by is not None else []
        names += [belief.role for belief in item.beliefs if belief.role is not None]
    names += [item.by for item in kernel.safeguards.values() if item.by is not None]
    names += [*kernel.stop_orders_by, *kernel.countersigned_by]
    return list(dict.fromkeys(names))


def _role_is_independent(kernel: Kernel, name: str) -> bool:
    role = kernel.roles.get(name)
    return role is not None and bool(role.independent_of)


def _allowances(kernel: Kernel) -> Iterator[str]:
    for context in kernel.contexts.values():
        if not context.withdraws:
            yield f"In the context {plain(context.name)} a hold does not end a running service."
    if not kernel.teachers_count:
        yield "The compute of teacher models does not count: distillation starts from nothing."
    if any(NEW_SCALE in item.actions for item in kernel.commitments):
        existing = f"{show_flop(kernel.existing_scale)} FLOP" if kernel.existing_scale else "nothing"
        yield f"New scale is training beyond what exists: {existing}, or what was permitted since."
    for item in kernel.evaluations.values():
        if item.accept_aggregate:
            yield f"A published total counts for {plain(item.id)}, without the samples behind it."
        if item.accept_edited:
            yield f"Scores that were edited afterwards count for {plain(item.id)}."
        if item.accept_earlier:
            yield f"Runs that began before they were registered count for {plain(item.id)}: the best of many can be."
    yield (
        "A crossing found by eliciting with up to "
        f"{show_rate(kernel.elicitation_allowance)} of a model's compute counts against the model "
        "itself; one that took more counts only from there on."
    )


def _sentence(text: str) -> str:
    words = plain(text)
    end = "" if words.endswith((".", "!", "?")) else "."
    return f"{words[:1].upper()}{words[1:]}{end}"
