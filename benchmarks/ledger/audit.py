"""CPU time of a whole audit: 100,000 entries with the evaluation logs behind them, beside a tenth of that.

Every entry is admitted again, every result counted again from its log, every answer derived again. The peer is the
same audit of the small ledger, ten times over: a ratio near 1 says that time grows with the ledger and not faster.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

HERE = Path(__file__).resolve().parent
for place in (HERE.parent.parent, HERE.parent.parent / "src"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from scalegate.app.ask import ask_live  # noqa: E402 - the paths come first
from scalegate.app.book import Book, Speaker  # noqa: E402
from scalegate.app.exporting import export  # noqa: E402
from scalegate.app.policies import adopt  # noqa: E402
from scalegate.app.results import add_result  # noqa: E402
from scalegate.app.runs import Registration, register  # noqa: E402
from scalegate.audit.verify import verify  # noqa: E402
from scalegate.core.decision import Request  # noqa: E402
from scalegate.core.events import Statement, SubjectDeclared  # noqa: E402
from scalegate.core.quantities import ComputeRange  # noqa: E402
from scalegate.core.subject import Subject  # noqa: E402
from scalegate.ledger import Ask, LocalStore  # noqa: E402
from tests.cli.lab import POLICY  # noqa: E402
from tests.ledger.keys import MemoryKeys, make_trust  # noqa: E402

SMALL, LARGE = 10_000, 100_000
# In each five thousand entries: two models, four runs with their logs, eight answers, and statements.
BLOCK, MODELS, RUNS, ANSWERS = 5_000, 2, 2, 4
ITEMS = 100
START = 1_790_000_000
ADA, LEA = Speaker("Ada", "developer"), Speaker("Lea", "auditor")


class Hand:
    """A clock that is moved by hand."""

    now_ = START

    def now(self) -> int:
        return self.now_


def _build(folder: Path, size: int) -> Any:
    """Return the trust file of a ledger of `size` entries that was exported into `folder`/out."""
    trust = make_trust(speakers={"Ada": ["developer"], "Lea": ["auditor"]})
    keys, clock = MemoryKeys("Ada", "Lea"), Hand()
    with LocalStore.create(folder / "store", trust, keys, START) as store:
        book = Book(store, clock)
        policy = folder / "acme.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        adopt(book, policy, ADA)
        for number in range(size // BLOCK):
            clock.now_ += 3_600
            _block(book, folder, number)
        export(book, folder / "out")
    return trust


def _block(book: Book, folder: Path, number: int) -> None:
    before = len(book.store.standing().entries)
    now = book.clock.now()
    for model in range(MODELS):
        name = f"model-{number}-{model}"
        digest, compute = f"sha256:{number:032x}{model:032x}", ComputeRange(2 * 10**24, 2 * 10**24)
        subject = Subject(name, digest, "acme", "model", (), True, compute, now)
        book.store.append(SubjectDeclared(subject, "Ada", "developer"), now)
        for run in range(RUNS):
            _run(book, folder, f"run-{number}-{model}-{run}", name, now)
        for _ in range(ANSWERS):
            ask_live(book, Request("train", name, 4 * 10**24, ""))
    made = len(book.store.standing().entries) - before
    ends = now + 10**6
    said = [
        Statement("predicate", f"matter-{place}", "", True, ends, None, "", "", "", 0, (), "Lea", "auditor")
        for place in range(BLOCK - made)
    ]
    book.store.commit([Ask(event, now) for event in said])


def _run(book: Book, folder: Path, name: str, subject: str, now: int) -> None:
    ids = tuple(sorted(map(str, range(ITEMS))))
    register(book, Registration(name, "autonomy", subject, ITEMS, item_ids=ids, report_by=now + 10**6), LEA)
    rows = (json.dumps({"doc_id": item, "metrics": ["acc"], "acc": 0.0, "file": name}) for item in range(ITEMS))
    log = folder / "log.jsonl"
    log.write_text("\n".join(rows), encoding="utf-8")
    add_result(book, name, log, LEA)


def _audit(folder: Path, trust: Any, size: int) -> tuple[float, Any]:
    now = START + 3_600 * (size // BLOCK + 1)
    start = process_time()
    report = verify(folder / "out", trust, now)
    return process_time() - start, report


def rows() -> list[dict[str, Any]]:
    """Measure, and return the rows of the table."""
    found = {}
    for size in (SMALL, LARGE):
        with tempfile.TemporaryDirectory(prefix="scalegate-audit-") as place:
            folder = Path(place)
            trust = _build(folder, size)
            seconds, report = _audit(folder, trust, size)
            bad = report.of("failed", "untrusted")
            if bad:
                raise SystemExit(f"the audit of an honest ledger fails: {bad[:3]}")
            found[size] = seconds
    models = LARGE // BLOCK * MODELS
    note = f"{LARGE} entries, {models * RUNS} logs of {ITEMS} items, {models * ANSWERS} answers"
    return [
        {
            "name": "ledger.verify",
            "value": found[LARGE],
            "unit": "s",
            "peer": f"{LARGE // SMALL} x {SMALL} entries",
            "peer_value": found[SMALL] * LARGE / SMALL,
            "note": note,
            "least_ratio": 0.7,
        }
    ]


if __name__ == "__main__":
    print(rows())
