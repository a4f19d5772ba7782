"""What a review found: heads of a weaker file, of a prefix, without a mark, too late, and from the end of time."""

from dataclasses import replace

import pytest

from scalegate.app.sampling import draw_order
from scalegate.app.witnessing import waiting
from scalegate.audit.entries import Audited, audit_time
from scalegate.audit.report import Report
from scalegate.core.events import DecisionMade, Entry, PermitRevoked, RunRegistered, StopLifted
from scalegate.core.log_events import HeadWitnessed, OrderDrawn, TrustAdopted
from scalegate.gate.record import moment
from scalegate.gate.records import index
from scalegate.ledger.errors import NotAdmittedEntryError
from scalegate.ledger.leaf import MAX_TIME, read_leaf
from scalegate.ledger.note import Note, format_note, parse_note
from scalegate.ledger.standing import witnessed
from scalegate.ledger.trust import parse_trust
from tests.attacks.company import copied, reasons
from tests.attacks.insider import witness_key, witness_lines
from tests.attacks.test_reviewed_answers import Counted
from tests.attacks.test_reviewed_speakers import adopt
from tests.attacks.test_witnesses import sequential
from tests.cli.lab import DAY, LEA
from tests.ledger.keys import make_trust
from tests.ledger.signers import Ed25519Signer


@pytest.fixture(scope="module")
def seen(found):
    """A passing result that witnesses saw, a permit, and a head behind it."""
    company = found("trust-witnessed")
    company.init()
    company.measure("r1", 0)
    company.witness()
    assert company.gate().code == 0
    company.now += 60
    company.witness()
    return company


@pytest.fixture(scope="module")
def bundle(seen):
    return seen.export()


def head_over(note, trust, *times):
    """What the log says of a head that witnesses cosigned at these times: theirs, whoever lets them."""
    parsed = parse_note(note)
    lines = [witness_key(name).sign(parsed.text, Ed25519Signer(name), time) for name, time in times]
    return witnessed(format_note(Note(parsed.text, (*parsed.signatures, *lines))), trust)


def record_head(company, size, *names):
    """Record a cosigned head of the first entries, without asking a witness for more."""
    book = company.book()
    with book.store:
        event = head_over(
            book.store.checkpoint(size), book.store.standing().trust, *((name, company.now) for name in names)
        )
        book.store.append(event, company.now)
    return event


def later(people, name, old, *lines, quorum="two", names=("north", "opal", "delta")):
    digest = parse_trust(old.read_text()).digest
    return people.file(name, *witness_lines(names), *lines, f"replaces {digest}", quorum=quorum)


def check_refused(company, insider, *words, code=1, trust=None):
    said = company.verify(insider.publish(), trust=trust)
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


# ---------------------------------------------------------------- weaker trust files


@pytest.fixture
def stricter(found, people):
    """One witness was enough, and cosigned; the file in force asks for two of three, and nobody asked them."""
    weak = people.file("reviewed-weak", *witness_lines(), quorum="north")
    strict = later(people, "reviewed-strict", weak)
    company = found("reviewed-weak")
    company.init()
    company.measure("r1", 0)
    assert company.witness(names=("north",))
    assert company.gate().code == 0
    adopt(company, strict)
    return company, strict


def test_a_head_under_a_weaker_trust_file_counts_for_nothing_under_the_next(stricter):
    company, strict = stricter
    said = company.gate()
    assert (said.code, "no witnesses have cosigned this log yet under the trust file in force" in said.out) == (1, True)
    said = company.verify(company.export(), trust=strict)
    assert (said.code, reasons(said)) == (3, []), said.out
    words = "whether enough witnesses saw the log: none of its heads was cosigned under the trust file in force"
    assert f"witnesses: {words}" in reasons(said, "impossible")
    assert not [item for item in reasons(said, "passed") if item.startswith("witnesses: ")]


def test_a_permit_on_a_head_under_a_weaker_trust_file(stricter, people):
    company, strict = stricter
    insider = copied(company.export(), company.folder, people)
    digest = parse_trust(strict.read_text()).digest
    model = insider.where(DecisionMade, answer="permit")
    expires = insider.events()[model].expires
    insider.mint(model, record={"as_of": moment(company.now)}, at=company.now, expires=expires, trust=digest)
    check_refused(company, insider, "the answer would be hold, and is permit", trust=strict)


def test_a_head_under_the_next_trust_file_counts_again(stricter):
    company, strict = stricter
    company.witness(names=("opal", "delta"))
    assert company.gate().code == 0
    said = company.verify(company.export(), trust=strict)
    assert any(item.startswith("witnesses: enough witnesses saw") for item in reasons(said, "passed"))


def test_a_clock_of_a_weaker_trust_file_from_the_future_is_found(found, people):
    """His own witness, who was enough then, says that it is next year: all that follows is as fresh as that."""
    weak = people.file("reviewed-future", *witness_lines(), quorum="north")
    strict = later(people, "reviewed-future-strict", weak)
    company = found("reviewed-future")
    company.init()
    company.measure("r1", 0)
    assert company.witness(names=("north",), time=company.now + 300 * DAY)
    adopt(company, strict)
    assert company.gate().code == 1
    said = company.verify(company.export(), trust=strict)
    assert said.code == 1
    assert any("time: the log ends on" in item and "still to come" in item for item in reasons(said))


# ---------------------------------------------------------------- prefixes


def test_fresh_heads_of_a_prefix_permit_nothing(found):
    """What no witness has seen could still be exchanged, however young the last head is."""
    company = found("trust-witnessed")
    company.init()
    company.measure("r1", 0)
    size = len(company.history().entries)
    company.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "90 days", *LEA)
    for _ in range(3):
        company.now += DAY // 2
        record_head(company, size, "north", "opal")
    said = company.gate()
    words = f"witnesses have not seen entry {size} of"
    assert (said.code, words in " ".join(said.out.split())) == (1, True), said.out
    said = company.verify(company.export("prefix"))
    assert any(f"whether entries {size} to" in item for item in reasons(said, "impossible")), said.out
    record_head(company, len(company.history().entries), "north", "opal")
    assert company.gate().code == 0


def test_a_permit_on_fresh_heads_of_a_prefix(seen, insider):
    """He has them cosigned day after day, and shows one of two ends to each reader."""
    model = insider.where(DecisionMade)
    size = len(insider.leaves)
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"))
    for days in (1, 2):
        at = seen.now + days * DAY
        insider.add(head_over(insider.checkpoint(size), insider.trust, ("north", at), ("opal", at)), at,
                    by=("acme gate",))  # fmt: skip
    expires = insider.events()[model].expires
    at = seen.now + 2 * DAY
    insider.mint(model, record={"as_of": moment(at)}, at=at, expires=expires)
    seen.now += 2 * DAY
    try:
        check_refused(seen, insider, "the answer would be hold, and is permit")
    finally:
        seen.now -= 2 * DAY


# ---------------------------------------------------------------- times


@pytest.mark.parametrize("days", [2, pytest.param(19, marks=pytest.mark.slow)])
def test_a_permit_that_witnesses_first_saw_long_after_it_says_it_was_given(found, days):
    """A clock that stands still, and a cut network: the log is consistent, and the permit is not of that day."""
    company = found("trust-witnessed")
    company.init()
    company.measure("r1", 0)
    company.witness()
    company.now += DAY // 2
    assert company.gate().code == 0
    given = company.now
    company.now += days * DAY
    company.witness()
    said = company.verify(company.export())
    words = f"time: permit 1 says that it was given on {moment(given)}, and witnesses first saw it on"
    assert said.code == 1, said.out
    assert any(item.startswith(words) for item in reasons(said)), reasons(said)


def test_a_permit_that_witnesses_saw_in_time_is_in_order(seen, bundle):
    said = seen.verify(bundle)
    assert (said.code, reasons(said)) == (3, []), said.out


@pytest.mark.parametrize("time", [MAX_TIME, MAX_TIME * 1_000])
def test_a_witness_time_beyond_any_entry(seen, insider, time):
    """In nanoseconds, say: what the store recorded behind it, no reader could read."""
    event = head_over(insider.checkpoint(), insider.trust, ("north", time), ("opal", time))
    book = seen.book()
    with book.store:
        own = head_over(book.store.checkpoint(), insider.trust, ("north", time), ("opal", time))
        with pytest.raises(NotAdmittedEntryError, match="beyond any that an entry can have"):
            book.store.append(own, seen.now)
    insider.add(event, by=("acme gate",))
    check_refused(seen, insider, "the time of the cosigned head is beyond any that an entry can have", code=4)


def timed(heads):
    """A log of ten entries for each cosigned head."""
    events = [
        HeadWitnessed(place, "", 1_000 + place, "", "") if place % 10 == 0 else StopLifted("x", "a", "b")
        for place in range(10 * heads)
    ]
    found = Audited(entries=Counted(Entry(place, 1_000 + place, str(place), item) for place, item in enumerate(events)))
    found.standing.said = [entry.at for entry in found.entries]
    return found


def test_looking_at_heads_grows_with_their_number_and_no_faster():
    """Each head had all entries before it looked at once more."""
    trust = make_trust(witnesses=["w"], quorum="w")
    shares = []
    for heads in (10, 100, 400):
        found = timed(heads)
        found.entries.given = 0
        report = Report()
        audit_time(found, trust, 1 << 40, report)
        assert not report.of("failed", "untrusted")
        shares.append(found.entries.given / len(found.entries))
    assert max(shares) < 12, shares
    assert max(shares) < 1.5 * min(shares), shares


# ---------------------------------------------------------------- orders


@pytest.fixture
def registered(found):
    """A run that waits for its order, in a log that two of three have to see."""
    company = found("trust-witnessed")
    company.init()
    company.witness()
    assert sequential(company, "s1").code == 0
    return company


def drawn_from(company, head):
    """Draw the order of the run from a head, and record it."""
    book = company.book()
    with book.store:
        run = next(entry for entry in book.store.standing().entries if isinstance(entry.event, RunRegistered))
        event = draw_order(book, run, head.mark)
        book.store.append(event, company.now)
    return index(company.history().entries, company.now).runs["s1"].plan.order


def test_the_head_with_a_mark_wins_over_one_without(registered):
    """Two others cosigned first, for a head that no order can be drawn from: the run is not lost for that."""
    size = len(registered.history().entries)
    assert record_head(registered, size, "opal", "delta").mark == ""
    head = record_head(registered, size, "north", "opal")
    assert head.mark != ""
    assert drawn_from(registered, head) == "witness"
    said = registered.verify(registered.export())
    assert (said.code, reasons(said)) == (3, []), said.out


def test_the_first_head_with_a_mark_is_the_one_that_counts(registered):
    """A first witness who hands out several gives no choice among them."""
    size = len(registered.history().entries)
    record_head(registered, size, "north", "opal")
    registered.now += 1
    other = record_head(registered, size, "north", "opal")
    assert drawn_from(registered, other) != "witness"
    said = registered.verify(registered.export())
    assert any("is drawn from something else than the cosignature" in item for item in reasons(said)), said.out


def test_a_run_that_waits_when_a_trust_file_follows_is_never_drawn(registered, people):
    """That file puts another witness first: for him, the same size is another try."""
    size = len(registered.history().entries)
    path = later(people, "reviewed-order", registered.trust, names=("opal", "north", "delta"))
    assert parse_trust(path.read_text()).witnesses[0].name == "opal"
    adopt(registered, path)
    book = registered.book()
    with book.store:
        assert waiting(book.store.standing()) == []
    head = record_head(registered, size, "opal", "north")
    assert head.mark != ""
    assert drawn_from(registered, head) != "witness"
    said = registered.run("evidence", "add", "s1", registered.log("s1.jsonl", [0.0] * 300), *LEA)
    assert said.code != 0
    assert registered.gate().code == 1
    said = registered.verify(registered.export(), trust=path)
    assert any("is drawn from something else than the cosignature" in item for item in reasons(said)), said.out


def test_an_order_that_was_drawn_before_a_trust_file_followed_stays(registered, people):
    head = record_head(registered, len(registered.history().entries), "north", "opal")
    assert drawn_from(registered, head) == "witness"
    path = later(people, "reviewed-order-stays", registered.trust, names=("opal", "north", "delta"))
    adopt(registered, path)
    assert index(registered.history().entries, registered.now).runs["s1"].plan.order == "witness"
    said = registered.verify(registered.export(), trust=path)
    assert (said.code, reasons(said)) == (3, []), said.out


def test_a_head_of_before_that_is_kept_back_draws_nothing_under_the_next_file(registered, people, tmp_path):
    """He had the first witness cosign, did not like the order, and keeps that head for later."""
    size = len(registered.history().entries)
    path = later(people, "reviewed-kept", registered.trust)
    insider = copied(registered.export(), tmp_path, people)
    kept = head_over(insider.checkpoint(size), insider.trust, ("north", registered.now), ("opal", registered.now))
    trust = parse_trust(path.read_text())
    insider.add(TrustAdopted(trust.digest, trust.text), by=("acme gate",))
    insider.add(kept, by=("acme gate",))
    run = insider.where(RunRegistered)
    book = registered.book()
    with book.store:
        entry = book.store.standing().entries[run]
        event = draw_order(book, entry, kept.mark)
        insider.blob(book.store.get_blob(event.order))
    insider.add(event, by=("acme gate",), subjects=read_leaf(insider.leaves[run]).subjects)
    check_refused(registered, insider, "is drawn from something else than the cosignature", code=4, trust=path)


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        (None, "has not one outcome for each item of its bank"),
        (b"[" * 100_000, "the bank of run `s2`: it is no JSON"),
        (b'[["\\ud800"]]', "the bank of run `s2`: "),
    ],
    ids=["too-few-outcomes", "deep", "half-a-letter"],
)
def test_an_order_from_a_registration_that_no_order_follows_from(registered, people, tmp_path, bank, words):
    """An audit has one outcome for each item; with fewer, whoever drew the order stopped with an error of his own."""
    insider = copied(registered.export(), tmp_path, people)
    place = insider.where(RunRegistered)
    plan, about = insider.events()[place], read_leaf(insider.leaves[place]).subjects
    other = {"reported": "1", "audits": "s1"} if bank is None else {"order": insider.blob(bank)}
    sampling = replace(plan.sampling, **other)
    insider.add(replace(plan, run="s2", sampling=sampling, by="Ada Osei", role="developer"), subjects=about)
    insider.add(head_over(insider.checkpoint(), insider.trust, ("north", registered.now), ("opal", registered.now)),
                by=("acme gate",))  # fmt: skip
    insider.add(OrderDrawn("s2", "x", insider.blob(b"[]"), 1, ""), by=("acme gate",), subjects=about)
    check_refused(registered, insider, words, code=4)
