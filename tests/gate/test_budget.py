"""The shares of the error of a wrong stop: never more than the whole, whoever registers what in which order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from scalegate.gate.budget import ErrorBudget

strata = st.tuples(st.sampled_from(["prompting", "fine-tuning", "junk", ""]), st.sampled_from(["", "agent", "other"]))
arrivals = st.lists(st.tuples(strata, st.booleans()), max_size=12)
required = st.sampled_from([(), ("prompting",), ("prompting", "fine-tuning")])


def total(budget: ErrorBudget, groups: int) -> Fraction:
    known = {stratum for order in budget.order.values() for stratum in order}
    return sum(
        (
            budget.share("m", stratum, place, asked=asked)
            for stratum in known
            for asked in (True, False)
            for place in range(groups)
        ),
        Fraction(0),
    )


@given(required, arrivals, st.integers(1, 5))
def test_all_shares_together_never_exceed_the_error(required, arrivals, groups):
    budget = ErrorBudget(required)
    for stratum, asked in arrivals:
        budget.place("m", stratum, asked=asked)
    assert total(budget, groups) <= 1


@given(required, arrivals, arrivals)
def test_a_share_never_shrinks_when_more_arrives(required, first, later):
    budget = ErrorBudget(required)
    for stratum, asked in first:
        budget.place("m", stratum, asked=asked)
    before = {stratum: budget.share("m", stratum) for stratum, _ in first}
    for stratum, asked in later:
        budget.place("m", stratum, asked=asked)
    assert all(budget.share("m", stratum) >= share for stratum, share in before.items())


def test_junk_registered_first_takes_nothing_from_what_the_policy_asks():
    budget = ErrorBudget(("prompting",))
    for number in range(50):
        budget.place("m", (f"junk-{number}", ""), asked=True)
        budget.place("m", ("prompting", f"junk-{number}"), asked=False)
    budget.place("m", ("prompting", ""), asked=True)
    assert budget.share("m", ("prompting", "")) == Fraction(81, 100)
