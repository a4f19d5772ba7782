"""What a reader found in a log of evaluations: scores, aggregates, provenance, and every objection.

A `Reading` is a value: it names its bytes by digest, keeps exact scores, and carries its own refusal. Nothing
here opens a file; the readers are in `scalegate.ingest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from scalegate.core.canonical import digest, digest_bytes

Severity = Literal["untrusted", "malformed", "refused", "inconclusive", "provenance", "note"]
Harness = Literal["inspect", "lm-eval", "unknown"]
EvidenceClass = Literal["samples", "aggregate"]
ItemId = str | int

REFUSING: tuple[Severity, ...] = ("untrusted", "malformed", "refused", "inconclusive")
"""Severities that keep a log out of evidence, worst first."""

BEGAN_EARLIER: Final = "began before registration"
NOT_DATED: Final = "start not dated"
"""Shortfalls of a run that may have been chosen by its outcome: nobody shows that it was registered first."""

NO_SCORER: Final = "scorer not registered"
NO_ITEMS: Final = "items not registered"
"""Shortfalls of a result that may have been picked by its scores: what counts was open when they were known."""

SHORTFALLS: Mapping[str, str] = {
    "E117": "stray bytes",
    "E601": "dirty revision",
    "E602": "absent revision",
    "E603": "short commit hash",
    "E604": "no weights digest",
    "E605": "no dataset digest",
    "E606": "unknown harness version",
    "E607": "partial data set",
    "E608": "edited metadata",
    "E609": BEGAN_EARLIER,
    "E610": NOT_DATED,
    "E611": NO_SCORER,
    "E612": NO_ITEMS,
    "E613": "task not registered",
    "E614": "model not registered",
}
"""What policies call the shortfalls of provenance, in `refuse provenance`, by the code of their finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with, or worth knowing about, a log.

    Attributes:
        code: stable identifier such as `E403`; one per reason.
        severity: `untrusted`, `malformed`, `refused` and `inconclusive` keep the log out of evidence;
            `provenance` lowers what is known about its origin; `note` only informs.
        message: one sentence; text taken from the log stands in backticks and is escaped.
        where: the member, field or sample concerned (may be empty).
    """

    code: str
    severity: Severity
    message: str
    where: str = ""


def worst(findings: tuple[Finding, ...]) -> Finding | None:
    """Return the first finding of the worst refusing severity, or None when nothing refuses."""
    for severity in REFUSING:
        for finding in findings:
            if finding.severity == severity:
                return finding
    return None


@dataclass(frozen=True, slots=True)
class ItemScore:
    """The score of one try at one item.

    Attributes:
        item: id of the item; ints stay ints, whatever their size.
        epoch: number of the try, from 1.
        value: exact score, None exactly when `missing` says why there is none.
        missing: empty, or `absent`, `unscored`, `refused`, `error`, `limit`, `invalidated`, `unconvertible`, or a
            reason that the harness recorded (`no_response`, `invalid_response_format`, `grader_failed`,
            `scoring_failed`).
    """

    item: ItemId
    epoch: int
    value: Fraction | None
    missing: str = ""

    def __post_init__(self) -> None:
        """Refuse a score that is both there and missing, or neither.

        Raises:
            ValueError: `value` and `missing` contradict each other.
        """
        if (self.value is None) != bool(self.missing):
            raise ValueError("a score is missing exactly when it has no value")


@dataclass(frozen=True, slots=True)
class Column:
    """All scores of one scorer (or of one key of a scorer that returns several), item by item.

    The scores are kept as parallel tuples, shared between the columns of one log, so that 20,000 samples cost
    well under a megabyte; iteration builds `ItemScore` values on the way.

    Attributes:
        scorer: `name`, or `name/key` for scorers that return a list or a dictionary.
        items: item of each score.
        epochs: try of each score.
        values: exact score of each, None where missing.
        missing: reason of each, empty where there is a value.
    """

    scorer: str
    items: tuple[ItemId, ...] = field(repr=False)
    epochs: tuple[int, ...] = field(repr=False)
    values: tuple[Fraction | None, ...] = field(repr=False)
    missing: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse tuples of different lengths.

        Raises:
            ValueError: the four tuples do not describe the same scores.
        """
        if not len(self.items) == len(self.epochs) == len(self.values) == len(self.missing):
            raise ValueError("the parts of a column have different lengths")

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ItemScore]:
        rows = zip(self.items, self.epochs, self.values, self.missing, strict=True)
        return (ItemScore(*row) for row in rows)

    def __getitem__(self, index: int) -> ItemScore:
        return ItemScore(self.items[index], self.epochs[index], self.values[index], self.missing[index])


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A number that the harness computed, as it reported it.

    Attributes:
        task: task it is about.
        metric: name of the metric, with scorer, filter and reducer where the harness names them.
        value: as reported; None when it was reported as not a number.
        stderr: reported standard error of `value`, if any.
        n: number of items behind it, if known.
        n_derived: `n` was computed from `value` and `stderr`, nobody reported it.
    """

    task: str
    metric: str
    value: Fraction | None
    stderr: Fraction | None = None
    n: int | None = None
    n_derived: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything a gate may use of one log, and every reason why it may not.

    Attributes:
        digest: `sha256:` and the hex digest of the bytes that were read; empty if nothing could be read.
        size: their number.
        harness: which tool wrote the log.
        harness_version: as written in the log, empty if it is not.
        layout: `eval`, `eval-chunked`, `json`, `results-0.3`, `results-0.4`, `samples`, or empty.
        task: name of the task; several are joined by a comma.
        task_version: as text.
        model: name of the model as the log gives it; no digest of weights.
        status: final status, in the harness's word.
        created: start, in seconds UTC, None if unknown.
        completed: end, in seconds UTC, None if unknown.
        planned: ids of the planned items, in their order; empty when the log does not name them.
        planned_count: number of planned items, None if unknown.
        epochs: planned tries per item.
        columns: one per scorer, in planned order, absent tries included.
        aggregates: what the harness computed.
        evidence_class: `aggregate` can be reported and is never enough for a sequential decision.
        sample_digests: 32 bytes of SHA-256 per sample, in the order of the columns, over what was parsed of it, so
            that white space and the order of keys do not matter; all zero where the sample is absent.
        provenance: facts that lower what is known about the origin.
        findings: all objections and notes, in the order of discovery.
    """

    digest: str
    size: int
    harness: Harness
    harness_version: str = ""
    layout: str = ""
    task: str = ""
    task_version: str = ""
    model: str = ""
    status: str = ""
    created: int | None = None
    completed: int | None = None
    planned: tuple[ItemId, ...] = field(default=(), repr=False)
    planned_count: int | None = None
    epochs: int = 1
    columns: tuple[Column, ...] = ()
    aggregates: tuple[Aggregate, ...] = field(default=(), repr=False)
    evidence_class: EvidenceClass = "samples"
    sample_digests: bytes = field(default=b"", repr=False)
    provenance: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def refusal(self) -> Finding | None:
        """The worst objection, or None when the log is admissible."""
        return worst(self.findings)

    @property
    def content(self) -> str:
        """Digest over the samples in any order, or else over the totals; empty where there is neither."""
        parts = [self.sample_digests[at : at + 32] for at in range(0, len(self.sample_digests), 32)]
        found = sorted(part for part in parts if any(part))
        if found:
            return digest_bytes(b"".join(found))
        if not self.aggregates:
            return ""
        totals = [f"{item.task} {item.metric} {item.value} {item.stderr} {item.n}" for item in self.aggregates]
        return digest([self.task, self.model, str(self.created), *sorted(totals)])

    def column(self, scorer: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((column for column in self.columns if column.scorer == scorer), None)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over planned items under one rule; what a statistical test starts from.

    `successes + failures + missing == planned` whenever nothing refuses; a refused tally counts every planned
    item as missing.

    Attributes:
        planned: items that were registered, or else planned by the log.
        successes: items that are successes whatever the missing tries would have been.
        failures: items that are failures whatever the missing tries would have been.
        missing: all others.
        binary: every score seen was 0 or 1.
        partial: scores seen that were neither.
        findings: objections to this tally, those of its reading included.
    """

    planned: int
    successes: int
    failures: int
    missing: int
    binary: bool
    partial: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def refusal(self) -> Finding | None:
        """The worst objection, or None when the counts may be used."""
        return worst(self.findings)


@dataclass(frozen=True, slots=True)
class SingleTry:
    """The score of an item is its one try; more tries are one cluster, and not binary."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """An item is a success when at least `successes` of its `tries` tries are.

    Attributes:
        successes: from 1 to `tries`.
        tries: planned tries per item.
    """

    successes: int
    tries: int

    def __post_init__(self) -> None:
        """Refuse a rule that nothing or everything fulfills.

        Raises:
            ValueError: `successes` is not between 1 and `tries`.
        """
        if not 1 <= self.successes <= self.tries:
            raise ValueError("a rule needs between one success and as many as there are tries")


TallyRule = SingleTry | AtLeast
