"""English for what a policy promises besides holding: laws, obligations, declarations, and where an encoding is from.

`open_duties` belongs to what a policy does not cover: whatever softens a promise, or nobody enforces or read, is said
there first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from scalegate.core.actions import HOLD_WORDS
from scalegate.core.duties import EventName, LegalText, MandatedRole, Modality, Obligation, Source
from scalegate.core.kernel import Commitment, Evaluation, Kernel, Safeguard
from scalegate.core.quantities import show_duration
from scalegate.core.terms import Elapsed, Overdue, Specified, Term
from scalegate.policy.phrases import (
    ACTION_WORDS,
    date_words,
    listed,
    plain,
    quoted,
    spoken_id,
    the,
)

NOT_ENFORCED = "What it declares and the gate does not enforce"

# How strongly a text binds that does not promise, after "This".
_BINDS: dict[Modality, str] = {
    "aim": "is an aim, not a promise",
    "may": "is only what may be done",
    "recommend": "is a recommendation",
}
# When a commitment holds whose conditions need not be settled, after "It".
_UNSETTLED = {
    "discretion": "holds only once a crossing is shown; until then the developer decides",
    "permit": "holds only once a crossing is shown; until then anyone may go on",
}


def open_duties(kernel: Kernel) -> list[str]:
    """Return what softens the promises, what nothing enforces, and what nobody read."""
    return [
        *_softened(kernel),
        *_unpinned(kernel),
        *_toothless(kernel),
        *_concepts(kernel),
        *_unread(kernel),
    ]


def duty_sections(kernel: Kernel) -> list[tuple[str, list[str]]]:
    """Return the headings of the promises besides holding, each with its entries; most policies have none."""
    duties = kernel.duties
    return [
        ("What has to be done in time", [_obligation(item) for item in duties.obligations.values()]),
        ("The law behind it", [] if duties.law is None else [_law(duties.law)]),
        ("Which roles it mandates", [_mandate(item) for item in duties.mandates]),
        (NOT_ENFORCED, list(_declared(kernel))),
        ("What it assumes", [_sentence(words) for words in duties.assumes]),
        ("Where the encoding comes from", [*map(_source, duties.sources.values())]),
    ]


def commitment_notes(kernel: Kernel, item: Commitment) -> str:
    """Return what is said behind a commitment: how strongly it binds, what it is about, where it is from."""
    notes = []
    if item.modality != "must":
        notes.append(f"This {_BINDS[item.modality]}.")
    if item.unsettled != "hold":
        notes.append(f"It {_UNSETTLED[item.unsettled]}.")
    notes += _about(item.about)
    notes += _origin(kernel, f"commitments.{item.id}")
    return "".join(f" {note}" for note in notes)


def evaluation_concept(item: Evaluation) -> str:
    """Return what stands where an evaluation names no test."""
    return f"The text names the concept {quoted(item.concept)} and no test of it."


def safeguard_concept(item: Safeguard) -> str:
    """Return what stands where a safeguard names neither means nor a reason."""
    return f"The text names the concept {quoted(item.concept)}, and neither means nor a reason why they work."


def speakers(kernel: Kernel, used: Iterable[Term]) -> list[str]:
    """Return the roles whose statements such conditions rest on."""
    names = []
    for term in used:
        if isinstance(term, Elapsed):
            names.append(term.role)
        elif isinstance(term, Overdue) and term.obligation in kernel.duties.obligations:
            names.append(kernel.duties.obligations[term.obligation].met.role)
    return names


def by_statement(kernel: Kernel, used: Iterable[Term]) -> list[str]:
    """Return the statements that the terms of conditions rest on through time, obligations, and specified holes."""
    words = []
    for term in used:
        match term:
            case Elapsed(predicate=predicate, role=role):
                words.append(f"{the(role)} states {quoted(predicate)}, from which time is counted")
            case Overdue(obligation=name) if name in kernel.duties.obligations:
                met = kernel.duties.obligations[name].met
                words.append(f"{_event(met)}, which ends that {plain(name)} is overdue")
            case Specified(hole=name):
                spec = kernel.holes.get(name)
                who = listed(map(the, spec.filled_only_by)) if spec and spec.filled_only_by else "nobody"
                words.append(f"{who} may say that the hole {spoken_id(name)} is specified")
            case _:
                pass
    return words


# ---------------------------------------------------------------- what is open


def _softened(kernel: Kernel) -> Iterator[str]:
    for modality, words in _BINDS.items():
        names = [spoken_id(item.id) for item in kernel.commitments if item.modality == modality]
        duties = [plain(item.id) for item in kernel.duties.obligations.values() if item.modality == modality]
        if names:
            yield f"Each of these commitments {words}: {listed(names)}."
        if duties:
            yield f"Each of these obligations {words}: {listed(duties)}."
    for unsettled, words in _UNSETTLED.items():
        names = [spoken_id(item.id) for item in kernel.commitments if item.unsettled == unsettled]
        if names:
            yield f"Each of these commitments {words}: {listed(names)}."


def _unpinned(kernel: Kernel) -> Iterator[str]:
    law = kernel.duties.law
    if law is not None and law.text is None:
        yield f"Hole: the text of {quoted(law.title)} is not pinned, so nobody can tell which law is meant."


def _toothless(kernel: Kernel) -> Iterator[str]:
    """Say which obligations hold nothing when they are overdue, and that declarations hold nothing at all."""
    used = {term.obligation for term in kernel.terms if isinstance(term, Overdue)}
    names = [plain(name) for name in kernel.duties.obligations if name not in used]
    if names:
        yield f"Being late is shown, and holds nothing, for {listed(names)}."
    if kernel.duties.declares:
        yield f"It declares, and nothing here enforces, {listed(map(plain, kernel.duties.declares))}."
    if kernel.duties.assumes:
        yield f"It rests on what nothing here tests: {'; '.join(map(plain, kernel.duties.assumes))}."


def _concepts(kernel: Kernel) -> Iterator[str]:
    tests = [plain(item.id) for item in kernel.evaluations.values() if item.concept]
    if tests:
        yield f"No test is named, only a concept, for {listed(tests)}."
    means = [plain(item.id) for item in kernel.safeguards.values() if item.concept]
    if means:
        yield f"Neither means nor a reason is named, only a concept, for {listed(means)}."


def _unread(kernel: Kernel) -> Iterator[str]:
    duties = kernel.duties
    if duties.unread:
        paths = listed(map(path_words, duties.unread))
        yield f"Whoever encoded it did not read what it says of {paths}. What depends on that is not compared."
    by_read = {
        read: [path for path, item in duties.provenance.items() if item.read == read] for read in ("unread", "memory")
    }
    if by_read["unread"]:
        yield f"These parts of the text were not read: {listed(map(path_words, by_read['unread']))}."
    if by_read["memory"]:
        yield f"These parts are from memory, not from the text: {listed(map(path_words, by_read['memory']))}."
    bare = [path for path, item in duties.provenance.items() if not item.source]
    if bare:
        yield f"No source is given for {listed(map(path_words, bare))}."


def path_words(path: str) -> str:
    """Return a path of an encoding in words, such as `the commitment autonomy`."""
    head, _, rest = path.partition(".")
    if path in HOLD_WORDS:
        return ACTION_WORDS.get(path, plain(path))
    if rest and head in _ENTRY:
        return f"the {_ENTRY[head]} {plain(rest)}"
    return plain(path)


_ENTRY = {
    "roles": "role",
    "capabilities": "capability",
    "evaluations": "evaluation",
    "contexts": "context",
    "safeguards": "safeguard",
    "commitments": "commitment",
    "exceptions": "exception",
    "obligations": "obligation",
    "declares": "practice",
}


# ---------------------------------------------------------------- entries


def _event(event: EventName) -> str:
    return f"{the(event.role)} states {quoted(event.predicate)}"


def _by_role(events: Iterable[EventName]) -> Iterator[tuple[EventName, ...]]:
    """Yield neighboring events that the same role states."""
    for _, group in groupby(events, key=lambda event: event.role):
        yield tuple(group)


def _events(events: tuple[EventName, ...]) -> str:
    return f"{the(events[0].role)} states {listed((quoted(event.predicate) for event in events), 'or')}"


def _obligation(item: Obligation) -> str:
    parts = [f"**{plain(item.id)}**: {plain(item.does)}"]
    if item.every is not None:
        parts[0] += f", every {_period(item.every)}."
    elif item.within is not None:
        first = listed(map(_events, _by_role(item.starts)), "or")
        parts[0] += f", within {show_duration(item.within)} after {first}. Whoever states that starts the clock."
    parts.append(f"It is done when {_event(item.met)}.")
    if item.modality != "must":
        parts.append(f"This {_BINDS[item.modality]}.")
    parts += _about(item.about)
    parts += _from(item.provenance.source)
    return " ".join(parts)


def _period(seconds: int) -> str:
    return show_duration(seconds).removeprefix("1 ")


def _law(law: LegalText) -> str:
    parts = [f"{quoted(law.title)}, version {quoted(law.version)}"]
    if law.jurisdiction:
        parts.append(f"of {plain(law.jurisdiction)}")
    if law.in_force is not None:
        parts.append(f"in force from {date_words(law.in_force)}")
    pinned = "Its text is pinned." if law.text is not None else "Its text is not pinned: a hole."
    return f"{', '.join(parts)}. {pinned}"


def _mandate(item: MandatedRole) -> str:
    size = f"with a quorum of at least {item.quorum}" if item.quorum > 1 else ""
    apart = f"independent of {listed(map(the, item.independent_of))}" if item.independent_of else ""
    how = f", {listed(part for part in (apart, size) if part)}" if apart or size else ""
    asked = f"every developer's own policy has to declare this role{how}"
    return f"**{plain(item.name)}**: {asked}. Without it everything is held."


def _declared(kernel: Kernel) -> Iterator[str]:
    for item in kernel.duties.declares.values():
        binds = f"; this {_BINDS[item.modality]}" if item.modality != "must" else ""
        number = f" ({plain(item.number)})" if item.number else ""
        notes = "".join(f" {note}" for note in _from(item.provenance.source))
        says = plain(item.says)
        yield f"**{plain(item.key)}**: {says.rstrip('.') if says.endswith('.') else says}{number}{binds}.{notes}"


def _source(item: Source) -> str:
    parts = [f"{plain(item.key)}: {quoted(item.title)}"]
    parts += [plain(item.date)] if item.date else []
    parts += [plain(item.document)] if item.document else []
    parts += [f"read: {plain(item.pages)}"] if item.pages else []
    return ", ".join(parts) + "."


def _about(about: tuple[str, ...]) -> list[str]:
    return [f"It is about {listed(map(plain, about))}."] if about else []


def _origin(kernel: Kernel, path: str) -> list[str]:
    found = kernel.duties.provenance.get(path)
    return _from(found.source) if found is not None else []


def _from(source: str) -> list[str]:
    return [f"(From {plain(source)}.)"] if source else []


def _sentence(text: str) -> str:
    words = plain(text)
    end = "" if words.endswith((".", "!", "?")) else "."
    return f"{words[:1].upper()}{words[1:]}{end}"
