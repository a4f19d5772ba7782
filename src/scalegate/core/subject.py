"""Subjects: models and systems, where they come from, and what was spent on making them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scalegate.core.quantities import ComputeRange

# Weight edges carry latches to descendants; data edges (distillation, synthetic data) carry none.
WeightEdge = Literal["continue", "fine-tune", "merge", "prune", "unlearn"]
DataEdge = Literal["distill", "synthetic-data"]
EdgeKind = Literal["continue", "fine-tune", "merge", "prune", "unlearn", "distill", "synthetic-data"]

WEIGHT_EDGES = frozenset({"continue", "fine-tune", "merge", "prune", "unlearn"})
# Only these, from a single parent, hand favorable capability evidence on.
FAVORABLE_EDGES = frozenset({"continue", "fine-tune"})
EDGES = WEIGHT_EDGES | {"distill", "synthetic-data"}


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of the lineage, from `parent` (a subject's name)."""

    parent: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Subject:
    """A model (weights) or a system (weights, safeguards, scaffold) that may be evaluated, trained or deployed.

    Attributes:
        name: how the store refers to it; unique.
        digest: digest of the model's files, or of the system's parts.
        issuer: whose it is.
        kind: `model` or `system`.
        parents: lineage edges of a model; empty with `lineage_declared` False means nobody said.
        compute: FLOP spent on this subject itself, beyond its parents; None when unknown.
        made_at: when the checkpoint was taken, seconds since 1970.
        weights: for a system, the name of its model.
        safeguards: for a system, the digests of the safeguards in front of the weights.
        scaffold: for a system, the scaffold around it; empty for none.
        listing: for a model, the digest of the list of its files, names included; empty where only `digest` was given.
    """

    name: str
    digest: str
    issuer: str
    kind: Literal["model", "system"]
    parents: tuple[Edge, ...]
    lineage_declared: bool
    compute: ComputeRange | None
    made_at: int
    weights: str = ""
    safeguards: tuple[str, ...] = ()
    scaffold: str = ""
    listing: str = ""
