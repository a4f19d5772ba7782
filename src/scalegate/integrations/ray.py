"""A training function of Ray Train under a permit (extra `ray`).

    def train_loop_per_worker(config):
        model = prepare_model(load(config["checkpoint"]))
        with gated_in_worker(model, config["permit"], config["checkpoint"], Plan(flop)) as run:
            for batch in loader:
                model(batch).loss.backward()
                optimizer.step()
                if run.stop:
                    hold_and_report(run, write, config["held"])
                    break

Workers agree by an all-reduce in their process group, which `TorchTrainer` makes. Permit, checkpoint and what is saved
have to lie where every worker sees them. A worker that Ray starts again after a failure asks for the permit again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import ray.train
import torch
import torch.distributed as dist

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError
from scalegate.integrations.around import Around
from scalegate.integrations.torch import GatedRun, gated
from scalegate.ledger.trust import Trust


@contextmanager
def gated_in_worker(
    model: torch.nn.Module,
    permit: Path | str | None,
    checkpoint: Path | str,
    plan: Plan,
    *,
    trust: Path | str | Trust | None = None,
    around: Around | None = None,
    agree_every: int = 1,
) -> Iterator[GatedRun]:
    """Train under a permit in a worker of Ray Train; every worker calls it, with the arguments of `gated`.

    Args:
        model: what is trained, with the weights of `checkpoint` loaded; wrapped or not.
        permit: file of the permit, whose host is that of the first worker.
        checkpoint: directory or file that the model was loaded from; what the permit is for.
        plan: what an optimizer step costs, over all workers.
        trust: trust file; by default that of SCALEGATE_TRUST.
        around: what else there is.
        agree_every: steps between two rounds of agreement among workers.

    Raises:
        PermitError: before the first step, if there is no permit for this, or the workers are not those that train
            together.
        HeldError: by the step that the permit does not cover.
    """
    check_workers()
    with gated(model, permit, checkpoint, plan, trust=trust, around=around, agree_every=agree_every) as run:
        yield run


def check_workers() -> None:
    """Check that the process group of torch is made of exactly the workers of this run of Ray Train.

    Raises:
        PermitError: if it is not; one worker alone needs no group.
    """
    try:
        context = ray.train.get_context()
    except RuntimeError as error:
        raise PermitError("ranks-apart", "this process is no worker of Ray Train", "use `gated` elsewhere") from error
    workers = context.get_world_size()
    together = dist.is_available() and dist.is_initialized()
    connected = (dist.get_world_size(), dist.get_rank()) if together else (1, 0)
    if connected != (workers, context.get_world_rank()):
        raise PermitError(
            "ranks-apart",
            f"this is worker {context.get_world_rank()} of {workers} for Ray, and rank {connected[1]} of "
            f"{connected[0]} for torch: each group would train on the permit alone",
            "train in a `TorchTrainer`, which connects its workers",
        )


def hold_and_report(
    run: GatedRun,
    write: Callable[[Path], object],
    folder: Path | str,
    metrics: Mapping[str, object] | None = None,
) -> None:
    """Save, report the hold to the job's journal, and then to Ray, with its checkpoint; every worker calls it.

    Args:
        run: the run that has to be held.
        write: writes a checkpoint into a folder; called by the first worker.
        folder: where it goes; a new one. Ray keeps a copy of its own.
        metrics: what else Ray is told.
    """
    run.hold(write, folder)
    first = run.session.keeper.rank == 0
    held = {"held": run.session.code, "step": run.session.keeper.step, "flop": run.session.keeper.flop}
    checkpoint = ray.train.Checkpoint.from_directory(str(folder)) if first else None
    ray.train.report({**(metrics or {}), **held}, checkpoint=checkpoint)
