"""Lightning under a permit: not one optimizer step beyond it, and resumptions that are exact to the bit."""

import random
import shutil

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `lightning`")
pytest.importorskip("lightning.pytorch", reason="needs the extra `lightning`")
pytestmark = pytest.mark.extra

from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: E402

from scalegate.enforce.boundary import Plan  # noqa: E402
from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.lightning import ResumableLoader  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.lightened import (  # noqa: E402
    FLOP,
    Data,
    Hook,
    Small,
    Two,
    asking,
    fit,
    gate,
    loader,
    module,
    same,
    weights,
)
from tests.integrations.ranked import finish, start  # noqa: E402

BOUNDARIES = 52


@pytest.fixture
def steps():
    """Every optimizer step of the process, counted by torch itself."""
    taken = []
    hook = register_optimizer_step_post_hook(lambda *_all: taken.append(1))
    yield taken
    hook.remove()


def declared(lab, kind=Small, to=10):
    """Declare initial weights, and have a permit of some steps for them."""
    lab.model_folder = lab.folder / "tiny"
    lab.model_folder.mkdir()
    torch.save(module(kind).state_dict(), lab.model_folder / "weights.pt")
    lab.declare("tiny", lab.model_folder)
    lab.file_of = lab.permit("tiny", to * FLOP)
    return lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    return make_lab(tmp_path, monkeypatch)


@pytest.fixture
def ten(lab):
    return declared(lab)


def test_a_trainer_stops_at_the_last_step_and_leaves_a_checkpoint_in_the_log(ten, steps):
    found = gate(ten)
    trainer = fit(module(), loader(), found)
    assert (len(steps), trainer.global_step, found.code) == (10, 10, "compute-spent")
    assert found.held == ten.folder / "held" / "step-10.ckpt"
    assert found.session is None
    ten.do("permit", "report", ten.file_of)
    assert ten.kinds()[-2:] == ["JobReported", "JobReported"]
    held = ten.history().entries[-1].event
    assert (held.kind, held.cause, held.step, held.flop) == ("held", "compute-spent", 10, 10 * FLOP)
    assert "inexact" not in held.words


def test_what_was_held_goes_on_exactly_with_a_permit_that_follows(ten, steps):
    whole = module()
    fit(whole, loader(), max_steps=25)
    found = gate(ten)
    fit(module(), loader(), found)
    steps.clear()
    further = ten.permit("tiny", 25 * FLOP, name="more.permit", follows=ten.file_of)
    net, more = module(seed=9), gate(ten, permit=further)
    fit(net, loader(), more, ckpt_path=found.held, seed=77)
    assert len(steps) == 15
    assert more.inexact == ""
    assert same(weights(net), weights(whole))


@pytest.mark.slow
@pytest.mark.parametrize(("accumulate", "batch"), [(1, 2), (3, 2), (1, 7)])
def test_every_resumption_gives_the_bits_of_an_uninterrupted_run(lab, accumulate, batch):
    declared(lab, to=200)
    options = {"max_steps": 60, "accumulate_grad_batches": accumulate}
    whole = module()
    fit(whole, loader(batch=batch), **options)
    draw = random.Random(accumulate * 10 + batch)
    boundaries = draw.sample(range(1, 60), 18)
    for boundary in boundaries:
        first = gate(lab)
        fit(module(), loader(batch=batch), first, asking(boundary), **options)
        net, second = module(seed=boundary), gate(lab)
        trainer = fit(net, loader(batch=batch), second, ckpt_path=first.held, seed=boundary, **options)
        assert trainer.global_step == 60
        assert (first.code, second.code, second.inexact) == ("asked", "", "")
        assert same(weights(net), weights(whole)), boundary
    assert 3 * len(boundaries) >= BOUNDARIES


def test_validation_between_two_steps_does_not_shift_what_a_resumption_draws(lab):
    declared(lab, to=60)

    class Validated(Small):
        def validation_step(self, batch, _index):
            torch.rand(3)
            return self(batch[0]).mean()

        def val_dataloader(self):
            return torch.utils.data.DataLoader(Data(), 8, shuffle=True)

    for boundary in (20, 25, 40):
        whole, net = module(Validated), module(Validated, seed=3)
        options = {"max_steps": 45, "val_check_interval": 5}
        fit(whole, loader(), gate(lab), **options)
        first = gate(lab)
        fit(module(Validated), loader(), first, asking(boundary), **options)
        fit(net, loader(), gate(lab), ckpt_path=first.held, seed=4, **options)
        assert same(weights(net), weights(whole))


@pytest.mark.slow
def test_two_ranks_of_lightning_are_held_together_and_go_on_exactly(lab):
    declared(lab, to=50)
    first, second = finish(lab, start(lab, lightning=True))
    assert (first["steps"], second["steps"]) == (7, 7)
    assert first["code"] == second["code"] == "asked"
    assert first["held"] == second["held"]
    assert first["weights"] == second["weights"] == first["whole"]
    assert (first["inexact"], second["inexact"]) == ("", "")


# ---------------------------------------------------------------- what Lightning would let through


@pytest.mark.parametrize("minimum", [{"min_steps": 90}, {"min_epochs": 2}])
def test_a_minimum_beyond_the_permit_ends_in_an_error_after_saving(ten, steps, minimum):
    found = gate(ten)
    with pytest.raises(HeldError, match="compute-spent"):
        fit(module(), loader(), found, **minimum)
    assert len(steps) == 10
    assert found.held.exists()
    assert any("must take" in told for told in ten.told)


def test_a_later_callback_that_withdraws_the_stop_meets_the_guard(ten, steps):
    def withdraw(trainer, *_others):
        trainer.should_stop = False

    found = gate(ten)
    with pytest.raises(HeldError, match="compute-spent"):
        fit(module(), loader(), found, Hook(on_train_batch_end=withdraw))
    assert len(steps) == 10
    assert found.held.exists()


def test_a_hold_that_was_asked_for_cannot_be_withdrawn_either(lab, steps):
    declared(lab, to=50)

    def withdraw(trainer, *_others):
        trainer.should_stop = False

    with pytest.raises(HeldError, match="asked"):
        fit(module(), loader(), gate(lab), asking(4), Hook(on_train_batch_end=withdraw))
    assert len(steps) == 4


def test_a_stop_before_the_first_step_takes_none(ten, steps):
    def stop(trainer, *_others):
        trainer.should_stop = True

    net = module()
    before = weights(net)
    fit(net, loader(), gate(ten), Hook(on_train_start=stop))
    assert not steps
    assert same(weights(net), before)


def test_what_a_resumption_without_the_callback_made_is_unknown_to_the_next_one(ten, steps):
    found = gate(ten)
    fit(module(), loader(), found)
    trainer = fit(module(), loader(), ckpt_path=found.held, max_steps=20)
    trainer.save_checkpoint(ten.folder / "escaped.ckpt")
    steps.clear()
    further = ten.permit("tiny", 40 * FLOP, name="more.permit", follows=ten.file_of)
    with pytest.raises(PermitError, match="checkpoint-unknown"):
        fit(module(), loader(), gate(ten, permit=further), ckpt_path=ten.folder / "escaped.ckpt")
    assert not steps


@pytest.mark.parametrize("permit", [None, "nowhere.permit"])
def test_without_a_permit_nothing_begins(ten, steps, permit):
    with pytest.raises(PermitError, match="permit-missing"):
        fit(module(), loader(), gate(ten, permit=permit))
    assert not steps


def test_after_the_end_of_a_permit_nothing_begins(ten, steps):
    late = ten.history().entries[-1].event.expires + 1
    clock = type(ten.around().clock(0))
    with pytest.raises(PermitError, match="permit-expired"):
        fit(module(), loader(), gate(ten, around={"clock": lambda floor: clock(max(floor, late))}))
    assert not steps


def test_a_permit_that_ends_while_training_runs_is_held_with_a_checkpoint(lab, steps):
    declared(lab, to=500)
    end = lab.history().entries[-1].event.expires
    clock = type(lab.around().clock(0))
    found = gate(lab, around={"clock": lambda floor: clock(max(floor, end - 7))})
    slow = Hook(on_train_batch_start=lambda *_all: __import__("time").sleep(0.1))
    fit(module(), loader(), found, slow)
    assert found.code == "permit-ending"
    assert found.held.exists()
    assert 0 < len(steps) < 90


def test_two_optimizers_count_a_step_each_and_a_batch_is_taken_whole(lab, steps):
    declared(lab, Two, to=11)
    found = gate(lab)
    trainer = fit(module(Two), loader(), found)
    assert (len(steps), trainer.global_step, found.code) == (10, 10, "compute-spent")
    assert found.held.exists()


def test_an_optimizer_that_the_trainer_does_not_know_of_is_counted(ten, steps):
    class Sly(Two):
        def training_step(self, batch, index):
            super().training_step(batch, index)
            for item in self.optimizers():
                item.optimizer.step()

    found = gate(ten)
    fit(module(Sly), loader(), found)
    assert len(steps) == 8
    assert found.code == "compute-spent"


def test_an_optimizer_of_other_weights_is_refused(ten, steps):
    class Other(Small):
        def training_step(self, batch, index):
            other = torch.nn.Linear(4, 1)
            other(batch[0]).sum().backward()
            torch.optim.SGD(other.parameters(), lr=0.1).step()
            return super().training_step(batch, index)

    with pytest.raises(HeldError, match="other-weights"):
        fit(module(Other), loader(), gate(ten))
    assert not steps


def test_accumulated_batches_are_one_step(ten, steps):
    found = gate(ten)
    trainer = fit(module(), loader(), found, accumulate_grad_batches=3)
    assert (len(steps), trainer.global_step) == (10, 10)
    assert found.held.exists()


@pytest.mark.parametrize("when", ["on_fit_start", "on_train_start"])
def test_weights_that_are_exchanged_before_the_first_step_are_refused(ten, steps, when):
    def exchange(_trainer, net):
        net.load_state_dict(module(seed=8).state_dict())

    with pytest.raises((PermitError, HeldError), match="weights-swapped"):
        fit(module(), loader(), gate(ten), Hook(**{when: exchange}))
    assert not steps


def test_another_checkpoint_under_the_name_of_the_held_one_is_refused(ten, steps):
    found = gate(ten)
    fit(module(), loader(), found)
    trainer = fit(module(seed=6), loader(), max_steps=3)
    trainer.save_checkpoint(found.held)
    steps.clear()
    further = ten.permit("tiny", 40 * FLOP, name="more.permit", follows=ten.file_of)
    with pytest.raises(PermitError, match="checkpoint-unknown"):
        fit(module(), loader(), gate(ten, permit=further), ckpt_path=found.held)
    assert not steps


def test_more_tokens_than_planned_leave_fewer_steps(ten, steps):
    found = gate(ten, plan=Plan(FLOP, tokens=4))
    fit(module(), loader(batch=2), found)
    assert len(steps) == 2
    assert found.held.exists()


# ---------------------------------------------------------------- what a checkpoint is good for


def test_a_loader_without_a_state_is_said_to_be_inexact(ten):
    data = torch.utils.data.DataLoader(Data(), 2, shuffle=True)
    first = gate(ten)
    fit(module(), data, first)
    assert "DataLoader" in first.inexact
    further = ten.permit("tiny", 20 * FLOP, name="more.permit", follows=ten.file_of)
    second = gate(ten, permit=further)
    fit(module(), data, second, ckpt_path=first.held)
    ten.do("permit", "report", further)
    told = [(event.kind, event.cause, event.words) for event in (item.event for item in ten.history().entries)
            if type(event).__name__ == "JobReported"]  # fmt: skip
    assert [kind for kind, _, _ in told] == ["started", "held", "started", "resumption", "held"]
    assert "inexact" in told[1][2]
    assert told[3][1] == "resumption-inexact"


def test_a_checkpoint_of_another_callback_can_be_gone_on_with_after_a_crash(lab, steps):
    import lightning.pytorch as pl  # noqa: PLC0415 - imported once the skip above was decided

    declared(lab, to=50)
    saver = pl.callbacks.ModelCheckpoint(lab.folder / "own", every_n_train_steps=6, save_top_k=-1)

    def crash(_trainer, *_others):
        if len(steps) == 14:
            raise OSError("the machine is gone")

    with pytest.raises(OSError, match="gone"):
        fit(module(), loader(), gate(lab), saver, Hook(on_train_batch_end=crash), enable_checkpointing=True)
    whole, net = module(), module(seed=2)
    fit(whole, loader(), max_steps=30)
    again = gate(lab)
    fit(net, loader(), again, ckpt_path=saver.best_model_path, max_steps=30, seed=6)
    assert again.inexact == ""
    assert same(weights(net), weights(whole))


def test_the_checkpoint_of_a_hold_is_read_without_running_code(ten):
    found = gate(ten)
    fit(module(), loader(), found)
    state = torch.load(found.held, weights_only=True)
    (own,) = state["callbacks"]["ScalegateCallback"]["generators"]
    assert set(own) == {"python", "numpy", "torch", "cuda"}


def test_a_run_that_ends_as_planned_reports_what_it_ended_with(ten, steps):
    found = gate(ten)
    fit(module(), loader(), found, max_steps=6)
    ten.do("permit", "report", ten.file_of)
    ended = ten.history().entries[-1].event
    assert (ended.kind, ended.step, len(steps)) == ("ended", 6, 6)
    assert ended.digest
    assert found.held is None


def test_two_trainers_on_one_permit_are_one_too_many(ten, steps):
    first = gate(ten)

    def another(_trainer, _net):
        with pytest.raises(PermitError, match="permit-in-use"):
            fit(module(), loader(), gate(ten))

    fit(module(), loader(), first, Hook(on_train_start=another))
    assert len(steps) == 10


def test_a_copied_permit_without_its_key_is_refused(ten, steps):
    copied = ten.folder / "copy"
    copied.mkdir()
    shutil.copy2(ten.file_of, copied)
    with pytest.raises(PermitError, match="job-key"):
        fit(module(), loader(), gate(ten, permit=copied / ten.file_of.name))
    assert not steps


def test_a_position_in_other_batches_is_refused():
    with pytest.raises(ValueError, match="seed 4"):
        ResumableLoader(Data(), 2, seed=5).load_state_dict(ResumableLoader(Data(), 2, seed=4).state_dict())


def test_ranks_share_the_items_of_an_epoch():
    parts = [ResumableLoader(range(11), 2, seed=1, rank=rank, ranks=2) for rank in (0, 1)]
    seen = [item for part in parts for batch in part for item in batch.tolist()]
    assert len(seen) == len(set(seen)) == 10
    again = [item for part in parts for batch in part for item in batch.tolist()]
    assert again != seen
