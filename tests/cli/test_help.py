"""What the help says, what the page says, and what starting costs."""

import json
import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from scalegate.cli.lazy import LazyGroup
from scalegate.cli.main import PROGRAM, command
from tests.cli.reference import PAGE, commands, examples_of, page
from tests.conftest import ROOT

ALL = dict(commands(command()))


def test_the_page_agrees_with_the_commands():
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_ends_with_two_examples(empty, path):
    said = empty.do(*path, "--help")
    shown = said.out.rstrip().splitlines()[-2:]
    assert [line.strip() for line in shown] == examples_of(ALL[path])
    assert "Examples:" in said.out


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_example_parses(path):
    """Each example names a command that exists, with options that it takes."""
    for line in examples_of(ALL[path]):
        check_parses(line)


def check_parses(line):
    """Take a line apart as its command would; what follows `&&`, `>` or `|` is the shell's."""
    words = shlex.split(re.split(r" (?:&&|>>?|\||;|#) ", line)[0])
    assert words[0] == PROGRAM
    group, rest = command(), words[1:]
    while isinstance(group, LazyGroup) and rest and not rest[0].startswith("-"):
        group, rest = group.get_command(click.Context(group), rest[0]), rest[1:]
        assert group is not None, line
    if "--help" not in rest and "--version" not in rest:
        group.make_context(" ".join(words[:2]), rest, resilient_parsing=False)


def documented():
    """Every line of a page that is meant to be typed, with the page it stands on."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for path in pages:
        for line in re.findall(r"^\$ (scalegate .+)$", path.read_text("utf-8"), re.MULTILINE):
            yield pytest.param(line, id=f"{path.name}: {line[:60]}")


@pytest.mark.parametrize("line", list(documented()))
def test_every_documented_line_parses(line):
    check_parses(line)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_is_explained(path):
    for item in ALL[path].params:
        if isinstance(item, click.Option):
            assert item.help
            assert item.help.endswith("."), (path, item.name)


@pytest.mark.parametrize("path", [path for path in ALL if not isinstance(ALL[path], LazyGroup)], ids=" ".join)
def test_whoever_speaks_says_who_and_in_which_role(path):
    names = {item.name for item in ALL[path].params}
    writes = path[-1] in {
        "adopt", "amend", "withdraw", "fill", "add", "register", "attest", "retract", "void",
        "method", "issue", "lift", "invoke", "revoke", "init", "run", "multiplier", "attach", "certify", "describe",
    }  # fmt: skip
    # What a log says of itself names nobody: the gate signs it.
    writes = writes and path[0] != "ledger"
    assert ({"by", "role"} <= names) == writes


def test_the_lists_of_commands_say_what_the_commands_are(empty):
    top = empty.do("--help").out
    for path in ALL:
        if len(path) == 1:
            assert re.search(rf"^  {path[0]}\s+\S", top, re.MULTILINE)


WATCH = """
import json, sys
from scalegate.cli.main import main
code = main(json.loads(sys.argv[1]))
sys.stderr.write("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
NEVER = {"numpy", "torch", "pydantic", "inspect_ai", "starlette", "z3", "scipy", "pandas", "asyncio"}


def loaded(lab, *arguments):
    answer = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(arguments)],
        capture_output=True,
        check=True,
        cwd=lab.folder,
        env={"PYTHONPATH": str(ROOT / "src"), "SCALEGATE_KEYS": os.environ["SCALEGATE_KEYS"]},
        text=True,
    )
    code, names = json.loads(answer.stderr.splitlines()[-1])
    return code, set(names)


def test_the_gate_loads_nothing_it_does_not_need(lab):
    """The start-up budget, kept without timing anything."""
    code, names = loaded(lab, "gate", "train", "--subject", "orion", "--to", "4e24")
    assert code in {0, 1}
    assert not names & NEVER
    assert not {name for name in names if name.startswith("scalegate.ingest")}
    for name in ("zipfile", "zstandard", "subprocess", "scalegate.policy.format"):
        assert name not in names


def test_help_and_version_do_without_the_gate(lab):
    for line in (["--version"], ["--help"], ["gate", "--help"]):
        code, names = loaded(lab, *line)
        assert code == 0
        assert "sqlite3" not in names or line == ["gate", "--help"]
        assert not names & NEVER
