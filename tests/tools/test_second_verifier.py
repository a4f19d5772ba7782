"""The second verifier says what the first one says: of honest exports, of tampered ones, and of single signatures."""

import ast
import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.log_events import OrderDrawn
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.note import Note, format_note, parse_note
from scalegate.ledger.signatures import PublicKey, SignatureError
from tests.attacks.insider import WITNESSES, People, witness_key
from tests.ledger.signers import Ed25519Signer, P256Signer
from tests.tools.exports import SECOND, STORIES, first_code, made, second, second_says
from tests.tools.forged import ANSWERS, LOGS, answer, rewritten
from tests.tools.tampered import FILES

REFUSED = (1, 4)
QUICK = ("exception", "overdue", "witnessed", "duties")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def export(tmp_path_factory, people):
    """Returns the export of a story; each happens once."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        people.use(patch)

        def clock(company):
            patch.chdir(company.folder)
            patch.setattr("scalegate.app.clock.SystemClock.now", lambda _: company.now)

        def make(name):
            if name not in found:
                found[name] = made(name, tmp_path_factory.mktemp("story") / name, people, clock)
            return found[name]

        yield make


# ---------------------------------------------------------------- the file


def test_the_second_verifier_is_one_short_file_of_the_standard_library():
    text = SECOND.read_text()
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [item.name for item in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert text.count("\n") < 530
    assert max(map(len, text.split("\n"))) <= 120
    assert imported <= sys.stdlib_module_names
    assert "scalegate" not in imported


def test_the_file_runs_by_itself_without_anything_of_ours(export, tmp_path):
    one = export("small")
    said = subprocess.run(
        [sys.executable, "-I", SECOND, one.bundle, "--trust", one.trust, "--at", str(one.now)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (said.returncode, said.stderr) == (3, "")
    assert said.stdout.endswith("verdict impossible\n")
    wrong = subprocess.run([sys.executable, "-I", SECOND], capture_output=True, check=False, timeout=60)
    assert wrong.returncode == 2


# ---------------------------------------------------------------- exports


def agree(one):
    """Both verifiers say the same, and nothing was left to chance: every answer and table was evaluated."""
    code, text = second_says(one)
    assert code == first_code(one), text
    return text


@pytest.mark.parametrize("name", QUICK)
def test_both_verifiers_agree(export, name):
    text = agree(export(name))
    assert "untrusted" not in text
    assert "impossible answer" not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(STORIES) - set(QUICK)))
def test_both_verifiers_agree_about_every_story(export, name):
    text = agree(export(name))
    assert "untrusted" not in text
    assert "impossible answer" not in text


def test_a_registered_run_without_its_result_does_not_hold(export):
    assert second_says(export("overdue"))[0] == 1


def test_it_says_what_it_computed_again_and_what_it_took_as_given(export):
    text = second_says(export("small"))[1]
    assert "passed answer 2, from the facts of its policies: passed" in text
    assert "passed scores by item, and what entry" in text
    assert "passed 4 facts are the exact bounds of a run" in text
    assert "other facts, and that policies mean their conditions: taken as given" in text


def test_without_derived_files_the_log_is_checked_and_the_rest_is_not_possible(export, tmp_path):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    shutil.rmtree(bundle / "derived")
    assert (first_code(one, bundle), second_says(one, bundle)[0]) == (3, 3)
    assert "impossible answer 2" in second_says(one, bundle)[1]


def test_a_document_that_is_not_handed_over_is_not_blamed(export, tmp_path):
    one = export("small")
    for path in sorted(one.bundle.glob("blobs/sha256/*/*")):
        bundle = shutil.copytree(one.bundle, tmp_path / path.name)
        (bundle / path.relative_to(one.bundle)).unlink()
        assert (first_code(one, bundle), second_says(one, bundle)[0]) == (3, 3), path


def test_another_trust_file_is_not_satisfied(export, tmp_path):
    one = export("small")
    other = tmp_path / "trust"
    other.write_text(one.trust.read_text() + "# mine\n")
    code, text = second_says(type(one)(one.bundle, other, one.now))
    assert (code, "it is not yours" in text) == (4, True)


# ---------------------------------------------------------------- tampering


@pytest.mark.parametrize("name", FILES)
def test_both_refuse_a_changed_file(export, tmp_path, name):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    FILES[name](bundle)
    code, text = second_says(one, bundle)
    assert first_code(one, bundle) in REFUSED
    assert code in REFUSED, text


def test_no_document_is_used_that_was_changed(export, tmp_path):
    one = export("small")
    for path in sorted(one.bundle.glob("blobs/sha256/*/*")):
        bundle = shutil.copytree(one.bundle, tmp_path / path.name)
        changed = bundle / path.relative_to(one.bundle)
        changed.write_bytes(changed.read_bytes() + b" ")
        code, text = second_says(one, bundle)
        assert first_code(one, bundle) in REFUSED
        assert (code, "has another digest" in text) == (4, True)


def test_outcomes_of_a_run_that_is_looked_at_stand_in_their_order(export, tmp_path):
    one = export("sequential")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    (path,) = bundle.glob("derived/scores/*")
    value = json.loads(path.read_bytes())
    assert [value["items"][place][1] for place in (0, -1)] == ["0", "-"]
    value["items"][0][1], value["items"][-1][1] = "-", "0"
    path.write_bytes(canonical_bytes(value))
    assert (first_code(one, bundle), second_says(one, bundle)[0]) == (4, 1)


def test_an_order_is_the_one_that_its_seed_draws(export, people, tmp_path):
    """Whatever follows the order is left out, so that nothing else is wrong."""
    one = export("witnessed")

    def cut(**changes):
        def change(insider, _kept):
            index = insider.where(OrderDrawn)
            insider.leaves = [*insider.leaves[:index], insider.again(index, **changes)]

        return change

    for name, change, code in (
        ("none", cut(), 3),
        ("order", cut(order="sha256:" + "5" * 64), 1),
        ("seed", cut(seed="sha256:" + "5" * 64), 1),
        ("items", cut(items=299), 1),
    ):
        (tmp_path / name).mkdir()
        bundle = shutil.copytree(one.bundle, tmp_path / name / "copy")
        rewritten(bundle, people, change, derived=False)
        assert second_says(one, bundle)[0] == code, name
        assert (first_code(one, bundle) in REFUSED) is (code == 1), name


def test_a_signed_root_that_is_not_that_of_the_entries_is_refused(export, people, tmp_path):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    key, size = people.log.note, int((bundle / "checkpoint").read_text().split("\n")[1])
    text = format_checkpoint(Checkpoint(key.name, size, bytes(32)))
    (bundle / "checkpoint").write_bytes(format_note(Note(text, (key.sign(text, people.log_signer()),))))
    assert (first_code(one, bundle), second_says(one, bundle)[0]) == (4, 4)


def test_witnesses_alone_do_not_sign_for_the_log(export, tmp_path):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    text = parse_note((bundle / "checkpoint").read_bytes()).text
    lines = tuple(witness_key(name).sign(text, Ed25519Signer(name), one.now) for name in WITNESSES)
    (bundle / "checkpoint").write_bytes(format_note(Note(text, lines)))
    assert (first_code(one, bundle), second_says(one, bundle)[0]) == (4, 4)


def test_a_log_that_ended_under_an_older_trust_file_is_refused(export, tmp_path):
    one = export("small")
    newer = tmp_path / "trust"
    digest = hashlib.sha256(one.trust.read_bytes()).hexdigest()
    newer.write_text(one.trust.read_text() + f"replaces sha256:{digest}\n")
    later = type(one)(one.bundle, newer, one.now)
    assert (first_code(later), second_says(later)[0]) == (4, 4)


@pytest.mark.parametrize("name", LOGS)
def test_no_log_is_trusted_that_an_insider_changed(export, people, tmp_path, name):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    rewritten(bundle, people, LOGS[name], derived=False)
    code, text = second_says(one, bundle)
    assert first_code(one, bundle) in REFUSED
    assert code == 4, text


@pytest.mark.parametrize("name", ANSWERS)
def test_both_refuse_an_answer_that_an_insider_made_up(export, people, tmp_path, name):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    rewritten(bundle, people, ANSWERS[name], derived=True)
    code, text = second_says(one, bundle)
    assert first_code(one, bundle) in REFUSED
    assert (code, "failed answer" in text) == (1, True), text


def test_a_permit_that_leaves_a_policy_out_is_refused(export, people, tmp_path):
    """The first permit of the story, given a second time after another policy was adopted."""
    one = export("plain")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    rewritten(bundle, people, answer(), derived=True)
    code, text = second_says(one, bundle)
    assert first_code(one, bundle) in REFUSED
    assert code == 1
    assert "from the facts of its policies: ['facts']" in text


def test_an_insider_who_changes_nothing_is_not_refused(export, people, tmp_path):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    rewritten(bundle, people, lambda *_: None, derived=True)
    assert (first_code(one, bundle), second_says(one, bundle)[0]) == (3, 3)


# ---------------------------------------------------------------- signatures


def good(public, signature, message, algorithm="ed25519"):
    try:
        PublicKey(algorithm, public).verify(signature, message)
    except SignatureError:
        return False
    return True


def test_wycheproof_ed25519(shared_data):
    folder = shared_data / "vectors/wycheproof/testvectors_v1"
    groups = json.loads((folder / "ed25519_test.json").read_text())["testGroups"]
    verdicts = [
        (
            second.ed25519(
                bytes.fromhex(group["publicKey"]["pk"]), bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            ),
            case["result"] == "valid",
        )
        for group in groups
        for case in group["tests"]
    ]
    assert len(verdicts) == 151
    assert all(ours is theirs for ours, theirs in verdicts)


@pytest.mark.slow
def test_wycheproof_p256(shared_data):
    folder = shared_data / "vectors/wycheproof/testvectors_v1"
    groups = json.loads((folder / "ecdsa_secp256r1_sha256_test.json").read_text())["testGroups"]
    cases = [(bytes.fromhex(group["publicKeyDer"]), case) for group in groups for case in group["tests"]]
    wrong = [
        case["tcId"]
        for key, case in cases
        if second.p256(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])) is not (case["result"] == "valid")
    ]
    # A signature of 64 bytes is taken as `r || s`, as in envelopes, where no DER has so few.
    assert (len(cases), wrong) == (484, [])


def test_the_914_edge_points_have_the_verdict_of_the_first_verifier(shared_data):
    cases = json.loads((shared_data / "vectors/cctv-ed25519/ed25519/ed25519vectors.json").read_text())
    verdicts = []
    for case in cases:
        given = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode()
        verdicts.append(second.ed25519(*given))
        assert verdicts[-1] is good(*given), case["number"]
    assert (len(verdicts), sum(verdicts)) == (914, 43)


def test_a_flipped_bit_or_another_key_is_refused():
    for signer, other, algorithm, verify in (
        (Ed25519Signer(), Ed25519Signer("another"), "ed25519", second.ed25519),
        (P256Signer(), P256Signer(11), "ecdsa-p256", second.p256),
    ):
        signature, message = signer.sign(b"message"), b"message"
        assert verify(signer.public, signature, message)
        for place in range(0, len(signature), 5):
            changed = bytearray(signature)
            changed[place] ^= 1 << place % 8
            assert verify(signer.public, bytes(changed), message) is False
            assert not good(signer.public, bytes(changed), message, algorithm)
        assert verify(other.public, signature, message) is False
        assert verify(signer.public, signature, b"Message") is False
        assert verify(signer.public, b"", message) is False


def test_p256_signatures_count_as_two_numbers_of_32_bytes_too():
    signer = P256Signer()
    signature = signer.sign(b"message")
    cut = 4 + signature[3]
    numbers = [int.from_bytes(part) for part in (signature[4:cut], signature[cut + 2 :])]
    raw = b"".join(number.to_bytes(32) for number in numbers)
    assert second.p256(signer.public, raw, b"message")
    assert second.p256(signer.public, raw[:-1] + bytes([raw[-1] ^ 1]), b"message") is False
