"""The wheel that users get holds what the source tree promises."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.contracts.tree import PACKAGE, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built in isolation as pip would build it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", str(folder)]
    answer = subprocess.run([*build, str(ROOT)], capture_output=True, check=False, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr
    (path,) = folder.glob("scalegate-*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_package_is_inside(wheel: zipfile.ZipFile) -> None:
    expected = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "scalegate/py.typed" in expected
    assert expected <= set(wheel.namelist())


def test_nothing_but_the_package_is_inside(wheel: zipfile.ZipFile) -> None:
    tops = {Path(name).parts[0] for name in wheel.namelist()}
    assert {top.partition("-")[0] for top in tops} == {"scalegate"}


def test_license_version_and_command_are_declared(wheel: zipfile.ZipFile) -> None:
    (info,) = {Path(name).parts[0] for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    commands = wheel.read(f"{info}/entry_points.txt").decode()
    assert "scalegate = scalegate.cli.main:run" in commands
