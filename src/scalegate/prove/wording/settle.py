"""What a few said values leave of the uneventful situation: everything else stays nominal, as far as it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scalegate.prove.formula import AtMost, Flag, Formula, Many, Neg, Values, holds
from scalegate.prove.symbols import Value

# Orders between variables are chains of a few links; anything longer is a contradiction that turns in circles.
_ROUNDS = 12


def settle(nominal: Mapping[str, Value], said: Mapping[str, Value], laws: Sequence[Formula]) -> dict[str, Value]:
    """Return values of all variables: what is said as it is said, and the rest moved only where a law asks for it.

    Laws that nothing unsaid can mend stay broken.
    """
    known: dict[str, Value] = {**nominal, **said}
    for _ in range(_ROUNDS):
        broken = [law for law in laws if not holds(law, known)]
        moved = [_mend(law, known, said) for law in broken]
        if not any(moved):
            break
    return known


def _mend(law: Formula, known: dict[str, Value], said: Values) -> bool:
    """Move one unsaid variable so that a law is kept; whether there was one."""
    if holds(law, known):
        return False
    match law:
        case AtMost(parts=((one, lesser), (other, greater)), bound=bound) if one == -other and not bound:
            return _level(known, said, lesser, greater) if one > 0 else _level(known, said, greater, lesser)
        case AtMost(parts=((factor, name),), bound=bound, strict=False) if name not in said:
            known[name] = bound / factor
            return True
        case Many(least=1, parts=parts):
            return any(_give_way(part, known, said, sense=True) or _mend(part, known, said) for part in parts)
        case Flag() | Neg(part=Flag()):
            return _give_way(law, known, said, sense=True)
        case Neg(part=Neg(part=inner)):
            return _mend(inner, known, said)
        case Neg(part=Many(parts=parts)):
            return any(_give_way(part, known, said, sense=False) for part in parts)
        case _:
            return False


def _level(known: dict[str, Value], said: Values, lesser: str, greater: str) -> bool:
    """Bring two numbers to the same value, where one of them is not said."""
    if lesser not in said:
        known[lesser] = known[greater]
    elif greater not in said:
        known[greater] = known[lesser]
    else:
        return False
    return True


def _give_way(part: Formula, known: dict[str, Value], said: Values, *, sense: bool) -> bool:
    """Turn an unsaid flag so that a part of a law has the sense that it needs."""
    match part:
        case Flag(name=name) if name not in said:
            known[name] = sense
            return True
        case Neg(part=Flag(name=name)) if name not in said:
            known[name] = not sense
            return True
        case _:
            return False
