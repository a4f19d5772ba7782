"""A service and its permit: what holds it, and what lets it go on."""

import shutil
from dataclasses import replace

import pytest

from scalegate.enforce.permit import PermitError
from scalegate.enforce.pulse import read_pulse, write_pulse
from scalegate.integrations.job_key import JobKey
from scalegate.integrations.moments import ForwardClock
from scalegate.integrations.serving import Service, read_served
from tests.cli.lab import LEA
from tests.integrations.deployed import DAY, SAFEGUARD, deployed, edit, lab, renew, until

__all__ = ["deployed", "lab"]


@pytest.fixture
def service(lab):
    """A service that answers."""
    made = lab.service(lab.permit_file)
    made.begin()
    assert made.look().lease is not None, made.look()
    yield made
    made.close()


def code(service):
    """Why a service is held, once somebody looked."""
    found = service.look()
    assert (found.lease is None) == bool(found.code)
    assert service.stands().code == found.code
    return found.code


def test_a_permit_for_a_deployment_is_served(lab, service):
    lease = service.stands().lease
    assert (lease.action, lease.subject, lease.context) == ("deploy.partners", "chat", "desk")
    assert lease.scaffolds == ("bare", "tool-loop")
    assert lab.reports(service) == [("started", "")]


def test_nothing_is_answered_before_somebody_looked(lab):
    service = lab.service(lab.permit_file)
    assert service.stands().code == "not-begun"


def test_without_a_permit_nothing_is_answered(lab):
    assert code(lab.service(lab.folder / "none.permit")) == "permit-missing"


def test_without_a_trust_file_there_is_no_service(lab, monkeypatch):
    monkeypatch.delenv("SCALEGATE_TRUST", raising=False)
    with pytest.raises(PermitError, match="trust-missing"):
        Service(lab.permit_file, None, lab.around())


@pytest.mark.parametrize("part", ["claim", "decision"])
def test_an_edited_permit_is_not_answered_under(lab, part):
    edit(lab.permit_file, "deploy.partners", "deploy.api", part)
    assert code(lab.service(lab.permit_file)) in ("permit-edited", "permit-unsigned")


def test_a_file_that_is_no_permit_is_not_answered_under(lab):
    lab.permit_file.write_text(lab.permit_file.read_text().replace("permit/v1", "permit/v2"))
    assert code(lab.service(lab.permit_file)) == "permit-malformed"


def test_the_permit_of_another_host_is_not_answered_under(lab):
    assert code(lab.service(lab.permit_file, host="elsewhere")) == "permit-host"


def test_a_permit_without_the_key_of_its_job_is_a_copy(lab):
    (lab.folder / "svc.permit.key").unlink()
    assert code(lab.service(lab.permit_file)) == "job-key"


def test_the_key_of_another_job_does_not_fit(lab):
    lab.deploy("other", "deploy.internal", "team")
    shutil.copy2(lab.folder / "other.permit.key", lab.folder / "svc.permit.key")
    assert code(lab.service(lab.permit_file)) == "job-key"


def test_a_key_that_others_can_read_is_not_used(lab):
    (lab.folder / "svc.permit.key").chmod(0o644)
    assert code(lab.service(lab.permit_file)) == "job-key"


def test_a_permit_for_training_serves_nothing(lab):
    assert code(lab.service(lab.permit("tiny", 10**9))) == "permit-action"


def test_a_permit_that_has_ended_is_not_answered_under(lab):
    lab.ahead = 60 * DAY
    assert code(lab.service(lab.permit_file)) == "permit-expired"


def test_a_permit_ends_while_it_is_answered_under(lab, service):
    lab.ahead = 60 * DAY
    assert service.stands().code == "permit-expired"
    assert code(service) == "permit-expired"
    assert lab.reports(service) == [("started", ""), ("held", "permit-expired")]


def test_a_clock_that_is_set_back_makes_no_permit_longer(lab, service):
    lab.ahead = 29 * DAY
    before = service.now
    lab.ahead = -400 * DAY
    assert service.now >= before
    service.close()
    lab.ahead = 29 * DAY
    second = lab.service(lab.permit_file)
    second.begin()
    second.look()
    late = second.now
    second.close()
    lab.ahead = -400 * DAY
    third = lab.service(lab.permit_file)
    third.look()
    assert third.now >= late - 1
    third.close()


def test_an_edit_is_noticed_before_anybody_looks(lab, service):
    edit(lab.permit_file, "deploy.partners", "deploy.api")
    assert service.stands().code == "permit-changed"
    assert code(service).startswith("permit-")
    assert lab.reports(service)[-1][0] == "held"


def test_an_edit_that_keeps_size_and_times_is_noticed_by_the_next_look(lab, service):
    edit(lab.permit_file, "deploy.partners", "deploy.partnerz")
    service._marks = service._marks_now()
    assert service.stands().lease is not None
    assert code(service).startswith("permit-")


@pytest.mark.parametrize("name", ["svc.permit", "svc.permit.key"])
def test_a_removed_file_is_a_hold_and_its_return_ends_it(lab, service, name):
    kept = (lab.folder / name).rename(lab.folder / "kept")
    assert service.stands().code == "permit-changed"
    assert code(service) in ("permit-missing", "job-key")
    kept.rename(lab.folder / name)
    assert code(service) == ""
    assert [kind for kind, _ in lab.reports(service)] == ["started", "held", "started"]


def test_the_same_permit_written_again_is_the_same(lab, service):
    before = service.stands().lease
    lab.permit_file.write_bytes(lab.permit_file.read_bytes())
    assert service.stands().code == "permit-changed"
    assert service.look().lease == before
    assert lab.reports(service) == [("started", "")]


def test_a_renewal_goes_on_without_a_hold(lab, service):
    before = service.stands().lease
    renew(lab, lab.permit_file)
    after = service.look().lease
    assert after is not None
    assert after.decision != before.decision
    assert lab.reports(service) == [("started", "")]


@pytest.mark.parametrize(
    ("action", "context", "subject"),
    [
        ("deploy.partners", "second-desk", "chat"),
        ("deploy.internal", "team", "chat"),
        ("deploy.api", "desk", "chat"),
        ("deploy.partners", "desk", "tiny"),
    ],
)
def test_the_permit_of_another_deployment_is_none_for_this_one(lab, service, action, context, subject):
    renew(lab, lab.permit_file, action=action, context=context, subject=subject)
    assert code(service) == "permit-other"


def test_a_service_of_one_context_begins_with_no_permit_of_another(lab):
    assert code(lab.service(lab.permit_file, context="team")) == "permit-context"
    assert code(lab.service(lab.permit_file, context="")) == "permit-context"
    found = lab.service(lab.permit_file, context="desk")
    assert code(found) == ""
    found.close()


def test_a_permit_has_one_process(lab, service):
    second = lab.service(lab.permit_file)
    assert code(second) == "permit-in-use"
    service.close()
    assert code(second) == ""
    second.close()


def test_a_service_that_nobody_looks_after_is_held(service):
    service._looked -= 60
    assert service.stands().code == "guard-stalled"
    assert service.look().lease is not None
    assert service.stands().lease is not None


def test_an_ended_service_does_not_begin_again(lab, service):
    service.close()
    assert service.look().code == "over"
    assert service.stands().code == "over"
    assert [kind for kind, _ in lab.reports(service)] == ["started", "ended"]


def test_a_beginning_that_cannot_be_written_down_is_none(lab):
    service = lab.service(lab.permit_file)
    service.look()
    service._folder.journal.mkdir()
    service.begin()
    assert service.stands().code == "journal-unwritten"
    service._folder.journal.rmdir()
    assert code(service) == ""
    service.close()


def test_what_happened_is_recorded_in_the_log(lab, service):
    lab.permit_file.rename(lab.folder / "away")
    service.look()
    (lab.folder / "away").rename(lab.permit_file)
    service.look()
    service.close()
    lab.do("permit", "report", lab.permit_file)
    events = [entry.event for entry in lab.history().entries][-4:]
    assert [event.kind for event in events] == ["started", "held", "started", "ended"]
    assert events[0].words == "deploy.partners of chat in desk"
    assert {(event.reached, event.flop, event.digest) for event in events} == {(0, 0, "")}
    lab.do("ledger", "export", lab.folder / "out")
    said = lab.run("verify", lab.folder / "out", "--trust", lab.trust, "--format", "json")
    assert said.code == 3, "nobody can check custody without witnesses"
    found = {(item["room"], item["verdict"]) for item in said.json["checks"]}
    assert ("reports", "passed") in found
    assert not {verdict for _, verdict in found} & {"failed", "untrusted"}


def test_a_service_with_a_store_records_its_end_by_itself(lab):
    service = lab.service(lab.permit_file, store=str(lab.store))
    service.begin()
    service.look()
    service.close()
    assert lab.kinds()[-2:] == ["JobReported", "JobReported"]
    assert not [line for line in lab.told if "wait in" in line]


# ---------------------------------------------------------------- pulses


@pytest.fixture
def pulsed(lab):
    """A service that answers while pulses say so, its pulse, and the lab."""
    lab.pulse_file = lab.pulse(lab.permit_file)
    made = lab.service(lab.permit_file, pulse=str(lab.pulse_file))
    made.begin()
    assert made.look().lease is not None, made.look()
    yield made
    made.close()


def heard(service):
    """Have the pulse read now, and say why the service is held."""
    service._pulses.look()
    return code(service), service.stands().words


def test_without_a_first_pulse_nothing_is_answered(lab):
    place = lab.folder / "svc.pulse"
    service = lab.service(lab.permit_file, pulse=str(place))
    assert code(service) == "permit-lapsed"
    assert "there is no pulse" in service.stands().words
    lab.pulse(lab.permit_file)
    service._pulses.look()
    assert code(service) == ""
    service.close()


def test_a_late_pulse_is_a_hold_until_the_next_one(lab, pulsed):
    lab.ahead = 300
    assert pulsed.stands().code == "permit-lapsed"
    assert "late" in pulsed.stands().words
    lab.ahead = 0
    assert pulsed.stands().code == "permit-lapsed", "the clock only goes forward"
    lab.pulse(lab.permit_file, "svc.pulse", "--every", "2 hours")
    assert heard(pulsed)[0] == ""


def test_a_stop_order_is_heard_through_the_pulse(lab, pulsed):
    lab.stop()
    lab.pulse(lab.permit_file)
    found = heard(pulsed)
    assert found[0] == "permit-lapsed"
    assert "would not give the permit any more" in found[1]
    assert lab.reports(pulsed) == [("started", ""), ("held", "permit-lapsed")]


def test_a_held_permit_stays_held_whatever_pulse_or_file_comes_back(lab, pulsed):
    old = lab.pulse_file.read_bytes()
    lab.stop()
    lab.pulse(lab.permit_file)
    assert heard(pulsed)[0] == "permit-lapsed"
    lab.pulse_file.write_bytes(old)
    assert heard(pulsed)[0] == "permit-lapsed"
    lab.permit_file.write_bytes(lab.permit_file.read_bytes())
    assert heard(pulsed)[0] == "permit-lapsed"


def test_a_permit_that_was_held_is_not_freed_by_another_one_in_between(lab, pulsed):
    old_permit, old_pulse = lab.permit_file.read_bytes(), lab.pulse_file.read_bytes()
    renew(lab, lab.permit_file)
    new_permit = lab.permit_file.read_bytes()
    lab.permit_file.write_bytes(old_permit)
    lab.stop()
    lab.pulse(lab.permit_file)
    pulsed._pulses.look()
    lab.permit_file.write_bytes(new_permit)
    lab.pulse_file.write_bytes(old_pulse)
    assert heard(pulsed)[0] == "permit-lapsed"
    lab.permit_file.write_bytes(old_permit)
    found = heard(pulsed)
    assert found[0] == "permit-lapsed"
    assert "would not give" in found[1]


def test_an_older_pulse_does_not_replace_a_newer_one(lab, pulsed):
    old = lab.pulse_file.read_bytes()
    lab.model("later", "0")
    lab.pulse(lab.permit_file, "svc.pulse", "--every", "1 seconds")
    assert heard(pulsed)[0] == ""
    lab.pulse_file.write_bytes(old)
    pulsed._pulses.look()
    lab.ahead = 20
    assert heard(pulsed)[0] == "permit-lapsed", "the old one would be good for longer"


def test_a_pulse_by_another_key_says_nothing(lab, pulsed):
    """A whole pulse about this very permit, signed by a key that the trust file does not know as a gate."""
    pulse = read_pulse(lab.pulse_file.read_bytes(), pulsed._folder.permit)
    later = replace(pulse, number=pulse.number + 9, until=pulse.until + DAY)
    lab.pulse_file.write_bytes(write_pulse(later, JobKey(b"\x01" * 32)))
    pulsed._pulses.look()
    lab.ahead = 300
    found = heard(pulsed)
    assert found[0] == "permit-lapsed"
    assert "none of the gate" in found[1]


def test_the_pulse_of_another_permit_says_nothing(lab, pulsed):
    other = lab.deploy("other", "deploy.internal", "team")
    lab.pulse(other)
    lab.ahead = 300
    found = heard(pulsed)
    assert found[0] == "permit-lapsed"
    assert "another permit" in found[1]


def test_a_renewal_needs_a_pulse_of_its_own(lab, pulsed):
    """Until it comes, the last one of the permit before counts, for as long as it was good."""
    last = read_pulse(lab.pulse_file.read_bytes(), pulsed._folder.permit).until
    renew(lab, lab.permit_file)
    assert code(pulsed) == ""
    assert "no pulse" in pulsed._pulses.stopped(last + 1)
    lab.pulse(lab.permit_file, "svc.pulse", "--every", "1 hour")
    assert heard(pulsed)[0] == ""
    assert pulsed._pulses.stopped(last + 1) == ""


def test_a_thread_looks_at_the_pulse_by_itself(lab, pulsed):
    lab.do("permit", "revoke", "1", *LEA)
    lab.pulse(lab.permit_file)
    assert until(lambda: pulsed.stands().code) == "permit-lapsed"


# ---------------------------------------------------------------- weights


def test_the_files_of_a_system_are_those_of_its_permit(lab):
    served = read_served(lab.folder / "weights", (SAFEGUARD,), "bare")
    service = lab.service(lab.permit_file, served=served)
    assert code(service) == ""
    assert "compared with the permit once" in service.facts()["not_checked"][0]
    service.close()


@pytest.mark.parametrize("parts", [((), "bare"), ((SAFEGUARD,), ""), ((f"sha256:{'6' * 64}",), "bare")])
def test_other_parts_make_another_system(lab, parts):
    assert code(lab.service(lab.permit_file, served=read_served(lab.folder / "weights", *parts))) == "weights-other"


@pytest.mark.parametrize("change", ["byte", "added", "renamed", "gone"])
def test_other_files_than_those_of_the_model_are_held(lab, change):
    file = lab.deploy("model", subject="tiny")
    weights = lab.folder / "weights"
    if change == "byte":
        (weights / "a.bin").write_bytes(b"Weights")
    elif change == "added":
        (weights / "z.bin").write_bytes(b"adapter")
    elif change == "renamed":
        (weights / "a.bin").rename(weights / "b.bin")
    else:
        (weights / "a.bin").unlink()
    assert code(lab.service(file, served=read_served(weights))) == "weights-other"


def test_the_files_of_the_model_are_named_in_its_first_report(lab):
    file = lab.deploy("model", subject="tiny")
    served = read_served(lab.folder / "weights")
    service = lab.service(file, served=served)
    service.begin()
    assert code(service) == ""
    first = service._folder.reports[0]
    assert (first.digest, first.listing) == (served.files.digest, served.files.listing)
    service.close()


def test_weights_that_are_links_are_not_read(lab):
    (lab.folder / "weights" / "b.bin").symlink_to(lab.folder / "weights" / "a.bin")
    with pytest.raises(PermitError, match="weights-unfit"):
        read_served(lab.folder / "weights")


def test_what_a_guard_cannot_check_is_said(lab, service):
    facts = service.facts()
    assert facts["serves"]
    assert facts["permit"]["subject"] == "chat"
    assert facts["not_checked"][0].startswith("which weights the upstream serves")
    lab.permit_file.unlink()
    held = service.facts()
    assert (held["serves"], held["permit"], held["code"]) == (False, None, "permit-changed")


def test_a_clock_of_the_machine_is_the_default(lab):
    service = Service(lab.permit_file, lab.trust, lab.around())
    assert abs(service.now - ForwardClock().exact()) < 5
    service.close()
