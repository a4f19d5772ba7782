"""The table that compares policies: complete, computed, escaped, and accessible."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from scalegate.app.library import encoding_kernel, library_table
from scalegate.core.duties import Duties, Provenance
from scalegate.core.kernel import Kernel
from scalegate.policy.library import ENCODINGS
from scalegate.report.comparison_table import Column, comparison_table

VOID = {"meta"}
HOSTILE = "<script>alert(1)</script>&\"'"


class Markup(HTMLParser):
    """Which elements a page has, with their attributes; and whether all of them are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.broken: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)


@pytest.fixture(scope="module")
def page() -> str:
    return library_table()


def words(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_it_is_well_formed_and_loads_nothing(page: str) -> None:
    markup = Markup(page)
    assert (markup.open, markup.broken) == ([], [])
    names = {name for name, _ in markup.elements}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "svg"})
    loading = {"src", "href", "action", "style", "srcset"}
    assert [
        attrs for _, attrs in markup.elements if loading & attrs.keys() or any(key.startswith("on") for key in attrs)
    ] == []
    assert "url(" not in page
    assert "@import" not in page


def test_tables_can_be_read_aloud(page: str) -> None:
    markup = Markup(page)
    tables = sum(name == "table" for name, _ in markup.elements)
    assert tables == sum(name == "caption" for name, _ in markup.elements) == 5
    assert {attrs.get("scope") for name, attrs in markup.elements if name == "th"} == {"col", "row", "rowgroup"}
    assert ("html", {"lang": "en"}) in markup.elements


def test_every_part_of_every_encoding_is_there(page: str) -> None:
    text = words(page)
    for name, item in ENCODINGS.items():
        kernel = encoding_kernel(name)
        assert item.title in text
        assert kernel.digest in text
        for obligation in kernel.duties.obligations.values():
            assert obligation.does in text
        for declared in kernel.duties.declares.values():
            assert declared.says in text
        for source in kernel.duties.sources.values():
            assert source.title in text
            assert source.document in text


def test_every_row_names_its_source_and_whether_it_was_read(page: str) -> None:
    cells = re.findall(r'<td class="(seen|memory|unread)">(.*?)</td>', page)
    shown = {"seen": "read", "memory": "from memory", "unread": "not read"}
    assert all(text.endswith(f", {shown[read]}") for read, text in cells)
    expected = 0
    for name in ENCODINGS:
        kernel = encoding_kernel(name)
        expected += sum(len(item.about) or 1 for item in kernel.commitments)
        expected += sum(len(item.about) or 1 for item in kernel.duties.obligations.values())
        expected += len(kernel.duties.declares)
    assert len(cells) == expected
    assert {read for read, _ in cells} == {"seen", "memory", "unread"}


def test_silence_about_an_aspect_is_told_from_not_having_read_it() -> None:
    kernel = encoding_kernel("us-ca-sb53")
    other = encoding_kernel("seoul-commitments")
    page = words(comparison_table([Column("One", "a", kernel), Column("Two", "b", other)]))
    assert "Nothing about it in: One." in page
    unread = replace(kernel, duties=replace(kernel.duties, unread=("develop",)))
    page = words(comparison_table([Column("One", "a", unread), Column("Two", "b", other)]))
    assert "Not read in: One." in page


def test_ways_out_are_told_from_what_is_demonstrated() -> None:
    row = _row(library_table(), "Preparedness Framework 2", "race-floor")
    holds, unless, until, ways, strength, source = row
    assert holds.startswith("deployment to named partners")
    assert unless == "threshold-reached scores below 100%"
    assert "the safeguard high-safeguards works" in until
    assert "rival-without-safeguards" in until
    assert ways == "none besides"
    assert (strength, source) == ("promised", "O2, read")
    weaker = _row(library_table(), "Responsible Scaling Policy 2.2", "race-floor")
    assert "rival-without-safeguards" in weaker[3]
    assert "rival-without-safeguards" not in weaker[2]


def test_a_line_that_every_result_satisfies_is_about_its_age() -> None:
    row = _row(library_table(), "Responsible Scaling Policy 1.0", "cadence")
    assert row[1].startswith("there is a result of dangerous-capabilities in time")
    assert "up to 4x effective compute or 3 months" in row[1]


def test_what_softens_a_promise_is_said() -> None:
    row = _row(library_table(), "Frontier Safety Framework 2.0", "training-pause")
    assert "going-on-decided" in row[3]
    assert "the developer decides" in row[3]
    assert row[4] == "may be done"


def test_no_text_of_an_encoding_is_markup() -> None:
    kernel = _hostile(encoding_kernel("xai-rmf-2025-08"))
    page = comparison_table([Column(HOSTILE, HOSTILE, kernel)])
    assert "<script" not in page
    assert html.escape(HOSTILE, quote=True) in page
    markup = Markup(page)
    assert (markup.open, markup.broken) == ([], [])


def _row(page: str, title: str, aspect: str) -> list[str]:
    group = page.split(f'<th scope="rowgroup" colspan="7">{aspect}</th>')[1].split("</tbody>", maxsplit=1)[0]
    line = group.split(f'<th scope="row">{title}</th>')[1].split("</tr>")[0]
    return [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]


def _hostile(kernel: Kernel) -> Kernel:
    """A kernel whose every free text tries to be markup."""
    duties = kernel.duties
    nothing = Provenance(HOSTILE, "seen")
    return replace(
        kernel,
        id=HOSTILE,
        version=HOSTILE,
        issuer=HOSTILE,
        digest=HOSTILE,
        commitments=tuple(replace(item, about=(HOSTILE,)) for item in kernel.commitments),
        duties=Duties(
            declares={key: replace(item, says=HOSTILE, number=HOSTILE) for key, item in duties.declares.items()},
            sources={
                key: replace(item, title=HOSTILE, document=HOSTILE, pages=HOSTILE)
                for key, item in duties.sources.items()
            },
            unread=(HOSTILE,),
            provenance=dict.fromkeys(duties.provenance, nothing),
        ),
    )
