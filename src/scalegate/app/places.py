"""Where the store is: `.scalegate` in the working directory or the nearest parent that has one."""

from __future__ import annotations

from pathlib import Path

from scalegate.app.refusal import RefusalError
from scalegate.ledger.store import (
    LocalStore,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
)

STORE_FOLDER = ".scalegate"


def find_store(start: Path) -> Path:
    """Return the store folder nearest to `start`, upward.

    Raises:
        RefusalError: if there is none.
    """
    for folder in (start, *start.parents):
        if (folder / STORE_FOLDER).is_dir():
            return folder / STORE_FOLDER
    raise RefusalError(
        "usage",
        "store-missing",
        f"there is no `{STORE_FOLDER}` here or in any parent folder",
        "`scalegate init` makes one; `--store` names one elsewhere",
    )


def open_store(folder: Path) -> LocalStore:
    """Open the store in `folder`.

    Raises:
        RefusalError: if it cannot be opened, saying whether it is missing, damaged or unavailable.
    """
    try:
        return LocalStore(folder)
    except StoreError as error:
        raise refusal_of(error) from error


def create_store(folder: Path) -> LocalStore:
    """Make a store in `folder`.

    Raises:
        RefusalError: if one is there already, or it cannot be made.
    """
    try:
        return LocalStore.create(folder)
    except StoreError as error:
        raise refusal_of(error) from error


def refusal_of(error: StoreError) -> RefusalError:
    """Return an error of the store as a refusal."""
    if isinstance(error, StoreMissingError):
        return RefusalError("usage", "store-missing", str(error), "`scalegate init` makes one")
    if isinstance(error, StoreExistsError):
        return RefusalError("refused", "store-exists", str(error))
    if isinstance(error, StoreDamagedError):
        hint = "restore the store from a copy that an auditor holds; nothing is permitted on this one"
        return RefusalError("untrusted", "store-damaged", str(error), hint)
    return RefusalError("store", "store-unavailable", str(error))
