"""Fixtures and hypothesis profiles shared by every room."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# CI must answer the same twice: same examples, no database, no clock. Machines there are slow, so
# that nothing is ever called too slow.
settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", deadline=None, max_examples=50, print_blob=True)
settings.register_profile("patient", parent=settings.get_profile("dev"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real logs and published vectors that live beside the repository, never in it.

    `SCALEGATE_SHARED_DATA` names it; otherwise it is `../shared/data`. A test that asks for it is
    skipped where it is absent, but a variable that leads nowhere is a mistake and fails.
    """
    named = os.environ.get("SCALEGATE_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    if named:
        pytest.fail(f"SCALEGATE_SHARED_DATA is {named!r}, which is not a folder")
    pytest.skip("no ../shared/data beside the repository, and SCALEGATE_SHARED_DATA is not set")
