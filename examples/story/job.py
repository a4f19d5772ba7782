"""A training job of the story, under a permit: `python job.py NAME --permit FILE --start FOLDER --out FOLDER`.

Exit code: 0 trained to the planned end, 1 held, 2 no permit for these weights.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import train
from transformers import TrainerCallback

from scalegate.enforce.permit import PermitError
from scalegate.integrations.keeper import HeldError

TELL_SECONDS = 10.0


class Progress(TrainerCallback):
    """Tells now and then how far training is."""

    def __init__(self) -> None:
        self.told = time.monotonic()

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        if time.monotonic() - self.told > TELL_SECONDS:
            self.told = time.monotonic()
            print(f"  step {state.global_step} of {state.max_steps}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["untrained", *train.LADDER, "mitigation", "child"])
    parser.add_argument("--permit", type=Path)
    parser.add_argument("--start", type=Path, help="what the model is loaded from, and the permit is for")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", type=Path, help="a checkpoint of this job to go on from")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    torch.set_num_threads(1)
    if given.name == "untrained":
        train.save(train.build(train.LADDER[given.out.name], train.SEED), given.out)
        return 0
    model = train.load(given.start)
    trainer = train.trainer_of(
        given.name, model, given.out, permit=given.permit, checkpoint=given.start, callbacks=[Progress()]
    )
    begun = time.monotonic()
    try:
        trainer.train(resume_from_checkpoint=str(given.resume) if given.resume else None)
    except PermitError as error:
        print(f"job {given.name} does not start: {error}")
        return 2
    except HeldError as error:
        print(f"job {given.name} was stopped: {error}")
        return 1
    steps = trainer.state.global_step
    held = trainer.held
    ending = f"held, {held.words} [{held.code}]" if held else "trained to its planned end"
    print(f"job {given.name}: step {steps} of {trainer.state.max_steps}, {time.monotonic() - begun:.0f} s; {ending}")
    return 1 if held else 0


if __name__ == "__main__":
    sys.exit(main())
