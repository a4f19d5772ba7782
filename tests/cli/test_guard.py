"""`scalegate guard`: what it refuses to begin with; and once for real, as a process."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from scalegate.integrations.job_folder import JobFolder, trust_in
from tests.cli.lab import INTERRUPTIBLE
from tests.conftest import ROOT
from tests.integrations.deployed import SAFEGUARD, deployed, edit, lab, until

__all__ = ["deployed", "lab"]

TOKEN = "sk-caller-bea"  # noqa: S105 - of this test
LINE = f"{hashlib.sha256(TOKEN.encode()).hexdigest()} bea bare\n"
URL = "http://127.0.0.1:9"


@pytest.fixture
def ask(lab):
    """Start a guard with what a test changes; it must not come to answer."""
    lab.file("callers", LINE)
    here = lab.deploy("here", host=socket.gethostname())

    def ask(*more, **changes):
        options = {"permit": here, "trust": lab.trust, "upstream": URL, "callers": "callers", **changes}
        line = [part for name, value in options.items() if value is not None for part in (f"--{name}", value)]
        return lab.run("guard", *line, *more)

    ask.permit = here
    return ask


def refused(said, code, words):
    assert said.code == code, said
    assert words in said.err, said.err
    assert said.out == ""
    return True


def test_without_a_permit_it_does_not_begin(ask):
    said = ask(permit="none.permit")
    assert refused(said, 1, "error[permit-missing]")


def test_an_edited_permit_is_none(ask):
    edit(ask.permit, "deploy.partners", "deploy.api")
    assert refused(ask(), 1, "error[permit-")


def test_the_permit_of_another_host_is_none(ask, lab):
    assert refused(ask(permit=lab.permit_file), 1, "error[permit-host]")


def test_a_permit_for_training_is_none(ask, lab):
    file = lab.permit("tiny", 10**9, host=socket.gethostname())
    assert refused(ask(permit=file), 1, "error[permit-action]")


def test_the_permit_of_another_context_is_none(ask):
    assert refused(ask(context="team"), 1, "error[permit-context]")


def test_without_a_pulse_that_stands_it_does_not_begin(ask, lab):
    assert refused(ask(pulse="svc.pulse"), 1, "error[permit-lapsed]")
    lab.stop()
    lab.pulse(ask.permit)
    assert refused(ask(pulse="svc.pulse"), 1, "would not give the permit any more")


def test_other_weights_are_held(ask, lab):
    (lab.folder / "weights" / "a.bin").write_bytes(b"other")
    assert refused(ask("--weights", "weights", "--safeguard", SAFEGUARD, "--scaffold", "bare"), 1, "weights-other")
    assert refused(ask("--weights", "nowhere"), 1, "weights-unfit")
    assert refused(ask("--scaffold", "bare"), 2, "go with --weights")


def test_somebody_has_to_say_whom_to_trust(ask, lab, monkeypatch):
    monkeypatch.delenv("SCALEGATE_TRUST", raising=False)
    assert refused(ask(trust=None), 2, "error[trust-missing]")
    assert refused(ask(trust=lab.file("bad.trust", "nonsense\n")), 2, "error[trust-malformed]")


def test_somebody_has_to_be_let_in(ask):
    assert refused(ask(callers=None), 2, "nobody may ask")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"# team\n{LINE}not-a-digest cy\n", "callers:3: it does not begin with 64"),
        (LINE * 2, "callers:2: the token is that of `bea` already"),
        ("", "callers: it names nobody"),
        (LINE + "caf\udce9\n", "callers:2: it is not UTF-8"),
    ],
)
def test_a_file_of_callers_is_refused_with_its_line(ask, lab, text, words):
    (lab.folder / "callers").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert refused(ask(), 2, words)
    assert refused(ask(callers="nowhere"), 2, "cannot read `nowhere`")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "file:///etc/passwd", "http://user:key@host", "http://host/?x=1"])
def test_an_upstream_has_an_address(ask, url):
    assert refused(ask(upstream=url), 2, "--upstream")


@pytest.mark.parametrize("listen", ["8080", ":8080", "host:", "host:port", "host:99999"])
def test_it_listens_somewhere(ask, listen):
    assert refused(ask(listen=listen), 2, "--listen")


@pytest.mark.parametrize("text", ["", "two words", "caf\u00e9", "a\x07b"])
def test_a_key_of_the_upstream_is_one_token(ask, lab, text):
    assert refused(ask("--upstream-key-file", lab.file("key", text)), 2, "is no one token")


ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "uvicorn":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "uvicorn" else real(name, package)
from scalegate.cli.main import main
raise SystemExit(main(sys.argv[1:]))
"""


def test_an_extra_that_is_absent_is_named_and_nothing_was_reported(ask, lab):
    line = ["guard", "--permit", ask.permit, "--trust", lab.trust, "--upstream", URL, "--callers", "callers"]
    said = subprocess.run(
        [sys.executable, "-c", ABSENT, *map(str, line)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        text=True,
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert "pip install 'scalegate[guard]'" in said.stderr
    assert JobFolder(ask.permit, trust_in(lab.trust)).reports == ()


# ---------------------------------------------------------------- a process


def status(url, path="/v1/models", token=TOKEN):
    try:
        with urlopen(Request(url + path, headers={"Authorization": f"Bearer {token}"}), timeout=10) as answer:  # noqa: S310
            return answer.status
    except HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def process(ask, lab):
    """Start a guard as a process of its own, and return it with its URL."""
    pytest.importorskip("uvicorn", reason="needs the extra `guard`")
    begun = []

    def start(*more):
        line = ["guard", "--permit", ask.permit, "--trust", lab.trust, "--upstream", URL, "--callers", "callers",
                "--listen", "127.0.0.1:0", "--store", lab.store, *more]  # fmt: skip
        made = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, *map(str, line)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            text=True,
        )
        begun.append(made)
        return made, made.stdout.readline().strip()

    yield start
    for made in begun:
        made.kill()
        made.wait()
        made.stdout.close()


@pytest.mark.extra
@pytest.mark.slow
def test_a_process_serves_is_held_and_says_so_in_the_log(ask, lab, process):
    guard, url = process()
    assert url.startswith("http://127.0.0.1:")
    until(lambda: status(url, "/scalegate/standing") == 200)
    assert status(url) == 503, "there is no upstream at all"
    assert status(url, token="other") == 401  # noqa: S106
    kept = ask.permit.rename(lab.folder / "kept")
    until(lambda: status(url, "/scalegate/standing") == 503)
    kept.rename(ask.permit)
    until(lambda: status(url, "/scalegate/standing") == 200)
    guard.send_signal(signal.SIGINT)
    assert guard.wait(20) == 130
    kinds = [entry.event.kind for entry in lab.history().entries if hasattr(entry.event, "kind")]
    assert kinds == ["started", "held", "started", "ended"]


@pytest.mark.extra
@pytest.mark.slow
def test_a_process_may_begin_on_hold_and_wait_for_its_permit(ask, lab, process):
    kept = ask.permit.rename(lab.folder / "kept")
    guard, url = process("--hold-ready")
    assert status(url, "/scalegate/standing") == 503
    kept.rename(ask.permit)
    until(lambda: status(url, "/scalegate/standing") == 200)
    guard.terminate()
    assert guard.wait(20) == -signal.SIGTERM
    assert [item.kind for item in JobFolder(ask.permit, trust_in(lab.trust)).reports] == ["started", "ended"]


@pytest.mark.extra
@pytest.mark.slow
def test_a_port_that_is_taken_is_said(ask):
    pytest.importorskip("uvicorn", reason="needs the extra `guard`")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = ask(listen=f"127.0.0.1:{taken.getsockname()[1]}")
    assert refused(said, 2, "error[port-taken]")
