"""What a registration names binds, and what it leaves open never helps."""

import json

import pytest

from tests.cli.lab import LEA
from tests.cli.test_evidence import last
from tests.ingest import logs


def two_scores(lab, name="log.jsonl"):
    """A log in which the score named first succeeds, and the second never does."""
    rows = [{"doc_id": i, "metrics": ["acc", "f1"], "acc": 1.0, "f1": 0.0, "file": name} for i in range(3)]
    return lab.file(name, "\n".join(map(json.dumps, rows)))


@pytest.mark.parametrize(("asked", "counts"), [((), (3, 0)), (("--scorer", "f1"), (0, 3))])
def test_of_several_scores_none_of_them_registered_the_chosen_one_never_helps(bare, asked, counts):
    bare.register("r1", items=3)
    path = two_scores(bare)
    assert bare.run("evidence", "add", "r1", path, "--scorer", "em", *LEA).code == 2
    said = bare.do("evidence", "add", "r1", path, *asked, *LEA)
    assert "nobody registered which of them counts" in said.err
    assert (last(bare).successes, last(bare).failures) == counts
    assert "scorer not registered" in last(bare).provenance
    assert "nobody registered which of them counts" in bare.gate("--format", "json").out


def planned(lab, run, *more):
    lab.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
           lab.bank(3), "--report-by", "10 days", *more, *LEA)  # fmt: skip


def test_the_registered_score_is_the_one_that_counts(bare):
    planned(bare, "r1", "--scorer", "f1")
    path = two_scores(bare)
    said = bare.run("evidence", "add", "r1", path, "--scorer", "acc", *LEA)
    assert (said.code, "before the run, not after it" in said.err) == (2, True)
    bare.do("evidence", "add", "r1", path, *LEA)
    assert (last(bare).successes, last(bare).scorer) == (0, "f1")
    assert "scorer not registered" not in last(bare).provenance


@pytest.mark.parametrize(
    ("more", "code"),
    [(("--task", "bank"), "E420"), (("--model", "gpt2"), "E417"), (("--scorer", "em"), "E418")],
)
def test_a_log_of_something_else_than_was_registered_is_untrusted(bare, more, code):
    planned(bare, "r1", *more)
    assert bare.run("evidence", "add", "r1", two_scores(bare), *LEA).code == 4
    assert last(bare).code == code


def test_a_log_of_what_was_registered_counts_without_a_shortfall(bare):
    log = logs.binary_log(["I"] * 100)
    task, model = log["header"]["eval"]["task"], log["header"]["eval"]["model"]
    said = bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion", "--task", task,
                   "--model", model, "--scorer", "match", "--item-ids", bare.bank(100, 1),
                   "--report-by", "10 days", *LEA)  # fmt: skip
    assert said.err == ""
    bare.do("evidence", "add", "r1", logs.write(bare.folder, log), *LEA)
    assert (last(bare).task, last(bare).model, last(bare).scorer) == (task, model, "match")
    assert not [words for words in last(bare).provenance if "not registered" in words]
    row = bare.do("evidence", "list", "--format", "json").json["runs"][0]
    assert (row["task"], row["model"], row["scorer"]) == (task, model, "match")


def test_what_nobody_registered_is_a_warning_first_and_then_a_shortfall(bare):
    said = bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion",
                   "--items", "3", "--report-by", "10 days", *LEA)  # fmt: skip
    assert "`task not registered` and `model not registered`" in said.err
    said = bare.do("evidence", "add", "r1", bare.log("r1.jsonl", [0.0] * 3), *LEA)
    assert "nobody registered which were planned" in said.err
    assert {"task not registered", "model not registered", "items not registered"} <= set(last(bare).provenance)
    assert bare.gate().code == 1


def test_one_log_is_offered_for_one_run(lab):
    lab.register("r2")
    log = (lab.folder / "r1.jsonl").read_text()
    for number, text in enumerate((log, log.replace(": ", " :  "), "\n".join(reversed(log.split("\n"))))):
        said = lab.run("evidence", "add", "r2", lab.file(f"copy-{number}.jsonl", text), *LEA)
        assert (said.code, last(lab).code) == (4, "E419")
    lab.register("r3")
    assert lab.run("evidence", "add", "r3", lab.folder / "copy-1.jsonl", *LEA).code == 4
    assert lab.gate().code == 1
    for form in ("human", "plain", "json"):
        assert "E419" in lab.do("evidence", "list", "--format", form).out
        assert "E419" in lab.do("status", "--format", form).out


def test_a_refused_log_stays_visible_in_the_argument_when_another_stands(bare):
    bare.register("r1")
    assert bare.run("evidence", "add", "r1", bare.log("bad.jsonl", [1.0] * 101), *LEA).code == 4
    for name, score in (("good", 0.0), ("crossed", 1.0)):
        other = bare.log(f"{name}.jsonl", [score] * 100)
        if name == "good":
            bare.do("evidence", "add", "r1", other, *LEA)
        else:
            bare.register("r2")
            bare.do("evidence", "add", "r2", other, *LEA)
        assert bare.gate().code == 1
        for form in ("human", "plain", "json"):
            assert "E415" in bare.run("why", "--format", form).out
