"""Make text that an evaluated model or another party wrote harmless, one function per renderer.

Every function returns text in which the hostile parts are still visible, as escapes: an auditor must be able to
see that somebody tried. None of them is needed for, or changes, what is hashed.
"""

from __future__ import annotations

import html as html_escapes
import json
import re
import unicodedata

MAX_SHOWN = 200

# Categories whose characters steer a renderer instead of being drawn: controls (C0, C1, DEL), format characters
# (bidirectional overrides, zero-width, tags), surrogates, private use, and separators of lines and paragraphs.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SIMPLE = re.compile(r"[\x20-\x7e]*")
_KEPT_BLANKS = frozenset("\n\t")
# Characters that open Markdown or HTML constructs, mention people or link issues.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&@:/$^=\"'])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _escape(character: str) -> str:
    point = ord(character)
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _visible(text: str, kept: frozenset[str]) -> str:
    if _SIMPLE.fullmatch(text):
        return text
    return "".join(
        character if character in kept or unicodedata.category(character) not in _STEERING else _escape(character)
        for character in text
    )


def plain(text: str, limit: int | None = None) -> str:
    """Return one line without controls, for logs and plain output; longer than `limit` is cut, and says so."""
    cut = text if limit is None or len(text) <= limit else text[:limit]
    shown = _visible(cut, frozenset())
    return shown if cut is text else f"{shown}... ({len(text)} characters)"


def terminal(text: str, limit: int | None = None) -> str:
    """Return text that moves no cursor, sets no title, reorders nothing; newlines and tabs stay."""
    cut = text if limit is None or len(text) <= limit else text[:limit]
    shown = _visible(cut, _KEPT_BLANKS)
    return shown if cut is text else f"{shown}... ({len(text)} characters)"


def quoted(text: str, limit: int = MAX_SHOWN) -> str:
    """Return text of a log for the inside of a message: one line, in backticks, none inside."""
    return "`" + plain(text, limit).replace("`", "\\x60") + "`"


def markdown(text: str) -> str:
    """Return text that GitHub-flavored Markdown shows as it is: no markup, link, mention or HTML."""
    return _MARKDOWN.sub(r"\\\1", plain(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def workflow_command_data(text: str) -> str:
    """Return text for behind the `::` of a GitHub workflow command; it can start no second command."""
    escaped = _visible(text, frozenset("\n\r"))
    return escaped.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_command_property(text: str) -> str:
    """Return text for a property of a GitHub workflow command, where `:` and `,` also end things."""
    return workflow_command_data(text).replace(":", "%3A").replace(",", "%2C")


def workflow_log(text: str) -> str:
    """Return text for an ordinary line of a GitHub job log, where a line of `::x::` would be a command.

    Older runners also obey `##[x]` anywhere in a line, so both marks are broken by a visible escape.
    """
    return plain(text).replace("::", ":\\x3a").replace("##[", "#\\x23[")


def html(text: str) -> str:
    """Return text for HTML content and quoted attributes."""
    return html_escapes.escape(_visible(text, _KEPT_BLANKS), quote=True)


def xml(text: str) -> str:
    """Return text for XML content and quoted attributes (JUnit, SVG); XML forbids most controls outright."""
    return html(text)


def json_in_script(value: object) -> str:
    """Return JSON for the inside of an HTML `<script>`: no `</script>`, `<!--` or line separator survives.

    Raises:
        ValueError: the value contains NaN or an infinity, which JSON has no words for.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def csv_cell(text: str) -> str:
    """Return one quoted CSV cell that no spreadsheet takes for a formula."""
    shown = plain(text)
    if text.lstrip(" \u00a0").startswith(_FORMULA) or shown.lstrip().startswith(_FORMULA):
        shown = "'" + shown
    return '"' + shown.replace('"', '""') + '"'
