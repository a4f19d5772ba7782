"""Questions out of random histories: what `decide` answers, and what an export is asked in the same situation."""

from __future__ import annotations

from scalegate.app.bridging import asked
from scalegate.core.actions import MITIGATION
from scalegate.core.decision import Decision
from scalegate.core.subject import WEIGHT_EDGES
from scalegate.gate.apply import apply_policy
from scalegate.gate.chronicle import Chronicle
from scalegate.gate.lineage import Lineage
from scalegate.policy.export.document import Asked
from tests.gate.random_worlds import World


def question(world: World) -> tuple[Asked, Decision] | None:
    """Return the question of a world to its one policy, with the gate's whole answer; None where it is ill-posed."""
    decision = world.ask()
    if any(reason.kind in ("error", "missing") and not reason.commitment for reason in decision.reasons):
        return None
    (kernel,) = world.kernels
    chronicle = Chronicle(None, "")
    for entry in world.history().entries:
        chronicle.add(entry)
    records, _ = chronicle.at(world.now)
    lineage = Lineage(records.subjects, records.mitigated())
    application = apply_policy(records, lineage, world.request, kernel)
    stopped = any("stop order" in reason.message for reason in decision.reasons if not reason.commitment)
    started = 0
    if world.request.action == MITIGATION:
        permitted = {name for name, made in records.permits.items() if any(item == MITIGATION for _, item in made)}
        subject = records.subjects[world.request.subject]
        names = (lineage.ancestors(subject, WEIGHT_EDGES) & permitted & set(records.subjects)) | {subject.name}
        started = min(lineage.compute(records.subjects[name]).low for name in names)
    return asked(records, application, stopped=stopped, lacking=False, started=started), decision
