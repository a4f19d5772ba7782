"""Caps on hostile input: how large, how deep, how compressed, how long a number.

Every cap is checked before the work it bounds. The defaults leave room for the largest logs seen in public
(1 GB, 200,000 samples) and stop bombs within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

MAX_DEPTH = 200
"""Nesting of a JSON document that is handed to a recursive parser."""

MAX_DIGITS = 400
"""Characters of one number; the largest double has 309 digits."""

MAX_EXPONENT = 400
"""Absolute exponent of one number; `Fraction("1e999999999")` would never return."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one reading.

    Attributes:
        file_bytes: size of the log file.
        members: members of an archive.
        directory_bytes: size of an archive's central directory.
        document_bytes: one JSON document that is held in memory.
        total_bytes: all members of an archive, unpacked.
        member_ratio: unpacked over packed bytes of one member, above `ratio_floor`.
        total_ratio: the same over all members.
        ratio_floor: unpacked bytes below which no ratio is suspicious.
        window_bytes: memory that a zstd frame may ask of its decoder (RFC 8878, section 3.1.1.1.2, recommends
            that decoders support 8 MiB).
        planned_tries: planned items times epochs.
        columns: scorers times the keys of their scores.
    """

    file_bytes: int = 16 * GIB
    members: int = 2_000_000
    directory_bytes: int = 512 * MIB
    document_bytes: int = 512 * MIB
    total_bytes: int = 512 * GIB
    member_ratio: int = 2_000
    total_ratio: int = 1_000
    ratio_floor: int = 64 * MIB
    window_bytes: int = 8 * MIB
    planned_tries: int = 2_000_000
    columns: int = 1_000


DEFAULT_LIMITS = Limits()
