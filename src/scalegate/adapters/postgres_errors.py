"""Errors of PostgreSQL as errors of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from scalegate.ledger.errors import StoreDamagedError, StoreError


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
