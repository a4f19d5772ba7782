"""Names that stand for somebody: one way to write each, so that nobody becomes two people by another spelling."""

from __future__ import annotations

from collections.abc import Iterable

from scalegate.app.refusal import RefusalError
from scalegate.core.person import mixed_scripts, normal_form, person


def check_form(what: str, name: str) -> str:
    """Return a name that is written the one way: NFKC, single spaces, none at its ends, and one script.

    Raises:
        RefusalError: for any other spelling; the hint has the one.
    """
    plain = normal_form(name)
    if name != plain:
        raise RefusalError("usage", "name-form", f"the {what} `{name:.80}` is not in normal form", f"write `{plain}`")
    if mixed := mixed_scripts(name):
        raise RefusalError(
            "usage",
            "name-mixed",
            f"the {what} `{name:.80}` mixes {mixed} letters",
            "letters of one script, so that nobody looks like somebody else",
        )
    return name


def check_unlike(what: str, name: str, known: Iterable[str]) -> str:
    """Return a name that is known, or that no known one differs from only by case or width.

    Raises:
        RefusalError: for another spelling of a known name; the hint has that one.
    """
    names = set(known)
    for other in sorted(names):
        if name not in names and person(other) == person(name):
            raise RefusalError(
                "usage", "name-alike", f"the {what} `{name:.80}` is another spelling of a known one", f"write `{other}`"
            )
    return name
