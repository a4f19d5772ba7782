"""Kill PostgreSQL, single sessions of it, and writers to it with SIGKILL, over and over, and tell what is left.

A program of its own, because it forks: `killed_postgres.py KILLS SEED`. Writers go on all the time, and connect again
when they are cut off. Prints one JSON object for each kill.
"""

import json
import os
import random
import signal
import sys
import time
from contextlib import suppress

from scalegate.adapters.postgres import PostgresStore
from scalegate.ledger import Ask, StoreDamagedError, StoreError
from scalegate.ledger.checkpoint import parse_checkpoint
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import open_checkpoint
from tests.adapters.postgres_server import Server
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, make_trust
from tests.ledger.killed_writer import acknowledge, fork, judge

TRUST = make_trust()
KEYS = MemoryKeys("M. Ito")
WRITERS = 3
LONGEST = 0.06
MOST = 3
ROUND = 25
# The server itself in half of them: what it takes back is what this is about.
KINDS = ("server", "server", "session", "writer")


class Writer:
    """A process that records groups of a few entries, and tells of each once it is acknowledged."""

    def __init__(self, url, seed):
        self.child, self._said = fork(lambda tell: write_forever(url, seed, os.getppid(), tell))
        os.set_blocking(self._said.fileno(), False)
        self._rest = b""

    def told(self):
        """What it told since this was asked last."""
        data = self._rest
        with suppress(BlockingIOError):
            while more := os.read(self._said.fileno(), 1 << 16):
                data += more
        *lines, self._rest = data.split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)

    def close(self):
        self._said.close()


def write_forever(url, seed, parent, tell):
    drawn = random.Random(seed)
    store = None
    while os.getppid() == parent:
        try:
            store = store or PostgresStore(url, KEYS)
            asks = [Ask(event(drawn.getrandbits(60)), 2_000) for _ in range(drawn.randint(1, MOST))]
            tell(acknowledge(store, store.commit(asks)))
        except StoreDamagedError as error:
            tell(json.dumps({"damaged": str(error)}))
            return
        except StoreError:
            time.sleep(0.002)


def left(url):
    """What a reader finds, who comes new to the log and trusts nothing but its key."""
    with PostgresStore(url) as store:
        # In this order, since writers go on: each of the later ones may know more.
        signed = open_checkpoint(store.head(), TRUST.origin, TRUST.logs)
        leaves = store.leaves()
        history = store.history()
    head, tree = parse_checkpoint(signed.note.text), Tree(map(leaf_hash, leaves))
    whole = head.size <= tree.size <= len(history.entries) and head.root == tree.root(head.size)
    return history.fault or ("" if whole else "the head is not that of the leaves"), history.entries, tree


def patient(work):
    """Do something once the server is there again."""
    until = time.monotonic() + 30
    while True:
        try:
            return work()
        except StoreDamagedError:
            raise
        except StoreError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)


def kill(kind, server, writers, drawn, url, number):
    """Kill one of them, and begin it anew."""
    if kind == "server":
        server.kill()
        server.start()
    elif kind == "session":
        # One that is killed leaves the shared memory in doubt: the postmaster ends all others and recovers.
        os.kill(drawn.choice(server.sessions()), signal.SIGKILL)
        time.sleep(0.01)
        server.wait()
    else:
        place = drawn.randrange(len(writers))
        writers[place].kill()
        yield from writers[place].told()
        writers[place].close()
        writers[place] = Writer(url, f"{number}")


def rows(server, kills, seed):
    """Kill so many times around one log."""
    url = server.database()
    PostgresStore.create(url, TRUST, KEYS, 1_000).close()
    drawn = random.Random(seed)
    writers = [Writer(url, f"{seed}-{place}") for place in range(WRITERS)]
    told, seen = [], ()
    with PostgresStore(url) as reader:
        for number in range(kills):
            time.sleep(drawn.uniform(0, LONGEST))
            # Who has read the log goes on with what he read, through every crash.
            seen = patient(reader.history).entries
            kind = drawn.choice(KINDS)
            told += kill(kind, server, writers, drawn, url, number)
            for writer in writers:
                told += writer.told()
            fault, entries, tree = patient(lambda: left(url))
            again = patient(reader.history)
            yield {
                "kind": kind,
                "fault": fault,
                "reader": again.fault or ("" if again.entries[: len(seen)] == seen else "entries are gone"),
                "damaged": [row["damaged"] for row in told if "damaged" in row],
                "acknowledged": sum(len(row.get("entries", ())) for row in told),
                "entries": len(entries),
                **judge(told, [entry.digest for entry in entries], tree),
            }
    for writer in writers:
        writer.kill()
        writer.close()


if __name__ == "__main__":
    with Server() as started:
        # A log of its own for each round, so that reading it does not take longer than what it is read for.
        for start in range(0, int(sys.argv[1]), ROUND):
            for found in rows(started, min(ROUND, int(sys.argv[1]) - start), int(sys.argv[2]) + start):
                sys.stdout.write(json.dumps({"round": start, **found}) + "\n")
