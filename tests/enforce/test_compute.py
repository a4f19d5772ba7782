"""The rules that FLOP are counted by: known answers, and laws that hold for every shape."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.quantities import UNBOUNDED, ComputeRange
from scalegate.enforce.compute import (
    Attention,
    ComputeError,
    Cross,
    Experts,
    Hardware,
    Multiplier,
    Reading,
    Shape,
    Stack,
    Step,
    calibration_ratio,
    forward_flop,
    step_flop,
    training_flop,
)

small = st.integers(1, 9)
lengths = st.integers(1, 5_000)
huge = st.integers(0, 10**30)
attentions = st.builds(Attention, small, small, small, st.none() | lengths)


@st.composite
def experts(draw):
    count = draw(small)
    return Experts(draw(st.integers(1, 10**6)), count, draw(st.integers(1, count)), draw(st.integers(0, 2)))


def tuples(items):
    return st.lists(items, max_size=3).map(tuple)


stacks = st.builds(Stack, st.integers(1, 10**9), tuples(experts()), tuples(attentions))
plain_shapes = st.builds(Shape, stacks, st.integers(0, 10**6), st.integers(0, 10**6))
crosses = st.builds(Cross, st.integers(0, 10**6), tuples(attentions))
pairs = st.builds(Shape, stacks, st.integers(0, 10**6), st.integers(0, 10**6), stacks, crosses)
shapes = plain_shapes | pairs
steps = st.builds(Step, small, lengths, accumulation=small, world=st.integers(1, 10_000), recompute=st.booleans())
ratios = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**6)


@st.composite
def multipliers(draw):
    low, high = sorted((draw(ratios), draw(ratios)))
    return Multiplier(low, high)


# ---------------------------------------------------------------- known answers


def test_a_model_without_attention_costs_six_flop_for_each_weight_and_token():
    shape = Shape(Stack(1_000))
    assert forward_flop(shape, 10) == 2 * 1_000 * 10
    assert training_flop(shape, 10) == 6 * 1_000 * 10


def test_attention_over_all_tokens_is_twelve_times_width_times_length_for_each_token():
    """The attention term of the usual formula: 12 x layers x width x length per token, forward and backward."""
    shape = Shape(Stack(0, attention=(Attention(heads=4, key_size=16, value_size=16),) * 3))
    assert training_flop(shape, 100) == 12 * 3 * 64 * 100 * 100


def test_gpt_3_costs_what_its_paper_says():
    """3.14e23 FLOP for 300e9 tokens (arXiv 2005.14165, table D.1, without attention), within one percent."""
    width, layers = 12_288, 96
    shape = Shape(Stack(12 * width * width * layers), outside=50_257 * width)
    run = training_flop(shape, 2_048) * (300 * 10**9 // 2_048)
    assert abs(Fraction(run, 314 * 10**21) - 1) < Fraction(1, 100)


def test_a_token_pays_for_active_and_shared_experts_only():
    shape = Shape(Stack(0, experts=(Experts(weights=100, count=8, active=2, shared=1),)))
    assert forward_flop(shape, 1) == 2 * 300


def test_the_source_pays_for_its_encoder_and_for_the_keys_and_values_made_of_it():
    attention = Attention(heads=1, key_size=1, value_size=1)
    shape = Shape(Stack(10), outside=5, encoder=Stack(100), cross=Cross(1_000, (attention,)))
    assert forward_flop(shape, length=3, source=7) == 2 * (3 * 15 + 7 * 1_100 + 2 * 3 * 7)
    assert forward_flop(shape, 3) == forward_flop(shape, 3, 3)


def test_what_is_applied_once_for_a_sequence_does_not_grow_with_it():
    shape = Shape(Stack(10), fixed=7)
    assert forward_flop(shape, 2) - forward_flop(shape, 1) == 2 * 10
    assert forward_flop(shape, 1) == 2 * 17


def test_recomputation_runs_the_layers_once_more_and_the_head_not():
    shape = Shape(Stack(10), outside=90)
    assert training_flop(shape, 1, recompute=True) - training_flop(shape, 1) == 2 * 10


def test_a_step_pays_for_every_sequence_on_every_rank():
    step = Step(sequences=4, length=128, accumulation=8, world=16)
    assert step_flop(Shape(Stack(10)), step) == 4 * 8 * 16 * 6 * 10 * 128
    assert step.tokens == 4 * 8 * 16 * 128


# ---------------------------------------------------------------- laws of counting


@given(shapes, lengths, lengths)
def test_a_longer_sequence_costs_more(shape, first, second):
    shorter, longer = sorted((first, second))
    assert forward_flop(shape, shorter) <= forward_flop(shape, longer)
    assert training_flop(shape, longer + 1) > training_flop(shape, longer)


@given(pairs, lengths, lengths)
def test_a_longer_source_costs_more(shape, length, source):
    assert forward_flop(shape, length, source + 1) > forward_flop(shape, length, source)


@given(shapes, steps, st.sampled_from(["sequences", "length", "accumulation", "world"]), small)
def test_more_of_anything_in_a_step_costs_more(shape, step, what, more):
    larger = replace(step, **{what: getattr(step, what) + more})
    assert step_flop(shape, larger) > step_flop(shape, step)


@given(shapes, steps)
def test_how_sequences_are_spread_over_ranks_and_micro_batches_costs_nothing(shape, step):
    together = Step(step.sequences * step.accumulation * step.world, step.length, step.source, recompute=step.recompute)
    assert step_flop(shape, together) == step_flop(shape, step)


@given(shapes, lengths)
def test_recomputation_is_never_cheaper_and_at_most_a_third_dearer(shape, length):
    once, twice = training_flop(shape, length), training_flop(shape, length, recompute=True)
    assert once < twice <= once + forward_flop(shape, length)


@given(stacks, lengths, lengths)
def test_padding_costs_what_words_cost(stack, words, padding):
    """Two short sequences padded to a longer one cost twice the longer."""
    shape = Shape(stack)
    padded = step_flop(shape, Step(2, words + padding))
    assert padded == 2 * training_flop(shape, words + padding)
    assert padded > training_flop(shape, words + padding) + training_flop(shape, words)


@given(small, small, small, lengths, lengths)
def test_a_window_spares_only_what_lies_outside_it(heads, key, value, window, length):
    whole, windowed = Attention(heads, key, value), Attention(heads, key, value, window)
    assert windowed.multiply_adds(length, length) <= whole.multiply_adds(length, length)
    assert (windowed.multiply_adds(length, length) == whole.multiply_adds(length, length)) == (window >= length)
    assert windowed.multiply_adds(length + 1, length + 1) > windowed.multiply_adds(length, length)


@given(experts())
def test_no_token_pays_for_more_than_all_experts(layer):
    assert layer.weights <= layer.applied <= layer.weights * (layer.count + layer.shared)


# ---------------------------------------------------------------- readings


@given(st.integers(1, 10**30), st.integers(1, 10**30))
def test_a_calibration_never_takes_anything_off(counted, analytic):
    ratio = calibration_ratio(counted, analytic)
    assert ratio >= 1
    assert ratio == 1 or ratio * analytic == counted


@given(huge, st.none() | ratios.map(lambda ratio: 1 + ratio), st.none() | huge)
def test_the_largest_reading_is_one_of_them_and_below_none(analytic, ratio, hardware):
    reading = Reading(analytic, ratio, hardware)
    stated = [value for value in (analytic, reading.calibrated, hardware) if value is not None]
    assert reading.largest == max(stated)
    assert reading.calibrated is None or analytic * ratio <= reading.calibrated < analytic * ratio + 1


def test_the_largest_of_all_readings_counts_and_the_others_stay_beside_it():
    reading = Reading(10**25, Fraction(21, 20), Hardware(1_000, 86_400, 10**15, Fraction(2, 5)).flop)
    assert (reading.analytic, reading.calibrated, reading.hardware) == (
        10_000_000_000_000_000_000_000_000,
        10_500_000_000_000_000_000_000_000,
        34_560_000_000_000_000_000_000,
    )
    assert reading.largest == reading.calibrated


def test_a_reading_that_nobody_took_is_none():
    assert (Reading(5).calibrated, Reading(5).hardware, Reading(5).largest) == (None, None, 5)


def test_hardware_time_is_rounded_up():
    assert Hardware(1, 1, 10, Fraction(1, 3)).flop == 4
    assert Hardware(2, 3, 5).flop == 30


# ---------------------------------------------------------------- effective compute


@given(multipliers(), huge)
def test_effective_compute_is_rounded_outward(multiplier, flop):
    found = multiplier.effective(flop)
    assert found.low <= flop * multiplier.low < found.low + 1
    assert found.high - 1 < flop * multiplier.high <= found.high


@given(multipliers(), huge)
def test_the_most_flop_within_a_limit_are_within_it_and_one_more_is_not(multiplier, limit):
    most = multiplier.most(limit)
    assert multiplier.effective(most).high <= limit
    assert multiplier.effective(most + 1).high > limit


@given(multipliers(), huge)
def test_what_was_spent_lies_within_what_it_is_worth(multiplier, flop):
    assert multiplier.most(multiplier.effective(flop).high) >= flop


@given(multipliers(), huge, huge)
def test_more_flop_are_never_worth_less(multiplier, flop, more):
    before, after = multiplier.effective(flop), multiplier.effective(flop + more)
    assert before.low <= after.low
    assert before.high <= after.high


def test_effective_compute_ends_where_nobody_can_say():
    double = Multiplier(Fraction(2), Fraction(2))
    assert double.effective(UNBOUNDED) == ComputeRange(UNBOUNDED, UNBOUNDED)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stack(-1), "weights must be a whole number of at least 0, not -1"),
        (lambda: Stack(1.5), "weights must be a whole number of at least 0, not 1.5"),
        (lambda: Stack(True), "weights must be a whole number"),
        (lambda: Attention(0, 1, 1), "heads must be"),
        (lambda: Attention(1, 0, 1), "key_size must be"),
        (lambda: Attention(1, 1, 1, 0), "window must be"),
        (lambda: Experts(1, 2, 3), "3 of 2 experts cannot be active"),
        (lambda: Experts(1, 2, 0), "active must be"),
        (lambda: Experts(1, 2, 1, -1), "shared must be"),
        (lambda: Cross(-1, ()), "weights must be"),
        (lambda: Shape(Stack(0)), "a model that multiplies nothing"),
        (lambda: Shape(Stack(1), outside=-1), "outside must be"),
        (lambda: Shape(Stack(1), fixed=-1), "fixed must be"),
        (lambda: Shape(Stack(1), encoder=Stack(1)), "come together, or neither"),
        (lambda: forward_flop(Shape(Stack(1)), 0), "length must be"),
        (lambda: forward_flop(Shape(Stack(1)), 1, 1), "a source needs an encoder"),
        (lambda: forward_flop(Shape(Stack(1), 0, 0, Stack(1), Cross(1, ())), 1, 0), "source must be"),
        (lambda: Step(0, 1), "sequences must be"),
        (lambda: Step(1, 1, 0), "source must be"),
        (lambda: Step(1, 1, accumulation=0), "accumulation must be"),
        (lambda: Step(1, 1, world=0), "world must be"),
        (lambda: Hardware(1, -1, 1), "seconds must be"),
        (lambda: Hardware(1, 1, 1, Fraction(0)), "utilization must be above 0 and at most 1, not 0"),
        (lambda: Hardware(1, 1, 1, Fraction(5, 4)), "at most 1, not 5/4"),
        (lambda: Hardware(1, 1, 1, 0.4), "utilization must be an exact fraction, not 0.4"),
        (lambda: calibration_ratio(0, 1), "counted must be"),
        (lambda: calibration_ratio(1, 0), "analytic must be"),
        (lambda: Reading(-1), "analytic must be"),
        (lambda: Reading(1, Fraction(1, 2)), "a calibration ratio must be at least 1, not 1/2"),
        (lambda: Reading(1, 1.5), "a calibration ratio must be an exact fraction"),
        (lambda: Reading(1, None, -1), "hardware must be"),
        (lambda: Multiplier(Fraction(0), Fraction(1)), "0 < low <= high, not 0 and 1"),
        (lambda: Multiplier(Fraction(2), Fraction(1)), "0 < low <= high, not 2 and 1"),
        (lambda: Multiplier(Fraction(1), 1.5), "upper bound of a multiplier must be an exact fraction"),
        (lambda: Multiplier(Fraction(1), Fraction(1)).effective(-1), "flop must be"),
        (lambda: Multiplier(Fraction(1), Fraction(1)).most(-1), "limit must be"),
    ],
)
def test_numbers_that_describe_no_computation_are_refused(make, message):
    with pytest.raises(ComputeError) as caught:
        make()
    assert message in str(caught.value)
