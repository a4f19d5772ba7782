"""What an audit finds of jobs: claims that say too little, jobs that went too far, checkpoints without a permit."""

from dataclasses import replace

import pytest

from scalegate.core.job_events import JobReported
from scalegate.enforce.boundary import Plan
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.keeper import Files, Keeper
from scalegate.ledger.jobs import mark_of, sign_report
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import ADA
from tests.cli.speakers import keyring_in_use
from tests.enforce.permits import POLICY, make_lab

STEP = 10**13


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A store whose policy binds above 1e14 FLOP, with a declared model and a permit of nine steps up to there."""
    made = make_lab(tmp_path, monkeypatch, POLICY.replace("> 1e15", "> 1e14"))
    files = made.folder / "tiny"
    files.mkdir()
    (files / "weights").write_bytes(b"1")
    made.declare("tiny", files)
    made.given = made.permit("tiny", 9 * STEP)
    return made


def folder_of(lab):
    return JobFolder(lab.given, parse_trust(lab.trust.read_text()))


def trained(lab, steps=9):
    """Take some steps, and have them reported with a checkpoint."""
    folder = folder_of(lab)
    keeper = Keeper(folder, lab.around())
    claim = folder.permit.claim
    keeper.begin(Files(claim.digest, claim.listing), Plan(STEP))
    for _ in range(steps):
        keeper.before_step()
    keeper.held("compute-spent", "done", Files("sha256:" + "7" * 64, ""))
    keeper.close()
    lab.do("permit", "report", lab.given)


def child(lab, name, digest, *more):
    lab.do("subject", "add", name, "--digest", digest, "--issuer", "acme", "--parent", "continue:tiny", *more, *ADA)


def audited(lab, name="out"):
    """Export and verify; the failed checks."""
    lab.do("ledger", "export", lab.folder / name)
    said = lab.run("verify", lab.folder / name, "--trust", lab.trust, "--format", "json")
    return [item for item in said.json["checks"] if item["verdict"] in ("failed", "untrusted")], said.json["checks"]


def test_a_job_that_kept_to_its_permit_and_its_checkpoint_are_covered(lab):
    trained(lab)
    child(lab, "tiny-2", "sha256:" + "7" * 64)
    wrong, checks = audited(lab)
    assert wrong == []
    passed = {item["room"] for item in checks if item["verdict"] == "passed"}
    assert {"claims", "reports", "checkpoints"} <= passed


def test_what_a_job_counted_is_what_its_checkpoint_is_declared_with(lab):
    trained(lab, 4)
    child(lab, "tiny-2", "sha256:" + "7" * 64)
    declared = lab.history().entries[-1].event.subject
    assert (declared.compute.low, declared.compute.high) == (4 * STEP, 4 * STEP)


def test_checkpoint_declared_with_less_than_its_job_counted(lab):
    trained(lab)
    child(lab, "tiny-2", "sha256:" + "7" * 64, "--compute", "5")
    wrong, _ = audited(lab)
    assert [item["room"] for item in wrong] == ["checkpoints"]
    assert "and the job that made it counted" in wrong[0]["message"]


def test_checkpoint_without_a_permit(lab):
    child(lab, "stolen", "sha256:" + "9" * 64, "--compute", str(20 * STEP))
    wrong, _ = audited(lab)
    assert [(item["room"], "no permit covers that" in item["message"]) for item in wrong] == [("checkpoints", True)]


def test_checkpoint_below_every_scope_needs_no_permit(lab):
    child(lab, "small", "sha256:" + "9" * 64, "--compute", str(STEP))
    assert audited(lab)[0] == []


def test_checkpoint_beyond_its_permit(lab):
    trained(lab)
    child(lab, "far", "sha256:" + "9" * 64, "--compute", str(12 * STEP))
    assert [item["room"] for item in audited(lab)[0]] == ["checkpoints"]


def test_claim_that_leaves_out_what_was_spent(lab):
    """Whoever has the gate's key can claim anything; what the log knows says otherwise."""
    claim = folder_of(lab).permit.claim
    lab.do("gate", "train", "--subject", "tiny", "--to", str(8 * STEP))
    permit = lab.history().entries[-1].event
    false = replace(
        claim, decision=permit.decision, limit=permit.limit, expires=permit.expires, digest="sha256:" + "9" * 64
    )
    with LocalStore(lab.store, keyring_in_use()) as store:
        store.append(false, lab.history().entries[-1].at)
    wrong, _ = audited(lab)
    assert [item["room"] for item in wrong] == ["claims"]
    assert "says that the digest of tiny is" in wrong[0]["message"]


def test_job_that_says_it_went_too_far(lab):
    """The key of a job can say anything, and what it said stays."""
    trained(lab)
    folder = folder_of(lab)
    last = folder.reports[-1]
    more = replace(last, number=last.number + 1, before=mark_of(last), reached=20 * STEP, flop=20 * STEP)
    with LocalStore(lab.store, keyring_in_use()) as store:
        store.append(sign_report(more, folder.key), lab.history().entries[-1].at)
    wrong, _ = audited(lab)
    assert [(item["room"], "and was permitted" in item["message"]) for item in wrong] == [("reports", True)]


def test_report_that_the_job_did_not_sign_is_not_admitted(lab):
    trained(lab)
    last = folder_of(lab).reports[-1]
    forged = replace(last, number=last.number + 1, words="another")
    with LocalStore(lab.store, keyring_in_use()) as store, pytest.raises(Exception, match="report"):
        store.append(forged, lab.history().entries[-1].at)
    assert sum(isinstance(entry.event, JobReported) for entry in lab.history().entries) == 2


def test_a_journal_that_tells_the_log_another_story_is_refused(lab):
    trained(lab)
    folder = folder_of(lab)
    folder.journal.unlink()
    keeper = Keeper(JobFolder(lab.given, parse_trust(lab.trust.read_text())), lab.around())
    claim = keeper.folder.permit.claim
    keeper.begin(Files(claim.digest, claim.listing), Plan(STEP))
    keeper.saved(Files("sha256:" + "6" * 64, ""))
    keeper.close()
    said = lab.run("permit", "report", lab.given)
    assert (said.code, "journal-forked" in said.err) == (4, True)
