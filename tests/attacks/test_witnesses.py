"""With witnesses: heads that nobody else saw, that are old, or that belong to another history, permit nothing."""

import json
import shutil
from dataclasses import replace

import pytest

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.app.sampling import draw_order
from scalegate.app.trusting import adopt_trust
from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import DecisionMade, PermitRevoked, ResultReported, RunRegistered, SubjectDeclared
from scalegate.core.log_events import HeadWitnessed, OrderDrawn
from scalegate.core.order import seed_of, shuffled
from scalegate.gate.record import moment
from scalegate.ledger.errors import NotAdmittedEntryError
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.note import Note, format_note, parse_note
from scalegate.ledger.standing import mark_of
from scalegate.ledger.trust import open_head, parse_trust
from tests.attacks.company import reasons
from tests.attacks.insider import Insider, witness_key, witness_lines
from tests.cli.lab import ADA, DAY, LEA
from tests.ledger.signers import Ed25519Signer


def sequential(company, run, who=LEA):
    return company.run("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
                       company.bank(300), "--sequential", "--report-by", "10 days", *who)  # fmt: skip


@pytest.fixture(scope="module")
def company(found):
    """A run whose order witnesses drew, a permit, and a head behind everything."""
    company = found("trust-witnessed")
    company.init()
    company.witness()
    assert sequential(company, "s1").code == 0
    assert company.witness().mark
    event = company.history().entries[-1].event
    book = company.book()
    with book.store:
        order = [item for unit in json.loads(book.store.get_blob(event.order)) for item in unit]
    rows = [json.dumps({"doc_id": int(item), "metrics": ["acc"], "acc": 0.0}) for item in order]
    company.do("evidence", "add", "s1", company.file("s1.jsonl", "\n".join(rows)), *LEA)
    company.now += 60
    company.witness()
    assert company.gate().code == 0
    company.now += 60
    company.witness()
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, code=4):
    said = company.verify(insider.publish())
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


def cosigned(insider, size, *times):
    """A head of what the insider shows, cosigned by witnesses at these times: theirs, whoever lets them."""
    note = parse_note(insider.checkpoint(size))
    lines = [witness_key(name).sign(note.text, Ed25519Signer(name), time) for name, time in times]
    return format_note(Note(note.text, (*note.signatures, *lines)))


def event_of(insider, note, **changes):
    """What the log says of a cosigned head."""
    head = open_head(note, insider.trust)
    size, root = head.checkpoint.size, head.checkpoint.root.hex()
    mark = ""
    if head.times.get("north"):
        mark = mark_of(head, insider.trust)
    return replace(HeadWitnessed(size, root, head.at or 0, note.decode(), mark), **changes)


def test_a_witnessed_log_is_what_the_insider_starts_from(company, insider):
    said = company.verify(insider.publish())
    assert (said.code, reasons(said)) == (3, []), said.out
    assert any(item.startswith("witnesses: enough witnesses saw") for item in reasons(said, "passed"))


# ---------------------------------------------------------------- heads


def test_a_log_that_no_witness_saw(company, insider):
    """All heads left out: what they showed is not needed for anything else."""
    insider.leaves = [data for data in insider.leaves if not isinstance(read_leaf(data).event, HeadWitnessed)]
    insider.repair()
    check_refused(company, insider, "witnesses: no head of the log was cosigned by enough witnesses")


@pytest.mark.parametrize(
    "times",
    [(), (("north", 5),), (("opal", 5), ("opal", 5)), (("stranger", 5), ("north", 5))],
    ids=["none", "one", "one-twice", "one-and-somebody-whom-nobody-named"],
)
def test_a_head_that_too_few_witnesses_cosigned(company, insider, times):
    note = cosigned(insider, len(insider.leaves), *((name, company.now + at) for name, at in times))
    insider.add(event_of(insider, note, time=company.now + 5), by=("acme gate",))
    check_refused(company, insider, "what is said of the cosigned head is not what it says")


@pytest.mark.parametrize("change", [{"time": 1 << 40}, {"time": 0}, {"mark": ""}, {"mark": "sha256:" + "0" * 64},
                                    {"size": 3}, {"root": "0" * 64}], ids=lambda item: next(iter(item)))  # fmt: skip
def test_a_head_of_which_the_log_says_something_else(company, insider, change):
    note = cosigned(insider, len(insider.leaves), ("north", company.now), ("opal", company.now))
    insider.add(event_of(insider, note, **change), by=("acme gate",))
    check_refused(company, insider, "what is said of the cosigned head is not what it says")


def test_a_witness_with_a_wrong_clock_moves_nothing(company, insider):
    """The time of a head is the latest that enough witnesses vouch for."""
    note = cosigned(insider, len(insider.leaves), ("north", company.now + 300 * DAY), ("opal", company.now))
    event = event_of(insider, note)
    assert event.time == company.now
    insider.add(event, by=("acme gate",))
    assert company.verify(insider.publish()).code == 3


def test_a_cosignature_that_is_not_good_is_not_ignored(company, insider):
    note = parse_note(cosigned(insider, len(insider.leaves), ("north", company.now), ("opal", company.now)))
    line = replace(note.signatures[-1], signature=note.signatures[-2].signature)
    broken = format_note(Note(note.text, (*note.signatures, line)))
    insider.add(HeadWitnessed(len(insider.leaves), insider.tree().root().hex(), company.now, broken.decode(), ""),
                by=("acme gate",))  # fmt: skip
    check_refused(company, insider, "the cosigned head is not one of this log")


def test_split_view_a_head_of_another_history(company, insider, bundle):
    """Good cosignatures, of the log as others see it."""
    other = Insider(shutil.copytree(bundle, insider.folder.parent / "other"), insider.people)
    other.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"))
    insider.add(PermitRevoked("sha256:" + "1" * 64, "Ada Osei", "developer"))
    note = cosigned(other, len(other.leaves), ("north", company.now), ("opal", company.now))
    insider.add(event_of(other, note), by=("acme gate",))
    check_refused(company, insider, "the cosigned head is one of another history of this log")


def test_witnesses_do_not_cosign_a_second_history(company, insider):
    """The whole machinery of the three: none of them goes back, none of them forgets."""
    size = len(insider.leaves)
    _, status = company.witnesses.ask(insider.checkpoint(size - 2), insider.tree(size - 2), company.now + 9)
    assert set(status.values()) == {409}
    del insider.leaves[-3:]
    for number in range(4):
        insider.add(PermitRevoked(f"sha256:{number}" + "0" * 63, "Ada Osei", "developer"))
    _, status = company.witnesses.ask(insider.checkpoint(), insider.tree(), company.now + 9)
    assert set(status.values()) <= {409, 422}


def test_rewritten_entry_under_a_head_that_witnesses_saw(company, insider):
    """His own entry, in a log that he repairs as far as his keys go."""
    place = insider.where(SubjectDeclared)
    insider.leaves[place] = insider.again(place, at=read_leaf(insider.leaves[place]).at + 1)
    insider.repair()
    check_refused(company, insider, "the cosigned head is one of another history of this log")


# ---------------------------------------------------------------- time


def test_a_clock_that_was_moved_back_behind_a_head(company, insider):
    """The entry is dated by what witnesses said before."""
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), company.now - 4 * DAY)
    check_refused(company, insider, "inclusion: ", "was signed", code=1)


def test_a_clock_that_was_moved_forward_before_a_head(company, insider):
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), company.now + 2 * DAY)
    note = cosigned(insider, len(insider.leaves), ("north", company.now), ("opal", company.now))
    insider.add(event_of(insider, note), by=("acme gate",))
    company.now += 3 * DAY
    try:
        check_refused(company, insider, "time: entry", "witnesses saw it before", code=1)
    finally:
        company.now -= 3 * DAY


def test_entries_that_are_much_older_than_witnesses_knew_are_named(company, insider):
    """A clock that stood still: nobody can say whether they are as old as they say."""
    at = company.now
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), at)
    note = cosigned(insider, len(insider.leaves), ("north", at + 30 * DAY), ("opal", at + 30 * DAY))
    insider.add(event_of(insider, note), at + 30 * DAY, by=("acme gate",))
    company.now += 30 * DAY
    try:
        said = company.verify(insider.publish())
    finally:
        company.now -= 30 * DAY
    assert said.code == 3, said.out
    assert any("as old as" in item for item in reasons(said, "impossible")), reasons(said, "impossible")


def test_a_permit_minted_on_a_stale_head(company, insider):
    """The gate would have held: the last head is older than the trust file lets it be."""
    at = company.now + 3 * DAY
    insider.mint(insider.where(DecisionMade), record={"as_of": moment(at)}, at=at, expires=at + 20 * DAY)
    company.now += 3 * DAY
    try:
        check_refused(company, insider, "the answer would be hold, and is permit", code=1)
    finally:
        company.now -= 3 * DAY


# ---------------------------------------------------------------- the gate itself


@pytest.fixture
def again(company, tmp_path):
    """The same company, whose store a test may spoil."""
    saved, time, witnesses = tmp_path / "saved", company.now, company.witnesses
    shutil.copytree(company.store, saved)
    company.witnesses = witnesses.copy(tmp_path / "witnesses")
    yield company
    company.now, company.witnesses = time, witnesses
    shutil.rmtree(company.store)
    shutil.copytree(saved, company.store)


def test_the_gate_holds_on_a_stale_witness(again):
    again.now += DAY
    assert again.gate().code == 0
    again.now += DAY
    said = again.gate()
    assert (said.code, "witnesses saw this log last on" in said.out) == (1, True)


def test_the_gate_holds_before_any_witness_saw_the_log(found):
    other = found("trust-witnessed")
    other.init()
    other.measure("r1", 0)
    said = other.gate()
    assert (said.code, "no witnesses have cosigned this log yet" in said.out) == (1, True)


def test_a_clock_that_is_moved_back_grants_nothing(again):
    """The evidence is out of date; on the clock it is not."""
    again.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
    again.now -= 200 * DAY
    said = again.gate()
    assert said.code == 1
    history = again.history().entries
    assert history[-1].at >= history[-2].at


def test_a_restored_old_store_is_ahead_of_its_witnesses(again, tmp_path):
    """Database and checkpoint together, as they were before the stop: no witness cosigns what follows from them."""
    shutil.copytree(again.store, tmp_path / "before")
    again.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
    again.witness()
    assert again.gate().code == 1
    shutil.rmtree(again.store)
    shutil.copytree(tmp_path / "before", again.store)
    again.now += 2 * DAY
    assert again.witness() is None
    said = again.gate()
    assert (said.code, "witnesses saw this log last on" in said.out) == (1, True)


def test_a_restored_old_database_under_a_newer_checkpoint(again, tmp_path):
    shutil.copytree(again.store, tmp_path / "before")
    again.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
    head = (again.store / "checkpoint").read_bytes()
    shutil.rmtree(again.store)
    shutil.copytree(tmp_path / "before", again.store)
    (again.store / "checkpoint").write_bytes(head)
    said = again.gate()
    assert (said.code, "the newest are gone" in said.out) == (4, True)


def test_a_head_under_a_weaker_trust_file_is_none_under_the_next(found, people):
    """One witness was enough before; the file in force asks for two of three, and none of them was asked."""
    weak = people.file("weak", *witness_lines(), quorum="north")
    strict = people.file("strict", *witness_lines(), f"replaces {parse_trust(weak.read_text()).digest}", quorum="two")
    other = found("weak")
    other.init()
    other.measure("r1", 0)
    assert other.witness(names=("north",))
    assert other.gate().code == 0
    following = parse_trust(strict.read_text())
    with Keyring(people.folder / "keys", Secrets({})).following(following):
        book = other.book()
        with book.store:
            adopt_trust(book, following)
    assert other.gate().code == 1


# ---------------------------------------------------------------- orders


def test_an_order_from_the_developers_own_seed_is_not_registered(again):
    """Where witnesses draw orders, nobody brings one along."""
    assert sequential(again, "s2", ADA).code == 0
    book = again.book()
    with book.store:
        plan = again.history().entries[-1].event
        assert plan.run == "s2"
        chosen = replace(plan.sampling, seed="sha256:" + "7" * 64)
        with pytest.raises(NotAdmittedEntryError, match="witnesses"):
            book.store.append(replace(plan, run="s3", order="witness", sampling=chosen), again.now)


def test_an_order_from_the_developers_own_seed_is_found(company, insider):
    place = insider.where(RunRegistered)
    plan = insider.events()[place]
    chosen = replace(plan.sampling, seed="sha256:" + "7" * 64)
    insider.add(replace(plan, run="s3", order="witness", sampling=chosen, by="Ada Osei", role="developer"),
                subjects=read_leaf(insider.leaves[place]).subjects)  # fmt: skip
    check_refused(company, insider, "witnesses")


def test_an_order_that_is_drawn_from_another_cosignature(company, insider):
    """Ground until the items that go well come first: from any head but the one behind the registration."""
    place = insider.where(OrderDrawn)
    del insider.leaves[place:]
    registered = insider.where(RunRegistered)
    run = read_leaf(insider.leaves[registered])
    bank = json.loads(insider.path(run.event.sampling.order).read_bytes())
    seed = seed_of(run.digest, "sha256:" + "9" * 64)
    order = [[name] for name in shuffled([unit[0] for unit in bank], seed)[: run.event.sampling.units]]
    drawn = OrderDrawn("s1", seed, insider.blob(canonical_bytes(order)), len(order), "")
    insider.add(drawn, by=("acme gate",), subjects=run.subjects)
    check_refused(company, insider, "orders: the order of run `s1` is drawn from something else")


def test_an_order_that_its_seed_does_not_draw(company, insider):
    place = insider.where(OrderDrawn)
    event = insider.events()[place]
    order = sorted(json.loads(insider.path(event.order).read_bytes()))
    insider.leaves[place] = insider.again(place, order=insider.blob(canonical_bytes(order)))
    del insider.leaves[place + 1 :]
    check_refused(company, insider, "orders: the order of run `s1` is not the one that its seed draws")


def test_a_seed_that_is_ground_by_registering_again(again):
    """A second run, because the first order was a bad one: the first one stays open, and the gate holds for it."""
    assert sequential(again, "s2").code == 0
    assert again.witness().mark
    assert sequential(again, "s3").code == 0
    assert again.witness().mark
    again.now += 11 * DAY
    again.witness()
    said = again.gate()
    assert (said.code, "run s2 was registered and never reported" in said.out) == (1, True), said.out
    said = again.verify(again.export(f"ground-{again.now}"))
    assert said.code == 1
    assert any("run `s2` has no result" in item for item in reasons(said))


def test_a_seed_that_is_ground_by_asking_the_witness_again(again, tmp_path):
    """Another registration in the place of the one whose order he does not like: it has its cosignature already."""
    shutil.copytree(again.store, tmp_path / "before")
    assert sequential(again, "s2").code == 0
    assert again.witness().mark
    shutil.rmtree(again.store)
    shutil.copytree(tmp_path / "before", again.store)
    assert sequential(again, "s3").code == 0
    again.now += 30
    assert again.witness() is None
    book = again.book()
    with book.store:
        note = book.store.head()
        _, status = again.witnesses.ask(note, book.store.standing().tree, again.now, names=("north",))
    assert status == {"north": 409}


def test_one_cosignature_for_each_size_of_a_log(again):
    """Asked twice, at another time, the first witness says the same: there is nothing to choose from."""
    book = again.book()
    with book.store:
        note, tree = book.store.head(), book.store.standing().tree
        one, _ = again.witnesses.ask(note, tree, again.now + 1, names=("north",))
        other, _ = again.witnesses.ask(note, tree, again.now + 9_000, names=("north",))
        assert one == other
        trust = book.store.standing().trust
        assert trust == parse_trust(again.trust.read_text())
        entry = next(item for item in again.history().entries if isinstance(item.event, RunRegistered))
        assert draw_order(book, entry, "sha256:" + "1" * 64).seed != draw_order(book, entry, "sha256:" + "2" * 64).seed


def test_a_result_before_its_order_is_drawn_is_none(again):
    assert sequential(again, "s2").code == 0
    said = again.run("evidence", "add", "s2", again.log("s2.jsonl", [0.0] * 300), *LEA)
    assert (said.code, "is not drawn yet" in said.err) == (1, True), said
    assert "s2" not in [item.event.run for item in again.history().entries if isinstance(item.event, ResultReported)]
