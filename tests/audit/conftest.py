"""The lab at a terminal, with a clock that tests set."""

from tests.cli.conftest import bare, empty, lab, prepared

__all__ = ["bare", "empty", "lab", "prepared"]
