"""Comparing weights bit by bit, and guarding a replay, without any trainer."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
pytestmark = pytest.mark.extra

from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.certificate import (  # noqa: E402
    BeyondReplayError,
    at_most,
    certify_replay,
    differences,
)
from scalegate.integrations.weights import tensors_of  # noqa: E402


def stepping(model, count):
    """Takes so many steps, and returns the weights."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(count):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.state_dict()


@pytest.fixture
def later(tmp_path):
    """The weights of a model that was zero, three steps later."""
    torch.save(stepping(zero(), 3), tmp_path / "weights.pt")
    return tmp_path


def zero():
    model = torch.nn.Linear(2, 2)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    return model


def test_the_same_steps_are_exact(later):
    assert certify_replay(lambda: stepping(zero(), 3), later, 3).label == "exact"


def test_fewer_or_more_steps_are_not_checked(later):
    assert certify_replay(lambda: stepping(zero(), 2), later, 3).label == "unchecked"
    assert "BeyondReplayError" in certify_replay(lambda: stepping(zero(), 4), later, 3).words


def test_a_step_beyond_is_refused_and_the_guard_goes_away():
    model = zero()
    with pytest.raises(BeyondReplayError), at_most(2) as taken:
        stepping(model, 3)
    assert taken == [2]
    assert model.bias.tolist() == pytest.approx([-0.2, -0.2])
    stepping(model, 5)


def test_other_weights_are_different_and_so_are_missing_ones(later):
    found = certify_replay(lambda: stepping(zero(), 3) | {"bias": torch.zeros(2)}, later, 3)
    assert (found.label, round(found.largest, 6)) == ("different", 0.3)
    fewer = certify_replay(lambda: {"weight": stepping(zero(), 3)["weight"]}, later, 3)
    assert (fewer.label, fewer.largest) == ("different", float("inf"))


def test_a_tied_weight_that_files_leave_out_is_no_difference():
    table = torch.rand(3, 2)
    assert differences({"table": table, "head": table.clone()}, {"table": table}) == []
    assert [item.name for item in differences({"table": table, "head": table + 1}, {"table": table})] == ["head"]


@pytest.mark.parametrize(
    ("one", "other", "largest"),
    [
        (torch.tensor([0.0]), torch.tensor([-0.0]), 0.0),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), None),
        (torch.tensor([1.0]), torch.tensor([[1.0]]), None),
        (torch.tensor([1], dtype=torch.int64), torch.tensor([3], dtype=torch.int64), 2.0),
        (torch.tensor([1.0], dtype=torch.bfloat16), torch.tensor([1.5], dtype=torch.bfloat16), 0.5),
        (torch.tensor([1j]), torch.tensor([0j]), 1.0),
    ],
)
def test_bits_are_compared_and_numbers_measured(one, other, largest):
    found = differences({"a": one}, {"a": other})
    assert [item.largest for item in found] == [largest]


def test_weights_are_read_from_either_kind_of_file(later):
    assert set(tensors_of(later)) == {"weight", "bias"}
    (later / "optimizer.pt").write_bytes(b"not read")
    assert set(tensors_of(later)) == {"weight", "bias"}
    (later / "weights.pt").write_bytes(b"broken")
    with pytest.raises(PermitError, match="checkpoint-unread"):
        tensors_of(later)
    (later / "weights.pt").unlink()
    with pytest.raises(PermitError, match="no weights"):
        tensors_of(later)
