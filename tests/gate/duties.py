"""Regimes of the gate's tests: whom they bind, what has to be done in time, which roles they mandate."""

from __future__ import annotations

from textwrap import dedent

from scalegate.gate.obligations import ObligationState, obligation_state
from scalegate.gate.records import index
from tests.gate.policies import policy
from tests.gate.world import World

HEAD = """\
scalegate: policy/v1
kind: regime
id: act
version: "1"
issuer: office
effective: 2026-01-01
"""
ROLES = """\
roles:
  developer: {}
  auditor: {independent of: [developer]}
  regulator: {independent of: [developer, auditor]}
  panel: {quorum: 2 of 3, independent of: [developer]}
"""
INCIDENT = """\
incident-report:
  does: report a critical incident
  within: 72 hours
  from: incident-believed by developer
  met when: incident-reported by regulator
"""
RISK = """\
risk-report:
  does: publish a risk report
  every: 3 months
  met when: risk-report-published by auditor
"""
ON_TIME = """\
on-time:
  hold: deploy.api
  unless shown: not overdue incident-report
  once crossed: never
"""
# A laboratory whose own policy lets everything pass that the tests ask for.
FREE = policy(
    "free:\n  hold: delete.weights\n  unless shown: never\n  once crossed: never\n",
    evaluations="",
    capabilities="",
    scope="scope: effective compute > 0 FLOP\n",
)


def regime(
    commitments: str = ON_TIME,
    *,
    binds: str = "every developer",
    obligations: str = INCIDENT,
    mandates: str = "",
    roles: str = ROLES,
    name: str = "act",
) -> str:
    """Put a regime together; the arguments are blocks without their heading."""
    text = HEAD.replace("id: act", f"id: {name}") + f"binds: {binds}\n" + roles
    for title, block in (("mandates", mandates), ("obligations", obligations), ("commitments", commitments)):
        if block:
            lines = dedent(block).splitlines()
            text += f"{title}:\n" + "".join(f"  {line}\n" for line in lines)
    return text + "amendments: {approved by: [regulator], notice: 30 days, weakening: forbidden while holding}\n"


def lab(*regimes: str, own: str | None = FREE) -> World:
    """Return a laboratory with a model, under its own policy and these regimes."""
    world = World(own)
    for text in regimes:
        world.adopt(text, by="office", role="regulator")
    world.declare("base", compute=1e25)
    return world


def stands(world: World, name: str = "incident-report", policy: str = "act") -> ObligationState:
    """Return how an obligation stands now."""
    owner = world.kernels[policy]
    return obligation_state(index(tuple(world.entries), world.now), owner, owner.duties.obligations[name])
