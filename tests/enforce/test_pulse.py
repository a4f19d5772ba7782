"""Pulses: a permit that would not be given any more stops its job, and so does silence."""

import pytest

from scalegate.enforce.permit import PermitError, read_permit
from scalegate.enforce.pulse import Pulse, read_pulse, write_pulse
from scalegate.integrations.job_key import JobKey
from scalegate.integrations.moments import ForwardClock
from scalegate.integrations.pulses import Pulses
from scalegate.ledger.trust import parse_trust
from tests.cli.lab import LEA


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
