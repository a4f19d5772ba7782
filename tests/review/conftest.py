"""The lab at a terminal, with a clock that tests set."""

from tests.cli.conftest import bare, empty, prepared

__all__ = ["bare", "empty", "prepared"]
