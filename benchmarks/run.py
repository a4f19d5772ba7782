"""All measurements of one machine in one run: a table, and `benchmarks/results.json`.

    make bench
    python benchmarks/run.py [gate] [cli] [enforce] [ingest] [ledger] [prove] [stats] [--inspect-python PYTHON]

Every number beside ours was measured in the same run. Times are CPU times.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
SAMPLES = 4_000

# What other tools need is not ours to require: a peer that is not installed fails the run, and says so.
sys.path.insert(0, str(HERE.parent / "src"))
sys.path.insert(0, str(HERE / "gate"))
sys.path.insert(0, str(HERE / "prove"))
sys.path.insert(0, str(HERE / "stats"))

# Samples over the limit, in the mean and at the worst, at an error of 5% and of 0.1%.
SAMPLE_TARGETS = {
    "planned": {"5%": (1.35, 1.50), "0.1%": (1.22, 1.30)},
    "fitted": {"5%": (1.25, 1.30), "0.1%": (1.18, 1.22)},
    "open": {"5%": (1.45, 1.55), "0.1%": (1.27, 1.32)},
}


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
    rows = []
    for name, checkpoints, target in (("cli.gate.cold", 33, 250.0), ("ledger.gate.cold", 3_333, 400.0)):
        found = module.measure(checkpoints)
        note = f"{found.policy_lines}-line policy, {found.entries} entries below a head that the gate signed"
        rows.append(Row(name, found.ours * 1_000, "ms", module.PEER, found.empty * 1_000, target, note))
    return rows


def ledger() -> list[Row]:
    """Time the log, its signatures, stores and audits, and count the bytes of a proof."""
    files = sorted((HERE / "ledger").glob("*.py"))
    return [Row(**row) for file in files for row in _module(f"ledger/{file.name}").rows()]


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


def stats() -> list[Row]:
    """Count samples beside other tests of the same question, and time what is done with a boundary."""
    found = _module("stats/measure.py").measure()
    errors, banks, costs = found.errors, found.banks, found.costs
    drawn = f"{found.paths:,} paths a cell, cut at {found.cut} x the limit"
    rows = [row for one in found.samples for row in _samples(one, drawn)]
    rows.append(
        Row(
            "stats.error.exact", errors.most, "of alpha", "peeking at 95%", errors.peeking, 1.0,
            f"largest of {errors.boundaries} boundaries, half of which spend {errors.median:.1%} or more, each also "
            "summed by another program; peeking: the interval of Clopper and Pearson after each of 1,000 samples, over "
            "5%, at the worst threshold",
        )
    )  # fmt: skip
    kept = ", ".join(f"{bank}: {taken:.0f}" for bank, taken in banks.banks.items())
    note = f"exact, where least is saved; t=.2, gap .05, 5%; samples by items {kept}; population {banks.population:.0f}"
    rows.append(Row("stats.bank.saved", banks.ratio, "of population", target=0.75, note=note))
    for (rate, agreement), one in found.audits.items():
        note = (
            f"{one.with_report:.0f} items, {one.without:.0f} without a report; +-{one.deviation:.3f}; "
            f"{found.audited:,} audits of 1,000 items, {found.checked} of them also by the package; t=.2, 5%"
        )
        target = 0.55 if float(agreement) > 0.9 else 1.05
        name = f"stats.audit.agree{agreement * 100}.rate{rate * 100}"
        rows.append(Row(name, one.ratio, "of plain", target=target, note=note))
    slowest = "20,000 samples, at the slowest of three thresholds"
    return [
        *rows,
        Row("stats.update", costs.update, "us", target=1.0, note="one boundary, a path of 20,000 samples"),
        Row("stats.plan", costs.plan, "s", target=3.0, note=f"both sides of {slowest}, and what comes of five rates"),
        Row("stats.check", costs.check, "s", target=1.0, note=f"one boundary of {slowest}"),
    ]


def _samples(one: Any, drawn: str) -> list[Row]:
    """Return the rows of one error: ours, each beside the peers that it may be held against."""
    alpha = f"{float(one.alpha) * 100:g}%"
    fixed = ("fixed n, power .8", one.fixed, "exact; told the true rate beforehand, and one run in five shows nothing")
    open_ended = (
        ("Hoeffding mixture", one.hoeffding, "exact; one-sided, rho 50"),
        ("empirical Bernstein", one.bernstein, f"one-sided; {drawn}"),
        ("hedged betting", one.hedged, f"one-sided; {drawn}"),
    )
    rows = []
    for name, ratios, note, peers in (
        ("planned", one.planned, "one plan for all gaps, 8 x the limit at gap .02", (fixed, *open_ended)),
        ("fitted", one.fitted, "a plan for each gap, 14 x its limit and at least 40", (fixed,)),
        ("open", one.unplanned, "no plan, followed for 14 x the limit at gap .02", open_ended),
        ("betting", one.betting, "no plan, for any scores between 0 and 1, followed as far", open_ended),
    ):
        mean, worst = SAMPLE_TARGETS.get(name, {}).get(alpha, (None, None))
        said = f"exact, {note}, at most {ratios.left:.0e} of runs undecided; {ratios.gaps}"
        own = Row(f"stats.samples.{name}.mean@{alpha}", ratios.mean, "x limit", target=mean, note=said)
        rows += [own, Row(f"stats.samples.{name}.worst@{alpha}", ratios.worst, "x limit", target=worst)]
        for peer, theirs, how in peers:
            # The peers are described once, beside the plan.
            said = _of_peer(peer, theirs, how) if name == "planned" else ""
            rows.append(replace(own, target=None, peer=peer, peer_value=theirs.mean, note=said))
    return rows


def _of_peer(peer: str, theirs: Any, how: str) -> str:
    """Say how a peer's samples were counted."""
    cut = f", so an under-estimate: up to {theirs.left:.2%} are" if theirs.deviation and theirs.left else ""
    spread = f" +-{theirs.deviation:.3f}" if theirs.deviation else ""
    return f"{peer}, {how}{cut};{spread} {theirs.gaps}, worst {theirs.worst:.2f}"


def enforce() -> list[Row]:
    """Time what a permit adds to the steps of a training loop."""
    return [Row(**row) for row in _module("enforce/measure.py").rows()]


def prove() -> list[Row]:
    """Time comparisons of two policies beside the Python interface of the same solver."""
    return [Row(**row) for row in _module("prove/measure.py").rows()]


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
    names = ("gate", "cli", "enforce", "ingest", "ledger", "prove", "stats")
    parser.add_argument("rooms", nargs="*", choices=[[], *names], help="all without any")
    parser.add_argument("--inspect-python", default=sys.executable, help="an interpreter that has inspect_ai")
    options = parser.parse_args(arguments)
    rooms: dict[str, Callable[[], list[Row]]] = {
        "gate": gate,
        "cli": cli,
        "ingest": lambda: ingest(options.inspect_python),
        "ledger": ledger,
        "stats": stats,
        "enforce": enforce,
        "prove": prove,
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
