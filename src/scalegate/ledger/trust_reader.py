"""The lines of a trust file, one after the other: what each defines, and what it may not define a second time."""

from __future__ import annotations

from dataclasses import dataclass

from scalegate.core.diagnostic import Span
from scalegate.core.person import person
from scalegate.ledger.note import MAX_SIGNATURES, NoteKey
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust_lines import OUR_KEYWORDS, TLOG_KEYWORDS, Findings, Line, Word, quote, suggestion
from scalegate.ledger.trust_words import (
    check_speaker_name,
    read_digest,
    read_duration,
    read_key,
    read_log_key,
    read_number,
    read_roles,
    read_url,
    read_witness_key,
)

NO_QUORUM = "none"
# A note with more signatures is refused, so that a quorum of more could never be met.
MAX_LINES = MAX_SIGNATURES
# Fewest and most words behind each keyword, and the form of the line.
_FORMS: dict[str, tuple[int, int | None, str]] = {
    "log": (1, 2, "log KEY [URL]"),
    "witness": (2, 3, "witness NAME KEY [URL]"),
    "group": (3, None, "group NAME all|any|NUMBER MEMBER..."),
    "quorum": (1, 1, "quorum NAME"),
    "fresh": (2, 2, "fresh NUMBER UNIT"),
    "include": (2, 2, "include NUMBER UNIT"),
    "replaces": (1, 1, "replaces sha256:DIGEST"),
    "key": (3, 5, 'key NAME ROLES ALGORITHM:BASE64 [custody "EVIDENCE"]'),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who may sign entries.

    Attributes:
        name: Name as it stands in entries.
        roles: What it speaks as; `gate` is reserved for decisions and what the log says about itself.
        key: Its public key.
        custody: Evidence that somebody outside saw where the private key is kept, or an empty text.
    """

    name: str
    roles: frozenset[str]
    key: PublicKey
    custody: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns checkpoints: a name for this file only, its key, and where to ask it, if that is known."""

    name: str
    key: NoteKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Some witnesses and groups, `needed` of which make the group one that witnessed."""

    name: str
    needed: int
    members: tuple[str, ...]


class Reader:
    """Reads one line after the other, and knows what the lines before have defined."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.logs: list[NoteKey] = []
        self.log_url = ""
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum = ""
        self.speakers: list[Speaker] = []
        self.durations: dict[str, int] = {}
        self.replaces: list[str] = []
        # What was written, whether or not it was right, and on which line: so that one mistake is found once.
        self._names: set[str] = set()
        self._defined: dict[str, Word] = {}
        self._people: dict[str, Word] = {}
        self._members: dict[str, Span] = {}
        self._keys: dict[bytes, Word] = {}
        self._once: dict[str, Word] = {}
        self._places: dict[str, Span] = {}
        self._counts: dict[str, int] = {}

    def read(self, line: Line) -> None:
        """Read a line."""
        word = line.keyword
        if word.quoted or word.text not in _FORMS:
            help_text = suggestion(word.text, (*TLOG_KEYWORDS, *OUR_KEYWORDS))
            self.findings.error("T201", f"{quote(word.text)} is not a keyword", word.span, help=help_text)
            return
        fewest, most, form = _FORMS[word.text]
        if len(line.words) < fewest or (most is not None and len(line.words) > most):
            span = line.after if len(line.words) < fewest else line.words[most or 0].span
            much = "few" if len(line.words) < fewest else "many"
            self.findings.error("T202", f"too {much} words for `{word.text}`", span, help=f"write `{form}`")
            # The names count as defined, so that this is found once.
            if word.text in ("witness", "group") and line.words:
                self._define(line.words[0])
            return
        {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
            "fresh": self._duration,
            "include": self._duration,
            "replaces": self._replaces,
            "key": self._key,
        }[word.text](line)

    def end(self) -> None:
        """Look at what only all lines together show.

        Raises:
            DiagnosticError: if anything is wrong with any line.
        """
        # A line with `quorum` that could not be split into words was found already.
        if not any(line.split()[:1] == ["quorum"] for line in self.findings.lines):
            last = max(len(self.findings.lines) - 1, 1)
            cause = "without one nobody knows how many witnesses are enough"
            help_text = "write `quorum NAME`, or `quorum none` to trust the log alone"
            self.findings.error("T306", "there is no `quorum`", self.findings.at(last, 1), cause=cause, help=help_text)
        self._check_cosigners()
        self.findings.check()

    # ------------------------------------------------------------ one line each

    def _log(self, line: Line) -> None:
        key = read_log_key(line.words[0], self.findings)
        url = read_url(line.words[1] if len(line.words) > 1 else None, self.findings)
        self._count(line)
        if key is None or not self._own(key.key, line.words[0]):
            return
        if self.logs and key.name != self.logs[0].name:
            message = f"the key is one of the log {quote(key.name)}, and the first of {quote(self.logs[0].name)}"
            cause = "a trust file is about one log, so that nothing can be left out of it by writing to another"
            help_text = "write one file for each log"
            self.findings.error("T305", message, line.words[0].span, cause=cause, help=help_text)
            return
        self.logs.append(key)
        self.log_url = self.log_url or url

    def _witness(self, line: Line) -> None:
        name = line.words[0]
        self._define(name)
        key = read_witness_key(line.words[1], self.findings)
        url = read_url(line.words[2] if len(line.words) > 2 else None, self.findings)
        self._count(line)
        if key is not None and self._own(key.key, line.words[1]):
            self.witnesses.append(Witness(name.text, key, url))
            self._places[name.text] = line.words[1].span

    def _group(self, line: Line) -> None:
        name, needed, *members = line.words
        for member in members:
            if self.findings.full:
                return
            self._use(member)
            before = self._members.setdefault(member.text, member.span)
            if before is not member.span:
                cause = f"it is one on line {before.line}, and would count twice"
                message = f"{quote(member.text)} is a member a second time"
                self.findings.error("T303", message, member.span, cause=cause, help="leave one of them out")
        # Only now, so that no group is a member of itself.
        self._define(name)
        self._count(line)
        words = {"all": len(members), "any": 1}
        number = words.get(needed.text) or read_number(needed.text)
        if number is None or number > len(members):
            cause = f"the group has {len(members)} member{'s' if len(members) > 1 else ''}"
            message = f"{quote(needed.text)} is not how many members a group can ask for"
            help_text = f"write `all`, `any`, or a number from 1 to {len(members)}"
            self.findings.error("T211", message, needed.span, cause=cause, help=help_text)
            return
        self.groups.append(Group(name.text, number, tuple(member.text for member in members)))

    def _quorum(self, line: Line) -> None:
        self._first(line)
        if line.words[0].text != NO_QUORUM:
            self._use(line.words[0])
        self.quorum = line.words[0].text

    def _duration(self, line: Line) -> None:
        self._first(line)
        number, unit = line.words
        seconds = read_duration(number, unit, self.findings)
        if seconds is not None:
            self.durations[line.keyword.text] = seconds

    def _replaces(self, line: Line) -> None:
        word = line.words[0]
        digest = read_digest(word, self.findings)
        if digest in self.replaces:
            self.findings.error("T213", f"{quote(word.text)} is replaced already", word.span, help="leave the line out")
        elif digest is not None:
            self.replaces.append(digest)

    def _key(self, line: Line) -> None:
        name, roles, key, *rest = line.words
        check_speaker_name(name, self.findings)
        self._check_person(name, self._people, "a speaker")
        read = read_roles(roles, self.findings), read_key(key, self.findings)
        custody = ""
        if rest:
            custody = self._custody(rest, line)
        if read[1] is not None and self._own(read[1], key) and read[0] is not None:
            self.speakers.append(Speaker(name.text, read[0], read[1], custody))

    def _custody(self, words: list[Word], line: Line) -> str:
        if words[0].text != "custody" or len(words) < 2:
            span = words[0].span if words[0].text != "custody" else line.after
            self.findings.error("T202", "`custody` and one text end the line", span, help=f"write `{_FORMS['key'][2]}`")
            return ""
        if not words[1].text.strip():
            cause = "a reader would take it for evidence"
            help_text = "say who saw what and when, or leave `custody` out"
            self.findings.error("T212", "the evidence of custody is empty", words[1].span, cause=cause, help=help_text)
        return words[1].text

    # ------------------------------------------------------------ what all lines share

    def _define(self, name: Word) -> None:
        if name.text == NO_QUORUM:
            message = f"`{NO_QUORUM}` is no name: it stands for a quorum without witnesses"
            self.findings.error("T301", message, name.span, help="write another name")
            return
        self._names.add(name.text)
        self._check_person(name, self._defined, "a witness or group")

    def _check_person(self, name: Word, known: dict[str, Word], what: str) -> None:
        before = known.setdefault(person(name.text), name)
        if before is name:
            return
        message = f"the name {quote(name.text)} is given a second time"
        cause = f"line {before.span.line} gives it to {what} already"
        if before.text != name.text:
            message = f"the name {quote(name.text)} looks like {quote(before.text)} on line {before.span.line}"
            cause = "names differ by more than case, width and spaces"
        self.findings.error("T301", message, name.span, cause=cause, help="write another name, or leave the line out")

    def _use(self, name: Word) -> None:
        if name.text in self._names:
            return
        if name.text == NO_QUORUM:
            message, help_text = f"`{NO_QUORUM}` is no member of a group", "leave it out"
        else:
            message = f"{quote(name.text)} is no witness or group that is defined before this line"
            help_text = suggestion(name.text, sorted(self._names))
        self.findings.error("T302", message, name.span, help=help_text)

    def _own(self, key: PublicKey, word: Word) -> bool:
        """Record a public key, and return whether this is the first line that it stands on."""
        before = self._keys.setdefault(key.spki, word)
        if before is word:
            return True
        cause = f"line {before.span.line} has it, and one key under two names would count as two"
        help_text = "ask each of them for a key of their own"
        self.findings.error("T304", "the public key stands on a second line", word.span, cause=cause, help=help_text)
        return False

    def _first(self, line: Line) -> None:
        word = line.keyword
        before = self._once.setdefault(word.text, word)
        if before is not word:
            cause = f"line {before.span.line} says it already"
            message = f"`{word.text}` stands on a second line"
            self.findings.error("T204", message, word.span, cause=cause, help="leave one of them out")

    def _count(self, line: Line) -> None:
        word = line.keyword
        self._counts[word.text] = self._counts.get(word.text, 0) + 1
        if self._counts[word.text] == MAX_LINES + 1:
            self.findings.error("T308", f"there are more than {MAX_LINES} lines with `{word.text}`", word.span)

    def _check_cosigners(self) -> None:
        """Refuse quorums that count a cosigner once for each of its keys."""
        parents = {member: group for group in self.groups for member in group.members}
        first: dict[str, Witness] = {}
        for item in self.witnesses:
            other = first.setdefault(person(item.key.name), item)
            group, of_other = parents.get(item.name), parents.get(other.name)
            if other is item or group is None or of_other is None or (group is of_other and group.needed == 1):
                continue
            cause = "whoever holds both would count as two"
            message = (
                f"the witnesses {quote(item.name)} and {quote(other.name)} are one cosigner, {quote(item.key.name)}"
            )
            help_text = f"put both into a group: `group NAME any {other.name} {item.name}`"
            self.findings.error("T307", message, self._places[item.name], cause=cause, help=help_text)
