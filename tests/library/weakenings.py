"""What successive versions weakened, as the notes report it and as it can be read in the texts."""

from typing import NamedTuple

from scalegate.core.duties import Modality
from tests.library.cases import A1, A2, A3, G1, G2, G31, M1, M2, O1, O2, SILENCE


class Weakening(NamedTuple):
    """A new version permits what the old one held.

    Attributes:
        old, new: the versions.
        about: the aspect.
        question: the action, or `SILENCE`.
        words: what was weakened.
        weakest: the weakest modality that counts.
    """

    old: str
    new: str
    about: str
    question: str
    words: str
    weakest: Modality = "must"


class Dropped(NamedTuple):
    """A declared practice that the new version has no more (`now` empty), or has more weakly."""

    old: str
    new: str
    key: str
    now: str


WEAKENINGS = (
    Weakening(A1, A2, "cadence", "train", "three months became six"),
    Weakening(A1, A2, "autonomy", "train", "the autonomy threshold became a checkpoint"),
    Weakening(A1, A2, "cbrn-training", "train", "the next level need not be specified first"),
    Weakening(A1, A2, "internal-use", "deploy.internal", "access controls suffice in house"),
    Weakening(A1, A2, "deployment", "deploy.api", "interim measures, and no cyber threshold"),
    Weakening(A1, A2, "race-floor", "deploy.api", "any rival that lags, in place of a rogue emergency"),
    Weakening(A1, A2, "race-terms", "deploy.api", "no government is consulted"),
    Weakening(A1, A2, "security", "store.weights", "interim measures of equal assurance"),
    Weakening(A1, A2, "open-weights", "release.weights", "no red team of the weights themselves"),
    Weakening(A1, A2, "reports", SILENCE, "no quarterly report on how far the policy is carried out"),
    Weakening(A2, A3, "cadence", "train", "tests have no interval"),
    Weakening(A2, A3, "cbrn-training", "train", "no pause for missing security"),
    Weakening(A2, A3, "training-pause", "train", "pauses only in two scenarios"),
    Weakening(A2, A3, "deployment", "deploy.api", "radiological and nuclear thresholds are gone"),
    Weakening(A2, A3, "internal-use", "deploy.internal", "use in house is reported, not held"),
    Weakening(A2, A3, "internal-research", "deploy.internal", "no affirmative case"),
    Weakening(A2, A3, "security", "store.weights", "the fourth level became a recommendation"),
    Weakening(A2, A3, "race-floor", "deploy.api", "a mostly marginal argument carries it, once both bodies approve"),
    Weakening(O1, O2, "cadence", "train", "no tests at twice the compute"),
    Weakening(O1, O2, "deployment", "deploy.api", "persuasion, nuclear and autonomy have no gate"),
    Weakening(O1, O2, "training-pause", "deploy.api", "no evidence that critical tasks are not started unasked"),
    Weakening(O1, O2, "race-floor", "deploy.api", "there is a clause about rivals now"),
    Weakening(O1, O2, "reports", SILENCE, "no monthly report"),
    Weakening(O1, O2, "drills", SILENCE, "drills are no priority", "recommend"),
    Weakening(G1, G2, "cadence", "train", "no interval", "aim"),
    Weakening(G1, G2, "training-pause", "train", "a hold that may be, in place of one that will"),
    Weakening(G1, G2, "deployment", "deploy.partners", "a hold that may be, and general availability only"),
    Weakening(G1, G2, "autonomy", "deploy.api", "the domain is gone"),
    Weakening(G1, G2, "security-race", "store.weights", "recommended, and adjustable to peers"),
    Weakening(G2, G31, "training-pause", "train", "not even a hold that may be", "may"),
    Weakening(G2, G31, "deployment", "deploy.api", "similar models of others make a risk acceptable"),
    Weakening(G2, G31, "security-race", "store.weights", "otherwise adequate is enough", "recommend"),
    Weakening(M1, M2, "critical", "train", "an acceptable risk is enough to go on"),
    Weakening(M1, M2, "internal-use", "deploy.internal", "more than a few experts may use it"),
)

DROPPED = (
    Dropped(A1, A2, "safety buffer", ""),
    Dropped(A1, A2, "retention", "aim"),
    Dropped(A1, A2, "pause financing", ""),
    Dropped(A2, A3, "elicitation", ""),
    Dropped(A2, A3, "inconclusive results", ""),
    Dropped(A2, A3, "security level", "recommend"),
    Dropped(O1, O2, "safety buffer", ""),
    Dropped(O1, O2, "drills", "may"),
    Dropped(O1, O2, "external evaluation", "may"),
    Dropped(G2, G31, "resumption", ""),
    Dropped(M1, M2, "threshold rewrite", ""),
)
