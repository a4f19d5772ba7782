import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import digest_bytes
from scalegate.ledger import LocalStore, StoreDamagedError, StoreError
from scalegate.ledger.blobs import FOLDER
from tests.ledger.keys import MemoryKeys, make_trust


@pytest.fixture
def store(tmp_path):
    with LocalStore.create(tmp_path / ".scalegate", make_trust(), MemoryKeys(), 1_000) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blobs") / ".scalegate"
    with LocalStore.create(folder, make_trust(), MemoryKeys(), 1_000) as made:
        yield made


@given(st.binary(max_size=200))
def test_bytes_come_back_under_their_digest(shared, data):
    digest = shared.put_blob(data)
    assert digest == digest_bytes(data)
    assert shared.get_blob(digest) == data
    assert shared.put_blob(data) == digest


def test_the_path_is_the_digest(store):
    digest = store.put_blob(b"log")
    text = digest.removeprefix("sha256:")
    assert (store.folder / "blobs" / "sha256" / text[:2] / text).read_bytes() == b"log"


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:" + "0" * 64,
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 62 + "/.",
        "sha256:../../../ledger.db",
        "../ledger.db",
        "sha1:" + "0" * 64,
        "sha256:" + "A" * 64,
        "",
    ],
)
def test_what_is_not_there_is_a_key_error(store, digest):
    with pytest.raises(KeyError):
        store.get_blob(digest)
    with pytest.raises(KeyError):
        store.locate_blob(digest)


def test_bytes_that_were_changed_are_refused(store):
    digest = store.put_blob(b"a log")
    store.locate_blob(digest).write_bytes(b"a lag")
    with pytest.raises(StoreDamagedError, match="another digest"):
        store.get_blob(digest)
    assert store.put_blob(b"a log") == digest
    assert store.get_blob(digest) == b"a log"


def test_a_file_is_kept_under_the_digest_of_its_bytes(store, tmp_path):
    source = tmp_path / "log.eval"
    data = os.urandom(3_000_000)
    source.write_bytes(data)
    digest = store.put_file(source)
    assert digest == digest_bytes(data)
    assert store.get_blob(digest) == data
    assert store.put_file(source) == digest


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device"])
def test_what_is_no_file_is_not_kept(store, tmp_path, kind):
    source = {"device": "/dev/zero", "folder": tmp_path}.get(kind, tmp_path / "source")
    if kind == "pipe":
        os.mkfifo(source)
    with pytest.raises(OSError, match=r"plain file|No such file|directory"):
        store.put_file(source)
    assert not list((store.folder / FOLDER).glob(".*"))


def test_bytes_that_cannot_be_written_are_an_error_of_the_store(store):
    (store.folder / FOLDER).write_bytes(b"in the way")
    with pytest.raises(StoreError, match="cannot write"):
        store.put_blob(b"log")


def test_two_writers_of_the_same_bytes_do_not_meet(store):
    data = os.urandom(100_000)
    threads = [threading.Thread(target=store.put_blob, args=(data,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_blob(digest_bytes(data)) == data
    folder = store.locate_blob(digest_bytes(data)).parent
    assert len(list(folder.iterdir())) == 1
