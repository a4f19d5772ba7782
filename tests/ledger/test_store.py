"""Laws of every store, which `tests/adapters/test_postgres.py` collects once more, and those of the local one."""

import inspect
import os
import shutil
import sqlite3
import threading
from dataclasses import replace

import pytest

from scalegate.core.canonical import digest_bytes
from scalegate.core.events import DecisionMade, Entry, StopLifted
from scalegate.core.log_events import TrustAdopted
from scalegate.core.ports import Store
from scalegate.ledger import (
    Ask,
    KeyMissingError,
    LocalStore,
    NotAdmittedEntryError,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
    StoreMovedError,
)
from scalegate.ledger.checkpoint import format_checkpoint, parse_checkpoint
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import Note, format_note, open_checkpoint
from scalegate.ledger.store import DATABASE, HEAD
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, log_key, make_trust
from tests.ledger.signers import Ed25519Signer

TRUST = make_trust()
KEYS = MemoryKeys("M. Ito")


class LocalPlace:
    """Where a local store is, and how an attacker with an editor gets at it."""

    refused = sqlite3.IntegrityError

    def __init__(self, folder):
        self.folder = folder

    def create(self, trust=TRUST, keys=KEYS, at=1_000):
        return LocalStore.create(self.folder, trust, keys, at)

    def open(self, keys=KEYS):
        return LocalStore(self.folder, keys)

    def execute(self, statement, *values):
        """Run a statement past this program, guards in force."""
        db = sqlite3.connect(self.folder / DATABASE, isolation_level=None)
        try:
            db.execute(statement, values)
        finally:
            db.close()

    def edit(self, *statements):
        """Change the tables as their owner can: guards away, and back afterwards."""
        with sqlite3.connect(self.folder / DATABASE) as db:
            guards = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
            for _, sql in guards:
                db.execute(sql)
        db.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A closed store of a trust file and four entries, made once: every entry waits for the disk."""
    folder = tmp_path_factory.mktemp("original") / ".scalegate"
    fill(LocalPlace(folder))
    return folder


@pytest.fixture
def place(tmp_path):
    """Where a store can be made."""
    return LocalPlace(tmp_path / ".scalegate")


@pytest.fixture
def filled(place, original):
    """Where a closed store of five entries is."""
    shutil.copytree(original, place.folder)
    return place


def fill(place):
    with place.create() as store:
        for number in range(1, 5):
            store.append(event(number), 1_000 + number)


def read(place):
    with place.open() as store:
        return store.history()


def fault_of(place):
    """What is wrong with a store, however it is told; empty for nothing."""
    try:
        return read(place).fault
    except StoreError as error:
        return str(error)


def head_of(place):
    with place.open() as store:
        return store.head()


def leaves_of(place):
    with place.open() as store:
        return store.leaves()


# ---------------------------------------------------------------- laws of every store


def test_what_was_recorded_is_read_back(filled):
    history = read(filled)
    assert history.fault == ""
    assert [entry.event for entry in history.entries[1:]] == [event(number) for number in range(1, 5)]
    assert [entry.index for entry in history.entries] == [0, 1, 2, 3, 4]
    assert [entry.at for entry in history.entries] == [1_000, 1_001, 1_002, 1_003, 1_004]
    assert history.terms.trust == TRUST.digest


def test_a_digest_is_that_of_the_statement(filled):
    entries, leaves = read(filled).entries, leaves_of(filled)
    assert len(entries) == len(leaves) == 5
    for entry, leaf in zip(entries, leaves, strict=True):
        assert entry.digest == digest_bytes(read_leaf(leaf).envelope.payload)


def test_the_head_is_signed_over_every_leaf(filled):
    signed = open_checkpoint(head_of(filled), TRUST.origin, TRUST.logs)
    tree = Tree(map(leaf_hash, leaves_of(filled)))
    assert (signed.checkpoint.size, signed.checkpoint.root) == (5, tree.root())


def test_every_older_head_can_be_signed_again(filled):
    with filled.open() as store:
        tree = Tree(map(leaf_hash, store.leaves()))
        for size in range(1, 6):
            signed = open_checkpoint(store.checkpoint(size), TRUST.origin, TRUST.logs)
            assert (signed.checkpoint.size, signed.checkpoint.root) == (size, tree.root(size))
        with pytest.raises(StoreError, match="never had 6"):
            store.checkpoint(6)


def test_time_never_runs_backwards(filled):
    with filled.open() as store:
        assert store.append(event(7), 2_000).at == 2_000
        assert store.append(event(8), 1_000).at == 2_000
        assert store.history().fault == ""


def test_an_event_made_on_another_head_is_not_recorded(filled):
    with filled.open() as store:
        before = store.history().head
        first = store.append(event(7), 2_000, after=before)
        with pytest.raises(StoreMovedError):
            store.append(event(8), 2_000, after=before)
        assert store.append(event(8), 2_000, after=first.digest).index == 6
        assert len(store.history().entries) == 7


def test_an_event_too_long_for_an_entry_is_refused(filled):
    with filled.open() as store:
        with pytest.raises(StoreError, match="limit"):
            store.append(StopLifted("x" * 70_000, "M. Ito", "regulator"), 2_000)
        assert len(store.history().entries) == 5
        assert store.append(event(7), 2_000).index == 5


@pytest.mark.parametrize("name", ["history", "append", "put_blob", "get_blob"])
def test_the_store_is_what_the_port_asks_for(filled, name):
    with filled.open() as store:
        port, ours = (inspect.signature(getattr(kind, name)) for kind in (Store, type(store)))
    assert ours == port


def test_nobody_records_without_the_key_of_whom_he_names(filled):
    with filled.open(MemoryKeys()) as store:
        with pytest.raises(KeyMissingError, match=r"M\. Ito"):
            store.append(event(7), 2_000)
        assert len(store.history().entries) == 5


def test_nobody_records_without_the_key_of_the_log(filled):
    with filled.open(MemoryKeys("M. Ito", own=())) as store, pytest.raises(KeyMissingError, match="log"):
        store.append(event(7), 2_000)
    assert len(read(filled).entries) == 5


def test_nobody_records_in_a_role_that_he_was_not_given(filled):
    with filled.open() as store, pytest.raises(NotAdmittedEntryError, match="auditor"):
        store.append(StopLifted("order-9", "M. Ito", "auditor"), 2_000)
    assert len(read(filled).entries) == 5


def test_a_store_is_made_once(filled):
    with pytest.raises(StoreExistsError, match="already"):
        filled.create()
    assert len(read(filled).entries) == 5


def test_a_group_is_recorded_without_what_is_not_admitted(filled):
    with filled.open() as store:
        asks = [Ask(event(7), 2_000), Ask(replace(event(8), by="M. Eve"), 2_000), Ask(event(9), 2_000)]
        first, second, third = store.commit(asks)
        assert (first.index, third.index) == (5, 6)
        assert isinstance(second, NotAdmittedEntryError)
        assert store.commit([asks[1]])[0].args
        assert len(store.history().entries) == 7


def test_answers_on_one_head_are_all_recorded_and_numbered(filled):
    with filled.open() as store, filled.open() as other:
        head = store.history().head
        answers = [
            DecisionMade(f"sha256:{number:064x}", "hold", "train", "orion", "", 0, 0, (), head, 1, TRUST.digest)
            for number in range(6)
        ]
        found = [(store, other)[number % 2].append(item, 2_000, after=head) for number, item in enumerate(answers)]
        assert [entry.event.number for entry in found] == [1, 2, 3, 4, 5, 6]
        after = store.append(event(7), 2_000)
        with pytest.raises(StoreMovedError):
            other.append(answers[0], 2_000, after=head)
        assert other.append(replace(answers[0], head=after.digest), 2_000, after=after.digest).event.number == 7


def test_two_who_hold_one_store_open_see_what_the_other_records(filled):
    with filled.open() as store, filled.open() as other:
        assert store.append(event(7), 2_000).index == 5
        assert other.append(event(8), 2_000).index == 6
        assert store.history() == other.history()
        assert len(store.history().entries) == 7


def test_an_entry_that_somebody_signed_elsewhere_is_recorded_as_it_is(filled, tmp_path):
    with LocalStore.create(tmp_path / "elsewhere", TRUST, KEYS, 1_000) as elsewhere:
        for number in range(1, 6):
            elsewhere.append(event(number), 1_000 + number)
        leaf = elsewhere.leaves()[5]
    with filled.open(MemoryKeys(own=("log",))) as store:
        entry = store.commit([Ask(event(5), 2_000, leaf=leaf)])[0]
        assert isinstance(entry, Entry)
        assert store.leaves()[5] == leaf
        again = store.commit([Ask(event(5), 2_000, leaf=leaf)])[0]
        assert isinstance(again, NotAdmittedEntryError)


def test_bytes_are_kept_by_their_digest(filled, tmp_path):
    data = bytes(range(256)) * 9_000
    (tmp_path / "log.bin").write_bytes(data)
    with filled.open() as store:
        digest = store.put_blob(data)
        assert digest == digest_bytes(data) == store.put_file(tmp_path / "log.bin")
        assert store.get_blob(store.put_blob(b"")) == b""
    with filled.open() as store:
        assert store.get_blob(digest) == data
        assert store.locate_blob(digest).read_bytes() == data
        for missing in (digest_bytes(b"another"), "sha256:../../ledger.db", "sha256:\x00", ""):
            with pytest.raises(KeyError):
                store.get_blob(missing)
            with pytest.raises(KeyError):
                store.locate_blob(missing)


# ---------------------------------------------------------------- guards


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET leaf = ''",
        "UPDATE entries SET idx = idx + 1",
        "DELETE FROM entries WHERE idx = 4",
        "DELETE FROM entries",
        "INSERT INTO entries SELECT 9, leaf FROM entries WHERE idx = 1",
        "INSERT INTO entries SELECT -1, leaf FROM entries WHERE idx = 1",
        "INSERT INTO entries SELECT 4, leaf FROM entries WHERE idx = 1",
        "INSERT INTO entries SELECT 6, leaf FROM entries WHERE idx = 1",
    ],
)
def test_the_database_itself_refuses_to_rewrite(filled, statement):
    with pytest.raises(filled.refused):
        filled.execute(statement)
    assert read(filled).fault == ""
    assert len(read(filled).entries) == 5


# ---------------------------------------------------------------- tampering, one attack per test

ATTACKS = {
    "leaf-cut": ["UPDATE entries SET leaf = substr(leaf, 1, 300) WHERE idx = 2"],
    "leaf-gone": ["UPDATE entries SET leaf = '' WHERE idx = 2"],
    "leaf-repeated": ["UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE idx = 1) WHERE idx = 2"],
    "entry-added-unsigned": ["INSERT INTO entries SELECT 5, leaf FROM entries WHERE idx = 4"],
    "middle-deleted": ["DELETE FROM entries WHERE idx = 2"],
    "middle-deleted-and-closed": [
        "DELETE FROM entries WHERE idx = 2",
        "UPDATE entries SET idx = 2 WHERE idx = 3",
        "UPDATE entries SET idx = 3 WHERE idx = 4",
    ],
    "newest-deleted": ["DELETE FROM entries WHERE idx = 4"],
    "newest-two-deleted": ["DELETE FROM entries WHERE idx > 2"],
    "all-deleted": ["DELETE FROM entries"],
    "all-and-head-deleted": ["DELETE FROM entries", "DELETE FROM head"],
    "head-deleted": ["DELETE FROM head"],
    "head-emptied": ["UPDATE head SET note = ''"],
    "head-cut": ["UPDATE head SET note = substr(note, 1, 90)"],
    "two-swapped": [
        "UPDATE entries SET idx = 99 WHERE idx = 1",
        "UPDATE entries SET idx = 1 WHERE idx = 2",
        "UPDATE entries SET idx = 2 WHERE idx = 99",
    ],
    "first-deleted": ["DELETE FROM entries WHERE idx = 0"],
}


# What an emptied database cannot show is what stood beside it: `test_a_database_emptied_whole_is_noticed_by...`.
SEEN_BY_ALL = [name for name in ATTACKS if name != "all-and-head-deleted"]


@pytest.mark.parametrize("attack", SEEN_BY_ALL)
def test_an_edited_ledger_is_a_fault(filled, attack):
    filled.edit(*ATTACKS[attack])
    assert fault_of(filled)


@pytest.mark.parametrize("attack", SEEN_BY_ALL)
def test_nothing_is_recorded_behind_an_edit(filled, attack):
    filled.edit(*ATTACKS[attack])
    with filled.open() as store, pytest.raises(StoreDamagedError):
        store.append(event(9), 9_000)


@pytest.mark.parametrize("attack", ATTACKS)
def test_who_has_read_the_log_is_never_told_another(filled, attack):
    with filled.open() as store:
        before = store.history()
        filled.edit(*ATTACKS[attack])
        after = store.history()
    assert after.fault or after == before


@pytest.mark.parametrize("number", range(1, 5))
def test_an_entry_that_somebody_else_signed_is_a_fault(filled, tmp_path, number):
    with LocalStore.create(tmp_path / "eve", TRUST, KEYS, 1_000) as forged:
        for place in range(1, 5):
            changed = replace(event(place), order="order-eve" if place == number else f"order-{place}")
            forged.append(changed, 1_000 + place)
        leaf = forged.leaves()[number]
    filled.edit(("UPDATE entries SET leaf = ? WHERE idx = ?", (leaf, number)))
    assert "not those that the log signed" in read(filled).fault


def signed_note(place, key, signer, **changes):
    """The head of a store as somebody else would sign it."""
    text = head_of(place).decode().partition("\n\n")[0] + "\n"
    text = format_checkpoint(replace(parse_checkpoint(text), **changes))
    return format_note(Note(text, (key.sign(text, signer),)))


def test_a_head_of_another_log_is_a_fault(filled):
    note = signed_note(filled, log_key("eve.example/log"), Ed25519Signer("log"), origin="eve.example/log")
    filled.edit(("UPDATE head SET note = ?", (note,)))
    assert "not signed well" in read(filled).fault


def test_a_head_signed_with_another_key_is_a_fault(filled):
    note = signed_note(filled, log_key(name="eve"), Ed25519Signer("eve"))
    filled.edit(("UPDATE head SET note = ?", (note,)))
    assert "not signed well" in read(filled).fault


def test_a_head_of_another_log_signed_with_the_key_of_this_is_a_fault(filled):
    """One key, two logs: the origin is in what is signed."""
    note = signed_note(filled, log_key(), Ed25519Signer("log"), origin="eve.example/log")
    filled.edit(("UPDATE head SET note = ?", (note,)))
    assert "not signed well" in read(filled).fault


@pytest.mark.parametrize("size", [1, 4])
def test_an_older_head_is_a_fault(filled, size):
    with filled.open() as store:
        note = store.checkpoint(size)
    filled.edit(("UPDATE head SET note = ?", (note,)))
    assert f"a head of {size} entries, and the ledger has 5" in read(filled).fault


def test_another_history_under_the_same_key_is_noticed_by_who_saw_this(filled, tmp_path):
    """The log signs a second history: whoever saw the first one knows."""
    with LocalStore.create(tmp_path / "fork", TRUST, KEYS, 1_000) as fork:
        for number in range(1, 8):
            fork.append(event(number if number < 4 else number + 40), 1_000 + number)
        leaves, note = fork.leaves(), fork.head()
    with filled.open() as store:
        assert store.history().fault == ""
        rows = [("INSERT INTO entries VALUES (?, ?)", (index, leaf)) for index, leaf in enumerate(leaves)]
        filled.edit("DELETE FROM entries", *rows, ("UPDATE head SET note = ?", (note,)))
        assert store.history().fault


# ---------------------------------------------------------------- the local store: its guards


def test_nothing_is_replaced_in_place(filled):
    for statement in (
        "INSERT OR REPLACE INTO entries SELECT 2, leaf FROM entries WHERE idx = 1",
        "REPLACE INTO entries SELECT 4, leaf FROM entries WHERE idx = 1",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="entries"):
            filled.execute(statement)
    assert read(filled).fault == ""


@pytest.mark.parametrize("guard", ["entries_never_change", "entries_are_consecutive"])
def test_a_guard_that_was_dropped_is_noticed(filled, guard):
    filled.execute(f"DROP TRIGGER {guard}")
    with pytest.raises(StoreDamagedError, match="guards"):
        filled.open()


def test_a_guard_that_was_weakened_is_noticed(filled):
    filled.execute("DROP TRIGGER entries_never_change")
    filled.execute("CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries BEGIN SELECT 1; END")
    with pytest.raises(StoreDamagedError, match="guards"):
        filled.open()


def test_a_leaf_stored_as_text_is_a_fault(filled):
    filled.edit("UPDATE entries SET leaf = CAST(leaf AS TEXT) WHERE idx = 2")
    assert "entry 2 has no leaf" in fault_of(filled)


# ---------------------------------------------------------------- the local store: the head beside it


def test_an_older_copy_of_the_database_is_a_fault(filled):
    copy = (filled.folder / DATABASE).read_bytes()
    with filled.open() as store:
        store.append(event(5), 2_000)
    (filled.folder / DATABASE).write_bytes(copy)
    history = read(filled)
    assert "the newest are gone" in history.fault
    assert len(history.entries) == 5
    with filled.open() as store, pytest.raises(StoreDamagedError):
        store.append(event(6), 2_000)


def test_truncated_and_regrown_is_a_fault(filled):
    copy = (filled.folder / DATABASE).read_bytes(), (filled.folder / HEAD).read_bytes()
    with filled.open() as store:
        store.append(event(5), 2_000)
    head = (filled.folder / HEAD).read_bytes()
    (filled.folder / DATABASE).write_bytes(copy[0])
    (filled.folder / HEAD).write_bytes(copy[1])
    with filled.open() as store:
        store.append(event(6), 2_000)
    (filled.folder / HEAD).write_bytes(head)
    assert "others" in read(filled).fault


def test_a_database_emptied_whole_is_noticed_by_the_head_beside_it(filled):
    filled.edit(*ATTACKS["all-and-head-deleted"])
    assert "a head, and no entries" in read(filled).fault


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", None])
def test_an_unreadable_head_is_a_fault(filled, text):
    if text is None:
        (filled.folder / HEAD).unlink()
    else:
        (filled.folder / HEAD).write_bytes(text)
    assert "no readable head" in read(filled).fault
    with filled.open() as store, pytest.raises(StoreDamagedError):
        store.append(event(9), 9_000)


@pytest.mark.parametrize("origin", ["eve.example/log", "acme.example/log"])
def test_a_head_beside_it_that_the_log_did_not_sign_is_a_fault(filled, origin):
    note = signed_note(filled, log_key(origin, "eve"), Ed25519Signer("eve"), origin=origin)
    (filled.folder / HEAD).write_bytes(note)
    assert "no readable head" in read(filled).fault


@pytest.mark.parametrize("size", range(1, 5))
def test_a_head_that_was_not_brought_up_is_no_fault(filled, size):
    """The crash between commit and head, and any number of them: the next writer brings it up."""
    with filled.open() as store:
        (filled.folder / HEAD).write_bytes(store.checkpoint(size))
    assert read(filled).fault == ""
    with filled.open() as store:
        assert store.append(event(5), 2_000).index == 5
        assert (filled.folder / HEAD).read_bytes() == store.head()
    assert read(filled).fault == ""


def test_a_head_that_cannot_be_written_loses_nothing(filled, monkeypatch):
    """The entry is durable once committed; the next writer brings the head up."""
    with filled.open() as store:
        with monkeypatch.context() as patch:
            patch.setattr("scalegate.ledger.store.write_durably", _no_space)
            assert store.append(event(5), 2_000).index == 5
        assert store.history().fault == ""
        assert store.append(event(6), 2_000).index == 6
        assert (filled.folder / HEAD).read_bytes() == store.head()
    assert len(read(filled).entries) == 7


def _no_space(*_, **__):
    raise OSError(28, "No space left on device")


# ---------------------------------------------------------------- the local store: stores that are none


def test_no_store_is_missing(tmp_path):
    with pytest.raises(StoreMissingError, match="no store"):
        LocalStore(tmp_path)


def test_a_store_that_was_never_finished_can_be_finished(place):
    place.folder.mkdir()
    (place.folder / DATABASE).touch()
    with pytest.raises(StoreMissingError, match="never finished"):
        place.open()
    with place.create() as store:
        assert store.append(event(1), 2_000).index == 1


def test_a_store_without_its_first_entry_can_be_finished(place):
    with pytest.raises(KeyMissingError):
        place.create(keys=MemoryKeys(own=()))
    assert read(place).entries == ()
    with place.create() as store:
        assert len(store.history().entries) == 1


def test_the_first_entry_is_a_trust_file(place):
    with pytest.raises(KeyMissingError):
        place.create(keys=MemoryKeys(own=()))
    with place.open() as store, pytest.raises(NotAdmittedEntryError, match="trust file"):
        store.append(event(1), 2_000)
    assert read(place).entries == ()


def test_a_file_that_is_no_database_is_damaged(filled):
    (filled.folder / DATABASE).write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreDamagedError):
        filled.open()


def test_another_programs_database_is_damaged(filled):
    (filled.folder / DATABASE).unlink()
    with sqlite3.connect(filled.folder / DATABASE) as db:
        db.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY)")
    db.close()
    with pytest.raises(StoreDamagedError, match="not a ledger"):
        filled.open()


@pytest.mark.parametrize("version", [1, 3])
def test_a_ledger_of_another_version_is_not_read(filled, version):
    filled.execute(f"PRAGMA user_version={version}")
    with pytest.raises(StoreError, match=f"version {version}"):
        filled.open()


@pytest.mark.parametrize("size", [0, 1, 100, 4_096, 6_000])
def test_a_truncated_database_is_never_taken_for_whole(filled, size):
    data = (filled.folder / DATABASE).read_bytes()
    (filled.folder / DATABASE).write_bytes(data[:size])
    assert fault_of(filled)


@pytest.mark.parametrize("place_of_byte", range(100, 24_000, 487))
def test_a_flipped_byte_never_changes_what_is_read(filled, place_of_byte):
    whole = read(filled)
    data = bytearray((filled.folder / DATABASE).read_bytes())
    data[place_of_byte % len(data)] ^= 0x55
    (filled.folder / DATABASE).write_bytes(data)
    try:
        found = read(filled)
    except StoreError:
        return
    assert found.fault or found == whole


def test_bytes_that_were_edited_are_damaged(filled):
    with filled.open() as store:
        digest = store.put_blob(b"a log")
        store.locate_blob(digest).write_bytes(b"another")
        with pytest.raises(StoreDamagedError, match="another digest"):
            store.get_blob(digest)


# ---------------------------------------------------------------- the local store: several writers


def test_writers_wait_for_each_other(place):
    place.create().close()
    failures = []

    def write(writer):
        try:
            with place.open() as store:
                for number in range(10):
                    store.append(event(writer * 100 + number), 1_000)
                    store.history()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = read(place)
    assert failures == []
    assert history.fault == ""
    assert len({entry.event.order for entry in history.entries[1:]}) == 30


def test_a_writer_that_never_ends_is_not_waited_for(filled):
    blocker = sqlite3.connect(filled.folder / DATABASE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with LocalStore(filled.folder, KEYS, wait=0.05) as store:
        with pytest.raises(StoreError, match="locked"):
            store.append(event(5), 2_000)
        assert len(store.history().entries) == 5
    blocker.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes wherever it likes")
def test_a_store_that_cannot_be_written_says_so(filled):
    filled.folder.chmod(0o500)
    try:
        with pytest.raises(StoreError), filled.open() as store:
            store.append(event(5), 2_000)
    finally:
        filled.folder.chmod(0o700)


def test_a_log_that_gets_another_key_is_read_while_its_head_beside_it_has_the_old(filled):
    """The crash between the entry that adopts the trust file, and the head beside the database."""
    published = (filled.folder / HEAD).read_bytes()
    trust = make_trust(log="log 2", more=(f"replaces {TRUST.digest}",))
    with filled.open(MemoryKeys("M. Ito", own=("log", "log 2", "gate"))) as store:
        store.append(TrustAdopted(trust.digest, trust.text), 2_000)
    (filled.folder / HEAD).write_bytes(published)
    assert read(filled).fault == ""
