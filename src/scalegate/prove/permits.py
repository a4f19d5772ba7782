"""What a policy permits, as a formula over the variables of a situation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from scalegate.core.actions import IRREVERSIBLE, MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.duties import MandatedRole, Modality
from scalegate.core.kernel import (
    All,
    AnyOf,
    AtLeast,
    Commitment,
    Compare,
    Condition,
    Constant,
    Exception_,
    Kernel,
    Not,
)
from scalegate.core.terms import Measure
from scalegate.prove.formula import AtMost, Formula, at_least, at_most, every, neg, some
from scalegate.prove.symbols import Key, rule_of
from scalegate.prove.variables import Variables
from scalegate.prove.views import TRAINING, Sight

# How strongly a text must bind itself to count, strongest first.
STRENGTH: tuple[Modality, ...] = ("must", "aim", "may", "recommend")


@dataclass(frozen=True, slots=True)
class Reading:
    """Which part of a policy is asked about, and how.

    Attributes:
        about: the aspect that commitments and obligations have to be about; empty for all of them.
        weakest: the weakest modality that still counts.
        filled: every hole is imagined filled by something that can be shown.
        bound: only situations in which every policy binds.
    """

    about: str = ""
    weakest: Modality = "must"
    filled: bool = False
    bound: bool = False

    def counts(self, about: tuple[str, ...], modality: Modality) -> bool:
        """Whether a commitment or obligation is asked about."""
        strong = STRENGTH.index(modality) <= STRENGTH.index(self.weakest)
        return strong and (not self.about or self.about in about)


WHOLE = Reading()
COUNTERSIGNATURE = "countersignature by"


@dataclass(slots=True)
class Permission:
    """What a policy permits of one action.

    It permits it in a situation where it does not bind, or where every part is true. A part is named by the commitment,
    obligation or role that asks for it. Those of `always` hold whether or not it binds, as stop orders do.
    """

    unbound: Formula
    parts: dict[str, Formula] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)

    @property
    def needs(self) -> dict[str, Formula]:
        """What has to be true for a permit, by name."""
        return {name: part if name in self.always else some((self.unbound, part)) for name, part in self.parts.items()}

    @property
    def formula(self) -> Formula:
        """The whole."""
        bound = some((self.unbound, every(part for name, part in self.parts.items() if name not in self.always)))
        return every((bound, *(self.parts[name] for name in self.parts if name in self.always)))


class Permits:
    """Writes what one policy permits over variables that other policies share."""

    def __init__(self, variables: Variables, kernel: Kernel, reading: Reading = WHOLE) -> None:
        """Read a policy over some variables."""
        self.variables, self.kernel, self.reading = variables, kernel, reading
        if kernel.kind == "policy":
            variables.declare(kernel.roles)
        self._sights: dict[object, Sight] = {}
        self._releases: dict[object, Formula] = {}

    def action(self, action: str) -> Permission:
        """Return what is permitted of an action."""
        sight, irreversible = self._sight(action), action in IRREVERSIBLE
        found = Permission(stands(sight, self.kernel.scope, permissive=False))
        for place, commitment in enumerate(self.kernel.commitments):
            applies = self._applies(commitment, action)
            if applies is not False and self.reading.counts(commitment.about, commitment.modality):
                key = (place, sight.action, irreversible and bool(self.kernel.exceptions))
                if key not in self._releases:
                    self._releases[key] = some(self._released(sight, commitment, action))
                found.parts[f"commitment {commitment.id}"] = some((neg(applies), self._releases[key]))
        if not self.reading.about:
            always = dict(always_asked(self.variables, self.kernel, action))
            found.parts.update({**dict(where_bound(self.variables, self.kernel)), **always})
            found.always |= {*always}
        return found

    def silence(self) -> Permission:
        """Return when nothing that has to be done is overdue: going on without it is tolerated."""
        sight = Sight(self.variables, self.kernel, "", filled=self.reading.filled)
        found = Permission(stands(sight, self.kernel.scope, permissive=False))
        for name, item in self.kernel.duties.obligations.items():
            if self.reading.counts(item.about, item.modality):
                found.parts[f"obligation {name}"] = neg(sight.overdue(name))
        return found

    def unbound(self) -> Permission:
        """Return when the policy does not bind at all."""
        sight = Sight(self.variables, self.kernel, "", filled=self.reading.filled)
        return Permission(stands(sight, self.kernel.scope, permissive=False), {"scope": False})

    # ------------------------------------------------------------ parts

    def _sight(self, action: str) -> Sight:
        """Return the view of an action; most actions look the same, but for training and where contexts count."""
        apart = any(isinstance(term, Measure) and term.every_scaffold for term in self.kernel.terms)
        key = (action in TRAINING, action if apart else "")
        if key not in self._sights:
            adverse = any(item.unsettled != "hold" for item in self.kernel.commitments)
            self._sights[key] = Sight(self.variables, self.kernel, action, adverse=adverse, filled=self.reading.filled)
        return self._sights[key]

    def _applies(self, commitment: Commitment, action: str) -> Formula:
        """Return whether a commitment covers what the action comes to: training beyond every scale is new scale."""
        if action in commitment.actions:
            return True
        if action == NEW_SCALE:
            return TRAIN in commitment.actions
        if action == TRAIN and NEW_SCALE in commitment.actions:
            return new_scale(self.variables, self.kernel)
        return False

    def _released(self, sight: Sight, commitment: Commitment, action: str) -> Iterator[Formula]:
        yield let_through(sight, commitment)
        yield stands(sight, commitment.until, permissive=True)
        if action not in IRREVERSIBLE:
            yield from (
                self._escape(sight, item) for item in self.kernel.exceptions if item.instead_of == commitment.id
            )

    def _escape(self, sight: Sight, item: Exception_) -> Formula:
        """Return that an exception is in use, within its sunset, and that what it asks for is shown."""
        make = self.variables.amount
        invoked = self.variables.flag("invoked", item.id, nominal=False)
        since = at_most(make("invoked-ago", item.id, unit="seconds"), item.each, strict=True)
        total = at_most(make("used", item.id, item.window, item.each, unit="seconds"), item.total, strict=True)
        shown = (stands(sight, part, permissive=True) for part in (item.when, item.until, *item.needs))
        return every((invoked, since, total, *shown))


def may_come_to(action: str) -> frozenset[str]:
    """Return the action with what it may come to: only their size tells training and training at new scale apart."""
    return frozenset({TRAIN, NEW_SCALE}) if action in (TRAIN, NEW_SCALE) else frozenset({action})


def let_through(sight: Sight, commitment: Commitment) -> Formula:
    """Return that what a commitment watches holds nothing: shown, or not refuted where a text lets the unknown pass."""
    if commitment.unsettled == "hold":
        return stands(sight, commitment.when, permissive=False)
    return neg(opposed(sight, commitment.when, permissive=False))


def new_scale(variables: Variables, kernel: Kernel) -> Formula:
    """Return that what is asked for lies beyond the scale that exists under a policy."""
    to, scaled = variables.amount("to", unit="flop"), variables.amount("scaled", unit="flop")
    beyond = AtMost(((Fraction(1), scaled), (Fraction(-1), to)), Fraction(0), strict=True)
    return every((neg(at_most(to, kernel.existing_scale)), beyond))


def where_bound(variables: Variables, kernel: Kernel) -> Iterator[tuple[str, Formula]]:
    """Yield what a permit needs besides commitments where the policy binds: countersignatures, and mandated roles."""
    roles = dict(kernel.roles)
    for name in kernel.countersigned_by:
        yield f"{COUNTERSIGNATURE} {name}", variables.flag("affirmed", "countersignature", rule_of(roles, name))
    for role in kernel.duties.mandates:
        yield f"mandated role {role.name}", variables.flag(*mandated(role))


def mandated(role: MandatedRole) -> Key:
    """Return the key of the flag that a role which a regime mandates is declared."""
    return "mandated", role.name, tuple(sorted(role.independent_of)), role.quorum


def always_asked(variables: Variables, kernel: Kernel, action: str) -> Iterator[tuple[str, Formula]]:
    """Yield what a permit needs also where the policy does not bind: no stop order, and the cap on mitigation."""
    for name in kernel.stop_orders_by:
        rule = rule_of(dict(kernel.roles), name).alone
        free = neg(variables.flag("stopped", name, rule, nominal=False))
        if action == TRAIN:
            # An order on new scale stops training that comes to it.
            larger = neg(variables.flag("scale-stopped", name, rule, nominal=False))
            free = every((free, some((neg(new_scale(variables, kernel)), larger))))
        yield f"stop order by {name}", free
    if action == MITIGATION:
        to, start = variables.amount("to", unit="flop"), variables.amount("mitigated-from", unit="flop")
        grown = ((Fraction(1), to), (-1 - kernel.mitigation_cap, start))
        yield "mitigation cap", AtMost(grown, Fraction(0))


def stands(sight: Sight, condition: Condition, *, permissive: bool) -> Formula:
    """Return that a condition stands for the permit, as `gate.interpret.stand` says FOR."""
    match condition:
        case Not(part=part):
            return stands(sight, part, permissive=not permissive)
        case Constant(proven=proven):
            return proven is permissive
        case Compare():
            return sight.stands(condition, permissive=permissive)
        case All() | AnyOf() | AtLeast():
            parts = (stands(sight, part, permissive=permissive) for part in condition.parts)
            return at_least(_need(condition, permissive=permissive), parts)


def opposed(sight: Sight, condition: Condition, *, permissive: bool) -> Formula:
    """Return that a condition stands against the permit, as `gate.interpret.stand` says AGAINST."""
    match condition:
        case Not(part=part):
            return opposed(sight, part, permissive=not permissive)
        case Constant(proven=proven):
            return proven is not permissive
        case Compare():
            return sight.opposed(condition, permissive=permissive)
        case All() | AnyOf() | AtLeast():
            parts = (opposed(sight, part, permissive=permissive) for part in condition.parts)
            return at_least(len(condition.parts) - _need(condition, permissive=permissive) + 1, parts)


def _need(condition: All | AnyOf | AtLeast, *, permissive: bool) -> int:
    """Return how many parts have to stand for the permit; said again here, so that replays check it by the gate."""
    count = len(condition.parts)
    if isinstance(condition, AtLeast):
        return condition.count if permissive else count - condition.count + 1
    return count if isinstance(condition, All) is permissive else 1
