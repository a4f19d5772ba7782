"""What a review found: bundles that change while they are read, that end an audit, or that another writer spoils."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.book import Book
from scalegate.app.clock import SystemClock
from scalegate.app.exporting import export
from scalegate.app.keyring import Keyring
from scalegate.audit.bundle import Bundle, BundleError
from scalegate.audit.entries import audit_log
from scalegate.audit.report import Report
from scalegate.audit.verify import verify
from scalegate.core.events import DecisionMade, ResultReported, RunRegistered, StopOrdered
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.log_folder import LogFolder
from scalegate.ledger.sealed import OpeningKey
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import parse_trust
from tests.attacks.company import Company, copied, reasons
from tests.cli.lab import ADA, DAY, ITO


@pytest.fixture(scope="module")
def company(found):
    """A run of two kinds, a permit, and a stop order."""
    company = found()
    company.init()
    company.measure("r1", 0)
    company.do("evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
               company.bank(30), "--sequential", "--report-by", "10 days", *ADA)  # fmt: skip
    assert company.gate().code == 0
    company.do("stop", "issue", "halt", *ITO)
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


# ---------------------------------------------------------------- a folder that changes


class Shifting(LogFolder):
    """A folder on a share of the developer's: whoever reads a file for the second time is given another one."""

    def __init__(self, folder, other):
        super().__init__(folder)
        self.other, self.seen = LogFolder(other), set()

    def read(self, path):
        again = path in self.seen
        self.seen.add(path)
        return self.other.read(path) if again and path.startswith("tile/entries") else super().read(path)


def test_a_folder_that_changes_between_two_readings(company, insider, bundle):
    """What had the root that the log signed is not what is audited then: the stop order is gone."""
    event = insider.events()[-1]
    assert isinstance(event, StopOrdered)
    other = replace(event, order="another", by="Ada Osei", role="developer")
    insider.leaves.pop()
    insider.add(other)
    insider.publish()
    trust = parse_trust(company.trust.read_text())
    told = []
    for folder in (bundle, insider.folder):
        found, report = Bundle(bundle), Report()
        found.log = Shifting(bundle, folder)
        audited = audit_log(found, trust, report)
        told.append((audited.complete, [item.message for item in report.of("untrusted")]))
    changed = "the bundle changed while it was read: these entries have another root"
    assert told == [(True, []), (False, [changed])]


# ---------------------------------------------------------------- statements of one's own


@pytest.mark.parametrize("name", ["stop", "stop.leaf", ".stop", "stop.leaf.bak"])
def test_every_file_of_ones_own_is_read_whatever_it_is_called(company, bundle, tmp_path, name):
    """A statement that was overlooked is one that nobody misses."""
    own = tmp_path / "own"
    own.mkdir()
    company.do("--sign-only", own / name, "stop", "issue", "left-out", *ITO)
    assert [path.name for path in own.iterdir()] == [name]
    company.now += 30 * DAY
    try:
        said = company.verify(bundle, "--own", own)
    finally:
        company.now -= 30 * DAY
    assert said.code == 4
    assert any("has waited" in item and "is not in the log" in item for item in reasons(said)), said.out


def test_receipts_and_documents_beside_ones_own_are_no_statements(company, bundle, tmp_path):
    (tmp_path / "a.leaf.receipt").write_text("a proof")
    (tmp_path / "a.leaf.tlog-proof").write_text("a proof")
    (tmp_path / "a.leaf.blobs").mkdir()
    said = company.verify(bundle, "--own", tmp_path)
    assert (said.code, reasons(said)) == (3, []), said.out
    assert any("none of your own were given" in item for item in reasons(said, "impossible"))


# ---------------------------------------------------------------- verdicts, and no tracebacks


@contextlib.contextmanager
def nobody_in_particular():
    """Whoever may not read everything, as the superuser may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


OPENING = OpeningKey.generate()


@pytest.fixture(params=["everything", "redacted", "sealed"])
def lent(request, company):
    """An export where everybody may read it: the folders of tests are closed."""
    key = company.folder / "lea.pem"
    key.write_bytes(OPENING.recipient.pem)
    more = {"redacted": ("--without", "r1"), "sealed": ("--withhold", "r1", "--seal-for", key)}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        company.do("ledger", "export", folder / "bundle", "--attest", *more.get(request.param, ()))
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        yield folder / "bundle"


def told_without(path, folder, company):
    """Audit a bundle of which one file or folder cannot be read, and return what was wrong."""
    trust = parse_trust(company.trust.read_text())
    path.chmod(0)
    try:
        with nobody_in_particular():
            report = verify(folder, trust, company.now, keys=[OPENING])
    finally:
        path.chmod(0o755)
    return report.verdict, [item.message for item in report.of("untrusted")]


def test_a_file_that_cannot_be_read_ends_in_a_verdict(company, lent):
    """Any one of them: an audit that ends with an error reports nothing at all."""
    assert told_without(lent / "README", lent, company) == ("impossible", [])
    assert told_without(lent / "trust", lent, company) == ("impossible", []), "he brings his own"
    files = sorted(path for path in lent.rglob("*") if path.is_file() and path.name not in ("README", "trust"))
    assert len(files) > 8
    for path in files:
        verdict, found = told_without(path, lent, company)
        words = "is not what follows from the log" if "derived" in path.parts else "Permission denied"
        if path.parent.name == "sealed" and verdict == "impossible":
            continue  # as if nobody had handed it over: what rests on it is not said to be right
        assert verdict == "untrusted", path
        assert any(words in item for item in found), (path, found)


def test_a_folder_that_cannot_be_read_ends_in_a_verdict(company, lent):
    for path in sorted(path for path in lent.rglob("*") if path.is_dir()):
        verdict, found = told_without(path, lent, company)
        assert (verdict, "cannot be read" in found[0]) == ("untrusted", True), (path, found)


def test_a_giant_file_among_what_follows_from_the_log(company, insider, bundle):
    """It is read as far as any document is, and no further."""
    shutil.copytree(bundle / "derived", insider.folder / "derived")
    (place,) = (insider.folder / "derived" / "decisions").iterdir()
    with place.open("r+b") as file:
        file.truncate(1 << 34)
    said = company.verify(insider.folder)
    assert (said.code, "is not what follows from the log" in reasons(said)[0]) == (4, True), said


def test_a_document_that_vanishes_while_it_is_read_is_an_error_of_the_bundle(bundle, tmp_path, insider):
    found = Bundle(shutil.copytree(bundle, tmp_path / "copy"))
    mark = insider.events()[insider.where(DecisionMade)].decision
    assert found.blob(mark)
    text = mark.removeprefix("sha256:")
    (tmp_path / "copy/blobs/sha256" / text[:2] / text).unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        found.blob(mark)


DOCUMENTS = {
    "deep": b"[" * 200_000,
    "deep-objects": b'{"a":' * 100_000,
    "empty": b"",
    "null": b"null",
    "no-units": b"[[]]",
    "half-a-letter": b'[["\\ud800"]]',
    "no-utf-8": b"\xff",
    "numbers-without-end": b"[" + b"9" * 5_000 + b"]",
    "not-a-number": b"[[NaN]]",
}


FIRST = ("deep", "no-units", "half-a-letter")


@pytest.mark.parametrize(
    "body",
    [pytest.param(body, id=name, marks=() if name in FIRST else pytest.mark.slow) for name, body in DOCUMENTS.items()],
)
@pytest.mark.parametrize("kind", ["bank", "order", "log", "claims", "policy"])
def test_a_hostile_document_ends_in_a_verdict(company, insider, kind, body):
    """He names it with his own key, and with its right digest."""
    mark = insider.blob(body)
    place = insider.where(RunRegistered, run="s1")
    plan = insider.events()[place]
    about = read_leaf(insider.leaves[place]).subjects
    if kind in ("bank", "order"):
        changes = {"sampling": None, "item_ids": mark} if kind == "bank" else {
            "sampling": replace(plan.sampling, order=mark)}  # fmt: skip
        insider.add(replace(plan, run="s2", **changes), subjects=about)
    elif kind == "claims":
        insider.add(replace(plan, run="s2", claims=(mark,)), subjects=about)
    elif kind == "log":
        result = insider.events()[insider.where(ResultReported)]
        insider.add(replace(result, run="s1", log=mark, by="Ada Osei", role="developer"), subjects=about)
    else:
        place = insider.where(DecisionMade)
        event = insider.events()[place]
        insider.leaves[place] = insider.again(place, policies=(*event.policies, mark))
    said = company.verify(insider.publish())
    assert said.code in (1, 3, 4), said
    assert said.err == "", said
    if kind in ("log", "policy"):
        assert said.code == 4, said.out


# ---------------------------------------------------------------- an export while others write


class Busy(LocalStore):
    """A store that another process writes to whenever this one has looked at it."""

    written = 0

    def _another(self):
        if self.written < 12:
            self.written += 1
            with LocalStore(self.folder, Keyring(Company.asked.people.folder / "keys", Secrets({}))) as other:
                other.append(StopOrdered(f"o{self.written}", (), "", "M. Ito", "regulator"), Company.asked.now)

    def head(self):
        found = super().head()
        self._another()
        return found

    def standing(self):
        found = super().standing()
        self._another()
        return found

    def leaves(self):
        found = super().leaves()
        self._another()
        return found

    def locate_blob(self, digest):
        found = super().locate_blob(digest)
        self._another()
        return found


def test_an_export_while_another_process_writes_is_whole(found, people):
    """The checkpoint was of what was there at the end, and the rest of what was there before."""
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    Company.asked = company
    before = len(company.history().entries)
    keys = Keyring(people.folder / "keys", Secrets({}))
    with Busy(company.store, keys) as store:
        told = export(Book(store, SystemClock()), company.folder / "busy", keys=keys)
        assert store.written > 4
    assert told.entries == before
    said = company.verify(company.folder / "busy")
    assert (said.code, reasons(said)) == (3, []), said.out
    assert f"log: {before} entries have the root that the log `acme.example/attacked` signed" in reasons(said, "passed")
    insider = copied(company.folder / "busy", company.folder, people)
    assert len(insider.leaves) == before
    assert company.verify(company.export("after")).code == 3
