"""Attacks on runs that may end early, and words about them that say more than was shown, at the command line."""

from __future__ import annotations

from tests.cli.lab import LEA
from tests.cli.test_sequential import BANK, CLUSTERED, MEAN, log_of, order_of, reported, sequential


def test_two_items_are_no_bank(empty):
    """How many items the bank holds is the word of the policy, and not that of whoever registers."""
    empty.init(BANK)
    assert sequential(empty, bank=empty.bank(2)).code != 0
    assert "RunRegistered" not in empty.kinds()
    assert empty.gate().code == 1


def test_a_further_run_of_nothing_but_successes_ends_the_permit(bare):
    for run, score in (("s1", 0.0), ("s2", 1.0)):
        sequential(bare, run=run)
        bare.do("evidence", "add", run, log_of(bare, f"{run}.jsonl", dict.fromkeys(order_of(bare, run), score)), *LEA)
    assert bare.gate().code == 1


def test_one_cluster_is_one_mean(empty):
    empty.init(CLUSTERED)
    bank = empty.file("bank.txt", "".join(f"{item}\td{item // 3}\n" for item in range(30)))
    sequential(empty, bank=bank)
    first = order_of(empty)[:3]
    said = empty.do(
        "evidence", "add", "s1", log_of(empty, "l.jsonl", {first[0]: 1.0, first[1]: 0.0, first[2]: 0.0}), *LEA
    )
    assert reported(empty).outcomes == "1/3"
    assert "1 mean;" in said.out
    assert "success" not in said.out
    assert "1 mean" in empty.do("evidence", "list").out


def test_a_run_of_means_that_stopped_early_is_recorded_as_such(empty):
    """Its outcomes have more letters than the run has items, and it was taken for one that ran to its end."""
    empty.init(MEAN.replace(" in 2 tries", ""))
    sequential(empty)
    empty.run("evidence", "add", "s1", log_of(empty, "l.jsonl", dict.fromkeys(order_of(empty)[:200], 0.0)), *LEA)
    assert len(reported(empty).outcomes) > 300
    assert reported(empty).adaptive


def test_rewards_between_0_and_1_decide(empty):
    empty.init(MEAN.replace(" in 2 tries", ""))
    sequential(empty)
    scores = {item: (place % 4) / 32 for place, item in enumerate(order_of(empty))}
    said = empty.run("evidence", "add", "s1", log_of(empty, "l.jsonl", scores), *LEA)
    assert said.code == 0, said
    assert empty.gate().code == 0
