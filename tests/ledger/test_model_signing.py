"""Signatures of models: those of the reference tool and of the specification, and what they must not let through."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from scalegate.app.digests import digest_model, list_model
from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.dsse import IN_TOTO, Statement, Subject, parse_statement, sign_envelope
from scalegate.ledger.model_files import LEFT_OUT
from scalegate.ledger.model_signing import (
    PREDICATE_TYPE,
    EllipticKey,
    ModelManifest,
    ModelSigningError,
    Resource,
    listing_digest,
    model_key_from_pem,
    parse_model_bundle,
    parse_model_statement,
    root_digest,
    verify_model,
)
from scalegate.ledger.signatures import KeyFormatError, PublicKey, SignatureRefusedError
from scalegate.ledger.sigstore import BundleError, BundleUncheckableError, format_bundle, parse_bundle
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

LAB, STRANGER = Ed25519Signer("lab"), Ed25519Signer("stranger")
P384 = ec.derive_private_key(11, ec.SECP384R1())


def resource(name, data=b"", algorithm="sha256"):
    return Resource(name, algorithm, hashlib.new(algorithm, data).hexdigest())


def in_order(*names):
    return tuple(resource(name, name.encode()) for name in names)


FILES = in_order("config.json", "weights/a.bin", "weights/b.bin")


def predicate_of(files, **more):
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    rows = [{"name": item.name, "algorithm": item.algorithm, "digest": item.digest} for item in files]
    return {"resources": rows, "serialization": serialization | more}


def statement_of(files=FILES, root=None, predicate=None, **more):
    digest = hashlib.sha256(b"".join(bytes.fromhex(item.digest) for item in files)).hexdigest()
    subject = Subject((("sha256", root or digest),), "model")
    return Statement((subject,), PREDICATE_TYPE, predicate or predicate_of(files, **more))


def signature_of(files=FILES, signer=LAB, **more):
    said = statement_of(files, **more)
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": said.subjects[0].name, "digest": dict(said.subjects[0].digests)}],
        "predicateType": said.predicate_type,
        "predicate": said.predicate,
    }
    return format_bundle(sign_envelope(IN_TOTO, canonical_bytes(body), [signer]), "hint")


# ---------------------------------------------------------------- models that the reference tool signed


@pytest.fixture(scope="session")
def signed(shared_data):
    return shared_data / "vectors/model-signing/scripts/tests"


@pytest.fixture(scope="session")
def their_key(signed):
    text = (signed / "keys/certificate/signing-key-pub.pem").read_text()
    # Another tool described the key in words in front of it, which we do not read.
    return model_key_from_pem(text[text.index("-----BEGIN") :])


def files_in(folder, *left_out):
    return tuple(item for item in list_model(folder) if item.name not in left_out)


@pytest.mark.parametrize(
    ("release", "left_out", "root"),
    [
        # Of one file, which has no name in the statement.
        ("v0.3.1", ("model.sig",), "afa48c8674afe334b8a7dea34f7b46ab256e9255edf8da2132792341b667a45b"),
        ("v1.0.0", ("model.sig",), "afa48c8674afe334b8a7dea34f7b46ab256e9255edf8da2132792341b667a45b"),
        # Left out by options of the tool, of which this release did not tell.
        ("v1.0.1", ("model.sig", "ignore-me"), "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"),
        ("v1.1.0", (), "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"),
    ],
)
def test_a_model_that_the_reference_tool_signed_is_verified(signed, their_key, release, left_out, root):
    folder = signed / f"{release}-elliptic-key"
    data, files = (folder / "model.sig").read_bytes(), files_in(folder, *left_out)
    manifest = verify_model(data, their_key, files)
    assert manifest.root == f"sha256:{root}"
    assert root_digest(item for item in files if item.name not in manifest.ignored) == manifest.root
    first, *others = files_in(folder, "model.sig", "ignore-me")
    for wrong in ((*others,), (*files, resource("planted")), (*others, Resource(first.name, "sha256", "0" * 64))):
        with pytest.raises(ModelSigningError):
            verify_model(data, their_key, wrong)
    with pytest.raises(BundleError, match="did not sign"):
        verify_model(data, key_of(LAB), files)


def test_paths_that_the_signer_left_out_are_told(signed, their_key):
    folder = signed / "v1.1.0-elliptic-key"
    manifest = verify_model((folder / "model.sig").read_bytes(), their_key, list_model(folder))
    assert {"ignore-me", "model.sig", *LEFT_OUT} == set(manifest.ignored)


@pytest.mark.parametrize("release", ["v0.3.1", "v1.0.0", "v1.0.1", "v1.1.0"])
@pytest.mark.parametrize("method", ["certificate", "sigstore"])
def test_a_signature_by_certificate_is_read_and_never_verified(signed, their_key, release, method):
    folder = signed / f"{release}-{method}"
    data, files = (folder / "model.sig").read_bytes(), files_in(folder, "model.sig", "ignore-me")
    assert parse_model_bundle(data)[1].root == root_digest(files)
    with pytest.raises(BundleUncheckableError, match="cannot be checked here"):
        verify_model(data, their_key, files)


def test_a_statement_from_before_there_was_a_root_is_refused_and_told_apart(signed, their_key):
    folder = signed / "v0.2.0-certificate"
    with pytest.raises(ModelSigningError, match=r"model signing 0\.2, which has no root digest"):
        verify_model((folder / "model.sig").read_bytes(), their_key, files_in(folder, "model.sig"))


# ---------------------------------------------------------------- vectors of the specification


@pytest.fixture(scope="session")
def oms(shared_data):
    return shared_data / "vectors/oms/test-vectors/v1.0"


def test_the_valid_vector_with_a_key_is_verified(oms, signed, their_key):
    files = files_in(signed / "v1.1.0-elliptic-key", "model.sig")
    manifest = verify_model((oms / "valid/key.bundle.json").read_bytes(), their_key, files)
    assert manifest.name == "model"
    assert manifest.root == root_digest(files_in(signed / "v1.1.0-elliptic-key", "model.sig", "ignore-me"))


@pytest.mark.parametrize("name", ["certificate", "sigstore"])
def test_the_valid_vectors_with_certificates_are_read_and_never_verified(oms, their_key, name):
    data = (oms / f"valid/{name}.bundle.json").read_bytes()
    bundle, manifest = parse_model_bundle(data)
    assert bundle.material in {"certificate", "x509CertificateChain"}
    with pytest.raises(BundleUncheckableError):
        verify_model(data, their_key, manifest.resources)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("invalid/empty", "is not JSON"),
        ("invalid/missing-envelope", "here there are 0"),
        ("invalid/missing-verification-material", "has no verificationMaterial"),
        ("invalid/missing-tlog-entries", "an entry of its log"),
        ("invalid-payload/wrong-predicate", "wrong-predicate"),
    ],
)
def test_the_invalid_vectors_are_refused(oms, name, words):
    with pytest.raises((BundleError, ModelSigningError), match=words):
        parse_model_bundle((oms / f"{name}.bundle.json").read_bytes())


def test_all_vectors_of_the_specification_are_tested(oms):
    assert len(list(oms.glob("valid/*"))) == 3
    assert len(list(oms.glob("invalid*/*"))) == 5


# ---------------------------------------------------------------- the root


def test_the_root_is_the_digest_of_the_digests():
    expected = hashlib.sha256(b"".join(bytes.fromhex(item.digest) for item in FILES)).hexdigest()
    assert root_digest(reversed(FILES)) == f"sha256:{expected}"


def test_the_order_is_that_of_the_tool_where_it_differs_from_the_specification():
    paths, texts = in_order("a/x", "a-b/x", "a.json"), in_order("a-b/x", "a.json", "a/x")
    assert {root_digest(paths), root_digest(texts)} == {parse_model_statement(statement_of(paths)).root}
    # Listed in the other order the files are the same, and their root is another one.
    assert parse_model_statement(statement_of(texts)).root != root_digest(texts)
    assert verify_model(signature_of(texts), key_of(LAB), paths).resources == texts


@given(st.dictionaries(st.text("ab-./", min_size=1, max_size=5), st.binary(max_size=2), min_size=1, max_size=6))
def test_the_listing_tells_models_apart_that_the_root_does_not(found):
    files = []
    for name, data in found.items():
        try:
            files.append(resource(name, data))
        except ModelSigningError:
            continue
    if not files or any(item.name == "." for item in files):
        return
    renamed = [Resource(f"x/{item.name}", item.algorithm, item.digest) for item in files]
    assert root_digest(renamed) == root_digest(files)
    assert listing_digest(renamed) != listing_digest(files) == listing_digest(reversed(files))


@pytest.mark.parametrize("files", [(), in_order("a", "a"), in_order(".", "a")])
def test_no_files_twice_a_name_and_a_file_beside_a_folder_have_no_root(files):
    for digest in (root_digest, listing_digest):
        with pytest.raises(ModelSigningError):
            digest(files)


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../b", "a//b", "./a", "a/", "..", "a/./b", "a\0"])
def test_a_name_leads_into_the_model_in_its_shortest_form(name):
    with pytest.raises(ModelSigningError, match="shortest form"):
        resource(name)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("sha256", "0" * 63), ("sha256", "A" * 64), ("blake2b", "0" * 64), ("md5", "0" * 32), ("sha512", "0" * 128)],
)
def test_a_digest_is_of_a_known_kind_and_length(algorithm, digest):
    with pytest.raises(ModelSigningError):
        Resource("a", algorithm, digest)


# ---------------------------------------------------------------- statements


def test_a_statement_is_read():
    manifest = parse_model_statement(statement_of(ignore_paths=["model.sig", ".git"]))
    assert manifest == ModelManifest("model", root_digest(FILES), FILES, ("model.sig", ".git"))


def test_fields_of_a_file_that_are_unknown_are_ignored_as_the_specification_asks():
    predicate = predicate_of(FILES)
    predicate["resources"][0]["annotations"] = {"size": 1}
    assert parse_model_statement(statement_of(predicate=predicate)).resources == FILES


def with_row(**more):
    predicate = predicate_of(FILES)
    predicate["resources"][0] |= more
    return predicate


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (statement_of(root="0" * 64), "not the root of the files"),
        (statement_of(FILES[:2], root=root_digest(FILES)[7:]), "not the root of the files"),
        (statement_of(in_order("b", "a")), "in no order"),
        (statement_of((*FILES, FILES[-1])), "are called"),
        (statement_of(predicate=predicate_of(())), "at least one file"),
        (statement_of(predicate={"resources": []}), "has no serialization"),
        (statement_of(predicate=predicate_of(FILES) | {"more": 1}), "does not know"),
        (statement_of(predicate=predicate_of(FILES) | {"resources": {}}), "no list"),
        (statement_of(predicate=predicate_of(FILES) | {"serialization": []}), "no object"),
        (statement_of(predicate=with_row(digest=1)), "texts name, algorithm and digest"),
        (statement_of(predicate=with_row(name="../config.json")), "shortest form"),
        (statement_of(hash_type="blake3"), "is announced"),
        (statement_of(hash_type=None), "as a text"),
        (statement_of(method="shards", shard_size=10**9), "split into shards"),
        (statement_of(method="trees"), "is not files"),
        (statement_of(shard_size=1), "is not files"),
        (statement_of(allow_symlinks="false"), "whether links are allowed"),
        (statement_of(ignore_paths="a"), "no list of texts"),
        (statement_of(ignore_paths=["."]), "shortest form"),
        (statement_of(ignore_paths=["../x"]), "shortest form"),
        (statement_of(ignore_paths=["/"]), "shortest form"),
        (statement_of(follow=True), "does not know"),
        (Statement(statement_of().subjects * 2, PREDICATE_TYPE, predicate_of(FILES)), "one subject"),
        (Statement(statement_of().subjects, "https://example.com/x", predicate_of(FILES)), "signs models"),
        (Statement((Subject((("sha512", "0" * 128),), "m"),), PREDICATE_TYPE, predicate_of(FILES)), "not the root"),
        (Statement((Subject(statement_of().subjects[0].digests),), PREDICATE_TYPE, predicate_of(FILES)), "no name"),
    ],
)
def test_a_statement_of_another_form_is_refused(statement, words):
    with pytest.raises(ModelSigningError, match=words):
        parse_model_statement(statement)


# ---------------------------------------------------------------- attacks


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (FILES[:-1], r"1 missing \('weights/b.bin'\)"),
        ((*FILES, resource("hook.py")), r"1 not signed \('hook.py'\)"),
        ((*FILES[:-1], resource("weights/b.bin", b"other")), r"1 changed \('weights/b.bin'\)"),
        ((*FILES[:-1], Resource("weights/c.bin", "sha256", FILES[-1].digest)), "1 missing .*; 1 not signed"),
        ((FILES[0], Resource("weights/a.bin", "sha256", FILES[2].digest),
          Resource("weights/b.bin", "sha256", FILES[1].digest)), "2 changed"),
        (tuple(resource(item.name, b"", "blake2b") for item in FILES), "hash its files with that"),
        ((), "at least one file"),
        ((*FILES, FILES[0]), "are called"),
        ((*FILES, *in_order("1", "2", "3", "4")), r"4 not signed \('1', '2', '3' and others\)"),
    ],
)  # fmt: skip
def test_a_model_with_other_files_is_refused(files, words):
    assert verify_model(signature_of(), key_of(LAB), reversed(FILES)).root == root_digest(FILES)
    with pytest.raises(ModelSigningError, match=words):
        verify_model(signature_of(), key_of(LAB), files)


def test_a_path_that_is_left_out_covers_what_lies_below_it_and_nothing_that_sounds_like_it():
    data = signature_of(ignore_paths=["cache", "model.sig"])
    below = in_order("cache/a", "cache/b/c", "model.sig")
    assert verify_model(data, key_of(LAB), (*FILES, *below)).ignored == ("cache", "model.sig")
    for name in ("cache2", "cache-a/b", "weights/cache", "model.sig.py", "Cache/a"):
        with pytest.raises(ModelSigningError, match="not signed"):
            verify_model(data, key_of(LAB), (*FILES, *in_order(name)))


def test_a_signed_file_below_a_path_that_is_left_out_is_missing():
    data = signature_of(ignore_paths=["weights"])
    with pytest.raises(ModelSigningError, match="2 missing"):
        verify_model(data, key_of(LAB), FILES)


def test_repository_files_are_left_out_only_where_the_signer_says_so():
    with pytest.raises(ModelSigningError, match="not signed"):
        verify_model(signature_of(), key_of(LAB), (*FILES, *in_order(".git/config")))


def test_the_one_file_of_a_model_without_a_name_is_not_any_file_among_many():
    (one,) = in_order("weights.bin")
    data = signature_of((Resource(".", "sha256", one.digest),))
    assert verify_model(data, key_of(LAB), (one,)).root == root_digest((one,))
    for files in ((one, *in_order("b")), (Resource("x/weights.bin", "sha256", one.digest),), in_order("b")):
        with pytest.raises(ModelSigningError):
            verify_model(data, key_of(LAB), files)


def test_a_model_that_a_stranger_signed_is_refused():
    with pytest.raises(BundleError, match="did not sign"):
        verify_model(signature_of(signer=STRANGER), key_of(LAB), FILES)


def test_a_statement_about_an_artifact_is_no_signature_of_a_model():
    signature = base64.b64encode(LAB.sign(b"x")).decode()
    bundle = json.loads(signature_of()) | {"messageSignature": {"signature": signature}}
    del bundle["dsseEnvelope"]
    with pytest.raises(BundleError, match="an artifact was signed"):
        verify_model(json.dumps(bundle).encode(), key_of(LAB), FILES)


def test_a_hostile_name_is_shown_as_plain_characters():
    with pytest.raises(ModelSigningError) as caught:
        verify_model(signature_of(), key_of(LAB), (*FILES, *in_order("\x1b[2J\u202e" + "x" * 500)))
    assert str(caught.value).isascii()
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 250


# ---------------------------------------------------------------- keys of others


def pem_of(private):
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_a_key_of_a_larger_curve_verifies(curve):
    key = model_key_from_pem(pem_of(ec.derive_private_key(5, curve)))
    assert isinstance(key, EllipticKey)
    assert key == EllipticKey(key.spki)


def test_a_key_of_ours_stays_one_of_ours():
    (key,) = {model_key_from_pem(pem_of(ec.derive_private_key(7, ec.SECP256R1())))}
    assert key == key_of(P256Signer()) == PublicKey("ecdsa-p256", key.spki)


def test_a_larger_key_takes_its_own_hash_and_one_encoding_of_a_signature():
    key, signature = model_key_from_pem(pem_of(P384)), P384.sign(b"x", ec.ECDSA(SHA384()))
    key.verify(signature, b"x")
    for wrong, message in (
        (signature, b"y"),
        (signature + b"\0", b"x"),
        (b"", b"x"),
        (b"\x30\x81" + signature[1:], b"x"),
    ):
        with pytest.raises(SignatureRefusedError):
            key.verify(wrong, message)


def test_a_key_in_another_form_is_refused():
    compressed = P384.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = bytes.fromhex("3046301006072a8648ce3d020106052b81040022033200") + compressed
    other = ec.derive_private_key(5, ec.SECP256K1())
    for data in (spki, b"", key_of(P256Signer()).spki, key_of(LAB).spki):
        with pytest.raises(KeyFormatError):
            EllipticKey(data)
    for text in ("", "x" + pem_of(P384), pem_of(P384) * 2, pem_of(other), pem_of(P384) + "more\n"):
        with pytest.raises(KeyFormatError):
            model_key_from_pem(text)


# ---------------------------------------------------------------- beside the reference tool


@pytest.fixture
def tool():
    return pytest.importorskip("model_signing", reason="model-signing (and pyOpenSSL) is not installed")


ODD = ["config.json", "tokenizer.json", "tokenizer/v.json", "tokenizer-2/v.json", "é.txt", "z/ü/😀.bin", "\uffff",
       ".hidden", "sub/.gitignore", ".gitmodules", "a b/c", "a!b", "a/c", "A"]  # fmt: skip


@pytest.fixture
def odd_model(tmp_path):
    for name in ODD:
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "model/hollow").mkdir()
    return tmp_path / "model"


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_the_reference_tool_has_the_same_root(tool, odd_model):
    def theirs(path):
        found = tool.hashing.hash(path).resource_descriptors()
        return "sha256:" + hashlib.sha256(b"".join(item.digest.digest_value for item in found)).hexdigest()

    assert digest_model(odd_model) == theirs(odd_model)
    assert digest_model(odd_model / "config.json") == theirs(odd_model / "config.json")
    before = digest_model(odd_model)
    (odd_model / ".gitattributes").write_bytes(b"* filter=lfs")
    # It leaves this out, and we say so instead of giving a root that does not cover it.
    assert theirs(odd_model) == before


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_what_the_reference_tool_signs_is_verified(tool, odd_model, tmp_path, curve):
    private = ec.derive_private_key(7, curve)
    secret = tmp_path / "key.pem"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    tool.signing.Config().use_elliptic_key_signer(private_key=secret).sign(odd_model, tmp_path / "model.sig")
    data, key = (tmp_path / "model.sig").read_bytes(), model_key_from_pem(pem_of(private))
    assert verify_model(data, key, list_model(odd_model)).root == digest_model(odd_model)
    (odd_model / "config.json").rename(odd_model / "config.jsom")
    with pytest.raises(ModelSigningError, match="1 missing"):
        verify_model(data, key, list_model(odd_model))


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_what_we_sign_is_verified_by_the_reference_tool(tool, odd_model, tmp_path):
    signer = P256Signer()
    pem = pem_of(ec.derive_private_key(7, ec.SECP256R1()))
    (tmp_path / "key.pub").write_text(pem)
    ours = parse_bundle(signature_of(sorted(list_model(odd_model), key=lambda item: item.name.split("/")), signer))
    assert parse_statement(ours.content).subjects[0].digests == (("sha256", digest_model(odd_model)[7:]),)
    (tmp_path / "model.sig").write_bytes(format_bundle(ours.content, hashlib.sha256(pem.encode()).hexdigest()))
    verifier = tool.verifying.Config().use_elliptic_key_verifier(public_key=tmp_path / "key.pub")
    verifier.verify(odd_model, tmp_path / "model.sig")
    (odd_model / "config.json").write_bytes(b"tampered")
    with pytest.raises(ValueError, match="Hash mismatch"):
        verifier.verify(odd_model, tmp_path / "model.sig")
