"""Comparisons: what is proved, what is refuted, and that every difference a policy can make is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from scalegate.core.kernel import Kernel
from scalegate.policy import load
from scalegate.prove.ask import Answer, Script, ask
from scalegate.prove.compare import SILENCE, UNBOUND, Solvers, compare
from scalegate.prove.formula import at_most, neg
from scalegate.prove.permits import Reading
from scalegate.prove.variables import Variables
from tests.prove.policies import BOTH, HEAD, example, line, policy

LINE = "unless shown: autonomy <= {} | once crossed, resume only if shown: deception < {} and weight-security"


def _line(above: str, below: str = "10%", hold: str = "[train, deploy]") -> Kernel:
    return policy(line(LINE.format(above, below), hold=hold))


def _relation(first: Kernel, second: Kernel, about: str = "") -> str:
    return compare([first], [second], BOTH, Reading(about)).relation


def test_a_lower_threshold_and_a_lower_target_are_stricter():
    found = compare([_line("18%", "9%")], [_line("20%")], BOTH)
    assert found.relation == "stricter"
    proved = [item for item in found.forward if item.query]
    assert proved
    assert all(item.strict and item.core == ("commitment autonomy-line",) for item in proved)
    assert all({one.status for one in item.opinions} == {"unsat"} for item in proved)
    assert all(len(item.opinions) == 2 for item in proved)


def test_a_witness_lies_where_the_two_differ_and_says_who_holds():
    found = compare([_line("20%")], [_line("18%")], BOTH)
    witness = next(item.witness for item in found.forward if item.strict is False)
    assert witness is not None
    highs = {key[2]: value for key, value in _by_key(found.variables, witness.values).items() if key[0] == "high"}
    assert Fraction(18, 100) < highs["when"] <= Fraction(20, 100)
    assert witness.held[0].held_by == ("commitment autonomy-line",)
    assert witness.permitted[0].held_by == ()


def _by_key(variables: Variables, values: Mapping[str, object]) -> dict[tuple[object, ...], object]:
    names = {variable.name: variable.key for variable in variables}
    return {names[name]: value for name, value in values.items()}


def test_each_can_permit_what_the_other_holds():
    found = compare([_line("18%", "10%")], [_line("20%", "9%")], BOTH)
    assert found.relation == "incomparable"
    assert any(item.witness for item in found.forward)
    assert any(item.witness for item in found.backward)


def test_actions_are_told_apart():
    found = compare([_line("20%", hold="train")], [_line("20%", hold="[train, deploy]")], BOTH)
    assert found.of("train") == "equivalent"
    assert found.of("deploy.api") == "weaker"
    assert found.relation == "weaker"


def test_a_bound_that_counts_itself_differs_from_one_that_does_not():
    strict = policy(line("unless shown: autonomy < 20% | once crossed: never"))
    loose = policy(line("unless shown: autonomy <= 20% | once crossed: never"))
    assert _relation(strict, loose) == "stricter"


# ---------------------------------------------------------------- evidence, not only thresholds

CHANGES = [
    ("due: at 4x", "due: at 3x", "stricter"),
    ("or 3 months", "or 2 months", "stricter"),
    ("stop: at 6x or", "stop: at 5x or", "stricter"),
    ("    by: auditor\n    due", "    by: auditor\n    elicited by: [fine-tuning]\n    due", "stricter"),
    ("    by: auditor\n    due", "    by: auditor\n    wrongly cleared at most: 1 in 10000\n    due", "stricter"),
    ("    by: auditor\n    due", "    by: auditor\n    wrongly cleared at most: 1 in 100\n    due", "weaker"),
    ("    by: auditor\n    due", "    by: auditor\n    refuse provenance: [dirty revision]\n    due", "stricter"),
    ("    by: auditor\n    due", "    by: auditor\n    accept: aggregate\n    due", "weaker"),
    (
        "    by: auditor\n    due",
        "    by: auditor\n    believable only if: {gradient hacking is excluded: attested by auditor}\n    due",
        "stricter",
    ),
    (
        "    by: auditor\n    due",
        "    by: auditor\n    hidden capability: {spike-in recovered: at least 80%}\n    due",
        "stricter",
    ),
    ("valid for: {time: 12 months}", "valid for: {time: 6 months}", "stricter"),
    ("    by: auditor\n    valid", "    by: auditor\n    fails if: theft > 0 of 3\n    valid", "stricter"),
    ("scope: effective compute > 1e24", "scope: effective compute > 1e25", "weaker"),
    ("auditor: {independent of: [developer]}", "auditor: {}", "weaker"),
    ("auditor: {independent of: [developer]}", "auditor: {quorum: 2 of 2, independent of: [developer]}", "stricter"),
    # Two of three may affirm what the third denies, where the word of one could not stand against it.
    ("{independent of: [developer]}", "{quorum: 2 of 3, independent of: [developer]}", "incomparable"),
]


@pytest.mark.parametrize(("old", "new", "relation"), CHANGES, ids=[new.strip() for _, new, _ in CHANGES])
def test_what_makes_evidence_harder_to_come_by_is_stricter(old: str, new: str, relation: str):
    text = HEAD.format(name="acme", fillers="[board, auditor]") + line(LINE.format("20%", "10%"))
    assert text.count(old) >= 1
    changed = load(text.replace(old, new, 1), "changed.yaml")
    assert _relation(changed, load(text, "text.yaml")) == relation


def test_another_test_is_another_variable_and_nothing_can_be_said():
    text = line("unless shown: autonomy <= 20% | once crossed: never")
    one = policy(text)
    spec = replace(one.evaluations["autonomy"], digest="sha256:" + "0" * 64)
    other = replace(one, evaluations={**one.evaluations, "autonomy": spec})
    assert _relation(one, other) == "incomparable"


def test_a_countersignature_or_a_power_to_stop_is_stricter():
    bare = _line("20%")
    assert _relation(replace(bare, countersigned_by=("auditor",)), bare) == "stricter"
    assert _relation(replace(bare, stop_orders_by=("regulator",)), bare) == "stricter"


def test_a_longer_sunset_is_weaker():
    text = line(LINE.format("20%", "10%"), hold="train") + (
        "exceptions:\n  rival:\n    instead of: autonomy-line\n    when: attested rival by auditor\n"
        "    resume only if shown: weight-security\n    needs: [approved by board]\n"
        "    sunset: {{each: {} days, in any 12 months: {} days}}\n"
    )
    short, long, total = (policy(text.format(*days)) for days in ((30, 60), (40, 60), (30, 90)))
    # A longer use each time is used up sooner, where all of them together have the same limit.
    assert _relation(short, long) == "incomparable"
    assert _relation(short, total) == "stricter"
    assert _relation(_line("20%", hold="train"), short) == "stricter"


def test_a_regime_on_top_only_tightens():
    lab, regime = example("rsp"), example("regime")
    found = compare([lab, regime], [lab], BOTH)
    assert all(item.strict for item in found.forward)
    assert compare([lab, regime], [regime], BOTH).relation in ("stricter", "equivalent")


def test_scope_is_a_question_of_its_own():
    text = line("unless shown: never | once crossed: never")
    narrow, wide = policy(text), policy(text)
    wide = replace(wide, scope=replace(wide.scope, num=10**23))  # type: ignore[type-var]  # a comparison
    found = compare([wide], [narrow], BOTH, questions=(UNBOUND,))
    assert found.relation == "stricter"


def test_aspects_are_compared_alone():
    both = (
        "commitments:\n  cadence:\n    hold: train\n    unless shown: autonomy <= {}\n    once crossed: never\n"
        "    about: [cadence]\n  release:\n    hold: release.weights\n    unless shown: autonomy <= {}\n"
        "    once crossed: never\n    about: [weights]\n"
    )
    one, two = policy(both.format("20%", "5%")), policy(both.format("30%", "1%"))
    assert _relation(one, two) == "incomparable"
    assert _relation(one, two, "cadence") == "stricter"
    assert _relation(one, two, "weights") == "weaker"


def test_obligations_are_compared_by_when_they_are_overdue():
    text = (
        "obligations:\n  report:\n    does: report an incident\n    within: {}\n    from: incident by developer\n"
        "    met when: incident-reported by regulator\n"
    )
    body = line("unless shown: never | once crossed: never")
    quick, slow = policy(body + text.format("24 hours")), policy(body + text.format("72 hours"))
    found = compare([quick], [slow], BOTH, questions=(SILENCE,))
    assert found.relation == "stricter"
    witness = next(item.witness for item in found.backward if item.strict is False)
    assert witness is not None
    assert witness.held[0].held_by == ("obligation report",)


# ---------------------------------------------------------------- when solvers do not help


class _Says:
    """A solver that says what it is told to."""

    version = "0"

    def __init__(self, name: str, words: str) -> None:
        self.name, self.words = name, words

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        assert "(check-sat)" in script
        assert limit > 0
        return self.words if "unsat" in after else ""


@pytest.mark.parametrize(
    "words", ["", "unknown", "(error", "timeout", "sat", "sat\n((nothing 1.0))", "unsat)", "sat (", 'sat "', "sure"]
)
def test_whatever_a_broken_solver_prints_proves_nothing(words: str):
    variables = Variables()
    name = variables.rate("high", "x", "when", Fraction(1, 100), nominal=0)
    answer = ask(Script(variables, {"one": at_most(name, Fraction(1, 2))}), _Says("broken", words))
    assert answer.status == "unknown"
    assert answer.why


def test_solvers_that_disagree_leave_it_undecided():
    liar = _Says("liar", "unsat\n(a0)")
    found = compare([_line("20%")], [_line("18%")], Solvers(BOTH.first, liar))
    assert found.relation == "undecided"
    assert "disagree" in next(item.why for item in found.forward if item.strict is None)


def test_a_situation_that_does_not_replay_is_no_answer():
    strict, loose = _line("18%"), _line("20%")
    first = compare([strict], [loose], BOTH)
    assert first.relation == "stricter"

    class _Invents:
        """A solver that finds the uneventful situation for every question."""

        name, version = "inventor", "0"

        def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
            real = BOTH.first.run(script, after, limit)
            if not real.startswith("unsat"):
                return real
            asked = after["sat"].removeprefix("(get-value (").removesuffix("))").split()
            flags = {word.split()[1] for word in script.splitlines() if word.endswith(" Bool)")}
            return "sat\n(" + " ".join(f"({name} {'true' if name in flags else '0.0'})" for name in asked) + ")"

    found = compare([strict], [loose], Solvers(_Invents()))
    assert found.relation == "undecided"
    assert all(item.strict is not False for item in found.forward)
    assert any("does not confirm" in item.why for item in found.forward)


def test_two_solvers_give_one_answer_to_a_script():
    variables = Variables()
    name = variables.rate("high", "x", "when", Fraction(1, 100), nominal=0)
    below, above = at_most(name, Fraction(1, 3)), neg(at_most(name, Fraction(1, 3)))
    one: Answer = ask(Script(variables, {"below": below}), BOTH.first, BOTH.second)
    none = ask(Script(variables, {"below": below, "above": above}), BOTH.first, BOTH.second)
    assert one.status == "sat"
    assert Fraction(one.values[name]) <= Fraction(1, 3)
    assert none.status == "unsat"
    assert set(none.core) == {"below", "above"}
