"""What stands in a log: its entries in one line each, one of them whole, and the trust file in force."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from scalegate.app.book import Book
from scalegate.app.places import refusal_of
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.events import Entry, Event, SubjectDeclared
from scalegate.core.quantities import show_duration
from scalegate.ledger.codec import TAGS, tag_of
from scalegate.ledger.errors import StoreError
from scalegate.ledger.holders import NotAdmittedError
from scalegate.ledger.leaf import Leaf, LeafError, read_leaf
from scalegate.ledger.merkle import leaf_hash
from scalegate.ledger.note import format_vkey
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import Trust

# Said elsewhere in the line, or too long for one.
_LEFT_OUT = frozenset({"by", "role", "text", "note", "root", "policies", "questions"})
_MOST_FIELDS = 4
_MOST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in short.

    Attributes:
        index, at, digest: as the log has it.
        kind: which event, by its tag.
        by: whom it names, or the author of what names nobody.
        role: in which role; empty where it names nobody.
        what: what it is about, in a few words.
    """

    index: int
    at: int
    digest: str
    kind: str
    by: str
    role: str
    what: str


@dataclass(frozen=True, slots=True)
class Whole:
    """An entry with everything it has.

    Attributes:
        line: the entry in short.
        leaf: its leaf.
        leaf_hash: hex of its hash in the tree.
        statement: what was signed, as text.
        signers: digests of the keys that signed, all of them in force and checked.
    """

    line: Line
    leaf: Leaf
    leaf_hash: str
    statement: str
    signers: tuple[str, ...]


def lines(book: Book, kind: str = "", since: int = 0) -> list[Line]:
    """Return the entries of a log, those of one kind, or from some index on.

    Raises:
        RefusalError: if the log cannot be read, or there is no such kind.
    """
    if kind and kind not in TAGS:
        raise RefusalError("usage", "kind-unknown", f"no entry is a `{kind:.80}`", nearest(kind, TAGS))
    standing = _standing(book)
    return [
        _line(standing, entry) for entry in standing.entries[since:] if not kind or isinstance(entry.event, TAGS[kind])
    ]


def whole(book: Book, entry: Entry) -> Whole:
    """Return an entry, with its signatures checked by the keys that were in force when it was admitted.

    Raises:
        RefusalError: if the log cannot be read, or the entry is not signed as it had to be.
    """
    standing = _standing(book)
    try:
        leaves = book.store.leaves()
    except StoreError as error:
        raise refusal_of(error) from error
    data = leaves[entry.index]
    before = Standing()
    try:
        for leaf in leaves[: entry.index]:
            before.recall(leaf)
        pairs = before.signers_of(entry.event)
        before.admit(data)
        read = read_leaf(data)
    except (NotAdmittedError, LeafError) as error:
        raise RefusalError("untrusted", "entry-false", f"entry {entry.index} is none of this log: {error}") from error
    author = before.author_of(entry.index)
    signers = next(tuple(key.digest for key in keys) for name, keys in pairs if name == author)
    statement = read.envelope.payload.decode("utf-8")
    return Whole(_line(standing, entry), read, leaf_hash(data).hex(), statement, signers)


def trust_in_force(book: Book) -> Trust:
    """Return the trust file in force.

    Raises:
        RefusalError: if the log cannot be read, or is empty.
    """
    trust = _standing(book).trust
    if trust is None:
        raise RefusalError("usage", "log-empty", "the log has no trust file yet")
    return trust


def facts_of(book: Book) -> dict[str, object]:
    """Return what the trust file in force says, and which keys are in force instead of its own.

    Raises:
        RefusalError: if the log cannot be read, or is empty.
    """
    standing, trust = _standing(book), trust_in_force(book)
    return {
        "digest": trust.digest,
        "log": trust.origin,
        "quorum": _quorum(trust),
        "fresh": show_duration(trust.fresh),
        "include": show_duration(trust.include),
        "witnesses": [f"{item.name} {item.url}".strip() for item in trust.witnesses],
        "speakers": [_speaker(standing, item.name) for item in trust.speakers],
    }


def speaker_of(book: Book, name: str) -> tuple[PublicKey, tuple[str, ...]]:
    """Return the key in force of a speaker, and his roles.

    Raises:
        RefusalError: if the trust file does not name him, or his key is revoked.
    """
    standing, speaker = _standing(book), trust_in_force(book).speaker(name)
    key = standing.key_of(name)
    if speaker is None or key is None:
        raise RefusalError("usage", "speaker-unknown", f"the trust file in force knows no key of `{name:.80}`")
    if key in standing.revoked:
        raise RefusalError("refused", "key-revoked", f"the key of `{name:.80}` is revoked, and signs nothing")
    return key, tuple(sorted(speaker.roles))


def changes(old: Trust, new: Trust) -> list[str]:
    """Return what another trust file changes, one line each: keys, roles, witnesses, quorum, and times."""
    found = [*_changed(_parts(old), _parts(new))]
    if not found:
        found = ["nothing but comments, the order of lines, or which files it replaces"]
    return found


def _parts(trust: Trust) -> dict[str, str]:
    """Return the parts of a trust file by name, each as a text that is another one where the part is."""
    parts = {
        "quorum": _quorum(trust),
        "fresh": show_duration(trust.fresh),
        "include": show_duration(trust.include),
        "URL of the log": trust.log_url or "none",
    }
    parts |= {f"key of the log {format_vkey(item)}": "" for item in trust.logs}
    parts |= {f"group {item.name}": f"{item.needed} of {', '.join(item.members)}" for item in trust.groups}
    parts |= {f"witness {item.name}": f"{format_vkey(item.key)} {item.url}".strip() for item in trust.witnesses}
    for item in trust.speakers:
        parts[f"roles of {item.name}"] = ", ".join(sorted(item.roles))
        parts[f"key of {item.name}"] = item.key.digest
        parts[f"custody of {item.name}"] = item.custody or "no evidence"
    if trust.witnesses:
        # Orders of items are drawn from what he signs.
        parts["first witness"] = trust.witnesses[0].name
    return parts


def _changed(old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before is None:
            yield f"added: {name}" + (f": {after}" if after else "")
        elif after is None:
            yield f"removed: {name}" + (f": {before}" if before else "")
        elif before != after:
            yield f"changed: {name}: {before} -> {after}"


def _quorum(trust: Trust) -> str:
    group = next((item for item in trust.groups if item.name == trust.quorum), None)
    return f"{trust.quorum} ({group.needed} of {', '.join(group.members)})" if group else trust.quorum


def _speaker(standing: Standing, name: str) -> str:
    trust = standing.trust
    speaker = trust.speaker(name) if trust is not None else None
    key = standing.key_of(name)
    if speaker is None or key is None:
        return name
    state = ", revoked" if key in standing.revoked else ", rotated" if key != speaker.key else ""
    return f"{name} ({', '.join(sorted(speaker.roles))}): {key.digest}{state}"


def _standing(book: Book) -> Standing:
    try:
        return book.store.standing()
    except StoreError as error:
        raise refusal_of(error) from error


def _line(standing: Standing, entry: Entry) -> Line:
    event = entry.event
    by = str(getattr(event, "by", "")) or standing.author_of(entry.index)
    return Line(
        entry.index, entry.at, entry.digest, tag_of(event), by, str(getattr(event, "role", "")), _summary(event)
    )


def _summary(event: Event) -> str:
    if isinstance(event, SubjectDeclared):
        return f"{event.subject.name} {_short(event.subject.digest)}"
    words = []
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name in _LEFT_OUT or not isinstance(value, str | int):
            continue
        # A denial is said; a number that nobody gave is not.
        if not value and not isinstance(value, bool):
            continue
        words.append(f"{field.name} {_short(str(value))}")
    return ", ".join(words[:_MOST_FIELDS])


def _short(text: str) -> str:
    """Return a digest by its first digits, and a long text by its beginning."""
    if text.startswith("sha256:"):
        return text[: len("sha256:") + 12]
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."
