"""`scalegate regime`: what binds the developer from outside."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

_ROOM = "scalegate.cli.regime"

regime = LazyGroup(
    "regime",
    lazy={
        "list": (f"{_ROOM}.list:list_regimes", "which regimes are adopted, and of which law"),
        "status": (f"{_ROOM}.status:status", "which bind, what is overdue, which roles are missing"),
        "certify": (f"{_ROOM}.certify:certify_regime", "record whether the policies in force meet a regime"),
        "describe": (f"{_ROOM}.describe:describe", "say how large the developer is, and where it operates"),
    },
    text="Regimes: what binds the developer whatever its own policy says.",
    epilog=examples(
        "scalegate regime status",
        "scalegate regime describe --revenue-high 4e8 --absent us-ny --expires '12 months' "
        "--by 'Lea Roth' --role external-auditor",
    ),
)
