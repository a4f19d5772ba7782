"""Signatures of models: OpenSSF model signing (OMS), version 1.0, and the root digest that names a model.

A model is a list of files, each with its digest. The root digest is the SHA-256 of those digests, as bytes and in the
order of the names. It is what statements about the model have as their subject.

**The root does not cover names.** A file renamed in a way that keeps the order leaves it as it was; that is the
format's, and cannot be mended here. `verify_model` compares names, and `listing_digest` covers them: whoever must tell
two such models apart records it beside the root.

**Two orders.** The specification sorts names as texts; the reference tool, which made all signatures there are, sorts
them as paths, component by component. They differ where a folder stands beside a name that continues its own, as
`tokenizer/` does beside `tokenizer.json`. `root_digest` has the order of the tool. A statement may list its files in
either; one in the other order names the same files by another root, and so matches nothing.

Statements may use SHA-256, BLAKE2b or BLAKE3. Files split into shards are refused, as are the statements of releases
before 0.3.1, which had no root. Certificates are for `sigstore.py` to refuse: they cannot be checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from scalegate.core.canonical import digest, digest_bytes
from scalegate.ledger.dsse import DsseError, Envelope, Statement, parse_statement
from scalegate.ledger.signatures import KeyFormatError, PublicKey, SignatureUnavailableError, key_from_pem
from scalegate.ledger.sigstore import (
    Bundle,
    BundleError,
    VerifyingKey,
    parse_bundle,
    verify_bundle,
    verify_ecdsa,
)

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_OLD_PREDICATE_TYPE = "https://model_signing/Digests/v0.1"
# How a statement of the reference tool calls the file of a model that is a single file.
SINGLE_FILE = "."
# Digits of a digest in hex.
_ALGORITHMS = {"sha256": 64, "blake2b": 128, "blake3": 64}
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_CURVES: dict[str, HashAlgorithm] = {"secp384r1": SHA384(), "secp521r1": SHA512()}
_SHOWN = 3


class ModelSigningError(ValueError):
    """A model or a statement about one that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class EllipticKey:
    """A P-384 or P-521 key of somebody who signs models; our own keys are `PublicKey`, and no quorum counts these.

    Attributes:
        spki: DER of the SubjectPublicKeyInfo, with the point uncompressed (RFC 5480).

    Raises:
        KeyFormatError: from the constructor, if the bytes are no such key in that one form.
        SignatureUnavailableError: from the constructor, if the installed library lacks the curve.
    """

    spki: bytes
    _key: ec.EllipticCurvePublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            key = load_der_public_key(self.spki)
        except UnsupportedAlgorithm as error:
            raise SignatureUnavailableError("the installed cryptography library lacks the curve of the key") from error
        except ValueError as error:
            raise KeyFormatError("the key is not a SubjectPublicKeyInfo") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
            raise KeyFormatError("the key is not one of P-384 or P-521")
        if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != self.spki:
            raise KeyFormatError("the key is not in the one form, with its point uncompressed")
        object.__setattr__(self, "_key", key)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if this key signed the message, with SHA-384 for P-384 and SHA-512 for P-521.

        Raises:
            SignatureRefusedError: if it did not, or the signature is not in canonical DER.
        """
        verify_ecdsa(self._key, signature, message, _CURVES[self._key.curve.name])


@dataclass(frozen=True, slots=True)
class Resource:
    """A file of a model.

    Attributes:
        name: Path from the root of the model with `/`, or `.` for a model that is a single file.
        algorithm: `sha256`, `blake2b` or `blake3`.
        digest: Digest of the file's bytes, in lower-case hex.

    Raises:
        ModelSigningError: from the constructor, for another algorithm or length, or a name that is absolute, leads
            upward, or could be written shorter.
    """

    name: str
    algorithm: str
    digest: str

    def __post_init__(self) -> None:
        if self.name != SINGLE_FILE:
            _check_path(self.name)
        length = _ALGORITHMS.get(self.algorithm)
        if length is None:
            raise ModelSigningError(f"the digest of {self.name!r:.120} is of the unknown kind {self.algorithm!r:.40}")
        if len(self.digest) != length or not _HEX.fullmatch(self.digest):
            raise ModelSigningError(f"the {self.algorithm} of {self.name!r:.120} is not {length} lower-case hex digits")


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a statement says a model is.

    Attributes:
        name: What its signer calls it; informative only.
        root: Root digest, `sha256:` and hex.
        resources: Its files, in the order that the root was taken in.
        ignored: Paths that the signer left out, with everything below them: nothing is known of what lies there.
    """

    name: str
    root: str
    resources: tuple[Resource, ...]
    ignored: tuple[str, ...] = ()


def model_key_from_pem(text: str) -> PublicKey | EllipticKey:
    """Return the key of a `PUBLIC KEY` file: one of ours, or of P-384 or P-521.

    Raises:
        KeyFormatError: for any other key or form.
        SignatureUnavailableError: if the installed library cannot verify with it.
    """
    try:
        return key_from_pem(text)
    except KeyFormatError as error:
        try:
            key = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise error from None
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
            raise
        # Whatever the library forgave in the file, text around it or a compressed point, is refused.
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        if text.replace("\r\n", "\n").rstrip("\n") != pem.rstrip("\n"):
            raise KeyFormatError("the file is not one PUBLIC KEY in its canonical PEM") from None
        return EllipticKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def root_digest(resources: Iterable[Resource]) -> str:
    """Return the root digest of a model, `sha256:` and hex, whatever order its files come in.

    Source: OMS 1.0 section 6.5.1, in the order of the reference tool. Names are not covered.

    Raises:
        ModelSigningError: if there are no files, or two of one name.
    """
    files = sorted(resources, key=_path_order)
    _check_set(files)
    return _root(files)


def listing_digest(resources: Iterable[Resource]) -> str:
    """Return a digest of a model that covers the names of its files as well, `sha256:` and hex.

    It is taken over the canonical JSON (RFC 8785) of a list of `{algorithm, digest, name}`, in the order of the root.

    Raises:
        ModelSigningError: if there are no files, or two of one name.
    """
    files = sorted(resources, key=_path_order)
    _check_set(files)
    return digest([{"algorithm": item.algorithm, "digest": item.digest, "name": item.name} for item in files])


def parse_model_statement(statement: Statement) -> ModelManifest:
    """Return what a statement says a model is. Who signed it is the question of `verify_model`.

    Raises:
        ModelSigningError: for another predicate, fields that OMS 1.0 does not have, shards, files in neither order,
            two of one name, digests of another kind than announced, or a subject that is not the root of the files.
    """
    if statement.predicate_type == _OLD_PREDICATE_TYPE:
        raise ModelSigningError("the statement is of model signing 0.2, which has no root digest: sign the model anew")
    if statement.predicate_type != PREDICATE_TYPE:
        raise ModelSigningError(
            f"the statement is of type {statement.predicate_type!r:.120}, and {PREDICATE_TYPE} signs models"
        )
    predicate = _fields(statement.predicate, "the predicate", ("resources", "serialization"), ())
    hash_type, ignored = _serialization(predicate["serialization"])
    rows = predicate["resources"]
    if not isinstance(rows, list):
        raise ModelSigningError("resources is no list")
    files = tuple(map(_resource, rows))
    _check_set(files)
    for item in files:
        if item.algorithm != hash_type:
            raise ModelSigningError(f"{item.name!r:.120} has a {item.algorithm}, and {hash_type!r:.40} is announced")
    if files not in (tuple(sorted(files, key=_path_order)), tuple(sorted(files, key=_text_order))):
        raise ModelSigningError("the files stand in no order that a root digest is taken in")
    if len(statement.subjects) != 1:
        raise ModelSigningError(f"a model is one subject, and there are {len(statement.subjects)}")
    subject = statement.subjects[0]
    root = _root(files)
    if subject.digests != (("sha256", root.removeprefix("sha256:")),):
        raise ModelSigningError(f"the subject is not the root of the files, which is {root}")
    if not subject.name:
        raise ModelSigningError("the model has no name")
    return ModelManifest(subject.name, root, files, ignored)


def parse_model_bundle(data: bytes) -> tuple[Bundle, ModelManifest]:
    """Return the bundle that is a model's signature, and what it says. Nothing is verified yet.

    Raises:
        BundleError: if it is no bundle, or not one of a statement, or one of Sigstore without an entry of its log.
        ModelSigningError: if the statement is none about a model.
    """
    bundle = parse_bundle(data)
    if not isinstance(bundle.content, Envelope):
        raise BundleError("the signature of a model is an envelope, and here an artifact was signed")
    if bundle.material == "certificate" and not bundle.log_entries:
        raise BundleError("a bundle with a certificate of Sigstore has an entry of its log, and here there is none")
    try:
        statement = parse_statement(bundle.content)
    except DsseError as error:
        raise BundleError(f"the bundle holds no statement: {error}") from error
    return bundle, parse_model_statement(statement)


def verify_model(data: bytes, key: VerifyingKey, files: Iterable[Resource]) -> ModelManifest:
    """Return what a model is, if the key signed that it is exactly these files.

    Args:
        data: The signature, a Sigstore bundle.
        key: Who has to have signed.
        files: All files that are there, hashed here and now. Those below a path that the signer left out are not
            compared; the result names these paths. A single file may have any name, as the format gives it none.

    Raises:
        BundleUncheckableError: if the bundle rests on a certificate.
        BundleError: if it is no such bundle, or the key did not sign it.
        ModelSigningError: if a file is missing, was added or has other bytes.
    """
    bundle, manifest = parse_model_bundle(data)
    verify_bundle(bundle, key)
    actual = tuple(item for item in files if not any(_is_below(item.name, path) for path in manifest.ignored))
    _check_set(actual)
    expected = {item.name: item for item in manifest.resources}
    if set(expected) == {SINGLE_FILE} and len(actual) == 1 and "/" not in actual[0].name:
        expected = {actual[0].name: Resource(actual[0].name, expected[SINGLE_FILE].algorithm, expected["."].digest)}
    _compare(expected, {item.name: item for item in actual})
    return manifest


# ---------------------------------------------------------------- parts


def _path_order(item: Resource) -> list[str]:
    return item.name.split("/")


def _text_order(item: Resource) -> str:
    return item.name


def _root(files: Sequence[Resource]) -> str:
    return digest_bytes(b"".join(bytes.fromhex(item.digest) for item in files))


def _check_set(files: Sequence[Resource]) -> None:
    if not files:
        raise ModelSigningError("a model has at least one file")
    seen: set[str] = set()
    for item in files:
        if item.name in seen:
            raise ModelSigningError(f"two files of the model are called {item.name!r:.120}")
        seen.add(item.name)
    if SINGLE_FILE in seen and len(files) > 1:
        raise ModelSigningError("a model is a single file or a folder, and this is said to be both")


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or name == "." or "\0" in name:
        raise ModelSigningError(f"{name!r:.120} is no path inside a model in its shortest form")


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}/")


def _fields(value: object, what: str, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelSigningError(f"{what} is no object")
    for name in required:
        if name not in value:
            raise ModelSigningError(f"{what} has no {name}")
    for name in value:
        if name not in required and name not in optional:
            raise ModelSigningError(f"{what} has a field {name!r:.80}, which OMS 1.0 does not know")
    return value


def _resource(row: object) -> Resource:
    # Unlike those around it, this object may have more fields (section 5.2.1).
    names = ("name", "algorithm", "digest")
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in names):
        raise ModelSigningError("a resource is an object with the texts name, algorithm and digest")
    return Resource(row["name"], row["algorithm"], row["digest"])


def _serialization(value: object) -> tuple[str, tuple[str, ...]]:
    """Return how files were hashed and which paths were left out."""
    found = _fields(value, "serialization", ("method", "hash_type", "allow_symlinks"), ("ignore_paths", "shard_size"))
    if found["method"] == "shards":
        raise ModelSigningError("the files are split into shards, and only whole files are compared here")
    if found["method"] != "files" or "shard_size" in found:
        raise ModelSigningError(f"the method of serialization is not files: {found['method']!r:.80}")
    if not isinstance(found["allow_symlinks"], bool) or not isinstance(found["hash_type"], str):
        raise ModelSigningError("serialization says whether links are allowed, and the kind of digests, as a text")
    paths = found.get("ignore_paths", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ModelSigningError("ignore_paths is no list of texts")
    for path in paths:
        _check_path(path)
    return found["hash_type"], tuple(paths)


def _compare(expected: dict[str, Resource], actual: dict[str, Resource]) -> None:
    common = expected.keys() & actual.keys()
    for name in sorted(common):
        if expected[name].algorithm != actual[name].algorithm:
            raise ModelSigningError(
                f"the model was signed with {expected[name].algorithm} digests: hash its files with that, and not with "
                f"{actual[name].algorithm}"
            )
    found = (
        ("missing", expected.keys() - common),
        ("not signed", actual.keys() - common),
        ("changed", {name for name in common if expected[name] != actual[name]}),
    )
    said = [f"{len(names)} {what} ({_some(names)})" for what, names in found if names]
    if said:
        raise ModelSigningError(f"the files are not those that were signed: {'; '.join(said)}")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    shown = ", ".join(f"{name!a:.80}" for name in ordered[:_SHOWN])
    return shown if len(ordered) <= _SHOWN else f"{shown} and others"
