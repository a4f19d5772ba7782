"""The one door for logs: what a file is, is decided by its bytes, never by its name."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from scalegate.core.reading import Harness, Reading
from scalegate.ingest.inspect_log import read_archive, read_document
from scalegate.ingest.limits import DEFAULT_LIMITS, MIB, Limits
from scalegate.ingest.lm_eval import Results, Samples, join, read_results, read_samples
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.strict_json import parse, top_keys

_ARCHIVE_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_HEAD = 4096


def read_log(
    source: str | os.PathLike[str],
    *,
    allow_edited: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Reading:
    """Read a log of Inspect or lm-eval.

    Never raises for what is in the file: a log that cannot be read gives a `Reading` without scores, whose
    `refusal` says why.

    Args:
        source: path of an `.eval` or `.json` log of Inspect, or of a results or samples file of lm-eval.
        allow_edited: the policy accepts scores that were edited after the run (they are noted).
        limits: caps on size, depth and compression.
    """
    reader = _Reader(allow_edited, limits)
    try:
        with _open(Path(source)) as handle:
            return reader.read(handle)
    except OSError as error:
        objection = ObjectionError("E101", error.strerror or type(error).__name__)
    except ObjectionError as error:
        objection = error
    return Reading(reader.digest, reader.size, reader.harness, findings=(objection.finding,))


class _Reader:
    """One reading in progress, so that a refusal can still say what was refused."""

    def __init__(self, allow_edited: bool, limits: Limits) -> None:  # noqa: FBT001 - private
        self._allow_edited = allow_edited
        self._limits = limits
        self.harness: Harness = "unknown"
        self.digest = ""
        self.size = 0

    def read(self, handle: BinaryIO) -> Reading:
        self.size = os.fstat(handle.fileno()).st_size
        _check_size(self.size, self._limits)
        try:
            return self._read(handle)
        except ObjectionError:
            self.digest = _digest(handle)
            raise

    def _read(self, handle: BinaryIO) -> Reading:
        head = handle.read(_HEAD)
        if head.startswith(_ARCHIVE_MARKS):
            self.harness = "inspect"
            return read_archive(handle, allow_edited=self._allow_edited, limits=self._limits)
        text = _whole(handle, head, self._limits)
        self.harness = _harness(text)
        if self.harness == "inspect":
            return read_document(text, allow_edited=self._allow_edited, limits=self._limits)
        if _is_lines(text):
            return read_samples(text, self._limits).reading
        return read_results(text, self._limits).reading


def _check_size(size: int, limits: Limits) -> None:
    if not size:
        raise ObjectionError("E102")
    if size > limits.file_bytes:
        raise ObjectionError("E104", f"{size} bytes")


def read_lm_eval_run(
    results: str | os.PathLike[str],
    samples: Sequence[str | os.PathLike[str]],
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Reading, ...]:
    """Read a results file of lm-eval together with its samples files, and compare them.

    Returns:
        One reading per samples file, in their order, with the identity and provenance of the results. A file
        that cannot be read, or is something else, gives a reading whose `refusal` says why.
    """
    found: list[Reading] = []
    head = _lm_eval(Path(results), limits)
    for path in samples:
        body = _lm_eval(Path(path), limits)
        if isinstance(head, Results) and isinstance(body, Samples):
            found.append(join(head, body))
        elif isinstance(body, Samples):
            blocked = head if isinstance(head, Reading) else _mistaken("not a results file")
            found.append(replace(body.reading, findings=(*body.reading.findings, *blocked.findings)))
        else:
            found.append(body if isinstance(body, Reading) else _mistaken("not a samples file"))
    return tuple(found)


def _lm_eval(path: Path, limits: Limits) -> Results | Samples | Reading:
    try:
        with _open(path) as handle:
            _check_size(os.fstat(handle.fileno()).st_size, limits)
            text = _whole(handle, handle.read(_HEAD), limits)
        return read_samples(text, limits) if _is_lines(text) else read_results(text, limits)
    except OSError as error:
        objection = ObjectionError("E101", error.strerror or type(error).__name__)
    except ObjectionError as error:
        objection = error
    return Reading(digest="", size=0, harness="lm-eval", findings=(objection.finding,))


def _mistaken(detail: str) -> Reading:
    return Reading(digest="", size=0, harness="lm-eval", findings=(ObjectionError("E103", detail).finding,))


def _is_lines(text: bytes) -> bool:
    """Tell a samples file (one JSON object per line) from one JSON document."""
    first = text.lstrip().partition(b"\n")[0]
    keys = top_keys(first) if b'"doc_id"' in first else None
    return keys is not None and "doc_id" in keys


def _harness(text: bytes) -> Harness:
    """Return which tool wrote a text.

    Raises:
        ObjectionError: E103 for no known tool, E201 to E205 for no JSON.
    """
    if _is_lines(text):
        return "lm-eval"
    keys = top_keys(text)
    if keys is None:
        parse(text, "file")
        keys = frozenset()
    if {"eval", "status"} <= keys:
        return "inspect"
    if "results" in keys and keys & {"versions", "configs", "config"}:
        return "lm-eval"
    raise ObjectionError("E103")


def _open(path: Path) -> BinaryIO:
    """Open a regular file; pipes, devices and folders would block or never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:
        raise ObjectionError("E101", "the path contains a zero byte") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ObjectionError("E101", "not a regular file")
    return os.fdopen(descriptor, "rb")


def _whole(handle: BinaryIO, head: bytes, limits: Limits) -> bytes:
    if head.lstrip()[:1] not in (b"{", b"[") and head.lstrip():
        raise ObjectionError("E103")
    size = os.fstat(handle.fileno()).st_size
    if size > limits.document_bytes:
        raise ObjectionError("E207", f"{size} bytes")
    handle.seek(0)
    return handle.read()


def _digest(handle: BinaryIO) -> str:
    handle.seek(0)
    found = hashlib.sha256()
    while piece := handle.read(MIB):
        found.update(piece)
    return f"sha256:{found.hexdigest()}"
