"""Checkpoints that whoever verifies kept, or was given by another reader: the log has to continue every one of them.

A log that forgets entries, or tells readers different ones, has signed two heads that do not belong together. Only both
of them show it, so that a report says to keep them.
"""

from __future__ import annotations

from collections.abc import Iterable

from scalegate.audit.entries import Audited
from scalegate.audit.report import Report
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.note import NoteError
from scalegate.ledger.trust import Trust, open_head


def audit_kept(audited: Audited, trust: Trust, kept: Iterable[bytes], report: Report) -> None:
    """Compare a log with checkpoints of it that were seen before or elsewhere."""
    size = len(audited.entries)
    good = 0
    for data in kept:
        try:
            head = open_head(data, trust).checkpoint
        except (NoteError, CheckpointError) as error:
            # Anybody could have written it: it says nothing about the log.
            report.add("history", "failed", f"a checkpoint that was kept is none of this log: {error}")
            continue
        if head.size > size:
            words = f"the log was rolled back: it has {size} entries, and had {head.size}; keep both checkpoints"
            report.add("history", "untrusted", words)
        elif audited.standing.tree.root(head.size) != head.root:
            words = f"the log is another one: its first {head.size} entries were others; keep both checkpoints"
            report.add("history", "untrusted", words)
        else:
            good += 1
    if good:
        report.add("history", "passed", f"the log continues {good} checkpoints that were kept")
