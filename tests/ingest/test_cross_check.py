"""Every redundant copy of a log, edited alone, is noticed; honest logs of every kind are not accused."""

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest.inspect_metrics import mean_of, reduce_tries, same, stderr_of
from scalegate.ingest.read import read_log
from tests.ingest.logs import binary_log, codes, log_of, sample, score, write


def untrusted(folder: Path, log) -> list[str]:
    return codes(read_log(write(folder, log)).findings, "untrusted", "malformed")


def honest():
    return binary_log(["C", "I", "C", "N", "C", "P"])


def set_metric(log):
    log["header"]["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.1


def raise_metric_a_little(log):
    log["header"]["results"]["scores"][0]["metrics"]["accuracy"]["value"] += 1e-6


def flip_samples(log):
    for row in log["samples"]:
        row["scores"]["match"] = score("I")


def flip_one_sample(log):
    log["samples"][0]["scores"]["match"] = score("I")


def flip_a_summary(log):
    log["summaries"][1]["scores"]["match"] = score("C")


def delete_a_sample(log):
    del log["samples"][2]


def delete_a_summary(log):
    del log["summaries"][2]


def delete_all_summaries(log):
    del log["summaries"]


def flip_a_reduction(log):
    log["reductions"][0]["samples"][0]["value"] = 0.0


def delete_a_reduction(log):
    del log["reductions"][0]["samples"][0]


def reduce_an_item_twice(log):
    log["reductions"][0]["samples"].insert(0, {"sample_id": 1, "value": 0.0})


def delete_everywhere_but_in_the_counts(log):
    for part in (log["samples"], log["summaries"], log["reductions"][0]["samples"]):
        del part[1]
    log["header"]["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 3.5 / 5
    log["header"]["results"]["scores"][0]["scored_samples"] = 5


def raise_the_total(log):
    log["header"]["results"]["total_samples"] = 7


def lower_the_completed(log):
    log["header"]["results"]["completed_samples"] = 2


def wrong_scored_count(log):
    log["header"]["results"]["scores"][0]["scored_samples"] = 5


def unplan_an_item(log):
    log["header"]["eval"]["dataset"]["sample_ids"].remove(3)
    log["header"]["results"]["total_samples"] = 5


def unplanned_epoch(log):
    for part in (log["samples"], log["summaries"]):
        part[0]["epoch"] = 2


def hide_an_error_in_the_summary(log):
    log["samples"][1]["error"] = {"message": "x"}


def invent_an_error(log):
    log["summaries"][1]["error"] = "x"


def invent_a_limit(log):
    log["summaries"][1]["limit"] = "token"


def drop_a_scorer_from_the_samples(log):
    for row in log["samples"]:
        row["scores"] = {}


def plan_an_item_twice(log):
    log["header"]["eval"]["dataset"]["sample_ids"].append(1)


@pytest.mark.parametrize(
    ("edit", "first"),
    [
        (set_metric, "E403"),
        (raise_metric_a_little, "E403"),
        (flip_samples, "E401"),
        (flip_one_sample, "E401"),
        (flip_a_summary, "E401"),
        (delete_a_sample, "E402"),
        (delete_a_summary, "E402"),
        (delete_all_summaries, "E410"),
        (flip_a_reduction, "E404"),
        (delete_a_reduction, "E404"),
        (reduce_an_item_twice, "E404"),
        (delete_everywhere_but_in_the_counts, "E405"),
        (raise_the_total, "E405"),
        (lower_the_completed, "E405"),
        (wrong_scored_count, "E405"),
        (unplan_an_item, "E406"),
        (unplanned_epoch, "E409"),
        (hide_an_error_in_the_summary, "E411"),
        (invent_an_error, "E411"),
        (invent_a_limit, "E411"),
        (drop_a_scorer_from_the_samples, "E401"),
        (plan_an_item_twice, "E408"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_one_edited_copy_is_noticed(tmp_path: Path, edit, first: str):
    log = honest()
    assert untrusted(tmp_path, log) == []
    edit(log)
    assert untrusted(tmp_path, log)[0] == first


def test_tampering_without_summaries_to_betray_it_shows_in_reductions_and_metrics(tmp_path: Path):
    log = honest()
    flip_samples(log)
    log["summaries"] = copy.deepcopy(log["samples"])
    assert untrusted(tmp_path, log) == ["E404", "E403"]


@given(
    st.lists(
        st.lists(st.sampled_from(["C", "I", "P", "N", 1, 0.25, True, float("nan")]), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    )
)
def test_honest_logs_with_epochs_are_never_accused(tmp_path_factory, items):
    folder = tmp_path_factory.mktemp("log")
    rows = [
        sample(f"q{number}", value, epoch)
        for epoch in (1, 2, 3)
        for number, tries in enumerate(items)
        for value in tries[epoch - 1 : epoch]
    ]
    assert untrusted(folder, log_of(rows, epochs=3)) == []


def test_errors_that_were_scored_may_count_or_not(tmp_path: Path):
    rows = [sample(1, "C"), sample(2, "I"), sample(3, "I", error={"message": "x"})]
    log = log_of(rows)
    assert untrusted(tmp_path, log) == []
    block = log["header"]["results"]["scores"][0]
    block["metrics"]["accuracy"]["value"] = 0.5
    block["scored_samples"] = 2
    assert untrusted(tmp_path, log) == []
    block["metrics"]["accuracy"]["value"] = 0.6
    assert untrusted(tmp_path, log) == ["E403"]


def test_custom_metrics_reducers_and_conversions_are_noted_not_accused(tmp_path: Path):
    log = honest()
    log["header"]["eval"]["scorers"] = [
        {"name": "match", "metrics": [{"name": "accuracy"}, {"name": "inspect_ai/std"}]}
    ]
    set_metric(log)
    found = read_log(write(tmp_path, log))
    assert codes(found.findings) == ["E703", "E701"]
    log = honest()
    log["header"]["results"]["scores"][0]["reducer"] = log["reductions"][0]["reducer"] = "best_of_mine"
    assert codes(read_log(write(tmp_path, log)).findings) == ["E704", "E703", "E701"]
    log = honest()
    for rows in (log["samples"], log["summaries"]):
        rows[0]["scores"]["match"] = score("excellent")
    assert codes(read_log(write(tmp_path, log)).findings) == ["E704", "E703", "E701", "E702"]


def test_a_reported_standard_error_that_is_not_that_of_the_samples_is_noted(tmp_path: Path):
    log = binary_log(["C", "I", "C", "I"])
    metrics = log["header"]["results"]["scores"][0]["metrics"]
    metrics["stderr"] = {"name": "stderr", "value": (1 / 12) ** 0.5}
    assert codes(read_log(write(tmp_path, log)).findings) == []
    metrics["stderr"]["value"] = 0.1
    assert codes(read_log(write(tmp_path, log)).findings) == ["E708"]


@pytest.mark.parametrize(
    ("reducer", "values", "accepted"),
    [
        ("mean", ["C", "I", "P"], (0.5,)),
        ("mean", ["C", "N"], (0.5,)),
        ("mean", [float("nan"), "C"], (1.0,)),
        ("median", [0, 1, 1], (1.0,)),
        ("max", ["I", "P"], (0.5,)),
        ("mode", ["C", "C", "I"], (1.0,)),
        ("mode", ["C", "I"], (1.0, 0.0)),
        ("at_least_2", [1, 1, 0], (1.0,)),
        ("at_least_3", [1, 1, 0], (0.0,)),
        ("pass_at_1", [1, 0, 0, 0], (0.25,)),
        ("pass_at_2", [1, 0, 0, 0], (0.5,)),
        ("pass_at_4", [1, 0, 0, 0], (1.0,)),
        ("pass_k_2", [1, 1, 0], (1 / 3,)),
        ("mystery", [1, 0], None),
        ("at_least_1", [0.5, 0], None),
        ("mean", ["good", "C"], None),
        ("mean", [[1], "C"], None),
    ],
)
def test_reducers(reducer: str, values, accepted):
    found = reduce_tries(reducer, values)
    assert (found is None) == (accepted is None)
    assert found is None or all(map(same, found, accepted))
    assert found is None or len(found) == len(accepted)


def test_majority_needs_more_than_half_of_all_tries():
    assert reduce_tries("majority", ["C", "C", "I"]) == (1.0,)
    undecided = reduce_tries("majority", ["C", "I", float("nan")])
    assert undecided is not None
    assert not same(undecided[0], 1.0)


def test_numbers_over_nothing():
    assert len(mean_of([])) == 2
    assert stderr_of([1.0]) == 0.0
    assert same(float("nan"), float("nan"))
    assert not same(float("inf"), 1.0)
