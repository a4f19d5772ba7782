"""Changes that no situation of one moment shows: who may decide, whom a text is about, and what it merely declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scalegate.core.duties import Declared, LegalText, Modality
from scalegate.core.kernel import AmendmentRule, HoleSpec, Kernel, Role
from scalegate.core.quantities import show_instant
from scalegate.prove.compare import Witness
from scalegate.prove.permits import STRENGTH
from scalegate.prove.symbols import RoleRule, rule_of
from scalegate.prove.variables import Variables

Kind: TypeAlias = Literal["weakened", "undecided", "strengthened", "reworded", "structural"]
ORDER: tuple[Kind, ...] = ("weakened", "undecided", "strengthened", "structural", "reworded")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: what it amounts to.
        part: what changed, such as `commitment autonomy`.
        questions: the actions concerned; empty for what no action shows.
        message: what changed, in words; for what no situation shows, what becomes possible.
        witness: a situation that tells the two texts apart, with the variables that its values are about.
        variables: see `witness`.
        filled: whether in the situation every hole is imagined filled, but for those that it names.
    """

    kind: Kind
    part: str
    questions: tuple[str, ...]
    message: str
    witness: Witness | None = None
    variables: Variables | None = None
    filled: bool = False


def rules(old: Kernel, new: Kernel, weakest: Modality = "must") -> tuple[Change, ...]:
    """Return every change that no situation shows.

    Args:
        old: the text that is replaced.
        new: the text that replaces it.
        weakest: the weakest modality of which it counts that something is no longer promised.
    """
    return (
        *_procedures(old, new),
        *_roles(old, new),
        *_identity(old, new),
        *_contexts(old, new),
        *_fears(old, new),
        *_practices(old, new, weakest),
    )


# ---------------------------------------------------------------- who may decide


def _procedures(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield changes of who may change the policy, and of who may fill its holes."""
    yield from _amendments(old.amendments, new.amendments)
    for name, hole in new.holes.items():
        was = old.holes.get(name)
        if was is not None:
            yield from _fillers(name, was, hole)
            yield from _review(name, was, hole)


def _amendments(old: AmendmentRule, new: AmendmentRule) -> Iterator[Change]:
    part = "amendments"
    lost = [role for role in old.approved_by if role not in new.approved_by]
    gained = [role for role in new.approved_by if role not in old.approved_by]
    if not old.approved_by and gained:
        words = f"nobody could change it; now {' and '.join(gained)} can"
        yield Change("weakened", part, (), words)
        return
    if old.approved_by and not new.approved_by:
        yield Change("strengthened", part, (), "nobody can change it any more")
        return
    if lost:
        yield Change("weakened", part, (), f"it can be changed without {' and '.join(lost)}")
    if gained:
        yield Change("strengthened", part, (), f"a change needs {' and '.join(gained)} as well")
    if new.notice != old.notice:
        days = f"the notice of a change goes from {old.notice // 86_400} to {new.notice // 86_400} days"
        yield Change("weakened" if new.notice < old.notice else "strengthened", part, (), days)


def _fillers(name: str, old: HoleSpec, new: HoleSpec) -> Iterator[Change]:
    part = f"hole {name}"
    lost = [role for role in old.filled_only_by if role not in new.filled_only_by]
    if lost and new.filled_only_by:
        yield Change("weakened", part, (), f"it can be filled without {' and '.join(lost)}")
    if not old.filled_only_by and new.filled_only_by:
        words = f"nobody could fill it; now {' and '.join(new.filled_only_by)} can"
        yield Change("weakened", part, (), words)
    if old.filled_only_by and not new.filled_only_by:
        yield Change("strengthened", part, (), "nobody can fill it any more")
    gained = [role for role in new.filled_only_by if role not in old.filled_only_by]
    if gained and old.filled_only_by:
        yield Change("strengthened", part, (), f"filling it needs {' and '.join(gained)} as well")


def _review(name: str, old: HoleSpec, new: HoleSpec) -> Iterator[Change]:
    part, before, after = f"hole {name}", old.review_by, new.review_by
    if before is not None and (after is None or after > before):
        words = "never" if after is None else f"by {show_instant(after)}"
        yield Change("weakened", part, (), f"it was to be reviewed by {show_instant(before)}, and is now {words}")
    elif after is not None and (before is None or after < before):
        yield Change("strengthened", part, (), f"it is to be reviewed by {show_instant(after)}")
    if old.words != new.words or old.owner != new.owner:
        yield Change("reworded", part, (), f"it says `{new.words}`, owned by {new.owner or 'nobody'}")


def _roles(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield roles that are easier, or harder, to hold than they were."""
    before, after = dict(old.roles), dict(new.roles)
    for name in dict.fromkeys((*before, *after)):
        part = f"role {name}"
        if name not in after or name not in before:
            yield Change("structural", part, (), "it is gone" if name not in after else "it is new")
            continue
        was, now = rule_of(before, name), rule_of(after, name)
        if was != now:
            yield _role(part, was, now)
        elif before[name] != after[name]:
            yield _bench(part, before[name], after[name])


def _role(part: str, was: RoleRule, now: RoleRule) -> Change:
    if now.stricter(was):
        return Change("strengthened", part, (), "fewer may speak in it, or more have to agree")
    words = "somebody may speak in it, or in smaller numbers, who could not before"
    return Change("weakened", part, (), words)


def _bench(part: str, was: Role, now: Role) -> Change:
    """Return the change of a body that keeps its quorum and gets more or fewer members: what it takes to deny."""
    words = f"its quorum is of {now.of or 'all'} where it was of {was.of or 'all'}"
    return Change("structural", part, (), words)


# ---------------------------------------------------------------- whose text it is, and what it is about


def _identity(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield changes of who issues a text, of what kind it is, and of the law that it states."""
    if old.kind != new.kind:
        words = f"its kind is {new.kind} where it was {old.kind}: it binds others, and other people may speak under it"
        yield Change("strengthened" if new.kind == "reference" else "weakened", "kind", (), words)
    if old.issuer != new.issuer:
        yield _issuer(old, new)
    yield from _periods(old, new)
    yield from _law(old.duties.law, new.duties.law)


def _issuer(old: Kernel, new: Kernel) -> Change:
    """Return the change of an issuer; that of a developer's own policy speaks in no role apart from the developer."""
    words = f"it is issued by {new.issuer} where it was by {old.issuer}"
    apart = sorted(name for name, role in new.roles.items() if role.is_outside)
    if old.kind == "policy" and apart:
        return Change("weakened", "issuer", (), f"{words}, who may speak as {' or '.join(apart)} now")
    return Change("structural", "issuer", (), words)


def _periods(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield that what recurs is counted from another day: what is overdue would begin anew."""
    before, after = old.duties.obligations, new.duties.obligations
    both = [name for name, item in before.items() if item.every is not None and name in after and after[name].every]
    if both and old.effective != new.effective and new.kind != "reference":
        kind: Kind = "weakened" if new.effective > old.effective else "structural"
        words = f"the periods of {', '.join(both)} are counted from {show_instant(new.effective)}"
        yield Change(kind, "effective", (), f"{words}, and not from {show_instant(old.effective)}")


def _law(old: LegalText | None, new: LegalText | None) -> Iterator[Change]:
    part = "legal text"
    if old is not None and old.text is not None and (new is None or new.text is None):
        yield Change("weakened", part, (), "it is not pinned any more: nobody can tell which law is meant")
    elif old is not None and new is None:
        yield Change("weakened", part, (), "it no longer says which law it states")
    elif new is not None and _stated(old) != _stated(new):
        yield Change("structural", part, (), f"it states {new.title} {new.version} ({new.text or 'not pinned'}) now")


def _stated(law: LegalText | None) -> object:
    return None if law is None else (law.title, law.version, law.in_force, law.jurisdiction, law.text)


def _contexts(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield where a hold ends what runs already, and where it does not; it does unless it is said not to."""
    for name in dict.fromkeys((*old.contexts, *new.contexts)):
        part, (before, after) = f"context {name}", (kernel.contexts.get(name) for kernel in (old, new))
        was, now = (item is None or item.withdraws for item in (before, after))
        if was != now:
            words = "a hold ends what runs there" if now else "a hold no longer ends what runs there"
            yield Change("strengthened" if now else "weakened", part, (), words)
        if before is None or after is None:
            yield Change("structural", part, (), "it is new" if before is None else "it is gone")


def _fears(old: Kernel, new: Kernel) -> Iterator[Change]:
    """Yield what is no longer feared, or tested in another way, and what a safeguard is to stop."""
    for name in dict.fromkeys((*old.capabilities, *new.capabilities)):
        part, (before, after) = f"capability {name}", (kernel.capabilities.get(name) for kernel in (old, new))
        if after is None:
            yield Change("weakened", part, (), "it is no longer named as feared: without a test it would be no hole")
        elif before is None:
            yield Change("strengthened", part, (), "it is feared now")
        elif before != after:
            yield Change("structural", part, (), f"what covers it is {after or 'a hole'}, and was {before or 'a hole'}")
    for name, item in new.safeguards.items():
        was = old.safeguards.get(name)
        if was is not None and was.stops != item.stops:
            yield Change("reworded", f"safeguard {name}", (), f"it is to stop `{item.stops}`, and was `{was.stops}`")


# ---------------------------------------------------------------- what is merely declared


def _practices(old: Kernel, new: Kernel, weakest: Modality) -> Iterator[Change]:
    """Yield practices that are no longer declared, or less strongly; nothing enforces them, and they are promised."""
    before, after = old.duties.declares, new.duties.declares
    for key in dict.fromkeys((*before, *after)):
        part = f"practice {key}"
        if _unread(old, key) or _unread(new, key):
            yield Change("undecided", part, (), "nobody read what one of the texts says of it")
        elif key not in before:
            yield Change("structural", part, (), f"it is declared now, as what the text calls `{after[key].modality}`")
        elif key not in after or _strength(after[key]) > _strength(before[key]):
            counts = _strength(before[key]) <= STRENGTH.index(weakest)
            words = "it is no longer declared" if key not in after else f"it is only `{after[key].modality}` now"
            yield Change("weakened" if counts else "structural", part, (), f"{words}, and was `{before[key].modality}`")
        else:
            yield from _practice(part, before[key], after[key])


def _practice(part: str, was: Declared, now: Declared) -> Iterator[Change]:
    if _strength(now) < _strength(was):
        yield Change("strengthened", part, (), f"it is `{now.modality}` now, and was `{was.modality}`")
    if (was.says, was.number) != (now.says, now.number):
        told = [f"{item.says} ({item.number})" if item.number else item.says for item in (now, was)]
        yield Change("reworded", part, (), f"it says `{told[0]}`, and said `{told[1]}`")


def _strength(item: Declared) -> int:
    return STRENGTH.index(item.modality)


def _unread(kernel: Kernel, key: str) -> bool:
    """Whether nobody read what an encoding says of a practice."""
    path = f"declares.{key}"
    provenance = kernel.duties.provenance.get(path)
    return path in kernel.duties.unread or (provenance is not None and provenance.read == "unread")
