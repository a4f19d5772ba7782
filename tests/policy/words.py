"""Texts of authors, harmless ones and others, for random kernels."""

from hypothesis import strategies as st

from scalegate.core.diagnostic import Span

SPAN = Span("policy.yaml", 1, 1, 1, 2)
# A few texts in place of `st.text`, which would make up most of the time of every test.
WORDS = st.sampled_from(
    [
        "plain words",
        "Ends with a period.",
        "# a heading",
        "- an item",
        "1. numbered",
        "> quoted > twice # thrice",
        "two\nlines # here\n## and a heading",
        "a \x1b[31mred\x1b[0m alert",
        "\u202eturned around",
        "“in quotes”",
        "`code` and **bold** and | a table",
        "é" * 40,
        "word " * 40,
        "x" * 120,
        "¼ of 3 = ?",
    ]
)
