"""Terms: what a comparison in a condition is about. Every term denotes exact intervals (facts)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Position = Literal["when", "until"]


@dataclass(frozen=True, slots=True)
class Measure:
    """The score of an evaluation on the subject of the question.

    `position` decides which evidence counts: latched crossings of relatives count in `when` only. With
    `every_scaffold` each scaffold that the deployment context admits must have its own evidence.
    """

    evaluation: str
    position: Position
    every_scaffold: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """Whether a safeguard of the policy is shown: [1, 1] yes, [0, 0] failed, [0, 1] unknown."""

    safeguard: str


@dataclass(frozen=True, slots=True)
class Attested:
    """Whether a role attests a named predicate. `expires` caps the age of an attestation, in seconds."""

    predicate: str
    role: str
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """Whether a role, with its quorum, approved `matter` (such as `exception:rival`)."""

    matter: str
    role: str


@dataclass(frozen=True, slots=True)
class Published:
    """Whether `matter` was published."""

    matter: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A requirement that nobody can state yet. Never proven and never refuted: always [0, 1]."""

    name: str


@dataclass(frozen=True, slots=True)
class Compute:
    """Effective compute of what the action would produce, in FLOP."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of the question, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Revenue:
    """Yearly revenue of the developer, in whole USD. It stands in scopes only."""


@dataclass(frozen=True, slots=True)
class Operates:
    """Whether the developer operates in a jurisdiction. It stands in scopes only."""

    place: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """Whether an obligation of the policy is overdue: [1, 1] late and not met, [0, 0] otherwise."""

    obligation: str


@dataclass(frozen=True, slots=True)
class Specified:
    """Whether those who may fill a hole attest that it is specified. In encodings only: it is not shown by that."""

    hole: str


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Seconds since the first accepted statement of a predicate by a role; unknown while there is none."""

    predicate: str
    role: str


Term: TypeAlias = (
    Measure
    | Shown
    | Attested
    | Approved
    | Published
    | Hole
    | Compute
    | Clock
    | Revenue
    | Operates
    | Overdue
    | Specified
    | Elapsed
)
