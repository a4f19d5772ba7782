"""The situations of the benchmark are decided alike by every engine, and by arithmetic that shares nothing with any."""

import importlib
import sys
from types import ModuleType

import pytest

from tests.contracts.tree import ROOT

SEEDS = range(400)


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
