"""A directory that somebody else made: links, missing parts, parts that are too large, and text that steers."""

import json
import os
import shutil

import pytest

from scalegate.core.events import PermitRevoked, ResultRefused, ResultReported
from scalegate.ledger.dsse import IN_TOTO, format_envelope, sign_envelope
from scalegate.ledger.log_folder import MAX_FILE
from scalegate.ledger.tiles import MAX_ENTRY
from tests.attacks.company import copied, reasons
from tests.cli.lab import LEA
from tests.cli.test_hostile_text import ATTACKS, DRAWN

TEXTS = (*ATTACKS.values(), "::set-output name=x::y", "##[command]x", "x\n::error::y")


@pytest.fixture(scope="module")
def company(found):
    company = found()
    company.init()
    company.measure("r1", 0)
    assert company.gate().code == 0
    return company


@pytest.fixture(scope="module")
def bundle(company):
    return company.export()


def check_untrusted(company, folder, *words):
    said = company.verify(folder)
    assert said.code == 4, said.out + said.err
    assert any(all(word in item for word in words) for item in reasons(said)), reasons(said)


# ---------------------------------------------------------------- names


LINKS = {
    "to-a-file-outside": lambda folder: (folder / "more").symlink_to(folder.parent / "outside"),
    "to-a-folder-outside": lambda folder: (folder / "blobs" / "more").symlink_to(folder.parent),
    "to-nowhere": lambda folder: (folder / "more").symlink_to("nowhere"),
    "to-itself": lambda folder: (folder / "more").symlink_to("more"),
    "a-pipe": lambda folder: os.mkfifo(folder / "more"),
}


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_links_and_pipes_in_a_bundle(company, insider, make):
    (insider.folder.parent / "outside").write_text("secret")
    make(insider.folder)
    check_untrusted(company, insider.folder, "is a link or a special file")


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000.p/6", "tile/0/000.p/6"])
def test_a_link_in_place_of_a_part_of_the_log(company, insider, name):
    place = insider.folder / name
    place.rename(insider.folder.parent / "moved")
    place.symlink_to(insider.folder.parent / "moved")
    check_untrusted(company, insider.folder, "is a link or a special file")


def test_a_link_in_place_of_a_document(company, insider):
    """The bytes behind it are the right ones, and may be others the next time."""
    place = insider.path(insider.events()[insider.where(ResultReported)].log)
    shutil.move(place, insider.folder.parent / "moved")
    place.symlink_to(insider.folder.parent / "moved")
    check_untrusted(company, insider.folder, "is a link or a special file")


@pytest.mark.parametrize(
    "mark",
    ["sha256:../../../outside", "../outside", "/etc/passwd", "sha256:" + "A" * 64, "sha512:" + "0" * 64, ""],
)
def test_a_digest_that_is_a_path_leads_nowhere(company, insider, mark):
    """Even his own statement cannot make a reader open what is outside."""
    (insider.folder.parent / "outside").write_text("secret")
    event = insider.events()[insider.where(ResultReported)]
    fields = {name: getattr(event, name) for name in event.__slots__} | {"by": "Ada Osei", "role": "developer"}
    about = (("orion", "6f72696f6e" + "0" * 54),)
    insider.add(ResultReported(**(fields | {"log": mark})), subjects=about)
    said = company.verify(insider.publish())
    assert said.code in (3, 4), said.out
    assert "secret" not in said.out
    assert "results: 2 of 2" not in said.out


def test_a_name_that_is_not_utf_8(company, insider):
    (insider.folder / os.fsdecode(b"more\xff")).write_text("")
    check_untrusted(company, insider.folder, "not UTF-8")


def test_a_directory_that_is_none(company, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "none"):
        check_untrusted(company, folder, "is no directory")
    check_untrusted(company, tmp_path, "not whole")


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000.p/6", "tile/0/000.p/6"])
@pytest.mark.parametrize("keep", [None, 0, 1, -1])
def test_a_truncated_bundle(company, insider, name, keep):
    place = insider.folder / name
    data = place.read_bytes()
    if keep is None:
        place.unlink()
    else:
        place.write_bytes(data[:keep])
    check_untrusted(company, insider.folder, name)


def test_every_byte_of_checkpoint_and_tiles_counts(company, insider):
    # The checkpoint as the log alone signs it: other lines are by keys that nobody names.
    insider.publish()
    for name in ("checkpoint", "tile/entries/000.p/6", "tile/0/000.p/6"):
        place = insider.folder / name
        data = place.read_bytes()
        for at in (0, len(data) // 3, len(data) // 2, len(data) - 1):
            place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert company.verify(insider.folder).code == 4, (name, at)
        place.write_bytes(data)
    assert company.verify(insider.folder).code == 3


def test_a_giant_entry(company, insider):
    """The largest that fits is no entry of ours, and a larger one fits nowhere."""
    insider.leaves.append(b"{" + b" " * (MAX_ENTRY - 2) + b"}")
    said = company.verify(insider.publish())
    assert (said.code, "is not to be trusted" in reasons(said)[0]) == (4, True)


def test_a_giant_entry_that_is_a_leaf(company, insider):
    payload = b'{"_type":"' + b"x" * 47_000 + b'"}'
    insider.leaves.append(format_envelope(sign_envelope(IN_TOTO, payload, [insider.signer("Ada Osei")])))
    said = company.verify(insider.publish())
    assert (said.code, "an object with the fields" in reasons(said)[0]) == (4, True)


def test_a_giant_file_in_place_of_a_part(company, insider):
    for name in ("checkpoint", "tile/entries/000.p/6", "tile/0/000.p/6"):
        place = insider.folder / name
        data = place.read_bytes()
        with place.open("wb") as file:
            file.truncate(MAX_FILE * 64)
        check_untrusted(company, insider.folder, name)
        place.write_bytes(data)


def test_a_document_under_a_wrong_name(company, insider):
    event = insider.events()[insider.where(ResultReported)]
    insider.path(event.log).write_bytes(b"another log")
    check_untrusted(company, insider.folder, "does not have the digest that is its name")


def test_a_document_that_nobody_names_under_a_wrong_name(company, insider):
    mark = insider.blob(b"one document")
    assert company.verify(insider.folder).code == 3
    insider.path(mark).write_bytes(b"another document")
    check_untrusted(company, insider.folder, "does not have the digest that is its name")


def test_an_edited_log_of_a_refused_run(found):
    other = found()
    other.init()
    other.measure("r1", 0)
    other.register("r2")
    assert other.run("evidence", "add", "r2", other.folder / "r1.jsonl", *LEA).code == 4
    other.do("evidence", "add", "r2", other.log("r2.jsonl", [0.0] * 100), *LEA)
    insider = copied(other.export(), other.folder, other.people)
    assert other.verify(insider.folder).code == 3
    mark = insider.events()[insider.where(ResultRefused)].log
    insider.path(mark).write_bytes(b"{}")
    check_untrusted(other, insider.folder, "does not have the digest that is its name")


# ---------------------------------------------------------------- text


FORMS = ["human", "plain", "json"]


def steers(said):
    """Whether anything that was said could steer a terminal, or passes for an answer."""
    lines = [line.lstrip() for line in said.out.splitlines()]
    return (
        not set(said.out + said.err) <= DRAWN
        or any(line.startswith(("PERMIT", "::", "verdict passed")) for line in lines)
        or "##[" in said.out
    )


@pytest.mark.parametrize("form", FORMS)
def test_hostile_text_in_every_rendering_of_an_audit(company, insider, form):
    """He names runs and documents as he likes, with his own key."""
    about = insider.events()[insider.where(ResultReported)]
    fields = {name: getattr(about, name) for name in about.__slots__}
    for text in TEXTS:
        insider.add(ResultReported(**(fields | {"run": text, "by": "Ada Osei", "role": "developer"})))
        (insider.folder / "blobs" / "sha256" / text.replace("\0", "").replace("/", "")).write_text(text)
    said = company.run("verify", insider.publish(), "--trust", company.trust, "--format", form)
    assert said.code == 4, said.out
    assert not steers(said)
    assert said.out.count("reports run") == len(TEXTS)
    if form == "json":
        assert json.loads(said.out)["verdict"] == "untrusted"


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_of_somebody_whom_nobody_knows(company, insider, text):
    insider.add(PermitRevoked(text, text, text), by=("Ada Osei",))
    insider.publish()
    for form in FORMS:
        said = company.run("verify", insider.folder, "--trust", company.trust, "--format", form)
        assert (said.code, steers(said)) == (4, False), said.out


@pytest.mark.parametrize("form", FORMS)
def test_hostile_text_in_every_rendering_of_a_log(found, form):
    """Entries that a log shows were written by anybody who has a key."""
    other = found()
    other.init()
    book = other.book()
    with book.store:
        for text in TEXTS:
            book.store.append(PermitRevoked(text, "Ada Osei", "developer"), other.now)
    said = other.do("ledger", "show", "--format", form)
    assert not steers(said)
    for index in range(3, 3 + len(TEXTS)):
        assert not steers(other.do("ledger", "show", index, "--format", form))
