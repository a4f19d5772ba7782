"""`scalegate policy`: writing, checking and adopting policies."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

_ROOM = "scalegate.cli.policy"

policy = LazyGroup(
    "policy",
    lazy={
        "check": (f"{_ROOM}.check:check_file", "is this file a policy?"),
        "show": (f"{_ROOM}.show:show", "a policy in plain English, or expanded"),
        "format": (f"{_ROOM}.format:format_file", "lay a policy out the one way"),
        "schema": (f"{_ROOM}.schema:schema", "JSON Schema of policies, or of decisions"),
        "new": (f"{_ROOM}.new:new", "start from a template"),
        "list": (f"{_ROOM}.list:list_policies", "which policies are adopted, and in force"),
        "adopt": (f"{_ROOM}.adopt:adopt", "let a policy bind"),
        "amend": (f"{_ROOM}.amend:amend", "offer an amendment"),
        "withdraw": (f"{_ROOM}.withdraw:withdraw", "offer a withdrawal"),
        "fill": (f"{_ROOM}.fill:fill", "offer a condition for a hole"),
    },
    text="Policies: hold, unless it is shown.",
    epilog=examples(
        "scalegate policy new --template rsp > acme.yaml",
        "scalegate policy check acme.yaml",
    ),
)
