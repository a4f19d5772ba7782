"""Scopes, obligations, declared practices and regimes: what they mean, and that older texts mean what they meant."""

from fractions import Fraction

import pytest

from scalegate.core import terms
from scalegate.core.duties import EventName, Provenance
from scalegate.core.kernel import All, AnyOf, Compare, Constant, Kernel, Not
from scalegate.core.quantities import HOUR, MONTH, instant
from scalegate.policy import check, load
from scalegate.policy.grammar import RESERVED
from scalegate.policy.practices import PRACTICES
from scalegate.policy.prose import prose
from scalegate.policy.prose_duties import NOT_ENFORCED
from tests.policy.strategies import WORDS_AS_NAMES
from tests.policy.texts import BIO, HEX, REGIME, REPORT, leaf, policy, section, shown

# ---------------------------------------------------------------- scope


def scoped(words: str) -> Kernel:
    return load(policy(extra=f"scope: {words}\n"))


def test_revenue_is_whole_dollars() -> None:
    kernel = scoped("revenue > 5e8 USD")
    assert isinstance(kernel.scope, Compare)
    assert kernel.terms[kernel.scope.term] == terms.Revenue()
    assert (kernel.scope.above, kernel.scope.edge, kernel.scope.num, kernel.scope.den) == (True, False, 5 * 10**8, 1)
    assert kernel.scope.text == "revenue > 5e8 USD"


def test_a_place_is_answered_by_yes_or_no() -> None:
    kernel = scoped("operates in us-ca")
    assert isinstance(kernel.scope, Compare)
    assert kernel.terms[kernel.scope.term] == terms.Operates("us-ca")
    assert (kernel.scope.above, kernel.scope.edge, kernel.scope.num) == (True, True, 1)


def test_a_scope_joins_compute_revenue_and_places() -> None:
    kernel = scoped("(effective compute > 1e26 FLOP and revenue >= 1 USD) or not operates in eu")
    assert isinstance(kernel.scope, AnyOf)
    both, negated = kernel.scope.parts
    assert isinstance(both, All)
    assert isinstance(negated, Not)
    assert kernel.terms[:3] == (terms.Compute(), terms.Revenue(), terms.Operates("eu"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", []),
        ("above 1e26 FLOP", [terms.Compute()]),
        ("with revenue above 5e8 USD", [terms.Revenue()]),
        ("in us-ca", [terms.Operates("us-ca")]),
        ("above 1e26 in us-ca", [terms.Compute(), terms.Operates("us-ca")]),
        (
            "above 1e26 FLOP with revenue above 5e8 USD in us-ca",
            [terms.Compute(), terms.Revenue(), terms.Operates("us-ca")],
        ),
        ("in us-ca or us-ny or eu", [terms.Operates("us-ca"), terms.Operates("us-ny"), terms.Operates("eu")]),
    ],
)
def test_whom_a_regime_binds(words: str, found: list[terms.Term]) -> None:
    kernel = load(policy(extra=f"kind: regime\nbinds: every developer {words}\n"))
    assert kernel.binds_every_developer
    scope = [term for term in kernel.terms if not isinstance(term, terms.Measure)]
    assert scope == found
    shape = {0: Constant, 1: Compare}.get(len(found), AnyOf if " or " in words else All)
    assert isinstance(kernel.scope, shape)


def test_several_places_are_one_of_the_things_needed() -> None:
    kernel = load(policy(extra="kind: regime\nbinds: every developer above 1e26 in us-ca or us-ny\n"))
    assert isinstance(kernel.scope, All)
    compute, places = kernel.scope.parts
    assert isinstance(compute, Compare)
    assert isinstance(places, AnyOf)
    assert [part.text for part in places.parts if isinstance(part, Compare)] == [
        "operates in us-ca",
        "operates in us-ny",
    ]


# ---------------------------------------------------------------- words that stayed names


@pytest.mark.parametrize("word", WORDS_AS_NAMES)
def test_words_of_the_new_phrases_are_still_names(word: str) -> None:
    assert word not in RESERVED
    named = BIO.replace("bio", word)
    assert leaf(policy(f"{word} <= 20%", evaluations=named)) == (
        terms.Measure(word, "when"),
        False,
        False,
        Fraction(1, 5),
    )
    vault = f"safeguards: {{{word}: {{means: a@sha256:{HEX}, because: b@sha256:{HEX}}}}}\n"
    for words in (word, f"{word} and bio <= 20%", f"bio <= 20% or {word}", f"({word})", f"not {word}"):
        kernel = load(policy(words, end=vault))
        assert terms.Shown(word) in kernel.terms
    kernel = load(policy(f"attested {word} by auditor"))
    assert terms.Attested(word, "auditor") in kernel.terms


# ---------------------------------------------------------------- obligations


def test_an_obligation_that_runs_from_events() -> None:
    found = load(policy(end=REPORT)).duties.obligations["report"]
    assert (found.id, found.does, found.within, found.every) == (
        "report",
        "report a critical incident",
        72 * HOUR,
        None,
    )
    assert found.starts == (EventName("incident-believed", "developer"), EventName("incident-found", "auditor"))
    assert found.met == EventName("incident-reported", "regulator")
    assert (found.modality, found.about, found.provenance) == ("must", ("incident-clock",), Provenance())


def test_an_obligation_that_recurs() -> None:
    found = load(policy(end=REPORT)).duties.obligations["review"]
    assert (found.within, found.every, found.starts) == (None, 3 * MONTH, ())


def test_overdue_is_a_term_of_the_obligation() -> None:
    assert leaf(policy("overdue report", end=REPORT)) == (terms.Overdue("report"), True, True, Fraction(1))
    _, found = shown(policy("not overdue report and not overdue review", end=REPORT))
    assert isinstance(found, All)
    assert all(isinstance(part, Not) for part in found.parts)


def test_elapsed_time_is_a_number_of_seconds() -> None:
    words = "elapsed 6 months since pause-announced by regulator"
    expected = (terms.Elapsed("pause-announced", "regulator"), True, True, Fraction(6 * MONTH))
    assert leaf(policy(words)) == expected
    assert words.replace(" ", "  ") != words
    assert leaf(policy(words.replace(" ", "  "))) == expected


@pytest.mark.parametrize("words", ["overdue report", "elapsed 1 day since start by auditor"])
def test_scope_speaks_of_no_obligation(words: str) -> None:
    found = [item.code for item in check(policy(extra=f"scope: {words}\n", end=REPORT)) if item.severity == "error"]
    assert found == ["P506"]


# ---------------------------------------------------------------- aspects and practices


def test_aspects_change_no_decision() -> None:
    one, other = load(policy()), load(policy(entry="    about: [cadence, deployment]\n"))
    assert other.commitments[0].about == ("cadence", "deployment")
    assert (one.commitments[0].when, one.commitments[0].until) == (
        other.commitments[0].when,
        other.commitments[0].until,
    )
    assert one.commitments[0].about == ()
    assert load(policy(entry="    about: cadence\n")).commitments[0].about == ("cadence",)


def test_practices_are_declared_in_words() -> None:
    text = "declares:\n  drills: stops   are rehearsed\n  notice: {says: told before, modality: may, number: 30 days}\n"
    drills, notice = load(policy(end=text)).duties.declares.values()
    assert (drills.key, drills.says, drills.modality, drills.number) == ("drills", "stops are rehearsed", "must", "")
    assert (notice.key, notice.says, notice.modality, notice.number) == ("notice", "told before", "may", "30 days")


@pytest.mark.parametrize("key", PRACTICES)
def test_every_practice_can_be_declared(key: str) -> None:
    kernel = load(policy(end=f"declares:\n  {key}: it is so\n"))
    assert [*kernel.duties.declares] == [key]
    assert f"**{key}**: it is so." in section(prose(kernel), NOT_ENFORCED)


# ---------------------------------------------------------------- regimes


def test_a_regime_states_its_law() -> None:
    law = load(policy(extra=REGIME)).duties.law
    assert law is not None
    assert (law.title, law.version, law.in_force) == ("An Act", "2026", instant("2026-07-01"))
    assert (law.jurisdiction, law.text) == ("us-ca", f"act@sha256:{HEX}")
    assert "W511" not in {item.code for item in check(policy(extra=REGIME))}


@pytest.mark.parametrize("pin", ["act", "act@sha256:ab..."])
def test_a_law_that_is_not_pinned_is_a_hole(pin: str) -> None:
    text = policy(extra=REGIME.replace(f"act@sha256:{HEX}", pin))
    law = load(text).duties.law
    assert law is not None
    assert law.text is None
    assert "W511" in {item.code for item in check(text)}
    assert "Hole: the text of “An Act” is not pinned" in section(prose(load(text)), "What this policy does not cover")


def test_mandated_roles_need_no_declaration_in_the_regime() -> None:
    auditor, board = load(policy(extra=REGIME)).duties.mandates
    assert (auditor.name, auditor.independent_of, auditor.quorum) == ("auditor", ("developer", "sponsor"), 2)
    assert (board.name, board.independent_of, board.quorum) == ("board", (), 1)
