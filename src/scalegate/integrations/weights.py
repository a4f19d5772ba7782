"""Weights in memory and weights in files: whether they are the same, bit by bit (extra `torch`).

A checkpoint is read once. The bytes that its digest covers are the bytes that the tensors are compared with, so that
nobody can exchange files between the two.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import safetensors.torch
import torch

from scalegate.enforce.permit import PermitError
from scalegate.integrations.keeper import Files
from scalegate.ledger.model_files import ModelFilesError, read_files
from scalegate.ledger.model_signing import listing_digest, root_digest

# What trainers keep beside the weights, in the same kind of file.
_BESIDE: Final = ("optimizer", "scheduler", "rng_state", "scaler", "training_args", "optim")
_PICKLED: Final = (".pt", ".pth", ".bin", ".ckpt")
# What wrappers put before the names of a model's parameters.
_WRAPPERS: Final = ("module.", "_orig_mod.", "_forward_module.")


@dataclass(slots=True)
class Contents:
    """The tensors of a checkpoint: digest of each by name, and of all of them.

    Attributes:
        by_name: digests by name, as the files have them: several where several parts of a file use one name.
        marks: the digests.
        kinds: type and shape by name, for whoever has to explain a difference.
        unread: files that could not be read as tensors, and why.
    """

    by_name: dict[str, set[str]] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Take over some tensors."""
        for name, tensor in tensors:
            mark = tensor_mark(tensor)
            self.by_name.setdefault(name, set()).add(mark)
            self.marks.add(mark)
            self.kinds[name] = _kind(tensor)


def _kind(tensor: torch.Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"


def tensor_mark(tensor: torch.Tensor) -> str:
    """Return a digest over type, shape and bytes of a tensor."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    running = hashlib.sha256(f"{flat.dtype} {tuple(tensor.shape)}\n".encode())
    if flat.numel():
        running.update(flat.view(torch.uint8).numpy().data)
    return running.hexdigest()


def marks_of(model: torch.nn.Module, *, buffers: bool = True) -> dict[str, str]:
    """Return a digest for every tensor that a model would save, by name; without buffers, which passes may change."""
    return {name: tensor_mark(item) for name, item in _saved(model, buffers=buffers)}


def _saved(model: torch.nn.Module, *, buffers: bool = True) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what a model would save, with the names that it has without a wrapper around all of it."""
    found, prefix = model.state_dict(), ""
    while more := next((item for item in _WRAPPERS if all(name.startswith(prefix + item) for name in found)), ""):
        if not found:
            return
        prefix += more
    left_out = set() if buffers else {name for name, _ in model.named_buffers()}
    for name, item in _tensors(found):
        if name not in left_out:
            yield name.removeprefix(prefix), item


def read_checkpoint(folder: Path) -> tuple[Files, Contents]:
    """Return the digests of a checkpoint's files, and what tensors are in them. Every file is read once.

    Args:
        folder: a directory, or a single file.

    Raises:
        PermitError: if files cannot be read, are no plain files, or hold no weights.
    """
    found, pickled = Contents(), Contents()
    held: dict[str, bytearray] = {}

    def end() -> None:
        if not held:
            return
        name, data = held.popitem()
        if name.endswith(".safetensors"):
            _take(found, name, data, _safe)
        elif _may_have_weights(name):
            _take(pickled, name, data, _pickled)

    def see(name: str, chunk: bytes) -> None:
        if name not in held:
            end()
        if name.endswith(".safetensors") or _may_have_weights(name):
            held.setdefault(name, bytearray()).extend(chunk)

    try:
        resources = read_files(folder, see)
    except ModelFilesError as error:
        raise PermitError("checkpoint-unfit", error.message, error.hint) from error
    end()
    contents = found if found.marks else pickled
    contents.unread += pickled.unread if contents is found else found.unread
    return Files(root_digest(resources), listing_digest(resources)), contents


def files_of(folder: Path) -> Files:
    """Return the digests of a checkpoint's files.

    Raises:
        PermitError: if files cannot be read, or are no plain files.
    """
    try:
        resources = read_files(folder)
    except ModelFilesError as error:
        raise PermitError("checkpoint-unfit", error.message, error.hint) from error
    return Files(root_digest(resources), listing_digest(resources))


def check_same(model: torch.nn.Module, contents: Contents) -> dict[str, str]:
    """Check that the weights in memory are those of a checkpoint, and return their digests.

    Raises:
        PermitError: if a tensor is another one, or is in none of the files.
    """
    if not contents.marks:
        why = "; ".join(contents.unread) or "there is no file of weights"
        raise PermitError("checkpoint-unread", f"no weights could be read from the checkpoint: {why}"[:500])
    marks = {}
    for name, item in _saved(model):
        mark = marks[name] = tensor_mark(item)
        known = contents.by_name.get(name)
        if mark not in (known or contents.marks):
            raise PermitError(
                "weights-swapped" if known else "weights-unknown",
                f"`{name:.120}` in memory is not what the files of the checkpoint hold",
                _why(name, _kind(item), contents),
            )
    return marks


def _why(name: str, kind: str, contents: Contents) -> str:
    """Return what to do about a tensor that is another one than in the files, or is in none of them."""
    there = contents.kinds.get(name)
    if there is None:
        return (
            "these weights are new, or put together while they are loaded (fused experts): save the model as it is in "
            "memory, declare that with its lineage, and ask for a permit for it"
        )
    if there != kind:
        return f"the files hold {there}, and memory {kind}: save it as it is trained, and declare that"
    return "load the checkpoint that the permit is for, and change nothing before training begins"


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a checkpoint on the CPU, by the names that a model has for them.

    Args:
        folder: a directory, or a single file.

    Raises:
        PermitError: if no weights can be read from it.
    """
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    safe = [path for path in files if path.suffix == ".safetensors"]
    found: dict[str, torch.Tensor] = {}
    for path in safe or [path for path in files if _may_have_weights(path.name)]:
        try:
            read = _safe if safe else _pickled
            found |= dict(_tensors(read(bytearray(path.read_bytes()))))
        except Exception as error:
            why = f"`{path.name:.120}` cannot be read as weights: {type(error).__name__}"
            raise PermitError("checkpoint-unread", why) from error
    if not found:
        raise PermitError("checkpoint-unread", f"no weights are in `{folder}`")
    return found


def _may_have_weights(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last.endswith(_PICKLED) and not last.startswith(_BESIDE)


def _take(contents: Contents, name: str, data: bytearray, read: Any) -> None:  # noqa: ANN401 - one of the two below
    try:
        contents.add(_tensors(read(data)))
    except Exception as error:  # noqa: BLE001 - what cannot be read holds no weights, whatever the reason
        contents.unread.append(f"{name:.120}: {type(error).__name__}")


def _safe(data: bytearray) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = safetensors.torch.load(bytes(data))
    return found


def _pickled(data: bytearray) -> Any:  # noqa: ANN401 - whatever was saved
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _tensors(value: object, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors in nested dictionaries, each by the innermost path that looks like a parameter's name."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, str(key))
