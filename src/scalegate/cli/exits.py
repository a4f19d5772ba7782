"""Exit codes: one meaning each, for every verb. Everything but 0 means: do not go on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

YES: Final = 0
NO: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
UNTRUSTED: Final = 4
INTERNAL: Final = 70
INTERRUPTED: Final = 130

MEANINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        YES: "yes: permitted, done, or nothing wrong",
        NO: "no: held, refused, or something is wrong",
        USAGE: "asked wrongly: usage, a file that is not what it should be, no store",
        UNKNOWN: "cannot tell: inconclusive, or a permit that is only hypothetical",
        UNTRUSTED: "do not trust what was given: tampered, damaged, contradictory",
        INTERNAL: "scalegate itself failed, or could not write; for `gate` that is a hold",
        INTERRUPTED: "interrupted",
    }
)

OF_REFUSAL: Final[Mapping[str, int]] = MappingProxyType(
    {
        "usage": USAGE,
        "malformed": USAGE,
        "refused": NO,
        "inconclusive": UNKNOWN,
        "untrusted": UNTRUSTED,
        "store": INTERNAL,
        "internal": INTERNAL,
    }
)
