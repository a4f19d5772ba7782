"""The lab of a test that needs permits."""

import pytest

from tests.enforce.permits import make_lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A store with a policy that binds above 1e15 FLOP."""
    return make_lab(tmp_path, monkeypatch)
