"""A Trainer without the right permit, or with other files than the permit is for: it takes no step.

Real optimizer steps are counted, by a hook of torch that is not the gate's.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
pytest.importorskip("transformers", reason="needs the extra `transformers`")
pytest.importorskip("accelerate", reason="needs the extra `transformers`")
pytestmark = pytest.mark.extra

from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.job_folder import open_folder  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.moments import ForwardClock  # noqa: E402
from scalegate.integrations.transformers import GatedTrainer  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.gated import (  # noqa: E402
    FLOP,
    counted,
    declared,
    gated,
    is_reported,
    loaded,
    net,
    outcome,
    plain,
    renew,
    reports,
    same,
    step_of,
)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab with a declared model, and a permit of ten steps for it."""
    return declared(make_lab(tmp_path, monkeypatch))


# ---------------------------------------------------------------- permits


@pytest.mark.parametrize("permit", [None, "nowhere.permit"])
def test_missing_permit(lab, permit):
    assert outcome(gated(lab, permit=permit)) == ("refused", "permit-missing", 0)


def test_missing_checkpoint(lab):
    assert outcome(gated(lab, model=loaded(lab.model_folder), checkpoint=None)) == ("refused", "checkpoint-missing", 0)


def test_missing_trust(lab, monkeypatch):
    monkeypatch.delenv("SCALEGATE_TRUST", raising=False)
    assert outcome(gated(lab, trust=None)) == ("refused", "trust-missing", 0)


def ends(lab):
    return open_folder(lab.file_of, lab.trust).permit.claim.expires


def at(instant):
    """A clock that starts there, on a machine whose own clock is far behind."""
    return {"clock": lambda floor: ForwardClock(max(floor, instant), wall=lambda: 0.0)}


def slow():
    return step_of("on_step_begin", lambda **_: time.sleep(0.1))


def test_expired_lease_at_the_start(lab):
    assert outcome(gated(lab, around=at(ends(lab)))) == ("refused", "permit-expired", 0)


def test_lease_that_expires_within_a_step(lab):
    trainer = gated(lab, slow(), around=at(ends(lab) - 0.6))
    with counted() as taken, pytest.raises(HeldError, match="permit-expired"):
        trainer.train()
    assert len(taken) == trainer.state.global_step < 10
    assert is_reported(lab, trainer.held.folder)


def test_lease_that_ends_soon_leaves_time_to_save(lab):
    lab.file_of = lab.permit("tiny", 1000 * FLOP, job="job-2")
    trainer = gated(lab, slow(), around=at(ends(lab) - 5.5))
    trainer.train()
    assert trainer.held.code == "permit-ending"
    assert trainer.state.global_step < 100
    assert is_reported(lab, trainer.held.folder)


def test_clock_moved_back_between_runs(lab):
    with pytest.raises(HeldError, match="permit-expired"):
        gated(lab, slow(), around=at(ends(lab) - 0.3)).train()
    assert outcome(gated(lab, around=at(0)), str(lab.out / f"checkpoint-{reports(lab)[-1].step}")) == (
        "refused",
        "permit-expired",
        0,
    )


def test_edited_permit(lab):
    value = json.loads(lab.file_of.read_text())
    value["claim"]["leaf"] = value["claim"]["leaf"].replace("A", "B", 1)
    lab.file_of.write_text(json.dumps(value))
    with counted() as taken, pytest.raises(PermitError) as caught:
        gated(lab).train()
    assert caught.value.code in {"permit-edited", "permit-unsigned", "permit-unproved"}
    assert not taken


def test_permit_for_less_than_one_step(lab):
    lab.file_of = lab.permit("tiny", FLOP // 2, job="job-2")
    assert outcome(gated(lab)) == ("raised", "compute-spent", 0)


def test_second_process_on_the_same_permit(lab):
    other = open_folder(lab.file_of, lab.trust)
    other.lock()
    assert outcome(gated(lab)) == ("refused", "permit-in-use", 0)
    other.unlock()
    assert outcome(gated(lab)) == ("held", "compute-spent", 10)


def test_permit_file_copied_elsewhere_without_its_key(lab):
    copied = lab.folder / "elsewhere" / lab.file_of.name
    copied.parent.mkdir()
    shutil.copy2(lab.file_of, copied)
    assert outcome(gated(lab, permit=copied)) == ("refused", "job-key", 0)


def test_permit_copied_with_its_key_to_another_host(lab):
    copied = lab.copy(lab.file_of, lab.folder / "elsewhere")
    assert outcome(gated(lab, permit=copied, around={"host": "other-host"})) == ("refused", "permit-host", 0)


# ---------------------------------------------------------------- checkpoints


def test_swapped_checkpoint(lab):
    other = lab.folder / "other"
    net(seed=1).save_pretrained(other)
    assert outcome(gated(lab, model=loaded(other), checkpoint=other)) == ("refused", "checkpoint-unknown", 0)


def test_weights_of_another_checkpoint_under_the_name_of_the_declared_one(lab):
    assert outcome(gated(lab, model=net(seed=1))) == ("refused", "weights-swapped", 0)


def test_plain_trainer_resumed_without_the_callback_from_a_held_checkpoint(lab):
    assert outcome(gated(lab)) == ("held", "compute-spent", 10)
    written = len(reports(lab))
    plain(lab.out, loaded(lab.model_folder), max_steps=20, save_strategy="steps", save_steps=20).train(
        resume_from_checkpoint=True
    )
    assert len(reports(lab)) == written
    renew(lab, 100)
    assert outcome(gated(lab), True) == ("refused", "checkpoint-unknown", 0)


def test_trainer_state_set_back_to_step_zero(lab):
    assert outcome(gated(lab)) == ("held", "compute-spent", 10)
    place = lab.out / "checkpoint-10" / "trainer_state.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"global_step": 0}))
    renew(lab, 100)
    assert outcome(gated(lab), True) == ("refused", "checkpoint-unknown", 0)


@pytest.mark.parametrize("where", ["_save_rng_state", "_save_checkpoint"])
def test_crash_during_save(lab, where):
    def crash(trainer, *given):
        if where == "_save_checkpoint":
            GatedTrainer._save_checkpoint(trainer, *given)
        raise OSError("the disk is full")

    with counted() as taken, pytest.raises(OSError, match="is full"):
        gated(lab, kind=type("Crashing", (GatedTrainer,), {where: crash})).train()
    assert len(taken) == 10
    half = lab.out / "checkpoint-10"
    renew(lab, 100)
    assert outcome(gated(lab, model=loaded(half), checkpoint=half)) == ("refused", "checkpoint-unknown", 0)
    if where == "_save_checkpoint":
        assert outcome(gated(lab), True) == ("refused", "checkpoint-unknown", 0)


def test_restored_older_journal(lab):
    trainer = gated(lab, save_strategy="steps", save_steps=5)
    trainer.train()
    journal = open_folder(lab.file_of, lab.trust).journal
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    renew(lab, 100)
    assert outcome(gated(lab), True) == ("refused", "checkpoint-unknown", 0)
    with counted() as taken:
        gated(lab, max_steps=8).train(resume_from_checkpoint=str(lab.out / "checkpoint-5"))
    assert len(taken) == 3


def test_journal_with_a_line_taken_out(lab):
    gated(lab, save_strategy="steps", save_steps=5).train()
    journal = open_folder(lab.file_of, lab.trust).journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert outcome(gated(lab), True) == ("refused", "journal-edited", 0)


SCRIPT = """
import sys, time
from tests.integrations.gated import GatedTrainer, arguments, data, loaded, plan, step_of
from scalegate.integrations.around import Around
permit, checkpoint, trust, out = sys.argv[1:]
GatedTrainer(
    loaded(checkpoint), arguments(out, save_strategy="steps", save_steps=3), train_dataset=data(), permit=permit,
    checkpoint=checkpoint, trust=trust, around=Around(host="test-host"), plan=plan(),
    callbacks=[step_of("on_step_begin", lambda state, **_: time.sleep(60 if state.global_step == 8 else 0))],
).train()
"""


@pytest.mark.slow
def test_kill_9_and_restart(lab):
    words = [lab.file_of, lab.model_folder, lab.trust, lab.out]
    root = Path(__file__).resolve().parents[2]
    around = os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."])}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, words)], cwd=root, env=around)
    try:
        until = time.monotonic() + 90
        while [item.step for item in reports(lab)] != [0, 3, 6]:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        assert outcome(gated(lab)) == ("refused", "permit-in-use", 0)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    half = lab.out / "checkpoint-9"
    shutil.copytree(lab.out / "checkpoint-6", half)
    (half / "scheduler.pt").unlink()
    assert outcome(gated(lab), True) == ("refused", "checkpoint-unknown", 0)
    assert outcome(gated(lab), str(lab.out / "checkpoint-6")) == ("held", "compute-spent", 4)
    whole = plain(lab.folder / "whole", loaded(lab.model_folder), save_strategy="steps", save_steps=10)
    whole.train()
    assert same(lab.folder / "whole" / "checkpoint-10", lab.out / "checkpoint-10")


RANKS = """
import sys
import torch.distributed as dist
from tests.integrations.gated import GatedTrainer, arguments, data, loaded, plan, step_of
from scalegate.integrations.around import Around
permit, checkpoint, trust, out = sys.argv[1:]
trainer = GatedTrainer(
    loaded(checkpoint), arguments(out, save_strategy="steps", save_steps=6, ddp_backend="gloo"), train_dataset=data(),
    permit=permit, checkpoint=checkpoint, trust=trust, around=Around(host="test-host"), plan=plan(),
)
trainer.train()
dist.barrier()
dist.destroy_process_group()
trainer.exit_if_held(17 + trainer.state.global_step)
"""


@pytest.mark.slow
def test_two_ranks_are_held_together_and_report_one_checkpoint(lab):
    script = lab.folder / "ranks.py"
    script.write_text(RANKS)
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    number = str(port.getsockname()[1])
    port.close()
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, str(script), *map(str, [lab.file_of, lab.model_folder, lab.trust, lab.out])]
    common = os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."]), "WORLD_SIZE": "2", "MASTER_PORT": number}
    both = [
        subprocess.Popen(words, cwd=root, env=common | {"MASTER_ADDR": "127.0.0.1", "RANK": rank, "LOCAL_RANK": rank})
        for rank in ("0", "1")
    ]
    try:
        assert [process.wait(timeout=120) for process in both] == [27, 27]
    finally:
        for process in both:
            process.kill()
            process.wait()
    assert [(item.kind, item.step, item.ranks) for item in reports(lab)] == [
        ("started", 0, 2), ("checkpoint", 6, 2), ("held", 10, 2)
    ]  # fmt: skip
    assert is_reported(lab, lab.out / "checkpoint-10")
