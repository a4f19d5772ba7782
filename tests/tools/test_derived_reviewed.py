"""What a hostile review of the derived files found: records that no form fits, giant files, and kernels of nothing."""

import json
import os
import shutil
import tracemalloc

import pytest

from scalegate.audit.bundle import Bundle
from scalegate.audit.derived import write_derived
from scalegate.audit.verify import verify
from scalegate.core.canonical import canonical_bytes, digest_bytes
from scalegate.core.events import DecisionMade
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import parse_trust
from tests.tools.forged import rewritten
from tests.tools.test_second_verifier import export, people

__all__ = ["export", "people"]


def report_on(one, bundle):
    return verify(bundle, parse_trust(one.trust.read_bytes()), one.now)


def told(report, verdict):
    return [item.message for item in report.of(verdict) if item.room == "derived"]


RECORDS = {
    "deep": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "no-object": lambda _: b"[]",
    "no-json": lambda _: b"{",
    "no-text": lambda _: b"\xff",
    "an-object-as-action": lambda record: canonical_bytes(record | {"action": {}}),
    "a-list-as-compute": lambda record: canonical_bytes(record | {"to": []}),
    "giant-compute": lambda record: canonical_bytes(record | {"to": "9" * 5_000}),
    "the-year-one": lambda record: canonical_bytes(record | {"as_of": "0001-01-01T00:00:00"}),
    "another-question": lambda record: canonical_bytes(record | {"context": "another"}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_is_none_ends_in_a_verdict(export, people, tmp_path, name):
    """Of an audit, and of an export."""
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")

    def change(insider, _kept):
        index = insider.where(DecisionMade, answer="permit")
        mark = insider.blob(RECORDS[name](insider.record(insider.events()[index])))
        insider.mint(index, decision=mark)
        standing = Standing()
        for leaf in insider.leaves:
            standing.admit(leaf)
        written = []
        write_derived(Bundle(bundle), standing.entries, lambda path, _: written.append(path))
        assert "derived/decisions/2.json" in written
        assert "derived/decisions/3.json" not in written

    rewritten(bundle, people, change, derived=True)
    assert report_on(one, bundle).verdict == "untrusted"


def test_a_giant_file_is_not_read_beyond_what_it_would_be(export, tmp_path):
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    os.truncate(bundle / "derived/decisions/1.json", 1 << 33)
    tracemalloc.start()
    try:
        found = report_on(one, bundle)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told(found, "untrusted") == ["'derived/decisions/1.json' is not what follows from the log"]
    assert peak < 1 << 26


def test_only_what_was_derived_is_said_to_follow_from_the_log(export, tmp_path):
    """The record of one answer is missing, so that its kernels cannot be known."""
    one = export("small")
    bundle = shutil.copytree(one.bundle, tmp_path / "copy")
    files = len([path for path in bundle.rglob("derived/*/*") if path.is_file()])
    assert told(report_on(one, bundle), "passed") == [
        f"{files} files in derived/ follow from the log and its documents"
    ]
    (path,) = [
        path
        for path in bundle.glob("blobs/sha256/*/*")
        if path.read_bytes().startswith(b"{") and json.loads(path.read_bytes().split(b"\n")[0]).get("answer") == "hold"
    ]
    path.unlink()
    for number in range(50):
        data = b'{"minted":%d}' % number
        (bundle / f"derived/kernels/{digest_bytes(data)[7:]}.json").write_bytes(data)
    found = report_on(one, bundle)
    assert told(found, "passed") == [f"{files - 1} files in derived/ follow from the log and its documents"]
    words = "51 files in derived/: the documents they follow from are not in the bundle"
    assert told(found, "impossible") == [words]
    (bundle / f"derived/kernels/{'0' * 64}.json").write_bytes(b"{}")
    assert report_on(one, bundle).verdict == "untrusted"
