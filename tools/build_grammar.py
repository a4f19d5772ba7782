"""Write src/scalegate/policy/grammar_tables.py: the policy grammar's LALR tables, built once and not at each start.

Run it after every change of the grammar or of lark; a test compares the tables with a fresh build.
"""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

import lark

from scalegate.core.canonical import digest_bytes
from scalegate.policy.grammar import GRAMMAR, build, tables_of

TARGET = Path(__file__).resolve().parent.parent / "src/scalegate/policy/grammar_tables.py"

HEAD = '''"""LALR tables of the policy grammar, written by tools/build_grammar.py. Do not edit."""
# long on purpose: generated data, read by lark and by nobody else
# fmt: off

from __future__ import annotations

from typing import Any

LARK = {lark!r}
GRAMMAR = {grammar!r}
TABLES: dict[str, Any] = {tables}
'''


def main() -> None:
    """Write the tables."""
    tables = pformat(tables_of(build()), width=116, compact=True)
    text = HEAD.format(lark=lark.__version__, grammar=digest_bytes(GRAMMAR.encode()), tables=tables)
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
