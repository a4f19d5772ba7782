"""The trust file of a log is kept with its keys: no other log is taken for it."""

import os
import shutil
from pathlib import Path

from tests.cli.lab import ADA
from tests.cli.speakers import keyring_in_use, trust_file


def kept():
    return {trust.digest for trust in keyring_in_use().trusts()}


def begin(lab, name, text):
    """Make a store with a trust file, and return its digest."""
    path = lab.file(f"{name}.trust", text)
    lab.do("init", "--trust", path, "--store", lab.folder / name)
    return lab.do("ledger", "trust", "show", "--store", lab.folder / name, "--format", "json").json["digest"]


def test_init_keeps_the_trust_file_with_the_keys(empty):
    digest = begin(empty, "ours", f"{trust_file().read_text()}fresh 2 days\n")
    assert digest in kept()


def test_a_log_that_was_begun_anew_with_other_keys_is_held(lab, monkeypatch, tmp_path):
    """Somebody who can write the folder of the store, and has none of the keys, puts a log of his own there."""
    lab.do("init", "--trust", trust_file(), "--store", tmp_path / "kept-here")
    assert lab.gate("--dry-run").code == 3
    own = tmp_path / "his"
    own.mkdir()
    ours = os.environ["SCALEGATE_KEYS"]
    monkeypatch.setenv("SCALEGATE_KEYS", str(own / "keys"))
    lines = [lab.do("keys", "new", "--log", "acme.example/rsp-log", "--unprotected").out, "quorum none\n"]
    for name, role in (("acme gate", "gate"), ("Ada Osei", "developer")):
        lines.append(lab.do("keys", "new", name, "--role", role, "--unprotected").out)
    (own / "trust").write_text("".join(lines))
    lab.do("init", "--trust", own / "trust", "--policy", lab.folder / "acme.yaml", *ADA, "--store", own / "store")
    shutil.rmtree(lab.store)
    shutil.copytree(own / "store", lab.store)
    monkeypatch.setenv("SCALEGATE_KEYS", ours)
    said = lab.gate()
    assert said.code == 4
    assert "adopts a trust file that is not accepted here" in " ".join(said.out.split())


def test_the_trust_file_that_follows_is_kept_in_the_place_of_the_one_it_replaces(empty):
    first = begin(empty, "ours", f"{trust_file().read_text()}fresh 2 days\n")
    text = f"{trust_file().read_text()}fresh 3 days\nreplaces {first}\n"
    path = empty.file("next.trust", text)
    empty.do("ledger", "trust", "adopt", path, "--store", empty.folder / "ours")
    assert first not in kept()
    assert empty.run("ledger", "show", "--store", empty.folder / "ours").code == 0


def test_a_trust_file_that_was_not_adopted_is_not_kept(empty):
    begin(empty, "ours", f"{trust_file().read_text()}fresh 2 days\n")
    before = kept()
    path = empty.file("next.trust", f"{trust_file().read_text()}fresh 3 days\n")
    assert empty.run("ledger", "trust", "adopt", path, "--store", empty.folder / "ours").code == 1
    assert kept() == before


def test_a_machine_is_told_of_the_trust_file_by_its_environment(empty, monkeypatch):
    begin(empty, "ours", f"{trust_file().read_text()}fresh 2 days\n")
    shutil.rmtree(Path(os.environ["SCALEGATE_KEYS"]) / "trusted")
    assert empty.run("ledger", "show", "--store", empty.folder / "ours").code == 0
    monkeypatch.setenv("SCALEGATE_TRUST", str(trust_file()))
    said = empty.run("ledger", "show", "--store", empty.folder / "ours")
    assert said.code == 4
    monkeypatch.setenv("SCALEGATE_TRUST", str(empty.folder / "ours.trust"))
    assert empty.run("ledger", "show", "--store", empty.folder / "ours").code == 0
