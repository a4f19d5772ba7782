"""House rules on `src` that no linter knows."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.contracts.tree import Module, source_modules

FILE_LINES = 450
FUNCTION_LINES = 60
ON_PURPOSE = re.compile(r"#\s*long on purpose: \S")

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|NotImplementedError)\b")
PRETENDED = re.compile(r"\b(?:[Mm]ock\w*|MagicMock)\b")
SWALLOWED = re.compile(r"except(?: \(?(?:Base)?Exception\)?(?: as \w+)?)?:\s*\n\s*pass\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions and methods, nested ones included."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def undocumented(module: Module) -> list[str]:
    """Public things of `module` without a docstring: itself, classes, functions, methods."""
    missing = [] if ast.get_docstring(module.tree) else [f"{module}: module"]

    def visit(body: list[ast.stmt], owner: str) -> None:
        for node in body:
            if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
                continue
            decorators = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
            if decorators & {"overload", "override", "setter"}:
                continue
            if not ast.get_docstring(node):
                missing.append(f"{module}:{node.lineno}: {owner}{node.name}")
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{owner}{node.name}.")

    visit(module.tree.body, "")
    return missing


def too_long(module: Module) -> list[str]:
    """What of `module` is past the size budget without a comment that says why.

    The comment stands before the first definition for a file; for a function inside it, or on the
    line above.
    """
    lines = module.text.splitlines()
    first = next(
        (node.lineno for node in module.tree.body if isinstance(node, ast.ClassDef | Function)),
        len(lines) + 1,
    )
    found = []
    if len(lines) > FILE_LINES and not any(map(ON_PURPOSE.search, lines[: first - 1])):
        found.append(f"{module}: {len(lines)} lines")
    for node in functions(module.tree):
        end = node.end_lineno or node.lineno
        start = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        length = end - node.lineno + 1
        if length > FUNCTION_LINES and not any(map(ON_PURPOSE.search, lines[max(start - 2, 0) : end])):
            found.append(f"{module}:{node.lineno}: {node.name} has {length} lines")
    return found


def hollow(module: Module) -> list[str]:
    """Functions of `module` with nothing in them, other than the shapes that protocols describe."""
    shapes = {
        item
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).partition("[")[0].endswith("Protocol") for base in node.bases)
        for item in node.body
    }
    found = []
    for node in functions(module.tree):
        decorators = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
        if node in shapes or decorators & {"overload", "abstractmethod"}:
            continue
        rest = node.body[1:] if ast.get_docstring(node) else node.body
        if all(ast.unparse(statement) in {"...", "pass"} for statement in rest):
            found.append(f"{module}:{node.lineno}: {node.name}")
    return found


def module_of(text: str) -> Module:
    """A module that is only text, for the tests of the rules themselves."""
    some = source_modules()[0]
    return Module(some.path, text, ast.parse(text))


@pytest.mark.parametrize("module", source_modules(), ids=str)
def test_public_things_are_documented(module: Module) -> None:
    assert undocumented(module) == []


@pytest.mark.parametrize("module", source_modules(), ids=str)
def test_files_and_functions_stay_short(module: Module) -> None:
    assert too_long(module) == []


@pytest.mark.parametrize("pattern", [UNFINISHED, PRETENDED, SWALLOWED], ids=lambda p: p.pattern)
def test_nothing_is_unfinished_pretended_or_swallowed(pattern: re.Pattern[str]) -> None:
    found = [
        f"{module}:{module.text.count(chr(10), 0, hit.start()) + 1}: {hit.group(0)!r}"
        for module in source_modules()
        for hit in pattern.finditer(module.text)
    ]
    assert found == []


@pytest.mark.parametrize("module", source_modules(), ids=str)
def test_no_function_is_hollow(module: Module) -> None:
    assert hollow(module) == []


def test_names_of_files_say_what_is_inside() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    found = [str(module) for module in source_modules() if module.path.stem in banned]
    assert found == []


def test_errors_are_named_errors() -> None:
    found = [
        f"{module}:{node.lineno}: {node.name}"
        for module in source_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
        and not node.name.endswith("Error")
    ]
    assert found == []


def test_a_missing_docstring_is_seen() -> None:
    module = module_of('"""Doc."""\n\nclass Gate:\n    """Doc."""\n\n    def ask(self): ...\n')
    assert [row.rpartition(" ")[2] for row in undocumented(module)] == ["Gate.ask"]


def test_a_long_function_is_seen_unless_it_says_why() -> None:
    body = "".join(f"    x = {i}\n" for i in range(FUNCTION_LINES))
    assert len(too_long(module_of(f"def f():\n{body}"))) == 1
    assert too_long(module_of(f"# long on purpose: a table\ndef f():\n{body}")) == []


def test_a_long_file_is_seen_unless_it_says_why() -> None:
    body = "x = 1\n" * FILE_LINES + "def f(): ...\n"
    assert len(too_long(module_of(body))) == 1
    assert too_long(module_of("# long on purpose: a table\n" + body)) == []
    late = body + "    # long on purpose: too late, inside a function\n"
    assert len(too_long(module_of(late))) == 1


def test_a_hollow_function_is_seen_and_a_protocol_is_not() -> None:
    assert len(hollow(module_of('def f():\n    """Doc."""\n'))) == 1
    assert hollow(module_of("class Clock(Protocol):\n    def now(self): ...\n")) == []
