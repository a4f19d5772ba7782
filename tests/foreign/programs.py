"""Programs of others that Python packages do not bring: fetched once from their registries, kept in the environment.

Without a program's package manager, or where that cannot reach its registry, a test is skipped, with the reason. Where
SCALEGATE_FOREIGN is set, it fails instead: so that whoever counts on these checks knows that they were made.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NPM_PACKAGES = ("@sigstore/verify@4.1.3", "@sigstore/bundle@5.0.1")
GO_RELEASE = "1.19"
DEBIAN_PACKAGES = (f"golang-{GO_RELEASE}-go", f"golang-{GO_RELEASE}-src", "golang-golang-x-mod-dev")


def node_modules():
    """Folder in which npm installed the verifiers of Sigstore."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on the path")
    return _kept("foreign-node", repr(NPM_PACKAGES), _install_npm_packages)


def go_verifier():
    """The program made of verify_log.go and Go's golang.org/x/mod, as Debian ships them."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on the path: Go comes from packages of Debian")
    source = (HERE / "verify_log.go").read_text()
    return _kept("foreign-go", source + repr(DEBIAN_PACKAGES), _build_go_verifier) / "verify_log"


def run(command, **options):
    """What a program answers on its standard output.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, **options).stdout


def _kept(name, what, make):
    """The folder that `make` filled, kept for the next time; another `what` is another folder."""
    place = Path(sys.prefix) / name / hashlib.sha256(what.encode()).hexdigest()[:16]
    if place.is_dir():
        return place
    place.parent.mkdir(exist_ok=True)
    # Another process may make the same: who is first stays.
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        try:
            make(made, Path(scratch))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = str(error.stderr or error.stdout or "no answer in time")
            problem = f"{error.cmd[0]} failed: {said[-800:]}"
            (pytest.fail if os.environ.get("SCALEGATE_FOREIGN") else pytest.skip)(problem)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():
                raise
    return place


def _install_npm_packages(made, _scratch):
    quiet = ("--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error")
    run(["npm", "install", "--prefix", str(made), *quiet, *NPM_PACKAGES])


def _build_go_verifier(made, scratch):
    try:
        run(["apt-get", "download", "-q", *DEBIAN_PACKAGES], cwd=scratch)
    except subprocess.CalledProcessError:
        run(["apt-get", "update", "-q"])
        run(["apt-get", "download", "-q", *DEBIAN_PACKAGES], cwd=scratch)
    root = scratch / "root"
    for package in sorted(scratch.glob("*.deb")):
        run(["dpkg", "-x", str(package), str(root)])
    goroot = root / "usr/lib" / f"go-{GO_RELEASE}"
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "GOROOT": str(goroot),
        "GOPATH": str(root / "usr/share/gocode"),
        "GOCACHE": str(scratch / "cache"),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",
    }
    source, program = HERE / "verify_log.go", made / "verify_log"
    run([str(goroot / "bin/go"), "build", "-o", str(program), str(source)], env=settings)
