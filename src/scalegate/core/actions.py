"""Actions: a partial order by how hard they are to undo, and what a hold of one covers."""

from __future__ import annotations

from collections.abc import Mapping

TRAIN = "train"
NEW_SCALE = "train.new-scale"
MITIGATION = "train.mitigation"
UNHOLDABLE = frozenset({"evaluate", "elicit", "study"})

# Harder to undo than: a hold of the key covers the key itself and everything reachable from it.
HARDER: Mapping[str, tuple[str, ...]] = {
    "deploy.internal": ("deploy.internal.autonomous-research", "deploy.partners"),
    "deploy.internal.autonomous-research": ("deploy.api",),
    "deploy.partners": ("deploy.api",),
    "deploy.api": ("deploy.finetuning",),
    "deploy.finetuning": ("release.weights",),
    "release.weights": (),
    TRAIN: (NEW_SCALE,),
    NEW_SCALE: (),
    MITIGATION: (),
    "store.weights": (),
    "delete.weights": (),
}
GROUPS: Mapping[str, str] = {"deploy": "deploy.internal", "release": "release.weights"}
IRREVERSIBLE = frozenset({"release.weights", "delete.weights"})
ACTIONS = frozenset(HARDER) | UNHOLDABLE
# What may stand after `hold`: an action that can be held, a group of them, or everything.
HOLD_WORDS = frozenset({*HARDER, *GROUPS, "everything"})


def covered(name: str) -> frozenset[str]:
    """Return every action that a hold of `name` covers; empty for a name that is no action.

    `everything` covers all but `evaluate`, `elicit` and `study`, which can never be held, and `train.mitigation`,
    which has its own capped permit: otherwise a hold would forbid its own release.
    """
    if name == "everything":
        return frozenset(HARDER) - {MITIGATION}
    reached: set[str] = set()
    todo = [GROUPS.get(name, name)]
    while todo:
        action = todo.pop()
        if action in HARDER and action not in reached:
            reached.add(action)
            todo.extend(HARDER[action])
    return frozenset(reached)
