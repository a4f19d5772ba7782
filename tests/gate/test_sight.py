"""What witnesses have seen: under the trust file in force, soon enough, and of everything."""

import pytest

from scalegate.core.events import DecisionMade, Entry, StopLifted, Terms
from scalegate.core.log_events import HeadWitnessed, TrustAdopted
from scalegate.core.quantities import DAY, instant
from scalegate.gate.sight import Sight

START = instant("2026-02-01")
TERMS = Terms("sha256:1", True, DAY)


class Story:
    """Entries one after another, a second apart unless a test says otherwise."""

    def __init__(self):
        self.sight, self.now, self.entries = Sight(), START, []
        self.add(TrustAdopted("sha256:1", "text"))

    def add(self, event, *, at=None):
        self.now = self.now + 1 if at is None else at
        entry = Entry(len(self.entries), self.now, f"sha256:{len(self.entries)}", event)
        self.entries.append(entry)
        self.sight.add(entry)
        return entry

    def said(self, *, at=None):
        return self.add(StopLifted("order", "M. Ito", "regulator"), at=at)

    def answered(self):
        return self.add(DecisionMade("d", "hold", "train", "", "", 0, 0, (), "", 1))

    def seen(self, size=None, *, time=None, mark="m", at=None):
        """A head that enough witnesses cosigned, of everything unless told otherwise."""
        size = len(self.entries) if size is None else size
        return self.add(HeadWitnessed(size, "", self.now if time is None else time, "", mark), at=at)

    def stale(self, after=0):
        return self.sight.stale(TERMS, self.now + after)


@pytest.fixture
def story():
    return Story()


# ---------------------------------------------------------------- fresh


def test_a_log_that_nobody_has_to_see_is_not_stale(story):
    assert story.sight.stale(None, START + 900 * DAY) == ""
    assert story.sight.stale(Terms("sha256:1", False, DAY), START + 900 * DAY) == ""
    assert "no witnesses" in story.stale()


def test_a_head_over_everything_is_fresh_for_as_long_as_the_trust_file_says(story):
    story.seen(time=story.now)
    assert story.sight.stale(TERMS, story.sight.time + DAY) == ""
    assert "witnesses saw this log last on" in story.sight.stale(TERMS, story.sight.time + DAY + 1)


@pytest.mark.parametrize("days", [2, 10, 40])
def test_fresh_heads_of_a_prefix_see_nothing_of_what_is_behind_it(story, days):
    """Each day a head of one entry more; what is behind them could still be exchanged."""
    for _ in range(60):
        story.said()
    hidden = story.entries[days + 2]
    for day in range(days):
        story.now += DAY
        story.seen(day + 3, time=story.now)
    assert f"witnesses have not seen entry {hidden.index} of" in story.stale()
    story.seen(time=story.now)
    assert story.stale() == ""


def test_a_head_of_less_than_was_seen_before_takes_nothing_back(story):
    story.said()
    story.seen(time=story.now)
    story.now += 2 * DAY
    story.seen(1, time=story.now)
    assert (story.sight.covered, story.stale()) == (2, "")


def test_what_is_new_has_as_long_as_a_head_to_be_seen(story):
    story.seen(time=story.now)
    late = story.said()
    story.seen(1, time=late.at + DAY, at=late.at + DAY)
    assert story.sight.stale(TERMS, late.at + DAY) == ""
    assert f"witnesses have not seen entry {late.index} of" in story.sight.stale(TERMS, late.at + DAY + 1)


def test_answers_and_heads_are_not_waited_for(story):
    story.seen(time=story.now)
    for _ in range(3):
        story.answered()
    story.seen(1, time=story.now + 5 * DAY)
    assert story.sight.stale(TERMS, story.now + 5 * DAY) == ""


def test_the_latest_time_counts_whichever_head_came_last(story):
    story.seen(time=START + 5 * DAY)
    story.seen(time=START)
    assert story.sight.time == START + 5 * DAY


# ---------------------------------------------------------------- under the trust file in force


def test_a_later_trust_file_starts_anew(story):
    story.said()
    story.seen(time=story.now)
    assert story.stale() == ""
    adopted = story.add(TrustAdopted("sha256:2", "text"))
    assert "no witnesses have cosigned this log yet under the trust file in force" in story.stale()
    assert (story.sight.since, story.sight.heads, story.sight.covered) == (adopted.index, {}, 0)
    story.seen(time=story.now)
    assert story.stale() == ""


def test_a_head_under_a_later_trust_file_has_to_cover_what_is_older_than_that(story):
    hidden = story.said()
    story.said()
    story.seen(time=story.now)
    story.add(TrustAdopted("sha256:2", "text"))
    story.now += 2 * DAY
    story.seen(hidden.index, time=story.now)
    assert f"witnesses have not seen entry {hidden.index} of" in story.stale()


# ---------------------------------------------------------------- marks


def test_the_head_that_orders_are_drawn_from_wins_over_one_that_came_first(story):
    run = story.said()
    story.seen(run.index + 1, mark="")
    assert story.sight.mark_of(run) == ""
    story.seen(run.index + 1, mark="first")
    assert story.sight.mark_of(run) == "first"


@pytest.mark.parametrize("other", ["", "second"])
def test_the_first_mark_of_a_size_is_the_one(story, other):
    run = story.said()
    story.seen(run.index + 1, mark="first")
    story.seen(run.index + 1, mark=other)
    assert story.sight.mark_of(run) == "first"


def test_a_mark_of_another_size_draws_nothing(story):
    run = story.said()
    story.seen(run.index, mark="before")
    story.said()
    story.seen(run.index + 2, mark="behind")
    assert story.sight.mark_of(run) == ""


def test_a_run_that_waits_when_a_trust_file_follows_is_never_drawn(story):
    """That file may put another witness first, and would be another try."""
    run = story.said()
    story.add(TrustAdopted("sha256:2", "text"))
    story.seen(run.index + 1, mark="of another first witness")
    assert story.sight.mark_of(run) == ""


def test_a_mark_under_the_trust_file_before_draws_nothing_any_longer(story):
    run = story.said()
    story.seen(run.index + 1, mark="first")
    story.add(TrustAdopted("sha256:2", "text"))
    assert story.sight.mark_of(run) == ""
