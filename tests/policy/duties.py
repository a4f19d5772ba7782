"""Random duties of a kernel: what it promises besides holding."""

import typing

from hypothesis import strategies as st

from scalegate.core.duties import (
    Declared,
    Duties,
    EventName,
    LegalText,
    MandatedRole,
    Modality,
    Obligation,
    Provenance,
    Read,
    Source,
    Unsettled,
)
from tests.policy.words import SPAN, WORDS

ABOUT = st.sampled_from([(), ("cadence",), ("cadence", "deployment")])
MODALITIES = st.sampled_from(typing.get_args(Modality))
UNSETTLED = st.sampled_from(typing.get_args(Unsettled))
TIMES = st.integers(min_value=1, max_value=10**9)
PROVENANCE = st.builds(Provenance, st.sampled_from(["", "source-1x"]), st.sampled_from(typing.get_args(Read)))
EVENTS = st.builds(EventName, st.sampled_from(["event-1x", "event-2x"]), st.sampled_from(["developer", "auditor"]))
LAWS = st.builds(
    LegalText,
    WORDS,
    WORDS,
    st.none() | TIMES,
    st.sampled_from(["", "place-1x"]),
    st.none() | st.just("act@sha256:11"),
    st.just(SPAN),
)
SOURCES = st.builds(Source, st.just("source-1x"), WORDS, st.just("") | WORDS, st.just("") | WORDS, st.just("") | WORDS)
PATHS = ("commitments.line-0x", "declares.drills", "release.weights", "cadence", "evaluations")


@st.composite
def duties(draw: st.DrawFn) -> Duties:
    """Return duties of every kind, or none at all."""
    if draw(st.booleans()):
        return Duties()
    return Duties(
        law=draw(st.none() | LAWS),
        mandates=tuple(draw(st.lists(_mandates(), max_size=1))),
        obligations={"duty-1x": draw(_obligations("duty-1x")), "duty-2x": draw(_obligations("duty-2x"))},
        declares={key: draw(_declarations(key)) for key in draw(st.sampled_from([(), ("drills", "safety buffer")]))},
        assumes=tuple(draw(st.lists(WORDS, max_size=2))),
        sources=draw(st.just({}) | SOURCES.map(lambda item: {item.key: item})),
        unread=draw(st.sampled_from([(), PATHS])),
        provenance={path: draw(PROVENANCE) for path in draw(st.sampled_from([(), PATHS[:2]]))},
    )


def _mandates() -> st.SearchStrategy[MandatedRole]:
    apart = st.sampled_from([(), ("developer",)])
    return st.builds(MandatedRole, st.just("mandated-1x"), apart, st.integers(1, 3), st.just(SPAN))


@st.composite
def _obligations(draw: st.DrawFn, name: str) -> Obligation:
    recurs = draw(st.booleans())
    return Obligation(
        id=name,
        does=draw(WORDS),
        within=None if recurs else draw(TIMES),
        every=draw(TIMES) if recurs else None,
        starts=() if recurs else tuple(draw(st.lists(EVENTS, min_size=1, max_size=2))),
        met=draw(EVENTS),
        modality=draw(MODALITIES),
        about=draw(ABOUT),
        provenance=draw(PROVENANCE),
        span=SPAN,
    )


def _declarations(key: str) -> st.SearchStrategy[Declared]:
    return st.builds(Declared, st.just(key), WORDS, MODALITIES, st.just("") | WORDS, PROVENANCE, st.just(SPAN))
