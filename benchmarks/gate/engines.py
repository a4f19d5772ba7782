"""One policy in three languages, and three engines that answer with the names of all commitments that hold.

Ten commitments hold four actions each: one threshold apiece, and any two of ten safeguards release. The text for
Cedar and for Rego is the guarded one: written the natural way, both permit when a score is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from states import ACTIONS, ENOUGH, EVALUATIONS, MILLION, NOW, SAFEGUARDS, THRESHOLDS, TO, UNIT, State

from scalegate.core.evidence import Fact, Gap
from scalegate.core.terms import Measure, Term
from scalegate.gate.interpret import judge
from scalegate.policy import load

Answer = frozenset[str]
Engine = tuple[Callable[[State], Any], Callable[[Any], Any], Callable[[Any], Answer]]
"""How a state becomes an engine's input (untimed), the call (timed), and how its output is read (untimed)."""


# ---------------------------------------------------------------- scalegate


def policy_text() -> str:
    """Return the policy of the benchmark."""
    lines = ["scalegate: policy/v1", "id: bench", 'version: "1"', "issuer: bench", "effective: 2025-01-01"]
    lines += ["scope: everything", "roles: {developer: {}, auditor: {independent of: [developer]}}", "evaluations:"]
    for place in range(EVALUATIONS):
        test = f"bank-{place}@sha256:{place:064x}"
        lines.append(f"  e{place}: {{kind: capability, test: {test}, score: success rate, due: at 4x or 3 months,")
        lines.append('    "no result, stop": at 6x or 4 months}')
    lines.append("safeguards:")
    for place in range(SAFEGUARDS):
        pins = f"means: means-{place}@sha256:{place:064x}, because: case-{place}@sha256:{place:064x}"
        lines.append(f"  s{place}: {{{pins}, stops: theft, by: auditor}}")
    lines.append("commitments:")
    names = ", ".join(f"s{place}" for place in range(SAFEGUARDS))
    for place, threshold in enumerate(THRESHOLDS):
        lines.append(f"  c{place}:")
        lines.append(f"    hold: [{', '.join(ACTIONS)}]")
        lines.append(f"    unless shown: e{place} <= {threshold * 100 // MILLION}%")
        lines.append(f"    once crossed, resume only if shown: at least {ENOUGH} of ({names})")
    return "\n".join(lines) + "\n"


def scalegate() -> Engine:
    """Return our engine: `judge` on prebuilt facts, each blocking leaf included in its answer."""
    kernel = load(policy_text(), "bench.yaml")
    to = TO * UNIT
    asked = {action: frozenset({action}) for action in ACTIONS}

    def prepare(state: State) -> tuple[list[tuple[Fact, ...]], frozenset[str]]:
        return [(_fact(term, state),) for term in kernel.terms], asked[state.action]

    def call(ready: tuple[list[tuple[Fact, ...]], frozenset[str]]) -> Any:
        return judge(kernel.commitments, ready[0], ready[1], NOW, to)

    return prepare, call, lambda held: frozenset(item.commitment.id for item in held)


def _fact(term: Term, state: State) -> Fact:
    """Return the fact that a history would show about a term."""
    if isinstance(term, Measure):
        found = state.measured[int(term.evaluation[1:])]
        if found is None:
            return Fact(term.evaluation, gaps=(Gap("missing", "no registered run"),))
        low, high = Fraction(found.low, MILLION), Fraction(found.high, MILLION)
        return Fact(term.evaluation, low, high, until=found.until, reach=found.reach * UNIT)
    name = term.safeguard  # type: ignore[union-attr] - the policy has no other term
    said = state.voiced[int(name[1:])]
    if said is None:
        return Fact(name, Fraction(0), Fraction(1), gaps=(Gap("not_attested", "nothing said"),))
    value = Fraction(1 if said.shown else 0)
    return Fact(name, value, value, until=said.until)


# ---------------------------------------------------------------- what both peers are given


def document(state: State) -> str:
    """Return the evidence as JSON; what is missing is absent, as it would be."""
    value: dict[str, Any] = {"now": NOW, "to": TO}
    for place, found in enumerate(state.measured):
        if found is not None:
            value[f"e{place}"] = {"low": found.low, "high": found.high, "until": found.until, "reach": found.reach}
    for place, said in enumerate(state.voiced):
        if said is not None:
            value[f"s{place}"] = {"shown": said.shown, "until": said.until}
    return json.dumps(value)


# ---------------------------------------------------------------- Cedar


def cedar_text() -> str:
    """Return the policy in Cedar, one `forbid` for each commitment so that its answer names all that hold."""
    actions = ", ".join(f'Action::"{action}"' for action in ACTIONS)
    shown = " + ".join(
        f"(if context has s{place} && context.s{place}.shown && context.now < context.s{place}.until then 1 else 0)"
        for place in range(SAFEGUARDS)
    )
    rules = [f"permit(principal, action in [{actions}], resource);"]
    for place, threshold in enumerate(THRESHOLDS):
        name = f"context.e{place}"
        clear = f"context has e{place} && {name}.high <= {threshold}"
        clear += f" && context.now < {name}.until && context.to <= {name}.reach"
        rules.append(
            f'@id("c{place}")\nforbid(principal, action in [{actions}], resource)\n'
            f"unless {{ ({clear}) || {shown} >= {ENOUGH} }};"
        )
    return "\n".join(rules)


def cedar() -> Engine:
    """Return Cedar with policies and entities parsed beforehand, and the context as text, its fastest form."""
    import cedarpy  # noqa: PLC0415 - an extra

    policies = cedarpy.PolicySet.from_str(cedar_text())
    entities = cedarpy.Entities.from_json_str("[]")

    def prepare(state: State) -> dict[str, str]:
        action = f'Action::"{state.action}"'
        return {"principal": 'User::"x"', "action": action, "resource": 'Model::"x"', "context": document(state)}

    def call(request: dict[str, str]) -> Any:
        return cedarpy.is_authorized(request, policies, entities)

    def read(result: Any) -> Answer:
        assert not result.diagnostics.errors, result.diagnostics.errors  # noqa: S101 - fail-open otherwise
        held = frozenset(result.diagnostics.id_annotations_by_reason.values())
        assert result.allowed == (not held)  # noqa: S101
        return held

    return prepare, call, read


# ---------------------------------------------------------------- Rego


def rego_text() -> str:
    """Return the policy in Rego, with a set of all commitments that hold.

    One rule for each commitment: rego-cpp takes a hundred times longer over the same policy written with loops.
    """
    rules = ["package bench", f"resumed if count(shown) >= {ENOUGH}"]
    for place in range(SAFEGUARDS):
        name = f"input.s{place}"
        rules.append(f'shown contains "s{place}" if {{ {name}.shown; input.now < {name}.until }}')
    for place, threshold in enumerate(THRESHOLDS):
        name = f"input.e{place}"
        clear = f"{name}.high <= {threshold}; input.now < {name}.until; input.to <= {name}.reach"
        rules.append(f"clear{place} if {{ {clear} }}")
        rules.append(f'held contains "c{place}" if {{ not clear{place}; not resumed }}')
    actions = ", ".join(f'"{action}"' for action in ACTIONS)
    rules.append(f'held contains "unknown action" if not input.action in {{{actions}}}')
    return "\n".join(rules) + "\n"


def rego() -> Engine:
    """Return Rego (rego-cpp) with the policy compiled beforehand into a bundle, and inputs built beforehand."""
    import regopy  # noqa: PLC0415 - an extra

    interpreter = regopy.Interpreter()
    interpreter.add_module("bench.rego", rego_text())
    bundle = interpreter.build("data.bench.held")
    assert bundle.ok()  # noqa: S101

    def prepare(state: State) -> Any:
        return regopy.Input({**json.loads(document(state)), "action": state.action})

    def call(ready: Any) -> Any:
        interpreter.set_input(ready)
        return interpreter.query_bundle(bundle)

    def read(output: Any) -> Answer:
        assert output.ok(), str(output)  # noqa: S101
        (held,) = output[0].expressions
        return frozenset(held)

    return prepare, call, read
