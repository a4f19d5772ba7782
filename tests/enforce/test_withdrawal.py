"""Whether a hold ends what runs already is for the policy to say, context by context."""

import pytest

from tests.cli.lab import LEA
from tests.enforce.permits import HOST, POLICY, make_lab

CONTEXT = """
contexts:
  desk: {action: deploy.internal, withdraw: %s}
"""


def served(tmp_path, monkeypatch, withdraw):
    """A lab that serves a small model in a context."""
    lab = make_lab(tmp_path, monkeypatch, POLICY.replace("commitments:", f"{CONTEXT % withdraw}\ncommitments:"))
    files = tmp_path / "tiny"
    files.mkdir()
    (files / "weights").write_bytes(b"1")
    lab.declare("tiny", files)
    lab.file_of = tmp_path / "desk.permit"
    asked = ("gate", "deploy.internal", "--subject", "tiny", "--context", "desk")
    lab.do(*asked, "--permit", lab.file_of, "--job", "desk", "--host", HOST)
    return lab


def stands(lab):
    return lab.run("permit", "pulse", lab.file_of, "--out", lab.folder / "pulse").code


def tighten(lab):
    """Adopt a policy under which nothing may be served."""
    text = POLICY.replace("small-rsp", "strict-rsp").replace("effective compute > 1e15 FLOP", "everything")
    lab.do("policy", "adopt", lab.file("strict.yaml", text), *LEA)


@pytest.mark.parametrize(("withdraw", "code"), [("yes", 1), ("no", 0)])
def test_a_commitment_withdraws_what_runs_unless_the_context_says_otherwise(tmp_path, monkeypatch, withdraw, code):
    lab = served(tmp_path, monkeypatch, withdraw)
    assert stands(lab) == 0
    tighten(lab)
    asked = lab.run("gate", "deploy.internal", "--subject", "tiny", "--context", "desk")
    assert (asked.code, stands(lab)) == (1, code)


@pytest.mark.parametrize("withdraw", ["yes", "no"])
def test_a_stop_order_and_a_revocation_end_it_in_any_case(tmp_path, monkeypatch, withdraw):
    lab = served(tmp_path, monkeypatch, withdraw)
    lab.stop()
    assert stands(lab) == 1
    lab.do("stop", "lift", "stop-1", *LEA)
    assert stands(lab) == 0
    lab.do("permit", "revoke", "1", *LEA)
    assert stands(lab) == 1
