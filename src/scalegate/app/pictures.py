"""Pictures of evidence: the path of one run against its boundaries, and the intervals of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Literal

from scalegate.app.bindings import find_evaluation
from scalegate.app.book import Page
from scalegate.app.refusal import RefusalError
from scalegate.app.runs import find_run
from scalegate.core.kernel import Evaluation, Kernel
from scalegate.core.quantities import UNBOUNDED, show_rate
from scalegate.core.subject import Subject
from scalegate.gate.lineage import Lineage
from scalegate.gate.sampling import Asked, asked, path_of
from scalegate.gate.streams import Streams
from scalegate.ledger.files import write_durably
from scalegate.report.charts import IntervalData, IntervalPoint, PathData, interval_picture, path_picture
from scalegate.report.drawing import MissingExtraError
from scalegate.stats.boundary import Boundary
from scalegate.stats.crossing import crossing


def run_picture(page: Page, run: str, threshold: Fraction | None) -> str:
    """Return the path of a run against the boundaries of one of its thresholds, as SVG.

    Args:
        page: the history.
        run: its id.
        threshold: which of its thresholds; None where it has one only.

    Raises:
        RefusalError: if the run has no path, no such threshold, or the extra `report` is absent.
    """
    found = find_run(page, run)
    path = path_of(found.plan, found.result) if found.result is not None else None
    if path is None or found.plan.sampling is None:
        raise RefusalError(
            "refused", "path-missing", f"run `{run}` has no result that was looked at sample by sample, 0 or 1 each"
        )
    questions = [Asked(q.above, q.above_error, q.below, q.below_error) for q in found.plan.sampling.questions]
    constants = [item.constant for item in questions]
    place = _choose(constants, threshold)
    above, below = path.above[place], path.below[place]
    if crossing(above) > questions[place].above_error or crossing(below) > questions[place].below_error:
        raise RefusalError(
            "untrusted", "boundary-generous", f"the boundaries of run `{run}` err more often than they say"
        )
    data = PathData(
        title=f"{_name(page, found.plan.evaluation)} of {found.plan.subject}, run {run}",
        threshold=constants[place],
        outcomes=path.outcomes,
        above=above.needed,
        below=below.needed,
        verdict=_verdict(above, below, path.outcomes),
        most=path.planned,
    )
    return _drawn(lambda: path_picture(data))


def evaluation_picture(page: Page, name: str, threshold: Fraction | None) -> str:
    """Return the intervals of an evaluation on every measured model against one of its thresholds, as SVG.

    Raises:
        RefusalError: if there is no such evaluation or threshold, nothing was measured, or the extra is absent.
    """
    evaluation = find_evaluation(page, name)
    kernel = next(
        kernel
        for kernel in page.force.kernels
        if any(spec.digest == evaluation.digest for spec in kernel.evaluations.values())
    )
    constants = [item.constant for item in asked([kernel], evaluation.digest or "", Fraction(1))]
    line = constants[_choose(constants, threshold)]
    lineage = Lineage(page.records.subjects, page.records.mitigated())
    points = [
        point
        for subject in page.records.subjects.values()
        for point in _points(page, kernel, evaluation, lineage, subject, line)
    ]
    if not points:
        raise RefusalError("refused", "nothing-measured", f"no result of `{name}` on a model of known compute")
    last = max(point.compute for point in points)
    validity = evaluation.validity
    data = IntervalData(
        title=f"{evaluation.id} by effective compute",
        threshold=line,
        points=tuple(points),
        due=int(last * validity.due_compute) if validity.due_compute else None,
        stop=int(last * validity.stop_compute) if validity.stop_compute else None,
    )
    return _drawn(lambda: interval_picture(data))


def write_picture(svg: str, path: Path) -> None:
    """Write a picture, whole or not at all.

    Raises:
        RefusalError: if it cannot be written.
    """
    try:
        write_durably(path.resolve(), svg.encode())
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write `{path}`: {error.strerror}") from error


def _points(
    page: Page, kernel: Kernel, evaluation: Evaluation, lineage: Lineage, subject: Subject, line: Fraction
) -> list[IntervalPoint]:
    streams = Streams(page.records, kernel, evaluation)
    compute = lineage.compute(subject, teachers=kernel.teachers_count).high
    if not 0 < compute < UNBOUNDED:
        return []
    found = []
    for stratum in streams.strata(subject.name):
        for bounds, _ in streams.measured(subject.name, stratum):
            low, high = bounds.falling.lower, bounds.falling.upper
            verdict: Literal["above", "below", "undecided"] = (
                "above" if low > line else "below" if high <= line else "undecided"
            )
            found.append(IntervalPoint(" ".join(filter(None, (subject.name, *stratum))), compute, low, high, verdict))
    return found


def _verdict(above: Boundary, below: Boundary, outcomes: str) -> Literal["above", "below", "undecided"]:
    up = above.reached([int(one == "1") for one in outcomes])
    down = below.reached([int(one == "0") for one in outcomes])
    if not up and not down:
        return "undecided"
    return "above" if up and (not down or up < down) else "below"


def _choose(constants: list[Fraction], wanted: Fraction | None) -> int:
    shown = ", ".join(show_rate(item) for item in constants)
    if wanted is None and len(set(constants)) == 1:
        return 0
    if wanted is None or wanted not in constants:
        words = f"no threshold of {show_rate(wanted)}" if wanted is not None else "more than one threshold"
        raise RefusalError("usage", "threshold-unknown", f"there is {words}", f"--threshold, one of {shown}")
    return constants.index(wanted)


def _name(page: Page, mark: str) -> str:
    return next(
        (spec.id for kernel in page.force.kernels for spec in kernel.evaluations.values() if spec.digest == mark),
        mark,
    )


def _drawn(draw: Callable[[], str]) -> str:
    try:
        return draw()
    except MissingExtraError as error:
        raise RefusalError(
            "usage", "extra-missing", "a picture needs the extra `report`", "pip install 'scalegate[report]'"
        ) from error
