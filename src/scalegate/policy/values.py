"""Quantities and small phrases of a policy: rates, durations, dates, pins, counts.

Every reader takes the scalar it reads and returns None with a finding when it cannot.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from lark import Token, Tree

from scalegate.core import quantities
from scalegate.core.diagnostic import Span
from scalegate.core.kernel import Count
from scalegate.core.quantities import QuantityError
from scalegate.policy.diagnose import Findings, closest, quote
from scalegate.policy.grammar import extent, read_phrase, span_of, token_span
from scalegate.policy.source import Scalar
from scalegate.policy.tree import Name, Pin

_SECONDS = {
    "second": 1,
    "minute": quantities.MINUTE,
    "hour": quantities.HOUR,
    "day": quantities.DAY,
    "week": quantities.WEEK,
    "month": quantities.MONTH,
    "year": quantities.YEAR,
}
_UNITS = {**_SECONDS, **{f"{unit}s": size for unit, size in _SECONDS.items()}}
LONGEST = 1_000 * quantities.YEAR

_DIGEST_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


class Quantity(NamedTuple):
    """A number with the unit it was written with: `rate`, `flop`, `usd`, or `plain` for none."""

    value: Fraction
    unit: str
    text: str
    span: Span


def number(token: Token, scalar: Scalar, findings: Findings) -> Fraction | None:
    """Return the exact value of a number token."""
    try:
        return quantities.number(str(token).removeprefix("+"))
    except QuantityError as error:
        findings.error(
            "P308",
            f"{quote(str(token))} is no number that a policy could mean",
            token_span(token, scalar),
            cause=_unreadable(str(token), str(error)),
        )
        return None


def _unreadable(text: str, reason: str) -> str:
    if len(text) > quantities.MAX_NUMBER_LENGTH:
        return f"it has more than {quantities.MAX_NUMBER_LENGTH} characters"
    if "e" in text.lower():
        return f"its exponent is beyond {quantities.MAX_EXPONENT}"
    return reason


def whole(token: Token, scalar: Scalar, findings: Findings) -> int | None:
    """Return the value of a number token that counts something: a whole number, at least 0."""
    value = number(token, scalar, findings)
    if value is None:
        return None
    if value.denominator != 1 or value < 0:
        findings.error("P308", f"{quote(str(token))} is not a whole number", token_span(token, scalar))
        return None
    return value.numerator


def quantity(tree: Tree[Token], scalar: Scalar, findings: Findings) -> Quantity | None:
    """Return the quantity of a `quantity`, `amount` or `odds` tree, with its unit checked."""
    start, end = extent(tree)
    text, span = scalar.text[start:end], span_of(tree, scalar)
    tokens = [child for child in tree.children if isinstance(child, Token)]
    value = number(tokens[0], scalar, findings)
    if value is None:
        return None
    if tree.data == "odds":
        under = number(tokens[1], scalar, findings)
        if under is None:
            return None
        if under <= 0 or value < 0:
            message = f"{quote(text)} is no share of anything"
            findings.error("P305", message, span, help="write `1 in 5` or `20%`")
            return None
        return Quantity(value / under, "rate", text, span)
    if len(tokens) == 1:
        return Quantity(value, "plain", text, span)
    return _with_unit(value, tokens[1], text, span, scalar, findings)


def _with_unit(
    value: Fraction, unit: Token, text: str, span: Span, scalar: Scalar, findings: Findings
) -> Quantity | None:
    if unit == "%":
        return Quantity(value / 100, "rate", text, span)
    if unit == "FLOP":
        if value.denominator != 1 or value < 0:
            message = f"{quote(text)} is not a whole number of operations"
            findings.error("P308", message, span)
            return None
        return Quantity(value, "flop", text, span)
    if unit == "USD":
        return Quantity(value, "usd", text, span)
    lower = unit.lower()
    remedy = ""
    if lower in {"percent", "pct", "pp", "procent"}:
        remedy = f"write `{str(text).split(str(unit), maxsplit=1)[0].strip()}%`"
    elif "flop" in lower or closest(str(unit), ["FLOP"]):
        remedy = "write `FLOP`"
    elif lower in {"usd", "dollar", "dollars", "eur", "euro", "euros", "gbp"}:
        remedy = "amounts of money are written in `USD`"
    findings.error("P306", f"{quote(str(unit))} is no unit of the language", token_span(unit, scalar), help=remedy)
    return None


def as_rate(found: Quantity, findings: Findings) -> Fraction | None:
    """Return a rate between 0 and 1; a bare whole number other than 0 is not one."""
    if found.unit in {"flop", "usd"}:
        what = "a compute" if found.unit == "flop" else "an amount of money"
        message = f"{quote(found.text)} is {what}, where a rate is meant"
        findings.error("P306", message, found.span, help="write a rate such as `20%`")
        return None
    if found.unit == "plain" and found.value and not set(found.text) & set(".eE"):
        findings.error(
            "P304",
            f"{quote(found.text)} could be a percentage or a share",
            found.span,
            help=f"write `{found.text}%`" if found.value != 1 else "write `1%` or `100%`",
        )
        return None
    if not 0 <= found.value <= 1:
        cause = "a score is a share of items, and nothing is ever beyond 0% or 100%"
        remedy = ""
        if found.unit == "plain" and 1 < found.value <= 100:
            remedy = f"write `{quantities.show_number(found.value)}%`"
        message = f"{quote(found.text)} is no rate between 0% and 100%"
        findings.error("P305", message, found.span, cause=cause, help=remedy)
        return None
    return found.value


def as_flop(found: Quantity, findings: Findings) -> int | None:
    """Return whole FLOP; a bare number counts as FLOP."""
    if found.unit in {"rate", "usd"}:
        what = "a rate" if found.unit == "rate" else "an amount of money"
        findings.error(
            "P306",
            f"{quote(found.text)} is {what}, where a compute is meant",
            found.span,
            help="write a compute such as `4e25 FLOP`",
        )
        return None
    if found.value.denominator != 1 or found.value < 0:
        message = f"{quote(found.text)} is not a whole number of operations"
        findings.error("P308", message, found.span)
        return None
    return found.value.numerator


def as_usd(found: Quantity, findings: Findings) -> int | None:
    """Return whole USD; a bare number is no money, because it says no currency."""
    if found.unit != "usd":
        remedy = f"write {quote(f'{found.text} USD')}" if found.unit == "plain" else "write something like `5e8 USD`"
        findings.error("P306", f"{quote(found.text)} is no amount of money", found.span, help=remedy)
        return None
    if found.value.denominator != 1 or found.value < 0:
        message = f"{quote(found.text)} is not a whole number of USD"
        findings.error("P308", message, found.span)
        return None
    return found.value.numerator


def read_flop(scalar: Scalar, findings: Findings) -> int | None:
    """Return a compute such as `4e25 FLOP`, in whole FLOP."""
    tree = read_phrase("quantity", scalar, findings)
    found = quantity(tree, scalar, findings) if tree else None
    return as_flop(found, findings) if found else None


def read_rate(scalar: Scalar, findings: Findings) -> Fraction | None:
    """Return a rate such as `1%`, `0.01`, `1/100` or `1 in 100`."""
    tree = read_phrase("quantity", scalar, findings)
    found = quantity(tree, scalar, findings) if tree else None
    return as_rate(found, findings) if found else None


def read_error_rate(scalar: Scalar, findings: Findings) -> Fraction | None:
    """Return a tolerated error rate: above 0, where no finite test arrives, and below a coin's."""
    rate = read_rate(scalar, findings)
    if rate is not None and not 0 < rate < Fraction(1, 2):
        cause = "no finite number of samples gets to 0" if rate == 0 else "a coin errs as rarely"
        findings.error(
            "P510",
            f"an error rate of {quote(scalar.text)} cannot be meant",
            scalar.span,
            cause=cause,
            help="write something like `1 in 1000`",
        )
        return None
    return rate


def duration(tree: Tree[Token], scalar: Scalar, findings: Findings) -> int | None:
    """Return the seconds of a `duration` tree; at least one, at most a thousand years."""
    count, unit = (child for child in tree.children if isinstance(child, Token))
    size = _UNITS.get(str(unit))
    if size is None:
        near = closest(str(unit), _UNITS) or ""
        near = near or {"m": "minutes", "h": "hours", "d": "days", "y": "years"}.get(unit[0], "")
        findings.error(
            "P309",
            f"{quote(str(unit))} is no unit of time",
            token_span(unit, scalar),
            help=f"did you mean `{near}`?" if near else "write days, weeks, months or years",
        )
    value = number(count, scalar, findings)
    if size is None or value is None:
        return None
    if value.denominator != 1 or value <= 0:
        findings.error(
            "P309",
            f"{quote(str(count))} is not a whole number of {quote(str(unit))}, at least 1",
            token_span(count, scalar),
            help="use a smaller unit" if value > 0 else "",
        )
        return None
    seconds = value.numerator * size
    if seconds > LONGEST:
        message = f"{quote(scalar.text[slice(*extent(tree))])} is longer than a thousand years"
        findings.error("P309", message, span_of(tree, scalar))
        return None
    return seconds


def read_duration(scalar: Scalar, findings: Findings) -> int | None:
    """Return the seconds of `3 months`."""
    tree = read_phrase("duration", scalar, findings)
    return duration(tree, scalar, findings) if tree else None


def read_window(scalar: Scalar, findings: Findings) -> int | None:
    """Return the seconds of the window in `in any 12 months`."""
    tree = read_phrase("window", scalar, findings)
    return duration(tree.children[0], scalar, findings) if tree else None  # type: ignore[arg-type] # the grammar: one duration


def instant(token: Token, scalar: Scalar, findings: Findings) -> int | None:
    """Return the seconds since 1970 of a date token."""
    text = str(token)
    found, cause = -1, "the calendar of policies starts in 1970"
    if text[4:5] != "-" or text[7:8] != "-":
        cause = "dates are written year-month-day"
    else:
        try:
            found = quantities.instant(text)
        except (QuantityError, OverflowError) as error:
            cause = str(error.__cause__ or error)
    if found >= 0:
        return found
    findings.error(
        "P310",
        f"{quote(text)} is no date",
        token_span(token, scalar),
        cause=cause,
        help="write `2027-01-01` or `2027-01-01T12:00:00Z`",
    )
    return None


def read_instant(scalar: Scalar, findings: Findings) -> int | None:
    """Return the seconds since 1970 of `2027-01-01`, midnight UTC."""
    tree = read_phrase("date", scalar, findings)
    return instant(tree.children[0], scalar, findings) if tree else None  # type: ignore[arg-type] # the grammar: one token


def factor(tree: Tree[Token], scalar: Scalar, findings: Findings) -> Fraction | None:
    """Return the multiple of a `factor` tree; more than 1."""
    token = tree.children[0]
    value = number(token, scalar, findings) if isinstance(token, Token) else None
    if value is not None and value <= 1:
        message = f"{quote(scalar.text[slice(*extent(tree))])} is no growth"
        remedy = "write a multiple above 1, such as `4x`"
        findings.error("P316", message, span_of(tree, scalar), help=remedy)
        return None
    return value


def read_factor(scalar: Scalar, findings: Findings) -> Fraction | None:
    """Return the multiple of `4x`."""
    tree = read_phrase("factor", scalar, findings)
    return factor(tree, scalar, findings) if tree else None


def read_limits(scalar: Scalar, findings: Findings) -> tuple[Fraction | None, int | None] | None:
    """Return compute multiple and seconds of `at 4x effective compute or 3 months`."""
    tree = read_phrase("due", scalar, findings)
    if tree is None:
        return None
    multiple: Fraction | None = None
    seconds: int | None = None
    for part in tree.children:
        if not isinstance(part, Tree):
            continue
        kind = "compute" if part.data == "factor" else "time"
        if (multiple if kind == "compute" else seconds) is not None:
            message = f"a second limit in {kind}"
            findings.error("P301", message, span_of(part, scalar), help="keep one of them")
            return None
        if part.data == "factor":
            multiple = factor(part, scalar, findings)
        else:
            seconds = duration(part, scalar, findings)
        if (multiple if kind == "compute" else seconds) is None:
            return None
    return multiple, seconds


def read_quorum(scalar: Scalar, findings: Findings) -> tuple[int, int | None] | None:
    """Return needed and available people of `2 of 3`; the latter None when only `2` is written."""
    tree = read_phrase("quorum", scalar, findings)
    if tree is None:
        return None
    numbers = [whole(token, scalar, findings) for token in tree.children if isinstance(token, Token)]
    if None in numbers:
        return None
    needed, available = (*numbers, None)[:2]
    if not needed or (available is not None and needed > available) or needed > 1_000_000:
        message = f"a quorum of {quote(scalar.text)} can never be met"
        if not needed:
            message = "a quorum of nobody decides nothing"
        findings.error("P503", message, scalar.span, help="write something like `2 of 3`")
        return None
    return needed, available


def read_tally(name: Name, scalar: Scalar, findings: Findings) -> Count | None:
    """Return the requirement `at least 19 of 20` or `at least 80%`, under its name."""
    tree = read_phrase("tally", scalar, findings)
    if tree is None:
        return None
    if tree.data == "count":
        least, trials = (whole(token, scalar, findings) for token in tree.children if isinstance(token, Token))
        if least is None or trials is None:
            return None
        if not 0 < least <= trials:
            message = f"{quote(scalar.text)} asks for nothing, or for more than there is"
            findings.error("P313", message, scalar.span)
            return None
        return Count(name.text, least, trials, None, scalar.span)
    part = tree.children[0]
    found = quantity(part, scalar, findings) if isinstance(part, Tree) else None
    rate = as_rate(found, findings) if found else None
    if rate is None:
        return None
    if rate == 0:
        findings.error("P313", f"{quote(scalar.text)} asks for nothing", scalar.span)
        return None
    return Count(name.text, 0, 0, rate, scalar.span)


def read_failure(scalar: Scalar, findings: Findings) -> Count | None:
    """Return `red-team > 0 of 3` as the largest number of failures still accepted."""
    tree = read_phrase("failure", scalar, findings)
    if tree is None:
        return None
    name, operator, *numbers = (child for child in tree.children if isinstance(child, Token))
    least, trials = (whole(token, scalar, findings) for token in numbers)
    if operator not in {">", ">="}:
        message = f"a safeguard fails at more failures, not at {quote(str(operator))}"
        findings.error("P307", message, token_span(operator, scalar), help="write `>`")
        return None
    if least is None or trials is None:
        return None
    accepted = least - 1 if operator == ">=" else least
    if not 0 <= accepted < trials:
        findings.error(
            "P513",
            f"{quote(scalar.text)} can {'never' if accepted >= 0 else 'only'} happen",
            scalar.span,
            help=f"write something like `{name} > 0 of {trials or 3}`",
        )
        return None
    return Count(str(name), accepted, trials, None, scalar.span)


def read_pin(scalar: Scalar, findings: Findings) -> Pin | None:
    """Return a pin; its digest is None when it is missing or elided, as in `bank@sha256:9f1c...`."""
    tree = read_phrase("pin", scalar, findings)
    if tree is None:
        return None
    tokens = [child for child in tree.children if isinstance(child, Token)]
    text = scalar.text.strip()
    if len(tokens) == 1:
        return Pin(text, None, scalar.span)
    _, scheme, digest = tokens
    span = token_span(digest, scalar)
    if scheme != "sha256":
        message = f"{quote(str(scheme))} is no digest of the language"
        findings.error("P315", message, token_span(scheme, scalar), help="write `sha256`")
        return None
    elided = digest.endswith(("...", "\u2026"))
    digits = digest.rstrip(".\u2026") if elided else digest
    if not set(digits) <= _HEX:
        remedy = "write it in lower case" if set(digits.lower()) <= _HEX else ""
        message = f"{quote(str(digest))} is not written in hexadecimal digits"
        findings.error("P315", message, span, help=remedy)
        return None
    if elided:
        return Pin(text, None, scalar.span)
    if len(digits) != _DIGEST_LENGTH:
        findings.error(
            "P315",
            f"a SHA-256 digest has {_DIGEST_LENGTH} hexadecimal digits, this one has {len(digits)}",
            span,
            help="write it in full, or end it with `...` while there is none",
        )
        return None
    return Pin(text, str(digest), scalar.span)


def read_belief_role(scalar: Scalar, findings: Findings) -> Name | None:
    """Return the role of `attested by external-auditor`."""
    tree = read_phrase("belief", scalar, findings)
    if tree is None:
        return None
    token = tree.children[0]
    if not isinstance(token, Token):
        return None
    return Name(str(token), token_span(token, scalar))
