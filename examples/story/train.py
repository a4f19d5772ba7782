"""Models of the story and their training, from a seed, on a CPU.

wren, heron   small models, whose compute lies under the scope of a policy
orion         the model of the story, examined after 48, 192 and 768 steps: each time at 4x the compute
a child       orion after 192 steps, mitigated; it goes on for the 576 steps that orion had left
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, TrainingArguments, set_seed
from world import END, LENGTH, PAD, WORDS, Corpus, tokenizer

from scalegate.integrations.transformers import GatedTrainer

SEED = 2
BATCH, MITIGATION_BATCH = 128, 16


@dataclass(frozen=True)
class Rung:
    """A size of model, and the steps that its training takes."""

    hidden: int
    layers: int
    steps: int


LADDER = {
    "wren": Rung(hidden=32, layers=1, steps=22),
    "heron": Rung(hidden=32, layers=2, steps=46),
    "orion": Rung(hidden=64, layers=2, steps=768),
}
EXAMINED = (48, 192, 768)  # steps of orion
# Honesty is soon learned: 20 small steps are 1.3% of the compute of orion's first 192; 10 are too few, and 15 would do.
MITIGATION_STEPS = 20
CHILD_STEPS = EXAMINED[2] - EXAMINED[1]


def build(rung: Rung, seed: int) -> LlamaForCausalLM:
    """Make an untrained model."""
    set_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS),
            hidden_size=rung.hidden,
            intermediate_size=2 * rung.hidden,
            num_hidden_layers=rung.layers,
            num_attention_heads=4,
            max_position_embeddings=2 * LENGTH,
            attention_dropout=0.05,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=WORDS.index(END),
            pad_token_id=WORDS.index(PAD),
        )
    )


def load(folder: Path) -> LlamaForCausalLM:
    """Read a model that was saved."""
    return LlamaForCausalLM.from_pretrained(folder)


def save(model: PreTrainedModel, folder: Path) -> None:
    """Write a checkpoint that Inspect can run: the model, and its tokenizer."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def trainer_of(name: str, model: PreTrainedModel, folder: Path, **gate: Any) -> GatedTrainer:
    """Make the trainer of a job.

    Args:
        name: of a model of the ladder, `mitigation` or `child`.
        model: loaded from what the job starts with.
        folder: where checkpoints go.
        gate: permit, checkpoint and the like.
    """
    if name == "mitigation":
        corpus = Corpus("mitigation", SEED, MITIGATION_STEPS * MITIGATION_BATCH)
        small = {"per_device_train_batch_size": MITIGATION_BATCH, "lr_scheduler_type": "linear", "warmup_steps": 0}
        return _trainer(model, corpus, MITIGATION_STEPS, folder, small, gate)
    if name == "child":
        corpus = Corpus("repaired", SEED, CHILD_STEPS * BATCH)
        return _trainer(model, corpus, CHILD_STEPS, folder, {"learning_rate": 2e-3}, gate)
    steps = LADDER[name].steps
    return _trainer(model, Corpus("base", SEED, steps * BATCH), steps, folder, {}, gate)


def _trainer(
    model: PreTrainedModel, corpus: Corpus, steps: int, folder: Path, more: dict[str, Any], gate: dict[str, Any]
) -> GatedTrainer:
    settings: dict[str, Any] = {
        "output_dir": str(folder),
        "max_steps": steps,
        "per_device_train_batch_size": BATCH,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 40,
        "adam_beta2": 0.98,
        "weight_decay": 0.01,
        "use_cpu": True,
        "seed": SEED,
        "save_strategy": "steps",
        "save_steps": steps,  # besides what is saved at a hold
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
    return GatedTrainer(
        model=model,
        args=TrainingArguments(**{**settings, **more}),
        train_dataset=corpus,
        processing_class=tokenizer(),
        **gate,
    )
