"""Logs read over HTTP, from servers that want to keep their reader, or to fill it."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from scalegate.adapters.log_http import LogClient, LogUnreachableError
from scalegate.ledger.log_folder import MAX_FILE

OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def server(answer):
    """Answer one request with what `answer` sends; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run():
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                try:
                    answer(connection)
                except OSError:
                    return

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/log"
        thread.join(10)


def refused(answer, timeout=5.0):
    with server(answer) as url, pytest.raises(LogUnreachableError) as caught:
        LogClient(url, timeout).read("checkpoint")
    return str(caught.value)


def test_a_file_is_read_and_a_missing_one_is_none():
    with server(lambda line: line.sendall(OK + b"Content-Length: 3\r\n\r\nabc")) as url:
        assert LogClient(url).read("checkpoint") == b"abc"
    with server(lambda line: line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as url:
        assert LogClient(url).read("checkpoint") is None


def test_a_server_that_sends_a_byte_now_and_then_is_left():
    sent = []

    def drip(line):
        line.sendall(OK + b"Content-Length: 1000\r\n\r\n")
        for _ in range(200):
            line.sendall(b"x")
            sent.append(b"x")
            time.sleep(0.05)

    assert "in 0.3 seconds" in refused(drip, 0.3)
    assert len(sent) < 200


def test_a_file_larger_than_any_of_a_log_is_not_taken_in():
    def flood(line):
        line.sendall(OK + b"Connection: close\r\n\r\n")
        for _ in range(MAX_FILE // 65_536 + 2):
            line.sendall(bytes(65_536))

    assert "longer than" in refused(flood)


def test_a_file_that_was_cut_short_is_none_of_a_log():
    assert "checkpoint" in refused(lambda line: line.sendall(OK + b"Content-Length: 9\r\n\r\nabc"))


@pytest.mark.parametrize("status", [b"301 Moved", b"500 Oops", b"206 Partial Content"])
def test_redirections_and_failures_are_no_files(status):
    answer = b"HTTP/1.1 " + status + b"\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    assert status[:3].decode() in refused(lambda line: line.sendall(answer))


@pytest.mark.parametrize(
    "url",
    ["http://log.example/", "file:///etc/passwd", "https://a@log.example", "https://log.example/#x", "https:///x",
     "https://log.example/?q", "https://log.example:x/", "https://log .example/", "https://lög.example/"],
)  # fmt: skip
def test_an_address_that_is_no_log_is_refused(url):
    with pytest.raises(LogUnreachableError):
        LogClient(url)
