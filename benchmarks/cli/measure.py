"""CPU time of a cold `scalegate gate`: a new process, on a signed store with 101 entries and a policy of 64 lines."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.core.canonical import digest_bytes
from scalegate.core.events import Event, PolicyAdopted, ResultReported, RunRegistered, SubjectDeclared
from scalegate.core.quantities import DAY, ComputeRange, instant
from scalegate.core.subject import Edge, Subject
from scalegate.ledger.errors import StoreError
from scalegate.ledger.log import Ask
from scalegate.ledger.note import SignatureType
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import Trust, parse_trust
from scalegate.policy import load

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"

CHECKPOINTS = 33
RUNS = 9
PEER = "python -c pass"


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Median CPU seconds of our command and of an empty interpreter; what the command was asked about."""

    ours: float
    empty: float
    policy_lines: int
    entries: int


def make_keys(keyring: Keyring) -> Trust:
    """Make keys of a log, its gate and two people, and return the trust file that names them."""
    lines = [keyring.create_note("lighthouse.example/log", SignatureType.NOTE, protected=False).line, "quorum none"]
    people = (("gate", "gate"), ("ada", "developer"), ("lea", "auditor"))
    lines += [keyring.create(name, (role,), protected=False).line for name, role in people]
    return parse_trust("".join(f"{line}\n" for line in lines))


def make_store(folder: Path, keys: Path, checkpoints: int = CHECKPOINTS) -> int:
    """Make a store: a policy, and checkpoints of one run, each with a registered and reported evaluation.

    Args:
        folder: where the store will be.
        keys: where the keys will be.
        checkpoints: how many; each makes three entries.
    """
    text = (HERE / "policy.yaml").read_text(encoding="utf-8")
    kernel = load(text, "policy.yaml")
    autonomy = kernel.evaluations["autonomy"].digest or ""
    start = instant("2026-01-05")
    events: list[Event] = [PolicyAdopted(kernel.id, digest_bytes(text.encode()), text, "", start, "ada", "developer")]
    parents: tuple[Edge, ...] = ()
    for place in range(checkpoints):
        name = f"orion-{place}"
        own = ComputeRange(10**24, 10**24)
        mark = digest_bytes(name.encode())
        subject = Subject(
            name, mark, kernel.issuer, "model", parents, lineage_declared=True, compute=own, made_at=start
        )
        run = f"{name}-autonomy"
        events += [
            SubjectDeclared(subject, "ada", "developer"),
            RunRegistered(run, autonomy, name, "", "", 200, "", start + 30 * DAY, (), "developer", "lea", "auditor"),
            ResultReported(
                run=run,
                log=mark,
                successes=4,
                failures=196,
                missing=0,
                adaptive=False,
                binary=True,
                evidence_class="samples",
                derived=False,
                provenance=(),
                findings=(),
                harness="inspect 0.3.285",
                by="lea",
                role="auditor",
            ),
        ]
        parents = (Edge(name, "continue"),)
    keyring = Keyring(keys, Secrets({}))
    with LocalStore.create(folder, make_keys(keyring), keyring, start) as store:
        for found in store.commit([Ask(event, start + place) for place, event in enumerate(events)]):
            if isinstance(found, StoreError):
                raise found
        return len(store.history().entries)


def _cpu(command: Sequence[str], folder: Path, keys: Path) -> tuple[float, int]:
    """Return user and system seconds of a child, and its exit code."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    kept |= {"PYTHONPATH": str(SOURCE), "SCALEGATE_KEYS": str(keys)}
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.returncode


def measure(checkpoints: int = CHECKPOINTS) -> ColdStart:
    """Time the command and the empty interpreter, in turn, each question on a fresh copy of the store.

    Compiled bytecode is there, as after any first start. The answer is signed, and so is the head of the log behind it.
    """
    gate = [sys.executable, "-m", "scalegate.cli.main", "gate", "train"]
    gate += ["--subject", f"orion-{checkpoints - 1}", "--to", "5e25"]
    ours, empty = [], []
    with tempfile.TemporaryDirectory() as made:
        keys = Path(made) / "keys"
        entries = make_store(Path(made) / ".scalegate", keys, checkpoints)
        for turn in range(RUNS + 1):
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(Path(made) / ".scalegate", Path(folder) / ".scalegate")
                seconds, code = _cpu(gate, Path(folder), keys)
                if code not in (0, 1):
                    raise SystemExit(f"`scalegate gate` ended with exit code {code}")
                nothing, _ = _cpu([sys.executable, "-c", "pass"], Path(folder), keys)
            if turn > 0:
                ours.append(seconds)
                empty.append(nothing)
    lines = (HERE / "policy.yaml").read_text(encoding="utf-8").count("\n")
    return ColdStart(statistics.median(ours), statistics.median(empty), lines, entries)


if __name__ == "__main__":
    print(measure())
