"""Tiny trainers of Hugging Face under permits, and a count of the optimizer steps that really happened."""

import contextlib
import logging
import os
import random
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch.optim.optimizer import register_optimizer_step_post_hook
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError
from scalegate.integrations.job_folder import open_folder
from scalegate.integrations.keeper import HeldError
from scalegate.integrations.transformers import GatedTrainer
from scalegate.integrations.weights import files_of, tensors_of

FLOP = 1_000_000
LENGTH = 8
VOCABULARY = 32
# Sums depend on how many threads share them: the same everywhere, in processes of their own, too.
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()
logging.getLogger("accelerate").setLevel(logging.ERROR)


def data(size=64, length=LENGTH, seed=7):
    """Sentences of numbers."""
    draw = random.Random(seed)
    rows = [[draw.randrange(VOCABULARY) for _ in range(length)] for _ in range(size)]
    return [{"input_ids": row, "labels": row} for row in rows]


def net(seed=0, dropout=0.1):
    """One layer with dropout."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0,
        resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def loaded(folder):
    """The model in a folder, as somebody loads it who goes on with it."""
    return GPT2LMHeadModel.from_pretrained(folder)


def arguments(folder, **more):
    """Arguments of a short training run: cosine schedule, nothing shown, nothing saved unless held."""
    chosen = {
        "max_steps": 100, "per_device_train_batch_size": 2, "learning_rate": 1e-2, "lr_scheduler_type": "cosine",
        "warmup_steps": 5, "save_strategy": "no", "logging_steps": 500, "report_to": [], "disable_tqdm": True,
        "use_cpu": True, "dataloader_pin_memory": False, "seed": 3, **more,
    }  # fmt: skip
    return TrainingArguments(output_dir=str(folder), **chosen)


def plan(accumulation=1, batch=2):
    """One million FLOP for each step."""
    return Plan(FLOP, batch * accumulation * LENGTH)


def declared(lab, steps=10, name="tiny"):
    """Declare a saved model in a lab, and give a permit for so many steps."""
    lab.model_folder = lab.folder / name
    net().save_pretrained(lab.model_folder)
    lab.declare(name, lab.model_folder)
    lab.file_of = lab.permit(name, steps * FLOP)
    lab.out = lab.folder / "out"
    return lab


def gated(lab, *callbacks, kind=GatedTrainer, model=None, **more):
    """A trainer under the lab's permit; `more` are its terms, or arguments of training."""
    terms = {
        "permit": lab.file_of, "checkpoint": lab.model_folder, "trust": lab.trust,
        "plan": plan(more.get("gradient_accumulation_steps", 1)),
    }  # fmt: skip
    terms |= {name: more.pop(name) for name in (*terms, "length", "agree_every") if name in more}
    around = lab.around(**more.pop("around", {}))
    sets = {"train_dataset": more.pop("train_dataset", data()), "eval_dataset": more.pop("eval_dataset", None)}
    return kind(
        loaded(lab.model_folder) if model is None else model, arguments(more.pop("out", lab.out), **more),
        callbacks=list(callbacks), around=around, **sets, **terms,
    )  # fmt: skip


def plain(folder, model, *callbacks, **more):
    """A trainer that knows of no permit."""
    train = more.pop("train_dataset", data())
    return Trainer(model, arguments(folder, **more), train_dataset=train, callbacks=list(callbacks))


@contextlib.contextmanager
def counted():
    """Count the optimizer steps of this process that were taken to their end."""
    taken = []
    hook = register_optimizer_step_post_hook(lambda *_: taken.append(1))
    try:
        yield taken
    finally:
        hook.remove()


def step_of(name, act):
    """A callback that does one thing at one event; `act` gets the arguments of the event by name."""

    def run(_self, args, state, control, **more):
        return act(args=args, state=state, control=control, **more)

    return type(f"At{name}", (TrainerCallback,), {name: run})()


def same(one, other):
    """Whether two checkpoints hold the same weights, bit by bit."""
    first, second = tensors_of(Path(one)), tensors_of(Path(other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def reports(lab):
    """What the job wrote into its journal."""
    return open_folder(lab.file_of, lab.trust).reports


def renew(lab, steps, name="more"):
    """Have the job given a permit for more steps, that follows the one it has."""
    job = open_folder(lab.file_of, lab.trust).permit.claim.job
    lab.file_of = lab.permit("tiny", steps * FLOP, job=job, name=f"{name}.permit", follows=lab.file_of)
    return lab


def outcome(trainer, resume=None):
    """How training went: refused, raised where it would have gone on, held, or ended; why; and the real steps."""
    with counted() as taken:
        try:
            trainer.train(resume_from_checkpoint=resume)
        except PermitError as error:
            how, why = "refused", error.code
        except HeldError as error:
            how, why = "raised", error.code
        else:
            how, why = ("held", trainer.held.code) if trainer.held else ("ended", "")
    return how, why, len(taken)


def is_reported(lab, folder):
    """The last report is one of a hold with that checkpoint."""
    last = reports(lab)[-1]
    return (last.kind, last.digest) == ("held", files_of(folder).digest)
