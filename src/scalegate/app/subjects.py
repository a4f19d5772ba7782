"""Declaring subjects: models and systems, where they come from, and what was spent on them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from scalegate.app.bindings import adopted, check_speaker
from scalegate.app.book import Book, Page, Speaker, check_name, check_words
from scalegate.app.identity import check_form, check_unlike
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.canonical import Plain, digest
from scalegate.core.events import Entry, SubjectDeclared
from scalegate.core.job_events import JobReported, MultiplierStated, PermitClaimed
from scalegate.core.quantities import ComputeRange, show_flop
from scalegate.core.subject import Subject
from scalegate.enforce.journal import SAVED
from scalegate.gate.lineage import Lineage
from scalegate.gate.origin import comes_from, is_start, with_teachers

DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def check_digest(what: str, text: str) -> str:
    """Return a digest that is one.

    Raises:
        RefusalError: for any other text.
    """
    if DIGEST.fullmatch(text) is None:
        raise RefusalError(
            "usage",
            "digest-malformed",
            f"the {what} `{text:.80}` is not `sha256:` and 64 hexadecimal digits",
        )
    return text


def declare(book: Book, subject: Subject, speaker: Speaker) -> Entry:
    """Declare a subject. The first declaration of a name stands for good.

    Args:
        book: where to.
        subject: what is declared; a system gets the digest of its parts; `made_at` 0 stands for now, and no compute
            for what its job reported, if one did.
        speaker: who says so.

    Raises:
        RefusalError: if the name is taken, a parent or the weights are unknown, a part is unfit, or a job reported
            that it made the files from something else.
    """
    _check_parts(subject)

    def prepare(page: Page) -> SubjectDeclared:
        check_speaker(page, speaker)
        known = page.records.subjects
        if subject.name in known:
            raise RefusalError(
                "refused",
                "subject-declared",
                f"subject `{subject.name}` is declared already",
                "a new checkpoint is a new subject; nothing is ever declared again",
            )
        check_unlike("name of the subject", subject.name, known)
        for name in [edge.parent for edge in subject.parents] + [subject.weights] * (subject.kind == "system"):
            _check_known(known, name)
        if subject.made_at > page.now:
            raise RefusalError("usage", "made-later", "a subject cannot be made in the future")
        made = replace(subject, made_at=subject.made_at or page.now, digest=_digest(subject, known))
        if made.kind == "model":
            lineage = Lineage(known)
            _check_origin(page, lineage, made)
            if made.compute is None:
                made = replace(made, compute=_reported(page, lineage, made))
        _check_twins(made, known)
        return SubjectDeclared(made, speaker.name, speaker.role)

    return book.record(prepare)


def _reported(page: Page, lineage: Lineage, subject: Subject) -> ComputeRange | None:
    """Return what a job counted for a checkpoint beyond its one parent; None where none reported it.

    A multiplier says how much a FLOP may be worth at most, so that what was computed at least is not scaled.
    """
    told = _made(page, lineage, subject)
    if not told or len(subject.parents) != 1:
        return None
    event, claim = max(told, key=lambda item: (item[0].reached, -item[1].factor))
    parent = lineage.subjects[subject.parents[0].parent]
    most = max(0, event.reached - lineage.compute(parent, teachers=with_teachers(lineage, claim)).high)
    return ComputeRange(most * claim.factor.denominator // claim.factor.numerator, most)


def _made(page: Page, lineage: Lineage, subject: Subject) -> list[tuple[JobReported, PermitClaimed]]:
    """Return the reports of the jobs that saved the files of a subject, other than as what they began with."""
    saved = [event for _, event in page.records.reports if event.digest == subject.digest and event.kind in SAVED]
    claims = {claim.decision: claim for _, claim in page.records.claims} if saved else {}
    pairs = [(event, claims[event.decision]) for event in saved]
    return [(event, claim) for event, claim in pairs if not is_start(lineage, subject, claim)]


def _check_origin(page: Page, lineage: Lineage, subject: Subject) -> None:
    """Refuse another origin for a checkpoint than the job reported that made it."""
    for event, claim in _made(page, lineage, subject):
        if not comes_from(lineage, subject, claim):
            raise RefusalError(
                "refused",
                "checkpoint-reported",
                f"job `{event.job}` reported `{subject.digest}` as its checkpoint, made from `{claim.subject}`",
                f"name `{claim.subject}`, or what was made from it, as the parent: `--parent continue:{claim.subject}`",
            )


def state_multiplier(book: Book, subject: str, low: Fraction, high: Fraction, why: str, speaker: Speaker) -> Entry:
    """State how much effective compute a FLOP is worth in what is trained from a subject (empty: from any).

    Raises:
        RefusalError: if the subject is not declared, the range is turned around, or reaches below one.
    """
    check_words("reason", why)
    if not 1 <= low <= high:
        raise RefusalError(
            "usage",
            "multiplier-range",
            "a FLOP is worth at least one FLOP of effective compute, and the range goes from low to high",
        )

    def prepare(page: Page) -> MultiplierStated:
        check_speaker(page, speaker)
        if subject:
            _check_known(page.records.subjects, subject)
        return MultiplierStated(subject, low, high, why, speaker.name, speaker.role)

    return book.record(prepare)


def _check_parts(subject: Subject) -> None:
    check_name("subject", subject.name)
    check_words("issuer", subject.issuer, 200)
    check_form("issuer", subject.issuer)
    for item in subject.safeguards:
        check_digest("safeguard", item)
    if subject.scaffold:
        check_name("scaffold", subject.scaffold)
    if subject.digest:
        check_digest("digest of the subject", subject.digest)
    if subject.listing:
        check_digest("listing of the subject", subject.listing)
    if subject.kind == "model":
        if subject.weights or subject.safeguards or subject.scaffold:
            raise RefusalError(
                "usage",
                "model-parts",
                "a model has no weights, safeguards or scaffold of its own",
                "declare a system over it: `--kind system --weights MODEL`",
            )
        if not subject.digest:
            raise RefusalError("usage", "digest-missing", "a model needs its files or --digest")
    elif subject.digest:
        raise RefusalError(
            "usage",
            "system-digest",
            "the digest of a system is computed from its weights, safeguards and scaffold",
            "leave the files or --digest out",
        )
    elif subject.parents or subject.compute is not None:
        raise RefusalError(
            "usage",
            "system-lineage",
            "lineage and compute belong to the model behind a system",
        )


def _check_known(known: dict[str, Subject], name: str) -> None:
    if name not in known:
        raise RefusalError(
            "usage",
            "subject-unknown",
            f"no subject `{name:.80}` is declared" if name else "a system needs --weights",
            nearest(name, known) or "`scalegate subject add` declares one",
        )


def _check_twins(subject: Subject, known: dict[str, Subject]) -> None:
    """Refuse the same weights, or the same system, with another past: what was said of it first stands."""
    for other in known.values():
        same = (other.kind, other.issuer, other.weights, other.compute, other.lineage_declared) == (
            subject.kind, subject.issuer, subject.weights, subject.compute, subject.lineage_declared
        )  # fmt: skip
        if other.digest == subject.digest and not (same and set(other.parents) == set(subject.parents)):
            raise RefusalError(
                "refused",
                "digest-declared",
                f"`{subject.digest}` is declared as `{other.name}`: {_past(other)}",
                "the same files have one past; what was said of them first stands",
            )


def _past(subject: Subject) -> str:
    """Return kind, lineage, compute and weights of a subject, in words."""
    if subject.kind == "system":
        return f"a system over {subject.weights}"
    edges = ", ".join(sorted(f"{edge.kind} {edge.parent}" for edge in subject.parents))
    unsaid = "from scratch" if subject.lineage_declared else "of unknown lineage"
    compute = subject.compute
    spent = "unknown compute" if compute is None else f"{show_flop(compute.low)}..{show_flop(compute.high)} FLOP"
    return f"a model of {subject.issuer}, {edges or unsaid}, {spent}"


def declaration_warnings(book: Book, subject: Subject) -> tuple[str, ...]:
    """Return what a declaration leaves open: an issuer whom no adopted policy of a lab binds, lineage, compute."""
    found = []
    issuers = {kernel.issuer for kernel in adopted(book.page()).values() if kernel.kind == "policy"}
    if issuers and subject.issuer not in issuers:
        shown = ", ".join(f"`{name}`" for name in sorted(issuers))
        found.append(f"the issuer `{subject.issuer}` is not that of the adopted policy ({shown})")
    if subject.kind == "model" and not subject.lineage_declared:
        found.append("nobody said where it comes from: it inherits every crossing of the issuer")
    if subject.kind == "model" and subject.compute is None:
        found.append("nobody said what was spent on it: its effective compute has no upper end")
    return tuple(found)


def _digest(subject: Subject, known: dict[str, Subject]) -> str:
    """Return the digest of a subject; a system's covers weights, safeguards and scaffold."""
    if subject.kind == "model":
        return subject.digest
    safeguards: list[Plain] = [*sorted(subject.safeguards)]
    return digest(
        {
            "safeguards": safeguards,
            "scaffold": subject.scaffold,
            "weights": known[subject.weights].digest,
        }
    )
