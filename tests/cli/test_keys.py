"""`scalegate keys`, and the keyring that other commands sign with."""

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scalegate.adapters.signers.private_key import generate
from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring, keys_folder
from scalegate.app.refusal import RefusalError
from scalegate.ledger.dsse import sign_envelope, verify_envelope
from scalegate.ledger.note import SignatureType, format_vkey
from scalegate.ledger.trust import parse_trust
from tests.ledger.signers import has_ml_dsa_44

SECRET = "correct horse battery"  # noqa: S105 - of this test
OPEN = {"protected": False}
NEW = ("keys", "new", "Ada Osei", "--role", "developer")
CHECKPOINT = "acme.example/log\n1\n" + "A" * 43 + "=\n"


@pytest.fixture
def home(empty, monkeypatch):
    """A lab without any key, and with a folder for some."""
    monkeypatch.setenv("SCALEGATE_KEYS", str(empty.folder / "keys"))
    for name in ("PASSPHRASE", "PASSPHRASE_FILE", "PIN", "PIN_FILE"):
        monkeypatch.delenv(f"SCALEGATE_{name}", raising=False)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return empty


@pytest.fixture
def ring(home):
    """The keyring of the lab."""
    return Keyring(home.folder / "keys", Secrets(os.environ))


def refusal(call, *arguments, **options):
    """What a call refuses with."""
    with pytest.raises(RefusalError) as caught:
        call(*arguments, **options)
    return caught.value


def refused(home, *arguments):
    """What a command refuses with; its code of exit is never 0."""
    said = home.run(*arguments, "--format", "json")
    assert said.code != 0
    return said.json["error"]


# ---------------------------------------------------------------- new


def test_a_new_key_answers_with_its_line_of_a_trust_file(home, ring):
    said = home.do(*NEW, "--role", "auditor", "--unprotected")
    trust = parse_trust("quorum none\n" + said.out)
    (entry,) = ring.entries()
    (speaker,) = trust.speakers
    assert (speaker.name, speaker.roles, speaker.key) == ("Ada Osei", {"auditor", "developer"}, entry.public)
    assert str(entry.file) in said.err


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256"] + ["ml-dsa-44"] * has_ml_dsa_44())
def test_a_key_of_every_algorithm_signs(home, ring, algorithm):
    home.do(*NEW, "--unprotected", "--algorithm", algorithm)
    key = ring.entries()[0].public
    assert key.algorithm == algorithm
    envelope = sign_envelope("application/vnd.in-toto+json", b"{}", [ring.signer(key)])
    assert verify_envelope(envelope, [key]) == (key,)


def test_a_new_log_and_its_witnesses_answer_with_lines_of_a_tlog_policy(home, ring):
    log = home.do("keys", "new", "--log", "acme.example/log", "--unprotected").out
    witness = home.do("keys", "new", "--witness", "w.example/1", "--unprotected").out
    trust = parse_trust(f"{log}{witness}quorum w.example/1\n")
    assert [key.name for key in trust.logs] == ["acme.example/log"]
    assert [item.name for item in trust.witnesses] == ["w.example/1"]
    for key, time in ((trust.logs[0], None), (trust.witnesses[0].key, 1_790_000_000)):
        line = key.sign(CHECKPOINT, ring.note_signer(key), time)
        assert key.verify(CHECKPOINT, line.signature) == time


@pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed library has no ML-DSA-44")
def test_a_witness_with_ml_dsa_cosigns(home, ring):
    home.do("keys", "new", "--witness", "w.example/2", "--unprotected", "--algorithm", "ml-dsa-44")
    key = ring.entries()[0].note
    assert key.kind is SignatureType.ML_DSA_COSIGNATURE
    assert key.verify(CHECKPOINT, key.sign(CHECKPOINT, ring.note_signer(key), 5).signature) == 5


def test_a_passphrase_protects_the_key_and_stands_nowhere(home, ring, monkeypatch):
    monkeypatch.setenv("SCALEGATE_PASSPHRASE", SECRET)
    said = home.do(*NEW, "--format", "json")
    assert said.json["state"] == "passphrase"
    (entry,) = ring.entries()
    assert SECRET not in said.out + said.err + repr(entry) + entry.file.read_text("utf-8")
    signer = ring.signer(entry.public)
    entry.public.verify(signer.sign(b"message"), b"message")
    # Opened once: what the environment says later is not asked for.
    monkeypatch.setenv("SCALEGATE_PASSPHRASE", "something else entirely")
    assert ring.signer(entry.public).sign(b"message")
    wrong = refusal(Keyring(ring.folder, Secrets(os.environ)).signer(entry.public).sign, b"message")
    assert (wrong.kind, wrong.code) == ("refused", "passphrase-wrong")


def test_without_a_passphrase_nothing_is_made(home, ring):
    assert refused(home, *NEW)["code"] == "secret-missing"
    assert ring.entries() == ()
    assert not ring.folder.exists()


def test_a_short_passphrase_makes_no_key(home, ring, monkeypatch):
    monkeypatch.setenv("SCALEGATE_PASSPHRASE", "horse")
    assert refused(home, *NEW)["code"] == "passphrase-short"
    assert ring.entries() == ()


def prompted(terminal):
    """Read what a program shows until it asks for something."""
    shown = b""
    while not shown.endswith(b": "):
        assert select.select([terminal], [], [], 20)[0], shown
        shown += os.read(terminal, 1_000)
    return shown


@pytest.mark.parametrize("again", [SECRET, "something else entirely"])
def test_a_passphrase_is_typed_twice_and_not_shown(home, again):
    """At a real terminal; when the second is another one, both are asked for again."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "scalegate.cli.main", *NEW]
    with subprocess.Popen(
        program, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            shown = b""
            for answer in (SECRET, again):
                shown += prompted(ours)
                os.write(ours, answer.encode() + b"\n")
            if again != SECRET:
                shown += prompted(ours)
                os.write(ours, b"\x04")
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
            os.close(ours)
    assert SECRET.encode() not in shown + out
    assert process.returncode == (0 if again == SECRET else 130)
    assert out.startswith(b'key "Ada Osei"') is (again == SECRET)
    assert (b"do not match" in shown) is (again != SECRET)
    assert len(list(home.folder.glob("keys/*.key"))) == (again == SECRET)


HOSTILE = {
    "a control character": "Ada\x1b[2J",
    "a newline": "Ada\nlog x",
    "text turned around": "Ada \u202eieso",
    "an invisible character": "Ada\u200bOsei",
    "two scripts": "\u0410da Osei",
    "another form": "\uff21da Osei",
    "spaces beside each other": "Ada  Osei",
    "quotation marks": 'Ada" gate ed25519:AAAA "',
    "nothing": "",
    "a novel": "A" * 200,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_name_that_could_look_like_another_is_refused(home, ring, name):
    refused(home, "keys", "new", name, "--role", "developer", "--unprotected")
    assert ring.entries() == ()


@pytest.mark.parametrize("role", ["", "two words", "a,b", "developer\n", "Gate", '"x"'])
def test_a_role_that_no_trust_file_takes_is_refused(home, ring, role):
    refused(home, "keys", "new", "Ada Osei", "--role", role, "--unprotected")
    assert ring.entries() == ()


@pytest.mark.parametrize("name", ["acme log", "acme+log", "", "acme\u202elog", "acme\nlog"])
@pytest.mark.parametrize("option", ["--log", "--witness"])
def test_a_name_that_no_signature_line_takes_is_refused(home, ring, option, name):
    refused(home, "keys", "new", option, name, "--unprotected")
    assert ring.entries() == ()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("Ada Osei",),
        ("--role", "developer"),
        ("Ada Osei", "--role", "developer", "--log", "acme.example/log"),
        ("--log", "acme.example/log", "--witness", "w.example/1"),
        ("--log", "acme.example/log", "--role", "developer"),
        ("--log", "acme.example/log", "--algorithm", "ecdsa-p256"),
        ("--witness", "w.example/1", "--algorithm", "ecdsa-p256"),
        ("Ada Osei", "--role", "developer", "--pkcs11", "pkcs11:token=lab;object=ada"),
        ("Ada Osei", "--role", "developer", "--module", "/token.so"),
        ("Ada Osei", "--role", "developer", "--ssh-agent", "ada.pub", "--algorithm", "ed25519"),
        ("Ada Osei", "--role", "developer", "--ssh-agent", "ada.pub", "--unprotected"),
        ("--log", "acme.example/log", "--ssh-agent", "ada.pub"),
    ],
)
def test_options_that_do_not_go_together_are_refused(home, ring, arguments):
    said = home.run("keys", "new", *arguments)
    assert said.code == 2
    assert ring.entries() == ()


def test_one_name_has_one_key(home, ring):
    home.do(*NEW, "--unprotected")
    assert refused(home, *NEW, "--unprotected")["code"] == "key-known"
    assert refused(home, "keys", "new", "ada osei", "--role", "auditor", "--unprotected")["code"] == "name-alike"
    assert len(ring.entries()) == 1
    ring.create("Ada Osei", ["developer"], replaces=True, **OPEN)
    assert len(ring.find("Ada Osei")) == 2


# ---------------------------------------------------------------- agents


@pytest.mark.extra
def test_a_key_of_an_agent_is_adopted_and_signs(home, ring, monkeypatch):
    if not shutil.which("ssh-agent"):
        pytest.skip("ssh-agent is not installed")
    path, key = home.folder / "agent", home.folder / "id"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout.readline()
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            adopt = (*NEW, "--ssh-agent", key.with_suffix(".pub"))
            assert refused(home, *adopt)["code"] == "agent-keyless"
            assert ring.entries() == ()
            subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True)
            home.do(*adopt)
            (entry,) = ring.entries()
            entry.public.verify(ring.signer(entry.public).sign(b"message"), b"message")
            subprocess.run(["ssh-add", "-q", "-D"], check=True, capture_output=True)
            assert refusal(ring.signer(entry.public).sign, b"message").code == "agent-keyless"
        finally:
            agent.kill()


def test_a_key_of_an_agent_that_is_not_there_is_not_adopted(home, ring):
    public = generate("ed25519").public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    adopt = (*NEW, "--ssh-agent")
    assert refused(home, *adopt, home.file("ada.pub", public.decode()))["code"] == "agent-missing"
    assert refused(home, *adopt, home.folder / "none.pub")["code"] == "file-unreadable"
    assert refused(home, *adopt, home.file("x.pub", "x" * 9_000))["code"] == "ssh-key-unfit"
    assert ring.entries() == ()


# ---------------------------------------------------------------- list


def test_keys_are_listed_without_a_passphrase(home, monkeypatch):
    monkeypatch.setenv("SCALEGATE_PASSPHRASE", SECRET)
    home.do(*NEW)
    home.do("keys", "new", "--log", "acme.example/log", "--unprotected")
    monkeypatch.delenv("SCALEGATE_PASSPHRASE")
    rows = home.do("keys", "list", "--format", "json").json["keys"]
    assert [(row["name"], row["roles"], row["kind"], row["state"]) for row in rows] == [
        ("acme.example/log", [], "note", "unprotected"),
        ("Ada Osei", ["developer"], "file", "passphrase"),
    ]
    human = home.do("keys", "list").out
    assert human.splitlines()[0].split() == ["name", "roles", "kind", "algorithm", "state", "digest"]
    plain = home.do("keys", "list", "--format", "plain").out
    assert plain.startswith("name acme.example/log, roles -, kind note")
    assert "PRIVATE KEY" not in human + plain


def test_no_keys_are_no_fault(home):
    assert home.do("keys", "list").out == f"there is no key in {home.folder / 'keys'}\n"


def test_a_key_that_others_may_read_is_listed_as_not_used(home, ring):
    home.do(*NEW, "--unprotected")
    (entry,) = ring.entries()
    entry.file.chmod(0o644)
    assert home.do("keys", "list", "--format", "json").json["keys"][0]["state"] == "not used: others may read it"
    wrong = refusal(ring.signer(entry.public).sign, b"message")
    assert (wrong.kind, wrong.code) == ("untrusted", "key-exposed")


# ---------------------------------------------------------------- the keyring


def test_a_key_that_is_not_there_has_no_signer(home, ring, tmp_path):
    elsewhere = Keyring(tmp_path / "elsewhere", Secrets({}))
    public = elsewhere.create("Lea Roth", ["auditor"], **OPEN).public
    note = elsewhere.create_note("acme.example/log", SignatureType.NOTE, **OPEN).note
    assert ring.signer(public) is None
    assert ring.note_signer(note) is None
    home.do(*NEW, "--unprotected")
    assert ring.signer(public) is None


def test_a_note_key_does_not_speak_and_a_speaker_signs_no_notes(home, ring):
    log = ring.create_note("acme.example/log", SignatureType.NOTE, **OPEN)
    speaker = ring.create("Ada Osei", ["developer"], **OPEN)
    assert home
    assert ring.signer(log.public) is None
    assert ring.note_signer(type(log.note)("Ada", SignatureType.NOTE, speaker.public)) is None
    assert ring.note_signer(type(log.note)("other/log", SignatureType.NOTE, log.public)) is None
    assert format_vkey(log.note) in log.line


def test_one_key_in_two_files_is_refused(home, ring):
    entry = ring.create("Ada Osei", ["developer"], **OPEN)
    assert home
    copy = entry.file.with_name("other.key")
    shutil.copy(entry.file, copy)
    copy.write_text(entry.file.read_text("utf-8").replace("Ada Osei", "Lea Roth"), encoding="utf-8")
    wrong = refusal(ring.entries)
    assert (wrong.kind, wrong.code) == ("untrusted", "key-twice")
    copy.unlink()
    assert ring.entries() == (entry,)


def test_one_broken_file_refuses_the_folder_and_is_named(home, ring):
    ring.create("Ada Osei", ["developer"], **OPEN)
    (ring.folder / "bad.key").write_text("scalegate-key/v1\n", encoding="utf-8")
    wrong = refusal(ring.entries)
    assert (wrong.kind, wrong.code) == ("malformed", "key-file-malformed")
    assert "bad.key" in wrong.message
    assert home.run("keys", "list").code == 2


def test_a_file_that_was_exchanged_after_it_was_read_does_not_sign(home, ring):
    entry = ring.create("Ada Osei", ["developer"], **OPEN)
    assert home
    signer = ring.signer(entry.public)
    entry.file.unlink()
    other = ring.create("Ada Osei", ["developer"], **OPEN)
    other.file.rename(entry.file)
    assert refusal(signer.sign, b"message").code == "key-mismatch"


def test_signers_show_no_private_key(home, ring):
    entry = ring.create("Ada Osei", ["developer"], **OPEN)
    assert home
    signer = ring.signer(entry.public)
    assert signer.sign(b"message")
    assert repr(signer) == f"Signer(file ed25519 {entry.public.digest})"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"SCALEGATE_KEYS": "/k", "XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/k"),
        ({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/scalegate/keys"),
        ({"XDG_CONFIG_HOME": "x", "HOME": "/h"}, "/h/.config/scalegate/keys"),
        ({"HOME": "/h"}, "/h/.config/scalegate/keys"),
    ],
)
def test_the_folder_of_keys_is_that_of_the_environment(environ, folder):
    assert keys_folder(None, environ) == Path(folder)
    assert keys_folder(Path("/given"), environ) == Path("/given")


def test_without_a_home_there_is_no_folder_of_keys():
    assert refusal(keys_folder, None, {}).code == "keys-nowhere"
