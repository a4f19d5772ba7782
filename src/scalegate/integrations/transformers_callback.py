"""A callback of Hugging Face's Trainer that begins, stops and reports training under a permit (extra `transformers`).

It uses public hooks alone, and acts at boundaries of optimizer steps only. With a plain Trainer it has to be the last
of the callbacks: where a later one undoes its flags, training ends by an exception instead, at the same step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from transformers import TrainerCallback
from transformers.trainer_callback import TrainerControl, TrainerState
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from transformers.training_args import TrainingArguments

from scalegate.enforce import boundary
from scalegate.enforce.boundary import Plan
from scalegate.enforce.compute import ComputeError, Step
from scalegate.enforce.permit import PermitError
from scalegate.integrations.around import Around
from scalegate.integrations.flop import CalibrationError, calibrate, shape_of
from scalegate.integrations.keeper import HeldError
from scalegate.integrations.session import Session, open_session
from scalegate.integrations.weights import check_same, read_checkpoint
from scalegate.ledger.trust import Trust

_Callback: Any = TrainerCallback
# Raised by the step that the permit does not cover, before it: the weights are what the last boundary left.
_AT_BOUNDARY: Final = ("compute-spent", "permit-expired")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a training run is held to.

    Attributes:
        permit: file of the permit; None refuses.
        checkpoint: directory that the model was loaded from, which the permit is for.
        trust: trust file, or its path; by default that of SCALEGATE_TRUST.
        around: what else there is around the job.
        plan: what an optimizer step costs over all ranks; derived from the model if None.
        length: tokens of each sequence, padding included, for that; by default those of the first training item.
        agree_every: steps between two rounds of agreement among ranks.
    """

    permit: Path | str | None
    checkpoint: Path | str | None
    trust: Path | str | Trust | None = None
    around: Around | None = None
    plan: Plan | None = None
    length: int | None = None
    agree_every: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """Why training was held.

    Attributes:
        code: for programs, such as `compute-spent`.
        words: for people.
        folder: the checkpoint that was saved for it and reported; None while, or where, there is none.
    """

    code: str
    words: str
    folder: Path | None = None


def plan_of(model: torch.nn.Module, args: Any, length: int) -> Plan:  # noqa: ANN401 - TrainingArguments
    """Return what an optimizer step costs at most: counted by the rules, and by torch in one pass of the model.

    Args:
        model: before it is wrapped or sharded.
        args: training arguments: batch size, accumulation, world size, recomputation.
        length: tokens of each sequence, padding included; of each source and each target alike.

    Raises:
        PermitError: if it cannot be said.
    """
    recompute = bool(args.gradient_checkpointing) or any(
        getattr(part, "gradient_checkpointing", False) for part in model.modules()
    )
    batch, accumulation = args.train_batch_size, args.gradient_accumulation_steps
    try:
        step = Step(batch, length, accumulation=accumulation, world=args.world_size, recompute=recompute)
        shape = shape_of(model)
        ratio = calibrate(model, length, shape=shape).ratio
        return boundary.plan_of(shape, step, ratio)
    except (ComputeError, CalibrationError) as error:
        raise PermitError(
            "plan-unknown", f"nobody can say what a step costs: {error}", "state it: `plan=Plan(FLOP, TOKENS)`"
        ) from error


def length_of(data: Any) -> int:  # noqa: ANN401 - whatever a Trainer takes
    """Return the number of tokens of the first item of a data set, or of its target where that is longer.

    Raises:
        PermitError: if it has none that can be looked at without using it up.
    """
    try:
        item = data[0]
        return max(len(item[name]) for name in ("input_ids", "labels") if name in item)
    except Exception as error:  # whatever other people's data sets raise
        raise PermitError(
            "plan-unknown",
            f"the length of a sequence cannot be read from the training data ({type(error).__name__})",
            "state it: `length=TOKENS`, padding included, or `plan=Plan(FLOP, TOKENS)`",
        ) from error


class ScalegateCallback(_Callback):  # type: ignore[misc]
    """Begins, stops and reports training under a permit. It has to be the last callback.

    Attributes:
        terms: what training is held to.
        session: the open session; None before training and after it.
        held: why training was held; None if it was not.
    """

    def __init__(self, terms: Terms, trainer: Any = None) -> None:  # noqa: ANN401 - Trainer
        """Keep the terms; nothing is checked yet.

        Args:
            terms: what training is held to. With a plain Trainer they name the plan, and as `checkpoint` what is
                resumed from, where that is another one than the model was loaded from.
            trainer: whose callback it is, where that is known: it then saves where other callbacks prevent it.
        """
        self.terms = terms
        self.session: Session | None = None
        self.held: Held | None = None
        self._trainer = trainer
        self._last: tuple[Path, int] | None = None
        self._best: str | None = None

    # ------------------------------------------------------------ beginning

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,  # noqa: ARG002 - the Trainer's signature
        control: TrainerControl,  # noqa: ARG002
        *,
        model: Any,  # noqa: ANN401 - any module
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Check permit, files and weights in memory against each other, and stand before every step from now on.

        Raises:
            PermitError: if there is no permit for these weights now.
            HeldError: if it leaves not one step. A flag to stop would let one happen.
        """
        self.close()
        self.held, self._last, self._best = None, None, None
        terms = self.terms
        if terms.checkpoint is None:
            raise PermitError("checkpoint-missing", "nobody says which checkpoint the model was loaded from")
        if terms.plan is None and terms.length is None:
            raise PermitError("plan-unknown", "nobody says what a step costs", "state `plan` or `length`")
        plan = terms.plan or plan_of(model, args, terms.length or 0)
        session = open_session(
            model, terms.permit, plan, trust=terms.trust, around=terms.around, agree_every=terms.agree_every
        )
        try:
            session.begin(Path(terms.checkpoint))
        except BaseException:
            session.close()
            raise
        self.session = session

    def close(self) -> None:
        """Let go of the permit, if training did not end by itself."""
        if self.session is not None:
            self.session.close()
            self.session = None

    # ------------------------------------------------------------ boundaries

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401
    ) -> TrainerControl:
        """Look whether training has to be held at this boundary."""
        if self._trainer is not None:
            self._trainer.put_gate_last()
        session = self._begun()
        if session.after_step() and state.global_step < state.max_steps and self.held is None:
            self.held = Held(session.code, session.words)
            self._forget_best(state)
        return self._flags(control, save=True)

    def on_epoch_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,
        **_: Any,  # noqa: ANN401
    ) -> TrainerControl:
        """Ask once more for what another callback may have prevented, and not for a second checkpoint of this step."""
        return self._flags(control, save=False)

    def _flags(self, control: TrainerControl, *, save: bool) -> TrainerControl:
        if self.held is not None:
            control.should_save = self.held.folder is None or (save and control.should_save)
            control.should_training_stop = True
        return control

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Raise where training was held and goes on all the same.

        Raises:
            HeldError: then, before any further step.
        """
        self._insist(args, state)

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Raise where training was held and goes on all the same: before the compute of a step that cannot be taken.

        Raises:
            HeldError: then.
        """
        self._insist(args, state)

    def _insist(self, args: TrainingArguments, state: TrainerState) -> None:
        held = self.held
        if held is None:
            return
        self._ensure_saved(args, state)
        words = f"{held.words}, and another callback cleared the flag to stop"
        raise HeldError(held.code, words, "`scalegate why` says what would release it")

    # ------------------------------------------------------------ what came out

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Report the checkpoint that was written: everything is in its folder now, and nothing comes later."""
        self._report(self._folder(args, state))
        if self.held is not None:
            self._forget_best(state)

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        *,
        model: Any,  # noqa: ANN401 - any module
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Report that training ended, unless it was held, and let go of the permit."""
        session = self._begun()
        if self.held is None:
            session.ended(self._final(args, state, model))
        else:
            self._ensure_saved(args, state)
            state.best_model_checkpoint = self._best
        self.close()

    def died(self, error: HeldError, args: TrainingArguments, state: TrainerState) -> None:
        """Report a hold that was raised, with a checkpoint where the weights are those of a boundary.

        The generators of randomness are then ahead of it, by the pass whose step was refused.
        """
        session = self.session
        if session is None or (self.held is not None and self.held.folder is not None):
            return
        self.held = self.held or Held(error.code, error.message)
        if error.code in _AT_BOUNDARY and session.ranks.count == 1:
            self._ensure_saved(args, state)
        else:
            # Other ranks may not have been refused: waiting for them could take for ever.
            session.held(None, error.code, error.message)

    def _ensure_saved(self, args: TrainingArguments, state: TrainerState) -> None:
        """Report the hold with a checkpoint of this very boundary, and save that if nobody did."""
        session, held = self._begun(), self.held
        if held is None or held.folder is not None:
            return
        folder = self._folder(args, state)
        if self._last != (folder, session.keeper.step):
            if self._trainer is None:
                session.held(None, held.code, held.words)
                return
            self._trainer._save_checkpoint(self._trainer.model, None)  # noqa: SLF001 - nothing public saves all of it
        self._report(folder)

    def _report(self, folder: Path) -> None:
        session = self._begun()
        # The first rank may still be writing.
        session.ranks.agree(0)
        if self.held is not None and self.held.folder is None:
            session.held(folder, self.held.code, self.held.words)
            self.held = replace(self.held, folder=folder)
        else:
            session.saved(folder)
        self._last = (folder, session.keeper.step)

    def _final(self, args: TrainingArguments, state: TrainerState, model: Any) -> Path | None:  # noqa: ANN401
        """Return the checkpoint of the last step, if there is one.

        One that did not pass `on_save`, such as those saved at a signal, counts if it holds the weights in memory.
        """
        session, folder = self._begun(), self._folder(args, state)
        if not folder.is_dir():
            return None
        if self._last != (folder, session.keeper.step):
            try:
                check_same(model, read_checkpoint(folder)[1])
            except PermitError:
                return None
        return folder

    def _forget_best(self, state: TrainerState) -> None:
        """Have the Trainer load no best model at this end, which is none, nor delete the checkpoint beside it."""
        self._best = state.best_model_checkpoint or self._best
        state.best_model_checkpoint = None

    def _folder(self, args: TrainingArguments, state: TrainerState) -> Path:
        return Path(str(args.output_dir)) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"

    def _begun(self) -> Session:
        if self.session is None:
            raise HeldError("not-begun", "training goes on, and no permit was checked for it")
        return self.session
