"""A policy that stops a real training run, what releases it, and what nothing releases: `make demo`.

A ladder of small transformers is trained from scratch under a policy and evaluated by real Inspect runs. Every act is
a command in a process of its own, in a folder that is removed afterwards. The exit code is 0 only if every act came out
as told here. The last thing written is a page with what happened, `build/story.html`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from acts import ACTS, CHAPTERS, Act

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "build" / "story.html"
VERIFIER = ROOT / "tools" / "verify_ledger.py"
CODE = ("world.py", "bank.py", "train.py", "job.py", "compare.py", "summary.py")
LIMIT_SECONDS = 240

# So that a shell line reads as it would be typed, whatever this interpreter and its environment are called.
SHELL = """\
scalegate() { "$STORY_PYTHON" -m scalegate.cli.main "$@"; }
python() { "$STORY_PYTHON" "$@"; }
"""


def prepare(folder: Path) -> None:
    """Lay out what the commands are about."""
    folder.mkdir()
    for name in (*CODE, "policy.yaml", "regime.yaml"):
        shutil.copy(HERE / name, folder)


def surroundings(folder: Path, act: Act) -> dict[str, str]:
    """Return the environment of an act: nobody's own keys are used, and the auditor has none of the lab's."""
    home = folder / act.at
    return {
        **os.environ,
        "NO_COLOR": "1",
        "PYTHONPATH": f"{ROOT / 'src'}",
        "STORY_PYTHON": sys.executable,
        "HOME": str(home),
        "SCALEGATE_KEYS": str(home / "keys"),
        "SCALEGATE_TRUST": str(home / "trust"),
        "SCALEGATE_STORE": str(home / ".scalegate"),
        "VERIFIER": str(VERIFIER),
        "PAGE": str(PAGE),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "INSPECT_LOG_LEVEL": "error",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
    }


def perform(act: Act, folder: Path) -> list[str]:
    """Run one act, show it, and return what came out otherwise than told."""
    print(f"\n# {act.told}\n$ {act.command}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        running = subprocess.Popen(
            ["sh", "-c", SHELL + act.command],
            cwd=folder / act.at,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=surroundings(folder, act),
        )
        code = wait(running, begun)
        output.seek(0)
        text = output.read()
    print(text, end="")
    print(f"[exit code {code}, {time.monotonic() - begun:.0f} s]", flush=True)
    wrong = [] if code == act.code else [f"exit code {code}, told was {act.code}"]
    wrong += [f"it does not say {words!r}" for words in act.says if words not in f"\n{text}"]
    wrong += [f"it says {words!r}" for words in act.never if words in f"\n{text}"]
    return [f"{act.told[:60]}: {words}" for words in wrong]


def wait(running: subprocess.Popen[bytes], begun: float) -> int:
    """Return the exit code of an act; on a terminal, show that it is still at work."""
    while True:
        try:
            code = running.wait(timeout=1.0)
            break
        except subprocess.TimeoutExpired:
            seconds = time.monotonic() - begun
            if sys.stdout.isatty():
                print(f"\r  ... {seconds:.0f} s", end="\r", flush=True)
            if seconds > LIMIT_SECONDS:
                running.kill()
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
    return code


def main() -> int:
    """Perform every act; 0 only if all came out as told."""
    begun, wrong = time.monotonic(), []
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="scalegate-story-") as folder:
        (Path(folder) / "auditor").mkdir()
        prepare(Path(folder) / "lab")
        for place, act in enumerate(ACTS, 1):
            if act.chapter:
                number = CHAPTERS.index(act.chapter) + 1
                print(f"\n{'=' * 100}\n{number}/{len(CHAPTERS)}  {act.chapter}  ({place - 1} of {len(ACTS)} acts done)")
            wrong += perform(act, Path(folder))
    minutes, seconds = divmod(int(time.monotonic() - begun), 60)
    if wrong:
        print("\nNOT as told:", *wrong, sep="\n  ")
        return 1
    print(f"\nAll {len(ACTS)} acts came out as told, in {minutes} min {seconds} s. The page: {PAGE}")
    print("It ends held. Nobody can say what would release the model; possibly nothing. Studying it goes on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
