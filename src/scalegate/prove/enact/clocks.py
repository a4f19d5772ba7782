"""What else a situation says: clocks, exceptions, orders, what was permitted before, what is said of developers."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import NEW_SCALE, TRAIN
from scalegate.core.developer_events import DeveloperDescribed
from scalegate.core.duties import EventName, Obligation
from scalegate.core.events import DecisionMade, ExceptionInvoked, StopLifted, StopOrdered
from scalegate.core.kernel import Exception_, Kernel
from scalegate.core.terms import Elapsed, Operates, Overdue, Revenue
from scalegate.prove.enact.speakers import CannotEnactError, Ear
from scalegate.prove.enact.stage import LONG, Stage
from scalegate.prove.symbols import ANYBODY, RoleRule, rule_of


def run_clocks(stage: Stage) -> None:
    """Record everything else that a situation says."""
    for role in dict.fromkeys(role for kernel in stage.kernels for role in kernel.stop_orders_by):
        rules = [rule_of(dict(kernel.roles), role).alone for kernel in stage.kernels if role in kernel.stop_orders_by]
        _order(stage, "stopped", role, rules)
        if stage.action == TRAIN:
            _order(stage, "scale-stopped", role, rules, NEW_SCALE)
    _exceptions(stage)
    largest = stage.whole("scaled")
    if largest > 0:
        made = DecisionMade("sha256:earlier", "permit", TRAIN, "elsewhere", "", largest, stage.now, (), "", 0)
        stage.record(0, made)
    _elapsed(stage)
    _obligations(stage)
    _developer(stage)


def _order(stage: Stage, word: str, role: str, rules: list[RoleRule], *actions: str) -> None:
    """Record a stop order where one stands, and who lifts it for those for whom it does not."""
    ears = [Ear(rule, 1, not stage.so(word, role, rule)) for rule in dict.fromkeys(rules)]
    if all(ear.heard for ear in ears):
        return
    order = f"order of {role} on {' '.join(actions) or 'everything'}"
    stage.record(0, StopOrdered(order, actions, "", stage.cast.anybody(), role))
    for name in stage.cast.speakers(role, ears, order):
        stage.record(0, StopLifted(order, name, role))


# ---------------------------------------------------------------- exceptions


def _exceptions(stage: Stage) -> None:
    found: dict[str, list[tuple[Kernel, Exception_]]] = {}
    for kernel in stage.kernels:
        for item in kernel.exceptions:
            if stage.so("invoked", item.id):
                found.setdefault(item.id, []).append((kernel, item))
    for name, items in found.items():
        starts = _starts(stage, name, [item for _, item in items])
        for policy in dict.fromkeys(kernel.id for kernel, _ in items):
            for ago in starts:
                stage.record(ago, ExceptionInvoked(policy, name, stage.cast.anybody(), "developer"))


def _starts(stage: Stage, name: str, items: list[Exception_]) -> list[int]:
    """Return how long ago an exception was invoked, each time: as often as it takes to use up what is used up."""
    latest = stage.whole("invoked-ago", name)
    longest = max(item.each for item in items)
    for earlier in range(200):
        starts = [latest + longest * place for place in range(earlier, -1, -1)]
        if all(
            (_used(starts, item) < item.total) is (stage.number("used", name, item.window, item.each) < item.total)
            for item in items
        ):
            return starts
    raise CannotEnactError(f"exception {name} cannot have been in use for as long as the situation says")


def _used(starts: list[int], item: Exception_) -> int:
    """Return the seconds that an exception was in use, each use once."""
    used, reached = 0, item.window
    for ago in starts:
        begin, end = min(ago, reached), max(ago - item.each, 0)
        if begin > end:
            used += begin - end
            reached = end
    return used


# ---------------------------------------------------------------- clocks


def _elapsed(stage: Stage) -> None:
    seen: dict[tuple[str, str], list[RoleRule]] = {}
    for read in stage.reads():
        if isinstance(read.term, Elapsed):
            rule = rule_of(dict(read.kernel.roles), read.term.role)
            seen.setdefault((read.term.predicate, read.term.role), []).append(rule)
    for (predicate, role), rules in seen.items():
        ears = [Ear(rule, max(1, rule.quorum), stage.so("began", predicate, rule)) for rule in dict.fromkeys(rules)]
        agos = {
            stage.whole("elapsed", predicate, rule)
            for rule in dict.fromkeys(rules)
            if stage.so("began", predicate, rule)
        }
        affirmed = any(stage.so("affirmed", f"predicate:{predicate}", rule) for rule in rules)
        if affirmed and not all(ear.heard for ear in ears):
            raise CannotEnactError(f"{predicate} is attested, and was never stated")
        if not any(ear.heard for ear in ears):
            continue
        if len(agos) > 1 or affirmed:
            raise CannotEnactError(f"{predicate} would have to be stated at two times")
        longest = stage.whole("elapsed", predicate, ANYBODY, otherwise=min(agos))
        if longest > min(agos):
            stage.state(longest, "predicate", predicate, stage.cast.anybody(), "witness", expired=True)
        for name in stage.cast.speakers(role, ears, predicate):
            stage.state(min(agos), "predicate", predicate, name, role, expired=True)


def _obligations(stage: Stage) -> None:
    done: set[str] = set()
    for kernel, item in _asked(stage):
        if item.every is None:
            _started(stage, item, done)
        elif item.met.predicate not in done:
            done.add(item.met.predicate)
            _recurring(stage, kernel, item)


def _asked(stage: Stage) -> Iterator[tuple[Kernel, Obligation]]:
    if stage.duties:
        for kernel in stage.kernels:
            yield from ((kernel, item) for item in kernel.duties.obligations.values())
    for read in stage.reads():
        if isinstance(read.term, Overdue):
            yield read.kernel, read.kernel.duties.obligations[read.term.obligation]


def _started(stage: Stage, item: Obligation, done: set[str]) -> None:
    """Let the events happen that start a clock, and what discharges it after them."""
    for start in item.starts:
        mark = f"{start.predicate} {start.role}"
        if mark in done or not stage.so("started", start.predicate, start.role):
            continue
        done.add(mark)
        ago = stage.whole("started-ago", start.predicate, start.role)
        _start(stage, start, ago)
        met: dict[str, list[Ear]] = {}
        for kernel, other in _asked(stage):
            if any(one.predicate == start.predicate for one in other.starts):
                rule = rule_of(dict(kernel.roles), other.met.role)
                so = stage.so("discharged", start.predicate, other.met.predicate, rule)
                met.setdefault(f"{other.met.predicate} {rule.name}", []).append(Ear(rule, max(1, rule.quorum), so))
        for words, ears in met.items():
            predicate, _, role = words.partition(" ")
            for name in stage.cast.speakers(role, ears, predicate):
                stage.state(0, "predicate", predicate, name, role)


def _start(stage: Stage, start: EventName, ago: int) -> None:
    """Let somebody state an event: whoever may, for those who hear it from nobody else; and claim that it was met."""
    ears = []
    claimed = []
    for kernel, item in _asked(stage):
        if start in item.starts:
            rule = rule_of(dict(kernel.roles), start.role).alone
            ears.append(Ear(rule, 1, stage.so("stated", start.predicate, rule)))
            claimed.append(item.met.predicate)
    names = stage.cast.speakers(start.role, ears, start.predicate)
    if names:
        stage.state(ago, "predicate", start.predicate, names[0], start.role)
    else:
        stage.state(ago, "predicate", start.predicate, stage.cast.anybody(), "witness")
    for predicate in dict.fromkeys(claimed):
        if stage.so("claimed", predicate):
            stage.state(0, "predicate", predicate, stage.cast.anybody(), "witness")


def _recurring(stage: Stage, kernel: Kernel, item: Obligation) -> None:
    """Let what recurs have been met so that it is overdue where it is to be."""
    asked = [(other, one) for other, one in _asked(stage) if one.every and one.met.predicate == item.met.predicate]
    wanted = []
    for other, one in asked:
        rule = rule_of(dict(other.roles), one.met.role)
        since = stage.whole("discharged-ago", one.met.predicate, one.every, rule)
        wanted.append((other.effective, one.every or 0, since > (one.every or 0)))
        if rule != rule_of(dict(kernel.roles), item.met.role):
            raise CannotEnactError(f"{one.met.predicate} would have to be met by one policy, and not by the other")
    times = [
        None,
        stage.now - 1,
        *(stage.now - part * every // 2 - 1 for _, every, _ in wanted for part in range(1, 8)),
    ]
    for met in times:
        if all(_is_overdue(begin, every, met, stage.now) is late for begin, every, late in wanted):
            if stage.so("claimed", item.met.predicate):
                stage.state(0, "predicate", item.met.predicate, stage.cast.anybody(), "witness")
            if met is not None:
                rule = rule_of(dict(kernel.roles), item.met.role)
                for name in stage.cast.speakers(rule.name, [Ear(rule, max(1, rule.quorum), heard=True)], item.id):
                    stage.state(stage.now - met, "predicate", item.met.predicate, name, rule.name)
            return
    raise CannotEnactError(f"obligation {item.id} cannot be as late, or as little, as the situation says")


def _is_overdue(begin: int, every: int, met: int | None, now: int) -> bool:
    """Whether what recurs is overdue when it was last met at some time, or never; see `gate.obligations`."""
    if begin > now:
        return False
    start = begin
    if met is not None and met > begin:
        if now - met > every * 1_000:
            return True
        # Every earlier period was met by then: only the last statement counts here.
        start = begin + -((begin - met) // every) * every
    return start + every < now


# ---------------------------------------------------------------- the developer


def _developer(stage: Stage) -> None:
    """Let a role that is independent of the developer say what it is, for those policies that are to hear it."""
    kernels = [read.kernel for read in stage.reads() if isinstance(read.term, Revenue | Operates)]
    wanted = [(roles, stage.so("described", _key(roles))) for roles in map(_independent, kernels)]
    if not any(so for _, so in wanted):
        return
    for role in dict.fromkeys(name for roles, so in wanted if so for name in roles):
        if any(so and role not in roles for roles, so in wanted):
            continue
        ears = [Ear(roles[role], max(1, roles[role].quorum), so) for roles, so in wanted if role in roles]
        try:
            names = stage.cast.speakers(role, ears, "the developer")
        except CannotEnactError:
            continue
        for name in names:
            _describe(stage, name, role)
        return
    raise CannotEnactError("the policies hear about the developer from different roles")


def _independent(kernel: Kernel) -> dict[str, RoleRule]:
    roles = dict(kernel.roles)
    return {name: rule_of(roles, name) for name, role in roles.items() if role.is_outside}


def _key(roles: dict[str, RoleRule]) -> tuple[RoleRule, ...]:
    return tuple(sorted(roles.values(), key=lambda rule: rule.name))


def _describe(stage: Stage, name: str, role: str) -> None:
    places = [str(key[1]) for key in stage.variables.by_key if key[0] in ("present", "absent")]
    said = DeveloperDescribed(
        stage.whole("revenue-low"),
        stage.whole("revenue-high") if stage.known("revenue-high") else None,
        tuple(place for place in dict.fromkeys(places) if stage.so("present", place)),
        tuple(place for place in dict.fromkeys(places) if stage.so("absent", place)),
        stage.now + LONG,
        name,
        role,
    )
    stage.record(0, said)
