"""Whose job made a checkpoint: what its reports say, against where it is declared to come from."""

from __future__ import annotations

from scalegate.core.job_events import PermitClaimed
from scalegate.core.subject import WEIGHT_EDGES, Subject
from scalegate.gate.lineage import Lineage


def is_start(lineage: Lineage, subject: Subject, claim: PermitClaimed) -> bool:
    """Whether a job only began with the files of a subject, which its reports may name, too."""
    known = lineage.subjects.get(claim.subject)
    names = lineage.ancestors(known, WEIGHT_EDGES) & lineage.subjects.keys() if known is not None else set()
    return subject.digest in {claim.digest, *(lineage.subjects[name].digest for name in names)}


def comes_from(lineage: Lineage, subject: Subject, claim: PermitClaimed) -> bool:
    """Whether all weights that a subject is declared to be made from come from what a job was permitted to train."""
    parents = [edge.parent for edge in subject.parents if edge.kind in WEIGHT_EDGES]
    return bool(parents) and all(_descends(lineage, parent, claim.digest) for parent in parents)


def with_teachers(lineage: Lineage, claim: PermitClaimed) -> bool:
    """Whether a claim, and so what its job counted, takes in the teachers of its subject."""
    known = lineage.subjects.get(claim.subject)
    return known is None or claim.spent > lineage.compute(known, teachers=False).high


def _descends(lineage: Lineage, name: str, digest: str) -> bool:
    known = lineage.subjects.get(name)
    if known is None:
        return False
    names = lineage.ancestors(known, WEIGHT_EDGES) & lineage.subjects.keys()
    return any(lineage.subjects[item].digest == digest for item in names)
