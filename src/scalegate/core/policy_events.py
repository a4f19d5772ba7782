"""What was found about policies as such, kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PolicyCompared:
    """Texts were compared, and what came of it is kept by its digest, to be checked again without a solver.

    It decides nothing: the gate judges what is held. It tells those who approve an amendment what they approve, and a
    regulator whether the policies in force ask for all that a regime does.

    Attributes:
        purpose: `amendment` for the difference between a text and the one that replaces it; `conformity` for a
            developer's policies held against a regime.
        first: digests of the texts of the first side: the new one, or the developer's.
        second: of the second side: the old one, or the regime's.
        answer: whether the first side is at least as strict; `unknown` where nobody can say.
        document: digest of the certificate.
    """

    purpose: Literal["amendment", "conformity"]
    first: tuple[str, ...]
    second: tuple[str, ...]
    answer: Literal["yes", "no", "unknown"]
    document: str
    by: str
    role: str
