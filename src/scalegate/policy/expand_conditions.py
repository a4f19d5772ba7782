"""Phrases of the policy tree to conditions of the kernel: names are looked up, terms are numbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from scalegate.core import kernel, terms
from scalegate.core.diagnostic import Span
from scalegate.core.kernel import Compare, Condition, Constant
from scalegate.core.terms import Position, Term
from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.names import Names, role
from scalegate.policy.tree import Name

# What a scope's conditions are about.
SCOPE = "scope"


class Place(NamedTuple):
    """Where a condition stands.

    Attributes:
        position: which evidence its measures take.
        matter: what `approved by` and `published` are about.
        around: the word above that would offer a way around a hole, or None.
        filling: the holes whose filling this is.
    """

    position: Position
    matter: str
    around: str | None = None
    filling: tuple[str, ...] = ()


class Conditions:
    """Expands phrases into conditions over one table of terms."""

    def __init__(
        self,
        names: Names,
        fills: Mapping[str, written.Phrase | None],
        findings: Findings,
    ) -> None:
        """Start with an empty table of terms.

        Args:
            names: what names stand for.
            fills: the phrase that fills a hole, by its name; None where it could not be read.
            findings: receives what is wrong.
        """
        self.names = names
        self.fills = fills
        self.findings = findings
        self._numbers: dict[Term, int] = {}
        self._expanders: dict[type, Callable[..., Condition | None]] = {
            written.Comparison: self._comparison,
            written.ComputeComparison: self._compute,
            written.Calendar: self._calendar,
            written.Bare: self._bare,
            written.AttestedBy: self._attested,
            written.ApprovedBy: self._approved,
            written.PublishedWord: self._published,
            written.MoneyComparison: self._money,
            written.OperatesIn: self._operates,
            written.OverdueDuty: self._overdue,
            written.SpecifiedHole: self._specified,
            written.ElapsedSince: self._elapsed,
            written.Fixed: self._fixed,
            written.Both: self._both,
            written.Either: self._either,
            written.Negated: self._negated,
            written.SomeOf: self._some_of,
        }

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms in the order in which they were first met."""
        return tuple(self._numbers)

    def expand(self, phrase: written.Phrase, place: Place) -> Condition | None:
        """Return the condition of a phrase, or None with a finding."""
        return self._expanders[type(phrase)](phrase, place)

    def hole(self, name: str, words: str, span: Span, place: Place) -> Condition | None:
        """Return the condition of a hole: itself, or what fills it."""
        if name not in self.fills:
            return self._holds(terms.Hole(name), words, span)
        if name in place.filling:
            message = f"the hole {quote(name)} is filled by itself"
            self.findings.error("P511", message, span)
            return None
        fill = self.fills[name]
        if fill is None:
            return None
        inner = place._replace(around=None, filling=(*place.filling, name))
        return self.expand(fill, inner)

    def _term(self, term: Term) -> int:
        return self._numbers.setdefault(term, len(self._numbers))

    def _holds(self, term: Term, text: str, span: Span) -> Compare:
        """Return the comparison `>= 1`, which is how the kernel asks whether something is so."""
        return Compare(self._term(term), above=True, edge=True, num=1, den=1, text=text, span=span)

    def _unknown(self, name: Name) -> None:
        known = {*self.names.measured, *self.names.safeguards, *self.names.holes}
        self.findings.error(
            "P401",
            f"nothing is called {quote(name.text)}",
            name.span,
            cause="a condition speaks of evaluations and safeguards of its own policy",
            help=suggestion(name.text, known),
        )

    # ------------------------------------------------------------ leaves

    def _comparison(self, phrase: written.Comparison, place: Place) -> Condition | None:
        name = phrase.name.text
        if name in self.names.measured:
            term = terms.Measure(name, place.position, phrase.every_scaffold)
            num, den = phrase.value.numerator, phrase.value.denominator
            index = self._term(term)
            return Compare(index, phrase.above, phrase.edge, num, den, phrase.text, phrase.span)
        if name in self.names.holes or name in self.names.safeguards:
            kind = "hole" if name in self.names.holes else "safeguard"
            message = f"{quote(name)} is a {kind}, and has no score to compare"
            self.findings.error("P406", message, phrase.span, help=f"write {quote(name)} alone")
        else:
            self._unknown(phrase.name)
        return None

    def _compute(self, phrase: written.ComputeComparison, _: Place) -> Condition:
        index = self._term(terms.Compute())
        return Compare(index, phrase.above, phrase.edge, phrase.value, 1, phrase.text, phrase.span)

    def _calendar(self, phrase: written.Calendar, _: Place) -> Condition:
        index = self._term(terms.Clock())
        # Midnight of the named day is not yet after it, and no longer before it.
        edge = not phrase.after
        return Compare(index, phrase.after, edge, phrase.instant, 1, phrase.text, phrase.span)

    def _bare(self, phrase: written.Bare, place: Place) -> Condition | None:
        name = phrase.name.text
        if name in self.names.safeguards:
            return self._holds(terms.Shown(name), name, phrase.span)
        if name in self.names.holes:
            if place.around is not None:
                self.findings.error(
                    "P501",
                    f"the hole {quote(name)} stands under {quote(place.around)}",
                    phrase.span,
                    cause="a hole always blocks, and nothing else may take its place",
                    help="join it with `and`, outside of all parentheses",
                )
                return None
            return self.hole(name, name, phrase.span, place)
        if name in self.names.measured:
            self.findings.error(
                "P405",
                f"the evaluation {quote(name)} is compared with nothing",
                phrase.span,
                help=f"write something like {quote(f'{name} <= 20%')}",
            )
            return None
        self._unknown(phrase.name)
        return None

    def _attested(self, phrase: written.AttestedBy, _: Place) -> Condition | None:
        by = role(phrase.role, self.names, self.findings)
        if by is None:
            return None
        return self._holds(terms.Attested(phrase.predicate.text, by), phrase.text, phrase.span)

    def _approved(self, phrase: written.ApprovedBy, place: Place) -> Condition | None:
        by = role(phrase.role, self.names, self.findings)
        if by is None:
            return None
        return self._holds(terms.Approved(place.matter, by), phrase.text, phrase.span)

    def _published(self, phrase: written.PublishedWord, place: Place) -> Condition:
        return self._holds(terms.Published(place.matter), phrase.text, phrase.span)

    def _fixed(self, phrase: written.Fixed, _: Place) -> Condition:
        return Constant(phrase.proven, phrase.span)

    # ------------------------------------------------------------ developers, obligations, encodings

    def _outside_scope(self, phrase: written.MoneyComparison | written.OperatesIn, place: Place) -> bool:
        if place.matter == SCOPE:
            return False
        self.findings.error(
            "P515",
            f"{quote(phrase.text)} stands outside the scope",
            phrase.span,
            cause="revenue and places say whom a text binds, not what a model can do",
            help="write it under `scope:`, or with `binds:`",
        )
        return True

    def _money(self, phrase: written.MoneyComparison, place: Place) -> Condition | None:
        if self._outside_scope(phrase, place):
            return None
        index = self._term(terms.Revenue())
        return Compare(index, phrase.above, phrase.edge, phrase.value, 1, phrase.text, phrase.span)

    def _operates(self, phrase: written.OperatesIn, place: Place) -> Condition | None:
        if self._outside_scope(phrase, place):
            return None
        return self._holds(terms.Operates(phrase.place.text), phrase.text, phrase.span)

    def _overdue(self, phrase: written.OverdueDuty, _: Place) -> Condition | None:
        name = phrase.obligation.text
        if name not in self.names.obligations:
            self.findings.error(
                "P409",
                f"no obligation is called {quote(name)}",
                phrase.obligation.span,
                cause="`overdue` speaks of an entry of `obligations` of the same text",
                help=suggestion(name, self.names.obligations),
            )
            return None
        return self._holds(terms.Overdue(name), phrase.text, phrase.span)

    def _specified(self, phrase: written.SpecifiedHole, _: Place) -> Condition | None:
        name = phrase.hole.text
        if not self.names.encoding:
            self.findings.error(
                "P516",
                f"only an encoding of somebody else's words has {quote('specified')}",
                phrase.span,
                cause="a hole of one's own blocks until it is filled and met, not until somebody has described it",
                help=f"write {quote(name)}",
            )
            return None
        if name not in self.names.open:
            message = f"no hole is called {quote(name)}"
            self.findings.error("P410", message, phrase.hole.span, help=suggestion(name, self.names.open))
            return None
        if name in self.fills:
            return Constant(proven=True, span=phrase.span)
        return self._holds(terms.Specified(name), phrase.text, phrase.span)

    def _elapsed(self, phrase: written.ElapsedSince, _: Place) -> Condition | None:
        by = role(phrase.event.role, self.names, self.findings)
        if by is None:
            return None
        index = self._term(terms.Elapsed(phrase.event.predicate.text, by))
        return Compare(index, above=True, edge=True, num=phrase.seconds, den=1, text=phrase.text, span=phrase.span)

    # ------------------------------------------------------------ connectives

    def _parts(self, parts: tuple[written.Phrase, ...], place: Place) -> tuple[Condition, ...] | None:
        found = [self.expand(part, place) for part in parts]
        expanded = tuple(part for part in found if part is not None)
        return expanded if len(expanded) == len(found) else None

    def _both(self, phrase: written.Both, place: Place) -> Condition | None:
        parts = self._parts(phrase.parts, place)
        return None if parts is None else kernel.All(parts, phrase.span)

    def _either(self, phrase: written.Either, place: Place) -> Condition | None:
        parts = self._parts(phrase.parts, _around(place, "or"))
        return None if parts is None else kernel.AnyOf(parts, phrase.span)

    def _negated(self, phrase: written.Negated, place: Place) -> Condition | None:
        part = self.expand(phrase.part, _around(place, "not"))
        return None if part is None else kernel.Not(part, phrase.span)

    def _some_of(self, phrase: written.SomeOf, place: Place) -> Condition | None:
        parts = self._parts(phrase.parts, _around(place, "at least"))
        return None if parts is None else kernel.AtLeast(phrase.least, parts, phrase.span)


def _around(place: Place, word: str) -> Place:
    return place._replace(around=word)
