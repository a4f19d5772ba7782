"""Comparison audits: exact laws on small banks, certified rounding, what a lying report achieves, and what it saves."""

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations, product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.betting import BITS, STAKES, WEIGHTS, Betting
from scalegate.stats.binomial import GRID, BoundError
from scalegate.stats.comparison import ComparisonAudit
from tests.stats.paths import CHUNK, PATHS, Wealths, at_most

ERROR = Fraction(1, 20)
ZERO, ONE = Fraction(0), Fraction(1)

thresholds = st.fractions(min_value=Fraction(1, 50), max_value=Fraction(49, 50), max_denominator=50)
grid_scores = st.one_of(st.sampled_from([ZERO, ONE]), st.integers(0, 20).map(lambda part: Fraction(part, 20)))
banks = st.lists(st.tuples(grid_scores, grid_scores), min_size=1, max_size=12)
"""Pairs of the score of a re-run and the reported one, in the order in which they are drawn."""

Bank = list[tuple[Fraction, Fraction]]


def audited(
    threshold: Fraction, bank: Bank, *, below: bool = False, order: Iterable[int] | None = None
) -> ComparisonAudit:
    audit = ComparisonAudit(threshold, [reported for _, reported in bank], below=below)
    for position in range(len(bank)) if order is None else order:
        audit.update(position, bank[position][0])
    return audit


def exact(threshold: Fraction, bank: Bank, drawn: int) -> Fraction | None:
    """Wealth after the first `drawn` items without any rounding; None once the claim is certain."""
    most = max(reported for _, reported in bank)
    mean = sum(reported for _, reported in bank) / len(bank)
    total = Fraction(0)
    for trust, share in (
        (Fraction(0), Fraction(1, 2)),
        (Fraction(1, 2), Fraction(1, 4)),
        (Fraction(1), Fraction(1, 4)),
    ):
        rest = len(bank) * (threshold + trust * (most - mean))
        parts = [Fraction(weight, sum(WEIGHTS)) for weight in WEIGHTS]
        for count, (score, reported) in enumerate(bank[:drawn]):
            value = score + trust * (most - reported)
            ratio = value * (len(bank) - count) / rest if rest else ONE
            parts = [
                part * (1 - stake + stake * ratio)
                for part, stake in zip(parts, (Fraction(units, 2**BITS) for units in STAKES), strict=True)
            ]
            rest -= value
            if rest < 0:
                return None
        total += share * sum(parts)
    return total


# --- laws ------------------------------------------------------------------------------------


@given(thresholds, banks, st.data())
def test_an_evalue_never_exceeds_exact_arithmetic_and_hardly_falls_short(
    threshold: Fraction, bank: Bank, data: st.DataObject
) -> None:
    drawn = data.draw(st.integers(0, len(bank)))
    audit = audited(threshold, bank, order=range(drawn))
    wealth = exact(threshold, bank, drawn)
    if wealth is None:
        assert audit.evalue == 2**256
        assert audit.shown(Fraction(1, 2**255))
    else:
        assert wealth * (1 - Fraction(1, 2**50)) - Fraction(1, 2**50) <= audit.evalue <= wealth


@given(thresholds, banks)
def test_below_is_the_mirror_of_above(threshold: Fraction, bank: Bank) -> None:
    below = audited(threshold, bank, below=True)
    above = audited(1 - threshold, [(1 - score, 1 - reported) for score, reported in bank])
    assert (below.evalue, below.peak, below.samples) == (above.evalue, above.peak, above.samples)


@given(thresholds, thresholds, banks)
def test_wealth_falls_as_the_threshold_rises(one: Fraction, other: Fraction, bank: Bank) -> None:
    assert audited(min(one, other), bank).peak >= audited(max(one, other), bank).peak


@given(thresholds, banks)
def test_a_whole_bank_above_the_threshold_is_certain_and_no_other_is(threshold: Fraction, bank: Bank) -> None:
    mean = sum(score for score, _ in bank) / len(bank)
    assert (audited(threshold, bank).evalue == 2**256) is (mean > threshold)
    assert (audited(threshold, bank, below=True).evalue == 2**256) is (mean < threshold)


@given(thresholds, banks)
def test_the_peak_is_the_largest_wealth(threshold: Fraction, bank: Bank) -> None:
    audit = ComparisonAudit(threshold, [reported for _, reported in bank])
    largest = ONE
    for position, (score, _) in enumerate(bank):
        audit.update(position, score)
        largest = max(largest, audit.evalue)
        assert audit.peak == largest
        assert audit.samples == position + 1
        assert audit.shown(ERROR) is (largest >= 1 / ERROR)


@given(thresholds, st.lists(st.fractions(min_value=0, max_value=1), min_size=1, max_size=8))
def test_scores_off_the_grid_are_rounded_against_the_claim(threshold: Fraction, fine: list[Fraction]) -> None:
    reported = [ONE] * len(fine)
    for below, rounded in (
        (False, [Fraction(math.floor(score * GRID), GRID) for score in fine]),
        (True, [Fraction(math.ceil(score * GRID), GRID) for score in fine]),
    ):
        precise, coarse = (list(zip(values, reported, strict=True)) for values in (fine, rounded))
        assert audited(threshold, precise, below=below).evalue == audited(threshold, coarse, below=below).evalue


def test_a_report_that_says_nothing_changes_nothing() -> None:
    """All reported scores equal: nobody bets differently, and a large bank is like none."""
    scores = [Fraction(place % 3 == 0) for place in range(60)]
    audit = ComparisonAudit(Fraction(1, 5), [ONE] * 10**6)
    betting = Betting(Fraction(1, 5))
    for position, score in enumerate(scores):
        audit.update(position, score)
        betting.update(score)
    assert abs(audit.evalue / betting.evalue - 1) < Fraction(1, 100)


def test_a_missing_score_counts_against_either_claim() -> None:
    reported = [ONE, ZERO, ONE, ZERO]
    for below, worst in ((False, ZERO), (True, ONE)):
        holed, filled = (ComparisonAudit(Fraction(1, 2), reported, below=below) for _ in range(2))
        holed.update(2, None)
        filled.update(2, worst)
        assert holed.evalue == filled.evalue
        assert holed.samples == 1


def test_nothing_is_shown_without_a_draw() -> None:
    audit = ComparisonAudit(Fraction(1, 5), [ONE] * 100)
    assert audit.evalue == audit.peak == 1
    assert not audit.shown(Fraction(49, 100))


@pytest.mark.parametrize(
    ("threshold", "reported", "message"),
    [
        pytest.param(ZERO, [ONE], "a threshold to bet on lies between 0 and 1", id="threshold-0"),
        pytest.param(ONE, [ONE], "a threshold to bet on lies between 0 and 1", id="threshold-1"),
        pytest.param(ERROR, [], "a bank without items", id="empty"),
        pytest.param(ERROR, [ONE, Fraction(3, 2)], "a score lies between 0 and 1", id="reported"),
    ],
)
def test_a_bank_that_nobody_can_audit_is_refused(threshold: Fraction, reported: list[Fraction], message: str) -> None:
    for below in (False, True):
        with pytest.raises(BoundError, match=message):
            ComparisonAudit(threshold, reported, below=below)


@pytest.mark.parametrize(
    ("position", "score", "message"),
    [
        pytest.param(3, ONE, "none at position 3", id="beyond"),
        pytest.param(-1, ONE, "none at position -1", id="before"),
        pytest.param(0, ONE, "position 0 was drawn before", id="again"),
        pytest.param(1, Fraction(-1, 2), "a score lies between 0 and 1", id="score"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_and_changes_nothing(position: int, score: Fraction, message: str) -> None:
    audit = ComparisonAudit(ERROR, [ONE, ZERO, ONE])
    audit.update(0, ONE)
    before = (audit.samples, audit.evalue, audit.peak)
    with pytest.raises(BoundError, match=message):
        audit.update(position, score)
    assert (audit.samples, audit.evalue, audit.peak) == before


def test_an_error_that_shows_nothing_is_refused() -> None:
    with pytest.raises(BoundError, match="an error lies between"):
        ComparisonAudit(ERROR, [ONE]).shown(Fraction(1, 2))


# --- validity --------------------------------------------------------------------------------


def test_whatever_the_report_says_all_orders_of_a_bank_at_the_null_average_to_one() -> None:
    """Every order of five items, whose mean is the threshold, under every report of zeros and ones."""
    scores = (ONE, ONE, ZERO, ZERO, ZERO)
    error = Fraction(2, 5)
    largest = Fraction(0)
    for report in product((ZERO, ONE), repeat=5):
        bank = list(zip(scores, report, strict=True))
        audits = [audited(Fraction(2, 5), bank, order=order[:4]) for order in permutations(range(5))]
        mean = sum(audit.evalue for audit in audits) / len(audits)
        assert 1 - Fraction(1, 2**40) < mean <= 1
        wrong = Fraction(sum(audit.shown(error) for audit in audits), len(audits))
        assert wrong <= error
        largest = max(largest, wrong)
    assert largest > 0


# --- many audits -----------------------------------------------------------------------------


@pytest.fixture
def np() -> ModuleType:
    return pytest.importorskip("numpy", reason="needs the extra `inspect`")


class Audits:
    """Many audits like `ComparisonAudit` side by side. Arrays have a row per audit, and items in order of drawing."""

    def __init__(self, np: ModuleType, threshold: float, again: Any, reported: Any, trusts: dict[float, float]) -> None:
        self.np, self.again, self.reported, self.trusts = np, again, reported, trusts
        self.most = reported.max(axis=1)
        items = again.shape[1]
        self.rests = {trust: items * threshold + trust * (items * self.most - reported.sum(axis=1)) for trust in trusts}
        self.wealths = {trust: Wealths(np, len(again)) for trust in trusts}
        self.certain = np.zeros(len(again), dtype=bool)

    def draw(self, place: int) -> Any:
        """Take the item at this place of every order; return wealth."""
        total = self.np.zeros(len(self.again))
        for trust, share in self.trusts.items():
            values = self.again[:, place] + trust * (self.most - self.reported[:, place])
            rest = self.rests[trust]
            expected = self.np.where(rest > 1e-9, rest, 1) / (self.again.shape[1] - place)
            self.wealths[trust].grow(self.np.where(rest > 1e-9, values / expected, 1))
            rest -= values
            self.certain |= rest < -1e-9
            total += share * self.wealths[trust].total()
        return self.np.where(self.certain, self.np.inf, total)


MIXED = {0.0: 0.5, 0.5: 0.25, 1.0: 0.25}
PLAIN = {0.0: 1.0}


def shuffled(np: ModuleType, generator: Any, again: Any, reported: Any, audits: int) -> tuple[Any, Any]:
    orders = generator.permuted(np.tile(np.arange(len(again)), (audits, 1)), axis=1)
    return again[orders], reported[orders]


@pytest.mark.extra
def test_audits_in_floating_point_follow_the_exact_ones(np: ModuleType) -> None:
    generator = np.random.default_rng(2)
    again, reported = generator.integers(0, 11, (2, 20, 60))
    many = Audits(np, 0.45, again / 10, reported / 10, MIXED)
    wealth = np.array([many.draw(place) for place in range(40)])[-1]
    for row in range(20):
        bank = [(Fraction(int(a), 10), Fraction(int(r), 10)) for a, r in zip(again[row], reported[row], strict=True)]
        audit = audited(Fraction(45, 100), bank, order=range(40))
        assert wealth[row] == pytest.approx(float(audit.evalue), rel=1e-9)


ITEMS = 150


def report_on(np: ModuleType, generator: Any, again: Any, kind: str) -> Any:
    """Reported scores: agreeing at random with the re-run at a given rate, or one of several lies."""
    if kind == "noise":
        return generator.random(ITEMS)
    if kind == "all clear":
        return np.zeros_like(again)
    if kind == "hides most":
        return again * (np.cumsum(again) <= again.sum() / 4)
    if kind == "hides one":
        return np.where(np.arange(ITEMS) == np.argmax(again), 0.0, again)
    agree = generator.random(ITEMS) < float(kind)
    return np.where(agree, again, 1 - again)


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize("kind", ["0.8", "0.9", "0.97", "noise", "all clear", "hides most", "hides one"])
def test_whatever_the_report_an_audit_errs_no_more_than_the_budget(np: ModuleType, kind: str) -> None:
    """A bank of which one fifth succeeds, exactly at the threshold, audited to the last item."""
    generator = np.random.default_rng(40)
    again = (np.arange(ITEMS) < ITEMS // 5).astype(float)
    wrong = 0
    for _ in range(PATHS // CHUNK):
        reported = report_on(np, generator, again, kind)
        audits = Audits(np, 0.2, *shuffled(np, generator, again, reported, CHUNK), MIXED)
        crossed = np.zeros(CHUNK, dtype=bool)
        for place in range(ITEMS):
            crossed |= audits.draw(place) >= 20
        wrong += int(crossed.sum())
    assert 0 < wrong / PATHS <= at_most(0.05)


def mean_samples(np: ModuleType, again: Any, reported: Any, trusts: dict[float, float]) -> float:
    """Mean number of items until "above 1/5" is shown at 1/20."""
    audits = Audits(np, 0.2, again, reported, trusts)
    samples = np.full(len(again), again.shape[1])
    for place in range(again.shape[1]):
        samples = np.minimum(samples, np.where(audits.draw(place) >= 20, place + 1, samples))
    return float(samples.mean())


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize("rate", [0.25, 0.3])
@pytest.mark.parametrize(("agreement", "of_plain"), [(0.97, 0.55), (0.9, 0.80), (0.8, 1.0), (0.5, 1.15)])
def test_an_honest_report_saves_half_the_items_and_a_useless_one_costs_little(
    np: ModuleType, rate: float, agreement: float, of_plain: float
) -> None:
    generator = np.random.default_rng(41)
    again = (generator.permuted(np.tile(np.arange(1000), (500, 1)), axis=1) < 1000 * rate).astype(float)
    reported = np.where(generator.random(again.shape) < agreement, again, 1 - again)
    plain = mean_samples(np, again, reported, PLAIN)
    mixed = mean_samples(np, again, reported, MIXED)
    assert mixed < of_plain * plain
