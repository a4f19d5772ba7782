"""Permits for jobs of tests: a store, a policy whose scope lies above what small tests compute, and real files."""

import shutil
from pathlib import Path

from scalegate.integrations.around import Around
from tests.cli.lab import ADA, LEA, Lab
from tests.cli.speakers import trust_file, use_keys

HOST = "test-host"
POLICY = """\
scalegate: policy/v1
id: small-rsp
version: "1.0"
issuer: acme
effective: 2026-01-01
scope: effective compute > 1e15 FLOP

roles:
  developer: {}
  auditor: {independent of: [developer]}

stop orders: {by: auditor}

evaluations:
  autonomy:
    kind: capability
    test: autonomy-bank@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    score: success rate
    by: auditor
    due: at 4x effective compute or 3 months, whichever is first
    no result, stop: at 6x or 4 months

commitments:
  line:
    hold: [train, deploy]
    unless shown: autonomy <= 20%
    once crossed, resume only if shown: never
"""


class PermitLab(Lab):
    """A lab that gives permits to jobs; its clock is that of the machine."""

    @property
    def trust(self) -> Path:
        return trust_file()

    def begin(self, policy: str = POLICY) -> "PermitLab":
        """Make the store."""
        path = self.file("small.yaml", policy)
        self.do("init", "--trust", trust_file(), "--policy", path, *ADA)
        return self

    def declare(self, name: str, files: Path, compute: object = 0, *lineage: object) -> None:
        """Declare the model in some files; from scratch, unless a lineage is given."""
        more = lineage or ("--from-scratch",)
        self.do("subject", "add", name, files, "--issuer", "acme", "--compute", compute, *more, *ADA)

    def permit(self, subject: str, to: object, job: str = "job-1", host: str = HOST, name: str = "", **more) -> Path:
        """Ask for a permit for training and claim it."""
        file = self.folder / (name or f"{job}.permit")
        options = [part for key, value in more.items() for part in (f"--{key}", value)]
        self.do("gate", "train", "--subject", subject, "--to", to, "--permit", file, "--job", job, "--host", host,
                *options)  # fmt: skip
        return file

    def stop(self) -> None:
        """Have a stop order given."""
        self.do("stop", "issue", "stop-1", *LEA)

    def around(self, **more) -> Around:
        """What is around a job of these tests."""
        self.told = getattr(self, "told", [])
        return Around(**{"host": HOST, "tell": self.told.append, **more})

    def copy(self, file: Path, folder: Path) -> Path:
        """Copy a permit with everything that stands beside it."""
        folder.mkdir()
        for path in file.parent.iterdir():
            if path.is_file():
                shutil.copy2(path, folder)
        return folder / file.name


def make_lab(folder: Path, patch, policy: str = POLICY) -> PermitLab:
    """Make a lab in a folder, whose commands run with the clock of the machine."""
    patch.chdir(folder)
    use_keys(patch, folder)
    return PermitLab(folder).begin(policy)
