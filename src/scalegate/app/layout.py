"""The one layout of a policy file. A module of its own: asking the gate does without the formatter."""

from __future__ import annotations

from pathlib import Path

from scalegate.app.policies import read_policy
from scalegate.app.refusal import RefusalError
from scalegate.core.diagnostic import DiagnosticError
from scalegate.ledger.files import write_durably
from scalegate.policy.format import format_text


def format_policy(path: Path) -> tuple[str, str]:
    """Return a policy file's text, and that text laid out the one way.

    Raises:
        RefusalError: if it cannot be read, or is not the YAML that a policy is written in.
    """
    text = read_policy(path)
    try:
        return text, format_text(text, str(path))
    except DiagnosticError as error:
        raise RefusalError(
            "malformed",
            "policy-malformed",
            f"`{path}` cannot be laid out: {error}",
            diagnostics=error.diagnostics,
        ) from error


def replace_file(path: Path, text: str) -> None:
    """Replace the text of a file, whole or not at all.

    Raises:
        RefusalError: if it cannot be written.
    """
    try:
        mode = path.stat().st_mode
        write_durably(path.resolve(), text.encode())
        path.chmod(mode & 0o7777)
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write `{path}`: {error.strerror}") from error
