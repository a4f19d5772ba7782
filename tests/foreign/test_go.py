"""Go's golang.org/x/mod takes our checkpoints and proofs: its note and tlog verify the Go checksum database."""

import json

import pytest

from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from tests.foreign.emitted import ENTRIES, LOG_KEY, ORIGIN, SIZE, STRANGER, encoded, head_text, prover
from tests.foreign.programs import go_verifier, run

pytestmark = pytest.mark.extra
SIZES = range(1, SIZE + 1)


@pytest.fixture(scope="module")
def ask():
    """Asks the foreign verifier many questions at once."""
    program = go_verifier()
    return lambda *questions: json.loads(run([str(program)], input=json.dumps(questions)))


def question(**fields):
    return {"Origin": ORIGIN, "VKey": format_vkey(LOG_KEY), "Note": head_text(), **fields}


def inclusion(size, index, **fields):
    proof = prover(size).inclusion(index)
    named = {"Note": head_text(size), "Index": index, "Entry": encoded(ENTRIES[index])}
    return question(**named | {"Proof": [encoded(item) for item in proof]} | fields)


def consistency(old, size, **fields):
    proof = prover(size).consistency(old)
    return question(
        **{"Note": head_text(size), "Old": head_text(old), "Proof": [encoded(item) for item in proof]} | fields
    )


def test_go_takes_every_checkpoint_of_a_log_with_and_without_cosignature(ask):
    questions = [question(Note=head_text(size, cosigned=cosigned)) for size in SIZES for cosigned in (True, False)]
    assert ask(*questions) == ["ok"] * (2 * SIZE)


def test_go_takes_every_inclusion_proof_of_a_log(ask):
    questions = [inclusion(size, index) for size in SIZES for index in range(size)]
    assert ask(*questions) == ["ok"] * (SIZE * (SIZE + 1) // 2)


def test_go_takes_every_consistency_proof_of_a_log(ask):
    questions = [consistency(old, size) for size in SIZES for old in range(1, size + 1)]
    assert ask(*questions) == ["ok"] * (SIZE * (SIZE + 1) // 2)


def test_go_refuses_a_checkpoint_that_was_changed_or_signed_by_another(ask):
    stranger = format_vkey(NoteKey(ORIGIN, SignatureType.NOTE, STRANGER))
    text = head_text()
    answers = ask(
        question(Note=text.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n", 1)),
        question(Note=text.replace(ORIGIN, "acme.example/fork", 1)),
        question(Note=text.rpartition("\n\n")[0] + "\n\n"),
        question(VKey=stranger),
        question(Origin="acme.example/fork"),
    )
    assert "ok" not in answers
    assert "invalid signature" in answers[0]
    assert "no verifiable signatures" in answers[3]


def test_go_refuses_a_rewritten_entry_and_a_proof_for_another_place(ask):
    good = inclusion(SIZE, 5)
    rewritten = encoded(ENTRIES[5].replace(b"payload", b"Payload", 1))
    answers = ask(
        good,
        good | {"Entry": rewritten},
        good | {"Entry": encoded(ENTRIES[6])},
        good | {"Index": 4},
        good | {"Proof": good["Proof"][:-1]},
        good | {"Proof": [*good["Proof"], good["Proof"][0]]},
        good | {"Proof": [encoded(bytes(32)), *good["Proof"][1:]]},
        good | {"Note": head_text(SIZE - 1)},
    )
    assert answers[0] == "ok"
    assert "ok" not in answers[1:]


def test_go_refuses_a_log_that_does_not_continue_the_older_one(ask):
    good = consistency(6, SIZE)
    answers = ask(
        good,
        good | {"Old": head_text(5)},
        good | {"Note": head_text(SIZE - 1)},
        good | {"Proof": good["Proof"][1:]},
        good | {"Proof": [encoded(bytes(32)), *good["Proof"][1:]]},
        # Truncated: what was signed last comes first.
        good | {"Old": good["Note"], "Note": good["Old"]},
    )
    assert answers[0] == "ok"
    assert "ok" not in answers[1:]
