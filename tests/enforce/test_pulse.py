"""Pulses: a permit that would not be given any more stops its job, and so does silence."""

import socket
import threading

import pytest

from scalegate.enforce.boundary import Plan
from scalegate.enforce.permit import PermitError, read_permit
from scalegate.enforce.pulse import Pulse, read_pulse, write_pulse
from scalegate.integrations.job_folder import JobFolder
from scalegate.integrations.job_key import JobKey
from scalegate.integrations.keeper import Files, Keeper
from scalegate.integrations.moments import ForwardClock
from scalegate.integrations.pulses import Pulses
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import LEA
from tests.enforce.permits import POLICY


@pytest.fixture
def pulsed(lab):
    """A lab with a permit, and a pulse of it."""
    files = lab.folder / "tiny"
    files.mkdir()
    (files / "weights").write_bytes(b"1")
    lab.declare("tiny", files)
    lab.permit_file = lab.permit("tiny", 10_000)
    lab.pulse_file = lab.folder / "pulse"
    lab.do("permit", "pulse", lab.permit_file, "--out", lab.pulse_file)
    lab.given = read_permit(lab.permit_file.read_bytes(), parse_trust(lab.trust.read_text()))
    return lab


def pulses_of(lab, clock=None):
    return Pulses(str(lab.pulse_file), lab.given, clock or ForwardClock(), every=60)


def test_a_permit_stands_while_nothing_happens(pulsed):
    found = pulses_of(pulsed)
    assert found.stopped(ForwardClock().exact()) == ""
    found.close()


@pytest.mark.parametrize("event", ["stop", "revocation"])
def test_what_happens_after_a_permit_was_given_stops_it(pulsed, event):
    found = pulses_of(pulsed)
    if event == "stop":
        pulsed.stop()
    else:
        pulsed.do("permit", "revoke", "1", *LEA)
    assert pulsed.run("permit", "pulse", pulsed.permit_file, "--out", pulsed.pulse_file).code == 1
    found.look()
    assert "would not give the permit any more" in found.stopped(ForwardClock().exact())
    found.close()


def test_a_pulse_that_is_late_is_a_hold(pulsed):
    until = read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given).until
    found = pulses_of(pulsed)
    assert "late" in found.stopped(until + 1)
    found.close()


def test_an_older_pulse_takes_the_place_of_none(pulsed):
    old = pulsed.pulse_file.read_bytes()
    found = pulses_of(pulsed)
    pulsed.stop()
    pulsed.run("permit", "pulse", pulsed.permit_file, "--out", pulsed.pulse_file)
    found.look()
    pulsed.pulse_file.write_bytes(old)
    found.look()
    assert found.stopped(ForwardClock().exact())
    found.close()


def test_a_pulse_that_the_gate_did_not_sign_is_none(pulsed):
    real = read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given)
    forged = write_pulse(real, JobKey.create(pulsed.folder / "forger"))
    with pytest.raises(PermitError, match="pulse-false"):
        read_pulse(forged, pulsed.given)
    pulsed.pulse_file.write_bytes(forged)
    with pytest.raises(PermitError, match="permit-lapsed"):
        pulses_of(pulsed)


def test_a_pulse_of_another_permit_is_none(pulsed):
    other = pulsed.permit("tiny", 9_000, job="job-2")
    pulsed.do("permit", "pulse", other, "--out", pulsed.pulse_file)
    with pytest.raises(PermitError, match="pulse-other"):
        read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given)


def test_without_any_pulse_nothing_begins(pulsed):
    pulsed.pulse_file.unlink()
    with pytest.raises(PermitError, match="permit-lapsed"):
        pulses_of(pulsed)


@pytest.mark.parametrize("data", [b"", b"{}", b"x" * 99, b'{"payload":"e30=","payloadType":"x","signatures":[]}'])
def test_what_is_no_pulse_is_none(pulsed, data):
    with pytest.raises(PermitError, match="pulse-false"):
        read_pulse(data, pulsed.given)


def test_a_pulse_survives_writing_and_reading(pulsed):
    found = read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given)
    assert isinstance(found, Pulse)
    assert (found.stands, found.decision) == (True, pulsed.given.claim.decision)


def renewed(lab):
    """The permit that takes over."""
    file = lab.permit("tiny", 20_000, name=f"{lab.permit_file.name}.next", follows=lab.permit_file)
    return read_permit(file.read_bytes(), parse_trust(lab.trust.read_text()))


def test_the_last_pulse_counts_after_a_renewal_until_the_first_one_of_the_new_permit(pulsed):
    until = read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given).until
    found = pulses_of(pulsed)
    found.follow(renewed(pulsed))
    assert found.stopped(until) == ""
    assert "no pulse" in found.stopped(until + 1)
    pulsed.do("permit", "pulse", pulsed.permit_file, "--out", pulsed.pulse_file, "--every", "1 hour")
    found.look()
    assert found.stopped(until + 1) == ""
    found.close()


def test_what_was_held_before_a_renewal_is_held_until_the_gate_says_otherwise(pulsed):
    further = renewed(pulsed)
    found = pulses_of(pulsed)
    pulsed.do("permit", "revoke", "1", *LEA)
    pulsed.run("permit", "pulse", pulsed.permit_file, "--out", pulsed.pulse_file)
    assert read_pulse(pulsed.pulse_file.read_bytes(), further).stands
    pulsed.file(f"{pulsed.permit_file.name}.next", "")
    pulsed.run("permit", "pulse", pulsed.permit_file, "--out", pulsed.pulse_file)
    found.look()
    found.follow(further)
    assert "would not give" in found.stopped(ForwardClock().exact())
    assert found.held == ""
    found.close()


def test_a_job_that_reads_pulses_goes_on_under_its_renewal(pulsed):
    keeper = Keeper(JobFolder(pulsed.permit_file, parse_trust(pulsed.trust.read_text())),
                    pulsed.around(pulse=str(pulsed.pulse_file)))  # fmt: skip
    keeper.begin(Files(pulsed.given.claim.digest, pulsed.given.claim.listing), Plan(1_000))
    renewed(pulsed)
    keeper._checked = -99.0
    assert keeper.check() == ("", "")
    assert keeper.lease.limit == 20_000
    keeper.close()


def test_a_pulse_says_what_time_is_past(pulsed):
    at = read_pulse(pulsed.pulse_file.read_bytes(), pulsed.given).at
    clock = ForwardClock(0, wall=lambda: 0.0)
    found = pulses_of(pulsed, clock)
    assert clock.now() >= at
    found.close()


def test_a_server_that_speaks_no_http_does_not_end_the_looking(pulsed):
    good = pulsed.pulse_file.read_bytes()
    answers = [b"HTTP/1.0 200 OK\r\n\r\n" + good, b"garbage\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + good]
    asked = threading.Event()

    def serve(server):
        for answer in answers:
            one, _ = server.accept()
            with one:
                one.recv(4096)
                one.sendall(answer)
        asked.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        place = f"http://127.0.0.1:{server.getsockname()[1]}/pulse"
        found = Pulses(place, pulsed.given, ForwardClock(), every=0.05)
        assert asked.wait(10)
        found.close()
        thread.join()


def test_a_permit_whose_added_policy_is_lost_does_not_stand(pulsed):
    extra = POLICY.replace("id: small-rsp", "id: extra")
    file = pulsed.permit("tiny", 4_000, job="extra", policy=pulsed.file("extra.yaml", extra))
    pulsed.do("permit", "pulse", file, "--out", pulsed.pulse_file)
    kept = [
        path for path in (pulsed.store / "blobs").rglob("*") if path.is_file() and path.read_bytes() == extra.encode()
    ]
    assert len(kept) == 1
    kept[0].unlink()
    said = pulsed.run("permit", "pulse", file, "--out", pulsed.pulse_file)
    assert (said.code, "is not kept here" in said.out) == (1, True)
