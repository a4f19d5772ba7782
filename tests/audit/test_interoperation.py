"""The page about formats of others says what the code does."""

import base64
import json
import re

import pytest

from scalegate.ingest.prml import PREDICATES
from scalegate.ledger.codec import TAGS
from scalegate.ledger.event_schema import predicate_type
from scalegate.ledger.model_signing import PREDICATE_TYPE
from scalegate.ledger.predicates import SVR, TEST_RESULT, VSA
from scalegate.ledger.trust import parse_trust
from tests.cli.speakers import trust_file
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "interoperation.md"
TEXT = PAGE.read_text(encoding="utf-8")
EMITTED = {*map(predicate_type, TAGS.values()), SVR, TEST_RESULT, VSA}
ROW = re.compile(r"^\| `((?:urn|https)[^`]+)` \|.*\| (?:\[schema\]\((.+)\)|.+) \|$", re.MULTILINE)


def test_the_page_lists_each_predicate_that_is_emitted_and_no_other():
    rows = [match[1] for match in ROW.finditer(TEXT)]
    assert sorted(rows) == sorted(EMITTED)


def test_nowhere_does_the_page_name_a_predicate_that_is_neither_emitted_nor_read():
    named = set(re.findall(r"urn:scalegate:[a-z-]+:v\d+|https://(?:in-toto|slsa|falsify|model_signing)[^\s`)|]+", TEXT))
    assert named
    assert named <= EMITTED | {*PREDICATES.values(), PREDICATE_TYPE}


def test_the_schema_beside_a_predicate_is_of_that_predicate():
    linked = {match[1]: match[2] for match in ROW.finditer(TEXT) if match[2]}
    assert set(linked) == set(map(predicate_type, TAGS.values()))
    for name, path in linked.items():
        assert json.loads((PAGE.parent / path).read_text())["$id"] == name


def test_what_the_page_points_at_is_there():
    paths = {*re.findall(r"`(tests/[^`]+)`", TEXT)}
    links = {target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if ":" not in target}
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
    assert len(paths) > 6
    assert len(links) > 20


@pytest.mark.extra
def test_the_program_of_the_page_takes_a_permit_and_refuses_another_gate(lab, monkeypatch):
    pytest.importorskip("securesystemslib", reason="needs the extra `foreign`")
    from securesystemslib.exceptions import VerificationError  # noqa: PLC0415 - of the extra

    assert lab.gate().code == 0
    lab.do("ledger", "export", "audit-2026", "--attest")
    monkeypatch.chdir(lab.folder)
    program = re.search(r"```python\n(.+?)```", TEXT, re.DOTALL)[1]
    keys = {item.name: item.key.public for item in parse_trust(trust_file().read_text()).speakers}
    found = {"GATE": _base64(keys["acme gate"])}
    exec(program, found)  # noqa: S102 - what is tested
    (permit,) = found["permit"]
    assert permit.startswith("SCALEGATE_PERMIT:train?subject=orion")
    with pytest.raises(VerificationError):
        exec(program, {"GATE": _base64(keys["Ada Osei"])})  # noqa: S102 - what is tested


def _base64(data):
    return base64.b64encode(data).decode()
