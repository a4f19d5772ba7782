"""All measurements of one machine in one run: a table, and `benchmarks/results.json`.

    make bench
    python benchmarks/run.py [gate] [cli] [ingest] [--inspect-python PYTHON]

Every number beside ours was measured in the same run. Times are CPU times.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import util
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
SAMPLES = 4_000

# What other tools need is not ours to require: a peer that is not installed fails the run, and says so.
sys.path.insert(0, str(HERE.parent / "src"))
sys.path.insert(0, str(HERE / "gate"))


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        ratio: of the peer's value to ours; above 1 we are cheaper.
        target: what ours must not exceed; None where nothing was promised.
        least_ratio: what the ratio must reach; None where nothing was promised.
        met: whether both hold.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    target: float | None = None
    note: str = ""
    least_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if not self.peer_value else self.peer_value / self.value

    @property
    def met(self) -> bool | None:
        if self.least_ratio is not None:
            return self.ratio is not None and self.ratio >= self.least_ratio
        return None if self.target is None else self.value <= self.target

    @property
    def goal(self) -> str:
        """What was promised, in words."""
        if self.least_ratio is not None:
            return f">= {self.least_ratio:g}x"
        return "" if self.target is None else f"<= {self.target:g}"


def _module(path: str) -> ModuleType:
    """Load a file of this folder; the folders are no packages, and two of them have a `measure.py`."""
    name = path.removesuffix(".py").replace("/", "_")
    spec = util.spec_from_file_location(name, HERE / path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"there is no {path}")
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def gate() -> list[Row]:
    """Time decisions beside Cedar and Rego."""
    found = _module("gate/measure.py").measure()
    note = f"{found.states} situations, {found.permitted:.0%} permitted; all engines name the same commitments"
    return [
        Row("gate.decide", found.p50, "us", "cedarpy", found.cedar, 10.0, note),
        Row("gate.decide", found.p50, "us", "regopy", found.rego, 10.0, note),
        Row("gate.decide.permit", found.permit, "us", note="median of what is permitted"),
        Row("gate.decide.hold", found.hold, "us", note="median of what is held, every blocking leaf listed"),
        Row("gate.decide.p99", found.p99, "us"),
    ]


def cli() -> list[Row]:
    """Time a cold question beside an empty interpreter."""
    module = _module("cli/measure.py")
    found = module.measure()
    note = f"{found.policy_lines}-line policy, {found.entries} entries"
    return [Row("cli.gate.cold", found.ours * 1_000, "ms", module.PEER, found.empty * 1_000, 250.0, note)]


def ingest(inspect_python: str) -> list[Row]:
    """Time the verified reading of a log beside Inspect's own reading."""
    log = _log(inspect_python)
    found = _module("ingest/measure.py").compare(log, inspect_python)
    ours, theirs = found["ours"], found["inspect"]
    if ours["samples"] != SAMPLES:
        raise SystemExit(f"{ours['samples']} samples were read, not {SAMPLES}")
    note = f"{SAMPLES} samples, {found['log_bytes'] / 1e6:.1f} MB of zstd; best of several runs"
    mib = 1 / 1024
    return [
        Row("ingest.cpu", ours["cpu_s"], "s", "inspect_ai", theirs["cpu_s"], note=note, least_ratio=10),
        Row(
            "ingest.memory",
            ours["peak_kib"] * mib,
            "MiB",
            "inspect_ai",
            theirs["peak_kib"] * mib,
            note=note,
            least_ratio=10,
        ),
    ]


def _log(inspect_python: str) -> Path:
    """Return the log to read, made on first use."""
    target = CACHE / f"{SAMPLES}.eval"
    if not target.is_file():
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
        print(f"making a log of {SAMPLES} samples", file=sys.stderr, flush=True)
        made = CACHE / "made"
        generator = [str(HERE / "ingest" / "generate_log.py"), str(made), "--samples", str(SAMPLES), "--epochs", "1"]
        subprocess.run([inspect_python, *generator], check=True, stdout=subprocess.DEVNULL)
        (log,) = made.glob("*.eval")
        log.rename(target)
    return target


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    head = ("what", "ours", "unit", "beside", "theirs", "ratio", "target", "met")
    lines = [head]
    lines += [
        (
            row.name,
            f"{row.value:.3g}",
            row.unit,
            row.peer,
            "" if row.peer_value is None else f"{row.peer_value:.3g}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.goal,
            {True: "yes", False: "NO", None: ""}[row.met],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description="timings beside other tools")
    parser.add_argument("rooms", nargs="*", choices=[[], "gate", "cli", "ingest"], help="all without any")
    parser.add_argument("--inspect-python", default=sys.executable, help="an interpreter that has inspect_ai")
    options = parser.parse_args(arguments)
    rooms: dict[str, Callable[[], list[Row]]] = {
        "gate": gate,
        "cli": cli,
        "ingest": lambda: ingest(options.inspect_python),
    }
    rows = [row for name in options.rooms or rooms for row in rooms[name]()]
    print(table(rows))
    for note in dict.fromkeys(f"{row.name}: {row.note}" for row in rows if row.note):
        print(f"  {note}")
    found = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows],
    }
    if not options.rooms:
        (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
