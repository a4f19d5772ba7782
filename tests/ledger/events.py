"""Strategies for every type of event, drawn from the types' own annotations."""

import types
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from scalegate.core.events import Event, RunRegistered, StopLifted
from scalegate.core.quantities import ComputeRange

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers(-(1 << 70), 1 << 70) | st.sampled_from(
    [
        (1 << 53) - 1,
        1 << 53,
        -(1 << 53),
        1 << 400,
    ]
)


def values(hint: object) -> st.SearchStrategy[object]:
    """Values of an annotation that events use."""
    plain = {str: TEXTS, bool: st.booleans(), int: INTEGERS, Fraction: st.fractions(max_denominator=1_000_000)}
    if hint in plain:
        return plain[hint]
    if hint is ComputeRange:
        ends = st.tuples(st.integers(0, 1 << 100), st.integers(0, 1 << 100))
        return ends.map(lambda pair: ComputeRange(min(pair), max(pair)))
    if isinstance(hint, type) and is_dataclass(hint):
        return records(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if item is type(None) else values(item) for item in arguments))
    raise TypeError(f"no strategy for {hint!r}")


def records(kind: type) -> st.SearchStrategy[object]:
    """Instances of a dataclass."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{item.name: values(hints[item.name]) for item in fields(kind)})


EVERY_EVENT = st.one_of(*map(records, get_args(Event)))


def event(number: int = 0) -> StopLifted:
    """Some small event, a different one for each number."""
    return StopLifted(f"order-{number}", "M. Ito", "regulator")


def registration(sampling, question):
    """A registration with one question, of the rate 1/5."""
    rate = Fraction(1, 5)
    asked = question(rate, rate, "", rate, rate, "")
    plan = sampling("population", 10, "", "", "", 10, (asked,))
    return RunRegistered("r", "e", "m", "", "", 10, "", 9, (), "developer", "Ada", "developer", sampling=plan)
