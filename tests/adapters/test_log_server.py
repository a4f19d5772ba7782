import http.client
import os
import socket
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.adapters.listening import PLAIN, Request
from scalegate.adapters.log_server import BYTES, log_answers, read_folder, serve
from scalegate.ledger.proof import Prover, verify_consistency
from scalegate.ledger.tiles import TiledTree, bundles_of, cut_tile, decode_bundle, encode_bundle, parse_path, tiles_of
from tests.ledger.witnessed_log import Log

SIZE = 300
LOG = Log(SIZE)
SECRET = b"nobody may read this"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A log in files, with what does not belong to it beside and below it."""
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "log"
    folder.mkdir()
    (folder / "checkpoint").write_bytes(LOG.note(SIZE))
    for tile in tiles_of(SIZE):
        put(folder, tile.path, cut_tile(LOG.tree, tile))
    for bundle in bundles_of(SIZE):
        entries = [b"%d" % item for item in range(bundle.index * 256, bundle.index * 256 + bundle.width)]
        put(folder, bundle.path, encode_bundle(entries))
    put(outside, "secret", SECRET)
    put(folder, "secret", SECRET)
    put(folder, "tile/secret", SECRET)
    (folder / "tile/0/005").symlink_to(outside / "secret")
    (folder / "tile/0/006").symlink_to(folder / "tile/0/000")
    (folder / "tile/0/x001").symlink_to(outside)
    put(outside, "000", SECRET)
    (folder / "tile/0/007").mkdir()
    os.mkfifo(folder / "tile/0/008")
    with socket.socket(socket.AF_UNIX) as unix:
        place = os.open(folder / "tile/0", os.O_RDONLY)
        unix.bind(f"/proc/self/fd/{place}/009")
        os.close(place)
    return folder


def put(folder, path, data):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)


@contextmanager
def serving(read):
    said = []
    with serve(read, report=said.append) as listener:
        listener.start()
        parts = urlsplit(listener.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        yield lambda path, method="GET", body=None: ask(connection, path, method, body)
        connection.close()


def ask(connection, path, method, body):
    connection.request(method, path, body)
    with connection.getresponse() as response:
        return response.status, response.headers, response.read()


@pytest.fixture(scope="module")
def get(folder):
    with serving(read_folder(folder)) as found:
        yield found


def test_a_checkpoint_is_text_that_is_not_kept(get):
    status, headers, body = get("/checkpoint")
    assert (status, body) == (200, LOG.note(SIZE))
    assert headers["Content-Type"] == PLAIN == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", [item.path for item in (*tiles_of(SIZE), *bundles_of(SIZE))])
def test_tiles_and_bundles_are_bytes_that_never_change(get, folder, path):
    status, headers, body = get(f"/{path}")
    assert (status, body) == (200, (folder / path).read_bytes())
    assert headers["Content-Type"] == BYTES == "application/octet-stream"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_log_can_be_proven_from_what_is_served(get):
    def read(path):
        status, _, body = get(f"/{path}")
        return body if status == 200 else None

    prover = Prover(TiledTree(read, SIZE).node, SIZE)
    assert prover.root == LOG.root(SIZE)
    verify_consistency(200, SIZE, prover.consistency(200), LOG.root(200), prover.root)
    assert decode_bundle(read("tile/entries/001.p/44"), 44)[-1] == b"299"


def test_head_is_get_without_the_body(get):
    for path in ("/checkpoint", "/tile/0/000", "/tile/0/123"):
        status, headers, body = get(path)
        assert get(path, "HEAD")[0] == status
        assert get(path, "HEAD")[2] == b""
        assert get(path, "HEAD")[1]["Content-Length"] == headers["Content-Length"] == str(len(body))
        assert get(path, "HEAD")[1]["Content-Type"] == headers["Content-Type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_a_log_is_only_read(folder, method):
    before = sorted(folder.rglob("*"))
    with serving(read_folder(folder)) as get:
        assert get("/checkpoint", method, b"" if method == "POST" else None)[0] == 405
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "path",
    [
        "/", "//", "/secret", "/../secret", "/tile/../../secret", "/tile/../checkpoint", "/tile/0/../../checkpoint",
        "/%2e%2e/secret", "/tile/%2e%2e/secret", "/%63heckpoint", "/checkpoint/", "/checkpoint?x", "/checkpoint#x",
        "/checkpoint.txt", "//checkpoint", "/./checkpoint", "/Checkpoint", "checkpoint", "/tile", "/tile/", "/tile/0",
        "/tile/0/", "/tile/secret", "/tile/0/000/", "/tile/0/000.p/256", "/tile/0/000.p/0", "/tile/0/001.p",
        "/tile/0/001.p/", "/tile/0/001.p/044", "/tile/00/000", "/tile/64/000", "/tile/0/0", "/tile/0/x000/001",
        "/tile/-1/000", "/tile/entries/000?", "/tile/0/000;x", "http://localhost/checkpoint", "/checkpoint%00",
        "/tile/0/005", "/tile/0/006", "/tile/0/x001/000", "/tile/0/007", "/tile/0/008", "/tile/0/009", "/tile/0/123",
        "/tile/9/000", "/tile/0/001.p/45",
    ],
)  # fmt: skip
def test_a_path_of_nothing_in_the_log_is_absent(get, path):
    status, headers, body = get(path)
    assert (status, headers["Cache-Control"]) == (404, "no-store")
    assert body == b"the log has no such part\n"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map(lambda text: "/" + text))
def test_only_paths_of_a_log_are_ever_read(path):
    asked = []
    status = log_answers(lambda name: asked.append(name) or b"")(Request("GET", path, b"")).status
    if asked:
        assert status == 200
        assert asked == [path[1:]]
        assert path == "/checkpoint" or parse_path(path[1:]).path == path[1:]
    else:
        assert status == 404


def test_what_cannot_be_read_is_no_absence(tmp_path):
    """A reader takes an absent tile for one of another width, and must not when it is there and unreadable."""

    def read(_path):
        raise OSError(5, "Input/output error")

    with serving(read) as get:
        assert get("/tile/0/000")[0] == 500
        assert get("/tile/0/000x")[0] == 404
    put(tmp_path, "tile/0/000", b"x")
    (tmp_path / "tile/0/000").write_bytes(b"x" * (1 << 24) + b"x" * 1_000)
    with serving(read_folder(tmp_path)) as get:
        assert get("/tile/0/000")[0] == 500


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../secret", "tile/../secret", "/etc/passwd", "tile//000", "tile/./000"]
)
def test_a_reader_of_a_folder_stays_in_it(folder, path):
    assert read_folder(folder)(path) is None


def test_a_folder_that_is_gone_holds_nothing(tmp_path):
    assert read_folder(tmp_path / "gone")("checkpoint") is None
