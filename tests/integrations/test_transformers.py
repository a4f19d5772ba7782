"""A Trainer under a permit: it begins with one, stops at its end with a checkpoint, goes on, and reports all of it."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
transformers = pytest.importorskip("transformers", reason="needs the extra `transformers`")
pytest.importorskip("accelerate", reason="needs the extra `transformers`")
pytestmark = pytest.mark.extra

from scalegate.enforce.compute import Step, step_flop  # noqa: E402
from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.flop import shape_of  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.transformers import (  # noqa: E402
    GatedTrainer,
    ScalegateCallback,
    Terms,
    length_of,
    plan_of,
)
from scalegate.integrations.weights import files_of  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.gated import (  # noqa: E402
    FLOP,
    LENGTH,
    arguments,
    counted,
    data,
    declared,
    gated,
    loaded,
    net,
    plain,
    plan,
    renew,
    reports,
    same,
    step_of,
)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab with a declared model, and a permit of ten steps for it."""
    return declared(make_lab(tmp_path, monkeypatch))


def kinds(lab):
    return [(item.kind, item.step) for item in reports(lab)]


# ---------------------------------------------------------------- holding


def test_training_stops_at_the_last_step_of_the_permit_with_a_reported_checkpoint(lab):
    trainer = gated(lab)
    with counted() as taken:
        trainer.train()
    assert len(taken) == trainer.state.global_step == 10
    assert (trainer.held.code, trainer.held.folder) == ("compute-spent", lab.out / "checkpoint-10")
    assert kinds(lab) == [("started", 0), ("held", 10)]
    assert reports(lab)[-1].digest == files_of(lab.out / "checkpoint-10").digest
    lab.do("permit", "report", lab.file_of)


def test_the_checkpoint_is_reported_when_nothing_comes_into_its_folder_any_more(lab):
    gated(lab, save_strategy="steps", save_steps=4).train()
    assert kinds(lab) == [("started", 0), ("checkpoint", 4), ("checkpoint", 8), ("held", 10)]
    for report in reports(lab)[1:]:
        assert files_of(lab.out / f"checkpoint-{report.step}").digest == report.digest
    names = {path.name for path in (lab.out / "checkpoint-10").iterdir()}
    assert {"model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"} <= names


def test_what_was_held_goes_on_to_the_end_under_a_permit_for_more(lab):
    gated(lab).train()
    renew(lab, 100)
    trainer = gated(lab, max_steps=30, save_strategy="steps", save_steps=1000)
    with counted() as taken:
        trainer.train(resume_from_checkpoint=True)
    assert (len(taken), trainer.held) == (20, None)
    assert kinds(lab)[2:] == [("started", 10), ("checkpoint", 30), ("ended", 30)]
    assert reports(lab)[-1].digest == files_of(lab.out / "checkpoint-30").digest


def test_a_run_that_ends_with_its_permit_has_ended_and_was_not_held(lab):
    trainer = gated(lab, max_steps=10)
    trainer.train()
    assert trainer.held is None
    assert kinds(lab)[-1] == ("ended", 10)
    assert reports(lab)[-1].digest == ""


def test_an_old_folder_in_the_place_of_the_last_checkpoint_is_not_reported_as_made_here(lab):
    stale = lab.out / "checkpoint-5"
    net(seed=1).save_pretrained(stale)
    gated(lab, max_steps=5).train()
    assert (kinds(lab)[-1], reports(lab)[-1].digest) == (("ended", 5), "")
    with counted() as taken, pytest.raises(PermitError, match="checkpoint-unknown"):
        gated(lab, model=loaded(stale), checkpoint=stale).train()
    assert not taken


def test_a_last_checkpoint_that_was_saved_without_telling_callbacks_is_reported_at_the_end(lab):
    def save(state, **_):
        if state.global_step == 5:
            trainer._save_checkpoint(trainer.model, None)

    trainer = gated(lab, step_of("on_step_end", save), max_steps=5)
    trainer.train()
    assert reports(lab)[-1].digest == files_of(lab.out / "checkpoint-5").digest


def test_the_exit_status_is_up_to_the_caller(lab):
    trainer = gated(lab)
    assert trainer.exit_if_held() is None
    trainer.train()
    with pytest.raises(SystemExit) as ended:
        trainer.exit_if_held()
    assert ended.value.code == 1


def test_a_crash_lets_go_of_the_permit_and_reports_no_end(lab):
    def crash(state, **_):
        if state.global_step == 3:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        gated(lab, step_of("on_step_begin", crash)).train()
    assert kinds(lab) == [("started", 0)]
    with counted() as taken:
        gated(lab).train()
    assert len(taken) == 10


def test_a_hold_at_the_end_of_an_epoch_leaves_one_checkpoint_as_it_was_reported(lab):
    trainer = gated(lab, train_dataset=data(20), save_strategy="epoch")
    trainer.train()
    assert trainer.state.epoch == 1
    assert kinds(lab) == [("started", 0), ("held", 10)]
    assert reports(lab)[-1].digest == files_of(lab.out / "checkpoint-10").digest


# The largest loss is called the best here, which is not the one of the last step.
BEST = {"eval_strategy": "steps", "metric_for_best_model": "loss", "greater_is_better": True, "eval_dataset": data(4)}


def test_neither_rotation_nor_the_best_model_takes_the_held_checkpoint_away(lab):
    trainer = gated(
        lab, save_strategy="steps", save_steps=2, eval_steps=2, save_total_limit=1, load_best_model_at_end=True, **BEST
    )
    trainer.train()
    held = trainer.held.folder
    best = Path(trainer.state.best_model_checkpoint)
    assert best.exists()
    assert best != held
    assert reports(lab)[-1].digest == files_of(held).digest
    trainer.save_model(lab.folder / "memory")
    assert same(lab.folder / "memory", held)


def test_a_strategy_that_saves_only_the_best_model_still_saves_the_held_one(lab):
    trainer = gated(lab, save_strategy="best", eval_steps=1, **BEST)
    trainer.train()
    assert trainer.state.best_global_step < 10
    assert trainer.held.folder == lab.out / "checkpoint-10"
    assert reports(lab)[-1].digest == files_of(trainer.held.folder).digest


# ---------------------------------------------------------------- what a step costs


def test_the_plan_is_derived_from_the_model_and_what_is_fed_to_it(lab):
    expected = Step(2, LENGTH, accumulation=4)
    each = step_flop(shape_of(net()), expected)
    lab.file_of = lab.permit("tiny", 3 * each + each // 2, job="job-2")
    trainer = gated(lab, plan=None, gradient_accumulation_steps=4)
    with counted() as taken:
        trainer.train()
    assert trainer.gate.terms.plan.flop == each
    assert trainer.gate.terms.plan.tokens == 2 * LENGTH * 4
    assert len(taken) == 3
    assert reports(lab)[-1].flop == 3 * each


def test_recomputation_is_counted(tmp_path):
    once = plan_of(net(), arguments(tmp_path), LENGTH)
    twice = plan_of(net(), arguments(tmp_path, activation_checkpointing=True), LENGTH)
    assert once.flop < twice.flop < 2 * once.flop
    model = net()
    model.activation_checkpointing_enable()
    assert plan_of(model, arguments(tmp_path), LENGTH) == twice


def test_a_model_whose_cost_nobody_can_say_needs_a_plan(tmp_path):
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix = torch.nn.Parameter(torch.ones(4, 4))

    with pytest.raises(PermitError, match="plan-unknown"):
        plan_of(Odd(), arguments(tmp_path), LENGTH)


def test_the_length_is_that_of_the_first_item_or_has_to_be_said():
    assert length_of([{"input_ids": [1, 2, 3], "labels": [1, 2, 3, 4]}]) == 4
    with pytest.raises(PermitError, match="plan-unknown"):
        length_of(iter([{"input_ids": [1]}]))


# ---------------------------------------------------------------- other trainers


class Other(transformers.Trainer):
    """A trainer of somebody else's, with a loss and files of its own."""

    def __init__(self, model, args, *, extra, **more):
        super().__init__(model, args, **more)
        self.extra = extra

    def compute_loss(self, model, inputs, return_outputs=False, **more):  # noqa: FBT002 - the Trainer's
        return self.extra * super().compute_loss(model, inputs, return_outputs, **more)

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        Path(self.args.output_dir, f"checkpoint-{self.state.global_step}", "README.md").write_text("a card")


class GatedOther(GatedTrainer, Other):
    """It, under a permit."""


def test_somebody_elses_trainer_is_gated_by_inheriting_from_both(lab):
    trainer = GatedOther(
        loaded(lab.model_folder), arguments(lab.out), train_dataset=data(), extra=2.0, permit=lab.file_of,
        checkpoint=lab.model_folder, trust=lab.trust, around=lab.around(), plan=plan(),
    )  # fmt: skip
    with counted() as taken:
        trainer.train()
    assert len(taken) == 10
    assert (trainer.held.folder / "README.md").exists()
    assert reports(lab)[-1].digest == files_of(trainer.held.folder).digest


def callback_of(lab, checkpoint=None, **more):
    return ScalegateCallback(
        Terms(
            lab.file_of,
            checkpoint or lab.model_folder,
            trust=lab.trust,
            around=lab.around(),
            **{"plan": plan(), **more},
        )
    )


def test_the_callback_alone_holds_a_plain_trainer_with_public_hooks(lab):
    gate = callback_of(lab)
    with counted() as taken:
        plain(lab.out, loaded(lab.model_folder), gate).train()
    assert len(taken) == 10
    assert gate.held.folder == lab.out / "checkpoint-10"
    renew(lab, 15)
    with counted() as taken:
        plain(lab.out, loaded(lab.model_folder), callback_of(lab, gate.held.folder)).train(str(gate.held.folder))
    assert len(taken) == 5


@pytest.mark.parametrize("flags", [("should_training_stop",), ("should_training_stop", "should_save")])
def test_the_callback_alone_ends_by_an_exception_where_a_later_callback_undoes_its_flags(lab, flags):
    def undo(control, **_):
        for flag in flags:
            setattr(control, flag, False)

    gate = callback_of(lab)
    trainer = plain(lab.out, loaded(lab.model_folder), gate, step_of("on_step_end", undo))
    with counted() as taken, pytest.raises(HeldError, match="compute-spent"):
        trainer.train()
    gate.close()
    assert len(taken) == 10
    saved = files_of(lab.out / "checkpoint-10").digest if len(flags) == 1 else ""
    assert (kinds(lab)[-1], reports(lab)[-1].digest) == (("held", 10), saved)


def test_the_callback_alone_has_to_be_told_what_a_step_costs(lab):
    with counted() as taken, pytest.raises(PermitError, match="plan-unknown"):
        plain(lab.out, loaded(lab.model_folder), callback_of(lab, plan=None)).train()
    assert not taken
    with counted() as taken:
        plain(lab.out, loaded(lab.model_folder), callback_of(lab, plan=None, length=LENGTH)).train()
    assert len(taken) == 10 * FLOP // step_flop(shape_of(net()), Step(2, LENGTH))
