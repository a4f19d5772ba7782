"""The gate's key is the developer's: he signs answers that the gate never gave."""

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade, PermitRevoked, ResultReported
from scalegate.gate.record import moment
from scalegate.ledger.leaf import read_leaf
from tests.attacks.company import BO, copied, reasons
from tests.cli.lab import DAY, POLICY


@pytest.fixture(scope="module")
def company(found):
    """A permit, then a result that ends all permits, ten days later."""
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    company.now += DAY
    company.measure("r2", 90)
    company.now += DAY
    assert company.gate().code == 1
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


@pytest.fixture
def permit(insider):
    return insider.where(DecisionMade, answer="permit")


@pytest.fixture
def hold(insider):
    return insider.where(DecisionMade, answer="hold")


def check_refused(company, insider, *words, code=1, more=()):
    said = company.verify(insider.publish(), *more)
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


# ---------------------------------------------------------------- outside the log


def test_a_permit_minted_outside_the_log(company, insider, bundle, permit):
    length = len(insider.leaves)
    mark = insider.mint(permit)
    del insider.leaves[length:]
    said = company.verify(bundle, "--permit", mark)
    assert (said.code, "the permit was made outside of it" in reasons(said)[0]) == (4, True)


def test_a_hold_that_is_shown_as_a_permit(company, bundle, insider, hold):
    said = company.verify(bundle, "--permit", insider.events()[hold].decision)
    assert (said.code, "is a hold" in reasons(said)[0]) == (4, True)


def test_a_permit_of_the_log_is_one(company, bundle, insider, permit):
    said = company.verify(bundle, "--permit", insider.events()[permit].decision)
    assert said.code == 3
    assert any(item.startswith("permits: ") for item in reasons(said, "passed"))


def test_a_permit_that_has_ended_is_no_yes(company, bundle, insider, permit):
    mark = insider.events()[permit].decision
    company.now += 40 * DAY
    try:
        said = company.verify(bundle, "--permit", mark)
    finally:
        company.now -= 40 * DAY
    assert any("it ended on" in item for item in reasons(said, "impossible")), said.out
    insider.add(PermitRevoked(mark, "Ada Osei", "developer"))
    said = company.verify(insider.publish(), "--permit", mark)
    assert any("it was revoked on" in item for item in reasons(said, "impossible")), said.out


# ---------------------------------------------------------------- answers that do not follow


def test_a_permit_that_the_gate_would_hold(company, insider, permit):
    insider.mint(permit, record={"as_of": moment(company.now)}, at=company.now, expires=company.now + 30 * DAY)
    check_refused(company, insider, "answer 3 does not follow from the log: the answer would be hold, and is permit")


def test_a_hold_that_is_turned_into_a_permit(company, insider, hold):
    insider.leaves[hold] = insider.again(hold, answer="permit", limit=4 * 10**24, expires=company.now + DAY)
    check_refused(company, insider, "the answer would be hold, and is permit")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limit": 4 * 10**26}, "its limit"),
        ({"expires": 1 << 40}, "its end"),
        ({"policies": ()}, "other policies bind"),
        ({"action": "deploy"}, "another question"),
        ({"context": "internal"}, "another question"),
    ],
    ids=["limit", "end", "policies", "action", "context"],
)
def test_a_permit_that_says_more_than_the_gate_gave(company, insider, permit, changes, words):
    insider.leaves[permit] = insider.again(permit, **changes)
    code = 4 if words == "another question" else 1
    check_refused(company, insider, words, code=code)


@pytest.mark.parametrize(
    ("early", "words"),
    [(5, "is dated before what it rests on"), (DAY, "was recorded long after")],
    ids=["just", "long"],
)
def test_a_permit_that_is_dated_before_the_evidence_against_it(company, insider, permit, hold, early, words):
    """As of a time when the bad result was not known; it would run for thirty days from then."""
    del insider.leaves[hold]
    known = company.now - DAY  # when the bad result was recorded
    as_of = known - early
    insider.mint(permit, record={"as_of": moment(as_of)}, at=known + 5, expires=as_of + 30 * DAY)
    check_refused(company, insider, words)


def test_a_permit_on_an_old_head(company, insider, permit):
    """The entry before the bad result."""
    place = insider.where(ResultReported, run="r2")
    insider.mint(permit, head=read_leaf(insider.leaves[place - 1]).digest)
    check_refused(company, insider, "made on another history", code=4)


def test_a_permit_on_the_permit_before(company, insider, permit):
    insider.mint(permit, head=read_leaf(insider.leaves[permit]).digest)
    check_refused(company, insider, "made on another history", code=4)


@pytest.mark.parametrize("number", [1, 2, 4, 0, -1])
def test_a_decision_counter_that_is_skipped(company, insider, permit, number):
    insider.mint(permit, number=number)
    check_refused(company, insider, f"it is answer {number}, and 3 comes next", code=4)


def test_an_answer_under_another_trust_file(company, insider, permit):
    insider.mint(permit, trust="sha256:" + "0" * 64)
    check_refused(company, insider, "under another trust file", code=4)


def test_an_answer_from_the_future(company, insider, hold):
    insider.mint(hold, record={"as_of": moment(company.now + 9_000)})
    check_refused(company, insider, "made after it was recorded")


def test_a_permit_that_was_asked_for_long_before_it_was_recorded(company, insider, permit):
    """Nothing but the clock is between the question and its record."""
    del insider.leaves[permit + 1 :]
    at = company.now - 2 * DAY
    insider.mint(permit, record={"as_of": moment(at)}, at=at + 31 * DAY, expires=at + 30 * DAY)
    company.now += 40 * DAY
    try:
        check_refused(company, insider, "was recorded long after")
    finally:
        company.now -= 40 * DAY


# ---------------------------------------------------------------- records


def test_a_record_that_is_edited(company, insider, hold):
    path = insider.path(insider.events()[hold].decision)
    path.write_bytes(path.read_bytes().replace(b'"hold"', b'"permit"'))
    check_refused(company, insider, "the record of answer 2 is not to be trusted", code=4)


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "permit"},
        {"limits": {"effective_compute": "9" * 26, "expires": "2027-01-01T00:00:00Z"}},
        {"untrusted": True},
        {"counterfactual": True},
        {"policies": []},
        {"head": "sha256:" + "0" * 64},
        {"schema": "scalegate/decision/v9"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_record_that_says_something_else_than_its_entry(company, insider, hold, change):
    """The entry is right; the record, which people read, is not."""
    record = insider.record(insider.events()[hold]) | change
    insider.leaves[hold] = insider.again(hold, decision=insider.blob(canonical_bytes(record)))
    check_refused(company, insider, "answer 2", next(iter(change)))


def test_a_record_in_other_words_is_said_to_be_one(company, insider, hold):
    record = insider.record(insider.events()[hold]) | {"notes": ["nothing to see"]}
    insider.leaves[hold] = insider.again(hold, decision=insider.blob(canonical_bytes(record)))
    said = company.verify(insider.publish())
    assert said.code == 3
    assert any("the words of answer 2" in item for item in reasons(said, "impossible"))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b"[" * 90_000, b"\xff", b'{"as_of":null}',
        b'{"action":"train","as_of":"2026-09-23T14:13:20Z","context":"","subject":"orion"}',
        b'{"action":"train","as_of":"2026-09-23T14:13:20Z","context":"","subject":"orion","to":[]}',
        b'{"action":"train","as_of":"2026-09-23T14:13:20Z","context":"","subject":"orion","to":"1e999"}',
        b'{"action":"train","as_of":5,"context":"","subject":"orion","to":"1"}',
        b'{"action":"train","as_of":"9999-99-99","context":"","subject":"orion","to":"1"}',
    ],
)  # fmt: skip
def test_a_record_that_is_none(company, insider, hold, body):
    insider.leaves[hold] = insider.again(hold, decision=insider.blob(body))
    check_refused(company, insider, "the record of answer 2 is not to be trusted", code=4)


def test_a_record_that_is_left_out_is_no_reason_for_alarm(company, insider, hold, permit):
    for place in (hold, permit):
        insider.path(insider.events()[place].decision).unlink()
    said = company.verify(insider.folder)
    assert (said.code, reasons(said)) == (3, []), said.out
    assert sum("its record is not in the bundle" in item for item in reasons(said, "impossible")) == 2


def test_a_permit_without_its_record_that_the_gate_would_hold(company, insider, permit):
    mark = insider.mint(permit, at=company.now, expires=company.now + 30 * DAY)
    insider.path(mark).unlink()
    check_refused(company, insider, "the answer would be hold, and is permit")


def test_a_policy_that_was_added_and_is_edited(found):
    other = found()
    other.init()
    other.measure("r1", 0)
    text = POLICY.replace("id: acme-rsp", "id: strict").replace("20%", "19%")
    assert other.gate("--policy", other.file("strict.yaml", text)).code == 0
    insider = copied(other.export(), other.folder, other.people)
    mark = insider.events()[-1].policies[-1]
    insider.path(mark).write_bytes(text.replace("19%", "99%").encode())
    check_refused(other, insider, "answer 1", "digest that is its name", code=4)
    insider.path(mark).unlink()
    said = other.verify(insider.folder)
    assert (said.code, reasons(said)) == (3, []), said.out


# ---------------------------------------------------------------- approvals


def test_one_auditor_who_signs_twice_for_a_quorum(found):
    """Two of three have to approve: the same one twice is one, and no permit follows from it."""
    other = found()
    other.init(POLICY.replace("autonomy <= 50%", "autonomy <= 90%"))
    other.measure("r1", 100, items=400)
    soon = ("--expires", "6 months")
    other.do("evidence", "attest", "predicate", "rival-without-safeguards", *soon, "--by", "Lea Roth", "--role",
             "auditor")  # fmt: skip
    for _ in range(2):
        other.do("evidence", "attest", "approval", "exception:rival", *soon, *BO)
    other.do("evidence", "attest", "publication", "exception:rival", *soon, "--by", "Ada Osei", "--role", "developer")
    other.do("exception", "invoke", "rival", "--by", "Ada Osei", "--role", "developer")
    held = other.gate()
    assert held.code == 1
    insider = copied(other.export(), other.folder, other.people)
    place = insider.where(DecisionMade)
    insider.leaves[place] = insider.again(place, answer="permit", limit=4 * 10**24, expires=other.now + 30 * DAY)
    check_refused(other, insider, "the answer would be hold, and is permit")
