"""Certificates that claim what nobody proved: of less than it seems, of other texts, of no fixed text."""

import json

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.policy_events import PolicyCompared
from scalegate.policy import load
from scalegate.prove.amendment import document
from scalegate.prove.certificate import plain
from scalegate.prove.compare import QUESTIONS, UNBOUND, compare
from scalegate.prove.diff import diff
from scalegate.prove.permits import Reading
from tests.attacks.company import BO, CY, ITO, NOA, reasons
from tests.cli.lab import ADA, DAY, POLICY
from tests.cli.test_attached import LOOSE, REGIME
from tests.prove.policies import BOTH

STRICT = REGIME.replace("LIMIT", "10%").replace("MORE", "")
OWN, OFFICE = load(POLICY, "acme-rsp.yaml"), load(STRICT, "office.yaml")
NEXT = load(LOOSE, "acme-rsp.yaml")
EVERY = (*QUESTIONS, UNBOUND)
WHOLE = Reading()


@pytest.fixture
def company(found):
    made = found()
    made.init()
    made.do("policy", "adopt", made.file("office.yaml", STRICT), *ITO)
    return made


def recorded(company, data, answer="yes", purpose="conformity", first=(OWN,), second=(OFFICE,)):
    """Record a comparison with a document of one's own making; `data` is plain data or bytes."""
    book = company.book()
    with book.store:
        mark = book.store.put_blob(data if isinstance(data, bytes) else canonical_bytes(data))
        sides = (tuple(kernel.digest for kernel in side) for side in (first, second))
        book.record(lambda _: PolicyCompared(purpose, *sides, answer, mark, "Ada Osei", "developer"))


def comparisons(company, *verdicts):
    bundle = company.folder / "out"
    said = company.verify(bundle if bundle.exists() else company.export())
    return [line for line in reasons(said, *verdicts) if line.startswith("comparisons")]


def certificate(reading=WHOLE, questions=EVERY, first=OWN, second=OFFICE):
    found = compare([first], [second], BOTH, reading, questions)
    return json.loads(canonical_bytes(plain(found, [first], [second], reading)))


@pytest.mark.parametrize(
    "reading", [Reading(about="nothing at all"), Reading(bound=True), Reading(filled=True), Reading(weakest="aim")]
)
def test_a_certificate_of_a_part_is_none_of_conformity(company, reading):
    recorded(company, certificate(reading), "yes" if reading.about else "no")
    assert any("a part of what the texts promise" in line for line in comparisons(company, "failed"))
    assert comparisons(company, "passed") == []


def test_a_certificate_of_some_questions_is_none_of_conformity(company):
    """The regime holds training alone: nobody asks about that."""
    recorded(company, certificate(questions=("deploy.internal", "release.weights")))
    assert any("does not ask about deploy.internal.auton" in line for line in comparisons(company, "failed"))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((OWN,), (), "conformity is with one regime"),
        ((OWN,), (OWN,), "conformity is with one regime"),
        ((), (OFFICE,), "policies that were in force"),
        ((OFFICE,), (OFFICE,), "policies that were in force"),
    ],
    ids=["with nothing", "with itself", "of nobody", "of the regime"],
)
def test_conformity_is_of_the_developers_policies_with_a_regime(company, first, second, words):
    found = compare(first, second, BOTH, questions=EVERY)
    recorded(company, plain(found, first, second, Reading()), "yes", first=first, second=second)
    assert any(words in line for line in comparisons(company, "failed"))


def test_a_text_that_was_offered_and_never_approved_does_not_conform_for_the_one_in_force(company):
    text = POLICY.replace('version: "1.2"', 'version: "2"').replace("autonomy <= 20%", "autonomy <= 1%")
    text = text.replace("once crossed, resume only if shown: deception < 10% and vault", "once crossed: never")
    company.do("policy", "amend", company.file("strict.yaml", text), *ADA)
    offered = load(text, "acme-rsp.yaml")
    recorded(company, certificate(first=offered), "no", first=(offered,))
    assert any("in force then" in line for line in comparisons(company, "failed"))


def test_what_is_not_the_strictness_of_a_question_counts_for_nothing(company):
    """`1` is no `true`: it was taken for a yes that nobody had to prove."""
    data = certificate()
    for item in data["findings"]:
        if item["direction"] == "forward":
            item.update(strict=1, witness=None)
    data["relation"] = "stricter"
    recorded(company, data)
    assert comparisons(company, "failed")


def test_another_encoding_is_not_counted_as_derived(company):
    data = certificate()
    for item in data["findings"]:
        item.update(strict=True, witness=None, query="")
    data.update(encoding=1, relation="equivalent")
    recorded(company, data)
    assert comparisons(company, "passed") == []
    assert any("another version of scalegate" in line for line in comparisons(company, "impossible"))
    assert any("takes a solver" in line for line in comparisons(company, "impossible"))


def doubled(data):
    """Two readers of such a document read two answers."""
    return canonical_bytes(data).replace(b'"relation":', b'"relation":"equivalent","relation":')


def endless(data):
    """A value of a billion digits."""
    item = next(item for item in data["findings"] if item["witness"])
    item["witness"]["situation"] = dict.fromkeys(item["witness"]["situation"], "1e999999999")
    return data


def about_nothing(data):
    data["findings"][0]["questions"] = []
    return data


def twice(data):
    data["findings"].append(data["findings"][0])
    return data


@pytest.mark.parametrize(
    "spoil",
    [
        doubled,
        endless,
        about_nothing,
        twice,
        lambda data: canonical_bytes(data).replace(b'"bound":false', b'"bound":NaN'),
        lambda data: canonical_bytes(data) + b" " * (1 << 22),
        lambda _: b"[" * 100_000,
        lambda data: {**data, "bound": "yes"},
        lambda data: {**data, "encoding": True},
        lambda data: {**data, "about": []},
    ],
)
def test_a_document_that_is_read_in_no_single_way_is_none(company, spoil):
    recorded(company, spoil(certificate()), "no")
    assert comparisons(company, "failed")
    assert comparisons(company, "passed") == []


def test_a_situation_that_names_what_does_not_hold_in_it_is_a_lie(company):
    data = certificate()
    item = next(item for item in data["findings"] if item["witness"])
    item["witness"]["held by"] = ["something harmless"]
    recorded(company, data, "no")
    assert any("something else holds" in line for line in comparisons(company, "failed"))


def claimed(data):
    """Call every question of a comparison proved."""
    for item in data["findings"]:
        if item["direction"] == "forward":
            item.update(strict=True, witness=None)
    backward = [item["strict"] for item in data["findings"] if item["direction"] == "backward"]
    data["relation"] = "stricter" if False in backward else "equivalent"


def test_a_false_proof_is_often_refuted_by_a_simple_situation(company):
    """The questions are derived as they should be, and every one of them is called proved."""
    data = certificate()
    claimed(data)
    recorded(company, data)
    assert any("a simple situation answers" in line for line in comparisons(company, "failed"))


def test_two_answers_about_the_same_texts_do_not_both_stand(company):
    """A proof takes a solver to check; that somebody else showed a situation against it does not."""
    text = POLICY.replace('version: "1.2"', 'version: "3"').replace("each: 30 days", "each: 40 days")
    wider = load(text, "acme-rsp.yaml")
    company.do("policy", "amend", company.file("wider.yaml", text), *ADA)
    data = json.loads(canonical_bytes(document(diff(OWN, wider, BOTH), OWN, wider)))
    recorded(company, data, "no", "amendment", (wider,), (OWN,))
    claimed(data["comparison"])
    claimed(data["imagined"])
    data.update(weakens=False, changes=[item for item in data["changes"] if item["kind"] != "weakened"])
    recorded(company, data, "yes", "amendment", (wider,), (OWN,))
    (found,) = comparisons(company, "failed")
    assert "says no of the same texts" in found


def test_what_fills_a_hole_is_part_of_what_conforms(company):
    """The text with its hole open asks for more than the policy in force does."""
    fill = ("policy", "fill", "insight", "--policy", "acme-rsp", "--condition", "vault", "--expires", "6 months")
    matter = company.do(*fill, *ADA, "--format", "json").json["matter"]
    for who in (BO, CY, NOA):
        company.do("evidence", "attest", "approval", matter, "--policy", "acme-rsp", "--expires", "12 months", *who)
    recorded(company, certificate(), "no")
    assert any("not the one that these policies raise" in line for line in comparisons(company, "failed"))


def test_a_certificate_of_a_filled_policy_verifies(company):
    fill = ("policy", "fill", "insight", "--policy", "acme-rsp", "--condition", "vault", "--expires", "6 months")
    matter = company.do(*fill, *ADA, "--format", "json").json["matter"]
    for who in (BO, CY, NOA):
        company.do("evidence", "attest", "approval", matter, "--policy", "acme-rsp", "--expires", "12 months", *who)
    company.run("regime", "certify", "office", *ITO)
    assert comparisons(company, "failed") == []
    assert comparisons(company, "passed")


# ---------------------------------------------------------------- amendments


def difference(**changes):
    data = json.loads(canonical_bytes(document(diff(OWN, NEXT, BOTH), OWN, NEXT)))
    return {**data, **changes}


def test_a_difference_whose_own_comparison_shows_weakening_weakens(company):
    """The comparison is honest; the list of changes is empty, and the answer is yes."""
    company.do("policy", "amend", company.file("next.yaml", LOOSE), *ADA)
    data = difference(weakens=False, changes=[])
    recorded(company, data, "yes", "amendment", (NEXT,), (OWN,))
    assert any("its own comparison says otherwise" in line for line in comparisons(company, "failed"))


def test_a_difference_of_a_part_of_the_questions_is_none(company):
    company.do("policy", "amend", company.file("next.yaml", LOOSE), *ADA)
    found = compare([NEXT], [OWN], BOTH, Reading(about="nothing"), EVERY)
    vacuous = plain(found, [NEXT], [OWN], Reading(about="nothing"))
    recorded(company, difference(weakens=False, changes=[], comparison=vacuous), "yes", "amendment", (NEXT,), (OWN,))
    assert any("a part of what the texts promise" in line for line in comparisons(company, "failed"))


def test_what_holes_hide_is_part_of_a_difference(company):
    company.do("policy", "amend", company.file("next.yaml", LOOSE), *ADA)
    recorded(company, difference(imagined=None), "no", "amendment", (NEXT,), (OWN,))
    assert any("once holes are filled" in line for line in comparisons(company, "failed"))


def test_a_difference_that_came_behind_the_approvals_showed_nobody_anything(company):
    company.do("policy", "amend", company.file("next.yaml", LOOSE), *ADA)
    for who in (BO, CY, NOA):
        matter = f"acme-rsp/amendment:{NEXT.digest}"
        company.do("evidence", "attest", "approval", matter, "--expires", "12 months", *who)
    company.now += DAY
    company.do("policy", "attach", "acme-rsp", *ADA)
    assert any("it was approved before" in line for line in comparisons(company, "impossible"))
