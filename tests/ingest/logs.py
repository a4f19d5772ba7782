"""Small consistent Inspect logs, and archives with any defect a test asks for."""

import copy
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import zstandard

Members = list[tuple[str, bytes]]

_POINTS = {"C": 1.0, "I": 0, "P": 0.5, "N": 0}


def points(value: Any) -> float:
    """What Inspect makes of a scalar score in these tests."""
    return _POINTS[value] if isinstance(value, str) else float(value)


def score(value: Any, **extra: Any) -> dict[str, Any]:
    return {"value": value, "answer": "x", "history": [], **extra}


def sample(item: Any, value: Any, epoch: int = 1, **extra: Any) -> dict[str, Any]:
    scores = {} if value is None else {"match": score(value)}
    return {"id": item, "epoch": epoch, "input": "q", "messages": [{"id": "m"}], "scores": scores, **extra}


def binary_log(values: Iterable[Any], **config: Any) -> dict[str, Any]:
    """A log with one scorer and one try per item, all copies in agreement."""
    return log_of([sample(number, value) for number, value in enumerate(values, start=1)], **config)


def log_of(samples: list[dict[str, Any]], epochs: int = 1, reducer: str = "mean") -> dict[str, Any]:
    """A log of these samples; the reported numbers are means over items of the means over tries."""
    grouped: dict[Any, list[float]] = {}
    for row in samples:
        for name, each in row["scores"].items():
            if name == "match" and each["value"] == each["value"]:
                grouped.setdefault(row["id"], []).append(points(each["value"]))
    reduced = {item: sum(tries) / len(tries) for item, tries in grouped.items()}
    mean = sum(reduced.values()) / len(reduced) if reduced else float("nan")
    ids = list(dict.fromkeys(row["id"] for row in samples))
    unscored = {row["id"] for row in samples if row["scores"]} - reduced.keys()
    return {
        "header": {
            "version": 2,
            "status": "success",
            "eval": {
                "created": "2026-01-02T03:04:05+00:00",
                "task": "demo",
                "task_version": 3,
                "dataset": {"name": "bank", "samples": len(ids), "sample_ids": ids},
                "model": "lab/model",
                "config": {"epochs": epochs, "epochs_reducer": [reducer]},
                "revision": {"type": "git", "origin": "o", "commit": "a" * 40},
                "packages": {"inspect_ai": "0.3.250"},
            },
            "results": {
                "total_samples": len(ids) * epochs,
                "completed_samples": len([row for row in samples if row.get("error") is None]),
                "scores": [
                    {
                        "name": "match",
                        "scorer": "match",
                        "scored_samples": len(reduced),
                        "unscored_samples": len(unscored),
                        "metrics": {"accuracy": {"name": "accuracy", "value": mean}},
                    }
                ],
            },
            "stats": {"completed_at": "2026-01-02T04:04:05+00:00"},
        },
        "samples": samples,
        "summaries": [
            {key: copy.deepcopy(row[key]) for key in ("id", "epoch", "input", "scores", "error", "limit") if key in row}
            for row in samples
        ],
        "reductions": [
            {
                "scorer": "match",
                "samples": [
                    *({"sample_id": item, "value": value} for item, value in reduced.items()),
                    *({"sample_id": item, "value": float("nan")} for item in sorted(unscored, key=str)),
                ],
            }
        ],
    }


def members_of(log: dict[str, Any], dump: Callable[[Any], str] = json.dumps) -> Members:
    """The members of an `.eval` archive, in the order in which Inspect writes them."""
    start = {"version": 2, "eval": log["header"]["eval"]}
    found = [("_journal/start.json", start)]
    found += [(f"samples/{row['id']}_epoch_{row['epoch']}.json", row) for row in log["samples"]]
    found += [(f"{name}.json", log[name]) for name in ("summaries", "reductions", "header") if name in log]
    return [(name, dump(value).encode()) for name, value in found]


def pack(data: bytes, method: int) -> bytes:
    if method == zipfile.ZIP_DEFLATED:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush()
    return zstandard.ZstdCompressor().compress(data) if method == 93 else data


def archive(
    members: Members,
    method: int = zipfile.ZIP_DEFLATED,
    *,
    packed: dict[str, bytes] | None = None,
    central: Callable[[str, list[int]], None] | None = None,
    zip64: bool = False,
    between: bytes = b"",
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Bytes of an archive.

    `packed` replaces the packed bytes of a member; `central` may change the fields [flags, method, crc, packed,
    size, offset] of its directory entry; `zip64` writes sizes into extra fields; the rest is put where it says.
    """
    out, directory = bytearray(before), bytearray()
    for name, data in members:
        raw, stored = name.encode(), (packed or {}).get(name, pack(data, method))
        flags = 0 if name.isascii() else 0x800
        fields = [flags, method, zlib.crc32(data), len(stored), len(data), len(out)]
        short = (0xFFFFFFFF, 0xFFFFFFFF) if zip64 else (fields[3], fields[4])
        extra = struct.pack("<HHQQ", 1, 16, fields[4], fields[3]) if zip64 else b""
        out += struct.pack("<4s5H3L2H", b"PK\3\4", 45, flags, method, 0, 0, fields[2], *short, len(raw), len(extra))
        out += raw + extra + stored + between
        if central is not None:
            central(name, fields)
        short = (0xFFFFFFFF, 0xFFFFFFFF) if zip64 else (fields[3], fields[4])
        extra = struct.pack("<HHQQ", 1, 16, fields[4], fields[3]) if zip64 else b""
        directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 45, 45, fields[0], fields[1], 0, 0, fields[2], *short),
            *(len(raw), len(extra), 0, 0, 0, 0, fields[5]),
        )
        directory += raw + extra
    start = len(out)
    out += directory
    out += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(members), len(members), len(directory), start, 0)
    return bytes(out + after)


def write(folder: Path, log: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a log as an archive and return its path."""
    path = folder / "log.eval"
    path.write_bytes(archive(members_of(log), method))
    return path


def codes(findings: Iterable[Any], *severities: str) -> list[str]:
    """Codes of the findings of these severities; of all but provenance when none is named."""
    return [
        found.code
        for found in findings
        if (found.severity in severities if severities else found.severity != "provenance")
    ]
