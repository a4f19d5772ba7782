"""Errors of PostgreSQL as errors of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from scalegate.ledger.errors import StoreDamagedError, StoreError

# What libpq says of a failed connection repeats parts of the URL, which may be those of a password. So it is only
# looked at, and these are our words.
_KEPT: Final = (
    "it is best kept in the file that PGPASSFILE names or in a service file, because others on this machine can read"
    " the URL of a command; in a URL its `%`, `@`, `/`, `:` and `#` are percent-encoded"
)
_UNKNOWN: Final = f"is the URL right? If it has a password: {_KEPT}"
_CAUSES: Final = (
    ("password authentication failed", f"the server does not accept the user or the password; {_KEPT}"),
    ("no password supplied", f"the server asks for a password; {_KEPT}"),
    ("Connection refused", "nothing listens there"),
    ("No such file or directory", "nothing listens there"),
    ("does not exist", "there is no such database or user"),
    ("could not translate host name", "there is no such host"),
    ("timeout expired", "nothing answers there"),
    ("too many clients", "the server has no connection left"),
    ("database system is", "the server starts or ends just now"),
)


@contextmanager
def connecting() -> Iterator[None]:
    """Turn errors of opening a connection into errors of the store that repeat nothing of its URL."""
    try:
        yield
    except (psycopg.Error, UnicodeError) as error:
        state = getattr(error, "sqlstate", None)
        kind = f"{type(error).__name__}, {f'SQLSTATE {state}' if state else 'no SQLSTATE'}"
        cause = next((words for part, words in _CAUSES if part in str(error)), _UNKNOWN)
        raise StoreError(f"no connection to the database: {cause} ({kind})") from None


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of PostgreSQL into errors of the store.

    What the server cannot do now is a `StoreError`; what it says of rows that contradict each other, of pages that
    cannot be read, or of values that no column of ours has, is a `StoreDamagedError`.
    """
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise StoreError("another writer keeps the ledger for too long: nothing was recorded; try again") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(f"the database does not let this user do that: {_first_line(error)}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreError(
            f"the database cannot be used: {_first_line(error)}; if something was to be recorded, read the log before"
            " recording it again"
        ) from error
    except psycopg.ProgrammingError as error:
        raise StoreError(f"the database refuses a statement of this program: {_first_line(error)}") from error
    except psycopg.DatabaseError as error:
        raise StoreDamagedError(f"the ledger is damaged: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise StoreError(f"the database cannot be used: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
