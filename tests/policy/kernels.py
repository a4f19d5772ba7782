"""Random kernels, for laws that every renderer of a kernel keeps."""

import functools
from fractions import Fraction

from hypothesis import strategies as st

from scalegate.core.actions import GROUPS, HARDER, covered
from scalegate.core.kernel import (
    All,
    AmendmentRule,
    AnyOf,
    AtLeast,
    Belief,
    Commitment,
    Compare,
    Constant,
    Context,
    Count,
    Evaluation,
    Exception_,
    HoleSpec,
    Kernel,
    Not,
    Role,
    Safeguard,
    ScoreRule,
    Validity,
)
from scalegate.core.terms import (
    Approved,
    Attested,
    Clock,
    Compute,
    Elapsed,
    Hole,
    Measure,
    Operates,
    Overdue,
    Published,
    Revenue,
    Shown,
    Specified,
)
from tests.policy.duties import ABOUT, MODALITIES, UNSETTLED, duties
from tests.policy.words import SPAN, WORDS

ROLES = ("developer", "auditor", "board")
RATES = st.fractions(min_value=0, max_value=1, max_denominator=1000)
TIMES = st.integers(min_value=1, max_value=10**9)
YES_NO = st.booleans()
LISTS = st.lists(WORDS, max_size=2)
SOME_WORDS = st.none() | WORDS
SOME_TIME = st.none() | TIMES
SCAFFOLDS = st.none() | LISTS.map(tuple)
FACTORS = st.none() | st.fractions(min_value=1, max_value=9, max_denominator=4)
COUNTS = st.lists(st.builds(Count, WORDS, st.just(3), st.just(4), st.none() | RATES, st.just(SPAN)), max_size=2)
FAILURES = st.lists(st.builds(Count, WORDS, st.just(0), st.just(3), st.none(), st.just(SPAN)), max_size=2)
BELIEFS = st.lists(st.builds(Belief, WORDS, st.sampled_from([None, "auditor"]), SOME_TIME, st.just(SPAN)), max_size=2)
SCORES = st.builds(ScoreRule, WORDS, st.just(1), st.sampled_from([1, 4]), mean=YES_NO)
VALIDITIES = st.builds(Validity, FACTORS, SOME_TIME, FACTORS, SOME_TIME, exact=YES_NO, training=YES_NO)


def kernels() -> st.SearchStrategy[Kernel]:
    """Return well-formed kernels of every kind, with holes, exceptions and missing names."""
    return st.composite(_kernel)()


def _kernel(draw: st.DrawFn) -> Kernel:
    open_holes = [f"hole-{number}x" for number in range(draw(st.integers(0, 2)))]
    evaluations = {name: _evaluation(draw, name) for name in ("test-1x", "test-2x")}
    safeguards = {"guard-1x": _safeguard(draw, "guard-1x")}
    terms = [Measure("test-1x", "when"), Measure("test-2x", "until", every_scaffold=True), Shown("guard-1x"), Compute()]
    terms += [Clock(), Attested("claim-1x", "auditor", draw(SOME_TIME)), Approved("exception:exit-1x", "board")]
    terms += [Published("exception:exit-1x"), *map(Hole, open_holes), Hole("undeclared-1x")]
    terms += [Revenue(), Operates("place-1x"), Overdue("duty-1x"), Elapsed("event-1x", "auditor")]
    terms += [*map(Specified, open_holes), Specified("undeclared-1x")]
    conditions = _conditions(len(terms))
    commitments = tuple(_commitment(draw, f"line-{number}x", conditions) for number in range(draw(st.integers(0, 3))))
    exceptions = tuple(
        Exception_(
            name,
            "line-0x",
            draw(conditions),
            draw(conditions),
            tuple(draw(st.lists(conditions, max_size=2))),
            draw(TIMES),
            draw(TIMES),
            draw(TIMES),
            SPAN,
        )
        for name in draw(st.sampled_from([(), ("exit-1x",), ("exit-1x", "exit-2x")]))
    )
    return Kernel(
        id="policy-1x",
        version=draw(WORDS),
        issuer="issuer-1x",
        kind=draw(st.sampled_from(["policy", "regime", "reference"])),
        digest="sha256:00",
        effective=draw(st.integers(0, 2**33)),
        scope=draw(st.just(Constant(proven=True, span=SPAN)) | conditions),
        binds_every_developer=draw(YES_NO),
        terms=tuple(terms),
        commitments=commitments,
        exceptions=exceptions,
        roles={name: _role(draw, name) for name in ROLES},
        evaluations=evaluations,
        safeguards=safeguards,
        holes={name: _hole(draw, name) for name in open_holes},
        contexts={"context-1x": _context(draw, "context-1x")},
        capabilities={"fear-1x": "test-1x", "fear-2x": "capability.fear-2x"},
        stop_orders_by=draw(st.sampled_from([(), ("board",)])),
        countersigned_by=draw(st.sampled_from([(), ("auditor", "board")])),
        amendments=AmendmentRule(draw(st.sampled_from([(), ("board",)])), draw(TIMES)),
        elicitation_allowance=draw(RATES),
        mitigation_cap=draw(RATES),
        teachers_count=draw(YES_NO),
        span=SPAN,
        duties=draw(duties()),
    )


@functools.cache
def _conditions(terms: int) -> st.SearchStrategy:
    leaves = st.builds(
        Compare,
        st.integers(0, terms - 1),
        st.booleans(),
        st.booleans(),
        st.integers(0, 3),
        st.integers(1, 3),
        st.just("text"),
        st.just(SPAN),
    ) | st.builds(Constant, st.booleans(), st.just(SPAN))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner, st.just(SPAN)),
            st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple), st.just(SPAN)),
            st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple), st.just(SPAN)),
            st.builds(AtLeast, st.integers(1, 2), st.lists(inner, min_size=2, max_size=3).map(tuple), st.just(SPAN)),
        ),
        max_leaves=5,
    )


def _commitment(draw: st.DrawFn, name: str, conditions: st.SearchStrategy) -> Commitment:
    hold = (draw(st.sampled_from([*HARDER, *GROUPS, "everything"])),)
    return Commitment(
        name,
        hold,
        covered(hold[0]),
        draw(conditions),
        draw(conditions),
        declared_stop=draw(YES_NO),
        span=SPAN,
        about=draw(ABOUT),
        modality=draw(MODALITIES),
        unsettled=draw(UNSETTLED),
    )


def _evaluation(draw: st.DrawFn, name: str) -> Evaluation:
    digest, concept = draw(st.sampled_from([(None, ""), ("sha256:11", ""), ("sha256:11", "concept-1x")]))
    bank = 0 if concept else draw(st.just(0) | st.integers(2, 10_000_000))
    return Evaluation(
        id=name,
        kind=draw(st.sampled_from(["capability", "safety", "understanding"])),
        digest=digest,
        test=draw(WORDS),
        score=draw(SCORES),
        elicited_by=tuple(draw(LISTS)),
        by=draw(st.sampled_from([None, "auditor"])),
        wrongly_cleared=Fraction(1, draw(st.integers(3, 10**6))),
        wrongly_stopped=Fraction(1, draw(st.integers(3, 10**6))),
        validity=draw(VALIDITIES),
        beliefs=tuple(draw(BELIEFS)),
        hidden_capability=tuple(draw(COUNTS)),
        shown_to_work=tuple(draw(COUNTS)),
        accept_aggregate=draw(YES_NO),
        accept_edited=draw(YES_NO),
        refuse_provenance=tuple(draw(LISTS)),
        hole=draw(SOME_WORDS),
        reach_issuer=draw(YES_NO),
        span=SPAN,
        accept_earlier=draw(YES_NO),
        estimand="bank" if bank else "population",
        clustered_by="" if concept else draw(st.just("") | WORDS),
        bank=bank,
        concept=concept,
    )


def _safeguard(draw: st.DrawFn, name: str) -> Safeguard:
    return Safeguard(
        name,
        draw(SOME_WORDS),
        draw(st.just("") | WORDS),
        draw(SOME_WORDS),
        tuple(draw(FAILURES)),
        draw(st.sampled_from([None, "auditor"])),
        draw(SOME_TIME),
        draw(SOME_WORDS),
        SPAN,
        draw(st.sampled_from(["", "", "concept-2x"])),
    )


def _hole(draw: st.DrawFn, name: str) -> HoleSpec:
    fillers = draw(st.sampled_from([(), ("board",), ("auditor", "board")]))
    return HoleSpec(name, draw(WORDS), draw(SOME_WORDS), fillers, draw(SOME_TIME), SPAN)


def _context(draw: st.DrawFn, name: str) -> Context:
    scaffolds = draw(SCAFFOLDS)
    return Context(name, "deploy.partners", scaffolds, withdraws=draw(YES_NO), span=SPAN)


def _role(draw: st.DrawFn, name: str) -> Role:
    quorum, of = draw(st.sampled_from([(1, None), (2, 3), (2, None)]))
    others = draw(st.sampled_from([(), ("developer",)]))
    return Role(name, quorum, of, tuple(draw(LISTS)), others if name != "developer" else ())
