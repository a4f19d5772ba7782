"""Digests of models: the OpenSSF model-signing root digest of all files, each read as a stream.

It is the root that `model_signing` 1.x computes by default (`scalegate.ledger.model_signing`), so that a signature of
a model by others and our statements about it name the same thing. Whatever could make two readers see different files
is refused: links, special files, names that are not UTF-8; and whatever that tool would leave out of its root without
a word. Empty folders are not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.ledger.dsse import MAX_ENVELOPE
from scalegate.ledger.model_files import LEFT_OUT, ModelFilesError, read_files
from scalegate.ledger.model_signing import ModelSigningError, Resource, model_key_from_pem, root_digest, verify_model
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.sigstore import BundleError, BundleUncheckableError

MAX_KEY = 1 << 16


def digest_model(root: Path, progress: Callable[[int], object] = lambda _: None) -> str:
    """Return the root digest of a model, `sha256:` and hex. It covers every byte below `root`, and no file names.

    Args:
        root: a directory, or a single file, which has the root of a directory that holds only that file.
        progress: called with the number of bytes of each chunk read.

    Raises:
        RefusalError: if a file cannot be read, something in the directory is no plain file, or there is a `.git`,
            `.github`, `.gitattributes` or `.gitignore` at its top, which the root of others would not cover.
    """
    return root_digest(name_model(root, progress))


def name_model(root: Path, progress: Callable[[int], object] = lambda _: None) -> tuple[Resource, ...]:
    """Return all files of a model whose root digest may be taken; refused is what `digest_model` refuses.

    Args:
        root: a directory, or a single file.
        progress: called with the number of bytes of each chunk read.

    Raises:
        RefusalError: as `digest_model` does.
    """
    return _read(root, progress, LEFT_OUT)


def list_model(root: Path, progress: Callable[[int], object] = lambda _: None) -> tuple[Resource, ...]:
    """Return all files of a model with their SHA-256, to compare with what somebody signed. Nothing is left out.

    Args:
        root: a directory, or a single file, which is listed by its own name.
        progress: called with the number of bytes of each chunk read.

    Raises:
        RefusalError: if a file cannot be read, or something in the directory is no plain file.
    """
    return _read(root, progress, frozenset())


def check_signed(files: tuple[Resource, ...], signature: Path, key: Path) -> None:
    """Return if somebody signed that a model is exactly these files, none of them left out.

    Args:
        files: all files of the model.
        signature: an OpenSSF model signature, as a Sigstore bundle.
        key: PEM of the public key that has to have signed.

    Raises:
        RefusalError: if a file cannot be read, is none, or the signature is not by that key or not of these files.
    """
    try:
        signer = model_key_from_pem(_small(key, MAX_KEY).decode())
    except (SignatureError, UnicodeDecodeError) as error:
        raise RefusalError(
            "malformed", "key-malformed", f"`{key}` is no public key that signs models: {error}"
        ) from error
    try:
        manifest = verify_model(_small(signature, MAX_ENVELOPE), signer, files)
    except (BundleError, ModelSigningError) as error:
        kind: RefusalKind = "inconclusive" if isinstance(error, BundleUncheckableError) else "untrusted"
        raise RefusalError(kind, "model-unsigned", f"the signature of the model does not hold: {error}") from error
    if root_digest(manifest.resources) != root_digest(files):
        left = ", ".join(f"{path!a:.80}" for path in manifest.ignored[:3])
        raise RefusalError(
            "untrusted",
            "model-unsigned",
            f"the signature leaves out files that are there, below {left}",
            "move them out of the directory: what nobody signed is no part of the model",
        )


def _small(path: Path, limit: int) -> bytes:
    """Return the bytes of a file, one more than the limit of one that is too long."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error


def _read(root: Path, progress: Callable[[int], object], refused: frozenset[str]) -> tuple[Resource, ...]:
    try:
        return read_files(root, lambda _, chunk: progress(len(chunk)), refused)
    except ModelFilesError as error:
        if not error.readable:
            raise RefusalError("usage", "model-unreadable", error.message) from error
        raise RefusalError("refused", "model-unfit", error.message, error.hint) from error
