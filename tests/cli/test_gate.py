"""The one command whose 0 lets something happen."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from scalegate.core.canonical import digest
from scalegate.core.decision import Decision, Limits, Node, Reason, Request
from scalegate.core.events import DecisionMade, History
from scalegate.ledger import LocalStore, StoreError
from tests.cli.lab import ADA, DAY, ITO, POLICY, START
from tests.cli.speakers import trust_file
from tests.conftest import ROOT

SCALEGATE = f"{shlex.quote(sys.executable)} -m scalegate.cli.main"
# The shell's clock is the real one: a policy and evidence that hold whenever this test runs.


def test_a_permit_is_recorded_with_its_bounds(lab):
    said = lab.gate()
    assert said.code == 0
    assert said.out.startswith("PERMIT    train orion to 4e24 FLOP")
    entry = lab.history().entries[-1]
    assert isinstance(entry.event, DecisionMade)
    assert (entry.event.answer, entry.event.number) == ("permit", 1)
    assert entry.event.limit == 4 * 10**24
    assert entry.event.expires > entry.at
    assert entry.event.head == lab.history().entries[-2].digest


def test_a_hold_is_recorded_too(bare):
    said = bare.gate()
    assert said.code == 1
    assert said.out.startswith("HOLD")
    assert "no registered run of autonomy on orion" in said.out
    assert "why 1" in said.err
    assert bare.history().entries[-1].event.answer == "hold"


def test_answers_are_numbered_without_gaps(lab):
    for number in range(1, 5):
        assert lab.gate("--format", "json").json["number"] == number


def test_every_answer_says_what_it_takes_on_somebodys_word(lab):
    for form in ("human", "plain", "json"):
        said = " ".join(lab.gate("--format", form).out.split())
        assert "private keys are with whom the trust file names" in said
        assert "item order chosen by developer" in said


def test_the_digest_of_an_answer_re_derives_from_its_json(lab):
    found = lab.gate("--format", "json").json
    claimed = found.pop("decision")
    del found["number"], found["live"]
    assert digest(found) == claimed
    with LocalStore(lab.store) as store:
        assert json.loads(store.get_blob(claimed)) == found


# ---------------------------------------------------------------- questions that grant nothing


@pytest.mark.parametrize("more", [("--dry-run",), ("--at", "2026-09-25"), ("--at", "1 day")])
def test_a_hypothetical_permit_is_no_permit_and_leaves_no_trace(lab, more):
    before = lab.history()
    for form in ("human", "plain", "json"):
        said = lab.gate(*more, "--format", form)
        assert said.code == 3
    assert said.json["live"] is False
    assert said.json["counterfactual"] is True
    assert lab.gate(*more).out.startswith("WOULD PERMIT (this is no permit)")
    assert lab.history() == before


def test_a_past_question_knows_nothing_that_came_later(lab):
    lab.now += DAY
    lab.measure("r2", 100)
    assert lab.gate().code == 1
    said = lab.gate("--at", START + 10)
    assert said.code == 2, "seconds are no date"
    assert lab.gate("--at", "2026-09-21T23:00:00").code == 3
    assert lab.gate("--at", "2026-09-20").code == 1, "before the model was declared"


def test_a_clock_that_runs_behind_does_not_revive_old_evidence(lab):
    lab.now = START + 200 * DAY
    assert lab.gate().code == 1
    lab.now = START
    said = lab.gate("--format", "json")
    assert said.code == 1
    assert said.json["as_of"] > "2027-04"


# ---------------------------------------------------------------- policies can only be added


def test_an_added_policy_can_only_tighten(lab):
    stop = lab.file("stop.yaml", POLICY.replace("autonomy <= 20%", "never").replace("acme-rsp", "x"))
    said = lab.gate("--policy", stop, "--format", "json")
    assert said.code == 1
    assert {item["id"] for item in said.json["policies"]} == {"acme-rsp", "x"}
    assert lab.gate().code == 0


def test_an_added_policy_never_releases(bare):
    free = bare.file("free.yaml", POLICY.replace("autonomy <= 20%", "always").replace("50%", "99%"))
    assert bare.gate("--policy", free).code == 1


def test_an_added_policy_that_is_none_holds(lab):
    broken = lab.file("broken.yaml", "scalegate: policy/v1\nid: x\n")
    before = lab.history()
    for path in (broken, lab.folder / "absent.yaml", lab.folder):
        said = lab.gate("--policy", path)
        assert said.code == 2
        assert said.out.startswith("HOLD")
    assert lab.history() == before


# ---------------------------------------------------------------- failures are holds


def permit(history, request, now, _extra=(), *, counterfactual=False, **changes):
    """A permit, and with `changes` one that contradicts itself."""
    given = {
        "as_of": now,
        "answer": "permit",
        "request": request,
        "policies": (),
        "reasons": (),
        "remedies": (),
        "would_not_release": (),
        "not_checked": (),
        "assumptions": (),
        "exceptions": (),
        "limits": Limits(request.to, now + 1),
        "tree": Node("permitted", "proven"),
        "head": history.head,
        "counterfactual": counterfactual,
    }
    return Decision(**{**given, **changes})


def test_the_permit_of_these_tests_is_believed(lab, monkeypatch):
    monkeypatch.setattr("scalegate.app.ask.decide", permit)
    assert lab.gate().code == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": (Reason("p", "c", "missing", "no run", None),)},
        {"untrusted": True},
        {"limits": None},
        {"limits": Limits(4 * 10**24, START)},
        {"limits": Limits(4 * 10**24 - 1, START + 9 * DAY)},
        {"limits": Limits(None, START + 9 * DAY)},
        {"request": Request("train", "vega", 4 * 10**24)},
        {"as_of": START - 1},
        {"head": "sha256:00"},
        {"answer": "yes"},
    ],
    ids=str,
)
def test_a_permit_that_contradicts_itself_is_a_hold(lab, monkeypatch, changes):
    monkeypatch.setattr("scalegate.app.ask.decide", lambda *given, **more: permit(*given, **more, **changes))
    said = lab.gate()
    assert said.code == 70
    assert said.out.startswith("HOLD")


@pytest.mark.parametrize(
    "error",
    [RuntimeError("boom"), RecursionError(), MemoryError(), KeyError("x"), AssertionError(), OSError(5, "io")],
    ids=repr,
)
@pytest.mark.parametrize("form", ["human", "plain", "json"])
def test_an_exception_in_the_gate_is_a_hold(lab, monkeypatch, error, form):
    def fail(*_given, **_more):
        raise error

    monkeypatch.setattr("scalegate.app.ask.decide", fail)
    said = lab.gate("--format", form)
    assert said.code == 70
    assert "hold" in said.out.lower()
    assert "Traceback" not in said.out + said.err
    assert lab.gate("--dry-run").code == 70


def test_an_exception_deep_inside_the_gate_is_a_hold(lab, monkeypatch):
    def fail(*_given, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["scalegate.gate.decide"], "apply_policy", fail)
    said = lab.gate()
    assert said.code in {1, 70}
    assert said.out.startswith("HOLD")


@pytest.mark.parametrize("method", ["append", "put_blob", "history"])
def test_a_permit_that_cannot_be_recorded_is_a_hold(lab, monkeypatch, method):
    def fail(*_given, **_more):
        raise StoreError("disk full")

    monkeypatch.setattr(LocalStore, method, fail)
    said = lab.gate()
    assert said.code == 70
    assert said.out.startswith("HOLD")
    assert "disk full" in said.out + said.err


def test_a_permit_that_cannot_be_shown_is_no_yes(lab, monkeypatch):
    def fail(_answer):
        raise UnicodeError("no such glyph")

    monkeypatch.setattr("scalegate.cli.gate.human", fail)
    said = lab.gate()
    assert said.code == 70
    assert "PERMIT" not in said.out


def test_an_interrupt_is_no_answer(lab, monkeypatch):
    def interrupt(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("scalegate.app.ask.decide", interrupt)
    assert lab.gate().code == 130


def test_a_history_with_a_fault_holds_and_records_nothing(lab):
    lab.gate()
    (lab.store / "checkpoint").unlink()
    before = len(lab.history().entries)
    said = lab.gate("--format", "json")
    assert said.code == 4
    assert said.json["untrusted"] is True
    assert said.json["answer"] == "hold"
    assert len(lab.history().entries) == before


def test_a_damaged_store_holds(lab):
    (lab.store / "ledger.db").write_bytes(b"x" * 5_000)
    said = lab.gate()
    assert said.code == 4
    assert said.out.startswith("HOLD")


def test_a_stop_order_holds_at_once(lab):
    assert lab.gate().code == 0
    lab.do("stop", "issue", "halt-1", *ITO)
    assert lab.gate().code == 1
    lab.do("stop", "lift", "halt-1", *ITO)
    assert lab.gate().code == 0


def test_an_empty_history_holds(empty):
    empty.do("init", "--trust", trust_file())
    said = empty.gate()
    assert said.code == 1
    assert History(()).head == ""


def test_a_question_about_another_time_rests_on_the_trust_file_of_that_time(lab):
    lab.now += DAY
    taken = lab.gate("--at", "2026-09-22", "--format", "json").json["assumptions"]
    assert taken == lab.gate("--format", "json").json["assumptions"]
    assert not any("unsigned" in words for words in taken)


# ---------------------------------------------------------------- in a shell


def shell(lab, line):
    """What a shell prints for `line`, where `GATE` stands for the command."""
    function = f'GATE() {{ {SCALEGATE} gate train --subject orion --to 1e24 "$@"; }}'
    return subprocess.run(
        ["bash", "-c", f"{function}\n{line}"],
        capture_output=True,
        check=False,
        cwd=lab.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        text=True,
        timeout=60,
    )


@pytest.fixture
def small(empty):
    """A lab that asks below its policy's scope, so that the real clock decides nothing."""
    empty.do("init", "--trust", trust_file(), "--policy", empty.file("acme.yaml", POLICY), *ADA)
    empty.model("orion", "1e23")
    return empty


def test_go_is_printed_on_a_permit_and_on_nothing_else(small):
    assert "go\n" in shell(small, "GATE && echo go").stdout
    for line in (
        "GATE --dry-run && echo go",
        "GATE --at 2030-01-01 && echo go",
        "GATE --to 4e25 && echo go",
        "GATE --subject nobody && echo go",
        "GATE --no-such-option && echo go",
        "GATE --to 4x && echo go",
        "GATE >/dev/full && echo go",
        "GATE >&- && echo go",
        "GATE --format json >/dev/full && echo go",
        "_SCALEGATE_COMPLETE=bash_source GATE --to 4e25 && echo go",
        "(ulimit -f 0; GATE) && echo go",
        "set -o pipefail; GATE | true && echo go >&2",
        "mv .scalegate elsewhere; GATE && echo go",
    ):
        said = shell(small, line)
        assert "go" not in said.stdout.split(), line
        assert "Traceback" not in said.stderr, line


def test_completion_is_only_for_calls_without_arguments(small):
    complete = "_SCALEGATE_COMPLETE=bash_complete COMP_CWORD=1 COMP_WORDS='scalegate ga'"
    said = shell(small, f"{complete} {SCALEGATE}")
    assert (said.returncode, said.stdout) == (0, "plain,gate\n")
    assert shell(small, f"{complete} GATE --to 4e25").stdout.startswith("HOLD")
