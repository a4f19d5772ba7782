"""Evaluation receipts of proofbundle (`proofbundle/v0.1` around `proofbundle/eval-claim/v0.1`), read as claims.

A receipt is one party's signed word that a metric met a threshold over n samples. What can be checked here is that a
key signed those very bytes, that the receipt's own tree holds them, and that score and verdict agree. Nothing in it
re-derives the score. So a receipt is never worth more than a results file without samples:

| the receipt says | what becomes of it |
|---|---|
| suite, version, metric, n | task, version, metric and count of an aggregate |
| the score, disclosed in an SD-JWT of the same issuer | value of that aggregate |
| only a verdict, the score withheld | nothing that could be counted: E302 |
| salted commitments to model and data set | `no weights digest`, `no dataset digest` |
| time of issue | no start of a run: nobody shows that it was registered first |
| `assurance_level`, provenance, card, anchors, pre-registration, per-sample root | reported as not checked |

An attacker who changes a receipt makes it fail. An issuer who lies is attributed, and not found out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from scalegate.core.canonical import digest_bytes
from scalegate.core.reading import Aggregate, Finding, Reading
from scalegate.ingest.limits import MIB
from scalegate.ingest.objections import ObjectionError, objection
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.strict_json import parse, top_keys
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.merkle import MerkleError, leaf_hash
from scalegate.ledger.proof import ProofError, verify_inclusion
from scalegate.ledger.signatures import PublicKey, SignatureRefusedError

MAX_RECEIPT = MIB
MAX_PROOF_HASHES = 63
MAX_DISCLOSURES = 64
_BUNDLE, _CLAIM = "proofbundle/v0.1", "proofbundle/eval-claim/v0.1"
_SAFE = (1 << 53) - 1
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)
_COMMITMENT = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_TEXTS = ("suite", "suite_version", "metric", "timestamp", "issuer", "assurance_level")
_REQUIRED = {
    *_TEXTS,
    "schema",
    "comparator",
    "threshold",
    "passed",
    "n",
    "model_id_commit",
    "dataset_id_commit",
    "commit_alg",
}
_OPTIONAL = {
    "ci95": "the confidence interval",
    "multiple_testing": "what it says of multiple testing",
    "prereg_sha256": "the pre-registration that it names",
    "provenance": "the provenance that it states",
    "samples": "its per-sample root: no sample was opened",
    "evaluation_card_sha256": "the evaluation card that it names",
    "context_binding": "the context that it was issued for",
}
_STATED = {"passed", "threshold", "comparator", "suite", "issuer", "receipt", "vct", "_sd", "_sd_alg"}
# Of a published number with nothing behind it that could be looked at.
_SHORTFALLS = ("E602", "E604", "E605", "E606")


class ReceiptError(ValueError):
    """A receipt that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that a known issuer signed.

    Attributes:
        digest: `sha256:` and hex over the bytes of the file.
        size: their number.
        issuer: key that signed it.
        suite, suite_version, metric: what was measured, in the issuer's words.
        comparator, threshold, passed: the verdict that was signed; `comparator` is one of `>=`, `>`, `<=`, `<`.
        n: number of samples, in the issuer's words.
        value: the score, None where it was withheld.
        issued: when, in the issuer's words.
        assurance: `self_attested`, `third_party`, `reproduced` or `enclave_attested`: the issuer's word for itself.
        model, data_set: salted commitments, `sha256:` and hex.
        unchecked: what the receipt says and nothing here shows, one phrase each.
    """

    digest: str
    size: int
    issuer: PublicKey
    suite: str
    suite_version: str
    metric: str
    comparator: str
    threshold: Fraction
    passed: bool
    n: int
    value: Fraction | None
    issued: str
    assurance: str
    model: str
    data_set: str
    unchecked: tuple[str, ...] = field(repr=False)

    @property
    def reading(self) -> Reading:
        """The receipt as the gate may read it: an aggregate with every shortfall that one can have."""
        findings: list[Finding] = [objection(code) for code in _SHORTFALLS]
        aggregates: tuple[Aggregate, ...] = ()
        if self.value is None:
            findings.append(objection("E302", "the receipt states a verdict, and withholds the score"))
        else:
            aggregates = (Aggregate(self.suite, self.metric, self.value, n=self.n),)
        return Reading(
            digest=self.digest,
            size=self.size,
            harness="unknown",
            task=self.suite,
            task_version=self.suite_version,
            planned_count=self.n,
            aggregates=aggregates,
            evidence_class="aggregate",
            provenance=tuple(finding.message for finding in findings if finding.severity == "provenance"),
            findings=tuple(findings),
        )


def is_receipt(data: bytes) -> bool:
    """Whether a file is meant to be a receipt: a JSON object with payload and tree, whatever they hold."""
    keys = top_keys(data) if len(data) <= MAX_RECEIPT else None
    return keys is not None and {"payload_b64", "merkle"} <= keys


def read_receipt(data: bytes, issuers: Iterable[PublicKey]) -> Receipt:
    """Return a receipt once all of this holds.

    1. It is one JSON object with the fields of its version and no others, at most 1 MiB.
    2. One of the issuers signed its payload with Ed25519, by the strict rule of `scalegate.ledger.signatures`.
    3. The payload is the leaf at its index in the tree whose root stands beside it. Nobody signed that root.
    4. The payload is an eval claim of the known version, and names the key that signed it as issuer.
    5. An SD-JWT in it is by the same key, says the same, and is bound to the same root; a score disclosed in it earns
       the verdict that was signed.

    Args:
        data: Bytes of the file.
        issuers: Whose receipts count.

    Raises:
        ReceiptError: otherwise.
    """
    bundle = _fields(
        _json(data, "the receipt"), "the receipt", "schema payload_b64 signature merkle", "sd_jwt_vc anchors"
    )
    _same(bundle["schema"], _BUNDLE, "the version of the receipt")
    payload = _base64(bundle["payload_b64"], "the payload")
    issuer = _signed(bundle["signature"], payload, tuple(issuers))
    root = _anchored(bundle["merkle"], payload)
    claim = _claim(payload, issuer)
    threshold = _decimal(claim["threshold"], "the threshold")
    unchecked = [_ALWAYS, *(text for name, text in _OPTIONAL.items() if name in claim)]
    if "anchors" in bundle:
        unchecked.append("its external anchors")
    value = None
    if "sd_jwt_vc" in bundle:
        value, more = _disclosed(bundle["sd_jwt_vc"], claim, issuer, root)
        unchecked += more
    if value is not None and _verdict(value, claim["comparator"], threshold) is not claim["passed"]:
        raise ReceiptError("the score that the receipt discloses does not earn the verdict that it states")
    return Receipt(
        digest=digest_bytes(data),
        size=len(data),
        issuer=issuer,
        suite=claim["suite"],
        suite_version=claim["suite_version"],
        metric=claim["metric"],
        comparator=claim["comparator"],
        threshold=threshold,
        passed=claim["passed"],
        n=claim["n"],
        value=value,
        issued=claim["timestamp"],
        assurance=claim["assurance_level"],
        model=claim["model_id_commit"],
        data_set=claim["dataset_id_commit"],
        unchecked=tuple(unchecked),
    )


_ALWAYS = (
    "whether the evaluation took place, on which model and data set, and when: "
    "the issuer's word, with salted commitments that were not opened"
)


# ---------------------------------------------------------------- the bundle


def _signed(value: object, payload: bytes, issuers: tuple[PublicKey, ...]) -> PublicKey:
    signature = _fields(value, "the signature", "alg public_key_b64 sig_b64")
    _same(signature["alg"], "ed25519", "the algorithm of the signature")
    public = _base64(signature["public_key_b64"], "the public key")
    key = next((key for key in issuers if (key.algorithm, key.public) == ("ed25519", public)), None)
    if key is None:
        raise ReceiptError("the receipt is signed with a key that is not among those of the known issuers")
    _verify(key, _base64(signature["sig_b64"], "the signature"), payload, "the receipt")
    return key


def _anchored(value: object, payload: bytes) -> str:
    """Check that the payload is in the receipt's tree, and return the root as it is written."""
    tree = _fields(value, "the tree", "hash_alg leaf_index tree_size inclusion_proof_b64 root_b64")
    _same(tree["hash_alg"], "sha256-rfc6962", "the hash of the tree")
    hashes = tree["inclusion_proof_b64"]
    if not isinstance(hashes, list) or len(hashes) > MAX_PROOF_HASHES:
        raise ReceiptError(f"the inclusion proof is not a list of at most {MAX_PROOF_HASHES} hashes")
    proof = [_base64(item, "a hash of the inclusion proof") for item in hashes]
    index, size = _count(tree["leaf_index"], "the index"), _count(tree["tree_size"], "the size of the tree")
    try:
        verify_inclusion(leaf_hash(payload), index, size, proof, _base64(tree["root_b64"], "the root"))
    except (ProofError, MerkleError) as error:
        raise ReceiptError(f"the tree of the receipt does not hold its payload: {error}") from error
    return str(tree["root_b64"])


def _claim(payload: bytes, issuer: PublicKey) -> dict[str, Any]:
    claim = _fields(_json(payload, "the claim"), "the claim", " ".join(_REQUIRED), " ".join(_OPTIONAL))
    _same(claim["schema"], _CLAIM, "the version of the claim")
    _same(claim["commit_alg"], "sha256-salted-v1", "the algorithm of the commitments")
    for name in _TEXTS:
        if not isinstance(claim[name], str):
            raise ReceiptError(f"the field `{name}` of the claim is no text")
    if not claim["suite"] or not claim["metric"]:
        raise ReceiptError("the claim names no suite, or no metric")
    for name in ("model_id_commit", "dataset_id_commit"):
        if not isinstance(claim[name], str) or not _COMMITMENT.fullmatch(claim[name]):
            raise ReceiptError(f"the field `{name}` of the claim is no commitment")
    if claim["comparator"] not in (">=", ">", "<=", "<"):
        raise ReceiptError("the comparator of the claim is none of >=, >, <= and <")
    if claim["assurance_level"] not in ("self_attested", "third_party", "reproduced", "enclave_attested"):
        raise ReceiptError("the assurance level of the claim is not known")
    if not isinstance(claim["passed"], bool):
        raise ReceiptError("the claim does not say whether it passed")
    _count(claim["n"], "the number of samples")
    if claim["issuer"] != "ed25519:" + base64.b64encode(issuer.public).decode():
        raise ReceiptError("the claim names another issuer than the key that signed it")
    return claim


# ---------------------------------------------------------------- the disclosed score


def _disclosed(value: object, claim: dict[str, Any], issuer: PublicKey, root: str) -> tuple[Fraction | None, list[str]]:
    """Return the score that an SD-JWT (RFC 9901) discloses, and what of it was not looked at."""
    token = _fields(value, "the SD-JWT", "compact", "issuer_public_key_b64")
    if "issuer_public_key_b64" in token and _base64(token["issuer_public_key_b64"], "a public key") != issuer.public:
        raise ReceiptError("the SD-JWT is by another issuer than the receipt")
    compact = token["compact"]
    if not isinstance(compact, str) or not compact.isascii():
        raise ReceiptError("the SD-JWT is no text in ASCII")
    signed, *disclosures = compact.split("~")
    if not disclosures or len(disclosures) > MAX_DISCLOSURES:
        raise ReceiptError(f"the SD-JWT does not end with a tilde, or has more than {MAX_DISCLOSURES} disclosures")
    if disclosures.pop():
        # Whose presentation it is says nothing about the score; an expired or foreign one must not be passed over.
        raise ReceiptError("the SD-JWT is bound to a holder, which is not checked here")
    stated = _token(signed, issuer)
    for name in ("passed", "threshold", "comparator", "suite", "issuer"):
        if stated.get(name) != claim[name] or type(stated.get(name)) is not type(claim[name]):
            raise ReceiptError(f"the SD-JWT has another `{name}` than the claim beside it")
    bound = stated.get("receipt")
    if not isinstance(bound, dict) or bound.get("root_b64") != root:
        raise ReceiptError("the SD-JWT is bound to another receipt")
    found = _opened(disclosures, stated)
    unchecked = [f"the {quoted(name, 60)} of its SD-JWT" for name in sorted(stated.keys() - _STATED)]
    unchecked += [f"the disclosed {quoted(name, 60)}" for name in found if name != "exact_score"]
    score = found.get("exact_score")
    return (None if score is None else _decimal(score, "the score")), unchecked


def _opened(disclosures: list[str], stated: dict[str, Any]) -> dict[str, Any]:
    """Return what disclosures say that an SD-JWT commits to, by name."""
    committed = stated.get("_sd", [])
    if not isinstance(committed, list) or stated.get("_sd_alg", "sha-256") != "sha-256":
        raise ReceiptError("the SD-JWT has no list of SHA-256 digests of its disclosures")
    found: dict[str, Any] = {}
    for text in disclosures:
        mark = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        if committed.count(mark) != 1:
            raise ReceiptError("the SD-JWT does not commit to one of its disclosures, or does so twice")
        item = _json(_url_base64(text, "a disclosure"), "a disclosure")
        if not isinstance(item, list) or len(item) != 3 or not isinstance(item[1], str):
            raise ReceiptError("a disclosure is not salt, name and value")
        if item[1] in found or item[1] in stated:
            raise ReceiptError("a disclosure gives a name that is given already")
        found[item[1]] = item[2]
    return found


def _token(signed: str, issuer: PublicKey) -> dict[str, Any]:
    """Return the payload of a JWT that the issuer signed."""
    parts = signed.split(".")
    if len(parts) != 3:
        raise ReceiptError("the SD-JWT does not begin with a JWT of three parts")
    header = _json(_url_base64(parts[0], "the header of the SD-JWT"), "the header of the SD-JWT")
    if not isinstance(header, dict) or header.get("alg") != "EdDSA" or "crit" in header:
        raise ReceiptError("the SD-JWT is not signed with EdDSA, or asks for an extension")
    message = f"{parts[0]}.{parts[1]}".encode()
    _verify(issuer, _url_base64(parts[2], "the signature of the SD-JWT"), message, "the SD-JWT")
    stated = _json(_url_base64(parts[1], "the SD-JWT"), "the SD-JWT")
    if not isinstance(stated, dict):
        raise ReceiptError("the SD-JWT is no object")
    return stated


def _verdict(value: Fraction, comparator: str, threshold: Fraction) -> bool:
    if comparator.startswith(">"):
        return value > threshold or (comparator == ">=" and value == threshold)
    return value < threshold or (comparator == "<=" and value == threshold)


# ---------------------------------------------------------------- parts


def _json(data: bytes, what: str) -> Any:  # noqa: ANN401 - JSON is any of six types
    try:
        return parse(data, what, MAX_RECEIPT)
    except ObjectionError as error:
        raise ReceiptError(f"{what} cannot be read: {error}") from error


def _fields(value: object, what: str, required: str, optional: str = "") -> dict[str, Any]:
    """Return an object that has the fields it must have, and no others."""
    if not isinstance(value, dict):
        raise ReceiptError(f"{what} is no object")
    needed = set(required.split())
    for name in sorted(needed - value.keys()):
        raise ReceiptError(f"{what} has no `{name}`")
    for name in sorted(value.keys() - needed - set(optional.split())):
        raise ReceiptError(f"{what} has a field that is not known: {quoted(name, 60)}")
    return value


def _same(value: object, expected: str, what: str) -> None:
    if value != expected:
        shown = quoted(value, 60) if isinstance(value, str) else "no text"
        raise ReceiptError(f"{what} is {shown}, and only `{expected}` is read")


def _count(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value <= _SAFE:
        raise ReceiptError(f"{what} is no integer from 0 to 2**53 - 1")
    return value


def _decimal(value: object, what: str) -> Fraction:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ReceiptError(f"{what} is no decimal written as text, such as `0.85`")
    return Fraction(value)


def _base64(value: object, what: str) -> bytes:
    try:
        return decode_base64(value if isinstance(value, str) else "*")
    except ValueError as error:
        raise ReceiptError(f"{what} is not in canonical base64") from error


def _url_base64(text: str, what: str) -> bytes:
    """Return the bytes of base64url without padding (RFC 7515 section 2)."""
    if "+" in text or "/" in text or "=" in text:
        raise ReceiptError(f"{what} is not in base64url without padding")
    standard = text.replace("-", "+").replace("_", "/")
    return _base64(standard + "=" * (-len(standard) % 4), what)


def _verify(key: PublicKey, signature: bytes, message: bytes, what: str) -> None:
    try:
        key.verify(signature, message)
    except SignatureRefusedError as error:
        raise ReceiptError(f"{what} is not signed by its issuer: {error}") from error
