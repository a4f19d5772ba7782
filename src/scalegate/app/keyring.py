"""The keyring: a folder of key files, and the private keys behind them.

The folder is the one of `--keys`, of SCALEGATE_KEYS, or `scalegate/keys` in the user's configuration. A private key is
opened when it is first asked to sign, and not before: looking for a key needs no passphrase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.key_file import (
    SUFFIX,
    KeyFile,
    KeyFileSigner,
    KeyKind,
    check_folder,
    open_key_file,
    read_key_file,
    write_key_file,
)
from scalegate.adapters.signers.private_key import PrivateKey, from_pem, generate, public_of, to_pem
from scalegate.adapters.signers.secret import Secrets
from scalegate.app.book import check_name, check_words
from scalegate.app.identity import check_form, check_unlike
from scalegate.app.refusal import RefusalError
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.ports import SignatureAlgorithm, Signer
from scalegate.ledger.files import write_durably
from scalegate.ledger.holders import NotAdmittedError, read_trust
from scalegate.ledger.note import NoteError, NoteKey, SignatureType, format_vkey
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.trust import Speaker, Trust, format_key_line, parse_trust
from scalegate.ledger.trust_words import MAX_SPEAKER_NAME

KEYS = "SCALEGATE_KEYS"
TRUST = "SCALEGATE_TRUST"
TRUSTS, TRUST_SUFFIX = "trusted", ".trust"
MAX_KEYS = 1_000
# What a new key in an agent or a token signs to show that it is there; no entry and no note starts so.
_PROOF = b"scalegate-key-proof/v1\n"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key of the keyring, without its private part.

    Attributes:
        name: Whose key it is, or the name in the signature lines of a note key.
        roles: Roles of its holder, sorted; none for a note key.
        kind: How the private key is kept.
        public: The public key.
        note: The key of signature lines, for a note key and only for one.
        file: Where it stands.
        is_encrypted: Whether a passphrase opens the file.
        fault: Why the key is not used; empty if it may be.
    """

    name: str
    roles: tuple[str, ...]
    kind: KeyKind
    public: PublicKey
    note: NoteKey | None
    file: Path
    is_encrypted: bool
    fault: str

    @property
    def line(self) -> str:
        """The line of a trust file that names the key; that of an ML-DSA-44 note key is a witness's."""
        if self.note is None:
            return format_key_line(Speaker(self.name, frozenset(self.roles), self.public))
        if self.note.kind is SignatureType.NOTE:
            return f"log {format_vkey(self.note)}"
        return f"witness {self.name} {format_vkey(self.note)}"


class Keyring:
    """The keys of a folder.

    Every method raises `RefusalError` for a folder or a file that is not what it should be; one broken file refuses
    the whole folder, because nobody knows whose key it was.
    """

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        """Keep the folder, which need not exist, and whom to ask for passphrases."""
        self.folder = folder
        self._secrets = secrets
        # Kept, so that nobody types a passphrase twice, and no token is tried twice with a wrong PIN.
        self._signers: dict[KeyEntry, _LazySigner] = {}

    def entries(self) -> tuple[KeyEntry, ...]:
        """Return every key, in the order of the file names."""
        with _refusals():
            try:
                names = [path for path in self.folder.iterdir() if path.suffix == SUFFIX]
            except FileNotFoundError:
                return ()
            except OSError as error:
                raise _unread(self.folder, error) from None
            check_folder(self.folder)
            if len(names) > MAX_KEYS:
                raise RefusalError("usage", "keys-many", f"`{self.folder}` has more than {MAX_KEYS} key files")
            found = tuple(_entry(path) for path in sorted(names))
        files: dict[PublicKey, Path] = {}
        for entry in found:
            other = files.setdefault(entry.public, entry.file)
            if other != entry.file:
                raise RefusalError(
                    "untrusted",
                    "key-twice",
                    f"one key stands in two files: `{other}` and `{entry.file.name}`",
                    "remove the one that is not meant",
                )
        return found

    def find(self, name: str) -> tuple[KeyEntry, ...]:
        """Return the keys of a name, note keys among them; several while one replaces another."""
        return tuple(entry for entry in self.entries() if entry.name == name)

    def signer(self, public: PublicKey) -> Signer | None:
        """Return a signer for a speaker's key, or None if it is not here. A note key is no speaker's key."""
        for entry in self.entries():
            if entry.note is None and entry.public == public:
                return self._signer(entry)
        return None

    def note_signer(self, key: NoteKey) -> Signer | None:
        """Return a signer for the key of a log or a witness, or None if it is not here."""
        for entry in self.entries():
            if entry.note == key:
                return self._signer(entry)
        return None

    def trusts(self) -> tuple[Trust, ...]:
        """Return the trust files that the logs of these keys have, and that of SCALEGATE_TRUST; none for any.

        A log that begins with another one is not one of ours, whoever wrote it where ours was.
        """
        with _refusals():
            try:
                paths = sorted((self.folder / TRUSTS).glob(f"*{TRUST_SUFFIX}"))
                if paths:
                    check_folder(self.folder)
                given = self._secrets.environ.get(TRUST, "")
                paths += [Path(given)] if given else []
                return tuple(_kept_trust(path) for path in paths)
            except OSError as error:
                raise RefusalError(
                    "usage", "trust-unread", f"a trust file beside the keys cannot be read: {error.strerror}"
                ) from error
            except DiagnosticError as error:
                raise RefusalError(
                    "untrusted", "trust-malformed", f"a trust file beside the keys is none: {error}"
                ) from error

    def keep_trust(self, trust: Trust) -> None:
        """Keep the trust file that a log of these keys gets, so that no other one is taken for it."""
        folder = self.folder / TRUSTS
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(folder / f"{trust.digest.removeprefix('sha256:')}{TRUST_SUFFIX}", trust.text.encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise RefusalError("store", "keys-unwritten", f"the trust file could not be kept: {reason}") from error

    @contextmanager
    def following(self, trust: Trust) -> Iterator[None]:
        """Let a trust file follow those that it replaces: both are kept until it is in force, and it alone then."""
        known = {item.digest for item in self.trusts()}
        if known:
            self.keep_trust(trust)
        try:
            yield
        except BaseException:
            if trust.digest not in known:
                self._drop_trust(trust.digest)
            raise
        for digest in trust.replaces:
            self._drop_trust(digest)

    def _drop_trust(self, digest: str) -> None:
        (self.folder / TRUSTS / f"{digest.removeprefix('sha256:')}{TRUST_SUFFIX}").unlink(missing_ok=True)

    def _signer(self, entry: KeyEntry) -> _LazySigner:
        return self._signers.setdefault(entry, _LazySigner(entry, self._secrets))

    def create(
        self,
        name: str,
        roles: Sequence[str],
        algorithm: SignatureAlgorithm = "ed25519",
        *,
        protected: bool = True,
        replaces: bool = False,
    ) -> KeyEntry:
        """Make a key of a speaker in a file.

        Args:
            name: Whose key it is.
            roles: At least one role of a policy, or `gate` alone.
            algorithm: What the key is for.
            protected: Whether a passphrase is asked for, which encrypts it.
            replaces: Whether the name may have a key already.
        """
        self._check(name, roles, replaces=replaces)
        with _refusals():
            private = generate(algorithm)
            pem = self._pem(name, private, protected=protected)
            return self._write(KeyFile(name, _sorted(roles), "file", public_of(private), pem=pem))

    def create_note(self, name: str, kind: SignatureType, *, protected: bool = True) -> KeyEntry:
        """Make a note key in a file.

        Args:
            name: Origin of the log, or name of the witness.
            kind: Type of its signatures.
            protected: Whether a passphrase is asked for, which encrypts it.
        """
        self._check(name, (), replaces=False)
        with _refusals():
            private = generate(kind.algorithm)
            public = public_of(private)
            try:
                note = NoteKey(name, kind, public)
            except NoteError as error:
                raise RefusalError("usage", "name-unfit", f"`{name:.80}` names no log or witness: {error}") from None
            pem = self._pem(name, private, protected=protected)
            return self._write(KeyFile(name, (), "note", public, note, pem))

    def adopt_agent(self, name: str, roles: Sequence[str], line: str, *, replaces: bool = False) -> KeyEntry:
        """Record that an ssh-agent holds a speaker's key; it has to sign something to show it.

        Args:
            name: Whose key it is.
            roles: As for `create`.
            line: The text of the key's `.pub` file.
            replaces: As for `create`.
        """
        # Deferred here and below: the gate starts without sockets, where its key is in a file.
        from scalegate.adapters.signers.ssh_agent import SshAgent, SshAgentSigner, parse_ssh_public  # noqa: PLC0415

        self._check(name, roles, replaces=replaces)
        with _refusals():
            public = parse_ssh_public(line)
            SshAgentSigner(SshAgent.of(self._secrets.environ), public).sign(_PROOF + public.spki)
            return self._write(KeyFile(name, _sorted(roles), "ssh-agent", public))

    def adopt_token(
        self, name: str, roles: Sequence[str], uri: str, module: str, *, replaces: bool = False
    ) -> KeyEntry:
        """Record that a token holds a speaker's key; it has to sign something to show it.

        Args:
            name: Whose key it is.
            roles: As for `create`.
            uri: Which key of which token (RFC 7512).
            module: Absolute path of the token's library.
            replaces: As for `create`.
        """
        from scalegate.adapters.signers.pkcs11 import Pkcs11Signer, token_key  # noqa: PLC0415

        self._check(name, roles, replaces=replaces)
        with _refusals():
            pin = self._pin(name)
            public = token_key(uri, module, pin)
            Pkcs11Signer(uri, module, public, pin).sign(_PROOF + public.spki)
            return self._write(KeyFile(name, _sorted(roles), "pkcs11", public, uri=uri, module=module))

    def _check(self, name: str, roles: Sequence[str], *, replaces: bool) -> None:
        """Refuse a name or roles that a trust file would not take, before anybody types a passphrase."""
        check_form("name", check_words("name", name, MAX_SPEAKER_NAME))
        if roles:
            for role in roles:
                check_name("role", role)
            _check_line(name, roles)
        known = {entry.name for entry in self.entries()}
        check_unlike("name", name, known)
        if name in known and not replaces:
            raise RefusalError(
                "refused",
                "key-known",
                f"there is a key of `{name:.80}` here already",
                "`scalegate keys rotate` replaces it, and keeps what it signed good",
            )

    def _pem(self, name: str, private: PrivateKey, *, protected: bool) -> str:
        """Return the text of a new private key, which was opened once: nothing else could show that it opens."""
        passphrase = self._secrets.new_passphrase(name) if protected else None
        pem = to_pem(private, passphrase)
        if from_pem(pem, passphrase).key != public_of(private):
            raise RefusalError("internal", "key-unopened", "the new private key does not open again")
        return pem

    def _pin(self, name: str) -> Callable[[], str]:
        """Return what asks for a PIN once, however often it is called."""
        known: list[str] = []

        def pin() -> str:
            if not known:
                known.append(self._secrets.pin(name))
            return known[0]

        return pin

    def _write(self, file: KeyFile) -> KeyEntry:
        try:
            return _entry(write_key_file(self.folder, file))
        except OSError as error:
            reason = error.strerror or str(error)
            raise RefusalError("store", "keys-unwritten", f"the key could not be written: {reason}") from error


class _LazySigner:
    """Opens the private key when it is first asked to sign; what goes wrong is a refusal."""

    __slots__ = ("_entry", "_opened", "_secrets")

    def __init__(self, entry: KeyEntry, secrets: Secrets) -> None:
        self._entry = entry
        self._secrets = secrets
        self._opened: Signer | None = None

    def __repr__(self) -> str:
        return f"Signer({self._entry.kind} {self.algorithm} {self._entry.public.digest})"

    @property
    def public(self) -> bytes:
        return self._entry.public.public

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._entry.public.algorithm

    def sign(self, message: bytes) -> bytes:
        with _refusals():
            if self._opened is None:
                self._opened = self._open()
            return self._opened.sign(message)

    def _open(self) -> Signer:
        # Read again: what was looked at before is not what a passphrase is given to.
        file, name = open_key_file(self._entry.file), self._entry.name
        if file.public != self._entry.public or file.note != self._entry.note:
            raise SignerError("untrusted", "key-mismatch", f"the key file of `{name}` was exchanged since it was read")
        if file.kind == "ssh-agent":
            from scalegate.adapters.signers.ssh_agent import SshAgent, SshAgentSigner  # noqa: PLC0415

            return SshAgentSigner(SshAgent.of(self._secrets.environ), file.public)
        if file.kind == "pkcs11":
            from scalegate.adapters.signers.pkcs11 import Pkcs11Signer  # noqa: PLC0415

            secret: list[str] = [self._secrets.pin(name)]
            return Pkcs11Signer(file.uri, file.module, file.public, lambda: secret[0])
        return KeyFileSigner(file, self._secrets.passphrase(name) if file.is_encrypted else None)


def _kept_trust(path: Path) -> Trust:
    """Return a trust file; one that was parsed before, as the log has it, is not parsed again."""
    data = path.read_bytes()
    try:
        return read_trust(data.decode("utf-8"))
    except (NotAdmittedError, UnicodeDecodeError):
        # Once more, for what is wrong with it and where.
        return parse_trust(data, str(path))


def keys_folder(given: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the folder of keys: the given one, that of SCALEGATE_KEYS, or the one in the user's configuration.

    Raises:
        RefusalError: if nothing names one.
    """
    if given is not None:
        return given
    if environ.get(KEYS):
        return Path(environ[KEYS])
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    # The XDG specification has relative paths ignored.
    if not base.is_absolute():
        home = environ.get("HOME", "")
        if not Path(home).is_absolute():
            raise RefusalError("usage", "keys-nowhere", "no folder of keys is named", f"--keys or {KEYS} names one")
        base = Path(home) / ".config"
    return base / "scalegate" / "keys"


def _entry(path: Path) -> KeyEntry:
    file, fault = read_key_file(path)
    return KeyEntry(
        name=file.name,
        roles=file.roles,
        kind=file.kind,
        public=file.public,
        note=file.note,
        file=path,
        is_encrypted=file.is_encrypted,
        fault=fault,
    )


def _sorted(roles: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(roles)))


def _check_line(name: str, roles: Sequence[str]) -> None:
    """Ask the reader of trust files about a name and roles, with a key that is made for this and forgotten."""
    try:
        format_key_line(Speaker(name, frozenset(roles), public_of(generate("ed25519"))))
    except DiagnosticError as error:
        first = error.diagnostics[0]
        raise RefusalError("usage", "key-unfit", first.message, first.help or first.cause) from None
    except ValueError as error:
        raise RefusalError("usage", "key-unfit", str(error)) from None


def _unread(folder: Path, error: OSError) -> RefusalError:
    return RefusalError("usage", "keys-unread", f"the folder of keys `{folder}` is not read: {error.strerror}")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what signers raise into refusals."""
    try:
        yield
    except SignerError as error:
        raise RefusalError(error.kind, error.code, error.message, error.hint) from None
    except SignatureError as error:
        raise RefusalError("usage", "algorithm-unavailable", str(error)) from None
