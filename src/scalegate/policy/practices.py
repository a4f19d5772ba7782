"""The practices that a policy may declare without the gate enforcing them, each with what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PRACTICES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "scope of harm": "Which harms the text is about.",
        "cadence": "How often models are evaluated.",
        "safety buffer": "How far below a threshold action is taken.",
        "elicitation": "How capabilities are drawn out.",
        "elicitation budget": "How much effort drawing them out may take.",
        "anti-sandbagging": "What is done about models that hide what they can do.",
        "sample size": "How many samples an evaluation takes.",
        "inconclusive results": "What happens where a result settles nothing.",
        "pre-development evaluation": "What is evaluated before training starts.",
        "mid-training evaluation": "What is evaluated while training goes on.",
        "external evaluation": "What outsiders evaluate.",
        "procedural audit": "Who checks that the procedure was kept.",
        "auditor independence": "How auditors are independent.",
        "auditor access": "What auditors get to see.",
        "publication of results": "Which results are made public.",
        "approver": "Who has to approve.",
        "decider": "Who decides.",
        "notice": "How long before a change it is announced.",
        "changelog": "How changes of the text are recorded.",
        "review": "When the text is looked at again.",
        "whistleblowing": "How concerns are raised without harm to whoever raises them.",
        "pause financing": "What pays for a pause.",
        "drills": "How a stop is rehearsed.",
        "incident report": "What is reported when something goes wrong.",
        "redactions": "What is left out of what is published.",
        "retention": "How long records are kept.",
        "monitoring": "What is watched after deployment.",
        "red-team criterion": "When red-teaming counts as passed.",
        "security level": "How well the weights are guarded.",
        "internal deployment": "How models are used in house.",
        "partners": "Which partners get access, and how.",
        "open weights": "When weights are released.",
        "competitor clause": "What changes when somebody else goes ahead.",
        "competitor floor": "What is kept even then.",
        "competitor evidence": "What shows that somebody else went ahead.",
        "competitor disclosure": "Whom that is told.",
        "penalty": "What a breach costs.",
        "understanding": "What has to be understood about the inside of a model.",
        "resumption": "What ends a pause.",
        "baseline": "What risk is compared with.",
        "distilled models": "How models taught by others count.",
        "domains without threshold": "Which harms have no threshold yet.",
        "removed domains": "Which harms an earlier text had and this one has not.",
        "interim measures": "What is done until a measure is ready.",
        "threshold rewrite": "How a threshold may be changed once it is near.",
        "thresholds": "How thresholds are set.",
        "withheld thresholds": "Which thresholds are not published.",
    }
)
