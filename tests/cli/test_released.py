"""`scalegate gate release.weights --files`: what leaves is what was permitted to leave, byte by byte."""

import os
import subprocess
import sys

import pytest

from tests.cli.lab import ADA, LEA
from tests.conftest import ROOT
from tests.enforce.permits import make_lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab with a model whose weights may be released, and its files in `out`."""
    made = make_lab(tmp_path, monkeypatch)
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "a.bin").write_bytes(b"weights")
    (out / "b.bin").write_bytes(b"more")
    (out / "sub" / "config.json").write_bytes(b"{}")
    made.declare("tiny", out)
    return made


def release(lab, *more, subject="tiny", files="out"):
    return lab.run("gate", "release.weights", "--subject", subject, "--files", files, *more)


def held(said, code, why):
    assert said.code == code, said
    assert f"error[{why}]" in said.err
    assert said.out.startswith("HOLD")
    return True


def test_the_files_of_the_subject_may_leave(lab):
    said = release(lab)
    assert (said.code, said.err) == (0, "")
    assert lab.kinds()[-1] == "DecisionMade"


def add_file(out):
    (out / "adapter.bin").write_bytes(b"another model")


def change_byte(out):
    (out / "a.bin").write_bytes(b"Weights")


def leave_out(out):
    (out / "b.bin").unlink()


def swap(out):
    (out / "a.bin").rename(out / "c")
    (out / "b.bin").rename(out / "a.bin")
    (out / "c").rename(out / "b.bin")


def empty_file(out):
    (out / "z").touch()


@pytest.mark.parametrize("change", [add_file, change_byte, leave_out, swap, empty_file])
def test_other_files_may_not(lab, change):
    before = lab.kinds()
    change(lab.folder / "out")
    assert held(release(lab), 1, "files-other")
    assert lab.kinds() == before, "nothing was permitted that nobody asked for"


def test_the_files_of_another_model_may_not(lab):
    other = lab.folder / "other"
    other.mkdir()
    (other / "a.bin").write_bytes(b"another model")
    lab.declare("big", other)
    assert held(release(lab, files="other"), 1, "files-other")
    assert held(release(lab, subject="big"), 1, "files-other")
    assert release(lab, subject="big", files="other").code == 0


def rename(out):
    """Another name in the same place: the root digest covers the order of files, and not their names."""
    (out / "a.bin").rename(out / "a.bin.unused")


def rename_folder(out):
    (out / "sub").rename(out / "tub")


@pytest.mark.parametrize("change", [rename, rename_folder])
def test_renamed_files_may_not_where_their_names_were_declared(lab, change):
    change(lab.folder / "out")
    assert held(release(lab), 1, "files-renamed")


def declare_by_digest(lab):
    """Declare the model without its files, so that nobody knows their names."""
    found = lab.do("subject", "list", "--format", "json").json["subjects"]
    (root,) = (item["digest"] for item in found if item["name"] == "tiny")
    lab.do("subject", "add", "told", "--digest", root, "--issuer", "acme", "--compute", "0", "--from-scratch", *ADA)


@pytest.mark.parametrize("change", [rename, rename_folder])
def test_renamed_files_are_told_apart_by_any_declaration_of_the_same_bytes(lab, change):
    """A second declaration by a digest alone does not unsay the names of the first one."""
    declare_by_digest(lab)
    assert release(lab, subject="told").code == 0
    change(lab.folder / "out")
    assert held(release(lab, subject="told"), 1, "files-renamed")


@pytest.mark.parametrize("change", [add_file, change_byte, leave_out, swap, empty_file])
def test_other_contents_are_told_apart_by_the_digest_alone(lab, change):
    declare_by_digest(lab)
    change(lab.folder / "out")
    assert held(release(lab, subject="told"), 1, "files-other")


def test_a_link_may_not_leave_wherever_it_leads(lab):
    out = lab.folder / "out"
    (out / "b.bin").rename(lab.folder / "b.bin")
    (out / "b.bin").symlink_to(lab.folder / "b.bin")
    assert held(release(lab), 1, "model-unfit")
    (lab.folder / "linked").symlink_to(out)
    assert held(release(lab, files="linked"), 1, "model-unfit")


@pytest.mark.parametrize("name", [".git", ".github", ".gitattributes", ".gitignore"])
def test_what_tools_leave_out_of_a_digest_may_not_leave(lab, name):
    (lab.folder / "out" / name).mkdir()
    (lab.folder / "out" / name / "payload").write_bytes(b"unseen")
    assert held(release(lab), 1, "model-unfit")


def test_a_pipe_among_the_files_is_no_file(lab):
    os.mkfifo(lab.folder / "out" / "pipe")
    assert held(release(lab), 1, "model-unfit")


def test_a_system_has_no_files(lab):
    lab.do("subject", "add", "chat", "--kind", "system", "--weights", "tiny", "--issuer", "acme", *ADA)
    assert held(release(lab, subject="chat"), 2, "subject-system")


def test_an_undeclared_subject_has_no_files(lab):
    said = release(lab, subject="tinny")
    assert held(said, 1, "subject-unknown")
    assert "did you mean `tiny`?" in said.err


def test_files_that_are_not_there_are_not_released(lab):
    assert held(release(lab, files="nowhere"), 2, "model-unreadable")
    (lab.folder / "none").mkdir()
    assert held(release(lab, files="none"), 1, "model-unfit")


def test_the_right_files_do_not_lift_a_hold(lab):
    lab.stop()
    said = release(lab)
    assert (said.code, said.out.split()[0]) == (1, "HOLD")


def test_files_that_change_while_a_permit_is_waited_for_may_not_leave(lab, monkeypatch):
    lab.stop()
    file = lab.folder / "tiny.permit"

    def meanwhile(_seconds):
        change_byte(lab.folder / "out")
        lab.do("stop", "lift", "stop-1", *LEA)

    monkeypatch.setattr("scalegate.cli.gate.time.sleep", meanwhile)
    said = release(lab, "--wait", "1 minutes", "--permit", file, "--job", "upload")
    assert held(said, 1, "files-other")
    assert not file.exists()


def push(lab, rest="--subject tiny --files out"):
    """What a hook before a push does: a line of a shell."""
    program = f"{sys.executable} -m scalegate.cli.main gate release.weights {rest}"
    return subprocess.run(
        ["sh", "-c", f"{program} >gate.txt 2>gate.err && echo pushed"],
        capture_output=True,
        check=False,
        cwd=lab.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        text=True,
    )


def test_a_line_of_a_shell_pushes_nothing_that_is_held(lab):
    assert push(lab).stdout == "pushed\n"
    assert push(lab, "--subject tiny --files nowhere").stdout == ""
    assert push(lab, "--subject tiny --files out --dry-run").stdout == ""
    change_byte(lab.folder / "out")
    said = push(lab)
    assert (said.stdout, said.returncode) == ("", 1)
    assert "files-other" in (lab.folder / "gate.err").read_text()
    assert (lab.folder / "gate.txt").read_text().startswith("HOLD")
