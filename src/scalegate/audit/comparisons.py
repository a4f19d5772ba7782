"""Certificates of comparisons that a log keeps: each situation replayed, each question derived again, no solver needed.

A proof is on the word of the solvers it names, and listed as such. An amendment without its difference is named too,
and one whose difference came only once it was approved: those who approved it were not shown what they approved. A
certificate of conformity is about all that a regime asks, and about the policies that were in force when it was made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.outcomes import kernels_of
from scalegate.audit.report import Report
from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import Entry, PolicyAdopted, Statement, matter_topic
from scalegate.core.kernel import Kernel
from scalegate.core.policy_events import PolicyCompared
from scalegate.gate.force import in_force
from scalegate.gate.mandates import missing_roles
from scalegate.prove import amendment, certificate
from scalegate.prove.certificate import Replayed

_ANSWERS = {"yes": True, "no": False, "unknown": None}
# What a certificate of two texts takes is far below it; one that is larger is there to keep its reader busy.
LARGEST = 1 << 22


@dataclass(slots=True)
class _Kept:
    """The comparisons of a log so far.

    Attributes:
        texts: what was adopted, by digest; nothing that cannot be read, or is not the text that its entry names.
        told: the entry that first told the difference between a text and the one it replaces.
        found: what is known of each pair of sides, by purpose: each answer, with the entry that gives it.
        good, situations: certificates and situations that are as they should be.
    """

    texts: dict[str, Kernel] = field(default_factory=dict)
    told: dict[tuple[str, str], int] = field(default_factory=dict)
    found: dict[object, dict[str, int]] = field(default_factory=dict)
    good: int = 0
    situations: int = 0


def audit_comparisons(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Check every certificate of a comparison that the log names."""
    kept = _Kept()
    for entry in audited.entries:
        match entry.event:
            case PolicyAdopted() as event:
                kept.texts |= {kernel.digest: kernel for kernel in kernels_of(event) if kernel.digest == event.digest}
            case PolicyCompared() as event:
                _compared(bundle, audited.entries, entry, event, kept, report)
            case _:
                pass
    for entry in audited.entries:
        _untold(entry, audited.entries, kept, report)
    if kept.good:
        words = (
            f"{kept.good} comparisons of policies are what their texts raise, and {kept.situations} situations replay"
        )
        report.add("comparisons", "passed", words)


def _compared(
    bundle: Bundle, entries: Sequence[Entry], entry: Entry, event: PolicyCompared, kept: _Kept, report: Report
) -> None:
    """Check one comparison, and keep what came of it."""
    sides, wrong = _sides(entries, entry, event, kept.texts)
    found = Replayed(tuple(wrong), (), 0) if wrong else _checked(bundle, event, *sides)
    wrong = [*found.wrong]
    if not wrong:
        # What fills a hole may change an answer about the same texts; nothing else does.
        key = (event.purpose, *((kernel.digest, kernel.commitments) for side in sides for kernel in side))
        others = kept.found.setdefault(key, {})
        other = {"yes": "no", "no": "yes"}.get(event.answer, "")
        if other in others:
            wrong.append(f"its answer is {event.answer}, and entry {others[other]} says {other} of the same texts")
        others.setdefault(event.answer, entry.index)
    what = _named(event, sides[1])
    for message in wrong:
        report.add("comparisons", "failed", f"the {what} of {event.by} ({event.role}): {message}", entry.index)
    for message in found.unchecked:
        report.add("comparisons", "impossible", f"{message} ({what}, answer {event.answer})", entry.index)
    if wrong or not found.derived:
        return
    kept.good += 1
    kept.situations += found.replayed
    if event.purpose == "amendment":
        kept.told.setdefault((event.first[0], event.second[0]), entry.index)


def _named(event: PolicyCompared, second: Sequence[Kernel]) -> str:
    """Return what a comparison is; a text that its issuer calls a regime is not yet the one that is meant."""
    with_ = " and ".join(f"{kernel.id} {kernel.version} of {kernel.issuer}" for kernel in second)
    if event.purpose == "amendment":
        return f"difference of an amendment of {with_}" if with_ else "difference of an amendment"
    return f"certificate of conformity with {with_}" if with_ else "certificate of conformity"


def _sides(
    entries: Sequence[Entry], entry: Entry, event: PolicyCompared, texts: dict[str, Kernel]
) -> tuple[tuple[list[Kernel], list[Kernel]], list[str]]:
    """Return both sides of a comparison, and what is wrong with them."""
    missing = [mark for mark in (*event.first, *event.second) if mark not in texts]
    if missing:
        return ([], []), [f"it is about a text that was not adopted before it ({missing[0]:.80})"]
    first, second = ([texts[mark] for mark in side] for side in (event.first, event.second))
    if event.purpose == "amendment":
        alone = len(first) == 1 and len(second) == 1
        return (first, second), [] if alone else ["an amendment is one text in the place of one other"]
    before = [item for item in entries if item.index < entry.index]
    binding = {kernel.digest: kernel for kernel in in_force(before, entry.at).kernels}
    own = {mark for mark, kernel in binding.items() if kernel.kind == "policy"}
    wrong = []
    if [kernel.kind for kernel in second] != ["regime"]:
        wrong.append("conformity is with one regime")
    if len(set(event.first)) != len(event.first) or {*event.first} != own or not own:
        wrong.append("it is not about the developer's policies that were in force then, all of them and no others")
    # As they were in force: what filled a hole then is part of what they asked.
    first, second = ([binding.get(kernel.digest, kernel) for kernel in side] for side in (first, second))
    return (first, second), wrong


def _untold(entry: Entry, entries: Sequence[Entry], kept: _Kept, report: Report) -> None:
    """Name an amendment whose difference is not attached, or was attached only behind an approval."""
    event = entry.event
    if not isinstance(event, PolicyAdopted) or not event.replaces:
        return
    at = kept.told.get((event.digest, event.replaces))
    if at is None:
        words = f"whether an amendment of {event.policy} weakens it: the difference it makes is not attached"
        report.add("comparisons", "impossible", words, entry.index)
        return
    topic = matter_topic(event.policy, f"amendment:{event.digest}")
    for approved in entries[:at]:
        said = approved.event
        if isinstance(said, Statement) and said.holds and (said.kind, said.topic) == ("approval", topic):
            words = f"whether {said.by} ({said.role}) saw what an amendment of {event.policy} weakens"
            report.add("comparisons", "impossible", f"{words}: it was approved before entry {at} told", approved.index)


def _conforms(document: dict[str, object], first: list[Kernel], regime: Kernel) -> bool | None:
    """Return whether the first side conforms, by what a certificate says and by the roles that the regime mandates."""
    if any(missing_roles(regime, first)):
        return False
    return certificate.at_least_as_strict(document)


def _checked(bundle: Bundle, event: PolicyCompared, first: list[Kernel], second: list[Kernel]) -> Replayed:
    try:
        data = bundle.blob(event.document)
    except (BundleError, KeyError, OSError) as error:
        words = f"whether a comparison says what is so: its certificate is not there ({error})"
        return Replayed((), (words,), 0, derived=False)
    document = _document(data)
    if document is None:
        return Replayed(("its document is no canonical JSON of a size that such documents have",), (), 0)
    if event.purpose == "amendment":
        found, weakens = amendment.check(document, second[0], first[0]), document.get("weakens")
        said = None if weakens is None else not weakens
    else:
        found = certificate.replay(document, first, second)
        found = replace(found, wrong=found.wrong or tuple(certificate.narrowed(document)))
        said = None if found.wrong else _conforms(document, first, second[0])
    if not found.wrong and said is not _ANSWERS[event.answer]:
        return replace(found, wrong=("its entry says another answer than it does",))
    return found


def _document(data: bytes) -> dict[str, object] | None:
    """Return a document that is read in one way only: canonical JSON, no key twice, no numbers but whole ones."""
    if len(data) > LARGEST:
        return None
    try:
        document = json.loads(data)
        canonical = canonical_bytes(document)
    except (ValueError, TypeError, RecursionError):
        return None
    return document if isinstance(document, dict) and canonical == data else None
