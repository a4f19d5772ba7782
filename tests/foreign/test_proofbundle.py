"""proofbundle takes our tlog-proofs: entry, checkpoint and witnesses in one file, checked without a network."""

import subprocess
import sys

import pytest

from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from scalegate.ledger.tlog_proof import format_proof, prove_entry
from tests.foreign.emitted import ENTRIES, LOG_KEY, ORIGIN, SIZE, STRANGER, WITNESS_KEY, head, prover

pytestmark = pytest.mark.extra
pytest.importorskip("proofbundle", reason="needs the extra `foreign`")
PLACE = 5
MAIN = "import sys; from proofbundle.cli import main; sys.exit(main())"
TAKEN, REFUSED = 0, 1


@pytest.fixture
def answers(tmp_path):
    """The exit code of `proofbundle verify-proof` on a proof and an entry."""
    path, entry_path = tmp_path / "entry.tlog-proof", tmp_path / "entry"

    def asked(proof, entry=ENTRIES[PLACE], log=LOG_KEY, witness=WITNESS_KEY, origin=ORIGIN, threshold=1):
        path.write_bytes(proof)
        entry_path.write_bytes(entry)
        keys = ["--log-vkey", format_vkey(log), "--witness-vkey", format_vkey(witness)]
        trust = [*keys, "--expected-origin", origin, "--threshold", str(threshold)]
        command = [sys.executable, "-c", MAIN, "verify-proof", str(path), "--payload-file", str(entry_path)]
        done = subprocess.run([*command, *trust], check=False, capture_output=True, timeout=120)
        assert b"Traceback" not in done.stderr
        return done.returncode

    return asked


def proof(size=SIZE, index=PLACE, *, cosigned=True):
    return format_proof(prove_entry(prover(size), index, head(size, cosigned=cosigned)))


@pytest.mark.parametrize(("size", "index"), [(1, 0), (8, 5), (SIZE, PLACE), (SIZE, SIZE - 1)])
def test_proofbundle_takes_our_proofs(answers, size, index):
    assert answers(proof(size, index), ENTRIES[index]) == TAKEN


def test_proofbundle_refuses_a_rewritten_entry(answers):
    assert answers(proof(), ENTRIES[PLACE + 1]) == REFUSED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"index 5", b"index 4"),
        (ORIGIN.encode() + b"\n13\n", ORIGIN.encode() + b"\n14\n"),
        (ORIGIN.encode() + b"\n", b"acme.example/fork\n"),
    ],
    ids=["another place", "another size", "another log"],
)
def test_proofbundle_refuses_a_changed_proof(answers, old, new):
    data = proof()
    assert old in data
    assert answers(data.replace(old, new, 1)) == REFUSED


def test_proofbundle_refuses_our_proof_under_other_keys(answers):
    stranger = NoteKey(ORIGIN, SignatureType.NOTE, STRANGER)
    other_witness = NoteKey(WITNESS_KEY.name, SignatureType.COSIGNATURE, STRANGER)
    assert answers(proof(), log=stranger) == REFUSED
    assert answers(proof(), witness=other_witness) == REFUSED
    assert answers(proof(), origin="acme.example/fork") == REFUSED


def test_proofbundle_refuses_our_proof_without_enough_witnesses(answers):
    assert answers(proof(cosigned=False), threshold=0) == TAKEN
    assert answers(proof(cosigned=False)) == REFUSED
    assert answers(proof(), threshold=2) == REFUSED
