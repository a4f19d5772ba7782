"""Ways past the guard of a plain loop that reviews have found: each named after its defect, none of them open."""

import os

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
pytestmark = pytest.mark.extra

from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: E402

from scalegate.enforce.boundary import Plan  # noqa: E402
from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.job_folder import open_folder  # noqa: E402
from scalegate.integrations.keeper import HeldError  # noqa: E402
from scalegate.integrations.torch import gated  # noqa: E402

FLOP = 1_000_000


class Net(torch.nn.Module):
    """A model that takes what it is fed by name."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(4, 4)

    def forward(self, labels=None, x=None, batch=None):
        fed = x if x is not None else batch["x"] if batch is not None else labels
        return self.inner(fed.reshape(-1, 4)).sum()


@pytest.fixture
def steps():
    """How many optimizer steps were really taken."""
    taken = []
    hook = register_optimizer_step_post_hook(lambda *_: taken.append(1))
    yield taken
    hook.remove()


@pytest.fixture
def tiny(lab):
    lab.use = lambda net: _use(lab, net)
    return lab.use(Net())


def _use(lab, net):
    """Declare a model, and get a permit of ten steps for it."""
    name = f"m{len(list(lab.folder.glob('m*.permit')))}"
    lab.net, lab.model_folder = net, lab.folder / name
    lab.model_folder.mkdir()
    torch.save(net.state_dict(), lab.model_folder / "weights.pt")
    lab.declare(name, lab.model_folder)
    lab.file_of = lab.permit(name, 10 * FLOP, job=name)
    return lab


def loop(lab, plan=None, checkpoint=None, **more):
    return gated(
        lab.net, lab.file_of, checkpoint or lab.model_folder, plan or Plan(FLOP), trust=lab.trust,
        around=lab.around(**more),
    )  # fmt: skip


def step(lab, optimizer, *args, **fed):
    optimizer.zero_grad()
    lab.net(*args, **(fed or {"x": torch.ones(2, 4)} if not args else fed)).backward()
    optimizer.step()


def sgd(lab):
    return torch.optim.SGD(lab.net.parameters(), lr=0.1)


def kinds(lab):
    return [(item.kind, item.cause) for item in open_folder(lab.file_of, lab.trust).reports]


def test_a_hold_that_was_told_once_is_told_again(tiny, steps):
    """The inner loop breaks, and the outer one asks anew."""
    pulse = tiny.folder / "pulse"
    tiny.do("permit", "pulse", tiny.file_of, "--out", pulse)
    with loop(tiny, pulse=str(pulse)) as run:
        step(tiny, sgd(tiny))
        tiny.stop()
        tiny.run("permit", "pulse", tiny.file_of, "--out", pulse)
        run.session.keeper.pulses.look()
        run.session.keeper._checked = 0.0
        assert [run.stop for _ in range(5)] == [True] * 5
    assert len(steps) == 1


def test_a_refusal_that_is_caught_is_repeated(tiny, steps):
    """Loops that skip what does not fit into memory catch RuntimeError; nothing of ours is one."""
    assert not issubclass(HeldError, RuntimeError)
    refused = 0
    with loop(tiny):
        optimizer = sgd(tiny)
        for _ in range(200):
            try:
                step(tiny, optimizer)
            except HeldError:
                refused += 1
    assert (len(steps), refused) == (10, 190)


@pytest.mark.parametrize(
    "fed",
    [
        {"labels": torch.ones(2), "x": torch.ones(2, 40, 4)},
        {"labels": torch.ones(2, 1), "x": torch.ones(2, 40, 4)},
        {"batch": {"y": torch.ones(2), "x": torch.ones(2, 40, 4)}},
    ],
    ids=["labels first", "one token first", "in a dictionary"],
)
def test_the_largest_of_what_is_fed_counts(tiny, steps, fed):
    with pytest.raises(HeldError, match="compute-spent"), loop(tiny, Plan(FLOP, tokens=8, length=4)):
        step(tiny, sgd(tiny), **fed)
    assert len(steps) == 0


def test_as_many_tokens_in_a_longer_sequence_cost_more(tiny, steps):
    with loop(tiny, Plan(FLOP, tokens=64, length=4)) as run:
        step(tiny, sgd(tiny), x=torch.ones(2, 32, 4))
        assert run.session.keeper.flop == 8 * FLOP + 1
    assert len(steps) == 1


def test_what_a_part_of_the_model_is_fed_is_not_nothing(tiny, steps):
    """Called past the hook, a model seems to be fed nothing: that is refused the second time."""

    def train():
        optimizer = sgd(tiny)
        for _ in range(9):
            tiny.net.inner(torch.ones(900, 4)).sum().backward()
            optimizer.step()

    with pytest.raises(HeldError, match="tokens-unseen"), loop(tiny, Plan(FLOP, tokens=8, length=4)):
        train()
    assert len(steps) == 1


def test_passes_without_gradients_are_not_counted(tiny, steps):
    with loop(tiny, Plan(FLOP, tokens=8, length=4)) as run:
        with torch.no_grad():
            tiny.net(x=torch.ones(900, 4))
        step(tiny, sgd(tiny), x=torch.ones(2, 4, 4))
        assert run.session.keeper.flop == FLOP
    assert len(steps) == 1


@pytest.mark.filterwarnings("ignore:This process .*is multi-threaded:DeprecationWarning")
def test_a_forked_process_takes_no_step(tiny):
    with loop(tiny):
        optimizer = sgd(tiny)
        step(tiny, optimizer)
        child = os.fork()
        if not child:
            try:
                step(tiny, optimizer)
            except HeldError as error:
                os._exit(7 if error.code == "other-process" else 8)
            os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_an_optimizer_that_passes_many_times_in_a_step_is_refused(tiny, steps):
    def train():
        optimizer = torch.optim.LBFGS(tiny.net.parameters())
        optimizer.step(lambda: tiny.net(x=torch.ones(2, 4)))

    with pytest.raises(HeldError, match="closure-repeats"), loop(tiny):
        train()
    assert len(steps) == 0


def test_nothing_is_trained_behind_the_end(tiny, steps):
    def train(run):
        optimizer = sgd(tiny)
        step(tiny, optimizer)
        run.end(lambda folder: torch.save(tiny.net.state_dict(), folder / "w.pt"), tiny.folder / "end")
        step(tiny, optimizer)

    with pytest.raises(HeldError, match="ended"), loop(tiny) as run:
        train(run)
    assert len(steps) == 1


def test_a_checkpoint_of_other_weights_is_not_reported(tiny):
    """A teacher that is saved by mistake would be trained under the permit of its student."""
    with loop(tiny) as run:
        step(tiny, sgd(tiny))
        run.hold(lambda folder: torch.save(Net().state_dict(), folder / "w.pt"), tiny.folder / "held")
    assert kinds(tiny)[-1][0] == "held"
    assert open_folder(tiny.file_of, tiny.trust).reports[-1].digest == ""
    assert any("is not reported" in text for text in tiny.told)
    tiny.net = Net()
    tiny.net.load_state_dict(torch.load(tiny.folder / "held" / "w.pt"))
    with pytest.raises(PermitError, match="checkpoint-unknown"), loop(tiny, checkpoint=tiny.folder / "held"):
        step(tiny, sgd(tiny))


def test_names_that_differ_by_a_wrapper_are_two_names(lab, steps):
    class Wrapping(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = torch.nn.Linear(1, 1, bias=False)
            self.weight = torch.nn.Parameter(torch.zeros(1, 1))

    _use(lab, Wrapping())
    with torch.no_grad():
        lab.net.weight.copy_(torch.tensor([[5.0]]))
    with pytest.raises(PermitError, match="weights-swapped"), loop(lab):
        pass
    assert len(steps) == 0


def test_weights_that_join_a_group_later_are_noticed(tiny, steps):
    other = torch.nn.Linear(4, 4)

    def train():
        optimizer = sgd(tiny)
        step(tiny, optimizer)
        optimizer.param_groups[0]["params"].extend(other.parameters())
        step(tiny, optimizer)

    with pytest.raises(HeldError, match="other-weights"), loop(tiny):
        train()
    assert len(steps) == 1


def test_running_means_may_move_in_a_forward_pass(lab, steps):
    class Normed(Net):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(4)

        def forward(self, x):
            return self.norm(self.inner(x)).square().sum()

    _use(lab, Normed())
    with loop(lab):
        step(lab, sgd(lab))
    assert len(steps) == 1


def test_a_hold_into_a_folder_that_is_there_gets_another_name(tiny):
    (tiny.folder / "held").mkdir()
    with loop(tiny) as run:
        step(tiny, sgd(tiny))
        run.hold(lambda folder: torch.save(tiny.net.state_dict(), folder / "w.pt"), tiny.folder / "held")
    assert (tiny.folder / "held-2" / "w.pt").exists()
    assert open_folder(tiny.file_of, tiny.trust).reports[-1].digest


def test_a_hold_whose_checkpoint_cannot_be_written_is_reported(tiny):
    def fail(_):
        raise OSError(28, "no space left on device")

    def train(run):
        optimizer = sgd(tiny)
        for _ in range(10):
            step(tiny, optimizer)
        assert run.stop
        run.hold(fail, tiny.folder / "held")

    with pytest.raises(OSError, match="no space"), loop(tiny) as run:
        train(run)
    assert kinds(tiny)[-1] == ("held", "compute-spent")


def test_a_permit_that_was_refused_can_be_tried_again(tiny):
    """What a constructor took, it gives back."""
    with pytest.raises(PermitError, match="permit-lapsed"), loop(tiny, pulse=str(tiny.folder / "nowhere")):
        pass
    with loop(tiny) as run:
        assert run.session.keeper.last == 10


def test_weights_of_another_type_are_told_apart_by_their_type(tiny):
    tiny.net = tiny.net.to(torch.bfloat16)
    with pytest.raises(PermitError, match=r"the files hold torch.float32 .* and memory torch.bfloat16"), loop(tiny):
        pass
