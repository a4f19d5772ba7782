"""Sentences about policies, taken apart: what each says before it is known which policy it is about."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

# `bare` says neither, and is read by the burden of proof or not at all.
Sense: TypeAlias = Literal["bare", "shown", "may"]
Order: TypeAlias = Literal["above", "at least", "below", "at most"]
# `no` and `every` speak of all permits, `some` of one, `lift` of who could lift a hold, `crossing` of every line.
Mode: TypeAlias = Literal["no", "every", "some", "lift", "crossing"]
# Where in a sentence something stands: in what it is about, in what it asks for, or behind `is`.
Place: TypeAlias = Literal["given", "need", "predicate"]


@dataclass(frozen=True, slots=True)
class At:
    """A stretch of a sentence, the end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scored:
    """`above 20% on autonomy`."""

    evaluation: str
    sense: Sense
    order: Order
    rate: Fraction
    every_scaffold: bool
    at: At


@dataclass(frozen=True, slots=True)
class Beyond:
    """`beyond 4e25 FLOP`."""

    flop: Fraction
    at: At


@dataclass(frozen=True, slots=True)
class Measured:
    """`measured on autonomy within 3 months`; None: however long ago. `tested` does not even say that."""

    evaluation: str
    within: int | None
    at: At
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A safeguard, or a hole."""

    name: str
    at: At


@dataclass(frozen=True, slots=True)
class AttestedBy:
    """`rival-without-safeguards attested by auditor`."""

    predicate: str
    role: str
    at: At


@dataclass(frozen=True, slots=True)
class Approval:
    """`the approval of board for exception:rival`; an empty matter: whatever that role approves."""

    role: str
    matter: str
    at: At


@dataclass(frozen=True, slots=True)
class Countersigned:
    """`the countersignature of auditor`."""

    role: str
    at: At


@dataclass(frozen=True, slots=True)
class Without:
    """`without weight-security`: it is not shown."""

    part: Part
    at: At


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that are joined by one word."""

    word: Literal["and", "or"]
    parts: tuple[Part, ...]


Part: TypeAlias = Scored | Beyond | Measured | Named | AttestedBy | Approval | Countersigned | Without | Group


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence.

    Attributes:
        text: the words, on one line.
        mode: what it says of permits.
        bound: whether it speaks of situations alone in which the policy binds.
        actions: what is permitted, or not; any of them.
        context: the deployment context; empty for any.
        given: what it is about; None for every model.
        need: what it asks for; None where it asks for nothing.
        name: the hold, or the evaluation, of a sentence that speaks of one.
        at: where that name stands.
    """

    text: str
    mode: Mode
    bound: bool
    actions: tuple[str, ...] = ()
    context: str = ""
    given: Part | None = None
    need: Part | None = None
    name: str = ""
    at: At = At(0, 0)


class UnclearError(ValueError):
    """A sentence that says nothing about a policy.

    Attributes:
        at: where it stops being one.
        help: what could stand there; may be empty.
    """

    def __init__(self, message: str, at: At, help: str = "") -> None:  # noqa: A002 - the word of the diagnostic
        """Keep what is wrong."""
        super().__init__(message)
        self.at = at
        self.help = help


class AmbiguousError(ValueError):
    """A sentence that could mean several things.

    Attributes:
        at: the words that could.
        instead: words that could stand there, each of which means one of them.
    """

    def __init__(self, message: str, at: At, instead: tuple[str, ...]) -> None:
        """Keep the ways to read it."""
        super().__init__(message)
        self.at = at
        self.instead = instead
