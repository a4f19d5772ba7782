"""A company with a signed log in which everything happened that can, and its exports."""

import contextlib
import shutil
from pathlib import Path
from typing import ClassVar

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.book import Book
from scalegate.app.clock import SystemClock
from scalegate.app.keyring import Keyring
from scalegate.app.sampling import draw_order
from scalegate.core.events import RunRegistered
from scalegate.core.log_events import HeadWitnessed
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.log_folder import LogFolder
from scalegate.ledger.mirror import entries
from scalegate.ledger.note import open_checkpoint
from scalegate.ledger.standing import witnessed
from scalegate.ledger.store import LocalStore
from tests.attacks.insider import ORIGIN, Insider, People, Witnesses
from tests.cli.lab import ADA, POLICY, Lab, Said

NOA = ("--by", "Noa Adler", "--role", "auditor")
ITO = ("--by", "M. Ito", "--role", "regulator")
BO = ("--by", "Bo Li", "--role", "board")
CY = ("--by", "Cy Ng", "--role", "board")


class Company(Lab):
    """A lab of its own people, which can be exported and audited.

    `asked` is the one whose time it is.
    """

    asked: ClassVar["Company"]

    def __init__(self, folder: Path, people: People, trust: str = "trust") -> None:
        super().__init__(folder)
        self.people = people
        self.trust = people.folder / trust
        self.witnesses: Witnesses | None = None

    def run(self, *arguments: object) -> Said:
        """Run a command in the folder of the company, at its time."""
        Company.asked = self
        with contextlib.chdir(self.folder):
            return super().run(*arguments)

    def init(self, policy: str = POLICY) -> None:
        path = self.file("acme.yaml", policy)
        self.do("init", "--trust", self.trust, "--policy", path, *ADA)
        self.model("orion", "2e24")

    def book(self) -> Book:
        """Open the store; whoever opens it closes it."""
        Company.asked = self
        return Book(LocalStore(self.store, Keyring(self.people.folder / "keys", Secrets({}))), SystemClock())

    def export(self, name: str = "out", *more: object) -> Path:
        """Export, and return where to."""
        self.do("ledger", "export", self.folder / name, *more)
        return self.folder / name

    def verify(self, bundle: Path, *more: object, trust: Path | None = None) -> Said:
        """Audit a bundle with nothing but the trust file."""
        return self.run("verify", bundle, "--trust", trust or self.trust, "--format", "json", *more)

    def witness(self, names=None, time: int | None = None) -> HeadWitnessed | None:
        """Have the log cosigned, draw what waits for it, and return the recorded head; None without a quorum."""
        if self.witnesses is None:
            self.witnesses = Witnesses(self.folder / "witnesses", self.people.log.note)
        book = self.book()
        with book.store:
            standing = book.store.standing()
            told, _ = self.witnesses.ask(book.store.head(), standing.tree, time or self.now, names)
            event = witnessed(told, standing.trust)
            if event is None:
                return None
            last = standing.entries[-1]
            book.record(lambda _: event)
            if isinstance(last.event, RunRegistered) and last.event.sampling and not last.event.sampling.seed:
                drawn = draw_order(book, last, event.mark)
                book.record(lambda _: drawn)
        return event


def copied(bundle: Path, folder: Path, people: People) -> Insider:
    """Return an insider at work on a copy of a bundle."""
    shutil.copytree(bundle, folder / "forged")
    return Insider(folder / "forged", people)


def reasons(said: Said, *verdicts: str) -> list[str]:
    """Return what an audit found, as `room: message`; everything that is not `passed` unless told otherwise."""
    wanted = verdicts or ("untrusted", "failed")
    return [f"{item['room']}: {item['message']}" for item in said.json["checks"] if item["verdict"] in wanted]


def statements_of(bundle: Path, people: People, name: str) -> list[bytes]:
    """Return what somebody signed for the log of a bundle."""
    size = open_checkpoint((bundle / "checkpoint").read_bytes(), ORIGIN, (people.log.note,)).checkpoint.size
    leaves = entries(LogFolder(bundle).read, size)
    return [data for data in leaves if Insider.author(read_leaf(data)) == name]
