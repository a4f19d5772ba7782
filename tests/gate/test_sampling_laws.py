"""Laws about runs that are looked at while they go on: whatever is lost, added or made worse never permits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from scalegate.core.actions import covered
from scalegate.core.decision import Request
from scalegate.core.events import ResultRefused, ResultReported, RunRegistered, Sampling, SubjectDeclared
from scalegate.core.kernel import Commitment, Compare, Constant, Kernel, Not
from scalegate.core.quantities import DAY, ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.gate.sampling import asked, bet, commit
from tests.gate.law_registry import law
from tests.gate.random_worlds import DIGESTS, LAB, NOW, SPAN, World, often, plain_kernel, registered, reported

CAP = DIGESTS["cap"]
SIZES = (20, 40, 60, 100)
BANK = 100
# Of the error of a wrong stop: that of the first stratum and its first group of speakers.
SHARE = Fraction(81, 100)
FLIPPED = str.maketrans("10", "01")
# Probabilities of a success, in hundredths, of the parts that outcomes are made of.
PARTS = (0, 0, 0, 10, 18, 25, 60, 100)


@dataclass(frozen=True)
class Looks:
    """A world about one stream on `m0`, which its child `m1` may go on from, and which way scores help."""

    world: World
    rising: bool

    @property
    def requests(self) -> tuple[Request, ...]:
        return Request("deploy.internal", "m0"), Request("train", "m1", 3 * 10**25)

    def freed(self, other: World) -> list[str]:
        """Return what another world permits that this one holds."""
        return [
            request.subject
            for request in self.requests
            if other.ask(request=request).answer == "permit" and self.world.ask(request=request).answer == "hold"
        ]

    def results(self) -> list[tuple[int, ResultReported]]:
        return [(place, event) for place, _, event in self.world.all_of(ResultReported)]

    def plan(self, run: str) -> RunRegistered:
        return next(event for _, _, event in self.world.all_of(RunRegistered) if event.run == run)


def kernel_of(rate: Fraction, *, rising: bool, cleared: Fraction, estimand: str, clustered: str) -> Kernel:
    """Return a policy with one line for `cap`: at most `rate`, or at least 1 - `rate`."""
    value = 1 - rate if rising else rate
    shown = Compare(0, rising, rising, value.numerator, value.denominator, "cap", SPAN)
    plain = plain_kernel()
    spec = replace(
        plain.evaluations["cap"],
        wrongly_cleared=cleared,
        estimand=estimand,
        clustered_by=clustered,
        bank=BANK if estimand == "bank" else 0,
    )
    promise = Commitment(
        "c", ("everything",), covered("everything"), Not(shown, SPAN), Constant(False, SPAN), True, SPAN
    )
    return replace(plain, commitments=(promise,), evaluations={"cap": spec})


def planned(kernel: Kernel, run: str, units: int, bank: int, *, of_means: bool) -> RunRegistered:
    """Return the registration of a run that may end early, with an answer for what a policy asks."""
    questions = tuple(bet(item) if of_means else commit(item, units, bank) for item in asked([kernel], CAP, SHARE))
    estimand = kernel.evaluations["cap"].estimand
    clustered = kernel.evaluations["cap"].clustered_by
    sampling = Sampling(estimand, bank or units, "sha256:order", "seed", clustered, units, questions)
    return replace(registered(run, "cap", "m0", units), sampling=sampling)


def of_outcomes(run: str, outcomes: str, units: int, *, of_means: bool) -> ResultReported:
    """Return a result with the counts that its outcomes have."""
    ones, zeros = (0, 0) if of_means else (outcomes.count("1"), outcomes.count("0"))
    made = reported(run, ones, zeros, units - ones - zeros, adaptive=True)
    return replace(made, outcomes=" ".join(outcomes).replace("-", "0..1") if of_means else outcomes)


def drawn(draw, units: int) -> str:
    """Return outcomes in a few parts with rates of their own, perhaps cut off."""
    said = ""
    while len(said) < units:
        rate, length = draw(st.sampled_from(PARTS)), draw(st.sampled_from((1, 3, 10, units)))
        if rate in (0, 100):
            said += str(rate // 100) * length
        else:
            seed = draw(st.integers(0, 99))
            said += "".join("1" if (seed + place) * 37 % 100 < rate else "0" for place in range(length))
    said = said[:units]
    if often(draw, 15):
        hole = draw(st.integers(0, units - 1))
        said = said[:hole] + "-" + said[hole + 1 :]
    return said[: draw(st.integers(0, units))] if often(draw, 15) else said


@st.composite
def looks(
    draw,
    kinds: tuple[str, ...] = ("population", "population", "bank", "means"),
    *,
    most: int = 4,
    asked_only: bool = False,
) -> Looks:
    """Return a stream of a few runs, some looked at once and some sample by sample.

    With `asked_only`, the line of the policy is one that was asked about when they were registered.
    """
    kind = draw(st.sampled_from(kinds))
    rising, of_means = often(draw, 25), kind == "means"
    asks, line = Fraction(1, 5), draw(st.sampled_from((Fraction(1, 5), Fraction(1, 5), Fraction(11, 50))))
    line = asks if asked_only else line
    rules = {
        "rising": rising,
        "cleared": draw(st.sampled_from((Fraction(1, 1000), Fraction(1, 20)))),
        "estimand": "bank" if kind == "bank" else "population",
        "clustered": "document" if of_means else "",
    }
    registering, kernel = (kernel_of(rate, **rules) for rate in (asks, line))
    root = Subject("m0", "sha256:m0", LAB, "model", (), True, ComputeRange(10**25, 10**25), NOW - 50 * DAY)
    child = Subject("m1", "sha256:m1", LAB, "model", (Edge("m0", "continue"),), True, ComputeRange(1, 1), NOW)
    plans, results = [], []
    for number in range(draw(st.integers(1, most))):
        run, units = f"run-{number}", draw(st.sampled_from(SIZES))
        said = drawn(draw, units)
        said = said.translate(FLIPPED) if rising else said
        ones, zeros = said.count("1"), said.count("0")
        if often(draw, 30) and not of_means:
            plans.append(registered(run, "cap", "m0", units))
            results.append(reported(run, ones, zeros, units - ones - zeros))
        else:
            plans.append(planned(registering, run, units, BANK if kind == "bank" else 0, of_means=of_means))
            results.append(of_outcomes(run, said, units, of_means=of_means))
    of_child = registered("child", "cap", "m1", 400)
    if kind in ("means", "bank"):
        of_child = replace(
            planned(kernel, "child", 100, BANK if kind == "bank" else 0, of_means=of_means), subject="m1"
        )
    good = "1" if rising else "0"
    clean = reported("child", 400 if rising else 0, 0 if rising else 400)
    if of_child.sampling is not None:
        clean = of_outcomes("child", good * 100, 100, of_means=of_means)
    events = [(NOW - 40 * DAY, SubjectDeclared(item, LAB, "developer")) for item in (root, child)]
    events += [(NOW - 30 * DAY, plan) for plan in (*plans, of_child)]
    events += [(NOW - 20 * DAY, result) for result in (*results, clean)]
    return Looks(World((kernel,), tuple(events), Request("deploy.internal", "m0")), rising)


def counted_again(plan: RunRegistered, result: ResultReported, outcomes: str) -> ResultReported:
    """Return a result with other outcomes, and the counts that they have."""
    return replace(of_outcomes(result.run, outcomes, plan.items, of_means=False), adaptive=True)


def paths(found: Looks, data) -> tuple[int, RunRegistered, ResultReported] | None:
    """Return one result of a run that was looked at sample by sample."""
    some = [
        (place, result)
        for place, result in found.results()
        if set(result.outcomes) & set("10-") and result.run != "child"
    ]
    some = [item for item in some if " " not in item[1].outcomes]
    if not some:
        return None
    place, result = data.draw(st.sampled_from(some))
    return place, found.plan(result.run), result


# ---------------------------------------------------------------- losing


@law(looks(("population", "population", "bank")), st.data())
def test_losing_the_end_of_outcomes_never_permits(found, data):
    chosen = paths(found, data)
    if chosen is not None:
        place, plan, result = chosen
        kept = data.draw(st.integers(0, len(result.outcomes)))
        after = found.world.swap(place, counted_again(plan, result, result.outcomes[:kept]))
        assert not found.freed(after)


# Of several runs, scores that are lost or worse let an earlier one see more samples: see `test_sampling_attacks`.
ALONE = looks(("population", "population", "bank"), most=1, asked_only=True)


@law(ALONE, st.data())
def test_losing_scores_never_permits(found, data):
    chosen = paths(found, data)
    if chosen is not None:
        place, plan, result = chosen
        lost = data.draw(st.sets(st.integers(0, len(result.outcomes) - 1), min_size=1, max_size=8))
        said = "".join("-" if number in lost else one for number, one in enumerate(result.outcomes))
        assert not found.freed(found.world.swap(place, counted_again(plan, result, said)))


@law(looks(), st.data())
def test_losing_a_result_never_permits(found, data):
    place, result = data.draw(st.sampled_from([item for item in found.results() if item[1].run != "child"]))
    refused = ResultRefused(result.run, result.log, "E101", "unreadable", result.by, result.role)
    items = result.successes + result.failures + result.missing
    empty = replace(result, successes=0, failures=0, missing=items, outcomes="")
    for after in (refused, empty, replace(result, binary=False), replace(result, evidence_class="aggregate")):
        assert not found.freed(found.world.swap(place, after))


# ---------------------------------------------------------------- worse


@law(ALONE, st.data())
def test_worse_outcomes_never_permit(found, data):
    chosen = paths(found, data)
    if chosen is not None:
        place, plan, result = chosen
        worse = data.draw(st.sets(st.integers(0, len(result.outcomes) - 1), min_size=1, max_size=8))
        bad = "0" if found.rising else "1"
        said = "".join(bad if number in worse else one for number, one in enumerate(result.outcomes))
        assert not found.freed(found.world.swap(place, counted_again(plan, result, said)))


@law(looks(), st.data())
def test_another_run_of_nothing_but_adverse_samples_never_permits(found, data):
    kernel = found.world.kernels[0]
    kind, of_means = kernel.evaluations["cap"].estimand, kernel.evaluations["cap"].of_means
    units = data.draw(st.sampled_from(SIZES))
    plan = planned(kernel, "late", units, BANK if kind == "bank" else 0, of_means=of_means)
    bad = of_outcomes("late", ("0" if found.rising else "1") * units, units, of_means=of_means)
    assert not found.freed(found.world.then(plan, bad))
