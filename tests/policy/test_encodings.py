"""Encodings of somebody else's words, and what readers are told of duties."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from scalegate.core import terms
from scalegate.core.canonical import digest
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.duties import Provenance
from scalegate.core.kernel import AnyOf, Constant, Kernel, Not
from scalegate.core.quantities import DAY, instant
from scalegate.policy import check, load
from scalegate.policy.phrases import plain
from scalegate.policy.prose import prose
from scalegate.policy.prose_duties import NOT_ENFORCED
from scalegate.policy.show import expanded, kernel_plain
from tests.policy.kernels import kernels
from tests.policy.texts import BIO, HEX, INSIGHT, REGIME, REPORT, encoding, leaf, policy, section, shown


def test_a_concept_stands_for_a_test() -> None:
    kernel = load(encoding())
    bio = kernel.evaluations["bio"]
    assert (bio.concept, bio.test, bio.hole) == ("novice-uplift", "", None)
    assert bio.digest == digest({"concept": "novice-uplift", "kind": "capability"})
    assert "bio" not in kernel.holes
    others = [
        load(encoding(bio=bio)).evaluations["bio"].digest
        for bio in ("concept: expert-uplift", f"test: novice-uplift@sha256:{HEX}, score: success rate")
    ]
    assert len({bio.digest, *others}) == 3


def test_equal_concepts_of_two_encodings_are_one_variable() -> None:
    one = load(encoding()).evaluations["bio"]
    other = load(encoding(bio="concept: novice-uplift, by: auditor").replace("id: acme-rsp", "id: other")).evaluations[
        "bio"
    ]
    assert one.digest == other.digest
    assert one != other


def test_evaluations_without_a_concept_keep_their_digests() -> None:
    rule = {"least": 1, "tries": 1, "text": "success rate"}
    expected = digest({"kind": "capability", "test": f"bank@sha256:{HEX}", "score": rule})
    assert load(policy()).evaluations["bio"].digest == expected
    assert load(policy()).evaluations["bio"].concept == ""


def test_a_concept_stands_for_means() -> None:
    text = encoding("bio <= 20% and vault", end="safeguards: {vault: {concept: level-3, stops: thieves}}\n")
    vault = load(text).safeguards["vault"]
    assert (vault.concept, vault.means, vault.because, vault.hole) == ("level-3", None, None, None)
    assert "W505" not in {item.code for item in check(text)}


def test_specified_is_no_hole_and_may_stand_under_or() -> None:
    assert leaf(encoding("specified insight")) == (terms.Specified("insight"), True, True, Fraction(1))
    kernel, found = shown(encoding("bio <= 20% or specified insight"))
    assert isinstance(found, AnyOf)
    assert terms.Hole("insight") not in kernel.terms


def test_a_filled_hole_is_specified() -> None:
    kernel = load(encoding("specified insight"), fills={"insight": "bio <= 5%"})
    when = kernel.commitments[0].when
    assert isinstance(when, Not)
    assert isinstance(when.part, Constant)
    assert when.part.proven


def test_the_hole_of_a_capability_can_be_specified() -> None:
    text = encoding("specified capability.chem", end="capabilities: {chem: {hole: no test, filled only by: auditor}}\n")
    assert leaf(text)[0] == terms.Specified("capability.chem")


@pytest.mark.parametrize("unknown", ["hold", "discretion", "permit"])
@pytest.mark.parametrize("modality", ["must", "aim", "may", "recommend"])
def test_how_an_encoding_binds(unknown: str, modality: str) -> None:
    found = load(encoding(entry=f"    unknown: {unknown}\n    modality: {modality}\n")).commitments[0]
    assert (found.unsettled, found.modality) == (unknown, modality)
    plainly = load(encoding()).commitments[0]
    assert (plainly.unsettled, plainly.modality) == ("hold", "must")


def test_sources_and_what_was_read() -> None:
    extra = "unread: [release.weights, cadence, commitments.stop, declares.safety buffer, exceptions]\n"
    extra += "assumes: tests tell all\n"
    end = "declares:\n  drills: {says: yes indeed, source: text, read: unread}\n  notice: told before\n"
    duties = load(encoding(extra=extra, entry="    source: text\n    read: memory\n", end=end)).duties
    assert duties.sources["text"].title == "A Framework"
    assert (duties.sources["text"].date, duties.sources["text"].document, duties.sources["text"].pages) == (
        "2025-10",
        "f.pdf",
        "1-9",
    )
    assert duties.unread == ("release.weights", "cadence", "commitments.stop", "declares.safety buffer", "exceptions")
    assert duties.assumes == ("tests tell all",)
    assert duties.provenance["commitments.stop"] == Provenance("text", "memory")
    assert duties.provenance["evaluations.bio"] == Provenance("", "seen")
    assert duties.declares["drills"].provenance == duties.provenance["declares.drills"] == Provenance("text", "unread")
    assert duties.provenance["declares.notice"] == Provenance()


def test_the_commitment_of_an_untested_capability_can_be_unread() -> None:
    end = "capabilities: {chem: {hole: no test, filled only by: auditor}}\n"
    assert load(encoding(extra="unread: commitments.capability.chem\n", end=end)).duties.unread
    found = check(encoding(extra="unread: commitments.capability.bio\n", end=end))
    assert "P412" in {item.code for item in found}


def test_a_text_of_ones_own_has_no_provenance() -> None:
    assert load(policy(end=REPORT)).duties.provenance == {}


@pytest.mark.parametrize("kind", ["policy", "regime"])
@pytest.mark.parametrize(
    "change",
    [
        ("    once crossed: never\n", "    once crossed: never\n    modality: must\n"),
        ("    once crossed: never\n", "    once crossed: never\n    unknown: hold\n"),
        ("    once crossed: never\n", "    once crossed: never\n    source: text\n"),
        ("    once crossed: never\n", "    once crossed: never\n    read: seen\n"),
        (f"test: bank@sha256:{HEX}, score: success rate", "concept: uplift"),
        ("    does: publish", "    modality: aim\n    does: publish"),
        ("    does: publish", "    source: text\n    does: publish"),
        ("roles:", "safeguards: {vault: {concept: level-3}}\nroles:"),
        ("roles:", "declares: {drills: {says: yes, source: text}}\nroles:"),
        ("roles:", "assumes: much\nroles:"),
        ("roles:", "sources: {}\nroles:"),
        ("roles:", "unread: cadence\nroles:"),
        ("bio <= 20%", "specified insight"),
    ],
    ids=lambda change: change[1].split(":")[0].strip() if isinstance(change, tuple) else change,
)
def test_what_only_an_encoding_says(kind: str, change: tuple[str, str]) -> None:
    text = policy(extra=f"kind: {kind}\nscope: everything\n", end=REPORT, evaluations=BIO + INSIGHT)
    assert [item for item in check(text) if item.severity == "error"] == []
    spoiled = text.replace(*change, 1)
    assert spoiled != text
    codes = {item.code for item in check(spoiled) if item.severity == "error"}
    assert "P516" in codes
    assert "P516" not in {item.code for item in check(spoiled.replace(f"kind: {kind}", "kind: reference"))}
    with pytest.raises(DiagnosticError):
        load(spoiled)


# ---------------------------------------------------------------- what readers are told


def test_what_softens_a_promise_is_said_first() -> None:
    text = encoding(
        extra="unread: [release.weights]\nassumes: [tests tell all]\n",
        entry="    modality: aim\n    unknown: discretion\n    source: text\n    read: memory\n",
        end="declares: {drills: rehearsed}\n" + REPORT,
    )
    first = section(prose(load(text)), "What this policy does not cover")
    for words in (
        "Each of these commitments is an aim, not a promise: stop.",
        "Each of these commitments holds only once a crossing is shown; until then the developer decides: stop.",
        "Being late is shown, and holds nothing, for report and review.",
        "It declares, and nothing here enforces, drills.",
        "It rests on what nothing here tests: tests tell all.",
        "No test is named, only a concept, for bio.",
        "did not read what it says of release of the weights.",
        "These parts are from memory, not from the text: the commitment stop.",
        "No source is given for the evaluation bio, the evaluation insight, the obligation report,",
        "and the practice drills.",
    ):
        assert words in first


def test_an_obligation_that_a_condition_names_is_not_toothless() -> None:
    first = section(prose(load(policy("not overdue report", end=REPORT))), "What this policy does not cover")
    assert "Being late is shown, and holds nothing, for review." in first


def test_obligations_are_read_aloud() -> None:
    said = section(prose(load(policy(end=REPORT))), "What has to be done in time")
    assert (
        "**report**: report a critical incident, within 3 days after the developer states “incident-believed” or"
        in said
    )
    assert "Whoever states that starts the clock." in said
    assert "It is done when the regulator states “incident-reported”." in said
    assert (
        "**review**: publish a review, every 3 months. It is done when the auditor states “review-published”." in said
    )


def test_events_of_one_role_are_said_together() -> None:
    events = "[found by auditor, seen by auditor, told by developer]"
    said = section(
        prose(load(policy(end=REPORT.replace("[incident-believed by developer, incident-found by auditor]", events)))),
        "What has to be done in time",
    )
    assert "after the auditor states “found” or “seen” or the developer states “told”." in said


def test_errors_that_a_text_does_not_state_are_not_put_into_its_mouth() -> None:
    assert "wrongly" not in prose(load(encoding()))
    stated = "concept: novice-uplift, wrongly cleared at most: 1 in 50"
    assert "wrongly cleared at most 1 time in 50" in " ".join(prose(load(encoding(bio=stated))).split())


def test_a_law_is_not_left_by_withdrawing_a_policy() -> None:
    law = encoding(extra="legal text: {title: An Act, version: 1}\n")
    assert "only acme can end it" in section(prose(load(law)), "How it may be left")
    assert "can withdraw it" in section(prose(load(encoding())), "How it may be left")


def test_words_that_end_a_hold_are_named() -> None:
    text = policy("not overdue report and elapsed 6 months since pause by auditor", end=REPORT)
    ways = section(prose(load(text)), "How it may be left")
    assert "Time passing counts as showing something in stop." in ways
    assert "the regulator states “incident-reported”, which ends that report is overdue" in ways
    assert "the auditor states “pause”, from which time is counted" in ways


def test_a_policy_without_duties_reads_as_before() -> None:
    text = prose(load(policy()))
    for heading in ("done in time", "The law", "mandates", "declares", "assumes", "encoding comes from"):
        assert heading not in text
    assert "unknown" not in expanded(load(policy()))


@settings(max_examples=40)
@given(kernels())
def test_no_duty_is_dropped(kernel: Kernel) -> None:
    text, whole = expanded(kernel), " ".join(prose(kernel).split())
    duties = kernel.duties
    for item in duties.obligations.values():
        assert f"  {item.id}: {plain(item.does)}; " in text
        assert f"**{item.id}**: {plain(item.does)}" in whole
    for entry in duties.declares.values():
        assert f"  {entry.key}: {plain(entry.says)}; {entry.modality}" in text
        assert plain(entry.says).rstrip(".") in section(prose(kernel), NOT_ENFORCED)
    for words in duties.assumes:
        assert plain(words) in whole
        assert f"\n  {plain(words)}\n" in text
    for source in duties.sources.values():
        assert f"  {source.key}: {plain(source.title)}" in text
        assert f"“{plain(source.title)}”" in whole
    for path in (*duties.unread, *duties.provenance):
        assert f"\n  {path}" in text
    for mandate in duties.mandates:
        assert f"  {mandate.name}: quorum {mandate.quorum}" in text
        assert f"**{mandate.name}**: every developer's own policy has to declare this role" in whole
    assert duties.law is None or f"“{plain(duties.law.title)}”, version “{plain(duties.law.version)}”" in whole
    for commitment in kernel.commitments:
        assert commitment.modality == "must" or f"\n  binds  {commitment.modality}\n" in text
        assert commitment.unsettled == "hold" or f"\n  unknown {commitment.unsettled}\n" in text


def test_duties_are_plain_data() -> None:
    data = kernel_plain(load(policy("not overdue report", end=REPORT, extra=REGIME)))
    assert data["duties"]["obligations"]["report"]["within"] == 3 * DAY
    assert data["duties"]["obligations"]["report"]["met"] == {"predicate": "incident-reported", "role": "regulator"}
    assert data["duties"]["law"]["in_force"] == instant("2026-07-01")
    assert data["duties"]["mandates"][0]["independent_of"] == ["developer", "sponsor"]
    assert {"is": "Overdue", "obligation": "report"} in data["terms"]
