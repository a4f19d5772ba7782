import hashlib
import json
import secrets

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger import signatures
from scalegate.ledger.signatures import (
    KeyFormatError,
    PublicKey,
    SignatureError,
    SignatureRefusedError,
    SignatureUnavailableError,
    der_from_raw,
    ed25519_public,
    key_from_pem,
    key_from_spki,
)
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, P256Signer, has_ml_dsa_44, key_of

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1, 1, 0)

needs_ml_dsa_44 = pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")


# ---------------------------------------------------------------- the rule again, in nothing but integers


def decode(data):
    """Extended coordinates of a canonical encoding, or None (RFC 8032 section 5.1.3)."""
    value = int.from_bytes(data, "little")
    y, sign = value & ((1 << 255) - 1), value >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def encode(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def add(left, right):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = left, right
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, point):
    found = NEUTRAL
    while number:
        if number & 1:
            found = add(found, point)
        point = add(point, point)
        number >>= 1
    return found


def minus(point):
    x, y, z, t = point
    return (-x % P, y, z, -t % P)


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
EIGHTH = decode(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
SMALL = [encode(times(n, EIGHTH)) for n in range(8)]


def challenge(r, public, message):
    return int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L


def difference(public, signature, message):
    """The point [S]B - [k]A - R, given decodable points."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    right = add(times(challenge(r, public, message), decode(public)), decode(r))
    return add(times(s, BASE), minus(right))


def accepts(public, signature, message, cofactor=1):
    """The five clauses of the rule; with the cofactor 8, the other equation of RFC 8032."""
    if len(public) != 32 or len(signature) != 64 or int.from_bytes(signature[32:], "little") >= L:
        return False
    for point in (decode(public), decode(signature[:32])):
        if point is None or encode(times(8, point)) == encode(NEUTRAL):
            return False
    return encode(times(cofactor, difference(public, signature, message))) == encode(NEUTRAL)


def good(public, signature, message, algorithm="ed25519"):
    try:
        PublicKey(algorithm, public).verify(signature, message)
    except SignatureUnavailableError:
        raise
    except SignatureError:
        return False
    return True


# ---------------------------------------------------------------- published vectors


def wycheproof(shared_data, name):
    groups = json.loads((shared_data / "vectors/wycheproof/testvectors_v1" / name).read_text())["testGroups"]
    return [(group, case) for group in groups for case in group["tests"]]


def test_wycheproof_ed25519(shared_data):
    cases = wycheproof(shared_data, "ed25519_test.json")
    wrong = [
        case["tcId"]
        for group, case in cases
        if good(bytes.fromhex(group["publicKey"]["pk"]), bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
        is not (case["result"] == "valid")
    ]
    assert (len(cases), wrong) == (151, [])


def test_wycheproof_p256(shared_data):
    cases = wycheproof(shared_data, "ecdsa_secp256r1_sha256_test.json")
    wrong = []
    for group, case in cases:
        key = bytes.fromhex(group["publicKeyDer"])
        verdict = good(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]), "ecdsa-p256")
        if verdict is not (case["result"] == "valid"):
            wrong.append(case["tcId"])
    assert (len(cases), wrong) == (484, [])


@needs_ml_dsa_44
def test_wycheproof_ml_dsa_44(shared_data):
    cases = wycheproof(shared_data, "mldsa_44_verify_test.json")
    wrong = []
    for group, case in cases:
        try:
            verify = signatures._ml_dsa_44(bytes.fromhex(group["publicKey"]), bytes.fromhex(case.get("ctx", "")))
            verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            verdict = True
        except (KeyFormatError, SignatureRefusedError):
            verdict = False
        if verdict is not (case["result"] == "valid"):
            wrong.append(case["tcId"])
    assert (len(cases), wrong) == (180, [])


REFUSED_FLAGS = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}


def test_the_914_edge_points_have_the_verdict_of_the_rule(shared_data):
    cases = json.loads((shared_data / "vectors/cctv-ed25519/ed25519/ed25519vectors.json").read_text())
    verdicts = []
    for case in cases:
        key, signature, message = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode()
        verdict = good(key, signature, message)
        # The flags say which clause of the rule a vector breaks: 1 and 3, 2 and 3, 5. All have S < L.
        assert verdict is not REFUSED_FLAGS.intersection(case["flags"] or ()), case["number"]
        assert verdict is accepts(key, signature, message), case["number"]
        verdicts.append(verdict)
    assert (len(verdicts), sum(verdicts)) == (914, 43)


# ---------------------------------------------------------------- Ed25519


def crafted(*, key_torsion=0, nonce_torsion=0, message=b"message"):
    """A key and a signature by whoever knows the secret and is free to add points of small order."""
    a, r = 1 + secrets.randbelow(L - 1), 1 + secrets.randbelow(L - 1)
    public = encode(add(times(a, BASE), times(key_torsion, EIGHTH)))
    nonce = encode(add(times(r, BASE), times(nonce_torsion, EIGHTH)))
    s = (r + challenge(nonce, public, message) * a) % L
    return public, nonce + s.to_bytes(32, "little"), message


def test_the_points_of_small_order_are_those_whose_order_divides_eight():
    y = {int.from_bytes(point, "little") & ((1 << 255) - 1) for point in SMALL}
    assert len(set(SMALL)) == 8
    assert y == signatures._SMALL_ORDER_Y


def test_an_honest_signature_is_good():
    assert good(*crafted())


@pytest.mark.parametrize("torsion", range(1, 8))
def test_a_residue_of_small_order_is_refused(torsion):
    case = crafted(nonce_torsion=torsion)
    assert accepts(*case, cofactor=8)
    assert not good(*case)


def test_a_key_of_mixed_order_is_good_where_the_equation_holds():
    for attempt in range(64):
        case = crafted(key_torsion=4, message=b"%d" % attempt)
        assert good(*case) is accepts(*case)
        if good(*case):
            return
    pytest.fail("half of these have an even challenge")


@pytest.mark.parametrize("point", SMALL, ids=bytes.hex)
def test_a_small_order_key_is_refused(point):
    with pytest.raises(KeyFormatError, match="small order"):
        PublicKey("ed25519", point)


@pytest.mark.parametrize("point", SMALL, ids=bytes.hex)
def test_a_small_order_nonce_is_refused(point):
    key = key_of(Ed25519Signer())
    with pytest.raises(SignatureRefusedError, match="R of the Ed25519 signature is a point of small order"):
        key.verify(point + bytes(32), b"")


@pytest.mark.parametrize("excess", range(19))
def test_a_key_not_in_its_canonical_encoding_is_refused(excess):
    for sign in (0, 1 << 255):
        with pytest.raises(KeyFormatError, match="canonical encoding"):
            PublicKey("ed25519", (P + excess | sign).to_bytes(32, "little"))


def test_a_nonce_not_in_its_canonical_encoding_is_refused():
    key = key_of(Ed25519Signer())
    with pytest.raises(SignatureRefusedError, match="canonical encoding"):
        key.verify((P + 3).to_bytes(32, "little") + bytes(32), b"")


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_taken_exactly_if_it_is_a_point_of_large_order(data):
    point = decode(data)
    expected = point is not None and encode(times(8, point)) != encode(NEUTRAL)
    try:
        PublicKey("ed25519", data)
    except KeyFormatError:
        assert not expected
    else:
        assert expected


@pytest.mark.parametrize("multiple", range(1, 15))
def test_s_plus_l_is_refused(multiple):
    signer = Ed25519Signer()
    signature = signer.sign(b"message")
    s = int.from_bytes(signature[32:], "little") + multiple * L
    with pytest.raises(SignatureRefusedError, match="below the order"):
        key_of(signer).verify(signature[:32] + s.to_bytes(32, "little"), b"message")


def test_an_ed25519_signature_of_another_length_is_refused():
    signer = Ed25519Signer()
    signature = signer.sign(b"message")
    for wrong in (signature[:-1], signature + b"\0", b""):
        with pytest.raises(SignatureRefusedError, match="has 64 bytes"):
            key_of(signer).verify(wrong, b"message")


def test_a_library_with_another_equation_is_noticed():
    def prime_order_only(public, signature, message):
        return encode(times(L, decode(public))) == encode(NEUTRAL) and accepts(public, signature, message)

    assert signatures._has_our_equation(accepts)
    assert not signatures._has_our_equation(lambda *case: accepts(*case, cofactor=8))
    assert not signatures._has_our_equation(prime_order_only)
    assert not signatures._has_our_equation(lambda *_: True)
    assert signatures._follows_the_rule()


def test_the_public_key_of_a_seed_is_that_of_rfc_8032():
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert ed25519_public(seed).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    with pytest.raises(KeyFormatError, match="seed has 32 bytes"):
        ed25519_public(seed[:-1])


# ---------------------------------------------------------------- laws of all algorithms


def signers():
    made = [Ed25519Signer(), P256Signer()]
    return [*made, MlDsa44Signer()] if has_ml_dsa_44() else made


@pytest.mark.parametrize("signer", signers(), ids=lambda signer: signer.algorithm)
@given(message=st.binary(max_size=60), place=st.integers(0, 1 << 32))
def test_any_flipped_bit_fails(signer, message, place):
    key, signature = key_of(signer), signer.sign(message)
    key.verify(signature, message)
    bit = place % (8 * (len(signature) + len(message)))
    both = bytearray(signature + message)
    both[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureRefusedError):
        key.verify(bytes(both[: len(signature)]), bytes(both[len(signature) :]))


@pytest.mark.parametrize("signer", signers(), ids=lambda signer: signer.algorithm)
def test_a_key_survives_its_text_forms(signer):
    key = key_of(signer)
    assert key_from_spki(key.spki) == key
    assert load_der_public_key(key.spki) is not None
    pem = load_der_public_key(key.spki).public_bytes(*_pem()).decode()
    assert key_from_pem(pem) == key
    assert key.digest == "sha256:" + hashlib.sha256(key.spki).hexdigest()


def _pem():
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - beside its use

    return Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


@pytest.mark.parametrize("signer", signers(), ids=lambda signer: signer.algorithm)
def test_a_key_of_another_length_is_refused(signer):
    for wrong in (signer.public[:-1], signer.public + b"\0", b""):
        with pytest.raises(KeyFormatError):
            PublicKey(signer.algorithm, wrong)


@pytest.mark.parametrize("signer", signers(), ids=lambda signer: signer.algorithm)
def test_the_key_of_another_is_refused(signer):
    other = {"ed25519": lambda: Ed25519Signer("other"), "ecdsa-p256": lambda: P256Signer(8)}.get(
        signer.algorithm, lambda: MlDsa44Signer(b"\1" * 32)
    )()
    with pytest.raises(SignatureRefusedError, match="not one of this message by this key"):
        key_of(other).verify(signer.sign(b"message"), b"message")


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(KeyFormatError, match="unknown algorithm"):
        PublicKey("rsa", b"")


def test_ml_dsa_44_is_checked_or_refused_with_a_reason():
    if has_ml_dsa_44():
        assert good(MlDsa44Signer().public, MlDsa44Signer().sign(b"m"), b"m", "ml-dsa-44")
    else:
        with pytest.raises(SignatureUnavailableError, match="has no ML-DSA-44"):
            PublicKey("ml-dsa-44", bytes(1_312))


# ---------------------------------------------------------------- ECDSA and files


def test_raw_p256_signatures_have_to_be_said_to_be_raw():
    signer = P256Signer()
    signature = signer.sign(b"message")
    r, s = signatures.decode_dss_signature(signature)
    raw = r.to_bytes(32) + s.to_bytes(32)
    assert der_from_raw(raw) == signature
    with pytest.raises(SignatureRefusedError, match="in DER"):
        key_of(signer).verify(raw, b"message")
    with pytest.raises(SignatureRefusedError, match="64 bytes"):
        der_from_raw(raw[:-1])


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (signatures._N, 1), (1, signatures._N)])
def test_p256_numbers_out_of_range_are_refused(r, s):
    with pytest.raises(SignatureRefusedError, match="outside"):
        key_of(P256Signer()).verify(signatures.encode_dss_signature(r, s), b"message")


def test_der_with_a_longer_length_than_needed_is_refused():
    signer = P256Signer()
    signature = signer.sign(b"message")
    longer = b"\x30\x81" + bytes([len(signature) - 2]) + signature[2:]
    with pytest.raises(SignatureRefusedError, match="DER"):
        key_of(signer).verify(longer, b"message")


def test_a_compressed_p256_key_is_refused():
    public = P256Signer().public
    point = public[27:]
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + b"\2" + point[:32]
    with pytest.raises(KeyFormatError, match="uncompressed"):
        key_from_spki(compressed)
    with pytest.raises(KeyFormatError, match="uncompressed"):
        PublicKey("ecdsa-p256", compressed)


def test_a_p256_key_off_the_curve_is_refused():
    public = bytearray(P256Signer().public)
    public[-1] ^= 1
    with pytest.raises(KeyFormatError, match="no point of the curve"):
        PublicKey("ecdsa-p256", bytes(public))


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: pem + pem,
        lambda pem: "# a comment\n" + pem,
        lambda pem: pem.replace("PUBLIC", "PRIVATE"),
        lambda pem: pem.replace("=\n", "\n"),
        lambda pem: pem.replace("-----END", "AAAA\n-----END"),
        lambda _: "x" * 10_000,
        lambda _: "",
    ],
    ids=["twice", "comment", "private", "padding", "more", "long", "empty"],
)
def test_a_file_that_is_not_one_public_key_is_refused(change):
    key = key_of(Ed25519Signer())
    pem = load_der_public_key(key.spki).public_bytes(*_pem()).decode()
    with pytest.raises(KeyFormatError):
        key_from_pem(change(pem))
