"""Entries that somebody may not make: other roles, other keys, other logs, other forms of one statement."""

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from scalegate.core.canonical import digest
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import DecisionMade, PermitRevoked, ResultReported, RunVoided, Statement
from scalegate.core.log_events import KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger.codec import encode_event
from scalegate.ledger.dsse import IN_TOTO, EnvelopeSignature, format_envelope, sign_envelope
from scalegate.ledger.leaf import read_leaf, sign_leaf, write_statement
from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from scalegate.ledger.trust import parse_trust, write_key
from tests.attacks.company import reasons
from tests.attacks.insider import ORIGIN, Insider, witness_key, witness_lines
from tests.cli.lab import DAY
from tests.ledger.signers import Ed25519Signer, P256Signer, key_of

DENIAL = Statement("safeguard", "acme-rsp/vault", "", True, 1 << 40, None, "", "", "", 0, (), "Ada Osei", "auditor")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def company(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, code=4):
    said = company.verify(insider.publish())
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


def statement(event, number=1, at=1_790_000_000, log=ORIGIN):
    """The bytes of a statement about nothing but the event."""
    return write_statement(event, log, number, at, (("event", digest(encode_event(event)).removeprefix("sha256:")),))


# ---------------------------------------------------------------- who may say what


def test_a_forged_role(company, insider):
    insider.add(DENIAL)
    check_refused(company, insider, "does not let `Ada Osei` speak as `auditor`")


@pytest.mark.parametrize("name", ["Lea Roth", "Noa Adler"])
def test_the_name_of_an_auditor_over_the_developers_signature(company, insider, name):
    insider.add(replace(DENIAL, by=name), by=("Ada Osei",))
    check_refused(company, insider, f"not signed with the key of `{name}`")


@pytest.mark.parametrize("name", ["LEA ROTH", "Lea  Roth", "Lea\u00a0Roth", "\u216cea Roth", "Lea Roth\u200b"])
def test_a_name_that_only_looks_like_an_auditors(company, insider, name):
    insider.add(replace(DENIAL, by=name), by=("Ada Osei",))
    check_refused(company, insider, "knows no key of")


def test_the_gate_speaks_for_nobody(company, insider):
    insider.add(replace(DENIAL, by="acme gate", role="auditor"), by=("acme gate",))
    check_refused(company, insider, "does not let `acme gate` speak as `auditor`")


def test_the_developer_does_not_speak_for_the_gate(company, insider):
    insider.add(TrustAdopted(insider.trust.digest, insider.trust.text), by=("Ada Osei",))
    check_refused(company, insider, "not signed with the key of `the gate`")


def test_a_signature_of_the_developer_beside_the_auditors_changes_nothing(company, insider):
    """It names nobody and counts for nothing: what is signed is the same statement."""
    place = insider.where(ResultReported)
    said = read_leaf(insider.leaves[place])
    more = sign_envelope(IN_TOTO, said.envelope.payload, [insider.signer("Ada Osei")]).signatures
    for extra in (more, (EnvelopeSignature(b"junk", "Lea Roth"),)):
        envelope = type(said.envelope)(IN_TOTO, said.envelope.payload, (*extra, *said.envelope.signatures))
        insider.leaves[place] = format_envelope(envelope)
        assert company.verify(insider.publish()).code == 3
    alone = type(said.envelope)(IN_TOTO, said.envelope.payload, more)
    insider.leaves[place] = format_envelope(alone)
    check_refused(company, insider, "not signed with the key of `Lea Roth`")


def test_two_gates_that_number_one_answer_each(company, insider):
    """The number of an answer is that of the log, whichever gate gave it."""
    place = insider.where(DecisionMade)
    event = insider.events()[place]
    about = read_leaf(insider.leaves[place]).subjects
    insider.leaves.append(insider.leaf(event, 1, company.now, by=("acme second gate",), subjects=about))
    check_refused(company, insider, "it is answer 1, and 2 comes next")


# ---------------------------------------------------------------- keys


def rotation(insider, name, new, *signers, old=None):
    event = KeyRotated(write_key(old or insider.key(name)), write_key(key_of(new)), name, "developer")
    count = sum(insider.author(read_leaf(data)) == name for data in insider.leaves)
    return sign_leaf(statement(event, count + 1), signers)[1]


def test_a_rotation_signed_by_the_new_key_alone(company, insider):
    new = Ed25519Signer("next")
    insider.leaves.append(rotation(insider, "Ada Osei", new, new))
    check_refused(company, insider, "not signed with the key of `Ada Osei`")


def test_a_rotation_signed_by_the_old_key_alone(company, insider):
    new = Ed25519Signer("next")
    insider.leaves.append(rotation(insider, "Ada Osei", new, insider.signer("Ada Osei")))
    check_refused(company, insider, "not signed with the key of `Ada Osei`")


def test_a_rotation_to_the_key_of_an_auditor(company, insider, people):
    """Even with that key at hand: what the auditor signs must not be the developer's word."""
    new = people.signer("Lea Roth")
    event = KeyRotated(write_key(insider.key("Ada Osei")), write_key(insider.key("Lea Roth")), "Ada Osei", "developer")
    insider.leaves.append(sign_leaf(statement(event, 3), [insider.signer("Ada Osei"), new])[1])
    check_refused(company, insider, "the new key is or was somebody's already")


def test_a_rotated_key_signs_nothing_any_longer(company, insider):
    old, new = insider.signer("Ada Osei"), Ed25519Signer("next")
    insider.leaves.append(rotation(insider, "Ada Osei", new, old, new))
    assert company.verify(insider.publish()).code == 3
    void = PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer")
    insider.leaves.append(sign_leaf(statement(void, 4), [old])[1])
    check_refused(company, insider, "not signed with the key of `Ada Osei`")
    insider.leaves[-1] = sign_leaf(statement(void, 4), [new])[1]
    assert company.verify(insider.publish()).code == 3


def test_a_revoked_key_that_is_used_again(company, insider):
    key = write_key(insider.key("Ada Osei"))
    insider.add(KeyRevoked("Ada Osei", key, "a laptop is gone", "Ada Osei", "developer"))
    assert company.verify(insider.publish()).code == 3
    insider.add(RunVoided("r1", "no reason", "Ada Osei", "developer"))
    check_refused(company, insider, "the key of `Ada Osei` is revoked")


def test_a_revoked_key_does_not_come_back_by_a_rotation(company, insider):
    old, new = insider.signer("Ada Osei"), Ed25519Signer("next")
    insider.leaves.append(rotation(insider, "Ada Osei", new, old, new))
    insider.leaves.append(rotation(insider, "Ada Osei", old, new, old, old=key_of(new)))
    check_refused(company, insider, "the new key is or was somebody's already")


def test_a_developer_who_revokes_the_key_of_an_auditor(company, insider):
    insider.add(KeyRevoked("Lea Roth", write_key(insider.key("Lea Roth")), "in the way", "Ada Osei", "developer"))
    check_refused(company, insider, "only `Lea Roth`, or a trustee of the trust file, revokes that key")


def test_a_revoked_gate_answers_nothing(company, insider):
    for name in ("acme gate", "acme second gate"):
        event = KeyRevoked(name, write_key(insider.key(name)), "copied", "Tess Ray", "trustee")
        tess = insider.people.signer("Tess Ray")
        count = sum(insider.author(read_leaf(data)) == "Tess Ray" for data in insider.leaves)
        insider.leaves.append(sign_leaf(statement(event, count + 1), [tess])[1])
    assert company.verify(insider.publish()).code == 3
    insider.mint(insider.where(DecisionMade))
    check_refused(company, insider, "gives nobody the role `gate`, or that key is revoked")


# ---------------------------------------------------------------- the trust file


def test_a_trust_file_that_is_swapped_in_the_middle(company, insider, people):
    """It says that it replaces the auditor's; his does not know it."""
    ours = [key.line for name, key in people.keys.items() if name != "Lea Roth"]
    fake = people.keyring.create("Lea Roth", ("auditor",), protected=False, replaces=True)
    path = people.file("swapped", f"replaces {insider.trust.digest}", speakers=[*ours, fake.line])
    swapped = parse_trust(path.read_text())
    insider.add(TrustAdopted(swapped.digest, swapped.text), by=("acme gate",))
    check_refused(company, insider, "adopts a trust file that is not accepted here")


def test_a_log_that_begins_with_another_trust_file(company, insider, people):
    path = people.file("other-first", speakers=[f"{key.line} # another file" for key in people.keys.values()])
    other = parse_trust(path.read_text())
    insider.leaves[0] = insider.again(0, digest=other.digest, text=other.text, by=("acme gate",))
    check_refused(company, insider, "entry 0 ", "not accepted here")


def test_a_trust_file_of_the_bundle_is_not_the_auditors(company, insider):
    """He writes the file beside the log anew; nobody reads it."""
    (insider.folder / "trust").write_text("quorum none\n")
    assert company.verify(insider.folder).code == 3


def test_a_log_that_ends_under_an_older_trust_file(company, bundle, people):
    """The auditor has a newer file, which the log never adopted."""
    old = parse_trust(company.trust.read_text())
    newer = people.file("newer", f"replaces {old.digest}")
    said = company.verify(bundle, trust=newer)
    assert (said.code, "the log's trust file is" in reasons(said)[0]) == (4, True)


def test_a_trust_file_that_loosens_the_quorum_does_not_pass_for_the_auditors(company, insider, people):
    strict = parse_trust((people.folder / "trust-witnessed").read_text())
    said = company.verify(insider.folder, trust=people.folder / "trust-witnessed")
    assert said.code == 4, strict.digest
    assert "adopts a trust file that is not accepted here" in reasons(said)[0]


def witness_of(public):
    """The line of a witness who has somebody's key."""
    return f"witness lab {format_vkey(NoteKey('lab', SignatureType.COSIGNATURE, public))}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda people: [people.keys["Ada Osei"].line.replace("Ada Osei", "Lea Roth")], "T304"),
        (lambda people: [people.keys["Ada Osei"].line.replace("Ada Osei", "ADA OSEI")], "T301"),
        (lambda people: [witness_of(people.keys["Ada Osei"].public)], "T304"),
        (lambda people: [witness_of(people.log.public)], "T304"),
        (lambda _: [f"witness again {format_vkey(witness_key('north'))}"], "T304"),
        (lambda _: ['key "Low" auditor ed25519:' + b64encode(bytes(32)).decode()], "T208"),
        (lambda _: ['key "Low" auditor ed25519:' + b64encode(b"\x01" + bytes(31)).decode()], "T208"),
    ],
    ids=[
        "auditor-key-equal-to-developer-key", "one-name-twice", "developer-key-as-witness", "log-key-as-witness",
        "one-witness-key-with-two-names", "low-order-zero", "low-order-one",
    ],
)  # fmt: skip
def test_a_trust_file_where_somebody_counts_twice_is_refused(company, bundle, people, change, code):
    keys = [key.line for name, key in people.keys.items() if name != "Lea Roth"]
    path = people.file("double", *witness_lines(), quorum="two", speakers=[*keys, *change(people)])
    with pytest.raises(DiagnosticError) as error:
        parse_trust(path.read_text())
    assert code in {item.code for item in error.value.diagnostics}
    assert company.run("verify", bundle, "--trust", path).code == 2


# ---------------------------------------------------------------- forms


def raw(insider, payload: bytes, name="Ada Osei") -> bytes:
    """A leaf around any bytes, signed well."""
    return format_envelope(sign_envelope(IN_TOTO, payload, [insider.signer(name)]))


STATEMENT = statement(PermitRevoked("r1", "Ada Osei", "developer"), 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: json.dumps(json.loads(text)).encode(), "not in canonical form"),
        (lambda text: text.replace(b'"role":', b'"role":"auditor","role":'), "not in canonical form"),
        (lambda text: text.replace(b'"r1"', b'"\\u0072\\u0031"'), "not in canonical form"),
        (lambda text: text.replace(b'"number":3', b'"number":3.0'), "not in canonical form|integers"),
        (lambda text: text.replace(b'"number":3', b'"number":true'), "integers"),
        (lambda text: text.replace(b'"number":3', b'"number":-3'), "integers"),
        (lambda text: text.replace(b'"at":1790000000', b'"at":9007199254740993'), "integers"),
        (lambda text: text.replace(b'"subject":[', b'"subject":[{"digest":{"sha256":"00"},"name":"x"},'), "subject"),
        (lambda text: text[:-1] + b',"zz":1}', "an object with the fields"),
        (lambda text: text.replace(b"Statement/v1", b"Statement/v0.1"), "of version"),
        (lambda text: text.replace(b"permit-revoked:v1", b"permit-revoked:v2"), "of another kind"),
        (lambda text: text.replace(b"permit-revoked:v1", b"permit-minted:v1"), ""),
        (lambda text: text.replace(b'"role"', b'"rule"'), ""),
        (lambda _: b"[" * 20_000, "not JSON"),
        (lambda text: b"\xff" + text, "not JSON"),
        (lambda _: b"", ""),
    ],
)  # fmt: skip
def test_a_statement_in_another_form_than_the_one(company, insider, change, words):
    """Two readers could take it for two statements."""
    changed = change(STATEMENT)
    assert changed != STATEMENT
    insider.leaves.append(raw(insider, changed))
    said = company.verify(insider.publish())
    assert said.code == 4, said.out
    assert any(word in reasons(said)[0] for word in words.split("|")), reasons(said)


def test_the_statement_that_those_are_changed_from_is_admitted(company, insider):
    insider.leaves.append(raw(insider, STATEMENT))
    assert company.verify(insider.publish()).code == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'{"payload"', b'{ "payload"'),
        lambda data: data.replace(b'"payloadType"', b'"keyid":"x","payloadType"'),
        lambda data: data[:-1] + b',"zz":1}',
        lambda data: data.replace(b'{"payload":', b'{"payload":"e30=","payload":'),
        lambda data: data.replace(b"application/vnd.in-toto+json", b"application/json"),
        lambda data: data + b"\n",
        lambda data: data[:-2],
        lambda _: b"",
        lambda _: b"\x00" * 40,
    ],
)
def test_an_envelope_in_another_form_than_the_one(company, insider, change):
    place = insider.where(ResultReported)
    insider.leaves[place] = change(insider.leaves[place])
    check_refused(company, insider, f"entry {place} is not to be trusted")


def test_a_malleated_p256_signature_is_no_second_statement(found, people):
    """`(r, n - s)` verifies as well: the leaf is another, and the statement the same."""
    signer = P256Signer(11)
    line = f'key "Pia Lund" auditor {write_key(key_of(signer))}'
    path = people.file("p256", speakers=[*(key.line for key in people.keys.values()), line])
    company = found(path.name)
    company.init()
    insider = Insider(company.export(), people)
    envelope, data = sign_leaf(statement(RunVoided("r1", "crashed", "Pia Lund", "auditor")), [signer])
    r, s = decode_dss_signature(envelope.signatures[0].signature)
    other = type(envelope)(
        IN_TOTO,
        envelope.payload,
        (EnvelopeSignature(encode_dss_signature(r, ORDER - s), envelope.signatures[0].key_id),),
    )
    insider.leaves.append(data)
    assert company.verify(insider.publish()).code == 3
    insider.leaves.append(format_envelope(other))
    check_refused(company, insider, "the same statement is in the log already")


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31)])
def test_a_low_order_key_that_verifies_everything_is_none(company, insider, key):
    """With it any signature would be good under a lax rule."""
    event = KeyRotated(
        write_key(insider.key("Ada Osei")), "ed25519:" + b64encode(key).decode(), "Ada Osei", "developer"
    )
    envelope, _ = sign_leaf(statement(event, 3), [insider.signer("Ada Osei")])
    forged = EnvelopeSignature(b"\x01" + bytes(63), "")
    insider.leaves.append(format_envelope(type(envelope)(IN_TOTO, envelope.payload, (*envelope.signatures, forged))))
    check_refused(company, insider, "entry 6 is not to be trusted")


# ---------------------------------------------------------------- time


def test_backdated_evidence(company, insider):
    """Dated before the entry that it stands behind, and signed long before it was included, as he says."""
    event = PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer")
    insider.add(event, company.now - 10 * DAY)
    check_refused(company, insider, "inclusion: entry 6 was signed", "before it was included", code=1)


def test_a_clock_that_is_moved_forward(company, insider):
    """A notice of thirty days is over at once."""
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), company.now + 40 * DAY)
    check_refused(company, insider, "time: the log ends on", "still to come", code=1)


def test_a_clock_that_is_a_little_fast_is_no_reason_for_alarm(company, insider):
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), company.now + 200)
    assert company.verify(insider.publish()).code == 3


def test_an_auditors_words_from_before_are_included_too_late(company, insider):
    """He kept a denial back until it no longer mattered."""
    denial = replace(DENIAL, holds=False, expires=0, by="Lea Roth")
    lea = insider.people.signer("Lea Roth")
    insider.add(PermitRevoked("sha256:" + "0" * 64, "Ada Osei", "developer"), company.now)
    insider.leaves.append(sign_leaf(statement(denial, 3, company.now - 5 * DAY), [lea])[1])
    check_refused(company, insider, "inclusion: entry 7 was signed 5 days before it was included", code=1)


def test_an_event_of_the_largest_size_that_an_author_can_write_is_read(company, insider):
    event = PermitRevoked("x" * 47_000, "Ada Osei", "developer")
    insider.add(event)
    assert company.verify(insider.publish()).code == 3
