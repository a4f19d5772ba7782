"""Laws of comparisons: of the order between policies, of what joining them does, and of formulas and interpreter."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalegate.adapters.solvers import z3
from scalegate.adapters.solvers.cvc5 import Cvc5
from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.actions import HARDER
from scalegate.core.kernel import Kernel
from scalegate.prove.ask import Script, ask
from scalegate.prove.compare import QUESTIONS, UNBOUND, Side, Solvers, Table, compare
from scalegate.prove.formula import Formula, every, holds, neg, some
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import WHOLE, Reading
from scalegate.prove.variables import Variables
from tests.prove.generators import CHANGES, SMALL, Taste, Terms, commitment, pair, policy
from tests.prove.sampling import Situations, marks_of

ASKED = Solvers(Z3())
SEEDS = st.integers(0, 10**9)
EVERYTHING = (*QUESTIONS, UNBOUND)


def _stricter(first: list[Kernel], second: list[Kernel]) -> bool:
    """Whether the first side is proved to be at least as strict."""
    found = compare(first, second, ASKED)
    assert all(item.strict is not None for item in (*found.forward, *found.backward))
    return all(item.strict for item in found.forward)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_policy_is_as_strict_as_itself(seed: int):
    kernel = policy(Random(seed), Taste(most=4))
    found = compare([kernel], [replace(kernel, id="copy")], ASKED)
    assert found.relation == "equivalent"
    assert all(not item.query for item in (*found.forward, *found.backward)), "the same words need no solver"


def test_at_least_as_strict_is_transitive_and_antisymmetric_in_samples():
    premises = 0
    for seed in range(120):
        random = Random(seed)
        first = policy(random, SMALL, "first")
        second = replace(CHANGES[random.choice([*CHANGES])](random, first), id="second")
        third = replace(CHANGES[random.choice([*CHANGES])](random, second), id="third")
        if _stricter([first], [second]) and _stricter([second], [third]):
            premises += 1
            assert _stricter([first], [third]), seed
    assert premises > 20


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_adding_a_commitment_never_permits_more(seed: int):
    random = Random(seed)
    kernel = policy(random, SMALL)
    terms = Terms(kernel.terms)
    added = commitment(random, terms, SMALL, "added")
    more = replace(kernel, terms=tuple(terms), commitments=(*kernel.commitments, added))
    assert _stricter([more], [kernel])


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_adding_a_policy_or_a_regime_never_permits_more(seed: int):
    random = Random(seed)
    kernel, other = policy(random, SMALL, "own"), policy(random, SMALL, "other")
    regime = replace(other, kind=random.choice(("policy", "regime")))
    assert _stricter([kernel, regime], [kernel])


def test_two_texts_of_one_name_bind_side_by_side():
    one, two = pair(1).first, replace(pair(2).first, id=pair(1).first.id)
    assert one.id == two.id
    assert _stricter([one, two], [one])
    assert _stricter([one, two], [two])
    side = Side(Variables(), [one, two])
    parts = sum(len(Side(Variables(), [kernel]).permission("deploy.api")) for kernel in (one, two))
    assert len(side.permission("deploy.api")) == parts


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_whatever_is_added_permits_no_more_by_proof(seed: int):
    """For any policy at all: what it permits is a truth value of which nothing is said."""
    variables = Variables()
    kernel = policy(Random(seed), SMALL)
    side = Side(variables, [kernel])
    anything = variables.flag("any other policy permits it")
    for question in QUESTIONS:
        alone = side.permission(question)
        joined: dict[str, Formula] = {**alone, "any other policy": anything}
        # The other way round there is a situation: the solver was asked something.
        assert _asked(variables, joined, some(neg(part) for part in alone.values())) == {"unsat"}
        assert "sat" in _asked(variables, alone, neg(anything)) or _asked(variables, alone, True) == {"unsat"}


def _asked(variables: Variables, parts: dict[str, Formula], other: Formula) -> set[str]:
    answer = ask(Script(variables, parts, (other,)), Z3(), Cvc5())
    return {opinion.status for opinion in answer.opinions}


def test_a_side_permits_what_each_of_its_policies_permits():
    """The composition that the proof above is about is the one that sides are written by."""
    checked = 0
    for seed in range(40):
        made, variables = pair(seed), Variables()
        both, *alone = (
            Side(variables, kernels) for kernels in ([made.first, made.second], [made.first], [made.second])
        )
        written = [[every(side.permission(question).values()) for side in (both, *alone)] for question in EVERYTHING]
        uneventful(variables, (made.first, made.second))
        flat = [formula for row in written for formula in row]
        sample = Situations(Random(seed), variables, marks_of(variables, flat), variables.laws(), 300)
        for whole, one, two in written:
            assert sample.truth(whole) == sample.truth(one) & sample.truth(two)
            checked += 1
    assert checked == 40 * len(EVERYTHING)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans())
def test_formulas_say_what_the_interpreter_says(seed: int, large: bool):  # noqa: FBT001 - drawn
    """The main check of `views`: for every question, in sampled situations at and around all constants."""
    random = Random(seed)
    made = pair(seed, Taste(reference=random.random() < 0.3) if large else None)
    reading = random.choice((WHOLE, WHOLE, Reading("security"), Reading(weakest="aim"), Reading(filled=True)))
    table = Table([made.first], [made.second], reading, EVERYTHING)
    written = {
        (place, question): every(side.permission(question).values())
        for place, side in enumerate(table.sides)
        for question in EVERYTHING
    }
    for place, question in written:
        table.sides[place].judged(question, {})  # what replays look at besides varies, too
    laws = (*table.variables.laws(), *table.begins)
    marks = marks_of(table.variables, [*written.values(), *laws])
    sample = Situations(random, table.variables, marks, laws, 120)
    found = list(sample.places())[::12]
    assert found
    for bit in found:
        values = sample.at(bit)
        assert all(holds(law, values) for law in laws)
        for (place, question), formula in written.items():
            true = holds(formula, values)
            assert true is bool(sample.truth(formula) >> bit & 1)
            assert table.sides[place].judged(question, values)[0].permits is true, (seed, question)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_uneventful_situation_breaks_no_law(seed: int):
    made = pair(seed)
    table = Table([made.first], [made.second], WHOLE, QUESTIONS)
    for question in QUESTIONS:
        for side in table.sides:
            side.judged(question, {})
    assert not table.variables.ties.unsettled
    assert all(holds(law, table.variables.nominal) for law in (*table.variables.laws(), *table.begins))


def test_what_is_not_tied_to_a_question_is_not_in_its_script():
    table = Table([pair(3).first], [pair(3).second], WHOLE, QUESTIONS)
    formula = every(table.sides[0].permission("store.weights").values())
    script = Script(table.variables, {"asked": formula}, (), frame=table.frame)
    assert 0 < len(script.concerned) < len(table.variables)
    assert all(f"declare-const {variable.name} " in script.full() for variable in script.concerned)
    assert len(HARDER) < len(QUESTIONS)


def test_the_core_of_z3_for_very_many_assertions_says_the_same(monkeypatch: pytest.MonkeyPatch):
    relations = []
    for few in (z3.MANY_ARE, -1):
        monkeypatch.setattr(z3, "MANY_ARE", few)
        pairs = map(pair, range(40))
        relations.append([compare([made.first], [made.second], ASKED).relation for made in pairs])
    assert relations[0] == relations[1]
    assert len(set(relations[0])) == 4
