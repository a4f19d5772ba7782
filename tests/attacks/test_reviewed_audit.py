"""What an audit must not count as looked at, and whom it must not believe: found by the second review."""

import shutil

import pytest

from scalegate.core.events import DecisionMade, ResultRefused, RunRegistered
from tests.attacks.company import BO, NOA, reasons
from tests.cli.lab import ADA, DAY, POLICY


@pytest.fixture
def company(found):
    made = found()
    made.init()
    return made


def drop(bundle, digest):
    """Leave a document out of a bundle, and what follows from it."""
    plain = digest.removeprefix("sha256:")
    (bundle / "blobs" / "sha256" / plain[:2] / plain).unlink()
    shutil.rmtree(bundle / "derived", ignore_errors=True)


def test_a_refusal_that_cannot_be_judged_again_is_not_said_to_be_one(company):
    """The list of items is left out of the bundle, without which no log of the run can be counted."""
    company.register("r1")
    log = company.log("r1.jsonl", [1.0] * 60 + [0.0] * 40)
    book = company.book()
    with book.store:
        mark = book.store.put_file(log)
        book.record(lambda _: ResultRefused("r1", mark, "E203", "unreadable", "Lea Roth", "auditor"))
    bundle = company.export()
    (plan,) = [entry.event for entry in company.history().entries if isinstance(entry.event, RunRegistered)]
    drop(bundle, plan.item_ids)
    said = company.verify(bundle)
    assert not [line for line in reasons(said, "passed") if line.startswith("refusals")]
    assert any("had to be refused" in line for line in reasons(said, "impossible"))


def test_a_run_is_not_void_for_a_policy_that_was_adopted_for_it(company):
    """A side policy makes a friend independent; the policy that asks for the run does not."""
    company.register("r1")
    company.now += 20 * DAY
    side = POLICY.replace("id: acme-rsp", "id: side").replace(
        "board: {quorum: 2 of 3}", "board: {independent of: [developer], quorum: 2 of 3}"
    )
    company.do("policy", "adopt", company.file("side.yaml", side), *ADA)
    company.do("evidence", "void", "r1", "--why", "lost", *BO)
    said = company.verify(company.export())
    assert any("run `r1` has no result" in line for line in reasons(said))


def test_a_run_is_void_where_an_auditor_says_so(company):
    company.register("r1")
    company.now += 20 * DAY
    company.do("evidence", "void", "r1", "--why", "node failure", *NOA)
    said = company.verify(company.export())
    assert reasons(said) == []
    assert said.code == 3


def test_a_hold_without_its_record_is_not_counted_as_derived(company):
    assert company.gate().code == 1
    bundle = company.export()
    (answer,) = [entry.event for entry in company.history().entries if isinstance(entry.event, DecisionMade)]
    drop(bundle, answer.decision)
    said = company.verify(bundle)
    assert not [line for line in reasons(said, "passed") if line.startswith("decisions")]
    assert any(line.startswith("decisions: the words of answer 1") for line in reasons(said, "impossible"))


def test_a_statement_of_ones_own_in_a_folder_below_is_missed_as_well(company):
    """Somebody keeps his statements by year; one was never included."""
    own = company.folder / "own" / "2026"
    own.mkdir(parents=True)
    company.do("--sign-only", own / "stop.leaf", "stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
    company.now += 30 * DAY
    said = company.verify(company.export(), "--own", company.folder / "own")
    assert said.code == 4
    assert any("is not in the log" in line for line in reasons(said))
