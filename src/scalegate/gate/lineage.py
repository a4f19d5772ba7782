"""Where models come from: what was spent on them, whose latches they carry, whose favorable evidence they may use."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.quantities import UNBOUNDED, ComputeRange
from scalegate.core.subject import FAVORABLE_EDGES, WEIGHT_EDGES, Subject

UNKNOWN_COMPUTE = ComputeRange(0, UNBOUNDED)


@dataclass(frozen=True, slots=True)
class Link:
    """A model whose favorable capability evidence a subject may use.

    `same_run` is True when only `continue` edges lie between them: the algorithmic multiplier then cancels.
    """

    subject: Subject
    same_run: bool


class Lineage:
    """Questions about the declared subjects; every answer is conservative where the declaration is silent."""

    def __init__(self, subjects: dict[str, Subject], mitigated: frozenset[str] = frozenset()) -> None:
        """Keep the declared subjects by name; favorable evidence starts anew at the `mitigated` ones."""
        self.subjects = subjects
        self.mitigated = mitigated
        self.twins: dict[str, set[str]] = {}
        for subject in subjects.values():
            self.twins.setdefault(subject.digest, set()).add(subject.name)
        self._computes: dict[tuple[str, bool], ComputeRange] = {}
        self.children: dict[str, set[str]] = {}
        for subject in subjects.values():
            for edge in subject.parents:
                if edge.kind in WEIGHT_EDGES:
                    self.children.setdefault(edge.parent, set()).add(subject.name)

    def model_of(self, subject: Subject) -> Subject | None:
        """Return the weights of a system, or the model itself.

        None when the weights are not declared, or when the same digest was declared over other weights too.
        """
        if subject.kind != "system":
            return subject
        under = {self.subjects[twin].weights for twin in self.twins[subject.digest]}
        return self.subjects.get(subject.weights) if under == {subject.weights} else None

    def ancestors(self, subject: Subject, edges: frozenset[str] | None = None) -> set[str]:
        """Return the names of a subject and all its ancestors along `edges` (all kinds when None)."""
        seen: set[str] = set()
        todo = [subject.name]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            known = self.subjects.get(name)
            parents = known.parents if known else ()
            todo.extend(edge.parent for edge in parents if edges is None or edge.kind in edges)
        return seen

    def descendants(self, name: str) -> set[str]:
        """Return the names of all descendants along weight edges, without the subject itself."""
        seen: set[str] = set()
        todo = list(self.children.get(name, ()))
        while todo:
            child = todo.pop()
            if child not in seen and child != name:
                seen.add(child)
                todo.extend(self.children.get(child, ()))
        return seen

    def compute(self, subject: Subject, *, teachers: bool = True) -> ComputeRange:
        """Return the effective compute of a subject: its own and each ancestor's once.

        Teachers along data edges count unless stated otherwise. An undeclared lineage, ancestor or amount leaves the
        upper end open.
        """
        model = self.model_of(subject)
        if model is None:
            return UNKNOWN_COMPUTE
        key = (model.name, teachers)
        if key not in self._computes:
            self._computes[key] = self._compute(model, teachers=teachers)
        return self._computes[key]

    def spent(self, subject: Subject) -> int:
        """Return the least effective compute that a subject embodies as it was declared, teachers aside.

        Weights that were declared a second time, with less, have not become smaller.
        """
        model = self.model_of(subject)
        return 0 if model is None else self._declared_compute(model, WEIGHT_EDGES).low

    def _compute(self, model: Subject, *, teachers: bool) -> ComputeRange:
        """Return the compute of a model; weights that were declared twice may have had either compute."""
        edges = None if teachers else WEIGHT_EDGES
        plain = self._declared_compute(model, edges)
        low, high = plain.low, plain.high
        for name in self.ancestors(model, edges):
            known = self.subjects.get(name)
            if known is None or len(self.twins[known.digest]) == 1:
                continue
            own = self._declared_compute(known, edges)
            for twin in self.twins[known.digest]:
                other = self._declared_compute(self.subjects[twin], edges)
                low = min(low, max(0, plain.low - own.low + other.low))
                high = UNBOUNDED if UNBOUNDED in (high, other.high) else max(high, plain.high - own.high + other.high)
        return ComputeRange(low, high)

    def _declared_compute(self, model: Subject, edges: frozenset[str] | None) -> ComputeRange:
        total = ComputeRange(0, 0)
        for name in self.ancestors(model, edges):
            known = self.subjects.get(name)
            if known is None or known.compute is None:
                total += UNKNOWN_COMPUTE
                continue
            total += known.compute
            if not known.lineage_declared:
                total += UNKNOWN_COMPUTE
        return total

    def undeclared(self, subject: Subject) -> bool:
        """Whether anything in the weight lineage is not declared."""
        seen: set[str] = set()
        todo = [subject.name]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            known = self.subjects.get(name)
            if known is None or not known.lineage_declared:
                return True
            todo += [edge.parent for edge in known.parents if edge.kind in WEIGHT_EDGES]
            todo += self.twins[known.digest]
        return False

    def latch_sources(self, subject: Subject, allowance: Fraction) -> set[str]:
        """Return the subjects whose crossings this one carries, itself included.

        All weight ancestors; every descendant of one of them (or of the subject) that lies within the elicitation
        allowance of it, because what a little fine-tuning brings out was there; and every subject, whoever is named as
        its issuer, where the lineage is not declared.
        """
        if self.undeclared(subject):
            return set(self.subjects) | {subject.name}
        sources = self._carriers(subject)
        for name in tuple(sources):
            ancestor = self.subjects[name]
            base = self.compute(ancestor)
            for child in self.descendants(name):
                spent = self.compute(self.subjects[child])
                if spent.low - base.high <= allowance * base.high:
                    sources.add(child)
        return sources

    def _carriers(self, subject: Subject) -> set[str]:
        """Return a subject, its weight ancestors, and whatever was declared with the digest of one of them.

        The same weights under another name are the same weights.
        """
        seen: set[str] = set()
        todo = [subject.name]
        while todo:
            name = todo.pop()
            known = self.subjects.get(name)
            if known is not None and name not in seen:
                seen.add(name)
                todo += [edge.parent for edge in known.parents if edge.kind in WEIGHT_EDGES]
                todo += self.twins[known.digest]
        return seen

    def known_once(self, subject: Subject) -> bool:
        """Whether no weights of a lineage were declared twice: else their compute is not surely that of the run."""
        names = self.ancestors(subject)
        return all(name not in self.subjects or len(self.twins[self.subjects[name].digest]) == 1 for name in names)

    def favorable_chain(self, subject: Subject) -> list[Link]:
        """Return the subject and the ancestors whose favorable capability evidence it may use, nearest first.

        Only single-parent continuation or fine-tuning passes it on; a merge, a pruned or unlearned child, a distilled
        student and an undeclared lineage start anew.
        """
        same_run = self.known_once(subject)
        chain = [Link(subject, same_run)]
        seen = {subject.name}
        current = subject
        while current.lineage_declared and len(current.parents) == 1 and current.name not in self.mitigated:
            edge = current.parents[0]
            parent = self.subjects.get(edge.parent)
            if parent is None or edge.kind not in FAVORABLE_EDGES or parent.name in seen:
                break
            same_run = same_run and edge.kind == "continue"
            chain.append(Link(parent, same_run))
            seen.add(parent.name)
            current = parent
        return chain

    def model_names(self, subject: Subject) -> set[str]:
        """Return the names of a subject, its weights and everything those were made from."""
        model = self.model_of(subject)
        return {subject.name} | (self._carriers(model) if model is not None else set())
