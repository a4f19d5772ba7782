"""What a review found: answers that nobody looked at again, that were made long before, or under another trust file."""

import sys
from dataclasses import replace

import pytest

from scalegate.audit.answers import NOWHERE, resting
from scalegate.audit.bundle import Bundle
from scalegate.audit.decisions import audit_decisions
from scalegate.audit.entries import audit_log
from scalegate.audit.report import Report
from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade, Entry, PermitRevoked, StopLifted
from scalegate.gate.record import moment
from scalegate.ledger.trust import parse_trust
from tests.attacks.company import copied, reasons
from tests.attacks.test_reviewed_speakers import adopt
from tests.cli.lab import DAY


@pytest.fixture(scope="module")
def company(found):
    """A permit, then a result that ends it, and a hold."""
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    company.now += DAY
    company.measure("r2", 90)
    assert company.gate().code == 1
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, code=1, more=()):
    said = company.verify(insider.publish(), *more)
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


def answered_at_once(insider, place, times=2):
    """Further answers like one of them, by processes that asked at the same time: all rest on what it rests on."""
    for _ in range(times):
        head = insider.events()[place].head
        insider.mint(place, record={"head": head}, head=head)


def permit_now(insider, company, model, **record):
    """A permit on the last entry that the gate did not give."""
    times = {"at": company.now, "expires": company.now + 30 * DAY}
    return insider.mint(model, record={"as_of": moment(company.now), **record}, **times)


# ---------------------------------------------------------------- answers at the same time


def test_answers_at_the_same_time_are_all_looked_at(company, insider):
    answered_at_once(insider, insider.where(DecisionMade, answer="hold"), times=3)
    said = company.verify(insider.publish())
    assert (said.code, reasons(said)) == (3, []), said.out
    assert "decisions: 5 of 5 answers follow from the log" in reasons(said, "passed")


@pytest.mark.parametrize("times", [1, 4])
def test_a_forged_permit_behind_answers_at_the_same_time(company, insider, times):
    """The first answer that rested on no next entry ended the looking, for that one and for all behind it."""
    model = insider.where(DecisionMade, answer="permit")
    answered_at_once(insider, insider.where(DecisionMade, answer="hold"), times=times)
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"))
    mark = permit_now(insider, company, model)
    number = 3 + times
    check_refused(company, insider, f"answer {number} does not follow from the log", "would be hold, and is permit",
                  more=("--permit", mark))  # fmt: skip


def test_a_forged_permit_among_answers_at_the_same_time(company, insider):
    hold = insider.where(DecisionMade, answer="hold")
    answered_at_once(insider, hold, times=1)
    head = insider.events()[hold].head
    insider.mint(insider.where(DecisionMade, answer="permit"), at=company.now, expires=company.now + 30 * DAY,
                 record={"as_of": moment(company.now), "head": head}, head=head)  # fmt: skip
    check_refused(company, insider, "answer 4 does not follow from the log", "would be hold, and is permit")


def entries_of(*events):
    return [Entry(place, place, f"d{place}", event) for place, event in enumerate(events)]


def answer(head):
    return DecisionMade("", "hold", "train", "", "", 0, 0, (), head, 1)


def test_answers_that_rest_nowhere_are_said_to():
    """No log admits them; who asks what they rest on is told all the same."""
    other = StopLifted("x", "", "")
    found = entries_of(other, answer("d0"), answer("d0"), answer("d1"), other, answer("d0"), answer("d4"), answer("?"))
    told = {place: [entry.index for entry in rest] for place, rest in resting(found).items()}
    assert told == {1: [1, 2], 2: [3], 5: [6], NOWHERE: [5, 7]}
    assert resting(entries_of(answer(""), answer(""), answer("d0"))).keys() == {0, 1}
    assert resting(entries_of(other, answer(""))).keys() == {NOWHERE}


def test_an_answer_that_rests_nowhere_fails_the_audit(company, bundle):
    """Past the rules of the log, which admit none."""
    report = Report()
    trust = parse_trust(company.trust.read_text())
    audited = audit_log(Bundle(bundle), trust, report)
    last = audited.entries[-1]
    audited.entries.append(Entry(last.index + 1, last.at, "sha256:x", replace(last.event, head="elsewhere", number=3)))
    found = Report()
    audit_decisions(Bundle(bundle), audited, found)
    assert f"the answer in entry {last.index + 1} rests on no entries before it" in [
        item.message for item in found.of("failed")
    ]
    assert "2 of 3 answers follow from the log" in [item.message for item in found.of("failed")]


def calls_of(work):
    """How many functions are called while something is done."""
    count = 0

    def count_call(frame, kind, value):  # noqa: ARG001 - the signature of a profile function
        nonlocal count
        count += kind in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


class Counted(list):
    """A list that counts what it hands out, item by item or in slices."""

    given = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.given += len(found) if isinstance(place, slice) else 1
        return found

    def __iter__(self):
        for item in super().__iter__():
            self.given += 1
            yield item


@pytest.mark.parametrize("alike", [True, False], ids=["answers-at-the-same-time", "answers-one-by-one"])
def test_looking_at_answers_again_grows_with_their_number_and_no_faster(company, bundle, alike):
    """The rest of the log was copied for each of them: a run of answers without end was an audit without end."""
    trust = parse_trust(company.trust.read_text())
    costs = []
    for times in (20, 40, 80):
        audited = audit_log(Bundle(bundle), trust, Report())
        last = audited.entries[-1]
        for number in range(times):
            head = last.event.head if alike else audited.entries[-1].digest
            event = replace(last.event, head=head, number=3 + number)
            audited.entries.append(Entry(last.index + 1 + number, last.at, f"sha256:{number}", event))
        audited.entries = Counted(audited.entries)
        report = Report()
        costs.append(calls_of(lambda held=audited, told=report: audit_decisions(Bundle(bundle), held, told)))
        assert any(f"of {2 + times} answers follow from the log" in item.message for item in report.checks)
        assert audited.entries.given <= 5 * len(audited.entries)
    first, second = costs[1] - costs[0], costs[2] - costs[1]
    assert second < 2.2 * first, costs


# ---------------------------------------------------------------- times


@pytest.mark.parametrize("days", [1, 20])
def test_an_answer_that_is_recorded_long_after_it_says_that_it_was_made(found, people, days):
    """As of a day when witnesses had just seen the log, and still to run for weeks: the gate holds by now."""
    company = found("trust-witnessed")
    company.init()
    company.measure("r1", 0)
    company.witness()
    assert company.gate().code == 0
    insider = copied(company.export(), company.folder, people)
    model = insider.where(DecisionMade)
    made = company.now + DAY // 2
    company.now += days * DAY
    insider.mint(model, record={"as_of": moment(made)}, at=company.now, expires=made + 20 * DAY + DAY // 2)
    check_refused(company, insider, "answer 2 was recorded long after it says that it was made")


def test_an_answer_that_was_recorded_a_moment_later_is_in_order(company, insider):
    """Between the question and its record lies a little time."""
    insider.mint(insider.where(DecisionMade, answer="hold"), at=company.now + 300)
    company.now += 300
    try:
        said = company.verify(insider.publish())
    finally:
        company.now -= 300
    assert (said.code, reasons(said)) == (3, []), said.out


# ---------------------------------------------------------------- trust files


def test_permits_under_an_older_trust_file_are_named(found, people):
    """That file may have asked for no witnesses at all."""
    company = found()
    company.init()
    company.measure("r1", 0)
    for _ in range(2):
        assert company.gate().code == 0
    old = parse_trust(company.trust.read_text())
    before = company.verify(company.export("before"))
    assert not [item for item in reasons(before, "impossible") if item.startswith("trust: ")]
    later = people.file("answers-permits", f"replaces {old.digest}")
    adopt(company, later)
    assert company.gate().code == 0
    said = company.verify(company.export(), trust=later)
    assert (said.code, reasons(said)) == (3, []), said.out
    words = "trust: whether 2 permits would be given under your trust file: they were under one it replaces"
    assert words in reasons(said, "impossible")


def test_holds_under_an_older_trust_file_are_not(found, people):
    company = found()
    company.init()
    assert company.gate().code == 1
    later = people.file("answers-hold", f"replaces {parse_trust(company.trust.read_text()).digest}")
    adopt(company, later)
    said = company.verify(company.export(), trust=later)
    assert not [item for item in reasons(said, "impossible") if item.startswith("trust: ")]


# ---------------------------------------------------------------- records without end


@pytest.mark.parametrize(
    "change",
    [{"to": "1" + "0" * 4_000}, {"to": "\u0661"}, {"to": ["1"]}, {"as_of": "0001-01-01T00:00:00"},
     {"as_of": "9" * 9_000}, {"action": None}, {"subject": 1}, {"context": {}}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_record_that_no_reader_can_follow_ends_in_a_verdict(company, insider, change):
    hold = insider.where(DecisionMade, answer="hold")
    record = insider.record(insider.events()[hold]) | change
    insider.leaves[hold] = insider.again(hold, decision=insider.blob(canonical_bytes(record)))
    check_refused(company, insider, "the record of answer 2 is not to be trusted", code=4)


def test_the_cases_of_this_module_differ_from_the_honest_ones_in_one_thing(company, insider):
    said = company.verify(insider.publish())
    assert (said.code, reasons(said)) == (3, []), said.out
