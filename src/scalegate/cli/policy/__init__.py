"""`scalegate policy`: writing, checking and adopting policies."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

_ROOM = "scalegate.cli.policy"

policy = LazyGroup(
    "policy",
    lazy={
        "check": (f"{_ROOM}.check:check_file", "is this file a policy?"),
        "lint": (f"{_ROOM}.lint:lint", "what would its sharpest critic say?"),
        "show": (f"{_ROOM}.show:show", "a policy in plain English, or expanded"),
        "format": (f"{_ROOM}.format:format_file", "lay a policy out the one way"),
        "schema": (f"{_ROOM}.schema:schema", "JSON Schema of policies, or of decisions"),
        "new": (f"{_ROOM}.new:new", "start from a template"),
        "list": (f"{_ROOM}.list:list_policies", "which policies are adopted, and in force"),
        "adopt": (f"{_ROOM}.adopt:adopt", "let a policy bind"),
        "amend": (f"{_ROOM}.amend:amend", "offer an amendment"),
        "attach": (f"{_ROOM}.attach:attach", "attach to an amendment the difference it makes"),
        "withdraw": (f"{_ROOM}.withdraw:withdraw", "offer a withdrawal"),
        "export": (f"{_ROOM}.export:export", "a policy in Cedar or Rego"),
        "fill": (f"{_ROOM}.fill:fill", "offer a condition for a hole"),
        "test": (f"{_ROOM}.test:test_cases", "do cases come out as expected, for the expected reasons?"),
        "claim": (f"{_ROOM}.claim:claim", "are public sentences about a policy true?"),
        "compare": (f"{_ROOM}.compare:compare_policies", "is one at least as strict as another?"),
        "diff": (f"{_ROOM}.diff:diff_policies", "what an amendment weakens, with situations"),
        "allows": (f"{_ROOM}.allows:allows", "the worst that each commitment still permits"),
        "library": (f"{_ROOM}.library:library", "published frameworks and laws, encoded"),
    },
    text="Policies: hold, unless it is shown.",
    epilog=examples(
        "scalegate policy new --template rsp > acme.yaml",
        "scalegate policy check acme.yaml",
    ),
)
