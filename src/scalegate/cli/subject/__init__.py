"""`scalegate subject`: models and systems."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

subject = LazyGroup(
    "subject",
    lazy={
        "add": ("scalegate.cli.subject.add:add", "declare a model or system"),
        "multiplier": (
            "scalegate.cli.subject.multiplier:multiplier",
            "state what a FLOP is worth in effective compute",
        ),
        "list": ("scalegate.cli.subject.list:list_subjects", "list what is declared"),
    },
    text="Subjects: what is evaluated, trained and deployed, and where it comes from.",
    epilog=examples(
        "scalegate subject add orion ./ckpt --from-scratch --compute 1e25 "
        "--issuer acme --by 'Ada Osei' --role developer",
        "scalegate subject list",
    ),
)
