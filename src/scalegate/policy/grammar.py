"""The grammar of phrases: conditions, durations, pins and the other small sentences in a policy.

One LALR grammar with a start symbol per kind of phrase. It is wide on purpose: units, operators and
numbers of any shape pass, so that the readers of its trees can say what is wrong with them.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

import lark
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.grammar import Rule
from lark.lexer import TerminalDef

from scalegate.core.canonical import digest_bytes
from scalegate.core.diagnostic import Span
from scalegate.policy import grammar_tables
from scalegate.policy.diagnose import Findings, quote, spoken
from scalegate.policy.source import Scalar

MAX_NESTING = 32

RESERVED: Final = frozenset(
    {
        *("and", "or", "not", "at", "least", "of", "never", "always", "everything"),
        *("effective", "compute", "after", "before", "under", "every", "in"),
        *("attested", "approved", "published", "by"),
    }
)

GRAMMAR = r"""
condition: _top
_top: either
?either: both ("or" both)*
?both: negation ("and" negation)*
?negation: "not" atom -> negated
    | atom
?atom: "(" either ")" -> group
    | "at" "least" NUMBER "of" "(" either ("," either)* ")" -> some_of
    | "never" -> never
    | "always" -> always
    | "after" DATE -> after
    | "before" DATE -> before
    | "attested" NAME "by" NAME -> attested
    | "approved" "by" NAME -> approved
    | "published" -> published
    | _OPERATES "in" NAME -> operates
    | _OVERDUE NAME -> overdue
    | _SPECIFIED NAME -> specified
    | _ELAPSED duration "since" NAME "by" NAME -> elapsed
    | operand (OP operand)* scaffolds? -> comparison
?operand: NAME -> name
    | "effective" "compute" -> compute
    | quantity
scaffolds: "under" "every" "scaffold" "of" "the" "context"

quantity: NUMBER (PERCENT | NAME)?
    | NUMBER "in" NUMBER -> odds
    | NUMBER "/" NUMBER -> odds
duration: NUMBER NAME
window: "in" "any" duration
factor: NUMBER "x"
due: "at" _limit ("or" _limit)? ("," "whichever" "is" "first")?
_limit: factor ("effective" "compute")?
    | duration
quorum: NUMBER ("of" NUMBER)?
tally: "at" "least" quantity
    | "at" "least" NUMBER "of" NUMBER -> count
failure: NAME OP NUMBER "of" NUMBER
binds: "every" "developer" reach? earning? places?
reach: "above" amount
earning: _WITH "revenue" "above" amount
places: "in" NAME ("or" NAME)*
// No odds, so that `in` after a number begins the places.
amount: NUMBER (PERCENT | NAME)?
event: NAME "by" NAME
belief: "attested" "by" NAME
pin: REFERENCE ("@" SCHEME ":" SCHEME)?
score: WORD+ (TRIES NUMBER "of" NUMBER _tries)?
    | MEAN _averaged? (IN_TRIES NUMBER _tries)? -> mean
// Not WORD*: both kinds of score would share their states, and `in 4 tries` would end the words of a success rate.
_averaged: _averaged? WORD
_tries: "tries" | "try" | "attempts"
date: DATE

// These begin a phrase only before what no name is ever followed by: elsewhere they are names, as they always were.
_OPERATES.1: /operates(?=\s+in(?![A-Za-z0-9.-]))/
_OVERDUE.1: /overdue(?=\s+(?!(?:%(reserved)s)(?![A-Za-z0-9.-]))[A-Za-z])/
_SPECIFIED.1: /specified(?=\s+(?!(?:%(reserved)s)(?![A-Za-z0-9.-]))[A-Za-z])/
_ELAPSED.1: /elapsed(?=\s+[0-9.+-])/
_WITH.1: /with(?![A-Za-z0-9.-])/

NAME: /(?!(?:%(reserved)s)(?![A-Za-z0-9.-]))[A-Za-z][A-Za-z0-9.-]*/
NUMBER: /[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/
DATE: /[0-9][0-9A-Za-z:+.-]*/
PERCENT: "%%"
OP: /[<>=!\u2264\u2265\u2260]+/
REFERENCE: /[^\s@]+/
SCHEME: /[^\s@:]+/
TRIES: /in\s+at\s+least(?=\s)/
MEAN: /mean(?!\S)/i
IN_TRIES: /in(?=\s+(?:at\s+least\s|[0-9.]+(?!\S)|\S+\s+(?:tries|try|attempts)(?!\S)))/
WORD.-1: /\S+/
%%ignore /\s+/
""" % {"reserved": "|".join(sorted(RESERVED))}  # noqa: UP031 - a format string would double every brace above

STARTS: Final = (
    "condition",
    "quantity",
    "duration",
    "window",
    "factor",
    "due",
    "quorum",
    "tally",
    "failure",
    "binds",
    "event",
    "belief",
    "pin",
    "score",
    "date",
)

# What each kind of phrase looks like, for those who wrote another.
SHAPES: Final = {
    "condition": "`autonomy <= 20%`, joined by `and`, `or`, `not` and parentheses",
    "quantity": "`1%` or `1 in 100`",
    "duration": "`3 months`",
    "window": "`in any 12 months`",
    "factor": "`4x`",
    "due": "`at 4x effective compute or 3 months, whichever is first`",
    "quorum": "`2 of 3`",
    "tally": "`at least 19 of 20` or `at least 80%`",
    "failure": "`red-team > 0 of 3`",
    "binds": "`every developer above 1e25 FLOP`, perhaps `with revenue above 5e8 USD in us-ca`",
    "event": "`incident-reported by regulator`",
    "belief": "`attested by external-auditor`",
    "pin": "`name@sha256:` and 64 hexadecimal digits",
    "score": "`success rate`, `tasks solved in at least 1 of 10 tries` or `mean reward in 4 tries`",
    "date": "`2027-01-01`",
}

_TERMINALS: Final = {
    "NAME": "a name",
    "NUMBER": "a number",
    "DATE": "a date",
    "OP": "`<=`, `>=`, `<` or `>`",
    "PERCENT": "`%`",
    "REFERENCE": "a name",
    "SCHEME": "a digest",
    "WORD": "words",
    "TRIES": "`in at least`",
    "MEAN": "`mean`",
    "IN_TRIES": "`in`",
    "_OPERATES": "`operates in`",
    "_OVERDUE": "`overdue`",
    "_SPECIFIED": "`specified`",
    "_ELAPSED": "`elapsed`",
    "_WITH": "`with revenue`",
    "$END": "the end",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "SLASH": "`/`",
    "AT": "`at`",
    "__ANON_0": "`@`",
    "COLON": "`:`",
}

_WORD = re.compile(r"[^\s(),]+|\S")
_NESTING = re.compile(r"[()]")


def build() -> Lark:
    """Build the parser from the grammar, which takes most of the time of reading a small policy."""
    return Lark(GRAMMAR, parser="lalr", start=list(STARTS), propagate_positions=True)


def tables_of(parser: Lark) -> dict[str, Any]:
    """Return the tables of a parser as plain data."""
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    return {"data": data, "memo": memo}


@functools.cache
def parser() -> Lark:
    """Return the parser: from its tables where they belong to this grammar and this lark, else built anew."""
    current = (lark.__version__, digest_bytes(GRAMMAR.encode()))
    if current == (grammar_tables.LARK, grammar_tables.GRAMMAR):
        return Lark.load(grammar_tables.TABLES)
    return build()


def read_phrase(start: str, scalar: Scalar, findings: Findings) -> Tree[Token] | None:
    """Return the tree of a phrase, or None with a finding.

    Args:
        start: the kind of phrase, one of `STARTS`.
        scalar: what was written.
        findings: receives what is wrong.
    """
    if not scalar.text.strip():
        findings.error("P204", "nothing is written here", scalar.span, help=f"write {SHAPES[start]}")
        return None
    if not _shallow(scalar, findings):
        return None
    try:
        return parser().parse(scalar.text, start=start)
    except UnexpectedInput as error:
        _explain(error, start, scalar, findings)
        return None


def _shallow(scalar: Scalar, findings: Findings) -> bool:
    depth = 0
    for match in _NESTING.finditer(scalar.text):
        depth += 1 if match.group() == "(" else -1
        if depth > MAX_NESTING:
            findings.error(
                "P311",
                f"more than {MAX_NESTING} parentheses are open",
                scalar.at(match.start(), match.end()),
                help="name the parts as commitments of their own",
            )
            return False
    return True


def _explain(error: UnexpectedInput, start: str, scalar: Scalar, findings: Findings) -> None:
    """Report where a phrase leaves its grammar, and what could stand there instead."""
    text = scalar.text
    if isinstance(error, UnexpectedToken):
        offset = error.token.start_pos if error.token.type != "$END" else None
        wanted = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        offset, wanted = error.pos_in_stream, error.allowed
    else:
        offset, wanted = None, set()
    ends = offset is None or not text[offset:].strip()
    found = None if ends else _WORD.match(text, offset or 0)
    expected = _expected(set(wanted or ()))
    cause = f"expected {expected}" if expected else ""
    if found is None:
        end = len(text.rstrip())
        findings.error("P301", "the phrase ends too early", scalar.at(end, end), cause=cause, help=_like(start))
        return
    word = found.group()
    findings.error(
        "P301",
        f"{quote(word)} is not expected here",
        scalar.at(found.start(), found.end()),
        cause=cause,
        help=_mended(word, text[: found.start()], text[found.end() :]) or _like(start),
    )


def _expected(terminals: set[str]) -> str:
    known = {item.name: item.pattern.value for item in parser().terminals}
    words = {_TERMINALS.get(name) or f"`{known.get(name, name.lower())}`" for name in terminals}
    return spoken(sorted(words)) if len(words) <= 6 else ""


def _like(start: str) -> str:
    return f"write something like {SHAPES[start]}"


# What people write instead of words of the language, and what to tell them.
_MENDED: Final = {
    **dict.fromkeys(("&", "&&"), "write `and`"),
    **dict.fromkeys(("|", "||"), "write `or`"),
    **dict.fromkeys(("\u00d7", "X", "times"), "write `x` for a multiple, as in `4x`"),
    **dict.fromkeys(
        ("FLOP/s", "/s", "FLOPS"),
        "effective compute is a number of operations, not a speed: write `FLOP`",
    ),
    "!": "write `not`",
    "last": "write `whichever is first`: evidence ends with the first of its limits",
    "later": "write `whichever is first`: evidence ends with the first of its limits",
}


def _mended(word: str, before: str, after: str) -> str:
    """Return help for the mistakes that people make; empty when this is none of them."""
    lower = word.lower()
    last = before.rsplit(maxsplit=1)[-1] if before.strip() else ""
    if word in _MENDED:
        return _MENDED[word]
    if word != lower and lower in RESERVED:
        return f"words of the language are lower-case: write `{lower}`"
    if word == "," and last[-1:].isdigit() and after[:1].isdigit():
        return "write numbers without commas, and fractions with a point: `0.2`, `1000`"
    if word[0] == "_":
        return "names are letters, digits, hyphens and dots: write a hyphen"
    if word == "not" and last == "not":
        return "two negations cancel: write neither"
    return ""


def span_of(tree: Tree[Token], scalar: Scalar) -> Span:
    """Return the span of a tree of a phrase in its file."""
    return scalar.at(*extent(tree))


def extent(tree: Tree[Token]) -> tuple[int, int]:
    """Return the offsets of a tree within the text of its scalar."""
    if tree.meta.empty:
        return 0, 0
    return tree.meta.start_pos, tree.meta.end_pos


def token_span(token: Token, scalar: Scalar) -> Span:
    """Return the span of a token of a phrase in its file."""
    start = token.start_pos or 0
    return scalar.at(start, start + len(token))
