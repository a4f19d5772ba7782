"""securesystemslib, which in-toto and TUF build on, takes our envelopes, with a threshold of keys."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from scalegate.ledger.dsse import format_envelope
from tests.foreign.emitted import AUDITOR, GATE, HOLD, KEYS, PERMIT, STRANGER, envelope_of, with_payload

pytestmark = pytest.mark.extra
dsse = pytest.importorskip("securesystemslib.dsse", reason="needs the extra `foreign`")
exceptions = pytest.importorskip("securesystemslib.exceptions", reason="needs the extra `foreign`")
signer = pytest.importorskip("securesystemslib.signer", reason="needs the extra `foreign`")
SCHEMES = {"ed25519": ("ed25519", "ed25519"), "ecdsa-p256": ("ecdsa", "ecdsa-sha2-nistp256")}


def foreign(key):
    """The same public key in the types of securesystemslib."""
    public = load_der_public_key(key.spki)
    if key.algorithm == "ed25519":
        text = key.public.hex()
    else:
        text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return signer.SSlibKey(key.digest, *SCHEMES[key.algorithm], {"public": text})


GATE_KEY, AUDITOR_KEY = (foreign(KEYS[name]) for name in ("ed25519", "ecdsa-p256"))


def accepted(envelope, keys, threshold):
    """Digests of the keys that it counts."""
    return set(dsse.Envelope.from_dict(json.loads(format_envelope(envelope))).verify(keys, threshold))


@pytest.mark.parametrize("event", [PERMIT, HOLD], ids=["permit", "hold"])
def test_securesystemslib_takes_our_envelopes(event):
    envelope = envelope_of(event, GATE, AUDITOR)
    assert accepted(envelope, [GATE_KEY], 1) == {GATE_KEY.keyid}
    assert accepted(envelope, [AUDITOR_KEY], 1) == {AUDITOR_KEY.keyid}
    assert accepted(envelope, [GATE_KEY, AUDITOR_KEY], 2) == {GATE_KEY.keyid, AUDITOR_KEY.keyid}
    assert dsse.Envelope.from_dict(json.loads(format_envelope(envelope))).payload == envelope.payload


@pytest.mark.parametrize(
    "change",
    [
        lambda envelope: with_payload(envelope, b'"answer":"hold"', b'"answer":"permit"'),
        lambda envelope: replace(envelope, payload_type="application/vnd.in-toto+xml"),
        lambda envelope: replace(envelope, signatures=envelope.signatures[1:]),
    ],
    ids=["a hold made a permit", "another type", "a signature less"],
)
def test_securesystemslib_refuses_what_was_changed(change):
    envelope = change(envelope_of(HOLD, GATE, AUDITOR))
    with pytest.raises(exceptions.VerificationError):
        accepted(envelope, [GATE_KEY, AUDITOR_KEY], 2)


def test_securesystemslib_refuses_our_envelope_for_another_key():
    stranger = foreign(STRANGER)
    posing = signer.SSlibKey(GATE_KEY.keyid, stranger.keytype, stranger.scheme, stranger.keyval)
    for key in (stranger, posing):
        with pytest.raises(exceptions.VerificationError):
            accepted(envelope_of(HOLD, GATE), [key], 1)


def test_one_signer_is_not_two_for_securesystemslib():
    envelope = envelope_of(PERMIT, GATE)
    with pytest.raises(exceptions.VerificationError):
        accepted(envelope, [GATE_KEY, AUDITOR_KEY], 2)
