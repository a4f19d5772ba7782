"""A bank of questions for Inspect, a model that answers some of them, and a watch; as a program, one run of them.

`inspected.py FOLDER ITEMS NEEDED TOGETHER` runs ITEMS items in FOLDER/run until the first NEEDED are done, TOGETHER
at a time, and writes each call of the model to FOLDER/calls and each item that its watch saw to FOLDER/seen. It can be
killed at any time, and called again. Imported only by tests under `pytest.mark.extra`.
"""

import json
import random
import signal
import sys
from contextlib import redirect_stdout
from fractions import Fraction
from pathlib import Path

import anyio
import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

from scalegate.ingest.read import read_log
from scalegate.integrations.inspect import RunError, run_task
from scalegate.integrations.inspect_folder import JOURNAL
from tests.ingest.logs import codes

BANK = 400
# The first four are of the repository that the tests run in, the last says that something is missing.
COMMON = {"E601", "E602", "E604", "E605", "E701"}


class Prefix:
    """Decided once the first `needed` registered items are done, whatever they gave."""

    def __init__(self, order, needed=None, diary=None):
        self.order = order
        self.needed = len(order) if needed is None else needed
        self.seen = {}
        self.diary = diary

    def see(self, item, score):
        assert item not in self.seen
        assert item in self.order
        self.seen[item] = score
        if self.diary:
            self.diary.write(f"{item}\n")

    @property
    def decided(self):
        return all(item in self.seen for item in self.order[: self.needed])


def is_right(number):
    return number % 3 != 0


def is_broken(number):
    return number % 17 == 5


def expected(item):
    """What the bank's model scores on an item."""
    number = int(item.removeprefix("q"))
    return None if is_broken(number) else Fraction(is_right(number))


def answering(answer, *, name="model"):
    """A model that answers by the number of the question; answers may be text, an exception or awaitable."""

    async def reply(messages, _tools, _choice, _config):
        number = int(messages[-1].text.split()[-1])
        said = answer(number)
        if hasattr(said, "__await__"):
            said = await said
        if isinstance(said, Exception):
            raise said
        output = ModelOutput.from_content(f"mockllm/{name}", said)
        output.usage = ModelUsage(input_tokens=3, output_tokens=1, total_tokens=4)
        return output

    return get_model(f"mockllm/{name}", custom_outputs=reply, memoize=False)


def usual(number):
    return ValueError("broken") if is_broken(number) else "yes" if is_right(number) else "no"


async def slowly(number):
    await anyio.sleep(number % 5 / 100)
    return usual(number)


def bank(numbers=range(1, BANK + 1), **options):
    samples = [Sample(id=f"q{number}", input=f"question {number}", target="yes") for number in numbers]
    settings = {"solver": [generate()], "scorer": match(), "name": "bank", **options}
    return Task(dataset=MemoryDataset(samples, name="bank"), **settings)


def registered(count, seed=7):
    """Some items of the bank, in an order that somebody else drew."""
    items = [f"q{number}" for number in range(1, BANK + 1)]
    random.Random(seed).shuffle(items)
    return items[:count]


def begun(folder):
    """Tries in the order in which they were begun."""
    return [tuple(json.loads(line).values()) for line in (folder / JOURNAL).read_text().splitlines()]


def column(log):
    """Scores by item, as the reader has them."""
    (found,) = read_log(log).columns
    return dict(zip(map(str, found.items), found.values, strict=True))


def objections(log):
    """What the reader says of a log, beyond what it says of all logs of these tests."""
    return set(codes(read_log(log).findings)) - COMMON


def only_log(folder):
    (path,) = folder.glob("*.eval")
    return path


def check_refused(code, folder, watch=None, *, task=None, model=None, name="match", **options):
    with pytest.raises(RunError) as stop:
        run_task(task or bank(), model or answering(usual), watch or Prefix(registered(60)), name, folder, **options)
    assert stop.value.code == code, stop.value
    return str(stop.value)


def main(folder, items, needed, together):
    # A shell starts its background jobs deaf to interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (folder / "calls").open("a", buffering=1) as calls, (folder / "seen").open("a", buffering=1) as diary:

        def noted(number):
            calls.write(f"q{number}\n")
            return slowly(number)

        watch = Prefix(registered(items), needed, diary)
        # Plugins of Inspect that happen to be installed say so when a model is made; the run itself prints nothing.
        with redirect_stdout(sys.stderr):
            task, model = bank(), answering(noted)
        done = run_task(task, model, watch, "match", folder / "run", max_samples=together, run="r1")
    assert watch.seen == {item: expected(item) for item in watch.seen}
    assert (done.complete, done.stopped_early) == (True, needed < items)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
