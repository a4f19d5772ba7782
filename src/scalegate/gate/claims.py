"""What a claim says beside the permit: what the log knows of the subject, as a job has to take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.decision import Node
from scalegate.core.events import DecisionMade
from scalegate.core.kernel import Kernel
from scalegate.gate.lineage import Lineage
from scalegate.gate.records import Records

ANY = "*"


@dataclass(frozen=True, slots=True)
class Known:
    """What a claim takes from the log.

    Attributes:
        digest, listing: of the subject.
        spent: effective compute that it embodies at most, in FLOP; its teachers count unless no policy counts them.
        factor: effective FLOP for each FLOP, at most.
        scaffolds: what the context admits; `*` alone for any.
    """

    digest: str
    listing: str
    spent: int
    factor: Fraction
    scaffolds: tuple[str, ...]


def known_of(records: Records, kernels: Sequence[Kernel], permit: DecisionMade) -> Known:
    """Return what the log says of the subject of a permit.

    Args:
        records: the log, indexed.
        kernels: the policies in force, and those that the question added.
        permit: the answer.

    Raises:
        KeyError: if the subject is not declared.
    """
    subject = records.subjects[permit.subject]
    lineage = Lineage(records.subjects, records.mitigated())
    concerned = lineage.ancestors(subject) | lineage.model_names(subject)
    twins = [records.subjects[name].listing for name in sorted(lineage.twins[subject.digest])]
    stated = [event.high for _, event in records.multipliers if not event.subject or event.subject in concerned]
    teachers = not kernels or any(kernel.teachers_count for kernel in kernels)
    return Known(
        digest=subject.digest,
        # The same files under another name are the same files, with the names that they had there.
        listing=subject.listing or next(filter(None, twins), ""),
        spent=lineage.compute(subject, teachers=teachers).high,
        factor=max([Fraction(1), *stated]),
        scaffolds=_scaffolds(kernels, permit.action, permit.context),
    )


def _scaffolds(kernels: Sequence[Kernel], action: str, context: str) -> tuple[str, ...]:
    """Return the scaffolds that every policy admits that describes the context; any where none does."""
    described = [kernel.contexts[context] for kernel in kernels if context in kernel.contexts]
    named = [set(item.scaffolds) for item in described if item.action == action and item.scaffolds is not None]
    return tuple(sorted(set.intersection(*named))) if named else (ANY,)


def evidence_in(tree: Node) -> tuple[str, ...]:
    """Return the digests of all evidence that an argument cites, sorted."""
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        found.update(node.evidence)
        todo += node.children
    return tuple(sorted(found))
