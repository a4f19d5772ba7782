"""The verifier of Sigstore in JavaScript takes our bundles."""

import json
from dataclasses import replace

import pytest

from scalegate.ledger.dsse import EnvelopeSignature
from scalegate.ledger.sigstore import format_bundle
from tests.foreign.emitted import HOLD, KEYS, PERMIT, SIGNERS, STRANGER, encoded, envelope_of, with_payload
from tests.foreign.programs import HERE, node_modules, run

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def ask():
    """Asks the foreign verifier about bundles with keys, all at once."""
    folder = node_modules()

    def asked(*pairs):
        questions = [
            {"bundle": bundle.decode(), "hint": key.digest, "spki": encoded(key.spki)} for bundle, key in pairs
        ]
        return json.loads(run(["node", str(HERE / "verify_bundle.mjs"), str(folder)], input=json.dumps(questions)))

    return asked


def bundle_of(envelope, algorithm):
    return format_bundle(envelope, KEYS[algorithm].digest)


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_sigstore_takes_our_bundles(ask, algorithm):
    events = (PERMIT, HOLD)
    bundles = [bundle_of(envelope_of(event, SIGNERS[algorithm]), algorithm) for event in events]
    assert ask(*((bundle, KEYS[algorithm]) for bundle in bundles)) == ["ok", "ok"]


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_sigstore_refuses_what_was_changed(ask, algorithm):
    good = envelope_of(HOLD, SIGNERS[algorithm])
    signature = good.signatures[0]
    other = bytes([*signature.signature[:-1], signature.signature[-1] ^ 1])
    changed = [
        with_payload(good, b'"answer":"hold"', b'"answer":"permit"'),
        with_payload(good, b"train", b"release.weights"),
        replace(good, payload_type="application/vnd.in-toto+jsonp"),
        replace(good, signatures=(EnvelopeSignature(other, signature.key_id),)),
    ]
    questions = [(bundle_of(envelope, algorithm), KEYS[algorithm]) for envelope in changed]
    answers = ask(*questions)
    assert all(answer.startswith("VerificationError") for answer in answers), answers


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_sigstore_refuses_our_bundle_under_another_key(ask, algorithm):
    bundle = format_bundle(envelope_of(HOLD, SIGNERS[algorithm]), STRANGER.digest)
    unknown = bundle_of(envelope_of(HOLD, SIGNERS[algorithm]), algorithm)
    answers = ask((bundle, STRANGER), (unknown, STRANGER))
    assert answers[0].startswith("VerificationError")
    assert "key not found" in answers[1]
