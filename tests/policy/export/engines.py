"""Other people's engines, asked what an export answers. They come with the extra `bridges`: `pytest.mark.extra`."""

from __future__ import annotations

import json
from typing import Any

from scalegate.policy.export import cedar, rego
from scalegate.policy.export.document import Asked, document
from scalegate.policy.export.plan import Plan


class CedarEngine:
    """Cedar with an exported policy, with or without its schema."""

    def __init__(self, plan: Plan, *, schema: bool = True, more: str = "") -> None:
        import cedarpy  # noqa: PLC0415 - an extra

        self.cedarpy = cedarpy
        self.plan = plan
        self.policies = cedarpy.PolicySet.from_str(cedar.policy_text(plan) + more)
        self.schema = cedarpy.Schema.from_str(cedar.schema_text(plan)) if schema else None
        self.entities = cedarpy.Entities.from_json_str("[]")

    def complaints(self) -> list[str]:
        """Return what Cedar's own validator has to say about the export."""
        found = self.cedarpy.validate_policies(cedar.policy_text(self.plan), cedar.schema_text(self.plan))
        return [str(error) for error in found.errors] + ([] if found.validation_passed else ["not valid"])

    def ask(self, request: dict[str, Any]) -> Any:
        """Return Cedar's whole answer."""
        return self.cedarpy.is_authorized(request, self.policies, self.entities, self.schema)

    def permits(self, asked: Asked) -> bool:
        """Return whether a situation is permitted, without any error on the way."""
        answer = self.ask(cedar.request(self.plan, asked))
        assert not answer.diagnostics.errors, answer.diagnostics.errors
        return answer.allowed

    def allows(self, request: dict[str, Any]) -> bool:
        """Return whether a request is allowed, whatever it is."""
        return self.ask(request).allowed is True


class RegoEngine:
    """Rego with an exported policy, compiled once."""

    def __init__(self, plan: Plan) -> None:
        import regopy  # noqa: PLC0415 - an extra

        self.plan = plan
        self.regopy = regopy
        self.interpreter = regopy.Interpreter()
        self.interpreter.add_module("policy.rego", rego.policy_text(plan))
        self.bundle = self.interpreter.build(f"answer := data.{rego.package_of(plan)}.allow")
        assert self.bundle.ok()

    def permits(self, asked: Asked) -> bool:
        """Return whether a situation is permitted."""
        return self.allows(document(self.plan, asked))

    def allows(self, given: object) -> bool:
        """Return whether an input is allowed, whatever it is; the answer is always defined."""
        self.interpreter.set_input_term(json.dumps(given))
        output = self.interpreter.query_bundle(self.bundle)
        assert output.ok(), str(output)
        answer = output.binding("answer").value
        assert isinstance(answer, bool)
        return answer
