"""Comparisons that the log keeps: what an amendment weakens, whether a regime is met, and who lies about either."""

import json

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.prove.amendment import document
from tests.cli.lab import ADA, ITO, LEA, POLICY
from tests.cli.speakers import trust_file

LOOSE = POLICY.replace('version: "1.2"', 'version: "1.3"').replace("autonomy <= 20%", "autonomy <= 30%")
REGIME = """\
scalegate: policy/v1
id: office
version: "1"
issuer: office
effective: 2026-01-01
kind: regime
binds: every developer above 1e24 FLOP
roles:
  developer: {}
  auditor: {independent of: [developer]}
  regulator: {independent of: [developer, auditor]}
evaluations:
  autonomy:
    kind: capability
    test: autonomy-bank@sha256:AAAA
    score: success rate
    by: auditor
    accept: earlier runs
    due: at 4x effective compute or 3 months, whichever is first
    no result, stop: at 6x or 4 months
commitments:
  line:
    hold: train
    unless shown: autonomy <= LIMIT
    once crossed: never
MORE
""".replace("AAAA", "a" * 64)


def last(lab):
    return lab.history().entries[-1].event


def regime(lab, limit, more=""):
    return lab.file("office.yaml", REGIME.replace("LIMIT", limit).replace("MORE", more))


def audit(lab):
    """Export the log and verify it; returns the checks of comparisons by their verdict."""
    lab.do("ledger", "export", "out")
    said = lab.run("verify", "out", "--trust", trust_file(), "--format", "json")
    checks = [item for item in said.json["checks"] if item["room"] == "comparisons"]
    return said, {
        verdict: [item["message"] for item in checks if item["verdict"] == verdict]
        for verdict in ("passed", "impossible", "failed")
    }


def test_an_amendment_without_its_difference_is_named(bare):
    bare.do("policy", "amend", bare.file("next.yaml", LOOSE), *ADA)
    _, found = audit(bare)
    assert any("difference it makes is not attached" in item for item in found["impossible"])


def test_the_difference_is_attached_and_verified_without_a_solver(bare, monkeypatch):
    bare.do("policy", "amend", bare.file("next.yaml", LOOSE), *ADA)
    said = bare.do("policy", "attach", *LEA)
    assert "weakened: commitment line" in said.out
    assert last(bare).answer == "no"
    monkeypatch.setitem(__import__("sys").modules, "z3", None)
    monkeypatch.setitem(__import__("sys").modules, "cvc5", None)
    _, found = audit(bare)
    assert found["failed"] == []
    assert any("situations replay" in item for item in found["passed"])
    assert not any("not attached" in item for item in found["impossible"])


def test_nothing_is_attached_to_what_was_never_amended(bare):
    assert bare.run("policy", "attach", *ADA).code == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(weakens=False),
        lambda data: data["changes"].clear(),
        lambda data: [item.update(kind="strengthened") for item in data["changes"]],
        lambda data: [item["witness"]["situation"].clear() for item in data["changes"] if item["witness"]],
        lambda data: data["comparison"]["findings"].clear(),
    ],
    ids=["weakens nothing", "no changes", "called strengthening", "empty situations", "nothing compared"],
)
def test_a_difference_that_lies_does_not_verify(bare, change, monkeypatch):
    def lying(*texts):
        data = json.loads(canonical_bytes(document(*texts)))
        change(data)
        return data

    monkeypatch.setattr("scalegate.app.attaching.document", lying)
    bare.do("policy", "amend", bare.file("next.yaml", LOOSE), *ADA)
    bare.do("policy", "attach", *LEA)
    said, found = audit(bare)
    assert said.code == 1
    assert found["failed"]


# ---------------------------------------------------------------- conformity


def test_a_policy_that_lets_through_what_the_regime_holds_does_not_conform(bare):
    bare.do("policy", "adopt", regime(bare, "10%"), *ITO)
    said = bare.run("regime", "certify", "office", *ITO)
    assert said.code == 1
    assert "autonomy may be as high as 20%" in said.out
    assert (last(bare).purpose, last(bare).answer) == ("conformity", "no")


def test_a_stricter_policy_conforms_and_the_certificate_verifies(bare):
    strict = POLICY.replace("resume only if shown: deception < 10% and vault", "resume only if shown: insight")
    bare.do("policy", "adopt", bare.file("second.yaml", strict.replace("id: acme-rsp", "id: acme-strict")), *ADA)
    bare.do("policy", "adopt", regime(bare, "60%"), *ITO)
    said = bare.do("regime", "certify", "office", *ITO)
    assert "conformity with office is recorded: yes" in said.out
    _, found = audit(bare)
    assert found["failed"] == []
    assert any("takes a solver" in item for item in found["impossible"])
    assert found["passed"]


def test_a_mandated_role_that_is_missing_is_a_no(bare):
    mandate = "mandates: {roles: {whistleblower: {independent of: [developer]}}}"
    bare.do("policy", "adopt", regime(bare, "60%", mandate), *ITO)
    said = bare.run("regime", "certify", "office", *ITO, "--format", "json")
    assert said.code == 1
    assert said.json["answer"] == "no"
    assert any("whistleblower" in item for item in said.json["lacks"])
    _, found = audit(bare)
    assert found["failed"] == []


def test_what_is_no_regime_is_not_certified(bare):
    assert bare.run("regime", "certify", "acme-rsp", *ITO).code == 2
