"""What is asked of one random pair of policies: by both solvers, in sampled situations, and of the whole gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from scalegate.adapters.solvers.cvc5 import Cvc5
from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.ports import Solver
from scalegate.prove.compare import QUESTIONS, Comparison, Finding, Solvers, Table
from scalegate.prove.enact.confirm import confirm
from scalegate.prove.formula import every, holds
from scalegate.prove.permits import WHOLE
from tests.prove.generators import Pair, pair
from tests.prove.sampling import Situations, marks_of


class Listened:
    """A solver, and all that it answered: a question about several groups leaves no trace where it decides nothing."""

    def __init__(self, solver: Solver) -> None:
        self.solver, self.name = solver, solver.name
        self.said: dict[str, str] = {}

    @property
    def version(self) -> str:
        return self.solver.version

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        printed = self.solver.run(script, after, limit)
        self.said[script] = printed.split()[0]
        return printed


STATES = 10_000
REPLAYED = 2
"""Sampled situations of a pair in which the interpreter is asked as well, for every question and both policies."""


@dataclass
class Round:
    """What came of some pairs. `counts` says how often what was seen; `faults` is empty unless something is wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, seed: int, made: Pair, words: str) -> None:
        self.faults.append(f"pair {seed} ({', '.join(made.how)}): {words}")


def play(seeds: range, states: int = STATES) -> Round:
    """Compare the pairs of some seeds and check every answer."""
    found = Round()
    for seed in seeds:
        made = pair(seed)
        table = Table([made.first], [made.second], WHOLE, QUESTIONS)
        one, two = Listened(Z3()), Listened(Cvc5())
        forward, backward = (tuple(table.ways(Solvers(one, two), backward=way)) for way in (False, True))
        found.counts["questions asked of two solvers"] += len(one.said)
        if one.said != two.said or not {*one.said.values()} <= {"sat", "unsat"}:
            found.fault(seed, made, f"{one.said.values()} and {two.said.values()}")
        comparison = Comparison(table.variables, forward, backward)
        found.counts["pairs"] += 1
        found.counts[comparison.relation] += 1
        for way, findings in ((False, forward), (True, backward)):
            for item in findings:
                _answered(found, seed, made, item)
                if item.strict is False:
                    _witnessed(found, seed, made, comparison, item, backward=way)
        _sampled(found, seed, made, table, comparison, states)
    return found


def _answered(found: Round, seed: int, made: Pair, item: Finding) -> None:
    said = {opinion.status for opinion in item.opinions}
    if item.strict is None or "unknown" in said or len(said) > 1:
        found.fault(seed, made, f"{item.questions[0]}: {item.why or said}")


def _witnessed(found: Round, seed: int, made: Pair, comparison: Comparison, item: Finding, *, backward: bool) -> None:
    """Check that a situation replays, and that the gate says the same of it where it comes about as a history."""
    witness = item.witness
    assert witness is not None
    found.counts["situations"] += 1
    permitting, holding = (made.second, made.first) if backward else (made.first, made.second)
    # With the sides compared anew, so that nothing of the search is left.
    table = Table([permitting], [holding], WHOLE, QUESTIONS)
    keys = {variable.name: variable.key for variable in comparison.variables}
    values = {table.variables.by_key[keys[name]].name: value for name, value in witness.values.items()}
    known = {**table.variables.nominal, **values}
    (free,), (held,) = (side.judged(witness.question, known) for side in table.sides)
    if not free.permits or held.permits or not all(holds(law, known) for law in table.laws):
        found.fault(seed, made, f"{witness.question}: the situation does not replay")
    judged = [(permitting, free), (holding, held)]
    confirmed = confirm(table.variables, judged, values, witness.question)
    found.counts[{True: "enacted", None: "not enacted", False: "enacted otherwise"}[confirmed.agrees]] += 1
    if confirmed.agrees is False:
        found.fault(seed, made, f"{witness.question}: {confirmed.why}")


def _sampled(found: Round, seed: int, made: Pair, table: Table, comparison: Comparison, states: int) -> None:
    """Check every proof in sampled situations, and in some of them that the interpreter says what the formulas say."""
    random = Random(seed)
    # Questions that come to the same have the same formulas: one of each stands for them.
    asked = [names[0] for names in table.groups.values()]
    permissions = {
        (place, question): every(side.permission(question).values())
        for question in asked
        for place, side in enumerate(table.sides)
    }
    marks = marks_of(table.variables, [*permissions.values(), *table.laws])
    left = states
    while left > 0:
        # Some situations break a law between variables: there are more until enough of them do not.
        sample = Situations(random, table.variables, marks, table.laws, left + left // 4 + 100)
        left -= sample.lawful.bit_count()
        found.counts["states"] += sample.lawful.bit_count()
        permitted = {key: sample.truth(formula) & sample.lawful for key, formula in permissions.items()}
        for findings, strict in ((comparison.forward, 0), (comparison.backward, 1)):
            for question in (item.questions[0] for item in findings if item.strict):
                found.counts["proofs sampled"] += 1
                found.counts["states permitted by the stricter side"] += permitted[strict, question].bit_count()
                if permitted[strict, question] & ~permitted[1 - strict, question]:
                    found.fault(seed, made, f"{question}: proved, and a sampled situation refutes it")
    for place in _few(random, sample):
        values = sample.at(place)
        for question in QUESTIONS:
            for side in (0, 1):
                group = next(names[0] for names in table.groups.values() if question in names)
                found.counts["formulas replayed"] += 1
                permits = table.sides[side].judged(question, values)[0].permits
                if permits is not bool(permitted[side, group] >> place & 1):
                    found.fault(
                        seed, made, f"{question}: the formula and the interpreter differ in a sampled situation"
                    )


def _few(random: Random, sample: Situations) -> list[int]:
    """Return the places of a few lawful situations."""
    places = random.sample(range(sample.count), min(sample.count, 40 * REPLAYED))
    return [place for place in places if sample.lawful >> place & 1][:REPLAYED]
