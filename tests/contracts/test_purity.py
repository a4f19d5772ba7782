"""What import-linter cannot see: built-in calls, environments, and what a process really loads."""

import ast
import json
import subprocess
import sys
import tomllib

import pytest

from tests.contracts.tree import (
    PACKAGE,
    PURE_ROOMS,
    ROOT,
    SOURCE,
    imported_names,
    rooms,
    source_modules,
)

# Built-ins that reach outside the process, or run text as code.
IMPURE_BUILTINS = {"open", "input", "print", "eval", "exec", "compile", "__import__", "breakpoint"}

BASE_ROOMS = (*PURE_ROOMS, "ledger", "ingest", "lint", "audit", "report", "app", "cli")
VERIFIER_ROOMS = ("core", "policy", "stats", "gate", "ledger", "ingest", "audit")

HEAVY = {"cvc5", "fastapi", "inspect_ai", "jinja2", "numpy", "pandas", "pydantic", "scipy"}
HEAVY |= {"starlette", "torch", "transformers", "uvicorn", "vl_convert", "z3"}

# What a room may ask for when it is used, and never when it is imported: extras.
WHEN_USED = {"report": {"vl_convert"}}

# A finder that stands first, finds nothing, and writes down who was asked for: so that the test
# bites in an environment where none of the heavy packages is installed, and where `try: import`
# hides the failure.
WATCH = """
import importlib, json, sys

asked = set()

class Watcher:
    def find_spec(self, name, path=None, target=None):
        asked.add(name.partition(".")[0])

sys.meta_path.insert(0, Watcher())
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(asked)))
"""


def packages_asked_for(*modules: str) -> set[str]:
    """Top-level packages that a fresh interpreter asks for while it imports `modules`."""
    answer = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(modules)],
        cwd=SOURCE,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout))


def distribution_packages() -> set[str]:
    """Import names of the base dependencies: the first part of what they are called, but for one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {line.split(">=")[0].strip() for line in project["dependencies"]}
    return {"nacl" if name == "pynacl" else name.split(".")[0] for name in names}


def test_pure_rooms_call_nothing_that_reaches_outside() -> None:
    found = [
        f"{module}:{node.lineno}: {node.func.id}()"
        for module in source_modules()
        if module.room in PURE_ROOMS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS
    ]
    assert found == []


def test_core_imports_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"scalegate"}
    found = [
        f"{module}:{line}: {name}"
        for module in source_modules()
        if module.room == "core"
        for line, name in imported_names(module.tree)
        if name.partition(".")[0] not in allowed
    ]
    assert found == []


def test_base_rooms_import_declared_dependencies_only() -> None:
    allowed = sys.stdlib_module_names | {"scalegate"} | distribution_packages()
    found = [
        f"{module}:{line}: {name}"
        for module in source_modules()
        if module.room in BASE_ROOMS
        for line, name in imported_names(module.tree)
        if name.partition(".")[0] not in allowed | WHEN_USED.get(module.room, set())
    ]
    assert found == []


def test_room_files_of_pure_rooms_are_pure_as_well() -> None:
    """An `__init__.py` escapes the `scalegate.room.**` of the import contracts."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (forbidden,) = (
        set(contract["forbidden_modules"])
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith("Pure rooms")
    )
    found = [
        f"{module}:{line}: {name}"
        for module in source_modules()
        if module.room in PURE_ROOMS and module.path.name == "__init__.py"
        for line, name in imported_names(module.tree)
        if name.partition(".")[0] in forbidden
    ]
    assert {"os", "time", "random"} <= forbidden
    assert found == []


def test_scalegate_itself_loads_nothing() -> None:
    trees = {module.name: module.tree for module in source_modules()}
    assert imported_names(trees["scalegate"]) == []


@pytest.mark.parametrize("room", sorted(rooms() & set(VERIFIER_ROOMS)))
def test_the_offline_verifier_loads_nothing_heavy(room: str) -> None:
    modules = [module.name for module in source_modules() if module.room == room]
    assert packages_asked_for(*modules) & HEAVY == set()


def test_the_command_line_loads_nothing_heavy() -> None:
    if not (PACKAGE / "cli" / "main.py").exists():
        pytest.skip("there is no command line yet")
    asked = packages_asked_for("scalegate.cli", "scalegate.cli.main")
    assert "click" in asked
    assert asked & HEAVY == set()


def test_the_watch_sees_an_import_that_is_guarded() -> None:
    assert "decimal" in packages_asked_for("fractions")
