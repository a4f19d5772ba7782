"""Statements that somebody signed elsewhere: taken into the log, with a receipt; waiting for that, they hold the gate.

The folder `inbox` of a store is for whoever may not write to the log. What lies there is admitted by the rules of the
log or not at all. Who runs the log could leave a statement lying: once it is older than `include` in the trust file,
nothing is permitted. Whoever may write the folder can take a statement out again; a signer keeps a copy, and looks.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.book import INBOX, Book
from scalegate.app.places import refusal_of
from scalegate.app.proving import prove
from scalegate.app.refusal import RefusalError
from scalegate.app.signing import beside, is_signed, leaf_in
from scalegate.core.events import Entry, History
from scalegate.core.quantities import show_duration, show_instant
from scalegate.ledger import blobs
from scalegate.ledger.errors import StoreDamagedError, StoreError
from scalegate.ledger.files import write_durably
from scalegate.ledger.holders import NotAdmittedError
from scalegate.ledger.leaf import MAX_LEAF, Leaf, LeafError, read_leaf
from scalegate.ledger.log import MAX_SKEW, Ask
from scalegate.ledger.standing import Standing

SUFFIX = ".leaf"
RECEIPT = ".receipt"
# More than this is no inbox that anybody reads.
MAX_WAITING = 10_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Included:
    """What became of one statement.

    Attributes:
        path: the file that it came in.
        digest: digest of the statement.
        by: whom it names.
        index: which entry it is; None for one that was not admitted.
        known: whether it was in the log before.
        why: why it was not admitted; empty if it was.
        receipt: the proof that it is in the log; None without one.
    """

    path: Path
    digest: str
    by: str
    index: int | None = None
    known: bool = False
    why: str = ""
    receipt: Path | None = None


def include(book: Book, paths: Sequence[Path]) -> list[Included]:
    """Take statements into the log, in the order in which their authors made them, and write a receipt beside each.

    Raises:
        RefusalError: if a file is no statement, or the log cannot be read or written.
    """
    given: dict[Path, tuple[Leaf, bytes]] = {}
    found: list[Included] = []
    try:
        for path in paths:
            try:
                given[path] = _read(path)
            except RefusalError as error:
                if not _is_waiting(book, path):
                    raise
                # Anybody can lay anything into the inbox: it keeps no statement out.
                found.append(Included(path, "", "", why=error.message))
        return [*found, *_include(book, given)]
    except StoreError as error:
        raise refusal_of(error) from error
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"a receipt cannot be written: {error.strerror}") from error


def waiting(book: Book) -> list[Path]:
    """Return the statements in the inbox.

    Raises:
        RefusalError: if it cannot be read.
    """
    try:
        return _waiting(book.store.folder)
    except OSError as error:
        raise RefusalError("store", "inbox-unreadable", f"the inbox cannot be read: {error.strerror}") from error


def put_in(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Put signed statements, with the documents beside them, into the inbox of a store, and return where they are.

    Raises:
        RefusalError: if a file is no statement, or the inbox cannot be written.
    """
    read = [(path, *_read(path)) for path in paths]
    found = []
    for path, leaf, data in read:
        place = folder / INBOX / f"{leaf.digest.removeprefix('sha256:')}{SUFFIX}"
        try:
            place.parent.mkdir(exist_ok=True)
            for copy in _documents(path, leaf, strict=False):
                beside(place).mkdir(exist_ok=True)
                blobs.put_file(beside(place), copy)
            # Last: what is read has its documents.
            write_durably(place, data)
        except OSError as error:
            raise RefusalError(
                "store", "inbox-unwritable", f"cannot write in `{place.parent}`: {error.strerror}"
            ) from error
        found.append(place)
    return found


def overdue(book: Book, history: History, now: int) -> str:
    """Return why nothing can be permitted while somebody's statement lies in the inbox; empty where nothing has to be.

    Only statements count that their authors signed for this log with keys in force, and that can still come next.
    """
    folder = book.store.folder
    try:
        paths = _waiting(folder)
        standing = book.store.standing() if paths else Standing()
    except OSError as error:
        return f"the inbox cannot be read: {error.strerror}"
    except StoreError as error:
        return str(error)
    trust = standing.trust
    if trust is None:
        return ""
    if len(paths) > MAX_WAITING:
        return f"more than {MAX_WAITING} statements lie in the inbox"
    included = {entry.digest for entry in history.entries}
    for path in paths:
        leaf = leaf_in(path)
        if leaf is None or leaf.digest in included or leaf.log != trust.origin or now - leaf.at <= trust.include:
            continue
        author = _author(standing, leaf)
        if author:
            since, limit = show_instant(leaf.at), show_duration(trust.include)
            return f"a statement that {author} signed on {since} is not in the log, and the trust file gives it {limit}"
    return ""


def _author(standing: Standing, leaf: Leaf) -> str:
    """Return who signed a leaf with the keys in force, if it can still come next; empty otherwise."""
    try:
        pairs = standing.signers_of(leaf.event)
    except NotAdmittedError:
        return ""
    return next((name for name, keys in pairs if leaf.number >= standing.number_of(name) and is_signed(leaf, keys)), "")


def _include(book: Book, given: dict[Path, tuple[Leaf, bytes]]) -> list[Included]:
    places = {entry.digest: entry.index for entry in book.store.standing().entries}
    found = {
        path: Included(path, leaf.digest, _by(leaf), places[leaf.digest], known=True)
        for path, (leaf, _) in given.items()
        if leaf.digest in places
    }
    limit = book.clock.now() + MAX_SKEW
    left = []
    for path in sorted(given.keys() - found.keys(), key=lambda path: (given[path][0].number, str(path))):
        leaf = given[path][0]
        try:
            _take_documents(book, path, leaf)
        except (RefusalError, OSError) as error:
            if not _is_waiting(book, path):
                raise
            found[path] = Included(path, leaf.digest, _by(leaf), why=f"its documents: {error}")
        else:
            left.append(path)
    # Each round admits what only another one of these statements stood in the way of.
    while left:
        asks = [Ask(given[path][0].event, given[path][0].at, leaf=given[path][1]) for path in left]
        late = [given[path][0].at > limit for path in left]
        told = iter(book.store.commit([ask for ask, is_late in zip(asks, late, strict=True) if not is_late]))
        before, left = left, []
        for path, is_late in zip(before, late, strict=True):
            leaf = given[path][0]
            answer = "it says that it was made later than it is here" if is_late else next(told)
            if isinstance(answer, Entry):
                found[path] = Included(path, leaf.digest, _by(leaf), answer.index)
            else:
                left.append(path)
                found[path] = Included(path, leaf.digest, _by(leaf), why=str(answer))
        if len(left) == len(before):
            break
    # One statement in two files is one entry.
    places = {entry.digest: entry.index for entry in book.store.standing().entries}
    for path in left:
        if found[path].digest in places:
            found[path] = Included(path, found[path].digest, found[path].by, places[found[path].digest], known=True)
    return [_with_receipt(book, found[path]) for path in given]


def _with_receipt(book: Book, item: Included) -> Included:
    if item.index is None:
        return item
    receipt = item.path.with_name(item.path.name + RECEIPT)
    write_durably(receipt, prove(book, item.index).proof)
    if _is_waiting(book, item.path):
        # It is in the log, and the receipt stays for its author.
        item.path.unlink(missing_ok=True)
        shutil.rmtree(beside(item.path), ignore_errors=True)
    return Included(item.path, item.digest, item.by, item.index, item.known, receipt=receipt)


def _is_waiting(book: Book, path: Path) -> bool:
    """Whether a file lies in the inbox, where anybody may have laid it."""
    return path.parent.absolute() == (book.store.folder / INBOX).absolute()


def _take_documents(book: Book, path: Path, leaf: Leaf) -> None:
    """Copy the documents that a statement names into the store, before it is there that names them.

    Only of a statement that its author signed: anybody can lay others into the inbox.
    """
    if _author(book.store.standing(), leaf):
        for copy in _documents(path, leaf, strict=not _is_waiting(book, path)):
            book.store.put_file(copy)


def _documents(path: Path, leaf: Leaf, *, strict: bool) -> Iterator[Path]:
    """Yield the documents beside a statement that it names, each in a folder of our own for as long as it is used.

    Whoever laid them there could exchange one for a link to any file of ours while it is looked at.

    Args:
        path: the statement.
        leaf: what it says.
        strict: refuse a link; else it is not there.

    Raises:
        RefusalError: if bytes do not have the digest that is their name, or for a link.
    """
    if not beside(path).is_dir():
        return
    with tempfile.TemporaryDirectory(prefix="scalegate-") as own:
        for number, mark in enumerate(sorted(_named(leaf))):
            copy = Path(own) / str(number)
            try:
                blobs.fetch(beside(path), mark, copy)
            except KeyError:
                continue
            except (StoreDamagedError, OSError) as error:
                if isinstance(error, OSError) and not strict:
                    copy.unlink(missing_ok=True)
                    continue
                words = f"a document of `{path}` is a link, or does not have the digest that is its name: {error}"
                raise RefusalError("untrusted", "document-other", words) from error
            yield copy
            copy.unlink()


def _named(leaf: Leaf) -> set[str]:
    return set(_DIGEST.findall(leaf.envelope.payload.decode("utf-8")))


def _waiting(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder / INBOX) as listed:
            names = [item.name for item in listed if item.name.endswith(SUFFIX) and item.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [folder / INBOX / name for name in sorted(names)]


def _read(path: Path) -> tuple[Leaf, bytes]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LEAF + 1)
        return read_leaf(data), data
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    except LeafError as error:
        raise RefusalError("malformed", "statement-malformed", f"`{path}` is no signed statement: {error}") from error


def _by(leaf: Leaf) -> str:
    return str(getattr(leaf.event, "by", ""))
