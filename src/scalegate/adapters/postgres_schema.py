"""The tables of a ledger in PostgreSQL, what guards them, and whether a database has exactly these.

Everything is in the schema `scalegate` of one database: one database, one log. Guards fire for everybody, also where
replication is said to be going on; who owns the tables can drop them, which the check on opening notices. It reads
catalogs rather than definitions in SQL, which every release of PostgreSQL writes in its own way.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from scalegate.ledger.errors import StoreDamagedError, StoreError, StoreMissingError

VERSION: Final = 2
_MARK: Final = "scalegate ledger "
# One key for every ledger: advisory locks are those of one database.
LOCK: Final = 0x5347_4C32

_REFUSE: Final = (
    "BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',"
    " MESSAGE = format('%s never change and are never deleted', TG_TABLE_NAME); END"
)
_CONSECUTIVE: Final = (
    "DECLARE first bigint; last bigint; many bigint;"
    " BEGIN SELECT min(idx), max(idx), count(*) INTO first, last, many FROM fresh;"
    " IF many > 0 AND (last - first + 1 <> many OR last <> (SELECT max(idx) FROM scalegate.entries)"
    " OR first <> coalesce((SELECT max(idx) + 1 FROM scalegate.entries WHERE idx < first), 0)) THEN"
    " RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'entries are consecutive';"
    " END IF; RETURN NULL; END"
)

_STATEMENTS: Final = (
    "CREATE SCHEMA scalegate",
    "CREATE TABLE scalegate.entries (idx bigint PRIMARY KEY, leaf bytea NOT NULL)",
    "CREATE TABLE scalegate.head (one integer PRIMARY KEY, note bytea NOT NULL)",
    # In parts of at most a mebibyte: a value has an end at a gibibyte, and is in memory whole.
    "CREATE TABLE scalegate.blobs (digest text, part integer, data bytea NOT NULL, PRIMARY KEY (digest, part))",
    "ALTER TABLE scalegate.blobs ALTER COLUMN data SET STORAGE EXTERNAL",
    f"CREATE FUNCTION scalegate.refuse() RETURNS trigger LANGUAGE plpgsql AS $body${_REFUSE}$body$",
    f"CREATE FUNCTION scalegate.consecutive() RETURNS trigger LANGUAGE plpgsql AS $body${_CONSECUTIVE}$body$",
    (
        "CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON scalegate.entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION scalegate.refuse()"
    ),
    (
        "CREATE TRIGGER blobs_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON scalegate.blobs"
        " FOR EACH STATEMENT EXECUTE FUNCTION scalegate.refuse()"
    ),
    (
        "CREATE TRIGGER entries_are_consecutive AFTER INSERT ON scalegate.entries REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION scalegate.consecutive()"
    ),
    "ALTER TABLE scalegate.entries ENABLE ALWAYS TRIGGER entries_never_change",
    "ALTER TABLE scalegate.blobs ENABLE ALWAYS TRIGGER blobs_never_change",
    "ALTER TABLE scalegate.entries ENABLE ALWAYS TRIGGER entries_are_consecutive",
    f"COMMENT ON SCHEMA scalegate IS '{_MARK}{VERSION}'",
)

_COMMENT: Final = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'scalegate'"
_FOUND: Final = """\
WITH room AS (SELECT oid FROM pg_namespace WHERE nspname = 'scalegate'),
relations AS (SELECT * FROM pg_class WHERE relnamespace = (SELECT oid FROM room) AND relkind <> 'c')
SELECT concat_ws(' ', 'relation', relname, relkind, relpersistence, relrowsecurity, relhassubclass, relispartition)
FROM relations
UNION ALL
SELECT concat_ws(' ', 'column', relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, atthasdef,
    attidentity, attgenerated)
FROM relations JOIN pg_attribute ON attrelid = relations.oid WHERE relkind = 'r' AND attnum > 0
UNION ALL
SELECT concat_ws(' ', 'index', relname, indisprimary, indisunique, indisvalid, indimmediate, indkey::text,
    indpred IS NULL, indexprs IS NULL)
FROM relations JOIN pg_index ON indrelid = relations.oid
UNION ALL
SELECT concat_ws(' ', 'constraint', relname, contype)
FROM relations JOIN pg_constraint ON conrelid = relations.oid WHERE contype <> 'n'
UNION ALL
SELECT concat_ws(' ', 'trigger', relname, tgname, tgtype, tgenabled, tgfoid::regprocedure::text, tgqual IS NULL,
    tgnewtable, tgattr::text)
FROM relations JOIN pg_trigger ON tgrelid = relations.oid
UNION ALL
SELECT concat_ws(' ', 'rule', relname, rulename) FROM relations JOIN pg_rewrite ON ev_class = relations.oid
UNION ALL
SELECT concat_ws(' ', 'function', proname, lanname, prosecdef, pronargs, prorettype::regtype::text, proconfig::text,
    prosrc)
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang WHERE pronamespace = (SELECT oid FROM room)
"""

_EXPECTED: Final = frozenset(
    {
        "relation entries r p f f f",
        "relation entries_pkey i p f f f",
        "relation head r p f f f",
        "relation head_pkey i p f f f",
        "relation blobs r p f f f",
        "relation blobs_pkey i p f f f",
        "column entries 1 idx bigint t f  ",
        "column entries 2 leaf bytea t f  ",
        "column head 1 one integer t f  ",
        "column head 2 note bytea t f  ",
        "column blobs 1 digest text t f  ",
        "column blobs 2 part integer t f  ",
        "column blobs 3 data bytea t f  ",
        "index entries t t t t 1 t t",
        "index head t t t t 1 t t",
        "index blobs t t t t 1 2 t t",
        "constraint entries p",
        "constraint head p",
        "constraint blobs p",
        # Types: 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
        "trigger entries entries_never_change 58 A scalegate.refuse() t ",
        "trigger blobs blobs_never_change 58 A scalegate.refuse() t ",
        "trigger entries entries_are_consecutive 4 A scalegate.consecutive() t fresh ",
        f"function refuse plpgsql f 0 trigger {_REFUSE}",
        f"function consecutive plpgsql f 0 trigger {_CONSECUTIVE}",
    }
)


def make_schema(db: psycopg.Connection[Any]) -> None:
    """Make the tables in one transaction, unless there is a schema of the name already."""
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if db.execute(_COMMENT).fetchone() is None:
            for statement in _STATEMENTS:
                db.execute(statement)


def check_schema(db: psycopg.Connection[Any]) -> None:
    """Return if the database has the tables and guards of a ledger, and nothing else in their schema.

    Raises:
        StoreMissingError: if there is no ledger.
        StoreDamagedError: if there is something else, or its tables or guards were changed.
        StoreError: if the ledger has another version.
    """
    row = db.execute(_COMMENT).fetchone()
    if row is None:
        raise StoreMissingError("there is no ledger in the database")
    comment = row[0] or ""
    if not comment.startswith(_MARK):
        raise StoreDamagedError("the schema `scalegate` of the database is not a ledger of scalegate")
    if comment != f"{_MARK}{VERSION}":
        raise StoreError(f"the ledger has version {comment.removeprefix(_MARK):.20}, and this program reads {VERSION}")
    found = {str(line) for (line,) in db.execute(_FOUND)}
    if found != _EXPECTED:
        lines = sorted(found ^ _EXPECTED)
        raise StoreDamagedError(f"the tables or guards of the ledger were changed: look at `{lines[0]:.60}`")
