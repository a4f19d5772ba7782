"""What a comparison of two policies costs: its proof, a situation against it, and the smallest such situation.

Everything from two kernels to the answer is timed, texts and all; the policies were read before. The peer is given the
formulas, which take a third of our time, and builds and solves the same question through the Python interface of z3.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import process_time
from typing import Any

from peer import solve
from scene import policy

from scalegate.adapters.solvers.cvc5 import Cvc5
from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.kernel import Kernel
from scalegate.prove.ask import Script
from scalegate.prove.compare import QUESTIONS, Finding, Solvers, Table, together
from scalegate.prove.over_time import over_time
from scalegate.prove.permits import WHOLE

SMALL, LARGE = 10, 150
RUNS = 9
BY_Z3, BY_CVC5 = Solvers(Z3(), limit=60_000), Solvers(Cvc5(), limit=60_000)


def rows() -> list[dict[str, Any]]:
    """Return the rows of `benchmarks/run.py`."""
    strict, loose = policy("strict", SMALL, tighter=1), policy("loose", SMALL)
    odd = policy("odd", SMALL, tighter=1, but={(7, 1): 47})
    wide_strict, wide = policy("strict", LARGE, tighter=1), policy("loose", LARGE)
    wide_odd = policy("odd", LARGE, tighter=1, but={(LARGE // 2, 1): 47})
    proof, witness, large = (_script(*pair) for pair in ((strict, loose), (odd, loose), (wide_strict, wide)))
    counts = [len(script.concerned) for script in (proof, witness, large)]
    by_cvc5 = _took(lambda: _proved(strict, loose, BY_CVC5), 3)
    found_by_cvc5 = _took(lambda: _found(odd, loose, BY_CVC5), 3)
    said = f"{counts[0]} variables, {SMALL} capabilities, {len(QUESTIONS)} questions, one direction"
    return [
        _row("proof", _took(lambda: _proved(strict, loose, BY_Z3)), 50.0, _took(lambda: _expected(proof, "unsat")),
             f"{said}; cvc5 in place of z3: {by_cvc5:.0f} ms"),
        _row("witness", _took(lambda: _found(odd, loose, BY_Z3)), 25.0, _took(lambda: _expected(witness, "sat")),
             f"one threshold of {4 * SMALL} is looser; as the solver finds it; cvc5: {found_by_cvc5:.0f} ms"),
        _row("minimal", _took(lambda: _smallest(odd, loose)), 150.0, None,
             "that for each action in which they differ, as small as it gets, and replayed by the interpreter"),
        _row("large", _took(lambda: _proved(wide_strict, wide, BY_Z3), 3), 500.0,
             _took(lambda: _expected(large, "unsat"), 3),
             f"proof; {counts[2]} variables, {4 * LARGE} lines a policy; a situation: "
             f"{_took(lambda: _found(wide_odd, wide, BY_Z3), 3):.0f} ms"),
        _row("latch", _took(lambda: _latched(strict, loose)), 100.0, None,
             f"{SMALL} latches, one action, all histories: an order of latches that every step keeps"),
    ]  # fmt: skip


def _row(name: str, value: float, target: float, peer: float | None, note: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": f"prove.{name}", "value": value, "unit": "ms", "target": target, "note": note}
    return row if peer is None else row | {"peer": "z3's Python API", "peer_value": peer}


def _took(act: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median of milliseconds of CPU time; one call goes before, in which modules warm up."""
    act()
    found = []
    for _ in range(runs):
        begun = process_time()
        act()
        found.append((process_time() - begun) * 1_000)
    return statistics.median(found)


# ---------------------------------------------------------------- what is timed


def _table(first: Kernel, second: Kernel) -> Table:
    return Table([first], [second], WHOLE, QUESTIONS)


def _together(table: Table) -> Script:
    return together(table, [asked for _, asked in table._asked(backward=False)])  # noqa: SLF001 - what `ways` asks


def _script(first: Kernel, second: Kernel) -> Script:
    return _together(_table(first, second))


def _proved(first: Kernel, second: Kernel, solvers: Solvers) -> list[Finding]:
    found = [*_table(first, second).ways(solvers, backward=False)]
    if not all(item.strict for item in found) or not any(item.opinions for item in found):
        raise SystemExit("the stricter policy was not proved to be stricter")
    return found


def _found(first: Kernel, second: Kernel, solvers: Solvers) -> None:
    if solvers.ask(_together(_table(first, second))).status != "sat":
        raise SystemExit("no situation was found in which the looser line permits more")


def _smallest(first: Kernel, second: Kernel) -> None:
    found = [item for item in _table(first, second).ways(BY_Z3, backward=False) if item.strict is False]
    if not found or any(item.witness is None or len(item.witness.values) > 3 for item in found):
        raise SystemExit("the smallest situation tells more than three things")


def _latched(first: Kernel, second: Kernel) -> None:
    found = over_time([first], [second], "deploy.api", BY_Z3)
    if found.strict is not True or found.depth is not None:
        raise SystemExit("the stricter policy was not proved to be stricter in every history")


def _expected(script: Script, status: str) -> None:
    if solve(script) != status:
        raise SystemExit(f"the peer does not say {status}")


if __name__ == "__main__":
    for row in rows():
        print(f"{row['name']:<16} {row['value']:8.1f} {row.get('peer_value') or 0:8.1f} ms  {row['note']}")
