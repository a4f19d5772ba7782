"""Key files: one text each, opened by nobody but their owner."""

import base64
import os
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.key_file import (
    KeyFile,
    KeyFileSigner,
    check_folder,
    format_key_file,
    open_key_file,
    parse_key_file,
    write_key_file,
)
from scalegate.adapters.signers.private_key import from_pem, generate, public_of, to_pem
from scalegate.adapters.signers.secret import Secrets
from scalegate.ledger.note import NoteKey, SignatureType
from tests.ledger.signers import has_ml_dsa_44

SECRET = b"correct horse battery"
ALGORITHMS = ["ed25519", "ecdsa-p256"] + ["ml-dsa-44"] * has_ml_dsa_44()
PRIVATE = {algorithm: generate(algorithm) for algorithm in ALGORITHMS}
SEALED = to_pem(PRIVATE["ed25519"], SECRET)


def made(algorithm="ed25519", pem=None, name="Ada Osei", roles=("developer",)):
    """A key file with one of the keys of this module."""
    private = PRIVATE[algorithm]
    return KeyFile(name, roles, "file", public_of(private), pem=pem or to_pem(private, None))


def noted(kind=SignatureType.NOTE, name="acme.example/log"):
    """A key file with a note key."""
    public = public_of(PRIVATE["ed25519"])
    note = NoteKey(name, kind, public)
    return KeyFile(name, (), "note", public, note, to_pem(PRIVATE["ed25519"], None))


def in_agent():
    return KeyFile("Ada Osei", ("auditor", "developer"), "ssh-agent", public_of(PRIVATE["ed25519"]))


def in_token(module="/usr/lib/token.so"):
    public = public_of(PRIVATE["ecdsa-p256"])
    return KeyFile("Ada Osei", ("developer",), "pkcs11", public, uri="pkcs11:token=lab;object=ada", module=module)


ALL = {
    **{algorithm: made(algorithm) for algorithm in ALGORITHMS},
    "sealed": made(pem=SEALED),
    "log": noted(),
    "witness": noted(SignatureType.COSIGNATURE, "w.example/1"),
    "ssh-agent": in_agent(),
    "pkcs11": in_token(),
}


def refusal(call, *arguments):
    """What a call refuses with."""
    with pytest.raises(SignerError) as caught:
        call(*arguments)
    return caught.value


# ---------------------------------------------------------------- text


@pytest.mark.parametrize("file", ALL.values(), ids=ALL)
def test_every_kind_of_key_file_reads_back(file):
    assert parse_key_file(format_key_file(file).encode()) == file


@pytest.mark.parametrize("file", ALL.values(), ids=ALL)
def test_a_private_key_is_never_shown_by_repr(file):
    pem = file.pem.splitlines()[1] if file.pem else "-----"
    assert pem not in repr(file)
    assert "KeyFile" in repr(file)


@given(st.sampled_from(sorted(ALL)), st.data())
def test_no_other_bytes_stand_for_a_key(name, data):
    """A byte changed, removed or put in: refused, or another key; never the same one."""
    text = format_key_file(ALL[name]).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    byte = bytes([data.draw(st.integers(0, 255))])
    other = data.draw(st.sampled_from([text[:at] + byte + text[at + 1 :], text[:at] + text[at + 1 :], text + byte]))
    if other == text:
        return
    try:
        read = parse_key_file(other)
    except SignerError:
        return
    assert read != ALL[name]
    assert format_key_file(read).encode() == other


def edited(name, before, after):
    text = format_key_file(ALL[name])
    assert before in text
    return text.replace(before, after, 1).encode()


MALFORMED = {
    "another version": (edited("ed25519", "key/v1", "key/v2"), "first line"),
    "a name that is not there": (edited("ed25519", "name: Ada Osei\n", ""), "has the lines"),
    "two names": (edited("ed25519", "name: Ada Osei\n", "name: Ada Osei\nname: Bob\n"), "line 3"),
    "carriage returns": (edited("ed25519", "developer\n", "developer\r\n"), "cannot see it|carriage return|hidden"),
    "no roles": (edited("ed25519", "developer", ""), "line 3"),
    "roles in another order": (edited("ssh-agent", "auditor,developer", "developer,auditor"), "not sorted"),
    "the role of the gate beside another": (edited("ed25519", "developer", "developer,gate"), "beside another"),
    "a name that turns text around": (edited("ed25519", "Ada Osei", "Ada \u202eOsei"), "hidden"),
    "a name in another form": (edited("ed25519", "Ada Osei", "Ada  Osei"), "normal form"),
    "an unknown kind": (edited("ed25519", "kind: file", "kind: usb"), "kind is none"),
    "an unknown algorithm": (edited("ed25519", "ed25519:", "rsa:"), "algorithm"),
    "a public key that is no point": (edited("ed25519", "ed25519:", "ecdsa-p256:"), "cannot be used"),
    "a public key in other base64": (edited("ed25519", "=\n\n", "\n\n"), "base64"),
    "roles of a note key": (edited("log", "kind: note\n", "roles: developer\nkind: note\n"), "has the lines"),
    "an unknown type of note": (edited("log", "type: 01", "type: 02"), "type is none"),
    "a type of another algorithm": (edited("log", "type: 01", "type: 06"), "no such note key"),
    "a log's name with spaces": (edited("log", "acme.example/log", "acme log"), "no such note key"),
    "a relative library": (edited("pkcs11", "/usr/lib", "lib"), "absolute"),
    "a body behind an agent's key": (format_key_file(ALL["ssh-agent"]).encode() + b"\nx\n", "one way"),
    "text behind the private key": (format_key_file(ALL["ed25519"]).encode() + b"x\n", "no private key"),
    "no private key": (format_key_file(ALL["ed25519"]).split("\n\n")[0].encode() + b"\n", "no private key"),
    "no text": (b"\xff\xfe", "UTF-8"),
    "too many bytes": (b"x" * 20_000, "more than"),
}


@pytest.mark.parametrize(("data", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_file_is_refused_with_a_reason(data, reason):
    with pytest.raises(SignerError, match=reason) as caught:
        parse_key_file(data)
    assert caught.value.kind == "malformed"
    assert "PRIVATE KEY" not in str(caught.value)


# ---------------------------------------------------------------- private keys


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_file_signs_what_its_public_key_verifies(algorithm):
    file = made(algorithm)
    signer = KeyFileSigner(file, None)
    assert (signer.algorithm, signer.public) == (file.public.algorithm, file.public.public)
    file.public.verify(signer.sign(b"message"), b"message")


def test_a_passphrase_opens_the_key_and_no_other_does():
    file = made(pem=SEALED)
    assert file.is_encrypted
    file.public.verify(KeyFileSigner(file, SECRET).sign(b"m"), b"m")
    wrong = refusal(KeyFileSigner, file, SECRET + b"x")
    assert (wrong.kind, wrong.code) == ("refused", "passphrase-wrong")
    assert SECRET.decode() not in f"{wrong}{wrong.hint}{wrong.__cause__}"


def test_a_key_is_not_opened_without_its_passphrase_or_with_a_needless_one():
    assert refusal(KeyFileSigner, made(pem=SEALED), None).code == "key-unfit"
    assert refusal(KeyFileSigner, made(), SECRET).code == "key-unfit"


@pytest.mark.extra
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_opens_an_encrypted_key(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(SEALED, encoding="ascii")
    said = subprocess.run(
        ["openssl", "pkey", "-in", path, "-passin", f"pass:{SECRET.decode()}", "-pubout", "-outform", "DER"],
        check=True,
        capture_output=True,
    )
    assert said.stdout == public_of(PRIVATE["ed25519"]).spki


def test_guessing_a_passphrase_costs_sixteen_mebibytes():
    """The parameters of scrypt stand in the file: N = 2^14, r = 8, p = 5."""
    der = b"".join(SEALED.encode().splitlines()[1:-1])
    assert bytes.fromhex("02024000020108020105020120") in base64.b64decode(der)


def test_keys_that_other_tools_encrypted_are_read():
    pem = PRIVATE["ecdsa-p256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET))
    assert from_pem(pem.decode(), SECRET).key == public_of(PRIVATE["ecdsa-p256"])


def test_a_private_key_of_another_public_key_is_refused():
    other = to_pem(Ed25519PrivateKey.generate(), None)
    wrong = refusal(KeyFileSigner, made(pem=other), None)
    assert (wrong.kind, wrong.code) == ("untrusted", "key-mismatch")


@pytest.mark.parametrize(
    "private", [rsa.generate_private_key(65_537, 2_048), ec.generate_private_key(ec.SECP384R1())], ids=["rsa", "p384"]
)
def test_keys_of_other_algorithms_are_refused(private):
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert refusal(from_pem, pem, None).code == "key-unfit"


def test_a_signer_does_not_show_its_private_key():
    signer = KeyFileSigner(made(), None)
    assert repr(signer) == f"PrivateKeySigner(ed25519 {signer.key.digest})"


# ---------------------------------------------------------------- files


@pytest.fixture
def folder(tmp_path):
    """Where keys are to be."""
    return tmp_path / "new" / "keys"


def test_a_key_is_written_for_its_owner_alone(folder):
    before = os.umask(0)
    try:
        path = write_key_file(folder, made())
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [item.name for item in folder.iterdir()] == [path.name]
    assert open_key_file(path) == made()


def test_a_key_file_is_never_overwritten(folder):
    path = write_key_file(folder, made())
    before = path.read_bytes()
    wrong = refusal(write_key_file, folder, made(roles=("auditor",)))
    assert wrong.code == "key-exists"
    assert path.read_bytes() == before
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("file", [made(), in_agent(), in_token()], ids=["file", "ssh-agent", "pkcs11"])
def test_a_key_file_that_others_may_read_or_write_is_not_used(folder, file, mode):
    path = write_key_file(folder, file)
    path.chmod(mode)
    wrong = refusal(open_key_file, path)
    assert (wrong.kind, wrong.code) == ("untrusted", "key-exposed")
    assert ("write it" if mode & 0o022 else "read it") in wrong.message
    assert "chmod 600" in wrong.hint
    path.chmod(0o600)
    assert open_key_file(path) == file


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_keys_of_a_folder_that_others_may_write_are_not_used(folder, mode):
    path = write_key_file(folder, made())
    folder.chmod(mode)
    assert refusal(open_key_file, path).code == "keys-exposed"
    assert refusal(write_key_file, folder, in_agent()).code == "keys-exposed"
    folder.chmod(0o755)
    check_folder(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_not_used(folder):
    path = write_key_file(folder, made())
    os.chown(path, 12_345, -1)
    assert "another user" in refusal(open_key_file, path).message


def test_a_link_to_a_key_file_is_not_followed(folder, tmp_path):
    path = write_key_file(folder, made())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "it is a link" in refusal(open_key_file, path).message


def test_a_pipe_in_place_of_a_key_file_does_not_block(folder):
    path = write_key_file(folder, made())
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "regular file" in refusal(open_key_file, path).message


# ---------------------------------------------------------------- passphrases


def secrets(environ):
    """Where passphrases come from, with these variables."""
    return Secrets({f"SCALEGATE_{name}": str(value) for name, value in environ.items()})


def secret_file(tmp_path, data, mode=0o600):
    path = tmp_path / "secret"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_passphrase_comes_from_the_environment_or_a_file_that_it_names(tmp_path):
    assert secrets({"PASSPHRASE": "öffne dich"}).passphrase("Ada") == "öffne dich".encode()
    path = secret_file(tmp_path, b"from a file \n")
    assert secrets({"PASSPHRASE_FILE": path}).passphrase("Ada") == b"from a file "
    assert secrets({"PIN": "1234"}).pin("Ada") == "1234"


def test_a_passphrase_is_asked_for_where_somebody_sits_at_the_terminal():
    asked = []

    def ask(what, new):
        asked.append((what, new))
        return "typed at the terminal"

    found = Secrets({}, ask)
    assert found.passphrase("Ada") == b"typed at the terminal"
    assert found.new_passphrase("Ada") == b"typed at the terminal"
    assert [new for _, new in asked] == [False, True]
    assert "Ada" in asked[0][0]


def test_a_passphrase_that_nobody_can_give_is_refused():
    wrong = refusal(secrets({}).passphrase, "Ada")
    assert wrong.code == "secret-missing"
    assert "SCALEGATE_PASSPHRASE_FILE" in wrong.hint


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_passphrase_file_that_others_may_read_is_refused(tmp_path, mode):
    path = secret_file(tmp_path, b"correct horse", mode)
    assert refusal(secrets({"PASSPHRASE_FILE": path}).passphrase, "Ada").code == "secret-exposed"


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"PASSPHRASE": "a", "PASSPHRASE_FILE": "/b"}, "secret-twice"),
        ({"PASSPHRASE_FILE": "/does/not/exist"}, "secret-unread"),
        ({"PASSPHRASE_FILE": "/dev/zero"}, "secret-unread"),
        ({"PASSPHRASE_FILE": "a\0b"}, "secret-unread"),
        ({"PASSPHRASE": "x" * 2_000}, "secret-unfit"),
    ],
)
def test_a_passphrase_that_cannot_be_read_is_refused(environ, code):
    assert refusal(secrets(environ).passphrase, "Ada").code == code


def test_an_empty_passphrase_is_refused(tmp_path):
    path = secret_file(tmp_path, b"\n")
    assert refusal(secrets({"PASSPHRASE_FILE": path}).passphrase, "Ada").code == "secret-unfit"


def test_a_new_passphrase_has_twelve_bytes():
    assert secrets({"PASSPHRASE": "twelve bytes"}).new_passphrase("Ada") == b"twelve bytes"
    wrong = refusal(secrets({"PASSPHRASE": "eleven byte"}).new_passphrase, "Ada")
    assert wrong.code == "passphrase-short"
    assert "eleven byte" not in f"{wrong}{wrong.hint}"


def test_secrets_do_not_show_what_they_hold():
    assert "horse" not in repr(secrets({"PASSPHRASE": "correct horse"}))
