"""Sigstore bundles: those of the conformance suite, what we write, and what is refused."""

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.dsse import IN_TOTO, Envelope, EnvelopeSignature, sign_envelope
from scalegate.ledger.signatures import KeyFormatError, key_from_pem
from scalegate.ledger.sigstore import (
    MEDIA_TYPE,
    Bundle,
    BundleError,
    BundleUncheckableError,
    MessageSignature,
    format_bundle,
    parse_bundle,
    verify_bundle,
)
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

LAB, STRANGER, CURVE = Ed25519Signer("lab"), Ed25519Signer("stranger"), P256Signer()
ARTIFACT = b"weights"
DIGEST = hashlib.sha256(ARTIFACT).hexdigest()
BODY = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "weights", "digest": {"sha256": DIGEST}}],
    "predicateType": "https://example.com/decision/v1",
    "predicate": {"permitted": False},
}
ENVELOPE = sign_envelope(IN_TOTO, canonical_bytes(BODY), [LAB])
HINT = key_of(LAB).digest
DATA = format_bundle(ENVELOPE, HINT)
MESSAGE = {
    "mediaType": MEDIA_TYPE,
    "verificationMaterial": {"publicKey": {"hint": "x"}},
    "messageSignature": {
        "messageDigest": {
            "algorithm": "SHA2_256",
            "digest": base64.b64encode(hashlib.sha256(ARTIFACT).digest()).decode(),
        },
        "signature": base64.b64encode(CURVE.sign(ARTIFACT)).decode(),
    },
}


def written(value):
    return json.dumps(value).encode()


def changed(path, value, start=None):
    """The JSON of a bundle with one place of it set, or taken away where the value is `...`."""
    whole = json.loads(DATA) if start is None else json.loads(json.dumps(start))
    *folders, last = path.split("/")
    at = whole
    for name in folders:
        at = at[name]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return written(whole)


# ---------------------------------------------------------------- the conformance suite


@pytest.fixture(scope="session")
def assets(shared_data):
    return shared_data / "vectors/sigstore-conformance/test/assets"


def refusal_of(assets, case, artifact):
    """Verify a case as the suite asks; what it was refused for, or None."""
    folder = assets / "bundle-verify" / case
    try:
        key = key_from_pem((folder / "key.pub").read_text())
    except FileNotFoundError:
        # The suite then asks for a certificate of somebody, and a bundle of another kind is wrong whoever that is.
        key = key_of(STRANGER)
    except KeyFormatError as error:
        return error
    try:
        verify_bundle(parse_bundle((folder / "bundle.sigstore.json").read_bytes()), key, artifact)
    except BundleError as error:
        return error
    return None


MANAGED = [
    "managed-key-and-trusted-root",
    "managed-key-happy-path",
    "managed-key-no-key_fail",
    "managed-key-wrong-key_fail",
]


@pytest.mark.parametrize("by", ["bytes", "digest"])
@pytest.mark.parametrize("case", MANAGED)
def test_managed_key_cases_of_the_conformance_suite(assets, case, by):
    data = (assets / "a.txt").read_bytes()
    artifact = data if by == "bytes" else f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (refusal_of(assets, case, artifact) is not None) == case.endswith("_fail")


def test_no_managed_key_case_of_the_conformance_suite_is_left_out(assets):
    bundles = sorted((assets / "bundle-verify").glob("*/bundle.sigstore.json"))
    assert [path.parent.name for path in bundles if b'"publicKey":{"hint"' in path.read_bytes()] == MANAGED


def test_a_case_that_rests_on_a_certificate_is_never_verified(assets):
    artifact, said = (assets / "a.txt").read_bytes(), {}
    for path in sorted((assets / "bundle-verify").glob("*/bundle.sigstore.json")):
        if path.parent.name not in MANAGED:
            said[path.parent.name] = refusal_of(assets, path.parent.name, artifact)
    assert len(said) == 66
    assert all(isinstance(error, BundleError) for error in said.values())
    # Of the current version, and well-formed: refused because nothing can be said, and in these words.
    unsure = {name for name, error in said.items() if isinstance(error, BundleUncheckableError)}
    assert {"happy-path-v0.3", "happy-path-v0.3-new-mediaType", "rekor2-happy-path"} <= unsure
    assert all("cannot be checked here" in str(said[name]) for name in unsure)
    assert "version=0.1" in str(said["happy-path-v0.1"])
    assert "version=0.2" in str(said["happy-path-v0.2"])
    assert "version=99.9" in str(said["bundle-unknown-version_fail"])


def test_a_managed_key_case_under_another_good_key_is_refused(assets):
    bundle = parse_bundle((assets / "bundle-verify/managed-key-happy-path/bundle.sigstore.json").read_bytes())
    for artifact in ((assets / "a.txt").read_bytes(), "sha256:" + bundle.content.digest.hex()):
        with pytest.raises(BundleError, match="did not sign"):
            verify_bundle(bundle, key_of(CURVE), artifact)


def test_log_entries_and_timestamps_are_said_to_be_unchecked(assets):
    folder = assets / "bundle-verify/managed-key-happy-path"
    key = key_from_pem((folder / "key.pub").read_text())
    bundle = parse_bundle((folder / "bundle.sigstore.json").read_bytes())
    said = verify_bundle(bundle, key, (assets / "a.txt").read_bytes())
    assert said.checked == ("the key signed the artifact",)
    assert said.unchecked == ("entries of transparency logs in the bundle: 1", "signed timestamps in the bundle: 1")


# ---------------------------------------------------------------- what we write


@pytest.mark.parametrize("signer", [LAB, CURVE])
def test_what_is_written_is_read_back_and_good(signer):
    envelope = sign_envelope(IN_TOTO, canonical_bytes(BODY), [signer])
    bundle = parse_bundle(format_bundle(envelope, "lab-2026"))
    assert bundle == Bundle("publicKey", "lab-2026", envelope)
    for artifact in (ARTIFACT, f"sha256:{DIGEST}"):
        said = verify_bundle(bundle, key_of(signer), artifact)
        assert said.checked == ("the key signed the payload and its type", "the artifact is a subject of the statement")
        assert said.unchecked == ()
    assert verify_bundle(bundle, key_of(signer)).unchecked == ("which artifact the statement is about",)


def test_the_form_is_that_of_the_specification():
    value = json.loads(DATA)
    assert set(value) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert value["verificationMaterial"] == {"publicKey": {"hint": HINT}, "tlogEntries": []}


@pytest.mark.parametrize(
    ("envelope", "hint"),
    [
        (sign_envelope(IN_TOTO, b"{}", [LAB, CURVE]), "two signatures"),
        (Envelope(IN_TOTO, b"{}", ()), "no signature"),
        (Envelope("", b"{}", (EnvelopeSignature(b"x"),)), "no type"),
        (ENVELOPE, "half a pair \ud800"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(envelope, hint):
    with pytest.raises(BundleError):
        format_bundle(envelope, hint)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_of_a_bundle_can_be_changed_to_say_something_else(at, by):
    data = bytearray(DATA)
    data[at] ^= by
    try:
        content = verify_bundle(parse_bundle(bytes(data)), key_of(LAB)).bundle.content
    except BundleError:
        return
    # Only hints are left to change: they decide nothing.
    assert (content.payload_type, content.payload) == (ENVELOPE.payload_type, ENVELOPE.payload)
    assert content.signatures[0].signature == ENVELOPE.signatures[0].signature


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_that_are_no_bundle_are_refused(data):
    with pytest.raises(BundleError):
        parse_bundle(data)


# ---------------------------------------------------------------- attacks


def test_a_hint_at_the_right_key_does_not_make_a_signature_good():
    forged = sign_envelope(IN_TOTO, canonical_bytes(BODY), [STRANGER])
    with pytest.raises(BundleError, match="did not sign"):
        verify_bundle(parse_bundle(format_bundle(forged, HINT)), key_of(LAB), ARTIFACT)


def test_a_hint_at_a_wrong_key_does_not_make_a_signature_bad():
    said = verify_bundle(parse_bundle(format_bundle(ENVELOPE, key_of(STRANGER).digest)), key_of(LAB), ARTIFACT)
    assert len(said.checked) == 2


def test_a_payload_under_another_type_is_refused():
    bundle = parse_bundle(changed("dsseEnvelope/payloadType", "application/json"))
    with pytest.raises(BundleError, match="did not sign"):
        verify_bundle(bundle, key_of(LAB))


def test_an_artifact_that_the_statement_is_not_about_is_refused():
    with pytest.raises(BundleError, match="no subject"):
        verify_bundle(parse_bundle(DATA), key_of(LAB), b"other weights")


def test_a_payload_that_is_no_statement_is_about_no_artifact():
    bundle = parse_bundle(format_bundle(sign_envelope("text/plain", ARTIFACT, [LAB]), HINT))
    assert verify_bundle(bundle, key_of(LAB)).checked == ("the key signed the payload and its type",)
    with pytest.raises(BundleError, match="no in-toto statement"):
        verify_bundle(bundle, key_of(LAB), ARTIFACT)


def test_an_envelope_stripped_of_its_signature_after_reading_is_refused():
    bundle = replace(parse_bundle(DATA), content=replace(ENVELOPE, signatures=()))
    with pytest.raises(BundleError, match="exactly one signature"):
        verify_bundle(bundle, key_of(LAB))


def test_the_key_inside_a_bundle_is_not_the_key_that_counts():
    forged = sign_envelope(IN_TOTO, canonical_bytes(BODY), [CURVE])
    named = {"rawBytes": base64.b64encode(key_of(CURVE).spki).decode(), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    data = changed("verificationMaterial/publicKey", named, json.loads(format_bundle(forged, "x")))
    assert parse_bundle(data).hint == ""
    with pytest.raises(BundleError, match="did not sign"):
        verify_bundle(parse_bundle(data), key_of(LAB), ARTIFACT)


def test_a_certificate_beside_a_good_signature_does_not_pass_for_a_key():
    chain = {"certificates": [{"rawBytes": "AAAA"}]}
    bundle = parse_bundle(changed("verificationMaterial", {"x509CertificateChain": chain}))
    assert bundle.material == "x509CertificateChain"
    with pytest.raises(BundleUncheckableError, match="cannot be checked here"):
        verify_bundle(bundle, key_of(LAB), ARTIFACT)


# ---------------------------------------------------------------- signed messages


def test_a_signed_message_is_good_by_its_bytes_and_by_its_digest():
    bundle = parse_bundle(written(MESSAGE))
    for artifact in (ARTIFACT, f"sha256:{DIGEST}"):
        assert verify_bundle(bundle, key_of(CURVE), artifact).checked == ("the key signed the artifact",)


def test_a_signed_message_is_good_without_the_digest_that_nobody_signed():
    bundle = parse_bundle(changed("messageSignature/messageDigest", ..., MESSAGE))
    assert bundle.content == MessageSignature(bundle.content.signature)
    assert verify_bundle(bundle, key_of(CURVE), ARTIFACT).unchecked == ()
    for other in (b"other", "sha256:" + hashlib.sha256(b"other").hexdigest()):
        with pytest.raises(BundleError, match="did not sign"):
            verify_bundle(bundle, key_of(CURVE), other)


def test_a_digest_that_is_not_the_artifacts_is_refused_though_the_signature_is_good():
    data = changed("messageSignature/messageDigest/digest", base64.b64encode(bytes(32)).decode(), MESSAGE)
    with pytest.raises(BundleError, match="and not about"):
        verify_bundle(parse_bundle(data), key_of(CURVE), ARTIFACT)


def test_a_signed_message_without_an_artifact_is_refused():
    with pytest.raises(BundleError, match="none was given"):
        verify_bundle(parse_bundle(written(MESSAGE)), key_of(CURVE))


def test_a_digest_does_not_tell_what_an_ed25519_key_signed():
    data = changed("messageSignature/signature", base64.b64encode(LAB.sign(ARTIFACT)).decode(), MESSAGE)
    assert verify_bundle(parse_bundle(data), key_of(LAB), ARTIFACT).checked
    with pytest.raises(BundleUncheckableError, match="give the artifact's bytes"):
        verify_bundle(parse_bundle(data), key_of(LAB), f"sha256:{DIGEST}")


def test_a_signature_with_bytes_behind_it_is_refused_by_digest_as_well():
    data = changed("messageSignature/signature", base64.b64encode(CURVE.sign(ARTIFACT) + b"\0").decode(), MESSAGE)
    for artifact in (ARTIFACT, f"sha256:{DIGEST}"):
        with pytest.raises(BundleError, match=r"(in|canonical) DER"):
            verify_bundle(parse_bundle(data), key_of(CURVE), artifact)


@pytest.mark.parametrize("artifact", ["", DIGEST, f"SHA256:{DIGEST}", f"sha256:{DIGEST.upper()}", f"sha256:{DIGEST}\n"])
def test_a_digest_has_one_spelling(artifact):
    with pytest.raises(BundleError, match="64 lower-case hex digits"):
        verify_bundle(parse_bundle(written(MESSAGE)), key_of(CURVE), artifact)


# ---------------------------------------------------------------- form


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("mediaType", ..., "only application"),
        ("mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.2", "only application"),
        ("mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json", "only application"),
        ("mediaType", ["application/vnd.dev.sigstore.bundle.v0.3+json"], "only application"),
        ("media_type", "x", "does not know"),
        ("dsseEnvelope", ..., "here there are 0"),
        ("messageSignature", MESSAGE["messageSignature"], "here there are 2"),
        ("verificationMaterial", ..., "has no verificationMaterial"),
        ("verificationMaterial", [], "no object"),
        ("verificationMaterial/publicKey", ..., "here there are 0"),
        ("verificationMaterial/certificate", {"rawBytes": "AAAA"}, "here there are 2"),
        ("verificationMaterial/publicKey/hint", ..., "no hint"),
        ("verificationMaterial/publicKey/hint", 1, "no text"),
        ("verificationMaterial/publicKey/keyId", "x", "does not know"),
        ("verificationMaterial/tlogEntries", {}, "no list of objects"),
        ("verificationMaterial/tlogEntries", [1], "no list of objects"),
        ("verificationMaterial/tlogEntries", [{}] * 65, "64 is the limit"),
        ("verificationMaterial/timestampVerificationData", {"rfc3161Timestamps": 1}, "no list of objects"),
        ("verificationMaterial/timestampVerificationData", {"times": []}, "does not know"),
        ("verificationMaterial", {"x509CertificateChain": {"certificates": []}}, "empty"),
        ("verificationMaterial", {"x509CertificateChain": {}}, "has no certificates"),
        ("verificationMaterial", {"certificate": {"rawBytes": "A"}}, "canonical base64"),
        ("verificationMaterial", {"certificate": {"rawBytes": ""}}, "empty one"),
        ("dsseEnvelope/signatures", [], "exactly one"),
        ("dsseEnvelope/signatures", [{"sig": "AAAA"}] * 2, "exactly one"),
        ("dsseEnvelope/signatures", [{"sig": "AAAA", "cert": "x"}], "does not know"),
        ("dsseEnvelope/payload", 1.5, "cannot be read"),
        ("dsseEnvelope/payload", "====", "cannot be read"),
        ("dsseEnvelope/extra", 1, "does not know"),
    ],
)
def test_another_form_is_refused(path, value, words):
    with pytest.raises(BundleError, match=words):
        parse_bundle(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("signature", ..., "has no signature"),
        ("signature", "", "empty one"),
        ("messageDigest/algorithm", "SHA2_512", "only SHA2_256"),
        ("messageDigest/algorithm", 1, "only SHA2_256"),
        ("messageDigest/digest", "AAAA", "32 bytes, not 3"),
        ("messageDigest/digest", ..., "has no digest"),
        ("messageDigest", None, "no object"),
    ],
)
def test_another_form_of_a_signed_message_is_refused(path, value, words):
    with pytest.raises(BundleError, match=words):
        parse_bundle(changed(f"messageSignature/{path}", value, MESSAGE))


def test_a_field_that_stands_twice_is_refused():
    twice = DATA.replace(b'"mediaType":', b'"mediaType":"x","mediaType":', 1)
    with pytest.raises(BundleError, match="stands twice"):
        parse_bundle(twice)


def test_a_giant_bundle_is_refused_unread():
    with pytest.raises(BundleError, match="is the limit"):
        parse_bundle(DATA + b" " * (1 << 20))


def test_the_older_spelling_of_the_version_is_read():
    data = changed("mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3")
    assert parse_bundle(data) == parse_bundle(DATA)
