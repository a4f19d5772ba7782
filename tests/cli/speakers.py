"""Keys of everybody who speaks in the tests of the command line, made once, and the trust file that names them."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.ledger.note import SignatureType

ORIGIN = "acme.example/rsp-log"
SPEAKERS = {
    "Ada Osei": ("developer",),
    "Lea Roth": ("auditor", "developer"),
    "M. Ito": ("regulator", "auditor"),
    "Bo Li": ("board",),
    "Eve Park": ("board",),
    "acme gate": ("gate",),
}


@cache
def speakers_folder() -> Path:
    """The folder of the keys, the same for the whole process."""
    folder = Path(tempfile.mkdtemp(prefix="scalegate-keys-"))
    keyring = Keyring(folder / "keys", Secrets({}))
    lines = [keyring.create_note(ORIGIN, SignatureType.NOTE, protected=False).line, "quorum none"]
    lines += [keyring.create(name, roles, protected=False).line for name, roles in SPEAKERS.items()]
    (folder / "trust").write_text("\n".join(lines) + "\n")
    return folder


def trust_file() -> Path:
    """The trust file."""
    return speakers_folder() / "trust"


def use_keys(patch, folder: Path | None = None) -> None:
    """Let commands find the keys; a copy of them beside `folder`, where a test may change what lies with them."""
    keys = speakers_folder() / "keys"
    if folder is not None:
        keys = shutil.copytree(keys, folder.with_name(f"{folder.name}-keys"))
    patch.setenv("SCALEGATE_KEYS", os.fspath(keys))


def keyring_in_use() -> Keyring:
    """The keys that commands find."""
    return Keyring(Path(os.environ["SCALEGATE_KEYS"]), Secrets({}))
