"""Tiny modules, data and trainers of Lightning for the tests of permits."""

import logging
import random
import warnings

import lightning.pytorch as pl
import torch

from scalegate.enforce.boundary import Plan
from scalegate.integrations.lightning import ResumableLoader, ScalegateCallback

FLOP = 1_000_000
ITEMS = 40
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Data(torch.utils.data.Dataset):
    """Items whose every reading is random, as augmented ones are."""

    def __init__(self, noise=0.1):
        self.noise = noise

    def __len__(self):
        return ITEMS

    def __getitem__(self, item):
        values = torch.arange(4.0) * (item + 1) / ITEMS + self.noise * torch.randn(4)
        return values + self.noise * random.random(), torch.tensor([float(item % 3)])


class Small(pl.LightningModule):
    """One optimizer, dropout, and a schedule."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1)
        )

    def forward(self, values):
        return self.net(values)

    def training_step(self, batch, _index):
        values, target = batch
        return ((self(values) - target) ** 2).mean()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Two(Small):
    """Two optimizers, stepped by hand, both in every batch."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, _index):
        first, second = self.optimizers()
        values, target = batch
        for optimizer in (first, second):
            loss = ((self(values) - target) ** 2).mean()
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()

    def configure_optimizers(self):
        return [torch.optim.SGD(part.parameters(), lr=0.01) for part in (self.net[0], self.net[3])]


class Hook(pl.Callback):
    """Does something at one of the hooks."""

    def __init__(self, **hooks):
        for name, act in hooks.items():
            setattr(self, name, act)


def asking(step):
    """A callback that asks for a hold while the batch of a step is trained."""

    def ask(trainer, *_others):
        gate = next(item for item in trainer.callbacks if isinstance(item, ScalegateCallback))
        if gate.session.keeper.step == step - 1:
            gate.session.ask("somebody wants to look at it")

    return Hook(on_train_batch_start=ask)


def module(kind=Small, seed=0):
    """A module whose initial weights are a function of the seed."""
    torch.manual_seed(seed)
    return kind()


def loader(noise=0.1, batch=2):
    return ResumableLoader(Data(noise), batch, seed=5)


def gate(lab, **more):
    """The callback under test, on the permit of a lab."""
    around = lab.around(**more.pop("around", {}))
    return ScalegateCallback(
        more.pop("permit", lab.file_of), more.pop("checkpoint", lab.model_folder), more.pop("plan", Plan(FLOP)),
        folder=lab.folder / "held", trust=lab.trust, around=around, **more,
    )  # fmt: skip


def fit(net, data, *callbacks, seed=1, ckpt_path=None, **options):
    """Train on the CPU and return the trainer; the generators begin at a seed."""
    options = {"max_steps": 90, "devices": 1, "enable_checkpointing": False, **options}
    with warnings.catch_warnings():
        # Lightning warns about few workers, short epochs and eval modes, none of which is about permits.
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
            callbacks=list(callbacks), **options,
        )  # fmt: skip
        random.seed(seed)
        torch.manual_seed(seed)
        trainer.fit(net, data, ckpt_path=ckpt_path)
    return trainer


def weights(net):
    return {name: item.clone() for name, item in net.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
