"""The grammar of sentences about policies: small, and everything that could mean two things is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from scalegate.core.actions import HARDER, covered
from scalegate.policy.diagnose import quote, spoken
from scalegate.prove.claims.tree import (
    AmbiguousError,
    Approval,
    At,
    AttestedBy,
    Beyond,
    Countersigned,
    Group,
    Measured,
    Named,
    Order,
    Part,
    Place,
    Scored,
    Sense,
    Sentence,
    UnclearError,
    Without,
)
from scalegate.prove.claims.words import Words

_Atom: TypeAlias = Callable[[Words], Part]

_DEPLOYED: Final = {
    "internally": ("deploy.internal",),
    "for autonomous research": ("deploy.internal.autonomous-research",),
    "to partners": ("deploy.partners",),
    "over the API": ("deploy.api",),
    "for fine-tuning": ("deploy.finetuning",),
    "in any way": tuple(name for name in HARDER if name in covered("deploy")),
}
_DONE: Final = {
    "trained": ("train",),
    "trained at a new scale": ("train.new-scale",),
    "trained for mitigation": ("train.mitigation",),
    "released": ("release.weights",),
    "stored": ("store.weights",),
    "deleted": ("delete.weights",),
    **{f"deployed {how}": actions for how, actions in _DEPLOYED.items()},
}
_DOING: Final = {
    "training": ("train",),
    "training at a new scale": ("train.new-scale",),
    "training for mitigation": ("train.mitigation",),
    "releasing weights": ("release.weights",),
    "storing weights": ("store.weights",),
    "deleting weights": ("delete.weights",),
    **{f"deploying {how}": actions for how, actions in _DEPLOYED.items()},
}
_ORDERS: Final[dict[str, Order]] = {
    "above": "above",
    "below": "below",
    "at least": "at least",
    "at most": "at most",
    "at or above": "at least",
    "at or below": "at most",
}
_SENSES: Final[dict[Place, dict[str, Sense]]] = {
    "given": {"that may be": "may", "shown": "shown"},
    "need": {"being shown": "shown"},
    "predicate": {"is shown": "shown", "may be": "may", "is": "bare"},
}
MAX_DEPTH: Final = 8
SHAPES: Final = (
    "no model above 20% on autonomy is ever deployed to partners without weight-security",
    "every model that is released was measured on autonomy within 3 months",
    "training beyond 4e25 FLOP needs the countersignature of auditor",
    "some model can be trained without weight-security",
    "a crossing of autonomy always stops training",
    "nothing but an outside body can lift the hold takeover-line",
)


def read_sentence(text: str) -> Sentence:
    """Return what a sentence says.

    Raises:
        UnclearError: if it is none of the language.
        AmbiguousError: if it could mean several things, whatever the policy says.
    """
    words = Words(text)
    bound = words.take("where the policy binds")
    if bound:
        words.take(",")
    start = words.place
    found = _body(words, bound=bound)
    if bound and found.mode == "lift":
        message = "what could lift a hold is asked of the policy itself, wherever it binds"
        raise UnclearError(message, words.at(start), "leave out `where the policy binds`")
    if not words.ended:
        raise words.unclear()
    return found


def _body(words: Words, *, bound: bool) -> Sentence:
    text = words.text
    if words.take("nothing but an outside body can lift the hold"):
        start = words.place
        return Sentence(text, "lift", bound, name=words.name("a commitment"), at=words.at(start))
    if words.take("a crossing of"):
        start = words.place
        name, at = words.name("an evaluation"), words.at(start)
        words.need("always stops")
        return Sentence(text, "crossing", bound, _any_of(words, _DOING)[0], name=name, at=At(0, at.end))
    if words.take_one(("no weights are ever", "no weights is ever")):
        actions, context = _any_of(words, {"released": ("release.weights",)})
        return Sentence(text, "no", bound, actions, context, None, _tail(words))
    if words.take("nothing is ever"):
        actions, context = _any_of(words, _DONE)
        return Sentence(text, "no", bound, actions, context, None, _tail(words))
    if words.take("no model"):
        given = None if words.next() == "is" else _joined(words, _given)
        words.need("is ever")
        actions, context = _any_of(words, _DONE)
        return Sentence(text, "no", bound, actions, context, given, _tail(words))
    if words.take("some model"):
        given = None if words.next() == "can" else _joined(words, _given)
        words.need("can be")
        actions, context = _any_of(words, _DONE)
        return Sentence(text, "some", bound, actions, context, given, _tail(words))
    if words.take("every model that is"):
        actions, context = _any_of(words, _DONE)
        return Sentence(text, "every", bound, actions, context, None, _joined(words, _predicate))
    if words.next().lower() in {phrase.split()[0] for phrase in _DOING}:
        actions, context = _any_of(words, _DOING)
        given = _beyond(words) if words.next() == "beyond" else None
        words.need("needs")
        return Sentence(text, "every", bound, actions, context, given, _joined(words, _need))
    raise words.unclear("write something like " + spoken(map(quote, (SHAPES[1], SHAPES[5]))))


# ---------------------------------------------------------------- what is done


def _any_of(words: Words, known: dict[str, tuple[str, ...]]) -> tuple[tuple[str, ...], str]:
    """Read what is done, or several things joined by `or`, and the context of a deployment.

    A context is that of one thing: behind several it could be the context of all, or of the last.
    """
    start = words.place
    found = list(_done(words, known))
    several = False
    while words.next() in ("or", "and") and _begins(words, known):
        if words.next() == "and":
            # Neither each of both nor both of one model: situations have no memory of another action.
            raise words.unclear("write `or`: each of them is asked about")
        words.take("or")
        several = True
        found += _done(words, known)
    if not words.take("in the context"):
        return tuple(dict.fromkeys(found)), ""
    context = words.name("a context")
    if several or (words.next() == "or" and _begins(words, known)):
        message = "the context could be that of everything done, or of one thing"
        raise UnclearError(message, words.at(start), "write a sentence for each")
    return tuple(dict.fromkeys(found)), context


def _begins(words: Words, known: dict[str, tuple[str, ...]]) -> bool:
    return words.next(1) in {phrase.split()[0] for phrase in known}


def _done(words: Words, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    start = words.place
    phrase = words.take_one(tuple(known))
    if phrase:
        return known[phrase]
    first = words.take_one(("deployed", "deploying", "deployment"))
    if first and (known is _DONE or known is _DOING):
        word = "deployed" if known is _DONE else "deploying"
        message = f"{quote(first)} does not say to whom"
        raise AmbiguousError(message, words.at(start), tuple(f"{word} {how}" for how in _DEPLOYED))
    raise words.unclear(f"expected {spoken(map(quote, known))}")


def _tail(words: Words) -> Part | None:
    """Read what follows `without`; None where nothing does."""
    return _lacking(words) if words.take("without") else None


# ---------------------------------------------------------------- conditions


def _joined(words: Words, atom: _Atom) -> Part:
    """Read parts that are joined by `and`, or by `or`; never by both without parentheses."""
    start = words.place
    parts: list[Part] = []
    ats: list[At] = []
    joints: list[str] = []
    while True:
        begin = words.place
        parts.append(_unit(words, atom))
        ats.append(words.at(begin))
        joint = words.take_one(("and", "or"))
        if not joint:
            break
        joints.append(joint)
    if not joints:
        return parts[0]
    if len(set(joints)) > 1:
        texts = [words.between(at) for at in ats]
        instead = tuple(_grouped(texts, joints, tight) for tight in ("and", "or"))
        raise AmbiguousError("`and` and `or` are mixed", words.at(start), instead)
    return Group("and" if joints[0] == "and" else "or", tuple(parts))


def _unit(words: Words, atom: _Atom) -> Part:
    if not words.take("("):
        return atom(words)
    words.depth += 1
    if words.depth > MAX_DEPTH:
        raise UnclearError(f"more than {MAX_DEPTH} parentheses are open", words.at())
    found = _joined(words, atom)
    words.need(")")
    words.depth -= 1
    return found


def _grouped(texts: list[str], joints: list[str], tight: str) -> str:
    """Return texts with those in parentheses that one of the two words joins."""
    groups = [[texts[0]]]
    for joint, text in zip(joints, texts[1:], strict=True):
        if joint == tight:
            groups[-1].append(text)
        else:
            groups.append([text])
    loose = "or" if tight == "and" else "and"
    shown = [f"({f' {tight} '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    return f" {loose} ".join(shown)


def _given(words: Words) -> Part:
    """Read what a sentence says of the models that it is about."""
    start = words.place
    if words.take("without"):
        part = _lacking(words)
        return Without(part, words.at(start))
    if words.next() == "beyond":
        return _beyond(words)
    return _scored(words, "given")


def _beyond(words: Words) -> Part:
    start = words.place
    words.need("beyond")
    return Beyond(words.flop(), words.at(start))


def _predicate(words: Words) -> Part:
    """Read what a sentence says of every model."""
    start = words.place
    if words.take("has"):
        return _need(words)
    if words.take("was measured on"):
        return _measured(words, start)
    if words.take("was tested on"):
        return Measured(words.name("an evaluation"), None, words.at(start), tested=True)
    return _scored(words, "predicate")


def _measured(words: Words, start: int) -> Part:
    name, within = words.name("an evaluation"), None
    if words.take("within"):
        within = int(words.duration())
    return Measured(name, within, words.at(start))


def _scored(words: Words, place: Place) -> Part:
    start = words.place
    senses = _SENSES[place]
    phrase = words.take_one(tuple(senses))
    if not phrase and place != "given":
        raise words.unclear(f"expected {spoken(map(quote, senses))}")
    order = _ORDERS[words.need(*_ORDERS)]
    rate = words.rate()
    words.need("on")
    name = words.name("an evaluation")
    every = words.take("under every scaffold of the context")
    return Scored(name, senses.get(phrase, "bare"), order, rate, every, words.at(start))


def _need(words: Words) -> Part:
    """Read something that can be asked for."""
    start = words.place
    if words.take("the approval of"):
        role = words.name("a role")
        matter = words.name("what is approved") if words.take("for") else ""
        return Approval(role, matter, words.at(start))
    if words.take("the countersignature of"):
        return Countersigned(words.name("a role"), words.at(start))
    if words.take("a result on"):
        return _measured(words, start)
    if words.next() == "being":
        return _scored(words, "need")
    name = words.name("a safeguard, a hole, or what somebody attests")
    if words.take("attested by"):
        return AttestedBy(name, words.name("a role"), words.at(start))
    return Named(name, words.at(start))


def _lacking(words: Words) -> Part:
    """Read what is lacking: one thing, both of two, or at least one of several."""
    start = words.place
    if words.take("both"):
        left = _need(words)
        words.need("and")
        return Group("and", (left, _need(words)))
    if words.take("at least one of"):
        parts = [_need(words)]
        while words.take(","):
            parts.append(_need(words))
        words.need("and")
        return Group("or", (*parts, _need(words)))
    first = _need(words)
    one = words.between(words.at(start))
    if words.next() in ("and", "or") and words.next(1) not in (
        *_ORDERS,
        "at",
        "that",
        "shown",
        "beyond",
        "without",
        "(",
    ):
        words.need("and", "or")
        begin = words.place
        _need(words)
        two = words.between(words.at(begin))
        instead = (f"both {one} and {two}", f"at least one of {one} and {two}")
        raise AmbiguousError("`without` two things could mean that one is lacking, or both", words.at(start), instead)
    return first


def doing(actions: tuple[str, ...]) -> str:
    """Return what is done, as sentences say it."""
    whole = next((words for words, item in _DONE.items() if item == actions), "")
    return whole or " or ".join(next(words for words, item in _DONE.items() if item == (action,)) for action in actions)
