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


def tighten(lab, withdraw=""):
    """Adopt a policy under which nothing may be served, and which may speak of the context itself."""
    text = POLICY.replace("small-rsp", "strict-rsp").replace("effective compute > 1e15 FLOP", "everything")
    if withdraw:
        text = text.replace("commitments:", f"{CONTEXT % withdraw}\ncommitments:")
    lab.do("policy", "adopt", lab.file("strict.yaml", text), *LEA)


@pytest.mark.parametrize(
    ("withdraw", "other", "code"),
    [("yes", "yes", 1), ("no", "no", 0), ("yes", "no", 0), ("no", "yes", 1), ("no", "", 1)],
)
def test_a_commitment_withdraws_what_runs_unless_its_policy_says_otherwise(
    tmp_path, monkeypatch, withdraw, other, code
):
    """Each policy speaks for its own holds: what one says of a context does not soften those of another."""
    lab = served(tmp_path, monkeypatch, withdraw)
    assert stands(lab) == 0
    tighten(lab, other)
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
