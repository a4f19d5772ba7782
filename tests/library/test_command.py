"""`scalegate policy library`, as it is called."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scalegate.app.library import encoding_text, extent, library_table
from scalegate.app.refusal import RefusalError
from scalegate.cli.main import command
from scalegate.cli.policy.library import library
from scalegate.policy import load
from scalegate.policy.library import ENCODINGS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(library, arguments, standalone_mode=False, catch_exceptions=False)


def test_it_is_a_command() -> None:
    assert "library" in CliRunner().invoke(command(), ["policy", "--help"]).output


def test_the_list_says_what_was_read() -> None:
    found = run()
    assert found.return_value == 0
    for name, item in ENCODINGS.items():
        assert name in found.output
        assert f"{item.date}  {item.issuer}: {item.title}" in found.output
    assert "unread" in found.output
    assert "from memory" in found.output


def test_the_list_as_one_object() -> None:
    rows = json.loads(run("--format", "json").output)["encodings"]
    assert [row["id"] for row in rows] == list(ENCODINGS)
    assert all(row["seen"] > 0 for row in rows)
    assert sum(len(row["unread_parts"]) for row in rows) > 0


def test_the_list_as_lines() -> None:
    lines = run("--format", "plain").output.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"id {name}" for name in ENCODINGS]


def test_an_encoding_is_printed_as_it_is_written() -> None:
    assert run("fli-letter").output == encoding_text("fli-letter")


def test_an_encoding_as_one_object() -> None:
    assert json.loads(run("fli-letter", "--format", "json").output)["id"] == "fli-letter"


def test_the_table_is_written(tmp_path: Path) -> None:
    file = tmp_path / "library.html"
    assert run("--table", str(file)).return_value == 0
    assert file.read_text(encoding="utf-8") == library_table()


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="cannot write"):
        run("--table", str(tmp_path / "missing" / "library.html"))


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(RefusalError) as refused:
        run("anthropic-rsp-1")
    assert refused.value.hint == "did you mean `anthropic-rsp-1.0`?"


def test_an_id_and_the_table_are_two_questions() -> None:
    found = CliRunner().invoke(library, ["fli-letter", "--table", "x.html"])
    assert found.exit_code == 2


def test_an_encoding_never_binds() -> None:
    kernel = load(encoding_text("fli-letter"), "fli-letter.yaml")
    assert kernel.kind == "reference"
    assert extent(kernel).unread == 0
