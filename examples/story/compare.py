"""Whether two checkpoints have the same weights, bit by bit: `python compare.py FOLDER FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from scalegate.integrations.weights import read_checkpoint


def main() -> int:
    one, other = (read_checkpoint(Path(folder))[1].by_name for folder in sys.argv[1:3])
    same = one == other and bool(one)
    print(f"{len(one)} tensors: {'bitwise equal' if same else 'NOT equal'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
