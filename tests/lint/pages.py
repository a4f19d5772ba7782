"""The pages of the rules: what their examples are, completed by the base they share.

`PYTHONPATH=src:. python -m tests.lint.pages` writes the index and the beginning of every page anew, from the rules.
"""

import re
from typing import NamedTuple

from scalegate.lint.page import head, index
from scalegate.lint.registry import RULES
from scalegate.lint.rule import Rule
from scalegate.lint.run import Outcome, lint, subject_of
from scalegate.policy import load
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "rules"
EXAMPLES = "## In the field"
MARK = "# <-"
# Their entries stand beside those of the base; any other block stands in the place of the base's.
MERGED = ("roles", "evaluations", "safeguards")

_BLOCK = re.compile(r"^([A-Za-z][^:#\n]*):", re.MULTILINE)
_ENTRY = re.compile(r"^  ([A-Za-z][^:#\n]*):", re.MULTILINE)
_FENCE = re.compile(r"^```yaml (bad|good|since)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page(NamedTuple):
    """The examples of one page; `since` is empty where nothing is compared."""

    bad: str
    good: str
    since: str


def parts(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """The stretches of `text` that start with a key of `pattern`, by key."""
    starts = list(pattern.finditer(text))
    ends = [hit.start() for hit in starts[1:]] + [len(text)]
    return {hit.group(1): text[hit.start() : end] for hit, end in zip(starts, ends, strict=True)}


def merged(base: str, block: str) -> str:
    """One block of the base with the entries of a fragment's."""
    entries = parts(base, _ENTRY) | parts(block, _ENTRY)
    return base.partition("\n")[0] + "\n" + "".join(f"{entry.rstrip()}\n" for entry in entries.values())


def completed(fragment: str) -> str:
    """A whole policy out of a fragment and its base."""
    name = "base-reference" if "kind: reference" in fragment else "base-policy"
    blocks = parts((FOLDER / f"{name}.yaml").read_text("utf-8"), _BLOCK)
    for key, block in parts(fragment, _BLOCK).items():
        old = blocks.get(key, "")
        blocks[key] = merged(old, block) if key in MERGED and old else block
    empty = re.compile(r"^[^:\n]+: \{\}\s*$")
    return "\n".join(block.rstrip() for block in blocks.values() if not empty.match(block)) + "\n"


def page_of(rule: Rule) -> Page:
    """The examples of a rule's page."""
    text = (FOLDER / f"{rule.id}.md").read_text("utf-8")
    found = dict(_FENCE.findall(text))
    return Page(found["bad"], found["good"], found.get("since", ""))


def outcome(rule: Rule, example: str, since: str = "") -> Outcome:
    """What a rule comes to on an example."""
    text = unmarked(example)
    older = load(completed(since), "older.yaml") if since else None
    (found,) = lint(subject_of(text, "example.yaml", older), [rule]).outcomes
    return found


def unmarked(example: str) -> str:
    """The completed example as its author would write it."""
    return "".join(f"{line.removesuffix(MARK).rstrip()}\n" for line in completed(example).splitlines())


def marked(example: str) -> int:
    """The number of the one line of the completed example that carries the mark."""
    (line,) = (number for number, line in enumerate(completed(example).splitlines(), 1) if line.rstrip().endswith(MARK))
    return line


def write() -> None:
    """Write what the rules say into the pages."""
    for rule in RULES:
        path = FOLDER / f"{rule.id}.md"
        _, _, rest = path.read_text("utf-8").partition(EXAMPLES)
        path.write_text(f"{head(rule)}\n{EXAMPLES}{rest}", "utf-8")
    (FOLDER / "README.md").write_text(index(RULES), "utf-8")


if __name__ == "__main__":
    write()
