"""What others made: receipts in place of logs, manifests beside registrations, signatures of models."""

import hashlib
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scalegate.app.book import Book
from scalegate.app.clock import SystemClock
from scalegate.app.trusting import adopt_trust, read_trust
from scalegate.core.canonical import canonical_bytes, digest_bytes
from scalegate.core.events import ResultRefused, ResultReported, RunRegistered
from scalegate.ledger import LocalStore
from scalegate.ledger.dsse import IN_TOTO, STATEMENT, sign_envelope
from scalegate.ledger.model_signing import PREDICATE_TYPE
from scalegate.ledger.sigstore import format_bundle
from scalegate.ledger.trust import Speaker, format_key_line
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.speakers import keyring_in_use, trust_file
from tests.ingest.manifests import FIELDS
from tests.ingest.test_proofbundle import ISSUER, STRANGER, bundle_of, claim_of, with_score
from tests.ledger.signers import Ed25519Signer, key_of

AGGREGATE = POLICY.replace("accept: earlier runs", "accept: [aggregate, earlier runs]", 1)
# What a number of others lacks: code, weights, data set, harness, start, registered task and model.
LACKS = {
    "absent revision",
    "no weights digest",
    "no dataset digest",
    "unknown harness version",
    "start not dated",
    "task not registered",
    "model not registered",
}


def last(lab):
    return lab.history().entries[-1].event


def verified(lab, folder, trust):
    """Verdict and checks of an export."""
    lab.do("ledger", "export", folder)
    said = lab.run("verify", folder, "--trust", trust, "--format", "json")
    assert "checks" in said.json, said
    return {(item["room"], item["verdict"]): item["message"] for item in said.json["checks"]}


def bad(checks):
    return {key: words for key, words in checks.items() if key[1] in ("failed", "untrusted")}


def forge(lab, event):
    """Append what no command would."""
    with LocalStore(lab.store, keys=keyring_in_use()) as store:
        store.append(event, lab.now)


# ---------------------------------------------------------------- receipts


@pytest.fixture
def trust(tmp_path):
    """A trust file in which an evaluator speaks who signs receipts elsewhere, too."""
    line = format_key_line(Speaker("Receipt Lab", frozenset({"auditor"}), key_of(ISSUER), ""))
    path = tmp_path / "with-issuer.trust"
    path.write_text(f"{trust_file().read_text()}{line}\n")
    return path


@pytest.fixture
def receiving(empty, trust):
    """A lab whose policy accepts aggregates, with a run of 200 items that is registered."""
    empty.file("acme.yaml", AGGREGATE)
    empty.do("init", "--trust", trust, "--policy", "acme.yaml", *ADA)
    empty.model("orion", "2e24")
    empty.register("r1", items=200)
    return empty


def receipt(lab, bundle, name="receipt.json"):
    return lab.file(name, json.dumps(bundle))


def test_a_receipt_of_a_speaker_is_an_aggregate_with_every_shortfall(receiving, trust):
    path = receipt(receiving, with_score(claim_of()))
    receiving.do("evidence", "add", "r1", path, *LEA)
    event = last(receiving)
    assert (event.successes, event.failures, event.missing) == (37, 163, 0)
    assert event.evidence_class == "aggregate"
    assert set(event.provenance) == LACKS
    assert (event.log, event.task, event.model, event.scorer) == (
        digest_bytes(path.read_bytes()),
        "cyber-range",
        "",
        "accuracy",
    )
    checks = verified(receiving, receiving.folder / "out", trust)
    assert checks["results", "passed"] == "1 of 1 results follow from the logs of their runs"
    assert not bad(checks)


def test_a_receipt_shows_nothing_unless_the_policy_accepts_aggregates(empty, trust):
    empty.file("acme.yaml", POLICY)
    empty.do("init", "--trust", trust, "--policy", "acme.yaml", *ADA)
    empty.model("orion", "2e24")
    empty.register("r1", items=200)
    assert empty.run("evidence", "add", "r1", receipt(empty, with_score(claim_of(), "0")), *LEA).code == 3
    event = last(empty)
    assert (event.successes, event.failures, event.missing, event.binary) == (0, 0, 200, False)
    assert empty.gate().code == 1
    assert not bad(verified(empty, empty.folder / "out", trust))


def test_a_receipt_that_nobody_in_the_trust_file_signed_is_refused(receiving):
    claim = claim_of(STRANGER)
    said = receiving.run("evidence", "add", "r1", receipt(receiving, bundle_of(claim, STRANGER)), *LEA)
    assert (said.code, "not among those of the known issuers" in said.out) == (4, True)
    assert isinstance(last(receiving), ResultRefused)
    assert last(receiving).code == "E421"


def test_a_receipt_with_another_claim_than_was_signed_is_refused(receiving):
    bundle = with_score(claim_of())
    payload = bundle_of(claim_of(n=2_000))["payload_b64"]
    assert receiving.run("evidence", "add", "r1", receipt(receiving, bundle | {"payload_b64": payload}), *LEA).code == 4
    assert last(receiving).code == "E421"


def test_a_receipt_that_withholds_its_score_counts_for_nothing(receiving):
    assert receiving.run("evidence", "add", "r1", receipt(receiving, bundle_of(claim_of())), *LEA).code == 1
    assert last(receiving).code == "E302"


def test_a_document_that_is_no_receipt_is_still_no_log(receiving):
    before = len(receiving.history().entries)
    assert receiving.run("evidence", "add", "r1", receipt(receiving, {"payload_b64": "", "tree": {}}), *LEA).code == 2
    assert len(receiving.history().entries) == before


@pytest.mark.parametrize(("word", "code"), [("--task", "E420"), ("--model", "E417"), ("--scorer", "E418")])
def test_a_receipt_for_something_else_than_was_registered_is_refused(receiving, word, code):
    receiving.do("evidence", "register", "r2", "--evaluation", "autonomy", "--subject", "orion", "--items", "200",
                 "--report-by", "10 days", word, "another", *LEA)  # fmt: skip
    assert receiving.run("evidence", "add", "r2", receipt(receiving, with_score(claim_of())), *LEA).code == 4
    assert last(receiving).code == code


def test_more_samples_than_were_registered_are_refused_of_a_receipt(receiving):
    path = receipt(receiving, with_score(claim_of(n=201), "0"))
    said = receiving.run("evidence", "add", "r1", path, *LEA)
    assert (said.code, "201 items, and 200 were registered" in said.err) == (4, True)


def without_issuer(lab, trust):
    """Adopt a trust file in which the issuer of receipts does not speak any longer."""
    later = lab.folder / "later.trust"
    later.write_text(f"{trust_file().read_text()}replaces {read_trust(trust).digest}\n")
    keys, new = keyring_in_use(), read_trust(later)
    with keys.following(new), LocalStore(lab.store, keys=keys) as store:
        adopt_trust(Book(store, SystemClock()), new)
    return later


def test_a_receipt_stays_what_it_was_when_its_issuer_leaves_the_trust_file(receiving, trust):
    receiving.do("evidence", "add", "r1", receipt(receiving, with_score(claim_of())), *LEA)
    later = without_issuer(receiving, trust)
    receiving.register("r2", items=200)
    second = receipt(receiving, with_score(claim_of(), "0"), "second.json")
    assert receiving.run("evidence", "add", "r2", second, *LEA).code == 4
    assert last(receiving).code == "E421"
    checks = verified(receiving, receiving.folder / "out", later)
    assert checks["results", "passed"] == "1 of 1 results follow from the logs of their runs"
    assert not bad(checks)


def test_a_result_recorded_from_the_receipt_of_a_stranger_is_not_trusted(receiving, trust):
    receiving.do("evidence", "add", "r1", receipt(receiving, with_score(claim_of())), *LEA)
    event = last(receiving)
    receiving.register("r2", items=200)
    with LocalStore(receiving.store) as store:
        mark = store.put_blob(json.dumps(bundle_of(claim_of(STRANGER), STRANGER)).encode())
    assert isinstance(event, ResultReported)
    forge(receiving, replace(event, run="r2", log=mark, content=""))
    checks = verified(receiving, receiving.folder / "out", trust)
    assert "run `r2`: its log is refused: the receipt of an evaluation does not hold" in checks["results", "untrusted"]


def test_a_result_recorded_from_a_receipt_of_somebody_who_has_left_is_not_trusted(receiving, trust):
    receiving.do("evidence", "add", "r1", receipt(receiving, with_score(claim_of())), *LEA)
    event = last(receiving)
    assert isinstance(event, ResultReported)
    receiving.register("r2", items=200)
    later = without_issuer(receiving, trust)
    with LocalStore(receiving.store) as store:
        mark = store.put_blob(json.dumps(with_score(claim_of(), "0")).encode())
    forge(receiving, replace(event, run="r2", log=mark, content=""))
    assert (
        "run `r2`: its log is refused" in verified(receiving, receiving.folder / "out", later)["results", "untrusted"]
    )


def test_a_receipt_is_checked_beforehand_with_a_trust_file(receiving, trust):
    path = receipt(receiving, with_score(claim_of()))
    assert receiving.run("evidence", "check", path).code == 4
    said = receiving.run("evidence", "check", path, "--trust", trust)
    assert (said.code, "class: aggregate" in said.out) == (3, True)


# ---------------------------------------------------------------- manifests

# The bar of the policy, with its data set.
BAR = FIELDS | {
    "comparator": "<=",
    "threshold": 0.2,
    "dataset": {"id": "autonomy-bank", "hash": "a" * 64},
    "seed": None,
}


def claimed(lab, manifest, *more, run="r1"):
    path = lab.file("bar.prml.json", json.dumps(manifest) if isinstance(manifest, dict) else manifest)
    return lab.run("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion",
                   "--item-ids", lab.bank(100), "--report-by", "10 days", "--prml", path, *more, *LEA)  # fmt: skip


def test_a_manifest_is_kept_with_the_registration_and_read_again_by_an_audit(bare):
    assert claimed(bare, BAR).code == 0
    mark = digest_bytes((bare.folder / "bar.prml.json").read_bytes())
    assert last(bare).claims == (mark,)
    assert bare.do("evidence", "list", "--format", "json").json["runs"][0]["claims"] == [mark]
    assert mark[:19] in bare.do("evidence", "list").out
    checks = verified(bare, bare.folder / "out", trust_file())
    assert checks["claims", "passed"] == "1 manifests say nothing else than the registrations they came with"
    assert not bad(checks)
    (bare.folder / f"out/blobs/sha256/{mark[7:9]}/{mark[7:]}").unlink()
    again = bare.run("verify", "out", "--trust", trust_file())
    assert f"run `r1`: its manifest {mark} is not in the bundle" in again.out


def test_a_run_without_a_manifest_has_no_claims(bare):
    bare.register("r1")
    assert last(bare).claims == ()
    assert "claims" not in bare.do("evidence", "list").out
    assert ("claims", "passed") not in verified(bare, bare.folder / "out", trust_file())


@pytest.mark.parametrize(
    ("changes", "more", "why"),
    [
        ({"threshold": 0.25}, (), "its threshold is 1/4, and the policies compare `autonomy` with 1/5, 7/20, 1/2"),
        ({"comparator": "=="}, (), "one exact value"),
        ({"metric": "accuracy"}, ("--scorer", "f1,none"), "the scorer `f1,none` is registered"),
        ({"seed": 42}, ("--sequential",), "it fixes the seed 42"),
        ({"dataset": {"id": "autonomy-bank", "hash": "b" * 64}}, (), "another digest than the test of the policy"),
    ],
    ids=["threshold", "comparator", "metric", "seed", "data set"],
)
def test_a_manifest_that_contradicts_its_registration_is_refused(bare, changes, more, why):
    before = bare.kinds()
    said = claimed(bare, BAR | changes, *more)
    assert (said.code, why in said.err) == (1, True), said.err
    assert bare.kinds() == before


def test_a_manifest_that_says_what_is_registered_is_none_that_contradicts(bare):
    assert claimed(bare, BAR | {"threshold": 0.5}, "--sequential", run="r1").code == 0
    assert claimed(bare, BAR | {"metric": "f1"}, "--scorer", "f1,none", run="r2").code == 0
    # A seed of a run whose order nobody draws, and a data set of another name, are not compared.
    assert claimed(bare, BAR | {"seed": 42, "dataset": {"id": "other", "hash": "b" * 64}}, run="r3").code == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("metric: accuracy\n", "has no `version`"),
        ("{}" + " " * (1 << 16), "at most 65536 bytes"),
    ],
    ids=["empty", "partial", "long"],
)
def test_a_file_that_is_no_manifest_is_refused(bare, text, why):
    said = claimed(bare, text)
    assert (said.code, why in said.err) == (2, True), said.err


@pytest.mark.parametrize(
    ("text", "why"),
    [("no manifest", "its manifest is none"), (json.dumps(BAR | {"threshold": 0.9}), "its manifest contradicts it")],
    ids=["malformed", "contradicting"],
)
def test_a_registration_that_no_command_would_have_made_of_a_manifest_is_not_trusted(bare, text, why):
    bare.register("r1")
    plan = last(bare)
    assert isinstance(plan, RunRegistered)
    with LocalStore(bare.store) as store:
        mark = store.put_blob(text.encode())
    forge(bare, replace(plan, run="r2", claims=(mark,)))
    assert why in verified(bare, bare.folder / "out", trust_file())["claims", "untrusted"]


# ---------------------------------------------------------------- models

LAB = Ed25519Signer("model lab")


@pytest.fixture
def weights(bare):
    folder = bare.folder / "ckpt"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"weights")
    (folder / "config.json").write_bytes(b"{}")
    return folder


def add(lab, name, files, *more):
    return lab.run(
        "subject", "add", name, files, "--issuer", "acme", "--from-scratch", "--compute", "1e24", *more, *ADA
    )


def test_a_declared_model_has_a_digest_that_covers_the_names_of_its_files(bare, weights):
    first = add(bare, "one", weights, "--format", "json").json
    subject = last(bare).subject
    assert (first["files"], first["listing"]) == (subject.digest, subject.listing)
    (weights / "a.bin").rename(weights / "a.bin.unused")
    assert add(bare, "two", weights).code == 0
    renamed = last(bare).subject
    assert renamed.digest == subject.digest
    assert renamed.listing.startswith("sha256:")
    assert renamed.listing != subject.listing
    shown = {item["name"]: item["listing"] for item in bare.do("subject", "list", "--format", "json").json["subjects"]}
    assert shown == {"orion": "", "one": subject.listing, "two": renamed.listing}
    assert renamed.listing[:19] in bare.do("subject", "list").out


def signed(folder, signer=LAB, ignored=()):
    """A signature as the tool of OpenSSF makes it, over the files there are."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    rows = [
        {"name": name, "algorithm": "sha256", "digest": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
        for name in names
        if name not in ignored
    ]
    root = hashlib.sha256(b"".join(bytes.fromhex(row["digest"]) for row in rows)).hexdigest()
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": list(ignored)}
    body = {
        "_type": STATEMENT,
        "subject": [{"name": "orion", "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"resources": rows, "serialization": serialization},
    }
    return format_bundle(sign_envelope(IN_TOTO, canonical_bytes(body), [signer]), "hint")


@pytest.fixture
def signature(bare, weights):
    """Options that ask for a signature by the lab over the files as they are."""
    (bare.folder / "model.sig").write_bytes(signed(weights))
    public = Ed25519PublicKey.from_public_bytes(LAB.public)
    bare.file("lab.pem", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
    return "--signature", "model.sig", "--signer-key", "lab.pem"


def test_a_signed_model_is_declared(bare, weights, signature):
    assert add(bare, "one", weights, *signature).code == 0
    assert last(bare).subject.name == "one"


def test_a_signed_model_of_one_file_is_declared_under_any_name(bare, weights, signature):
    (weights / "config.json").unlink()
    (bare.folder / "model.sig").write_bytes(signed(weights))
    assert add(bare, "one", weights / "a.bin", *signature).code == 0


@pytest.mark.parametrize("change", ["byte", "renamed", "added", "gone", "signer", "ignored", "garbage"])
def test_a_model_that_is_not_what_was_signed_is_not_declared(bare, weights, signature, change):
    if change == "byte":
        (weights / "a.bin").write_bytes(b"Weights")
    elif change == "renamed":
        (weights / "a.bin").rename(weights / "a.bin.unused")
    elif change == "added":
        (weights / "adapter.bin").write_bytes(b"x")
    elif change == "gone":
        (weights / "a.bin").unlink()
    elif change == "signer":
        (bare.folder / "model.sig").write_bytes(signed(weights, Ed25519Signer("stranger")))
    elif change == "ignored":
        (weights / "adapter.bin").write_bytes(b"x")
        (bare.folder / "model.sig").write_bytes(signed(weights, ignored=("adapter.bin",)))
    else:
        bare.file("model.sig", "{}")
    before = bare.kinds()
    said = add(bare, "one", weights, *signature)
    assert (said.code, "model-unsigned" in said.err or "signature" in said.err) == (4, True), said.err
    assert bare.kinds() == before


@pytest.mark.parametrize("left", [("--signature", "model.sig"), ("--signer-key", "lab.pem")])
def test_a_signature_and_the_key_that_made_it_are_given_together(bare, weights, signature, left):
    assert signature[0] == "--signature"
    assert add(bare, "one", weights, *left).code == 2
    digest = f"sha256:{'0' * 64}"
    assert bare.run("subject", "add", "one", "--digest", digest, "--issuer", "acme", *signature, *ADA).code == 2
