"""The prebuilt tables are those of the grammar: nothing else may stand in the trusted code under that name."""

import json
from typing import Any

import lark
import pytest

from scalegate.core.canonical import digest_bytes
from scalegate.policy import grammar_tables
from scalegate.policy.grammar import GRAMMAR, build, parser, tables_of

PHRASES = [
    ("condition", "autonomy <= 20% and (not weight-security-3 or at least 2 of (a, b, c))"),
    ("condition", "a <= 35% under every scaffold of the context"),
    ("condition", "overdue a and elapsed 6 months since b by c or not (operates in us-ca and specified overdue)"),
    ("binds", "every developer above 1e26 FLOP with revenue above 5e8 USD in us-ca or us-ny"),
    ("event", "incident-reported by regulator"),
    ("due", "at 4x effective compute or 3 months, whichever is first"),
    ("quorum", "2 of 3"),
    ("score", "tasks solved in at least 1 of 10 tries"),
    ("score", "mean reward in 4 tries"),
]


def resolved(value: Any, memo: dict[Any, Any]) -> Any:
    """Follow lark's references, so that no number of its own remains."""
    if isinstance(value, dict):
        if set(value) == {"@"}:
            return resolved(memo[value["@"]], memo)
        return {str(key): resolved(item, memo) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item, memo) for item in value]
    return value


def automaton(tables: dict[str, Any]) -> list[Any]:
    """Return a parser's states renumbered in the order in which they are reached from the start symbols."""
    table, memo = tables["data"]["parser"]["parser"], tables["memo"]
    names = dict(table["tokens"])
    starts = sorted(table["start_states"].items())
    order = [state for _, state in starts]
    number = {state: place for place, state in enumerate(order)}
    found: list[Any] = [[name for name, _ in starts], sorted(table["end_states"])]
    for state in order:
        row = []
        for token, (action, target) in sorted(table["states"][state].items(), key=lambda item: names[item[0]]):
            if action == 0 and target not in number:
                number[target] = len(order)
                order.append(target)
            row.append([names[token], action, number[target] if action == 0 else resolved(target, memo)])
        found.append(row)
    found[1] = sorted((name, number[state]) for name, state in table["end_states"].items())
    return found


def lexicon(tables: dict[str, Any]) -> list[Any]:
    """Return the terminals and rules, sorted, and the options."""
    data, memo = tables["data"], tables["memo"]
    conf = resolved(data["parser"]["lexer_conf"], memo)
    return [
        sorted(map(written, conf.pop("terminals"))),
        written(conf),
        sorted(map(written, resolved(data["rules"], memo))),
        data["options"],
    ]


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def test_the_tables_are_those_of_a_fresh_build():
    """After a change of the grammar or of lark: python tools/build_grammar.py."""
    assert digest_bytes(GRAMMAR.encode()) == grammar_tables.GRAMMAR
    if lark.__version__ != grammar_tables.LARK:
        pytest.skip(f"the tables belong to lark {grammar_tables.LARK}; {lark.__version__} builds its own")
    fresh = tables_of(build())
    assert automaton(grammar_tables.TABLES) == automaton(fresh)
    assert lexicon(grammar_tables.TABLES) == lexicon(fresh)
    assert len(automaton(fresh)) > 100


@pytest.mark.parametrize(("start", "phrase"), PHRASES)
def test_both_parsers_read_alike(start: str, phrase: str):
    assert parser().parse(phrase, start=start) == build().parse(phrase, start=start)
