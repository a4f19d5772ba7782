"""The published form of an answer."""

import json

import jsonschema
import pytest

from scalegate.app.decision_schema import decision_schema
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def validator():
    schema = decision_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_page_the_command_and_the_code_have_one_schema(empty):
    page = json.loads((ROOT / "docs" / "decision.schema.json").read_text())
    assert page == decision_schema()
    assert empty.do("policy", "schema", "--decision").json == decision_schema()


def test_answers_of_every_kind_keep_to_it(lab, validator):
    lines = [
        "gate train --subject orion --to 4e24",
        "gate train --subject orion --to 4e26",
        "gate train --subject orion",
        "gate train --subject nobody --to 4e24",
        "gate train --subject orion --to 4e24 --dry-run",
        "gate deploy.api --subject orion --context somewhere",
        "gate evaluate --subject orion",
        "why train --subject orion --to 4e26",
        "why 1",
    ]
    for line in lines:
        found = lab.run(*line.split(), "--format", "json").json
        assert list(validator.iter_errors(found)) == []
    (lab.store / "checkpoint").unlink()
    assert list(validator.iter_errors(lab.gate("--format", "json").json)) == []


def test_the_schema_refuses_what_is_no_answer(lab, validator):
    good = lab.gate("--format", "json").json
    for change in (
        {"answer": "maybe"},
        {"to": 4e24},
        {"as_of": 0},
        {"live": "yes"},
        {"reasons": [{}]},
        {"unknown": 1},
    ):
        assert not validator.is_valid({**good, **change})
    for name in good:
        assert not validator.is_valid({key: good[key] for key in good if key != name})
