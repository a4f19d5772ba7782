"""Permits at the command line: claimed, waited for, renewed, and only under a log that enough witnesses saw."""

import json
import time
from contextlib import ExitStack

import pytest

from scalegate.app.ask import ask_live
from scalegate.app.book import Book
from scalegate.app.claiming import Claimant, claim
from scalegate.app.clock import SystemClock
from scalegate.app.refusal import RefusalError
from scalegate.core.decision import Request
from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError, read_permit
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.keeper import Files, Keeper
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.speakers import keyring_in_use
from tests.cli.witnesses import NAMES, Witnesses
from tests.enforce.permits import POLICY as PERMITS
from tests.enforce.permits import make_lab

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


# ---------------------------------------------------------------- reviewed


def test_teachers_do_not_count_in_a_claim_where_the_policy_does_not_count_them(tmp_path, monkeypatch):
    policy = PERMITS.replace("roles:\n", "teachers: do not count\n\nroles:\n", 1)
    made = make_lab(tmp_path, monkeypatch, policy)
    mark = ("--issuer", "acme", "--compute")
    made.do("subject", "add", "teacher", "--digest", "sha256:" + "1" * 64, "--from-scratch", *mark, "5000", *ADA)
    made.do("subject", "add", "student", "--digest", "sha256:" + "2" * 64, "--parent", "distill:teacher", *mark, "10",
            *ADA)  # fmt: skip
    file = made.permit("student", 4_000)
    assert read_permit(file.read_bytes(), parse_trust(made.trust.read_text())).claim.spent == 10


def test_two_jobs_that_asked_the_same_in_the_same_second_are_told_apart(lab):
    """Both have one answer, as it has one digest; the second job asks again."""
    with LocalStore(lab.store, keyring_in_use()) as store:
        book = Book(store, SystemClock())
        answer = ask_live(book, Request("train", "orion", 4 * 10**24, ""))
        claim(book, answer, Claimant("a", "here", lab.folder / "a.permit"))
        with pytest.raises(RefusalError) as caught:
            claim(book, answer, Claimant("b", "here", lab.folder / "b.permit"))
    assert caught.value.code == "permit-claimed"
    assert "ask again" in caught.value.hint
    lab.do(
        "gate", "train", "--subject", "orion", "--to", "4e24", "--permit", "b.permit", "--job", "b", "--host", "here"
    )


def test_reports_are_recorded_without_the_private_key(tmp_path, monkeypatch):
    made = make_lab(tmp_path, monkeypatch)
    files = made.folder / "tiny"
    files.mkdir()
    (files / "weights").write_bytes(b"1")
    made.declare("tiny", files)
    file = made.permit("tiny", 10_000)
    keeper = Keeper(JobFolder(file, parse_trust(made.trust.read_text())), made.around())
    keeper.begin(Files(keeper.folder.permit.claim.digest, keeper.folder.permit.claim.listing), Plan(1_000))
    keeper.close()
    file.with_name(f"{file.name}.key").unlink()
    assert made.do("permit", "report", file, "--format", "json").json["new"] == 1
    assert made.kinds()[-1] == "JobReported"


def test_an_added_policy_is_asked_again_and_its_contexts_count_in_the_claim(tmp_path, monkeypatch):
    base = PERMITS.replace("    by: auditor\n    due", "    by: auditor\n    accept: earlier runs\n    due")
    workshop = "\ncontexts:\n  workshop: {action: deploy.internal, scaffolds: [bare, swe]}\n"
    made = make_lab(tmp_path, monkeypatch, base)
    extra = made.file("extra.yaml", base.replace("id: small-rsp", "id: extra").replace("> 1e15", "> 1e13") + workshop)
    (made.folder / "o").mkdir()
    (made.folder / "o" / "w").write_bytes(b"1")
    made.declare("orion", made.folder / "o", "3e13")
    made.measure("r1", 0)
    file = made.permit("orion", "9e13", policy=extra)
    made.do("subject", "add", "sys", "--kind", "system", "--weights", "orion", "--issuer", "acme", "--scaffold", "bare",
            *ADA)  # fmt: skip
    service = made.folder / "d.permit"
    made.do("gate", "deploy.internal", "--subject", "sys", "--context", "workshop", "--policy", extra, "--permit",
            service, "--job", "svc", "--host", "h")  # fmt: skip
    claimed = read_permit(service.read_bytes(), parse_trust(made.trust.read_text())).claim
    assert claimed.scaffolds == ("bare", "swe")
    made.do("permit", "pulse", file, "--out", "pulse")
    made.measure("r2", 90)
    assert made.run("gate", "train", "--subject", "orion", "--to", "9e13").code == 0
    said = made.run("permit", "pulse", file, "--out", "pulse")
    assert (said.code, "refuted" in said.out) == (1, True)
