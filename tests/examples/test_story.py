"""The story of `make demo`: that its acts hang together, and, slowly, that every one of them comes out as told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scalegate.policy import load

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "story"
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
import acts  # noqa: E402


def text_of(name):
    return (FOLDER / name).read_text()


def test_every_chapter_is_begun_once_and_in_order():
    begun = [act.chapter for act in acts.ACTS if act.chapter]
    assert begun == list(acts.CHAPTERS)


def test_what_is_held_never_goes_and_says_why():
    held = [act for act in acts.ACTS if acts.GO in act.command and act.code == 1]
    assert len(held) >= 8
    assert all(act.never == acts.WENT and act.says for act in held)


def test_the_last_word_is_a_hold_and_no_permit_to_train_follows():
    asked = [act for act in acts.ACTS if "gate train --" in act.command]
    assert (asked[-1].code, "hole" in asked[-1].says) == (1, True)


@pytest.mark.parametrize(("name", "kind"), [("policy.yaml", "policy"), ("regime.yaml", "regime")])
def test_the_policies_of_the_story_are_policies(name, kind):
    assert load(text_of(name), name).kind == kind


def test_the_regime_holds_what_the_policy_lets_go():
    regime, policy = load(text_of("regime.yaml"), "r"), load(text_of("policy.yaml"), "p")
    assert {item.id for item in regime.commitments} == {"no-service"}
    assert {item.id for item in policy.commitments} == {"replication-line", "takeover-line"}


@pytest.mark.extra
def test_the_policies_pin_the_items_that_are_examined():
    pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
    pytest.importorskip("transformers", reason="needs the extra `transformers`")
    import bank  # noqa: PLC0415
    from world import report_bank, skill_bank  # noqa: PLC0415

    pins = [bank.pin(skill_bank()), bank.pin(report_bank())]
    assert [pin in text_of("policy.yaml") for pin in pins] == [True, True]
    assert [pin in text_of("regime.yaml") for pin in pins] == [True, False]


@pytest.mark.extra
@pytest.mark.slow
def test_every_act_comes_out_as_told(tmp_path):
    pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
    pytest.importorskip("transformers", reason="needs the extra `transformers`")
    said = subprocess.run(
        [sys.executable, FOLDER / "run.py"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        text=True,
        timeout=1_500,
    )
    assert said.returncode == 0, said.stdout[-3_000:]
    assert "NOT as told" not in said.stdout
