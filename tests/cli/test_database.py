"""The whole command line over a log in PostgreSQL."""

from importlib.util import find_spec

import pytest

from scalegate.app.places import _beside
from scalegate.app.refusal import RefusalError
from tests.adapters.postgres_server import Server, why_not
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.speakers import trust_file

REAL = [pytest.mark.extra, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a server")]
DRIVER = [pytest.mark.extra, pytest.mark.skipif(find_spec("psycopg") is None, reason="psycopg is not installed")]


def real(test):
    """Mark a test that needs a server."""
    return REAL[0](REAL[1](test))


def driven(test):
    """Mark a test that needs what speaks to servers, and none of them."""
    return DRIVER[0](DRIVER[1](test))


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture
def place(server, monkeypatch, tmp_path):
    """The URL of an empty database; what is kept beside it on this machine goes below the test's folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return ("--store", server.database())


@real
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


@real
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


LEAKS = [
    "postgresql://ada:pa%sSw0rd-secret@localhost/x",
    "postgresql://ada:hunter2@secret@[::1/x",
    "postgresql://ada:hunter2@secret@localhost:1/x",
    "postgresql://ada:S3cret/secret@localhost:1/x",
    "postgresql://ada:S3#secret@localhost:1/x",
    "postgresql://ada:S3?secret@localhost:1/x",
    "postgresql://ada:S3[secret@localhost:1/x",
    "postgresql://ada@localhost:1/x?password=%zzsecret",
    "postgresql://ada@localhost:1/x?secret=secret",
    "postgresql://localhost:secret/x",
    "postgresql://ada:good-secret@localhost:1/x",
]


@driven
@pytest.mark.parametrize("url", LEAKS)
@pytest.mark.parametrize("line", [("status",), ("gate", "train", "--subject", "orion")])
def test_nothing_of_a_url_that_leads_nowhere_is_repeated(empty, monkeypatch, url, line):
    monkeypatch.setenv("XDG_STATE_HOME", str(empty.folder / "state"))
    said = empty.run(*line, "--store", url)
    assert said.code in (2, 70)
    assert "error[store-" in said.err
    for part in ("secret", "Sw0rd", "hunter2", "S3"):
        assert part not in said.out + said.err


@driven
def test_who_is_not_connected_is_told_why_in_words_of_ours(empty, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(empty.folder / "state"))
    said = empty.run("status", "--store", "postgresql://127.0.0.1:1/x")
    assert "no connection to the database: nothing listens there (OperationalError, no SQLSTATE)" in said.err
    said = empty.run("status", "--store", "postgresql://ada:%zz@127.0.0.1:1/x")
    assert "PGPASSFILE" in said.err


def place_of(url):
    """The folder beside a database: what is read before a connection, and not by it."""
    return _beside(url).name


SAME = [
    "postgresql://db.example/log",
    "postgres://db.example/log",
    "postgresql://ada:old@db.example/log",
    "postgresql://ada:new%40word@db.example:5432/log",
    "postgresql://bo@DB.example/log?application_name=a&sslmode=require",
    "postgresql://bo:a#b?c@db.example/log",
    "postgresql://db.example/other?dbname=log&password=x",
    "postgresql:///log?host=db.example",
]
OTHERS = [
    "postgresql://db.example:5433/log",
    "postgresql://db2.example/log",
    "postgresql://db.example/log2",
    "postgresql://db.example/log?port=5434",
    "postgresql://db.example,db2.example/log",
    "postgresql:///log?host=/run/postgresql",
    "postgresql:///log?service=acme",
    "postgresql://ada@db.example/",
    "postgresql://bo@db.example/",
]


def test_the_folder_beside_a_database_is_the_same_for_every_user_password_and_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    assert len(set(map(place_of, SAME))) == 1
    assert len(set(map(place_of, [SAME[0], *OTHERS]))) == 1 + len(OTHERS)
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGDATABASE", "log")
    assert place_of("postgresql://") == place_of(SAME[0])


@pytest.mark.parametrize("url", ["postgresql://ada:a/b@db/x", "postgresql://a:b@c@db/x", "postgresql://[::1/x"])
def test_a_url_that_can_be_read_in_two_ways_names_no_store(url):
    with pytest.raises(RefusalError, match="none of a database") as caught:
        _beside(url)
    assert (caught.value.kind, caught.value.code) == ("usage", "store-url")


@pytest.mark.parametrize(("line", "word"), [(("inbox", "a.leaf"), "inbox-database"), (("serve",), "serve-database")])
def test_what_needs_the_folder_of_a_store_says_so_for_a_database(empty, line, word):
    empty.file("a.leaf", "x")
    said = empty.run("ledger", *line, "--store", "postgresql://localhost:1/x")
    assert said.code == 2
    assert f"error[{word}]" in said.err
