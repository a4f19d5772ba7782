"""A history as the gate reads it: entry by entry, in order, each looked at once however many questions follow."""

from __future__ import annotations

from collections.abc import Iterable

from scalegate.core.events import Entry, HoleFilled, PolicyAdopted, PolicyWithdrawn, Terms
from scalegate.gate.force import Force, in_force
from scalegate.gate.records import Records, Run

_OF_POLICIES = (PolicyAdopted, PolicyWithdrawn, HoleFilled)


class Chronicle:
    """The entries so far, indexed.

    Attributes:
        terms: what the trust file in force asks; None for a history that nobody signed.
        fault: what is wrong with the history; empty while each entry follows the one before it.
    """

    def __init__(self, terms: Terms | None = None, fault: str = "") -> None:
        """Begin with no entries."""
        self.terms = terms
        self.fault = fault
        self._entries: list[Entry] = []
        self._of_policies: list[Entry] = []
        self._digests: set[str] = set()
        self._records = Records(0)

    @property
    def head(self) -> str:
        """Digest of the last entry; empty for none."""
        return self._entries[-1].digest if self._entries else ""

    def add(self, entry: Entry) -> None:
        """Add the next entry; one that does not follow is a fault, and holds everything."""
        place = len(self._entries)
        wrong = ""
        if entry.index != place:
            wrong = f"entry {entry.index} stands in place {place} and does not follow the entry before it"
        elif self._entries and entry.at < self._entries[-1].at:
            wrong = f"entry {entry.index} is dated before the entry it follows"
        elif entry.digest in self._digests:
            wrong = f"entry {entry.index} stands in the history twice"
        self.fault = self.fault or wrong
        self._entries.append(entry)
        self._digests.add(entry.digest)
        if isinstance(entry.event, _OF_POLICIES):
            self._of_policies.append(entry)
        self._records.add(entry)

    @property
    def adopted(self) -> frozenset[str]:
        """Digests of every policy text that was adopted, in force or not."""
        return frozenset(event.digest for _, event in self._records.adopted)

    def run(self, name: str) -> Run | None:
        """Return a registered run with everything that was said of it so far."""
        return self._records.runs.get(name)

    def offered(self, run: str, marks: Iterable[str]) -> str:
        """Return the other run that a log, or other bytes around its samples, was offered for; empty for none."""
        return self._records.offered(run, marks)

    def at(self, now: int) -> tuple[Records, Force]:
        """Return what is known at an instant, and the policies that bind then."""
        if self._entries and self._entries[-1].at > now:
            # A question about an earlier time: what came later is not known yet.
            earlier = Chronicle(self.terms, self.fault)
            for entry in self._entries:
                if entry.at <= now:
                    earlier.add(entry)
            return earlier.at(now)
        self._records.now = now
        return self._records, in_force(self._entries, now, self._of_policies)
