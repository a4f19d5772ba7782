"""Keeping policies: adopt, amend, withdraw, and fill holes."""

from __future__ import annotations

from pathlib import Path

from scalegate.app.bindings import adopted, check_speaker, find_policy, texts
from scalegate.app.book import Book, Page, Speaker, check_words
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.canonical import canonical_bytes
from scalegate.core.diagnostic import Diagnostic, DiagnosticError
from scalegate.core.events import (
    Entry,
    HoleFilled,
    PolicyAdopted,
    PolicyWithdrawn,
    fill_matter,
    matter_topic,
)
from scalegate.core.kernel import Kernel
from scalegate.ledger.leaf import MAX_STATEMENT
from scalegate.policy import check, load

MAX_POLICY = 1 << 20
# An adopted text stands in its entry, whole; the rest of the entry takes little.
MAX_ADOPTED = MAX_STATEMENT - 4_096


def read_policy(path: Path) -> str:
    """Return the text of a policy file.

    Raises:
        RefusalError: if it cannot be read, is too long, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    if len(data) > MAX_POLICY:
        raise RefusalError("malformed", "policy-long", f"`{path}` has more than {MAX_POLICY} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusalError("malformed", "policy-not-text", f"`{path}` is not UTF-8 at byte {error.start}") from error


def parse(text: str, file: str, fills: dict[str, str] | None = None) -> Kernel:
    """Return the kernel of a policy text.

    Raises:
        RefusalError: if it does not parse, with every finding.
    """
    try:
        return load(text, file, fills)
    except DiagnosticError as error:
        raise RefusalError(
            "malformed",
            "policy-malformed",
            f"`{file}` is not a policy: {error}",
            "`scalegate policy check FILE` shows every finding",
            error.diagnostics,
        ) from error


def _check_length(text: str, file: str) -> None:
    size = len(canonical_bytes(text))
    if size > MAX_ADOPTED:
        raise RefusalError(
            "malformed",
            "policy-long",
            f"`{file}` takes {size} bytes in an entry, and {MAX_ADOPTED} is the limit",
        )


def findings(path: Path) -> tuple[Diagnostic, ...]:
    """Return everything that is wrong with a policy file, or worth a warning.

    Raises:
        RefusalError: if it cannot be read.
    """
    return check(read_policy(path), str(path))


def adopt(book: Book, path: Path, speaker: Speaker) -> Entry:
    """Adopt a policy: from its effective date it binds.

    Raises:
        RefusalError: if the file is no policy, only a reference, or its id is adopted already.
    """
    text = read_policy(path)
    _check_length(text, str(path))
    kernel = parse(text, str(path))
    if kernel.kind == "reference":
        raise RefusalError(
            "refused",
            "policy-reference",
            f"`{kernel.id}` is an encoding for reference, which never binds",
        )

    def prepare(page: Page) -> PolicyAdopted:
        if texts(page) and speaker.role not in kernel.roles:
            check_speaker(page, speaker)
        else:
            # Whoever lays a regime on top speaks in a role that nobody had before.
            _check_own_role(kernel, speaker)
        if kernel.id in texts(page):
            raise RefusalError(
                "refused",
                "policy-adopted",
                f"policy `{kernel.id}` is adopted already",
                "`scalegate policy amend FILE` replaces its text",
            )
        return PolicyAdopted(kernel.id, kernel.digest, text, "", kernel.effective, speaker.name, speaker.role)

    return book.record(prepare)


def _check_own_role(kernel: Kernel, speaker: Speaker) -> None:
    """Check the first speaker of a store against the policy that they adopt."""
    known = {"developer", *kernel.roles}
    check_words("name behind --by", speaker.name)
    if speaker.role not in known:
        raise RefusalError(
            "usage",
            "role-unknown",
            f"policy `{kernel.id}` has no role `{speaker.role:.80}`",
            nearest(speaker.role, known),
        )


def amend(book: Book, path: Path, speaker: Speaker) -> tuple[Entry, str]:
    """Offer an amendment of an adopted policy; returns the entry and the topic of its approvals.

    The gate decides whether and when it takes effect: it may need approvals and notice, and one that
    permits what was held is refused while it would free a held subject.

    Raises:
        RefusalError: if the file is no policy, its id is not adopted, or nothing changed.
    """
    text = read_policy(path)
    _check_length(text, str(path))
    kernel = parse(text, str(path))

    def prepare(page: Page) -> PolicyAdopted:
        check_speaker(page, speaker)
        known = texts(page)
        if kernel.id not in adopted(page):
            raise RefusalError(
                "usage",
                "policy-unknown",
                f"no policy `{kernel.id}` is adopted",
                nearest(kernel.id, known),
            )
        if known[kernel.id].digest == kernel.digest:
            raise RefusalError("refused", "policy-unchanged", "the text is the adopted one")
        notice = adopted(page)[kernel.id].amendments.notice
        return PolicyAdopted(
            kernel.id,
            kernel.digest,
            text,
            known[kernel.id].digest,
            max(kernel.effective, page.now + notice),
            speaker.name,
            speaker.role,
        )

    return book.record(prepare), matter_topic(kernel.id, f"amendment:{kernel.digest}")


def withdraw(book: Book, policy: str, speaker: Speaker) -> Entry:
    """Record the withdrawal of a policy; the gate decides whether it counts.

    Raises:
        RefusalError: if no such policy is adopted.
    """

    def prepare(page: Page) -> PolicyWithdrawn:
        check_speaker(page, speaker)
        return PolicyWithdrawn(find_policy(page, policy).id, speaker.name, speaker.role)

    return book.record(prepare)


def fill(book: Book, policy: str, hole: str, condition: str, expires: int, speaker: Speaker) -> tuple[Entry, str]:
    """Put a condition in the place of a hole; returns the entry and the topic of its approvals.

    Raises:
        RefusalError: if there is no such hole, or the condition does not parse in its place.
    """

    def prepare(page: Page) -> HoleFilled:
        check_speaker(page, speaker)
        kernel = find_policy(page, policy)
        if hole not in kernel.holes:
            raise RefusalError(
                "usage",
                "hole-unknown",
                f"policy `{kernel.id}` has no hole `{hole:.80}`",
                nearest(hole, kernel.holes),
            )
        if expires <= page.now:
            raise RefusalError("usage", "expiry-past", "a fill must expire in the future")
        text = texts(page)[kernel.id].text
        parse(text, f"<{kernel.id}>", {hole: condition})
        return HoleFilled(kernel.id, hole, condition, expires, speaker.name, speaker.role)

    entry = book.record(prepare)
    name = entry.event.policy if isinstance(entry.event, HoleFilled) else policy
    return entry, matter_topic(name, fill_matter(hole, condition, expires))
