"""A log that somebody began anew where another one was, with a trust file of his own and no key of the company."""

import pytest

from scalegate.core.events import StopOrdered
from scalegate.core.log_events import TrustAdopted
from scalegate.ledger import LocalStore, StoreDamagedError
from scalegate.ledger.leaf import sign_leaf, write_statement
from scalegate.ledger.log import Log, Rows
from scalegate.ledger.standing import Standing
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, make_trust, trust_text
from tests.ledger.signers import Ed25519Signer

OURS = make_trust()
# The real people and their real keys, and another log key and gate.
HIS = make_trust(log="his log")


def begin(folder, trust, keys):
    """A store that begins with a trust file, and has a stop order."""
    with LocalStore.create(folder, trust, keys, 1_000) as store:
        store.append(StopOrdered("halt", (), "", "M. Ito", "regulator"), 1_001)


@pytest.fixture
def ours(tmp_path):
    begin(tmp_path / "ours", OURS, MemoryKeys("M. Ito", known=(OURS,)))
    return tmp_path / "ours"


@pytest.fixture
def his(tmp_path):
    begin(tmp_path / "his", HIS, MemoryKeys("M. Ito", own=("his log", "gate")))
    return tmp_path / "his"


def test_a_log_with_the_trust_file_that_is_kept_with_the_keys_is_read(ours):
    with LocalStore(ours, MemoryKeys(known=(OURS,))) as store:
        assert store.history().fault == ""
        assert len(store.history().entries) == 2


def test_a_log_that_was_begun_anew_is_not_taken_for_ours(his):
    with LocalStore(his, MemoryKeys("M. Ito", known=(OURS,))) as store:
        assert "adopts a trust file that is not accepted here" in store.history().fault
        with pytest.raises(StoreDamagedError):
            store.append(event(1), 1_002)


def test_who_keeps_no_trust_file_reads_any_log(his):
    with LocalStore(his) as store:
        assert store.history().fault == ""


def test_a_log_that_went_back_to_an_older_trust_file_is_a_fault(ours):
    newer = make_trust(more=(f"replaces {OURS.digest}",))
    with LocalStore(ours, MemoryKeys(known=(newer,))) as store:
        assert "is none of those that are kept with the keys" in store.history().fault
    with LocalStore(ours, MemoryKeys(known=(OURS, newer))) as store:
        assert store.history().fault == ""


class Failing:
    """A table that can be read once, and then not."""

    def __init__(self, rows):
        self.rows, self.calls = rows, 0

    def read(self, start):
        self.calls += 1
        if self.calls == 2:
            raise OSError(5, "Input/output error")
        return Rows(start, self.rows.leaves[start:], self.rows.note, self.rows.published)


def test_what_was_read_and_never_checked_does_not_stay_when_the_next_reading_fails():
    """Nobody vouches for the rows, so that they are read again with everything checked; and that reading fails."""
    standing = Standing()
    leaves = []
    first = TrustAdopted(OURS.digest, trust_text())
    for said, signer in ((first, "gate"), (StopOrdered("halt", (), "", "M. Ito", "regulator"), "stranger")):
        statement = write_statement(said, OURS.origin, 1, 1_000, standing.subjects_of(said))
        leaves.append(sign_leaf(statement, [Ed25519Signer(signer)])[1])
        standing.recall(leaves[-1])
    log = Log(Failing(Rows(0, list(enumerate(leaves)), b"no note", None)), MemoryKeys())
    with pytest.raises(OSError, match="Input/output"):
        log.history()
    assert "not signed with the key of `M. Ito`" in log.history().fault
    assert "not signed with the key of `M. Ito`" in log.history().fault
