"""What workers of Ray Train run in the tests; imported by them, so that nothing of a test has to be sent."""

from pathlib import Path

import torch
from ray.train.torch import prepare_model

from scalegate.enforce.boundary import Plan
from scalegate.integrations.around import Around
from scalegate.integrations.ray import gated_in_worker, hold_and_report

FLOP = 1_000_000


def read(checkpoint):
    model = torch.nn.Linear(4, 4)
    model.load_state_dict(torch.load(Path(checkpoint) / "weights.pt", weights_only=True))
    return model


def work(config):
    """Train until the permit ends, or up to so many steps; every worker says how many it took."""
    torch.set_num_threads(1)
    own = read(config["checkpoint"])
    model = prepare_model(own)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    around = Around(host="test-host", tell=lambda _text: None)
    taken = 0
    with gated_in_worker(
        model, config["permit"], config["checkpoint"], Plan(FLOP), trust=config["trust"], around=around
    ) as run:
        rank = run.session.keeper.rank
        for _ in range(config["steps"]):
            optimizer.zero_grad()
            model(torch.full((2, 4), float(rank + 1))).sum().backward()
            optimizer.step()
            taken += 1
            if run.stop:
                hold_and_report(run, lambda to: torch.save(own.state_dict(), to / "weights.pt"), config["held"])
                break
    Path(f"{config['held']}.rank{rank}").write_text(f"{taken} {run.session.code}")
