"""Where the policy lets the developer measure, he signs results: counts, logs, runs and orders are his words."""

import json
from dataclasses import replace

import pytest

from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import ResultRefused, ResultReported, RunRegistered, RunVoided
from scalegate.core.log_events import OrderDrawn
from tests.attacks.company import copied, reasons
from tests.cli.lab import ADA, DAY, POLICY
from tests.ingest.logs import log_of, sample, write

OURS = POLICY.replace("    score: success rate\n    by: auditor\n", "    score: success rate\n")
FIRST = "6f72696f6e" + "0" * 54


@pytest.fixture(scope="module")
def company(found):
    """The developer's own runs: a good one, one that ended early, and a bad one, so that the gate holds."""
    company = found()
    company.init(OURS)
    for run, successes in (("good", 0), ("bad", 90)):
        register(company, run)
        company.do("evidence", "add", run, company.log(f"{run}.jsonl", [1.0] * successes + [0.0] * (100 - successes)),
                   *ADA)  # fmt: skip
        if run == "good":
            assert company.gate().code == 0
            company.do("evidence", "register", "part", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
                       company.bank(300), "--sequential", "--report-by", "10 days", *ADA)  # fmt: skip
            plan = company.history().entries[-1].event
            book = company.book()
            with book.store:
                order = [item for unit in json.loads(book.store.get_blob(plan.sampling.order)) for item in unit]
            rows = [json.dumps({"doc_id": int(item), "metrics": ["acc"], "acc": 0.0}) for item in order[:60]]
            company.do("evidence", "add", "part", company.file("part.jsonl", "\n".join(rows)), *ADA)
    assert company.gate().code == 1
    return company


def register(company, run):
    company.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
               company.bank(100), "--report-by", "10 days", *ADA)  # fmt: skip


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_refused(company, insider, *words, code=4):
    insider.repair()
    said = company.verify(insider.publish())
    found = reasons(said)
    assert said.code == code, said.out + said.err
    assert any(all(word in item for word in words) for item in found), found


def test_the_developers_own_log_is_in_order(company, insider):
    insider.repair()
    said = company.verify(insider.publish())
    assert (said.code, reasons(said)) == (3, []), said.out


# ---------------------------------------------------------------- counts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"successes": 0, "failures": 100}, "successes 0 for 90"),
        ({"failures": 10, "successes": 0, "missing": 90}, "successes 0 for 90"),
        ({"findings": ()}, "findings"),
        ({"provenance": ()}, "provenance"),
        ({"harness": "inspect_ai 0.3.250"}, "harness"),
        ({"model": "another"}, "model"),
        ({"task": "another"}, "task"),
        ({"scorer": "another"}, "scorer"),
        ({"content": "sha256:" + "0" * 64}, "content"),
        ({"content": ""}, "content"),
        ({"evidence_class": "aggregate"}, "evidence_class"),
        ({"binary": False}, "binary"),
        ({"adaptive": True}, "adaptive"),
        ({"derived": True}, "derived"),
        ({"outcomes": "0" * 100}, "outcomes"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_result_that_is_better_than_its_log(company, insider, change, words):
    place = insider.where(ResultReported, run="bad")
    insider.leaves[place] = insider.again(place, **change)
    check_refused(company, insider, "results: run `bad`", words)


def test_outcomes_of_a_run_that_ended_early_are_those_of_its_log(company, insider):
    place = insider.where(ResultReported, run="part")
    outcomes = insider.events()[place].outcomes
    insider.leaves[place] = insider.again(place, outcomes=outcomes + "0" * 40, failures=100, missing=200)
    check_refused(company, insider, "results: run `part`", "outcomes")


def test_an_edited_log(company, insider):
    mark = insider.events()[insider.where(ResultReported, run="bad")].log
    path = insider.path(mark)
    path.write_bytes(path.read_bytes().replace(b'"acc": 1.0', b'"acc": 0.0'))
    check_refused(company, insider, "results: run `bad`", "does not have the digest that is its name")


def test_an_edited_list_of_registered_items(company, insider):
    """Otherwise items that went badly would never have been planned."""
    mark = insider.events()[insider.where(RunRegistered, run="bad")].item_ids
    insider.path(mark).write_bytes(canonical_bytes([str(item) for item in range(90, 100)]))
    check_refused(company, insider, "does not have the digest that is its name")


def test_an_edited_order(company, insider):
    mark = insider.events()[insider.where(RunRegistered, run="part")].sampling.order
    insider.path(mark).write_bytes(canonical_bytes([[str(item)] for item in range(300)]))
    check_refused(company, insider, "does not have the digest that is its name")


# ---------------------------------------------------------------- cherries


def swapped(insider, run, other):
    """Record the log of another run as that of a run, with the counts it really has."""
    place, model = insider.where(ResultReported, run=run), insider.where(ResultReported, run=other)
    names = ("log", "successes", "failures", "missing", "content", "outcomes")
    event = insider.events()[model]
    insider.leaves[place] = insider.again(place, **{name: getattr(event, name) for name in names})


def test_a_cherry_picked_log_of_another_run(company, insider):
    swapped(insider, "bad", "good")
    check_refused(company, insider, "results: run `bad`", "its log is refused")


def test_the_bytes_of_another_run_dressed_up(company, insider):
    """The same samples in other bytes: their digest is that of the samples."""
    event = insider.events()[insider.where(ResultReported, run="good")]
    data = b"\n".join(reversed(insider.path(event.log).read_bytes().split(b"\n")))
    place = insider.where(ResultReported, run="bad")
    insider.leaves[place] = insider.again(
        place, log=insider.blob(data), successes=0, failures=100, missing=0, content=event.content
    )
    said = company.verify(insider.publish())
    assert said.code == 4, said.out


def test_best_of_two_without_the_worse_result(company, insider):
    """He leaves the bad result out, and its run stays registered."""
    company.now += 20 * DAY
    try:
        place = insider.where(ResultReported, run="bad")
        del insider.leaves[place:]
        check_refused(company, insider, "completeness: run `bad` has no result", code=1)
    finally:
        company.now -= 20 * DAY


def test_an_unreported_registered_run_that_the_developer_voids_himself(company, insider):
    company.now += 20 * DAY
    try:
        place = insider.where(ResultReported, run="bad")
        del insider.leaves[place:]
        about = (("orion", FIRST),)
        insider.add(RunVoided("bad", "node failure", "Ada Osei", "developer"), subjects=about)
        check_refused(company, insider, "completeness: run `bad`", code=1)
    finally:
        company.now -= 20 * DAY


def test_a_result_of_a_run_that_was_never_registered(company, insider):
    event = insider.events()[insider.where(ResultReported, run="good")]
    insider.add(replace(event, run="elsewhere"))
    check_refused(company, insider, "reports run `elsewhere`, which was never registered", code=1)


def test_a_run_registered_after_its_result(company, insider):
    one, other = insider.where(RunRegistered, run="bad"), insider.where(ResultReported, run="bad")
    insider.leaves[one], insider.leaves[other] = insider.leaves[other], insider.leaves[one]
    check_refused(company, insider, "is not to be trusted")


def test_a_second_registration_of_a_run_changes_nothing(company, insider):
    """Fewer items, from a second try: the first registration stands."""
    place = insider.where(RunRegistered, run="bad")
    event = insider.events()[place]
    short = insider.blob(canonical_bytes([str(item) for item in range(90, 100)]))
    insider.leaves.insert(place + 1, insider.again(place, items=10, item_ids=short))
    result = insider.where(ResultReported, run="bad")
    insider.leaves[result] = insider.again(result, successes=0, failures=10, missing=0)
    check_refused(company, insider, "results: run `bad` was recorded otherwise")
    assert event.items == 100


def test_a_bad_log_that_is_recorded_as_refused(company, insider, tmp_path):
    """A refusal is derived again as well: auditors would void the run for it.

    Beside samples of lm-eval there may have been a file of results, which is not kept: of these nobody can say more.
    """
    place = insider.where(ResultReported, run="bad")
    event = insider.events()[place]
    del insider.leaves[place:]
    refusal = ResultRefused("bad", event.log, "E203", "its header and samples disagree", "Ada Osei", "developer")
    insider.add(replace(refusal, content=event.content), subjects=(("orion", FIRST),))
    said = company.verify(insider.publish())
    assert any("is not refused by itself" in item for item in reasons(said, "impossible")), said.out
    log = write(tmp_path, log_of([sample(number, int(number < 90)) for number in range(100)]))
    insider.leaves[-1] = insider.again(len(insider.leaves) - 1, log=insider.blob(log.read_bytes()), content="")
    check_refused(
        company, insider, "refusals: the log offered for run `bad` is not refused by itself, and was for E203"
    )


# ---------------------------------------------------------------- orders


def test_an_order_that_is_not_drawn_from_its_seed(company, insider):
    """The items that go well come first, and the run ends early."""
    place = insider.where(RunRegistered, run="part")
    sampling = insider.events()[place].sampling
    units = json.loads(insider.path(sampling.order).read_bytes())
    other = insider.blob(canonical_bytes(sorted(units)))
    insider.leaves[place] = insider.again(place, sampling=replace(sampling, order=other))
    check_refused(company, insider, "orders: the items of run `part`: their order is not one that the seed draws")


def test_an_order_drawn_for_a_run_that_has_one(company, insider):
    insider.add(OrderDrawn("part", "sha256:" + "0" * 64, "sha256:" + "0" * 64, 300, ""), by=("acme gate",),
                subjects=(("orion", FIRST),))  # fmt: skip
    check_refused(company, insider, "which has none to draw")


@pytest.mark.parametrize("bank", [b"{}", b"[" * 90_000, b"[[]]", b'[["\\ud800"]]', b"\xff", b"[1]"])
def test_a_list_of_items_that_is_none(company, insider, bank):
    place = insider.where(RunRegistered, run="part")
    sampling = insider.events()[place].sampling
    insider.leaves[place] = insider.again(place, sampling=replace(sampling, order=insider.blob(bank)))
    said = company.verify(insider.publish())
    assert said.code == 4, said.out + said.err


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 90_000, b"\x00" * 99, b"PK\x05\x06" + bytes(18), b'{"doc_id":1e999999999}']
)
def test_a_log_that_is_none(company, insider, data):
    place = insider.where(ResultReported, run="bad")
    insider.leaves[place] = insider.again(place, log=insider.blob(data))
    check_refused(company, insider, "results: run `bad`")


def test_a_grid_of_forgeries_is_a_grid_of_refusals(company, people, bundle, tmp_path):
    """Two changes at once do not hide one another."""
    insider = copied(bundle, tmp_path, people)
    for run in ("good", "bad", "part"):
        place = insider.where(ResultReported, run=run)
        insider.leaves[place] = insider.again(place, harness="forged")
    insider.repair()
    said = company.verify(insider.publish())
    assert said.code == 4
    assert sum("was recorded otherwise" in item for item in reasons(said)) == 3
