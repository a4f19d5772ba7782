"""Decisions a second that are made, signed, in the log and on the disk, beside bare inserts of the same bytes.

Wall time, since waiting for the disk is most of it. Three ways: groups of 256 and one at a time in SQLite, and eight
processes that write to one PostgreSQL. As a program with `writer` this is one of the eight.
"""

from __future__ import annotations

import itertools
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).resolve().parent
for place in (HERE.parent / "gate", HERE.parent.parent, HERE.parent.parent / "src"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from engines import scalegate  # noqa: E402 - the paths come first
from states import draw  # noqa: E402

from scalegate.core.canonical import digest_bytes  # noqa: E402
from scalegate.core.events import DecisionMade, Entry  # noqa: E402
from scalegate.ledger import Ask, LocalStore  # noqa: E402
from tests.adapters.postgres_server import Server, why_not  # noqa: E402
from tests.ledger.keys import MemoryKeys, make_trust  # noqa: E402

if not why_not():
    import psycopg

    from scalegate.adapters.postgres import PostgresStore

GROUP = 256
GROUPS = 20
SINGLES = 400
WRITERS = 8
# As many as ask one process at once, whose sequencer puts them into one transaction.
ASKED_AT_ONCE = 16
# Transactions of each.
EACH = 100
SITUATIONS = 200
AT = 1_767_225_600
KEYS = MemoryKeys()
TRUST = make_trust()
POLICY = digest_bytes(b"policy")


class Decider:
    """Decides on one situation after the other, and returns the event of the answer on some head."""

    def __init__(self) -> None:
        prepare, self._call, self._read = scalegate()
        self._situations = itertools.cycle([prepare(draw(seed)) for seed in range(SITUATIONS)])
        self._count = itertools.count()

    def __call__(self, head: str) -> DecisionMade:
        answer = "hold" if self._read(self._call(next(self._situations))) else "permit"
        body = digest_bytes(b"%d" % next(self._count))
        return DecisionMade(body, answer, "train", "orion", "", 0, 0, (POLICY,), head, 0, TRUST.digest)


def _recorded(found: Any) -> Entry:
    if not isinstance(found, Entry):
        raise TypeError(f"a decision was not recorded: {found}")
    return found


def groups(store: Any, decide: Decider, count: int, group: int) -> float:
    """Return decisions a second, in groups."""
    head = store.standing().entries[-1].digest
    start = perf_counter()
    for _ in range(count // group):
        entries = [_recorded(found) for found in store.commit([Ask(decide(head), AT, head) for _ in range(group)])]
        head = entries[-1].digest
    return count / (perf_counter() - start)


def singles(store: Any, decide: Decider, count: int) -> list[float]:
    """Return the seconds that each of some decisions took."""
    times = []
    head = store.standing().entries[-1].digest
    for _ in range(count):
        start = perf_counter()
        head = _recorded(store.append(decide(head), AT, after=head)).digest
        times.append(perf_counter() - start)
    return times


def bare_sqlite(path: Path, leaves: list[bytes], group: int) -> float:
    """Return rows a second into one table, with as many in a transaction."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE rows (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
    start = perf_counter()
    for first in range(0, len(leaves), group):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO rows (leaf) VALUES (?)", [(leaf,) for leaf in leaves[first : first + group]])
        db.execute("COMMIT")
    took = perf_counter() - start
    db.close()
    return len(leaves) / took


def writers(url: str, what: str, group: int) -> float:
    """Return rows a second of all writers together, each with `group` of them in a transaction."""
    count = EACH * group
    command = [sys.executable, __file__, what, url, str(count), str(group)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(WRITERS)
    ]
    for writer in started:
        writer.stdout.readline()
    start = perf_counter()
    for writer in started:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in started:
        if "done" not in writer.communicate()[0]:
            raise SystemExit("a writer did not finish")
    return WRITERS * count / (perf_counter() - start)


def _write(what: str, url: str, count: int, group: int) -> None:
    """Be one of the writers."""
    if what == "writer":
        with PostgresStore(url, KEYS) as store:
            store.history()
            decide = Decider()
            _wait_for_all()
            groups(store, decide, count, group)
    else:
        with psycopg.connect(url, autocommit=True) as db:
            leaves = [
                row for (row,) in db.execute("SELECT leaf FROM scalegate.entries LIMIT %s", (count,), binary=True)
            ]
            _wait_for_all()
            for first in range(0, count, group):
                with db.transaction(), db.cursor() as cursor:
                    cursor.executemany(
                        "INSERT INTO bare (leaf) VALUES (%s)", [(leaf,) for leaf in leaves[first : first + group]]
                    )
    print("done")


def _wait_for_all() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def rows() -> list[dict[str, Any]]:
    """Return what to report, as arguments of a row; rates are told as microseconds for each, so that less is better."""
    with tempfile.TemporaryDirectory(prefix="scalegate-bench-") as name:
        place, decide = Path(name), Decider()
        with LocalStore.create(place / "groups", TRUST, KEYS, AT) as store:
            group = groups(store, decide, GROUPS * GROUP, GROUP)
            leaves = store.leaves()
        with LocalStore.create(place / "singles", TRUST, KEYS, AT) as store:
            times = singles(store, decide, SINGLES)
        bare_group = bare_sqlite(place / "group.db", leaves[1:], GROUP)
        bare_single = bare_sqlite(place / "single.db", leaves[1 : SINGLES + 1], 1)
    found = [
        _row("decide.group", group, 3_000, "bare SQLite", bare_group, f"groups of {GROUP}"),
        {
            "name": "ledger.decide.single",
            "value": statistics.median(times) * 1e3,
            "unit": "ms",
            "peer": "bare SQLite",
            "peer_value": 1e3 / bare_single,
            "target": 10.0,
            "note": f"median of {SINGLES}, one at a time, each on the disk before it is acknowledged",
        },
    ]
    if not why_not():
        with Server(wal_writer_delay="200ms") as server:
            url = server.database()
            PostgresStore.create(url, TRUST, KEYS, AT).close()
            many, alone = writers(url, "writer", ASKED_AT_ONCE), writers(url, "writer", 1)
            with psycopg.connect(url, autocommit=True) as db:
                db.execute("CREATE TABLE bare (idx bigserial PRIMARY KEY, leaf bytea NOT NULL)")
            bare, bare_alone = writers(url, "bare", ASKED_AT_ONCE), writers(url, "bare", 1)
        said = f"{WRITERS} processes and one log, {{}} in a transaction"
        found += [
            _row("decide.postgres", many, 1_000, "bare PostgreSQL", bare, said.format(ASKED_AT_ONCE)),
            _row("decide.postgres.single", alone, 0, "bare PostgreSQL", bare_alone, said.format(1)),
        ]
    return found


def _row(name: str, rate: float, least: int, peer: str, peer_rate: float, said: str) -> dict[str, Any]:
    promised = f", {least:,} promised" if least else ""
    return {
        "name": f"ledger.{name}",
        "value": 1e6 / rate,
        "unit": "us",
        "peer": peer,
        "peer_value": 1e6 / peer_rate,
        "target": 1e6 / least if least else None,
        "note": f"{rate:,.0f} a second{promised}; decided, signed, in the tree, on the disk; {said}",
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _write(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        for row in rows():
            print(row)
