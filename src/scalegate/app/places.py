"""Where the store is: `.scalegate` in the working directory or the nearest parent that has one, or in a database."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.errors import (
    KeyMissingError,
    NotAdmittedEntryError,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
)
from scalegate.ledger.log import Keys
from scalegate.ledger.store import LocalStore
from scalegate.ledger.trust import Trust

if TYPE_CHECKING:
    from scalegate.adapters.postgres import PostgresStore

STORE_FOLDER = ".scalegate"
DATABASES: Final = ("postgresql://", "postgres://")
_HOST = re.compile(r"(\[[0-9A-Za-z:.%]*\]|[^:\[\]@]*)(?::([0-9]*))?", re.ASCII)


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


def open_store(place: Path | str, keys: Keys | None = None) -> LocalStore | PostgresStore:
    """Open the store in a folder, or in the database of a URL; without keys, only to read it.

    Raises:
        RefusalError: if it cannot be opened, saying whether it is missing, damaged or unavailable.
    """
    try:
        if isinstance(place, Path):
            return LocalStore(place, keys)
        return _database()(place, keys, folder=_beside(place))
    except StoreError as error:
        raise refusal_of(error) from error


def create_store(place: Path | str, trust: Trust, keys: Keys, at: int) -> LocalStore | PostgresStore:
    """Make a store in a folder, or in the database of a URL, whose log begins with a trust file.

    Raises:
        RefusalError: if one is there already, or it cannot be made.
    """
    try:
        if isinstance(place, Path):
            return LocalStore.create(place, trust, keys, at)
        _address(place)
        return _database().create(place, trust, keys, at)
    except StoreError as error:
        raise refusal_of(error) from error


def _database() -> type[PostgresStore]:
    try:
        from scalegate.adapters.postgres import PostgresStore  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise RefusalError(
            "usage", "extra-missing", "a log in PostgreSQL needs psycopg", "pip install 'scalegate[postgres]'"
        ) from error
    return PostgresStore


def _beside(url: str) -> Path:
    """Return the folder for what is kept on this machine beside a log in a database: the inbox, logs of runs."""
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():
        base = Path.home() / ".local" / "state"
    # The same for every user, password and setting with which that database is opened.
    folder = base / "scalegate" / hashlib.sha256(canonical_bytes(list(_address(url)))).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RefusalError("store", "store-unavailable", f"cannot make `{folder}`: {error.strerror}") from error
    return folder


def _address(url: str) -> tuple[str, str, str, str]:
    """Return host, port, database and service that a URL names, read as libpq reads it; never the password.

    Raises:
        RefusalError: if it is no such URL; nothing of it is repeated.
    """
    rest = url.partition("://")[2]
    # Up to the first `@`, unless a `/` comes before it, are user and password, whatever else stands in there.
    match = re.match(r"([^@/]*)@", rest)
    user = match[1].partition(":")[0] if match else ""
    try:
        parts = urlsplit("//" + rest[match.end() if match else 0 :].replace("#", "%23"))
    except ValueError:
        raise _unfit_url() from None
    hosts = [_HOST.fullmatch(part) for part in parts.netloc.split(",")]
    if None in hosts or "@" in parts.path:
        raise _unfit_url()
    given = {name: unquote(value) for name, _, value in (pair.partition("=") for pair in parts.query.split("&"))}
    named = [(unquote(host[1]).lower(), host[2] or "") for host in hosts if host]

    def setting(name: str, here: str, otherwise: str = "") -> str:
        return given.get(name) or here or os.environ.get(f"PG{name.upper()}", "") or otherwise

    return (
        setting("host", ",".join(name for name, _ in named).strip(","), given.get("hostaddr", "")),
        setting("port", ",".join(port for _, port in named).strip(","), "5432"),
        given.get("dbname")
        or unquote(parts.path[1:])
        or os.environ.get("PGDATABASE")
        or setting("user", unquote(user)),
        setting("service", ""),
    )


def _unfit_url() -> RefusalError:
    return RefusalError(
        "usage",
        "store-url",
        "the URL of the store is none of a database: `postgresql://USER@HOST:PORT/DATABASE`",
        "in a user, password or name every `%`, `@`, `/`, `:`, `#`, `[` is percent-encoded; a password is better kept"
        " in the file that PGPASSFILE names",
    )


def refusal_of(error: StoreError) -> RefusalError:
    """Return an error of the store as a refusal."""
    if isinstance(error, StoreMissingError):
        return RefusalError("usage", "store-missing", str(error), "`scalegate init` makes one")
    if isinstance(error, StoreExistsError):
        return RefusalError("refused", "store-exists", str(error))
    if isinstance(error, StoreDamagedError):
        hint = "restore the store from a copy that an auditor holds; nothing is permitted on this one"
        return RefusalError("untrusted", "store-damaged", str(error), hint)
    if isinstance(error, KeyMissingError):
        hint = "`scalegate keys list` shows the keys at hand; whoever has the key signs elsewhere with --sign-only"
        return RefusalError("refused", "key-missing", str(error), hint)
    if isinstance(error, NotAdmittedEntryError):
        hint = "the trust file that the log adopted says who may speak, and as what: `scalegate keys list` compares"
        return RefusalError("refused", "not-admitted", str(error), hint)
    return RefusalError("store", "store-unavailable", str(error))
