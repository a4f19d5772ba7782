"""The live answers of a history."""

from __future__ import annotations

from scalegate.core.events import DecisionMade, Entry, History


def last_live(history: History, which: str = "") -> Entry | None:
    """Return the entry of a live answer by number or digest; the latest when `which` is empty."""
    for entry in reversed(history.entries):
        event = entry.event
        if isinstance(event, DecisionMade) and which in ("", str(event.number), event.decision):
            return entry
    return None
