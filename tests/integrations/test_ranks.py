"""Several ranks under one permit: they begin together, stop at one step together, and nobody is left waiting."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")
pytestmark = [pytest.mark.extra, pytest.mark.slow]

from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.ranked import FLOP, finish, start, wait_for  # noqa: E402


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab with a declared model."""
    lab = make_lab(tmp_path, monkeypatch)
    lab.model_folder = lab.folder / "tiny"
    lab.model_folder.mkdir()
    torch.manual_seed(0)
    torch.save(torch.nn.Linear(4, 4).state_dict(), lab.model_folder / "weights.pt")
    lab.declare("tiny", lab.model_folder)
    return lab


def permitted(lab, steps):
    lab.file_of = lab.permit("tiny", steps * FLOP)
    return lab


def reports(lab):
    """What the job's journal says, once the log took it."""
    lab.do("permit", "report", lab.file_of)
    return [item.event for item in lab.history().entries if type(item.event).__name__ == "JobReported"]


def stopped_together(lab, found, code):
    """Check that all stopped at one step, with the same weights and a checkpoint of them; return the step."""
    first, second = found
    assert [item.get("error") for item in found] == [None, None]
    assert first["code"] == second["code"] == code
    assert first["steps"] == second["steps"]
    assert first["weights"] == second["weights"]
    assert (lab.folder / "held" / "weights.pt").exists()
    held = reports(lab)[-1]
    assert (held.kind, held.cause, held.step, held.ranks) == ("held", code, first["steps"], 2)
    return first["steps"]


def test_ranks_stop_at_the_last_step_with_one_checkpoint(lab):
    permitted(lab, 10)
    found = finish(lab, start(lab))
    assert stopped_together(lab, found, "compute-spent") == 10
    assert [item.kind for item in reports(lab)] == ["started", "held"]


def test_a_hold_that_only_the_first_rank_hears_of_stops_all_of_them(lab):
    permitted(lab, 4_000)
    pulse = lab.folder / "pulse"
    lab.do("permit", "pulse", lab.file_of, "--out", pulse, "--every", "30 seconds")
    running = start(lab, steps=3_900, pause=0.02, each={0: {"pulse": str(pulse)}})
    wait_for(lab, 5, running)
    lab.stop()
    assert lab.run("permit", "pulse", lab.file_of, "--out", pulse, "--every", "30 seconds").code == 1
    found = finish(lab, running)
    assert 5 <= stopped_together(lab, found, "permit-lapsed") < 3_900
    assert "would not give the permit" in reports(lab)[-1].words


@pytest.mark.parametrize("rank", [0, 1])
def test_what_one_rank_asks_for_strands_no_other(lab, rank):
    permitted(lab, 50)
    found = finish(lab, start(lab, each={rank: {"ask_at": 4}}))
    assert stopped_together(lab, found, "asked") == 4


def test_ranks_that_agree_every_five_steps_stop_within_five(lab):
    permitted(lab, 50)
    found = finish(lab, start(lab, agree_every=5, each={1: {"ask_at": 6}}))
    assert stopped_together(lab, found, "asked") == 10


def test_a_renewal_while_training_runs_takes_all_ranks_further(lab):
    permitted(lab, 40)
    running = start(lab, pause=0.1)
    wait_for(lab, 2, running)
    lab.permit("tiny", 60 * FLOP, name="job-1.permit.next", follows=lab.file_of)
    found = finish(lab, running)
    lab.file_of = lab.folder / "job-1.permit.next"
    assert stopped_together(lab, found, "compute-spent") == 60
    assert any("renewed" in told for told in found[0]["told"])


def test_a_rank_without_a_permit_keeps_the_other_from_training(lab):
    permitted(lab, 10)
    found = finish(lab, start(lab, each={1: {"permit": str(lab.folder / "nowhere.permit")}}))
    assert [item["steps"] for item in found] == [0, 0]
    assert "ranks-apart" in found[0]["error"]
    assert "permit-missing" in found[1]["error"]


def test_a_rank_with_other_weights_keeps_the_other_from_training(lab):
    permitted(lab, 10)
    other = lab.folder / "other"
    other.mkdir()
    torch.save(torch.nn.Linear(4, 4).state_dict(), other / "weights.pt")
    found = finish(lab, start(lab, each={1: {"checkpoint": str(other)}}))
    assert [item["steps"] for item in found] == [0, 0]
    assert "ranks-apart" in found[0]["error"]
    assert "weights-swapped" in found[1]["error"]


def test_weights_that_the_permit_is_not_for_are_refused_on_every_rank(lab):
    permitted(lab, 10)
    other = lab.folder / "other"
    other.mkdir()
    torch.manual_seed(3)
    torch.save(torch.nn.Linear(4, 4).state_dict(), other / "weights.pt")
    found = finish(lab, start(lab, checkpoint=str(other), seed=3))
    assert [item["steps"] for item in found] == [0, 0]
    assert "checkpoint-unknown" in found[0]["error"]
    assert "ranks-apart" in found[1]["error"]


def test_processes_that_nobody_connected_train_nothing(lab):
    permitted(lab, 10)
    found = finish(lab, start(lab, connected=False))
    assert [item["steps"] for item in found] == [0, 0]
    assert all("WORLD_SIZE is 2" in item["error"] for item in found)


def test_what_one_rank_computes_beyond_the_plan_counts_for_all(lab):
    permitted(lab, 20)
    # 4 rows of 4 are 16 tokens instead of 8: four times the cost, and a bit.
    found = finish(lab, start(lab, tokens=8, each={1: {"rows": 4}}))
    assert stopped_together(lab, found, "compute-spent") == 4
    assert found[0]["flop"] >= 4 * 4 * FLOP


def test_a_checkpoint_that_cannot_be_written_leaves_nobody_waiting(lab):
    permitted(lab, 5)
    found = finish(lab, start(lab, name="no/such/folder"))
    assert [item["steps"] for item in found] == [5, 5]
    assert "RuntimeError" in found[0]["error"]
    assert "ranks-apart" in found[1]["error"]
