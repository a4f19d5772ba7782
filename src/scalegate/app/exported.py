"""Whether files that are about to leave are those that a permit is about."""

from __future__ import annotations

from pathlib import Path

from scalegate.app.book import Book
from scalegate.app.digests import name_model
from scalegate.app.refusal import RefusalError, nearest
from scalegate.ledger.model_signing import listing_digest, root_digest


def check_files(book: Book, name: str, files: Path) -> None:
    """Return if some files are those of a declared model: every byte, and every name where a declaration has them.

    Raises:
        RefusalError: if they are not, or the model is not declared; `refused`, so that whoever asked holds.
    """
    subjects = book.page().records.subjects
    subject = subjects.get(name)
    if subject is None:
        hint = nearest(name, subjects)
        raise RefusalError("refused", "subject-unknown", f"no subject `{name:.80}` is declared", hint)
    if subject.kind != "model":
        raise RefusalError(
            "usage", "subject-system", f"`{name}` is a system, and has no files of its own: name its weights", ""
        )
    found = name_model(files)
    if root_digest(found) != subject.digest:
        raise RefusalError(
            "refused",
            "files-other",
            f"`{files}` is not {name}: its root digest is {root_digest(found)}, and {subject.digest} was declared",
            "declare what is there with `scalegate subject add`, and have that evaluated",
        )
    listings = {item.listing for item in subjects.values() if item.digest == subject.digest and item.listing}
    if listings and listing_digest(found) not in listings:
        raise RefusalError(
            "refused", "files-renamed", f"the files in `{files}` have the contents of {name}, and other names"
        )
