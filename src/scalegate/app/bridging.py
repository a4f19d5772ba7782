"""Policies for labs that enforce with Cedar or Rego: the files of an export, and the input of one question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scalegate.app.policies import parse, read_policy
from scalegate.app.refusal import RefusalError
from scalegate.app.saving import save
from scalegate.core.diagnostic import DiagnosticError
from scalegate.gate.apply import Application, countersignatures, sunset
from scalegate.gate.records import Records
from scalegate.policy.export import cedar, rego
from scalegate.policy.export.document import Asked
from scalegate.policy.export.plan import plan_of
from scalegate.policy.export.schema import input_schema

Language = Literal["cedar", "rego"]


@dataclass(frozen=True, slots=True)
class Bridge:
    """An exported policy: the names and texts of its files, the policy itself first."""

    policy: str
    files: Mapping[str, str]

    @property
    def text(self) -> str:
        """The policy itself."""
        return next(iter(self.files.values()))


def bridge(path: Path, language: Language) -> Bridge:
    """Return a policy file in another engine's language, with the description of its input.

    Raises:
        RefusalError: if the file is no policy, or the language cannot say what it says.
    """
    kernel = parse(read_policy(path), str(path))
    try:
        plan = plan_of(kernel)
    except DiagnosticError as error:
        raise RefusalError(
            "refused",
            "policy-inexpressible",
            f"`{kernel.id}` cannot be said in {language.title()}: {error}",
            error.diagnostics[0].help,
            error.diagnostics,
        ) from error
    files = {f"{kernel.id}.{language}": (cedar if language == "cedar" else rego).policy_text(plan)}
    if language == "cedar":
        files[f"{kernel.id}.cedarschema"] = cedar.schema_text(plan)
    files[f"{kernel.id}.input.json"] = json.dumps(input_schema(plan), ensure_ascii=True, indent=2) + "\n"
    return Bridge(kernel.id, files)


def write(made: Bridge, folder: Path) -> tuple[Path, ...]:
    """Write the files of an export into a folder, in place of older ones; returns where.

    Raises:
        RefusalError: if they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write into `{folder}`: {error.strerror}") from error
    paths = tuple(folder / name for name in made.files)
    for path, text in zip(paths, made.files.values(), strict=True):
        save(path, text.encode())
    return paths


def asked(records: Records, application: Application, *, stopped: bool, lacking: bool, started: int) -> Asked:
    """Return what an exported policy is asked in a situation that the gate applied the policy to.

    Args:
        records: what is known at the time of the question.
        application: the policy, applied by the gate.
        stopped: whether a stop order stands against the request.
        lacking: whether a policy beside this one lacks a role that it mandates.
        started: effective compute that mitigation training started from, the lower end; 0 for other actions.
    """
    kernel, situation = application.kernel, application.situation
    given = countersignatures(records, application)
    return Asked(
        action=situation.request.action,
        actions=application.actions,
        subject=situation.request.subject,
        target=situation.request.to,
        to=situation.to,
        now=records.now,
        facts=application.facts,
        in_use={item.id: sunset(records, kernel, item) for item in kernel.exceptions},
        # Where the policy does not bind nobody is asked, and nothing rests on it.
        countersigned=dict.fromkeys(kernel.countersigned_by, 0) | {bar.role: bar.until for bar in given},
        stopped=stopped,
        lacking=lacking,
        started=started,
    )
