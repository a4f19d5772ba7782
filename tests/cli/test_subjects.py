"""Declaring subjects, and the digest of a model's files."""

import hashlib
import os
import socket

import pytest

from scalegate.app.digests import digest_model, list_model
from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import digest_bytes
from scalegate.ledger.model_signing import listing_digest
from tests.cli.lab import ADA, DAY

FILES = {"config.json": b"{}", "weights/a.bin": b"\0" * 3_000_000, "weights/b.bin": b"", "é.txt": b"x"}


@pytest.fixture
def model(tmp_path):
    root = tmp_path / "model"
    for name, data in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def root_of(*files):
    return digest_bytes(b"".join(hashlib.sha256(data).digest() for data in files))


def test_the_digest_is_the_root_over_the_digests_of_the_files(model):
    assert digest_model(model) == root_of(*(FILES[name] for name in sorted(FILES)))


def test_files_stand_in_the_order_of_their_paths_and_not_of_their_texts(tmp_path):
    # As texts, `tokenizer.json` comes before `tokenizer/vocab`, since a point sorts before a slash.
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/vocab").write_bytes(b"first")
    (tmp_path / "tokenizer.json").write_bytes(b"second")
    assert digest_model(tmp_path) == root_of(b"first", b"second")


def test_the_digest_sees_every_change_of_bytes(model):
    digests = [digest_model(model)]

    def changed():
        digests.append(digest_model(model))
        return len(set(digests)) == len(digests)

    (model / "weights/b.bin").write_bytes(b"1")
    assert changed()
    (model / "empty").write_bytes(b"")
    assert changed()
    (model / "weights" / "a.bin").unlink()
    assert changed()
    (model / "weights/b.bin").rename(model / "b.bin")
    assert changed()


def test_a_renamed_file_is_seen_in_the_list_and_not_in_the_root(model):
    root, listing = digest_model(model), listing_digest(list_model(model))
    (model / "weights/b.bin").rename(model / "weights/b.bin.unused")
    assert digest_model(model) == root
    assert listing_digest(list_model(model)) != listing


@pytest.mark.parametrize("name", [".gitattributes", ".gitignore", ".git/objects/ab", ".github/weights.bin"])
def test_a_file_that_no_root_covers_is_refused(model, name):
    before = digest_model(model)
    path = model / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(RefusalError, match=f"the model has `{name.split('/')[0]}` at its top") as caught:
        digest_model(model)
    assert (caught.value.code, "move" in caught.value.hint) == ("model-unfit", True)
    assert name in {item.name for item in list_model(model)}
    # Further down nobody leaves it out.
    path.rename(model / "weights/.gitignore")
    assert digest_model(model) != before


def test_the_digest_does_not_see_times_modes_or_order(model, tmp_path):
    before = digest_model(model)
    os.utime(model / "config.json", (1, 1))
    (model / "config.json").chmod(0o600)
    other = tmp_path / "other"
    for name in reversed(FILES):
        path = other / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
    (other / "nothing-inside").mkdir()
    assert digest_model(model) == before == digest_model(other)


def test_one_file_has_the_root_of_a_folder_of_one(model, tmp_path):
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/config.json").write_bytes(b"{}")
    assert digest_model(model / "config.json") == digest_model(tmp_path / "alone") == root_of(b"{}")


def test_progress_counts_every_byte(model):
    seen = []
    digest_model(model, seen.append)
    assert sum(seen) == sum(map(len, FILES.values()))


@pytest.mark.parametrize("kind", ["link", "link-to-folder", "link-as-root", "pipe", "socket", "name", "nothing"])
def test_what_two_readers_may_see_differently_is_refused(model, kind):
    root = model
    odd = model / "odd"
    if kind == "link":
        odd.symlink_to("config.json")
    elif kind == "link-to-folder":
        odd.symlink_to("weights")
    elif kind == "link-as-root":
        root = model.parent / "alias"
        root.symlink_to(model)
    elif kind == "pipe":
        os.mkfifo(odd)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(odd))
    elif kind == "name":
        (os.fsencode(model) + b"/\xff").decode("utf-8", "surrogateescape")
        os.close(os.open(os.fsencode(model) + b"/\xff", os.O_CREAT))
    else:
        root = model / "hollow"
        root.mkdir()
    with pytest.raises(RefusalError) as caught:
        digest_model(root)
    assert caught.value.code == "model-unfit"


def test_a_model_is_declared_by_its_files(bare, model):
    said = bare.do("subject", "add", "vega", model, "--issuer", "acme", "--parent", "continue:orion",
                   "--compute", "1e24..2e24", *ADA, "--format", "json")  # fmt: skip
    assert said.json["files"] == digest_model(model)
    rows = bare.do("subject", "list", "--format", "json").json["subjects"]
    assert rows[1]["effective_compute"] == {"low": str(3 * 10**24), "high": str(4 * 10**24)}
    assert rows[1]["parents"] == [{"parent": "orion", "kind": "continue"}]
    assert "continue orion" in bare.do("subject", "list").out


def test_a_system_has_the_digest_of_its_parts(bare):
    def add(name, *more):
        return bare.do("subject", "add", name, "--kind", "system", "--weights", "orion", "--issuer",
                       "acme", *more, *ADA, "--format", "json").json["files"]  # fmt: skip

    guards = [f"sha256:{letter * 64}" for letter in "12"]
    plain = add("chat")
    assert plain == add("chat-2")
    assert plain != add("chat-3", "--scaffold", "swe-agent")
    first = add("chat-4", "--safeguard", guards[0], "--safeguard", guards[1])
    assert first == add("chat-5", "--safeguard", guards[1], "--safeguard", guards[0])
    assert first != plain


def test_silence_about_lineage_and_compute_is_warned_about(bare):
    said = bare.do("subject", "add", "waif", "--digest", f"sha256:{'9' * 64}", "--issuer", "acme", *ADA)
    assert "inherits every crossing" in said.err
    assert "no upper end" in said.err
    row = bare.do("subject", "list", "--format", "json").json["subjects"][1]
    assert row["lineage_declared"] is False
    assert row["effective_compute"]["high"] is None


def test_a_checkpoint_is_never_taken_in_the_future(bare):
    add = ("subject", "add", "vega", "--digest", f"sha256:{'9' * 64}", "--issuer", "acme", "--made-at")
    assert bare.run(*add, "2030-01-01", *ADA).code == 2
    bare.do(*add, "3 days", *ADA)
    assert bare.history().entries[-1].event.subject.made_at == bare.now - 3 * DAY


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("orion --digest D", 1, "declared already"),
        ("vega", 2, "needs its files or --digest"),
        ("vega --digest sha256:12", 2, "64 hexadecimal"),
        ("vega acme.yaml --digest D", 2, "not both"),
        ("vega --digest D --parent continue:orin", 2, "did you mean `orion`?"),
        ("vega --digest D --parent orion", 2, "KIND:PARENT"),
        ("vega --digest D --parent clone:orion", 2, "KIND one of"),
        ("vega --digest D --parent continue:orion --from-scratch", 2, "contradicts"),
        ("vega --digest D --parent continue:vega", 2, "no subject `vega`"),
        ("vega --digest D --compute 2e24..1e24", 2, "turned around"),
        ("vega --digest D --compute 1e-3", 2, "not a whole number"),
        ("vega --digest D --weights orion", 2, "declare a system"),
        ("chat --kind system", 2, "needs --weights"),
        ("chat --kind system --weights orio", 2, "did you mean `orion`?"),
        ("chat --kind system --weights orion --compute 1e24", 2, "belong to the model"),
        ("chat --kind system --weights orion --safeguard none", 2, "64 hexadecimal"),
        ("chat --kind system --weights orion --digest D", 2, "is computed"),
        ("Orion --digest D", 2, "write `orion`"),
        ("../vega --digest D", 2, "cannot be the name"),
        ("vega absent", 2, "cannot read"),
    ],
)
def test_a_declaration_that_says_too_little_or_too_much_is_refused(bare, line, code, words):
    parts = line.replace(" D", " sha256:" + "9" * 64).split()
    before = bare.history()
    said = bare.run("subject", "add", *parts, "--issuer", "acme", *ADA)
    assert (said.code, words in said.err) == (code, True), said
    assert bare.history() == before


def test_the_same_files_have_one_past(bare):
    def add(name, *more):
        return bare.run("subject", "add", name, "--digest", f"sha256:{'9' * 64}", "--issuer", "acme", *more, *ADA)

    big = ("--compute", "2e24")
    assert add("vega", *big, "--from-scratch").code == 0
    assert add("vega-again", *big, "--from-scratch").code == 0
    for more in (
        ("--compute", "2000000000000000000000001", "--from-scratch"),
        big,
        (*big, "--parent", "continue:orion"),
    ):
        said = add("vega-2", *more)
        assert (said.code, "declared as `vega`: a model of acme, from scratch, 2e24" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ada Osei ", "write `Ada Osei`"),
        (" Ada Osei", "write `Ada Osei`"),
        ("Ada  Osei", "write `Ada Osei`"),
        ("\uff21da Osei", "write `Ada Osei`"),
        ("ada osei", "write `Ada Osei`"),
        ("\u0410da Osei", "mixes Cyrillic and Latin"),
        ("\u0391da Osei", "mixes Greek and Latin"),
    ],
)
def test_a_name_has_one_spelling(bare, name, words):
    before = bare.history()
    said = bare.run("stop", "issue", "halt", "--by", name, "--role", "developer")
    assert (said.code, words in said.err) == (2, True), said
    assert bare.history() == before


def test_an_issuer_has_one_spelling_and_another_one_is_warned_about(bare):
    add = ("subject", "add", "vega", "--digest", f"sha256:{'9' * 64}", "--from-scratch", "--compute", "1e20", *ADA)
    for issuer in ("acme ", "\u0430cme"):
        assert bare.run(*add, "--issuer", issuer).code == 2
    assert "not that of the adopted policy (`acme`)" in bare.do(*add, "--issuer", "Acme").err
