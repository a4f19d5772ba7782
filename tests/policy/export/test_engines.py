"""Exports in Cedar and in Rego: they answer as the gate does, and deny whatever is not what it should be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from scalegate.core.actions import ACTIONS, TRAIN, UNHOLDABLE
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import FOREVER, show_instant
from scalegate.core.terms import Measure, Shown
from scalegate.policy import load
from scalegate.policy.export import cedar
from scalegate.policy.export.cedar import _read
from scalegate.policy.export.document import document
from scalegate.policy.export.plan import Plan, plan_of
from tests.policy.export.engines import CedarEngine, RegoEngine
from tests.policy.export.situations import NOW, asked_again, cases, examples, policies, shown

pytestmark = pytest.mark.extra

ACTION = "deploy.api"
# Whoever merges the export into policies of their own may have one like this.
ANYBODY = "\npermit(principal, action, resource);\n"
# Of another type than any number, text or answer of an input; `1.5` is no whole number, `2**63` none that Cedar has.
WRONG: tuple[object, ...] = ("1", "", 1.5, None, [], [1], {}, {"low": 1}, 2**63, -(2**63) - 1)


@pytest.fixture(scope="module")
def rsp() -> Plan:
    """A policy with evidence of most kinds, an exception, countersignatures and stop orders; its limits are all met."""
    (kernel,) = (item for item in examples() if item.id == "lighthouse-rsp")
    return plan_of(kernel)


def given(plan: Plan) -> dict[str, Any]:
    return document(plan, shown(plan.kernel, ACTION))


def requested(plan: Plan, context: dict[str, Any] | None = None, action: str = ACTION) -> dict[str, Any]:
    """Return the Cedar request of an input, or with another one in place of its context."""
    request: dict[str, Any] = cedar.request(plan, shown(plan.kernel, ACTION))
    request["action"] = {"type": "Action", "id": action}
    if context is not None:
        request["context"] = context
    return request


def answers(kernel: Kernel, seed: int, count: int, engine: type[CedarEngine | RegoEngine]) -> tuple[list[object], int]:
    """Return where an engine and the gate disagree, and how many questions were permitted."""
    plan = plan_of(kernel)
    asked = cases(kernel, seed, count)
    oracle = engine(plan)
    wrong = [(kernel.id, case) for case in asked if oracle.permits(case.asked) is not case.permits]
    return wrong, sum(case.permits for case in asked)


@pytest.mark.parametrize("engine", [CedarEngine, RegoEngine])
def test_some_situations(engine: type[CedarEngine | RegoEngine]) -> None:
    wrong, permitted = [], 0
    for number, kernel in enumerate((*examples(), *policies(21, 40))):
        found, yes = answers(kernel, number, 15, engine)
        wrong += found
        permitted += yes
    assert wrong == []
    assert permitted > 100


def test_the_validator_of_cedar_has_nothing_to_say() -> None:
    found = {kernel.id: CedarEngine(plan_of(kernel)).complaints() for kernel in (*examples(), *policies(22, 25))}
    assert {name: said for name, said in found.items() if said} == {}


QUORUM = """
scalegate: policy/v1
id: quorum
version: "1"
issuer: lab
effective: 2026-01-01
scope: everything
roles: {developer: {}, auditor: {independent of: [developer]}, board: {independent of: [developer]}}
commitments:
  line:
    hold: deploy
    unless shown: never
    once crossed, resume only if shown:
      at least 2 of (attested a by auditor, attested b by auditor, attested c by auditor)
exceptions:
  exit:
    instead of: line
    when: attested rival by auditor
    resume only if shown: attested floor by auditor
    needs: [approved by board]
    sunset: {each: 30 days, in any 12 months: 60 days}
"""


@pytest.mark.parametrize("engine", [CedarEngine, RegoEngine])
def test_some_of_many_and_exceptions(engine: type[CedarEngine | RegoEngine]) -> None:
    plan = plan_of(load(QUORUM.lstrip()))
    oracle = engine(plan)
    names = [getattr(term, "predicate", "") for term in plan.kernel.terms]
    yes, no = (Fact("yes", Fraction(1), Fraction(1)),), (Fact("no", Fraction(0), Fraction(0)),)
    for shows in product((True, False), repeat=3):
        said = dict(zip("abc", shows, strict=True))
        for in_use, action in product((0, NOW, NOW + 1), (ACTION, "release.weights")):
            asked = replace(
                shown(plan.kernel, action),
                facts=[yes if said.get(name, True) else no for name in names],
                in_use={"exit": in_use},
            )
            released = in_use > NOW and action == ACTION
            assert oracle.permits(asked) is (sum(shows) >= 2 or released)


@pytest.mark.parametrize("engine", [CedarEngine, RegoEngine])
def test_no_exception_helps_a_reason_that_ends_now(engine: type[CedarEngine | RegoEngine]) -> None:
    text = QUORUM.lstrip().replace("unless shown: never", f"unless shown: not after {show_instant(NOW)}")
    plan = plan_of(load(text))
    oracle = engine(plan)
    no, yes = (Fact("no", Fraction(0), Fraction(0)),), (Fact("yes", Fraction(1), Fraction(1)),)
    expected = {NOW - 1: True, NOW: False, NOW + 1: True}
    for now, permitted in expected.items():
        said = [no if getattr(term, "predicate", "") in {"a", "b", "c"} else yes for term in plan.kernel.terms]
        asked = replace(shown(plan.kernel, ACTION), now=now, facts=said, in_use={"exit": FOREVER})
        assert oracle.permits(asked) is permitted


@pytest.mark.parametrize("engine", [CedarEngine, RegoEngine])
def test_each_limit_of_evidence_bars_its_favorable_use(engine: type[CedarEngine | RegoEngine], rsp: Plan) -> None:
    oracle, asked = engine(rsp), shown(rsp.kernel, ACTION)
    (place,) = (index for index, term in enumerate(rsp.kernel.terms) if term == Measure("bio-assistance", "when"))
    (guard,) = (index for index, term in enumerate(rsp.kernel.terms) if term == Shown("weight-security"))
    low = (Fraction(0), Fraction(1, 20))
    barred = {
        "nothing": Fact("x", *low),
        "in time": Fact("x", *low, until=NOW + 1),
        "in reach": Fact("x", *low, reach=asked.to),
        "gap": Fact("x", *low, gaps=(Gap("missing", "no run"),)),
        "out of time": Fact("x", *low, until=NOW),
        "out of reach": Fact("x", *low, reach=asked.to - 1),
        "far out of reach": Fact("x", *low, reach=asked.to - 10**18),
        "above": Fact("x", Fraction(0), Fraction(1, 20) + Fraction(1, 10**30)),
    }
    found = set()
    for name, fact in barred.items():
        facts = list(asked.facts)
        facts[place], facts[guard] = (fact,), ()
        if oracle.permits(asked_again(asked, facts=facts)):
            found.add(name)
    assert found == {"nothing", "in time", "in reach"}


# ---------------------------------------------------------------- attacks


def paths(context: dict[str, Any]) -> list[tuple[str, ...]]:
    inner = [(name, member) for name, value in context.items() if isinstance(value, dict) for member in value]
    return [*((name,) for name in context), *(path for path in inner if path[0] != "subject")]


def at(context: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    return context if len(path) == 1 else context[path[0]]


def stripped(context: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an input without each of its fields, and with a further one beside each of them."""
    for path in paths(context):
        less, more = copy.deepcopy(context), copy.deepcopy(context)
        del at(less, path)[path[-1]]
        at(more, path)[f"{path[-1]}_too"] = 1
        yield f"without {path}", less
        yield f"more than {path}", more


def mistyped(context: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an input with a value of a wrong type in each place."""
    for path in paths(context):
        before = at(context, path)[path[-1]]
        for value in (
            *WRONG,
            *([] if isinstance(before, bool) else [True]),
            *([0] if isinstance(before, bool) else []),
        ):
            if isinstance(before, str) and isinstance(value, str) and path[0] == "subject":
                continue
            changed = copy.deepcopy(context)
            at(changed, path)[path[-1]] = copy.deepcopy(value)
            yield f"{path} = {value!r}", changed


def test_rego_denies_what_is_not_whole(rsp: Plan) -> None:
    engine, whole = RegoEngine(rsp), given(rsp)
    assert engine.allows(whole)
    changed = [*stripped(whole), *mistyped(whole)]
    assert [name for name, context in changed if engine.allows(context)] == []
    assert len(changed) > 500


@pytest.mark.parametrize("other", [None, 5, "x", [], {}, [{}], True], ids=repr)
def test_rego_denies_what_is_no_input_at_all(rsp: Plan, other: object) -> None:
    assert RegoEngine(rsp).allows(other) is False


@pytest.mark.parametrize("schema", [True, False], ids=["validated", "unvalidated"])
def test_cedar_denies_what_is_not_whole(rsp: Plan, schema: bool) -> None:  # noqa: FBT001
    engine, whole = CedarEngine(rsp, schema=schema), requested(rsp)["context"]
    assert engine.allows(requested(rsp))
    changed = [*stripped(whole), *mistyped(whole)]
    assert [name for name, context in changed if engine.allows(requested(rsp, context))] == []
    assert len(changed) > 500


def test_cedar_denies_what_is_not_whole_whoever_else_permits_if_requests_are_validated(rsp: Plan) -> None:
    engine, whole = CedarEngine(rsp, more=ANYBODY), requested(rsp)["context"]
    changed = [*stripped(whole), *mistyped(whole)]
    assert [name for name, context in changed if engine.allows(requested(rsp, context))] == []
    assert engine.allows(requested(rsp))


def test_a_forbid_of_cedar_stands_alone_against_what_is_missing(rsp: Plan) -> None:
    engine, whole = CedarEngine(rsp, schema=False, more=ANYBODY), requested(rsp)["context"]
    read = {path for rule in rsp.rules if ACTION in rule.actions for path in _read(rule.unless)}
    read |= {"policy", "action", "subject"}
    allowed = []
    for path in sorted(read):
        context = copy.deepcopy(whole)
        parts = tuple(path.split("."))
        del at(context, parts)[parts[-1]]
        if engine.allows(requested(rsp, context)):
            allowed.append(path)
    assert allowed == []
    assert len(read) > 30


UNKNOWN = ("deploy", "everything", "TRAIN", "train ", "", "release", "deploy.api.v2", "policy", "*")


@pytest.mark.parametrize("action", UNKNOWN)
def test_an_action_that_nobody_knows_is_denied(rsp: Plan, action: str) -> None:
    context = {**requested(rsp)["context"], "action": action}
    assert not RegoEngine(rsp).allows({**given(rsp), "action": action})
    for schema in (True, False):
        assert not CedarEngine(rsp, schema=schema).allows(requested(rsp, context, action))


def test_an_input_for_another_action_subject_or_policy_is_denied(rsp: Plan) -> None:
    context = requested(rsp)["context"]
    vega = {"__entity": {"type": "Subject", "id": "vega"}}
    digest = "sha256:" + "0" * 64
    for schema in (True, False):
        engine = CedarEngine(rsp, schema=schema)
        for action in sorted(ACTIONS - {ACTION}):
            assert not engine.allows(requested(rsp, action=action))
        assert not engine.allows(requested(rsp, {**context, "subject": vega}))
        assert not engine.allows(requested(rsp, {**context, "policy": digest}))
    assert not RegoEngine(rsp).allows({**given(rsp), "policy": digest})


def test_missing_evidence_is_denied_where_it_counts(rsp: Plan) -> None:
    asked = shown(rsp.kernel, ACTION)
    nothing = asked_again(asked, facts=[() for _ in asked.facts])
    for engine in (CedarEngine(rsp), RegoEngine(rsp)):
        assert engine.permits(asked)
        assert not engine.permits(nothing)
        for action in UNHOLDABLE:
            study = {"action": action, "actions": frozenset({action})}
            assert engine.permits(asked_again(nothing, **study))


def test_reference_encodings_permit_nothing_within_their_scope(rsp: Plan) -> None:
    kernel = replace(rsp.kernel, kind="reference")
    plan = plan_of(kernel)
    asked = shown(kernel, TRAIN)
    for engine in (CedarEngine(plan), RegoEngine(plan)):
        assert not engine.permits(asked)
        assert not engine.permits(shown(kernel, ACTION))
