"""A policy that stops a real training run, what releases it, and what nothing releases: `make demo`.

A ladder of small transformers is trained from scratch under a policy and evaluated by real Inspect runs. Every act is
a command in a process of its own, in a folder that is removed afterwards. The exit code is 0 only if every act came out
as told here. The last thing written is a page with what happened, `build/story.html`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from acting import ROOT, end, perform  # noqa: E402
from acts import ACTS, CHAPTERS  # noqa: E402

PAGE = ROOT / "build" / "story.html"
CODE = ("world.py", "bank.py", "train.py", "job.py", "compare.py", "summary.py")
LIMIT_SECONDS = 240.0
AROUND = {
    "SCALEGATE_TRUST": "{home}/trust",
    "SCALEGATE_STORE": "{home}/.scalegate",
    "PAGE": str(PAGE),
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "INSPECT_LOG_LEVEL": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
}


def prepare(folder: Path) -> None:
    """Lay out what the commands are about."""
    folder.mkdir()
    for name in (*CODE, "policy.yaml", "regime.yaml"):
        shutil.copy(HERE / name, folder)


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
            wrong += perform(act, Path(folder), AROUND, LIMIT_SECONDS)
    minutes, seconds = divmod(int(time.monotonic() - begun), 60)
    code = end(len(ACTS), wrong, f", in {minutes} min {seconds} s. The page: {PAGE}")
    if not code:
        print("It ends held. Nobody can say what would release the model; possibly nothing. Studying it goes on.")
    return code


if __name__ == "__main__":
    sys.exit(main())
