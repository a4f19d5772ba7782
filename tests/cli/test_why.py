"""Looking back and ahead: nothing of it is recorded, and nothing of it grants anything."""

import json
import sqlite3

import pytest

from scalegate.app.ask import error_hold
from scalegate.ledger.store import DATABASE
from tests.cli.lab import LEA, POLICY


@pytest.fixture
def held(lab):
    """A lab whose last answer is a hold, after a permit."""
    assert lab.gate().code == 0
    lab.measure("r2", 100)
    assert lab.gate().code == 1
    return lab


def test_why_explains_the_last_answer_and_any_other(held):
    before = held.history()
    said = held.run("why")
    assert said.code == 1
    assert "answer 2" in said.out
    assert "Chain" in said.out
    first = held.run("why", "1")
    assert first.code == 3
    assert first.out.startswith("WOULD PERMIT") or "answer 1" in first.out
    digest = held.run("why", "1", "--format", "json").json["decision"]
    assert held.run("why", digest).out == first.out
    assert held.history() == before


def test_why_is_never_live(held):
    assert held.run("why", "1", "--format", "json").json["live"] is False


@pytest.mark.parametrize("audience", ["engineer", "auditor", "public"])
def test_every_register_has_the_same_facts(held, audience):
    said = " ".join(held.run("why", "--for", audience).out.split())
    decision = held.run("why", "--format", "json").json
    for reason in decision["reasons"]:
        assert reason["message"].removeprefix("to resume: ") in said
    for name in ("not_checked", "would_not_release", "assumptions"):
        for text in decision[name]:
            assert text in said
    for remedy in decision["remedies"]:
        for step in remedy["steps"]:
            assert step in said
    assert decision["exceptions"]
    for note in decision["exceptions"]:
        assert f"{note['policy']}/{note['exception']}" in said
    assert "hole" in said


def test_only_the_auditor_gets_digests_and_the_way_to_reproduce(held):
    decision = held.run("why", "--format", "json").json
    said = held.run("why", "--for", "auditor").out
    assert decision["decision"] in said
    assert decision["head"] in said
    assert "--at" in said
    assert decision["head"] not in held.run("why").out


def test_an_added_policy_is_remembered(lab):
    stop = lab.file("stop.yaml", POLICY.replace("autonomy <= 20%", "never").replace("acme-rsp", "x"))
    assert lab.gate("--policy", stop).code == 1
    stop.unlink()
    said = lab.run("why", "--format", "json")
    assert said.code == 1
    assert said.err == ""
    assert {item["id"] for item in said.json["policies"]} == {"acme-rsp", "x"}


def test_a_recorded_answer_that_the_history_contradicts_is_untrusted(held, monkeypatch):
    real = "scalegate.app.review.judge"
    monkeypatch.setattr(real, lambda history, request, now, *_, **__: error_hold(history, request, now, "x"))
    assert held.run("why", "1").code == 4


def test_a_question_that_is_not_kept_is_untrusted(held):
    for path in (held.store / "blobs").rglob("*"):
        if path.is_file() and b"scalegate/decision/v1" in path.read_bytes():
            path.unlink()
    assert held.run("why").code == 4


def test_why_asks_anew_without_recording(lab):
    before = lab.history()
    said = lab.run("why", "train", "--subject", "orion", "--to", "4e26")
    assert said.code == 1
    assert "hypothetical" in said.out
    assert lab.run("why", "trian", "--subject", "orion").code == 2
    assert lab.history() == before


def test_plan_says_how_far_and_what_then(lab):
    before = lab.history()
    said = lab.run("plan", "--subject", "orion", "--to", "4e25")
    assert said.code == 1
    assert "would be permitted now up to 8e24 FLOP" in said.out
    assert "would be held beyond 8e24 FLOP" in said.out
    assert "A plan binds nothing" in said.out
    found = lab.run("plan", "--subject", "orion", "--to", "4e25", "--format", "json").json
    assert (found["reach"], found["held_at"]) == (str(8 * 10**24), str(8 * 10**24 + 1))
    assert found["schema"] == "scalegate/plan/v1"
    assert found["answer"]["live"] is False
    assert "reach:" in lab.run("plan", "--subject", "orion", "--to", "4e25", "--format", "plain").out
    assert lab.history() == before


def test_what_plan_calls_reachable_is_what_gate_permits(lab):
    assert lab.run("gate", "train", "--subject", "orion", "--to", 8 * 10**24).code == 0
    assert lab.run("gate", "train", "--subject", "orion", "--to", 8 * 10**24 + 1).code == 1


def test_status_lists_everything_that_is_open(held):
    held.register("r3")
    held.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator", "--action", "deploy")
    found = held.do("status", "--format", "json").json
    assert found["pending_runs"] == ["r3"]
    assert found["stop_orders"] == ["halt"]
    assert found["holes"] == ["acme-rsp/insight"]
    assert found["exceptions"] == ["acme-rsp/rival"]
    train = next(item for item in found["standings"] if item["action"] == "train")
    assert (train["now"], train["last"]["answer"], train["last"]["number"]) == ("hold", "hold", 2)
    for form in ("human", "plain"):
        said = held.do("status", "--format", form).out
        for word in ("orion", "halt", "r3", "acme-rsp/insight", "acme-rsp/rival", "hold 2"):
            assert word in said


def test_status_shows_a_refused_log(bare):
    bare.register("r1")
    bare.run("evidence", "add", "r1", bare.file("x.json", '{"doc_id":0,"doc_id":1}'), *LEA)
    assert bare.do("status", "--format", "json").json["refused_runs"] == ["r1 (E204)"]


def test_looking_at_a_faulty_history_is_4(held):
    db = sqlite3.connect(held.store / DATABASE)
    guards = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    db.execute("DELETE FROM entries WHERE idx = 3")
    for _, sql in guards:
        db.execute(sql)
    db.commit()
    db.close()
    for line in ("status", "why", "plan --subject orion --to 4e24", "evidence list", "permit list"):
        assert held.run(*line.split()).code == 4
        assert held.run(*line.split(), "--format", "json").json["error"]["kind"] == "untrusted"


def test_json_is_only_json(held):
    for line in ("why", "status", "permit list", "policy list", "subject list", "evidence list"):
        assert isinstance(json.loads(held.run(*line.split(), "--format", "json").out), dict)
