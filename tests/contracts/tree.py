"""The repository as the contract tests see it: committed files, and source modules as trees."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "scalegate"

PURE_ROOMS = ("core", "policy", "stats", "gate", "enforce", "prove")


@dataclass(frozen=True)
class Module:
    """One file of `src`, parsed."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Dotted name, without a trailing `__init__`."""
        parts = self.path.relative_to(SOURCE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """Name of the room; empty for `scalegate` itself."""
        parts = self.path.relative_to(PACKAGE).parts
        return parts[0].removesuffix(".py") if parts[0] != "__init__.py" else ""

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


@cache
def source_modules() -> tuple[Module, ...]:
    """Every Python file under `src`, sorted by path."""
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        modules.append(Module(path, text, ast.parse(text, filename=str(path))))
    return tuple(modules)


def rooms() -> set[str]:
    """Names of the rooms that exist."""
    return {module.room for module in source_modules()} - {""}


def imported_names(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and full dotted name of all that is imported anywhere in `tree`, lazily or not."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
    return found


@cache
def committed_files() -> tuple[Path, ...]:
    """Files that git tracks or would track: what a reader of the repository gets to see.

    In an unpacked archive, where git knows nothing, it is every file outside of dot folders.
    """
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts[:-1])
        ]
    return tuple(sorted(path for path in paths if path.is_file()))
