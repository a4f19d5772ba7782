"""Acts: commands that are performed as they would be typed, each with what has to come of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERIFIER = ROOT / "tools" / "verify_ledger.py"
# So that a shell line reads as it would be typed, whatever this interpreter and its environment are called.
SHELL = """\
scalegate() { "$SCALEGATE_PYTHON" -m scalegate.cli.main "$@"; }
python() { "$SCALEGATE_PYTHON" "$@"; }
largest() { find "$1" -type f -exec ls -S {} + | sed 1q; }
spoil() { printf x | dd of="$(largest "$1/blobs")" bs=1 seek=99 conv=notrunc; }
"""


@dataclass(frozen=True)
class Act:
    """One command: what it shows, the exit code it must have, and words its answer must and must not hold."""

    told: str
    command: str
    code: int
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    at: str = "lab"  # whose folder, home and keys
    chapter: str = ""  # the one that it begins


def perform(act: Act, folder: Path, more: Mapping[str, str] | None = None, limit: float = 60.0) -> list[str]:
    """Perform one act, show it, and return what came out otherwise than told.

    Args:
        act: what is done.
        folder: has a folder for everybody who acts.
        more: names of the environment; `{home}` in a value stands for the folder of whoever acts.
        limit: seconds.
    """
    print(f"\n# {act.told}\n$ {act.command}", flush=True)
    begun, home = time.monotonic(), folder / act.at
    # Nobody's own keys are used, or added to; and the auditor has none of the lab's.
    environment = {**os.environ, "NO_COLOR": "1", "SCALEGATE_PYTHON": sys.executable, "PYTHONPATH": str(ROOT / "src")}
    environment |= {"HOME": str(home), "SCALEGATE_KEYS": str(home / "keys"), "VERIFIER": str(VERIFIER)}
    environment |= {name: value.replace("{home}", str(home)) for name, value in (more or {}).items()}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        running = subprocess.Popen(
            ["sh", "-c", SHELL + act.command], cwd=home, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        code = _wait(running, begun, limit)
        output.seek(0)
        text = output.read()
    print(text, end="")
    print(f"[exit code {code}, {time.monotonic() - begun:.0f} s]", flush=True)
    wrong = [] if code == act.code else [f"exit code {code}, told was {act.code}"]
    wrong += [f"it does not say {words!r}" for words in act.says if words not in f"\n{text}"]
    wrong += [f"it says {words!r}" for words in act.never if words in f"\n{text}"]
    return [f"{act.told[:60]}: {words}" for words in wrong]


def _wait(running: subprocess.Popen[bytes], begun: float, limit: float) -> int:
    """Return the exit code of an act; on a terminal, show that it is still at work."""
    while True:
        try:
            code = running.wait(timeout=1.0)
            break
        except subprocess.TimeoutExpired:
            seconds = time.monotonic() - begun
            if sys.stdout.isatty():
                print(f"\r  ... {seconds:.0f} s", end="\r", flush=True)
            if seconds > limit:
                running.kill()
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
    return code


def end(count: int, wrong: list[str], told: str) -> int:
    """Say how it ended; 0 only if every act came out as told."""
    if wrong:
        print("\nNOT as told:", *wrong, sep="\n  ")
        return 1
    print(f"\nAll {count} acts came out as told{told}.")
    return 0
