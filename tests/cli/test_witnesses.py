"""What witnesses make possible: permits that rest on a log others saw, time, and orders that nobody chose."""

import json
import shutil
from contextlib import ExitStack
from dataclasses import replace

import pytest

from scalegate.core.events import DecisionMade, RunRegistered
from scalegate.core.log_events import HeadWitnessed, OrderDrawn
from scalegate.core.order import seed_of, shuffled
from scalegate.gate.records import index
from scalegate.ledger.note import Note, format_note, parse_note
from tests.cli.lab import ADA, DAY, LEA, POLICY
from tests.cli.test_sequential import log_of, sequential
from tests.cli.witnesses import NAMES, Witnesses

WITNESS = ("ledger", "witness", "--timeout", "5")


@pytest.fixture
def seen(empty, monkeypatch):
    """A lab whose log two of three witnesses have to see; `orion` would be permitted but for that."""
    monkeypatch.setenv("SCALEGATE_KEYS", str(empty.folder / "keys"))
    with ExitStack() as stack:
        empty.witnesses = Witnesses(empty, stack)
        path = empty.file("acme.yaml", POLICY)
        empty.do("init", "--trust", empty.witnesses.trust, "--policy", path, *ADA)
        empty.model("orion", "2e24")
        yield empty


@pytest.fixture
def measured(seen):
    """The same, with a passing result."""
    seen.measure("r1", 0)
    return seen


def events(lab, kind):
    return [entry.event for entry in lab.history().entries if isinstance(entry.event, kind)]


def entry_of(lab, kind):
    return next(entry for entry in lab.history().entries if isinstance(entry.event, kind))


# ---------------------------------------------------------------- permits


def all_down(lab):
    for name in NAMES:
        lab.witnesses.stop(name)


def test_a_log_that_no_witness_saw_permits_nothing(measured):
    all_down(measured)
    said = measured.gate()
    assert said.code == 1
    assert "no witnesses have cosigned this log yet" in said.out


def test_a_log_that_enough_witnesses_saw_permits(measured):
    said = measured.do(*WITNESS)
    assert "w1, w2, w3 cosigned the log of" in said.out
    assert measured.gate().code == 0


def test_two_of_three_witnesses_are_enough_and_one_is_not(measured):
    measured.witnesses.stop("w3")
    said = measured.run(*WITNESS, "--format", "json")
    assert (said.code, said.json["cosigned"]) == (0, ["w1", "w2"])
    assert "w3" in said.json["refused"]
    measured.witnesses.stop("w2")
    said = measured.run(*WITNESS)
    assert said.code == 3
    assert "too few witnesses cosigned the log: only w1" in said.out
    assert "w2 cannot be asked" in said.err


def test_a_head_older_than_the_trust_file_allows_permits_nothing(measured):
    measured.do(*WITNESS)
    all_down(measured)
    measured.now += DAY
    assert measured.gate().code == 0
    measured.now += 1
    said = measured.gate()
    assert said.code == 1
    assert "witnesses saw this log last on" in said.out
    for name in NAMES:
        measured.witnesses.start(name)
    measured.do(*WITNESS)
    assert measured.gate().code == 0


def test_what_witnesses_said_days_ago_is_asked_again(measured):
    """One cosigned four days ago and the quorum only now: the instant that both vouch for is the older one."""
    measured.witnesses.stop("w2")
    measured.witnesses.stop("w3")
    assert measured.run(*WITNESS).code == 3
    measured.witnesses.start("w2")
    measured.now += 4 * DAY
    measured.do(*WITNESS)
    assert events(measured, HeadWitnessed)[-1].time == measured.now
    assert measured.gate().code == 0


def test_a_restored_old_copy_of_the_store_is_behind_its_witnesses(measured):
    old = shutil.copytree(measured.store, measured.folder / "old")
    measured.do(*WITNESS)
    measured.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    measured.do(*WITNESS)
    shutil.rmtree(measured.store)
    shutil.copytree(old, measured.store)
    said = measured.run(*WITNESS)
    assert said.code == 4
    assert "the log was cut short" in said.err
    assert "old copy" in said.err
    assert not events(measured, HeadWitnessed)
    assert measured.gate().code == 4


def test_a_copy_that_went_its_own_way_is_another_history(measured):
    """It has more entries than the witnesses saw, and other ones: no proof connects the two."""
    old = shutil.copytree(measured.store, measured.folder / "old")
    measured.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "2 days", *LEA)
    measured.do(*WITNESS)
    shutil.rmtree(measured.store)
    shutil.copytree(old, measured.store)
    for _ in range(4):
        measured.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    said = measured.run(*WITNESS, "--format", "json")
    assert (said.code, said.json["ahead"]) == (4, ["w1", "w2", "w3"])


def test_one_witness_with_another_history_is_enough_for_an_alarm(measured):
    old = shutil.copytree(measured.store, measured.folder / "old")
    for name in ("w2", "w3"):
        measured.witnesses.stop(name)
    measured.run(*WITNESS)
    measured.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    measured.run(*WITNESS)
    shutil.rmtree(measured.store)
    shutil.copytree(old, measured.store)
    for name in ("w2", "w3"):
        measured.witnesses.start(name)
    said = measured.run(*WITNESS, "--format", "json")
    assert (said.code, said.json["ahead"]) == (4, ["w1"])


def test_a_witness_with_another_history_raises_the_alarm_though_an_order_was_drawn(seen):
    sequential(seen)
    old = shutil.copytree(seen.store, seen.folder / "old")
    for name in ("w1", "w2"):
        seen.witnesses.stop(name)
    for _ in range(2):
        seen.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
        seen.run(*WITNESS)
    seen.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    seen.run(*WITNESS)
    shutil.rmtree(seen.store)
    shutil.copytree(old, seen.store)
    for name in ("w1", "w2"):
        seen.witnesses.start(name)
    said = seen.run(*WITNESS, "--format", "json")
    assert (said.json["drawn"], said.json["ahead"]) == (["s1"], ["w3"])
    assert said.code == 4


def test_a_clock_that_was_moved_back_grants_nothing(measured):
    """A head of yesterday stays one of yesterday: the log's time never runs behind what witnesses said."""
    measured.do("evidence", "attest", "countersignature", "--action", "train", "--subject", "orion", "--to", "4e24",
                "--expires", "1 day", *LEA)  # fmt: skip
    measured.witnesses.clock.ahead = 300 * DAY
    measured.do(*WITNESS)
    before = measured.history().entries[-1].at
    measured.witnesses.clock.ahead = 0
    said = measured.gate()
    assert said.code == 1, "results of 300 days ago are too old by the time of the witnesses"
    assert entry_of(measured, DecisionMade).at >= before == measured.now + 300 * DAY


def test_without_witnesses_there_is_nobody_to_ask(lab):
    said = lab.run(*WITNESS)
    assert said.code == 2
    assert "error[witnesses-none]" in said.err


# ---------------------------------------------------------------- orders


def drawn(lab, run="s1"):
    return next(event for event in events(lab, OrderDrawn) if event.run == run)


def kept_order(lab, digest):
    mark = digest.removeprefix("sha256:")
    return [item for unit in json.loads((lab.store / "blobs/sha256" / mark[:2] / mark).read_text()) for item in unit]


def pass_run(lab, run="s1"):
    order = kept_order(lab, drawn(lab, run).order)
    log = log_of(lab, f"{run}.jsonl", dict.fromkeys(order[:60], 0.0))
    return lab.run("evidence", "add", run, log, *LEA)


def test_nobody_knows_the_order_before_a_witness_drew_it(seen):
    assert sequential(seen).code == 0
    entry = entry_of(seen, RunRegistered)
    assert (entry.event.sampling.seed, entry.event.order) == ("", "nobody yet")
    said = seen.do(*WITNESS)
    assert "drew the order of s1" in said.out
    head = next(event for event in events(seen, HeadWitnessed) if event.size == entry.index + 1)
    assert drawn(seen).seed == seed_of(entry.digest, head.mark)
    ids = [str(item) for item in range(300)]
    assert kept_order(seen, drawn(seen).order) == list(shuffled(ids, drawn(seen).seed))


def test_a_log_of_an_order_that_a_witness_drew_permits(seen):
    sequential(seen)
    seen.do(*WITNESS)
    said = pass_run(seen)
    assert said.code == 0, said
    seen.do(*WITNESS)
    answer = seen.gate("--format", "json")
    assert answer.code == 0, answer
    assert not [item for item in answer.json["assumptions"] if "order chosen by developer" in item]
    assert index(seen.history().entries, seen.now).runs["s1"].plan.order == "witness"


def test_a_log_that_comes_before_the_order_is_refused(seen):
    sequential(seen)
    said = seen.run("evidence", "add", "s1", log_of(seen, "l.jsonl", {str(item): 0.0 for item in range(60)}), *LEA)
    assert said.code != 0
    assert "order" in said.err + said.out
    seen.do(*WITNESS)
    assert seen.gate().code == 1


def test_whoever_registers_again_for_another_order_leaves_the_first_run_pending(seen):
    sequential(seen)
    sequential(seen, run="s2")
    seen.do(*WITNESS)
    assert drawn(seen).seed != drawn(seen, "s2").seed
    assert pass_run(seen, "s2").code == 0
    seen.do(*WITNESS)
    said = seen.gate()
    assert said.code == 1, said
    assert "s1" in seen.do("status").out


def test_the_first_witness_is_waited_for_and_nobody_else_can_stand_in(seen):
    seen.do(*WITNESS)
    sequential(seen)
    seen.witnesses.stop("w1")
    said = seen.run(*WITNESS)
    assert said.code == 3
    assert "the order is drawn once the first witness cosigned" in said.err
    assert "w1 cannot be asked" in said.err
    seen.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    assert seen.run(*WITNESS).code == 0, "two of three saw the log"
    assert not events(seen, OrderDrawn)
    seen.witnesses.start("w1")
    seen.do(*WITNESS)
    assert index(seen.history().entries, seen.now).runs["s1"].plan.order == "witness"


@pytest.mark.parametrize("quorum", ["2 of 3", "3 of 3"])
def test_an_order_is_drawn_though_its_witnesses_answer_one_after_the_other(empty, monkeypatch, quorum):
    """Who cosigned already is at a later size when the first witness comes to this one."""
    monkeypatch.setenv("SCALEGATE_KEYS", str(empty.folder / "keys"))
    with ExitStack() as stack:
        empty.witnesses = Witnesses(empty, stack, quorum)
        empty.do("init", "--trust", empty.witnesses.trust, "--policy", empty.file("acme.yaml", POLICY), *ADA)
        empty.model("orion", "2e24")
        sequential(empty)
        empty.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
        empty.witnesses.stop("w1")
        for _ in range(3):
            empty.run(*WITNESS)
        empty.witnesses.start("w1")
        empty.witnesses.stop("w2")
        said = empty.run(*WITNESS)
        assert said.code != 4, said
        entry = entry_of(empty, RunRegistered)
        head = next(event for event in events(empty, HeadWitnessed) if event.size == entry.index + 1)
        assert drawn(empty).seed == seed_of(entry.digest, head.mark)
        assert index(empty.history().entries, empty.now).runs["s1"].plan.order == "witness"


def test_a_kept_cosignature_that_somebody_changed_counts_for_nothing(seen):
    sequential(seen)
    seen.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    seen.witnesses.stop("w1")
    seen.run(*WITNESS)
    (path,) = (seen.store / "cosigned").iterdir()
    note = parse_note(path.read_bytes())
    lines = [replace(item, signature=item.signature[:-1] + bytes([item.signature[-1] ^ 1])) for item in note.signatures]
    path.write_bytes(format_note(Note(note.text, tuple(lines))))
    assert seen.run(*WITNESS).code == 0
    assert not events(seen, OrderDrawn)
    path.write_text("junk")
    seen.witnesses.start("w1")
    seen.witnesses.stop("w2")
    said = seen.do(*WITNESS)
    assert not events(seen, OrderDrawn), "w3 went on, and nobody has what he said of that size"
    assert "s1: the order is drawn once" in said.err


def test_a_first_witness_that_failed_once_is_not_asked_for_more_than_the_run(seen):
    """He would be at a later size then, and would never cosign the one that the order is drawn from."""
    sequential(seen)
    seen.do("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day", *LEA)
    seen.witnesses.clock.failures["w1"] = 1
    said = seen.run(*WITNESS, "--format", "json")
    assert (said.code, said.json["cosigned"], said.json["waiting"]) == (0, ["w2", "w3"], ["s1"])
    seen.do(*WITNESS)
    assert drawn(seen).run == "s1"
