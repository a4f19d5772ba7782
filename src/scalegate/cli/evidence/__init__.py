"""`scalegate evidence`: runs and what came out of them, and what somebody attests."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

_ROOM = "scalegate.cli.evidence"

evidence = LazyGroup(
    "evidence",
    lazy={
        "plan": (f"{_ROOM}.plan:plan", "how many samples decide an evaluation's thresholds?"),
        "register": (f"{_ROOM}.register:register", "register a run before it happens"),
        "add": (f"{_ROOM}.add:add", "add the log of a registered run"),
        "check": (f"{_ROOM}.check:check_log", "is this log admissible? Records nothing."),
        "list": (f"{_ROOM}.list:list_evidence", "list every registered run and its state"),
        "picture": (f"{_ROOM}.picture:picture", "draw a run, or the intervals of an evaluation"),
        "draw": (f"{_ROOM}.draw:draw_samples", "draw the samples whose texts an auditor wants to see"),
        "open": (f"{_ROOM}.open:open_one", "show one sample of a run to an auditor"),
        "attest": (f"{_ROOM}.attest:attest", "state something in a role, until a date"),
        "retract": (f"{_ROOM}.retract:retract", "retract all runs that share a defect"),
        "void": (f"{_ROOM}.void:void", "void a crashed run without a result"),
        "method": (f"{_ROOM}.method:method", "publish an elicitation method card"),
    },
    text="Evidence: every registered run counts, and nothing is true by default.",
    epilog=examples(
        "scalegate evidence register r1 --evaluation autonomy --subject orion --items 200 "
        "--report-by '14 days' --by 'Lea Roth' --role external-auditor",
        "scalegate evidence add r1 autonomy.eval --by 'Lea Roth' --role external-auditor",
    ),
)
