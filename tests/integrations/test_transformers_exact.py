"""Training that was held and went on is, bit by bit, the training that nobody held; and a replay can show it."""

import random

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
pytest.importorskip("transformers", reason="needs the extra `transformers`")
pytest.importorskip("accelerate", reason="needs the extra `transformers`")
pytestmark = pytest.mark.extra

from scalegate.integrations.job_folder import open_folder  # noqa: E402
from scalegate.integrations.keeper import Keeper  # noqa: E402
from scalegate.integrations.transformers import certify  # noqa: E402
from scalegate.integrations.weights import marks_of  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.gated import (  # noqa: E402
    FLOP,
    counted,
    declared,
    gated,
    loaded,
    plain,
    renew,
    reports,
    step_of,
)

BOUNDARIES = 26


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab with a declared model, and a permit of ten steps for it."""
    return declared(make_lab(tmp_path, monkeypatch))


def marks_by_step(lab, **more):
    """The weights behind every step of a run that nobody held: 100 steps, dropout, cosine schedule."""
    found = {}
    keep = step_of("on_step_end", lambda state, model, **_: found.update({state.global_step: marks_of(model)}))
    plain(lab.folder / "whole", loaded(lab.model_folder), keep, **more).train()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("accumulation", [1, 4])
def test_training_held_at_any_boundary_goes_on_bit_by_bit(lab, accumulation):
    more = {"gradient_accumulation_steps": accumulation}
    whole = marks_by_step(lab, **more)
    for step in random.Random(20_260_700 + accumulation).sample(range(1, 100), BOUNDARIES):
        job = f"job-{step}"
        lab.file_of = lab.permit("tiny", step * FLOP, job=job, name=f"{job}.permit")
        first = gated(lab, out=lab.folder / job, **more)
        first.train()
        assert first.held.folder == lab.folder / job / f"checkpoint-{step}"
        assert marks_of(first.model) == whole[step]
        renew(lab, 100, f"{job}-more")
        second = gated(lab, out=lab.folder / job, **more)
        with counted() as taken:
            second.train(resume_from_checkpoint=True)
        assert (len(taken), second.held) == (100 - step, None)
        assert marks_of(second.model) == whole[100]


def test_training_held_again_and_again_goes_on_bit_by_bit(lab):
    whole = marks_by_step(lab)
    resume = None
    for step in (1, 17, 31, 32, 33, 64, 99):
        if step > 1:
            renew(lab, step, f"to-{step}")
        else:
            lab.file_of = lab.permit("tiny", FLOP, job="job-2")
        trainer = gated(lab)
        trainer.train(resume_from_checkpoint=resume)
        resume = True
        assert marks_of(trainer.model) == whole[step]
    assert [item.step for item in reports(lab) if item.kind == "held"] == [1, 17, 31, 32, 33, 64, 99]


# ---------------------------------------------------------------- certificates


def end_at_12(state, control, **_):
    control.should_training_stop = state.global_step == 12


@pytest.fixture
def two(lab):
    """The lab, with a checkpoint of before a hold at step 10, and one of after it."""
    often = {"save_strategy": "steps", "save_steps": 4}
    gated(lab, **often).train()
    renew(lab, 100)
    gated(lab, step_of("on_step_end", end_at_12), **often).train(resume_from_checkpoint=True)
    lab.earlier, lab.later = lab.out / "checkpoint-8", lab.out / "checkpoint-12"
    return lab


def again(lab, **more):
    """Makes trainers like the one whose checkpoints the lab has."""
    return lambda folder: plain(folder, loaded(lab.model_folder), **more)


def test_a_replay_across_a_hold_is_exact_and_takes_only_the_steps_between(two):
    with counted() as taken:
        certificate = certify(again(two), two.earlier, two.later)
    assert (certificate.label, certificate.steps, certificate.largest) == ("exact", 4, 0.0)
    assert len(taken) == 4


def test_a_replay_by_a_gated_trainer_takes_the_permit_it_is_made_with(two):
    before = len(reports(two))
    certificate = certify(lambda folder: gated(two, out=folder), two.earlier, two.later)
    assert certificate.label == "exact"
    assert [item.kind for item in reports(two)[before:]] == ["started", "ended"]


def test_another_seed_of_dropout_is_no_exact_resumption(two):
    (two.earlier / "rng_state.pth").unlink()
    certificate = certify(again(two, seed=4, learning_rate=2e-2), two.earlier, two.later)
    assert certificate.label == "different"
    assert 0 < certificate.largest < 1
    within = certify(again(two, seed=4, learning_rate=2e-2), two.earlier, two.later, tolerance=certificate.largest)
    assert (within.label, within.largest) == ("close", certificate.largest)


def test_what_cannot_be_replayed_is_unchecked_and_says_why(two):
    def broken(_folder):
        raise OSError("no such data set")

    assert "no such data set" in certify(broken, two.earlier, two.later).words
    assert certify(again(two), two.later, two.earlier).label == "unchecked"
    assert certify(again(two), two.model_folder, two.later).label == "unchecked"
    short = certify(again(two, max_steps=10), two.earlier, two.later)
    assert (short.label, short.words) == ("unchecked", "nothing was compared: the replay took 2 of 4 steps")


def test_a_replay_that_would_not_stop_is_stopped(two):
    def undo(control, **_):
        control.should_training_stop = False

    def endless(folder):
        trainer = again(two)(folder)
        add = trainer.add_callback
        trainer.add_callback = lambda callback: (add(callback), add(step_of("on_step_end", undo)))
        return trainer

    with counted() as taken:
        certificate = certify(endless, two.earlier, two.later)
    assert certificate.label == "unchecked"
    assert "one more" in certificate.words
    assert len(taken) == 4


def test_a_certificate_is_reported_in_the_journal_of_the_job(two):
    keeper = Keeper(open_folder(two.file_of, two.trust), two.around())
    certificate = certify(again(two), two.earlier, two.later, keeper=keeper)
    keeper.close()
    last = reports(two)[-1]
    assert (last.kind, last.cause, last.words) == ("resumption", "resumption-exact", certificate.words)
    two.do("permit", "report", two.file_of)
