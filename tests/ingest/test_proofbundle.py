import base64
import copy
import hashlib
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest.proofbundle import ReceiptError, read_receipt
from scalegate.ingest.read import read_log
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.proof import Prover
from scalegate.ledger.signatures import PublicKey
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

ISSUER, STRANGER = Ed25519Signer("issuer"), Ed25519Signer("stranger")
KEY = key_of(ISSUER)
EARLIER = [b"a receipt", b"another"]
COMMITMENT = "sha256:" + "ab" * 32


def encoded(data):
    return base64.b64encode(data).decode()


def url_encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def claim_of(signer=ISSUER, **changes):
    claim = {
        "schema": "proofbundle/eval-claim/v0.1",
        "suite": "cyber-range",
        "suite_version": "1.2",
        "metric": "accuracy",
        "comparator": "<=",
        "threshold": "0.20",
        "passed": True,
        "n": 200,
        "model_id_commit": COMMITMENT,
        "dataset_id_commit": COMMITMENT,
        "commit_alg": "sha256-salted-v1",
        "issuer": "ed25519:" + encoded(signer.public),
        "timestamp": "2026-10-01T00:00:00Z",
        "assurance_level": "third_party",
    }
    return {name: value for name, value in (claim | changes).items() if value is not None}


def bundle_of(claim, signer=ISSUER, **more):
    """A receipt in the form of proofbundle 6.3, signed anew."""
    payload = claim if isinstance(claim, bytes) else json.dumps(claim, sort_keys=True, separators=(",", ":")).encode()
    tree = Tree(map(leaf_hash, [*EARLIER, payload]))
    prover = Prover(tree.node, 3)
    return {
        "schema": "proofbundle/v0.1",
        "payload_b64": encoded(payload),
        "signature": {
            "alg": "ed25519",
            "public_key_b64": encoded(signer.public),
            "sig_b64": encoded(signer.sign(payload)),
        },
        "merkle": {
            "hash_alg": "sha256-rfc6962",
            "leaf_index": 2,
            "tree_size": 3,
            "inclusion_proof_b64": [encoded(item) for item in prover.inclusion(2)],
            "root_b64": encoded(prover.root),
        },
        **more,
    }


def with_score(claim, score="0.185", signer=ISSUER, stated=None, disclosures=None, header=None, tail=""):
    """A receipt with an SD-JWT that discloses the score."""
    bundle = bundle_of(claim)
    if disclosures is None:
        disclosures = [["c2FsdA", "exact_score", score]]
    texts = [url_encoded(json.dumps(item).encode()) for item in disclosures]
    payload = {
        **{name: claim[name] for name in ("passed", "threshold", "comparator", "suite", "issuer")},
        "receipt": {"root_b64": bundle["merkle"]["root_b64"]},
        "vct": "https://example.com/receipt",
        "_sd": [url_encoded(hashlib.sha256(text.encode()).digest()) for text in texts],
        "_sd_alg": "sha-256",
        **(stated or {}),
    }
    parts = [
        url_encoded(json.dumps(part).encode()) for part in (header or {"alg": "EdDSA", "typ": "dc+sd-jwt"}, payload)
    ]
    message = ".".join(parts)
    jwt = f"{message}.{url_encoded(signer.sign(message.encode()))}"
    compact = "~".join([jwt, *texts]) + "~" + tail
    return bundle | {"sd_jwt_vc": {"compact": compact, "issuer_public_key_b64": encoded(ISSUER.public)}}


def read(bundle, issuers=(KEY,)):
    return read_receipt(json.dumps(bundle).encode(), issuers)


def lacking(reading):
    """Codes of what is not known about the origin."""
    return {finding.code for finding in reading.findings if finding.severity == "provenance"}


# ---------------------------------------------------------------- what is read


def test_a_receipt_is_what_its_issuer_signed():
    data = json.dumps(bundle_of(claim_of())).encode()
    receipt = read_receipt(data, [key_of(STRANGER), KEY])
    assert receipt.issuer == KEY
    assert receipt.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert (receipt.suite, receipt.metric, receipt.n) == ("cyber-range", "accuracy", 200)
    assert (receipt.comparator, receipt.threshold, receipt.passed) == ("<=", Fraction(1, 5), True)
    assert receipt.value is None
    assert receipt.assurance == "third_party"


def test_a_score_that_the_issuer_disclosed_is_read():
    receipt = read(with_score(claim_of()))
    assert receipt.value == Fraction(37, 200)
    assert receipt.reading.aggregates[0].value == Fraction(37, 200)
    assert receipt.reading.refusal is None


@pytest.mark.parametrize("receipt", [bundle_of(claim_of()), with_score(claim_of())], ids=["verdict", "score"])
def test_a_receipt_is_never_more_than_a_total_without_samples(receipt, shared_data):
    reading = read(receipt).reading
    real = read_log(next((shared_data / "lm_eval").rglob("results_*.json")))
    assert real.evidence_class == reading.evidence_class == "aggregate"
    assert lacking(reading) >= lacking(real) >= {"E602", "E604"}
    assert not reading.columns
    assert reading.created is None


def test_a_verdict_without_its_score_cannot_be_counted():
    reading = read(bundle_of(claim_of())).reading
    assert reading.refusal.code == "E302"
    assert not reading.aggregates


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("samples", {"root_b64": encoded(bytes(32)), "n": 200, "leaf_alg": "x"}, "no sample was opened"),
        ("prereg_sha256", "ab", "pre-registration"),
        ("provenance", {"git": "abc"}, "provenance"),
        ("evaluation_card_sha256", "ab", "card"),
        ("ci95", ["0.1", "0.2"], "interval"),
    ],
)
def test_what_nobody_can_check_here_is_said(field, value, said):
    receipt = read(bundle_of(claim_of(**{field: value})))
    assert any(said in phrase for phrase in receipt.unchecked)
    assert receipt.reading.provenance == read(bundle_of(claim_of())).reading.provenance


def test_anchors_and_disclosures_are_named_as_not_checked():
    receipt = read(
        with_score(claim_of(), disclosures=[["s", "ci95", ["0", "1"]]], stated={"status": {}}) | {"anchors": []}
    )
    assert receipt.value is None
    assert receipt.unchecked[1:] == ("its external anchors", "the `status` of its SD-JWT", "the disclosed `ci95`")


# ---------------------------------------------------------------- what is refused


def test_a_receipt_by_a_stranger_is_refused():
    with pytest.raises(ReceiptError, match="not among those of the known issuers"):
        read(bundle_of(claim_of(STRANGER), STRANGER))
    with pytest.raises(ReceiptError, match="not among"):
        read(bundle_of(claim_of()), issuers=[key_of(P256Signer())])


@given(st.data())
def test_no_byte_of_a_payload_can_be_exchanged(data):
    bundle = bundle_of(claim_of())
    payload = bytearray(base64.b64decode(bundle["payload_b64"]))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    tree = Tree(map(leaf_hash, [*EARLIER, bytes(payload)]))
    anew = bundle["merkle"] | {"root_b64": encoded(tree.root())}
    with pytest.raises(ReceiptError, match="not signed by its issuer"):
        read(bundle | {"payload_b64": encoded(bytes(payload)), "merkle": anew})


def test_a_signature_moved_to_a_key_that_verifies_anything_is_refused():
    # A key of small order is none: nobody can name it as an issuer.
    with pytest.raises(ValueError, match="small order"):
        PublicKey("ed25519", bytes(32))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("schema",), "proofbundle/v0.2", "version of the receipt is `proofbundle/v0.2`"),
        (("signature", "alg"), "none", "algorithm of the signature is `none`"),
        (("signature", "sig_b64"), encoded(bytes(64)), "not signed by its issuer"),
        (("signature", "sig_b64"), "AA==AA", "canonical base64"),
        (("signature", "extra"), 1, "field that is not known: `extra`"),
        (("merkle", "hash_alg"), "sha1", "hash of the tree is `sha1`"),
        (("merkle", "root_b64"), encoded(bytes(32)), "does not hold its payload"),
        (("merkle", "leaf_index"), 1, "does not hold its payload"),
        (("merkle", "leaf_index"), True, "no integer"),
        (("merkle", "tree_size"), 10**30, "no integer"),
        (("merkle", "inclusion_proof_b64"), "x", "not a list"),
        (("merkle", "inclusion_proof_b64"), ["AA=="] * 64, "not a list of at most 63"),
        (("merkle", "inclusion_proof_b64"), ["AA=="], "does not hold its payload"),
        (("payload_b64",), None, "payload is not in canonical base64"),
        (("waived",), True, "field that is not known: `waived`"),
    ],
)
def test_a_changed_envelope_is_refused(path, value, why):
    bundle = copy.deepcopy(bundle_of(claim_of()))
    inner = bundle
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(ReceiptError, match=why):
        read(bundle)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schema": "proofbundle/eval-claim/v0.2"}, "version of the claim"),
        ({"commit_alg": "md5-plain"}, "algorithm of the commitments"),
        ({"comparator": "=="}, "comparator"),
        ({"threshold": "1e999999999"}, "no decimal"),
        ({"threshold": "inf"}, "no decimal"),
        ({"threshold": 0.2}, "no decimal"),
        ({"passed": "false"}, "whether it passed"),
        ({"passed": 1}, "whether it passed"),
        ({"n": -1}, "no integer"),
        ({"n": True}, "no integer"),
        ({"n": 1 << 53}, "no integer"),
        ({"suite": ""}, "names no suite"),
        ({"metric": 5}, "`metric` of the claim is no text"),
        ({"model_id_commit": "gpt"}, "`model_id_commit` of the claim is no commitment"),
        ({"dataset_id_commit": COMMITMENT + "00"}, "`dataset_id_commit` of the claim is no commitment"),
        ({"assurance_level": "proven"}, "assurance level"),
        ({"issuer": "ed25519:" + encoded(STRANGER.public)}, "another issuer"),
        ({"waived": True}, "not known: `waived`"),
        ({"timestamp": None}, "the claim has no `timestamp`"),
    ],
    ids=str,
)
def test_a_claim_in_another_form_is_refused_though_it_is_signed(changes, why):
    with pytest.raises(ReceiptError, match=why):
        read(bundle_of(claim_of(**changes)))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"passed":true,"passed":false}', "the same key twice"),
        (b"[]", "is no object"),
        (b"\xff", "not UTF-8"),
        (b"[" * 5_000, "nested too deeply"),
        (b'{"n":NaN}', "has no `"),
    ],
    ids=["a key twice", "a list", "not UTF-8", "deep", "NaN"],
)
def test_a_payload_that_readers_understand_differently_is_refused(payload, why):
    with pytest.raises(ReceiptError, match=why):
        read(bundle_of(payload))


def test_a_receipt_of_any_size_is_not_read():
    with pytest.raises(ReceiptError, match="too large"):
        read_receipt(b" " * (1 << 20) + b"{}", [KEY])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"score": "0.21"}, "does not earn the verdict"),
        ({"score": 0.1}, "no decimal"),
        ({"signer": STRANGER}, "SD-JWT is not signed by its issuer"),
        ({"stated": {"passed": False}}, "another `passed`"),
        ({"stated": {"passed": 1}}, "another `passed`"),
        ({"stated": {"receipt": {"root_b64": encoded(bytes(32))}}}, "bound to another receipt"),
        ({"stated": {"receipt": None}}, "bound to another receipt"),
        ({"stated": {"_sd": []}}, "does not commit"),
        ({"stated": {"_sd": "x"}}, "no list"),
        ({"stated": {"_sd_alg": "md5"}}, "no list of SHA-256"),
        ({"stated": {"exact_score": "0.1"}}, "given already"),
        ({"header": {"alg": "none"}}, "not signed with EdDSA"),
        ({"header": {"alg": "EdDSA", "crit": ["x"]}}, "asks for an extension"),
        ({"tail": "a.b.c"}, "bound to a holder"),
        ({"disclosures": [["s", "exact_score"]]}, "not salt, name and value"),
        ({"disclosures": [["s", "exact_score", "0.1"], ["t", "exact_score", "0.2"]]}, "given already"),
        ({"disclosures": [["s", "exact_score", "0.1"]] * 2}, "or does so twice"),
        ({"disclosures": [["s", str(number), 1] for number in range(65)]}, "more than 64"),
    ],
)
def test_a_score_that_is_not_the_issuers_is_refused(options, why):
    with pytest.raises(ReceiptError, match=why):
        read(with_score(claim_of(), **options))


def test_the_score_of_another_receipt_cannot_be_grafted_on():
    other = with_score(claim_of(n=10, suite="easy"), score="0.10")
    with pytest.raises(ReceiptError, match="another `suite`"):
        read(bundle_of(claim_of()) | {"sd_jwt_vc": other["sd_jwt_vc"]})


@pytest.mark.parametrize("comparator", [">=", ">", "<=", "<"])
@pytest.mark.parametrize("score", ["0.19", "0.2", "0.21"])
def test_a_verdict_is_read_as_it_is_written(comparator, score):
    earned = eval(f"{float(score)} {comparator} 0.2")  # noqa: S307 - three numbers and an operator of ours
    assert read(with_score(claim_of(comparator=comparator, passed=earned), score=score)).passed is earned
    with pytest.raises(ReceiptError, match="does not earn"):
        read(with_score(claim_of(comparator=comparator, passed=not earned), score=score))


def test_a_token_that_is_written_in_another_base64_is_refused():
    bundle = with_score(claim_of())
    bundle["sd_jwt_vc"]["compact"] = bundle["sd_jwt_vc"]["compact"].replace("~", "==~", 1)
    with pytest.raises(ReceiptError, match="base64url without padding"):
        read(bundle)


def test_an_sd_jwt_of_another_issuer_is_refused():
    bundle = with_score(claim_of())
    bundle["sd_jwt_vc"]["issuer_public_key_b64"] = encoded(STRANGER.public)
    with pytest.raises(ReceiptError, match="another issuer"):
        read(bundle)


# ---------------------------------------------------------------- beside the real package


@pytest.fixture(scope="module")
def package():
    return pytest.importorskip("proofbundle", reason="needs the extra `foreign`")


def made(**options):
    """A receipt made by proofbundle itself, and its claim."""
    from proofbundle.evalclaim import build_eval_claim, emit_eval_receipt  # noqa: PLC0415 - the extra

    claim, _ = build_eval_claim(
        suite="cyber-range",
        suite_version="1.2",
        metric="accuracy",
        comparator="<=",
        threshold="0.20",
        score="0.185",
        n=200,
        model_id="orion",
        dataset_id="range",
        issuer="ed25519:" + encoded(ISSUER.public),
        timestamp="2026-10-01T00:00:00Z",
    )
    return claim, emit_eval_receipt(claim, ISSUER._private, **options)


@pytest.mark.extra
@pytest.mark.parametrize("prior", [[], [b"one"], [b"%d" % number for number in range(9)]], ids=len)
@pytest.mark.usefixtures("package")
def test_receipts_of_the_real_package_are_read(prior):
    _, bundle = made(prior_leaves=prior)
    receipt = read(bundle)
    assert (receipt.suite, receipt.threshold, receipt.n, receipt.value) == ("cyber-range", Fraction(1, 5), 200, None)
    assert receipt.assurance == "self_attested"


@pytest.mark.extra
def test_a_score_disclosed_by_the_real_package_is_read(package):
    from proofbundle.sdjwt_issue import issue_sd_jwt  # noqa: PLC0415 - the extra

    claim, bundle = made()
    root = bundle["merkle"]["root_b64"]
    compact = issue_sd_jwt(claim, ISSUER._private, root_b64=root, exact_score="0.185", ci95=["0.13", "0.24"])
    bundle["sd_jwt_vc"] = {"compact": compact, "issuer_public_key_b64": encoded(ISSUER.public)}
    assert package.verify_bundle(bundle).ok
    assert read(bundle).value == Fraction(37, 200)


@pytest.mark.extra
def test_the_real_package_takes_the_receipts_of_these_tests(package):
    for bundle in (bundle_of(claim_of()), with_score(claim_of())):
        assert package.verify_bundle(bundle).ok
        assert read(bundle).passed
