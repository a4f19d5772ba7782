"""What a log says in public words, beside an export: made from the log, and from nothing else."""

import json
import shutil
from datetime import UTC, datetime

import pytest

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.dsse import IN_TOTO, sign_envelope
from scalegate.ledger.predicates import SVR, TEST_RESULT, VSA
from scalegate.ledger.sigstore import format_bundle, parse_bundle
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import DAY, ITO, Lab
from tests.cli.speakers import speakers_folder, trust_file, use_keys
from tests.ledger.signers import Ed25519Signer, key_of

FOLDER = "attestations"


@pytest.fixture(scope="module")
def attested(tmp_path_factory):
    """An export with a permit, and a hold after it, in public words; and the lab it is from."""
    folder = tmp_path_factory.mktemp("attested")
    with pytest.MonkeyPatch.context() as patch:
        lab = Lab(folder)
        patch.chdir(folder)
        use_keys(patch)
        patch.setattr("scalegate.app.clock.SystemClock.now", lambda _: lab.now)
        lab.init()
        lab.measure("r1", 0)
        assert lab.gate().code == 0
        lab.measure("r2", 90)
        assert lab.gate().code == 1
        lab.do("ledger", "export", "out", "--attest")
    return folder / "out"


@pytest.fixture
def bundle(empty, attested):
    """A copy of it, where commands find the keys."""
    return shutil.copytree(attested, empty.folder / "out")


def checks(empty, room="attestations"):
    said = empty.run("verify", "out", "--trust", trust_file(), "--format", "json")
    found = [(item["verdict"], item["message"]) for item in said.json["checks"] if item["room"] == room]
    return said.code, found


def statement(path):
    return json.loads(parse_bundle(path.read_bytes()).content.payload)


def by_kind(bundle, kind):
    """Paths of the statements of one predicate, in the order of their numbers."""
    found = [path for path in (bundle / FOLDER).iterdir() if statement(path)["predicateType"] == kind]
    return sorted(found, key=lambda path: int(path.name.split(".")[0].split("-")[1]))


def gate():
    """The signer of the gate."""
    trust = parse_trust(trust_file().read_text())
    key = next(item.key for item in trust.speakers if "gate" in item.roles)
    return Keyring(speakers_folder() / "keys", Secrets({})).signer(key)


def write(path, said, signer=None):
    signer = signer or gate()
    envelope = sign_envelope(IN_TOTO, canonical_bytes(said), [signer])
    path.write_bytes(format_bundle(envelope, key_of(signer).digest))


def check_untrusted(empty, path, why):
    code, found = checks(empty)
    assert code == 4
    assert [words for verdict, words in found if verdict == "untrusted"] == [f"{FOLDER}/{path.name}: {why}"]


def test_an_honest_export_says_in_public_words_what_the_log_says(empty, bundle):
    code, found = checks(empty)
    # Custody and other readers are all that stays open.
    assert code == 3
    assert found == [("passed", "5 public statements say what the log says, signed by its gate")]
    assert {path.name.split(".", 1)[1] for path in (bundle / FOLDER).iterdir()} == {
        "vsa.sigstore.json",
        "svr.sigstore.json",
        "test-result.sigstore.json",
    }


def test_an_export_without_attestations_has_no_check_of_them(empty, bundle):
    shutil.rmtree(bundle / FOLDER)
    assert checks(empty) == (3, [])


def test_a_permit_has_a_summary_that_passed_and_a_verification_result(bundle):
    permit, _ = by_kind(bundle, VSA)
    assert statement(permit)["predicate"]["verificationResult"] == "PASSED"
    (path,) = by_kind(bundle, SVR)
    (word,) = statement(path)["predicate"]["properties"]
    assert word.startswith("SCALEGATE_PERMIT:train?subject=orion&context=&to=4")
    assert statement(permit)["predicate"]["verifiedLevels"] == [word]


def test_a_hold_has_a_summary_that_failed_and_no_verification_result(bundle):
    _, hold = by_kind(bundle, VSA)
    said = statement(hold)["predicate"]
    assert (said["verificationResult"], said["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert [path.name for path in by_kind(bundle, SVR)] == ["answer-1.svr.sigstore.json"]


def test_a_result_that_crosses_a_threshold_is_a_failed_test(bundle):
    passed, failed = by_kind(bundle, TEST_RESULT)
    assert statement(passed)["predicate"]["result"] in ("PASSED", "WARNED")
    assert statement(failed)["predicate"]["result"] == "FAILED"


def test_a_hold_that_is_made_a_permit_is_found_out_though_the_gate_signs_it(empty, bundle):
    _, hold = by_kind(bundle, VSA)
    said = statement(hold)
    said["predicate"]["verificationResult"] = "PASSED"
    write(hold, said)
    check_untrusted(empty, hold, "it says something else than the log")


def test_a_statement_that_is_edited_under_its_old_signature_is_found_out(empty, bundle):
    (path,) = by_kind(bundle, SVR)
    found = json.loads(path.read_bytes())
    said = statement(path)
    said["predicate"]["properties"] = [said["predicate"]["properties"][0].replace("train", "release.weights")]
    other = parse_bundle(format_bundle(sign_envelope(IN_TOTO, canonical_bytes(said), [gate()]), "x")).content
    old = found["dsseEnvelope"]["signatures"]
    changed = json.loads(format_bundle(other, "x"))
    changed["dsseEnvelope"]["signatures"] = old
    path.write_text(json.dumps(changed))
    check_untrusted(empty, path, "it says something else than the log")


def test_a_true_statement_that_somebody_else_signed_is_found_out(empty, bundle):
    (path,) = by_kind(bundle, SVR)
    write(path, statement(path), Ed25519Signer("stranger"))
    code, found = checks(empty)
    (words,) = [words for verdict, words in found if verdict == "untrusted"]
    assert (code, words.startswith(f"{FOLDER}/{path.name}: ")) == (4, True)
    assert ("passed", "4 public statements say what the log says, signed by its gate") in found


def test_a_statement_by_a_speaker_who_is_not_the_gate_is_found_out(empty, bundle):
    trust = parse_trust(trust_file().read_text())
    auditor = next(item.key for item in trust.speakers if item.name == "Lea Roth")
    (path,) = by_kind(bundle, SVR)
    write(path, statement(path), Keyring(speakers_folder() / "keys", Secrets({})).signer(auditor))
    assert checks(empty)[0] == 4


@pytest.mark.parametrize("name", ["answer-2.svr.sigstore.json", "answer-3.vsa.sigstore.json", "more/x.sigstore.json"])
def test_a_statement_that_the_log_does_not_make_is_found_out(empty, bundle, name):
    (svr,) = by_kind(bundle, SVR)
    path = bundle / FOLDER / name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(svr, path)
    code, found = checks(empty)
    words = f"{FOLDER}/{name}: the log makes no such statement: it was made outside of it"
    assert (code, ("untrusted", words) in found) == (4, True)


@pytest.mark.parametrize("data", [b"", b"{}", b"{" * 5_000, b" " * (2 << 20)], ids=["empty", "object", "deep", "long"])
def test_a_file_that_is_no_statement_is_found_out(empty, bundle, data):
    path = by_kind(bundle, VSA)[0]
    path.write_bytes(data)
    assert checks(empty)[0] == 4


def test_a_permit_of_another_log_is_found_out(empty, bundle):
    (path,) = by_kind(bundle, SVR)
    said = statement(path)
    said["subject"][0]["digest"]["sha256"] = "0" * 64
    write(path, said)
    check_untrusted(empty, path, "it says something else than the log")


def test_nobody_attests_without_the_key_of_the_gate(lab, monkeypatch, tmp_path):
    folder = tmp_path / "other-keys"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("SCALEGATE_KEYS", str(folder))
    said = lab.run("ledger", "export", "out", "--attest")
    assert (said.code, "the private key of the gate is not at hand" in said.err) == (1, True)
    assert not (lab.folder / "out" / "checkpoint").exists()


def test_a_permit_that_was_revoked_is_attested_as_one_that_failed_since(lab):
    assert lab.gate().code == 0
    lab.now += 10
    lab.do("permit", "revoke", 1, *ITO)
    lab.do("ledger", "export", "out", "--attest")
    folder = lab.folder / "out"
    assert by_kind(folder, SVR) == []
    (path,) = by_kind(folder, VSA)
    said = statement(path)["predicate"]
    assert (said["verificationResult"], said["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert said["timeVerified"] == datetime.fromtimestamp(lab.now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "SCALEGATE_PERMIT" not in path.read_text()
    assert checks(lab) == (3, [("passed", "2 public statements say what the log says, signed by its gate")])


def test_a_permit_is_not_attested_as_one_in_force_once_it_was_revoked(lab):
    assert lab.gate().code == 0
    lab.do("ledger", "export", "before", "--attest")
    lab.do("permit", "revoke", 1, *ITO)
    lab.do("ledger", "export", "out", "--attest")
    (svr,), (vsa,) = by_kind(lab.folder / "before", SVR), by_kind(lab.folder / "before", VSA)
    shutil.copy(svr, lab.folder / "out" / FOLDER)
    shutil.copy(vsa, lab.folder / "out" / FOLDER)
    code, found = checks(lab)
    assert (code, [words for verdict, words in found if verdict == "untrusted"]) == (
        4,
        [
            f"{FOLDER}/{svr.name}: the log makes no such statement: it was made outside of it",
            f"{FOLDER}/{vsa.name}: it says something else than the log",
        ],
    )


def test_a_permit_that_ended_by_itself_stays_one_that_was_given(lab):
    assert lab.gate().code == 0
    lab.now += 400 * DAY
    lab.do("ledger", "export", "out", "--attest")
    (path,) = by_kind(lab.folder / "out", SVR)
    assert "&until=" in statement(path)["predicate"]["properties"][0]
