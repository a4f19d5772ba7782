"""Asks witnesses for cosignatures over HTTP (C2SP tlog-witness).

A witness, and who sits between, can refuse or delay an answer, for a stated time and not longer. They cannot pass
off anything else as a cosignature: what is returned was verified with the key of the witness and for the checkpoint
that was sent. Cosignatures travel over TLS with verified certificates, or do not leave the machine; redirections
are not followed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from scalegate.adapters.exchange import AddressError, ExchangeError, address_of, exchange
from scalegate.ledger.checkpoint import CheckpointError, parse_decimal
from scalegate.ledger.note import Note, NoteError, NoteKey, NoteSignature, parse_note, verify_note
from scalegate.ledger.witness import SIZE, format_request

TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER: Final = 1 << 16
PATH: Final = "/add-checkpoint"
_TRIES = 3

Consistency = Callable[[int], Sequence[bytes]]


class WitnessError(Exception):
    """A witness that gave no cosignature; the message names it and says why."""


class WitnessAheadError(WitnessError):
    """A witness that last cosigned a checkpoint of another size than the request started from.

    Attributes:
        size: That size. If it is the size of the checkpoint that was sent, the witness cosigned another one of it.
    """

    def __init__(self, message: str, size: int) -> None:
        """Keep the size."""
        super().__init__(message)
        self.size = size


class WitnessDisagreesError(WitnessError):
    """A witness that was shown no continuation of what it cosigned: it knows another history of the log."""


class WitnessAddress(Protocol):
    """A witness as a trust file names it."""

    @property
    def name(self) -> str:
        """Return the name in the trust file."""
        ...

    @property
    def key(self) -> NoteKey:
        """Return the key of its cosignatures."""
        ...

    @property
    def url(self) -> str:
        """Return the prefix of its submission URL."""
        ...


class WitnessClient:
    """Asks one witness. Every request has a connection of its own."""

    def __init__(self, witness: WitnessAddress, timeout: float = TIMEOUT_SECONDS) -> None:
        """Look at the address; nothing is sent.

        Args:
            witness: whom to ask.
            timeout: seconds that a request may take once there is a connection; that may take as long, twice for TLS.

        Raises:
            WitnessError: if the URL is none that cosignatures may come from.
        """
        self.name = witness.name
        self.key = witness.key
        self._timeout = timeout
        try:
            self._address = address_of(witness.url)
        except AddressError as error:
            raise WitnessError(f"the URL of the witness {witness.name} cannot be asked: {error}") from error

    def cosign(self, old_size: int, proof: Sequence[bytes], note: bytes) -> NoteSignature:
        """Return a cosignature of the checkpoint in a note, verified.

        Args:
            old_size: size of the last checkpoint that the witness cosigned, 0 if it never did.
            proof: consistency proof from there.
            note: bytes of the note, signed by the log.

        Raises:
            WitnessAheadError: if the witness is at another size.
            WitnessDisagreesError: if what it cosigned last is no beginning of this checkpoint's tree.
            WitnessError: if it refused, could not be reached in time, or answered anything else.
            WitnessRequestError: if the arguments make no request.
            NoteError: if the note is none.
        """
        text = parse_note(note).text
        status, kind, body = self._exchange(format_request(old_size, proof, note))
        if status == 409:
            raise WitnessAheadError(*self._conflict(kind, body))
        if status == 422:
            raise WitnessDisagreesError(f"{self.name} answered with status 422: it cosigned another history of the log")
        if status != 200:
            raise WitnessError(f"{self.name} refused to cosign the checkpoint, with status {status}")
        return self._cosignature(text, body)

    def _cosignature(self, text: str, body: bytes) -> NoteSignature:
        try:
            lines = parse_note(text.encode() + b"\n" + body)
            if lines.text != text:
                raise WitnessError(f"{self.name} answered with something else than signature lines")
            # Witnesses may have further keys: their lines are nobody's here.
            own = [item for item in lines.signatures if (item.name, item.key_id) == (self.key.name, self.key.key_id)]
            (signed,) = verify_note(Note(text, tuple(own)), [self.key])
        except (NoteError, CheckpointError) as error:
            raise WitnessError(f"{self.name} answered with no good cosignature: {error}") from error
        if len(own) != 1 or signed.timestamp is None:
            raise WitnessError(f"{self.name} answered with {len(own)} cosignatures, or with one that states no time")
        return own[0]

    def _conflict(self, kind: str, body: bytes) -> tuple[str, int]:
        try:
            if kind != SIZE or not body.endswith(b"\n"):
                raise ValueError("another type of content")  # noqa: TRY301
            size = parse_decimal(body[:-1].decode("ascii"))
        except ValueError as error:
            raise WitnessError(f"{self.name} answered that it is at another size, and not at which") from error
        return f"{self.name} last cosigned a checkpoint of {size} entries", size

    def _exchange(self, body: bytes) -> tuple[int, str, bytes]:
        """Return status, content type and body of the answer, or raise when the time is over."""
        headers = {"Content-Type": "application/octet-stream"}
        try:
            found = exchange(
                self._address, "POST", PATH, timeout=self._timeout, limit=MAX_ANSWER, body=body, headers=headers
            )
        except ExchangeError as error:
            raise WitnessError(f"{self.name} cannot be asked: {error}") from error
        if len(found.body) > MAX_ANSWER or found.cut:
            raise WitnessError(f"{self.name} answered with more than {MAX_ANSWER} bytes, or not with all it announced")
        return found.status, found.kind, found.body


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of asking several witnesses.

    Attributes:
        signatures: Verified cosignatures by name of the witness in the trust file, in the order of asking.
        reasons: Why there is none, for each of the others.
        ahead: Those of the others that cosigned a larger checkpoint of the log, or one of another history.
    """

    signatures: Mapping[str, NoteSignature]
    reasons: Mapping[str, str]
    ahead: frozenset[str] = frozenset()


def gather(
    clients: Iterable[WitnessClient],
    note: bytes,
    size: int,
    consistency: Consistency,
    known: Mapping[str, int] | None = None,
) -> Gathered:
    """Ask witnesses for their cosignatures, all at the same time.

    A witness that last cosigned a checkpoint of another size than was thought is asked again from that size.

    Args:
        clients: whom to ask, each once.
        note: the checkpoint, signed by the log.
        size: its size.
        consistency: returns the proof from a size above 0 and below this one; called by one thread at a time.
        known: size at which each witness is thought to be, by name; 0 for who is not named.

    Raises:
        NoteError: if the note is none.
        WitnessRequestError: if the proofs make no request.
        Exception: what `consistency` raises.
    """
    asked = tuple(clients)
    alone = threading.Lock()

    def proof(old: int) -> Sequence[bytes]:
        with alone:
            return consistency(old) if 0 < old < size else ()

    ahead: set[str] = set()

    def ask(client: WitnessClient) -> NoteSignature | str:
        old = min((known or {}).get(client.name, 0), size)
        for _ in range(_TRIES):
            try:
                return client.cosign(old, proof(old), note)
            except WitnessAheadError as error:
                if error.size > size or error.size == old:
                    ahead.add(client.name)
                if error.size > size:
                    return f"{error}, and this one has {size}: the log was cut short, or somebody was faster"
                if error.size == old:
                    return f"{error}, and it is another one than this: there are two histories of the log"
                old = error.size
            except WitnessDisagreesError as error:
                ahead.add(client.name)
                return str(error)
            except WitnessError as error:
                return str(error)
        return f"{client.name} goes from one size to the next while it is asked"

    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as pool:
        found = dict(zip((client.name for client in asked), pool.map(ask, asked), strict=True))
    return Gathered(
        {name: item for name, item in found.items() if isinstance(item, NoteSignature)},
        {name: item for name, item in found.items() if isinstance(item, str)},
        frozenset(ahead),
    )
