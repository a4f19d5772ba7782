"""`scalegate policy export`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scalegate.cli import exits
from tests.cli.lab import Lab
from tests.conftest import ROOT

RSP = ROOT / "examples" / "policies" / "rsp.yaml"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("cedar", ["lighthouse-rsp.cedar", "lighthouse-rsp.cedarschema", "lighthouse-rsp.input.json"]),
        ("rego", ["lighthouse-rsp.rego", "lighthouse-rsp.input.json"]),
    ],
)
def test_files_are_written_and_said(lab: Lab, language: str, names: list[str]) -> None:
    folder = lab.folder / "bridge"
    said = lab.do("policy", "export", RSP, "--to", language, "--out", folder, "--format", "json")
    assert said.json == {"policy": "lighthouse-rsp", "files": [str(folder / name) for name in names]}
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    again = lab.do("policy", "export", RSP, "--to", language, "--format", "json")
    assert again.json["files"] == {name: (folder / name).read_text() for name in names}
    assert json.loads((folder / "lighthouse-rsp.input.json").read_text())["additionalProperties"] is False


@pytest.mark.parametrize("language", ["cedar", "rego"])
def test_the_policy_alone_goes_to_stdout(lab: Lab, language: str) -> None:
    said = lab.do("policy", "export", RSP, "--to", language)
    whole = lab.do("policy", "export", RSP, "--to", language, "--format", "json").json["files"]
    assert said.out == whole[f"lighthouse-rsp.{language}"]
    assert "--out DIR" in said.err


def test_what_cannot_be_said_exactly_is_refused_with_its_place(lab: Lab) -> None:
    text = (ROOT / "examples" / "policies" / "calendar-pause.yaml").read_text()
    text = text.replace(
        "unless shown: after 2026-07-01", "unless shown: effective compute < 10000000000000000000000001"
    )
    path = lab.file("odd.yaml", text)
    said = lab.run("policy", "export", path, "--to", "cedar")
    assert said.code == exits.NO
    assert said.out == ""
    assert re.search(r"odd\.yaml:\d+", said.err)
    assert "P901" in said.err
    assert "64 bits" in said.err


def test_what_is_no_policy_is_malformed(lab: Lab) -> None:
    path = lab.file("broken.yaml", "scalegate: policy/v1\n")
    assert lab.run("policy", "export", path, "--to", "rego").code == exits.USAGE
    assert lab.run("policy", "export", RSP).code == exits.USAGE
    assert lab.run("policy", "export", RSP, "--to", "xacml").code == exits.USAGE


def test_a_folder_that_cannot_be_is_said(lab: Lab) -> None:
    taken = lab.file("taken", "a file")
    said = lab.run("policy", "export", RSP, "--to", "rego", "--out", taken)
    assert said.code == exits.USAGE
    assert "cannot write" in said.err


def test_the_page_names_every_kind_of_field() -> None:
    page = (ROOT / "docs" / "bridges.md").read_text()
    for word in ("to_e18", "to_rest", "growth", "stopped", "mandated_role_lacking", "gaps", "until", "reach_e18"):
        assert f"`{word}`" in page
