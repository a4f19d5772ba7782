"""Key files: one text file for each private key, or for where it is kept.

A file is `scalegate-key/v1`, then `name:`, `roles:`, `kind:` and `public:`, each on a line of its own; a note key has
no roles, and a `type:` behind its kind. An empty line follows, and then what is behind the key: PKCS#8 in PEM for the
kinds `file` and `note`, the lines `uri:` and `module:` for `pkcs11`, and nothing, not even the empty line, for
`ssh-agent`. There is one text for each key: a file is what writing its parts again would give.

Private keys are only taken from files that nobody else may read or write. Others may know everything in a file of the
other kinds; but whoever writes it chooses a program that is loaded, so that the same rule holds for all.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.private_key import PEM, PrivateKeySigner, from_pem, is_encrypted
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.files import sync_folder
from scalegate.ledger.note import NoteError, NoteKey, SignatureType
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.trust import Speaker, format_key_line
from scalegate.ledger.trust_words import write_key

KeyKind: TypeAlias = Literal["file", "ssh-agent", "pkcs11", "note"]

VERSION = "scalegate-key/v1"
SUFFIX = ".key"
MAX_FILE = 1 << 14
_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)
_ALGORITHMS: tuple[SignatureAlgorithm, ...] = get_args(SignatureAlgorithm)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_LINE = re.compile(r"([a-z]+): ([^\n]+)")
_BODY = re.compile(r"uri: ([^\n]+)\nmodule: ([^\n]+)\n")
_SLUG = re.compile(r"[^a-z0-9]+")
_REPAIR = "`scalegate keys new` makes such files; they are not meant to be edited"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file says. `repr` leaves the private key out.

    Attributes:
        name: Whose key it is: a name of the trust file, or the origin or name in signature lines of notes.
        roles: Roles of the key's holder, sorted; none for a note key.
        kind: How the private key is kept; `note` is a file, too.
        public: The public key.
        note: The key of signature lines, for a note key and only for one.
        pem: The private key as PKCS#8, for the kinds `file` and `note`.
        uri: Which key of which token (RFC 7512), for the kind `pkcs11`.
        module: Absolute path of the token's library, for the kind `pkcs11`.
    """

    name: str
    roles: tuple[str, ...]
    kind: KeyKind
    public: PublicKey
    note: NoteKey | None = None
    pem: str = field(default="", repr=False)
    uri: str = ""
    module: str = ""

    @property
    def is_encrypted(self) -> bool:
        """Whether a passphrase opens the private key."""
        return is_encrypted(self.pem)


class KeyFileSigner(PrivateKeySigner):
    """A `Signer` with the private key of a file."""

    __slots__ = ()

    def __init__(self, file: KeyFile, passphrase: bytes | None) -> None:
        """Open the private key.

        Raises:
            SignerError: if the passphrase is another one, or the private key belongs to another public key than the
                file says.
        """
        opened = from_pem(file.pem, passphrase)
        if opened.key != file.public:
            raise SignerError(
                "untrusted",
                "key-mismatch",
                f"the private key in the file of `{file.name}` is not that of the public key beside it",
                "somebody changed the file: restore it from a copy, or make a new key and revoke this one",
            )
        super().__init__(opened.private)


# ---------------------------------------------------------------- text


def format_key_file(file: KeyFile) -> str:
    """Return the text of a key file."""
    lines = [VERSION, f"name: {file.name}"]
    if file.note is None:
        lines.append(f"roles: {','.join(file.roles)}")
    lines.append(f"kind: {file.kind}")
    if file.note is not None:
        lines.append(f"type: {file.note.kind:02x}")
    lines.append(f"public: {write_key(file.public)}")
    body = f"\n{file.pem}" if file.pem else ""
    if file.kind == "pkcs11":
        body = f"\nuri: {file.uri}\nmodule: {file.module}\n"
    return "\n".join(lines) + "\n" + body


def parse_key_file(data: bytes) -> KeyFile:
    """Return what the bytes of a key file say. The private key is not opened.

    Raises:
        SignerError: for anything but the one text of a key; the message never quotes the private key.
    """
    if len(data) > MAX_FILE:
        raise _malformed(f"it has more than {MAX_FILE} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None
    head, _, body = text.partition("\n\n")
    found = _fields(head.removesuffix("\n"))
    kind = found.get("kind", "")
    if kind not in _KINDS:
        raise _malformed(f"its kind is none of {', '.join(_KINDS)}")
    wanted = ["name", "kind", "type", "public"] if kind == "note" else ["name", "roles", "kind", "public"]
    if list(found) != wanted:
        raise _malformed(f"a key of the kind {kind} has the lines {', '.join(wanted)}, in this order")
    public = _public(found["public"])
    note = _note(found, public) if kind == "note" else None
    uri, module = _token(body) if kind == "pkcs11" else ("", "")
    pem = body if kind in {"file", "note"} else ""
    if kind in {"file", "note"} and PEM.fullmatch(body) is None:
        raise _malformed("behind the empty line stands no private key as PKCS#8 in PEM")
    file = KeyFile(
        name=found["name"],
        roles=tuple(found["roles"].split(",")) if "roles" in found else (),
        kind=kind,
        public=public,
        note=note,
        pem=pem,
        uri=uri,
        module=module,
    )
    check_key_file(file)
    if format_key_file(file) != text:
        raise _malformed("it is not written the one way")
    return file


def check_key_file(file: KeyFile) -> None:
    """Return if the parts of a key file go together.

    Raises:
        SignerError: for a name or a role that a trust file would not take, or a path of a library that is relative.
    """
    if file.note is None:
        try:
            format_key_line(Speaker(file.name, frozenset(file.roles), file.public))
        except (DiagnosticError, ValueError) as error:
            raise _malformed(f"a trust file would not take its name and roles: {error}") from None
        if list(file.roles) != sorted(set(file.roles)):
            raise _malformed("its roles are not sorted")
    elif not file.name.isprintable():
        raise _malformed("its name has characters that are not drawn")
    if file.kind == "pkcs11" and not (file.module.isprintable() and Path(file.module).is_absolute()):
        raise _malformed("its module is not the absolute path of a library")


def _fields(head: str) -> dict[str, str]:
    first, *lines = head.split("\n")
    if first != VERSION:
        raise _malformed(f"its first line is not `{VERSION}`")
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found:
            raise _malformed(f"line {number} is not `word: value`, or its word was there before")
        found[match[1]] = match[2]
    return found


def _public(text: str) -> PublicKey:
    algorithm, _, body = text.partition(":")
    if algorithm not in _ALGORITHMS:
        raise _malformed(f"the algorithm of its public key is none of {', '.join(_ALGORITHMS)}")
    try:
        return PublicKey(algorithm, decode_base64(body))
    except SignatureError as error:
        raise _malformed(f"its public key cannot be used: {error}") from None
    except ValueError:
        raise _malformed("its public key is not canonical base64") from None


def _note(found: dict[str, str], public: PublicKey) -> NoteKey:
    kinds = {f"{kind:02x}": kind for kind in SignatureType}
    kind = kinds.get(found["type"])
    if kind is None:
        raise _malformed(f"its type is none of {', '.join(kinds)}")
    try:
        return NoteKey(found["name"], kind, public)
    except NoteError as error:
        raise _malformed(f"there is no such note key: {error}") from None


def _token(body: str) -> tuple[str, str]:
    match = _BODY.fullmatch(body)
    if match is None:
        raise _malformed("behind the empty line do not stand the lines uri and module")
    return match[1], match[2]


def _malformed(reason: str) -> SignerError:
    return SignerError("malformed", "key-file-malformed", f"this is no key file: {reason}", _REPAIR)


# ---------------------------------------------------------------- files


def read_key_file(path: Path) -> tuple[KeyFile, str]:
    """Return what a key file says, and why its key may not be used; an empty text if it may.

    Raises:
        SignerError: if the file is a link, cannot be read, or is no key file.
    """
    try:
        # Without waiting for somebody to write into a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror or str(error)
        raise SignerError(
            "untrusted" if path.is_symlink() else "refused",
            "key-file-unread",
            f"the key file `{path}` is not read: {reason}",
            "put the file itself there" if path.is_symlink() else "",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise SignerError("untrusted", "key-file-unread", f"the key file `{path}` is not a regular file")
        data = file.read(MAX_FILE + 1)
    try:
        return parse_key_file(data), _exposure(about, _OTHERS)
    except SignerError as error:
        raise SignerError(error.kind, error.code, f"in `{path}`: {error.message}", error.hint) from None


def open_key_file(path: Path) -> KeyFile:
    """Return what a key file says, if its key may be used.

    Raises:
        SignerError: if it may not, because others can read or write the file or exchange it, or as `read_key_file`.
    """
    check_folder(path.parent)
    file, fault = read_key_file(path)
    if fault:
        raise SignerError(
            "untrusted",
            "key-exposed",
            f"the key file `{path}` is not used: {fault}",
            f"`chmod 600 '{path}'`; revoke the key if somebody may have read it",
        )
    return file


def check_folder(folder: Path) -> None:
    """Return if nobody else can exchange the files in a folder.

    Raises:
        SignerError: if somebody can, or there is no such folder.
    """
    try:
        about = folder.stat()
    except OSError as error:
        raise SignerError("usage", "keys-missing", f"there is no folder `{folder}`: {error.strerror}") from None
    fault = _exposure(about, _OTHERS_WRITE) if stat.S_ISDIR(about.st_mode) else "it is no folder"
    if fault:
        raise SignerError(
            "untrusted",
            "keys-exposed",
            f"the folder of keys `{folder}` is not used: {fault}",
            f"`chmod 700 '{folder}'`, and look at who put keys there",
        )


def write_key_file(folder: Path, file: KeyFile) -> Path:
    """Write a key file durably under a name of its own, and return its path. Nothing is ever overwritten.

    Raises:
        SignerError: if the parts do not go together, the folder is not fit for keys, or there is such a file.
        OSError: if it cannot be written.
    """
    check_key_file(file)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_folder(folder)
    path = folder / f"{_slug(file)}{SUFFIX}"
    # Another extension, so that nobody takes for a key what a crash left.
    draft = folder / f".{path.stem}.{os.urandom(6).hex()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(format_key_file(file).encode())
            stream.flush()
            os.fsync(descriptor)
        # A second name, which fails where a file has it already; a rename would replace that file.
        path.hardlink_to(draft)
    except FileExistsError:
        raise SignerError("refused", "key-exists", f"there is a key file `{path}` already") from None
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def _slug(file: KeyFile) -> str:
    """Return a file name: what can be read of the key's name, and the start of its digest."""
    words = _SLUG.sub("-", file.name.casefold()).strip("-")[:60].strip("-")
    return f"{words or 'key'}-{file.public.digest.removeprefix('sha256:')[:8]}"


def _exposure(about: os.stat_result, forbidden: int) -> str:
    """Return why others may know or change what is there; an empty text if they do not."""
    if about.st_uid != os.geteuid():
        return "it belongs to another user"
    if about.st_mode & forbidden & _OTHERS_WRITE:
        return "others may write it"
    if about.st_mode & forbidden:
        return "others may read it"
    return ""
