"""Where would a policy have held each Pythia run? Real results, the real reader, the real gate.

    python examples/pythia/replay.py [SIZE ...] [--data FOLDER] [--json FILE]

Every checkpoint is declared, its evaluations are registered and then reported, and the gate is asked whether training
may go on to the next checkpoint. The answers after the first hold are about what really happened next: the models
were trained on. Dates are invented, one checkpoint a day: here compute alone makes evidence old.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ladder import PARAMETERS, TASKS, Checkpoint, LadderError, read_size

from scalegate.core.canonical import digest, digest_bytes
from scalegate.core.decision import Decision, Request
from scalegate.core.events import (
    Entry,
    Event,
    History,
    PolicyAdopted,
    ResultReported,
    RunRegistered,
    SubjectDeclared,
)
from scalegate.core.kernel import Kernel
from scalegate.core.quantities import DAY, HOUR, ComputeRange, instant, show_flop
from scalegate.core.subject import Edge, Subject
from scalegate.gate import decide
from scalegate.policy import load

HERE = Path(__file__).resolve().parent
START = instant("2023-02-01")
WHO = "pythia-replay"


class Past:
    """A history in memory with a hand-moved clock."""

    def __init__(self) -> None:
        self.now = START
        self.entries: list[Entry] = []

    def record(self, event: Event) -> None:
        index, previous = len(self.entries), self.entries[-1].digest if self.entries else ""
        mark = digest([index, self.now, previous, repr(event)])
        self.entries.append(Entry(index, self.now, mark, event))

    def ask(self, subject: str, to: int) -> Decision:
        return decide(History(tuple(self.entries)), Request("train", subject, to), self.now)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate said at one checkpoint about going on to the next one."""

    step: int
    compute: int
    to: int
    decision: Decision

    @property
    def in_scope(self) -> bool:
        """Whether the policy binds what training would produce."""
        return not any("does not bind" in node.text for node in (self.decision.tree, *self.decision.tree.children))


def replay(size: str, checkpoints: Sequence[Checkpoint], text: str) -> list[Answer]:
    """Return the gate's answer at every checkpoint but the last."""
    kernel = load(text, "policy.yaml")
    past = Past()
    past.record(PolicyAdopted(kernel.id, digest_bytes(text.encode()), text, "", past.now, WHO, "developer"))
    answers, spent, parents = [], 0, ()
    for place, checkpoint in enumerate(checkpoints):
        past.now = START + place * DAY
        name = f"{size}-step{checkpoint.step}"
        own = ComputeRange(checkpoint.compute - spent, checkpoint.compute - spent)
        mark = digest_bytes(name.encode())
        subject = Subject(
            name, mark, kernel.issuer, "model", parents, lineage_declared=True, compute=own, made_at=past.now
        )
        past.record(SubjectDeclared(subject, WHO, "developer"))
        _evaluate(past, kernel, name, checkpoint)
        if place + 1 < len(checkpoints):
            to = checkpoints[place + 1].compute
            answers.append(Answer(checkpoint.step, checkpoint.compute, to, past.ask(name, to)))
        spent, parents = checkpoint.compute, (Edge(name, "continue"),)
    return answers


def _evaluate(past: Past, kernel: Kernel, subject: str, checkpoint: Checkpoint) -> None:
    """Register every evaluation of a checkpoint, and report it an hour later."""
    for name, count in checkpoint.counts.items():
        evaluation = kernel.evaluations[name].digest
        assert evaluation is not None  # noqa: S101 - the policy pins its tests
        run, end = f"{subject}-{name}", past.now + DAY
        past.record(
            RunRegistered(run, evaluation, subject, "", "", count.items, "", end, (), "developer", WHO, "developer")
        )
    past.now += HOUR
    reading = checkpoint.reading
    for name, count in checkpoint.counts.items():
        past.record(
            ResultReported(
                run=f"{subject}-{name}",
                log=reading.digest,
                successes=count.successes,
                failures=count.items - count.successes,
                missing=0,
                adaptive=False,
                binary=True,
                evidence_class="aggregate",
                derived=True,
                provenance=reading.provenance,
                findings=tuple(sorted({finding.code for finding in reading.findings})),
                harness=f"{reading.harness} {reading.harness_version}".strip(),
                by=WHO,
                role="developer",
                task=TASKS[name][0],
                content=reading.content,
            )
        )


# ---------------------------------------------------------------- what is told


def summary(size: str, checkpoints: Sequence[Checkpoint], answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what the policy would have done to one run, as plain data."""
    bound = next((item for item in answers if item.in_scope), None)
    held = [item for item in answers if item.decision.answer == "hold"]
    first = held[0] if held else None
    # Of the triggers: what the hold says about resuming is the same at every checkpoint.
    crossed = next((item for item in held if _kinds(item, "crossed")), None)
    last = answers[-1].decision
    return {
        "size": size,
        "final compute": str(answers[-1].to),
        "in scope from step": bound.step if bound else None,
        "held at step": first.step if first else None,
        "held at compute": str(first.compute) if first else None,
        "commitments": sorted({reason.commitment for reason in first.decision.reasons}) if first else [],
        "why": [reason.message for reason in first.decision.reasons] if first else [],
        "crossing proven at step": crossed.step if crossed else None,
        "held to the end": last.answer == "hold",
        "held at the end by": sorted({reason.commitment for reason in last.reasons}),
        "kinds at the end": sorted({reason.kind for reason in last.reasons}),
        "counts without a standard error": sum(
            count.inferred for item in checkpoints for count in item.counts.values()
        ),
        "answers": [
            {"step": item.step, "compute": str(item.compute), "to": str(item.to), "answer": item.decision.answer}
            for item in answers
        ],
    }


def _kinds(answer: Answer, kind: str) -> bool:
    return any(reason.kind == kind for reason in answer.decision.reasons)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the summaries as a table, and under it why each run was held."""
    head = ("size", "final FLOP", "in scope from", "held at", "at FLOP", "by", "crossing proven at", "held to the end")
    lines = [head]
    for row in rows:
        at = row["held at compute"]
        lines.append(
            (
                row["size"],
                _short(row["final compute"]),
                _step(row["in scope from step"], "never"),
                _step(row["held at step"], "never"),
                _short(at) if at else "-",
                ", ".join(row["commitments"]) or "-",
                _step(row["crossing proven at step"], "-"),
                ("yes" if row["held to the end"] else "no") if at else "-",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    out = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    for row in rows:
        if row["why"]:
            out += ["", f"{row['size']}, step {row['held at step']}: training on to the next checkpoint is held"]
            out += [f"  - {why}" for why in row["why"]]
            out += [f"  at the end held by {', '.join(row['held at the end by'])}"]
    return "\n".join(out) + "\n"


def _short(compute: str) -> str:
    """Return FLOP with three digits."""
    digits = str(int(compute))
    cut = max(0, len(digits) - 3)
    return show_flop(round(int(digits), -cut))


def _step(step: int | None, none: str) -> str:
    return none if step is None else f"step {step}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay and print; exit code 2 when the data is not there."""
    parser = argparse.ArgumentParser(description="Where would a policy have held each Pythia run?")
    parser.add_argument("sizes", nargs="*", choices=[[], *PARAMETERS], help="sizes to replay; all without any")
    parser.add_argument("--data", type=Path, help="folder pythia-v1-zero-shot of EleutherAI/pythia")
    parser.add_argument("--json", type=Path, help="also write everything there")
    options = parser.parse_args(arguments)
    shared = Path(os.environ.get("SCALEGATE_SHARED_DATA") or HERE.parents[2] / "shared" / "data")
    folder = options.data or shared / "lm_eval" / "pythia-v1-zero-shot"
    if not folder.is_dir():
        print("the ladder is not here: give its folder with --data", file=sys.stderr)
        return 2
    text = (HERE / "policy.yaml").read_text(encoding="utf-8")
    rows = []
    try:
        for size in options.sizes or PARAMETERS:
            checkpoints = read_size(folder, size)
            rows.append(summary(size, checkpoints, replay(size, checkpoints, text)))
    except LadderError as error:
        print(f"not the ladder: {error}", file=sys.stderr)
        return 2
    print(table(rows), end="")
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
