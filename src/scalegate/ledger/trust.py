"""Whom a verifier trusts: the log, its witnesses and how many of them, and who may speak in which role.

A trust file is handed over out of band; everything else is checked against it. Its lines `log`, `witness`, `group`
and `quorum` are those of C2SP tlog-policy and mean what they mean there; the lines `fresh`, `include`, `replaces`
and `key` are ours. Files are refused, beyond what tlog-policy asks, where somebody could count twice or be taken for
another: a key on two lines, names that differ by case or width only, a cosigner whose several keys reach a quorum
alone. A file also is about one log, and nothing in it is hidden from a reader.

Whoever changes a trust file decides what is believed under it. Its digest is in every permit, so that a permit given
under another file is seen to be one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from scalegate.core.canonical import digest_bytes
from scalegate.ledger.checkpoint import Checkpoint
from scalegate.ledger.note import Note, NoteError, NoteKey, open_checkpoint
from scalegate.ledger.trust_lines import TLOG_KEYWORDS, Findings, read_lines, read_text
from scalegate.ledger.trust_reader import NO_QUORUM, Group, Reader, Speaker, Witness
from scalegate.ledger.trust_words import GATE, parse_key, write_key

__all__ = [
    "DEFAULT_FRESH",
    "DEFAULT_INCLUDE",
    "GATE",
    "NO_QUORUM",
    "Group",
    "Head",
    "Speaker",
    "Trust",
    "Witness",
    "format_key_line",
    "open_head",
    "parse_key",
    "parse_trust",
    "write_key",
]

DEFAULT_FRESH = 86_400
DEFAULT_INCLUDE = 3 * 86_400


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file that was read.

    Attributes:
        origin: Name of the log, or an empty text if no log is named.
        logs: Keys of the log; a signature by any one of them makes a checkpoint one of the log.
        witnesses: Everybody whose cosignature is looked at.
        groups: Groups of witnesses; members are defined before the group.
        quorum: Name of the witness or group that has to have witnessed, or `none`.
        speakers: Who may sign entries.
        fresh: Most seconds between the cosigned time of a head and a permit that rests on it.
        include: Most seconds until something that was signed for the log has to be in it.
        text: Text of the file.
        log_url: Where the log can be read, or an empty text.
        replaces: Digests of the older trust files of the log that this one may follow.
    """

    origin: str
    logs: tuple[NoteKey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str
    speakers: tuple[Speaker, ...]
    fresh: int
    include: int
    text: str = field(repr=False)
    log_url: str = ""
    replaces: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest of the bytes of the file, `sha256:` and hex."""
        return digest_bytes(self.text.encode())

    @property
    def needs_witnesses(self) -> bool:
        """Whether a checkpoint has to be cosigned at all."""
        return self.quorum != NO_QUORUM

    def cosigned(self, names: Collection[str]) -> bool:
        """Return whether these witnesses meet the quorum; names of nobody count for nothing."""
        return not self.needs_witnesses or self._witnessed(dict.fromkeys(names, 0)) is not None

    def cosigned_at(self, times: Mapping[str, int]) -> int | None:
        """Return the latest instant such that the witnesses who cosigned then or later meet the quorum.

        Args:
            times: When each witness cosigned, in seconds since 1970 UTC, by its name in this file.

        Returns:
            The instant, or None if the quorum is not met; for the quorum `none` the latest time of any witness.
        """
        if not self.needs_witnesses:
            return max((times[item.name] for item in self.witnesses if item.name in times), default=None)
        return self._witnessed(times)

    def speaker(self, name: str) -> Speaker | None:
        """Return the speaker of exactly this name."""
        return next((item for item in self.speakers if item.name == name), None)

    def tlog_policy(self) -> str:
        """Return the file as other tools take it: the lines of C2SP tlog-policy alone."""
        lines = (line.split() for line in self.text.split("\n"))
        return "".join(f"{' '.join(words)}\n" for words in lines if words and words[0] in TLOG_KEYWORDS)

    def _witnessed(self, times: Mapping[str, int]) -> int | None:
        found = {item.name: times.get(item.name) for item in self.witnesses}
        # Members stand before their group, so that one pass is enough, however deep groups are nested.
        for group in self.groups:
            known = sorted((at for at in map(found.get, group.members) if at is not None), reverse=True)
            found[group.name] = known[group.needed - 1] if len(known) >= group.needed else None
        return found.get(self.quorum)


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that the log signed, and what the witnesses of a trust file say about it.

    Attributes:
        checkpoint: Head of the log.
        note: The note that it was read from.
        times: When each witness cosigned it, by name; without those who stated no time.
        at: When the quorum had cosigned it (`Trust.cosigned_at`), or None if it did not.
    """

    checkpoint: Checkpoint
    note: Note
    times: dict[str, int]
    at: int | None


def parse_trust(text: str | bytes, file: str = "trust") -> Trust:
    """Return what a trust file says.

    Args:
        text: The file; as bytes rather than text, unless line ends are known to have been left as they are.
        file: What findings call it.

    Raises:
        DiagnosticError: with everything that is wrong with the file; the codes are those of `trust_lines.CODES`.
    """
    findings = Findings(file)
    content = read_text(text, findings)
    reader = Reader(findings)
    for line in read_lines(content, findings):
        if findings.full:
            break
        reader.read(line)
    reader.end()
    return Trust(
        origin=reader.logs[0].name if reader.logs else "",
        logs=tuple(reader.logs),
        witnesses=tuple(reader.witnesses),
        groups=tuple(reader.groups),
        quorum=reader.quorum,
        speakers=tuple(reader.speakers),
        fresh=reader.durations.get("fresh", DEFAULT_FRESH),
        replaces=tuple(reader.replaces),
        include=reader.durations.get("include", DEFAULT_INCLUDE),
        text=content,
        log_url=reader.log_url,
    )


def open_head(data: bytes, trust: Trust) -> Head:
    """Return the checkpoint in a note that the log of a trust file signed, with what its witnesses say.

    Whether the quorum cosigned it, and when, is `at`; a head without is returned as well.

    Raises:
        NoteError: if there is no such note, a signature by a known key is not good, or the log did not sign.
        CheckpointError: if the text is no checkpoint, or one of another log.
    """
    if not trust.logs:
        raise NoteError("the trust file names no log, so that no checkpoint is one of it")
    signed = open_checkpoint(data, trust.origin, trust.logs, [item.key for item in trust.witnesses])
    names = {item.key: item.name for item in trust.witnesses}
    times = {names[item.key]: item.timestamp for item in signed.witnesses if item.timestamp is not None}
    return Head(signed.checkpoint, signed.note, times, trust.cosigned_at(times))


def format_key_line(speaker: Speaker) -> str:
    """Return the line of a trust file that names a speaker, without its newline.

    Raises:
        DiagnosticError: if there is none, for a name with quotation marks for example.
    """
    roles = ",".join(sorted(speaker.roles))
    custody = f' custody "{speaker.custody}"' if speaker.custody else ""
    line = f'key "{speaker.name}" {roles} {write_key(speaker.key)}{custody}'
    read = parse_trust(f"quorum {NO_QUORUM}\n{line}\n", "the line of a key").speakers
    if read != (speaker,):
        raise ValueError(f"there is no line of a trust file for the speaker {speaker.name!r:.80}")
    return line
