"""A writer that is killed, anywhere, loses nothing that it acknowledged, and leaves a whole store and one history."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

KILLER = Path(__file__).with_name("killed_writer.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def killed(what, folder, *numbers):
    """What was left behind each kill."""
    answer = subprocess.run(
        [sys.executable, str(KILLER), what, str(folder), *map(str, numbers)],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        text=True,
        timeout=900,
    )
    assert answer.returncode == 0, answer.stderr
    return list(map(json.loads, answer.stdout.splitlines()))


def check(rows):
    """No entry lost, no fork, no fault; and the kills came where something was to be lost."""
    for row in rows:
        assert (row["fault"], row["lost"], row["forks"]) == ("", [], [])
    assert {row["code"] for row in rows} == {-9}


def check_at_random(rows):
    check(rows)
    entries = [row["entries"] for row in rows]
    assert entries == sorted(entries)
    assert sum(row["acknowledged"] for row in rows) > len(rows) / 2
    assert 1 + sum(row["acknowledged"] for row in rows) <= entries[-1]


def test_a_writer_killed_at_any_time_loses_nothing(tmp_path):
    rows = killed("random", tmp_path, 20, 4)
    assert len(rows) == 20
    check_at_random(rows)


@pytest.mark.slow
def test_writers_killed_three_hundred_times_lose_nothing(tmp_path):
    rows = killed("random", tmp_path, 300, 2_026)
    assert len(rows) == 300
    check_at_random(rows)
    # Some were killed behind their commit, before they could tell of it: what nobody was told may stay.
    assert 1 + sum(row["acknowledged"] for row in rows) < rows[-1]["entries"]


def check_at_lines(rows):
    check(rows)
    for row in rows:
        assert row["again"] == ""
        assert row["digests"][: len(row["before"])] == row["before"]
        # The entry itself, where the kill came behind the commit, and the one of the second try.
        assert len(row["digests"]) - len(row["before"]) in (1, 2)
    assert {len(row["digests"]) - len(row["before"]) for row in rows} == {1, 2}
    assert {row["told"] for row in rows} <= {0, 1}


def test_a_writer_killed_at_some_lines_loses_nothing(tmp_path):
    rows = killed("lines", tmp_path, 20)
    assert len(rows) >= 20
    check_at_lines(rows)


@pytest.mark.slow
def test_a_writer_killed_at_every_line_loses_nothing(tmp_path):
    rows = killed("lines", tmp_path, 0)
    assert len(rows) >= 100
    check_at_lines(rows)


def check_making(rows):
    check(rows)
    for row in rows:
        assert row["again"] == "" or "already" in row["again"]
        assert len(row["digests"]) == 1
    assert {bool(row["again"]) for row in rows} == {True, False}


def test_a_store_that_was_killed_while_it_was_made_can_be_finished(tmp_path):
    rows = killed("making", tmp_path, 20)
    assert len(rows) >= 20
    check_making(rows)


@pytest.mark.slow
def test_a_store_killed_at_every_line_of_its_making_can_be_finished(tmp_path):
    rows = killed("making", tmp_path, 0)
    assert len(rows) >= 80
    check_making(rows)
