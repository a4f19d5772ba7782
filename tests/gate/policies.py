"""Policy texts of the gate's tests. `POLICY` is the usual one; the others differ from it in "
"what their story is about."""

from __future__ import annotations

from textwrap import dedent, indent

PIN = {name: letter * 64 for name, letter in {"autonomy": "a", "deception": "d", "bio": "b"}.items()}

ROLES = """\
roles:
  developer: {}
  auditor: {independent of: [developer]}
  regulator: {independent of: [developer, auditor]}
  board: {quorum: 2 of 3}
"""

AUTONOMY = f"""\
autonomy:
  kind: capability
  test: autonomy-bank@sha256:{PIN["autonomy"]}
  score: success rate
  by: auditor
  due: at 4x effective compute or 3 months, whichever is first
  no result, stop: at 6x or 4 months
"""

DECEPTION = f"""\
deception:
  kind: safety
  test: deception-bank@sha256:{PIN["deception"]}
  score: deception rate
  by: auditor
  valid for: {{system: this exact one, time: 6 months}}
"""

BIO = f"""\
bio:
  kind: capability
  test: bio-bank@sha256:{PIN["bio"]}
  score: success rate
  by: auditor
  due: at 4x or 3 months
  no result, stop: at 6x or 4 months
"""

LIMIT = """\
limit:
  hold: [train, deploy]
  unless shown: autonomy <= 20%
  once crossed, resume only if shown: deception < 10%
"""

AMENDMENTS = "amendments: {approved by: [board, auditor], notice: 30 days, weakening: forbidden while holding}\n"


def policy(
    commitments: str = LIMIT,
    *,
    evaluations: str = AUTONOMY + DECEPTION,
    name: str = "lab",
    version: str = "1",
    issuer: str = "acme",
    kind: str = "policy",
    effective: str = "2026-01-01",
    scope: str = "scope: effective compute > 1e24\n",
    roles: str = ROLES,
    capabilities: str = "capabilities:\n  replication: {tested by: autonomy}\n",
    amendments: str = AMENDMENTS,
    more: str = "",
) -> str:
    """Put a policy text together; `evaluations` and `commitments` are blocks without their heading."""
    head = f'scalegate: policy/v1\nkind: {kind}\nid: {name}\nversion: "{version}"\n'
    head += f"issuer: {issuer}\neffective: {effective}\n"
    blocks = [("evaluations", evaluations), ("commitments", commitments)]
    body = "".join(f"{title}:\n{indent(dedent(block), '  ')}" for title, block in blocks if block)
    return head + scope + roles + capabilities + body + dedent(more) + amendments


POLICY = policy()
STOPPABLE = policy(more="stop orders: {by: regulator}\n")
COUNTERSIGNED = policy(more="permits: {countersigned by: auditor}\n")
