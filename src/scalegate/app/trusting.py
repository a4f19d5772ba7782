"""Trust files: read, adopted, and completed by keys that were rotated or revoked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scalegate.app.book import Book, Page, Speaker, check_words
from scalegate.app.refusal import RefusalError
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import Entry, History, Terms
from scalegate.core.log_events import KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger.leaf import MAX_STATEMENT
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust import Trust, parse_trust, write_key

# What an entry holds of a trust file, beside everything else.
MAX_TRUST = MAX_STATEMENT - 4_096


def read_trust(path: Path) -> Trust:
    """Return what a trust file says.

    Raises:
        RefusalError: if it cannot be read, is none, or is too long for an entry of the log.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TRUST + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    if len(data) > MAX_TRUST:
        raise RefusalError("malformed", "trust-long", f"`{path}` has more than {MAX_TRUST} bytes")
    try:
        return parse_trust(data, str(path))
    except DiagnosticError as error:
        raise RefusalError(
            "malformed", "trust-malformed", f"`{path}` is no trust file: {error}", diagnostics=error.diagnostics
        ) from error


def history_of(entries: Sequence[Entry], fault: str = "") -> History:
    """Return the history that some first entries of a log are, with what the trust file in force asked then."""
    for entry in reversed(entries):
        if isinstance(entry.event, TrustAdopted):
            trust = parse_trust(entry.event.text)
            return History(tuple(entries), fault, Terms(trust.digest, trust.needs_witnesses, trust.fresh))
    return History(tuple(entries), fault)


def adopt_trust(book: Book, trust: Trust) -> Entry:
    """Adopt a trust file in place of the one in force, which it has to name among those it replaces.

    Raises:
        RefusalError: if it does not, or is in force already.
    """

    def prepare(page: Page) -> TrustAdopted:
        if page.history.terms is not None and page.history.terms.trust == trust.digest:
            raise RefusalError("refused", "trust-adopted", "this trust file is in force already")
        return TrustAdopted(trust.digest, trust.text)

    return book.record(prepare)


def rotate(book: Book, speaker: Speaker, new: PublicKey) -> Entry:
    """Record the next key of a speaker, signed with the old one and the new one.

    Raises:
        RefusalError: if one of the private keys is not at hand, or the new one is or was somebody's.
    """
    old = _key_of(book, speaker.name)
    return book.record(lambda _: KeyRotated(write_key(old), write_key(new), speaker.name, speaker.role))


def revoke(book: Book, name: str, why: str, speaker: Speaker) -> Entry:
    """Record that the key of somebody signs nothing from here on.

    Raises:
        RefusalError: if there is no such key in force, or the speaker may not revoke it.
    """
    check_words("reason", why)
    key = _key_of(book, name)
    return book.record(lambda _: KeyRevoked(name, write_key(key), why, speaker.name, speaker.role))


def _key_of(book: Book, name: str) -> PublicKey:
    key = book.store.standing().key_of(name)
    if key is None:
        raise RefusalError("usage", "speaker-unknown", f"the trust file in force knows no key of `{name:.80}`")
    return key
