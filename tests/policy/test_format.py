"""Laws of the formatter, and the layout itself."""

import random
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.diagnostic import DiagnosticError, Span
from scalegate.policy import load
from scalegate.policy.diagnose import Findings
from scalegate.policy.format import format_text
from scalegate.policy.source import Listing, Node, Scalar, Table, read_source
from scalegate.policy.templates import TEMPLATES

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "policies"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(EXAMPLES.glob("*.yaml"))}

MESSY = """\


# about the file


scalegate:   policy/v1   # first
id: "x"   # say: {a: b}
roles: { developer: {} ,
          # inner
      auditor :  {independent of: [ developer,board ]}}
a:
- x   # one
-   y: 1
    z: plain
       text
      # deep
# ends a

# leads b
b:
     # q
     c:
           d: 1\x20\x20
           # after d
       # after c


     e: "quoted # no comment
        more"   # end
     f:
       value\x20

# the end

"""

TIDY = """\
# about the file

scalegate: policy/v1  # first
id: "x"  # say: {a: b}

roles: {developer: {},
  # inner
  auditor: {independent of: [developer, board]}}

a:
  - x  # one
  - y: 1
    z: plain
      text
    # deep
# ends a

# leads b
b:
  # q
  c:
    d: 1
    # after d
  # after c

  e: "quoted # no comment
    more"  # end
  f:
    value

# the end
"""


def meaning(text: str) -> object:
    findings = Findings()
    root = read_source(text, "x", findings)
    assert root is not None, text
    assert not findings.failed, text
    return values(root)


def values(node: Node) -> object:
    match node:
        case Scalar(text=text):
            return text
        case Listing(items=items):
            return [values(item) for item in items]
        case Table(entries=entries):
            return [(entry.key.text, values(entry.value)) for entry in entries]


def without_places(value: object) -> object:
    """A kernel without spans, so that two layouts of one policy can be compared."""
    if isinstance(value, Span):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value), *(without_places(getattr(value, item.name)) for item in fields(value)))
    if isinstance(value, tuple):
        return tuple(map(without_places, value))
    if hasattr(value, "items"):
        return {key: without_places(inner) for key, inner in value.items()}
    return value


def unindented(text: str, step: int) -> str:
    """The same policy with another indentation, ragged spacing and trailing blanks."""
    lines = []
    for line in text.split("\n"):
        body = line.lstrip(" ")
        depth = (len(line) - len(body)) // 2
        lines.append(" " * depth * step + body.replace("  #", " #") + " " * (len(body) % 3))
    return "\n".join(lines).replace("\n\n", "\n\n\n")


def test_the_layout() -> None:
    assert format_text(MESSY) == TIDY


def test_windows_line_ends_become_line_feeds() -> None:
    assert format_text(MESSY.replace("\n", "\r\n")) == TIDY


@pytest.mark.parametrize("name", TEXTS)
def test_examples_are_formatted(name: str) -> None:
    assert format_text(TEXTS[name], name) == TEXTS[name]


@pytest.mark.parametrize("step", [1, 3, 4])
@pytest.mark.parametrize("name", TEXTS)
def test_formatting_changes_no_kernel(name: str, step: int) -> None:
    messy = unindented(TEXTS[name], step)
    assert messy != TEXTS[name]
    assert format_text(messy) == TEXTS[name]
    before = replace(load(messy, "x"), digest="")
    after = replace(load(format_text(messy), "x"), digest="")
    assert without_places(before) == without_places(after)


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n     keep\n       this\n\nb: 1\n",
        "a: |+\n     keep\n\n\nb: 1\n",
        "? a\n:   1\nb:  2\n",
        "{a:   b}\n",
        "---\na:   b\n",
        "[a,   b]\n",
    ],
)
def test_what_cannot_be_laid_out_keeps_its_meaning(text: str) -> None:
    once = format_text(text)
    assert meaning(once) == meaning(text)
    assert format_text(once) == once


def test_a_strange_block_does_not_keep_its_neighbors_from_being_formatted() -> None:
    text = "a: |\n     keep\nb:   1\nc:\n      d:  2\n"
    assert format_text(text) == "a: |\n     keep\n\nb: 1\n\nc:\n  d: 2\n"


@pytest.mark.parametrize("text", ["", "a: [b", "a: b\na: c\n", "a: &x b\n", "a: !tag b\n", "a: \u202eb\n", "\ta: b\n"])
def test_text_that_is_no_policy_source_is_refused(text: str) -> None:
    with pytest.raises(DiagnosticError):
        format_text(text)


# ---------------------------------------------------------------- random texts

COMMENTS = re.compile(r"#c\d+")


class Scribe:
    """Writes random YAML in a random, careless layout. Every comment is `#c` and a number."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.comments = 0

    def comment(self) -> str:
        self.comments += 1
        return f"#c{self.comments}"

    def tail(self) -> str:
        blanks = " " * self.random.randint(0, 3)
        return f"{blanks} {self.comment()}{blanks}" if self.random.random() < 0.3 else blanks

    def noise(self, deepest: int) -> list[str]:
        kinds = self.random.choices(["blank", "comment", ""], [2, 2, 8], k=2)
        lines = []
        for kind in kinds:
            if kind == "comment":
                lines.append(" " * self.random.randint(0, deepest + 3) + self.comment())
            elif kind:
                lines.append(" " * self.random.randint(0, 3))
        return lines

    def scalar(self) -> str:
        return self.random.choice(
            ["plain", "1.20", "two words", "a-b: c".replace(": ", ":"), '"q: # {x}"', "'it''s'", "''", "x@y:z"]
        )

    def flow(self, depth: int) -> str:
        pad = " " * self.random.randint(0, 2)
        if depth == 0 or self.random.random() < 0.4:
            return self.random.choice(["plain", "two words", '"q, # {x}"', "'it''s'"])
        items = [self.flow(depth - 1) for _ in range(self.random.randint(0, 3))]
        if self.random.random() < 0.5:
            return f"[{pad}{f'{pad},{pad}'.join(items)}{pad}]"
        pairs = [f"k{number}{pad}: {pad}{item}" for number, item in enumerate(items)]
        return f"{{{pad}{f'{pad}, {pad}'.join(pairs)}{pad}}}"

    def table(self, indent: int, depth: int, size: int) -> list[str]:
        lines = []
        for number in range(size):
            lines += self.noise(indent)
            lines += self.entry(f"{' ' * indent}k{number}:", indent, depth)
        return lines

    def listing(self, indent: int, depth: int) -> list[str]:
        lines = []
        for _ in range(self.random.randint(1, 3)):
            lines += self.noise(indent)
            lead = " " * indent + "-" + " " * self.random.randint(1, 3)
            if depth and self.random.random() < 0.4:
                inner = self.table(len(lead), depth - 1, self.random.randint(1, 2))
                while not inner[0].strip().startswith("k"):
                    inner.pop(0)
                lines += [lead + inner[0].lstrip(), *inner[1:]]
            else:
                lines.append(lead + self.scalar() + self.tail())
        return lines

    def entry(self, key: str, indent: int, depth: int) -> list[str]:
        kind = self.random.choice(["scalar", "flow", "flow lines", "scalar lines", "table", "listing", "next line"])
        step = self.random.randint(1, 5)
        inner = " " * (indent + step)
        if depth and kind == "table":
            return [key + self.tail(), *self.table(indent + step, depth - 1, self.random.randint(1, 3))]
        if depth and kind == "listing":
            column = indent + self.random.choice([0, step])
            return [key + self.tail(), *self.listing(column, depth - 1)]
        if kind == "flow lines":
            first = self.flow(1)
            return [f"{key} [{first},{self.tail()}", f"{inner}{self.flow(1)}", f"{inner}]{self.tail()}"]
        if kind == "scalar lines":
            return [f"{key}   some", "" if step == 5 else f"{inner}words", f"{inner}and more{self.tail()}"]
        if kind == "next line":
            return [f"{key}{self.tail()}", f"{inner}{self.scalar()}{self.tail()}"]
        return [f"{key}  {self.flow(2) if kind == 'flow' else self.scalar()}{self.tail()}"]


@given(st.integers(min_value=0, max_value=2**32))
def test_laws_on_random_texts(seed: int) -> None:
    scribe = Scribe(seed)
    lines = scribe.table(0, 3, 4)
    text = "\n".join([*lines, *scribe.noise(4)]) + "\n"
    once = format_text(text)
    assert meaning(once) == meaning(text)
    assert COMMENTS.findall(once) == COMMENTS.findall(text)
    assert format_text(once) == once
    assert not re.search(r"[ \t]\n|\n\n\n|\n\n$", once)


def test_random_texts_are_really_laid_out() -> None:
    """The fallback of leaving a block alone would satisfy the laws, too."""
    for seed in range(50):
        scribe = Scribe(seed)
        once = format_text("\n".join(scribe.table(0, 3, 4)) + "\n")
        for line in once.split("\n"):
            bare = re.sub(r"\"[^\"]*\"", "q", line)
            assert (len(line) - len(line.lstrip())) % 2 == 0, once
            assert not re.search(r"\{ |\S \}|\[ |\S \]| ,|[:-]  (?!#)", bare), line
            assert not re.search(r"\S(?: |   +)#c", bare), line


def test_templates_are_formatted() -> None:
    assert all(format_text(text) == text for text in TEMPLATES.values())
