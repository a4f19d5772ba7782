"""The solvers that questions about policies are put to."""

from __future__ import annotations

from importlib import import_module

from scalegate.app.refusal import RefusalError
from scalegate.prove.compare import Solvers

_LIMIT = 20_000


def solvers(*, second: bool = True) -> Solvers:
    """Return z3, and cvc5 for a second opinion.

    Raises:
        RefusalError: if the extra `prove` is not installed.
    """
    try:
        first = import_module("scalegate.adapters.solvers.z3").Z3()
        other = import_module("scalegate.adapters.solvers.cvc5").Cvc5() if second else None
    except ImportError as error:
        raise RefusalError(
            "usage",
            "solver-missing",
            f"questions about all situations need a solver, and `{error.name}` is not installed",
            "`pip install 'scalegate[prove]'` installs z3 and cvc5",
        ) from error
    return Solvers(first, other, _LIMIT)
