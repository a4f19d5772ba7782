"""Questions about policies on the command line: answers, exit codes, and what stands on stdout."""

import json
import shutil

import pytest

from tests.prove.policies import EXAMPLES


@pytest.fixture
def desk(empty):
    """A folder with two texts of one policy, a regime, and no store."""
    text = (EXAMPLES / "rsp.yaml").read_text("utf-8")
    empty.file("old.yaml", text)
    empty.file("new.yaml", text.replace("unless shown: replication <= 20%", "unless shown: replication <= 25%"))
    empty.file("same.yaml", text.replace("replication <= 20%", "replication <= 1 in 5"))
    shutil.copy(EXAMPLES / "regime.yaml", empty.folder)
    return empty


def test_a_weaker_policy_is_a_no_with_a_situation(desk):
    found = desk.run("policy", "compare", "new.yaml", "old.yaml")
    assert found.code == 1
    assert "when  replication may be as high as 25%" in found.out
    assert "then  held by commitment replication-line" in found.out
    assert "is weaker than" in found.out


def test_a_stricter_policy_is_a_yes_that_names_its_proof(desk):
    found = desk.run("policy", "compare", "old.yaml", "new.yaml")
    assert found.code == 0
    assert "proved: whatever" in found.out
    assert "commitment replication-line" in found.out


def test_json_owns_stdout_and_is_a_certificate(desk):
    found = desk.run("policy", "compare", "new.yaml", "old.yaml", "--format", "json", "--certificate", "c.json")
    assert found.code == 1
    assert found.json["relation"] == "weaker"
    assert json.loads((desk.folder / "c.json").read_text("utf-8")) == found.json
    refuted = next(item for item in found.json["findings"] if item["strict"] is False)
    assert refuted["witness"]["held by"]
    assert len(refuted["solvers"]) == 2


def test_what_is_proved_is_proved_for_all_time(desk):
    found = desk.run("policy", "compare", "old.yaml", "new.yaml", "--over-time")
    assert found.code == 0
    assert "for all time: train" in found.out


def test_one_action_can_be_asked_about(desk):
    assert desk.run("policy", "compare", "new.yaml", "old.yaml", "--action", "store.weights").code == 0
    assert desk.run("policy", "compare", "new.yaml", "old.yaml", "--action", "train").code == 1


def test_a_regime_on_top_makes_it_no_weaker(desk):
    assert desk.run("policy", "compare", "old.yaml", "old.yaml", "--and", "regime.yaml").code == 0
    assert desk.run("policy", "compare", "old.yaml", "regime.yaml", "--and", "regime.yaml").code == 0


def test_an_aspect_that_nothing_is_about_is_asked_wrongly(desk):
    found = desk.run("policy", "compare", "old.yaml", "new.yaml", "--about", "nothing-such")
    assert found.code == 2
    assert "aspect-unknown" in found.err


def test_a_file_that_is_no_policy_is_asked_wrongly(desk):
    desk.file("broken.yaml", "scalegate: policy/v1\n")
    assert desk.run("policy", "compare", "old.yaml", "broken.yaml").code == 2
    assert desk.run("policy", "compare", "old.yaml", "missing.yaml").code == 2
    assert desk.run("policy", "diff", "old.yaml", "broken.yaml").code == 2
    assert desk.run("policy", "allows", "broken.yaml").code == 2


# ---------------------------------------------------------------- diff


def test_a_diff_that_weakens_fails_and_puts_it_first(desk):
    found = desk.run("policy", "diff", "old.yaml", "new.yaml")
    assert found.code == 1
    assert found.out.startswith("weakened: commitment replication-")
    assert "when  replication may be as high as 25%" in found.out


def test_a_diff_that_tightens_passes(desk):
    found = desk.run("policy", "diff", "new.yaml", "old.yaml")
    assert found.code == 0
    assert "strengthened: commitment replication-line" in found.out
    assert "proved: whatever the new text permits" in found.out


def test_a_diff_of_words_alone_passes(desk):
    found = desk.run("policy", "diff", "old.yaml", "same.yaml")
    assert found.code == 0
    assert {line.split(":")[0] for line in found.out.splitlines() if line[0] != " "} == {"reworded", "proved", "note"}


def test_a_diff_as_json_has_situations_that_read_aloud(desk):
    found = desk.run("policy", "diff", "old.yaml", "new.yaml", "--format", "json")
    assert found.json["weakens"] is True
    first = found.json["changes"][0]
    assert first["kind"] == "weakened"
    assert any("25%" in clause for clause in first["situation"])
    assert first["witness"]["situation"]


# ---------------------------------------------------------------- allows, check --deep


def test_the_worst_is_one_sentence_for_each_commitment(desk):
    found = desk.run("policy", "allows", "old.yaml")
    assert found.code == 0
    assert "Uncrossed: training at a new scale is permitted although replication may be as high as 20%" in " ".join(
        found.out.split()
    )
    assert "while weight-security is shown" in " ".join(found.out.split())
    assert "note: what a situation does not mention is as it was asked for" in found.out
    sentences = desk.run("policy", "allows", "old.yaml", "--format", "json").json
    assert all(item["sentence"].endswith(".") for item in sentences)


def test_what_a_text_leaves_open_is_not_called_a_crossing(desk):
    said = " ".join(desk.run("policy", "allows", "openai-preparedness-2").out.split())
    assert "Neither shown to be crossed nor uncrossed, where the developer decides: release of the weights" in said
    assert "chembio-novice-uplift is shown to be at least 100%, while high-safeguards is shown" in said
    assert "openai-preparedness-2 is an encoding in the words of scalegate" in said


def test_a_deep_check_gives_the_verdict_on_each_hold(desk):
    found = desk.run("policy", "check", "old.yaml", "--deep")
    assert found.code == 0
    words = " ".join(found.out.split())
    assert "takeover-line is, until something crosses it, a pause" in words
    assert "once crossed it is open" in words
    assert "outside only" in words


def test_a_deep_check_that_finds_something_fails(desk):
    text = (EXAMPLES / "rsp.yaml").read_text("utf-8")
    desk.file(
        "dead.yaml",
        text.replace("resume only if shown: replication <= 20% under", "resume only if shown: replication < 0% under"),
    )
    found = desk.run("policy", "check", "dead.yaml", "--deep", "--format", "json")
    assert found.code == 1
    assert [item["flaw"] for item in found.json["deep"]["defects"]] == ["unreachable release"]


def test_without_a_solver_the_question_says_what_to_install(desk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "z3", None)
    monkeypatch.delitem(__import__("sys").modules, "scalegate.adapters.solvers.z3", raising=False)
    found = desk.run("policy", "compare", "old.yaml", "new.yaml")
    assert found.code == 2
    assert "scalegate[prove]" in found.err


# ---------------------------------------------------------------- the library


def test_library_policies_are_compared_by_their_ids(desk):
    found = desk.run("policy", "compare", "anthropic-rsp-1.0", "deepmind-fsf-1.0", "--about", "cadence")
    assert found.code == 0


def test_an_answer_that_needs_what_nobody_read_is_refused(desk):
    found = desk.run("policy", "compare", "eu-gpai-code-safety", "seoul-commitments")
    assert found.code == 3
    assert "nobody here read" in found.err
