"""Training in Lightning under a permit, and resumptions that are exact to the bit (extra `lightning`).

    gate = ScalegateCallback("orion.permit", "orion", Plan(flop), folder="held")
    trainer = Trainer(callbacks=[gate], max_steps=10_000)
    trainer.fit(model, ResumableLoader(data, batch_size=32))
    gate.held                                  # the checkpoint that was saved for the hold; None without one

Lightning lets any callback withdraw a stop, and goes on to `min_steps` and `min_epochs` whatever was asked for. So the
stop is asked for once the checkpoint lies on disk and is reported; what stops is the guard of every optimizer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np  # type: ignore[import-not-found, unused-ignore]
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import CombinedLoader
from torch.utils.data import default_collate

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError
from scalegate.integrations.around import Around
from scalegate.integrations.fed import size_of
from scalegate.integrations.keeper import Files, HeldError
from scalegate.integrations.session import Session, open_session, state_mark
from scalegate.ledger.trust import Trust

_SPENT: Final = "what a batch takes is more than the permit leaves"
_MINIMUM: Final = "set neither `min_steps` nor `min_epochs` beyond what the permit covers"
# Seeds of neighboring epochs and of neighboring loaders must not meet.
_STRIDE: Final = 1_000_003


class ScalegateCallback(Callback):  # type: ignore[misc, unused-ignore]
    """Holds a trainer at the last optimizer step of its permit, with a checkpoint that can be gone on with.

    Attributes:
        held: the checkpoint that was saved for a hold; None while there is none.
        code, words: why training is held; empty while it is not.
        inexact: why going on from a checkpoint would not give, or did not give, the bits of an uninterrupted run;
            empty where nothing is known to be in the way.
        session: the permit in use; None outside of `fit`.
    """

    def __init__(
        self,
        permit: Path | str | None,
        checkpoint: Path | str,
        plan: Plan,
        *,
        folder: Path | str,
        trust: Path | str | Trust | None = None,
        around: Around | None = None,
        agree_every: int = 1,
    ) -> None:
        """Keep all of it; the permit is read when `fit` begins.

        Args:
            permit: file of the permit.
            checkpoint: directory or file with the weights that a fresh start begins with. With `ckpt_path=` it is that
                file that the permit has to be for.
            plan: what one optimizer step costs, over all ranks; every optimizer of a module has steps of its own.
            folder: where checkpoints are saved.
            trust: trust file; by default that of SCALEGATE_TRUST.
            around: what else there is.
            agree_every: steps between two rounds of agreement among ranks.
        """
        self._permit, self._checkpoint, self._plan = permit, Path(checkpoint), plan
        self._folder = Path(folder)
        self._options: dict[str, Any] = {"trust": trust, "around": around, "agree_every": agree_every}
        self.session: Session | None = None
        self._loaded: Mapping[str, Any] = {}
        self._clear()

    def _clear(self) -> None:
        self.held: Path | None = None
        self.code = self.words = self.inexact = self._mark = ""
        self._seen = self._taken = 0
        self._known: dict[int, tuple[object, ...]] = {}
        self._before_validation: dict[str, Any] = {}

    # ------------------------------------------------------------ beginning

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002 - Lightning's
        """Take the permit.

        Raises:
            PermitError: if there is none for this job now.
        """
        self._clear()
        self.session = open_session(pl_module, self._permit, self._plan, **self._options)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002 - Lightning's
        """Begin, once the loader has its position and before anything was fetched from it.

        Raises:
            PermitError: if the permit is not one for the files that were loaded, or the weights in memory are others.
            HeldError: if the permit leaves not one step.
        """
        session = self._open()
        # An optimizer of Lightning computes inside its step: tokens are counted where batches come in.
        session.guard(forward=False)
        session.begin(Path(trainer.ckpt_path) if trainer.ckpt_path else self._checkpoint)
        self._seen = session.keeper.step
        self._known = {id(item): _saves(item) for item in trainer.checkpoint_callbacks}
        self.inexact = _unexact_loader(trainer)
        if trainer.ckpt_path:
            self.inexact = self._restore(trainer) or self.inexact
        self._warn(trainer)

    def _open(self) -> Session:
        if self.session is None:
            raise PermitError("permit-missing", "no permit was taken: `on_fit_start` of the callback was not called")
        return self.session

    def _restore(self, trainer: Trainer) -> str:
        """Put the generators of randomness where they were; return why they are not there."""
        session, states = self._open(), self._loaded.get("generators", ())
        if len(states) != session.ranks.count:
            return f"the checkpoint has the generators of {len(states)} ranks, and there are {session.ranks.count}"
        own = states[session.ranks.rank]
        _restore_generators(own)
        for loader in _loaders(trainer)[:1]:
            if isinstance(loader, ResumableLoader):
                # Hooks of others, and a validation that is skipped, may still draw before the first batch is read.
                loader.before_next(lambda: _restore_generators(own))
        start = session.keeper.start
        if session.ranks.rank == 0 and start is not None and start.state not in ("", state_mark()):
            return "the generators of the checkpoint are not those that were reported with it"
        return ""

    def _warn(self, trainer: Trainer) -> None:
        session = self._open()
        keeper = session.keeper
        if keeper.rank != 0:
            return
        if self.inexact and trainer.ckpt_path and keeper.start is not None:
            keeper.compared("resumption-inexact", self.inexact, Files(keeper.start.digest, keeper.start.listing))
        if self.inexact:
            keeper.around.tell(f"scalegate: what goes on from a checkpoint is inexact: {self.inexact}")
        reached, least = trainer.global_step + keeper.last - keeper.step, _least(trainer)
        if reached < least:
            told = f"scalegate: the permit ends at step {reached}, before the {least} steps that the trainer must take"
            keeper.around.tell(f"{told}: {_MINIMUM}")

    # ------------------------------------------------------------ every batch

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ANN401, ARG002 - Lightning's
        """Count what is fed, and report what other callbacks saved since the last batch."""
        session = self._open()
        if self._plan.tokens:
            session.feed(*size_of(batch))
        self._report(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_others: object) -> None:
        """Hold at an optimizer step after which there is nothing more to take.

        Raises:
            HeldError: once the checkpoint is saved and reported, if the trainer would go on whatever it is told.
        """
        session = self._open()
        keeper = session.keeper
        taken = keeper.step - self._seen
        if taken:
            self._seen = keeper.step
            self._taken = max(self._taken, taken)
            if session.after_step():
                self._hold(trainer, session.code, session.words)
            elif keeper.step + self._taken > keeper.last:
                # A batch with several steps is taken whole, or not at all.
                self._hold(trainer, "compute-spent", _SPENT)
        if trainer.enable_validation:
            self._before_validation = _generators()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002 - Lightning's
        """Undo what validation drew: a resumption at this boundary does not validate again."""
        if self.session is not None and self._before_validation and not trainer.sanity_checking:
            _restore_generators(self._before_validation)

    def _hold(self, trainer: Trainer, code: str, words: str) -> None:
        session = self._open()
        self.held = self._save(trainer)
        self.code = code
        self.words = f"{words}; going on will be inexact: {self.inexact}" if self.inexact else words
        session.held(self.held, self.code, self.words)
        trainer.should_stop = True
        if not trainer.fit_loop._can_stop_early:  # noqa: SLF001 - nothing public says it
            raise HeldError(code, f"{self.words}; the trainer must take more steps", _MINIMUM)

    def _save(self, trainer: Trainer) -> Path:
        session = self._open()
        name = f"step-{session.keeper.step}"
        path = self._folder / f"{name}.ckpt"
        number = 1
        while path.exists():
            number += 1
            path = self._folder / f"{name}-{number}.ckpt"
        path = session.ranks.from_first(path)
        trainer.save_checkpoint(path)
        return path

    def _report(self, trainer: Trainer) -> None:
        """Report the checkpoints that other callbacks saved, so that this job may go on with them after a crash."""
        session = self._open()
        for item in trainer.checkpoint_callbacks:
            found = _saves(item)
            if found != self._known.get(id(item)):
                self._known[id(item)] = found
                for place in dict.fromkeys(str(path) for path in found[1:] if path):
                    session.saved(Path(place).resolve(), self._mark)

    # ------------------------------------------------------------ ending

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002 - Lightning's
        """Save and report what training ended with, unless it was held."""
        if self.held is None:
            session = self._open()
            self._report(trainer)
            session.ended(self._save(trainer))

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:  # noqa: ARG002 - Lightning's
        """Report a hold that no checkpoint could be saved for, and let go of the permit."""
        if self.session is None:
            return
        if isinstance(exception, HeldError) and self.held is None:
            self.code, self.words = exception.code, exception.message
            self.session.held(None, exception.code, exception.message)
        self._close()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002 - Lightning's
        """Let go of the permit."""
        self._close()

    def _close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None

    # ------------------------------------------------------------ what goes into a checkpoint

    def state_dict(self) -> dict[str, Any]:
        """Return the generators of randomness of all ranks, readable without running code; every rank calls it."""
        if self.session is None:
            return {}
        self._mark = state_mark()
        return {"generators": self.session.ranks.gathered(_generators())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the generators of a checkpoint until training begins."""
        self._loaded = state_dict


class ResumableLoader:
    """Batches of a dataset in an order of its own, which goes on where it was.

    The order is a function of the seed and the epoch, and draws nothing from the generators of the process.
    """

    def __init__(
        self,
        dataset: Any,  # noqa: ANN401 - torch's
        batch_size: int,
        seed: int = 0,
        *,
        rank: int = 0,
        ranks: int = 1,
        collate: Any = None,  # noqa: ANN401 - torch's
    ) -> None:
        """Keep all of it.

        Args:
            dataset: has `__len__` and `__getitem__`.
            batch_size: items in a batch; the last one of an epoch may have fewer.
            seed: of the order.
            rank: whose share this is.
            ranks: how many share the dataset; what is left over is left out of the epoch.
            collate: makes a batch of items; by default as torch does.

        Raises:
            ValueError: if there is no batch in it.
        """
        self._dataset, self._size, self._seed = dataset, batch_size, seed
        self._rank, self._ranks, self._collate = rank, ranks, collate or default_collate
        self._epoch = self._batch = 0
        self._before: Callable[[], object] | None = None
        if batch_size < 1 or not 0 <= rank < ranks or len(dataset) < ranks:
            raise ValueError(f"{len(dataset)} items make no batches of {batch_size} for rank {rank} of {ranks}")

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return math.ceil(len(self._dataset) // self._ranks / self._size)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches that are left of the epoch; the next call yields those of the next one."""
        self._settle()
        order = self._order()
        while self._batch < len(self):
            first = self._batch * self._size
            # Counted before it is handed out: a position that is saved while it is used is behind it.
            self._batch += 1
            if self._before is not None:
                act, self._before = self._before, None
                act()
            yield self._collate([self._dataset[item] for item in order[first : first + self._size]])

    def before_next(self, act: Callable[[], object]) -> None:
        """Have something done once, before the next item is read."""
        self._before = act

    def state_dict(self) -> dict[str, int]:
        """Return the position."""
        self._settle()
        return {"seed": self._seed, "epoch": self._epoch, "batch": self._batch, "of": len(self)}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go to a position.

        Raises:
            ValueError: if it is one in other batches.
        """
        if (state_dict["seed"], state_dict["of"]) != (self._seed, len(self)):
            raise ValueError(f"the position is one in {state_dict['of']} batches of seed {state_dict['seed']}")
        self._epoch, self._batch = state_dict["epoch"], state_dict["batch"]

    def _settle(self) -> None:
        if self._batch >= len(self):
            self._epoch, self._batch = self._epoch + 1, 0

    def _order(self) -> list[int]:
        generator = torch.Generator().manual_seed(self._seed * _STRIDE + self._epoch)
        order: list[int] = torch.randperm(len(self._dataset), generator=generator).tolist()
        share = len(order) // self._ranks
        return order[self._rank * share : (self._rank + 1) * share]


def _saves(callback: Any) -> tuple[object, ...]:  # noqa: ANN401 - Lightning's
    """Return what a callback saved last: after which step, and where."""
    step = getattr(callback, "_last_global_step_saved", 0)
    return step, getattr(callback, "_last_checkpoint_saved", ""), getattr(callback, "last_model_path", "")


def _least(trainer: Trainer) -> int:
    """Return the optimizer steps that a trainer takes whatever it is told, as far as they can be counted."""
    batches, epochs = trainer.num_training_batches, trainer.min_epochs or 0
    whole = 0 if batches == float("inf") else epochs * -(-int(batches) // trainer.accumulate_grad_batches)
    return max(trainer.min_steps or 0, whole)


def _loaders(trainer: Trainer) -> list[Any]:
    return list(CombinedLoader(trainer.train_dataloader).flattened)


def _unexact_loader(trainer: Trainer) -> str:
    """Return why the position in the data is not in a checkpoint."""
    for loader in _loaders(trainer):
        if not hasattr(loader, "state_dict") or not hasattr(loader, "load_state_dict"):
            return f"`{type(loader).__name__}` has no `state_dict`, and begins again at another batch"
        if not hasattr(loader, "__len__"):
            return f"`{type(loader).__name__}` has no length, so that its position is one batch ahead"
    return ""


def _generators() -> dict[str, Any]:
    """Return the generators of this process, as numbers and tensors only."""
    version, numbers, gauss = random.getstate()
    shared: Any = np.random.get_state()  # noqa: NPY002 - the one that libraries share
    kind, keys, place, has_gauss, cached = shared
    return {
        "python": [version, torch.tensor(numbers, dtype=torch.int64), gauss],
        "numpy": [kind, torch.tensor(keys.astype(np.int64)), int(place), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _restore_generators(state: Mapping[str, Any]) -> None:
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002 - the one that libraries share
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([item.cpu() for item in state["cuda"]])
