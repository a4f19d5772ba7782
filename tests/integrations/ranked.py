"""One rank of a job in a process of its own; a test starts as many as it needs, and reads what each wrote.

`python ranked.py FILE` reads its part from a JSON file. The environment is that of a launcher: RANK, WORLD_SIZE,
MASTER_ADDR and MASTER_PORT.
"""

import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOP = 1_000_000
SECONDS = 120
# A rank that was left alone has to fail before its test gives up.
ALONE = timedelta(seconds=30)


def start(lab, ranks=2, each=None, **common):
    """Start the ranks of a job on the permit of a lab.

    Args:
        lab: has `file_of`, `model_folder` and `trust`.
        ranks: how many.
        each: options of single ranks, by rank.
        common: options of all of them.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in range(ranks):
        options = {
            "permit": str(lab.file_of), "checkpoint": str(lab.model_folder), "trust": str(lab.trust),
            "held": str(lab.folder / "held"), "out": str(lab.folder / f"rank{rank}.json"), **common,
            **(each or {}).get(rank, {}),
        }  # fmt: skip
        path = lab.file(f"rank{rank}.options", json.dumps(options))
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                "OMP_NUM_THREADS": 1, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}  # fmt: skip
        environment = os.environ | {name: str(value) for name, value in told.items()}
        command = [sys.executable, "-W", "ignore", __file__, str(path)]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    return processes


def finish(lab, processes):
    """Wait for all ranks and return what each of them wrote."""
    try:
        said = [process.communicate(timeout=SECONDS)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    paths = [lab.folder / f"rank{rank}.json" for rank in range(len(processes))]
    assert all(path.exists() for path in paths), said
    return [json.loads(path.read_text()) for path in paths]


def wait_for(lab, step, processes):
    """Wait until the first rank has taken so many steps."""
    beat, end = lab.folder / "rank0.json.beat", time.monotonic() + SECONDS
    while not beat.exists() or int(beat.read_text() or 0) < step:
        assert time.monotonic() < end
        assert all(process.poll() is None for process in processes), [item.communicate() for item in processes]
        time.sleep(0.05)


def work(options):
    """Train in a plain loop and return what happened."""
    import torch  # noqa: PLC0415 - those who start this do not need it

    from scalegate.enforce.boundary import Plan  # noqa: PLC0415
    from scalegate.integrations.keeper import Around  # noqa: PLC0415
    from scalegate.integrations.torch import gated  # noqa: PLC0415
    from scalegate.integrations.weights import marks_of  # noqa: PLC0415

    rank = int(os.environ["RANK"])
    torch.manual_seed(options.get("seed", 0))
    own = torch.nn.Linear(4, 4)
    model, told = own, []
    if options.get("connected", True):
        model = torch.nn.parallel.DistributedDataParallel(own)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.01)
    around = Around(host="test-host", tell=told.append, pulse=options.get("pulse", ""))
    found = {"steps": 0, "told": told}
    try:
        with gated(
            model, options["permit"], options["checkpoint"], Plan(FLOP, options.get("tokens", 0)),
            trust=options["trust"], around=around, agree_every=options.get("agree_every", 1),
        ) as run:  # fmt: skip
            for _ in range(options.get("steps", 100)):
                optimizer.zero_grad()
                model(torch.full((options.get("rows", 2), 4), float(rank + 1))).sum().backward()
                optimizer.step()
                found["steps"] += 1
                Path(f"{options['out']}.beat").write_text(str(found["steps"]))
                if found["steps"] == options.get("ask_at"):
                    run.session.ask("this machine has to go")
                time.sleep(options.get("pause", 0))
                if run.stop:
                    name = options.get("name", "weights.pt")
                    run.hold(lambda folder: torch.save(own.state_dict(), folder / name), options["held"])  # noqa: B023
                    break
            found |= {"code": run.session.code, "words": run.session.words, "flop": run.session.keeper.flop}
    except Exception as error:  # noqa: BLE001 - whatever it is, the test reads it
        found |= {"error": f"{type(error).__name__}: {error}"}
    found["weights"] = marks_of(own)
    return found


def lightning(options):
    """Train with Lightning: whole, then up to a hold that one rank asks for, then on from there."""
    from lightning.pytorch.plugins.environments import TorchElasticEnvironment  # noqa: PLC0415

    from scalegate.enforce.boundary import Plan  # noqa: PLC0415
    from scalegate.integrations.keeper import Around  # noqa: PLC0415
    from scalegate.integrations.lightning import ResumableLoader, ScalegateCallback  # noqa: PLC0415
    from scalegate.integrations.weights import marks_of  # noqa: PLC0415
    from tests.integrations.lightened import Data, asking, fit, module  # noqa: PLC0415

    rank, told = int(os.environ["RANK"]), []
    common = {"strategy": "ddp", "devices": 2, "plugins": [TorchElasticEnvironment()], "max_steps": 15}

    def train(*callbacks, seed, **more):
        net = module(seed=0 if "ckpt_path" not in more else seed)
        data = ResumableLoader(Data(), 2, seed=5, rank=rank, ranks=2)
        return fit(net, data, *callbacks, seed=seed + rank, **common, **more), net

    def gate():
        around = Around(host="test-host", tell=told.append)
        return ScalegateCallback(
            options["permit"], options["checkpoint"], Plan(FLOP), folder=options["held"], trust=options["trust"],
            around=around,
        )  # fmt: skip

    _, whole = train(seed=1)
    first, second = gate(), gate()
    trainer, _ = train(first, *([asking(7)] if rank == 1 else []), seed=1)
    _, net = train(second, seed=30, ckpt_path=first.held)
    return {
        "held": str(first.held), "code": first.code, "steps": trainer.global_step, "inexact": second.inexact,
        "whole": marks_of(whole), "weights": marks_of(net), "told": told,
    }  # fmt: skip


def main():
    """Be one rank."""
    import torch  # noqa: PLC0415 - those who start this do not need it

    options = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(1)
    if options.get("connected", True):
        torch.distributed.init_process_group("gloo", timeout=ALONE)
    found = (lightning if options.get("lightning") else work)(options)
    Path(options["out"]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
