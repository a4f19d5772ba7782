"""`specified NAME`: whether those who may fill a hole attest that it is specified. It shows nothing more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalegate.core.actions import covered
from scalegate.core.events import specified_topic
from scalegate.core.kernel import Commitment, Compare, Constant, HoleSpec, Not
from scalegate.core.quantities import DAY
from scalegate.core.terms import Hole, Specified
from tests.gate.random_worlds import NOW, SPAN, plain_kernel, plain_world, stated

SHOWN = Compare(0, True, True, 1, 1, "specified gap", SPAN)


def world(term, *roles: str):
    hole = HoleSpec("gap", "nobody knows", "us", roles, None, SPAN)
    promise = Commitment("c", ("deploy",), covered("deploy"), Not(SHOWN, SPAN), Constant(False, SPAN), False, SPAN)
    kernel = plain_kernel(terms=(term,), commitments=(promise,), holes={"gap": hole}, evaluations={})
    return replace(plain_world(), kernels=(kernel,))


def says(by: str, role: str, **other):
    return stated("predicate", specified_topic("gap"), by=by, role=role, **other)


def permits(found) -> bool:
    return found.ask().answer == "permit"


def test_nobody_has_said_that_it_is_specified():
    assert not permits(world(Specified("gap"), "auditor"))


def test_those_who_may_fill_it_say_so():
    found = world(Specified("gap"), "auditor").then(says("metra", "auditor"))
    assert permits(found)
    assert found.ask().limits.expires <= NOW + 200 * DAY


@pytest.mark.parametrize(("by", "role"), [("lab", "developer"), ("lab", "auditor"), ("x", "passer-by")])
def test_nobody_else_can_say_so(by, role):
    assert not permits(world(Specified("gap"), "auditor").then(says(by, role)))


def test_all_of_them_have_to_say_so():
    found = world(Specified("gap"), "auditor", "regulator").then(says("metra", "auditor"))
    assert not permits(found)
    assert permits(found.then(says("office", "regulator")))


def test_their_denial_counts():
    found = world(Specified("gap"), "auditor").then(says("metra", "auditor"), says("metra", "auditor", holds=False))
    assert not permits(found)


def test_a_hole_that_nobody_may_fill_is_never_specified():
    assert not permits(world(Specified("gap")).then(says("metra", "auditor")))


def test_what_is_specified_is_not_shown():
    assert not permits(world(Hole("gap"), "auditor").then(says("metra", "auditor")))
