"""What each variable of a situation is called: one clause for each thing that it can be.

A clause is literal text around one value, or literal text alone for what is so or not so. Clauses go from general ones,
which speak of several variables at once, to one that speaks of a single variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.canonical import Plain, canonical_bytes, digest_bytes
from scalegate.core.kernel import Kernel
from scalegate.prove.symbols import Key, RoleRule, Variable
from scalegate.prove.wording.parts import (
    NOBODY,
    VERBS,
    details_of,
    named,
    odds,
    parts_of,
    position_words,
    reach_words,
    rule_in,
    sizes_of,
    teachers_words,
    told_apart,
)
from scalegate.prove.wording.values import show

# Where the value stands in a clause; no text that people write contains it.
SLOT = "\0"


@dataclass(frozen=True, slots=True)
class Phrasing:
    """How one variable is spoken of.

    Attributes:
        family: what tells it from other things that the same words could mean.
        so: the clause, with `SLOT` for a value; of a flag, the clause that it is so.
        not_so: of a flag, the clause that it is not so; empty otherwise.
        apart: words that are added, one after the other, until it is told from its siblings.
        shared: clauses that speak of it and of others, the most general first.
    """

    family: tuple[object, ...]
    so: str
    not_so: str = ""
    apart: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    def rungs(self, sense: bool) -> list[tuple[tuple[object, ...], str]]:  # noqa: FBT001 - a sense is what it is
        """Return the clauses of one sense with what they are about, from general to specific."""
        found: list[tuple[tuple[object, ...], str]] = [(("shared",), text) for text in self.shared]
        words = self.so if sense else self.not_so
        found.append((self.family, words))
        for part in self.apart:
            words = f"{words}, {part}"
            found.append((self.family, words))
        return found


def mark(key: Key) -> str:
    """Return a short mark of a variable, the same in every process, for those that words do not tell apart."""
    digest = digest_bytes(canonical_bytes([_plain(part) for part in key]))
    return f"#{digest.removeprefix('sha256:')[:10]}"


def _plain(part: object) -> Plain:
    if isinstance(part, RoleRule):
        return [part.name, part.quorum, [*sorted(part.members)], [*sorted(part.independent_of)], part.spare]
    return [_plain(item) for item in part] if isinstance(part, tuple) else str(part)


class Phrases:
    """Speaks of variables with the names that policies give to what they measure."""

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        """Take the names of some policies; the first that names a thing is followed."""
        self._measured: dict[str, str] = {}
        self._guards: dict[str, str] = {}
        taken: set[str] = set()
        for kernel in kernels:
            for name, item in kernel.evaluations.items():
                if item.digest is not None and item.digest not in self._measured:
                    self._measured[item.digest] = told_apart(name, kernel, taken)
            for name, spec in kernel.safeguards.items():
                means = f"concept {spec.concept}" if spec.concept else f"{name} {spec.means}"
                if means not in self._guards:
                    self._guards[means] = told_apart(name, kernel, taken)
        self._kinds: Mapping[str, Callable[[Variable], Phrasing]] = {
            **dict.fromkeys(("high", "low", "latched-low", "latched-high"), self._interval),
            "open": self._open,
            **dict.fromkeys(("reported", "elicited", "age", "waiting", "flawed", "scaffold"), self._result),
            **dict.fromkeys(("pending", "pending-made", "pending-compute", "pending-ago"), self._pending),
            **dict.fromkeys(("base", "to", "scaled", "compute-high", "compute-low", "mitigated-from"), self._compute),
            **dict.fromkeys(("affirmed", "denied", "affirmed-ago"), self._voice),
            **dict.fromkeys(("attempts", "failures", "attempts-ago", "share", "trials"), self._count),
            **dict.fromkeys(("revenue-low", "revenue-high", "described", "absent", "present", "now"), self._developer),
            **dict.fromkeys(("began", "elapsed", "started", "started-ago"), self._event),
            **dict.fromkeys(("stated", "discharged", "discharged-ago"), self._event),
            **dict.fromkeys(("invoked", "invoked-ago", "used"), self._exception),
            **dict.fromkeys(("published", "filled", "context", "claimed", "unadmitted"), self._plain_flag),
            **dict.fromkeys(("specified", "stopped", "scale-stopped", "mandated"), self._power),
        }

    def of(self, variable: Variable) -> Phrasing:
        """Return how a variable is spoken of."""
        speak = self._kinds.get(str(variable.key[0]))
        return self._unknown(variable) if speak is None else speak(variable)

    def measured(self, digest: object) -> str:
        """Return the name of what is measured."""
        return self._measured.get(str(digest), named(str(digest)))

    def _unknown(self, variable: Variable) -> Phrasing:
        words = " ".join(named(str(part)) for part in variable.key if isinstance(part, str))
        if variable.unit == "flag":
            return Phrasing(variable.key, words, f"not {words}")
        return Phrasing(variable.key, f"{words} is {SLOT}")

    # ------------------------------------------------------------ evaluations

    def _interval(self, variable: Variable) -> Phrasing:
        kind, digest, position, error, *rest = variable.key
        name = self.measured(digest)
        words = {
            "high": f"{name} may be as high as {SLOT}",
            "low": f"{name} may be as low as {SLOT}",
            "latched-low": f"{name} is shown to be at least {SLOT}",
            "latched-high": f"{name} is shown to be at most {SLOT}",
        }[str(kind)]
        reach, stopped, teachers = (*rest, None, None, None)[:3]
        errors = odds(error) if stopped is None else f"{odds(error)} and {odds(stopped)}"
        apart = [position_words(position), *reach_words(reach), f"at an error of {errors}"]
        if teachers is not None:
            apart.append(teachers_words(teachers))
        return Phrasing((kind, digest), words, apart=tuple(apart))

    def _open(self, variable: Variable) -> Phrasing:
        kind, digest, position, reach = variable.key
        name = self.measured(digest)
        apart = (position_words(position), *reach_words(reach))
        return Phrasing((kind, digest), f"something leaves {name} open", f"nothing leaves {name} open", apart)

    def _result(self, variable: Variable) -> Phrasing:
        kind, digest, *rest = variable.key
        name, family = self.measured(digest), (kind, digest, *(rest if kind != "reported" else ()))
        match kind:
            case "reported":
                rule = rule_in(rest[0])
                said = (f"by {rule.name or 'anybody'}", *details_of(rule))
                return Phrasing(family, f"there is a result on {name}", f"no result on {name} counts", said)
            case "age":
                shared = (f"every result is {SLOT} old",)
                return Phrasing(family, f"the last result on {name} is {SLOT} old", shared=shared)
            case "waiting":
                return Phrasing(family, f"a run on {name} has been without a result for {SLOT}")
            case "elicited":
                way = named(str(rest[0]))
                return Phrasing(family, f"{name} was elicited by {way}", f"{name} was not elicited by {way}")
            case "scaffold":
                with_it = f"measured under the scaffold {named(str(rest[0]))}"
                return Phrasing(family, f"{name} was {with_it}", f"{name} was not {with_it}")
            case _:
                flaw = named(str(rest[0]))
                return Phrasing(family, f"results on {name} have the flaw {flaw}", f"no result on {name} is {flaw}")

    def _pending(self, variable: Variable) -> Phrasing:
        kind, digest, *rest = variable.key
        name = self.measured(digest)
        match kind:
            case "pending":
                return Phrasing((kind, digest), f"a run on {name} is pending", f"no run on {name} is pending")
            case "pending-made":
                words = f"the pending run on {name} is on a checkpoint taken {SLOT} after the last result"
            case "pending-ago":
                words = f"the pending run on {name} began {SLOT} ago"
            case _:
                words = f"the pending run on {name} is on a checkpoint at {SLOT}"
        return Phrasing((kind, digest), words, apart=tuple(map(teachers_words, rest)))

    def _compute(self, variable: Variable) -> Phrasing:
        kind, *rest = variable.key
        reached = (f"the action would reach {SLOT}",)
        match kind:
            case "to":
                return Phrasing((kind,), f"what is asked for ends at {SLOT}", shared=reached)
            case "compute-high" | "compute-low":
                end = "may be as high as" if kind == "compute-high" else "is at least"
                apart = tuple(map(teachers_words, rest))
                return Phrasing((kind,), f"effective compute {end} {SLOT}", apart=apart, shared=reached)
            case "base":
                digest, teachers = rest
                shared = (f"every evaluation was measured at {SLOT}",)
                words = f"{self.measured(digest)} was measured at {SLOT}"
                return Phrasing((kind, digest), words, apart=(teachers_words(teachers),), shared=shared)
            case "scaled":
                return Phrasing((kind,), f"training up to {SLOT} was permitted before")
            case _:
                return Phrasing((kind,), f"the mitigation starts from {SLOT}")

    # ------------------------------------------------------------ people

    def _voice(self, variable: Variable) -> Phrasing:
        kind, words, role = variable.key
        rule = rule_in(role)
        who = rule.name or "anybody"
        about, _, rest = str(words).partition(":")
        family = (kind, words, rule.name) if about != "safeguard" else (kind, words)
        verb = VERBS[about if about in VERBS else "predicate"]
        what = self._matter(about, rest)
        if kind == "affirmed-ago":
            return Phrasing(family, f"{verb.ago(who, what)} {SLOT} ago", apart=details_of(rule))
        details = details_of(rule)
        if about == "safeguard":
            details = (f"says {who}", *details)
        if kind == "denied":
            return Phrasing(family, verb.denied(who, what), verb.undenied(who, what), details)
        return Phrasing(family, verb.so(who, what), verb.not_so(who, what), details)

    def _matter(self, about: str, rest: str) -> str:
        first, _, others = rest.partition(" ")
        if about in ("belief", "measurement"):
            return f"{named(others)} of {self.measured(first)}"
        if about == "attempts":
            return self._attempted(rest)
        return self._means(rest) if about == "safeguard" else named(rest)

    def _means(self, words: str) -> str:
        """Return the name of a safeguard from `ID MEANS BECAUSE`, or from the concept of an encoded one."""
        first, _, rest = words.partition(" ")
        means = f"{first} {rest.partition(' ')[0]}"
        return self._guards.get(means, means)

    def _attempted(self, what: str) -> str:
        """Return `failure on safeguard` from `ID MEANS FAILURE`."""
        return f"{named(what.partition(' ')[2].partition(' ')[2])} on {self._means(what)}"

    def _count(self, variable: Variable) -> Phrasing:
        kind, what = str(variable.key[0]), str(variable.key[1])
        first, _, rest = what.partition(" ")
        words = {
            "attempts": f"{self._attempted(what)}: {SLOT} tries",
            "failures": f"{self._attempted(what)}: {SLOT} tries succeeded",
            "attempts-ago": f"{self._attempted(what)}: last tried {SLOT} ago",
            "share": f"{named(rest)} of {self.measured(first)}: a share of {SLOT}",
            "trials": f"{named(rest)} of {self.measured(first)}: {SLOT} trials",
        }[kind]
        return Phrasing((kind, what), words)

    # ------------------------------------------------------------ the rest

    def _developer(self, variable: Variable) -> Phrasing:
        kind, *rest = variable.key
        place = named(str(rest[0])) if rest and isinstance(rest[0], str) else ""
        revenue = (f"revenue is {SLOT}",)
        match kind:
            case "revenue-low":
                return Phrasing((kind,), f"revenue is at least {SLOT}", shared=revenue)
            case "revenue-high":
                return Phrasing((kind,), f"revenue may be as high as {SLOT}", shared=revenue)
            case "now":
                return Phrasing((kind,), f"it is {SLOT}")
            case "described":
                words = "independent describes the developer"
                rules = [item for item in parts_of(variable.key[-1]) if isinstance(item, RoleRule)]
                said = (f"such as {' or '.join(item.name for item in rules)}",) if rules else ()
                details = tuple(part for item in rules for part in details_of(item))
                return Phrasing((kind,), f"somebody {words}", f"nobody {words}", (*said, *details))
            case "absent":
                words = f"said that the developer does not operate in {place}"
                return Phrasing((kind, place), f"it is {words}", f"it is not {words}")
            case _:
                words = f"says that the developer operates in {place}"
                return Phrasing((kind, place), f"somebody {words}", f"nobody {words}")

    def _event(self, variable: Variable) -> Phrasing:
        kind, first, *rest = variable.key
        rule = rule_in(rest[-1]) if isinstance(rest[-1], RoleRule) else RoleRule(str(rest[-1]), 1, NOBODY, NOBODY)
        said, details = f"{named(str(first))} by {rule.name or 'anybody'}", details_of(rule)
        family = (*variable.key[:-1], rule.name)
        match kind:
            case "began":
                return Phrasing(family, f"there was {said}", f"there was no {said}", details)
            case "stated":
                return Phrasing(family, f"{said} was stated", f"{said} was not stated", details)
            case "elapsed":
                return Phrasing(family, f"the first {said} was {SLOT} ago", apart=details)
            case "started":
                return Phrasing(family, f"{said} started a clock", f"{said} started no clock", details)
            case "started-ago":
                return Phrasing(family, f"the clock from {said} has run for {SLOT}", apart=details)
            case "discharged":
                met = f"{named(str(rest[0]))} by {rule.name or 'anybody'}"
                end = f"the clock from {named(str(first))}"
                return Phrasing(family, f"{met} stopped {end}", f"{met} has not stopped {end}", details)
            case _:
                period = f"as it is due every {show(Fraction(str(rest[0])), 'seconds')}" if rest[1:] else ""
                apart = (period, *details) if period else details
                return Phrasing((kind, first, rule.name), f"the last {said} was {SLOT} ago", apart=apart)

    def _exception(self, variable: Variable) -> Phrasing:
        kind, name, *rest = variable.key
        words = f"the exception {named(str(name))}"
        if kind == "invoked":
            return Phrasing((kind, name), f"{words} is invoked", f"{words} is not invoked")
        if kind == "invoked-ago":
            return Phrasing((kind, name), f"{words} was invoked {SLOT} ago")
        window, each = (f"{lead} {show(Fraction(str(size)), 'seconds')}" for lead, size in sizes_of(rest))
        return Phrasing((kind, name), f"{words} was in use for {SLOT}", apart=(window, each))

    def _plain_flag(self, variable: Variable) -> Phrasing:
        kind, what = str(variable.key[0]), variable.key[1]
        name = (
            " and ".join(named(str(item)) for item in parts_of(what)) if isinstance(what, tuple) else named(str(what))
        )
        so, not_so = {
            "published": (f"{name} is published", f"{name} is not published"),
            "filled": (f"what fills the hole {name} is shown", f"nothing that fills the hole {name} is shown"),
            "context": (f"the context is {name}", f"the context is not {name}"),
            "claimed": (f"somebody claims {name}", f"nobody claims {name}"),
            "unadmitted": (f"a scaffold other than {name} is in use", f"no scaffold other than {name} is in use"),
        }[kind]
        return Phrasing(variable.key, so, not_so)

    def _power(self, variable: Variable) -> Phrasing:
        kind, what, *rest = variable.key
        name = named(str(what))
        if kind == "mandated":
            others = " and ".join(map(str, parts_of(rest[0]))) or "nobody"
            apart = (f"independent of {others}", f"with a quorum of {rest[1]}")
            words = "declared as a regime mandates it"
            return Phrasing((kind, what), f"the role {name} is {words}", f"the role {name} is not {words}", apart)
        rule = rule_in(rest[0]) if rest else rule_in(what)
        if kind == "specified":
            words, who = f"that the hole {name} is specified", rule.name or "anybody"
            family = (kind, what, rule.name)
            return Phrasing(family, f"{who} says {words}", f"{who} does not say {words}", details_of(rule))
        order = "stop order on new scale" if kind == "scale-stopped" else "stop order"
        return Phrasing((kind, what), f"a {order} by {name} stands", f"no {order} by {name} stands", details_of(rule))
