"""A writer that is killed, anywhere, loses nothing that it acknowledged, and leaves a whole store."""

import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scalegate.cli.main import main
from scalegate.core.events import ResultReported
from scalegate.ledger import LocalStore
from tests.conftest import ROOT

KILLER = Path(__file__).with_name("killed_writer.py")
WHO = ["--by", "Lea Roth", "--role", "auditor"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}

POLICY = f"""\
scalegate: policy/v1
id: acme
version: "1"
issuer: acme
effective: 2020-01-01
scope: everything
roles: {{developer: {{}}, auditor: {{independent of: [developer]}}}}
evaluations:
  autonomy:
    kind: capability
    test: bank@sha256:{"a" * 64}
    score: success rate
    by: auditor
    valid for: {{compute: 4x, time: 3 months}}
commitments:
  line: {{hold: [train], unless shown: autonomy <= 20%, once crossed: never}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a store in which run `r1` awaits its log, and the log."""
    folder = tmp_path_factory.mktemp("kill")
    (folder / "acme.yaml").write_text(POLICY)
    rows = [json.dumps({"doc_id": item, "metrics": ["acc"], "acc": 0.0}) for item in range(40)]
    (folder / "samples.jsonl").write_text("\n".join(rows))
    store = ["--store", str(folder / "store")]
    steps = [
        ["init", "--policy", str(folder / "acme.yaml"), "--by", "Ada", "--role", "developer"],
        ["subject", "add", "orion", "--digest", f"sha256:{'b' * 64}", "--issuer", "acme",
         "--from-scratch", "--compute", "1e24", "--by", "Ada", "--role", "developer"],
        ["evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
         "--items", "40", "--report-by", "10 days", *WHO],
    ]  # fmt: skip
    assert [main([*step, *store]) for step in steps] == [0, 0, 0]
    return folder


def command(place):
    return ["evidence", "add", "r1", str(place / "samples.jsonl"), *WHO]


def check(row, before, whole):
    """What has to hold after a kill: whole, a prefix, and everything that was acknowledged."""
    assert row["code"] in {-9, 0}
    assert row["fault"] == ""
    assert row["digests"][: len(before)] == before
    assert len(row["digests"]) - len(before) == row["results"] <= 1
    assert row["logs"] == whole["logs"] * row["results"]
    acknowledged = re.findall(r"entry (\d+): 0 successes of 40", row["said"])
    assert all(int(index) < len(row["digests"]) for index in acknowledged)
    assert row["again"] == (1 if row["results"] else 0)
    assert row["after"]["fault"] == ""
    assert row["after"]["results"] == 1
    assert row["after"]["logs"] == whole["logs"]
    assert row["after"]["digests"][: len(row["digests"])] == row["digests"]


def killed_at_lines(place, scratch, points):
    answer = subprocess.run(
        [sys.executable, str(KILLER), str(place / "store"), str(scratch), str(points), *command(place)],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        text=True,
        timeout=900,
    )
    assert answer.returncode == 0, answer.stderr
    whole, *rows = map(json.loads, answer.stdout.splitlines())
    assert (whole["code"], whole["results"], whole["fault"]) == (0, 1, "")
    with LocalStore(place / "store") as store:
        before = [entry.digest for entry in store.history().entries]
    for row in rows:
        check(row, before, whole)
    return rows


def test_a_writer_killed_at_any_of_many_lines_loses_nothing(place, tmp_path):
    rows = killed_at_lines(place, tmp_path, 44)
    assert len(rows) >= 40
    assert {row["results"] for row in rows} == {0, 1}


@pytest.mark.slow
def test_a_writer_killed_at_every_line_loses_nothing(place, tmp_path):
    rows = killed_at_lines(place, tmp_path, 0)
    assert len(rows) >= 200
    assert {row["results"] for row in rows} == {0, 1}


@pytest.mark.slow
def test_a_process_killed_at_any_time_loses_nothing(place, tmp_path):
    """Inside SQLite and the kernel, too: from outside, after a time that nobody chose."""
    seed = random.Random(20_260_101)
    store = tmp_path / "store"
    main(["init", "--store", str(store), "--policy", str(place / "acme.yaml"), *WHO[:2],
          "--role", "developer"])  # fmt: skip
    main(["subject", "add", "orion", "--digest", f"sha256:{'b' * 64}", "--issuer", "acme",
          "--from-scratch", "--store", str(store), *WHO])  # fmt: skip
    acknowledged = set()
    for number in range(60):
        register = ["evidence", "register", f"r{number}", "--evaluation", "autonomy", "--subject",
                    "orion", "--items", "40", "--report-by", "10 days", *WHO]  # fmt: skip
        assert main([*register, "--store", str(store)]) == 0
        add = [*command(place), "--store", str(store)]
        add[2] = f"r{number}"
        with subprocess.Popen(
            [sys.executable, "-m", "scalegate.cli.main", *add],
            env=ENVIRONMENT,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            time.sleep(seed.uniform(0.0, 0.8))
            child.kill()
            said, _ = child.communicate()
        if "successes of 40" in said:
            acknowledged.add(f"r{number}")
        with LocalStore(store) as opened:
            history = opened.history()
        found = {item.event.run for item in history.entries if isinstance(item.event, ResultReported)}
        assert history.fault == ""
        assert acknowledged <= found
