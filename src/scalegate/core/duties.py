"""What a policy promises besides holding: obligations with clocks, mandates, its law, and mere declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scalegate.core.diagnostic import Span

# How strongly a text binds itself, strongest first. Only `must` binds outside encodings of other people's words.
Modality = Literal["must", "aim", "may", "recommend"]
# What happens where neither condition of a commitment is settled. Only `hold` is possible outside such encodings.
Unsettled = Literal["hold", "discretion", "permit"]
# Whether whoever encoded a published text saw it, remembered it, or did not read that part.
Read = Literal["seen", "memory", "unread"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a part of an encoding comes from: the key of a source, and whether it was read."""

    source: str = ""
    read: Read = "seen"


@dataclass(frozen=True, slots=True)
class Source:
    """A document that an encoding rests on. `document` is where it is found, `pages` what of it was read."""

    key: str
    title: str
    date: str
    document: str
    pages: str


@dataclass(frozen=True, slots=True)
class EventName:
    """A statement that starts or ends a clock: the predicate, and the role that states it."""

    predicate: str
    role: str


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that has to be done in time.

    Attributes:
        id: its name.
        does: what is to be done, in words.
        within: seconds after each start; None where it recurs.
        every: seconds of its period, counted from the day the policy is effective; None where a start event counts.
        starts: the events that each start a clock; empty where it recurs.
        met: the statement that discharges it.
        modality: how strongly it binds.
        about: the aspects it belongs to.
        provenance: where an encoding has it from.
        span: where it stands.
    """

    id: str
    does: str
    within: int | None
    every: int | None
    starts: tuple[EventName, ...]
    met: EventName
    modality: Modality
    about: tuple[str, ...]
    provenance: Provenance
    span: Span


@dataclass(frozen=True, slots=True)
class LegalText:
    """The law that a regime states: which text, in which version, from when. `text` is its pin; None is a hole."""

    title: str
    version: str
    in_force: int | None
    jurisdiction: str
    text: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class MandatedRole:
    """A role that a regime asks every developer's own policy to declare, at least so independent and so large."""

    name: str
    independent_of: tuple[str, ...]
    quorum: int
    span: Span


@dataclass(frozen=True, slots=True)
class Declared:
    """A practice that is declared, and that the gate does not enforce."""

    key: str
    says: str
    modality: Modality
    number: str
    provenance: Provenance
    span: Span


@dataclass(frozen=True, slots=True)
class Duties:
    """Everything of a policy that the interpreter does not decide on, in the order of the text.

    Attributes:
        law: the law that a regime states; None for a developer's own policy.
        mandates: roles that a regime asks for.
        obligations: what has to be done in time, by name.
        declares: practices that nothing enforces, by their standard key.
        assumes: claims that the text rests on.
        sources: the documents behind an encoding, by key.
        unread: paths of an encoding that nobody read; comparisons that need them refuse.
        provenance: where each named part of an encoding has its content from, by path such as `commitments.cbrn`.
    """

    law: LegalText | None = None
    mandates: tuple[MandatedRole, ...] = ()
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    declares: Mapping[str, Declared] = field(default_factory=dict)
    assumes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
