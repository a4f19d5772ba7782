"""What every comparison assumes, in words that are printed with its answer."""

from __future__ import annotations

_SAME = """The same name, or the same pin, is the same thing on both sides: a role, a predicate, an exception, a
context, a matter to approve; an evaluation by its digest; a safeguard by its means and its reason."""
_IN_FORCE = """Both sides are in force as they are written: no hole is filled, periods of what recurs begin on the same
day, and whoever issues a developer's own policy is a developer for the other side, too."""
_ONE_SIDED = """What only one side counts shows nothing worse than what both count: words, measurements and retractions
in a role that only it hears or takes for independent, results that only it accepts, measurements too small for the
other."""
_DIVIDED = """How the error of a wrong stop is divided among elicitations and evaluators makes no difference to what has
crossed."""
ASSUMED: tuple[str, ...] = tuple(" ".join(words.split()) for words in (_SAME, _IN_FORCE, _ONE_SIDED, _DIVIDED))
