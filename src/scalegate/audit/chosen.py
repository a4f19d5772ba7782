"""Which score of a log is counted, by the registration of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from scalegate.core.events import RunRegistered
from scalegate.core.reading import Reading, Tally
from scalegate.ingest.registration import scores


class RecountError(Exception):
    """A log that cannot be counted by the registration of its run.

    Attributes:
        kind: `usage` blames the question, `untrusted` what was given, `refused` says that it is not time yet.
        code: stable identifier.
        message: one sentence.
        hint: what to do next (may be empty).
    """

    def __init__(self, kind: Literal["usage", "untrusted", "refused"], code: str, message: str, hint: str = "") -> None:
        """Keep what there is to say."""
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which score of a log is counted, and whether somebody had to choose it after the run."""

    word: str
    late: bool = False


def column(reading: Reading, plan: RunRegistered, asked: str, count: Callable[[str], Tally]) -> Chosen:
    """Return which score of a log is counted: the registered one, the only one, the one asked for, or the worst.

    The worst one has the most successes, as counted by `count`.

    Raises:
        RecountError: if the log has no score of the name that was asked for.
    """
    names = scores(reading)
    if reading.evidence_class == "aggregate":
        return Chosen(plan.scorer or asked)
    _check_known(names, asked)
    if plan.scorer or len(names) <= 1:
        return Chosen(plan.scorer or asked or "".join(names))
    counts = {name: count(name) for name in names}
    return Chosen(asked or max(names, key=lambda name: (counts[name].successes, counts[name].missing)), late=True)


def metric(reading: Reading, plan: RunRegistered, asked: str) -> Chosen:
    """Return which total of a log is counted, as `column` does for scores.

    Raises:
        RecountError: if the log has no total of the name that was asked for.
    """
    values = {item.metric: item.value for item in reading.aggregates if item.value is not None}
    _check_known(list(values), asked)
    if plan.scorer or len(values) == 1:
        return Chosen(plan.scorer or next(iter(values)))
    rates = {name: value for name, value in values.items() if 0 <= value <= 1} or values
    return Chosen(asked or max(rates, key=lambda name: rates.get(name, Fraction())), late=True)


def _check_known(names: list[str], asked: str) -> None:
    if asked and asked not in names:
        shown = ", ".join(f"`{name}`" for name in names)
        raise RecountError(
            "usage",
            "scorer-unknown",
            f"the log has no scorer `{asked:.80}`",
            f"--scorer, one of {shown}" if names else "",
        )
