"""What a result's provenance takes from it: it may still speak against a permit, and no longer in favor of one."""

from __future__ import annotations

from collections.abc import Sequence

from scalegate.core.events import ResultReported
from scalegate.core.evidence import Gap
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import BEGAN_EARLIER, NO_ITEMS, NO_SCORER, NOT_DATED
from scalegate.gate.records import Run

_PICKED = {
    NO_SCORER: "has several scores, and nobody registered which of them counts",
    NO_ITEMS: "does not show that it holds every planned item, and nobody registered which were planned",
}
_UNTIMELY = {BEGAN_EARLIER: "began before it was registered", NOT_DATED: "does not say when it began"}


def flaws(result: ResultReported, evaluation: Evaluation) -> tuple[str, ...]:
    """Return what in a result's provenance bars favorable use, each as what is said of its run.

    Who registers a run after it began may have run it twenty times, and registered the best; who registers neither
    scorer nor items may pick them by what came out, which no policy can accept.
    """
    said = result.provenance
    late = () if evaluation.accept_earlier else [item for item in said if item in _UNTIMELY]
    refused = [item for item in said if item in evaluation.refuse_provenance]
    return (
        *(words for item, words in _PICKED.items() if item in said),
        *(f"{_UNTIMELY[item]}; the policy does not accept earlier runs" for item in late),
        *(f"is recorded with `{item}`, which the policy refuses" for item in refused),
    )


def flawed(reported: Sequence[Run], evaluation: Evaluation, evidence: tuple[str, ...]) -> Gap | None:
    """Return the gap that the newest result with refused provenance leaves; None where no result has any."""
    for run in reversed(reported):
        found = flaws(run.result, evaluation) if run.result else ()
        if found:
            who = evaluation.by or "somebody"
            repair = f"{who} registers a run of {evaluation.id} before it begins, with provenance the policy accepts"
            return Gap("untrusted", "; ".join(f"run {run.plan.run} {words}" for words in found), evidence, repair)
    return None
