"""Every way known to us in which a Trainer trained on beyond a stop: none takes a step that the permit does not cover.

Real optimizer steps are counted, by a hook of torch that is not the gate's.
"""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
pytest.importorskip("transformers", reason="needs the extra `transformers`")
pytest.importorskip("accelerate", reason="needs the extra `transformers`")
pytestmark = pytest.mark.extra

from accelerate.optimizer import AcceleratedOptimizer  # noqa: E402
from transformers import TrainerCallback  # noqa: E402

from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.transformers import ScalegateCallback  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.gated import (  # noqa: E402
    FLOP,
    counted,
    data,
    declared,
    gated,
    is_reported,
    loaded,
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


class Late(TrainerCallback):
    """Puts itself behind the gate time and again, and undoes flags there."""

    def __init__(self, *flags):
        self.flags, self.trainer = flags, None

    def undo(self, _args, _state, control, **_more):
        handler = self.trainer.callback_handler
        handler.callbacks = [*(item for item in handler.callbacks if item is not self), self]
        for flag in self.flags:
            setattr(control, flag, False)

    on_step_begin = on_step_end = on_epoch_end = undo


def late(lab, *flags, **more):
    callback = Late(*flags)
    callback.trainer = gated(lab, callback, **more)
    return callback.trainer


# ---------------------------------------------------------------- other callbacks


def test_a_callback_that_clears_the_stop_flag_in_its_own_place_changes_nothing(lab):
    trainer = gated(lab)
    trainer.add_callback(step_of("on_step_end", lambda control, **_: setattr(control, "should_training_stop", False)))
    assert isinstance(trainer.callback_handler.callbacks[-1], ScalegateCallback)
    assert outcome(trainer) == ("held", "compute-spent", 10)


def test_a_callback_that_comes_in_late_once_stands_before_the_gate_at_the_boundary(lab):
    def undo(control, **_):
        control.should_training_stop = False

    def come(**_):
        trainer.callback_handler.callbacks.append(step_of("on_step_end", undo))

    trainer = gated(lab, step_of("on_train_begin", come))
    assert outcome(trainer) == ("held", "compute-spent", 10)


def test_later_callback_clears_should_training_stop(lab):
    passes = []
    model = loaded(lab.model_folder)
    model.register_forward_hook(lambda *_: passes.append(1))
    assert outcome(late(lab, "should_training_stop", model=model)) == ("raised", "compute-spent", 10)
    assert is_reported(lab, lab.out / "checkpoint-10")
    assert len(passes) == 10


@pytest.mark.parametrize("size", [64, 20], ids=["within-an-epoch", "at-its-end"])
def test_later_callback_clears_should_save_too(lab, size):
    more = {"train_dataset": data(size), "max_steps": 25}
    assert outcome(late(lab, "should_training_stop", "should_save", **more)) == ("raised", "compute-spent", 10)
    folder = lab.out / "checkpoint-10"
    assert is_reported(lab, folder)
    renew(lab, 100)
    trainer = gated(lab, **more)
    trainer.train(resume_from_checkpoint=str(folder))
    whole = plain(lab.folder / "whole", loaded(lab.model_folder), **more)
    whole.train()
    whole.save_model(lab.folder / "whole-end")
    trainer.save_model(lab.folder / "end")
    assert same(lab.folder / "whole-end", lab.folder / "end")


def test_later_callback_clears_should_save_alone(lab):
    assert outcome(late(lab, "should_save")) == ("held", "compute-spent", 10)
    assert is_reported(lab, lab.out / "checkpoint-10")


@pytest.mark.parametrize("way", ["remove_callback", "pop_callback"])
@pytest.mark.parametrize("what", ["gate", "class"])
def test_callback_removed_through_the_trainer(lab, way, what):
    trainer = gated(lab)
    with pytest.raises(PermitError, match="gate-removed"):
        getattr(trainer, way)(trainer.gate if what == "gate" else ScalegateCallback)
    assert outcome(trainer) == ("held", "compute-spent", 10)


def test_callbacks_removed_one_by_one_leave_the_gate(lab):
    trainer = gated(lab)
    for _ in trainer.callback_handler.callbacks[1:]:
        trainer.pop_callback(TrainerCallback)
    with pytest.raises(PermitError, match="gate-removed"):
        trainer.pop_callback(TrainerCallback)
    assert trainer.callback_handler.callbacks == [trainer.gate]
    with counted() as taken:
        trainer.train()
    assert len(taken) == 10


@pytest.mark.parametrize("event", ["on_train_begin", "on_step_begin"])
def test_callback_removed_from_the_list_behind_the_trainers_back(lab, event):
    def cut(**_):
        if trainer.gate in trainer.callback_handler.callbacks:
            trainer.callback_handler.callbacks.remove(trainer.gate)

    trainer = gated(lab, step_of(event, cut))
    if event == "on_train_begin":
        assert outcome(trainer) == ("raised", "not-begun", 0)
    else:
        assert outcome(trainer) == ("raised", "compute-spent", 10)
        assert is_reported(lab, lab.out / "checkpoint-10")
        assert trainer.held.folder == lab.out / "checkpoint-10"


def test_stop_flag_set_at_train_begin_takes_no_step_beyond(lab):
    assert outcome(gated(lab)) == ("held", "compute-spent", 10)
    stop = step_of("on_train_begin", lambda control, **_: setattr(control, "should_training_stop", True))
    assert outcome(gated(lab, stop), True) == ("raised", "compute-spent", 0)


@pytest.mark.parametrize(("event", "how"), [("on_train_begin", "refused"), ("on_step_begin", "raised")])
def test_weights_swapped_after_hashing(lab, event, how):
    def swap(model, **_):
        with torch.no_grad():
            model.transformer.wte.weight[0, 0] += 1

    assert outcome(gated(lab, step_of(event, swap))) == (how, "weights-swapped", 0)
    assert not [item for item in reports(lab) if item.kind == "held" and item.digest]


@pytest.mark.parametrize("whose", ["own-weights", "other-weights"])
def test_second_optimizer_created_by_a_callback(lab, whose):
    other = torch.nn.Linear(2, 2)

    def step(model, **_):
        parameters = (model if whose == "own-weights" else other).parameters()
        optimizer = torch.optim.SGD(parameters, lr=1e-3)
        for group in optimizer.param_groups:
            for item in group["params"]:
                item.grad = torch.ones_like(item)
        optimizer.step()

    trainer = gated(lab, step_of("on_step_end", step))
    if whose == "own-weights":
        assert outcome(trainer) == ("held", "compute-spent", 10)
        assert trainer.state.global_step == 5
    else:
        assert outcome(trainer) == ("raised", "other-weights", 1)


def test_a_step_after_training_ended_is_refused_while_train_has_not_returned(lab):
    late = Late()
    late.on_train_end = lambda *_, optimizer, **_more: optimizer.step()
    trainer = late.trainer = gated(lab, late, max_steps=5)
    with counted() as taken, pytest.raises(HeldError, match="not-begun"):
        trainer.train()
    assert len(taken) == 5


# ---------------------------------------------------------------- counting


def test_stale_total_flos_does_not_matter(lab):
    seen = []
    trainer = gated(lab, step_of("on_step_end", lambda state, **_: seen.append(state.total_flos)))
    assert outcome(trainer) == ("held", "compute-spent", 10)
    assert seen == [0] * 10


class Bare(torch.nn.Module):
    """No model of transformers: the Trainer counts no operations for it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.out = torch.nn.Embedding(32, 16), torch.nn.Linear(16, 32)

    def forward(self, input_ids, labels):
        given = self.out(self.table(input_ids))
        return {"loss": torch.nn.functional.cross_entropy(given.flatten(0, 1), labels.flatten())}


def test_plain_module_whose_total_flos_stays_zero(lab):
    folder = lab.folder / "bare"
    folder.mkdir()
    model = Bare()
    torch.save(model.state_dict(), folder / "weights.pt")
    lab.declare("bare", folder)
    file = lab.permit("bare", 10 * FLOP, job="job-2")
    trainer = gated(lab, model=model, permit=file, checkpoint=folder)
    assert outcome(trainer) == ("held", "compute-spent", 10)
    assert trainer.state.total_flos == 0
    assert trainer.held.folder == lab.out / "checkpoint-10"


def test_gradient_accumulation_counts_steps_of_the_optimizer(lab):
    passes = []
    model = loaded(lab.model_folder)
    model.register_forward_hook(lambda *_: passes.append(1))
    assert outcome(gated(lab, model=model, gradient_accumulation_steps=4)) == ("held", "compute-spent", 10)
    assert len(passes) == 40


def test_optimizer_wrapped_by_accelerate(lab):
    trainer = gated(lab)
    assert outcome(trainer) == ("held", "compute-spent", 10)
    assert isinstance(trainer.optimizer, AcceleratedOptimizer)


def test_larger_batches_than_planned(lab):
    assert outcome(gated(lab, train_dataset=data(length=16))) == ("held", "compute-spent", 2)
    assert is_reported(lab, lab.out / "checkpoint-2")
    assert reports(lab)[-1].flop == 2 * (4 * FLOP + 1)


def test_one_batch_larger_than_all_before(lab):
    trainer = gated(lab)
    collate, made = trainer.data_collator, []

    def grow(rows):
        made.append(1)
        double = len(made) == 9
        return collate([{name: row * 2 if double else row for name, row in item.items()} for item in rows])

    trainer.data_collator = grow
    assert outcome(trainer) == ("raised", "compute-spent", 8)
    assert is_reported(lab, lab.out / "checkpoint-8")
    renew(lab, 15)
    assert outcome(gated(lab), True) == ("held", "compute-spent", 7)


def test_global_step_set_back_in_memory(lab):
    trainer = gated(lab, step_of("on_step_end", lambda state, **_: setattr(state, "global_step", 0)))
    assert outcome(trainer) == ("held", "compute-spent", 10)
    assert reports(lab)[-1].step == 10


def test_trials_of_a_search_share_no_permit(lab):
    with counted() as taken, pytest.raises(PermitError, match="trials-many"):
        gated(lab).train(trial={"lr": 1})
    assert not taken
