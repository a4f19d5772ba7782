import base64
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.dsse import (
    IN_TOTO,
    MAX_ENVELOPE,
    DsseError,
    Envelope,
    EnvelopeSignature,
    Statement,
    Subject,
    format_envelope,
    pae,
    parse_envelope,
    parse_statement,
    read_json,
    sign_envelope,
    verify_envelope,
)
from scalegate.ledger.signatures import PublicKey, decode_dss_signature, key_from_pem
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, P256Signer, has_ml_dsa_44, key_of

LAB, AUDITOR, STRANGER = Ed25519Signer("lab"), P256Signer(), Ed25519Signer("stranger")
LAB_KEY, AUDITOR_KEY, STRANGER_KEY = map(key_of, (LAB, AUDITOR, STRANGER))
DIGEST = "ab" * 32
BODY = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "weights", "digest": {"sha256": DIGEST}}],
    "predicateType": "https://example.com/decision/v1",
    "predicate": {"permitted": False},
}
PAYLOAD = canonical_bytes(BODY)
ENVELOPE = sign_envelope(IN_TOTO, PAYLOAD, [LAB, AUDITOR])
DATA = format_envelope(ENVELOPE)


def around(body):
    """An envelope around a statement, which nobody signed."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Envelope(IN_TOTO, payload, (EnvelopeSignature(b"x"),))


# ---------------------------------------------------------------- published envelopes


def test_the_example_of_the_protocol_is_good(shared_data):
    example = json.loads((shared_data / "vectors/dsse/protocol_example.json").read_text())
    numbers = example["ecdsa_p256"]
    public = ec.EllipticCurvePublicNumbers(int(numbers["x"]), int(numbers["y"]), ec.SECP256R1()).public_key()
    key = PublicKey("ecdsa-p256", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    envelope = parse_envelope(json.dumps(example["envelope"]).encode())
    assert pae(example["payloadType"], example["body"].encode()) == example["pae"].encode()
    assert envelope.payload == example["body"].encode()
    assert verify_envelope(envelope, [LAB_KEY, key], example["payloadType"]) == (key,)


def test_the_verification_summary_of_google_is_good(shared_data):
    folder = shared_data / "vectors/slsa-vsa/cli/slsa-verifier/testdata/vsa/gce/v1"
    key = key_from_pem((folder / "vsa_signing_public_key.pem").read_text())
    data = (folder / "gke-gce-pre.bcid-vsa.jsonl").read_bytes()
    envelope = parse_envelope(data)
    assert envelope.signatures[0].key_id == "keystore://76574:prod:vsa_signing_public_key"
    assert verify_envelope(envelope, [key]) == (key,)
    statement = parse_statement(envelope)
    assert statement.subjects == (Subject((("gce_image_id", "8970095005306000053"),), "_"),)
    assert statement.predicate_type == "https://slsa.dev/verification_summary/v1"
    assert statement.predicate["verificationResult"] == "PASSED"
    changed = replace(envelope, payload=envelope.payload.replace(b"PASSED", b"FAILED"))
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(changed, [key])


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_rfc_8785_triples(shared_data, name):
    """Canonical bytes where there are no fractions; those have no canonical form here, and are refused.

    Fractions occur in `structures` (56.0) and `values`; with its integer written as one, `structures` agrees, too.
    """
    folder = shared_data / "vectors/rfc8785/testdata"
    source = (folder / f"input/{name}.json").read_bytes()
    expected = bytes.fromhex((folder / f"outhex/{name}.txt").read_text())
    assert (folder / f"output/{name}.json").read_bytes() == expected
    if name in {"structures", "values"}:
        with pytest.raises(TypeError, match="a Decimal has no canonical form"):
            canonical_bytes(read_json(source))
        with pytest.raises(TypeError, match="a float has no canonical form"):
            canonical_bytes(json.loads(source))
        source = source.replace(b"56.0", b"56")
    if name == "values":
        for member in ("string", "literals"):
            assert canonical_bytes({member: json.loads(source)[member]})[1:-1] in expected
    else:
        assert canonical_bytes(read_json(source)) == expected


# ---------------------------------------------------------------- laws

text = st.text(st.characters(codec="utf-8"), max_size=20)
envelopes = st.builds(
    Envelope,
    text.filter(bool),
    st.binary(max_size=60),
    st.lists(st.builds(EnvelopeSignature, st.binary(max_size=70), text), min_size=1, max_size=3).map(tuple),
)


@given(envelopes)
def test_an_envelope_comes_back_from_its_json(envelope):
    data = format_envelope(envelope)
    assert parse_envelope(data) == envelope
    assert canonical_bytes(json.loads(data)) == data


@given(st.tuples(text, st.binary(max_size=30)), st.tuples(text, st.binary(max_size=30)))
def test_different_pairs_have_different_encodings(left, right):
    assert (pae(*left) == pae(*right)) is (left == right)


@given(st.data())
def test_any_flipped_bit_of_payload_or_signature_fails(data):
    envelope = sign_envelope(IN_TOTO, PAYLOAD, [data.draw(st.sampled_from([LAB, AUDITOR]))])
    (signature,) = envelope.signatures
    target = data.draw(st.sampled_from(["payload", "signature", "payload_type"]))
    value = {"payload": PAYLOAD, "signature": signature.signature, "payload_type": IN_TOTO.encode()}[target]
    place = data.draw(st.integers(0, 1 << 20)) % (7 * len(value))
    changed = bytearray(value)
    # Seven bits only, so that the type stays text.
    changed[place // 7] ^= 1 << place % 7
    if target == "payload":
        envelope = replace(envelope, payload=bytes(changed))
    elif target == "signature":
        envelope = replace(envelope, signatures=(replace(signature, signature=bytes(changed)),))
    else:
        envelope = replace(envelope, payload_type=changed.decode())
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(envelope, [LAB_KEY, AUDITOR_KEY], envelope.payload_type)


# ---------------------------------------------------------------- who signed


def test_the_keys_that_signed_are_named_in_the_order_asked():
    assert verify_envelope(parse_envelope(DATA), [AUDITOR_KEY, STRANGER_KEY, LAB_KEY]) == (AUDITOR_KEY, LAB_KEY)
    assert verify_envelope(parse_envelope(DATA), [LAB_KEY]) == (LAB_KEY,)


def test_an_envelope_signed_by_strangers_is_refused():
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(ENVELOPE, [STRANGER_KEY])
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(ENVELOPE, [])


def test_key_ids_are_hints_only():
    lied = [replace(item, key_id=STRANGER_KEY.digest) for item in ENVELOPE.signatures]
    silent = [replace(item, key_id="") for item in ENVELOPE.signatures]
    swapped = [
        replace(item, key_id=other.key_id)
        for item, other in zip(ENVELOPE.signatures, reversed(ENVELOPE.signatures), strict=True)
    ]
    for signatures in (lied, silent, swapped):
        envelope = replace(ENVELOPE, signatures=tuple(signatures))
        assert verify_envelope(envelope, [LAB_KEY, STRANGER_KEY, AUDITOR_KEY]) == (LAB_KEY, AUDITOR_KEY)


def test_the_key_id_of_another_does_not_lend_their_signature():
    forged = replace(sign_envelope(IN_TOTO, PAYLOAD, [STRANGER]).signatures[0], key_id=LAB_KEY.digest)
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(replace(ENVELOPE, signatures=(forged,)), [LAB_KEY])


def test_one_key_signing_twice_counts_once():
    again = sign_envelope(IN_TOTO, PAYLOAD, [AUDITOR, AUDITOR, AUDITOR])
    assert verify_envelope(again, [AUDITOR_KEY, AUDITOR_KEY, LAB_KEY]) == (AUDITOR_KEY,)


def test_a_broken_signature_beside_a_good_one_is_ignored():
    broken = replace(ENVELOPE.signatures[0], signature=b"broken")
    assert verify_envelope(replace(ENVELOPE, signatures=(broken, ENVELOPE.signatures[1])), [LAB_KEY, AUDITOR_KEY]) == (
        AUDITOR_KEY,
    )


def test_raw_p256_signatures_are_taken():
    r, s = decode_dss_signature(ENVELOPE.signatures[1].signature)
    raw = EnvelopeSignature(r.to_bytes(32) + s.to_bytes(32))
    assert verify_envelope(replace(ENVELOPE, signatures=(raw,)), [AUDITOR_KEY]) == (AUDITOR_KEY,)
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(replace(ENVELOPE, signatures=(EnvelopeSignature(bytes(64)),)), [AUDITOR_KEY])


@pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")
def test_ml_dsa_44_signs_envelopes():
    signer = MlDsa44Signer()
    envelope = parse_envelope(format_envelope(sign_envelope(IN_TOTO, PAYLOAD, [LAB, signer])))
    assert verify_envelope(envelope, [key_of(signer), LAB_KEY]) == (key_of(signer), LAB_KEY)


def test_a_swapped_payload_type_is_refused():
    swapped = replace(ENVELOPE, payload_type="application/json")
    with pytest.raises(DsseError, match="was expected"):
        verify_envelope(swapped, [LAB_KEY])
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(swapped, [LAB_KEY], "application/json")
    with pytest.raises(DsseError, match="no in-toto statement"):
        parse_statement(swapped)


def test_what_is_moved_between_type_and_payload_is_refused():
    envelope = sign_envelope("a", b"b 1 c", [LAB])
    moved = replace(envelope, payload_type="a 5 b", payload=b"c")
    assert verify_envelope(envelope, [LAB_KEY], "a") == (LAB_KEY,)
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(moved, [LAB_KEY], "a 5 b")


def test_a_signature_of_the_bare_payload_is_refused():
    bare = replace(ENVELOPE, signatures=(EnvelopeSignature(LAB.sign(PAYLOAD)),))
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(bare, [LAB_KEY])


def test_a_signer_that_errs_is_noticed():
    class Broken(Ed25519Signer):
        def sign(self, message):
            return super().sign(message + b"!")

    with pytest.raises(DsseError, match="did not sign well"):
        sign_envelope(IN_TOTO, PAYLOAD, [Broken()])
    with pytest.raises(DsseError, match="nobody signs"):
        sign_envelope(IN_TOTO, PAYLOAD, [])


# ---------------------------------------------------------------- bytes that are no envelope


def envelope_json(**changes):
    value = {"payload": "e30=", "payloadType": "t", "signatures": [{"sig": "AAAA"}]} | changes
    return json.dumps({key: item for key, item in value.items() if item is not ...}).encode()


def test_both_forms_of_base64_are_read_and_unknown_fields_ignored():
    data = envelope_json(payload="-_-_", extra=1, signatures=[{"sig": "+/+/", "keyid": None, "cert": "x"}])
    assert parse_envelope(data) == Envelope("t", b"\xfb\xff\xbf", (EnvelopeSignature(b"\xfb\xff\xbf"),))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"[]", "no object", id="a-list"),
        pytest.param(envelope_json() + b"{}", "not JSON", id="trailing-object"),
        pytest.param(envelope_json() + b"\0", "not JSON", id="trailing-nul"),
        pytest.param(b"\xef\xbb\xbf" + envelope_json(), "not JSON", id="byte-order-mark"),
        pytest.param(envelope_json()[:-1] + b"\xff}", "not UTF-8", id="invalid-utf8"),
        pytest.param(b'{"payload":"","payload":"e30="}', "stands twice", id="duplicate-key"),
        pytest.param(b'{"a":[{"b":1,"\\u0062":2}]}', "stands twice", id="duplicate-key-inside-escaped"),
        pytest.param(b'{"a":NaN}', "NaN is no JSON", id="nan"),
        pytest.param(b'{"a":-Infinity}', "-Infinity is no JSON", id="infinity"),
        pytest.param(b'{"a":1e999999999}', "beyond any quantity", id="endless-exponent"),
        pytest.param(b'{"a":0e999999999}', "beyond any quantity", id="endless-zero"),
        pytest.param(b'{"a":1e99999999999999999999}', "beyond any quantity", id="exponent-beyond-decimal"),
        pytest.param(b'{"a":' + b"9" * 401 + b"}", "401 digits", id="endless-integer"),
        pytest.param(b'{"a":"\\ud800"}', "surrogate", id="lone-surrogate"),
        pytest.param(b'[{"\\udfff":1}]', "surrogate", id="lone-surrogate-in-key"),
        pytest.param(b"[" * 65 + b"]" * 65, "64 levels", id="deep"),
        pytest.param(b"[" * 100_000, "64 levels", id="deep-and-open"),
        pytest.param(b'"' + b'\\"' * 100_000, "not JSON", id="open-string"),
        pytest.param(b" " * MAX_ENVELOPE + b"{}", "is the limit", id="giant"),
        pytest.param(envelope_json(payloadType=...), "no text payloadType", id="no-type"),
        pytest.param(envelope_json(payloadType=""), "is empty", id="empty-type"),
        pytest.param(envelope_json(payloadType=1), "no text payloadType", id="type-is-a-number"),
        pytest.param(envelope_json(payload=...), "no text payload", id="no-payload"),
        pytest.param(envelope_json(payload={}), "no text payload", id="payload-is-an-object"),
        pytest.param(envelope_json(payload="e30"), "canonical base64", id="no-padding"),
        pytest.param(envelope_json(payload="e31="), "canonical base64", id="loose-bits"),
        pytest.param(envelope_json(payload="e30=\n"), "canonical base64", id="newline"),
        pytest.param(envelope_json(payload="-_+/"), "mixes two forms", id="mixed-base64"),
        pytest.param(envelope_json(signatures=...), "no list signatures", id="no-signatures"),
        pytest.param(envelope_json(signatures=[]), "empty one", id="empty-signatures"),
        pytest.param(envelope_json(signatures={}), "no list signatures", id="signatures-is-an-object"),
        pytest.param(envelope_json(signatures=["AAAA"]), "no object", id="signature-is-text"),
        pytest.param(envelope_json(signatures=[{"keyid": "x"}]), "no text sig", id="no-sig"),
        pytest.param(envelope_json(signatures=[{"sig": "AAAA", "keyid": 1}]), "no text keyid", id="key-id-is-a-number"),
        pytest.param(envelope_json(signatures=[{"sig": "AAAA"}] * 33), "33 signatures", id="many-signatures"),
    ],
)
def test_what_is_no_envelope_is_refused(data, reason):
    with pytest.raises(DsseError, match=reason):
        parse_envelope(data)


def test_what_could_not_be_read_back_is_not_written():
    with pytest.raises(DsseError, match="is empty"):
        format_envelope(replace(ENVELOPE, payload_type=""))
    with pytest.raises(DsseError, match="surrogate"):
        format_envelope(replace(ENVELOPE, payload_type="\ud800"))
    with pytest.raises(DsseError, match="empty one"):
        format_envelope(replace(ENVELOPE, signatures=()))


# ---------------------------------------------------------------- statements


def test_a_statement_is_read():
    expected = Statement(
        (Subject((("sha256", DIGEST),), "weights"),), "https://example.com/decision/v1", {"permitted": False}
    )
    assert parse_statement(ENVELOPE) == expected


def test_what_a_statement_may_leave_out():
    body = BODY | {"subject": [{"digest": {"sha512": "0" * 128, "gitCommit": "abc"}}], "future": 1}
    del body["predicate"]
    found = parse_statement(around(body))
    assert found.subjects == (Subject((("gitCommit", "abc"), ("sha512", "0" * 128))),)
    assert found.predicate == {}


def test_fractions_in_a_predicate_stay_exact():
    found = parse_statement(around(BODY | {"predicate": {"score": 0.1}}))
    assert found.predicate == {"score": Decimal("0.1")}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"{}", "no text _type", id="nothing"),
        pytest.param(b"\xff", "not UTF-8", id="invalid-utf8"),
        pytest.param(PAYLOAD[:-1] + b',"subject":[]}', "'subject' stands twice", id="second-subject"),
        pytest.param(PAYLOAD + b"x", "not JSON", id="trailing-text"),
        pytest.param(BODY | {"_type": "https://in-toto.io/Statement/v0.1"}, "of version", id="old-version"),
        pytest.param(BODY | {"subject": []}, "empty one", id="no-subject"),
        pytest.param(BODY | {"subject": [{}] * 4_097}, "is the limit", id="many-subjects"),
        pytest.param(BODY | {"subject": [{"name": "x"}]}, "is no object", id="subject-without-digest"),
        pytest.param(BODY | {"subject": [{"digest": {}}]}, "no digest", id="empty-digest"),
        pytest.param(BODY | {"subject": [{"digest": {"sha256": 1}}]}, "is a text", id="digest-is-a-number"),
        pytest.param(BODY | {"subject": [{"digest": {"sha256": ""}}]}, "is a text", id="digest-is-empty"),
        pytest.param(BODY | {"subject": [{"digest": {"sha256": "ab"}}]}, "64 lower-case", id="short-digest"),
        pytest.param(BODY | {"subject": [{"digest": {"sha256": "AB" * 32}}]}, "64 lower-case", id="upper-case"),
        pytest.param(BODY | {"subject": [{"name": 1, "digest": {"a": "b"}}]}, "no text name", id="name-is-a-number"),
        pytest.param(BODY | {"predicateType": ""}, "which type its predicate has", id="no-predicate-type"),
        pytest.param(BODY | {"predicateType": None}, "no text predicateType", id="null-predicate-type"),
        pytest.param(BODY | {"predicate": []}, "the predicate is no object", id="predicate-is-a-list"),
    ],
)
def test_what_is_no_statement_is_refused(body, reason):
    with pytest.raises(DsseError, match=reason):
        parse_statement(around(body))


def test_sign_covers_the_bytes_and_not_their_meaning():
    spaced = json.dumps(BODY, indent=1).encode()
    assert parse_statement(around(spaced)) == parse_statement(ENVELOPE)
    with pytest.raises(DsseError, match="none of the known keys"):
        verify_envelope(replace(ENVELOPE, payload=spaced), [LAB_KEY])
    assert base64.b64encode(PAYLOAD) in DATA
