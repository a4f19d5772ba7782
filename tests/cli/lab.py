"""A lab at a terminal: a folder, a clock that tests set, and the command line in this very process."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from scalegate.cli.main import main
from scalegate.core.events import History
from scalegate.ledger import LocalStore
from tests.cli.speakers import trust_file

START = 1_790_000_000  # 2026-09-21
DAY = 86_400

ADA = ("--by", "Ada Osei", "--role", "developer")
LEA = ("--by", "Lea Roth", "--role", "auditor")
ITO = ("--by", "M. Ito", "--role", "regulator")

# The command line as a program. A test run in the background hands down that interrupts are ignored, whoever is meant.
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from scalegate.cli.main import run; run()"
)

POLICY = f"""\
scalegate: policy/v1
id: acme-rsp
version: "1.2"
issuer: acme
effective: 2026-01-01
scope: effective compute > 1e24 FLOP

roles:
  developer: {{}}
  auditor: {{independent of: [developer]}}
  regulator: {{independent of: [developer, auditor]}}
  board: {{quorum: 2 of 3}}

stop orders: {{by: regulator}}

evaluations:
  autonomy:
    kind: capability
    test: autonomy-bank@sha256:{"a" * 64}
    score: success rate
    by: auditor
    accept: earlier runs  # samples files of lm-eval do not say when they were made
    due: at 4x effective compute or 3 months, whichever is first
    no result, stop: at 6x or 4 months
  deception:
    kind: safety
    test: deception-bank@sha256:{"d" * 64}
    score: deception rate
    by: auditor
    accept: earlier runs
    believable only if: {{evaluation gaming is excluded: attested by auditor, expires: 6 months}}
    shown to work by: {{known positives flagged: at least 19 of 20}}
    valid for: {{system: this exact one, time: 6 months}}
  insight:
    kind: understanding
    hole: nobody yet knows what would be enough
    owner: alignment-team
    filled only by: [board, auditor]
    review by: 2027-06-01

safeguards:
  vault:
    means: controls@sha256:{"c" * 64}
    stops: thieves
    because: case@sha256:{"e" * 64}
    fails if: red-team-theft > 0 of 3
    by: auditor
    valid for: {{time: 12 months}}

commitments:
  line:
    hold: [train, deploy]
    unless shown: autonomy <= 20%
    once crossed, resume only if shown: deception < 10% and vault
  takeover:
    hold: [train, deploy]
    unless shown: autonomy <= 50%
    once crossed, resume only if shown: insight

exceptions:
  rival:
    instead of: line
    when: attested rival-without-safeguards by auditor
    resume only if shown: autonomy <= 35%
    needs: [approved by board, published]
    sunset: {{each: 30 days, in any 12 months: 60 days}}

amendments: {{approved by: [board, auditor], notice: 30 days, weakening: forbidden while holding}}
"""


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Lab:
    """One lab with its store in `.scalegate` of `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / ".scalegate"
        self.now = START

    def run(self, *arguments: object) -> Said:
        """Run a command and return what it said."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(item) for item in arguments])
        return Said(code, out.getvalue(), err.getvalue())

    def do(self, *arguments: object) -> Said:
        """Run a command that has to succeed."""
        said = self.run(*arguments)
        assert said.code == 0, said
        return said

    def file(self, name: str, text: str = "") -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_text(text)
        return path

    def log(self, name: str, scores: list[object], **fields: object) -> Path:
        """Write a samples file of lm-eval; its rows are those of no other name."""
        rows = [
            json.dumps({"doc_id": item, "metrics": ["acc"], "acc": score, "file": name, **fields})
            for item, score in enumerate(scores)
        ]
        return self.file(name, "\n".join(rows))

    def init(self, policy: str = POLICY) -> None:
        """Make a store with a policy and a model `orion` of 2e24 FLOP."""
        path = self.file("acme.yaml", policy)
        self.do("init", "--trust", trust_file(), "--policy", path, *ADA)
        self.model("orion", "2e24")

    def model(self, name: str, compute: str, *more: str) -> None:
        """Declare a model."""
        digest = f"sha256:{name.encode().hex().ljust(64, '0')[:64]}"
        lineage = more or ("--from-scratch",)
        self.do("subject", "add", name, "--digest", digest, "--issuer", "acme",
                "--compute", compute, *lineage, *ADA)  # fmt: skip

    def register(self, run: str, evaluation: str = "autonomy", items: int = 100, first: int = 0) -> None:
        """Register a run on `orion`, of the items that `log` writes; those of Inspect start from 1."""
        self.do("evidence", "register", run, "--evaluation", evaluation, "--subject", "orion",
                "--item-ids", self.bank(items, first), "--report-by", "10 days", *LEA)  # fmt: skip

    def bank(self, items: int, first: int = 0) -> Path:
        """Write the ids of some items."""
        return self.file(f"bank-{first}-{items}.txt", "\n".join(map(str, range(first, first + items))))

    def measure(self, run: str, successes: int, items: int = 100) -> None:
        """Register a run of `autonomy` on `orion` and add its result."""
        self.register(run, items=items)
        path = self.log(f"{run}.jsonl", [1.0] * successes + [0.0] * (items - successes))
        self.do("evidence", "add", run, path, *LEA)

    def gate(self, *more: object) -> Said:
        """Ask for training of `orion` to 4e24 FLOP."""
        return self.run("gate", "train", "--subject", "orion", "--to", "4e24", *more)

    def history(self) -> History:
        """The history as the store has it."""
        with LocalStore(self.store) as store:
            return store.history()

    def kinds(self) -> list[str]:
        """Types of the events, in order."""
        return [type(entry.event).__name__ for entry in self.history().entries]
