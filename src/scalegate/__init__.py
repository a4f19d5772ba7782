"""Evaluation-gated scaling: policies that a training run obeys and an outsider can check.

The package is a house of floors (`CONTRIBUTING.md`); each room is imported by its own name, as
in `from scalegate.gate import ...`. Importing `scalegate` itself loads nothing else: no room, no
dependency and no optional extra, so that asking for the version stays free.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
