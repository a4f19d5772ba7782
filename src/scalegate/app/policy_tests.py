"""Testing a policy: cases with expected answers and reasons, and the outcomes that no case shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scalegate.app.comparing import found_from, named_policy
from scalegate.app.policies import read_policy
from scalegate.app.refusal import RefusalError
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import Kernel
from scalegate.prove.cases.case import Bench, Covered, Tried
from scalegate.prove.cases.file import bind, read_cases


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a file of cases.

    Attributes:
        file: the file.
        kernel: the policy that it is about.
        tried: every case.
        coverage: which outcomes of every commitment were seen.
    """

    file: Path
    kernel: Kernel
    tried: tuple[Tried, ...]
    coverage: tuple[Covered, ...]

    @property
    def wrong(self) -> int:
        """How many cases are not as expected."""
        return sum(bool(item.wrong) for item in self.tried)

    @property
    def covered(self) -> bool:
        """Whether every outcome that is possible was seen."""
        return not any(item.unseen for item in self.coverage)


def try_cases(cases: Path, policy: Path | None = None) -> Tested:
    """Try the cases of a file on a policy.

    Args:
        cases: the file of cases.
        policy: the policy; by default the one that the file names, looked for from its folder.

    Raises:
        RefusalError: if a file cannot be read, or is not what it should be.
    """
    text, name = read_policy(cases), str(cases)
    try:
        found = read_cases(text, name)
        if policy is None and found.policy is None:
            raise RefusalError(
                "usage", "policy-unnamed", f"`{name}` names no policy", "write `policy: FILE` there, or give --policy"
            )
        named = found.policy.text if found.policy is not None else ""
        kernel = named_policy(str(policy) if policy is not None else found_from(cases, named))
        bench = Bench(kernel)
        tried = tuple(bench.try_(case, values) for case, values in bind(text, name, found, bench))
    except DiagnosticError as error:
        raise RefusalError(
            "malformed", "cases-malformed", f"`{name}` is no file of cases: {error}", "", error.diagnostics
        ) from error
    return Tested(cases, kernel, tried, bench.coverage(tried))
