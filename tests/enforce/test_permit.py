"""A permit file is checked offline, and whoever changes a byte of it, or has it without its key, has nothing."""

import base64
import json
import os

import pytest

from scalegate.core.job_events import PermitClaimed
from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError, read_permit
from scalegate.integrations.job_folder import JobFolder, open_folder
from scalegate.integrations.keeper import Files, HeldError, Keeper
from scalegate.integrations.moments import ForwardClock
from scalegate.ledger.errors import NotAdmittedEntryError
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import ADA, LEA
from tests.cli.speakers import keyring_in_use
from tests.enforce.permits import HOST

STEP = 1_000
PLAN = Plan(STEP)


@pytest.fixture
def tiny(lab):
    """A lab with a declared model of one file."""
    lab.files = lab.folder / "tiny"
    lab.files.mkdir()
    (lab.files / "weights").write_bytes(b"1" * 99)
    lab.declare("tiny", lab.files)
    return lab


@pytest.fixture
def file(tiny):
    """A permit of ten steps."""
    return tiny.permit("tiny", 10 * STEP)


def trust_of(lab):
    return parse_trust(lab.trust.read_text())


def subject_files(lab, name="tiny"):
    """Digests of a subject's files, as the log has them."""
    found = [entry.event.subject for entry in lab.history().entries if hasattr(entry.event, "subject")]
    subject = next(item for item in found if getattr(item, "name", "") == name)
    return Files(subject.digest, subject.listing)


def keeper(lab, file, **more):
    return Keeper(JobFolder(file, trust_of(lab)), lab.around(**more))


def refused(lab, file, code, **more):
    with pytest.raises(PermitError) as caught:
        keeper(lab, file, **more)
    assert caught.value.code == code, caught.value
    return True


def test_a_permit_grants_what_its_answer_granted(tiny, file):
    permit = read_permit(file.read_bytes(), trust_of(tiny))
    assert (permit.claim.limit, permit.claim.subject, permit.claim.job) == (10 * STEP, "tiny", "job-1")
    assert permit.claim.digest == subject_files(tiny).digest
    assert permit.decision.answer == "permit"


def test_no_change_of_a_single_character_changes_what_is_granted(tiny, file):
    whole, trust = file.read_bytes(), trust_of(tiny)
    mine, taken = read_permit(whole, trust), 0
    for place in range(0, len(whole), 7):
        other = bytes([whole[place] ^ 1])
        try:
            found = read_permit(whole[:place] + other + whole[place + 1 :], trust)
        except PermitError:
            continue
        # Spaces, and signatures by keys that the trust file does not count: they say nothing.
        assert found == mine
        taken += 1
    assert taken < len(whole) / 7 / 4


def test_edited_permit(tiny, file):
    value = json.loads(file.read_text())
    envelope = json.loads(value["claim"]["leaf"])
    payload = base64.b64decode(envelope["payload"])
    assert b'"limit":10000' in payload
    envelope["payload"] = base64.b64encode(payload.replace(b'"limit":10000', b'"limit":90000')).decode()
    value["claim"]["leaf"] = json.dumps(envelope, sort_keys=True, separators=(",", ":"))
    file.write_text(json.dumps(value))
    assert refused(tiny, file, "permit-unsigned")


def test_claim_of_another_permit_in_the_file(tiny, file):
    other = tiny.permit("tiny", 90 * STEP, job="job-2")
    value = json.loads(file.read_text())
    value["claim"] = json.loads(other.read_text())["claim"]
    file.write_text(json.dumps(value))
    assert refused(tiny, file, "permit-edited")


def test_answer_that_nobody_claimed(tiny):
    tiny.do("gate", "train", "--subject", "tiny", "--to", "5000")
    said = tiny.run("permit", "write", "1", tiny.folder / "x.permit")
    assert (said.code, "permit-unclaimed" in said.err) == (2, True)


def test_permit_of_another_log(tiny, file, tmp_path):
    text = tiny.trust.read_text() + "# of somebody else\n"
    other = tmp_path / "other.trust"
    other.write_text(text)
    with pytest.raises(PermitError, match="permit-trust"):
        open_folder(file, other)


def test_missing_permit_and_missing_trust(tiny, file, monkeypatch):
    monkeypatch.delenv("SCALEGATE_TRUST", raising=False)
    with pytest.raises(PermitError, match="permit-missing"):
        open_folder(None, tiny.trust)
    with pytest.raises(PermitError, match="permit-missing"):
        open_folder(tiny.folder / "nowhere", tiny.trust)
    with pytest.raises(PermitError, match="trust-missing"):
        open_folder(file)


def test_permit_copied_without_its_key(tiny, file):
    (tiny.folder / "elsewhere").mkdir()
    copy = tiny.folder / "elsewhere" / file.name
    copy.write_bytes(file.read_bytes())
    assert refused(tiny, copy, "job-key")


def test_permit_with_the_key_of_another_job(tiny, file):
    other = tiny.permit("tiny", 90 * STEP, job="job-2")
    key = other.with_name(other.name + ".key")
    key.replace(file.with_name(file.name + ".key"))
    assert refused(tiny, file, "job-key")


def test_key_that_others_can_read(tiny, file):
    file.with_name(file.name + ".key").chmod(0o644)
    assert refused(tiny, file, "job-key")


def test_permit_on_another_host(tiny, file):
    assert refused(tiny, file, "permit-host", host="elsewhere")


def test_permit_shared_by_two_processes(tiny, file):
    first = keeper(tiny, file)
    assert refused(tiny, file, "permit-in-use")
    first.close()
    keeper(tiny, file).close()


def test_permit_claimed_twice(tiny, file):
    """The log takes one claim of a permit, whoever has the gate's key."""
    claim = read_permit(file.read_bytes(), trust_of(tiny)).claim
    with LocalStore(tiny.store, keyring_in_use()) as store:
        again = PermitClaimed(**{name: getattr(claim, name) for name in claim.__slots__} | {"host": "elsewhere"})
        with pytest.raises(NotAdmittedEntryError, match="claimed by job `job-1`"):
            store.append(again, claim.expires - 9)


def test_expired_lease(tiny, file):
    end = read_permit(file.read_bytes(), trust_of(tiny)).claim.expires
    assert refused(tiny, file, "permit-expired", clock=lambda floor: ForwardClock(floor, wall=lambda: float(end)))


def test_clock_moved_back_during_the_job(tiny, file):
    """The lease ends by the monotonic clock, wherever the wall clock is set."""
    end = read_permit(file.read_bytes(), trust_of(tiny)).claim.expires
    wall, steady = [float(end - 50)], [0.0]
    found = ForwardClock(0, wall=lambda: wall[0], steady=lambda: steady[0])
    one = keeper(tiny, file, clock=lambda _: found)
    one.begin(subject_files(tiny), PLAN)
    wall[0], steady[0] = 0.0, 60.0
    one._checked = -99.0
    assert one.check()[0] == "permit-ending"
    assert found.now() == end + 10
    one.close()


def test_clock_moved_back_between_two_processes(tiny, file):
    """What a job reported is past, also where the wall clock says otherwise."""
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    reported = one.folder.reports[-1].at
    one.close()
    again = keeper(tiny, file, clock=lambda floor: ForwardClock(floor, wall=lambda: 5.0))
    assert again.begun >= reported
    again.close()


def test_swapped_checkpoint(tiny, file):
    one = keeper(tiny, file)
    with pytest.raises(PermitError, match="checkpoint-unknown"):
        one.begin(Files("sha256:" + "0" * 64, ""), PLAN)
    with pytest.raises(PermitError, match="checkpoint-names"):
        one.begin(Files(subject_files(tiny).digest, "sha256:" + "0" * 64), PLAN)
    one.close()


def test_not_one_step_beyond_the_limit(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    assert one.last == 10
    for _ in range(10):
        one.before_step()
    with pytest.raises(HeldError, match="compute-spent"):
        one.before_step()
    assert (one.step, one.flop, one.reached) == (10, 10 * STEP, 10 * STEP)
    one.close()


def test_step_that_costs_more_than_planned_counts_as_what_it_cost(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    one.before_step(8 * STEP)
    one.before_step()
    one.before_step()
    with pytest.raises(HeldError, match="compute-spent"):
        one.before_step()
    one.close()


def test_steps_that_cost_nothing_are_no_plan():
    with pytest.raises(PermitError, match="plan-free"):
        Plan(0)


def test_nothing_is_stepped_before_a_checkpoint_was_checked(tiny, file):
    one = keeper(tiny, file)
    with pytest.raises(HeldError, match="not-begun"):
        one.before_step()
    one.close()


def test_step_counter_reset(tiny, file):
    """A process that starts again goes on from what its checkpoint cost, whatever its own counters say."""
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    for _ in range(7):
        one.before_step()
    made = Files("sha256:" + "7" * 64, "sha256:" + "8" * 64)
    one.saved(made)
    one.close()
    again = keeper(tiny, file)
    again.begin(made, PLAN)
    assert (again.step, again.last) == (7, 10)
    again.close()


def test_restored_journal_forgets_checkpoints_and_grants_nothing(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    before = one.folder.journal.read_bytes()
    for _ in range(7):
        one.before_step()
    made = Files("sha256:" + "7" * 64, "sha256:" + "8" * 64)
    one.saved(made)
    one.close()
    one.folder.journal.write_bytes(before)
    again = keeper(tiny, file)
    with pytest.raises(PermitError, match="checkpoint-unknown"):
        again.begin(made, PLAN)
    again.close()


def test_edited_journal(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    one.saved(Files("sha256:" + "7" * 64, "sha256:" + "8" * 64))
    one.close()
    whole = one.folder.journal.read_bytes()
    one.folder.journal.write_bytes(whole.replace(b"7" * 64, b"6" * 64))
    assert refused(tiny, file, "journal-edited")
    one.folder.journal.write_bytes(b"\n".join(whole.split(b"\n")[1:]))
    assert refused(tiny, file, "journal-edited")


def test_a_line_that_a_crash_cut_off_is_written_over(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    one.close()
    with one.folder.journal.open("ab") as journal:
        journal.write(b'{"at":17')
    again = keeper(tiny, file)
    again.begin(subject_files(tiny), PLAN)
    again.close()
    assert [item.kind for item in JobFolder(file, trust_of(tiny)).reports] == ["started", "started"]


def test_multiplier_takes_from_what_a_permit_leaves(tiny):
    tiny.do("subject", "multiplier", "tiny", "--high", "2.5", "--why", "better data", *LEA)
    one = keeper(tiny, tiny.permit("tiny", 10 * STEP))
    one.begin(subject_files(tiny), PLAN)
    assert one.last == 4
    for _ in range(4):
        one.before_step()
    assert one.reached == 10 * STEP
    one.close()


def test_nobody_states_that_compute_is_worth_less_than_it_is(tiny):
    said = tiny.run("subject", "multiplier", "tiny", "--low", "0.5", "--high", "0.9", "--why", "x", *ADA)
    assert (said.code, "multiplier-range" in said.err) == (2, True)


def test_compute_of_the_whole_lineage_counts(tiny):
    (tiny.files / "weights").write_bytes(b"2" * 99)
    tiny.declare("child", tiny.files, 4 * STEP, "--parent", "continue:tiny")
    one = keeper(tiny, tiny.permit("child", 10 * STEP))
    one.begin(subject_files(tiny, "child"), PLAN)
    assert one.last == 6
    one.close()


def test_lineage_of_unknown_compute_leaves_nothing(tiny):
    (tiny.files / "weights").write_bytes(b"2" * 99)
    tiny.do("subject", "add", "stray", tiny.files, "--issuer", "acme", "--from-scratch", *ADA)
    said = tiny.run("gate", "train", "--subject", "stray", "--to", "10000", "--permit", tiny.folder / "s.permit",
                    "--job", "j", "--host", HOST)  # fmt: skip
    assert said.code != 0
    assert not (tiny.folder / "s.permit").exists()


def test_renewal_in_mid_run(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    for _ in range(10):
        one.before_step()
    further = tiny.permit("tiny", 15 * STEP, name=f"{file.name}.next", follows=file)
    one._checked = -99.0
    assert one.check() == ("", "")
    assert one.folder.file == further
    assert one.last == 15
    for _ in range(5):
        one.before_step()
    with pytest.raises(HeldError, match="compute-spent"):
        one.before_step()
    one.close()


def test_renewal_for_other_weights_renews_nothing(tiny, file):
    other = tiny.folder / "other"
    other.mkdir()
    (other / "weights").write_bytes(b"3")
    tiny.declare("other", other)
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), PLAN)
    tiny.permit("other", 90 * STEP, name=f"{file.name}.next", follows=file)
    one._checked = -99.0
    one.check()
    assert one.last == 10
    assert any("renews nothing" in text for text in tiny.told)
    one.close()


def test_permit_is_not_written_over_another_one(tiny, file):
    said = tiny.run("gate", "train", "--subject", "tiny", "--to", "9000", "--permit", file, "--job", "j")
    assert (said.code, "permit-exists" in said.err) == (2, True)


def test_a_lease_that_is_nearly_used_up_is_told_once(tiny, file):
    one = keeper(tiny, file)
    one.begin(subject_files(tiny), Plan(95 * STEP // 10))
    one.before_step()
    for _ in range(3):
        one._checked = -99.0
        one.check()
    assert sum("are left of the permit" in text for text in tiny.told) == 1
    one.close()


def test_a_permit_says_that_its_own_claim_is_past(tiny, file):
    """No witness has to have seen the log: the gate dated the claim."""
    claimed = tiny.history().entries[-1]
    assert read_permit(file.read_bytes(), trust_of(tiny)).seen == claimed.at
    one = keeper(tiny, file, clock=lambda floor: ForwardClock(floor, wall=lambda: 0.0))
    assert one.begun >= claimed.at
    one.close()


def test_a_copy_of_permit_and_key_in_another_folder_is_in_use(tiny, file):
    copied = tiny.copy(file, tiny.folder / "copy")
    first = keeper(tiny, file)
    assert refused(tiny, copied, "permit-in-use")
    first.close()
    keeper(tiny, copied).close()


def test_a_lock_that_cannot_be_opened_is_refused(tiny, file):
    place = JobFolder(file, trust_of(tiny)).journal.with_suffix(".lock")
    place.mkdir()
    assert refused(tiny, file, "permit-lock")
    place.rmdir()
    keeper(tiny, file).close()


@pytest.mark.parametrize("kind", ["link", "open"])
def test_a_folder_for_locks_that_others_could_write_is_refused(tiny, file, tmp_path_factory, monkeypatch, kind):
    runtime = tmp_path_factory.mktemp("run")
    place = runtime / f"scalegate-{os.getuid()}"
    if kind == "link":
        place.symlink_to(tiny.folder)
    else:
        place.mkdir()
        place.chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert refused(tiny, file, "permit-lock")


def test_a_job_that_is_started_as_before_goes_on_under_its_renewal(tiny, file):
    further = tiny.permit("tiny", 15 * STEP, name=f"{file.name}.next", follows=file)
    last = tiny.permit("tiny", 16 * STEP, name=f"{further.name}.next", follows=further)
    assert open_folder(file, tiny.trust).file == last
    last.write_bytes(tiny.permit("tiny", 17 * STEP, job="job-2").read_bytes())
    assert open_folder(file, tiny.trust).file == further
    further.write_text("no permit")
    assert open_folder(file, tiny.trust).file == file


@pytest.mark.parametrize(("job", "host"), [("job-1", "elsewhere"), ("job-2", HOST)])
def test_another_job_or_host_follows_nothing_and_gets_no_key(tiny, file, job, host):
    before = tiny.kinds()
    said = tiny.run("gate", "train", "--subject", "tiny", "--to", "9000", "--permit", tiny.folder / "x", "--job", job,
                    "--host", host, "--follows", file)  # fmt: skip
    assert (said.code, "permit-job" in said.err) == (2, True)
    assert tiny.kinds() == before
    assert not (tiny.folder / "x.key").exists()


def test_a_claim_that_leaves_nothing_is_not_recorded(tiny, file):
    """Nor does the refusal leave a copy of the key."""
    tiny.do("subject", "multiplier", "tiny", "--high", "1000", "--why", "a slip", *LEA)
    said = tiny.run("gate", "train", "--subject", "tiny", "--to", "5", "--permit", tiny.folder / "x", "--job", "job-1",
                    "--host", HOST, "--follows", file)  # fmt: skip
    assert (said.code, "permit-used" in said.err) == (1, True)
    assert tiny.kinds().count("PermitClaimed") == 1
    assert not (tiny.folder / "x.key").exists()


def test_a_slow_checkpoint_is_reserved_for_however_many_fast_steps_follow(tiny, file):
    """What is left before the end has to be enough for writing one more."""
    end = read_permit(file.read_bytes(), trust_of(tiny)).claim.expires
    wall = [float(end - 3_000)]
    one = keeper(tiny, file, clock=lambda floor: ForwardClock(floor, wall=lambda: wall[0], steady=lambda: 0.0))
    one.begin(subject_files(tiny), PLAN)
    one.took(600.0)
    for _ in range(1_000):
        one.took(0.001)
    one._checked = -99.0
    assert one.check() == ("", "")
    wall[0] = float(end - 1_799)
    one._checked = -99.0
    assert one.check()[0] == "permit-ending"
    one.close()


def test_a_long_pause_reserves_no_more_than_the_slowest_checkpoint_may_take(tiny, file):
    end = read_permit(file.read_bytes(), trust_of(tiny)).claim.expires
    wall = [float(end - 4 * 3_600)]
    one = keeper(tiny, file, clock=lambda floor: ForwardClock(floor, wall=lambda: wall[0], steady=lambda: 0.0))
    one.begin(subject_files(tiny), PLAN)
    one.took(11 * 86_400.0)
    one._checked = -99.0
    assert one.check() == ("", "")
    wall[0] = float(end - 3 * 3_600 + 1)
    one._checked = -99.0
    assert one.check()[0] == "permit-ending"
    one.close()
