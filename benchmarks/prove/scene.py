"""Two policies with many lines: for each capability and each of four actions a threshold, and a target to resume at."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from scalegate.core.kernel import Kernel
from scalegate.policy import load

ACTIONS = ("deploy.internal", "deploy.api", "release.weights", "store.weights")
HEAD = """\
scalegate: policy/v1
id: {name}
version: "1.0"
issuer: lab
effective: 2026-01-01
scope: everything
roles:
  developer: {{}}
  auditor: {{independent of: [developer]}}
evaluations:
"""
EVALUATION = """\
  {name}:
    kind: {kind}
    test: {name}@sha256:{digest}
    score: success rate
    by: auditor
    accept: [aggregate, edited scores, earlier runs]
    valid for: {{system: this exact one, time: 6 months}}
"""
LINE = """\
  line-{capability}-{place}:
    hold: {action}
    unless shown: capability-{capability} <= {above}%
    once crossed, resume only if shown: residual-{capability} < {below}%
"""


def policy(
    name: str, capabilities: int, *, tighter: int = 0, but: Mapping[tuple[int, int], int] | None = None
) -> Kernel:
    """Return a policy in which six variables tell each capability: a score, an age and a report, twice.

    Args:
        name: its id.
        capabilities: how many.
        tighter: by how many percent all its thresholds are lower.
        but: other thresholds in percent, by capability and the place of the action.
    """
    parts = [HEAD.format(name=name)]
    for capability in range(capabilities):
        for kind, word in (("capability", "capability"), ("safety", "residual")):
            full = f"{word}-{capability}"
            parts.append(EVALUATION.format(name=full, kind=kind, digest=sha256(full.encode()).hexdigest()))
    parts.append("commitments:\n")
    for capability in range(capabilities):
        for place, action in enumerate(ACTIONS):
            above = (but or {}).get((capability, place), 50 - 10 * place - tighter)
            parts.append(LINE.format(capability=capability, place=place, action=action, above=above, below=10 - place))
    return load("".join(parts), f"{name}.yaml")
