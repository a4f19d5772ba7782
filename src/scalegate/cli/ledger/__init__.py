"""`scalegate ledger`: what the log has, who saw it, and how others get at it."""

from __future__ import annotations

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples

_ROOM = "scalegate.cli.ledger"

ledger = LazyGroup(
    "ledger",
    lazy={
        "show": (f"{_ROOM}.show:show", "list the entries, or show one whole"),
        "prove": (f"{_ROOM}.prove:prove", "prove to anybody that the log has an entry"),
        "witness": (f"{_ROOM}.witness:witness", "have the log cosigned, and orders drawn"),
        "include": (f"{_ROOM}.include:include", "take in what somebody signed elsewhere"),
        "inbox": (f"{_ROOM}.include:inbox", "hand in what you signed, to be included"),
        "trust": (f"{_ROOM}.trust:trust", "show or change whose signatures count"),
        "export": (f"{_ROOM}.export:export", "write everything into a directory to verify"),
        "serve": (f"{_ROOM}.serve:serve", "let others read the log over HTTP"),
        "watch": (f"{_ROOM}.watch:watch", "follow a log that somebody else serves"),
        "witness-serve": (f"{_ROOM}.witness:witness_serve", "be a witness of somebody's log"),
    },
    text="The log: nobody rewrites it unseen, and everybody can check what it says.",
    epilog=examples("scalegate ledger show", "scalegate ledger witness"),
)
