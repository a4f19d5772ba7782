"""Boundaries: their shape, their exact error, and the search for one that spends it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.binomial import BoundError
from scalegate.stats.boundary import MOST_SAMPLES, Boundary, at_most, boundary, unpack
from scalegate.stats.calibrate import calibrated, open_ended
from scalegate.stats.crossing import crossing
from scalegate.stats.power import power
from tests.stats.walks import ever_reached

ERRORS = (Fraction(1, 20), Fraction(1, 100), Fraction(1, 1000))
thresholds = st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=60)
steps = st.text("01", min_size=1, max_size=40)
lengths = st.integers(1, 60)
errors = st.sampled_from(ERRORS)


@given(thresholds, steps, st.sampled_from((0, 40, 55)))
def test_a_boundary_is_packed_and_unpacked(threshold, digits, bank):
    made = Boundary(threshold, digits, bank)
    assert unpack(threshold, made.packed, made.most, bank) == made
    assert len(made.packed) == -(-len(digits) // 4)


@given(thresholds, steps, st.sampled_from((0, 40, 55)))
def test_the_chance_to_reach_any_boundary_is_exact_and_never_too_small(threshold, digits, bank):
    """Boundaries of every shape: also those that nobody would commit in good faith."""
    made = Boundary(threshold, digits, bank)
    share = Fraction(at_most(threshold, bank), bank) if bank else threshold
    exact, claimed = ever_reached(made, share), crossing(made)
    assert exact <= claimed <= exact + Fraction(1, 10**7)


@given(thresholds, thresholds, steps)
def test_a_boundary_is_reached_less_often_at_a_smaller_rate(threshold, rate, digits):
    made = Boundary(threshold, digits)
    if rate <= threshold:
        assert ever_reached(made, rate) <= crossing(made)


@given(thresholds, errors, lengths, st.integers(0, 30))
def test_a_calibrated_boundary_keeps_its_error(threshold, error, most, more):
    for bank in (0, most + more):
        made = calibrated(threshold, error, most, bank)
        share = Fraction(at_most(threshold, bank), bank) if bank else threshold
        assert ever_reached(made, share) <= error
        assert made.most == most


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("gap", [Fraction(1, 20), Fraction(1, 10), Fraction(1, 5)])
def test_what_is_calibrated_decides_sooner(error, gap):
    """A boundary that is valid for ever wastes what a run that ends cannot spend."""
    threshold, most = Fraction(1, 5), 3_000
    sooner, later = calibrated(threshold, error, most), open_ended(threshold, error, most)
    assert power(threshold + gap, sooner, None).expected < power(threshold + gap, later, None).expected


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("threshold", [Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), Fraction(9, 10)])
def test_calibration_spends_nearly_all_of_the_error(threshold, error):
    assert error * Fraction(9, 10) <= crossing(calibrated(threshold, error, 1000)) <= error
    assert crossing(open_ended(threshold, error, 1000)) < error * Fraction(19, 20)


def test_a_bank_never_needs_more_than_all_of_it():
    """With every item drawn the share is known: a bank just above the threshold reaches the boundary."""
    for bank in (20, 75, 200):
        made = calibrated(Fraction(1, 5), Fraction(1, 20), bank, bank)
        total = at_most(made.threshold, bank)
        assert made.needed[-1] <= total + 1
        last = [0] * (bank - total - 1) + [1] * (total + 1)
        assert made.reached(last) == bank
        assert made.reached([0] * (bank - total) + [1] * total) == 0


def test_a_path_reaches_its_boundary_at_the_first_sample_at_or_above_it():
    made = Boundary(Fraction(1, 2), "1100")
    assert made.needed == (1, 2, 3, 3, 3)
    assert made.reached([1, 1, 1, 0]) == 3
    assert made.reached([1, 1, 0, 1]) == 4
    assert made.reached([1, 1, 0, 0]) == 0
    assert made.reached([1, 0, 0, 0, 1, 1]) == 0, "samples beyond the plan are not looked at"


def test_a_boundary_that_nothing_reaches_has_no_error():
    assert crossing(Boundary(Fraction(1, 2), "1" * 30)) < Fraction(1, 10**12)


def test_a_boundary_that_everything_reaches_has_all_of_it():
    assert crossing(Boundary(Fraction(1, 2), "0" * 64)) > 1 - Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("threshold", "digits", "bank"),
    [
        (Fraction(0), "1", 0),
        (Fraction(1), "1", 0),
        (Fraction(1, 2), "", 0),
        (Fraction(1, 2), "1021", 0),
        (Fraction(1, 2), "1111", 3),
        (Fraction(1, 2), "1" * (MOST_SAMPLES + 1), 0),
    ],
    ids=["threshold-0", "threshold-1", "empty", "digit", "bank-too-small", "too-long"],
)
def test_what_is_no_boundary_is_refused(threshold, digits, bank):
    with pytest.raises(BoundError):
        Boundary(threshold, digits, bank)


@pytest.mark.parametrize("packed", ["", "f", "fff", "fg", "F0", "ff", "0x", " f"])
def test_digits_of_another_length_or_alphabet_are_refused(packed):
    with pytest.raises(BoundError):
        unpack(Fraction(1, 2), packed, 6)


@pytest.mark.parametrize(("level", "most", "bank"), [(0.5, 10, 0), (5.0, 0, 0), (5.0, 11, 10)])
def test_what_no_mixture_has_is_refused(level, most, bank):
    with pytest.raises(BoundError):
        boundary(Fraction(1, 2), level, most, Fraction(1, 20), bank)


def test_the_digest_tells_boundaries_apart():
    made = Boundary(Fraction(1, 2), "10")
    others = [Boundary(Fraction(1, 3), "10"), Boundary(Fraction(1, 2), "11"), Boundary(Fraction(1, 2), "10", 9)]
    assert len({item.digest for item in (made, *others)}) == 4
    assert Boundary(Fraction(2, 4), "10").digest == made.digest


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize("percent", range(1, 100))
def test_the_error_is_exact_for_every_threshold(percent):
    """Every threshold in steps of 0.01, three errors, up to 20,000 samples, by another program: float64 and numpy."""
    from tests.stats.float_walk import ever_reached as by_numpy  # noqa: PLC0415 - an extra

    threshold = Fraction(percent, 100)
    for error in ERRORS:
        for most in (100, 2_000, 20_000):
            made = calibrated(threshold, error, most)
            found = by_numpy(made, float(threshold))
            assert found <= error
            assert abs(found - float(crossing(made))) < 1e-6 * float(error) + 1e-9
