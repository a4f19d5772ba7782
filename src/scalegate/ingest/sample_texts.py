"""The raw bytes of one sample of a log, in the parts that `redact.text_digest` takes: what is shown of its texts."""

from __future__ import annotations

import os
from pathlib import Path

from scalegate.core.reading import Reading
from scalegate.ingest.archive import Archive
from scalegate.ingest.limits import DEFAULT_LIMITS, Limits
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.redact import RedactionError, log_texts, text_digest
from scalegate.ingest.strict_json import cut_field, elements, read_fields

MAX_TEXTS = 32 << 20

Parts = tuple[tuple[str, bytes], ...]


def sample_parts(
    source: str | os.PathLike[str], reading: Reading, index: int, limits: Limits = DEFAULT_LIMITS
) -> Parts:
    """Return the parts of one sample by name, whose digest is the one that is committed to.

    Args:
        source: The log.
        reading: What `read_log` made of it.
        index: Place of the sample in its columns, from 0.
        limits: Caps on size, depth and compression.

    Raises:
        ObjectionError: if the log cannot be read.
        RedactionError: if the try never ran, the sample has more than 32 MiB, or its parts cannot be told from others.
        OSError: if the log cannot be opened.
    """
    known = log_texts(source, reading, limits)
    column = reading.columns[0]
    key = str(column.items[index]), column.epochs[index]
    if key not in known:
        raise RedactionError("the try never ran: it has no texts")
    if reading.layout.startswith("eval"):
        parts = _of_archive(Path(source), f"samples/{key[0]}_epoch_{key[1]}", limits)
    elif reading.harness == "lm-eval":
        parts = _of_lines(Path(source).read_bytes(), key[0])
    else:
        parts = _of_document(Path(source).read_bytes(), key)
    if text_digest(parts) != known[key]:
        raise RedactionError("the parts of the sample cannot be told from those of another: show the log itself")
    return parts


def _of_archive(path: Path, name: str, limits: Limits) -> Parts:
    parts = []
    size = 0
    with path.open("rb") as handle:
        archive = Archive(handle, limits)
        for member in archive:
            if member.name == f"{name}.json" or member.name.startswith(f"{name}/"):
                size += member.size
                if size > MAX_TEXTS:
                    raise RedactionError(f"the sample has more than {MAX_TEXTS} bytes: show the log itself")
                parts.append((member.name, b"".join(archive.pieces(member))))
    return tuple(parts)


def _of_lines(data: bytes, item: str) -> Parts:
    rows = [
        line
        for number, line in enumerate(data.split(b"\n"), start=1)
        if line.strip() and str(read_fields(line, frozenset({"doc_id"}), f"line {number}")["doc_id"]) == item
    ]
    return tuple((f"row {number}", row) for number, row in enumerate(rows, start=1))


def _of_document(data: bytes, key: tuple[str, int]) -> Parts:
    cut = cut_field(data, "samples", "log")
    if cut is None:
        raise ObjectionError("E102")
    for document in elements(cut[1], "samples"):
        fields = read_fields(document, frozenset({"id", "epoch"}), "samples")
        if (str(fields["id"]), fields.get("epoch", 1)) == key:
            return (("sample", document),)
    return ()
