"""Laws of leases, boundaries and journals: nothing that a job counts or forgets takes it beyond its permit."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.job_events import JobReported, PermitClaimed
from scalegate.core.quantities import UNBOUNDED
from scalegate.enforce.boundary import Plan, last_step, save_by
from scalegate.enforce.journal import read_journal, starts, write_line
from scalegate.enforce.lease import lease_of, warning
from scalegate.enforce.permit import PermitError
from scalegate.ledger.jobs import mark_of, sign_report
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.trust_words import write_key
from tests.ledger.signers import Ed25519Signer

FLOP = st.integers(0, 10**27)
FACTOR = st.fractions(min_value=1, max_value=100, max_denominator=1000)
SUBJECT, MADE = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def claim(limit=1000, spent=0, factor=Fraction(1), **more):
    fields = {
        "decision": "sha256:" + "d" * 64, "action": "train", "subject": "orion", "context": "", "limit": limit,
        "expires": 10_000, "digest": SUBJECT, "listing": "", "spent": spent, "factor": factor, "scaffolds": ("*",),
        "evidence": "", "job": "job-1", "host": "h", "key": "", "follows": "",
    }  # fmt: skip
    return PermitClaimed(**fields | more)


def report(kind="checkpoint", digest=MADE, **more):
    fields = {
        "decision": "sha256:" + "d" * 64, "job": "job-1", "number": 1, "before": "", "kind": kind, "at": 5, "step": 3,
        "flop": 30, "readings": (), "reached": 30, "cause": "", "words": "", "digest": digest, "listing": "",
        "state": "", "ranks": 1, "signature": "",
    }  # fmt: skip
    return JobReported(**fields | more)


@given(limit=FLOP, spent=FLOP, factor=FACTOR)
def test_what_a_lease_leaves_never_reaches_beyond_its_limit(limit, spent, factor):
    if (limit - spent) / factor < 1:
        with pytest.raises(PermitError, match="permit-used"):
            lease_of(claim(limit, spent, factor))
        return
    lease = lease_of(claim(limit, spent, factor))
    left = lease.left(spent)
    assert spent + lease.worth(left) <= limit
    assert spent + (left + 1) * factor > limit


@given(left=FLOP, step=st.integers(0, 10**6), flop=st.integers(1, 10**20))
def test_the_last_step_fits_and_the_next_one_does_not(left, step, flop):
    last = last_step(left, Plan(flop), step)
    assert (last - step) * flop <= left < (last - step + 1) * flop


@given(one=FLOP, more=FLOP, factor=FACTOR)
def test_whoever_reached_more_has_less_left(one, more, factor):
    lease = lease_of(claim(10**30, 0, factor))
    assert lease.left(one + more) <= lease.left(one)


def test_a_lease_is_for_training_and_for_known_compute():
    with pytest.raises(PermitError, match="permit-action"):
        lease_of(claim(action="deploy.api"))
    with pytest.raises(PermitError, match="permit-unbounded"):
        lease_of(claim(spent=UNBOUNDED))


def test_a_lease_warns_by_compute_and_by_time_and_only_then():
    lease = lease_of(claim(1000))
    assert warning(lease, 500, 0, 0) == ""
    assert "left of the permit" in warning(lease, 950, 0, 0)
    assert "ends in" in warning(lease, 0, 9_500, 0)


def test_what_has_to_be_saved_is_begun_in_time():
    assert save_by(1_000, 0.0) == 995
    assert save_by(1_000, 100.0) == 700


def journal_of(*reports):
    signer = Ed25519Signer("job")
    key, lines, before = write_key(PublicKey("ed25519", signer.public)), b"", ""
    for number, item in enumerate(reports, 1):
        made = sign_report(replace(item, number=number, before=before), signer)
        lines, before = lines + write_line(made), mark_of(made)
    return lines, key


def test_a_journal_is_read_as_it_was_written():
    lines, key = journal_of(report("started", SUBJECT), report())
    assert [item.kind for item in read_journal(lines, "job-1", key)] == ["started", "checkpoint"]


@pytest.mark.parametrize("kept", [(1,), (1, 0), (0, 0), (0, 2)])
def test_a_journal_with_lines_out_of_place_is_none(kept):
    lines, key = journal_of(report("started", SUBJECT), report(), report("held"))
    parts = lines.split(b"\n")
    with pytest.raises(PermitError, match="journal-edited"):
        read_journal(b"\n".join([*(parts[place] for place in kept), b""]), "job-1", key)


def test_a_journal_of_another_job_or_key_is_none():
    lines, key = journal_of(report("started", SUBJECT))
    with pytest.raises(PermitError, match="journal-edited"):
        read_journal(lines, "job-2", key)
    with pytest.raises(PermitError, match="journal-edited"):
        read_journal(lines, "job-1", write_key(PublicKey("ed25519", Ed25519Signer("other").public)))


def test_a_checkpoint_counts_only_behind_the_subject_of_the_permit():
    told = [
        report("started", "sha256:" + "c" * 64),
        report(),
        report("started", SUBJECT),
        report(digest="x", reached=7),
    ]
    assert {item.digest for item in starts(told, claim())} == {SUBJECT, "x"}


def test_a_checkpoint_that_was_declared_with_less_than_it_cost_has_not_become_smaller():
    told = [report("started", SUBJECT), report(reached=500)]
    found = {item.digest: item.reached for item in starts(told, claim(digest=MADE, spent=20))}
    assert found[MADE] == 500
