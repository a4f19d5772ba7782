"""Policies to start from, as texts: `scalegate policy new` writes one of them.

They are constants of the program and no files, because reading a file is not for a pure room.
`examples/policies` holds the same texts for readers, kept equal by a test.
"""

from collections.abc import Mapping
from types import MappingProxyType

from scalegate.policy.templates import (
    calendar_pause,
    minimal,
    moratorium,
    regime,
    rsp,
    stop,
)

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "minimal": minimal.TEXT,
        "rsp": rsp.TEXT,
        "regime": regime.TEXT,
        "calendar-pause": calendar_pause.TEXT,
        "stop": stop.TEXT,
        "moratorium": moratorium.TEXT,
    }
)


def template(name: str) -> str:
    """Return the text of a template.

    Raises:
        KeyError: if there is none of that name; the message lists those there are.
    """
    if name not in TEMPLATES:
        msg = f"no template `{name}`; there are {', '.join(TEMPLATES)}"
        raise KeyError(msg)
    return TEMPLATES[name]
