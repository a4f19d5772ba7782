"""Make an Inspect log of a chosen size by really running inspect_ai on its mock model.

Run it with an interpreter that has inspect_ai (0.3.206 or later writes zstd by default)::

    python benchmarks/ingest/generate_log.py OUT_DIR --samples 4000 --epochs 2

The model is ``mockllm/model``; every output carries a usage, because without one Inspect loads
a tokenizer from the network. Scores are deterministic in the seed. Prints the path of the log.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate, system_message, user_message

_WORDS = [
    "window",
    "ladder",
    "compute",
    "threshold",
    "sample",
    "oracle",
    "gradient",
    "policy",
    "auditor",
    "river",
    "copper",
    "lantern",
    "orbit",
    "meadow",
    "signal",
    "harbor",
    "quartz",
    "timber",
    "violet",
    "cedar",
]


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(words))


def _outputs(rng: random.Random, rate: float) -> Any:
    """Endless mock outputs, each with a usage so that no tokenizer is fetched."""
    while True:
        answer = "yes" if rng.random() < rate else "no"
        output = ModelOutput.from_content("mockllm/model", f"{_text(rng, 120)}\n{answer}")
        output.usage = ModelUsage(input_tokens=400, output_tokens=120, total_tokens=520)
        yield output


def generate_log(out_dir: Path, samples: int, epochs: int = 2, rate: float = 0.45, seed: int = 7) -> Path:
    """Run `samples // epochs` questions for `epochs` epochs and return the log's path."""
    rng = random.Random(seed)
    questions = [
        Sample(
            id=f"q{number:06d}",
            input=_text(rng, 150),
            target="yes",
            metadata={"topic": rng.choice(_WORDS), "level": rng.randrange(5)},
        )
        for number in range(samples // epochs)
    ]
    task = Task(
        dataset=MemoryDataset(questions, name="generated"),
        solver=[system_message(_text(rng, 60)), generate(), user_message("Again."), generate()],
        scorer=match(),
        config=GenerateConfig(temperature=0.0),
        name="generated",
    )
    logs = run_eval(
        task,
        model=get_model("mockllm/model", custom_outputs=_outputs(rng, rate)),
        epochs=epochs,
        log_dir=str(out_dir),
        log_format="eval",
        log_realtime=False,
        display="none",
        max_samples=64,
    )
    log = logs[0]
    if log.status != "success":
        raise SystemExit(f"the run ended with status {log.status}: {log.error}")
    return Path(log.location)


def main() -> None:
    """Command line: OUT_DIR, --samples, --epochs, --rate, --seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.45)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    start = time.monotonic()
    path = generate_log(options.out_dir, options.samples, options.epochs, options.rate, options.seed)
    print(f"{path}\t{path.stat().st_size} bytes\t{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
