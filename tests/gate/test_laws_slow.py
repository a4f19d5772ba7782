"""Every law again, with twenty times as many examples."""

from __future__ import annotations

import pytest

from tests.gate import test_duty_laws, test_focused_laws, test_laws, test_policy_laws, test_sampling_laws
from tests.gate.law_registry import LAWS, SLOW_FACTOR

MODULES = (test_duty_laws, test_focused_laws, test_laws, test_policy_laws, test_sampling_laws)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LAWS))
def test_a_law_with_many_examples(name: str):
    check = LAWS[name].test(SLOW_FACTOR)
    check()
