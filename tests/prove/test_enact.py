"""Situations as histories: the whole gate decides what the interpreter said, or a reason is given why none does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.actions import HARDER
from scalegate.core.duties import Duties, MandatedRole
from scalegate.core.events import ResultReported, RunRegistered, Statement, StopLifted, SubjectDeclared
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.prove.compare import QUESTIONS, SILENCE, Solvers, Table, compare
from scalegate.prove.enact.confirm import confirm
from scalegate.prove.enact.enact import Enactment, enact
from scalegate.prove.enact.scores import Mark, fit
from scalegate.prove.enact.speakers import CannotEnactError, Cast, Ear
from scalegate.prove.formula import every
from scalegate.prove.permits import WHOLE, Reading
from scalegate.prove.symbols import RoleRule, Value
from scalegate.stats.pooling import Counts, pooled_upper
from tests.gate.random_worlds import SPAN
from tests.prove.generators import duties, pair
from tests.prove.policies import line, policy
from tests.prove.sampling import Situations, marks_of

TEXT = "unless shown: autonomy <= {} | once crossed, resume only if shown: deception < 10% and weight-security"
DAY = 86_400


def _table(first: Kernel, second: Kernel | None = None, reading: Reading = WHOLE) -> Table:
    return Table([first], [second or first], reading, QUESTIONS)


def _values(table: Table, **said: Value) -> dict[str, Value]:
    """Return values by the first words of a key, such as `high_autonomy_when`."""
    found: dict[str, Value] = {}
    for words, value in said.items():
        names = [item.name for item in table.variables if _matches(table, item.key, words.split("__"))]
        assert names, words
        found.update(dict.fromkeys(names, value))
    return found


def _matches(table: Table, key: tuple[object, ...], words: list[str]) -> bool:
    digests = {spec.digest: name for kernel in table.kernels for name, spec in kernel.evaluations.items()}
    told = [str(digests.get(str(part), part)) for part in key]  # type: ignore[arg-type]
    return told[0] == words[0].replace("_", "-") and all(any(word in part for part in told[1:]) for word in words[1:])


def _decided(table: Table, question: str, **said: Value) -> tuple[Enactment, list[bool]]:
    """Enact a situation, check that all policies decide as the interpreter says, and return what they decide."""
    values = _values(table, **said)
    enacted = enact(table.variables, table.kernels, values, question)
    known = {**table.variables.nominal, **values}
    answers = [*enacted.answers(question)]
    assert answers == [side.judged(question, known)[0].permits for side in table.sides]
    return enacted, answers


# ---------------------------------------------------------------- random situations


@pytest.mark.parametrize("part", range(4))
def test_the_gate_decides_sampled_situations_as_the_interpreter_does(part: int):
    seen: Counter[object] = Counter()
    for seed in range(20 * part, 20 * part + 20):
        made, random = pair(seed), Random(seed)
        table = Table([made.first], [made.second], WHOLE, QUESTIONS)
        formulas = [every(side.permission(question).values()) for side in table.sides for question in QUESTIONS]
        marks = marks_of(table.variables, [*formulas, *table.laws])
        sample = Situations(random, table.variables, marks, table.laws, 120)
        for place in list(sample.places())[::20]:
            values = sample.at(place)
            for question in random.sample(QUESTIONS, 4):
                judged = [(side.kernels[0], side.judged(question, values)[0]) for side in table.sides]
                confirmed = confirm(table.variables, judged, values, question)
                assert confirmed.agrees is not False, (seed, place, question, confirmed.why)
                seen[confirmed.agrees] += 1
                seen[judged[0][1].permits if confirmed.agrees else confirmed.why] += 1
    assert seen[True] > 0.7 * (seen[True] + seen[None])
    assert min(seen[True], seen[False]) > 20, "permits and holds"


def test_situations_that_refute_a_comparison_come_about():
    found: Counter[object] = Counter()
    for seed in range(60):
        made = pair(seed)
        comparison = compare([made.first], [made.second], Solvers(Z3()))
        for item in (*comparison.forward, *comparison.backward):
            if item.witness is not None:
                backward = item not in comparison.forward
                kernels = (made.second, made.first) if backward else (made.first, made.second)
                judged = [*zip(kernels, (item.witness.permitted[0], item.witness.held[0]), strict=True)]
                witness = item.witness
                confirmed = confirm(comparison.variables, judged, witness.values, witness.question)
                assert confirmed.agrees is not False, (seed, confirmed.why)
                found[confirmed.agrees] += 1
    assert found[True] > 0.65 * sum(found.values())
    assert found[True] > 80


# ---------------------------------------------------------------- single things


def test_an_interval_comes_from_counts_whose_exact_bound_lies_there():
    table = _table(policy(line(TEXT.format("20%"))), policy(line(TEXT.format("18%"))))
    enacted, answers = _decided(table, "deploy.api", high__autonomy__when=Fraction(19, 100), affirmed__safeguard=False)
    assert answers == [True, False]
    (result,) = [e.event for e in enacted.history.entries if isinstance(e.event, ResultReported) and e.event.successes]
    upper = pooled_upper([Counts(result.successes, result.failures)], Fraction(1, 1000))
    assert Fraction(18, 100) < upper <= Fraction(20, 100)


def test_evidence_carries_over_to_what_training_goes_on_from():
    table = _table(policy(line(TEXT.format("20%"), hold="train")))
    ends = dict.fromkeys(("to", "compute_low", "compute_high"), Fraction(4 * 10**25))
    said: dict[str, Value] = {**ends, "base__autonomy": Fraction(10**25)}
    enacted, answers = _decided(table, "train", **said)
    assert answers == [True, True]
    subjects = [entry.event.subject for entry in enacted.history.entries if isinstance(entry.event, SubjectDeclared)]
    assert {item.name for item in subjects} >= {"asked"}
    said |= dict.fromkeys(ends, Fraction(4 * 10**25 + 1))
    assert _decided(table, "train", **said)[1] == [False, False]


def test_a_pending_run_carries_evidence_to_the_hard_end():
    table = _table(policy(line(TEXT.format("20%"))))
    late = {"age__autonomy": Fraction(100 * DAY), "affirmed__safeguard": False}
    assert _decided(table, "deploy.api", **late)[1] == [False, False]
    waiting = {**late, "pending__autonomy": True, "pending_ago__autonomy": Fraction(5 * DAY)}
    enacted, answers = _decided(table, "deploy.api", **waiting)
    assert answers == [True, True]
    reported = {entry.event.run for entry in enacted.history.entries if isinstance(entry.event, ResultReported)}
    planned = {entry.event.run for entry in enacted.history.entries if isinstance(entry.event, RunRegistered)}
    assert planned - reported


def test_a_stop_order_stands_also_where_the_policy_does_not_bind():
    table = _table(policy(line(TEXT.format("20%")) + "stop orders: {by: regulator}\n"))
    small = {"compute_low": Fraction(1), "compute_high": Fraction(1), "to": Fraction(1)}
    assert _decided(table, "deploy.api", **small)[1] == [True, True]
    assert _decided(table, "deploy.api", **small, stopped=True)[1] == [False, False]


def test_a_speaker_can_be_heard_by_one_policy_alone():
    text = line("unless shown: never | once crossed, resume only if shown: attested site-inspected by auditor")
    one = policy(text)
    auditor = replace(one.roles["auditor"], independent_of=())
    two = replace(one, roles={**one.roles, "auditor": auditor}, id="other")
    table = _table(one, two)
    apart = {
        item.name: not item.key[2].independent_of
        for item in table.variables
        if item.key[0] == "affirmed" and isinstance(item.key[2], RoleRule)
    }
    enacted = enact(table.variables, table.kernels, apart, "deploy.api")
    assert enacted.answers("deploy.api") == (False, True)
    speakers = {entry.event.by for entry in enacted.history.entries if isinstance(entry.event, Statement)}
    assert len(speakers) == 1, "somebody who was a developer before"


def test_what_is_overdue_is_overdue_for_the_gate():
    kernel = replace(policy(line(TEXT.format("20%"))), duties=duties())
    table = _table(kernel)
    values = _values(table, started=True, started_ago=Fraction(4 * DAY))
    enacted = enact(table.variables, table.kernels, values, SILENCE)
    assert enacted.answers(SILENCE) == (False, False)
    calm = enact(table.variables, table.kernels, {}, SILENCE)
    assert calm.answers(SILENCE) == (True, True)


def test_a_regime_finds_the_roles_that_it_mandates_or_does_not():
    kernel = policy(line(TEXT.format("20%")))
    asked = MandatedRole("ombudsman", ("developer",), 2, SPAN)
    regime = replace(kernel, kind="regime", id="regime", duties=Duties(mandates=(asked,)))
    table = _table(regime)
    assert _decided(table, "deploy.api", mandated=True)[1] == [True, True]
    assert _decided(table, "deploy.api", mandated=False)[1] == [False, False]


# ---------------------------------------------------------------- what has no history


@pytest.mark.parametrize(
    ("reading", "question", "said", "reason"),
    [
        (Reading(filled=True), "deploy.api", {}, "holes are imagined filled"),
        (WHOLE, "deploy.api", {"age__autonomy": Fraction(1, 3)}, "whole numbers"),
        (WHOLE, "deploy.api", {"age__autonomy": Fraction(10**12)}, "outside the calendar"),
    ],
)
def test_a_situation_without_a_history_says_why(reading: Reading, question: str, said: dict[str, Value], reason: str):
    table = _table(policy(line(TEXT.format("20%"))), reading=reading)
    with pytest.raises(CannotEnactError, match=reason):
        enact(table.variables, table.kernels, _values(table, **said), question, reading)


def test_an_encoding_that_permits_what_is_unsettled_is_not_enacted():
    kernel = policy(line(TEXT.format("20%")))
    lax = replace(
        kernel, kind="reference", commitments=tuple(replace(c, unsettled="permit") for c in kernel.commitments)
    )
    table = _table(lax)
    judged = [(lax, table.sides[0].judged("deploy.api", {})[0])]
    confirmed = confirm(table.variables, judged, {}, "deploy.api")
    assert confirmed.agrees is None
    assert "no gate does" in confirmed.why
    strict = replace(kernel, kind="reference")
    judged = [(strict, _table(strict).sides[0].judged("deploy.api", {})[0])]
    assert confirm(_table(strict).variables, judged, {}, "deploy.api").agrees is True


def _spec(**changes: object) -> Evaluation:
    spec = policy(line(TEXT.format("20%"))).evaluations["autonomy"]
    return replace(spec, **changes)  # type: ignore[arg-type]


def test_an_interval_narrower_than_a_million_samples_show_has_no_counts():
    one, two = Fraction(20, 100), Fraction(2_000_001, 10_000_000)
    marks = [Mark(_spec(), False, one, False, below, relatives=False) for below in (False,)]
    marks.append(Mark(_spec(), False, two, False, below=True, relatives=False))
    with pytest.raises(CannotEnactError, match="no counts"):
        fit(marks, 1, "autonomy")


def test_a_relative_spoils_what_the_subject_itself_shows():
    own = Mark(_spec(), False, Fraction(1, 5), False, below=True, relatives=False)
    carried = Mark(_spec(), False, Fraction(1, 5), False, below=False, relatives=True)
    found = fit([own, carried], 1, "autonomy")
    assert found.relative is not None
    assert pooled_upper([found.own], Fraction(1, 1000)) <= Fraction(1, 5)


def test_nobody_is_heard_by_a_stricter_role_alone():
    weak = RoleRule("auditor", 1, frozenset(), frozenset())
    strict = RoleRule("auditor", 2, frozenset(), frozenset({"developer"}))
    cast = Cast()
    assert len(cast.speakers("auditor", [Ear(weak, 1, heard=True), Ear(strict, 2, heard=False)], "it")) == 1
    with pytest.raises(CannotEnactError, match="nobody could speak"):
        cast.speakers("auditor", [Ear(weak, 1, heard=False), Ear(strict, 2, heard=True)], "it")


def test_an_order_that_one_policy_takes_for_lifted_is_lifted_for_that_one():
    one = policy(line(TEXT.format("20%")) + "stop orders: {by: regulator}\n")
    regulator = replace(one.roles["regulator"], independent_of=("developer",))
    two = replace(one, roles={**one.roles, "regulator": regulator}, id="other")
    table = _table(one, two)
    values = {
        item.name: "auditor" in item.key[2].independent_of
        for item in table.variables
        if item.key[0] == "stopped" and isinstance(item.key[2], RoleRule)
    }
    enacted = enact(table.variables, table.kernels, values, "deploy.api")
    assert enacted.answers("deploy.api") == (False, True)
    assert any(isinstance(entry.event, StopLifted) for entry in enacted.history.entries)
    assert set(HARDER) >= {"deploy.api"}
