"""Names that stand for somebody, and when two of them are one person."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Scripts with letters that look like those of another one.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK")


def normal_form(name: str) -> str:
    """Return the one way to write a name: NFKC, single spaces, none at its ends."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


@lru_cache(maxsize=4_096)
def person(name: str) -> str:
    """Return who a name stands for: names that look the same but for case, width and spaces are one person."""
    return normal_form(unicodedata.normalize("NFKC", name).casefold())


def mixed_scripts(name: str) -> str:
    """Return the look-alike scripts whose letters a name mixes, as `Cyrillic and Latin`, or an empty text."""
    scripts = {
        script
        for letter in name
        if letter.isalpha()
        for script in _ALIKE
        if unicodedata.name(letter, "").startswith(script)
    }
    return " and ".join(sorted(script.capitalize() for script in scripts)) if len(scripts) > 1 else ""
