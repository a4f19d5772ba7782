"""Pause, stop, open, outside-only: over every path out of a hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalegate.app.library import encoding_kernel
from scalegate.core.kernel import Kernel
from scalegate.prove.verdict import Verdict, verdicts
from tests.prove.policies import BOTH, example, line, policy

OUTSIDE = "{approved by: [auditor], notice: 30 days}"
ALONE = "{approved by: [board], notice: 30 days}"


def _only(kernel: Kernel) -> Verdict:
    (found,) = verdicts(kernel, BOTH)
    return found


def _alone(verdict: Verdict) -> set[str]:
    return {way.path for way in verdict.ways if way.alone}


def test_a_calendar_pause_is_a_pause_that_nobody_outside_has_to_lift():
    found = _only(example("calendar-pause"))
    assert (found.before, found.crossed) == ("pause", "pause")
    assert not found.outside_only
    assert _alone(found) == {"evidence"}


def test_a_declared_stop_is_a_stop():
    found = _only(example("stop"))
    assert (found.before, found.crossed) == ("stop", "stop")


def test_an_impossible_threshold_is_a_stop_that_does_not_say_so():
    impossible = line("unless shown: autonomy <= 0% | once crossed, resume only if shown: deception < 0%")
    found = _only(policy(impossible, amendments=OUTSIDE))
    assert (found.before, found.crossed) == ("stop", "stop")


def test_no_rate_of_a_population_is_ever_shown_to_be_nothing_but_that_of_a_bank_can_be():
    text = "unless shown: autonomy <= 0% | once crossed: never"
    assert _only(policy(line(text))).before == "stop"
    bank = policy(line(text))
    spec = bank.evaluations["autonomy"]
    banked = replace(bank, evaluations={**bank.evaluations, "autonomy": replace(spec, estimand="bank", bank=300)})
    assert _only(banked).before == "pause"


def test_a_hole_is_open_once_crossed():
    found = _only(
        policy(line("unless shown: autonomy <= 50% | once crossed, resume only if shown: motives"), amendments=OUTSIDE)
    )
    assert (found.before, found.crossed) == ("pause", "open")
    assert found.outside_only


def test_a_hole_that_nobody_may_fill_is_a_stop():
    text = line("unless shown: autonomy <= 50% | once crossed, resume only if shown: motives")
    with pytest.raises(Exception, match="filled only by"):
        policy(text, fillers="[]")
    kernel = policy(text)
    spec = replace(kernel.holes["motives"], filled_only_by=())
    assert _only(replace(kernel, holes={"motives": spec})).crossed == "stop"


def test_a_moratorium_is_lifted_from_outside_only():
    found = _only(example("moratorium"))
    assert (found.before, found.crossed) == ("pause", "pause")
    assert found.outside_only


def test_the_pause_letter_is_a_pause_that_only_outsiders_end():
    letter = policy(
        line(
            "unless shown: never | once crossed, resume only if shown: after 2026-07-01 and attested "
            "protocols-in-place by regulator",
            hold="train.new-scale",
        ),
        amendments=OUTSIDE,
    )
    found = _only(letter)
    assert found.crossed == "pause"
    assert found.outside_only


# ---------------------------------------------------------------- each path by itself

_PATHS = "unless shown: autonomy <= 20% | once crossed, resume only if shown: "


@pytest.mark.parametrize(
    ("what", "kernel", "path"),
    [
        ("evidence", policy(line(f"{_PATHS}attested all-is-well by developer"), amendments=OUTSIDE), "evidence"),
        ("a quorum of its own", policy(line(f"{_PATHS}approved by board"), amendments=OUTSIDE), "evidence"),
        ("a fill", policy(line(f"{_PATHS}motives"), fillers="[board]", amendments=OUTSIDE), "fill"),
        (
            "an exception",
            policy(
                line(f"{_PATHS}weight-security", hold="train")
                + "exceptions:\n  rival:\n    instead of: autonomy-line\n"
                "    when: attested rival by developer\n    resume only if shown: approved by board\n"
                "    needs: [approved by board]\n    sunset: {each: 30 days, in any 12 months: 60 days}\n",
                amendments=OUTSIDE,
            ),
            "evidence",
        ),
        ("an amendment", policy(line(f"{_PATHS}weight-security"), amendments=ALONE), "amendment"),
        ("withdrawal", policy(line(f"{_PATHS}weight-security"), amendments=ALONE), "withdrawal"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_path_of_the_developer_is_enough(what: str, kernel: Kernel, path: str):
    found = _only(kernel)
    assert path in _alone(found), what
    assert not found.outside_only


def test_without_any_such_path_it_is_outside_only():
    found = _only(policy(line(f"{_PATHS}weight-security"), amendments=OUTSIDE))
    assert found.outside_only
    assert {way.path for way in found.ways} == {"evidence", "amendment", "withdrawal", "retraction", "appointment"}


def test_asking_for_less_compute_is_no_way_out():
    found = _only(policy(line("unless shown: effective compute <= 1e25 FLOP | once crossed: never", hold="train")))
    assert (found.before, found.crossed) == ("stop", "stop")


def test_what_no_result_crosses_is_lifted_by_the_next_one():
    """A cadence asks for any result at all: a fresh one is always enough, and nothing latches."""
    found = _only(policy(line("unless shown: autonomy <= 100% | once crossed: never"), amendments=OUTSIDE))
    assert (found.before, found.crossed) == ("pause", "pause")


def test_what_is_attested_can_be_attested_again():
    text = line("unless shown: attested all-is-well by auditor | once crossed: never")
    assert _only(policy(text, amendments=OUTSIDE)).crossed == "pause"


def test_the_letter_of_the_library_waits_for_what_nobody_can_state_and_for_outsiders():
    found = _only(encoding_kernel("fli-letter"))
    assert found.crossed == "open"
    assert found.outside_only
