"""Keys in an ssh-agent: the protocol of draft-ietf-sshm-ssh-agent over the socket that SSH_AUTH_SOCK names.

Two requests are made: which keys there are, and a signature by one of them. Whatever listens at the socket is not
believed: sizes are capped, each answer has to be the one asked for to its last byte, there is a time limit over the
whole answer, and a signature counts only once the public key verified it.

An agent signs whatever it is given. What SSH itself has signed starts with the 4-byte length of a session's
identifier or with `SSHSIG`, and what is signed here with `DSSEv1` or with the name of a log: no signature can be taken
for one of the other sort. A key that is used for nothing else is still the better one: it can be left at home.
"""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from scalegate.adapters.signers import SignerError
from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.signatures import (
    PublicKey,
    SignatureError,
    SignatureRefusedError,
    der_from_raw,
    key_from_spki,
)

SOCKET = "SSH_AUTH_SOCK"
# Asking which keys there are needs nobody; a signature may need a touch or a confirmation.
LIST_SECONDS, SIGN_SECONDS = 5.0, 60.0
# The cap of OpenSSH's own agent.
MAX_MESSAGE = 1 << 18
MAX_KEYS = 1_024

_FAILURE = 5
_REQUEST_IDENTITIES, _IDENTITIES = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_ED25519, _P256, _CURVE = b"ssh-ed25519", b"ecdsa-sha2-nistp256", b"nistp256"
_P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_LINE = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp256) ([A-Za-z0-9+/]{1,400}={0,2})(?: [^\n]*)?\n?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SshAgent:
    """An agent at a socket.

    Attributes:
        path: Path of the socket.
        list_seconds: How long the list of keys may take.
        sign_seconds: How long a signature may take.
    """

    path: str
    list_seconds: float = LIST_SECONDS
    sign_seconds: float = SIGN_SECONDS

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> SshAgent:
        """Return the agent that an environment names.

        Raises:
            SignerError: if it names none.
        """
        path = environ.get(SOCKET, "")
        if not path:
            raise SignerError(
                "usage", "agent-missing", f"{SOCKET} names no ssh-agent", "`eval $(ssh-agent)`, then `ssh-add`"
            )
        return cls(path)

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Return the keys of the agent that are of an algorithm of ours, in its order.

        Raises:
            SignerError: if it cannot be asked, or its answer is none.
        """
        kind, body = self._ask(bytes([_REQUEST_IDENTITIES]), self.list_seconds)
        if kind != _IDENTITIES:
            raise _garbled("it does not list its keys")
        reader = _Reader(body)
        count = reader.number()
        if count > MAX_KEYS:
            raise _garbled(f"it says that it has {count} keys")
        blobs = []
        for _ in range(count):
            blobs.append(reader.string())
            reader.string()
        reader.end()
        return tuple(key for key in map(_key, blobs) if key is not None)

    def sign(self, key: PublicKey, message: bytes) -> bytes:
        """Return a signature of a message by one of the agent's keys; for `ecdsa-p256` in DER.

        Raises:
            SignerError: if it cannot be asked, does not sign, or its signature is not good.
        """
        request = bytes([_SIGN_REQUEST]) + _string(_blob(key)) + _string(message) + bytes(4)
        if len(request) > MAX_MESSAGE:
            raise SignerError("refused", "agent-refused", f"an ssh-agent takes at most {MAX_MESSAGE} bytes to sign")
        kind, body = self._ask(request, self.sign_seconds)
        if kind != _SIGN_RESPONSE:
            raise SignerError(
                "refused",
                "agent-refused",
                f"the ssh-agent does not sign with the key {key.digest}",
                "`ssh-add -L` lists its keys: it may be locked, the key may have expired, or somebody declined",
            )
        reader = _Reader(body)
        signature = _signature(reader.string(), key.algorithm)
        reader.end()
        try:
            key.verify(signature, message)
        except SignatureRefusedError as error:
            raise SignerError(
                "untrusted", "agent-signature", f"the ssh-agent did not sign well: {error}", "do not use this agent"
            ) from None
        return signature

    def _ask(self, request: bytes, seconds: float) -> tuple[int, bytes]:
        """Send a request, and return the type and the body of the answer."""
        deadline = time.monotonic() + seconds
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(seconds)
                line.connect(self.path)
                line.sendall(_string(request))
                size = int.from_bytes(_receive(line, 4, deadline))
                if not 1 <= size <= MAX_MESSAGE:
                    raise _garbled(f"it announces {size} bytes")
                answer = _receive(line, size, deadline)
        except TimeoutError:
            raise SignerError(
                "refused",
                "agent-slow",
                f"the ssh-agent did not answer in {seconds:.0f} seconds",
                "it may wait for a touch or a confirmation",
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SignerError(
                "refused",
                "agent-unreached",
                f"the ssh-agent at `{self.path:.200}` cannot be asked: {reason}",
                f"{SOCKET} has to name the socket of an agent that runs: `ssh-add -l` shows whether it does",
            ) from None
        return answer[0], answer[1:]


class SshAgentSigner:
    """A `Signer` whose private key an ssh-agent holds."""

    __slots__ = ("_agent", "_key")

    def __init__(self, agent: SshAgent, key: PublicKey) -> None:
        """Keep both. Nothing is asked yet.

        Raises:
            SignerError: if agents keep no keys of the algorithm.
        """
        _blob(key)
        self._agent = agent
        self._key = key

    def __repr__(self) -> str:
        return f"SshAgentSigner({self._key.algorithm} {self._key.digest})"

    @property
    def public(self) -> bytes:
        """The public key in the encoding of its algorithm."""
        return self._key.public

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What the key is for."""
        return self._key.algorithm

    def sign(self, message: bytes) -> bytes:
        """Return a signature of the message; for `ecdsa-p256` in DER.

        Raises:
            SignerError: if the agent cannot be asked, or has not the key.
        """
        if self._key not in self._agent.public_keys():
            raise SignerError(
                "refused",
                "agent-keyless",
                f"the ssh-agent has not the key {self._key.digest}",
                "`ssh-add` the key; an agent that is locked shows none: `ssh-add -X` unlocks it",
            )
        return self._agent.sign(self._key, message)


def parse_ssh_public(text: str) -> PublicKey:
    """Return the key of a `.pub` file of OpenSSH: its type, base64, and a comment that is ignored.

    Raises:
        SignerError: for anything but one Ed25519 or P-256 key.
    """
    match = _LINE.fullmatch(text)
    if match is None:
        raise _unfit("it is not one line that starts with ssh-ed25519 or ecdsa-sha2-nistp256")
    try:
        blob = base64.b64decode(match[2], validate=True)
    except ValueError:
        raise _unfit("its key is not base64") from None
    if base64.b64encode(blob).decode() != match[2]:
        raise _unfit("its base64 is not canonical")
    key = _key(blob)
    if key is None or _blob(key) != blob or not blob.startswith(_string(match[1].encode())):
        raise _unfit("its key is none of the type that the line starts with")
    return key


def _unfit(reason: str) -> SignerError:
    return SignerError("malformed", "ssh-key-unfit", f"this is no public key of OpenSSH that can be used: {reason}")


def _garbled(reason: str) -> SignerError:
    return SignerError("untrusted", "agent-garbled", f"the ssh-agent answers what no agent would: {reason}")


# ---------------------------------------------------------------- bytes


class _Reader:
    """Reads the strings and numbers of RFC 4251 section 5."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise _garbled("it ends early")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self) -> int:
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        return self.take(self.number())

    def end(self) -> None:
        if self._at != len(self._data):
            raise _garbled("it goes on behind its end")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def _receive(line: socket.socket, size: int, deadline: float) -> bytes:
    """Return so many bytes; the time limit is over all of them, not for each."""
    data = bytearray()
    while len(data) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        part = line.recv(size - len(data))
        if not part:
            raise _garbled("it ends early")
        data += part
    return bytes(data)


def _blob(key: PublicKey) -> bytes:
    """Return a key as SSH writes it (RFC 8709 section 4, RFC 5656 section 3.1)."""
    if key.algorithm == "ed25519":
        return _string(_ED25519) + _string(key.public)
    if key.algorithm == "ecdsa-p256":
        return _string(_P256) + _string(_CURVE) + _string(key.public.removeprefix(_P256_HEAD))
    raise SignerError("usage", "agent-algorithm", f"an ssh-agent keeps no {key.algorithm} keys")


def _key(blob: bytes) -> PublicKey | None:
    """Return the key that SSH writes so; None if it is none of ours, as most keys of an agent may be."""
    try:
        reader = _Reader(blob)
        kind = reader.string()
        if kind == _ED25519:
            key = PublicKey("ed25519", reader.string())
        elif kind == _P256 and reader.string() == _CURVE:
            key = key_from_spki(_P256_HEAD + reader.string())
        else:
            return None
        reader.end()
    except (SignerError, SignatureError):
        return None
    return key


def _signature(data: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """Return a signature in our encoding (RFC 8709 section 6, RFC 5656 section 3.1.2)."""
    reader = _Reader(data)
    kind, body = reader.string(), reader.string()
    reader.end()
    if algorithm == "ed25519" and kind == _ED25519:
        return body
    if algorithm == "ecdsa-p256" and kind == _P256:
        numbers = _Reader(body)
        raw = b"".join(_scalar(numbers.string()) for _ in range(2))
        numbers.end()
        return der_from_raw(raw)
    raise _garbled("its signature is of another type than the key")


def _scalar(data: bytes) -> bytes:
    """Return a number of 32 bytes that was written as an mpint: two's complement without needless zeros."""
    value = int.from_bytes(data)
    if not 0 < value < 1 << 256 or data != value.to_bytes(value.bit_length() // 8 + 1):
        raise _garbled("a number of its signature is not in the one form")
    return value.to_bytes(32)
