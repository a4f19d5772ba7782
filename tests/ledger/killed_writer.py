"""Run one command over and over, each time killed at another line of the ledger; tell what is left.

A program of its own, because it forks: `killed_writer.py TEMPLATE SCRATCH POINTS COMMAND...`. The
store in TEMPLATE is copied for each point; POINTS is how many points to choose among all lines that
the ledger executes, 0 for all. Prints one JSON object for each point.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import scalegate.cli.evidence.add
import scalegate.ledger
from scalegate.cli.main import main
from scalegate.gate.force import in_force
from scalegate.ledger import LocalStore

LEDGER = Path(scalegate.ledger.__file__).parent
WATCHED = {str(LEDGER / name) for name in ("store.py", "blobs.py", "files.py")}


def watch(seen, killed_at):
    """Count the lines of the ledger from now on, and die at one of them.

    Only inside the store's own methods: tracing the whole program would take minutes.
    """

    def line(_frame, what, _argument):
        if what == "line":
            seen[0] += 1
            if seen[0] == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def traced(method):
        def wrapper(*arguments, **options):
            sys.settrace(lambda frame, *_: line if frame.f_code.co_filename in WATCHED else None)
            try:
                return method(*arguments, **options)
            finally:
                sys.settrace(None)

        return wrapper

    for name in ("put_file", "put_blob", "append", "history"):
        setattr(LocalStore, name, traced(getattr(LocalStore, name)))


def run(command, store, out, killed_at):
    """Fork a child that runs `command` and kills itself at a line; return lines seen and how it ended."""
    counted = out.with_suffix(".count")
    child = os.fork()
    if child == 0:
        with out.open("w") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.stdout = os.fdopen(1, "w")
        seen = [0]
        if killed_at:
            watch(seen, killed_at)
        code = main([*command, "--store", str(store)])
        counted.write_text(str(seen[0]))
        os._exit(code)
    _, status = os.waitpid(child, 0)
    lines = int(counted.read_text()) if counted.exists() else 0
    return lines, os.waitstatus_to_exitcode(status)


def left(store):
    """What a reader finds in a store."""
    with LocalStore(store) as opened:
        history = opened.history()
        kinds = [type(entry.event).__name__ for entry in history.entries]
        logs = [entry.event.log for entry in history.entries if hasattr(entry.event, "log")]
        return {
            "fault": history.fault,
            "digests": [entry.digest for entry in history.entries],
            "results": kinds.count("ResultReported"),
            "logs": [len(opened.get_blob(digest)) for digest in logs],
        }


def tell(template, scratch, points, command):
    """Yield what is left for each point at which the command was killed."""
    with LocalStore(template) as store:
        in_force(store.history().entries, 1 << 40)
    whole = scratch / "whole"
    shutil.copytree(template, whole)
    total, code = run(command, whole, scratch / "whole.out", -1)
    yield {"point": total, "code": code, **left(whole)}
    step = max(1, total // points) if points else 1
    for point in range(1, total + 1, step):
        store = scratch / f"at-{point}"
        shutil.copytree(template, store)
        out = scratch / f"at-{point}.out"
        _, code = run(command, store, out, point)
        found = {"point": point, "code": code, "said": out.read_text(), **left(store)}
        _, found["again"] = run(command, store, out, 0)
        yield {**found, "after": left(store)}
        shutil.rmtree(store)


if __name__ == "__main__":
    for row in tell(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]):
        sys.stdout.write(json.dumps(row) + "\n")
