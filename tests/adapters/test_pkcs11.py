"""Keys in a token that speaks PKCS#11: SoftHSM, installed or unpacked beside the virtual environment."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.adapters.signers import SignerError
from scalegate.adapters.signers.pkcs11 import Pkcs11Signer, TokenUri, parse_uri, token_key
from scalegate.adapters.signers.private_key import generate, public_of
from scalegate.ledger.dsse import sign_envelope, verify_envelope

PIN = "123456"
LAB = {"token_label": "lab"}
PLACES = (Path("/usr/lib/softhsm"), Path("/usr/lib64/softhsm"), Path("/usr/local/lib/softhsm"))
ED25519 = bytes.fromhex("06032b6570")


def refusal(call, *arguments):
    """What a call refuses with."""
    with pytest.raises(SignerError) as caught:
        call(*arguments)
    return caught.value


def softhsm():
    """The library of SoftHSM and its tool; Debian's packages are unpacked beside the interpreter, not installed."""
    for folder in PLACES:
        if (folder / "libsofthsm2.so").exists() and shutil.which("softhsm2-util"):
            return folder / "libsofthsm2.so", "softhsm2-util"
    unpacked = Path(sys.prefix) / "softhsm"
    library, tool = unpacked / "usr/lib/softhsm/libsofthsm2.so", unpacked / "usr/bin/softhsm2-util"
    if not library.exists() and shutil.which("apt-get") and shutil.which("dpkg"):
        unpacked.mkdir(exist_ok=True)
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(["apt-get", "download", "libsofthsm2", "softhsm2"], cwd=unpacked, check=False, timeout=120)
        for package in unpacked.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    if not library.exists():
        pytest.skip("SoftHSM is not installed, and its packages cannot be had")
    return library, str(tool)


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """A token with a P-256 key `ada`, an Ed25519 key `lea`, and two keys `twin`; and the path of its library."""
    if find_spec("pkcs11") is None:
        pytest.skip("the extra `pkcs11` is not installed")
    import pkcs11  # noqa: PLC0415 - an extra
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    library, tool = softhsm()
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm.conf"))
        setup = ["--init-token", "--free", "--label", "lab", "--pin", PIN, "--so-pin", PIN]
        subprocess.run([tool, "--module", library, *setup], check=True, capture_output=True)
        found = pkcs11.lib(str(library)).get_token(**LAB)
        with found.open(rw=True, user_pin=PIN) as session:
            for label, number, kind, curve in [
                ("ada", b"\x01", pkcs11.KeyType.EC, encode_named_curve_parameters("secp256r1")),
                ("lea", b"\x02", pkcs11.KeyType.EC_EDWARDS, ED25519),
                ("twin", b"\x03", pkcs11.KeyType.EC_EDWARDS, ED25519),
                ("twin", b"\x04", pkcs11.KeyType.EC_EDWARDS, ED25519),
                ("wide", b"\x05", pkcs11.KeyType.EC, encode_named_curve_parameters("secp384r1")),
            ]:
                parameters = session.create_domain_parameters(kind, {pkcs11.Attribute.EC_PARAMS: curve}, local=True)
                parameters.generate_keypair(store=True, label=label, id=number)
        yield str(library)


def pin(value=PIN):
    return lambda: value


def opened(token, label):
    """A signer for a key of the token."""
    uri = f"pkcs11:token=lab;object={label}"
    return Pkcs11Signer(uri, token, token_key(uri, token, pin()), pin())


@pytest.mark.extra
@pytest.mark.parametrize(("label", "algorithm"), [("ada", "ecdsa-p256"), ("lea", "ed25519")])
def test_a_key_in_a_token_signs_an_envelope(token, label, algorithm):
    signer = opened(token, label)
    assert signer.algorithm == algorithm
    envelope = sign_envelope("application/vnd.in-toto+json", b"{}", [signer])
    key = token_key(f"pkcs11:token=lab;object={label}", token, pin())
    assert signer.public == key.public
    assert verify_envelope(envelope, [key]) == (key,)


@pytest.mark.extra
def test_a_key_is_found_by_its_identifier(token):
    both = [token_key(f"pkcs11:token=lab;object=twin;id=%0{number}", token, pin()) for number in (3, 4)]
    assert both[0] != both[1]
    assert token_key("pkcs11:token=lab;id=%03;type=private", token, pin()) == both[0]


@pytest.mark.extra
def test_a_token_is_found_by_its_serial_number(token):
    import pkcs11  # noqa: PLC0415 - an extra

    serial = pkcs11.lib(token).get_token(**LAB).serial.decode()
    assert token_key(f"pkcs11:serial={serial};object=lea", token, pin()) == token_key(
        "pkcs11:token=lab;object=lea", token, pin()
    )


@pytest.mark.extra
def test_signatures_come_one_after_the_other_and_from_several_signers(token):
    ada, lea = opened(token, "ada"), opened(token, "lea")
    for number in range(5):
        for signer in (ada, lea):
            assert signer.sign(b"%d" % number)


@pytest.mark.extra
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("pkcs11:token=lab;object=nobody", "token-keyless"),
        ("pkcs11:token=lab;object=twin", "token-keyless"),
        ("pkcs11:token=other;object=ada", "token-refused"),
        ("pkcs11:token=lab;object=wide", "token-key-unfit"),
    ],
)
def test_a_uri_that_does_not_name_one_key_of_ours_is_refused(token, uri, code):
    assert refusal(token_key, uri, token, pin()).code == code


@pytest.mark.extra
def test_the_private_key_of_another_public_key_is_refused(token):
    other = public_of(generate("ed25519"))
    wrong = refusal(Pkcs11Signer("pkcs11:token=lab;object=lea", token, other, pin()).sign, b"message")
    assert (wrong.kind, wrong.code) == ("untrusted", "token-signature")


@pytest.mark.extra
def test_a_wrong_pin_is_tried_once(token):
    asked = []

    def wrong():
        asked.append(1)
        return "654321"

    key = token_key("pkcs11:token=lab;object=lea", token, pin())
    signer = Pkcs11Signer("pkcs11:token=lab;object=lea", token, key, wrong)
    for _ in range(5):
        error = refusal(signer.sign, b"message")
        assert error.code == "pin-wrong"
        assert "654321" not in f"{error}{error.hint}"
    assert asked == [1]
    assert opened(token, "lea").sign(b"message")


@pytest.mark.extra
def test_a_file_that_is_no_library_is_refused(token, tmp_path):
    path = tmp_path / "token.so"
    path.write_bytes(b"no library")
    assert token
    assert refusal(token_key, "pkcs11:token=lab;object=ada", str(path), pin()).code == "token-refused"


@pytest.mark.parametrize("module", ["token.so", "/does/not/exist.so", "/usr"])
def test_a_library_is_named_by_its_whole_path(module):
    if find_spec("pkcs11") is None:
        pytest.skip("the extra `pkcs11` is not installed")
    assert refusal(token_key, "pkcs11:token=lab;object=ada", module, pin()).code == "module-missing"


def test_without_the_extra_a_token_is_refused_with_what_to_install(tmp_path):
    """In a fresh interpreter in which nothing but the base dependencies can be imported."""
    program = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from scalegate.adapters.signers.pkcs11 import token_key\n"
        "token_key('pkcs11:token=lab;object=ada', '/x.so', str)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ}
    )
    assert "keys in tokens need the extra `pkcs11`" in said.stderr


# ---------------------------------------------------------------- URIs


def test_a_uri_names_a_token_and_a_key():
    assert parse_uri("pkcs11:token=acme%20lab;object=ada;id=%01%ff;type=private") == TokenUri(
        "acme lab", "", "ada", b"\x01\xff"
    )


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "start with"),
        ("file:token=lab;object=ada", "start with"),
        ("pkcs11:", "parts"),
        ("pkcs11:token=lab", "no token or no key"),
        ("pkcs11:object=ada", "no token or no key"),
        ("pkcs11:token=lab;object=ada?pin-value=1234", "query"),
        ("pkcs11:token=lab;object=ada?module-path=x.so", "query"),
        ("pkcs11:token=lab;object=ada;pin-value=1234", "parts"),
        ("pkcs11:token=lab;token=lab;object=ada", "parts"),
        ("pkcs11:token=lab;object=ada;slot-id=1", "parts"),
        ("pkcs11:token=lab;object=ada;type=public", "type"),
        ("pkcs11:token=lab;object=%ff", "UTF-8"),
        ("pkcs11:token=lab;object=%4", "parts"),
        ("pkcs11:token=lab;object=a b", "parts"),
        ("pkcs11:token=lab;object=ada;", "parts"),
        ("pkcs11:token=lab;object=" + "a" * 3_000, "characters"),
    ],
)
def test_another_uri_is_refused_with_a_reason(uri, reason):
    wrong = refusal(parse_uri, uri)
    assert wrong.code == "uri-unfit"
    assert reason in wrong.message
    assert "1234" not in f"{wrong}{wrong.hint}"


@given(st.text(max_size=60))
def test_any_text_is_refused_or_the_label_of_a_key_and_nothing_else(text):
    try:
        found = parse_uri("pkcs11:token=lab;object=" + text)
    except SignerError:
        return
    assert (found.token, found.serial) == ("lab", "")
    assert found.label or text.startswith("%")


@given(st.text(min_size=1, max_size=40))
def test_every_label_can_be_written_in_a_uri(label):
    assert parse_uri(f"pkcs11:token=lab;object={quote(label, safe='')}").label == label


def test_tokens_are_not_asked_for_ml_dsa():
    from tests.ledger.signers import MlDsa44Signer, has_ml_dsa_44, key_of  # noqa: PLC0415

    if not has_ml_dsa_44():
        pytest.skip("the installed library has no ML-DSA-44")
    key = key_of(MlDsa44Signer())
    assert refusal(Pkcs11Signer, "pkcs11:token=lab;object=ada", "/x.so", key, pin()).code == "token-algorithm"
