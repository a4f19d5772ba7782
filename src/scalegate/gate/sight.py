"""What witnesses have seen of a history: heads they cosigned, under the trust file in force."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from scalegate.core.events import DecisionMade, Entry, Terms
from scalegate.core.log_events import HeadWitnessed, TrustAdopted
from scalegate.core.quantities import show_duration, show_instant


@dataclass(slots=True)
class Sight:
    """The cosigned heads so far.

    A trust file that follows another starts anew: whoever cosigned under the older one may have been asked by nobody.

    Attributes:
        heads: those behind the trust file in force, by size; the one that orders are drawn from, where there are two.
        since: index of the entry that adopted the trust file in force; -1 for none.
        time: what the latest of the heads vouches for; None for none.
        covered: how many entries the largest of them covers.
    """

    heads: dict[int, HeadWitnessed] = field(default_factory=dict)
    since: int = -1
    time: int | None = None
    covered: int = 0
    _places: list[int] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Look at the next entry."""
        event = entry.event
        kind = type(event)
        if kind is not HeadWitnessed and kind is not TrustAdopted:
            if kind is not DecisionMade:
                # Answers follow from what is before them; everything else could be exchanged while nobody has seen it.
                self._places.append(entry.index)
                self._times.append(entry.at)
            return
        if isinstance(event, HeadWitnessed):
            known = self.heads.get(event.size)
            if known is None or not known.mark:
                self.heads[event.size] = event
            self.time = event.time if self.time is None else max(self.time, event.time)
            self.covered = max(self.covered, event.size)
            return
        self.heads, self.since, self.time, self.covered = {}, entry.index, None, 0
        self._places.append(entry.index)
        self._times.append(entry.at)

    def mark_of(self, registration: Entry) -> str:
        """Return what the order of a run is drawn from; empty where nobody drew it under the trust file in force."""
        head = self.heads.get(registration.index + 1)
        return head.mark if head is not None and registration.index > self.since else ""

    def stale(self, terms: Terms | None, now: int) -> str:
        """Return why no permit can rest on what witnesses have seen; empty where one can, or none have to see it."""
        if terms is None or not terms.witnessed:
            return ""
        limit = show_duration(terms.fresh)
        if self.time is None:
            return "no witnesses have cosigned this log yet under the trust file in force, which asks for them"
        if now - self.time > terms.fresh:
            seen = show_instant(self.time)
            return f"witnesses saw this log last on {seen}, and the trust file asks for a head of at most {limit}"
        place = bisect_left(self._places, self.covered)
        if place < len(self._places) and now - self._times[place] > terms.fresh:
            since = show_instant(self._times[place])
            return f"witnesses have not seen entry {self._places[place]} of {since}, and had {limit} to see it"
        return ""
