"""What a log says in the words of others: in-toto predicates that tools for software supply chains know.

For each answer of the gate a verification summary (SLSA VSA), and for a permit a verification result (SVR); for each
result a test result. A permit that was revoked is a summary that failed, as of when it was revoked, and no result.
Whoever only knows those can act on them. They follow from the log alone, so that an audit makes them again: a statement
among them that the log does not make was minted outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.outcomes import evaluations_of
from scalegate.audit.report import Report
from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.core.events import DecisionMade, Entry, PermitRevoked, PolicyAdopted, ResultReported, SubjectDeclared
from scalegate.core.kernel import Evaluation
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.sampling import asked, looked_at
from scalegate.ledger.dsse import IN_TOTO, MAX_ENVELOPE, STATEMENT, DsseError, Envelope, verify_envelope
from scalegate.ledger.predicates import Predicate, PredicateError, svr, test_result, vsa
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.sigstore import BundleError as SigstoreError
from scalegate.ledger.sigstore import parse_bundle
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import GATE
from scalegate.stats.binomial import BoundError, Interval, interval
from scalegate.stats.pooling import pooled

FOLDER = "attestations/"
SUFFIX = ".sigstore.json"


@dataclass(frozen=True, slots=True)
class View:
    """One statement: the name of its file, and the payload that is signed."""

    name: str
    payload: bytes


def views(entries: Sequence[Entry]) -> Iterator[View]:
    """Yield every statement that a log makes in public words, in the order of the log."""
    chronicle = Chronicle()
    evaluations: dict[str, Evaluation] = {}
    models: dict[str, str] = {}
    revoked: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.event, PermitRevoked):
            revoked.setdefault(entry.event.decision, entry.at)
    for entry in entries:
        event = entry.event
        chronicle.add(entry)
        match event:
            case PolicyAdopted():
                evaluations |= evaluations_of(event)
            case SubjectDeclared(subject=subject):
                models.setdefault(subject.name, subject.digest)
            case DecisionMade() if event.subject in models:
                yield from _answer(event, entry.at, models[event.subject], revoked.get(event.decision))
            case ResultReported():
                yield from _result(chronicle, evaluations, models, event)
            case _:
                pass


def _answer(event: DecisionMade, at: int, about: str, revoked: int | None) -> Iterator[View]:
    name = f"answer-{event.number}"
    if revoked is not None:
        # Public words know no end of a permit but its own: whoever reads them today must not read that it passed.
        ended = replace(event, answer="hold", limit=0, expires=0)
        yield from _view(f"{name}.vsa", event.subject, about, partial(vsa, ended, revoked))
        return
    yield from _view(f"{name}.vsa", event.subject, about, partial(vsa, event, at))
    if event.answer == "permit":
        yield from _view(f"{name}.svr", event.subject, about, partial(svr, event, at))


def _result(
    chronicle: Chronicle, evaluations: Mapping[str, Evaluation], models: Mapping[str, str], event: ResultReported
) -> Iterator[View]:
    run = chronicle.run(event.run)
    if (
        run is None
        or run.result is not event
        or run.plan.subject not in models
        or run.plan.evaluation not in evaluations
    ):
        return
    plan, about = run.plan, models[run.plan.subject]
    passed = _cleared(chronicle, evaluations[plan.evaluation], event)
    yield from _view(
        f"run-{run.entry.index}.test-result",
        plan.subject,
        about,
        lambda: test_result(event, plan, about, passed=passed),
    )


def _cleared(chronicle: Chronicle, evaluation: Evaluation, event: ResultReported) -> bool:
    """Whether the result alone shows that no threshold of a policy was crossed."""
    run = chronicle.run(event.run)
    if run is None or run.result_entry is None:
        return False
    _, force = chronicle.at(run.result_entry.at)
    found = asked(force.kernels, evaluation.digest or "", Fraction(1))
    shown = _shown(evaluation, event, chronicle)
    return bool(found) and shown is not None and all(shown.upper <= question.constant for question in found)


def _shown(evaluation: Evaluation, event: ResultReported, chronicle: Chronicle) -> Interval | None:
    run = chronicle.run(event.run)
    errors = evaluation.wrongly_stopped, evaluation.wrongly_cleared
    try:
        if run is None or run.plan.sampling is None:
            return interval(event.successes, event.failures, event.missing, *errors)
        counts = looked_at(evaluation, run.plan, event)
        if counts is None:
            return None
        bounds = pooled([counts], *errors)
        return Interval(bounds.lower, bounds.upper)
    except BoundError:
        return None


def _view(name: str, subject: str, model: str, predicate: Callable[[], Predicate]) -> Iterator[View]:
    try:
        kind, body = predicate()
    except PredicateError:
        return  # no public words say it truly: our own entry does
    about: list[Plain] = [{"name": subject, "digest": {"sha256": model.removeprefix("sha256:")}}]
    statement: dict[str, Plain] = {"_type": STATEMENT, "subject": about, "predicateType": kind, "predicate": body}
    yield View(f"{FOLDER}{name}{SUFFIX}", canonical_bytes(statement))


def gates_of(standing: Standing) -> list[PublicKey]:
    """Return the keys that speak for a log."""
    trust = standing.trust
    names = [item.name for item in trust.speakers if GATE in item.roles] if trust is not None else []
    keys = [standing.key_of(name) for name in names]
    return [key for key in keys if key is not None and key not in standing.revoked]


def audit_attestations(bundle: Bundle, audited: Audited, gates: list[PublicKey], report: Report) -> None:
    """Check that every public statement in a bundle is one that the log makes, and that a gate signed it."""
    names = bundle.named(FOLDER)
    if not names:
        return
    known = {view.name: view.payload for view in views(audited.entries)}
    good = 0
    for name in names:
        wrong = _wrong(bundle, name, known.get(name), gates)
        if wrong:
            report.add("attestations", "untrusted", f"{name}: {wrong}")
        good += not wrong
    if good:
        report.add("attestations", "passed", f"{good} public statements say what the log says, signed by its gate")


def _wrong(bundle: Bundle, name: str, payload: bytes | None, gates: list[PublicKey]) -> str:
    if payload is None:
        return "the log makes no such statement: it was made outside of it"
    try:
        with (bundle.folder / name).open("rb") as file:
            envelope = parse_bundle(file.read(MAX_ENVELOPE + 1)).content
        if not isinstance(envelope, Envelope):
            return "it holds no statement"
        if envelope.payload != payload:
            return "it says something else than the log"
        verify_envelope(envelope, gates, IN_TOTO)
    except (OSError, SigstoreError, DsseError, BundleError) as error:
        return str(error)
    return ""
