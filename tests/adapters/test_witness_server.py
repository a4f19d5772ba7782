"""A witness over HTTP, its client, and what happens when either is hostile, slow or killed."""

import http.client
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scalegate.adapters.listening import Limits, Listener, Reply
from scalegate.adapters.witness_http import (
    Gathered,
    WitnessAheadError,
    WitnessClient,
    WitnessError,
    gather,
)
from scalegate.adapters.witness_server import serve
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.note import (
    Note,
    NoteError,
    NoteKey,
    SignatureType,
    format_note,
    format_vkey,
    parse_note,
    parse_vkey,
    verify_note,
)
from scalegate.ledger.witness import PLAIN, SIZE, Witness, WitnessState, read_history
from tests.conftest import ROOT
from tests.ledger.signers import Ed25519Signer, key_of
from tests.ledger.test_witness import nine_steps, sequence
from tests.ledger.witnessed_log import AUDITOR, LOGS, ORIGIN, WITNESS_KEY, Log

PROCESS = Path(__file__).with_name("witness_process.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
TIME = 1_800_000_000
LOG, TWIN = Log(256), Log(256, fork=7)


class FixedClock:
    def now(self):
        return TIME


@dataclass(frozen=True)
class Address:
    """A witness as a trust file names it."""

    name: str
    url: str
    key: NoteKey = WITNESS_KEY


@contextmanager
def witness_at(folder, logs=LOGS, *, limits=None, signer=AUDITOR, key=WITNESS_KEY):
    """A witness with a new memory, what it reports, and its URL."""
    said = []
    with (
        WitnessState.create(folder, key) as state,
        serve(Witness(state, signer, logs), FixedClock(), limits=limits, report=said.append) as listener,
    ):
        listener.start()
        yield listener.url, said


@pytest.fixture
def running(tmp_path):
    with witness_at(tmp_path / "memory") as found:
        yield found


@pytest.fixture
def url(running):
    return running[0]


@contextmanager
def answering(reply, *, limits=None):
    """A server that always gives one answer."""
    with Listener(lambda _request: reply, limits=limits) as listener:
        listener.start()
        yield listener.url


def post(url, body, path="/add-checkpoint", method="POST", headers=()):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type"), response.read()
    finally:
        connection.close()


def raw(url, data, *, more=False):
    """All that comes back for some bytes, or for the beginning of more."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(data)
        if not more:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        while chunk := connection.recv(65_536):
            found += chunk
        return found


def client(url, timeout=20.0, key=WITNESS_KEY):
    return WitnessClient(Address("auditor", url, key), timeout)


# ---------------------------------------------------------------- conformance


def test_the_nine_steps_get_the_recorded_answers_over_http(tmp_path, shared_data):
    steps, _, logs = nine_steps(shared_data)
    with witness_at(tmp_path / "memory", logs) as (url, _):
        found = [post(url, body) for body, _ in steps]
    assert [status for status, _, _ in found] == [status for _, status in steps]
    assert (found[6], found[8]) == ((409, SIZE, b"3\n"), (409, SIZE, b"5\n"))
    for step in (0, 5, 7):
        text = parse_note(steps[step][0].partition(b"\n\n")[2]).text
        (signed,) = verify_note(parse_note(text.encode() + b"\n" + found[step][2]), [WITNESS_KEY])
        assert signed.timestamp == TIME


def test_a_checkpoint_of_the_go_checksum_database_is_cosigned_over_http(tmp_path, shared_data):
    found = sequence(shared_data, "witness_sumdb_sequence.json")
    logs = {"go.sum database tree": tuple(map(parse_vkey, found["vkey"]))}
    with witness_at(tmp_path / "memory", logs) as (url, _):
        assert [post(url, item["body"].encode())[0] for item in found["requests"]] == [200]


# ---------------------------------------------------------------- client and server


def test_a_client_gets_cosignatures_of_a_log_that_grows(url):
    old = 0
    for size in (1, 2, 9, 200):
        found = client(url).cosign(old, LOG.proof(old, size), LOG.note(size))
        note = parse_note(LOG.note(size))
        both = verify_note(replace(note, signatures=(*note.signatures, found)), [LOG.key, WITNESS_KEY])
        assert [item.timestamp for item in both] == [None, TIME]
        assert client(url).cosign(size, (), LOG.note(size)) == found
        old = size


def test_a_client_is_told_at_which_size_the_witness_is(url):
    client(url).cosign(0, (), LOG.note(9))
    with pytest.raises(WitnessAheadError, match="auditor last cosigned a checkpoint of 9 entries") as ahead:
        client(url).cosign(0, (), LOG.note(12))
    assert ahead.value.size == 9


def test_a_client_hears_of_a_refusal(url):
    with pytest.raises(WitnessError, match=r"auditor refused to cosign .* 404"):
        client(url).cosign(0, (), Log(9, origin="other.example").note(9))
    client(url).cosign(0, (), LOG.note(9))
    with pytest.raises(WitnessError, match="422"):
        client(url).cosign(9, TWIN.proof(9, 12), TWIN.note(12))


def test_what_is_no_note_is_not_sent():
    with pytest.raises(NoteError):
        client("http://127.0.0.1:1").cosign(0, (), b"no note")


def test_the_heads_of_a_witness_can_be_compared(url):
    found = client(url).cosign(0, (), LOG.note(9))
    status, kind, body = post(url, None, "/", "GET")
    assert (status, kind) == (200, "application/json")
    value = json.loads(body)
    note = parse_note(LOG.note(9))
    assert value["witness"] == format_vkey(WITNESS_KEY)
    assert value["heads"] == {ORIGIN: format_note(replace(note, signatures=(*note.signatures, found))).decode()}


def test_one_connection_serves_many_requests(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    old = 0
    connection.connect()
    port = connection.sock.getsockname()
    for size in range(1, 6):
        connection.request("POST", "/add-checkpoint", LOG.request(old, size))
        with connection.getresponse() as response:
            assert response.status == 200
            response.read()
        assert connection.sock.getsockname() == port
        old = size
    connection.close()


# ---------------------------------------------------------------- a hostile client


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        pytest.param(b"GET /add-checkpoint HTTP/1.1\r\n\r\n", 405, id="get"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405, id="post-to-heads"),
        pytest.param(b"DELETE / HTTP/1.1\r\n\r\n", 405, id="delete"),
        pytest.param(b"GET /add-checkpoint/../ HTTP/1.1\r\n\r\n", 404, id="dots"),
        pytest.param(b"GET http://secret/ HTTP/1.1\r\n\r\n", 404, id="whole-url"),
        pytest.param(b"POST /add-checkpoint HTTP/1.1\r\n\r\n", 411, id="no-length"),
        pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413, id="giant-body"),
        pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, id="negative-length"),
        pytest.param(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n", 400, id="length-with-underscore"),
        pytest.param(
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, id="two-lengths"
        ),
        pytest.param(
            b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, id="chunked"
        ),
        pytest.param(
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n", 413, id="expect"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nsecret", 413, id="get-with-body"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X-Secret: secret\r\n" * 2_000 + b"\r\n", 431, id="giant-head"),
        pytest.param(b"GET /" + b"secret" * 20_000 + b" HTTP/1.1\r\n\r\n", 431, id="giant-line"),
        pytest.param(b"secret\r\n\r\n", 400, id="no-http"),
        pytest.param(b"GET / HTTP/secret\r\n\r\n", 400, id="no-version"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="tls"),
    ],
)
def test_a_request_that_is_none_is_refused_and_never_repeated(running, request_head, status):
    url, said = running
    try:
        found = raw(url, request_head)
    except OSError:
        # The rest of what was sent was not read.
        assert status == 431
        found = b"HTTP/1.1 431 "
    assert found.split(b" ", 2)[1] == b"%d" % status
    assert b"Traceback" not in found
    for text in (found, "".join(said).encode()):
        assert b"secret" not in text.lower()
        assert b"add-checkpoint HTTP" not in text


def test_a_body_of_a_request_is_never_repeated(running):
    url, said = running
    for body in (
        b"secret",
        b"old secret\n\nsecret\n\nsecret",
        LOG.request(0, 9).replace(b"lab.example", b"lab.secret"),
    ):
        status, kind, text = post(url, body)
        assert status in {400, 403, 404}
        assert kind == PLAIN
        assert b"secret" not in text
    assert "secret" not in "".join(said)
    assert len(said) == 3


def test_a_giant_body_is_not_read(url):
    status, _, _ = post(url, b"x" * 65_536)
    assert status == 400
    found = raw(url, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 413")


def test_a_client_that_says_nothing_is_let_go(tmp_path):
    with witness_at(tmp_path / "memory", limits=Limits(idle=0.3)) as (url, _):
        assert raw(url, b"", more=True) == b""
        assert raw(url, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold", more=True) == b""
        assert post(url, LOG.request(0, 9))[0] == 200


def test_a_client_that_sends_byte_after_byte_is_let_go(tmp_path):
    with witness_at(tmp_path / "memory", limits=Limits(idle=5, request=0.5)) as (url, _):
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            sent = [0]

            def drip():
                for byte in b"POST /add-checkpoint HTTP/1.1\r\nX: " + b"x" * 400:
                    connection.sendall(bytes([byte]))
                    sent[0] += 1
                    time.sleep(0.05)

            with pytest.raises(OSError, match=r"reset|[Bb]roken|abort"):
                drip()
        assert sent[0] < 100
        assert post(url, LOG.request(0, 9))[0] == 200


def test_too_many_connections_do_not_stop_the_others(tmp_path):
    with witness_at(tmp_path / "memory", limits=Limits(connections=3)) as (url, said):
        parts = urlsplit(url)
        held = [socket.create_connection((parts.hostname, parts.port), timeout=20) for _ in range(3)]
        for connection in held:
            connection.sendall(b"GET / HT")
        with pytest.raises((OSError, http.client.HTTPException)):
            post(url, LOG.request(0, 9))
        assert "a connection was closed: too many are open" in said
        for connection in held:
            connection.close()
        assert eventually(lambda: post(url, LOG.request(0, 9))[0]) == 200


def eventually(ask):
    """What comes back once connections are accepted again."""
    for _ in range(100):
        try:
            return ask()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    return None


def test_a_client_that_hangs_up_harms_nobody(running):
    url, said = running
    parts = urlsplit(url)
    for _ in range(5):
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 900\r\n\r\nold")
    assert post(url, LOG.request(0, 9))[0] == 200
    assert not any("Traceback" in line for line in said)


def test_a_witness_whose_memory_is_gone_says_no_more_than_500(tmp_path):
    with witness_at(tmp_path / "memory") as (url, said):
        first = post(url, LOG.request(0, 9))
        assert first[0] == 200
        (history,) = (tmp_path / "memory/logs").glob("*/history")
        history.write_bytes(b"")
        assert post(url, LOG.request(9, 9)) == first
        history.write_bytes(b"else")
        assert post(url, LOG.request(9, 12)) == (500, PLAIN, b"Internal Server Error\n")
        assert any(line.startswith("WitnessStateDamagedError: ") for line in said)


def test_a_server_that_was_closed_lets_go_of_its_port_and_threads(tmp_path):
    with witness_at(tmp_path / "memory") as (url, _):
        parts = urlsplit(url)
        # Idle, and in the middle of a request: neither holds the server up.
        held = [socket.create_connection((parts.hostname, parts.port), timeout=20) for _ in range(2)]
        held[1].sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        assert post(url, LOG.request(0, 9))[0] == 200
        before = time.monotonic()
    assert time.monotonic() - before < 8
    for connection in held:
        connection.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((parts.hostname, parts.port), timeout=20)
    assert not [item for item in threading.enumerate() if "process_request" in item.name]


def test_a_listener_answers_in_the_thread_of_its_caller_until_it_is_closed():
    listener = Listener(lambda _request: Reply(200, PLAIN, b"yes\n"), "::1" if socket.has_ipv6 else "127.0.0.1")
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    assert post(listener.url, b"")[2] == b"yes\n"
    listener.close()
    thread.join(20)
    assert not thread.is_alive()


def test_a_listener_that_never_started_can_be_closed():
    listener = Listener(lambda _request: Reply(200, PLAIN, b""))
    listener.close()
    with pytest.raises(OSError, match="refused"):
        post(listener.url, b"")


# ---------------------------------------------------------------- a hostile witness


def lines_by(key, signer, size=9, log=LOG, time=TIME):
    """The signature line of a witness, as it would be answered."""
    text = parse_note(log.note(size)).text
    data = format_note(Note(text, (key.sign(text, signer, time),)))
    return data[len(text.encode()) + 1 :]


OWN = lines_by(WITNESS_KEY, AUDITOR)
STRANGER = Ed25519Signer("stranger")
STRANGER_KEY = NoteKey("stranger.example", SignatureType.COSIGNATURE, key_of(STRANGER))
NAMESAKE_KEY = NoteKey(WITNESS_KEY.name, SignatureType.COSIGNATURE, key_of(STRANGER))
OTHERS = lines_by(STRANGER_KEY, STRANGER)


@pytest.mark.parametrize(
    ("status", "kind", "body", "reason"),
    [
        pytest.param(200, PLAIN, b"", "no good cosignature", id="nothing"),
        pytest.param(200, PLAIN, b"thank you\n", "no good cosignature", id="text"),
        pytest.param(200, PLAIN, OWN[:-1], "no good cosignature", id="cut-short"),
        pytest.param(200, PLAIN, OWN[:-12] + b"AAAAAAAAAA=\n", "no good cosignature", id="changed"),
        pytest.param(200, PLAIN, OTHERS, "no good cosignature", id="stranger"),
        pytest.param(200, PLAIN, lines_by(NAMESAKE_KEY, STRANGER), "no good cosignature", id="namesake"),
        pytest.param(200, PLAIN, lines_by(WITNESS_KEY, AUDITOR, 8), "no good cosignature", id="of-another-size"),
        pytest.param(200, PLAIN, lines_by(WITNESS_KEY, AUDITOR, log=TWIN), "no good cosignature", id="of-the-twin"),
        pytest.param(200, PLAIN, OWN + OWN, "2 cosignatures", id="twice"),
        pytest.param(200, PLAIN, LOG.note(9)[-100:], "no good cosignature", id="half-a-note"),
        pytest.param(200, PLAIN, b"x\n\n" + OWN, "something else than signature lines", id="another-text"),
        pytest.param(200, PLAIN, b"\xff" * 9, "no good cosignature", id="no-utf8"),
        pytest.param(200, PLAIN, b"x" * 70_000, "more than 65536 bytes", id="giant"),
        pytest.param(201, PLAIN, OWN, "with status 201", id="created"),
        pytest.param(301, PLAIN, OWN, "with status 301", id="moved"),
        pytest.param(500, PLAIN, b"secret", "with status 500", id="failure"),
        pytest.param(409, PLAIN, b"9\n", "not at which", id="conflict-of-another-type"),
        pytest.param(409, SIZE, b"09\n", "not at which", id="conflict-leading-zero"),
        pytest.param(409, SIZE, b"9", "not at which", id="conflict-without-newline"),
        pytest.param(409, SIZE, b"-9\n", "not at which", id="conflict-negative"),
        pytest.param(409, SIZE, b"\xff\n", "not at which", id="conflict-no-ascii"),
    ],
)
def test_an_answer_that_is_none_is_refused(status, kind, body, reason):
    with answering(Reply(status, kind, body)) as url, pytest.raises(WitnessError, match=f"auditor .*{reason}") as error:
        client(url).cosign(0, (), LOG.note(9))
    assert not isinstance(error.value, WitnessAheadError)
    assert "secret" not in str(error.value)


def test_lines_by_further_keys_of_a_witness_are_ignored():
    with answering(Reply(200, PLAIN, OTHERS + OWN + lines_by(NAMESAKE_KEY, STRANGER))) as url:
        found = client(url).cosign(0, (), LOG.note(9))
    assert (found.name, found.key_id) == (WITNESS_KEY.name, WITNESS_KEY.key_id)


def test_a_redirection_is_not_followed(url):
    with (
        answering(Reply(307, PLAIN, b"", (("Location", f"{url}/add-checkpoint"),))) as mover,
        pytest.raises(WitnessError, match="with status 307"),
    ):
        client(mover).cosign(0, (), LOG.note(9))
    assert json.loads(post(url, None, "/", "GET")[2])["heads"] == {ORIGIN: None}


@contextmanager
def scripted(serve_one):
    """A server that does with each connection what a function does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        serve_one(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(20)


def read_request(connection):
    """Read to the end: closing before it would reset the connection."""
    found = b""
    while not found.endswith(LOG.note(9)):
        found += connection.recv(65_536)


def silent(connection):
    while connection.recv(65_536):
        continue


def dripping_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.05)


def dripping_body(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def dripping_body_until_closed(connection):
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def dripping_continue(connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "behavior", [silent, dripping_head, dripping_body, dripping_body_until_closed, dripping_continue]
)
def test_a_slow_witness_is_not_waited_for(behavior):
    with scripted(behavior) as url:
        before = time.monotonic()
        with pytest.raises(WitnessError, match=r"auditor cannot be asked: no whole answer in 0\.3 seconds|no HTTP"):
            client(url, timeout=0.3).cosign(0, (), LOG.note(9))
        assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"", "closed|reset|RemoteDisconnected", id="nothing"),
        pytest.param(b"garbage\r\n\r\n", "no HTTP", id="garbage"),
        pytest.param(b"HTTP/1.1 secret\r\n\r\n", "no HTTP", id="status"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "no HTTP", id="headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + OWN, "announced|no HTTP", id="short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + OWN, "no HTTP|announced", id="chunks"
        ),
    ],
)
def test_what_is_no_http_is_refused(answer, reason):
    def serve_one(connection):
        read_request(connection)
        connection.sendall(answer)

    with scripted(serve_one) as url, pytest.raises(WitnessError, match=f"auditor .*({reason})") as error:
        client(url).cosign(0, (), LOG.note(9))
    assert "secret" not in str(error.value)


def test_a_witness_that_is_down_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WitnessError, match="auditor cannot be asked: Connection refused"):
        client(f"http://127.0.0.1:{port}").cosign(0, (), LOG.note(9))


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    key, certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve_one(connection):
        with context.wrap_socket(connection, server_side=True) as wrapped:
            read_request(wrapped)
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OWN), OWN))

    with scripted(serve_one) as url, pytest.raises(WitnessError, match="certificate"):
        client(url.replace("http:", "https:").replace("127.0.0.1", "localhost")).cosign(0, (), LOG.note(9))


def test_a_certificate_that_somebody_vouches_for_is_accepted(tmp_path, monkeypatch):
    key, certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def serve_one(connection):
        with context.wrap_socket(connection, server_side=True) as wrapped:
            read_request(wrapped)
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OWN), OWN))

    with scripted(serve_one) as url:
        found = client(url.replace("http:", "https:").replace("127.0.0.1", "localhost")).cosign(0, (), LOG.note(9))
        assert found.name == WITNESS_KEY.name


def self_signed(folder):
    """Files with a key and its own certificate for `localhost`."""
    import datetime as dt  # noqa: PLC0415 - for certificates alone

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    paths = folder / "key.pem", folder / "certificate.pem"
    paths[0].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    paths[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return paths


@pytest.mark.parametrize(
    "bad",
    ["", "auditor.example", "ftp://auditor.example", "file:///etc/passwd", "http://auditor.example", "https://",
     "http://127.0.0.1.evil.example", "http://localhost@evil.example", "https://user:word@auditor.example",
     "https://auditor.example/?a=b", "https://auditor.example/#a", "https://auditor.example:99999", "https://[::1",
     "https://auditor.example/\r\nX: y", "https://auditor.example/a b", "http://10.0.0.1", "http://[fe80::1]"],
)  # fmt: skip
def test_an_address_that_cosignatures_may_not_come_from_is_refused(bad):
    with pytest.raises(WitnessError, match="witness auditor"):
        client(bad)


@pytest.mark.parametrize(
    "good", ["https://auditor.example", "http://127.0.0.1:8080/w1/", "http://[::1]", "http://localhost"]
)
def test_an_address_over_tls_or_on_this_machine_is_accepted(good):
    assert client(good).name == "auditor"


# ---------------------------------------------------------------- many witnesses


def others(tmp_path, number, signer=None):
    name = f"w{number}"
    signer = signer or Ed25519Signer(name)
    key = NoteKey(f"{name}.example", SignatureType.COSIGNATURE, key_of(signer))
    return name, key, witness_at(tmp_path / name, signer=signer, key=key)


def test_all_witnesses_are_asked_and_the_others_explained(tmp_path):
    one, one_key, at_one = others(tmp_path, 1)
    two, two_key, at_two = others(tmp_path, 2)
    three, three_key, at_three = others(tmp_path, 3)
    four, four_key, at_four = others(tmp_path, 4)
    asked = []

    def consistency(old):
        asked.append(old)
        return LOG.proof(old, 20)

    with (
        at_one as (url1, _),
        at_two as (url2, _),
        at_three as (url3, _),
        at_four as (url4, _),
        scripted(silent) as url5,
    ):
        clients = [
            WitnessClient(Address(name, url, key), 20)
            for name, url, key in (
                (one, url1, one_key),
                (two, url2, two_key),
                (three, url3, three_key),
                (four, url4, four_key),
            )
        ]
        # At 9, ahead at 30, and with another history of 20; the last was never asked.
        clients[0].cosign(0, (), LOG.note(9))
        clients[1].cosign(0, (), LOG.note(30))
        clients[2].cosign(0, (), TWIN.note(20))
        slow = WitnessClient(Address("slow", url5), 0.4)
        found = gather([*clients, slow], LOG.note(20), 20, consistency, {two: 99})
        assert set(found.signatures) == {one, four}
        assert asked == [9]
        text = parse_note(LOG.note(20)).text
        verify_note(Note(text, tuple(found.signatures.values())), [one_key, four_key])
        assert set(found.reasons) == {two, three, "slow"}
        assert "of 30 entries, and this one has 20" in found.reasons[two]
        assert "two histories" in found.reasons[three]
        assert "no whole answer" in found.reasons["slow"]
        again = gather([*clients, slow], LOG.note(20), 20, consistency, {one: 20, four: 20})
        assert again == found


def test_nobody_is_asked_of_no_witnesses():
    assert gather([], LOG.note(9), 9, LOG.tree.root) == Gathered({}, {})


def test_a_log_that_cannot_prove_itself_is_no_fault_of_the_witness(url):
    asked = client(url)
    asked.cosign(0, (), LOG.note(9))

    def consistency(_old):
        raise CheckpointError("the tiles are gone")

    with pytest.raises(CheckpointError, match="the tiles are gone"):
        gather([asked], LOG.note(20), 20, consistency)


# ---------------------------------------------------------------- crashes


@contextmanager
def process(folder):
    with subprocess.Popen(
        [sys.executable, str(PROCESS), "serve", str(folder)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()


def hammer(url, seed, state, answered, told):
    """Ask for ever larger checkpoints, of either history, until nobody answers; remember every answer."""
    asked = WitnessClient(Address("auditor", url), 20)
    while True:
        log = seed.choice((LOG, TWIN))
        size = state[0] + seed.choice((0, 1, 1, 1))
        if size > log.tree.size:
            return
        try:
            found = asked.cosign(state[0], log.proof(state[0], size), log.note(size))
        except WitnessAheadError as error:
            told.append((state[0], error.size))
            state[0] = error.size
        except WitnessError as error:
            if "status" not in str(error):
                return
        else:
            answered.setdefault(size, set()).add((log.root(size), found))
            state[0] = size


def killed(folder, kills):
    """Kill a witness again and again while it is asked, and check that it has one history and forgot nothing."""
    WitnessState.create(folder, WITNESS_KEY).close()
    seed = random.Random(20_261_126)
    answered, told, state = {}, [], [0]
    for _ in range(kills):
        with process(folder) as (child, url):
            timer = threading.Timer(seed.uniform(0.0, 0.25), child.kill)
            timer.start()
            hammer(url, seed, state, answered, told)
            timer.join()
        known = {item.checkpoint.size: item for item in read_history(folder, WITNESS_KEY, ORIGIN)}
        for size, found in answered.items():
            ((root, signature),) = found
            if size in known:
                assert known[size].checkpoint.root == root
                assert known[size].note.signatures[-1] == signature
            else:
                # The head is on the disk before its line of the history.
                assert size == max(answered)
    with process(folder) as (_, url):
        last = max(answered)
        for log in (LOG, TWIN):
            for size in (last, last - 1):
                try:
                    found = WitnessClient(Address("auditor", url), 20).cosign(size, (), log.note(size))
                except WitnessAheadError as error:
                    told.append((last, error.size))
                else:
                    assert size == last
                    assert answered[size] == {(log.root(size), found)}
    assert all(size >= known for known, size in told)
    history = list(read_history(folder, WITNESS_KEY, ORIGIN))
    times = [item.time for item in history]
    assert times == sorted(times)
    assert set(answered) <= {item.checkpoint.size for item in history}
    return answered


def test_a_witness_killed_five_times_signs_one_history(tmp_path):
    assert len(killed(tmp_path / "memory", 5)) >= 2


@pytest.mark.slow
def test_a_witness_killed_forty_times_signs_one_history(tmp_path):
    assert len(killed(tmp_path / "memory", 40)) >= 20
