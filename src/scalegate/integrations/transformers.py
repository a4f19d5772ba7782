"""Hugging Face's Trainer under a permit (extra `transformers`): it starts and goes on with one, or not at all.

    trainer = GatedTrainer(model, args, train_dataset=data, permit="orion.permit", checkpoint="orion")
    trainer.train()          # or train(resume_from_checkpoint=True); raises without a permit for exactly that
    trainer.exit_if_held()   # train() returns normally after a hold: what the process says is up to its caller

At the last step that the permit covers the Trainer saves and stops, at a boundary of optimizer steps. Whatever flags,
callbacks and subclasses do, no optimizer takes a step beyond it: a hook before every optimizer step raises. Compute is
counted by `plan`, never by `state.total_flos`, which the Trainer updates only when it logs, and leaves at 0 for models
that are not its own. (transformers 5.24: `trainer.py`, `trainer_callback.py`.)

Any other trainer, such as those of TRL, is gated as `class GatedSFTTrainer(GatedTrainer, SFTTrainer)`, or, with public
hooks alone, by `ScalegateCallback(Terms(...))` as its last callback. Only what passes `on_save` is reported: weights
that `save_model` writes afterwards are a new subject.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import TrainerControl, TrainerState
from transformers.trainer_utils import get_last_checkpoint
from transformers.training_args import TrainingArguments

from scalegate.enforce.boundary import Plan
from scalegate.enforce.certificate import Certificate, unchecked
from scalegate.enforce.permit import PermitError
from scalegate.integrations.around import Around
from scalegate.integrations.certificate import certify_replay
from scalegate.integrations.keeper import HeldError, Keeper
from scalegate.integrations.transformers_callback import Held, ScalegateCallback, Terms, length_of, plan_of
from scalegate.ledger.trust import Trust

__all__ = ["GatedTrainer", "Held", "ScalegateCallback", "Terms", "certify", "length_of", "plan_of"]

_Callback: Any = TrainerCallback
_Trainer: Any = Trainer
_last_checkpoint: Any = get_last_checkpoint
_STATE: Final = "trainer_state.json"


class GatedTrainer(_Trainer):  # type: ignore[misc]
    """A Trainer that trains under a permit, and not without.

    Attributes:
        gate: its last callback, which cannot be removed.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - the Trainer's
        permit: Path | str | None,
        checkpoint: Path | str | None,
        trust: Path | str | Trust | None = None,
        around: Around | None = None,
        plan: Plan | None = None,
        length: int | None = None,
        agree_every: int = 1,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Make a Trainer; the permit is checked by `train`.

        Args:
            *args: arguments of the Trainer.
            permit: file of the permit; None refuses.
            checkpoint: directory that the model was loaded from; `train` has another one where it resumes.
            trust: as in `Terms`, and so the rest.
            around: what else there is.
            plan: what an optimizer step costs.
            length: tokens of each sequence.
            agree_every: steps between two rounds of agreement.
            **kwargs: further arguments of the Trainer.
        """
        self.terms = Terms(permit, checkpoint, trust, around, plan, length, agree_every)
        super().__init__(*args, **kwargs)
        self.gate = ScalegateCallback(self.terms, self)
        self.put_gate_last()

    @property
    def held(self) -> Held | None:
        """Why training was held; None if it was not."""
        return self.gate.held

    def exit_if_held(self, status: int = 1) -> None:
        """End the process with an exit status if training was held: `train` itself returns normally then."""
        if self.held is not None:
            sys.exit(status)

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001 - the Trainer's
        """Train, from the checkpoint of the permit or from what came out of it.

        Args:
            resume_from_checkpoint: as for any Trainer.
            *args: further arguments of the Trainer.
            **kwargs: the same.

        Raises:
            PermitError: before any step, if there is no permit for exactly that checkpoint.
            HeldError: if training would have gone beyond the permit, in spite of the flag to stop.
        """
        if kwargs.get("trial") is not None or (args and args[0] is not None):
            raise PermitError("trials-many", "a permit is one job's: trials of a search need one each, and ask apart")
        if resume_from_checkpoint is True:
            resume_from_checkpoint = _last_checkpoint(self.args.output_dir) or True
        terms = self.terms
        if isinstance(resume_from_checkpoint, str | Path):
            terms = replace(terms, checkpoint=resume_from_checkpoint)
        if terms.plan is None:
            length = terms.length or length_of(self.train_dataset)
            terms = replace(terms, length=length, plan=plan_of(self.model, self.args, length))
        self.gate.terms = terms
        self.put_gate_last()
        try:
            with self._refusing():
                return super().train(resume_from_checkpoint, *args, **kwargs)
        except HeldError as error:
            self.gate.died(error, self.args, self.state)
            raise
        finally:
            self.gate.close()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Refuse every optimizer step of this process while no session is open: before it begins, and behind its end.

        Another callback may take ours out of the list before it was ever called.
        """

        def refuse(_optimizer: Any, _args: Any, _kwargs: Any) -> None:  # noqa: ANN401 - torch's
            self.gate._begun()  # noqa: SLF001 - one thing in two classes

        hook = register_optimizer_step_pre_hook(refuse)
        try:
            yield
        finally:
            hook.remove()

    # ------------------------------------------------------------ the gate stays where it is

    def put_gate_last(self) -> None:
        """Make the gate the last callback, so that none undoes what it says. The list is replaced, not changed."""
        handler = self.callback_handler
        if not handler.callbacks or handler.callbacks[-1] is not self.gate:
            handler.callbacks = [*(item for item in handler.callbacks if item is not self.gate), self.gate]

    def add_callback(self, callback: Any) -> None:  # noqa: ANN401 - a callback or its class
        """Add a callback before the gate."""
        super().add_callback(callback)
        if hasattr(self, "gate"):
            self.put_gate_last()

    def pop_callback(self, callback: Any) -> Any:  # noqa: ANN401
        """Remove a callback and return it.

        Raises:
            PermitError: if it is the gate.
        """
        self._keep_gate(callback)
        return super().pop_callback(callback)

    def remove_callback(self, callback: Any) -> None:  # noqa: ANN401
        """Remove a callback.

        Raises:
            PermitError: if it is the gate.
        """
        self._keep_gate(callback)
        super().remove_callback(callback)

    def _keep_gate(self, callback: Any) -> None:  # noqa: ANN401
        others = [item for item in self.callback_handler.callbacks if item is not self.gate]
        kind = callback if isinstance(callback, type) else None
        if callback is self.gate or (
            kind is not None and isinstance(self.gate, kind) and not any(isinstance(item, kind) for item in others)
        ):
            raise PermitError("gate-removed", "the gate cannot be taken out of a GatedTrainer", "use a Trainer")


class _Reached(_Callback):  # type: ignore[misc]
    """Stops a replay at a step, and keeps the weights it has there."""

    def __init__(self, step: int) -> None:
        self.step, self.weights = step, dict[str, torch.Tensor]()

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        *,
        model: Any,  # noqa: ANN401
        **_: Any,  # noqa: ANN401
    ) -> TrainerControl:
        if state.global_step == self.step:
            self.weights = {name: item.detach().cpu().clone() for name, item in model.state_dict().items()}
            control.should_training_stop = True
        return control


def certify(
    trainer_of: Callable[[Path], Any],
    earlier: Path,
    later: Path,
    *,
    tolerance: float = 0.0,
    keeper: Keeper | None = None,
) -> Certificate:
    """Compute the steps between two checkpoints of a Trainer once more, and compare the weights bit by bit.

    Args:
        trainer_of: makes a fresh trainer, with the arguments of the first one, that saves into the folder it is
            given, which is deleted. A plain Trainer is right: the steps are few, were taken under a permit before,
            and are stopped at the later one. A GatedTrainer takes, and reports under, the permit it is made with.
        earlier: a checkpoint, of before a hold.
        later: another one, of after training went on.
        tolerance: largest absolute difference that still counts as close.
        keeper: an open one of the job, to report the certificate with; None for no report.

    Raises:
        PermitError: if the later checkpoint cannot be read for the report.
    """
    try:
        first, last = _step_of(earlier), _step_of(later)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return unchecked(f"a checkpoint has no readable {_STATE} ({type(error).__name__})")
    if last <= first:
        return unchecked(f"step {last} is not behind step {first}")

    def replay() -> dict[str, torch.Tensor]:
        reached = _Reached(last)
        with tempfile.TemporaryDirectory(prefix="scalegate-replay-") as folder:
            trainer = trainer_of(Path(folder))
            trainer.add_callback(reached)
            trainer.train(resume_from_checkpoint=str(earlier))
        return reached.weights

    return certify_replay(replay, later, last - first, tolerance=tolerance, keeper=keeper)


def _step_of(checkpoint: Path) -> int:
    return int(json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))["global_step"])
