"""SARIF 2.1.0: findings as code scanning tools read them (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote as percent

from scalegate.core.diagnostic import Diagnostic, Severity, Span
from scalegate.lint.rule import Rule
from scalegate.lint.run import Judged, Report
from scalegate.policy.diagnose import visible

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_ARGUMENT: Final = re.compile(r"\{\d+\}")
_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "note"}


def sarif(reports: Iterable[Report], rules: Sequence[Rule], version: str) -> dict[str, object]:
    """Return a SARIF log with one run.

    Args:
        reports: what was found, file by file.
        rules: the rules that were asked.
        version: that of scalegate.
    """
    found = list(reports)
    ids = [rule.id for rule in rules]
    # What is wrong with a file that is no policy has codes of the language, and no page.
    codes = dict.fromkeys(item.diagnostic.code for report in found for item in report.judged)
    others = [code for code in codes if code not in ids]
    places = {name: place for place, name in enumerate([*ids, *others])}
    described = [_rule(rule) for rule in rules]
    described += [{"id": code, "shortDescription": {"text": f"{code} of the policy language"}} for code in others]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "scalegate", "semanticVersion": version, "rules": described}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, places, report) for report in found for item in report.judged],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.family]},
    }


def _result(item: Judged, places: dict[str, int], report: Report) -> dict[str, object]:
    found = item.diagnostic
    result: dict[str, object] = {
        "ruleId": found.code,
        "ruleIndex": places[found.code],
        "level": _LEVELS[found.severity],
        "message": {"text": _text(found)},
        "locations": [{"physicalLocation": _location(found, report.file)}],
        "partialFingerprints": {"scalegate/v1": _fingerprint(found)},
    }
    if item.suppressed:
        result["suppressions"] = [{"kind": "inSource", "justification": visible(item.suppressed)}]
    return result


def _text(found: Diagnostic) -> str:
    parts = (found.message, found.cause, found.help)
    return plain(visible("; ".join(part for part in parts if part)))


def plain(text: str) -> str:
    """Return text in which nothing that a policy's author wrote is a link, or a place for an argument.

    A message may hold `[words](target)` and `{0}` (SARIF 2.1.0, 3.11.5 and 3.11.6); viewers make links of the former.
    """
    if "](" in text:
        text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return _ARGUMENT.sub(r"{\g<0>}", text)


def _location(found: Diagnostic, file: str) -> dict[str, object]:
    span = found.span or Span(file, 1, 1, 1, 1)
    region: dict[str, object] = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    if found.excerpt:
        region["snippet"] = {"text": visible(found.excerpt)}
    return {"artifactLocation": {"uri": uri(file)}, "region": region}


def uri(file: str) -> str:
    """Return a path as a URI: relative where the path is, else with the scheme `file`."""
    path = percent(file, safe="/~", errors="surrogateescape")
    return f"file://{path}" if path.startswith("/") else path


def _fingerprint(found: Diagnostic) -> str:
    """Return what stays the same when lines move: the code, the words and the line itself."""
    text = f"{found.code}\n{found.message}\n{found.excerpt.strip()}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
