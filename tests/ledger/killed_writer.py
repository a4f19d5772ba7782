"""Kill writers of a local store with SIGKILL, over and over, and tell what is left.

A program of its own, because it forks. `killed_writer.py random FOLDER KILLS SEED` kills one writer after the other of
one store, each after a time that nobody chose. `killed_writer.py lines FOLDER POINTS` kills writers of copies of one
store, each at another line of the ledger; `killed_writer.py making FOLDER POINTS` those who make one. POINTS is how
many points to choose among all lines, 0 for all. Prints one JSON object for each kill.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import scalegate.ledger
from scalegate.ledger import Ask, LocalStore, StoreError
from scalegate.ledger.checkpoint import parse_checkpoint
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import open_checkpoint
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, make_trust

LEDGER = Path(scalegate.ledger.__file__).parent
WATCHED = {str(LEDGER / name) for name in ("store.py", "log.py", "blobs.py", "files.py")}
TRUST = make_trust()
KEYS = MemoryKeys("M. Ito")
LONGEST = 0.08
MOST = 6
DOCUMENT = b"a log of samples" * 1_000


def fork(work):
    """Fork a child that does `work` with what takes lines to us; return it, and what reads them."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        try:
            work(lambda line: os.write(into, f"{line}\n".encode()))
        finally:
            os._exit(0)
    os.close(into)
    return child, os.fdopen(out, encoding="utf-8")


def acknowledge(store, entries):
    """What a writer knows behind a commit: the entries, and the head that the log signed over them."""
    checkpoint = open_checkpoint(store.head(), TRUST.origin, TRUST.logs).checkpoint
    rows = [[entry.index, entry.digest] for entry in entries]
    return json.dumps({"entries": rows, "size": checkpoint.size, "root": checkpoint.root.hex()})


def write_forever(folder, seed, tell):
    """Record groups of a few entries, and tell of each once it is acknowledged."""
    drawn = random.Random(seed)
    with LocalStore(folder, KEYS) as store:
        tell("{}")
        while True:
            store.put_blob(drawn.randbytes(200))
            asks = [Ask(event(drawn.getrandbits(60)), 2_000) for _ in range(drawn.randint(1, MOST))]
            tell(acknowledge(store, store.commit(asks)))


def left(folder):
    """What a reader finds, who trusts nothing but the key of the log."""
    with LocalStore(folder) as store:
        history = store.history()
        leaves = store.leaves()
        head = parse_checkpoint(open_checkpoint(store.head(), TRUST.origin, TRUST.logs).note.text)
    digests = [entry.digest for entry in history.entries]
    tree = Tree(map(leaf_hash, leaves))
    whole = head.size == len(leaves) == len(digests) and head.root == tree.root()
    return history.fault or ("" if whole else "the head is not that of the leaves"), digests, tree


def judge(told, digests, tree):
    """What is wrong with what is left, held against what was acknowledged: entries lost, or a fork."""
    lost = [index for row in told for index, digest in row.get("entries", ()) if digests[index : index + 1] != [digest]]
    forks = [row["size"] for row in told if "size" in row and not has_head(tree, row)]
    return {"lost": lost, "forks": forks}


def has_head(tree, row):
    return row["size"] <= tree.size and tree.root(row["size"]).hex() == row["root"]


def kill_at_random(folder, kills, seed):
    """Kill one writer after the other of one store."""
    drawn = random.Random(seed)
    store = folder / "store"
    LocalStore.create(store, TRUST, KEYS, 1_000).close()
    everything = []
    for number in range(kills):
        child, said = fork(lambda tell, number=number: write_forever(store, f"{seed}-{number}", tell))
        told = [json.loads(said.readline())]
        time.sleep(drawn.uniform(0, LONGEST))
        os.kill(child, signal.SIGKILL)
        told += [json.loads(line) for line in said if line.endswith("\n")]
        said.close()
        _, status = os.waitpid(child, 0)
        everything += told
        fault, digests, tree = left(store)
        acknowledged = sum(len(row.get("entries", ())) for row in told)
        yield {
            "code": os.waitstatus_to_exitcode(status),
            "fault": fault,
            "acknowledged": acknowledged,
            "entries": len(digests),
            **judge(everything, digests, tree),
        }


# ---------------------------------------------------------------- at every line


def watch(seen, killed_at):
    """Count the lines of the ledger from now on, and die at one of them."""

    def line(_frame, what, _argument):
        if what == "line":
            seen[0] += 1
            if seen[0] == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename in WATCHED else None)


def write_once(folder, tell):
    with LocalStore(folder, KEYS) as store:
        store.put_blob(DOCUMENT)
        tell(acknowledge(store, [store.append(event(9), 2_000)]))


def make(folder, tell):
    LocalStore.create(folder, TRUST, KEYS, 1_000).close()
    tell(json.dumps({"made": True}))


def killed_at(work, folder, point):
    """Run `work` on a folder in a child that is killed at a line; return lines seen, how it ended, what it said."""

    def traced(tell):
        seen = [0]
        watch(seen, point)
        work(folder, tell)
        sys.settrace(None)
        tell(json.dumps({"lines": seen[0]}))

    child, said = fork(traced)
    told = [json.loads(line) for line in said if line.endswith("\n")]
    said.close()
    _, status = os.waitpid(child, 0)
    return told, os.waitstatus_to_exitcode(status)


def kill_at_lines(work, template, folder, points):
    """Kill at some lines, each time on a copy of the template, and do the same again behind it."""
    whole = folder / "whole"
    prepare(template, whole)
    told, _ = killed_at(work, whole, 0)
    lines = told[-1]["lines"]
    _, before, _ = left(template) if template else ("", [], None)
    for point in range(1, lines + 1, max(1, lines // points) if points else 1):
        store = folder / f"at-{point}"
        prepare(template, store)
        told, code = killed_at(work, store, point)
        row = {"code": code, "told": len(told), "again": again(work, store)}
        fault, digests, tree = left(store)
        yield {**row, "fault": fault, "before": before, "digests": digests, **judge(told, digests, tree)}
        shutil.rmtree(store)


def prepare(template, folder):
    if template:
        shutil.copytree(template, folder)


def again(work, folder):
    """Do what was killed once more; return what stands in its way."""
    try:
        work(folder, lambda _line: None)
    except StoreError as error:
        return str(error)
    return ""


def rows(what, folder, *numbers):
    if what == "random":
        return kill_at_random(folder, *numbers)
    if what == "making":
        return kill_at_lines(make, None, folder, *numbers)
    template = folder / "template"
    with LocalStore.create(template, TRUST, KEYS, 1_000) as store:
        for number in range(3):
            store.append(event(number), 1_000 + number)
    return kill_at_lines(write_once, template, folder, *numbers)


if __name__ == "__main__":
    for found in rows(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])):
        sys.stdout.write(json.dumps(found) + "\n")
