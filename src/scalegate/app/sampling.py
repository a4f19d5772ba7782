"""Plans of runs that are looked at while they go on: the order of their items, and boundaries for every threshold."""

from __future__ import annotations

from dataclasses import replace

from scalegate.app.book import Book, Page
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import Plain, canonical_bytes, digest
from scalegate.core.events import RunRegistered, Sampling
from scalegate.core.kernel import Evaluation
from scalegate.core.order import shuffled
from scalegate.gate.sampling import Asked, asked, commit
from scalegate.gate.streams import Streams
from scalegate.stats.boundary import MOST_SAMPLES

# What an entry may hold of boundaries, in hexadecimal digits, beside everything else.
MOST_DIGITS = 56_000


class RegistrationSeed:
    """The seed of whoever registers: a hash of the registration itself. Whoever can try many registrations chooses."""

    def seed(self, registration: str) -> tuple[str, str]:
        """Return the digest of the registration as the seed."""
        return registration, "developer"


def check_sequential(item_ids: tuple[str, ...], items: int) -> None:
    """Refuse a plan that no sequential run can have.

    Raises:
        RefusalError: without item ids, or with more samples than a boundary may have.
    """
    if not item_ids:
        raise RefusalError(
            "usage",
            "order-open",
            "a run that may end early needs the ids of its items: their order is fixed before it begins",
            "give them with --item-ids, one a line",
        )
    if items > MOST_SAMPLES:
        raise RefusalError("usage", "samples-many", f"{items} samples are more than the {MOST_SAMPLES} of a boundary")


def draw(book: Book, page: Page, bare: RunRegistered, bank: tuple[str, ...], evaluation: Evaluation) -> RunRegistered:
    """Return a registration with its sampling plan: the order drawn, and a boundary for each answer.

    Raises:
        RefusalError: if no threshold can be answered, or the boundaries do not fit in one entry.
    """
    found = questions(page, bare, evaluation)
    if not found:
        raise RefusalError(
            "usage",
            "thresholds-none",
            f"no policy in force compares `{evaluation.id}` with a number that a rate can cross",
            "register it without --sequential: it is then looked at once, at its end",
        )
    of_bank = len(bank) if evaluation.estimand == "bank" else 0
    committed = tuple(commit(item, bare.items, of_bank) for item in found)
    digits = sum(len(item.above_steps) + len(item.below_steps) for item in committed)
    if digits > MOST_DIGITS:
        most = bare.items * MOST_DIGITS // digits
        raise RefusalError(
            "usage",
            "boundaries-long",
            f"{len(found)} thresholds with {bare.items} samples make more boundary than one entry holds",
            f"plan at most {most} samples with --at-most",
        )
    seed, source = RegistrationSeed().seed(digest([bare.run, bare.evaluation, bare.subject, page.history.head]))
    order: list[Plain] = list(shuffled(bank, seed)[: bare.items])
    kept = book.keep(canonical_bytes(order))
    sampling = Sampling(evaluation.estimand, len(bank), kept, seed, evaluation.clustered_by, committed)
    return replace(bare, order=source, sampling=sampling)


def questions(page: Page, plan: RunRegistered, evaluation: Evaluation) -> list[Asked]:
    """Return what the policies in force ask of a run, at the errors that are left for it."""
    shares = [
        Streams(page.records, kernel, spec).share_of(plan)
        for kernel in page.force.kernels
        for spec in kernel.evaluations.values()
        if spec.digest == evaluation.digest
    ]
    return asked(page.force.kernels, evaluation.digest or "", min(shares)) if shares else []
