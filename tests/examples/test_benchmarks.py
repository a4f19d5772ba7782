"""What the benchmarks hold side by side is the same question, by arithmetic that shares nothing with any answer."""

import importlib
import random
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, log
from types import ModuleType

import pytest

from scalegate.stats.betting import Betting
from scalegate.stats.calibrate import calibrated
from scalegate.stats.crossing import crossing
from tests.contracts.tree import ROOT

SEEDS = range(400)
STATS_MODULES = ("cells", "peers", "paths", "audits")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "gate"))
    for name in ("engines", "states"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("engines")


def held_by_hand(states: ModuleType, state: object) -> frozenset[str]:
    """Name the commitments that hold a situation, in the words of the policy."""
    good = [said for said in state.voiced if said is not None and said.shown and said.until > states.NOW]
    if len(good) >= 2:
        return frozenset()
    held = set()
    for place, (found, threshold) in enumerate(zip(state.measured, states.THRESHOLDS, strict=True)):
        usable = found is not None and found.until > states.NOW and found.reach >= states.TO
        if not (usable and found.high <= threshold):
            held.add(f"c{place}")
    return frozenset(held)


def answers(engine: tuple, drawn: list) -> list[frozenset[str]]:
    prepare, call, read = engine
    return [read(call(prepare(state))) for state in drawn]


def test_the_interpreter_decides_as_counted_by_hand(engines: ModuleType) -> None:
    states = sys.modules["states"]
    drawn = [states.draw(seed) for seed in SEEDS]
    assert answers(engines.scalegate(), drawn) == [held_by_hand(states, state) for state in drawn]


def test_the_situations_are_neither_all_permitted_nor_all_held(engines: ModuleType) -> None:
    states = sys.modules["states"]
    held = [bool(held_by_hand(states, states.draw(seed))) for seed in range(2_000)]
    assert len(states.THRESHOLDS) == engines.EVALUATIONS
    assert 0.4 <= sum(held) / len(held) <= 0.6


def test_boundaries_and_missing_evidence_are_among_the_situations(engines: ModuleType) -> None:
    states = sys.modules["states"]
    found = [
        (measured, threshold)
        for seed in SEEDS
        for measured, threshold in zip(states.draw(seed).measured, states.THRESHOLDS, strict=True)
    ]
    there = [(measured, threshold) for measured, threshold in found if measured is not None]
    assert len(there) < len(found)
    for on_the_bound in (
        lambda item, threshold: item.high == threshold,
        lambda item, threshold: item.low == threshold,
        lambda item, _: item.until == states.NOW,
        lambda item, _: item.until == states.NOW + 1,
        lambda item, _: item.reach == states.TO,
        lambda item, _: item.reach == states.TO - 1,
    ):
        assert any(on_the_bound(item, threshold) for item, threshold in there)
    assert engines.TO == states.TO


@pytest.mark.extra
@pytest.mark.parametrize(("name", "package"), [("cedar", "cedarpy"), ("rego", "regopy")])
def test_the_peers_decide_alike(engines: ModuleType, name: str, package: str) -> None:
    pytest.importorskip(package)
    states = sys.modules["states"]
    drawn = [states.draw(seed) for seed in SEEDS]
    assert answers(getattr(engines, name)(), drawn) == [held_by_hand(states, state) for state in drawn]


# --- stats -----------------------------------------------------------------------------------


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "stats"))
    for name in STATS_MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("cells")
    for name in STATS_MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def peers(cells: ModuleType) -> ModuleType:
    assert cells.__name__ == "cells"
    return importlib.import_module("peers")


def with_numpy(name: str) -> ModuleType:
    pytest.importorskip("numpy", reason="needs the extra `inspect`")
    return importlib.import_module(name)


def tail(count: int, trials: int, rate: Fraction) -> Fraction:
    """P(X >= count), term by term."""
    terms = (comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(count, trials + 1))
    return sum(terms, Fraction(0))


def test_the_limit_is_that_of_wald(cells: ModuleType) -> None:
    cell = cells.Cell(Fraction(1, 5), Fraction(1, 20), Fraction(1, 20))
    assert cell.limit == pytest.approx(log(20) / (0.25 * log(0.25 / 0.2) + 0.75 * log(0.75 / 0.8)))
    assert cell.farthest == cells.Cell(cell.threshold, Fraction(1, 50), cell.alpha).limit


def test_a_mean_of_truncated_runs_is_refused(cells: ModuleType) -> None:
    with pytest.raises(cells.TruncatedError):
        cells.exact(Fraction(1, 20), lambda cell: calibrated(cell.threshold, cell.alpha, 20))


def test_the_boundary_of_bets_is_where_the_module_shows_its_claim(cells: ModuleType) -> None:
    threshold, alpha, rng = Fraction(1, 5), Fraction(1, 20), random.Random(3)
    made, ends = cells.bets(threshold, alpha, 200), set()
    for _ in range(40):
        scores = [int(rng.random() < 0.35) for _ in range(200)]
        test, end = Betting(threshold), 0
        for place, score in enumerate(scores, 1):
            test.update(Fraction(score))
            if test.shown(alpha):
                end = place
                break
        assert made.reached(scores) == end
        ends.add(end)
    assert len(ends) > 10


@pytest.mark.parametrize("gap", [Fraction(1, 5), Fraction(3, 10)])
@pytest.mark.parametrize("alpha", [Fraction(1, 20), Fraction(1, 1000)])
def test_no_fewer_samples_have_the_power_of_the_fixed_number(
    cells: ModuleType, peers: ModuleType, gap: Fraction, alpha: Fraction
) -> None:
    threshold = Fraction(1, 5)
    found = peers.fixed(cells.Cell(threshold, gap, alpha))
    for trials in range(1, found + 1):
        needed = next(count for count in range(trials + 2) if tail(count, trials, threshold) <= alpha)
        assert (tail(needed, trials, threshold + gap) >= Fraction(4, 5)) == (trials == found)


@pytest.mark.parametrize(("threshold", "least"), [(Fraction(1, 10), Fraction(0)), (Fraction(1, 2), Fraction(1, 100))])
def test_the_mixture_beside_ours_keeps_its_error_and_spends_some(
    peers: ModuleType, threshold: Fraction, least: Fraction
) -> None:
    assert least < crossing(peers.hoeffding(threshold, Fraction(1, 20), 1_000)) <= Fraction(1, 20)


@pytest.mark.extra
def test_another_program_finds_the_same_chances(cells: ModuleType) -> None:
    paths = with_numpy("paths")
    made = calibrated(cells.THRESHOLDS[0], cells.ALPHAS[0], 300)
    assert paths.reached(made, 0.1) == pytest.approx(float(crossing(made)), rel=1e-6)


@pytest.mark.extra
def test_peeking_errs_as_often_as_all_paths_say(cells: ModuleType) -> None:
    paths, rate, most = with_numpy("paths"), Fraction(1, 5), 9
    assert cells.THRESHOLDS
    wrong = Fraction(0)
    for path in product((0, 1), repeat=most):
        counts = [(sum(path[:place]), place) for place in range(1, most + 1)]
        if any(
            tail(count, place, rate) <= Fraction(1, 40) or 1 - tail(count + 1, place, rate) <= Fraction(1, 40)
            for count, place in counts
        ):
            wrong += rate ** sum(path) * (1 - rate) ** (most - sum(path))
    assert paths.peeking(float(rate), 0.05, most) == pytest.approx(float(wrong), rel=1e-9)
    assert wrong > 0


@pytest.mark.extra
@pytest.mark.parametrize("name", ["bernstein", "hedged"])
def test_the_peers_on_paths_keep_their_error_and_find_what_is_there(cells: ModuleType, name: str) -> None:
    paths = with_numpy("paths")
    cell = cells.Cell(Fraction(1, 5), Fraction(3, 10), Fraction(1, 20))
    assert (paths.stops(name, cell, 0.2, 2_000, 2_000, 1) > 0).mean() <= 0.05 + 3 * (0.05 * 0.95 / 2_000) ** 0.5
    assert (paths.stops(name, cell, 0.5, 2_000, 200, 1) > 0).all()


@pytest.mark.extra
def test_audits_in_floating_point_are_held_against_the_package(
    cells: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    audits = with_numpy("audits")
    assert cells.THRESHOLDS
    found = audits.audit(Fraction(3, 10), Fraction(97, 100), number=4)
    assert 0 < found.with_report < found.without
    monkeypatch.setattr(audits, "end_exactly", lambda *_: 1)
    with pytest.raises(audits.DisagreementError):
        audits.audit(Fraction(3, 10), Fraction(97, 100), number=4)
