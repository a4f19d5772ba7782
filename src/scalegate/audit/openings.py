"""Single samples that a developer shows: their scores and texts are those that the result committed to, or refused.

    openings/NAME       one sample each, as `scalegate evidence open` writes it

    {"entry": digest of the result, "format": ..., "opening": {...}, "run": ..., "text_salt": ..., "texts": [...]}

Which samples are shown is for the auditor to draw, once the result is in the log. Whether scores are right is for the
auditor to read: that a scorer judged texts well does not follow from any of this.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import Audited
from scalegate.audit.redacted import committed, find_table, is_blinded, read_name
from scalegate.audit.report import Report
from scalegate.core.canonical import Plain, canonical_bytes
from scalegate.core.events import Entry, ResultReported
from scalegate.ingest.redact import RedactedTable, RedactionError, text_digest
from scalegate.ledger.commitments import (
    CommitmentError,
    Opening,
    SampleRecord,
    format_opening,
    parse_opening,
    unhex,
    verify_opening,
    verify_text,
)

FOLDER = "openings/"
FORMAT: Final = "scalegate opening 1"
MAX_SHOWN = 64 << 20
_FIELDS = frozenset({"entry", "format", "opening", "run", "text_salt", "texts"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One sample as it is shown.

    Attributes:
        entry: digest of the entry of its result.
        run: run of the result.
        opening: its scores, and that they are under the root.
        text_salt: salt of its texts; None where they are not shown.
        parts: name and raw bytes of each of its texts.
    """

    entry: str
    run: str
    opening: Opening
    text_salt: bytes | None = field(default=None, repr=False)
    parts: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


def format_shown(shown: Shown) -> bytes:
    """Return the canonical JSON of a sample that is shown.

    Raises:
        RedactionError: if it is longer than anybody reads.
    """
    data = canonical_bytes(
        {
            "entry": shown.entry,
            "format": FORMAT,
            "opening": json.loads(format_opening(shown.opening)),
            "run": shown.run,
            "text_salt": None if shown.text_salt is None else shown.text_salt.hex(),
            "texts": [[name, base64.b64encode(part).decode()] for name, part in shown.parts],
        }
    )
    if len(data) > MAX_SHOWN:
        raise RedactionError(f"an opening has at most {MAX_SHOWN} bytes, and this has {len(data)}")
    return data


def parse_shown(data: bytes) -> Shown:
    """Return the sample that some bytes show. Nothing is verified yet.

    Raises:
        CommitmentError: for anything but the canonical JSON of one.
    """
    if len(data) > MAX_SHOWN:
        raise CommitmentError(f"an opening has at most {MAX_SHOWN} bytes, and this has {len(data)}")
    try:
        value = json.loads(data)
        canonical = canonical_bytes(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise CommitmentError("it is no JSON of the kind that scalegate writes") from error
    if canonical != data or not isinstance(value, dict) or value.keys() != _FIELDS or value["format"] != FORMAT:
        raise CommitmentError(f"it is not in the one form of {FORMAT!r}")
    entry, run, salt = value["entry"], value["run"], value["text_salt"]
    if not isinstance(entry, str) or not isinstance(run, str):
        raise CommitmentError("an opening names its run and the entry of its result by text")
    opening = parse_opening(canonical_bytes(value["opening"]))
    parts = _parts(value["texts"])
    if salt is None and parts:
        raise CommitmentError("it has texts, and no salt that shows whose they are")
    return Shown(entry, run, opening, None if salt is None else unhex(salt, "the text salt of a sample"), parts)


def audit_openings(bundle: Bundle, audited: Audited, report: Report) -> None:
    """Check every sample that a bundle shows against the root of its result."""
    tables: dict[str, RedactedTable | None] = {}
    for name in bundle.named(FOLDER):
        try:
            shown = parse_shown(read_name(bundle, name, MAX_SHOWN))
            entry, event = _result(audited, shown)
            if entry.digest not in tables:
                tables[entry.digest] = _table(bundle, entry, event)
            words = check_shown(shown, event, tables[entry.digest])
        except (CommitmentError, RedactionError, BundleError) as error:
            report.add("openings", "untrusted", f"{name!a:.120}: {error}")
            continue
        report.add("openings", "passed", f"run `{shown.run}`: {words}", entry.index)


def check_shown(shown: Shown, event: ResultReported, table: RedactedTable | None = None) -> str:
    """Return what a sample came to, in words, if it is the one that its result committed to.

    Args:
        shown: what was handed over.
        event: the result.
        table: the redacted table of the result; with blinded items, it has the same scores under another root.

    Raises:
        CommitmentError: if it is another sample, or the texts are those of another.
        RedactionError: if the result commits to nothing.
    """
    known = committed(event)
    opening = shown.opening
    blinded = isinstance(opening.record.item, bytes)
    record = verify_opening(known.blinded if blinded else known.shown, known.size, opening)
    if table is not None and is_blinded(table) is not blinded:
        other = table.records[opening.index]
        if _came_to(record) != _came_to(other):
            raise CommitmentError(f"sample {opening.index} has other scores here than in the redacted table")
    scores = ", ".join(f"{each.scorer} {each.value or each.missing}" for each in record.scores)
    words = f"sample {opening.index}, try {record.attempt}: {scores:.200}"
    if record.text is None:
        return f"{words}; it never ran"
    if shown.text_salt is None:
        return f"{words}; its texts are not shown"
    verify_text(record, shown.text_salt, text_digest(shown.parts))
    return f"{words}; its texts are those that were committed to, {sum(len(part) for _, part in shown.parts)} bytes"


def _result(audited: Audited, shown: Shown) -> tuple[Entry, ResultReported]:
    for entry in audited.entries:
        event = entry.event
        if entry.digest == shown.entry and isinstance(event, ResultReported) and event.run == shown.run:
            return entry, event
    raise CommitmentError(f"the log has no result {shown.entry!a:.80} of run {shown.run!a:.80}")


def _came_to(record: SampleRecord) -> tuple[object, ...]:
    return record.attempt, record.scores, record.text is None


def _table(bundle: Bundle, entry: Entry, event: ResultReported) -> RedactedTable | None:
    try:
        return find_table(bundle, entry, event)
    except RedactionError:
        return None  # said where results are counted


def _parts(value: Plain | Mapping[str, object]) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(value, list):
        raise CommitmentError("the texts of an opening are a list")
    parts: dict[str, bytes] = {}
    for each in value:
        if not isinstance(each, list) or len(each) != 2 or not all(isinstance(part, str) for part in each):
            raise CommitmentError("a text of an opening has a name, and its bytes in base64")
        name, content = str(each[0]), str(each[1])
        try:
            data = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise CommitmentError("a text of an opening is no base64") from error
        if base64.b64encode(data).decode() != content or name in parts:
            raise CommitmentError("a text of an opening stands there twice, or not in the one base64 of its bytes")
        parts[name] = data
    return tuple(parts.items())
