"""Logs served over HTTP, and followed by whoever does not trust who serves them."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from scalegate.adapters.log_server import serve
from scalegate.app.hosting import files_of
from scalegate.app.proving import LogFiles
from scalegate.cli.keyring import open_keyring
from scalegate.core.events import MethodPublished
from scalegate.ledger import LocalStore
from scalegate.ledger.log import Ask
from tests.cli.lab import LEA
from tests.cli.speakers import speakers_folder, trust_file
from tests.conftest import ROOT

ATTEST = ("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day")


def watched(lab, source, *more):
    return lab.run("ledger", "watch", source, "--trust", trust_file(), "--state", "kept", *more)


@pytest.fixture
def served(bare):
    """A lab whose log is served."""
    with serve(files_of(bare.store).read) as listener:
        listener.start()
        bare.url = listener.url
        yield bare


def test_a_served_log_is_verified_and_followed(served):
    said = watched(served, served.url)
    assert said.code == 0, said
    assert "3 entries, seen for the first time" in said.out
    assert "unchanged" in watched(served, served.url).out
    served.do(*ATTEST, *LEA)
    assert "4 entries, continues the 3 of before" in watched(served, served.url).out


def test_an_export_is_followed_like_a_served_log(served):
    watched(served, served.url)
    served.do("ledger", "export", "out")
    assert "unchanged" in watched(served, "out").out


def test_a_log_of_many_tiles_is_served_whole(bare):
    with LocalStore(bare.store, open_keyring()) as store:
        asks = [Ask(MethodPublished(f"m{item}", "x", "Ada Osei", "developer"), bare.now) for item in range(600)]
        store.commit(asks)
    files = LogFiles(lambda: LocalStore(bare.store))
    assert files.read("tile/0/001") is not None
    assert files.read("tile/0/002") is None
    assert files.read("tile/0/002.p/91") is not None
    assert files.read("tile/0/002.p/92") is None
    assert files.read("tile/entries/002.p/92") is None
    assert files.read("ledger.db") is None
    with serve(files.read) as listener:
        listener.start()
        assert "603 entries" in watched(bare, listener.url).out


def test_a_log_that_was_cut_short_is_seen_to_be_and_both_checkpoints_are_kept(served):
    old = shutil.copytree(served.store, served.folder / "old")
    served.do(*ATTEST, *LEA)
    watched(served, served.url)
    kept = (served.folder / "kept").read_bytes()
    shutil.rmtree(served.store)
    shutil.copytree(old, served.store)
    said = watched(served, served.url)
    assert said.code == 4
    assert "the log has 3 entries, and had 4 before" in said.err
    assert "keep both checkpoints" in said.err
    (other,) = served.folder.glob("kept.*")
    assert other.read_bytes() == (old / "checkpoint").read_bytes()
    assert (served.folder / "kept").read_bytes() == kept


def test_a_log_that_was_rewritten_is_seen_to_be(served):
    old = shutil.copytree(served.store, served.folder / "old")
    served.do(*ATTEST, *LEA)
    watched(served, served.url)
    shutil.rmtree(served.store)
    shutil.copytree(old, served.store)
    for _ in range(2):
        served.do(*ATTEST, "--denied", *LEA)
    said = watched(served, served.url)
    assert said.code == 4
    assert "show that the log was rewritten" in said.err
    assert watched(served, served.url).code == 4, "the older checkpoint is still the one to compare with"


def test_a_changed_entry_is_seen(served):
    served.do("ledger", "export", "out")
    (path,) = (served.folder / "out" / "tile" / "entries").glob("*.p/*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    said = watched(served, "out")
    assert said.code == 4
    assert "error[log-false]" in said.err
    assert not (served.folder / "kept").exists()


def test_a_kept_checkpoint_that_is_none_is_no_first_time(served):
    served.file("kept", "junk")
    said = watched(served, served.url)
    assert said.code == 4
    assert "error[state-false]" in said.err
    assert (served.folder / "kept").read_text() == "junk"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("http://log.example/", 2),
        ("ftp://127.0.0.1/", 2),
        ("https://user@log.example/", 2),
        ("https://log.example/?x", 2),
        ("nowhere", 2),
        ("http://127.0.0.1:1/", 70),
    ],
)
def test_a_log_is_read_over_tls_or_on_this_machine(served, source, code):
    assert watched(served, source).code == code
    assert not (served.folder / "kept").exists()


def program(lab, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-m", "scalegate.cli.main", *map(str, arguments)],
        cwd=lab.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_servers_say_where_they_listen_and_end_when_interrupted(bare):
    ring = ("--keys", speakers_folder() / "keys")
    if not any(row["name"] == "w.example" for row in bare.do("keys", "list", *ring, "--format", "json").json["keys"]):
        bare.do("keys", "new", "--witness", "w.example", "--unprotected", *ring)
    witness = ("ledger", "witness-serve", "--key-name", "w.example", "--log", trust_file(), "--state", "w")
    for line in (("ledger", "serve"), (*witness, "--new"), witness):
        process = program(bare, *line)
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), process.stderr.read()
            if line[1] == "serve":
                assert watched(bare, url).code == 0
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
        assert process.returncode == 130


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--key-name", "nobody.example"), "key-unknown"),
        (("--log", "nofile"), "file-unreadable"),
        (("--state", "missing"), "witness-state"),
    ],
)
def test_a_witness_without_key_log_or_memory_answers_nobody(bare, more, word):
    keys = bare.folder / "wkeys"
    bare.do("keys", "new", "--witness", "w.example", "--unprotected", "--keys", keys)
    given = {"--key-name": "w.example", "--log": str(trust_file()), "--state": "w"} | dict([more])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCALEGATE_KEYS", str(keys))
        said = bare.run("ledger", "witness-serve", *(part for pair in given.items() for part in pair))
    assert said.code == 2
    assert f"error[{word}]" in said.err
