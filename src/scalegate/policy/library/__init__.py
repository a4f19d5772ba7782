"""Published frameworks and laws, encoded in our own words: which there are, and which version follows which.

Their texts are data files of this package, one for each id. Reading files is not for a pure room, so that
`scalegate.app.library` does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Encoding(NamedTuple):
    """A published framework or law that the library encodes.

    Attributes:
        id: of the encoding; its file is called so.
        title: what the document is called, with its version.
        issuer: who published it.
        date: the day it was published, or last updated, as it says itself.
        family: what all versions of one document have in common.
    """

    id: str
    title: str
    issuer: str
    date: str
    family: str


_ALL: Final = (
    Encoding("anthropic-rsp-1.0", "Responsible Scaling Policy 1.0", "Anthropic", "2023-09-19", "anthropic-rsp"),
    Encoding("anthropic-rsp-2.2", "Responsible Scaling Policy 2.2", "Anthropic", "2025-05-14", "anthropic-rsp"),
    Encoding("anthropic-rsp-3.4", "Responsible Scaling Policy 3.4", "Anthropic", "2026-07-08", "anthropic-rsp"),
    Encoding(
        "openai-preparedness-beta", "Preparedness Framework (beta)", "OpenAI", "2023-12-18", "openai-preparedness"
    ),
    Encoding("openai-preparedness-2", "Preparedness Framework 2", "OpenAI", "2025-04-15", "openai-preparedness"),
    Encoding("deepmind-fsf-1.0", "Frontier Safety Framework 1.0", "Google DeepMind", "2024-05-17", "deepmind-fsf"),
    Encoding("deepmind-fsf-2.0", "Frontier Safety Framework 2.0", "Google DeepMind", "2025-02-04", "deepmind-fsf"),
    Encoding("deepmind-fsf-3.1", "Frontier Safety Framework 3.1", "Google DeepMind", "2026-04-17", "deepmind-fsf"),
    Encoding("meta-faf-1.1", "Frontier AI Framework 1.1", "Meta", "2025-02-03", "meta"),
    Encoding("meta-aasf-2", "Advanced AI Scaling Framework 2", "Meta", "2026-04-07", "meta"),
    Encoding("xai-rmf-2025-08", "Risk Management Framework", "xAI", "2025-08-20", "xai-rmf"),
    Encoding("microsoft-fgf-1", "Frontier Governance Framework 1", "Microsoft", "2025-02-08", "microsoft-fgf"),
    Encoding("amazon-fmsf-2025-02", "Frontier Model Safety Framework", "Amazon", "2025-02-09", "amazon-fmsf"),
    Encoding(
        "eu-gpai-code-safety",
        "Code of Practice for general-purpose AI, Safety and Security",
        "European Union",
        "2025-07-10",
        "eu-gpai-code",
    ),
    Encoding(
        "us-ca-sb53",
        "Transparency in Frontier Artificial Intelligence Act (SB 53)",
        "California",
        "2025-09-29",
        "us-ca-sb53",
    ),
    Encoding("us-ny-raise", "RAISE Act, as amended", "New York", "2026-03-27", "us-ny-raise"),
    Encoding(
        "seoul-commitments", "Frontier AI Safety Commitments", "AI Seoul Summit", "2024-05-21", "seoul-commitments"
    ),
    Encoding("fli-letter", "Pause Giant AI Experiments", "Future of Life Institute", "2023-03-22", "fli-letter"),
)

ENCODINGS: Final[Mapping[str, Encoding]] = MappingProxyType({item.id: item for item in _ALL})


def successions() -> tuple[tuple[str, str], ...]:
    """Return every pair of consecutive versions of one document, the older one first."""
    pairs: list[tuple[str, str]] = []
    last: dict[str, str] = {}
    for item in sorted(_ALL, key=lambda item: item.date):
        if item.family in last:
            pairs.append((last[item.family], item.id))
        last[item.family] = item.id
    return tuple(pairs)
