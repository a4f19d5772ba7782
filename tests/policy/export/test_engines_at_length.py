"""Ten thousand situations each for Cedar and for Rego: the examples, a hundred times as many, and random policies."""

from __future__ import annotations

import pytest

from scalegate.core.kernel import Kernel
from scalegate.policy.export.plan import plan_of
from tests.policy.export.engines import CedarEngine, RegoEngine
from tests.policy.export.situations import cases, examples, policies

pytestmark = [pytest.mark.extra, pytest.mark.slow]

# (policies, situations of each)
PLANS: tuple[tuple[list[Kernel], int], ...] = ((examples(), 700), (policies(31, 120), 50))


@pytest.mark.parametrize("engine", [CedarEngine, RegoEngine])
def test_ten_thousand_situations(engine: type[CedarEngine | RegoEngine]) -> None:
    wrong: list[object] = []
    asked, permitted = 0, 0
    for seed, (kernels, count) in enumerate(PLANS):
        for number, kernel in enumerate(kernels):
            plan = plan_of(kernel)
            oracle = engine(plan)
            for case in cases(kernel, 1_000 * seed + number, count):
                asked += 1
                permitted += case.permits
                if oracle.permits(case.asked) is not case.permits:
                    wrong.append((kernel.id, case))
    assert wrong == []
    assert asked >= 10_000
    assert asked // 5 < permitted < asked * 4 // 5
