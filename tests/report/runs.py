"""Runs and evaluations to draw."""

import random
from fractions import Fraction

from scalegate.report.charts import IntervalData, IntervalPoint, PathData
from scalegate.stats.calibrate import calibrated

FIFTH = Fraction(1, 5)
ERROR = Fraction(1, 20)
HOSTILE = (
    "</svg><script>alert(1)</script><a href='javascript:x'>\u202eevil\u2066\x1b[31m\x00\ud800 \"q\" &amp; ]]> <!-- "
    'id="clip1" url(#clip1) 0.123456789'
)


def outcomes(seed: int, chance: float, number: int, missing: float = 0) -> str:
    source = random.Random(seed)
    return "".join(
        "-" if source.random() < missing else "1" if source.random() < chance else "0" for _ in range(number)
    )


def path(found: str, verdict: str, most: int = 400, title: str = "autonomy of orion") -> PathData:
    above, below = calibrated(FIFTH, ERROR, most), calibrated(1 - FIFTH, ERROR, most)
    return PathData(title, FIFTH, found, above.needed, below.needed, verdict, most)


def point(label: str, compute: int, low: str | None, high: str | None, verdict: str) -> IntervalPoint:
    return IntervalPoint(label, compute, low and Fraction(low), high and Fraction(high), verdict)


def evaluation(title: str = "autonomy of orion", first: str = "orion-1") -> IntervalData:
    points = (
        point(first, 10**24, "0.01", "0.09", "below"),
        point("orion-2", 4 * 10**24, "0.11", "0.27", "undecided"),
        point("orion-3", 2 * 10**25, "0.26", "0.44", "above"),
        point("orion-4", 3 * 10**25, None, None, "undecided"),
    )
    return IntervalData(title, FIFTH, points, 8 * 10**25, 12 * 10**25)
