"""What somebody attests reaches the gate under the topic that the policy asks for."""

import pytest

from scalegate.core.events import Statement, claim_topic, matter_topic
from tests.cli.lab import ADA, DAY, LEA, POLICY

SOON = ("--expires", "6 months")


def attest(lab, *words):
    said = lab.do("evidence", "attest", *words)
    event = lab.history().entries[-1].event
    assert isinstance(event, Statement)
    assert said.out.startswith("entry ")
    return event


def test_a_safeguard_is_stated_with_its_means_and_reason(bare):
    event = attest(bare, "safeguard", "vault", "--subject", "orion", *SOON, *LEA)
    assert event.topic == matter_topic("acme-rsp", "vault")
    assert (event.means, event.because) == ("sha256:" + "c" * 64, "sha256:" + "e" * 64) or event.means
    assert event.expires == bare.now + 180 * DAY
    assert event.holds


def test_each_kind_of_statement_has_its_topic(bare):
    with_digest = attest(bare, "belief", "evaluation gaming is excluded", "--evaluation", "deception", *SOON, *LEA)
    evaluation = with_digest.topic.rpartition(":")[0]
    assert with_digest.topic == claim_topic(evaluation, "evaluation gaming is excluded")
    measured = attest(
        bare, "measurement", "known positives flagged", "--evaluation", "deception",
        "--count", "19/20", *SOON, *LEA,
    )  # fmt: skip
    assert measured.topic == claim_topic(evaluation, "known positives flagged")
    assert measured.count == (19, 20)
    theft = attest(bare, "measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3", *SOON, *LEA)
    assert theft.topic == matter_topic("acme-rsp", "vault:red-team-theft")
    assert theft.means
    assert attest(bare, "predicate", "rival-without-safeguards", *SOON, *LEA).topic == ("rival-without-safeguards")
    assert attest(bare, "approval", "exception:rival", *SOON, *ADA).topic == "acme-rsp/exception:rival"
    assert attest(bare, "approval", "acme-rsp/exception:rival", *SOON, *ADA).topic == ("acme-rsp/exception:rival")
    signed = attest(
        bare, "countersignature", "--action", "train", "--subject", "orion", "--to", "4e24",
        *SOON, *LEA,
    )  # fmt: skip
    assert (signed.topic, signed.action, signed.compute) == ("train", "train", 4 * 10**24)
    crossed = attest(bare, "treat-as-crossed", "--evaluation", "autonomy", "--subject", "orion", *LEA)
    assert crossed.topic.startswith("sha256:")
    assert crossed.expires == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("safeguard valt --expires 2027-01-01", "did you mean `vault`?"),
        ("safeguard vault", "must expire"),
        ("safeguard vault --expires 2026-01-01", "must expire, in the future"),
        ("safeguard vault --expires someday", "is not a date"),
        ("safeguard vault --expires 2027-01-01 --count 1/2", "nothing else, has --count"),
        ("belief nonsense --evaluation deception --expires 2027-01-01", "no adopted policy asks"),
        ("belief x --evaluation autonmy --expires 2027-01-01", "did you mean `autonomy`?"),
        ("measurement red-team-theft --safeguard vault --expires 2027-01-01", "has --count"),
        ("measurement x --safeguard vault --count 3/2 --expires 2027-01-01", "SUCCESSES/TRIALS"),
        ("measurement x --safeguard vault --count 0/0 --expires 2027-01-01", "SUCCESSES/TRIALS"),
        ("measurement x --safeguard vault --count three --expires 2027-01-01", "no count"),
        ("predicate weather --expires 2027-01-01", "no adopted policy asks"),
        ("countersignature --expires 2027-01-01", "has --action"),
        ("countersignature --action trian --expires 2027-01-01", "did you mean `train`?"),
        ("approval exception:rival --policy acme --expires 2027-01-01", "did you mean `acme-rsp`?"),
        ("safeguard vault --subject vega --expires 2027-01-01", "no subject `vega`"),
        ("safeguard vault --expires 2027-01-01 --evidence sha256:12", "64 hexadecimal digits"),
        ("oath vault --expires 2027-01-01", "is not one of"),
    ],
)
def test_a_statement_that_would_count_for_nothing_is_refused(bare, line, words):
    said = bare.run("evidence", "attest", *line.split(), *LEA)
    assert said.code == 2, said
    assert words in said.err
    assert "Statement" not in bare.kinds()


def test_a_denial_needs_no_expiry_and_holds(bare):
    event = attest(bare, "safeguard", "vault", "--denied", *LEA)
    assert (event.holds, event.expires) == (False, 0)


def test_the_way_to_resume_leads_through_statements(empty):
    """A crossed line, its stated target shown on the exact subject: the whole way at the terminal."""
    empty.init(POLICY.replace("autonomy <= 50%", "autonomy <= 90%"))
    empty.measure("r1", 30)
    assert empty.gate().code == 1
    empty.register("r2", evaluation="deception")
    empty.do("evidence", "add", "r2", empty.log("r2.jsonl", [0.0] * 100), *LEA)
    for words in (
        ("safeguard", "vault", "--subject", "orion"),
        ("measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3"),
        ("belief", "evaluation gaming is excluded", "--evaluation", "deception"),
        ("measurement", "known positives flagged", "--evaluation", "deception", "--count", "20/20"),
    ):
        assert empty.gate().code == 1
        attest(empty, *words, *SOON, *LEA)
    said = empty.gate()
    assert said.code == 0, said.out


def test_a_hole_is_filled_by_the_approvals_that_it_names(empty):
    """Crossed beyond the hole's line: only the fill, approved by all who must, lets it go on."""
    empty.init(POLICY.replace("    once crossed, resume only if shown: deception < 10% and vault",
                              "    once crossed, resume only if shown: vault"))  # fmt: skip
    empty.measure("r1", 80)
    attest(empty, "safeguard", "vault", "--subject", "orion", *SOON, *LEA)
    attest(empty, "measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3", *SOON, *LEA)
    assert "insight is a hole" in empty.gate().out
    said = empty.do("policy", "fill", "insight", "--condition", "vault", "--expires", "6 months",
                    *ADA, "--format", "json")  # fmt: skip
    matter = said.json["matter"]
    for who, role in (("Bo Li", "board"), ("Eve Park", "board"), ("Lea Roth", "auditor")):
        assert empty.gate().code == 1
        attest(empty, "approval", matter, *SOON, "--by", who, "--role", role)
    said = empty.gate()
    assert said.code == 0, said.out
    empty.now += 181 * DAY
    said = empty.gate()
    assert (said.code, "insight is a hole" in said.out) == (1, True)
