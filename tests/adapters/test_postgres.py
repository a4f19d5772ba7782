"""The store in PostgreSQL: the laws of every store, and what only a server does."""

import threading
import time
import traceback
from contextlib import closing

import pytest

from scalegate.core.canonical import digest_bytes
from scalegate.core.log_events import TrustAdopted
from scalegate.ledger import (
    KeyMissingError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
)
from tests.adapters.postgres_server import Server, why_not
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, make_trust
from tests.ledger.test_store import (  # noqa: F401 - collected here once more
    KEYS,
    TRUST,
    fault_of,
    fill,
    read,
    test_a_digest_is_that_of_the_statement,
    test_a_group_is_recorded_without_what_is_not_admitted,
    test_a_head_of_another_log_is_a_fault,
    test_a_head_of_another_log_signed_with_the_key_of_this_is_a_fault,
    test_a_head_signed_with_another_key_is_a_fault,
    test_a_store_is_made_once,
    test_a_store_without_its_first_entry_can_be_finished,
    test_an_edited_ledger_is_a_fault,
    test_an_entry_that_somebody_else_signed_is_a_fault,
    test_an_entry_that_somebody_signed_elsewhere_is_recorded_as_it_is,
    test_an_event_made_on_another_head_is_not_recorded,
    test_an_event_too_long_for_an_entry_is_refused,
    test_an_older_head_is_a_fault,
    test_another_history_under_the_same_key_is_noticed_by_who_saw_this,
    test_answers_on_one_head_are_all_recorded_and_numbered,
    test_bytes_are_kept_by_their_digest,
    test_every_older_head_can_be_signed_again,
    test_nobody_records_in_a_role_that_he_was_not_given,
    test_nobody_records_without_the_key_of_the_log,
    test_nobody_records_without_the_key_of_whom_he_names,
    test_nothing_is_recorded_behind_an_edit,
    test_the_database_itself_refuses_to_rewrite,
    test_the_first_entry_is_a_trust_file,
    test_the_head_is_signed_over_every_leaf,
    test_the_store_is_what_the_port_asks_for,
    test_time_never_runs_backwards,
    test_two_who_hold_one_store_open_see_what_the_other_records,
    test_what_was_recorded_is_read_back,
    test_who_has_read_the_log_is_never_told_another,
    test_writers_wait_for_each_other,
)

if not why_not():
    import psycopg

    from scalegate.adapters.postgres import PostgresStore

pytestmark = [pytest.mark.extra, pytest.mark.skipif(bool(why_not()), reason=why_not())]

GUARDS = {
    "entries_never_change": "entries",
    "entries_are_consecutive": "entries",
    "blobs_never_change": "blobs",
}


class PostgresPlace:
    """Where a store in PostgreSQL is, and how its owner gets at it."""

    def __init__(self, url):
        self.url = url

    @property
    def refused(self):
        return psycopg.IntegrityError

    def create(self, trust=TRUST, keys=KEYS, at=1_000):
        return PostgresStore.create(self.url, trust, keys, at)

    def open(self, keys=KEYS, **options):
        return PostgresStore(self.url, keys, **options)

    def connect(self):
        return psycopg.connect(self.url, autocommit=True, options="-c search_path=scalegate")

    def execute(self, statement, *values):
        """Run a statement past this program, guards in force; return its rows."""
        with closing(self.connect()) as db:
            found = db.execute(statement.replace("?", "%s"), values or None)
            return found.fetchall() if found.description else []

    def edit(self, *statements):
        """Change the tables as their owner can: guards away, and back afterwards."""
        with closing(self.connect()) as db:
            for guard, table in GUARDS.items():
                db.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
            for statement in statements:
                text, values = statement if isinstance(statement, tuple) else (statement, None)
                db.execute(text.replace("?", "%s"), values)
            for guard, table in GUARDS.items():
                db.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")


@pytest.fixture(scope="module")
def server():
    with Server() as started:
        yield started


@pytest.fixture(scope="module")
def original(server):
    """The name of a database with a store of a trust file and four entries, made once."""
    url = server.database()
    fill(PostgresPlace(url))
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def place(server):
    return PostgresPlace(server.database())


@pytest.fixture
def filled(server, original):
    return PostgresPlace(server.database(original))


def victims(place):
    """The sessions of others."""
    return [
        process
        for (process,) in place.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    ]


# ---------------------------------------------------------------- what is no ledger of ours


def test_a_database_without_a_ledger_is_missing(place):
    with pytest.raises(StoreMissingError, match="no ledger"):
        place.open()


@pytest.mark.parametrize("password", ["%zzsesame", "a@sesame", "a:sesame", "a/sesame", "sesame"])
def test_nothing_of_a_password_is_in_what_is_said_of_a_failed_connection(password):
    for url in (
        f"postgresql://ada:{password}@127.0.0.1:1/x",
        f"postgresql://127.0.0.1:1/x?password={password}&sesame=1",
    ):
        with pytest.raises(StoreError, match="no connection to the database") as caught:
            PostgresStore(url)
        shown = "".join(traceback.format_exception(caught.value))
        assert "sesame" not in shown


def test_a_server_that_is_not_there_is_said_to_be(tmp_path):
    with pytest.raises(StoreError, match="no connection to the database: nothing listens there"):
        PostgresStore(f"postgresql://scalegate@/log?host={tmp_path}")


def test_a_schema_of_another_program_is_damaged(place):
    place.execute("CREATE SCHEMA scalegate")
    with pytest.raises(StoreDamagedError, match="not a ledger"):
        place.open()
    with pytest.raises(StoreDamagedError, match="not a ledger"):
        place.create()


@pytest.mark.parametrize("version", [1, 3])
def test_a_ledger_of_another_version_is_not_read(filled, version):
    filled.execute(f"COMMENT ON SCHEMA scalegate IS 'scalegate ledger {version}'")
    with pytest.raises(StoreError, match=f"version {version}"):
        filled.open()


CHANGES = {
    "guard-dropped": "DROP TRIGGER entries_never_change ON entries",
    "guard-disabled": "ALTER TABLE entries DISABLE TRIGGER entries_are_consecutive",
    "guard-asleep-in-replicas": "ALTER TABLE entries ENABLE TRIGGER entries_never_change",
    "guard-of-blobs-dropped": "DROP TRIGGER blobs_never_change ON blobs",
    "guard-emptied": "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "guard-of-fewer-rows": (
        "CREATE OR REPLACE TRIGGER entries_never_change BEFORE UPDATE ON entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
    ),
    "another-trigger": (
        "CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER late BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION public.late()"
    ),
    "rule-instead": "CREATE RULE nothing AS ON INSERT TO entries DO INSTEAD NOTHING",
    "rows-hidden": "ALTER TABLE entries ENABLE ROW LEVEL SECURITY",
    "not-logged": "ALTER TABLE entries SET UNLOGGED",
    "key-dropped": "ALTER TABLE entries DROP CONSTRAINT entries_pkey",
    "column-added": "ALTER TABLE entries ADD COLUMN note text",
    "table-replaced-by-view": ("ALTER TABLE head RENAME TO beside; CREATE VIEW head AS SELECT one, note FROM beside"),
    "child-table": "CREATE TABLE public.more () INHERITS (entries)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_tables_or_guards_is_noticed(filled, change):
    filled.execute(CHANGES[change])
    with pytest.raises(StoreDamagedError, match="tables or guards"):
        filled.open()


def test_a_table_cannot_be_emptied_at_once(filled):
    with pytest.raises(psycopg.IntegrityError, match="never"):
        filled.execute("TRUNCATE entries")
    assert len(read(filled).entries) == 5


def test_guards_hold_for_who_says_that_he_replicates(filled):
    with closing(filled.connect()) as db:
        db.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.IntegrityError, match="never"):
            db.execute("DELETE FROM entries")
    assert len(read(filled).entries) == 5


def test_a_server_that_does_not_wait_for_its_disk_is_refused():
    with Server(fsync="off") as careless:
        url = careless.database()
        with pytest.raises(StoreError, match="fsync"):
            PostgresStore.create(url, TRUST, KEYS, 1_000)


# ---------------------------------------------------------------- documents


def test_bytes_that_were_edited_are_damaged(filled):
    with filled.open() as store:
        digest = store.put_blob(b"a log")
        filled.edit("UPDATE blobs SET data = 'another'")
        for look in (store.get_blob, store.locate_blob):
            with pytest.raises(StoreDamagedError, match="another digest"):
                look(digest)
        with pytest.raises(StoreDamagedError, match="another digest"):
            store.put_blob(b"a log")


def test_bytes_that_somebody_put_under_another_digest_are_damaged(filled):
    digest = digest_bytes(b"a log")
    filled.execute("INSERT INTO blobs VALUES (?, 0, 'another')", digest)
    with filled.open() as store, pytest.raises(StoreDamagedError, match="another digest"):
        store.put_blob(b"a log")


def test_a_copy_outlives_its_store_only_where_it_was_told_to(filled, tmp_path):
    with filled.open() as store:
        path = store.locate_blob(store.put_blob(b"a log"))
        assert path.is_file()
    assert not path.exists()
    with filled.open(folder=tmp_path) as store:
        path = store.locate_blob(digest_bytes(b"a log"))
    assert path.is_relative_to(tmp_path)
    assert path.read_bytes() == b"a log"


# ---------------------------------------------------------------- settings of others


@pytest.mark.parametrize(
    "setting",
    [
        "synchronous_commit = off",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "search_path = public",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "client_encoding = 'LATIN1'",
    ],
)
def test_settings_of_a_database_change_nothing(filled, setting):
    name = filled.execute("SELECT current_database()")[0][0]
    filled.execute(f"ALTER DATABASE {name} SET {setting}")
    with filled.open() as store, filled.open() as other:
        other.history()
        for number in range(5, 9):
            assert store.append(event(number), 2_000).index == number * 2 - 5
            assert other.append(event(number + 10), 2_000).index == number * 2 - 4
        assert store._now.db.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert store.history().fault == ""


# ---------------------------------------------------------------- several writers, and lost connections


def test_a_writer_that_never_ends_is_not_waited_for(filled):
    with filled.open() as blocker, filled.open(wait=0.05) as store:
        with blocker._now.table.alone():
            blocker._now.table.read(0)
            with pytest.raises(StoreError, match="another writer"):
                store.append(event(5), 2_000)
            assert len(store.history().entries) == 5
        assert store.append(event(5), 2_000).index == 5


def killed_inside(place, store):
    """Be killed with the lock, and with a row that was not committed."""
    store._now.table.read(0)
    store._now.db.execute("INSERT INTO scalegate.entries VALUES (5, 'x')")
    place.execute("SELECT pg_terminate_backend(?)", store._now.db.info.backend_pid)
    store._now.table.write(6, [b"y"], b"note")


def test_what_a_writer_does_not_finish_is_not_there(filled):
    """The next writer gets the lock, and the index."""
    with filled.open() as killed, filled.open() as store:
        with pytest.raises(psycopg.OperationalError), killed._now.table.alone():
            killed_inside(filled, killed)
        assert store.append(event(5), 2_000).index == 5
        assert killed.append(event(6), 2_000).index == 6
    assert read(filled).fault == ""


def test_a_reader_goes_on_behind_a_lost_connection(filled):
    with filled.open() as store:
        before = store.history()
        for victim in victims(filled):
            filled.execute("SELECT pg_terminate_backend(?)", victim)
        assert store.history() == before


def test_a_writer_is_told_of_a_lost_connection_and_goes_on(filled):
    with filled.open() as store:
        store.history()
        for victim in victims(filled):
            filled.execute("SELECT pg_terminate_backend(?)", victim)
        with pytest.raises(StoreError, match="read the log"):
            store.append(event(5), 2_000)
        assert store.append(event(5), 2_000).index == 5


@pytest.mark.parametrize("behind", ["same-connection", "lost-connection"])
def test_entries_that_were_returned_and_are_gone_are_a_fault(filled, behind):
    """The database set back to what it was, with the head that it had: no file beside it tells."""
    with filled.open() as store:
        note = store.head()
        entry = store.append(event(5), 2_000)
        filled.edit("DELETE FROM entries WHERE idx = 5", ("UPDATE head SET note = ?", (note,)))
        if behind == "lost-connection":
            for victim in victims(filled):
                filled.execute("SELECT pg_terminate_backend(?)", victim)
        assert store.history().fault
        with pytest.raises(StoreDamagedError, match="newest are gone"):
            store.append(event(6), 2_000)
    assert entry.index == 5
    # Who saw nothing of it cannot know: that is what witnesses are for.
    assert fault_of(filled) == ""


def test_a_log_that_gets_another_key_is_read_on_by_who_has_read_it(filled):
    trust = make_trust(log="log 2", more=(f"replaces {TRUST.digest}",))
    keys = MemoryKeys("M. Ito", own=("log", "log 2", "gate"))
    with filled.open(keys) as store, filled.open(keys) as reader:
        reader.history()
        store.append(TrustAdopted(trust.digest, trust.text), 2_000)
        assert reader.history().fault == ""
        assert reader.append(event(7), 2_000).index == 6


def test_nobody_waits_for_the_disk_of_another_writer(filled):
    """Eight writers with one lock: were it held until the disk has it, they would take eight turns of it."""
    with filled.open() as store:
        settings = dict(store._now.db.execute("SELECT name, setting FROM pg_settings").fetchall())
        statements = []
        real = store._now.db.execute
        store._now.db.execute = lambda query, *rest, **more: (statements.append(query), real(query, *rest, **more))[1]
        store.append(event(5), 2_000)
    assert settings["synchronous_commit"] == "on"
    assert len(statements) == 2
    taken, given = (text.decode() for text in statements)
    assert taken.index("synchronous_commit = off") < taken.index("pg_advisory_xact_lock") < taken.index("SELECT idx")
    assert given.index("INSERT") < given.index("COMMIT") < given.index("pg_logical_emit_message")


def test_many_writers_record_everything_once(filled):
    failures = []

    def write(writer):
        try:
            with filled.open() as store:
                for number in range(12):
                    store.append(event(writer * 100 + number), 2_000)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = read(filled)
    assert failures == []
    assert history.fault == ""
    assert len({entry.event.order for entry in history.entries[1:]}) == 4 + 96


# ---------------------------------------------------------------- what a crash takes back


def unflushed(store, number):
    """Record an entry as far as others see it, and not as far as the disk."""
    table = store._now.table

    def write(start, leaves, note):
        for place, leaf in enumerate(leaves, start):
            table._db.execute("INSERT INTO scalegate.entries VALUES (%s, %s)", (place, leaf))
        table._db.execute("UPDATE scalegate.head SET note = %s", (note,))
        table._db.execute("COMMIT")
        raise KeyMissingError("killed before the message")

    table.write = write
    with pytest.raises(KeyMissingError):
        store.append(event(number), 2_000)


def test_what_nobody_was_told_may_be_lost_and_nothing_else_is(server, filled):
    """The gap that acknowledgments wait for is real: in it, a crash takes the entry back."""
    with filled.open() as store:
        told = store.append(event(5), 2_000)
        unflushed(store, 6)
        assert filled.execute("SELECT count(*) FROM entries") == [(7,)]
        server.kill()
        server.start()
        assert filled.execute("SELECT count(*) FROM entries") == [(6,)]
        history = store.history()
        assert history.fault == ""
        assert history.entries[-1] == told
        assert store.append(event(7), 2_000).index == 6


def test_nobody_is_shown_what_a_crash_can_take_back(server, filled):
    with filled.open() as store, filled.open() as reader:
        unflushed(store, 5)
        shown = reader.history()
        assert len(shown.entries) == 6
        server.kill()
        server.start()
        assert reader.history() == shown
        assert read(filled) == shown


def test_a_durable_entry_makes_those_before_it_durable(server, filled):
    with filled.open() as store, filled.open() as other:
        unflushed(store, 5)
        told = other.append(event(6), 2_000)
        server.kill()
        server.start()
        assert [entry.index for entry in read(filled).entries] == list(range(7))
        assert read(filled).entries[-1] == told


def test_a_writer_who_fails_behind_unflushed_entries_shows_them_durable(server, filled):
    """What a refused writer has read under the lock is in his memory, too."""
    with filled.open() as store, filled.open() as other:
        unflushed(store, 5)
        with pytest.raises(StoreError):
            other.append(event(6), 2_000, after="another head")
        shown = other.history()
        server.kill()
        server.start()
        assert other.history() == shown
        assert len(read(filled).entries) == 6


def test_a_lock_that_a_stopped_writer_holds_comes_free(filled):
    with filled.open() as stopped, filled.open() as store:
        stopped._now.db.execute("SET idle_in_transaction_session_timeout = '100ms'")
        with stopped._now.table.alone():
            stopped._now.table.read(0)
            before = time.monotonic()
            assert store.append(event(5), 2_000).index == 5
        assert time.monotonic() - before < 15
        assert stopped.history().fault == ""
