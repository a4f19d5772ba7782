"""Redacted score tables: the scores of every sample of a log, committed to, and nothing that a model or item said.

A table is JSON Lines in canonical form: a header, then one line for each try of the log, absent tries included, in an
order that follows from the secret of the log: that of the log would name blinded items by their place in a bank. A line
is what `ledger.commitments` commits to (item, try, scores as exact text, blinded hash of the texts), its salt and its
commitment; the header is bound by its digest, which every record names. The ledger has the root and the size. So a
table is either the one that was committed to, or refused: no score, no try and no objection of the reader can be
changed, dropped or added.

A table is for recounting. Its reading has the digest of the table and never that of the log, and `read_log` does not
know tables: evidence is recorded from logs. Objections to the log are kept by code only, because their messages quote
it. Names of task, model and scorers are shown; IDs of items are shown or blinded.

What a table cannot do any more it says itself, under `lost`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from scalegate.core.canonical import Plain, canonical_bytes, digest, digest_bytes
from scalegate.core.reading import Column, Harness, ItemId, Reading
from scalegate.ingest.archive import Archive
from scalegate.ingest.limits import DEFAULT_LIMITS, Limits
from scalegate.ingest.objections import CODES, ObjectionError, objection
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.strict_json import cut_field, elements, parse, read_fields
from scalegate.ledger.commitments import (
    CommitmentError,
    Commitments,
    Sample,
    SampleRecord,
    ScoreText,
    plain_record,
    record_of,
    root_of_commitments,
    unhex,
)

FORMAT: Final = "scalegate redacted scores 1"
Items = Literal["shown", "blinded"]
Try = tuple[str, int]

_LOST = (
    "The answers cannot be scored again: the table holds no texts.",
    "Whether the scorers were right about a sample is not seen until its texts are shown.",
    "That the scores are those of the log is the word of its owner, but for samples whose texts are shown.",
    "Objections to the log, and when it began, are repeated from its reading, without their details.",
    "Samples that another log holds as well are not found.",
)
_LOST_OF: Mapping[Harness, str] = {
    "inspect": "Summaries, reduced scores and reported metrics cannot be compared with the samples again.",
    "lm-eval": "The recorded hashes of documents, prompts and targets, and the results, cannot be checked again.",
}
_LOST_ITEMS = "Items cannot be compared with a registered list, only with its length."
_TEXTS = ("harness", "harness_version", "layout", "log", "model", "status", "task", "task_version")
_TIMES = ("completed", "created", "planned_count")
_LISTS = ("findings", "lost", "scorers")
_ORDER = b"scalegate sample order 1\0"
_LINE = frozenset({"commitment", "item", "salt", "scores", "text", "try"})
_HEADER = frozenset({*_TEXTS, *_TIMES, *_LISTS, "format", "items", "epochs", "names_plan", "samples"})


class RedactionError(ValueError):
    """A log that has no redacted table, or a table that is not the one committed to; the message says why."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a developer has after redacting a log: the table to hand over, and the commitments to keep.

    Attributes:
        table: Bytes of the table.
        commitments: Root and size for the ledger, and the salts that show the texts of single samples.
        order: Place of each sample in the columns of the log, for both forms of its table the same.
    """

    table: bytes = field(repr=False)
    commitments: Commitments
    order: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedactedTable:
    """A table whose root was checked; made by `read_table` only.

    Attributes:
        header: The header as plain data.
        records: One for each try of the log.
        salts: The salt of each.
        digest: `sha256:` and the digest of the table.
        size: Number of its bytes.
    """

    header: Mapping[str, Any]
    records: tuple[SampleRecord, ...] = field(repr=False)
    salts: tuple[bytes, ...] = field(repr=False)
    digest: str
    size: int

    @property
    def log(self) -> str:
        """Digest of the log, as the table names it."""
        return str(self.header["log"])

    @property
    def lost(self) -> tuple[str, ...]:
        """Checks of the log that the table does not allow, one sentence each."""
        return tuple(self.header["lost"])


# ---------------------------------------------------------------- texts


def text_digest(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return 32 bytes that stand for the texts of one sample.

    Args:
        parts: Name and raw bytes of each part, in any order. An Inspect sample is the members of its archive by
            their names, or `sample` and its bytes in a `.json` log; an lm-eval sample is `row 1`, `row 2` and so on,
            one for each filter, in the order of the file.
    """
    return _digest_of({name: hashlib.sha256(data).hexdigest() for name, data in parts})


def log_texts(source: str | os.PathLike[str], reading: Reading, limits: Limits = DEFAULT_LIMITS) -> dict[Try, bytes]:
    """Return the `text_digest` of every sample of a log, by item as text and try.

    Args:
        source: The log.
        reading: What `read_log` made of it.
        limits: Caps on size, depth and compression.

    Raises:
        ObjectionError: if the log cannot be read.
        RedactionError: if it has no scores, is another log than that of the reading, or its samples cannot be told
            apart.
        OSError: if it cannot be opened.
    """
    _require_scores(reading)
    with Path(source).open("rb") as handle:
        if reading.layout.startswith("eval"):
            parts, found = _archive_parts(handle, reading, limits)
        else:
            data = handle.read(limits.document_bytes + 1)
            parts, found = _document_parts(data, reading), digest_bytes(data)
    if found != reading.digest:
        raise RedactionError("the log is not the one that was read: it changed, or another was named")
    return {key: _digest_of(named) for key, named in parts.items()}


def _digest_of(parts: Mapping[str, str]) -> bytes:
    rows: list[Plain] = [[name, parts[name]] for name in sorted(parts)]
    try:
        return hashlib.sha256(canonical_bytes(rows)).digest()
    except UnicodeEncodeError as error:
        raise RedactionError("the name of a sample is not Unicode: it holds half a surrogate pair") from error


def _archive_parts(handle: BinaryIO, reading: Reading, limits: Limits) -> tuple[dict[Try, dict[str, str]], str]:
    """Return SHA-256 of the members of each sample, and the digest of the archive."""
    known = {f"samples/{item}_epoch_{attempt}": (str(item), attempt) for item, attempt in _tries(reading)}
    archive = Archive(handle, limits)
    parts: dict[Try, dict[str, str]] = {}
    for member in archive:
        key = known.get(member.name.removesuffix(".json")) or next(
            (known[folder] for folder in _folders(member.name) if folder in known), None
        )
        if key is not None:
            content = hashlib.sha256()
            for piece in archive.pieces(member):
                content.update(piece)
            parts.setdefault(key, {})[member.name] = content.hexdigest()
    return parts, archive.digest


def _folders(name: str) -> Iterator[str]:
    """Yield the folders that a member is in, the innermost first."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _document_parts(data: bytes, reading: Reading) -> dict[Try, dict[str, str]]:
    """Return SHA-256 of the parts of each sample of a `.json` or `.jsonl` log."""
    parts: dict[Try, dict[str, str]] = {}
    if reading.harness == "lm-eval":
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                item = read_fields(line, frozenset({"doc_id"}), f"line {number}")["doc_id"]
                rows = parts.setdefault((str(item), 1), {})
                rows[f"row {len(rows) + 1}"] = hashlib.sha256(line).hexdigest()
        return parts
    cut = cut_field(data, "samples", "log")
    if cut is None:
        raise RedactionError("the samples of this document cannot be told apart byte by byte: write it anew, unedited")
    for document in elements(cut[1], "samples"):
        fields = read_fields(document, frozenset({"id", "epoch"}), "samples")
        key = (str(fields["id"]), fields.get("epoch", 1))
        parts[key] = {"sample": hashlib.sha256(document).hexdigest()}
    return parts


# ---------------------------------------------------------------- making


def redact(reading: Reading, texts: Mapping[Try, bytes], secret: bytes, *, items: Items) -> Redaction:
    """Return the redacted table of a log, and the commitments to its samples.

    Args:
        reading: What `read_log` made of the log, or `read_lm_eval_run` of the samples file.
        texts: What `log_texts` gives for it.
        secret: 32 random bytes, of this run only; whoever has them can open everything.
        items: Whether IDs of items may be shown.

    Raises:
        RedactionError: if the log has no scores of samples, or the texts of a sample are missing.
    """
    _require_scores(reading)
    first = reading.columns[0]
    if any((column.items, column.epochs) != (first.items, first.epochs) for column in reading.columns):
        raise RedactionError("the scorers of this reading have scored different tries")
    header = _header_of(reading, items)
    try:
        about = digest(header)
        samples = list(_samples(reading, texts))
        order = _order(samples, secret)
        placed = [samples[place] for place in order]
        commitments = Commitments.make(placed, secret, about, blind_items=items == "blinded")
        lines: list[Plain] = [header]
        lines += [_line(record, commitments.salt(index)) for index, record in enumerate(commitments.records)]
        return Redaction(b"".join(canonical_bytes(line) + b"\n" for line in lines), commitments, order)
    except UnicodeEncodeError as error:
        raise RedactionError("a name in the log is not Unicode: it holds half a surrogate pair") from error
    except CommitmentError as error:
        raise RedactionError(f"the log has no redacted table: {error}") from error


def _require_scores(reading: Reading) -> None:
    if reading.evidence_class != "samples" or not reading.columns:
        raise RedactionError("the log has no scores of samples, and a redacted table holds nothing else")


def _tries(reading: Reading) -> Iterator[tuple[ItemId, int]]:
    """Return item and try of each score, the same for every scorer."""
    return zip(reading.columns[0].items, reading.columns[0].epochs, strict=True)


def _header_of(reading: Reading, items: Items) -> dict[str, Plain]:
    lost = [*_LOST, *([_LOST_OF[reading.harness]] if reading.harness in _LOST_OF else [])]
    if items == "blinded":
        lost.append(_LOST_ITEMS)
    return {
        "format": FORMAT,
        "log": reading.digest,
        "harness": reading.harness,
        "harness_version": reading.harness_version,
        "layout": reading.layout,
        "task": reading.task,
        "task_version": reading.task_version,
        "model": reading.model,
        "status": reading.status,
        "created": reading.created,
        "completed": reading.completed,
        "planned_count": reading.planned_count,
        "names_plan": bool(reading.planned),
        "epochs": reading.epochs,
        "items": items,
        "scorers": [column.scorer for column in reading.columns],
        "samples": len(reading.columns[0]),
        "findings": [finding.code for finding in reading.findings],
        "lost": list(lost),
    }


def _samples(reading: Reading, texts: Mapping[Try, bytes]) -> Iterator[Sample]:
    """Yield the samples in the order of the columns.

    Raises:
        RedactionError: if a sample was read whose texts are not there, or the other way round.
    """
    names = [column.scorer for column in reading.columns]
    rows = zip(*(zip(column.values, column.missing, strict=True) for column in reading.columns), strict=True)
    for place, ((item, attempt), row) in enumerate(zip(_tries(reading), rows, strict=True)):
        text = texts.get((str(item), attempt))
        ran = any(reading.sample_digests[32 * place : 32 * place + 32])
        if ran is (text is None):
            raise RedactionError(f"the texts of item {quoted(str(item), 60)}, try {attempt}, are not where they belong")
        scores = [
            ScoreText(name, "" if value is None else str(value), missing)
            for name, (value, missing) in zip(names, row, strict=True)
        ]
        yield Sample(item, attempt, tuple(scores), text)


def _order(samples: list[Sample], secret: bytes) -> tuple[int, ...]:
    """Return the places of samples in an order that only the secret gives, with the tries of an item together."""
    key = hmac.digest(secret, _ORDER, "sha256")
    marks = [(hmac.digest(key, canonical_bytes(each.item), "sha256"), each.attempt) for each in samples]
    return tuple(sorted(range(len(samples)), key=marks.__getitem__))


def _line(record: SampleRecord, salt: bytes) -> Plain:
    line = plain_record(record)
    del line["about"]
    return {**line, "salt": salt.hex(), "commitment": record.commitment(salt).hex()}


# ---------------------------------------------------------------- reading


def read_table(data: bytes, root: bytes, size: int, limits: Limits = DEFAULT_LIMITS) -> RedactedTable:
    """Return a redacted table, if it is the one that was committed to.

    Args:
        data: The table.
        root: Root of the commitments, from the ledger.
        size: Number of samples, from the ledger.
        limits: Caps on its size.

    Raises:
        RedactionError: for anything else; names the first line that breaks its commitment.
    """
    if len(data) > limits.document_bytes:
        raise RedactionError(f"a table has at most {limits.document_bytes} bytes, and this has {len(data)}")
    lines = data.split(b"\n")
    if lines.pop():
        raise RedactionError("the table is cut off: its last line does not end")
    values = [_plain(line, number) for number, line in enumerate(lines, start=1)]
    header = _header(values[0] if values else None)
    if not header["samples"] == len(values) - 1 == size:
        raise RedactionError(f"{size} samples were committed to, and the table has {len(values) - 1}")
    about = digest_bytes(lines[0])
    records, salts, found = [], [], []
    for number, value in enumerate(values[1:], start=2):
        record, salt, commitment = _row(value, about, number)
        if tuple(score.scorer for score in record.scores) != tuple(header["scorers"]):
            raise RedactionError(f"line {number} has the scores of other scorers than the header names")
        if isinstance(record.item, bytes) is not (header["items"] == "blinded"):
            raise RedactionError(f"line {number} shows its item although items are blinded, or the other way round")
        records.append(record)
        salts.append(salt)
        found.append(commitment)
    if len({(str(_name(record)), record.attempt) for record in records}) != len(records):
        raise RedactionError("two lines of the table are the same try of the same item")
    if root_of_commitments(found) != root:
        raise RedactionError("the table is not the one that was committed to: its root is another")
    return RedactedTable(header, tuple(records), tuple(salts), digest_bytes(data), len(data))


def reading_of(table: RedactedTable) -> Reading:
    """Return the reading of a table, for `admissibility.tally`: the counts are those of the log.

    It names the bytes of the table, not of the log, and has no digests of samples: it is no evidence of its own.
    """
    header = table.header
    items: tuple[ItemId, ...] = tuple(map(_name, table.records))
    epochs = tuple(record.attempt for record in table.records)
    known: dict[str, Fraction] = {}
    columns = []
    for place, scorer in enumerate(header["scorers"]):
        scores = [record.scores[place] for record in table.records]
        values = tuple(known.setdefault(each.value, Fraction(each.value)) if each.value else None for each in scores)
        columns.append(Column(scorer, items, epochs, values, tuple(each.missing for each in scores)))
    findings = tuple(map(objection, header["findings"]))
    return Reading(
        digest=table.digest,
        size=table.size,
        harness=header["harness"],
        **{name: header[name] for name in ("harness_version", "layout", "task", "task_version", "model", "status")},
        **{name: header[name] for name in _TIMES},
        planned=tuple({str(item): item for item in items}.values()) if header["names_plan"] else (),
        epochs=header["epochs"],
        columns=tuple(columns),
        provenance=tuple(finding.message for finding in findings if finding.severity == "provenance"),
        findings=findings,
    )


def _plain(line: bytes, number: int) -> Any:  # noqa: ANN401 - JSON is any of six types
    """Return the value of a line, if it is the one form of that value."""
    try:
        value = parse(line, f"line {number}")
        if canonical_bytes(value) == line:
            return value
    except (ObjectionError, TypeError, UnicodeEncodeError) as error:
        raise RedactionError(f"line {number} of the table is no JSON of the kind that scalegate writes") from error
    raise RedactionError(f"line {number} of the table is not in canonical form (RFC 8785)")


def _header(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is any of six types
    """Return a header whose fields have their types."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise RedactionError(f"this is no redacted table: its first line does not name the format {FORMAT!r}")
    if value.keys() != _HEADER:
        raise RedactionError(f"the header of the table has other fields than {', '.join(sorted(_HEADER))}")
    good = (
        all(isinstance(value[name], str) for name in _TEXTS)
        and all(value[name] is None or _is_number(value[name]) for name in _TIMES)
        and all(isinstance(value[name], list) and _are_texts(value[name]) for name in _LISTS)
        and isinstance(value["names_plan"], bool)
        and _is_number(value["samples"])
        and _is_number(value["epochs"])
        and value["epochs"] > 0
        and value["harness"] in ("inspect", "lm-eval", "unknown")
        and value["items"] in ("shown", "blinded")
        and value["scorers"]
        and CODES.keys() >= set(value["findings"])
    )
    if not good:
        raise RedactionError("a field of the table's header has another type or value than it can have")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: list[object]) -> bool:
    return all(isinstance(each, str) for each in value)


def _row(value: Any, about: str, number: int) -> tuple[SampleRecord, bytes, bytes]:  # noqa: ANN401 - JSON
    """Return record, salt and commitment of a line, if they fit."""
    if not isinstance(value, dict) or value.keys() != _LINE:
        raise RedactionError(f"line {number} has other fields than {', '.join(sorted(_LINE))}")
    fields = {name: value[name] for name in _LINE - {"salt", "commitment"}}
    try:
        salt = unhex(value["salt"], "its salt")
        commitment = unhex(value["commitment"], "its commitment")
        record = record_of({**fields, "about": about})
        actual = record.commitment(salt)
    except CommitmentError as error:
        raise RedactionError(f"line {number} of the table is no sample: {error}") from error
    if actual != commitment:
        raise RedactionError(f"line {number} breaks its commitment: it, or the header, was changed")
    return record, salt, commitment


def _name(record: SampleRecord) -> ItemId:
    return f"blinded:{record.item.hex()}" if isinstance(record.item, bytes) else record.item
