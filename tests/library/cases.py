"""Comparisons of published texts with known outcomes: what the solver has to say, and why, in words."""

from typing import NamedTuple

from scalegate.core.duties import Modality

A1, A2, A3 = "anthropic-rsp-1.0", "anthropic-rsp-2.2", "anthropic-rsp-3.4"
O1, O2 = "openai-preparedness-beta", "openai-preparedness-2"
G1, G2, G31 = "deepmind-fsf-1.0", "deepmind-fsf-2.0", "deepmind-fsf-3.1"
M1, M2 = "meta-faf-1.1", "meta-aasf-2"
X1, MS1, AZ1 = "xai-rmf-2025-08", "microsoft-fgf-1", "amazon-fmsf-2025-02"
EU, SB, NY = "eu-gpai-code-safety", "us-ca-sb53", "us-ny-raise"
SEO, FLI = "seoul-commitments", "fli-letter"

# Questions that are no actions, by the words that `scalegate.prove` has for them.
SILENCE, UNBOUND = "going on with nothing reported", "not being bound"


class Case(NamedTuple):
    """One comparison.

    Attributes:
        number: of the case; letters are ours, beside the fifteen that were given.
        first, second: what is compared.
        about: the aspect, or `scope`.
        question: the action that is asked about, or one of the two other questions.
        relation: how the first stands to the second.
        witness: the situation that tells them apart, in words.
        weakest: the weakest modality that counts.
        bound: whether only developers are looked at whom both bind.
        filled: whether holes are imagined filled.
    """

    number: str
    first: str
    second: str
    about: str
    question: str
    relation: str
    witness: str
    weakest: Modality = "must"
    bound: bool = False
    filled: bool = False


CASES = (
    Case("1", A1, G1, "cadence", "train", "stricter", "five times the compute: only the first asks for tests", "aim"),
    Case("2", A1, O1, "cadence", "train", "incomparable", "three times the compute; four months without more compute"),
    Case("3", A2, A1, "cadence", "train", "weaker", "a result that is four months old"),
    Case("4", A3, A2, "cbrn-training", "train", "weaker", "the threshold is reached, security is missing, no lead"),
    Case("4b", A3, A2, "training-pause", "train", "incomparable", "in the lead, 3.4 holds where 2.2 lets go on"),
    Case("5", M2, M1, "critical", "train", "weaker", "nothing mitigates it, and the officer finds the risk acceptable"),
    Case("5b", M2, M1, "critical-trigger", "train", "stricter", "development itself contributes to a threat"),
    Case("6", O2, A2, "race-floor", "deploy.api", "stricter", "a rival without safeguards, and ours are below his"),
    Case("7", A3, EU, "absolute-risk", "train", "weaker", "not acceptable, but both bodies approve", bound=True),
    Case("7b", A3, EU, "absolute-risk", "train", "incomparable", "below 1e25 FLOP the code binds nobody"),
    Case("8", SB, EU, "stop-duty", "train", "weaker", "nobody finds the risk acceptable"),
    Case("9", NY, SB, "incident-clock", SILENCE, "stricter", "an incident, a hundred hours ago"),
    Case("10", EU, NY, "incident-clock", SILENCE, "incomparable", "infrastructure after 50 hours; injury after 80"),
    Case("11", EU, SB, "scope", UNBOUND, "stricter", "5e25 FLOP"),
    Case("12", G31, A2, "internal-use", "deploy.internal", "weaker", "it helps novices, and nobody controls its use"),
    Case("13", O2, M1, "critical", "train", "stricter", "mitigated, and no standard was specified"),
    *(
        Case(f"14 {other}", FLI, other, "training-pause", "train.new-scale", "stricter", "any evidence, at any time")
        for other in (A1, A2, A3, O1, O2, G1, G2, G31, M1, M2, X1, MS1, AZ1, EU, SB, NY, SEO)
    ),
    Case(
        "14b",
        FLI,
        A1,
        "training-pause",
        "train.new-scale",
        "incomparable",
        "seven months, audited, and the last condition met: only then does it let go on where the other may hold",
        filled=True,
    ),
    Case("15", SEO, G31, "develop", "train", "stricter", "intolerable, and nothing mitigates it"),
)
