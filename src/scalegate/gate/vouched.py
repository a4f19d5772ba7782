"""What an answer takes on somebody's word, by whether anybody signed the history, and anybody saw it."""

from __future__ import annotations

from scalegate.core.events import Terms

UNSIGNED = "entries are unsigned: who spoke, and in which role, is taken on the word of whoever wrote to this store"
DEVELOPERS_ORDER = "item order chosen by developer: no witness drew the order of the items"
NO_CLOCK = "the clock: nothing but this machine and the last entry says what time it is"
UNWITNESSED = "no witness has to see this log: whoever has its key could show different histories to different readers"
CUSTODY = "that private keys are with whom the trust file names: it says of which there is evidence"
ONE_WITNESS = "that the witnesses do not collude with the developer, and that the first of them cosigns each size once"


def assumptions(terms: Terms | None, *, signed: bool) -> tuple[str, ...]:
    """Return what an answer takes on somebody's word: of a history that nobody signed, everything."""
    if not signed or terms is None:
        return (UNSIGNED, DEVELOPERS_ORDER, NO_CLOCK)
    if not terms.witnessed:
        return (CUSTODY, UNWITNESSED, DEVELOPERS_ORDER, NO_CLOCK)
    return (CUSTODY, ONE_WITNESS)
