"""PostgreSQL and its writers are killed, at any time: nothing acknowledged is lost, and there is one history."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.postgres_server import why_not
from tests.conftest import ROOT

KILLER = Path(__file__).with_name("killed_postgres.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}

pytestmark = [pytest.mark.extra, pytest.mark.skipif(bool(why_not()), reason=why_not())]


def killed(kills, seed):
    answer = subprocess.run(
        [sys.executable, str(KILLER), str(kills), str(seed)],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        text=True,
        timeout=900,
    )
    assert answer.returncode == 0, answer.stderr
    return list(map(json.loads, answer.stdout.splitlines()))


@pytest.mark.slow
def test_postgres_and_its_writers_killed_two_hundred_times_lose_nothing():
    rows = killed(200, 2_026)
    assert len(rows) == 200
    for row in rows:
        assert (row["fault"], row["lost"], row["forks"], row["damaged"], row["reader"]) == ("", [], [], [], "")
    counted = [(row["round"], row["entries"]) for row in rows]
    assert counted == sorted(counted)
    assert {row["kind"] for row in rows} == {"server", "session", "writer"}
    assert sum({row["round"]: row["acknowledged"] for row in rows}.values()) > len(rows)
