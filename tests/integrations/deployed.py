"""Deployments for tests: a policy with contexts, a model and a system over it, permits, pulses and a clock to turn."""

import json
import shutil
import time
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from scalegate.integrations.moments import ForwardClock
from scalegate.integrations.serving import Service
from tests.cli.lab import ADA
from tests.cli.speakers import use_keys
from tests.enforce.permits import HOST, POLICY, PermitLab

CONTEXTS = f"""{POLICY}
contexts:
  desk: {{action: deploy.partners, scaffolds: [bare, tool-loop], withdraw: yes}}
  team: {{action: deploy.internal, scaffolds: [bare]}}
  second-desk: {{action: deploy.partners, scaffolds: [bare]}}
  public: {{action: deploy.api, scaffolds: any}}
  tuning: {{action: deploy.finetuning, scaffolds: any}}
"""
SAFEGUARD = f"sha256:{'5' * 64}"
DAY = 86_400


class ServingLab(PermitLab):
    """A lab that deploys the system `chat` over the model `tiny`.

    `ahead` is by how many seconds the wall clock of services is set forward; it may be negative.
    """

    ahead = 0.0

    def begin(self, policy=CONTEXTS):
        """Make the store, the model and the system."""
        super().begin(policy)
        weights = self.folder / "weights"
        weights.mkdir()
        (weights / "a.bin").write_bytes(b"weights")
        (weights / "config.json").write_bytes(b"{}")
        self.declare("tiny", weights)
        self.do("subject", "add", "chat", "--kind", "system", "--weights", "tiny", "--scaffold", "bare",
                "--safeguard", SAFEGUARD, "--issuer", "acme", *ADA)  # fmt: skip
        return self

    def deploy(self, name="svc", action="deploy.partners", context="desk", subject="chat", *, host=HOST, **more):
        """Have a deployment permitted, and return the file."""
        file = self.folder / f"{name}.permit"
        options = [part for key, value in more.items() for part in (f"--{key}", value)]
        self.do("gate", action, "--subject", subject, "--context", context, "--permit", file, "--job", "svc",
                "--host", host, *options)  # fmt: skip
        return file

    def service(self, file, *, context=None, served=None, **more):
        """A service on a permit, whose clock is turned by `ahead`."""
        around = self.around(clock=self.clock, **more)
        return Service(file, self.trust, around, context=context, served=served)

    def clock(self, floor):
        machine = ForwardClock()
        return ForwardClock(floor, wall=lambda: machine.exact() + self.ahead)

    def pulse(self, file, name="svc.pulse", *more):
        """Write a pulse of a permit."""
        path = self.folder / name
        self.run("permit", "pulse", file, "--out", path, *more)
        return path

    def reports(self, service):
        """Kinds and causes in the journal."""
        return [(item.kind, item.cause) for item in service._folder.reports]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """A lab, made once: its folder is copied for each test."""
    folder = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        use_keys(patch, folder)
        ServingLab(folder).begin().deploy()
    return folder


@pytest.fixture
def lab(deployed, tmp_path, monkeypatch):
    """A lab with a permit for `chat` at the desk."""
    shutil.copytree(deployed, tmp_path, dirs_exist_ok=True)
    # Every test has a copy of one key, as if on a machine of its own.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    use_keys(monkeypatch, tmp_path)
    made = ServingLab(tmp_path)
    made.permit_file = tmp_path / "svc.permit"
    return made


def edit(file: Path, old: str, new: str, part: str = "claim") -> None:
    """Change a permit in place: what is signed in one of its leaves."""
    value = json.loads(file.read_text())
    leaf = json.loads(value[part]["leaf"])
    (inner,) = (item for item in walk(leaf) if "payload" in item)
    payload = b64decode(inner["payload"]).decode()
    assert old in payload
    inner["payload"] = b64encode(payload.replace(old, new).encode()).decode()
    value[part]["leaf"] = json.dumps(leaf, separators=(",", ":"))
    file.write_text(json.dumps(value, indent=1) + "\n")


def walk(value):
    """Every object in some JSON."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)


def until(found, seconds=8.0):
    """Wait until something is so, and return it."""
    end = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)
    return seen


def renew(lab, file, **more):
    """Have a permit renewed, and move the new one over it."""
    new = lab.deploy("next", follows=file, **more)
    new.replace(file)
    return json.loads(file.read_text())
