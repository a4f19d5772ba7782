"""What a cheater would do to a log: lower the headline, and leave the samples alone."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import zstandard

_ZSTD = 93  # method of the members of an Inspect log, which `zipfile` knows only from Python 3.14 on
_LOCAL_HEADER = 30


def members(path: Path) -> dict[str, bytes]:
    """Return the members of an Inspect log, decompressed."""
    raw = path.read_bytes()
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != _ZSTD:
                found[info.filename] = archive.read(info)
                continue
            head = info.header_offset
            name, extra = (int.from_bytes(raw[head + at : head + at + 2], "little") for at in (26, 28))
            start = head + _LOCAL_HEADER + name + extra
            reader = zstandard.ZstdDecompressor().decompressobj()
            found[info.filename] = reader.decompress(raw[start : start + info.compress_size])
    return found


def soften(source: Path, target: Path) -> None:
    """Write a copy of a log in which the accuracy that it reports is a tenth of the true one."""
    parts = members(source)
    header = json.loads(parts["header.json"])
    metric = header["results"]["scores"][0]["metrics"]["accuracy"]
    metric["value"] /= 10
    parts["header.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
