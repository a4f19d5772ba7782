"""Which entries the live answers of a log rest on."""

from __future__ import annotations

from collections.abc import Iterable

from scalegate.core.events import DecisionMade, Entry

NOWHERE = -1


def resting(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    """Return the answers by how many of the first entries they rest on; under `NOWHERE` those that rest on none.

    Answers that stand right behind each other may rest on the same entries: nothing but answers came in between.
    """
    found: dict[int, list[Entry]] = {}
    places = {"": 0}
    for entry in entries:
        if isinstance(entry.event, DecisionMade):
            found.setdefault(places.get(entry.event.head, NOWHERE), []).append(entry)
            places[entry.digest] = entry.index + 1
        else:
            places = {entry.digest: entry.index + 1}
    return found
