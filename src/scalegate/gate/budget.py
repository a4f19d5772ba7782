"""How the error of a wrong stop is split over the pools of a subject: fixed shares that sum to at most 1.

Nobody thins the shares of those the policy asks: whoever else registers or reports shares a budget apart, and so do
strata beyond those the policy requires. Within each budget shares are fixed by the order of arrival, so that no latch
ever moves when strata or speakers are added.
"""

from __future__ import annotations

from fractions import Fraction

# An elicitation and a scaffold.
Stratum = tuple[str, str]


def stratum_name(stratum: Stratum) -> str:
    """Return a stratum in words, with a space before; empty where neither elicitation nor scaffold was named."""
    elicitation, scaffold = stratum
    words = f" elicited by {elicitation}" if elicitation else ""
    return f"{words} with scaffold {scaffold}" if scaffold else words


class ErrorBudget:
    """The shares of one evaluation, by subject."""

    def __init__(self, required: tuple[str, ...]) -> None:
        """Keep the elicitations that the policy requires."""
        self.required = required
        self.order: dict[tuple[str, bool], dict[Stratum, None]] = {}

    def place(self, subject: str, stratum: Stratum, *, asked: bool) -> None:
        """Give a stratum its place, by its first registration by those the policy asks, or by others."""
        self.order.setdefault((subject, asked), {})[stratum] = None

    def share(self, subject: str, stratum: Stratum, place: int = 0, *, asked: bool = True) -> Fraction:
        """Return the share of one pool.

        Args:
            subject: the subject's name.
            stratum: a stratum that has a place.
            place: the place of the group of speakers among those asked, or among the others.
            asked: whether the group is one that the policy asks.
        """
        return self._of_stratum(subject, stratum) * (_first(place) if asked else _rest(place))

    def _of_stratum(self, subject: str, stratum: Stratum) -> Fraction:
        asked, others = list(self.order.get((subject, True), ())), list(self.order.get((subject, False), ()))
        # A place among the others is kept when those asked come to the stratum too: no share ever shrinks.
        kept = _rest(others.index(stratum)) / 2 if stratum in others else Fraction(0)
        return kept + self._asked_share(asked, stratum) if stratum in asked else kept

    def _asked_share(self, asked: list[Stratum], stratum: Stratum) -> Fraction:
        if not self.required:
            return _first(asked.index(stratum))
        if stratum[0] in self.required:
            same = [item for item in asked if item[0] == stratum[0]]
            return _first(same.index(stratum)) / len(self.required)
        return _rest([item for item in asked if item[0] not in self.required].index(stratum)) / 2


def _first(place: int) -> Fraction:
    """Return the shares 9/10, 1/40, 1/120, ...: together 19/20 at most."""
    return Fraction(9, 10) if place == 0 else Fraction(1, 20) / (place * (place + 1))


def _rest(place: int) -> Fraction:
    """Return the shares 1/40, 1/120, ...: together 1/20 at most."""
    return Fraction(1, 20) / ((place + 1) * (place + 2))
