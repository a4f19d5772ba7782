"""What a review found: whoever may write the inbox kept statements out, and had files of others copied."""

import hashlib
import os
import shutil

import pytest

from scalegate.app.including import MAX_WAITING, include, overdue, put_in, waiting
from scalegate.app.refusal import RefusalError
from scalegate.app.signing import beside
from scalegate.core.events import Statement, StopOrdered
from scalegate.ledger.leaf import sign_leaf, write_statement
from tests.attacks.insider import ORIGIN
from tests.cli.lab import DAY, ITO

SECRET = b"the private key of the log"


@pytest.fixture
def company(found):
    company = found()
    company.init()
    return company


@pytest.fixture
def inbox(company):
    folder = company.store / "inbox"
    folder.mkdir()
    return folder


def stop(company, inbox, name="stop.leaf"):
    """A stop order of the regulator, in the inbox."""
    company.do("--sign-only", company.folder / name, "stop", "issue", "halt", *ITO)
    return shutil.move(company.folder / name, inbox)


def naming(company, path, *marks, name="Bo Li", role="board", number=None):
    """Sign a statement that names documents, and write it to a file."""
    about = company.now + 90 * DAY
    event = Statement("approval", "exception:rival", "", True, about, None, "", "", "", 0, marks, name, role)
    book = company.book()
    with book.store:
        standing = book.store.standing()
        number = number or standing.number_of(name)
        data = write_statement(event, ORIGIN, number, company.now, standing.subjects_of(event))
    path.write_bytes(sign_leaf(data, [company.people.signer(name)])[1])
    return path


def document(path, mark):
    """Where a document of a statement is."""
    text = mark.removeprefix("sha256:")
    place = beside(path) / "blobs" / "sha256" / text[:2] / text
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def take_in(company):
    """Take in what is in the inbox; what became of each file, by its name."""
    book = company.book()
    with book.store:
        return {item.path.name: item for item in include(book, waiting(book))}


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def kept(company, data):
    """Whether the store keeps some bytes."""
    text = digest_of(data).removeprefix("sha256:")
    return (company.store / "blobs" / "sha256" / text[:2] / text).exists()


# ---------------------------------------------------------------- junk


def folders_of_junk(_, inbox):
    (inbox / "0.leaf").mkdir()
    (inbox / "0.leaf.blobs").mkdir()


def another_document(company, inbox):
    """A statement that its author did sign, and beside it something else than it names."""
    mark = digest_of(b"the minutes")
    document(naming(company, inbox / "0.leaf", mark), mark).write_bytes(b"no minutes")


def a_document_of_nobody(company, inbox):
    mark = digest_of(b"the minutes")
    path = naming(company, inbox / "0.leaf", mark, number=900)
    document(path, mark).write_bytes(b"no minutes")


def a_pipe_for_a_document(company, inbox):
    mark = digest_of(b"the minutes")
    os.mkfifo(document(naming(company, inbox / "0.leaf", mark), mark))


JUNK = {
    "text": lambda _, inbox: (inbox / "0.leaf").write_bytes(b"junk"),
    "nothing": lambda _, inbox: (inbox / "0.leaf").write_bytes(b""),
    "too-much": lambda _, inbox: (inbox / "0.leaf").write_bytes(b"x" * 200_000),
    "deep": lambda _, inbox: (inbox / "0.leaf").write_bytes(b"[" * 60_000),
    "link": lambda _, inbox: (inbox / "0.leaf").symlink_to("nowhere"),
    "pipe": lambda _, inbox: os.mkfifo(inbox / "0.leaf"),
    "folders": folders_of_junk,
    "another-document": another_document,
    "a-document-of-nobody": a_document_of_nobody,
    "a-pipe-for-a-document": a_pipe_for_a_document,
}


@pytest.mark.parametrize("lay", JUNK.values(), ids=JUNK)
def test_junk_in_the_inbox_keeps_nothing_out(company, inbox, lay):
    stop(company, inbox)
    lay(company, inbox)
    found = take_in(company)
    assert found["stop.leaf"].index is not None
    assert isinstance(company.history().entries[found["stop.leaf"].index].event, StopOrdered)
    if "0.leaf" in found:
        assert found["0.leaf"].why or found["0.leaf"].index is not None
    assert company.gate().code == 1


def test_what_is_kept_out_for_its_documents_is_told_and_stays(company, inbox):
    another_document(company, inbox)
    found = take_in(company)["0.leaf"]
    assert (found.index, "does not have the digest that is its name" in found.why) == (None, True)
    assert (inbox / "0.leaf").exists()
    place = document(inbox / "0.leaf", digest_of(b"the minutes"))
    place.write_bytes(b"the minutes")
    assert take_in(company)["0.leaf"].index is not None
    assert kept(company, b"the minutes")


def test_a_file_that_somebody_names_himself_is_refused_whole(company):
    """There is nobody else whose statements it would keep out."""
    mark = digest_of(b"the minutes")
    path = naming(company, company.folder / "a.leaf", mark)
    document(path, mark).write_bytes(b"no minutes")
    book = company.book()
    with book.store:
        with pytest.raises(RefusalError, match="does not have the digest"):
            include(book, [path])
        with pytest.raises(RefusalError, match="no signed statement"):
            include(book, [company.file("junk", "junk")])


@pytest.mark.slow
def test_an_inbox_without_end_holds_the_gate(company, inbox):
    for number in range(MAX_WAITING + 1):
        (inbox / f"{number}.leaf").touch()
    book = company.book()
    with book.store:
        assert "lie in the inbox" in overdue(book, company.history(), company.now)


# ---------------------------------------------------------------- links


def to_a_file(company, place, _):
    (company.folder / "secret").write_bytes(SECRET)
    place.symlink_to(company.folder / "secret")


def to_a_file_by_its_name(company, place, _):
    other = company.folder / "elsewhere" / place.name
    other.parent.mkdir()
    other.write_bytes(SECRET)
    place.symlink_to(other)


def through_a_folder(company, place, _):
    """The folder above it is the link."""
    other = company.folder / "elsewhere"
    other.mkdir()
    (other / place.name).write_bytes(SECRET)
    place.parent.rmdir()
    place.parent.symlink_to(other)


def through_the_whole_folder(company, place, path):
    """Everything beside the statement is another store, say, which he cannot read and this process can."""
    other = company.folder / "elsewhere"
    shutil.move(beside(path), other)
    (other / place.relative_to(beside(path))).write_bytes(SECRET)
    beside(path).symlink_to(other)


@pytest.mark.parametrize("name", [digest_of(SECRET), "sha256:" + "7" * 64], ids=["its-digest", "another-digest"])
@pytest.mark.parametrize("link", [to_a_file, to_a_file_by_its_name, through_a_folder, through_the_whole_folder])
def test_a_link_among_the_documents_of_a_statement_is_not_copied(company, inbox, link, name):
    """The process that takes statements in may read what whoever wrote the inbox may not."""
    path = naming(company, inbox / "a.leaf", name)
    link(company, document(path, name), path)
    assert take_in(company)["a.leaf"].index is not None, "the statement needs no documents to be one"
    assert not kept(company, SECRET)
    assert not any(SECRET in item.read_bytes() for item in company.store.rglob("*") if item.is_file())


@pytest.mark.parametrize("link", [to_a_file, to_a_file_by_its_name, through_a_folder, through_the_whole_folder])
def test_a_link_among_the_documents_is_not_put_into_the_inbox(company, link):
    path = naming(company, company.folder / "a.leaf", digest_of(SECRET))
    link(company, document(path, digest_of(SECRET)), path)
    (place,) = put_in(company.store, [path])
    assert not any(item.is_file() for item in beside(place).rglob("*"))


def test_a_document_of_a_statement_is_copied(company, inbox):
    path = naming(company, inbox / "a.leaf", digest_of(b"the minutes"))
    document(path, digest_of(b"the minutes")).write_bytes(b"the minutes")
    assert take_in(company)["a.leaf"].index is not None
    assert kept(company, b"the minutes")
    assert not beside(path).exists()
