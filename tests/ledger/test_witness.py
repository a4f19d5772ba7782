import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.note import (
    Note,
    NoteError,
    NoteKey,
    NoteSignature,
    SignatureType,
    Signed,
    format_note,
    parse_note,
    parse_vkey,
    verify_note,
)
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.witness import (
    MAX_REQUEST,
    PLAIN,
    SIZE,
    Witness,
    WitnessRequestError,
    WitnessState,
    WitnessStateDamagedError,
    WitnessStateError,
    WitnessStateMissingError,
    format_request,
    parse_request,
    read_history,
)
from tests.conftest import ROOT
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, P256Signer, has_ml_dsa_44, key_of
from tests.ledger.witnessed_log import AUDITOR, LAB, LAB_KEY, LOGS, ORIGIN, WITNESS_KEY, Log

PROCESS = ROOT / "tests/adapters/witness_process.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
TIME = 1_800_000_000
LOG, TWIN = Log(), Log(fork=7)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "memory"


@pytest.fixture
def witness(folder):
    with WitnessState.create(folder, WITNESS_KEY) as state:
        yield Witness(state, AUDITOR, LOGS)


def ask(witness, old, size, *, log=LOG, time=TIME):
    return witness.add_checkpoint(log.request(old, size), time)


def place(folder, origin=ORIGIN):
    return folder / "logs" / hashlib.sha256(origin.encode()).hexdigest()


def cosignature(answer, note):
    """The time that an answer states, once its signature is found to be good."""
    text = parse_note(note).text
    lines = parse_note(text.encode() + b"\n" + answer.body)
    (signed,) = verify_note(lines, [WITNESS_KEY])
    return signed.timestamp


# ---------------------------------------------------------------- conformance


def sequence(shared_data, name):
    return json.loads((shared_data / "vectors/c2sp" / name).read_text())


def nine_steps(shared_data):
    """The sequence, the log it is about, and the log of another origin in it."""
    found = sequence(shared_data, "witness_add_checkpoint_sequence.json")
    public = PublicKey("ed25519", bytes.fromhex(found["log_key_sigsum_hex"]))
    origin = f"sigsum.org/v1/tree/{hashlib.sha256(public.public).hexdigest()}"
    other = origin[:-1] + "3"
    logs = {name: (NoteKey(name, SignatureType.NOTE, public),) for name in (origin, other)}
    return [(item["body"].encode(), item["status"]) for item in found["requests"]], origin, logs


def test_the_nine_steps_get_the_recorded_answers(folder, shared_data):
    steps, _, logs = nine_steps(shared_data)
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, logs)
        answers = [witness.add_checkpoint(body, TIME + step) for step, (body, _) in enumerate(steps)]
    assert [item.status for item in answers] == [status for _, status in steps]
    assert len(steps) == 9
    assert [answers[step].body for step in (6, 8)] == [b"3\n", b"5\n"]
    assert {answers[step].content_type for step in (6, 8)} == {SIZE}
    for step in (0, 5, 7):
        assert cosignature(answers[step], steps[step][0].partition(b"\n\n")[2]) == TIME + step


def test_the_nine_steps_get_404_for_a_log_that_is_not_known(folder, shared_data):
    """The specification's answer; the recorded one is 403, which that implementation gives instead."""
    steps, origin, logs = nine_steps(shared_data)
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, {origin: logs[origin]})
        found = [witness.add_checkpoint(body, TIME).status for body, _ in steps]
    assert found == [200, 403, 404, 422, 422, 200, 409, 200, 409]


def test_the_go_checksum_database_is_cosigned(folder, shared_data):
    found = sequence(shared_data, "witness_sumdb_sequence.json")
    logs = {"go.sum database tree": tuple(map(parse_vkey, found["vkey"]))}
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, logs)
        answers = [witness.add_checkpoint(item["body"].encode(), TIME) for item in found["requests"]]
    assert [item.status for item in answers] == [item["status"] for item in found["requests"]] == [200]


@pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")
def test_a_witness_may_have_an_ml_dsa_44_key(folder):
    signer = MlDsa44Signer()
    key = NoteKey("pq.example", SignatureType.ML_DSA_COSIGNATURE, key_of(signer))
    with WitnessState.create(folder, key) as state:
        witness = Witness(state, signer, LOGS)
        first, again = ask(witness, 0, 5), ask(witness, 5, 5, time=TIME + 9)
    lines = parse_note(parse_note(LOG.note(5)).text.encode() + b"\n" + first.body)
    # ML-DSA-44 signs differently each time: only what was kept is the same.
    assert verify_note(lines, [key]) == (Signed(key, TIME),)
    assert first == again


# ---------------------------------------------------------------- laws


def test_a_log_that_grows_is_cosigned_from_its_first_checkpoint_on(witness):
    old = 0
    for step, size in enumerate((1, 2, 5, 33, 64)):
        answer = ask(witness, old, size, time=TIME + step)
        assert (answer.status, answer.content_type) == (200, PLAIN)
        assert cosignature(answer, LOG.note(size)) == TIME + step
        old = size


def test_an_empty_log_is_cosigned_and_then_grows(witness):
    assert ask(witness, 0, 0).status == 200
    assert ask(witness, 0, 0, time=TIME + 5) == ask(witness, 0, 0)
    assert ask(witness, 0, 3).status == 200
    assert ask(witness, 0, 0).body == b"3\n"


def test_the_same_checkpoint_gets_the_same_cosignature_for_ever(folder):
    with WitnessState.create(folder, WITNESS_KEY) as state:
        first = ask(Witness(state, AUDITOR, LOGS), 0, 5)
    with WitnessState(folder, WITNESS_KEY) as state:
        again = [ask(Witness(state, AUDITOR, LOGS), 5, 5, time=TIME + later) for later in (0, 1, 86_400)]
    assert again == [first] * 3


def test_times_of_cosignatures_never_go_back(witness):
    assert ask(witness, 0, 5).status == 200
    answer = ask(witness, 5, 6, time=TIME - 86_400)
    assert cosignature(answer, LOG.note(6)) == TIME


@pytest.mark.parametrize("time", [0, -1, 1 << 63])
def test_a_witness_without_the_time_signs_nothing(witness, time):
    with pytest.raises(ValueError, match="needs the time"):
        ask(witness, 0, 5, time=time)
    assert witness.heads() == {ORIGIN: None}


def test_what_was_cosigned_is_in_the_history(witness, folder):
    bodies = [ask(witness, old, size, time=TIME + size).body for old, size in ((0, 5), (5, 5), (5, 6), (6, 64))]
    found = list(read_history(folder, WITNESS_KEY, ORIGIN))
    assert [(item.checkpoint.size, item.checkpoint.root, item.time) for item in found] == [
        (size, LOG.root(size), TIME + size) for size in (5, 6, 64)
    ]
    assert [item.line for item in found] == [bodies[0], *bodies[2:]]
    assert all(verify_note(item.note, [LAB_KEY, WITNESS_KEY])[0] == Signed(LAB_KEY, None) for item in found)
    assert witness.heads()[ORIGIN] == found[-1]
    assert list(read_history(folder, WITNESS_KEY, "other.example/log")) == []


def test_signatures_by_nobody_known_are_not_kept(witness, folder):
    note = parse_note(LOG.note(5))
    stranger = NoteSignature("stranger.example", 7, b"anything")
    full = format_note(Note(note.text, (stranger, *note.signatures, *note.signatures)))
    assert witness.add_checkpoint(format_request(0, (), full), TIME).status == 200
    (kept,) = read_history(folder, WITNESS_KEY, ORIGIN)
    assert [item.name for item in kept.note.signatures] == [LAB_KEY.name, WITNESS_KEY.name]


moves = st.lists(
    st.tuples(st.sampled_from([LOG, TWIN]), st.integers(0, 12), st.integers(0, 12), st.integers(-5, 5)), max_size=25
)


@settings(max_examples=25)
@given(moves)
def test_whatever_is_asked_there_is_one_history(tmp_path_factory, asked):
    folder = tmp_path_factory.mktemp("law") / "memory"
    roots, lines, times, known = {}, {}, [TIME - 99], 0
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, LOGS)
        for log, old, size, later in asked:
            if old > size:
                assert witness.add_checkpoint(format_request(old, (), log.note(size)), TIME).status == 400
                continue
            answer = ask(witness, old, size, log=log, time=TIME + later)
            continues = known == 0 or known <= 7 or roots[known] == log.root(known)
            assert answer.status == (409 if old != known else 200 if continues else 409 if size == known else 422)
            if answer.status == 409:
                assert answer.body == b"%d\n" % known
            if answer.status == 200:
                assert size >= known
                known = size
                assert roots.setdefault(size, log.root(size)) == log.root(size)
                assert lines.setdefault(size, answer.body) == answer.body
                times.append(cosignature(answer, log.note(size)))
        assert times == sorted(times)
    assert {item.checkpoint.size: item.line for item in read_history(folder, WITNESS_KEY, ORIGIN)} == lines


def test_of_many_askers_at_once_each_size_gets_one_cosignature(witness):
    found = []

    def grow(log):
        known = 0
        while known < 20:
            answer = ask(witness, known, known + 1, log=log)
            found.append((known + 1, log.root(known + 1), answer.status, answer.body))
            if answer.status == 409 and int(answer.body) <= known:
                return
            if answer.status == 422:
                return
            known = known + 1 if answer.status == 200 else int(answer.body)

    threads = [threading.Thread(target=grow, args=(log,)) for log in (LOG, TWIN, LOG, TWIN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed = {(size, root, body) for size, root, status, body in found if status == 200}
    assert len(signed) == len({size for size, _, _ in signed}) > 0


# ---------------------------------------------------------------- attacks


def test_a_split_view_is_refused(witness):
    assert ask(witness, 0, 9).status == 200
    answer = ask(witness, 9, 9, log=TWIN)
    assert (answer.status, answer.content_type, answer.body) == (409, SIZE, b"9\n")


def test_another_history_with_a_proof_of_its_own_is_refused(witness):
    assert ask(witness, 0, 9).status == 200
    assert ask(witness, 9, 12, log=TWIN).status == 422
    assert witness.heads()[ORIGIN].checkpoint.size == 9


def test_a_rollback_is_refused(witness):
    assert ask(witness, 0, 9).status == 200
    # As if it never had been larger, and with all that a smaller tree can prove.
    for old, size in ((0, 5), (5, 5), (3, 5)):
        answer = ask(witness, old, size)
        assert (answer.status, answer.body) == (409, b"9\n")
    assert witness.add_checkpoint(format_request(9, (), LOG.note(5)), TIME).status == 400


def test_a_stale_old_size_is_told_the_size(witness):
    ask(witness, 0, 5)
    ask(witness, 5, 9)
    assert ask(witness, 5, 20).body == b"9\n"
    assert ask(witness, 9, 20).status == 200


def test_a_cosignature_cannot_be_ground_by_extension_lines(witness):
    first = ask(witness, 0, 5)
    answers = [witness.add_checkpoint(LOG.request(5, 5, f"try {number}"), TIME) for number in range(5)]
    assert {(item.status, item.body) for item in answers} == {(409, b"5\n")}
    assert ask(witness, 5, 5) == first


def test_a_checkpoint_of_another_log_is_refused(witness):
    other = Log(origin="other.example/log")
    assert ask(witness, 0, 5, log=other).status == 404


def test_a_checkpoint_signed_with_another_key_is_refused(witness):
    impostor = Ed25519Signer("impostor")
    key = NoteKey(ORIGIN, SignatureType.NOTE, key_of(impostor))
    assert ask(witness, 0, 5, log=Log(key=key, signer=impostor)).status == 403
    # With the ID of the key that is known, too.
    note = parse_note(Log(key=key, signer=impostor).note(5))
    forged = NoteSignature(ORIGIN, LAB_KEY.key_id, note.signatures[0].signature)
    body = format_request(0, (), format_note(Note(note.text, (forged,))))
    assert witness.add_checkpoint(body, TIME).status == 403


def test_a_checkpoint_is_signed_for_one_log_only(folder):
    """The same key for two logs: a checkpoint of one is none of the other."""
    second = NoteKey("lab.example/second", SignatureType.NOTE, key_of(LAB))
    logs = {**LOGS, "lab.example/second": (second,)}
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, logs)
        assert ask(witness, 0, 5).status == 200
        assert ask(witness, 0, 5, log=Log(origin="lab.example/second")).status == 403
        assert ask(witness, 0, 3, log=Log(origin="lab.example/second", key=second)).status == 200
        assert ask(witness, 5, 6).status == 200


def test_a_proof_of_another_tree_is_refused(witness):
    ask(witness, 0, 9)
    for proof in (LOG.proof(8, 20), TWIN.proof(9, 20), (), (*LOG.proof(9, 20), bytes(32))):
        assert witness.add_checkpoint(format_request(9, proof, LOG.note(20)), TIME).status == 422
    assert ask(witness, 9, 20).status == 200


def test_a_proof_of_nothing_is_refused(witness):
    assert witness.add_checkpoint(format_request(0, (bytes(32),), LOG.note(5)), TIME).status == 422
    ask(witness, 0, 5)
    assert witness.add_checkpoint(format_request(5, (bytes(32),), LOG.note(5)), TIME).status == 422


NOTE = LOG.note(5)
HASH = base64.b64encode(bytes(32))
TEXT = format_checkpoint(Checkpoint(ORIGIN, 5, LOG.root(5))).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "an empty line", id="nothing"),
        pytest.param(b"old 0\n\n", "an empty line", id="no-checkpoint"),
        pytest.param(b"old 0\n" + NOTE, "an empty line", id="no-empty-line"),
        pytest.param(b"old 0\n\n" + TEXT, "an empty line", id="no-signatures"),
        pytest.param(b"\n\n" + NOTE, "the first line", id="no-old-line"),
        pytest.param(b"new 0\n\n" + NOTE, "the first line", id="new"),
        pytest.param(b"OLD 0\n\n" + NOTE, "the first line", id="upper-case"),
        pytest.param(b"old  0\n\n" + NOTE, "a decimal", id="two-spaces"),
        pytest.param(b"old 00\n\n" + NOTE, "a decimal", id="leading-zero"),
        pytest.param(b"old -1\n\n" + NOTE, "a decimal", id="negative"),
        pytest.param(b"old 9223372036854775808\n\n" + NOTE, "a decimal", id="too-large"),
        pytest.param("old \u0660\n\n".encode() + NOTE, "a decimal", id="digit-of-another-script"),
        pytest.param(b"old 0\r\n\n" + NOTE, "a decimal", id="carriage-return"),
        pytest.param(b"old 1\n" + HASH[:-1] + b"\n\n" + NOTE, "canonical base64", id="no-padding"),
        pytest.param(b"old 1\nAB==\n\n" + NOTE, "canonical base64", id="loose-bits"),
        pytest.param(b"old 1\nAAAA\n\n" + NOTE, "not 32 bytes", id="short-hash"),
        pytest.param(b"old 1\n\xff\n\n" + NOTE, "canonical base64", id="no-ascii"),
        pytest.param(b"old 1\n" + 64 * (HASH + b"\n") + b"\n" + NOTE, "at most 63 hashes", id="64-hashes"),
        pytest.param(b"old 0\n\nno checkpoint\n\n" + NOTE.rpartition(b"\n\n")[2], "no checkpoint", id="no-checkpoint"),
        pytest.param(b"old 0\n\n\xff" + NOTE, "no checkpoint", id="no-utf8"),
        pytest.param(b"old 0\n\n" + NOTE.replace(b"\n5\n", b"\n05\n"), "no checkpoint", id="size-with-zero"),
        pytest.param(b"old 0\n\n" + NOTE + b"x" * MAX_REQUEST, "at most 65536", id="giant"),
    ],
)
def test_what_is_no_request_is_refused(witness, body, reason):
    with pytest.raises(WitnessRequestError, match=reason):
        parse_request(body)
    answer = witness.add_checkpoint(body, TIME)
    assert (answer.status, answer.content_type) == (400, PLAIN)
    assert reason in answer.body.decode()
    assert witness.heads() == {ORIGIN: None}


@pytest.mark.parametrize(
    "signatures",
    [b"\n", b"no signature\n", "\u2014 lab.example/log AAAAAAB=\n".encode(), NOTE.rpartition(b"\n\n")[2][:-1]],
)
def test_a_checkpoint_with_signatures_that_cannot_be_read_is_refused(witness, signatures):
    assert witness.add_checkpoint(b"old 0\n\n" + TEXT + b"\n" + signatures, TIME).status in {400, 403}
    assert witness.heads() == {ORIGIN: None}


@settings(max_examples=40)
@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 3))
def test_garbage_gets_an_answer_and_no_cosignature(tmp_path_factory, garbage, start, gone):
    folder = tmp_path_factory.mktemp("garbage") / "memory"
    request = LOG.request(0, 5)
    changed = request[:start] + garbage + request[start + gone :]
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, LOGS)
        answer = witness.add_checkpoint(changed, TIME)
        if changed != request and answer.status == 200:
            # Only what is nobody's can have changed: lines of other signatures.
            assert parse_request(changed).checkpoint == Checkpoint(ORIGIN, 5, LOG.root(5))
        assert answer.status in {200, 400, 403, 404, 422, 409}
        assert (witness.heads()[ORIGIN] is not None) == (answer.status == 200)


@given(st.integers(0, 1 << 63), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_a_request_comes_back_from_its_bytes(old, proof):
    if old == 1 << 63:
        with pytest.raises(WitnessRequestError):
            format_request(old, proof, NOTE)
        return
    request = parse_request(format_request(old, proof, NOTE))
    assert (request.old_size, list(request.proof), request.note) == (old, proof, NOTE)


# ---------------------------------------------------------------- who may be a witness, and of what


def test_a_signer_with_another_key_is_refused(folder):
    with (
        WitnessState.create(folder, WITNESS_KEY) as state,
        pytest.raises(NoteError, match="another key"),
    ):
        Witness(state, LAB, LOGS)


def test_a_log_cannot_be_its_own_witness(folder):
    own = NoteKey(ORIGIN, SignatureType.NOTE, key_of(AUDITOR))
    with WitnessState.create(folder, WITNESS_KEY) as state:
        with pytest.raises(NoteError, match="nobody witnesses themselves"):
            Witness(state, AUDITOR, {ORIGIN: (LAB_KEY, own)})
        for logs in ({ORIGIN: ()}, {"": (LAB_KEY,)}, {"x" * 256: (LAB_KEY,)}):
            with pytest.raises(NoteError, match="a log has a key or more"):
                Witness(state, AUDITOR, logs)


def test_a_key_that_signs_notes_is_no_key_of_a_witness(folder):
    with pytest.raises(WitnessStateError, match="not one for cosignatures"):
        WitnessState.create(folder, LAB_KEY)
    assert not folder.exists()


def test_a_signer_that_errs_leaves_no_trace(folder):
    class Broken(Ed25519Signer):
        def sign(self, message):
            return super().sign(message + b"!")

    with WitnessState.create(folder, WITNESS_KEY) as state:
        with pytest.raises(NoteError, match="is not good"):
            ask(Witness(state, Broken("auditor"), LOGS), 0, 5)
        assert ask(Witness(state, AUDITOR, LOGS), 0, 6).status == 200


# ---------------------------------------------------------------- memory


def test_a_witness_that_lost_its_memory_does_not_start(folder):
    """A disk that was not mounted looks like an empty folder."""
    folder.mkdir()
    with pytest.raises(WitnessStateMissingError, match="look whether the disk is mounted"):
        WitnessState(folder, WITNESS_KEY)
    with pytest.raises(WitnessStateMissingError):
        WitnessState(folder / "nowhere", WITNESS_KEY)


def test_a_memory_is_made_once(witness, folder):
    ask(witness, 0, 5)
    with pytest.raises(WitnessStateError, match="is not empty"):
        WitnessState.create(folder, WITNESS_KEY)


def test_two_processes_never_answer_from_one_memory(witness, folder):
    with pytest.raises(WitnessStateError, match="another process answers"):
        WitnessState(folder, WITNESS_KEY)
    code = (
        "import sys; from pathlib import Path; from tests.adapters.witness_process import open_witness;"
        "open_witness(Path(sys.argv[1]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=ENVIRONMENT,
        text=True,
        timeout=60,
    )
    assert "another process answers" in found.stderr
    assert ask(witness, 0, 5).status == 200


def test_a_closed_memory_answers_nothing(folder):
    with WitnessState.create(folder, WITNESS_KEY) as state:
        witness = Witness(state, AUDITOR, LOGS)
    with pytest.raises(WitnessStateError, match="was closed"):
        ask(witness, 0, 5)
    state.close()


def test_a_memory_of_another_key_is_refused(folder):
    WitnessState.create(folder, WITNESS_KEY).close()
    for other in (
        NoteKey("auditor.example/w2", SignatureType.COSIGNATURE, key_of(AUDITOR)),
        NoteKey(WITNESS_KEY.name, SignatureType.COSIGNATURE, key_of(LAB)),
    ):
        with pytest.raises(WitnessStateError, match="another witness key"):
            WitnessState(folder, other)
    with pytest.raises(NoteError, match="are ed25519 keys"):
        NoteKey("p256", SignatureType.COSIGNATURE, key_of(P256Signer()))


# What is done to the files of a log that was cosigned at 5 and 9; its files at 5 are in `old`.


def swapped_root(log, _old):
    head = log / "head"
    value = json.loads(head.read_text())
    value["note"] = value["note"].replace(base64.b64encode(LOG.root(9)).decode(), HASH.decode())
    head.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True))


def head_of_another_log(log, _old):
    text = format_checkpoint(Checkpoint("other.example/log", 9, LOG.root(9)))
    note = Note(text, (WITNESS_KEY.sign(text, AUDITOR, TIME),))
    value = {"note": format_note(note).decode(), "start": 0}
    (log / "head").write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    (log / "history").unlink()


def head_without_cosignature(log, _old):
    value = {"note": LOG.note(9).decode(), "start": 0}
    (log / "head").write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    (log / "history").unlink()


def head_put_back(log, old):
    shutil.copy(old / "head", log / "head")


def history_put_back(log, old):
    # One line may be missing after a crash; more cannot.
    (log / "history").write_bytes((old / "history").read_bytes()[:-1])


def head_deleted(log, _old):
    (log / "head").unlink()


def history_deleted(log, _old):
    (log / "history").unlink()


def head_cut_short(log, _old):
    (log / "head").write_bytes((log / "head").read_bytes()[:-1])


def head_emptied(log, _old):
    (log / "head").write_bytes(b"")


def head_with_another_field(log, _old):
    (log / "head").write_bytes((log / "head").read_bytes().replace(b'"start"', b'"begin"'))


def head_that_starts_nowhere(log, _old):
    value = json.loads((log / "head").read_text())
    (log / "head").write_text(json.dumps({**value, "start": -1}, separators=(",", ":"), ensure_ascii=False))


def history_with_more(log, _old):
    with (log / "history").open("ab") as file:
        file.write(b'"more"\n')


def history_rewritten(log, _old):
    text = (log / "history").read_bytes()
    (log / "history").write_bytes(text[:-20] + b"x" + text[-19:])


def is_a_folder(log, _old):
    (log / "head").unlink()
    (log / "head").mkdir()


@pytest.mark.parametrize(
    "change",
    [
        swapped_root,
        head_of_another_log,
        head_without_cosignature,
        head_put_back,
        history_put_back,
        head_deleted,
        history_deleted,
        head_cut_short,
        head_emptied,
        head_with_another_field,
        head_that_starts_nowhere,
        history_with_more,
        history_rewritten,
        is_a_folder,
    ],
    ids=lambda change: change.__name__,
)
def test_a_changed_memory_signs_nothing(witness, folder, tmp_path, change):
    ask(witness, 0, 5)
    shutil.copytree(place(folder), tmp_path / "old")
    ask(witness, 5, 9)
    change(place(folder), tmp_path / "old")
    for old, size in ((9, 12), (5, 12), (0, 5), (9, 9)):
        with pytest.raises(WitnessStateError) as refused:
            ask(witness, old, size)
        assert isinstance(refused.value, WitnessStateDamagedError) or change is is_a_folder


def test_a_history_that_was_changed_is_not_read(witness, folder):
    ask(witness, 0, 5)
    ask(witness, 5, 9)
    path = place(folder) / "history"
    first, second = path.read_bytes().splitlines(keepends=True)
    for changed in (second + first, first + first, first.replace(b"lab", b"lap"), b"5\n", b"{}\n", first[:-2] + b"\n"):
        path.write_bytes(changed)
        with pytest.raises(WitnessStateDamagedError):
            list(read_history(folder, WITNESS_KEY, ORIGIN))
    path.write_bytes(first + second[:-5])
    assert [item.checkpoint.size for item in read_history(folder, WITNESS_KEY, ORIGIN)] == [5]


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_line_that_a_crash_kept_from_the_history_is_put_there(witness, folder, kept):
    ask(witness, 0, 5)
    path = place(folder) / "history"
    five = path.read_bytes()
    answer = ask(witness, 5, 9)
    whole = path.read_bytes()
    path.write_bytes(five + whole[len(five) :][:kept])
    assert ask(witness, 9, 9) == answer
    assert path.read_bytes() == whole


def test_a_full_disk_signs_nothing_and_forgets_nothing(witness, folder):
    five = ask(witness, 0, 5)
    place(folder).chmod(0o500)
    if os.access(place(folder), os.W_OK):
        # Whoever may write everywhere needs another obstacle.
        (place(folder) / "history").rename(folder / "kept")
        (place(folder) / "history").mkdir()
    with pytest.raises(WitnessStateError, match="cannot be used"):
        ask(witness, 5, 9)
    place(folder).chmod(0o700)
    if (folder / "kept").exists():
        (place(folder) / "history").rmdir()
        (folder / "kept").rename(place(folder) / "history")
    assert ask(witness, 5, 5) == five


def test_drafts_of_a_killed_process_are_removed(witness, folder):
    ask(witness, 0, 5)
    draft = place(folder) / ".head.0123456789ab"
    draft.write_bytes(b"half")
    witness._state.close()
    with WitnessState(folder, WITNESS_KEY) as state:
        assert ask(Witness(state, AUDITOR, LOGS), 5, 6).status == 200
    assert not draft.exists()


# ---------------------------------------------------------------- crashes


def killed_at_lines(folder, scratch, step):
    with WitnessState.create(folder, WITNESS_KEY) as state:
        assert ask(Witness(state, AUDITOR, LOGS), 0, 5).status == 200
    found = subprocess.run(
        [sys.executable, str(PROCESS), "lines", str(folder), str(scratch), str(step)],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        text=True,
        timeout=600,
    )
    assert found.returncode == 0, found.stderr
    return list(map(json.loads, found.stdout.splitlines()))


def check(rows):
    """After a kill either the checkpoint was forgotten, and nobody was answered, or nothing else is cosigned."""
    ends = set()
    for row in rows:
        (twin, _), (log, log_said), (log_again, log_line), (twin_again, twin_line) = row["after"]
        assert row["answered"] is None
        assert [size for size, _, _ in row["history"]] == [5, 9]
        remembered = twin == 409
        ends.add(remembered)
        if remembered:
            # The head of 9 that was on the disk: its cosignature, with its time.
            assert (log, log_said, log_again, twin_again) == (409, "9\n", 200, 409)
            assert row["history"][1][1:] == [TIME, log_line]
        else:
            # Then the twin was first, and the log is told so.
            assert (twin, log, log_again, twin_again) == (200, 409, 409, 200)
            assert row["history"][1][1:] == [TIME + 50, twin_line]
    assert ends == {True, False}


def test_a_witness_killed_at_any_line_keeps_one_history(folder, tmp_path):
    rows = killed_at_lines(folder, tmp_path, 1)
    assert len(rows) >= 150
    check(rows)
