"""The lab of a test."""

import shutil

import pytest

from tests.cli.lab import Lab
from tests.cli.speakers import use_keys


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A lab without a store."""
    made = Lab(tmp_path)
    monkeypatch.chdir(tmp_path)
    use_keys(monkeypatch, tmp_path)
    monkeypatch.setattr("scalegate.app.clock.SystemClock.now", lambda _: made.now)
    return made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Stores of labs, made once: a policy and a model; and with a passing result besides."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        made = Lab(folder)
        patch.chdir(folder)
        use_keys(patch)
        patch.setattr("scalegate.app.clock.SystemClock.now", lambda _: made.now)
        made.init()
        shutil.copytree(made.store, folder / "bare")
        made.measure("r1", 0)
    return folder


@pytest.fixture
def bare(empty, prepared):
    """A lab with a policy and a model, and nothing measured."""
    shutil.copytree(prepared / "bare", empty.store)
    shutil.copy(prepared / "acme.yaml", empty.folder)
    return empty


@pytest.fixture
def lab(empty, prepared):
    """A lab whose model `orion` may go on to 8e24 FLOP: 0 of 100 items solved."""
    shutil.copytree(prepared / ".scalegate", empty.store)
    for path in prepared.glob("*.*"):
        if path.is_file():
            shutil.copy(path, empty.folder)
    return empty
