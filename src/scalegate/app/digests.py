"""Digests of models: the OpenSSF model-signing root digest of all files, each read as a stream.

It is the root that `model_signing` 1.x computes by default (`scalegate.ledger.model_signing`), so that a signature of
a model by others and our statements about it name the same thing. Whatever could make two readers see different files
is refused: links, special files, names that are not UTF-8; and whatever that tool would leave out of its root without
a word. Empty folders are not seen.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from scalegate.app.refusal import RefusalError, RefusalKind
from scalegate.ledger.dsse import MAX_ENVELOPE
from scalegate.ledger.model_signing import ModelSigningError, Resource, model_key_from_pem, root_digest, verify_model
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.sigstore import BundleError, BundleUncheckableError

CHUNK = 1 << 20
MAX_KEY = 1 << 16
# What the reference tool leaves out by default, at the top of a model only.
LEFT_OUT = frozenset({".git", ".gitattributes", ".github", ".gitignore"})


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
        mode = root.lstat().st_mode
        if stat.S_ISREG(mode):
            root.name.encode("utf-8")
            files = [(root.name, root)]
        elif stat.S_ISDIR(mode):
            files = sorted(_files(root, ""))
            for name, path in files:
                if name.split("/")[0] in refused:
                    raise _left_out(root, path)
        else:
            raise _unfit(root, "is no file and no directory")
        if not files:
            raise _unfit(root, "holds no files")
        return tuple(_hashed(name, path, progress) for name, path in files)
    except OSError as error:
        raise RefusalError("usage", "model-unreadable", f"cannot read `{error.filename}`: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise _unfit(root, "holds a name that is not UTF-8") from error


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            name.encode("utf-8")
            if entry.is_symlink():
                raise _unfit(Path(entry.path), "is a link")
            if entry.is_dir():
                yield from _files(Path(entry.path), f"{name}/")
            elif entry.is_file():
                yield name, Path(entry.path)
            else:
                raise _unfit(Path(entry.path), "is no plain file")


def _hashed(name: str, path: Path, progress: Callable[[int], object]) -> Resource:
    running = hashlib.sha256()
    # The link check and the reading are one step: a link put here in between is not followed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            running.update(chunk)
            progress(len(chunk))
    return Resource(name, "sha256", running.hexdigest())


def _unfit(path: Path, why: str) -> RefusalError:
    shown = ascii(str(path))[1:-1]
    return RefusalError(
        "refused",
        "model-unfit",
        f"`{shown:.200}` {why}",
        "a model's digest covers plain files only, so that every reader sees the same bytes",
    )


def _left_out(root: Path, path: Path) -> RefusalError:
    name = path.relative_to(root).parts[0]
    return RefusalError(
        "refused",
        "model-unfit",
        f"the model has `{name}` at its top, which tools that sign models leave out",
        f"move `{name}` out of the directory, or digest a copy without it: what no digest covers could be exchanged",
    )
