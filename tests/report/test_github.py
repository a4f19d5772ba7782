"""Workflow commands: one a finding, and none that a policy wrote."""

import re

import pytest

from scalegate.report.github import github
from tests.report.hostile import broken, of_words, real

# How the runner reads a command: name, properties, data; then it undoes the escapes.
COMMAND = re.compile(r"^::(error|warning|notice) ([^:]*)::(.*)$")


def read(line):
    """What the runner makes of a line."""
    name, fields, data = COMMAND.match(line).groups()
    pairs = dict(field.split("=", 1) for field in fields.split(","))
    return name, {key: undone(value, ":,") for key, value in pairs.items()}, undone(data)


def undone(text, more=""):
    """Text without its escapes, as the runner takes them out: percent last."""
    for char in f"\r\n{more}":
        text = text.replace(f"%{ord(char):02X}", char)
    return text.replace("%25", "%")


def test_a_finding_is_an_annotation():
    lines = list(github([real()]))
    assert [read(line)[0] for line in lines] == ["error", "notice"]
    name, fields, data = read(lines[0])
    assert (name, fields["file"], fields["title"]) == ("error", "policies/acme rsp.yaml", "GOV-009")
    assert data.startswith("`developer` gives stop orders")
    assert int(fields["endColumn"]) - int(fields["col"]) == len("developer")


def test_what_is_suppressed_is_no_annotation():
    assert list(github([of_words(suppressed="known")])) == []
    assert not any("countersigns" in line for line in github([real()]))


@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_hostile_words_are_data_of_one_command(severity):
    (line,) = github([of_words(severity=severity)])
    assert "\n" not in line
    assert "\r" not in line
    assert "##[" not in line
    assert "\x1b" not in line
    name, fields, data = read(line)
    assert name == {"error": "error", "warning": "warning", "note": "notice"}[severity]
    assert fields["file"] == "a,b:c%.yaml"
    assert data.startswith("100%\r\n::error::owned")


@pytest.mark.parametrize("words", ["%0A::error::x", "%250A", "a%0Ab", "::stop-commands::x", "%3A%2C"])
def test_what_looks_escaped_is_escaped_again(words):
    (line,) = github([of_words(words)])
    assert read(line)[2] == "; ".join([words] * 3)


def test_a_file_that_is_no_policy_is_annotated():
    (line,) = github([broken()])
    assert read(line)[1]["title"] == "P208"
