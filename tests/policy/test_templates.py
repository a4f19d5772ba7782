"""Templates: clean, kept equal to the examples, and each what its name says."""

from pathlib import Path

import pytest

from scalegate.core.kernel import Constant, Kernel, Not
from scalegate.core.terms import Attested, Measure
from scalegate.policy import check, load
from scalegate.policy.phrases import terms_of
from scalegate.policy.templates import TEMPLATES, template

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "policies"


def kernel_of(name: str) -> Kernel:
    return load(template(name), name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_clean(name: str) -> None:
    assert check(template(name), name) == ()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_example_of_that_name_is_the_template(name: str) -> None:
    """`scalegate policy new NAME` and the examples folder must not drift apart."""
    assert (EXAMPLES / f"{name}.yaml").read_text("utf-8") == template(name)


def test_an_unknown_template_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match="moratorium"):
        template("rspp")


def test_the_main_template_uses_the_whole_language() -> None:
    kernel = kernel_of("rsp")
    assert kernel.holes
    assert kernel.exceptions
    assert {item.kind for item in kernel.evaluations.values()} == {"capability", "safety", "understanding"}
    assert kernel.safeguards
    assert kernel.contexts
    assert kernel.stop_orders_by
    assert kernel.countersigned_by
    assert all(item.digest for item in kernel.evaluations.values() if item.hole is None)


def test_released_weights_have_a_lower_line_than_the_api() -> None:
    lines = {item.id: item.when.part for item in kernel_of("rsp").commitments if isinstance(item.when, Not)}
    release, api = lines["open-weights"], lines["biology-line"]
    assert release.num * api.den < api.num * release.den


def test_the_regime_binds_every_developer() -> None:
    kernel = kernel_of("regime")
    assert kernel.kind == "regime"
    assert kernel.binds_every_developer
    assert kernel.countersigned_by == ("licensing-office",)
    assert kernel.evaluations["replication"].reach_issuer


def test_the_stop_declares_that_nothing_ends_it() -> None:
    kernel = kernel_of("stop")
    (item,) = kernel.commitments
    assert item.declared_stop
    assert isinstance(item.until, Constant)
    assert not item.until.proven
    assert item.actions == {"train.new-scale"}


def test_the_moratorium_hangs_on_outsiders_alone() -> None:
    """Every leaf is attested by, or measured by, a role that is independent of the developer."""
    kernel = kernel_of("moratorium")
    for item in kernel.commitments:
        for side in (item.when, item.until):
            terms = terms_of(kernel, side)
            assert any(isinstance(term, Attested) for term in terms)
            for term in terms:
                if isinstance(term, Measure):
                    role = kernel.evaluations[term.evaluation].by
                else:
                    assert isinstance(term, Attested)
                    role = term.role
                assert "developer" in kernel.roles[role or ""].independent_of
    assert not kernel.exceptions
    assert "developer" not in kernel.amendments.approved_by


def test_the_starter_is_short() -> None:
    lines = [line for line in template("minimal").split("\n") if line.strip()]
    assert len(lines) <= 20
