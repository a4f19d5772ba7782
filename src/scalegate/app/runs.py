"""Evaluation runs: registered before they happen, reported once, voided or retracted in the open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scalegate.app.bindings import check_speaker, find_evaluation
from scalegate.app.book import Book, Page, Speaker, check_name, check_words
from scalegate.app.refusal import RefusalError, nearest
from scalegate.app.sampling import compare, draw, units_of
from scalegate.audit import recount
from scalegate.audit.chosen import RecountError
from scalegate.audit.claims import contradiction, thresholds
from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.core.events import DefectRetracted, Entry, RunRegistered, RunVoided
from scalegate.core.kernel import Evaluation
from scalegate.gate.records import Run
from scalegate.ingest.prml import MAX_MANIFEST, Manifest, PrmlError, read_manifest

MAX_ITEMS = 10_000_000
MAX_WORD = 400
ORDER = "developer"


@dataclass(frozen=True, slots=True)
class Registration:
    """What is registered before a run.

    Attributes:
        run: its id.
        evaluation: name, `policy/name` or digest of the evaluation.
        subject: the subject's name.
        items: planned number of items, or of clusters in a sequential run; 0 takes all `item_ids`.
        item_ids: ids of the planned items; empty when only their number is planned.
        report_by: after this instant a run without a result is missing.
        elicitation, scaffold: empty for none.
        methods: method cards that the run follows.
        task, scorer, model: what the log must name, in the words of its harness; empty for whatever it names.
        sequential: look at the run after every item, and let it end as soon as every threshold is answered.
        clusters: for each of `item_ids`, which others it belongs with; empty where each is one of its own.
        audits: the run of which a random part is run again; empty for none.
        reported: what that run came to, by item: `1`, `0` or `-`.
        manifest: bytes of a PRML manifest that fixes the bar beforehand; empty for none.
    """

    run: str
    evaluation: str
    subject: str
    items: int
    report_by: int
    item_ids: tuple[str, ...] = ()
    elicitation: str = ""
    scaffold: str = ""
    methods: tuple[str, ...] = ()
    task: str = ""
    scorer: str = ""
    model: str = ""
    sequential: bool = False
    clusters: tuple[str, ...] = ()
    audits: str = ""
    reported: Mapping[str, str] = field(default_factory=dict)
    manifest: bytes = b""


def read_item_ids(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the item ids of a file, one a line, sorted, and the cluster of each where a tab and its name follow.

    Raises:
        RefusalError: if it cannot be read, is not UTF-8, names an item twice, or clusters for some items only.
    """
    try:
        lines = path.read_bytes().decode("utf-8").splitlines()
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RefusalError("malformed", "items-not-text", f"`{path}` is not UTF-8") from error
    found = sorted(line.partition("\t")[::2] for line in lines if line)
    ids, clusters = tuple(item for item, _ in found), tuple(cluster for _, cluster in found)
    if len(set(ids)) != len(ids):
        raise RefusalError("malformed", "items-twice", f"`{path}` names an item twice")
    if any(clusters) and not all(clusters):
        raise RefusalError("malformed", "clusters-partial", f"`{path}` names a cluster for some items, and not for all")
    return ids, clusters if any(clusters) else ()


def read_claim(path: Path) -> bytes:
    """Return the bytes of a manifest, one too many of a file that is too long for one.

    Raises:
        RefusalError: if it cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    if not data:
        raise RefusalError("malformed", "manifest-malformed", f"`{path}` is empty, and no PRML manifest")
    return data


def register(book: Book, plan: Registration, speaker: Speaker) -> tuple[Entry, tuple[str, ...]]:
    """Register a run; returns the entry and warnings about what would not count later.

    Raises:
        RefusalError: if the id is taken, evaluation, subject or a method card is unknown, or the manifest is none or
            contradicts the registration.
    """
    check_name("run", plan.run)
    for what, text in (("elicitation", plan.elicitation), ("scaffold", plan.scaffold)):
        if text:
            check_name(what, text)
    for what, text in (("task", plan.task), ("scorer", plan.scorer), ("model", plan.model)):
        if text:
            check_words(what, text, MAX_WORD)
    items = plan.items or len(plan.item_ids)
    part = plan.sequential and items < len(plan.item_ids)
    if not 0 < items <= MAX_ITEMS or (plan.item_ids and items != len(plan.item_ids) and not part):
        raise RefusalError("usage", "items-impossible", "the number of items is not that of the ids, or is none")
    ids: list[Plain] = list(plan.item_ids)
    digest = book.keep(canonical_bytes(ids)) if ids else ""
    manifest = _manifest(plan.manifest)
    claims = (book.keep(plan.manifest),) if manifest is not None else ()
    warnings: list[str] = []

    def prepare(page: Page) -> RunRegistered:
        check_speaker(page, speaker)
        evaluation = find_evaluation(page, plan.evaluation)
        _check_plan(page, plan)
        warnings[:] = _warnings(evaluation, plan, speaker)
        bare = RunRegistered(
            plan.run,
            evaluation.digest or "",
            plan.subject,
            plan.elicitation,
            plan.scaffold,
            items,
            digest,
            plan.report_by,
            plan.methods,
            ORDER,
            speaker.name,
            speaker.role,
            plan.task,
            plan.scorer,
            plan.model,
            claims=claims,
        )
        planned = _sampled(book, page, bare, plan, evaluation) if plan.sequential else bare
        if manifest is not None:
            _check_manifest(page, manifest, planned, evaluation)
        return planned

    return book.record(prepare), tuple(warnings)


def _sampled(book: Book, page: Page, bare: RunRegistered, plan: Registration, evaluation: Evaluation) -> RunRegistered:
    drawn = draw(book, page, bare, units_of(plan.item_ids, plan.clusters), evaluation, audits=bool(plan.audits))
    return compare(book, drawn, plan.audits, plan.reported) if plan.audits else drawn


def _manifest(data: bytes) -> Manifest | None:
    try:
        return read_manifest(data) if data else None
    except PrmlError as error:
        raise RefusalError("malformed", "manifest-malformed", f"the file is no PRML manifest: {error}") from error


def _check_manifest(page: Page, manifest: Manifest, plan: RunRegistered, evaluation: Evaluation) -> None:
    known = thresholds([kernel for _, kernel in page.force.every], plan.evaluation)
    wrong = contradiction(manifest, plan, evaluation, known)
    if wrong:
        raise RefusalError(
            "refused",
            "manifest-contradicts",
            f"the manifest contradicts the registration: {wrong}",
            "register what the manifest says, or lock another manifest: others will compare the two",
        )


def _check_plan(page: Page, plan: Registration) -> None:
    records = page.records
    if plan.run in records.runs:
        raise RefusalError("refused", "run-registered", f"run `{plan.run}` is registered already")
    if plan.subject not in records.subjects:
        raise RefusalError(
            "usage",
            "subject-unknown",
            f"no subject `{plan.subject:.80}` is declared",
            nearest(plan.subject, records.subjects) or "`scalegate subject add` declares one",
        )
    cards = {event.card for _, event in records.methods}
    for card in plan.methods:
        if card not in cards:
            raise RefusalError("usage", "method-unknown", f"no method card `{card:.80}`", nearest(card, cards))
    if plan.report_by <= page.now:
        raise RefusalError("usage", "report-past", "--report-by must lie in the future")


def _warnings(evaluation: Evaluation, plan: Registration, speaker: Speaker) -> list[str]:
    found = []
    if evaluation.by is not None and speaker.role != evaluation.by:
        found.append(f"the policy counts `{evaluation.id}` only by role `{evaluation.by}`")
    if evaluation.elicited_by and plan.elicitation not in evaluation.elicited_by:
        asked = ", ".join(evaluation.elicited_by)
        found.append(f"the policy asks for elicitation by {asked}; this is one more stratum")
    open_words = [word for word, said in (("task", plan.task), ("model", plan.model)) if not said]
    if open_words:
        short = " and ".join(f"`{word} not registered`" for word in open_words)
        found.append(f"a result will be recorded with {short}; --task and --model name what the log must be of")
    if not plan.scorer:
        found.append("no scorer is registered: a log with several scores will not count in favor of a permit")
    if not plan.item_ids:
        found.append("no items are registered: a log that may hold a part of them will not count in favor of a permit")
    return found


def find_run(page: Page, name: str) -> Run:
    """Return a registered run.

    Raises:
        RefusalError: if there is none of that name.
    """
    found = page.records.runs.get(name)
    if found is None:
        raise RefusalError(
            "refused",
            "run-unregistered",
            f"run `{name:.80}` was never registered",
            nearest(name, page.records.runs) or "`scalegate evidence register` comes first",
        )
    return found


def planned_items(book: Book, plan: RunRegistered) -> int | Collection[str]:
    """Return the registered item ids of a run, or their number where only that was registered.

    Raises:
        RefusalError: if the ids are not kept, or not what was registered.
    """
    with refusals():
        return recount.planned_items(book.store.get_blob, plan)


def planned_units(book: Book, plan: RunRegistered) -> tuple[tuple[str, ...], ...]:
    """Return the items of each sample of a run with a sampling plan, in their registered order.

    Raises:
        RefusalError: if the order is not kept or not drawn yet, is not what was registered, or nobody registered one.
    """
    with refusals():
        return recount.planned_units(book.store.get_blob, plan)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what counting raises into refusals."""
    try:
        yield
    except RecountError as error:
        raise RefusalError(error.kind, error.code, error.message, error.hint) from error


def void(book: Book, run: str, why: str, speaker: Speaker) -> Entry:
    """Void a crashed run that has no result; the gate counts it under a role independent of the developer.

    Raises:
        RefusalError: if the run is unknown or has a result.
    """
    check_words("reason", why)

    def prepare(page: Page) -> RunVoided:
        check_speaker(page, speaker)
        found = find_run(page, run)
        if found.result is not None:
            raise RefusalError(
                "refused",
                "run-reported",
                f"run `{run}` has a result, which no void removes",
                "`scalegate evidence retract` names a defect that does not depend on the score",
            )
        return RunVoided(run, why, speaker.name, speaker.role)

    return book.record(prepare)


def retract(book: Book, defect: str, runs: tuple[str, ...], evaluation: str, speaker: Speaker) -> Entry:
    """Retract every run that shares a defect, passes included.

    Raises:
        RefusalError: if neither a run nor an evaluation is named, or one is unknown.
    """
    check_words("defect", defect)
    if not runs and not evaluation:
        raise RefusalError("usage", "retraction-empty", "name runs, or an evaluation for all of them")

    def prepare(page: Page) -> DefectRetracted:
        check_speaker(page, speaker)
        for run in runs:
            find_run(page, run)
        digest = find_evaluation(page, evaluation).digest or "" if evaluation else ""
        return DefectRetracted(defect, runs, digest, speaker.name, speaker.role)

    return book.record(prepare)
