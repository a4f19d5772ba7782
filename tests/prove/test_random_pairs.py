"""Random pairs of policies: solvers agree, situations replay, proofs survive samples, formulas are what the gate does.

Every pair is compared both ways by z3 and cvc5. Each situation that refutes is judged again by the interpreter over
sides built anew, and by the whole gate in a history where it has one. Each proof is checked in 10,000 sampled lawful
situations of its pair or more: in all of them by the formulas, in two of them by the interpreter, on every question.
"""

from __future__ import annotations

import pytest

from tests.prove.rounds import STATES, Round, play

CHUNK = 250
FEW = 40


def _sound(found: Round) -> None:
    assert not found.faults, "\n".join(found.faults[:5])
    assert found.counts["situations"] == sum(found.counts[key] for key in ("enacted", "not enacted"))
    assert found.counts["enacted"] > 0.6 * found.counts["situations"]


@pytest.mark.parametrize("chunk", range(200 // FEW))
def test_two_hundred_pairs(chunk: int):
    found = play(range(chunk * FEW, (chunk + 1) * FEW), states=1_000)
    _sound(found)
    assert found.counts["pairs"] == FEW
    assert len([key for key in ("equivalent", "stricter", "weaker", "incomparable") if found.counts[key]]) > 1


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(10_000 // CHUNK))
def test_ten_thousand_pairs(chunk: int):
    found = play(range(chunk * CHUNK, (chunk + 1) * CHUNK))
    _sound(found)
    assert found.counts["pairs"] == CHUNK
    assert found.counts["states"] >= STATES * CHUNK
    assert all(found.counts[key] > CHUNK / 20 for key in ("equivalent", "stricter", "weaker", "incomparable"))
