"""Inspect logs: `.eval` archives and `.json` documents, without inspect_ai.

One member is held at a time, and of each sample only its scores, identity and troubles are kept. Every member's
checksum is verified and every sample is hashed; then the redundant copies are compared (`cross_check`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, BinaryIO

from scalegate.core.quantities import show_count
from scalegate.core.reading import Aggregate, Finding, Reading
from scalegate.ingest.archive import Archive, Member
from scalegate.ingest.columns import columns, slots
from scalegate.ingest.cross_check import check_plan, check_results, check_summaries
from scalegate.ingest.fingerprint import OWN_ID, fingerprint, sample_fingerprint
from scalegate.ingest.inspect_header import Header, ScoreBlock, read_header
from scalegate.ingest.inspect_metrics import reported
from scalegate.ingest.limits import Limits
from scalegate.ingest.objections import ObjectionError, objection
from scalegate.ingest.sample_table import (
    LEGACY_SCORER,
    SAMPLE_FIELDS,
    SUMMARY_FIELDS,
    SampleTable,
)
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.score_values import exact
from scalegate.ingest.strict_json import cut_field, elements, parse, read_fields, stream_fields

_HEADER, _START = "header.json", "_journal/start.json"
_SUMMARIES, _REDUCTIONS = "summaries.json", "reductions.json"
_FIELDS = SAMPLE_FIELDS | {OWN_ID}
_SAMPLES, _SHELL = "samples/", "/sample.json"


class _Contents:
    """What was found in a log, before any of it is compared."""

    def __init__(self) -> None:
        self.samples = SampleTable()
        self.summaries: SampleTable | None = None
        self.header: Header | None = None
        self.reductions: Any = None
        self.layout = "eval"
        self.findings: list[Finding] = []


def read_archive(handle: BinaryIO, *, allow_edited: bool, limits: Limits) -> Reading:
    """Read an `.eval` archive.

    Args:
        handle: the file, seekable.
        allow_edited: the policy accepts scores that were edited after the run.
        limits: caps.

    Raises:
        ObjectionError: the archive cannot be read to its end.
    """
    archive = Archive(handle, limits)
    contents = _Contents()
    shells = tuple(
        member.name.removesuffix("sample.json")
        for member in archive.members
        if member.name.startswith(_SAMPLES) and member.name.endswith(_SHELL)
    )
    strays = 0
    for member in archive:
        if _is_sample(member.name, shells):
            _add_sample(archive, member, contents)
        elif not _add_member(archive, member, contents, limits):
            strays += not member.name.startswith(("_journal/", *shells))
    if contents.header is None:
        started = any(member.name == _START for member in archive.members)
        raise ObjectionError("E309" if started else "E103", "no `header.json`")
    if archive.slack:
        contents.findings.append(objection("E117", show_count(archive.slack, "byte")))
    if strays:
        contents.findings.append(objection("E707", show_count(strays, "member")))
    contents.layout = "eval-chunked" if shells else "eval"
    reading = _reading(contents, contents.header, allow_edited=allow_edited, limits=limits)
    return replace(reading, digest=archive.digest, size=handle.seek(0, 2))


def _is_sample(name: str, shells: tuple[str, ...]) -> bool:
    if not name.startswith(_SAMPLES) or not name.endswith(".json"):
        return False
    return name.endswith(_SHELL) or not (shells and name.startswith(shells))


def _add_member(archive: Archive, member: Member, contents: _Contents, limits: Limits) -> bool:
    """Take a member that is no sample; tell whether it was known."""
    name = member.name
    if name == _SUMMARIES:
        contents.summaries = SampleTable()
        summaries = stream_fields(archive.pieces(member), SUMMARY_FIELDS, name, limits.document_bytes)
        for number, fields in enumerate(summaries):
            contents.summaries.add(fields, f"{name}[{number}]")
    elif name == _REDUCTIONS:
        contents.reductions = parse(archive.read(member), name)
    elif name == _HEADER:
        contents.header = read_header(parse(archive.read(member), name), name)
    elif ".shards/" in name:
        contents.findings.append(objection("E306", where=name))
    else:
        return False
    return True


def _add_sample(archive: Archive, member: Member, contents: _Contents) -> None:
    document = archive.read(member)
    fields = read_fields(document, _FIELDS, member.name)
    contents.samples.add(fields, member.name, sample_fingerprint(document, fields))
    own = f"{_SAMPLES}{contents.samples.ids[-1]}_epoch_{contents.samples.epochs[-1]}"
    if member.name not in (f"{own}.json", f"{own}{_SHELL}"):
        contents.findings.append(objection("E407", f"content is {quoted(own)}", member.name))


def read_document(data: bytes, *, allow_edited: bool, limits: Limits) -> Reading:
    """Read a `.json` log.

    Args:
        data: the whole file.
        allow_edited: the policy accepts scores that were edited after the run.
        limits: caps.

    Raises:
        ObjectionError: the document cannot be read.
    """
    contents = _Contents()
    contents.layout = "json"
    parts = cut_field(data, "samples", "log")
    if parts is None:
        root = parse(data, "log", limits.document_bytes)
        rest = root if isinstance(root, dict) else {}
        samples = rest.get("samples")
        rows = [(sample, fingerprint(sample)) for sample in samples] if isinstance(samples, list) else []
    else:
        rest = parse(parts[0], "log", limits.document_bytes)
        documents = () if parts[1] == b"null" else elements(parts[1], "samples")
        rows = [
            (fields, sample_fingerprint(document, fields))
            for document in documents
            for fields in (read_fields(document, _FIELDS, "samples"),)
        ]
    for number, (fields, digest) in enumerate(rows):
        if not isinstance(fields, dict):
            raise ObjectionError("E206", "a sample must be an object", f"samples[{number}]")
        contents.samples.add(fields, f"samples[{number}]", digest)
    contents.header = read_header(rest, "log")
    contents.reductions = rest.get("reductions")
    if contents.reductions is None:
        contents.reductions = contents.header.reductions
    reading = _reading(contents, contents.header, allow_edited=allow_edited, limits=limits)
    return replace(reading, digest=f"sha256:{hashlib.sha256(data).hexdigest()}", size=len(data))


def _reading(contents: _Contents, header: Header, *, allow_edited: bool, limits: Limits) -> Reading:
    samples = contents.samples
    _name_legacy(samples, header)
    if contents.summaries is not None:
        _name_legacy(contents.summaries, header)
    findings = [*contents.findings, *header.findings, *_objections(contents, header, allow_edited=allow_edited)]
    places = slots(samples, header.planned, header.epochs, limits.planned_tries)
    made, digests, notes = columns(samples, places, limits.columns)
    findings += notes
    return Reading(
        digest="",
        size=0,
        harness="inspect",
        harness_version=header.harness_version,
        layout=contents.layout,
        task=header.task,
        task_version=header.task_version,
        model=header.model,
        status=header.status,
        # A run that was resumed is dated by its last start; what it had done before began earlier.
        created=min(filter(None, (header.created, samples.began)), default=None) if header.created else None,
        completed=header.finished,
        planned=header.planned or (),
        planned_count=_planned_count(header),
        epochs=header.epochs,
        columns=made,
        aggregates=_aggregates(header),
        evidence_class="samples",
        sample_digests=digests,
        provenance=tuple(finding.message for finding in findings if finding.severity == "provenance"),
        findings=tuple(findings),
    )


def _objections(contents: _Contents, header: Header, *, allow_edited: bool) -> list[Finding]:
    samples = contents.samples
    found: list[Finding] = []
    if not len(samples):
        found.append(_no_samples(contents, header))
    else:
        if contents.summaries is not None:
            found += check_summaries(samples, contents.summaries)
        elif contents.layout != "json":
            found.append(objection("E410"))
        found += check_plan(header, samples)
        # With samples gone, the metrics of the rest say nothing new.
        if not any(finding.code in ("E402", "E405") for finding in found):
            found += check_results(header, samples, contents.reductions)
        if not samples.values:
            found.append(objection("E302"))
    if samples.invalidated:
        found.append(objection("E304", show_count(len(samples.invalidated), "sample")))
    if samples.edited:
        code = "E705" if allow_edited else "E305"
        found.append(objection(code, f"in {show_count(len(samples.edited), 'sample')}"))
    if header.early_stops:
        found.append(objection("E501", f"left out: {show_count(header.early_stops, 'try', 'tries')}"))
    return found


def _no_samples(contents: _Contents, header: Header) -> Finding:
    """Tell a log that was told to keep no samples from one that lost them."""
    claimed = header.completed or (len(contents.summaries) if contents.summaries else 0)
    if claimed and header.keeps_samples and contents.layout != "json":
        return objection("E402", f"{claimed} were completed, none is in the log")
    return objection("E307")


def _name_legacy(samples: SampleTable, header: Header) -> None:
    """Give the scores of the legacy field `score` the name of the only scorer that is reported."""
    if LEGACY_SCORER in samples.values:
        names = {block.scorer for block in header.blocks}
        name = names.pop() if len(names) == 1 else "score"
        if name not in samples.values:
            samples.values[name] = samples.values.pop(LEGACY_SCORER)
            for row in range(len(samples)):
                reason = samples.reasons.pop((LEGACY_SCORER, row), "")
                if reason:
                    samples.reasons[name, row] = reason


def _planned_count(header: Header) -> int | None:
    if header.planned is not None:
        return len(header.planned)
    return None if header.total is None else -(-header.total // header.epochs)


def _aggregates(header: Header) -> tuple[Aggregate, ...]:
    return tuple(
        Aggregate(
            task=header.task,
            metric=_metric_name(block, metric.key),
            value=exact(metric.value)[0] if reported(metric.value) is not None else None,
            stderr=_stderr(block) if metric.name != "stderr" else None,
            n=block.scored,
        )
        for block in header.blocks
        for metric in block.metrics
    )


def _metric_name(block: ScoreBlock, key: str) -> str:
    name = block.scorer if block.name == block.scorer else f"{block.scorer}/{block.name}"
    return f"{name} {key}" if block.reducer is None else f"{name} {block.reducer} {key}"


def _stderr(block: ScoreBlock) -> Any:  # noqa: ANN401 - a fraction or None
    for metric in block.metrics:
        if metric.name == "stderr":
            return exact(metric.value)[0]
    return None
