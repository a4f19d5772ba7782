import threading
from concurrent.futures import CancelledError
from contextlib import suppress

import pytest

from scalegate.core.events import DecisionMade, History, StopLifted
from scalegate.ledger import Ask, LocalStore, NotAdmittedEntryError, StoreError, StoreMissingError, StoreMovedError
from scalegate.ledger.sequencer import Sequencer
from tests.ledger.events import event
from tests.ledger.keys import MemoryKeys, make_trust

TRUST = make_trust()


@pytest.fixture
def folder(tmp_path):
    LocalStore.create(tmp_path / "store", TRUST, MemoryKeys("M. Ito"), 1_000).close()
    return tmp_path / "store"


class Watched(LocalStore):
    """A store that tells how large its groups were, and waits until it may commit."""

    def __init__(self, folder, keys):
        super().__init__(folder, keys)
        self.groups = []
        self.go = threading.Event()
        self.go.set()

    def commit(self, asks):
        self.go.wait(10)
        self.groups.append(len(asks))
        return super().commit(asks)


def watched(folder, keys=None, **options):
    """A sequencer, and the store that its thread opened."""
    made = []

    def open_store():
        made.append(Watched(folder, keys or MemoryKeys("M. Ito")))
        return made[0]

    sequencer = Sequencer(open_store, **options)
    return sequencer, made[0]


def read(folder):
    with LocalStore(folder) as store:
        history = store.history()
    assert history.fault == ""
    return history.entries


def test_what_is_acknowledged_is_in_the_log(folder):
    sequencer, _ = watched(folder)
    with sequencer:
        entry = sequencer.append(event(1), 2_000)
        assert read(folder)[entry.index] == entry


def test_entries_come_in_the_order_in_which_they_were_asked_for(folder):
    sequencer, _ = watched(folder)
    with sequencer:
        found = [sequencer.submit(Ask(event(number), 2_000)) for number in range(40)]
        assert [item.result().index for item in found] == list(range(1, 41))
    assert [entry.event for entry in read(folder)[1:]] == [event(number) for number in range(40)]


def test_those_who_ask_together_share_one_commit(folder):
    sequencer, store = watched(folder, wait=5.0, most=30)
    with sequencer:
        found = [sequencer.submit(Ask(event(number), 2_000)) for number in range(60)]
        for item in found:
            item.result(20)
    assert store.groups == [30, 30]


def test_a_group_waits_no_longer_than_it_was_told_to(folder):
    sequencer, store = watched(folder, wait=0.0)
    with sequencer:
        sequencer.append(event(1), 2_000)
        sequencer.append(event(2), 2_000)
    assert store.groups == [1, 1]


def test_many_threads_record_everything_once(folder):
    sequencer, store = watched(folder)

    def ask(writer):
        for number in range(10):
            sequencer.append(event(writer * 100 + number), 2_000)

    threads = [threading.Thread(target=ask, args=(writer,)) for writer in range(8)]
    with sequencer:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    orders = [entry.event.order for entry in read(folder)[1:]]
    assert len(orders) == len(set(orders)) == 80
    assert sum(store.groups) == 80


def test_closing_records_what_was_asked_before(folder):
    sequencer, store = watched(folder)
    store.go.clear()
    found = [sequencer.submit(Ask(event(number), 2_000)) for number in range(5)]
    closing = threading.Thread(target=sequencer.close)
    closing.start()
    store.go.set()
    closing.join()
    assert [item.result(0).index for item in found] == [1, 2, 3, 4, 5]
    assert len(read(folder)) == 6


def test_a_closed_sequencer_records_nothing(folder):
    sequencer, _ = watched(folder)
    sequencer.close()
    sequencer.close()
    with pytest.raises(StoreError, match="closed"):
        sequencer.append(event(1), 2_000)
    assert len(read(folder)) == 1


def test_who_cancels_in_time_is_left_out(folder):
    sequencer, store = watched(folder, wait=0.0)
    with sequencer:
        store.go.clear()
        first = sequencer.submit(Ask(event(1), 2_000))
        while not first.running():
            pass
        second = sequencer.submit(Ask(event(2), 2_000))
        assert second.cancel()
        store.go.set()
        assert first.result(10).index == 1
        with pytest.raises(CancelledError):
            second.result(0)
        assert not first.cancel()
    assert [entry.event for entry in read(folder)[1:]] == [event(1)]


# ---------------------------------------------------------------- what fails, fails alone


def test_what_the_log_does_not_admit_fails_alone(folder):
    sequencer, store = watched(folder, wait=5.0, most=4)
    forged = StopLifted("order-9", "M. Eve", "regulator")
    with sequencer:
        asks = [Ask(event(1), 2_000), Ask(forged, 2_000), Ask(event(2), 2_000, after="another"), Ask(event(3), 2_000)]
        first, second, third, last = [sequencer.submit(ask) for ask in asks]
        assert (first.result(10).index, last.result(10).index) == (1, 2)
        with pytest.raises(NotAdmittedEntryError, match=r"M\. Eve"):
            second.result(0)
        with pytest.raises(StoreMovedError):
            third.result(0)
    assert store.groups == [4]
    assert len(read(folder)) == 3


class SignerGoneError(Exception):
    """What an agent raises that was stopped."""


class BrokenKeys(MemoryKeys):
    """Keys of which one is with an agent that was stopped."""

    def signer(self, key):
        found = super().signer(key)
        if found is not None and found.seed.startswith(b"Lea Roth"):
            raise SignerGoneError
        return found


def test_a_signer_that_fails_fails_its_own_entry_only(tmp_path):
    trust = make_trust(speakers={"M. Ito": ["regulator"], "Lea Roth": ["regulator"]})
    keys = BrokenKeys("M. Ito", "Lea Roth")
    folder = tmp_path / "two"
    LocalStore.create(folder, trust, keys, 1_000).close()
    sequencer, _ = watched(folder, keys, wait=5.0, most=3)
    with sequencer:
        asks = [event(1), StopLifted("order-2", "Lea Roth", "regulator"), event(3)]
        first, second, last = [sequencer.submit(Ask(item, 2_000)) for item in asks]
        assert (first.result(10).index, last.result(10).index) == (1, 2)
        with pytest.raises(SignerGoneError):
            second.result(10)
    assert len(read(folder)) == 3


class Breaking(Watched):
    """A store that breaks behind its commit, when nobody knows what was recorded."""

    def commit(self, asks):
        super().commit(asks)
        raise MemoryError


def test_nothing_is_recorded_twice_when_the_store_breaks_behind_its_commit(folder):
    with Sequencer(lambda: Breaking(folder, MemoryKeys("M. Ito")), wait=5.0, most=2) as sequencer:
        found = [sequencer.submit(Ask(event(number), 2_000)) for number in range(2)]
        for item in found:
            with pytest.raises(MemoryError):
                item.result(10)
    assert len(read(folder)) == 3


class Full:
    """A store whose disk is full."""

    def history(self):
        return History(())

    def commit(self, asks):
        raise StoreError(f"no space for {len(asks)}")

    def close(self):
        pass


def test_a_store_that_cannot_record_tells_everybody_in_the_group():
    with Sequencer(Full, wait=5.0, most=2) as sequencer:
        found = [sequencer.submit(Ask(event(number), 2_000)) for number in range(2)]
        for item in found:
            with pytest.raises(StoreError, match="no space for 2"):
                item.result(10)


def test_a_store_that_does_not_open_is_no_sequencer(tmp_path):
    with pytest.raises(StoreMissingError):
        Sequencer(lambda: LocalStore(tmp_path))


def test_answers_on_one_head_are_numbered_in_their_group(folder):
    head = read(folder)[-1].digest
    answers = [
        DecisionMade(f"sha256:{number:064x}", "hold", "train", "orion", "", 0, 0, (), head, 0, TRUST.digest)
        for number in range(6)
    ]
    sequencer, _ = watched(folder)
    with sequencer:
        found = [sequencer.submit(Ask(answer, 2_000, head)) for answer in answers]
        assert [item.result(10).event.number for item in found] == [1, 2, 3, 4, 5, 6]


def test_an_event_made_on_a_head_that_moved_is_not_recorded(folder):
    head = read(folder)[-1].digest
    sequencer, _ = watched(folder)
    with sequencer:
        found = [sequencer.submit(Ask(event(number), 2_000, head)) for number in range(3)]
        entries = []
        for item in found:
            with suppress(StoreMovedError):
                entries.append(item.result(10))
        assert [entry.event for entry in entries] == [event(0)]
