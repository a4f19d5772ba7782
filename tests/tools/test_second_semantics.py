"""The second verifier's interpreter, bounds and trust files, law by law against ours."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scalegate.audit import derived
from scalegate.core.diagnostic import Span
from scalegate.core.evidence import Crossing, Fact, Gap
from scalegate.core.kernel import All, AnyOf, AtLeast, Compare, Constant, Not
from scalegate.core.quantities import FOREVER, UNBOUNDED
from scalegate.core.terms import Clock, Elapsed, Hole
from scalegate.gate.apply import horizon
from scalegate.gate.interpret import FOR, stand
from scalegate.gate.situate import CLOCK
from scalegate.ledger.trust import parse_trust, write_key
from scalegate.stats.binomial import GRID, lower_bound
from tests.ledger.keys import trust_text
from tests.tools.exports import second

HERE = Span("p", 1, 1, 1, 1)
NOW, TO = 1_000, 50
TERMS = (Hole("a"), Hole("b"), Hole("c"), Clock(), Elapsed("said", "auditor"))
PASSED = 300

bounds = st.builds(Fraction, st.integers(-2, 12), st.sampled_from([1, 2, 3]))
ends = st.none() | bounds
gaps = st.sampled_from([(), (), (), (Gap("missing", "x"),)])
crossings = st.lists(st.builds(Crossing, ends, ends, st.sampled_from([0, 50, 51]), st.just("x")), max_size=2).map(tuple)
facts = st.builds(
    Fact,
    st.just("f"),
    ends,
    ends,
    rising=st.none() | st.tuples(ends, ends),
    until=st.sampled_from([NOW, NOW + 1, NOW + 500, FOREVER]),
    reach=st.sampled_from([0, 49, 50, UNBOUNDED]),
    gaps=gaps,
    elsewhere=crossings,
    adverse_only=st.booleans(),
)
strata = st.lists(facts, min_size=1, max_size=3).map(tuple)
compares = st.builds(
    lambda term, above, edge, bound: Compare(term, above, edge, bound.numerator, bound.denominator, "t", HERE),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
    bounds,
)
dates = st.builds(
    lambda above, edge, bound: Compare(3, above, edge, bound, 1, "t", HERE),
    st.booleans(),
    st.booleans(),
    st.integers(NOW - 2, NOW + 2),
)
durations = st.builds(
    lambda above, edge, bound: Compare(4, above, edge, bound, 1, "t", HERE),
    st.booleans(),
    st.booleans(),
    st.integers(PASSED - 3, PASSED + 2),
)
leaves = compares | compares | dates | durations | st.builds(Constant, st.booleans(), st.just(HERE))


def above_leaves(inner):
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    at_least = parts.flatmap(
        lambda found: st.builds(AtLeast, st.integers(1, len(found)), st.just(found), st.just(HERE))
    )
    return (
        st.builds(All, parts, st.just(HERE))
        | st.builds(AnyOf, parts, st.just(HERE))
        | st.builds(Not, inner, st.just(HERE))
        | at_least
    )


conditions = st.recursive(leaves, above_leaves, max_leaves=6)


def policy(known) -> second.Policy:
    """A policy of the second verifier over these facts, as an export would have them."""
    kernel = {
        "id": "p",
        "scope": {"constant": True},
        "terms": [{"kind": type(term).__name__.lower()} for term in TERMS],
        "commitments": [],
        "exceptions": [],
    }
    shown = {
        "to": str(TO),
        "actions": [],
        "uses": {},
        "facts": [[derived._fact(fact, None) for fact in found] for found in known],
    }
    return second.Policy(kernel, shown, NOW)


@settings(max_examples=300)
@given(conditions, st.lists(strata, min_size=3, max_size=3), st.booleans())
def test_every_condition_stands_and_ends_as_the_gate_says(condition, three, permissive):
    surely = Fraction(PASSED - 1), Fraction(PASSED - 1)
    known = [
        *three,
        (Fact(CLOCK, Fraction(NOW), Fraction(NOW), grows=True),),
        (Fact("time since", Fraction(PASSED), Fraction(PASSED), rising=surely, grows=True),),
    ]
    stands, end = policy(known).weigh(derived._condition(condition), permissive)
    assert stands == stand(condition, known, NOW, TO, permissive, [])
    if stands == FOR:
        assert end == horizon(condition, known, NOW, TO, permissive=permissive)


@given(st.integers(1, 80), st.data(), st.integers(1, 499))
def test_a_bound_is_the_largest_that_is_shown_and_no_other(trials, data, thousandths):
    successes = data.draw(st.integers(0, trials))
    error = Fraction(thousandths, 1_000)
    bound = lower_bound(successes, trials, error)
    assert second.is_bound(bound, successes, trials, error)
    for step in (-1, 1):
        other = bound + Fraction(step, GRID)
        assert not second.is_bound(other, successes, trials, error)


@given(st.integers(1, 60), st.data())
def test_a_bound_off_the_grid_is_none(trials, data):
    successes = data.draw(st.integers(1, trials))
    bound = lower_bound(successes, trials, Fraction(1, 20))
    assume(bound > 0)
    assert not second.is_bound(bound - Fraction(1, 3 * GRID), successes, trials, Fraction(1, 20))


GROUPS = ("group pair 2 a b c", "group any any pair d", "group all all any e")


@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(1, 5)), st.sampled_from(["none", "a", "pair", "any", "all"])
)
def test_a_quorum_is_met_at_the_same_time(times, quorum):
    text = trust_text(witnesses="abcde", quorum=quorum, more=GROUPS)
    trust = second.Trust(text.encode(), {})
    assert trust.time_of(quorum, times) == parse_trust(text).cosigned_at(times)


def test_the_words_of_a_trust_file_are_read_alike():
    text = trust_text(
        speakers={"Ada Osei": ["developer", "author"]}, witnesses="ab", quorum="a",
        more=("fresh 36 hours  # not a day", "include 2 weeks", "", "# nothing", "replaces sha256:" + "a" * 64),
    )  # fmt: skip
    ours, theirs = parse_trust(text), second.Trust(text.encode(), {})
    assert (theirs.fresh, theirs.include, theirs.quorum) == (ours.fresh, ours.include, ours.quorum)
    assert (theirs.replaces, theirs.digest) == (set(ours.replaces), ours.digest)
    assert {name: (set(roles), key) for name, (roles, key) in theirs.speakers.items()} == {
        item.name: (set(item.roles), write_key(item.key)) for item in ours.speakers
    }
    assert [key.names for key in theirs.logs] == [(key.name, key.key_id.to_bytes(4)) for key in ours.logs]


@pytest.mark.parametrize("line", ["quorum none", "maybe 1 day", "fresh 1 fortnight", "fresh soon", "log x"])
def test_a_line_that_nobody_understands_refuses_the_trust_file(line):
    with pytest.raises((ValueError, LookupError, TypeError)):
        second.Trust(f"{trust_text()}{line}\n".encode(), {})


@pytest.mark.parametrize("count", ["0", "2"])
def test_a_group_that_asks_for_none_or_too_many_never_witnesses(count):
    trust = second.Trust(trust_text(witnesses="a", more=(f"group g {count} a",), quorum="g").encode(), {})
    assert trust.time_of("g", {"a": 1}) is None


def test_a_signature_that_cannot_be_checked_here_is_told():
    report = {}
    assert second.Trust(trust_text().encode(), report).good("ml-dsa-44:AAAA", b"x", b"y")
    assert list(report.values()) == ["impossible"]
