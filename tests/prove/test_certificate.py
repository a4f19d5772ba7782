"""Certificates: checked without a solver, and every lie in one is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.kernel import AmendmentRule, Kernel
from scalegate.prove.amendment import check, document
from scalegate.prove.certificate import plain, replay
from scalegate.prove.compare import compare
from scalegate.prove.diff import diff
from scalegate.prove.permits import WHOLE
from tests.prove.policies import BOTH, example, line, policy

TEXT = "unless shown: autonomy <= {} | once crossed, resume only if shown: weight-security"
OLD, NEW = policy(line(TEXT.format("20%"))), policy(line(TEXT.format("25%")))
OLD_RULES = replace(OLD, amendments=AmendmentRule(("auditor", "board"), 30))
NEW_RULES = replace(NEW, amendments=AmendmentRule(("board",), 30))


def _read(data: object) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(canonical_bytes(data))  # type: ignore[arg-type]  # plain data
    return read


def _certificate(first: Kernel, second: Kernel) -> dict[str, Any]:
    return _read(plain(compare([first], [second], BOTH), [first], [second], WHOLE))


def _attached() -> dict[str, Any]:
    return _read(document(diff(OLD_RULES, NEW_RULES, BOTH), OLD_RULES, NEW_RULES))


def test_an_honest_certificate_replays():
    found = replay(_certificate(NEW, OLD), [NEW], [OLD])
    assert found.wrong == ()
    assert found.replayed > 0
    assert any("takes a solver" in item for item in found.unchecked)


def test_a_certificate_is_about_its_texts_and_no_others():
    assert "is not the one" in " ".join(replay(_certificate(NEW, OLD), [NEW], [NEW]).wrong)


@pytest.mark.parametrize("name", ["rsp", "regime", "moratorium"])
def test_certificates_of_examples_replay(name: str):
    kernel = example(name)
    loose = replace(kernel, commitments=kernel.commitments[1:])
    found = replay(_certificate(loose, kernel), [loose], [kernel])
    assert found.wrong == ()


def _no_more(data: dict[str, Any]) -> None:
    refuted = next(item for item in data["findings"] if item["strict"] is False)
    refuted["strict"], refuted["witness"], refuted["query"] = True, None, "sha256:" + "0" * 64


def _elsewhere(data: dict[str, Any]) -> None:
    refuted = next(item for item in data["findings"] if item["strict"] is False)
    situation = refuted["witness"]["situation"]
    key = next(key for key in situation if key.startswith("high"))
    situation[key] = "1/100"


def _beyond(data: dict[str, Any]) -> None:
    refuted = next(item for item in data["findings"] if item["strict"] is False)
    key = next(key for key in refuted["witness"]["situation"] if key.startswith("high"))
    refuted["witness"]["situation"][key] = "3/2"


def _stranger(data: dict[str, Any]) -> None:
    refuted = next(item for item in data["findings"] if item["strict"] is False)
    refuted["witness"]["situation"]["high | nothing such"] = "1"


def _another(data: dict[str, Any]) -> None:
    refuted = next(item for item in data["findings"] if item["strict"] is False)
    refuted["witness"]["question"] = "delete.weights"


def _turned(data: dict[str, Any]) -> None:
    for item in data["findings"]:
        item["direction"] = "backward" if item["direction"] == "forward" else "forward"


@pytest.mark.parametrize("lie", [_no_more, _elsewhere, _beyond, _stranger, _another, _turned])
def test_a_lie_in_a_certificate_is_found(lie: Callable[[dict[str, Any]], None]):
    data = _certificate(NEW, OLD)
    assert replay(data, [NEW], [OLD]).wrong == ()
    lie(data)
    assert replay(data, [NEW], [OLD]).wrong


@pytest.mark.parametrize("spoil", ["schema", "findings", "first", "weakest", "relation"])
def test_a_broken_certificate_is_none(spoil: str):
    data = _certificate(NEW, OLD)
    for value in (None, 7, [], {}, "x"):
        spoiled = copy.deepcopy(data)
        spoiled[spoil] = value
        assert replay(spoiled, [NEW], [OLD]).wrong, value
    del data[spoil]
    assert replay(data, [NEW], [OLD]).wrong


# ---------------------------------------------------------------- amendments


def test_an_honest_difference_replays():
    found = check(_attached(), OLD_RULES, NEW_RULES)
    assert found.wrong == ()
    assert found.replayed > 0


def test_a_difference_that_leaves_out_who_may_decide_is_found():
    data = _attached()
    data["changes"] = [item for item in data["changes"] if item["part"] != "amendments"]
    assert any("leaves out" in item for item in check(data, OLD_RULES, NEW_RULES).wrong)


def test_a_difference_that_calls_weakening_something_else_is_found():
    data = _attached()
    for item in data["changes"]:
        item["kind"] = "strengthened"
    data["weakens"] = False
    assert check(data, OLD_RULES, NEW_RULES).wrong


def test_a_difference_whose_sum_is_wrong_is_found():
    data = _attached()
    data["weakens"] = False
    assert any("of the whole" in item for item in check(data, OLD_RULES, NEW_RULES).wrong)


def test_a_difference_that_blames_another_part_is_found():
    data = _attached()
    shown = next(item for item in data["changes"] if item["witness"])
    shown["part"] = "commitment something-else"
    assert any("holds nothing" in item for item in check(data, OLD_RULES, NEW_RULES).wrong)


def test_a_difference_of_other_texts_is_found():
    assert check(_attached(), OLD, NEW_RULES).wrong


@pytest.mark.parametrize("value", [None, 7, [], {}, "x"])
def test_a_broken_difference_is_none(value: object):
    data = _attached()
    data["comparison"] = value
    assert check(data, OLD_RULES, NEW_RULES).wrong
