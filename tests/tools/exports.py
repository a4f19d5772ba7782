"""Exports of labs in which much happened, and both verifiers over them."""

import contextlib
import importlib.util
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scalegate.audit.verify import verify
from scalegate.ledger.trust import parse_trust
from tests.attacks.company import BO, CY, ITO, NOA, Company
from tests.attacks.insider import People
from tests.cli.lab import ADA, DAY, LEA, POLICY
from tests.gate import policies as texts

ROOT = Path(__file__).resolve().parents[2]
SECOND = ROOT / "tools" / "verify_ledger.py"
CODES = {"passed": 0, "impossible": 3, "failed": 1, "untrusted": 4}
SOON = ("--expires", "6 months")
ACT = """\
scalegate: policy/v1
kind: regime
id: act
version: "1"
issuer: office
effective: 2026-09-01
binds: every developer above 1e24 FLOP in us-ca
roles:
  developer: {}
  auditor: {independent of: [developer]}
  regulator: {independent of: [developer]}
  watchdog: {independent of: [developer]}
mandates:
  roles:
    watchdog: {independent of: [developer]}
obligations:
  incident-report:
    does: report a critical incident
    within: 72 hours
    from: incident-believed by developer
    met when: incident-reported by regulator
commitments:
  on-time:
    hold: deploy.api
    unless shown: not overdue incident-report and not elapsed 3 months since announced by auditor
    once crossed: never
amendments: {approved by: [regulator], notice: 30 days, weakening: forbidden while holding}
"""


def load_second():
    """The second verifier, as a module."""
    spec = importlib.util.spec_from_file_location("verify_ledger", SECOND)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Of many exports that differ in one byte, each signature is verified once.
    module.ed25519 = cache(module.ed25519)
    return module


second = load_second()


@dataclass(frozen=True)
class Export:
    """An export, and what is needed to verify it."""

    bundle: Path
    trust: Path
    now: int


def first_code(export: Export, bundle: Path | None = None) -> int:
    """What the first verifier says, as exit code."""
    trust = parse_trust(export.trust.read_bytes())
    return CODES[verify(bundle or export.bundle, trust, export.now).verdict]


def second_says(export: Export, bundle: Path | None = None) -> tuple[int, str]:
    """What the second verifier says: exit code and text."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = second.main([str(bundle or export.bundle), "--trust", str(export.trust), "--at", str(export.now)])
    return code, out.getvalue()


# ---------------------------------------------------------------- stories


def plain(company: Company) -> None:
    """A pass, a permit, a crossing, holds, a second policy and a question with a third one."""
    company.init()
    company.measure("r1", 0)
    company.gate()
    regime = company.file("regime.yaml", POLICY.replace("id: acme-rsp", "id: regime").replace("20%", "30%"))
    company.do("policy", "adopt", regime, *ITO)
    stricter = company.file("stricter.yaml", POLICY.replace("id: acme-rsp", "id: strict").replace("20%", "19%"))
    company.gate("--policy", stricter)
    reference = company.file("reference.yaml", texts.policy(kind="reference"))
    company.gate("--policy", reference)
    company.do("stop", "issue", "halt", *ITO)
    company.gate()
    company.do("stop", "lift", "halt", *ITO)
    company.run("gate", "deploy.api", "--subject", "orion")
    company.run("gate", "evaluate", "--subject", "orion")
    company.run("gate", "release.weights", "--subject", "orion")
    company.measure("r2", 60)
    company.now += 100
    company.gate()
    company.gate()


def small(company: Company) -> None:
    """A hold for want of evidence, one result, heads that witnesses cosigned, and a permit."""
    company.init()
    company.gate()
    company.measure("r1", 0)
    company.witness()
    company.gate()


def exception(company: Company) -> None:
    """A crossing that an exception stands in for, until it ends."""
    company.init(POLICY.replace("autonomy <= 50%", "autonomy <= 90%"))
    company.measure("r1", 100, items=400)
    company.gate()
    company.do("evidence", "attest", "predicate", "rival-without-safeguards", *SOON, *LEA)
    for who in (BO, CY):
        company.do("evidence", "attest", "approval", "exception:rival", *SOON, *who)
    company.do("evidence", "attest", "publication", "exception:rival", *SOON, *ADA)
    company.do("exception", "invoke", "rival", *ADA)
    company.gate()
    company.run("gate", "release.weights", "--subject", "orion")
    company.now += 40 * DAY
    company.gate()


def filled(company: Company) -> None:
    """A hole that is filled with the approval of a quorum, a safeguard, and an amendment with its notice."""
    company.init(
        POLICY.replace(
            "once crossed, resume only if shown: deception < 10% and vault", "once crossed, resume only if shown: vault"
        )
    )
    company.measure("r1", 80)
    company.do("evidence", "attest", "safeguard", "vault", "--subject", "orion", *SOON, *LEA)
    company.do(
        "evidence", "attest", "measurement", "red-team-theft", "--safeguard", "vault", "--count", "0/3", *SOON, *LEA
    )
    said = company.do(
        "policy", "fill", "insight", "--condition", "vault", "--expires", "6 months", *ADA, "--format", "json"
    )
    for who in (BO, CY, LEA):
        company.gate()
        company.do("evidence", "attest", "approval", said.json["matter"], *SOON, *who)
    company.gate()
    amended = company.file("second.yaml", (company.folder / "acme.yaml").read_text().replace('"1.2"', '"1.3"'))
    company.do("policy", "amend", amended, *ADA)
    company.gate()
    company.now += 60 * DAY
    company.gate()


def odd_runs(company: Company) -> None:
    """Refused, voided, retracted and unreported runs, and a model that is made of another."""
    company.init()
    company.measure("r1", 0)
    company.gate()
    company.register("r2")
    company.run("evidence", "add", "r2", company.folder / "r1.jsonl", *LEA)
    company.do("evidence", "void", "r2", "--why", "node failure", *NOA)
    company.measure("r3", 99)
    company.do("evidence", "retract", "answers leaked", "--run", "r3", *NOA)
    company.model("orion-2", "1e24", "--parent", "fine-tune:orion")
    company.gate()
    company.run("gate", "train", "--subject", "orion-2", "--to", "9e24")
    company.register("late")
    company.gate()
    company.do("evidence", "add", "late", company.log("late.jsonl", [0.0] * 40), *LEA)
    company.gate()


def overdue(company: Company) -> None:
    """A registered run that never reported."""
    company.init()
    company.measure("r1", 0)
    company.register("silent")
    company.now += 30 * DAY
    company.gate()


def sequential(company: Company) -> None:
    """A run that was looked at while it went on, of a bank, with its order drawn by a seed."""
    company.init(
        POLICY.replace("    score: success rate\n", "    score: success rate\n    estimand: bank of 300 items\n")
    )
    company.do(
        "evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
        company.bank(300), "--sequential", "--report-by", "10 days", *LEA,
    )  # fmt: skip
    _report(company, "s1", 80)
    company.gate()


def witnessed(company: Company) -> None:
    """A log that two of three witnesses cosign, who draw the order of a run; a permit, and a stale head."""
    company.init()
    company.gate()
    company.witness()
    company.do(
        "evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
        company.bank(300), "--sequential", "--report-by", "10 days", *LEA,
    )  # fmt: skip
    company.witness()
    _report(company, "s1", 90)
    company.witness()
    company.gate()
    company.now += 60
    company.witness(names=("opal", "delta"))
    company.now += 3 * DAY
    company.gate()


def duties(company: Company) -> None:
    """A regime: it binds until an auditor speaks, has a clock that runs out, and mandates a role that is missing."""
    company.init()
    company.measure("r1", 0)
    company.do("policy", "adopt", company.file("act.yaml", ACT), *ITO)
    asks = ("deploy.api", "--subject", "orion")
    company.run("gate", *asks)
    company.do("evidence", "attest", "predicate", "incident-believed", *SOON, *ADA)
    company.do("evidence", "attest", "predicate", "announced", *SOON, *LEA)
    for days in (2, 2, 40):
        company.now += days * DAY
        company.run("gate", *asks)
    company.do("evidence", "attest", "predicate", "incident-reported", *SOON, *ITO)
    company.run("gate", *asks)
    company.do("regime", "describe", "--absent", "us-ca", "--expires", "20 days", *LEA)
    company.gate()
    company.run("gate", *asks)
    company.do("regime", "describe", "--operates", "us-ca", "--revenue-low", "6e8", "--expires", "20 days", *ADA)
    company.run("gate", *asks)


def _report(company: Company, run: str, count: int) -> None:
    order = ""
    for entry in company.history().entries:
        if getattr(entry.event, "run", "") == run:
            sampling = getattr(entry.event, "sampling", None)
            order = getattr(entry.event, "order", "") if sampling is None else sampling.order
    book = company.book()
    with book.store:
        items = [item for unit in json.loads(book.store.get_blob(order)) for item in unit][:count]
    rows = [json.dumps({"doc_id": int(item), "metrics": ["acc"], "acc": 0.0, "file": run}) for item in items]
    company.do("evidence", "add", run, company.file(f"{run}.jsonl", "\n".join(rows)), *LEA)


def of_text(text: str):
    """A story under another policy: a pass, a crossing, and every action asked about before, between and after."""

    def story(company: Company) -> None:
        company.init(text)
        for successes in (None, 0, 70):
            if successes is not None and "  autonomy:" in text and "  auditor:" in text:
                company.measure(f"r{successes}", successes)
            company.gate()
            for action in ("deploy.api", "deploy.internal", "release.weights"):
                company.run("gate", action, "--subject", "orion")
            company.now += DAY

    return story


RULES = {
    "stoppable": texts.STOPPABLE,
    "countersigned": texts.COUNTERSIGNED,
    "either": texts.policy(
        "line:\n  hold: [train, deploy]\n  unless shown: autonomy <= 20%\n"
        "  once crossed, resume only if shown: (deception < 10% or autonomy < 50%) and not autonomy > 90%\n"
    ),
    "beyond": texts.policy(scope="scope: effective compute > 1e30\n"),
}
WITNESSED = ("small", "witnessed")
STORIES = {
    "small": small,
    "plain": plain,
    "exception": exception,
    "filled": filled,
    "odd-runs": odd_runs,
    "overdue": overdue,
    "sequential": sequential,
    "witnessed": witnessed,
    "duties": duties,
    **{name: of_text(text) for name, text in RULES.items()},
    **{
        f"example-{path.stem}": of_text(path.read_text())
        for path in sorted((ROOT / "examples/policies").glob("*.yaml"))
    },
}


def made(name: str, folder: Path, people: People, clock) -> Export:
    """Let a story happen, and export it.

    Args:
        name: which story.
        folder: where.
        people: whose keys sign.
        clock: takes the company, and makes its clock the one of the commands.
    """
    folder.mkdir()
    company = Company(folder, people, "trust-witnessed" if name in WITNESSED else "trust")
    clock(company)
    STORIES[name](company)
    return Export(company.export(), company.trust, company.now)
