"""Clusters: which scores may be bet on, what missing items do, and what ignoring clusters costs in error."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.binomial import BoundError
from scalegate.stats.clusters import ClusterScores, cluster_scores
from tests.stats.paths import at_most, crossing

Items = list[tuple[str, Fraction | None]]

ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)
scores = st.fractions(min_value=0, max_value=1, max_denominator=20)


@st.composite
def registrations(draw: st.DrawFn, *, gaps: bool = True) -> tuple[Items, dict[str, int]]:
    """All items of some clusters, in any order, and the sizes."""
    sizes = draw(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5), min_size=1))
    keys = draw(st.permutations([key for key, size in sizes.items() for _ in range(size)]))
    values = st.none() | scores if gaps else scores
    return [(key, draw(values)) for key in keys], sizes


def test_repeated_tries_of_one_question_are_one_score() -> None:
    items: Items = [("q1", ONE), ("q2", ZERO), ("q1", ZERO), ("q2", ZERO), ("q1", HALF), ("q2", ONE)]
    both = cluster_scores(items, {"q1": 3, "q2": 3})
    assert both == ClusterScores((HALF, Fraction(1, 3)), (HALF, Fraction(1, 3)), 0)


def test_clusters_come_in_the_order_in_which_they_are_complete() -> None:
    items: Items = [("long", ONE), ("short", ZERO), ("long", ONE)]
    assert cluster_scores(items, {"long": 2, "short": 1}).above == (ZERO, ONE)


def test_a_cluster_that_is_not_complete_proves_nothing() -> None:
    items: Items = [("a", ONE), ("a", ONE), ("b", ONE), ("a", ONE)]
    assert cluster_scores(items, {"a": 4, "b": 2}) == ClusterScores((), (), 4)
    assert cluster_scores([*items, ("a", ONE)], {"a": 4, "b": 2}) == ClusterScores((ONE,), (ONE,), 1)


def test_a_missing_item_counts_against_either_claim() -> None:
    items: Items = [("a", ONE), ("a", None), ("b", None), ("b", None)]
    assert cluster_scores(items, {"a": 2, "b": 2}) == ClusterScores((HALF, ZERO), (ONE, ONE), 0)


def test_every_cluster_is_one_vote_whatever_its_size() -> None:
    items: Items = [("large", ZERO)] * 9 + [("small", ONE)]
    both = cluster_scores(items, {"large": 9, "small": 1})
    assert sum(both.above) / 2 == HALF


def test_nothing_yet() -> None:
    assert cluster_scores([], {"a": 2}) == ClusterScores((), (), 0)


@given(st.lists(st.none() | scores, max_size=12))
def test_clusters_of_one_item_are_the_items(values: list[Fraction | None]) -> None:
    both = cluster_scores(enumerate(values), dict.fromkeys(range(len(values)), 1))
    assert both.above == tuple(ZERO if value is None else value for value in values)
    assert both.below == tuple(ONE if value is None else value for value in values)


@given(registrations(gaps=False))
def test_without_gaps_both_sides_are_the_means(registered: tuple[Items, dict[str, int]]) -> None:
    items, sizes = registered
    both = cluster_scores(items, sizes)
    means = {
        key: sum(score for item, score in items if item == key and score is not None) / sizes[key] for key in sizes
    }
    assert both.above == both.below
    assert sorted(both.above) == sorted(means.values())
    assert both.pending == 0


@given(registrations(), st.data())
def test_a_longer_prefix_adds_scores_and_changes_none(
    registered: tuple[Items, dict[str, int]], data: st.DataObject
) -> None:
    items, sizes = registered
    cut = data.draw(st.integers(0, len(items)))
    early, late = cluster_scores(items[:cut], sizes), cluster_scores(items, sizes)
    assert late.above[: len(early.above)] == early.above
    assert late.below[: len(early.below)] == early.below
    done = sum(size for key, size in sizes.items() if sum(item == key for item, _ in items[:cut]) == size)
    assert early.pending == cut - done


@given(registrations(), st.data())
def test_whatever_a_gap_would_have_been_it_lies_between_the_sides(
    registered: tuple[Items, dict[str, int]], data: st.DataObject
) -> None:
    items, sizes = registered
    filled: Items = [(key, data.draw(scores) if score is None else score) for key, score in items]
    holed, whole = cluster_scores(items, sizes), cluster_scores(filled, sizes)
    for low, value, high in zip(holed.above, whole.above, holed.below, strict=True):
        assert low <= value <= high


@pytest.mark.parametrize(
    ("items", "sizes", "message"),
    [
        pytest.param([("b", ONE)], {"a": 1}, "cluster 'b', which has no registered size", id="unregistered"),
        pytest.param([("a", ONE), ("a", ONE)], {"a": 1}, "more items of cluster 'a' than the 1", id="one-too-many"),
        pytest.param([], {"a": 0}, "at least one item: 'a' has 0", id="empty"),
        pytest.param([("a", Fraction(3, 2))], {"a": 2}, "a score lies between 0 and 1", id="score"),
    ],
)
def test_what_was_not_registered_is_refused(items: Items, sizes: dict[str, int], message: str) -> None:
    with pytest.raises(BoundError, match=message):
        cluster_scores(items, sizes)


# --- many paths ------------------------------------------------------------------------------

CLUSTERS = 200


def hits(likeness: float, size: int, generator: Any, paths: int) -> Any:
    """How many of `size` items of one cluster succeed on each path: beta-binomial, mean 1/5, this ICC."""
    scale = 1 / likeness - 1
    return generator.binomial(size, generator.beta(0.2 * scale, 0.8 * scale, paths))


def by_cluster(likeness: float, size: int) -> Callable[[Any, int], Iterator[Any]]:
    def draw(generator: Any, paths: int) -> Iterator[Any]:
        for _ in range(CLUSTERS):
            yield hits(likeness, size, generator, paths) / size / 0.2

    return draw


def by_item(likeness: float, size: int) -> Callable[[Any, int], Iterator[Any]]:
    """The same clusters, in which every item is taken for a sample of its own."""

    def draw(generator: Any, paths: int) -> Iterator[Any]:
        for _ in range(CLUSTERS):
            left = hits(likeness, size, generator, paths)
            for items in range(size, 0, -1):
                hit = generator.random(paths) * items < left
                left -= hit
                yield hit / 0.2

    return draw


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize("size", [4, 10])
@pytest.mark.parametrize("likeness", [0.1, 0.3, 0.6])
def test_betting_on_clusters_keeps_the_budget_that_betting_on_items_breaks(likeness: float, size: int) -> None:
    np: ModuleType = pytest.importorskip("numpy", reason="needs the extra `inspect`")
    wrong = crossing(np, by_cluster(likeness, size), 0.05, seed=30)
    assert 0.05 / 20 < wrong <= at_most(0.05)
    naive = crossing(np, by_item(likeness, size), 0.05, seed=31, paths=8_000)
    assert naive > at_most(0.05, 8_000)
