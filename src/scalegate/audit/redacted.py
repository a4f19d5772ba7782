"""Results counted again from a redacted table, where the log of a run is not in a bundle.

    redacted/RUN-ENTRY.jsonl    scores of every sample, and no text (`scalegate.ingest.redact`); ENTRY is the index of
                                the result, and what cannot stand in the name of a file is `_`

The result names the roots of its samples. A table is the one that was committed to, or it is refused; what it is
counted to is then compared with the result. That the committed scores are those of the log is the word of its owner,
whatever the table says about itself: a table never makes a result as sure as a log does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.core.events import Entry, ResultReported, RunRegistered
from scalegate.core.reading import SHORTFALLS
from scalegate.ingest.limits import DEFAULT_LIMITS
from scalegate.ingest.redact import Items, RedactedTable, RedactionError, read_table

FOLDER = "redacted/"
WORD = "whether its scores are those of its log: they are the word of its owner, but for samples that were shown"
MOST_LOST = 20
_COMMITTED = re.compile(r"([1-9][0-9]{0,9}):([0-9a-f]{64}):([0-9a-f]{64})", re.ASCII)
_UNFIT = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
# An unlisted item is known by its name only, and a blinded one has none.
_UNLISTED = "E612"


@dataclass(frozen=True, slots=True)
class Committed:
    """What a result commits to.

    Attributes:
        size: number of samples.
        shown: root of the commitments with the ids of items.
        blinded: root of those with blinded ids.
    """

    size: int
    shown: bytes
    blinded: bytes

    def __str__(self) -> str:
        """Return it as results have it."""
        return f"{self.size}:{self.shown.hex()}:{self.blinded.hex()}"

    def root(self, items: Items) -> bytes:
        """Return the root for one of both forms."""
        return self.shown if items == "shown" else self.blinded


def committed(event: ResultReported) -> Committed:
    """Return what a result commits to.

    Raises:
        RedactionError: if that is nothing, or not of the form that results have.
    """
    match = _COMMITTED.fullmatch(event.commitments)
    if match is None:
        raise RedactionError(
            f"the result commits to no samples, but to {event.commitments!a:.80}"
            if event.commitments
            else "the result commits to no samples"
        )
    return Committed(int(match[1]), bytes.fromhex(match[2]), bytes.fromhex(match[3]))


def table_name(run: str, entry: int) -> str:
    """Return where the table of a result stands in a bundle: ids of runs may hold slashes and dots."""
    return f"{FOLDER}{_UNFIT.sub('_', run)[:100]}-{entry}.jsonl"


def find_table(bundle: Bundle, entry: Entry, event: ResultReported) -> RedactedTable | None:
    """Return the redacted table of a result; None if the bundle has none.

    Raises:
        RedactionError: if it is not what the result commits to.
        BundleError: if it cannot be read.
    """
    name = table_name(event.run, entry.index)
    if name not in bundle.files:
        return None
    known = committed(event)
    data = read_name(bundle, name, DEFAULT_LIMITS.document_bytes)
    try:
        table = read_table(data, known.shown, known.size)
    except RedactionError as error:
        try:
            table = read_table(data, known.blinded, known.size)
        except RedactionError:
            raise RedactionError(f"{name}: {error}") from error
    if table.log != event.log:
        raise RedactionError(f"{name} is of the log {table.log:.80}, and the result was read from {event.log}")
    return table


def stray(bundle: Bundle, audited: Audited) -> list[str]:
    """Return the names of tables that are of no result of a log."""
    results = {table_name(e.event.run, e.index) for e in audited.entries if isinstance(e.event, ResultReported)}
    return [name for name in bundle.named(FOLDER) if name not in results]


def is_blinded(table: RedactedTable) -> bool:
    """Return whether the ids of its items are hidden."""
    return bool(table.header["items"] == "blinded")


def as_registered(derived: ResultReported, event: ResultReported, plan: RunRegistered) -> ResultReported:
    """Return a result that was derived from a table, with what a table cannot show taken from what was recorded."""
    findings, provenance = derived.findings, derived.provenance
    if plan.item_ids:
        findings = tuple(code for code in findings if code != _UNLISTED or code in event.findings)
        words = SHORTFALLS[_UNLISTED]
        provenance = tuple(word for word in provenance if word != words or word in event.provenance)
    return replace(derived, content=event.content, findings=findings, provenance=provenance)


def lost(table: RedactedTable) -> Iterator[str]:
    """Yield what could not be checked with a table, in its own words and first in ours."""
    yield WORD
    for sentence in table.lost[:MOST_LOST]:
        yield f"{sentence:.300}"


def read_name(bundle: Bundle, name: str, limit: int) -> bytes:
    """Return the bytes of a name of a bundle, and one more than `limit` at most.

    Raises:
        BundleError: if it cannot be read.
    """
    try:
        descriptor = os.open(bundle.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise BundleError(f"{name} cannot be read: {error.strerror}") from error
