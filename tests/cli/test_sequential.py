"""Runs that may end early, at the command line: planned, registered in a fixed order, added, listed, drawn."""

from __future__ import annotations

import json
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest

from scalegate.core.events import ResultReported, RunRegistered
from scalegate.core.order import shuffled
from scalegate.stats.boundary import unpack
from scalegate.stats.crossing import crossing
from tests.cli.lab import ADA, LEA, POLICY
from tests.cli.speakers import trust_file

MEAN = POLICY.replace("score: success rate", "score: mean reward in 2 tries")
CLUSTERED = POLICY.replace("    score: success rate\n", "    score: success rate\n    clustered by: document\n")
BANK = POLICY.replace("    score: success rate\n", "    score: success rate\n    estimand: bank of 300 items\n")


def registered(lab, run="s1") -> RunRegistered:
    return next(
        entry.event
        for entry in lab.history().entries
        if isinstance(entry.event, RunRegistered) and entry.event.run == run
    )


def reported(lab, run="s1") -> ResultReported:
    return next(
        entry.event
        for entry in lab.history().entries
        if isinstance(entry.event, ResultReported) and entry.event.run == run
    )


def order_of(lab, run="s1") -> list[str]:
    kept = lab.store / "blobs"
    mark = registered(lab, run).sampling.order.removeprefix("sha256:")
    (path,) = [path for path in kept.rglob("*") if path.is_file() and mark in "".join(path.relative_to(kept).parts)]
    return [item for unit in json.loads(path.read_bytes()) for item in unit]


def sequential(lab, *more, run="s1", items=300, bank=None):
    path = bank or lab.bank(items)
    return lab.run("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion",
                   "--item-ids", path, "--sequential", "--report-by", "10 days", *more, *LEA)  # fmt: skip


def log_of(lab, name, scores: dict[str, float], **fields):
    rows = [
        json.dumps({"doc_id": int(item), "metrics": ["acc"], "acc": score, "file": name, **fields})
        for item, score in scores.items()
    ]
    return lab.file(name, "\n".join(rows))


# ---------------------------------------------------------------- registering


def test_the_order_is_drawn_and_the_boundaries_are_committed(bare):
    said = sequential(bare, "--at-most", "200")
    assert said.code == 0, said.err
    plan = registered(bare)
    assert (plan.items, plan.sampling.units, plan.sampling.bank, plan.order) == (200, 200, 300, "developer")
    ids = [str(item) for item in range(300)]
    assert order_of(bare) == list(shuffled(ids, plan.sampling.seed)[:200])
    assert order_of(bare) != sorted(order_of(bare))
    thresholds = {question.below for question in plan.sampling.questions}
    assert thresholds == {Fraction(1, 5), Fraction(35, 100), Fraction(1, 2)}
    for question in plan.sampling.questions:
        above = unpack(question.above, question.above_steps, 200)
        below = unpack(1 - question.below, question.below_steps, 200)
        assert crossing(above) <= question.above_error <= Fraction(9, 200)
        assert crossing(below) <= question.below_error <= Fraction(9, 10_000)


def test_another_registration_draws_another_order(bare):
    sequential(bare)
    sequential(bare, run="s2")
    assert order_of(bare) != order_of(bare, "s2")
    assert sorted(order_of(bare)) == sorted(order_of(bare, "s2"))


@pytest.mark.parametrize(
    ("policy", "more", "code", "word"),
    [
        (POLICY, ("--at-most", "1"), 2, "--at-most"),
        (POLICY, ("--at-most", "400"), 2, "items-impossible"),
        (POLICY, ("--evaluation", "insight"), 1, "insight"),
        (CLUSTERED, (), 2, "a tab, and its cluster"),
        (
            MEAN.replace("    by: auditor\n", "    by: auditor\n    estimand: bank of 300 items\n", 1),
            (),
            2,
            "bank-of-means",
        ),
    ],
    ids=["one", "more-than-there-are", "a-hole", "no-clusters", "bank-of-means"],
)
def test_what_cannot_be_sequential_is_refused(empty, policy, more, code, word):
    empty.init(policy)
    said = sequential(empty, *more)
    assert said.code == code, said
    assert word in said.err
    assert "RunRegistered" not in empty.kinds()


def test_at_most_is_for_sequential_runs(bare):
    said = bare.run("evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--items", "9",
                    "--at-most", "5", "--report-by", "10 days", *LEA)  # fmt: skip
    assert said.code == 2
    assert "--sequential" in said.err


def test_without_item_ids_there_is_no_order(bare):
    said = bare.run("evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--items", "90",
                    "--sequential", "--report-by", "10 days", *LEA)  # fmt: skip
    assert said.code == 2
    assert "error[order-open]" in said.err


def test_more_boundary_than_an_entry_holds_is_refused_with_a_number(bare):
    said = sequential(bare, bank=bare.bank(60_000))
    assert said.code == 2
    assert "error[boundaries-long]" in said.err
    most = said.err.split("plan at most ")[1].split()[0]
    assert sequential(bare, "--at-most", most, bank=bare.bank(60_000)).code == 0


def test_clusters_for_some_items_only_are_refused(empty):
    empty.init(CLUSTERED)
    said = sequential(empty, bank=empty.file("part.txt", "1\ta\n2\n"))
    assert said.code == 2
    assert "error[clusters-partial]" in said.err


# ---------------------------------------------------------------- adding


def test_the_first_clean_samples_of_the_order_permit(bare):
    sequential(bare)
    log = log_of(bare, "prefix.jsonl", dict.fromkeys(order_of(bare)[:60], 0.0))
    said = bare.do("evidence", "add", "s1", log, *LEA)
    assert "0 successes in the first 60 of 300 samples" in said.out
    assert reported(bare).outcomes == "0" * 60
    assert bare.gate().code == 0
    assert "0/60 of 300" in bare.do("evidence", "list").out


def test_a_favorable_choice_of_sixty_samples_shows_nothing(bare):
    """Whoever ran all items and kept those that failed has a hole at the first that is missing."""
    sequential(bare)
    order = order_of(bare)
    kept = dict.fromkeys(order[1:61], 0.0)
    bare.do("evidence", "add", "s1", log_of(bare, "picked.jsonl", kept), *LEA)
    assert reported(bare).outcomes == ""
    assert bare.gate().code == 1


def test_only_the_prefix_before_a_hole_counts(bare):
    sequential(bare)
    order = order_of(bare)
    bare.do("evidence", "add", "s1", log_of(bare, "l.jsonl", dict.fromkeys(order[:40] + order[41:], 0.0)), *LEA)
    assert reported(bare).outcomes == "0" * 40


def test_items_behind_the_plan_are_strangers(bare):
    sequential(bare, "--at-most", "100")
    ids = {str(item) for item in range(300)} - set(order_of(bare))
    said = bare.run("evidence", "add", "s1", log_of(bare, "l.jsonl", dict.fromkeys(sorted(ids)[:50], 0.0)), *LEA)
    assert said.code == 4
    assert "E415" in said.out


def test_means_of_two_tries_decide(empty):
    empty.init(MEAN)
    sequential(empty)
    said = empty.run("evidence", "add", "s1", log_of(empty, "l.jsonl", dict.fromkeys(order_of(empty)[:90], 0.05)), *LEA)
    assert said.code == 0, said
    assert reported(empty).outcomes == "", "one try of two is not a sample"
    assert empty.gate().code == 1


def test_clusters_are_one_sample_each(empty):
    empty.init(CLUSTERED)
    bank = empty.file("bank.txt", "".join(f"{item}\td{item // 3}\n" for item in range(300)))
    said = sequential(empty, "--at-most", "80", bank=bank)
    assert said.code == 0, said.err
    plan = registered(empty)
    assert (plan.items, plan.sampling.units, plan.sampling.bank) == (240, 80, 100)
    order = order_of(empty)
    scores = {item: float(int(item) % 30 == 0) for item in order[:200]}
    empty.do("evidence", "add", "s1", log_of(empty, "l.jsonl", scores), *LEA)
    words = reported(empty).outcomes.split(" ")
    assert len(words) == 66, "the last of 200 items are part of a sample"
    assert set(words) <= {"0", "1/3"}
    assert "66 means" in empty.do("evidence", "list").out
    answer = empty.gate()
    assert answer.code == 0, answer.out


def test_scores_beyond_one_are_no_means(empty):
    empty.init(MEAN.replace(" in 2 tries", ""))
    sequential(empty)
    said = empty.run("evidence", "add", "s1", log_of(empty, "l.jsonl", dict.fromkeys(order_of(empty)[:60], 7.0)), *LEA)
    assert said.code == 3
    assert "E502" in said.out
    assert empty.gate().code == 1


def test_a_mean_that_was_registered_to_be_looked_at_once_shows_nothing(empty):
    empty.init(MEAN.replace(" in 2 tries", ""))
    empty.measure("r1", 0)
    assert empty.gate().code == 1


# ---------------------------------------------------------------- audits


def audited(lab, rate=20):
    """Let the developer report a whole bank of 300 items, of which one in `rate` succeeds."""
    lab.do("evidence", "register", "lab", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
           lab.bank(300), "--report-by", "10 days", *ADA)  # fmt: skip
    scores = {str(item): float(item % rate == 0) for item in range(300)}
    lab.do("evidence", "add", "lab", log_of(lab, "lab.jsonl", scores), *ADA)
    return scores


def audit(lab, *more):
    return lab.run("evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--audits", "lab",
                   "--report-by", "10 days", *more, *LEA)  # fmt: skip


def test_an_auditor_who_runs_a_part_again_decides_with_few_items(empty):
    empty.init(BANK)
    scores = audited(empty)
    assert empty.gate().code == 1, "the developer's own result permits nothing"
    said = audit(empty)
    assert said.code == 0, said.err
    plan = registered(empty).sampling
    assert (plan.audits, plan.units, plan.bank) == ("lab", 300, 300)
    order = order_of(empty)
    assert plan.reported == "".join(str(int(scores[item])) for item in order)
    again = {item: scores[item] for item in order[:60]}
    empty.do("evidence", "add", "s1", log_of(empty, "again.jsonl", again, by="auditor"), *LEA)
    assert empty.gate().code == 0


def test_an_audit_that_contradicts_the_report_permits_nothing(empty):
    empty.init(BANK)
    audited(empty)
    audit(empty)
    again = dict.fromkeys(order_of(empty)[:60], 1.0)
    empty.do("evidence", "add", "s1", log_of(empty, "again.jsonl", again, by="auditor"), *LEA)
    assert empty.gate().code == 1
    assert "crossed" in empty.gate().out


@pytest.mark.parametrize(
    ("policy", "more", "code", "word"),
    [
        (POLICY, (), 2, "audit-population"),
        (BANK, ("--at-most", "50"), 2, "--sequential"),
        (BANK, ("--at-most", "50", "--sequential"), 2, "audit-part"),
    ],
)
def test_what_cannot_be_audited_is_refused(empty, policy, more, code, word):
    empty.init(policy)
    audited(empty)
    said = audit(empty, *more)
    assert said.code == code, said
    assert word in said.err


def test_an_audit_of_other_items_is_refused(empty):
    empty.init(BANK)
    audited(empty)
    said = audit(empty, "--item-ids", empty.bank(300, first=1))
    assert said.code == 2
    assert "audit-other" in said.err
    assert "bank-other" in audit(empty, "--item-ids", empty.bank(299)).err


def test_a_run_without_a_result_cannot_be_audited(empty):
    empty.init(BANK)
    sequential(empty, run="lab")
    said = audit(empty)
    assert said.code == 1
    assert "audit-nothing" in said.err


# ---------------------------------------------------------------- planning


def planned(lab, *more):
    said = lab.run("evidence", "plan", "autonomy", *more, "--format", "json")
    assert said.code in (0, 3), said
    return said.json


def test_a_plan_says_how_many_samples_decide(bare):
    said = bare.do("evidence", "plan", "autonomy", "--gap", "10%")
    assert "autonomy at 20%: a claim about the population" in said.out
    assert "to tell a gap of 10% in nine runs of ten, plan" in said.out
    rows = planned(bare, "--at-most", "300", "--rate", "5%", "--rate", "40%")["rows"]
    at_20 = [row for row in rows if row["below_threshold"] == "1/5"]
    low, high = at_20
    assert low["below"] > 0.99
    assert high["above"] > 0.99
    assert low["expected"] < low["nine_tenths"] < 300
    assert all(abs(row["above"] + row["below"] + row["undecided"] - 1) < 1e-6 for row in rows)
    assert bare.kinds().count("RunRegistered") == 0


def test_a_plan_of_means_says_that_bets_decide(empty):
    empty.init(MEAN)
    said = empty.do("evidence", "plan", "autonomy", "--at-most", "200", "--rate", "5%", "--gap", "10%")
    assert "bets decide" in said.out


def test_a_plan_says_so_when_none_is_enough(bare):
    said = bare.run("evidence", "plan", "autonomy", "--bank", "60", "--gap", "1%")
    assert said.code == 3
    assert "no plan among 60 items tells a gap of 1%" in said.out


def test_items_that_belong_together_stand_for_fewer_samples(bare):
    said = bare.do("evidence", "plan", "autonomy", "--gap", "10%", "--per-cluster", "5", "--correlation", "25%")
    most = int(said.out.split("plan ")[-1].split()[0])
    assert f"about {2 * most} items stand for them" in said.out


def test_a_bank_takes_fewer_samples_than_a_population(empty):
    empty.init(BANK)
    asked = ("--bank", "300", "--at-most", "300", "--rate", "10%")
    of_bank = planned(empty, *asked)
    other = empty.folder / "other"
    empty.do("init", "--trust", trust_file(), "--policy", empty.file("p.yaml", POLICY), "--store", other, *ADA)
    of_all = planned(empty, *asked, "--store", other)
    assert (of_bank["estimand"], of_all["estimand"]) == ("bank", "population")
    assert of_bank["rows"][0]["expected"] < 0.9 * of_all["rows"][0]["expected"]
    assert empty.run("evidence", "plan", "autonomy", "--bank", "299").code == 2, "its size is the policy's word"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--gap", "x"), "--gap"),
        (("--rate", "120%"), "between 0 and 1"),
        (("--bank", "10", "--at-most", "20"), "samples-many"),
        (("--at-most", "9000000"), "samples-many"),
    ],
)
def test_an_impossible_plan_is_refused(bare, more, word):
    said = bare.run("evidence", "plan", "autonomy", *more)
    assert said.code == 2
    assert word in said.err


def test_a_plan_of_what_nobody_asks_about_is_refused(bare):
    assert bare.run("evidence", "plan", "astrology").code == 2
    assert bare.run("evidence", "plan", "insight").code == 1


# ---------------------------------------------------------------- pictures


@pytest.mark.extra
def test_a_run_and_its_evaluation_are_drawn(bare):
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    sequential(bare)
    log = log_of(bare, "prefix.jsonl", dict.fromkeys(order_of(bare)[:60], 0.0))
    bare.do("evidence", "add", "s1", log, *LEA)
    for asked in (("--run", "s1"), ("--evaluation", "autonomy")):
        path = bare.folder / "p.svg"
        bare.do("evidence", "picture", path, *asked, "--threshold", "20%")
        root = ET.fromstring(path.read_text())  # noqa: S314 - our own picture
        assert root.tag.endswith("svg")
        assert "below" in path.read_text()


@pytest.mark.parametrize(
    ("asked", "code", "word"),
    [
        ((), 2, "one of --run and --evaluation"),
        (("--run", "r9"), 1, "never registered"),
        (("--run", "s1"), 1, "path-missing"),
        (("--evaluation", "autonomy"), 2, "threshold-unknown"),
        (("--evaluation", "autonomy", "--threshold", "50%"), 1, "nothing-measured"),
    ],
)
def test_what_cannot_be_drawn_says_why(bare, asked, code, word):
    sequential(bare)
    said = bare.run("evidence", "picture", bare.folder / "p.svg", *asked)
    assert said.code == code, said
    assert word in said.err
    assert not (bare.folder / "p.svg").exists()
