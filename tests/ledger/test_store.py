import inspect
import os
import shutil
import sqlite3
import threading
from dataclasses import replace

import pytest

from scalegate.core.canonical import digest_bytes
from scalegate.core.events import StopLifted
from scalegate.core.ports import Store
from scalegate.ledger import (
    LocalStore,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    StoreMovedError,
)
from scalegate.ledger.codec import Record, encode_record
from scalegate.ledger.store import DATABASE, HEAD
from tests.ledger.events import event


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".scalegate"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A closed store of five entries, made once: every entry waits for the disk."""
    folder = tmp_path_factory.mktemp("original") / ".scalegate"
    with LocalStore.create(folder) as store:
        for number in range(5):
            store.append(event(number), 1_000 + number)
    return folder


@pytest.fixture
def filled(folder, original):
    """A copy of a closed store of five entries."""
    shutil.copytree(original, folder)
    return folder


def read(folder):
    with LocalStore(folder) as store:
        return store.history()


def fault_of(folder):
    """What is wrong with a store, however it is told; empty for nothing."""
    try:
        return read(folder).fault
    except StoreError as error:
        return str(error)


def edit(folder, *statements):
    """Change the database as an attacker with an editor would: guards first, then put them back."""
    with sqlite3.connect(folder / DATABASE) as db:
        guards = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        for _, sql in guards:
            db.execute(sql)
    db.close()


def test_what_was_recorded_is_read_back(filled):
    history = read(filled)
    assert history.fault == ""
    assert [entry.event for entry in history.entries] == [event(number) for number in range(5)]
    assert [entry.index for entry in history.entries] == [0, 1, 2, 3, 4]
    assert [entry.previous for entry in history.entries[1:]] == [entry.digest for entry in history.entries[:-1]]


def test_a_digest_covers_the_canonical_record(filled):
    for entry in read(filled).entries:
        record = Record(entry.index, entry.at, entry.previous, entry.event)
        assert entry.digest == digest_bytes(encode_record(record))


def test_time_never_runs_backwards(folder):
    with LocalStore.create(folder) as store:
        assert store.append(event(1), 2_000).at == 2_000
        assert store.append(event(2), 1_000).at == 2_000
        assert store.history().fault == ""


def test_an_event_made_on_another_head_is_not_recorded(folder):
    with LocalStore.create(folder) as store:
        first = store.append(event(1), 1, after="")
        with pytest.raises(StoreMovedError):
            store.append(event(2), 2, after="")
        assert store.append(event(2), 2, after=first.digest).index == 1
        assert len(store.history().entries) == 2


def test_an_event_too_long_for_an_entry_is_refused(folder):
    with LocalStore.create(folder) as store:
        with pytest.raises(StoreError, match="limit"):
            store.append(StopLifted("x" * 70_000, "M. Ito", "regulator"), 1)
        assert store.history().entries == ()
        assert store.append(event(), 1).index == 0


@pytest.mark.parametrize("name", ["history", "append", "put_blob", "get_blob"])
def test_the_store_is_what_the_port_asks_for(name):
    port, ours = (inspect.signature(getattr(kind, name)) for kind in (Store, LocalStore))
    assert ours == port


# ---------------------------------------------------------------- guards


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET at = 0",
        "DELETE FROM entries WHERE idx = 4",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries SELECT 2, at, previous, digest, body FROM entries WHERE idx = 1",
        "REPLACE INTO entries SELECT 4, at, previous, digest, body FROM entries WHERE idx = 1",
        "INSERT INTO entries SELECT 9, at, previous, digest, body FROM entries WHERE idx = 1",
        "INSERT INTO entries SELECT -1, at, previous, digest, body FROM entries WHERE idx = 1",
    ],
)
def test_the_database_itself_refuses_to_rewrite(filled, statement):
    db = sqlite3.connect(filled / DATABASE)
    with pytest.raises(sqlite3.IntegrityError, match="entries"):
        db.execute(statement)
    db.close()
    assert read(filled).fault == ""
    assert len(read(filled).entries) == 5


@pytest.mark.parametrize("guard", ["entries_never_change", "entries_are_consecutive"])
def test_a_guard_that_was_dropped_is_noticed(filled, guard):
    with sqlite3.connect(filled / DATABASE) as db:
        db.execute(f"DROP TRIGGER {guard}")
    db.close()
    with pytest.raises(StoreDamagedError, match="guards"):
        LocalStore(filled)


def test_a_guard_that_was_weakened_is_noticed(filled):
    with sqlite3.connect(filled / DATABASE) as db:
        db.execute("DROP TRIGGER entries_never_change")
        db.execute("CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries BEGIN SELECT 1; END")
    db.close()
    with pytest.raises(StoreDamagedError, match="guards"):
        LocalStore(filled)


# ---------------------------------------------------------------- tampering, one attack per test


def body_of(number, at, previous="", by="M. Ito"):
    data = encode_record(Record(number, at, previous, replace(event(number), by=by)))
    return digest_bytes(data), data


ATTACKS = {
    "body-edited": ["UPDATE entries SET body = replace(body, 'M. Ito', 'M. Eve') WHERE idx = 2"],
    "body-as-text": ["UPDATE entries SET body = CAST(body AS TEXT) WHERE idx = 2"],
    "body-gone": ["UPDATE entries SET body = x'' WHERE idx = 2"],
    "digest-edited": ["UPDATE entries SET digest = 'sha256:00' WHERE idx = 2"],
    "previous-edited": ["UPDATE entries SET previous = '' WHERE idx = 2"],
    "time-column-edited": ["UPDATE entries SET at = 5 WHERE idx = 2"],
    "middle-deleted": ["DELETE FROM entries WHERE idx = 2"],
    "middle-deleted-and-closed": [
        "DELETE FROM entries WHERE idx = 2",
        "UPDATE entries SET idx = idx - 1 WHERE idx > 2",
    ],
    "newest-deleted": ["DELETE FROM entries WHERE idx = 4"],
    "newest-two-deleted": ["DELETE FROM entries WHERE idx > 2"],
    "all-deleted": ["DELETE FROM entries"],
    "two-swapped": [
        "UPDATE entries SET idx = 99 WHERE idx = 1",
        "UPDATE entries SET idx = 1 WHERE idx = 2",
        "UPDATE entries SET idx = 2 WHERE idx = 99",
    ],
    "first-deleted": ["DELETE FROM entries WHERE idx = 0"],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_edited_ledger_is_a_fault(filled, attack):
    edit(filled, *ATTACKS[attack])
    history = read(filled)
    assert history.fault
    assert len(history.entries) < 5


@pytest.mark.parametrize("attack", [name for name in ATTACKS if "deleted" in name])
def test_nothing_is_recorded_behind_a_gap(filled, attack):
    edit(filled, *ATTACKS[attack])
    with LocalStore(filled) as store, pytest.raises(StoreDamagedError):
        store.append(event(9), 9_000)


@pytest.mark.parametrize("number", range(5))
def test_an_entry_replaced_with_its_digest_is_a_fault(filled, number):
    old = read(filled).entries[number]
    digest, data = body_of(number, old.at, old.previous, by="M. Eve")
    edit(filled, ("UPDATE entries SET body = ?, digest = ? WHERE idx = ?", (data, digest, number)))
    assert read(filled).fault


def test_a_time_that_runs_backwards_is_a_fault(filled):
    old = read(filled).entries[-1]
    digest, data = body_of(4, 10, old.previous)
    edit(
        filled,
        ("UPDATE entries SET at = 10, body = ?, digest = ? WHERE idx = 4", (data, digest)),
    )
    assert "older than the one before it" in read(filled).fault


def test_an_older_copy_of_the_database_is_a_fault(filled):
    copy = (filled / DATABASE).read_bytes()
    with LocalStore(filled) as store:
        store.append(event(5), 2_000)
    (filled / DATABASE).write_bytes(copy)
    history = read(filled)
    assert "the newest are gone" in history.fault
    assert len(history.entries) == 5


def test_truncated_and_regrown_is_a_fault(filled):
    copy = (filled / DATABASE).read_bytes(), (filled / HEAD).read_bytes()
    with LocalStore(filled) as store:
        store.append(event(5), 2_000)
    head = (filled / HEAD).read_bytes()
    (filled / DATABASE).write_bytes(copy[0])
    (filled / HEAD).write_bytes(copy[1])
    with LocalStore(filled) as store:
        store.append(event(6), 2_000)
    (filled / HEAD).write_bytes(head)
    assert "others" in read(filled).fault


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"count":"5","digest":1}', b"\xff", None])
def test_an_unreadable_head_is_a_fault(filled, text):
    if text is None:
        (filled / HEAD).unlink()
    else:
        (filled / HEAD).write_bytes(text)
    assert "no readable head" in read(filled).fault
    with LocalStore(filled) as store, pytest.raises(StoreDamagedError):
        store.append(event(), 9_000)


# ---------------------------------------------------------------- crashes between commit and head


def test_a_ledger_one_ahead_of_its_head_is_whole_and_repaired(filled):
    before = (filled / HEAD).read_bytes()
    with LocalStore(filled) as store:
        store.append(event(5), 2_000)
        after = (filled / HEAD).read_bytes()
    (filled / HEAD).write_bytes(before)
    history = read(filled)
    assert history.fault == ""
    assert len(history.entries) == 6
    with LocalStore(filled) as store:
        store.append(event(6), 2_000)
        assert store.history().fault == ""
    assert (filled / HEAD).read_bytes() not in (before, after)


def test_a_ledger_two_ahead_of_its_head_is_a_fault(filled):
    before = (filled / HEAD).read_bytes()
    with LocalStore(filled) as store:
        store.append(event(5), 2_000)
        store.append(event(6), 2_000)
    (filled / HEAD).write_bytes(before)
    assert read(filled).fault


def test_a_head_that_cannot_be_written_loses_nothing(filled, monkeypatch):
    """The entry is durable once committed; the next writer brings the head up."""
    with LocalStore(filled) as store:
        with monkeypatch.context() as patch:
            patch.setattr("scalegate.ledger.store._write_head", _no_space)
            assert store.append(event(5), 2_000).index == 5
        assert store.history().fault == ""
        assert store.append(event(6), 2_000).index == 6
    assert len(read(filled).entries) == 7


def _no_space(*_):
    raise OSError(28, "No space left on device")


# ---------------------------------------------------------------- stores that are none


def test_no_store_is_missing(tmp_path):
    with pytest.raises(StoreMissingError, match="no store"):
        LocalStore(tmp_path)


def test_a_store_is_made_once(filled):
    with pytest.raises(StoreError, match="already"):
        LocalStore.create(filled)
    assert len(read(filled).entries) == 5


def test_a_store_that_was_never_finished_can_be_finished(folder):
    folder.mkdir()
    (folder / DATABASE).touch()
    with pytest.raises(StoreMissingError, match="never finished"):
        LocalStore(folder)
    with LocalStore.create(folder) as store:
        assert store.append(event(), 1).index == 0


def test_a_file_that_is_no_database_is_damaged(filled):
    (filled / DATABASE).write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreDamagedError):
        LocalStore(filled)


def test_another_programs_database_is_damaged(filled):
    (filled / DATABASE).unlink()
    with sqlite3.connect(filled / DATABASE) as db:
        db.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY)")
    db.close()
    with pytest.raises(StoreDamagedError, match="not a ledger"):
        LocalStore(filled)


def test_a_newer_ledger_is_not_read(filled):
    with sqlite3.connect(filled / DATABASE) as db:
        db.execute("PRAGMA user_version=2")
    db.close()
    with pytest.raises(StoreError, match="version 2"):
        LocalStore(filled)


@pytest.mark.parametrize("size", [0, 1, 100, 4_096, 6_000])
def test_a_truncated_database_is_never_taken_for_whole(filled, size):
    data = (filled / DATABASE).read_bytes()
    (filled / DATABASE).write_bytes(data[:size])
    assert fault_of(filled)


@pytest.mark.parametrize("place", range(100, 16_000, 331))
def test_a_flipped_byte_never_changes_what_is_read(filled, place):
    whole = read(filled)
    data = bytearray((filled / DATABASE).read_bytes())
    data[place % len(data)] ^= 0x55
    (filled / DATABASE).write_bytes(data)
    try:
        found = read(filled)
    except StoreError:
        return
    assert found.fault or found == whole


# ---------------------------------------------------------------- several writers


def test_writers_wait_for_each_other(folder):
    LocalStore.create(folder).close()
    failures = []

    def write(writer):
        try:
            with LocalStore(folder) as store:
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
    history = read(folder)
    assert failures == []
    assert history.fault == ""
    assert len({entry.event.order for entry in history.entries}) == 30


def test_a_writer_that_never_ends_is_not_waited_for(filled):
    blocker = sqlite3.connect(filled / DATABASE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with LocalStore(filled, wait=0.05) as store:
        with pytest.raises(StoreError, match="locked"):
            store.append(event(), 1)
        assert len(store.history().entries) == 5
    blocker.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes wherever it likes")
def test_a_store_that_cannot_be_written_says_so(filled):
    filled.chmod(0o500)
    try:
        with pytest.raises(StoreError), LocalStore(filled) as store:
            store.append(event(), 1)
    finally:
        filled.chmod(0o700)
