"""Every finding as its reader sees it: `golden/NAME.yaml` is a policy, `golden/NAME.txt` what is said about it.

`SCALEGATE_GOLDEN=write` writes the texts anew; read the difference before you keep it.
"""

import os
from pathlib import Path

import pytest

from scalegate.core.diagnostic import DiagnosticError
from scalegate.policy import check_bytes, load_bytes
from scalegate.policy.diagnose import CODES, render

GOLDEN = Path(__file__).parent / "golden"
POLICIES = sorted(GOLDEN.glob("*.yaml"))
ELSEWHERE = {"P100", "P101", "P102", "P103", "P113", "P407", "P511"}  # tests/policy/test_hostile.py, test_load.py


def shown(path: Path) -> str:
    found = check_bytes(path.read_bytes(), path.name)
    return "\n".join(render(item) for item in found) or "clean\n"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_findings_read_as_agreed(path: Path) -> None:
    answer = path.with_suffix(".txt")
    said = shown(path)
    if os.environ.get("SCALEGATE_GOLDEN") == "write":
        answer.write_text(said, encoding="utf-8")
    assert said == answer.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_loads_exactly_when_check_finds_no_error(path: Path) -> None:
    found = check_bytes(path.read_bytes(), path.name)
    errors = tuple(item for item in found if item.severity == "error")
    if not errors:
        assert load_bytes(path.read_bytes(), path.name).commitments
        return
    with pytest.raises(DiagnosticError) as refused:
        load_bytes(path.read_bytes(), path.name)
    assert refused.value.diagnostics == errors


def test_every_code_has_a_golden_text() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.txt"))
    assert {code for code in CODES if f" {code}: " not in texts} <= ELSEWHERE


def test_no_golden_text_is_left_behind() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {path.stem for path in POLICIES}
