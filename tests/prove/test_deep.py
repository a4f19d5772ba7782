"""What a policy hides between its lines, and the worst that it still permits."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scalegate.app.library import encoding_kernel
from scalegate.core.kernel import Kernel
from scalegate.prove.allows import worst
from scalegate.prove.deep import examine
from tests.prove.policies import BOTH, EXAMPLES, example, line, policy

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml") if path.stem != "design-example")


def _flaws(kernel: Kernel) -> list[tuple[str, str]]:
    return [(item.flaw, item.commitment) for item in examine(kernel, BOTH).defects]


@pytest.mark.parametrize("name", NAMES)
def test_examples_have_no_defect(name: str):
    assert _flaws(example(name)) == []


def test_a_trigger_that_nothing_crosses_is_vacuous():
    assert ("vacuous trigger", "autonomy-line") in _flaws(policy(line("unless shown: always | once crossed: never")))


def test_a_release_that_nobody_reaches_is_found():
    text = "unless shown: autonomy <= 20% | once crossed, resume only if shown: deception < 0%"
    assert _flaws(policy(line(text, hold="deploy"))) == [("unreachable release", "autonomy-line")]


def test_a_release_that_contradicts_itself_is_found():
    text = "unless shown: autonomy <= 20% | once crossed, resume only if shown: deception < 10% and deception > 20%"
    assert _flaws(policy(line(text, hold="deploy"))) == [("unreachable release", "autonomy-line")]


def test_evidence_that_no_training_run_can_use_makes_a_release_unreachable():
    text = "unless shown: autonomy <= 20% | once crossed, resume only if shown: deception < 10%"
    assert _flaws(policy(line(text, hold="train"))) == [("unreachable release", "autonomy-line")]


def test_a_stop_that_does_not_say_so_is_found_and_a_declared_one_is_not():
    hidden = line("unless shown: autonomy < 0% | once crossed, resume only if shown: deception < 0%", hold="deploy")
    assert ("holds always", "autonomy-line") in _flaws(policy(hidden))
    assert _flaws(policy(line("unless shown: never | once crossed: never"))) == []


def test_a_commitment_that_another_covers_is_superfluous():
    text = line("unless shown: autonomy <= 20% | once crossed: never") + line(
        "unless shown: autonomy <= 30% | once crossed: never", hold="train", name="superfluous"
    ).removeprefix("commitments:\n")
    assert _flaws(policy(text)) == [("redundant commitment", "superfluous")]


def test_a_hole_makes_nothing_superfluous():
    assert ("redundant commitment", "open-weights") not in _flaws(example("rsp"))


# ---------------------------------------------------------------- allows


def test_the_worst_lies_at_the_threshold_and_then_at_the_target():
    text = "unless shown: autonomy <= 20% | once crossed, resume only if shown: deception < 10% and weight-security"
    before, after = worst(policy(line(text, hold="deploy")), BOTH)
    names = {variable.name: variable.key for variable in before.variables}
    assert {names[name][:1] + names[name][2:3]: value for name, value in before.values.items()}[
        ("high", "when")
    ] == Fraction(1, 5)
    assert before.action == after.action == "release.weights"
    crossed = {variable.name: variable.key for variable in after.variables}
    highs = {crossed[name][2]: value for name, value in after.values.items() if crossed[name][0] == "high"}
    assert highs["when"] == 1
    assert Fraction(9, 100) < Fraction(highs["until"]) < Fraction(1, 10)
    assert after.judged is not None
    assert after.judged.permits


def test_what_nobody_settled_is_no_crossing():
    """A text that leaves it to the developer permits then; once it is crossed, it asks for what it says."""
    found = {(item.commitment, item.stage): item for item in worst(encoding_kernel("openai-preparedness-2"), BOTH)}
    before, open_, after = (found["chembio-deployment", stage] for stage in ("uncrossed", "unsettled", "crossed"))
    assert {item.action for item in (before, open_, after)} == {"release.weights"}
    assert [after.crossed, open_.crossed] == [True, False]
    lacking = [
        [name for name, value in item.values.items() if name.startswith("affirmed") and value is False]
        for item in (before, open_, after)
    ]
    assert [len(names) for names in lacking] == [1, 1, 0]
    assert not any(item.stage == "unsettled" for item in worst(example("rsp"), BOTH))


def test_what_is_never_permitted_says_so():
    stop = worst(example("stop"), BOTH)
    assert [(item.action, item.why) for item in stop] == [("", "nothing that it covers is ever permitted")]
