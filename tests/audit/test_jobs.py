"""What an audit finds of jobs: claims that say too little, jobs that went too far, checkpoints without a permit."""

import json
import time
from dataclasses import replace

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import SubjectDeclared
from scalegate.core.job_events import JobReported
from scalegate.core.quantities import ComputeRange
from scalegate.core.subject import Edge, Subject
from scalegate.enforce.boundary import Plan
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.keeper import Files, Keeper
from scalegate.ledger.jobs import mark_of, sign_report
from scalegate.ledger.log import Ask
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import ADA, DAY, LEA
from tests.cli.speakers import keyring_in_use
from tests.enforce.permits import HOST, POLICY, make_lab

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


SEVEN, EIGHT = "sha256:" + "7" * 64, "sha256:" + "8" * 64
BINDS = POLICY.replace("> 1e15", "> 1e12").replace("    due:", "    accept: earlier runs\n    due:")


@pytest.fixture
def bound(tmp_path, monkeypatch):
    """A store whose policy binds from 1e12 FLOP on, with a model of 1e13 that was measured and may reach 3.9e13."""
    return begun(tmp_path, monkeypatch)


def begun(folder, patch, permit="3.9e13"):
    made = make_lab(folder, patch, BINDS)
    files = made.folder / "tiny"
    files.mkdir()
    (files / "weights").write_bytes(b"1")
    made.declare("tiny", files, "1e13")
    measured(made)
    if permit:
        made.given = made.permit("tiny", permit)
    return made


def measured(lab):
    lab.do("evidence", "register", "r0", "--evaluation", "autonomy", "--subject", "tiny", "--item-ids",
           lab.bank(100, 0), "--report-by", "10 days", *LEA)  # fmt: skip
    lab.do("evidence", "add", "r0", lab.log("r0.jsonl", [0.0] * 100), *LEA)


def add(lab, name, digest, *more):
    return lab.run("subject", "add", name, "--digest", digest, "--issuer", "acme", *more, *ADA)


def append(lab, event):
    with LocalStore(lab.store, keyring_in_use()) as store:
        store.append(event, lab.history().entries[-1].at)


def report_more(lab, **more):
    """Append one more report of the job, signed."""
    folder = folder_of(lab)
    last = [entry.event for entry in lab.history().entries if isinstance(entry.event, JobReported)][-1]
    append(lab, sign_report(replace(last, number=last.number + 1, before=mark_of(last), **more), folder.key))


def found_in(lab):
    """Verdicts and words about checkpoints."""
    return [(item["verdict"], item["message"]) for item in audited(lab)[1] if item["room"] == "checkpoints"]


def verdicts(lab):
    return [verdict for verdict, _ in found_in(lab)]


def wrong_reports(lab):
    return [item["message"] for item in audited(lab)[0] if item["room"] == "reports"]


def test_a_reported_checkpoint_is_not_declared_as_made_from_something_else(lab):
    trained(lab)
    add(lab, "other", EIGHT, "--from-scratch", "--compute", "1")
    for lineage in (("--from-scratch",), ("--parent", "continue:other"), ("--parent", "distill:tiny")):
        said = add(lab, "laundered", SEVEN, "--compute", "0", *lineage)
        assert (said.code, "checkpoint-reported" in said.err, "job-1" in said.err) == (1, True, True)


def test_a_checkpoint_that_was_declared_as_made_from_nothing_before_its_job_reported_it(lab):
    add(lab, "laundered", SEVEN, "--from-scratch", "--compute", str(9 * STEP))
    trained(lab)
    assert ["job-1 made laundered from tiny" in words for _, words in found_in(lab)] == [True]


def test_a_checkpoint_that_an_insider_declares_as_made_from_nothing_after_the_report(lab):
    trained(lab)
    past = Subject("laundered", SEVEN, "acme", "model", (), True, ComputeRange(9 * STEP, 9 * STEP), 1)
    append(lab, SubjectDeclared(past, "Ada Osei", "developer"))
    assert verdicts(lab) == ["failed"]


def test_a_checkpoint_that_was_declared_with_less_before_its_job_reported_it(lab):
    child(lab, "tiny-2", SEVEN, "--compute", "5")
    trained(lab)
    wrong, _ = audited(lab)
    assert ["the job that made it counted" in item["message"] for item in wrong] == [True]


def test_a_later_report_that_counts_less_changes_nothing(lab):
    trained(lab)
    report_more(lab, reached=1, flop=1)
    child(lab, "tiny-2", SEVEN, "--compute", "5")
    assert verdicts(lab) == ["failed"]


def test_files_that_were_declared_twice_with_different_pasts(lab):
    for name, parents, spent in (("alias", (), 0), ("stolen", (Edge("tiny", "continue"),), 20 * STEP)):
        past = Subject(name, EIGHT, "acme", "model", parents, True, ComputeRange(spent, spent), 1)
        append(lab, SubjectDeclared(past, "Ada Osei", "developer"))
    assert ("failed", True) in [(verdict, "other pasts" in words) for verdict, words in found_in(lab)]


def test_a_model_made_under_a_permit_where_a_policy_binds_is_covered(bound):
    child(bound, "tiny-2", EIGHT, "--compute", "2e13")
    assert verdicts(bound) == ["passed"]


def test_a_permit_that_was_revoked_before_covers_nothing(bound):
    bound.do("permit", "revoke", "1", *LEA)
    bound.stop()
    child(bound, "tiny-2", EIGHT, "--compute", "2e13")
    assert verdicts(bound) == ["failed"]


def test_a_permit_that_had_ended_before_covers_nothing(tmp_path, monkeypatch):
    now = [1_790_000_000]
    monkeypatch.setattr("scalegate.app.clock.SystemClock.now", lambda _: now[0])
    lab = begun(tmp_path, monkeypatch)
    now[0] += 200 * DAY
    child(lab, "tiny-2", EIGHT, "--compute", "2e13")
    assert verdicts(lab) == ["failed"]


def test_a_model_that_was_made_before_its_permit_was_given_is_not_covered(tmp_path, monkeypatch):
    now = [1_790_000_000]
    monkeypatch.setattr("scalegate.app.clock.SystemClock.now", lambda _: now[0])
    lab = begun(tmp_path, monkeypatch, "")
    now[0] += 2 * DAY
    lab.permit("tiny", "3.9e13")
    past = Subject(
        "tiny-2", EIGHT, "acme", "model", (Edge("tiny", "continue"),), True, ComputeRange(10**13, 10**13), now[0] - DAY
    )
    append(lab, SubjectDeclared(past, "Ada Osei", "developer"))
    assert [(verdict, "nobody asked" in words) for verdict, words in found_in(lab)] == [("impossible", True)]


def test_a_merge_needs_a_permit_for_each_of_its_parents(bound):
    add(bound, "other", "sha256:" + "e" * 64, "--from-scratch", "--compute", "2e12")
    bound.do("stop", "issue", "s1", "--subject", "other", *LEA)
    add(bound, "mix", EIGHT, "--parent", "merge:tiny", "--parent", "merge:other", "--compute", "1e12")
    assert verdicts(bound) == ["failed"]


@pytest.mark.parametrize(("stopped", "verdict"), [(False, "passed"), (True, "failed")])
def test_a_permit_covers_what_was_trained_on_step_by_step_unless_a_step_was_stopped(bound, stopped, verdict):
    child(bound, "tiny-2", EIGHT, "--compute", "1e13")
    if stopped:
        bound.do("stop", "issue", "s1", "--subject", "tiny-2", *LEA)
    add(bound, "tiny-3", "sha256:" + "a" * 64, "--parent", "continue:tiny-2", "--compute", "5e12")
    assert verdicts(bound) == [verdict]


def test_nobody_can_say_whether_a_span_of_compute_stayed_within_a_permit(bound):
    child(bound, "tiny-2", EIGHT, "--compute", "0..1e20")
    assert [(verdict, "tiny-2 stayed within" in words) for verdict, words in found_in(bound)] == [("impossible", True)]


def test_nobody_can_say_whether_a_model_of_unknown_compute_needed_a_permit(lab):
    add(lab, "alone", "sha256:" + "c" * 64, "--from-scratch", "--compute", "1")
    add(lab, "alone-2", EIGHT, "--parent", "continue:alone")
    assert [(verdict, "alone-2 needed a permit" in words) for verdict, words in found_in(lab)] == [("impossible", True)]


def test_what_nobody_asked_for_is_not_passed_because_it_would_be_permitted_now(tmp_path, monkeypatch):
    lab = begun(tmp_path, monkeypatch, "")
    child(lab, "tiny-2", EIGHT, "--compute", "2e13")
    assert [(verdict, "nobody asked" in words) for verdict, words in found_in(lab)] == [("impossible", True)]


def test_models_from_before_the_policy_and_of_others_are_counted(bound):
    add(bound, "old", SEVEN, "--from-scratch", "--compute", "5e14", "--made-at", "2025-01-01")
    for name, digit in (("old-2", "2"), ("old-3", "3")):
        add(bound, name, "sha256:" + digit * 64, "--parent", "fine-tune:old", "--compute", "1e12", "--made-at",
            "2025-02-01")  # fmt: skip
    bound.do("subject", "add", "base", "--digest", EIGHT, "--issuer", "meta", "--from-scratch", "--compute", "5e14",
             *ADA)  # fmt: skip
    bound.do("subject", "add", "chat", "--digest", "sha256:" + "4" * 64, "--issuer", "meta", "--parent",
             "fine-tune:base", "--compute", "1e12", *ADA)  # fmt: skip
    found = found_in(bound)
    assert [verdict for verdict, _ in found] == ["impossible", "impossible"]
    assert "2 models (old-2, old-3)" in found[0][1]
    assert "1 model (chat)" in found[1][1]


def test_students_and_models_of_unknown_lineage_are_counted(bound):
    add(bound, "student", SEVEN, "--parent", "distill:tiny", "--compute", "1e20")
    add(bound, "unknown", EIGHT, "--compute", "1e20")
    assert ["no job reported them" in words and "2 models" in words for _, words in found_in(bound)] == [True]


def test_teachers_that_no_policy_counts_take_nothing_from_a_permit(tmp_path, monkeypatch):
    lab = make_lab(tmp_path, monkeypatch, BINDS.replace("roles:\n", "teachers: do not count\n\nroles:\n", 1))
    lab.do("subject", "add", "teacher", "--digest", EIGHT, "--issuer", "meta", "--from-scratch", "--compute", "5e15",
           *ADA)  # fmt: skip
    add(lab, "tiny", SEVEN, "--parent", "distill:teacher", "--compute", "1.1e13")
    measured(lab)
    lab.do("gate", "train", "--subject", "tiny", "--to", "4e13")
    child(lab, "tiny-2", "sha256:" + "3" * 64, "--compute", "2e13")
    assert ("passed", True) in [(verdict, "1 trained model" in words) for verdict, words in found_in(lab)]
    assert audited(lab, "again")[0] == []


def test_a_report_of_a_resumption_is_no_checkpoint(lab):
    keeper = Keeper(folder_of(lab), lab.around())
    claim = keeper.folder.permit.claim
    keeper.begin(Files(claim.digest, claim.listing), Plan(STEP))
    for steps in (4, 5):
        for _ in range(steps):
            keeper.before_step()
        if steps == 4:
            keeper.saved(Files(SEVEN, ""))
    keeper.compared("resumption-exact", "same", Files(SEVEN, ""))
    keeper.close()
    lab.do("permit", "report", lab.given)
    child(lab, "tiny-4", SEVEN, "--compute", str(4 * STEP))
    assert verdicts(lab) == ["passed"]


@pytest.mark.parametrize(("more", "wrong"), [(0, 0), (1, 1)])
@pytest.mark.parametrize("kind", ["held", "ended", "checkpoint", "started"])
def test_only_a_report_of_more_compute_says_that_a_job_trained_on_after_its_end(lab, kind, more, wrong):
    trained(lab, 4)
    end = folder_of(lab).permit.claim.expires + 30 * DAY
    report_more(lab, kind=kind, at=end, flop=4 * STEP + more, reached=4 * STEP + more)
    assert ["trained on after its permit had ended" in words for words in wrong_reports(lab)] == [True] * wrong


def test_a_job_that_trained_on_after_its_permit_was_revoked(lab):
    trained(lab, 2)
    lab.do("permit", "revoke", "1", *LEA)
    late = lab.history().entries[-1].at + 1_000
    report_more(lab, at=late, flop=3 * STEP, reached=3 * STEP)
    assert wrong_reports(lab) == []
    report_more(lab, at=late + 9, flop=4 * STEP, reached=4 * STEP)
    assert ["trained on after its permit was revoked" in item["message"] for item in audited(lab, "two")[0]] == [True]


def test_a_job_that_counts_less_than_it_computed(lab):
    trained(lab)
    report_more(lab, flop=10**9 * STEP, reached=STEP)
    assert ["counts less than it computed" in words for words in wrong_reports(lab)] == [True]


def test_a_job_that_trains_on_a_permit_to_deploy(lab):
    lab.given = lab.folder / "serving"
    lab.do("gate", "deploy.internal", "--subject", "tiny", "--permit", lab.given, "--job", "s", "--host", HOST)
    folder = folder_of(lab)
    at, decision = lab.history().entries[-1].at, folder.permit.claim.decision
    told = JobReported(decision, "s", 1, "", "checkpoint", at, 9, 10**25, (), 0, "", "", EIGHT, "", "", 1, "")
    append(lab, sign_report(told, folder.key))
    assert ["which makes no weights" in words for words in wrong_reports(lab)] == [True]


def test_what_a_multiplier_may_add_is_no_least_compute(tmp_path, monkeypatch):
    lab = begun(tmp_path, monkeypatch, "")
    lab.do("subject", "multiplier", "tiny", "--high", "100", "--why", "unsure", *ADA)
    lab.given = lab.permit("tiny", "3.9e13")
    keeper = Keeper(folder_of(lab), lab.around())
    claim = keeper.folder.permit.claim
    keeper.begin(Files(claim.digest, claim.listing), Plan(10**10))
    for _ in range(5):
        keeper.before_step()
    keeper.held("compute-spent", "done", Files(SEVEN, ""))
    keeper.close()
    lab.do("permit", "report", lab.given)
    child(lab, "tiny-2", SEVEN)
    assert lab.history().entries[-1].event.subject.compute == ComputeRange(5 * 10**10, 5 * 10**12)
    assert verdicts(lab) == ["passed"]


@pytest.mark.parametrize("tree", [{"evidence": 5}, {"children": 5}, {"children": [[]]}, {"evidence": [{}]}])
def test_a_record_that_is_no_argument_is_not_to_be_trusted(lab, tree):
    history = lab.history()
    permit = next(entry.event for entry in history.entries if getattr(entry.event, "answer", "") == "permit")
    with LocalStore(lab.store, keyring_in_use()) as store:
        record = json.loads(store.get_blob(permit.decision)) | {"tree": tree}
        decision = store.put_blob(canonical_bytes(record))
        forged = replace(permit, decision=decision, number=permit.number + 1, head=history.head)
        store.append(forged, history.entries[-1].at, after=history.head)
        store.append(replace(folder_of(lab).permit.claim, decision=decision), history.entries[-1].at)
    assert any("is not to be trusted: its argument" in item["message"] for item in audited(lab)[0])


def test_a_long_chain_of_checkpoints_is_audited_in_no_time(lab):
    at = lab.history().entries[-1].at
    asks = []
    for number in range(200):
        parent = Edge(f"m{number - 1}" if number else "tiny", "continue")
        past = Subject(f"m{number}", f"sha256:{number:064x}", "acme", "model", (parent,), True, ComputeRange(9, 9), at)
        asks.append(Ask(SubjectDeclared(past, "Ada Osei", "developer"), at))
    with LocalStore(lab.store, keyring_in_use()) as store:
        store.commit(asks)
    begun_at = time.process_time()
    assert verdicts(lab) == ["passed"]
    assert time.process_time() - begun_at < 5
