"""The duties of a kernel as text for people who check it: one line each, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.duties import Declared, LegalText, MandatedRole, Obligation, Provenance, Source
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import show_duration, show_instant
from scalegate.policy.phrases import plain


def duty_lines(kernel: Kernel) -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of what a policy promises besides holding, each with its lines."""
    duties = kernel.duties
    yield "legal text", [] if duties.law is None else [_law(duties.law)]
    yield "mandated roles", [_mandate(item) for item in duties.mandates]
    yield "obligations", [_obligation(item) for item in duties.obligations.values()]
    yield "declares (not enforced)", [_declared(item) for item in duties.declares.values()]
    yield "assumes", [plain(words) for words in duties.assumes]
    yield "sources", [_source(item) for item in duties.sources.values()]
    yield "unread", [plain(path) for path in duties.unread]
    yield "provenance", [f"{plain(path)}: {_from(item)}" for path, item in duties.provenance.items()]


def _law(item: LegalText) -> str:
    force = "no date" if item.in_force is None else show_instant(item.in_force)
    return (
        f"{plain(item.title)}; version {plain(item.version)}; in force {force}; "
        f"jurisdiction {plain(item.jurisdiction) or 'none'}; text {plain(item.text or '') or 'not pinned (a hole)'}"
    )


def _mandate(item: MandatedRole) -> str:
    apart = f"; independent of {', '.join(map(plain, item.independent_of))}" if item.independent_of else ""
    return f"{plain(item.name)}: quorum {item.quorum}{apart}"


def _obligation(item: Obligation) -> str:
    if item.every is not None:
        clock = f"every {show_duration(item.every)}"
    else:
        starts = " or ".join(f"{plain(event.predicate)} by {plain(event.role)}" for event in item.starts)
        clock = f"within {show_duration(item.within or 0)} from {starts or 'nothing'}"
    about = f"; about {', '.join(map(plain, item.about))}" if item.about else ""
    return (
        f"{plain(item.id)}: {plain(item.does)}; {clock}; met when {plain(item.met.predicate)} by "
        f"{plain(item.met.role)}; {item.modality}{about}{_origin(item.provenance)}"
    )


def _declared(item: Declared) -> str:
    number = f"; number {plain(item.number)}" if item.number else ""
    return f"{plain(item.key)}: {plain(item.says)}; {item.modality}{number}{_origin(item.provenance)}"


def _source(item: Source) -> str:
    parts = [f"{plain(item.key)}: {plain(item.title)}"]
    for word, text in (("date", item.date), ("document", item.document), ("pages", item.pages)):
        parts += [f"{word} {plain(text)}"] if text else []
    return "; ".join(parts)


def _origin(item: Provenance) -> str:
    """Return where something is from; nothing outside encodings, where it is its issuer's own."""
    if not item.source and item.read == "seen":
        return ""
    return f"; {_from(item)}"


def _from(item: Provenance) -> str:
    return f"source {plain(item.source) or 'none'}, {item.read}"
