"""Two pictures as SVG text: the path of a sequential test, and the intervals of an evaluation.

Neither decides anything. `path_picture` recomputes where a boundary is reached, and a verdict that says otherwise is
refused, as is any other input that cannot be: a picture never contradicts its words.
"""

from __future__ import annotations

from scalegate.report.interval_chart import IntervalData, IntervalPoint, interval_picture
from scalegate.report.path_chart import PathData, path_picture

__all__ = ["IntervalData", "IntervalPoint", "PathData", "interval_picture", "path_picture"]
