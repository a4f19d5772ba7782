"""Samples of one log as a compact table: what a score needs of them, and nothing that a model wrote at length."""

from __future__ import annotations

from typing import Any

from scalegate.core.reading import ItemId
from scalegate.ingest.fingerprint import STARTED
from scalegate.ingest.inspect_header import instant
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.score_values import missing_reason

SAMPLE_FIELDS = frozenset({"id", "epoch", "scores", "score", "error", "limit", "invalidation", STARTED})
SUMMARY_FIELDS = frozenset({"id", "epoch", "scores", "score", "error", "limit"})

LEGACY_SCORER = ""
"""Scorer of the legacy field `score`, which does not name it."""

NO_DIGEST = bytes(32)


class Absent:
    """Type of `ABSENT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""Stands where a sample has no score of a scorer."""


class SampleTable:
    """Rows of samples (or of their summaries), scores by scorer.

    Attributes:
        ids: item of each row.
        epochs: try of each row.
        index: row by item (as text, the way Inspect groups) and try.
        values: raw value of each row, by scorer; a value may be a list or a dictionary.
        reasons: why a score says nothing although it has a value, by scorer and row.
        errors: rows that ended in an error.
        limits: rows that ran into a limit.
        invalidated: rows that somebody declared invalid.
        edited: rows with a score that was changed after the run.
        digests: 32 bytes of SHA-256 for each row.
        began: when the first sample began, in seconds UTC; None where no sample says so.
    """

    __slots__ = (
        "began",
        "digests",
        "edited",
        "epochs",
        "errors",
        "ids",
        "index",
        "invalidated",
        "limits",
        "reasons",
        "values",
    )

    def __init__(self) -> None:
        self.ids: list[ItemId] = []
        self.epochs: list[int] = []
        self.index: dict[tuple[str, int], int] = {}
        self.values: dict[str, list[Any]] = {}
        self.reasons: dict[tuple[str, int], str] = {}
        self.errors: set[int] = set()
        self.limits: set[int] = set()
        self.invalidated: set[int] = set()
        self.edited: set[int] = set()
        self.digests = bytearray()
        self.began: int | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, sample: dict[str, Any], where: str, digest: bytes = NO_DIGEST) -> None:
        """Append a sample, given the fields of `SAMPLE_FIELDS` that it has.

        Raises:
            ObjectionError: E206 for fields of the wrong type, E408 for a second sample of the same try.
        """
        item, epoch = sample.get("id"), sample.get("epoch", 1)
        if isinstance(item, bool) or not isinstance(item, int | str):
            raise ObjectionError("E206", "`id` must be text or an integer", where)
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
            raise ObjectionError("E206", "`epoch` must be a positive integer", where)
        row = len(self.ids)
        if self.index.setdefault((str(item), epoch), row) != row:
            raise ObjectionError("E408", f"item {quoted(str(item))}, try {epoch}", where)
        self.ids.append(item)
        self.epochs.append(epoch)
        self.digests += digest
        moment = instant(sample.get(STARTED))
        if moment is not None and (self.began is None or moment < self.began):
            self.began = moment
        if sample.get("error") is not None:
            self.errors.add(row)
        if sample.get("limit") is not None:
            self.limits.add(row)
        if sample.get("invalidation") is not None:
            self.invalidated.add(row)
        self._add_scores(_scores(sample, where), row, where)

    def _add_scores(self, scores: dict[str, Any], row: int, where: str) -> None:
        for scorer, score in scores.items():
            if not isinstance(score, dict) or "value" not in score:
                raise ObjectionError("E206", f"score of {quoted(scorer)} has no value", where)
            values = self.values.get(scorer)
            if values is None:
                values = self.values[scorer] = [ABSENT] * row
            values.append(score["value"])
            if score.get("history"):
                self.edited.add(row)
            reason = missing_reason(score)
            if reason:
                self.reasons[scorer, row] = reason
        if len(scores) < len(self.values):
            for values in self.values.values():
                if len(values) == row:
                    values.append(ABSENT)

    def scored(self, row: int) -> bool:
        """Tell whether the row has any score."""
        return any(values[row] is not ABSENT for values in self.values.values())


def _scores(sample: dict[str, Any], where: str) -> dict[str, Any]:
    scores = sample.get("scores")
    legacy = sample.get("score")
    if legacy is not None:
        if scores is not None:
            raise ObjectionError("E206", "both `score` and `scores`", where)
        return {LEGACY_SCORER: legacy}
    if scores is None:
        return {}
    if not isinstance(scores, dict):
        raise ObjectionError("E206", "`scores` must be an object", where)
    return scores
