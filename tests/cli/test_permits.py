"""Permits at the command line: claimed, waited for, renewed, and only under a log that enough witnesses saw."""

import json
import time
from contextlib import ExitStack

import pytest

from scalegate.enforce.permit import PermitError, read_permit
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.witnesses import NAMES, Witnesses

CLAIM = ("--permit", "orion.permit", "--job", "orion-17", "--host", "here")


@pytest.fixture
def seen(empty, monkeypatch):
    """A lab whose log two of three witnesses have to see, with a passing result."""
    monkeypatch.setenv("SCALEGATE_KEYS", str(empty.folder / "keys"))
    with ExitStack() as stack:
        empty.witnesses = Witnesses(empty, stack)
        empty.do("init", "--trust", empty.witnesses.trust, "--policy", empty.file("acme.yaml", POLICY), *ADA)
        empty.model("orion", "2e24")
        empty.measure("r1", 0)
        yield empty


def test_a_permit_is_claimed_by_the_question_that_asks_for_it(lab):
    said = lab.do("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    assert "claimed by job orion-17 on here" in said.err
    assert lab.kinds()[-2:] == ["DecisionMade", "PermitClaimed"]
    rows = lab.do("permit", "list", "--format", "json").json["permits"]
    assert [(row["job"], row["host"]) for row in rows] == [("orion-17", "here")]


def test_a_hold_claims_nothing_and_leaves_no_file(bare):
    said = bare.run("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    assert said.code == 1
    assert not (bare.folder / "orion.permit").exists()
    assert not (bare.folder / "orion.permit.key").exists()


@pytest.mark.parametrize(
    "more",
    [
        ("--permit", "x"),
        ("--job", "x"),
        ("--host", "x"),
        ("--follows", "x"),
        ("--permit", "x", "--job", "j", "--dry-run"),
        ("--permit", "x", "--job", "j", "--at", "2026-12-01"),
        ("--wait", "1 hour", "--dry-run"),
        ("--wait", "2026-12-01"),
        ("--permit", "x", "--job", "a job"),
        ("--permit", "x", "--job", "j", "--follows", "nowhere"),
    ],
)
def test_what_cannot_be_claimed_is_refused_before_the_gate_is_asked(lab, more):
    before = lab.kinds()
    said = lab.run("gate", "train", "--subject", "orion", "--to", "4e24", *more)
    assert said.code == 2
    assert lab.kinds() == before


def test_a_question_waits_until_it_is_permitted(bare, monkeypatch):
    """The evidence comes while it waits; only the answer that permits is recorded."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        bare.measure("r1", 0)

    monkeypatch.setattr(time, "sleep", sleep)
    said = bare.do("gate", "train", "--subject", "orion", "--to", "4e24", "--wait", "1 hour")
    assert said.out.startswith("PERMIT")
    assert len(slept) == 1
    assert bare.kinds().count("DecisionMade") == 1


def test_a_question_that_waited_in_vain_is_held(bare):
    begun = time.monotonic()
    said = bare.run("gate", "train", "--subject", "orion", "--to", "4e24", "--wait", "1 second")
    assert said.code == 1
    assert 1 <= time.monotonic() - begun < 20
    assert bare.kinds()[-1] == "DecisionMade"


def test_a_permit_in_the_file_is_checked_offline_and_says_what_it_allows(lab):
    lab.do("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    trust = lab.file("mine.trust", read_trust(lab))
    said = lab.do("permit", "check", "orion.permit", "--trust", trust, "--format", "json")
    assert (said.json["job"], said.json["limit"], said.json["left"]) == (
        "orion-17", "4000000000000000000000000", "2000000000000000000000000"
    )  # fmt: skip
    lab.now += 31 * 86_400
    assert lab.run("permit", "check", "orion.permit", "--trust", trust).code == 1
    whole = (lab.folder / "orion.permit").read_text()
    lab.file("orion.permit", whole.replace("trust", "Trust", 1))
    assert lab.run("permit", "check", "orion.permit", "--trust", trust).code == 4


def read_trust(lab):
    return next(entry.event.text for entry in lab.history().entries if hasattr(entry.event, "text"))


def test_a_permit_to_serve_is_claimed_by_a_service(lab):
    lab.do("gate", "study", "--subject", "orion", "--permit", "study.permit", "--job", "study", "--host", "h")
    value = json.loads((lab.folder / "study.permit").read_text())
    assert value["schema"] == "scalegate/permit/v1"


def test_a_permit_that_was_revoked_before_it_was_claimed_is_claimed_by_nobody(lab, monkeypatch):
    """Somebody is faster than the claim."""
    from scalegate.app import claiming  # noqa: PLC0415

    real = claiming.known_of

    def slow(*arguments):
        if not any(kind == "PermitRevoked" for kind in lab.kinds()):
            lab.do("permit", "revoke", "1", *LEA)
        return real(*arguments)

    monkeypatch.setattr(claiming, "known_of", slow)
    said = lab.run("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    assert (said.code, "permit-lapsed" in said.err) == (1, True)
    assert "PermitClaimed" not in lab.kinds()


# ---------------------------------------------------------------- witnesses


def test_a_permit_under_a_log_that_enough_witnesses_saw(seen):
    seen.do("ledger", "witness", "--timeout", "5")
    seen.do("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    trust = parse_trust(seen.witnesses.trust.read_text())
    found = read_permit((seen.folder / "orion.permit").read_bytes(), trust)
    assert found.seen == seen.now


def test_a_permit_that_no_witness_saw_in_the_log_is_written_once_they_have(seen):
    """They saw the log before the answer, and cannot be reached behind it."""
    seen.do("ledger", "witness", "--timeout", "5")
    for name in NAMES:
        seen.witnesses.stop(name)
    said = seen.run("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    assert said.code != 0
    assert "permit-unwitnessed" in said.err
    assert not (seen.folder / "orion.permit").exists()
    for name in NAMES:
        seen.witnesses.start(name)
    seen.do("permit", "write", "1", seen.folder / "orion.permit")
    trust = parse_trust(seen.witnesses.trust.read_text())
    assert read_permit((seen.folder / "orion.permit").read_bytes(), trust).claim.job == "orion-17"


def test_a_permit_is_none_under_a_stricter_trust_file(seen):
    seen.do("ledger", "witness", "--timeout", "5")
    seen.do("gate", "train", "--subject", "orion", "--to", "4e24", *CLAIM)
    stricter = parse_trust(seen.witnesses.trust.read_text().replace("group witnesses 2", "group witnesses 3"))
    with pytest.raises(PermitError, match="permit-trust"):
        read_permit((seen.folder / "orion.permit").read_bytes(), stricter)
