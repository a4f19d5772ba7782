"""Short policies to ask questions about."""

from __future__ import annotations

from pathlib import Path

from scalegate.adapters.solvers.cvc5 import Cvc5
from scalegate.adapters.solvers.z3 import Z3
from scalegate.core.kernel import Kernel
from scalegate.policy import load
from scalegate.prove.compare import Solvers

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
BOTH = Solvers(Z3(), Cvc5())

HEAD = """scalegate: policy/v1
id: {name}
version: "1"
issuer: acme
effective: 2026-01-01
scope: effective compute > 1e24 FLOP
roles:
  developer: {{}}
  auditor: {{independent of: [developer]}}
  regulator: {{independent of: [developer, auditor]}}
  board: {{quorum: 2 of 3, members: [ada, bea, cleo]}}
evaluations:
  autonomy:
    kind: capability
    test: autonomy-bank@sha256:fbbe90f0838fe676840a9c877e40141e340e6e08f84b47ad1f2855b95f19ea99
    score: success rate
    by: auditor
    due: at 4x effective compute or 3 months, whichever is first
    no result, stop: at 6x or 4 months
  deception:
    kind: safety
    test: deception-bank@sha256:eac63b9ebb10f0dbf66ac69af73a9d02782d78eb7e909d460300ca180ca8140a
    score: deception rate
    by: auditor
  motives:
    kind: understanding
    hole: nobody can say yet which measurement would be enough
    owner: alignment-team
    filled only by: {fillers}
    review by: 2027-01-01
safeguards:
  weight-security:
    means: controls@sha256:fa8eab5c93e0e294830521dfacf9056e8bd0cac2f9e51d2561c2ef50ee29774d
    stops: thieves
    because: case@sha256:b37bf8350fdab6880641ed803a85ae5463bd0502be320e91c13001c4772de6d4
    by: auditor
    valid for: {{time: 12 months}}
"""


def example(name: str) -> Kernel:
    """Return the kernel of a policy of the examples."""
    path = EXAMPLES / f"{name}.yaml"
    return load(path.read_text(encoding="utf-8"), path.name)


def policy(rest: str, *, name: str = "acme", fillers: str = "[board, auditor]", amendments: str = "") -> Kernel:
    """Return the kernel of a policy that has the usual head, its commitments and what follows them."""
    tail = f"amendments: {amendments}\n" if amendments else ""
    return load(HEAD.format(name=name, fillers=fillers) + rest + tail, f"{name}.yaml")


def line(conditions: str, *, hold: str = "[train, deploy]", name: str = "autonomy-line") -> str:
    """Return a commitment as text; conditions on lines of their own, separated by `|`."""
    body = "".join(f"    {part.strip()}\n" for part in conditions.split("|"))
    return f"commitments:\n  {name}:\n    hold: {hold}\n{body}"
