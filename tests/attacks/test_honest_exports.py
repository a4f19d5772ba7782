"""Whatever honest people do, and whatever befalls them, the audit of their export finds nothing wrong."""

import json

import pytest

from scalegate.app.book import Speaker
from scalegate.app.trusting import revoke, rotate
from scalegate.core.events import DecisionMade, RunRegistered
from scalegate.core.log_events import OrderDrawn
from tests.attacks.company import BO, CY, ITO, NOA, reasons, statements_of
from tests.cli.lab import ADA, DAY, LEA, POLICY
from tests.ingest.logs import binary_log, write

SOON = ("--expires", "6 months")
BANK = POLICY.replace("    score: success rate\n", "    score: success rate\n    estimand: bank of 300 items\n")


def check_clean(company, name="out", *more, code=3):
    """Export and verify: nothing may be wrong."""
    said = company.verify(company.export(name), *more)
    assert (said.code, reasons(said)) == (code, []), said.out + said.err
    return reasons(said, "passed")


def sequential(company, run, who=LEA):
    company.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
               company.bank(300), "--sequential", "--report-by", "10 days", *who)  # fmt: skip


def order_of(company, run):
    """Return the items of a run in their order, as drawn or as registered."""
    order = ""
    for entry in company.history().entries:
        event = entry.event
        if isinstance(event, RunRegistered) and event.run == run:
            order = event.sampling.order
        if isinstance(event, OrderDrawn) and event.run == run:
            order = event.order
    book = company.book()
    with book.store:
        return [item for unit in json.loads(book.store.get_blob(order)) for item in unit]


def report(company, run, items, score=0.0, who=LEA):
    rows = [json.dumps({"doc_id": int(item), "metrics": ["acc"], "acc": score, "file": run}) for item in items]
    company.do("evidence", "add", run, company.file(f"{run}.jsonl", "\n".join(rows)), *who)


def test_a_passing_and_a_failing_run(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    company.measure("r2", 90)
    company.now += 100
    assert company.gate().code == 1
    assert company.gate().code == 1
    assert "decisions: 3 of 3 answers follow from the log" in check_clean(company)


def test_refused_voided_and_retracted_runs_and_a_model_that_is_made_of_another(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    company.register("r2")
    assert company.run("evidence", "add", "r2", company.folder / "r1.jsonl", *LEA).code == 4
    company.do("evidence", "void", "r2", "--why", "node failure", *NOA)
    company.measure("r3", 99)
    company.do("evidence", "retract", "answers leaked", "--run", "r3", *NOA)
    company.model("orion-2", "1e24", "--parent", "fine-tune:orion")
    company.gate()
    company.register("late")
    company.now += 5 * DAY
    company.do("evidence", "register", "open", "--evaluation", "autonomy", "--subject", "orion", "--items", "9",
               "--report-by", "10 days", *LEA)  # fmt: skip
    company.do("evidence", "add", "late", company.log("late.jsonl", [0.0] * 40), *LEA)
    company.gate()
    check_clean(company)


def test_stop_orders_permits_that_are_revoked_and_a_policy_that_a_question_adds(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    stricter = company.file("stricter.yaml", POLICY.replace("id: acme-rsp", "id: strict").replace("20%", "19%"))
    assert company.gate("--policy", stricter).code == 0
    company.do("stop", "issue", "halt", *ITO)
    assert company.gate().code == 1
    company.do("stop", "lift", "halt", *ITO)
    assert company.gate().code == 0
    company.do("permit", "revoke", "3", *ITO)
    assert company.gate().code == 0
    check_clean(company)


def test_an_exception_and_the_approvals_that_it_needs(found):
    company = found()
    company.init(POLICY.replace("autonomy <= 50%", "autonomy <= 90%"))
    company.measure("r1", 100, items=400)
    assert company.gate().code == 1
    company.do("evidence", "attest", "predicate", "rival-without-safeguards", *SOON, *LEA)
    for who in (BO, CY):
        company.do("evidence", "attest", "approval", "exception:rival", *SOON, *who)
    company.do("evidence", "attest", "publication", "exception:rival", *SOON, *ADA)
    company.do("exception", "invoke", "rival", *ADA)
    assert company.gate().code == 0
    company.now += 40 * DAY
    assert company.gate().code == 1
    check_clean(company)


def test_an_amendment_and_a_hole_that_is_filled(found):
    company = found()
    company.init(POLICY.replace("    once crossed, resume only if shown: deception < 10% and vault",
                                "    once crossed, resume only if shown: vault"))  # fmt: skip
    company.measure("r1", 80)
    company.do("evidence", "attest", "safeguard", "vault", "--subject", "orion", *SOON, *LEA)
    company.do("evidence", "attest", "measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3", *SOON,
               *LEA)  # fmt: skip
    said = company.do("policy", "fill", "insight", "--condition", "vault", "--expires", "6 months", *ADA,
                      "--format", "json")  # fmt: skip
    for who in (BO, CY, LEA):
        assert company.gate().code == 1
        company.do("evidence", "attest", "approval", said.json["matter"], *SOON, *who)
    assert company.gate().code == 0
    amended = company.file("second.yaml", (company.folder / "acme.yaml").read_text().replace('"1.2"', '"1.3"'))
    said = company.do("policy", "amend", amended, *ADA, "--format", "json")
    company.gate()
    company.now += 60 * DAY
    company.gate()
    check_clean(company)


def test_logs_of_inspect_counted_again(found):
    company = found()
    company.init()
    company.register("r1", items=40, first=1)
    log = binary_log([0] * 40)
    log["header"]["eval"]["created"] = "2026-09-21T15:00:00+00:00"
    log["header"]["stats"]["completed_at"] = "2026-09-21T16:00:00+00:00"
    company.now += DAY
    company.do("evidence", "add", "r1", write(company.folder, log), *LEA)
    company.gate()
    assert "results: 1 of 1 results follow from the logs of their runs" in check_clean(company)


def test_a_run_that_ended_early_and_an_audit_of_a_part(found):
    company = found()
    company.init(BANK)
    sequential(company, "s1")
    report(company, "s1", order_of(company, "s1")[:80])
    company.gate()
    company.do("evidence", "register", "lab", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
               company.bank(300), "--report-by", "10 days", *ADA)  # fmt: skip
    report(company, "lab", range(300), who=ADA)
    company.do("evidence", "register", "a1", "--evaluation", "autonomy", "--subject", "orion", "--audits", "lab",
               "--report-by", "10 days", *LEA)  # fmt: skip
    report(company, "a1", order_of(company, "a1")[:60])
    company.gate()
    check_clean(company)


def test_keys_that_were_rotated_and_revoked(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    book = company.book()
    with book.store:
        new = company.people.keyring.create("Cy Ng", ("board",), protected=False, replaces=True)
        rotate(book, Speaker("Cy Ng", "board"), new.public)
        revoke(book, "Bo Li", "left", Speaker("Tess Ray", "trustee"))
    company.do("evidence", "attest", "approval", "exception:rival", *SOON, *CY)
    assert company.run("evidence", "attest", "approval", "exception:rival", *SOON, *BO).code != 0
    assert company.gate().code == 0
    check_clean(company)


def test_witnesses_who_see_everything_leave_nothing_open(found):
    """Every check is possible: exit code 0."""
    company = found("trust-witnessed")
    company.init()
    company.witness()
    sequential(company, "s1")
    assert company.witness().mark
    report(company, "s1", order_of(company, "s1"))
    company.witness()
    assert company.gate().code == 0
    company.now += 60
    company.witness(names=("opal", "delta"))
    own = company.folder / "own"
    own.mkdir()
    bundle = company.export()
    for number, data in enumerate(statements_of(bundle, company.people, "Lea Roth")):
        (own / f"{number}.json").write_bytes(data)
    permit = next(item.event.decision for item in company.history().entries if isinstance(item.event, DecisionMade))
    said = company.verify(bundle, "--own", own, "--permit", permit)
    assert (said.code, reasons(said, "impossible", "failed", "untrusted")) == (0, []), said.out + said.err


def test_what_was_left_out_is_named_and_not_blamed(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    company.gate()
    for name, words in (("without", ("--without", "r1")), ("withhold", ("--withhold", "r1"))):
        said = company.verify(company.export(name, *words))
        assert (said.code, reasons(said)) == (3, []), said.out
        assert bool([item for item in reasons(said, "impossible") if item.startswith("results: ")]) is (
            name == "withhold"
        )


@pytest.mark.parametrize("days", [1, 400])
def test_an_old_export_is_no_worse_for_its_age(found, days):
    company = found()
    company.init()
    company.measure("r1", 0)
    company.gate()
    bundle = company.export()
    company.now += days * DAY
    assert company.verify(bundle).code == 3
