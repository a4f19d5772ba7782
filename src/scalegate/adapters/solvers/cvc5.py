"""cvc5, which is asked for a second opinion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import cvc5


@cache
def _version() -> str:
    return f"{cvc5.Solver(cvc5.TermManager()).getVersion()}"


class Cvc5:
    """The cvc5 solver, fed with text; each question in a solver of its own."""

    name = "cvc5"

    @property
    def version(self) -> str:
        """Return the version of the solver."""
        return _version()

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        """Return what the solver prints for a script, and for what follows its first word; `limit` in milliseconds."""
        terms = cvc5.TermManager()
        solver, symbols = cvc5.Solver(terms), cvc5.SymbolManager(terms)
        solver.setOption("tlimit-per", str(limit))
        solver.setOption("minimal-unsat-cores", "true")

        def run(words: str) -> str:
            parser = cvc5.InputParser(solver, symbols)
            parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, words, "question")
            printed = ""
            while not (command := parser.nextCommand()).isNull():
                printed += f"{command.invoke(solver, symbols)}"
            return printed

        try:
            status = run(script)
            return status + run(after.get(status.strip(), ""))
        except RuntimeError:
            return "unknown"
