"""The floors of `pyproject.toml` hold, and would be seen not to hold."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.tree import PACKAGE, ROOT

# The command's own entry point, without depending on where scripts were installed.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on the copy of the project in `folder`.

    The copy stands first on the path, so that an editable install does not answer for it.
    """
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
        text=True,
        timeout=120,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house of empty rooms under the contracts of the real one."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "scalegate"
    for room in ("core", "policy", "stats", "gate", "ingest", "cli"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "core" / "quantities.py").write_text("from fractions import Fraction\n")
    (package / "gate" / "interpret.py").write_text("from scalegate.core import quantities\n")
    return tmp_path


def test_the_source_keeps_every_contract(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "src" / "scalegate")
    answer = lint_imports(tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_rooms_that_do_not_exist_yet_are_no_error(house: Path) -> None:
    answer = lint_imports(house)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert " 0 broken" in answer.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        pytest.param("core/upward.py", "import scalegate.gate.interpret", "Floors", id="upward-import"),
        pytest.param("policy/beside.py", "import scalegate.stats", "Floors", id="neighbor-import"),
        pytest.param("attic/__init__.py", "", "Floors", id="room-without-a-floor"),
        pytest.param("gate/clock.py", "import time", "Pure rooms", id="clock-in-the-gate"),
        pytest.param("stats/lazy.py", "def roll():\n    import random", "Pure rooms", id="lazy-randomness"),
        pytest.param("policy/url.py", "from urllib.request import urlopen", "Pure rooms", id="network"),
        pytest.param("ingest/arrays.py", "import numpy", "offline verifier", id="heavy-verifier"),
        pytest.param("core/fast.py", "import msgspec", "core knows", id="core-with-a-dependency"),
    ],
)
def test_a_broken_contract_is_named(house: Path, path: str, line: str, contract: str) -> None:
    target = house / "src" / "scalegate" / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(line + "\n")
    answer = lint_imports(house)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    broken = [row for row in answer.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(contract in row for row in broken), answer.stdout


def test_a_cycle_inside_a_room_is_named(house: Path) -> None:
    room = house / "src" / "scalegate" / "ingest"
    (room / "left.py").write_text("import scalegate.ingest.right\n")
    (room / "right.py").write_text("import scalegate.ingest.left\n")
    answer = lint_imports(house)
    assert answer.returncode == 1
    assert "No cycles are allowed in scalegate.ingest" in answer.stdout


def test_imports_of_dependencies_are_not_followed(house: Path) -> None:
    """`lark` opens files and `click` reads the environment: that is their business."""
    (house / "src" / "scalegate" / "policy" / "grammar.py").write_text("import lark\n")
    answer = lint_imports(house)
    assert answer.returncode == 0, answer.stdout
