"""Inputs that were made to harm their reader. Each is refused, with one finding, at its exact place."""

import dataclasses

import pytest

from scalegate.core.diagnostic import Diagnostic, DiagnosticError
from scalegate.policy import check, check_bytes, load, load_bytes
from scalegate.policy import source as limits
from scalegate.policy.diagnose import MAX_FINDINGS, render

GOOD = f"""scalegate: policy/v1
id: acme
version: "1"
issuer: acme
effective: 2026-01-01
scope: everything
evaluations:
  bio: {{kind: safety, test: bank@sha256:{"ab" * 32}, score: success rate}}
commitments:
  bio-1: {{hold: train, unless shown: bio <= 20%, once crossed: never}}
"""


def only(found: tuple[Diagnostic, ...]) -> tuple[str, str]:
    """The one finding, as `line:column` and code."""
    assert [item.severity for item in found] == ["error"]
    assert found[0].span is not None
    return f"{found[0].span.line}:{found[0].span.column}", found[0].code


def test_the_policy_they_are_made_of_is_good() -> None:
    assert check(GOOD) == ()


@pytest.mark.parametrize(
    ("defect", "data", "place", "code"),
    [
        ("invalid-utf8", GOOD.encode().replace(b"id: acme", b"id: ac\xffme"), "2:7", "P101"),
        ("truncated-utf8", GOOD.encode() + "\u20ac".encode()[:2], "11:1", "P101"),
        ("utf8-of-a-surrogate", GOOD.encode() + b"\xed\xa0\x80", "11:1", "P101"),
        ("overlong-utf8", GOOD.encode() + b"\xc0\xaf", "11:1", "P101"),
        ("utf16", GOOD.encode("utf-16"), "1:1", "P101"),
        ("latin1-after-wide-text", "# \u20ac \xe9\n".encode() + b"\xe9", "2:1", "P101"),
        ("byte-order-mark", b"\xef\xbb\xbf" + GOOD.encode(), "1:1", "P103"),
        ("nul", GOOD.encode().replace(b"20%", b"20\x00%"), "10:47", "P103"),
        ("tab", GOOD.encode().replace(b"id: acme", b"id:\tacme"), "2:4", "P103"),
        ("carriage-return-alone", GOOD.encode().replace(b"bank@", b"ba\rnk@"), "8:31", "P103"),
        ("escape-sequence", GOOD.encode().replace(b"rate", b"\x1b[2Jrate"), "8:122", "P103"),
        ("next-line", GOOD.replace("rate", "ra\x85te").encode(), "8:124", "P103"),
        ("line-separator", GOOD.replace("rate", "ra\u2028te").encode(), "8:124", "P103"),
        ("right-to-left-override", GOOD.replace("20%", "\u202e%02").encode(), "10:45", "P103"),
        ("isolate", GOOD.replace("id: acme", "id: a\u2066cme").encode(), "2:6", "P103"),
        ("zero-width-joiner", GOOD.replace("bio <=", "b\u200dio <=").encode(), "10:39", "P103"),
        ("soft-hyphen", GOOD.replace("bio <=", "bio\u00ad <=").encode(), "10:41", "P103"),
        ("tag-character", GOOD.replace("bio <=", "bio\U000e0041 <=").encode(), "10:41", "P103"),
        ("bidi-in-a-comment", (GOOD + "# \u202e never bind\n").encode(), "11:3", "P103"),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" not in value else "",
)
def test_bytes_that_hide_something(defect: str, data: bytes, place: str, code: str) -> None:
    assert only(check_bytes(data, defect)) == (place, code)
    with pytest.raises(DiagnosticError) as refused:
        load_bytes(data, defect)
    assert refused.value.diagnostics == check_bytes(data, defect)


def test_only_carriage_returns() -> None:
    found = check(GOOD.replace("\n", "\r"))
    assert {item.code for item in found} == {"P103"}
    assert next(item.span.column for item in found if item.span) == 21


def test_windows_line_ends_change_nothing_but_the_digest() -> None:
    windows = GOOD.replace("\n", "\r\n")
    assert windows != GOOD
    assert dataclasses.replace(load(windows), digest="") == dataclasses.replace(load(GOOD), digest="")


@pytest.mark.parametrize(
    ("defect", "text", "place", "code"),
    [
        ("two-mebibytes", GOOD + "#" * (2 << 20), "1:1", "P102"),
        ("a-mebibyte-of-wide-characters", GOOD + "# " + "\u20ac" * 400_000, "1:1", "P102"),
        ("a-million-lines", GOOD + "\n" * 1_000_000, "1:1", "P102"),
        ("sequences-10000-deep", "[" * 10_000, "1:33", "P110"),
        ("mappings-10000-deep", "{a: " * 10_000, "1:129", "P110"),
        ("dashes-10000-deep", "- " * 10_000, "1:65", "P110"),
        ("question-marks-10000-deep", "? " * 10_000, "1:65", "P110"),
        ("blocks-100-deep", "".join(" " * depth + "a:\n" for depth in range(100)), "33:33", "P110"),
        ("closed-sequences-33-deep", "[" * 33 + "]" * 33, "1:33", "P110"),
        ("many-values", "[" + "a," * 30_000 + "]", "1:40000", "P113"),
        ("laughs", "a: &a [l, l]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n", "1:4", "P105"),
        ("alias-of-nothing", "a: *b\n", "1:4", "P105"),
        ("recursive-alias", "&a [*a]\n", "1:1", "P105"),
        ("deep-parentheses", GOOD.replace("bio <= 20%", "(" * 3_000 + "bio"), "10:70", "P311"),
        ("long-chain", GOOD.replace("bio <= 20%", "not " * 900 + "bio"), "10:42", "P301"),
        ("exponent-bomb", GOOD.replace("20%", "1e999999999"), "10:45", "P308"),
        ("exponent-bomb-in-percent", GOOD.replace("20%", "1e-999999999%"), "10:45", "P308"),
        ("digit-bomb", GOOD.replace("20%", "9" * 4_000 + "%"), "10:45", "P308"),
        (
            "digit-bomb-of-money",
            GOOD.replace("20%", "9" * 4_000 + " USD").replace("bio <=", "revenue <="),
            "10:49",
            "P308",
        ),
        ("ages", GOOD.replace("bio <= 20%", "elapsed 1e9 years since a by b"), "10:46", "P309"),
        ("practice-without-end", GOOD + "declares: {" + "a" * 900 + ": b}\n", "11:12", "P211"),
        ("words-without-end", GOOD + "assumes: [" + "a" * 5_000 + "]\n", "11:11", "P111"),
        ("key-without-end", GOOD + "a" * 4_000 + ": b\n", "11:4001", "P104"),
        ("unknown-escape", GOOD.replace("success", '"\\q"'), "8:116", "P104"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 and ":" not in value else "",
)
def test_texts_that_would_exhaust_their_reader(defect: str, text: str, place: str, code: str) -> None:
    assert only(check(text, defect)) == (place, code)


def test_closed_sequences_at_the_limit_are_only_no_policy() -> None:
    depth = limits.MAX_DEPTH
    assert only(check("[" * depth + "]" * depth))[1] == "P203"


def test_findings_are_cut_and_say_so() -> None:
    found = check(GOOD + "".join(f"key-{number}: x\n" for number in range(300)))
    assert len(found) == MAX_FINDINGS + 1
    assert found[-1].code == "P100"
    assert found[-1].message == "200 more findings are not shown"


def test_findings_stay_short_however_long_the_text() -> None:
    text = GOOD.replace("bio <= 20%", "x" * 2_000).replace("id: acme", 'id: "' + "\\\\" * 1_000 + '"')
    shown = [render(item) for item in check(text)]
    assert shown
    assert max(map(len, shown)) < 1_000


def test_excerpts_cannot_move_the_cursor() -> None:
    found = check(GOOD.replace("20%", "\x1b]0;owned\x07 \u202e20%"), "a\x1bb.yaml")
    shown = "".join(map(render, found))
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "U+001B" in shown
