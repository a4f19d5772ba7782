"""Plans of runs that are looked at while they go on: the order of their items, and boundaries for every threshold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from scalegate.app.book import Book, Page
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import Plain, canonical_bytes, digest
from scalegate.core.events import Entry, Question, RunRegistered, Sampling
from scalegate.core.kernel import Evaluation
from scalegate.core.log_events import OrderDrawn
from scalegate.core.order import seed_of, shuffled
from scalegate.gate.sampling import Asked, asked, bet, commit
from scalegate.gate.streams import Streams
from scalegate.stats.boundary import MOST_SAMPLES

# What an entry may hold of boundaries, in hexadecimal digits, beside everything else.
MOST_DIGITS = 40_000
# Means are kept in the result, each as a fraction.
MOST_MEANS = 2_000


# Who chose the order of a run that waits for the cosignature that draws it.
UNDRAWN = "nobody yet"


class RegistrationSeed:
    """The seed of whoever registers: a hash of the registration itself. Whoever can try many registrations chooses."""

    def seed(self, registration: str) -> tuple[str, str]:
        """Return the digest of the registration as the seed."""
        return registration, "developer"


def units_of(item_ids: tuple[str, ...], clusters: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the items of each sample by its name: that of its cluster, or of the one item that it is.

    Args:
        item_ids: ids of all items.
        clusters: the cluster of each; empty where each is one of its own.
    """
    found: dict[str, list[str]] = {}
    for item, cluster in zip(item_ids, clusters or item_ids, strict=True):
        found.setdefault(cluster, []).append(item)
    return {cluster: tuple(items) for cluster, items in found.items()}


def draw(
    book: Book,
    page: Page,
    bare: RunRegistered,
    units: Mapping[str, tuple[str, ...]],
    evaluation: Evaluation,
    *,
    audits: bool = False,
) -> RunRegistered:
    """Return a registration with its sampling plan: the order drawn, and a boundary for each answer.

    Args:
        book: where the order is kept.
        page: the history that the registration follows.
        bare: the registration; its `items` are the samples planned at most, all of them if there are fewer.
        units: the items of each sample.
        evaluation: what is measured.
        audits: bets decide, by comparison with what was reported before.

    Raises:
        RefusalError: if the order cannot be fixed, no threshold can be answered, or the plan does not fit in an entry.
    """
    most = min(bare.items, len(units))
    _check(evaluation, units, most)
    committed = _commit(page, bare, units, evaluation, most, audits=audits)
    terms = page.history.terms
    if terms is not None and terms.witnessed:
        # Nobody knows the order before the registration is in the log: see `draw_order`.
        seed, source, chosen, items = "", UNDRAWN, sorted(units), most
    else:
        seed, source = RegistrationSeed().seed(digest([bare.run, bare.evaluation, bare.subject, page.history.head]))
        chosen = list(shuffled(units, seed)[:most])
        items = sum(len(units[name]) for name in chosen)
    order: list[Plain] = [[*units[name]] for name in chosen]
    kept = book.keep(canonical_bytes(order))
    sampling = Sampling(evaluation.estimand, len(units), kept, seed, evaluation.clustered_by, most, committed)
    return replace(bare, items=items, order=source, sampling=sampling)


def _commit(
    page: Page,
    bare: RunRegistered,
    units: Mapping[str, tuple[str, ...]],
    evaluation: Evaluation,
    most: int,
    *,
    audits: bool,
) -> tuple[Question, ...]:
    """Return how each threshold is answered, at most `most` samples long.

    Raises:
        RefusalError: if none can be, or the boundaries do not fit in an entry.
    """
    if audits and evaluation.estimand != "bank":
        raise RefusalError(
            "usage",
            "audit-population",
            f"`{evaluation.id}` is about a population, and an audit about the bank that was run before",
            "only the policy can say `estimand: bank of N items`",
        )
    found = questions(page, bare, evaluation)
    if not found:
        raise RefusalError(
            "usage",
            "thresholds-none",
            f"no policy in force compares `{evaluation.id}` with a number that a rate can cross",
            "register it without --sequential: it is then looked at once, at its end",
        )
    of_bank = len(units) if evaluation.estimand == "bank" else 0
    by_bets = audits or evaluation.of_means
    committed = tuple(bet(item) if by_bets else commit(item, most, of_bank) for item in found)
    digits = sum(len(item.above_steps) + len(item.below_steps) for item in committed)
    if digits > MOST_DIGITS:
        raise RefusalError(
            "usage",
            "boundaries-long",
            f"{len(found)} thresholds with {most} samples make more boundary than one entry holds",
            f"plan at most {MOST_DIGITS // (2 * len(found)) * 4} samples with --at-most",
        )
    return committed


def draw_order(book: Book, entry: Entry, mark: str) -> OrderDrawn:
    """Return the order of a registered run, drawn from the cosignature of the head that ends with its registration.

    Args:
        book: where the bank is kept, and the order will be.
        entry: the registration.
        mark: what `HeadWitnessed` says of that cosignature.

    Raises:
        RefusalError: if the run has no order to be drawn, or its bank is not kept.
    """
    plan = entry.event
    if not isinstance(plan, RunRegistered) or plan.sampling is None or plan.sampling.seed:
        raise RefusalError("refused", "order-fixed", "the run has no order that is still to be drawn")
    try:
        bank: list[list[str]] = json.loads(book.store.get_blob(plan.sampling.order))
    except (KeyError, ValueError) as error:
        raise RefusalError("untrusted", "items-missing", f"the bank of run `{plan.run}` is not kept") from error
    seed = seed_of(entry.digest, mark)
    # A sample is known by its first item: each item stands in one sample.
    units = {unit[0]: unit for unit in bank}
    if len(plan.sampling.reported) not in (0, len(units)):
        raise RefusalError(
            "untrusted", "audit-other", f"run `{plan.run}` has not one outcome for each item of its bank"
        )
    chosen = shuffled(units, seed)[: plan.sampling.units]
    order: list[Plain] = [[*units[name]] for name in chosen]
    told = dict(zip(units, plan.sampling.reported, strict=False))
    reported = "".join(told[name] for name in chosen) if told else ""
    items = sum(len(units[name]) for name in chosen)
    return OrderDrawn(plan.run, seed, book.keep(canonical_bytes(order)), items, reported)


def compare(book: Book, drawn: RunRegistered, audits: str, reported: Mapping[str, str]) -> RunRegistered:
    """Return the registration of an audit, with what was reported of every item of its bank.

    Args:
        book: where the order is kept.
        drawn: the registration with its order.
        audits: the run audited.
        reported: what it came to, by item.

    Raises:
        RefusalError: if not every item of the bank is planned, or the audited run is about other items.
    """
    sampling = drawn.sampling
    if sampling is None or sampling.units != sampling.bank:
        raise RefusalError(
            "usage", "audit-part", "an audit plans every item of the bank, and ends as soon as it has decided"
        )
    order = [unit[0] for unit in json.loads(book.store.get_blob(sampling.order))]
    if set(order) != reported.keys():
        raise RefusalError("usage", "audit-other", f"run `{audits}` is about other items than the bank")
    told = "".join(reported[item] for item in order)
    return replace(drawn, sampling=replace(sampling, audits=audits, reported=told))


def _check(evaluation: Evaluation, units: Mapping[str, tuple[str, ...]], most: int) -> None:
    clustered = any(name not in items for name, items in units.items())
    if not units:
        raise RefusalError(
            "usage",
            "order-open",
            "a run that may end early needs the ids of its items: their order is fixed before it begins",
            "give them with --item-ids, one a line",
        )
    if bool(evaluation.clustered_by) is not clustered:
        by = evaluation.clustered_by
        raise RefusalError(
            "usage",
            "clusters-open",
            f"`{evaluation.id}` is clustered by {by}" if by else f"`{evaluation.id}` is not clustered",
            "in the file of --item-ids, write each id, a tab, and its cluster" if by else "write ids only",
        )
    if evaluation.bank and len(units) != evaluation.bank:
        raise RefusalError(
            "usage",
            "bank-other",
            f"`{evaluation.id}` is about a bank of {evaluation.bank} items, and {len(units)} are named",
        )
    if evaluation.of_means and evaluation.estimand == "bank":
        raise RefusalError(
            "usage", "bank-of-means", f"`{evaluation.id}` is a mean over its bank, which no sequential run bounds yet"
        )
    if most > (MOST_MEANS if evaluation.of_means else MOST_SAMPLES):
        raise RefusalError("usage", "samples-many", f"{most} samples are more than one run may look at")


def questions(page: Page, plan: RunRegistered, evaluation: Evaluation) -> list[Asked]:
    """Return what the policies in force ask of a run, at the errors that are left for it."""
    shares = [
        Streams(page.records, kernel, spec).share_of(plan)
        for kernel in page.force.kernels
        for spec in kernel.evaluations.values()
        if spec.digest == evaluation.digest
    ]
    return asked(page.force.kernels, evaluation.digest or "", min(shares)) if shares else []
