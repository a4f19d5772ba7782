"""Text by the evaluated model is hostile to whatever renders it: one attack per renderer."""

import csv
import html.parser
import io
import json
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ingest import sanitize

HOSTILE = st.text(
    st.characters()
    | st.sampled_from("\x1b\x9b\x07\x08\r\n\t\u202e\u2066\u200b\u2028\ufeff\U000e0041`<>&\"'=+-@|%:,#[]()!*_~\ud800")
)
STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def steering(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in STEERING}


@given(HOSTILE)
def test_nothing_that_steers_a_terminal_or_reorders_text_survives(text: str):
    assert steering(sanitize.plain(text)) == set()
    assert steering(sanitize.terminal(text)) <= {"\n", "\t"}
    assert steering(sanitize.html(text)) <= {"\n", "\t"}
    sanitize.html(text).encode()


@given(HOSTILE)
def test_harmless_text_stays_as_it_is(text: str):
    if not steering(text):
        assert sanitize.plain(text) == sanitize.terminal(text) == text


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("pass\rFAIL", "pass\\x0dFAIL"),
        ("refuted\u202edevorp", "refuted\\u202edevorp"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("line\u2028line", "line\\u2028line"),
    ],
)
def test_attacks_are_shown_as_escapes(attack: str, shown: str):
    assert sanitize.terminal(attack) == sanitize.plain(attack) == shown


def test_long_text_is_cut_and_says_so():
    assert sanitize.plain("x" * 50, 3) == "xxx... (50 characters)"
    assert sanitize.terminal("x" * 3, 3) == "xxx"


@given(HOSTILE)
def test_quoted_text_cannot_leave_its_quotes(text: str):
    shown = sanitize.quoted(text)
    assert shown.count("`") == 2
    assert shown[0] == shown[-1] == "`"
    assert "\n" not in shown


@given(HOSTILE)
def test_no_workflow_command_can_be_started(text: str):
    for line in f"prefix {sanitize.workflow_log(text)}".splitlines():
        assert "::" not in line
        assert "##[" not in line
    data = sanitize.workflow_command_data(text)
    assert "\n" not in data
    assert "\r" not in data
    assert not set(":,\n\r") & set(sanitize.workflow_command_property(text))


def test_workflow_command_in_model_output():
    assert sanitize.workflow_log("::set-output name=verdict::yes") == ":\\x3aset-output name=verdict:\\x3ayes"
    assert sanitize.workflow_log(":::") == ":\\x3a:"
    assert sanitize.workflow_log("::::") == ":\\x3a:\\x3a"
    assert sanitize.workflow_command_data("a\n::error::b") == "a%0A::error::b"
    assert sanitize.workflow_command_property("x,line=1::y") == "x%2Cline=1%3A%3Ay"


@given(HOSTILE)
def test_html_text_comes_back_as_text(text: str):
    class Page(html.parser.HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.text, self.tags = "", []

        def handle_data(self, data: str) -> None:
            self.text += data

        def handle_starttag(self, tag: str, attrs) -> None:
            self.tags.append((tag, attrs))

    page = Page()
    page.feed(f'<p title="{sanitize.html(text)}">{sanitize.html(text)}</p>')
    page.close()
    shown = sanitize.terminal(text)
    assert page.tags == [("p", [("title", shown)])]
    assert page.text == shown


@given(HOSTILE)
def test_xml_with_hostile_text_parses(text: str):
    tree = ET.fromstring(f'<svg a="{sanitize.xml(text)}"><text>{sanitize.xml(text)}</text></svg>')  # noqa: S314
    assert [child.tag for child in tree] == ["text"]
    assert (tree[0].text or "") == sanitize.terminal(text)


@given(st.recursive(HOSTILE, lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner), max_leaves=5))
def test_json_in_a_script_cannot_end_it(value):
    text = sanitize.json_in_script(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_script_end_in_model_output():
    assert "</script" not in sanitize.json_in_script("</script><!--")
    with pytest.raises(ValueError, match="JSON compliant"):
        sanitize.json_in_script(float("nan"))


@given(HOSTILE)
def test_a_csv_cell_is_one_cell_and_no_formula(text: str):
    cell = sanitize.csv_cell(text)
    rows = list(csv.reader(io.StringIO(f"{cell},next\r\n", newline="")))
    assert len(rows) == 1
    assert rows[0][1] == "next"
    assert not rows[0][0].lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "|", "%"))


@pytest.mark.parametrize("attack", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\uff1d1", "%0A=1"])
def test_formulas_in_model_output(attack: str):
    assert sanitize.csv_cell(attack).startswith("\"'")


@given(HOSTILE)
def test_markdown_has_no_markup_left(text: str):
    shown = sanitize.markdown(text)
    bare = shown.replace("&lt;", "").replace("&gt;", "")
    for place, character in enumerate(bare):
        if character in "`*_[]()#!|~@<>":
            assert place
            assert bare[place - 1] == "\\"
    assert "<" not in bare
    assert "\n" not in shown


def test_markdown_attacks():
    assert sanitize.markdown("[x](javascript:1)") == "\\[x\\]\\(javascript\\:1\\)"
    assert "<" not in sanitize.markdown("<img src=x onerror=1>")
    assert sanitize.markdown("@team") == "\\@team"
