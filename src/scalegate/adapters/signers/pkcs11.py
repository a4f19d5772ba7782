"""Keys in tokens and hardware modules, through PKCS#11 and the optional extra `pkcs11`.

A key is named by an RFC 7512 URI: the token by `token` or `serial`, the key in it by `object` or `id`. The URI never
holds a PIN. P-256 keys sign the SHA-256 of the message, computed here (CKM_ECDSA), Ed25519 keys the message
(CKM_EDDSA). A signature counts only once the public key verified it.

The library of a token is loaded into this process and can do what it likes: its path is part of the key file, and is
taken from nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol
from urllib.parse import unquote_to_bytes

from scalegate.adapters.signers import SignerError
from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.signatures import (
    PublicKey,
    SignatureError,
    SignatureRefusedError,
    der_from_raw,
    key_from_spki,
)

MAX_URI = 2_048
_PAIR = re.compile(r"([a-z-]{1,32})=((?:[A-Za-z0-9._~:\[\]@!$'()*+,=&/-]|%[0-9A-Fa-f]{2})+)", re.ASCII)
_NAMES = frozenset({"token", "serial", "object", "id", "type"})
_P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_P256_POINT, _ED25519_POINT = 65, 32
_WRONG = "pin-wrong"
# A login holds for the whole process and not for one session: one at a time.
_LOGIN = threading.Lock()


class _Key(Protocol):
    """What is used of a key in a token."""

    def sign(self, data: bytes, *, mechanism: object) -> bytes: ...

    def __getitem__(self, attribute: object) -> bytes: ...


class _Session(Protocol):
    """What is used of a session with a token."""

    def get_objects(self, attributes: dict[object, object]) -> Iterator[_Key]: ...


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Which key of which token; an attribute that is empty is not asked for.

    Attributes:
        token: Label of the token.
        serial: Serial number of the token.
        label: Label of the key (`object`).
        id: Identifier of the key.
    """

    token: str
    serial: str
    label: str
    id: bytes


def parse_uri(text: str) -> TokenUri:
    """Return what an RFC 7512 URI asks for.

    Raises:
        SignerError: for another form, an attribute that is not known here, a PIN in it, or one that names no token
            or no key.
    """
    if len(text) > MAX_URI or not text.startswith("pkcs11:"):
        raise _unfit(f"it does not start with pkcs11:, or has more than {MAX_URI} characters")
    if "?" in text:
        raise _unfit(
            "it has a query, as `pin-value` and `module-path` are",
            "the PIN is asked for, and --module names the library",
        )
    found: dict[str, bytes] = {}
    for part in text.removeprefix("pkcs11:").split(";"):
        match = _PAIR.fullmatch(part)
        if match is None or match[1] not in _NAMES or match[1] in found:
            raise _unfit("one of its parts is not `attribute=value` with an attribute that is known here, once")
        found[match[1]] = unquote_to_bytes(match[2])
    if found.pop("type", b"private") != b"private":
        raise _unfit("its type is not `private`")
    try:
        words = {name: value.decode() for name, value in found.items() if name != "id"}
    except UnicodeDecodeError:
        raise _unfit("one of its values is not UTF-8") from None
    if not (words.get("token") or words.get("serial")) or not (words.get("object") or found.get("id")):
        raise _unfit("it names no token or no key", "for example `pkcs11:token=lab;object=ada`")
    return TokenUri(words.get("token", ""), words.get("serial", ""), words.get("object", ""), found.get("id", b""))


class Pkcs11Signer:
    """A `Signer` whose private key a token holds; the token is opened for each signature."""

    __slots__ = ("_key", "_module", "_pin", "_refused", "_uri")

    def __init__(self, uri: str, module: str, key: PublicKey, pin: Callable[[], str]) -> None:
        """Keep what to ask for. Neither the library nor the token is opened yet.

        Raises:
            SignerError: if the URI is none, or tokens keep no keys of the algorithm.
        """
        self._uri = parse_uri(uri)
        self._module = module
        self._key = key
        self._pin = pin
        self._refused = False
        if key.algorithm == "ml-dsa-44":
            raise SignerError("usage", "token-algorithm", "keys of ML-DSA-44 are not asked of a token here")

    def __repr__(self) -> str:
        return f"Pkcs11Signer({self._key.algorithm} {self._key.digest})"

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
            SignerError: if the token cannot be opened, has not the key, or its signature is not good.
        """
        if self._refused:
            # Tokens lock after a few wrong PINs.
            raise SignerError("refused", _WRONG, "the token refused this PIN before; it is not tried again")
        try:
            signature = self._sign(message)
        except SignerError as error:
            self._refused = error.code == _WRONG
            raise
        try:
            if self._key.algorithm == "ecdsa-p256":
                signature = der_from_raw(signature)
            self._key.verify(signature, message)
        except SignatureRefusedError as error:
            raise SignerError(
                "untrusted",
                "token-signature",
                f"the token did not sign well: {error}",
                "its private key may be another one than that of the key file",
            ) from None
        return signature

    def _sign(self, message: bytes) -> bytes:
        library = _library()
        with _opened(self._module, self._uri, self._pin) as session:
            private = _one(session, self._uri, library.ObjectClass.PRIVATE_KEY)
            if self._key.algorithm == "ed25519":
                return bytes(private.sign(message, mechanism=library.Mechanism.EDDSA))
            return bytes(private.sign(hashlib.sha256(message).digest(), mechanism=library.Mechanism.ECDSA))


def token_key(uri: str, module: str, pin: Callable[[], str]) -> PublicKey:
    """Return the public key that a token has under a URI.

    Raises:
        SignerError: if the token cannot be opened, has not one such key, or it is none of ours.
    """
    library = _library()
    asked = parse_uri(uri)
    with _opened(module, asked, pin) as session:
        public = _one(session, asked, library.ObjectClass.PUBLIC_KEY)
        point = bytes(public[library.Attribute.EC_POINT])
    # PKCS#11 2.40 wraps the point in a DER OCTET STRING; some tokens hand out the point itself.
    if point[:2] in {bytes([4, _P256_POINT]), bytes([4, _ED25519_POINT])} and len(point) == point[1] + 2:
        point = point[2:]
    try:
        return PublicKey("ed25519", point) if len(point) == _ED25519_POINT else key_from_spki(_P256_HEAD + point)
    except SignatureError as error:
        raise SignerError("malformed", "token-key-unfit", f"the key of the token cannot be used: {error}") from None


@contextmanager
def _opened(module: str, uri: TokenUri, pin: Callable[[], str]) -> Iterator[_Session]:
    """Open a session with a token, and end it."""
    library = _library()
    if not Path(module).is_absolute() or not Path(module).is_file():
        raise SignerError(
            "usage", "module-missing", f"there is no library `{module:.200}`", "name it by its whole path"
        )
    _require_own(Path(module))
    secret = pin()
    with _LOGIN:
        try:
            token = library.lib(module).get_token(
                token_label=uri.token or None, token_serial=uri.serial.encode() or None
            )
            with token.open(user_pin=secret) as session:
                yield session
        except (library.PinIncorrect, library.PinInvalid, library.PinLenRange):
            raise SignerError(
                "refused", _WRONG, "the token refuses the PIN", "it was tried once; tokens lock after a few tries"
            ) from None
        except library.PinLocked:
            raise SignerError(
                "refused", "pin-locked", "the token is locked", "its security officer can unlock it"
            ) from None
        except (library.PKCS11Error, RuntimeError, OSError) as error:
            # The library names most faults by their class alone.
            reason = str(error) or type(error).__name__
            raise SignerError(
                "refused",
                "token-refused",
                f"the token does not do it: {reason:.200}",
                "is it there, and the URI right?",
            ) from None


def _require_own(module: Path) -> None:
    """Refuse a library that somebody else may exchange or change: it runs in this process, and is given the PIN."""
    try:
        place = module.resolve(strict=True)
        about = place.stat()
        # In a folder with the sticky bit others can add files, and exchange none.
        open_to_all = any(
            mode & stat.S_IWOTH and not mode & stat.S_ISVTX for mode in (each.stat().st_mode for each in place.parents)
        )
    except (OSError, RuntimeError):
        raise SignerError("usage", "module-missing", f"the library `{module!s:.200}` cannot be read") from None
    if about.st_uid not in (0, os.geteuid()) or about.st_mode & 0o022 or open_to_all:
        raise SignerError(
            "untrusted",
            "module-exposed",
            f"others may change the library `{module!s:.200}`, or a folder that it is in",
            "root or you must own it, and nobody else may write it: `chmod go-w`",
        )


def _one(session: _Session, uri: TokenUri, of: object) -> _Key:
    """Return the one key of a class that a URI names."""
    library = _library()
    wanted: dict[object, object] = {library.Attribute.CLASS: of}
    if uri.label:
        wanted[library.Attribute.LABEL] = uri.label
    if uri.id:
        wanted[library.Attribute.ID] = uri.id
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        what = "public" if of == library.ObjectClass.PUBLIC_KEY else "private"
        raise SignerError(
            "refused",
            "token-keyless",
            f"the token has {len(found) or 'no'} {what} keys of this URI, and one is wanted",
            "name the key by `object` and `id`",
        )
    return found[0]


def _library() -> ModuleType:
    """Return the Python library that speaks PKCS#11."""
    try:
        return import_module("pkcs11")
    except ImportError:
        raise SignerError(
            "usage", "pkcs11-missing", "keys in tokens need the extra `pkcs11`", "`pip install 'scalegate[pkcs11]'`"
        ) from None


def _unfit(reason: str, hint: str = "") -> SignerError:
    return SignerError("usage", "uri-unfit", f"the URI of the key cannot be used: {reason}", hint)
