"""How many samples a decision takes: exact, against all paths and against random banks."""

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.boundary import at_most
from scalegate.stats.calibrate import calibrated, open_ended
from scalegate.stats.power import power
from tests.stats.walks import stops

UP, DOWN = Fraction(1, 20), Fraction(1, 1000)
thresholds = st.sampled_from((Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), Fraction(9, 10)))
rates = st.fractions(0, 1, max_denominator=20)


@given(thresholds, rates, st.integers(1, 50), st.integers(0, 20), st.booleans())
def test_every_number_is_that_of_all_paths(threshold, rate, most, more, of_bank):
    bank = most + more if of_bank else 0
    above, below = calibrated(threshold, UP, most, bank), calibrated(1 - threshold, UP, most, bank)
    found = power(rate, above, below)
    exact = list(stops(rate, above, below, most, bank))
    assert found.above == pytest.approx(float(sum(high for high, _ in exact)), abs=1e-7)
    assert found.below == pytest.approx(float(sum(low for _, low in exact)), abs=1e-7)
    left, expected = Fraction(1), Fraction(0)
    for high, low in exact:
        expected += left
        left -= high + low
    assert found.undecided == pytest.approx(float(left), abs=1e-7)
    assert found.expected == pytest.approx(float(expected), rel=1e-6)


@given(thresholds, rates, st.integers(2, 200))
def test_the_parts_make_a_whole(threshold, rate, most):
    found = power(rate, calibrated(threshold, UP, most), calibrated(1 - threshold, DOWN, most))
    assert found.above + found.below + found.undecided == pytest.approx(1, abs=1e-9)
    assert 1 <= found.median <= found.ninth <= most
    assert 0 < found.expected <= most


def test_one_side_alone_is_answered_on_that_side():
    above = calibrated(Fraction(1, 5), UP, 100)
    assert power(Fraction(0), above, None).undecided == 1
    assert power(Fraction(1), above, None).above == 1
    assert power(Fraction(1), None, above).undecided == 1


@pytest.mark.parametrize("sides", [(None, None), (100, 99)])
def test_what_is_no_run_is_refused(sides):
    made = [calibrated(Fraction(1, 2), UP, most) if most else None for most in sides]
    with pytest.raises(ValueError, match="power needs"):
        power(Fraction(1, 2), *made)


def test_a_bank_takes_at_least_a_quarter_fewer_samples():
    """Up to 1,000 items and 5 points from the threshold: without replacement the last items tell ever more."""
    threshold, rate = Fraction(1, 5), Fraction(1, 4)
    open_to_all = power(rate, calibrated(threshold, UP, 5_000), None).expected
    for bank in (200, 500, 1_000):
        of_bank = power(rate, calibrated(threshold, UP, bank, bank), None)
        assert of_bank.undecided == 0
        assert of_bank.expected <= 0.75 * open_to_all


def test_random_banks_stop_as_planned():
    rng = random.Random(7)
    threshold, bank, total = Fraction(1, 5), 300, 90
    above, below = calibrated(threshold, UP, 200, bank), calibrated(1 - threshold, DOWN, 200, bank)
    found, runs, samples, ups = power(Fraction(total, bank), above, below), 4_000, 0, 0
    items = [1] * total + [0] * (bank - total)
    for _ in range(runs):
        rng.shuffle(items)
        up, down = above.reached(items), below.reached([1 - item for item in items])
        samples += min((end for end in (up, down) if end), default=200)
        ups += up > 0 and (not down or up < down)
    assert samples / runs == pytest.approx(found.expected, rel=0.04)
    assert ups / runs == pytest.approx(found.above, abs=0.01)


@pytest.mark.parametrize("total_over", [0, 1, 5])
def test_a_whole_bank_is_always_decided_above_its_threshold(total_over):
    threshold, bank = Fraction(1, 5), 120
    above = calibrated(threshold, UP, bank, bank)
    share = Fraction(at_most(threshold, bank) + total_over, bank)
    assert (power(share, above, None).undecided < 1e-9) is (total_over > 0)


def test_a_short_plan_is_what_binomials_say():
    """Two samples of which both must succeed."""
    made = open_ended(Fraction(1, 5), Fraction(4, 100), 2)
    assert made.needed[2] > 2 or power(Fraction(1, 2), made, None).above == pytest.approx(comb(2, 2) / 4)


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize("alpha", [Fraction(1, 20), Fraction(1, 1000)])
@pytest.mark.parametrize(("bank", "most"), [(120, 120), (500, 500), (2_000, 400)])
def test_a_hundred_thousand_random_orders_of_a_bank_err_within_the_error(alpha, bank, most):
    """At the threshold itself, drawn without replacement; peeking at a plain interval errs far more often beside it."""
    numpy = pytest.importorskip("numpy", reason="an extra")
    rng, orders, threshold = numpy.random.default_rng(5), 100_000, Fraction(1, 5)
    needed = numpy.array(calibrated(threshold, alpha, most, bank).needed[1:])
    total = at_most(threshold, bank)
    sizes = numpy.arange(1, most + 1)
    deviation = numpy.sqrt(sizes * float(threshold) * (1 - float(threshold)))
    wrong = naive = 0
    for _ in range(orders // 5_000):
        drawn = numpy.argsort(rng.random((5_000, bank)), axis=1)[:, :most] < total
        counts = numpy.cumsum(drawn, axis=1)
        wrong += int((counts >= needed).any(axis=1).sum())
        naive += int((counts - sizes * float(threshold) > 1.645 * deviation)[:, 20:].any(axis=1).sum())
    error = float(alpha)
    assert wrong / orders <= error + 3 * (error / orders) ** 0.5
    assert naive / orders > 0.1
