"""What the committed files may say, and how tests must be marked."""

import ast
import re
from pathlib import Path

import pytest

from tests.contracts.tree import ROOT, committed_files, imported_names

# Each with one letter bracketed, so that this file does not name what it forbids.
HOSTS = re.compile(
    r"pyp[i]\.org|python[h]osted|debia[n]\.org|npm[j]s\.(?:org|com)|registry\.yar[n]"
    r"|anacond[a]\.org|crate[s]\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$}*])/(?:home|root|Users|work|farm|tmp|opt|mnt|private)/[\w.]")

EXTRAS = {"inspect_ai", "cedarpy", "regopy"}


def complaints(name: str, text: str) -> list[str]:
    """Lines of `text` that name a registry host or a path of one machine."""
    return [
        f"{name}:{number}: {hit.group(0)}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern in (HOSTS, MACHINE_PATHS)
        for hit in pattern.finditer(line)
    ]


def text_of(path: Path) -> str:
    """Contents as text; what is not UTF-8 is kept readable, for a host can hide in a binary."""
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("https://" + "pypi" + ".org/simple", 1),
        ("see " + "/" + "home/ada/scalegate", 1),
        ("'" + "/" + "tmp/x'", 1),
        ("../tmp/x and src/work/x", 0),
        ("the index that pip is set up with", 0),
    ],
)
def test_the_rule_sees_hosts_and_paths(line: str, expected: int) -> None:
    assert len(complaints("x", line)) == expected


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    found = [row for path in committed_files() for row in complaints(path.relative_to(ROOT).as_posix(), text_of(path))]
    assert found == []


def test_no_committed_file_is_a_link_or_large() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in committed_files()
        if path.is_symlink() or path.stat().st_size > 1_000_000
    ]
    assert found == []


def test_tests_that_need_an_extra_are_marked() -> None:
    """`make test` has no extra and `make test-all` runs by mark: unmarked, it never runs."""
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        text = text_of(path)
        tree = ast.parse(text)
        imported = {name.partition(".")[0] for _, name in imported_names(tree)}
        imported |= {
            str(node.args[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("importorskip")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        }
        if imported & EXTRAS and "mark.extra" not in text:
            found.append(path.relative_to(ROOT).as_posix())
    assert found == []


def test_tests_assert_something() -> None:
    """A test that only runs code can fail by accident alone."""
    found = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(text_of(path))):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            shown = any(
                isinstance(inner, ast.Assert)
                or (
                    isinstance(inner, ast.Call)
                    and re.search(r"raises|warns|fail|check|assert", ast.unparse(inner.func))
                )
                for inner in ast.walk(node)
            )
            if not shown:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert found == []
