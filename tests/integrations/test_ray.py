"""Ray Train under a permit: the workers stop together, and Ray has the checkpoint."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `ray`")
# Ray without the dependencies of Ray Train raises an ImportError of its own.
pytest.importorskip("ray.train", reason="needs the extra `ray`", exc_type=ImportError)
pytestmark = [
    pytest.mark.extra,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]

import ray  # noqa: E402
from ray.train import RunConfig, ScalingConfig  # noqa: E402
from ray.train.torch import TorchTrainer  # noqa: E402

from scalegate.enforce.permit import PermitError  # noqa: E402
from scalegate.integrations.ray import check_workers  # noqa: E402
from scalegate.integrations.weights import files_of  # noqa: E402
from tests.enforce.permits import make_lab  # noqa: E402
from tests.integrations.rayed import FLOP, work  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine; without one there is nothing to test."""
    paths = [str(ROOT), str(ROOT / "src"), *(path for path in sys.path if path)]
    variables = {"PYTHONPATH": ":".join(dict.fromkeys(paths)), "OMP_NUM_THREADS": "1"}
    try:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": variables})
    except (OSError, RuntimeError, ConnectionError) as error:
        pytest.skip(f"Ray does not start here: {error}")
    yield
    ray.shutdown()


@pytest.fixture
def lab(tmp_path, monkeypatch):
    lab = make_lab(tmp_path, monkeypatch)
    lab.model_folder = lab.folder / "tiny"
    lab.model_folder.mkdir()
    torch.manual_seed(0)
    torch.save(torch.nn.Linear(4, 4).state_dict(), lab.model_folder / "weights.pt")
    lab.declare("tiny", lab.model_folder)
    lab.file_of = lab.permit("tiny", 10 * FLOP)
    return lab


def train(lab, **more):
    config = {
        "checkpoint": str(lab.model_folder), "permit": str(lab.file_of), "trust": str(lab.trust),
        "held": str(lab.folder / "held"), "steps": 30, **more,
    }  # fmt: skip
    trainer = TorchTrainer(
        work, train_loop_config=config, scaling_config=ScalingConfig(num_workers=2, use_gpu=False),
        run_config=RunConfig(storage_path=str(lab.folder / "ray")),
    )  # fmt: skip
    return trainer.fit()


@pytest.mark.usefixtures("cluster")
def test_two_workers_stop_at_the_last_step_and_ray_has_the_checkpoint(lab):
    result = train(lab)
    assert [(lab.folder / f"held.rank{rank}").read_text() for rank in (0, 1)] == ["10 compute-spent"] * 2
    assert result.metrics["held"] == "compute-spent"
    assert result.metrics["flop"] == 10 * FLOP
    with result.checkpoint.as_directory() as kept:
        assert files_of(Path(kept)).digest == files_of(lab.folder / "held").digest
    lab.do("permit", "report", lab.file_of)
    held = lab.history().entries[-1].event
    assert (held.kind, held.step, held.ranks, held.digest) == ("held", 10, 2, files_of(lab.folder / "held").digest)


@pytest.mark.usefixtures("cluster")
def test_workers_without_a_permit_train_nothing(lab):
    with pytest.raises(Exception, match="permit-missing"):
        train(lab, permit=str(lab.folder / "nowhere.permit"))
    assert not list(lab.folder.glob("held*"))


def test_outside_of_a_worker_there_is_nobody_to_agree_with():
    with pytest.raises(PermitError, match="no worker"):
        check_workers()
