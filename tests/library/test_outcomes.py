"""What a solver says to the comparisons and successions of published texts."""

from dataclasses import replace

import pytest

from scalegate.app.library import encoding_kernel
from scalegate.core.kernel import Constant, Kernel
from scalegate.policy.library import ENCODINGS, successions
from scalegate.prove.compare import SILENCE as REPORTS
from scalegate.prove.compare import UNBOUND as SCOPE
from scalegate.prove.compare import Solvers, compare
from scalegate.prove.permits import Reading
from tests.library.cases import CASES, SILENCE, UNBOUND, Case
from tests.library.weakenings import DROPPED, WEAKENINGS, Dropped, Weakening

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def solvers() -> Solvers:
    return Solvers(pytest.importorskip("scalegate.adapters.solvers.z3").Z3())


def test_questions_are_called_as_the_prover_calls_them() -> None:
    assert (SILENCE, UNBOUND) == (REPORTS, SCOPE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.about}")
def test_the_comparison_comes_out(case: Case, solvers: Solvers) -> None:
    sides = [_side(name, bound=case.bound) for name in (case.first, case.second)]
    about = "" if case.about == "scope" else case.about
    reading = Reading(about=about, weakest=case.weakest, filled=case.filled)
    found = compare(sides[:1], sides[1:], solvers, reading, (case.question,))
    assert found.relation == case.relation
    assert case.witness


def _side(name: str, *, bound: bool) -> Kernel:
    kernel = encoding_kernel(name)
    return replace(kernel, scope=Constant(proven=True, span=kernel.span)) if bound else kernel


def test_all_fifteen_are_there() -> None:
    numbers = {int("".join(sign for sign in case.number.split()[0] if sign.isdigit())) for case in CASES}
    assert numbers == set(range(1, 16))


def test_the_letter_is_compared_with_everything_else() -> None:
    others = {case.second for case in CASES if case.first == "fli-letter"}
    assert others == set(ENCODINGS) - {"fli-letter"}


@pytest.mark.parametrize("item", WEAKENINGS, ids=lambda item: f"{item.new} {item.about} {item.question}")
def test_the_weakening_is_found_with_a_witness(item: Weakening, solvers: Solvers) -> None:
    old, new = encoding_kernel(item.old), encoding_kernel(item.new)
    found = compare([new], [old], solvers, Reading(about=item.about, weakest=item.weakest), (item.question,))
    (finding,) = found.forward
    assert finding.strict is False
    assert finding.witness is not None
    assert item.words


@pytest.mark.parametrize("item", DROPPED, ids=lambda item: f"{item.new} {item.key}")
def test_the_practice_is_dropped_or_weaker(item: Dropped) -> None:
    old, new = encoding_kernel(item.old).duties.declares, encoding_kernel(item.new).duties.declares
    assert (new[item.key].modality if item.key in new else "") == item.now
    assert old[item.key].modality != item.now


def test_every_succession_weakens_something() -> None:
    assert {(item.old, item.new) for item in WEAKENINGS} == set(successions())
