"""What a permit costs a training loop in torch: the guard of every optimizer step, and the question behind it.

Three loops of empty steps take turns in one run: without any hook, with a hook that does nothing, and under a permit.
A real step varies by more than the guard costs, so that its share is no difference of two of them: after each real
step, whose work has emptied the caches, one empty step is timed, bare and under the permit in turn.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, process_time_ns
from typing import Any

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.cli.main import main as command
from scalegate.enforce.boundary import Plan
from scalegate.integrations.around import Around
from scalegate.integrations.torch import GatedRun, gated
from scalegate.ledger.note import SignatureType

HERE = Path(__file__).resolve().parent
STEPS, BLOCKS = 2_000, 60
REAL = 15
FLOP = 1_000_000
POLICY = """\
scalegate: policy/v1
id: bench
version: "1.0"
issuer: acme
effective: 2026-01-01
scope: effective compute > 1e24 FLOP

roles:
  developer: {}

evaluations:
  autonomy:
    kind: capability
    test: autonomy-bank@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    score: success rate
    by: developer
    due: at 4x effective compute or 3 months, whichever is first
    no result, stop: at 6x or 4 months

commitments:
  line:
    hold: [train, deploy]
    unless shown: autonomy <= 20%
    once crossed, resume only if shown: never
"""


class Empty(Optimizer):
    """Does nothing, through all of torch's machinery around a step."""

    def step(self, closure: object = None) -> None:
        """Do nothing."""


class Through(torch.nn.Module):
    """Returns what it gets; it has one weight, so that a permit can be for it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch


def rows() -> list[dict[str, Any]]:
    """Return the rows of `benchmarks/run.py`."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made, _inside(Path(made)):
        model = Through()
        permit, trust = _permit(Path(made), model)
        around = Around(host="bench", tell=lambda _text: None)
        with gated(model, permit, Path(made) / "tiny", Plan(FLOP, tokens=8), trust=trust, around=around) as run:
            idle, ours = _turns(model, run)
            real, cold, look = _real_step(model, run)
    share = (cold + look * min(1.0, real / 1e6)) / real
    agree = _agree()
    turns = f"medians of {BLOCKS} blocks of {STEPS:,} empty steps, in turn"
    return [
        {
            "name": "enforce.step", "value": ours, "unit": "us", "target": 5.0,
            "note": f"hooks, counters and question of one rank, above a loop without any; {turns}",
        },
        {"name": "enforce.idle", "value": idle, "unit": "us", "note": "the same with a hook that does nothing instead"},
        {"name": "enforce.look", "value": look, "unit": "us", "note": "clock and renewal, once a second; caches cold"},
        {
            "name": "enforce.share", "value": share * 100, "unit": "% of a step", "target": 0.1,
            "note": f"what a permit adds to an empty step with cold caches ({cold:.0f} us), and looks, of a step of "
            f"{real / 1_000:.0f} ms: 4 layers of width 256, 8 x 128 tokens, on one core",
        },
        {
            "name": "enforce.agree", "value": agree, "unit": "us",
            "note": "wall time, median: five numbers, 2 ranks of one machine, gloo; once each `agree_every` steps",
        },
    ]  # fmt: skip


def _turns(model: Through, run: GatedRun) -> tuple[float, float]:
    """Return microseconds that a step takes more than a bare one: with an idle hook, and under the permit."""
    session, batch = run.session, torch.ones(2, 4)
    optimizer = Empty(model.parameters(), {})

    def unguarded() -> float:
        return _block(lambda: (model(batch), optimizer.step()))

    def idle() -> float:
        hook = register_optimizer_step_pre_hook(lambda *_all: None)
        try:
            return unguarded()
        finally:
            hook.remove()

    def guarded() -> float:
        session.guard()
        try:
            return _block(lambda: (model(batch), optimizer.step(), run.stop))
        finally:
            _let_go(session)

    _let_go(session)
    found = []
    gc.collect()
    gc.disable()
    for turn in range(BLOCKS + 3):
        # Each beside the bare block of its own turn: what else the machine does changes from turn to turn.
        bare, nothing, ours = unguarded(), idle(), guarded()
        if turn >= 3:
            found.append((nothing - bare, ours - bare))
    gc.enable()
    if run.session.keeper.step != STEPS * (BLOCKS + 3):
        raise SystemExit(f"the guard counted {run.session.keeper.step} steps")
    nothing, ours = (statistics.median(column) for column in zip(*found, strict=True))
    return nothing, ours


def _let_go(session: Any) -> None:
    """Take the hooks away, without letting go of the permit."""
    for hook in session._hooks:  # noqa: SLF001 - no job does this
        hook.remove()
    session._hooks = []  # noqa: SLF001 - no job does this


def _block(step: Callable[[], object]) -> float:
    begun = process_time_ns()
    for _ in range(STEPS):
        step()
    return (process_time_ns() - begun) / 1_000 / STEPS


def _real_step(tiny: Through, run: GatedRun) -> tuple[float, float, float]:
    """Return microseconds of a step of a small transformer, and of what a permit adds right behind it.

    What it adds is that to an empty step, and that of a look.
    """
    layer = torch.nn.TransformerEncoderLayer(256, 4, 1_024, batch_first=True)
    model = torch.nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    optimizer, empty = torch.optim.AdamW(model.parameters()), Empty(tiny.parameters(), {})
    batch, small = torch.randn(8, 128, 256), torch.ones(2, 4)

    def step() -> None:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()

    steps, bare, ours, looks = [], [], [], []
    for _ in range(REAL):
        steps.append(_took(step))
        bare.append(_took(lambda: (tiny(small), empty.step())))
        step()
        run.session.guard()
        run.session.keeper._checked = monotonic()  # noqa: SLF001 - not in this second
        ours.append(_took(lambda: (tiny(small), empty.step(), run.stop)))
        _let_go(run.session)
        step()
        run.session.keeper._checked = 0.0  # noqa: SLF001 - as if a second had passed
        looks.append(_took(run.session.keeper.check))
    return statistics.median(steps), statistics.median(ours) - statistics.median(bare), statistics.median(looks)


def _took(act: Callable[[], object]) -> float:
    begun = process_time_ns()
    act()
    return (process_time_ns() - begun) / 1_000


def _agree() -> float:
    """Return microseconds of a round of agreement among two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    told["PYTHONPATH"] = str(HERE.parents[1] / "src")
    processes = [
        subprocess.Popen(
            [sys.executable, str(HERE / "agree.py")],
            env=os.environ | told | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [process.communicate(timeout=120)[0] for process in processes]
    return float(said[0])


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder whose keys nobody else uses."""
    before = os.environ.get("SCALEGATE_KEYS")
    os.environ["SCALEGATE_KEYS"] = str(folder / "keys")
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.pop("SCALEGATE_KEYS")
        if before is not None:
            os.environ["SCALEGATE_KEYS"] = before


def _permit(folder: Path, model: torch.nn.Module) -> tuple[Path, Path]:
    """Make a store, and return a permit and the trust file it was given under."""
    keyring = Keyring(folder / "keys", Secrets({}))
    lines = [keyring.create_note("bench.example/log", SignatureType.NOTE, protected=False).line, "quorum none"]
    people = (("gate", "gate"), ("ada", "developer"))
    lines += [keyring.create(name, (role,), protected=False).line for name, role in people]
    trust, policy = folder / "trust", folder / "policy.yaml"
    trust.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    policy.write_text(POLICY, encoding="utf-8")
    (folder / "tiny").mkdir()
    torch.save(model.state_dict(), folder / "tiny" / "weights.pt")
    ada = ("--by", "ada", "--role", "developer")
    permit = folder / "bench.permit"
    for words in (
        ("init", "--trust", trust, "--policy", policy, *ada),
        ("subject", "add", "tiny", folder / "tiny", "--issuer", "acme", "--compute", 0, "--from-scratch", *ada),
        ("gate", "train", "--subject", "tiny", "--to", "1e20", "--permit", permit, "--job", "bench", "--host", "bench"),
    ):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = command([str(word) for word in words])
        if code != 0:
            raise SystemExit(f"`scalegate {words[0]}` ended with exit code {code}: {said.getvalue()}")
    return permit, trust


if __name__ == "__main__":
    for row in rows():
        print(f"{row['name']:<14} {row['value']:10.4g} {row['unit']}  {row['note']}")
