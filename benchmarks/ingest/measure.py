"""Verified ingestion of an Inspect log against inspect_ai's own reader: CPU time and peak memory.

    python benchmarks/ingest/measure.py LOG --inspect-python PYTHON [--repeat 3]

Each measurement is a fresh process. Imports are excluded: CPU is `time.process_time` around the one call, memory is
the peak of the resident set during the call (the kernel's high-water mark, reset before it) above what was resident
right before. Linux only.

Verified means: every byte of the file hashed, every member's CRC checked, every sample hashed and decoded for its
scores, and samples, summaries, reductions, header metrics, counts and plan compared. Our reader decodes fewer
fields than Inspect's; the claim is about verified scores, not about reading everything faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"

_FRAME = """
import gc, json, sys, time
{imports}
def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key))
gc.collect()
with open("/proc/self/clear_refs", "w") as control:
    control.write("5")
before = status("VmRSS")
start = time.process_time()
result = {call}
cpu = time.process_time() - start
peak = status("VmHWM") - before
print(json.dumps({{"cpu_s": cpu, "peak_kib": peak, "samples": {count}}}))
"""

OURS = _FRAME.format(
    imports="from scalegate.ingest.read import read_log",
    call="read_log(sys.argv[1])",
    count="0 if result.refusal else len(result.columns[0])",
)
INSPECT = _FRAME.format(
    imports="from inspect_ai.log import read_eval_log",
    call="read_eval_log(sys.argv[1])",
    count="len(result.samples or [])",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Best of several runs of one reader: CPU seconds, peak KiB above the start, samples it returned."""

    cpu_s: float
    peak_kib: int
    samples: int


def run_once(script: str, log: Path, python: str = sys.executable) -> Cost:
    """Run a reader in a fresh process."""
    done = subprocess.run(
        [python, "-c", script, str(log)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        check=True,
        text=True,
    )
    return Cost(**json.loads(done.stdout))


def best(runs: list[Cost]) -> Cost:
    """Return the lowest CPU time and the lowest peak memory."""
    return Cost(min(run.cpu_s for run in runs), min(run.peak_kib for run in runs), runs[0].samples)


def compare(log: Path, inspect_python: str, repeat: int = 3) -> dict[str, object]:
    """Return the costs of both readers on one log, in turns, and how many times cheaper ours is."""
    turns = [(run_once(OURS, log), run_once(INSPECT, log, inspect_python)) for _ in range(repeat)]
    ours, theirs = best([turn[0] for turn in turns]), best([turn[1] for turn in turns])
    if ours.samples != theirs.samples:
        raise SystemExit(f"{ours.samples} samples read, {theirs.samples} by inspect_ai")
    return {
        "log_bytes": log.stat().st_size,
        "ours": asdict(ours),
        "inspect": asdict(theirs),
        "cpu_ratio": theirs.cpu_s / ours.cpu_s,
        "memory_ratio": theirs.peak_kib / ours.peak_kib,
    }


def main() -> None:
    """Command line: LOG, --inspect-python, --repeat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--inspect-python", default=sys.executable)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(compare(options.log, options.inspect_python, options.repeat), indent=2))


if __name__ == "__main__":
    main()
