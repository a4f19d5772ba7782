"""Whom a regime binds: revenue and places, on whose word, and until when. Unknown binds."""

from __future__ import annotations

import pytest

from scalegate.core.quantities import DAY
from scalegate.core.terms import Revenue
from scalegate.gate.records import index
from scalegate.gate.regimes import bearings
from scalegate.policy import load
from tests.gate.duties import lab, regime
from tests.gate.world import AUDITOR, LAB, REGULATOR, permitted

LINE = 500_000_000
FORBID = "closed:\n  hold: deploy.api\n  unless shown: never\n  once crossed: never\n"
RICH = regime(FORBID, binds="every developer with revenue above 5e8 USD", obligations="")
LOCAL = regime(FORBID, binds="every developer in us-ca", obligations="")
AS_LAB = {"by": LAB, "role": "developer"}


def free(world, at=None) -> bool:
    """Whether the regime, which holds whatever it binds, does not bind."""
    return permitted(world.ask("deploy.api", "base", at=at))


def test_the_regime_asks_for_revenue():
    assert Revenue() in load(RICH).terms


def test_what_nobody_said_binds():
    assert not free(lab(RICH))
    assert not free(lab(LOCAL))


def test_an_independent_word_frees_at_the_line_and_not_above():
    for high, answer in ((LINE - 1, True), (LINE, True), (LINE + 1, False), (None, False)):
        world = lab(RICH)
        world.describe(0 if high is None else 1, high)
        assert free(world) is answer, high


@pytest.mark.parametrize(
    ("by", "role"), [(LAB, "developer"), (LAB, "auditor"), ("x", "passer-by"), ("x", "developer"), ("ann", "board")]
)
def test_nobody_else_can_say_that_a_regime_does_not_bind(by, role):
    for text, said in ((RICH, {"high": 1}), (LOCAL, {"absent": ["us-ca"]})):
        world = lab(text)
        world.describe(**said, by=by, role=role)
        assert not free(world)


def test_the_developer_cannot_deny_a_jurisdiction_that_an_auditor_names():
    world = lab(LOCAL)
    world.describe(places=["us-ca"])
    world.describe(absent=["us-ca"], **AS_LAB)
    assert not free(world)
    world.describe(absent=["us-ca"], by=REGULATOR, role="regulator")
    assert not free(world), "the last word of each speaker counts, and the auditor has not taken his back"
    world.describe(absent=["us-ca"])
    assert free(world)


def test_an_absence_counts_for_the_place_that_it_names_alone():
    world = lab(LOCAL)
    world.describe(absent=["us", "us-c", "US-CA", "us-ca-1"])
    assert not free(world)


def test_who_says_both_says_nothing():
    world = lab(LOCAL)
    world.describe(places=["us-ca"], absent=["us-ca"])
    assert not free(world)


def test_an_adverse_word_counts_from_anybody_and_does_not_age():
    world = lab(RICH)
    world.describe(LINE + 1, by="x", role="passer-by", expires=world.now + DAY)
    world.tick(days=900)
    world.describe(1, LINE)
    assert not free(world)
    world.describe(1, LINE, by="x", role="passer-by")
    assert free(world)


def test_at_the_line_nobody_is_above_it():
    world = lab(RICH)
    world.describe(LINE, by="x", role="passer-by")
    world.describe(1, LINE)
    assert free(world)


def test_a_description_ends_to_the_second_and_its_permits_with_it():
    world = lab(RICH)
    end = world.now + 20 * DAY
    world.describe(1, LINE, expires=end)
    decision = world.ask("deploy.api", "base")
    assert decision.limits is not None
    assert decision.limits.expires == end
    assert free(world, at=end - 1)
    assert not free(world, at=end)


def test_a_description_without_an_end_frees_nobody():
    world = lab(RICH)
    world.describe(1, 2, expires=0)
    assert not free(world)


def test_a_speaker_that_turns_developer_frees_nobody():
    world = lab(RICH)
    world.describe(1, LINE)
    world.attest("anything", by=AUDITOR, role="developer")
    assert not free(world)


def test_an_independent_doubt_bars_the_word_of_another_also_when_it_has_expired():
    world = lab(RICH)
    world.describe(1, 3 * LINE, by=REGULATOR, role="regulator", expires=world.now + 10 * DAY)
    world.describe(1, LINE)
    assert not free(world)
    world.tick(days=11)
    assert not free(world), "time frees nobody"
    world.describe(1, LINE, by=REGULATOR, role="regulator")
    assert free(world)


def test_a_body_needs_its_quorum():
    world = lab(RICH)
    world.describe(1, LINE, by="ann", role="panel")
    assert not free(world)
    world.describe(1, LINE, by="bob", role="panel")
    assert free(world)


def test_a_word_on_places_leaves_the_word_on_revenue():
    world = lab(RICH)
    world.describe(LINE + 1, **AS_LAB)
    world.describe(places=["us-ny"], **AS_LAB)
    world.describe(1, LINE)
    assert not free(world)


def test_where_being_elsewhere_binds_the_doubt_is_the_other_way_round():
    """`not operates in`: here it is the presence that frees, and the absence that anybody may state."""
    text = RICH.replace("binds: every developer with revenue above 5e8 USD", "scope: not operates in us-ca")
    world = lab(text)
    assert not free(world)
    world.describe(places=["us-ca"], **AS_LAB)
    assert not free(world)
    world.describe(places=["us-ca"])
    assert free(world)
    world.describe(absent=["us-ca"], by="x", role="passer-by")
    assert not free(world)


def test_compute_revenue_and_place_all_have_to_be_above():
    text = regime(FORBID, binds="every developer above 1e26 FLOP with revenue above 5e8 USD in us-ca", obligations="")
    world = lab(text)
    assert free(world), "base embodies 1e25 FLOP"
    world.declare("large", compute=2e26)
    assert not permitted(world.ask("deploy.api", "large"))
    world.describe(LINE + 1, absent=["us-ca"])
    assert permitted(world.ask("deploy.api", "large"))


def test_a_bearing_says_why():
    world = lab(RICH, LOCAL.replace("id: act", "id: local"))
    world.describe(1, LINE, expires=world.now + DAY)
    _, rich, local = bearings(index(tuple(world.entries), world.now), [load(text) for text in texts(world)])
    assert (rich.binds, local.binds) == (False, True)
    assert rich.until == world.now + DAY
    assert "by metra (auditor)" in rich.because[0]
    assert "nobody has said" in local.because[0]
    assert local.subjects == ("base",)


def test_a_bearing_without_any_subject_binds():
    world = lab(RICH)
    world.forget(world.entries[-1])
    found = bearings(index(tuple(world.entries), world.now), [load(regime(binds="every developer above 1e26 FLOP"))])
    assert found[0].binds
    assert found[0].subjects == ()


def texts(world) -> list[str]:
    return [entry.event.text for entry in world.entries if hasattr(entry.event, "text")]
