"""The company of a module, built once: honest, and audited without complaint."""

import pytest

from tests.attacks.company import Company, copied
from tests.attacks.insider import People


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def found(tmp_path_factory, people):
    """Makes new companies."""
    with pytest.MonkeyPatch.context() as patch:
        people.use(patch)

        patch.setattr("scalegate.app.clock.SystemClock.now", lambda _: Company.asked.now)
        yield lambda trust="trust": Company(tmp_path_factory.mktemp("company"), people, trust)


@pytest.fixture
def insider(request, tmp_path, people):
    """An insider at work on a copy of the export `bundle` of the module."""
    return copied(request.getfixturevalue("bundle"), tmp_path, people)
