"""Z3, which answers first."""

from __future__ import annotations

from collections.abc import Mapping

import z3

# A proof names as few of the assertions as it needs. Of very many of them, that takes far longer than the proof, and
# another core of the solver is faster. Options outlive a context, so that every question sets all of them.
_FEW = "(set-option :smt.core.minimize true)(set-option :sat.core.minimize true)(set-option :sat.smt false)"
_MANY = "(set-option :smt.core.minimize false)(set-option :sat.core.minimize false)(set-option :sat.smt true)"
MANY_ARE = 200


class Z3:
    """The Z3 solver, fed with text; each question in a context of its own.

    Whoever changes this can make a question undecided, and cannot make a proof: a second solver is asked as well, and
    every situation it finds is replayed by the gate's interpreter.
    """

    name = "z3"

    @property
    def version(self) -> str:
        """Return the version of the solver."""
        return f"{z3.get_version_string()}"

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        """Return what the solver prints for a script, and for what follows its first word; `limit` in milliseconds."""
        context = z3.Context()
        options = _MANY if script.count(":named") > MANY_ARE else _FEW
        try:
            # A context keeps its state from one text to the next.
            status = f"{z3.Z3_eval_smtlib2_string(context.ref(), f'{options}(set-option :timeout {limit}){script}')}"
            follows = after.get(status.strip(), "")
            return f"{status}{z3.Z3_eval_smtlib2_string(context.ref(), follows)}" if follows else status
        except z3.Z3Exception:
            return "unknown"
