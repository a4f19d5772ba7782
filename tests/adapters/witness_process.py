"""A witness in a process of its own, to be killed.

`witness_process.py serve FOLDER` answers over HTTP and prints where. `witness_process.py lines FOLDER SCRATCH STEP`
copies the memory in FOLDER over and over, lets a child cosign one checkpoint in each copy and kill itself at another
line of it, every STEP lines, and prints a JSON object for each.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from scalegate.adapters.witness_server import serve
from scalegate.app.clock import SystemClock
from scalegate.ledger import files, witness, witness_state
from scalegate.ledger.witness import Witness, WitnessState, read_history
from tests.ledger.witnessed_log import AUDITOR, LOGS, ORIGIN, WITNESS_KEY, Log

# Where something is read or written; the parsing of notes between would be most of the lines.
WATCHED = {item.__file__ for item in (files, witness, witness_state)}
TIME = 1_800_000_000


def open_witness(folder):
    return Witness(WitnessState(folder, WITNESS_KEY), AUDITOR, LOGS)


def answer(folder):
    listener = serve(open_witness(folder), SystemClock())
    sys.stdout.write(listener.url + "\n")
    sys.stdout.flush()
    listener.serve_forever()


def dying_at(killed_at):
    """Count lines from now on, and die at one of them."""
    seen = [0]

    def line(_frame, what, _argument):
        if what == "line":
            seen[0] += 1
            if seen[0] == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename in WATCHED else None)
    return seen


def ask(folder, request, time, killed_at, out):
    """Fork a child that asks once and dies at a line; return lines seen, and its answer if it lived."""
    child = os.fork()
    if child == 0:
        asked = open_witness(folder)
        seen = dying_at(killed_at)
        found = asked.add_checkpoint(request, time)
        sys.settrace(None)
        out.write_text(json.dumps([seen[0], found.status, found.body.decode()]))
        os._exit(0)
    os.waitpid(child, 0)
    return json.loads(out.read_text()) if out.exists() else None


def lines(template, scratch, step):
    """Yield what came of each kill: asked for 9, then for 9 of the twin, then for 9 again, all from 5."""
    log, twin = Log(), Log(fork=7)
    whole = scratch / "whole"
    shutil.copytree(template, whole)
    total, *_ = ask(whole, log.request(5, 9), TIME, 0, scratch / "whole.out")
    for point in range(1, total + 1, step):
        folder, out = scratch / f"at-{point}", scratch / f"at-{point}.out"
        shutil.copytree(template, folder)
        found = ask(folder, log.request(5, 9), TIME, point, out)
        with WitnessState(folder, WITNESS_KEY) as state:
            after = Witness(state, AUDITOR, LOGS)
            others = [after.add_checkpoint(item.request(old, 9), TIME + 50)
                      for item, old in ((twin, 5), (log, 5), (log, 9), (twin, 9))]  # fmt: skip
        history = [[item.checkpoint.size, item.time, item.line.decode()]
                   for item in read_history(folder, WITNESS_KEY, ORIGIN)]  # fmt: skip
        yield {
            "answered": found,
            "after": [[item.status, item.body.decode()] for item in others],
            "history": history,
        }
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        answer(Path(sys.argv[2]))
    for row in lines(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])):
        sys.stdout.write(json.dumps(row) + "\n")
