"""Latches over time: proofs for every history by a simulation relation, and histories where there is none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from scalegate.core.kernel import Kernel
from scalegate.prove.over_time import over_time
from tests.prove.policies import BOTH, line, policy

TEXT = "unless shown: autonomy <= {} | once crossed, resume only if shown: deception < {} and weight-security"


def _policy(above: str, below: str, **evaluation: object) -> Kernel:
    kernel = policy(line(TEXT.format(above, below), hold="deploy"))
    spec = replace(kernel.evaluations["autonomy"], **evaluation)  # type: ignore[arg-type]
    return replace(kernel, evaluations={**kernel.evaluations, "autonomy": spec})


def test_a_tighter_hysteresis_is_stricter_for_all_time():
    found = over_time([_policy("18%", "9%")], [_policy("20%", "10%")], "deploy.api", BOTH)
    assert (found.strict, found.depth) == (True, None)
    assert {one.status for one in found.opinions} == {"unsat"}


def test_the_reverse_has_a_history():
    found = over_time([_policy("20%", "10%")], [_policy("18%", "9%")], "deploy.api", BOTH)
    assert found.strict is False
    assert found.depth == 1
    assert len(found.history) == 1


def test_latches_of_different_errors_are_related_by_an_order_that_steps_keep():
    careful = _policy("18%", "9%", wrongly_stopped=Fraction(1, 10))
    found = over_time([careful], [_policy("20%", "10%")], "deploy.api", BOTH)
    assert (found.strict, found.depth) == (True, None)
    assert len(found.relation) == 1


def test_latches_that_see_neither_more_nor_less_are_not_related():
    one = _policy("20%", "10%", wrongly_stopped=Fraction(1, 10))
    two = _policy("20%", "10%", reach_issuer=True)
    found = over_time([one], [two], "deploy.api", BOTH)
    assert found.relation == ()
    assert found.strict is False, "what another lineage of the issuer shows holds the one alone that reaches so far"
