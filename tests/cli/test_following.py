"""Logs served over HTTP, and followed by whoever does not trust who serves them."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from scalegate.adapters.log_server import serve
from scalegate.app.following import _sighting, follow
from scalegate.app.hosting import files_of
from scalegate.app.proving import LogFiles
from scalegate.app.refusal import RefusalError
from scalegate.app.trusting import read_trust
from scalegate.cli.keyring import open_keyring
from scalegate.core.events import MethodPublished
from scalegate.ledger import LocalStore
from scalegate.ledger.log import Ask
from scalegate.ledger.log_folder import LogFolder
from scalegate.ledger.trust import open_head
from tests.cli.lab import ADA, INTERRUPTIBLE, LEA, POLICY
from tests.cli.speakers import trust_file
from tests.cli.witnesses import Witnesses
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


@pytest.fixture
def seen(empty, monkeypatch):
    """A lab whose log three witnesses see, two of them enough, and the line that watches its export."""
    with ExitStack() as stack:
        monkeypatch.setenv("SCALEGATE_KEYS", str(empty.folder / "keys"))
        there = Witnesses(empty, stack, "2 of 3")
        empty.do("init", "--trust", there.trust, "--policy", empty.file("acme.yaml", POLICY), *ADA)

        def watch(name, *more):
            empty.do("ledger", "export", name)
            return empty.run("ledger", "watch", name, "--trust", there.trust, "--state", "kept", *more)

        empty.watch, empty.witnesses = watch, there
        yield empty


def test_a_log_that_no_quorum_of_witnesses_has_seen_is_no_yes(seen):
    said = seen.watch("out")
    assert (said.code, "2 entries NOT cosigned by the quorum" in said.out) == (3, True)
    assert (seen.folder / "kept").exists(), "what is shown next has to continue it all the same"
    said = seen.watch("again", "--format", "json")
    assert (said.code, said.json["cosigned"], said.json["unseen"]) == (3, None, 2)


def test_a_log_is_seen_as_far_as_its_last_cosigned_head_goes(seen):
    seen.do("ledger", "witness", "--timeout", "5")
    said = seen.watch("first")
    assert (said.code, "cosigned as of" in said.out, "NOT" in said.out) == (0, True, False)
    seen.do(*ATTEST, *LEA)
    said = seen.watch("more", "--format", "json")
    assert (said.code, said.json["unseen"], said.json["witnesses"]) == (3, 1, ["w1", "w2", "w3"])
    seen.do("ledger", "witness", "--timeout", "5")
    assert seen.watch("last").code == 0


def test_a_cosigned_head_of_another_history_is_seen(seen):
    seen.do("ledger", "witness", "--timeout", "5")
    leaves = LocalStore(seen.store).leaves()
    head = open_head((seen.store / "checkpoint").read_bytes(), trust := read_trust(seen.folder / "trust"))
    assert _sighting(leaves, head, trust)[1] == 0
    for other in ([leaves[0], leaves[0], leaves[2]], leaves[1:], leaves[2:]):
        with pytest.raises(RefusalError, match="cosigned for another history"):
            _sighting(other, head, trust)


def test_a_watcher_that_read_an_older_log_does_not_set_the_kept_checkpoint_back(served):
    """The slow one reads the short log, and goes on once the fast one has kept the checkpoint of the long one."""
    served.do("ledger", "export", "short")
    served.do(*ATTEST, *LEA)
    served.do("ledger", "export", "long")
    trust, state = read_trust(trust_file()), served.folder / "kept"
    asked, go = threading.Event(), threading.Event()

    def slowly(path):
        data = LogFolder(served.folder / "short").read(path)
        if path == "checkpoint":
            asked.set()
            go.wait(10)
        return data

    with serve(slowly) as listener, ThreadPoolExecutor(2) as pool:
        listener.start()
        slow = pool.submit(follow, listener.url, trust, state)
        assert asked.wait(10)
        fast = pool.submit(follow, str(served.folder / "long"), trust, state)
        wait([fast], 0.3)
        go.set()
        assert (slow.result(10).size, fast.result(10).size) == (3, 4)
    assert follow(str(served.folder / "long"), trust, state).before == 4
    with pytest.raises(RefusalError, match="had 4 before"):
        follow(str(served.folder / "short"), trust, state)


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
        [sys.executable, "-c", INTERRUPTIBLE, *map(str, arguments)],
        cwd=lab.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_servers_say_where_they_listen_and_end_when_interrupted(bare):
    ring = ("--keys", os.environ["SCALEGATE_KEYS"])
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
