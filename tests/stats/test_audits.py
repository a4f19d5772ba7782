"""Audits of a bank: what a random part, run again beside what was reported, shows."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.audits import Audit
from scalegate.stats.binomial import BoundError
from scalegate.stats.calibrate import calibrated
from scalegate.stats.comparison import ComparisonAudit
from scalegate.stats.pooling import FIRST, of_path, pooled, pooled_upper

UP, DOWN = Fraction(1, 20), Fraction(1, 1000)
ASKED = (Fraction(1, 5), UP * FIRST, Fraction(1, 5), DOWN * FIRST)
BANK = 60
told = st.text("10-", min_size=BANK, max_size=BANK)
outcomes = st.text("10-", max_size=BANK)


def audit(said: str, reported: str, planned: int = BANK) -> Audit:
    return Audit(said, reported, planned, (ASKED,))


def bounds(said: Audit) -> tuple[Fraction, Fraction]:
    found = pooled([of_path(said)], UP, DOWN)
    return found.lower, found.upper


def drawn(items: int, share: float, agree: float, seed: int) -> tuple[str, str]:
    """Return what a bank came to and what was reported of it, in a random order."""
    rng = random.Random(seed)
    bank = ["1"] * round(items * share) + ["0"] * (items - round(items * share))
    rng.shuffle(bank)
    reported = [one if rng.random() < agree else rng.choice("10") for one in bank]
    return "".join(bank), "".join(reported)


@given(outcomes, told)
def test_an_audit_ends_where_either_claim_is_shown(said, reported):
    predicted = [{"1": Fraction(1), "0": Fraction(0), "-": Fraction(1, 2)}[one] for one in reported]
    above, below, end = ComparisonAudit(ASKED[0], predicted), ComparisonAudit(ASKED[2], predicted, below=True), 0
    for place, one in enumerate(said):
        score = {"1": Fraction(1), "0": Fraction(0), "-": None}[one]
        above.update(place, score)
        below.update(place, score)
        if above.shown(ASKED[1]) or below.shown(ASKED[3]):
            end = place + 1
            break
    assert audit(said, reported).settled == end


@given(outcomes, told, st.integers(0, BANK))
def test_losing_the_end_shows_no_more(said, reported, kept):
    (low, high), (less, more) = bounds(audit(said, reported)), bounds(audit(said[:kept], reported))
    assert less <= low
    assert high <= more


@given(outcomes, told)
def test_an_audit_and_its_mirror_say_the_same(said, reported):
    one = audit(said, reported)
    assert one.mirrored().mirrored() == one
    assert one.mirrored().settled == one.settled
    assert 1 - pooled_upper([of_path(one.mirrored())], UP) == pooled([of_path(one)], UP, DOWN).lower


@given(outcomes, told, told)
def test_whatever_was_reported_a_bank_run_whole_is_known(said, reported, other):
    whole = said.ljust(BANK, "0")
    for one in (reported, other):
        found = audit(whole, one)
        if not found.settled:
            assert bounds(found)[0] >= Fraction(whole.count("1"), BANK)


def test_a_report_that_is_right_takes_far_fewer_items():
    items = 1_000
    bank, reported = drawn(items, 0.15, 1.0, 3)
    alone = calibrated(Fraction(4, 5), DOWN * FIRST, items, items)
    plain = alone.reached([int(one == "0") for one in bank])
    compared = Audit(bank, reported, items, (ASKED,)).settled
    assert 0 < compared < plain / 2
    assert pooled([of_path(Audit(bank, reported, items, (ASKED,)))], UP, DOWN).upper <= Fraction(1, 5)


@pytest.mark.parametrize("lie", ["0", "1", "-"])
def test_a_report_that_is_a_lie_decides_nothing_wrongly(lie):
    """Of a bank at its threshold, whatever was reported: "above" is shown in fewer than one order in twenty."""
    wrong, orders = 0, 400
    for seed in range(orders):
        bank, _ = drawn(100, 0.2, 1.0, seed)
        wrong += Audit(bank[:60], lie * 100, 100, (ASKED,)).shown_above(UP) > 0
    assert wrong / orders <= 0.05


@pytest.mark.parametrize(
    ("said", "reported", "planned"),
    [("2", "0" * BANK, BANK), ("1", "x" * BANK, BANK), ("1" * 61, "0" * BANK, BANK), ("1", "0" * 10, BANK)],
    ids=["outcome", "report", "more-than-planned", "bank-smaller-than-plan"],
)
def test_what_is_no_audit_is_refused(said, reported, planned):
    with pytest.raises(BoundError):
        audit(said, reported, planned)
