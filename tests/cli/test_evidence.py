"""From a log on disk to a result in the history."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scalegate.app.runs import read_item_ids
from scalegate.core.canonical import digest_bytes
from scalegate.core.events import ResultRefused, ResultReported, RunRegistered
from scalegate.ledger import LocalStore
from tests.cli.lab import ADA, DAY, LEA, POLICY
from tests.ingest import logs


def last(lab):
    return lab.history().entries[-1].event


def test_a_result_is_counted_kept_and_bounded(bare):
    bare.register("r1")
    path = bare.log("r1.jsonl", [1.0] * 7 + [0.0] * 90 + [None] * 3)
    said = bare.do("evidence", "add", "r1", path, *LEA)
    assert "7 successes of 100 items, 3 missing; this run alone lies between" in said.out
    event = last(bare)
    assert (event.successes, event.failures, event.missing) == (7, 90, 3)
    assert (event.binary, event.adaptive, event.evidence_class) == (True, False, "samples")
    assert event.log == digest_bytes(path.read_bytes())
    with LocalStore(bare.store) as store:
        assert store.get_blob(event.log) == path.read_bytes()


def test_items_that_were_registered_and_not_run_are_missing(bare):
    bare.register("r1", items=150)
    bare.do("evidence", "add", "r1", bare.log("r1.jsonl", [0.0] * 100), *LEA)
    assert (last(bare).failures, last(bare).missing) == (100, 50)


def test_items_that_were_never_registered_are_untrusted(bare):
    bare.register("r1", items=50)
    said = bare.run("evidence", "add", "r1", bare.log("r1.jsonl", [0.0] * 100), *LEA)
    assert said.code == 4
    assert isinstance(last(bare), ResultRefused)
    assert last(bare).code == "E415"


def test_registered_ids_are_what_is_compared(bare):
    ids = bare.file("bank.txt", "\n".join(str(item) for item in reversed(range(60))))
    bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
            "--item-ids", ids, "--report-by", "10 days", *LEA)  # fmt: skip
    assert last(bare).items == 60
    assert last(bare).item_ids
    swapped = bare.file(
        "swapped.jsonl",
        "\n".join(json.dumps({"doc_id": i, "metrics": ["acc"], "acc": 0.0}) for i in range(1, 61)),
    )
    assert bare.run("evidence", "add", "r1", swapped, *LEA).code == 4
    bare.do("evidence", "add", "r1", bare.log("r1.jsonl", [0.0] * 60), *LEA)


def test_the_file_of_ids_is_read_strictly(bare):
    assert read_item_ids(bare.file("ids.txt", "b\na\n\nc")) == (("a", "b", "c"), ())
    for text in ("a\na", "a\n\ud8ff"):
        path = bare.folder / "bad.txt"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        said = bare.run("evidence", "register", "r1", "--evaluation", "autonomy", "--subject",
                        "orion", "--item-ids", path, "--report-by", "1 day", *LEA)  # fmt: skip
        assert said.code == 2


def test_a_run_has_one_result(lab):
    again = lab.log("again.jsonl", [0.0] * 100)
    said = lab.run("evidence", "add", "r1", again, *LEA)
    assert said.code == 1
    assert "has its result already" in said.err
    assert lab.kinds().count("ResultReported") == 1


def test_a_result_of_an_unregistered_run_is_refused(lab):
    said = lab.run("evidence", "add", "r7", lab.log("r7.jsonl", [0.0] * 9), *LEA)
    assert said.code == 1
    assert "never registered" in said.err
    assert "did you mean" not in said.err or "`r1`" in said.err


REFUSED = {
    "cancelled": ('{"version":2,"status":"cancelled","eval":{},"samples":[]}', 1),
    "duplicate-key": ('{"doc_id":0,"doc_id":1,"metrics":["acc"],"acc":0.0}', 4),
    "same-try-twice": ('{"doc_id":0,"metrics":["acc"],"acc":0.0}\n' * 2, 4),
    "nested": ('{"doc_id":0,"metrics":["acc"],"acc":' + "[" * 5_000 + "]" * 5_000 + "}", 2),
}


@pytest.mark.parametrize("defect", REFUSED)
def test_a_refused_log_is_recorded_and_holds(bare, defect):
    text, code = REFUSED[defect]
    bare.register("r1")
    said = bare.run("evidence", "add", "r1", bare.file("log.json", text), *LEA)
    assert said.code == code, said
    event = last(bare)
    assert isinstance(event, ResultRefused)
    assert event.code in said.out
    with LocalStore(bare.store) as store:
        assert store.get_blob(event.log) == text.encode()
    assert event.code in bare.gate("--format", "json").out


@pytest.mark.parametrize("text", ["", "not a log", "{}", "scalegate: policy/v1"])
def test_a_file_that_is_no_log_is_a_slip_and_not_recorded(bare, text):
    bare.register("r1")
    before = bare.history()
    assert bare.run("evidence", "add", "r1", bare.file("log.json", text), *LEA).code == 2
    assert bare.history() == before


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_what_cannot_be_read_is_a_usage_error(bare, kind):
    bare.register("r1")
    path = bare.folder / "log"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    assert bare.run("evidence", "add", "r1", path, *LEA).code == 2


INCONCLUSIVE = {"not-binary": [0.5] * 100, "one-item": [0.0]}


@pytest.mark.parametrize("defect", INCONCLUSIVE)
def test_an_inconclusive_log_counts_as_a_run_and_shows_nothing(bare, defect):
    scores = INCONCLUSIVE[defect]
    bare.register("r1", items=len(scores))
    said = bare.run("evidence", "add", "r1", bare.log("log.jsonl", scores), *LEA)
    assert said.code == 3
    assert isinstance(last(bare), ResultReported)
    assert not last(bare).binary
    assert last(bare).missing == len(scores)
    assert bare.run("evidence", "add", "r1", "log.jsonl", *LEA).code == 1
    assert bare.gate().code == 1
    assert "inconclusive" in bare.do("evidence", "list").out


AGGREGATE = json.dumps(
    {
        "results": {"bank": {"acc,none": 0.055, "acc_stderr,none": 0.01}},
        "versions": {"bank": 1},
        "configs": {},
        "n-samples": {"bank": {"original": 200, "effective": 200}},
        "lm_eval_version": "0.4.8",
    }
)


def test_an_aggregate_shows_nothing_unless_the_policy_accepts_it(bare):
    bare.register("r1", items=200)
    said = bare.run("evidence", "add", "r1", bare.file("log.json", AGGREGATE), *LEA)
    assert said.code == 3
    assert last(bare).evidence_class == "aggregate"
    assert bare.gate().code == 1


def test_an_accepted_aggregate_never_counts_more_than_it_reports(empty):
    empty.init(POLICY.replace("accept: earlier runs", "accept: [aggregate, earlier runs]", 1))
    empty.register("r1", items=210)
    empty.do("evidence", "add", "r1", empty.file("log.json", AGGREGATE), *LEA)
    event = last(empty)
    assert (event.successes, event.failures, event.missing) == (11, 189, 10)
    assert (event.evidence_class, event.derived) == ("aggregate", False)
    empty.register("r2", items=100)
    assert empty.run("evidence", "add", "r2", "log.json", *LEA).code == 4


def test_whoever_the_policy_does_not_name_is_warned(bare):
    said = bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
                   "--items", "9", "--report-by", "1 day", *ADA)  # fmt: skip
    assert "only by role `auditor`" in said.err
    said = bare.do("evidence", "add", "r1", bare.log("r1.jsonl", [0.0] * 9), *ADA)
    assert "only by role `auditor`" in said.err


STRICT = POLICY.replace("    accept: earlier runs\n", "").replace("    accept: earlier runs  #", "    #")


def inspect_log(lab, created):
    """An Inspect log of 100 failures with a start of its own."""
    log = logs.binary_log(["I"] * 100)
    log["header"]["eval"]["created"] = created
    return logs.write(lab.folder, log)


def iso(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()


@pytest.mark.parametrize("zone", [0, 14, -12])
@pytest.mark.parametrize("late", [0, 60])
def test_a_run_that_began_after_its_registration_counts(empty, late, zone):
    empty.init(STRICT)
    empty.register("r1", first=1)
    began = datetime.fromtimestamp(empty.now + late, tz=timezone(timedelta(hours=zone)))
    empty.now += 3600
    said = empty.do("evidence", "add", "r1", inspect_log(empty, began.isoformat()), *LEA)
    assert said.err == ""
    assert not {"began before registration", "start not dated"} & set(last(empty).provenance)
    assert empty.gate().code == 0


def test_a_run_that_began_before_its_registration_shows_nothing_and_that_is_said(empty):
    empty.init(STRICT)
    empty.register("r1", first=1)
    path = inspect_log(empty, iso(empty.now - 1))
    said = empty.do("evidence", "add", "r1", path, *LEA)
    assert "E609" in said.out
    words = "began before it was registered; the policy does not accept earlier runs"
    assert f"run `r1` {words}" in said.err
    assert "began before registration" in last(empty).provenance
    assert "E609" in last(empty).findings
    held = empty.gate("--format", "json")
    assert held.code == 1
    assert f"run r1 {words}" in held.out


NO_START = {
    "absent": None,
    "no-zone": "2026-09-21T18:00:00",
    "no-date": "yesterday",
    "before-1970": "0001-01-01T00:00:00+14:00",
    "future": "9999-12-31T23:59:59-12:00",
    "number": 1_790_000_000,
}


@pytest.mark.parametrize("defect", NO_START)
def test_a_start_that_nobody_can_compare_is_none(empty, defect):
    empty.init(STRICT)
    empty.register("r1", first=1)
    empty.now += 30 * 60
    said = empty.do("evidence", "add", "r1", inspect_log(empty, NO_START[defect]), *LEA)
    assert "does not say when it began" in said.err
    assert "start not dated" in last(empty).provenance
    assert empty.gate().code == 1


def test_an_accepted_earlier_run_is_recorded_as_such_without_a_warning(bare):
    bare.register("r1", first=1)
    said = bare.do("evidence", "add", "r1", inspect_log(bare, "2026-01-02T03:04:05+00:00"), *LEA)
    assert said.err == ""
    assert "began before registration" in last(bare).provenance
    assert bare.gate().code == 0


def test_the_start_of_an_lm_eval_run_is_that_of_its_results_which_are_kept_beside_the_log(empty):
    empty.init(STRICT)
    empty.register("r1")
    samples = empty.log("samples_bank.jsonl", [0.0] * 100, filter="none")
    results = {
        "results": {"bank": {"alias": "bank", "acc,none": 0.0, "acc_stderr,none": 0.0}},
        "versions": {"bank": 1},
        "configs": {},
        "n-samples": {"bank": {"original": 100, "effective": 100}},
        "date": empty.now + 60.25,
        "lm_eval_version": "0.4.8",
    }
    beside = empty.file("results.json", json.dumps(results))
    empty.now += 3600
    said = empty.do("evidence", "add", "r1", samples, "--results", beside, *LEA)
    assert said.err == ""
    assert last(empty).beside == (digest_bytes(beside.read_bytes()),)
    with LocalStore(empty.store) as store:
        assert store.get_blob(last(empty).beside[0]) == beside.read_bytes()
    assert "start not dated" not in last(empty).provenance
    assert empty.gate().code == 0
    assert last(empty).head


def test_one_success_is_one(bare):
    bare.register("r1")
    said = bare.do("evidence", "add", "r1", bare.log("r1.jsonl", [1.0] + [0.0] * 99), *LEA)
    assert "1 success of 100 items" in said.out


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (["r1", "--evaluation", "autonmy"], 2, "did you mean `autonomy`?"),
        (["r1", "--evaluation", "insight"], 1, "is a hole"),
        (["r1", "--subject", "orio"], 2, "did you mean `orion`?"),
        (["r1", "--report-by", "2026-01-01"], 2, "future"),
        (["r1", "--method", "card-9"], 2, "no method card"),
        (["r 1"], 2, "cannot be the name"),
        (["r1", "--items", "0"], 2, "0"),
        (["r1", "--role", "auditr"], 2, "did you mean `auditor`?"),
        (["r1", "--by", "\x1b[2J"], 2, "printable"),
    ],
)
def test_a_registration_that_would_count_for_nothing_is_refused(bare, change, code, words):
    usual = {"--evaluation": "autonomy", "--subject": "orion", "--items": "9",
             "--report-by": "1 day", "--by": "Lea", "--role": "auditor"}  # fmt: skip
    usual |= dict(zip(change[1::2], change[2::2], strict=True))
    parts = [part for pair in usual.items() for part in pair]
    said = bare.run("evidence", "register", change[0], *parts)
    assert said.code == code, said
    assert words in said.err
    assert "RunRegistered" not in bare.kinds()


def test_a_run_is_registered_once_and_says_who_chose_the_order(bare):
    bare.register("r1")
    assert isinstance(last(bare), RunRegistered)
    assert last(bare).order == "developer"
    again = bare.run("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
                     "--items", "9", "--report-by", "1 day", *LEA)  # fmt: skip
    assert again.code == 1


def test_a_void_needs_a_run_without_a_result(lab):
    assert lab.run("evidence", "void", "r1", "--why", "node failure", *LEA).code == 1
    lab.register("r2")
    lab.do("evidence", "void", "r2", "--why", "node failure", *LEA)
    assert "voided" in lab.do("evidence", "list").out


def test_a_retraction_takes_passes_too(lab):
    assert lab.gate().code == 0
    assert lab.run("evidence", "retract", "leak", *LEA).code == 2
    assert lab.run("evidence", "retract", "leak", "--run", "r9", *LEA).code == 1
    lab.do("evidence", "retract", "answers leaked", "--evaluation", "autonomy", *LEA)
    assert lab.gate().code == 1


def test_a_new_method_puts_older_runs_behind(lab):
    assert lab.gate().code == 0
    lab.do("evidence", "method", "tree-search-2", *LEA)
    assert lab.gate().code == 1
    assert lab.run("evidence", "method", "tree-search-2", *LEA).code == 1


def test_a_run_that_never_reports_goes_missing(bare):
    bare.register("r1")
    assert "pending" in bare.do("evidence", "list").out
    bare.now += 11 * DAY
    assert "missing" in bare.do("evidence", "list", "--format", "plain").out
    assert bare.do("status", "--format", "json").json["missing_runs"] == ["r1"]


def test_check_reads_a_real_log_and_records_nothing(lab, shared_data):
    before = lab.history()
    log = shared_data / "inspect_logs" / "inspect_scout_popularity.eval"
    said = lab.do("evidence", "check", log, "--format", "json")
    assert said.json["admissible"] is True
    assert said.json["planned"] == 100
    bad = shared_data / "inspect_logs" / "inspect_ai_tool_call_error.json"
    assert lab.run("evidence", "check", bad).code == 4
    assert lab.history() == before


def test_a_real_log_becomes_a_result(bare, shared_data):
    log = shared_data / "inspect_logs" / "inspect_scout_popularity.eval"
    bare.register("r1", first=1)
    said = bare.do("evidence", "add", "r1", log, *LEA)
    assert "63 successes of 100 items" in said.out
    assert last(bare).harness.startswith("inspect ")
    assert "no weights digest" in last(bare).provenance
    assert bare.gate().code == 1
