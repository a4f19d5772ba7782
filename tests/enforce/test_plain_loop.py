"""A plain loop in torch under a permit: not one optimizer step beyond it, whatever else happens."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
pytestmark = pytest.mark.extra

from scalegate.enforce.boundary import Plan  # noqa: E402
from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.torch import gated  # noqa: E402

FLOP = 1_000_000


def model_in(folder, seed=0):
    """A small model, and the folder it is saved in."""
    torch.manual_seed(seed)
    model = torch.nn.Linear(4, 4)
    folder.mkdir()
    torch.save(model.state_dict(), folder / "weights.pt")
    return model


def write(model):
    return lambda folder: torch.save(model.state_dict(), folder / "weights.pt")


@pytest.fixture
def tiny(lab):
    """A lab with a declared model, and a permit of ten steps for it."""
    lab.model_folder = lab.folder / "tiny"
    lab.net = model_in(lab.model_folder)
    lab.declare("tiny", lab.model_folder)
    lab.file_of = lab.permit("tiny", 10 * FLOP)
    return lab


def steps(model, run, count, optimizer=None):
    """Take up to so many steps; how many were taken."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    taken = 0
    for _ in range(count):
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        taken += 1
        if run.stop:
            break
    return taken


def loop(lab, checkpoint=None, **more):
    return gated(
        lab.net, more.pop("file", lab.file_of), checkpoint or lab.model_folder, Plan(FLOP),
        trust=lab.trust, around=lab.around(**more)
    )  # fmt: skip


def test_a_loop_that_asks_stops_at_the_last_step_and_leaves_a_checkpoint(tiny):
    with loop(tiny) as run:
        taken = steps(tiny.net, run, 50)
        run.hold(write(tiny.net), tiny.folder / "held")
    assert taken == 10
    assert run.session.code == "compute-spent"
    assert (tiny.folder / "held" / "weights.pt").exists()
    tiny.do("permit", "report", tiny.file_of)
    assert tiny.kinds()[-2:] == ["JobReported", "JobReported"]


def test_a_loop_that_never_asks_is_stopped_before_the_eleventh_step(tiny):
    before = []

    def train():
        optimizer = torch.optim.SGD(tiny.net.parameters(), lr=0.1)
        for _ in range(50):
            tiny.net(torch.ones(2, 4)).sum().backward()
            optimizer.step()
            before.append(tiny.net.weight.clone())

    with pytest.raises(HeldError, match="compute-spent"), loop(tiny):
        train()
    assert len(before) == 10
    assert torch.equal(tiny.net.weight, before[-1])


def test_what_was_held_goes_on_with_a_permit_for_it(tiny):
    with loop(tiny) as run:
        steps(tiny.net, run, 50)
        run.hold(write(tiny.net), tiny.folder / "held")
    further = tiny.permit("tiny", 15 * FLOP, name="more.permit", follows=tiny.file_of)
    with loop(tiny, tiny.folder / "held", file=further) as run:
        assert run.session.keeper.step == 10
        assert steps(tiny.net, run, 50) == 5


def test_without_a_permit_nothing_begins(tiny):
    with pytest.raises(PermitError, match="permit-missing"), loop(tiny, file=None):
        steps(tiny.net, None, 1)


def test_a_loop_that_never_asks_hears_of_a_revocation(tiny):
    """Pulses are looked for once in a second, by the guard itself where the loop does not ask."""
    pulse = tiny.folder / "pulse"
    long = tiny.permit("tiny", 100_000 * FLOP, job="job-2")
    tiny.do("permit", "pulse", long, "--out", pulse)
    taken = []

    def train(run):
        optimizer = torch.optim.SGD(tiny.net.parameters(), lr=0.1)
        for step in range(100_000):
            if step == 50:
                tiny.stop()
                assert tiny.run("permit", "pulse", long, "--out", pulse).code == 1
                run.session.keeper.pulses.look()
                run.session.keeper._checked = 0.0
            tiny.net(torch.ones(2, 4)).sum().backward()
            optimizer.step()
            taken.append(step)

    with pytest.raises(HeldError, match="permit-lapsed"), loop(tiny, file=long, pulse=str(pulse)) as run:
        train(run)
    assert len(taken) == 50


def test_a_plan_that_is_exceeded_in_eval_mode_is_exceeded_all_the_same(tiny):
    """What a model is fed counts wherever gradients are taken, whatever mode it says it is in."""
    plan = Plan(FLOP, tokens=2)
    taken = []

    def train():
        optimizer = torch.optim.SGD(tiny.net.parameters(), lr=0.1)
        tiny.net.eval()
        for step in range(20):
            tiny.net(torch.ones(2, 2, 4)).sum().backward()
            optimizer.step()
            taken.append(step)

    gate = gated(tiny.net, tiny.file_of, tiny.model_folder, plan, trust=tiny.trust, around=tiny.around())
    with pytest.raises(HeldError, match="compute-spent"), gate:
        train()
    assert len(taken) == 2
