"""`scalegate evidence plan`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import click

from scalegate.app.planning import PlanAnswer, Planned, Wanted, plan_samples
from scalegate.cli import exits
from scalegate.cli.options import SHARE, examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe
from scalegate.core.quantities import show_bound, show_count

_EXAMPLE = "scalegate evidence plan autonomy"


@click.command(epilog=examples(f"{_EXAMPLE} --gap 5%", f"{_EXAMPLE} --at-most 400 --rate 2% --rate 10% --rate 30%"))
@click.argument("evaluation")
@click.option("--at-most", type=click.IntRange(min=2), default=None, help="Samples; without it, those recommended.")
@click.option("--bank", type=click.IntRange(min=2), default=None, help="How many items there are.")
@click.option("--gap", type=SHARE, default="5%", help="Distance from the threshold to tell in nine runs of ten.")
@click.option("--rate", "rates", type=SHARE, multiple=True, help="A true rate to look at, repeatable.")
@click.option("--per-cluster", type=click.IntRange(min=1), default=1, help="Items that belong together.")
@click.option("--correlation", type=SHARE, default="0%", help="Of items that belong together.")
@click.option("--subject", default="", help="The model or system.")
@click.option("--elicitation", default="", help="How the capability is drawn out.")
@click.option("--scaffold", default="", help="The scaffold around the model.")
@store_option
@format_option
@click.pass_context
def plan(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    evaluation: str,
    at_most: int | None,
    bank: int | None,
    gap: Fraction,
    rates: tuple[Fraction, ...],
    per_cluster: int,
    correlation: Fraction,
    subject: str,
    elicitation: str,
    scaffold: str,
    store: Path | None,
    output: Output,
) -> int:
    """How many samples decide the thresholds of an evaluation, at the errors of the policies in force?

    For each true rate: the chance of every answer, the samples that takes on average, and those that suffice in
    nine runs of ten. Nothing is spent and nothing recorded. 3 when no plan tells the gap.
    """
    wanted = Wanted(
        evaluation, at_most or 0, bank or 0, gap, rates, per_cluster, correlation, subject, elicitation, scaffold
    )
    answer = plan_samples(open_book(ctx, store).page(), wanted)
    if output.form == "json":
        output.json(_record(answer))
    elif output.form == "plain":
        output.lines(line for item in answer.planned for line in _plain(answer, item))
    else:
        output.lines(line for item in answer.planned for line in _table(answer, item))
        output.lines([_advice(answer, gap, bank or 0)])
    return exits.YES if answer.most else exits.UNKNOWN


def _table(answer: PlanAnswer, item: Planned) -> Iterator[str]:
    question = item.asked
    name = f"{answer.evaluation.id} at {show_bound(question.constant, up=True)}"
    claim = "the bank" if answer.evaluation.estimand == "bank" else "the population"
    yield safe(f"{name}: a claim about {claim}, {show_count(item.most, 'sample')} at most")
    if answer.evaluation.of_means:
        yield "  samples are means, and bets decide: if all were 0 or 1; others take fewer"
    above, below = _percent(float(question.above_error)), _percent(float(question.below_error))
    yield f"  wrongly above in {above} of runs, wrongly not above in {below}"
    head = ("true rate", "above", "not above", "undecided", "expected", "nine of ten within")
    rows = [
        (
            show_bound(found.rate, up=False),
            *(_percent(share) for share in (found.above, found.below, found.undecided)),
            f"{found.expected:.0f}",
            str(found.ninth),
        )
        for found in item.powers
    ]
    yield from (f"  {line}" for line in columns([head, *rows]))


def _advice(answer: PlanAnswer, gap: Fraction, bank: int) -> str:
    told = show_bound(gap, up=False)
    if not answer.most:
        whole = f" among {bank} items" if bank else ""
        return f"no plan{whole} tells a gap of {told} in nine runs of ten"
    words = f"to tell a gap of {told} in nine runs of ten, plan {show_count(answer.most, 'sample')}"
    if answer.inflation > 1:
        items = -(-answer.most * answer.inflation.numerator // answer.inflation.denominator)
        words += f"; as items belong together, about {show_count(items, 'item')} stand for them"
    return words


def _plain(answer: PlanAnswer, item: Planned) -> Iterator[str]:
    for row in _rows(answer, item):
        yield safe(", ".join(f"{name} {value}" for name, value in row.items()))


def _record(answer: PlanAnswer) -> dict[str, object]:
    return {
        "evaluation": answer.evaluation.id,
        "estimand": answer.evaluation.estimand,
        "recommended": answer.most or None,
        "items_per_sample": str(answer.inflation),
        "rows": [row for item in answer.planned for row in _rows(answer, item)],
    }


def _rows(answer: PlanAnswer, item: Planned) -> Iterator[dict[str, object]]:
    for found in item.powers:
        yield {
            "evaluation": answer.evaluation.id,
            "above_threshold": str(item.asked.above),
            "below_threshold": str(item.asked.below),
            "above_error": str(item.asked.above_error),
            "below_error": str(item.asked.below_error),
            "at_most": item.most,
            "recommended": item.recommended or None,
            "rate": str(found.rate),
            "above": round(found.above, 9),
            "below": round(found.below, 9),
            "undecided": round(found.undecided, 9),
            "expected": round(found.expected, 3),
            "median": found.median,
            "nine_tenths": found.ninth,
        }


def _percent(share: float) -> str:
    """Return a probability in percent: enough digits to tell it from never and from always."""
    if share and share < 0.0005:
        return "<0.05%"
    if share < 1 and share > 0.9995:
        return ">99.95%"
    return f"{share * 100:.1f}%"
