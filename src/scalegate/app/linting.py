"""Linting policy files: the one use case behind `scalegate policy lint`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from scalegate.app.library import policy_text
from scalegate.app.policies import parse
from scalegate.app.refusal import RefusalError, nearest
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.kernel import Kernel
from scalegate.lint.registry import BY_ID, RULES
from scalegate.lint.rule import FAMILIES, Rule
from scalegate.lint.run import Report, lint, refused, subject_of


def find_rule(name: str) -> Rule:
    """Return the rule of this id.

    Raises:
        RefusalError: if there is none.
    """
    return _named([name])[0]


def choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules to ask.

    Args:
        select: ids or families (`THR`); all rules where it is empty.
        ignore: ids or families to leave out.

    Raises:
        RefusalError: for a name that is neither, or if nothing is left.
    """
    chosen = _named(select) if select else list(RULES)
    left_out = {rule.id for rule in _named(ignore)}
    left = tuple(rule for rule in chosen if rule.id not in left_out)
    if not left:
        raise RefusalError("usage", "rules-none", "no rule is left to ask", "leave `--select` or `--ignore` out")
    return left


def _named(names: Iterable[str]) -> list[Rule]:
    wanted: set[str] = set()
    for given in names:
        name = given.strip().upper()
        if name in BY_ID:
            wanted.add(name)
        elif name in FAMILIES:
            wanted |= {rule.id for rule in RULES if rule.id.startswith(name)}
        else:
            raise RefusalError("usage", "rule-unknown", f"there is no rule `{given:.40}`", nearest(name, BY_ID))
    return [rule for rule in RULES if rule.id in wanted]


def lint_files(paths: Iterable[Path], rules: Sequence[Rule], since: Path | None = None) -> tuple[Report, ...]:
    """Return what the rules find in policy files; a file that is no policy has a report that says so.

    Args:
        paths: the files.
        rules: the rules to ask.
        since: an older version, for rules that compare.

    Raises:
        RefusalError: if a file cannot be read, or the older version is no policy.
    """
    older = parse(policy_text(str(since)), str(since)) if since is not None else None
    return tuple(_lint_file(path, rules, older) for path in paths)


def _lint_file(path: Path, rules: Sequence[Rule], older: Kernel | None) -> Report:
    text = policy_text(str(path))
    try:
        subject = subject_of(text, str(path), older)
    except DiagnosticError as error:
        return refused(str(path), error.diagnostics)
    return lint(subject, rules)
