"""The library of published frameworks: their encodings, how much of each was read, and the table that compares them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from scalegate.app.policies import parse, read_policy
from scalegate.app.refusal import RefusalError, nearest
from scalegate.app.saving import save
from scalegate.core.kernel import Kernel
from scalegate.policy.library import ENCODINGS, Encoding
from scalegate.report.comparison_table import Column, comparison_table

_PACKAGE = "scalegate.policy.library"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a document an encoding rests on: entries by how they were read, and the parts that nobody read."""

    seen: int
    memory: int
    unread: int
    parts: tuple[str, ...]


def encoding(name: str) -> Encoding:
    """Return what is known about an encoding.

    Raises:
        RefusalError: if the library has none of that id.
    """
    known = ENCODINGS.get(name)
    if known is None:
        raise RefusalError(
            "usage", "library-unknown", f"the library has no encoding `{name:.80}`", nearest(name, ENCODINGS)
        )
    return known


def encoding_text(name: str) -> str:
    """Return an encoding as it is written.

    Raises:
        RefusalError: if the library has none of that id, or the installation lacks its file.
    """
    file = files(_PACKAGE).joinpath(f"{encoding(name).id}.yaml")
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        message = f"this installation lacks the encoding `{name}`: {error.strerror}"
        raise RefusalError("internal", "library-incomplete", message, "install scalegate again") from error


def policy_text(name: str) -> str:
    """Return the text of a policy file, or of an encoding of the library where no such file exists.

    Raises:
        RefusalError: if there is neither, or the file cannot be read.
    """
    return encoding_text(name) if name in ENCODINGS and not Path(name).exists() else read_policy(Path(name))


def encoding_kernel(name: str) -> Kernel:
    """Return the kernel of an encoding.

    Raises:
        RefusalError: if the library has none of that id.
    """
    return parse(encoding_text(name), f"{name}.yaml")


def extent(kernel: Kernel) -> Extent:
    """Return how much of a document an encoding rests on."""
    count = Counter(item.read for item in kernel.duties.provenance.values())
    return Extent(count["seen"], count["memory"], count["unread"], kernel.duties.unread)


def library_table() -> str:
    """Return the whole library as one page of HTML."""
    return comparison_table(
        [Column(item.title, item.issuer, encoding_kernel(name)) for name, item in ENCODINGS.items()]
    )


def write_library_table(path: Path) -> None:
    """Write the whole library as one page of HTML.

    Raises:
        RefusalError: if the file cannot be written.
    """
    save(path.resolve(), library_table().encode())
