"""Options that several commands share, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

import click

from scalegate.cli.output import Format, Output
from scalegate.core.quantities import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    WEEK,
    YEAR,
    QuantityError,
    instant,
    number,
)

if TYPE_CHECKING:
    from scalegate.app.book import Book, Speaker
    from scalegate.app.signing import SigningStore
    from scalegate.ledger.log import Keys

F = TypeVar("F", bound=Callable[..., object])
G = TypeVar("G", bound=click.Group)

SIGN_ONLY: Final = "--sign-only"

_UNITS = {
    "second": 1,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": WEEK,
    "month": MONTH,
    "year": YEAR,
}


class Flop(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """Whole FLOP, such as `4e25`, as an exact integer."""

    name = "flop"
    unit = "FLOP"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return whole FLOP."""
        if isinstance(value, int):
            return value
        try:
            exact = number(str(value))
        except QuantityError as error:
            self.fail(str(error), param, ctx)
        if exact < 0 or exact.denominator != 1:
            self.fail(f"`{value}` is not a whole number of {self.unit}", param, ctx)
        return exact.numerator


class WholeUsd(Flop):
    """Whole USD, such as `5e8`, as an exact integer."""

    name = "usd"
    unit = "USD"


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A date, a date-time, or a duration from now such as `6 months`.

    A duration is returned negative, because only the command knows what time it is: `moment` turns
    both into seconds since 1970.
    """

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return seconds since 1970, or a duration as a negative number."""
        if isinstance(value, int):
            return value
        text = str(value)
        count, _, unit = text.partition(" ")
        size = _UNITS.get(unit.removesuffix("s"))
        if size is not None and count.isascii() and count.isdigit() and 0 < len(count) < 6:
            return -int(count) * size or self.fail("a duration must be longer than 0", param, ctx)
        try:
            seconds = instant(text)
        except QuantityError as error:
            self.fail(f"{error}, and not a duration such as 6 months", param, ctx)
        if seconds < 0:
            self.fail(f"`{text}` lies before 1970", param, ctx)
        return seconds


def moment(given: int, now: int) -> int:
    """Return what `Moment` read as seconds since 1970."""
    return now - given if given < 0 else given


class Tally(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A count such as `19/20`."""

    name = "count"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return successes and trials."""
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        above, _, below = str(value).partition("/")
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (above, below)):
            self.fail(f"`{value}` is no count such as 19/20", param, ctx)
        return int(above), int(below)


class Share(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A share such as `5%` or `0.05`, as an exact fraction between 0 and 1."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Return the exact share."""
        if isinstance(value, Fraction):
            return value
        text = str(value)
        try:
            exact = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except QuantityError as error:
            self.fail(str(error), param, ctx)
        if not 0 <= exact <= 1:
            self.fail(f"`{value}` is no share between 0 and 1, such as 5%", param, ctx)
        return exact


class Place(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """Where a store is: a folder, or the URL of a PostgreSQL database."""

    name = "store"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return a path, or a URL as text."""
        if isinstance(value, Path) or str(value).startswith(("postgresql://", "postgres://")):
            return value if isinstance(value, Path) else str(value)
        if Path(str(value)).is_file():
            self.fail(f"`{value}` is a file, and a store is a folder", param, ctx)
        return Path(str(value))


FLOP = Flop()
WHOLE_USD = WholeUsd()
PLACE = Place()
SHARE = Share()
MOMENT = Moment()
TALLY = Tally()


def examples(*lines: str) -> str:
    """Return the end of a help text."""
    shown = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExamples:\n{shown}"


def format_option(function: F) -> F:
    """Add `--format`; the command gets an `Output` as `output`."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(["human", "plain", "json"]),
        default="human",
        show_default=True,
        callback=lambda _ctx, _param, value: Output(cast("Format", value)),
        help="How to answer; `plain` is one line per fact, `json` owns stdout.",
    )(function)


def store_option(function: F) -> F:
    """Add `--store`; the command gets a folder, or None for the nearest one."""
    return click.option(
        "--store",
        type=PLACE,
        help="The store, a folder or `postgresql://...` (a password belongs into the file that PGPASSFILE names); "
        "by default the nearest `.scalegate`, upward from here.",
    )(function)


def speaker_options(function: F) -> F:
    """Add `--by` and `--role`; the command gets both, and makes a `Speaker` of them."""
    role = click.option("--role", required=True, metavar="ROLE", help="In which role of a policy.")
    by = click.option("--by", required=True, metavar="NAME", help="Who says so.")
    return by(role(function))


def speaker(by: str, role: str) -> Speaker:
    """Return who speaks."""
    # Deferred here and below: help and version do without the gate.
    from scalegate.app.book import Speaker  # noqa: PLC0415

    return Speaker(by, role)


def sign_only_option(group: G) -> G:
    """Add `--sign-only` to the whole command line; `open_book` heeds it."""
    return click.option(
        SIGN_ONLY,
        type=click.Path(dir_okay=False, path_type=Path),
        expose_value=False,
        callback=lambda ctx, _param, value: ctx.meta.__setitem__(SIGN_ONLY, value),
        help="Record nothing: sign what would be recorded, and write it to this new file.",
    )(group)


def open_book(ctx: click.Context, store: Path | str | None) -> Book:
    """Open the store that a command means; it is closed when the command ends."""
    from scalegate.app.book import Book  # noqa: PLC0415
    from scalegate.app.clock import SystemClock  # noqa: PLC0415
    from scalegate.app.places import find_store, open_store  # noqa: PLC0415
    from scalegate.cli.keyring import open_keyring  # noqa: PLC0415

    folder, keys = store if store is not None else find_store(Path.cwd()), open_keyring()
    out: Path | None = ctx.meta.get(SIGN_ONLY)
    opened = open_store(folder, keys) if out is None else _signing_store(ctx, folder, keys, out)
    ctx.call_on_close(opened.close)
    return Book(opened, SystemClock())


def _signing_store(ctx: click.Context, folder: Path | str, keys: Keys, out: Path) -> SigningStore:
    """Open a copy of a log to sign on; the gate has no say there.

    Raises:
        RefusalError: for the gate, or if there is no log.
    """
    from scalegate.app.refusal import RefusalError  # noqa: PLC0415
    from scalegate.app.signing import SigningStore  # noqa: PLC0415

    if isinstance(folder, str):
        raise RefusalError(
            "usage",
            "sign-only-database",
            "what is signed and not recorded goes by a copy of the log in a folder",
            "`scalegate ledger export` makes one",
        )
    if ctx.info_name == "gate":
        raise RefusalError(
            "refused", "sign-only-gate", "answers of the gate are recorded, and grant nothing in a file", "leave it out"
        )
    return SigningStore(folder, keys, out)
