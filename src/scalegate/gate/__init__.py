"""Floor 2: decides, and says why. Pure: a history, a request and a time in; a decision out.

Whoever changes this room can make any answer come out; nothing outside it can turn a hold into a permit.
"""

from scalegate.gate.decide import decide
from scalegate.gate.force import Force, in_force

__all__ = ["Force", "decide", "in_force"]
