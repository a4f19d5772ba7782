"""Words that rules look for. Each list says what it is for; names with hyphens are read word by word."""

from __future__ import annotations

import re
from typing import Final

# Words that leave the size of a thing to whoever judges it later.
VAGUE: Final = re.compile(
    r"\b(?:significan(?:t|tly|ce)|substantial(?:ly)?|meaningful(?:ly)?|reasonabl[ey]|material(?:ly)?|serious(?:ly)?"
    r"|adequate(?:ly)?|sufficient(?:ly)?|dramatic(?:ally)?|considerabl[ey]|notabl[ey]|major|advanced|highly"
    r"|(?:un)?acceptabl[ey]|(?:in)?tolerabl[ey])\b",
    re.IGNORECASE,
)
# Numbers that somebody meant to fill in.
PLACEHOLDER: Final = re.compile(
    r"(?<![\w.])(?:[XYZN]|[xyzn](?=\s?%)|\?+|_+)\s?%|\b(?:TBD|TBC|TBA|TO[D]O|FIXM[E])\b|\?\?+"
    r"|\bto be (?:determined|decided|defined|confirmed|announced|agreed|specified|set)\b"
    r"|\b(?:XX+|NN+)\b|(?<!\w)<(?:number|value|threshold)>",
)
# Sixteen digits or fewer that are repeated to the end: no file has such a digest.
EMPTY_PIN: Final = re.compile(r"@sha256:(?=[0-9a-f]{64}\b)([0-9a-f]{1,16}?)\1{3,}[0-9a-f]{0,15}(?![0-9a-f])")
# Where a text leaves room for convenience.
CONVENIENT: Final = re.compile(
    r"\b(?:as|where|when|if|to the extent|so far as|insofar as)\s+(?:\w+\s+){0,3}?"
    r"(?:feasible|practicable|practical|appropriate|possible|warranted|available|reasonable|needed|necessary)\b"
    r"|\b(?:feasibl[ey]|practicabl[ey]|commercially)\b",
    re.IGNORECASE,
)
# Where a text promises less than it sounds.
WEAK: Final = re.compile(
    r"\b(?:(?<!nobody )(?<!no one )(?<!none )may(?! (?:not|only|never|\d))|might|could|aims?|aiming|intends?"
    r"|intending|hopes?|expects?|strives?|seeks? to|endeavors?)\b",
    re.IGNORECASE,
)
# Other developers, under the names that clauses about them use.
RIVAL: Final = re.compile(
    r"\b(?:rivals?|competitors?|competing|competition|peers?|other (?:labs?|developers?|companies|actors|models)"
    r"|another (?:developer|lab|company)|somebody else|(?<!to )(?<!of )others|laggards?"
    r"|leads?(?! (?:auditor|engineer|evaluator|author|agency))|(?<!go )ahead|overtak\w+|race(?! conditions?)"
    r"|industry(?! standards?)|adversar(?:y|ies)|rogue)\b",
    re.IGNORECASE,
)
# What measures a difference, and so needs something to differ from.
RELATIVE: Final = re.compile(
    r"\b\d+(?:\.\d+)?\s?x\b|\btimes (?:as|the|faster|more|cheaper)\b|\b(?:relative|compared|versus|than|baseline"
    r"|counterfactual|marginal|net new|uplift|accelerat\w*|speed-?up|historical|increase[sd]?|faster|pace)\b",
    re.IGNORECASE,
)
YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
# A multiple of compute, and a span of time, as declared numbers write them.
MULTIPLE: Final = re.compile(r"\b(\d+(?:\.\d+)?)\s?x\b", re.IGNORECASE)
COMPUTE: Final = re.compile(r"\b\d+(?:\.\d+)?\s?x\b|\bFLOPS?\b|\bcompute\b", re.IGNORECASE)
TIME: Final = re.compile(
    r"\b(?:hours?|days?|weeks?|months?|quarter(?:s|ly)?|years?|daily|weekly|monthly|yearly|annual(?:ly)?)\b",
    re.IGNORECASE,
)
SPAN_OF_TIME: Final = re.compile(r"\b(\d+)[\s-]?(minute|hour|day|week|month|year)s?\b", re.IGNORECASE)
START: Final = re.compile(r"\b(?:from|of|after|since|following|upon|once|starting)\b", re.IGNORECASE)
EXAMPLES: Final = re.compile(
    r"\b(?:such as|for example|for instance|e\.g\.|examples?|may include|including|likely (?:measures|controls))",
    re.IGNORECASE,
)
EXCLUDED: Final = re.compile(
    r"\b(?:exclud\w+|except\w*|out of scope|not (?:cover|includ|defend)\w*|other than|without)\b", re.IGNORECASE
)
ARGUED: Final = re.compile(r"\b(?:because|since|argu\w+|reason(?:s|ed)?|case|rationale|justif\w+)\b", re.IGNORECASE)
UNPUBLISHED: Final = re.compile(
    r"\b(?:unpublished|not (?:yet )?(?:published|public|written|disclosed)|internal (?:document|policy|standard|note)s?"
    r"|confidential|undisclosed|withheld|separate document)\b",
    re.IGNORECASE,
)
UNNAMED: Final = re.compile(
    r"\b(?:unnamed|unspecified|appropriate (?:governance |corporate )?(?:function|body|team|forum)|some(?:body|one)"
    r"|relevant (?:function|body|team|leadership))\b",
    re.IGNORECASE,
)
OUTSIDE: Final = re.compile(
    r"\b(?:boards?|trust(?:ees?)?|independent\w*|external\w*|outsid\w+|third[- ]part\w+|regulators?|government\w*)\b",
    re.IGNORECASE,
)


# What is judged to be met, under names that sound as if it were measured.
JUDGED: Final = re.compile(
    r"\b(?:adequate|sufficient|appropriate|acceptable|accepted|reasonable|argument|posture|judg\w+|balanced?|benefits?)\b",
    re.IGNORECASE,
)


def spelled(name: str) -> str:
    """Return a name in words: hyphens, dots and underscores are spaces."""
    return re.sub(r"[-_.]+", " ", name)
