"""Keys in a real ssh-agent, and what stands at a socket in place of one."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.private_key import PrivateKeySigner, generate, public_of
from scalegate.adapters.signers.ssh_agent import (
    MAX_MESSAGE,
    SshAgent,
    SshAgentSigner,
    _scalar,
    parse_ssh_public,
)
from scalegate.ledger.dsse import sign_envelope, verify_envelope

ALGORITHMS = ["ed25519", "ecdsa-p256"]
PRIVATE = {algorithm: generate(algorithm) for algorithm in ALGORITHMS}
PUBLIC = {algorithm: public_of(private) for algorithm, private in PRIVATE.items()}

HAS_AGENT = shutil.which("ssh-agent") and shutil.which("ssh-add")


def public_line(algorithm, comment=" ada@lab"):
    """The `.pub` file of a key."""
    data = PRIVATE[algorithm].public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{data.decode()}{comment}\n"


@pytest.fixture
def short():
    """A folder with a path that a socket can have."""
    with tempfile.TemporaryDirectory(prefix="sg") as folder:
        yield Path(folder)


@contextlib.contextmanager
def real_agent(folder):
    """A real ssh-agent without keys."""
    path = str(folder / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    try:
        # It says where it listens once it does.
        assert process.stdout.readline()
        yield SshAgent(path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ssh_add(agent, *arguments):
    """Run `ssh-add` for an agent."""
    environ = {**os.environ, "SSH_AUTH_SOCK": agent.path}
    subprocess.run(["ssh-add", "-q", *arguments], env=environ, check=True, capture_output=True)


@pytest.fixture
def agent(short):
    """A real ssh-agent with both keys."""
    if not HAS_AGENT:
        pytest.skip("ssh-agent and ssh-add are not installed")
    with real_agent(short) as found:
        for algorithm, private in PRIVATE.items():
            path = short / algorithm
            path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
            path.chmod(0o600)
            ssh_add(found, str(path))
        yield found


def refusal(call, *arguments):
    """What a call refuses with."""
    with pytest.raises(SignerError) as caught:
        call(*arguments)
    return caught.value


# ---------------------------------------------------------------- a real agent


@pytest.mark.extra
def test_an_agent_lists_its_keys(agent):
    assert set(agent.public_keys()) == set(PUBLIC.values())


@pytest.mark.extra
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_in_an_agent_signs_an_envelope(agent, algorithm):
    key = PUBLIC[algorithm]
    signer = SshAgentSigner(agent, key)
    assert (signer.algorithm, signer.public) == (algorithm, key.public)
    envelope = sign_envelope("application/vnd.in-toto+json", b"{}", [signer])
    assert verify_envelope(envelope, [key]) == (key,)


@pytest.mark.extra
def test_every_p256_signature_of_an_agent_is_der_in_its_one_form(agent):
    """Numbers below 2^248 and from 2^255 on, of which the encodings have other lengths, come up among so many."""
    signer = SshAgentSigner(agent, PUBLIC["ecdsa-p256"])
    lengths = set()
    for number in range(150):
        signature = signer.sign(b"%d" % number)
        PUBLIC["ecdsa-p256"].verify(signature, b"%d" % number)
        lengths.add(len(signature))
    assert {70, 71, 72} <= lengths


@pytest.mark.extra
def test_a_long_entry_is_signed(agent):
    message = bytes(65_535)
    signature = SshAgentSigner(agent, PUBLIC["ed25519"]).sign(message)
    assert PUBLIC["ed25519"].verify(signature, message) is None


@pytest.mark.extra
def test_a_message_that_no_agent_takes_is_refused(agent):
    assert refusal(agent.sign, PUBLIC["ed25519"], bytes(MAX_MESSAGE)).code == "agent-refused"


@pytest.mark.extra
def test_a_key_that_was_taken_out_of_the_agent_signs_nothing(agent):
    signer = SshAgentSigner(agent, PUBLIC["ed25519"])
    ssh_add(agent, "-D")
    wrong = refusal(signer.sign, b"message")
    assert (wrong.kind, wrong.code) == ("refused", "agent-keyless")
    assert refusal(agent.sign, PUBLIC["ed25519"], b"message").code == "agent-refused"


def test_no_agent_is_refused_with_what_to_do(short):
    assert refusal(SshAgent.of, {}).code == "agent-missing"
    wrong = refusal(SshAgent.of({"SSH_AUTH_SOCK": str(short / "nobody")}).public_keys)
    assert wrong.code == "agent-unreached"
    assert "No such file" in wrong.message
    assert refusal(SshAgent("x" * 200).public_keys).code == "agent-unreached"


def test_agents_keep_no_keys_of_ml_dsa():
    from tests.ledger.signers import MlDsa44Signer, has_ml_dsa_44, key_of  # noqa: PLC0415

    if not has_ml_dsa_44():
        pytest.skip("the installed library has no ML-DSA-44")
    assert refusal(SshAgentSigner, SshAgent("x"), key_of(MlDsa44Signer())).code == "agent-algorithm"


# ---------------------------------------------------------------- something else at the socket


@contextlib.contextmanager
def answering(folder, *answers):
    """An agent that gives these answers, one to each connection, whatever it is asked; None never answers."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "false"))
        server.listen()
        done = threading.Event()

        def serve():
            for answer in answers:
                line, _ = server.accept()
                with line:
                    line.recv(1 << 20)
                    if answer is None:
                        done.wait(10)
                    else:
                        line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield SshAgent(str(folder / "false"), 0.3, 0.3)
        finally:
            done.set()
            thread.join(10)


def string(data):
    return len(data).to_bytes(4) + data


def answer(kind, *parts):
    return string(bytes([kind]) + b"".join(parts))


ED = string(b"ssh-ed25519") + string(PUBLIC["ed25519"].public)
GOOD = PrivateKeySigner(PRIVATE["ed25519"]).sign(b"message")
LISTS = {
    "nothing": (b"", "ends early"),
    "half a length": (b"\0\0", "ends early"),
    "a length of zero": (bytes(4), "announces 0 bytes"),
    "four gigabytes": (b"\xff" * 4 + b"\x0c", "announces 4294967295 bytes"),
    "a failure": (answer(5), "does not list"),
    "more keys than it sends": (answer(12, (2).to_bytes(4), string(ED), string(b"")), "ends early"),
    "a billion keys": (answer(12, b"\x3f\xff\xff\xff"), "1073741823 keys"),
    "a key that goes on": (answer(12, (1).to_bytes(4), (1 << 20).to_bytes(4), ED), "ends early"),
    "more behind the keys": (answer(12, (1).to_bytes(4), string(ED), string(b""), b"x"), "goes on"),
}


@pytest.mark.parametrize(("said", "reason"), LISTS.values(), ids=LISTS)
def test_a_garbled_list_of_keys_is_refused_with_a_reason(short, said, reason):
    with answering(short, said) as agent:
        wrong = refusal(agent.public_keys)
    assert (wrong.kind, wrong.code) == ("untrusted", "agent-garbled")
    assert reason in wrong.message


def test_keys_that_are_none_of_ours_are_passed_over(short):
    others = [string(b"ssh-rsa") + string(b"x"), b"", ED + b"x", string(b"ssh-ed25519") + string(bytes(32))]
    keys = b"".join(string(blob) + string(b"name") for blob in [*others, ED])
    with answering(short, answer(12, (5).to_bytes(4), keys)) as agent:
        assert agent.public_keys() == (PUBLIC["ed25519"],)


SIGNATURES = {
    "a failure": (answer(5), "agent-refused"),
    "another type": (answer(14, string(string(b"ssh-rsa") + string(GOOD))), "agent-garbled"),
    "half of it": (answer(14, string(string(b"ssh-ed25519") + string(GOOD[:32]))), "agent-signature"),
    "one of another message": (answer(14, string(string(b"ssh-ed25519") + string(GOOD[::-1]))), "agent-signature"),
    "more behind it": (answer(14, string(string(b"ssh-ed25519") + string(GOOD)), b"x"), "agent-garbled"),
    "more inside it": (answer(14, string(string(b"ssh-ed25519") + string(GOOD) + b"x")), "agent-garbled"),
}


@pytest.mark.parametrize(("said", "code"), SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_is_not_good_is_refused(short, said, code):
    with answering(short, said) as agent:
        assert refusal(agent.sign, PUBLIC["ed25519"], b"message").code == code


def test_the_signature_that_the_refused_ones_were_made_from_is_good(short):
    with answering(short, answer(14, string(string(b"ssh-ed25519") + string(GOOD)))) as agent:
        assert agent.sign(PUBLIC["ed25519"], b"message") == GOOD


def test_a_silent_agent_is_not_waited_for(short):
    with answering(short, None) as agent:
        assert refusal(agent.public_keys).code == "agent-slow"


def test_an_agent_that_drips_has_no_more_time_than_a_silent_one(short):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short / "drip"))
        server.listen()
        stop = threading.Event()

        def serve():
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                line.sendall((1_000).to_bytes(4))
                while not stop.wait(0.05):
                    line.sendall(b"x")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert refusal(SshAgent(str(short / "drip"), 0.3).public_keys).code == "agent-slow"
        stop.set()
        thread.join(10)


@given(st.integers(1, (1 << 256) - 1))
def test_a_number_of_a_signature_has_one_form(value):
    form = value.to_bytes(value.bit_length() // 8 + 1)
    assert _scalar(form) == value.to_bytes(32)
    assert refusal(_scalar, b"\0" + form).code == "agent-garbled"


@pytest.mark.parametrize("data", [b"", b"\0", b"\x80", b"\xff" * 32, b"\1" + bytes(32)])
def test_a_number_that_is_none_of_a_signature_is_refused(data):
    assert refusal(_scalar, data).code == "agent-garbled"


# ---------------------------------------------------------------- .pub files


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("comment", ["", " ada@lab", " with spaces \u00e9"])
def test_a_public_key_of_openssh_is_read(algorithm, comment):
    assert parse_ssh_public(public_line(algorithm, comment)) == PUBLIC[algorithm]


ED_LINE, P256_LINE = public_line("ed25519"), public_line("ecdsa-p256")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ED_LINE + ED_LINE,
        'from="*" ' + ED_LINE,
        ED_LINE.replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
        ED_LINE.replace("ssh-ed25519", "ssh-rsa"),
        ED_LINE[:40],
        ED_LINE.replace(" ada", "A ada"),
        P256_LINE.replace("ecdsa-sha2-nistp256 ", "ssh-ed25519 "),
        "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    ],
    # Keys are made anew by each process, and names of tests have to be the same in all.
    ids=map(str, range(9)),
)
def test_another_text_is_no_public_key_of_openssh(text):
    assert refusal(parse_ssh_public, text).code == "ssh-key-unfit"
