"""The whole command line over a log in PostgreSQL."""

import pytest

from tests.adapters.postgres_server import Server, why_not
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.speakers import trust_file

pytestmark = [pytest.mark.extra, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a server")]


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture
def place(server, monkeypatch, tmp_path):
    """The URL of an empty database; what is kept beside it on this machine goes below the test's folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return ("--store", server.database())


def test_a_lab_with_its_log_in_a_database_is_held_and_permitted_and_audited(empty, place):
    path = empty.file("acme.yaml", POLICY)
    empty.do("init", "--trust", trust_file(), "--policy", path, *ADA, *place)
    digest = f"sha256:{'0' * 64}"
    empty.do("subject", "add", "orion", "--digest", digest, "--issuer", "acme", "--compute", "2e24",
             "--from-scratch", *ADA, *place)  # fmt: skip
    assert empty.run("gate", "train", "--subject", "orion", "--to", "4e24", *place).code == 1
    empty.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
             "--item-ids", empty.bank(100), "--report-by", "10 days", *LEA, *place)  # fmt: skip
    empty.do("evidence", "add", "r1", empty.log("r1.jsonl", [0.0] * 100), *LEA, *place)
    assert empty.run("gate", "train", "--subject", "orion", "--to", "4e24", *place).code == 0
    assert empty.run("status", *place).code == 0
    empty.do("ledger", "export", empty.folder / "out", *place)
    said = empty.run("verify", empty.folder / "out", "--trust", trust_file())
    assert said.code == 3
    assert "2 of 2 answers follow from the log" in said.out
    assert "1 of 1 results follow" in said.out


def test_a_password_in_a_url_is_not_repeated(empty, server, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    url = server.database()
    secret = url + ("&" if "?" in url else "?") + "password=sesame"
    said = empty.do("init", "--trust", trust_file(), "--store", secret)
    assert "sesame" not in said.out + said.err
    again = empty.run("init", "--trust", trust_file(), "--store", secret)
    assert again.code == 1
    assert "sesame" not in again.out + again.err
    gone = empty.run("status", "--store", secret.replace("/log", "/none"))
    assert gone.code != 0
    assert "sesame" not in gone.out + gone.err
