"""Certificates of resumption: what is exact, close, different, or was not compared."""

import pytest

from scalegate.enforce.certificate import Difference, judge, unchecked


def test_no_difference_is_exact():
    found = judge([], 3)
    assert (found.label, found.largest, found.code) == ("exact", 0.0, "resumption-exact")
    assert found.words == "every weight is the same bit by bit after 3 steps from the earlier checkpoint"


def test_differences_within_the_tolerance_are_close_and_the_largest_is_said():
    found = judge([Difference("a", 1e-7), Difference("b", 3e-7)], 1, 3e-7)
    assert (found.label, found.largest) == ("close", 3e-7)
    assert "after 1 step from" in found.words


def test_a_sign_of_zero_is_close_and_not_exact():
    assert judge([Difference("a", 0.0)], 1).label == "close"


@pytest.mark.parametrize("size", [2.0, float("inf"), float("nan"), None])
def test_one_tensor_beyond_the_tolerance_is_different(size):
    found = judge([Difference("a", 1e-7), Difference("b", size)], 1, 1e-6)
    assert found.label == "different"
    assert found.largest == (2.0 if size == 2.0 else float("inf"))
    assert "`b`" in found.words
    assert "`a`" not in found.words


def test_what_nobody_compared_is_unchecked_and_says_why():
    found = unchecked("the disk is full", 2)
    assert (found.label, found.steps, found.code) == ("unchecked", 2, "resumption-unchecked")
    assert found.words == "nothing was compared: the disk is full"
