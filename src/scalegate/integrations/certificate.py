"""Replaying a few steps of training, and comparing what comes out with what was saved (extra `torch`).

A replay computes steps once more that a permit covered when they were first taken, throws its weights away, and is
stopped by a guard of its own before any step beyond them. So it needs no permit, and none is used up. Run it in a
process that trains nothing else: the guard of a running job would refuse its optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from scalegate.enforce.certificate import Certificate, Difference, judge, unchecked
from scalegate.integrations.keeper import Keeper
from scalegate.integrations.weights import files_of, tensor_mark, tensors_of

Weights = Mapping[str, torch.Tensor]


class BeyondReplayError(RuntimeError):
    """A replay wanted to take a step beyond those that it was to compute once more."""


def certify_replay(
    replay: Callable[[], Weights], later: Path, steps: int, *, tolerance: float = 0.0, keeper: Keeper | None = None
) -> Certificate:
    """Replay some steps, and compare the weights with those of a checkpoint.

    Args:
        replay: loads the earlier checkpoint, takes the steps, and returns the weights by name.
        later: the checkpoint that the first run had after the same steps.
        steps: how many optimizer steps lie between the two.
        tolerance: largest absolute difference that still counts as close.
        keeper: an open one of the job, in whose journal the certificate is reported; None for no report.

    Returns:
        The certificate; `unchecked` with the reason where the replay failed.

    Raises:
        PermitError: if the later checkpoint cannot be read for the report.
    """
    try:
        with at_most(steps) as taken:
            found = replay()
        certificate = _compared(found, later, steps, tolerance) if taken[0] == steps else _fell_short(taken[0], steps)
    except Exception as error:  # noqa: BLE001 - whatever a replay raises, nothing was compared
        certificate = unchecked(f"{type(error).__name__}: {error}"[:500], steps)
    if keeper is not None:
        keeper.compared(certificate.code, certificate.words, files_of(later))
    return certificate


@contextmanager
def at_most(steps: int) -> Iterator[list[int]]:
    """Let the optimizers of this process take so many steps, and refuse the next one. Yields the number taken.

    Raises:
        BeyondReplayError: by the step beyond.
    """
    taken = [0]

    def count(_optimizer: Any, _args: Any, _kwargs: Any) -> None:  # noqa: ANN401 - torch's
        if taken[0] == steps:
            raise BeyondReplayError(f"a replay of {steps} steps wanted to take one more")
        taken[0] += 1

    hook = register_optimizer_step_pre_hook(count)
    try:
        yield taken
    finally:
        hook.remove()


def differences(found: Weights, expected: Weights) -> list[Difference]:
    """Return every tensor that is not the same bit by bit.

    A tensor that only `found` names has to be one of its others: files leave out a weight that is tied to another one.
    """
    apart = [Difference(name, None) for name in expected if name not in found]
    marks = {name: tensor_mark(item) for name, item in found.items()}
    named = {mark for name, mark in marks.items() if name in expected}
    for name, item in found.items():
        if name not in expected:
            if marks[name] not in named:
                apart.append(Difference(name, None))
        elif marks[name] != tensor_mark(expected[name]):
            apart.append(Difference(name, _largest(item, expected[name])))
    return apart


def _compared(found: Weights, later: Path, steps: int, tolerance: float) -> Certificate:
    return judge(differences(found, tensors_of(later)), steps, tolerance)


def _fell_short(taken: int, steps: int) -> Certificate:
    return unchecked(f"the replay took {taken} of {steps} steps", steps)


def _largest(one: torch.Tensor, other: torch.Tensor) -> float | None:
    if one.shape != other.shape or one.dtype != other.dtype:
        return None
    wide = torch.complex128 if one.dtype.is_complex else torch.float64
    apart = (one.detach().cpu().to(wide) - other.detach().cpu().to(wide)).abs()
    return float(apart.max()) if apart.numel() else 0.0
