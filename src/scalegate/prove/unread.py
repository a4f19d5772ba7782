"""What nobody read of an encoding, and which questions need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scalegate.core.actions import covered
from scalegate.core.kernel import Kernel
from scalegate.prove.compare import SILENCE, UNBOUND
from scalegate.prove.permits import Reading


def unread(kernel: Kernel, reading: Reading, questions: Sequence[str]) -> tuple[str, ...]:
    """Return the parts of an encoding that a comparison needs and that nobody read; empty when it may be made."""
    return tuple(dict.fromkeys(_unread(kernel, reading, questions)))


def _unread(kernel: Kernel, reading: Reading, questions: Sequence[str]) -> Iterator[str]:
    actions = {name for name in questions if name not in (SILENCE, UNBOUND)}
    for path in kernel.duties.unread:
        part = f"{kernel.id}: {path}"
        if path.startswith("declares."):
            continue  # practices that nothing enforces are not compared
        if path == "obligations":
            needed = SILENCE in questions
        elif covered(path):
            needed = bool(actions & covered(path)) and not reading.about
        else:
            # A part that is named by an aspect, or stands in every question.
            needed = path in ("commitments", "scope", reading.about) or not reading.about
        if needed:
            yield part
    for path, provenance in kernel.duties.provenance.items():
        if provenance.read == "unread" and _asked(kernel, path, reading):
            yield f"{kernel.id}: {path}"


def _asked(kernel: Kernel, path: str, reading: Reading) -> bool:
    """Whether an entry of an encoding stands in what is asked about."""
    room, _, name = path.partition(".")
    if room == "declares":
        return False
    if not reading.about:
        return True
    for commitment in kernel.commitments:
        if room == "commitments" and commitment.id == name:
            return reading.about in commitment.about
    item = kernel.duties.obligations.get(name) if room == "obligations" else None
    return item is None or reading.about in item.about
